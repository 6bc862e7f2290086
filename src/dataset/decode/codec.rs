//! The bytes inside a stored object: which codec it really has, and a reader that decompresses as a stream.
//!
//! Errors of the input itself are kept apart from errors of the compression: the first are no fault of the data.

use std::io::{self, BufRead, BufReader, Chain, Cursor, Read};
use std::rc::Rc;
use std::time::Instant;

use flate2::bufread::GzDecoder;

use super::meter::SharedMeter;
use crate::dataset::Codec;

const GZIP_MAGIC: [u8; 2] = [0x1f, 0x8b];
const ZSTD_MAGIC: [u8; 4] = [0x28, 0xb5, 0x2f, 0xfd];
const INPUT_BUFFER_BYTES: usize = 64 << 10;

/// The codec that the first bytes show; the name's codec where they show none. A `.gz` that some client has already
/// decompressed is text, and a `.jsonl` uploaded compressed is not.
pub(in crate::dataset) fn actual_codec(named: Codec, head: &[u8]) -> Codec {
    if head.starts_with(&GZIP_MAGIC) {
        return Codec::Gzip;
    }
    if head.starts_with(&ZSTD_MAGIC) {
        return Codec::Zstd;
    }
    let is_text = match head.first() {
        Some(first) => matches!(first, b'{' | b'[' | b' ' | b'\n' | b'\r' | b'\t' | 0xef),
        None => true,
    };
    if is_text { Codec::None } else { named }
}

/// Tells the meter how many bytes came, how long they took to come, and the input's own error.
struct Watched<R> {
    inner: R,
    meter: SharedMeter,
}

impl<R: Read> Read for Watched<R> {
    fn read(&mut self, buf: &mut [u8]) -> io::Result<usize> {
        let asked = Instant::now();
        let outcome = self.inner.read(buf);
        self.meter.excuse(asked.elapsed());
        match outcome {
            Ok(n) => {
                self.meter.add_stored(n);
                Ok(n)
            }
            Err(error) if error.kind() == io::ErrorKind::Interrupted => Err(error),
            Err(error) => {
                let copy = io::Error::new(error.kind(), error.to_string());
                self.meter.keep_input_error(error);
                Err(copy)
            }
        }
    }
}

type Input<R> = BufReader<Chain<Cursor<Vec<u8>>, Watched<R>>>;

/// Decompressed bytes of one object.
pub(super) struct Plain<R: Read> {
    stream: Stream<R>,
    meter: SharedMeter,
}

enum Stream<R: Read> {
    None(Input<R>),
    Gzip(Box<GzipMembers<Input<R>>>),
    Zstd(Box<zstd::stream::read::Decoder<'static, Input<R>>>),
}

impl<R: Read> Plain<R> {
    /// Looks at the first bytes where `is_start` says that they are the object's first.
    pub(super) fn open(named: Codec, is_start: bool, input: R, meter: SharedMeter) -> io::Result<Self> {
        let mut input = Watched {
            inner: input,
            meter: Rc::clone(&meter),
        };
        let mut head = Vec::with_capacity(4);
        Read::by_ref(&mut input).take(4).read_to_end(&mut head)?;
        let codec = if is_start {
            actual_codec(named, &head)
        } else {
            named
        };
        let input = BufReader::with_capacity(INPUT_BUFFER_BYTES, Cursor::new(head).chain(input));
        let stream = match codec {
            Codec::None => Stream::None(input),
            Codec::Gzip => Stream::Gzip(Box::new(GzipMembers::new(input))),
            Codec::Zstd => Stream::Zstd(Box::new(zstd::stream::read::Decoder::with_buffer(input)?)),
        };
        Ok(Self { stream, meter })
    }
}

impl<R: Read> Read for Plain<R> {
    fn read(&mut self, buf: &mut [u8]) -> io::Result<usize> {
        let n = match &mut self.stream {
            Stream::None(input) => input.read(buf),
            Stream::Gzip(input) => input.read(buf),
            Stream::Zstd(input) => input.read(buf),
        }?;
        let is_compressed = !matches!(self.stream, Stream::None(_));
        // A file that is read to its end is done, however late.
        if n > 0 {
            self.meter.add_plain(n, is_compressed)?;
        }
        Ok(n)
    }
}

/// The members of a gzip file one after another, as `gzip -d` reads them: zeros after the last one are padding.
struct GzipMembers<R> {
    state: Member<R>,
}

enum Member<R> {
    Inside(GzDecoder<R>),
    Ended,
}

impl<R: BufRead> GzipMembers<R> {
    fn new(input: R) -> Self {
        Self {
            state: Member::Inside(GzDecoder::new(input)),
        }
    }
}

impl<R: BufRead> Read for GzipMembers<R> {
    fn read(&mut self, buf: &mut [u8]) -> io::Result<usize> {
        if buf.is_empty() {
            return Ok(0);
        }
        loop {
            let Member::Inside(decoder) = &mut self.state else {
                return Ok(0);
            };
            let n = decoder.read(buf)?;
            if n > 0 {
                return Ok(n);
            }
            let Member::Inside(decoder) = std::mem::replace(&mut self.state, Member::Ended) else {
                return Ok(0);
            };
            let mut input = decoder.into_inner();
            match skip_zeros(&mut input)? {
                None => return Ok(0),
                Some(first) if Some(&first) == GZIP_MAGIC.first() => {
                    self.state = Member::Inside(GzDecoder::new(input));
                }
                Some(_) => {
                    return Err(io::Error::new(
                        io::ErrorKind::InvalidData,
                        "bytes that are not gzip follow its end",
                    ));
                }
            }
        }
    }
}

/// The first byte that is not zero, left in place; none at the end.
fn skip_zeros(input: &mut impl BufRead) -> io::Result<Option<u8>> {
    loop {
        let bytes = match input.fill_buf() {
            Ok(bytes) => bytes,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
            Err(error) => return Err(error),
        };
        if bytes.is_empty() {
            return Ok(None);
        }
        if let Some(n) = bytes.iter().position(|byte| *byte != 0) {
            let first = bytes.get(n).copied();
            input.consume(n);
            return Ok(first);
        }
        let n = bytes.len();
        input.consume(n);
    }
}

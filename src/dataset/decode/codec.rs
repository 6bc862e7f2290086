//! The bytes inside a stored object: which codec it really has, and a reader that decompresses as a stream.
//!
//! Errors of the input itself are kept apart from errors of the compression: the first are no fault of the data.

use std::io::{self, BufReader, Chain, Cursor, Read};
use std::rc::Rc;
use std::time::Instant;

use super::decompress::{GzipMembers, ZstdFrames};
use super::meter::SharedMeter;
use crate::dataset::Codec;

pub(super) const GZIP_MAGIC: [u8; 2] = [0x1f, 0x8b];
const ZSTD_MAGIC: [u8; 4] = [0x28, 0xb5, 0x2f, 0xfd];
const INPUT_BUFFER_BYTES: usize = 64 << 10;

/// The codec that the first bytes show; the name's codec where they show none. A `.gz` that some client has already
/// decompressed is text, and a `.jsonl` uploaded compressed is not.
pub fn actual_codec(named: Codec, head: &[u8]) -> Codec {
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
    Zstd(Box<ZstdFrames<Input<R>>>),
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
            Codec::Zstd => Stream::Zstd(Box::new(ZstdFrames::new(input)?)),
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

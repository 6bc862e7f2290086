//! Decompressors that give every byte before the place where the data break, however the input is cut into pieces.
//!
//! The readers of `flate2` and `zstd` drop what one call has written when the same call then finds a fault. How much
//! that is depends on the pieces that the network delivers, so the same broken file would give other rows each time.

use std::io::{self, BufRead, Read};

use flate2::Crc;
use flate2::bufread::{DeflateDecoder, GzDecoder};
use zstd::stream::raw::{Decoder, InBuffer, Operation, OutBuffer};

use super::codec::GZIP_MAGIC;

/// The members of a gzip file one after another, as `gzip -d` reads them: zeros after the last one are padding.
pub(super) struct GzipMembers<R> {
    state: Member<R>,
}

enum Member<R> {
    Before(R),
    Inside(DeflateDecoder<R>, Crc),
    Broken(io::Error),
    Ended,
}

impl<R: BufRead> GzipMembers<R> {
    pub(super) fn new(input: R) -> Self {
        Self {
            state: Member::Before(input),
        }
    }
}

impl<R: BufRead> Read for GzipMembers<R> {
    fn read(&mut self, buf: &mut [u8]) -> io::Result<usize> {
        if buf.is_empty() {
            return Ok(0);
        }
        loop {
            match std::mem::replace(&mut self.state, Member::Ended) {
                Member::Before(input) => {
                    let mut header = GzDecoder::new(input);
                    if header.header().is_none() {
                        // The header's fault comes with the first read, which has no data.
                        let fault = header.read(buf).err();
                        return Err(fault.unwrap_or_else(|| io::ErrorKind::UnexpectedEof.into()));
                    }
                    self.state = Member::Inside(DeflateDecoder::new(header.into_inner()), Crc::new());
                }
                Member::Inside(mut body, mut crc) => {
                    let before = body.total_out();
                    let outcome = body.read(buf);
                    let n = usize::try_from(body.total_out() - before).unwrap_or(buf.len());
                    crc.update(buf.get(..n).unwrap_or_default());
                    self.state = match outcome {
                        Err(error) if error.kind() != io::ErrorKind::Interrupted => Member::Broken(error),
                        Ok(0) => match end_member(body.into_inner(), &crc)? {
                            Some(input) => Member::Before(input),
                            None => return Ok(0),
                        },
                        _ => Member::Inside(body, crc),
                    };
                    if n > 0 {
                        return Ok(n);
                    }
                }
                Member::Broken(error) => return Err(error),
                Member::Ended => return Ok(0),
            }
        }
    }
}

/// Holds a member to its checksum and length. The input where another member follows.
fn end_member<R: BufRead>(mut input: R, crc: &Crc) -> io::Result<Option<R>> {
    let invalid = |message| io::Error::new(io::ErrorKind::InvalidData, message);
    let mut sum = [0; 4];
    let mut len = [0; 4];
    input.read_exact(&mut sum)?;
    input.read_exact(&mut len)?;
    if (u32::from_le_bytes(sum), u32::from_le_bytes(len)) != (crc.sum(), crc.amount()) {
        return Err(invalid("corrupt gzip stream does not have a matching checksum"));
    }
    match skip_zeros(&mut input)? {
        None => Ok(None),
        Some(first) if Some(&first) == GZIP_MAGIC.first() => Ok(Some(input)),
        Some(_) => Err(invalid("bytes that are not gzip follow its end")),
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

/// What a frame's header takes at least, with the header of its first block.
const FIRST_BYTES: usize = 8;
const BLOCK_HEADER_BYTES: usize = 3;

/// The frames of a zstd file one after another. Each call of the decompressor gets the rest of one block at most, so
/// that a fault in a block cannot take the block before with it.
pub(super) struct ZstdFrames<R> {
    input: R,
    decoder: Decoder<'static>,
    /// What the decompressor asks for: the rest of a block, and the header of the next one.
    wanted: usize,
    is_between: bool,
    /// The last block may have more than `buf` had room for.
    has_more: bool,
}

impl<R: BufRead> ZstdFrames<R> {
    pub(super) fn new(input: R) -> io::Result<Self> {
        Ok(Self {
            input,
            decoder: Decoder::new()?,
            wanted: FIRST_BYTES,
            is_between: false,
            has_more: false,
        })
    }

    /// Gives the decompressor up to `len` bytes of what is buffered. How many came out.
    fn run_on(&mut self, len: usize, buf: &mut [u8]) -> io::Result<usize> {
        let bytes = if len == 0 { &[] } else { self.input.fill_buf()? };
        let mut src = InBuffer::around(bytes.get(..len).unwrap_or(bytes));
        let mut dst = OutBuffer::around(buf);
        self.wanted = self.decoder.run(&mut src, &mut dst)?;
        let (n_used, n) = (src.pos(), dst.pos());
        self.input.consume(n_used);
        self.is_between = self.wanted == 0;
        self.has_more = n == buf.len();
        Ok(n)
    }
}

impl<R: BufRead> Read for ZstdFrames<R> {
    fn read(&mut self, buf: &mut [u8]) -> io::Result<usize> {
        if buf.is_empty() {
            return Ok(0);
        }
        if self.has_more {
            let n = self.run_on(0, buf)?;
            if n > 0 {
                return Ok(n);
            }
        }
        loop {
            let bytes = self.input.fill_buf()?;
            if bytes.is_empty() {
                return if self.is_between {
                    Ok(0)
                } else {
                    Err(io::Error::new(io::ErrorKind::UnexpectedEof, "incomplete frame"))
                };
            }
            if self.is_between {
                self.decoder.reinit()?;
                self.wanted = FIRST_BYTES;
                self.is_between = false;
            }
            let n = self.run_on(self.wanted.saturating_sub(BLOCK_HEADER_BYTES).max(1), buf)?;
            if n > 0 {
                return Ok(n);
            }
        }
    }
}

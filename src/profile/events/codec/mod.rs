//! Which codec wrote a log, seen from its first bytes, and its decoder.
//!
//! Spark names the codec in the file's extension, but people rename and copy files: the bytes do not lie.

mod blocks;
mod lz4;
mod snappy;
#[cfg(test)]
pub(super) mod tests;

use std::io::{self, BufReader, Cursor, Read};

use super::EventsError;
use blocks::Unblocked;
use lz4::Lz4Blocks;
use snappy::SnappyBlocks;

/// Small reads made event logs slow to open: at least 1 MiB at once. Source: SPARK-22784.
const BUFFER_BYTES: usize = 1 << 20;
const MAGIC_BYTES: usize = 8;

const ZSTD: &[u8] = &[0x28, 0xb5, 0x2f, 0xfd];
const GZIP: &[u8] = &[0x1f, 0x8b];
const LZF: &[u8] = b"ZV";

/// The text of a log from its stored bytes.
///
/// # Errors
/// [`EventsError::Lzf`], and [`EventsError::Read`] when not even the first bytes come.
pub fn decoder<'a>(
    name: &str,
    mut stored: impl Read + Send + 'a,
) -> Result<Box<dyn Read + Send + 'a>, EventsError> {
    let read_error = |source| EventsError::Read {
        name: name.to_owned(),
        source,
    };
    let mut magic = Vec::with_capacity(MAGIC_BYTES);
    (&mut stored)
        .take(MAGIC_BYTES as u64)
        .read_to_end(&mut magic)
        .map_err(read_error)?;
    let is_lzf = magic.starts_with(LZF);
    let kind = magic.clone();
    let whole = BufReader::with_capacity(BUFFER_BYTES, Cursor::new(magic).chain(stored));
    if is_lzf {
        return Err(EventsError::Lzf {
            name: name.to_owned(),
        });
    }
    Ok(if kind.starts_with(ZSTD) {
        Box::new(zstd::stream::read::Decoder::with_buffer(whole).map_err(read_error)?)
    } else if kind.starts_with(GZIP) {
        Box::new(flate2::bufread::MultiGzDecoder::new(whole))
    } else if kind == lz4::MAGIC {
        Box::new(Unblocked::new(Lz4Blocks::new(whole)))
    } else if kind == snappy::MAGIC {
        Box::new(Unblocked::new(SnappyBlocks::new(whole)))
    } else {
        Box::new(whole)
    })
}

/// Bytes that are not what the codec writes.
fn corrupt(message: impl Into<String>) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, message.into())
}

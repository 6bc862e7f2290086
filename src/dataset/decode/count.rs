//! Counts the lines of stored bytes without decoding them.

use std::io::Read;

use super::codec::actual_codec;
use super::decompress::{GzipMembers, ZstdFrames};
use crate::dataset::Codec;

const BUFFER_BYTES: usize = 64 << 10;
/// Plain bytes that are looked at: a head that unpacks to more is not JSON Lines worth counting.
const MAX_PLAIN_BYTES: u64 = 256 << 20;

/// Lines that are not blank in `stored`, the first bytes of an object, or all of it: then a last line needs no line end. A
/// fault of the compression ends the counting, and a line that it cuts is none; a cut head ends in one.
pub(in crate::dataset) fn count_lines(named: Codec, stored: &[u8], is_whole: bool) -> u64 {
    match actual_codec(named, stored) {
        Codec::None => count(stored, is_whole),
        Codec::Gzip => count(GzipMembers::new(stored), is_whole),
        Codec::Zstd => ZstdFrames::new(stored).map_or(0, |frames| count(frames, is_whole)),
    }
}

fn count(plain: impl Read, is_whole: bool) -> u64 {
    let mut plain = plain.take(MAX_PLAIN_BYTES);
    let mut buffer = vec![0; BUFFER_BYTES];
    let (mut n, mut has_content) = (0, false);
    let is_ended = loop {
        let n_read = match plain.read(&mut buffer) {
            Ok(0) => break true,
            Ok(n_read) => n_read,
            Err(_) => break false,
        };
        for byte in buffer.iter().take(n_read) {
            match byte {
                b'\n' => {
                    n += u64::from(has_content);
                    has_content = false;
                }
                b' ' | b'\t' | b'\r' => {}
                _ => has_content = true,
            }
        }
    };
    n + u64::from(is_whole && is_ended && has_content)
}

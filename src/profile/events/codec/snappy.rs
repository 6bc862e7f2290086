//! snappy-java's stream: a header of 16 bytes, then blocks of raw snappy, each after its length.
//!
//! ```text
//! 0x82 "SNAPPY" 0x00  i32be version  i32be compatible   (i32be length, raw snappy block)*
//! ```
//!
//! Streams that were joined have the header again. Source: `SnappyOutputStream.java`, `SnappyCodec.java`.

use std::io::{self, Read};

use super::blocks::{Blocks, MAX_BLOCK_BYTES, fill, take};
use super::corrupt;

pub const MAGIC: &[u8] = b"\x82SNAPPY\0";
/// Of the header, after its first four bytes.
const REST_OF_HEADER: usize = 12;

pub struct SnappyBlocks<R> {
    stored: R,
    packed: Vec<u8>,
    decoder: snap::raw::Decoder,
}

impl<R: Read> SnappyBlocks<R> {
    pub fn new(stored: R) -> Self {
        Self {
            stored,
            packed: Vec::new(),
            decoder: snap::raw::Decoder::new(),
        }
    }
}

impl<R: Read> Blocks for SnappyBlocks<R> {
    fn next(&mut self, out: &mut Vec<u8>) -> io::Result<bool> {
        loop {
            let mut head = [0; 4];
            if !fill(&mut self.stored, &mut head)? {
                return Ok(false);
            }
            if MAGIC.starts_with(&head) {
                take(&mut self.stored, REST_OF_HEADER, &mut self.packed)?;
                continue;
            }
            let n = i32::from_be_bytes(head);
            let n = usize::try_from(n)
                .ok()
                .filter(|n| *n <= MAX_BLOCK_BYTES)
                .ok_or_else(|| corrupt(format!("a snappy block of {n} bytes")))?;
            take(&mut self.stored, n, &mut self.packed)?;
            let n_decoded =
                snap::raw::decompress_len(&self.packed).map_err(|error| corrupt(error.to_string()))?;
            if n_decoded > MAX_BLOCK_BYTES {
                return Err(corrupt(format!("a snappy block of {n_decoded} bytes")));
            }
            if n_decoded == 0 {
                continue;
            }
            *out = self
                .decoder
                .decompress_vec(&self.packed)
                .map_err(|error| corrupt(error.to_string()))?;
            return Ok(true);
        }
    }
}

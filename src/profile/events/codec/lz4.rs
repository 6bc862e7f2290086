//! lz4-java's `LZ4Block` format, which is not the LZ4 frame format.
//!
//! ```text
//! "LZ4Block"  u8 token (method 0x10 stored, 0x20 lz4; low half: block size)  i32le stored  i32le decoded  i32le xxhash32
//! ```
//!
//! A block of zero bytes ends a stream; another stream may follow. Source: `LZ4BlockOutputStream.java`.

use std::io::{self, Read};

use super::blocks::{Blocks, MAX_BLOCK_BYTES, fill, take};
use super::corrupt;

pub const MAGIC: &[u8] = b"LZ4Block";
const HEAD_BYTES: usize = 21;
const STORED: u8 = 0x10;
const COMPRESSED: u8 = 0x20;

pub struct Lz4Blocks<R> {
    stored: R,
    packed: Vec<u8>,
}

impl<R: Read> Lz4Blocks<R> {
    pub fn new(stored: R) -> Self {
        Self {
            stored,
            packed: Vec::new(),
        }
    }
}

/// Four bytes of a header as a length.
fn length(head: &[u8; HEAD_BYTES], at: usize) -> io::Result<usize> {
    let four = head.get(at..at + 4).and_then(|bytes| bytes.try_into().ok());
    let n = i32::from_le_bytes(four.unwrap_or_default());
    usize::try_from(n)
        .ok()
        .filter(|n| *n <= MAX_BLOCK_BYTES)
        .ok_or_else(|| corrupt(format!("an lz4 block of {n} bytes")))
}

impl<R: Read> Blocks for Lz4Blocks<R> {
    fn next(&mut self, out: &mut Vec<u8>) -> io::Result<bool> {
        loop {
            let mut head = [0; HEAD_BYTES];
            if !fill(&mut self.stored, &mut head)? {
                return Ok(false);
            }
            if !head.starts_with(MAGIC) {
                return Err(corrupt("no lz4 block where one should begin"));
            }
            let token = head.get(MAGIC.len()).copied().unwrap_or_default();
            let (n_packed, n_decoded) = (length(&head, 9)?, length(&head, 13)?);
            if n_decoded == 0 && n_packed == 0 {
                continue;
            }
            take(&mut self.stored, n_packed, &mut self.packed)?;
            match token & 0xf0 {
                STORED => out.clone_from(&self.packed),
                COMPRESSED => {
                    *out = lz4_flex::block::decompress(&self.packed, n_decoded)
                        .map_err(|error| corrupt(format!("lz4: {error}")))?;
                }
                method => return Err(corrupt(format!("lz4 method {method:#x}"))),
            }
            if out.len() != n_decoded {
                return Err(corrupt("an lz4 block of another length than it says"));
            }
            return Ok(true);
        }
    }
}

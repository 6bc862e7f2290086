//! A reader over decoded blocks, for codecs that write one block after another.

use std::io::{self, Read};

/// A block larger than this is damage, not data: no codec of Spark writes one.
pub const MAX_BLOCK_BYTES: usize = 64 << 20;

/// Decoded blocks in their order.
pub trait Blocks {
    /// Puts the next block into `out`, over what was in it. Returns false at the end.
    fn next(&mut self, out: &mut Vec<u8>) -> io::Result<bool>;
}

/// Blocks as one stream.
pub struct Unblocked<B> {
    blocks: B,
    block: Vec<u8>,
    at: usize,
}

impl<B: Blocks> Unblocked<B> {
    pub fn new(blocks: B) -> Self {
        Self {
            blocks,
            block: Vec::new(),
            at: 0,
        }
    }
}

impl<B: Blocks> Read for Unblocked<B> {
    fn read(&mut self, buf: &mut [u8]) -> io::Result<usize> {
        while self.at >= self.block.len() {
            self.at = 0;
            self.block.clear();
            if !self.blocks.next(&mut self.block)? {
                return Ok(0);
            }
        }
        let mut left = self.block.get(self.at..).unwrap_or_default();
        let n = left.read(buf)?;
        self.at += n;
        Ok(n)
    }
}

/// Fills `into`. Returns false when the stream ends before its first byte.
///
/// # Errors
/// `UnexpectedEof` when it ends within.
pub fn fill(stored: &mut impl Read, into: &mut [u8]) -> io::Result<bool> {
    let mut first = [0];
    loop {
        match stored.read(&mut first) {
            Ok(0) => return Ok(false),
            Ok(_) => break,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    if let Some((head, rest)) = into.split_first_mut() {
        let [byte] = first;
        *head = byte;
        stored.read_exact(rest)?;
    }
    Ok(true)
}

/// The next `n` bytes, into `into`.
pub fn take(stored: &mut impl Read, n: usize, into: &mut Vec<u8>) -> io::Result<()> {
    into.clear();
    // Grows with what comes, so that a damaged length costs no memory.
    let n_read = stored.take(n as u64).read_to_end(into)?;
    if n_read < n {
        return Err(io::ErrorKind::UnexpectedEof.into());
    }
    Ok(())
}

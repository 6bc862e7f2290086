//! A streamed object as a reader, for a blocking thread.

use std::io::{self, Read};

use bytes::{Buf, Bytes};
use tokio::sync::mpsc::Receiver;

use super::StorageError;

/// Reads the pieces of an object that a task sends.
#[derive(Debug)]
pub struct PieceReader {
    pieces: Receiver<Result<Bytes, StorageError>>,
    piece: Bytes,
    /// Bytes that the listing promised and that have not come yet.
    n_left: u64,
}

impl PieceReader {
    /// A reader of an object of `n_bytes`.
    pub fn new(pieces: Receiver<Result<Bytes, StorageError>>, n_bytes: u64) -> Self {
        Self {
            pieces,
            piece: Bytes::new(),
            n_left: n_bytes,
        }
    }
}

impl Read for PieceReader {
    fn read(&mut self, buf: &mut [u8]) -> io::Result<usize> {
        while self.piece.is_empty() {
            match self.pieces.blocking_recv() {
                Some(Ok(piece)) => {
                    self.n_left = self.n_left.saturating_sub(piece.len() as u64);
                    self.piece = piece;
                }
                Some(Err(error)) => return Err(io::Error::other(error)),
                // A sender that stopped early must not look like the end of the object.
                None if self.n_left > 0 => return Err(io::ErrorKind::UnexpectedEof.into()),
                None => return Ok(0),
            }
        }
        let n = buf.len().min(self.piece.len());
        self.piece
            .split_to(n)
            .copy_to_slice(buf.get_mut(..n).unwrap_or_default());
        Ok(n)
    }
}

#[cfg(test)]
mod tests {
    use std::io::{ErrorKind, Read as _};

    use bytes::Bytes;
    use tokio::sync::mpsc::channel;

    use super::PieceReader;

    fn read(pieces: &[&'static str], n_bytes: u64) -> std::io::Result<String> {
        let (sender, receiver) = channel(8);
        for piece in pieces {
            sender.try_send(Ok(Bytes::from_static(piece.as_bytes()))).unwrap();
        }
        drop(sender);
        let mut text = String::new();
        PieceReader::new(receiver, n_bytes).read_to_string(&mut text)?;
        Ok(text)
    }

    #[test]
    fn pieces_follow_one_another_and_fewer_bytes_than_promised_are_no_end() {
        assert_eq!(read(&["ab", "", "cde"], 5).unwrap(), "abcde");
        assert_eq!(read(&[], 0).unwrap(), "");
        assert_eq!(read(&["ab"], 5).unwrap_err().kind(), ErrorKind::UnexpectedEof);
    }
}

//! Lines of a stream, one at a time, in memory bounded by the longest line allowed.

use std::io::{self, BufRead, BufReader, Read};
use std::rc::Rc;
use std::time::Duration;

use super::codec::Plain;
use super::meter::{Limits, Meter, SharedMeter};
use crate::dataset::{Codec, Reason};

/// How much of a rejected line is kept.
pub(super) const RAW_BYTES: usize = 64 << 10;
const CHUNK_BYTES: usize = 128 << 10;
const BOM: [u8; 3] = [0xef, 0xbb, 0xbf];

/// What comes next in the stream. Numbers and offsets are of the decompressed object.
pub(super) enum Next<'a> {
    /// A whole line without its end.
    Line {
        at: Place,
        bytes: &'a [u8],
    },
    /// A line over the limit: its first bytes and its length.
    TooLong {
        at: Place,
        head: &'a [u8],
        len: u64,
    },
    /// The compression ends or breaks here, or the file passes a limit: what there is of the line that it cut.
    Broken {
        at: Place,
        reason: Reason,
        message: String,
        partial: &'a [u8],
    },
    End,
}

#[derive(Clone, Copy)]
pub(super) struct Place {
    pub(super) line: u64,
    pub(super) offset: u64,
}

/// Where and how to read.
pub(super) struct LineOptions {
    pub(super) codec: Codec,
    pub(super) first_line: u64,
    pub(super) first_offset: u64,
    pub(super) max_line_bytes: usize,
    /// The input is only the head of an object: what its end cuts is no line, and no fault.
    pub(super) is_head: bool,
    pub(super) limits: Limits,
}

pub(super) struct Lines<R: Read> {
    input: BufReader<Plain<R>>,
    meter: SharedMeter,
    line: Vec<u8>,
    next: Place,
    max_line_bytes: usize,
    is_head: bool,
    has_ended: bool,
    n_bytes: u64,
}

impl<R: Read> Lines<R> {
    pub(super) fn open(options: &LineOptions, input: R) -> io::Result<Self> {
        let is_start = options.first_offset == 0;
        let meter = Meter::start(options.limits);
        let plain = Plain::open(options.codec, is_start, input, Rc::clone(&meter))?;
        Ok(Self {
            input: BufReader::with_capacity(CHUNK_BYTES, plain),
            meter,
            line: Vec::new(),
            next: Place {
                line: options.first_line,
                offset: options.first_offset,
            },
            max_line_bytes: options.max_line_bytes,
            is_head: options.is_head,
            has_ended: false,
            n_bytes: 0,
        })
    }

    /// Decompressed bytes so far.
    pub(super) fn n_bytes(&self) -> u64 {
        self.n_bytes
    }

    #[cfg(test)]
    pub(super) fn capacity(&self) -> usize {
        self.line.capacity() + self.input.capacity()
    }

    /// Takes time that the reader of the lines spent elsewhere off the file's.
    pub(super) fn excuse(&self, waited: Duration) {
        self.meter.excuse(waited);
    }

    /// # Errors
    /// The input's own error; broken compression is [`Next::Broken`].
    pub(super) fn next(&mut self) -> io::Result<Next<'_>> {
        if self.has_ended {
            return Ok(Next::End);
        }
        self.line.clear();
        // Room for the longest line with its CR LF and a byte order mark, and for what is kept of a longer one.
        let limit = (self.max_line_bytes.max(RAW_BYTES) + 2 + BOM.len()) as u64;
        let read = (&mut self.input).take(limit).read_until(b'\n', &mut self.line);
        let mut len = self.line.len() as u64;
        let mut at = self.next;
        let is_whole = self.line.last() == Some(&b'\n');
        let is_over = !is_whole && len == limit;
        let mut outcome = read.map(|_| ());
        let mut end_len = 0;
        if is_over && outcome.is_ok() {
            let last = self.line.last().copied();
            self.line.truncate(RAW_BYTES + BOM.len());
            let skipped;
            (skipped, end_len, outcome) = skip_line(&mut self.input, last);
            len += skipped;
        }
        self.next.line += 1;
        self.next.offset += len;
        self.n_bytes += len;

        let mut bytes = self.line.as_slice();
        if at.offset == 0
            && let Some(rest) = bytes.strip_prefix(&BOM)
        {
            bytes = rest;
            at.offset += BOM.len() as u64;
            len -= BOM.len() as u64;
        }
        if let Err(error) = outcome {
            self.has_ended = true;
            if let Some(error) = self.meter.input_error() {
                return Err(error);
            }
            if let Some(exceeded) = self.meter.exceeded() {
                return Ok(Next::Broken {
                    at,
                    reason: exceeded.reason,
                    message: exceeded.message,
                    partial: bytes,
                });
            }
            let is_cut = error.kind() == io::ErrorKind::UnexpectedEof;
            if is_cut && self.is_head {
                return Ok(Next::End);
            }
            let reason = if is_cut {
                Reason::Truncated
            } else {
                Reason::CorruptCodec
            };
            return Ok(Next::Broken {
                at,
                reason,
                message: error.to_string(),
                partial: bytes,
            });
        }
        if !is_whole && !is_over {
            self.has_ended = true;
            if bytes.is_empty() || self.is_head {
                return Ok(Next::End);
            }
        }
        if is_whole {
            bytes = bytes.strip_suffix(b"\n").unwrap_or(bytes);
            bytes = bytes.strip_suffix(b"\r").unwrap_or(bytes);
            len = bytes.len() as u64;
        }
        len -= end_len;
        if is_over || bytes.len() > self.max_line_bytes {
            let head = bytes.get(..RAW_BYTES).unwrap_or(bytes);
            return Ok(Next::TooLong { at, head, len });
        }
        Ok(Next::Line { at, bytes })
    }
}

/// Passes over the rest of a line, its end included: how many bytes that were, how many of them were CR and LF, and how
/// it ended. `last` is the byte before.
fn skip_line(input: &mut impl BufRead, mut last: Option<u8>) -> (u64, u64, io::Result<()>) {
    let mut n_skipped = 0;
    loop {
        let bytes = match input.fill_buf() {
            Ok(bytes) => bytes,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
            Err(error) => return (n_skipped, 0, Err(error)),
        };
        let end = bytes.iter().position(|byte| *byte == b'\n');
        let n = end.map_or(bytes.len(), |at| at + 1);
        let before_end = end.unwrap_or(n).checked_sub(1).and_then(|at| bytes.get(at));
        last = before_end.copied().or(last);
        input.consume(n);
        n_skipped += n as u64;
        if end.is_some() {
            let end_len = if last == Some(b'\r') { 2 } else { 1 };
            return (n_skipped, end_len, Ok(()));
        }
        if n == 0 {
            return (n_skipped, 0, Ok(()));
        }
    }
}

//! Bodies that come slowly, end too soon or stop coming.

use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll, ready};
use std::time::Duration;

use bytes::Bytes;
use hyper::body::{Body, Frame};
use tokio::time::{Sleep, sleep};

const PIECE_BYTES: usize = 16 << 10;

/// How a body ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum End {
    Whole,
    Reset,
    Silence,
}

/// A body in pieces.
pub struct Pieces {
    left: Bytes,
    end: End,
    bytes_per_second: Option<u64>,
    wait: Option<Pin<Box<Sleep>>>,
    /// Makes the socket reset rather than close.
    is_abrupt: Arc<AtomicBool>,
    is_flushed: bool,
}

impl Pieces {
    pub fn new(body: Bytes, end: End, bytes_per_second: Option<u64>, is_abrupt: Arc<AtomicBool>) -> Self {
        Self {
            left: body,
            end,
            bytes_per_second,
            wait: None,
            is_abrupt,
            is_flushed: false,
        }
    }
}

impl Body for Pieces {
    type Data = Bytes;
    type Error = io::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, io::Error>>> {
        if let Some(wait) = &mut self.wait {
            ready!(wait.as_mut().poll(cx));
            self.wait = None;
        }
        if !self.left.is_empty() {
            let n = self.left.len().min(PIECE_BYTES);
            let piece = self.left.split_to(n);
            self.wait = self.bytes_per_second.map(|rate| {
                let seconds = piece.len() as f64 / rate.max(1) as f64;
                Box::pin(sleep(Duration::from_secs_f64(seconds)))
            });
            return Poll::Ready(Some(Ok(Frame::data(piece))));
        }
        match self.end {
            End::Whole => Poll::Ready(None),
            End::Silence => Poll::Pending,
            // What was given so far leaves the server's buffer while this body has nothing to give.
            End::Reset if !self.is_flushed => {
                self.is_flushed = true;
                cx.waker().wake_by_ref();
                Poll::Pending
            }
            End::Reset => {
                self.is_abrupt.store(true, Ordering::Release);
                Poll::Ready(Some(Err(io::ErrorKind::ConnectionReset.into())))
            }
        }
    }
}

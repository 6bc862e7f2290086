//! Cancellation that any thread can ask about. Dropping a [`CancelOnDrop`] cancels, so work ends with its owner.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use thiserror::Error;

/// The work was cancelled before it ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[error("cancelled")]
pub struct Cancelled;

/// A flag shared by the one who asks for work and the one who does it. Clones share the flag.
#[derive(Debug, Clone, Default)]
pub struct Cancel(Arc<AtomicBool>);

impl Cancel {
    pub fn new() -> Self {
        Self::default()
    }

    /// Asks the work to stop at its next check.
    pub fn cancel(&self) {
        self.0.store(true, Ordering::Release);
    }

    pub fn is_cancelled(&self) -> bool {
        self.0.load(Ordering::Acquire)
    }

    /// Lets a loop stop with `cancel.check()?`.
    ///
    /// # Errors
    /// [`Cancelled`] once [`Cancel::cancel`] was called on any clone.
    pub fn check(&self) -> Result<(), Cancelled> {
        if self.is_cancelled() {
            Err(Cancelled)
        } else {
            Ok(())
        }
    }

    /// A guard that cancels when it is dropped.
    pub fn on_drop(&self) -> CancelOnDrop {
        CancelOnDrop(self.clone())
    }
}

/// Cancels its [`Cancel`] when dropped: new work replaces the guard of the old, and the old stops.
#[derive(Debug)]
pub struct CancelOnDrop(Cancel);

impl Drop for CancelOnDrop {
    fn drop(&mut self) {
        self.0.cancel();
    }
}

#[cfg(test)]
mod tests {
    use super::{Cancel, Cancelled};

    #[test]
    fn dropping_the_guard_cancels_every_clone() {
        let cancel = Cancel::new();
        let seen_by_worker = cancel.clone();
        let guard = cancel.on_drop();
        assert_eq!(seen_by_worker.check(), Ok(()));
        drop(guard);
        assert_eq!(seen_by_worker.check(), Err(Cancelled));
    }
}

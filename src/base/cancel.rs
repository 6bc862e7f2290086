//! Cancellation that any thread can ask about. Dropping a [`CancelOnDrop`] cancels, so work ends with its owner.

use std::future::Future;
use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use thiserror::Error;
use tokio::sync::Notify;

/// The work was cancelled before it ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[error("cancelled")]
pub struct Cancelled;

/// A flag shared by the one who asks for work and the one who does it. Clones share the flag.
#[derive(Debug, Clone, Default)]
pub struct Cancel(Arc<Flag>);

#[derive(Debug, Default)]
struct Flag {
    is_set: AtomicBool,
    wake: Notify,
    /// Looks until it cancels itself; 0 for never.
    #[cfg(test)]
    looks_left: std::sync::atomic::AtomicUsize,
}

impl Cancel {
    pub fn new() -> Self {
        Self::default()
    }

    /// Asks the work to stop at its next check.
    pub fn cancel(&self) {
        self.0.is_set.store(true, Ordering::Release);
        self.0.wake.notify_waiters();
    }

    pub fn is_cancelled(&self) -> bool {
        #[cfg(test)]
        self.count_look();
        self.0.is_set.load(Ordering::Acquire)
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

    /// Ends at once when it is cancelled.
    pub async fn cancelled(&self) {
        let mut woken = pin!(self.0.wake.notified());
        loop {
            // Listening comes before looking, so that no cancel falls between the two.
            woken.as_mut().enable();
            if self.is_cancelled() {
                return;
            }
            woken.as_mut().await;
            woken.set(self.0.wake.notified());
        }
    }

    /// Waits for `work`, but not longer than until it is cancelled: what hangs must not hold whoever waits. The work is
    /// then dropped.
    ///
    /// # Errors
    /// [`Cancelled`], also when it was cancelled before.
    pub fn until<T>(&self, work: impl Future<Output = T>) -> impl Future<Output = Result<T, Cancelled>> {
        // What waits for storage is large: boxed here, whoever awaits it stays small.
        let mut work = Box::pin(work);
        async move {
            tokio::select! {
                biased;
                () = self.cancelled() => Err(Cancelled),
                done = &mut work => Ok(done),
            }
        }
    }

    /// A guard that cancels when it is dropped.
    pub fn on_drop(&self) -> CancelOnDrop {
        CancelOnDrop(self.clone())
    }
}

#[cfg(test)]
impl Cancel {
    /// Cancels itself when it is looked at for the `n`-th time, so that a test needs no clock.
    pub fn at_look(n: usize) -> Self {
        let cancel = Self::default();
        cancel.0.looks_left.store(n, Ordering::Release);
        cancel
    }

    /// Whether it was cancelled, without counting as a look.
    pub fn is_set(&self) -> bool {
        self.0.is_set.load(Ordering::Acquire)
    }

    fn count_look(&self) {
        let looks = &self.0.looks_left;
        let left = looks.fetch_update(Ordering::AcqRel, Ordering::Acquire, |left| left.checked_sub(1));
        if left == Ok(1) {
            self.cancel();
        }
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

    #[tokio::test]
    async fn who_waits_for_what_never_comes_is_woken_by_the_cancel() {
        let cancel = Cancel::new();
        let waiting = tokio::spawn({
            let cancel = cancel.clone();
            async move { cancel.until(std::future::pending::<()>()).await }
        });
        tokio::task::yield_now().await;
        cancel.cancel();
        assert_eq!(waiting.await.unwrap(), Err(Cancelled));
        assert_eq!(cancel.until(std::future::ready(1)).await, Err(Cancelled));
        assert_eq!(Cancel::new().until(std::future::ready(1)).await, Ok(1));
    }

    #[test]
    fn a_cancel_for_tests_comes_with_the_look_that_was_named() {
        let cancel = Cancel::at_look(3);
        let looks: Vec<bool> = (0..4).map(|_| cancel.is_cancelled()).collect();
        assert_eq!(looks, [false, false, true, true]);
    }
}

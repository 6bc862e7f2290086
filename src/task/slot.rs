//! A value derived from a key in the background, which keeps showing the previous one until the next is there.

use super::{TaskEnd, TaskHandle};

/// Empty, pending (perhaps with the previous value), ready, or failed (perhaps with the previous value).
///
/// Holds the handle of the work under way: asking for another key drops it, and that cancels the work.
#[derive(Debug)]
pub struct Slot<K, T> {
    key: Option<K>,
    value: Option<T>,
    error: Option<String>,
    work: Option<TaskHandle<T>>,
    is_stale: bool,
}

impl<K, T> Default for Slot<K, T> {
    fn default() -> Self {
        Self {
            key: None,
            value: None,
            error: None,
            work: None,
            is_stale: false,
        }
    }
}

impl<K: PartialEq, T: Send + 'static> Slot<K, T> {
    /// Starts work for `key` unless it is the key already shown or under way. The old work is cancelled.
    pub fn request(&mut self, key: K, start: impl FnOnce(&K) -> TaskHandle<T>) {
        if self.key.as_ref() != Some(&key) {
            self.restart(key, start);
        }
    }

    /// Starts work for `key` also when it is the same key: refresh, or retry after a failure.
    pub fn restart(&mut self, key: K, start: impl FnOnce(&K) -> TaskHandle<T>) {
        self.work = Some(start(&key));
        self.key = Some(key);
        self.error = None;
        self.is_stale = self.value.is_some();
    }

    /// Forgets key and value and cancels the work.
    pub fn clear(&mut self) {
        *self = Self::default();
    }

    /// Takes what the work has sent. Returns whether anything changed. Call once a frame.
    pub fn poll(&mut self) -> bool {
        let Some(work) = &mut self.work else { return false };
        let mut has_changed = false;
        while let Some(partial) = work.take_partial() {
            self.value = Some(partial);
            self.is_stale = false;
            has_changed = true;
        }
        let Some(end) = work.take_end() else {
            return has_changed;
        };
        self.work = None;
        match end {
            TaskEnd::Done(value) => {
                self.value = Some(value);
                self.is_stale = false;
            }
            TaskEnd::Failed(message) => self.error = Some(message),
            TaskEnd::Cancelled => self.error = Some("cancelled".to_owned()),
        }
        true
    }

    pub fn key(&self) -> Option<&K> {
        self.key.as_ref()
    }

    /// The newest value, which may belong to the previous key while [`Slot::is_stale`].
    pub fn value(&self) -> Option<&T> {
        self.value.as_ref()
    }

    /// Whether the value belongs to an earlier key (shown dimmed).
    pub fn is_stale(&self) -> bool {
        self.is_stale
    }

    pub fn is_pending(&self) -> bool {
        self.work.is_some()
    }

    /// Why the work for the present key failed.
    pub fn error(&self) -> Option<&str> {
        self.error.as_deref()
    }

    /// Asks the work under way to stop; its end arrives as any other.
    pub fn cancel(&self) {
        if let Some(work) = &self.work {
            work.cancel();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::Slot;
    use crate::task::Executor;

    fn settle<K: PartialEq, T: Send + 'static>(slot: &mut Slot<K, T>) {
        for _ in 0..10_000 {
            slot.poll();
            if !slot.is_pending() {
                return;
            }
            std::thread::yield_now();
            std::thread::park_timeout(std::time::Duration::from_millis(1));
        }
        panic!("the work did not end");
    }

    #[test]
    fn the_previous_value_stays_until_the_next_is_there_and_through_a_failure() {
        let tasks = Executor::new(1, || {}).unwrap();
        let mut slot: Slot<u32, u32> = Slot::default();
        slot.request(1, |key| {
            let n = *key;
            tasks.spawn("double", move |_| async move { Ok(n * 2) })
        });
        settle(&mut slot);
        assert_eq!((slot.value(), slot.is_stale()), (Some(&2), false));
        slot.request(2, |_| tasks.spawn("fail", |_| async { Err("no".to_owned()) }));
        assert!(slot.is_pending() && slot.is_stale());
        settle(&mut slot);
        assert_eq!((slot.value(), slot.error()), (Some(&2), Some("no")));
    }

    #[test]
    fn a_panic_is_a_failure_and_not_a_spinner_without_an_end() {
        let tasks = Executor::new(1, || {}).unwrap();
        let mut slot: Slot<u32, u32> = Slot::default();
        slot.request(1, |_| tasks.spawn("panic", |_| async { panic!("boom") }));
        settle(&mut slot);
        assert!(slot.error().unwrap().contains("boom"), "{:?}", slot.error());
    }
}

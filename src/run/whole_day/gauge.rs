//! How much memory the frames of a day take, by our own accounts: what is held now, and the most that ever was.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

/// Bytes in frames at hand.
#[derive(Debug, Default)]
pub(super) struct Gauge {
    now: AtomicU64,
    peak: AtomicU64,
}

impl Gauge {
    pub fn peak(&self) -> u64 {
        self.peak.load(Ordering::Relaxed)
    }
}

/// One holder's part of a gauge; given back when dropped.
#[derive(Debug)]
pub(super) struct Share {
    gauge: Arc<Gauge>,
    n_bytes: u64,
}

impl Share {
    pub fn of(gauge: &Arc<Gauge>) -> Self {
        Self {
            gauge: Arc::clone(gauge),
            n_bytes: 0,
        }
    }

    pub fn get(&self) -> u64 {
        self.n_bytes
    }

    pub fn add(&mut self, n_bytes: u64) {
        self.n_bytes += n_bytes;
        let now = self.gauge.now.fetch_add(n_bytes, Ordering::Relaxed) + n_bytes;
        self.gauge.peak.fetch_max(now, Ordering::Relaxed);
    }

    pub fn take_off(&mut self, n_bytes: u64) {
        let n_bytes = n_bytes.min(self.n_bytes);
        self.n_bytes -= n_bytes;
        self.gauge.now.fetch_sub(n_bytes, Ordering::Relaxed);
    }

    pub fn set(&mut self, n_bytes: u64) {
        self.take_off(self.n_bytes);
        self.add(n_bytes);
    }
}

impl Drop for Share {
    fn drop(&mut self) {
        self.take_off(self.n_bytes);
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::{Gauge, Share};

    #[test]
    fn the_peak_is_what_all_holders_had_at_one_time() {
        let gauge = Arc::new(Gauge::default());
        let (mut one, mut other) = (Share::of(&gauge), Share::of(&gauge));
        one.add(10);
        other.add(5);
        one.take_off(100);
        drop(other);
        one.set(7);
        assert_eq!((one.get(), gauge.peak()), (7, 15));
    }
}

//! Progress of one piece of work, written by its worker and read by whoever shows it, without locks on the hot path.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

/// Counters that a worker raises and a window or a terminal reads. Clones share the counters.
#[derive(Debug, Clone, Default)]
pub struct Progress(Arc<Counters>);

#[derive(Debug, Default)]
struct Counters {
    done: AtomicU64,
    total: AtomicU64,
    bytes: AtomicU64,
    note: Mutex<String>,
}

/// What a progress held at one moment.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct ProgressView {
    /// Items finished (files, keys, work units).
    pub n_done: u64,
    /// Items in all; none while it is not known.
    pub n_total: Option<u64>,
    pub n_bytes: u64,
    /// What is happening now, in a few words.
    pub note: String,
}

impl Progress {
    pub fn new() -> Self {
        Self::default()
    }

    pub fn add_done(&self, n: u64) {
        self.0.done.fetch_add(n, Ordering::Relaxed);
    }

    pub fn add_total(&self, n: u64) {
        self.0.total.fetch_add(n, Ordering::Relaxed);
    }

    pub fn add_bytes(&self, n: u64) {
        self.0.bytes.fetch_add(n, Ordering::Relaxed);
    }

    pub fn set_note(&self, note: impl Into<String>) {
        *self.0.note.lock().unwrap_or_else(PoisonError::into_inner) = note.into();
    }

    pub fn view(&self) -> ProgressView {
        let total = self.0.total.load(Ordering::Relaxed);
        ProgressView {
            n_done: self.0.done.load(Ordering::Relaxed),
            n_total: (total > 0).then_some(total),
            n_bytes: self.0.bytes.load(Ordering::Relaxed),
            note: self.0.note.lock().unwrap_or_else(PoisonError::into_inner).clone(),
        }
    }
}

impl ProgressView {
    /// The finished share, 0..=1; none while the total is not known.
    pub fn share(&self) -> Option<f32> {
        #[allow(
            clippy::cast_possible_truncation,
            reason = "a share needs no more digits than a progress bar has pixels"
        )]
        self.n_total
            .map(|total| ((self.n_done as f64 / total as f64) as f32).clamp(0.0, 1.0))
    }
}

#[cfg(test)]
mod tests {
    use super::Progress;

    #[test]
    fn a_total_that_is_not_known_gives_no_share() {
        let progress = Progress::new();
        progress.add_done(3);
        assert_eq!(progress.view().share(), None);
        progress.add_total(12);
        assert_eq!(progress.view().share(), Some(0.25));
    }
}

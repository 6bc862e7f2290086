//! What reading one object costs: bytes as stored, bytes as decompressed, and time, held to the limits of each file.
//!
//! The time that counts is that of the decoder. Waiting for the input is the storage's matter, and waiting for who
//! takes the batches is theirs.

use std::cell::{Cell, RefCell};
use std::io;
use std::rc::Rc;
use std::time::{Duration, Instant};

use crate::dataset::Reason;

/// Below this many decompressed bytes no ratio is judged: small files of one repeated line compress without bound.
const MIN_JUDGED_BYTES: u64 = 64 << 20;

/// Limits of one file.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Limits {
    pub(super) timeout: Option<Duration>,
    /// Decompressed bytes for each stored one.
    pub(super) max_expansion: Option<u64>,
}

/// The meter of one object, shared by the reader of its stored bytes and the reader of its decompressed ones.
pub(super) type SharedMeter = Rc<Meter>;

#[derive(Debug)]
pub(super) struct Meter {
    limits: Limits,
    started: Instant,
    /// Time since the start that was not the decoder's.
    waited: Cell<Duration>,
    n_stored: Cell<u64>,
    n_plain: Cell<u64>,
    /// The input's own error, which a decompressor may replace by its own.
    input_error: RefCell<Option<io::Error>>,
    exceeded: RefCell<Option<Exceeded>>,
}

/// A limit that an object passed.
#[derive(Debug)]
pub(super) struct Exceeded {
    pub(super) reason: Reason,
    pub(super) message: String,
}

impl Meter {
    pub(super) fn start(limits: Limits) -> SharedMeter {
        Rc::new(Self {
            limits,
            started: Instant::now(),
            waited: Cell::default(),
            n_stored: Cell::default(),
            n_plain: Cell::default(),
            input_error: RefCell::default(),
            exceeded: RefCell::default(),
        })
    }

    /// Takes time that passed off the decoder's.
    pub(super) fn excuse(&self, waited: Duration) {
        self.waited.set(self.waited.get() + waited);
    }

    pub(super) fn add_stored(&self, n: usize) {
        self.n_stored.set(self.n_stored.get() + n as u64);
    }

    pub(super) fn keep_input_error(&self, error: io::Error) {
        *self.input_error.borrow_mut() = Some(error);
    }

    /// The input's own error, when that is what ended the stream.
    pub(super) fn input_error(&self) -> Option<io::Error> {
        self.input_error.borrow_mut().take()
    }

    /// The limit that ended the stream, when it was one.
    pub(super) fn exceeded(&self) -> Option<Exceeded> {
        self.exceeded.borrow_mut().take()
    }

    /// Counts decompressed bytes. An error ends the stream where it is; [`Meter::exceeded`] says why.
    pub(super) fn add_plain(&self, n: usize, is_compressed: bool) -> io::Result<()> {
        self.n_plain.set(self.n_plain.get() + n as u64);
        let exceeded = self
            .too_late(Instant::now())
            .or_else(|| is_compressed.then(|| self.too_large()).flatten());
        match exceeded {
            None => Ok(()),
            Some(exceeded) => {
                *self.exceeded.borrow_mut() = Some(exceeded);
                Err(io::Error::other("a limit of the file is passed"))
            }
        }
    }

    fn too_late(&self, now: Instant) -> Option<Exceeded> {
        let limit = self.limits.timeout?;
        let spent = now
            .saturating_duration_since(self.started)
            .saturating_sub(self.waited.get());
        (spent > limit).then(|| Exceeded {
            reason: Reason::Deadline,
            message: format!(
                "decoding the file took {:.1} s up to here, file_timeout allows {:.1} s; the rest was not read",
                spent.as_secs_f64(),
                limit.as_secs_f64()
            ),
        })
    }

    fn too_large(&self) -> Option<Exceeded> {
        let limit = self.limits.max_expansion?;
        let (n_plain, n_stored) = (self.n_plain.get(), self.n_stored.get());
        (n_plain > MIN_JUDGED_BYTES && n_plain > n_stored.saturating_mul(limit)).then(|| Exceeded {
            reason: Reason::ExpansionTooLarge,
            message: format!(
                "{n_stored} compressed bytes gave {n_plain} up to here, more than max_expansion = {limit} for each; the \
                 rest was not read"
            ),
        })
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::{Limits, MIN_JUDGED_BYTES, Meter};
    use crate::dataset::Reason;

    #[test]
    fn waiting_for_others_is_no_time_of_the_file() {
        let meter = Meter::start(Limits {
            timeout: Some(Duration::from_mins(1)),
            ..Limits::default()
        });
        let after = |seconds| meter.started + Duration::from_secs(seconds);
        assert!(meter.too_late(after(60)).is_none());
        assert_eq!(meter.too_late(after(61)).unwrap().reason, Reason::Deadline);
        meter.excuse(Duration::from_secs(100));
        assert!(meter.too_late(after(160)).is_none());
        assert!(meter.too_late(after(161)).is_some());
    }

    #[test]
    fn a_ratio_is_judged_past_the_floor_and_of_compressed_data_only() {
        let meter = || {
            let meter = Meter::start(Limits {
                max_expansion: Some(10),
                ..Limits::default()
            });
            meter.add_stored(1000);
            meter
        };
        let floor = usize::try_from(MIN_JUDGED_BYTES).unwrap();
        let bomb = meter();
        assert!(bomb.add_plain(floor, true).is_ok());
        assert!(bomb.add_plain(1, true).is_err());
        assert_eq!(bomb.exceeded().unwrap().reason, Reason::ExpansionTooLarge);
        assert!(meter().add_plain(floor + 1, false).is_ok());
        let dense = meter();
        dense.add_stored(floor / 10);
        assert!(dense.add_plain(floor + 1, true).is_ok());
    }
}

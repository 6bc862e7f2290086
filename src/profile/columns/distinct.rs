//! How many different values there are, by their hashes: exact for few, `HyperLogLog` for many.

use std::collections::HashSet;
use std::hash::{BuildHasherDefault, Hasher};

use datasketches::hll::{HllSketch, HllType, HllUnion};

use super::FigureAccuracy;

/// More different values than these are estimated.
pub(super) const MAX_EXACT: usize = 4096;
/// Registers are 2^12.
const LG_K: u8 = 12;
/// One standard error with 2^12 registers: 1.04 / √4096. Source: Flajolet et al., `HyperLogLog` (2007).
const STANDARD_ERROR: f64 = 1.04 / 64.0;

/// Takes hashes as they are: they are well mixed already.
#[derive(Debug, Clone, Default)]
pub(super) struct PassThrough(u64);

impl Hasher for PassThrough {
    fn finish(&self) -> u64 {
        self.0
    }

    fn write(&mut self, bytes: &[u8]) {
        for byte in bytes {
            self.0 = self.0.rotate_left(8) ^ u64::from(*byte);
        }
    }

    fn write_u64(&mut self, hash: u64) {
        self.0 = hash;
    }
}

pub(super) type ByHash = BuildHasherDefault<PassThrough>;

/// A well mixed hash of a number (the finalizer of `SplitMix64`).
pub(super) fn hash_bits(x: u64) -> u64 {
    let mut x = x.wrapping_add(0x9e37_79b9_7f4a_7c15);
    x = (x ^ (x >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    x = (x ^ (x >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    x ^ (x >> 31)
}

#[derive(Debug, Clone, Default)]
pub(super) struct Distinct {
    few: HashSet<u64, ByHash>,
    many: Option<Box<HllSketch>>,
    /// The hash before: equal values often follow each other.
    last: Option<u64>,
}

impl Distinct {
    #[inline]
    pub(super) fn add(&mut self, hash: u64) {
        if self.last == Some(hash) {
            return;
        }
        self.last = Some(hash);
        match &mut self.many {
            Some(many) => many.update(hash),
            None => {
                if self.few.insert(hash) && self.few.len() > MAX_EXACT {
                    self.give_up();
                }
            }
        }
    }

    fn give_up(&mut self) {
        // The number of registers is one that the sketch takes.
        let Ok(mut many) = HllSketch::new(LG_K, HllType::Hll8) else {
            return;
        };
        for hash in std::mem::take(&mut self.few) {
            many.update(hash);
        }
        self.many = Some(Box::new(many));
    }

    pub(super) fn merge(&mut self, other: Self) {
        self.last = None;
        if other.many.is_some() && self.many.is_none() {
            self.give_up();
        }
        for hash in other.few {
            self.add(hash);
        }
        if let (Some(mine), Some(others)) = (&mut self.many, &other.many)
            && let Ok(mut union) = HllUnion::new(LG_K)
        {
            union.update(mine);
            union.update(others);
            **mine = union.to_sketch(HllType::Hll8);
        }
    }

    pub(super) fn n(&self) -> u64 {
        match &self.many {
            #[expect(
                clippy::cast_possible_truncation,
                clippy::cast_sign_loss,
                reason = "an estimate is a number of values"
            )]
            Some(many) => many.estimate().round().max(0.0) as u64,
            None => self.few.len() as u64,
        }
    }

    pub(super) fn accuracy(&self) -> FigureAccuracy {
        match self.many {
            Some(_) => FigureAccuracy::estimate(STANDARD_ERROR),
            None => FigureAccuracy::EXACT,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{Distinct, MAX_EXACT, STANDARD_ERROR, hash_bits};

    fn of(values: std::ops::Range<u64>) -> Distinct {
        let mut distinct = Distinct::default();
        for value in values {
            distinct.add(hash_bits(value));
            distinct.add(hash_bits(value));
        }
        distinct
    }

    #[test]
    fn few_values_are_counted_and_many_are_estimated_within_the_error() {
        let bound = MAX_EXACT as u64;
        for n in [0, 1, 1000, bound] {
            assert_eq!((of(0..n).n(), of(0..n).accuracy().is_exact()), (n, true));
        }
        for n in [bound + 1, 50_000, 1_000_000] {
            let many = of(0..n);
            let error = (many.n() as f64 / n as f64 - 1.0).abs();
            assert!(error < 4.0 * STANDARD_ERROR, "{n}: {error}");
            assert!(!many.accuracy().is_exact());
        }
    }

    #[test]
    fn merging_counts_what_both_have_once() {
        for (a, b, n) in [
            (0..10, 5..20, 20),
            (0..3000, 2000..5000, 5000),
            (0..100_000, 50_000..150_000, 150_000),
            (0..100_000, 0..10, 100_000),
            (0..10, 0..100_000, 100_000),
        ] {
            let mut merged = of(a);
            merged.merge(of(b));
            let error = (merged.n() as f64 / f64::from(n) - 1.0).abs();
            assert!(
                error <= if n <= 4096 { 0.0 } else { 4.0 * STANDARD_ERROR },
                "{n}: {error}"
            );
        }
    }
}

//! Which values occur, and how often, of those whose hashes are least: two profiles keep the same ones, so that what they
//! have in common can be told without either having all of its values.
//!
//! Source: bottom-k samples of the same hash, E. Cohen, H. Kaplan, "Summarizing data using bottom-k sketches" (2007).

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use thiserror::Error;

/// Values that are kept.
const CAPACITY: usize = 256;

/// Values with the least hashes, by hash, each with its exact count.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(into = "String", try_from = "String")]
pub struct ValueSample {
    counts: BTreeMap<u64, u64>,
    /// All values with lesser hashes are here; none where all values are.
    below: Option<u64>,
}

impl ValueSample {
    /// Of values that are all known.
    pub(super) fn of(values: impl Iterator<Item = (u64, u64)>) -> Self {
        let mut sample = Self::default();
        values.for_each(|(hash, n)| sample.add(hash, n));
        sample
    }

    #[inline]
    pub(super) fn add(&mut self, hash: u64, n: u64) {
        if self.below.is_some_and(|below| hash >= below) {
            return;
        }
        *self.counts.entry(hash).or_default() += n;
        self.shorten();
    }

    /// Whoever has been kept until now has had all its occurrences counted: the bound only falls.
    fn shorten(&mut self) {
        while self.counts.len() > CAPACITY {
            self.below = self.counts.pop_last().map(|(hash, _)| hash);
        }
    }

    pub(super) fn merge(&mut self, other: &Self) {
        self.limit(other.below);
        for (hash, n) in other.within(self.below) {
            *self.counts.entry(hash).or_default() += n;
        }
        self.shorten();
    }

    fn limit(&mut self, below: Option<u64>) {
        if let Some(below) = below
            && self.below.is_none_or(|mine| below < mine)
        {
            drop(self.counts.split_off(&below));
            self.below = Some(below);
        }
    }

    /// Hashes and counts of the values with hashes less than `below`; of all for none.
    pub fn within(&self, below: Option<u64>) -> impl Iterator<Item = (u64, u64)> {
        let is_within = move |hash: u64| below.is_none_or(|below| hash < below);
        let counts = self.counts.iter().map(|(hash, n)| (*hash, *n));
        counts.take_while(move |(hash, _)| is_within(*hash))
    }

    /// The bound below which both samples have all values; none where both have all that there are.
    pub fn common_bound(&self, other: &Self) -> Option<u64> {
        match (self.below, other.below) {
            (Some(a), Some(b)) => Some(a.min(b)),
            (a, b) => a.or(b),
        }
    }

    pub fn contains(&self, hash: u64) -> bool {
        self.counts.contains_key(&hash)
    }

    /// The hash of a text, as samples have it.
    pub fn hash_of(text: &str) -> u64 {
        xxhash_rust::xxh3::xxh3_64(text.as_bytes())
    }
}

/// A sample that a file gives otherwise than it was written.
#[derive(Debug, Error)]
#[error("`{text}` is no hash with a count: the file was cut or changed")]
pub struct NoHash {
    text: String,
}

/// As a baseline file has it: hashes in hexadecimal with their counts, after the bound: `<2f10 1f*3 a07*1`.
impl From<ValueSample> for String {
    fn from(sample: ValueSample) -> Self {
        let below = sample.below.map(|below| format!("<{below:x}"));
        let hashes = sample.counts.iter().map(|(hash, n)| format!("{hash:x}*{n}"));
        below.into_iter().chain(hashes).collect::<Vec<_>>().join(" ")
    }
}

impl TryFrom<String> for ValueSample {
    type Error = NoHash;

    fn try_from(written: String) -> Result<Self, NoHash> {
        let mut sample = Self::default();
        let mut below = None;
        for word in written.split_whitespace() {
            let no_hash = || NoHash {
                text: word.to_owned(),
            };
            let hash_of = |text: &str| u64::from_str_radix(text, 16).map_err(|_| no_hash());
            if let Some(bound) = word.strip_prefix('<') {
                below = Some(hash_of(bound)?);
                continue;
            }
            let (hash, n) = word.split_once('*').ok_or_else(no_hash)?;
            sample
                .counts
                .insert(hash_of(hash)?, n.parse().map_err(|_| no_hash())?);
        }
        sample.limit(below);
        Ok(sample)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::{CAPACITY, ValueSample};
    use crate::profile::columns::distinct::hash_bits;

    fn of(values: &[u64]) -> ValueSample {
        ValueSample::of(values.iter().map(|value| (hash_bits(*value), 1)))
    }

    #[test]
    fn what_is_kept_is_counted_exactly_and_written_and_read_alike() {
        let values: Vec<u64> = (0..9000).map(|n| n % 3000).collect();
        let sample = of(&values);
        assert_eq!(sample.within(None).count(), CAPACITY);
        assert!(sample.within(None).all(|(_, n)| n == 3));
        let least = (0..3000).map(hash_bits).filter(|hash| Some(*hash) < sample.below);
        assert_eq!(least.count(), CAPACITY);
        let text = serde_json::to_string(&sample).unwrap();
        assert_eq!(serde_json::from_str::<ValueSample>(&text).unwrap(), sample);
        let error = serde_json::from_str::<ValueSample>(&text.replacen('*', "+", 1)).unwrap_err();
        assert!(error.to_string().contains("is no hash"), "{error}");
    }

    proptest! {
        #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

        #[test]
        fn merging_samples_equals_sampling_the_union(
            a in proptest::collection::vec(0_u64..2000, 0..1500),
            b in proptest::collection::vec(0_u64..300, 0..600),
        ) {
            let mut merged = of(&a);
            merged.merge(&of(&b));
            prop_assert_eq!(merged, of(&[a, b].concat()));
        }
    }
}

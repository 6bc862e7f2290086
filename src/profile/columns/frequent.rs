//! Which values are frequent, and how often they occur: all of them counted while they are few, the frequent ones with a
//! bound on the error when they are many.
//!
//! Source: Misra and Gries (1982) with the purge by the median of Anderson et al., A High-Performance Algorithm for
//! Identifying Frequent Items in Data Streams (2017), as `DataSketches` has it. Ours goes by a hash that is computed once for
//! all figures, and keeps one text a value.

use std::collections::HashMap;

use super::FigureAccuracy;
use super::distinct::ByHash;
use super::sampled::ValueSample;

/// Values that are counted at the same time.
const CAPACITY: usize = 4096;
/// Counts looked at to find their median.
const PURGE_SAMPLE: usize = 1024;
const MAX_TEXT_CHARS: usize = 200;

/// A value as it is kept.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Kept {
    Int(i64),
    Float(f64),
    /// Cut after 200 characters, with an ellipsis.
    Text(Box<str>),
}

impl Kept {
    pub(super) fn text(text: &str) -> Self {
        Self::Text(shortened(text).into())
    }
}

/// At most 200 characters.
pub(super) fn shortened(text: &str) -> String {
    match text.char_indices().nth(MAX_TEXT_CHARS) {
        Some((end, _)) => format!("{}…", text.get(..end).unwrap_or_default()),
        None => text.to_owned(),
    }
}

#[derive(Debug, Clone)]
struct Counted {
    n: u64,
    value: Kept,
}

#[derive(Debug, Clone, Default)]
pub(super) struct Frequent {
    counts: HashMap<u64, Counted, ByHash>,
    /// What was taken off every count so far, at most.
    offset: u64,
    /// Of all values.
    n: u64,
    /// Once some values are forgotten; before, it can be made of the counts.
    sample: Option<Box<ValueSample>>,
}

impl Frequent {
    #[inline]
    pub(super) fn add(&mut self, hash: u64, n: u64, value: impl FnOnce() -> Kept) {
        self.n += n;
        if let Some(sample) = &mut self.sample {
            sample.add(hash, n);
        }
        if let Some(known) = self.counts.get_mut(&hash) {
            known.n += n;
            return;
        }
        self.counts.insert(hash, Counted { n, value: value() });
        if self.counts.len() > CAPACITY {
            if self.sample.is_none() {
                self.sample = Some(Box::new(self.sample()));
            }
            self.purge();
        }
    }

    /// Takes the median off every count; half of the values are forgotten.
    fn purge(&mut self) {
        let mut sample: Vec<u64> = self
            .counts
            .values()
            .take(PURGE_SAMPLE)
            .map(|counted| counted.n)
            .collect();
        let middle = sample.len() / 2;
        let median = *sample.select_nth_unstable(middle).1;
        self.counts.retain(|_, counted| {
            counted.n = counted.n.saturating_sub(median);
            counted.n > 0
        });
        self.offset += median;
    }

    pub(super) fn merge(&mut self, other: Self) {
        let may_forget = self.counts.len() + other.counts.len() > CAPACITY;
        if may_forget || self.sample.is_some() || other.sample.is_some() {
            let mut both = self.sample();
            both.merge(&other.sample());
            self.sample = Some(Box::new(both));
        }
        self.n += other.n;
        self.offset += other.offset;
        for (hash, counted) in other.counts {
            self.counts
                .entry(hash)
                .and_modify(|known| known.n += counted.n)
                .or_insert(counted);
        }
        while self.counts.len() > CAPACITY {
            self.purge();
        }
        if self.offset == 0 {
            self.sample = None;
        }
    }

    /// Some of the values, the same ones as in another profile.
    pub(super) fn sample(&self) -> ValueSample {
        match &self.sample {
            Some(sample) => sample.as_ref().clone(),
            None => ValueSample::of(self.counts.iter().map(|(hash, counted)| (*hash, counted.n))),
        }
    }

    /// All values with their counts, in no order; none where some were forgotten.
    pub(super) fn all(&self) -> Option<impl Iterator<Item = (&Kept, u64)>> {
        (self.offset == 0).then(|| self.counts.values().map(|counted| (&counted.value, counted.n)))
    }

    /// The `n` most frequent values with the least counts that they can have. Where counts are not exact, only values that
    /// occur more often than any forgotten one can.
    pub(super) fn top(&self, n: usize) -> Vec<(Kept, u64)> {
        let mut top: Vec<(&u64, &Counted)> = self
            .counts
            .iter()
            .filter(|(_, counted)| counted.n > self.offset)
            .collect();
        // By hash where counts are equal, so that the answer is the same each time.
        top.sort_unstable_by(|a, b| (b.1.n, a.0).cmp(&(a.1.n, b.0)));
        top.truncate(n);
        top.into_iter()
            .map(|(_, counted)| (counted.value.clone(), counted.n))
            .collect()
    }

    pub(super) fn accuracy(&self) -> FigureAccuracy {
        if self.offset == 0 {
            FigureAccuracy::EXACT
        } else {
            FigureAccuracy::estimate(self.offset as f64 / self.n.max(1) as f64)
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashMap;

    use proptest::prelude::*;

    use super::{CAPACITY, Frequent, Kept, shortened};
    use crate::profile::columns::distinct::hash_bits;

    fn add(frequent: &mut Frequent, value: u64) {
        frequent.add(hash_bits(value), 1, || Kept::Int(i64::try_from(value).unwrap()));
    }

    fn int(kept: &Kept) -> u64 {
        match kept {
            Kept::Int(value) => u64::try_from(*value).unwrap(),
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn a_frequent_value_among_many_is_found_with_its_bounds() {
        let mut parts = vec![Frequent::default(), Frequent::default()];
        let mut true_counts: HashMap<u64, u64> = HashMap::new();
        for i in 0..200_000_u64 {
            // One value in ten is one of five; all others are different.
            let value = if i % 10 == 0 { i % 50 / 10 } else { 1000 + i };
            *true_counts.entry(value).or_default() += 1;
            add(&mut parts[usize::try_from(i % 2).unwrap()], value);
        }
        let mut merged = parts.remove(0);
        merged.merge(parts.remove(0));
        let error = merged.accuracy().error.unwrap();
        assert!(error > 0.0 && error < 2.5 / CAPACITY as f64 * 2.0, "{error}");
        let top = merged.top(10);
        let mut values: Vec<u64> = top.iter().map(|(kept, _)| int(kept)).collect();
        values.sort_unstable();
        assert_eq!(values, [0, 1, 2, 3, 4]);
        for (kept, n) in top {
            let exact = true_counts[&int(&kept)];
            assert!(
                n <= exact && exact as f64 <= n as f64 + error * 200_000.0 + 1.0,
                "{n} {exact}"
            );
        }
        assert!(merged.all().is_none());
        // Though most values are forgotten, those of the sample have their whole counts.
        let hashes: HashMap<u64, u64> = true_counts
            .iter()
            .map(|(value, n)| (hash_bits(*value), *n))
            .collect();
        let sample: Vec<(u64, u64)> = merged.sample().within(None).collect();
        assert_eq!(sample.len(), 256);
        assert!(sample.iter().all(|(hash, n)| hashes[hash] == *n));
    }

    #[test]
    fn a_long_text_is_cut_where_a_character_ends() {
        assert_eq!(shortened("äöü"), "äöü");
        let long = shortened(&"ä".repeat(1000));
        assert_eq!((long.chars().count(), long.ends_with('…')), (201, true));
    }

    proptest! {
        #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

        #[test]
        fn few_values_are_counted_exactly_also_when_merged(
            values in proptest::collection::vec(0_u64..50, 0..300),
            cut in any::<proptest::sample::Index>(),
        ) {
            let cut = cut.index(values.len() + 1);
            let mut merged = Frequent::default();
            let mut other = Frequent::default();
            for value in &values[..cut] {
                add(&mut merged, *value);
            }
            for value in &values[cut..] {
                add(&mut other, *value);
            }
            merged.merge(other);
            let mut whole = Frequent::default();
            for value in &values {
                add(&mut whole, *value);
            }
            prop_assert_eq!(merged.top(60), whole.top(60));
            prop_assert!(merged.accuracy().is_exact());
            for (kept, n) in merged.top(60) {
                prop_assert_eq!(n, values.iter().filter(|value| **value == int(&kept)).count() as u64);
            }
        }
    }
}

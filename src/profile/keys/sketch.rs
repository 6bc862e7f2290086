//! What is kept of keys that are too many to count one by one: the frequent ones, their number, a uniform sample.
//!
//! Frequent keys come from a Misra-Gries sketch with bounds that always hold, the number of keys from `HyperLogLog`, and the
//! rest is represented by the keys with the smallest hashes: whoever is among them at the end has been from its first row
//! on, so its counts are exact, and as hashes are uniform, so is the sample.
//!
//! A table of exact counts becomes a sketch at once: its largest keys go in, and no other had more rows than the largest
//! that is left out, which is added to the bounds. That takes one look at each key, so that neither outgrowing the memory
//! nor a cancel makes anybody wait.
//!
//! Source: Agarwal et al., "Mergeable Summaries" (2012), for what bounds become when counts are left out; Anderson et al., "A High-Performance Algorithm for Identifying Frequent Items in Data Streams" (2017);
//! Flajolet et al., "`HyperLogLog`" (2007); Cohen and Kaplan, "Summarizing data using bottom-k sketches" (2007).

use std::collections::HashMap;

use datasketches::common::NumStdDev;
use datasketches::frequencies::{ErrorType, FrequentItemsSketch, Row};
use datasketches::hll::{HllSketch, HllType, HllUnion};

use super::largest::Buckets;
use super::table::{Counted, KeyTable};
use super::types::Distinct;
use crate::profile::formulas;

/// Registers of the distinct count are 2^14: 16 KB and an error of 0.8%.
const LG_REGISTERS: u8 = 14;
const MIN_SKETCH: usize = 1 << 10;
const MAX_SKETCH: usize = 1 << 17;
/// Memory of a sketched key besides its bytes.
const KEY_OVERHEAD: usize = 80;

/// Sketches of one stream of keys.
#[derive(Debug, Clone)]
pub(super) struct Sketches {
    rows: FrequentItemsSketch<Vec<u8>>,
    bytes: FrequentItemsSketch<Vec<u8>>,
    /// None where the sample tells the number of keys: after a cancel, which has no time for every key.
    distinct: Option<HllSketch>,
    pub sample: BottomK,
    /// Keys that are put into a sketch from a table at most.
    n_of_table: usize,
    /// No key has more rows, or bytes, that were not put into its sketch.
    missed_rows: u64,
    missed_bytes: u64,
}

/// A key that is surely frequent.
#[derive(Debug, Clone)]
pub(super) struct FrequentKey {
    pub key: Vec<u8>,
    pub rows_low: u64,
    pub rows_high: u64,
    pub n_bytes: u64,
}

impl Sketches {
    /// Sketches that take about `budget_bytes` for keys of `mean_len` bytes. None when the library refuses its sizes.
    pub fn new(budget_bytes: usize, mean_len: usize, sample_keys: usize) -> Option<Self> {
        let n_keys = budget_bytes / 4 / (mean_len + KEY_OVERHEAD);
        let size = n_keys.clamp(MIN_SKETCH, MAX_SKETCH);
        // The largest power of two that is not above it.
        let size = 1 << size.ilog2();
        Some(Self {
            rows: FrequentItemsSketch::new(size).ok()?,
            bytes: FrequentItemsSketch::new(size).ok()?,
            distinct: Some(HllSketch::new(LG_REGISTERS, HllType::Hll8).ok()?),
            sample: BottomK::new(sample_keys, budget_bytes / 4),
            n_of_table: size / 2,
            missed_rows: 0,
            missed_bytes: 0,
        })
    }

    /// The same, with the number of keys from the sample alone.
    #[must_use]
    pub fn in_brief(mut self) -> Self {
        self.distinct = None;
        self
    }

    pub fn add(&mut self, hash: u64, key: &[u8], n_rows: u64, n_bytes: u64) {
        self.rows.update_with_count_ref(key, n_rows);
        self.bytes.update_with_count_ref(key, n_bytes);
        if let Some(distinct) = &mut self.distinct {
            distinct.update(hash);
        }
        self.sample.add(hash, key, n_rows, n_bytes);
    }

    /// How many rows a key surely has.
    pub fn rows_of(&self, key: &[u8]) -> u64 {
        self.rows.lower_bound(key)
    }

    /// Adds exact counts, each of another key.
    pub fn add_counted<'a>(&mut self, counted: impl Iterator<Item = Counted<'a>> + Clone) {
        let (mut rows, mut bytes, mut n_keys) = (Buckets::default(), Buckets::default(), 0);
        for key in counted.clone() {
            rows.add(key.n_rows);
            bytes.add(key.n_bytes);
            n_keys += 1;
        }
        let rows_limit = rows.limit(self.n_of_table).count;
        let bytes_limit = bytes.limit(self.n_of_table).count;
        self.sample.expect(n_keys);
        for key in counted {
            if key.n_rows > rows_limit {
                self.rows.update_with_count_ref(key.key, key.n_rows);
            }
            if key.n_bytes > bytes_limit {
                self.bytes.update_with_count_ref(key.key, key.n_bytes);
            }
            if let Some(distinct) = &mut self.distinct {
                distinct.update(key.hash);
            }
            self.sample.add(key.hash, key.key, key.n_rows, key.n_bytes);
        }
        self.missed_rows += rows_limit;
        self.missed_bytes += bytes_limit;
    }

    /// Keeps at most so many keys of the sample.
    pub fn shrink_sample(&mut self, n_keys: usize) {
        self.sample.max_keys = self.sample.max_keys.min(n_keys.max(1));
        self.sample.shrink(self.sample.max_keys);
    }

    pub fn merge(&mut self, other: &Self) {
        // The two are most of the work, and know nothing of each other.
        let rows = &mut self.rows;
        std::thread::scope(|scope| {
            scope.spawn(|| rows.merge(&other.rows));
            self.bytes.merge(&other.bytes);
            self.sample.merge(&other.sample);
        });
        self.missed_rows += other.missed_rows;
        self.missed_bytes += other.missed_bytes;
        self.distinct = match (&self.distinct, &other.distinct) {
            (Some(mine), Some(others)) => HllUnion::new(LG_REGISTERS).ok().map(|mut union| {
                union.update(mine);
                union.update(others);
                union.to_sketch(HllType::Hll8)
            }),
            _ => None,
        };
    }

    /// A count is off by at most so many rows.
    pub fn max_error_rows(&self) -> u64 {
        self.rows.maximum_error() + self.missed_rows
    }

    fn max_error_bytes(&self) -> u64 {
        self.bytes.maximum_error() + self.missed_bytes
    }

    /// What the sketch promises for any data, as a share of the rows: 3.5 / its size.
    #[cfg(test)]
    pub fn promised_error(&self) -> f64 {
        self.rows.epsilon()
    }

    pub fn distinct(&self) -> Distinct {
        let Some(distinct) = &self.distinct else {
            return self.sample.distinct();
        };
        Distinct {
            n: formulas::rounded(distinct.estimate()),
            low: formulas::rounded(distinct.lower_bound(NumStdDev::Two)),
            high: formulas::rounded(distinct.upper_bound(NumStdDev::Two)),
            is_exact: false,
        }
    }

    /// Keys whose rows or bytes are surely more than what the sketch may have missed.
    pub fn frequent(&self) -> Vec<FrequentKey> {
        let mut keys: HashMap<Vec<u8>, FrequentKey> = HashMap::new();
        let surely_above = |sketch: &FrequentItemsSketch<Vec<u8>>, limit: u64| {
            let mut found = sketch.frequent_items(ErrorType::NoFalsePositives);
            found.retain(|row| row.lower_bound() > limit);
            found
        };
        let by_rows = surely_above(&self.rows, self.max_error_rows());
        let by_bytes = surely_above(&self.bytes, self.max_error_bytes());
        let items = by_rows
            .iter()
            .map(Row::item)
            .chain(by_bytes.iter().map(Row::item));
        for item in items {
            keys.entry(item.clone()).or_insert_with(|| FrequentKey {
                key: item.clone(),
                rows_low: self.rows.lower_bound(item.as_slice()),
                rows_high: self.rows.upper_bound(item.as_slice()) + self.missed_rows,
                n_bytes: middle(
                    self.bytes.lower_bound(item.as_slice()),
                    self.bytes.upper_bound(item.as_slice()) + self.missed_bytes,
                ),
            });
        }
        keys.into_values().collect()
    }

    pub fn memory_bytes(&self) -> usize {
        let per_key = self.sample.mean_len() + KEY_OVERHEAD;
        (self.rows.current_map_capacity() + self.bytes.current_map_capacity()) * per_key
            + self.distinct.as_ref().map_or(0, HllSketch::estimated_size)
            + self.sample.memory_bytes()
    }
}

/// The estimate between two bounds with the smallest possible error.
pub(super) fn middle(low: u64, high: u64) -> u64 {
    low + high.saturating_sub(low) / 2
}

/// The keys with the smallest hashes, with exact counts: a uniform sample of the keys.
#[derive(Debug, Clone)]
pub(super) struct BottomK {
    table: KeyTable,
    /// Only keys whose hash is smaller are kept. All when nothing was left out yet.
    limit: Option<u64>,
    max_keys: usize,
    max_bytes: usize,
}

impl BottomK {
    fn new(max_keys: usize, max_bytes: usize) -> Self {
        Self {
            table: KeyTable::default(),
            limit: None,
            max_keys: max_keys.max(1),
            max_bytes,
        }
    }

    fn is_kept(&self, hash: u64) -> bool {
        self.limit.is_none_or(|limit| hash < limit)
    }

    /// Makes ready for `n_keys` keys, each another: most of those that would be left out in the end are not taken in the
    /// first place. Hashes are uniform, so a quarter more than are wanted is enough.
    fn expect(&mut self, n_keys: usize) {
        let n_wanted = self.max_keys + self.max_keys / 4 + 64;
        if n_keys > n_wanted {
            let limit = u128::from(u64::MAX) * n_wanted as u128 / n_keys as u128;
            let limit = u64::try_from(limit).unwrap_or(u64::MAX);
            if self.is_kept(limit) {
                self.cut(limit);
            }
        }
    }

    /// How many keys there were, by the share of all hashes that the sample holds.
    ///
    /// Source: Beyer et al., "On Synopses for Distinct-Value Estimation Under Multiset Operations" (2007).
    fn distinct(&self) -> Distinct {
        let n_here = self.table.len() as f64;
        let share = self.limit.map_or(1.0, |limit| limit as f64 / u64::MAX as f64);
        let n = if share > 0.0 { n_here / share } else { n_here };
        let error = 2.0 * n * ((1.0 - share) / n_here.max(1.0)).sqrt();
        Distinct {
            n: formulas::rounded(n),
            low: formulas::rounded((n - error).max(n_here)),
            high: formulas::rounded(n + error),
            is_exact: false,
        }
    }

    fn add(&mut self, hash: u64, key: &[u8], n_rows: u64, n_bytes: u64) {
        if self.is_kept(hash) {
            self.table.add(hash, key, n_rows, n_bytes);
            // Twice the keys are held, so that leaving some out is rare.
            if self.table.len() >= 2 * self.max_keys {
                self.shrink(self.max_keys);
            }
            if self.table.memory_bytes() > self.max_bytes && self.table.len() > 1 {
                self.max_keys = (self.table.len() / 2).max(1);
                self.shrink(self.max_keys);
            }
        }
    }

    /// Keeps the `n_keys` smallest hashes.
    fn shrink(&mut self, n_keys: usize) {
        let mut hashes: Vec<u64> = self.table.iter().map(|key| key.hash).collect();
        if n_keys >= hashes.len() {
            return;
        }
        let (_, limit, _) = hashes.select_nth_unstable(n_keys);
        self.cut(*limit);
    }

    /// Leaves out every key whose hash is not below `limit`.
    fn cut(&mut self, limit: u64) {
        self.limit = Some(limit);
        let old = std::mem::take(&mut self.table);
        for key in old.iter().filter(|key| key.hash < limit) {
            self.table.add(key.hash, key.key, key.n_rows, key.n_bytes);
        }
    }

    fn merge(&mut self, other: &Self) {
        self.max_keys = self.max_keys.min(other.max_keys);
        if let Some(limit) = other.limit
            && self.limit.is_none_or(|mine| limit < mine)
        {
            self.cut(limit);
        }
        for key in other.table.iter() {
            self.add(key.hash, key.key, key.n_rows, key.n_bytes);
        }
    }

    /// The sample; every key below the hash where it ends is in it.
    pub fn finish(mut self) -> KeyTable {
        let n_keys = self.max_keys;
        self.shrink(n_keys);
        self.table
    }

    fn mean_len(&self) -> usize {
        let total: usize = self.table.iter().take(1000).map(|key| key.key.len()).sum();
        total / self.table.len().clamp(1, 1000)
    }

    fn memory_bytes(&self) -> usize {
        self.table.memory_bytes()
    }
}

#[cfg(test)]
mod tests {
    use xxhash_rust::xxh3::xxh3_64;

    use super::{BottomK, KeyTable, Sketches, middle};

    fn fill(sketches: &mut Sketches, keys: impl Iterator<Item = u64>) {
        for n in keys {
            let key = n.to_le_bytes();
            sketches.add(xxh3_64(&key), &key, 1, 8);
        }
    }

    #[test]
    fn frequent_keys_and_the_number_of_keys_lie_within_their_bounds() {
        let mut sketches = Sketches::new(1 << 20, 8, 1000).unwrap();
        // 100,000 keys of one row, and three that have 5,000, 2,500 and 1,250 of them.
        fill(&mut sketches, 1000..101_000);
        for (key, n) in [(1, 5000), (2, 2500), (3, 1250)] {
            fill(&mut sketches, std::iter::repeat_n(key, n));
        }
        let error = sketches.max_error_rows();
        assert!(error as f64 <= sketches.promised_error() * 108_750.0, "{error}");
        let frequent = sketches.frequent();
        for (key, n) in [(1_u64, 5000_u64), (2, 2500), (3, 1250)] {
            let found = frequent
                .iter()
                .find(|found| found.key == key.to_le_bytes())
                .unwrap();
            assert!(found.rows_low <= n && n <= found.rows_high, "{found:?}");
            assert!(found.rows_high - found.rows_low <= error);
            assert!(middle(found.rows_low, found.rows_high).abs_diff(n) <= error);
        }
        let distinct = sketches.distinct();
        assert!(
            distinct.low <= 100_003 && 100_003 <= distinct.high,
            "{distinct:?}"
        );
    }

    #[test]
    fn a_table_becomes_a_sketch_whose_bounds_hold_for_every_key_also_after_more_rows_and_a_merge() {
        // Key n has 200,000 / (n + 1) rows; they come from two tables and one by one.
        let rows = |n: u64| 200_000 / (n + 1);
        let table = |from: u64, part: u64| {
            let mut table = KeyTable::default();
            for n in from..20_000 {
                let key = n.to_le_bytes();
                table.add(xxh3_64(&key), &key, rows(n) / part, 8 * (rows(n) / part));
            }
            table
        };
        let mut one = Sketches::new(1 << 20, 8, 1000).unwrap();
        one.add_counted(table(0, 2).iter());
        let mut other = Sketches::new(1 << 20, 8, 1000).unwrap();
        other.add_counted(table(0, 4).iter());
        other.add_counted(table(0, 4).iter());
        one.merge(&other);
        for n in 0..20_000_u64 {
            let key = n.to_le_bytes();
            let rest = rows(n) - rows(n) / 2 - 2 * (rows(n) / 4);
            one.add(xxh3_64(&key), &key, rest, 8 * rest);
        }
        let error = one.max_error_rows();
        let total: u64 = (0..20_000).map(rows).sum();
        assert!(
            error > 0 && (error as f64) < one.promised_error() * total as f64,
            "{error}"
        );
        let frequent = one.frequent();
        assert!(frequent.len() > 100, "{}", frequent.len());
        for key in &frequent {
            let n = rows(u64::from_le_bytes(key.key.as_slice().try_into().unwrap()));
            assert!(key.rows_low <= n && n <= key.rows_high, "{key:?}: {n}");
            assert!(key.rows_low > error && key.rows_high - key.rows_low <= error);
        }
        // Whoever has more than twice the error is surely found.
        let n_large = (0..20_000).filter(|n| rows(*n) > 2 * error).count();
        assert!(frequent.len() >= n_large, "{} of {n_large}", frequent.len());
        let distinct = one.distinct();
        assert!(distinct.low <= 20_000 && 20_000 <= distinct.high, "{distinct:?}");
    }

    #[test]
    fn sampled_keys_have_exact_counts_also_when_samples_are_merged() {
        let (mut one, mut other) = (BottomK::new(500, 1 << 20), BottomK::new(300, 1 << 20));
        let add = |sample: &mut BottomK, n: u64| {
            let key = n.to_le_bytes();
            sample.add(xxh3_64(&key), &key, n % 7 + 1, 1);
        };
        for n in 0..20_000 {
            add(&mut one, n);
            add(&mut other, n + 10_000);
        }
        one.merge(&other);
        let table = one.finish();
        assert_eq!(table.len(), 300);
        for key in table.iter() {
            let n = u64::from_le_bytes(key.key.try_into().unwrap());
            let times = u64::from(n < 20_000) + u64::from(n >= 10_000);
            assert_eq!(key.n_rows, times * (n % 7 + 1), "{n}");
        }
        // Uniform: of 30,000 keys, a third is in each third.
        let lower = table
            .iter()
            .filter(|key| u64::from_le_bytes(key.key.try_into().unwrap()) < 10_000)
            .count();
        assert!((70..130).contains(&lower), "{lower}");
    }

    #[test]
    fn a_sample_that_expects_its_keys_takes_few_that_it_would_leave_out_and_tells_how_many_there_were() {
        let hash = |n: u64| xxh3_64(&n.to_le_bytes());
        let mut sample = BottomK::new(500, 1 << 20);
        for n in 0..300 {
            sample.add(hash(n), &n.to_le_bytes(), 1, 1);
        }
        assert_eq!((sample.distinct().low, sample.distinct().high), (300, 300));
        sample.expect(20_000);
        for n in 0..20_000 {
            sample.add(hash(n), &n.to_le_bytes(), 1, 1);
        }
        let n_taken = sample.table.len();
        assert!((501..1000).contains(&n_taken), "{n_taken}");
        let distinct = sample.distinct();
        assert!(distinct.low <= 20_000 && 20_000 <= distinct.high, "{distinct:?}");
        assert!(distinct.high - distinct.low < 5000, "{distinct:?}");
        let table = sample.finish();
        // Keys that were there before have both their rows.
        let is_right = |key: super::Counted<'_>| {
            let n = u64::from_le_bytes(key.key.try_into().unwrap());
            key.n_rows == 1 + u64::from(n < 300)
        };
        assert!(table.len() == 500 && table.iter().all(is_right));
    }

    #[test]
    fn long_keys_make_the_sample_smaller_and_no_memory_is_left_behind() {
        let mut sample = BottomK::new(10_000, 200_000);
        for n in 0..10_000_u64 {
            let key = format!("{n:01000}");
            sample.add(xxh3_64(key.as_bytes()), key.as_bytes(), 1, 1);
        }
        assert!(sample.memory_bytes() < 500_000, "{}", sample.memory_bytes());
        assert!(sample.finish().len() > 50);
    }
}

//! What was counted: keys with their rows, the largest first, and what is known of those that were not kept.

use std::sync::Arc;

use polars::prelude::DataType;
use xxhash_rust::xxh3::xxh3_64;

use super::equal_rows::EqualRows;
use super::largest::Buckets;
use super::sketch::{Sketches, middle};
use super::table::KeyTable;
use super::types::{Counted, Distinct, WrittenType};
use super::value::{KeyValue, key_values};
use super::{SparkType, SparkTypeError};
use crate::base::Accuracy;

/// Keys of some columns with their counts.
#[derive(Debug, Clone)]
pub struct KeyCounts {
    pub(super) totals: Totals,
    arena: Vec<u8>,
    /// Sorted by rows, the largest first; equals by their bytes.
    keys: Vec<CountedKey>,
    pub(super) unseen: Unseen,
    /// Keys that are not looked at one by one, so that a cancel is answered at once: part of what is unseen.
    pub(super) n_set_aside: u64,
    pub counted: Counted,
    pub distinct: Distinct,
}

/// What is known of all rows together.
#[derive(Debug, Clone)]
pub(super) struct Totals {
    pub columns: Vec<(String, DataType)>,
    pub n_rows: u64,
    pub n_bytes: u64,
    /// Rows with a float that was normalized.
    pub n_normalized: u64,
    /// Rows whose key was too long to be kept.
    pub n_long: u64,
    pub equal_rows: Arc<EqualRows>,
    pub written_types: Vec<WrittenType>,
    pub accuracy: Accuracy,
}

/// One key with its counts, which are between the bounds where they are not exact.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct CountedKey {
    start: usize,
    len: u32,
    pub n_rows: u64,
    pub rows_low: u64,
    pub rows_high: u64,
    pub n_bytes: u64,
}

/// Keys that were not kept, as far as the sample tells: all zero where every key was.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub(super) struct Unseen {
    pub n_keys: f64,
    pub n_rows: u64,
    pub n_bytes: u64,
    /// Σ of the squared rows and bytes of a key, which the spread of loads follows from.
    pub square_rows: f64,
    pub square_bytes: f64,
    /// Σ −p·log2 p of their shares of the rows.
    pub entropy_bits: f64,
}

impl KeyCounts {
    pub(super) fn of_table(totals: Totals, table: &KeyTable) -> Self {
        let mut counts = Self::empty(totals, table);
        counts.keys.reserve_exact(table.len());
        for key in table.iter() {
            counts.push(key.key, [key.n_rows; 3], key.n_bytes);
        }
        counts.sort();
        counts
    }

    /// As [`Self::of_table`], with `n_keys` of the largest keys alone: the others are told by their sums. Takes two looks at
    /// each key, and sorts no more than are kept.
    pub(super) fn of_largest(totals: Totals, table: &KeyTable, n_keys: usize) -> Self {
        let mut counts = Self::empty(totals, table);
        let mut rows = Buckets::default();
        table.iter().for_each(|key| rows.add(key.n_rows));
        let limit = rows.limit(n_keys);
        // Room that is left goes to those that come first among the others.
        let mut n_more = n_keys - limit.n_above;
        for key in table.iter() {
            let is_large = key.n_rows > limit.count;
            let is_kept = is_large || n_more > 0;
            n_more -= usize::from(is_kept && !is_large);
            if is_kept {
                counts.push(key.key, [key.n_rows; 3], key.n_bytes);
            } else {
                counts.set_aside(key.n_rows, key.n_bytes);
            }
        }
        counts.sort();
        counts
    }

    /// The same counts with the `n_keys` largest keys alone; the others are told by their sums. What was read stays what
    /// it was, and what is said of it is partial.
    #[must_use]
    pub fn largest(&self, n_keys: usize) -> Self {
        let kept = self.keys.get(..n_keys).unwrap_or(&self.keys);
        let mut counts = Self {
            arena: Vec::new(),
            keys: Vec::with_capacity(kept.len()),
            totals: Totals {
                accuracy: Accuracy::Partial {
                    n: self.totals.n_rows,
                },
                ..self.totals.clone()
            },
            ..*self
        };
        for key in kept {
            let bytes = self.arena.get(key.start..key.start + key.len as usize);
            let rows = [key.n_rows, key.rows_low, key.rows_high];
            counts.push(bytes.unwrap_or_default(), rows, key.n_bytes);
        }
        for key in self.keys.get(n_keys..).unwrap_or_default() {
            counts.set_aside(key.n_rows, key.n_bytes);
        }
        counts
    }

    fn empty(totals: Totals, table: &KeyTable) -> Self {
        Self {
            totals,
            arena: Vec::new(),
            keys: Vec::new(),
            unseen: Unseen::default(),
            n_set_aside: 0,
            counted: Counted::Exact,
            distinct: exact(table.len()),
        }
    }

    /// Tells of a key by the sums alone.
    fn set_aside(&mut self, n_rows: u64, n_bytes: u64) {
        let square = |n: u64| (n as f64).powi(2);
        let total = self.totals.n_rows.max(1) as f64;
        self.n_set_aside += 1;
        let unseen = &mut self.unseen;
        unseen.n_keys += 1.0;
        unseen.n_rows += n_rows;
        unseen.n_bytes += n_bytes;
        unseen.square_rows += square(n_rows);
        unseen.square_bytes += square(n_bytes);
        unseen.entropy_bits += entropy_term(n_rows as f64 / total);
    }

    /// Of the keys that sketches kept, the `n_keys` largest where a number is given; the others are told by their sums.
    pub(super) fn of_sketches(totals: Totals, sketches: &Sketches, n_keys: Option<usize>) -> Self {
        let frequent = sketches.frequent();
        let max_error_rows = sketches.max_error_rows();
        let of_sketch = sketches.distinct();
        // Every key has a row.
        let distinct = Distinct {
            n: of_sketch.n.min(totals.n_rows),
            low: of_sketch.low.min(totals.n_rows),
            high: of_sketch.high.min(totals.n_rows),
            is_exact: false,
        };
        let sample = sketches.sample.clone().finish();
        let n_sampled = sample.len() as u64;
        let mut counts = Self {
            arena: Vec::new(),
            keys: Vec::with_capacity(frequent.len() + sample.len()),
            unseen: Unseen::default(),
            n_set_aside: 0,
            counted: Counted::Sketch {
                max_error_rows,
                max_error_share: max_error_rows as f64 / totals.n_rows.max(1) as f64,
                n_sampled,
            },
            distinct,
            totals,
        };
        let mut exact_rows: std::collections::HashMap<&[u8], (u64, u64)> = sample
            .iter()
            .map(|key| (key.key, (key.n_rows, key.n_bytes)))
            .collect();
        let n_frequent = frequent.len();
        for key in &frequent {
            // A frequent key that is in the sample has exact counts there.
            if let Some((n_rows, n_bytes)) = exact_rows.remove(key.key.as_slice()) {
                counts.push(&key.key, [n_rows; 3], n_bytes);
            } else {
                let n_rows = middle(key.rows_low, key.rows_high);
                counts.push(&key.key, [n_rows, key.rows_low, key.rows_high], key.n_bytes);
            }
        }
        let tail: Vec<(&[u8], u64, u64)> = exact_rows
            .into_iter()
            .map(|(key, (n_rows, n_bytes))| (key, n_rows, n_bytes))
            .collect();
        for (key, n_rows, n_bytes) in &tail {
            counts.push(key, [*n_rows; 3], *n_bytes);
        }
        let n_kept = (n_frequent + tail.len()) as f64;
        counts.unseen = counts.unseen_of(&tail, (distinct.n as f64 - n_kept).max(0.0));
        if let Some(n_keys) = n_keys.filter(|n_keys| *n_keys < counts.keys.len()) {
            counts
                .keys
                .select_nth_unstable_by_key(n_keys, |key| std::cmp::Reverse(key.n_rows));
            for key in counts.keys.split_off(n_keys) {
                counts.set_aside(key.n_rows, key.n_bytes);
            }
        }
        counts.sort();
        counts
    }

    /// What the sampled tail says of the keys that are not in the sample.
    fn unseen_of(&self, tail: &[(&[u8], u64, u64)], n_keys: f64) -> Unseen {
        let rows: u64 = self.keys.iter().map(|key| key.n_rows).sum();
        let bytes: u64 = self.keys.iter().map(|key| key.n_bytes).sum();
        let factor = if tail.is_empty() {
            0.0
        } else {
            n_keys / tail.len() as f64
        };
        let total = self.totals.n_rows.max(1) as f64;
        let square = |n: u64| (n as f64).powi(2);
        Unseen {
            n_keys,
            n_rows: self.totals.n_rows.saturating_sub(rows),
            n_bytes: self.totals.n_bytes.saturating_sub(bytes),
            square_rows: factor * tail.iter().map(|(_, n, _)| square(*n)).sum::<f64>(),
            square_bytes: factor * tail.iter().map(|(_, _, n)| square(*n)).sum::<f64>(),
            entropy_bits: factor
                * tail
                    .iter()
                    .map(|(_, n, _)| entropy_term(*n as f64 / total))
                    .sum::<f64>(),
        }
    }

    fn push(&mut self, key: &[u8], [n_rows, rows_low, rows_high]: [u64; 3], n_bytes: u64) {
        self.keys.push(CountedKey {
            start: self.arena.len(),
            len: u32::try_from(key.len()).unwrap_or(u32::MAX),
            n_rows,
            rows_low,
            rows_high,
            n_bytes,
        });
        self.arena.extend_from_slice(key);
    }

    fn sort(&mut self) {
        let arena = std::mem::take(&mut self.arena);
        let bytes = |key: &CountedKey| {
            arena
                .get(key.start..key.start + key.len as usize)
                .unwrap_or_default()
        };
        self.keys
            .sort_unstable_by(|a, b| b.n_rows.cmp(&a.n_rows).then_with(|| bytes(a).cmp(bytes(b))));
        self.arena = arena;
    }

    /// The keys that were kept, the largest first.
    pub(super) fn keys(&self) -> &[CountedKey] {
        &self.keys
    }

    /// The values of a key, one a column.
    pub(super) fn values(&self, key: &CountedKey) -> Vec<KeyValue<'_>> {
        let bytes = self.arena.get(key.start..key.start + key.len as usize);
        key_values(bytes.unwrap_or_default())
    }

    /// The hash by which a key is told when its rows are compared.
    pub(super) fn hash_of(&self, key: &CountedKey) -> u64 {
        let bytes = self.arena.get(key.start..key.start + key.len as usize);
        xxh3_64(bytes.unwrap_or_default())
    }

    /// The types that a column has where it is written, where that is known and ours does not tell: several where files
    /// differ.
    pub(super) fn written_types(&self, name: &str) -> Vec<&WrittenType> {
        let types = self.totals.written_types.iter();
        types.filter(|written| written.name == name).collect()
    }

    /// The type of Spark by which a column of the key is hashed where nobody chooses another.
    pub(super) fn default_type(&self, name: &str, dtype: &DataType) -> Result<SparkType, SparkTypeError> {
        match self.written_types(name).as_slice() {
            [written] if written.is_as_written => Ok(written.spark_type.clone()),
            _ => SparkType::default_for(dtype),
        }
    }

    /// The types that each column of the key may have in Spark, the default first: what a list to choose from offers.
    pub fn type_choices(&self) -> Vec<(String, DataType, Vec<SparkType>)> {
        let choices = |(name, dtype): &(String, DataType)| {
            let mut choices: Vec<SparkType> = self.default_type(name, dtype).into_iter().collect();
            let written = self
                .written_types(name)
                .into_iter()
                .map(|written| written.spark_type.clone());
            for choice in SparkType::choices_for(dtype).into_iter().chain(written) {
                if !choices.contains(&choice) {
                    choices.push(choice);
                }
            }
            (name.clone(), dtype.clone(), choices)
        };
        self.columns().iter().map(choices).collect()
    }

    /// Names and types of the key's columns.
    pub fn columns(&self) -> &[(String, DataType)] {
        &self.totals.columns
    }

    /// Rows that were counted.
    pub fn n_rows(&self) -> u64 {
        self.totals.n_rows
    }
}

/// −p·log2 p, 0 for nothing.
pub(super) fn entropy_term(share: f64) -> f64 {
    if share > 0.0 { -share * share.log2() } else { 0.0 }
}

fn exact(n: usize) -> Distinct {
    let n = n as u64;
    Distinct {
        n,
        low: n,
        high: n,
        is_exact: true,
    }
}

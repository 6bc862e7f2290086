//! Which rows of a frequent key are equal in every column, because equal rows get one salt and stay together.
//!
//! The step `salt` chooses among the salts of a key by the XXH3 hash of a row's columns. The same hash is counted here for the
//! rows of every key that is frequent while they pass by: each row exactly until a budget of memory is used, then the most
//! frequent rows, and a sample of the others. So the load of each salt is known, or is that of rows that fall by chance.
//!
//! Source: for what falls by chance, the expected order statistics of normal loads: Blom, "Statistical Estimates and Transformed
//! Beta-Variables" (1958), with the quantiles of Joiner and Rosenblatt, "Some Properties of the Range in Samples from Tukey's
//! Symmetric Lambda Distributions" (1971).

use std::collections::HashMap;

use polars::prelude::{BooleanChunked, Column, DataFrame, NewChunkedArray as _, PolarsResult};
use xxhash_rust::xxh3::xxh3_64;

use super::count::CountBudget;
use super::remedy::Prediction;
use super::sketch::middle;
use super::tally::{Mode, Tally};
use super::types::Weight;
use crate::base::Cancel;
use crate::dataset::{origin, row_bytes};
use crate::profile::formulas;

/// A key is frequent while it has at least one of so many rows: far less than a hot one.
const RARE: u64 = 4096;
/// Of a counter's memory, the part for rows.
const SHARE_OF_BUDGET: usize = 8;
/// Rows of the sample that stands for those that are not frequent.
const SAMPLE_ROWS: usize = 1 << 12;
/// A key's rows are known when so many of them, as a share, were counted.
const KNOWN: f64 = 0.5;

/// Which rows of a batch have a frequent key, and the hash of it.
pub(super) struct FrequentRows {
    n_seen: u64,
    n_frequent: usize,
    keys: Vec<Option<u64>>,
}

impl FrequentRows {
    /// Of a batch of `n_rows` after `n_before` other rows.
    pub fn new(n_before: u64, n_rows: usize) -> Self {
        Self {
            n_seen: n_before,
            n_frequent: 0,
            keys: Vec::with_capacity(n_rows),
        }
    }

    /// The next row: the hash of its key, and how many rows that has by now.
    pub fn push(&mut self, hash: u64, n_rows: u64) {
        self.n_seen += 1;
        let is_frequent = n_rows.saturating_mul(RARE) >= self.n_seen;
        self.n_frequent += usize::from(is_frequent);
        self.keys.push(is_frequent.then_some(hash));
    }

    /// The next row, whose key no step can name.
    pub fn push_other(&mut self) {
        self.n_seen += 1;
        self.keys.push(None);
    }
}

/// Counts the rows of frequent keys by their hash.
#[derive(Debug, Clone)]
pub(super) struct RowTally {
    /// By the hash of the key and that of the row.
    rows: Tally,
    /// Rows and bytes of each key that were added.
    of_keys: HashMap<u64, (u64, u64)>,
}

impl RowTally {
    /// One beside the counter of keys that has `budget`.
    pub fn new(budget: CountBudget) -> Self {
        Self {
            rows: Tally::new(CountBudget {
                n_bytes: budget.n_bytes / SHARE_OF_BUDGET,
                sample_keys: SAMPLE_ROWS,
            }),
            of_keys: HashMap::new(),
        }
    }

    /// Adds the `frequent` rows of a batch, whose key has the columns `keys`.
    ///
    /// # Errors
    /// As [`row_bytes::for_each_row`].
    pub fn add(
        &mut self,
        df: &DataFrame,
        keys: &[Column],
        frequent: &FrequentRows,
        weights: &[u64],
    ) -> PolarsResult<()> {
        if frequent.n_frequent == 0 {
            return Ok(());
        }
        let visible = df
            .columns()
            .iter()
            .filter(|column| !origin::is_hidden(column.name()));
        // A field of a struct is a column of its own before it is salted.
        let fields = keys.iter().filter(|key| df.schema().get(key.name()).is_none());
        let mut columns: Vec<Column> = visible
            .chain(fields)
            .filter(|column| row_bytes::is_encodable(column.dtype()))
            .cloned()
            .collect();
        if frequent.n_frequent < df.height() {
            let mask = BooleanChunked::from_iter_values(
                "frequent".into(),
                frequent.keys.iter().map(Option::is_some),
            );
            columns = columns
                .iter()
                .map(|column| column.filter(&mask))
                .collect::<PolarsResult<_>>()?;
        }
        let mut of_rows = frequent
            .keys
            .iter()
            .zip(weights)
            .filter_map(|(key, weight)| Some(((*key)?, *weight)));
        let (rows, of_keys) = (&mut self.rows, &mut self.of_keys);
        row_bytes::for_each_row(&columns, |row| {
            if let Some((key, weight)) = of_rows.next() {
                let pair = pair(key, xxh3_64(row));
                rows.add(xxh3_64(&pair), &pair, 1, weight);
                let of_key = of_keys.entry(key).or_default();
                of_key.0 += 1;
                of_key.1 += weight;
            }
        })?;
        self.rows.keep_to_budget();
        Ok(())
    }

    /// As [`Tally::merge_until`].
    pub fn merge_until(&mut self, other: Self, cancel: &Cancel, n_keys: usize) {
        self.rows.merge_until(other.rows, cancel, n_keys);
        for (key, (n_rows, n_bytes)) in other.of_keys {
            let of_key = self.of_keys.entry(key).or_default();
            of_key.0 += n_rows;
            of_key.1 += n_bytes;
        }
    }

    /// As [`Tally::condense`].
    pub fn condense(&mut self, n_keys: usize) {
        self.rows.condense(n_keys);
    }

    pub fn memory_bytes(&self) -> usize {
        self.rows.memory_bytes() + self.of_keys.capacity() * size_of::<(u64, (u64, u64))>()
    }

    pub fn finish(&self) -> EqualRows {
        let of_key = |(key, (n_rows, n_bytes)): (&u64, &(u64, u64))| {
            let rows = RowsOfKey {
                n_rows: *n_rows,
                n_bytes: *n_bytes,
                ..RowsOfKey::default()
            };
            (*key, rows)
        };
        let mut by_key: HashMap<u64, RowsOfKey> = self.of_keys.iter().map(of_key).collect();
        let mut push = |bytes: &[u8], n_rows: u64, n_bytes: u64| {
            if let Some((key, row)) = unpaired(bytes)
                && let Some(rows) = by_key.get_mut(&key)
            {
                rows.groups.push(Group { row, n_rows, n_bytes });
            }
        };
        match self.rows.mode() {
            Mode::Exact(table) => {
                for row in table.iter() {
                    push(row.key, row.n_rows, row.n_bytes);
                }
            }
            Mode::Sketch(sketches) => {
                let frequent = sketches.frequent();
                for row in &frequent {
                    push(&row.key, middle(row.rows_low, row.rows_high), row.n_bytes);
                }
                let is_frequent: std::collections::HashSet<&[u8]> =
                    frequent.iter().map(|row| row.key.as_slice()).collect();
                let sample = sketches.sample.clone().finish();
                for row in sample.iter().filter(|row| !is_frequent.contains(row.key)) {
                    if let Some((key, _)) = unpaired(row.key)
                        && let Some(rows) = by_key.get_mut(&key)
                    {
                        rows.sampled += row.n_rows as f64;
                        rows.sampled_squares += (row.n_rows as f64).powi(2);
                    }
                }
            }
        }
        EqualRows { by_key }
    }
}

fn pair(key: u64, row: u64) -> [u8; 16] {
    ((u128::from(key) << 64) | u128::from(row)).to_le_bytes()
}

fn unpaired(bytes: &[u8]) -> Option<(u64, u64)> {
    let both = u128::from_le_bytes(bytes.try_into().ok()?);
    #[expect(
        clippy::cast_possible_truncation,
        reason = "the two halves of what `pair` put together"
    )]
    Some(((both >> 64) as u64, both as u64))
}

/// What is known of the rows of frequent keys.
#[derive(Debug, Clone, Default)]
pub(super) struct EqualRows {
    by_key: HashMap<u64, RowsOfKey>,
}

#[derive(Debug, Clone, Default)]
struct RowsOfKey {
    /// Rows that are told one by one: all of them, or those that are frequent.
    groups: Vec<Group>,
    /// All that were counted.
    n_rows: u64,
    n_bytes: u64,
    /// Σ of the rows, and of their squares, of sampled rows that are not frequent.
    sampled: f64,
    sampled_squares: f64,
}

/// Rows that are equal.
#[derive(Debug, Clone, Copy)]
struct Group {
    row: u64,
    n_rows: u64,
    n_bytes: u64,
}

/// How the rows of a key fall on its salts.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Dealt {
    /// Rows or bytes by salt; their sum is that of the key.
    pub loads: Vec<u64>,
    pub prediction: Prediction,
    /// Rows of the key that are equal in every column, at most.
    pub n_equal: u64,
}

impl EqualRows {
    /// Deals `n_rows` rows of `n_bytes` of the key of a hash to `n_salts` salts, as the step `salt` does.
    pub fn deal(&self, key: u64, n_rows: u64, n_bytes: u64, n_salts: usize, weight: Weight) -> Dealt {
        let total = match weight {
            Weight::Rows => n_rows,
            Weight::Bytes => n_bytes,
        };
        let unit = total as f64 / n_rows.max(1) as f64;
        let known = self.by_key.get(&key);
        let known = known.filter(|known| known.n_rows as f64 >= KNOWN * n_rows as f64);
        let Some(known) = known.filter(|_| n_salts > 0) else {
            let mut loads = vec![0.0; n_salts];
            by_chance(&mut loads, total as f64, unit, key);
            return Dealt {
                loads: whole(&loads, total),
                prediction: Prediction::AtBest,
                n_equal: 0,
            };
        };
        let mut loads = vec![0.0; n_salts];
        let (mut told, mut n_equal) = (0.0, 0);
        for group in &known.groups {
            let load = match weight {
                Weight::Rows => group.n_rows,
                Weight::Bytes => group.n_bytes,
            } as f64;
            let at = usize::try_from(group.row % n_salts as u64).unwrap_or(0);
            if let Some(salt) = loads.get_mut(at) {
                *salt += load;
            }
            told += load;
            n_equal = n_equal.max(group.n_rows);
        }
        let counted = match weight {
            Weight::Rows => known.n_rows,
            Weight::Bytes => known.n_bytes,
        } as f64;
        let rest = (counted - told).max(0.0);
        if rest > 0.0 {
            let copies = if known.sampled > 0.0 {
                known.sampled_squares / known.sampled
            } else {
                1.0
            };
            by_chance(&mut loads, rest, unit * copies, key);
        }
        let is_all = rest <= 0.0 && known.n_rows == n_rows;
        Dealt {
            loads: whole(&loads, total),
            prediction: if is_all {
                Prediction::Counted
            } else {
                Prediction::Estimate
            },
            n_equal,
        }
    }
}

/// Adds `total` in parts of `each` that fall by chance: their expected loads in order of size, at salts in no order.
fn by_chance(loads: &mut [f64], total: f64, each: f64, seed: u64) {
    let n = loads.len().max(1) as f64;
    let deviation = (total * each * (1.0 - 1.0 / n) / n).sqrt();
    let mut order: Vec<usize> = (0..loads.len()).collect();
    order.sort_by_key(|at| xxh3_64(&pair(seed, *at as u64)));
    let expected: Vec<f64> = (1..=loads.len())
        .map(|rank| {
            let share = (rank as f64 - 0.375) / (n + 0.25);
            let deviations = (share.powf(0.135) - (1.0 - share).powf(0.135)) / 0.1975;
            (total / n + deviation * deviations).max(0.0)
        })
        .collect();
    let sum: f64 = expected.iter().sum();
    let scale = if sum > 0.0 { total / sum } else { 0.0 };
    for (at, load) in order.into_iter().zip(expected) {
        if let Some(salt) = loads.get_mut(at) {
            *salt += load * scale;
        }
    }
}

/// Whole numbers in the proportions of `loads` whose sum is `total`.
fn whole(loads: &[f64], total: u64) -> Vec<u64> {
    let sum: f64 = loads.iter().sum();
    let scale = if sum > 0.0 { total as f64 / sum } else { 0.0 };
    let (mut until, mut before) = (0.0, 0);
    let mut rounded = Vec::with_capacity(loads.len());
    for load in loads {
        until += load * scale;
        let next = formulas::rounded(until).clamp(before, total);
        rounded.push(next - before);
        before = next;
    }
    if let Some(last) = rounded.last_mut() {
        *last += total - before;
    }
    rounded
}

#[cfg(test)]
mod tests {
    use polars::prelude::{DataFrame, df};
    use xxhash_rust::xxh3::xxh3_64;

    use super::super::count::{CountBudget, KeyCounter};
    use super::super::remedy::Prediction;
    use super::super::types::Weight;
    use super::{Dealt, whole};
    use crate::base::Accuracy;
    use crate::dataset::row_bytes;

    /// How the rows of the most frequent key fall on `n_salts`; none of those that it is said to have is lost.
    fn dealt(df: &DataFrame, budget: CountBudget, n_salts: usize) -> Dealt {
        let mut counter = KeyCounter::new(&["k"], budget).unwrap();
        for start in (0..df.height()).step_by(1000) {
            counter.add(&df.slice(start.cast_signed() as i64, 1000)).unwrap();
        }
        let counts = counter.finish(Accuracy::Exact);
        let key = &counts.keys()[0];
        let dealt = counts.totals.equal_rows.deal(
            counts.hash_of(key),
            key.n_rows,
            key.n_bytes,
            n_salts,
            Weight::Rows,
        );
        assert_eq!(dealt.loads.iter().sum::<u64>(), key.n_rows);
        dealt
    }

    /// Rows of `hot` by salt, dealt one by one.
    fn by_one(df: &DataFrame, n_salts: u64) -> Vec<u64> {
        let mut loads = vec![0; usize::try_from(n_salts).unwrap()];
        let keys: Vec<bool> = df
            .column("k")
            .unwrap()
            .str()
            .unwrap()
            .iter()
            .map(|k| k == Some("hot"))
            .collect();
        let mut row = 0;
        row_bytes::for_each_row(df.columns(), |bytes| {
            if keys[row] {
                loads[usize::try_from(xxh3_64(bytes) % n_salts).unwrap()] += 1;
            }
            row += 1;
        })
        .unwrap();
        loads
    }

    fn rows(n: i64, id: impl Fn(i64) -> i64) -> DataFrame {
        df!(
            "k" => (0..n).map(|i| if i % 2 == 0 { "hot".to_owned() } else { format!("k{i}") }).collect::<Vec<_>>(),
            "id" => (0..n).map(id).collect::<Vec<_>>(),
        )
        .unwrap()
    }

    #[test]
    fn every_row_that_was_counted_falls_where_the_step_puts_it() {
        let df = rows(20_000, |i| i);
        let told = dealt(&df, CountBudget::default(), 70);
        assert_eq!(told.prediction, Prediction::Counted);
        assert_eq!((told.loads, told.n_equal), (by_one(&df, 70), 1));
    }

    #[test]
    fn equal_rows_stay_together_also_when_there_are_too_many_rows_to_count_each() {
        let copies = |i: i64| if i % 10 < 6 { 0 } else { i };
        let df = rows(200_000, copies);
        for (budget, expected) in [
            (CountBudget::default(), Prediction::Counted),
            (
                CountBudget {
                    n_bytes: 4 << 20,
                    sample_keys: 1000,
                },
                Prediction::Estimate,
            ),
        ] {
            let told = dealt(&df, budget, 70);
            assert_eq!(told.prediction, expected);
            let max = |loads: &[u64]| *loads.iter().max().unwrap() as f64;
            let is = max(&by_one(&df, 70));
            assert!(
                is > 59_000.0 && (max(&told.loads) / is - 1.0).abs() < 0.05,
                "{told:?}"
            );
            assert!(told.n_equal > 55_000 && told.n_equal < 65_000, "{}", told.n_equal);
        }
    }

    #[test]
    fn what_falls_by_chance_is_told_with_the_largest_that_is_to_be_expected() {
        let df = rows(200_000, |i| i);
        let budget = CountBudget {
            n_bytes: 4 << 20,
            sample_keys: 1000,
        };
        let told = dealt(&df, budget, 110);
        assert_eq!(told.prediction, Prediction::Estimate);
        let max = |loads: &[u64]| *loads.iter().max().unwrap() as f64;
        let (is, even) = (max(&by_one(&df, 110)), 100_000.0 / 110.0);
        assert!(is > even * 1.05, "chance alone makes one larger: {is} of {even}");
        assert!(
            (max(&told.loads) / is - 1.0).abs() < 0.03,
            "{} {is}",
            max(&told.loads)
        );
        // Each row a few times: fewer fall, so they fall less evenly.
        let df = rows(200_000, |i| i / 200);
        let told = dealt(&df, budget, 110);
        let is = max(&by_one(&df, 110));
        assert!(
            (max(&told.loads) / is - 1.0).abs() < 0.25,
            "{} {is}",
            max(&told.loads)
        );
        assert!(max(&told.loads) > even * 1.5);
    }

    #[test]
    fn rows_of_which_not_all_columns_were_read_are_told_at_best() {
        let df = rows(2000, |i| i).select(["k"]).unwrap();
        let mut counter = KeyCounter::new(&["k"], CountBudget::default())
            .unwrap()
            .of_some_columns();
        counter.add(&df).unwrap();
        let counts = counter.finish(Accuracy::Exact);
        let key = &counts.keys()[0];
        let told =
            counts
                .totals
                .equal_rows
                .deal(counts.hash_of(key), key.n_rows, key.n_bytes, 7, Weight::Rows);
        assert_eq!(told.prediction, Prediction::AtBest);
        assert_eq!(told.loads.iter().sum::<u64>(), 1000);
        // Where all columns are those of the key, all its rows are equal.
        let told = dealt(&df, CountBudget::default(), 7);
        assert_eq!((told.prediction, told.n_equal), (Prediction::Counted, 1000));
        assert_eq!(told.loads.iter().filter(|load| **load > 0).count(), 1);
    }

    #[test]
    fn whole_numbers_keep_the_sum() {
        assert_eq!(whole(&[1.0, 1.0, 1.0], 10).iter().sum::<u64>(), 10);
        assert_eq!(whole(&[0.0, 0.0], 3), [0, 3]);
        assert!(whole(&[], 0).is_empty());
    }
}

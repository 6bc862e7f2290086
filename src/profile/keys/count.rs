//! Counts keys over batches of rows: each key exactly until a budget of memory is used, sketches from then on.
//!
//! One counter a thread, merged at the end in any order. Null is a key like any other. Floats are taken as Spark's grouping
//! takes them: -0.0 is 0.0, and there is one NaN.

use polars::prelude::{Column, DataFrame, DataType};
use thiserror::Error;
use xxhash_rust::xxh3::xxh3_64;

use super::counts::{KeyCounts, Totals};
use super::field::{key_column, key_field, key_fields};
use super::sketch::Sketches;
use super::table::KeyTable;
use super::weigh::row_weights;
use crate::base::{Accuracy, Cancel, nearest};
use crate::dataset::{dtype_name, row_bytes};

/// How much a counter may hold.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CountBudget {
    /// Memory of one counter. Exact counts may take most of it; then sketches in a quarter of it replace them.
    pub n_bytes: usize,
    /// Keys of the uniform sample that stands for those that are not frequent.
    pub sample_keys: usize,
}

impl Default for CountBudget {
    fn default() -> Self {
        Self {
            n_bytes: 128 << 20,
            sample_keys: 1 << 16,
        }
    }
}

/// Why keys cannot be counted or hashed.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum KeyError {
    #[error("a key needs at least one column")]
    NoColumns,
    #[error("column `{name}` not found{hint}")]
    UnknownColumn { name: String, hint: String },
    #[error("column `{name}` is {dtype}, which cannot be a key: use `cast` or `derive` first")]
    Unhashable { name: String, dtype: String },
    #[error("counters of different keys cannot be merged: {left} and {right}")]
    OtherKey { left: String, right: String },
    /// Values that the chosen type of Spark cannot hold.
    #[error(
        "value {value} of column `{name}` does not fit Spark's `{spark_type}`: choose another type for it"
    )]
    Misfit {
        name: String,
        value: String,
        spark_type: String,
    },
    #[error("{n_types} Spark types for {n_columns} columns: give one for each")]
    TypeCount { n_types: usize, n_columns: usize },
    #[error("{message}")]
    Compute { message: String },
}

/// Canonical bytes longer than this are kept as their beginning and hash, so that nobody's texts fill the memory.
const MAX_KEY_BYTES: usize = 1024;
/// The tag of a key that was shortened, before its hash and its beginning as a text. See `value.rs`.
pub(super) const LONG_KEY_TAG: u8 = 0xff;
const LONG_KEY_CHARS: usize = 64;

/// Counts the keys of some columns.
#[derive(Debug, Clone)]
pub struct KeyCounter {
    columns: Vec<(String, DataType)>,
    has_types: bool,
    budget: CountBudget,
    n_rows: u64,
    n_bytes: u64,
    n_normalized: u64,
    n_long: u64,
    mode: Mode,
}

#[derive(Debug, Clone)]
enum Mode {
    Exact(KeyTable),
    Sketch(Box<Sketches>),
}

impl KeyCounter {
    /// A counter of the key that `columns` make together, in this order, which Spark's hash depends on. A name is a column,
    /// or a field of a struct by its dotted path.
    ///
    /// # Errors
    /// [`KeyError::NoColumns`].
    pub fn new<S: AsRef<str>>(columns: &[S], budget: CountBudget) -> Result<Self, KeyError> {
        if columns.is_empty() {
            return Err(KeyError::NoColumns);
        }
        Ok(Self {
            columns: columns
                .iter()
                .map(|name| (name.as_ref().to_owned(), DataType::Null))
                .collect(),
            has_types: false,
            budget,
            n_rows: 0,
            n_bytes: 0,
            n_normalized: 0,
            n_long: 0,
            mode: Mode::Exact(KeyTable::default()),
        })
    }

    /// Checks the key's columns against a schema before any row is read.
    ///
    /// # Errors
    /// [`KeyError`] for a column that is missing or of a type that no key can have.
    pub fn check(&self, schema: &polars::prelude::Schema) -> Result<(), KeyError> {
        for (name, _) in &self.columns {
            match key_field(schema, name) {
                None => {
                    let fields = key_fields(schema);
                    let known = fields.iter().map(|(name, _)| name.as_str());
                    return Err(KeyError::UnknownColumn {
                        name: name.clone(),
                        hint: nearest(name, known)
                            .map_or_else(String::new, |n| format!(": did you mean `{n}`?")),
                    });
                }
                Some((_, dtype)) if !row_bytes::is_encodable(dtype) => {
                    return Err(KeyError::Unhashable {
                        name: name.clone(),
                        dtype: dtype_name(dtype),
                    });
                }
                Some(_) => {}
            }
        }
        Ok(())
    }

    /// Adds the rows of a batch. Its other visible columns count for the weight of a row alone.
    ///
    /// # Errors
    /// As [`Self::check`].
    pub fn add(&mut self, df: &DataFrame) -> Result<(), KeyError> {
        self.check(df.schema())?;
        let keys = self
            .columns
            .iter()
            .map(|(name, _)| key_column(df, name))
            .collect::<Result<Vec<Column>, _>>()
            .map_err(|error| KeyError::Compute {
                message: error.to_string(),
            })?;
        for ((_, dtype), column) in self.columns.iter_mut().zip(&keys) {
            if *dtype == DataType::Null {
                *dtype = column.dtype().clone();
            }
        }
        self.has_types = true;
        self.n_normalized += keys.iter().map(n_normalized).sum::<u64>();
        let failed = |error: polars::prelude::PolarsError| KeyError::Compute {
            message: error.to_string(),
        };
        let weights = row_weights(df).map_err(failed)?;
        self.n_rows += df.height() as u64;
        self.n_bytes += weights.iter().sum::<u64>();
        let (mut row, mut n_long) = (0, 0);
        let mode = &mut self.mode;
        row_bytes::for_each_row(&keys, |key| {
            let weight = weights.get(row).copied().unwrap_or(0);
            row += 1;
            if key.len() > MAX_KEY_BYTES {
                n_long += 1;
                mode.add(&shortened(key), 1, weight);
            } else {
                mode.add(key, 1, weight);
            }
        })
        .map_err(failed)?;
        self.n_long += n_long;
        self.keep_to_budget();
        Ok(())
    }

    /// Adds what another counter of the same key has counted.
    ///
    /// # Errors
    /// [`KeyError::OtherKey`].
    pub fn merge(&mut self, other: Self) -> Result<(), KeyError> {
        self.merge_until(other, &Cancel::new(), 0)
    }

    /// As [`Self::merge`]; once `cancel` comes, exact counts of more than `n_keys` keys are given up on both sides, which
    /// takes a few looks at each.
    ///
    /// # Errors
    /// As [`Self::merge`].
    pub fn merge_until(&mut self, other: Self, cancel: &Cancel, n_keys: usize) -> Result<(), KeyError> {
        let names = |counter: &Self| {
            let names: Vec<&str> = counter.columns.iter().map(|(name, _)| name.as_str()).collect();
            names.join(", ")
        };
        if !self
            .columns
            .iter()
            .map(|(name, _)| name)
            .eq(other.columns.iter().map(|(name, _)| name))
        {
            return Err(KeyError::OtherKey {
                left: names(self),
                right: names(&other),
            });
        }
        for ((_, mine), (_, theirs)) in self.columns.iter_mut().zip(&other.columns) {
            if *mine == DataType::Null {
                *mine = theirs.clone();
            }
        }
        self.has_types |= other.has_types;
        self.n_rows += other.n_rows;
        self.n_bytes += other.n_bytes;
        self.n_normalized += other.n_normalized;
        self.n_long += other.n_long;
        match (&mut self.mode, other.mode) {
            (Mode::Sketch(mine), Mode::Exact(table)) => mine.add_counted(table.iter()),
            (Mode::Exact(mine), Mode::Exact(table)) => {
                let n_added = add_until(mine, &table, cancel);
                if n_added < table.len() {
                    self.condense(n_keys);
                    self.add_rest(&table, n_added);
                }
            }
            (Mode::Sketch(mine), Mode::Sketch(theirs)) => mine.merge(&theirs),
            (mode @ Mode::Exact(_), Mode::Sketch(theirs)) => {
                let exact = std::mem::replace(mode, Mode::Sketch(theirs));
                if let (Mode::Sketch(mine), Mode::Exact(table)) = (mode, exact) {
                    mine.add_counted(table.iter());
                }
            }
        }
        self.keep_to_budget();
        Ok(())
    }

    /// Adds the keys of a table from the one on at `start`.
    fn add_rest(&mut self, table: &KeyTable, start: usize) {
        match &mut self.mode {
            Mode::Sketch(mine) => mine.add_counted(table.iter().skip(start)),
            Mode::Exact(mine) => {
                for key in table.iter().skip(start) {
                    mine.add(key.hash, key.key, key.n_rows, key.n_bytes);
                }
            }
        }
    }

    /// Gives up exact counts of more than `n_keys` keys, and keeps no more of a sample, so that what follows takes no
    /// longer than for so many.
    pub fn condense(&mut self, n_keys: usize) {
        match &mut self.mode {
            Mode::Exact(table) if table.len() > n_keys => {
                self.budget.sample_keys = self.budget.sample_keys.min(n_keys);
                self.sketch(true);
            }
            Mode::Exact(_) => {}
            Mode::Sketch(sketches) => sketches.shrink_sample(n_keys),
        }
    }

    /// Rows that were counted.
    pub fn n_rows(&self) -> u64 {
        self.n_rows
    }

    /// Memory that is held, in bytes.
    pub fn memory_bytes(&self) -> usize {
        match &self.mode {
            Mode::Exact(table) => table.memory_bytes(),
            Mode::Sketch(sketches) => sketches.memory_bytes(),
        }
    }

    /// What was counted. `accuracy` says whether all rows were read.
    pub fn finish(&self, accuracy: Accuracy) -> KeyCounts {
        match &self.mode {
            Mode::Exact(table) => KeyCounts::of_table(self.totals(accuracy), table),
            Mode::Sketch(sketches) => KeyCounts::of_sketches(self.totals(accuracy), sketches, None),
        }
    }

    /// As [`Self::finish`], with the `n_keys` largest keys alone, so that whoever cancelled has an answer at once. The
    /// other keys are told by their sums, as if they were spread evenly; what is said is partial.
    pub fn finish_largest(&self, n_keys: usize) -> KeyCounts {
        let totals = self.totals(Accuracy::Partial { n: self.n_rows });
        match &self.mode {
            Mode::Exact(table) => KeyCounts::of_largest(totals, table, n_keys),
            Mode::Sketch(sketches) => KeyCounts::of_sketches(totals, sketches, Some(n_keys)),
        }
    }

    fn totals(&self, accuracy: Accuracy) -> Totals {
        Totals {
            columns: self.columns.clone(),
            n_rows: self.n_rows,
            n_bytes: self.n_bytes,
            n_normalized: self.n_normalized,
            n_long: self.n_long,
            accuracy,
        }
    }

    /// Replaces exact counts by sketches when they have outgrown the budget.
    fn keep_to_budget(&mut self) {
        let Mode::Exact(table) = &self.mode else {
            return;
        };
        // Room for the next growth, and for the sketches while both are held.
        if table.memory_bytes() <= self.budget.n_bytes / 8 * 5 && !table.is_full() {
            return;
        }
        self.sketch(false);
    }

    /// In brief, with less looks at each key, when somebody waits.
    fn sketch(&mut self, is_brief: bool) {
        let Mode::Exact(table) = &self.mode else {
            return;
        };
        let sketches = Sketches::new(self.budget.n_bytes / 4, table.mean_len(), self.budget.sample_keys);
        let Some(mut sketches) = sketches else {
            return;
        };
        if is_brief {
            sketches = sketches.in_brief();
        }
        sketches.add_counted(table.iter());
        self.mode = Mode::Sketch(Box::new(sketches));
    }
}

impl Mode {
    fn add(&mut self, key: &[u8], n_rows: u64, n_bytes: u64) {
        let hash = xxh3_64(key);
        match self {
            Self::Exact(table) => {
                table.add(hash, key, n_rows, n_bytes);
            }
            Self::Sketch(sketches) => sketches.add(hash, key, n_rows, n_bytes),
        }
    }
}

/// Keys that are added before somebody looks whether to go on.
const KEYS_A_LOOK: usize = 8192;

/// Adds the keys of a table to another until a cancel comes. Returns how many were added.
fn add_until(mine: &mut KeyTable, table: &KeyTable, cancel: &Cancel) -> usize {
    let mut n_added = 0;
    for key in table.iter() {
        if n_added % KEYS_A_LOOK == 0 && cancel.is_cancelled() {
            break;
        }
        mine.add(key.hash, key.key, key.n_rows, key.n_bytes);
        n_added += 1;
    }
    n_added
}

/// The beginning of a long key with its hash, which tells it from others.
fn shortened(key: &[u8]) -> Vec<u8> {
    // The first value's text starts after a tag and a length, where it is a text.
    let text = String::from_utf8_lossy(
        key.get(9..)
            .unwrap_or_default()
            .get(..4 * LONG_KEY_CHARS)
            .unwrap_or_default(),
    )
    .chars()
    .filter(|c| !c.is_control())
    .take(LONG_KEY_CHARS)
    .collect::<String>();
    let mut bytes = vec![LONG_KEY_TAG];
    bytes.extend(xxh3_64(key).to_le_bytes());
    bytes.extend((text.len() as u64).to_le_bytes());
    bytes.extend(text.as_bytes());
    bytes
}

/// Values that are not kept as they are: -0.0, and NaN of another form than the usual one.
fn n_normalized(column: &Column) -> u64 {
    let values = column.as_materialized_series();
    let n = match column.dtype() {
        DataType::Float64 => values.f64().map(|values| {
            let is_other = |n: &f64| {
                n.to_bits() == (-0.0_f64).to_bits() || (n.is_nan() && n.to_bits() != 0x7ff8_0000_0000_0000)
            };
            values.iter().flatten().filter(is_other).count()
        }),
        DataType::Float32 => values.f32().map(|values| {
            let is_other =
                |n: &f32| n.to_bits() == (-0.0_f32).to_bits() || (n.is_nan() && n.to_bits() != 0x7fc0_0000);
            values.iter().flatten().filter(is_other).count()
        }),
        _ => return 0,
    };
    n.map_or(0, |n| n as u64)
}

#[cfg(test)]
#[path = "count_tests.rs"]
mod tests;

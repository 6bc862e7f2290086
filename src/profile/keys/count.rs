//! Counts keys over batches of rows: each key exactly until a budget of memory is used, sketches from then on.
//!
//! One counter a thread, merged at the end in any order. Null is a key like any other. Floats are taken as Spark's grouping
//! takes them: -0.0 is 0.0, and there is one NaN.

use std::sync::Arc;

use polars::prelude::{Column, DataFrame, DataType, Schema};
use thiserror::Error;
use xxhash_rust::xxh3::xxh3_64;

use super::counts::{KeyCounts, Totals};
use super::equal_rows::{FrequentRows, RowTally};
use super::field::{key_column, key_field, key_fields};
use super::tally::{Mode, Tally};
use super::types::WrittenType;
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
    n_rows: u64,
    n_bytes: u64,
    n_normalized: u64,
    n_long: u64,
    written_types: Vec<WrittenType>,
    keys: Tally,
    /// Which rows of frequent keys are equal; none where the rows have other columns that are not read.
    rows: Option<RowTally>,
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
            n_rows: 0,
            n_bytes: 0,
            n_normalized: 0,
            n_long: 0,
            written_types: Vec::new(),
            keys: Tally::new(budget),
            rows: Some(RowTally::new(budget)),
        })
    }

    /// For batches that lack columns of the rows: nothing is known then of rows that are equal.
    #[must_use]
    pub fn of_some_columns(mut self) -> Self {
        self.rows = None;
        self
    }

    /// Tells types that columns have where they are written.
    #[must_use]
    pub fn with_written_types(mut self, types: Vec<WrittenType>) -> Self {
        self.written_types = types;
        self
    }

    /// Checks the key's columns against a schema before any row is read.
    ///
    /// # Errors
    /// [`KeyError`] for a column that is missing or of a type that no key can have.
    pub fn check(&self, schema: &Schema) -> Result<(), KeyError> {
        for (name, _) in &self.columns {
            match key_field(schema, name) {
                None => {
                    return Err(KeyError::UnknownColumn {
                        name: name.clone(),
                        hint: hint(name, schema),
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
        let n_before = self.n_rows;
        self.n_rows += df.height() as u64;
        self.n_bytes += weights.iter().sum::<u64>();
        let (mut row, mut n_long) = (0, 0);
        let mut frequent = FrequentRows::new(n_before, df.height());
        let tally = &mut self.keys;
        row_bytes::for_each_row(&keys, |key| {
            let weight = weights.get(row).copied().unwrap_or(0);
            row += 1;
            if key.len() > MAX_KEY_BYTES {
                n_long += 1;
                let key = shortened(key);
                tally.add(xxh3_64(&key), &key, 1, weight);
                frequent.push_other();
            } else {
                let hash = xxh3_64(key);
                frequent.push(hash, tally.add_counting(hash, key, 1, weight));
            }
        })
        .map_err(failed)?;
        self.n_long += n_long;
        self.keys.keep_to_budget();
        if let Some(rows) = &mut self.rows {
            rows.add(df, &keys, &frequent, &weights).map_err(failed)?;
        }
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
        self.keys.merge_until(other.keys, cancel, n_keys);
        self.rows = match (self.rows.take(), other.rows) {
            (Some(mut mine), Some(theirs)) => {
                mine.merge_until(theirs, cancel, n_keys);
                Some(mine)
            }
            _ => None,
        };
        Ok(())
    }

    /// Gives up exact counts of more than `n_keys` keys, and keeps no more of a sample, so that what follows takes no
    /// longer than for so many.
    pub fn condense(&mut self, n_keys: usize) {
        self.keys.condense(n_keys);
        if let Some(rows) = &mut self.rows {
            rows.condense(n_keys);
        }
    }

    /// Rows that were counted.
    pub fn n_rows(&self) -> u64 {
        self.n_rows
    }

    /// Memory that is held, in bytes.
    pub fn memory_bytes(&self) -> usize {
        self.keys.memory_bytes() + self.rows.as_ref().map_or(0, RowTally::memory_bytes)
    }

    /// What was counted. `accuracy` says whether all rows were read.
    pub fn finish(&self, accuracy: Accuracy) -> KeyCounts {
        match self.keys.mode() {
            Mode::Exact(table) => KeyCounts::of_table(self.totals(accuracy), table),
            Mode::Sketch(sketches) => KeyCounts::of_sketches(self.totals(accuracy), sketches, None),
        }
    }

    /// As [`Self::finish`], with the `n_keys` largest keys alone, so that whoever cancelled has an answer at once. The
    /// other keys are told by their sums, as if they were spread evenly; what is said is partial.
    pub fn finish_largest(&self, n_keys: usize) -> KeyCounts {
        let totals = self.totals(Accuracy::Partial { n: self.n_rows });
        match self.keys.mode() {
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
            equal_rows: Arc::new(self.rows.as_ref().map(RowTally::finish).unwrap_or_default()),
            written_types: self.written_types.clone(),
            accuracy,
        }
    }
}

/// What may be meant by a name that leads nowhere.
fn hint(name: &str, schema: &Schema) -> String {
    let plain = name.replace('`', "");
    if plain != name {
        return if key_field(schema, &plain).is_some() {
            format!(": names are written without backticks: did you mean `{plain}`?")
        } else {
            format!(": names are written without backticks{}", hint(&plain, schema))
        };
    }
    if let Some(list) = list_before(name, schema) {
        return format!(
            ": `{list}` is a list, and a field of its items is not one value a row. Accepted are columns, fields of structs by \
             their path (`user.country`), and `{list}` as a whole; for a field of the items, make rows of them first, with the \
             step `explode`"
        );
    }
    let fields = key_fields(schema);
    let known = fields.iter().map(|(name, _)| name.as_str());
    nearest(name, known).map_or_else(String::new, |near| format!(": did you mean `{near}`?"))
}

/// The list of which `name` would be a field of an item, by its dotted path.
fn list_before<'a>(name: &'a str, schema: &Schema) -> Option<&'a str> {
    let mut starts = name
        .match_indices(['.', '['])
        .filter_map(|(at, _)| name.get(..at));
    starts.rfind(|start| matches!(key_field(schema, start), Some((_, DataType::List(_)))))
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

//! What the values of each column are: nulls, distinct values, spread, frequent values, lengths, times, conflicts of type.
//!
//! A profile is collected batch by batch, several at once, and merged: what was merged equals what one would have
//! collected, within the error that each figure carries. Nested fields are columns of their own, by path: `location.city`,
//! and `tags[]` for the items of a list.
//!
//! | file | answers |
//! |---|---|
//! | `profiler` | which accumulator a column has, and what becomes of a batch |
//! | `numbers`, `decimals`, `texts` | figures of numbers and times, of decimals, of texts |
//! | `distinct`, `frequent`, `quantiles` | the three that stay small: exact for few values, sketches for many |
//! | `sampled` | some values with their counts, the same ones in every profile |
//! | `nested` | a hash for each row of a list or struct |
//! | `histogram` | bins that a person would choose |

mod decimals;
mod distinct;
mod frequent;
mod histogram;
mod nested;
mod numbers;
mod profiler;
mod quantiles;
mod sampled;
#[cfg(test)]
mod tests;
mod texts;

use serde::{Deserialize, Serialize};

pub use profiler::ColumnProfiler;
pub use sampled::ValueSample;

use crate::base::Accuracy;

/// How much is collected.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Level {
    /// Counts, nulls, distinct values, least and greatest value, mean, standard deviation and quartiles: what `DuckDB`'s
    /// `SUMMARIZE` gives.
    Summary,
    /// Frequent values, histograms, finer quantiles and the spread of lengths besides.
    #[default]
    Full,
}

/// One value, as JSON has it. Times are ISO 8601, and what JSON cannot say (`inf`) is text.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum Scalar {
    Bool(bool),
    Int(i64),
    /// Beyond the greatest `Int`.
    UInt(u64),
    Float(f64),
    Text(String),
}

/// How exact one kind of figure of a column is.
#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize, Deserialize)]
pub struct FigureAccuracy {
    #[serde(flatten)]
    pub accuracy: Accuracy,
    /// For an estimate, how far it may be off, as a share 0..=1: of the distinct values (one standard error), of the
    /// ranks of quantiles and of counts in the histogram (99% of the time), of all values for a count in `top` (never
    /// more). 0 where only values are rounded, to the 53 binary digits that a float has.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub error: Option<f64>,
}

impl FigureAccuracy {
    pub const EXACT: Self = Self {
        accuracy: Accuracy::Exact,
        error: None,
    };

    pub fn estimate(error: f64) -> Self {
        Self {
            accuracy: Accuracy::Estimate,
            error: Some(error),
        }
    }

    pub fn is_exact(self) -> bool {
        self.accuracy.is_exact()
    }
}

/// Accuracies of a column's figures with regard to the rows that were read. All others are exact.
#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize, Deserialize)]
pub struct FigureAccuracies {
    pub n_distinct: FigureAccuracy,
    pub quantiles: FigureAccuracy,
    pub histogram: FigureAccuracy,
    pub top: FigureAccuracy,
}

/// The value at a rank.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Quantile {
    /// 0..=1
    pub q: f64,
    /// The least value with a share of at least `q` at or below it.
    pub value: Scalar,
}

/// A frequent value.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct TopValue {
    /// A long text is cut, with an ellipsis.
    pub value: Scalar,
    /// At least so many; exactly so many where `top` is exact.
    pub n: u64,
    /// Of the values that are not null, 0..=1.
    pub share: f64,
}

/// How the bins of a histogram were chosen.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Scale {
    /// One bin for each integer.
    Integer,
    Linear,
    /// Each bin is the same factor wider than the one before. What is at or below zero is in the first.
    Log,
    /// Hours, days, months.
    Time,
}

/// Values at or above `low` and below `high`; the last bin has `high` too.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Bin {
    /// Numbers; times in seconds since 1970.
    pub low: f64,
    pub high: f64,
    pub n: u64,
    /// `low` as it is to be read: a number, a date.
    pub label: String,
}

/// Finite values by size, or times.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Histogram {
    pub scale: Scale,
    pub bins: Vec<Bin>,
}

/// Values at the ranks `0, 1/200, .., 1`: enough to compare two profiles.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct Ranks {
    /// Values counted, without null, NaN and infinities.
    pub n: u64,
    /// How far ranks may be off, as a share 0..=1; 0 where every value was counted.
    pub error: f64,
    /// Ascending, 201 of them. Times are in seconds since 1970.
    pub values: Vec<f64>,
}

/// Ranks between the least and the greatest value in [`Ranks`].
pub const N_RANK_STEPS: usize = 200;

/// Lengths of texts in characters, or of lists in items. Null has none.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Lengths {
    pub min: u64,
    pub mean: f64,
    pub max: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub histogram: Option<Histogram>,
    #[serde(skip)]
    pub ranks: Option<Ranks>,
}

/// Values of another type than the column's, which are null here.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TypeConflict {
    pub n: u64,
    pub expected: String,
    /// The first of them: `string "n/a"`.
    pub first_got: String,
    pub first_object: String,
    pub first_line: u64,
}

/// What is known of one column.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct ColumnProfile {
    /// Path: `title`, `location.city`, `tags[]`.
    pub name: String,
    /// In the words of a schema: `int64`, `list<string>`.
    pub dtype: String,
    /// Rows; for the items of a list, items.
    pub n_rows: u64,
    /// Rows with null, without those that lack the key. A field of a struct that is null is null.
    pub n_null: u64,
    /// Records that lack the key. None where the rows are not as they were read, such as after a recipe.
    pub n_missing: Option<u64>,
    /// Without null; `NaN` is a value, and -0.0 is 0.0. Of lists and structs, whole ones.
    pub n_distinct: Option<u64>,
    /// Without `NaN`. A long text is cut; a decimal of more than 15 digits is text, if it is no `Int`.
    pub min: Option<Scalar>,
    pub max: Option<Scalar>,
    /// Of finite numbers; of bools, the share that is true. Times have none.
    pub mean: Option<f64>,
    /// Sample standard deviation (n - 1) of finite numbers.
    pub std: Option<f64>,
    /// Of finite numbers and times.
    pub quantiles: Vec<Quantile>,
    /// Most frequent first, at the full level.
    pub top: Vec<TopValue>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub histogram: Option<Histogram>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub lengths: Option<Lengths>,
    /// Texts without a character.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub n_empty: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub n_nan: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub n_infinite: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub conflict: Option<TypeConflict>,
    /// Finite numbers and times, to compare with another profile.
    #[serde(skip)]
    pub ranks: Option<Ranks>,
    /// Some of the texts, to compare with another profile; at the full level.
    #[serde(skip)]
    pub sample: Option<ValueSample>,
    pub accuracy: FigureAccuracies,
}

impl ColumnProfile {
    /// Values that are there and not null.
    pub fn n_values(&self) -> u64 {
        self.n_rows
            .saturating_sub(self.n_null)
            .saturating_sub(self.n_missing.unwrap_or(0))
    }

    /// Share of rows without a value, missing keys included, 0..=1. None without rows.
    pub fn null_share(&self) -> Option<f64> {
        let n = self.n_null + self.n_missing.unwrap_or(0);
        (self.n_rows > 0).then(|| n as f64 / self.n_rows as f64)
    }
}

//! What steps share that learn from data: each states what it learns and how it applies that, the rest is here.
//!
//! What was learned stands in the recipe under `fitted`, and is applied row by row. With `refit` it is learned in each run
//! from all rows of the partition instead. A step may not be used before it was fitted, nor after a parameter changed
//! that decides what is learned.
//!
//! One definition holds for every step: a quantile `q` of `n` numbers is the smallest of them that at least a share `q` of
//! them does not exceed, the number at rank `ceil(q * n)`, as Spark's `approxQuantile` gives it for an error of zero.
//! Null, `NaN` and infinities are not learned from.

use std::collections::HashMap;
use std::sync::Arc;

use polars::prelude::{
    AllowedOptimizations, Column, DataFrame, DataType, IntoColumn, LazyFrame, PolarsError, PolarsResult,
    Schema, StringChunked,
};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::Step;
use crate::base::units;
use crate::dataset::origin;
use crate::transform::python::{self, Python};
use crate::transform::step::{Behaviour, column_type, shortened, wrong_type};
use crate::transform::{CheckError, FitSource, FitState, Fitted, Inputs, Scope};

/// A step that learns from data.
pub(super) trait Learns: Clone + Send + Sync + 'static {
    /// What is learned. Its default is what nothing teaches: a partition without a single value.
    type Values: Clone + Default + Serialize + Send + Sync + 'static;

    fn fitted(&self) -> Option<&Fitted<Self::Values>>;

    /// The step with what was learned.
    fn with_fitted(self, fitted: Fitted<Self::Values>) -> Step;

    /// Whether the step learns in each run, from all rows of the partition.
    fn is_refit(&self) -> bool;

    /// The parameters that decide what is learned, in words: `salary, 10 buckets`.
    fn learned_of(&self) -> String;

    /// Checks every parameter but `fitted`.
    fn check_params(&self, schema: &Schema) -> Result<(), CheckError>;

    /// What the visible rows teach; none when they hold nothing to learn from.
    fn learn(&self, df: &DataFrame) -> Result<Option<Self::Values>, CheckError>;

    /// The columns that the step writes, with their types. `values` are as a person may have edited them.
    fn written(&self, schema: &Schema, values: &Self::Values) -> Result<Vec<(String, DataType)>, CheckError>;

    /// The columns of [`Self::written`], and the hidden column of reasons where the step may reject.
    fn encode(&self, df: &DataFrame, values: &Self::Values) -> PolarsResult<Vec<Column>>;

    /// The step as polars code for Python. Without values, the code learns them from `df`.
    fn code(&self, schema: &Schema, values: Option<&Self::Values>, script: &mut Python)
    -> Result<(), String>;

    fn summary(&self) -> String;

    fn subject(&self) -> String;

    /// The column whose values may be rejected.
    fn rejected_column(&self) -> Option<&str> {
        None
    }
}

/// The first two functions of [`Learns`], for parameters with a field `fitted`.
macro_rules! keeps_fitted {
    ($step:ident) => {
        fn fitted(&self) -> Option<&Fitted<Self::Values>> {
            self.fitted.as_ref()
        }

        fn with_fitted(mut self, fitted: Fitted<Self::Values>) -> Step {
            self.fitted = Some(fitted);
            Step::$step(self)
        }
    };
}

pub(super) use keeps_fitted;

impl<T: Learns> Behaviour for T {
    fn check(&self, schema: &Schema) -> Result<Schema, CheckError> {
        self.check_params(schema)?;
        let written = match (self.is_refit(), self.fitted()) {
            (true, _) => self.written(schema, &T::Values::default())?,
            (false, None) => {
                return Err(CheckError::new("fitted", "not fitted yet")
                    .hint("open the step on a sample in the window, or run `skewer fit`"));
            }
            (false, Some(fitted)) if fitted.of != self.learned_of() => {
                return Err(CheckError::new(
                    "fitted",
                    format!("fitted for `{}`, not for `{}`", fitted.of, self.learned_of()),
                )
                .hint("fit it again in the window, or run `skewer fit`"));
            }
            (false, Some(fitted)) => self.written(schema, &fitted.values)?,
        };
        let mut output = schema.clone();
        for (name, dtype) in written {
            output.with_column(name.into(), dtype);
        }
        Ok(output)
    }

    fn apply(&self, lf: LazyFrame, schema: &Schema) -> Result<LazyFrame, CheckError> {
        let output = self.check(schema)?;
        let rejects = self.rejected_column().is_some();
        let frozen = self.fitted().filter(|_| !self.is_refit());
        let frozen = frozen.map(|fitted| fitted.values.clone());
        let step = self.clone();
        let encode = move |df: DataFrame| step.encoded(df, frozen.as_ref());
        let after = move |before: &Schema| {
            let mut after = before.clone();
            for (name, dtype) in output.iter() {
                after.with_column(name.clone(), dtype.clone());
            }
            if rejects {
                after.with_column(origin::REJECT.into(), DataType::String);
            }
            Ok(Arc::new(after))
        };
        Ok(lf.map(
            encode,
            AllowedOptimizations::empty(),
            Some(Arc::new(after)),
            Some("learned values"),
        ))
    }

    fn python(&self, schema: &Schema, _: &Inputs, script: &mut Python) -> Result<(), String> {
        match self.fitted() {
            _ if self.is_refit() => self.code(schema, None, script),
            Some(fitted) => self.code(schema, Some(&fitted.values), script),
            None => Err("it is not fitted yet".to_owned()),
        }
    }

    fn learns_of(&self) -> Option<String> {
        Some(self.learned_of())
    }

    fn fit_state(&self) -> Option<FitState> {
        Some(match self.fitted() {
            _ if self.is_refit() => FitState::EachRun,
            Some(fitted) if fitted.of == self.learned_of() => fitted.state(),
            _ => FitState::NotFitted,
        })
    }

    fn fit(&self, df: &DataFrame, source: &FitSource) -> Option<Result<Step, CheckError>> {
        let fitted = || {
            self.check_params(df.schema())?;
            let values = self.learn(df)?.ok_or_else(|| {
                CheckError::new(
                    "fitted",
                    format!(
                        "nothing to learn `{}` from in {}",
                        self.subject(),
                        units::plural(df.height() as u64, "row")
                    ),
                )
                .hint("fit it on rows that hold values")
            })?;
            let rows = df.height() as u64;
            let fitted = Fitted::new(self.learned_of(), values, rows, source);
            self.written(df.schema(), &fitted.values)?;
            Ok(self.clone().with_fitted(fitted))
        };
        Some(fitted())
    }

    fn summary(&self) -> String {
        Learns::summary(self)
    }

    fn subject(&self) -> String {
        Learns::subject(self)
    }

    fn scope(&self) -> Scope {
        if self.is_refit() {
            Scope::Partition
        } else {
            Scope::Fitted
        }
    }

    fn column(&self) -> Option<&str> {
        self.rejected_column()
    }

    fn may_reject(&self) -> bool {
        self.rejected_column().is_some()
    }
}

/// What every fitted step does with a batch.
trait Encode: Learns {
    fn encoded(&self, mut df: DataFrame, frozen: Option<&Self::Values>) -> PolarsResult<DataFrame> {
        let learned = match frozen {
            Some(_) => None,
            None => self.learn(&df).map_err(|error| failed(&error))?,
        };
        let values = frozen.cloned().or(learned).unwrap_or_default();
        for column in self.encode(&df, &values)? {
            df.with_column(column)?;
        }
        Ok(df)
    }
}

impl<T: Learns> Encode for T {}

fn failed(error: &CheckError) -> PolarsError {
    PolarsError::ComputeError(error.to_string().into())
}

/// Refuses a column that holds no numbers.
pub(super) fn check_number(schema: &Schema, param: &'static str, column: &str) -> Result<(), CheckError> {
    let dtype = column_type(schema, param, column)?;
    if dtype.is_primitive_numeric() {
        Ok(())
    } else {
        Err(wrong_type(param, column, dtype, "a number").hint("use `cast` first"))
    }
}

/// Refuses a column whose values are no categories: text, whole numbers and booleans are.
pub(super) fn check_categories(schema: &Schema, param: &'static str, column: &str) -> Result<(), CheckError> {
    let dtype = column_type(schema, param, column)?;
    if matches!(dtype, DataType::String | DataType::Boolean) || dtype.is_integer() {
        Ok(())
    } else {
        let hint = if dtype.is_float() {
            "use `bucketize` or `cast` first"
        } else {
            "use `cast` first"
        };
        Err(wrong_type(param, column, dtype, "text, a whole number or a boolean").hint(hint))
    }
}

/// Refuses a share outside of 0 to 1.
pub(super) fn check_share(param: &'static str, share: f64) -> Result<(), CheckError> {
    if (0.0..=1.0).contains(&share) {
        Ok(())
    } else {
        Err(CheckError::new(param, format!("`{param}` is {share}")).hint("write a number from 0 to 1"))
    }
}

/// The finite numbers of a column, in its order.
pub(super) fn finite_numbers(df: &DataFrame, column: &str) -> Result<Vec<f64>, CheckError> {
    let numbers = df
        .column(column)
        .and_then(|numbers| numbers.cast(&DataType::Float64))
        .map_err(|error| unreadable(column, &error))?;
    let numbers = numbers.f64().map_err(|error| unreadable(column, &error))?;
    Ok(numbers
        .iter()
        .flatten()
        .filter(|number| number.is_finite())
        .collect())
}

/// As [`finite_numbers`], ascending.
pub(super) fn sorted_numbers(df: &DataFrame, column: &str) -> Result<Vec<f64>, CheckError> {
    let mut numbers = finite_numbers(df, column)?;
    numbers.sort_unstable_by(f64::total_cmp);
    Ok(numbers)
}

/// The same for Python.
pub(super) const PYTHON_FINITE: &str = include_str!("python/finite_numbers.py");

/// The number at rank `ceil(q * n)` of `n` sorted numbers. None of none.
///
/// Source: the inverse of the empirical distribution function, type 1 of Hyndman and Fan (1996).
#[allow(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    clippy::cast_precision_loss,
    reason = "a rank is from 1 to the number of rows, far below 2^52"
)]
pub(super) fn quantile(sorted: &[f64], q: f64) -> Option<f64> {
    let rank = (q * sorted.len() as f64).ceil().max(1.0) as usize;
    // Minus zero is zero, also where a border is compared or written.
    sorted.get(rank - 1).map(|number| number + 0.0)
}

/// The same for Python.
pub(super) const PYTHON_QUANTILE: &str = include_str!("python/quantile.py");

/// A column of categories as text.
pub(super) fn as_text(column: &Column) -> PolarsResult<Column> {
    column.cast(&DataType::String)
}

/// The same for Python.
pub(super) fn text_code(column: &str) -> String {
    format!("{}.cast(pl.String)", python::col(column))
}

/// Every value of a column with how often it occurs, the most frequent first, and of equally frequent ones in Java's
/// order of text (by UTF-16 units), as Spark ML's `frequencyDesc`.
pub(super) fn by_frequency(df: &DataFrame, column: &str) -> Result<Vec<(String, u64)>, CheckError> {
    let texts = df
        .column(column)
        .and_then(as_text)
        .map_err(|error| unreadable(column, &error))?;
    let texts = texts.str().map_err(|error| unreadable(column, &error))?;
    let mut counts: HashMap<&str, u64> = HashMap::new();
    for text in texts.iter().flatten() {
        *counts.entry(text).or_default() += 1;
    }
    let mut counts: Vec<(&str, u64)> = counts.into_iter().collect();
    counts.sort_unstable_by(|(a, n_a), (b, n_b)| {
        let order = || a.encode_utf16().cmp(b.encode_utf16());
        n_b.cmp(n_a).then_with(order)
    });
    Ok(counts.into_iter().map(|(text, n)| (text.to_owned(), n)).collect())
}

/// The same for Python.
pub(super) const PYTHON_BY_FREQUENCY: &str = include_str!("python/by_frequency.py");

/// The values of a column by frequency; none where there are none.
pub(super) fn vocabulary(
    df: &DataFrame,
    column: &str,
    max_values: u32,
) -> Result<Option<Vec<String>>, CheckError> {
    let counts = by_frequency(df, column)?;
    check_vocabulary(column, counts.len(), max_values)?;
    let values: Vec<String> = counts.into_iter().map(|(value, _)| value).collect();
    Ok((!values.is_empty()).then_some(values))
}

/// Refuses more values than a recipe should carry.
pub(super) fn check_vocabulary(column: &str, n_values: usize, max_values: u32) -> Result<(), CheckError> {
    if n_values <= max_values as usize {
        return Ok(());
    }
    Err(CheckError::new(
        "max_values",
        format!(
            "column `{column}` has {} different values, more than {}",
            units::count(n_values as u64),
            units::count(u64::from(max_values))
        ),
    )
    .hint("use `group_rare` or `hash_encode` first, or raise `max_values`"))
}

/// What becomes of a value that was not learned, null among them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum OnUnknown {
    /// The record is rejected and quarantined.
    #[default]
    Reject,
    /// The result is null.
    Null,
    /// All unknown values are one more value, after the last.
    Keep,
}

/// The hidden column of reasons, for rows whose value was not learned.
pub(super) fn unknown_values<'a>(
    texts: &'a StringChunked,
    column: &str,
    is_known: impl Fn(&'a str) -> bool,
) -> Column {
    let reasons: StringChunked = texts
        .iter()
        .map(|text| match text {
            None => Some(format!("null is no known value of `{column}`")),
            Some(text) if is_known(text) => None,
            Some(text) => Some(format!(
                "`{}` is no known value of `{column}`",
                shortened(text, 80)
            )),
        })
        .collect();
    reasons.with_name(origin::REJECT.into()).into_column()
}

fn unreadable(column: &str, error: &PolarsError) -> CheckError {
    CheckError::new(
        "column",
        format!("column `{column}`: {}", crate::transform::expr::short(error)),
    )
}

#[cfg(test)]
mod tests {
    use polars::prelude::df;

    use super::{by_frequency, finite_numbers, quantile};

    #[test]
    fn a_quantile_is_one_of_the_numbers() {
        let numbers = [1.0, 2.0, 3.0, 4.0];
        for (q, expected) in [
            (0.0, 1.0),
            (0.25, 1.0),
            (0.26, 2.0),
            (0.5, 2.0),
            (0.75, 3.0),
            (1.0, 4.0),
        ] {
            assert_eq!(quantile(&numbers, q), Some(expected), "{q}");
        }
        assert_eq!(quantile(&[], 0.5), None);
        assert_eq!(quantile(&[-0.0], 0.5).map(f64::to_bits), Some(0));
    }

    #[test]
    fn only_finite_numbers_teach() {
        let input = df!("x" => [Some(1.0), None, Some(f64::NAN), Some(f64::INFINITY), Some(-2.0)]).unwrap();
        assert_eq!(finite_numbers(&input, "x").unwrap(), [1.0, -2.0]);
        let input = df!("x" => [Some(3_i64), None]).unwrap();
        assert_eq!(finite_numbers(&input, "x").unwrap(), [3.0]);
    }

    #[test]
    fn equally_frequent_values_are_in_the_order_of_utf_16() {
        // U+FF01 is less than U+1F600 as a number, and greater as UTF-16, whose surrogates lie below it.
        let input = df!("t" => ["\u{ff01}", "😀", "b", "", "a", "b", "b", "a", "a", "Z"]).unwrap();
        let counts = by_frequency(&input, "t").unwrap();
        let values: Vec<&str> = counts.iter().map(|(value, _)| value.as_str()).collect();
        assert_eq!(values, ["a", "b", "", "Z", "😀", "\u{ff01}"]);
        assert_eq!(counts[0].1, 3);
        let input = df!("t" => [true, false, true]).unwrap();
        assert_eq!(
            by_frequency(&input, "t").unwrap(),
            [("true".to_owned(), 2), ("false".to_owned(), 1)]
        );
    }
}

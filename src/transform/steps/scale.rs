//! Brings numbers to a common scale, with what it learned of them: Spark ML's scalers.
//!
//! ```yaml
//! - scale: {columns: [salary, age], method: standard}
//! - scale: {columns: [price], method: robust, suffix: _scaled}
//! ```
//!
//! | `method` | result | Spark ML |
//! |---|---|---|
//! | `standard` | (x - mean) / standard deviation of a sample (n - 1) | `StandardScaler` with mean and deviation |
//! | `min_max` | (x - min) / (max - min), from 0 to 1 | `MinMaxScaler` |
//! | `robust` | (x - median) / (third - first quartile) | `RobustScaler` with centering |
//!
//! The step is fitted: it learns mean, limits or quartiles once, from finite numbers alone, keeps them in the recipe and
//! applies them row by row. A value outside of what it learned is scaled alike, so it may lie outside of 0 to 1. Where all
//! numbers learned from are the same, the result is 0 for `standard` and `robust`, and 0.5 for `min_max`, as in Spark.
//! Quartiles are numbers of the data, never between two. The result is float64; null stays null, `NaN` stays `NaN`.
//!
//! With `refit: true` it learns in every run from all rows of a partition: then the same number may give different results
//! on two days.
//!
//! Limits: numbers only, compared as float64. Mean and deviation are sums in the order of the rows; their last digits may
//! differ from Spark's, which adds up in parts.

use std::collections::BTreeMap;

use polars::prelude::{ChunkApply, Column, DataFrame, DataType, IntoColumn, PolarsResult, Schema};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::learn::{
    Learns, PYTHON_FINITE, PYTHON_QUANTILE, check_number, finite_numbers, keeps_fitted, quantile,
    sorted_numbers,
};
use super::{Params, Step};
use crate::transform::python::{self, Python};
use crate::transform::step::{check_new_name, few};
use crate::transform::{CheckError, Fitted};

/// Parameters of `scale`.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Scale {
    /// Columns of numbers.
    #[schemars(length(min = 1), extend("x-input" = "columns"))]
    pub columns: Vec<String>,
    /// How numbers are scaled.
    pub method: Method,
    /// Added to each column's name for the column to write; without it the column itself is written.
    pub suffix: String,
    /// Learn in every run from all rows of the partition.
    pub refit: bool,
    /// What was learned.
    pub fitted: Option<Fitted<BTreeMap<String, Scaling>>>,
}

/// How numbers are scaled.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Method {
    /// Mean 0 and standard deviation 1.
    #[default]
    Standard,
    /// Smallest number 0, largest 1.
    MinMax,
    /// Median 0, and 1 from the first quartile to the third.
    Robust,
}

impl Method {
    fn word(self) -> &'static str {
        match self {
            Self::Standard => "standard",
            Self::MinMax => "min_max",
            Self::Robust => "robust",
        }
    }

    /// What every number gives where all are the same.
    fn constant(self) -> f64 {
        match self {
            Self::MinMax => 0.5,
            Self::Standard | Self::Robust => 0.0,
        }
    }
}

/// How the numbers of one column are scaled: `(x - center) / width`.
#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Scaling {
    /// What becomes 0.
    pub center: f64,
    /// What becomes 1, counted from the center; 0 where all numbers are the same.
    pub width: f64,
}

impl Scaling {
    fn learned(df: &DataFrame, column: &str, method: Method) -> Result<Option<Self>, CheckError> {
        let scaling = match method {
            Method::Standard => mean_and_deviation(&finite_numbers(df, column)?),
            Method::MinMax => {
                let sorted = sorted_numbers(df, column)?;
                quantile(&sorted, 0.0)
                    .zip(quantile(&sorted, 1.0))
                    .map(|(min, max)| (min, max - min))
            }
            Method::Robust => {
                let sorted = sorted_numbers(df, column)?;
                let quartiles = quantile(&sorted, 0.25).zip(quantile(&sorted, 0.75));
                quantile(&sorted, 0.5)
                    .zip(quartiles)
                    .map(|(median, (first, third))| (median, third - first))
            }
        };
        match scaling {
            Some((center, width)) if !center.is_finite() || !width.is_finite() => Err(CheckError::new(
                "columns",
                format!("the numbers of column `{column}` are too large to be scaled"),
            )
            .hint("use `winsorize` or `log1p` first")),
            other => Ok(other.map(|(center, width)| Self { center, width })),
        }
    }
}

/// Mean, and the standard deviation of a sample, 0 for a single number.
///
/// Source: the two-pass formula; numbers are added up in their order, so that any other program may do the same.
#[allow(clippy::cast_precision_loss, reason = "the number of rows is far below 2^52")]
fn mean_and_deviation(numbers: &[f64]) -> Option<(f64, f64)> {
    if numbers.is_empty() {
        return None;
    }
    let n = numbers.len() as f64;
    let mean = numbers.iter().sum::<f64>() / n;
    let squares: f64 = numbers
        .iter()
        .map(|number| (number - mean) * (number - mean))
        .sum();
    let deviation = if numbers.len() > 1 {
        (squares / (n - 1.0)).sqrt()
    } else {
        0.0
    };
    Some((mean, deviation))
}

const PYTHON: &str = include_str!("python/scaling.py");

const PYTHON_SCALE: &str = include_str!("python/scale.py");

impl Scale {
    fn target(&self, column: &str) -> String {
        format!("{column}{}", self.suffix)
    }
}

impl Params for Scale {
    const GROUP: &'static str = "numbers";
    const REQUIRED: &'static [&'static str] = &["columns"];
}

impl Learns for Scale {
    type Values = BTreeMap<String, Scaling>;

    keeps_fitted!(Scale);

    fn is_refit(&self) -> bool {
        self.refit
    }

    fn learned_of(&self) -> String {
        format!("{}: {}", self.columns.join(", "), self.method.word())
    }

    fn check_params(&self, schema: &Schema) -> Result<(), CheckError> {
        if self.columns.is_empty() {
            return Err(CheckError::new("columns", "`columns` is empty").hint("choose at least one column"));
        }
        for (index, column) in self.columns.iter().enumerate() {
            check_number(schema, "columns", column)?;
            check_new_name("suffix", &self.target(column))?;
            if self.columns.iter().take(index).any(|other| other == column) {
                return Err(
                    CheckError::new("columns", format!("column `{column}` stands there twice"))
                        .hint("remove one of the two"),
                );
            }
        }
        Ok(())
    }

    fn learn(&self, df: &DataFrame) -> Result<Option<Self::Values>, CheckError> {
        let mut values = BTreeMap::new();
        for column in &self.columns {
            match Scaling::learned(df, column, self.method)? {
                Some(scaling) => values.insert(column.clone(), scaling),
                // A partition may lack numbers in one column and hold them in the others.
                None if self.refit => values.insert(column.clone(), Scaling::default()),
                None => {
                    return Err(CheckError::new(
                        "fitted",
                        format!("column `{column}` holds no finite number to learn from"),
                    )
                    .hint("fit it on rows that hold values"));
                }
            };
        }
        Ok(Some(values))
    }

    fn written(&self, _: &Schema, values: &Self::Values) -> Result<Vec<(String, DataType)>, CheckError> {
        let missing = self.columns.iter().find(|column| !values.contains_key(*column));
        if let (Some(column), false) = (missing, self.refit) {
            return Err(
                CheckError::new("fitted", format!("nothing was learned of column `{column}`"))
                    .hint("fit it again"),
            );
        }
        Ok(self
            .columns
            .iter()
            .map(|column| (self.target(column), DataType::Float64))
            .collect())
    }

    fn encode(&self, df: &DataFrame, values: &Self::Values) -> PolarsResult<Vec<Column>> {
        let constant = self.method.constant();
        self.columns
            .iter()
            .map(|column| {
                let scaling = values.get(column).copied().unwrap_or_default();
                let numbers = df.column(column)?.cast(&DataType::Float64)?;
                // Spark multiplies by the reciprocal; a division would differ in the last digit.
                let factor = 1.0 / scaling.width;
                let scaled = numbers.f64()?.apply_values(|value| {
                    if scaling.width != 0.0 {
                        (value - scaling.center) * factor
                    } else if value.is_finite() {
                        constant
                    } else {
                        value
                    }
                });
                Ok(scaled.with_name(self.target(column).into()).into_column())
            })
            .collect()
    }

    fn code(&self, _: &Schema, values: Option<&Self::Values>, script: &mut Python) -> Result<(), String> {
        script.define("scale", PYTHON_SCALE);
        if values.is_none() {
            script.import("math");
            script.define("finite_numbers", PYTHON_FINITE);
            script.define("quantile", PYTHON_QUANTILE);
            script.define("scaling", PYTHON);
        }
        let constant = python::float(self.method.constant());
        let columns: Vec<(String, String)> = self
            .columns
            .iter()
            .map(|column| {
                let learned = match values.and_then(|values| values.get(column)) {
                    Some(scaling) => {
                        format!(
                            "{}, {}",
                            python::float(scaling.center),
                            python::float(scaling.width)
                        )
                    }
                    None => format!(
                        "*scaling(df[{}], {})",
                        python::quoted(column),
                        python::quoted(self.method.word())
                    ),
                };
                let code = format!("scale({}, {learned}, {constant})", python::col(column));
                (self.target(column), code)
            })
            .collect();
        script.with_columns(columns.iter().map(|(name, code)| (name.as_str(), code.clone())));
        Ok(())
    }

    fn summary(&self) -> String {
        format!("{}: {}", Learns::subject(self), self.method.word())
    }

    fn subject(&self) -> String {
        few(self.columns.iter().map(String::as_str))
    }
}

#[cfg(test)]
mod tests {
    use polars::prelude::{DataFrame, df};

    use super::super::testing::{check_error, fit_error, fitted, run};

    fn floats(df: &DataFrame, column: &str) -> Vec<Option<f64>> {
        df.column(column).unwrap().f64().unwrap().iter().collect()
    }

    #[test]
    fn standard_is_the_distance_from_the_mean_in_deviations_of_a_sample() {
        let sample =
            df!("x" => [Some(0.0), Some(2.0), Some(4.0), None, Some(f64::NAN), Some(f64::INFINITY)]).unwrap();
        let input = df!("x" => [Some(2.0), Some(4.0), None]).unwrap();
        let output = run(&fitted("scale: {columns: [x]}", &sample), &input);
        assert_eq!(floats(&output, "x"), [Some(0.0), Some(1.0), None]);
    }

    #[test]
    fn min_max_and_robust_may_leave_what_they_learned() {
        let sample = df!("n" => [0_i64, 10, 20, 30]).unwrap();
        let input = df!("n" => [-30_i64, 0, 30]).unwrap();
        let step = fitted("scale: {columns: [n], method: min_max, suffix: _s}", &sample);
        assert_eq!(
            floats(&run(&step, &input), "n_s"),
            [Some(-1.0), Some(0.0), Some(1.0)]
        );
        // Quartiles are numbers of the data: 0, 10 and 20 of these four.
        let step = fitted("scale: {columns: [n], method: robust}", &sample);
        assert_eq!(
            floats(&run(&step, &input), "n"),
            [Some(-2.0), Some(-0.5), Some(1.0)]
        );
    }

    #[test]
    fn where_all_numbers_are_the_same_the_result_is_spark_s() {
        let sample = df!("x" => [4.0, 4.0]).unwrap();
        let input = df!("x" => [4.0, 7.0, f64::NEG_INFINITY]).unwrap();
        for (method, constant) in [("standard", 0.0), ("min_max", 0.5), ("robust", 0.0)] {
            let step = fitted(&format!("scale: {{columns: [x], method: {method}}}"), &sample);
            let expected = [Some(constant), Some(constant), Some(f64::NEG_INFINITY)];
            assert_eq!(floats(&run(&step, &input), "x"), expected, "{method}");
        }
        let single = df!("x" => [4.0]).unwrap();
        assert_eq!(
            floats(&run(&fitted("scale: {columns: [x]}", &single), &input), "x")[0],
            Some(0.0)
        );
    }

    #[test]
    fn refit_learns_from_the_rows_of_the_partition() {
        let input = df!("x" => [0.0, 10.0], "y" => [None::<f64>, None]).unwrap();
        let output = run("scale: {columns: [x, y], method: min_max, refit: true}", &input);
        assert_eq!(floats(&output, "x"), [Some(0.0), Some(1.0)]);
        assert_eq!(floats(&output, "y"), [None, None]);
        let empty = run("scale: {columns: [x, y], refit: true}", &input.clear());
        assert_eq!(empty.height(), 0);
    }

    #[test]
    fn it_has_to_be_fitted_with_the_parameters_that_it_has() {
        let input = df!("x" => [1.0, 2.0], "y" => [1.0, 2.0], "s" => ["a", "b"]).unwrap();
        assert_eq!(
            check_error("scale: {columns: [x]}", &input),
            "not fitted yet: open the step on a sample in the window, or run `skewer fit`"
        );
        let step = fitted("scale: {columns: [x]}", &input);
        assert_eq!(
            check_error(
                &step.replacen("scale:\n", "scale:\n    method: robust\n", 1),
                &input
            ),
            "fitted for `x: standard`, not for `x: robust`: fit it again in the window, or run `skewer fit`"
        );
        assert!(check_error("scale: {columns: [x, s]}", &input).contains("not a number"));
        assert!(check_error("scale: {columns: [x, x]}", &input).contains("twice"));
        assert!(check_error("scale: {}", &input).starts_with("`columns` is empty"));
    }

    #[test]
    fn numbers_too_large_for_a_mean_are_refused() {
        let sample = df!("x" => [f64::MAX, f64::MIN]).unwrap();
        let error = fit_error("scale: {columns: [x], method: min_max}", &sample);
        assert!(error.contains("too large to be scaled"), "{error}");
        let none = df!("x" => [f64::NAN]).unwrap();
        let error = fit_error("scale: {columns: [x]}", &none);
        assert!(error.contains("no finite number to learn from"), "{error}");
    }
}

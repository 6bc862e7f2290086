//! Numbers the ranges that hold about equally many values, by learned borders.
//!
//! It gives the results of Spark ML's `QuantileDiscretizer`.
//!
//! ```yaml
//! - quantile_bucketize: {column: salary, into: salary_band, buckets: 10}
//! ```
//!
//! The step is fitted: it learns the borders once, from finite numbers alone, keeps them in the recipe and applies them row
//! by row, as `bucketize` does: a border is the first value of the next bucket, the first and last bucket are open, the
//! result is int32. A border is a number of the data: of `n` numbers the one at rank `ceil(n * i / buckets)`. Borders that
//! fall together are one, so there may be fewer buckets than asked for.
//!
//! Null gives null, and `NaN` follows `on_nan`, as in `bucketize`. With `refit: true` the borders are learned in every run
//! from all rows of a partition.
//!
//! Limits: numbers only, compared as float64. Borders are exact, as Spark's are for a `relativeError` near zero; with
//! Spark's default of 0.001 its borders may lie beside ours on large data.

use polars::prelude::{
    BooleanChunked, Column, DataFrame, DataType, IntoColumn, PolarsResult, Schema, StringChunked,
};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::bucketize::{OnNan, buckets, check_borders, python_buckets};
use super::learn::{
    Learns, PYTHON_FINITE, PYTHON_QUANTILE, check_number, keeps_fitted, quantile, sorted_numbers,
};
use super::reject::{allow_null, choice_or_null};
use super::{Params, Step};
use crate::base::units;
use crate::dataset::origin;
use crate::transform::python::{self, Python};
use crate::transform::step::check_new_name;
use crate::transform::{CheckError, Fitted};

/// Parameters of `quantile_bucketize`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct QuantileBucketize {
    /// Column of numbers.
    #[schemars(extend("x-input" = "column"))]
    pub column: String,
    /// Column to write, the number of the bucket.
    pub into: String,
    /// How many buckets.
    #[schemars(range(min = 2, max = 10_000))]
    pub buckets: u32,
    /// What becomes of a value that is not a number.
    #[serde(deserialize_with = "choice_or_null")]
    #[schemars(transform = allow_null)]
    pub on_nan: OnNan,
    /// Learn in every run from all rows of the partition.
    pub refit: bool,
    /// What was learned.
    pub fitted: Option<Fitted<Vec<f64>>>,
}

impl Default for QuantileBucketize {
    fn default() -> Self {
        Self {
            column: String::new(),
            into: String::new(),
            buckets: 10,
            on_nan: OnNan::default(),
            refit: false,
            fitted: None,
        }
    }
}

impl Params for QuantileBucketize {
    const GROUP: &'static str = "numbers";
    const REQUIRED: &'static [&'static str] = &["column", "into"];
}

impl Learns for QuantileBucketize {
    /// Borders, ascending.
    type Values = Vec<f64>;

    keeps_fitted!(QuantileBucketize);

    fn is_refit(&self) -> bool {
        self.refit
    }

    fn learned_of(&self) -> String {
        format!("{}, {} buckets", self.column, self.buckets)
    }

    fn check_params(&self, schema: &Schema) -> Result<(), CheckError> {
        check_number(schema, "column", &self.column)?;
        check_new_name("into", &self.into)?;
        if !(2..=10_000).contains(&self.buckets) {
            return Err(
                CheckError::new("buckets", format!("`buckets` is {}", self.buckets))
                    .hint("write a number from 2 to 10000"),
            );
        }
        Ok(())
    }

    fn learn(&self, df: &DataFrame) -> Result<Option<Vec<f64>>, CheckError> {
        let sorted = sorted_numbers(df, &self.column)?;
        let share = |bucket: u32| f64::from(bucket) / f64::from(self.buckets);
        let borders: Option<Vec<f64>> = (1..self.buckets)
            .map(|bucket| quantile(&sorted, share(bucket)))
            .collect();
        Ok(borders.map(|mut borders| {
            borders.dedup();
            borders
        }))
    }

    fn written(&self, _: &Schema, borders: &Vec<f64>) -> Result<Vec<(String, DataType)>, CheckError> {
        check_borders("fitted", borders)?;
        Ok(vec![(self.into.clone(), DataType::Int32)])
    }

    fn encode(&self, df: &DataFrame, borders: &Vec<f64>) -> PolarsResult<Vec<Column>> {
        let numbers = df.column(&self.column)?.cast(&DataType::Float64)?;
        let mut columns = vec![buckets(&numbers, borders, self.on_nan)?.with_name(self.into.as_str().into())];
        if self.on_nan == OnNan::Reject {
            let is_nan: BooleanChunked = numbers.f64()?.iter().map(|x| x.map(f64::is_nan)).collect();
            let reasons: StringChunked = is_nan
                .iter()
                .map(|is_nan| (is_nan == Some(true)).then_some("`NaN` is no number"))
                .collect();
            columns.push(reasons.with_name(origin::REJECT.into()).into_column());
        }
        Ok(columns)
    }

    fn code(&self, _: &Schema, borders: Option<&Vec<f64>>, script: &mut Python) -> Result<(), String> {
        let borders = if let Some(borders) = borders {
            python::floats(borders)
        } else {
            script.import("math");
            script.define("finite_numbers", PYTHON_FINITE);
            script.define("quantile", PYTHON_QUANTILE);
            script.define("quantile_borders", PYTHON);
            format!(
                "quantile_borders(df[{}], {})",
                python::quoted(&self.column),
                self.buckets
            )
        };
        python_buckets(&self.column, &self.into, &borders, self.on_nan, script);
        Ok(())
    }

    fn summary(&self) -> String {
        let buckets = units::plural(u64::from(self.buckets), "bucket");
        format!("{} → {}: {buckets}", self.column, self.into)
    }

    fn subject(&self) -> String {
        self.column.clone()
    }

    fn rejected_column(&self) -> Option<&str> {
        (self.on_nan == OnNan::Reject).then_some(self.column.as_str())
    }
}

const PYTHON: &str = include_str!("python/quantile_borders.py");

#[cfg(test)]
mod tests {
    use polars::prelude::{DataFrame, df};

    use super::super::testing::{check_error, fit_error, fitted, outcome, run};

    fn bands(df: &DataFrame) -> Vec<Option<i32>> {
        df.column("b").unwrap().i32().unwrap().iter().collect()
    }

    #[test]
    fn buckets_hold_about_equally_many_and_a_border_belongs_to_the_one_above() {
        let sample = df!("x" => [8.0, 1.0, 4.0, 2.0, 7.0, 3.0, 6.0, 5.0]).unwrap();
        let step = fitted("quantile_bucketize: {column: x, into: b, buckets: 4}", &sample);
        assert!(
            step.contains("of: \"x, 4 buckets\"") || step.contains("of: x, 4 buckets"),
            "{step}"
        );
        let input = df!("x" => [Some(f64::NEG_INFINITY), Some(1.9), Some(2.0), Some(4.0), Some(5.9), Some(1e9), None])
            .unwrap();
        let expected = [Some(0), Some(0), Some(1), Some(2), Some(2), Some(3), None];
        assert_eq!(bands(&run(&step, &input)), expected);
    }

    #[test]
    fn borders_that_fall_together_are_one() {
        let sample = df!("x" => [0_i64, 0, 0, 0, 0, 9]).unwrap();
        let step = fitted("quantile_bucketize: {column: x, into: b, buckets: 3}", &sample);
        assert_eq!(
            bands(&run(&step, &df!("x" => [-1_i64, 0, 9]).unwrap())),
            [Some(0), Some(1), Some(1)]
        );
    }

    #[test]
    fn what_is_no_number_is_treated_as_bucketize_does() {
        let sample = df!("x" => [1.0, 2.0, f64::NAN]).unwrap();
        let step = fitted("quantile_bucketize: {column: x, into: b, buckets: 2}", &sample);
        let strict = outcome(&step, &sample);
        assert_eq!((strict.df.height(), strict.rejects.len()), (2, 1));
        assert_eq!(strict.rejects[0].message, "`NaN` is no number");
        assert_eq!(strict.rejects[0].column.as_deref(), Some("x"));
        let step = fitted(
            "quantile_bucketize: {column: x, into: b, buckets: 2, on_nan: extra}",
            &sample,
        );
        assert_eq!(bands(&run(&step, &sample)), [Some(1), Some(1), Some(2)]);
        let refit = "quantile_bucketize: {column: x, into: b, buckets: 2, on_nan: null, refit: true}";
        assert_eq!(bands(&run(refit, &sample)), [Some(1), Some(1), None]);
        assert_eq!(bands(&run(refit, &sample.clear())), []);
    }

    #[test]
    fn it_needs_two_buckets_and_numbers_to_learn_from() {
        let input = df!("x" => [None::<f64>, None], "s" => ["a", "b"]).unwrap();
        assert_eq!(
            check_error("quantile_bucketize: {column: x, into: b, buckets: 1}", &input),
            "`buckets` is 1: write a number from 2 to 10000"
        );
        assert!(check_error("quantile_bucketize: {column: s, into: b}", &input).contains("not a number"));
        assert!(
            fit_error("quantile_bucketize: {column: x, into: b}", &input).starts_with("nothing to learn")
        );
        let sample = df!("x" => [1.0, 2.0]).unwrap();
        let step = fitted("quantile_bucketize: {column: x, into: b, buckets: 2}", &sample);
        let other = step.replacen("buckets: 2\n", "buckets: 3\n", 1);
        assert!(
            check_error(&other, &sample).starts_with("fitted for `x, 2 buckets`, not for `x, 3 buckets`")
        );
    }
}

//! Numbers the ranges between borders, with Spark ML's results (`Bucketizer`).
//!
//! A border is the first value of the next bucket: `borders: [30000, 60000]` gives 0 below 30,000, 1 from 30,000 to below
//! 60,000, and 2 from 60,000 up. In Spark's words the splits are `-inf, 30000, 60000, inf`.
//!
//! ```yaml
//! - bucketize: {column: salary, into: salary_band, borders: [30000, 60000, 100000]}
//! ```
//!
//! The result is int32. Null gives null. `NaN` follows `on_nan`, Spark's `handleInvalid`: `reject` (`error`) rejects the
//! record, `null` gives null (where `skip` would leave the row out), `extra` (`keep`) gives one more bucket after the last.
//!
//! Limits: numbers only; they are compared as float64, as Spark does, so whole numbers beyond 2^53 lose digits. Minus zero
//! lies below a border of zero, as in Spark.

use polars::prelude::{Column, DataType, Field, Int32Chunked, IntoColumn, LazyFrame, PolarsResult, Schema};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::Params;
use super::reject::{allow_null, choice_or_null, reject_where};
use crate::transform::python::{self, Python};
use crate::transform::step::{Behaviour, check_new_name, column_type, exactly, wrong_type};
use crate::transform::{CheckError, Inputs};

/// Parameters of `bucketize`.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Bucketize {
    /// Column of numbers.
    #[schemars(extend("x-input" = "column"))]
    pub column: String,
    /// Column to write, the number of the bucket.
    pub into: String,
    /// First values of the second and all further buckets, each larger than the one before.
    #[schemars(length(min = 1))]
    pub borders: Vec<f64>,
    /// What becomes of a value that is not a number.
    #[serde(deserialize_with = "choice_or_null")]
    #[schemars(transform = allow_null)]
    pub on_nan: OnNan,
}

/// What becomes of `NaN`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum OnNan {
    /// The record is rejected and quarantined.
    #[default]
    Reject,
    /// The bucket is null.
    Null,
    /// One more bucket after the last.
    Extra,
}

fn bucket(value: f64, borders: &[f64], on_nan: OnNan) -> Option<i32> {
    let n = if value.is_nan() {
        match on_nan {
            OnNan::Extra => borders.len() + 1,
            OnNan::Reject | OnNan::Null => return None,
        }
    } else {
        // Java's order of numbers, by which Spark searches: minus zero lies below zero.
        borders.partition_point(|border| border.total_cmp(&value).is_le())
    };
    i32::try_from(n).ok()
}

/// The bucket of each float64.
pub(super) fn buckets(values: &Column, borders: &[f64], on_nan: OnNan) -> PolarsResult<Column> {
    let buckets: Int32Chunked = values
        .f64()?
        .iter()
        .map(|value| bucket(value?, borders, on_nan))
        .collect();
    Ok(buckets.with_name(values.name().clone()).into_column())
}

/// Refuses borders that do not rise.
pub(super) fn check_borders(param: &'static str, borders: &[f64]) -> Result<(), CheckError> {
    if borders.iter().any(|border| !border.is_finite()) {
        return Err(CheckError::new(param, "a border is not a finite number")
            .hint("the first and last bucket are open anyway"));
    }
    match borders.array_windows().find(|[a, b]| a >= b) {
        Some([a, b]) => Err(CheckError::new(param, format!("border {b} follows {a}"))
            .hint("each border must be larger than the one before")),
        None => Ok(()),
    }
}

/// Writes `into` for Python, by borders that `borders` is the code of; what is rejected is left out.
pub(super) fn python_buckets(column: &str, into: &str, borders: &str, on_nan: OnNan, script: &mut Python) {
    script.import("math");
    script.define("bucketize", PYTHON);
    let value = python::col(column);
    if on_nan == OnNan::Reject {
        script.line(format!(
            "df = df.filter({value}.cast(pl.Float64).is_nan().fill_null(False).not_())"
        ));
    }
    let has_extra = if on_nan == OnNan::Extra { "True" } else { "False" };
    script.with_columns([(into, format!("bucketize({value}, {borders}, {has_extra})"))]);
}

const PYTHON: &str = include_str!("python/bucketize.py");

impl Params for Bucketize {
    const GROUP: &'static str = "numbers";
    const REQUIRED: &'static [&'static str] = &["column", "into", "borders"];
}

impl Behaviour for Bucketize {
    fn check(&self, schema: &Schema) -> Result<Schema, CheckError> {
        let dtype = column_type(schema, "column", &self.column)?;
        if !dtype.is_primitive_numeric() {
            return Err(wrong_type("column", &self.column, dtype, "a number").hint("use `cast` first"));
        }
        check_new_name("into", &self.into)?;
        if self.borders.is_empty() {
            return Err(CheckError::new("borders", "`borders` is empty").hint("write at least one number"));
        }
        check_borders("borders", &self.borders)?;
        let mut output = schema.clone();
        output.with_column(self.into.as_str().into(), DataType::Int32);
        Ok(output)
    }

    fn apply(&self, lf: LazyFrame, _: &Schema) -> Result<LazyFrame, CheckError> {
        let value = exactly(self.column.as_str()).cast(DataType::Float64);
        let borders = self.borders.clone();
        let on_nan = self.on_nan;
        let buckets = value.clone().map(
            move |values| buckets(&values, &borders, on_nan),
            |_, field| Ok(Field::new(field.name().clone(), DataType::Int32)),
        );
        let mut columns = vec![buckets.alias(self.into.as_str())];
        if self.may_reject() {
            columns.push(reject_where(value.clone().is_nan(), value, "number".to_owned()));
        }
        Ok(lf.with_columns(columns))
    }

    fn python(&self, _: &Schema, _: &Inputs, script: &mut Python) -> Result<(), String> {
        let borders = python::floats(&self.borders);
        python_buckets(&self.column, &self.into, &borders, self.on_nan, script);
        Ok(())
    }

    fn summary(&self) -> String {
        format!(
            "{} → {}: {}",
            self.column,
            self.into,
            crate::base::units::plural(self.borders.len() as u64 + 1, "bucket")
        )
    }

    fn subject(&self) -> String {
        self.column.clone()
    }

    fn column(&self) -> Option<&str> {
        Some(&self.column)
    }

    fn may_reject(&self) -> bool {
        self.on_nan == OnNan::Reject
    }
}

#[cfg(test)]
mod tests {
    use polars::prelude::df;

    use super::super::testing::{check_error, outcome, run};

    #[test]
    fn a_border_belongs_to_the_bucket_above_it() {
        let input = df!("x" => [
            Some(f64::NEG_INFINITY), Some(-1.0), Some(29_999.99), Some(30_000.0), Some(59_999.0), Some(60_000.0),
            Some(f64::INFINITY), None,
        ])
        .unwrap();
        let output = run("bucketize: {column: x, into: b, borders: [30000, 60000]}", &input);
        let buckets: Vec<Option<i32>> = output.column("b").unwrap().i32().unwrap().iter().collect();
        assert_eq!(
            buckets,
            [
                Some(0),
                Some(0),
                Some(0),
                Some(1),
                Some(1),
                Some(2),
                Some(2),
                None
            ]
        );
    }

    #[test]
    fn minus_zero_lies_below_zero_as_in_spark() {
        let input = df!("x" => [-0.0, 0.0]).unwrap();
        let output = run("bucketize: {column: x, into: b, borders: [0]}", &input);
        assert_eq!(
            output.column("b").unwrap(),
            df!("b" => [0i32, 1]).unwrap().column("b").unwrap()
        );
        let output = run("bucketize: {column: x, into: b, borders: [-0.0]}", &input);
        assert_eq!(
            output.column("b").unwrap(),
            df!("b" => [1i32, 1]).unwrap().column("b").unwrap()
        );
    }

    #[test]
    fn whole_numbers_are_bucketed_too() {
        let input = df!("x" => [1i64, 5]).unwrap();
        let output = run("bucketize: {column: x, into: x, borders: [2.5]}", &input);
        assert_eq!(output, df!("x" => [0i32, 1]).unwrap());
    }

    #[test]
    fn what_is_no_number_is_rejected_or_null_or_has_its_own_bucket() {
        let input = df!("x" => [1.0, f64::NAN]).unwrap();
        let strict = outcome("bucketize: {column: x, into: b, borders: [0]}", &input);
        assert_eq!((strict.df.height(), strict.rejects.len()), (1, 1));
        assert_eq!(strict.rejects[0].message, "`NaN` is no number");
        for (on_nan, expected) in [("null", None), ("extra", Some(2))] {
            let output = run(
                &format!("bucketize: {{column: x, into: b, borders: [0], on_nan: {on_nan}}}"),
                &input,
            );
            assert_eq!(
                output.column("b").unwrap().i32().unwrap().get(1),
                expected,
                "{on_nan}"
            );
        }
    }

    #[test]
    fn borders_must_rise() {
        let input = df!("x" => [1.0], "s" => ["a"]).unwrap();
        assert_eq!(
            check_error("bucketize: {column: x, into: b, borders: [1, 3, 3]}", &input),
            "border 3 follows 3: each border must be larger than the one before"
        );
        assert!(check_error("bucketize: {column: x, into: b}", &input).starts_with("`borders` is empty"));
        assert!(
            check_error("bucketize: {column: s, into: b, borders: [1]}", &input).contains("not a number")
        );
    }
}

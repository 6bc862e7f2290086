//! Takes the natural logarithm of one plus a number, which brings long tails in without losing zero.
//!
//! Counts and prices often span many orders of magnitude; `log1p` makes 0 of 0 and about 13.8 of a million. It is exact
//! also for numbers near zero, where `ln(1 + x)` is not.
//!
//! ```yaml
//! - log1p: {column: n_clicks, into: n_clicks_log}
//! ```
//!
//! The result is float64. Null stays null, `NaN` stays `NaN`, infinity stays infinity. A number of -1 or less has no such
//! logarithm: it rejects its record, or becomes null with `on_error: null`.
//!
//! Limits: numbers above -1 only. For negative numbers take `scale` or `winsorize`.

use polars::prelude::{DataType, LazyFrame, NULL, Schema, lit, when};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::learn::check_number;
use super::reject::{allow_null, choice_or_null, reject_where};
use super::{OnError, Params};
use crate::transform::python::{self, Python};
use crate::transform::step::{Behaviour, check_new_name, exactly, target};
use crate::transform::{CheckError, Inputs};

/// Parameters of `log1p`.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Log1p {
    /// Column of numbers.
    #[schemars(extend("x-input" = "column"))]
    pub column: String,
    /// Column to write; the column itself when it is not given.
    pub into: Option<String>,
    /// What becomes of a number of -1 or less.
    #[serde(deserialize_with = "choice_or_null")]
    #[schemars(transform = allow_null)]
    pub on_error: OnError,
}

impl Log1p {
    fn target(&self) -> &str {
        target(self.into.as_deref(), &self.column)
    }
}

impl Params for Log1p {
    const GROUP: &'static str = "numbers";
    const REQUIRED: &'static [&'static str] = &["column"];
}

impl Behaviour for Log1p {
    fn check(&self, schema: &Schema) -> Result<Schema, CheckError> {
        check_number(schema, "column", &self.column)?;
        check_new_name("into", self.target())?;
        let mut output = schema.clone();
        output.with_column(self.target().into(), DataType::Float64);
        Ok(output)
    }

    fn apply(&self, lf: LazyFrame, _: &Schema) -> Result<LazyFrame, CheckError> {
        let value = exactly(self.column.as_str()).cast(DataType::Float64);
        let is_outside = value.clone().lt_eq(lit(-1.0));
        let logarithm = when(is_outside.clone())
            .then(lit(NULL))
            .otherwise(value.clone().log1p());
        let mut columns = vec![logarithm.cast(DataType::Float64).alias(self.target())];
        if self.may_reject() {
            columns.push(reject_where(is_outside, value, "number above -1".to_owned()));
        }
        Ok(lf.with_columns(columns))
    }

    fn python(&self, _: &Schema, _: &Inputs, script: &mut Python) -> Result<(), String> {
        let value = format!("{}.cast(pl.Float64)", python::col(&self.column));
        if self.may_reject() {
            script.line(format!(
                "df = df.filter(({value} <= -1.0).fill_null(False).not_())"
            ));
        }
        let logarithm = format!("pl.when({value} <= -1.0).then(None).otherwise({value}.log1p())");
        script.with_columns([(self.target(), logarithm)]);
        Ok(())
    }

    fn summary(&self) -> String {
        match &self.into {
            Some(into) => format!("{} → {into}", self.column),
            None => self.column.clone(),
        }
    }

    fn subject(&self) -> String {
        self.column.clone()
    }

    fn column(&self) -> Option<&str> {
        Some(&self.column)
    }

    fn may_reject(&self) -> bool {
        self.on_error == OnError::Reject
    }
}

#[cfg(test)]
mod tests {
    use polars::prelude::{DataType, df};

    use super::super::testing::{check_error, outcome, run};

    #[test]
    fn zero_stays_zero_and_small_numbers_stay_exact() {
        let input =
            df!("x" => [Some(0.0), Some(1e-20), Some(std::f64::consts::E - 1.0), Some(f64::INFINITY), None])
                .unwrap();
        let output = run("log1p: {column: x}", &input);
        let y: Vec<Option<f64>> = output.column("x").unwrap().f64().unwrap().iter().collect();
        assert_eq!(y, [Some(0.0), Some(1e-20), Some(1.0), Some(f64::INFINITY), None]);
        let whole = run("log1p: {column: n, into: y}", &df!("n" => [0_i64]).unwrap());
        assert_eq!(whole.column("y").unwrap().dtype(), &DataType::Float64);
    }

    #[test]
    fn a_number_without_a_logarithm_is_rejected_or_null() {
        let input = df!("x" => [-1.0, -2.5, -0.5, f64::NAN]).unwrap();
        let strict = outcome("log1p: {column: x, into: y}", &input);
        assert_eq!((strict.df.height(), strict.rejects.len()), (2, 2));
        assert_eq!(strict.rejects[1].message, "`-2.5` is no number above -1");
        let lenient = run("log1p: {column: x, into: y, on_error: null}", &input);
        let y: Vec<Option<f64>> = lenient.column("y").unwrap().f64().unwrap().iter().collect();
        assert_eq!((y[0], y[1], y[2]), (None, None, Some((0.5_f64).ln())));
        assert!(y[3].unwrap().is_nan());
    }

    #[test]
    fn text_does_not_check() {
        let input = df!("s" => ["a"]).unwrap();
        assert!(check_error("log1p: {column: s}", &input).contains("not a number"));
        assert!(check_error("log1p: {column: x}", &input).starts_with("column `x` not found"));
    }
}

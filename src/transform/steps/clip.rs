//! Brings numbers that lie outside a range to its nearer end.
//!
//! ```yaml
//! - clip: {column: salary, min: 0, max: 500000}
//! - clip: {column: score, into: score_clipped, max: 1.0}
//! ```
//!
//! Null stays null and `NaN` stays `NaN`; infinity becomes the end of the range. The type of the column stays.
//!
//! Limits: numbers only; the bounds of a column of whole numbers are whole numbers that its type can hold. To learn the
//! bounds from the data use `winsorize`.

use polars::prelude::{DataType, Expr, LazyFrame, Scalar, Schema, lit, when};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::Params;
use super::fill_null::FillValue;
use crate::transform::python::{self, Python};
use crate::transform::step::{
    Behaviour, check_new_name, column_type, exactly, target, type_name, wrong_type,
};
use crate::transform::{CheckError, Inputs};

/// Parameters of `clip`.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Clip {
    /// Column of numbers.
    #[schemars(extend("x-input" = "column"))]
    pub column: String,
    /// Column to write; the column itself when it is not given.
    pub into: Option<String>,
    /// Smallest value; smaller ones become it.
    pub min: FillValue,
    /// Largest value; larger ones become it.
    pub max: FillValue,
}

impl Clip {
    fn target(&self) -> &str {
        target(self.into.as_deref(), &self.column)
    }

    /// A bound in the column's type; none when it is not given.
    fn bound(
        &self,
        param: &'static str,
        value: &FillValue,
        dtype: &DataType,
    ) -> Result<Option<Scalar>, CheckError> {
        if *value == FillValue::None {
            return Ok(None);
        }
        let scalar = match value {
            FillValue::Int(_) | FillValue::Float(_) => value.scalar(dtype),
            _ => None,
        };
        let is_nan = matches!(value, FillValue::Float(value) if value.is_nan());
        scalar.filter(|_| !is_nan).map(Some).ok_or_else(|| {
            let message = format!("`{value}` is no bound for column `{}`", self.column);
            CheckError::new(param, message).hint(format!("the column is {}", type_name(dtype)))
        })
    }
}

impl Params for Clip {
    const GROUP: &'static str = "columns";
    const REQUIRED: &'static [&'static str] = &["column"];
}

impl Behaviour for Clip {
    fn check(&self, schema: &Schema) -> Result<Schema, CheckError> {
        let dtype = column_type(schema, "column", &self.column)?;
        if !dtype.is_primitive_numeric() {
            return Err(wrong_type("column", &self.column, dtype, "a number").hint("use `cast` first"));
        }
        check_new_name("into", self.target())?;
        let min = self.bound("min", &self.min, dtype)?;
        let max = self.bound("max", &self.max, dtype)?;
        match (min, max) {
            (None, None) => {
                return Err(CheckError::new("min", "there are no bounds").hint("write `min`, `max` or both"));
            }
            (Some(min), Some(max)) if min.value() > max.value() => {
                let message = format!("`min` is {} and `max` is {}", self.min, self.max);
                return Err(CheckError::new("min", message).hint("write the smaller one as `min`"));
            }
            _ => {}
        }
        let mut output = schema.clone();
        output.with_column(self.target().into(), dtype.clone());
        Ok(output)
    }

    fn apply(&self, lf: LazyFrame, schema: &Schema) -> Result<LazyFrame, CheckError> {
        let dtype = column_type(schema, "column", &self.column)?;
        let value = exactly(self.column.as_str());
        // polars' order puts NaN above all numbers, but here it is none.
        let is_number = if dtype.is_float() {
            value.clone().is_not_nan()
        } else {
            lit(true)
        };
        let mut clipped: Expr = value.clone();
        if let Some(min) = self.bound("min", &self.min, dtype)? {
            let min = lit(min).cast(dtype.clone());
            clipped = when(value.clone().lt(min.clone())).then(min).otherwise(clipped);
        }
        if let Some(max) = self.bound("max", &self.max, dtype)? {
            let max = lit(max).cast(dtype.clone());
            clipped = when(is_number.and(value.gt(max.clone())))
                .then(max)
                .otherwise(clipped);
        }
        Ok(lf.with_column(clipped.alias(self.target())))
    }

    fn python(&self, schema: &Schema, _: &Inputs, script: &mut Python) -> Result<(), String> {
        let dtype = schema.get(&self.column).ok_or("the column is missing")?;
        let bound = |value: &FillValue| match value {
            FillValue::Int(value) => Some(format!("pl.lit({value}).cast({})", python::dtype(dtype))),
            FillValue::Float(value) => Some(format!(
                "pl.lit({}).cast({})",
                python::float(*value),
                python::dtype(dtype)
            )),
            _ => None,
        };
        let value = python::col(&self.column);
        let is_number = if dtype.is_float() {
            format!("{value}.is_not_nan() & ")
        } else {
            String::new()
        };
        let mut clipped = value.clone();
        if let Some(min) = bound(&self.min) {
            clipped = format!("pl.when({value} < {min}).then({min}).otherwise({clipped})");
        }
        if let Some(max) = bound(&self.max) {
            clipped = format!("pl.when({is_number}({value} > {max})).then({max}).otherwise({clipped})");
        }
        script.with_columns([(self.target(), clipped)]);
        Ok(())
    }

    fn summary(&self) -> String {
        let range = match (&self.min, &self.max) {
            (min, FillValue::None) => format!("from {min}"),
            (FillValue::None, max) => format!("to {max}"),
            (min, max) => format!("{min} to {max}"),
        };
        format!("{}: {range}", self.column)
    }

    fn subject(&self) -> String {
        self.column.clone()
    }
}

#[cfg(test)]
mod tests {
    use polars::prelude::{IntoColumn, NamedFrom, Series, df};

    use super::super::testing::{check_error, run};

    #[test]
    fn numbers_outside_the_range_become_its_ends() {
        let input =
            df!("x" => [Some(-1.5), Some(0.25), Some(f64::INFINITY), Some(f64::NEG_INFINITY), None]).unwrap();
        assert_eq!(
            run("clip: {column: x, min: 0, max: 1}", &input),
            df!("x" => [Some(0.0), Some(0.25), Some(1.0), Some(0.0), None]).unwrap()
        );
        let small = df!("n" => [Some(-5i8), Some(100), None]).unwrap();
        assert_eq!(
            run("clip: {column: n, into: m, max: 7}", &small),
            df!("n" => [Some(-5i8), Some(100), None], "m" => [Some(-5i8), Some(7), None]).unwrap()
        );
    }

    #[test]
    fn what_is_no_number_stays() {
        let input = df!("x" => [f64::NAN]).unwrap();
        for bounds in ["min: 0", "max: 1", "min: 0, max: 1"] {
            let output = run(&format!("clip: {{column: x, {bounds}}}"), &input);
            assert!(
                output
                    .column("x")
                    .unwrap()
                    .f64()
                    .unwrap()
                    .get(0)
                    .unwrap()
                    .is_nan(),
                "{bounds}"
            );
        }
    }

    #[test]
    fn bounds_are_of_the_column_s_type_and_in_order() {
        let mut input = df!("n" => [1i64], "s" => ["a"]).unwrap();
        input
            .with_column(Series::new("u".into(), [1u32]).into_column())
            .unwrap();
        for (options, message) in [
            ("column: n", "there are no bounds: write `min`, `max` or both"),
            (
                "column: n, min: 0.5",
                "`0.5` is no bound for column `n`: the column is int64",
            ),
            (
                "column: u, min: -1",
                "`-1` is no bound for column `u`: the column is uint32",
            ),
            (
                "column: n, min: a",
                "`'a'` is no bound for column `n`: the column is int64",
            ),
            (
                "column: n, min: 3, max: 2",
                "`min` is 3 and `max` is 2: write the smaller one as `min`",
            ),
            (
                "column: s, min: 3",
                "column `s` is string, not a number: use `cast` first",
            ),
        ] {
            assert_eq!(check_error(&format!("clip: {{{options}}}"), &input), message);
        }
    }
}

//! Puts a fixed value where a column has none.
//!
//! ```yaml
//! - fill_null: {column: salary, value: 0}
//! ```
//!
//! The value must be of the column's own type: text for text, a whole number for whole numbers, `2020-01-31` for dates,
//! ISO 8601 for timestamps. `NaN` is a number and stays.
//!
//! Limits: plain values only, and one column a step. To take the value of another column use `coalesce`.

use std::borrow::Cow;
use std::fmt;

use polars::prelude::{AnyValue, DataType, LazyFrame, Scalar, Schema, TimeUnit, lit};
use schemars::{JsonSchema, SchemaGenerator, json_schema};
use serde::de::Visitor;
use serde::{Deserialize, Deserializer, Serialize};

use super::Params;
use crate::transform::python::{self, Python};
use crate::transform::step::{Behaviour, column_type, exactly, type_name};
use crate::transform::{CheckError, Inputs, expr, iso8601};

/// Parameters of `fill_null`.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct FillNull {
    /// Column to fill.
    #[schemars(extend("x-input" = "column"))]
    pub column: String,
    /// Value to put where there is none.
    pub value: FillValue,
}

/// A plain value as it stands in a recipe.
#[derive(Debug, Clone, PartialEq, Default, Serialize)]
#[serde(untagged)]
pub enum FillValue {
    #[default]
    None,
    Bool(bool),
    Int(i64),
    Float(f64),
    Text(String),
}

impl fmt::Display for FillValue {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::None => f.write_str("null"),
            Self::Bool(value) => value.fmt(f),
            Self::Int(value) => value.fmt(f),
            Self::Float(value) => value.fmt(f),
            Self::Text(value) => write!(f, "'{value}'"),
        }
    }
}

impl FillValue {
    /// The value as one of `dtype` (a timestamp as its count of units), or none when it is of another type.
    pub(super) fn scalar(&self, dtype: &DataType) -> Option<Scalar> {
        let value = match (self, dtype) {
            (Self::Bool(value), DataType::Boolean) => AnyValue::Boolean(*value),
            (Self::Int(value), dtype) if dtype.is_integer() => {
                let fitting = AnyValue::Int64(*value).strict_cast(dtype)?;
                return Some(Scalar::new(dtype.clone(), fitting.into_static()));
            }
            #[expect(
                clippy::cast_precision_loss,
                reason = "a whole number written for a column of fractions is meant as the nearest fraction"
            )]
            (Self::Int(value), DataType::Float32 | DataType::Float64) => AnyValue::Float64(*value as f64),
            (Self::Float(value), DataType::Float32 | DataType::Float64) => AnyValue::Float64(*value),
            (Self::Text(value), DataType::String) => AnyValue::StringOwned(value.as_str().into()),
            (Self::Text(value), DataType::Date) => AnyValue::Date(iso8601::days(value)?),
            (Self::Text(value), DataType::Datetime(unit, _)) => {
                let micros = iso8601::micros(value)?;
                AnyValue::Int64(match unit {
                    TimeUnit::Nanoseconds => micros.checked_mul(1000)?,
                    TimeUnit::Microseconds => micros,
                    TimeUnit::Milliseconds => micros.div_euclid(1000),
                })
            }
            _ => return None,
        };
        Some(Scalar::new(value.dtype(), value.into_static()))
    }
}

impl FillValue {
    /// The value as one of `dtype` in Python; none when it is of another type.
    pub(super) fn python(&self, dtype: &DataType) -> Option<String> {
        self.scalar(dtype)?;
        let literal = match self {
            Self::None => return None,
            Self::Bool(true) => "True".to_owned(),
            Self::Bool(false) => "False".to_owned(),
            Self::Int(value) => value.to_string(),
            Self::Float(value) => python::float(*value),
            Self::Text(text) if dtype == &DataType::String => python::quoted(text),
            Self::Text(text) => return expr::time_code(text, dtype),
        };
        Some(format!("pl.lit({literal}, dtype={})", python::dtype(dtype)))
    }
}

impl<'de> Deserialize<'de> for FillValue {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct ValueVisitor;
        impl Visitor<'_> for ValueVisitor {
            type Value = FillValue;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("text, a number or a boolean")
            }
            fn visit_bool<E>(self, value: bool) -> Result<FillValue, E> {
                Ok(FillValue::Bool(value))
            }
            fn visit_i64<E>(self, value: i64) -> Result<FillValue, E> {
                Ok(FillValue::Int(value))
            }
            fn visit_u64<E: serde::de::Error>(self, value: u64) -> Result<FillValue, E> {
                i64::try_from(value)
                    .map(FillValue::Int)
                    .map_err(|_| E::custom("the number is too large"))
            }
            fn visit_f64<E>(self, value: f64) -> Result<FillValue, E> {
                Ok(FillValue::Float(value))
            }
            fn visit_str<E>(self, value: &str) -> Result<FillValue, E> {
                Ok(FillValue::Text(value.to_owned()))
            }
            fn visit_unit<E>(self) -> Result<FillValue, E> {
                Ok(FillValue::None)
            }
        }
        deserializer.deserialize_any(ValueVisitor)
    }
}

impl JsonSchema for FillValue {
    fn schema_name() -> Cow<'static, str> {
        "FillValue".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> schemars::Schema {
        json_schema!({"type": ["boolean", "number", "string", "null"]})
    }
}

impl Params for FillNull {
    const GROUP: &'static str = "columns";
    const REQUIRED: &'static [&'static str] = &["column", "value"];
}

impl Behaviour for FillNull {
    fn check(&self, schema: &Schema) -> Result<Schema, CheckError> {
        let dtype = column_type(schema, "column", &self.column)?;
        if self.value == FillValue::None {
            return Err(CheckError::new("value", "`value` is empty").hint("write the value to fill in"));
        }
        self.value.scalar(dtype).ok_or_else(|| {
            let message = format!(
                "`{}` is no value of column `{}`, which is {}",
                self.value,
                self.column,
                type_name(dtype)
            );
            CheckError::new("value", message).hint("write a value of that type, or use `cast` first")
        })?;
        Ok(schema.clone())
    }

    fn apply(&self, lf: LazyFrame, schema: &Schema) -> Result<LazyFrame, CheckError> {
        let dtype = column_type(schema, "column", &self.column)?;
        let Some(value) = self.value.scalar(dtype) else {
            return Err(CheckError::new("value", "the value is not of the column's type"));
        };
        let column = exactly(self.column.as_str());
        Ok(lf.with_column(column.fill_null(lit(value).cast(dtype.clone()))))
    }

    fn python(&self, schema: &Schema, _: &Inputs, script: &mut Python) -> Result<(), String> {
        let dtype = schema.get(&self.column).unwrap_or(&DataType::Null);
        let value = self
            .value
            .python(dtype)
            .ok_or("the value is not of the column's type")?;
        let code = format!("{}.fill_null({value})", python::col(&self.column));
        script.with_columns([(self.column.as_str(), code)]);
        Ok(())
    }

    fn summary(&self) -> String {
        format!("{}: null → {}", self.column, self.value)
    }

    fn subject(&self) -> String {
        self.column.clone()
    }
}

#[cfg(test)]
mod tests {
    use polars::prelude::{DataFrame, df};

    use super::super::testing::{check_error, run};

    fn input() -> DataFrame {
        df!(
            "n" => [Some(1i64), None],
            "small" => [None, Some(1i8)],
            "x" => [None, Some(f64::NAN)],
            "s" => [None, Some("a")],
            "b" => [None, Some(true)],
        )
        .unwrap()
    }

    #[test]
    fn a_value_of_the_column_s_type_fills_the_gaps() {
        for (yaml, column, expected) in [
            ("fill_null: {column: n, value: 7}", "n", "[1, 7]"),
            ("fill_null: {column: small, value: 7}", "small", "[7, 1]"),
            ("fill_null: {column: x, value: 2}", "x", "[2.0, NaN]"),
            ("fill_null: {column: x, value: 0.5}", "x", "[0.5, NaN]"),
            ("fill_null: {column: s, value: none}", "s", "[none, a]"),
            ("fill_null: {column: b, value: false}", "b", "[false, true]"),
        ] {
            let output = run(yaml, &input());
            assert_eq!(output.schema(), input().schema(), "{yaml}");
            let column = output.column(column).unwrap();
            let values: Vec<String> = (0..2)
                .map(|row| column.get(row).unwrap().str_value().into_owned())
                .collect();
            assert_eq!(format!("[{}]", values.join(", ")), expected, "{yaml}");
        }
    }

    #[test]
    fn a_timestamp_is_filled_in_utc() {
        let input = df!("t" => [None, Some("2020-01-01T00:00:00Z")]).unwrap();
        let parsed = run("parse_timestamp: {column: t}", &input);
        let output = run(
            "fill_null: {column: t, value: '2020-01-01T01:00:00+01:00'}",
            &parsed,
        );
        let t = output.column("t").unwrap();
        assert_eq!(t.get(0).unwrap(), t.get(1).unwrap());
        assert_eq!(output.schema(), parsed.schema());
    }

    #[test]
    fn a_value_of_another_type_does_not_check() {
        for yaml in [
            "fill_null: {column: n, value: a}",
            "fill_null: {column: n, value: 1.5}",
            "fill_null: {column: small, value: 300}",
            "fill_null: {column: s, value: 1}",
            "fill_null: {column: b, value: 1}",
        ] {
            assert!(
                check_error(yaml, &input()).contains("is no value of column"),
                "{yaml}"
            );
        }
        assert_eq!(
            check_error("fill_null: {column: n}", &input()),
            "`value` is empty: write the value to fill in"
        );
    }
}

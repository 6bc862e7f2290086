//! Changes the type of a column.
//!
//! A value that the new type cannot hold rejects its record, or becomes null with `on_error: null`; null stays null.
//!
//! ```yaml
//! - cast: {column: salary, to: int64, on_error: null}
//! ```
//!
//! Text is read as a whole number only when it is one (`12`, not `12.0` and not ` 12`), as a date only in the form
//! `2020-01-31`, as a boolean only when it is `true` or `false`. A fraction is cut towards zero (`-1.9` becomes `-1`); a
//! number out of range, `NaN` and infinity do not fit whole numbers. A boolean becomes 1 or 0. A timestamp becomes
//! microseconds since 1970 (UTC) as a number, and back.
//!
//! Limits: plain values only. For text to a timestamp use `parse_timestamp`, for lists and structs `explode`, `unnest` or
//! `derive`.

use polars::prelude::{
    BooleanChunked, Column, DataType, Expr, Field, IntoColumn, LazyFrame, PolarsResult, Schema, TimeUnit,
    TimeZone,
};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::reject::{allow_null, choice_or_null, reject_where};
use super::{OnError, Params};
use crate::transform::python::{self, Python};
use crate::transform::step::{Behaviour, column_type, exactly, type_name};
use crate::transform::{CheckError, Inputs, iso8601};

/// Parameters of `cast`.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Cast {
    /// Column to change.
    #[schemars(extend("x-input" = "column"))]
    pub column: String,
    /// Type that the column gets.
    pub to: CastType,
    /// What becomes of a value that the new type cannot hold.
    #[serde(deserialize_with = "choice_or_null")]
    #[schemars(transform = allow_null)]
    pub on_error: OnError,
}

/// A plain type, in the words of a schema.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum CastType {
    Bool,
    Int8,
    Int16,
    Int32,
    Int64,
    UInt8,
    UInt16,
    UInt32,
    UInt64,
    Float32,
    Float64,
    #[default]
    String,
    Date,
    #[serde(rename = "timestamp[us, UTC]", alias = "timestamp")]
    Timestamp,
}

impl CastType {
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Bool => "bool",
            Self::Int8 => "int8",
            Self::Int16 => "int16",
            Self::Int32 => "int32",
            Self::Int64 => "int64",
            Self::UInt8 => "uint8",
            Self::UInt16 => "uint16",
            Self::UInt32 => "uint32",
            Self::UInt64 => "uint64",
            Self::Float32 => "float32",
            Self::Float64 => "float64",
            Self::String => "string",
            Self::Date => "date",
            Self::Timestamp => "timestamp[us, UTC]",
        }
    }

    pub(super) fn dtype(self) -> DataType {
        match self {
            Self::Bool => DataType::Boolean,
            Self::Int8 => DataType::Int8,
            Self::Int16 => DataType::Int16,
            Self::Int32 => DataType::Int32,
            Self::Int64 => DataType::Int64,
            Self::UInt8 => DataType::UInt8,
            Self::UInt16 => DataType::UInt16,
            Self::UInt32 => DataType::UInt32,
            Self::UInt64 => DataType::UInt64,
            Self::Float32 => DataType::Float32,
            Self::Float64 => DataType::Float64,
            Self::String => DataType::String,
            Self::Date => DataType::Date,
            Self::Timestamp => timestamp_type(),
        }
    }
}

/// `timestamp[us, UTC]`, the one type of timestamps.
pub(super) fn timestamp_type() -> DataType {
    DataType::Datetime(TimeUnit::Microseconds, Some(TimeZone::UTC))
}

impl Cast {
    fn cast_expr(&self, from: &DataType) -> Expr {
        let value = exactly(self.column.as_str());
        match (from, self.to) {
            (DataType::String, CastType::Bool) => value.map(
                |texts| text_to_bool(&texts),
                |_, field| Ok(Field::new(field.name().clone(), DataType::Boolean)),
            ),
            (DataType::String, CastType::Date) => value.map(
                |texts| text_to_date(&texts),
                |_, field| Ok(Field::new(field.name().clone(), DataType::Date)),
            ),
            _ => value.cast(self.to.dtype()),
        }
    }
}

impl Params for Cast {
    const GROUP: &'static str = "columns";
    const REQUIRED: &'static [&'static str] = &["column", "to"];
}

impl Behaviour for Cast {
    fn check(&self, schema: &Schema) -> Result<Schema, CheckError> {
        let from = column_type(schema, "column", &self.column)?;
        if let Some(remedy) = obstacle(from, self.to) {
            let message = format!(
                "column `{}` is {}, which does not become {}",
                self.column,
                type_name(from),
                self.to.name()
            );
            return Err(CheckError::new("to", message).hint(remedy));
        }
        let mut output = schema.clone();
        output.with_column(self.column.as_str().into(), self.to.dtype());
        Ok(output)
    }

    fn apply(&self, lf: LazyFrame, schema: &Schema) -> Result<LazyFrame, CheckError> {
        let value = exactly(self.column.as_str());
        let cast = self.cast_expr(column_type(schema, "column", &self.column)?);
        let mut columns = vec![cast.clone().alias(self.column.as_str())];
        if self.may_reject() {
            let failed = value.clone().is_not_null().and(cast.is_null());
            columns.push(reject_where(failed, value, self.to.name().to_owned()));
        }
        Ok(lf.with_columns(columns))
    }

    fn python(&self, schema: &Schema, _: &Inputs, script: &mut Python) -> Result<(), String> {
        const CAST: &str = "_cast";
        let value = python::col(&self.column);
        let code = match (schema.get(&self.column), self.to) {
            (Some(DataType::String), CastType::Bool) => {
                format!("pl.when({value} == \"true\").then(True).when({value} == \"false\").then(False)")
            }
            (Some(DataType::String), CastType::Date) => {
                iso8601::define_python(script);
                format!("{value}.map_elements(iso8601_days, return_dtype=pl.Int32).cast(pl.Date)")
            }
            _ => format!("{value}.cast({}, strict=False)", python::dtype(&self.to.dtype())),
        };
        if !self.may_reject() {
            script.with_columns([(self.column.as_str(), code)]);
            return Ok(());
        }
        script.with_columns([(CAST, code)]);
        let cast = python::col(CAST);
        script.line(format!(
            "df = df.filter({value}.is_null() | {cast}.is_not_null())"
        ));
        script.with_columns([(self.column.as_str(), cast)]);
        script.line(format!("df = df.drop({})", python::quoted(CAST)));
        Ok(())
    }

    fn summary(&self) -> String {
        format!("{} → {}", self.column, self.to.name())
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

/// What to do instead where a cast has no meaning.
fn obstacle(from: &DataType, to: CastType) -> Option<&'static str> {
    let is_time = matches!(to, CastType::Date | CastType::Timestamp);
    match from {
        DataType::String if to == CastType::Timestamp => Some("use `parse_timestamp`"),
        DataType::Boolean if is_time => Some("choose a number or text"),
        DataType::Float32 | DataType::Float64 if is_time => Some("cast to int64 first"),
        dtype if dtype.is_primitive_numeric() && to == CastType::Date => Some("cast to a timestamp first"),
        DataType::Date | DataType::Datetime(..) if to == CastType::Bool => Some("compare it in `derive`"),
        DataType::List(_) => Some("use `explode`, or `array_to_string` in `derive`"),
        DataType::Struct(_) => Some("use `unnest`, or name a field in `derive`"),
        _ => None,
    }
}

fn text_to_bool(texts: &Column) -> PolarsResult<Column> {
    let values: BooleanChunked = texts
        .str()?
        .iter()
        .map(|text| match text {
            Some("true") => Some(true),
            Some("false") => Some(false),
            _ => None,
        })
        .collect();
    Ok(values.with_name(texts.name().clone()).into_column())
}

fn text_to_date(texts: &Column) -> PolarsResult<Column> {
    let days: polars::prelude::Int32Chunked = texts
        .str()?
        .iter()
        .map(|text| text.and_then(iso8601::days))
        .collect();
    days.with_name(texts.name().clone())
        .into_column()
        .cast(&DataType::Date)
}

#[cfg(test)]
mod tests {
    use polars::prelude::{DataType, IntoLazy, NamedFrom, Series, df};

    use super::super::testing::{check_error, outcome, run, step};

    fn cast_text(to: &str, values: &[&str]) -> Series {
        let input = df!("x" => values).unwrap();
        let output = run(
            &format!("cast: {{column: x, to: '{to}', on_error: null}}"),
            &input,
        );
        output.column("x").unwrap().as_materialized_series().clone()
    }

    #[test]
    fn text_becomes_a_number_only_when_it_is_one() {
        assert_eq!(
            cast_text(
                "int64",
                &["12", "-3", "12.0", " 12", "x", "", "9223372036854775808"]
            ),
            Series::new("x".into(), [Some(12i64), Some(-3), None, None, None, None, None])
        );
        assert_eq!(
            cast_text("float64", &["1.5", "x", "1e3"]),
            Series::new("x".into(), [Some(1.5), None, Some(1000.0)])
        );
    }

    #[test]
    fn text_becomes_a_boolean_or_a_date_in_one_form_only() {
        assert_eq!(
            cast_text("bool", &["true", "false", "True", "1", ""]),
            Series::new("x".into(), [Some(true), Some(false), None, None, None])
        );
        let dates = cast_text("date", &["1970-01-02", "2020-02-30", "02/01/1970"]);
        assert_eq!(
            dates.cast(&DataType::Int32).unwrap(),
            Series::new("x".into(), [Some(1i32), None, None])
        );
    }

    #[test]
    fn fractions_are_cut_and_what_does_not_fit_is_null() {
        let input = df!("x" => [1.9, -1.9, f64::NAN, f64::INFINITY, 300.0]).unwrap();
        let output = run("cast: {column: x, to: int8, on_error: null}", &input);
        assert_eq!(
            output,
            df!("x" => [Some(1i8), Some(-1), None, None, None]).unwrap()
        );
    }

    #[test]
    fn a_strict_cast_rejects_the_record_and_says_which_value() {
        let input = df!("x" => [Some("1"), Some("abc"), None]).unwrap();
        let outcome = outcome("cast: {column: x, to: int64}", &input);
        assert_eq!(outcome.df.column("x").unwrap().null_count(), 1);
        assert_eq!(outcome.rejects.len(), 1);
        let reject = &outcome.rejects[0];
        assert_eq!((reject.line, reject.message.as_str()), (2, "`abc` is no int64"));
        assert_eq!(reject.column.as_deref(), Some("x"));
        assert_eq!(reject.step_label, "cast(x)");
    }

    #[test]
    fn a_lenient_cast_looks_for_no_rejects() {
        let input = df!("x" => ["1"]).unwrap();
        let schema = input.schema().as_ref().clone();
        for (yaml, expected) in [
            ("cast: {column: x, to: int64, on_error: null}", false),
            ("cast: {column: x, to: int64}", true),
        ] {
            let mut lf = step(yaml)
                .apply(
                    input.clone().lazy(),
                    &schema,
                    &crate::transform::Inputs::default(),
                )
                .unwrap();
            let has_reject = lf
                .collect_schema()
                .unwrap()
                .contains(crate::dataset::origin::REJECT);
            assert_eq!(has_reject, expected, "{yaml}");
        }
    }

    #[test]
    fn casts_without_a_meaning_name_the_remedy() {
        let input = df!("x" => ["1"]).unwrap();
        let error = check_error("cast: {column: x, to: 'timestamp[us, UTC]'}", &input);
        assert!(error.ends_with("use `parse_timestamp`"), "{error}");
    }
}

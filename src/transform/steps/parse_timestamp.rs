//! Reads text as a timestamp (microseconds, UTC).
//!
//! Without `format` the text is ISO 8601: `2020-01-31`, `2020-01-31T12:30:15.25Z`, `2020-01-31 12:30+01:00`. Without an
//! offset the time is taken as UTC. A text that is no timestamp rejects its record, or becomes null with
//! `on_error: null`; null stays null.
//!
//! ```yaml
//! - parse_timestamp: {column: posted_at}
//! - parse_timestamp: {column: seen, into: seen_at, format: '%d.%m.%Y %H:%M'}
//! ```
//!
//! `format` is in strftime's words (`%Y %m %d %H %M %S %.f %z`); the text has to match it as a whole. A format without a
//! time of day means midnight.
//!
//! Limits: month and day names are English; digits after the sixth of a second are cut. A date column becomes its
//! midnight, a timestamp is brought to microseconds in UTC.

use std::fmt::Write as _;

use chrono::format::{Fixed, Item, Numeric, StrftimeItems};
use polars::prelude::{
    Column, DataType, Expr, Field, Int64Chunked, IntoColumn, LazyFrame, PolarsResult, Schema,
};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::cast::timestamp_type;
use super::reject::{allow_null, choice_or_null, reject_where};
use super::{OnError, Params};
use crate::transform::python::{self, Python};
use crate::transform::step::{Behaviour, check_new_name, column_type, exactly, target, wrong_type};
use crate::transform::{CheckError, Inputs, iso8601};

/// Parameters of `parse_timestamp`.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct ParseTimestamp {
    /// Column of text to read.
    #[schemars(extend("x-input" = "column"))]
    pub column: String,
    /// Column to write; the column itself when it is not given.
    pub into: Option<String>,
    /// strftime form of the text; ISO 8601 when it is not given.
    pub format: Option<String>,
    /// What becomes of a text that is no timestamp.
    #[serde(deserialize_with = "choice_or_null")]
    #[schemars(transform = allow_null)]
    pub on_error: OnError,
}

impl ParseTimestamp {
    fn target(&self) -> &str {
        target(self.into.as_deref(), &self.column)
    }

    fn parsed(&self, dtype: &DataType) -> Expr {
        let value = exactly(self.column.as_str());
        if dtype != &DataType::String {
            return value.cast(timestamp_type());
        }
        let format = self.format.clone();
        value.map(
            move |texts| parse(&texts, format.as_deref()),
            |_, field| Ok(Field::new(field.name().clone(), timestamp_type())),
        )
    }
}

fn parse(texts: &Column, format: Option<&str>) -> PolarsResult<Column> {
    let micros: Int64Chunked = texts
        .str()?
        .iter()
        .map(|text| match format {
            Some(format) => iso8601::micros_in(text?, format),
            None => iso8601::micros(text?),
        })
        .collect();
    micros
        .with_name(texts.name().clone())
        .into_column()
        .cast(&timestamp_type())
}

/// Code that reads `value` in a strftime `format`, whose words polars in Python takes from the same library. It wants to be
/// told whether there is an offset or a time of day.
fn python_in(value: &str, format: &str) -> String {
    let items: Vec<Item<'_>> = StrftimeItems::new(format).collect();
    let has = |is: fn(&Fixed) -> bool| {
        items
            .iter()
            .any(|item| matches!(item, Item::Fixed(fixed) if is(fixed)))
    };
    let has_offset = has(|fixed| {
        matches!(
            fixed,
            Fixed::TimezoneOffset
                | Fixed::TimezoneOffsetZ
                | Fixed::TimezoneOffsetColon
                | Fixed::TimezoneOffsetColonZ
                | Fixed::TimezoneOffsetDoubleColon
                | Fixed::TimezoneOffsetTripleColon
                | Fixed::RFC3339
                | Fixed::RFC2822
        )
    });
    let has_time = has_offset
        || items.iter().any(|item| {
            matches!(
                item,
                Item::Numeric(
                    Numeric::Hour | Numeric::Hour12 | Numeric::Minute | Numeric::Second | Numeric::Timestamp,
                    _
                )
            )
        });
    let format = python::quoted(format);
    if has_offset {
        format!("{value}.str.to_datetime({format}, time_unit=\"us\", time_zone=\"UTC\", strict=False)")
    } else if has_time {
        format!("{value}.str.to_datetime({format}, time_unit=\"us\", strict=False)")
    } else {
        format!("{value}.str.to_date({format}, strict=False).cast(pl.Datetime(\"us\"))")
    }
}

impl Params for ParseTimestamp {
    const GROUP: &'static str = "time";
    const REQUIRED: &'static [&'static str] = &["column"];
}

impl Behaviour for ParseTimestamp {
    fn check(&self, schema: &Schema) -> Result<Schema, CheckError> {
        let dtype = column_type(schema, "column", &self.column)?;
        if !matches!(dtype, DataType::String | DataType::Date | DataType::Datetime(..)) {
            return Err(wrong_type("column", &self.column, dtype, "text")
                .hint("microseconds since 1970 become a timestamp with `cast`"));
        }
        check_new_name("into", self.target())?;
        if let Some(format) = &self.format
            && StrftimeItems::new(format).any(|item| item == Item::Error)
        {
            return Err(
                CheckError::new("format", format!("format `{format}` is not valid"))
                    .hint("use strftime's words, such as `%Y-%m-%d %H:%M:%S`"),
            );
        }
        let mut output = schema.clone();
        output.with_column(self.target().into(), timestamp_type());
        Ok(output)
    }

    fn apply(&self, lf: LazyFrame, schema: &Schema) -> Result<LazyFrame, CheckError> {
        let value = exactly(self.column.as_str());
        let parsed = self.parsed(column_type(schema, "column", &self.column)?);
        let mut columns = vec![parsed.clone().alias(self.target())];
        if self.may_reject() {
            let failed = value.clone().is_not_null().and(parsed.is_null());
            let mut what = "timestamp".to_owned();
            if let Some(format) = &self.format {
                write!(what, " in the format `{format}`").unwrap_or_default();
            }
            columns.push(reject_where(failed, value, what));
        }
        Ok(lf.with_columns(columns))
    }

    fn python(&self, schema: &Schema, _: &Inputs, script: &mut Python) -> Result<(), String> {
        let value = python::col(&self.column);
        let code = match (schema.get(&self.column), &self.format) {
            (Some(DataType::String), None) => {
                iso8601::define_python(script);
                format!("{value}.map_elements(iso8601_micros, return_dtype=pl.Int64)")
            }
            (Some(DataType::String), Some(format)) => python_in(&value, format),
            _ => value.clone(),
        };
        let parsed = format!("{code}.cast(pl.Datetime(\"us\", \"UTC\"))");
        if self.may_reject() {
            script.line(format!("parsed = df.select({parsed}).to_series()"));
            script.line(format!(
                "df = df.filter({value}.is_null() | pl.lit(parsed).is_not_null())"
            ));
        }
        script.with_columns([(self.target(), parsed)]);
        Ok(())
    }

    fn summary(&self) -> String {
        match &self.into {
            Some(into) => format!("{} → {into}: timestamp", self.column),
            None => format!("{} → timestamp", self.column),
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
    fn iso_text_becomes_microseconds_in_utc() {
        let input = df!("t" => [Some("1970-01-01T00:00:01Z"), Some("1970-01-01"), None]).unwrap();
        let output = run("parse_timestamp: {column: t, into: at}", &input);
        let at = output.column("at").unwrap();
        assert_eq!(at.dtype(), &super::timestamp_type());
        assert_eq!(
            at.cast(&DataType::Int64)
                .unwrap()
                .i64()
                .unwrap()
                .iter()
                .collect::<Vec<_>>(),
            [Some(1_000_000), Some(0), None]
        );
        assert_eq!(output.get_column_names(), ["t", "at"]);
    }

    #[test]
    fn a_text_that_is_no_timestamp_is_rejected_or_null() {
        let input = df!("t" => ["1970-01-01", "yesterday"]).unwrap();
        let strict = outcome("parse_timestamp: {column: t}", &input);
        assert_eq!(strict.df.height(), 1);
        assert_eq!(strict.rejects[0].message, "`yesterday` is no timestamp");
        let lenient = run("parse_timestamp: {column: t, on_error: null}", &input);
        assert_eq!(lenient.column("t").unwrap().null_count(), 1);
        let strict = outcome("parse_timestamp: {column: t, format: '%d.%m.%Y'}", &input);
        assert_eq!(
            strict.rejects[0].message,
            "`1970-01-01` is no timestamp in the format `%d.%m.%Y`"
        );
    }

    #[test]
    fn a_format_or_column_that_cannot_be_used_does_not_check() {
        let input = df!("t" => ["1970-01-01"], "n" => [1i64]).unwrap();
        assert!(check_error("parse_timestamp: {column: t, format: '%Q'}", &input).contains("not valid"));
        assert!(check_error("parse_timestamp: {column: n}", &input).contains("not text"));
    }
}

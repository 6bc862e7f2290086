//! Plain values as text, and any value as JSON: the one form that `concat`, `to_json` and `json_path` write.
//!
//! A float64 is written with the fewest digits that read as the same number (`0.1`, `1e-5`, `100.0`); a float32 as the
//! float64 that it equals. A timestamp is `2020-01-31T12:30:15.250000Z`, without the `Z` when it has no time zone; one
//! with a zone is written in UTC. A duration is its microseconds. In JSON `NaN` and infinity are null.

use std::fmt::Write as _;

use chrono::{DateTime, Days, NaiveDate};
use polars::prelude::{AnyValue, DataType, TimeUnit};
use serde_json::Value;

use crate::transform::python::Python;

/// Whether [`push_text`] can write values of `dtype`.
pub(super) fn is_plain(dtype: &DataType) -> bool {
    match dtype {
        DataType::Boolean
        | DataType::Float32
        | DataType::Float64
        | DataType::String
        | DataType::Date
        | DataType::Datetime(..)
        | DataType::Duration(_)
        | DataType::Null => true,
        dtype => dtype.is_integer(),
    }
}

/// Whether [`push_json`] can write values of `dtype`.
pub(super) fn has_json(dtype: &DataType) -> bool {
    match dtype {
        DataType::List(item) => has_json(item),
        DataType::Struct(fields) => fields.iter().all(|field| has_json(field.dtype())),
        dtype => is_plain(dtype),
    }
}

/// Appends a plain value; null appends nothing.
pub(super) fn push_text(value: &AnyValue<'_>, text: &mut String) {
    // Writing to a string cannot fail.
    _ = match value {
        AnyValue::Null => Ok(()),
        AnyValue::Float32(value) => write!(text, "{:?}", f64::from(*value)),
        AnyValue::Float64(value) => write!(text, "{value:?}"),
        AnyValue::Date(days) => write_date(i64::from(*days), text),
        AnyValue::Datetime(value, unit, zone) => write_timestamp(*value, *unit, zone.is_some(), text),
        AnyValue::DatetimeOwned(value, unit, zone) => write_timestamp(*value, *unit, zone.is_some(), text),
        AnyValue::Duration(value, unit) => write!(text, "{}", micros(*value, *unit)),
        other => text.write_str(&other.str_value()),
    };
}

fn micros(value: i64, unit: TimeUnit) -> i64 {
    match unit {
        TimeUnit::Nanoseconds => value.div_euclid(1000),
        TimeUnit::Microseconds => value,
        TimeUnit::Milliseconds => value.saturating_mul(1000),
    }
}

fn write_date(days: i64, text: &mut String) -> std::fmt::Result {
    let epoch = NaiveDate::default();
    let date = if days < 0 {
        epoch.checked_sub_days(Days::new(days.unsigned_abs()))
    } else {
        epoch.checked_add_days(Days::new(days.unsigned_abs()))
    };
    match date {
        Some(date) => write!(text, "{date}"),
        None => write!(text, "{days}"),
    }
}

fn write_timestamp(value: i64, unit: TimeUnit, has_zone: bool, text: &mut String) -> std::fmt::Result {
    let value = micros(value, unit);
    let zone = if has_zone { "Z" } else { "" };
    match DateTime::from_timestamp_micros(value) {
        Some(at) => write!(text, "{}{zone}", at.format("%Y-%m-%dT%H:%M:%S%.6f")),
        None => write!(text, "{value}"),
    }
}

/// Appends any value as JSON, without spaces.
pub(super) fn push_json(value: &AnyValue<'_>, json: &mut String) {
    match value {
        AnyValue::Null => json.push_str("null"),
        AnyValue::Float32(value) if !value.is_finite() => json.push_str("null"),
        AnyValue::Float64(value) if !value.is_finite() => json.push_str("null"),
        AnyValue::String(text) => push_quoted(text, json),
        AnyValue::StringOwned(text) => push_quoted(text, json),
        AnyValue::List(items) => {
            json.push('[');
            for (i, item) in items.iter().enumerate() {
                if i > 0 {
                    json.push(',');
                }
                push_json(&item, json);
            }
            json.push(']');
        }
        AnyValue::Struct(_, _, fields) => {
            let names = fields.iter().map(|field| field.name().as_str());
            push_object(names.zip(value._iter_struct_av()), json);
        }
        AnyValue::StructOwned(owned) => {
            let (values, fields) = owned.as_ref();
            let names = fields.iter().map(|field| field.name().as_str());
            push_object(names.zip(values.iter().cloned()), json);
        }
        AnyValue::Date(_) | AnyValue::Datetime(..) | AnyValue::DatetimeOwned(..) => {
            json.push('"');
            push_text(value, json);
            json.push('"');
        }
        plain => push_text(plain, json),
    }
}

/// Appends named values as a JSON object.
pub(super) fn push_object<'a, 'b>(fields: impl Iterator<Item = (&'a str, AnyValue<'b>)>, json: &mut String) {
    json.push('{');
    for (i, (name, value)) in fields.enumerate() {
        if i > 0 {
            json.push(',');
        }
        push_quoted(name, json);
        json.push(':');
        push_json(&value, json);
    }
    json.push('}');
}

/// Appends parsed JSON in the same form.
pub(super) fn push_parsed(value: &Value, json: &mut String) {
    match value {
        Value::Null => json.push_str("null"),
        Value::Bool(value) => json.push_str(if *value { "true" } else { "false" }),
        Value::Number(number) => {
            // Writing to a string cannot fail.
            _ = match (number.is_f64(), number.as_f64()) {
                (true, Some(value)) => write!(json, "{value:?}"),
                _ => write!(json, "{number}"),
            };
        }
        Value::String(text) => push_quoted(text, json),
        Value::Array(items) => {
            json.push('[');
            for (i, item) in items.iter().enumerate() {
                if i > 0 {
                    json.push(',');
                }
                push_parsed(item, json);
            }
            json.push(']');
        }
        Value::Object(fields) => {
            json.push('{');
            for (i, (name, value)) in fields.iter().enumerate() {
                if i > 0 {
                    json.push(',');
                }
                push_quoted(name, json);
                json.push(':');
                push_parsed(value, json);
            }
            json.push('}');
        }
    }
}

/// Appends a JSON string: quotes, backslashes and control characters are escaped, all else stands as it is.
fn push_quoted(text: &str, json: &mut String) {
    json.push('"');
    for c in text.chars() {
        match c {
            '"' => json.push_str("\\\""),
            '\\' => json.push_str("\\\\"),
            '\n' => json.push_str("\\n"),
            '\r' => json.push_str("\\r"),
            '\t' => json.push_str("\\t"),
            '\u{8}' => json.push_str("\\b"),
            '\u{c}' => json.push_str("\\f"),
            // Writing to a string cannot fail.
            c if c < ' ' => _ = write!(json, "\\u{:04x}", u32::from(c)),
            c => json.push(c),
        }
    }
    json.push('"');
}

/// Defines `text_of(value)` in a script.
pub(super) fn define_text(script: &mut Python) {
    script.import("datetime");
    script.import("re");
    script.define("text_of", include_str!("python/text_of.py"));
}

/// Defines `json_of(value)` in a script.
pub(super) fn define_json(script: &mut Python) {
    define_text(script);
    script.import("json");
    script.import("math");
    script.define("json_of", include_str!("python/json_of.py"));
}

/// Defines `read_json(text)` in a script.
pub(super) fn define_read_json(script: &mut Python) {
    script.import("json");
    script.import("math");
    script.define("read_json", include_str!("python/read_json.py"));
}

#[cfg(test)]
mod tests {
    use polars::prelude::{AnyValue, TimeUnit, TimeZone};

    use super::{push_json, push_parsed, push_text};

    fn json(value: &AnyValue<'_>) -> String {
        let mut text = String::new();
        push_json(value, &mut text);
        text
    }

    #[test]
    fn plain_values_have_one_form() {
        for (value, expected) in [
            (AnyValue::Float64(0.1), "0.1"),
            (AnyValue::Float64(1e-5), "1e-5"),
            (AnyValue::Float64(1e16), "1e16"),
            (AnyValue::Float64(100.0), "100.0"),
            (AnyValue::Float64(f64::NAN), "NaN"),
            (AnyValue::Float32(0.1), "0.10000000149011612"),
            (AnyValue::Boolean(true), "true"),
            (AnyValue::UInt64(u64::MAX), "18446744073709551615"),
            (AnyValue::Date(-1), "1969-12-31"),
            (
                AnyValue::Datetime(-1, TimeUnit::Microseconds, None),
                "1969-12-31T23:59:59.999999",
            ),
            (
                AnyValue::Datetime(250, TimeUnit::Milliseconds, Some(&TimeZone::UTC)),
                "1970-01-01T00:00:00.250000Z",
            ),
            (AnyValue::Null, ""),
        ] {
            let mut text = String::new();
            push_text(&value, &mut text);
            assert_eq!(text, expected, "{value:?}");
        }
    }

    #[test]
    fn json_is_valid_and_escaped() {
        assert_eq!(
            json(&AnyValue::String("a\"\\\n\u{1}ä\u{7f}")),
            "\"a\\\"\\\\\\n\\u0001ä\u{7f}\""
        );
        assert_eq!(json(&AnyValue::Float64(f64::INFINITY)), "null");
        assert_eq!(json(&AnyValue::Date(0)), "\"1970-01-01\"");
        let text = r#"{"b":[1,-2.5,1e300,null,true],"a":{"x":"ä"}}"#;
        let mut written = String::new();
        push_parsed(&serde_json::from_str(text).unwrap(), &mut written);
        assert_eq!(written, text);
    }
}

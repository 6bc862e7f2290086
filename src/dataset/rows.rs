//! Rows as JSON: what `--json`, quarantine and a row's detail show. Integers keep every digit, times are ISO 8601.

use chrono::{DateTime, SecondsFormat, TimeDelta};
use polars::prelude::{AnyValue, DataFrame, TimeUnit, TimeZone};
use serde_json::{Map, Number, Value};

use super::origin;

/// One row, visible columns only, in column order. None past the end.
pub fn row_to_json(df: &DataFrame, row_idx: usize) -> Option<Map<String, Value>> {
    if row_idx >= df.height() {
        return None;
    }
    let mut row = Map::new();
    for column in df.columns() {
        if !origin::is_hidden(column.name()) {
            let value = column.get(row_idx).unwrap_or(AnyValue::Null);
            row.insert(column.name().to_string(), to_json(&value));
        }
    }
    Some(row)
}

/// One value. NaN and infinities, which JSON does not have, become text.
pub fn to_json(value: &AnyValue<'_>) -> Value {
    match value {
        AnyValue::Null => Value::Null,
        AnyValue::Boolean(value) => Value::Bool(*value),
        AnyValue::String(text) => Value::from(*text),
        AnyValue::StringOwned(text) => Value::from(text.as_str()),
        AnyValue::UInt8(n) => Value::from(*n),
        AnyValue::UInt16(n) => Value::from(*n),
        AnyValue::UInt32(n) => Value::from(*n),
        AnyValue::UInt64(n) => Value::from(*n),
        AnyValue::Int8(n) => Value::from(*n),
        AnyValue::Int16(n) => Value::from(*n),
        AnyValue::Int32(n) => Value::from(*n),
        AnyValue::Int64(n) => Value::from(*n),
        AnyValue::Float32(n) => float(f64::from(*n), &n.to_string()),
        AnyValue::Float64(n) => float(*n, &n.to_string()),
        AnyValue::Date(days) => Value::from(date(*days)),
        AnyValue::Datetime(ticks, unit, zone) => Value::from(instant(*ticks, *unit, *zone)),
        AnyValue::DatetimeOwned(ticks, unit, zone) => Value::from(instant(*ticks, *unit, zone.as_deref())),
        AnyValue::List(items) => Value::Array(items.iter().map(|item| to_json(&item)).collect()),
        AnyValue::Struct(_, _, fields) => {
            let names = fields.iter().map(|field| field.name().to_string());
            Value::Object(
                names
                    .zip(value._iter_struct_av().map(|item| to_json(&item)))
                    .collect(),
            )
        }
        AnyValue::StructOwned(fields) => {
            let names = fields.1.iter().map(|field| field.name().to_string());
            Value::Object(names.zip(fields.0.iter().map(to_json)).collect())
        }
        other => Value::from(other.to_string()),
    }
}

fn float(value: f64, text: &str) -> Value {
    Number::from_f64(value).map_or_else(|| Value::from(text), Value::Number)
}

fn date(days: i32) -> String {
    let day = chrono::NaiveDate::default().checked_add_signed(TimeDelta::days(i64::from(days)));
    day.map_or_else(|| format!("day {days}"), |day| day.to_string())
}

/// As [`timestamp`], on the clock of a zone that is not UTC with its offset: `2020-01-31T13:30:00+01:00`.
pub fn instant(ticks: i64, unit: TimeUnit, zone: Option<&TimeZone>) -> String {
    let other = zone.filter(|zone| **zone != TimeZone::UTC);
    let (Some(zone), Some(at)) = (other.and_then(|zone| zone.to_chrono().ok()), at(ticks, unit)) else {
        return timestamp(ticks, unit, zone.is_some());
    };
    at.with_timezone(&zone)
        .to_rfc3339_opts(SecondsFormat::AutoSi, false)
}

fn at(ticks: i64, unit: TimeUnit) -> Option<DateTime<chrono::Utc>> {
    match unit {
        TimeUnit::Nanoseconds => Some(DateTime::from_timestamp_nanos(ticks)),
        TimeUnit::Microseconds => DateTime::from_timestamp_micros(ticks),
        TimeUnit::Milliseconds => DateTime::from_timestamp_millis(ticks),
    }
}

/// ISO 8601 with as many digits as the value needs; `Z` for UTC, nothing for a time without a zone.
pub fn timestamp(ticks: i64, unit: TimeUnit, has_zone: bool) -> String {
    let Some(at) = at(ticks, unit) else {
        return format!("{ticks} {unit}");
    };
    let text = at.to_rfc3339_opts(SecondsFormat::AutoSi, true);
    if has_zone {
        text
    } else {
        text.trim_end_matches('Z').to_owned()
    }
}

#[cfg(test)]
mod tests {
    use polars::prelude::{DataFrame, DataType, IntoColumn, NamedFrom, Series, TimeUnit, TimeZone};

    use super::row_to_json;

    #[test]
    fn large_integers_times_and_nested_values_keep_their_meaning() {
        let id = Series::new("id".into(), [9_007_199_254_740_993_i64]);
        let at = Series::new("at".into(), [1_577_836_800_500_000_i64])
            .cast(&DataType::Datetime(TimeUnit::Microseconds, Some(TimeZone::UTC)))
            .unwrap();
        let tags = Series::new("tags".into(), [Series::new("".into(), ["a", "b"])]);
        let share = Series::new("share".into(), [f64::NAN]);
        let hidden = Series::new(super::origin::LINE.into(), [7_u64]);
        let columns = [id, at, tags, share, hidden]
            .map(IntoColumn::into_column)
            .to_vec();
        let df = DataFrame::new(1, columns).unwrap();
        let row = serde_json::to_string(&row_to_json(&df, 0).unwrap()).unwrap();
        let expected =
            r#"{"id":9007199254740993,"at":"2020-01-01T00:00:00.500Z","tags":["a","b"],"share":"NaN"}"#;
        assert_eq!(row, expected);
        assert_eq!(row_to_json(&df, 1), None);
    }
}

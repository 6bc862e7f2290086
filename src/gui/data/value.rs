//! Values of a frame as text: short for a cell of the grid, whole for copying and for the detail of a row.
//!
//! Whole numbers never pass through a float, so 64-bit ids keep every digit.

use std::borrow::Cow;
use std::fmt::Write as _;

use chrono::{DateTime, NaiveDate, TimeDelta};
use polars::prelude::{AnyValue, DataType, Series, TimeUnit, TimeZone};
use serde_json::{Map, Value};

use crate::base::units;
use crate::dataset::rows::instant;

/// How a cell looks, apart from its text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Look {
    /// Faint and italic.
    Null,
    /// A text without characters, which is not null.
    Empty,
    /// Right-aligned, tabular.
    Number,
    Text,
    /// Ids, timestamps and nested values.
    Code,
}

/// A value ready to be drawn in one line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Cell {
    pub text: String,
    pub look: Look,
}

/// Characters of a value that a cell formats at most: no column is wider.
const MAX_CELL_CHARS: usize = 160;
/// Items of a list that a cell names before it counts the rest.
const MAX_CELL_ITEMS: usize = 2;

impl Cell {
    fn new(text: impl Into<String>, look: Look) -> Self {
        Self {
            text: text.into(),
            look,
        }
    }
}

/// `value` in one short line. Whole numbers of an id column come without separators.
pub fn cell(value: &AnyValue<'_>, is_id: bool) -> Cell {
    match value {
        AnyValue::Null => Cell::new("null", Look::Null),
        AnyValue::String("") => Cell::new("\"\"", Look::Empty),
        AnyValue::StringOwned(text) if text.is_empty() => Cell::new("\"\"", Look::Empty),
        AnyValue::String(text) => text_cell(text, is_id),
        AnyValue::StringOwned(text) => text_cell(text, is_id),
        AnyValue::Boolean(value) => Cell::new(value.to_string(), Look::Text),
        AnyValue::Float32(value) => Cell::new(float(f64::from(*value), &value.to_string()), Look::Number),
        AnyValue::Float64(value) => Cell::new(float(*value, &value.to_string()), Look::Number),
        AnyValue::List(_) | AnyValue::Struct(..) | AnyValue::StructOwned(_) => {
            let mut text = String::new();
            write_short(&mut text, value);
            Cell::new(shorten(&text), Look::Code)
        }
        other => match integer(other) {
            Some(digits) if is_id => Cell::new(digits, Look::Number),
            Some(digits) => Cell::new(separated(&digits), Look::Number),
            None => Cell::new(shorten(&whole(other)), Look::Code),
        },
    }
}

fn text_cell(text: &str, is_id: bool) -> Cell {
    let look = if is_id { Look::Code } else { Look::Text };
    Cell::new(shorten(text), look)
}

/// A text beside its bar: what has nothing to see is said, because a bar without a name would be taken for a fault of the chart.
pub fn readable(text: &str) -> Cow<'_, str> {
    if text.is_empty() {
        Cow::Borrowed("\"\" (empty)")
    } else if text.trim().is_empty() {
        Cow::Owned(format!("{text:?} (blank)"))
    } else {
        Cow::Borrowed(text)
    }
}

/// Whether a column holds names of things rather than quantities: no thousands separators, monospaced.
pub fn is_id_column(name: &str, dtype: &DataType) -> bool {
    let name = name.to_lowercase();
    let last = name.rsplit(['_', '.', '-']).next().unwrap_or_default();
    let words: &[&str] = if dtype.is_primitive_numeric() {
        &["id", "year", "zip", "code", "postcode", "phone", "key"]
    } else {
        &[
            "id", "uuid", "guid", "hash", "sha256", "md5", "url", "key", "path",
        ]
    };
    words.contains(&last)
}

/// The whole value as text: what copying a cell gives. Null is empty, nested values are JSON.
pub fn whole(value: &AnyValue<'_>) -> String {
    match value {
        AnyValue::Null => String::new(),
        AnyValue::String(text) => (*text).to_owned(),
        AnyValue::StringOwned(text) => text.to_string(),
        AnyValue::Boolean(value) => value.to_string(),
        AnyValue::Float32(value) => value.to_string(),
        AnyValue::Float64(value) => value.to_string(),
        AnyValue::Date(days) => date(*days),
        AnyValue::Datetime(ticks, unit, zone) => clock(*ticks, *unit, *zone),
        AnyValue::DatetimeOwned(ticks, unit, zone) => clock(*ticks, *unit, zone.as_deref()),
        AnyValue::Duration(ticks, unit) => duration(*ticks, *unit),
        AnyValue::Binary(bytes) => hex(bytes),
        AnyValue::BinaryOwned(bytes) => hex(bytes),
        AnyValue::List(_) | AnyValue::Struct(..) | AnyValue::StructOwned(_) => json(value).to_string(),
        other => integer(other).unwrap_or_else(|| other.to_string()),
    }
}

/// The value as JSON, for copying a row and for the tree of the detail.
pub fn json(value: &AnyValue<'_>) -> Value {
    match value {
        AnyValue::Null => Value::Null,
        AnyValue::Boolean(value) => Value::Bool(*value),
        AnyValue::Float32(value) => float_json(&value.to_string()),
        AnyValue::Float64(value) => float_json(&value.to_string()),
        AnyValue::List(items) => Value::Array(items_of(items).iter().map(json).collect()),
        AnyValue::Struct(..) | AnyValue::StructOwned(_) => {
            let fields = fields_of(value);
            Value::Object(
                fields
                    .iter()
                    .map(|(name, value)| (name.clone(), json(value)))
                    .collect::<Map<_, _>>(),
            )
        }
        other => integer(other)
            .and_then(|digits| digits.parse::<serde_json::Number>().ok())
            .map_or_else(|| Value::String(whole(other)), Value::Number),
    }
}

/// The fields of a struct value, in order.
pub fn fields_of<'a>(value: &'a AnyValue<'_>) -> Vec<(String, AnyValue<'a>)> {
    match value {
        AnyValue::Struct(_, _, fields) => fields
            .iter()
            .map(|field| field.name().to_string())
            .zip(value._iter_struct_av())
            .collect(),
        AnyValue::StructOwned(payload) => payload
            .1
            .iter()
            .map(|field| field.name().to_string())
            .zip(payload.0.iter().cloned())
            .collect(),
        _ => Vec::new(),
    }
}

fn items_of(items: &Series) -> Vec<AnyValue<'_>> {
    (0..items.len()).filter_map(|at| items.get(at).ok()).collect()
}

/// `[a, b, +3]`, `{city: Paris, country: FR}`.
fn write_short(out: &mut String, value: &AnyValue<'_>) {
    if out.len() > MAX_CELL_CHARS * 4 {
        return;
    }
    match value {
        AnyValue::Null => out.push_str("null"),
        AnyValue::List(items) => {
            out.push('[');
            let n_shown = if items.len() <= MAX_CELL_ITEMS + 1 {
                items.len()
            } else {
                MAX_CELL_ITEMS
            };
            for at in 0..n_shown {
                if at > 0 {
                    out.push_str(", ");
                }
                if let Ok(item) = items.get(at) {
                    write_short(out, &item);
                }
            }
            if n_shown < items.len() {
                out.push_str(", +");
                out.push_str(&units::count((items.len() - n_shown) as u64));
            }
            out.push(']');
        }
        AnyValue::Struct(..) | AnyValue::StructOwned(_) => {
            out.push('{');
            for (at, (name, value)) in fields_of(value).iter().enumerate() {
                if at > 0 {
                    out.push_str(", ");
                }
                out.push_str(name);
                out.push_str(": ");
                write_short(out, value);
            }
            out.push('}');
        }
        AnyValue::String("") => out.push_str("\"\""),
        AnyValue::StringOwned(text) if text.is_empty() => out.push_str("\"\""),
        AnyValue::Float32(value) => out.push_str(&float(f64::from(*value), &value.to_string())),
        AnyValue::Float64(value) => out.push_str(&float(*value, &value.to_string())),
        other => out.push_str(&shorten(&whole(other))),
    }
}

/// One line: line ends are shown as `↵`, and what no cell is wide enough for is left out.
fn shorten(text: &str) -> String {
    let mut line = String::new();
    let mut chars = text.chars().peekable();
    let mut n_chars = 0;
    while let Some(c) = chars.next() {
        if n_chars >= MAX_CELL_CHARS {
            line.push('…');
            break;
        }
        match c {
            '\r' if chars.peek() == Some(&'\n') => continue,
            '\n' | '\r' => line.push('↵'),
            '\t' => line.push(' '),
            c if c.is_control() => line.push('\u{fffd}'),
            c => line.push(c),
        }
        n_chars += 1;
    }
    line
}

/// Digits of any whole number.
fn integer(value: &AnyValue<'_>) -> Option<String> {
    Some(match value {
        AnyValue::Int8(n) => n.to_string(),
        AnyValue::Int16(n) => n.to_string(),
        AnyValue::Int32(n) => n.to_string(),
        AnyValue::Int64(n) => n.to_string(),
        AnyValue::Int128(n) => n.to_string(),
        AnyValue::UInt8(n) => n.to_string(),
        AnyValue::UInt16(n) => n.to_string(),
        AnyValue::UInt32(n) => n.to_string(),
        AnyValue::UInt64(n) => n.to_string(),
        AnyValue::UInt128(n) => n.to_string(),
        _ => return None,
    })
}

/// `-1234567` as `−1,234,567`.
fn separated(digits: &str) -> String {
    let (sign, digits) = match digits.strip_prefix('-') {
        Some(digits) => ("−", digits),
        None => ("", digits),
    };
    let mut text = String::with_capacity(digits.len() * 4 / 3 + 3);
    text.push_str(sign);
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// Significant digits of a float in a cell; what has more ends in `…`. The row's detail and copies have all of them.
const FLOAT_DIGITS: usize = 10;

/// The shortest text that reads back as the same float, cut where it is longer than anyone reads; very large and very
/// small ones with an exponent.
fn float(value: f64, shortest: &str) -> String {
    if value.is_nan() {
        return "NaN".to_owned();
    }
    let size = value.abs();
    let text = if value.is_finite() && size != 0.0 && !(1e-5..1e15).contains(&size) {
        format!("{value:e}")
    } else {
        shortest.to_owned()
    };
    let (mantissa, exponent) = match text.split_once('e') {
        Some((mantissa, exponent)) => (mantissa, Some(exponent)),
        None => (text.as_str(), None),
    };
    let mut cut = match mantissa.split_once('.') {
        Some((whole, fraction)) => {
            let kept = kept_fraction(whole, fraction);
            let more = if kept.len() < fraction.len() { "…" } else { "" };
            format!("{}.{kept}{more}", separated(whole))
        }
        None if value.is_finite() => separated(mantissa),
        None => mantissa.replacen('-', "−", 1),
    };
    if let Some(exponent) = exponent {
        cut.push('e');
        cut.push_str(&exponent.replacen('-', "−", 1));
    }
    cut
}

/// As much of a fraction as a cell has room for: zeros before the first other digit do not count.
fn kept_fraction<'a>(whole: &str, fraction: &'a str) -> &'a str {
    let n_whole = whole.trim_start_matches(['-', '0']).len();
    let n_zeros = if n_whole == 0 {
        fraction.len() - fraction.trim_start_matches('0').len()
    } else {
        0
    };
    let room = FLOAT_DIGITS.saturating_sub(n_whole).max(1) + n_zeros;
    fraction.get(..room).unwrap_or(fraction)
}

fn float_json(shortest: &str) -> Value {
    shortest
        .parse::<f64>()
        .ok()
        .and_then(serde_json::Number::from_f64)
        .map_or_else(|| Value::String(shortest.to_owned()), Value::Number)
}

fn date(days: i32) -> String {
    NaiveDate::from_ymd_opt(1970, 1, 1)
        .and_then(|epoch| epoch.checked_add_signed(TimeDelta::days(i64::from(days))))
        .map_or_else(|| format!("day {days}"), |date| date.to_string())
}

/// A timestamp on the clock of its column's zone, with the offset where that is not UTC.
fn clock(ticks: i64, unit: TimeUnit, zone: Option<&TimeZone>) -> String {
    match zone {
        Some(other) if *other != TimeZone::UTC => instant(ticks, unit, Some(other)),
        zone => timestamp(ticks, unit, zone.is_some()),
    }
}

/// ISO 8601. `Z` stands for UTC and is left out where the column has no time zone.
fn timestamp(ticks: i64, unit: TimeUnit, has_zone: bool) -> String {
    let time = match unit {
        TimeUnit::Milliseconds => DateTime::from_timestamp_millis(ticks),
        TimeUnit::Microseconds => DateTime::from_timestamp_micros(ticks),
        TimeUnit::Nanoseconds => Some(DateTime::from_timestamp_nanos(ticks)),
    };
    let Some(time) = time else {
        return format!("{ticks} {}", unit.to_ascii());
    };
    let zone = if has_zone { "Z" } else { "" };
    format!("{}{zone}", time.format("%Y-%m-%dT%H:%M:%S%.f"))
}

fn duration(ticks: i64, unit: TimeUnit) -> String {
    let per_second = match unit {
        TimeUnit::Milliseconds => 1_000,
        TimeUnit::Microseconds => 1_000_000,
        TimeUnit::Nanoseconds => 1_000_000_000,
    };
    let (sign, size) = if ticks < 0 {
        ("-", ticks.unsigned_abs())
    } else {
        ("", ticks.unsigned_abs())
    };
    let (secs, rest) = (size / per_second, size % per_second);
    let width = per_second.ilog10() as usize;
    let fraction = if rest == 0 {
        String::new()
    } else {
        format!(".{rest:0width$}").trim_end_matches('0').to_owned()
    };
    let (hours, minutes, secs) = (secs / 3600, secs / 60 % 60, secs % 60);
    format!("{sign}{hours}:{minutes:02}:{secs:02}{fraction}")
}

fn hex(bytes: &[u8]) -> String {
    const MAX_BYTES: usize = 4096;
    let mut text = String::from("0x");
    for byte in bytes.iter().take(MAX_BYTES) {
        // Writing to a string cannot fail.
        write!(text, "{byte:02x}").unwrap_or_default();
    }
    if bytes.len() > MAX_BYTES {
        text.push('…');
    }
    text
}

#[cfg(test)]
mod tests {
    use polars::prelude::{
        AnyValue, Column, DataType, IntoColumn, NamedFrom, Series, StructChunked, TimeUnit,
    };

    use super::{Look, cell, is_id_column, json, whole};

    #[track_caller]
    fn check(value: &AnyValue<'_>, text: &str, look: Look) {
        let cell = cell(value, false);
        assert_eq!((cell.text.as_str(), cell.look), (text, look), "{value:?}");
    }

    fn place() -> Column {
        let city = Column::new("city".into(), [Some("Paris"), None]);
        let country = Column::new("country".into(), ["FR", "DE"]);
        StructChunked::from_columns("location".into(), 2, &[city, country])
            .unwrap()
            .into_column()
    }

    #[test]
    fn whole_numbers_keep_every_digit() {
        check(
            &AnyValue::Int64(i64::MAX),
            "9,223,372,036,854,775,807",
            Look::Number,
        );
        check(
            &AnyValue::Int64(i64::MIN),
            "−9,223,372,036,854,775,808",
            Look::Number,
        );
        check(
            &AnyValue::UInt64(u64::MAX),
            "18,446,744,073,709,551,615",
            Look::Number,
        );
        assert_eq!(
            cell(&AnyValue::Int64(9_007_199_254_740_993), true).text,
            "9007199254740993"
        );
        assert_eq!(whole(&AnyValue::Int64(9_007_199_254_740_993)), "9007199254740993");
        assert_eq!(
            json(&AnyValue::Int64(9_007_199_254_740_993)).to_string(),
            "9007199254740993"
        );
    }

    #[test]
    fn floats_are_the_shortest_text_that_reads_back_and_long_ones_are_cut_visibly() {
        check(&AnyValue::Float64(0.1 + 0.2), "0.3000000000…", Look::Number);
        assert_eq!(whole(&AnyValue::Float64(0.1 + 0.2)), "0.30000000000000004");
        check(&AnyValue::Float64(0.0123), "0.0123", Look::Number);
        check(&AnyValue::Float64(1.0 / 81.0), "0.01234567901…", Look::Number);
        check(&AnyValue::Float64(1_234_567.125), "1,234,567.125", Look::Number);
        check(
            &AnyValue::Float64(-1_234_567.0 / 7.0),
            "−176,366.7142…",
            Look::Number,
        );
        check(&AnyValue::Float64(20_000_000.0), "20,000,000", Look::Number);
        check(&AnyValue::Float64(1e-7 / 3.0), "3.333333333…e−8", Look::Number);
        check(&AnyValue::Float64(f64::NEG_INFINITY), "−inf", Look::Number);
        check(&AnyValue::Float32(0.1), "0.1", Look::Number);
        check(&AnyValue::Float64(-2.5), "−2.5", Look::Number);
        check(&AnyValue::Float64(1e300), "1e300", Look::Number);
        check(&AnyValue::Float64(f64::NAN), "NaN", Look::Number);
        let list = Series::new("l".into(), [0.1 + 0.2, 0.5]);
        check(&AnyValue::List(list), "[0.3000000000…, 0.5]", Look::Code);
    }

    #[test]
    fn null_and_empty_text_differ() {
        check(&AnyValue::Null, "null", Look::Null);
        check(&AnyValue::String(""), "\"\"", Look::Empty);
        check(&AnyValue::String("null"), "null", Look::Text);
        assert_eq!(whole(&AnyValue::Null), "");
    }

    #[test]
    fn text_is_one_line_and_long_text_is_cut() {
        check(&AnyValue::String("a\r\nb\nc"), "a↵b↵c", Look::Text);
        let long = "看".repeat(1000);
        assert_eq!(cell(&AnyValue::String(&long), false).text.chars().count(), 161);
        assert_eq!(whole(&AnyValue::String(&long)), long);
    }

    #[test]
    fn nested_values_are_readable() {
        let tags = Series::new("tags".into(), ["rust", "sql", "s3", "gpu", "etl"]);
        check(&AnyValue::List(tags.clone()), "[rust, sql, +3]", Look::Code);
        check(&AnyValue::List(tags.head(Some(3))), "[rust, sql, s3]", Look::Code);
        let place = place();
        check(&place.get(0).unwrap(), "{city: Paris, country: FR}", Look::Code);
        check(&place.get(1).unwrap(), "{city: null, country: DE}", Look::Code);
        assert_eq!(whole(&place.get(1).unwrap()), r#"{"city":null,"country":"DE"}"#);
    }

    #[test]
    fn times_are_iso_and_say_utc() {
        let zone = polars::prelude::TimeZone::UTC;
        let micros = 1_578_573_296_500_000;
        let time = AnyValue::Datetime(micros, TimeUnit::Microseconds, Some(&zone));
        check(&time, "2020-01-09T12:34:56.500Z", Look::Code);
        let naive = AnyValue::Datetime(micros / 1000, TimeUnit::Milliseconds, None);
        check(&naive, "2020-01-09T12:34:56.500", Look::Code);
        check(&AnyValue::Date(18_270), "2020-01-09", Look::Code);
        check(
            &AnyValue::Duration(-5_400_250, TimeUnit::Milliseconds),
            "-1:30:00.25",
            Look::Code,
        );
    }

    #[test]
    fn ids_are_told_from_quantities_by_name() {
        for (name, dtype, expected) in [
            ("id", DataType::String, true),
            ("job_id", DataType::Int64, true),
            ("paid", DataType::Int64, false),
            ("salary", DataType::Int64, false),
            ("founded_year", DataType::Int32, true),
        ] {
            assert_eq!(is_id_column(name, &dtype), expected, "{name}");
        }
    }
}

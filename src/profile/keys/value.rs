//! A key's values, read back from the canonical bytes by which it was counted: as JSON, and as people read them.

use polars::prelude::{DataType, TimeUnit};
use serde_json::{Map, Number, Value};

use super::count::LONG_KEY_TAG;
use crate::dataset::rows;

/// One value of a key. Whole numbers and floats of every width are one kind, as their canonical bytes are.
#[derive(Debug, Clone, PartialEq)]
pub enum KeyValue<'a> {
    Null,
    Bool(bool),
    Int(i64),
    /// Above 2^63 - 1.
    UInt(u64),
    Float(f64),
    Text(&'a str),
    /// Days since 1970-01-01.
    Date(i64),
    /// Microseconds since 1970.
    Timestamp(i64),
    /// Microseconds.
    Duration(i64),
    List(Vec<Self>),
    Struct(Vec<Self>),
    Binary(&'a [u8]),
    /// A whole key that was too long to be kept: its hash, which is not Spark's, and how it begins.
    Long(u64, &'a str),
}

/// The values whose canonical bytes one after another are `bytes`. What is no canonical form ends them.
pub fn key_values(bytes: &[u8]) -> Vec<KeyValue<'_>> {
    let mut reader = Reader { rest: bytes };
    std::iter::from_fn(|| reader.value()).collect()
}

struct Reader<'a> {
    rest: &'a [u8],
}

impl<'a> Reader<'a> {
    fn value(&mut self) -> Option<KeyValue<'a>> {
        let (tag, rest) = self.rest.split_first()?;
        self.rest = rest;
        Some(match *tag {
            0 => KeyValue::Null,
            1 => KeyValue::Bool(self.take(1)? == [1]),
            2 => KeyValue::Int(self.word()?.cast_signed()),
            3 => KeyValue::UInt(self.word()?),
            4 => KeyValue::Float(f64::from_bits(self.word()?)),
            5 => {
                let n = self.len()?;
                KeyValue::Text(std::str::from_utf8(self.take(n)?).ok()?)
            }
            6 => KeyValue::Date(self.word()?.cast_signed()),
            7 => KeyValue::Timestamp(self.word()?.cast_signed()),
            8 => KeyValue::Duration(self.word()?.cast_signed()),
            9 => KeyValue::List(self.values()?),
            10 => KeyValue::Struct(self.values()?),
            11 => {
                let n = self.len()?;
                KeyValue::Binary(self.take(n)?)
            }
            LONG_KEY_TAG => {
                let hash = self.word()?;
                let n = self.len()?;
                KeyValue::Long(hash, std::str::from_utf8(self.take(n)?).ok()?)
            }
            _ => return None,
        })
    }

    fn values(&mut self) -> Option<Vec<KeyValue<'a>>> {
        let n = self.len()?;
        (0..n).map(|_| self.value()).collect()
    }

    fn take(&mut self, n: usize) -> Option<&'a [u8]> {
        let (taken, rest) = self.rest.split_at_checked(n)?;
        self.rest = rest;
        Some(taken)
    }

    fn word(&mut self) -> Option<u64> {
        Some(u64::from_le_bytes(self.take(8)?.try_into().ok()?))
    }

    fn len(&mut self) -> Option<usize> {
        usize::try_from(self.word()?).ok()
    }
}

impl KeyValue<'_> {
    /// As `--json` shows the value in a column of `dtype`.
    pub fn to_json(&self, dtype: &DataType) -> Value {
        match self {
            Self::Null => Value::Null,
            Self::Bool(value) => Value::from(*value),
            Self::Int(n) => Value::from(*n),
            Self::UInt(n) => Value::from(*n),
            // JSON has no NaN and no infinities.
            Self::Float(n) => Number::from_f64(*n).map_or_else(|| Value::from(n.to_string()), Value::Number),
            Self::Text(text) => Value::from(*text),
            Self::Date(days) => Value::from(date(*days)),
            Self::Timestamp(micros) => {
                let has_zone = matches!(dtype, DataType::Datetime(_, Some(_)));
                Value::from(rows::timestamp(*micros, TimeUnit::Microseconds, has_zone))
            }
            Self::Duration(micros) => Value::from(format!("{micros} µs")),
            Self::List(items) => {
                let item = match dtype {
                    DataType::List(item) => item,
                    _ => &DataType::Null,
                };
                Value::Array(items.iter().map(|value| value.to_json(item)).collect())
            }
            Self::Struct(values) => {
                let fields: &[polars::prelude::Field] = match dtype {
                    DataType::Struct(fields) => fields,
                    _ => &[],
                };
                let named = fields
                    .iter()
                    .zip(values)
                    .map(|(field, value)| (field.name().to_string(), value.to_json(field.dtype())));
                Value::Object(named.collect::<Map<_, _>>())
            }
            Self::Binary(bytes) => Value::from(hex(bytes)),
            Self::Long(_, start) => Value::from(format!("{start}…")),
        }
    }

    /// The value in a sentence or beside a bar: text as it is, what cannot be seen in words.
    pub fn label(&self, dtype: &DataType) -> String {
        match self {
            Self::Null => "null".to_owned(),
            Self::Text("") => "\"\" (empty)".to_owned(),
            // The word is no null, and looks like one.
            Self::Text("null") => "\"null\"".to_owned(),
            Self::Text(text) if text.trim() != *text || text.contains(is_unseen) => shortened(&escaped(text)),
            Self::Text(text) => shortened(text),
            _ => match self.to_json(dtype) {
                Value::String(text) => shortened(&text),
                other => shortened(&other.to_string()),
            },
        }
    }
}

/// A character that people do not see, or take for another: controls, spaces that are none of the usual ones, and marks that
/// the character before bears (`é` of two characters).
fn is_unseen(c: char) -> bool {
    let is_space = c.is_whitespace() && c != ' ';
    let is_joiner = matches!(c, '\u{200b}'..='\u{200f}' | '\u{2060}' | '\u{feff}');
    // The marks of Latin, Greek and Cyrillic alone: in other scripts they are how words are written.
    let is_mark = matches!(c, '\u{300}'..='\u{36f}');
    c.is_control() || is_space || is_joiner || is_mark
}

/// In quotes, with what is not seen written out: `"cafe\u{301}"`.
fn escaped(text: &str) -> String {
    let mut escaped = String::from('"');
    for c in text.chars() {
        match c {
            '"' | '\\' | '\n' | '\r' | '\t' => escaped.extend(c.escape_default()),
            c if is_unseen(c) => escaped.extend(c.escape_unicode()),
            c => escaped.push(c),
        }
    }
    escaped.push('"');
    escaped
}

/// Longest label of one value, in characters.
const MAX_LABEL: usize = 80;

fn shortened(text: &str) -> String {
    if text.chars().count() <= MAX_LABEL {
        return text.to_owned();
    }
    let mut cut: String = text.chars().take(MAX_LABEL - 1).collect();
    cut.push('…');
    cut
}

/// ISO 8601 of days since 1970.
pub(super) fn date(days: i64) -> String {
    let day = i32::try_from(days).ok().and_then(|days| {
        chrono::NaiveDate::default().checked_add_signed(chrono::TimeDelta::days(days.into()))
    });
    day.map_or_else(|| format!("day {days}"), |day| day.to_string())
}

fn hex(bytes: &[u8]) -> String {
    let halves = bytes.iter().flat_map(|byte| [byte >> 4, byte & 0xf]);
    halves
        .filter_map(|half| char::from_digit(half.into(), 16))
        .collect()
}

#[cfg(test)]
mod tests {
    use polars::prelude::{DataType, IntoColumn, NamedFrom, Series, TimeUnit, df};

    use super::{KeyValue, key_values};
    use crate::dataset::row_bytes::for_each_row;

    #[test]
    fn every_value_is_read_back_from_its_bytes() {
        let at = Series::new("at".into(), [1_577_836_800_500_000_i64])
            .cast(&DataType::Datetime(TimeUnit::Microseconds, None))
            .unwrap();
        let list = Series::new("list".into(), [Series::new("".into(), [Some(1_i64), None])]);
        let mut df = df!(
            "null" => [None::<i64>], "b" => [true], "i" => [-7_i64], "u" => [u64::MAX], "f" => [0.5],
            "t" => ["é"], "blank" => [" "],
        )
        .unwrap();
        df.with_column(at.into_column()).unwrap();
        df.with_column(list.into_column()).unwrap();
        let mut rows = Vec::new();
        for_each_row(df.columns(), |bytes| rows.push(bytes.to_vec())).unwrap();
        let values = key_values(&rows[0]);
        assert_eq!(
            values,
            [
                KeyValue::Null,
                KeyValue::Bool(true),
                KeyValue::Int(-7),
                KeyValue::UInt(u64::MAX),
                KeyValue::Float(0.5),
                KeyValue::Text("é"),
                KeyValue::Text(" "),
                KeyValue::Timestamp(1_577_836_800_500_000),
                KeyValue::List(vec![KeyValue::Int(1), KeyValue::Null]),
            ]
        );
        let labels: Vec<String> = values
            .iter()
            .zip(df.columns())
            .map(|(value, column)| value.label(column.dtype()))
            .collect();
        assert_eq!(
            labels,
            [
                "null",
                "true",
                "-7",
                "18446744073709551615",
                "0.5",
                "é",
                "\" \"",
                "2020-01-01T00:00:00.500",
                "[1,null]"
            ]
        );
        assert_eq!(KeyValue::Text("").label(&DataType::String), "\"\" (empty)");
        assert_eq!(KeyValue::Text("null").label(&DataType::String), "\"null\"");
        assert_eq!(
            KeyValue::Binary(&[0, 0xff, 0x1a]).label(&DataType::Binary),
            "00ff1a"
        );
    }

    #[test]
    fn bytes_that_are_cut_or_foreign_end_the_values() {
        assert_eq!(key_values(&[0, 5, 9, 0, 0]), [KeyValue::Null]);
        assert_eq!(key_values(&[200]), []);
        let long = KeyValue::Text(&"x".repeat(500)).label(&DataType::String);
        assert_eq!(long.chars().count(), 80);
    }

    #[test]
    fn keys_that_look_alike_are_written_apart() {
        let label = |text: &str| KeyValue::Text(text).label(&polars::prelude::DataType::String);
        for (text, expected) in [
            ("café", "café"),
            ("cafe\u{301}", "\"cafe\\u{301}\""),
            ("a\u{a0}b", "\"a\\u{a0}b\""),
            ("a b", "a b"),
            ("a ", "\"a \""),
            ("\u{feff}id", "\"\\u{feff}id\""),
            ("a\tb\"", "\"a\\tb\\\"\""),
            ("हिन्दी", "हिन्दी"),
            ("null", "\"null\""),
        ] {
            assert_eq!(label(text), expected);
        }
    }
}

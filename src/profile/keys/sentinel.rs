//! Values that stand for "not known": null, empty text, `unknown`, 0, -1, 1970-01-01.
//!
//! A rule of thumb on the value alone. 0 is a fine value of many columns, so a sentinel is named where it occurs, and is a
//! finding only where it is hot.

use super::types::Sentinel;
use super::value::KeyValue;

/// Words for "not known", in lower case and without spaces around them.
const UNKNOWN: [&str; 22] = [
    "unknown",
    "n/a",
    "na",
    "n.a.",
    "none",
    "null",
    "nil",
    "nan",
    "undefined",
    "missing",
    "not available",
    "not specified",
    "not set",
    "unspecified",
    "other/unknown",
    "(null)",
    "(none)",
    "<null>",
    "\\n",
    "-",
    "--",
    "?",
];

/// The sentinel that a key is: one whose every column holds one.
pub(super) fn sentinel_of(values: &[KeyValue<'_>]) -> Option<Sentinel> {
    let mut first = None;
    for value in values {
        let sentinel = of_value(value)?;
        first = first.or(Some(sentinel));
    }
    first
}

fn of_value(value: &KeyValue<'_>) -> Option<Sentinel> {
    match value {
        KeyValue::Null => Some(Sentinel::Null),
        KeyValue::Text(text) => of_text(text),
        KeyValue::Int(0) => Some(Sentinel::Zero),
        KeyValue::Int(-1) => Some(Sentinel::MinusOne),
        KeyValue::Float(n) if n.is_nan() => Some(Sentinel::NaN),
        KeyValue::Float(n) if *n == 0.0 => Some(Sentinel::Zero),
        KeyValue::Float(n) if n.to_bits() == (-1.0_f64).to_bits() => Some(Sentinel::MinusOne),
        KeyValue::Date(0) | KeyValue::Timestamp(0) => Some(Sentinel::Epoch),
        _ => None,
    }
}

fn of_text(text: &str) -> Option<Sentinel> {
    if text.is_empty() {
        return Some(Sentinel::Empty);
    }
    match text.trim() {
        "" => Some(Sentinel::Blank),
        "0" => Some(Sentinel::Zero),
        "-1" => Some(Sentinel::MinusOne),
        "1970-01-01" => Some(Sentinel::Epoch),
        trimmed => {
            let is_short = trimmed.len() <= 16;
            (is_short && UNKNOWN.contains(&trimmed.to_lowercase().as_str())).then_some(Sentinel::Unknown)
        }
    }
}

impl Sentinel {
    /// Whether it is hardly ever meant: 0, -1 and 1970-01-01 are values of many columns.
    pub fn is_sure(self) -> bool {
        !matches!(self, Self::Zero | Self::MinusOne | Self::Epoch)
    }

    /// In a sentence: `null`, `the empty text`.
    pub fn words(self) -> &'static str {
        match self {
            Self::Null => "null",
            Self::Empty => "the empty text",
            Self::Blank => "text of spaces",
            Self::Unknown => "a word for \"not known\"",
            Self::Zero => "0",
            Self::MinusOne => "-1",
            Self::NaN => "NaN",
            Self::Epoch => "1970-01-01",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::value::KeyValue::{self, Date, Float, Int, Null, Text};
    use super::{Sentinel, sentinel_of};

    #[test]
    fn what_stands_for_not_known_is_named() {
        for (value, expected) in [
            (Null, Some(Sentinel::Null)),
            (Text(""), Some(Sentinel::Empty)),
            (Text(" \t"), Some(Sentinel::Blank)),
            (Text(" Unknown "), Some(Sentinel::Unknown)),
            (Text("N/A"), Some(Sentinel::Unknown)),
            (Text("-1"), Some(Sentinel::MinusOne)),
            (Int(0), Some(Sentinel::Zero)),
            (Int(-1), Some(Sentinel::MinusOne)),
            (Float(f64::NAN), Some(Sentinel::NaN)),
            (Float(-0.0), Some(Sentinel::Zero)),
            (Date(0), Some(Sentinel::Epoch)),
            (Int(1), None),
            (Text("Nancy"), None),
            (Text("00"), None),
            (KeyValue::Bool(false), None),
        ] {
            assert_eq!(sentinel_of(std::slice::from_ref(&value)), expected, "{value:?}");
        }
    }

    #[test]
    fn a_compound_key_is_a_sentinel_when_all_its_columns_are() {
        assert_eq!(sentinel_of(&[Null, Text("")]), Some(Sentinel::Null));
        assert_eq!(sentinel_of(&[Null, Text("US")]), None);
        assert_eq!(sentinel_of(&[]), None);
    }
}

//! Types as text: reading and writing the words of a spec, and the same words for polars types.

use std::fmt::{self, Write};

use polars::prelude as pl;

use super::{DataType, SchemaError};
use crate::base::nearest;

/// Deeper types are refused, so that no text can exhaust the stack.
const MAX_DEPTH: usize = 32;

const WORDS: [&str; 9] = [
    "bool",
    "int64",
    "float64",
    "string",
    "date",
    "timestamp[us, UTC]",
    "list<...>",
    "struct<...>",
    "json",
];

/// What people write who come from elsewhere, and our word for it.
const FOREIGN: [(&str, &str); 16] = [
    ("boolean", "bool"),
    ("int", "int64"),
    ("integer", "int64"),
    ("bigint", "int64"),
    ("long", "int64"),
    ("i64", "int64"),
    ("int32", "int64"),
    ("float", "float64"),
    ("double", "float64"),
    ("f64", "float64"),
    ("number", "float64"),
    ("str", "string"),
    ("text", "string"),
    ("utf8", "string"),
    ("varchar", "string"),
    ("datetime", "timestamp[us, UTC]"),
];

impl TryFrom<String> for DataType {
    type Error = SchemaError;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        text.parse()
    }
}

impl std::str::FromStr for DataType {
    type Err = SchemaError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let mut parser = Parser { rest: text };
        let fail = |hint: String| SchemaError::UnknownType {
            text: text.to_owned(),
            hint,
        };
        let dtype = parser.dtype(0).map_err(fail)?;
        parser.skip_spaces();
        if !parser.rest.is_empty() {
            return Err(fail(format!(": `{}` is left over at its end", parser.rest)));
        }
        Ok(dtype)
    }
}

/// Reads from the front of `rest`. Errors are the hint that follows "is no type".
struct Parser<'a> {
    rest: &'a str,
}

impl Parser<'_> {
    fn skip_spaces(&mut self) {
        self.rest = self.rest.trim_start();
    }

    fn take(&mut self, token: char) -> bool {
        self.skip_spaces();
        match self.rest.strip_prefix(token) {
            Some(rest) => {
                self.rest = rest;
                true
            }
            None => false,
        }
    }

    fn expect(&mut self, token: char, after: &str) -> Result<(), String> {
        if self.take(token) {
            return Ok(());
        }
        match self.rest.chars().next() {
            Some(found) => Err(format!(": expected `{token}` after {after}, found `{found}`")),
            None => Err(format!(": expected `{token}` after {after}, found its end")),
        }
    }

    fn word(&mut self) -> String {
        self.skip_spaces();
        let end = self
            .rest
            .find(|c: char| !(c.is_alphanumeric() || c == '_'))
            .unwrap_or(self.rest.len());
        let (word, rest) = self.rest.split_at(end);
        self.rest = rest;
        word.to_owned()
    }

    fn dtype(&mut self, depth: usize) -> Result<DataType, String> {
        if depth > MAX_DEPTH {
            return Err(format!(": it is nested deeper than {MAX_DEPTH} levels"));
        }
        let word = self.word();
        Ok(match word.as_str() {
            "bool" => DataType::Bool,
            "int64" => DataType::Int64,
            "float64" => DataType::Float64,
            "string" => DataType::String,
            "date" => DataType::Date,
            "json" => DataType::Json,
            "timestamp" => {
                if self.take('[') {
                    let unit = self.word();
                    self.expect(',', "the unit")?;
                    let zone = self.word();
                    self.expect(']', "the time zone")?;
                    if unit != "us" || zone != "UTC" {
                        return Err(": the one timestamp is `timestamp[us, UTC]`".to_owned());
                    }
                }
                DataType::Timestamp
            }
            "list" => {
                self.expect('<', "`list`")?;
                let item = self.dtype(depth + 1)?;
                self.expect('>', "the item's type")?;
                DataType::List(Box::new(item))
            }
            "struct" => {
                self.expect('<', "`struct`")?;
                let mut members = Vec::new();
                loop {
                    let name = self.name()?;
                    self.expect(':', &format!("the name `{name}`"))?;
                    members.push((name, self.dtype(depth + 1)?));
                    if !self.take(',') {
                        break;
                    }
                }
                self.expect('>', "the last member")?;
                DataType::Struct(members)
            }
            _ => return Err(unknown_word(&word)),
        })
    }

    fn name(&mut self) -> Result<String, String> {
        if !self.take('`') {
            let name = self.word();
            return if name.is_empty() {
                Err(": a struct has members, `struct<name: type>`; odd names stand in backticks".to_owned())
            } else {
                Ok(name)
            };
        }
        let mut name = String::new();
        loop {
            let Some((part, rest)) = self.rest.split_once('`') else {
                return Err(": a backtick is not closed".to_owned());
            };
            name.push_str(part);
            let Some(rest) = rest.strip_prefix('`') else {
                self.rest = rest;
                return Ok(name);
            };
            name.push('`');
            self.rest = rest;
        }
    }
}

fn unknown_word(word: &str) -> String {
    let lower = word.to_lowercase();
    let foreign = FOREIGN
        .iter()
        .find(|(name, _)| *name == lower)
        .map(|(_, ours)| *ours);
    let names = WORDS
        .iter()
        .map(|name| name.split(['<', '[']).next().unwrap_or(name));
    match foreign.or_else(|| nearest(word, names)) {
        Some(near) => format!("; did you mean `{near}`?"),
        None => format!("; types are {}", WORDS.join(", ")),
    }
}

impl fmt::Display for DataType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Bool => f.write_str("bool"),
            Self::Int64 => f.write_str("int64"),
            Self::Float64 => f.write_str("float64"),
            Self::String => f.write_str("string"),
            Self::Date => f.write_str("date"),
            Self::Timestamp => f.write_str("timestamp[us, UTC]"),
            Self::Json => f.write_str("json"),
            Self::List(item) => write!(f, "list<{item}>"),
            Self::Struct(members) => {
                f.write_str("struct<")?;
                for (i, (name, dtype)) in members.iter().enumerate() {
                    let comma = if i == 0 { "" } else { ", " };
                    write!(f, "{comma}{}: {dtype}", quoted(name))?;
                }
                f.write_str(">")
            }
        }
    }
}

impl From<DataType> for String {
    fn from(dtype: DataType) -> Self {
        dtype.to_string()
    }
}

/// A member's name as a type text needs it: bare when it is an identifier, else in backticks.
fn quoted(name: &str) -> String {
    let is_simple = !name.is_empty() && name.chars().all(|c| c.is_alphanumeric() || c == '_');
    if is_simple {
        name.to_owned()
    } else {
        format!("`{}`", name.replace('`', "``"))
    }
}

/// A polars type in the words of a spec, also for types that only Parquet has (`int32`, `uint8`, ...).
pub fn dtype_name(dtype: &pl::DataType) -> String {
    match dtype {
        pl::DataType::Boolean => "bool".to_owned(),
        pl::DataType::Int32 => "int32".to_owned(),
        pl::DataType::Int64 => "int64".to_owned(),
        pl::DataType::UInt32 => "uint32".to_owned(),
        pl::DataType::UInt64 => "uint64".to_owned(),
        pl::DataType::Float32 => "float32".to_owned(),
        pl::DataType::Float64 => "float64".to_owned(),
        pl::DataType::String => "string".to_owned(),
        pl::DataType::Binary => "binary".to_owned(),
        pl::DataType::Date => "date".to_owned(),
        pl::DataType::Time => "time".to_owned(),
        pl::DataType::Null => "null".to_owned(),
        pl::DataType::Datetime(unit, zone) => {
            let zone = zone.as_ref().map_or_else(String::new, |zone| format!(", {zone}"));
            format!("timestamp[{}{zone}]", unit_name(*unit))
        }
        pl::DataType::Duration(unit) => format!("duration[{}]", unit_name(*unit)),
        pl::DataType::List(item) => format!("list<{}>", dtype_name(item)),
        pl::DataType::Struct(members) => {
            let mut text = String::from("struct<");
            for (i, member) in members.iter().enumerate() {
                let comma = if i == 0 { "" } else { ", " };
                let written = write!(
                    text,
                    "{comma}{}: {}",
                    quoted(member.name()),
                    dtype_name(member.dtype())
                );
                debug_assert!(written.is_ok(), "writing to a string");
            }
            text.push('>');
            text
        }
        other => foreign_name(&other.to_string()),
    }
}

/// polars' own short names of types that no decoder makes, such as `i8` and `u16`.
fn foreign_name(name: &str) -> String {
    let long = |prefix: &str, word: &str| {
        name.strip_prefix(prefix)
            .filter(|bits| !bits.is_empty() && bits.chars().all(|c| c.is_ascii_digit()))
            .map(|bits| format!("{word}{bits}"))
    };
    long("i", "int")
        .or_else(|| long("u", "uint"))
        .or_else(|| long("f", "float"))
        .unwrap_or_else(|| name.to_owned())
}

fn unit_name(unit: pl::TimeUnit) -> &'static str {
    match unit {
        pl::TimeUnit::Nanoseconds => "ns",
        pl::TimeUnit::Microseconds => "us",
        pl::TimeUnit::Milliseconds => "ms",
    }
}

#[cfg(test)]
mod tests {
    use polars::prelude as pl;

    use super::{DataType, dtype_name};

    fn check(text: &str) {
        let dtype: DataType = text.parse().unwrap();
        assert_eq!(dtype.to_string(), text);
        if !text.contains("json") {
            assert_eq!(dtype_name(&dtype.to_polars()), text);
        }
    }

    #[test]
    fn types_are_written_as_they_are_read() {
        for text in [
            "bool",
            "int64",
            "float64",
            "string",
            "date",
            "json",
            "timestamp[us, UTC]",
            "list<list<int64>>",
            "struct<city: string, tags: list<json>>",
            "struct<`post code`: string, `a``b`: int64, 東京: date>",
        ] {
            check(text);
        }
        assert_eq!("timestamp".parse(), Ok(DataType::Timestamp));
        assert_eq!(
            " list < int64 > ".parse(),
            Ok(DataType::List(Box::new(DataType::Int64)))
        );
    }

    #[test]
    fn a_text_that_is_no_type_says_what_was_meant() {
        for (text, hint) in [
            ("strnig", "did you mean `string`?"),
            ("integer", "did you mean `int64`?"),
            ("DOUBLE", "did you mean `float64`?"),
            ("qqqqqqqq", "types are bool, int64"),
            ("list<int64", "expected `>` after the item's type, found its end"),
            ("struct<>", "a struct has members"),
            ("struct<a int64>", "expected `:` after the name `a`, found `i`"),
            ("struct<`a: int64>", "a backtick is not closed"),
            ("int64 x", "`x` is left over"),
            ("timestamp[ns, UTC]", "`timestamp[us, UTC]`"),
            ("", "types are"),
        ] {
            let error = text.parse::<DataType>().unwrap_err().to_string();
            assert!(error.contains(hint), "{text}: {error}");
        }
        let deep = "list<".repeat(10_000);
        assert!(
            deep.parse::<DataType>()
                .unwrap_err()
                .to_string()
                .contains("deeper")
        );
    }

    #[test]
    fn types_that_only_parquet_has_are_named_alike() {
        for (dtype, name) in [
            (pl::DataType::Int32, "int32"),
            (pl::DataType::UInt8, "uint8"),
            (
                pl::DataType::Datetime(pl::TimeUnit::Microseconds, None),
                "timestamp[us]",
            ),
            (pl::DataType::Duration(pl::TimeUnit::Milliseconds), "duration[ms]"),
            (pl::DataType::Binary, "binary"),
        ] {
            assert_eq!(dtype_name(&dtype), name);
        }
    }
}

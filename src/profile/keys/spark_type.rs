//! The type that a key's column has in Spark, as a person chooses it, with the default for each of our types.
//!
//! Spark's hash depends on it: 42 as int, 42 as bigint and the text 42 lie in three different partitions.

use std::fmt;
use std::str::FromStr;

use polars::prelude::{DataType, TimeUnit};
use serde::{Deserialize, Serialize};
use thiserror::Error;

use crate::base::nearest;

/// A type of Spark SQL that Spark can hash. Written as Spark writes it: `decimal(10,2)`, `array<bigint>`.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(into = "String", try_from = "String")]
pub enum SparkType {
    Boolean,
    Byte,
    Short,
    Int,
    BigInt,
    Float,
    Double,
    Decimal {
        /// 1..=38 digits.
        precision: u8,
        /// Digits after the point, at most `precision`.
        scale: u8,
    },
    String,
    Binary,
    Date,
    Timestamp,
    TimestampNtz,
    /// Day-time interval.
    Interval,
    Array(Box<Self>),
    /// Fields with their names, which do not count for the hash.
    Struct(Vec<(String, Self)>),
}

/// Why a text is no type of Spark, or a column has none.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum SparkTypeError {
    #[error("`{text}` is no Spark type that can be hashed{hint}")]
    Unknown { text: String, hint: String },
    /// A column of ours without a type in Spark's tables of hashes.
    #[error("a key of {dtype} has no hash in Spark: use `cast` or `derive` first")]
    NoHash { dtype: String },
}

const WORDS: [(&str, SparkType); 21] = [
    ("boolean", SparkType::Boolean),
    ("bool", SparkType::Boolean),
    ("tinyint", SparkType::Byte),
    ("byte", SparkType::Byte),
    ("smallint", SparkType::Short),
    ("short", SparkType::Short),
    ("int", SparkType::Int),
    ("integer", SparkType::Int),
    ("bigint", SparkType::BigInt),
    ("long", SparkType::BigInt),
    ("float", SparkType::Float),
    ("real", SparkType::Float),
    ("double", SparkType::Double),
    ("string", SparkType::String),
    ("binary", SparkType::Binary),
    ("date", SparkType::Date),
    ("timestamp", SparkType::Timestamp),
    ("timestamp_ltz", SparkType::Timestamp),
    ("timestamp_ntz", SparkType::TimestampNtz),
    ("interval", SparkType::Interval),
    // Spark's own default for a decimal without digits.
    (
        "decimal",
        SparkType::Decimal {
            precision: 10,
            scale: 0,
        },
    ),
];

/// Digits of Spark's longest decimal.
const MAX_PRECISION: u8 = 38;
/// Deeper types are refused, so that no text can exhaust the stack.
const MAX_DEPTH: usize = 32;

impl SparkType {
    /// What Spark makes of a column when it reads the same data: integers of JSON are bigint.
    ///
    /// # Errors
    /// [`SparkTypeError::NoHash`] for types that Spark does not hash or does not have.
    pub fn default_for(dtype: &DataType) -> Result<Self, SparkTypeError> {
        Ok(match dtype {
            // A column of nulls alone: every type gives the same hash.
            DataType::Null | DataType::String => Self::String,
            DataType::Boolean => Self::Boolean,
            DataType::Int8 => Self::Byte,
            DataType::Int16 | DataType::UInt8 => Self::Short,
            DataType::Int32 | DataType::UInt16 => Self::Int,
            DataType::Int64 | DataType::UInt32 => Self::BigInt,
            DataType::UInt64 => Self::Decimal {
                precision: 20,
                scale: 0,
            },
            DataType::Float32 => Self::Float,
            DataType::Float64 => Self::Double,
            DataType::Binary => Self::Binary,
            DataType::Date => Self::Date,
            DataType::Datetime(
                TimeUnit::Nanoseconds | TimeUnit::Microseconds | TimeUnit::Milliseconds,
                zone,
            ) => {
                if zone.is_some() {
                    Self::Timestamp
                } else {
                    Self::TimestampNtz
                }
            }
            DataType::Duration(_) => Self::Interval,
            DataType::List(item) => Self::Array(Box::new(Self::default_for(item)?)),
            DataType::Struct(fields) => Self::Struct(
                fields
                    .iter()
                    .map(|field| Ok((field.name().to_string(), Self::default_for(field.dtype())?)))
                    .collect::<Result<_, SparkTypeError>>()?,
            ),
            other => {
                return Err(SparkTypeError::NoHash {
                    dtype: crate::dataset::dtype_name(other),
                });
            }
        })
    }

    /// Spark's decimal of so many digits; none where it has no such one.
    pub fn decimal_of(precision: u8, scale: i8) -> Option<Self> {
        let scale = u8::try_from(scale).ok()?;
        let is_one = (1..=MAX_PRECISION).contains(&precision) && scale <= precision;
        is_one.then_some(Self::Decimal { precision, scale })
    }

    /// The types that a column of `dtype` may have in Spark, the default first: what a list to choose from offers.
    pub fn choices_for(dtype: &DataType) -> Vec<Self> {
        let Ok(default) = Self::default_for(dtype) else {
            return Vec::new();
        };
        let others: &[Self] = match dtype {
            DataType::Boolean => &[Self::String],
            dtype if dtype.is_integer() => &[
                Self::BigInt,
                Self::Int,
                Self::Short,
                Self::Byte,
                Self::String,
                Self::Double,
            ],
            DataType::Float32 | DataType::Float64 => &[Self::Double, Self::Float],
            DataType::String => &[Self::BigInt, Self::Int, Self::Date, Self::Timestamp, Self::Binary],
            DataType::Date => &[Self::String, Self::Timestamp, Self::TimestampNtz],
            DataType::Datetime(..) => &[Self::Timestamp, Self::TimestampNtz, Self::Date],
            _ => &[],
        };
        let mut choices = vec![default];
        for other in others {
            if !choices.contains(other) {
                choices.push(other.clone());
            }
        }
        choices
    }
}

impl fmt::Display for SparkType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Decimal { precision, scale } => write!(f, "decimal({precision},{scale})"),
            Self::Array(item) => write!(f, "array<{item}>"),
            Self::Struct(fields) => {
                f.write_str("struct<")?;
                for (i, (name, dtype)) in fields.iter().enumerate() {
                    let comma = if i == 0 { "" } else { "," };
                    write!(f, "{comma}{name}:{dtype}")?;
                }
                f.write_str(">")
            }
            // Spark's own word comes first or is the SQL word.
            Self::Boolean => f.write_str("boolean"),
            Self::Byte => f.write_str("tinyint"),
            Self::Short => f.write_str("smallint"),
            Self::Int => f.write_str("int"),
            Self::BigInt => f.write_str("bigint"),
            Self::Float => f.write_str("float"),
            Self::Double => f.write_str("double"),
            Self::String => f.write_str("string"),
            Self::Binary => f.write_str("binary"),
            Self::Date => f.write_str("date"),
            Self::Timestamp => f.write_str("timestamp"),
            Self::TimestampNtz => f.write_str("timestamp_ntz"),
            Self::Interval => f.write_str("interval"),
        }
    }
}

impl From<SparkType> for String {
    fn from(dtype: SparkType) -> Self {
        dtype.to_string()
    }
}

impl TryFrom<String> for SparkType {
    type Error = SparkTypeError;

    fn try_from(text: String) -> Result<Self, SparkTypeError> {
        text.parse()
    }
}

impl FromStr for SparkType {
    type Err = SparkTypeError;

    fn from_str(text: &str) -> Result<Self, SparkTypeError> {
        parse(text, 0).map_err(|hint| SparkTypeError::Unknown {
            text: text.to_owned(),
            hint,
        })
    }
}

/// Errors are the hint that follows.
fn parse(text: &str, depth: usize) -> Result<SparkType, String> {
    let text = text.trim();
    if depth > MAX_DEPTH {
        return Err(format!(": it is nested deeper than {MAX_DEPTH} levels"));
    }
    let lower = text.to_ascii_lowercase();
    if let Some((_, dtype)) = WORDS.iter().find(|(word, _)| *word == lower) {
        return Ok(dtype.clone());
    }
    if let Some(digits) = inside(&lower, "decimal(", ')') {
        return decimal(digits);
    }
    // Names of fields keep their case, so the original text is cut.
    if lower.starts_with("array<")
        && let Some(item) = text.get(6..).and_then(|rest| rest.strip_suffix('>'))
    {
        return Ok(SparkType::Array(Box::new(parse(item, depth + 1)?)));
    }
    if lower.starts_with("struct<")
        && let Some(fields) = text.get(7..).and_then(|rest| rest.strip_suffix('>'))
    {
        let fields = split_fields(fields)
            .into_iter()
            .map(|field| {
                let (name, dtype) = field
                    .split_once(':')
                    .ok_or_else(|| format!(": `{field}` is no `name:type`"))?;
                Ok((name.trim().to_owned(), parse(dtype, depth + 1)?))
            })
            .collect::<Result<Vec<_>, String>>()?;
        return Ok(SparkType::Struct(fields));
    }
    if lower.starts_with("map") {
        return Err(": Spark refuses maps as keys".to_owned());
    }
    let known = WORDS.iter().map(|(word, _)| *word);
    Err(match nearest(&lower, known) {
        Some(word) => format!(": did you mean `{word}`?"),
        None => ": the types are boolean, tinyint, smallint, int, bigint, float, double, decimal(p,s), string, binary, \
                 date, timestamp, timestamp_ntz, interval, array<...>, struct<name:...>"
            .to_owned(),
    })
}

fn inside<'a>(text: &'a str, start: &str, end: char) -> Option<&'a str> {
    text.strip_prefix(start)?.strip_suffix(end)
}

fn decimal(digits: &str) -> Result<SparkType, String> {
    let wrong = || format!(": a decimal has 1 to {MAX_PRECISION} digits, as in `decimal(10,2)`");
    let (precision, scale) = digits.split_once(',').unwrap_or((digits, "0"));
    let precision: u8 = precision.trim().parse().map_err(|_| wrong())?;
    let scale: u8 = scale.trim().parse().map_err(|_| wrong())?;
    if precision == 0 || precision > MAX_PRECISION || scale > precision {
        return Err(wrong());
    }
    Ok(SparkType::Decimal { precision, scale })
}

/// The fields of a struct: split at commas that are not inside another type.
fn split_fields(text: &str) -> Vec<&str> {
    let (mut depth, mut start, mut fields) = (0_usize, 0, Vec::new());
    for (at, c) in text.char_indices() {
        match c {
            '<' | '(' => depth += 1,
            '>' | ')' => depth = depth.saturating_sub(1),
            ',' if depth == 0 => {
                fields.extend(text.get(start..at));
                start = at + 1;
            }
            _ => {}
        }
    }
    fields.extend(text.get(start..));
    fields
}

#[cfg(test)]
mod tests {
    use polars::prelude::{DataType, Field, TimeUnit, TimeZone};

    use super::SparkType;

    #[test]
    fn types_are_read_as_spark_writes_them_and_written_back() {
        for text in [
            "boolean",
            "tinyint",
            "smallint",
            "int",
            "bigint",
            "float",
            "double",
            "decimal(38,10)",
            "string",
            "binary",
            "date",
            "timestamp",
            "timestamp_ntz",
            "interval",
            "array<bigint>",
            "struct<A:int,b:struct<c:decimal(10,2),d:array<string>>>",
        ] {
            assert_eq!(text.parse::<SparkType>().unwrap().to_string(), text);
        }
        for (text, meant) in [
            ("LONG", "bigint"),
            (" decimal ", "decimal(10,0)"),
            ("decimal(5)", "decimal(5,0)"),
        ] {
            assert_eq!(text.parse::<SparkType>().unwrap().to_string(), meant);
        }
    }

    #[test]
    fn a_text_that_is_no_type_is_refused_with_a_hint() {
        for (text, hint) in [
            ("bigin", "did you mean `bigint`?"),
            ("decimal(39,0)", "1 to 38 digits"),
            ("decimal(3,4)", "1 to 38 digits"),
            ("map<string,int>", "Spark refuses maps"),
            ("struct<a>", "`a` is no `name:type`"),
            ("geography", "the types are boolean"),
        ] {
            let error = text.parse::<SparkType>().unwrap_err().to_string();
            assert!(error.contains(hint), "{error}");
        }
        let deep = "array<".repeat(100);
        assert!(deep.parse::<SparkType>().is_err());
        let deep = format!("{}int{}", "array<".repeat(100), ">".repeat(100));
        assert!(
            deep.parse::<SparkType>()
                .unwrap_err()
                .to_string()
                .contains("nested deeper")
        );
    }

    #[test]
    fn every_type_of_ours_has_the_default_that_spark_gives_it() {
        let time = |zone| DataType::Datetime(TimeUnit::Microseconds, zone);
        let nested = DataType::Struct(vec![
            Field::new("a".into(), DataType::List(Box::new(DataType::Int64))),
            Field::new("b".into(), DataType::String),
        ]);
        for (dtype, expected) in [
            (DataType::Int64, "bigint"),
            (DataType::Int32, "int"),
            (DataType::UInt64, "decimal(20,0)"),
            (DataType::Float64, "double"),
            (DataType::String, "string"),
            (DataType::Date, "date"),
            (time(Some(TimeZone::UTC)), "timestamp"),
            (time(None), "timestamp_ntz"),
            (nested, "struct<a:array<bigint>,b:string>"),
        ] {
            assert_eq!(SparkType::default_for(&dtype).unwrap().to_string(), expected);
        }
        let error = SparkType::default_for(&DataType::Time).unwrap_err().to_string();
        assert!(error.contains("has no hash in Spark: use `cast`"), "{error}");
        let choices = SparkType::choices_for(&DataType::Int64);
        assert_eq!(choices.first(), Some(&SparkType::BigInt));
        assert_eq!(
            choices
                .iter()
                .filter(|choice| **choice == SparkType::BigInt)
                .count(),
            1
        );
    }
}

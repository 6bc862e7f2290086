//! Spark's hash of a key, exactly: `Murmur3Hash(exprs, seed 42)`, by which a shuffle chooses the partition of a row.
//!
//! Columns are folded from left to right, each hash being the seed of the next; null leaves it as it is. Text and bytes
//! are hashed word by word, but each byte of the last, incomplete word is extended with its sign and mixed like a word of
//! its own, so standard `MurmurHash3` gives another number unless the length is a multiple of four.
//!
//! Source: Spark `hash.scala`, `Murmur3_x86_32.java`, `partitioning.scala`. Decimals of more than 18 digits are hashed as
//! the shortest big-endian bytes of their unscaled number, as Java's `BigInteger.toByteArray` gives them.

use chrono::{DateTime, NaiveDate, NaiveDateTime};
use polars::prelude::TimeUnit;

use super::SparkType;
use super::value::{KeyValue, date};
use crate::base::murmur3::{finish, mix};
use crate::dataset::rows;

/// The seed of Spark's `hash` and of its shuffles.
pub const SEED: u32 = 42;

/// Digits of a decimal that Spark hashes as a long.
const MAX_LONG_DIGITS: u8 = 18;
const MICROS_PER_DAY: i64 = 86_400_000_000;

/// The partition of a hash among `n`: Spark's `pmod(hash, n)`.
///
/// ```
/// // `SELECT pmod(hash('hello'), 200)` in Spark 4.
/// assert_eq!(skewer::profile::keys::partition_of(-1_008_564_952, 200), 48);
/// ```
pub fn partition_of(hash: i32, n: u32) -> u32 {
    let n = i64::from(n.max(1));
    u32::try_from(i64::from(hash).rem_euclid(n)).unwrap_or(0)
}

pub(super) fn hash_int(value: i32, seed: u32) -> u32 {
    finish(mix(seed, value.cast_unsigned()), 4)
}

pub(super) fn hash_long(value: i64, seed: u32) -> u32 {
    let bits = value.cast_unsigned();
    #[expect(
        clippy::cast_possible_truncation,
        reason = "the two halves of a long are hashed one by one"
    )]
    let (low, high) = (bits as u32, (bits >> 32) as u32);
    finish(mix(mix(seed, low), high), 8)
}

pub(super) fn hash_bytes(bytes: &[u8], seed: u32) -> u32 {
    let (words, tail) = bytes.as_chunks::<4>();
    let h1 = words
        .iter()
        .fold(seed, |h1, word| mix(h1, u32::from_le_bytes(*word)));
    let h1 = tail.iter().fold(h1, |h1, byte| {
        let extended = i32::from(byte.cast_signed());
        mix(h1, extended.cast_unsigned())
    });
    finish(h1, bytes.len())
}

/// The hash of `values` as columns of `types`; none when a value does not fit the type of its column, with its index.
///
/// # Errors
/// The index of the first value that does not fit.
pub fn spark_hash(values: &[KeyValue<'_>], types: &[SparkType]) -> Result<i32, usize> {
    let mut hash = SEED;
    for (i, (value, dtype)) in values.iter().zip(types).enumerate() {
        hash = fold(value, dtype, hash).ok_or(i)?;
    }
    Ok(hash.cast_signed())
}

/// The hash of one value with `seed`; none when it does not fit the type.
fn fold(value: &KeyValue<'_>, dtype: &SparkType, seed: u32) -> Option<u32> {
    match value {
        KeyValue::Null => return Some(seed),
        // Its text is not known any more: it lies somewhere, like any other key.
        KeyValue::Long(hash, _) => return Some(hash_long(hash.cast_signed(), seed)),
        _ => {}
    }
    Some(match dtype {
        SparkType::Boolean => hash_int(i32::from(boolean(value)?), seed),
        SparkType::Byte => hash_int(i8::try_from(integer(value)?).ok()?.into(), seed),
        SparkType::Short => hash_int(i16::try_from(integer(value)?).ok()?.into(), seed),
        SparkType::Int => hash_int(i32::try_from(integer(value)?).ok()?, seed),
        SparkType::BigInt => hash_long(i64::try_from(integer(value)?).ok()?, seed),
        SparkType::Float => {
            #[expect(clippy::cast_possible_truncation, reason = "a float column holds float32")]
            let number = float(value)? as f32;
            let bits = if number.is_nan() {
                0x7fc0_0000
            } else {
                (number + 0.0).to_bits()
            };
            hash_int(bits.cast_signed(), seed)
        }
        SparkType::Double => {
            let number = float(value)?;
            let bits = if number.is_nan() {
                0x7ff8_0000_0000_0000
            } else {
                (number + 0.0).to_bits()
            };
            hash_long(bits.cast_signed(), seed)
        }
        SparkType::Decimal { precision, scale } => {
            let unscaled = unscaled(value, *precision, *scale)?;
            if *precision <= MAX_LONG_DIGITS {
                hash_long(i64::try_from(unscaled).ok()?, seed)
            } else {
                hash_bytes(shortest(&unscaled.to_be_bytes()), seed)
            }
        }
        SparkType::String => hash_text(value, seed)?,
        SparkType::Binary => match value {
            KeyValue::Binary(bytes) => hash_bytes(bytes, seed),
            KeyValue::Text(text) => hash_bytes(text.as_bytes(), seed),
            _ => return None,
        },
        SparkType::Date => hash_int(i32::try_from(days(value)?).ok()?, seed),
        SparkType::Timestamp | SparkType::TimestampNtz => hash_long(micros(value)?, seed),
        SparkType::Interval => match value {
            KeyValue::Duration(micros) => hash_long(*micros, seed),
            _ => return None,
        },
        SparkType::Array(item) => match value {
            KeyValue::List(items) => items
                .iter()
                .try_fold(seed, |seed, value| fold(value, item, seed))?,
            _ => return None,
        },
        SparkType::Struct(fields) => match value {
            KeyValue::Struct(values) if values.len() == fields.len() => values
                .iter()
                .zip(fields)
                .try_fold(seed, |seed, (value, (_, dtype))| fold(value, dtype, seed))?,
            _ => return None,
        },
    })
}

fn boolean(value: &KeyValue<'_>) -> Option<bool> {
    match value {
        KeyValue::Bool(value) => Some(*value),
        KeyValue::Text(text) => text.parse().ok(),
        _ => None,
    }
}

fn integer(value: &KeyValue<'_>) -> Option<i128> {
    match value {
        KeyValue::Int(n) => Some((*n).into()),
        KeyValue::UInt(n) => Some((*n).into()),
        KeyValue::Text(text) => text.parse().ok(),
        _ => None,
    }
}

fn float(value: &KeyValue<'_>) -> Option<f64> {
    match value {
        KeyValue::Float(n) => Some(*n),
        KeyValue::Int(n) => Some(*n as f64),
        KeyValue::UInt(n) => Some(*n as f64),
        KeyValue::Text(text) => text.parse().ok(),
        _ => None,
    }
}

/// The number without its point, where it has at most `precision` digits, `scale` of them after the point.
fn unscaled(value: &KeyValue<'_>, precision: u8, scale: u8) -> Option<i128> {
    let limit = 10_i128.checked_pow(precision.into())?;
    let unscaled = match value {
        KeyValue::Text(text) => decimal(text, scale)?,
        other => integer(other)?.checked_mul(10_i128.checked_pow(scale.into())?)?,
    };
    (unscaled.abs() < limit).then_some(unscaled)
}

/// `-12.30` with scale 2 is -1230. More digits than the scale has do not fit, unless they are zeros.
fn decimal(text: &str, scale: u8) -> Option<i128> {
    let (sign, digits) = match text.strip_prefix('-') {
        Some(rest) => (-1, rest),
        None => (1, text.strip_prefix('+').unwrap_or(text)),
    };
    let (whole, part) = digits.split_once('.').unwrap_or((digits, ""));
    let is_digits = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
    if whole.len() + part.len() == 0 || !is_digits(whole) || !is_digits(part) {
        return None;
    }
    let scale = usize::from(scale);
    let (kept, dropped) = part.split_at(part.len().min(scale));
    if dropped.bytes().any(|byte| byte != b'0') {
        return None;
    }
    let number: i128 = format!("0{whole}{kept:0<scale$}").parse().ok()?;
    Some(sign * number)
}

/// Two's complement without the leading bytes that only repeat the sign.
fn shortest(bytes: &[u8; 16]) -> &[u8] {
    let mut rest: &[u8] = bytes;
    while let [first, next, ..] = rest {
        let is_sign = (*first == 0 && *next < 0x80) || (*first == 0xff && *next >= 0x80);
        if !is_sign {
            break;
        }
        rest = rest.get(1..).unwrap_or_default();
    }
    rest
}

/// The hash of the value as text, as Spark's cast to string writes it.
fn hash_text(value: &KeyValue<'_>, seed: u32) -> Option<u32> {
    Some(match value {
        KeyValue::Text(text) => hash_bytes(text.as_bytes(), seed),
        KeyValue::Binary(bytes) => hash_bytes(bytes, seed),
        KeyValue::Bool(value) => hash_bytes(value.to_string().as_bytes(), seed),
        KeyValue::Int(n) => hash_bytes(n.to_string().as_bytes(), seed),
        KeyValue::UInt(n) => hash_bytes(n.to_string().as_bytes(), seed),
        KeyValue::Date(days) => hash_bytes(date(*days).as_bytes(), seed),
        KeyValue::Timestamp(micros) => hash_bytes(timestamp_text(*micros).as_bytes(), seed),
        // Java writes floats in its own way.
        _ => return None,
    })
}

/// `2024-01-01 00:00:00.5`, in UTC: no zeros at the end of the fraction.
fn timestamp_text(micros: i64) -> String {
    let text = rows::timestamp(micros, TimeUnit::Microseconds, false).replace('T', " ");
    if text.contains('.') {
        text.trim_end_matches('0').to_owned()
    } else {
        text
    }
}

fn days(value: &KeyValue<'_>) -> Option<i64> {
    match value {
        KeyValue::Date(days) => Some(*days),
        KeyValue::Timestamp(micros) => Some(micros.div_euclid(MICROS_PER_DAY)),
        KeyValue::Text(text) => Some(days_of(text.parse().ok()?)),
        _ => None,
    }
}

fn days_of(day: NaiveDate) -> i64 {
    day.signed_duration_since(NaiveDate::default()).num_days()
}

/// Microseconds since 1970; a text without a zone is in UTC.
fn micros(value: &KeyValue<'_>) -> Option<i64> {
    match value {
        KeyValue::Timestamp(micros) => Some(*micros),
        KeyValue::Date(days) => days.checked_mul(MICROS_PER_DAY),
        KeyValue::Text(text) => {
            if let Ok(at) = DateTime::parse_from_rfc3339(text) {
                return Some(at.timestamp_micros());
            }
            if let Ok(day) = text.parse::<NaiveDate>() {
                return days_of(day).checked_mul(MICROS_PER_DAY);
            }
            let at: NaiveDateTime = text.replacen(' ', "T", 1).parse().ok()?;
            Some(at.and_utc().timestamp_micros())
        }
        _ => None,
    }
}

#[cfg(test)]
#[path = "spark_hash_tests.rs"]
mod tests;

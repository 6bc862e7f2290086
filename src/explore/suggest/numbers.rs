//! Whole numbers that count time since 1970.

use polars::prelude::{DataType, Int64Chunked};
use serde_json::json;

use super::{Look, Seen, SuggestionCode, percent};
use crate::base::units;
use crate::transform::Step;

/// Share of values that have to lie in the years below.
const MIN_SHARE: f64 = 0.99;
/// 2000-01-01 and 2050-01-01, in seconds since 1970.
const YEARS: (i64, i64) = (946_684_800, 2_524_608_000);
/// Words in names of columns that hold moments.
const TIME_WORDS: &[&str] = &[
    "at",
    "time",
    "timestamp",
    "ts",
    "date",
    "day",
    "epoch",
    "unix",
    "created",
    "updated",
    "modified",
    "posted",
    "seen",
    "since",
    "until",
    "start",
    "end",
    "expires",
    "expiry",
    "clicked",
    "shown",
];

/// A unit of time since 1970.
struct Unit {
    per_second: i64,
    name: &'static str,
    /// Whether only numbers in this unit are as large: ids seldom are.
    is_telling: bool,
}

const UNITS: [Unit; 4] = [
    Unit {
        per_second: 1,
        name: "seconds",
        is_telling: false,
    },
    Unit {
        per_second: 1_000,
        name: "milliseconds",
        is_telling: true,
    },
    Unit {
        per_second: 1_000_000,
        name: "microseconds",
        is_telling: true,
    },
    Unit {
        per_second: 1_000_000_000,
        name: "nanoseconds",
        is_telling: true,
    },
];

pub(super) fn look(look: &Look<'_>) -> Option<Seen> {
    let numbers = look.column.cast(&DataType::Int64).ok()?;
    let numbers: &Int64Chunked = numbers.i64().ok()?;
    let is_named_so = is_named_like_time(look.name);
    let (unit, share) = UNITS
        .iter()
        .filter(|unit| unit.is_telling || is_named_so)
        .map(|unit| {
            let range = YEARS.0.saturating_mul(unit.per_second)..YEARS.1.saturating_mul(unit.per_second);
            let n = numbers.iter().flatten().filter(|n| range.contains(n)).count();
            (unit, n as f64 / look.n_values.max(1) as f64)
        })
        .max_by(|a, b| a.1.total_cmp(&b.1))?;
    if share < MIN_SHARE {
        return None;
    }
    let name = quoted(look.name);
    let micros = match unit.per_second {
        1 => format!("CAST({name} AS BIGINT) * 1000000"),
        1_000 => format!("CAST({name} AS BIGINT) * 1000"),
        1_000_000 => format!("CAST({name} AS BIGINT)"),
        _ => format!("CAST({name} AS BIGINT) // 1000"),
    };
    let values = units::plural(look.n_values as u64, "value");
    let part = if share >= 1.0 {
        format!("all {values}")
    } else {
        format!("{} of {values}", percent(share))
    };
    Some(Seen {
        code: SuggestionCode::UnixEpoch,
        reason: format!("{part} are {} since 1970 in the years 2000 to 2049", unit.name),
        share,
        step: Step::from_params(
            "derive",
            json!({"columns": {look.name: format!("CAST({micros} AS TIMESTAMP)")}}),
        ),
    })
}

/// Whether a word of the name speaks of time: `posted_at`, `createdAt`, `ts`.
fn is_named_like_time(name: &str) -> bool {
    let mut words = String::new();
    for c in name.chars() {
        if c.is_uppercase() {
            words.push('_');
        }
        words.extend(c.to_lowercase());
    }
    words
        .split(|c: char| !c.is_alphanumeric())
        .any(|word| TIME_WORDS.contains(&word))
}

/// A column in an expression.
fn quoted(name: &str) -> String {
    format!("\"{}\"", name.replace('"', "\"\""))
}

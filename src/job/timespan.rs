//! Lengths of time as people write them in a spec: `60s`, `2m`.

use std::fmt;
use std::str::FromStr;
use std::time::Duration;

use serde::{Deserialize, Serialize};
use thiserror::Error;

/// A length of time, written with a unit: `500ms`, `60s`, `2m`, `1h`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct TimeSpan(pub Duration);

/// A text that is no length of time.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("`{text}` is no length of time: write a number and a unit, such as 60s, 2m or 1h")]
pub struct TimeSpanError {
    pub text: String,
}

/// The first unit that divides a length is the one it is written in. In milliseconds.
const UNITS: [(&str, u64); 4] = [("h", 3_600_000), ("m", 60_000), ("s", 1000), ("ms", 1)];

impl TimeSpan {
    pub const fn seconds(n: u64) -> Self {
        Self(Duration::from_secs(n))
    }
}

impl FromStr for TimeSpan {
    type Err = TimeSpanError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let error = || TimeSpanError {
            text: text.to_owned(),
        };
        let digits = text.trim_end_matches(|c: char| !c.is_ascii_digit());
        let unit = text.get(digits.len()..).unwrap_or_default().trim();
        let n: u64 = digits.trim().parse().map_err(|_| error())?;
        let (_, millis) = UNITS.iter().find(|(name, _)| *name == unit).ok_or_else(error)?;
        let millis = n.checked_mul(*millis).ok_or_else(error)?;
        Ok(Self(Duration::from_millis(millis)))
    }
}

impl fmt::Display for TimeSpan {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let millis = u64::try_from(self.0.as_millis()).unwrap_or(u64::MAX);
        for (unit, factor) in UNITS {
            if millis >= factor && millis.is_multiple_of(factor) {
                return write!(f, "{}{unit}", millis / factor);
            }
        }
        write!(f, "0s")
    }
}

impl TryFrom<String> for TimeSpan {
    type Error = TimeSpanError;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        text.parse()
    }
}

impl From<TimeSpan> for String {
    fn from(span: TimeSpan) -> Self {
        span.to_string()
    }
}

impl schemars::JsonSchema for TimeSpan {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "TimeSpan".into()
    }

    fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
        schemars::json_schema!({
            "type": "string",
            "pattern": "^[0-9]+ *(ms|s|m|h)$",
            "description": "A length of time with a unit, such as 60s, 2m or 1h.",
        })
    }
}

#[cfg(test)]
mod tests {
    use super::TimeSpan;

    #[test]
    fn lengths_of_time_are_read_with_their_unit_and_written_in_the_largest_that_divides() {
        let check = |text: &str, millis: u128, written: &str| {
            let span: TimeSpan = text.parse().unwrap();
            assert_eq!(
                (span.0.as_millis(), span.to_string().as_str()),
                (millis, written),
                "{text}"
            );
        };
        check("60s", 60_000, "1m");
        check("90 s", 90_000, "90s");
        check("2h", 7_200_000, "2h");
        check("1500ms", 1500, "1500ms");
        check("0s", 0, "0s");
    }

    #[test]
    fn a_text_that_is_no_length_of_time_says_how_to_write_one() {
        for text in ["", "s", "60", "1.5h", "-1s", "3 days", "99999999999999999h"] {
            let error = text.parse::<TimeSpan>().unwrap_err().to_string();
            assert!(error.contains("such as 60s"), "{text}: {error}");
        }
    }
}

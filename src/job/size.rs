//! Sizes as people write them in a spec: `384MiB`.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};
use thiserror::Error;

/// A number of bytes, written with a binary or decimal unit (`384MiB`, `8GB`) or bare.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct ByteSize(pub u64);

/// A text that is no size.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("`{text}` is no size: write a number and a unit, such as 384MiB or 2GB")]
pub struct SizeError {
    pub text: String,
}

/// The first unit that divides a size is the one it is written in.
const UNITS: [(&str, u64); 9] = [
    ("TiB", 1 << 40),
    ("GiB", 1 << 30),
    ("MiB", 1 << 20),
    ("TB", 1_000_000_000_000),
    ("GB", 1_000_000_000),
    ("MB", 1_000_000),
    ("KiB", 1 << 10),
    ("KB", 1000),
    ("B", 1),
];

impl ByteSize {
    pub const fn mib(n: u64) -> Self {
        Self(n << 20)
    }

    /// As an amount of memory of this machine.
    pub fn as_usize(self) -> usize {
        usize::try_from(self.0).unwrap_or(usize::MAX)
    }
}

impl FromStr for ByteSize {
    type Err = SizeError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let error = || SizeError {
            text: text.to_owned(),
        };
        let digits = text.trim_end_matches(|c: char| !c.is_ascii_digit());
        let unit = text.get(digits.len()..).unwrap_or_default().trim();
        let n: u64 = digits.trim().parse().map_err(|_| error())?;
        let factor = UNITS
            .iter()
            .find(|(name, _)| name.eq_ignore_ascii_case(unit))
            .map_or_else(
                || if unit.is_empty() { Ok(1) } else { Err(error()) },
                |(_, f)| Ok(*f),
            )?;
        n.checked_mul(factor).map(Self).ok_or_else(error)
    }
}

impl fmt::Display for ByteSize {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (unit, factor) in UNITS {
            if self.0 >= factor && self.0.is_multiple_of(factor) {
                return write!(f, "{}{unit}", self.0 / factor);
            }
        }
        write!(f, "{}B", self.0)
    }
}

impl TryFrom<String> for ByteSize {
    type Error = SizeError;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        text.parse()
    }
}

impl From<ByteSize> for String {
    fn from(size: ByteSize) -> Self {
        size.to_string()
    }
}

impl schemars::JsonSchema for ByteSize {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "ByteSize".into()
    }

    fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
        schemars::json_schema!({
            "type": "string",
            "pattern": "^[0-9]+ *([KMGTkmgt]i?)?[Bb]?$",
            "description": "A number of bytes with a unit, such as 384MiB.",
        })
    }
}

#[cfg(test)]
mod tests {
    use super::ByteSize;

    #[test]
    fn sizes_are_read_with_their_unit_and_written_in_the_largest_that_divides() {
        let check = |text: &str, bytes: u64, written: &str| {
            let size: ByteSize = text.parse().unwrap();
            assert_eq!((size.0, size.to_string().as_str()), (bytes, written), "{text}");
        };
        check("384MiB", 384 << 20, "384MiB");
        check("1024 mib", 1 << 30, "1GiB");
        check("2GB", 2_000_000_000, "2GB");
        check("17", 17, "17B");
        check("1500KiB", 1500 << 10, "1500KiB");
    }

    #[test]
    fn a_text_that_is_no_size_says_how_to_write_one() {
        for text in ["", "MiB", "3 apples", "-1MiB", "99999999999TiB", "1.5GiB"] {
            let error = text.parse::<ByteSize>().unwrap_err().to_string();
            assert!(error.contains("384MiB"), "{text}: {error}");
        }
    }
}

//! The range of engine versions a spec asks for: `>=0.1.0, <0.2`.

use serde::{Deserialize, Serialize};
use thiserror::Error;

/// Comparisons that the engine's version must meet, all of them.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct EngineRange {
    text: String,
    bounds: Vec<(Comparison, [u64; 3])>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Comparison {
    Less,
    LessOrEqual,
    Greater,
    GreaterOrEqual,
    Equal,
}

/// A text that is no range of versions.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("`{text}` is no range of versions: write comparisons such as `>=0.1.0, <0.2`")]
pub struct RangeError {
    pub text: String,
}

/// Longer signs first, so that `>=` is not read as `>`.
const SIGNS: [(&str, Comparison); 5] = [
    (">=", Comparison::GreaterOrEqual),
    ("<=", Comparison::LessOrEqual),
    (">", Comparison::Greater),
    ("<", Comparison::Less),
    ("=", Comparison::Equal),
];

impl EngineRange {
    /// Whether `version` (`major.minor.patch`) is inside; a version that cannot be read is not.
    pub fn contains(&self, version: &str) -> bool {
        let Some(version) = parse_version(version) else {
            return false;
        };
        self.bounds.iter().all(|(comparison, bound)| match comparison {
            Comparison::Less => version < *bound,
            Comparison::LessOrEqual => version <= *bound,
            Comparison::Greater => version > *bound,
            Comparison::GreaterOrEqual => version >= *bound,
            Comparison::Equal => version == *bound,
        })
    }
}

impl std::fmt::Display for EngineRange {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.text)
    }
}

impl TryFrom<String> for EngineRange {
    type Error = RangeError;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        let bounds = text
            .split(',')
            .map(str::trim)
            .map(|part| {
                let (sign, comparison) = SIGNS.iter().find(|(sign, _)| part.starts_with(sign))?;
                let version = part.strip_prefix(sign)?.trim();
                Some((*comparison, parse_version(version)?))
            })
            .collect::<Option<Vec<_>>>();
        match bounds {
            Some(bounds) => Ok(Self { text, bounds }),
            None => Err(RangeError { text }),
        }
    }
}

impl From<EngineRange> for String {
    fn from(range: EngineRange) -> Self {
        range.text
    }
}

/// `0.2` is `0.2.0`; a pre-release or build suffix is left out of the comparison.
fn parse_version(text: &str) -> Option<[u64; 3]> {
    let core = text.split(['-', '+']).next()?;
    let mut parts = core.split('.');
    let mut version = [0; 3];
    for (i, slot) in version.iter_mut().enumerate() {
        match parts.next() {
            Some(part) => *slot = part.parse().ok()?,
            None if i == 0 => return None,
            None => break,
        }
    }
    parts.next().is_none().then_some(version)
}

impl schemars::JsonSchema for EngineRange {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "EngineRange".into()
    }

    fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
        schemars::json_schema!({
            "type": "string",
            "description": "Versions of Skewer that may run the job, such as `>=0.1.0, <0.2`.",
        })
    }
}

#[cfg(test)]
mod tests {
    use super::EngineRange;

    #[test]
    fn a_version_must_meet_every_comparison() {
        let range = EngineRange::try_from(">=0.1.0, <0.2".to_owned()).unwrap();
        for (version, inside) in [
            ("0.1.0", true),
            ("0.1.9", true),
            ("0.2.0", false),
            ("0.0.9", false),
            ("x", false),
        ] {
            assert_eq!(range.contains(version), inside, "{version}");
        }
        assert!(
            EngineRange::try_from("=1.2.3".to_owned())
                .unwrap()
                .contains("1.2.3-rc1")
        );
    }

    #[test]
    fn a_text_that_is_no_range_is_refused() {
        for text in ["", "0.1", ">=", ">=a.b", ">=1.2.3.4", ">=0.1,"] {
            assert!(EngineRange::try_from(text.to_owned()).is_err(), "{text}");
        }
    }
}

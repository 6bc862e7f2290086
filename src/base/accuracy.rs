//! How far a number can be trusted: exact, from a sample, estimated, or what was seen before a stop.

use std::fmt;

use serde::{Deserialize, Serialize};

use super::units;

/// The accuracy of a figure or of the rows on a page. Shown as a badge wherever it is not exact.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "kind")]
pub enum Accuracy {
    /// Every item was read.
    #[default]
    Exact,
    /// `n` items were read; `of` is their total number where it is known.
    Sample {
        n: u64,
        #[serde(skip_serializing_if = "Option::is_none")]
        of: Option<u64>,
    },
    /// Computed from other figures, not counted.
    Estimate,
    /// Counting stopped after `n` items, by a cancel or a limit.
    Partial { n: u64 },
}

impl Accuracy {
    pub fn is_exact(self) -> bool {
        self == Self::Exact
    }
}

impl fmt::Display for Accuracy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match *self {
            Self::Exact => f.write_str("exact"),
            Self::Sample { n, of: Some(of) } => {
                write!(f, "sample: {} of {}", units::count(n), units::count(of))
            }
            Self::Sample { n, of: None } => write!(f, "sample: {}", units::count(n)),
            Self::Estimate => f.write_str("estimate"),
            Self::Partial { n } => write!(f, "partial: first {}", units::count(n)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::Accuracy;

    #[test]
    fn a_badge_says_how_much_was_read() {
        let badge = Accuracy::Sample {
            n: 10_000,
            of: Some(548_210),
        }
        .to_string();
        assert_eq!(badge, "sample: 10,000 of 548,210");
        assert!(Accuracy::Exact.is_exact());
    }
}

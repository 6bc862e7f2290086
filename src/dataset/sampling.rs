//! Which rows stand for a dataset, as a person chooses them, and how large a part of it they turned out to be.
//!
//! A choice is kept in sessions and recipe files: the same choice on the same listing gives the same rows.
//!
//! ```yaml
//! sample: {n_rows: 1000}
//! sample: {files_per_partition: 2, rows_per_file: 100, seed: 7}
//! ```

use std::fmt;

use serde::de::Error;
use serde::{Deserialize, Deserializer, Serialize};

use super::strata;
use crate::base::units;

/// Which rows are explored.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize)]
#[serde(untagged)]
pub enum SampleChoice {
    /// The first rows in the order of keys and lines.
    Head { n_rows: usize },
    /// The first rows of some files of every partition.
    Spread {
        files_per_partition: usize,
        rows_per_file: usize,
        /// Another seed takes other files.
        seed: u64,
    },
}

/// Rows of a spread sample, at most: they are all held in memory.
pub(super) const MAX_SPREAD_ROWS: usize = 200_000;
/// Partitions of a spread sample, at most: each costs a few requests.
const MAX_SPREAD_PARTITIONS: usize = 1000;

impl SampleChoice {
    /// Which of `n` partitions are read, ascending: all, or when those would give too many rows, some spread over them.
    pub fn partitions_read(self, n: usize) -> Vec<usize> {
        match self {
            Self::Head { .. } => (0..n).collect(),
            Self::Spread {
                files_per_partition,
                rows_per_file,
                seed,
            } => {
                let rows_each = files_per_partition.saturating_mul(rows_per_file).max(1);
                let most = (MAX_SPREAD_ROWS / rows_each).clamp(1, MAX_SPREAD_PARTITIONS);
                strata::spread(n, most, seed)
            }
        }
    }
}

impl Default for SampleChoice {
    fn default() -> Self {
        Self::Head { n_rows: 1000 }
    }
}

impl fmt::Display for SampleChoice {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match *self {
            Self::Head { n_rows } => write!(f, "first {}", units::plural(n_rows as u64, "row")),
            Self::Spread {
                files_per_partition,
                rows_per_file,
                seed,
            } => write!(
                f,
                "{} of each of {} a partition, seed {seed}",
                units::plural(rows_per_file as u64, "row"),
                units::plural(files_per_partition as u64, "file"),
            ),
        }
    }
}

/// Both forms side by side, so that an error names the key at fault.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Written {
    n_rows: Option<usize>,
    files_per_partition: Option<usize>,
    rows_per_file: Option<usize>,
    seed: Option<u64>,
}

impl<'de> Deserialize<'de> for SampleChoice {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        match Written::deserialize(deserializer)? {
            Written {
                n_rows: Some(n_rows),
                files_per_partition: None,
                rows_per_file: None,
                seed: None,
            } => Ok(Self::Head { n_rows }),
            Written {
                n_rows: None,
                files_per_partition: Some(files_per_partition),
                rows_per_file: Some(rows_per_file),
                seed,
            } => Ok(Self::Spread {
                files_per_partition,
                rows_per_file,
                seed: seed.unwrap_or(0),
            }),
            _ => Err(D::Error::custom(
                "a sample is either `n_rows`, or `files_per_partition` and `rows_per_file` with a `seed`",
            )),
        }
    }
}

/// How many there are in all, and how that is known.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Total {
    #[default]
    Unknown,
    /// Counted.
    Exact(u64),
    /// Computed from sizes: rows of the files read, by their bytes, for the bytes of all files.
    Estimated(u64),
}

impl Total {
    pub fn value(self) -> Option<u64> {
        match self {
            Self::Unknown => None,
            Self::Exact(n) | Self::Estimated(n) => Some(n),
        }
    }
}

/// `n` of a total.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize)]
pub struct Portion {
    pub n: u64,
    pub of: Total,
}

impl Portion {
    /// Share of the total, 0..=1, where that is known.
    pub fn share(self) -> Option<f64> {
        let of = self.of.value()?.max(self.n);
        Some(if of == 0 { 1.0 } else { self.n as f64 / of as f64 })
    }

    fn with_unit(self, unit: &str) -> String {
        let n = units::count(self.n);
        match self.of {
            Total::Unknown => format!("{n} {unit}s"),
            Total::Exact(of) => format!("{n} of {}", units::plural(of, unit)),
            Total::Estimated(of) => format!("{n} of about {}", units::plural(of, unit)),
        }
    }
}

/// How large a part of the data the rows of a page are.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize)]
pub struct SampleSize {
    pub rows: Portion,
    pub files: Portion,
    /// Of the files, as listed.
    pub bytes: Portion,
    pub partitions: Portion,
}

impl fmt::Display for SampleSize {
    /// `1,000 of about 52,000 rows, 20 of 400 files, 10 of 10 partitions`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{}, {}",
            self.rows.with_unit("row"),
            self.files.with_unit("file")
        )?;
        if self.partitions.n > 0 {
            write!(f, ", {}", self.partitions.with_unit("partition"))?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::{Portion, SampleChoice, SampleSize, Total};
    use crate::base::envelope::{from_yaml, to_yaml};

    #[test]
    fn both_choices_come_back_as_they_were_written_and_the_older_form_is_the_head() {
        let spread = SampleChoice::Spread {
            files_per_partition: 2,
            rows_per_file: 50,
            seed: 7,
        };
        for choice in [SampleChoice::Head { n_rows: 10 }, spread] {
            let text = to_yaml(&choice).unwrap();
            assert_eq!(from_yaml::<SampleChoice>(&text).unwrap(), choice, "{text}");
        }
        assert_eq!(
            from_yaml::<SampleChoice>("n_rows: 1000\n").unwrap(),
            SampleChoice::default()
        );
    }

    #[test]
    fn a_mixture_of_both_choices_says_what_there_is() {
        let mixed = from_yaml::<SampleChoice>("n_rows: 5\nseed: 7\n").unwrap_err();
        assert!(mixed.to_string().contains("either `n_rows`, or"), "{mixed}");
        let unknown = from_yaml::<SampleChoice>("rows: 5\n").unwrap_err().to_string();
        assert!(unknown.contains("rows"), "{unknown}");
    }

    #[test]
    fn all_partitions_are_read_unless_they_would_give_too_many_rows() {
        let spread = |rows_per_file| SampleChoice::Spread {
            files_per_partition: 2,
            rows_per_file,
            seed: 7,
        };
        assert_eq!(spread(100).partitions_read(365), (0..365).collect::<Vec<_>>());
        let some = spread(1000).partitions_read(365);
        assert_eq!((some.len(), some[0], some[99]), (100, 0, 364));
        assert_eq!(spread(usize::MAX).partitions_read(3), [0]);
        assert!(spread(0).partitions_read(0).is_empty());
    }

    #[test]
    fn a_size_says_what_is_counted_and_what_is_estimated() {
        let portion = |n, of| Portion { n, of };
        let size = SampleSize {
            rows: portion(1000, Total::Estimated(52_000)),
            files: portion(20, Total::Exact(400)),
            bytes: Portion::default(),
            partitions: portion(10, Total::Exact(10)),
        };
        assert_eq!(
            size.to_string(),
            "1,000 of about 52,000 rows, 20 of 400 files, 10 of 10 partitions"
        );
        assert_eq!(size.files.share(), Some(0.05));
        assert_eq!(size.bytes.share(), None);
    }
}

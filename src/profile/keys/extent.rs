//! Of which rows a report speaks: all of them, or a sample; in words, and how many times as many there are in all.

use super::partitions::HashedKeys;
use super::types::KeyProfile;
use crate::base::{Accuracy, units};

impl KeyProfile {
    /// Whether it is known how many rows there are in all, so that predicted seconds are those of the job.
    pub fn tells_time(&self) -> bool {
        Extent(self.accuracy).times().is_some()
    }
}

/// What part of all rows was counted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Extent(Accuracy);

impl Extent {
    pub fn of(keys: &HashedKeys) -> Self {
        Self(keys.counts().totals.accuracy)
    }

    pub fn is_all(self) -> bool {
        match self.0 {
            Accuracy::Exact | Accuracy::Estimate => true,
            Accuracy::Sample { n, of } => of == Some(n),
            Accuracy::Partial { .. } => false,
        }
    }

    /// How many times the rows that were counted there are in all; none where nobody knows.
    pub fn times(self) -> Option<f64> {
        match self.0 {
            Accuracy::Sample { n, of: Some(of) } if n > 0 => Some((of as f64 / n as f64).max(1.0)),
            _ => self.is_all().then_some(1.0),
        }
    }

    /// `the sample of 1,000 rows`; none where all rows were counted.
    pub fn part(self) -> Option<String> {
        if self.is_all() {
            return None;
        }
        Some(match self.0 {
            Accuracy::Sample { n, of: Some(of) } => {
                format!(
                    "the sample of {} of {}",
                    units::count(n),
                    units::plural(of, "row")
                )
            }
            Accuracy::Sample { n, of: None } => format!("the sample of {}", units::plural(n, "row")),
            Accuracy::Partial { n } => format!("the {} counted so far", units::plural(n, "row")),
            Accuracy::Exact | Accuracy::Estimate => return None,
        })
    }

    /// A title or a sentence's end that says of which rows it is: ` in the sample of 1,000 rows`; empty for all.
    pub fn suffix(self) -> String {
        self.part().map_or_else(String::new, |part| format!(" in {part}"))
    }

    /// A time of the whole job: as it is where all rows were counted, called estimated where it is scaled from a sample. None
    /// where nobody knows how many rows there are.
    pub fn time(self, seconds: f64) -> Option<String> {
        self.times()?;
        Some(if self.is_all() {
            units::seconds(seconds)
        } else {
            format!("about {}", units::seconds(seconds))
        })
    }

    /// `, estimated for all 548,210 rows` behind a time; empty where all were counted.
    pub fn estimated(self) -> String {
        match self.0 {
            Accuracy::Sample { of: Some(of), .. } if !self.is_all() => {
                format!(" (estimated for all {})", units::plural(of, "row"))
            }
            _ => String::new(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::Extent;
    use crate::base::Accuracy;

    #[test]
    fn a_sample_is_named_and_its_times_are_told_for_all_rows_or_not_at_all() {
        let all = Extent(Accuracy::Exact);
        assert_eq!((all.suffix().as_str(), all.times()), ("", Some(1.0)));
        assert_eq!(all.time(2.0).as_deref(), Some("2.0 s"));
        let known = Extent(Accuracy::Sample {
            n: 1000,
            of: Some(50_000),
        });
        assert_eq!(known.suffix(), " in the sample of 1,000 of 50,000 rows");
        assert_eq!(known.times(), Some(50.0));
        assert_eq!(known.time(2.0).as_deref(), Some("about 2.0 s"));
        assert_eq!(known.estimated(), " (estimated for all 50,000 rows)");
        let unknown = Extent(Accuracy::Sample { n: 1000, of: None });
        assert_eq!((unknown.times(), unknown.time(2.0)), (None, None));
        assert_eq!(unknown.suffix(), " in the sample of 1,000 rows");
        let partial = Extent(Accuracy::Partial { n: 3 });
        assert_eq!(
            (partial.suffix().as_str(), partial.times()),
            (" in the 3 rows counted so far", None)
        );
        assert!(Extent(Accuracy::Sample { n: 5, of: Some(5) }).is_all());
    }
}

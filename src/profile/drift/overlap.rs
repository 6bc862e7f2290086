//! How far the values of one profile are values of the other, where there are too many to list: by the values that both
//! samples would have, beside what chance alone gives.

use std::collections::HashSet;

use serde::Serialize;

use super::baseline::BaselineColumn;
use super::measures::{PSI_BAD, PSI_WARN};
use crate::base::{Accuracy, units};
use crate::profile::Severity;
use crate::profile::columns::ValueSample;

/// Where chance alone makes so large a share of the values new, as it does of ids, new values say nothing.
const NEARLY_ALL: f64 = 0.5;
/// Standard errors beyond which a share is more than chance.
const Z_LIMIT: f64 = 3.0;

/// A share of values that the other side does not have.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Unseen {
    /// Of the values of this side, 0..=1.
    pub share: f64,
    /// What it is expected to be when both sides are drawn alike: the other side's share of values that occur once.
    /// Source: I. J. Good, "The population frequencies of species and the estimation of population parameters",
    /// Biometrika 40 (1953), after A. Turing.
    pub by_chance: f64,
    /// One standard error of the difference of the two; 0 where all values of both sides are known.
    pub error: f64,
}

/// How far two sides have the same values.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Overlap {
    /// Later values that the baseline does not have.
    pub new: Unseen,
    /// Values of the baseline that the later rows do not have.
    pub gone: Unseen,
    /// The population stability index is at least so large, as `e` more than chance of the values are others: `4 e²`.
    /// Source: M. Pinsker's inequality, of both of the divergences that the index is the sum of.
    pub psi_at_least: f64,
    pub accuracy: Accuracy,
}

impl Unseen {
    /// What is more than chance and the error of the measure, 0..=1.
    fn excess(&self) -> f64 {
        (self.share - self.by_chance - Z_LIMIT * self.error).max(0.0)
    }

    /// `40% (2.0% by chance)`
    fn text(&self) -> String {
        let share = units::percent(self.share);
        format!("{share} ({} by chance)", units::percent(self.by_chance))
    }
}

impl Overlap {
    /// None without a sample on either side, or without values.
    pub(super) fn of(before: &BaselineColumn, after: &BaselineColumn) -> Option<Self> {
        let new = unseen(after, before)?;
        let gone = unseen(before, after)?;
        let worst = new.excess().max(gone.excess());
        Some(Self {
            new,
            gone,
            psi_at_least: 4.0 * worst * worst,
            accuracy: if new.error.max(gone.error) > 0.0 {
                Accuracy::Estimate
            } else {
                Accuracy::Exact
            },
        })
    }

    /// Whether values occur often enough that new ones say something: ids do not.
    pub fn is_telling(&self) -> bool {
        self.new.by_chance.max(self.gone.by_chance) < NEARLY_ALL
    }

    /// How bad it is that values were replaced, by the limits of the index.
    pub(super) fn severity(&self) -> Severity {
        match self.psi_at_least {
            _ if !self.is_telling() => Severity::Good,
            least if least >= PSI_BAD => Severity::Bad,
            least if least >= PSI_WARN => Severity::Warn,
            _ => Severity::Good,
        }
    }

    /// `values new in 40% of rows (2.0% by chance), values gone that were in 35% (1.0% by chance)`
    pub fn text(&self) -> String {
        format!(
            "values that are new in {}, values gone that were in {}",
            self.new.text(),
            self.gone.text()
        )
    }
}

/// The share of the values of `mine` that `others` does not have.
///
/// Values that both list are had by both; the rest is told by the sample. Accuracy: a ratio of a sample, with Kish's number
/// of values that count alike (L. Kish, "Survey Sampling", 1965).
fn unseen(mine: &BaselineColumn, others: &BaselineColumn) -> Option<Unseen> {
    let (sample, other) = (mine.sample.as_ref()?, others.sample.as_ref()?);
    let listed: HashSet<u64> = hashes(mine).intersection(&hashes(others)).copied().collect();
    let bound = sample.common_bound(other);
    let is_whole = bound.is_none();
    let missing = Ratio::of(mine, sample, bound, &listed, |hash, _| !other.contains(hash))?;
    let once = Ratio::of(others, other, bound, &listed, |_, n| n == 1)?;
    let error = if is_whole {
        0.0
    } else {
        (missing.variance + once.variance).sqrt()
    };
    Some(Unseen {
        share: missing.share,
        by_chance: once.share,
        error,
    })
}

/// Of the values that are listed.
fn hashes(column: &BaselineColumn) -> HashSet<u64> {
    let values = column.categories.iter().flat_map(|known| &known.values);
    values.map(|value| ValueSample::hash_of(&value.value)).collect()
}

/// A share of the values of one side.
struct Ratio {
    share: f64,
    variance: f64,
}

impl Ratio {
    /// None where there are values besides `listed`, but none of them is in the sample.
    fn of(
        column: &BaselineColumn,
        sample: &ValueSample,
        bound: Option<u64>,
        listed: &HashSet<u64>,
        is_meant: impl Fn(u64, u64) -> bool,
    ) -> Option<Self> {
        let n_values = column.n_values();
        if n_values == 0 {
            return None;
        }
        let known = column.categories.iter().flat_map(|known| &known.values);
        let is_listed = |text: &str| listed.contains(&ValueSample::hash_of(text));
        let n_listed: u64 = known
            .filter(|value| is_listed(&value.value))
            .map(|value| value.n)
            .sum();
        let rest = n_values.saturating_sub(n_listed) as f64 / n_values as f64;
        let (mut sum, mut squares, mut meant) = (0.0, 0.0, 0.0);
        for (hash, n) in sample.within(bound).filter(|(hash, _)| !listed.contains(hash)) {
            let weight = n as f64;
            sum += weight;
            squares += weight * weight;
            meant += if is_meant(hash, n) { weight } else { 0.0 };
        }
        if sum <= 0.0 {
            let is_all = rest <= 0.0 || bound.is_none();
            return is_all.then_some(Self {
                share: 0.0,
                variance: 0.0,
            });
        }
        let n_alike = sum * sum / squares;
        // One of each is added, so that a sample in which all are alike is not taken for certain.
        let share = (meant / sum * n_alike + 1.0) / (n_alike + 2.0);
        Some(Self {
            share: rest * meant / sum,
            variance: rest * rest * share * (1.0 - share) / n_alike,
        })
    }
}

#[cfg(test)]
mod tests {
    use polars::prelude::{Column, DataFrame};

    use super::{BaselineColumn, Overlap};
    use crate::base::Accuracy;
    use crate::profile::Severity;
    use crate::profile::columns::{ColumnProfiler, Level};
    use crate::profile::drift::Baseline;

    fn column(values: impl Iterator<Item = String>) -> BaselineColumn {
        let values: Vec<String> = values.collect();
        let n = values.len();
        let df = DataFrame::new(n, vec![Column::new("c".into(), values)]).unwrap();
        let mut profiler = ColumnProfiler::new(df.schema(), Level::Full);
        profiler.add(&df).unwrap();
        let mut of = Baseline::of_columns("day", Accuracy::Exact, n as u64, &profiler.finish(true));
        of.columns.remove(0)
    }

    fn random(seed: u64, at: u64) -> u64 {
        xxhash_rust::xxh3::xxh3_64_with_seed(&at.to_le_bytes(), seed)
    }

    /// `n` rows with `n_kinds` values; those of the tail begin with `prefix`.
    fn rows(n: u64, n_kinds: u64, prefix: &'static str, seed: u64) -> BaselineColumn {
        column((0..n).map(move |at| format!("{prefix}{}", random(seed, at) % n_kinds)))
    }

    #[test]
    fn values_that_are_all_others_are_told_and_the_same_ones_are_not() {
        for n_kinds in [2000, 20_000] {
            let (n, before) = (10 * n_kinds, rows(10 * n_kinds, n_kinds, "a", 1));
            let same = Overlap::of(&before, &rows(n, n_kinds, "a", 2)).unwrap();
            assert_eq!(same.severity(), Severity::Good, "{same:?}");
            assert!(same.is_telling() && same.new.share < 0.01, "{same:?}");
            let replaced = Overlap::of(&before, &rows(n, n_kinds, "b", 2)).unwrap();
            assert_eq!(replaced.severity(), Severity::Bad, "{replaced:?}");
            assert!((replaced.new.share - 1.0).abs() < 1e-9 && (replaced.gone.share - 1.0).abs() < 1e-9);
            assert_eq!(replaced.accuracy, Accuracy::Estimate);
        }
    }

    #[test]
    fn a_part_of_the_values_that_is_new_is_told_within_its_error() {
        let half = column((0..40_000_u64).map(|at| {
            let prefix = if at % 4 == 0 { "b" } else { "a" };
            format!("{prefix}{}", at / 4 % 1000)
        }));
        let before = column((0..40_000_u64).map(|at| format!("a{}", at % 1000)));
        let overlap = Overlap::of(&before, &half).unwrap();
        assert!(
            (overlap.new.share - 0.25).abs() <= 4.0 * overlap.new.error && overlap.new.error < 0.04,
            "{overlap:?}"
        );
        assert!(overlap.gone.share < 0.01, "{overlap:?}");
    }

    #[test]
    fn few_values_are_counted_and_ids_that_are_always_new_say_nothing() {
        let few = |prefix: &'static str| column((0..3000_u64).map(move |at| format!("{prefix}{}", at % 100)));
        let replaced = Overlap::of(&few("a"), &few("b")).unwrap();
        assert_eq!(
            (replaced.accuracy, replaced.severity()),
            (Accuracy::Exact, Severity::Bad)
        );
        let ids = |prefix: &'static str| column((0..30_000_u64).map(move |at| format!("{prefix}{at}")));
        let ids = Overlap::of(&ids("a"), &ids("b")).unwrap();
        assert!(!ids.is_telling() && ids.severity() == Severity::Good, "{ids:?}");
        assert!((ids.new.by_chance - 1.0).abs() < 1e-9, "{ids:?}");
    }

    #[test]
    fn names_of_which_many_occur_once_are_new_as_often_as_chance_says() {
        // Of 20,000 rows a third has one of ever more names, as in titles: each day has many that the other has not.
        let titles = |seed: u64| {
            column((0..20_000_u64).map(move |at| {
                let x = random(seed, at);
                if x.is_multiple_of(3) {
                    format!("title {}", x / 3 % 20_000)
                } else {
                    format!("title {}", x / 3 % 40)
                }
            }))
        };
        let overlap = Overlap::of(&titles(1), &titles(2)).unwrap();
        assert!(overlap.new.share > 0.1, "{overlap:?}");
        assert!(
            (overlap.new.share - overlap.new.by_chance).abs() < 4.0 * overlap.new.error,
            "{overlap:?}"
        );
        assert_eq!(overlap.severity(), Severity::Good, "{overlap:?}");
    }

    #[test]
    fn a_side_without_values_or_without_a_sample_tells_nothing() {
        let some = rows(100, 10, "a", 1);
        assert_eq!(Overlap::of(&BaselineColumn::default(), &some), None);
        let old = BaselineColumn {
            sample: None,
            ..some.clone()
        };
        assert_eq!(Overlap::of(&old, &some), None);
    }
}

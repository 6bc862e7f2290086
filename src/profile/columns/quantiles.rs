//! How numbers are spread: exact while there are few, or few different ones; a KLL sketch for many.

use datasketches::common::SearchCriteria;
use datasketches::kll::{KllFloat, KllSketch, SortedView};

use super::{FigureAccuracy, N_RANK_STEPS, Ranks};

/// More values than these go to the sketch.
const MAX_EXACT: usize = 8192;
/// Ranks are off by less than 0.7%, 99% of the time. Source: Karnin, Lang and Liberty (2016); the sketch's own bound.
const K: u16 = 400;

/// Finite numbers, to be asked for their spread at the end.
#[derive(Debug, Clone, Default)]
pub(super) struct Quantiles {
    few: Vec<f64>,
    many: Option<Box<KllSketch<KllFloat<f64>>>>,
}

impl Quantiles {
    /// Adds finite numbers.
    pub(super) fn extend(&mut self, values: &[f64]) {
        if self.many.is_none() {
            if self.few.len() + values.len() <= MAX_EXACT {
                self.few.extend_from_slice(values);
                return;
            }
            self.give_up();
        }
        if let Some(many) = &mut self.many {
            values
                .iter()
                .filter_map(|value| KllFloat::<f64>::new(*value).ok())
                .for_each(|value| many.update(value));
        }
    }

    fn give_up(&mut self) {
        // The size is one that the sketch takes.
        self.many = KllSketch::new(K).ok().map(Box::new);
        let few = std::mem::take(&mut self.few);
        if let Some(many) = &mut self.many {
            few.into_iter()
                .filter_map(|value| KllFloat::<f64>::new(value).ok())
                .for_each(|value| many.update(value));
        }
    }

    pub(super) fn merge(&mut self, other: Self) {
        if other.many.is_some() && self.many.is_none() {
            self.give_up();
        }
        self.extend(&other.few);
        if let (Some(mine), Some(others)) = (&mut self.many, &other.many) {
            // Fails beyond 2^64 values only.
            let merged = mine.merge(others);
            debug_assert!(merged.is_ok(), "{merged:?}");
        }
    }

    pub(super) fn spread(self) -> Spread {
        match self.many {
            Some(many) => Spread::Sketch {
                n: many.n(),
                error: many.normalized_rank_error(),
                view: many.sorted_view(),
            },
            None => Spread::counted(self.few.into_iter().map(|value| (value, 1))),
        }
    }
}

/// Numbers in their order.
pub(super) enum Spread {
    /// Ascending, with the number of values up to each.
    Exact(Vec<(f64, u64)>),
    Sketch {
        view: SortedView<KllFloat<f64>>,
        n: u64,
        error: f64,
    },
}

impl Spread {
    /// Of values with their counts.
    pub(super) fn counted(values: impl Iterator<Item = (f64, u64)>) -> Self {
        let mut values: Vec<(f64, u64)> = values.collect();
        values.sort_unstable_by(|a, b| a.0.total_cmp(&b.0));
        let mut n = 0;
        for (_, count) in &mut values {
            n += *count;
            *count = n;
        }
        Self::Exact(values)
    }

    pub(super) fn n(&self) -> u64 {
        match self {
            Self::Exact(values) => values.last().map_or(0, |(_, n)| *n),
            Self::Sketch { n, .. } => *n,
        }
    }

    /// The least value with a share of at least `q` at or below it; none without values.
    pub(super) fn quantile(&self, q: f64) -> Option<f64> {
        match self {
            Self::Exact(values) => {
                let n = self.n();
                // A rank is a rounded fraction: 0.07 · 100 must not become the eighth value.
                let wanted = (q * n as f64 - 1e-9).ceil();
                let at = values.partition_point(|(_, up_to)| (*up_to as f64) < wanted);
                values
                    .get(at.min(values.len().saturating_sub(1)))
                    .map(|(value, _)| *value)
            }
            Self::Sketch { view, .. } => {
                let found = view.quantile(q.clamp(0.0, 1.0), SearchCriteria::Inclusive);
                found.ok().flatten().map(KllFloat::into_inner)
            }
        }
    }

    /// How many values are less than `x`.
    pub(super) fn below(&self, x: f64) -> u64 {
        match self {
            Self::Exact(values) => {
                let at = values.partition_point(|(value, _)| *value < x);
                at.checked_sub(1)
                    .and_then(|at| values.get(at))
                    .map_or(0, |(_, up_to)| *up_to)
            }
            Self::Sketch { view, n, .. } => {
                let rank = KllFloat::<f64>::new(x)
                    .ok()
                    .and_then(|x| view.rank(&x, SearchCriteria::Exclusive));
                #[expect(
                    clippy::cast_possible_truncation,
                    clippy::cast_sign_loss,
                    reason = "a share of a count is a count"
                )]
                let below = (rank.unwrap_or(0.0) * *n as f64).round() as u64;
                below
            }
        }
    }

    pub(super) fn error(&self) -> f64 {
        match self {
            Self::Exact(_) => 0.0,
            Self::Sketch { error, .. } => *error,
        }
    }

    pub(super) fn accuracy(&self) -> FigureAccuracy {
        match self {
            Self::Exact(_) => FigureAccuracy::EXACT,
            Self::Sketch { error, .. } => FigureAccuracy::estimate(*error),
        }
    }

    /// None without values.
    pub(super) fn ranks(&self) -> Option<Ranks> {
        let steps = (0..=N_RANK_STEPS).map(|at| at as f64 / N_RANK_STEPS as f64);
        let mut values: Vec<f64> = steps.map(|q| self.quantile(q)).collect::<Option<_>>()?;
        // Estimates of neighbouring ranks may be out of order.
        values.sort_unstable_by(f64::total_cmp);
        Some(Ranks {
            n: self.n(),
            error: self.error(),
            values,
        })
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::{MAX_EXACT, Quantiles};

    fn of(values: &[f64]) -> Quantiles {
        let mut quantiles = Quantiles::default();
        for part in values.chunks(100) {
            quantiles.extend(part);
        }
        quantiles
    }

    /// The least value with a share of at least `q` at or below it, and the number of values below `x`.
    fn naive(values: &[f64], q: f64, x: f64) -> (f64, u64) {
        let n = values.len() as f64;
        let at_or_below = |x: f64| values.iter().filter(|value| **value <= x).count() as f64;
        let good = values
            .iter()
            .copied()
            .filter(|x| at_or_below(*x) / n + 1e-12 >= q);
        let below = values.iter().filter(|value| **value < x).count() as u64;
        (good.fold(f64::INFINITY, f64::min), below)
    }

    proptest! {
        #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

        #[test]
        fn few_values_have_exact_quantiles_also_when_merged(
            values in proptest::collection::vec(-50_i32..50, 1..200),
            cut in any::<proptest::sample::Index>(),
            q in 0.0_f64..=1.0,
            x in -60_i32..60,
        ) {
            let values: Vec<f64> = values.into_iter().map(f64::from).collect();
            let cut = cut.index(values.len());
            let mut merged = of(&values[..cut]);
            merged.merge(of(&values[cut..]));
            let spread = merged.spread();
            let (quantile, below) = naive(&values, q, f64::from(x));
            prop_assert_eq!(spread.quantile(q), Some(quantile));
            prop_assert_eq!(spread.below(f64::from(x)), below);
            prop_assert_eq!(spread.n(), values.len() as u64);
            prop_assert!(spread.accuracy().is_exact());
        }
    }

    #[test]
    fn many_values_keep_their_ranks_within_the_error() {
        let n = 300_000_u64;
        // Every value once, in a scrambled order, by two threads.
        let values: Vec<f64> = (0..n).map(|i| (i * 7_919 % n) as f64).collect();
        let (left, right) = values.split_at(100_000);
        let mut merged = of(left);
        merged.merge(of(right));
        let spread = merged.spread();
        let error = spread.error();
        assert!(error > 0.0 && error < 0.01, "{error}");
        for q in [0.01, 0.25, 0.5, 0.9, 0.99] {
            let found = spread.quantile(q).unwrap() / n as f64;
            assert!((found - q).abs() < 2.0 * error, "{q}: {found}");
            let below = spread.below(q * n as f64) as f64 / n as f64;
            assert!((below - q).abs() < 2.0 * error, "{q}: {below}");
        }
        assert_eq!(spread.quantile(0.0), Some(0.0));
        assert_eq!(spread.quantile(1.0), Some((n - 1) as f64));
        let ranks = spread.ranks().unwrap();
        assert!(ranks.values.len() == 201 && ranks.values.is_sorted());
        let few = of(&values[..MAX_EXACT]).spread();
        assert_eq!((few.n(), few.error()), (MAX_EXACT as u64, 0.0));
        assert_eq!(of(&[]).spread().quantile(0.5), None);
        assert!(of(&[]).spread().ranks().is_none());
    }
}

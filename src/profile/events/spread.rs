//! How one measure lies over the tasks of a stage, by the quantiles that Spark's own page shows.

use serde::Serialize;

use super::interruptible::sort_until;
use crate::base::{Cancel, Cancelled};
use crate::profile::formulas::{max_over_mean, max_over_median, quantile};

/// Quantiles of one measure. Exact over the tasks they are of.
#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize)]
pub struct Spread {
    pub n: u64,
    pub total: u64,
    pub min: u64,
    pub p25: u64,
    pub p50: u64,
    pub p75: u64,
    pub p99: u64,
    pub max: u64,
    pub n_zero: u64,
    /// None where there is nothing to divide by. Of zeros, the median is that of the others.
    pub max_over_median: Option<f64>,
    pub max_over_mean: Option<f64>,
}

impl Spread {
    /// What tables show of it, in their order: minimum, quartiles, p99, maximum, total.
    pub fn values(&self) -> [u64; 7] {
        [
            self.min, self.p25, self.p50, self.p75, self.p99, self.max, self.total,
        ]
    }

    /// The spread of values in any order.
    ///
    /// ```
    /// use skewer::profile::events::Spread;
    /// let spread = Spread::of([4, 1, 3, 2]);
    /// assert_eq!((spread.p25, spread.p50, spread.p75, spread.max), (2, 3, 4, 4));
    /// assert_eq!(Spread::of([]).max_over_median, None);
    /// ```
    pub fn of(values: impl IntoIterator<Item = u64>) -> Self {
        let mut sorted: Vec<u64> = values.into_iter().collect();
        sorted.sort_unstable();
        Self::of_sorted(&sorted)
    }

    /// As [`Spread::of`], for very many values.
    ///
    /// # Errors
    /// [`Cancelled`].
    pub(super) fn of_until(
        values: impl IntoIterator<Item = u64>,
        cancel: &Cancel,
    ) -> Result<Self, Cancelled> {
        cancel.check()?;
        let mut sorted: Vec<u64> = values.into_iter().collect();
        sort_until(&mut sorted, cancel)?;
        Ok(Self::of_sorted(&sorted))
    }

    fn of_sorted(sorted: &[u64]) -> Self {
        let at = |q| quantile(sorted, q).unwrap_or(0);
        Self {
            n: sorted.len() as u64,
            total: sorted.iter().fold(0, |sum, value| sum.saturating_add(*value)),
            min: at(0.0),
            p25: at(0.25),
            p50: at(0.5),
            p75: at(0.75),
            p99: at(0.99),
            max: at(1.0),
            n_zero: sorted.partition_point(|value| *value == 0) as u64,
            max_over_median: max_over_median(sorted),
            max_over_mean: max_over_mean(sorted),
        }
    }

    /// `max / p75`; Databricks' guide suspects skew above 1.5.
    pub fn max_over_p75(&self) -> Option<f64> {
        (self.p75 > 0).then(|| self.max as f64 / self.p75 as f64)
    }

    /// `p99 / p50`: skew of a group with no single outlier.
    pub fn p99_over_p50(&self) -> Option<f64> {
        (self.p50 > 0).then(|| self.p99 as f64 / self.p50 as f64)
    }

    pub fn mean(&self) -> Option<f64> {
        (self.n > 0).then(|| self.total as f64 / self.n as f64)
    }
}

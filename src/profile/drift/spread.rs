//! How numbers are spread, as values at evenly spaced ranks: small enough to save, fine enough to compare.
//!
//! Source of the two rules between ranks: the value at rank `r` is the least with a share of at least `r` at or below it.

use serde::{Deserialize, Serialize};

/// Ranks between the least and the greatest value.
pub const N_STEPS: usize = 200;

/// The spread of `n` numbers.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Spread {
    /// Values counted, without null, NaN and infinities.
    pub n: u64,
    /// How far the ranks may be off, as a share 0..=1: 0 where every value was counted.
    pub error: f64,
    /// Ascending; the first is the least value and the last the greatest.
    pub quantiles: Vec<f64>,
}

/// A border between bins: at a value, or just before it.
#[derive(Debug, Clone, Copy, PartialEq, PartialOrd)]
pub struct Cut {
    pub value: f64,
    /// Ordered behind the value, so that `Before` comes before `After` of the same value.
    pub side: Side,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Side {
    Before,
    After,
}

impl Spread {
    /// Whether the quantiles are what they must be: finite, and none less than the one before.
    pub(super) fn is_ascending(&self) -> bool {
        self.quantiles.iter().all(|value| value.is_finite()) && self.quantiles.is_sorted()
    }

    /// Asks `quantile` for the values at the ranks `0, 1/200, .., 1`. None without values.
    pub fn of(n: u64, error: f64, quantile: impl Fn(f64) -> Option<f64>) -> Option<Self> {
        let ranks = (0..=N_STEPS).map(|at| at as f64 / N_STEPS as f64);
        let quantiles: Option<Vec<f64>> = ranks.map(quantile).collect();
        let mut quantiles =
            quantiles.filter(|values| n > 0 && values.iter().all(|value| value.is_finite()))?;
        // Estimates of neighbouring ranks may be out of order.
        quantiles.sort_unstable_by(f64::total_cmp);
        Some(Self { n, error, quantiles })
    }

    /// Of values themselves. Exact up to the steps between the ranks.
    pub fn of_values(values: &[f64]) -> Option<Self> {
        let mut sorted: Vec<f64> = values.iter().copied().filter(|value| value.is_finite()).collect();
        sorted.sort_unstable_by(f64::total_cmp);
        let n = sorted.len();
        Self::of(n as u64, 0.0, |rank| {
            #[expect(
                clippy::cast_possible_truncation,
                clippy::cast_sign_loss,
                reason = "a rank of a slice is an index of it"
            )]
            // A rank is a rounded fraction: 0.07 · 100 must not become the eighth value.
            let at = ((rank * n as f64 - 1e-9).ceil() as usize).saturating_sub(1);
            sorted.get(at.min(n.saturating_sub(1))).copied()
        })
    }

    /// How far a share may be off: the error of the ranks and one step between them.
    pub fn share_error(&self) -> f64 {
        let n_steps = self.quantiles.len().saturating_sub(1).max(1);
        self.error + 1.0 / n_steps as f64
    }

    fn rank(&self, at: usize) -> f64 {
        let last = self.quantiles.len().saturating_sub(1).max(1);
        at as f64 / last as f64
    }

    /// The share of values at or below `x`, 0..=1; a straight line between two neighbouring quantiles.
    pub fn at_or_below(&self, x: f64) -> f64 {
        let n_below = self.quantiles.partition_point(|value| *value <= x);
        let Some(at) = n_below.checked_sub(1) else {
            return 0.0;
        };
        match (self.quantiles.get(at), self.quantiles.get(n_below)) {
            (Some(low), Some(high)) => {
                self.rank(at) + (x - low) / (high - low) * (self.rank(n_below) - self.rank(at))
            }
            _ => 1.0,
        }
    }

    /// The share of values below `x`, 0..=1.
    pub fn below(&self, x: f64) -> f64 {
        let n_below = self.quantiles.partition_point(|value| *value < x);
        match self.quantiles.get(n_below) {
            // A value that takes several ranks begins at the first of them.
            Some(value) if *value <= x => {
                self.rank(n_below.saturating_sub(usize::from(self.repeats(n_below))))
            }
            Some(_) => self.at_or_below(x),
            None => 1.0,
        }
    }

    fn repeats(&self, at: usize) -> bool {
        at > 0 && self.quantiles.get(at) == self.quantiles.get(at + 1)
    }

    pub fn up_to(&self, cut: Cut) -> f64 {
        match cut.side {
            Side::Before => self.below(cut.value),
            Side::After => self.at_or_below(cut.value),
        }
    }

    /// Borders of `n_bins` bins that hold about as many values each. A value that alone fills a bin has one of its own,
    /// so that there may be fewer bins or one more.
    pub fn cuts(&self, n_bins: usize) -> Vec<Cut> {
        let at = |rank: usize| {
            let place = rank * self.quantiles.len().saturating_sub(1) / n_bins.max(1);
            self.quantiles.get(place).copied()
        };
        let values: Vec<f64> = (0..=n_bins).filter_map(at).collect();
        let mut cuts: Vec<Cut> = Vec::new();
        for (place, value) in values.iter().enumerate() {
            let is_inner = place > 0 && place < n_bins;
            let fills_a_bin = values.get(place + 1) == Some(value);
            if fills_a_bin {
                cuts.push(Cut {
                    value: *value,
                    side: Side::Before,
                });
            }
            if fills_a_bin || is_inner {
                cuts.push(Cut {
                    value: *value,
                    side: Side::After,
                });
            }
        }
        cuts.sort_by(|a, b| a.value.total_cmp(&b.value).then(a.side.cmp(&b.side)));
        cuts.dedup();
        cuts
    }
}

#[cfg(test)]
mod tests {
    use super::{Cut, Side, Spread};

    fn near(a: f64, b: f64) -> bool {
        (a - b).abs() <= 0.0051
    }

    #[test]
    fn shares_are_right_up_to_one_step() {
        let values: Vec<f64> = (1..=1000).map(f64::from).collect();
        let spread = Spread::of_values(&values).unwrap();
        for (x, share) in [
            (0.0, 0.0),
            (1.0, 0.001),
            (250.0, 0.25),
            (999.0, 0.999),
            (1e9, 1.0),
        ] {
            assert!(
                near(spread.at_or_below(x), share),
                "{x}: {}",
                spread.at_or_below(x)
            );
        }
        assert!((spread.share_error() - 0.005).abs() < 1e-12);
    }

    #[test]
    fn a_value_that_many_rows_have_is_one_step() {
        let mut values = vec![0.0; 600];
        values.extend((1..=400).map(f64::from));
        let spread = Spread::of_values(&values).unwrap();
        assert!(near(spread.below(0.0), 0.0) && near(spread.at_or_below(0.0), 0.6));
        let constant = Spread::of_values(&[7.0; 30]).unwrap();
        assert_eq!((constant.below(7.0), constant.at_or_below(7.0)), (0.0, 1.0));
        assert_eq!((constant.at_or_below(6.9), constant.below(7.1)), (0.0, 1.0));
    }

    #[test]
    fn bins_hold_as_much_each_and_a_frequent_value_has_its_own() {
        let values: Vec<f64> = (1..=1000).map(f64::from).collect();
        let spread = Spread::of_values(&values).unwrap();
        let cuts = spread.cuts(10);
        assert_eq!(cuts.len(), 9);
        assert!(near(spread.up_to(cuts[0]), 0.1) && near(spread.up_to(cuts[8]), 0.9));
        let constant = Spread::of_values(&[7.0; 30]).unwrap();
        let before = Cut {
            value: 7.0,
            side: Side::Before,
        };
        let after = Cut {
            value: 7.0,
            side: Side::After,
        };
        assert_eq!(constant.cuts(10), [before, after]);
    }

    #[test]
    fn numbers_that_are_none_have_no_spread() {
        assert_eq!(Spread::of_values(&[]), None);
        assert_eq!(Spread::of_values(&[f64::NAN, f64::INFINITY]), None);
        assert_eq!(Spread::of(3, 0.0, |_| Some(f64::NAN)), None);
    }
}

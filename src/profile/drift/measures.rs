//! The two measures of drift: the population stability index and the two-sample Kolmogorov-Smirnov distance.

use serde::Serialize;

use super::spread::Spread;

/// From here on a population has shifted somewhat: look into it. Source: N. Siddiqi, "Credit Risk Scorecards" (2006),
/// section on system stability.
pub const PSI_WARN: f64 = 0.1;
/// From here on it has shifted: what was fitted before does not fit. Source: as [`PSI_WARN`].
pub const PSI_BAD: f64 = 0.25;
/// A distance that is worth a word, and one that is worth a warning, where it is more than chance. Our own convention.
pub const KS_NOTE: f64 = 0.1;
/// As [`KS_NOTE`].
pub const KS_WARN: f64 = 0.2;
/// What decides whether a column drifted, each with its source, for people.
pub const LIMITS: [&str; 4] = [
    "PSI, the population stability index: stable under 0.1, shifted from 0.1 on, shifted much from 0.25 on (N. Siddiqi, \
     Credit Risk Scorecards, 2006). It counts only beyond what chance reaches in 1 of 100 cases with so many rows (B. \
     Yurdakul, J. Naranjo, 2020).",
    "KS, the Kolmogorov-Smirnov distance, 0 to 1: counts beyond its error and its critical value of 5% (N. Smirnov, 1948); \
     a note from 0.1 on, a warning from 0.2 on (Skewer's own convention).",
    "New and vanished values of texts with many values: beyond what chance gives by the values that occur once (I. J. Good, \
     A. Turing, 1953) a share e means a PSI of at least 4 e² (Pinsker's inequality), with the limits of PSI: a warning \
     from 16% on, bad from 25% on. Where nearly every value occurs once, only lengths are compared.",
    "Shares of nulls, missing keys, new and vanished values: beyond three standard errors; a note from 1 point on, a \
     warning from 5, bad from 20; new and vanished values warn from 1% of rows on (Skewer's own convention).",
];
/// Share of a value added to every bin, so that an empty one has a logarithm (Jeffreys' prior).
const PSEUDO_COUNT: f64 = 0.5;
/// `c(0.05)` of the Kolmogorov-Smirnov test. Source: N. Smirnov, "Table for estimating the goodness of fit of empirical
/// distributions", Annals of Mathematical Statistics 19 (1948).
const KS_CRITICAL: f64 = 1.358;

/// The population stability index `Σ (q_i − p_i) · ln(q_i / p_i)` of counts in the same bins. None without values on
/// either side.
///
/// Half a value is added to every bin. Units: nats; 0 for equal shares.
///
/// Source: Siddiqi (2006); symmetric relative entropy, H. Jeffreys (1946).
///
/// ```
/// use skewer::profile::drift::psi;
/// assert!(psi(&[500.0, 500.0], &[5000.0, 5000.0]).unwrap() < 1e-6);
/// // 0.5 and 0.5 become 0.3 and 0.7: (−0.2)·ln 0.6 + 0.2·ln 1.4 = 0.169
/// let shifted = psi(&[5000.0, 5000.0], &[3000.0, 7000.0]).unwrap();
/// assert!((shifted - 0.169).abs() < 0.001);
/// assert_eq!(psi(&[0.0, 0.0], &[1.0, 2.0]), None);
/// ```
pub fn psi(before: &[f64], after: &[f64]) -> Option<f64> {
    let (n, m): (f64, f64) = (before.iter().sum(), after.iter().sum());
    if n <= 0.0 || m <= 0.0 || before.len() != after.len() {
        return None;
    }
    let added = PSEUDO_COUNT * before.len() as f64;
    let terms = before.iter().zip(after).map(|(p, q)| {
        let p = (p + PSEUDO_COUNT) / (n + added);
        let q = (q + PSEUDO_COUNT) / (m + added);
        (q - p) * (q / p).ln()
    });
    Some(terms.sum())
}

/// What the index stays under in 99 of 100 cases when nothing shifted and only chance is at work: `χ²(0.99, B − 1) ·
/// (1/n + 1/m)`. Below it an index says nothing. With 95 of 100, one of twenty columns would drift by chance every day.
///
/// Source: B. Yurdakul, J. Naranjo, "Statistical properties of the population stability index", Journal of Risk Model
/// Validation 14 (2020); χ² by the approximation of Wilson and Hilferty (1931).
///
/// ```
/// use skewer::profile::drift::psi_noise;
/// // χ²(0.99, 9) = 21.67
/// assert!((psi_noise(10, 1000, 1000).unwrap() - 0.0433).abs() < 0.0002);
/// assert_eq!(psi_noise(10, 0, 1000), None);
/// ```
pub fn psi_noise(n_bins: usize, n: u64, m: u64) -> Option<f64> {
    if n == 0 || m == 0 || n_bins < 2 {
        return None;
    }
    let k = (n_bins - 1) as f64;
    let part = 2.0 / (9.0 * k);
    let chi_square = k * (1.0 - part + 2.326 * part.sqrt()).powi(3);
    Some(chi_square * (1.0 / n as f64 + 1.0 / m as f64))
}

/// The Kolmogorov-Smirnov distance of two spreads.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Ks {
    /// The largest difference between the shares at or below a value, 0..=1.
    pub statistic: f64,
    /// How far that may be off, because both sides are known at some ranks only.
    pub error: f64,
    /// What it stays under in 95 of 100 cases when nothing shifted.
    pub critical: f64,
    /// How likely a distance as large is by chance, of the least that it may be.
    pub p_value: f64,
}

impl Ks {
    /// Whether the distance is more than chance and the error of the measure.
    pub fn is_significant(&self) -> bool {
        self.statistic - self.error > self.critical
    }
}

/// The two-sample Kolmogorov-Smirnov distance `max |F − G|`, looked for at every quantile of both.
///
/// Accuracy: off by at most the share errors of both sides. The p-value is the asymptotic one.
///
/// Source: Smirnov (1948); M. Stephens, "Use of the Kolmogorov-Smirnov, Cramér-Von Mises and related statistics without
/// extensive tables", JRSS B 32 (1970), as in Numerical Recipes, section 14.3.
///
/// ```
/// use skewer::profile::drift::{Spread, ks};
/// let low = Spread::of_values(&(0..1000).map(f64::from).collect::<Vec<_>>()).unwrap();
/// let high = Spread::of_values(&(250..1250).map(f64::from).collect::<Vec<_>>()).unwrap();
/// let moved = ks(&low, &high);
/// assert!((moved.statistic - 0.25).abs() <= moved.error);
/// assert!(moved.p_value < 0.001 && moved.is_significant());
/// ```
pub fn ks(before: &Spread, after: &Spread) -> Ks {
    let places = before.quantiles.iter().chain(&after.quantiles);
    let statistic = places
        .map(|x| (before.at_or_below(*x) - after.at_or_below(*x)).abs())
        .fold(0.0, f64::max);
    let (n, m) = (before.n.max(1) as f64, after.n.max(1) as f64);
    let effective = n * m / (n + m);
    let error = before.share_error() + after.share_error();
    Ks {
        statistic,
        error,
        critical: KS_CRITICAL / effective.sqrt(),
        p_value: ks_p_value((statistic - error).max(0.0), effective),
    }
}

/// `Q(λ) = 2 Σ (−1)^(j−1) e^(−2j²λ²)` with Stephens' correction for few values.
fn ks_p_value(statistic: f64, effective: f64) -> f64 {
    let root = effective.sqrt();
    let lambda = (root + 0.12 + 0.11 / root) * statistic;
    if lambda < 0.2 {
        // The series does not settle there; the sum is 1 to twelve digits.
        return 1.0;
    }
    let mut sum = 0.0;
    let mut sign = 1.0;
    for j in 1..=100 {
        let term = (-2.0 * f64::from(j * j) * lambda * lambda).exp();
        sum += sign * term;
        sign = -sign;
        if term < 1e-16 {
            break;
        }
    }
    (2.0 * sum).clamp(0.0, 1.0)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::{ks, ks_p_value, psi, psi_noise};
    use crate::profile::drift::Spread;

    #[test]
    fn p_values_are_those_of_the_tables() {
        // λ = 1.358 is the 5% point, 1.628 the 1% point; with many values the correction vanishes.
        for (lambda, p) in [(1.358, 0.05), (1.628, 0.01), (1.224, 0.10)] {
            let found = ks_p_value(lambda / 1e4, 1e8);
            assert!((found - p).abs() < 0.0005, "{lambda}: {found}");
        }
        assert!((ks_p_value(0.0, 50.0) - 1.0).abs() < f64::EPSILON);
    }

    #[test]
    fn a_bin_that_becomes_empty_weighs_much_but_not_without_end() {
        let gone = psi(&[900.0, 100.0], &[1000.0, 0.0]).unwrap();
        assert!((0.1..2.0).contains(&gone), "{gone}");
        let small = psi(&[9.0, 1.0], &[10.0, 0.0]).unwrap();
        assert!(
            small < psi_noise(2, 10, 10).unwrap(),
            "{small}: ten rows say nothing"
        );
    }

    #[test]
    fn equal_spreads_are_no_distance_apart() {
        let spread = Spread::of_values(&(0..500).map(f64::from).collect::<Vec<_>>()).unwrap();
        let same = ks(&spread, &spread);
        assert!(same.statistic < 1e-12 && !same.is_significant());
        assert!((same.p_value - 1.0).abs() < f64::EPSILON);
        let constant = Spread::of_values(&[3.0; 50]).unwrap();
        assert!((ks(&constant, &spread).statistic - 0.992).abs() < 0.01);
    }

    /// The distance by counting both samples at every value.
    fn by_hand(a: &[f64], b: &[f64]) -> f64 {
        let share = |values: &[f64], x: f64| {
            values.iter().filter(|value| **value <= x).count() as f64 / values.len() as f64
        };
        let places = a.iter().chain(b);
        places
            .map(|x| (share(a, *x) - share(b, *x)).abs())
            .fold(0.0, f64::max)
    }

    proptest! {
        #[test]
        fn the_distance_is_right_within_its_error(
            a in proptest::collection::vec(-20_i32..20, 1..400),
            b in proptest::collection::vec(-10_i32..40, 1..400),
        ) {
            let floats = |values: &[i32]| values.iter().map(|n| f64::from(*n)).collect::<Vec<_>>();
            let (a, b) = (floats(&a), floats(&b));
            let found = ks(&Spread::of_values(&a).unwrap(), &Spread::of_values(&b).unwrap());
            let exact = by_hand(&a, &b);
            prop_assert!((found.statistic - exact).abs() <= found.error + 1e-9, "{} {exact}", found.statistic);
        }

        #[test]
        fn the_index_is_never_negative_and_does_not_care_for_the_order_of_sides(
            a in proptest::collection::vec(0_u32..1000, 5),
            b in proptest::collection::vec(0_u32..1000, 5),
        ) {
            let floats = |values: &[u32]| values.iter().map(|n| f64::from(*n)).collect::<Vec<_>>();
            let (a, b) = (floats(&a), floats(&b));
            if let (Some(there), Some(back)) = (psi(&a, &b), psi(&b, &a)) {
                prop_assert!(there >= 0.0 && (there - back).abs() < 1e-9);
            }
        }
    }
}

//! The formulas of skew over loads `x_i ≥ 0` of `P` partitions, `S = Σx`, `p_i = x_i / S`.
//!
//! Every ratio is none where it is undefined: no partitions, no load at all, or a zero in the denominator.

/// The value at quantile `q` (0..=1) of loads sorted ascending, as Spark's UI takes it: index `min(floor(q·n), n-1)`.
///
/// Source: Spark `AppStatusStore.scala`.
///
/// ```
/// use skewer::profile::formulas::quantile;
/// assert_eq!(quantile(&[1, 2, 3, 4], 0.5), Some(3));
/// assert_eq!(quantile(&[], 0.5), None);
/// ```
pub fn quantile(sorted: &[u64], q: f64) -> Option<u64> {
    let last = sorted.len().checked_sub(1)?;
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "a quantile of a slice is an index of it"
    )]
    let index = (q.clamp(0.0, 1.0) * sorted.len() as f64).floor() as usize;
    sorted.get(index.min(last)).copied()
}

/// The median of loads sorted ascending; where most are empty, that of the ones that are not.
///
/// ```
/// use skewer::profile::formulas::median;
/// assert_eq!(median(&[0, 0, 0, 7, 9]), Some(9));
/// ```
pub fn median(sorted: &[u64]) -> Option<u64> {
    quantile(sorted, 0.5).filter(|median| *median > 0).or_else(|| {
        let first = sorted.partition_point(|load| *load == 0);
        quantile(sorted.get(first..)?, 0.5)
    })
}

/// The median of any numbers, the mean of the middle two for an even count. Sorts them.
///
/// ```
/// use skewer::profile::formulas::median_of;
/// assert_eq!(median_of(&mut [3.0, 1.0, 2.0, 10.0]), Some(2.5));
/// assert_eq!(median_of(&mut []), None);
/// ```
pub fn median_of(values: &mut [f64]) -> Option<f64> {
    values.sort_unstable_by(f64::total_cmp);
    let middle = values.len() / 2;
    let upper = *values.get(middle)?;
    if values.len().is_multiple_of(2) {
        Some(f64::midpoint(*values.get(middle - 1)?, upper))
    } else {
        Some(upper)
    }
}

/// Imbalance `λ = P·max / S`: how much longer the largest partition takes than an even one. At least 1.
///
/// ```
/// use skewer::profile::formulas::max_over_mean;
/// assert_eq!(max_over_mean(&[1, 1, 1, 5]), Some(2.5));
/// assert_eq!(max_over_mean(&[0, 0]), None);
/// ```
pub fn max_over_mean(loads: &[u64]) -> Option<f64> {
    let total = total(loads)?;
    Some(loads.len() as f64 * loads.iter().copied().max()? as f64 / total)
}

/// `max / p50`, comparable with Spark's adaptive skew join (5.0 × median).
///
/// Source: Spark `OptimizeSkewedJoin.scala`.
///
/// ```
/// use skewer::profile::formulas::max_over_median;
/// assert_eq!(max_over_median(&[2, 2, 2, 24]), Some(12.0));
/// ```
pub fn max_over_median(sorted: &[u64]) -> Option<f64> {
    ratio(*sorted.last()?, median(sorted)?)
}

/// `p99 / p50`: skew of a group with no single outlier.
///
/// Source: Trino pull request 15286.
///
/// ```
/// use skewer::profile::formulas::p99_over_p50;
/// assert_eq!(p99_over_p50(&[1, 2, 2, 8]), Some(4.0));
/// ```
pub fn p99_over_p50(sorted: &[u64]) -> Option<f64> {
    ratio(quantile(sorted, 0.99)?, median(sorted)?)
}

/// Coefficient of variation `σ / mean`, with the population's σ.
///
/// ```
/// use skewer::profile::formulas::cv;
/// assert_eq!(cv(&[1, 3]), Some(0.5));
/// ```
pub fn cv(loads: &[u64]) -> Option<f64> {
    let mean = total(loads)? / loads.len() as f64;
    let variance = loads
        .iter()
        .map(|load| (*load as f64 - mean).powi(2))
        .sum::<f64>()
        / loads.len() as f64;
    Some(variance.sqrt() / mean)
}

/// Gini coefficient `Σ(2i − P − 1)·x_(i) / (P·S)` over loads sorted ascending: 0 even, near 1 when one holds all.
///
/// Blind to one hot partition among many; read it with [`effective_partitions`].
///
/// ```
/// use skewer::profile::formulas::gini;
/// assert_eq!(gini(&[4, 4, 4]), Some(0.0));
/// assert_eq!(gini(&[0, 0, 0, 8]), Some(0.75));
/// ```
pub fn gini(sorted: &[u64]) -> Option<f64> {
    let total = total(sorted)?;
    let n = sorted.len() as f64;
    let weighted: f64 = sorted
        .iter()
        .zip(1_u32..)
        .map(|(load, i)| (2.0 * f64::from(i) - n - 1.0) * *load as f64)
        .sum();
    // Rounding alone can leave the range.
    Some((weighted / (n * total)).clamp(0.0, 1.0))
}

/// `N_eff = 1 / Σp²`: the work runs as parallel as on this many even partitions. Between 1 and P.
///
/// ```
/// use skewer::profile::formulas::effective_partitions;
/// assert_eq!(effective_partitions(&[5, 5, 5, 5]), Some(4.0));
/// assert_eq!(effective_partitions(&[0, 0, 9]), Some(1.0));
/// ```
pub fn effective_partitions(loads: &[u64]) -> Option<f64> {
    let total = total(loads)?;
    let squares: f64 = loads.iter().map(|load| (*load as f64 / total).powi(2)).sum();
    Some((1.0 / squares).clamp(1.0, loads.len() as f64))
}

/// The sum, where there is anything to divide by.
fn total(loads: &[u64]) -> Option<f64> {
    let total: f64 = loads.iter().map(|load| *load as f64).sum();
    (total > 0.0).then_some(total)
}

/// A count that was computed as a fraction: rounded, 0 where it is negative.
pub(super) fn rounded(n: f64) -> u64 {
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "a count of rows, keys or bytes: not negative and far below 2^64"
    )]
    let whole = n.round().max(0.0) as u64;
    whole
}

fn ratio(numerator: u64, denominator: u64) -> Option<f64> {
    (denominator > 0).then(|| numerator as f64 / denominator as f64)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::{
        cv, effective_partitions, gini, max_over_mean, max_over_median, median, p99_over_p50, quantile,
    };

    /// All metrics of one set of loads, in any order.
    fn all(loads: &[u64]) -> [Option<f64>; 6] {
        let mut sorted = loads.to_vec();
        sorted.sort_unstable();
        [
            max_over_mean(&sorted),
            max_over_median(&sorted),
            p99_over_p50(&sorted),
            cv(&sorted),
            gini(&sorted),
            effective_partitions(&sorted),
        ]
    }

    #[test]
    fn nothing_is_divided_by_zero() {
        assert_eq!(all(&[]), [None; 6]);
        assert_eq!(all(&[0, 0, 0]), [None; 6]);
        assert_eq!(
            all(&[7]),
            [Some(1.0), Some(1.0), Some(1.0), Some(0.0), Some(0.0), Some(1.0)]
        );
        assert_eq!(median(&[0, 0]), None);
        assert_eq!(quantile(&[3], 1.0), Some(3));
    }

    #[test]
    fn one_hot_key_of_five_percent_among_two_hundred_is_seen_by_all_but_gini() {
        // The separation that a hot partition of 5% gives over 199 even ones.
        let mut loads = vec![950; 199];
        loads.push(10_000);
        let [max_mean, max_median, _, cv, gini, n_eff] = all(&loads).map(Option::unwrap);
        assert!(
            max_mean > 9.0 && max_median > 10.0 && cv > 0.5,
            "{max_mean} {max_median} {cv}"
        );
        assert!(gini < 0.1, "{gini}");
        assert!(n_eff / 200.0 < 0.75, "{n_eff}");
    }

    proptest! {
        #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

        #[test]
        fn order_and_scale_do_not_matter_and_bounds_hold(
            loads in proptest::collection::vec(0_u64..1_000_000, 1..60),
            factor in 2_u64..1000,
        ) {
            let metrics = all(&loads);
            let reversed: Vec<u64> = loads.iter().rev().copied().collect();
            prop_assert_eq!(all(&reversed), metrics);
            let scaled: Vec<u64> = loads.iter().map(|load| load * factor).collect();
            for (scaled, plain) in all(&scaled).into_iter().zip(metrics) {
                match (scaled, plain) {
                    (Some(scaled), Some(plain)) => prop_assert!((scaled - plain).abs() <= 1e-9 * plain.abs().max(1.0)),
                    (scaled, plain) => prop_assert_eq!(scaled, plain),
                }
            }
            if let [Some(max_mean), Some(max_median), _, Some(cv), Some(gini), Some(n_eff)] = metrics {
                let n = loads.len() as f64;
                prop_assert!(max_mean >= 1.0 - 1e-12 && max_mean <= n + 1e-9);
                prop_assert!(max_median >= 1.0);
                prop_assert!(cv >= 0.0);
                prop_assert!((0.0..1.0).contains(&gini));
                prop_assert!((1.0..=n).contains(&n_eff));
            }
        }
    }
}

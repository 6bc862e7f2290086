use std::sync::Arc;

use polars::prelude::df;

use super::super::testing::{hashed, keys, many};
use super::super::{CountBudget, KeyCounter, SparkType, Weight};
use super::{HashedKeys, load_metrics};
use crate::base::Accuracy;
use crate::profile::CostModel;

fn costs() -> CostModel {
    CostModel::default()
}

/// Max / mean and empty partitions of `n` keys of equal rows over 200 partitions.
fn even(names: &[String]) -> (f64, u64) {
    let rows: Vec<(&str, usize)> = names.iter().map(|name| (name.as_str(), 3)).collect();
    let simulated = keys(&rows).simulate(200, Weight::Rows, &costs());
    assert_eq!(
        simulated.loads, simulated.baseline,
        "even values are their own baseline"
    );
    (
        simulated.metrics.max_over_mean.unwrap(),
        simulated.metrics.n_empty,
    )
}

/// Source: reference values computed with Spark's hash: 366 equal days as text over 200 partitions leave 27 empty, and one
/// task gets 7 days, max/mean 3.8; 366 partitions give 4.0 and 512 give 7.0.
#[test]
fn a_year_of_equal_days_is_collision_skew_of_the_known_size() {
    let first = chrono::NaiveDate::from_ymd_opt(2024, 1, 1).unwrap();
    let days: Vec<String> = first.iter_days().take(366).map(|day| day.to_string()).collect();
    let (ratio, n_empty) = even(&days);
    assert!((ratio - 3.8).abs() < 0.05, "{ratio}");
    assert_eq!(n_empty, 27);
    let rows: Vec<(&str, usize)> = days.iter().map(|day| (day.as_str(), 3)).collect();
    let hashed = keys(&rows);
    for (n, expected) in [(366, 4.0), (512, 7.0)] {
        let simulated = hashed.simulate(n, Weight::Rows, &costs());
        let ratio = simulated.metrics.max_over_mean.unwrap();
        assert!((ratio - expected).abs() < 0.05, "{n}: {ratio}");
        assert_eq!(simulated.loads.iter().sum::<u64>(), 366 * 3);
    }
}

/// Source: reference value computed with Spark's hash: 30% in one key and 20,000 even ones over 200 partitions.
#[test]
fn a_hot_key_is_value_skew_and_its_baseline_is_even() {
    let simulated = many(&[("hot", 8571)], 20_000, 1).simulate(200, Weight::Rows, &costs());
    let ratio = simulated.metrics.max_over_mean.unwrap();
    assert!((ratio - 60.8).abs() < 1.0, "{ratio}");
    assert!(simulated.baseline_metrics.max_over_mean.unwrap() < 1.5);
    let effective = simulated.metrics.effective_partitions.unwrap() / 200.0;
    assert!((effective - 0.05).abs() < 0.01, "{effective}");
    let hottest = &simulated.hottest[0];
    assert_eq!(hottest.load, simulated.metrics.max);
    assert_eq!(hottest.keys[0].0, "hot");
    assert!((hottest.keys[0].1 - 0.3).abs() < 0.001);
    assert_eq!(simulated.load_error, 0.0);
    assert_eq!(simulated.accuracy, Accuracy::Exact);
}

#[test]
fn nothing_one_row_and_one_partition_are_simulated_without_division_by_zero() {
    let none = keys(&[]).simulate(8, Weight::Rows, &costs());
    assert_eq!(none.loads, [0; 8]);
    assert_eq!(
        (
            none.metrics.max_over_mean,
            none.metrics.max_over_median,
            none.metrics.effective_partitions
        ),
        (None, None, None)
    );
    assert!(none.hottest.is_empty() && none.metrics.wall_seconds.is_finite());
    let one = keys(&[("a", 1)]).simulate(8, Weight::Bytes, &costs());
    assert_eq!(one.metrics.max_over_mean, Some(8.0));
    assert_eq!(one.metrics.n_empty, 7);
    let single = keys(&[("a", 5), ("b", 2)]).simulate(0, Weight::Rows, &costs());
    assert_eq!((single.n_partitions, single.loads), (1, vec![7]));
    let empty = load_metrics(&[], 0.0, 1.0, &costs());
    assert_eq!((empty.max, empty.empty_share), (0, None));
}

#[test]
fn the_chosen_type_decides_the_partition_and_what_does_not_fit_is_named() {
    let df = df!("n" => [42_i64, 42, 7]).unwrap();
    let mut counter = KeyCounter::new(&["n"], CountBudget::default()).unwrap();
    counter.add(&df).unwrap();
    let counts = Arc::new(counter.finish(Accuracy::Exact));
    let at = |dtype: SparkType| {
        let hashed = HashedKeys::new(Arc::clone(&counts), vec![dtype]).unwrap();
        let loads = hashed.simulate(200, Weight::Rows, &costs()).loads;
        loads.iter().position(|load| *load == 2).unwrap()
    };
    // As `pmod(hash(42), 200)` on Spark, as bigint, int and text.
    assert_eq!(
        [at(SparkType::BigInt), at(SparkType::Int), at(SparkType::String)],
        [168, 173, 15]
    );
    let error = HashedKeys::new(Arc::clone(&counts), vec![SparkType::Date]).unwrap_err();
    assert_eq!(
        error.to_string(),
        "value 42 of column `n` does not fit Spark's `date`: choose another type for it"
    );
    assert!(
        HashedKeys::new(counts, vec![])
            .unwrap_err()
            .to_string()
            .contains("0 Spark types for 1 columns")
    );
}

/// The same rows counted exactly and by sketches: hot partitions agree, the others within the stated error.
#[test]
fn loads_from_sketches_agree_with_exact_ones_within_their_error() {
    let keys: Vec<i64> = (0..400_000_i64)
        .map(|row| if row % 5 == 0 { -1 } else { row * 7 % 250_007 })
        .collect();
    let df = df!("k" => keys).unwrap();
    let small = CountBudget {
        n_bytes: 1 << 20,
        sample_keys: 4000,
    };
    let exact = hashed(&df, &["k"], CountBudget::default());
    let sketched = hashed(&df, &["k"], small);
    assert!(exact.counts().distinct.is_exact && !sketched.counts().distinct.is_exact);
    let (exact, sketched) = (
        exact.simulate(64, Weight::Rows, &costs()),
        sketched.simulate(64, Weight::Rows, &costs()),
    );
    assert_eq!(sketched.accuracy, Accuracy::Estimate);
    assert!(sketched.load_error > 0.0);
    let far = exact
        .loads
        .iter()
        .zip(&sketched.loads)
        .filter(|(a, b)| a.abs_diff(**b) as f64 > sketched.load_error + 0.01 * exact.metrics.max as f64)
        .count();
    assert!(far <= 6, "{far} of 64 beyond two deviations");
    assert_eq!(exact.hottest[0].partition, sketched.hottest[0].partition);
    let ratio = |simulated: &super::SimulatedPartitions| simulated.metrics.max_over_mean.unwrap();
    assert!((ratio(&exact) / ratio(&sketched) - 1.0).abs() < 0.02);
}

//! Two profiles side by side: what counts as drift, and what is chance.

use super::{Baseline, BaselineColumn, Basis, Categories, Category, Drift, SchemaDrift, Spread};
use crate::base::Accuracy;
use crate::profile::{FindingCode, Severity};

fn numbers(name: &str, values: &[f64], n_null: u64) -> BaselineColumn {
    BaselineColumn {
        name: name.to_owned(),
        dtype: "float64".to_owned(),
        n_rows: values.len() as u64 + n_null,
        n_null,
        numbers: Spread::of_values(values),
        ..BaselineColumn::default()
    }
}

fn words(name: &str, counts: &[(&str, u64)], is_whole: bool, n_other: u64) -> BaselineColumn {
    let n = counts.iter().map(|(_, n)| n).sum::<u64>() + n_other;
    BaselineColumn {
        name: name.to_owned(),
        dtype: "string".to_owned(),
        n_rows: n,
        categories: Some(Categories {
            n,
            is_whole,
            error: 0,
            values: counts
                .iter()
                .map(|(value, n)| Category {
                    value: (*value).to_owned(),
                    n: *n,
                })
                .collect(),
        }),
        ..BaselineColumn::default()
    }
}

fn side(columns: Vec<BaselineColumn>) -> Baseline {
    Baseline {
        from: "day".to_owned(),
        accuracy: Accuracy::Exact,
        n_rows: columns.iter().map(|column| column.n_rows).max().unwrap_or(0),
        columns,
    }
}

fn ramp(n: u32, shift: f64) -> Vec<f64> {
    (0..n).map(|at| f64::from(at) / f64::from(n) + shift).collect()
}

fn drift(before: BaselineColumn, after: BaselineColumn) -> Drift {
    Drift::between(&side(vec![before]), &side(vec![after]))
}

#[test]
fn columns_that_come_go_and_change_their_type_are_told() {
    let mut text = numbers("zip", &ramp(100, 0.0), 0);
    text.dtype = "string".to_owned();
    let before = side(vec![
        numbers("zip", &ramp(100, 0.0), 0),
        numbers("old", &[1.0], 0),
    ]);
    let after = side(vec![text, numbers("new", &[1.0], 0)]);
    let drift = Drift::between(&before, &after);
    let found: Vec<(&str, FindingCode)> = drift
        .findings
        .iter()
        .map(|found| (found.column.as_deref().unwrap(), found.finding.code))
        .collect();
    assert_eq!(
        found,
        [
            ("zip", FindingCode::TypeChanged),
            ("old", FindingCode::ColumnGone),
            ("new", FindingCode::ColumnAdded)
        ]
    );
    assert_eq!(drift.column("old").unwrap().schema, Some(SchemaDrift::Gone));
    assert_eq!(drift.severity, Severity::Bad);
    assert_eq!(drift.verdict, "The two differ much in 2 of 3 columns");
}

#[test]
fn numbers_that_become_nan_are_told_though_those_left_are_spread_alike() {
    let with_nan = |n_nan: u64| {
        let mut column = numbers("x", &ramp(5000, 0.0), 0);
        column.n_rows += n_nan;
        column
    };
    let shifted = drift(with_nan(250), with_nan(5000));
    let column = shifted.column("x").unwrap();
    assert_eq!(
        (column.severity, column.verdict.as_str()),
        (Severity::Bad, "NaN or infinite in 50% of rows, 4.8% before")
    );
    let alike = drift(with_nan(250), with_nan(250));
    assert_eq!(alike.column("x").unwrap().severity, Severity::Good);
}

#[test]
fn numbers_that_move_have_a_large_index_and_distance() {
    let moved = drift(
        numbers("x", &ramp(5000, 0.0), 0),
        numbers("x", &ramp(5000, 0.5), 0),
    );
    let column = moved.column("x").unwrap();
    assert_eq!(column.severity, Severity::Bad);
    assert!(column.psi.as_ref().unwrap().value > 1.0);
    assert!((column.ks.unwrap().statistic - 0.5).abs() < 0.011);
    assert!(
        column.verdict.starts_with("shifted much: PSI"),
        "{}",
        column.verdict
    );
    assert_eq!(column.psi.as_ref().unwrap().bins.len(), 10);

    let same = drift(
        numbers("x", &ramp(5000, 0.0), 0),
        numbers("x", &ramp(4000, 0.001), 0),
    );
    assert_eq!(same.severity, Severity::Good, "{}", same.columns[0].verdict);
    assert_eq!(same.findings[0].finding.code, FindingCode::NoDrift);
    assert!(
        same.columns[0].verdict.starts_with("stable: PSI 0.00"),
        "{}",
        same.columns[0].verdict
    );
}

#[test]
fn a_few_rows_that_differ_by_chance_are_no_drift() {
    let small = drift(numbers("x", &ramp(12, 0.0), 0), numbers("x", &ramp(10, 0.1), 0));
    let psi = small.columns[0].psi.as_ref().unwrap();
    assert!(psi.value < psi.noise, "{psi:?}");
    assert_eq!(small.severity, Severity::Good, "{}", small.columns[0].verdict);
    assert!(small.findings[0].finding.message.contains("only large changes"));
}

#[test]
fn a_share_of_nulls_that_moves_is_told_and_chance_is_not() {
    let more = drift(
        numbers("x", &ramp(1000, 0.0), 0),
        numbers("x", &ramp(900, 0.0), 100),
    );
    let column = more.column("x").unwrap();
    assert_eq!(column.severity, Severity::Warn);
    assert_eq!(column.verdict, "null in 10% of rows, never before");
    assert_eq!(column.schema, Some(SchemaDrift::BecameNullable));
    assert_eq!(more.findings[0].finding.code, FindingCode::NullShareChanged);
    let chance = drift(numbers("x", &ramp(20, 0.0), 2), numbers("x", &ramp(19, 0.0), 3));
    assert_eq!(chance.severity, Severity::Good, "{}", chance.columns[0].verdict);
}

#[test]
fn values_that_are_new_are_named_when_all_values_are_known() {
    let known = words("country", &[("US", 500), ("DE", 300), ("ZA", 200)], true, 0);
    let changed = drift(
        known.clone(),
        words("country", &[("US", 500), ("DE", 350), ("JP", 150)], true, 0),
    );
    let column = changed.column("country").unwrap();
    assert_eq!(column.new_values[0].value, "JP");
    assert_eq!(column.gone_values[0].value, "ZA");
    assert_eq!(column.values_accuracy, Accuracy::Exact);
    let psi = column.psi.as_ref().unwrap();
    assert_eq!(
        (psi.basis, psi.accuracy, psi.bins.len()),
        (Basis::Categories, Accuracy::Exact, 4)
    );
    assert_eq!(column.severity, Severity::Bad);
    let same = drift(known.clone(), known);
    assert!(same.columns[0].new_values.is_empty() && same.severity == Severity::Good);
}

#[test]
fn a_value_below_the_list_of_frequent_ones_is_not_taken_for_gone() {
    let before = words("city", &[("a", 300), ("b", 200), ("c", 101)], false, 400);
    let after = words("city", &[("a", 310), ("b", 205), ("d", 100)], false, 400);
    let column = drift(before, after).columns.remove(0);
    assert!(
        column.new_values.is_empty() && column.gone_values.is_empty(),
        "{column:?}"
    );
    assert_eq!(column.values_accuracy, Accuracy::Estimate);
    assert_eq!(column.severity, Severity::Good, "{}", column.verdict);
}

#[test]
fn texts_that_are_all_different_are_compared_by_their_lengths() {
    let ids = |shift: f64| {
        let mut column = words("id", &[("a", 1), ("b", 1)], false, 4998);
        let lengths: Vec<f64> = (0..5000).map(|n| f64::from(n % 40) + shift).collect();
        column.lengths = Spread::of_values(&lengths);
        column
    };
    let column = drift(ids(0.0), ids(20.0)).columns.remove(0);
    assert_eq!(column.psi.as_ref().unwrap().basis, Basis::Lengths);
    assert!(
        column.verdict.starts_with("lengths only: shifted"),
        "{}",
        column.verdict
    );
}

/// As a profile of 20,000 rows has it: each of `n` texts as often.
fn cities(prefix: &str, n: u64) -> BaselineColumn {
    use crate::profile::columns::{ColumnProfiler, Level};
    use polars::prelude::{Column, DataFrame};

    let values: Vec<String> = (0..20_000_u64)
        .map(|at| format!("{prefix}{:05}", at % n))
        .collect();
    let df = DataFrame::new(20_000, vec![Column::new("city".into(), values)]).unwrap();
    let mut profiler = ColumnProfiler::new(df.schema(), Level::Full);
    profiler.add(&df).unwrap();
    Baseline::of_columns("day", Accuracy::Exact, 20_000, &profiler.finish(true))
        .columns
        .remove(0)
}

#[test]
fn categories_that_were_all_replaced_are_found_though_their_lengths_are_alike() {
    for n in [50, 2000, 5000] {
        let replaced = drift(cities("a", n), cities("b", n));
        let column = replaced.column("city").unwrap();
        assert_eq!(
            (column.severity, column.is_lengths_only),
            (Severity::Bad, false),
            "{}",
            column.verdict
        );
        assert!(
            column.verdict.contains("new in 100%") || column.verdict.contains("shifted much"),
            "{}",
            column.verdict
        );
        assert_eq!(replaced.findings[0].finding.code, FindingCode::DistributionDrift);
        let same = drift(cities("a", n), cities("a", n));
        let column = same.column("city").unwrap();
        assert_eq!(
            (column.severity, column.is_lengths_only),
            (Severity::Good, false),
            "{}",
            column.verdict
        );
        assert!(
            column.verdict.contains("new in 0% (0% by chance)"),
            "{}",
            column.verdict
        );
        assert_eq!(same.verdict, "The two agree in all of 1 column");
    }
}

#[test]
fn a_baseline_without_a_sample_is_compared_by_lengths_only_and_says_so() {
    let old = BaselineColumn {
        sample: None,
        ..cities("a", 2000)
    };
    let drift = drift(old, cities("b", 2000));
    let column = &drift.columns[0];
    assert!(column.is_lengths_only && column.severity == Severity::Good);
    assert!(
        column.verdict.starts_with("lengths only: stable") && column.verdict.contains("saved again"),
        "{}",
        column.verdict
    );
    assert_eq!(
        drift.verdict,
        "The two agree in all of 1 column, in 1 of them by lengths only"
    );
    assert!(
        drift.findings[0]
            .finding
            .message
            .contains("Of `city` only lengths")
    );
}

#[test]
fn values_that_vanished_are_named_in_the_verdict_and_chance_is_not() {
    let before = words("c", &[("x", 400), ("y", 560), ("z", 40)], true, 0);
    let gone = drift(before.clone(), words("c", &[("x", 420), ("y", 580)], true, 0));
    let column = gone.column("c").unwrap();
    assert!(
        column.verdict.contains("`z` is gone, which was in 4.0% of rows"),
        "{}",
        column.verdict
    );
    let small = drift(before, words("c", &[("x", 20), ("y", 28)], true, 0));
    let column = small.column("c").unwrap();
    assert!(!column.verdict.contains("gone"), "{}", column.verdict);
    assert_eq!(column.gone_values[0].value, "z");
}

#[test]
fn a_few_frequent_texts_that_stay_do_not_hide_that_all_others_changed() {
    let texts = |prefix: &str, shift: f64| {
        let names: Vec<String> = (0..20).map(|n| format!("{prefix}{n}")).collect();
        let mut counts: Vec<(&str, u64)> = vec![("a", 150)];
        counts.extend(names.iter().map(|name| (name.as_str(), 130)));
        let mut column = words("t", &counts, false, 2250);
        let lengths: Vec<f64> = (0..5000).map(|n| f64::from(n % 40) + shift).collect();
        column.lengths = Spread::of_values(&lengths);
        column
    };
    let moved = drift(texts("v", 0.0), texts("w", 20.0)).columns.remove(0);
    assert_eq!(moved.psi.as_ref().unwrap().basis, Basis::Lengths);
    assert_eq!(moved.severity, Severity::Bad, "{}", moved.verdict);
    let longer = drift(texts("v", 0.0), texts("v", 20.0)).columns.remove(0);
    assert_eq!(longer.psi.as_ref().unwrap().basis, Basis::Lengths);
    let others = drift(texts("v", 0.0), texts("w", 0.0)).columns.remove(0);
    assert!(others.verdict.starts_with("lengths only"), "{}", others.verdict);
    let same = drift(texts("v", 0.0), texts("v", 0.0)).columns.remove(0);
    assert!(same.verdict.starts_with("stable: PSI 0.00"), "{}", same.verdict);
    let ids = |names: [&str; 2]| {
        let mut column = words("id", &[(names[0], 1), (names[1], 1)], false, 4998);
        column.lengths = Spread::of_values(&vec![20.0; 5000]);
        column
    };
    let ids = drift(ids(["a", "b"]), ids(["c", "d"])).columns.remove(0);
    assert!(
        ids.verdict.starts_with("lengths only: stable") && ids.verdict.contains("are not compared"),
        "{}",
        ids.verdict
    );
}

#[test]
fn values_beyond_all_of_the_baseline_are_counted_in_the_open_bins_and_told() {
    let before = numbers("x", &ramp(5000, 0.0), 0);
    let wide: Vec<f64> = ramp(5000, 0.0).into_iter().map(|x| x * 2.0 - 0.5).collect();
    let column = drift(before.clone(), numbers("x", &wide, 0)).columns.remove(0);
    let outside = column.outside.as_ref().unwrap();
    assert!(
        (outside.below - 0.25).abs() < 0.006 && (outside.above - 0.25).abs() < 0.006,
        "{outside:?}"
    );
    assert!(
        outside.text.contains("below 0, the least before"),
        "{}",
        outside.text
    );
    assert!(
        column.verdict.contains("the greatest before"),
        "{}",
        column.verdict
    );
    let bins = &column.psi.as_ref().unwrap().bins;
    let all: f64 = bins.iter().map(|bin| bin.after).sum();
    assert!((all - 1.0).abs() < 1e-9, "nothing is left out: {bins:?}");
    // A tenth of the baseline is below its first decile, of the others a quarter besides.
    assert!((bins[0].after - 0.3).abs() < 0.006, "{bins:?}");
    let within = drift(before, numbers("x", &ramp(4000, 0.0), 0)).columns.remove(0);
    assert_eq!(within.outside, None);
}

#[test]
fn empty_sides_are_no_division_by_zero() {
    let nothing = side(vec![numbers("x", &[], 0)]);
    let all_null = side(vec![numbers("x", &[], 40)]);
    let some = side(vec![numbers("x", &ramp(100, 0.0), 0)]);
    for (before, after) in [
        (&nothing, &some),
        (&some, &nothing),
        (&all_null, &some),
        (&nothing, &nothing),
    ] {
        let drift = Drift::between(before, after);
        assert!(drift.columns[0].psi.is_none());
        assert!(serde_json::to_string(&drift).unwrap().contains("verdict"));
    }
    let drift = Drift::between(&some, &nothing);
    assert_eq!(drift.verdict, "One side has no rows: nothing can be compared");
    assert_eq!(drift.severity, Severity::Warn, "a day without rows is not fine");
    assert!(
        Drift::between(&side(Vec::new()), &side(Vec::new()))
            .columns
            .is_empty()
    );
}

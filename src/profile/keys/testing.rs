//! What tests of keys share: keys with given numbers of rows, counted and hashed, and reports of them.

use std::sync::Arc;

use polars::prelude::{Column, DataFrame, df};

use super::count::{CountBudget, KeyCounter};
use super::partitions::{HashedKeys, default_types};
use super::{KeyReport, Remedy, Weight, key_report};
use crate::base::Accuracy;
use crate::profile::{CostModel, FindingCode};

/// Text keys with so many rows each.
pub(super) fn keys(rows: &[(&str, usize)]) -> HashedKeys {
    let values: Vec<&str> = rows
        .iter()
        .flat_map(|(key, n)| std::iter::repeat_n(*key, *n))
        .collect();
    hashed(&df!("k" => values).unwrap(), &["k"], CountBudget::default())
}

/// Keys `key-0`, `key-1`, ... of `each` rows, after others.
pub(super) fn many(others: &[(&str, usize)], n: usize, each: usize) -> HashedKeys {
    let names: Vec<String> = (0..n).map(|i| format!("key-{i}")).collect();
    let mut rows: Vec<(&str, usize)> = others.to_vec();
    rows.extend(names.iter().map(|name| (name.as_str(), each)));
    keys(&rows)
}

/// The keys of rows that all differ, as those of most tables do: by a further column.
pub(super) fn hashed(df: &DataFrame, columns: &[&str], budget: CountBudget) -> HashedKeys {
    let mut df = df.clone();
    let rows: Vec<u64> = (0..df.height() as u64).collect();
    df.with_column(Column::new("row".into(), rows)).unwrap();
    hashed_of(&df, columns, budget)
}

/// The keys of just these rows.
pub(super) fn hashed_of(df: &DataFrame, columns: &[&str], budget: CountBudget) -> HashedKeys {
    let mut counter = KeyCounter::new(columns, budget).unwrap();
    for start in (0..df.height()).step_by(65_536) {
        counter
            .add(&df.slice(start.cast_signed() as i64, 65_536))
            .unwrap();
    }
    let counts = counter.finish(Accuracy::Exact);
    let types = default_types(&counts).unwrap();
    HashedKeys::new(Arc::new(counts), types).unwrap()
}

/// A lake where a row takes a second or so, so that skew costs something.
pub(super) fn slow() -> CostModel {
    CostModel {
        slots: 16,
        bytes_per_second: 100.0,
        ..CostModel::default()
    }
}

pub(super) fn report(keys: &HashedKeys, n: u32) -> KeyReport {
    key_report(keys, keys.profile(20), n, Weight::Rows, &slow())
}

pub(super) fn codes(report: &KeyReport) -> Vec<FindingCode> {
    report.findings.iter().map(|finding| finding.code).collect()
}

/// Every remedy that tells loads keeps the rows, except those that leave some out on purpose.
pub(super) fn check_loads(report: &KeyReport, n_rows: u64) {
    for offered in &report.remedies {
        if offered.after.is_none() {
            continue;
        }
        let sum: u64 = offered.loads.iter().sum();
        match &offered.remedy {
            Remedy::IsolateSentinels { share, .. } => {
                assert!(
                    ((n_rows - sum) as f64 - share * n_rows as f64).abs() < 0.5,
                    "{}",
                    offered.title
                );
            }
            _ => assert_eq!(sum, n_rows, "{}", offered.title),
        }
    }
}

/// The kinds of the remedies, in their order.
pub(super) fn kinds(report: &KeyReport) -> Vec<&'static str> {
    let kind = |remedy: &Remedy| match remedy {
        Remedy::Salt { .. } => "salt",
        Remedy::TwoStageAggregation { .. } => "two stages",
        Remedy::IsolateSentinels { .. } => "isolate",
        Remedy::Broadcast { .. } => "broadcast",
        Remedy::OtherPartitions { .. } => "partitions",
        Remedy::CompoundKey { .. } => "compound",
    };
    report
        .remedies
        .iter()
        .map(|offered| kind(&offered.remedy))
        .collect()
}

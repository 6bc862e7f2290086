//! What tests of keys share: keys with given numbers of rows, counted and hashed.

use std::sync::Arc;

use polars::prelude::{DataFrame, df};

use super::count::{CountBudget, KeyCounter};
use super::partitions::{HashedKeys, default_types};
use crate::base::Accuracy;

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

pub(super) fn hashed(df: &DataFrame, columns: &[&str], budget: CountBudget) -> HashedKeys {
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

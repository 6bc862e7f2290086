//! What a dataset holds on each date, partitions of one date added up: the series that growth and weekdays are read from.

use std::collections::BTreeMap;

use chrono::NaiveDate;

use crate::storage::DatasetKeys;

/// One date of a dataset.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct DayLoad {
    pub date: NaiveDate,
    pub n_files: u64,
    pub n_bytes: u64,
}

/// The dates that have partitions, in order.
pub fn days(dataset: &DatasetKeys) -> Vec<DayLoad> {
    let mut days: BTreeMap<NaiveDate, (u64, u64)> = BTreeMap::new();
    for stats in dataset.partitions.values() {
        if let Some(date) = stats.partition.date() {
            let (n_files, n_bytes) = days.entry(date).or_default();
            *n_files += stats.n_files;
            *n_bytes += stats.n_bytes;
        }
    }
    let load = |(date, (n_files, n_bytes))| DayLoad {
        date,
        n_files,
        n_bytes,
    };
    days.into_iter().map(load).collect()
}

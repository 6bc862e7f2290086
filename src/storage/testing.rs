//! Datasets for tests, as a listing would give them: partitions of files of one size.

use chrono::NaiveDate;

use super::{DatasetKeys, Layout, Partition, PartitionStats, TINY_BYTES};

/// A day of 2020.
pub fn day(month: u32, day: u32) -> Partition {
    Partition::Day(date(month, day))
}

/// An hour of a day of 2020.
pub fn hour(month: u32, day: u32, hour: u8) -> Partition {
    Partition::Hour(date(month, day), hour)
}

fn date(month: u32, day: u32) -> NaiveDate {
    NaiveDate::from_ymd_opt(2020, month, day).unwrap()
}

/// A dataset of (partition, files, bytes).
pub fn dataset(partitions: impl IntoIterator<Item = (Partition, u64, u64)>) -> DatasetKeys {
    let mut dataset = DatasetKeys {
        layout: Layout::DatePath,
        ..DatasetKeys::default()
    };
    for (partition, n_files, n_bytes) in partitions {
        let mut stats = PartitionStats {
            partition: partition.clone(),
            n_files,
            n_bytes,
            ..PartitionStats::default()
        };
        if let Some(size) = stats.average_file_bytes() {
            for _ in 0..n_files {
                stats.sizes.add(size);
            }
            stats.max_file_bytes = size;
            stats.n_tiny = if size < TINY_BYTES { n_files } else { 0 };
            stats.n_empty = if n_bytes == 0 { n_files } else { 0 };
        }
        dataset.sizes.merge(&stats.sizes);
        dataset.partitions.insert(partition, stats);
    }
    dataset
}

/// Days of January 2020 as (day, files, bytes).
pub fn january(days: impl IntoIterator<Item = (u32, u64, u64)>) -> DatasetKeys {
    dataset(
        days.into_iter()
            .map(|(n, n_files, n_bytes)| (day(1, n), n_files, n_bytes)),
    )
}

/// Days one after the other as (files, bytes).
pub fn days_from(first: NaiveDate, days: impl IntoIterator<Item = (u64, u64)>) -> DatasetKeys {
    dataset(
        first
            .iter_days()
            .zip(days)
            .map(|(date, (n_files, n_bytes))| (Partition::Day(date), n_files, n_bytes)),
    )
}

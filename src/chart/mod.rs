//! A chart as plain data, made from listings and profiles. Drawn by the window, later also to PNG and SVG.
//!
//! Charts hold every partition; a drawer with fewer pixels than bars thins them out itself.

mod axis;
mod calendar;
mod lorenz;
mod partition_bars;
mod size_histogram;
mod treemap;

pub use axis::Axis;
pub use calendar::{Calendar, CalendarDay, CalendarMonth};
pub use lorenz::Lorenz;
pub use partition_bars::{Bar, Measure, MeasureFacts, PartitionBars};
pub use size_histogram::{SizeClass, SizeHistogram, SizeTier};
pub use treemap::{Tile, Treemap, TreemapNode, squarify};

#[cfg(test)]
mod tests {
    use chrono::NaiveDate;

    use crate::storage::{DatasetKeys, Layout, Partition, PartitionStats};

    pub fn day(month: u32, day: u32) -> Partition {
        Partition::Day(NaiveDate::from_ymd_opt(2020, month, day).unwrap())
    }

    /// A dataset of (partition, files, bytes).
    pub fn dataset(partitions: impl IntoIterator<Item = (Partition, u64, u64)>) -> DatasetKeys {
        let mut dataset = DatasetKeys {
            layout: Layout::DatePath,
            ..DatasetKeys::default()
        };
        for (partition, n_files, n_bytes) in partitions {
            for _ in 0..n_files {
                dataset.sizes.add(n_bytes / n_files);
            }
            let stats = PartitionStats {
                partition: partition.clone(),
                n_files,
                n_bytes,
                ..PartitionStats::default()
            };
            dataset.partitions.insert(partition, stats);
        }
        dataset
    }

    /// Two weeks with a spike on the 9th, a gap on the 6th and tiny files on the 11th.
    pub fn two_weeks() -> DatasetKeys {
        dataset((1..=14).filter(|n| *n != 6).map(|n| match n {
            9 => (day(1, n), 14, 5_300_000),
            11 => (day(1, n), 412, 450_000),
            _ => (day(1, n), 12, 440_000),
        }))
    }
}

//! A chart as plain data, made from listings and profiles, and drawn: to PNG and SVG here, on screen by the window.
//!
//! [`Picture`] is what both drawers take: sides, marks, lines to compare with, words. What is charted turns into pictures
//! in `pictures`. Charts hold every partition; a drawer with fewer pixels than bars thins them out itself.

mod axis;
mod calendar;
pub mod draw;
pub mod labels;
mod lorenz;
mod own_runs;
pub mod palette;
mod partition_bars;
mod picture;
mod pictures;
mod scale;
mod size_histogram;
mod tasks;
pub mod thin;
mod ticks;

pub use axis::Axis;
pub use calendar::{Calendar, CalendarDay, CalendarMonth};
pub use lorenz::Lorenz;
pub use own_runs::{own_files_picture, own_stages_picture, own_workers_picture};
pub use palette::Tone;
pub use partition_bars::{Bar, PartitionBars};
pub use picture::{Fill, Layer, LayerKind, LegendEntry, LegendShape, Mark, Picture, Rule, ValueSide};
pub use pictures::{Measure, calendar_picture, lorenz_picture, partition_picture, sizes_picture};
pub use scale::{Quantity, Scale, ScaleKind, Tick};
pub use size_histogram::{SizeHistogram, SizeTier};
pub use tasks::{gantt_picture, run_time_picture, scatter_picture};

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

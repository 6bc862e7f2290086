//! A chart as plain data, made from listings and profiles, and drawn: to PNG and SVG here, on screen by the window.
//!
//! [`Picture`] is what both drawers take: sides, marks, lines to compare with, words. What is charted turns into pictures
//! in `pictures`. Charts hold every partition; a drawer with fewer pixels than bars thins them out itself.

mod calendar;
mod compared_runs;
pub mod draw;
mod key_pictures;
pub mod labels;
mod lorenz;
mod own_runs;
pub mod palette;
mod partition_bars;
mod partition_picture;
mod picture;
mod pictures;
mod range_picture;
pub mod rule_labels;
mod scale;
mod size_histogram;
mod tasks;
pub mod thin;
mod ticks;
mod treemap;
mod treemap_picture;

pub use calendar::{Calendar, CalendarBand, CalendarDay, CalendarMonth, WEEKDAYS};
pub use compared_runs::{compared_stages_picture, compared_work_picture};
pub use key_pictures::{loads_picture, top_keys_picture};
pub use lorenz::Lorenz;
pub use own_runs::{own_days, own_files_picture, own_stages_picture, own_workers_picture};
pub use palette::Tone;
pub use partition_bars::{Bar, BarOrder, Measure, MeasureFacts, PartitionBars};
pub use partition_picture::partition_picture;
pub use picture::{Fill, Layer, LayerKind, LegendEntry, LegendShape, Mark, Picture, Rule, ValueSide};
pub use pictures::{calendar_picture, lorenz_picture, sizes_picture};
pub use range_picture::range_picture;
pub use scale::{Quantity, Scale, ScaleKind, Tick};
pub use size_histogram::{SizeClass, SizeHistogram, SizeTier};
pub use tasks::{gantt_picture, run_time_picture, scatter_picture};
pub use treemap::{Tile, Treemap, TreemapNode, squarify};
pub use treemap_picture::{PlacedTile, tile_fill, treemap_layout, treemap_picture};

#[cfg(test)]
pub(crate) mod tests {
    use crate::storage::DatasetKeys;
    pub use crate::storage::testing::{dataset, day, hour};

    /// A key column in which `<script>` and null are hot, over 50 partitions.
    pub fn key_report() -> crate::profile::keys::KeyReport {
        use polars::prelude::{Column, DataFrame};

        use crate::base::Accuracy;
        use crate::profile::CostModel;
        use crate::profile::keys::{self, CountBudget, HashedKeys, KeyCounter, Weight};

        let keys: Vec<Option<String>> = (0..10_000)
            .map(|n| match n % 10 {
                0..4 => Some("<script>alert(1)</script>".to_owned()),
                4..6 => None,
                _ => Some(format!("key {}", n % 977)),
            })
            .collect();
        let df = DataFrame::new(keys.len(), vec![Column::new("company".into(), keys)]).unwrap();
        let mut counter = KeyCounter::new(&["company"], CountBudget::default()).unwrap();
        counter.add(&df).unwrap();
        let counts = std::sync::Arc::new(counter.finish(Accuracy::Exact));
        let types = keys::default_types(&counts).unwrap();
        let hashed = HashedKeys::new(counts, types).unwrap();
        let profile = hashed.profile(20);
        keys::key_report(&hashed, profile, 50, Weight::Rows, &CostModel::default())
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

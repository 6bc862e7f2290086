//! What a listing says, ready to draw: datasets with their skew, bars, calendar and curve.
//!
//! Made by the listing's task, a few times a second while it runs, never in a frame.

use std::sync::Arc;

use crate::base::Accuracy;
use crate::chart::{Axis, Calendar, Lorenz, PartitionBars, SizeHistogram};
use crate::profile::{CostModel, PartitionSkew, partition_skew};
use crate::storage::{DatasetKeys, Inventory, Layout, Partition, PartitionStats};

/// One dataset, ready to draw.
#[derive(Debug, Clone)]
pub struct ListedDataset {
    pub keys: DatasetKeys,
    pub skew: PartitionSkew,
    /// One per partition and missing date, in order: also the rows of the tree.
    pub bars: PartitionBars,
    pub calendar: Calendar,
    pub sizes: SizeHistogram,
    pub lorenz: Lorenz,
    /// Axis and median of files per partition.
    pub files_axis: Axis,
    pub median_files: f64,
    pub n_files: u64,
}

/// A listing so far, or a whole one.
#[derive(Debug, Clone, Default)]
pub struct Listed {
    pub datasets: Vec<ListedDataset>,
    pub n_files: u64,
    pub accuracy: Accuracy,
}

impl Listed {
    /// Measures what is listed so far.
    pub fn new(inventory: &Inventory, is_complete: bool) -> Arc<Self> {
        let datasets = inventory
            .datasets()
            .filter(|keys| !keys.partitions.is_empty())
            .map(ListedDataset::new)
            .collect();
        let n_files = inventory.n_files();
        Arc::new(Self {
            datasets,
            n_files,
            accuracy: if is_complete {
                Accuracy::Exact
            } else {
                Accuracy::Partial { n: n_files }
            },
        })
    }

    /// The dataset with this prefix, or the one that a person most likely came for: the one with most files.
    pub fn dataset(&self, prefix: &str) -> Option<&ListedDataset> {
        self.datasets
            .iter()
            .find(|dataset| dataset.keys.prefix == prefix)
            .or_else(|| self.datasets.iter().max_by_key(|dataset| dataset.n_files))
    }
}

impl ListedDataset {
    fn new(keys: &DatasetKeys) -> Self {
        let skew = partition_skew(keys, &CostModel::default());
        Self {
            bars: PartitionBars::new(keys, &skew),
            calendar: Calendar::new(keys, &skew),
            sizes: SizeHistogram::new(keys),
            lorenz: Lorenz::new(keys),
            files_axis: Axis::count(
                keys.partitions
                    .values()
                    .map(|stats| stats.n_files)
                    .max()
                    .unwrap_or(0),
            ),
            median_files: median(keys.partitions.values().map(|stats| stats.n_files).collect()),
            n_files: keys.n_files(),
            keys: keys.clone(),
            skew,
        }
    }

    pub fn stats(&self, partition: &Partition) -> Option<&PartitionStats> {
        self.keys.partitions.get(partition)
    }

    /// The folder name without its slash; the root has none.
    pub fn name(&self) -> &str {
        self.keys.prefix.trim_end_matches('/')
    }

    /// `days`, `hours` or `partitions`, in the plural.
    pub fn unit(&self) -> &'static str {
        match self.keys.partitions.keys().next() {
            Some(Partition::Day(_)) => "days",
            Some(Partition::Hour(..)) => "hours",
            _ => "partitions",
        }
    }

    /// A partition as the dataset's own keys write it.
    pub fn partition_label(&self, partition: &Partition) -> String {
        match (&self.keys.layout, partition) {
            (Layout::DatePath, Partition::Day(date)) => date.format("%Y/%m/%d").to_string(),
            (Layout::HourPath, Partition::Hour(date, hour)) => {
                format!("{}/{hour:02}", date.format("%Y/%m/%d"))
            }
            (_, Partition::Whole) => "all files".to_owned(),
            _ => partition.to_string(),
        }
    }
}

fn median(mut values: Vec<u64>) -> f64 {
    values.sort_unstable();
    let middle = values.len() / 2;
    let at = |index: usize| values.get(index).copied().unwrap_or(0) as f64;
    if values.len().is_multiple_of(2) {
        f64::midpoint(at(middle.saturating_sub(1)), at(middle))
    } else {
        at(middle)
    }
}

#[cfg(test)]
mod tests {
    use super::median;

    #[test]
    fn the_median_of_an_even_number_lies_between_the_middle_two() {
        assert!((median(vec![9, 1, 4]) - 4.0).abs() < 1e-9);
        assert!((median(vec![1, 4, 9, 5]) - 4.5).abs() < 1e-9);
        assert!(median(Vec::new()).abs() < 1e-9);
    }
}

//! What a listing says, ready to draw: datasets with their skew, bars, calendar and curve.
//!
//! Made by the listing's task, a few times a second while it runs, never in a frame.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use super::partitions::Pictures;
use crate::base::Accuracy;
use crate::chart::{Calendar, Lorenz, PartitionBars, SizeHistogram, Treemap};
use crate::explore::RowPlan;
use crate::profile::{CostModel, PartitionSkew, RowCount, SplitForecast, partition_skew};
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
    pub n_files: u64,
    /// One pass by partitions and by bytes.
    pub split: SplitForecast,
    /// What counting rows would cost.
    pub row_plan: RowPlan,
    /// All rows; none while they were not counted.
    pub rows: Option<RowCount>,
    pub(super) pictures: Pictures,
}

/// A listing so far, or a whole one.
#[derive(Debug, Clone, Default)]
pub struct Listed {
    pub datasets: Vec<ListedDataset>,
    pub n_files: u64,
    pub accuracy: Accuracy,
    /// Prefixes of all datasets.
    pub treemap: Treemap,
    /// What the listing was added up in, once it has ended: it names the keys of a partition.
    pub inventory: Option<Arc<Inventory>>,
    /// A number that no other listing of this process has.
    pub stamp: u64,
}

impl Listed {
    /// Measures what is listed so far below `place`.
    pub fn new(place: &str, inventory: &Inventory, is_complete: bool) -> Arc<Self> {
        static NEXT: AtomicU64 = AtomicU64::new(1);
        let keys = || inventory.datasets().filter(|keys| !keys.partitions.is_empty());
        let costs = CostModel::default();
        let n_files = inventory.n_files();
        Arc::new(Self {
            datasets: keys().map(|keys| ListedDataset::new(keys, &costs)).collect(),
            treemap: Treemap::new(place, keys()),
            inventory: is_complete.then(|| Arc::new(inventory.clone())),
            stamp: NEXT.fetch_add(1, Ordering::Relaxed),
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
    /// Everything that a chart or a finding needs, by these assumptions.
    pub fn new(keys: &DatasetKeys, costs: &CostModel) -> Self {
        let skew = partition_skew(keys, costs);
        Self {
            bars: PartitionBars::new(keys, &skew),
            calendar: Calendar::new(keys, &skew),
            sizes: SizeHistogram::new(keys),
            lorenz: Lorenz::new(keys),
            split: SplitForecast::new(keys.partitions.values(), costs),
            row_plan: RowPlan::new(keys),
            rows: None,
            pictures: Pictures::default(),
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

    /// What a picture of it says it is of: `raw, 2020-01-01 to 2020-01-14, from the listing`.
    pub fn picture_note(&self) -> String {
        let dates = self
            .keys
            .dates()
            .filter(|(first, last)| first != last)
            .map(|(first, last)| format!("{first} to {last}"));
        let name = Some(self.name().to_owned()).filter(|name| !name.is_empty());
        let parts = [name, dates, Some("from the listing".to_owned())];
        parts.into_iter().flatten().collect::<Vec<_>>().join(", ")
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

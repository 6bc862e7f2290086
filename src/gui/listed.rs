//! What a listing says, ready to draw: datasets with their skew, bars, calendar and curve.
//!
//! Made by the listing's task, a few times a second while it runs, never in a frame.

use std::collections::BTreeMap;
use std::sync::Arc;

use chrono::NaiveDate;

use crate::base::Accuracy;
use crate::chart::{Bar, Calendar, CalendarDay, PartitionBars};
use crate::profile::{CostModel, FindingCode, PartitionSkew, partition_skew};
use crate::storage::{DatasetKeys, Inventory, Layout, Partition, PartitionStats};

/// One dataset, ready to draw.
#[derive(Debug, Clone)]
pub struct ListedDataset {
    pub keys: DatasetKeys,
    pub skew: PartitionSkew,
    /// One per partition and missing date, in order: also the rows of the tree.
    pub bars: PartitionBars,
    pub calendar: Calendar,
    /// Share of bytes held by the smallest shares of partitions, from (0, 0) to (1, 1).
    pub lorenz: Vec<(f32, f32)>,
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
        let bars = bars(keys, &skew);
        let calendar = calendar(&bars);
        let stats = || keys.partitions.values();
        Self {
            lorenz: lorenz(stats().map(|stats| stats.n_bytes).collect()),
            n_files: stats().map(|stats| stats.n_files).sum(),
            keys: keys.clone(),
            skew,
            bars,
            calendar,
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

/// One bar per partition and missing date.
fn bars(keys: &DatasetKeys, skew: &PartitionSkew) -> PartitionBars {
    let has = |code: FindingCode, partition: &Partition| {
        skew.findings
            .iter()
            .any(|finding| finding.code == code && finding.partition.as_ref() == Some(partition))
    };
    let mut bars: Vec<Bar> = keys
        .partitions
        .values()
        .map(|stats| Bar {
            label: bar_label(&stats.partition),
            n_bytes: Some(stats.n_bytes),
            n_files: stats.n_files,
            is_spike: has(FindingCode::PartitionSpike, &stats.partition),
            has_tiny_files: has(FindingCode::TinyFiles, &stats.partition),
            partition: stats.partition.clone(),
        })
        .collect();
    bars.extend(skew.missing.iter().map(|date| Bar {
        partition: Partition::Day(*date),
        label: bar_label(&Partition::Day(*date)),
        n_bytes: None,
        n_files: 0,
        is_spike: false,
        has_tiny_files: false,
    }));
    bars.sort_by(|a, b| (a.partition.date(), &a.partition).cmp(&(b.partition.date(), &b.partition)));
    PartitionBars {
        median_bytes: skew.metrics.median_bytes as f64,
        max_bytes: bars.iter().filter_map(|bar| bar.n_bytes).max().unwrap_or(0),
        bars,
    }
}

fn bar_label(partition: &Partition) -> String {
    match partition {
        Partition::Day(date) => date.format("%d").to_string(),
        Partition::Hour(_, hour) => format!("{hour:02}"),
        Partition::Whole => "all".to_owned(),
        Partition::Keys(keys) => keys.last().map(|(_, value)| value.clone()).unwrap_or_default(),
    }
}

/// Days with the sum of their partitions.
fn calendar(bars: &PartitionBars) -> Calendar {
    let mut days: BTreeMap<NaiveDate, CalendarDay> = BTreeMap::new();
    for bar in &bars.bars {
        let Some(date) = bar.partition.date() else {
            continue;
        };
        let day = days.entry(date).or_insert(CalendarDay {
            date,
            n_bytes: None,
            n_files: 0,
            level: 0.0,
            is_spike: false,
        });
        if let Some(n_bytes) = bar.n_bytes {
            *day.n_bytes.get_or_insert(0) += n_bytes;
        }
        day.n_files += bar.n_files;
        day.is_spike |= bar.is_spike;
    }
    let max = days.values().filter_map(|day| day.n_bytes).max().unwrap_or(0);
    let mut days: Vec<_> = days.into_values().collect();
    for day in &mut days {
        day.level = share(day.n_bytes.unwrap_or(0), max).sqrt();
    }
    Calendar { days }
}

/// The Lorenz curve. Source: M. O. Lorenz, 1905.
fn lorenz(mut bytes: Vec<u64>) -> Vec<(f32, f32)> {
    bytes.sort_unstable();
    let total: u64 = bytes.iter().sum();
    let n = bytes.len() as u64;
    let mut sum = 0;
    let mut points = vec![(0.0, 0.0)];
    for (i, value) in bytes.into_iter().enumerate() {
        sum += value;
        points.push((share(i as u64 + 1, n), share(sum, total)));
    }
    points
}

#[allow(
    clippy::cast_possible_truncation,
    reason = "a share is drawn, a few digits are enough"
)]
fn share(part: u64, whole: u64) -> f32 {
    if whole == 0 {
        0.0
    } else {
        (part as f64 / whole as f64) as f32
    }
}

#[cfg(test)]
mod tests {
    use super::lorenz;

    #[test]
    fn an_even_lake_has_a_straight_lorenz_curve_and_an_empty_one_a_point() {
        assert_eq!(lorenz(vec![5, 5]), [(0.0, 0.0), (0.5, 0.5), (1.0, 1.0)]);
        assert_eq!(lorenz(vec![9, 1]), [(0.0, 0.0), (0.5, 0.1), (1.0, 1.0)]);
        assert_eq!(lorenz(Vec::new()), [(0.0, 0.0)]);
    }
}

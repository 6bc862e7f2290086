//! Partitions by their load: far above the median, too few to compare, or even.

use super::{FLOOR_BYTES, FLOOR_PARTITIONS, FLOOR_SECONDS, MIN_PARTITIONS, noun};
use crate::base::units;
use crate::profile::{CostModel, Finding, FindingCode, Severity, SkewMetrics, formulas, has_tiny_files};
use crate::storage::{DatasetKeys, Partition, PartitionStats};

/// From this multiple of the median on, a partition is a spike; from the second on, a bad one.
///
/// Source: AQE's skewed partition factor 5; 3 is Skewer's own early warning.
const SPIKE: f64 = 3.0;
const BAD_SPIKE: f64 = 5.0;

/// The partitions far above the median, and all others.
pub(super) fn split_spikes<'a>(
    dataset: &'a DatasetKeys,
    metrics: &SkewMetrics,
) -> (Vec<&'a PartitionStats>, Vec<&'a PartitionStats>) {
    let is_spike = |stats: &&PartitionStats| {
        dataset.partitions.len() >= MIN_PARTITIONS
            && metrics.median_bytes > 0
            && stats.n_bytes as f64 >= SPIKE * metrics.median_bytes as f64
    };
    dataset.partitions.values().partition(is_spike)
}

/// What helps against a partition far above the median. Message, severity and what can be done about it follow from it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SpikeRemedy {
    /// Nothing: the other tasks take longer, or it is read in no time.
    Leave,
    /// Fewer files: it is a crowd of tiny ones, and requests are what takes long.
    Merge,
    /// Tasks of equal bytes.
    Split,
}

impl SpikeRemedy {
    /// Of a partition of a dataset with these figures.
    pub fn of(stats: &PartitionStats, metrics: &SkewMetrics, costs: &CostModel) -> Self {
        let costs = costs.checked();
        if !Load::of(stats, metrics, &costs).delays() || is_small(stats, &costs) {
            Self::Leave
        } else if has_tiny_files(stats) {
            Self::Merge
        } else {
            Self::Split
        }
    }
}

/// Below the floor of bytes and of time.
fn is_small(stats: &PartitionStats, costs: &CostModel) -> bool {
    stats.n_bytes < FLOOR_BYTES && costs.seconds(stats.n_bytes, stats.n_files) < FLOOR_SECONDS
}

/// Seconds of one task that reads a partition, and of all data shared evenly by the slots.
#[derive(Debug, Clone, Copy)]
struct Load {
    own: f64,
    even: f64,
}

impl Load {
    fn of(stats: &PartitionStats, metrics: &SkewMetrics, costs: &CostModel) -> Self {
        Self {
            own: costs.seconds(stats.n_bytes, stats.n_files),
            even: costs.shared(costs.seconds(metrics.n_bytes, metrics.n_files)),
        }
    }

    /// Whether the others wait for it.
    fn delays(self) -> bool {
        self.own > self.even
    }
}

/// Seconds that the middle partition takes, of those that hold bytes.
pub(super) fn median_seconds(dataset: &DatasetKeys, costs: &CostModel) -> f64 {
    let held = dataset.partitions.values().filter(|stats| stats.n_bytes > 0);
    let mut each: Vec<f64> = held
        .map(|stats| costs.seconds(stats.n_bytes, stats.n_files))
        .collect();
    each.sort_unstable_by(f64::total_cmp);
    each.get(each.len() / 2).copied().unwrap_or(0.0)
}

/// A partition far above the median: how much longer it takes than the others, and whether anyone waits for it.
pub(super) fn spike(
    stats: &PartitionStats,
    dataset: &DatasetKeys,
    metrics: &SkewMetrics,
    costs: &CostModel,
    median_seconds: f64,
) -> Finding {
    let noun = noun(dataset);
    let ratio = stats.n_bytes as f64 / metrics.median_bytes as f64;
    let load = Load::of(stats, metrics, costs);
    let is_small = is_small(stats, costs);
    let has_few = dataset.partitions.len() < FLOOR_PARTITIONS;
    // What delays nothing is harmless, however large: more slots may change that.
    let severity = if is_small || has_few || !load.delays() {
        Severity::Note
    } else if ratio >= BAD_SPIKE {
        Severity::Bad
    } else {
        Severity::Warn
    };
    let matters = if load.delays() {
        format!(
            "One task per {noun} would run {:.1} × as long on it as on the middle one: wall time {:.1} × the even split \
             over {} slots.",
            load.own / median_seconds,
            load.own / load.even,
            costs.slots
        )
    } else {
        format!(
            "With {} slots the other tasks take longer than it does, so it delays nothing.",
            costs.slots
        )
    };
    let floor = match (load.delays(), is_small, has_few) {
        (false, _, _) | (true, false, false) => String::new(),
        (true, true, _) => " Small in absolute terms, so this is a note.".to_owned(),
        (true, false, true) => {
            format!(
                " Of fewer than {FLOOR_PARTITIONS} {noun}s no one is unusual for sure, so this is a note."
            )
        }
    };
    Finding {
        code: FindingCode::PartitionSpike,
        partition: Some(stats.partition.clone()),
        until: None,
        severity,
        title: format!(
            "{} holds {} of all bytes",
            stats.partition,
            units::percent(stats.n_bytes as f64 / metrics.n_bytes.max(1) as f64)
        ),
        message: format!(
            "{} has {}, {ratio:.1} × the median {noun} ({}). {matters}{floor}",
            stats.partition,
            units::bytes(stats.n_bytes),
            units::bytes(metrics.median_bytes)
        ),
        remedy: remedy_text(stats, SpikeRemedy::of(stats, metrics, costs), load, noun, costs),
        cost_seconds: (load.own - load.even).max(0.0),
        cost_requests: 0,
    }
}

fn remedy_text(
    stats: &PartitionStats,
    remedy: SpikeRemedy,
    load: Load,
    noun: &str,
    costs: &CostModel,
) -> String {
    match remedy {
        SpikeRemedy::Leave if !load.delays() => {
            "Leave it, unless many more slots are to read it at once.".to_owned()
        }
        SpikeRemedy::Leave => format!(
            "Leave it: one task reads it in {}, too little to be worth a split.",
            units::seconds(load.own)
        ),
        SpikeRemedy::Merge => format!(
            "Merge its {}: {} of its time goes into requests.",
            units::plural(stats.n_files, "file"),
            units::percent(costs.request_seconds(stats.n_files) / load.own)
        ),
        SpikeRemedy::Split => format!(
            "Split this {noun} by bytes, not by {}.",
            if noun == "partition" { "key" } else { "date" }
        ),
    }
}

/// Says of data without partitions, or with one or two, that there is nothing to compare.
pub(super) fn few_partitions(dataset: &DatasetKeys) -> Option<Finding> {
    let mut partitions = dataset.partitions.values();
    let only = match (partitions.next(), partitions.next(), partitions.next()) {
        (Some(only), None, None) => only,
        (Some(first), Some(second), None) if first.n_bytes + second.n_bytes > 0 => {
            return Some(two_partitions(first, second));
        }
        _ => return None,
    };
    let (title, remedy) = match only.partition {
        Partition::Whole => (
            "The keys name no partitions".to_owned(),
            "Open a folder whose keys name dates (2020/01/31, 2020-01-31 or day=2020-01-31) or key=value.",
        ),
        _ => (format!("{} is the only partition", only.partition), ""),
    };
    let message = format!(
        "{title}: {} in {} have nothing to be compared with, so no skew can be told.",
        units::bytes(only.n_bytes),
        units::plural(only.n_files, "file")
    );
    Some(Finding::free(
        FindingCode::FewPartitions,
        Severity::Note,
        title,
        message,
        remedy,
    ))
}

fn two_partitions(first: &PartitionStats, second: &PartitionStats) -> Finding {
    let title = "There are only two partitions".to_owned();
    let message = format!(
        "{title}: {} with {} and {} with {}. Of two, neither is the usual one, so no skew can be told.",
        first.partition,
        units::bytes(first.n_bytes),
        second.partition,
        units::bytes(second.n_bytes)
    );
    Finding::free(FindingCode::FewPartitions, Severity::Note, title, message, "")
}

/// Says of the partitions that are no spikes that they are even: harmless is a finding too.
pub(super) fn even(
    others: &[&PartitionStats],
    has_spikes: bool,
    dataset: &DatasetKeys,
    costs: &CostModel,
) -> Option<Finding> {
    let mut loads: Vec<u64> = others
        .iter()
        .map(|stats| stats.n_bytes)
        .filter(|bytes| *bytes > 0)
        .collect();
    if loads.len() < MIN_PARTITIONS {
        return None;
    }
    loads.sort_unstable();
    let ratio = formulas::max_over_median(&loads)?;
    let nouns = format!("{}s", noun(dataset));
    let title = if has_spikes {
        format!("Other {nouns} vary by {ratio:.1} ×")
    } else {
        format!("The {nouns} are even")
    };
    let seconds = |stats: &&PartitionStats| costs.seconds(stats.n_bytes, stats.n_files);
    let longest = others.iter().map(seconds).fold(0.0, f64::max);
    let even = others.iter().map(seconds).sum::<f64>() / f64::from(costs.slots.max(1));
    let why = if longest <= even {
        "Harmless: the longest takes less than the total divided by slots."
    } else {
        "Harmless: below 3 × the median."
    };
    Some(Finding {
        code: FindingCode::EvenPartitions,
        partition: None,
        until: None,
        severity: Severity::Good,
        title,
        message: format!(
            "The largest of {} {nouns} is {ratio:.1} × their median. {why}",
            units::count(loads.len() as u64)
        ),
        remedy: String::new(),
        cost_seconds: 0.0,
        cost_requests: 0,
    })
}

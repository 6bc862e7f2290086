//! Partitions by their load: far above the median, too few to compare, or even.

use super::{FLOOR_BYTES, FLOOR_PARTITIONS, FLOOR_SECONDS, MIN_PARTITIONS, Seen, n_listed, noun};
use crate::base::units;
use crate::profile::cost::Pieces;
use crate::profile::file_sizes::excess_files;
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
    let all = dataset.partitions.values();
    all.partition(|stats| SpikeRemedy::is_spike(stats, dataset, metrics))
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
    /// Other files: a compressed one, which one task reads whole, takes most of its time.
    Rewrite,
}

impl SpikeRemedy {
    /// Of a partition of a dataset with these figures.
    pub fn of(stats: &PartitionStats, metrics: &SkewMetrics, costs: &CostModel) -> Self {
        let costs = costs.checked();
        let load = Load::of(stats, metrics, &costs);
        if !load.delays() || is_small(stats, &costs) {
            Self::Leave
        } else if load.is_one_file(stats, &costs) {
            Self::Rewrite
        } else if has_tiny_files(stats) {
            Self::Merge
        } else if Pieces::of(stats, &costs).n > 1.0 {
            Self::Split
        } else {
            Self::Leave
        }
    }

    /// Whether a partition is far above the median of its dataset.
    pub fn is_spike(stats: &PartitionStats, dataset: &DatasetKeys, metrics: &SkewMetrics) -> bool {
        dataset.partitions.len() >= MIN_PARTITIONS
            && metrics.median_bytes > 0
            && stats.n_bytes as f64 >= SPIKE * metrics.median_bytes as f64
    }

    /// Seconds of the longest task that is left of a partition after this.
    fn seconds_after(self, stats: &PartitionStats, load: Load, costs: &CostModel) -> f64 {
        match self {
            Self::Leave => load.own,
            Self::Merge => costs.seconds(stats.n_bytes, stats.n_files - excess_files(stats)),
            Self::Split => Pieces::of(stats, costs).longest_seconds,
            Self::Rewrite => Pieces::of_plain(stats, costs).longest_seconds,
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

    /// Whether a file that cannot be split keeps a split by bytes from saving half of what it otherwise would.
    fn is_one_file(self, stats: &PartitionStats, costs: &CostModel) -> bool {
        let (pieces, plain) = (Pieces::of(stats, costs), Pieces::of_plain(stats, costs));
        let saved = |pieces: Pieces| self.own - pieces.longest_seconds.max(self.even);
        pieces.longest_seconds > plain.longest_seconds && saved(pieces) * 2.0 < saved(plain)
    }
}

/// Seconds of wall time that mending each of the spikes saves, the one of most seconds first.
///
/// Those that run at the same time save a second only together, so they share it: the sum is what the one of most seconds
/// saves.
///
/// Source: Littlechild and Owen, "A simple expression for the Shapley value in a special case", 1973 (the airport game).
fn saved_seconds<'a>(
    spikes: &[&'a PartitionStats],
    metrics: &SkewMetrics,
    costs: &CostModel,
) -> Vec<(&'a PartitionStats, f64)> {
    let alone = |stats: &PartitionStats| {
        let load = Load::of(stats, metrics, costs);
        let after = SpikeRemedy::of(stats, metrics, costs).seconds_after(stats, load, costs);
        (load.own - after.max(load.even)).max(0.0)
    };
    let mut saved: Vec<(&PartitionStats, f64)> = spikes.iter().map(|stats| (*stats, alone(stats))).collect();
    saved.sort_by(|(a, a_saves), (b, b_saves)| {
        let own = |stats: &PartitionStats| costs.seconds(stats.n_bytes, stats.n_files);
        b_saves.total_cmp(a_saves).then(own(b).total_cmp(&own(a)))
    });
    let (mut share, mut below) = (0.0, 0.0);
    for (n_above, (_, seconds)) in (1..=saved.len()).rev().zip(saved.iter_mut().rev()) {
        let step = (*seconds - below) / n_above as f64;
        below = *seconds;
        share += step;
        *seconds = share;
    }
    saved
}

/// The partitions far above the median one by one, and of many the rest as one.
pub(super) fn spikes(spikes: &[&PartitionStats], seen: &Seen<'_>) -> Vec<Finding> {
    let Seen {
        dataset,
        metrics,
        costs,
        ..
    } = *seen;
    let saved = saved_seconds(spikes, metrics, costs);
    let median_seconds = median_seconds(dataset, costs);
    let (first, rest) = saved.split_at(n_listed(saved.len()));
    let of_one = |(stats, cost_seconds): &(&PartitionStats, f64)| Finding {
        cost_seconds: *cost_seconds,
        ..spike(stats, dataset, metrics, costs, median_seconds)
    };
    let mut findings: Vec<Finding> = first.iter().map(of_one).collect();
    if let Some(largest) = rest.first() {
        let n_bytes: u64 = rest.iter().map(|(stats, _)| stats.n_bytes).sum();
        let title = format!(
            "{} more {}s are far above the median",
            units::count(rest.len() as u64),
            noun(dataset)
        );
        let worst = rest.iter().map(|saved| of_one(saved).severity).max();
        findings.push(Finding {
            cost_seconds: rest.iter().map(|(_, seconds)| seconds).sum(),
            ..Finding::free(
                FindingCode::PartitionSpike,
                worst.unwrap_or(Severity::Note),
                title.clone(),
                format!(
                    "{title}: they hold {} ({} of all bytes).",
                    units::bytes(n_bytes),
                    units::percent(n_bytes as f64 / metrics.n_bytes.max(1) as f64)
                ),
                of_one(largest).remedy,
            )
        });
    }
    findings
}

/// Seconds that the middle partition takes, of those that hold bytes.
fn median_seconds(dataset: &DatasetKeys, costs: &CostModel) -> f64 {
    let held = dataset.partitions.values().filter(|stats| stats.n_bytes > 0);
    let mut each: Vec<f64> = held
        .map(|stats| costs.seconds(stats.n_bytes, stats.n_files))
        .collect();
    each.sort_unstable_by(f64::total_cmp);
    each.get(each.len() / 2).copied().unwrap_or(0.0)
}

/// A partition far above the median, its cost yet to be told: how much longer it takes than the others, and whether anyone waits for it.
fn spike(
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
    let remedy = SpikeRemedy::of(stats, metrics, costs);
    let has_few = dataset.partitions.len() < FLOOR_PARTITIONS;
    // What delays nothing is harmless, however large: more slots may change that.
    let severity = if has_few || remedy == SpikeRemedy::Leave {
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
        remedy: remedy_text(stats, remedy, load, noun, costs),
        cost_seconds: 0.0,
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
        SpikeRemedy::Leave if !is_small(stats, costs) => {
            "Leave it: a split by bytes cuts pieces of 128 MB, and this is one.".to_owned()
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
        SpikeRemedy::Rewrite => format!(
            "Write this {noun} as {}, or as Parquet: one task reads its largest compressed file whole, in {}.",
            if stats.n_files == 1 {
                "several files"
            } else {
                "files of 128 MB to 1 GB"
            },
            units::seconds(costs.seconds(stats.max_compressed_bytes, 1))
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

/// The partition that takes far longer than others of as many bytes (`which`: "The days"), because it is read in so many more
/// requests.
fn slow_by_requests(
    others: &[&PartitionStats],
    which: &str,
    dataset: &DatasetKeys,
    costs: &CostModel,
) -> Option<Finding> {
    let seconds = |stats: &PartitionStats| costs.seconds(stats.n_bytes, stats.n_files);
    let slowest = *others.iter().max_by(|a, b| seconds(a).total_cmp(&seconds(b)))?;
    let own = seconds(slowest);
    let all: f64 = dataset.partitions.values().map(seconds).sum();
    let (even, median) = (costs.shared(all), median_seconds(dataset, costs));
    if own <= even || own < SPIKE * median {
        return None;
    }
    let excess = excess_files(slowest);
    let remedy = if excess > 0 {
        format!(
            "Compaction to {} leaves {} of it.",
            units::plural(slowest.n_files - excess, "file"),
            units::seconds(costs.seconds(slowest.n_bytes, slowest.n_files - excess))
        )
    } else {
        "Compaction: fewer and larger files take fewer requests.".to_owned()
    };
    let is_note = own < FLOOR_SECONDS || others.len() < FLOOR_PARTITIONS;
    Some(Finding {
        partition: Some(slowest.partition.clone()),
        cost_seconds: own - even,
        ..Finding::free(
            FindingCode::EvenPartitions,
            if is_note { Severity::Note } else { Severity::Warn },
            format!(
                "{which} are even in bytes, but {} takes {}",
                slowest.partition,
                units::seconds(own)
            ),
            format!(
                "{which} are even in bytes; {} takes {} for its requests: {} of {} on average, where the middle one takes {} \
                 and all together {} over {} slots.",
                slowest.partition,
                units::seconds(own),
                units::plural(slowest.n_files, "file"),
                units::bytes(slowest.average_file_bytes().unwrap_or(0)),
                units::seconds(median),
                units::seconds(even),
                costs.slots
            ),
            remedy,
        )
    })
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
    let which = format!("{} {nouns}", if has_spikes { "Other" } else { "The" });
    let slow = slow_by_requests(others, &which, dataset, costs);
    if slow.is_some() {
        return slow;
    }
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

//! The rules that turn a listing's figures into findings in words, each with its cost and a remedy.
//!
//! A rule is a ratio, an absolute floor and enough items; a ratio alone gives noise. Below the floor a finding is still
//! listed, as a note, so that small lakes are described too.

use chrono::{Days, NaiveDate};

use super::skew::has_tiny_files;
use super::{CostModel, Finding, FindingCode, Severity, SkewMetrics, formulas};
use crate::base::units;
use crate::storage::{DatasetKeys, Partition, PartitionStats};

/// From this multiple of the median on, a partition is a spike; from the second on, a bad one.
///
/// Source: AQE's skewed partition factor 5; 3 is Skewer's own early warning.
const SPIKE: f64 = 3.0;
const BAD_SPIKE: f64 = 5.0;
/// Floors: a spike under this size, or among fewer partitions, is a note.
const FLOOR_BYTES: u64 = 64_000_000;
const FLOOR_PARTITIONS: usize = 10;
/// Fewer partitions than this have no median worth comparing with.
const MIN_PARTITIONS: usize = 3;
/// Size of the files that compaction makes.
///
/// Source: Delta auto-compaction, Spark's `maxPartitionBytes`.
const TARGET_FILE_BYTES: u64 = 128_000_000;
/// Findings of one kind that are listed one by one; the rest are summed up.
const MAX_LISTED: usize = 10;

/// All findings of `dataset`, sorted by cost, then severity.
pub fn find(
    dataset: &DatasetKeys,
    metrics: &SkewMetrics,
    missing: &[NaiveDate],
    costs: &CostModel,
) -> Vec<Finding> {
    let (spikes, others) = split_spikes(dataset, metrics);
    let mut findings: Vec<Finding> = spikes
        .iter()
        .map(|stats| spike(stats, dataset, metrics, costs))
        .collect();
    findings.extend(tiny_files(dataset, costs));
    findings.extend(missing_runs(dataset, missing));
    findings.extend(empty(dataset));
    findings.extend(even(&others, !spikes.is_empty(), dataset, costs));
    findings.sort_by(|a, b| {
        let by_cost = b.cost_seconds.total_cmp(&a.cost_seconds);
        // What is good comes last, whatever it would cost.
        (a.severity == Severity::Good)
            .cmp(&(b.severity == Severity::Good))
            .then(by_cost)
            .then(b.severity.cmp(&a.severity))
    });
    findings
}

fn split_spikes<'a>(
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

/// The word for one partition of this dataset in a sentence.
fn noun(dataset: &DatasetKeys) -> &'static str {
    match dataset.partitions.keys().next() {
        Some(Partition::Day(_)) => "day",
        Some(Partition::Hour(..)) => "hour",
        _ => "partition",
    }
}

fn spike(stats: &PartitionStats, dataset: &DatasetKeys, metrics: &SkewMetrics, costs: &CostModel) -> Finding {
    let noun = noun(dataset);
    let ratio = stats.n_bytes as f64 / metrics.median_bytes as f64;
    let own = costs.seconds(stats.n_bytes, stats.n_files);
    let even = dataset
        .partitions
        .values()
        .map(|p| costs.seconds(p.n_bytes, p.n_files))
        .sum::<f64>()
        / f64::from(costs.slots.max(1));
    let by_ratio = if ratio >= BAD_SPIKE {
        Severity::Bad
    } else {
        Severity::Warn
    };
    let is_small = stats.n_bytes < FLOOR_BYTES || dataset.partitions.len() < FLOOR_PARTITIONS;
    let matters = if own > even {
        format!(
            "One task per {noun} would run {ratio:.1} × longer on it than on its neighbours: wall time {:.1} × the even \
             split over {} slots.",
            own / even,
            costs.slots
        )
    } else {
        format!(
            "With {} slots the other tasks take longer than it does, so it delays nothing.",
            costs.slots
        )
    };
    let floor = if is_small {
        " Small in absolute terms, so this is a note."
    } else {
        ""
    };
    Finding {
        code: FindingCode::PartitionSpike,
        partition: Some(stats.partition.clone()),
        until: None,
        severity: if is_small { Severity::Note } else { by_ratio },
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
        remedy: format!(
            "Split this {noun} by size, not by {}.",
            if noun == "partition" { "key" } else { "date" }
        ),
        cost_seconds: (own - even).max(0.0),
        cost_requests: 0,
    }
}

fn tiny_files(dataset: &DatasetKeys, costs: &CostModel) -> Vec<Finding> {
    let mut tiny: Vec<&PartitionStats> = dataset
        .partitions
        .values()
        .filter(|stats| has_tiny_files(stats))
        .collect();
    tiny.sort_by(|a, b| b.n_files.cmp(&a.n_files).then(a.partition.cmp(&b.partition)));
    let rest = if tiny.len() > MAX_LISTED {
        tiny.split_off(MAX_LISTED - 1)
    } else {
        Vec::new()
    };
    let mut findings: Vec<Finding> = tiny
        .into_iter()
        .map(|stats| tiny_partition(stats, costs))
        .collect();
    if let (Some(first), Some(last)) = (rest.first(), rest.last()) {
        let excess: u64 = rest.iter().map(|stats| excess_files(stats)).sum();
        let n_files: u64 = rest.iter().map(|stats| stats.n_files).sum();
        let n_rest = rest.len() as u64;
        findings.push(Finding {
            code: FindingCode::TinyFiles,
            partition: None,
            until: None,
            severity: Severity::Warn,
            title: format!("{} more partitions are tiny files", units::count(n_rest)),
            message: format!(
                "{} more partitions hold {} files that average under 3 MB, between {} and {} each.",
                units::count(n_rest),
                units::count(n_files),
                units::count(last.n_files),
                units::count(first.n_files)
            ),
            remedy: format!("Compaction saves {} requests a read.", units::count(excess)),
            cost_seconds: costs.request_seconds(excess) / f64::from(costs.slots.max(1)),
            cost_requests: excess,
        });
    }
    findings
}

/// Files beyond those that compaction would leave.
fn excess_files(stats: &PartitionStats) -> u64 {
    let wanted = ((stats.n_bytes + TARGET_FILE_BYTES / 2) / TARGET_FILE_BYTES).max(1);
    stats.n_files.saturating_sub(wanted)
}

fn tiny_partition(stats: &PartitionStats, costs: &CostModel) -> Finding {
    let excess = excess_files(stats);
    let average = units::bytes(stats.n_bytes / stats.n_files.max(1));
    let n_files = units::count(stats.n_files);
    Finding {
        code: FindingCode::TinyFiles,
        partition: Some(stats.partition.clone()),
        until: None,
        severity: if excess >= 10_000 {
            Severity::Bad
        } else {
            Severity::Warn
        },
        title: format!("{} is {n_files} files of {average}", stats.partition),
        message: format!(
            "{} takes {n_files} requests for {}: files of {average} on average, where 128 MB and more read well.",
            stats.partition,
            units::bytes(stats.n_bytes)
        ),
        remedy: format!(
            "Compaction to {} saves {} requests a read.",
            units::plural(stats.n_files - excess, "file"),
            units::count(excess)
        ),
        cost_seconds: costs.request_seconds(excess) / f64::from(costs.slots.max(1)),
        cost_requests: excess,
    }
}

/// Consecutive missing dates are one finding; a dataset that lacks most of its dates is described once.
fn missing_runs(dataset: &DatasetKeys, missing: &[NaiveDate]) -> Vec<Finding> {
    let n_present = dataset
        .partitions
        .keys()
        .filter_map(Partition::date)
        .collect::<std::collections::BTreeSet<_>>()
        .len();
    let (Some(first), Some(last)) = (missing.first(), missing.last()) else {
        return Vec::new();
    };
    let runs = runs_of(missing);
    if missing.len() >= n_present || runs.len() > MAX_LISTED {
        return vec![Finding {
            code: FindingCode::MissingDate,
            partition: Some(Partition::Day(*first)),
            until: Some(Partition::Day(*last)),
            severity: if missing.len() >= n_present {
                Severity::Note
            } else {
                Severity::Warn
            },
            title: format!("{} dates have no objects", units::count(missing.len() as u64)),
            message: format!(
                "Between the first and the last date {} of {} dates have no objects, from {first} to {last}.",
                units::count(missing.len() as u64),
                units::count((missing.len() + n_present) as u64)
            ),
            remedy:
                "If the data do not come every day, this is as it should be; else look for late or lost days."
                    .to_owned(),
            cost_seconds: 0.0,
            cost_requests: 0,
        }];
    }
    runs.into_iter()
        .map(|(first, last)| missing_run(dataset, first, last))
        .collect()
}

fn runs_of(missing: &[NaiveDate]) -> Vec<(NaiveDate, NaiveDate)> {
    let mut runs: Vec<(NaiveDate, NaiveDate)> = Vec::new();
    for date in missing {
        match runs.last_mut() {
            Some((_, last)) if last.succ_opt() == Some(*date) => *last = *date,
            _ => runs.push((*date, *date)),
        }
    }
    runs
}

fn missing_run(dataset: &DatasetKeys, first: NaiveDate, last: NaiveDate) -> Finding {
    let is_one = first == last;
    let n_files = |date: Option<NaiveDate>| -> Option<u64> {
        let date = date?;
        let of_day = dataset
            .partitions
            .values()
            .filter(|stats| stats.partition.date() == Some(date));
        Some(of_day.map(|stats| stats.n_files).sum())
    };
    let neighbours = [
        first.checked_sub_days(Days::new(1)),
        last.checked_add_days(Days::new(1)),
    ]
    .map(n_files);
    let evidence = match neighbours {
        [Some(before), Some(after)] => format!("The days beside hold {before} and {after} files."),
        _ => String::new(),
    };
    let dates = if is_one {
        first.to_string()
    } else {
        format!("{first} to {last}")
    };
    let verb = if is_one { "has" } else { "have" };
    Finding {
        code: FindingCode::MissingDate,
        partition: Some(Partition::Day(first)),
        until: (!is_one).then_some(Partition::Day(last)),
        severity: Severity::Warn,
        title: format!("{dates} {verb} no objects"),
        message: format!("{dates} {verb} no objects. {evidence} Missing, or late.").replace("  ", " "),
        remedy: "Ask the producer, or mark the gap as expected; a run reports it as `no_data`.".to_owned(),
        cost_seconds: 0.0,
        cost_requests: 0,
    }
}

fn empty(dataset: &DatasetKeys) -> Vec<Finding> {
    let empty: Vec<&PartitionStats> = dataset
        .partitions
        .values()
        .filter(|stats| stats.n_files > 0 && stats.n_bytes == 0)
        .collect();
    let of_one = |stats: &&PartitionStats| Finding {
        code: FindingCode::EmptyPartition,
        partition: Some(stats.partition.clone()),
        until: None,
        severity: Severity::Warn,
        title: format!("{} holds no bytes", stats.partition),
        message: format!(
            "{} has {} of 0 bytes.",
            stats.partition,
            units::plural(stats.n_files, "file")
        ),
        remedy: "The writer may have failed after it made its files: look at its log for this partition."
            .to_owned(),
        cost_seconds: 0.0,
        cost_requests: 0,
    };
    let n_listed = if empty.len() > MAX_LISTED {
        MAX_LISTED - 1
    } else {
        empty.len()
    };
    let mut findings: Vec<Finding> = empty.iter().take(n_listed).map(of_one).collect();
    let rest = empty.get(n_listed..).unwrap_or_default();
    if let (Some(first), Some(last)) = (rest.first(), rest.last()) {
        let n_rest = units::count(rest.len() as u64);
        findings.push(Finding {
            partition: None,
            title: format!("{n_rest} more partitions hold no bytes"),
            message: format!(
                "{n_rest} more partitions, from {} to {}, have files of 0 bytes only.",
                first.partition, last.partition
            ),
            remedy:
                "The writer may have failed after it made its files: look at its log for these partitions."
                    .to_owned(),
            ..of_one(first)
        });
    }
    findings
}

/// Says of the partitions that are no spikes that they are even: harmless is a finding too.
fn even(
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

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use chrono::NaiveDate;

    use crate::profile::{CostModel, Finding, FindingCode, Severity, partition_skew};
    use crate::storage::{DatasetKeys, Layout, Partition, PartitionStats};

    /// Days of January 2020 as (day, files, bytes).
    fn lake(days: &[(u32, u64, u64)]) -> DatasetKeys {
        let stats = |&(day, n_files, n_bytes): &(u32, u64, u64)| {
            let partition = Partition::Day(NaiveDate::from_ymd_opt(2020, 1, day).unwrap());
            (
                partition.clone(),
                PartitionStats {
                    partition,
                    n_files,
                    n_bytes,
                    ..PartitionStats::default()
                },
            )
        };
        DatasetKeys {
            layout: Layout::DatePath,
            partitions: days.iter().map(stats).collect::<BTreeMap<_, _>>(),
            ..DatasetKeys::default()
        }
    }

    fn findings(days: &[(u32, u64, u64)]) -> Vec<Finding> {
        partition_skew(&lake(days), &CostModel::default()).findings
    }

    fn codes(findings: &[Finding]) -> Vec<FindingCode> {
        findings.iter().map(|finding| finding.code).collect()
    }

    #[test]
    fn the_spike_the_gap_and_the_tiny_files_are_named_and_the_rest_is_harmless() {
        let mut days: Vec<(u32, u64, u64)> = (1..=14)
            .filter(|day| *day != 6)
            .map(|day| (day, 12, 440_000))
            .collect();
        days[7] = (9, 14, 5_300_000);
        days[9] = (11, 412, 450_000);
        let found = findings(&days);
        let named: Vec<String> = found
            .iter()
            .filter_map(|finding| Some(format!("{:?} {}", finding.code, finding.partition.as_ref()?)))
            .collect();
        for expected in [
            "PartitionSpike 2020-01-09",
            "TinyFiles 2020-01-11",
            "MissingDate 2020-01-06",
        ] {
            assert!(
                named.iter().any(|name| name == expected),
                "{expected} not in {named:?}"
            );
        }
        assert_eq!(found.last().unwrap().code, FindingCode::EvenPartitions);
        let spike = found
            .iter()
            .find(|finding| finding.code == FindingCode::PartitionSpike)
            .unwrap();
        assert_eq!(spike.severity, Severity::Note, "5.3 MB is below the floor");
        assert!(
            spike.message.contains("12.0 × the median day"),
            "{}",
            spike.message
        );
        assert_eq!(spike.title, "2020-01-09 holds 50% of all bytes");
    }

    #[test]
    fn above_the_floor_a_spike_is_bad_and_costs_what_the_even_split_would_save() {
        let mut days: Vec<(u32, u64, u64)> = (1..=12).map(|day| (day, 10, 100_000_000)).collect();
        days[4].2 = 2_000_000_000;
        let found = findings(&days);
        let spike = &found[0];
        assert_eq!(
            (spike.code, spike.severity),
            (FindingCode::PartitionSpike, Severity::Bad)
        );
        // 2 GB at 50 MB/s and 10 requests: 40.3 s; all of it over 16 slots: (3.1 GB / 50 MB/s + 120 * 0.03 s) / 16.
        assert!(
            (spike.cost_seconds - (40.3 - (62.0 + 3.6) / 16.0)).abs() < 1e-9,
            "{}",
            spike.cost_seconds
        );
    }

    #[test]
    fn consecutive_gaps_are_one_finding_and_weekly_data_are_described_once() {
        let found = findings(&[
            (1, 9, 100),
            (2, 9, 100),
            (5, 9, 100),
            (6, 9, 100),
            (7, 9, 100),
            (9, 9, 100),
        ]);
        let gaps: Vec<&str> = found
            .iter()
            .filter(|f| f.code == FindingCode::MissingDate)
            .map(|f| f.title.as_str())
            .collect();
        assert_eq!(
            gaps,
            [
                "2020-01-03 to 2020-01-04 have no objects",
                "2020-01-08 has no objects"
            ]
        );
        let weekly = findings(&[(1, 9, 100), (8, 9, 100), (15, 9, 100), (22, 9, 100)]);
        let gaps: Vec<&Finding> = weekly
            .iter()
            .filter(|f| f.code == FindingCode::MissingDate)
            .collect();
        assert_eq!((gaps.len(), gaps[0].severity), (1, Severity::Note));
    }

    #[test]
    fn little_or_no_data_gives_no_alarm() {
        assert_eq!(findings(&[]), []);
        assert_eq!(findings(&[(1, 3, 900)]), []);
        assert_eq!(
            codes(&findings(&[(1, 2, 0), (2, 1, 0)])),
            [FindingCode::EmptyPartition; 2]
        );
        assert_eq!(codes(&findings(&[(1, 1, 10), (2, 1, 1000)])), []);
    }

    #[test]
    fn many_days_of_tiny_files_are_summed_up() {
        let days: Vec<(u32, u64, u64)> = (1..=31).map(|day| (day, 50_000, 650_000_000)).collect();
        let found = findings(&days);
        let tiny: Vec<&Finding> = found
            .iter()
            .filter(|f| f.code == FindingCode::TinyFiles)
            .collect();
        assert_eq!(tiny.len(), 10);
        assert_eq!(
            tiny.iter().map(|f| f.cost_requests).sum::<u64>(),
            31 * (50_000 - 5)
        );
    }

    #[test]
    fn empty_days_beyond_the_listed_ones_are_counted() {
        let days: Vec<(u32, u64, u64)> = (1..=31).map(|day| (day, 2, u64::from(day > 25))).collect();
        let found = findings(&days);
        let empty: Vec<&Finding> = found
            .iter()
            .filter(|f| f.code == FindingCode::EmptyPartition)
            .collect();
        assert_eq!(empty.len(), 10);
        let rest = empty.iter().find(|f| f.partition.is_none()).unwrap();
        assert_eq!(rest.title, "16 more partitions hold no bytes");
        assert!(
            rest.message.contains("2020-01-10 to 2020-01-25"),
            "{}",
            rest.message
        );
    }
}

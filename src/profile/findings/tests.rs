//! Each rule fires, does not fire, and keeps to its floors.

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
    assert_eq!(codes(&findings(&[(1, 3, 900)])), [FindingCode::FewPartitions]);
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

//! Severity, message, remedy and figures of a finding agree with each other, and what a listing lacks is told once.

use super::tests::{codes, lake, only, series};
use crate::profile::{
    CostModel, Finding, FindingCode, Metric, PartitionSkew, Severity, SpikeRemedy, SplitForecast,
    partition_skew,
};
use crate::storage::testing::{dataset, hour};
use crate::storage::{Inventory, Object};

/// Remedy in a word, severity, message and remedy of the only spike of a lake.
fn spike_of(days: &[(u32, u64, u64)]) -> (SpikeRemedy, Finding) {
    let (dataset, costs) = (lake(days), CostModel::default());
    let skew = partition_skew(&dataset, &costs);
    let spike = only(&skew.findings, FindingCode::PartitionSpike);
    let stats = &dataset.partitions[spike.partition.as_ref().unwrap()];
    (SpikeRemedy::of(stats, &skew.metrics, &costs), spike)
}

#[test]
fn severity_message_and_remedy_of_a_spike_say_the_same() {
    let days = |n: u32, n_files: u64, n_bytes: u64| -> Vec<(u32, u64, u64)> {
        (1..=n).map(|day| (day, n_files, n_bytes)).collect()
    };
    let with = |mut days: Vec<(u32, u64, u64)>, n_files: u64, n_bytes: u64| {
        (days[4].1, days[4].2) = (n_files, n_bytes);
        spike_of(&days)
    };
    // 2 GB in ten files: bytes take the time.
    let (remedy, spike) = with(days(12, 10, 100_000_000), 10, 2_000_000_000);
    assert_eq!((remedy, spike.severity), (SpikeRemedy::Split, Severity::Bad));
    assert_eq!(spike.remedy, "Split this day by bytes, not by date.");
    // As many bytes in 20,000 files: requests do.
    let (remedy, spike) = with(days(12, 10, 100_000_000), 20_000, 2_000_000_000);
    assert_eq!((remedy, spike.severity), (SpikeRemedy::Merge, Severity::Bad));
    assert_eq!(
        spike.remedy,
        "Merge its 20,000 files: 94% of its time goes into requests."
    );
    // Below 64 MB, yet 20 minutes of requests: no note.
    let (remedy, spike) = with(days(12, 10, 1_000_000), 40_000, 40_000_000);
    assert_eq!((remedy, spike.severity), (SpikeRemedy::Merge, Severity::Bad));
    // Small, and the others wait for it: nothing worth doing.
    let (remedy, spike) = with(days(12, 1, 1_000_000), 1, 20_000_000);
    assert_eq!((remedy, spike.severity), (SpikeRemedy::Leave, Severity::Note));
    assert!(
        spike.message.contains("Small in absolute terms"),
        "{}",
        spike.message
    );
    assert!(
        spike.remedy.contains("one task reads it in 430 ms"),
        "{}",
        spike.remedy
    );
    // Large, but sixteen slots take longer for the rest.
    let (remedy, spike) = with(days(31, 10, 1_000_000_000), 10, 4_000_000_000);
    assert_eq!((remedy, spike.severity), (SpikeRemedy::Split, Severity::Warn));
    // Of few partitions none is unusual for sure; what is said of it is not that it is small.
    let (_, spike) = with(days(6, 10, 100_000_000), 10, 2_000_000_000);
    assert_eq!(spike.severity, Severity::Note);
    assert!(
        spike
            .message
            .ends_with("Of fewer than 10 days no one is unusual for sure, so this is a note."),
        "{}",
        spike.message
    );
}

#[test]
fn a_spike_that_delays_nothing_is_a_note_to_be_left() {
    let dataset = series(200, |i| if i == 100 { 9_000_000_000 } else { 1_500_000_000 });
    let costs = CostModel::default();
    let skew = partition_skew(&dataset, &costs);
    let spike = only(&skew.findings, FindingCode::PartitionSpike);
    assert_eq!((spike.severity, spike.cost_seconds), (Severity::Note, 0.0));
    assert!(
        spike.message.ends_with("so it delays nothing."),
        "{}",
        spike.message
    );
    assert!(spike.remedy.starts_with("Leave it"), "{}", spike.remedy);
    let stats = &dataset.partitions[spike.partition.as_ref().unwrap()];
    assert_eq!(SpikeRemedy::of(stats, &skew.metrics, &costs), SpikeRemedy::Leave);
    let many_slots = CostModel { slots: 400, ..costs };
    assert_eq!(
        SpikeRemedy::of(stats, &skew.metrics, &many_slots),
        SpikeRemedy::Split
    );
}

#[test]
fn few_tiny_files_a_day_are_one_finding_where_a_pass_asks_for_thousands() {
    let few: Vec<(u32, u64, u64)> = (1..=31).map(|day| (day, 30, 54_000)).collect();
    let skew = partition_skew(&lake(&few), &CostModel::default());
    // 930 files are told and counted, and cost little.
    let tiny = only(&skew.findings, FindingCode::TinyFiles);
    assert_eq!(
        (tiny.title.as_str(), tiny.severity),
        ("930 files under 3 MB cost little", Severity::Good)
    );
    assert!(tiny.message.contains("1.7 s"), "{}", tiny.message);
    let figures = |skew: &PartitionSkew| {
        let metrics = &skew.metrics;
        let (tiny, costly) = (metrics.n_tiny_files, metrics.n_costly_tiny_files);
        (tiny, costly, metrics.n_tiny_partitions)
    };
    assert_eq!(figures(&skew), (930, 0, 0));
    assert_eq!(skew.metrics.severity(Metric::TinyFiles), Severity::Good);
    let many: Vec<(u32, u64, u64)> = (1..=31).map(|day| (day, 60, 108_000)).collect();
    let skew = partition_skew(&lake(&many), &CostModel::default());
    let tiny = only(&skew.findings, FindingCode::TinyFiles);
    assert_eq!((tiny.partition.as_ref(), tiny.severity), (None, Severity::Warn));
    assert_eq!(tiny.title, "31 days are 1,860 files of 1.8 KB");
    assert_eq!(
        tiny.remedy,
        "Compaction inside each day saves 1,829 requests a read; partitions of a month would save up to 1,859."
    );
    assert_eq!(tiny.cost_requests, 1859);
    assert!((tiny.cost_seconds - 1859.0 * 0.03 / 16.0).abs() < 1e-9);
    assert_eq!(figures(&skew), (1860, 1860, 31));
    assert_eq!(skew.metrics.severity(Metric::TinyFiles), tiny.severity);
}

#[test]
fn missing_hours_are_one_finding_with_their_number_and_examples() {
    let hours = |is_there: &dyn Fn(u32, u8) -> bool| {
        let all = (1..=20).flat_map(|day| (0..24).map(move |hour| (day, hour)));
        let there = all.filter(|(day, hour)| is_there(*day, *hour));
        let dataset = dataset(there.map(|(day, at)| (hour(1, day, at), 1, 90_000_000)));
        partition_skew(&dataset, &CostModel::default())
    };
    let skew = hours(&|day, hour| !matches!((day, hour), (3, 4..=6) | (9, 0)));
    let found = only(&skew.findings, FindingCode::MissingHour);
    assert_eq!(
        (found.title.as_str(), found.severity),
        ("4 hours have no objects", Severity::Warn)
    );
    assert_eq!(
        found.message,
        "4 of 480 hours have no objects, on 2 dates that have others: 2020-01-03 04h to 06h, 2020-01-09 00h."
    );
    assert_eq!(skew.metrics.n_missing_hours, Some(4));
    assert_eq!(skew.metrics.severity(Metric::MissingDates), Severity::Warn);
    let many = hours(&|day, hour| (day + u32::from(hour)) % 3 > 0);
    let found = only(&many.findings, FindingCode::MissingHour);
    assert!(
        found.message.contains("such as 2020-01-01 02h, 2020-01-01 05h"),
        "{}",
        found.message
    );
    assert!(found.message.len() < 300, "{}", found.message);
    let whole = hours(&|_, hour| hour % 6 == 0);
    assert!(!codes(&whole.findings).contains(&FindingCode::MissingHour));
    assert_eq!(whole.metrics.n_missing_hours, Some(0));
}

#[test]
fn a_day_of_two_names_is_counted_once_and_named() {
    let mut inventory = Inventory::new(&"s3://lake/raw/".parse().unwrap());
    let object = |key: &str| Object {
        key: key.to_owned(),
        size: 500,
        modified: "2020-01-04T00:00:00Z".parse().unwrap(),
        etag: None,
    };
    let keys = [
        "dt=2020-01-02/a.jsonl",
        "dt=2020-01-03/a.jsonl",
        "dt=2020-01-04/a.jsonl",
        "dt=2020-1-3/b.jsonl",
    ];
    inventory.add(&keys.map(object));
    let dataset = inventory.datasets().next().unwrap();
    let skew = partition_skew(dataset, &CostModel::default());
    assert_eq!((skew.metrics.n_partitions, skew.metrics.n_missing_dates), (3, 0));
    let found = only(&skew.findings, FindingCode::SeveralNames);
    assert_eq!(
        (found.title.as_str(), found.severity),
        ("2020-01-03 has 2 names", Severity::Warn)
    );
    assert!(
        found
            .message
            .contains("`dt=2020-01-03/` and in `dt=2020-1-3/`. Its 2 files are counted once"),
        "{}",
        found.message
    );
    assert!(
        found
            .remedy
            .starts_with("Move the files of `dt=2020-1-3/` to `dt=2020-01-03/`"),
        "{}",
        found.remedy
    );
    let mut capitals = Inventory::new(&"s3://lake/raw/".parse().unwrap());
    capitals.add(
        &[
            "Year=2020/Month=01/Day=02/a.jsonl",
            "Year=2020/Month=01/Day=03/a.jsonl",
        ]
        .map(object),
    );
    let days: Vec<String> = capitals
        .datasets()
        .flat_map(|dataset| dataset.partitions.keys().map(ToString::to_string))
        .collect();
    assert_eq!(days, ["2020-01-02", "2020-01-03"]);
}

#[test]
fn a_spike_of_one_compressed_file_is_to_be_written_anew_and_costs_once() {
    let mut days: Vec<(u32, u64, u64)> = (1..=14).map(|day| (day, 1, 10_000_000)).collect();
    days[4].2 = 3_000_000_000;
    let (mut dataset, costs) = (lake(&days), CostModel::default());
    let stats = dataset.partitions.values_mut().nth(4).unwrap();
    stats.max_compressed_bytes = 3_000_000_000;
    (stats.n_unsplittable, stats.unsplittable_bytes) = (1, 3_000_000_000);
    let skew = partition_skew(&dataset, &costs);
    let spike = only(&skew.findings, FindingCode::PartitionSpike);
    assert!(
        spike
            .remedy
            .starts_with("Write this day as several files, or as Parquet"),
        "{}",
        spike.remedy
    );
    // 60.03 s alone, and all of 3.13 GB and 14 requests over 16 slots.
    let even = (62.6 + 14.0 * 0.03) / 16.0;
    let sum: f64 = skew.findings.iter().map(|finding| finding.cost_seconds).sum();
    assert!((sum - (60.03 - even)).abs() < 1e-6, "{sum}");
    only(&skew.findings, FindingCode::UnsplittableFiles);
}

#[test]
fn a_spike_that_is_one_piece_of_a_split_is_left_and_costs_nothing() {
    let mut days: Vec<(u32, u64, u64)> = (1..=12).map(|day| (day, 1, 10_000_000)).collect();
    (days[4].1, days[4].2) = (10, 100_000_000);
    let (remedy, spike) = spike_of(&days);
    assert_eq!(
        (remedy, spike.severity, spike.cost_seconds),
        (SpikeRemedy::Leave, Severity::Note, 0.0)
    );
    assert_eq!(
        spike.remedy,
        "Leave it: a split by bytes cuts pieces of 128 MB, and this is one."
    );
    let split = SplitForecast::new(lake(&days).partitions.values(), &CostModel::default());
    assert!(
        (split.by_partition_seconds - split.by_bytes_seconds).abs() < 1e-9,
        "{split:?}"
    );
}

#[test]
fn many_equal_spikes_are_summed_up_and_cost_no_more_than_the_pass() {
    let dataset = series(100, |i| {
        if i % 8 == 0 && i < 96 {
            2_000_000_000
        } else {
            10_000_000
        }
    });
    let costs = CostModel::default();
    let skew = partition_skew(&dataset, &costs);
    let of_code = |finding: &&Finding| finding.code == FindingCode::PartitionSpike;
    let spikes: Vec<&Finding> = skew.findings.iter().filter(of_code).collect();
    assert_eq!(spikes.len(), 10);
    let rest = spikes.iter().find(|finding| finding.partition.is_none()).unwrap();
    assert_eq!(rest.title, "3 more days are far above the median");
    let sum: f64 = spikes.iter().map(|finding| finding.cost_seconds).sum();
    let split = SplitForecast::new(dataset.partitions.values(), &costs);
    // 40.3 s of one of them, less what all data take over the slots.
    assert!(
        (sum - (40.3 - split.by_bytes_seconds)).abs() < 1e-6,
        "{sum} {split:?}"
    );
}

#[test]
fn days_that_are_even_in_bytes_and_not_in_requests_are_not_called_harmless() {
    let mut days: Vec<(u32, u64, u64)> = (1..=14).map(|day| (day, 1, 20_000_000)).collect();
    days[4].1 = 2000;
    let skew = partition_skew(&lake(&days), &CostModel::default());
    let slow = only(&skew.findings, FindingCode::EvenPartitions);
    assert_eq!(slow.severity, Severity::Warn);
    assert!(
        slow.message
            .starts_with("The days are even in bytes; 2020-01-05 takes")
            && slow.message.contains("for its requests"),
        "{}",
        slow.message
    );
    assert!(slow.remedy.starts_with("Compaction to 1 file"), "{}", slow.remedy);
    let even = (14.0 * 0.4 + 2013.0 * 0.03) / 16.0;
    assert!(
        (slow.cost_seconds - (60.4 - even)).abs() < 1e-6,
        "{}",
        slow.cost_seconds
    );
}

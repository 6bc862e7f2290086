//! Each rule fires, does not fire, and keeps to its floors.

use chrono::{DateTime, NaiveDate, Utc};
use proptest::prelude::*;

use crate::profile::{CostModel, Finding, FindingCode, Severity, partition_skew};
use crate::storage::testing::{dataset, days_from};
use crate::storage::{DatasetKeys, DateRange, Inventory, Lags, Object, Partition, PartitionStats};

/// Days of January 2020 as (day, files, bytes).
pub(super) fn lake(days: &[(u32, u64, u64)]) -> DatasetKeys {
    crate::storage::testing::january(days.iter().copied())
}

fn findings(days: &[(u32, u64, u64)]) -> Vec<Finding> {
    partition_skew(&lake(days), &CostModel::default()).findings
}

pub(super) fn codes(findings: &[Finding]) -> Vec<FindingCode> {
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
    let slow = only(&found, FindingCode::EvenPartitions);
    assert!(
        slow.title
            .starts_with("Other days are even in bytes, but 2020-01-11"),
        "{slow:?}"
    );
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
    assert!(spike.remedy.starts_with("Leave it"), "{}", spike.remedy);
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
        [FindingCode::EmptyPartition]
    );
    assert_eq!(
        codes(&findings(&[(1, 1, 10), (2, 1, 1000)])),
        [FindingCode::FewPartitions]
    );
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

#[test]
fn a_lake_without_a_byte_is_said_once() {
    let days: Vec<(u32, u64, u64)> = (1..=14).map(|day| (day, 2, 0)).collect();
    let found = findings(&days);
    assert_eq!(codes(&found), [FindingCode::EmptyPartition]);
    assert_eq!(found[0].title, "No partition holds a byte");
    assert!(
        found[0].message.starts_with(
            "All 14 partitions, from 2020-01-01 to 2020-01-14, have files of 0 bytes only, 28 files."
        ),
        "{}",
        found[0].message
    );
}

/// Findings of a listing as (key, size, days from the key's date to the last change).
fn listed(objects: &[(String, u64, i64)]) -> Vec<Finding> {
    let now: DateTime<Utc> = "2021-03-01T00:00:00Z".parse().unwrap();
    let root = "s3://lake/raw/".parse().unwrap();
    let mut inventory = Inventory::new(&root).listed_at(now, false);
    let objects: Vec<Object> = objects
        .iter()
        .map(|(key, size, lag)| {
            let date = NaiveDate::parse_from_str(&key[..10], "%Y/%m/%d").unwrap();
            Object {
                key: key.clone(),
                size: *size,
                modified: date.and_hms_opt(12, 0, 0).unwrap().and_utc() + chrono::Duration::days(*lag),
                etag: None,
            }
        })
        .collect();
    inventory.add(&objects);
    let dataset = inventory.datasets().next().cloned().unwrap_or_default();
    partition_skew(&dataset, &CostModel::default()).findings
}

/// `files` files a day of January 2020, each of 1 MB and written in time; `change` may alter them.
fn january(days: u32, files: u32, change: impl Fn(u32, u32) -> (&'static str, u64, i64)) -> Vec<Finding> {
    let mut objects = Vec::new();
    for day in 1..=days {
        for file in 0..files {
            let (ending, size, lag) = change(day, file);
            objects.push((format!("2020/01/{day:02}/{file}.{ending}"), size, lag));
        }
    }
    listed(&objects)
}

const USUAL: (&str, u64, i64) = ("jsonl", 1_000_000, 0);

#[track_caller]
pub(super) fn only(findings: &[Finding], code: FindingCode) -> Finding {
    let found: Vec<&Finding> = findings.iter().filter(|finding| finding.code == code).collect();
    assert_eq!(found.len(), 1, "{code:?} in {:?}", codes(findings));
    found[0].clone()
}

#[test]
fn a_lake_without_oddities_is_only_even() {
    let found = january(14, 5, |_, _| USUAL);
    assert_eq!(codes(&found), [FindingCode::EvenPartitions]);
}

#[test]
fn late_files_are_named_with_the_days_to_look_back() {
    let found = january(14, 5, |day, file| match (day, file) {
        (3, 0 | 1) => ("jsonl", 1_000_000, 12),
        _ => USUAL,
    });
    let late = only(&found, FindingCode::LateFiles);
    assert_eq!(late.title, "2020-01-03 has 2 late files");
    assert!(late.remedy.contains("lookback_days: 12"), "{}", late.remedy);
    let whole = january(
        14,
        5,
        |day, _| if day == 3 { ("jsonl", 1_000_000, 90) } else { USUAL },
    );
    let whole = only(&whole, FindingCode::LateFiles);
    assert_eq!(whole.title, "2020-01-03 was written late");
    // Further back than a job may look.
    let far = january(14, 5, |day, file| match (day, file) {
        (3, 0) => ("jsonl", 1_000_000, 400),
        _ => USUAL,
    });
    let far = only(&far, FindingCode::LateFiles);
    assert!(
        far.message.starts_with("1 file of 2020-01-03 was modified"),
        "{}",
        far.message
    );
    assert!(far.remedy.contains("--param day=2020-01-03"), "{}", far.remedy);
    let in_time = january(14, 5, |_, _| ("jsonl", 1_000_000, 7));
    assert!(!codes(&in_time).contains(&FindingCode::LateFiles));
}

#[test]
fn the_run_for_late_files_names_the_date_of_the_partition_and_names_it_once() {
    let mut countries = dataset([]);
    for (country, lag) in [("DE", 500), ("US", 400)] {
        let keys = format!("country={country},dt=2020-01-03");
        let partition: Partition = keys.try_into().unwrap();
        let date = partition.date().unwrap();
        let noon = date.and_hms_opt(12, 0, 0).unwrap().and_utc();
        let mut lags = Lags::default();
        for days in [0, 0, 0, lag] {
            lags.add(date, noon + chrono::Duration::days(days), None);
        }
        let stats = PartitionStats {
            partition: partition.clone(),
            n_files: 4,
            lags,
            ..PartitionStats::default()
        };
        countries.partitions.insert(partition, stats);
    }
    let found = partition_skew(&countries, &CostModel::default()).findings;
    let late: Vec<&str> = found
        .iter()
        .filter(|finding| finding.code == FindingCode::LateFiles)
        .map(|finding| finding.remedy.as_str())
        .collect();
    assert_eq!(late.len(), 2);
    assert!(
        late[0].contains("`skewer run JOB --param day=2020-01-03`"),
        "{late:?}"
    );
    assert_eq!(
        late[1],
        "The run that is named for 2020-01-03 reads these files too."
    );
}

#[test]
fn of_a_copied_lake_no_day_is_called_late() {
    let found = january(14, 5, |_, _| ("jsonl", 1_000_000, 200));
    let late = only(&found, FindingCode::LateFiles);
    assert_eq!((late.severity, late.partition), (Severity::Note, None));
    assert!(late.message.contains("100% of the files"), "{}", late.message);
}

#[test]
fn a_clock_that_is_wrong_is_said_and_not_counted_as_late() {
    let found = january(14, 5, |day, file| match (day, file) {
        (2, 0) => ("jsonl", 1_000_000, -3),
        (4, 0) => ("jsonl", 1_000_000, 900),
        _ => USUAL,
    });
    let clock = only(&found, FindingCode::ClockSkew);
    let expected = "1 file modified before its date began and 1 file modified in the future";
    assert!(clock.message.starts_with(expected), "{}", clock.message);
    assert!(!codes(&found).contains(&FindingCode::LateFiles));
}

#[test]
fn mixed_formats_and_codecs_are_named_and_one_format_by_two_names_is_none() {
    let parquet = january(14, 5, |day, file| {
        if (day, file) == (5, 2) {
            ("parquet", 1_000_000, 0)
        } else {
            USUAL
        }
    });
    let mixed = only(&parquet, FindingCode::MixedFormats);
    assert_eq!(
        (mixed.severity, mixed.title.as_str()),
        (Severity::Warn, "2020-01-05 mixes formats")
    );
    assert!(
        mixed.message.contains("69 .jsonl, 1 .parquet"),
        "{}",
        mixed.message
    );
    let codec = january(14, 5, |day, _| {
        if day > 7 {
            ("jsonl.gz", 1_000_000, 0)
        } else {
            USUAL
        }
    });
    let mixed = only(&codec, FindingCode::MixedFormats);
    assert_eq!(
        (mixed.severity, mixed.title.as_str()),
        (Severity::Note, "Formats change between partitions")
    );
    let names = january(
        14,
        5,
        |day, _| if day > 7 { ("ndjson", 1_000_000, 0) } else { USUAL },
    );
    assert!(!codes(&names).contains(&FindingCode::MixedFormats));
}

#[test]
fn compressed_files_over_a_gigabyte_cost_what_one_task_waits_for() {
    let found = january(14, 5, |day, file| {
        if (day, file) == (5, 2) {
            ("jsonl.gz", 5_000_000_000, 0)
        } else {
            ("jsonl.gz", 1_000_000, 0)
        }
    });
    // The day is a spike, whose cost is told once: 100.23 s; all of 5.069 GB and 70 requests over 16 slots.
    let shared = (5_069_000_000.0 / 50e6 + 70.0 * 0.03) / 16.0;
    let spike = only(&found, FindingCode::PartitionSpike);
    assert!(
        (spike.cost_seconds - (100.23 - shared)).abs() < 1e-6,
        "{}",
        spike.cost_seconds
    );
    let gzip = only(&found, FindingCode::UnsplittableFiles);
    assert!(gzip.cost_seconds.abs() < 1e-9, "{}", gzip.cost_seconds);
    // Of two days none is a spike, so the file has a cost of its own: 100.03 s.
    let found = january(2, 5, |day, file| match (day, file) {
        (2, 2) => ("jsonl.gz", 5_000_000_000, 0),
        _ => ("jsonl.gz", 1_000_000, 0),
    });
    let gzip = only(&found, FindingCode::UnsplittableFiles);
    let shared = (5_009_000_000.0 / 50e6 + 10.0 * 0.03) / 16.0;
    assert!(
        (gzip.cost_seconds - (100.03 - shared)).abs() < 1e-6,
        "{}",
        gzip.cost_seconds
    );
    let plain = january(14, 5, |day, file| {
        if (day, file) == (5, 2) {
            ("jsonl", 5_000_000_000, 0)
        } else {
            USUAL
        }
    });
    assert!(
        !codes(&plain).contains(&FindingCode::UnsplittableFiles),
        "plain text is split at line ends"
    );
}

#[test]
fn empty_files_beside_others_cost_their_requests() {
    let found = january(14, 5, |day, file| {
        if (day, file) == (5, 2) {
            ("jsonl", 0, 0)
        } else {
            USUAL
        }
    });
    let empty = only(&found, FindingCode::ZeroByteFiles);
    assert_eq!((empty.cost_requests, empty.severity), (1, Severity::Note));
    assert_eq!(
        empty.message,
        "1 file of 0 bytes in 2020-01-05. A pass asks for them and gets nothing."
    );
    let many = january(14, 5, |_, file| if file == 2 { ("jsonl", 0, 0) } else { USUAL });
    assert_eq!(only(&many, FindingCode::ZeroByteFiles).severity, Severity::Warn);
}

#[test]
fn one_file_of_no_bytes_is_stated_plainly() {
    let found = listed(&[("2020/01/01/a.jsonl".to_owned(), 0, 0)]);
    assert_eq!(
        codes(&found),
        [FindingCode::EmptyPartition, FindingCode::FewPartitions]
    );
}

/// Days from 6 January 2020 on, a Monday, of these bytes.
pub(super) fn series(n: u32, bytes: impl Fn(u32) -> u64) -> DatasetKeys {
    let first = NaiveDate::from_ymd_opt(2020, 1, 6).unwrap();
    days_from(first, (0..n).map(|i| (10, bytes(i))))
}

#[test]
fn a_day_unlike_its_weekday_is_named_with_its_floor_and_a_spike_is_not_named_twice() {
    let weekly = |i: u32| if i % 7 >= 5 { 300_000_000 } else { 900_000_000 };
    let found = partition_skew(
        &series(84, |i| match i {
            20 => 900_000_000,
            30 => 9_000_000_000,
            _ => weekly(i),
        }),
        &CostModel::default(),
    )
    .findings;
    let outlier = only(&found, FindingCode::WeekdayOutlier);
    assert_eq!(outlier.title, "2020-01-26 holds far more than other Sundays");
    assert_eq!(outlier.severity, Severity::Warn);
    // 600 MB more at 50 MB/s over 16 slots.
    assert!(
        (outlier.cost_seconds - 0.75).abs() < 1e-9,
        "{}",
        outlier.cost_seconds
    );
    assert!(codes(&found).contains(&FindingCode::PartitionSpike));
    let small = partition_skew(
        &series(84, |i| if i == 20 { 900_000 } else { weekly(i) / 1000 }),
        &CostModel::default(),
    );
    assert_eq!(
        only(&small.findings, FindingCode::WeekdayOutlier).severity,
        Severity::Note
    );
}

#[test]
fn growth_is_named_where_it_is_a_trend() {
    let grown = partition_skew(
        &series(140, |i| 1_000_000 + 10_000 * u64::from(i)),
        &CostModel::default(),
    );
    let growth = only(&grown.findings, FindingCode::Growth);
    assert!(growth.title.starts_with("The days grow by "), "{}", growth.title);
    // 300 KB a month, from the 2.36 MB that the last week's days hold; from the 1.7 MB of the middle it would be 6 months.
    assert!(
        growth
            .message
            .ends_with("At this pace they double in 8 months from the last week's mean."),
        "{}",
        growth.message
    );
    let flat = partition_skew(
        &series(140, |i| 1_000_000 + u64::from(i % 3)),
        &CostModel::default(),
    );
    assert!(!codes(&flat.findings).contains(&FindingCode::Growth));
}

#[test]
fn a_dataset_without_partitions_says_so() {
    let dataset = dataset([(Partition::Whole, 3, 900)]);
    let found = partition_skew(&dataset, &CostModel::default());
    assert_eq!(codes(&found.findings), [FindingCode::FewPartitions]);
    assert_eq!(found.findings[0].title, "The keys name no partitions");
}

#[test]
fn two_partitions_have_no_usual_one_and_that_is_said() {
    let found = partition_skew(
        &series(2, |i| 1_000_000 * u64::from(i + 1)),
        &CostModel::default(),
    );
    assert_eq!(codes(&found.findings), [FindingCode::FewPartitions]);
    let message = &found.findings[0].message;
    assert!(
        message.contains("with 1.0 MB and") && message.contains("with 2.0 MB"),
        "{message}"
    );
}

#[test]
fn a_spike_of_many_files_is_timed_by_its_requests_and_told_to_merge_them() {
    let mut dataset = series(12, |_| 10_000_000);
    let last = dataset.partitions.values_mut().next_back().unwrap();
    (last.n_bytes, last.n_files) = (100_000_000, 1000);
    let usual = dataset.partitions.values().next().unwrap();
    let costs = CostModel::default();
    // 10 × the bytes, but 2 s of bytes and 30 s of requests against 0.2 s and a few requests.
    let ratio = costs.seconds(100_000_000, 1000) / costs.seconds(usual.n_bytes, usual.n_files);
    let found = partition_skew(&dataset, &costs);
    let spike = found
        .findings
        .iter()
        .find(|found| found.code == FindingCode::PartitionSpike)
        .unwrap();
    assert!(spike.message.contains("10.0 × the median"), "{}", spike.message);
    assert!(
        spike.message.contains(&format!("{ratio:.1} × as long")),
        "{ratio} {}",
        spike.message
    );
    assert!(
        spike.remedy.starts_with("Merge its 1,000 files"),
        "{}",
        spike.remedy
    );
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn any_listing_gives_finite_figures_in_order_of_cost(
        objects in proptest::collection::vec(
            (1_u32..29, 1_u32..13, 0_usize..4, prop_oneof![Just(0_u64), 1..10_000_000_u64, Just(u64::from(u32::MAX))], -400_i64..900),
            0..120,
        ),
        slots in 0_u32..50,
        speed in prop_oneof![Just(0.0), Just(f64::NAN), 1.0..1e9],
    ) {
        let objects: Vec<Object> = objects
            .iter()
            .enumerate()
            .map(|(i, (day, month, ending, size, lag))| {
                let ending = ["jsonl", "jsonl.gz", "parquet", "csv"][*ending];
                let date = NaiveDate::from_ymd_opt(2020, *month, *day).unwrap();
                Object {
                    key: format!("{}/{i}.{ending}", date.format("%Y/%m/%d")),
                    size: *size,
                    modified: date.and_hms_opt(0, 0, 0).unwrap().and_utc() + chrono::Duration::days(*lag),
                    etag: None,
                }
            })
            .collect();
        let root = "s3://lake/".parse().unwrap();
        let mut inventory = Inventory::new(&root).listed_at("2021-01-01T00:00:00Z".parse().unwrap(), false);
        inventory.add(&objects);
        let dataset = inventory.datasets().next().cloned().unwrap_or_default();
        let costs = CostModel { slots, bytes_per_second: speed, ..CostModel::default() };
        let skew = partition_skew(&dataset, &costs);
        for finding in &skew.findings {
            prop_assert!(finding.cost_seconds.is_finite() && finding.cost_seconds >= 0.0, "{finding:?}");
            for text in [&finding.title, &finding.message, &finding.remedy] {
                prop_assert!(!text.contains("NaN") && !text.contains("inf "), "{text}");
            }
        }
        let is_good = |finding: &Finding| finding.severity == Severity::Good;
        let costs_of: Vec<(bool, f64)> = skew.findings.iter().map(|f| (is_good(f), -f.cost_seconds)).collect();
        prop_assert!(costs_of.is_sorted(), "{costs_of:?}");
        let text = serde_json::to_string(&skew).unwrap();
        // What is no number would be written as null; a median of loads must be one.
        prop_assert!(!text.contains("\"cost_seconds\":null"));
        let half = dataset.within(DateRange { first: None, last: NaiveDate::from_ymd_opt(2020, 6, 30) });
        prop_assert!(half.n_bytes() <= dataset.n_bytes() && half.n_files() <= dataset.n_files());
    }
}

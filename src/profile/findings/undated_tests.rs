//! Names that say no date are stated with their files and bytes, whatever way they are written.

use super::tests::{codes, only};
use crate::profile::{CostModel, Finding, FindingCode, Severity, partition_skew};
use crate::storage::{Inventory, Object};

/// Findings of a lake of these keys, a kilobyte each.
fn findings(keys: &[&str]) -> Vec<Finding> {
    let mut inventory = Inventory::new(&"s3://lake/".parse().unwrap());
    let object = |key: &&str| Object {
        key: (*key).to_owned(),
        size: 1000,
        modified: "2020-01-04T00:00:00Z".parse().unwrap(),
        etag: None,
    };
    inventory.add(&keys.iter().map(object).collect::<Vec<_>>());
    let mut found = inventory
        .datasets()
        .map(|dataset| partition_skew(dataset, &CostModel::default()).findings);
    let first = found.next().unwrap();
    assert!(found.next().is_none(), "one dataset");
    first
}

fn with<'a>(keys: &[&'a str]) -> Vec<&'a str> {
    let days = [
        "raw/dt=2020-01-02/a.jsonl",
        "raw/dt=2020-01-03/a.jsonl",
        "raw/dt=2020-01-04/a.jsonl",
    ];
    [&days, keys].concat()
}

#[test]
fn a_date_that_is_none_is_named_with_its_files_bytes_and_remedy() {
    let found = findings(&with(&["raw/dt=2020-13-45/a.jsonl", "raw/dt=2020-13-45/b.jsonl"]));
    let invalid = only(&found, FindingCode::InvalidDate);
    assert_eq!(invalid.title, "dt=2020-13-45 is no date");
    assert_eq!(invalid.partition.as_ref().unwrap().to_string(), "dt=2020-13-45");
    assert_eq!(
        invalid.message,
        "`dt=2020-13-45` is no date: 1 partition with 2 files, 2.0 KB (40% of all bytes). Filters by date, ranges of dates and a \
         job's days pass over them, the calendar leaves them out, and engines that read the name as a date fail on it or give \
         null."
    );
    assert!(
        invalid.remedy.starts_with("Find the true date"),
        "{}",
        invalid.remedy
    );
    let many = findings(&with(&[
        "raw/dt=2020-02-30/a.jsonl",
        "raw/dt=2020-13-45/b.jsonl",
        "raw/dt=2020131/b.jsonl",
        "raw/dt=today/b.jsonl",
    ]));
    let many = only(&many, FindingCode::InvalidDate);
    assert_eq!(
        many.title,
        "dt=2020-02-30, dt=2020-13-45, dt=2020131 and 1 more are no dates"
    );
    assert_eq!(many.partition, None);
}

#[test]
fn years_months_days_and_hours_that_are_none_are_named_too() {
    let title = |keys: &[&str]| only(&findings(keys), FindingCode::InvalidDate).title;
    assert_eq!(
        title(&[
            "raw/year=2020/month=13/day=45/a.jsonl",
            "raw/year=2020/month=01/day=01/a.jsonl"
        ]),
        "day=45,month=13,year=2020 is no date"
    );
    assert_eq!(
        title(&[
            "raw/dt=2020-01-01/hour=24/a.jsonl",
            "raw/dt=2020-01-01/hour=23/a.jsonl"
        ]),
        "dt=2020-01-01,hour=24 is no hour"
    );
    assert_eq!(title(&["raw/dt=2020-13-45/a.jsonl"]), "dt=2020-13-45 is no date");
    let hour = findings(&[
        "raw/dt=2020-01-01/hour=25/a.jsonl",
        "raw/dt=2020-01-01/hour=23/a.jsonl",
    ]);
    let message = only(&hour, FindingCode::InvalidDate).message;
    let effect = "Filters by hour pass over them, while ranges of dates and a job's days include them with their date, and";
    assert!(message.contains(effect), "{message}");
}

#[test]
fn rows_without_a_value_of_the_partition_column_are_named() {
    let found = findings(&with(&["raw/dt=__HIVE_DEFAULT_PARTITION__/a.jsonl"]));
    assert!(!codes(&found).contains(&FindingCode::InvalidDate));
    let null = only(&found, FindingCode::NullPartition);
    assert_eq!(
        (null.title.as_str(), null.severity),
        ("1 file has no value of dt", Severity::Warn)
    );
    assert!(
        null.message
            .contains("1 partition with 1 file, 1.0 KB (25% of all bytes)")
            && null.message.contains("`IS NULL`, and so do ranges of dates"),
        "{}",
        null.message
    );
    // Of another column dates know nothing.
    let found = findings(&[
        "raw/country=DE/dt=2020-01-01/a.jsonl",
        "raw/country=__HIVE_DEFAULT_PARTITION__/dt=2020-01-01/a.jsonl",
    ]);
    let null = only(&found, FindingCode::NullPartition);
    assert!(null.message.ends_with("all but `IS NULL`."), "{}", null.message);
}

#[test]
fn files_beside_the_partitions_are_named_and_folders_that_look_like_dates_are_worse() {
    let found = findings(&[
        "raw/2020/01/01/a.jsonl",
        "raw/2020/01/02/a.jsonl",
        "raw/2020/13/45/a.jsonl",
        "raw/notes.jsonl",
    ]);
    let outside = only(&found, FindingCode::OutsidePartitions);
    assert_eq!(
        (outside.title.as_str(), outside.severity),
        ("2 files lie in no partition", Severity::Warn)
    );
    assert!(
        outside
            .message
            .contains("2.0 KB (50% of all bytes) lie beside the partitions, directly in its folder and in `2020/13/45/`. A folder"),
        "{}",
        outside.message
    );
}

#[test]
fn partitions_by_other_things_than_dates_are_no_wrong_dates() {
    for keys in [
        vec!["raw/country=DE/a.jsonl", "raw/country=US/a.jsonl"],
        vec!["raw/year=2020/month=01/a.jsonl", "raw/year=2020/month=02/a.jsonl"],
        vec!["raw/dt=20200131/a.jsonl", "raw/dt=20200201/a.jsonl"],
        vec!["raw/version=2020-1-9-2/a.jsonl", "raw/version=v2/a.jsonl"],
        vec!["raw/dt=2020-01-01/a.jsonl", "raw/country=DE/a.jsonl"],
        vec!["raw/notes/a.jsonl", "raw/a.jsonl"],
        with(&[]),
    ] {
        let found = codes(&findings(&keys));
        for code in [
            FindingCode::InvalidDate,
            FindingCode::NullPartition,
            FindingCode::OutsidePartitions,
        ] {
            assert!(!found.contains(&code), "{code:?} of {keys:?}");
        }
    }
}

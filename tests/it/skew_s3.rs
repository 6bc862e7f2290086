//! `skewer skew` on listings of S3: what times of change and etags tell, over several pages, and places that cannot be listed.

use std::process::{Command, Output};
use std::time::{Duration, SystemTime};

use chrono::{DateTime, Days, NaiveDate, Utc};
use serde_json::Value;

use crate::s3_memory::{MemoryS3, Op, SECRET};

const MB: u64 = 1_000_000;
const HOUR: Duration = Duration::from_hours(1);

fn skew(server: &MemoryS3, location: &str, access_key: Option<&str>) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_skewer"));
    command
        .args([
            "skew",
            location,
            "--json",
            "--path-style",
            "--region",
            "us-east-1",
        ])
        .args(["--endpoint", &server.endpoint])
        .env("AWS_EC2_METADATA_DISABLED", "true")
        .env("AWS_CONFIG_FILE", "/nonexistent")
        .env("AWS_SHARED_CREDENTIALS_FILE", "/nonexistent")
        .env_remove("AWS_PROFILE")
        .env_remove("AWS_ACCESS_KEY_ID");
    if let Some(key) = access_key {
        command
            .env("AWS_ACCESS_KEY_ID", key)
            .env("AWS_SECRET_ACCESS_KEY", SECRET);
    }
    command.output().unwrap()
}

/// Days of January 2020 with 120 files of 10 MB each, written six hours after their date began.
struct Lake {
    server: MemoryS3,
    n_keys: u32,
}

impl Lake {
    fn day(day: u32) -> NaiveDate {
        NaiveDate::from_ymd_opt(2020, 1, day).unwrap()
    }

    fn on(date: NaiveDate) -> SystemTime {
        let midnight: DateTime<Utc> = date.and_hms_opt(0, 0, 0).unwrap().and_utc();
        SystemTime::from(midnight) + 6 * HOUR
    }

    fn start(days: impl Iterator<Item = u32>) -> Self {
        let mut lake = Self {
            server: MemoryS3::start(),
            n_keys: 0,
        };
        for day in days {
            for file in 0..120 {
                lake.put(
                    day,
                    &format!("part-{file:04}.jsonl"),
                    10 * MB,
                    None,
                    Self::on(Self::day(day)),
                );
            }
        }
        lake
    }

    /// An object, whose etag is its own unless one is given.
    fn put(&mut self, day: u32, name: &str, size: u64, etag: Option<u128>, modified: SystemTime) {
        self.n_keys += 1;
        let key = format!("raw/2020/01/{day:02}/{name}");
        let etag = (etag.unwrap_or_else(|| u128::from(self.n_keys)), Some(3));
        self.server.put_listed(&key, size, etag, modified);
    }

    fn findings(&self) -> Vec<Value> {
        let output = skew(&self.server, "s3://lake/raw/", Some("client-a"));
        let said = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(0), "{said}");
        let answer: Value = serde_json::from_slice(&output.stdout).unwrap();
        answer["findings"].as_array().unwrap().clone()
    }
}

fn of_code<'a>(findings: &'a [Value], code: &str) -> Vec<&'a Value> {
    findings
        .iter()
        .filter(|finding| finding["code"] == code)
        .collect()
}

fn text<'a>(finding: &'a Value, key: &str) -> &'a str {
    finding[key].as_str().unwrap()
}

#[test]
fn equal_objects_of_two_days_are_found_over_pages_and_a_pair_is_named() {
    let mut lake = Lake::start((1..=10).filter(|day| *day != 9));
    let copied = Lake::on(Lake::day(9));
    for file in 0..30_u32 {
        // The same etag of an upload in parts, and the same size.
        let first = u128::from(7 * 120 + file + 1);
        lake.put(9, &format!("copy-{file:04}.jsonl"), 10 * MB, Some(first), copied);
        lake.put(9, &format!("other-{file:04}.jsonl"), 11 * MB, Some(first), copied);
        lake.put(9, &format!("empty-{file:04}.jsonl"), 0, Some(0), copied);
    }
    let findings = lake.findings();
    assert!(
        lake.server.tally().n(Op::ListObjects) > 1,
        "one page has no more than 1,000 keys"
    );
    let [found] = of_code(&findings, "duplicate_objects")[..] else {
        panic!("{findings:#?}")
    };
    assert_eq!(found["cost_requests"], 30);
    // 300 MB and 30 requests of 30 ms, over 16 slots of 50 MB/s.
    let cost = (300.0 / 50.0 + 30.0 * 0.03) / 16.0;
    assert!(
        (found["cost_seconds"].as_f64().unwrap() - cost).abs() < 1e-9,
        "{found}"
    );
    assert_eq!(found["partition"], "2020-01-09");
    let message = text(found, "message");
    for words in [
        "30 objects, 300 MB",
        "2020/01/08/part-0000.jsonl",
        "2020/01/09/copy-0000.jsonl",
    ] {
        assert!(message.contains(words), "{words}: {message}");
    }
}

#[test]
fn late_early_and_future_files_are_told_apart_with_the_lookback_a_job_needs() {
    let mut lake = Lake::start((1..=20).filter(|day| *day != 13));
    let weeks_after = Lake::on(Lake::day(5)) + 40 * 24 * HOUR;
    for file in 0..2 {
        lake.put(5, &format!("late-{file}.jsonl"), MB, None, weeks_after);
    }
    let early = Lake::on(Lake::day(6).checked_sub_days(Days::new(5)).unwrap());
    lake.put(6, "early.jsonl", MB, None, early);
    for file in 0..3 {
        lake.put(
            7,
            &format!("future-{file}.jsonl"),
            MB,
            None,
            SystemTime::now() + 24 * HOUR,
        );
    }
    lake.put(10, "odd.parquet", MB, None, Lake::on(Lake::day(10)));
    let findings = lake.findings();
    let [found] = of_code(&findings, "late_files")[..] else {
        panic!("{findings:#?}")
    };
    assert_eq!(
        (&found["partition"], text(found, "title")),
        (&"2020-01-05".into(), "2020-01-05 has 2 late files")
    );
    assert!(text(found, "message").contains("up to 40 days"), "{found}");
    assert!(text(found, "remedy").contains("lookback_days: 40"), "{found}");
    let [found] = of_code(&findings, "clock_skew")[..] else {
        panic!("{findings:#?}")
    };
    let message = text(found, "message");
    let expected = "1 file modified before its date began and 3 files modified in the future in 2 partitions";
    assert!(message.starts_with(expected), "{message}");
    let [found] = of_code(&findings, "missing_date")[..] else {
        panic!("{findings:#?}")
    };
    assert!(
        text(found, "message").contains("beside hold 120 and 120 files"),
        "{found}"
    );
    let [found] = of_code(&findings, "mixed_formats")[..] else {
        panic!("{findings:#?}")
    };
    assert_eq!(found["partition"], "2020-01-10");
    assert!(text(found, "message").contains("1 .parquet"), "{found}");
    assert!(of_code(&findings, "duplicate_objects").is_empty());
}

#[test]
fn a_lake_that_was_copied_later_has_no_late_files() {
    let mut lake = Lake::start(std::iter::empty());
    let copied = Lake::on(NaiveDate::from_ymd_opt(2020, 6, 1).unwrap());
    for day in 1..=12 {
        for file in 0..5 {
            lake.put(day, &format!("{file}.jsonl"), 10 * MB, None, copied);
        }
    }
    let findings = lake.findings();
    let [found] = of_code(&findings, "late_files")[..] else {
        panic!("{findings:#?}")
    };
    assert_eq!(
        (text(found, "severity"), text(found, "title")),
        ("note", "Late files cannot be told")
    );
}

#[test]
fn places_that_cannot_be_listed_are_told_with_what_to_do() {
    let lake = Lake::start(1..=1);
    for (location, access_key, words) in [
        ("s3://nowhere/raw/", Some("client-a"), ["nowhere", "bucket"]),
        ("s3://lake/raw/", Some("stranger"), ["s3://lake/", "credentials"]),
        (
            "s3://lake/raw/",
            None,
            ["no AWS credentials found", "aws sso login"],
        ),
    ] {
        let output = skew(&lake.server, location, access_key);
        let said = String::from_utf8(output.stderr).unwrap();
        assert_eq!(output.status.code(), Some(78), "{location}: {said}");
        assert!(output.stdout.is_empty());
        for word in words {
            assert!(
                said.contains(word),
                "{location} {access_key:?}: `{word}` is not in: {said}"
            );
        }
    }
    let output = skew(&lake.server, "s3://lake/other/", Some("client-a"));
    let said = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(2), "{said}");
    assert!(said.contains("no data files here"), "{said}");
}

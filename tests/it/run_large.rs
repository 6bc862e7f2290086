//! Runs of much data in little memory: large objects, many bytes behind few, and days that do not fit.

use std::fmt::Write as _;
use std::num::NonZeroUsize;
use std::ops::Range;
use std::path::PathBuf;
use std::time::Duration;

use skewer::base::{Cancel, Progress};
use skewer::job::Params;
use skewer::run::{RunOptions, exit, run};

use crate::run::{DAY, Lake, block_on, check_books, files_below, gzip, lines};

/// Records whose `word` makes them long.
fn long_lines(ids: Range<i64>, word: &str) -> String {
    ids.fold(String::new(), |mut text, id| {
        writeln!(text, "{{\"id\":{id},\"word\":\"{word}\"}}").unwrap();
        text
    })
}

#[test]
fn a_large_object_streams_through_small_memory_with_exact_line_numbers() {
    let lake = Lake::new();
    let n = 120_000;
    lake.raw("2020/01/02/a.jsonl", format!("{}broken\n", lines(0..n)));
    lake.raw("2020/01/02/b.jsonl", lines(n..n + 5));
    let options = RunOptions {
        memory: Some("8MiB".parse().unwrap()),
        n_threads: NonZeroUsize::new(2),
        ..RunOptions::default()
    };
    let report = lake.run_with(DAY, &options, &Cancel::new());
    check_books(&report);
    assert_eq!(lake.ids(DAY), (0..n + 5).collect::<Vec<_>>());
    assert_eq!(Lake::quarantine(&report)[0]["line"], n + 1);
}

#[test]
fn a_streamed_object_that_waits_for_its_turn_does_not_hold_up_the_small_ones_before_it() {
    let mut lake = Lake::new();
    lake.limits = "io_concurrency: 1".to_owned();
    let word = "w".repeat(1000);
    let n = 8000;
    for i in 0..4 {
        lake.raw(&format!("2020/01/02/a{i}.jsonl"), lines(i..i + 1));
    }
    let long = long_lines(4..n, &word);
    lake.raw("2020/01/02/z.jsonl", long);
    let options = RunOptions {
        memory: Some("64MiB".parse().unwrap()),
        n_threads: NonZeroUsize::new(8),
        ..RunOptions::default()
    };
    let cancel = Cancel::new();
    let (job, params) = (lake.job(), Params::parse(&[("day", DAY)]).unwrap());
    let progress = Progress::new();
    let report = block_on(async {
        let running = run(&job, &params, &options, &progress, &cancel);
        tokio::time::timeout(Duration::from_mins(1), running).await
    });
    check_books(&report.expect("the run stands still").unwrap());
    assert_eq!(lake.ids(DAY), (0..n).collect::<Vec<_>>());
}

#[test]
fn small_files_that_decompress_to_much_are_read_one_by_one_and_every_row_once() {
    let lake = Lake::new();
    let word = "w".repeat(20_000);
    let file = |from: i64| gzip(&long_lines(from..from + 400, &word));
    for i in 0..3 {
        lake.raw(&format!("2020/01/02/{i}.jsonl.gz"), file(i * 400));
    }
    let options = RunOptions {
        memory: Some("8MiB".parse().unwrap()),
        n_threads: NonZeroUsize::new(2),
        ..RunOptions::default()
    };
    let report = lake.run_with(DAY, &options, &Cancel::new());
    check_books(&report);
    assert_eq!(lake.ids(DAY), (0..1200).collect::<Vec<_>>());
}

#[test]
fn a_day_too_large_for_a_step_that_needs_it_whole_goes_through_files_and_gives_the_same() {
    let mut lake = Lake::new();
    lake.steps = "{dedupe: {columns: [id], keep: last}}, {filter: {where: id <> 7}}".to_owned();
    let n = 25_000;
    for (name, step) in [("a", 1), ("b", -1)] {
        let ids = (0..n).map(|i| if step == 1 { i } else { n - 1 - i });
        let text = ids.fold(String::new(), |mut text, id| {
            writeln!(text, "{{\"id\":{id},\"word\":\"{name} {id}\"}}").unwrap();
            text
        });
        lake.raw(&format!("2020/01/02/{name}.jsonl"), text);
    }
    let options = RunOptions {
        memory: Some("2MiB".parse().unwrap()),
        ..RunOptions::default()
    };
    let report = lake.run_with(DAY, &options, &Cancel::new());
    check_books(&report);
    // The last of each id is in the second file, which counts down.
    let expected: Vec<i64> = (0..n).rev().filter(|id| *id != 7).collect();
    assert_eq!(lake.ids(DAY), expected);
    let day = &report.partitions[0];
    assert_eq!((day.rows_merged, day.rows_filtered), (25_000, 1));
    assert!(!lake.path("out/_skewer/clicks/staging").exists());
}

#[test]
fn one_key_too_large_for_the_memory_is_refused_with_the_remedy() {
    let mut lake = Lake::new();
    lake.steps = "{dedupe: {columns: [word], keep: none}}".to_owned();
    lake.raw("2020/01/02/a.jsonl", long_lines(0..30_000, "same"));
    let options = RunOptions {
        memory: Some("1MiB".parse().unwrap()),
        ..RunOptions::default()
    };
    let report = lake.run_with(DAY, &options, &Cancel::new());
    let message = report.partitions[0].message.as_deref().unwrap();
    assert!(
        message.starts_with("step 1 `dedupe(word)` needs all rows with word = \"same\" together in memory"),
        "{message}"
    );
    assert!(message.contains("raise `limits.memory`"), "{message}");
    assert_eq!(report.exit_code, exit::USAGE);
    assert_eq!(files_below(&lake.path("out/clicks")), Vec::<PathBuf>::new());
    assert!(!lake.path("out/_skewer/clicks/staging").exists());
}

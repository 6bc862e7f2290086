//! Work that is stopped in the window: the button answers at once, what was computed stays with its badge, and starting
//! again works.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use egui::{Key, Modifiers};
use egui_kittest::kittest::Queryable as _;

use crate::desk::{Desk, desk};

/// Rows of a day: so many that reading them takes far longer than a few frames.
const N_ROWS: usize = 150_000;
const N_DAYS: usize = 4;

/// Days of many short rows with a key each, and a last day of a few.
fn long_lake(root: &Path) -> PathBuf {
    let raw = root.join("lake");
    for day in 1..=N_DAYS {
        let folder = raw.join(format!("2020/01/{day:02}"));
        std::fs::create_dir_all(&folder).unwrap();
        let mut lines = String::new();
        for i in 0..N_ROWS {
            writeln!(lines, r#"{{"id":{i},"user":"u{}","kind":"k{}"}}"#, i * day, i % 7).unwrap();
        }
        std::fs::write(folder.join("part-0.jsonl"), lines).unwrap();
    }
    raw
}

/// A window on the lake with the first day open.
fn opened() -> Desk {
    let folder = desk();
    let lake = long_lake(folder.path());
    let mut desk = Desk::open(folder, Some(&lake));
    desk.click_starting("2020/01/01 1 file");
    desk.wait_idle();
    desk
}

/// The number behind `partial: first`, of the first badge that has one.
fn partial(desk: &Desk) -> Option<usize> {
    let texts = desk.texts();
    let badge = texts
        .iter()
        .find_map(|label| label.split("partial: first ").nth(1))?;
    let digits: String = badge.chars().filter(char::is_ascii_digit).collect();
    digits.parse().ok()
}

#[test]
fn a_count_of_keys_that_is_stopped_stays_as_partial_and_is_counted_again() {
    let mut desk = opened();
    desk.click("Keys");
    desk.click("Add key…");
    desk.click("user");
    desk.click("Add key");
    desk.wait_idle();
    desk.click("all partitions");
    desk.click("Count keys");
    desk.click("Stop");
    desk.wait_idle();
    let n = partial(&desk).unwrap_or_else(|| panic!("{:#?}", desk.texts()));
    assert!(n < N_DAYS * N_ROWS, "{n}");
    assert!(!desk.has("The key cannot be told"), "a stop is no failure");
    // The button is there again, and a whole count takes the place of the part.
    desk.click("Count keys");
    desk.wait_idle();
    desk.wait_for("Simulated partitions");
    assert_eq!(partial(&desk), None, "{:#?}", desk.texts());
}

#[test]
fn a_profile_that_is_stopped_stays_as_partial_and_is_made_again() {
    let mut desk = opened();
    desk.harness.key_press_modifiers(Modifiers::COMMAND, Key::Num3);
    desk.harness.run_steps(4);
    desk.click("Profile 2020/01/01");
    desk.click("Stop");
    desk.wait_idle();
    let n = partial(&desk).unwrap_or_else(|| panic!("{:#?}", desk.texts()));
    assert!(n < N_ROWS, "{n}");
    // The tab has the same name, and stands before it.
    let again = desk.harness.query_all_by_label("Profile").last();
    again.expect("the button").click();
    desk.harness.run_steps(3);
    desk.wait_idle();
    desk.wait_for("profile of user");
    assert_eq!(partial(&desk), None, "{:#?}", desk.texts());
}

#[test]
fn a_schema_map_that_is_stopped_says_so_and_is_read_again() {
    let folder = desk();
    let raw = folder.path().join("lake");
    // Many days, each a little work.
    for day in 0..300 {
        let date = chrono::NaiveDate::from_ymd_opt(2020, 1, 1).unwrap() + chrono::Days::new(day);
        let below = raw.join(date.format("%Y/%m/%d").to_string());
        std::fs::create_dir_all(&below).unwrap();
        for file in 0..4 {
            let text = "{\"id\":1,\"user\":{\"name\":\"a\",\"tags\":[1,2]}}\n".repeat(250);
            std::fs::write(below.join(format!("{file}.jsonl")), text).unwrap();
        }
    }
    let mut desk = Desk::open(folder, Some(&raw));
    desk.wait_idle();
    desk.harness.key_press_modifiers(Modifiers::COMMAND, Key::Num3);
    desk.harness.run_steps(4);
    desk.click("Schema map");
    desk.click("Read the schema map");
    // The text before it grows with each partition, and moves it.
    desk.press("Stop reading");
    desk.wait_idle();
    assert!(partial(&desk).is_some(), "{:#?}", desk.texts());
    desk.click("Read again");
    desk.wait_for("in 300 partitions");
    desk.wait_idle();
    assert_eq!(partial(&desk), None, "{:#?}", desk.texts());
}

/// A log of `n` task ends, which are the bulk of every log.
fn long_log(path: &Path, n: usize) {
    let mut text = String::from(
        "{\"Event\":\"SparkListenerApplicationStart\",\"App Name\":\"long\",\"App ID\":\"app-1\",\"Timestamp\":1000}\n",
    );
    let padding = " ".repeat(1000);
    for task in 0..n {
        writeln!(
            text,
            "{{\"Event\":\"SparkListenerTaskEnd\",\"Stage ID\":{},\"Stage Attempt ID\":0,{padding}\"Task End Reason\":\
             {{\"Reason\":\"Success\"}},\"Task Info\":{{\"Task ID\":{task},\"Index\":{},\"Attempt\":0,\"Launch Time\":1000,\
             \"Executor ID\":\"1\",\"Host\":\"h\",\"Finish Time\":2000,\"Failed\":false,\"Killed\":false}},\
             \"Task Metrics\":{{\"Executor Run Time\":1000}}}}",
            task / 1000,
            task % 1000
        )
        .unwrap();
    }
    text.push_str("{\"Event\":\"SparkListenerApplicationEnd\",\"Timestamp\":900000}\n");
    std::fs::write(path, text).unwrap();
}

#[test]
fn a_log_whose_reading_is_stopped_is_told_as_far_as_it_was_read() {
    const N_TASKS: usize = 60_000;
    let folder = desk();
    let log = folder.path().join("app-20261120215001-0000");
    long_log(&log, N_TASKS);
    let mut desk = Desk::open(folder, Some(&log));
    // The bar shows that some of it was read.
    desk.wait_until("bytes of the log", |harness| {
        let read: Vec<_> = harness.query_all_by_label_contains(" read").collect();
        !read.is_empty() && harness.query_by_label_contains("0 B read").is_none()
    });
    desk.click("Cancel reading");
    desk.wait_idle();
    let n = partial(&desk).unwrap_or_else(|| panic!("{:#?}", desk.texts()));
    assert!(n > 0 && n < N_TASKS, "{n}");
    desk.wait_for("Note: partial: cancelled after");
}

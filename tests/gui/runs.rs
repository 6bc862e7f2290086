//! The Runs tab: a real event log by dialog and by argument, a stage in full, a damaged file, and a run of this session.

use std::path::Path;

use egui::{Key, Modifiers};

use crate::desk::{Desk, desk, lake};

const LOGS: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/it/eventlog");

#[test]
fn an_event_log_from_a_dialog_tells_its_findings_its_stages_and_the_charts_of_one() {
    let folder = desk();
    let lake = lake(folder.path());
    let mut desk = Desk::open(folder, Some(&lake));
    desk.harness.key_press_modifiers(Modifiers::COMMAND, Key::Num6);
    desk.wait_for("Open what ran");
    desk.answers.push(format!("{LOGS}/app-20261120215001-0000.lz4"));
    desk.click("Open event log…");
    desk.wait_for("Partition 4 holds 42% of the records in SortMergeJoin Inner by k");
    desk.wait_for("wall time: 28.2 s 3 stages");
    desk.wait_for("Stage 2: hot key, harmless · k");
    desk.wait_for("Stage 2: tasks by executor");
    desk.wait_for("Run time against data");
    desk.click("Stage 1: even");
    desk.wait_for("Stage 1: measures per task");
    desk.click("Sort by Tasks");
    desk.wait_idle();
}

#[test]
fn a_rolling_folder_is_opened_as_the_argument_and_what_is_no_log_says_so() {
    let folder = desk();
    let log = format!("{LOGS}/eventlog_v2_app-20261120215001-0000");
    let mut desk = Desk::open(folder, Some(Path::new(&log)));
    desk.wait_for("Partition 4 holds 42%");
    let data = desk.folder.path().join("rows.jsonl");
    std::fs::write(&data, "{\"a\":1}\n").unwrap();
    desk.answers.push(&data);
    desk.click("Open event log…");
    desk.wait_for("no Spark event among its 1 lines");
    desk.wait_for("Read again");
}

//! The Runs tab: a real event log by dialog, by its place and by argument, a stage and a task in full, two logs beside each
//! other, two runs of ours, and what cannot be read.

use std::path::{Path, PathBuf};

use egui::{Key, Modifiers};
use egui_kittest::kittest::Queryable as _;

use crate::desk::{Desk, desk, lake};

const LOGS: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/it/eventlog");

fn packed() -> String {
    format!("{LOGS}/app-20261120215001-0000.lz4")
}

fn show_runs(desk: &mut Desk) {
    desk.harness.key_press_modifiers(Modifiers::COMMAND, Key::Num6);
    desk.wait_for("Open what ran");
}

/// Puts `text` into the form's field, in place of what is there.
fn type_place(desk: &mut Desk, text: &str) {
    desk.wait_for("Location of the log");
    let field = (egui::accesskit::Role::TextInput, "Location of the log");
    desk.harness.get_by_role_and_label(field.0, field.1).focus();
    desk.harness.run_steps(2);
    desk.harness.key_press_modifiers(Modifiers::COMMAND, Key::A);
    desk.harness.run_steps(2);
    desk.type_text(text);
}

/// The real log as text, changed, as a file.
fn changed(folder: &Path, change: impl Fn(String) -> String) -> PathBuf {
    let part = |n: u32| {
        let name =
            format!("{LOGS}/eventlog_v2_app-20261120215001-0000/events_{n}_app-20261120215001-0000.zstd");
        String::from_utf8(zstd::decode_all(std::fs::read(name).unwrap().as_slice()).unwrap()).unwrap()
    };
    let path = folder.join("app-20261120215001-0001");
    std::fs::write(&path, change(format!("{}{}", part(1), part(2)))).unwrap();
    path
}

#[test]
fn an_event_log_from_a_dialog_tells_its_findings_its_stages_and_the_charts_of_one() {
    let folder = desk();
    let lake = lake(folder.path());
    let mut desk = Desk::open(folder, Some(&lake));
    show_runs(&mut desk);
    desk.answers.push(packed());
    desk.click("Choose file…");
    desk.wait_for("Partition 4 holds 42% of the records in SortMergeJoin Inner by k");
    desk.wait_for("wall time: 28.2 s 3 stages");
    desk.wait_for("Stage 2: hot key, harmless · k");
    desk.wait_for("Stage 2: tasks by executor");
    desk.wait_for("Run time against data");
    // What no task spilled is told too.
    desk.wait_for("spilled 0 B 0 B 0 B 0 B 0 B 0 B 0 B –");
    // The slowest task, in its row, in the charts and beside the middle one.
    desk.press("Partition 1 ran 4.2 s on executor 0");
    desk.wait_for("run time 4.2 s 281 ms 15.1 ×");
    desk.press("Close task");
    desk.wait_until("the task is closed", |_| true);
    assert!(!desk.has("run time 4.2 s 281 ms 15.1 ×"));
    // Executors of the stage, then of all stages.
    desk.wait_for("1 16 7.6 s");
    desk.press("all stages");
    desk.wait_until("the totals", |harness| {
        harness.query_all_by_label_contains("1 16 7.6 s").next().is_none()
    });
    desk.press("Stage 1: even");
    desk.wait_for("Stage 1: measures per task");
    desk.press("Sort by Tasks");
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
    desk.click("Open…");
    desk.click("Choose file…");
    desk.wait_for("its only line is no Spark event");
    desk.wait_for("Read again");
    // The log that could be read is offered again; the file that is none is not.
    desk.click("Open…");
    desk.wait_for(&format!("Recent log {log}"));
    assert!(
        !desk.has(&format!("Recent log {}", data.display())),
        "{:?}",
        desk.labels()
    );
    desk.click(&format!("Recent log {log}"));
    desk.wait_for("Partition 4 holds 42%");
}

#[test]
fn a_place_is_typed_and_remembered_and_one_that_is_wrong_is_told_in_the_form() {
    let folder = desk();
    let lake = lake(folder.path());
    let mut desk = Desk::open(folder, Some(&lake));
    show_runs(&mut desk);
    type_place(&mut desk, "s3://logs");
    desk.click("Open log");
    desk.wait_for("name the log below the bucket");
    type_place(&mut desk, "s3://logs/a");
    desk.wait_for("Reached with the credentials of the AWS chain");
    desk.click("Change connection…");
    desk.wait_for("Endpoint");
    type_place(&mut desk, &packed());
    desk.harness.key_press(Key::Enter);
    desk.wait_for("Partition 4 holds 42%");
    // A second window finds it among the last ones.
    let folder = desk.into_folder();
    let mut desk = Desk::open(folder, Some(&lake));
    show_runs(&mut desk);
    desk.click(&format!("Recent log {}", packed()));
    desk.wait_for("Partition 4 holds 42%");
}

#[test]
fn two_logs_stand_side_by_side_and_one_click_goes_back_to_the_open_one() {
    let folder = desk();
    let earlier = changed(folder.path(), |text| {
        text.replace(
            "\"spark.sql.shuffle.partitions\":\"24\"",
            "\"spark.sql.shuffle.partitions\":\"7\"",
        )
    });
    let mut desk = Desk::open(folder, Some(Path::new(&packed())));
    desk.wait_for("Partition 4 holds 42%");
    desk.click("Compare with…");
    type_place(&mut desk, &earlier.display().to_string());
    desk.click("Compare");
    desk.wait_for("Configuration that differs");
    desk.wait_for("spark.sql.shuffle.partitions 7 24");
    desk.wait_for("wall time: same 28.2 s → 28.2 s");
    desk.wait_for("Every stage has the verdict that it had before.");
    // One is a copy of the other, so which one is before is a guess; it is told, and can be swapped.
    desk.wait_for("Both began at the same time: the open one counts as after here.");
    desk.press("Swap before and after");
    desk.wait_for("spark.sql.shuffle.partitions 24 7");
    desk.wait_for("the open one counts as before here");
    desk.wait_for("Wall time of the stages");
    assert!(!desk.has("Findings, by cost"));
    desk.press("Stop comparing");
    desk.wait_for("Findings, by cost");
    // A row of the comparison goes to its stage.
    desk.click("Compare with…");
    desk.click(&format!("Recent log {}", earlier.display()));
    desk.press("Stage 1: same, even");
    desk.wait_for("Stage 1: measures per task");
    // What is of another kind is told, with a way on.
    let report = desk.folder.path().join("report.json");
    std::fs::write(&report, report_text("r", "1.0")).unwrap();
    desk.answers.push(&report);
    desk.click("Compare with…");
    desk.click("Choose file…");
    desk.wait_for("have nothing to compare: give two of one kind");
    desk.wait_for("Compare again");
    desk.press("Stop comparing");
    desk.wait_until("the error has gone", |harness| {
        harness
            .query_all_by_label_contains("Compare again")
            .next()
            .is_none()
    });
}

fn report_text(run_id: &str, decode: &str) -> String {
    format!(
        r#"{{"apiVersion":"skewer/v1","kind":"RunReport","run_id":"{run_id}","job":"features","status":"done","wall_seconds":3.5,"peak_rss_bytes":300000000,
        "partitions":[{{"partition":"2020-01-02","status":"committed","rows_in":9,"rows_out":7,"rows_filtered":1,"rows_quarantined":1,"n_files":2,
        "n_bytes_in":2000000,"seconds":{{"list":0.1,"fetch":0.2,"decode":{decode},"transform":0.5,"encode":0.3,
        "commit":0.1}},"work":{{"spans":[{{"worker":1,"start_seconds":0,"seconds":1.5,"n_files":2,"n_bytes":2000000}}],
        "slowest_files":[{{"key":"2020/01/02/slow.jsonl","n_bytes":1500000,"seconds":0.9}}]}}}}]}}"#
    )
}

#[test]
fn two_runs_of_ours_are_compared_and_the_earlier_one_is_before_whichever_is_open() {
    let folder = desk();
    let (old, new) = (
        folder.path().join("old/report.json"),
        folder.path().join("new/report.json"),
    );
    for (path, id, decode) in [
        (&old, "20200101T000000-a", "4.0"),
        (&new, "20200102T000000-b", "1.0"),
    ] {
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, report_text(id, decode)).unwrap();
    }
    // The earlier one is open.
    let mut desk = Desk::open(folder, Some(&old));
    desk.wait_for("2020-01-02: units of work by worker");
    desk.wait_for("2020/01/02/slow.jsonl");
    for figure in [
        "wall time: 3.5 s",
        "files: 2 1 day",
        "read: 2.0 MB",
        "peak memory: 300 MB",
        "rows in: 9",
        "filtered: 1 11% of rows in",
        "quarantined: 1 11% of rows in",
        "rows out: 7 into the table",
        "9 in = 7 out + 1 filtered + 1 quarantined",
        "the books balance",
        "decode 4.0 s 77% over threads",
    ] {
        desk.wait_for(figure);
    }
    desk.answers.push(&new);
    desk.click("Compare with…");
    desk.click("Choose file…");
    desk.wait_for("work: −58% 5.2 s → 2.2 s");
    desk.wait_for("2020-01-02 5.2 s 2.2 s −3.0 s (−58%)");
    desk.wait_for("Job, spec and version are the same.");
    // Too little was read for a rate.
    assert!(!desk.has("work a GB read"), "{:?}", desk.labels());
    assert!(!desk.has("Both began at the same time"));
    desk.press("Swap before and after");
    desk.wait_for("2020-01-02 2.2 s 5.2 s +3.0 s (+136%)");
    desk.wait_for("what counts as before began later than what counts as after");
    desk.press("Swap before and after");
    desk.wait_for("work: −58% 5.2 s → 2.2 s");
}

#[test]
fn a_run_that_ended_early_tells_which_days_have_no_result_and_why() {
    let folder = desk();
    let path = folder.path().join("report.json");
    let text = report_text("20200101T000000-a", "1.0")
        .replace("\"status\":\"done\"", "\"status\":\"cancelled\"")
        .replace(
            "\"partitions\":[",
            r#""partitions":[{"partition":"2020-01-03","status":"cancelled","rows_in":50,"rows_out":0,"n_files":4,
            "message":"stopped by a signal","seconds":{"list":0.1,"fetch":0,"decode":0,"transform":0,"encode":0,
            "commit":0}},"#,
        );
    std::fs::write(&path, text).unwrap();
    let mut desk = Desk::open(folder, Some(&path));
    for told in [
        "1 day without a result",
        "stopped by a signal",
        "rows in: 9 and 50 of 1 day ended early",
        "the books balance",
        "are not in these books, nor in the table",
    ] {
        desk.wait_for(told);
    }
}

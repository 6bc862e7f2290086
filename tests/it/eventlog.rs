//! `skewer eventlog` from outside: a real log in every form, damaged ones, and the report of a run of ours.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use serde_json::Value;

use crate::run::{DAY, Lake};

const ROLLING: &str = "tests/it/eventlog/eventlog_v2_app-20261120215001-0000";

fn skewer(args: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_skewer"))
        .arg("eventlog")
        .args(args)
        .output()
        .unwrap()
}

#[track_caller]
fn json(args: &[&str]) -> Value {
    let output = skewer(&[args, &["--json"]].concat());
    assert!(
        output.status.success(),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
    serde_json::from_slice(&output.stdout).unwrap()
}

#[track_caller]
fn text(args: &[&str]) -> String {
    let output = skewer(args);
    assert!(
        output.status.success(),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
    String::from_utf8(output.stdout).unwrap()
}

/// The real log as plain text, in a folder of its own.
fn plain(folder: &Path) -> PathBuf {
    let part = |n: u32| {
        let packed = fs::read(format!("{ROLLING}/events_{n}_app-20261120215001-0000.zstd")).unwrap();
        zstd::decode_all(packed.as_slice()).unwrap()
    };
    let path = folder.join("app-20261120215001-0000");
    fs::write(&path, [part(1), part(2)].concat()).unwrap();
    path
}

#[test]
fn every_form_of_a_log_names_stage_hot_partition_and_key() {
    let folder = tempfile::tempdir().unwrap();
    let plain = plain(folder.path());
    for path in [
        ROLLING,
        "tests/it/eventlog/app-20261120215001-0000.lz4",
        "tests/it/eventlog/app-20261120215001-0000.snappy",
        plain.to_str().unwrap(),
    ] {
        let answer = json(&[path, "--stage", "2"]);
        let stage = &answer["stages"][0];
        assert_eq!(stage["id"], 2, "{path}");
        assert_eq!(stage["hot_partition"]["partition"], 4, "{path}");
        assert_eq!(stage["hot_partition"]["n_records"], 254_486, "{path}");
        assert_eq!(stage["key"]["columns"][0], "k", "{path}");
        assert_eq!(stage["finding"]["code"], "hot_key", "{path}");
        assert_eq!(answer["accuracy"]["kind"], "exact", "{path}");
    }
    let told = text(&[ROLLING]);
    for part in [
        "skewed-join",
        "hot key, harmless",
        "Partition 4 holds 42%",
        "SortMergeJoin Inner by k",
        "→ Nothing needs doing here. Should it cost time one day: broadcast",
    ] {
        assert!(told.contains(part), "{part} in {told}");
    }
    let stage = text(&[ROLLING, "--stage", "2"]);
    assert!(
        stage.contains("shuffle read") && stage.contains("slowest task"),
        "{stage}"
    );
}

#[test]
fn a_log_that_is_still_written_is_read_as_far_as_it_goes() {
    let folder = tempfile::tempdir().unwrap();
    let whole = fs::read(plain(folder.path())).unwrap();
    let path = folder.path().join("app-1.inprogress");
    fs::write(&path, &whole[..whole.len() - 200]).unwrap();
    let answer = json(&[path.to_str().unwrap()]);
    assert_eq!(answer["headline"]["n_tasks"], 35);
    assert_eq!(
        (&answer["is_complete"], &answer["reading"]["n_unreadable"]),
        (&Value::Bool(false), &1.into())
    );
    let notes = answer["reading"]["notes"].to_string();
    assert!(notes.contains("does not end with the application"), "{notes}");
    // Cut before the first task ended: stated, and no empty table.
    let start = String::from_utf8_lossy(&whole)
        .find("SparkListenerApplicationStart")
        .unwrap();
    fs::write(&path, &whole[..start]).unwrap();
    let told = text(&[path.to_str().unwrap()]);
    assert!(
        told.contains("Application without a name (not told)") && told.contains("no stage to tell of"),
        "{told}"
    );
}

#[test]
fn two_logs_are_compared_and_the_same_log_has_not_changed() {
    let answer = json(&[
        ROLLING,
        "--against",
        "tests/it/eventlog/app-20261120215001-0000.lz4",
    ]);
    let stages = answer["comparison"]["stages"].as_array().unwrap();
    assert_eq!(stages.len(), 3);
    assert!(
        stages.iter().all(|stage| stage["wall_seconds"] == 0.0),
        "{stages:?}"
    );
    for key in [
        "appeared",
        "gone",
        "configuration",
        "notes",
        "only_before",
        "only_after",
    ] {
        let list = answer["comparison"][key].as_array().unwrap();
        assert!(list.is_empty(), "{key}: {list:?}");
    }
    let told = text(&[
        ROLLING,
        "--against",
        "tests/it/eventlog/app-20261120215001-0000.lz4",
    ]);
    assert!(told.contains("wall time") && told.contains("same"), "{told}");
}

#[test]
fn what_is_no_log_is_a_usage_error_that_says_what_to_give() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("rows.jsonl");
    fs::write(&path, "{\"a\":1}\n").unwrap();
    let check = |args: &[&str], words: &str| {
        let output = skewer(args);
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        assert_eq!(output.status.code(), Some(2), "{said}");
        assert!(said.contains(words), "{said}");
    };
    check(&[path.to_str().unwrap()], "no Spark event");
    check(&["tests/it/eventlog"], "several logs are here");
    check(&[ROLLING, "--stage", "9"], "no stage 9");
}

#[test]
fn the_report_of_a_run_goes_in_by_the_same_command_with_its_workers_and_slowest_files() {
    let lake = Lake::new();
    for n in 0..30 {
        let lines = "{\"id\":1,\"word\":\"a\"}\n".repeat(10 * (n + 1));
        lake.raw(&format!("2020/01/02/part-{n:02}.jsonl"), lines);
    }
    let report = lake.run(DAY);
    assert_eq!(report.partitions[0].partition.to_string(), DAY);
    let path = lake.path("report.json");
    fs::write(&path, serde_json::to_string_pretty(&report).unwrap()).unwrap();
    let answer = json(&[path.to_str().unwrap()]);
    let day = &answer["partitions"][0];
    assert_eq!(answer["run_id"], report.run_id);
    let spans = day["work"]["spans"].as_array().unwrap();
    let n_files: u64 = spans.iter().map(|span| span["n_files"].as_u64().unwrap()).sum();
    assert_eq!(n_files, 30, "{day}");
    assert!(
        spans.iter().all(|span| span["worker"].as_u64() > Some(0)),
        "{spans:?}"
    );
    let files = day["work"]["slowest_files"].as_array().unwrap();
    assert_eq!(files.len(), 20);
    assert!(files[0]["key"].as_str().unwrap().contains("part-"), "{files:?}");
    // The window and the command read the report by types of their own: they hold the same figures.
    let ours = serde_json::to_value(&report).unwrap();
    for key in ["seconds", "work"] {
        assert_eq!(day[key], ours["partitions"][0][key], "{key}");
    }
    let told = text(&[path.to_str().unwrap()]);
    assert!(
        told.contains("slowest file") && told.contains("2020-01-02"),
        "{told}"
    );
    let wall = answer["wall_seconds"].as_f64().unwrap();
    assert!(wall > 0.0 && told.contains("on the clock"), "{told}");
    assert!(told.contains("the rest added up over threads"), "{told}");
    let books = "4,650 in = 4,650 out + 0 filtered + 0 quarantined; the books balance";
    assert!(told.contains(books) && told.contains("stage of work"), "{told}");
    for key in ["rows_filtered", "rows_merged", "rows_made"] {
        assert_eq!(day[key], ours["partitions"][0][key], "{key}");
    }
    // Beside a run that was slower, of another spec, and that wrote fewer rows.
    let mut before = ours;
    before["spec_sha256"] = "0".repeat(64).into();
    before["partitions"][0]["seconds"]["decode"] = 1000.0.into();
    before["partitions"][0]["rows_out"] = 1.into();
    let earlier = lake.path("before.json");
    fs::write(&earlier, before.to_string()).unwrap();
    let args = [path.to_str().unwrap(), "--against", earlier.to_str().unwrap()];
    let comparison = &json(&args)["comparison"];
    let change = comparison["days"][0]["seconds"].as_f64().unwrap();
    assert!(change < -900.0, "{comparison}");
    assert_eq!(comparison["days"][0]["rows_before"], 1);
    assert_eq!(comparison["configuration"][0]["before"], "000000000000…");
    let told = text(&args);
    assert!(
        told.contains("against run") && told.contains("decode") && told.contains("2020-01-02"),
        "{told}"
    );
    let mixed = skewer(&[ROLLING, "--against", path.to_str().unwrap()]);
    let said = String::from_utf8_lossy(&mixed.stderr).into_owned();
    assert_eq!(mixed.status.code(), Some(2), "{said}");
    assert!(said.contains("give two of one kind"), "{said}");
}

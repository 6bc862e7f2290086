//! `skewer skew` on the sample lake: ranges, rows, assumptions.

use std::path::Path;
use std::process::{Command, Output};

use serde_json::Value;

fn run(args: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_skewer"));
    command.current_dir(env!("CARGO_MANIFEST_DIR")).args(args);
    command.output().unwrap()
}

fn json(args: &[&str]) -> Value {
    let output = run(args);
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{said}");
    serde_json::from_slice(&output.stdout).unwrap()
}

#[test]
fn two_ranges_are_compared_and_the_new_findings_named() {
    let answer = json(&[
        "skew",
        "sample_data/raw",
        "--range",
        "2020-01-08..2020-01-14",
        "--against",
        "2020-01-01..2020-01-07",
        "--json",
    ]);
    assert_eq!(answer["range"], "2020-01-08..2020-01-14");
    assert_eq!(answer["partitions"].as_array().unwrap().len(), 7);
    let comparison = &answer["comparison"];
    assert_eq!(comparison["against"]["n_missing_dates"], 1);
    assert_eq!(comparison["days"].as_array().unwrap().len(), 7);
    let new: Vec<&str> = comparison["new_findings"]
        .as_array()
        .unwrap()
        .iter()
        .filter_map(|finding| finding["code"].as_str())
        .collect();
    assert!(
        new.contains(&"partition_spike") && new.contains(&"tiny_files"),
        "{new:?}"
    );
    assert!(!new.contains(&"missing_date"), "{new:?}");
    let text = run(&["skew", "sample_data/raw", "--against", "2020-01-01..2020-01-07"]);
    let text = String::from_utf8(text.stdout).unwrap();
    assert!(
        text.contains("2020-01-08..2020-01-14 against 2020-01-01..2020-01-07"),
        "{text}"
    );
}

#[test]
fn rows_come_with_their_error_and_costs_with_their_assumptions() {
    let answer = json(&["skew", "sample_data/raw", "--rows", "--slots", "4", "--json"]);
    let rows = &answer["rows"];
    assert_eq!(rows["accuracy"]["kind"], "estimate");
    let (n_rows, error) = (rows["n_rows"].as_u64().unwrap(), rows["error"].as_u64().unwrap());
    assert!(n_rows > 0 && error < n_rows, "{rows}");
    assert!(rows["n_files_read"].as_u64() < rows["n_files"].as_u64());
    let spike = answer["partitions"].as_array().unwrap();
    let spike = spike
        .iter()
        .find(|line| line["partition"] == "2020-01-09")
        .unwrap();
    assert!(spike["rows"]["n_rows"].as_u64().unwrap() * 3 > n_rows, "{spike}");
    assert!(spike["average_file_bytes"].as_u64().unwrap() > 100_000);
    assert_eq!(answer["costs"]["slots"], 4);
    let text = run(&["skew", "sample_data/raw", "--ms-per-request", "200"]);
    let text = String::from_utf8(text.stdout).unwrap();
    assert!(
        text.ends_with("Costs assume 16 slots, 50 MB/s a slot, 200 ms a request.\n"),
        "{text}"
    );
}

#[test]
fn rows_of_parquet_are_exact() {
    let folder = tempfile::tempdir().unwrap();
    skewer::sample::write(folder.path(), &skewer::base::Cancel::new()).unwrap();
    let processed = folder.path().join("processed");
    let answer = json(&["skew", text_of(&processed), "--rows", "--json"]);
    let rows = &answer["rows"];
    assert_eq!(
        (&rows["accuracy"]["kind"], &rows["n_files_read"]),
        (&"exact".into(), &rows["n_files"])
    );
    assert!(
        rows["n_rows"].as_u64().unwrap() > 0 && rows["error"].is_null(),
        "{rows}"
    );
}

#[test]
fn dates_without_partitions_are_refused_with_those_there_are() {
    for option in ["--range", "--against"] {
        let output = run(&["skew", "sample_data/raw", option, "2031"]);
        let said = String::from_utf8(output.stderr).unwrap();
        assert_eq!(output.status.code(), Some(2), "{said}");
        assert!(
            said.contains("its dates go from 2020-01-01 to 2020-01-14"),
            "{said}"
        );
    }
    let slip = run(&["skew", "sample_data/raw", "--range", "soon"]);
    assert!(
        String::from_utf8(slip.stderr)
            .unwrap()
            .contains("`soon` is no range of dates")
    );
}

#[test]
fn a_report_holds_the_comparison_and_the_rows_that_were_asked_for() {
    let folder = tempfile::tempdir().unwrap();
    let page = folder.path().join("out.html");
    let output = run(&[
        "skew",
        "sample_data/raw",
        "--range",
        "2020-01-08..2020-01-14",
        "--against",
        "2020-01-01..2020-01-07",
        "--rows",
        "--report",
        text_of(&page),
    ]);
    assert!(output.status.success());
    let page = std::fs::read_to_string(&page).unwrap();
    for word in [
        "dates 2020-01-08..2020-01-14",
        "<h2>2020-01-08..2020-01-14 against 2020-01-01..2020-01-07</h2>",
        "bytes a date",
        "Found in 2020-01-08..2020-01-14 only:",
        "<title>Rows per day</title>",
        "Rows of JSON Lines are estimated",
        "rows are</th>",
    ] {
        assert!(page.contains(word), "{word}");
    }
    // Whatever is said on the screen of both ranges is on the page.
    let said = String::from_utf8(output.stdout).unwrap();
    let compared = said.split("2020-01-08..2020-01-14 against").nth(1).unwrap();
    let news: Vec<&str> = compared
        .lines()
        .filter_map(|line| {
            line.trim()
                .strip_prefix("new: ")
                .or(line.trim().strip_prefix("gone: "))
        })
        .collect();
    assert!(news.len() > 1, "{said}");
    assert!(news.iter().all(|title| page.contains(title)), "{news:?}");
}

#[test]
fn names_that_say_no_date_are_stated_with_their_files_and_bytes() {
    let folder = tempfile::tempdir().unwrap();
    for name in [
        "dt=2020-01-01",
        "dt=2020-01-02",
        "dt=2020-13-45",
        "dt=__HIVE_DEFAULT_PARTITION__",
        "spare",
    ] {
        let day = folder.path().join(name);
        std::fs::create_dir_all(&day).unwrap();
        std::fs::write(day.join("a.jsonl"), "{\"id\": 1}\n").unwrap();
    }
    let answer = json(&["skew", text_of(folder.path()), "--json"]);
    let findings = answer["findings"].as_array().unwrap();
    let found = |code: &str| findings.iter().find(|finding| finding["code"] == code);
    for (code, partition) in [
        ("invalid_date", "dt=2020-13-45"),
        ("null_partition", "dt=__HIVE_DEFAULT_PARTITION__"),
        ("outside_partitions", "all"),
    ] {
        let finding = found(code).unwrap_or_else(|| panic!("{code} in {findings:?}"));
        assert_eq!(finding["partition"], partition);
        let message = finding["message"].as_str().unwrap();
        assert!(message.contains("1 file, 10 B (20% of all bytes)"), "{message}");
        assert!(!finding["remedy"].as_str().unwrap().is_empty());
    }
}

fn text_of(path: &Path) -> &str {
    path.to_str().unwrap()
}

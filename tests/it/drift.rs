//! `skewer profile --against` and `--save-baseline`, and `skewer schema --map`, beside figures computed by hand.

use std::fmt::Write as _;
use std::path::Path;

use serde_json::Value;

use crate::cli::{fails, json, run, text_of, write};

/// Four days of 5,000 rows: two of January, and two of February in which nearly everything has moved.
fn lake() -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    for (day, is_moved) in [
        ("2020-01-01", false),
        ("2020-01-02", false),
        ("2020-02-01", true),
        ("2020-02-02", true),
    ] {
        let mut text = String::new();
        for i in 0..5000_u32 {
            // Ten places of each value before; fourteen of the lower half and six of the upper one after.
            let is_lower = i % 10 < if is_moved { 7 } else { 5 };
            let x = i / 10 + if is_lower { 0 } else { 500 };
            // 60, 30 and 10 of 100 before; 30, 30 and 40 after.
            let city = match (is_moved, i % 10) {
                (false, 0..6) | (true, 0..3) => "a",
                (false, 6..9) | (true, 3..6) => "b",
                _ => "c",
            };
            let score = if is_moved && i % 5 < 2 { "null" } else { "1" };
            let code = if is_moved { "\"7\"" } else { "7" };
            let key = if is_moved { "new" } else { "old" };
            writeln!(
                text,
                "{{\"x\": {x}, \"city\": \"{city}\", \"score\": {score}, \"code\": {code}, \"{key}\": {i}, \"same\": {}}}",
                i % 50
            )
            .unwrap();
        }
        write(folder.path(), &format!("raw/day={day}/a.jsonl"), text);
    }
    folder
}

fn drift(folder: &Path, partition: &str, against: &str) -> Value {
    let raw = folder.join("raw");
    let answer = json(&[
        "profile",
        text_of(&raw),
        "--partition",
        partition,
        "--against",
        against,
        "--json",
    ]);
    answer["drift"].clone()
}

fn column<'a>(drift: &'a Value, name: &str) -> &'a Value {
    let columns = drift["columns"].as_array().unwrap();
    columns.iter().find(|column| column["name"] == name).unwrap()
}

fn near(value: &Value, expected: f64, within: f64) {
    let found = value.as_f64().unwrap();
    assert!(
        (found - expected).abs() <= within,
        "{found} is not {expected} ± {within}"
    );
}

/// `Σ (q − p) · ln(q / p)`
fn index(before: &[f64], after: &[f64]) -> f64 {
    before
        .iter()
        .zip(after)
        .map(|(p, q)| (q - p) * (q / p).ln())
        .sum()
}

#[test]
fn index_and_distance_are_those_computed_by_hand() {
    let folder = lake();
    let drift = drift(folder.path(), "2020-02", "2020-01");
    let city = column(&drift, "city");
    let by_hand = index(&[0.6, 0.3, 0.1], &[0.3, 0.3, 0.4]);
    assert!((by_hand - 0.6238).abs() < 1e-4);
    near(&city["psi"]["value"], by_hand, 0.001);
    assert_eq!(
        (&city["psi"]["accuracy"]["kind"], &city["severity"]),
        (&"exact".into(), &"bad".into())
    );
    assert!(city["ks"].is_null());
    // A tenth in each bin before; 0.14 in five and 0.06 in five after. The distance is widest in the middle.
    let x = column(&drift, "x");
    let by_hand = index(
        &[0.1; 10],
        &[0.14, 0.14, 0.14, 0.14, 0.14, 0.06, 0.06, 0.06, 0.06, 0.06],
    );
    near(&x["psi"]["value"], by_hand, 0.02);
    let error = x["ks"]["error"].as_f64().unwrap();
    assert!(error <= 0.02, "{x}");
    near(&x["ks"]["statistic"], 0.2, error);
    // 1.358 · √(1/n + 1/m) for 10,000 rows on both sides.
    near(&x["ks"]["critical"], 1.358 * (2.0_f64 / 10_000.0).sqrt(), 1e-6);
    let same = column(&drift, "same");
    assert_eq!(
        (&same["severity"], &same["verdict"]),
        (&"good".into(), &"stable: PSI 0.00, KS 0.00".into())
    );
}

#[test]
fn schema_and_nulls_that_moved_are_named_with_their_severity() {
    let folder = lake();
    let drift = drift(folder.path(), "2020-02-01", "2020-01-01");
    assert_eq!(
        (&drift["before"]["n_rows"], &drift["severity"]),
        (&5000.into(), &"bad".into())
    );
    let of = |name| &column(&drift, name)["schema"];
    assert_eq!(
        (&of("new")["kind"], &of("old")["kind"]),
        (&"added".into(), &"gone".into())
    );
    assert_eq!(
        *of("code"),
        serde_json::json!({"kind": "retyped", "from": "int64", "to": "string"})
    );
    assert_eq!(of("score")["kind"], "became_nullable");
    near(&column(&drift, "score")["null_share_after"], 0.4, 1e-12);
    let codes: Vec<&str> = drift["findings"]
        .as_array()
        .unwrap()
        .iter()
        .filter_map(|f| f["code"].as_str())
        .collect();
    for code in [
        "column_gone",
        "column_added",
        "type_changed",
        "distribution_drift",
    ] {
        assert!(codes.contains(&code), "{code}: {codes:?}");
    }
    let raw = folder.path().join("raw");
    let told = run(&[
        "profile",
        text_of(&raw),
        "--partition",
        "2020-02-01",
        "--against",
        "2020-01-01",
    ]);
    let told = String::from_utf8(told.stdout).unwrap();
    assert!(
        told.contains("code: is string and was int64") && told.contains("old: is gone"),
        "{told}"
    );
}

#[test]
fn a_range_in_any_form_and_a_saved_baseline_give_the_same_comparison() {
    let folder = lake();
    let raw = folder.path().join("raw");
    let month = drift(folder.path(), "2020-02", "2020-01");
    assert_eq!(month["before"]["n_rows"], 10_000);
    for (partition, against) in [
        ("2020-02-01..2020-02-02", "2020-01-01..2020-01-31"),
        ("2020-01-03..", "..2020-01-31"),
        ("2020-02-01..", "2020-01-01..2020-01-02"),
    ] {
        let found = drift(folder.path(), partition, against);
        assert_eq!(found["columns"], month["columns"], "{partition} {against}");
    }
    let file = folder.path().join("january.yaml");
    let saved = run(&[
        "profile",
        text_of(&raw),
        "--partition",
        "2020-01",
        "--save-baseline",
        text_of(&file),
    ]);
    assert!(saved.status.success());
    assert_eq!(
        drift(folder.path(), "2020-02", text_of(&file))["columns"],
        month["columns"]
    );
    let same = drift(folder.path(), "2020-01", text_of(&file));
    assert_eq!(
        (&same["severity"], &same["verdict"]),
        (&"good".into(), &"The two agree in all of 6 columns".into())
    );
    fails(
        &[
            "profile",
            text_of(&raw),
            "--partition",
            "2020-02",
            "--against",
            "2031",
        ],
        2,
        &["no partition in 2031", "from 2020-01-01 to 2020-02-02"],
    );
}

#[test]
fn a_file_that_is_no_baseline_is_refused_before_anything_is_read() {
    let folder = lake();
    let raw = folder.path().join("raw");
    let file = folder.path().join("base.yaml");
    run(&[
        "profile",
        text_of(&raw),
        "--partition",
        "2020-01-01",
        "--save-baseline",
        text_of(&file),
    ]);
    let good = std::fs::read_to_string(&file).unwrap();
    let again = "skewer profile LOCATION --save-baseline FILE";
    let line = good
        .lines()
        .position(|line| line.trim() == "n_rows: 5000")
        .unwrap()
        + 1;
    let number = format!("base.yaml:{line}:");
    for (text, words) in [
        (good.replace("skewer/v1", "skewer/v9"), ["`skewer/v9`", again]),
        (
            good.replace("kind: Baseline", "kind: Recipe"),
            ["a `Recipe`", again],
        ),
        (
            good.replacen("n_rows: 5000", "n_rows: many", 1),
            [number.as_str(), again],
        ),
        ("{\"rows\": [".to_owned(), ["base.yaml:1:", again]),
        (String::new(), ["is no baseline", again]),
        (
            good[..good.find("categories").unwrap() + 4].to_owned(),
            ["base.yaml:", again],
        ),
    ] {
        std::fs::write(&file, text).unwrap();
        // There is no such place: whoever reads it first fails with another code.
        fails(
            &["profile", "/nowhere/at/all", "--against", text_of(&file)],
            2,
            &words,
        );
    }
    let missing = folder.path().join("missing.yaml");
    fails(
        &["profile", text_of(&raw), "--against", text_of(&missing)],
        2,
        &["missing.yaml", "give a day"],
    );
    // Other columns are no broken file: they are told as what they are.
    let other = good.replace("name: x\n", "name: y\n");
    std::fs::write(&file, other).unwrap();
    let found = drift(folder.path(), "2020-01-01", text_of(&file));
    assert_eq!(column(&found, "y")["schema"]["kind"], "gone");
    assert_eq!(column(&found, "x")["schema"]["kind"], "added");
}

#[test]
fn the_schema_map_tells_where_keys_are_and_what_changes() {
    let folder = lake();
    let raw = folder.path().join("raw");
    let map = json(&["schema", text_of(&raw), "--map", "--all", "--json"]);
    assert_eq!(map["accuracy"]["kind"], "exact");
    let key = |name: &str| {
        let keys = map["keys"].as_array().unwrap();
        keys.iter().find(|key| key["path"] == name).unwrap().clone()
    };
    let (old, new) = (key("old"), key("new"));
    assert_eq!(
        (&old["first_seen"], &old["last_seen"]),
        (&"2020-01-01".into(), &"2020-01-02".into())
    );
    assert_eq!(
        (&new["first_seen"], &new["n_partitions"]),
        (&"2020-02-01".into(), &2.into())
    );
    let code = key("code");
    assert_eq!(code["is_conflict"], true);
    let score = &key("score")["cells"][2];
    assert_eq!(
        (&score["n_present"], &score["n_null"], &score["n_of"]),
        (&5000.into(), &2000.into(), &5000.into())
    );
    let said: Vec<&str> = map["changes"]
        .as_array()
        .unwrap()
        .iter()
        .filter_map(|c| c["message"].as_str())
        .collect();
    for words in [
        "`code` is int64 up to 2020-01-02 and string from 2020-02-01 on",
        "`old` was last seen on 2020-01-02",
        "`new` appears on 2020-02-01",
    ] {
        assert!(
            said.iter().any(|message| message.contains(words)),
            "{words}: {said:#?}"
        );
    }
    let sample = json(&["schema", text_of(&raw), "--map", "--records", "10", "--json"]);
    assert_eq!(sample["accuracy"], serde_json::json!({"kind": "sample", "n": 40}));
}

#[test]
fn texts_that_were_all_replaced_are_told_and_a_baseline_without_their_sample_says_lengths_only() {
    let folder = tempfile::tempdir().unwrap();
    for (day, prefix) in [("01", "a"), ("02", "b"), ("03", "a")] {
        let mut text = String::new();
        for i in 0..10_000_u64 {
            let x = (i * 7 + day.parse::<u64>().unwrap()) % 2000;
            let few = if day == "02" {
                "x"
            } else {
                ["x", "y"][usize::from(i % 10 == 0)]
            };
            writeln!(text, "{{\"c\": \"{prefix}{x:04}\", \"few\": \"{few}\"}}").unwrap();
        }
        write(folder.path(), &format!("day=2020-01-{day}/a.jsonl"), text);
    }
    let at = text_of(folder.path());
    let base = folder.path().join("base.yaml");
    let base = text_of(&base);
    json(&[
        "profile",
        at,
        "--partition",
        "2020-01-01",
        "--save-baseline",
        base,
        "--json",
    ]);
    for against in ["2020-01-01", base] {
        let compared = |day: &str| json(&["profile", at, "--partition", day, "--against", against, "--json"]);
        let replaced = compared("2020-01-02");
        let c = column(&replaced["drift"], "c");
        assert_eq!(
            (&c["severity"], &c["is_lengths_only"]),
            (&"bad".into(), &false.into()),
            "{c}"
        );
        near(&c["overlap"]["new"]["share"], 1.0, 0.001);
        assert!(
            replaced["drift"]["limits"][0]
                .as_str()
                .unwrap()
                .contains("Siddiqi")
        );
        let few = column(&replaced["drift"], "few")["verdict"]
            .as_str()
            .unwrap()
            .to_owned();
        assert!(few.contains("`y` is gone, which was in 10% of rows"), "{few}");
        let same = compared("2020-01-03");
        assert_eq!(column(&same["drift"], "c")["severity"], "good", "{same}");
    }
    // As the first release saved it.
    let text = std::fs::read_to_string(base).unwrap();
    let mut is_inside = false;
    let is_kept = |line: &&str| {
        is_inside = line.starts_with("    sample:") || (is_inside && line.starts_with("     "));
        !is_inside
    };
    let old: Vec<&str> = text.lines().filter(is_kept).collect();
    assert!(old.len() < text.lines().count());
    std::fs::write(base, old.join("\n")).unwrap();
    let told = run(&["profile", at, "--partition", "2020-01-02", "--against", base]);
    let told = String::from_utf8(told.stdout).unwrap();
    let c = told.lines().find(|line| line.starts_with("c ")).unwrap();
    assert!(c.contains("lengths only") && !c.contains("good"), "{told}");
    assert!(told.contains("Siddiqi") && told.contains("Smirnov"), "{told}");
}

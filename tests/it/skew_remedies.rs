//! Keys that are fields of structs, NaN and null, and the remedies of each: what is offered runs, what is not says why.

use std::fmt::Write as _;
use std::fs;
use std::path::Path;

use serde_json::{Value, json};

use crate::skew_keys::{answer, codes, is_refused, remedy, run};

/// Rows that one remedy's steps leave or make, as the key skew over them.
fn after_steps(folder: &Path, data: &str, remedy: &Value, by: &str, n: &str) -> Value {
    let recipe = json!({"apiVersion": "skewer/v1", "kind": "Recipe", "steps": remedy["steps"]});
    let path = folder.join("remedy.yaml");
    fs::write(&path, recipe.to_string()).unwrap();
    answer(&[
        "skew",
        data,
        "--by",
        by,
        "--partitions",
        n,
        "--recipe",
        path.to_str().unwrap(),
    ])
}

#[test]
fn a_field_of_a_struct_is_a_key_and_its_remedies_run() {
    let folder = tempfile::tempdir().unwrap();
    let day = folder.path().join("lake/day=2020-01-01");
    fs::create_dir_all(&day).unwrap();
    let mut lines = String::new();
    for i in 0..4000 {
        let company = match i % 10 {
            0..=4 => json!("Acme"),
            5 => Value::Null,
            _ => json!(format!("C{i}")),
        };
        let row = json!({"user": {"company": company, "at": {"n": i % 3}}, "user.flat": i % 2, "i": i});
        writeln!(lines, "{row}").unwrap();
    }
    fs::write(day.join("a.jsonl"), lines).unwrap();
    let lake = folder.path().join("lake");
    let data = lake.to_str().unwrap();
    let found = answer(&["skew", data, "--by", "user.company", "--partitions", "20"]);
    let column = &found["profile"]["columns"][0];
    assert_eq!(
        (&column["name"], &column["spark_type"]),
        (&json!("user.company"), &json!("string"))
    );
    assert_eq!(found["profile"]["top"][0]["n_rows"], 2000);
    assert_eq!(found["profile"]["null_share"], 0.1);
    // A column that is called so wins, and deeper fields are found.
    for (by, n) in [("user.flat", 2), ("user.at.n", 3), ("user.at", 3)] {
        let other = answer(&["skew", data, "--by", by, "--partitions", "20"]);
        assert_eq!(other["profile"]["distinct"]["n"], n, "{by}");
    }
    let only_key = answer(&[
        "skew",
        data,
        "--by",
        "user.company",
        "--partitions",
        "20",
        "--keys-only",
    ]);
    assert_eq!(only_key["partitions"], found["partitions"]);
    is_refused(
        &["skew", data, "--by", "user.compny"],
        "did you mean `user.company`?",
    );
    let salted = after_steps(
        folder.path(),
        data,
        remedy(&found, "salt"),
        "user.company,salt",
        "20",
    );
    assert!(
        salted["metrics"]["max"].as_u64().unwrap() * 4 < found["metrics"]["max"].as_u64().unwrap(),
        "{}",
        salted["metrics"]
    );
    let stages = json!({"apiVersion": "skewer/v1", "kind": "Recipe",
        "steps": remedy(&found, "two_stage_aggregation")["steps"]});
    let path = folder.path().join("stages.yaml");
    fs::write(&path, stages.to_string()).unwrap();
    let grouped = answer(&[
        "preview",
        data,
        "--rows",
        "4000",
        "--recipe",
        path.to_str().unwrap(),
    ]);
    let groups = grouped["rows"].as_array().unwrap();
    assert_eq!(found["profile"]["distinct"]["n"], groups.len());
    let acme = groups.iter().find(|row| row["user.company"] == "Acme").unwrap();
    assert_eq!(acme["n"], 2000);
    let join = &remedy(&found, "broadcast")["no_steps"];
    assert!(join.as_str().unwrap().contains("is a field of `user`"), "{join}");
}

#[test]
fn nan_is_left_out_by_a_step_that_runs() {
    let folder = tempfile::tempdir().unwrap();
    let day = folder.path().join("lake/day=2020-01-01");
    fs::create_dir_all(&day).unwrap();
    let mut lines = String::new();
    for i in 0..4000 {
        writeln!(lines, r#"{{"i":{i},"x":{:.1}}}"#, f64::from(i) / 4.0).unwrap();
    }
    fs::write(day.join("a.jsonl"), lines).unwrap();
    let lake = folder.path().join("lake");
    let data = lake.to_str().unwrap();
    let path = folder.path().join("nan.yaml");
    let nan =
        json!({"derive": {"columns": {"x": "CASE WHEN i < 2000 THEN CAST('NaN' AS DOUBLE) ELSE x END"}}});
    let recipe = |steps: Value| {
        let recipe = json!({"apiVersion": "skewer/v1", "kind": "Recipe", "steps": steps});
        fs::write(&path, recipe.to_string()).unwrap();
        answer(&[
            "skew",
            data,
            "--by",
            "x",
            "--partitions",
            "20",
            "--recipe",
            path.to_str().unwrap(),
        ])
    };
    let found = recipe(json!([nan]));
    let isolate = remedy(&found, "isolate_sentinels");
    assert_eq!(found["remedies"][0]["remedy"]["kind"], "isolate_sentinels");
    let advice = found["findings"][0]["remedy"].as_str().unwrap();
    assert_eq!(advice, format!("{}.", isolate["title"].as_str().unwrap()));
    let kept = recipe(json!([nan, isolate["steps"][0]]));
    assert_eq!(kept["n_rows"], 2000);
    assert_eq!(kept["metrics"]["max"], isolate["after"]["max"]);
    let salt = remedy(&found, "salt");
    assert_eq!(salt["steps"][0]["salt"]["keys"][0]["key"], json!(["NaN"]));
}

#[test]
fn salts_that_would_save_nothing_are_declined_with_the_reason() {
    let folder = tempfile::tempdir().unwrap();
    let day = folder.path().join("lake/day=2020-01-01");
    fs::create_dir_all(&day).unwrap();
    let mut lines = String::new();
    for i in 0..4000 {
        let row = json!({"k": (i % 2 == 0).then_some(i), "i": i});
        writeln!(lines, "{row}").unwrap();
    }
    fs::write(day.join("a.jsonl"), lines).unwrap();
    let lake = folder.path().join("lake");
    let data = lake.to_str().unwrap();
    let found = answer(&["skew", data, "--by", "k", "--partitions", "20"]);
    let kinds: Vec<&str> = found["remedies"]
        .as_array()
        .unwrap()
        .iter()
        .map(|remedy| remedy["remedy"]["kind"].as_str().unwrap())
        .collect();
    assert!(!kinds.contains(&"salt"), "{kinds:?}");
    assert_eq!(found["declined"][0]["kind"], "salt");
    let text = String::from_utf8(run(&["skew", data, "--by", "k", "--partitions", "20"]).stdout).unwrap();
    for words in [
        "The largest partition becomes 9",
        "Not offered: Salts for a join. No join matches null",
    ] {
        assert!(text.contains(words), "`{words}` is not in {text}");
    }
    // In one partition nothing is skewed; what more of them would bring is said.
    let one = answer(&["skew", data, "--by", "k", "--partitions", "1"]);
    assert!(
        codes(&one).contains(&"sentinel_key") && codes(&one).contains(&"harmless"),
        "{:?}",
        codes(&one)
    );
}

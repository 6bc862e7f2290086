//! What `skewer skew` promises and what comes of it: loads after salts, the types of decimals, files that cannot be read.

use std::fmt::Write as _;
use std::fs;
use std::path::Path;
use std::sync::Arc;

use arrow::array::{ArrayRef, Decimal128Array, Int64Array, RecordBatch};
use parquet::basic::Compression;
use serde_json::{Value, json};

use crate::parquet_kinds::written;
use crate::skew_keys::{answer, is_refused, remedy, run};

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

/// 20,000 rows, 35% of them of one key, in two files; each with its number where `has_id`.
fn lake(folder: &Path, has_id: bool) -> String {
    let day = folder.join("day=2020-01-01");
    fs::create_dir_all(&day).unwrap();
    for file in 0..2 {
        let mut lines = String::new();
        for i in 0..10_000 {
            let key = if i % 20 < 7 { 7 } else { 1000 + i % 3000 };
            let id = if has_id { file * 10_000 + i } else { 0 };
            writeln!(lines, "{}", json!({"k": key, "id": id})).unwrap();
        }
        fs::write(day.join(format!("{file}.jsonl")), lines).unwrap();
    }
    folder.to_str().unwrap().to_owned()
}

fn with_steps(folder: &Path, steps: &Value) -> String {
    let path = folder.join("steps.yaml");
    let recipe = json!({"apiVersion": "skewer/v1", "kind": "Recipe", "steps": steps});
    fs::write(&path, recipe.to_string()).unwrap();
    path.to_str().unwrap().to_owned()
}

#[test]
fn salts_give_just_the_loads_that_are_predicted() {
    let folder = tempfile::tempdir().unwrap();
    let data = lake(&folder.path().join("lake"), true);
    for n in ["8", "50"] {
        let found = answer(&["skew", &data, "--by", "k", "--partitions", n]);
        let salt = remedy(&found, "salt");
        assert_eq!(salt["prediction"], "counted", "{salt}");
        let recipe = with_steps(folder.path(), &salt["steps"]);
        let after = answer(&[
            "skew",
            &data,
            "--by",
            "k,salt",
            "--partitions",
            n,
            "--spark-type",
            "salt=int",
            "--recipe",
            &recipe,
        ]);
        assert_eq!(salt["after"]["max"], after["metrics"]["max"]);
        let loads: Vec<&Value> = after["partitions"]
            .as_array()
            .unwrap()
            .iter()
            .map(|partition| &partition["load"])
            .collect();
        assert_eq!(
            salt["loads"].as_array().unwrap().iter().collect::<Vec<_>>(),
            loads
        );
        let stages = remedy(&found, "two_stage_aggregation");
        assert_eq!(stages["after"]["max"], salt["after"]["max"]);
        let alternatives = salt["alternatives"].as_array().unwrap();
        assert!(
            alternatives.contains(&json!("two_stage_aggregation")),
            "{alternatives:?}"
        );
        // Fewer tasks save their starts here, and make no task shorter: that comes behind.
        assert_eq!(found["remedies"][0]["remedy"]["kind"], "salt");
        assert_eq!(
            found["findings"][0]["remedy"],
            format!("{}.", salt["title"].as_str().unwrap())
        );
    }
}

#[test]
fn equal_rows_are_not_promised_to_part() {
    let folder = tempfile::tempdir().unwrap();
    let data = lake(&folder.path().join("lake"), false);
    let args = ["skew", &data, "--by", "k", "--partitions", "50"];
    let found = answer(&args);
    let kinds: Vec<&str> = found["remedies"]
        .as_array()
        .unwrap()
        .iter()
        .map(|remedy| remedy["remedy"]["kind"].as_str().unwrap())
        .collect();
    assert!(
        !kinds.contains(&"salt") && !kinds.contains(&"two_stage_aggregation"),
        "{kinds:?}"
    );
    let told = text(&run(&args).stdout);
    assert!(
        told.contains("Not offered: Salts for a join.")
            && told.contains(
                "7,000 rows of key 7 are equal in every column: they share a salt and stay together."
            ),
        "{told}"
    );
}

#[test]
fn loads_are_told_at_best_where_not_all_columns_were_read() {
    let folder = tempfile::tempdir().unwrap();
    let data = lake(&folder.path().join("lake"), false);
    let args = ["skew", &data, "--by", "k", "--partitions", "50", "--keys-only"];
    let found = answer(&args);
    let salt = remedy(&found, "salt");
    assert_eq!(salt["prediction"], "at_best");
    assert!(
        salt["gain"]
            .as_str()
            .unwrap()
            .starts_with("At best the largest partition becomes ")
    );
    let told = text(&run(&args).stdout);
    assert!(
        told.contains("after (at best)") && told.contains("these loads hold at best"),
        "{told}"
    );
}

fn prices(n: i64) -> RecordBatch {
    let prices = Decimal128Array::from_iter_values((0..n).map(|i| i128::from(i % 500) * 25));
    let prices = prices.with_precision_and_scale(10, 2).unwrap();
    let ids = Int64Array::from_iter_values(0..n);
    RecordBatch::try_from_iter([
        ("price", Arc::new(prices) as ArrayRef),
        ("id", Arc::new(ids) as ArrayRef),
    ])
    .unwrap()
}

#[test]
fn decimals_of_parquet_are_hashed_as_they_are_written() {
    let folder = tempfile::tempdir().unwrap();
    let day = folder.path().join("lake/day=2020-01-01");
    fs::create_dir_all(&day).unwrap();
    fs::write(day.join("a.parquet"), written(&prices(1000), Compression::SNAPPY)).unwrap();
    let lake = folder.path().join("lake");
    let args = [
        "skew",
        lake.to_str().unwrap(),
        "--by",
        "price",
        "--partitions",
        "8",
    ];
    let found = answer(&args);
    assert_eq!(found["profile"]["columns"][0]["spark_type"], "decimal(10,2)");
    let note = found["profile"]["notes"][0].as_str().unwrap();
    assert_eq!(note, "`price` is written as `decimal(10,2)` and hashed so.");
    let chosen = |dtype: &str| {
        let dtype = format!("price={dtype}");
        answer(&[&args[..], &["--spark-type", &dtype]].concat())
    };
    assert_eq!(found["partitions"], chosen("decimal(10,2)")["partitions"]);
    let as_text = chosen("string");
    assert_ne!(found["partitions"], as_text["partitions"]);
    assert!(
        as_text["profile"]["notes"][0]
            .as_str()
            .unwrap()
            .ends_with("choose that as its type: `--spark-type \"price=decimal(10,2)\"`."),
        "{}",
        as_text["profile"]["notes"]
    );
    // A step makes of it what it likes: what a run writes is text.
    let recipe = with_steps(folder.path(), &json!([{"filter": {"where": "id >= 0"}}]));
    let after = answer(&[&args[..], &["--recipe", &recipe]].concat());
    assert_eq!(after["profile"]["columns"][0]["spark_type"], "string");
    let note = after["profile"]["notes"][0].as_str().unwrap();
    assert!(note.contains("which it is after the recipe's steps"), "{note}");
}

#[test]
fn files_that_cannot_be_read_are_named_and_the_exit_code_tells() {
    let folder = tempfile::tempdir().unwrap();
    let lake = folder.path().join("lake");
    for (day, bytes) in [
        ("day=2020-01-01", written(&prices(1000), Compression::SNAPPY)),
        ("day=2020-01-02", b"PAR1 this is no Parquet file PAR1".to_vec()),
    ] {
        fs::create_dir_all(lake.join(day)).unwrap();
        fs::write(lake.join(day).join("a.parquet"), bytes).unwrap();
    }
    let data = lake.to_str().unwrap();
    let output = run(&["skew", data, "--by", "price", "--partitions", "8"]);
    let told = text(&output.stdout);
    assert_eq!(output.status.code(), Some(11), "{told}");
    assert!(
        told.contains("note: 1 of 2 files could not be read to the end; the figures are of the rest:")
            && told.contains("day=2020-01-02/a.parquet: ")
            && !told.contains("1 record could not be read"),
        "{told}"
    );
    let output = run(&["skew", data, "--by", "price", "--json"]);
    assert_eq!(output.status.code(), Some(11));
    let found: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(
        (&found["n_files"], &found["n_files_failed"]),
        (&json!(2), &json!(1))
    );
    assert!(
        found["failed_files"][0]["object"]
            .as_str()
            .unwrap()
            .ends_with("day=2020-01-02/a.parquet")
    );
    // Rows of a day of which nothing can be read are not known, and not none.
    let output = run(&["skew", data, "--rows", "--json"]);
    assert_eq!(output.status.code(), Some(11));
    let found: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(found["n_unreadable"], 1);
    let reason = found["unreadable"][0].as_str().unwrap();
    assert!(
        reason.contains("day=2020-01-02/a.parquet: not a readable Parquet file"),
        "{reason}"
    );
    // With no file left there is nothing to say.
    fs::remove_dir_all(lake.join("day=2020-01-01")).unwrap();
    let output = run(&["skew", data, "--by", "price"]);
    assert_eq!(output.status.code(), Some(1));
    assert!(
        text(&output.stderr).contains("day=2020-01-02/a.parquet") && output.stdout.is_empty(),
        "{}",
        text(&output.stderr)
    );
    // A file whose footer is whole and whose pages are not, as those that are encrypted.
    let mut bytes = written(&prices(1000), Compression::SNAPPY);
    bytes[4..60].fill(0xff);
    let broken = tempfile::tempdir().unwrap();
    fs::create_dir_all(broken.path().join("day=2020-01-03")).unwrap();
    fs::write(broken.path().join("day=2020-01-03/b.parquet"), bytes).unwrap();
    let output = run(&["skew", broken.path().to_str().unwrap(), "--by", "price"]);
    assert_eq!(output.status.code(), Some(1), "{}", text(&output.stdout));
    assert!(
        text(&output.stderr).contains("nothing could be read: ")
            && text(&output.stderr).contains("day=2020-01-03/b.parquet: "),
        "{}",
        text(&output.stderr)
    );
    let output = run(&["skew", data, "--rows"]);
    let told = text(&output.stdout);
    assert_eq!(output.status.code(), Some(11), "{told}");
    assert!(told.contains("unknown (none of 1 file was read)"), "{told}");
}

#[test]
fn a_name_that_is_no_key_is_answered_with_what_is_one() {
    let folder = tempfile::tempdir().unwrap();
    let day = folder.path().join("day=2020-01-01");
    fs::create_dir_all(&day).unwrap();
    fs::write(
        day.join("a.jsonl"),
        "{\"l\": [{\"x\": 1}], \"user\": {\"tags\": [{\"n\": 2}]}, \"k\": 3}\n",
    )
    .unwrap();
    let data = folder.path().to_str().unwrap();
    for by in ["l.x", "user.tags.n", "l[].x"] {
        is_refused(
            &["skew", data, "--by", by],
            "is a list, and a field of its items is not one value a row",
        );
        is_refused(&["skew", data, "--by", by], "with the step `explode`");
    }
    is_refused(
        &["skew", data, "--by", "`k`"],
        "names are written without backticks: did you mean `k`?",
    );
    is_refused(&["skew", data, "--by", "`kk`"], "did you mean `k`?");
}

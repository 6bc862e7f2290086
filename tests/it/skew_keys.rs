//! `skewer skew --by` as a person meets it: keys of every kind, the partitions they lead to, what is offered, what is refused.

use std::fmt::Write as _;
use std::fs;
use std::path::Path;
use std::process::{Command, Output};

use serde_json::{Value, json};

pub fn run(args: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_skewer"))
        .args(args)
        .output()
        .unwrap()
}

fn said(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

pub fn answer(args: &[&str]) -> Value {
    let output = run(&[args, &["--json"]].concat());
    assert!(output.status.success(), "{args:?}: {}", said(&output));
    serde_json::from_slice(&output.stdout).unwrap()
}

/// The command must fail as a usage error and say `words`.
pub fn is_refused(args: &[&str], words: &str) {
    let output = run(args);
    assert_eq!(output.status.code(), Some(2), "{args:?}: {}", said(&output));
    assert!(said(&output).contains(words), "{}", said(&output));
}

/// 4,000 rows over two days: half of them of one country, a tenth without, the rest of a hundred others.
fn lake(folder: &Path) -> String {
    for day in 1..=2 {
        let mut lines = String::new();
        for i in 0..2000 {
            let country = match i % 10 {
                0..=4 => json!("US"),
                5 => Value::Null,
                _ => json!(format!("C{}", i % 97)),
            };
            let row = json!({
                "user": i * 2 + day, "country": country, "tags": [i % 3], "city": if i % 2 == 0 { "Rome" } else { "rome " },
                "loc": {"city": format!("c{}", i % 5)}, "x": if i % 2 == 0 { 0.0 } else { -0.0 },
            });
            writeln!(lines, "{row}").unwrap();
        }
        let path = folder.join(format!("day=2020-01-0{day}"));
        fs::create_dir_all(&path).unwrap();
        fs::write(path.join("a.jsonl"), lines).unwrap();
    }
    folder.to_str().unwrap().to_owned()
}

pub fn codes(answer: &Value) -> Vec<&str> {
    let findings = answer["findings"].as_array().unwrap().iter();
    findings
        .map(|finding| finding["code"].as_str().unwrap())
        .collect()
}

fn sum(loads: &Value, key: &str) -> u64 {
    loads
        .as_array()
        .unwrap()
        .iter()
        .map(|load| load[key].as_u64().unwrap())
        .sum()
}

#[test]
fn a_hot_key_is_named_with_its_partitions_and_the_baseline_beside_them() {
    let folder = tempfile::tempdir().unwrap();
    let lake = lake(folder.path());
    let found = answer(&["skew", &lake, "--by", "country", "--partitions", "20"]);
    assert_eq!(
        (found["accuracy"]["kind"].as_str(), found["n_rows"].as_u64()),
        (Some("exact"), Some(4000))
    );
    let top = &found["profile"]["top"][0];
    assert_eq!(
        (
            top["label"].as_str(),
            top["n_rows"].as_u64(),
            top["share"].as_f64()
        ),
        (Some("US"), Some(2000), Some(0.5))
    );
    assert_eq!(found["profile"]["columns"][0]["spark_type"], "string");
    assert_eq!(found["profile"]["null_share"], 0.1);
    assert_eq!(found["profile"]["sentinels"][0]["sentinel"], "null");
    let partitions = found["partitions"].as_array().unwrap();
    assert_eq!((partitions.len(), sum(&found["partitions"], "load")), (20, 4000));
    assert!(found["metrics"]["max_over_mean"].as_f64().unwrap() >= 10.0);
    assert!(found["baseline_metrics"]["max_over_mean"].as_f64().unwrap() < 3.0);
    assert!(
        codes(&found).contains(&"hot_key") && codes(&found).contains(&"sentinel_key"),
        "{:?}",
        codes(&found)
    );
    assert!(
        found["choice"]["formula"]
            .as_str()
            .unwrap()
            .contains("S = 4,000 rows")
    );
    assert_eq!(found["choice"]["max_useful"], 2);
    // As in Spark, null is hashed to 42.
    let null = found["profile"]["top"]
        .as_array()
        .unwrap()
        .iter()
        .find(|key| key["key"][0].is_null())
        .unwrap();
    assert_eq!(null["hash"], 42);
    let text = run(&["skew", &lake, "--by", "country", "--partitions", "20"]);
    let text = String::from_utf8(text.stdout).unwrap();
    for words in [
        "country (string)",
        "4,000 rows (exact)",
        "US holds 50% of the rows",
        "even values",
        "[AQE]",
        "→ Salt",
    ] {
        assert!(text.contains(words), "`{words}` is not in {text}");
    }
}

#[test]
fn the_offered_salts_are_steps_that_spread_the_rows() {
    let folder = tempfile::tempdir().unwrap();
    let data = lake(&folder.path().join("lake"));
    let found = answer(&["skew", &data, "--by", "country", "--partitions", "20"]);
    let salt = found["remedies"]
        .as_array()
        .unwrap()
        .iter()
        .find(|remedy| remedy["remedy"]["kind"] == "salt")
        .unwrap();
    assert!(
        salt["after"]["max_over_mean"].as_f64().unwrap() < 2.5,
        "{}",
        salt["after"]
    );
    let recipe = json!({"apiVersion": "skewer/v1", "kind": "Recipe", "steps": salt["steps"]});
    let path = folder.path().join("recipe.yaml");
    fs::write(&path, recipe.to_string()).unwrap();
    // Hashed by Spark's rule with the salt as an int, the rows lie as was predicted.
    let salted = answer(&[
        "skew",
        &data,
        "--by",
        "country,salt",
        "--partitions",
        "20",
        "--recipe",
        path.to_str().unwrap(),
    ]);
    assert_eq!(salted["profile"]["columns"][1]["spark_type"], "int");
    let (before, after) = (&found["metrics"]["max"], &salted["metrics"]["max"]);
    assert!(
        after.as_u64().unwrap() * 4 < before.as_u64().unwrap(),
        "{before} to {after}"
    );
}

/// The remedy of a kind, of an answer.
pub fn remedy<'a>(answer: &'a Value, kind: &str) -> &'a Value {
    let remedies = answer["remedies"].as_array().unwrap().iter();
    let found = remedies.clone().find(|remedy| remedy["remedy"]["kind"] == kind);
    found.unwrap_or_else(|| {
        panic!(
            "no {kind} in {:?}",
            remedies.map(|r| &r["title"]).collect::<Vec<_>>()
        )
    })
}

#[test]
fn remedies_print_loads_before_and_after_and_steps_that_a_recipe_takes_as_they_are() {
    let folder = tempfile::tempdir().unwrap();
    let data = lake(&folder.path().join("lake"));
    let arguments = ["skew", &data, "--by", "country", "--partitions", "20"];
    let found = answer(&arguments);
    let output = run(&arguments);
    let text = String::from_utf8(output.stdout).unwrap();
    let lines: Vec<&str> = text.lines().collect();
    let at = lines.iter().position(|line| line.starts_with("→ Salt")).unwrap();
    let now = lines[at..]
        .iter()
        .find(|line| line.starts_with("  now "))
        .unwrap();
    let after = lines[at..]
        .iter()
        .find(|line| line.starts_with("  after (predicted)"))
        .unwrap();
    let ratio = |value: &Value| format!("{:.2}", value["max_over_mean"].as_f64().unwrap());
    assert!(now.contains(&ratio(&found["metrics"])), "{now}");
    assert!(
        after.contains(&ratio(&remedy(&found, "salt")["after"])),
        "{after}"
    );
    let step = lines[at..]
        .iter()
        .find(|line| line.starts_with("    - salt: "))
        .unwrap();
    // Pasted as it is, it runs.
    let recipe = folder.path().join("pasted.yaml");
    fs::write(
        &recipe,
        format!("apiVersion: skewer/v1\nkind: Recipe\nsteps:\n{step}\n"),
    )
    .unwrap();
    let salted = answer(&[
        "skew",
        &data,
        "--by",
        "country,salt",
        "--partitions",
        "20",
        "--recipe",
        recipe.to_str().unwrap(),
    ]);
    assert!(salted["metrics"]["max"].as_u64() < found["metrics"]["max"].as_u64());
    assert!(
        text.contains("In a recipe: the step `join` with `on: [country]`"),
        "{text}"
    );
    assert!(text.contains("after: no shuffle by this key"), "{text}");
}

#[test]
fn a_broadcast_names_the_data_that_the_recipe_has_and_another_n_is_a_setting() {
    let folder = tempfile::tempdir().unwrap();
    let data = lake(&folder.path().join("lake"));
    let found = answer(&["skew", &data, "--by", "country", "--partitions", "200"]);
    assert!(remedy(&found, "broadcast").get("steps").is_none());
    // Few tasks would save their starts, yet the hot key's would be as long: that comes behind what spreads the key.
    let kinds: Vec<&str> = found["remedies"]
        .as_array()
        .unwrap()
        .iter()
        .map(|remedy| remedy["remedy"]["kind"].as_str().unwrap())
        .collect();
    let at = |kind: &str| kinds.iter().position(|found| *found == kind).unwrap();
    assert!(at("salt") < at("other_partitions"), "{kinds:?}");
    assert_eq!(
        remedy(&found, "other_partitions")["remedy"]["n_partitions"],
        found["choice"]["recommended"]
    );
    // On a cluster of as many slots, with rows that take their time, collisions cost.
    let slow = ["--slots", "400", "--mb-per-second", "0.0001"];
    let even = answer(&[&["skew", &data, "--by", "user", "--partitions", "400"][..], &slow].concat());
    let other = remedy(&even, "other_partitions");
    assert_eq!(
        other["spark_setting"],
        format!("spark.sql.shuffle.partitions={}", other["remedy"]["n_partitions"])
    );
    assert!(other.get("steps").is_none() && other["after"]["straggler_seconds"].is_number());
    let names = folder.path().join("names.jsonl");
    fs::write(&names, "{\"country\":\"US\",\"name\":\"States\"}\n").unwrap();
    let recipe = folder.path().join("recipe.yaml");
    let schema =
        json!({"fields": [{"name": "country", "type": "string"}, {"name": "name", "type": "string"}]});
    let mut file = json!({"apiVersion": "skewer/v1", "kind": "Recipe", "steps": [],
        "inputs": {"names": {"uri": names.to_str().unwrap(), "schema": schema}}});
    fs::write(&recipe, file.to_string()).unwrap();
    let path = recipe.to_str().unwrap();
    let found = answer(&[
        "skew",
        &data,
        "--by",
        "country",
        "--partitions",
        "200",
        "--recipe",
        path,
    ]);
    let steps = &remedy(&found, "broadcast")["steps"];
    assert_eq!(steps[0]["join"]["input"], "names");
    assert_eq!(steps[0]["join"]["on"], json!(["country"]));
    // With the step in its place, the join gives the other side's column, and is not offered a second time.
    file["steps"] = steps.clone();
    fs::write(&recipe, file.to_string()).unwrap();
    let joined = answer(&["preview", &data, "--rows", "3", "--recipe", path]);
    let columns: Vec<&Value> = joined["schema"]
        .as_array()
        .unwrap()
        .iter()
        .map(|field| &field["name"])
        .collect();
    assert!(columns.iter().any(|name| *name == "name"), "{columns:?}");
}

#[test]
fn columns_that_were_counted_too_are_offered_as_a_key_with_their_loads() {
    let folder = tempfile::tempdir().unwrap();
    let lake = lake(folder.path());
    let found = answer(&[
        "skew",
        &lake,
        "--by",
        "country",
        "--by",
        "country,user",
        "--partitions",
        "20",
    ]);
    let compound = remedy(&found, "compound_key");
    assert_eq!(compound["remedy"]["added"], json!(["user"]));
    // The same as when that key is asked for by itself.
    let alone = answer(&["skew", &lake, "--by", "country,user", "--partitions", "20"]);
    assert_eq!(compound["after"], alone["metrics"]);
    let loads: Vec<&Value> = alone["partitions"]
        .as_array()
        .unwrap()
        .iter()
        .map(|load| &load["load"])
        .collect();
    assert_eq!(
        compound["loads"].as_array().unwrap().iter().collect::<Vec<_>>(),
        loads
    );
}

#[test]
fn sentinels_are_kept_apart_only_where_that_makes_the_largest_partition_smaller() {
    let folder = tempfile::tempdir().unwrap();
    let lake = lake(folder.path());
    let found = answer(&["skew", &lake, "--by", "country", "--partitions", "20"]);
    let kinds: Vec<&str> = found["remedies"]
        .as_array()
        .unwrap()
        .iter()
        .map(|remedy| remedy["remedy"]["kind"].as_str().unwrap())
        .collect();
    // Null is hot, but half of the rows are of one other key.
    assert!(
        codes(&found).contains(&"sentinel_key") && !kinds.contains(&"isolate_sentinels"),
        "{kinds:?}"
    );
}

#[test]
fn nan_is_one_key_and_one_key_alone_divides_nothing_by_zero() {
    let folder = tempfile::tempdir().unwrap();
    let day = folder.path().join("lake/day=2020-01-01");
    fs::create_dir_all(&day).unwrap();
    let mut lines = String::new();
    for i in 0..40 {
        let x = ["0.0", "-0.0", "1.5", "2.5"][i % 4];
        writeln!(lines, r#"{{"x":{x},"one":"a"}}"#).unwrap();
    }
    fs::write(day.join("a.jsonl"), lines).unwrap();
    let data = folder.path().join("lake");
    let data = data.to_str().unwrap();
    let recipe = folder.path().join("nan.yaml");
    let steps =
        json!([{"derive": {"columns": {"nan": "CASE WHEN x > 1 THEN CAST('NaN' AS DOUBLE) ELSE x END"}}}]);
    fs::write(
        &recipe,
        json!({"apiVersion": "skewer/v1", "kind": "Recipe", "steps": steps}).to_string(),
    )
    .unwrap();
    let nan = answer(&[
        "skew",
        data,
        "--by",
        "nan",
        "--partitions",
        "4",
        "--recipe",
        recipe.to_str().unwrap(),
    ]);
    assert_eq!(nan["profile"]["distinct"]["n"], 2, "{}", nan["profile"]["top"]);
    assert_eq!(nan["profile"]["n_normalized"], 10);
    let labels: Vec<&str> = nan["profile"]["top"]
        .as_array()
        .unwrap()
        .iter()
        .map(|key| key["label"].as_str().unwrap())
        .collect();
    assert!(labels.contains(&"NaN"), "{labels:?}");
    let one = answer(&["skew", data, "--by", "one", "--partitions", "4"]);
    assert_eq!(
        (
            one["metrics"]["max_over_mean"].as_f64(),
            one["metrics"]["n_empty"].as_u64()
        ),
        (Some(4.0), Some(3))
    );
    assert_eq!(one["profile"]["normalized_entropy"], Value::Null);
    assert_eq!(one["choice"]["max_useful"], 1);
    assert!(!one.to_string().contains("NaN") && !one.to_string().contains("inf"));
    let text = String::from_utf8(run(&["skew", data, "--by", "one", "--partitions", "4"]).stdout).unwrap();
    assert!(!text.contains("NaN") && !text.contains("inf "), "{text}");
}

#[test]
fn lists_structs_minus_zero_and_spellings_are_said_plainly() {
    let folder = tempfile::tempdir().unwrap();
    let lake = lake(folder.path());
    let lists = answer(&["skew", &lake, "--by", "tags", "--partitions", "4"]);
    assert_eq!(lists["profile"]["columns"][0]["spark_type"], "array<bigint>");
    assert_eq!(lists["profile"]["distinct"]["n"], 3);
    let structs = answer(&["skew", &lake, "--by", "loc", "--partitions", "4"]);
    assert_eq!(
        structs["profile"]["columns"][0]["spark_type"],
        "struct<city:string>"
    );
    assert_eq!(
        structs["profile"]["top"][0]["key"][0]["city"]
            .as_str()
            .unwrap()
            .len(),
        2
    );
    let zeros = answer(&["skew", &lake, "--by", "x", "--partitions", "4"]);
    assert_eq!(
        (
            zeros["profile"]["distinct"]["n"].as_u64(),
            zeros["profile"]["n_normalized"].as_u64()
        ),
        (Some(1), Some(2000))
    );
    assert!(zeros["profile"]["notes"][0].as_str().unwrap().contains("-0.0"));
    let cities = answer(&["skew", &lake, "--by", "city", "--partitions", "2"]);
    assert!(codes(&cities).contains(&"key_variants"), "{:?}", codes(&cities));
}

#[test]
fn keys_are_ranked_and_their_types_chosen() {
    let folder = tempfile::tempdir().unwrap();
    let lake = lake(folder.path());
    let found = answer(&[
        "skew",
        &lake,
        "--by",
        "country",
        "--by",
        "user",
        "--by",
        "country,user",
        "--partitions",
        "8",
    ]);
    let ranking = found["ranking"].as_array().unwrap();
    let last: Vec<&str> = ranking[2]["columns"]
        .as_array()
        .unwrap()
        .iter()
        .map(|name| name.as_str().unwrap())
        .collect();
    assert_eq!(last, ["country"]);
    assert!(ranking[2]["verdict"].as_str().unwrap().contains("is"));
    let as_long = answer(&["skew", &lake, "--by", "user", "--partitions", "8"]);
    let as_int = answer(&[
        "skew",
        &lake,
        "--by",
        "user",
        "--partitions",
        "8",
        "--spark-type",
        "user=int",
        "--keys-only",
    ]);
    assert_eq!(as_long["profile"]["columns"][0]["spark_type"], "bigint");
    assert_ne!(as_long["partitions"], as_int["partitions"]);
    is_refused(
        &["skew", &lake, "--by", "country", "--spark-type", "country=int"],
        "does not fit Spark's `int`",
    );
    is_refused(
        &["skew", &lake, "--by", "country", "--spark-type", "country=strin"],
        "did you mean `string`?",
    );
    is_refused(
        &["skew", &lake, "--by", "country", "--spark-type", "user=int"],
        "is no column of a key",
    );
    is_refused(&["skew", &lake, "--by", "contry"], "did you mean `country`?");
    is_refused(&["skew", &lake, "--by", "country,"], "a column has no name");
    is_refused(&["skew", &lake, "--partitions", "8"], "--by");
    is_refused(
        &["skew", &lake, "--by", "country", "--partitions", "0"],
        "--partitions",
    );
}

#[test]
fn steps_come_before_the_key_and_those_that_need_a_day_are_refused() {
    let folder = tempfile::tempdir().unwrap();
    let data = lake(&folder.path().join("lake"));
    let recipe = |name: &str, steps: Value| {
        let path = folder.path().join(name);
        let file = json!({"apiVersion": "skewer/v1", "kind": "Recipe", "steps": steps});
        fs::write(&path, file.to_string()).unwrap();
        path.to_str().unwrap().to_owned()
    };
    let upper = recipe(
        "a.yaml",
        json!([{"filter": {"where": "country IS NOT NULL"}}, {"constant": {"into": "k", "value": 1}}]),
    );
    let found = answer(&[
        "skew",
        &data,
        "--by",
        "k",
        "--partitions",
        "8",
        "--recipe",
        &upper,
    ]);
    assert_eq!(
        (
            found["n_rows"].as_u64(),
            found["profile"]["distinct"]["n"].as_u64()
        ),
        (Some(3600), Some(1))
    );
    assert_eq!(found["metrics"]["n_empty"], 7);
    assert!(codes(&found).contains(&"too_few_keys"), "{:?}", codes(&found));
    let day = recipe("b.yaml", json!([{"dedupe": {"columns": ["user"]}}]));
    is_refused(
        &["skew", &data, "--by", "user", "--recipe", &day],
        "needs the rows of a whole partition",
    );
    let one = answer(&["skew", &data, "--by", "country", "--partition", "2020-01-01"]);
    assert_eq!(one["n_rows"], 2000);
}

#[test]
fn no_rows_are_no_skew_and_an_empty_file_no_panic() {
    let folder = tempfile::tempdir().unwrap();
    let data = lake(&folder.path().join("lake"));
    let path = folder.path().join("none.yaml");
    let file =
        json!({"apiVersion": "skewer/v1", "kind": "Recipe", "steps": [{"filter": {"where": "x < 0"}}]});
    fs::write(&path, file.to_string()).unwrap();
    let found = answer(&[
        "skew",
        &data,
        "--by",
        "country",
        "--recipe",
        path.to_str().unwrap(),
    ]);
    assert_eq!(
        (
            found["n_rows"].as_u64(),
            found["metrics"]["max_over_mean"].as_f64()
        ),
        (Some(0), None)
    );
    assert_eq!(found["findings"][0]["title"], "There are no rows");
    assert_eq!(found["choice"]["recommended"], Value::Null);
    let empty = folder.path().join("empty/day=2020-01-01");
    fs::create_dir_all(&empty).unwrap();
    fs::write(empty.join("a.jsonl"), "").unwrap();
    let output = run(&[
        "skew",
        folder.path().join("empty").to_str().unwrap(),
        "--by",
        "country",
    ]);
    assert!(
        !output.status.success() && !said(&output).contains("panicked"),
        "{}",
        said(&output)
    );
    assert!(!said(&output).trim().is_empty());
}

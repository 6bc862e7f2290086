//! `skewer profile` on small lakes: figures, ranges of days, recipes, samples, broken files, and what is refused.

use std::fmt::Write as _;
use std::path::Path;

use serde_json::Value;

use crate::cli::{fails, json, json_with, run, text_of, write};

fn lake() -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    for day in 1..=3 {
        let mut text = String::new();
        for i in 0..100 {
            let city = if i % 4 == 0 {
                "null".to_owned()
            } else {
                format!("\"c{}\"", i % 3)
            };
            let price = if i % 10 == 0 {
                String::new()
            } else {
                format!(", \"price\": {}", i * day)
            };
            let tags = "\"x\",".repeat(i % 3);
            writeln!(
                text,
                "{{\"id\": \"{day}-{i}\", \"place\": {{\"city\": {city}}}, \"tags\": [{}]{price}}}",
                tags.trim_end_matches(',')
            )
            .unwrap();
        }
        write(folder.path(), &format!("raw/2020/01/0{day}/a.jsonl"), text);
    }
    folder
}

fn at(folder: &Path, more: &[&str]) -> Value {
    let raw = folder.join("raw");
    let mut args = vec!["profile", text_of(&raw), "--json"];
    args.extend(more);
    json(&args)
}

fn column<'a>(answer: &'a Value, name: &str) -> &'a Value {
    let columns = answer["columns"].as_array().unwrap();
    columns
        .iter()
        .find(|column| column["name"] == name)
        .unwrap_or_else(|| panic!("no {name} in {columns:#?}"))
}

#[test]
fn every_column_is_told_with_nulls_missing_keys_spread_and_accuracy() {
    let folder = lake();
    let answer = at(folder.path(), &[]);
    assert_eq!(
        (&answer["n_rows"], &answer["accuracy"]["kind"]),
        (&300.into(), &"exact".into())
    );
    let price = column(&answer, "price");
    assert_eq!((&price["n_missing"], &price["n_null"]), (&30.into(), &0.into()));
    assert_eq!((&price["min"], &price["max"]), (&1.into(), &297.into()));
    assert_eq!(price["quantiles"].as_array().unwrap().len(), 9);
    let bins = price["histogram"]["bins"].as_array().unwrap();
    assert_eq!(
        bins.iter().map(|bin| bin["n"].as_u64().unwrap()).sum::<u64>(),
        270
    );
    let city = column(&answer, "place.city");
    assert_eq!(
        (&city["n_null"], &city["n_missing"], &city["n_distinct"]),
        (&75.into(), &0.into(), &3.into())
    );
    assert_eq!(city["top"].as_array().unwrap().len(), 3);
    assert_eq!(city["accuracy"]["top"]["kind"], "exact");
    let tags = column(&answer, "tags");
    assert_eq!(
        (&tags["lengths"]["min"], &tags["lengths"]["max"]),
        (&0.into(), &2.into())
    );
    assert_eq!(column(&answer, "tags[]")["n_rows"], 3 * 99);
    assert_eq!(column(&answer, "id")["n_distinct"], 300);
    let summary = at(folder.path(), &["--level", "summary"]);
    let price = column(&summary, "price");
    assert_eq!(price["quantiles"].as_array().unwrap().len(), 3);
    assert!(price["histogram"].is_null() && price["top"].as_array().unwrap().is_empty());
}

#[test]
fn partitions_columns_and_samples_are_chosen() {
    let folder = lake();
    let n_rows = |more: &[&str]| at(folder.path(), more)["n_rows"].as_u64().unwrap();
    assert_eq!(n_rows(&["--partition", "2020-01-02"]), 100);
    assert_eq!(n_rows(&["--partition", "2020-01-02..2020-01-09"]), 200);
    assert_eq!(n_rows(&["--partition", "2020-01-02.."]), 200);
    assert_eq!(n_rows(&["--partition", "..2020-01"]), 300);
    let answer = at(folder.path(), &["--columns", "place.city,id,place"]);
    let names: Vec<&Value> = answer["columns"]
        .as_array()
        .unwrap()
        .iter()
        .map(|c| &c["name"])
        .collect();
    assert_eq!(names, ["place", "place.city", "id"]);
    let sample = at(folder.path(), &["--sample", "30"]);
    assert_eq!(
        (&sample["n_rows"], &sample["accuracy"]["kind"]),
        (&30.into(), &"sample".into())
    );
    let raw = folder.path().join("raw");
    let raw = text_of(&raw);
    fails(
        &["profile", raw, "--columns", "pricee"],
        2,
        &["`pricee` not found", "did you mean `price`?"],
    );
    fails(
        &["profile", raw, "--partition", "2021-01-01..2021-01-02"],
        2,
        &[
            "no partition in 2021-01-01..2021-01-02",
            "2020-01-03",
            "skewer ls",
        ],
    );
    fails(
        &["profile", raw, "--partition", "x..y"],
        2,
        &["`x..y` is no range of dates", "2020-01-01..2020-01-31"],
    );
}

#[test]
fn a_recipe_is_applied_unless_it_needs_whole_partitions() {
    let folder = lake();
    let recipe = |name: &str, steps: &str| {
        let text = format!("apiVersion: skewer/v1\nkind: Recipe\nsteps:\n{steps}");
        write(folder.path(), name, text)
    };
    let rows = recipe(
        "rows.yaml",
        "- filter: {where: price > 90}\n- derive: {columns: {double: price * 2}}\n",
    );
    let answer = at(folder.path(), &["--recipe", text_of(&rows)]);
    let double = column(&answer, "double");
    assert_eq!((&double["min"], &double["max"]), (&182.into(), &594.into()));
    assert!(
        double["n_missing"].is_null(),
        "a null after a recipe may have any reason"
    );
    assert_eq!(
        (
            answer["n_records"].as_u64(),
            answer["n_rows"].as_u64() < Some(300)
        ),
        (Some(300), true)
    );
    let day = recipe("day.yaml", "- dedupe: {columns: [id]}\n");
    let raw = folder.path().join("raw");
    fails(
        &["profile", text_of(&raw), "--recipe", text_of(&day)],
        2,
        &["step 1 `dedupe", "whole partition"],
    );
}

#[test]
fn broken_files_and_values_of_another_type_are_counted() {
    let folder = tempfile::tempdir().unwrap();
    let good = "{\"n\": 1, \"s\": \"a\"}\n".repeat(300);
    write(
        folder.path(),
        "a.jsonl",
        format!("{good}no json\n{{\"n\": [7], \"s\": 5}}\n"),
    );
    write(folder.path(), "b.jsonl.gz", [0x1f, 0x8b, 8, 0, 0]);
    let answer = json_with(&["profile", text_of(folder.path()), "--json"], 11);
    assert_eq!(answer["n_rows"], 301);
    let failed = answer["failed_files"][0]["object"].as_str().unwrap();
    assert!(failed.ends_with("b.jsonl.gz"), "{answer}");
    assert_eq!(
        (&answer["rejected"]["invalid_json"], &answer["n_files_failed"]),
        (&1.into(), &1.into())
    );
    let conflict = &column(&answer, "n")["conflict"];
    assert_eq!(
        (&conflict["n"], &conflict["first_line"]),
        (&1.into(), &302.into()),
        "{answer:#}"
    );
    let told = run(&["profile", text_of(folder.path())]);
    assert_eq!(told.status.code(), Some(11));
    let told = String::from_utf8(told.stdout).unwrap();
    assert!(told.contains("1 rejected record: 1 "), "{told}");
    assert!(
        told.contains("b.jsonl.gz: the compressed data") && told.contains("→ write them again"),
        "{told}"
    );
    assert!(told.contains("n: 1 value of another type than int64"), "{told}");
}

#[test]
fn parquet_and_the_sample_lake_are_profiled_as_text_too() {
    let told = run(&["profile", "sample_data/processed"]);
    let text = String::from_utf8(told.stdout).unwrap();
    assert!(told.status.success() && text.contains("rows of"), "{text}");
    let day = json(&[
        "profile",
        "sample_data/raw",
        "--partition",
        "2020-01-02",
        "--json",
    ]);
    assert!(day["n_rows"].as_u64().unwrap() > 0);
    assert!(column(&day, "id")["n_distinct"].as_u64().unwrap() > 0);
}

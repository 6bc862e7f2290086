//! `skewer profile` and `skewer schema` on lakes whose files do not agree: other types of a column, other formats, files that
//! nobody can read. All commands go on, name what they leave out, and end with the same code.

use std::path::Path;
use std::sync::Arc;

use arrow::array::{ArrayRef, Float64Array, Int32Array, Int64Array, RecordBatch, StringArray};
use serde_json::{Value, json};

use crate::cli::{fails, json, json_with, run, text_of, write};
use crate::dataset::parquet_of;

fn parquet(folder: &Path, name: &str, columns: Vec<(&str, ArrayRef)>) {
    let batch = RecordBatch::try_from_iter(columns).unwrap();
    write(folder, name, parquet_of(&batch));
}

/// Three files: `id` is a text in the second, `v` of another type in each.
fn lake() -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    let ids = || Arc::new(Int64Array::from_iter_values(0..100)) as ArrayRef;
    let small = Arc::new(Int32Array::from_iter_values(0..100)) as ArrayRef;
    parquet(
        folder.path(),
        "day=2020-01-01/a.parquet",
        vec![("id", ids()), ("v", small)],
    );
    let texts = StringArray::from_iter_values((0..50).map(|n| format!("x{n}")));
    let halves = Float64Array::from_iter_values((0..50).map(|n| f64::from(n) / 2.0));
    parquet(
        folder.path(),
        "day=2020-01-02/b.parquet",
        vec![
            ("id", Arc::new(texts) as ArrayRef),
            ("v", Arc::new(halves) as ArrayRef),
        ],
    );
    parquet(
        folder.path(),
        "day=2020-01-03/c.parquet",
        vec![("id", ids()), ("v", ids())],
    );
    folder
}

fn text(args: &[&str]) -> String {
    String::from_utf8(run(args).stdout).unwrap()
}

#[test]
fn columns_of_several_types_are_profiled_together_and_told_with_their_files() {
    let folder = lake();
    let at = text_of(folder.path());
    let answer = json(&["profile", at, "--json"]);
    assert_eq!(
        (
            &answer["n_rows"],
            &answer["n_files_failed"],
            &answer["accuracy"]["kind"]
        ),
        (&json!(250), &json!(0), &json!("exact"))
    );
    let [id, v] = [0, 1].map(|at| &answer["columns"][at]);
    assert_eq!(
        (&id["dtype"], &id["n_null"], &id["n_distinct"]),
        (&json!("string"), &json!(0), &json!(150))
    );
    assert_eq!(
        (&v["dtype"], &v["max"], &v["n_null"]),
        (&json!("float64"), &json!(99.0), &json!(0))
    );
    let mean = (4950.0 + 612.5 + 4950.0) / 250.0;
    assert!((v["mean"].as_f64().unwrap() - mean).abs() < 1e-9, "{v}");
    let types = |conflict: &Value| -> Vec<(String, u64, u64)> {
        let dtypes = conflict["dtypes"].as_array().unwrap().iter();
        dtypes
            .map(|seen| {
                let n = |key: &str| seen[key].as_u64().unwrap();
                (seen["dtype"].as_str().unwrap().to_owned(), n("n"), n("n_files"))
            })
            .collect()
    };
    assert_eq!(
        types(&answer["conflicts"][0]),
        [("int64".to_owned(), 200, 2), ("string".to_owned(), 50, 1)]
    );
    assert_eq!(types(&answer["conflicts"][1]).len(), 3);
    let schema = json(&["schema", at, "--json"]);
    assert_eq!(schema["conflicts"], answer["conflicts"]);
    assert_eq!(schema["fields"][0]["dtype"], "string");
    let told = text(&["profile", at]);
    assert!(
        told.contains(
            "id: read as string; by the footers int64 in 200 rows of 2 files, string in 50 rows of 1 file"
        ) && told.contains("b.parquet:1")
            && told.contains("→ write the files of one type again"),
        "{told}"
    );
}

#[test]
fn a_recipe_sees_the_type_of_the_first_file_and_the_others_are_named() {
    let folder = lake();
    let recipe = write(
        folder.path(),
        "recipe.yaml",
        "- derive: {columns: {next: id + 1}}\n",
    );
    let at = text_of(folder.path());
    let answer = json_with(&["profile", at, "--recipe", text_of(&recipe), "--json"], 11);
    let reason = answer["failed_files"][0]["reason"].as_str().unwrap();
    assert!(
        reason.contains("column `id` is string, it is declared as int64: write the file again"),
        "{reason}"
    );
}

#[test]
fn a_file_that_no_one_can_read_ends_every_command_with_the_same_code_and_its_name() {
    let folder = tempfile::tempdir().unwrap();
    write(
        folder.path(),
        "lines/day=2020-01-01/a.jsonl",
        "{\"a\": 1}\n".repeat(10),
    );
    write(
        folder.path(),
        "lines/day=2020-01-02/bad.jsonl.gz",
        b"\x1f\x8b\x08\x00garbage here",
    );
    let ids = Arc::new(Int64Array::from_iter_values(0..100)) as ArrayRef;
    parquet(folder.path(), "rows/day=2020-01-01/a.parquet", vec![("a", ids)]);
    write(folder.path(), "rows/day=2020-01-02/bad.parquet", b"PAR1garbage");
    write(folder.path(), "rows/day=2020-01-03/bad0.parquet", b"");
    for (lake, n) in [("lines", 10), ("rows", 100)] {
        let at = folder.path().join(lake);
        let at = text_of(&at);
        for command in [
            vec!["profile", at],
            vec!["schema", at],
            vec!["schema", at, "--map"],
        ] {
            let told = run(&command);
            assert_eq!(told.status.code(), Some(11), "{command:?}");
            let told = String::from_utf8(told.stdout).unwrap();
            assert!(
                told.contains("could not be read to the end")
                    && told.contains("bad.")
                    && told.contains("→ write them"),
                "{command:?}: {told}"
            );
            let answer = json_with(&[command, vec!["--json"]].concat(), 11);
            assert_ne!(answer["accuracy"]["kind"], "exact", "{answer}");
            let failed = answer["failed_files"].as_array().unwrap();
            assert!(
                failed
                    .iter()
                    .all(|file| !file["reason"].as_str().unwrap().is_empty())
                    && !failed.is_empty()
            );
        }
        assert_eq!(json_with(&["profile", at, "--json"], 11)["n_rows"], n);
    }
    std::fs::remove_dir_all(folder.path().join("rows/day=2020-01-01")).unwrap();
    let at = folder.path().join("rows");
    for command in [["profile", text_of(&at)], ["schema", text_of(&at)]] {
        fails(&command, 1, &["bad.parquet", "write it again or remove it"]);
    }
    let told = run(&["schema", text_of(&at), "--map"]);
    assert_eq!(told.status.code(), Some(1));
    assert!(
        String::from_utf8(told.stdout)
            .unwrap()
            .contains("bad.parquet: not a readable Parquet file: Invalid Parquet file")
    );
}

#[test]
fn a_lake_of_two_formats_is_read_as_the_first_and_the_other_is_named() {
    let folder = tempfile::tempdir().unwrap();
    write(folder.path(), "day=2020-01-01/a.jsonl", "{\"a\": 1}\n".repeat(10));
    let ids = Arc::new(Int64Array::from_iter_values(0..100)) as ArrayRef;
    parquet(folder.path(), "day=2020-01-02/b.parquet", vec![("a", ids)]);
    let at = text_of(folder.path());
    let profile = json_with(&["profile", at, "--json"], 11);
    assert_eq!(
        (&profile["n_rows"], &profile["n_files_failed"]),
        (&json!(10), &json!(1))
    );
    for answer in [profile, json_with(&["schema", at, "--json"], 11)] {
        let failed = &answer["failed_files"][0];
        assert!(
            failed["object"].as_str().unwrap().ends_with("b.parquet")
                && failed["reason"].as_str().unwrap().contains("a folder of its own"),
            "{failed}"
        );
    }
}

#[test]
fn nulls_and_missing_keys_have_columns_of_their_own() {
    let folder = tempfile::tempdir().unwrap();
    let lines = "{\"a\": 1, \"b\": null}\n{\"a\": 1, \"b\": 2}\n{\"a\": 1}\n{\"a\": 1}\n";
    write(folder.path(), "a.jsonl", lines.repeat(25));
    let told = text(&["profile", text_of(folder.path())]);
    let b = told.lines().find(|line| line.starts_with("b ")).unwrap();
    let words: Vec<&str> = b.split_whitespace().take(5).collect();
    assert_eq!(words, ["b", "int64", "25%", "50%", "1"], "{told}");
}

#[test]
fn summaries_of_a_writer_beside_parquet_are_no_data() {
    let folder = tempfile::tempdir().unwrap();
    let ids = || Arc::new(Int64Array::from_iter_values(0..100)) as ArrayRef;
    parquet(folder.path(), "t/a.parquet", vec![("a", ids())]);
    for name in ["_metadata", "_common_metadata"] {
        parquet(folder.path(), &format!("t/{name}"), vec![("a", ids())]);
    }
    write(folder.path(), "t/_SUCCESS", b"");
    let at = folder.path().join("t");
    let answer = json(&["profile", text_of(&at), "--json"]);
    assert_eq!((&answer["n_rows"], &answer["n_files"]), (&json!(100), &json!(1)));
}

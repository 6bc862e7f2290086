//! `skewer skew --rows` beside rows that were counted while they were written: exact for Parquet, an interval for JSON
//! Lines, and files that are empty or broken.

use std::fmt::Write as _;
use std::path::Path;

use polars::prelude::df;
use serde_json::Value;
use skewer::dataset::arrow_bridge;

use crate::cli::{json, json_with, run, text_of, write};
use crate::dataset::{gzip, parquet_of};

fn lines(day: u64, file: u64, n: u64) -> String {
    let mut text = String::new();
    for i in 0..n {
        // Records of 20 to 170 bytes.
        let noise = (day * 7919 + file * 104_729 + i).wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 40;
        let words = "x".repeat(usize::try_from(noise % 150).unwrap());
        writeln!(text, "{{\"id\": {i}, \"t\": \"{words}\"}}").unwrap();
    }
    text
}

fn parquet(n: i64) -> Vec<u8> {
    let df = df!("id" => (0..n).collect::<Vec<_>>()).unwrap();
    parquet_of(&arrow_bridge::to_arrow(&df).unwrap())
}

fn rows(folder: &Path) -> Value {
    let output = run(&["skew", text_of(folder), "--rows", "--json"]);
    let answer: Value = serde_json::from_slice(&output.stdout).unwrap();
    // Files that cannot be read are no success.
    let expected = if answer["n_unreadable"] == 0 { 0 } else { 11 };
    assert_eq!(output.status.code(), Some(expected), "{answer}");
    answer
}

fn of_day<'a>(answer: &'a Value, day: &str) -> &'a Value {
    let partitions = answer["partitions"].as_array().unwrap();
    &partitions.iter().find(|line| line["partition"] == day).unwrap()["rows"]
}

#[test]
fn a_lake_of_four_kinds_of_files_is_estimated_within_its_error_and_its_parquet_exactly() {
    let folder = tempfile::tempdir().unwrap();
    let mut truth = 0;
    for day in 1..=4_u64 {
        for file in 0..24_u64 {
            // 10 to 300 rows.
            let n = 10 + (day * 31 + file * 17) % 30 * 10;
            truth += n;
            let text = lines(day, file, n);
            let (ending, bytes) = match (day, file % 3) {
                (4, _) => ("parquet", parquet(i64::try_from(n).unwrap())),
                (_, 0) => ("jsonl.gz", gzip(&text)),
                (_, 1) => ("jsonl.zst", zstd::encode_all(text.as_bytes(), 1).unwrap()),
                _ => ("jsonl", text.into_bytes()),
            };
            write(
                folder.path(),
                &format!("day_partition=2020-01-0{day}/f{file:02}.{ending}"),
                bytes,
            );
        }
    }
    let answer = rows(folder.path());
    let parquet = of_day(&answer, "2020-01-04");
    let expected: u64 = (0..24).map(|file| 10 + (4 * 31 + file * 17) % 30 * 10).sum();
    assert_eq!(
        (&parquet["n_rows"], &parquet["accuracy"]["kind"]),
        (&expected.into(), &"exact".into())
    );
    let total = &answer["rows"];
    let (n_rows, error) = (
        total["n_rows"].as_u64().unwrap(),
        total["error"].as_u64().unwrap(),
    );
    assert_eq!(total["accuracy"]["kind"], "estimate");
    assert!(n_rows.abs_diff(truth) <= error, "{n_rows} ± {error}: {truth}");
    // Compressed files are held against compressed ones, else the interval would be as wide as the codecs are apart.
    assert!(error * 3 < n_rows, "{n_rows} ± {error}");
    let few = json(&[
        "skew",
        text_of(folder.path()),
        "--rows",
        "--range",
        "2020-01-04",
        "--json",
    ]);
    assert_eq!(
        (&few["rows"]["n_rows"], &few["rows"]["n_files"]),
        (&expected.into(), &24.into())
    );
    // Four of each ending and day, and every footer.
    assert_eq!(
        (&total["n_files_read"], &total["n_files"]),
        (&60.into(), &96.into())
    );
}

#[test]
fn empty_and_broken_files_are_counted_as_what_can_be_read_of_them() {
    let folder = tempfile::tempdir().unwrap();
    write(folder.path(), "2020/01/01/none.parquet", parquet(0));
    write(folder.path(), "2020/01/01/some.parquet", parquet(70));
    let whole = parquet(5000);
    write(folder.path(), "2020/01/02/cut.parquet", &whole[..whole.len() - 9]);
    write(folder.path(), "2020/01/02/some.parquet", parquet(5000));
    write(folder.path(), "2020/01/03/nothing.parquet", []);
    let answer = rows(folder.path());
    let first = of_day(&answer, "2020-01-01");
    assert_eq!(
        (&first["n_rows"], &first["accuracy"]["kind"]),
        (&70.into(), &"exact".into())
    );
    let second = of_day(&answer, "2020-01-02");
    assert_eq!(
        (&second["accuracy"]["kind"], &second["n_files_read"]),
        (&"estimate".into(), &1.into())
    );
    assert!(
        (9900..=10_100).contains(&second["n_rows"].as_u64().unwrap()),
        "{second}"
    );
    assert_eq!(of_day(&answer, "2020-01-03")["n_rows"], 0);
    let told = run(&["skew", text_of(folder.path()), "--rows"]);
    let told = String::from_utf8(told.stdout).unwrap();
    assert!(told.contains("1 file could not be read"), "{told}");
    assert_eq!(answer["n_unreadable"], 1);

    // A compressed file that breaks off has the lines before the break, as a run reads them.
    let folder = tempfile::tempdir().unwrap();
    let packed = gzip(&lines(1, 1, 3000));
    write(
        folder.path(),
        "2020/01/01/a.jsonl.gz",
        &packed[..packed.len() / 2],
    );
    let counted = rows(folder.path())["rows"]["n_rows"].clone();
    let read = json_with(&["profile", text_of(folder.path()), "--json"], 11);
    assert_eq!(
        (&counted, &read["rejected"]["truncated"]),
        (&read["n_rows"], &1.into())
    );
    assert!(counted.as_u64().unwrap() > 500, "{counted}");
}

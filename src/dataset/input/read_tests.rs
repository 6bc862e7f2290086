//! Rows of inputs from files on disk: order, origin, rejects, and what is too large.

use std::fs;
use std::path::Path;
use std::sync::Arc;

use arrow::array::{ArrayRef, Int32Array, RecordBatch, StringArray};
use chrono::NaiveDate;
use parquet::arrow::ArrowWriter;
use polars::prelude::DataType;

use super::{InputLimits, InputReadError, InputRows, InputSource};
use crate::base::{Accuracy, Cancel, envelope};
use crate::dataset::{InputSpec, Reason, origin};
use crate::storage::StoreOptions;

const PLENTY: InputLimits = InputLimits {
    max_bytes: 64 << 20,
    max_rows: None,
};

async fn read(folder: &Path, spec: &str, limits: InputLimits) -> Result<InputRows, InputReadError> {
    let spec: InputSpec = envelope::from_yaml(&format!("uri: clicks\n{spec}")).unwrap();
    let source = InputSource::new(&spec, folder).unwrap();
    let store = source.open(&StoreOptions::default()).await.unwrap();
    let cancel = Cancel::new();
    let objects = source.list(&store, NaiveDate::default(), &cancel).await.unwrap();
    source.read(&store, &objects, limits, &cancel).await
}

fn put(folder: &Path, name: &str, content: impl AsRef<[u8]>) {
    let path = folder.join("clicks").join(name);
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    fs::write(path, content).unwrap();
}

fn lines(ids: std::ops::Range<i64>) -> String {
    let lines: Vec<String> = ids
        .map(|id| format!("{{\"id\": {id}, \"more\": \"{}\"}}\n", "x".repeat(20)))
        .collect();
    lines.concat()
}

const JSONL: &str = "schema: {fields: [{name: id, type: int64, required: true}]}";

fn ids(rows: &InputRows) -> Vec<i64> {
    rows.df
        .column("id")
        .unwrap()
        .i64()
        .unwrap()
        .iter()
        .flatten()
        .collect()
}

#[tokio::test]
async fn rows_come_in_the_order_of_files_and_lines_with_their_origin_and_only_declared_columns() {
    let folder = tempfile::tempdir().unwrap();
    // The middle file is streamed, the others are fetched whole.
    put(folder.path(), "a.jsonl", lines(0..3));
    put(folder.path(), "b.jsonl", lines(3..40_000));
    put(
        folder.path(),
        "c.jsonl.zst",
        zstd::encode_all(lines(40_000..40_002).as_bytes(), 1).unwrap(),
    );
    put(folder.path(), "empty.jsonl", "");
    let rows = read(folder.path(), JSONL, PLENTY).await.unwrap();
    assert_eq!(ids(&rows), (0..40_002).collect::<Vec<_>>());
    assert_eq!((rows.accuracy, rows.n_rejects()), (Accuracy::Exact, 0));
    assert_eq!(rows.df.width(), 4, "the key and its origin");
    assert_eq!(
        rows.drift.unknown["more"].n, 40_002,
        "what is not declared is counted"
    );
    let at = |name: &str, row: usize| rows.df.column(name).unwrap().get(row).unwrap().extract::<u64>();
    assert_eq!((at(origin::OBJECT, 4), at(origin::LINE, 4)), (Some(1), Some(2)));
    assert_eq!(at(origin::LINE, 40_001), Some(2));
    assert!(
        rows.objects[2].ends_with("clicks/c.jsonl.zst"),
        "{:?}",
        rows.objects
    );
}

#[tokio::test]
async fn records_that_do_not_fit_are_counted_by_reason_and_broken_files_as_files() {
    let folder = tempfile::tempdir().unwrap();
    put(
        folder.path(),
        "a.jsonl",
        "{\"id\": 1}\n{\"id\": \"x\"}\noops\n{}\n{\"id\": 2}\n",
    );
    let whole = zstd::encode_all(lines(3..5000).as_bytes(), 1).unwrap();
    put(folder.path(), "b.jsonl.zst", &whole[..whole.len() / 2]);
    let rows = read(folder.path(), JSONL, PLENTY).await.unwrap();
    assert_eq!(rows.n_rejects(), 4);
    assert_eq!(rows.by_reason[&Reason::MissingField], 1);
    assert_eq!((rows.by_reason[&Reason::Truncated], rows.n_files_failed), (1, 1));
    assert_eq!(ids(&rows)[..2], [1, 2]);
    assert!(rows.rejects[0].object.ends_with("a.jsonl"));
}

#[tokio::test]
async fn more_than_the_memory_holds_is_an_error_with_its_remedies_and_a_sample_is_marked() {
    let folder = tempfile::tempdir().unwrap();
    put(folder.path(), "a.jsonl", lines(0..50));
    put(folder.path(), "b.jsonl", lines(50..100_000));
    let limits = InputLimits {
        max_bytes: 1 << 20,
        max_rows: None,
    };
    let error = read(folder.path(), JSONL, limits).await.unwrap_err().to_string();
    assert!(error.contains("more than 1.0 MB in memory"), "{error}");
    assert!(
        error.contains("declare fewer of its columns, or aggregate it first"),
        "{error}"
    );
    let limits = InputLimits {
        max_bytes: 1 << 20,
        max_rows: Some(60),
    };
    let rows = read(folder.path(), JSONL, limits).await.unwrap();
    assert_eq!(ids(&rows), (0..60).collect::<Vec<_>>());
    assert_eq!(rows.accuracy, Accuracy::Sample { n: 60, of: None });
    let all = InputLimits {
        max_rows: Some(100_000),
        ..PLENTY
    };
    assert!(read(folder.path(), JSONL, all).await.unwrap().accuracy.is_exact());
}

fn parquet_of(columns: Vec<(&str, ArrayRef)>) -> Vec<u8> {
    let batch = RecordBatch::try_from_iter(columns).unwrap();
    let mut writer = ArrowWriter::try_new(Vec::new(), batch.schema(), None).unwrap();
    writer.write(&batch).unwrap();
    writer.into_inner().unwrap()
}

#[tokio::test]
async fn parquet_gives_the_declared_columns_widened_and_files_of_other_types_are_rejected() {
    let folder = tempfile::tempdir().unwrap();
    let numbers = |values: Vec<i32>| Arc::new(Int32Array::from(values)) as ArrayRef;
    let texts = |values: Vec<&str>| Arc::new(StringArray::from(values)) as ArrayRef;
    put(
        folder.path(),
        "a.parquet",
        parquet_of(vec![("text", texts(vec!["x", "y"])), ("id", numbers(vec![7, 8]))]),
    );
    put(
        folder.path(),
        "b.parquet",
        parquet_of(vec![("id", texts(vec!["seven"]))]),
    );
    put(
        folder.path(),
        "c.parquet",
        parquet_of(vec![("other", numbers(vec![1]))]),
    );
    put(folder.path(), "d.parquet", "PAR1, or not");
    let spec = "format: parquet\nschema: {fields: [{name: id, type: int64}, {name: note, type: string}]}";
    let rows = read(folder.path(), spec, PLENTY).await.unwrap();
    assert_eq!(ids(&rows), [7, 8]);
    assert_eq!(*rows.df.column("note").unwrap().dtype(), DataType::String);
    assert_eq!(rows.df.column("note").unwrap().null_count(), 2);
    assert_eq!((rows.n_rejects(), rows.n_files_failed), (3, 3));
    let messages: Vec<&str> = rows
        .rejects
        .iter()
        .map(|reject| reject.message.as_str())
        .collect();
    assert_eq!(messages[0], "column `id` is string, it is declared as int64");
    assert!(
        messages[1].contains("none of the declared columns"),
        "{messages:?}"
    );
}

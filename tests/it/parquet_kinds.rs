//! Parquet as other programs write it: every codec, maps, a file among broken ones, and files that no one can read.

use std::sync::Arc;

use arrow::array::{
    ArrayRef, Int64Array, MapBuilder, RecordBatch, StringArray, StringBuilder, UInt32Builder,
};
use parquet::arrow::ArrowWriter;
use parquet::basic::{BrotliLevel, Compression, GzipLevel, ZstdLevel};
use parquet::file::properties::WriterProperties;
use serde_json::{Value, json};

use crate::cli::{fails, json, json_with, text_of, write};

/// Ten rows: an id, a word, and a map of one to three entries, of none in the first row, and no map in the second.
pub fn with_a_map() -> RecordBatch {
    let mut map = MapBuilder::new(None, StringBuilder::new(), UInt32Builder::new());
    for row in 0..10_u32 {
        for entry in 0..row % 4 {
            map.keys().append_value(["a", "b", "c"][entry as usize]);
            map.values()
                .append_option((entry != 1).then_some(row * 10 + entry));
        }
        map.append(row != 1).unwrap();
    }
    let map: ArrayRef = Arc::new(map.finish());
    assert_eq!(map.null_count(), 1);
    RecordBatch::try_from_iter_with_nullable([
        (
            "id",
            Arc::new(Int64Array::from_iter_values(0..10)) as ArrayRef,
            true,
        ),
        (
            "word",
            Arc::new(StringArray::from_iter_values(
                (0..10).map(|n| format!("w{}", n % 3)),
            )) as ArrayRef,
            true,
        ),
        ("tags", map, true),
    ])
    .unwrap()
}

pub fn written(batch: &RecordBatch, codec: Compression) -> Vec<u8> {
    let properties = WriterProperties::builder().set_compression(codec).build();
    let mut bytes = Vec::new();
    let mut writer = ArrowWriter::try_new(&mut bytes, batch.schema(), Some(properties)).unwrap();
    writer.write(batch).unwrap();
    writer.close().unwrap();
    bytes
}

fn column<'a>(answer: &'a Value, name: &str) -> &'a Value {
    let columns = answer["columns"].as_array().unwrap();
    columns.iter().find(|column| column["name"] == name).unwrap()
}

#[test]
fn files_of_every_codec_are_read_alike() {
    let codecs = [
        Compression::UNCOMPRESSED,
        Compression::SNAPPY,
        Compression::GZIP(GzipLevel::default()),
        Compression::BROTLI(BrotliLevel::default()),
        Compression::LZ4,
        Compression::LZ4_RAW,
        Compression::ZSTD(ZstdLevel::default()),
    ];
    let folder = tempfile::tempdir().unwrap();
    for (at, codec) in codecs.iter().enumerate() {
        let bytes = written(&with_a_map(), *codec);
        write(folder.path(), &format!("dt=2020-01-0{}/a.parquet", at + 1), bytes);
    }
    let lake = text_of(folder.path());
    for (at, codec) in codecs.iter().enumerate() {
        let day = format!("2020-01-0{}", at + 1);
        let answer = json(&["profile", lake, "--partition", &day, "--json"]);
        assert_eq!(
            (&answer["n_rows"], &answer["n_files_failed"]),
            (&json!(10), &json!(0)),
            "{codec:?}"
        );
        assert_eq!(column(&answer, "id")["max"], 9, "{codec:?}");
    }
    let all = json(&["preview", lake, "--rows", "100", "--json"]);
    assert_eq!(
        (all["rows"].as_array().unwrap().len(), all["rejects"].clone()),
        (70, json!([]))
    );
}

#[test]
fn a_map_is_a_list_of_keys_and_values_in_every_command() {
    let folder = tempfile::tempdir().unwrap();
    write(
        folder.path(),
        "dt=2020-01-01/a.parquet",
        written(&with_a_map(), Compression::SNAPPY),
    );
    let lake = text_of(folder.path());
    let schema = json(&["schema", lake, "--json"]);
    assert_eq!(
        schema["fields"][2],
        json!({"name": "tags", "dtype": "list<struct<key: string, value: uint32>>", "nullable": true})
    );
    let rows = json(&["preview", lake, "--json"])["rows"].clone();
    assert_eq!(
        (rows[0]["tags"].clone(), rows[1]["tags"].clone()),
        (json!([]), Value::Null)
    );
    assert_eq!(
        rows[2]["tags"],
        json!([{"key": "a", "value": 20}, {"key": "b", "value": null}])
    );
    let profile = json(&["profile", lake, "--json"]);
    assert_eq!(column(&profile, "tags")["n_null"], 1);
    let values = column(&profile, "tags[].value");
    assert_eq!(
        (&values["min"], &values["max"], &values["n_null"]),
        (&json!(20), &json!(90), &json!(4))
    );
    let map = json(&["schema", lake, "--map", "--json"]);
    let paths: Vec<&str> = map["keys"]
        .as_array()
        .unwrap()
        .iter()
        .map(|key| key["path"].as_str().unwrap())
        .collect();
    assert!(paths.contains(&"tags[].key"), "{paths:?}");
    let skew = json(&["skew", lake, "--by", "word", "--partitions", "4", "--json"]);
    assert_eq!(skew["n_rows"], 10, "{skew}");
}

#[test]
fn a_file_that_no_one_can_read_is_named_with_why_and_the_others_are_read() {
    let folder = tempfile::tempdir().unwrap();
    let good = written(&with_a_map(), Compression::SNAPPY);
    write(folder.path(), "dt=2020-01-01/a.parquet", &good);
    let mut hole = good.clone();
    hole[4..64].fill(0xff);
    write(folder.path(), "dt=2020-01-01/b.parquet", &hole);
    let lake = text_of(folder.path());
    let answer = json_with(&["profile", lake, "--json"], 11);
    assert_eq!(
        (&answer["n_rows"], &answer["n_files_failed"]),
        (&json!(10), &json!(1))
    );
    assert_eq!(
        answer["accuracy"]["kind"], "sample",
        "the rows of the broken file are not known"
    );
    let reason = &answer["rejects"][0];
    assert!(
        reason["object"].as_str().unwrap().ends_with("b.parquet"),
        "{reason}"
    );

    let of_footer = |magic: &[u8; 4]| {
        let mut bytes = good.clone();
        let end = bytes.len() - 4;
        bytes[end..].copy_from_slice(magic);
        bytes
    };
    for (name, bytes, words) in [
        (
            "encrypted",
            of_footer(b"PARE"),
            ["encrypted", "write it without encryption"],
        ),
        (
            "cut",
            good[..good.len() / 2].to_vec(),
            ["cut.parquet", "write it again"],
        ),
        ("nothing", Vec::new(), ["nothing.parquet", "it is empty"]),
    ] {
        let file = write(folder.path(), &format!("alone/{name}.parquet"), bytes);
        fails(&["preview", text_of(&file)], 1, &words);
    }
    let twice = RecordBatch::try_from_iter([
        ("a", Arc::new(Int64Array::from(vec![1])) as ArrayRef),
        ("a", Arc::new(Int64Array::from(vec![2])) as ArrayRef),
    ])
    .unwrap();
    let file = write(
        folder.path(),
        "alone/twice.parquet",
        written(&twice, Compression::SNAPPY),
    );
    fails(
        &["preview", text_of(&file)],
        1,
        &["two columns have the name `a`", "rename"],
    );
}

//! Tests of parts as files: what is written is what a reader gets back, cut where the spec says.

use std::fs::File;
use std::path::Path;
use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray, Int32Array, RecordBatch, StringArray};
use arrow::datatypes::Int64Type;
use parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;
use polars::prelude::{Column, DataFrame, IntoColumn, NamedFrom, Series};

use super::{PartRoller, PartTarget};
use crate::job::Job;
use crate::run::commit::CommitPart;
use crate::run::files::{Files, Staged};
use crate::run::slots::Slots;
use crate::storage::Location;

const SPEC: &str = "\
apiVersion: skewer/v1
kind: Job
metadata: {name: words}
params:
  day: {type: date_list}
source:
  uri: raw/{day:%Y/%m/%d}/
  schema:
    fields:
      - {name: id, type: int64}
      - {name: text, type: string}
      - {name: words, type: \"list<string>\"}
sink:
  uri: out/words/
  partition: {name: day_partition, value: \"{day}\"}
  parquet: {rows_per_file: 10}
";

fn roller(folder: &Path, first_slot: u64) -> PartRoller {
    let job = Job::from_text(SPEC, folder).unwrap();
    let target = PartTarget {
        files: Files::Local,
        table: job.sink.root.clone(),
        partition: "day_partition=2020-01-01".to_owned(),
        staging: job.sink.control.join("staging"),
        slots: Slots::from(first_slot),
    };
    PartRoller::new(&job, target).unwrap()
}

fn rows(ids: std::ops::Range<i64>) -> DataFrame {
    let ids: Vec<i64> = ids.collect();
    let texts: Vec<String> = ids.iter().map(|id| format!("text of row {id}")).collect();
    let words: Vec<Series> = texts
        .iter()
        .map(|text| Series::new("".into(), text.split(' ').collect::<Vec<_>>()))
        .collect();
    DataFrame::new(
        ids.len(),
        vec![
            Column::new("id".into(), &ids),
            Column::new("text".into(), &texts),
            Series::new("words".into(), words).into_column(),
        ],
    )
    .unwrap()
}

fn read(part: &CommitPart) -> RecordBatch {
    let Staged::Local {
        staged: Location::Local(path),
    } = &part.staged
    else {
        panic!("{part:?}")
    };
    let mut reader = ParquetRecordBatchReaderBuilder::try_new(File::open(path).unwrap())
        .unwrap()
        .build()
        .unwrap();
    let batch = reader.next().unwrap().unwrap();
    assert!(reader.next().is_none());
    batch
}

fn ids(part: &CommitPart) -> Vec<i64> {
    read(part).column(0).as_primitive::<Int64Type>().values().to_vec()
}

#[test]
fn parts_are_cut_at_exactly_their_rows_whatever_the_batches_are() {
    let folder = tempfile::tempdir().unwrap();
    let mut roller = roller(folder.path(), 3);
    for ids in [0..4, 4..4, 4..17, 17..30, 30..31] {
        roller.write(&rows(ids)).unwrap();
    }
    roller.finish().unwrap();
    let parts = roller.take_parts();
    let slots: Vec<u64> = parts.iter().map(|part| part.slot).collect();
    assert_eq!(slots, [3, 4, 5, 6]);
    for (i, part) in parts.iter().enumerate() {
        let start = i64::try_from(i).unwrap() * 10;
        let expected: Vec<i64> = (start..(start + 10).min(31)).collect();
        assert_eq!(ids(part), expected);
        assert_eq!(part.rows, expected.len() as u64);
    }
    let words = read(&parts[1]).column(2).as_list::<i32>().value(0);
    let words: Vec<_> = words.as_string::<i32>().iter().flatten().collect();
    assert_eq!(words, ["text", "of", "row", "10"]);
}

#[test]
fn rows_read_back_from_parts_are_written_as_they_were() {
    let folder = tempfile::tempdir().unwrap();
    let mut first = roller(folder.path(), 0);
    first.write(&rows(0..25)).unwrap();
    first.finish().unwrap();
    let old = first.take_parts();
    let mut second = roller(folder.path(), 7);
    for part in &old {
        second.write_arrow(&read(part)).unwrap();
    }
    second.write(&rows(25..26)).unwrap();
    second.finish().unwrap();
    let new = second.take_parts();
    let slots: Vec<u64> = new.iter().map(|part| part.slot).collect();
    assert_eq!(slots, [7, 8, 9]);
    assert_eq!(read(&new[0]), read(&old[0]));
    assert_eq!(ids(&new[2]), [20, 21, 22, 23, 24, 25]);
}

#[test]
fn columns_of_other_parts_are_taken_by_name_and_checked() {
    let folder = tempfile::tempdir().unwrap();
    let mut roller = roller(folder.path(), 0);
    let part = RecordBatch::try_from_iter([
        ("text", Arc::new(StringArray::from(vec!["a", "b"])) as ArrayRef),
        ("id", Arc::new(Int32Array::from(vec![1, 2]))),
        ("words", Arc::new(arrow::array::NullArray::new(2))),
    ])
    .unwrap();
    roller.write_arrow(&part).unwrap();
    let broken = RecordBatch::try_from_iter([
        ("text", Arc::new(StringArray::from(vec!["a"])) as ArrayRef),
        ("id", Arc::new(StringArray::from(vec!["seven"]))),
        ("words", Arc::new(arrow::array::NullArray::new(1))),
    ])
    .unwrap();
    let error = roller.write_arrow(&broken).unwrap_err().to_string();
    assert!(
        error.contains("column `id`") && error.contains("seven"),
        "{error}"
    );
    let error = roller.write_arrow(&part.project(&[0, 1]).unwrap()).unwrap_err();
    assert!(error.to_string().contains("2 columns came for the 3"), "{error}");
    roller.finish().unwrap();
    let part = read(roller.take_parts().first().unwrap());
    assert_eq!(part.column(0).as_primitive::<Int64Type>().values(), &[1, 2]);
    assert_eq!(part.column(2).null_count(), 2);
}

//! A pass over small lakes on disk: every row once, whatever the number of threads and the size of files.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::io::Write as _;
use std::path::Path;

use polars::error::PolarsResult;

use super::{Collect, Noticed, PIECE_ROWS, Scan, ScanBatch, ScanError, ScanLimits, ScanSource, Scanned};
use crate::base::{Accuracy, Cancel, Progress, envelope};
use crate::dataset::{PageError, Reason, Schema, arrow_bridge, origin};
use crate::storage::{Connection, Location, Object, Store};
use crate::transform::{Inputs, Recipe};

/// Sums of `id` and rows by partition, places of all rows, and what was noticed.
#[derive(Debug, Default)]
struct Rows {
    sums: BTreeMap<usize, (i64, u64)>,
    places: Vec<(u32, u64)>,
    missing: BTreeMap<String, u64>,
    unknown: u64,
    mismatched: u64,
    n_records: u64,
    stop: Option<Cancel>,
}

impl Collect for Rows {
    fn add(&mut self, batch: &ScanBatch<'_>) -> PolarsResult<()> {
        if let Some(stop) = &self.stop {
            stop.cancel();
        }
        let (sum, n) = self.sums.entry(batch.partition).or_default();
        *sum += batch.df.column("id")?.i64()?.iter().flatten().sum::<i64>();
        *n += batch.df.height() as u64;
        let objects = batch.df.column(origin::OBJECT)?.u32()?.iter().flatten();
        let lines = batch.df.column(origin::LINE)?.u64()?.iter().flatten();
        let places: Vec<(u32, u64)> = objects.zip(lines).collect();
        assert!(
            places
                .iter()
                .all(|(object, _)| batch.objects.contains(&(*object as usize)))
        );
        self.places.extend(places);
        Ok(())
    }

    fn notice(&mut self, _partition: usize, noticed: &Noticed) {
        self.n_records += noticed.n_records;
        for (path, n) in &noticed.missing {
            *self.missing.entry(path.clone()).or_default() += n;
        }
        self.unknown += noticed.drift.unknown.values().map(|key| key.n).sum::<u64>();
        self.mismatched += noticed.drift.mismatched.values().map(|key| key.n).sum::<u64>();
    }

    fn merge(&mut self, other: Self) {
        for (partition, (sum, n)) in other.sums {
            let (all_sum, all_n) = self.sums.entry(partition).or_default();
            *all_sum += sum;
            *all_n += n;
        }
        self.places.extend(other.places);
        for (path, n) in other.missing {
            *self.missing.entry(path).or_default() += n;
        }
        self.unknown += other.unknown;
        self.mismatched += other.mismatched;
        self.n_records += other.n_records;
    }
}

struct Lake {
    _folder: tempfile::TempDir,
    store: Store,
    objects: Vec<Object>,
}

async fn lake(files: &[(&str, Vec<u8>)]) -> Lake {
    let folder = tempfile::tempdir().unwrap();
    for (key, content) in files {
        let path = folder.path().join(key);
        std::fs::create_dir_all(path.parent().unwrap_or(Path::new("/"))).unwrap();
        std::fs::write(path, content).unwrap();
    }
    let root = Location::Local(folder.path().to_owned());
    let store = Store::open(&root, &Connection::default()).await.unwrap();
    let objects = store.list_all("", &Cancel::new()).await.unwrap();
    Lake {
        _folder: folder,
        store,
        objects,
    }
}

impl Lake {
    /// Partitions are the first letters of keys.
    async fn source(&self, declared: Option<&Schema>) -> Result<ScanSource, PageError> {
        let partition_of = self
            .objects
            .iter()
            .map(|object| usize::from(object.key.as_bytes()[0] - b'a'));
        let partition_of = partition_of.collect();
        let objects = self.objects.clone();
        ScanSource::open(&self.store, objects, partition_of, declared, &Cancel::new()).await
    }

    async fn scan(&self) -> Scan {
        Scan::new(self.source(None).await.unwrap())
    }
}

async fn all(scan: &Scan) -> Scanned<Rows> {
    let mut scanned = fold(scan).await.unwrap();
    scanned.collected.places.sort_unstable();
    scanned
}

async fn fold(scan: &Scan) -> Result<Scanned<Rows>, ScanError> {
    scan.fold(&Cancel::new(), &Progress::new(), Rows::default).await
}

fn lines(from: i64, n: i64) -> Vec<u8> {
    let mut text = String::new();
    for i in from..from + n {
        writeln!(text, "{{\"id\": {i}, \"place\": {{\"city\": \"c{}\"}}}}", i % 7).unwrap();
    }
    text.into_bytes()
}

fn gzip(text: &[u8]) -> Vec<u8> {
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    encoder.write_all(text).unwrap();
    encoder.finish().unwrap()
}

fn sum(range: std::ops::Range<i64>) -> (i64, u64) {
    (range.clone().sum(), range.end.abs_diff(range.start))
}

fn parquet(df: &polars::prelude::DataFrame, group_rows: usize) -> Vec<u8> {
    let batch = arrow_bridge::to_arrow(df).unwrap();
    let mut bytes = Vec::new();
    let properties = parquet::file::properties::WriterProperties::builder()
        .set_max_row_group_row_count(Some(group_rows))
        .build();
    let mut writer =
        parquet::arrow::ArrowWriter::try_new(&mut bytes, batch.schema(), Some(properties)).unwrap();
    writer.write(&batch).unwrap();
    writer.close().unwrap();
    bytes
}

#[tokio::test(flavor = "multi_thread")]
async fn every_row_comes_once_with_its_partition_whatever_the_threads() {
    let mut files: Vec<(String, Vec<u8>)> = (0..40_i64)
        .map(|i| (format!("a/{i:02}.jsonl"), lines(i * 100, 100)))
        .collect();
    files.push(("b/large.jsonl".to_owned(), lines(0, 30_000)));
    files.push(("b/small.jsonl.gz".to_owned(), gzip(&lines(30_000, 50))));
    files.push(("c/large.jsonl.gz".to_owned(), gzip(&lines(0, 40_000))));
    files.push(("c/none.jsonl".to_owned(), Vec::new()));
    let files: Vec<(&str, Vec<u8>)> = files.iter().map(|(k, v)| (k.as_str(), v.clone())).collect();
    let lake = lake(&files).await;
    let mut before: Option<Vec<(u32, u64)>> = None;
    for (n_threads, memory_bytes) in [(1, 1 << 20), (3, 1 << 20), (2, 1 << 30)] {
        let limits = ScanLimits {
            n_threads,
            memory_bytes,
            ..ScanLimits::default()
        };
        let progress = Progress::new();
        let scan = lake.scan().await.with_limits(limits);
        let mut scanned = scan.fold(&Cancel::new(), &progress, Rows::default).await.unwrap();
        scanned.collected.places.sort_unstable();
        let sums = &scanned.collected.sums;
        assert_eq!(sums[&0], sum(0..4000));
        assert_eq!(sums[&1], sum(0..30_050));
        assert_eq!(sums[&2], sum(0..40_000));
        let mut places = scanned.collected.places.clone();
        places.dedup();
        assert_eq!(places.len(), 74_050);
        let of_large = |(object, _): &&(u32, u64)| *object == 40;
        assert_eq!(places.iter().rfind(of_large), Some(&(40, 30_000)));
        assert_eq!(
            (scanned.n_rows, scanned.n_records, scanned.n_files),
            (74_050, 74_050, 44)
        );
        assert_eq!((scanned.accuracy, scanned.n_rejects()), (Accuracy::Exact, 0));
        assert_eq!(scanned.collected.n_records, 74_050);
        let view = progress.view();
        assert_eq!((view.n_done, view.n_total), (44, Some(44)));
        assert_eq!(
            view.n_bytes,
            lake.objects.iter().map(|object| object.size).sum::<u64>()
        );
        if let Some(before) = &before {
            assert_eq!(&scanned.collected.places, before);
        }
        before = Some(scanned.collected.places);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn broken_files_and_records_are_counted_and_end_nothing() {
    let cut = gzip(&lines(0, 5000));
    let lake = lake(&[
        (
            "a/1.jsonl",
            b"{\"id\": 1}\nno json\n{\"id\": 2, \"x\": 1}\n{\"id\": \"z\"}\n".to_vec(),
        ),
        ("a/2.jsonl.gz", cut[..cut.len() / 2].to_vec()),
        ("a/3.parquet", b"PAR1".to_vec()),
        (
            "a/4.jsonl",
            b"{\"id\": 5, \"x\": null}\n{\"id\": 6, \"y\": 7}\n".to_vec(),
        ),
    ])
    .await;
    let declared: Schema = envelope::from_yaml(
        "{on_mismatch: 'null', fields: [{name: id, type: int64}, {name: x, type: int64}]}",
    )
    .unwrap();
    let scanned = all(&Scan::new(lake.source(Some(&declared)).await.unwrap())).await;
    let reasons: Vec<(Reason, u64)> = scanned.by_reason.into_iter().collect();
    assert_eq!(
        reasons,
        [
            (Reason::Truncated, 1),
            (Reason::UnreadableFile, 1),
            (Reason::InvalidJson, 1)
        ]
    );
    assert_eq!((scanned.n_files, scanned.n_files_failed), (4, 2));
    assert!(
        matches!(scanned.accuracy, Accuracy::Sample { of: None, .. }),
        "{:?}",
        scanned.accuracy
    );
    let of_first = |(object, _): &&(u32, u64)| *object == 0;
    let places = &scanned.collected.places;
    assert_eq!(
        places.iter().filter(of_first).collect::<Vec<_>>(),
        [&(0, 1), &(0, 3), &(0, 4)]
    );
    assert_eq!(scanned.collected.mismatched, 1);
    // `x` is missing in two of the first file, none but one of the last, and all of the cut one.
    let n_cut = places.iter().filter(|(object, _)| *object == 1).count() as u64;
    assert!(n_cut > 100, "{n_cut}");
    assert_eq!(scanned.collected.missing["x"], 2 + 1 + n_cut);
    assert_eq!(scanned.collected.unknown, n_cut + 1);
    let all_rejects: Vec<u64> = scanned.rejects.iter().map(|reject| reject.line).collect();
    assert_eq!(all_rejects[0], 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn keys_that_only_a_rejected_record_lacks_are_not_counted_as_missing() {
    let lake = lake(&[(
        "a/1.jsonl",
        b"{\"p\": {}, \"id\": \"x\"}\n{\"p\": {}, \"id\": 1}\n{\"p\": null, \"id\": 2}\n{\"id\": 3}\n"
            .to_vec(),
    )])
    .await;
    let declared: Schema =
        envelope::from_yaml("{fields: [{name: p, type: 'struct<c: string>'}, {name: id, type: int64}]}")
            .unwrap();
    let scanned = all(&Scan::new(lake.source(Some(&declared)).await.unwrap())).await;
    let missing: Vec<(&str, u64)> = scanned
        .collected
        .missing
        .iter()
        .map(|(path, n)| (path.as_str(), *n))
        .collect();
    assert_eq!(missing, [("p", 1), ("p.c", 1)]);
    assert_eq!((scanned.n_rows, scanned.n_rejects()), (3, 1));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_cancel_ends_the_pass_and_what_was_computed_stays() {
    let files: Vec<(String, Vec<u8>)> = (0..200_i64)
        .map(|i| (format!("a/{i:03}.jsonl"), lines(i * 1000, 1000)))
        .collect();
    let files: Vec<(&str, Vec<u8>)> = files.iter().map(|(k, v)| (k.as_str(), v.clone())).collect();
    let lake = lake(&files).await;
    let scan = lake.scan().await;
    let cancel = Cancel::new();
    let collector = || Rows {
        stop: Some(cancel.clone()),
        ..Rows::default()
    };
    let scanned = scan.fold(&cancel, &Progress::new(), collector).await.unwrap();
    let n = scanned.n_rows;
    assert!(n > 0 && n < 200_000, "{n}");
    assert_eq!(scanned.accuracy, Accuracy::Partial { n });
    assert_eq!(scanned.collected.places.len() as u64, n);
}

/// Counts rows, and those that came after the cancel.
#[derive(Debug, Clone, Default)]
struct Heights {
    cancel: Cancel,
    n: u64,
    n_late: u64,
    most: usize,
    n_condensed: usize,
}

impl Collect for Heights {
    fn add(&mut self, batch: &ScanBatch<'_>) -> PolarsResult<()> {
        self.n += batch.df.height() as u64;
        self.n_late += if self.cancel.is_set() {
            batch.df.height() as u64
        } else {
            0
        };
        self.most = self.most.max(batch.df.height());
        Ok(())
    }

    fn condense(&mut self) {
        self.n_condensed += 1;
    }

    fn merge(&mut self, other: Self) {
        self.n += other.n;
        self.n_late += other.n_late;
        self.most = self.most.max(other.most);
        self.n_condensed += other.n_condensed;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_cancel_at_any_look_is_followed_by_no_row_and_looks_are_few_rows_apart() {
    const N_ROWS: i64 = 60_000;
    // As large batches as a decoder makes of short lines, and an object that is cut into pieces besides.
    let lake = lake(&[
        ("a/1.jsonl", lines(0, 20_000)),
        ("a/2.jsonl", lines(20_000, 40_000)),
    ])
    .await;
    let recipe: Recipe = envelope::from_yaml("- filter: {where: id >= 0}").unwrap();
    let limits = ScanLimits {
        n_threads: 1,
        ..ScanLimits::default()
    };
    let raw = lake.scan().await.with_limits(limits);
    let with_steps = raw.clone().with_recipe(&recipe, &Inputs::default()).unwrap();
    for scan in [raw, with_steps] {
        let mut n_seen = Vec::new();
        for n_looks in 1..60 {
            let cancel = Cancel::at_look(n_looks);
            let new = || Heights {
                cancel: cancel.clone(),
                ..Heights::default()
            };
            let scanned = scan.fold(&cancel, &Progress::new(), new).await.unwrap();
            let heights = &scanned.collected;
            assert!(
                heights.most <= PIECE_ROWS && heights.n_late == 0,
                "{n_looks}: {heights:?}"
            );
            assert_eq!(heights.n, scanned.n_rows);
            assert!(
                heights.n <= (n_looks * PIECE_ROWS) as u64,
                "{n_looks}: {heights:?}"
            );
            if cancel.is_set() {
                assert_eq!(scanned.accuracy, Accuracy::Partial { n: heights.n });
                assert!(
                    heights.n_condensed == 1 || [0, N_ROWS as u64].contains(&heights.n),
                    "{n_looks}: {heights:?}"
                );
            }
            n_seen.push(heights.n);
        }
        assert_eq!(n_seen[0], 0);
        assert!(
            n_seen.iter().any(|n| (1..N_ROWS as u64).contains(n)),
            "{n_seen:?}"
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn parquet_is_read_by_row_groups_and_a_column_that_a_file_lacks_is_missing_there() {
    let wide = polars::df!("id" => (0..5000_i64).collect::<Vec<_>>(), "x" => vec![1.5; 5000]).unwrap();
    let narrow = polars::df!("id" => (5000..5100_i32).collect::<Vec<_>>()).unwrap();
    let lake = lake(&[
        ("a/1.parquet", parquet(&wide, 1000)),
        ("b/2.parquet", parquet(&narrow, 1000)),
        ("b/3.parquet", b"PAR1 and no more".to_vec()),
    ])
    .await;
    let scan = lake.scan().await;
    assert_eq!(scan.schema().len(), 2);
    let scanned = all(&scan).await;
    assert_eq!(scanned.collected.sums[&0], sum(0..5000));
    assert_eq!(scanned.collected.sums[&1], sum(5000..5100));
    assert_eq!(scanned.collected.missing["x"], 100);
    assert_eq!(scanned.by_reason[&Reason::UnreadableFile], 1);
    assert_eq!(scanned.collected.places[4999], (0, 5000));
    let only_id = all(&scan.clone().with_columns(&["id"]).unwrap()).await;
    assert_eq!(only_id.collected.sums, scanned.collected.sums);
    assert_eq!(only_id.collected.missing.len(), 0);
    let error = scan.with_columns(&["idd"]).unwrap_err().to_string();
    assert_eq!(error, "column `idd` not found: did you mean `id`?");
}

#[tokio::test(flavor = "multi_thread")]
async fn rows_pass_through_the_steps_and_steps_that_need_a_partition_are_refused() {
    let lake = lake(&[("a/1.jsonl", lines(0, 2000)), ("b/2.jsonl", lines(2000, 10))]).await;
    let recipe: Recipe =
        envelope::from_yaml("- filter: {where: \"id < 1000\"}\n- derive: {columns: {id: id * 2}}").unwrap();
    let scan = lake
        .scan()
        .await
        .with_recipe(&recipe, &Inputs::default())
        .unwrap();
    let scanned = all(&scan).await;
    assert_eq!(scanned.collected.sums.len(), 1);
    assert_eq!(scanned.collected.sums[&0], (999 * 1000, 1000));
    assert_eq!((scanned.n_rows, scanned.n_records), (1000, 2010));
    let recipe: Recipe =
        envelope::from_yaml("- drop_nulls: {columns: [id]}\n- dedupe: {columns: [id]}").unwrap();
    let error = lake
        .scan()
        .await
        .with_recipe(&recipe, &Inputs::default())
        .unwrap_err();
    assert!(error.to_string().starts_with("step 2 `dedupe"), "{error}");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_first_rows_of_each_object_are_a_sample() {
    let lake = lake(&[
        ("a/1.jsonl", lines(0, 20_000)),
        ("a/2.jsonl", lines(0, 3)),
        ("a/3.jsonl.gz", gzip(&lines(0, 100))),
    ])
    .await;
    let limits = |rows| ScanLimits {
        rows_per_object: Some(rows),
        ..ScanLimits::default()
    };
    let scanned = all(&lake.scan().await.with_limits(limits(10))).await;
    assert_eq!(scanned.collected.sums[&0], (45 + 3 + 45, 23));
    assert_eq!(scanned.accuracy, Accuracy::Sample { n: 23, of: None });
    assert!(scanned.n_bytes < lake.objects[0].size);
    let whole = all(&lake.scan().await.with_limits(limits(30_000))).await;
    assert_eq!((whole.accuracy, whole.n_rows), (Accuracy::Exact, 20_103));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_line_longer_than_a_piece_and_files_that_vanish_are_told() {
    let mut long = lines(0, 10);
    long.extend(format!("{{\"id\": 10, \"s\": \"{}\"}}\n", "x".repeat(700_000)).into_bytes());
    long.extend(lines(11, 10));
    let lake = lake(&[("a/1.jsonl", long), ("b/2.jsonl", lines(0, 5))]).await;
    let limits = ScanLimits {
        n_threads: 2,
        memory_bytes: 1 << 20,
        ..ScanLimits::default()
    };
    let scanned = all(&lake.scan().await.with_limits(limits)).await;
    assert_eq!(scanned.collected.sums[&0], sum(0..21));
    assert_eq!(
        scanned.collected.places.iter().rfind(|(object, _)| *object == 0),
        Some(&(0, 21))
    );
    let scan = lake.scan().await;
    std::fs::remove_file(lake.store.local_path("b/2.jsonl").unwrap()).unwrap();
    let error = fold(&scan).await.unwrap_err().to_string();
    assert!(error.contains("2.jsonl: not found"), "{error}");
}

#[tokio::test(flavor = "multi_thread")]
async fn columns_that_nobody_asked_for_are_not_looked_at() {
    let lake = lake(&[(
        "a/1.jsonl",
        b"{\"id\": 1, \"x\": \"no number\"}\n{\"x\": {\"k\": 1, \"k\": 2}, \"id\": 2}\n{\"id\": 3}\n"
            .to_vec(),
    )])
    .await;
    let declared: Schema =
        envelope::from_yaml("{fields: [{name: id, type: int64}, {name: x, type: int64}]}").unwrap();
    let scan = Scan::new(lake.source(Some(&declared)).await.unwrap());
    let whole = all(&scan).await;
    assert_eq!((whole.n_rows, whole.n_rejects()), (1, 2));
    let only_id = all(&scan.with_columns(&["id"]).unwrap()).await;
    assert_eq!(only_id.collected.sums[&0], (4, 2));
    let reasons: Vec<Reason> = only_id.by_reason.into_keys().collect();
    assert_eq!(
        reasons,
        [Reason::DuplicateKey],
        "a record that is no good JSON stays one"
    );
    assert_eq!(
        (only_id.collected.missing["x"], only_id.collected.unknown),
        (1, 0)
    );
}

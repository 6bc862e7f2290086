//! A pass over objects on S3: the same rows as on disk, refusals as errors, and a cancel that does not wait for a silent
//! server.

use std::fmt::Write as _;
use std::time::{Duration, Instant};

use skewer::base::{Accuracy, Cancel, Progress};
use skewer::dataset::{DataType, Field, PageError, Schema, arrow_bridge};
use skewer::explore::scan::{Scan, ScanError, ScanLimits, ScanSource};
use skewer::profile::columns::{ColumnProfile, Level};
use skewer::storage::{StorageError, Store};

use crate::s3_server::S3Server;

fn lines(from: u64, n: u64) -> String {
    let mut text = String::new();
    for i in from..from + n {
        writeln!(text, "{{\"id\": {i}, \"city\": \"c{}\"}}", i % 5).unwrap();
    }
    text
}

fn declared() -> Schema {
    Schema {
        fields: vec![
            Field::new("id", DataType::Int64),
            Field::new("city", DataType::String),
        ],
        ..Schema::default()
    }
}

/// Small files, one that is read in pieces, and one that is compressed.
fn lake(server: &S3Server) -> std::path::PathBuf {
    let bucket = server.bucket("lake");
    std::fs::create_dir_all(bucket.join("raw")).unwrap();
    for i in 0..50 {
        std::fs::write(bucket.join(format!("raw/{i:02}.jsonl")), lines(i * 100, 100)).unwrap();
    }
    std::fs::write(bucket.join("raw/large.jsonl"), lines(5000, 40_000)).unwrap();
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    std::io::Write::write_all(&mut encoder, lines(45_000, 20_000).as_bytes()).unwrap();
    std::fs::write(bucket.join("raw/packed.jsonl.gz"), encoder.finish().unwrap()).unwrap();
    bucket
}

async fn scan(store: &Store, schema: Option<&Schema>) -> Scan {
    let objects = store.list_all("", &Cancel::new()).await.unwrap();
    let partitions = vec![0; objects.len()];
    let source = ScanSource::open(store, objects, partitions, schema, &Cancel::new()).await;
    Scan::new(source.unwrap()).with_limits(ScanLimits {
        n_threads: 2,
        memory_bytes: 1 << 20,
        rows_per_object: None,
    })
}

async fn profile(scan: &Scan) -> Result<(u64, Vec<ColumnProfile>), ScanError> {
    let scanned = scan
        .profile_columns(Level::Full, &Cancel::new(), &Progress::new())
        .await?;
    assert_eq!((scanned.accuracy, scanned.n_rejects()), (Accuracy::Exact, 0));
    Ok((scanned.n_rows, scanned.collected))
}

#[tokio::test(flavor = "multi_thread")]
async fn objects_on_s3_give_the_rows_that_files_give() {
    let server = S3Server::start();
    let bucket = lake(&server);
    let here = server.open(bucket.join("raw").to_str().unwrap()).await;
    let there = server.open("s3://lake/raw/").await;
    for schema in [None, Some(&declared())] {
        let (n_here, columns_here) = profile(&scan(&here, schema).await).await.unwrap();
        let (n_there, columns_there) = profile(&scan(&there, schema).await).await.unwrap();
        assert_eq!((n_here, n_there), (65_000, 65_000));
        let city = |columns: &[ColumnProfile]| columns.iter().find(|column| column.name == "city").cloned();
        assert_eq!(city(&columns_here), city(&columns_there));
        assert_eq!(city(&columns_here).unwrap().top[0].n, 13_000);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn parquet_on_s3_is_read_by_ranges() {
    let server = S3Server::start();
    let bucket = server.bucket("lake");
    let df = polars::df!("id" => (0..9000_i64).collect::<Vec<_>>()).unwrap();
    let batch = arrow_bridge::to_arrow(&df).unwrap();
    let mut bytes = Vec::new();
    let mut writer = parquet::arrow::ArrowWriter::try_new(&mut bytes, batch.schema(), None).unwrap();
    writer.write(&batch).unwrap();
    writer.close().unwrap();
    std::fs::write(bucket.join("a.parquet"), bytes).unwrap();
    let there = server.open("s3://lake/").await;
    let (n_rows, columns) = profile(&scan(&there, None).await).await.unwrap();
    assert_eq!((n_rows, columns[0].mean), (9000, Some(4499.5)));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_refusal_of_the_storage_ends_the_pass_with_its_error() {
    let server = S3Server::start();
    lake(&server);
    let there = server.open("s3://lake/raw/").await;
    let scan = scan(&there, Some(&declared())).await;
    server.faults(|faults| faults.denied = vec!["GetObject"]);
    let error = profile(&scan).await.unwrap_err();
    assert!(
        matches!(
            &error,
            ScanError::Page(PageError::Storage(StorageError::Denied { .. }))
        ),
        "{error:?}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_cancel_does_not_wait_for_a_server_that_is_silent() {
    let server = S3Server::start();
    lake(&server);
    let there = server.open("s3://lake/raw/").await;
    let scan = scan(&there, Some(&declared())).await;
    server.faults(|faults| faults.silent = vec!["GetObject"]);
    let (cancel, progress) = (Cancel::new(), Progress::new());
    let asked = || server.faults(|faults| faults.asked.iter().any(|op| op == "GetObject"));
    let cancelling = async {
        while !asked() {
            tokio::task::yield_now().await;
        }
        cancel.cancel();
        Instant::now()
    };
    let (scanned, at) = tokio::join!(scan.profile_columns(Level::Full, &cancel, &progress), cancelling);
    // 100 ms on a quiet machine.
    assert!(at.elapsed() < Duration::from_secs(2), "{:?}", at.elapsed());
    let scanned = scanned.unwrap();
    assert_eq!(
        (scanned.accuracy, scanned.n_rows),
        (Accuracy::Partial { n: 0 }, 0)
    );
}

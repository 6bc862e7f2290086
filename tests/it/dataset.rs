//! Pages and schemas of a small lake on disk, faults included.

use std::fmt::Write as _;
use std::io::Write as _;
use std::path::Path;

use skewer::base::{Accuracy, Cancel};
use skewer::dataset::infer::infer;
use skewer::dataset::{Page, PageError, Reason, SampleChoice, Total, arrow_bridge, dtype_name, origin};
use skewer::storage::{Connection, Location, Object, Store};

struct Lake {
    folder: tempfile::TempDir,
    store: Store,
    objects: Vec<Object>,
}

fn lines(from: u64, n: u64) -> String {
    let mut text = String::new();
    for i in from..from + n {
        let noise = i.wrapping_mul(0x9e37_79b9_7f4a_7c15);
        writeln!(text, "{{\"id\": {i}, \"noise\": \"{noise:016x}\"}}").unwrap();
    }
    text
}

pub fn gzip(text: &str) -> Vec<u8> {
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    encoder.write_all(text.as_bytes()).unwrap();
    encoder.finish().unwrap()
}

fn parquet(df: &polars::prelude::DataFrame) -> Vec<u8> {
    parquet_of(&arrow_bridge::to_arrow(df).unwrap())
}

pub fn parquet_of(batch: &arrow::array::RecordBatch) -> Vec<u8> {
    let mut bytes = Vec::new();
    let mut writer = parquet::arrow::ArrowWriter::try_new(&mut bytes, batch.schema(), None).unwrap();
    writer.write(batch).unwrap();
    writer.close().unwrap();
    bytes
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
    let mut objects = Vec::new();
    let cancel = Cancel::new();
    store
        .list("", &cancel, &mut |page| objects.extend(page))
        .await
        .unwrap();
    Lake {
        folder,
        store,
        objects,
    }
}

impl Lake {
    async fn page(&self, n_rows: usize) -> Result<Page, PageError> {
        Page::read(&self.store, &self.objects, None, n_rows, &Cancel::new()).await
    }
}

fn ids(page: &Page) -> Vec<i64> {
    page.df
        .column("id")
        .unwrap()
        .i64()
        .unwrap()
        .into_no_null_iter()
        .collect()
}

#[tokio::test]
async fn a_page_takes_objects_in_order_and_stops_with_enough_rows() {
    let lake = lake(&[
        ("2020/01/01/a.jsonl", lines(0, 3).into_bytes()),
        ("2020/01/01/b.jsonl.gz", gzip(&lines(3, 50_000))),
        (
            "2020/01/02/c.jsonl.zst",
            zstd::encode_all(lines(50_003, 7).as_bytes(), 1).unwrap(),
        ),
    ])
    .await;
    for n in [1, 3, 4, 20_000, 50_003] {
        let page = lake.page(n).await.unwrap();
        assert_eq!(ids(&page), (0..i64::try_from(n).unwrap()).collect::<Vec<_>>());
        assert_eq!(
            page.accuracy,
            Accuracy::Sample {
                n: n as u64,
                of: None
            }
        );
    }
    let page = lake.page(50_009).await.unwrap();
    let all_but_one = Accuracy::Sample {
        n: 50_009,
        of: Some(50_010),
    };
    assert_eq!((page.df.height(), page.accuracy), (50_009, all_but_one));
    let page = lake.page(50_010).await.unwrap();
    assert_eq!((page.df.height(), page.accuracy), (50_010, Accuracy::Exact));
    let page = lake.page(1_000_000).await.unwrap();
    assert_eq!((page.df.height(), page.accuracy), (50_010, Accuracy::Exact));
    assert_eq!(page.objects.len(), 3);
    let objects = page.df.column(origin::OBJECT).unwrap().u32().unwrap();
    assert_eq!(
        (objects.get(0), objects.get(3), objects.get(50_009)),
        (Some(0), Some(1), Some(2))
    );
}

#[tokio::test]
async fn a_truncated_gzip_gives_its_complete_lines_and_one_reject() {
    let text = lines(0, 60_000);
    let mut cut = gzip(&text);
    cut.truncate(cut.len() / 2);
    let lake = lake(&[
        ("d/a.jsonl.gz", cut),
        ("d/b.jsonl", lines(100_000, 2).into_bytes()),
        ("d/e.jsonl", Vec::new()),
    ])
    .await;
    let page = lake.page(1_000_000).await.unwrap();
    let [reject] = &page.rejects[..] else {
        panic!("one reject: {:?}", page.rejects)
    };
    assert_eq!(reject.reason, Reason::Truncated);
    assert!(reject.object.ends_with("d/a.jsonl.gz") && text.contains(&reject.raw));
    let found = ids(&page);
    let n = found.len() - 2;
    assert!(n > 10_000);
    assert_eq!(found[..n], (0..i64::try_from(n).unwrap()).collect::<Vec<_>>());
    assert_eq!(reject.line, n as u64 + 1);
    assert_eq!(page.df.height() as u64 + page.rejects.len() as u64, n as u64 + 3);
}

#[tokio::test]
async fn one_day_with_another_type_is_found_and_accepted() {
    let mut files = Vec::new();
    for day in 1..=9 {
        for file in 0..60 {
            let (salary, bonus) = if day == 6 {
                ("\"1.50 EUR\"", "\"1.50\"")
            } else {
                ("7", "7")
            };
            let line = format!("{{\"salary\": {salary}, \"bonus\": {bonus}, \"geo\": {{\"zip\": {day}}}}}\n");
            files.push((format!("2020/01/{day:02}/{file:03}.jsonl"), line.into_bytes()));
        }
    }
    files.push((
        "2020/01/09/zz.jsonl".to_owned(),
        b"not json\n{\"late\": true}\n".to_vec(),
    ));
    let files: Vec<(&str, Vec<u8>)> = files
        .iter()
        .map(|(key, content)| (key.as_str(), content.clone()))
        .collect();
    let lake = lake(&files).await;
    let inferred = infer(&lake.store, &lake.objects, &Cancel::new()).await.unwrap();
    let fields: Vec<String> = inferred
        .schema
        .fields
        .iter()
        .map(|field| format!("{}: {}", field.name, field.dtype))
        .collect();
    assert_eq!(
        fields,
        [
            "salary: string",
            "bonus: float64",
            "geo: struct<zip: int64>",
            "late: bool"
        ]
    );
    let [conflict, quoted] = &inferred.conflicts[..] else {
        panic!("{:?}", inferred.conflicts)
    };
    assert_eq!((quoted.name.as_str(), quoted.dtypes.len()), ("bonus", 2));
    let seen: Vec<(&str, u64)> = conflict
        .dtypes
        .iter()
        .map(|seen| (&*seen.dtype, seen.line))
        .collect();
    assert_eq!(seen, [("int64", 1), ("string", 1)]);
    assert!(conflict.dtypes[1].object.contains("2020/01/06/"));
    let page = lake.page(10_000).await.unwrap();
    assert_eq!((page.df.height(), page.rejects.len()), (541, 1));
    let salaries = page.df.column("salary").unwrap().str().unwrap();
    assert_eq!(
        (salaries.get(0), salaries.get(300)),
        (Some("7"), Some("1.50 EUR"))
    );
    let bonuses = page.df.column("bonus").unwrap().f64().unwrap();
    assert_eq!((bonuses.get(0), bonuses.get(300)), (Some(7.0), Some(1.5)));
}

#[tokio::test]
async fn parquet_pages_cross_files_and_carry_origins() {
    let df = |from: i64| {
        let column = polars::prelude::Column::new("id".into(), (from..from + 10).collect::<Vec<i64>>());
        polars::prelude::DataFrame::new(10, vec![column]).unwrap()
    };
    let lake = lake(&[
        ("d=1/a.parquet", parquet(&df(0))),
        ("d=1/b.parquet", b"PAR1 but no footer".to_vec()),
        ("d=1/c.jsonl", lines(0, 1).into_bytes()),
        ("d=2/a", parquet(&df(10))),
    ])
    .await;
    let page = lake.page(100).await.unwrap();
    assert_eq!(ids(&page), (0..20).collect::<Vec<_>>());
    assert!(page.declared.is_none());
    let at: Vec<u64> = page
        .df
        .column(origin::LINE)
        .unwrap()
        .u64()
        .unwrap()
        .into_no_null_iter()
        .collect();
    assert_eq!((at[0], at[9], at[10]), (1, 10, 1));
    let objects = page.df.column(origin::OBJECT).unwrap().u32().unwrap();
    assert_eq!(page.objects[objects.get(19).unwrap() as usize], "d=2/a");
    let broken: Vec<&str> = page
        .rejects
        .iter()
        .map(|reject| reject.object.rsplit('/').next().unwrap())
        .collect();
    assert_eq!(broken, ["b.parquet", "c.jsonl"]);
    assert!(
        page.rejects
            .iter()
            .all(|reject| reject.reason == Reason::UnreadableFile)
    );
    let page = lake.page(15).await.unwrap();
    assert_eq!(ids(&page), (0..15).collect::<Vec<_>>());
    assert_eq!(dtype_name(page.df.column("id").unwrap().dtype()), "int64");
}

#[tokio::test]
async fn what_is_no_data_says_so_with_its_place() {
    let empty = lake(&[]).await;
    assert!(matches!(empty.page(10).await, Err(PageError::Empty { .. })));
    let other = lake(&[("a.csv", b"id,name\n1,x\n".to_vec())]).await;
    let error = other.page(10).await.unwrap_err().to_string();
    assert!(
        error.contains("a.csv: neither JSON Lines nor Parquet") && error.contains("id,name"),
        "{error}"
    );
    let corrupt = lake(&[("a.parquet", b"PAR1".to_vec())]).await;
    let error = corrupt.page(10).await.unwrap_err().to_string();
    assert!(
        error.contains("a.parquet: not a readable Parquet file"),
        "{error}"
    );
    let cancel = Cancel::new();
    cancel.cancel();
    let lake = lake(&[("a.jsonl", lines(0, 1).into_bytes())]).await;
    let page = Page::read(&lake.store, &lake.objects, None, 1, &cancel).await;
    assert!(matches!(page, Err(PageError::Cancelled)));
    drop(lake.folder);
}

#[tokio::test]
async fn a_spread_sample_takes_every_partition_says_its_size_and_comes_back_the_same() {
    let files: Vec<(String, Vec<u8>)> = (0..60)
        .map(|i| {
            let text = lines(100_000 + i * 1000, 50).into_bytes();
            (format!("day={:02}/{i:03}.jsonl", 1 + i / 20), text)
        })
        .collect();
    let files: Vec<(&str, Vec<u8>)> = files
        .iter()
        .map(|(key, content)| (key.as_str(), content.clone()))
        .collect();
    let lake = lake(&files).await;
    let (a, again, b) = (
        sample_of(&lake, 1).await,
        sample_of(&lake, 1).await,
        sample_of(&lake, 2).await,
    );
    assert_eq!((a.objects.len(), a.df.height()), (12, 60));
    for day in ["day=01/", "day=02/", "day=03/"] {
        let n = a.objects.iter().filter(|key| key.starts_with(day)).count();
        assert_eq!(n, 4, "{day}");
    }
    assert!(again.df.equals_missing(&a.df) && again.objects == a.objects);
    assert_ne!(a.objects, b.objects);
    assert_eq!(a.accuracy, Accuracy::Sample { n: 60, of: None });
    assert_eq!((a.size.files.n, a.size.files.of), (12, Total::Exact(60)));
    assert_eq!((a.size.partitions.n, a.size.partitions.of), (3, Total::Exact(3)));
    // Lines of one length: the estimate is as good as a count.
    assert_eq!(a.size.rows.of, Total::Estimated(3000));
}

#[tokio::test]
async fn a_spread_sample_of_everything_is_exact() {
    let lake = lake(&[
        ("a/1.jsonl", lines(0, 3).into_bytes()),
        ("b/1.jsonl", lines(3, 3).into_bytes()),
    ])
    .await;
    let page = sample_of(&lake, 1).await;
    assert_eq!((page.accuracy, page.df.height()), (Accuracy::Exact, 6));
    assert_eq!(page.size.rows.of, Total::Exact(6));
    let unknown = page.clone().of_unknown_totals();
    assert_eq!(unknown.accuracy, Accuracy::Sample { n: 6, of: None });
    assert_eq!(unknown.size.rows.of, Total::Unknown);
    let bytes = page.size.bytes.n;
    let part = page.of_listed(20, bytes * 10, 5);
    assert_eq!(
        (part.size.rows.of, part.size.files.of),
        (Total::Estimated(60), Total::Exact(20))
    );
    assert_eq!(part.accuracy, Accuracy::Sample { n: 6, of: None });
}

/// Four files a folder, five rows each.
async fn sample_of(lake: &Lake, seed: u64) -> Page {
    let folders: Vec<&str> = lake
        .objects
        .iter()
        .map(|object| object.key.split('/').next().unwrap())
        .collect();
    let numbers: Vec<usize> = folders
        .iter()
        .map(|folder| folders.iter().position(|other| other == folder).unwrap())
        .collect();
    let choice = SampleChoice::Spread {
        files_per_partition: 4,
        rows_per_file: 5,
        seed,
    };
    Page::sample(&lake.store, &lake.objects, &numbers, None, choice, &Cancel::new())
        .await
        .unwrap()
}

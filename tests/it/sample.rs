//! The committed sample lake is what the generator writes, and its faults are really there, read plainly.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::io::Read;
use std::path::Path;

use serde_json::Value;
use skewer::base::{Cancel, Progress};
use skewer::chart::{Calendar, Lorenz, PartitionBars, SizeHistogram};
use skewer::job::{Job, Params};
use skewer::profile::{CostModel, FindingCode, partition_skew};
use skewer::run::{PartitionStatus, RunOptions, RunStatus, run};
use skewer::sample::{self, FaultKind, SampleReport};
use skewer::storage::{Connection, Inventory, Location, Store};

const MAX_BYTES: usize = 6_000_000;

/// Every file below `dir` by its path with `/`, apart from `out/`, where jobs write.
fn files(dir: &Path) -> BTreeMap<String, Vec<u8>> {
    let mut found = BTreeMap::new();
    let mut folders = vec![dir.to_path_buf()];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(&folder).unwrap() {
            let path = entry.unwrap().path();
            let inside = path.strip_prefix(dir).unwrap();
            let name: Vec<&str> = inside.iter().map(|part| part.to_str().unwrap()).collect();
            if name[0] == "out" {
                continue;
            }
            if path.is_dir() {
                folders.push(path);
            } else {
                found.insert(name.join("/"), fs::read(&path).unwrap());
            }
        }
    }
    found
}

fn committed() -> BTreeMap<String, Vec<u8>> {
    files(&Path::new(env!("CARGO_MANIFEST_DIR")).join("sample_data"))
}

fn report() -> SampleReport {
    let dir = tempfile::tempdir().unwrap();
    sample::write(dir.path(), &Cancel::new()).unwrap()
}

/// What can be read of a file, whole or not.
fn decode(path: &str, stored: &[u8]) -> (Vec<u8>, bool) {
    let mut text = Vec::new();
    let extension = Path::new(path)
        .extension()
        .and_then(|extension| extension.to_str());
    let is_whole = match extension {
        Some("gz") => flate2::read::GzDecoder::new(stored)
            .read_to_end(&mut text)
            .is_ok(),
        Some("zst") => zstd::Decoder::new(stored).unwrap().read_to_end(&mut text).is_ok(),
        _ => {
            text.extend_from_slice(stored);
            true
        }
    };
    (text, is_whole)
}

/// Lines of a file without their ends; what follows the last line end of a broken file is no line.
fn lines(path: &str, stored: &[u8]) -> Vec<Vec<u8>> {
    let (text, is_whole) = decode(path, stored);
    let mut lines: Vec<Vec<u8>> = text
        .split(|byte| *byte == b'\n')
        .map(|line| line.strip_suffix(b"\r").unwrap_or(line).to_vec())
        .collect();
    let last = lines.pop().unwrap();
    if is_whole && !last.is_empty() {
        lines.push(last);
    }
    lines
}

fn raw(files: &BTreeMap<String, Vec<u8>>) -> impl Iterator<Item = (&str, &[u8])> {
    files
        .iter()
        .filter(|(path, _)| path.starts_with("raw/"))
        .map(|(path, stored)| (path.as_str(), stored.as_slice()))
}

/// `2020/01/09` of a raw path.
fn day(path: &str) -> &str {
    &path["raw/".len().."raw/2020/01/09".len()]
}

/// A good record, as a reader with the job's schema sees it.
fn record(line: &[u8]) -> Option<Value> {
    let line = line.strip_prefix(b"\xef\xbb\xbf").unwrap_or(line);
    let value: Value = serde_json::from_slice(line).ok()?;
    let salary = value.as_object()?.get("salary_min")?;
    let fits = salary.is_null()
        || salary.is_i64()
        || salary.as_str().is_some_and(|text| text.parse::<i64>().is_ok());
    let doubled = line.windows(5).filter(|window| window == b"\"id\":").count() > 1;
    (fits && !doubled).then_some(value)
}

fn records(files: &BTreeMap<String, Vec<u8>>) -> Vec<(String, Value)> {
    raw(files)
        .flat_map(|(path, stored)| {
            let day = day(path).to_owned();
            lines(path, stored)
                .into_iter()
                .filter_map(move |line| Some((day.clone(), record(&line)?)))
        })
        .collect()
}

#[test]
fn the_committed_lake_is_the_generators_byte_for_byte_and_nothing_more() {
    let dir = tempfile::tempdir().unwrap();
    sample::write(dir.path(), &Cancel::new()).unwrap();
    let (expected, found) = (files(dir.path()), committed());
    let names = |files: &BTreeMap<String, Vec<u8>>| files.keys().cloned().collect::<BTreeSet<_>>();
    let (wanted, there) = (names(&expected), names(&found));
    let missing: Vec<_> = wanted.difference(&there).collect();
    let extra: Vec<_> = there.difference(&wanted).collect();
    assert!(
        missing.is_empty() && extra.is_empty(),
        "missing {missing:?}, extra {extra:?}"
    );
    for (path, content) in &expected {
        assert!(
            found[path] == *content,
            "{path} differs: write the sample lake again and commit it"
        );
    }
    let n_bytes: usize = found.values().map(Vec::len).sum();
    assert!(n_bytes < MAX_BYTES, "{n_bytes} bytes");
}

#[test]
fn one_day_is_twelve_times_its_neighbours_one_is_missing_and_one_is_tiny_files() {
    let files = committed();
    let mut days: BTreeMap<&str, (u64, usize)> = BTreeMap::new();
    for (path, stored) in raw(&files) {
        let (n_files, n_bytes) = days.entry(day(path)).or_default();
        *n_files += 1;
        *n_bytes += stored.len();
    }
    assert_eq!(days.len(), 13);
    assert!(!days.contains_key("2020/01/06"));
    let mut sizes: Vec<usize> = days.values().map(|(_, n_bytes)| *n_bytes).collect();
    sizes.sort_unstable();
    let median = sizes[sizes.len() / 2] as f64;
    let (n_files, n_bytes) = days["2020/01/09"];
    assert!(n_files <= 15, "{n_files} files");
    assert!(
        n_bytes as f64 / median >= 11.0,
        "{} of the median",
        n_bytes as f64 / median
    );
    let neighbours = (days["2020/01/08"].1 + days["2020/01/10"].1) as f64 / 2.0;
    assert!(
        (n_bytes as f64 / neighbours - 12.0).abs() < 0.2,
        "{}",
        n_bytes as f64 / neighbours
    );
    let (n_files, n_bytes) = days["2020/01/11"];
    assert!(n_files > 300, "{n_files} files");
    assert!((0.8..1.2).contains(&(n_bytes as f64 / median)), "{n_bytes} bytes");
    for (day, (n_files, _)) in days {
        assert!(
            day == "2020/01/11" || (10..=15).contains(&n_files),
            "{day}: {n_files} files"
        );
    }
}

#[test]
fn one_country_holds_45_percent_and_the_texts_are_in_many_scripts() {
    let records = records(&committed());
    let share = |is: &dyn Fn(&Value) -> bool| {
        records.iter().filter(|(_, row)| is(row)).count() as f64 / records.len() as f64
    };
    let hot = share(&|row| row["location"]["country"] == "US");
    assert!((hot - 0.45).abs() < 0.02, "{hot}");
    let html = share(&|row| row["description"].as_str().unwrap().contains("<p>"));
    assert!((html - 0.31).abs() < 0.02, "{html}");
    let titles: String = records
        .iter()
        .map(|(_, row)| row["title"].as_str().unwrap())
        .collect();
    for script in ['看', 'م', 'र', 'ß', 'ç', '🚀'] {
        assert!(titles.contains(script), "{script}");
    }
    let untidy = share(&|row| row["title"].as_str().unwrap() != row["title"].as_str().unwrap().trim());
    assert!(untidy > 0.05, "{untidy}");
    let ids: BTreeSet<&str> = records
        .iter()
        .map(|(_, row)| row["id"].as_str().unwrap())
        .collect();
    let repeated = 1.0 - ids.len() as f64 / records.len() as f64;
    assert!((0.003..0.006).contains(&repeated), "{repeated}");
}

#[test]
fn a_field_changes_its_type_on_one_day_and_a_key_appears_late() {
    let records = records(&committed());
    let days_with = |is: &dyn Fn(&Value) -> bool| -> BTreeSet<&str> {
        records
            .iter()
            .filter(|(_, row)| is(row))
            .map(|(day, _)| day.as_str())
            .collect()
    };
    assert_eq!(
        days_with(&|row| row["salary_min"].is_string()),
        BTreeSet::from(["2020/01/12"])
    );
    assert!(!days_with(&|row| row["salary_min"].is_i64()).contains("2020/01/12"));
    assert!(days_with(&|row| row["salary_min"].is_null()).len() == 13);
    let late = days_with(&|row| row.get("visa_sponsorship").is_some());
    assert_eq!(late.first(), Some(&"2020/01/10"));
    assert_eq!(late.len(), 5);
}

#[test]
fn every_fault_of_the_report_is_where_it_says() {
    let files = committed();
    let report = report();
    for fault in &report.faults {
        let Some(stored) = files.get(&fault.path) else {
            assert!(fault.path.ends_with('/'), "{} is not there", fault.path);
            continue;
        };
        let lines = lines(&fault.path, stored);
        let line = fault
            .line
            .map(|line| lines[usize::try_from(line).unwrap() - 1].as_slice());
        let text = line.map(String::from_utf8_lossy).unwrap_or_default();
        let json = line.and_then(|line| serde_json::from_slice::<Value>(line).ok());
        let is_there = match fault.kind {
            FaultKind::EmptyFile => stored.is_empty(),
            FaultKind::TruncatedGzip => !decode(&fault.path, stored).1 && !lines.is_empty(),
            FaultKind::CrLf => stored.windows(2).filter(|pair| *pair == b"\r\n").count() == lines.len(),
            FaultKind::ByteOrderMark => stored.starts_with(b"\xef\xbb\xbf{"),
            FaultKind::NoFinalNewline => stored.ends_with(b"}"),
            FaultKind::BlankLine => line == Some(b"".as_slice()),
            FaultKind::BrokenJson => text.starts_with('{') && json.is_none(),
            FaultKind::NonObject => json.is_some_and(|value| !value.is_object()),
            FaultKind::DuplicateKey => text.matches("\"id\":").count() == 2 && json.is_some(),
            FaultKind::InvalidUtf8 => line.is_some_and(|line| str::from_utf8(line).is_err()),
            FaultKind::IntBeyondI64 => json.is_some_and(|row| row["salary_min"].as_f64() > Some(9.3e18)),
            FaultKind::MissingDay
            | FaultKind::SpikeDay
            | FaultKind::TinyFilesDay
            | FaultKind::TypeChange
            | FaultKind::LateKey => false,
        };
        assert!(is_there, "{fault:?}");
    }
    let kinds: BTreeSet<FaultKind> = report.faults.iter().map(|fault| fault.kind).collect();
    assert_eq!(kinds.len(), 16, "{kinds:?}");
}

#[test]
fn the_report_counts_the_rows_and_the_bad_lines_of_each_day() {
    let files = committed();
    let report = report();
    for expected in &report.days {
        let folder = expected.date.format("%Y/%m/%d").to_string();
        let (mut n_rows, mut n_bad_lines) = (0, 0);
        for (path, stored) in raw(&files).filter(|(path, _)| day(path) == folder) {
            for line in lines(path, stored).iter().filter(|line| !line.is_empty()) {
                match record(line) {
                    Some(_) => n_rows += 1,
                    None => n_bad_lines += 1,
                }
            }
        }
        assert_eq!(
            (n_rows, n_bad_lines),
            (expected.n_rows, expected.n_bad_lines),
            "{folder}"
        );
        // The job's error budget: 5% of a day's records.
        assert!(n_bad_lines as f64 <= 0.05 * n_rows as f64, "{folder}");
    }
}

#[test]
fn clicks_join_impressions_and_impressions_join_raw_ads() {
    let files = committed();
    let values = |folder: &str, key: &str| -> Vec<String> {
        let of_folder = files.iter().filter(|(path, _)| path.starts_with(folder));
        of_folder
            .flat_map(|(path, stored)| lines(path, stored))
            .filter_map(|line| record_value(&line, key))
            .collect()
    };
    let ids: BTreeSet<String> = values("raw/", "id").into_iter().collect();
    let jobs = values("impressions/", "job_id");
    assert!(jobs.len() > 1000 && jobs.iter().all(|id| ids.contains(id)));
    let impressions: BTreeSet<String> = values("impressions/", "impression_id").into_iter().collect();
    assert_eq!(
        impressions.len(),
        jobs.len(),
        "an impression has an id of its own"
    );
    let clicked = values("clicks/", "impression_id");
    assert!(clicked.len() > 50 && clicked.iter().all(|id| impressions.contains(id)));
}

fn record_value(line: &[u8], key: &str) -> Option<String> {
    let line = line.strip_prefix(b"\xef\xbb\xbf").unwrap_or(line);
    let value: Value = serde_json::from_slice(line).ok()?;
    Some(value.get(key)?.as_str()?.to_owned())
}

#[test]
fn the_processed_table_is_hive_parquet_with_markers_of_no_bytes() {
    use parquet::file::reader::{FileReader, SerializedFileReader};

    let files = committed();
    let parts: Vec<_> = files
        .iter()
        .filter(|(path, _)| path.ends_with(".parquet"))
        .collect();
    assert_eq!(parts.len(), 7);
    for (path, stored) in parts {
        let marker = path.replace("part-00000.parquet", "_SUCCESS");
        assert!(
            path.starts_with("processed/jobs/day_partition=2020-01-0"),
            "{path}"
        );
        assert_eq!(files[&marker].len(), 0);
        let reader = SerializedFileReader::new(bytes::Bytes::from(stored.clone())).unwrap();
        let footer = reader.metadata().file_metadata();
        assert!(footer.num_rows() > 300, "{path}");
        let columns: Vec<&str> = footer
            .schema()
            .get_fields()
            .iter()
            .map(|field| field.name())
            .collect();
        assert_eq!(
            columns,
            ["id", "title", "country", "salary_bucket", "n_tokens", "posted_at"]
        );
    }
}

#[test]
fn the_job_of_the_lake_runs_and_every_row_of_every_day_is_accounted_for() {
    let dir = tempfile::tempdir().unwrap();
    let sample = sample::write(dir.path(), &Cancel::new()).unwrap();
    let spec = fs::read_to_string(dir.path().join("jobs/job_features.yaml")).unwrap();
    let job = Job::from_text(&spec, &dir.path().join("jobs")).unwrap();
    let params = Params::parse(&[("day", "2020-01-01..2020-01-14")]).unwrap();
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let report = runtime
        .block_on(async {
            let (options, progress, cancel) = (RunOptions::default(), Progress::new(), Cancel::new());
            run(&job, &params, &options, &progress, &cancel).await
        })
        .unwrap();
    assert_eq!((report.status, report.partitions.len()), (RunStatus::Done, 14));
    for day in &report.partitions {
        let date = day.partition.date().unwrap();
        let Some(expected) = sample.days.iter().find(|expected| expected.date == date) else {
            assert_eq!(day.status, PartitionStatus::NoData, "{date}");
            continue;
        };
        assert_eq!(
            day.status,
            PartitionStatus::Committed,
            "{date}: {:?}",
            day.message
        );
        assert_eq!(
            day.rows_in,
            day.rows_out + day.rows_filtered + day.rows_quarantined,
            "{date}"
        );
        // The truncated file adds one reject of its own.
        let n_truncated = u64::from(date.to_string() == "2020-01-13");
        let rejects = expected.n_bad_lines + n_truncated;
        assert_eq!(
            day.rows_quarantined, rejects,
            "{date}: {:?}",
            day.quarantine.by_reason
        );
        assert_eq!(day.rows_in, expected.n_rows + rejects, "{date}");
        assert!(
            day.rows_filtered > 0 && day.rows_filtered * 20 < day.rows_in,
            "{date}"
        );
    }
    let names: BTreeSet<String> = files(dir.path()).into_keys().collect();
    assert_eq!(
        names.len() as u64,
        sample.n_files,
        "a run writes only below `out/`"
    );
}

#[test]
fn a_listing_of_the_lake_names_the_spike_the_gap_and_the_tiny_files() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("sample_data/raw");
    let root = Location::resolve(folder.to_str().unwrap(), Path::new("/")).unwrap();
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let (dataset, n_files) = runtime.block_on(async {
        let store = Store::open(&root, &Connection::default()).await.unwrap();
        let mut inventory = Inventory::new(store.root());
        inventory.add(&store.list_all("", &Cancel::new()).await.unwrap());
        let dataset = inventory.datasets().next().unwrap().clone();
        (dataset, inventory.n_files())
    });
    let skew = partition_skew(&dataset, &CostModel::default());
    let found: BTreeSet<(FindingCode, String)> = skew
        .findings
        .iter()
        .filter_map(|finding| Some((finding.code, finding.partition.as_ref()?.to_string())))
        .collect();
    let expected = [
        (FindingCode::PartitionSpike, "2020-01-09".to_owned()),
        (FindingCode::MissingDate, "2020-01-06".to_owned()),
        (FindingCode::TinyFiles, "2020-01-11".to_owned()),
        // Its requests take longer than all other days together, though its bytes are as many as theirs.
        (FindingCode::EvenPartitions, "2020-01-11".to_owned()),
        (FindingCode::ZeroByteFiles, "2020-01-03".to_owned()),
    ];
    assert_eq!(found, BTreeSet::from(expected));
    let bars = PartitionBars::new(&dataset, &skew);
    assert_eq!(
        (bars.bars.len(), Calendar::new(&dataset, &skew).days.len()),
        (14, 14)
    );
    assert_eq!(SizeHistogram::new(&dataset).n_files, n_files);
    assert_eq!(Lorenz::new(&dataset).points.len(), 14);
}

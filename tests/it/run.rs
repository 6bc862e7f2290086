//! Runs of whole jobs on temporary lakes: where every row went, what readers see, and what a crash leaves.

use std::fs;
use std::io::Write as _;
use std::path::{Path, PathBuf};

use arrow::array::{Array as _, AsArray as _};
use arrow::datatypes::Int64Type;
use parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;
use serde_json::Value;
use skewer::base::{Cancel, Progress};
use skewer::job::{Job, Params};
use skewer::run::{PartitionStatus as Status, RunOptions, RunReport, RunStatus, exit, run};
use tempfile::TempDir;

pub const DAY: &str = "2020-01-02";

/// A lake in a temporary folder: `raw/YYYY/MM/DD/`, the table in `out/clicks/`.
pub struct Lake {
    folder: TempDir,
    pub steps: String,
    pub parquet: String,
    pub budget: String,
    pub limits: String,
    /// Lines of the spec's `sink`, and of its top level.
    pub sink: String,
    pub more: String,
    /// Type of `word`, as the spec has it.
    pub word: String,
}

impl Lake {
    pub fn new() -> Self {
        Self {
            folder: tempfile::tempdir().unwrap(),
            steps: String::new(),
            parquet: String::new(),
            budget: "records: {ratio: 1.0}, files: {ratio: 1.0}".to_owned(),
            limits: String::new(),
            sink: String::new(),
            more: String::new(),
            word: "type: string".to_owned(),
        }
    }

    pub fn path(&self, relative: &str) -> PathBuf {
        self.folder.path().join(relative)
    }

    pub fn raw(&self, name: &str, content: impl AsRef<[u8]>) -> PathBuf {
        let path = self.path("raw").join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(&path, content).unwrap();
        path
    }

    pub fn spec(&self) -> String {
        format!(
            "\
apiVersion: skewer/v1
kind: Job
metadata: {{name: clicks}}
params: {{day: {{type: date_list}}}}
source:
  uri: raw/{{day:%Y/%m/%d}}/
  schema:
    fields:
      - {{name: id, type: int64, required: true}}
      - {{name: word, {}}}
      - {{name: tags, type: list<string>}}
steps: [{}]
sink:
  uri: out/clicks/
  parquet: {{{}}}
{}
errors: {{budget: {{{}}}}}
limits: {{{}}}
{}
",
            self.word, self.steps, self.parquet, self.sink, self.budget, self.limits, self.more
        )
    }

    pub fn job(&self) -> Job {
        Job::from_text(&self.spec(), self.folder.path()).unwrap()
    }

    pub fn run(&self, days: &str) -> RunReport {
        self.run_with(days, &RunOptions::default(), &Cancel::new())
    }

    pub fn replace(&self, days: &str) -> RunReport {
        let options = RunOptions {
            replace: true,
            ..RunOptions::default()
        };
        self.run_with(days, &options, &Cancel::new())
    }

    pub fn run_with(&self, days: &str, options: &RunOptions, cancel: &Cancel) -> RunReport {
        let params = Params::parse(&[("day", days)]).unwrap();
        let report = block_on(run(&self.job(), &params, options, &Progress::new(), cancel)).unwrap();
        check_books(&report);
        report
    }

    /// Ids of the table's rows of a day, in the order of parts and rows.
    pub fn ids(&self, day: &str) -> Vec<i64> {
        self.parts(day).iter().flat_map(|path| ids_of(path)).collect()
    }

    pub fn parts(&self, day: &str) -> Vec<PathBuf> {
        files_below(&self.path(&format!("out/clicks/day_partition={day}")))
            .into_iter()
            .filter(|path| path.extension().is_some_and(|extension| extension == "parquet"))
            .collect()
    }

    pub fn quarantine(report: &RunReport) -> Vec<Value> {
        let Some(uri) = &report.partitions[0].quarantine.uri else {
            return Vec::new();
        };
        fs::read_to_string(uri)
            .unwrap()
            .lines()
            .map(|line| serde_json::from_str(line).unwrap())
            .collect()
    }
}

pub fn block_on<T>(future: impl Future<Output = T>) -> T {
    tokio::runtime::Runtime::new().unwrap().block_on(future)
}

pub fn files_below(folder: &Path) -> Vec<PathBuf> {
    let mut files = Vec::new();
    let mut folders = vec![folder.to_owned()];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).into_iter().flatten() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else {
                files.push(path);
            }
        }
    }
    files.sort();
    files
}

pub fn ids_of(path: &Path) -> Vec<i64> {
    let file = fs::File::open(path).unwrap();
    let reader = ParquetRecordBatchReaderBuilder::try_new(file)
        .unwrap()
        .build()
        .unwrap();
    reader
        .flat_map(|batch| {
            let batch = batch.unwrap();
            let ids = batch.column_by_name("id").unwrap().as_primitive::<Int64Type>();
            ids.values().to_vec()
        })
        .collect()
}

pub fn lines(ids: std::ops::Range<i64>) -> String {
    lines_of(ids, |id| {
        format!("{{\"id\": {id}, \"word\": \"w{id}\", \"tags\": [\"a\", \"b\"]}}")
    })
}

fn lines_of(ids: std::ops::Range<i64>, line: impl Fn(i64) -> String) -> String {
    ids.map(line).collect::<Vec<_>>().join("\n") + "\n"
}

pub fn gzip(text: &str) -> Vec<u8> {
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
    encoder.write_all(text.as_bytes()).unwrap();
    encoder.finish().unwrap()
}

/// Every report's days keep `in = out + filtered + quarantined + merged - made`, whatever their status.
pub fn check_books(report: &RunReport) {
    for day in &report.partitions {
        assert_eq!(
            day.rows_in + day.rows_made,
            day.rows_out + day.rows_filtered + day.rows_quarantined + day.rows_merged,
            "{day:?}"
        );
    }
}

#[test]
fn rows_of_all_codecs_arrive_in_the_order_of_keys_and_lines() {
    let lake = Lake::new();
    lake.raw(
        "2020/01/02/c.jsonl.zst",
        zstd::encode_all(lines(20..30).as_bytes(), 1).unwrap(),
    );
    lake.raw("2020/01/02/a/a.jsonl", lines(0..10));
    lake.raw("2020/01/02/b.json.gz", gzip(&lines(10..20)));
    lake.raw("2020/01/02/_SUCCESS", "");
    lake.raw("2020/01/02/_tmp/x.jsonl", lines(90..95));
    lake.raw("2020/01/02/empty.jsonl", "");
    lake.raw("2020/01/02/readme.txt", "no data");
    let report = lake.run(DAY);
    assert_eq!(
        (report.status, report.exit_code),
        (RunStatus::Done, 0),
        "{report:?}"
    );
    let day = &report.partitions[0];
    assert_eq!((day.rows_in, day.rows_out, day.n_files), (30, 30, 4));
    assert_eq!(lake.ids(DAY), (0..30).collect::<Vec<_>>());
    let table: Vec<String> = files_below(&lake.path("out/clicks"))
        .iter()
        .map(|path| {
            path.strip_prefix(lake.path("out/clicks"))
                .unwrap()
                .display()
                .to_string()
        })
        .collect();
    assert_eq!(
        table,
        [
            "day_partition=2020-01-02/_SUCCESS",
            "day_partition=2020-01-02/part-00000.parquet"
        ]
    );
    assert_eq!(
        fs::metadata(lake.path("out/clicks/day_partition=2020-01-02/_SUCCESS"))
            .unwrap()
            .len(),
        0
    );
    assert!(!lake.path("out/_skewer/clicks/staging").exists());
    let part = fs::metadata(&day.parts[0].path).unwrap();
    assert_eq!((day.parts[0].rows, day.parts[0].bytes), (30, part.len()));
}

#[test]
fn parts_hold_the_declared_columns_only_and_say_where_they_came_from() {
    let lake = Lake::new();
    lake.raw("2020/01/02/a.jsonl", lines(0..3));
    lake.run(DAY);
    let file = fs::File::open(&lake.parts(DAY)[0]).unwrap();
    let reader = ParquetRecordBatchReaderBuilder::try_new(file).unwrap();
    let names: Vec<&str> = reader
        .schema()
        .fields()
        .iter()
        .map(|field| field.name().as_str())
        .collect();
    assert_eq!(names, ["id", "word", "tags"]);
    let footer = reader.metadata().file_metadata();
    let value = |key: &str| {
        let found = footer
            .key_value_metadata()
            .unwrap()
            .iter()
            .find(|kv| kv.key == key);
        found.and_then(|kv| kv.value.clone())
    };
    assert_eq!(value("skewer.job").as_deref(), Some("clicks"));
    assert_eq!(value("skewer.slot").as_deref(), Some("0"));
    assert_eq!(value("skewer.spec_sha256"), Some(lake.job().spec_sha256));
    let batch = reader.build().unwrap().next().unwrap().unwrap();
    let tags = batch.column_by_name("tags").unwrap().as_list::<i32>().value(2);
    assert_eq!(tags.len(), 2);
}

#[test]
fn faults_are_quarantined_with_their_place_and_the_books_balance() {
    let mut lake = Lake::new();
    lake.steps = "{filter: {where: \"id <> 1\"}}, {parse_timestamp: {column: word, into: at}}".to_owned();
    let good = "{\"id\": 1, \"word\": \"2020-01-01\"}\n{\"id\": 2, \"word\": \"2020-01-02\"}\n";
    lake.raw(
        "2020/01/02/a.jsonl",
        format!("{good}\n{{\"id\": oops}}\n{{\"word\": \"x\"}}\n[1]\n"),
    );
    lake.raw(
        "2020/01/02/b.jsonl.gz",
        gzip("{\"id\": 3, \"word\": \"never\", \"extra\": 1}\n"),
    );
    let whole = gzip(&lines_of(10..4000, |id| {
        format!("{{\"id\": {id}, \"word\": \"2020-01-03\"}}")
    }));
    let cut = lake.raw("2020/01/02/c.jsonl.gz", &whole[..whole.len() / 2]);
    let report = lake.run(DAY);
    check_books(&report);
    let day = &report.partitions[0];
    assert_eq!(day.status, Status::Committed, "{day:?}");
    assert_eq!(
        (day.rows_filtered, day.rows_quarantined, day.n_files_failed),
        (1, 5, 1)
    );
    assert_eq!(day.rows_out, lake.ids(DAY).len() as u64);
    assert!(
        day.rows_out > 100,
        "complete lines of the cut file are kept: {}",
        day.rows_out
    );
    assert_eq!(day.drift.unknown["extra"].n, 1);
    assert_eq!(day.steps[0].rows_filtered, 1);

    let rejects = Lake::quarantine(&report);
    let find = |reason: &str| {
        let found: Vec<&Value> = rejects
            .iter()
            .filter(|reject| reject["reason_code"] == reason)
            .collect();
        assert_eq!(found.len(), 1, "{reason}: {rejects:?}");
        found[0].clone()
    };
    let invalid = find("invalid_json");
    assert_eq!(
        (&invalid["line"], &invalid["byte_offset"]),
        (&4.into(), &(good.len() + 1).into())
    );
    assert_eq!(invalid["raw"], "{\"id\": oops}");
    assert_eq!(find("missing_field")["field"], "id");
    assert_eq!(find("not_an_object")["line"], 6);
    let step = find("step_failed");
    assert_eq!((&step["line"], &step["stage"]), (&1.into(), &"transform".into()));
    assert!(
        step["step_id"].as_str().unwrap().starts_with("2 parse_timestamp"),
        "{step}"
    );
    assert_eq!(step["raw"], "{\"id\": 3, \"word\": \"never\", \"extra\": 1}");
    let truncated = find("truncated");
    assert_eq!(truncated["source"]["uri"], cut.display().to_string());
    assert_eq!(truncated["source"]["size"], whole.len() / 2);
    for reject in &rejects {
        assert_eq!(
            (&reject["run_id"], &reject["day"]),
            (&report.run_id.as_str().into(), &DAY.into())
        );
    }
}

#[test]
fn a_day_over_its_budget_publishes_nothing_and_names_the_reasons() {
    let mut lake = Lake::new();
    lake.budget = "records: {ratio: 0.01}".to_owned();
    lake.raw("2020/01/02/a.jsonl", format!("{}x\ny\n", lines(0..50)));
    let report = lake.run(DAY);
    assert_eq!(
        (report.status, report.exit_code),
        (RunStatus::BudgetExceeded, exit::BUDGET)
    );
    let day = &report.partitions[0];
    assert_eq!((day.rows_in, day.rows_quarantined), (52, 2));
    let message = day.message.as_deref().unwrap();
    assert!(
        message.contains("2 invalid_json") && message.contains("a.jsonl:51"),
        "{message}"
    );
    assert_eq!(Lake::quarantine(&report).len(), 2);
    assert_eq!(files_below(&lake.path("out/clicks")), Vec::<PathBuf>::new());
    assert!(!lake.path("out/_skewer/clicks/2020-01-02").exists());
    assert!(!lake.path("out/_skewer/clicks/staging").exists());

    lake.budget = "records: {ratio: 0.5}, files: {abs: 0}".to_owned();
    assert_eq!(lake.run(DAY).status, RunStatus::Done);
    lake.raw("2020/01/03/a.jsonl.gz", &gzip(&lines(0..500))[..200]);
    let report = lake.run("2020-01-03");
    assert_eq!(report.status, RunStatus::BudgetExceeded);
    assert!(
        report.partitions[0]
            .message
            .as_deref()
            .unwrap()
            .contains("1 of 1 file in"),
        "{report:?}"
    );
}

#[test]
fn a_committed_day_is_computed_again_when_asked_under_new_names() {
    let lake = Lake::new();
    lake.raw("2020/01/02/a.jsonl", lines(0..5));
    lake.run(DAY);
    lake.raw("2020/01/02/b.jsonl", lines(5..8));
    let replaced = lake.replace(DAY);
    assert_eq!(replaced.partitions[0].status, Status::Committed);
    assert_eq!(replaced.partitions[0].rows_in, 8);
    assert_eq!(lake.ids(DAY), (0..8).collect::<Vec<_>>());
    assert!(
        lake.parts(DAY)[0].ends_with("part-00001.parquet"),
        "a part's number is never used again"
    );
}

#[test]
fn parts_are_cut_at_exactly_the_number_of_rows() {
    let mut lake = Lake::new();
    lake.parquet = "rows_per_file: 7, row_group_rows: 3, compression: zstd(1)".to_owned();
    for file in 0..5 {
        lake.raw(&format!("2020/01/02/{file}.jsonl"), lines(file * 5..file * 5 + 5));
    }
    let report = lake.run(DAY);
    let rows: Vec<u64> = report.partitions[0].parts.iter().map(|part| part.rows).collect();
    assert_eq!(rows, [7, 7, 7, 4]);
    assert_eq!(lake.ids(DAY), (0..25).collect::<Vec<_>>());
}

#[test]
fn days_run_newest_first_and_a_missing_day_is_no_failure() {
    let lake = Lake::new();
    lake.raw("2020/01/02/a.jsonl", lines(0..2));
    lake.raw("2020/01/04/a.jsonl", lines(4..6));
    let report = lake.run("2020-01-02..2020-01-04");
    let days: Vec<(String, Status)> = report
        .partitions
        .iter()
        .map(|day| (day.partition.to_string(), day.status))
        .collect();
    let expected = [
        ("2020-01-04", Status::Committed),
        ("2020-01-03", Status::NoData),
        ("2020-01-02", Status::Committed),
    ];
    assert_eq!(days, expected.map(|(day, status)| (day.to_owned(), status)));
    assert_eq!(report.exit_code, 0);
    assert!(!lake.path("out/clicks/day_partition=2020-01-03").exists());
    let kept =
        fs::read(lake.path(&format!("out/_skewer/clicks/runs/{}/report.json", report.run_id))).unwrap();
    assert_eq!(
        serde_json::from_slice::<Value>(&kept).unwrap(),
        serde_json::to_value(&report).unwrap()
    );
}

#[test]
fn a_cancelled_run_leaves_nothing_published_or_staged() {
    let lake = Lake::new();
    for file in 0..50 {
        lake.raw(
            &format!("2020/01/02/{file:02}.jsonl"),
            format!("{}bad\n", lines(0..200)),
        );
    }
    let cancel = Cancel::new();
    let progress = Progress::new();
    let params = Params::parse(&[("day", "2020-01-02")]).unwrap();
    let (job, options) = (lake.job(), RunOptions::default());
    let report = block_on(async {
        let running = run(&job, &params, &options, &progress, &cancel);
        // Cancels as soon as the first rows have been written.
        let cancelling = async {
            while progress.view().n_bytes == 0 {
                tokio::task::yield_now().await;
            }
            cancel.cancel();
        };
        tokio::join!(running, cancelling).0.unwrap()
    });
    assert_eq!(
        (report.status, report.exit_code),
        (RunStatus::Cancelled, exit::CANCELLED)
    );
    assert_eq!(files_below(&lake.path("out/clicks")), Vec::<PathBuf>::new());
    let left = files_below(&lake.path("out/_skewer"));
    assert!(left.iter().all(|path| path.ends_with("report.json")), "{left:?}");
    assert_eq!(lake.run(DAY).partitions[0].rows_out, 50 * 200);
}

#[test]
fn a_crash_after_the_commit_record_is_mended_by_the_next_run() {
    let mut lake = Lake::new();
    lake.parquet = "rows_per_file: 4".to_owned();
    lake.raw("2020/01/02/a.jsonl", lines(0..10));
    let first = lake.run(DAY);
    let before = lake.ids(DAY);
    // As a process killed between the record and the last rename leaves it: parts 1 and 2 staged, nothing marked.
    for slot in [1, 2] {
        let staged = lake.path(&format!(
            "out/_skewer/clicks/staging/{}/{DAY}/part-{slot:05}.parquet",
            first.run_id
        ));
        fs::create_dir_all(staged.parent().unwrap()).unwrap();
        let part = lake.path(&format!("out/clicks/day_partition={DAY}/part-{slot:05}.parquet"));
        fs::rename(part, staged).unwrap();
    }
    fs::remove_file(lake.path(&format!("out/clicks/day_partition={DAY}/_SUCCESS"))).unwrap();
    fs::remove_file(lake.path(&format!("out/_skewer/clicks/{DAY}/applied/0000000001"))).unwrap();
    assert_ne!(lake.ids(DAY), before);

    let second = lake.run(DAY);
    assert_eq!(second.partitions[0].status, Status::AlreadyCommitted);
    assert!(
        second.partitions[0]
            .message
            .as_deref()
            .unwrap()
            .contains("finished now"),
        "{second:?}"
    );
    assert_eq!(lake.ids(DAY), before);
    assert!(
        lake.path(&format!("out/clicks/day_partition={DAY}/_SUCCESS"))
            .exists()
    );
    assert!(!lake.path("out/_skewer/clicks/staging").exists());
}

#[test]
fn a_day_is_not_called_complete_before_all_its_parts_are_in_place() {
    let mut lake = Lake::new();
    lake.parquet = "rows_per_file: 5".to_owned();
    lake.raw("2020/01/02/a.jsonl", lines(0..10));
    let in_the_way = lake.path(&format!("out/clicks/day_partition={DAY}/part-00001.parquet"));
    fs::create_dir_all(&in_the_way).unwrap();
    let report = lake.run(DAY);
    assert_eq!(report.partitions[0].status, Status::Failed, "{report:?}");
    let marker = lake.path(&format!("out/clicks/day_partition={DAY}/_SUCCESS"));
    assert!(!marker.exists());
    fs::remove_dir(&in_the_way).unwrap();
    assert_eq!(lake.run(DAY).partitions[0].status, Status::AlreadyCommitted);
    assert!(marker.exists());
    assert_eq!(lake.ids(DAY), (0..10).collect::<Vec<_>>());
}

#[test]
fn a_lost_part_is_told_and_not_papered_over() {
    let lake = Lake::new();
    lake.raw("2020/01/02/a.jsonl", lines(0..10));
    lake.run(DAY);
    fs::remove_file(&lake.parts(DAY)[0]).unwrap();
    fs::remove_file(lake.path(&format!("out/_skewer/clicks/{DAY}/applied/0000000001"))).unwrap();
    let report = lake.run(DAY);
    assert_eq!(report.partitions[0].status, Status::Failed);
    assert!(
        report.partitions[0]
            .message
            .as_deref()
            .unwrap()
            .contains("--replace"),
        "{report:?}"
    );
    let mended = lake.replace(DAY);
    assert_eq!(mended.partitions[0].status, Status::Committed, "{mended:?}");
    assert_eq!(lake.ids(DAY), (0..10).collect::<Vec<_>>());
}

#[test]
fn parts_that_no_commit_knows_are_not_joined_by_others_of_the_same_rows() {
    let lake = Lake::new();
    lake.raw("2020/01/02/a.jsonl", lines(0..10));
    lake.run(DAY);
    fs::remove_dir_all(lake.path("out/_skewer")).unwrap();
    for report in [lake.run(DAY), lake.replace(DAY)] {
        let day = &report.partitions[0];
        assert_eq!(day.status, Status::Failed);
        let message = day.message.as_deref().unwrap();
        assert!(message.contains("part-00000.parquet"), "{message}");
    }
    assert_eq!(lake.ids(DAY), (0..10).collect::<Vec<_>>());
}

#[test]
fn of_two_runs_at_once_one_commits_and_the_other_says_try_again() {
    let lake = Lake::new();
    for file in 0..20 {
        lake.raw(
            &format!("2020/01/02/{file:02}.jsonl"),
            lines(file * 100..file * 100 + 100),
        );
    }
    let params = Params::parse(&[("day", DAY)]).unwrap();
    let (job, options, progress, cancel) =
        (lake.job(), RunOptions::default(), Progress::new(), Cancel::new());
    let (a, b) = block_on(async {
        let one = || run(&job, &params, &options, &progress, &cancel);
        tokio::join!(one(), one())
    });
    let (a, b) = (a.unwrap(), b.unwrap());
    let (winner, loser) = if a.exit_code == 0 { (a, b) } else { (b, a) };
    assert_eq!(winner.partitions[0].status, Status::Committed, "{winner:?}");
    assert_eq!(
        (loser.status, loser.exit_code),
        (RunStatus::Failed, exit::TRY_AGAIN),
        "{loser:?}"
    );
    assert!(
        loser.partitions[0]
            .message
            .as_deref()
            .unwrap()
            .contains(&winner.run_id)
    );
    assert_eq!(lake.ids(DAY), (0..2000).collect::<Vec<_>>());
    assert!(!lake.path("out/_skewer/clicks/staging").exists());
}

#[test]
fn steps_that_need_the_whole_day_see_the_whole_day() {
    let mut lake = Lake::new();
    lake.steps = "{dedupe: {columns: [id]}}".to_owned();
    lake.raw("2020/01/02/a.jsonl", lines(0..10));
    lake.raw("2020/01/02/b.jsonl", lines(5..15));
    let report = lake.run(DAY);
    check_books(&report);
    assert_eq!(
        (report.partitions[0].rows_in, report.partitions[0].rows_out),
        (20, 15)
    );
    assert_eq!(lake.ids(DAY), (0..15).collect::<Vec<_>>());
}

#[test]
fn rows_that_a_step_makes_are_in_the_books() {
    let mut lake = Lake::new();
    lake.steps = "{explode: {column: tags}}".to_owned();
    lake.raw("2020/01/02/a.jsonl", lines(0..10));
    let report = lake.run(DAY);
    check_books(&report);
    let day = &report.partitions[0];
    assert_eq!((day.rows_in, day.rows_out, day.rows_made), (10, 20, 10));
}

#[test]
fn a_place_that_cannot_be_written_is_named() {
    let lake = Lake::new();
    lake.raw("2020/01/02/a.jsonl", lines(0..10));
    fs::create_dir_all(lake.path("out/_skewer")).unwrap();
    fs::write(lake.path("out/_skewer/clicks"), "a file where a folder should be").unwrap();
    let params = Params::parse(&[("day", DAY)]).unwrap();
    let error = block_on(run(
        &lake.job(),
        &params,
        &RunOptions::default(),
        &Progress::new(),
        &Cancel::new(),
    ));
    let message = error.unwrap_err().to_string();
    assert!(message.contains("out/_skewer/clicks"), "{message}");
    assert_eq!(files_below(&lake.path("out/clicks")), Vec::<PathBuf>::new());
}

#[test]
fn a_source_that_is_not_there_is_a_configuration_error() {
    let lake = Lake::new();
    let params = Params::parse(&[("day", DAY)]).unwrap();
    let error = block_on(run(
        &lake.job(),
        &params,
        &RunOptions::default(),
        &Progress::new(),
        &Cancel::new(),
    ));
    let error = error.unwrap_err();
    assert_eq!(error.exit_code(), exit::CONFIGURATION);
    assert!(error.to_string().ends_with("check `source.uri`"), "{error}");
}

//! Jobs that read a second dataset: the labels of the sample lake, and what becomes of a day when its inputs change, are
//! broken or are too large.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use arrow::array::AsArray as _;
use parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;
use serde_json::Value;
use skewer::base::{Cancel, Progress};
use skewer::job::{Job, Params};
use skewer::run::{
    PartitionStatus as Status, PlanOptions, RunError, RunOptions, RunReport, RunStatus, TaskStatus, commit,
    compact, exit, plan, run, task,
};

use parquet::basic::{Compression, GzipLevel};

use crate::parquet_kinds::{with_a_map, written};
use crate::run::{DAY, Lake, block_on, check_books, files_below, lines};

const INPUTS: &str = "inputs:
  names:
    uri: names/{day}/
    schema: {fields: [{name: id, type: int64, required: true}, {name: name, type: string}]}
";

/// A lake whose rows get a name each by a left join.
fn named() -> Lake {
    let mut lake = Lake::new();
    INPUTS.clone_into(&mut lake.more);
    "{join: {input: names, on: [id]}}, {filter: {where: \"name IS NOT NULL\"}}".clone_into(&mut lake.steps);
    lake.raw("2020/01/02/a.jsonl", lines(0..10));
    lake
}

fn put(lake: &Lake, path: &str, content: impl AsRef<[u8]>) {
    let path = lake.path(path);
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    fs::write(path, content).unwrap();
}

fn names(ids: std::ops::Range<i64>) -> String {
    let lines: Vec<String> = ids
        .map(|id| format!("{{\"id\": {id}, \"name\": \"n{id}\"}}\n"))
        .collect();
    lines.concat()
}

/// Lines of the sample lake's own files, as they are.
fn records(folder: &Path) -> Vec<Value> {
    let texts = files_below(folder)
        .into_iter()
        .map(|path| fs::read_to_string(path).unwrap());
    texts
        .flat_map(|text| {
            text.lines()
                .map(|line| serde_json::from_str(line).unwrap())
                .collect::<Vec<Value>>()
        })
        .collect()
}

#[test]
fn impressions_of_the_sample_lake_are_labelled_clicked_or_not() {
    let folder = tempfile::tempdir().unwrap();
    skewer::sample::write(folder.path(), &Cancel::new()).unwrap();
    let spec = folder.path().join("jobs/job_clicked.yaml");
    let job = Job::from_text(&fs::read_to_string(&spec).unwrap(), spec.parent().unwrap()).unwrap();
    let params = Params::parse(&[("day", "2020-01-01..2020-01-08")]).unwrap();
    let report = block_on(run(
        &job,
        &params,
        &RunOptions::default(),
        &Progress::new(),
        &Cancel::new(),
    ))
    .unwrap();
    assert_eq!(report.status, RunStatus::Done, "{report:?}");
    check_books(&report);
    let mut n_days = 0;
    let mut n_clicked = 0;
    for day in &report.partitions {
        let date = day.partition.to_string();
        let impressions = records(&folder.path().join("impressions").join(&date));
        assert_eq!(day.rows_out, impressions.len() as u64, "{date}");
        if impressions.is_empty() {
            assert_eq!(day.status, Status::NoData);
            continue;
        }
        n_days += 1;
        let clicks: BTreeMap<String, String> = records(&folder.path().join("clicks").join(&date))
            .into_iter()
            .map(|click| {
                let text = |key: &str| click[key].as_str().unwrap().to_owned();
                (text("impression_id"), text("clicked_at"))
            })
            .collect();
        assert_eq!(
            (day.inputs[0].name.as_str(), day.inputs[0].rows),
            ("clicks", clicks.len() as u64)
        );
        let expected: Vec<(String, bool)> = impressions
            .iter()
            .map(|impression| {
                let id = impression["impression_id"].as_str().unwrap().to_owned();
                let is_clicked = clicks.contains_key(&id);
                (id, is_clicked)
            })
            .collect();
        n_clicked += expected.iter().filter(|(_, is_clicked)| *is_clicked).count();
        let mut labelled = Vec::new();
        for part in &day.parts {
            let reader =
                ParquetRecordBatchReaderBuilder::try_new(fs::File::open(&part.path).unwrap()).unwrap();
            for batch in reader.build().unwrap() {
                let batch = batch.unwrap();
                let ids = batch.column_by_name("impression_id").unwrap();
                let ids = arrow::compute::cast(ids, &arrow::datatypes::DataType::Utf8).unwrap();
                let clicked = batch.column_by_name("clicked").unwrap().as_boolean();
                for row in 0..batch.num_rows() {
                    labelled.push((ids.as_string::<i32>().value(row).to_owned(), clicked.value(row)));
                }
            }
        }
        assert_eq!(labelled, expected, "{date}");
    }
    assert_eq!(n_days, 7);
    assert!(n_clicked > 50, "{n_clicked} clicks");
}

#[test]
fn a_day_is_made_again_as_a_whole_when_the_files_of_its_input_change() {
    let lake = named();
    put(&lake, "names/2020-01-02/a.jsonl", names(0..4));
    assert_eq!(lake.run(DAY).partitions[0].status, Status::Committed);
    assert_eq!(lake.ids(DAY), [0, 1, 2, 3]);
    assert_eq!(lake.run(DAY).partitions[0].status, Status::AlreadyCommitted);

    // Names that came late.
    put(&lake, "names/2020-01-02/b.jsonl", names(7..9));
    let report = lake.run(DAY);
    check_books(&report);
    let day = &report.partitions[0];
    assert_eq!((day.status, day.n_files_new), (Status::Committed, 0), "{day:?}");
    assert!(
        day.message.as_deref().unwrap().contains("inputs changed"),
        "{day:?}"
    );
    assert_eq!(lake.ids(DAY), [0, 1, 2, 3, 7, 8]);
    assert_eq!(lake.run(DAY).partitions[0].status, Status::AlreadyCommitted);

    // With new rows and other names at once, the rows of before get their names too.
    put(&lake, "names/2020-01-02/c.jsonl", names(9..12));
    lake.raw("2020/01/02/b.jsonl", lines(10..12));
    lake.run(DAY);
    assert_eq!(lake.ids(DAY), [0, 1, 2, 3, 7, 8, 9, 10, 11]);

    // Rows of raw files that are gone are not given up for it.
    fs::remove_file(lake.path("raw/2020/01/02/a.jsonl")).unwrap();
    fs::remove_file(lake.path("names/2020-01-02/c.jsonl")).unwrap();
    let report = lake.run(DAY);
    assert_eq!(report.partitions[0].status, Status::AlreadyCommitted);
    assert!(
        report.partitions[0]
            .message
            .as_deref()
            .unwrap()
            .contains("inputs changed too")
    );
    assert_eq!(lake.ids(DAY).len(), 9);
}

#[test]
fn an_input_without_a_day_in_its_place_serves_all_days_and_one_without_files_is_told() {
    let mut lake = named();
    lake.raw("2020/01/03/a.jsonl", lines(3..6));
    lake.more = INPUTS.replace("names/{day}/", "names/");
    put(&lake, "names/all.jsonl", names(2..5));
    let report = lake.run("2020-01-02..2020-01-03");
    assert_eq!(report.status, RunStatus::Done, "{report:?}");
    assert_eq!(
        (lake.ids(DAY), lake.ids("2020-01-03")),
        (vec![2, 3, 4], vec![3, 4])
    );

    let lake = named();
    put(&lake, "names/2020-01-01/a.jsonl", names(0..1));
    let report = lake.run(DAY);
    let day = &report.partitions[0];
    assert_eq!((day.status, day.rows_filtered), (Status::Committed, 10));
    assert_eq!(
        day.message.as_deref(),
        Some("no files of input `names` on this day")
    );
}

#[test]
fn rejects_of_an_input_count_against_the_budget_as_its_own() {
    let mut lake = named();
    lake.budget = "records: {ratio: 0.2}, files: {ratio: 1.0}".to_owned();
    put(
        &lake,
        "names/2020-01-02/a.jsonl",
        format!("{}oops\n", names(0..8)),
    );
    let report = lake.run(DAY);
    let day = &report.partitions[0];
    assert_eq!(
        (day.status, day.rows_quarantined),
        (Status::Committed, 0),
        "the source has none"
    );
    assert_eq!((day.inputs[0].rows, day.inputs[0].rows_quarantined), (8, 1));
    let kept = fs::read_to_string(day.inputs[0].quarantine.uri.as_ref().unwrap()).unwrap();
    let reject: Value = serde_json::from_str(kept.trim()).unwrap();
    assert_eq!((&reject["line"], &reject["raw"]), (&9.into(), &"oops".into()));

    put(
        &lake,
        "names/2020-01-02/a.jsonl",
        format!("{}oops\nno\nno\nno\n", names(0..8)),
    );
    let report = lake.run(DAY);
    let day = &report.partitions[0];
    assert_eq!(
        (day.status, report.exit_code),
        (Status::BudgetExceeded, exit::BUDGET),
        "{day:?}"
    );
    let message = day.message.as_deref().unwrap();
    assert!(
        message.contains("4 of 12 records of input `names` in quarantine, 2 allowed"),
        "{message}"
    );
    assert_eq!(lake.ids(DAY).len(), 8, "the commit of before holds");
}

#[test]
fn an_input_larger_than_its_share_of_the_memory_is_refused_with_its_size_and_remedies() {
    let mut lake = named();
    lake.limits = "memory: 64MiB".to_owned();
    put(&lake, "names/2020-01-02/a.jsonl", names(0..400_000));
    let report = lake.run(DAY);
    let day = &report.partitions[0];
    assert_eq!(
        (day.status, report.exit_code),
        (Status::Failed, exit::USAGE),
        "{day:?}"
    );
    let message = day.message.as_deref().unwrap();
    for expected in [
        "input `names`",
        "1 file (",
        "more memory than the 22 MB",
        "declare fewer",
        "raise the limit",
    ] {
        assert!(message.contains(expected), "{expected}: {message}");
    }
    assert!(lake.parts(DAY).is_empty());
}

fn planned(lake: &Lake) -> (Job, String, usize) {
    let params = Params::parse(&[("day", DAY)]).unwrap();
    let options = PlanOptions {
        n_tasks: Some(2),
        ..PlanOptions::default()
    };
    let job = lake.job();
    let report = block_on(plan(&job, &params, &options, &Progress::new(), &Cancel::new())).unwrap();
    (job, report.plan_id, report.tasks.len())
}

fn try_task(job: &Job, plan_id: &str, index: usize) -> Result<TaskStatus, RunError> {
    let options = RunOptions::default();
    let (progress, cancel) = (Progress::new(), Cancel::new());
    let done = task(job, plan_id, index, &options, &progress, &cancel);
    block_on(done).map(|report| report.status)
}

fn commit_all(job: &Job, plan_id: &str) -> RunReport {
    let options = RunOptions::default();
    block_on(commit(job, plan_id, &options, &Progress::new(), &Cancel::new())).unwrap()
}

#[test]
fn tasks_of_a_plan_open_the_inputs_too_and_refuse_others_than_were_planned() {
    let lake = named();
    lake.raw("2020/01/02/b.jsonl", lines(10..20));
    put(&lake, "names/2020-01-02/a.jsonl", names(8..12));
    let (job, plan_id, n_tasks) = planned(&lake);
    assert_eq!(n_tasks, 2);
    assert_eq!(try_task(&job, &plan_id, 0).unwrap(), TaskStatus::Done);
    put(&lake, "names/2020-01-02/b.jsonl", names(12..13));
    let error = try_task(&job, &plan_id, 1).unwrap_err();
    assert_eq!(error.exit_code(), exit::TRY_AGAIN);
    let error = error.to_string();
    assert!(
        error.contains("an input changed") && error.contains("plan again"),
        "{error}"
    );

    let (job, plan_id, n_tasks) = planned(&lake);
    for index in 0..n_tasks {
        assert_eq!(try_task(&job, &plan_id, index).unwrap(), TaskStatus::Done);
    }
    let report = commit_all(&job, &plan_id);
    check_books(&report);
    assert_eq!(report.partitions[0].inputs[0].rows, 5, "once, not once a task");
    assert_eq!(lake.ids(DAY), [8, 9, 10, 11, 12]);
    // What the plan committed is what a run finds up to date.
    assert_eq!(lake.run(DAY).partitions[0].status, Status::AlreadyCommitted);
}

fn united() -> Lake {
    let mut lake = named();
    "{union: {input: names}}".clone_into(&mut lake.steps);
    lake
}

#[test]
fn a_union_appends_the_input_once_a_day_also_where_no_row_comes_in() {
    let mut lake = united();
    put(&lake, "names/2020-01-02/a.jsonl", names(70..73));
    let report = lake.run(DAY);
    check_books(&report);
    let day = &report.partitions[0];
    assert_eq!((day.rows_in, day.rows_made, day.rows_out), (10, 3, 13));
    assert_eq!(lake.ids(DAY), (0..10).chain(70..73).collect::<Vec<_>>());

    "{filter: {where: \"id < 0\"}}, {union: {input: names}}".clone_into(&mut lake.steps);
    let report = lake.replace(DAY);
    check_books(&report);
    assert_eq!(lake.ids(DAY), [70, 71, 72]);

    // What is merged later is what was written: nothing is appended again.
    lake.parquet = "rows_per_file: 1".to_owned();
    lake.replace(DAY);
    assert_eq!(lake.parts(DAY).len(), 3);
    lake.parquet = String::new();
    let params = Params::parse(&[("day", DAY)]).unwrap();
    let options = RunOptions::default();
    let merged = block_on(compact(
        &lake.job(),
        &params,
        &options,
        &Progress::new(),
        &Cancel::new(),
    ))
    .unwrap();
    assert_eq!(merged.partitions[0].status, Status::Committed, "{merged:?}");
    assert_eq!((lake.parts(DAY).len(), lake.ids(DAY)), (1, vec![70, 71, 72]));
}

#[test]
fn a_record_of_the_input_that_a_later_step_rejects_is_named_by_its_own_file() {
    let mut lake = united();
    "{union: {input: names}}, {parse_timestamp: {column: name, into: at}}".clone_into(&mut lake.steps);
    let came_late = "{\"id\": 70, \"name\": \"2020-01-01\"}\n{\"id\": 71, \"name\": \"never\"}\n";
    put(&lake, "names/2020-01-02/late.jsonl", came_late);
    let report = lake.run(DAY);
    check_books(&report);
    let day = &report.partitions[0];
    assert_eq!(
        (day.status, day.rows_quarantined, day.rows_out),
        (Status::Committed, 1, 11),
        "{day:?}"
    );
    let rejects = Lake::quarantine(&report);
    let uri = rejects[0]["source"]["uri"].as_str().unwrap();
    assert!(uri.ends_with("names/2020-01-02/late.jsonl"), "{uri}");
    assert_eq!(rejects[0]["line"], 2);
}

#[test]
fn a_batch_that_would_explode_is_computed_in_pieces_and_a_record_that_would_is_an_error() {
    let mut lake = named();
    lake.limits = "memory: 64MiB".to_owned();
    lake.more = INPUTS.replace("names/{day}/", "names/");
    let text = "x".repeat(300);
    let same: Vec<String> = (0..40_000)
        .map(|n| format!("{{\"id\": 7, \"name\": \"{}\"}}\n", n % 9))
        .collect();
    let same = same.concat();
    put(&lake, "names/all.jsonl", &same);
    let row = format!("{{\"id\": 7, \"word\": \"{text}\"}}\n");
    lake.raw("2020/01/02/a.jsonl", row.repeat(5));
    lake.steps =
        "{join: {input: names, how: inner, on: [id], columns: [name]}}, {select: {columns: [id]}}".to_owned();
    // What a batch may become depends on how many share the memory.
    let options = RunOptions {
        n_threads: std::num::NonZeroUsize::new(2),
        ..RunOptions::default()
    };
    let report = lake.run_with(DAY, &options, &Cancel::new());
    check_books(&report);
    assert_eq!(
        (report.status, report.partitions[0].rows_out),
        (RunStatus::Done, 200_000),
        "{report:?}"
    );

    lake.raw(
        "2020/01/02/a.jsonl",
        format!("{{\"id\": 7, \"word\": \"{}\"}}\n", "x".repeat(900_000)),
    );
    let report = lake.replace(DAY);
    let message = report.partitions[0].message.clone().unwrap();
    assert!(
        message.contains("step 1 `join(names)` failed: it would make 40,000 rows"),
        "{message}"
    );
    assert!(
        message.contains("40,000 rows of `names` have the key id = 7"),
        "{message}"
    );
}

#[test]
fn an_input_of_packed_parquet_with_a_map_is_joined() {
    let mut lake = named();
    lake.more = INPUTS
        .replace("uri: names/{day}/", "uri: names/{day}/\n    format: parquet")
        .replace(
            "{name: name, type: string}",
            "{name: word, type: string}, {name: tags, type: 'list<struct<key: string, value: int64>>'}",
        );
    "{join: {input: names, on: [id], how: inner}}, {derive: {columns: {n_tags: \"array_length(tags_right)\"}}}, \
     {drop: {columns: [tags_right]}}"
        .clone_into(&mut lake.steps);
    let packed = written(&with_a_map(), Compression::GZIP(GzipLevel::default()));
    put(&lake, "names/2020-01-02/a.parquet", packed);
    let report = lake.run(DAY);
    assert_eq!(report.status, RunStatus::Done, "{report:?}");
    assert_eq!(report.partitions[0].rows_out, 10);
}

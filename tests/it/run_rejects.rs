//! What becomes of rejects: written once, readable with their day's commit, gone with what was never committed.

use std::fs;
use std::path::PathBuf;
use std::time::Duration;

use serde_json::Value;
use skewer::base::{Cancel, Progress};
use skewer::job::Params;
use skewer::run::{
    GcOptions, GcReport, PartitionStatus as Status, PlanOptions, ReplayOptions, RunError, RunOptions,
    RunReport, RunStatus, TaskReport, TaskStatus, commit, exit, gc, plan, replay, run, task,
};

use crate::run::{DAY, Lake, block_on, check_books, files_below, gzip, lines};

const INPUTS: &str = "inputs:
  names:
    uri: names/{day}/
    schema: {fields: [{name: id, type: int64, required: true}, {name: name, type: string}]}
";

/// File and line of every reject in quarantine, sorted: of the source, and of inputs.
fn rejects(lake: &Lake) -> Vec<(String, u64)> {
    let mut found = Vec::new();
    for path in quarantine(lake) {
        for line in fs::read_to_string(&path).unwrap().lines() {
            let reject: Value = serde_json::from_str(line).unwrap();
            let uri = reject["source"]["uri"].as_str().or(reject["object"].as_str());
            let name = uri.unwrap().rsplit('/').next().unwrap().to_owned();
            found.push((name, reject["line"].as_u64().unwrap()));
        }
    }
    found.sort();
    found
}

fn quarantine(lake: &Lake) -> Vec<PathBuf> {
    files_below(&lake.path("out/_skewer/clicks/quarantine"))
}

fn named(found: &[(&str, u64)]) -> Vec<(String, u64)> {
    found
        .iter()
        .map(|(name, line)| ((*name).to_owned(), *line))
        .collect()
}

fn sweep(lake: &Lake, older_than: Duration, is_dry_run: bool) -> GcReport {
    let options = GcOptions {
        older_than,
        is_dry_run,
        run: RunOptions::default(),
    };
    block_on(gc(&lake.job(), &options, &Cancel::new())).unwrap()
}

fn replay_day(lake: &Lake) -> RunReport {
    let params = Params::parse(&[("day", DAY)]).unwrap();
    let (job, options) = (lake.job(), ReplayOptions::default());
    let report = block_on(replay(&job, &params, &options, &Progress::new(), &Cancel::new())).unwrap();
    check_books(&report);
    report
}

fn message(report: &RunReport) -> &str {
    report.partitions[0].message.as_deref().unwrap()
}

#[test]
fn a_sweep_takes_the_rejects_of_runs_that_committed_nothing_and_no_others() {
    let mut lake = Lake::new();
    lake.budget = "records: {abs: 1}, files: {ratio: 1.0}".to_owned();
    lake.raw("2020/01/02/a.jsonl", format!("{}bad\n", lines(0..3)));
    assert_eq!(lake.run(DAY).status, RunStatus::Done);
    let committed = quarantine(&lake);
    assert_eq!(committed.len(), 1);
    let b = lake.raw("2020/01/02/b.jsonl", "bad\nbad\n");
    let over = lake.run(DAY);
    assert_eq!(over.exit_code, exit::BUDGET);
    assert_eq!(
        rejects(&lake),
        named(&[("a.jsonl", 4), ("b.jsonl", 1), ("b.jsonl", 2)])
    );
    assert_eq!(Lake::quarantine(&over).len(), 2, "the report names them");
    fs::remove_file(b).unwrap();
    for folder in ["quarantine", "quarantine/inputs"] {
        let at = lake.path(&format!("out/_skewer/clicks/{folder}/day={DAY}/run=died/x.jsonl"));
        fs::create_dir_all(at.parent().unwrap()).unwrap();
        fs::write(at, "{\"object\": \"x.jsonl\", \"line\": 1}\n").unwrap();
    }
    assert_eq!(
        sweep(&lake, Duration::from_hours(1), false).objects,
        Vec::<String>::new()
    );
    assert_eq!(quarantine(&lake).len(), 4);
    let would = sweep(&lake, Duration::ZERO, true);
    assert_eq!(would.objects.len(), 3, "{would:?}");
    assert_eq!(quarantine(&lake).len(), 4);
    let did = sweep(&lake, Duration::ZERO, false);
    assert_eq!(did.objects, would.objects);
    assert_eq!(quarantine(&lake), committed);
    assert_eq!(lake.run(DAY).partitions[0].status, Status::AlreadyCommitted);
    // Nothing that a committed run left asks for a fence.
    let n_commits = || files_below(&lake.path(&format!("out/_skewer/clicks/{DAY}/commits"))).len();
    let before = n_commits();
    sweep(&lake, Duration::ZERO, false);
    assert_eq!(n_commits(), before);
}

#[test]
fn a_plan_of_which_one_task_is_young_loses_nothing_to_a_sweep() {
    let lake = bad_lake();
    let plan_id = plan_day(&lake, 2);
    assert_eq!(
        try_task(&lake, &plan_id, 0, &Cancel::new()).unwrap().status,
        TaskStatus::Done
    );
    // All that the first task and the plan left is of long ago; the second has just begun to stage.
    let long_ago = std::time::SystemTime::now() - Duration::from_hours(48);
    for path in files_below(&lake.path("out/_skewer/clicks")) {
        let file = fs::File::options().write(true).open(path).unwrap();
        file.set_modified(long_ago).unwrap();
    }
    let young = lake.path(&format!(
        "out/_skewer/clicks/staging/{plan_id}/{DAY}/task-00001-x/part-01000.parquet"
    ));
    fs::create_dir_all(young.parent().unwrap()).unwrap();
    fs::write(young, "half").unwrap();
    assert_eq!(
        sweep(&lake, Duration::from_hours(24), false).objects,
        Vec::<String>::new()
    );
    try_task(&lake, &plan_id, 1, &Cancel::new()).unwrap();
    assert_eq!(commit_plan(&lake, &plan_id).exit_code, 0);
}

#[test]
fn a_replay_that_mends_nothing_leaves_the_rejects_as_they_are() {
    let mut lake = Lake::new();
    let mixed =
        "{\"id\": 1, \"word\": \"a\"}\n{\"id\": 2, \"word\": 7}\n{\"id\": oops}\n{\"id\": 4, \"word\": 8}\n";
    lake.raw("2020/01/02/a.jsonl", mixed);
    lake.run(DAY);
    let (before, files) = (rejects(&lake), quarantine(&lake));
    assert_eq!(before, named(&[("a.jsonl", 2), ("a.jsonl", 3), ("a.jsonl", 4)]));
    for _ in 0..2 {
        let report = replay_day(&lake);
        assert_eq!(
            message(&report),
            "3 records read again and rejected again, and left in quarantine as they were"
        );
        assert_eq!(report.partitions[0].quarantine.uri, None);
        assert_eq!(quarantine(&lake), files);
    }
    // What is not mended stays once where it was.
    lake.word = "type: string, accept: [string, number]".to_owned();
    let report = replay_day(&lake);
    assert_eq!(message(&report), "2 records mended");
    assert_eq!(report.partitions[0].rows_quarantined, 1);
    assert_eq!(report.partitions[0].quarantine.uri, None);
    assert_eq!((rejects(&lake), quarantine(&lake)), (before, files));
    assert_eq!(lake.ids(DAY), [1, 2, 4]);
    assert_eq!(
        message(&replay_day(&lake)),
        "1 record read again and rejected again, and left in quarantine as they were"
    );
}

#[test]
fn a_replay_that_reads_on_in_a_file_writes_what_it_rejects_there() {
    let mut lake = Lake::new();
    "max_expansion: 2".clone_into(&mut lake.limits);
    // Lines that compress well, far beyond what any file may expand to, with a bad one near the end.
    let word = "w".repeat(1 << 19);
    let line = |id: usize| format!("{{\"id\": {id}, \"word\": \"{word}\"}}\n");
    let text: String = (0..160).map(line).collect();
    lake.raw("2020/01/02/a.jsonl.gz", gzip(&format!("{text}bad\n")));
    let first = lake.run(DAY);
    assert_eq!(first.partitions[0].n_files_failed, 1, "{first:?}");
    let before = rejects(&lake);
    assert_eq!(before.len(), 1, "{before:?}");
    assert!(before[0].1 < 160, "{before:?}");
    lake.limits.clear();
    "max_expansion: 100000".clone_into(&mut lake.limits);
    let report = replay_day(&lake);
    assert_eq!(report.partitions[0].status, Status::Committed, "{report:?}");
    let after = [before, named(&[("a.jsonl.gz", 161)])].concat();
    assert_eq!(rejects(&lake), after);
    assert_eq!(Lake::quarantine(&report).len(), 1);
    assert_eq!(lake.ids(DAY), (0..160).collect::<Vec<_>>());
    replay_day(&lake);
    assert_eq!(rejects(&lake), after);
}

/// As [`bad_lake`], with enough files that a cancel finds the work under way.
fn large_bad_lake() -> Lake {
    let lake = bad_lake();
    for file in 4..N_FILES {
        let name = format!("2020/01/02/{file}.jsonl");
        lake.raw(&name, format!("{}bad\n", lines(0..300)));
    }
    lake
}

const N_FILES: usize = 60;

/// Four files of ten rows and a bad record each, and an input with two bad records.
fn bad_lake() -> Lake {
    let mut lake = Lake::new();
    INPUTS.clone_into(&mut lake.more);
    "{join: {input: names, on: [id]}}".clone_into(&mut lake.steps);
    for file in 0..4 {
        let first = 10 * file;
        let name = format!("2020/01/02/{file}.jsonl");
        lake.raw(&name, format!("{}bad\n", lines(first..first + 10)));
    }
    let names = lake.path("names/2020-01-02/names.jsonl");
    fs::create_dir_all(names.parent().unwrap()).unwrap();
    fs::write(names, "{\"id\": 1, \"name\": \"n\"}\nbad\nbad\n").unwrap();
    "records: {ratio: 1.0}, files: {ratio: 1.0}".clone_into(&mut lake.budget);
    lake
}

const ALL_BAD: [(&str, u64); 6] = [
    ("0.jsonl", 11),
    ("1.jsonl", 11),
    ("2.jsonl", 11),
    ("3.jsonl", 11),
    ("names.jsonl", 2),
    ("names.jsonl", 3),
];

fn plan_day(lake: &Lake, n_tasks: usize) -> String {
    let params = Params::parse(&[("day", DAY)]).unwrap();
    let options = PlanOptions {
        n_tasks: Some(n_tasks),
        run: RunOptions::default(),
    };
    let (job, progress, cancel) = (lake.job(), Progress::new(), Cancel::new());
    let planned = block_on(plan(&job, &params, &options, &progress, &cancel)).unwrap();
    assert_eq!(planned.tasks.len(), n_tasks);
    planned.plan_id
}

fn try_task(lake: &Lake, plan_id: &str, index: usize, cancel: &Cancel) -> Result<TaskReport, RunError> {
    let (options, progress) = (RunOptions::default(), Progress::new());
    block_on(task(&lake.job(), plan_id, index, &options, &progress, cancel))
}

fn commit_plan(lake: &Lake, plan_id: &str) -> RunReport {
    let (options, progress, cancel) = (RunOptions::default(), Progress::new(), Cancel::new());
    let report = block_on(commit(&lake.job(), plan_id, &options, &progress, &cancel)).unwrap();
    check_books(&report);
    report
}

#[test]
fn the_rejects_of_tasks_appear_with_their_commit_and_once_however_often_a_task_runs() {
    let lake = bad_lake();
    let plan_id = plan_day(&lake, 2);
    let (job, options) = (lake.job(), RunOptions::default());
    let (progress, cancel) = (Progress::new(), Cancel::new());
    for index in 0..2 {
        let attempt = || task(&job, &plan_id, index, &options, &progress, &cancel);
        let (one, other) = block_on(async { tokio::join!(attempt(), attempt()) });
        let mut statuses = [one.unwrap().status, other.unwrap().status].map(|status| format!("{status:?}"));
        statuses.sort();
        assert_eq!(statuses, ["AlreadyDone", "Done"]);
    }
    assert_eq!(quarantine(&lake), Vec::<PathBuf>::new());
    for status in [Status::Committed, Status::AlreadyCommitted] {
        let report = commit_plan(&lake, &plan_id);
        assert_eq!(report.partitions[0].status, status, "{report:?}");
        assert_eq!(rejects(&lake), named(&ALL_BAD));
    }
    sweep(&lake, Duration::ZERO, false);
    assert_eq!(rejects(&lake), named(&ALL_BAD));
    let staging = lake.path("out/_skewer/clicks/staging");
    assert_eq!(files_below(&staging), Vec::<PathBuf>::new());
}

#[test]
fn a_plan_that_another_run_overtook_leaves_no_rejects() {
    let lake = bad_lake();
    let plan_id = plan_day(&lake, 2);
    for index in 0..2 {
        try_task(&lake, &plan_id, index, &Cancel::new()).unwrap();
    }
    assert_eq!(lake.run(DAY).exit_code, 0);
    assert_eq!(rejects(&lake), named(&ALL_BAD));
    assert_eq!(commit_plan(&lake, &plan_id).exit_code, exit::TRY_AGAIN);
    assert_eq!(rejects(&lake), named(&ALL_BAD), "the run's, once");
}

#[test]
fn a_cancelled_task_leaves_the_plan_and_nothing_else_and_takes_nothing_from_its_twin() {
    let lake = large_bad_lake();
    let plan_id = plan_day(&lake, 1);
    let left = || {
        let mut left = files_below(&lake.path("out/_skewer/clicks"));
        left.retain(|path| !path.starts_with(lake.path("out/_skewer/clicks/plans")));
        left
    };
    let cancelled_twin = || {
        let (job, options) = (lake.job(), RunOptions::default());
        let (progress, cancel) = (Progress::new(), Cancel::new());
        let ended = block_on(async {
            let running = task(&job, &plan_id, 0, &options, &progress, &cancel);
            // Cancels as soon as the first rows have been written.
            let cancelling = async {
                while progress.view().n_bytes == 0 {
                    tokio::task::yield_now().await;
                }
                cancel.cancel();
            };
            tokio::join!(running, cancelling).0
        });
        assert!(matches!(ended, Err(RunError::Cancelled)), "{ended:?}");
    };
    cancelled_twin();
    assert_eq!(left(), Vec::<PathBuf>::new());
    // One that is not cancelled does its work between another's begin and its cancel.
    let word = lake.path(&format!("out/_skewer/clicks/plans/{plan_id}/done/00000.json"));
    try_task(&lake, &plan_id, 0, &Cancel::new()).unwrap();
    let staged = left();
    let hidden = lake.path("word.json");
    fs::rename(&word, &hidden).unwrap();
    cancelled_twin();
    fs::rename(&hidden, &word).unwrap();
    assert_eq!(left(), staged);
    assert_eq!(commit_plan(&lake, &plan_id).exit_code, 0);
    assert_eq!(rejects(&lake).len(), N_FILES + 2);
}

#[test]
fn a_cancelled_run_leaves_no_rejects_of_its_inputs_either() {
    let lake = large_bad_lake();
    let params = Params::parse(&[("day", DAY)]).unwrap();
    let (job, options) = (lake.job(), RunOptions::default());
    let (progress, cancel) = (Progress::new(), Cancel::new());
    let report = block_on(async {
        let running = run(&job, &params, &options, &progress, &cancel);
        let cancelling = async {
            while progress.view().n_bytes == 0 {
                tokio::task::yield_now().await;
            }
            cancel.cancel();
        };
        tokio::join!(running, cancelling).0.unwrap()
    });
    assert_eq!(report.status, RunStatus::Cancelled);
    let left = files_below(&lake.path("out"));
    assert!(left.iter().all(|path| path.ends_with("report.json")), "{left:?}");
    let day = &report.partitions[0];
    let mut uris = day
        .inputs
        .iter()
        .map(|input| &input.quarantine.uri)
        .chain([&day.quarantine.uri]);
    assert!(uris.all(Option::is_none), "{day:?}");
}

#[test]
fn the_days_of_a_run_keep_the_rejects_of_an_input_that_they_share_each_for_itself() {
    let mut lake = bad_lake();
    lake.more = INPUTS.replace("names/{day}/", "names/");
    lake.raw("2020/01/03/a.jsonl", lines(50..52));
    let report = lake.run("2020-01-02..2020-01-03");
    assert_eq!(report.status, RunStatus::Done, "{report:?}");
    for day in &report.partitions {
        let uri = day.inputs[0].quarantine.uri.as_deref().unwrap();
        assert!(uri.contains(&format!("/day={}/", day.partition)), "{uri}");
        assert_eq!(fs::read_to_string(uri).unwrap().lines().count(), 2);
    }
    let committed = quarantine(&lake);
    sweep(&lake, Duration::ZERO, false);
    assert_eq!(quarantine(&lake), committed);
}

#[test]
fn a_record_counts_once_against_the_budget_however_many_rows_were_made_of_it() {
    let mut lake = Lake::new();
    lake.budget = "records: {abs: 1}, files: {ratio: 1.0}".to_owned();
    lake.steps = "{explode: {column: tags}}, {cast: {column: tags, to: int64}}".to_owned();
    let tags = |tags: &[&str]| format!("{{\"id\": 1, \"word\": \"a\", \"tags\": {tags:?}}}\n");
    let good: String = (0..99).map(|_| tags(&["1"])).collect();
    lake.raw("2020/01/02/a.jsonl", format!("{good}{}", tags(&["x"; 50])));
    for steps in [
        lake.steps.clone(),
        format!("{}, {{dedupe: {{columns: [id, tags]}}}}", lake.steps),
    ] {
        lake.steps = steps;
        let report = lake.replace(DAY);
        let day = &report.partitions[0];
        assert_eq!(
            (day.status, day.rows_quarantined),
            (Status::Committed, 50),
            "{day:?}"
        );
        check_books(&report);
    }
    lake.raw("2020/01/02/b.jsonl", tags(&["2", "y"]));
    let report = lake.replace(DAY);
    assert_eq!(report.exit_code, exit::BUDGET, "{report:?}");
    assert!(
        message(&report).starts_with("error budget exceeded: 2 of 101 records in quarantine, 1 allowed"),
        "{report:?}"
    );
}

#[test]
fn a_task_may_make_more_parts_than_tasks_have_numbers_in_a_row() {
    let mut lake = Lake::new();
    "rows_per_file: 1".clone_into(&mut lake.parquet);
    lake.raw("2020/01/02/a.jsonl", lines(0..1003));
    lake.raw("2020/01/02/b.jsonl", lines(1003..1006));
    let plan_id = plan_day(&lake, 2);
    for index in 0..2 {
        try_task(&lake, &plan_id, index, &Cancel::new()).unwrap();
    }
    assert_eq!(commit_plan(&lake, &plan_id).exit_code, 0);
    let sorted = || {
        let mut ids = lake.ids(DAY);
        ids.sort_unstable();
        ids
    };
    assert_eq!(sorted(), (0..1006).collect::<Vec<_>>());
    // The ledger knows which of the parts are of which file.
    lake.raw("2020/01/02/b.jsonl", lines(2000..2001));
    let report = lake.run(DAY);
    let n_new = report.partitions[0]
        .parts
        .iter()
        .filter(|part| part.is_new)
        .count();
    assert_eq!((n_new, report.partitions[0].parts.len()), (1, 1004));
    assert_eq!(sorted(), (0..1003).chain([2000]).collect::<Vec<_>>());
}

#[test]
fn a_day_that_would_lose_rows_fails_as_a_day_and_not_as_a_spec() {
    let mut lake = Lake::new();
    lake.raw("2020/01/02/a.jsonl", lines(0..3));
    let b = lake.raw("2020/01/02/b.jsonl", lines(3..6));
    lake.run(DAY);
    fs::remove_file(b).unwrap();
    lake.steps = "{filter: {where: \"id > 0\"}}".to_owned();
    lake.raw("2020/01/02/c.jsonl", lines(6..9));
    let report = lake.run(DAY);
    assert_eq!(
        (report.status, report.exit_code),
        (RunStatus::Failed, exit::SOME_FAILED)
    );
    assert!(
        message(&report).starts_with("1 raw file of this day gone"),
        "{report:?}"
    );
    assert!(message(&report).contains("--replace"), "{report:?}");
    assert_eq!(lake.ids(DAY), (0..6).collect::<Vec<_>>());
}

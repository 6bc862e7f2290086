//! Plans, tasks and their commit: the same rows as a run, however often and in whatever order the tasks run.

use std::fs;
use std::time::Duration;

use skewer::base::{Cancel, Progress};
use skewer::job::Params;
use skewer::run::{
    GcOptions, PartitionStatus as Status, PlanOptions, PlanReport, PlannedStatus, RunOptions, RunReport,
    RunStatus, TaskReport, TaskStatus, commit, exit, gc, plan, task,
};

use crate::run::{DAY, Lake, block_on, check_books, files_below, lines};

fn plan_days(lake: &Lake, days: &str, n_tasks: usize) -> PlanReport {
    let params = Params::parse(&[("day", days)]).unwrap();
    let options = PlanOptions {
        n_tasks: Some(n_tasks),
        run: RunOptions::default(),
    };
    block_on(plan(
        &lake.job(),
        &params,
        &options,
        &Progress::new(),
        &Cancel::new(),
    ))
    .unwrap()
}

fn run_task(lake: &Lake, plan_id: &str, index: usize) -> TaskReport {
    let options = RunOptions::default();
    block_on(task(
        &lake.job(),
        plan_id,
        index,
        &options,
        &Progress::new(),
        &Cancel::new(),
    ))
    .unwrap()
}

fn try_commit(lake: &Lake, plan_id: &str) -> Result<RunReport, skewer::run::RunError> {
    let options = RunOptions::default();
    let report = block_on(commit(
        &lake.job(),
        plan_id,
        &options,
        &Progress::new(),
        &Cancel::new(),
    ));
    if let Ok(report) = &report {
        check_books(report);
    }
    report
}

/// A lake of two days, five files each.
fn lake() -> Lake {
    let mut lake = Lake::new();
    "rows_per_file: 8".clone_into(&mut lake.parquet);
    for (i, date) in [(0, "2020/01/02"), (1, "2020/01/03")] {
        for file in 0..5 {
            let first = 100 * i + 10 * file;
            lake.raw(&format!("{date}/{file}.jsonl"), lines(first..first + 10));
        }
    }
    lake
}

#[test]
fn tasks_in_any_order_and_run_twice_commit_the_same_rows_as_a_run() {
    let lake = lake();
    let planned = plan_days(&lake, "2020-01-01..2020-01-03", 6);
    let statuses: Vec<PlannedStatus> = planned.partitions.iter().map(|day| day.status).collect();
    assert_eq!(
        statuses,
        [
            PlannedStatus::Planned,
            PlannedStatus::Planned,
            PlannedStatus::NoData
        ]
    );
    assert_eq!(planned.tasks.iter().map(|task| task.n_files).sum::<u64>(), 10);
    assert_eq!(planned.tasks.len(), 6);
    let missing = try_commit(&lake, &planned.plan_id).unwrap_err();
    assert_eq!(missing.exit_code(), exit::TRY_AGAIN);
    assert!(
        missing.to_string().contains("6 tasks of 6 not done yet: 0, 1, 2"),
        "{missing}"
    );
    for index in (0..planned.tasks.len()).rev() {
        let first = run_task(&lake, &planned.plan_id, index);
        let second = run_task(&lake, &planned.plan_id, index);
        assert_eq!(
            (first.status, second.status),
            (TaskStatus::Done, TaskStatus::AlreadyDone)
        );
        assert_eq!(first.rows_out, second.rows_out);
    }
    assert!(!lake.path("out/clicks").exists(), "tasks publish nothing");
    let report = try_commit(&lake, &planned.plan_id).unwrap();
    assert_eq!(
        (report.status, report.exit_code),
        (RunStatus::Done, 0),
        "{report:?}"
    );
    assert_eq!(report.run_id, planned.plan_id);
    assert_eq!(lake.ids("2020-01-02"), (0..50).collect::<Vec<_>>());
    assert_eq!(lake.ids("2020-01-03"), (100..150).collect::<Vec<_>>());
    assert!(!lake.path("out/_skewer/clicks/staging").exists());
    let again = try_commit(&lake, &planned.plan_id).unwrap();
    assert_eq!(again.partitions[0].status, Status::AlreadyCommitted);
    assert_eq!(lake.ids("2020-01-02").len(), 50);
    let run = lake.run(DAY);
    assert_eq!(
        run.partitions[0].status,
        Status::AlreadyCommitted,
        "the ledger is a run's: {run:?}"
    );
    let nothing = plan_days(&lake, "2020-01-02..2020-01-03", 6);
    assert_eq!(nothing.tasks.len(), 0);
    assert_eq!(
        try_commit(&lake, &nothing.plan_id).unwrap().status,
        RunStatus::Done
    );
}

#[test]
fn a_plan_reads_only_what_is_new_and_rewrites_what_changed() {
    let lake = lake();
    lake.run("2020-01-02..2020-01-03");
    lake.raw("2020/01/02/0.jsonl", lines(900..903));
    for file in 5..9 {
        lake.raw(
            &format!("2020/01/02/{file}.jsonl"),
            lines(10 * file..10 * file + 10),
        );
    }
    let planned = plan_days(&lake, "2020-01-02..2020-01-03", 3);
    assert_eq!(planned.tasks.iter().map(|task| task.n_files).sum::<u64>(), 5);
    assert!(planned.tasks.len() > 1);
    for index in 0..planned.tasks.len() {
        run_task(&lake, &planned.plan_id, index);
    }
    let report = try_commit(&lake, &planned.plan_id).unwrap();
    let day = &report.partitions[1];
    assert_eq!(
        (day.status, day.n_files_new, day.n_files_changed),
        (Status::Committed, 4, 1),
        "{day:?}"
    );
    let mut ids = lake.ids(DAY);
    ids.sort_unstable();
    assert_eq!(ids, (10..90).chain(900..903).collect::<Vec<_>>());
    assert_eq!(lake.run(DAY).partitions[0].status, Status::AlreadyCommitted);
}

#[test]
fn a_run_that_commits_in_between_wins_and_nothing_is_doubled() {
    let lake = lake();
    let planned = plan_days(&lake, DAY, 2);
    for index in 0..planned.tasks.len() {
        run_task(&lake, &planned.plan_id, index);
    }
    let run = lake.run(DAY);
    let report = try_commit(&lake, &planned.plan_id).unwrap();
    assert_eq!(report.exit_code, exit::TRY_AGAIN);
    let message = report.partitions[0].message.clone().unwrap();
    assert!(
        message.contains(&run.run_id) && message.ends_with("plan again"),
        "{message}"
    );
    assert_eq!(lake.ids(DAY), (0..50).collect::<Vec<_>>());
}

#[test]
fn a_plan_that_was_swept_away_can_no_longer_commit() {
    let lake = lake();
    let planned = plan_days(&lake, DAY, 2);
    for index in 0..planned.tasks.len() {
        run_task(&lake, &planned.plan_id, index);
    }
    let options = GcOptions {
        older_than: Duration::ZERO,
        is_dry_run: false,
        run: RunOptions::default(),
    };
    // The plan's own documents are kept, as if only its staged parts were old.
    let kept = lake.path("plans-kept");
    fs::rename(lake.path("out/_skewer/clicks/plans"), &kept).unwrap();
    block_on(gc(&lake.job(), &options, &Cancel::new())).unwrap();
    fs::rename(&kept, lake.path("out/_skewer/clicks/plans")).unwrap();
    let report = try_commit(&lake, &planned.plan_id).unwrap();
    assert_eq!(
        (report.status, report.exit_code),
        (RunStatus::Failed, exit::TRY_AGAIN)
    );
    assert_eq!(
        files_below(&lake.path("out/clicks")),
        Vec::<std::path::PathBuf>::new()
    );
    lake.run(DAY);
    assert_eq!(lake.ids(DAY), (0..50).collect::<Vec<_>>());
}

#[test]
fn a_plan_over_its_budget_publishes_nothing_and_says_why() {
    let mut lake = lake();
    lake.budget = "records: {abs: 1}".to_owned();
    lake.raw("2020/01/02/bad.jsonl", "{\"id\": x}\n{\"id\": y}\n[]\n");
    let planned = plan_days(&lake, DAY, 3);
    for index in 0..planned.tasks.len() {
        run_task(&lake, &planned.plan_id, index);
    }
    for _ in 0..2 {
        let report = try_commit(&lake, &planned.plan_id).unwrap();
        assert_eq!(report.exit_code, exit::BUDGET);
        let message = report.partitions[0].message.clone().unwrap();
        assert!(message.contains("2 invalid_json ("), "{message}");
        assert!(message.contains("1 not_an_object ("), "{message}");
    }
    assert_eq!(
        files_below(&lake.path("out/clicks")),
        Vec::<std::path::PathBuf>::new()
    );
}

#[test]
fn a_task_of_another_spec_or_no_plan_is_refused() {
    let mut lake = lake();
    let planned = plan_days(&lake, DAY, 2);
    let refused = |lake: &Lake, plan_id: &str, index| {
        let options = RunOptions::default();
        let result = block_on(task(
            &lake.job(),
            plan_id,
            index,
            &options,
            &Progress::new(),
            &Cancel::new(),
        ));
        let error = result.unwrap_err();
        assert_eq!(error.exit_code(), exit::USAGE);
        error.to_string()
    };
    assert!(refused(&lake, "nope", 0).contains("no plan `nope`"));
    assert!(refused(&lake, &planned.plan_id, 9).contains("task 9 does not exist: the plan has 2"));
    lake.steps = "{filter: {where: \"id > 3\"}}".to_owned();
    assert!(refused(&lake, &planned.plan_id, 0).contains("another version of this spec"));
}

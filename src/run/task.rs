//! One task of a plan, and the commit that brings the tasks of a plan together.
//!
//! A task may run twice, or on two machines at once: the first to leave its word in `done/<index>.json` counts, the
//! other takes its own parts back. Whatever an attempt writes, rejects too, is staged in a folder of its own until the
//! commit publishes what the attempt that counts has left: an attempt that is cancelled or late removes its folder, and
//! can take nothing from another; that of one that dies goes with the commit, or by `gc`.

use std::collections::BTreeSet;
use std::mem;
use std::path::PathBuf;
use std::sync::Arc;

use chrono::NaiveDate;
use serde::{Deserialize, Serialize};

use super::commit::{Changes, DayLog, DayState, staging};
use super::day::RunContext;
use super::inputs::DayInputs;
use super::ledger::{Ledger, READ};
use super::plan::{DayPlan, PlanFolder, PlannedStatus};
use super::produced::{Assignment, Produced, fill};
use super::publish::{Publication, discard};
use super::run_id::random_suffix;
use super::work::{made_ledger, next_ledger};
use super::{Opened, PartitionReport, PartitionStatus, RunError, RunOptions, RunReport, keep_report};
use crate::base::{Cancel, Progress};
use crate::job::Job;
use crate::storage::{Location, Partition};

/// What a task tells of itself.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct TaskReport {
    pub plan_id: String,
    pub index: usize,
    pub partition: Partition,
    pub status: TaskStatus,
    pub rows_in: u64,
    pub rows_out: u64,
    pub rows_filtered: u64,
    pub rows_quarantined: u64,
    pub rows_merged: u64,
    pub rows_made: u64,
    pub n_files: u64,
    pub n_parts: u64,
}

/// How a task ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum TaskStatus {
    Done,
    /// Another attempt had done it.
    AlreadyDone,
}

/// What a task leaves for the commit.
#[derive(Debug, Serialize, Deserialize)]
struct Done {
    index: usize,
    nonce: String,
    n_files: u64,
    produced: Produced,
    /// The objects of its parts, relative to the plan.
    ledger: PathBuf,
}

/// Does task `index` of a plan: its parts are staged, nothing is published.
///
/// # Errors
/// [`RunError`]; nothing is left of the attempt then, and it can be made again.
pub async fn task(
    job: &Job,
    plan_id: &str,
    index: usize,
    options: &RunOptions,
    progress: &Progress,
    cancel: &Cancel,
) -> Result<TaskReport, RunError> {
    let opened = Opened::open(job, options).await?;
    let folder = PlanFolder::new(&opened.files, job, plan_id);
    let plan = folder.plan(job, plan_id).await?;
    let Some(task) = plan.tasks.get(index) else {
        let n_tasks = plan.tasks.len();
        return Err(RunError::NoTask { index, n_tasks });
    };
    let done_at = folder.done_at(index);
    if let Some(done) = folder.read::<Done>(&done_at, "TaskDone").await? {
        return Ok(report(plan_id, task.day, TaskStatus::AlreadyDone, &done));
    }
    let day = task.day;
    let day_plan = plan.days.iter().find(|planned| planned.day == day);
    let objects = Arc::new(folder.inputs(index).await?);
    progress.set_note(format!("{day}, task {index}"));
    progress.add_total(objects.len() as u64);
    let context = opened.context(job, plan_id, options, 1, progress, cancel);
    let inputs = inputs_of(&context, day, day_plan).await?;
    let nonce = random_suffix();
    let staged_at = staging(&job.sink, plan_id, day).join(&format!("task-{index:05}-{nonce}"));
    let assignment = Assignment {
        objects: Arc::clone(&objects),
        copies: task.copies.clone(),
        slots: task.slots,
        staging: staged_at.clone(),
        quarantine: format!("part-{index}.jsonl"),
        plan: job.plan.clone().with_inputs(inputs.inputs),
        only: None,
    };
    let take_back = async |produced: &Produced| {
        if let Err(error) = discard(job, &opened.files, &produced.parts, &staged_at).await {
            tracing::warn!(%error, index, "what the task staged could not be removed");
        }
    };
    let mut produced = match context.produce(day, assignment).await {
        Ok(produced) => Produced {
            inputs: inputs.reports,
            ..produced
        },
        Err(error) => {
            take_back(&Produced::default()).await;
            return Err(outdated(&opened, job, day_plan, error).await);
        }
    };
    let finished = async {
        produced.books.check()?;
        cancel.check()?;
        if task.slots.share == 0 {
            let staging = context.stage_input_rejects(day, &staged_at, &inputs.rejects, &mut produced);
            staging.await?;
        }
        let old = match day_plan {
            Some(planned) if !task.copies.is_empty() => ledger_of(&opened, job, planned).await?,
            _ => None,
        };
        let nothing = BTreeSet::new();
        let (base, replaced) = day_plan.map_or((0, &nothing), |planned| (planned.base, &planned.replaced));
        let cut = context.cut(task.slots);
        let made = made_ledger(
            &task.copies,
            replaced,
            old.as_ref(),
            &objects,
            &produced.segments,
            cut,
            &|_| READ | (base + 1),
        );
        let ledger = format!("made/{index:05}-{nonce}.parquet");
        let at = folder.folder.join(&ledger);
        opened.files.put(&at, &made.encode(&at)?).await?;
        Ok::<_, RunError>(ledger)
    };
    let ledger = match finished.await {
        Ok(ledger) => ledger,
        Err(error) => {
            take_back(&produced).await;
            return Err(outdated(&opened, job, day_plan, error).await);
        }
    };
    let done = Done {
        index,
        nonce,
        n_files: objects.len() as u64,
        produced,
        ledger: ledger.into(),
    };
    let word = PlanFolder::document(&done_at, "TaskDone", &done)?;
    let written = opened.files.put_new(&done_at, &word).await;
    // An answer may have been lost: whose word counts is what is there.
    let first = match (folder.read::<Done>(&done_at, "TaskDone").await?, written) {
        (Some(first), _) => first,
        (None, written) => return Err(not_there(&done_at, written.err())),
    };
    if first.nonce == done.nonce {
        return Ok(report(plan_id, day, TaskStatus::Done, &done));
    }
    take_back(&done.produced).await;
    Ok(report(plan_id, day, TaskStatus::AlreadyDone, &first))
}

/// Whether the word of a task is there is not known: its parts stay, and it is done again, or `gc` removes them.
fn not_there(done_at: &Location, error: Option<RunError>) -> RunError {
    error.unwrap_or_else(|| RunError::Unsure {
        location: done_at.to_string(),
        message: "it is not there although it was written".to_owned(),
    })
}

/// What `error` is when another run or a sweep has committed since the day was planned: what the task read of the table
/// or had staged may be gone.
async fn outdated(opened: &Opened, job: &Job, planned: Option<&DayPlan>, error: RunError) -> RunError {
    let Some(planned) = planned else {
        return error;
    };
    let state = DayState {
        n: planned.base,
        ..DayState::default()
    };
    let log = DayLog::new(&opened.files, &job.sink, planned.day);
    match log.lost_or(&state, error).await {
        RunError::Lost { winner } => RunError::PlanOutdated { winner },
        other => other,
    }
}

/// The second datasets of a day, as they were when it was planned.
async fn inputs_of(
    context: &RunContext<'_>,
    day: NaiveDate,
    planned: Option<&DayPlan>,
) -> Result<DayInputs, RunError> {
    let listed = context.inputs.list(day, context.cancel).await?;
    if planned.is_some_and(|planned| planned.inputs_sha256 != listed.sha256) {
        return Err(RunError::InputChanged {
            day,
            plan_id: context.run_id.to_owned(),
        });
    }
    context.open_inputs(&listed).await
}

fn report(plan_id: &str, day: NaiveDate, status: TaskStatus, done: &Done) -> TaskReport {
    let books = &done.produced.books;
    TaskReport {
        plan_id: plan_id.to_owned(),
        index: done.index,
        partition: Partition::Day(day),
        status,
        rows_in: books.rows_in,
        rows_out: books.rows_out,
        rows_filtered: books.filtered(),
        rows_quarantined: books.quarantined(),
        rows_merged: books.merged(),
        rows_made: books.made(),
        n_files: done.n_files,
        n_parts: done.produced.parts.len() as u64,
    }
}

/// The ledger of the commit that the day was planned on.
async fn ledger_of(opened: &Opened, job: &Job, planned: &DayPlan) -> Result<Option<Ledger>, RunError> {
    let log = DayLog::new(&opened.files, &job.sink, planned.day);
    let state = log.recover(false).await?;
    if state.n != planned.base {
        let winner = state.last.map_or_else(String::new, |last| last.winner());
        return Err(RunError::PlanOutdated { winner });
    }
    log.ledger(&state).await
}

/// Commits every day of a plan whose tasks are done, each on its own. A second commit of a plan finds its work done.
///
/// # Errors
/// [`RunError::TasksMissing`] before anything is committed; what happened to a day is in the report.
pub async fn commit(
    job: &Job,
    plan_id: &str,
    options: &RunOptions,
    progress: &Progress,
    cancel: &Cancel,
) -> Result<RunReport, RunError> {
    let opened = Opened::open(job, options).await?;
    let folder = PlanFolder::new(&opened.files, job, plan_id);
    let plan = folder.plan(job, plan_id).await?;
    let mut missing = Vec::new();
    let mut done = Vec::with_capacity(plan.tasks.len());
    for index in 0..plan.tasks.len() {
        let found = folder.read::<Done>(&folder.done_at(index), "TaskDone").await?;
        if found.is_none() {
            missing.push(index);
        }
        done.push(found);
    }
    if !missing.is_empty() {
        return Err(RunError::TasksMissing {
            missing,
            n_tasks: plan.tasks.len(),
        });
    }
    let context = opened.context(job, plan_id, options, 1, progress, cancel);
    let mut partitions = Vec::new();
    for planned in plan.days {
        let day = planned.day;
        let of_day: Vec<Done> = planned
            .tasks
            .iter()
            .filter_map(|index| done.get_mut(*index)?.take())
            .collect();
        let mut report = PartitionReport::new(Partition::Day(day), PartitionStatus::Failed);
        let status = commit_day(&context, &folder, &planned, of_day, &mut report).await;
        partitions.push(context.ended(report, status));
    }
    keep_report(&opened, job, plan_id.to_owned(), partitions).await
}

async fn commit_day(
    context: &RunContext<'_>,
    folder: &PlanFolder<'_>,
    planned: &DayPlan,
    tasks: Vec<Done>,
    report: &mut PartitionReport,
) -> Result<PartitionStatus, RunError> {
    context.cancel.check()?;
    let (job, day) = (context.job, planned.day);
    report.n_files = planned.planned.n_files;
    report.message.clone_from(&planned.planned.message);
    let log = DayLog::new(context.files, &job.sink, day);
    let state = log.recover(planned.is_whole).await?;
    let parts_now = || state.part_reports(&job.sink);
    match planned.planned.status {
        PlannedStatus::NoData => return Ok(PartitionStatus::NoData),
        PlannedStatus::UpToDate => {
            report.parts = parts_now();
            return Ok(PartitionStatus::AlreadyCommitted);
        }
        PlannedStatus::Planned => {}
    }
    report.n_files_new = planned.n_new;
    report.n_files_changed = planned.n_changed;
    report.n_files_vanished = planned.n_vanished;
    if let Some(last) = state.last.as_ref().filter(|_| state.n != planned.base) {
        if log
            .run_ids()
            .await?
            .iter()
            .any(|(_, run_id)| run_id == context.run_id)
        {
            report.parts = parts_now();
            report.message = Some("this plan was committed before".to_owned());
            return Ok(PartitionStatus::AlreadyCommitted);
        }
        // The plan can never be committed: what its tasks staged goes.
        for task in &tasks {
            context.clean_up(day, &task.produced.parts).await;
        }
        context.forget_rejects(day, report).await;
        return Err(RunError::PlanOutdated {
            winner: last.winner(),
        });
    }
    let mut made = Vec::new();
    let mut produced = Produced::default();
    let mut n_files = 0;
    for task in tasks {
        let at = folder.folder.join(&task.ledger.to_string_lossy());
        let Some(left) = context.files.read(&at).await? else {
            let gone = RunError::Record {
                location: at.to_string(),
                message: "a task left it, and it is gone: plan again".to_owned(),
            };
            return Err(log.lost_or(&state, gone).await);
        };
        made.push(Ledger::decode(left, &at)?);
        n_files += task.n_files;
        produced.add(task.produced);
    }
    fill(report, &produced);
    if let Err(error) = produced.books.check() {
        context.clean_up(day, &produced.parts).await;
        return Err(error);
    }
    if let Some(message) = context.over_budget(n_files, &produced) {
        context.show_rejects(&produced, report).await?;
        context.clean_up(day, &produced.parts).await;
        report.message = Some(message);
        return Ok(PartitionStatus::BudgetExceeded);
    }
    let old = if planned.is_whole {
        None
    } else {
        log.ledger(&state).await?
    };
    let changes = Changes {
        parts: mem::take(&mut produced.parts),
        kept: planned.kept.clone(),
        deletes: planned.deletes.clone(),
        ..Changes::default()
    };
    let ledger = next_ledger(&changes.kept, &planned.replaced, old.as_ref(), &made);
    let publication = Publication {
        owns_parts: false,
        inputs_sha256: &planned.inputs_sha256,
        ..context.publication(&log, &state, day)
    };
    let committed = context.commit(&publication, planned.kind, changes, &ledger, &produced, report);
    match committed.await {
        Ok(commit) => {
            report.parts = commit.part_reports(&job.sink, true);
            Ok(PartitionStatus::Committed)
        }
        Err(RunError::Lost { winner }) if winner == context.run_id => {
            report.message = Some("this plan was committed by another process at the same time".to_owned());
            Ok(PartitionStatus::AlreadyCommitted)
        }
        Err(error) => Err(error),
    }
}

//! Compaction: the rows of a day's small parts in as few parts as they need. No row is read from the source.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Instant;

use chrono::NaiveDate;

use super::commit::{Changes, DayLog, staging};
use super::day::RunContext;
use super::objects::Objects;
use super::produced::{Assignment, fill};
use super::publish::Publication;
use super::segments::Segments;
use super::slots::Slots;
use super::work::{compaction, made_ledger, next_ledger};
use super::{
    Opened, PartitionReport, PartitionStatus, RunError, RunOptions, RunReport, keep_report, quarantine,
    run_id,
};
use crate::base::{Cancel, Progress, units};
use crate::job::{Job, Params};
use crate::storage::Partition;

/// Merges the parts of the days of `params` that are not full, one day after another, each its own commit.
///
/// # Errors
/// As [`super::run`].
pub async fn compact(
    job: &Job,
    params: &Params,
    options: &RunOptions,
    progress: &Progress,
    cancel: &Cancel,
) -> Result<RunReport, RunError> {
    let run_id = run_id::new_run_id();
    let opened = Opened::open(job, options).await?;
    let context = opened.context(job, &run_id, options, 1, progress, cancel);
    let mut partitions = Vec::new();
    for day in params.days().iter().rev() {
        progress.set_note(day.to_string());
        let mut report = PartitionReport::new(Partition::Day(*day), PartitionStatus::Failed);
        let status = compact_day(&context, *day, &mut report).await;
        partitions.push(context.ended(report, status));
    }
    keep_report(&opened, job, run_id, partitions).await
}

async fn compact_day(
    context: &RunContext<'_>,
    day: NaiveDate,
    report: &mut PartitionReport,
) -> Result<PartitionStatus, RunError> {
    context.cancel.check()?;
    let job = context.job;
    let log = DayLog::new(context.files, &job.sink, day);
    let state = log.recover(false).await?;
    let Some(last) = &state.last else {
        report.message = Some("nothing was ever committed".to_owned());
        return Ok(PartitionStatus::NoData);
    };
    let n_before = last.day_parts().len() as u64;
    let (Some(work), Some(ledger)) = (compaction(job, last), log.ledger(&state).await?) else {
        report.parts = last.part_reports(&job.sink, false);
        report.message = Some(format!(
            "{}, and merging would not make fewer",
            units::plural(n_before, "part")
        ));
        return Ok(PartitionStatus::AlreadyCommitted);
    };
    log.check_parts(&state).await?;
    let assignment = Assignment {
        objects: Arc::default(),
        copies: work.copies.clone(),
        slots: Slots::from(state.next_slot),
        staging: staging(&job.sink, context.run_id, day),
        quarantine: quarantine::FILE.to_owned(),
        // No row is computed, and none may be appended.
        plan: job.plan.clone().split().0,
        only: None,
    };
    let cut = context.cut(assignment.slots);
    let produced = match context.produce(day, assignment).await {
        Ok(produced) => produced,
        Err(error) => {
            context.clean_up(day, &[]).await;
            return Err(log.lost_or(&state, error).await);
        }
    };
    fill(report, &produced);
    let wanted: u64 = work.copies.iter().map(|copy| copy.part.rows).sum();
    let written: u64 = produced.parts.iter().map(|part| part.rows).sum();
    if written != wanted {
        context.clean_up(day, &produced.parts).await;
        return Err(RunError::Books {
            books: format!("{wanted} rows in small parts, {written} written"),
        });
    }
    let start = Instant::now();
    let none = BTreeSet::new();
    let made = made_ledger(
        &work.copies,
        &none,
        Some(&ledger),
        &Objects::default(),
        &Segments::default(),
        cut,
        &|_| 0,
    );
    let is_traced = ledger.entries().any(|entry| entry.slot.is_some());
    let changes = Changes {
        parts: produced.parts,
        kept: work.kept,
        deletes: work.deletes,
        ..Changes::default()
    };
    let next = next_ledger(&changes.kept, &none, Some(&ledger), &[made]);
    let publication = Publication {
        job,
        files: context.files,
        log: &log,
        state: &state,
        run_id: context.run_id,
        day,
        logic_sha256: &last.logic_sha256,
        columns_sha256: &last.columns_sha256,
        inputs_sha256: &last.inputs_sha256,
        is_traced,
        owns_parts: true,
    };
    let commit = publication.publish(work.kind, changes, &next).await?;
    report.seconds.commit = start.elapsed().as_secs_f64();
    report.parts = commit.part_reports(&job.sink, true);
    report.message = Some(format!(
        "{} are now {}",
        units::plural(n_before, "part"),
        units::count(report.parts.len() as u64)
    ));
    Ok(PartitionStatus::Committed)
}

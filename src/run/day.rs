//! One day: list, compare with the ledger, produce, check the books and the budget, commit.

use std::mem;
use std::sync::Arc;
use std::time::Instant;

use bytes::Bytes;
use chrono::NaiveDate;

use super::commit::{Changes, Commit, CommitKind, CommitPart, DayLog, DayState, staging};
use super::error::exit;
use super::files::Files;
use super::inputs::{DayInputs, JobInputs, ListedInputs};
use super::journal::Journal;
use super::ledger::{Cut, Ledger, READ};
use super::produced::{Assignment, Produced, fill};
use super::publish::{Publication, discard};
use super::report::{PartitionReport, PartitionStatus};
use super::slots::Slots;
use super::work::{Decision, Work, decide, made_ledger, next_ledger};
use super::{RunError, inputs, list, quarantine, time_limit};
use crate::base::{Cancel, Progress, units};
use crate::job::{Job, SinkLayout};
use crate::storage::{Location, Partition, Store};
use crate::transform::Scope;

/// What all days of a run share.
#[derive(Clone, Copy)]
pub(super) struct RunContext<'a> {
    pub job: &'a Job,
    pub run_id: &'a str,
    pub source: &'a Store,
    pub inputs: &'a JobInputs,
    /// What the rows of inputs may take.
    pub input_bytes: u64,
    pub files: &'a Files,
    /// The table, for reading parts again.
    pub table: &'a Store,
    pub replace: bool,
    pub n_threads: usize,
    pub memory_bytes: u64,
    pub progress: &'a Progress,
    pub cancel: &'a Cancel,
    pub journal: Option<&'a Journal>,
}

impl RunContext<'_> {
    /// Runs a day to its end; a failure is part of the report.
    pub async fn day(&self, day: NaiveDate) -> PartitionReport {
        let mut report = PartitionReport::new(Partition::Day(day), PartitionStatus::Failed);
        let limit = self.job.limits.day_timeout.map(|limit| limit.0);
        let (status, is_late) = time_limit::within(limit, self.cancel, |cancel| {
            let report = &mut report;
            async move {
                let context = RunContext {
                    cancel: &cancel,
                    ..*self
                };
                context.try_day(day, report).await
            }
        })
        .await;
        let status = match (status, limit) {
            (Err(RunError::Cancelled), Some(limit)) if is_late => Err(RunError::DayTooSlow { limit }),
            (status, _) => status,
        };
        self.ended(report, status)
    }

    /// The report of a day with how it ended.
    pub fn ended(
        &self,
        mut report: PartitionReport,
        status: Result<PartitionStatus, RunError>,
    ) -> PartitionReport {
        match status {
            Ok(status) => report.status = status,
            Err(error) => {
                let is_cancelled = matches!(error, RunError::Cancelled) || self.cancel.is_cancelled();
                report.parts.clear();
                (report.status, report.exit_code) = if is_cancelled {
                    (PartitionStatus::Cancelled, exit::CANCELLED)
                } else {
                    (PartitionStatus::Failed, error.exit_code())
                };
                report.message = Some(error.to_string());
            }
        }
        if report.status == PartitionStatus::BudgetExceeded {
            report.exit_code = exit::BUDGET;
        }
        report
    }

    #[allow(clippy::too_many_lines, reason = "the stages of a day in their order")]
    async fn try_day(
        &self,
        day: NaiveDate,
        report: &mut PartitionReport,
    ) -> Result<PartitionStatus, RunError> {
        self.cancel.check()?;
        self.job.check_overlap(day)?;
        let log = DayLog::new(self.files, &self.job.sink, day);
        let state = log.recover(self.replace).await?;
        let start = Instant::now();
        let objects = list::list(&self.job.source, self.source, day, self.cancel).await?;
        report.seconds.list = start.elapsed().as_secs_f64();
        report.n_files = objects.len() as u64;
        let ledger = if self.replace {
            None
        } else {
            log.ledger(&state).await?
        };
        let listed = self.inputs.list(day, self.cancel).await?;
        let work = match decide(
            self.job,
            &state,
            ledger.as_ref(),
            objects,
            &listed.sha256,
            self.replace,
        )? {
            Decision::NoData => {
                report.message = Some(format!("no objects below {}", self.job.source.location(day)));
                return Ok(PartitionStatus::NoData);
            }
            Decision::UpToDate { message } => {
                return Ok(self.up_to_date(report, &state, &message));
            }
            Decision::Work(work) => work,
        };
        tell_work(report, &work);
        log.check_parts(&state).await?;
        let inputs = self.open_inputs(&listed).await?;
        report.message = join_messages(work.message, inputs::without_files(&inputs.reports));
        self.progress.add_total(work.objects.len() as u64);
        let objects = Arc::new(work.objects);
        let assignment = Assignment {
            objects: Arc::clone(&objects),
            copies: work.copies,
            slots: Slots::from(state.next_slot),
            staging: staging(&self.job.sink, self.run_id, day),
            quarantine: quarantine::FILE.to_owned(),
            plan: self.job.plan.clone().with_inputs(inputs.inputs),
            only: None,
        };
        let cut = self.cut(assignment.slots);
        let (copies, staged_at) = (assignment.copies.clone(), assignment.staging.clone());
        let mut produced = match self.produce(day, assignment).await {
            Ok(produced) => Produced {
                inputs: inputs.reports,
                ..produced
            },
            Err(error) => {
                self.clean_up(day, &[]).await;
                return Err(log.lost_or(&state, error).await);
            }
        };
        fill(report, &produced);
        let checked = self.checked(day, &staged_at, &inputs.rejects, &mut produced);
        if let Err(error) = checked.await {
            self.clean_up(day, &produced.parts).await;
            return Err(log.lost_or(&state, error).await);
        }
        if let Some(message) = self.over_budget(objects.len() as u64, &produced) {
            report.message = Some(message);
            let shown = self.show_rejects(&produced, report).await;
            self.clean_up(day, &produced.parts).await;
            return shown.map(|()| PartitionStatus::BudgetExceeded);
        }
        let start = Instant::now();
        let made = made_ledger(
            &copies,
            &work.replaced,
            ledger.as_ref(),
            &objects,
            &produced.segments,
            cut,
            &|_| READ | (state.n + 1),
        );
        // A day of a million objects is held once from here on, in its ledger.
        drop((objects, mem::take(&mut produced.segments)));
        let old = ledger.filter(|_| !work.is_whole);
        let changes = Changes {
            parts: mem::take(&mut produced.parts),
            kept: work.kept,
            deletes: work.deletes,
            ..Changes::default()
        };
        let ledger = next_ledger(&changes.kept, &work.replaced, old.as_ref(), &[made]);
        let publication = Publication {
            inputs_sha256: &listed.sha256,
            ..self.publication(&log, &state, day)
        };
        let commit = self
            .commit(&publication, work.kind, changes, &ledger, &produced, report)
            .await?;
        report.seconds.commit = start.elapsed().as_secs_f64();
        report.parts = commit.part_reports(&self.job.sink, true);
        Ok(PartitionStatus::Committed)
    }

    /// A day whose table is as its source is.
    fn up_to_date(&self, report: &mut PartitionReport, state: &DayState, message: &str) -> PartitionStatus {
        let finished = if state.was_rolled_forward {
            "; its commit was finished now"
        } else {
            ""
        };
        report.message = Some(format!("{message}{finished}"));
        report.parts = state.part_reports(&self.job.sink);
        PartitionStatus::AlreadyCommitted
    }

    /// The publication of what this run computed of a day.
    pub fn publication<'b>(
        &'b self,
        log: &'b DayLog<'b>,
        state: &'b DayState,
        day: NaiveDate,
    ) -> Publication<'b> {
        Publication {
            job: self.job,
            files: self.files,
            log,
            state,
            run_id: self.run_id,
            day,
            logic_sha256: &self.job.logic_sha256,
            columns_sha256: &self.job.columns_sha256,
            inputs_sha256: "",
            is_traced: self.job.plan.scope() != Scope::Partition,
            owns_parts: true,
        }
    }

    /// The rows of a day's inputs.
    pub async fn open_inputs(&self, listed: &ListedInputs) -> Result<DayInputs, RunError> {
        self.inputs.read(listed, self.input_bytes, self.cancel).await
    }

    /// Checks the books of what was produced, and stages the rejects of the day's inputs with it.
    async fn checked(
        &self,
        day: NaiveDate,
        staging: &Location,
        rejects: &[Bytes],
        produced: &mut Produced,
    ) -> Result<(), RunError> {
        produced.books.check()?;
        self.cancel.check()?;
        self.stage_input_rejects(day, staging, rejects, produced).await
    }

    /// Stages the rejects of a day's inputs with what was produced, and names in its reports where they will be.
    pub async fn stage_input_rejects(
        &self,
        day: NaiveDate,
        staging: &Location,
        rejects: &[Bytes],
        produced: &mut Produced,
    ) -> Result<(), RunError> {
        for (report, text) in produced.inputs.iter_mut().zip(rejects) {
            if !text.is_empty() {
                let (uri, staged) =
                    quarantine::stage_input(self, day, staging, &report.name, text.clone()).await?;
                report.quarantine.uri = Some(uri);
                produced.rejects.push(staged);
            }
        }
        Ok(())
    }

    /// Makes the rejects of a day readable, and says in its report where they are.
    pub async fn show_rejects(
        &self,
        produced: &Produced,
        report: &mut PartitionReport,
    ) -> Result<(), RunError> {
        quarantine::publish(self.files, &produced.rejects).await?;
        report.quarantine.uri.clone_from(&produced.quarantine.uri);
        report.inputs.clone_from(&produced.inputs);
        Ok(())
    }

    /// Makes the rejects of a day readable, then its commit. Whoever finds another run's commit there takes its own
    /// rejects away again: it never can commit.
    pub async fn commit(
        &self,
        publication: &Publication<'_>,
        kind: CommitKind,
        changes: Changes,
        ledger: &Ledger,
        produced: &Produced,
        report: &mut PartitionReport,
    ) -> Result<Commit, RunError> {
        let day = publication.day;
        if let Err(error) = self.show_rejects(produced, report).await {
            if publication.owns_parts {
                self.clean_up(day, &changes.parts).await;
                self.forget_rejects(day, report).await;
            }
            // What was staged for a plan is gone when a sweep or another run came first.
            return Err(publication.log.lost_or(publication.state, error).await);
        }
        let committed = publication.publish(kind, changes, ledger).await;
        if let Err(RunError::Lost { winner }) = &committed
            && winner != self.run_id
        {
            self.forget_rejects(day, report).await;
        }
        committed
    }

    /// Removes the rejects of a day that was not committed, and no longer names them.
    pub async fn forget_rejects(&self, day: NaiveDate, report: &mut PartitionReport) {
        quarantine::forget(self, day).await;
        report.hide_rejects();
    }

    /// How rows are cut into parts of these numbers.
    pub fn cut(&self, slots: Slots) -> Cut {
        Cut {
            slots,
            rows_per_part: match self.job.sink.layout {
                SinkLayout::Parts => self.job.sink.rows_per_file.get() as u64,
                SinkLayout::Single => u64::MAX,
            },
        }
    }

    /// Why a day is not committed: too many records or files in quarantine.
    pub fn over_budget(&self, n_files: u64, produced: &Produced) -> Option<String> {
        let (budget, books) = (&self.job.budget, &produced.books);
        let limits = [
            ("record", books.records_rejected, books.rows_in, budget.records),
            ("file", produced.n_files_failed, n_files, budget.files),
        ];
        let of_source = limits.into_iter().find_map(|(noun, n, of, tolerance)| {
            let allowed = tolerance.allowed(of);
            (n > allowed).then(|| {
                format!(
                    "error budget exceeded: {} of {} in quarantine, {} allowed; nothing was committed. Most frequent: {}",
                    units::count(n),
                    units::plural(of, noun),
                    units::count(allowed),
                    produced.worst()
                )
            })
        });
        of_source.or_else(|| inputs::over_budget(budget, &produced.inputs))
    }

    /// Takes back what is staged, where the day already ended for another reason: that one is the message.
    pub async fn clean_up(&self, day: NaiveDate, parts: &[CommitPart]) {
        let folder = staging(&self.job.sink, self.run_id, day);
        if let Err(error) = discard(self.job, self.files, parts, &folder).await {
            tracing::warn!(%error, %day, "staged parts could not be removed");
        }
    }

    /// Removes what run `died` left of a day that this run has finished: its commit, had it made one, is published.
    pub async fn clear_away(&self, died: &str, day: NaiveDate) {
        let context = RunContext {
            run_id: died,
            ..*self
        };
        context.clean_up(day, &[]).await;
        match DayLog::new(self.files, &self.job.sink, day).run_ids().await {
            Ok(run_ids) if run_ids.iter().any(|(_, run_id)| run_id == died) => {}
            Ok(_) => quarantine::forget(&context, day).await,
            Err(error) => tracing::warn!(%error, %day, "whether rejects can be removed is not known"),
        }
    }
}

fn join_messages(first: Option<String>, second: Option<String>) -> Option<String> {
    match (first, second) {
        (Some(first), Some(second)) => Some(format!("{first}; {second}")),
        (first, second) => first.or(second),
    }
}

/// What of the day's files is to be read.
fn tell_work(report: &mut PartitionReport, work: &Work) {
    report.n_files_new = work.n_new;
    report.n_files_changed = work.n_changed;
    report.n_files_vanished = work.n_vanished;
    report.n_bytes_in = work.objects.n_bytes();
}

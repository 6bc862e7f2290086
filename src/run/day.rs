//! One day: list, fetch, decode, transform, write, check the books and the budget, commit.

use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use chrono::NaiveDate;
use polars::prelude::DataFrame;
use tokio::runtime::Handle;
use tokio::sync::mpsc::{self, Receiver};
use tokio::sync::{Semaphore, watch};
use tokio::task::{JoinHandle, spawn_blocking};

use super::books::Books;
use super::commit::{Commit, CommitPart, DayLog, staging};
use super::compute::{Compute, Message, Rows};
use super::error::exit;
use super::fault::During;
use super::fetch::Fetcher;
use super::files::Files;
use super::journal::Journal;
use super::part::{PartRoller, PartTarget};
use super::quarantine::Quarantine;
use super::report::{PartitionReport, PartitionStatus, QuarantineReport, Seconds};
use super::{RunError, STREAMED_BYTES, list, quarantine, time_limit};
use crate::base::{Cancel, Progress, units};
use crate::dataset::decode::{DecodeOptions, Drift};
use crate::dataset::origin;
use crate::job::Job;
use crate::storage::{Object, Partition, Store};
use crate::transform::Plan;

const CANCEL_POLL: Duration = Duration::from_millis(20);

/// What all days of a run share.
#[derive(Clone, Copy)]
pub(super) struct RunContext<'a> {
    pub job: &'a Job,
    pub run_id: &'a str,
    pub source: &'a Store,
    pub files: &'a Files,
    pub replace: bool,
    pub n_threads: usize,
    pub memory_bytes: u64,
    pub progress: &'a Progress,
    pub cancel: &'a Cancel,
    pub journal: Option<&'a Journal>,
}

/// What the stages made of a day, not published yet.
struct DayOutput {
    books: Books,
    drift: Drift,
    seconds: Seconds,
    parts: Vec<CommitPart>,
    quarantine: QuarantineReport,
    n_files_failed: u64,
    /// The most frequent reasons, for the message of a day over its budget.
    worst: String,
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

    async fn try_day(
        &self,
        day: NaiveDate,
        report: &mut PartitionReport,
    ) -> Result<PartitionStatus, RunError> {
        self.cancel.check()?;
        self.job.check_overlap(day)?;
        let log = DayLog::new(self.files, &self.job.sink, day);
        let state = log.recover(self.replace).await?;
        if let Some(last) = &state.last
            && !self.replace
        {
            report.parts = last.part_reports(&self.job.sink);
            let finished = if state.was_rolled_forward {
                "; its commit was finished now"
            } else {
                ""
            };
            report.message = Some(format!(
                "committed by run {}{finished}; --replace computes it again",
                last.run_id
            ));
            return Ok(PartitionStatus::AlreadyCommitted);
        }
        let start = Instant::now();
        let objects = list::list(&self.job.source, self.source, day, self.cancel).await?;
        report.seconds.list = start.elapsed().as_secs_f64();
        report.n_files = objects.len() as u64;
        report.n_bytes_in = objects.iter().map(|object| object.size).sum();
        if objects.is_empty() {
            report.message = Some(format!("no objects below {}", self.job.source.location(day)));
            return Ok(PartitionStatus::NoData);
        }
        log.check_parts(&state).await?;
        self.progress.add_total(report.n_files);
        let output = match self.produce(day, objects, state.next_slot).await {
            Ok(output) => output,
            Err(error) => {
                self.clean_up(day, &[]).await;
                return Err(error);
            }
        };
        Self::fill(report, &output);
        let over = self.over_budget(report, &output);
        if let Err(error) = output.books.check().and_then(|()| Ok(self.cancel.check()?)) {
            self.clean_up(day, &output.parts).await;
            return Err(error);
        }
        if let Some(message) = over {
            self.clean_up(day, &output.parts).await;
            report.message = Some(message);
            return Ok(PartitionStatus::BudgetExceeded);
        }
        let start = Instant::now();
        let commit = Commit::new(self.run_id, &self.job.spec_sha256, &state, output.parts);
        if let Err(error) = log.commit(&commit).await {
            // Parts of a commit that may have been made are kept: the next run publishes them, or makes its own.
            if !matches!(error, RunError::Unsure { .. }) {
                self.clean_up(day, &commit.parts).await;
            }
            return Err(error);
        }
        log.apply(commit.base + 1, &commit).await?;
        report.seconds.commit = start.elapsed().as_secs_f64();
        report.parts = commit.part_reports(&self.job.sink);
        Ok(PartitionStatus::Committed)
    }

    fn fill(report: &mut PartitionReport, output: &DayOutput) {
        let books = &output.books;
        report.rows_in = books.rows_in;
        report.rows_out = books.rows_out;
        report.rows_filtered = books.filtered();
        report.rows_quarantined = books.quarantined();
        report.rows_merged = books.merged();
        report.rows_made = books.made();
        report.steps.clone_from(&books.steps);
        report.drift = output.drift.clone();
        report.quarantine = output.quarantine.clone();
        report.n_files_failed = output.n_files_failed;
        report.seconds = Seconds {
            list: report.seconds.list,
            ..output.seconds
        };
    }

    /// Why a day is not committed: too many records or files in quarantine.
    fn over_budget(&self, report: &PartitionReport, output: &DayOutput) -> Option<String> {
        let budget = &self.job.budget;
        let limits = [
            ("record", report.rows_quarantined, report.rows_in, budget.records),
            ("file", report.n_files_failed, report.n_files, budget.files),
        ];
        limits.into_iter().find_map(|(noun, n, of, tolerance)| {
            let allowed = tolerance.allowed(of);
            (n > allowed).then(|| {
                format!(
                    "error budget exceeded: {} of {} in quarantine, {} allowed; nothing was committed. Most frequent: {}",
                    units::count(n),
                    units::plural(of, noun),
                    units::count(allowed),
                    output.worst
                )
            })
        })
    }

    /// As [`Self::discard`], where the day already ended for another reason: that one is the message.
    async fn clean_up(&self, day: NaiveDate, parts: &[CommitPart]) {
        if let Err(error) = self.discard(day, parts).await {
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
        let removed = quarantine::remove_unfinished(self.files, self.job, died, day).await;
        if let Err(error) = removed {
            tracing::warn!(%error, %day, "an unfinished quarantine could not be removed");
        }
    }

    /// Takes back staged parts that will not be published.
    async fn discard(&self, day: NaiveDate, parts: &[CommitPart]) -> Result<(), RunError> {
        for part in parts {
            let at = self.job.sink.root.join(&part.path);
            self.files.discard(&part.staged, &at).await?;
        }
        self.files
            .remove_folder(&staging(&self.job.sink, self.run_id, day))
    }

    /// Full locations of objects.
    fn names(&self, objects: &[Object]) -> Vec<String> {
        objects
            .iter()
            .map(|object| self.source.location(&object.key).to_string())
            .collect()
    }

    /// Runs the stages side by side until every row is staged.
    async fn produce(
        &self,
        day: NaiveDate,
        objects: Vec<Object>,
        first_slot: u64,
    ) -> Result<DayOutput, RunError> {
        let n_threads = self.n_threads.max(1);
        let per_thread = self.memory_bytes / n_threads as u64;
        let unit_bytes = (per_thread / 4).clamp(1 << 20, STREAMED_BYTES);
        let names = self.names(&objects);
        let units = list::units(&objects, unit_bytes);
        let (objects, names) = (Arc::new(objects), Arc::new(names));
        let (prefix, suffix) = self.job.plan.clone().split();

        let fetch_kib = (self.memory_bytes / 3).max(2 * unit_bytes) / 1024;
        let (keep_streams, wanted) = watch::channel(());
        let mut keep_streams = Some(keep_streams);
        let fetcher = Fetcher {
            store: self.source.clone(),
            objects: Arc::clone(&objects),
            io: Arc::new(Semaphore::new(self.job.limits.io_concurrency)),
            io_concurrency: self.job.limits.io_concurrency,
            budget: Arc::new(Semaphore::new(usize::try_from(fetch_kib).unwrap_or(1 << 20))),
            budget_kib: u32::try_from(fetch_kib).unwrap_or(1 << 20),
            wanted,
        };
        let stop = Cancel::new();
        let _stop_on_drop = stop.on_drop();
        let batch_bytes = usize::try_from(per_thread / 12).unwrap_or(usize::MAX);
        let compute = Compute {
            objects: Arc::clone(&objects),
            names: Arc::clone(&names),
            schema: Arc::clone(&self.job.source.schema),
            options: DecodeOptions {
                batch_bytes: batch_bytes.clamp(1 << 20, 16 << 20),
                ..self.job.source.decode.clone()
            },
            plan: Arc::new(prefix),
            stop: stop.clone(),
            journal: self.journal.cloned(),
            during: During::Run,
        };
        let target = PartTarget {
            files: self.files.clone(),
            table: self.job.sink.root.clone(),
            partition: self.job.sink.partition(day),
            staging: staging(&self.job.sink, self.run_id, day),
            first_slot,
        };
        let writer = Writer {
            roller: PartRoller::new(self.job, target)?,
            quarantine: Quarantine::new(self.files.clone(), self.job, self.run_id, day, &objects, &names),
            books: Books::default(),
            drift: Drift::default(),
            seconds: Seconds::default(),
            held: suffix.is_some().then(Vec::new),
            held_bytes: 0,
            limit_bytes: self.memory_bytes / 2,
            columns: self
                .job
                .plan
                .output()
                .iter_names()
                .map(ToString::to_string)
                .collect(),
            compute: compute.clone(),
            progress: self.progress.clone(),
            cancel: self.cancel.clone(),
        };

        let (work, queue) = mpsc::channel(1);
        let (order, results) = mpsc::channel(64);
        let queue = Arc::new(Mutex::new(queue));
        let workers: Vec<JoinHandle<()>> = (0..n_threads)
            .map(|_| {
                let (compute, queue) = (compute.clone(), Arc::clone(&queue));
                spawn_blocking(move || compute.work(&queue))
            })
            .collect();
        let fetching = tokio::spawn(fetcher.run(units, work, order));
        let mut writing = spawn_blocking(move || writer.run(results, suffix.as_ref()));
        let ended = loop {
            tokio::select! {
                ended = &mut writing => break ended,
                () = tokio::time::sleep(CANCEL_POLL) => {
                    // Requests under way are dropped, so the writer's channels close and it ends.
                    if self.cancel.is_cancelled() {
                        fetching.abort();
                        keep_streams = None;
                    }
                }
            }
        };
        stop.cancel();
        fetching.abort();
        drop(keep_streams);
        for worker in workers {
            let _ended = worker.await;
        }
        match ended {
            Ok(Err(_)) if self.cancel.is_cancelled() => Err(RunError::Cancelled),
            Ok(output) => output,
            Err(error) => Err(RunError::Worker {
                message: error.to_string(),
            }),
        }
    }
}

/// Puts results in order, keeps the books, and writes parts and quarantine. Lives in a blocking thread.
struct Writer {
    roller: PartRoller,
    quarantine: Quarantine,
    books: Books,
    drift: Drift,
    seconds: Seconds,
    /// Rows that wait for the steps that need the whole day; none when there are no such steps.
    held: Option<Vec<DataFrame>>,
    held_bytes: u64,
    limit_bytes: u64,
    columns: Vec<String>,
    compute: Compute,
    progress: Progress,
    cancel: Cancel,
}

impl Writer {
    fn run(
        mut self,
        results: Receiver<Receiver<Message>>,
        suffix: Option<&Plan>,
    ) -> Result<DayOutput, RunError> {
        let written = self.take_all(results).and_then(|()| self.run_suffix(suffix));
        let ended = written.and_then(|()| Ok(self.cancel.check()?)).and_then(|()| {
            let start = Instant::now();
            let ended = self.roller.finish();
            self.seconds.encode += start.elapsed().as_secs_f64();
            ended
        });
        let parts = match ended.and_then(|()| self.quarantine.finish()) {
            Ok(quarantine) => (self.roller.take_parts(), quarantine),
            Err(error) => {
                for part in self.roller.take_parts() {
                    self.roller.discard(&Handle::current(), &part)?;
                }
                return Err(error);
            }
        };
        Ok(DayOutput {
            n_files_failed: self.quarantine.n_failed_files(),
            worst: self.quarantine.worst(),
            books: self.books,
            drift: self.drift,
            seconds: self.seconds,
            parts: parts.0,
            quarantine: parts.1,
        })
    }

    fn take_all(&mut self, mut results: Receiver<Receiver<Message>>) -> Result<(), RunError> {
        while let Some(mut unit) = results.blocking_recv() {
            let mut has_ended = false;
            while let Some(message) = unit.blocking_recv() {
                self.cancel.check()?;
                match message {
                    Message::Rows(rows) => self.take(*rows)?,
                    Message::Failed(error) => return Err(error),
                    Message::End(end) => {
                        self.drift.merge(&end.drift);
                        self.seconds.fetch += end.fetch_seconds;
                        self.progress.add_done(end.n_files);
                        has_ended = true;
                    }
                }
            }
            if !has_ended {
                return Err(RunError::Worker {
                    message: "its unit has no end".to_owned(),
                });
            }
        }
        Ok(())
    }

    fn take(&mut self, rows: Rows) -> Result<(), RunError> {
        self.books.rows_in += rows.n_records;
        self.books.decode_rejects += rows.decode_rejects.len() as u64;
        self.books.step_rejects += rows.step_rejects.len() as u64;
        self.books.add_steps(&rows.counts);
        self.seconds.decode += rows.decode_seconds;
        self.seconds.transform += rows.transform_seconds;
        self.progress.add_bytes(rows.n_bytes);
        for reject in rows.decode_rejects.iter().chain(&rows.step_rejects) {
            self.quarantine.add(reject)?;
        }
        if rows.df.height() == 0 {
            return Ok(());
        }
        match &mut self.held {
            None => self.write(&rows.df),
            Some(held) => {
                self.held_bytes += rows.df.estimated_size() as u64;
                if self.held_bytes > self.limit_bytes {
                    return Err(RunError::DayTooLarge {
                        limit_bytes: self.limit_bytes,
                    });
                }
                held.push(rows.df);
                Ok(())
            }
        }
    }

    fn run_suffix(&mut self, suffix: Option<&Plan>) -> Result<(), RunError> {
        let (Some(held), Some(plan)) = (self.held.take(), suffix) else {
            return Ok(());
        };
        let start = Instant::now();
        let mut frames = held.into_iter();
        let Some(mut day) = frames.next() else {
            return Ok(());
        };
        for df in frames {
            day.vstack_mut(&df).map_err(|error| RunError::Step {
                message: error.to_string(),
            })?;
        }
        let outcome = plan.execute(day).map_err(|error| RunError::Step {
            message: error.to_string(),
        })?;
        self.seconds.transform += start.elapsed().as_secs_f64();
        self.books.add_steps(&outcome.counts);
        for reject in self.compute.step_rejects(outcome.rejects, &[]) {
            self.books.step_rejects += 1;
            self.quarantine.add(&reject)?;
        }
        self.write(&outcome.df)
    }

    fn write(&mut self, df: &DataFrame) -> Result<(), RunError> {
        let start = Instant::now();
        let visible = origin::strip(df)
            .select(self.columns.iter().map(String::as_str))
            .map_err(|error| RunError::Step {
                message: error.to_string(),
            })?;
        self.books.rows_out += visible.height() as u64;
        let written = self.roller.write(&visible);
        self.seconds.encode += start.elapsed().as_secs_f64();
        written
    }
}

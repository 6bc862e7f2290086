//! One day: list, fetch, decode, transform, write, check the books and the budget, commit.

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};
use std::{env, mem};

use chrono::NaiveDate;
use polars::prelude::DataFrame;
use serde::{Deserialize, Serialize};
use tokio::runtime::Handle;
use tokio::sync::mpsc::{self, Receiver};
use tokio::sync::{Semaphore, watch};
use tokio::task::{JoinHandle, spawn_blocking};

use super::books::Books;
use super::commit::{Changes, CommitPart, DayLog, staging};
use super::compute::{Compute, Message, Rows};
use super::error::exit;
use super::fetch::Fetcher;
use super::files::Files;
use super::ledger::Cut;
use super::part::{PartRoller, PartTarget};
use super::part_reader::PartReader;
use super::publish::{Publication, discard};
use super::quarantine::Quarantine;
use super::report::{PartitionReport, PartitionStatus, QuarantineReport, Seconds};
use super::run_id::random_suffix;
use super::selection::Selection;
use super::whole_day::{self, WholeDay};
use super::work::{Copy, Decision, Segment, decide, made_ledger, next_ledger};
use super::{RunError, list};
use crate::base::{Cancel, Progress, units};
use crate::dataset::decode::{DecodeOptions, Drift};
use crate::dataset::{Reason, origin};
use crate::job::{Job, SinkLayout};
use crate::storage::{Location, Object, Partition, Store};
use crate::transform::Scope;

/// Work units aim at this many stored bytes, less where many threads share the memory.
const UNIT_BYTES: u64 = 32 << 20;
const CANCEL_POLL: Duration = Duration::from_millis(20);

/// What all days of a run share.
pub(super) struct RunContext<'a> {
    pub job: &'a Job,
    pub run_id: &'a str,
    pub source: &'a Store,
    pub files: &'a Files,
    /// The table, for reading parts again.
    pub table: &'a Store,
    pub replace: bool,
    pub n_threads: usize,
    pub memory_bytes: u64,
    pub progress: &'a Progress,
    pub cancel: &'a Cancel,
}

/// What the stages are to read and write.
pub(super) struct Assignment {
    /// Sorted by key.
    pub objects: Arc<Vec<Object>>,
    /// Published rows that come first.
    pub copies: Vec<Copy>,
    pub first_slot: u64,
    /// Where local parts wait; a folder of its own.
    pub staging: Location,
    /// Name of the quarantine file.
    pub quarantine: String,
    /// Records that count; none takes all.
    pub only: Option<Arc<Selection>>,
}

/// What the stages made, not published yet.
#[derive(Debug, Default, Serialize, Deserialize)]
pub(super) struct Produced {
    pub books: Books,
    pub drift: Drift,
    pub seconds: Seconds,
    pub parts: Vec<CommitPart>,
    pub quarantine: QuarantineReport,
    pub n_files_failed: u64,
    /// The first reject of each reason.
    pub examples: BTreeMap<Reason, String>,
    /// Which rows came from which object; empty where steps mix the rows of a day.
    #[serde(skip)]
    pub segments: Vec<Segment>,
    /// Rows that were copied from published parts.
    pub n_copied: u64,
    /// Location and line of each reject, and whether it is one of the whole file, where a selection was asked for.
    #[serde(skip)]
    pub rejected: BTreeSet<(String, u64, bool)>,
}

impl Produced {
    /// Adds what another task made.
    pub fn add(&mut self, other: Produced) {
        self.books.add(&other.books);
        self.drift.merge(&other.drift);
        self.seconds.add(&other.seconds);
        self.parts.extend(other.parts);
        self.quarantine.add(other.quarantine);
        self.n_files_failed += other.n_files_failed;
        for (reason, example) in other.examples {
            self.examples.entry(reason).or_insert(example);
        }
        self.n_copied += other.n_copied;
    }

    /// The three most frequent reasons with an example each.
    fn worst(&self) -> String {
        let mut reasons: Vec<(u64, Reason)> = self
            .quarantine
            .by_reason
            .iter()
            .map(|(reason, n)| (*n, *reason))
            .collect();
        reasons.sort_by(|a, b| b.cmp(a));
        let texts: Vec<String> = reasons
            .into_iter()
            .take(3)
            .map(|(n, reason)| {
                let example = self.examples.get(&reason).map_or("", String::as_str);
                format!("{n} {} ({example})", reason.word())
            })
            .collect();
        texts.join("; ")
    }
}

impl RunContext<'_> {
    /// Runs a day to its end; a failure is part of the report.
    pub async fn day(&self, day: NaiveDate) -> PartitionReport {
        let mut report = PartitionReport::new(Partition::Day(day), PartitionStatus::Failed);
        let status = self.try_day(day, &mut report).await;
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
        let work = match decide(self.job, &state, ledger.as_ref(), objects, self.replace)? {
            Decision::NoData => {
                report.message = Some(format!("no objects below {}", self.job.source.location(day)));
                return Ok(PartitionStatus::NoData);
            }
            Decision::UpToDate { message } => {
                let finished = if state.was_rolled_forward {
                    "; its commit was finished now"
                } else {
                    ""
                };
                report.message = Some(format!("{message}{finished}"));
                let last = state.last.iter();
                report.parts = last
                    .flat_map(|last| last.part_reports(&self.job.sink, false))
                    .collect();
                return Ok(PartitionStatus::AlreadyCommitted);
            }
            Decision::Work(work) => work,
        };
        report.n_files_new = work.n_new;
        report.n_files_changed = work.n_changed;
        report.n_files_vanished = work.n_vanished;
        report.n_bytes_in = work.objects.iter().map(|object| object.size).sum();
        log.check_parts(&state).await?;
        self.progress.add_total(work.objects.len() as u64);
        let objects = Arc::new(work.objects);
        let assignment = Assignment {
            objects: Arc::clone(&objects),
            copies: work.copies,
            first_slot: state.next_slot,
            staging: staging(&self.job.sink, self.run_id, day),
            quarantine: "part-0.jsonl".to_owned(),
            only: None,
        };
        let cut = self.cut(assignment.first_slot);
        let copies = assignment.copies.clone();
        let produced = match self.produce(day, assignment).await {
            Ok(produced) => produced,
            Err(error) => {
                self.clean_up(day, &[]).await;
                return Err(log.lost_or(&state, error).await);
            }
        };
        fill(report, &produced);
        let checked = produced.books.check().and_then(|()| Ok(self.cancel.check()?));
        if let Err(error) = checked {
            self.clean_up(day, &produced.parts).await;
            return Err(error);
        }
        if let Some(message) = self.over_budget(objects.len() as u64, &produced) {
            self.clean_up(day, &produced.parts).await;
            report.message = Some(message);
            return Ok(PartitionStatus::BudgetExceeded);
        }
        let start = Instant::now();
        let made = made_ledger(
            &copies,
            &work.replaced,
            ledger.as_ref(),
            &objects,
            &produced.segments,
            cut,
            &|_| 0,
        );
        let old = ledger.filter(|_| !work.is_whole);
        let changes = Changes {
            parts: produced.parts,
            kept: work.kept,
            deletes: work.deletes,
            ..Changes::default()
        };
        let ledger = next_ledger(&changes.kept, &work.replaced, old.as_ref(), &[made]);
        let publication = Publication {
            job: self.job,
            files: self.files,
            log: &log,
            state: &state,
            run_id: self.run_id,
            day,
            logic_sha256: &self.job.logic_sha256,
            is_traced: self.job.plan.scope() != Scope::Partition,
            owns_parts: true,
        };
        let commit = publication.publish(work.kind, changes, &ledger).await?;
        report.seconds.commit = start.elapsed().as_secs_f64();
        report.parts = commit.part_reports(&self.job.sink, true);
        Ok(PartitionStatus::Committed)
    }

    /// How rows are cut into parts from a slot on.
    pub fn cut(&self, first_slot: u64) -> Cut {
        Cut {
            first_slot,
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
            ("record", books.quarantined(), books.rows_in, budget.records),
            ("file", produced.n_files_failed, n_files, budget.files),
        ];
        limits.into_iter().find_map(|(noun, n, of, tolerance)| {
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
        })
    }

    /// Takes back what is staged, where the day already ended for another reason: that one is the message.
    pub async fn clean_up(&self, day: NaiveDate, parts: &[CommitPart]) {
        let folder = staging(&self.job.sink, self.run_id, day);
        if let Err(error) = discard(self.job, self.files, parts, &folder).await {
            tracing::warn!(%error, %day, "staged parts could not be removed");
        }
    }

    /// Folder of the files of a day that does not fit into the memory. It is named by the environment, or lies with the
    /// staged parts of a local table, or in the machine's folder for temporary files.
    fn scratch(&self, day: NaiveDate, waiting: &Location) -> PathBuf {
        let name = format!("skewer-{}-{day}-{}", self.run_id, random_suffix());
        if let Some(folder) = env::var_os("SKEWER_SCRATCH").filter(|folder| !folder.is_empty()) {
            return PathBuf::from(folder).join(name);
        }
        match waiting {
            Location::Local(folder) => folder.join("scratch"),
            Location::S3 { .. } => env::temp_dir().join(name),
        }
    }

    /// Runs the stages side by side until every row is staged.
    pub async fn produce(&self, day: NaiveDate, assignment: Assignment) -> Result<Produced, RunError> {
        let Assignment { objects, .. } = &assignment;
        let n_threads = self.n_threads.max(1);
        let per_thread = self.memory_bytes / n_threads as u64;
        let unit_bytes = (per_thread / 4).clamp(1 << 20, UNIT_BYTES);
        let names: Vec<String> = objects
            .iter()
            .map(|object| self.source.location(&object.key).to_string())
            .collect();
        let units = list::units(objects, unit_bytes);
        let (prefix, suffix) = self.job.plan.clone().split();

        let fetch_kib = (self.memory_bytes / 3).max(2 * unit_bytes) / 1024;
        let (keep_streams, wanted) = watch::channel(());
        let mut keep_streams = Some(keep_streams);
        let fetcher = Fetcher {
            store: self.source.clone(),
            objects: Arc::clone(objects),
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
            objects: Arc::clone(objects),
            only: assignment.only.clone(),
            names: Arc::new(names),
            schema: Arc::clone(&self.job.source.schema),
            options: DecodeOptions {
                batch_bytes: batch_bytes.clamp(1 << 20, 16 << 20),
                ..self.job.source.decode.clone()
            },
            plan: Arc::new(prefix),
            stop: stop.clone(),
        };
        let target = PartTarget {
            files: self.files.clone(),
            table: self.job.sink.root.clone(),
            partition: self.job.sink.partition(day),
            staging: assignment.staging.clone(),
            first_slot: assignment.first_slot,
        };
        let quarantine = Quarantine::new(self, day, &assignment);
        let writer = Writer {
            roller: PartRoller::new(self.job, target)?,
            quarantine,
            table: self.table.clone(),
            copies: assignment.copies,
            segments: Vec::new(),
            is_mixed: suffix.is_some(),
            n_written: 0,
            n_copied: 0,
            books: Books::default(),
            drift: Drift::default(),
            seconds: Seconds::default(),
            whole_day: suffix.and_then(|plan| {
                let scratch = whole_day::Scratch::new(
                    self.scratch(day, &assignment.staging),
                    self.job.limits.scratch.0,
                );
                WholeDay::new(plan, self.memory_bytes / 2, scratch, self.cancel.clone())
            }),
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
        let mut writing = spawn_blocking(move || writer.run(results));
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

pub(super) fn fill(report: &mut PartitionReport, produced: &Produced) {
    let books = &produced.books;
    report.rows_in = books.rows_in;
    report.rows_out = books.rows_out;
    report.rows_filtered = books.filtered();
    report.rows_quarantined = books.quarantined();
    report.rows_merged = books.merged();
    report.rows_made = books.made();
    report.steps.clone_from(&books.steps);
    report.drift = produced.drift.clone();
    report.quarantine = produced.quarantine.clone();
    report.n_files_failed = produced.n_files_failed;
    report.seconds = Seconds {
        list: report.seconds.list,
        ..produced.seconds
    };
}

/// Puts results in order, keeps the books, and writes parts and quarantine. Lives in a blocking thread.
struct Writer {
    roller: PartRoller,
    quarantine: Quarantine,
    table: Store,
    copies: Vec<Copy>,
    segments: Vec<Segment>,
    /// Whether steps mix the rows of the day, so that none belongs to one object.
    is_mixed: bool,
    n_written: u64,
    n_copied: u64,
    books: Books,
    drift: Drift,
    seconds: Seconds,
    /// Rows that wait for the steps that need the whole day; none when there are no such steps.
    whole_day: Option<WholeDay>,
    columns: Vec<String>,
    compute: Compute,
    progress: Progress,
    cancel: Cancel,
}

impl Writer {
    fn run(mut self, results: Receiver<Receiver<Message>>) -> Result<Produced, RunError> {
        let written = self
            .copy()
            .and_then(|()| self.take_all(results))
            .and_then(|()| self.run_suffix());
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
        Ok(Produced {
            n_files_failed: self.quarantine.n_failed_files(),
            examples: self.quarantine.take_examples(),
            books: self.books,
            drift: self.drift,
            seconds: self.seconds,
            parts: parts.0,
            quarantine: parts.1,
            segments: self.segments,
            n_copied: self.n_copied,
            rejected: self.quarantine.take_rejected(),
        })
    }

    /// Brings rows that stay from published parts into the new ones.
    fn copy(&mut self) -> Result<(), RunError> {
        let start = Instant::now();
        let (handle, schema) = (Handle::current(), Arc::clone(self.roller.schema()));
        for copy in mem::take(&mut self.copies) {
            if copy.rows.is_empty() {
                continue;
            }
            let mut reader = PartReader::open(&handle, &self.table, &copy, &schema)?;
            while let Some(batch) = reader.next(&handle)? {
                self.cancel.check()?;
                self.roller.write_arrow(&batch)?;
                self.n_copied += batch.num_rows() as u64;
            }
        }
        self.n_written = self.n_copied;
        self.seconds.encode += start.elapsed().as_secs_f64();
        Ok(())
    }

    /// Writes down which rows came from which object.
    fn trace(&mut self, df: &DataFrame) -> Result<(), RunError> {
        if self.is_mixed {
            return Ok(());
        }
        let objects = df.column(origin::OBJECT).and_then(|column| column.u32().cloned());
        let objects = objects.map_err(|error| RunError::Step {
            message: error.to_string(),
        })?;
        for object in objects.iter() {
            let object = object.unwrap_or(u32::MAX);
            match self.segments.last_mut() {
                Some(last) if last.object == object => last.n_rows += 1,
                _ => self.segments.push(Segment {
                    object,
                    first_row: self.n_written,
                    n_rows: 1,
                }),
            }
            self.n_written += 1;
        }
        Ok(())
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
        match &mut self.whole_day {
            None => self.write(&rows.df),
            Some(whole_day) => whole_day.push(rows.df),
        }
    }

    fn run_suffix(&mut self) -> Result<(), RunError> {
        let Some(whole_day) = self.whole_day.take() else {
            return Ok(());
        };
        let (start, encoded) = (Instant::now(), self.seconds.encode);
        whole_day.finish(&mut |outcome| {
            self.books.add_steps(&outcome.counts);
            for reject in self.compute.step_rejects(outcome.rejects, &[]) {
                self.books.step_rejects += 1;
                self.quarantine.add(&reject)?;
            }
            if outcome.df.height() == 0 {
                return Ok(());
            }
            self.write(&outcome.df)
        })?;
        let encoding = self.seconds.encode - encoded;
        self.seconds.transform += start.elapsed().as_secs_f64() - encoding;
        Ok(())
    }

    fn write(&mut self, df: &DataFrame) -> Result<(), RunError> {
        let start = Instant::now();
        self.trace(df)?;
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

//! Executes a job: list, fetch, decode, transform, write, commit, report. A day appears by its commit or not at all.
//!
//! ```text
//! list ─► units ─► fetch (async, bytes budget) ─► workers: decode, row steps ─► writer: order, books, parts ─► commit
//! ```
//!
//! Leaves to `job` what a spec means and to `transform` what a step does. Control data lies beside the table.

mod books;
mod commit;
mod compact;
mod compute;
mod day;
mod error;
mod fault;
mod fetch;
mod files;
mod gc;
mod inputs;
pub mod journal;
mod ledger;
mod list;
#[cfg(test)]
mod model;
mod objects;
mod part;
mod part_reader;
mod plan;
mod probe;
mod produce;
mod produced;
mod publish;
mod quarantine;
mod raw_line;
mod replay;
mod report;
mod run_id;
mod segments;
mod selection;
mod slots;
mod task;
mod time_limit;
mod timeline;
mod whole_day;
mod work;
mod writer;

use std::num::NonZeroUsize;
use std::time::Instant;

pub use compact::compact;
pub use error::{RunError, exit};
pub use gc::{GcOptions, GcReport, gc};
pub use inputs::InputReport;
pub use journal::Journal;
pub use part::parquet_bytes;
pub use plan::{PlanOptions, PlanReport, PlannedPartition, PlannedStatus, PlannedTask, plan};
pub use probe::probe;
pub use replay::{ReplayOptions, replay};
pub use report::{
    PartReport, PartitionReport, PartitionStatus, QuarantineReport, RunReport, RunStatus, Seconds,
    report_schema,
};

pub use task::{TaskReport, TaskStatus, commit, task};
pub use timeline::{SlowFile, WorkReport, WorkSpan};

use futures::{StreamExt as _, stream};

use day::RunContext;
use files::Files;
use inputs::JobInputs;

use crate::base::{Cancel, Progress};
use crate::job::{ByteSize, Job, Params};
use crate::storage::{Location, StorageError, Store, StoreOptions};

/// A larger object is read piece by piece; a smaller one too, where many threads share the memory.
const STREAMED_BYTES: u64 = 32 << 20;

/// How a run differs from what the spec says.
#[derive(Debug, Clone, Default)]
pub struct RunOptions {
    /// Compute committed days again.
    pub replace: bool,
    /// Threads that decode and transform; none takes one a core.
    pub n_threads: Option<NonZeroUsize>,
    /// Buffers of data; none takes the spec's `limits.memory`.
    pub memory: Option<ByteSize>,
    /// Days under way at once; none takes as many as the memory allows, at most four.
    pub n_days: Option<NonZeroUsize>,
    /// Credentials and patience of both stores.
    pub store: StoreOptions,
    /// Where it says which objects are in work, for a supervisor; none without one.
    pub journal: Option<Journal>,
}

fn no_source(error: StorageError) -> RunError {
    match error {
        StorageError::NotFound { location, hint } => RunError::NoSource { location, hint },
        other => other.into(),
    }
}

/// A day under way needs this much memory at least, so that its files are read together.
const MIN_DAY_BYTES: u64 = 96 << 20;
const MAX_DAYS: usize = 4;

/// The stores of a job, opened.
pub(super) struct Opened {
    source: Store,
    inputs: JobInputs,
    files: Files,
    table: Store,
    /// When this was begun: what a run takes is counted from here.
    begun: Instant,
}

impl Opened {
    /// # Errors
    /// [`RunError::Storage`] for a source that is not there, or without credentials.
    async fn open(job: &Job, options: &RunOptions) -> Result<Self, RunError> {
        let begun = Instant::now();
        Ok(Self {
            begun,
            source: Store::open_with(&job.source.root, &job.source.connection, &options.store)
                .await
                .map_err(no_source)?,
            inputs: JobInputs::open(job, options).await?,
            files: Files::open(&job.sink.root, &job.sink.connection, &options.store).await?,
            table: Store::open_or_create_with(&job.sink.root, &job.sink.connection, &options.store).await?,
        })
    }

    /// What `n_days` days under way at once share, as far as the memory goes.
    fn context<'a>(
        &'a self,
        job: &'a Job,
        run_id: &'a str,
        options: &'a RunOptions,
        n_days: usize,
        progress: &'a Progress,
        cancel: &'a Cancel,
    ) -> RunContext<'a> {
        let n_threads = options
            .n_threads
            .or_else(|| std::thread::available_parallelism().ok())
            .map_or(1, NonZeroUsize::get);
        let memory = options.memory.unwrap_or(job.limits.memory).0;
        let input_bytes = if self.inputs.is_empty() {
            0
        } else {
            memory / inputs::SHARE
        };
        RunContext {
            job,
            run_id,
            source: &self.source,
            inputs: &self.inputs,
            input_bytes,
            files: &self.files,
            table: &self.table,
            replace: options.replace,
            n_threads,
            memory_bytes: (memory - input_bytes) / n_days.max(1) as u64,
            progress,
            cancel,
            journal: options.journal.as_ref(),
        }
    }
}

/// Runs `job` for the days of `params` and those before that the spec looks back to, newest first, a few at once, each
/// its own commit. A day that fails does not stop others.
///
/// # Errors
/// [`RunError`] when no day could start, or the report could not be kept. What happened to a day is in the report.
pub async fn run(
    job: &Job,
    params: &Params,
    options: &RunOptions,
    progress: &Progress,
    cancel: &Cancel,
) -> Result<RunReport, RunError> {
    let run_id = run_id::new_run_id();
    let opened = Opened::open(job, options).await?;
    let died = options.journal.as_ref().map(|journal| journal.enter(&run_id));
    let days = params.days_with_lookback(job.spec.incremental.lookback_days);
    let n_days = days_at_once(job, &opened.inputs, options, days.len());
    let context = opened.context(job, &run_id, options, n_days, progress, cancel);
    let partitions: Vec<PartitionReport> = stream::iter(days.into_iter().rev())
        .map(|day| {
            let (context, died) = (&context, &died);
            async move {
                context.progress.set_note(day.to_string());
                let partition = context.day(day).await;
                if partition.is_good() {
                    for died in died.iter().flatten() {
                        context.clear_away(died, day).await;
                    }
                }
                partition
            }
        })
        .buffered(n_days)
        .collect()
        .await;
    keep_report(&opened, job, run_id, partitions).await
}

fn days_at_once(job: &Job, inputs: &JobInputs, options: &RunOptions, n_asked: usize) -> usize {
    if inputs.differ_by_day() {
        return 1;
    }
    let memory = options.memory.unwrap_or(job.limits.memory).0;
    let memory = if inputs.is_empty() {
        memory
    } else {
        memory - memory / inputs::SHARE
    };
    let by_memory = usize::try_from(memory / MIN_DAY_BYTES).unwrap_or(MAX_DAYS);
    let most = options.n_days.map_or(MAX_DAYS, NonZeroUsize::get);
    n_asked.min(most).min(by_memory).max(1)
}

/// The report of a run, kept beside the table.
async fn keep_report(
    opened: &Opened,
    job: &Job,
    run_id: String,
    partitions: Vec<PartitionReport>,
) -> Result<RunReport, RunError> {
    let wall_seconds = opened.begun.elapsed().as_secs_f64();
    let report = RunReport::new(run_id, job, partitions, report::peak_rss_bytes(), wall_seconds);
    let at = report_location(job, &report.run_id);
    let json = serde_json::to_vec_pretty(&report).map_err(|source| RunError::Write {
        path: at.to_string(),
        source: source.into(),
    })?;
    opened.files.put(&at, &json).await?;
    Ok(report)
}

/// Where a run keeps its report.
pub fn report_location(job: &Job, run_id: &str) -> Location {
    job.sink.control.join(&format!("runs/{run_id}/report.json"))
}

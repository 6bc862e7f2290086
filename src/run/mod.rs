//! Executes a job: list, fetch, decode, transform, write, commit, report. A day appears by its commit or not at all.
//!
//! ```text
//! list ─► units ─► fetch (async, bytes budget) ─► workers: decode, row steps ─► writer: order, books, parts ─► commit
//! ```
//!
//! Leaves to `job` what a spec means and to `transform` what a step does. Control data lies beside the table.

mod books;
mod commit;
mod compute;
mod day;
mod error;
mod fault;
mod fetch;
mod files;
pub mod journal;
mod list;
mod part;
mod probe;
mod quarantine;
mod raw_line;
mod report;
mod run_id;
mod time_limit;

use std::num::NonZeroUsize;

pub use error::{RunError, exit};
pub use journal::Journal;
pub use probe::probe;
pub use report::{
    PartReport, PartitionReport, PartitionStatus, QuarantineReport, RunReport, RunStatus, Seconds,
};

use crate::base::{Cancel, Progress};
use crate::job::{ByteSize, Job, Params};
use crate::storage::{Location, Store, StoreOptions};

/// A larger object is read piece by piece. Work units aim at this many stored bytes, less where many threads share the
/// memory.
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
    /// Credentials and patience of both stores.
    pub store: StoreOptions,
    /// Where it says which objects are in work, for a supervisor; none without one.
    pub journal: Option<Journal>,
}

/// Runs `job` for the days of `params`, newest first, each its own commit. A day that fails does not stop others.
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
    let source = Store::open_with(&job.source.root, &job.source.connection, &options.store).await?;
    let files = files::Files::open(&job.sink.root, &job.sink.connection, &options.store).await?;
    let n_threads = options
        .n_threads
        .or_else(|| std::thread::available_parallelism().ok())
        .map_or(1, NonZeroUsize::get);
    let context = day::RunContext {
        job,
        run_id: &run_id,
        source: &source,
        files: &files,
        replace: options.replace,
        n_threads,
        memory_bytes: options.memory.unwrap_or(job.limits.memory).0,
        progress,
        cancel,
        journal: options.journal.as_ref(),
    };
    let died = options.journal.as_ref().map(|journal| journal.enter(&run_id));
    let mut partitions = Vec::with_capacity(params.days().len());
    for day in params.days().iter().rev() {
        progress.set_note(day.to_string());
        let partition = context.day(*day).await;
        if partition.is_good() {
            for died in died.iter().flatten() {
                context.clear_away(died, *day).await;
            }
        }
        partitions.push(partition);
    }
    let peak_rss_bytes = report::peak_rss_bytes();
    let report = RunReport::new(run_id, job, partitions, peak_rss_bytes);
    let at = report_location(job, &report.run_id);
    let json = serde_json::to_vec_pretty(&report).map_err(|source| RunError::Write {
        path: at.to_string(),
        source: source.into(),
    })?;
    files.put(&at, &json).await?;
    Ok(report)
}

/// Where a run keeps its report.
pub fn report_location(job: &Job, run_id: &str) -> Location {
    job.sink.control.join(&format!("runs/{run_id}/report.json"))
}

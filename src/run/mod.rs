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
mod fetch;
mod files;
mod list;
mod part;
mod quarantine;
mod raw_line;
mod report;
mod run_id;

use std::num::NonZeroUsize;

pub use error::{RunError, exit};
pub use part::parquet_bytes;
pub use report::{
    PartReport, PartitionReport, PartitionStatus, QuarantineReport, RunReport, RunStatus, Seconds,
};

use crate::base::{Cancel, Progress};
use crate::job::{ByteSize, Job, Params};
use crate::storage::{Location, Store, StoreOptions};

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
    };
    let mut partitions = Vec::with_capacity(params.days().len());
    for day in params.days().iter().rev() {
        progress.set_note(day.to_string());
        partitions.push(context.day(*day).await);
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

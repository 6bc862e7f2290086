//! One streaming pass over the objects of some partitions, on all cores, in bounded memory: batches of rows go to one
//! collector a thread, and the collectors are merged at the end.
//!
//! Leaves to `dataset` how bytes become rows, to `transform` what a step is, and to collectors what is made of the rows.
//!
//! | file | answers |
//! |---|---|
//! | `source` | which objects are read, of which format, by which schema |
//! | `queue` | what is read next, and where its bytes come from |
//! | `worker` | how one thread decodes, runs steps and hands batches over |
//! | `part` | what threads made, added up |
//! | `columns` | the profile of every column |
//!
//! ```text
//! objects ──► queue (small ones together, large ones in pieces or row groups) ──► workers ──► collectors ──► merged
//! ```

mod columns;
mod part;
mod queue;
mod source;
#[cfg(test)]
mod tests;
mod worker;

use std::collections::BTreeMap;
use std::ops::Range;
use std::sync::Arc;

use polars::error::PolarsResult;
use polars::prelude::{DataFrame, Schema};
use thiserror::Error;
use tokio::task::spawn_blocking;

pub use source::ScanSource;

use self::part::Part;
use self::queue::Queue;
use self::worker::{Shared, Stops, Worker};
use crate::base::{Accuracy, Cancel, Progress};
use crate::dataset::decode::{Drift, InputError};
use crate::dataset::{FailedFile, PageError, Reason, Reject, SchemaError};
use crate::explore::inputs::is_sampled;
use crate::storage::StorageError;
use crate::transform::{ExecuteError, Inputs, Plan, Recipe, StepError};

/// Rows that a collector gets at once, and a recipe's steps work on: how soon a cancel is noticed is bounded by work,
/// whatever the size of batches and files.
pub const PIECE_ROWS: usize = 8192;
/// Rejects that are kept with their text; all are counted.
const MAX_REJECTS: usize = 100;
/// Objects that a sample is taken from, at most.
pub const SAMPLE_FILES: usize = 100;
/// What a scan holds of raw bytes and decoded rows where nobody says otherwise.
const MEMORY_BYTES: u64 = 128 << 20;

/// Rows of one partition on their way to a collector.
#[derive(Debug)]
pub struct ScanBatch<'a> {
    /// Visible columns, then the origin columns, whose object number is the index among the source's objects.
    pub df: &'a DataFrame,
    /// As the source numbers them.
    pub partition: usize,
    /// The objects that the rows are from.
    pub objects: Range<usize>,
}

/// What reading noticed of the raw records of one partition, before any step, besides their values.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Noticed {
    /// Records read, those that were rejected included.
    pub n_records: u64,
    /// Objects of good records that lacked a declared key, by path (`location.city`); rows of Parquet files that lack a
    /// column.
    pub missing: BTreeMap<String, u64>,
    /// Keys that are not declared, and values of another type.
    pub drift: Drift,
}

/// Makes something of batches, one collector a thread.
pub trait Collect: Send + Sized + 'static {
    /// Takes one batch. Batches come in no particular order, each row once.
    ///
    /// # Errors
    /// What makes the rest of the scan useless, such as a column of another type: it ends the scan.
    fn add(&mut self, batch: &ScanBatch<'_>) -> PolarsResult<()>;

    /// Takes what reading noticed of some records of `partition`.
    fn notice(&mut self, partition: usize, noticed: &Noticed) {
        let _ = (partition, noticed);
    }

    /// Called in the collector's thread when the scan was cancelled, before collectors are merged: whoever waits wants
    /// an answer at once, so what takes long to merge is made small.
    fn condense(&mut self) {}

    /// Adds what the collector of another thread has.
    fn merge(&mut self, other: Self);
}

/// Bounds of a scan.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ScanLimits {
    pub n_threads: usize,
    /// Raw bytes and decoded rows under way; collectors have their own bounds.
    pub memory_bytes: u64,
    /// Rows read of each object; none reads all.
    pub rows_per_object: Option<u64>,
}

impl Default for ScanLimits {
    fn default() -> Self {
        Self {
            n_threads: std::thread::available_parallelism().map_or(1, usize::from),
            memory_bytes: MEMORY_BYTES,
            rows_per_object: None,
        }
    }
}

impl ScanLimits {
    /// Raw bytes that one thread has in work.
    fn unit_bytes(&self) -> usize {
        let share = self.memory_bytes / self.n_threads.max(1) as u64 / 16;
        usize::try_from(share)
            .unwrap_or(usize::MAX)
            .clamp(256 << 10, 1 << 20)
    }
}

/// Why a scan has no result.
#[derive(Debug, Error)]
pub enum ScanError {
    #[error(transparent)]
    Page(#[from] PageError),
    #[error(transparent)]
    Input(#[from] InputError),
    #[error(transparent)]
    Schema(#[from] SchemaError),
    #[error(transparent)]
    Step(#[from] StepError),
    #[error(
        "{label} needs the rows of a whole partition together, and one pass over the data has only some at a time: \
         switch it and the steps after it off, or run the recipe as a job and read its output"
    )]
    NeedsPartition { label: String },
    #[error("column `{name}` not found{hint}")]
    NoColumn { name: String, hint: String },
    #[error(transparent)]
    Execute(#[from] ExecuteError),
    #[error("{location}: it is gone, or shorter than it was when it was listed: start again")]
    Vanished { location: String },
    #[error("{message}")]
    Collect { message: String },
    #[error("a thread stopped: {message}")]
    Worker { message: String },
}

impl From<StorageError> for ScanError {
    fn from(error: StorageError) -> Self {
        Self::Page(PageError::Storage(error))
    }
}

/// What a pass gave.
#[derive(Debug)]
pub struct Scanned<C> {
    pub collected: C,
    /// Exact when every object was read to its end; partial after a cancel; a sample where rows of objects were left out, or
    /// could not be read.
    pub accuracy: Accuracy,
    /// Rows handed to collectors.
    pub n_rows: u64,
    /// Records read: rows before any step, and rejects.
    pub n_records: u64,
    /// Decompressed bytes of JSONL, file sizes of Parquet.
    pub n_bytes: u64,
    pub n_files: u64,
    /// Files that could not be read to their end.
    pub n_files_failed: u64,
    /// The first of those.
    pub failed_files: Vec<FailedFile>,
    /// The first of all rejects.
    pub rejects: Vec<Reject>,
    /// All of them.
    pub by_reason: BTreeMap<Reason, u64>,
}

impl<C> Scanned<C> {
    /// What was made of the collected.
    pub fn map<D>(self, make: impl FnOnce(C) -> D) -> Scanned<D> {
        Scanned {
            collected: make(self.collected),
            accuracy: self.accuracy,
            n_rows: self.n_rows,
            n_records: self.n_records,
            n_bytes: self.n_bytes,
            n_files: self.n_files,
            n_files_failed: self.n_files_failed,
            failed_files: self.failed_files,
            rejects: self.rejects,
            by_reason: self.by_reason,
        }
    }

    pub fn n_rejects(&self) -> u64 {
        self.by_reason.values().sum()
    }
}

/// A pass that can be made.
#[derive(Debug, Clone)]
pub struct Scan {
    source: Arc<ScanSource>,
    limits: ScanLimits,
    columns: Option<Vec<String>>,
    plan: Option<Arc<Plan>>,
    /// Not all objects are read, or not all rows of an input of the recipe are at hand.
    is_part: bool,
}

impl Scan {
    /// A pass over all columns of `source`.
    pub fn new(source: ScanSource) -> Self {
        Self {
            source: Arc::new(source),
            limits: ScanLimits::default(),
            columns: None,
            plan: None,
            is_part: false,
        }
    }

    /// Reads about `n_rows` rows only: the first rows of up to [`SAMPLE_FILES`] objects spread over all of them.
    #[must_use]
    pub fn with_sample(mut self, n_rows: u64) -> Self {
        let n_objects = self.source.objects().len();
        let most = SAMPLE_FILES.min(usize::try_from(n_rows).unwrap_or(usize::MAX));
        let n_files = n_objects.min(most).max(1);
        self.limits.rows_per_object = Some((n_rows / n_files as u64).max(1));
        if n_files < n_objects {
            self.source = Arc::new(self.source.spread(n_files));
            self.is_part = true;
        }
        self
    }

    #[must_use]
    pub fn with_limits(mut self, limits: ScanLimits) -> Self {
        self.limits = limits;
        self
    }

    /// Puts every batch through the enabled steps of `recipe`, which must all look at one row at a time.
    ///
    /// # Errors
    /// [`ScanError::Step`] when a step does not check, [`ScanError::NeedsPartition`] for one that needs more rows.
    pub fn with_recipe(mut self, recipe: &Recipe, inputs: &Inputs) -> Result<Self, ScanError> {
        let plan = recipe.compile(recipe.steps.len(), self.source.step_schema(), inputs)?;
        let (plan, rest) = plan.split();
        if let Some(stage) = rest.as_ref().and_then(Plan::stage) {
            return Err(ScanError::NeedsPartition { label: stage.label });
        }
        self.plan = Some(Arc::new(plan));
        self.is_part |= is_sampled(recipe, recipe.steps.len(), inputs);
        Ok(self)
    }

    /// Only these columns (after the recipe), as few bytes as possible read for them.
    ///
    /// # Errors
    /// [`ScanError::NoColumn`].
    pub fn with_columns(mut self, columns: &[&str]) -> Result<Self, ScanError> {
        let schema = self.schema();
        for name in columns {
            if !schema.contains(name) {
                let known = schema.iter_names().map(polars::prelude::PlSmallStr::as_str);
                let near = crate::base::nearest(name, known);
                return Err(ScanError::NoColumn {
                    name: (*name).to_owned(),
                    hint: near.map_or_else(String::new, |near| format!(": did you mean `{near}`?")),
                });
            }
        }
        self.columns = Some(columns.iter().map(ToString::to_string).collect());
        Ok(self)
    }

    pub fn source(&self) -> &ScanSource {
        &self.source
    }

    /// The visible columns of batches, when no columns were chosen.
    pub fn schema(&self) -> &Schema {
        match &self.plan {
            Some(plan) => plan.output(),
            None => self.source.schema(),
        }
    }

    /// Whether rows are as they are read, with no step after.
    pub fn is_as_read(&self) -> bool {
        self.plan.is_none()
    }

    /// Whether batches have every column of their rows.
    pub fn has_all_columns(&self) -> bool {
        self.columns.is_none()
    }

    /// The visible columns of batches.
    pub fn output(&self) -> Schema {
        let all = self.schema();
        match &self.columns {
            Some(columns) => columns
                .iter()
                .filter_map(|name| Some((name.as_str().into(), all.get(name)?.clone())))
                .collect(),
            None => all.clone(),
        }
    }

    /// Reads everything once. `new` makes the collector of each thread; there is at least one.
    ///
    /// A cancel ends the pass soon: what was computed until then is the answer, and its accuracy says so. Broken files
    /// and records are counted. `progress` counts files and bytes as stored, and says how many rows were read.
    ///
    /// # Errors
    /// [`ScanError`]: what the storage fails with, a step that fails on no row in particular, a collector's own error.
    pub async fn fold<C: Collect>(
        &self,
        cancel: &Cancel,
        progress: &Progress,
        new: impl Fn() -> C,
    ) -> Result<Scanned<C>, ScanError> {
        let stop = Cancel::new();
        let _stop_on_drop = stop.on_drop();
        progress.add_total(self.source.objects().len() as u64);
        let opened = cancel
            .until(Queue::open(&self.source, &self.limits, cancel))
            .await;
        let Ok(opened) = opened else {
            return Ok(Part::new(new()).finish(self.is_part, true));
        };
        let (queue, feeder) = opened?;
        let stops = Stops {
            stop: stop.clone(),
            cancel: cancel.clone(),
        };
        let shared = Arc::new(Shared::new(self, queue, stops, progress.clone()));
        let workers: Vec<_> = (0..self.n_workers())
            .map(|_| {
                let worker = Worker::new(Arc::clone(&shared), new());
                spawn_blocking(move || worker.run())
            })
            .collect();
        let mut all: Option<Part<C>> = None;
        let mut failed = None;
        for mut worker in workers {
            let ended = loop {
                tokio::select! {
                    ended = &mut worker => break ended,
                    () = cancel.cancelled(), if !stop.is_cancelled() => {
                        stop.cancel();
                        feeder.abort();
                    }
                }
            };
            match ended {
                Ok(Ok(part)) => match &mut all {
                    Some(all) => all.merge(part),
                    None => all = Some(part),
                },
                Ok(Err(error)) => {
                    stop.cancel();
                    feeder.abort();
                    failed.get_or_insert(error);
                }
                Err(error) => {
                    stop.cancel();
                    feeder.abort();
                    failed.get_or_insert(ScanError::Worker {
                        message: error.to_string(),
                    });
                }
            }
        }
        match (failed, all) {
            // Bytes that stop coming look like a failure of the place; a cancel is none.
            (Some(error), _) if !cancel.is_cancelled() || !is_of_bytes(&error) => Err(error),
            (_, Some(part)) => Ok(part.finish(self.is_part, cancel.is_cancelled())),
            (Some(error), None) => Err(error),
            (None, None) => Err(ScanError::Worker {
                message: "none was started".to_owned(),
            }),
        }
    }

    /// Parquet on S3 waits for ranges: more threads than cores keep the cores busy.
    fn n_workers(&self) -> usize {
        let n = self.limits.n_threads.max(1);
        if self.source.waits_for_ranges() {
            n.max(8)
        } else {
            n
        }
    }
}

fn is_of_bytes(error: &ScanError) -> bool {
    matches!(
        error,
        ScanError::Page(_) | ScanError::Input(_) | ScanError::Vanished { .. }
    )
}

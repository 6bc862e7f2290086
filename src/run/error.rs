//! Why a run, or a day of it, ended without its commit, and the exit code that says so to a scheduler.

use std::io;
use std::path::Path;
use std::time::Duration;

use thiserror::Error;

use crate::base::{Cancelled, units};
use crate::dataset::decode::InputError;
use crate::dataset::{InputReadError, PageError, SchemaError};
use crate::job::JobError;
use crate::storage::{LocationError, StorageError};
use crate::transform::ExecuteError;

/// Exit codes, as schedulers are told to read them: 2, 10 and 78 are not worth a retry.
pub mod exit {
    pub const DONE: i32 = 0;
    pub const UNEXPECTED: i32 = 1;
    pub const USAGE: i32 = 2;
    pub const BUDGET: i32 = 10;
    pub const SOME_FAILED: i32 = 11;
    pub const TRY_AGAIN: i32 = 75;
    pub const CONFIGURATION: i32 = 78;
    pub const CANCELLED: i32 = 130;
}

/// A failure that is no record's fault.
#[derive(Debug, Error)]
pub enum RunError {
    #[error(transparent)]
    Job(#[from] JobError),
    #[error(transparent)]
    Schema(#[from] SchemaError),
    #[error(transparent)]
    Storage(StorageError),
    #[error("{location}: not found{hint}: check `source.uri`")]
    NoSource { location: String, hint: String },
    #[error("{location}: vanished or changed while it was read: run again")]
    Vanished { location: String },
    #[error(transparent)]
    Input(#[from] InputError),
    #[error("input `{name}`: {source}")]
    OfInput {
        name: String,
        source: Box<InputReadError>,
    },
    #[error(
        "input `{name}`: the rows of its {} ({} as stored) take more memory than the {} that inputs may have, a third of \
         `limits.memory`: declare fewer of its columns, aggregate it first, or raise the limit",
        units::plural(*n_files, "file"), units::bytes(*n_bytes), units::bytes(*max_bytes)
    )]
    InputTooLarge {
        name: String,
        n_files: u64,
        n_bytes: u64,
        /// Of all inputs together.
        max_bytes: u64,
    },
    #[error("{day}: the files of an input changed since plan `{plan_id}` was made: plan again")]
    InputChanged { day: chrono::NaiveDate, plan_id: String },
    #[error("{path}: cannot read: {source}")]
    Read { path: String, source: io::Error },
    #[error("{path}: cannot write: {source}{}", remedy_of(source))]
    Write { path: String, source: io::Error },
    #[error("{part}: cannot encode Parquet: {message}")]
    Encode { part: String, message: String },
    #[error(
        "{message}: a step failed on no record in particular; preview the recipe on this day to find the data"
    )]
    Step { message: String },
    #[error(
        "{step} needs {rows} together in memory, which take more than the {} that a step may have of `limits.memory`: \
         raise `limits.memory`, or drop columns that are not needed or filter rows out before the step",
        units::bytes(*limit_bytes)
    )]
    DayTooLarge {
        limit_bytes: u64,
        step: String,
        /// `all rows of the day`, or those of one key.
        rows: String,
    },
    #[error(
        "{path}: the day needs more than {} of scratch files: raise `limits.scratch`, or `limits.memory`, or filter \
         before the first step that needs the whole day", units::bytes(*limit_bytes)
    )]
    ScratchLimit { path: String, limit_bytes: u64 },
    #[error(
        "{path}: no scratch files there for a day larger than the memory ({source}): free space, set SKEWER_SCRATCH to \
         another folder, or raise `limits.memory`"
    )]
    Scratch { path: String, source: io::Error },
    #[error("the books do not balance: {books}; nothing was committed, please report this")]
    Books { books: String },
    #[error(
        "{} this day at the same time: nothing of this run was published, run again",
        who_did(winner)
    )]
    Lost { winner: String },
    #[error(
        "{} this day after it was planned: the plan can no longer be committed, plan again",
        who_did(winner)
    )]
    PlanOutdated { winner: String },
    #[error(
        "{location}: whether this commit was written is not known ({message}): run again, which finishes or repeats it"
    )]
    Unsure { location: String, message: String },
    #[error("{location}: not a commit record that this version reads: {message}")]
    Record { location: String, message: String },
    #[error(
        "{location}: no commit of this table knows this part, and rows might be doubled: restore the control data \
         ({control}), or remove the part"
    )]
    UnknownPart { location: String, control: String },
    #[error("{location}: committed part is neither staged nor published: run this day again with --replace")]
    PartLost { location: String },
    #[error(
        "the day took longer than `limits.day_timeout` = {} s: nothing was committed, run again, or allow more",
        limit.as_secs_f64()
    )]
    DayTooSlow { limit: Duration },
    #[error(
        "{} of this day gone, and its steps, its schema or their nature ask to make all of it again, which would lose \
         rows: restore what is gone, or run with --replace to make the day of what is there",
        units::plural(*n_vanished, "raw file")
    )]
    Shrunk { n_vanished: u64 },
    #[error(
        "{location}: the day is one object, and `sink.layout: parts` would let a stopped run remove it later: keep \
         `layout: single` for this table, or write to another"
    )]
    Layout { location: String },
    #[error("{location}: cannot read this part of the table again: {message}")]
    PartUnreadable { location: String, message: String },
    #[error("cannot read a part of the table again: {0}")]
    Part(PageError),
    #[error(
        "steps look at the whole day here, so a record cannot be added alone: run the day with --replace"
    )]
    ReplayMixed,
    #[error(
        "the table's parts of this day have other columns than the job makes now, so a record cannot be added to them: \
         run the day with --replace"
    )]
    OtherColumns,
    #[error("{day}: {source}")]
    InPlan {
        day: chrono::NaiveDate,
        source: Box<RunError>,
    },
    #[error("{location}: no plan `{plan_id}`: give the plan_id that `skewer plan` printed, or plan again")]
    NoPlan { plan_id: String, location: String },
    #[error("plan `{plan_id}` was made for another version of this spec: plan again")]
    OtherSpec { plan_id: String },
    #[error("task {index} does not exist: the plan has {n_tasks}, counted from 0")]
    NoTask { index: usize, n_tasks: usize },
    #[error(
        "{} of {n_tasks} not done yet: {}; nothing was committed: run them, then commit again",
        units::plural(missing.len() as u64, "task"), some_of(missing)
    )]
    TasksMissing { missing: Vec<usize>, n_tasks: usize },
    #[error("a worker stopped without a word: {message}")]
    Worker { message: String },
    #[error("cancelled")]
    Cancelled,
}

impl RunError {
    pub fn exit_code(&self) -> i32 {
        match self {
            Self::Job(_)
            | Self::Schema(_)
            | Self::Layout { .. }
            // Another attempt is no help: the spec's limits are too small for its data.
            | Self::InputTooLarge { .. }
            | Self::DayTooLarge { .. }
            | Self::ScratchLimit { .. }
            | Self::ReplayMixed
            | Self::OtherColumns
            | Self::NoPlan { .. }
            | Self::OtherSpec { .. }
            | Self::NoTask { .. } => exit::USAGE,
            Self::Shrunk { .. } => exit::SOME_FAILED,
            Self::Storage(error) if error.is_configuration() => exit::CONFIGURATION,
            Self::NoSource { .. } | Self::Storage(StorageError::NotFound { .. }) => exit::CONFIGURATION,
            Self::Storage(error) if error.is_transient() => exit::TRY_AGAIN,
            Self::OfInput { source, .. } => match source.as_ref() {
                InputReadError::Storage(error) if error.is_configuration() => exit::CONFIGURATION,
                InputReadError::Storage(StorageError::NotFound { .. }) => exit::CONFIGURATION,
                InputReadError::Storage(error) if error.is_transient() => exit::TRY_AGAIN,
                _ => exit::UNEXPECTED,
            },
            Self::Vanished { .. }
            | Self::Lost { .. }
            | Self::PlanOutdated { .. }
            | Self::InputChanged { .. }
            | Self::Unsure { .. }
            | Self::DayTooSlow { .. }
            | Self::TasksMissing { .. } => exit::TRY_AGAIN,
            Self::InPlan { source, .. } => source.exit_code(),
            Self::Cancelled => exit::CANCELLED,
            _ => exit::UNEXPECTED,
        }
    }

    pub(super) fn read(path: &Path, source: io::Error) -> Self {
        Self::Read {
            path: path.display().to_string(),
            source,
        }
    }

    pub(super) fn write(path: &Path, source: io::Error) -> Self {
        Self::Write {
            path: path.display().to_string(),
            source,
        }
    }
}

/// The winner of a race that was no run.
pub(super) const SWEEP: &str = "gc";

fn who_did(winner: &str) -> String {
    match winner {
        SWEEP => "`skewer gc` swept".to_owned(),
        run_id => format!("run `{run_id}` committed"),
    }
}

/// What to do about a place that takes nothing more.
fn remedy_of(error: &io::Error) -> &'static str {
    match error.kind() {
        io::ErrorKind::StorageFull => ": free some space there, then run again",
        io::ErrorKind::QuotaExceeded => ": raise the quota or free some space there, then run again",
        io::ErrorKind::FileTooLarge => {
            ": raise the limit of file sizes (`ulimit -f`) or lower `sink.parquet.rows_per_file`, then run again"
        }
        io::ErrorKind::PermissionDenied | io::ErrorKind::ReadOnlyFilesystem => {
            ": let this user write there, or name another sink"
        }
        _ => "",
    }
}

fn some_of(indices: &[usize]) -> String {
    const MOST: usize = 20;
    let shown: Vec<String> = indices.iter().take(MOST).map(ToString::to_string).collect();
    let rest = if indices.len() > MOST { ", ..." } else { "" };
    format!("{}{rest}", shown.join(", "))
}

impl From<StorageError> for RunError {
    fn from(error: StorageError) -> Self {
        match error {
            StorageError::Cancelled => Self::Cancelled,
            other => Self::Storage(other),
        }
    }
}

impl From<PageError> for RunError {
    fn from(error: PageError) -> Self {
        match error {
            PageError::Storage(error) => error.into(),
            PageError::Cancelled => Self::Cancelled,
            other => Self::Part(other),
        }
    }
}

impl From<ExecuteError> for RunError {
    fn from(error: ExecuteError) -> Self {
        Self::Step {
            message: error.to_string(),
        }
    }
}

impl From<LocationError> for RunError {
    fn from(error: LocationError) -> Self {
        Self::Storage(error.into())
    }
}

impl From<Cancelled> for RunError {
    fn from(_: Cancelled) -> Self {
        Self::Cancelled
    }
}

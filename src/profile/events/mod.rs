//! What ran: Spark event logs and our own run reports, as stages with their cost, verdict and remedy.
//!
//! ```text
//! bytes ──► codec ──► lines (batches, parsed in parallel) ──► event ──► Application ──► ApplicationProfile
//! ```
//!
//! Takes readers and texts that others opened. Spark's formats: `EventLogFileWriters.scala`, `JsonProtocol.scala`.

mod adaptive;
mod application;
mod blind_spots;
#[cfg(test)]
mod cancel_tests;
mod codec;
mod compare;
mod compare_own;
#[cfg(test)]
mod cost_tests;
mod diagnose;
mod error;
mod event;
mod executor_totals;
mod failure;
mod interruptible;
mod key;
mod names;
mod own_run;
mod paired;
mod plan;
mod read;
mod schedule;
mod spread;
mod stage;
mod summary;
mod task;
#[cfg(test)]
mod tests;
#[cfg(test)]
mod tests_on_spark_logs;
mod told;
mod verdict;
#[cfg(test)]
mod verdict_tests;
mod words;

pub use application::{Application, Execution, Executor, Job, Reading, Stage};
pub use compare::{ApplicationDelta, StageDelta, StageSeen, compare};
pub use compare_own::{OwnDayDelta, OwnDelta, compare_own};
pub use diagnose::{diagnose, diagnose_until};
pub use error::EventsError;
pub use failure::FailureKind;
pub use key::{Side, StageKey};
pub use names::{LogFiles, log_files};
pub use own_run::{OwnBooks, OwnDay, OwnFile, OwnRun, OwnSeconds, OwnSpan, OwnWork};
pub use paired::{Paired, PairedUnit, SettingDelta};
pub use plan::Exchange;
pub use read::{LogPart, MAX_TASKS, ReadOptions, read_log};
pub use spread::Spread;
pub use stage::{ExecutorShare, HotPartition, Measure, MeasureUnit, Outcomes, SlowTask, StageProfile};
pub use summary::{ApplicationProfile, Headline};
pub use task::{Task, TaskEnding};
pub use verdict::{StageFinding, Verdict};

//! One application in figures: its headline, its stages by cost, what was read.

use std::collections::BTreeMap;

use serde::Serialize;

use super::application::{Executor, Job, Reading};
use super::stage::{ExecutorShare, StageProfile};
use crate::base::Accuracy;

/// A diagnosed application. Stages are sorted by cost.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct ApplicationProfile {
    pub kind: &'static str,
    pub id: String,
    pub name: String,
    pub spark_version: String,
    /// Milliseconds since the epoch; none where the log lacks its beginning.
    pub started_ms: Option<i64>,
    /// False while the log does not end with the application.
    pub is_complete: bool,
    pub accuracy: Accuracy,
    pub headline: Headline,
    /// By straggler cost, most expensive first.
    pub stages: Vec<StageProfile>,
    pub jobs: Vec<Job>,
    pub executors: Vec<Executor>,
    /// What each executor did over all stages, longest run time first.
    pub executor_totals: Vec<ExecutorShare>,
    /// Properties that bear on speed; none that could hold a secret.
    pub properties: BTreeMap<String, String>,
    pub reading: Reading,
}

impl ApplicationProfile {
    /// Its name; in words where the log lacks its beginning.
    pub fn title(&self) -> &str {
        if self.name.is_empty() {
            "Application without a name"
        } else {
            &self.name
        }
    }
}

/// The figures that head the view.
#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize)]
pub struct Headline {
    /// From the first to the last event that has a time.
    pub wall_seconds: f64,
    pub n_jobs: u64,
    pub n_stages: u64,
    pub n_tasks: u64,
    pub n_failed_tasks: u64,
    pub n_executors: u64,
    /// Tasks that could run at once with all executors there.
    pub n_slots: u64,
    pub task_seconds: f64,
    /// Of the slots' time between start and end of their executors; none without cores in the log.
    pub idle_share: Option<f64>,
    /// Of all stages together.
    pub straggler_seconds: f64,
    /// Time of attempts that gave no result.
    pub lost_seconds: f64,
    pub gc_share: Option<f64>,
    pub n_bytes_in: u64,
    pub n_bytes_shuffled: u64,
    pub n_bytes_spilled: u64,
}

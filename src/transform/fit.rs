//! What a step learned from data, and from what data: frozen into the recipe, so that a run computes what was seen.

use chrono::{DateTime, Utc};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Values that a step learned, with the data, the number of rows and the time that they came from. Applying them is row
/// by row; a run never learns them anew unless the step says so.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Fitted<T> {
    /// What was learned by which parameters: `salary, 10 buckets`. Values learned by others are not used.
    pub of: String,
    pub values: T,
    /// The data: a location, and what part of it.
    pub from: String,
    pub rows: u64,
    /// When, in UTC.
    #[schemars(with = "String")]
    pub at: DateTime<Utc>,
}

impl<T> Fitted<T> {
    pub fn new(of: String, values: T, rows: u64, source: &FitSource) -> Self {
        Self {
            of,
            values,
            from: source.from.clone(),
            rows,
            at: source.at,
        }
    }

    pub fn state(&self) -> FitState {
        FitState::Fitted {
            from: self.from.clone(),
            rows: self.rows,
            at: self.at,
        }
    }
}

/// Where the rows come from that a step learns from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FitSource {
    /// A location, and what part of it: `s3://lake/raw/, first 10,000 rows`.
    pub from: String,
    pub at: DateTime<Utc>,
}

/// Whether a step has learned what it needs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum FitState {
    /// It does not check until it has.
    NotFitted,
    Fitted {
        from: String,
        rows: u64,
        at: DateTime<Utc>,
    },
    /// It learns from all rows of a partition, in every run anew.
    EachRun,
}

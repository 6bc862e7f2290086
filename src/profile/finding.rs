//! A finding: what is unusual, where, how bad, what it costs, and what to do.

use serde::{Deserialize, Serialize};

use crate::storage::Partition;

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum FindingCode {
    PartitionSpike,
    MissingDate,
    TinyFiles,
    EmptyPartition,
    EvenPartitions,
}

/// How bad. Ordered from harmless to bad.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Severity {
    Good,
    /// Worth knowing, below the absolute floor.
    Note,
    Warn,
    Bad,
}

/// One finding in words. Sorted by cost, then severity.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Finding {
    pub code: FindingCode,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub partition: Option<Partition>,
    pub severity: Severity,
    /// One line: `2020-01-09 holds 47% of all bytes`.
    pub title: String,
    /// Evidence and why it matters.
    pub message: String,
    pub remedy: String,
    /// Seconds that the finding costs one pass over the data, by the cost model.
    pub cost_seconds: f64,
    /// Requests that the finding costs one pass.
    pub cost_requests: u64,
}

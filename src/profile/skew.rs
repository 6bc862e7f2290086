//! Partition skew from a listing: formulas and thresholds with their sources.

use chrono::NaiveDate;
use serde::Serialize;

use super::Finding;
use crate::storage::DatasetKeys;

/// Assumptions behind costs in seconds.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct CostModel {
    pub slots: u32,
    pub bytes_per_second: f64,
    pub seconds_per_request: f64,
}

impl Default for CostModel {
    fn default() -> Self {
        Self {
            slots: 16,
            bytes_per_second: 50e6,
            seconds_per_request: 0.03,
        }
    }
}

/// Figures of a dataset's partitions by bytes. Ratios are none where they are undefined (no partitions, zero median).
#[derive(Debug, Clone, PartialEq, Default, Serialize)]
pub struct SkewMetrics {
    pub n_partitions: u64,
    pub n_files: u64,
    pub n_bytes: u64,
    pub max_over_mean: Option<f64>,
    pub max_over_median: Option<f64>,
    pub p99_over_p50: Option<f64>,
    pub cv: Option<f64>,
    pub gini: Option<f64>,
    /// 1 / Σp²
    pub effective_partitions: Option<f64>,
    pub median_bytes: f64,
    pub n_missing_dates: u64,
    pub n_tiny_files: u64,
}

/// What a listing says about skew.
#[derive(Debug, Clone, PartialEq)]
pub struct PartitionSkew {
    pub metrics: SkewMetrics,
    /// Dates between the first and the last that have no objects.
    pub missing: Vec<NaiveDate>,
    /// Sorted by cost.
    pub findings: Vec<Finding>,
}

/// Measures `dataset` as listed.
pub fn partition_skew(dataset: &DatasetKeys, costs: &CostModel) -> PartitionSkew {
    let _ = (dataset, costs);
    PartitionSkew {
        metrics: SkewMetrics::default(),
        missing: Vec::new(),
        findings: Vec::new(),
    }
}

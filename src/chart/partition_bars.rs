//! One bar per partition, missing dates included, with the median as baseline.

use crate::storage::Partition;

/// One bar.
#[derive(Debug, Clone, PartialEq)]
pub struct Bar {
    pub partition: Partition,
    /// Short label below the bar, such as `09`.
    pub label: String,
    /// None for a missing date.
    pub n_bytes: Option<u64>,
    pub n_files: u64,
    pub is_spike: bool,
    pub has_tiny_files: bool,
}

/// Bars in partition order. The axis starts at zero.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct PartitionBars {
    pub bars: Vec<Bar>,
    pub median_bytes: f64,
    pub max_bytes: u64,
}

//! Partition skew and findings. Takes what listings and batches say, reads nothing itself.

mod finding;
mod skew;

pub use finding::{Finding, FindingCode, Severity};
pub use skew::{CostModel, PartitionSkew, SkewMetrics, partition_skew};

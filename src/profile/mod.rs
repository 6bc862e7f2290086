//! How unevenly data are spread and what their columns hold, in figures and findings. Takes what listings and batches say, reads nothing itself.

pub mod columns;
mod cost;
pub mod drift;
mod finding;
mod findings;
pub mod formulas;
pub mod schema_map;
mod skew;

pub use cost::CostModel;
pub use finding::{Finding, FindingCode, Severity};
pub use skew::{Metric, PartitionSkew, SkewMetrics, has_tiny_files, partition_skew};

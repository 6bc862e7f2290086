//! How unevenly data are spread and what their columns hold, in figures and findings. Takes what listings and batches say, reads nothing itself.

pub mod columns;
mod compare;
mod cost;
mod days;
pub mod drift;
pub mod events;
mod finding;
mod findings;
pub mod formulas;
mod growth;
pub mod keys;
mod rows;
mod rows_text;
pub mod schema_map;
mod skew;
mod weekdays;

pub use compare::{CodeChange, DayPair, FigureLine, RangeComparison, RangeFigures, compare_ranges};
pub use cost::{CostModel, SplitForecast};
pub use days::{DayLoad, days};
pub use finding::{Finding, FindingCode, Severity};
pub use growth::Growth;
pub use rows::{FileGroup, FileRows, PartitionFiles, RowCount, RowCounts, estimate_rows};
pub use skew::{Metric, PartitionSkew, SkewMetrics, has_tiny_files, partition_skew};
pub use weekdays::{WeekdayOutlier, Weekdays};

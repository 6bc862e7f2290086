//! How unevenly data are spread and what their columns hold, in figures and findings. Takes what listings and batches say, reads nothing itself.

pub mod columns;
mod compare;
mod cost;
mod days;
pub mod drift;
pub mod events;
mod file_sizes;
mod finding;
mod findings;
pub mod formulas;
mod growth;
mod hours;
pub mod keys;
mod rows;
mod rows_text;
pub mod schema_map;
mod skew;
mod weekdays;

pub use compare::{CodeChange, DayPair, FigureLine, RangeComparison, RangeFigures, compare_ranges};
pub use cost::{CostModel, SplitForecast};
pub use days::{DayLoad, days};
pub use file_sizes::{TinyFiles, has_tiny_files};
pub use finding::{Finding, FindingCode, Severity};
pub use findings::SpikeRemedy;
pub use growth::Growth;
pub use hours::{HourRun, MissingHours, hours_in_words};
pub use rows::{FileGroup, FileRows, PartitionFiles, RowCount, RowCounts, estimate_rows};
pub use skew::{Metric, PartitionSkew, SkewMetrics, partition_skew};
pub use weekdays::{MIN_SAMPLES, WeekdayOutlier, Weekdays};

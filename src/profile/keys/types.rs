//! The words for what is known of a key: its profile, its simulated partitions, the numbers of partitions compared.
//!
//! Plain data, made by the files beside this one, drawn and printed by others.

use serde::Serialize;
use serde_json::Value;

use super::SparkType;
use super::remedy::{DeclinedRemedy, OfferedRemedy};
use crate::base::{Accuracy, units};
use crate::profile::Finding;

/// What a key's rows are weighed by.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Weight {
    #[default]
    Rows,
    /// Bytes of the rows as Spark's shuffle holds them, before compression.
    Bytes,
}

impl Weight {
    /// A load in words: `6,018 rows`, `1.2 MB`.
    pub fn words(self, load: u64) -> String {
        match self {
            Self::Rows => units::plural(load, "row"),
            Self::Bytes => units::bytes(load),
        }
    }
}

/// One column of a key.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct KeyColumn {
    pub name: String,
    /// Our type, in the words of a spec.
    pub dtype: String,
    /// The type that the column has in Spark, by which it is hashed.
    pub spark_type: SparkType,
}

/// The type that a column has where it is written, which ours does not tell: a decimal is text here.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WrittenType {
    /// A column, or a field of a struct by its dotted path.
    pub name: String,
    pub spark_type: SparkType,
    /// The values are as they are written: no step came between. Then they are hashed by this type.
    pub is_as_written: bool,
}

/// How many different keys there are. Null is a key.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Distinct {
    pub n: u64,
    /// Bounds that hold with 95%; both are `n` where every key was counted.
    pub low: u64,
    pub high: u64,
    pub is_exact: bool,
}

/// One key with its share of the rows.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct KeyShare {
    /// One value a column.
    pub key: Vec<Value>,
    /// As people read it: `US`, `null`, `"" (empty)`, `US · 2020-01-01`.
    pub label: String,
    pub n_rows: u64,
    /// Bounds that always hold; both are `n_rows` where every key was counted.
    pub n_rows_low: u64,
    pub n_rows_high: u64,
    /// Of the rows, 0..=1.
    pub share: f64,
    /// As Spark's shuffle holds them, before compression.
    pub n_bytes: u64,
    /// Spark's hash of the key. None when a value does not fit the chosen type.
    pub hash: Option<i32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub sentinel: Option<Sentinel>,
}

/// A value that stands for "not known".
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Sentinel {
    Null,
    Empty,
    /// Spaces only.
    Blank,
    /// `unknown`, `n/a`, `none`, `null`, ... as text, in any case.
    Unknown,
    Zero,
    MinusOne,
    NaN,
    /// 1970-01-01.
    Epoch,
}

/// Keys that differ only by case, spaces around or between words, or the form of their Unicode.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct KeyVariants {
    /// What all of them become: trimmed, lower case, one space between words, NFKC.
    pub normal: String,
    /// The spellings that occur, with their rows, the most frequent first.
    pub spellings: Vec<(String, u64)>,
    pub n_rows: u64,
}

/// Everything that is known of one key without partitions.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct KeyProfile {
    pub columns: Vec<KeyColumn>,
    pub n_rows: u64,
    /// As Spark's shuffle holds the rows, before compression.
    pub n_bytes: u64,
    /// Whether all rows were read.
    pub accuracy: Accuracy,
    /// Whether each key was counted, or sketches were used because there are too many.
    pub counted: Counted,
    pub distinct: Distinct,
    /// Sorted by rows, the largest first.
    pub top: Vec<KeyShare>,
    /// Rows whose key is null in every column, as a share.
    pub null_share: Option<f64>,
    /// Shannon entropy of the keys' shares, in bits.
    pub entropy_bits: Option<f64>,
    /// Entropy / log2(distinct), 0..=1; none for fewer than two keys.
    pub normalized_entropy: Option<f64>,
    /// 1 / Σp²: the rows are spread as over this many even keys.
    pub effective_keys: Option<f64>,
    /// The most frequent key that is no sentinel, as a share.
    pub top_share: Option<f64>,
    pub sentinels: Vec<KeyShare>,
    pub variants: Vec<KeyVariants>,
    /// Rows with -0.0 or a NaN of another form, which Spark takes for 0.0 and NaN; so are they here.
    pub n_normalized: u64,
    /// What has to be known about these figures, in sentences.
    pub notes: Vec<String>,
}

/// How the keys were counted.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
#[serde(rename_all = "snake_case", tag = "kind")]
pub enum Counted {
    /// Every key with its rows.
    Exact,
    /// Frequent keys, a sample of the others, and their number, from sketches.
    Sketch {
        /// A key's count is too low or too high by at most so many rows.
        max_error_rows: u64,
        /// The same as a share of the rows; the sketch promises 3.5 / its size.
        max_error_share: f64,
        /// Keys of the uniform sample, whose counts are exact.
        n_sampled: u64,
    },
}

/// Figures of the loads of partitions. Ratios are none where they are undefined.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct LoadMetrics {
    /// Rows or bytes of the largest partition.
    pub max: u64,
    pub mean: f64,
    pub median: u64,
    pub max_over_mean: Option<f64>,
    pub max_over_median: Option<f64>,
    pub p99_over_p50: Option<f64>,
    pub effective_partitions: Option<f64>,
    pub n_empty: u64,
    pub empty_share: Option<f64>,
    /// Predicted seconds until the last task ends, by the cost model.
    pub wall_seconds: f64,
    /// Seconds if the same work were spread evenly over the slots.
    pub ideal_seconds: f64,
    /// What the largest partition adds: `wall - ideal`, without the tasks' own overhead.
    pub straggler_seconds: f64,
}

/// A partition far above the others, with the keys that make it so.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct HotPartition {
    pub partition: u32,
    pub load: u64,
    pub share: f64,
    /// Labels of its largest keys with their share of all rows or bytes.
    pub keys: Vec<(String, f64)>,
}

/// The rows of a key spread over N partitions as Spark spreads them: `pmod(hash(key), N)`.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct SimulatedPartitions {
    pub n_partitions: u32,
    pub weight: Weight,
    /// Rows or bytes by partition id.
    pub loads: Vec<u64>,
    /// The same keys if all had the same number of rows: what is left is collision skew.
    pub baseline: Vec<u64>,
    pub metrics: LoadMetrics,
    pub baseline_metrics: LoadMetrics,
    /// Two standard deviations of one partition's load, from keys that were not kept; 0 where every key was.
    pub load_error: f64,
    pub accuracy: Accuracy,
    /// At most five, the largest first.
    pub hottest: Vec<HotPartition>,
}

/// One number of partitions with what it would give.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct PartitionCandidate {
    pub n_partitions: u32,
    /// Where it comes from: `3 × slots`, `128 MB a partition`.
    pub reason: String,
    pub max_over_mean: Option<f64>,
    pub baseline_max_over_mean: Option<f64>,
    pub n_empty: u64,
    pub wall_seconds: f64,
    pub is_recommended: bool,
}

/// Numbers of partitions compared.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct PartitionChoice {
    /// Sorted by number.
    pub candidates: Vec<PartitionCandidate>,
    /// The one of the smallest predicted wall time; of equals, the fewest partitions. None when there are no rows.
    pub fastest: Option<u32>,
    /// `fastest` where it saves at least a twentieth of the time; else the number that is chosen. None when there are no rows,
    /// and for a sample, which does not tell how long a job takes. Findings, remedies and tables go by this one.
    pub recommended: Option<u32>,
    /// What is recommended and by how much it is better, in a sentence; empty when there are no rows.
    pub advice: String,
    /// The formula of the wall time with its inputs filled in.
    pub formula: String,
    /// `floor(1 / h)` for the share h of the largest key: from one more on it alone is more than an even partition, and no
    /// number makes the largest partition smaller than that key.
    pub max_useful: Option<u64>,
}

/// Where Spark's adaptive execution would not help.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct AqeWarning {
    /// One line: `AQE does not split this partition: 118 MB is under its floor of 256 MB`.
    pub title: String,
    pub message: String,
}

/// A key with everything that follows for N partitions.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct KeyReport {
    pub profile: KeyProfile,
    pub partitions: SimulatedPartitions,
    pub choice: PartitionChoice,
    /// Those that apply, the most helpful first.
    pub remedies: Vec<OfferedRemedy>,
    /// Those that would not help here, and why.
    pub declined: Vec<DeclinedRemedy>,
    pub warnings: Vec<AqeWarning>,
    /// Sorted by cost.
    pub findings: Vec<Finding>,
}

/// A candidate key among others, the best first.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct RankedKey {
    /// Names of the key's columns.
    pub columns: Vec<String>,
    pub distinct: Distinct,
    pub top_share: Option<f64>,
    pub null_share: Option<f64>,
    pub max_over_mean: Option<f64>,
    pub baseline_max_over_mean: Option<f64>,
    pub n_empty: u64,
    pub wall_seconds: f64,
    /// Why it stands where it stands, in a few words.
    pub verdict: String,
}

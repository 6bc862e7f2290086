//! Keys: how often each occurs, where Spark's hash sends it, how skewed that makes N partitions, and what helps.
//!
//! ```text
//! batches ──► KeyCounter ──► KeyCounts ──(Spark types)──► HashedKeys ──(N)──► SimulatedPartitions ──► KeyReport
//!            one a thread,   all keys,   one hash a key               milliseconds                findings, remedies
//!            merged          or sketches
//! ```

mod aqe;
mod candidates;
mod count;
mod counts;
mod diagnosis;
mod equal_rows;
mod extent;
mod field;
mod key_findings;
mod key_profile;
mod largest;
mod partitions;
mod remedies;
mod remedy;
mod report;
mod salts;
mod sentinel;
mod sketch;
mod spark_hash;
mod spark_type;
mod table;
mod tally;
#[cfg(test)]
mod testing;
mod types;
mod value;
mod variants;
mod weigh;
mod wider;

pub use candidates::{SPARK_DEFAULT, choose_partitions};
pub use count::{CountBudget, KeyCounter, KeyError};
pub use counts::KeyCounts;
pub use field::{FieldPath, key_field, key_fields};
pub use partitions::{HashedKeys, MAX_PARTITIONS, default_types};
pub use remedy::{DeclinedRemedy, OfferedRemedy, Prediction, Remedy, RemedyKind, SaltedKey};
pub use report::{DEFAULT_TOP, key_report, key_report_among, rank};
pub use spark_hash::partition_of;
pub use spark_type::{SparkType, SparkTypeError};
pub use types::{
    AqeWarning, Counted, Distinct, HotPartition, KeyColumn, KeyProfile, KeyReport, KeyShare, KeyVariants,
    LoadMetrics, PartitionCandidate, PartitionChoice, RankedKey, Sentinel, SimulatedPartitions, Weight,
    WrittenType,
};

//! Keys: how often each occurs, where Spark's hash sends it, how skewed that makes N partitions, and what helps.
//!
//! ```text
//! batches ──► KeyCounter ──► KeyCounts ──(Spark types)──► HashedKeys ──(N)──► SimulatedPartitions ──► KeyReport
//!            one a thread,   all keys,   one hash a key               milliseconds                findings, remedies
//!            merged          or sketches
//! ```

mod remedy;
mod spark_type;
mod types;

pub use remedy::{OfferedRemedy, Remedy, SaltedKey};
pub use spark_type::{SparkType, SparkTypeError};
pub use types::{
    AqeWarning, Counted, Distinct, HotPartition, KeyColumn, KeyProfile, KeyReport, KeyShare, KeyVariants,
    LoadMetrics, PartitionCandidate, PartitionChoice, RankedKey, Sentinel, SimulatedPartitions, Weight,
};

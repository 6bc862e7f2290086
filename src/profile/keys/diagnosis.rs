//! What kind of skew a key has: of its values, of the hash, of too few keys, or none that matters.
//!
//! Source: the ratios of `reference`d tools as in `skew.rs`: 1.5 and 3 × the mean; a uniform key needs about 50 keys a
//! partition to stay under 1.5.

use super::partitions::{HashedKeys, weighed};
use super::salts::hot_share;
use super::sentinel::sentinel_of;
use super::types::{KeyShare, SimulatedPartitions};
use crate::profile::CostModel;

/// Loads are even below this multiple of the mean.
pub(super) const UNEVEN: f64 = 1.5;
/// Measured above the baseline by this factor is the values' doing.
const VALUE_SKEW: f64 = 1.25;
/// p99 / p50 of a skew that no single key makes.
///
/// Source: Trino pull request 15286.
const LONG_TAIL: f64 = 2.0;
/// Hot keys that are told one by one.
const MAX_NAMED: usize = 5;

/// What was diagnosed.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Diagnosis {
    /// Hot keys that are real values, the largest first; at most five.
    pub hot: Vec<KeyShare>,
    pub n_hot: u64,
    /// Hot keys that stand for "not known".
    pub hot_sentinels: Vec<KeyShare>,
    /// The values are skewed beyond what the hash makes of even ones.
    pub has_value_skew: bool,
    /// Even values would be skewed too.
    pub has_collision_skew: bool,
    /// Fewer keys than partitions.
    pub has_too_few_keys: bool,
    /// Many moderately large partitions and no hot key.
    pub has_long_tail: bool,
    /// The largest task ends before the others are done.
    pub is_hidden: bool,
}

impl Diagnosis {
    pub fn of(keys: &HashedKeys, simulated: &SimulatedPartitions, costs: &CostModel) -> Self {
        let total = keys.total(simulated.weight).max(1) as f64;
        let limit = hot_share(simulated.n_partitions, costs);
        let (mut hot, mut hot_sentinels, mut n_hot) = (Vec::new(), Vec::new(), 0);
        for (key, hash) in keys.hashed() {
            let share = weighed(key, simulated.weight) as f64 / total;
            if share <= limit {
                continue;
            }
            let values = keys.counts().values(key);
            if sentinel_of(&values).is_some() {
                hot_sentinels.push(keys.share_of(key, hash));
            } else {
                n_hot += 1;
                hot.push(keys.share_of(key, hash));
            }
        }
        hot.truncate(MAX_NAMED);
        hot_sentinels.truncate(MAX_NAMED);
        let measured = simulated.metrics.max_over_mean.unwrap_or(1.0);
        let baseline = simulated.baseline_metrics.max_over_mean.unwrap_or(1.0);
        let is_one = simulated.n_partitions < 2;
        let has_value_skew = !is_one
            && measured >= UNEVEN
            && measured >= VALUE_SKEW * baseline
            && hot.len() + hot_sentinels.len() > 0;
        let tail = simulated.metrics.p99_over_p50.unwrap_or(1.0);
        let base_tail = simulated.baseline_metrics.p99_over_p50.unwrap_or(1.0);
        Self {
            has_value_skew,
            has_collision_skew: !is_one && baseline >= UNEVEN && keys.counts().distinct.n > 1,
            has_too_few_keys: keys.counts().distinct.high < u64::from(simulated.n_partitions)
                && keys.counts().n_rows() > 0,
            has_long_tail: !is_one && hot.is_empty() && tail >= LONG_TAIL && tail >= VALUE_SKEW * base_tail,
            is_hidden: simulated.metrics.straggler_seconds <= 0.0,
            hot,
            n_hot,
            hot_sentinels,
        }
    }
}

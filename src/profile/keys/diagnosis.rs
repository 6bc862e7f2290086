//! What kind of skew a key has: of its values, of the hash, of too few keys, or none that matters.
//!
//! Thresholds are Skewer's own, as in `skew.rs`: uneven from 1.5 × the mean on. Even values need about 50 keys a partition to
//! stay under it.

use super::candidates::SPARK_DEFAULT;
use super::partitions::{HashedKeys, weighed};
use super::salts::hot_share;
use super::sentinel::sentinel_of;
use super::types::{KeyShare, SimulatedPartitions, Weight};
use crate::profile::CostModel;

/// Loads are even below this multiple of the mean.
pub(super) const UNEVEN: f64 = 1.5;
/// Measured above the baseline by this factor is the values' doing.
const VALUE_SKEW: f64 = 1.25;
/// p99 / p50 of a skew that no single key makes.
///
/// Source: Trino pull request 15286.
const LONG_TAIL: f64 = 2.0;
/// Largest over median from which on AQE calls a partition skewed.
///
/// Source: `spark.sql.adaptive.skewJoin.skewedPartitionFactor`.
const AQE_RATIO: f64 = 5.0;
/// Hot keys that are told one by one.
const MAX_NAMED: usize = 5;

/// The largest key where it will make one partition far larger than the others, once there are more.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Dominant {
    pub key: KeyShare,
    /// Of the rows or bytes that are weighed.
    pub share: f64,
    /// From so many partitions on its partition is at least 1.5 × the mean: `h·N + 1 − h`.
    pub uneven_from: u64,
    /// From so many on it is above 5 × the median, where AQE calls it skew: `1 + h·N / (1 − h)`, so `N > 4·(1 − h) / h`.
    pub skewed_from: u64,
}

impl Dominant {
    /// The largest key where its share crosses AQE's ratio at Spark's default number of partitions or before (from 1.96% of
    /// the rows on), does not at `n` yet, and is more than keys of even sizes would have.
    fn of(keys: &HashedKeys, n: u32, weight: Weight) -> Option<Self> {
        let (key, hash) = keys.hashed().max_by_key(|(key, _)| weighed(key, weight))?;
        let share = weighed(key, weight) as f64 / keys.total(weight).max(1) as f64;
        let n_keys = keys.counts().distinct.n;
        if share <= 0.0 || (n_keys > 1 && share * (n_keys as f64) < VALUE_SKEW) {
            return None;
        }
        let uneven_from = rounded_up((UNEVEN - 1.0 + share) / share).max(2);
        // The first number above it, not at it.
        let skewed_from = rounded_up((AQE_RATIO - 1.0) * (1.0 - share) / share + 1e-6).max(2);
        let is_later = skewed_from > u64::from(n) && skewed_from <= u64::from(SPARK_DEFAULT);
        is_later.then(|| Self {
            key: keys.share_of(key, hash),
            share,
            uneven_from,
            skewed_from,
        })
    }

    /// How many times the mean its partition holds of `n`.
    pub fn over_mean(&self, n: u32) -> f64 {
        self.share * f64::from(n) + 1.0 - self.share
    }
}

/// Rounded up to a count, but for what is a hair above a whole number.
fn rounded_up(n: f64) -> u64 {
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "a count that is not negative and below 2^53"
    )]
    let whole = (n - 1e-9).ceil().max(0.0) as u64;
    whole
}

/// What was diagnosed.
#[allow(
    clippy::struct_excessive_bools,
    reason = "each is the answer to a question of its own"
)]
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Diagnosis {
    /// Hot keys that are real values, the largest first; at most five.
    pub hot: Vec<KeyShare>,
    /// How many there are, and their share of the rows together.
    pub all_hot: (u64, f64),
    /// Hot keys that stand for "not known", the largest first; at most five.
    pub hot_sentinels: Vec<KeyShare>,
    /// As `all_hot`.
    pub all_hot_sentinels: (u64, f64),
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
    /// All rows have one key, and that stands for "not known".
    pub is_unknown: bool,
    /// A key that is no matter for so few partitions, and will be one for more.
    pub dominant: Option<Dominant>,
}

impl Diagnosis {
    pub fn of(keys: &HashedKeys, simulated: &SimulatedPartitions, costs: &CostModel) -> Self {
        let total = keys.total(simulated.weight).max(1) as f64;
        let limit = hot_share(simulated.n_partitions, costs);
        let (mut hot, mut hot_sentinels) = (Vec::new(), Vec::new());
        let (mut all_hot, mut all_hot_sentinels) = ((0_u64, 0.0), (0_u64, 0.0));
        for (key, hash) in keys.hashed() {
            let share = weighed(key, simulated.weight) as f64 / total;
            if share <= limit {
                continue;
            }
            let values = keys.counts().values(key);
            let (named, all) = if sentinel_of(&values).is_some() {
                (&mut hot_sentinels, &mut all_hot_sentinels)
            } else {
                (&mut hot, &mut all_hot)
            };
            let told = keys.share_of(key, hash);
            all.0 += 1;
            all.1 += told.share;
            named.push(told);
        }
        // Keys come by rows; bytes may order them otherwise.
        for named in [&mut hot, &mut hot_sentinels] {
            if simulated.weight == Weight::Bytes {
                named.sort_by_key(|key| std::cmp::Reverse(key.n_bytes));
            }
            named.truncate(MAX_NAMED);
        }
        let measured = simulated.metrics.max_over_mean.unwrap_or(1.0);
        let baseline = simulated.baseline_metrics.max_over_mean.unwrap_or(1.0);
        let is_one = simulated.n_partitions < 2;
        let is_uneven = !is_one && measured >= UNEVEN;
        let is_of_values = is_uneven && measured >= VALUE_SKEW * baseline;
        let has_hot = hot.len() + hot_sentinels.len() > 0;
        let tail = simulated.metrics.p99_over_p50.unwrap_or(1.0);
        let base_tail = simulated.baseline_metrics.p99_over_p50.unwrap_or(1.0);
        let is_tailed = !is_one && tail >= LONG_TAIL && tail >= VALUE_SKEW * base_tail;
        let has_value_skew = is_of_values && has_hot;
        let is_unknown = keys.counts().distinct.n == 1 && !hot_sentinels.is_empty();
        let dominant = (!has_value_skew && !is_unknown)
            .then(|| Dominant::of(keys, simulated.n_partitions, simulated.weight))
            .flatten();
        Self {
            has_value_skew,
            is_unknown,
            dominant,
            // What is uneven and not of the values is of the hash.
            has_collision_skew: !is_one
                && keys.counts().distinct.n > 1
                && (baseline >= UNEVEN || (is_uneven && !is_of_values)),
            has_too_few_keys: keys.counts().distinct.high < u64::from(simulated.n_partitions)
                && keys.counts().n_rows() > 0,
            has_long_tail: !has_hot && (is_tailed || is_of_values),
            is_hidden: simulated.metrics.straggler_seconds <= 0.0,
            hot,
            all_hot,
            hot_sentinels,
            all_hot_sentinels,
        }
    }
}

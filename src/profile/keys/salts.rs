//! Salts for hot keys that do not collide: each hot key gets salts whose `hash(key, salt)` leads to partitions of its own.
//!
//! Random salts collide with each other, which costs most of what they should gain. As Spark's hash is known exactly, the
//! salts j = 0, 1, 2, ... are tried for the partition `pmod(hash(key, j), N)` that each leads to, and those are kept that no
//! other salt uses, the least loaded ones first. They hold for this N, these columns in this order and these types only.
//!
//! Which of a key's salts a row gets is a hash of its values, so rows that are equal stay together. As that hash is known too,
//! the loads are those that the rows will have; see `equal_rows.rs` for what is told of more rows than fit the memory.
//!
//! To bring a key of share h among N partitions to at most f times the mean takes `s = ceil(h·N / (f − 1 + h))` salts: `h/s`
//! lies on top of the background `(1 − h)/N`.

use std::collections::HashSet;

use super::partitions::{HashedKeys, Placed, weighed};
use super::remedy::{Prediction, SaltedKey};
use super::spark_hash::{hash_int, partition_of};
use super::types::Weight;
use super::value::KeyValue;
use crate::profile::CostModel;

/// The largest partition that salting aims at, as a multiple of the mean.
const TARGET: f64 = 1.25;
/// Most keys that get salts.
const MAX_HOT: usize = 1000;
/// Salts that are tried for each partition: all but one in nine million partitions are reached.
const TRIES: u32 = 16;

/// Equal rows are told where they are more than this part of what one salt would get of even rows.
const STAY_TOGETHER: f64 = 0.5;

/// Salts of all hot keys, and the loads that they lead to.
pub(super) struct Salting {
    pub keys: Vec<SaltedKey>,
    pub placed: Placed,
    /// No two salts lead to one partition: there are as many partitions as salts.
    pub is_free: bool,
    pub prediction: Prediction,
    /// The key of which the most rows are equal in every column, and how many are, where that makes its largest load.
    pub equal: Option<(String, u64)>,
}

/// The share from which on a key is hot: more than an even partition holds, or a fifth of what a slot does.
///
/// Source: `max(1/N, 1/(5·slots))`, below which no remedy pays.
pub(super) fn hot_share(n: u32, costs: &CostModel) -> f64 {
    (1.0 / f64::from(n)).max(1.0 / (5.0 * f64::from(costs.slots.max(1))))
}

/// A key that is hot for some number of partitions.
pub(super) struct HotKey {
    /// Its place among the keys.
    pub at: usize,
    share: f64,
    hash: i32,
    /// A column of it is null: no join matches it.
    pub has_null: bool,
    /// Why the step `salt` cannot name it, if so.
    pub unnamed: Option<&'static str>,
}

/// What of a key's values a recipe has no word for.
fn unnamed(values: &[KeyValue<'_>]) -> Option<&'static str> {
    values.iter().find_map(|value| match value {
        KeyValue::Long(..) => Some("text of more than 1 KB"),
        KeyValue::Binary(_) => Some("binary"),
        KeyValue::List(_) => Some("a list"),
        KeyValue::Struct(_) => Some("a struct"),
        KeyValue::Duration(_) => Some("a duration"),
        _ => None,
    })
}

/// The hot keys of `n` partitions, the largest first, at most a thousand.
pub(super) fn hot_keys(keys: &HashedKeys, n: u32, weight: Weight, costs: &CostModel) -> Vec<HotKey> {
    let total = keys.total(weight) as f64;
    let limit = hot_share(n, costs);
    let mut hot: Vec<HotKey> = keys
        .hashed()
        .enumerate()
        .map(|(at, (key, hash))| (at, key, weighed(key, weight) as f64 / total, hash))
        .filter(|(_, _, share, _)| *share > limit)
        .map(|(at, key, share, hash)| {
            let values = keys.counts().values(key);
            HotKey {
                at,
                share,
                hash,
                has_null: values.contains(&KeyValue::Null),
                unnamed: unnamed(&values),
            }
        })
        .collect();
    hot.sort_by(|a, b| b.share.total_cmp(&a.share).then(a.at.cmp(&b.at)));
    hot.truncate(MAX_HOT);
    hot
}

/// Salts for those of `hot` that a recipe can name, and the loads of all keys but those that are `left_out`. None when there
/// is no key to salt.
pub(super) fn salting(
    keys: &HashedKeys,
    n: u32,
    weight: Weight,
    hot: &[HotKey],
    left_out: impl Fn(&HotKey) -> bool,
) -> Option<Salting> {
    let is_salted = |key: &&HotKey| key.unnamed.is_none() && !left_out(key);
    let salted_keys: Vec<&HotKey> = hot.iter().filter(is_salted).collect();
    if salted_keys.is_empty() || n < 2 {
        return None;
    }
    let elsewhere: HashSet<usize> = hot
        .iter()
        .filter(|key| is_salted(key) || left_out(key))
        .map(|key| key.at)
        .collect();
    // The others get salt 0, which moves them too.
    let cold = |i: usize, hash: i32| {
        (!elsewhere.contains(&i)).then(|| partition_of(hash_int(0, hash.cast_unsigned()).cast_signed(), n))
    };
    let mut placed = keys.place(n, cold, weight);
    let (mut prediction, mut equal) = (Prediction::Counted, None::<(String, u64)>);
    let mut n_salts_at = vec![0_u32; n as usize];
    let mut salted = Vec::with_capacity(salted_keys.len());
    for hot in salted_keys {
        let Some(key) = keys.counts().keys().get(hot.at) else {
            continue;
        };
        let wanted = wanted_salts(hot.share, n);
        let spots = best_places(hot.hash, n, wanted, &n_salts_at, &placed.loads);
        let dealt = keys.counts().totals.equal_rows.deal(
            keys.counts().hash_of(key),
            key.n_rows,
            key.n_bytes,
            spots.len(),
            weight,
        );
        prediction = prediction.max(dealt.prediction);
        let is_uneven = dealt.n_equal as f64 > STAY_TOGETHER * key.n_rows as f64 / spots.len().max(1) as f64;
        if is_uneven && equal.as_ref().is_none_or(|(_, n)| *n < dealt.n_equal) {
            equal = Some((keys.label(key), dealt.n_equal));
        }
        for ((_, partition), load) in spots.iter().zip(dealt.loads) {
            let at = *partition as usize;
            if let (Some(load_at), Some(keys_at), Some(salts_at)) = (
                placed.loads.get_mut(at),
                placed.n_keys.get_mut(at),
                n_salts_at.get_mut(at),
            ) {
                *load_at += load;
                *keys_at += 1;
                *salts_at += 1;
            }
        }
        salted.push(SaltedKey {
            key: keys.json(&keys.counts().values(key)),
            label: keys.label(key),
            salts: spots.into_iter().map(|(salt, _)| salt).collect(),
        });
    }
    Some(Salting {
        keys: salted,
        placed,
        is_free: n_salts_at.iter().all(|n_salts| *n_salts <= 1),
        prediction,
        equal,
    })
}

/// `min(N, ceil(h·N / (f − 1 + h)))`, at least 2.
fn wanted_salts(share: f64, n: u32) -> u32 {
    let wanted = (share * f64::from(n) / (TARGET - 1.0 + share)).ceil();
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "clamped to the number of partitions"
    )]
    let wanted = wanted.clamp(2.0, f64::from(n.max(2))) as u32;
    wanted.min(n)
}

/// `wanted` salts of a key with their partitions, each another: those that the fewest salts use, and of these the least
/// loaded ones.
fn best_places(hash: i32, n: u32, wanted: u32, n_salts_at: &[u32], loads: &[u64]) -> Vec<(i32, u32)> {
    let mut salt_to: Vec<Option<i32>> = vec![None; n as usize];
    let mut n_reached = 0;
    let tries = i32::try_from(u64::from(n) * u64::from(TRIES)).unwrap_or(i32::MAX);
    for salt in 0..tries {
        if n_reached == n {
            break;
        }
        let partition = partition_of(hash_int(salt, hash.cast_unsigned()).cast_signed(), n);
        if let Some(first @ None) = salt_to.get_mut(partition as usize) {
            *first = Some(salt);
            n_reached += 1;
        }
    }
    let mut places: Vec<(i32, u32)> = salt_to
        .into_iter()
        .zip(0..n)
        .filter_map(|(salt, partition)| Some((salt?, partition)))
        .collect();
    places.sort_by_key(|(salt, partition)| {
        let at = *partition as usize;
        (n_salts_at.get(at).copied(), loads.get(at).copied(), *salt)
    });
    places.truncate(wanted as usize);
    places.sort_unstable();
    places
}

#[cfg(test)]
mod tests {
    use super::super::HashedKeys;
    use super::super::spark_hash::spark_hash;
    use super::super::testing::many;
    use super::super::value::KeyValue;
    use super::super::{SparkType, Weight};
    use super::{Salting, hot_keys, wanted_salts};
    use crate::profile::CostModel;

    fn salting(keys: &HashedKeys, n: u32, weight: Weight, costs: &CostModel) -> Option<Salting> {
        super::salting(keys, n, weight, &hot_keys(keys, n, weight, costs), |_| false)
    }

    /// Source: reference values computed with Spark's hash for 200 partitions: shares of 30% and 50% take 110 and 134 salts
    /// at the target of 1.25, and come to 1.43 and 1.38 times the mean, for other cold keys.
    #[test]
    fn salts_lead_to_partitions_of_their_own_and_spread_a_hot_key() {
        for (rows, share) in [(8571, 0.3), (20_000, 0.5)] {
            let keys = many(&[("hot", rows)], 20_000, 1);
            let costs = CostModel::default();
            let before = keys
                .simulate(200, Weight::Rows, &costs)
                .metrics
                .max_over_mean
                .unwrap();
            let salting = salting(&keys, 200, Weight::Rows, &costs).unwrap();
            assert_eq!(salting.keys.len(), 1);
            let hot = &salting.keys[0];
            assert_eq!(hot.label, "hot");
            assert_eq!(u32::try_from(hot.salts.len()), Ok(wanted_salts(share, 200)));
            // The partitions by Spark's own rule, `pmod(hash(key, salt), 200)`.
            let mut partitions: Vec<u32> = hot
                .salts
                .iter()
                .map(|salt| {
                    let values = [KeyValue::Text("hot"), KeyValue::Int(i64::from(*salt))];
                    let hash = spark_hash(&values, &[SparkType::String, SparkType::Int]).unwrap();
                    super::partition_of(hash, 200)
                })
                .collect();
            partitions.sort_unstable();
            partitions.dedup();
            assert_eq!(
                partitions.len(),
                hot.salts.len(),
                "no two salts share a partition"
            );
            let after = keys.simulated(200, Weight::Rows, salting.placed, &costs);
            assert_eq!(
                after.loads.iter().sum::<u64>(),
                rows as u64 + 20_000,
                "no row is lost"
            );
            let ratio = after.metrics.max_over_mean.unwrap();
            assert!(before > 50.0 && ratio < 1.5, "{before} to {ratio}");
        }
    }

    #[test]
    fn several_hot_keys_share_no_partition_while_there_are_free_ones() {
        let keys = many(&[("a", 2000), ("b", 1500)], 5000, 1);
        let salting = salting(&keys, 100, Weight::Rows, &CostModel::default()).unwrap();
        let of = |i: usize| -> Vec<u32> {
            let key = &salting.keys[i];
            let label = key.label.as_str();
            let place = |salt: &i32| {
                let values = [KeyValue::Text(label), KeyValue::Int(i64::from(*salt))];
                super::partition_of(
                    spark_hash(&values, &[SparkType::String, SparkType::Int]).unwrap(),
                    100,
                )
            };
            key.salts.iter().map(place).collect()
        };
        assert!(of(0).iter().all(|partition| !of(1).contains(partition)));
    }

    #[test]
    fn even_keys_and_one_partition_need_no_salts() {
        let costs = CostModel::default();
        assert!(salting(&many(&[], 1000, 3), 200, Weight::Rows, &costs).is_none());
        assert!(salting(&many(&[("hot", 100)], 10, 1), 1, Weight::Rows, &costs).is_none());
        assert!(salting(&many(&[], 0, 1), 200, Weight::Rows, &costs).is_none());
        assert_eq!(
            [
                wanted_salts(0.3, 200),
                wanted_salts(1.0, 8),
                wanted_salts(0.001, 200)
            ],
            [110, 7, 2]
        );
    }
}

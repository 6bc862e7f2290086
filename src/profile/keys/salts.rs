//! Salts for hot keys that do not collide: each hot key gets salts whose `hash(key, salt)` leads to partitions of its own.
//!
//! Random salts collide with each other, which costs most of what they should gain. As Spark's hash is known exactly, the
//! salts j = 0, 1, 2, ... are tried and j is kept when `pmod(hash(key, j), N)` is a partition that no other salt uses.
//! They hold for this N, these columns in this order and these types only.
//!
//! To bring a key of share h among N partitions to at most f times the mean takes `s = ceil(h·N / (f − 1 + h))` salts: `h/s`
//! lies on top of the background `(1 − h)/N`.

use super::partitions::{HashedKeys, Placed, weighed};
use super::remedy::SaltedKey;
use super::spark_hash::{hash_int, partition_of};
use super::types::Weight;
use super::value::KeyValue;
use crate::profile::CostModel;

/// The largest partition that salting aims at, as a multiple of the mean.
const TARGET: f64 = 1.4;
/// Most keys that get salts.
const MAX_HOT: usize = 1000;
/// Salts that are tried for each that is wanted.
const TRIES: u32 = 64;

/// Salts of all hot keys, and the loads that they lead to.
pub(super) struct Salting {
    pub keys: Vec<SaltedKey>,
    pub placed: Placed,
}

/// The share from which on a key is hot: more than an even partition holds, or a fifth of what a slot does.
///
/// Source: `max(1/N, 1/(5·slots))`, below which no remedy pays.
pub(super) fn hot_share(n: u32, costs: &CostModel) -> f64 {
    (1.0 / f64::from(n)).max(1.0 / (5.0 * f64::from(costs.slots.max(1))))
}

/// Whether a remedy can name the key in a recipe: what was cut, and NaN, cannot be compared there.
fn can_be_named(values: &[KeyValue<'_>]) -> bool {
    !values.iter().any(|value| match value {
        KeyValue::Long(..)
        | KeyValue::Binary(_)
        | KeyValue::List(_)
        | KeyValue::Struct(_)
        | KeyValue::Duration(_) => true,
        KeyValue::Float(n) => !n.is_finite(),
        _ => false,
    })
}

/// Salts for the hot keys of `n` partitions. None when no key is hot.
pub(super) fn salting(keys: &HashedKeys, n: u32, weight: Weight, costs: &CostModel) -> Option<Salting> {
    let total = keys.total(weight) as f64;
    let limit = hot_share(n, costs);
    let mut hot: Vec<(usize, f64, i32)> = keys
        .hashed()
        .enumerate()
        .map(|(i, (key, hash))| (i, weighed(key, weight) as f64 / total, hash))
        .filter(|(_, share, _)| *share > limit)
        .filter(|(i, _, _)| {
            keys.counts()
                .keys()
                .get(*i)
                .is_some_and(|key| can_be_named(&keys.counts().values(key)))
        })
        .collect();
    hot.sort_by(|a, b| b.1.total_cmp(&a.1).then(a.0.cmp(&b.0)));
    hot.truncate(MAX_HOT);
    if hot.is_empty() || n < 2 {
        return None;
    }
    let mut taken = vec![false; n as usize];
    let mut salted = Vec::with_capacity(hot.len());
    let mut places: Vec<(usize, Vec<u32>)> = Vec::with_capacity(hot.len());
    for (i, share, hash) in hot {
        let wanted = wanted_salts(share, n);
        let (salts, partitions) = free_salts(hash, n, wanted, &mut taken);
        if let Some(key) = keys.counts().keys().get(i) {
            let values = keys.counts().values(key);
            salted.push(SaltedKey {
                key: keys.json(&values),
                label: keys.label(key),
                salts,
            });
            places.push((i, partitions));
        }
    }
    let hot_keys: std::collections::HashSet<usize> = places.iter().map(|(i, _)| *i).collect();
    // The others get salt 0, which moves them too.
    let cold = |i: usize, hash: i32| {
        (!hot_keys.contains(&i)).then(|| partition_of(hash_int(0, hash.cast_unsigned()).cast_signed(), n))
    };
    let mut placed = keys.place(n, cold, weight);
    for (i, partitions) in places {
        let load = keys.counts().keys().get(i).map_or(0, |key| weighed(key, weight));
        let n_salts = partitions.len().max(1) as u64;
        for (partition, j) in partitions.into_iter().zip(0_u64..) {
            if let (Some(at), Some(count)) = (
                placed.loads.get_mut(partition as usize),
                placed.n_keys.get_mut(partition as usize),
            ) {
                *at += load / n_salts + u64::from(j < load % n_salts);
                *count += 1;
            }
        }
    }
    Some(Salting { keys: salted, placed })
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

/// `wanted` salts of a key with their partitions, none of which another salt uses as long as there are free ones.
fn free_salts(hash: i32, n: u32, wanted: u32, taken: &mut [bool]) -> (Vec<i32>, Vec<u32>) {
    let (mut salts, mut partitions) = (Vec::new(), Vec::new());
    let mut own = vec![false; taken.len()];
    // When hot keys fill all partitions, they share them, each key none twice.
    for may_share in [false, true] {
        let tries = i32::try_from(u64::from(n) * u64::from(TRIES)).unwrap_or(i32::MAX);
        for salt in 0..tries {
            if partitions.len() >= wanted as usize {
                break;
            }
            let partition = partition_of(hash_int(salt, hash.cast_unsigned()).cast_signed(), n);
            let at = partition as usize;
            let (Some(taken), Some(own)) = (taken.get_mut(at), own.get_mut(at)) else {
                continue;
            };
            if !*own && (may_share || !*taken) {
                (*own, *taken) = (true, true);
                salts.push(salt);
                partitions.push(partition);
            }
        }
    }
    let mut both: Vec<(i32, u32)> = salts.into_iter().zip(partitions).collect();
    both.sort_unstable();
    both.into_iter().unzip()
}

#[cfg(test)]
mod tests {
    use super::super::spark_hash::spark_hash;
    use super::super::testing::many;
    use super::super::value::KeyValue;
    use super::super::{SparkType, Weight};
    use super::{salting, wanted_salts};
    use crate::profile::CostModel;

    /// Source: reference values computed with Spark's hash for 200 partitions: shares of 30% and 50% take 110 and 134 salts
    /// at a target near 1.25, and come to 1.43 and 1.38 times the mean.
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
            assert_eq!(hot.salts.len() as u32, wanted_salts(share, 200));
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
            assert!(before > 50.0 && ratio < 1.75, "{before} to {ratio}");
        }
    }

    #[test]
    fn several_hot_keys_share_no_partition_while_there_are_free_ones() {
        let keys = many(&[("a", 3000), ("b", 2500)], 5000, 1);
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
            [86, 6, 2]
        );
    }
}

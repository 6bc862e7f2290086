//! Where a shuffle by a key would put its rows: every key hashed once as Spark hashes it, then placed for any N in
//! milliseconds.
//!
//! Keys that were kept are placed exactly. What sketches did not keep is spread evenly, which is its expectation, and the
//! spread around it follows from the sample: with `Σw²` over those keys, one partition's load varies by `√(Σw²·(1−1/N)/N)`.
//!
//! Beside the loads stands the baseline: the same keys if all had the same number of rows. It tells how much of the skew is
//! the hash's doing (too few keys for so many partitions), and how much the values'.

use std::sync::Arc;

use super::count::KeyError;
use super::counts::{CountedKey, KeyCounts};
use super::extent::Extent;
use super::spark_hash::{partition_of, spark_hash};
use super::types::{HotPartition, LoadMetrics, SimulatedPartitions, Weight};
use super::{SparkType, SparkTypeError};
use crate::base::Accuracy;
use crate::profile::{CostModel, formulas};

/// Most partitions that are simulated.
pub const MAX_PARTITIONS: u32 = 100_000;
/// Partitions that are named with their keys.
const MAX_HOTTEST: usize = 5;
/// Keys named of a partition, out of the largest ones.
const KEYS_OF_HOTTEST: usize = 3;
const KEYS_LOOKED_AT: usize = 10_000;

/// Keys with Spark's hash of each, for chosen types of their columns. Cheap to clone.
#[derive(Debug, Clone)]
pub struct HashedKeys {
    pub(super) counts: Arc<KeyCounts>,
    pub(super) types: Vec<SparkType>,
    /// By place in `counts.keys()`.
    hashes: Arc<Vec<i32>>,
}

/// The default type of Spark for each column of a key: the one that it is written with, where that is known.
///
/// # Errors
/// [`SparkTypeError::NoHash`].
pub fn default_types(counts: &KeyCounts) -> Result<Vec<SparkType>, SparkTypeError> {
    let columns = counts.columns().iter();
    columns
        .map(|(name, dtype)| counts.default_type(name, dtype))
        .collect()
}

impl HashedKeys {
    /// Hashes every key as Spark would with columns of `types`.
    ///
    /// # Errors
    /// [`KeyError::Misfit`] for the first value, by frequency, that its type cannot hold; [`KeyError::TypeCount`].
    pub fn new(counts: Arc<KeyCounts>, types: Vec<SparkType>) -> Result<Self, KeyError> {
        if types.len() != counts.columns().len() {
            return Err(KeyError::TypeCount {
                n_types: types.len(),
                n_columns: counts.columns().len(),
            });
        }
        let mut hashes = Vec::with_capacity(counts.keys().len());
        for key in counts.keys() {
            let values = counts.values(key);
            match spark_hash(&values, &types) {
                Ok(hash) => hashes.push(hash),
                Err(column) => {
                    let (name, value) = match (counts.columns().get(column), values.get(column)) {
                        (Some((name, dtype)), Some(value)) => (name.clone(), value.label(dtype)),
                        _ => (String::new(), String::new()),
                    };
                    return Err(KeyError::Misfit {
                        name,
                        value,
                        spark_type: types.get(column).map_or_else(String::new, ToString::to_string),
                    });
                }
            }
        }
        Ok(Self {
            counts,
            types,
            hashes: Arc::new(hashes),
        })
    }

    pub fn counts(&self) -> &KeyCounts {
        &self.counts
    }

    /// The types by which the keys are hashed.
    pub fn types(&self) -> &[SparkType] {
        &self.types
    }

    /// Kept keys with their hashes, the largest first.
    pub(super) fn hashed(&self) -> impl Iterator<Item = (&CountedKey, i32)> {
        self.counts.keys().iter().zip(self.hashes.iter().copied())
    }

    /// The label of a key: its values with ` · ` between.
    pub(super) fn label(&self, key: &CountedKey) -> String {
        let values = self.counts.values(key);
        let labels: Vec<String> = values
            .iter()
            .zip(self.counts.columns())
            .map(|(value, (_, dtype))| value.label(dtype))
            .collect();
        labels.join(" · ")
    }

    /// Rows or bytes of all keys together.
    pub(super) fn total(&self, weight: Weight) -> u64 {
        match weight {
            Weight::Rows => self.counts.totals.n_rows,
            Weight::Bytes => self.counts.totals.n_bytes,
        }
    }

    /// Seconds that one slot needs for one unit of `weight`; a row is taken at the average size. One of a sample stands for
    /// as many as there are for each, where that is known.
    pub(super) fn unit_seconds(&self, weight: Weight, costs: &CostModel) -> f64 {
        let per_byte = Extent::of(self).times().unwrap_or(1.0) / costs.bytes_per_second.max(1.0);
        match weight {
            Weight::Bytes => per_byte,
            Weight::Rows => {
                let totals = &self.counts.totals;
                per_byte * totals.n_bytes as f64 / totals.n_rows.max(1) as f64
            }
        }
    }

    /// Spreads the keys over `n` partitions (1 to [`MAX_PARTITIONS`]) by `pmod(hash, n)`.
    pub fn simulate(&self, n: u32, weight: Weight, costs: &CostModel) -> SimulatedPartitions {
        let n = n.clamp(1, MAX_PARTITIONS);
        let placed = self.place(n, |_, hash| Some(partition_of(hash, n)), weight);
        self.simulated(n, weight, placed, costs)
    }

    /// Loads where `partition` says where each kept key goes; none leaves its rows out.
    pub(super) fn place(
        &self,
        n: u32,
        partition: impl Fn(usize, i32) -> Option<u32>,
        weight: Weight,
    ) -> Placed {
        let mut loads = vec![0_u64; n as usize];
        let mut n_keys = vec![0_u64; n as usize];
        for (i, (key, hash)) in self.hashed().enumerate() {
            let Some(at) = partition(i, hash) else {
                continue;
            };
            let at = at as usize;
            if let (Some(load), Some(count)) = (loads.get_mut(at), n_keys.get_mut(at)) {
                *load += weighed(key, weight);
                *count += 1;
            }
        }
        Placed { loads, n_keys }
    }

    pub(super) fn simulated(
        &self,
        n: u32,
        weight: Weight,
        placed: Placed,
        costs: &CostModel,
    ) -> SimulatedPartitions {
        let unseen = &self.counts.unseen;
        let (rest, square) = match weight {
            Weight::Rows => (unseen.n_rows, unseen.square_rows),
            Weight::Bytes => (unseen.n_bytes, unseen.square_bytes),
        };
        let Placed { mut loads, n_keys } = placed;
        spread(&mut loads, rest);
        let share_of_variance = (1.0 - 1.0 / f64::from(n)) / f64::from(n);
        let deviation = (square * share_of_variance).sqrt();
        let kept: u64 = n_keys.iter().sum();
        let all_keys = kept as f64 + unseen.n_keys;
        let per_key = if all_keys > 0.0 {
            loads.iter().sum::<u64>() as f64 / all_keys
        } else {
            0.0
        };
        let even = unseen.n_keys / f64::from(n);
        let baseline: Vec<u64> = n_keys
            .iter()
            .map(|keys| formulas::rounded((*keys as f64 + even) * per_key))
            .collect();
        let unit = self.unit_seconds(weight, costs);
        let metrics = load_metrics(&loads, deviation, unit, costs);
        let baseline_deviation = per_key * (unseen.n_keys * share_of_variance).sqrt();
        let baseline_metrics = load_metrics(&baseline, baseline_deviation, unit, costs);
        let accuracy = match self.counts.totals.accuracy {
            Accuracy::Exact if rest > 0 || unseen.n_keys > 0.0 => Accuracy::Estimate,
            Accuracy::Exact if self.counts.totals.n_long > 0 => Accuracy::Estimate,
            other => other,
        };
        SimulatedPartitions {
            n_partitions: n,
            weight,
            hottest: self.hottest(&loads, n, weight),
            loads,
            baseline,
            metrics,
            baseline_metrics,
            load_error: 2.0 * deviation,
            accuracy,
        }
    }

    /// The largest partitions that are above the mean, with their largest keys.
    fn hottest(&self, loads: &[u64], n: u32, weight: Weight) -> Vec<HotPartition> {
        let total: u64 = loads.iter().sum();
        let mean = total as f64 / f64::from(n);
        let mut order: Vec<(u32, u64)> = (0..n).zip(loads.iter().copied()).collect();
        let last = order.len().saturating_sub(1);
        order.select_nth_unstable_by_key(MAX_HOTTEST.min(last), |(_, load)| std::cmp::Reverse(*load));
        order.truncate(MAX_HOTTEST);
        order.sort_unstable_by_key(|(partition, load)| (std::cmp::Reverse(*load), *partition));
        let share = |load: u64| load as f64 / total.max(1) as f64;
        let mut hottest: Vec<HotPartition> = order
            .into_iter()
            .filter(|(_, load)| *load as f64 > mean)
            .map(|(partition, load)| HotPartition {
                partition,
                load,
                share: share(load),
                keys: Vec::new(),
            })
            .collect();
        for (key, hash) in self.hashed().take(KEYS_LOOKED_AT) {
            let at = partition_of(hash, n);
            if let Some(hot) = hottest.iter_mut().find(|hot| hot.partition == at)
                && hot.keys.len() < KEYS_OF_HOTTEST
            {
                hot.keys.push((self.label(key), share(weighed(key, weight))));
            }
        }
        hottest
    }
}

/// Where the kept keys lie.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Placed {
    pub loads: Vec<u64>,
    /// Keys by partition, for the baseline.
    pub n_keys: Vec<u64>,
}

pub(super) fn weighed(key: &CountedKey, weight: Weight) -> u64 {
    match weight {
        Weight::Rows => key.n_rows,
        Weight::Bytes => key.n_bytes,
    }
}

/// Adds `rest` evenly, so that the sum stays exact.
pub(super) fn spread(loads: &mut [u64], rest: u64) {
    let n = loads.len().max(1) as u64;
    let (each, more) = (rest / n, rest % n);
    for (load, i) in loads.iter_mut().zip(0_u64..) {
        *load += each + u64::from(i < more);
    }
}

/// The figures of some loads. Where each varies by `deviation`, the largest of N even ones is expected `√(2 ln N)`
/// deviations above their mean, and counts when it is above the largest that is known.
///
/// Source of the wall time: `max(max_i·t, S·t/slots) + N·overhead/slots`, with `t` seconds a unit.
pub(super) fn load_metrics(
    loads: &[u64],
    deviation: f64,
    unit_seconds: f64,
    costs: &CostModel,
) -> LoadMetrics {
    let mut sorted = loads.to_vec();
    sorted.sort_unstable();
    let total: u64 = sorted.iter().sum();
    let n = sorted.len().max(1) as f64;
    let mean = total as f64 / n;
    if deviation > 0.0 {
        let expected = formulas::median(&sorted).unwrap_or(0) as f64 + deviation * (2.0 * n.ln()).sqrt();
        if let Some(last) = sorted.last_mut() {
            *last = (*last).max(formulas::rounded(expected));
        }
    }
    let slots = f64::from(costs.slots.max(1));
    let max = sorted.last().copied().unwrap_or(0);
    let ideal_seconds = total as f64 * unit_seconds / slots;
    let largest_seconds = max as f64 * unit_seconds;
    let n_empty = sorted.partition_point(|load| *load == 0) as u64;
    LoadMetrics {
        max,
        mean,
        median: formulas::median(&sorted).unwrap_or(0),
        max_over_mean: (total > 0).then(|| max as f64 / mean),
        max_over_median: formulas::max_over_median(&sorted),
        p99_over_p50: formulas::p99_over_p50(&sorted),
        effective_partitions: formulas::effective_partitions(&sorted),
        n_empty,
        empty_share: (!sorted.is_empty()).then(|| n_empty as f64 / n),
        wall_seconds: largest_seconds.max(ideal_seconds) + n * costs.seconds_per_task / slots,
        ideal_seconds,
        straggler_seconds: (largest_seconds - ideal_seconds).max(0.0),
    }
}

#[cfg(test)]
#[path = "partitions_tests.rs"]
mod tests;

//! The remedies that apply to a key, each with the loads that it would give.

use super::candidates::max_useful;
use super::diagnosis::{Diagnosis, UNEVEN};
use super::partitions::HashedKeys;
use super::remedy::{OfferedRemedy, Remedy};
use super::salts::{Salting, salting};
use super::sentinel::sentinel_of;
use super::spark_hash::partition_of;
use super::types::{LoadMetrics, PartitionChoice, SimulatedPartitions, Weight};
use super::wider::compound_keys;
use crate::base::units;
use crate::profile::CostModel;

/// Another number of partitions is offered when it saves this share of the wall time, or evens what collides.
const WORTH: f64 = 0.05;
/// Sentinels are kept apart when that makes the largest partition smaller by at least this share.
const WORTH_ISOLATING: f64 = 0.1;

/// What applies, the most helpful first. `others` are keys that were counted over the same rows.
pub(super) fn remedies(
    keys: &HashedKeys,
    simulated: &SimulatedPartitions,
    diagnosis: &Diagnosis,
    choice: &PartitionChoice,
    others: &[HashedKeys],
    costs: &CostModel,
) -> Vec<OfferedRemedy> {
    let context = Context {
        keys,
        simulated,
        diagnosis,
        costs,
    };
    let mut offered = Vec::new();
    if diagnosis.has_value_skew || diagnosis.has_long_tail {
        offered.extend(context.isolation());
        if let Some(salting) = salting(keys, simulated.n_partitions, simulated.weight, costs) {
            offered.extend(context.salts(salting));
        }
        offered.push(context.broadcast());
    }
    offered.extend(context.other_partitions(choice));
    let is_uneven = simulated
        .metrics
        .max_over_mean
        .is_some_and(|ratio| ratio >= UNEVEN);
    if is_uneven {
        let wider = compound_keys(keys, others, simulated, costs);
        // Without a column to name, this is advice for keys that are few, not for a hot one.
        if wider.is_empty() && (diagnosis.has_collision_skew || diagnosis.has_too_few_keys) {
            offered.push(context.compound());
        }
        offered.extend(wider);
    }
    offered.sort_by(|a, b| {
        let saved = |remedy: &OfferedRemedy| remedy.saved_seconds.unwrap_or(0.0);
        saved(b).total_cmp(&saved(a))
    });
    offered
}

/// Where a key of more columns does not hold.
pub(super) const COMPOUND_LIMITS: &str = "Rows of one key lie in several partitions then: for writing and for joins on all \
                                          columns, not for grouping by the first ones alone.";

struct Context<'a> {
    keys: &'a HashedKeys,
    simulated: &'a SimulatedPartitions,
    diagnosis: &'a Diagnosis,
    costs: &'a CostModel,
}

impl Context<'_> {
    fn columns(&self) -> Vec<String> {
        self.keys
            .counts()
            .columns()
            .iter()
            .map(|(name, _)| name.clone())
            .collect()
    }

    fn saved(&self, after: &LoadMetrics) -> f64 {
        self.simulated.metrics.wall_seconds - after.wall_seconds
    }

    fn salts(&self, salting: Salting) -> Vec<OfferedRemedy> {
        let n = self.simulated.n_partitions;
        let Salting { keys: salted, placed } = salting;
        let after = self.keys.simulated(n, self.simulated.weight, placed, self.costs);
        if after.metrics.max >= self.simulated.metrics.max {
            return Vec::new();
        }
        let n_salts: usize = salted.iter().map(|key| key.salts.len()).sum();
        let of_keys = units::plural(salted.len() as u64, "hot key");
        // A load made of one salt's rows, each of which chose it with a small chance, varies like its root.
        let spread = match self.simulated.weight {
            Weight::Rows => format!(
                " (most partitions within about {:.0} rows of what is predicted)",
                2.0 * after.metrics.mean.max(0.0).sqrt()
            ),
            Weight::Bytes => String::new(),
        };
        let limits = format!(
            "Holds for {n} partitions, this order of columns and these types; AQE may merge neighbouring partitions. Rows \
             choose among the salts by chance{spread}. Check it in Spark: `SELECT pmod(hash({}, salt), {n})`.",
            self.columns().join(", ")
        );
        let saved_seconds = Some(self.saved(&after.metrics));
        let salt = OfferedRemedy {
            title: format!(
                "Salt {of_keys} with {} that do not collide",
                units::plural(n_salts as u64, "salt")
            ),
            message: "Shuffle by the key and a salt: hot keys get one of their salts by the row, all others 0. For a join the \
                      other side repeats the rows of each hot key once for every salt, which pays while that is fewer rows than \
                      the hot key has."
                .to_owned(),
            limits: limits.clone(),
            loads: after.loads.clone(),
            after: Some(after.metrics.clone()),
            saved_seconds,
            remedy: Remedy::Salt {
                columns: self.columns(),
                n_partitions: n,
                keys: salted.clone(),
            },
        };
        let two_stage = OfferedRemedy {
            title: "Aggregate in two stages: by key and salt, then by key".to_owned(),
            message: "The first stage leaves at most one row for a key and salt, so the second is small. Spark's own partial \
                      aggregation already does this for plain sums and counts; it does not for lists, windows and distinct \
                      counts. As steps it counts the rows of each key: put in the functions that you need, in both stages."
                .to_owned(),
            limits: "Only for functions that can be put together from parts: sum, count, min, max, sketches; not for an exact \
                     median or distinct count."
                .to_owned(),
            loads: after.loads,
            after: Some(after.metrics),
            saved_seconds,
            remedy: Remedy::TwoStageAggregation {
                columns: self.columns(),
                n_partitions: n,
                keys: salted,
            },
        };
        vec![salt, two_stage]
    }

    fn isolation(&self) -> Option<OfferedRemedy> {
        let sentinels = &self.diagnosis.hot_sentinels;
        if sentinels.is_empty() {
            return None;
        }
        let n = self.simulated.n_partitions;
        let hot: Vec<&str> = sentinels.iter().map(|key| key.label.as_str()).collect();
        // Labels are cut, so values are compared.
        let is_left_out: Vec<bool> = self
            .keys
            .counts()
            .keys()
            .iter()
            .map(|key| {
                let values = self.keys.counts().values(key);
                sentinel_of(&values).is_some() && {
                    let json = self.keys.json(&values);
                    sentinels.iter().any(|sentinel| sentinel.key == json)
                }
            })
            .collect();
        let place = |i: usize, hash: i32| {
            let is_out = is_left_out.get(i).copied().unwrap_or(false);
            (!is_out).then(|| partition_of(hash, n))
        };
        let placed = self.keys.place(n, place, self.simulated.weight);
        let after = self.keys.simulated(n, self.simulated.weight, placed, self.costs);
        if after.metrics.max as f64 > (1.0 - WORTH_ISOLATING) * self.simulated.metrics.max as f64 {
            return None;
        }
        let share: f64 = sentinels.iter().map(|key| key.share).sum();
        let names = hot.join(", ");
        Some(OfferedRemedy {
            title: format!(
                "Keep {names} out of the shuffle: {} of the rows",
                units::percent(share)
            ),
            message: format!(
                "{names} {} for \"not known\". An inner join drops rows with null anyway; where the others mean it too, filter \
                 them before it. For an outer join, join the others and add these rows with a union.",
                if sentinels.len() == 1 { "stands" } else { "stand" },
            ),
            limits: format!(
                "Only where rows without a known key may be left out or go another way: look at what they are first. Offered \
                 where the largest partition becomes at least {} smaller. Figures after it are of the rows that stay, and so is their mean.",
                units::percent(WORTH_ISOLATING)
            ),
            loads: after.loads,
            saved_seconds: Some(self.saved(&after.metrics)),
            after: Some(after.metrics),
            remedy: Remedy::IsolateSentinels {
                columns: self.columns(),
                keys: sentinels.iter().map(|key| key.key.clone()).collect(),
                share,
            },
        })
    }

    fn broadcast(&self) -> OfferedRemedy {
        OfferedRemedy {
            title: "Broadcast the other side of the join".to_owned(),
            message: "Where the other side fits into an executor's memory (a few hundred MB), a broadcast join needs no \
                      shuffle by this key: these rows stay where they are read, and the skew of the key does not matter. The \
                      step `join` is one: it holds its input in memory."
                .to_owned(),
            limits: "Joins only. Not for the side that an outer join keeps whole.".to_owned(),
            loads: Vec::new(),
            after: None,
            saved_seconds: None,
            remedy: Remedy::Broadcast {
                columns: self.columns(),
            },
        }
    }

    fn other_partitions(&self, choice: &PartitionChoice) -> Option<OfferedRemedy> {
        let n = choice.recommended?;
        let now = &self.simulated.metrics;
        if n == self.simulated.n_partitions || now.max_over_mean.is_none_or(|ratio| ratio < UNEVEN) {
            return None;
        }
        let after = self.keys.simulate(n, self.simulated.weight, self.costs);
        let saved = self.saved(&after.metrics);
        // Fewer tasks save their starts even where they make the skew worse: that is for the table of numbers, no remedy.
        let is_longer = after.metrics.straggler_seconds > now.straggler_seconds;
        if is_longer || saved < WORTH * now.wall_seconds {
            return None;
        }
        let bound = max_useful(self.keys, self.simulated.weight)
            .filter(|bound| *bound < u64::from(n.max(self.simulated.n_partitions)))
            .map_or_else(String::new, |bound| {
                format!(
                    " More than {} cannot make the largest key's partition smaller.",
                    units::plural(bound, "partition")
                )
            });
        Some(OfferedRemedy {
            title: format!(
                "Use {} instead of {}",
                units::plural(n.into(), "partition"),
                self.simulated.n_partitions
            ),
            message: format!(
                "It is a setting of your Spark job, `spark.sql.shuffle.partitions`: no recipe and no job spec of Skewer holds it, \
                 because its own runs shuffle by no hash.{bound}"
            ),
            limits: "Holds for these keys: other data collide elsewhere. AQE may merge small neighbours."
                .to_owned(),
            loads: after.loads,
            after: Some(after.metrics),
            saved_seconds: Some(saved),
            remedy: Remedy::OtherPartitions { n_partitions: n },
        })
    }

    fn compound(&self) -> OfferedRemedy {
        let wanted = u64::from(self.simulated.n_partitions) * 50;
        OfferedRemedy {
            title: "Add a column to the key".to_owned(),
            message: format!(
                "{} {} for {}: with a further column, at best one that makes more than {} keys, the hash spreads them \
                 evenly. Name a key of more columns beside this one, and its loads are told here.",
                units::plural(self.keys.counts().distinct.n, "key"),
                if self.keys.counts().distinct.n == 1 {
                    "is little"
                } else {
                    "are few"
                },
                units::plural(self.simulated.n_partitions.into(), "partition"),
                units::count(wanted)
            ),
            limits: COMPOUND_LIMITS.to_owned(),
            loads: Vec::new(),
            after: None,
            saved_seconds: None,
            remedy: Remedy::CompoundKey {
                columns: self.columns(),
                added: Vec::new(),
            },
        }
    }
}

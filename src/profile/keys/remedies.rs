//! The remedies that apply to a key, each with the loads that it would give, and those that would not help, with the reason.
//!
//! What moves or leaves out keys is offered where the largest partition becomes smaller by a tenth at least, and salts only
//! where somebody waits for it. A broadcast needs no shuffle, so nothing is predicted of it, and it comes last.

use std::collections::HashSet;

use super::candidates::max_useful;
use super::diagnosis::{Diagnosis, UNEVEN};
use super::partitions::HashedKeys;
use super::remedy::{DeclinedRemedy, OfferedRemedy, Remedy};
use super::salts::{HotKey, Salting, hot_keys, salting};
use super::sentinel::sentinel_of;
use super::spark_hash::partition_of;
use super::types::{LoadMetrics, PartitionChoice, Sentinel, SimulatedPartitions, Weight};
use super::wider::compound_keys;
use crate::base::units;
use crate::profile::CostModel;

/// Another number of partitions is offered when it saves this share of the wall time, or evens what collides.
const WORTH: f64 = 0.05;
/// What moves or leaves out keys is offered when the largest partition becomes smaller by at least this share.
const WORTH_MOVING: f64 = 0.1;

/// What applies, the largest predicted gain first, and what was looked at and would not help. `others` are keys that were
/// counted over the same rows.
pub(super) fn remedies(
    keys: &HashedKeys,
    simulated: &SimulatedPartitions,
    diagnosis: &Diagnosis,
    choice: &PartitionChoice,
    others: &[HashedKeys],
    costs: &CostModel,
) -> (Vec<OfferedRemedy>, Vec<DeclinedRemedy>) {
    let context = Context {
        keys,
        simulated,
        diagnosis,
        costs,
    };
    let (mut offered, mut declined) = (Vec::new(), Vec::new());
    if diagnosis.has_value_skew || diagnosis.has_long_tail {
        let hot = hot_keys(keys, simulated.n_partitions, simulated.weight, costs);
        for one in [context.isolation(), context.salts(&hot), context.two_stages(&hot)] {
            match one {
                Some(Ok(remedy)) => offered.push(remedy),
                Some(Err(reason)) => declined.push(reason),
                None => {}
            }
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
        let largest = |remedy: &OfferedRemedy| remedy.after.as_ref().map(|after| after.max);
        let is_known = |remedy: &OfferedRemedy| remedy.after.is_some();
        is_known(b)
            .cmp(&is_known(a))
            .then(saved(b).total_cmp(&saved(a)))
            .then(largest(a).cmp(&largest(b)))
    });
    (offered, declined)
}

/// How much smaller the largest partition becomes, and how much earlier the stage ends.
pub(super) fn gain(weight: Weight, now: &LoadMetrics, after: &LoadMetrics) -> String {
    let smaller = if after.max < now.max {
        format!(
            "The largest partition becomes {} smaller: {} instead of {}",
            units::percent((now.max - after.max) as f64 / now.max.max(1) as f64),
            weight.words(after.max),
            weight.words(now.max)
        )
    } else {
        format!(
            "The largest partition has {} instead of {}",
            weight.words(after.max),
            weight.words(now.max)
        )
    };
    let saved = now.wall_seconds - after.wall_seconds;
    if saved > 0.0 {
        format!(
            "{smaller}, which saves {} of {}.",
            units::seconds(saved),
            units::seconds(now.wall_seconds)
        )
    } else {
        format!("{smaller}, which saves no time.")
    }
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

    /// What came of a remedy where it is worth doing; else why it is not. `now` are the loads of the rows that it is for.
    fn is_worth(&self, now: &LoadMetrics, after: &LoadMetrics) -> Result<(), String> {
        let weight = self.simulated.weight;
        if after.max as f64 > (1.0 - WORTH_MOVING) * now.max as f64 {
            return Err(format!(
                "The largest partition would have {} instead of {}, which is not a tenth less.",
                weight.words(after.max),
                weight.words(now.max)
            ));
        }
        if now.straggler_seconds <= 0.0 {
            return Err(format!(
                "It would save no time: all work over {} takes {}, and the largest task ends before that.",
                units::plural(self.costs.slots.into(), "slot"),
                units::seconds(now.ideal_seconds)
            ));
        }
        Ok(())
    }

    /// The loads that salts would give; why there are none for these keys.
    fn salted(
        &self,
        hot: &[HotKey],
        left_out: impl Fn(&HotKey) -> bool,
    ) -> Result<(Salting, SimulatedPartitions), String> {
        let n = self.simulated.n_partitions;
        let salting = salting(self.keys, n, self.simulated.weight, hot, left_out).ok_or_else(|| {
            match hot.first().and_then(|key| Some((self.label(key), key.unnamed?))) {
                Some((label, kind)) => format!(
                    "The step `salt` cannot name {label}: it is {kind}. Make a column of text or numbers of it first, or take \
                     fields of it as the key."
                ),
                None => "No key is hot by itself.".to_owned(),
            }
        })?;
        let placed = salting.placed.clone();
        let after = self.keys.simulated(n, self.simulated.weight, placed, self.costs);
        Ok((salting, after))
    }

    fn label(&self, hot: &HotKey) -> String {
        let key = self.keys.counts().keys().get(hot.at);
        key.map_or_else(String::new, |key| self.keys.label(key))
    }

    /// Why salts do not help: where keys remain that no step can name, they are the reason.
    fn declined(&self, kind: &'static str, hot: &[HotKey], reason: String) -> DeclinedRemedy {
        let unnamed = hot.iter().find_map(|key| Some((self.label(key), key.unnamed?)));
        let reason = match unnamed {
            Some((label, what)) if !reason.contains("cannot name") => {
                format!("{reason} The step `salt` cannot name {label}: it is {what}.")
            }
            _ => reason,
        };
        DeclinedRemedy {
            kind,
            title: if kind == "salt" {
                "Salts for a join"
            } else {
                "Aggregation in two stages"
            },
            reason,
        }
    }

    /// Salts for a join, and for whatever else is shuffled by key and salt. No join matches null, so they have to pay
    /// without the keys that hold one.
    fn salts(&self, hot: &[HotKey]) -> Option<Result<OfferedRemedy, DeclinedRemedy>> {
        if hot.is_empty() {
            return None;
        }
        let (n, weight) = (self.simulated.n_partitions, self.simulated.weight);
        let declined = |reason: String| Some(Err(self.declined("salt", hot, reason)));
        if hot.iter().all(|key| key.has_null) {
            let label = hot.first().map_or_else(String::new, |key| self.label(key));
            return declined(format!(
                "No join matches {label}: an inner join drops such rows before the shuffle, and an outer join has nothing to \
                 match them with. Keep them out instead, or fill them with values that differ."
            ));
        }
        let has_null = hot.iter().any(|key| key.has_null);
        if has_null {
            let out: HashSet<usize> = hot.iter().filter(|key| key.has_null).map(|key| key.at).collect();
            let place = |i: usize, hash: i32| (!out.contains(&i)).then(|| partition_of(hash, n));
            let placed = self.keys.place(n, place, weight);
            let now = self.keys.simulated(n, weight, placed, self.costs);
            let worth = self
                .salted(hot, |key| key.has_null)
                .and_then(|(_, after)| self.is_worth(&now.metrics, &after.metrics));
            if let Err(reason) = worth {
                return declined(format!("Without null, which no join matches: {reason}"));
            }
        }
        let (salting, after) = match self.salted(hot, |_| false) {
            Ok(salted) => salted,
            Err(reason) => return declined(reason),
        };
        if let Err(reason) = self.is_worth(&self.simulated.metrics, &after.metrics) {
            return declined(reason);
        }
        let n_salts: usize = salting.keys.iter().map(|key| key.salts.len()).sum();
        let nulls = if has_null {
            " Null has salts too, for an outer join, which repeats nothing for it."
        } else {
            ""
        };
        Some(Ok(OfferedRemedy {
            title: format!(
                "Salt {} with {}{}",
                units::plural(salting.keys.len() as u64, "hot key"),
                units::plural(n_salts as u64, "salt"),
                if salting.is_free {
                    " that do not collide"
                } else {
                    ""
                }
            ),
            gain: gain(weight, &self.simulated.metrics, &after.metrics),
            message: format!(
                "Shuffle by the key and a salt: hot keys get one of their salts by the row, all others 0. For a join the \
                 other side repeats the rows of each hot key once for every salt, which pays while that is fewer rows than \
                 the hot key has.{nulls}"
            ),
            limits: self.limits_of_salts(),
            saved_seconds: Some(self.saved(&after.metrics)),
            loads: after.loads,
            after: Some(after.metrics),
            remedy: Remedy::Salt {
                columns: self.columns(),
                n_partitions: n,
                keys: salting.keys,
            },
        }))
    }

    fn limits_of_salts(&self) -> String {
        let n = self.simulated.n_partitions;
        // A load made of one salt's rows, each of which got it by a hash of its values, varies like its root.
        let spread = match self.simulated.weight {
            Weight::Rows => format!(
                " (most partitions within about {:.0} rows of what is predicted)",
                2.0 * self.simulated.metrics.mean.max(0.0).sqrt()
            ),
            Weight::Bytes => String::new(),
        };
        format!(
            "Holds for {n} partitions, this order of columns and these types; AQE may merge neighbouring partitions. Which \
             salt a row gets is a hash of all its columns{spread}: rows that are equal in every one share a salt, so without \
             an id or a time that tells the hot rows apart their partition stays large. Check it in Spark: `SELECT pmod(hash({}, salt), {n})`.",
            self.columns().join(", ")
        )
    }

    /// The first of two stages of a grouping, for which null is a key like any other.
    fn two_stages(&self, hot: &[HotKey]) -> Option<Result<OfferedRemedy, DeclinedRemedy>> {
        if hot.is_empty() {
            return None;
        }
        let worth = self.salted(hot, |_| false).and_then(|(salting, after)| {
            self.is_worth(&self.simulated.metrics, &after.metrics)?;
            Ok((salting, after))
        });
        let (salting, after) = match worth {
            Ok(worth) => worth,
            Err(reason) => return Some(Err(self.declined("two_stage_aggregation", hot, reason))),
        };
        Some(Ok(OfferedRemedy {
            title: "Aggregate in two stages: by key and salt, then by key".to_owned(),
            gain: gain(self.simulated.weight, &self.simulated.metrics, &after.metrics),
            message: "The first stage leaves at most one row for a key and salt, so the second is small. Spark's own partial \
                      aggregation already does this for plain sums and counts; it does not for lists, windows and distinct \
                      counts. As steps it counts the rows of each key: put in the functions that you need, in both stages."
                .to_owned(),
            limits: "Only for functions that can be put together from parts: sum, count, min, max, sketches; not for an exact \
                     median or distinct count."
                .to_owned(),
            saved_seconds: Some(self.saved(&after.metrics)),
            loads: after.loads,
            after: Some(after.metrics),
            remedy: Remedy::TwoStageAggregation {
                columns: self.columns(),
                n_partitions: self.simulated.n_partitions,
                keys: salting.keys,
            },
        }))
    }

    fn isolation(&self) -> Option<Result<OfferedRemedy, DeclinedRemedy>> {
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
        let now = &self.simulated.metrics;
        let share: f64 = sentinels.iter().map(|key| key.share).sum();
        let names = hot.join(", ");
        if after.metrics.max as f64 > (1.0 - WORTH_MOVING) * now.max as f64 {
            let weight = self.simulated.weight;
            return Some(Err(DeclinedRemedy {
                kind: "isolate_sentinels",
                title: "Keeping out what stands for \"not known\"",
                reason: format!(
                    "Without {names} the largest partition would have {} instead of {}: another key makes it.",
                    weight.words(after.metrics.max),
                    weight.words(now.max)
                ),
            }));
        }
        let is = |wanted: Sentinel| sentinels.iter().any(|key| key.sentinel == Some(wanted));
        let of_null = if is(Sentinel::Null) {
            " An inner join drops null by itself, before the shuffle; an outer join, a grouping and `repartition` do not."
        } else {
            ""
        };
        let of_nan = if is(Sentinel::NaN) {
            " To Spark NaN equals NaN: a join matches such rows with each other."
        } else {
            ""
        };
        Some(Ok(OfferedRemedy {
            title: format!(
                "Keep {names} out of the shuffle: {} of the rows",
                units::percent(share)
            ),
            gain: gain(self.simulated.weight, now, &after.metrics),
            message: format!(
                "{names} {} for \"not known\".{of_null}{of_nan} Filter these rows first; or join the others and add these with a \
                 union, as an outer join wants it; or fill them with values that differ.",
                if sentinels.len() == 1 { "may stand" } else { "may all stand" },
            ),
            limits: "Only where rows without a known key may be left out or go another way: look at what they are first. \
                     Figures after it are of the rows that stay, and so is their mean."
                .to_owned(),
            loads: after.loads,
            saved_seconds: Some(self.saved(&after.metrics)),
            after: Some(after.metrics),
            remedy: Remedy::IsolateSentinels {
                columns: self.columns(),
                keys: sentinels.iter().map(|key| key.key.clone()).collect(),
                share,
            },
        }))
    }

    fn broadcast(&self) -> OfferedRemedy {
        OfferedRemedy {
            title: "Broadcast the other side of the join".to_owned(),
            gain: String::new(),
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
                    " Beyond {} the largest key alone is more than an even partition.",
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
            gain: gain(self.simulated.weight, now, &after.metrics),
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
            gain: String::new(),
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

#[cfg(test)]
#[path = "remedies_tests.rs"]
mod tests;

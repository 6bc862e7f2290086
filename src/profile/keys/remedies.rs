//! The remedies that apply to a key, each with the loads that it would give, and those that would not help, with the reason.
//!
//! What moves or leaves out keys is offered where the largest partition becomes smaller by a tenth at least, and the work ends
//! a twentieth earlier. A broadcast needs no shuffle, so nothing is predicted of it; it comes behind what is known, and a key
//! that is almost another one for each row behind that.

use std::cmp::Ordering;
use std::collections::HashSet;

use super::candidates::max_useful;
use super::diagnosis::{Diagnosis, UNEVEN};
use super::extent::Extent;
use super::partitions::HashedKeys;
use super::remedy::{DeclinedRemedy, OfferedRemedy, Prediction, Remedy};
use super::salts::{HotKey, Salting, hot_keys, salting};
use super::sentinel::sentinel_of;
use super::spark_hash::partition_of;
use super::types::{LoadMetrics, PartitionChoice, Sentinel, SimulatedPartitions, Weight};
use super::wider::compound_keys;
use crate::base::{Accuracy, units};
use crate::profile::CostModel;

/// What moves or leaves out keys is offered when it saves at least this share of the time that the rows take.
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
        extent: Extent::of(keys),
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
        rank_of(a, &simulated.metrics)
            .cmp(&rank_of(b, &simulated.metrics))
            .then(saved(b).total_cmp(&saved(a)))
            .then(largest(a).cmp(&largest(b)))
    });
    (offered, declined)
}

/// Which kinds come first: what is predicted to make the largest partition smaller, what needs no prediction or only saves the
/// start of tasks, what changes the groups.
fn rank_of(offered: &OfferedRemedy, now: &LoadMetrics) -> u8 {
    match (&offered.remedy, offered.prediction) {
        (Remedy::CompoundKey { .. }, _) => 2,
        _ if !offered.evens(now) => 1,
        (_, Some(Prediction::AtBest) | None) => 1,
        (_, Some(_)) => 0,
    }
}

/// How much smaller the largest partition becomes, and how much earlier the stage ends: of the rows that were counted.
pub(super) fn gain(
    extent: Extent,
    weight: Weight,
    prediction: Prediction,
    now: &LoadMetrics,
    after: &LoadMetrics,
) -> String {
    let (is, was) = (weight.words(after.max), weight.words(now.max));
    let about = if prediction == Prediction::Counted {
        ""
    } else {
        "about "
    };
    let smaller = match after.max.cmp(&now.max) {
        Ordering::Less => format!(
            "becomes {} smaller: {about}{is} instead of {was}",
            units::percent((now.max - after.max) as f64 / now.max.max(1) as f64),
        ),
        Ordering::Equal => format!("stays at {was}"),
        Ordering::Greater => format!("has {about}{is} instead of {was}"),
    };
    let place = match (extent.part(), prediction) {
        (Some(part), Prediction::AtBest) => format!("In {part}, at best, the"),
        (Some(part), _) => format!("In {part} the"),
        (None, Prediction::AtBest) => "At best the".to_owned(),
        (None, _) => "The".to_owned(),
    };
    let saved = now.wall_seconds - after.wall_seconds;
    let time = match (extent.time(saved), extent.time(now.wall_seconds)) {
        _ if extent.times().is_some() && saved <= 0.0 => ", which saves no time".to_owned(),
        (Some(saved), Some(now)) => format!(", which saves {saved} of {now}{}", extent.estimated()),
        _ => String::new(),
    };
    format!("{place} largest partition {smaller}{time}.")
}

/// Seconds that the rows take, without the start of tasks.
fn work_seconds(metrics: &LoadMetrics) -> f64 {
    metrics.ideal_seconds + metrics.straggler_seconds
}

/// Where a key of more columns does not hold.
pub(super) const COMPOUND_LIMITS: &str = "Rows of one key lie in several partitions then: for writing and for joins on all \
                                          columns. A grouping by the first ones alone has to be aggregated once more by them.";

struct Context<'a> {
    keys: &'a HashedKeys,
    simulated: &'a SimulatedPartitions,
    diagnosis: &'a Diagnosis,
    extent: Extent,
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

    /// Seconds of the whole job; none where nobody knows how many rows that has.
    fn saved(&self, after: &LoadMetrics) -> Option<f64> {
        self.extent.times()?;
        Some(self.simulated.metrics.wall_seconds - after.wall_seconds)
    }

    fn gain(&self, prediction: Prediction, after: &LoadMetrics) -> String {
        gain(
            self.extent,
            self.simulated.weight,
            prediction,
            &self.simulated.metrics,
            after,
        )
    }

    /// What the figures of keys that are placed one by one are.
    fn of_keys(&self) -> Prediction {
        match self.simulated.accuracy {
            Accuracy::Estimate => Prediction::Estimate,
            _ => Prediction::Counted,
        }
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
        self.saves_time(now, after)
    }

    fn saves_time(&self, now: &LoadMetrics, after: &LoadMetrics) -> Result<(), String> {
        let slots = units::plural(self.costs.slots.into(), "slot");
        if now.straggler_seconds <= 0.0 {
            let takes = self.extent.time(now.ideal_seconds);
            let takes = takes.unwrap_or_else(|| "longer than the largest task".to_owned());
            return Err(format!(
                "It would save no time: all work over {slots} takes {takes}, and the largest task ends before that."
            ));
        }
        let (before, saved) = (work_seconds(now), work_seconds(now) - work_seconds(after));
        if saved < WORTH * before {
            return Err(format!(
                "It would save {} of the time that the rows take over {slots}: under 5% is not worth the steps.",
                units::percent((saved / before).max(0.0))
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

    /// Why salts are not worth it, with the equal rows where those keep together what they should part.
    fn is_worth_salting(
        &self,
        salting: &Salting,
        now: &LoadMetrics,
        after: &LoadMetrics,
    ) -> Result<(), String> {
        self.is_worth(now, after).map_err(|reason| {
            let equal = Self::equal_rows(salting);
            if equal.is_empty() {
                reason
            } else {
                format!("{reason}{equal}")
            }
        })
    }

    /// What equal rows do to salts; empty where they are no matter.
    fn equal_rows(salting: &Salting) -> String {
        salting.equal.as_ref().map_or_else(String::new, |(label, n_rows)| {
            format!(
                " {} of key {label} are equal in every column: they share a salt and stay together. A column that tells them \
                 apart, such as an id or a time, would part them.",
                units::plural(*n_rows, "row")
            )
        })
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
                .and_then(|(salting, after)| self.is_worth_salting(&salting, &now.metrics, &after.metrics));
            if let Err(reason) = worth {
                return declined(format!("Without null, which no join matches: {reason}"));
            }
        }
        let (salting, after) = match self.salted(hot, |_| false) {
            Ok(salted) => salted,
            Err(reason) => return declined(reason),
        };
        if let Err(reason) = self.is_worth_salting(&salting, &self.simulated.metrics, &after.metrics) {
            return declined(reason);
        }
        let prediction = salting.prediction.max(self.of_keys());
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
            gain: self.gain(prediction, &after.metrics),
            message: format!(
                "Shuffle by the key and a salt: hot keys get one of their salts by the row, all others 0. For a join the \
                 other side repeats the rows of each hot key once for every salt, which pays while that is fewer rows than \
                 the hot key has.{nulls}{}",
                Self::equal_rows(&salting)
            ),
            limits: self.limits_of_salts(prediction),
            prediction: Some(prediction),
            saved_seconds: self.saved(&after.metrics),
            loads: after.loads,
            after: Some(after.metrics),
            remedy: Remedy::Salt {
                columns: self.columns(),
                n_partitions: n,
                keys: salting.keys,
            },
        }))
    }

    fn limits_of_salts(&self, prediction: Prediction) -> String {
        let n = self.simulated.n_partitions;
        let told = match prediction {
            Prediction::Counted => ", and so are these loads",
            Prediction::Estimate => ", of which these loads are an estimate",
            Prediction::AtBest => {
                "; not all columns were read, so these loads hold at best: rows that are equal in every column share a salt, \
                 and their partition stays large"
            }
        };
        format!(
            "Holds for {n} partitions, this order of columns and these types; AQE may merge neighbouring partitions. Which \
             salt a row gets is a hash of all its columns{told}. Check it in Spark: `SELECT pmod(hash({}, salt), {n})`.",
            self.columns().join(", ")
        )
    }

    /// The first of two stages of a grouping, for which null is a key like any other.
    fn two_stages(&self, hot: &[HotKey]) -> Option<Result<OfferedRemedy, DeclinedRemedy>> {
        if hot.is_empty() {
            return None;
        }
        let worth = self.salted(hot, |_| false).and_then(|(salting, after)| {
            self.is_worth_salting(&salting, &self.simulated.metrics, &after.metrics)?;
            Ok((salting, after))
        });
        let (salting, after) = match worth {
            Ok(worth) => worth,
            Err(reason) => return Some(Err(self.declined("two_stage_aggregation", hot, reason))),
        };
        let prediction = salting.prediction.max(self.of_keys());
        Some(Ok(OfferedRemedy {
            title: "Aggregate in two stages: by key and salt, then by key".to_owned(),
            gain: self.gain(prediction, &after.metrics),
            message: format!(
                "The first stage leaves at most one row for a key and salt, so the second is small. Spark's own partial \
                 aggregation already does this for plain sums and counts; it does not for lists, windows and distinct \
                 counts. As steps it counts the rows of each key: put in the functions that you need, in both stages.{}",
                Self::equal_rows(&salting)
            ),
            limits: format!(
                "Only for functions that can be put together from parts: sum, count, min, max, sketches; not for an exact \
                 median or distinct count.{}",
                if prediction == Prediction::AtBest {
                    " Not all columns were read, so these loads hold at best: rows that are equal in every column share a \
                     salt."
                } else {
                    ""
                }
            ),
            prediction: Some(prediction),
            saved_seconds: self.saved(&after.metrics),
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
        if let Err(reason) = self.saves_time(now, &after.metrics) {
            return Some(Err(DeclinedRemedy {
                kind: "isolate_sentinels",
                title: "Keeping out what stands for \"not known\"",
                reason,
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
                "Keep {names} out of the shuffle: {} of the rows{}",
                units::percent(share),
                self.extent.suffix()
            ),
            gain: self.gain(self.of_keys(), &after.metrics),
            message: format!(
                "{names} {} for \"not known\".{of_null}{of_nan} Filter these rows first; or join the others and add these with a \
                 union, as an outer join wants it; or fill them with values that differ.",
                if sentinels.len() == 1 { "may stand" } else { "may all stand" },
            ),
            limits: "Only where rows without a known key may be left out or go another way: look at what they are first. \
                     Figures after it are of the rows that stay, and so is their mean."
                .to_owned(),
            loads: after.loads,
            prediction: Some(self.of_keys()),
            saved_seconds: self.saved(&after.metrics),
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
            prediction: None,
            saved_seconds: None,
            remedy: Remedy::Broadcast {
                columns: self.columns(),
            },
        }
    }

    /// The recommended number, as `choose_partitions` settled it.
    fn other_partitions(&self, choice: &PartitionChoice) -> Option<OfferedRemedy> {
        let n = choice.recommended.filter(|n| *n != self.simulated.n_partitions)?;
        let now = &self.simulated.metrics;
        let after = self.keys.simulate(n, self.simulated.weight, self.costs);
        let bound = max_useful(self.keys, self.simulated.weight)
            .filter(|bound| *bound < u64::from(n.max(self.simulated.n_partitions)))
            .map_or_else(String::new, |bound| {
                format!(
                    " Beyond {} the largest key alone is more than an even partition.",
                    units::plural(bound, "partition")
                )
            });
        // With so few rows it is the tasks that take the time, and the number says nothing of a job of more rows.
        let start = now.wall_seconds - work_seconds(now);
        let few = if start > work_seconds(now) {
            format!(
                " Most of the time here is the start of {}: {}, and {} for the rows. With more rows another number is best.",
                units::plural(self.simulated.n_partitions.into(), "task"),
                units::seconds(start),
                units::seconds(work_seconds(now))
            )
        } else {
            String::new()
        };
        Some(OfferedRemedy {
            title: format!(
                "Use {} instead of {}",
                units::plural(n.into(), "partition"),
                units::count(self.simulated.n_partitions.into())
            ),
            message: format!(
                "It is a setting of your Spark job, `spark.sql.shuffle.partitions`: no recipe and no job spec of Skewer holds it, \
                 because its own runs shuffle by no hash.{bound}{few}"
            ),
            gain: self.gain(self.of_keys(), &after.metrics),
            limits: "Holds for these keys: other data collide elsewhere. AQE may merge small neighbours."
                .to_owned(),
            prediction: Some(self.of_keys()),
            saved_seconds: self.saved(&after.metrics),
            loads: after.loads,
            after: Some(after.metrics),
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
            prediction: None,
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

//! Keys of more columns as a remedy: those that were counted beside a key, with the loads that they would give.
//!
//! A further column is named only where its keys were counted over the same rows, because nothing else tells whether it
//! varies within the keys that it should part.

use super::diagnosis::UNEVEN;
use super::extent::Extent;
use super::partitions::HashedKeys;
use super::remedies::{COMPOUND_LIMITS, gain};
use super::remedy::{OfferedRemedy, Prediction, Remedy};
use super::types::SimulatedPartitions;
use crate::base::{Accuracy, units};
use crate::profile::CostModel;

/// Compound keys that are offered.
const MAX_OFFERED: usize = 2;
/// Offered when the largest partition becomes smaller by at least this share.
const WORTH: f64 = 0.1;
/// With more keys than this share of the rows a key groups hardly any.
const ROW_BY_ROW: f64 = 0.5;

/// Keys among `others` that have the columns of `keys` and more, those that are even with the fewest keys first.
pub(super) fn compound_keys(
    keys: &HashedKeys,
    others: &[HashedKeys],
    now: &SimulatedPartitions,
    costs: &CostModel,
) -> Vec<OfferedRemedy> {
    let columns = names(keys);
    let mut found: Vec<(u64, Vec<String>, SimulatedPartitions)> = others
        .iter()
        .filter(|other| other.counts().n_rows() == keys.counts().n_rows())
        // A column that parts no key only moves the keys about.
        .filter(|other| other.counts().distinct.n > keys.counts().distinct.n)
        .filter_map(|other| {
            let added = further(&columns, &names(other))?;
            let after = other.simulate(now.n_partitions, now.weight, costs);
            let is_worth = after.metrics.max as f64 <= (1.0 - WORTH) * now.metrics.max as f64;
            is_worth.then(|| (other.counts().distinct.n, added, after))
        })
        .collect();
    let ratio = |after: &SimulatedPartitions| after.metrics.max_over_mean.unwrap_or(f64::INFINITY);
    found.sort_by(|(n_a, _, a), (n_b, _, b)| {
        let is_uneven = |after: &SimulatedPartitions| ratio(after) >= UNEVEN;
        let by_ratio = ratio(a).total_cmp(&ratio(b));
        is_uneven(a).cmp(&is_uneven(b)).then(if is_uneven(a) {
            by_ratio
        } else {
            n_a.cmp(n_b).then(by_ratio)
        })
    });
    found.truncate(MAX_OFFERED);
    found
        .into_iter()
        .map(|(n_keys, added, after)| offered(keys, n_keys, added, now, after))
        .collect()
}

fn offered(
    keys: &HashedKeys,
    n_keys: u64,
    added: Vec<String>,
    now: &SimulatedPartitions,
    after: SimulatedPartitions,
) -> OfferedRemedy {
    let columns = names(keys);
    let n_rows = keys.counts().n_rows();
    let extent = Extent::of(keys);
    let prediction = match after.accuracy {
        Accuracy::Estimate => Prediction::Estimate,
        _ => Prediction::Counted,
    };
    let quoted = |names: &[String]| {
        let quoted: Vec<String> = names.iter().map(|name| format!("`{name}`")).collect();
        quoted.join(", ")
    };
    OfferedRemedy {
        title: format!("Add {} to the key", quoted(&added)),
        gain: gain(extent, now.weight, prediction, &now.metrics, &after.metrics),
        message: format!(
            "{}, {} make {}{}: {} What groups by {} is in parts then, and has to be aggregated once more by it.",
            quoted(&columns),
            quoted(&added),
            units::plural(n_keys, "key"),
            extent.suffix(),
            if n_keys as f64 > ROW_BY_ROW * n_rows as f64 {
                "almost every row is a key of its own, which spreads rows evenly and groups none. It fits a write or a \
                 `repartition`, and no aggregation or join by the key."
            } else {
                "the hash spreads them more evenly."
            },
            quoted(&columns),
        ),
        limits: COMPOUND_LIMITS.to_owned(),
        prediction: Some(prediction),
        saved_seconds: extent
            .times()
            .map(|_| now.metrics.wall_seconds - after.metrics.wall_seconds),
        loads: after.loads,
        after: Some(after.metrics),
        remedy: Remedy::CompoundKey { columns, added },
    }
}

fn names(keys: &HashedKeys) -> Vec<String> {
    let columns = keys.counts().columns().iter();
    columns.map(|(name, _)| name.clone()).collect()
}

/// The columns of `wide` after those of `columns`, where it starts with them; none where it has no more.
fn further(columns: &[String], wide: &[String]) -> Option<Vec<String>> {
    let added = wide.strip_prefix(columns)?;
    (!added.is_empty()).then(|| added.to_vec())
}

#[cfg(test)]
mod tests {
    use polars::prelude::{DataFrame, df};

    use super::super::testing::hashed;
    use super::super::{CountBudget, HashedKeys, Weight, partition_of};
    use super::{Remedy, compound_keys};
    use crate::profile::CostModel;

    fn rows() -> DataFrame {
        let n = 6000_i64;
        df!(
            "country" => (0..n).map(|i| format!("C{}", i % 5)).collect::<Vec<_>>(),
            "city" => (0..n).map(|i| format!("city {}", i % 1500)).collect::<Vec<_>>(),
            "id" => (0..n).collect::<Vec<_>>(),
            "same" => vec!["x"; 6000],
        )
        .unwrap()
    }

    fn of(columns: &[&str]) -> HashedKeys {
        hashed(&rows(), columns, CountBudget::default())
    }

    #[test]
    fn the_fewest_keys_that_are_even_come_first_and_columns_that_part_nothing_not_at_all() {
        let (keys, costs) = (of(&["country"]), CostModel::default());
        let others = [
            &["country", "id"][..],
            &["country", "same"],
            &["country", "city"],
            &["city", "country"],
            &["country"],
        ]
        .map(of);
        let now = keys.simulate(10, Weight::Rows, &costs);
        let offered = compound_keys(&keys, &others, &now, &costs);
        let added: Vec<String> = offered
            .iter()
            .map(|offered| match &offered.remedy {
                Remedy::CompoundKey { columns, added } if columns == &["country"] => added.join(","),
                other => panic!("{other:?}"),
            })
            .collect();
        assert_eq!(added, ["city", "id"]);
        assert_eq!(offered[0].title, "Add `city` to the key");
        assert_eq!(
            offered[0].message,
            "`country`, `city` make 1,500 keys: the hash spreads them more evenly. What groups by `country` is in parts then, \
             and has to be aggregated once more by it."
        );
        // A unique column parts every group into its rows.
        assert!(
            offered[1].message.starts_with(
                "`country`, `id` make 6,000 keys: almost every row is a key of its own, which spreads rows evenly and groups none."
            ),
            "{}",
            offered[1].message
        );
        // Placed here once more, key by key, without the simulation.
        let mut loads = vec![0_u64; 10];
        for (key, hash) in others[2].hashed() {
            loads[partition_of(hash, 10) as usize] += key.n_rows;
        }
        assert_eq!(offered[0].loads, loads);
        assert_eq!(
            offered[0].after.as_ref().unwrap().max,
            *loads.iter().max().unwrap()
        );
    }

    #[test]
    fn keys_of_other_rows_are_not_compared() {
        let (keys, costs) = (of(&["country"]), CostModel::default());
        let fewer = hashed(
            &rows().slice(0, 3000),
            &["country", "city"],
            CountBudget::default(),
        );
        let now = keys.simulate(10, Weight::Rows, &costs);
        assert!(compound_keys(&keys, &[fewer], &now, &costs).is_empty());
    }
}

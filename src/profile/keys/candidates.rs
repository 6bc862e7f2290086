//! Numbers of partitions compared for one key: what each would give, and which has the smallest predicted wall time.
//!
//! `wall = max(max load × t, S × t / slots) + N × overhead / slots`: the stage takes as long as its largest task, but no
//! less than all work spread over all slots, and every task costs its start. One slow task hides behind the others as long
//! as the second term is the larger one.
//!
//! The smallest wall time is recommended where it saves a twentieth of the time at least; below that the number that is chosen
//! is as good, and it is said by how much. No number is recommended from a sample: a job's is another one.

use super::extent::Extent;
use super::partitions::{HashedKeys, MAX_PARTITIONS};
use super::types::{PartitionCandidate, PartitionChoice, Weight};
use crate::base::units;
use crate::profile::CostModel;

/// Spark's `spark.sql.shuffle.partitions`.
pub const SPARK_DEFAULT: u32 = 200;
/// Bytes of a partition that reads and spills well.
///
/// Source: Spark's `maxPartitionBytes`.
const TARGET_BYTES: u64 = 128_000_000;
/// More partitions are not proposed: above 2,000 Spark tells the sizes of map outputs as averages.
const MAX_PROPOSED: u32 = 2000;
/// Another number is recommended when it saves at least this share of the wall time.
const WORTH: f64 = 0.05;
/// So often the neighbours of a better number are looked at.
const MAX_ROUNDS: usize = 16;

/// Compares `current` with other numbers of partitions.
pub fn choose_partitions(
    keys: &HashedKeys,
    current: u32,
    weight: Weight,
    costs: &CostModel,
) -> PartitionChoice {
    let current = current.clamp(1, MAX_PARTITIONS);
    let candidate = |(n, reason): (u32, String)| {
        let simulated = keys.simulate(n, weight, costs);
        PartitionCandidate {
            n_partitions: n,
            reason,
            max_over_mean: simulated.metrics.max_over_mean,
            baseline_max_over_mean: simulated.baseline_metrics.max_over_mean,
            n_empty: simulated.metrics.n_empty,
            wall_seconds: simulated.metrics.wall_seconds,
            is_recommended: false,
        }
    };
    let mut candidates: Vec<PartitionCandidate> = proposed(keys, current, costs)
        .into_iter()
        .map(candidate)
        .collect();
    let fastest = if keys.total(weight) > 0 {
        settled(&mut candidates, candidate)
    } else {
        None
    };
    let extent = Extent::of(keys);
    let recommended = fastest.filter(|_| extent.is_all()).map(|fastest| {
        if is_worth(&candidates, current, fastest) {
            fastest
        } else {
            current
        }
    });
    for candidate in &mut candidates {
        candidate.is_recommended = recommended == Some(candidate.n_partitions);
    }
    PartitionChoice {
        advice: advice(&candidates, extent, current, fastest, recommended),
        candidates,
        fastest,
        recommended,
        formula: formula(keys, weight, costs),
        max_useful: max_useful(keys, weight),
    }
}

/// The fastest number. The neighbours of the best become candidates too, until none is better: whoever takes the recommended
/// number is not told of another one.
fn settled(
    candidates: &mut Vec<PartitionCandidate>,
    simulated: impl Fn((u32, String)) -> PartitionCandidate,
) -> Option<u32> {
    let mut best = fastest_of(candidates)?;
    for _ in 0..MAX_ROUNDS {
        for n in neighbours(best) {
            let at = candidates.partition_point(|candidate| candidate.n_partitions < n);
            let is_known = candidates
                .get(at)
                .is_some_and(|candidate| candidate.n_partitions == n);
            if (1..=MAX_PROPOSED).contains(&n) && !is_known {
                candidates.insert(at, simulated((n, format!("near {best} (the best so far)"))));
            }
        }
        let next = fastest_of(candidates)?;
        if next == best {
            break;
        }
        best = next;
    }
    Some(best)
}

/// The smallest wall time, of equals the fewest partitions; of candidates sorted by number.
fn fastest_of(candidates: &[PartitionCandidate]) -> Option<u32> {
    let first = candidates
        .iter()
        .min_by(|a, b| a.wall_seconds.total_cmp(&b.wall_seconds));
    first.map(|candidate| candidate.n_partitions)
}

/// The wall times of the number that is chosen and of the fastest.
fn walls(candidates: &[PartitionCandidate], current: u32, fastest: u32) -> Option<(f64, f64)> {
    let of = |n: u32| {
        let found = candidates.iter().find(|candidate| candidate.n_partitions == n);
        found.map(|candidate| candidate.wall_seconds)
    };
    Some((of(current)?, of(fastest)?))
}

fn is_worth(candidates: &[PartitionCandidate], current: u32, fastest: u32) -> bool {
    walls(candidates, current, fastest).is_some_and(|(now, least)| now - least >= WORTH * now && now > least)
}

fn advice(
    candidates: &[PartitionCandidate],
    extent: Extent,
    current: u32,
    fastest: Option<u32>,
    recommended: Option<u32>,
) -> String {
    let Some((fastest, (now, least))) = fastest.and_then(|n| Some((n, walls(candidates, current, n)?)))
    else {
        return String::new();
    };
    let Some(recommended) = recommended else {
        return format!(
            "No number is recommended from {}: which is best depends on how many rows and keys there are in all. Count all \
             rows for it.",
            extent.part().unwrap_or_else(|| "these rows".to_owned())
        );
    };
    let plural = |n: u32| units::plural(n.into(), "partition");
    if recommended == fastest && recommended != current {
        return format!(
            "The smallest predicted wall time of the numbers compared is that of {}: {} instead of {} with {}.",
            plural(fastest),
            units::seconds(least),
            units::seconds(now),
            units::count(current.into())
        );
    }
    if fastest == current {
        return format!(
            "{}, as chosen: the smallest predicted wall time of the numbers compared.",
            plural(current)
        );
    }
    format!(
        "{}, as chosen: {}, the fastest, would save {} ({}), and less than 5% is not worth a change.",
        plural(current),
        units::count(fastest.into()),
        units::percent((now - least) / now.max(f64::MIN_POSITIVE)),
        units::seconds(now - least)
    )
}

/// Numbers beside `n`, and the next prime: regular keys collide less with them.
fn neighbours(n: u32) -> [u32; 3] {
    [n.saturating_sub(1), n.saturating_add(1), next_prime(n)]
}

/// `floor(1 / h)`: with so many partitions the largest key alone is as large as the mean.
pub(super) fn max_useful(keys: &HashedKeys, weight: Weight) -> Option<u64> {
    let largest = keys
        .counts()
        .keys()
        .iter()
        .map(|key| super::partitions::weighed(key, weight))
        .max()?;
    keys.total(weight).checked_div(largest)
}

/// Numbers worth looking at with the reason for each, sorted.
fn proposed(keys: &HashedKeys, current: u32, costs: &CostModel) -> Vec<(u32, String)> {
    let slots = costs.slots.max(1);
    let by_size = keys.counts().totals.n_bytes.div_ceil(TARGET_BYTES).max(1);
    let by_size = u32::try_from(by_size).unwrap_or(MAX_PROPOSED);
    let mut all = vec![
        (current, "as chosen".to_owned()),
        (SPARK_DEFAULT, "Spark's default".to_owned()),
    ];
    all.extend((1..=4).map(|k| (slots.saturating_mul(k), format!("{k} × slots"))));
    all.push((by_size, "128 MB a partition".to_owned()));
    let named = all.len();
    for i in 0..named {
        let Some((n, reason)) = all.get(i).cloned() else {
            continue;
        };
        for near in neighbours(n) {
            all.push((near, format!("near {n} ({reason})")));
        }
    }
    all.retain(|(n, _)| *n > 0 && (*n <= MAX_PROPOSED || *n == current));
    // Of several reasons for one number, the first counts.
    all.sort_by_key(|(n, _)| *n);
    all.dedup_by_key(|(n, _)| *n);
    all
}

fn next_prime(n: u32) -> u32 {
    let is_prime = |n: u32| n > 1 && (2..=n.isqrt()).all(|d| !n.is_multiple_of(d));
    (n.saturating_add(1)..n.saturating_add(300))
        .find(|n| is_prime(*n))
        .unwrap_or(n)
}

fn formula(keys: &HashedKeys, weight: Weight, costs: &CostModel) -> String {
    let unit = keys.unit_seconds(weight, costs);
    let total = keys.total(weight);
    let times = Extent::of(keys).times().unwrap_or(1.0);
    let stands_for = if times > 1.0 {
        format!(", × {times:.0} for all rows")
    } else {
        String::new()
    };
    let (work, each) = match weight {
        Weight::Rows => {
            let per_row = keys.counts().totals.n_bytes / keys.counts().n_rows().max(1);
            (
                units::plural(total, "row"),
                format!(
                    "{:.3} µs a row ({per_row} B at {} MB/s{stands_for})",
                    unit * 1e6,
                    costs.bytes_per_second / 1e6
                ),
            )
        }
        Weight::Bytes => (
            units::bytes(total),
            format!("1 s a {} MB{stands_for}", costs.bytes_per_second / 1e6),
        ),
    };
    format!(
        "wall = max(largest load × t, S × t / slots) + N × overhead / slots, with S = {work}, t = {each}, slots = {}, \
         overhead = {} a task",
        costs.slots,
        units::seconds(costs.seconds_per_task)
    )
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::super::testing::{keys, many};
    use super::super::{CountBudget, HashedKeys, KeyCounter, Weight, default_types};
    use super::{choose_partitions, next_prime};
    use crate::base::Accuracy;
    use crate::profile::CostModel;

    /// Rows so slow that the largest task decides.
    fn slow(slots: u32) -> CostModel {
        CostModel {
            slots,
            bytes_per_second: 100.0,
            ..CostModel::default()
        }
    }

    #[test]
    fn the_smallest_wall_time_wins_and_of_equals_the_fewest_partitions() {
        let keys = many(&[], 50_000, 1);
        let choice = choose_partitions(&keys, 5, Weight::Rows, &slow(16));
        let recommended = choice.recommended.unwrap();
        let best = choice.candidates.iter().find(|c| c.is_recommended).unwrap();
        assert_eq!(best.n_partitions, recommended);
        assert_eq!(choice.fastest, choice.recommended);
        for candidate in &choice.candidates {
            assert!(candidate.wall_seconds >= best.wall_seconds, "{candidate:?}");
            assert!(
                candidate.n_partitions >= recommended || candidate.wall_seconds > best.wall_seconds,
                "{candidate:?}"
            );
        }
        assert!(
            choice.advice.starts_with(&format!(
                "The smallest predicted wall time of the numbers compared is that of {recommended} partitions: "
            )),
            "{}",
            choice.advice
        );
        let numbers: Vec<u32> = choice.candidates.iter().map(|c| c.n_partitions).collect();
        assert!(
            numbers.is_sorted()
                && [16, 32, 48, 64, 199, 200, 201]
                    .iter()
                    .all(|n| numbers.contains(n))
        );
        // Nearly as good as the best: it stays, and by how much another would be better is said.
        let as_good = choose_partitions(&keys, 200, Weight::Rows, &slow(16));
        assert_eq!(as_good.recommended, Some(200));
        assert_ne!(as_good.fastest, Some(200));
        assert!(
            as_good.advice.starts_with("200 partitions, as chosen: ")
                && as_good
                    .advice
                    .ends_with("and less than 5% is not worth a change."),
            "{}",
            as_good.advice
        );
        assert!(
            choice.formula.contains("S = 50,000 rows") && choice.formula.contains("slots = 16"),
            "{}",
            choice.formula
        );
    }

    #[test]
    fn a_hot_key_bounds_the_useful_number_of_partitions() {
        let choice = choose_partitions(&many(&[("hot", 3000)], 7000, 1), 200, Weight::Rows, &slow(16));
        assert_eq!(choice.max_useful, Some(3));
        assert_eq!(
            choose_partitions(&keys(&[]), 200, Weight::Rows, &slow(16)).recommended,
            None
        );
        assert_eq!(
            choose_partitions(&keys(&[]), 200, Weight::Rows, &slow(16)).max_useful,
            None
        );
    }

    #[test]
    fn the_number_that_is_recommended_stays_so_once_it_is_taken() {
        for (hot, n_keys) in [(40_000, 300), (3000, 7000), (0, 50), (900, 12)] {
            let keys = many(&[("hot", hot)], n_keys, 1);
            for costs in [slow(16), slow(3), CostModel::default()] {
                let taken = choose_partitions(&keys, 200, Weight::Rows, &costs)
                    .recommended
                    .unwrap();
                let again = choose_partitions(&keys, taken, Weight::Rows, &costs).recommended;
                assert_eq!(again, Some(taken), "{hot} {n_keys} {costs:?}");
            }
        }
    }

    #[test]
    fn no_number_is_recommended_from_a_sample_and_the_reason_is_said() {
        let mut counter = KeyCounter::new(&["k"], CountBudget::default()).unwrap();
        let k: Vec<i64> = (0..1000).map(|i| if i % 3 == 0 { 7 } else { i }).collect();
        counter.add(&polars::df!("k" => k).unwrap()).unwrap();
        let of = |accuracy: Accuracy| {
            let counts = Arc::new(counter.finish(accuracy));
            let types = default_types(&counts).unwrap();
            let keys = HashedKeys::new(counts, types).unwrap();
            choose_partitions(&keys, 200, Weight::Rows, &CostModel::default())
        };
        assert!(of(Accuracy::Exact).recommended.is_some());
        let sample = of(Accuracy::Sample {
            n: 1000,
            of: Some(50_000),
        });
        assert!(sample.recommended.is_none() && sample.candidates.iter().all(|c| !c.is_recommended));
        assert_eq!(
            sample.advice,
            "No number is recommended from the sample of 1,000 of 50,000 rows: which is best depends on how many rows and keys \
             there are in all. Count all rows for it."
        );
        assert!(sample.formula.contains("× 50 for all rows"), "{}", sample.formula);
    }

    #[test]
    fn primes_follow() {
        assert_eq!([1, 2, 200, 512].map(next_prime), [2, 3, 211, 521]);
    }
}

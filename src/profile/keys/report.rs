//! Everything about a key for N partitions in one answer, and candidate keys compared.

use super::aqe::warnings;
use super::candidates::choose_partitions;
use super::diagnosis::Diagnosis;
use super::extent::Extent;
use super::key_findings::Evidence;
use super::partitions::HashedKeys;
use super::remedies::remedies;
use super::types::{KeyProfile, KeyReport, RankedKey, Weight};
use crate::base::units;
use crate::profile::CostModel;

/// Keys that a report lists where nobody says otherwise.
pub const DEFAULT_TOP: usize = 20;

/// What follows from a key for `n` partitions. `profile` is [`HashedKeys::profile`], which does not depend on `n`.
pub fn key_report(
    keys: &HashedKeys,
    profile: KeyProfile,
    n: u32,
    weight: Weight,
    costs: &CostModel,
) -> KeyReport {
    key_report_among(keys, profile, n, weight, costs, &[])
}

/// As [`key_report`], with other keys that were counted over the same rows: those of this key's columns and more are offered
/// as compound keys, with their loads.
pub fn key_report_among(
    keys: &HashedKeys,
    profile: KeyProfile,
    n: u32,
    weight: Weight,
    costs: &CostModel,
    others: &[HashedKeys],
) -> KeyReport {
    let partitions = keys.simulate(n, weight, costs);
    let diagnosis = Diagnosis::of(keys, &partitions, costs);
    let choice = choose_partitions(keys, partitions.n_partitions, weight, costs);
    let (remedies, declined) = remedies(keys, &partitions, &diagnosis, &choice, others, costs);
    let findings = Evidence {
        keys,
        profile: &profile,
        simulated: &partitions,
        diagnosis: &diagnosis,
        remedies: &remedies,
        choice: &choice,
        extent: Extent::of(keys),
        costs,
    }
    .findings();
    KeyReport {
        warnings: warnings(keys, &partitions, costs),
        profile,
        partitions,
        choice,
        remedies,
        declined,
        findings,
    }
}

/// Candidate keys for `n` partitions, the best first: by predicted wall time, then by the largest partition, then by nulls.
pub fn rank(candidates: &[HashedKeys], n: u32, weight: Weight, costs: &CostModel) -> Vec<RankedKey> {
    let mut ranked: Vec<RankedKey> = candidates
        .iter()
        .map(|keys| ranked(keys, n, weight, costs))
        .collect();
    ranked.sort_by(|a, b| {
        let ratio = |key: &RankedKey| key.max_over_mean.unwrap_or(f64::INFINITY);
        a.wall_seconds
            .total_cmp(&b.wall_seconds)
            .then(ratio(a).total_cmp(&ratio(b)))
            .then(
                a.null_share
                    .unwrap_or(1.0)
                    .total_cmp(&b.null_share.unwrap_or(1.0)),
            )
    });
    ranked
}

fn ranked(keys: &HashedKeys, n: u32, weight: Weight, costs: &CostModel) -> RankedKey {
    let partitions = keys.simulate(n, weight, costs);
    let diagnosis = Diagnosis::of(keys, &partitions, costs);
    let sentinels = keys.sentinels();
    let n_rows = keys.counts().n_rows();
    let is_null = |values: &[serde_json::Value]| values.iter().all(serde_json::Value::is_null);
    let null_share = sentinels
        .iter()
        .find(|key| is_null(&key.key))
        .map_or(0.0, |key| key.share);
    let top_share = keys
        .hashed()
        .next()
        .map(|(key, hash)| keys.share_of(key, hash).share);
    let hottest = diagnosis
        .hot_sentinels
        .first()
        .into_iter()
        .chain(diagnosis.hot.first())
        .max_by(|a, b| a.share.total_cmp(&b.share));
    let verdict = match hottest {
        _ if n_rows == 0 => "no rows".to_owned(),
        Some(key) if diagnosis.is_unknown => format!("{} is all there is", key.label),
        Some(key) if diagnosis.has_value_skew => {
            format!("{} is {} of the rows", key.label, units::percent(key.share))
        }
        _ if diagnosis.has_too_few_keys => format!(
            "{} for {} partitions",
            units::plural(keys.counts().distinct.n, "key"),
            partitions.n_partitions
        ),
        _ if diagnosis.has_collision_skew => "keys collide".to_owned(),
        _ if diagnosis.has_long_tail => "many large keys".to_owned(),
        _ => match &diagnosis.dominant {
            Some(dominant) => format!(
                "even over {}, but {} is {} of the rows",
                partitions.n_partitions,
                dominant.key.label,
                units::percent(dominant.key.share)
            ),
            None => "even".to_owned(),
        },
    };
    RankedKey {
        columns: keys
            .counts()
            .columns()
            .iter()
            .map(|(name, _)| name.clone())
            .collect(),
        distinct: keys.counts().distinct,
        top_share,
        null_share: (n_rows > 0).then_some(null_share),
        max_over_mean: partitions.metrics.max_over_mean,
        baseline_max_over_mean: partitions.baseline_metrics.max_over_mean,
        n_empty: partitions.metrics.n_empty,
        wall_seconds: partitions.metrics.wall_seconds,
        verdict,
    }
}

#[cfg(test)]
#[path = "report_tests.rs"]
mod tests;

//! Two logs of the same application: what a change gained, stage by stage.

use std::collections::HashMap;

use serde::Serialize;

use super::stage::StageProfile;
use super::summary::{ApplicationProfile, Headline};
use super::verdict::Verdict;

/// Before and after. Differences are after less before: negative is faster.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct ApplicationDelta {
    pub before: Headline,
    pub after: Headline,
    pub wall_seconds: f64,
    pub straggler_seconds: f64,
    /// Largest change of wall time first.
    pub stages: Vec<StageDelta>,
    /// Stages that only one of them has.
    pub n_only_before: usize,
    pub n_only_after: usize,
}

/// One stage in both logs.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct StageDelta {
    pub name: String,
    pub before_stage: u64,
    pub after_stage: u64,
    pub before: Verdict,
    pub after: Verdict,
    pub before_wall_seconds: f64,
    pub after_wall_seconds: f64,
    pub wall_seconds: f64,
    pub straggler_seconds: f64,
    pub max_over_median_before: Option<f64>,
    pub max_over_median_after: Option<f64>,
}

/// Stages by name and turn: the second stage of a name is the second one in the other log too.
fn by_turn(profile: &ApplicationProfile) -> HashMap<(&str, usize), &StageProfile> {
    let mut stages: Vec<&StageProfile> = profile.stages.iter().collect();
    stages.sort_by_key(|stage| (stage.id, stage.attempt));
    let mut turns: HashMap<&str, usize> = HashMap::new();
    let named = stages.into_iter().map(|stage| {
        let turn = turns.entry(stage.name.as_str()).or_default();
        *turn += 1;
        ((stage.name.as_str(), *turn), stage)
    });
    named.collect()
}

/// Compares two diagnosed logs.
pub fn compare(before: &ApplicationProfile, after: &ApplicationProfile) -> ApplicationDelta {
    let (old, new) = (by_turn(before), by_turn(after));
    let mut stages: Vec<StageDelta> = old
        .iter()
        .filter_map(|(turn, before)| Some(delta(before, new.get(turn)?)))
        .collect();
    stages.sort_by(|a, b| {
        b.wall_seconds
            .abs()
            .total_cmp(&a.wall_seconds.abs())
            .then(a.before_stage.cmp(&b.before_stage))
    });
    ApplicationDelta {
        wall_seconds: after.headline.wall_seconds - before.headline.wall_seconds,
        straggler_seconds: after.headline.straggler_seconds - before.headline.straggler_seconds,
        before: before.headline,
        after: after.headline,
        n_only_before: old.len() - stages.len(),
        n_only_after: new.len() - stages.len(),
        stages,
    }
}

fn delta(before: &StageProfile, after: &StageProfile) -> StageDelta {
    let wall = |stage: &StageProfile| stage.wall_seconds.unwrap_or(0.0);
    let cost = |stage: &StageProfile| stage.straggler_seconds.unwrap_or(0.0);
    StageDelta {
        name: before.name.clone(),
        before_stage: before.id,
        after_stage: after.id,
        before: before.finding.code,
        after: after.finding.code,
        before_wall_seconds: wall(before),
        after_wall_seconds: wall(after),
        wall_seconds: wall(after) - wall(before),
        straggler_seconds: cost(after) - cost(before),
        max_over_median_before: before.run_ms.max_over_median,
        max_over_median_after: after.run_ms.max_over_median,
    }
}

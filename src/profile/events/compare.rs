//! Two logs of the same application: what a change gained, stage by stage, and what else differs.

use std::collections::{BTreeMap, HashMap, HashSet};

use serde::Serialize;

use super::key::StageKey;
use super::paired::{Paired, SettingDelta};
use super::stage::StageProfile;
use super::summary::{ApplicationProfile, Headline};
use super::verdict::Verdict;
use crate::profile::Severity;

/// Before and after. Differences are after less before: negative is faster.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct ApplicationDelta {
    pub before: Headline,
    pub after: Headline,
    pub wall_seconds: f64,
    pub straggler_seconds: f64,
    /// Figures of the whole applications side by side.
    pub totals: Vec<Paired>,
    /// Largest change of wall time first.
    pub stages: Vec<StageDelta>,
    /// Stages that only one of them has.
    pub n_only_before: usize,
    pub n_only_after: usize,
    /// Those stages, longest first.
    pub only_before: Vec<StageSeen>,
    pub only_after: Vec<StageSeen>,
    /// Verdicts that only the later log has, by cost.
    pub appeared: Vec<StageSeen>,
    /// Verdicts that only the earlier log has, by cost.
    pub gone: Vec<StageSeen>,
    /// Properties that bear on speed and are not the same, by name.
    pub configuration: Vec<SettingDelta>,
    /// What a reader of the comparison must know.
    pub notes: Vec<String>,
}

/// One stage in both logs.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct StageDelta {
    pub name: String,
    pub before_stage: u64,
    pub after_stage: u64,
    pub before_attempt: u32,
    pub after_attempt: u32,
    pub before: Verdict,
    pub after: Verdict,
    pub before_severity: Severity,
    pub after_severity: Severity,
    pub before_wall_seconds: f64,
    pub after_wall_seconds: f64,
    pub wall_seconds: f64,
    pub straggler_seconds: f64,
    pub max_over_median_before: Option<f64>,
    pub max_over_median_after: Option<f64>,
    /// Tasks that succeeded.
    pub n_tasks_before: u64,
    pub n_tasks_after: u64,
    /// Read from storage and from shuffles.
    pub n_bytes_before: u64,
    pub n_bytes_after: u64,
}

impl StageDelta {
    /// Its wall time in both.
    pub fn wall(&self) -> Paired {
        let (before, after) = (self.before_wall_seconds, self.after_wall_seconds);
        Paired::time("wall time", Some(before), Some(after))
    }
}

/// A stage of one of the logs, with its verdict.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct StageSeen {
    pub stage: u64,
    pub attempt: u32,
    pub name: String,
    pub verdict: Verdict,
    pub severity: Severity,
    pub is_harmless: bool,
    /// Of its finding.
    pub title: String,
    pub wall_seconds: f64,
    pub cost_seconds: f64,
}

impl StageSeen {
    fn of(stage: &StageProfile) -> Self {
        Self {
            stage: stage.id,
            attempt: stage.attempt,
            name: stage.name.clone(),
            verdict: stage.finding.code,
            severity: stage.finding.severity,
            is_harmless: stage.finding.is_harmless,
            title: stage.finding.title.clone(),
            wall_seconds: wall(stage),
            cost_seconds: stage.cost_seconds().unwrap_or(0.0),
        }
    }
}

fn wall(stage: &StageProfile) -> f64 {
    stage.wall_seconds.unwrap_or(0.0)
}

fn cost(stage: &StageProfile) -> f64 {
    stage.straggler_seconds.unwrap_or(0.0)
}

/// What two stages must share to be the same work.
#[derive(PartialEq, Eq, Hash)]
struct Likeness<'a> {
    name: &'a str,
    description: Option<&'a str>,
    key: Option<String>,
}

/// How many of the parts of a likeness are left out, from strict to loose. A plan that lost a shuffle shifts the turns of
/// all stages that are only known by a name, so those with the same key are paired first.
const LEFT_OUT: [usize; 3] = [0, 1, 2];

fn likeness(stage: &StageProfile, n_left_out: usize) -> Likeness<'_> {
    let description = stage.description.as_deref();
    Likeness {
        name: &stage.name,
        description: description.filter(|_| n_left_out < 2),
        key: stage.key.as_ref().filter(|_| n_left_out < 1).map(key_text),
    }
}

fn key_text(key: &StageKey) -> String {
    format!("{} {}", key.consumer().unwrap_or_default(), key.text())
}

/// Stages of both logs in pairs: alike, and the second one of its kind is the second one in the other log too.
fn pairs<'a>(
    before: &'a ApplicationProfile,
    after: &'a ApplicationProfile,
) -> Vec<(&'a StageProfile, &'a StageProfile)> {
    let in_order = |profile: &'a ApplicationProfile| {
        let mut stages: Vec<&StageProfile> = profile.stages.iter().collect();
        stages.sort_by_key(|stage| (stage.id, stage.attempt));
        stages
    };
    let (mut old, mut new) = (in_order(before), in_order(after));
    let mut pairs = Vec::new();
    for n_left_out in LEFT_OUT {
        let mut waiting: HashMap<Likeness<'_>, Vec<&'a StageProfile>> = HashMap::new();
        for &stage in new.iter().rev() {
            waiting
                .entry(likeness(stage, n_left_out))
                .or_default()
                .push(stage);
        }
        let mut paired = HashSet::new();
        old.retain(|&stage| {
            let Some(other) = waiting.get_mut(&likeness(stage, n_left_out)).and_then(Vec::pop) else {
                return true;
            };
            paired.insert((other.id, other.attempt));
            pairs.push((stage, other));
            false
        });
        new.retain(|stage| !paired.contains(&(stage.id, stage.attempt)));
    }
    pairs
}

/// Compares two diagnosed logs.
pub fn compare(before: &ApplicationProfile, after: &ApplicationProfile) -> ApplicationDelta {
    let pairs = pairs(before, after);
    let alone = |profile: &ApplicationProfile, paired: &HashSet<(u64, u32)>| {
        let mut alone: Vec<StageSeen> = profile
            .stages
            .iter()
            .filter(|stage| !paired.contains(&(stage.id, stage.attempt)))
            .map(StageSeen::of)
            .collect();
        alone.sort_by(|a, b| b.wall_seconds.total_cmp(&a.wall_seconds));
        alone
    };
    let place = |stage: &StageProfile| (stage.id, stage.attempt);
    let only_before = alone(before, &pairs.iter().map(|pair| place(pair.0)).collect());
    let only_after = alone(after, &pairs.iter().map(|pair| place(pair.1)).collect());
    let verdict = |stage: &StageProfile| (stage.finding.code, stage.finding.is_harmless);
    let changed = || pairs.iter().filter(|pair| verdict(pair.0) != verdict(pair.1));
    let appeared = by_cost(changed().map(|pair| StageSeen::of(pair.1)), &only_after);
    let gone = by_cost(changed().map(|pair| StageSeen::of(pair.0)), &only_before);
    let mut stages: Vec<StageDelta> = pairs.iter().map(|(before, after)| delta(before, after)).collect();
    stages.sort_by(|a, b| {
        b.wall_seconds
            .abs()
            .total_cmp(&a.wall_seconds.abs())
            .then(a.before_stage.cmp(&b.before_stage))
    });
    ApplicationDelta {
        wall_seconds: after.headline.wall_seconds - before.headline.wall_seconds,
        straggler_seconds: after.headline.straggler_seconds - before.headline.straggler_seconds,
        totals: totals(&before.headline, &after.headline),
        before: before.headline,
        after: after.headline,
        n_only_before: only_before.len(),
        n_only_after: only_after.len(),
        only_before,
        only_after,
        appeared,
        gone,
        configuration: settings(&before.properties, &after.properties),
        notes: notes(before, after),
        stages,
    }
}

fn by_cost(changed: impl Iterator<Item = StageSeen>, alone: &[StageSeen]) -> Vec<StageSeen> {
    let mut seen: Vec<StageSeen> = changed
        .chain(alone.iter().cloned())
        .filter(|stage| stage.verdict != Verdict::Even)
        .collect();
    seen.sort_by(|a, b| {
        b.cost_seconds
            .total_cmp(&a.cost_seconds)
            .then((a.stage, a.attempt).cmp(&(b.stage, b.attempt)))
    });
    seen
}

fn totals(before: &Headline, after: &Headline) -> Vec<Paired> {
    let time = |name, of: fn(&Headline) -> f64| Paired::time(name, Some(of(before)), Some(of(after)));
    let bytes = |name, of: fn(&Headline) -> u64| Paired::bytes(name, of(before), of(after));
    let count = |name, of: fn(&Headline) -> u64| Paired::count(name, of(before), of(after));
    vec![
        time("wall time", |of| of.wall_seconds),
        time("straggler cost", |of| of.straggler_seconds),
        time("task time", |of| of.task_seconds),
        time("lost to failed attempts", |of| of.lost_seconds),
        Paired::share("idle slots", before.idle_share, after.idle_share),
        Paired::share("garbage collection", before.gc_share, after.gc_share),
        bytes("read", |of| of.n_bytes_in),
        bytes("shuffled", |of| of.n_bytes_shuffled),
        bytes("spilled", |of| of.n_bytes_spilled).less_is_better(),
        count("tasks", |of| of.n_tasks),
        count("failed tasks", |of| of.n_failed_tasks).less_is_better(),
        count("stages", |of| of.n_stages),
        count("executors", |of| of.n_executors),
        count("slots", |of| of.n_slots),
    ]
}

/// Settings that are not the same in both, by name.
pub fn settings(before: &BTreeMap<String, String>, after: &BTreeMap<String, String>) -> Vec<SettingDelta> {
    let mut names: Vec<&String> = before.keys().chain(after.keys()).collect();
    names.sort_unstable();
    names.dedup();
    names
        .into_iter()
        .filter(|name| before.get(*name) != after.get(*name))
        .map(|name| SettingDelta {
            name: name.clone(),
            before: before.get(name).cloned(),
            after: after.get(name).cloned(),
        })
        .collect()
}

fn notes(before: &ApplicationProfile, after: &ApplicationProfile) -> Vec<String> {
    let mut notes = Vec::new();
    if before.name != after.name {
        notes.push(format!(
            "these are applications of different names, `{}` and `{}`: stages are paired by their names all the same",
            before.name, after.name
        ));
    }
    if before.spark_version != after.spark_version {
        notes.push(format!(
            "Spark {} before, {} after",
            before.spark_version, after.spark_version
        ));
    }
    for (which, profile) in [("before", before), ("after", after)] {
        if !profile.is_complete {
            notes.push(format!(
                "the log of {which} does not end with its application: its totals are of what it holds"
            ));
        }
    }
    notes
}

fn delta(before: &StageProfile, after: &StageProfile) -> StageDelta {
    StageDelta {
        name: before.name.clone(),
        before_stage: before.id,
        after_stage: after.id,
        before_attempt: before.attempt,
        after_attempt: after.attempt,
        before: before.finding.code,
        after: after.finding.code,
        before_severity: before.finding.severity,
        after_severity: after.finding.severity,
        before_wall_seconds: wall(before),
        after_wall_seconds: wall(after),
        wall_seconds: wall(after) - wall(before),
        straggler_seconds: cost(after) - cost(before),
        max_over_median_before: before.run_ms.max_over_median,
        max_over_median_after: after.run_ms.max_over_median,
        n_tasks_before: before.outcomes.n_success,
        n_tasks_after: after.outcomes.n_success,
        n_bytes_before: before.load_bytes.total,
        n_bytes_after: after.load_bytes.total,
    }
}

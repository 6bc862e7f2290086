//! The verdict on a stage and what to do, by the decision table of symptoms, each with its evidence.
//!
//! Every rule is a ratio, an absolute floor for its severity, and enough tasks: a ratio alone finds noise.

use std::collections::{BTreeMap, BTreeSet};

use serde::Serialize;

use super::adaptive::Adaptive;
use super::key::StageKey;
use super::spread::Spread;
use super::stage::{MIN_TASKS, SlowTask, StageProfile, few, seconds};
use super::words::{evidence, harm, remedy};
use crate::profile::Severity;

/// What ails a stage.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Default, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Verdict {
    /// One partition, or few, hold far more than the others.
    HotKey,
    /// Few keys fell on the same partitions by chance.
    CollisionSkew,
    /// Many partitions are moderately large.
    ZipfTail,
    /// One file or split is far larger than the others.
    UnevenInput,
    /// Some tasks take long on data of ordinary size.
    ComputeSkew,
    /// The slow tasks are the first ones of their executors.
    WarmUp,
    /// The slow tasks are all on one host.
    BadNode,
    /// Tasks wait for blocks of a shuffle.
    FetchWait,
    /// Garbage collection, or spills on most tasks.
    MemoryPressure,
    /// Thousands of tasks that are too small.
    OverPartitioned,
    /// Fewer tasks than slots.
    UnderPartitioned,
    /// Even tasks, unevenly shared among executors.
    ExecutorImbalance,
    /// Even tasks, and slots that stood idle: pauses between tasks, or a last wave that few of them fill.
    IdleSlots,
    /// Attempts that failed cost a good part of the stage.
    FailedTasks,
    /// No task of the stage succeeded.
    NoResult,
    #[default]
    Even,
}

impl Verdict {
    /// As people read it.
    pub fn words(self) -> &'static str {
        match self {
            Self::HotKey => "hot key",
            Self::CollisionSkew => "collision skew",
            Self::ZipfTail => "Zipf tail",
            Self::UnevenInput => "uneven input",
            Self::ComputeSkew => "compute skew",
            Self::WarmUp => "warm-up",
            Self::BadNode => "slow host",
            Self::FetchWait => "fetch wait",
            Self::MemoryPressure => "memory pressure",
            Self::OverPartitioned => "over-partitioned",
            Self::UnderPartitioned => "under-partitioned",
            Self::ExecutorImbalance => "executor imbalance",
            Self::IdleSlots => "idle slots",
            Self::FailedTasks => "failed tasks",
            Self::NoResult => "no result",
            Self::Even => "even",
        }
    }

    /// Whether some tasks have far more data than others.
    pub fn is_of_data(self) -> bool {
        matches!(
            self,
            Self::HotKey | Self::CollisionSkew | Self::ZipfTail | Self::UnevenInput
        )
    }

    /// Whether it is a matter of some tasks being longer than others.
    fn is_skew(self) -> bool {
        self.is_of_data() || matches!(self, Self::ComputeSkew | Self::WarmUp)
    }
}

/// A finding about one stage; the same shape as every other finding.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct StageFinding {
    pub code: Verdict,
    pub severity: Severity,
    /// The skew costs next to no time here: the other tasks keep the stage up as long as the long ones.
    pub is_harmless: bool,
    pub title: String,
    /// Evidence and why it matters.
    pub message: String,
    /// What to do, the first thing first; empty where there is nothing to do.
    pub remedy: String,
    pub cost_seconds: f64,
    pub cost_requests: u64,
}

impl Default for StageFinding {
    fn default() -> Self {
        Self {
            code: Verdict::Even,
            severity: Severity::Good,
            is_harmless: false,
            title: String::new(),
            message: String::new(),
            remedy: String::new(),
            cost_seconds: 0.0,
            cost_requests: 0,
        }
    }
}

/// Time skew from here on. Source: max/median of section 2, amber.
const SLOW_RATIO: f64 = 3.0;
/// Time skew of a group. Sources: Databricks (max/p75), Trino (p99/p50).
const SLOW_OVER_P75: f64 = 1.5;
const SLOW_P99_OVER_P50: f64 = 2.0;
/// Of the run time. Source: Dr. Elephant's executor GC heuristic, severe from 0.10 or 0.15.
const GC_SHARE: f64 = 0.1;
const FETCH_WAIT_SHARE: f64 = 0.3;
/// Executor totals. Source: Dr. Elephant's executors heuristic, moderate.
const EXECUTOR_RATIO: f64 = 1.778;
/// Tasks under this, by the thousand, cost more to schedule than to run. Source: Spark's tuning guide (200 ms).
const TINY_TASK_MS: u64 = 200;
const MANY_TASKS: u64 = 1000;
/// Source: `DataFlint`'s small tasks alert.
const SMALL_TASK_MS: u64 = 500;
const VERY_MANY_TASKS: u64 = 5000;
/// A task worth mending is at least this long; a stage's cost likewise.
const FLOOR_SECONDS: f64 = 5.0;
const BAD_SECONDS: f64 = 60.0;
/// A hot partition whose task is the longest is what ails the stage from this cost on, of its wall time, whatever the median:
/// of few tasks the middle one is long itself.
const HOT_COST_SHARE: f64 = 0.1;
const HOT_COST_SECONDS: f64 = 0.5;
/// Likewise uneven time, and slots that stood idle.
const UNEVEN_COST_SHARE: f64 = 0.2;
const UNUSED_SHARE: f64 = 0.25;
/// How far the measured imbalance may exceed that of as many even keys.
const COLLISION_SLACK: f64 = 1.5;

/// The finding of a stage, from its figures.
pub fn decide(stage: &StageProfile, adaptive: &Adaptive) -> StageFinding {
    let code = match verdict(stage) {
        // What costs no time must not hide what does.
        code if loses_attempts(stage) && code.is_skew() && (code == Verdict::WarmUp || stage.is_harmless) => {
            Verdict::FailedTasks
        }
        code => code,
    };
    let is_harmless = code.is_skew() && stage.is_harmless;
    let cost_seconds = cost(code, stage);
    let (title, evidence) = evidence(code, stage);
    let mut message = evidence;
    if code.is_skew() {
        message.push_str(&harm(stage));
    }
    StageFinding {
        code,
        severity: severity(code, stage, is_harmless),
        is_harmless,
        title,
        message,
        remedy: remedy(code, stage, is_harmless, adaptive),
        cost_seconds,
        cost_requests: 0,
    }
}

/// What ails the stage as wall time: what its stragglers add, what is spent beside the work over the slots that were free, or
/// how long those stood idle where that is the matter.
fn cost(code: Verdict, stage: &StageProfile) -> f64 {
    let beside = match code {
        Verdict::MemoryPressure => seconds(stage.gc_ms.total as f64),
        Verdict::FetchWait => seconds(stage.fetch_wait_ms.total as f64),
        Verdict::OverPartitioned => seconds(overhead_ms(stage) as f64),
        Verdict::FailedTasks | Verdict::NoResult => stage.outcomes.lost_seconds,
        _ => 0.0,
    };
    let slots = stage.slots.filter(|slots| *slots > 0.0);
    let spent = slots.map_or(0.0, |slots| beside / slots);
    let idle = match code {
        Verdict::UnderPartitioned
        | Verdict::BadNode
        | Verdict::ExecutorImbalance
        | Verdict::IdleSlots
        | Verdict::FailedTasks
        | Verdict::NoResult => stage.unused_seconds,
        _ => stage.straggler_seconds,
    };
    idle.unwrap_or(0.0).max(spent)
}

/// Whether the stragglers add this share of the wall time or more.
fn costs_share(stage: &StageProfile, share: f64) -> bool {
    let (cost, wall) = (stage.straggler_seconds, stage.wall_seconds);
    cost.zip(wall)
        .is_some_and(|(cost, wall)| cost > 0.0 && cost >= share * wall)
}

/// Time of tasks outside of their own code: starting, reporting, waiting.
pub(super) fn overhead_ms(stage: &StageProfile) -> u64 {
    stage.duration_ms.total.saturating_sub(stage.run_ms.total)
}

fn severity(code: Verdict, stage: &StageProfile, is_harmless: bool) -> Severity {
    let cost = cost(code, stage);
    let is_most = stage.speed_up.is_some_and(|times| times >= 2.0)
        || (!code.is_skew() && stage.wall_seconds.is_some_and(|wall| cost >= 0.5 * wall));
    match code {
        Verdict::Even => Severity::Good,
        Verdict::NoResult => Severity::Bad,
        Verdict::FailedTasks if stage.failure.is_some() && !stage.is_retried => Severity::Bad,
        _ if is_harmless => Severity::Good,
        _ if code.is_skew() && stage.outcomes.n_success < MIN_TASKS => Severity::Note,
        _ if cost >= BAD_SECONDS && is_most => Severity::Bad,
        _ if cost >= FLOOR_SECONDS || stage.outcomes.lost_seconds >= FLOOR_SECONDS => Severity::Warn,
        _ => Severity::Note,
    }
}

fn verdict(stage: &StageProfile) -> Verdict {
    let n = stage.outcomes.n_success;
    if n == 0 {
        return Verdict::NoResult;
    }
    if stage.failure.is_some() {
        return Verdict::FailedTasks;
    }
    if let Some(code) = load_skew(stage) {
        return code;
    }
    let median = stage.run_ms.p50;
    if (n >= MANY_TASKS && median < TINY_TASK_MS) || (n >= VERY_MANY_TASKS && median < SMALL_TASK_MS) {
        return Verdict::OverPartitioned;
    }
    let is_uneven = is_slow(&stage.run_ms) || (is_long(stage) && costs_share(stage, UNEVEN_COST_SHARE));
    if is_uneven && n > 1 {
        return time_skew(stage);
    }
    if is_long(stage) && stage.slots.is_some_and(|slots| (n as f64) < slots) {
        return Verdict::UnderPartitioned;
    }
    if is_long(stage)
        && stage
            .fetch_wait_share
            .is_some_and(|share| share >= FETCH_WAIT_SHARE)
    {
        return Verdict::FetchWait;
    }
    if is_short_of_memory(stage) {
        return Verdict::MemoryPressure;
    }
    let totals = Spread::of(
        stage
            .executors
            .iter()
            .map(|executor| milliseconds(executor.run_seconds)),
    );
    if stage.executors.len() > 1
        && is_long(stage)
        && n >= MIN_TASKS
        && totals
            .max_over_median
            .is_some_and(|ratio| ratio >= EXECUTOR_RATIO)
    {
        return Verdict::ExecutorImbalance;
    }
    if loses_attempts(stage) {
        return Verdict::FailedTasks;
    }
    if stage
        .unused_seconds
        .zip(stage.wall_seconds)
        .is_some_and(|(unused, wall)| unused >= FLOOR_SECONDS && unused >= UNUSED_SHARE * wall)
    {
        return Verdict::IdleSlots;
    }
    Verdict::Even
}

/// Whether attempts that failed or were killed took a good part of the time.
fn loses_attempts(stage: &StageProfile) -> bool {
    stage.outcomes.lost_seconds > 0.1 * stage.task_seconds
        && stage.outcomes.n_failed + stage.outcomes.n_killed > 0
}

#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "seconds that were milliseconds"
)]
fn milliseconds(seconds: f64) -> u64 {
    (seconds * 1000.0).round() as u64
}

/// Shares of a shorter stage say little: a new process collects garbage and opens connections.
fn is_long(stage: &StageProfile) -> bool {
    stage.wall_seconds.is_some_and(|wall| wall >= FLOOR_SECONDS)
}

fn is_slow(run_ms: &Spread) -> bool {
    run_ms.max_over_median.is_some_and(|ratio| ratio >= SLOW_RATIO)
        || (run_ms.max_over_p75().is_some_and(|ratio| ratio >= SLOW_OVER_P75)
            && run_ms
                .p99_over_p50()
                .is_some_and(|ratio| ratio >= SLOW_P99_OVER_P50))
}

fn is_short_of_memory(stage: &StageProfile) -> bool {
    let spills = &stage.bytes_spilled;
    (is_long(stage) && stage.gc_share.is_some_and(|share| share >= GC_SHARE))
        || (spills.n > 0 && spills.n_zero * 2 < spills.n)
}

/// Skew of the data, when the hot partition's task is slow too, or is what the stage waits for.
fn load_skew(stage: &StageProfile) -> Option<Verdict> {
    let hot = stage.hot_partition.as_ref()?;
    let median = seconds(stage.run_ms.p50 as f64);
    let is_longest = hot.run_seconds >= seconds(stage.run_ms.max as f64);
    let is_awaited = is_longest
        && costs_share(stage, HOT_COST_SHARE)
        && stage
            .straggler_seconds
            .is_some_and(|cost| cost >= HOT_COST_SECONDS);
    if hot.run_seconds < SLOW_P99_OVER_P50 * median && !is_awaited {
        return None;
    }
    if stage.bytes_shuffle_read.total == 0 && stage.key.is_none() {
        return Some(Verdict::UnevenInput);
    }
    let n = stage.outcomes.n_success;
    if stage.key.as_ref().is_some_and(StageKey::is_split) {
        // Its pieces are several large tasks, of one partition.
        Some(Verdict::HotKey)
    } else if is_collision(stage) {
        Some(Verdict::CollisionSkew)
    } else if stage.n_heavy > few(n) {
        Some(Verdict::ZipfTail)
    } else {
        Some(Verdict::HotKey)
    }
}

/// Whether as many even keys as the empty partitions tell of would lie as unevenly.
fn is_collision(stage: &StageProfile) -> bool {
    let Some(key) = &stage.key else { return false };
    let loads = &stage.load_records;
    let is_whole = !key.is_rearranged() && key.is_hash();
    if !is_whole || loads.n < MIN_TASKS || loads.n_zero * 10 < loads.n {
        return false;
    }
    let Some(n_keys) = keys_of(loads.n, loads.n_zero) else {
        return false;
    };
    let most = COLLISION_SLACK * even_keys_over_mean(n_keys, loads.n);
    [loads, &stage.load_bytes]
        .iter()
        .all(|loads| loads.max_over_mean.is_none_or(|measured| measured <= most))
}

/// How many keys leave so many of `n` partitions empty, on average: `ln(empty / n) / ln(1 − 1/n)`.
pub(super) fn keys_of(n: u64, n_empty: u64) -> Option<u64> {
    if n_empty == 0 || n < 2 || n_empty >= n {
        return None;
    }
    let keys = (n_empty as f64 / n as f64).ln() / (1.0 - 1.0 / n as f64).ln();
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "a positive number of keys, at most n · ln n"
    )]
    Some(keys.round().max(1.0) as u64)
}

/// `max / mean` when that many equal keys are hashed into `n` partitions; the same for the same numbers.
pub(super) fn even_keys_over_mean(n_keys: u64, n: u64) -> f64 {
    let n_keys = n_keys.min(200_000);
    let mut loads: BTreeMap<u64, u64> = BTreeMap::new();
    for key in 0..n_keys {
        // Source: SplitMix64, Steele and others, 2014.
        let mut z = key.wrapping_add(1).wrapping_mul(0x9e37_79b9_7f4a_7c15);
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        *loads.entry((z ^ (z >> 31)) % n.max(1)).or_default() += 1;
    }
    let max = loads.values().max().copied().unwrap_or(0);
    max as f64 * n as f64 / n_keys.max(1) as f64
}

/// Tasks much slower than the middle one.
fn slow_tasks(stage: &StageProfile) -> Vec<&SlowTask> {
    let median = seconds(stage.run_ms.p50 as f64);
    let slow = |task: &&SlowTask| task.run_seconds >= SLOW_P99_OVER_P50 * median;
    stage.slowest.iter().filter(slow).collect()
}

fn time_skew(stage: &StageProfile) -> Verdict {
    let slow = slow_tasks(stage);
    let run: f64 = slow.iter().map(|task| task.run_seconds).sum();
    let of_run = |part: f64| if run > 0.0 { part / run } else { 0.0 };
    if of_run(slow.iter().map(|task| task.fetch_wait_seconds).sum()) >= FETCH_WAIT_SHARE {
        return Verdict::FetchWait;
    }
    if is_short_of_memory(stage) && of_run(slow.iter().map(|task| task.gc_seconds).sum()) >= GC_SHARE {
        return Verdict::MemoryPressure;
    }
    if slow_host(stage).is_some() {
        return Verdict::BadNode;
    }
    if is_warm_up(stage, &slow) {
        return Verdict::WarmUp;
    }
    Verdict::ComputeSkew
}

/// Whether the slow tasks are early ones, and the early ones are slow alike: what has to be loaded and compiled holds all
/// slots up, and not one task of many.
fn is_warm_up(stage: &StageProfile, slow: &[&SlowTask]) -> bool {
    let is_alike = |wave: &Spread, least: f64| {
        wave.n > 0
            && wave.p50 as f64 >= least * stage.run_ms.p50 as f64
            && wave.max as f64 <= SLOW_P99_OVER_P50 * wave.p50 as f64
    };
    let warmed: BTreeSet<&str> = slow.iter().map(|task| task.executor.as_str()).collect();
    let is_first = slow.iter().all(|task| task.is_first) && is_alike(&stage.first_run_ms, SLOW_P99_OVER_P50);
    let is_early = slow.iter().all(|task| task.is_early) && is_alike(&stage.early_run_ms, SLOW_OVER_P75);
    warmed.len() * 2 > stage.executors.len() && (is_first || is_early)
}

/// The one host that all slow tasks ran on, when its ordinary tasks are slower too and others had work.
pub(super) fn slow_host(stage: &StageProfile) -> Option<&str> {
    let slow = slow_tasks(stage);
    let host = slow.first()?.host.as_str();
    if slow.len() < 2 || slow.iter().any(|task| task.host != host) {
        return None;
    }
    let median = |is_here: bool| {
        let of = stage
            .executors
            .iter()
            .filter(|executor| (executor.host == host) == is_here);
        Spread::of(of.map(|executor| executor.median_run_ms)).p50
    };
    let (here, elsewhere) = (median(true), median(false));
    (elsewhere > 0 && here as f64 >= SLOW_OVER_P75 * elsewhere as f64).then_some(host)
}

#[cfg(test)]
mod tests {
    use super::{even_keys_over_mean, keys_of};

    #[test]
    fn the_number_of_keys_is_seen_from_the_empty_partitions() {
        // 200 even keys in 200 partitions leave 36% empty and lie about 4 × the mean; 1000 about 2.5 ×.
        assert!((190..=215).contains(&keys_of(200, 72).unwrap()));
        assert!((3.0..=5.5).contains(&even_keys_over_mean(200, 200)));
        assert!((1.8..=3.2).contains(&even_keys_over_mean(1000, 200)));
        assert_eq!(
            [keys_of(1, 1), keys_of(10, 0), keys_of(10, 10), keys_of(0, 0)],
            [None; 4]
        );
    }
}

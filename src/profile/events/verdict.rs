//! The verdict on a stage and what to do, by the decision table of symptoms, each with its evidence.
//!
//! Every rule is a ratio, an absolute floor for its severity, and enough tasks: a ratio alone finds noise.

use std::collections::{BTreeMap, BTreeSet};

use serde::Serialize;

use super::spread::Spread;
use super::stage::{SlowTask, StageProfile, seconds};
use crate::base::units;
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
            Self::FailedTasks => "failed tasks",
            Self::NoResult => "no result",
            Self::Even => "even",
        }
    }

    /// Whether it is a matter of some tasks being longer than others.
    fn is_skew(self) -> bool {
        matches!(
            self,
            Self::HotKey
                | Self::CollisionSkew
                | Self::ZipfTail
                | Self::UnevenInput
                | Self::ComputeSkew
                | Self::WarmUp
        )
    }
}

/// A finding about one stage; the same shape as every other finding.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct StageFinding {
    pub code: Verdict,
    pub severity: Severity,
    /// The skew costs no time here: the longest task ends before an even split of all work would.
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
/// Ratios over fewer tasks say little.
const MIN_TASKS: u64 = 10;
/// Spark broadcasts a side of 10 MB by itself; ten times that is still cheap to send.
const BROADCAST_BYTES: u64 = 100_000_000;
/// How far the measured imbalance may exceed that of as many even keys.
const COLLISION_SLACK: f64 = 1.5;
const FEW_HOT: u64 = 3;

/// The finding of a stage, from its figures.
pub fn decide(stage: &StageProfile) -> StageFinding {
    let code = verdict(stage);
    let is_harmless = code.is_skew() && stage.is_harmless;
    let cost_seconds = stage.straggler_seconds.unwrap_or(0.0);
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
        remedy: remedy(code, stage),
        cost_seconds,
        cost_requests: 0,
    }
}

fn severity(code: Verdict, stage: &StageProfile, is_harmless: bool) -> Severity {
    let cost = stage.straggler_seconds.unwrap_or(0.0);
    match code {
        Verdict::Even => Severity::Good,
        Verdict::NoResult => Severity::Bad,
        _ if is_harmless && starts_late(stage) => Severity::Note,
        _ if is_harmless => Severity::Good,
        _ if code.is_skew() && stage.outcomes.n_success < MIN_TASKS => Severity::Note,
        _ if cost >= BAD_SECONDS && stage.speed_up.is_some_and(|times| times >= 2.0) => Severity::Bad,
        _ if cost >= FLOOR_SECONDS || stage.outcomes.lost_seconds >= FLOOR_SECONDS => Severity::Warn,
        _ => Severity::Note,
    }
}

/// Whether the slots stood idle although no task is too long: long tasks came last.
fn starts_late(stage: &StageProfile) -> bool {
    let cost = stage.straggler_seconds.unwrap_or(0.0);
    cost >= FLOOR_SECONDS && stage.wall_seconds.is_some_and(|wall| cost >= 0.1 * wall)
}

fn verdict(stage: &StageProfile) -> Verdict {
    let n = stage.outcomes.n_success;
    if n == 0 {
        return Verdict::NoResult;
    }
    if let Some(code) = load_skew(stage) {
        return code;
    }
    let median = stage.run_ms.p50;
    if (n >= MANY_TASKS && median < TINY_TASK_MS) || (n >= VERY_MANY_TASKS && median < SMALL_TASK_MS) {
        return Verdict::OverPartitioned;
    }
    if is_slow(&stage.run_ms) && n > 1 {
        return time_skew(stage);
    }
    let is_waiting = stage.wall_seconds.is_some_and(|wall| wall >= FLOOR_SECONDS);
    if is_waiting && stage.slots.is_some_and(|slots| (n as f64) < slots) {
        return Verdict::UnderPartitioned;
    }
    if stage
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
        && totals
            .max_over_median
            .is_some_and(|ratio| ratio >= EXECUTOR_RATIO)
    {
        return Verdict::ExecutorImbalance;
    }
    if stage.outcomes.lost_seconds > 0.1 * stage.task_seconds {
        return Verdict::FailedTasks;
    }
    Verdict::Even
}

#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "seconds that were milliseconds"
)]
fn milliseconds(seconds: f64) -> u64 {
    (seconds * 1000.0).round() as u64
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
    stage.gc_share.is_some_and(|share| share >= GC_SHARE) || (spills.n > 0 && spills.n_zero * 2 < spills.n)
}

/// Skew of the data, when the hot partition's task is slow too.
fn load_skew(stage: &StageProfile) -> Option<Verdict> {
    let hot = stage.hot_partition.as_ref()?;
    let median = seconds(stage.run_ms.p50 as f64);
    if hot.run_seconds < SLOW_P99_OVER_P50 * median {
        return None;
    }
    if stage.bytes_shuffle_read.total == 0 && stage.key.is_none() {
        return Some(Verdict::UnevenInput);
    }
    let n = stage.outcomes.n_success;
    if is_collision(stage) {
        Some(Verdict::CollisionSkew)
    } else if stage.n_heavy > FEW_HOT.max(n / 20) {
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
    loads
        .max_over_mean
        .is_some_and(|measured| measured <= COLLISION_SLACK * even_keys_over_mean(n_keys, loads.n))
}

/// How many keys leave so many of `n` partitions empty, on average: `ln(empty / n) / ln(1 − 1/n)`.
fn keys_of(n: u64, n_empty: u64) -> Option<u64> {
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
fn even_keys_over_mean(n_keys: u64, n: u64) -> f64 {
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
    let warmed: BTreeSet<&str> = slow.iter().map(|task| task.executor.as_str()).collect();
    if slow.iter().all(|task| task.is_first) && warmed.len() * 2 > stage.executors.len() {
        return Verdict::WarmUp;
    }
    Verdict::ComputeSkew
}

/// The one host that all slow tasks ran on, when its ordinary tasks are slower too and others had work.
fn slow_host(stage: &StageProfile) -> Option<&str> {
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

fn by_key(stage: &StageProfile) -> String {
    let Some(key) = &stage.key else {
        return String::new();
    };
    let columns = key.text();
    match (key.consumer(), columns.is_empty()) {
        (Some(consumer), false) => format!(" in {consumer} by {columns}"),
        (Some(consumer), true) => format!(" in {consumer}"),
        (None, false) => format!(" by {columns}"),
        (None, true) => String::new(),
    }
}

fn evidence(code: Verdict, stage: &StageProfile) -> (String, String) {
    let n = stage.outcomes.n_success;
    let tasks = units::plural(n, "task");
    let longest = units::seconds(seconds(stage.run_ms.max as f64));
    let median = units::seconds(seconds(stage.run_ms.p50 as f64));
    let time = format!("The longest task ran {longest}, the middle one {median}");
    match code {
        Verdict::HotKey | Verdict::ZipfTail | Verdict::CollisionSkew | Verdict::UnevenInput => {
            load_evidence(code, stage)
        }
        Verdict::ComputeSkew => (
            format!("Some tasks run long on ordinary data{}", by_key(stage)),
            format!("{time}, while bytes and records are even: the time goes into the computation."),
        ),
        Verdict::WarmUp => (
            "The slow tasks are the first ones of their executors".to_owned(),
            format!("{time}; they loaded classes, compiled code and opened connections, on ordinary data."),
        ),
        Verdict::BadNode => {
            let host = slow_host(stage).unwrap_or("one host");
            (
                format!("All slow tasks ran on {host}"),
                format!("{time}; tasks of {host} are slower than those of other hosts, on ordinary data."),
            )
        }
        Verdict::FetchWait => (
            "Tasks wait for shuffle blocks".to_owned(),
            format!(
                "{} of the run time is waiting for blocks of other executors. {time}.",
                units::percent(stage.fetch_wait_share.unwrap_or(0.0))
            ),
        ),
        Verdict::MemoryPressure => {
            let spilled = stage.bytes_spilled.n - stage.bytes_spilled.n_zero;
            (
                "Memory is short".to_owned(),
                format!(
                    "{} of the run time is garbage collection; {} of {tasks} spilled, {} in all.",
                    units::percent(stage.gc_share.unwrap_or(0.0)),
                    units::count(spilled),
                    units::bytes(stage.bytes_spilled.total)
                ),
            )
        }
        Verdict::OverPartitioned => (
            format!("{} tasks of {median}", units::count(n)),
            "Starting and reporting a task costs about as much as these run.".to_owned(),
        ),
        Verdict::UnderPartitioned => (
            format!("{tasks} for {:.0} slots", stage.slots.unwrap_or(0.0)),
            format!("{time}; the other slots had nothing to do."),
        ),
        Verdict::ExecutorImbalance => {
            let busiest = stage
                .executors
                .iter()
                .max_by(|a, b| a.run_seconds.total_cmp(&b.run_seconds));
            let (name, run) = busiest.map_or(("", 0.0), |executor| {
                (executor.executor.as_str(), executor.run_seconds)
            });
            (
                "Even tasks, unevenly shared".to_owned(),
                format!(
                    "Executor {name} ran {} of {} of task time, though the tasks are alike.",
                    units::seconds(run),
                    units::seconds(seconds(stage.run_ms.total as f64))
                ),
            )
        }
        Verdict::FailedTasks => (
            format!(
                "{} without a result",
                units::plural(stage.outcomes.n_failed + stage.outcomes.n_killed, "attempt")
            ),
            format!(
                "They took {} beside {} of useful task time.",
                units::seconds(stage.outcomes.lost_seconds),
                units::seconds(stage.task_seconds)
            ),
        ),
        Verdict::NoResult => (
            "No task has succeeded".to_owned(),
            stage
                .failure
                .clone()
                .unwrap_or_else(|| "The stage did not end in this log.".to_owned()),
        ),
        Verdict::Even => ("Even".to_owned(), format!("{tasks}. {time}.")),
    }
}

fn load_evidence(code: Verdict, stage: &StageProfile) -> (String, String) {
    let Some(hot) = &stage.hot_partition else {
        return (String::new(), String::new());
    };
    let (share, unit) = match (hot.share_records, hot.share_bytes) {
        (Some(share), _) => (share, "records"),
        (None, share) => (share.unwrap_or(0.0), "bytes"),
    };
    let (noun, name) = match (code, hot.is_shuffle_partition) {
        (Verdict::UnevenInput, _) => ("split", "Split"),
        (_, true) => ("partition", "Partition"),
        (_, false) => ("task", "Task"),
    };
    let by = by_key(stage);
    let title = match code {
        Verdict::ZipfTail => format!(
            "{} large {noun}s of {}{by}",
            stage.n_heavy, stage.outcomes.n_success
        ),
        Verdict::CollisionSkew => format!("Few keys share {noun}s by chance{by}"),
        _ => format!(
            "{name} {} holds {} of the {unit}{by}",
            hot.partition,
            units::percent(share)
        ),
    };
    let mut message = format!(
        "{name} {} has {} of {} records and {} of {}, {:.1} × the median; its task ran {}, the middle one {}.",
        hot.partition,
        units::count(hot.n_records),
        units::count(stage.load_records.total),
        units::bytes(hot.n_bytes),
        units::bytes(stage.load_bytes.total),
        hot.times_median,
        units::seconds(hot.run_seconds),
        units::seconds(seconds(stage.run_ms.p50 as f64)),
    );
    if seconds(stage.run_ms.max as f64) > hot.run_seconds
        && let Some(longest) = stage.slowest.first()
    {
        let wave = if longest.is_first {
            ", in the first wave of its executor"
        } else {
            ""
        };
        message.push_str(&format!(
            " The longest task is another: partition {} with {} records ran {}{wave}.",
            longest.partition,
            units::count(longest.n_records),
            units::seconds(longest.run_seconds),
        ));
    }
    if stage.bytes_spilled.max > 0 && code == Verdict::HotKey {
        let n_spilled = stage.bytes_spilled.n - stage.bytes_spilled.n_zero;
        message.push_str(&format!(
            " {} spilled, {} in all.",
            units::plural(n_spilled, "task"),
            units::bytes(stage.bytes_spilled.total)
        ));
    }
    if code == Verdict::CollisionSkew {
        let loads = &stage.load_records;
        let n_keys = keys_of(loads.n, loads.n_zero).unwrap_or(0);
        message.push_str(&format!(
            " {} of {} partitions are empty, as about {} keys leave them; that many even keys would lie {:.1} × the \
             mean, these lie {:.1} ×.",
            units::count(loads.n_zero),
            units::count(loads.n),
            units::count(n_keys),
            even_keys_over_mean(n_keys, loads.n),
            loads.max_over_mean.unwrap_or(0.0)
        ));
    }
    (title, message)
}

/// Whether the skew costs time, and from how many slots on it does.
fn harm(stage: &StageProfile) -> String {
    let longest = seconds(stage.duration_ms.max as f64);
    let (Some(even), Some(slots)) = (stage.even_seconds, stage.slots) else {
        return String::new();
    };
    if stage.is_harmless {
        let from = if longest > 0.0 {
            format!(
                ", until there are more than {:.0} slots",
                (stage.task_seconds / longest).floor()
            )
        } else {
            String::new()
        };
        let late = if starts_late(stage) {
            " Slots stood idle nevertheless, because long tasks came last."
        } else {
            ""
        };
        format!(
            " Harmless here: the longest task takes {}, all work over {slots:.1} slots {}{from}.{late}",
            units::seconds(longest),
            units::seconds(even)
        )
    } else {
        let gain = stage.speed_up.filter(|times| *times >= 1.05);
        let gain = gain.map_or(String::new(), |times| {
            format!(" and the stage would be {times:.1} × as fast")
        });
        format!(
            " Evenly split, all work over {slots:.1} slots takes {}{gain}.",
            units::seconds(even)
        )
    }
}

fn remedy(code: Verdict, stage: &StageProfile) -> String {
    let is_rearranged = stage
        .key
        .as_ref()
        .is_some_and(super::key::StageKey::is_rearranged);
    match code {
        Verdict::HotKey => hot_key_remedy(stage),
        Verdict::CollisionSkew => "Try other numbers of partitions (skewer skew --by simulates them), shuffle by more \
                                   columns, or partition by range."
            .to_owned(),
        Verdict::ZipfTail if is_rearranged => {
            "Lower spark.sql.adaptive.advisoryPartitionSizeInBytes, or give the largest keys partitions of their own."
                .to_owned()
        }
        Verdict::ZipfTail => "Raise spark.sql.shuffle.partitions, turn on adaptive execution, or give the largest keys \
                              partitions of their own."
            .to_owned(),
        Verdict::UnevenInput => "Split the large file: a codec or format that can be split, smaller row groups, or a \
                                 repartition after reading."
            .to_owned(),
        Verdict::ComputeSkew => "Look at what runs per row: a UDF, an explode, a regular expression that backtracks; the \
                                 slowest tasks below say which partitions to try."
            .to_owned(),
        Verdict::WarmUp => "Nothing to mend in the data: keep executors between jobs, or read more in each.".to_owned(),
        Verdict::BadNode => format!(
            "Exclude {} (spark.excludeOnFailure), replace it, or turn on spark.speculation.",
            slow_host(stage).unwrap_or("the host")
        ),
        Verdict::FetchWait => "Check the network, the shuffle service and lost executors; place executors nearer to one \
                               another. The keys are not the cause."
            .to_owned(),
        Verdict::MemoryPressure => "Raise the number of partitions, then the memory of executors, or run fewer tasks at \
                                    once in each."
            .to_owned(),
        Verdict::OverPartitioned => "Coalesce: adaptive execution does it (spark.sql.adaptive.coalescePartitions); \
                                     compact small files at the source."
            .to_owned(),
        Verdict::UnderPartitioned => "Repartition to a multiple of the slots; read a codec that can be split; drop \
                                      coalesce(1)."
            .to_owned(),
        Verdict::ExecutorImbalance => "Set spark.locality.wait to 0, make the number of tasks a multiple of the slots, \
                                       and see whether executors came late."
            .to_owned(),
        Verdict::FailedTasks => "Read the failures' reasons in the driver's log; memory and lost hosts come first.".to_owned(),
        Verdict::NoResult | Verdict::Even => String::new(),
    }
}

fn hot_key_remedy(stage: &StageProfile) -> String {
    let Some(key) = &stage.key else {
        return "Find the key that is shuffled here, count it (skewer skew --by), and isolate or salt its largest \
                values."
            .to_owned();
    };
    let columns = key.text();
    let count = if columns.is_empty() {
        String::new()
    } else {
        format!(
            "Count {columns} (skewer skew --by {}) to see the value: null or an empty text is dropped or set apart \
             before the shuffle. ",
            key.columns.join(",")
        )
    };
    if !key.is_join() {
        return format!(
            "{count}Aggregate in two stages, by ({columns}, salt) and then by {columns}; for windows and lists, set the \
             hot values apart."
        );
    }
    let broadcast = broadcast_side(stage).map_or(String::new(), |n_bytes| {
        format!(
            "Broadcast the other side, which wrote {}. Else ",
            units::bytes(n_bytes)
        )
    });
    let rest = "let adaptive execution split it (spark.sql.adaptive.skewJoin.enabled), join the hot values apart and \
                union the results, or salt them.";
    let rest = if broadcast.is_empty() {
        capitalized(rest)
    } else {
        rest.to_owned()
    };
    format!("{broadcast}{rest} {}", count.trim_end())
        .trim_end()
        .to_owned()
}

fn capitalized(text: &str) -> String {
    let mut chars = text.chars();
    chars
        .next()
        .map(|first| first.to_uppercase().chain(chars).collect())
        .unwrap_or_default()
}

/// The bytes of the side opposite to the hot one, where the join lets it be broadcast and it is small.
fn broadcast_side(stage: &StageProfile) -> Option<u64> {
    let key = stage.key.as_ref()?;
    let hot = key.hot_side()?;
    let other = key.sides.get(1)?;
    let n_bytes = other.n_bytes.filter(|n_bytes| *n_bytes <= BROADCAST_BYTES)?;
    let is_left = other.exchange.is_left?;
    // The side whose rows an outer join keeps cannot be broadcast.
    let may = match hot.exchange.join_type.as_deref()? {
        "Inner" | "Cross" => true,
        "RightOuter" => is_left,
        "LeftOuter" | "LeftSemi" | "LeftAnti" | "ExistenceJoin" => !is_left,
        _ => false,
    };
    may.then_some(n_bytes)
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

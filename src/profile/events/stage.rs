//! One stage in figures: how its tasks' time and data are spread, over which executors, and what its stragglers cost.

use std::collections::{BTreeMap, HashSet};

use serde::Serialize;

use super::application::{Application, Stage};
use super::key::StageKey;
use super::spread::Spread;
use super::task::{Task, TaskEnding};
use super::verdict::StageFinding;
use crate::base::units;

/// Slowest tasks that are named.
const N_SLOWEST: usize = 20;
/// A partition is hot when it has this many times the median load. Source: max/median of section 2, amber.
const HOT_RATIO: f64 = 3.0;

/// A stage's figures. Exact over the tasks of the log; only successful attempts count, the others are in `outcomes`.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct StageProfile {
    pub id: u64,
    pub attempt: u32,
    pub name: String,
    /// Of the SQL query or the job.
    pub description: Option<String>,
    /// Why the stage failed; none when it did not.
    pub failure: Option<String>,
    pub is_complete: bool,
    pub n_tasks: u64,
    pub outcomes: Outcomes,
    pub started_ms: Option<i64>,
    /// From the first task's launch to the last one's end.
    pub wall_seconds: Option<f64>,
    /// Between submission and the first launch.
    pub waited_seconds: Option<f64>,
    /// Tasks that could run at once, less what other stages used; an estimate.
    pub slots: Option<f64>,
    pub task_seconds: f64,
    /// `Σt / slots`: no order of the tasks is faster.
    pub even_seconds: Option<f64>,
    /// `wall − Σt/slots`: what stages are sorted by.
    pub straggler_seconds: Option<f64>,
    /// `wall / max(Σt/slots, p75)`: what mending the skew promises.
    pub speed_up: Option<f64>,
    /// `t_max ≤ Σt/slots`: the longest task ends before the others would anyway.
    pub is_harmless: bool,
    pub duration_ms: Spread,
    pub run_ms: Spread,
    pub gc_ms: Spread,
    pub fetch_wait_ms: Spread,
    pub scheduler_delay_ms: Spread,
    pub bytes_in: Spread,
    pub bytes_out: Spread,
    pub bytes_shuffle_read: Spread,
    pub bytes_shuffle_written: Spread,
    pub bytes_spilled: Spread,
    /// Read from storage and from shuffles.
    pub load_bytes: Spread,
    pub load_records: Spread,
    /// Of the run time; none without any.
    pub gc_share: Option<f64>,
    pub cpu_share: Option<f64>,
    pub fetch_wait_share: Option<f64>,
    pub hot_partition: Option<HotPartition>,
    /// Tasks with at least three times the median load.
    pub n_heavy: u64,
    pub key: Option<StageKey>,
    pub executors: Vec<ExecutorShare>,
    pub slowest: Vec<SlowTask>,
    pub finding: StageFinding,
    /// Where adaptive execution does not see this skew.
    pub warnings: Vec<String>,
}

/// How the attempts ended.
#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize)]
pub struct Outcomes {
    pub n_success: u64,
    pub n_failed: u64,
    pub n_killed: u64,
    pub n_speculative: u64,
    /// Successful attempts of a task that another attempt had already done.
    pub n_duplicate: u64,
    /// Started, and not ended in this log.
    pub n_unfinished: u64,
    /// Time of all attempts that gave no result.
    pub lost_seconds: f64,
}

/// The partition with the most data.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct HotPartition {
    pub partition: u32,
    /// False when adaptive execution merged or split partitions: then it is the task's number.
    pub is_shuffle_partition: bool,
    pub n_bytes: u64,
    pub n_records: u64,
    /// Of the stage's bytes, 0..=1.
    pub share_bytes: Option<f64>,
    pub share_records: Option<f64>,
    /// Its load over the median one.
    pub times_median: f64,
    pub run_seconds: f64,
    pub executor: String,
    pub host: String,
}

/// What one executor did in a stage.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct ExecutorShare {
    pub executor: String,
    pub host: String,
    pub n_tasks: u64,
    pub run_seconds: f64,
    pub gc_seconds: f64,
    pub n_bytes: u64,
    pub n_bytes_spilled: u64,
    /// Slot seconds without a task of this stage, between its first launch and its last end; none without cores.
    pub idle_seconds: Option<f64>,
    /// Middle run time of its tasks.
    pub median_run_ms: u64,
}

/// A task by name.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct SlowTask {
    pub task: u64,
    pub index: u32,
    pub partition: u32,
    pub executor: String,
    pub host: String,
    pub run_seconds: f64,
    pub gc_seconds: f64,
    pub fetch_wait_seconds: f64,
    pub n_bytes: u64,
    pub n_records: u64,
    pub n_bytes_spilled: u64,
    /// Of the first wave: launched before any task of its executor had ended in this stage.
    pub is_first: bool,
}

/// One measure over the tasks of a stage.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Measure<'a> {
    pub name: &'static str,
    pub unit: MeasureUnit,
    pub spread: &'a Spread,
}

/// What a measure counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum MeasureUnit {
    Milliseconds,
    Bytes,
    Count,
}

impl MeasureUnit {
    /// A value as people read it.
    pub fn text(self, value: u64) -> String {
        match self {
            Self::Milliseconds => units::seconds(seconds(value as f64)),
            Self::Bytes => units::bytes(value),
            Self::Count => units::count(value),
        }
    }
}

impl StageProfile {
    /// The measures of its tasks, in the order in which they are shown.
    pub fn measures(&self) -> [Measure<'_>; 10] {
        let of = |name, unit, spread| Measure { name, unit, spread };
        let time = |name, spread| of(name, MeasureUnit::Milliseconds, spread);
        let bytes = |name, spread| of(name, MeasureUnit::Bytes, spread);
        [
            time("run time", &self.run_ms),
            time("duration", &self.duration_ms),
            time("scheduler delay", &self.scheduler_delay_ms),
            time("garbage collection", &self.gc_ms),
            time("fetch wait", &self.fetch_wait_ms),
            bytes("input", &self.bytes_in),
            bytes("shuffle read", &self.bytes_shuffle_read),
            bytes("shuffle written", &self.bytes_shuffle_written),
            bytes("spilled", &self.bytes_spilled),
            of("records", MeasureUnit::Count, &self.load_records),
        ]
    }
}

pub fn seconds(ms: f64) -> f64 {
    ms / 1000.0
}

fn share(part: u64, whole: u64) -> Option<f64> {
    (whole > 0).then(|| part as f64 / whole as f64)
}

/// Attempts that gave the stage its result: of each task the success that ended first.
pub fn winners(stage: &Stage) -> Vec<&Task> {
    let mut successes: Vec<&Task> = stage.tasks.iter().filter(|task| task.is_success()).collect();
    successes.sort_by_key(|task| (task.finished_ms(), task.id));
    let mut seen = HashSet::new();
    successes.retain(|task| seen.insert(task.index));
    successes
}

/// From the first launch to the last end of any attempt.
pub fn window(stage: &Stage) -> Option<(i64, i64)> {
    let first = stage.tasks.iter().map(|task| task.launched_ms).min()?;
    let last = stage.tasks.iter().map(Task::finished_ms).max()?;
    Some((first, last))
}

/// Counts over all attempts.
pub fn outcomes(stage: &Stage, winners: &[&Task]) -> Outcomes {
    let of = |ending| stage.tasks.iter().filter(move |task| task.ending == ending);
    let n_success = of(TaskEnding::Success).count() as u64;
    let all: f64 = stage.tasks.iter().map(|task| f64::from(task.duration_ms)).sum();
    let won: f64 = winners.iter().map(|task| f64::from(task.duration_ms)).sum();
    Outcomes {
        n_success: winners.len() as u64,
        n_failed: of(TaskEnding::Failed).count() as u64,
        n_killed: of(TaskEnding::Killed).count() as u64,
        n_speculative: stage.tasks.iter().filter(|task| task.is_speculative).count() as u64,
        n_duplicate: n_success - winners.len() as u64,
        n_unfinished: stage.n_started.saturating_sub(stage.tasks.len() as u64),
        lost_seconds: seconds((all - won).max(0.0)),
    }
}

/// Everything but finding and warnings, which need these figures.
pub fn profile(application: &Application, stage: &Stage, slots: Option<f64>) -> StageProfile {
    let tasks = winners(stage);
    let window = window(stage);
    let spread = |of: fn(&Task) -> u64| Spread::of(tasks.iter().map(|task| of(task)));
    let duration_ms = spread(|task| u64::from(task.duration_ms));
    let run_ms = spread(|task| u64::from(task.run_ms));
    let gc_ms = spread(|task| u64::from(task.gc_ms));
    let fetch_wait_ms = spread(|task| u64::from(task.fetch_wait_ms));
    let wall_seconds = window.map(|(first, last)| seconds(last.saturating_sub(first) as f64));
    let task_seconds = seconds(duration_ms.total as f64);
    let even_seconds = slots
        .filter(|slots| *slots > 0.0)
        .map(|slots| task_seconds / slots);
    let straggler_seconds = wall_seconds
        .zip(even_seconds)
        .map(|(wall, even)| (wall - even).max(0.0));
    let speed_up = wall_seconds.zip(even_seconds).and_then(|(wall, even)| {
        let least = even.max(seconds(duration_ms.p75 as f64));
        (least > 0.0).then(|| (wall / least).max(1.0))
    });
    let key = StageKey::of(application, stage);
    let execution = stage.execution.and_then(|id| application.executions.get(&id));
    let job = application
        .jobs
        .values()
        .find(|job| job.stages.contains(&stage.id));
    let description = job
        .and_then(|job| job.description.clone())
        .or_else(|| execution.and_then(|execution| execution.description.clone()));
    let load_bytes = spread(Task::load_bytes);
    let load_records = spread(Task::load_records);
    StageProfile {
        id: stage.id,
        attempt: stage.attempt,
        name: stage.name.clone(),
        description,
        failure: stage.failure.clone(),
        is_complete: stage.completed_ms.is_some(),
        n_tasks: stage.n_tasks,
        outcomes: outcomes(stage, &tasks),
        started_ms: window.map(|(first, _)| first),
        wall_seconds,
        waited_seconds: window
            .zip(stage.submitted_ms)
            .map(|((first, _), submitted)| seconds(first.saturating_sub(submitted).max(0) as f64)),
        slots,
        task_seconds,
        even_seconds,
        straggler_seconds,
        speed_up,
        is_harmless: even_seconds.is_some_and(|even| seconds(duration_ms.max as f64) <= even),
        gc_share: share(gc_ms.total, run_ms.total),
        cpu_share: share(
            tasks.iter().map(|task| u64::from(task.cpu_ms)).sum(),
            run_ms.total,
        ),
        fetch_wait_share: share(fetch_wait_ms.total, run_ms.total),
        hot_partition: hot_partition(application, &tasks, &load_bytes, &load_records, key.as_ref()),
        n_heavy: n_heavy(&tasks, &load_bytes, &load_records),
        executors: executors(application, &tasks, window),
        slowest: slowest(application, &tasks),
        duration_ms,
        run_ms,
        gc_ms,
        fetch_wait_ms,
        scheduler_delay_ms: spread(|task| u64::from(task.scheduler_delay_ms)),
        bytes_in: spread(|task| task.n_bytes_in),
        bytes_out: spread(|task| task.n_bytes_out),
        bytes_shuffle_read: spread(|task| task.n_bytes_shuffle_read),
        bytes_shuffle_written: spread(|task| task.n_bytes_shuffle_written),
        bytes_spilled: spread(|task| task.n_bytes_spilled),
        load_bytes,
        load_records,
        key,
        finding: StageFinding::default(),
        warnings: Vec::new(),
    }
}

/// Whether loads are measured in records, which are nearer to keys than bytes, where they are counted.
fn is_by_records(records: &Spread) -> bool {
    records.total > 0
}

fn n_heavy(tasks: &[&Task], bytes: &Spread, records: &Spread) -> u64 {
    let by_records = is_by_records(records);
    let spread = if by_records { records } else { bytes };
    let Some(ratio) = spread.max_over_median.filter(|_| spread.max > 0) else {
        return 0;
    };
    let heavy = HOT_RATIO * spread.max as f64 / ratio;
    let load = |task: &&&Task| {
        if by_records {
            task.load_records()
        } else {
            task.load_bytes()
        }
    };
    tasks.iter().filter(|task| load(task) as f64 >= heavy).count() as u64
}

fn names(application: &Application, task: &Task) -> (String, String) {
    let executor = application.executors.get(task.executor as usize);
    executor.map_or_else(Default::default, |executor| {
        (executor.id.clone(), executor.host.clone())
    })
}

fn hot_partition(
    application: &Application,
    tasks: &[&Task],
    bytes: &Spread,
    records: &Spread,
    key: Option<&StageKey>,
) -> Option<HotPartition> {
    let by_records = is_by_records(records);
    let spread = if by_records { records } else { bytes };
    let times_median = spread.max_over_median.filter(|ratio| *ratio >= HOT_RATIO)?;
    let load = |task: &&&Task| {
        if by_records {
            task.load_records()
        } else {
            task.load_bytes()
        }
    };
    let task = tasks.iter().max_by_key(load)?;
    let (executor, host) = names(application, task);
    Some(HotPartition {
        partition: task.partition,
        is_shuffle_partition: key.is_some_and(|key| !key.is_rearranged()),
        n_bytes: task.load_bytes(),
        n_records: task.load_records(),
        share_bytes: share(task.load_bytes(), bytes.total),
        share_records: share(task.load_records(), records.total),
        times_median,
        run_seconds: seconds(f64::from(task.run_ms)),
        executor,
        host,
    })
}

fn executors(application: &Application, tasks: &[&Task], window: Option<(i64, i64)>) -> Vec<ExecutorShare> {
    let mut by_executor: BTreeMap<u32, Vec<&Task>> = BTreeMap::new();
    for task in tasks {
        by_executor.entry(task.executor).or_default().push(task);
    }
    let (first, last) = window.unwrap_or_default();
    let shares = by_executor.into_iter().map(|(at, tasks)| {
        let executor = application
            .executors
            .get(at as usize)
            .cloned()
            .unwrap_or_default();
        let total = |of: fn(&Task) -> u64| tasks.iter().map(|task| of(task)).fold(0, u64::saturating_add);
        let busy = seconds(total(|task| u64::from(task.duration_ms)) as f64);
        // It was there from its registration on, or from before the log began.
        let from = executor.added_ms.unwrap_or(first).max(first);
        let until = executor.removed_ms.unwrap_or(last).min(last);
        let there = seconds(until.saturating_sub(from).max(0) as f64);
        let slots = slots_of(application, executor.n_cores);
        ExecutorShare {
            n_tasks: tasks.len() as u64,
            run_seconds: seconds(total(|task| u64::from(task.run_ms)) as f64),
            gc_seconds: seconds(total(|task| u64::from(task.gc_ms)) as f64),
            n_bytes: total(Task::load_bytes),
            n_bytes_spilled: total(|task| task.n_bytes_spilled),
            idle_seconds: (slots > 0.0).then(|| (slots * there - busy).max(0.0)),
            median_run_ms: Spread::of(tasks.iter().map(|task| u64::from(task.run_ms))).p50,
            executor: executor.id,
            host: executor.host,
        }
    });
    shares.collect()
}

/// Tasks that an executor of so many cores runs at once.
pub fn slots_of(application: &Application, n_cores: u32) -> f64 {
    (f64::from(n_cores) / application.cpus_per_task.max(0.01)).floor()
}

fn slowest(application: &Application, tasks: &[&Task]) -> Vec<SlowTask> {
    let mut sorted = tasks.to_vec();
    sorted.sort_by_key(|task| std::cmp::Reverse((task.run_ms, task.duration_ms)));
    let mut first_end: BTreeMap<u32, i64> = BTreeMap::new();
    for task in tasks {
        let end = first_end.entry(task.executor).or_insert(i64::MAX);
        *end = task.finished_ms().min(*end);
    }
    let named = sorted.into_iter().take(N_SLOWEST).map(|task| {
        let (executor, host) = names(application, task);
        SlowTask {
            task: task.id,
            index: task.index,
            partition: task.partition,
            executor,
            host,
            run_seconds: seconds(f64::from(task.run_ms)),
            gc_seconds: seconds(f64::from(task.gc_ms)),
            fetch_wait_seconds: seconds(f64::from(task.fetch_wait_ms)),
            n_bytes: task.load_bytes(),
            n_records: task.load_records(),
            n_bytes_spilled: task.n_bytes_spilled,
            is_first: first_end
                .get(&task.executor)
                .is_some_and(|end| task.launched_ms < *end),
        }
    });
    named.collect()
}

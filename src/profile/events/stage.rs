//! One stage in figures: how its tasks' time and data are spread, over which executors, and what its stragglers cost.

use std::collections::{BTreeMap, HashMap, HashSet};

use serde::Serialize;

use super::application::{Application, Stage};
use super::failure::FailureKind;
use super::interruptible::for_each_until;
use super::key::StageKey;
use super::schedule::Schedule;
use super::spread::Spread;
use super::task::{Task, TaskEnding};
use super::verdict::StageFinding;
use crate::base::{Cancel, Cancelled, units};

/// Slowest tasks that are named.
const N_SLOWEST: usize = 20;
/// A partition is hot when it has this many times the median load. Source: p99/p50 of section 2, Trino's rule on rows.
const HOT_RATIO: f64 = 2.0;
/// Several such partitions are a tail rather than a hot key. Source: max/median of section 2, amber.
const HEAVY_RATIO: f64 = 3.0;
/// Stragglers that add less of the wall time are harmless: two runs of the same stage differ by more.
pub const HARMLESS_SHARE: f64 = 0.05;
/// Ratios over fewer tasks say little.
pub const MIN_TASKS: u64 = 10;

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
    /// Why attempts of its tasks failed, the most frequent reason first; not of all where there are very many reasons.
    pub failures: Vec<FailureKind>,
    /// Another attempt of the stage followed.
    pub is_retried: bool,
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
    /// As many even tasks with the same work, on the same slots.
    pub even_seconds: Option<f64>,
    /// What uneven tasks cost: how much later than even ones the last of the long ones ends, all placed on the slots in the
    /// order of their launch.
    pub straggler_seconds: Option<f64>,
    /// `wall − Σt/slots`: slots that had nothing to do, for whatever reason.
    pub unused_seconds: Option<f64>,
    /// `wall / (wall − stragglers)`: what mending the skew promises.
    pub speed_up: Option<f64>,
    /// The stragglers cost next to nothing, because the others keep the stage up as long.
    pub is_harmless: bool,
    /// Slots from which on stragglers that are harmless would cost time; none where that is not known.
    pub costly_slots: Option<u64>,
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
    /// Of the first wave: the first task of each slot.
    pub first_run_ms: Spread,
    /// Of the first three waves; nothing where they are most tasks.
    pub early_run_ms: Spread,
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

/// What a partition has more of than others.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum HotBy {
    Records,
    Bytes,
}

impl HotBy {
    fn of(self, task: &Task) -> u64 {
        match self {
            Self::Records => task.load_records(),
            Self::Bytes => task.load_bytes(),
        }
    }

    pub fn word(self) -> &'static str {
        match self {
            Self::Records => "records",
            Self::Bytes => "bytes",
        }
    }
}

/// The partition with the most data.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct HotPartition {
    pub partition: u32,
    /// False when adaptive execution merged or split partitions: then it is the task's number.
    pub is_shuffle_partition: bool,
    /// The measure in which it differs most from the others.
    pub by: HotBy,
    pub n_bytes: u64,
    pub n_records: u64,
    /// Of the stage's bytes, 0..=1.
    pub share_bytes: Option<f64>,
    pub share_records: Option<f64>,
    /// Its load over the median one.
    pub times_median: f64,
    pub run_seconds: f64,
    /// After the first launch of the stage.
    pub started_seconds: f64,
    pub ended_seconds: f64,
    pub executor: String,
    pub host: String,
}

impl HotPartition {
    /// Of the stage's total in the measure that makes it hot, 0..=1.
    pub fn share(&self) -> f64 {
        let share = match self.by {
            HotBy::Records => self.share_records,
            HotBy::Bytes => self.share_bytes,
        };
        share.unwrap_or(0.0)
    }
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
    /// Of the first wave: the first of its slot, launched before any task of its executor had ended in this stage.
    pub is_first: bool,
    /// Of the first three waves.
    pub is_early: bool,
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
    /// What ails the stage as wall time; none where the log does not tell the slots. Stages are sorted by it.
    pub fn cost_seconds(&self) -> Option<f64> {
        self.even_seconds.map(|_| self.finding.cost_seconds)
    }

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

/// So many of `n` tasks are few.
pub fn few(n: u64) -> u64 {
    3.max(n / 20)
}

pub fn seconds(ms: f64) -> f64 {
    ms / 1000.0
}

fn share(part: u64, whole: u64) -> Option<f64> {
    (whole > 0).then(|| part as f64 / whole as f64)
}

/// Attempts that gave the stage its result: of each task the success that ended first. In the order of their launch.
fn winners<'a>(stage: &'a Stage, cancel: &Cancel) -> Result<Vec<&'a Task>, Cancelled> {
    // By the end, and then by the place in the log.
    let mut best: HashMap<u32, (i64, usize)> = HashMap::with_capacity(stage.tasks.len());
    for_each_until(successes(stage), cancel, |(at, task)| {
        let end = (task.finished_ms(), at);
        let best = best.entry(task.index).or_insert(end);
        *best = end.min(*best);
    })?;
    let mut winners = Vec::with_capacity(best.len());
    for_each_until(successes(stage), cancel, |(at, task)| {
        if best.get(&task.index) == Some(&(task.finished_ms(), at)) {
            winners.push(task);
        }
    })?;
    Ok(winners)
}

fn successes(stage: &Stage) -> impl Iterator<Item = (usize, &Task)> {
    stage
        .tasks
        .iter()
        .enumerate()
        .filter(|(_, task)| task.is_success())
}

/// Counts over all attempts.
fn outcomes(stage: &Stage, winners: &[&Task], cancel: &Cancel) -> Result<Outcomes, Cancelled> {
    let mut found = Outcomes::default();
    let (mut all_ms, mut won_ms) = (0.0, 0.0);
    for_each_until(&stage.tasks, cancel, |task| {
        match task.ending {
            TaskEnding::Success => found.n_success += 1,
            TaskEnding::Failed => found.n_failed += 1,
            TaskEnding::Killed => found.n_killed += 1,
        }
        found.n_speculative += u64::from(task.is_speculative);
        all_ms += f64::from(task.duration_ms);
    })?;
    for_each_until(winners, cancel, |task| won_ms += f64::from(task.duration_ms))?;
    Ok(Outcomes {
        n_success: winners.len() as u64,
        n_duplicate: found.n_success - winners.len() as u64,
        n_unfinished: stage.n_started.saturating_sub(stage.tasks.len() as u64),
        lost_seconds: seconds((all_ms - won_ms).max(0.0)),
        ..found
    })
}

/// Everything but finding and warnings, which need these figures. `first` and `last` are the first launch and the last end
/// of any attempt.
///
/// # Errors
/// [`Cancelled`], within milliseconds whatever the number of tasks.
pub fn profile(
    application: &Application,
    stage: &Stage,
    (first, last): (i64, i64),
    slots: Option<f64>,
    cancel: &Cancel,
) -> Result<StageProfile, Cancelled> {
    let tasks = winners(stage, cancel)?;
    let has_run = !stage.tasks.is_empty();
    let spread = |of: fn(&Task) -> u64| Spread::of_until(tasks.iter().map(|task| of(task)), cancel);
    let duration_ms = spread(|task| u64::from(task.duration_ms))?;
    let run_ms = spread(|task| u64::from(task.run_ms))?;
    let gc_ms = spread(|task| u64::from(task.gc_ms))?;
    let fetch_wait_ms = spread(|task| u64::from(task.fetch_wait_ms))?;
    let wall_seconds = has_run.then(|| seconds(last.saturating_sub(first) as f64));
    let task_seconds = seconds(duration_ms.total as f64);
    let schedule = match wall_seconds.zip(slots.filter(|slots| *slots > 0.0)) {
        Some((wall, slots)) => Some(Schedule::of(&tasks, wall, slots, cancel)?),
        None => None,
    };
    let straggler_seconds = schedule.map(|schedule| schedule.straggler_seconds);
    let mended_seconds = wall_seconds
        .zip(straggler_seconds)
        .map(|(wall, cost)| (wall, wall - cost));
    let key = StageKey::of(application, stage, cancel)?;
    let execution = stage.execution.and_then(|id| application.executions.get(&id));
    let job = application
        .jobs
        .values()
        .find(|job| job.stages.contains(&stage.id));
    let description = job
        .and_then(|job| job.description.clone())
        .or_else(|| execution.and_then(|execution| execution.description.clone()));
    let loads = Loads::of(&tasks, cancel)?;
    let waves = Waves::of(application, stage, cancel)?;
    let of_wave = |ids: &HashSet<u64>| {
        let of = tasks.iter().filter(|task| ids.contains(&task.id));
        Spread::of_until(of.map(|task| u64::from(task.run_ms)), cancel)
    };
    let cpu_ms = spread(|task| u64::from(task.cpu_ms))?;
    Ok(StageProfile {
        id: stage.id,
        attempt: stage.attempt,
        name: stage.name.clone(),
        description,
        failure: stage.failure.clone(),
        failures: failures(stage),
        is_retried: false,
        is_complete: stage.completed_ms.is_some(),
        n_tasks: stage.n_tasks,
        outcomes: outcomes(stage, &tasks, cancel)?,
        started_ms: has_run.then_some(first),
        wall_seconds,
        waited_seconds: stage
            .submitted_ms
            .filter(|_| has_run)
            .map(|submitted| seconds(first.saturating_sub(submitted).max(0) as f64)),
        slots,
        task_seconds,
        even_seconds: schedule.map(|schedule| schedule.even_seconds),
        straggler_seconds,
        unused_seconds: schedule.map(|schedule| schedule.unused_seconds),
        speed_up: mended_seconds
            .filter(|(_, mended)| *mended > 0.0)
            .map(|(wall, mended)| wall / mended),
        is_harmless: mended_seconds.is_some_and(|(wall, mended)| wall - mended <= HARMLESS_SHARE * wall),
        costly_slots: schedule.and_then(|schedule| schedule.costly_slots),
        gc_share: share(gc_ms.total, run_ms.total),
        cpu_share: share(cpu_ms.total, run_ms.total),
        fetch_wait_share: share(fetch_wait_ms.total, run_ms.total),
        hot_partition: loads.hot_partition(application, &tasks, first, key.as_ref()),
        n_heavy: loads.n_heavy(&tasks, cancel)?,
        executors: executors(application, &tasks, (first, last), cancel)?,
        slowest: slowest(application, &tasks, &waves, cancel)?,
        first_run_ms: of_wave(&waves.first)?,
        early_run_ms: of_wave(&waves.early)?,
        duration_ms,
        run_ms,
        gc_ms,
        fetch_wait_ms,
        scheduler_delay_ms: spread(|task| u64::from(task.scheduler_delay_ms))?,
        bytes_in: spread(|task| task.n_bytes_in)?,
        bytes_out: spread(|task| task.n_bytes_out)?,
        bytes_shuffle_read: spread(|task| task.n_bytes_shuffle_read)?,
        bytes_shuffle_written: spread(|task| task.n_bytes_shuffle_written)?,
        bytes_spilled: spread(|task| task.n_bytes_spilled)?,
        load_bytes: loads.bytes,
        load_records: loads.records,
        key,
        finding: StageFinding::default(),
        warnings: Vec::new(),
    })
}

fn failures(stage: &Stage) -> Vec<FailureKind> {
    let mut kinds: Vec<FailureKind> = stage
        .failures
        .iter()
        .map(|(reason, n)| FailureKind {
            reason: reason.to_string(),
            n: *n,
        })
        .collect();
    kinds.sort_by_key(|kind| std::cmp::Reverse(kind.n));
    kinds
}

fn names(application: &Application, task: &Task) -> (String, String) {
    let executor = application.executors.get(task.executor as usize);
    executor.map_or_else(Default::default, |executor| {
        (executor.id.clone(), executor.host.clone())
    })
}

/// What the tasks were given.
struct Loads {
    bytes: Spread,
    records: Spread,
    /// The measure in which tasks differ most: a partial aggregation leaves few records of a hot key, but large ones.
    by: HotBy,
    /// The largest load over the middle one in that measure.
    max_over_median: Option<f64>,
}

impl Loads {
    fn of(tasks: &[&Task], cancel: &Cancel) -> Result<Self, Cancelled> {
        let spread = |of: fn(&Task) -> u64| Spread::of_until(tasks.iter().map(|task| of(task)), cancel);
        let (bytes, records) = (spread(Task::load_bytes)?, spread(Task::load_records)?);
        let (by_bytes, by_records) = (
            over_median(&bytes, HotBy::Bytes, tasks),
            over_median(&records, HotBy::Records, tasks),
        );
        let (by, max_over_median) = if by_bytes.unwrap_or(0.0) > by_records.unwrap_or(0.0) {
            (HotBy::Bytes, by_bytes)
        } else {
            (HotBy::Records, by_records)
        };
        Ok(Self {
            bytes,
            records,
            by,
            max_over_median,
        })
    }

    fn n_heavy(&self, tasks: &[&Task], cancel: &Cancel) -> Result<u64, Cancelled> {
        let max = match self.by {
            HotBy::Bytes => self.bytes.max,
            HotBy::Records => self.records.max,
        };
        let Some(ratio) = self.max_over_median.filter(|_| max > 0) else {
            return Ok(0);
        };
        let heavy = HEAVY_RATIO * max as f64 / ratio;
        let mut n = 0;
        for_each_until(tasks, cancel, |task| {
            n += u64::from(self.by.of(task) as f64 >= heavy);
        })?;
        Ok(n)
    }

    fn hot_partition(
        &self,
        application: &Application,
        tasks: &[&Task],
        first: i64,
        key: Option<&StageKey>,
    ) -> Option<HotPartition> {
        let times_median = self.max_over_median.filter(|ratio| *ratio >= HOT_RATIO)?;
        let task = tasks.iter().max_by_key(|task| self.by.of(task))?;
        let (executor, host) = names(application, task);
        Some(HotPartition {
            partition: task.partition,
            is_shuffle_partition: key.is_some_and(|key| !key.is_rearranged()),
            by: self.by,
            n_bytes: task.load_bytes(),
            n_records: task.load_records(),
            share_bytes: share(task.load_bytes(), self.bytes.total),
            share_records: share(task.load_records(), self.records.total),
            times_median,
            run_seconds: seconds(f64::from(task.run_ms)),
            started_seconds: seconds(task.launched_ms.saturating_sub(first) as f64),
            ended_seconds: seconds(task.finished_ms().saturating_sub(first) as f64),
            executor,
            host,
        })
    }
}

/// The largest load over the middle one. Of an even number of tasks Spark's median is the upper of the two in the middle,
/// which of two tasks is the large one itself; among few, it is the lower one here.
fn over_median(spread: &Spread, by: HotBy, tasks: &[&Task]) -> Option<f64> {
    if tasks.len() as u64 >= MIN_TASKS || !tasks.len().is_multiple_of(2) {
        return spread.max_over_median;
    }
    let mut loads: Vec<u64> = tasks.iter().map(|task| by.of(task)).collect();
    loads.sort_unstable();
    let middle = |loads: &[u64]| loads.get(loads.len().checked_sub(1)? / 2).copied();
    let median = middle(&loads).filter(|median| *median > 0).or_else(|| {
        let first = loads.partition_point(|load| *load == 0);
        middle(loads.get(first..).unwrap_or_default())
    })?;
    Some(spread.max as f64 / median as f64)
}

fn executors(
    application: &Application,
    tasks: &[&Task],
    (first, last): (i64, i64),
    cancel: &Cancel,
) -> Result<Vec<ExecutorShare>, Cancelled> {
    let mut by_executor: BTreeMap<u32, Vec<&Task>> = BTreeMap::new();
    for_each_until(tasks, cancel, |task| {
        by_executor.entry(task.executor).or_default().push(*task);
    })?;
    let shares = by_executor
        .into_iter()
        .map(|(at, tasks)| -> Result<ExecutorShare, Cancelled> {
            let executor = application
                .executors
                .get(at as usize)
                .cloned()
                .unwrap_or_default();
            let spread = |of: fn(&Task) -> u64| Spread::of_until(tasks.iter().map(|task| of(task)), cancel);
            let run_ms = spread(|task| u64::from(task.run_ms))?;
            let total = |of: fn(&Task) -> u64| -> Result<u64, Cancelled> {
                cancel.check()?;
                Ok(tasks.iter().map(|task| of(task)).fold(0, u64::saturating_add))
            };
            let busy = seconds(total(|task| u64::from(task.duration_ms))? as f64);
            // It was there from its registration on, or from before the log began.
            let from = executor.added_ms.unwrap_or(first).max(first);
            let until = executor.removed_ms.unwrap_or(last).min(last);
            let there = seconds(until.saturating_sub(from).max(0) as f64);
            let slots = slots_of(application, executor.n_cores);
            Ok(ExecutorShare {
                n_tasks: tasks.len() as u64,
                run_seconds: seconds(run_ms.total as f64),
                gc_seconds: seconds(total(|task| u64::from(task.gc_ms))? as f64),
                n_bytes: total(Task::load_bytes)?,
                n_bytes_spilled: total(|task| task.n_bytes_spilled)?,
                idle_seconds: (slots > 0.0).then(|| (slots * there - busy).max(0.0)),
                median_run_ms: run_ms.p50,
                executor: executor.id,
                host: executor.host,
            })
        });
    shares.collect()
}

/// Tasks that an executor of so many cores runs at once.
pub fn slots_of(application: &Application, n_cores: u32) -> f64 {
    (f64::from(n_cores) / application.cpus_per_task.max(0.01)).floor()
}

/// Waves that still load classes and compile code.
const EARLY_WAVES: f64 = 3.0;

/// The attempts that each slot ran first, by their ids.
#[derive(Default)]
struct Waves {
    first: HashSet<u64>,
    early: HashSet<u64>,
}

impl Waves {
    fn of(application: &Application, stage: &Stage, cancel: &Cancel) -> Result<Self, Cancelled> {
        // How many were launched on each executor, and when the first of them ended.
        let mut launched: HashMap<u32, (f64, i64)> = HashMap::new();
        for_each_until(&stage.tasks, cancel, |task| {
            let (_, end) = launched.entry(task.executor).or_insert((0.0, i64::MAX));
            *end = task.finished_ms().min(*end);
        })?;
        let mut waves = Self::default();
        for_each_until(&stage.tasks, cancel, |task| {
            let Some((n_before, end)) = launched.get_mut(&task.executor) else {
                return;
            };
            let n_cores = application
                .executors
                .get(task.executor as usize)
                .map_or(0, |executor| executor.n_cores);
            let slots = slots_of(application, n_cores);
            // The next task starts a moment before the end of the last one is noted: the count of slots tells them apart.
            if task.launched_ms < *end && (*n_before < slots || slots < 1.0) {
                waves.first.insert(task.id);
            }
            if *n_before < EARLY_WAVES * slots {
                waves.early.insert(task.id);
            }
            *n_before += 1.0;
        })?;
        if waves.early.len() * 2 > stage.tasks.len() {
            waves.early.clear();
        }
        Ok(waves)
    }
}

fn slowest(
    application: &Application,
    tasks: &[&Task],
    waves: &Waves,
    cancel: &Cancel,
) -> Result<Vec<SlowTask>, Cancelled> {
    let slowness = |task: &Task| (task.run_ms, task.duration_ms);
    // Slowest first; a list this short is sorted as it grows.
    let mut sorted: Vec<&Task> = Vec::with_capacity(N_SLOWEST + 1);
    for_each_until(tasks, cancel, |task| {
        let is_full = sorted.len() >= N_SLOWEST;
        if !is_full || sorted.last().is_some_and(|last| slowness(last) < slowness(task)) {
            let at = sorted.partition_point(|other| slowness(other) >= slowness(task));
            sorted.insert(at, *task);
            sorted.truncate(N_SLOWEST);
        }
    })?;
    let named = sorted.into_iter().map(|task| {
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
            is_first: waves.first.contains(&task.id),
            is_early: waves.early.contains(&task.id),
        }
    });
    Ok(named.collect())
}

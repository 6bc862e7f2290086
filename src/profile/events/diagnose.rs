//! From an application to its diagnosis: stages in figures, sorted by cost, each with verdict and remedy.

use super::application::{Application, Stage};
use super::blind_spots::blind_spots;
use super::stage::{self, StageProfile, seconds, slots_of, window};
use super::summary::{ApplicationProfile, Headline};
use super::task::Task;
use super::verdict::decide;
use crate::base::{Accuracy, Cancel, units};

/// Tasks that are still diagnosed after a cancel: the answer is to come at once.
const TASKS_AFTER_CANCEL: u64 = 30_000;

/// Diagnoses every stage of an application.
pub fn diagnose(application: &Application) -> ApplicationProfile {
    diagnose_until(application, &Cancel::new())
}

/// As [`diagnose`], the stages that took most time first. Once `cancel` comes, those that would take long are left out,
/// and their tasks only counted.
pub fn diagnose_until(application: &Application, cancel: &Cancel) -> ApplicationProfile {
    diagnose_some(application, cancel, TASKS_AFTER_CANCEL)
}

/// As [`diagnose_until`]; `max_tasks` are what does not take long.
pub(super) fn diagnose_some(
    application: &Application,
    cancel: &Cancel,
    max_tasks: u64,
) -> ApplicationProfile {
    let busy = Busy::new(application);
    let mut n_diagnosed = 0;
    let mut n_stages_left_out = 0;
    let mut by_time: Vec<&Stage> = application.stages.values().collect();
    by_time.sort_by_cached_key(|stage| {
        let ms = stage.tasks.iter().map(|task| u64::from(task.duration_ms));
        std::cmp::Reverse(ms.sum::<u64>())
    });
    let mut stages: Vec<StageProfile> = by_time
        .into_iter()
        .filter(|stage| {
            let n = stage.tasks.len() as u64;
            let is_left_out = n_diagnosed + n > max_tasks && cancel.is_cancelled();
            n_diagnosed += if is_left_out { 0 } else { n };
            n_stages_left_out += u64::from(is_left_out);
            !is_left_out
        })
        .map(|stage| {
            let slots = busy.free_slots(application, stage);
            let mut profile = stage::profile(application, stage, slots);
            profile.finding = decide(&profile);
            profile.warnings = blind_spots(application, &profile);
            profile
        })
        .collect();
    let cost = |stage: &StageProfile| stage.straggler_seconds.unwrap_or(0.0);
    stages.sort_by(|a, b| {
        cost(b)
            .total_cmp(&cost(a))
            .then_with(|| b.task_seconds.total_cmp(&a.task_seconds))
            .then_with(|| (a.id, a.attempt).cmp(&(b.id, b.attempt)))
    });
    let n_left_out = application.reading.n_tasks_left_out;
    let n_tasks: u64 = application
        .stages
        .values()
        .map(|stage| stage.tasks.len() as u64)
        .sum();
    let mut reading = application.reading.clone();
    if reading.is_cut {
        reading.notes.push(format!(
            "partial: cancelled after {} of text; the log goes on",
            units::bytes(reading.n_bytes)
        ));
    }
    if n_stages_left_out > 0 {
        reading.notes.push(format!(
            "partial: {} that took less time were not diagnosed, because of a cancel",
            units::plural(n_stages_left_out, "stage")
        ));
    }
    if n_left_out > 0 {
        reading.notes.push(format!(
            "{n_left_out} tasks beyond the first {n_tasks} were only counted"
        ));
    }
    if application.ended_ms.is_none() && !reading.is_cut {
        reading
            .notes
            .push("the log does not end with the application: it was still running, or it died".to_owned());
    }
    ApplicationProfile {
        kind: "spark_application",
        id: application.id.clone(),
        name: application.name.clone(),
        spark_version: application.spark_version.clone(),
        is_complete: application.ended_ms.is_some(),
        accuracy: if n_left_out > 0 || n_stages_left_out > 0 || reading.is_cut {
            Accuracy::Partial { n: n_diagnosed }
        } else {
            Accuracy::Exact
        },
        headline: headline(application, &stages),
        stages,
        jobs: application.jobs.values().cloned().collect(),
        executors: application.executors.clone(),
        reading,
    }
}

/// When each stage ran and how much slot time it used.
struct Busy(Vec<Use>);

struct Use {
    stage: (u64, u32),
    first: i64,
    last: i64,
    ms: f64,
}

impl Busy {
    fn new(application: &Application) -> Self {
        let mut uses: Vec<Use> = application
            .stages
            .iter()
            .filter_map(|(key, stage)| {
                let (first, last) = window(stage)?;
                let ms = stage.tasks.iter().map(|task| f64::from(task.duration_ms)).sum();
                Some(Use {
                    stage: *key,
                    first,
                    last,
                    ms,
                })
            })
            .collect();
        uses.sort_by_key(|busy| busy.first);
        Self(uses)
    }

    /// Slots that other stages left to this one, as if each had used its time evenly.
    fn free_slots(&self, application: &Application, stage: &Stage) -> Option<f64> {
        let (first, last) = window(stage)?;
        let wall = (last.saturating_sub(first)).max(1) as f64;
        let all = slots_within(application, first, last).or_else(|| most_at_once(&stage.tasks))?;
        let others = self
            .0
            .iter()
            .take_while(|other| other.first < last)
            .filter(|other| other.stage != (stage.id, stage.attempt) && other.last > first);
        let used: f64 = others
            .map(|other| {
                let overlap = other.last.min(last).saturating_sub(other.first.max(first)).max(0) as f64;
                other.ms * overlap / (other.last.saturating_sub(other.first)).max(1) as f64
            })
            .sum();
        Some((all - used / wall).max(1.0))
    }
}

/// Slots of the executors that were there, each for its part of the time; none where no cores are known.
fn slots_within(application: &Application, first: i64, last: i64) -> Option<f64> {
    let wall = last.saturating_sub(first).max(1) as f64;
    let slots: f64 = application
        .executors
        .iter()
        .map(|executor| {
            let from = executor.added_ms.unwrap_or(first).max(first);
            let until = executor.removed_ms.unwrap_or(last).min(last);
            let there = until.saturating_sub(from).max(0) as f64 / wall;
            slots_of(application, executor.n_cores) * there.min(1.0)
        })
        .sum();
    (slots > 0.0).then_some(slots)
}

/// The most tasks that ran at the same moment: what a log without executors shows of its slots.
fn most_at_once(tasks: &[Task]) -> Option<f64> {
    let mut moments: Vec<(i64, i32)> = tasks
        .iter()
        .flat_map(|task| [(task.launched_ms, 1), (task.finished_ms(), -1)])
        .collect();
    moments.sort_unstable();
    let mut now = 0;
    let most = moments.into_iter().map(|(_, change)| {
        now += change;
        now
    });
    most.max().filter(|most| *most > 0).map(f64::from)
}

fn headline(application: &Application, stages: &[StageProfile]) -> Headline {
    let tasks = || application.stages.values().flat_map(|stage| &stage.tasks);
    let first = application
        .started_ms
        .or_else(|| tasks().map(|task| task.launched_ms).min())
        .unwrap_or(0);
    let last = application
        .ended_ms
        .into_iter()
        .chain(tasks().map(Task::finished_ms).max())
        .max()
        .unwrap_or(first);
    let mut slot_seconds = 0.0;
    let mut n_slots = 0.0;
    for executor in &application.executors {
        let slots = slots_of(application, executor.n_cores);
        let from = executor.added_ms.unwrap_or(first);
        let until = executor.removed_ms.unwrap_or(last);
        n_slots += slots;
        slot_seconds += slots * seconds(until.saturating_sub(from).max(0) as f64);
    }
    let all_seconds: f64 = tasks().map(|task| seconds(f64::from(task.duration_ms))).sum();
    let total = |of: fn(&StageProfile) -> u64| stages.iter().map(of).fold(0, u64::saturating_add);
    let run = total(|stage| stage.run_ms.total);
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "a sum of whole numbers of slots"
    )]
    let n_slots = n_slots as u64;
    Headline {
        wall_seconds: seconds(last.saturating_sub(first).max(0) as f64),
        n_jobs: application.jobs.len() as u64,
        n_stages: stages.len() as u64,
        n_tasks: tasks().count() as u64 + application.reading.n_tasks_left_out,
        n_failed_tasks: total(|stage| stage.outcomes.n_failed),
        n_executors: application
            .executors
            .iter()
            .filter(|executor| executor.n_cores > 0)
            .count() as u64,
        n_slots,
        task_seconds: all_seconds,
        idle_share: (slot_seconds > 0.0).then(|| (1.0 - all_seconds / slot_seconds).clamp(0.0, 1.0)),
        straggler_seconds: stages.iter().filter_map(|stage| stage.straggler_seconds).sum(),
        lost_seconds: stages.iter().map(|stage| stage.outcomes.lost_seconds).sum(),
        gc_share: (run > 0).then(|| total(|stage| stage.gc_ms.total) as f64 / run as f64),
        n_bytes_in: total(|stage| stage.bytes_in.total),
        n_bytes_shuffled: total(|stage| stage.bytes_shuffle_read.total),
        n_bytes_spilled: total(|stage| stage.bytes_spilled.total),
    }
}

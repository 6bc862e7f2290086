//! From an application to its diagnosis: stages in figures, sorted by cost, each with verdict and remedy.

use std::collections::HashMap;

use super::adaptive::Adaptive;
use super::application::{Application, Stage};
use super::blind_spots::blind_spots;
use super::executor_totals::executor_totals;
use super::interruptible::{for_each_until, sort_until};
use super::stage::{self, ExecutorShare, StageProfile, seconds, slots_of};
use super::summary::{ApplicationProfile, Headline};
use super::task::Task;
use super::verdict::decide;
use crate::base::{Accuracy, Cancel, Cancelled, units};

/// Tasks that are still diagnosed after a cancel: the answer is to come at once.
pub(super) const TASKS_AFTER_CANCEL: u64 = 30_000;

/// Diagnoses every stage of an application.
pub fn diagnose(application: &Application) -> ApplicationProfile {
    diagnose_until(application, &Cancel::new())
}

/// As [`diagnose`], the stages that took most time first. Once `cancel` comes, those that would take long are left out, the
/// one under way too, and their tasks only counted.
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
    let never = Cancel::new();
    let mut n_diagnosed = 0;
    let mut n_stages_left_out = 0;
    let mut by_time: Vec<(u64, &Stage)> = application
        .stages
        .iter()
        .map(|(key, stage)| (busy.ms_of(*key), stage))
        .collect();
    by_time.sort_by_key(|(ms, _)| std::cmp::Reverse(*ms));
    let mut stages: Vec<StageProfile> = Vec::new();
    for (_, stage) in by_time {
        let n = stage.tasks.len() as u64;
        let takes_long = n_diagnosed + n > max_tasks;
        match diagnosed(
            application,
            stage,
            &busy,
            if takes_long { cancel } else { &never },
        ) {
            Ok(profile) => {
                n_diagnosed += n;
                stages.push(profile);
            }
            Err(Cancelled) => n_stages_left_out += 1,
        }
    }
    let cost = |stage: &StageProfile| stage.finding.cost_seconds;
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
            "partial: {} not diagnosed, because of a cancel",
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
        started_ms: application.started_ms,
        is_complete: application.ended_ms.is_some(),
        accuracy: if n_left_out > 0 || n_stages_left_out > 0 || reading.is_cut {
            Accuracy::Partial { n: n_diagnosed }
        } else {
            Accuracy::Exact
        },
        headline: headline(application, &busy, &stages),
        executor_totals: totals(application, &stages, max_tasks, cancel),
        stages,
        jobs: application.jobs.values().cloned().collect(),
        executors: application.executors.clone(),
        properties: application.properties.clone(),
        reading,
    }
}

fn diagnosed(
    application: &Application,
    stage: &Stage,
    busy: &Busy,
    cancel: &Cancel,
) -> Result<StageProfile, Cancelled> {
    cancel.check()?;
    let slots = busy.free_slots(application, stage, cancel)?;
    let mut profile = stage::profile(application, stage, busy.window(stage), slots, cancel)?;
    profile.is_retried = application.stages.contains_key(&(stage.id, stage.attempt + 1));
    let adaptive = Adaptive::of(application);
    profile.finding = decide(&profile, &adaptive);
    profile.warnings = blind_spots(&adaptive, &profile);
    Ok(profile)
}

/// What each executor did: over all stages, or over the diagnosed ones where a cancel comes first.
fn totals(
    application: &Application,
    stages: &[StageProfile],
    max_tasks: u64,
    cancel: &Cancel,
) -> Vec<ExecutorShare> {
    let n_tasks: usize = application.stages.values().map(|stage| stage.tasks.len()).sum();
    let never = Cancel::new();
    let takes_long = n_tasks as u64 > max_tasks;
    let all = executor_totals(
        application,
        application.stages.values(),
        stages,
        if takes_long { cancel } else { &never },
    );
    all.or_else(|Cancelled| {
        let diagnosed = stages
            .iter()
            .filter(|stage| stage.outcomes.n_success <= max_tasks)
            .filter_map(|stage| application.stages.get(&(stage.id, stage.attempt)));
        executor_totals(application, diagnosed, stages, &never)
    })
    .unwrap_or_default()
}

/// When each stage ran and how much slot time it used. One pass over all tasks: a log of two million takes some tens of
/// milliseconds.
struct Busy {
    /// By the first launch.
    uses: Vec<Use>,
    places: HashMap<(u64, u32), usize>,
}

struct Use {
    stage: (u64, u32),
    first: i64,
    last: i64,
    ms: u64,
    n_tasks: u64,
}

impl Busy {
    fn new(application: &Application) -> Self {
        let mut uses: Vec<Use> = application
            .stages
            .iter()
            .filter(|(_, stage)| !stage.tasks.is_empty())
            .map(|(key, stage)| {
                let nothing = Use {
                    stage: *key,
                    first: i64::MAX,
                    last: i64::MIN,
                    ms: 0,
                    n_tasks: stage.tasks.len() as u64,
                };
                stage.tasks.iter().fold(nothing, |sum, task| Use {
                    first: sum.first.min(task.launched_ms),
                    last: sum.last.max(task.finished_ms()),
                    ms: sum.ms + u64::from(task.duration_ms),
                    ..sum
                })
            })
            .collect();
        uses.sort_by_key(|busy| busy.first);
        let places = uses
            .iter()
            .enumerate()
            .map(|(at, busy)| (busy.stage, at))
            .collect();
        Self { uses, places }
    }

    fn of(&self, stage: (u64, u32)) -> Option<&Use> {
        self.uses.get(*self.places.get(&stage)?)
    }

    fn ms_of(&self, stage: (u64, u32)) -> u64 {
        self.of(stage).map_or(0, |busy| busy.ms)
    }

    /// From the first launch to the last end of any attempt; nothing without tasks.
    fn window(&self, stage: &Stage) -> (i64, i64) {
        self.of((stage.id, stage.attempt))
            .map_or((0, 0), |busy| (busy.first, busy.last))
    }

    /// Slots that other stages left to this one, as if each had used its time evenly.
    fn free_slots(
        &self,
        application: &Application,
        stage: &Stage,
        cancel: &Cancel,
    ) -> Result<Option<f64>, Cancelled> {
        if stage.tasks.is_empty() {
            return Ok(None);
        }
        let (first, last) = self.window(stage);
        let wall = (last.saturating_sub(first)).max(1) as f64;
        let all = match slots_within(application, first, last) {
            Some(all) => Some(all),
            None => most_at_once(&stage.tasks, cancel)?,
        };
        let Some(all) = all else { return Ok(None) };
        let others = self
            .uses
            .iter()
            .take_while(|other| other.first < last)
            .filter(|other| other.stage != (stage.id, stage.attempt) && other.last > first);
        let used: f64 = others
            .map(|other| {
                let overlap = other.last.min(last).saturating_sub(other.first.max(first)).max(0) as f64;
                other.ms as f64 * overlap / (other.last.saturating_sub(other.first)).max(1) as f64
            })
            .sum();
        Ok(Some((all - used / wall).max(1.0)))
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
fn most_at_once(tasks: &[Task], cancel: &Cancel) -> Result<Option<f64>, Cancelled> {
    let mut moments: Vec<(i64, i32)> = tasks
        .iter()
        .flat_map(|task| [(task.launched_ms, 1), (task.finished_ms(), -1)])
        .collect();
    sort_until(&mut moments, cancel)?;
    let (mut now, mut most) = (0, 0);
    for_each_until(moments, cancel, |(_, change)| {
        now += change;
        most = now.max(most);
    })?;
    Ok(Some(most).filter(|most| *most > 0).map(f64::from))
}

/// The most slots that were there at one time: an executor that came for one that went adds none.
fn most_slots(mut changes: Vec<(i64, f64)>) -> f64 {
    changes.sort_by(|a, b| a.0.cmp(&b.0).then(a.1.total_cmp(&b.1)));
    let running = changes.into_iter().scan(0.0, |now, (_, change)| {
        *now += change;
        Some(*now)
    });
    running.fold(0.0, f64::max)
}

fn headline(application: &Application, busy: &Busy, stages: &[StageProfile]) -> Headline {
    let uses = || busy.uses.iter();
    let first = application
        .started_ms
        .or_else(|| uses().map(|busy| busy.first).min())
        .unwrap_or(0);
    let last = application
        .ended_ms
        .into_iter()
        .chain(uses().map(|busy| busy.last).max())
        .max()
        .unwrap_or(first);
    let mut slot_seconds = 0.0;
    let mut changes: Vec<(i64, f64)> = Vec::new();
    for executor in &application.executors {
        let slots = slots_of(application, executor.n_cores);
        let from = executor.added_ms.unwrap_or(first);
        let until = executor.removed_ms.unwrap_or(last);
        changes.extend([(from, slots), (until, -slots)]);
        slot_seconds += slots * seconds(until.saturating_sub(from).max(0) as f64);
    }
    let all_seconds = seconds(uses().map(|busy| busy.ms).sum::<u64>() as f64);
    let total = |of: fn(&StageProfile) -> u64| stages.iter().map(of).fold(0, u64::saturating_add);
    let run = total(|stage| stage.run_ms.total);
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "a sum of whole numbers of slots"
    )]
    let n_slots = most_slots(changes) as u64;
    Headline {
        wall_seconds: seconds(last.saturating_sub(first).max(0) as f64),
        n_jobs: application.jobs.len() as u64,
        n_stages: stages.len() as u64,
        n_tasks: uses().map(|busy| busy.n_tasks).sum::<u64>() + application.reading.n_tasks_left_out,
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

//! One Spark application, put together from its events in whatever order they come.

use std::collections::{BTreeMap, HashMap};

use serde::Serialize;

use super::diagnose::TASKS_AFTER_CANCEL;
use super::event::{Event, StageEvent, TaskEvent};
use super::interruptible::{BETWEEN_LOOKS, sort_until};
use super::plan::Exchange;
use super::task::{Task, TaskEnding};
use crate::base::Cancel;

/// What a log tells of one application. Times in milliseconds since the epoch.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Application {
    pub id: String,
    pub name: String,
    pub spark_version: String,
    pub started_ms: Option<i64>,
    /// None while the log does not end with the application.
    pub ended_ms: Option<i64>,
    /// Properties that bear on speed; no others are kept.
    pub properties: BTreeMap<String, String>,
    pub cpus_per_task: f64,
    pub executors: Vec<Executor>,
    pub jobs: BTreeMap<u64, Job>,
    /// By id and attempt.
    pub stages: BTreeMap<(u64, u32), Stage>,
    /// SQL queries, by id.
    pub executions: BTreeMap<u64, Execution>,
    pub reading: Reading,
}

#[derive(Debug, Clone, PartialEq, Default, Serialize)]
pub struct Executor {
    pub id: String,
    pub host: String,
    /// Zero where the log lacks the event that says so.
    pub n_cores: u32,
    pub added_ms: Option<i64>,
    pub removed_ms: Option<i64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub removed_reason: Option<String>,
}

#[derive(Debug, Clone, PartialEq, Default, Serialize)]
pub struct Job {
    pub id: u64,
    pub started_ms: Option<i64>,
    pub ended_ms: Option<i64>,
    /// None while it runs.
    pub is_success: Option<bool>,
    pub stages: Vec<u64>,
    pub execution: Option<u64>,
    pub description: Option<String>,
}

#[derive(Debug, Clone, PartialEq, Default)]
pub struct Stage {
    pub id: u64,
    pub attempt: u32,
    pub name: String,
    /// As it was submitted with.
    pub n_tasks: u64,
    pub parents: Vec<u64>,
    pub submitted_ms: Option<i64>,
    pub completed_ms: Option<i64>,
    pub failure: Option<String>,
    /// Reasons of failed attempts, with how many failed of each; at most [`MAX_REASONS`].
    pub failures: BTreeMap<Box<str>, u64>,
    pub execution: Option<u64>,
    pub accumulators: Vec<u64>,
    pub plan_ids: Vec<u64>,
    pub n_started: u64,
    /// Every attempt that ended.
    pub tasks: Vec<Task>,
}

/// A SQL query with the shuffles of its last plan.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Execution {
    pub id: u64,
    pub description: Option<String>,
    pub exchanges: Vec<Exchange>,
}

/// How much of the log was read, and what was not.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize)]
pub struct Reading {
    pub n_files: u64,
    /// Of text, after decompression.
    pub n_bytes: u64,
    pub n_lines: u64,
    pub n_events: u64,
    /// Lines that are no events: cut, or garbled.
    pub n_unreadable: u64,
    /// Task ends beyond what is kept in memory.
    pub n_tasks_left_out: u64,
    /// A cancel came before the log's end.
    pub is_cut: bool,
    /// What a reader of the figures must know.
    pub notes: Vec<String>,
}

/// Reasons of failed attempts that are told apart in a stage.
pub const MAX_REASONS: usize = 20;

/// Puts events together.
#[derive(Debug, Default)]
pub struct Builder {
    application: Application,
    executors: HashMap<Box<str>, u32>,
    n_tasks: usize,
    max_tasks: usize,
}

impl Builder {
    /// Keeps at most `max_tasks` tasks; more are only counted.
    pub fn new(max_tasks: usize) -> Self {
        let application = Application {
            cpus_per_task: 1.0,
            ..Application::default()
        };
        Self {
            application,
            max_tasks,
            ..Self::default()
        }
    }

    pub fn add(&mut self, event: Event) {
        let application = &mut self.application;
        match event {
            Event::LogStart { version } => application.spark_version = version,
            Event::Properties(properties) => {
                if let Some(cpus) = properties
                    .get("spark.task.cpus")
                    .and_then(|text| text.parse().ok())
                {
                    application.cpus_per_task = cpus;
                }
                application.properties.extend(properties);
            }
            Event::CpusPerTask(cpus) if cpus > 0.0 => application.cpus_per_task = cpus,
            Event::CpusPerTask(_) => {}
            Event::ApplicationStart { id, name, at_ms } => {
                application.id = id;
                application.name = name;
                application.started_ms = Some(at_ms);
            }
            Event::ApplicationEnd { at_ms } => application.ended_ms = Some(at_ms),
            Event::ExecutorAdded {
                id,
                host,
                n_cores,
                at_ms,
            } => {
                if let Some(executor) = self.executor(&id) {
                    executor.host = host;
                    executor.n_cores = n_cores;
                    executor.added_ms = Some(at_ms);
                }
            }
            Event::ExecutorRemoved { id, reason, at_ms } => {
                if let Some(executor) = self.executor(&id) {
                    executor.removed_ms = Some(at_ms);
                    executor.removed_reason = Some(reason.lines().next().unwrap_or_default().to_owned());
                }
            }
            Event::JobStart {
                id,
                at_ms,
                stages,
                execution,
                description,
            } => {
                let job = application.jobs.entry(id).or_default();
                job.id = id;
                job.started_ms = Some(at_ms);
                job.stages = stages;
                job.execution = execution;
                job.description = description;
            }
            Event::JobEnd {
                id,
                at_ms,
                is_success,
            } => {
                let job = application.jobs.entry(id).or_default();
                job.id = id;
                job.ended_ms = Some(at_ms);
                job.is_success = Some(is_success);
            }
            Event::Stage(stage) => self.stage(*stage),
            Event::TaskStart { stage, attempt } => self.stage_of(stage, attempt).n_started += 1,
            Event::TaskEnd(task) => self.task(*task),
            Event::Execution {
                id,
                description,
                exchanges,
            } => {
                let execution = application.executions.entry(id).or_default();
                execution.id = id;
                if description.is_some() {
                    execution.description = description;
                }
                if !exchanges.is_empty() {
                    execution.exchanges = exchanges;
                }
            }
        }
    }

    fn executor_index(&mut self, id: &str) -> u32 {
        if let Some(at) = self.executors.get(id) {
            return *at;
        }
        let at = u32::try_from(self.application.executors.len()).unwrap_or(u32::MAX);
        self.application.executors.push(Executor {
            id: id.to_owned(),
            ..Executor::default()
        });
        self.executors.insert(id.into(), at);
        at
    }

    fn executor(&mut self, id: &str) -> Option<&mut Executor> {
        let at = self.executor_index(id);
        self.application.executors.get_mut(at as usize)
    }

    fn stage_of(&mut self, id: u64, attempt: u32) -> &mut Stage {
        let stage = self.application.stages.entry((id, attempt)).or_default();
        stage.id = id;
        stage.attempt = attempt;
        stage
    }

    fn stage(&mut self, event: StageEvent) {
        let stage = self.stage_of(event.id, event.attempt);
        stage.name = event.name;
        stage.n_tasks = event.n_tasks;
        stage.parents = event.parents;
        stage.submitted_ms = event.submitted_ms.or(stage.submitted_ms);
        stage.execution = event.execution.or(stage.execution);
        stage.plan_ids = event.plan_ids;
        if event.is_end {
            stage.completed_ms = event.completed_ms;
            stage.failure = event.failure;
            stage.accumulators = event.accumulators;
        }
    }

    fn task(&mut self, event: TaskEvent) {
        if self.n_tasks >= self.max_tasks {
            self.application.reading.n_tasks_left_out += 1;
            return;
        }
        self.n_tasks += 1;
        let at = self.executor_index(&event.executor);
        if let Some(executor) = self.application.executors.get_mut(at as usize)
            && executor.host.is_empty()
        {
            executor.host = event.host.into_string();
        }
        let task = Task {
            executor: at,
            ..event.task
        };
        let stage = self.stage_of(event.stage, event.stage_attempt);
        // The same work, told a second time: it was done once, in vain.
        let done = event.is_lost_again.then(|| {
            let is_it = |done: &&mut Task| done.id == task.id && done.ending == TaskEnding::Success;
            stage.tasks.iter_mut().rev().find(is_it)
        });
        match done.flatten() {
            Some(done) => done.ending = task.ending,
            None => stage.tasks.push(task),
        }
        if let Some(reason) = event.failure {
            let is_full = stage.failures.len() >= MAX_REASONS;
            match stage.failures.get_mut(&reason) {
                Some(n) => *n += 1,
                None if is_full => {}
                None => drop(stage.failures.insert(reason, 1)),
            }
        }
    }

    /// The application, with its stages tied to their queries. Once `cancel` comes, the tasks of stages that are then not
    /// diagnosed stay in the order of their ends.
    pub fn finish(mut self, reading: Reading, cancel: &Cancel) -> Application {
        let application = &mut self.application;
        let n_left_out = application.reading.n_tasks_left_out;
        application.reading = Reading {
            n_tasks_left_out: n_left_out,
            ..reading
        };
        for job in application.jobs.values() {
            let Some(execution) = job.execution else { continue };
            for stage in &job.stages {
                for (_, stage) in application.stages.range_mut((*stage, 0)..=(*stage, u32::MAX)) {
                    stage.execution.get_or_insert(execution);
                }
            }
        }
        for stage in application.stages.values_mut() {
            sort_tasks(&mut stage.tasks, cancel);
            stage.accumulators.sort_unstable();
        }
        self.application
    }
}

/// In the order of their launch. Many tasks are put in their places one by one, so that a cancel need not wait.
fn sort_tasks(tasks: &mut [Task], cancel: &Cancel) {
    if (tasks.len() as u64) <= TASKS_AFTER_CANCEL {
        tasks.sort_by_key(|task| (task.launched_ms, task.id));
        return;
    }
    let mut order: Vec<(i64, u64, usize)> = tasks
        .iter()
        .enumerate()
        .map(|(at, task)| (task.launched_ms, task.id, at))
        .collect();
    if sort_until(&mut order, cancel).is_err() {
        return;
    }
    let mut from: Vec<usize> = order.into_iter().map(|(_, _, at)| at).collect();
    for to in 0..from.len() {
        if to % BETWEEN_LOOKS == 0 && cancel.is_cancelled() {
            return;
        }
        // What was here before has been swapped to where the task that took its place came from.
        let mut at = from.get(to).copied().unwrap_or(to);
        while at < to {
            at = from.get(at).copied().unwrap_or(to);
        }
        if let Some(place) = from.get_mut(to) {
            *place = at;
        }
        tasks.swap(to, at);
    }
}

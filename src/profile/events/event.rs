//! One line of a log as the little that is kept of it. Unwanted lines are known by their first bytes and not parsed.
//!
//! Field names: Spark's `JsonProtocol.scala`. All of them may be absent; unknown ones are ignored.

use std::borrow::Cow;
use std::collections::BTreeMap;

use serde::Deserialize;

use super::failure::{EndReason, telling_line};
use super::plan::{Exchange, exchanges};
use super::task::{Task, TaskEnding};

/// What a line says.
#[derive(Debug, Clone, PartialEq)]
pub enum Event {
    LogStart {
        version: String,
    },
    /// Properties that explain skew; no others are kept, because some hold secrets.
    Properties(BTreeMap<String, String>),
    ApplicationStart {
        id: String,
        name: String,
        at_ms: i64,
    },
    ApplicationEnd {
        at_ms: i64,
    },
    ExecutorAdded {
        id: Box<str>,
        host: String,
        n_cores: u32,
        at_ms: i64,
    },
    ExecutorRemoved {
        id: Box<str>,
        reason: String,
        at_ms: i64,
    },
    CpusPerTask(f64),
    JobStart {
        id: u64,
        at_ms: i64,
        stages: Vec<u64>,
        execution: Option<u64>,
        description: Option<String>,
    },
    JobEnd {
        id: u64,
        at_ms: i64,
        is_success: bool,
    },
    Stage(Box<StageEvent>),
    TaskStart {
        stage: u64,
        attempt: u32,
    },
    TaskEnd(Box<TaskEvent>),
    Execution {
        id: u64,
        description: Option<String>,
        exchanges: Vec<Exchange>,
    },
}

/// A stage as it was submitted, or as it ended.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct StageEvent {
    pub id: u64,
    pub attempt: u32,
    pub name: String,
    pub n_tasks: u64,
    pub parents: Vec<u64>,
    pub submitted_ms: Option<i64>,
    pub completed_ms: Option<i64>,
    pub failure: Option<String>,
    pub execution: Option<u64>,
    /// Accumulators that the stage updated, by which plan nodes are found.
    pub accumulators: Vec<u64>,
    /// Plan nodes that the stage's RDDs name.
    pub plan_ids: Vec<u64>,
    pub is_end: bool,
}

/// A finished attempt of a task; [`Task::executor`] is not set yet.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct TaskEvent {
    pub stage: u64,
    pub stage_attempt: u32,
    pub executor: Box<str>,
    pub host: Box<str>,
    /// Why it failed; none for other ends.
    pub failure: Option<Box<str>>,
    /// Whether this says of a task that had ended well that its output was lost with its executor.
    pub is_lost_again: bool,
    pub task: Task,
}

/// What one line is.
#[derive(Debug, Clone, PartialEq)]
pub enum Line {
    Event(Event),
    /// A kind of event that nothing here needs.
    Unwanted,
    /// No event, or one that is cut or garbled.
    Unreadable,
}

const START: &[u8] = b"{\"Event\":\"";
const LISTENER: &str = "SparkListener";
const SQL: &str = "org.apache.spark.sql.execution.ui.SparkListener";

/// Reads one line without its line end.
pub fn line(bytes: &[u8]) -> Line {
    let Some(name) = name(bytes) else {
        return Line::Unreadable;
    };
    let parsed = match name.strip_prefix(LISTENER) {
        Some("TaskEnd") => task_end(bytes),
        Some("TaskStart") => parse::<TaskStartLine>(bytes).map(|line| Event::TaskStart {
            stage: line.stage,
            attempt: line.attempt,
        }),
        Some("StageSubmitted") => stage(bytes, false),
        Some("StageCompleted") => stage(bytes, true),
        Some("JobStart") => job_start(bytes),
        Some("JobEnd") => parse::<JobEndLine>(bytes).map(|line| Event::JobEnd {
            id: line.id,
            at_ms: line.at,
            is_success: line.result.is_some_and(|result| result.result == "JobSucceeded"),
        }),
        Some("ExecutorAdded") => parse::<ExecutorAddedLine>(bytes).map(|line| Event::ExecutorAdded {
            id: line.id.into(),
            host: line.info.host.into_owned(),
            n_cores: line.info.cores,
            at_ms: line.at,
        }),
        Some("ExecutorRemoved") => parse::<ExecutorRemovedLine>(bytes).map(|line| Event::ExecutorRemoved {
            id: line.id.into(),
            reason: line.reason.into_owned(),
            at_ms: line.at,
        }),
        Some("ApplicationStart") => parse::<ApplicationLine>(bytes).map(|line| Event::ApplicationStart {
            id: line.id.unwrap_or_default(),
            name: line.name,
            at_ms: line.at,
        }),
        Some("ApplicationEnd") => parse::<AtLine>(bytes).map(|line| Event::ApplicationEnd { at_ms: line.at }),
        Some("LogStart") => parse::<LogStartLine>(bytes).map(|line| Event::LogStart {
            version: line.version,
        }),
        Some("EnvironmentUpdate") => parse::<EnvironmentLine<'_>>(bytes).map(properties),
        Some("ResourceProfileAdded") => parse::<ResourceLine>(bytes).map(cpus_per_task),
        Some(_) => return Line::Unwanted,
        None => match name.strip_prefix(SQL) {
            Some("SQLExecutionStart" | "SQLAdaptiveExecutionUpdate") => execution(bytes),
            _ => return Line::Unwanted,
        },
    };
    parsed.map_or(Line::Unreadable, Line::Event)
}

#[derive(Deserialize)]
struct Named {
    #[serde(rename = "Event")]
    event: String,
}

/// The event's name. Spark writes it first; a log that went through other hands may have spaces.
fn name(bytes: &[u8]) -> Option<Cow<'_, str>> {
    if let Some(rest) = bytes.strip_prefix(START) {
        let end = rest.iter().position(|byte| *byte == b'"')?;
        return std::str::from_utf8(rest.get(..end)?).ok().map(Cow::Borrowed);
    }
    if bytes.trim_ascii_start().first() != Some(&b'{') {
        return None;
    }
    parse::<Named>(bytes).map(|named| Cow::Owned(named.event))
}

fn parse<'a, T: Deserialize<'a>>(bytes: &'a [u8]) -> Option<T> {
    serde_json::from_slice(bytes).ok()
}

/// A count or time that is -1 where Spark does not know it.
fn whole(n: i64) -> u64 {
    u64::try_from(n).unwrap_or(0)
}

fn short(n: i64) -> u32 {
    u32::try_from(n.max(0)).unwrap_or(u32::MAX)
}

#[derive(Deserialize)]
struct TaskEndLine<'a> {
    #[serde(rename = "Stage ID")]
    stage: u64,
    #[serde(rename = "Stage Attempt ID", default)]
    attempt: u32,
    #[serde(rename = "Task End Reason", borrow)]
    reason: Option<EndReason<'a>>,
    #[serde(rename = "Task Info", borrow)]
    info: TaskInfo<'a>,
    #[serde(rename = "Task Metrics")]
    metrics: Option<Metrics>,
}

#[derive(Deserialize)]
struct TaskInfo<'a> {
    #[serde(rename = "Task ID", default)]
    id: u64,
    #[serde(rename = "Index", default)]
    index: i64,
    #[serde(rename = "Attempt", default)]
    attempt: i64,
    #[serde(rename = "Partition ID")]
    partition: Option<i64>,
    #[serde(rename = "Launch Time", default)]
    launched: i64,
    #[serde(rename = "Finish Time", default)]
    finished: i64,
    #[serde(rename = "Getting Result Time", default)]
    getting_result: i64,
    #[serde(rename = "Executor ID", borrow, default)]
    executor: Cow<'a, str>,
    #[serde(rename = "Host", borrow, default)]
    host: Cow<'a, str>,
    #[serde(rename = "Speculative", default)]
    is_speculative: bool,
    #[serde(rename = "Failed", default)]
    is_failed: bool,
    #[serde(rename = "Killed", default)]
    is_killed: bool,
}

#[derive(Deserialize, Default)]
struct Metrics {
    #[serde(rename = "Executor Deserialize Time", default)]
    deserialize: i64,
    #[serde(rename = "Executor Run Time", default)]
    run: i64,
    #[serde(rename = "Executor CPU Time", default)]
    cpu_ns: i64,
    #[serde(rename = "JVM GC Time", default)]
    gc: i64,
    #[serde(rename = "Result Serialization Time", default)]
    serialize: i64,
    #[serde(rename = "Memory Bytes Spilled", default)]
    spilled_memory: i64,
    #[serde(rename = "Disk Bytes Spilled", default)]
    spilled_disk: i64,
    #[serde(rename = "Shuffle Read Metrics")]
    read: Option<ShuffleRead>,
    #[serde(rename = "Shuffle Write Metrics")]
    write: Option<ShuffleWrite>,
    #[serde(rename = "Input Metrics")]
    input: Option<Input>,
    #[serde(rename = "Output Metrics")]
    output: Option<Output>,
}

#[derive(Deserialize, Default)]
struct ShuffleRead {
    #[serde(rename = "Fetch Wait Time", default)]
    fetch_wait: i64,
    #[serde(rename = "Remote Bytes Read", default)]
    remote: i64,
    #[serde(rename = "Local Bytes Read", default)]
    local: i64,
    #[serde(rename = "Total Records Read", default)]
    records: i64,
}

#[derive(Deserialize, Default)]
struct ShuffleWrite {
    #[serde(rename = "Shuffle Bytes Written", default)]
    bytes: i64,
}

#[derive(Deserialize, Default)]
struct Input {
    #[serde(rename = "Bytes Read", default)]
    bytes: i64,
    #[serde(rename = "Records Read", default)]
    records: i64,
}

#[derive(Deserialize, Default)]
struct Output {
    #[serde(rename = "Bytes Written", default)]
    bytes: i64,
    #[serde(rename = "Records Written", default)]
    records: i64,
}

fn task_end(bytes: &[u8]) -> Option<Event> {
    let line: TaskEndLine<'_> = parse(bytes)?;
    let info = line.info;
    let metrics = line.metrics.unwrap_or_default();
    let reason = line.reason.unwrap_or_default();
    let ending = match reason.reason.as_ref() {
        "Success" => TaskEnding::Success,
        "TaskKilled" => TaskEnding::Killed,
        "" if info.is_killed => TaskEnding::Killed,
        "" if !info.is_failed => TaskEnding::Success,
        _ => TaskEnding::Failed,
    };
    let duration = info.finished.saturating_sub(info.launched);
    let getting_result = if info.getting_result > 0 {
        info.finished.saturating_sub(info.getting_result)
    } else {
        0
    };
    let delay = [
        metrics.run,
        metrics.deserialize,
        metrics.serialize,
        getting_result,
    ]
    .iter()
    .fold(duration, |left, part| left.saturating_sub(*part));
    let read = metrics.read.unwrap_or_default();
    let input = metrics.input.unwrap_or_default();
    let output = metrics.output.unwrap_or_default();
    let task = Task {
        id: info.id,
        index: short(info.index),
        partition: short(info.partition.filter(|id| *id >= 0).unwrap_or(info.index)),
        attempt: short(info.attempt),
        executor: 0,
        ending,
        is_speculative: info.is_speculative,
        launched_ms: info.launched,
        duration_ms: short(duration),
        run_ms: short(metrics.run),
        cpu_ms: short(metrics.cpu_ns / 1_000_000),
        gc_ms: short(metrics.gc),
        fetch_wait_ms: short(read.fetch_wait),
        scheduler_delay_ms: short(delay),
        n_bytes_in: whole(input.bytes),
        n_bytes_out: whole(output.bytes),
        n_bytes_shuffle_read: whole(read.remote).saturating_add(whole(read.local)),
        n_bytes_shuffle_written: whole(metrics.write.unwrap_or_default().bytes),
        n_records_in: whole(input.records),
        n_records_shuffle_read: whole(read.records),
        n_records_out: whole(output.records),
        n_bytes_spilled: whole(metrics.spilled_disk).max(whole(metrics.spilled_memory)),
    };
    Some(Event::TaskEnd(Box::new(TaskEvent {
        stage: line.stage,
        stage_attempt: line.attempt,
        executor: info.executor.as_ref().into(),
        host: info.host.as_ref().into(),
        failure: (ending == TaskEnding::Failed).then(|| reason.text().into()),
        is_lost_again: reason.reason == "Resubmitted",
        task,
    })))
}

#[derive(Deserialize)]
struct TaskStartLine {
    #[serde(rename = "Stage ID")]
    stage: u64,
    #[serde(rename = "Stage Attempt ID", default)]
    attempt: u32,
}

#[derive(Deserialize)]
struct StageLine<'a> {
    #[serde(rename = "Stage Info")]
    info: StageInfo,
    #[serde(rename = "Properties", borrow)]
    properties: Option<StageProperties<'a>>,
}

#[derive(Deserialize)]
struct StageProperties<'a> {
    #[serde(rename = "spark.sql.execution.id", borrow)]
    execution: Option<Cow<'a, str>>,
}

#[derive(Deserialize)]
struct StageInfo {
    #[serde(rename = "Stage ID")]
    id: u64,
    #[serde(rename = "Stage Attempt ID", default)]
    attempt: u32,
    #[serde(rename = "Stage Name", default)]
    name: String,
    #[serde(rename = "Number of Tasks", default)]
    n_tasks: u64,
    #[serde(rename = "Parent IDs", default)]
    parents: Vec<u64>,
    #[serde(rename = "Submission Time")]
    submitted: Option<i64>,
    #[serde(rename = "Completion Time")]
    completed: Option<i64>,
    #[serde(rename = "Failure Reason")]
    failure: Option<String>,
    #[serde(rename = "Accumulables", default)]
    accumulators: Vec<Accumulator>,
    #[serde(rename = "RDD Info", default)]
    rdds: Vec<Rdd>,
}

#[derive(Deserialize)]
struct Accumulator {
    #[serde(rename = "ID")]
    id: u64,
}

#[derive(Deserialize)]
struct Rdd {
    /// JSON in a string: `{"id":"spark_plan_72","name":"Exchange"}`.
    #[serde(rename = "Scope")]
    scope: Option<String>,
    /// Only an RDD of this name reads a shuffle.
    #[serde(rename = "Name", default)]
    name: String,
}

#[derive(Deserialize)]
struct Scope {
    id: String,
}

/// The plan node whose shuffle the RDD reads.
fn plan_id(rdd: &Rdd) -> Option<u64> {
    if !rdd.name.contains("ShuffledRowRDD") {
        return None;
    }
    let scope: Scope = serde_json::from_str(rdd.scope.as_deref()?).ok()?;
    scope.id.strip_prefix("spark_plan_")?.parse().ok()
}

/// A message can be a stack trace: its first line says what happened.
fn first_line(text: &str) -> String {
    text.lines()
        .next()
        .unwrap_or_default()
        .chars()
        .take(300)
        .collect()
}

fn stage(bytes: &[u8], is_end: bool) -> Option<Event> {
    let line: StageLine<'_> = parse(bytes)?;
    let info = line.info;
    Some(Event::Stage(Box::new(StageEvent {
        plan_ids: info.rdds.iter().filter_map(plan_id).collect(),
        id: info.id,
        attempt: info.attempt,
        name: info.name,
        n_tasks: info.n_tasks,
        parents: info.parents,
        submitted_ms: info.submitted,
        completed_ms: info.completed,
        failure: info.failure.map(|text| telling_line(&text)),
        execution: line
            .properties
            .and_then(|properties| properties.execution?.parse().ok()),
        accumulators: info
            .accumulators
            .into_iter()
            .map(|accumulator| accumulator.id)
            .collect(),
        is_end,
    })))
}

#[derive(Deserialize)]
struct JobStartLine<'a> {
    #[serde(rename = "Job ID")]
    id: u64,
    #[serde(rename = "Submission Time", default)]
    at: i64,
    #[serde(rename = "Stage IDs", default)]
    stages: Vec<u64>,
    #[serde(rename = "Properties", borrow)]
    properties: Option<JobProperties<'a>>,
}

#[derive(Deserialize)]
struct JobProperties<'a> {
    #[serde(rename = "spark.sql.execution.id", borrow)]
    execution: Option<Cow<'a, str>>,
    #[serde(rename = "spark.job.description", borrow)]
    description: Option<Cow<'a, str>>,
}

fn job_start(bytes: &[u8]) -> Option<Event> {
    let line: JobStartLine<'_> = parse(bytes)?;
    let (execution, description) = line.properties.map_or((None, None), |properties| {
        (
            properties.execution.and_then(|id| id.parse().ok()),
            properties.description.map(|text| first_line(&text)),
        )
    });
    Some(Event::JobStart {
        id: line.id,
        at_ms: line.at,
        stages: line.stages,
        execution,
        description,
    })
}

#[derive(Deserialize)]
struct JobEndLine {
    #[serde(rename = "Job ID")]
    id: u64,
    #[serde(rename = "Completion Time", default)]
    at: i64,
    #[serde(rename = "Job Result")]
    result: Option<JobResult>,
}

#[derive(Deserialize)]
struct JobResult {
    #[serde(rename = "Result", default)]
    result: String,
}

#[derive(Deserialize)]
struct ExecutorAddedLine<'a> {
    #[serde(rename = "Timestamp", default)]
    at: i64,
    #[serde(rename = "Executor ID", borrow)]
    id: Cow<'a, str>,
    #[serde(rename = "Executor Info", borrow)]
    info: ExecutorInfo<'a>,
}

#[derive(Deserialize)]
struct ExecutorInfo<'a> {
    #[serde(rename = "Host", borrow, default)]
    host: Cow<'a, str>,
    #[serde(rename = "Total Cores", default)]
    cores: u32,
}

#[derive(Deserialize)]
struct ExecutorRemovedLine<'a> {
    #[serde(rename = "Timestamp", default)]
    at: i64,
    #[serde(rename = "Executor ID", borrow)]
    id: Cow<'a, str>,
    #[serde(rename = "Removed Reason", borrow, default)]
    reason: Cow<'a, str>,
}

#[derive(Deserialize)]
struct ApplicationLine {
    #[serde(rename = "App Name", default)]
    name: String,
    #[serde(rename = "App ID")]
    id: Option<String>,
    #[serde(rename = "Timestamp", default)]
    at: i64,
}

#[derive(Deserialize)]
struct AtLine {
    #[serde(rename = "Timestamp", default)]
    at: i64,
}

#[derive(Deserialize)]
struct LogStartLine {
    #[serde(rename = "Spark Version", default)]
    version: String,
}

#[derive(Deserialize)]
struct EnvironmentLine<'a> {
    #[serde(rename = "Spark Properties", borrow, default)]
    properties: BTreeMap<Cow<'a, str>, Cow<'a, str>>,
}

/// Properties that bear on speed, by how they begin: what a diagnosis asks for, and what two logs are compared by.
/// Everything else may hold paths, names and secrets of others.
const KEPT: [&str; 25] = [
    "spark.default.parallelism",
    "spark.driver.cores",
    "spark.driver.memory",
    "spark.dynamicAllocation.",
    "spark.executor.cores",
    "spark.executor.instances",
    "spark.executor.memory",
    "spark.io.compression.",
    "spark.locality.wait",
    "spark.memory.",
    "spark.network.timeout",
    "spark.reducer.",
    "spark.scheduler.mode",
    "spark.serializer",
    "spark.shuffle.",
    "spark.speculation",
    "spark.sql.adaptive.",
    "spark.sql.autoBroadcastJoinThreshold",
    "spark.sql.codegen.",
    "spark.sql.execution.",
    "spark.sql.files.",
    "spark.sql.join.",
    "spark.sql.parquet.",
    "spark.sql.shuffle.partitions",
    "spark.task.",
];
/// Words of names whose values are not to be kept. Source: Spark's `spark.redaction.regex`.
const SECRET: [&str; 5] = ["secret", "password", "token", "access.key", "accesskey"];

fn properties(line: EnvironmentLine<'_>) -> Event {
    let is_secret = |name: &str| {
        let name = name.to_ascii_lowercase();
        SECRET.iter().any(|word| name.contains(word))
    };
    let is_kept = |name: &str| KEPT.iter().any(|kept| name.starts_with(kept)) && !is_secret(name);
    let kept = line.properties.into_iter().filter(|(name, _)| is_kept(name));
    Event::Properties(
        kept.map(|(name, value)| (name.into_owned(), value.into_owned()))
            .collect(),
    )
}

#[derive(Deserialize)]
struct ResourceLine {
    #[serde(rename = "Task Resource Requests", default)]
    requests: TaskResources,
}

#[derive(Deserialize, Default)]
struct TaskResources {
    cpus: Option<Amount>,
}

#[derive(Deserialize)]
struct Amount {
    #[serde(rename = "Amount", default)]
    amount: f64,
}

fn cpus_per_task(line: ResourceLine) -> Event {
    Event::CpusPerTask(line.requests.cpus.map_or(1.0, |cpus| cpus.amount))
}

#[derive(Deserialize)]
struct ExecutionLine {
    #[serde(rename = "executionId")]
    id: u64,
    description: Option<String>,
}

fn execution(bytes: &[u8]) -> Option<Event> {
    let line: ExecutionLine = parse(bytes)?;
    Some(Event::Execution {
        id: line.id,
        description: line.description.map(|text| first_line(&text)),
        exchanges: exchanges(bytes),
    })
}

//! Planning a run for many machines: what every day needs, cut into tasks that each stand alone.
//!
//! `<control>/plans/<plan_id>/plan.json` says what is to be done, `tasks/<index>.parquet` which objects a task reads.
//! Tasks are stateless: each reads these two, leaves its parts staged, and says so in `done/<index>.json`; one `commit`
//! then makes each day's commit, if no other run has changed the day since it was planned.

use std::collections::BTreeSet;
use std::ops::Range;

use chrono::{NaiveDate, Utc};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use super::commit::{CommitKind, DayLog, DayPart};
use super::files::Files;
use super::ledger::{Entry, Ledger, LedgerBuilder};
use super::objects::{Listed, Objects};
use super::slots::Slots;
use super::work::{Copy, Decision, Work, decide};
use super::{Opened, RunError, RunOptions, list, run_id};
use crate::base::envelope::API_VERSION;
use crate::base::{Cancel, Progress};
use crate::job::{Job, Params, SinkLayout};
use crate::storage::{Location, Partition};
use crate::transform::Scope;

/// A task reads about this much when no number of tasks is asked for.
const TASK_BYTES: u64 = 512 << 20;
/// Opening a file costs as much as reading this many bytes of it.
const FILE_BYTES: u64 = 16 << 10;

/// How to cut the work.
#[derive(Debug, Clone, Default)]
pub struct PlanOptions {
    /// About this many tasks; none cuts by bytes. A day has one at least.
    pub n_tasks: Option<usize>,
    pub run: RunOptions,
}

/// What `plan` prints.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct PlanReport {
    pub plan_id: String,
    /// Where the plan is kept.
    pub plan: String,
    pub tasks: Vec<PlannedTask>,
    pub partitions: Vec<PlannedPartition>,
}

/// One task, the work of one machine.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PlannedTask {
    pub index: usize,
    pub partition: Partition,
    pub n_files: u64,
    /// As stored.
    pub n_bytes: u64,
}

/// One day of a plan.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PlannedPartition {
    pub partition: Partition,
    pub status: PlannedStatus,
    /// Files of the day's listing.
    pub n_files: u64,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub message: Option<String>,
}

/// Whether a day has work.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PlannedStatus {
    Planned,
    NoData,
    UpToDate,
}

/// The plan as it is kept.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct PlanRecord {
    pub plan_id: String,
    pub spec_sha256: String,
    pub created: String,
    pub days: Vec<DayPlan>,
    pub tasks: Vec<TaskPlan>,
}

/// A day as it was when it was planned, and what is to become of it.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct DayPlan {
    pub day: NaiveDate,
    pub planned: PlannedPartition,
    /// Number of the commit that the plan goes on from.
    pub base: u64,
    pub kind: CommitKind,
    pub is_whole: bool,
    pub kept: Vec<DayPart>,
    pub deletes: Vec<String>,
    pub replaced: BTreeSet<String>,
    pub n_new: u64,
    pub n_changed: u64,
    pub n_vanished: u64,
    /// Of the files of its inputs.
    #[serde(default)]
    pub inputs_sha256: String,
    /// Indices of its tasks.
    pub tasks: Vec<usize>,
}

/// A task's share.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct TaskPlan {
    pub day: NaiveDate,
    pub n_files: u64,
    pub n_bytes: u64,
    /// The numbers of its parts.
    pub slots: Slots,
    /// Published rows that go into its parts first.
    pub copies: Vec<Copy>,
}

/// What a document of a plan is wrapped in.
#[derive(Serialize, Deserialize)]
struct Envelope<T> {
    #[serde(rename = "apiVersion")]
    api_version: String,
    kind: String,
    #[serde(flatten)]
    content: T,
}

/// The documents of one plan.
#[derive(Debug, Clone)]
pub(super) struct PlanFolder<'a> {
    pub files: &'a Files,
    pub folder: Location,
}

impl<'a> PlanFolder<'a> {
    pub fn new(files: &'a Files, job: &Job, plan_id: &str) -> Self {
        Self {
            files,
            folder: job.sink.control.join(&format!("plans/{plan_id}")),
        }
    }

    fn plan_at(&self) -> Location {
        self.folder.join("plan.json")
    }

    fn inputs_at(&self, index: usize) -> Location {
        self.folder.join(&format!("tasks/{index:05}.parquet"))
    }

    pub fn done_at(&self, index: usize) -> Location {
        self.folder.join(&format!("done/{index:05}.json"))
    }

    /// # Errors
    /// [`RunError::NoPlan`] when there is none of that name, [`RunError::OtherSpec`] when it was made for another spec.
    pub async fn plan(&self, job: &Job, plan_id: &str) -> Result<PlanRecord, RunError> {
        let at = self.plan_at();
        let Some(plan) = self.read::<PlanRecord>(&at, "Plan").await? else {
            return Err(RunError::NoPlan {
                plan_id: plan_id.to_owned(),
                location: at.to_string(),
            });
        };
        if plan.spec_sha256 != job.spec_sha256 {
            return Err(RunError::OtherSpec {
                plan_id: plan_id.to_owned(),
            });
        }
        Ok(plan)
    }

    /// The objects of a task.
    pub async fn inputs(&self, index: usize) -> Result<Objects, RunError> {
        let at = self.inputs_at(index);
        let content = self.files.read(&at).await?.ok_or_else(|| RunError::Record {
            location: at.to_string(),
            message: "it is gone: plan again".to_owned(),
        })?;
        let listed = Ledger::decode(content, &at)?;
        Ok(listed
            .entries()
            .map(|entry| Listed {
                key: entry.key,
                etag: entry.etag,
                size: entry.size,
            })
            .collect())
    }

    pub async fn read<T: DeserializeOwned>(&self, at: &Location, kind: &str) -> Result<Option<T>, RunError> {
        let Some(content) = self.files.read(at).await? else {
            return Ok(None);
        };
        let unreadable = |message: String| RunError::Record {
            location: at.to_string(),
            message,
        };
        let document: Envelope<T> =
            serde_json::from_slice(&content).map_err(|error| unreadable(error.to_string()))?;
        if document.api_version != API_VERSION || document.kind != kind {
            return Err(unreadable("another version wrote it".to_owned()));
        }
        Ok(Some(document.content))
    }

    /// A document as it is stored.
    pub fn document<T: Serialize>(at: &Location, kind: &str, content: T) -> Result<Vec<u8>, RunError> {
        let envelope = Envelope {
            api_version: API_VERSION.to_owned(),
            kind: kind.to_owned(),
            content,
        };
        serde_json::to_vec_pretty(&envelope).map_err(|error| RunError::Record {
            location: at.to_string(),
            message: error.to_string(),
        })
    }

    async fn put_inputs(
        &self,
        index: usize,
        objects: impl Iterator<Item = Listed<'_>>,
    ) -> Result<(), RunError> {
        let mut builder = LedgerBuilder::default();
        for object in objects {
            builder.push(Entry {
                key: object.key,
                etag: object.etag,
                size: object.size,
                line: 0,
                slot: None,
                first_row: 0,
                n_rows: 0,
            });
        }
        let at = self.inputs_at(index);
        self.files.put(&at, &builder.finish().encode(&at)?).await
    }
}

/// Plans `job` for the days of `params`: lists, compares with the ledgers, and cuts what is to be read into tasks.
///
/// # Errors
/// [`RunError`] for a source that cannot be listed or a day that cannot go on; nothing is planned then.
pub async fn plan(
    job: &Job,
    params: &Params,
    options: &PlanOptions,
    progress: &Progress,
    cancel: &Cancel,
) -> Result<PlanReport, RunError> {
    let plan_id = run_id::new_run_id();
    let opened = Opened::open(job, &options.run).await?;
    let folder = PlanFolder::new(&opened.files, job, &plan_id);
    let mut days = Vec::new();
    let mut works: Vec<(usize, u64, Work)> = Vec::new();
    let asked = params.days_with_lookback(job.spec.incremental.lookback_days);
    for day in asked.into_iter().rev() {
        cancel.check()?;
        progress.set_note(day.to_string());
        let (planned, first_slot, work) = plan_day(job, &opened, options, day, cancel)
            .await
            .map_err(|error| in_plan(day, error))?;
        if planned.planned.status == PlannedStatus::Planned {
            works.push((days.len(), first_slot, work));
        }
        days.push(planned);
    }
    let weight: u64 = works.iter().map(|(_, _, work)| weight_of(&work.objects)).sum();
    let target = match options.n_tasks {
        Some(n) => weight.div_ceil(n.max(1) as u64),
        None => TASK_BYTES,
    };
    let mut tasks: Vec<TaskPlan> = Vec::new();
    for (day_index, first, work) in works {
        let Some(day) = days.get_mut(day_index) else {
            continue;
        };
        let shares = shares(job, &work, target);
        let n_shares = shares.len() as u64;
        for (share, objects) in (0..).zip(shares) {
            let objects = work.objects.slice(objects);
            folder.put_inputs(tasks.len(), objects.clone()).await?;
            day.tasks.push(tasks.len());
            tasks.push(TaskPlan {
                day: day.day,
                n_files: objects.len() as u64,
                n_bytes: objects.map(|object| object.size).sum(),
                slots: Slots {
                    first,
                    share,
                    n_shares,
                },
                copies: if share == 0 {
                    work.copies.clone()
                } else {
                    Vec::new()
                },
            });
        }
    }
    let report = PlanReport {
        plan_id: plan_id.clone(),
        plan: folder.plan_at().to_string(),
        tasks: tasks
            .iter()
            .enumerate()
            .map(|(index, task)| PlannedTask {
                index,
                partition: Partition::Day(task.day),
                n_files: task.n_files,
                n_bytes: task.n_bytes,
            })
            .collect(),
        partitions: days.iter().map(|day| day.planned.clone()).collect(),
    };
    let record = PlanRecord {
        plan_id,
        spec_sha256: job.spec_sha256.clone(),
        created: Utc::now().to_rfc3339_opts(chrono::SecondsFormat::Secs, true),
        days,
        tasks,
    };
    let at = folder.plan_at();
    let content = PlanFolder::document(&at, "Plan", &record)?;
    opened.files.put(&at, &content).await?;
    Ok(report)
}

fn in_plan(day: NaiveDate, error: RunError) -> RunError {
    match error {
        RunError::Cancelled => RunError::Cancelled,
        other => RunError::InPlan {
            day,
            source: Box::new(other),
        },
    }
}

/// What a day needs, and the first part number that it may use.
async fn plan_day(
    job: &Job,
    opened: &Opened,
    options: &PlanOptions,
    day: NaiveDate,
    cancel: &Cancel,
) -> Result<(DayPlan, u64, Work), RunError> {
    job.check_overlap(day)?;
    let log = DayLog::new(&opened.files, &job.sink, day);
    let state = log.recover(options.run.replace).await?;
    let objects = list::list(&job.source, &opened.source, day, cancel).await?;
    let mut planned = PlannedPartition {
        partition: Partition::Day(day),
        status: PlannedStatus::Planned,
        n_files: objects.len() as u64,
        message: None,
    };
    let ledger = if options.run.replace {
        None
    } else {
        log.ledger(&state).await?
    };
    let mut work = Work::default();
    let inputs = opened.inputs.list(day, cancel).await?;
    match decide(
        job,
        &state,
        ledger.as_ref(),
        objects,
        &inputs.sha256,
        options.run.replace,
    )? {
        Decision::NoData => planned.status = PlannedStatus::NoData,
        Decision::UpToDate { message } => {
            planned.status = PlannedStatus::UpToDate;
            planned.message = Some(message);
        }
        Decision::Work(found) => {
            log.check_parts(&state).await?;
            planned.message.clone_from(&found.message);
            work = found;
        }
    }
    let plan = DayPlan {
        day,
        planned,
        base: state.n,
        kind: work.kind,
        is_whole: work.is_whole,
        kept: std::mem::take(&mut work.kept),
        deletes: std::mem::take(&mut work.deletes),
        replaced: work.replaced.clone(),
        n_new: work.n_new,
        n_changed: work.n_changed,
        n_vanished: work.n_vanished,
        inputs_sha256: inputs.sha256,
        tasks: Vec::new(),
    };
    Ok((plan, state.next_slot, work))
}

fn weight_of(objects: &Objects) -> u64 {
    objects.n_bytes() + objects.len() as u64 * FILE_BYTES
}

/// The indices of the day's objects in their order, cut into shares of about equal weight.
fn shares(job: &Job, work: &Work, target: u64) -> Vec<Range<usize>> {
    let objects = &work.objects;
    // Steps over the whole day, and a day that is one object, are one machine's work.
    let is_one = job.plan.scope() == Scope::Partition || job.sink.layout == SinkLayout::Single;
    let weight = weight_of(objects);
    let n = if is_one {
        1
    } else {
        let target = target.max(1);
        ((weight + target / 2) / target).clamp(1, objects.len().max(1) as u64)
    };
    let mut shares = Vec::new();
    let mut start = 0;
    let mut before = 0;
    for share in 1..=n {
        let until = weight * share / n;
        let mut end = start;
        for object in objects.slice(start..objects.len()) {
            // An object goes where its middle is; every share has one at least, and leaves one for each after it.
            let next = object.size + FILE_BYTES;
            let left = (objects.len() - end) as u64;
            if share < n && end > start && (before + next / 2 > until || left <= n - share) {
                break;
            }
            before += next;
            end += 1;
        }
        shares.push(start..end);
        start = end;
    }
    shares
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::{FILE_BYTES, shares};
    use crate::job::Job;
    use crate::run::objects::Objects;
    use crate::run::work::Work;

    fn job() -> Job {
        let spec = "\
apiVersion: skewer/v1
kind: Job
metadata: {name: j}
source: {uri: 'raw/{day}/', schema: {fields: [{name: id, type: int64}]}}
sink: {uri: out/j}
";
        Job::from_text(spec, std::path::Path::new("/lake")).unwrap()
    }

    proptest! {
        #[test]
        fn shares_are_whole_in_order_and_near_the_target(
            sizes in prop::collection::vec(0_u64..1_000_000, 1..60),
            target in 1_u64..2_000_000,
        ) {
            let names = (0..).map(|i: usize| format!("{i:03}"));
            let objects = Objects::of_sizes(names.zip(sizes.iter().copied()));
            let work = Work { objects, ..Work::default() };
            let cut = shares(&job(), &work, target);
            let all: Vec<usize> = cut.iter().cloned().flatten().collect();
            prop_assert_eq!(all, (0..sizes.len()).collect::<Vec<_>>());
            prop_assert!(cut.iter().all(|share| !share.is_empty()));
            let largest = sizes.iter().max().unwrap() + FILE_BYTES;
            for share in cut {
                let weight: u64 = work.objects.slice(share).map(|object| object.size + FILE_BYTES).sum();
                prop_assert!(weight <= target + target / 2 + largest, "{weight} of {target}");
            }
        }
    }
}

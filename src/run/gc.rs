//! Removes what runs left that never came back: staged parts, uploads, ledgers and plans that no commit names, and the
//! rejects of days that their run did not commit. Those of a day over its error budget are among them, once they are as
//! old as all else: the records are in the raw files, and a run says again what is wrong with them.
//!
//! Safe beside running runs whatever their age: before anything of a day is removed, the day's log gets a commit that
//! changes nothing, so that a run which began before finds its commit taken, and starts again.

use std::collections::BTreeMap;
use std::time::Duration;

use chrono::{DateTime, NaiveDate, TimeDelta, Utc};
use serde::{Deserialize, Serialize};

use super::commit::{Changes, Commit, CommitKind, CommitPart, DayLog, DayState};
use super::files::{Files, NOTE_SUFFIX, Remote, Staged, remote};
use super::run_id::new_run_id;
use super::{RunError, RunOptions, exit, quarantine};
use crate::base::Cancel;
use crate::job::Job;
use crate::storage::{Object, StorageError, Store};

/// What counts as left behind.
#[derive(Debug, Clone)]
pub struct GcOptions {
    /// Untouched for this long, by the storage's own clock.
    pub older_than: Duration,
    /// Says what would go, and removes nothing.
    pub is_dry_run: bool,
    pub run: RunOptions,
}

/// What was removed, or would be.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct GcReport {
    pub is_dry_run: bool,
    /// Runs whose commit was finished for them.
    pub rolled_forward: Vec<NaiveDate>,
    /// Objects removed, by their location.
    pub objects: Vec<String>,
    pub n_bytes: u64,
    pub n_uploads_aborted: u64,
}

/// What one run or plan left for one day, or in the documents of a plan.
#[derive(Debug, Default)]
struct Left {
    objects: Vec<Object>,
    /// Rejects, which count when the run committed the day.
    rejects: Vec<Object>,
    newest: Option<DateTime<Utc>>,
}

/// By the id of the run or plan.
type ByRun = BTreeMap<String, Left>;

/// Looks through the control folder of `job`.
///
/// # Errors
/// [`RunError`] of the storage; what was removed until then stays removed, and nothing that a commit names ever is.
pub async fn gc(job: &Job, options: &GcOptions, cancel: &Cancel) -> Result<GcReport, RunError> {
    let files = Files::open(&job.sink.root, &job.sink.connection, &options.run.store).await?;
    let control =
        Store::open_or_create_with(&job.sink.control, &job.sink.connection, &options.run.store).await?;
    let control = remote(control);
    let collector = Collector {
        job,
        files: &files,
        control: &control,
        options,
        cancel,
        until: Utc::now() - TimeDelta::from_std(options.older_than).unwrap_or(TimeDelta::MAX),
    };
    collector.run().await
}

pub(super) struct Collector<'a> {
    pub job: &'a Job,
    pub files: &'a Files,
    pub control: &'a Remote,
    pub options: &'a GcOptions,
    pub cancel: &'a Cancel,
    /// What was touched after this is left.
    pub until: DateTime<Utc>,
}

impl Collector<'_> {
    pub async fn run(&self) -> Result<GcReport, RunError> {
        let mut report = GcReport {
            is_dry_run: self.options.is_dry_run,
            ..GcReport::default()
        };
        let (days, plans) = self.left().await?;
        for (day, left) in days {
            self.cancel.check()?;
            self.day(day, left, &mut report).await?;
        }
        self.ledgers(&mut report).await?;
        self.plans(plans, &mut report).await?;
        self.temporary(&mut report).await?;
        if !self.options.is_dry_run {
            self.files
                .remove_empty_below(&self.job.sink.control.join("staging"));
        }
        Ok(report)
    }

    /// What lies in staging and in quarantine by day and run, and the documents of plans by their id; only what is old
    /// enough. Of a plan that is everything or nothing: its tasks may run hours apart.
    async fn left(&self) -> Result<(BTreeMap<NaiveDate, ByRun>, ByRun), RunError> {
        let mut by_day: BTreeMap<NaiveDate, ByRun> = BTreeMap::new();
        let mut plans = ByRun::new();
        for object in self.list("plans/").await? {
            if let Some(plan_id) = object.key.split('/').nth(1) {
                let plan = plans.entry(plan_id.to_owned()).or_default();
                plan.touch(&object);
                plan.objects.push(object);
            }
        }
        for object in self.list("staging/").await? {
            let mut names = object.key.split('/').skip(1);
            let (Some(run_id), Some(Ok(day))) = (names.next(), names.next().map(str::parse)) else {
                continue;
            };
            let left = of_run(&mut by_day, &mut plans, run_id, day, &object);
            left.objects.push(object);
        }
        for object in self.list("quarantine/").await? {
            let Some((run_id, day)) = quarantine::owner(&object.key) else {
                continue;
            };
            let left = of_run(&mut by_day, &mut plans, run_id, day, &object);
            left.rejects.push(object);
        }
        for left in by_day.values_mut() {
            left.retain(|run_id, left| {
                let plan = plans.get(run_id);
                plan.unwrap_or(left).is_before(self.until)
            });
        }
        plans.retain(|_, left| left.is_before(self.until));
        Ok((by_day, plans))
    }

    /// Leaves the rejects of runs that committed the day: they are what `replay` reads.
    async fn leave_committed(&self, day: NaiveDate, left: &mut ByRun) -> Result<(), RunError> {
        if left.values().any(|left| !left.rejects.is_empty()) {
            for (_, run_id) in DayLog::new(self.files, &self.job.sink, day).run_ids().await? {
                if let Some(left) = left.get_mut(&run_id) {
                    left.rejects.clear();
                }
            }
        }
        left.retain(|_, left| !(left.objects.is_empty() && left.rejects.is_empty()));
        Ok(())
    }

    /// Fences a day off from runs that began before, then removes what they staged, and the rejects of those that did not
    /// commit it until then.
    async fn day(&self, day: NaiveDate, mut left: ByRun, report: &mut GcReport) -> Result<(), RunError> {
        self.leave_committed(day, &mut left).await?;
        if left.is_empty() {
            return Ok(());
        }
        if !self.options.is_dry_run {
            let state = self.fence(day).await?;
            if state.was_rolled_forward {
                report.rolled_forward.push(day);
            }
            self.leave_committed(day, &mut left).await?;
        }
        for object in left
            .into_values()
            .flat_map(|left| left.objects.into_iter().chain(left.rejects))
        {
            if object.key.ends_with(NOTE_SUFFIX) && !self.options.is_dry_run {
                let at = self.control.location(&object.key);
                // Servers answer differently for an upload that was completed or aborted before.
                match self.files.abort_noted(&at).await {
                    Ok(was_open) => report.n_uploads_aborted += u64::from(was_open),
                    Err(error) if error.exit_code() == exit::TRY_AGAIN => return Err(error),
                    Err(error) => tracing::debug!(%error, note = %at, "an upload was not aborted"),
                }
            }
            self.remove(&object, report).await?;
        }
        Ok(())
    }

    /// Makes a commit that changes nothing, so that no run which began before it can commit any more.
    async fn fence(&self, day: NaiveDate) -> Result<DayState, RunError> {
        const MAX_TRIES: usize = 5;
        let log = DayLog::new(self.files, &self.job.sink, day);
        let mut was_rolled_forward = false;
        let mut tries = 0;
        loop {
            let mut state = log.recover(false).await?;
            was_rolled_forward |= state.was_rolled_forward;
            // The day's table is still what that run made it.
            let last_run = state.last.as_ref().map(|last| last.run_id.clone());
            let run_id = last_run.unwrap_or_else(new_run_id);
            let (kept, ledger, hashes) = match &state.last {
                Some(last) => (
                    last.day_parts(),
                    last.ledger.clone(),
                    [last.spec_sha256.as_str(), last.logic_sha256.as_str()],
                ),
                None => (Vec::new(), None, ["", ""]),
            };
            let columns = state.last.as_ref().map(|last| last.columns_sha256.clone());
            let inputs = state.last.as_ref().map(|last| last.inputs_sha256.clone());
            let changes = Changes {
                kept,
                ledger,
                columns_sha256: columns.unwrap_or_default(),
                inputs_sha256: inputs.unwrap_or_default(),
                ..Changes::default()
            };
            let commit = Commit::new(CommitKind::Fence, &run_id, hashes, &state, changes);
            match log.commit(&commit).await {
                Ok(()) => {
                    log.apply(commit.base + 1, &commit).await?;
                    state.was_rolled_forward = was_rolled_forward;
                    return Ok(state);
                }
                // A run was first: its commit is finished, then fenced.
                Err(RunError::Lost { .. }) if tries < MAX_TRIES => tries += 1,
                Err(error) => return Err(error),
            }
        }
    }

    /// Ledgers that the last commit of their day does not name.
    async fn ledgers(&self, report: &mut GcReport) -> Result<(), RunError> {
        let mut by_day: BTreeMap<NaiveDate, Vec<Object>> = BTreeMap::new();
        for object in self.list("").await? {
            let mut names = object.key.split('/');
            if let (Some(Ok(day)), Some("ledger")) = (names.next().map(str::parse), names.next()) {
                by_day.entry(day).or_default().push(object);
            }
        }
        for (day, ledgers) in by_day {
            let log = DayLog::new(self.files, &self.job.sink, day);
            let state = log.recover(false).await?;
            let is_named = |object: &Object, state: &DayState| {
                let named = state.last.as_ref().and_then(|last| last.ledger.as_deref());
                named.is_some_and(|name| object.key.ends_with(name))
            };
            let mut left = ledgers;
            left.retain(|object| !is_named(object, &state) && object.modified < self.until);
            // A ledger of a commit to come may belong to a run that is only slow.
            let is_ahead = |object: &Object| {
                let name = object.key.rsplit('/').next();
                let number = name.and_then(|name| name.split('-').next()?.parse::<u64>().ok());
                number.is_some_and(|number| number > state.n)
            };
            if !self.options.is_dry_run && left.iter().any(is_ahead) {
                // It may even have committed in between.
                let fenced = self.fence(day).await?;
                left.retain(|object| !is_named(object, &fenced));
            }
            for object in &left {
                self.remove(object, report).await?;
            }
        }
        Ok(())
    }

    /// Plans that nobody touched for long: their tasks' parts first, then their documents.
    async fn plans(&self, plans: ByRun, report: &mut GcReport) -> Result<(), RunError> {
        for left in plans.into_values() {
            for object in left.objects {
                // A task that died left no word, only the file it was writing it to.
                let is_word = object.key.contains("/done/") && !is_temporary(&object.key);
                if is_word && !self.options.is_dry_run {
                    report.n_uploads_aborted += self.abort_done(&object).await?;
                }
                self.remove(&object, report).await?;
            }
        }
        Ok(())
    }

    /// Aborts the uploads that a task's word names. A day that was planned and never committed was fenced with its
    /// staging folder; an upload of a commit is completed, and aborting it does nothing.
    async fn abort_done(&self, object: &Object) -> Result<u64, RunError> {
        #[derive(Deserialize)]
        struct Done {
            produced: Produced,
        }
        #[derive(Deserialize)]
        struct Produced {
            parts: Vec<CommitPart>,
        }
        let at = self.control.location(&object.key);
        let Some(content) = self.files.read(&at).await? else {
            return Ok(0);
        };
        let done: Done = serde_json::from_slice(&content).map_err(|error| RunError::Record {
            location: at.to_string(),
            message: error.to_string(),
        })?;
        let mut n = 0;
        for part in done.produced.parts {
            if matches!(part.staged, Staged::S3 { .. }) {
                let at = self.job.sink.root.join(&part.path);
                match self.files.discard(&part.staged, &at).await {
                    Ok(()) => n += 1,
                    Err(error) if error.exit_code() == exit::TRY_AGAIN => return Err(error),
                    Err(error) => tracing::debug!(%error, part = %at, "an upload was not aborted"),
                }
            }
        }
        Ok(n)
    }

    /// Files that were being written when their process died.
    async fn temporary(&self, report: &mut GcReport) -> Result<(), RunError> {
        for object in self.list("").await? {
            if is_temporary(&object.key) && object.modified < self.until {
                self.remove(&object, report).await?;
            }
        }
        Ok(())
    }

    async fn list(&self, prefix: &str) -> Result<Vec<Object>, RunError> {
        match self.control.list_all(prefix, self.cancel).await {
            Ok(objects) => Ok(objects),
            Err(StorageError::NotFound { .. }) => Ok(Vec::new()),
            Err(error) => Err(error.into()),
        }
    }

    async fn remove(&self, object: &Object, report: &mut GcReport) -> Result<(), RunError> {
        let at = self.control.location(&object.key);
        if !self.options.is_dry_run {
            self.files.delete(&at).await?;
            self.files.remove_empty_folders(&at);
        }
        report.objects.push(at.to_string());
        report.n_bytes += object.size;
        Ok(())
    }
}

/// What a run left of a day, to which `object` belongs. A plan is as new as what its tasks left last.
fn of_run<'a>(
    by_day: &'a mut BTreeMap<NaiveDate, ByRun>,
    plans: &mut ByRun,
    run_id: &str,
    day: NaiveDate,
    object: &Object,
) -> &'a mut Left {
    if let Some(plan) = plans.get_mut(run_id) {
        plan.touch(object);
    }
    let left = by_day
        .entry(day)
        .or_default()
        .entry(run_id.to_owned())
        .or_default();
    left.touch(object);
    left
}

/// A file that was being written.
fn is_temporary(key: &str) -> bool {
    let name = key.rsplit('/').next();
    name.is_some_and(|name| name.starts_with(".tmp-"))
}

impl Left {
    fn touch(&mut self, object: &Object) {
        self.newest = self.newest.max(Some(object.modified));
    }

    fn is_before(&self, until: DateTime<Utc>) -> bool {
        self.newest.is_some_and(|newest| newest < until)
    }
}

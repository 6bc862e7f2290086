//! The quarantine file of a day: one JSON line for each record that could not be used.
//!
//! It is staged like a part, and appears when the day is about to be committed, or is over its error budget: a run or a
//! task that is cancelled, dies or is late has written nothing that another would have to remove, and two attempts of a
//! task have no file in common. What a run publishes that dies right before its commit is left to `gc`.
//!
//! Raw records may hold personal data; the file lies beside the table, under the same protection as the table.

use std::collections::{BTreeMap, BTreeSet};
use std::io::Write as _;
use std::mem;
use std::sync::Arc;

use bytes::Bytes;
use chrono::NaiveDate;
use serde::{Deserialize, Serialize};

use super::day::RunContext;
use super::files::{FileWriter, Files, Name, Staged};
use super::objects::Objects;
use super::produced::Assignment;
use super::selection::Selection;
use super::{QuarantineReport, RunError};
use crate::dataset::{Reason, Reject, Stage};
use crate::storage::{Location, Store};

/// The name of the file that one process writes of a day.
pub(super) const FILE: &str = "part-0.jsonl";

/// One line. Field order is the order in the file.
#[derive(Debug, Serialize)]
struct Entry<'a> {
    v: u32,
    run_id: &'a str,
    day: NaiveDate,
    spec_sha256: &'a str,
    source: Source<'a>,
    line: u64,
    byte_offset: u64,
    byte_len: u64,
    stage: Stage,
    step_id: Option<&'a str>,
    reason_code: Reason,
    field: Option<&'a str>,
    expected: Option<&'a str>,
    got: Option<&'a str>,
    message: &'a str,
    raw: &'a str,
    truncated: bool,
}

#[derive(Debug, Serialize)]
struct Source<'a> {
    uri: &'a str,
    etag: Option<&'a str>,
    size: Option<u64>,
}

/// Where the rejects of the source and those of the inputs are, below the control folder.
const FOLDERS: [&str; 2] = ["quarantine", "quarantine/inputs"];

/// Where a run's rejects of a day are: of the source, and of the inputs.
fn folders(context: &RunContext<'_>, day: NaiveDate) -> [Location; 2] {
    let (control, run_id) = (&context.job.sink.control, context.run_id);
    FOLDERS.map(|folder| control.join(&format!("{folder}/day={day}/run={run_id}")))
}

/// The run and the day whose rejects the object `key` (relative to the control folder) holds.
pub(super) fn owner(key: &str) -> Option<(&str, NaiveDate)> {
    let [of_source, of_inputs] = FOLDERS.map(|folder| key.strip_prefix(folder)?.strip_prefix('/'));
    let mut names = of_inputs.or(of_source)?.split('/');
    let day = names.next()?.strip_prefix("day=")?.parse().ok()?;
    Some((names.next()?.strip_prefix("run=")?, day))
}

/// A file of rejects that is written and that nobody reads yet.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct StagedRejects {
    at: Location,
    #[serde(flatten)]
    staged: Staged,
    bytes: u64,
}

/// Stages the rejects of input `name`, one JSON object a line, where all else of this attempt is staged. Gives where they
/// will be.
pub(super) async fn stage_input(
    context: &RunContext<'_>,
    day: NaiveDate,
    staging: &Location,
    name: &str,
    text: Bytes,
) -> Result<(String, StagedRejects), RunError> {
    let [_, folder] = folders(context, day);
    let at = folder.join(&format!("{name}.jsonl"));
    let waiting = staging.join(&format!("input-{name}.jsonl"));
    let (staged, bytes) = context.files.stage_whole(waiting, at.clone(), text).await?;
    Ok((at.to_string(), StagedRejects { at, staged, bytes }))
}

/// Makes staged rejects readable. A second call finds the work done.
pub(super) async fn publish(files: &Files, rejects: &[StagedRejects]) -> Result<(), RunError> {
    for file in rejects {
        files
            .publish(&file.staged, &file.at, file.bytes, Name::Once)
            .await?;
    }
    Ok(())
}

/// Removes what the context's run or plan published of a day that it did not commit, and no longer can.
pub(super) async fn forget(context: &RunContext<'_>, day: NaiveDate) {
    for folder in folders(context, day) {
        if let Err(error) = context.files.remove_folder(&folder).await {
            tracing::warn!(%error, %day, "quarantined records could not be removed");
        }
    }
}

/// Writes rejects as they come, and counts them.
pub(super) struct Quarantine {
    files: Files,
    at: Location,
    staging: Location,
    source: Store,
    objects: Arc<Objects>,
    run_id: String,
    day: NaiveDate,
    spec_sha256: String,
    writer: Option<FileWriter>,
    by_reason: BTreeMap<Reason, u64>,
    failed_objects: BTreeSet<String>,
    /// The first reject of each reason, for the message of a day over its budget.
    examples: BTreeMap<Reason, String>,
    /// Where each reject is and why, when a replay asks.
    rejected: Option<BTreeSet<(String, u64, Reason)>>,
    /// What a replay asked for.
    only: Option<Arc<Selection>>,
    /// Whether steps make several rows of a record.
    is_split: bool,
}

impl Quarantine {
    pub fn new(context: &RunContext<'_>, day: NaiveDate, assignment: &Assignment) -> Self {
        let (job, run_id) = (context.job, context.run_id);
        Self {
            files: context.files.clone(),
            at: folders(context, day)[0].join(&assignment.quarantine),
            staging: assignment.staging.join(&assignment.quarantine),
            source: context.source.clone(),
            objects: Arc::clone(&assignment.objects),
            run_id: run_id.to_owned(),
            day,
            spec_sha256: job.spec_sha256.clone(),
            writer: None,
            by_reason: BTreeMap::new(),
            failed_objects: BTreeSet::new(),
            examples: BTreeMap::new(),
            rejected: assignment.only.is_some().then(BTreeSet::new),
            only: assignment.only.clone(),
            is_split: job.plan.makes_rows(),
        }
    }

    /// Counts a reject, and writes it, unless a replay finds it in quarantine already.
    pub fn add(&mut self, reject: &Reject) -> Result<(), RunError> {
        *self.by_reason.entry(reject.reason).or_default() += 1;
        self.examples
            .entry(reject.reason)
            .or_insert_with(|| format!("{}:{}: {}", reject.object, reject.line, reject.message));
        if reject.reason.is_of_file() {
            self.failed_objects.insert(reject.object.clone());
        }
        if let Some(rejected) = &mut self.rejected {
            rejected.insert((reject.object.clone(), reject.line, reject.reason));
        }
        // Of a record whose rows are rejected alone, others may be in the table now: that is another reject.
        let is_of_row = self.is_split && reject.reason == Reason::StepFailed;
        let is_known = |only: &Arc<Selection>| !is_of_row && only.names(reject);
        if self.only.as_ref().is_some_and(is_known) {
            return Ok(());
        }
        let key = self.source.key_of(&reject.object);
        let known = key.and_then(|key| self.objects.find(&key));
        let entry = Entry {
            v: 1,
            run_id: &self.run_id,
            day: self.day,
            spec_sha256: &self.spec_sha256,
            source: Source {
                uri: &reject.object,
                etag: known.and_then(|object| object.etag),
                size: known.map(|object| object.size),
            },
            line: reject.line,
            byte_offset: reject.byte_offset,
            byte_len: reject.byte_len,
            stage: reject.stage,
            step_id: reject.step.as_deref(),
            reason_code: reject.reason,
            field: reject.field.as_deref(),
            expected: reject.expected.as_deref(),
            got: reject.got.as_deref(),
            message: &reject.message,
            raw: &reject.raw,
            truncated: reject.is_raw_partial,
        };
        let writer = match &mut self.writer {
            Some(writer) => writer,
            none => none.insert(self.files.stage(&self.staging, &self.at)?),
        };
        let error = |source: std::io::Error| RunError::Write {
            path: self.at.to_string(),
            source,
        };
        let mut text = serde_json::to_vec(&entry).map_err(|source| error(source.into()))?;
        text.push(b'\n');
        writer.write_all(&text).map_err(error)
    }

    pub fn take_rejected(&mut self) -> BTreeSet<(String, u64, Reason)> {
        self.rejected.take().unwrap_or_default()
    }

    pub fn n_failed_files(&self) -> u64 {
        self.failed_objects.len() as u64
    }

    /// The first reject of each reason, for the message of a day over its budget.
    pub fn take_examples(&mut self) -> BTreeMap<Reason, String> {
        mem::take(&mut self.examples)
    }

    /// Ends the file, and says where it will be.
    pub fn finish(&mut self) -> Result<(QuarantineReport, Option<StagedRejects>), RunError> {
        let file = match self.writer.take() {
            Some(writer) => {
                let (staged, bytes) = writer.finish()?;
                let at = self.at.clone();
                Some(StagedRejects { at, staged, bytes })
            }
            None => None,
        };
        let report = QuarantineReport {
            uri: file.as_ref().map(|file| file.at.to_string()),
            by_reason: self.by_reason.clone(),
        };
        Ok((report, file))
    }
}

#[cfg(test)]
mod tests {
    use super::owner;

    #[test]
    fn a_file_of_rejects_tells_its_run_and_its_day() {
        let day = "2020-01-02".parse().unwrap();
        let check = |key, expected| assert_eq!(owner(key), expected, "{key}");
        check(
            "quarantine/day=2020-01-02/run=r-1/part-0.jsonl",
            Some(("r-1", day)),
        );
        check(
            "quarantine/inputs/day=2020-01-02/run=r-1/names.jsonl",
            Some(("r-1", day)),
        );
        check("quarantine/day=soon/run=r-1/part-0.jsonl", None);
        check("quarantine/notes.txt", None);
        check("staging/r-1/2020-01-02/part-00000.parquet", None);
    }
}

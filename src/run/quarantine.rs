//! The quarantine file of a day: one JSON line for each record that could not be used.
//!
//! Raw records may hold personal data; the file lies beside the table, under the same protection as the table.

use std::collections::{BTreeMap, BTreeSet};
use std::io::Write as _;
use std::mem;
use std::sync::Arc;

use chrono::NaiveDate;
use serde::Serialize;
use tokio::runtime::Handle;

use super::day::RunContext;
use super::files::{FileWriter, Files, Name};
use super::objects::Objects;
use super::produced::Assignment;
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

/// Where a run's file of a day is, by its name.
fn place(context: &RunContext<'_>, day: NaiveDate, name: &str) -> Location {
    let folder = format!("quarantine/day={day}/run={}", context.run_id);
    context.job.sink.control.join(&format!("{folder}/{name}"))
}

/// Removes what a run wrote that was cancelled after its last reject: nobody asks what is wrong with it.
pub(super) async fn forget(context: &RunContext<'_>, day: NaiveDate, name: &str) {
    let at = place(context, day, name);
    match context.files.delete(&at).await {
        Ok(()) => context.files.remove_empty_folders(&at),
        Err(error) => tracing::warn!(%error, %day, "quarantined records could not be removed"),
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
}

impl Quarantine {
    pub fn new(context: &RunContext<'_>, day: NaiveDate, assignment: &Assignment) -> Self {
        let (job, run_id) = (context.job, context.run_id);
        Self {
            files: context.files.clone(),
            at: place(context, day, &assignment.quarantine),
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
        }
    }

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

    /// Ends the file; it is readable from here on, whether or not the day is committed.
    pub fn finish(&mut self) -> Result<QuarantineReport, RunError> {
        let uri = match self.writer.take() {
            Some(writer) => {
                let (staged, n_bytes) = writer.finish()?;
                Handle::current().block_on(self.files.publish(&staged, &self.at, n_bytes, Name::Again))?;
                Some(self.at.to_string())
            }
            None => None,
        };
        Ok(QuarantineReport {
            uri,
            by_reason: self.by_reason.clone(),
        })
    }
}

//! The quarantine file of a day: one JSON line for each record that could not be used.
//!
//! Raw records may hold personal data; the file lies beside the table, under the same protection as the table.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::io::Write as _;

use chrono::NaiveDate;
use serde::Serialize;
use tokio::runtime::Handle;

use super::files::{FileWriter, Files};
use super::{QuarantineReport, RunError};
use crate::dataset::{Reason, Reject, Stage};
use crate::job::Job;
use crate::storage::{Location, Object};

const FILE: &str = "part-0.jsonl";
const STAGED: &str = ".part-0.jsonl";

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

/// Writes rejects as they come, and counts them.
pub(super) struct Quarantine {
    files: Files,
    at: Location,
    staging: Location,
    run_id: String,
    day: NaiveDate,
    spec_sha256: String,
    /// Etag and size by the object's full location.
    objects: HashMap<String, (Option<Box<str>>, u64)>,
    writer: Option<FileWriter>,
    by_reason: BTreeMap<Reason, u64>,
    failed_objects: BTreeSet<String>,
    /// The first reject of each reason, for the message of a day over its budget.
    examples: BTreeMap<Reason, String>,
}

impl Quarantine {
    pub fn new(
        files: Files,
        job: &Job,
        run_id: &str,
        day: NaiveDate,
        objects: &[Object],
        names: &[String],
    ) -> Self {
        let folder = folder(job, run_id, day);
        Self {
            files,
            at: folder.join(FILE),
            staging: folder.join(STAGED),
            run_id: run_id.to_owned(),
            day,
            spec_sha256: job.spec_sha256.clone(),
            objects: names
                .iter()
                .zip(objects)
                .map(|(name, object)| (name.clone(), (object.etag.clone(), object.size)))
                .collect(),
            writer: None,
            by_reason: BTreeMap::new(),
            failed_objects: BTreeSet::new(),
            examples: BTreeMap::new(),
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
        let known = self.objects.get(&reject.object);
        let entry = Entry {
            v: 1,
            run_id: &self.run_id,
            day: self.day,
            spec_sha256: &self.spec_sha256,
            source: Source {
                uri: &reject.object,
                etag: known.and_then(|(etag, _)| etag.as_deref()),
                size: known.map(|(_, size)| *size),
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

    pub fn n_failed_files(&self) -> u64 {
        self.failed_objects.len() as u64
    }

    /// The three most frequent reasons with an example each.
    pub fn worst(&self) -> String {
        let mut reasons: Vec<(u64, Reason)> =
            self.by_reason.iter().map(|(reason, n)| (*n, *reason)).collect();
        reasons.sort_by(|a, b| b.cmp(a));
        let texts: Vec<String> = reasons
            .into_iter()
            .take(3)
            .map(|(n, reason)| {
                let word = serde_json::to_value(reason)
                    .ok()
                    .and_then(|value| value.as_str().map(str::to_owned))
                    .unwrap_or_default();
                let example = self.examples.get(&reason).map_or("", String::as_str);
                format!("{n} {word} ({example})")
            })
            .collect();
        texts.join("; ")
    }

    /// Ends the file; it is readable from here on, whether or not the day is committed.
    pub fn finish(&mut self) -> Result<QuarantineReport, RunError> {
        let uri = match self.writer.take() {
            Some(writer) => {
                let (staged, n_bytes) = writer.finish()?;
                Handle::current().block_on(self.files.publish(&staged, &self.at, n_bytes))?;
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

fn folder(job: &Job, run_id: &str, day: NaiveDate) -> Location {
    job.sink
        .control
        .join(&format!("quarantine/day={day}/run={run_id}"))
}

/// Removes what a run that died left of its quarantine, unless it had ended the file.
pub(super) async fn remove_unfinished(
    files: &Files,
    job: &Job,
    run_id: &str,
    day: NaiveDate,
) -> Result<(), RunError> {
    let folder = folder(job, run_id, day);
    let names = files.names(&folder).await?;
    if names.iter().any(|name| name == FILE) {
        return Ok(());
    }
    files.remove_folder(&folder)
}

//! The inputs of a job: listed and opened for a day, or once for a run where their place names no day.
//!
//! All rows of them together take a third of the memory at most, and the days of a run share what names no day. Which
//! files an input has is part of a day's commit: other files make the day again.

use std::collections::BTreeMap;

use bytes::Bytes;
use chrono::NaiveDate;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use tokio::sync::OnceCell;

use super::report::QuarantineReport;
use super::{RunError, RunOptions};
use crate::base::{Cancel, units};
use crate::dataset::decode::Drift;
use crate::dataset::{InputLimits, InputReadError, InputRows, InputSource, files_sha256};
use crate::job::{BudgetSpec, Job};
use crate::storage::{Object, StorageError, Store};
use crate::transform::{Input, Inputs};

/// Of the memory, what inputs may take.
pub(super) const SHARE: u64 = 3;

/// What was read of an input.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct InputReport {
    pub name: String,
    pub n_files: u64,
    /// As stored.
    pub n_bytes_in: u64,
    pub rows: u64,
    pub rows_quarantined: u64,
    pub n_files_failed: u64,
    pub quarantine: QuarantineReport,
    pub drift: Drift,
}

/// The stores of the inputs that steps read.
pub(super) struct JobInputs {
    by_name: BTreeMap<String, OpenedInput>,
}

struct OpenedInput {
    source: InputSource,
    store: Store,
    /// Of an input that is the same for every day.
    listing: OnceCell<Vec<Object>>,
    rows: OnceCell<ReadInput>,
}

/// One input with its rows.
#[derive(Clone)]
struct ReadInput {
    input: Input,
    /// Names no file: every day that reads the input keeps its rejects for itself.
    report: InputReport,
    /// One JSON object a line; the first of them where they are many.
    rejects: Bytes,
    n_bytes: u64,
}

/// The files of a day's inputs.
pub(super) struct ListedInputs {
    objects: BTreeMap<String, Vec<Object>>,
    /// Empty without inputs.
    pub sha256: String,
}

/// What steps read for a day.
#[derive(Default)]
pub(super) struct DayInputs {
    pub inputs: Inputs,
    pub reports: Vec<InputReport>,
    /// Of each input, in the order of the reports: one JSON object a line.
    pub rejects: Vec<Bytes>,
}

impl JobInputs {
    /// Opens the stores of the inputs that switched-on steps name.
    ///
    /// # Errors
    /// [`RunError::OfInput`] for a place that is not there, or without credentials.
    pub async fn open(job: &Job, options: &RunOptions) -> Result<Self, RunError> {
        let mut by_name = BTreeMap::new();
        for name in job.plan.input_names() {
            let Some(source) = job.inputs.get(name) else {
                continue;
            };
            let store = source.open(&options.store).await;
            let opened = OpenedInput {
                source: source.clone(),
                store: store.map_err(|error| of_input(name, error))?,
                listing: OnceCell::new(),
                rows: OnceCell::new(),
            };
            by_name.insert(name.to_owned(), opened);
        }
        Ok(Self { by_name })
    }

    pub fn is_empty(&self) -> bool {
        self.by_name.is_empty()
    }

    /// Whether days read different ones: then the days of a run are computed one after another, so that the memory holds
    /// those of one day.
    pub fn differ_by_day(&self) -> bool {
        self.by_name.values().any(|input| input.source.is_by_day())
    }

    /// Lists the files of a day's inputs.
    pub async fn list(&self, day: NaiveDate, cancel: &Cancel) -> Result<ListedInputs, RunError> {
        let mut objects = BTreeMap::new();
        for (name, input) in &self.by_name {
            let listing = input.source.list(&input.store, day, cancel);
            let listed = if input.source.is_by_day() {
                listing.await
            } else {
                input.listing.get_or_try_init(|| listing).await.cloned()
            };
            objects.insert(name.clone(), listed.map_err(|error| of_input(name, error))?);
        }
        let listed = objects
            .iter()
            .map(|(name, objects)| (name.as_str(), objects.as_slice()));
        let sha256 = if objects.is_empty() {
            String::new()
        } else {
            files_sha256(listed)
        };
        Ok(ListedInputs { objects, sha256 })
    }

    /// Reads the inputs of a day, of at most `max_bytes` together.
    pub async fn read(
        &self,
        listed: &ListedInputs,
        max_bytes: u64,
        cancel: &Cancel,
    ) -> Result<DayInputs, RunError> {
        let mut day = DayInputs::default();
        let mut left = max_bytes;
        for (name, input) in &self.by_name {
            let objects = listed.objects.get(name).map(Vec::as_slice).unwrap_or_default();
            let reading = input.read(name, objects, [left, max_bytes], cancel);
            let read = if input.source.is_by_day() {
                reading.await?
            } else {
                input.rows.get_or_try_init(|| reading).await?.clone()
            };
            left = left.saturating_sub(read.n_bytes);
            day.inputs.insert(name.clone(), read.input);
            day.reports.push(read.report);
            day.rejects.push(read.rejects);
        }
        Ok(day)
    }
}

/// The rejects of input `name`, one JSON object a line.
fn text_of(name: &str, rows: &InputRows) -> Result<Bytes, RunError> {
    let mut text = Vec::new();
    for reject in &rows.rejects {
        serde_json::to_writer(&mut text, reject).map_err(|source| RunError::Write {
            path: format!("{name}.jsonl"),
            source: source.into(),
        })?;
        text.push(b'\n');
    }
    Ok(text.into())
}

impl OpenedInput {
    async fn read(
        &self,
        name: &str,
        objects: &[Object],
        [left, max_bytes]: [u64; 2],
        cancel: &Cancel,
    ) -> Result<ReadInput, RunError> {
        let limits = InputLimits {
            max_bytes: left,
            max_rows: None,
        };
        let n_bytes_in = objects.iter().map(|object| object.size).sum();
        let read = self.source.read(&self.store, objects, limits, cancel).await;
        let rows = read.map_err(|error| match error {
            InputReadError::TooLarge { .. } => RunError::InputTooLarge {
                name: name.to_owned(),
                n_files: objects.len() as u64,
                n_bytes: n_bytes_in,
                max_bytes,
            },
            other => of_input(name, other),
        })?;
        let report = InputReport {
            name: name.to_owned(),
            n_files: objects.len() as u64,
            n_bytes_in,
            rows: rows.df.height() as u64,
            rows_quarantined: rows.n_rejects(),
            n_files_failed: rows.n_files_failed,
            quarantine: QuarantineReport {
                uri: None,
                by_reason: rows.by_reason.clone(),
            },
            drift: rows.drift.clone(),
        };
        tracing::debug!(
            input = name,
            rows = report.rows,
            memory = units::bytes(rows.n_bytes),
            "opened"
        );
        Ok(ReadInput {
            n_bytes: rows.n_bytes,
            rejects: text_of(name, &rows)?,
            input: Input::opened(rows.df, rows.objects, rows.accuracy),
            report,
        })
    }
}

fn of_input(name: &str, error: impl Into<InputReadError>) -> RunError {
    match error.into() {
        InputReadError::Cancelled | InputReadError::Storage(StorageError::Cancelled) => RunError::Cancelled,
        error => RunError::OfInput {
            name: name.to_owned(),
            source: Box::new(error),
        },
    }
}

/// Why a day is not committed: too many records or files of an input in quarantine.
pub(super) fn over_budget(budget: &BudgetSpec, reports: &[InputReport]) -> Option<String> {
    reports.iter().find_map(|input| {
        let n_records = input.rows + input.rows_quarantined;
        let limits = [
            ("record", input.rows_quarantined, n_records, budget.records),
            ("file", input.n_files_failed, input.n_files, budget.files),
        ];
        limits.into_iter().find_map(|(noun, n, of, tolerance)| {
            let allowed = tolerance.allowed(of);
            (n > allowed).then(|| {
                let reasons = input.quarantine.by_reason.iter();
                let reasons: Vec<String> = reasons.map(|(reason, n)| format!("{n} {}", reason.word())).collect();
                format!(
                    "error budget exceeded: {} of {} of input `{}` in quarantine, {} allowed; nothing was committed. Reasons: {}",
                    units::count(n),
                    units::plural(of, noun),
                    input.name,
                    units::count(allowed),
                    reasons.join(", ")
                )
            })
        })
    })
}

/// What to say of inputs that have no files on a day, which is no failure: they may come late.
pub(super) fn without_files(reports: &[InputReport]) -> Option<String> {
    let names: Vec<String> = reports
        .iter()
        .filter(|input| input.n_files == 0)
        .map(|input| format!("`{}`", input.name))
        .collect();
    (!names.is_empty()).then(|| format!("no files of input {} on this day", names.join(", ")))
}

#[cfg(test)]
mod tests {
    use super::of_input;
    use crate::dataset::InputReadError;
    use crate::storage::StorageError;

    #[test]
    fn a_cancel_while_an_input_is_read_is_no_failure_of_the_input() {
        for error in [InputReadError::Cancelled, StorageError::Cancelled.into()] {
            assert_eq!(of_input("names", error).exit_code(), 130);
        }
    }
}

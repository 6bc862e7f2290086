//! What the stages of a day are given, and what they made of it: by one process, or by the tasks of a plan together.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::InputReport;
use super::books::Books;
use super::commit::CommitPart;
use super::objects::Objects;
use super::quarantine::StagedRejects;
use super::report::{PartitionReport, QuarantineReport, Seconds};
use super::segments::Segments;
use super::selection::Selection;
use super::slots::Slots;
use super::timeline::WorkReport;
use super::work::Copy;
use crate::dataset::Reason;
use crate::dataset::decode::Drift;
use crate::storage::Location;
use crate::transform::Plan;

/// What the stages are to read and write.
pub(super) struct Assignment {
    /// Sorted by key.
    pub objects: Arc<Objects>,
    /// Published rows that come first.
    pub copies: Vec<Copy>,
    /// The numbers of its parts.
    pub slots: Slots,
    /// Where local parts wait; a folder of its own.
    pub staging: Location,
    /// Name of the quarantine file.
    pub quarantine: String,
    /// The steps, with the rows of their inputs.
    pub plan: Plan,
    /// Records that count; none takes all.
    pub only: Option<Arc<Selection>>,
}

/// What the stages made, not published yet.
#[derive(Debug, Default, Serialize, Deserialize)]
pub(super) struct Produced {
    pub books: Books,
    pub drift: Drift,
    pub seconds: Seconds,
    #[serde(default)]
    pub work: WorkReport,
    pub parts: Vec<CommitPart>,
    pub quarantine: QuarantineReport,
    /// Rejects of the source and of inputs, which nobody reads yet.
    #[serde(default)]
    pub rejects: Vec<StagedRejects>,
    pub n_files_failed: u64,
    /// The first reject of each reason.
    pub examples: BTreeMap<Reason, String>,
    /// Which rows came from which object; empty where steps mix the rows of a day.
    #[serde(skip)]
    pub segments: Segments,
    /// What was read of each input.
    #[serde(default)]
    pub inputs: Vec<InputReport>,
    /// Rows that were copied from published parts.
    pub n_copied: u64,
    /// Location, line and reason of each reject, where a selection was asked for.
    #[serde(skip)]
    pub rejected: BTreeSet<(String, u64, Reason)>,
}

impl Produced {
    /// Adds what another task made.
    pub fn add(&mut self, other: Produced) {
        self.books.add(&other.books);
        self.drift.merge(&other.drift);
        self.seconds.add(&other.seconds);
        self.work.merge(other.work);
        self.parts.extend(other.parts);
        self.quarantine.add(other.quarantine);
        self.rejects.extend(other.rejects);
        self.n_files_failed += other.n_files_failed;
        for (reason, example) in other.examples {
            self.examples.entry(reason).or_insert(example);
        }
        self.n_copied += other.n_copied;
        // The tasks of a day read the same inputs; the first leaves their rejects.
        if self.inputs.is_empty() {
            self.inputs = other.inputs;
        }
    }

    /// The three most frequent reasons with an example each.
    pub fn worst(&self) -> String {
        let mut reasons: Vec<(u64, Reason)> = self
            .quarantine
            .by_reason
            .iter()
            .map(|(reason, n)| (*n, *reason))
            .collect();
        reasons.sort_by(|a, b| b.cmp(a));
        let texts: Vec<String> = reasons
            .into_iter()
            .take(3)
            .map(|(n, reason)| {
                let example = self.examples.get(&reason).map_or("", String::as_str);
                format!("{n} {} ({example})", reason.word())
            })
            .collect();
        texts.join("; ")
    }
}

/// Brings the figures of what was produced into the report of its day. Where its rejects are is told once they are there.
pub(super) fn fill(report: &mut PartitionReport, produced: &Produced) {
    let books = &produced.books;
    report.rows_in = books.rows_in;
    report.rows_out = books.rows_out;
    report.rows_filtered = books.filtered();
    report.rows_quarantined = books.quarantined();
    report.rows_merged = books.merged();
    report.rows_made = books.made();
    report.steps.clone_from(&books.steps);
    report.inputs.clone_from(&produced.inputs);
    report.drift = produced.drift.clone();
    report.quarantine = produced.quarantine.clone();
    report.hide_rejects();
    report.n_files_failed = produced.n_files_failed;
    report.work = produced.work.clone();
    report.seconds = Seconds {
        list: report.seconds.list,
        ..produced.seconds
    };
}

//! What one thread of a scan made, added up to what all of them made.

use std::collections::BTreeMap;

use super::{Collect, MAX_REJECTS, Scanned};
use crate::base::Accuracy;
use crate::dataset::{FailedFile, Reason, Reject};

/// The first of them, by name.
fn failed_files(failed: BTreeMap<String, String>) -> Vec<FailedFile> {
    let named = failed.into_iter().take(MAX_REJECTS);
    named
        .map(|(object, reason)| FailedFile { object, reason })
        .collect()
}

/// What one thread, or several together, made.
pub(super) struct Part<C> {
    pub(super) collected: C,
    pub(super) n_rows: u64,
    pub(super) n_records: u64,
    pub(super) n_bytes: u64,
    pub(super) n_files: u64,
    failed: BTreeMap<String, String>,
    rejects: Vec<Reject>,
    by_reason: BTreeMap<Reason, u64>,
    /// Rows of an object were left out.
    pub(super) is_cut: bool,
}

impl<C: Collect> Part<C> {
    pub(super) fn new(collected: C) -> Self {
        Self {
            collected,
            n_rows: 0,
            n_records: 0,
            n_bytes: 0,
            n_files: 0,
            failed: BTreeMap::new(),
            rejects: Vec::new(),
            by_reason: BTreeMap::new(),
            is_cut: false,
        }
    }

    pub(super) fn merge(&mut self, other: Self) {
        self.collected.merge(other.collected);
        self.n_rows += other.n_rows;
        self.n_records += other.n_records;
        self.n_bytes += other.n_bytes;
        self.n_files += other.n_files;
        self.failed.extend(other.failed);
        self.rejects.extend(other.rejects);
        for (reason, n) in other.by_reason {
            *self.by_reason.entry(reason).or_default() += n;
        }
        self.is_cut |= other.is_cut;
    }

    /// `is_part` says that rows were left out besides those of objects that were cut.
    pub(super) fn finish(mut self, is_part: bool, is_cancelled: bool) -> Scanned<C> {
        self.rejects
            .sort_by(|a, b| (&a.object, a.line).cmp(&(&b.object, b.line)));
        self.rejects.truncate(MAX_REJECTS);
        let n = self.n_rows;
        let accuracy = if is_cancelled {
            Accuracy::Partial { n }
        } else if self.is_cut || is_part || !self.failed.is_empty() {
            Accuracy::Sample { n, of: None }
        } else {
            Accuracy::Exact
        };
        Scanned {
            collected: self.collected,
            accuracy,
            n_rows: self.n_rows,
            n_records: self.n_records,
            n_bytes: self.n_bytes,
            n_files: self.n_files,
            n_files_failed: self.failed.len() as u64,
            failed_files: failed_files(self.failed),
            rejects: self.rejects,
            by_reason: self.by_reason,
        }
    }

    pub(super) fn reject(&mut self, reject: Reject) {
        *self.by_reason.entry(reject.reason).or_default() += 1;
        if reject.reason.is_of_file() {
            let message = reject.message.clone();
            self.failed.entry(reject.object.clone()).or_insert(message);
        }
        if self.rejects.len() < MAX_REJECTS {
            self.rejects.push(reject);
        }
    }
}

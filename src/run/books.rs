//! The books of a day: where every record went, checked before anything is committed.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use serde::{Deserialize, Serialize};

use super::RunError;
use crate::dataset::Reject;
use crate::transform::StepCounts;

/// Rows of a day by what became of them. Exact.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub(super) struct Books {
    /// Records read, rejects included.
    pub rows_in: u64,
    /// Rows written.
    pub rows_out: u64,
    /// Records that never became rows.
    pub decode_rejects: u64,
    /// Rejects that steps handed out, counted apart from what the steps say.
    pub step_rejects: u64,
    /// Records of which there are rejects, for the error budget: steps may have made many rows of one.
    pub records_rejected: u64,
    pub steps: Vec<StepCounts>,
}

impl Books {
    /// Adds the books of another task.
    pub fn add(&mut self, other: &Self) {
        self.rows_in += other.rows_in;
        self.rows_out += other.rows_out;
        self.decode_rejects += other.decode_rejects;
        self.step_rejects += other.step_rejects;
        self.records_rejected += other.records_rejected;
        self.add_steps(&other.steps);
    }

    /// Adds what the steps counted on one batch.
    pub fn add_steps(&mut self, counts: &[StepCounts]) {
        for count in counts {
            match self.steps.iter_mut().find(|step| step.number == count.number) {
                Some(step) => step.add(count),
                None => self.steps.push(count.clone()),
            }
        }
    }

    pub fn filtered(&self) -> u64 {
        self.steps.iter().map(|step| step.rows_filtered).sum()
    }

    pub fn quarantined(&self) -> u64 {
        self.decode_rejects + self.step_rejects
    }

    /// Adds the rejects of one batch: records that never became rows, and rows that steps rejected.
    pub fn add_rejects(&mut self, of_decoder: &[Reject], of_steps: &[Reject], records: &mut RejectedRecords) {
        self.decode_rejects += of_decoder.len() as u64;
        self.step_rejects += of_steps.len() as u64;
        let first = of_steps.iter().filter(|reject| records.is_first(reject));
        self.records_rejected += (of_decoder.len() + first.count()) as u64;
    }

    pub fn merged(&self) -> u64 {
        self.steps.iter().map(|step| step.rows_merged).sum()
    }

    pub fn made(&self) -> u64 {
        self.steps.iter().map(|step| step.rows_made).sum()
    }

    /// `in = out + filtered + quarantined + merged - made`, the rejects at hand are those the steps counted, and no record
    /// is rejected of which there is no reject.
    ///
    /// # Errors
    /// [`RunError::Books`] with the figures.
    pub fn check(&self) -> Result<(), RunError> {
        let counted: u64 = self.steps.iter().map(|step| step.rows_quarantined).sum();
        let gone = self.rows_out + self.filtered() + self.quarantined() + self.merged();
        let is_whole = self.rows_in + self.made() == gone;
        if is_whole && counted <= self.step_rejects && self.records_rejected <= self.quarantined() {
            return Ok(());
        }
        Err(RunError::Books {
            books: self.to_string(),
        })
    }
}

/// Lines that are remembered at once: a few megabytes.
const MAX_REMEMBERED: usize = 1 << 18;

/// Tells the first reject of a record from those of its other rows.
///
/// Accuracy: exact up to [`MAX_REMEMBERED`] rejected records. With more, a record counts again whose rejects come far
/// apart, which can only make it more.
#[derive(Debug)]
pub(super) struct RejectedRecords {
    /// Lines by object; none where no step makes rows, so that every reject is of another record.
    seen: Option<BTreeMap<String, BTreeSet<u64>>>,
    n_lines: usize,
}

impl RejectedRecords {
    pub fn new(makes_rows: bool) -> Self {
        Self {
            seen: makes_rows.then(BTreeMap::new),
            n_lines: 0,
        }
    }

    fn is_first(&mut self, reject: &Reject) -> bool {
        let Some(seen) = &mut self.seen else {
            return true;
        };
        if self.n_lines >= MAX_REMEMBERED {
            seen.clear();
            self.n_lines = 0;
        }
        let is_first = if let Some(lines) = seen.get_mut(&reject.object) {
            lines.insert(reject.line)
        } else {
            seen.insert(reject.object.clone(), BTreeSet::from([reject.line]));
            true
        };
        self.n_lines += usize::from(is_first);
        is_first
    }
}

impl fmt::Display for Books {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{} in, {} out, {} filtered, {} quarantined, {} merged, {} made",
            self.rows_in,
            self.rows_out,
            self.filtered(),
            self.quarantined(),
            self.merged(),
            self.made()
        )
    }
}

#[cfg(test)]
mod tests {
    use super::{Books, MAX_REMEMBERED, RejectedRecords};
    use crate::dataset::{Reason, Reject, Stage};
    use crate::transform::StepCounts;

    #[test]
    fn a_row_that_is_nowhere_stops_the_run() {
        let mut books = Books {
            rows_in: 10,
            rows_out: 6,
            decode_rejects: 1,
            ..Books::default()
        };
        let filter = StepCounts {
            number: 2,
            rows_in: 9,
            rows_out: 7,
            rows_filtered: 2,
            ..StepCounts::default()
        };
        books.add_steps(&[filter]);
        let error = books.check().unwrap_err().to_string();
        assert!(
            error.contains("10 in, 6 out, 2 filtered, 1 quarantined"),
            "{error}"
        );
        books.rows_out = 7;
        assert!(books.check().is_ok());
    }

    #[test]
    fn a_record_is_rejected_once_however_many_of_its_rows_are() {
        let reject = |object: &str, line| Reject {
            object: object.to_owned(),
            line,
            byte_offset: 0,
            byte_len: 0,
            stage: Stage::Transform,
            reason: Reason::StepFailed,
            field: None,
            expected: None,
            got: None,
            step: None,
            message: String::new(),
            raw: String::new(),
            is_raw_partial: true,
        };
        let rejects = [
            reject("a", 1),
            reject("a", 2),
            reject("b", 1),
            reject("a", 1),
            reject("b", 1),
        ];
        let n_first = |mut records: RejectedRecords| {
            let first = rejects.iter().filter(|reject| records.is_first(reject));
            first.count()
        };
        assert_eq!(n_first(RejectedRecords::new(true)), 3);
        assert_eq!(n_first(RejectedRecords::new(false)), 5, "a row is a record");
        let mut many = RejectedRecords::new(true);
        let lines = 0..3 * MAX_REMEMBERED as u64;
        assert!(lines.into_iter().all(|line| many.is_first(&reject("a", line))));
        assert!(many.n_lines <= MAX_REMEMBERED, "{}", many.n_lines);
    }

    #[test]
    fn rows_made_and_merged_are_in_the_books() {
        let mut books = Books {
            rows_in: 4,
            rows_out: 7,
            ..Books::default()
        };
        let explode = |made, merged| StepCounts {
            number: 1,
            rows_made: made,
            rows_merged: merged,
            ..StepCounts::default()
        };
        books.add_steps(&[explode(3, 0)]);
        books.add_steps(&[explode(2, 2)]);
        assert_eq!((books.made(), books.merged(), books.steps.len()), (5, 2, 1));
        assert!(books.check().is_ok());
    }
}

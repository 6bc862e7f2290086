//! The books of a day: where every record went, checked before anything is committed.

use std::fmt;

use serde::{Deserialize, Serialize};

use super::RunError;
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
    pub steps: Vec<StepCounts>,
}

impl Books {
    /// Adds the books of another task.
    pub fn add(&mut self, other: &Self) {
        self.rows_in += other.rows_in;
        self.rows_out += other.rows_out;
        self.decode_rejects += other.decode_rejects;
        self.step_rejects += other.step_rejects;
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

    /// Records that the quarantine weighs for the error budget. Where steps made many rows of a record, each of its rows is
    /// a part of one: ten bad rows of the hundred that one record became are a tenth of a record. Rounded up.
    pub fn records_lost(&self) -> u64 {
        let counted: u64 = self.steps.iter().map(|step| step.rows_quarantined).sum();
        let whole = self.decode_rejects + self.step_rejects.saturating_sub(counted);
        let parts: f64 = self
            .steps
            .iter()
            .filter(|step| step.rows_quarantined > 0)
            .map(|step| {
                let rows_per_record = step.rows_in as f64 / self.rows_in.max(1) as f64;
                step.rows_quarantined as f64 / rows_per_record.max(1.0)
            })
            .sum();
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "at most the number of rows in quarantine"
        )]
        let parts = parts.ceil() as u64;
        whole + parts
    }

    pub fn merged(&self) -> u64 {
        self.steps.iter().map(|step| step.rows_merged).sum()
    }

    pub fn made(&self) -> u64 {
        self.steps.iter().map(|step| step.rows_made).sum()
    }

    /// `in = out + filtered + quarantined + merged - made`, and the rejects at hand are those the steps counted.
    ///
    /// # Errors
    /// [`RunError::Books`] with the figures.
    pub fn check(&self) -> Result<(), RunError> {
        let counted: u64 = self.steps.iter().map(|step| step.rows_quarantined).sum();
        let gone = self.rows_out + self.filtered() + self.quarantined() + self.merged();
        if self.rows_in + self.made() == gone && counted <= self.step_rejects {
            return Ok(());
        }
        Err(RunError::Books {
            books: self.to_string(),
        })
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
    use super::Books;
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
    fn a_row_of_an_exploded_record_weighs_a_part_of_it() {
        let mut books = Books {
            rows_in: 100,
            decode_rejects: 2,
            step_rejects: 75,
            ..Books::default()
        };
        let step = |number, rows_in, rows_quarantined| StepCounts {
            number,
            rows_in,
            rows_quarantined,
            ..StepCounts::default()
        };
        // 49 rows of 50 a record; before that, 24 records by themselves; 2 that no step counted.
        books.add_steps(&[step(1, 50, 24), step(3, 5000, 49)]);
        assert_eq!((books.records_lost(), books.quarantined()), (2 + 2 + 24 + 1, 77));
        books.add_steps(&[step(3, 0, 2)]);
        books.step_rejects += 2;
        assert_eq!(books.records_lost(), 30, "51 rows are more than one record");
        assert_eq!(Books::default().records_lost(), 0);
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

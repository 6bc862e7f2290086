//! Whether two profiles differ so much that what was made for the first does not fit the second: drift.
//!
//! | file | answers |
//! |---|---|
//! | `baseline` | what is kept of a profile to compare with, also in a file |
//! | `of_columns` | how a profile of columns becomes a baseline |
//! | `spread` | how numbers are spread, at evenly spaced ranks |
//! | `measures` | population stability index and Kolmogorov-Smirnov distance, with their limits |
//! | `overlap` | how far both sides have the same values, where there are many |
//! | `column` | what changed in one column, and how bad that is |
//! | `bins` | which bins the index counts in |
//! | `labels` | how borders of bins are written |
//! | `findings` | what to say of all of them |

mod baseline;
mod bins;
mod column;
mod findings;
mod labels;
mod measures;
mod of_columns;
mod overlap;
mod spread;

#[cfg(test)]
mod tests;

use serde::Serialize;

pub use baseline::{Baseline, BaselineColumn, BaselineError, Categories, Category};
pub use column::{Basis, ColumnDrift, Outside, Psi, PsiBin, SchemaDrift, Sign, SignKind};
pub use findings::DriftFinding;
pub use measures::{KS_NOTE, KS_WARN, Ks, LIMITS, PSI_BAD, PSI_WARN, ks, psi, psi_noise};
pub use of_columns::value_text;
pub use overlap::{Overlap, Unseen};
pub use spread::{N_STEPS, Spread};

use super::Severity;
use crate::base::Accuracy;

/// One side of a comparison.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Compared {
    pub from: String,
    pub n_rows: u64,
    pub accuracy: Accuracy,
}

/// What differs between a baseline and a later profile.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Drift {
    pub before: Compared,
    pub after: Compared,
    /// The verdict on all columns in one sentence.
    pub verdict: String,
    pub severity: Severity,
    /// In the order of the later profile; columns that are gone last.
    pub columns: Vec<ColumnDrift>,
    /// Worst first.
    pub findings: Vec<DriftFinding>,
    /// What decides whether a column drifted, with the sources.
    pub limits: &'static [&'static str],
}

impl Drift {
    /// Compares two profiles column by column, by name.
    ///
    /// Accuracy: schema and shares of nulls are as exact as the profiles; index and distance say their own.
    pub fn between(before: &Baseline, after: &Baseline) -> Self {
        let is_exact = before.accuracy.is_exact() && after.accuracy.is_exact();
        let common = after
            .columns
            .iter()
            .map(|column| ColumnDrift::of(before.column(&column.name), Some(column), is_exact));
        let gone = before
            .columns
            .iter()
            .filter(|column| after.column(&column.name).is_none())
            .map(|column| ColumnDrift::of(Some(column), None, is_exact));
        let columns: Vec<ColumnDrift> = common.chain(gone).flatten().collect();
        let findings = findings::findings(&columns, before, after);
        // A day that came empty is no day like the others.
        let has_one_side = (before.n_rows == 0) != (after.n_rows == 0);
        let least = if has_one_side {
            Severity::Warn
        } else {
            Severity::Good
        };
        Self {
            before: compared(before),
            after: compared(after),
            verdict: findings::verdict(&columns, before, after),
            severity: columns
                .iter()
                .map(|column| column.severity)
                .fold(least, Severity::max),
            columns,
            findings,
            limits: &LIMITS,
        }
    }

    pub fn column(&self, name: &str) -> Option<&ColumnDrift> {
        self.columns.iter().find(|column| column.name == name)
    }

    /// How many columns are at least so bad.
    pub fn n_at_least(&self, severity: Severity) -> u64 {
        let bad = self.columns.iter().filter(|column| column.severity >= severity);
        bad.count() as u64
    }
}

fn compared(side: &Baseline) -> Compared {
    Compared {
        from: side.from.clone(),
        n_rows: side.n_rows,
        accuracy: side.accuracy,
    }
}

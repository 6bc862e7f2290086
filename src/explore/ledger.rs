//! What each step did to the sample: rows, columns, nulls and time, and which step the time goes to.

use std::collections::BTreeMap;

use polars::prelude::{Column, DataFrame, DataType};

use super::compare::is_identical;
use super::pairing::Pairing;
use crate::base::Accuracy;
use crate::dataset::origin;
use crate::transform::StepCounts;

/// What one step did to the sample.
#[derive(Debug, Clone, PartialEq)]
pub struct Ledger {
    /// Rows in and out, and the nanoseconds they took.
    pub counts: StepCounts,
    pub columns: ColumnChanges,
    /// Columns in which the step made nulls, in their order.
    pub nulls: Vec<NullChange>,
    /// None when no row came in.
    pub per_million: Option<PerMillion>,
    /// Of the time of all steps in the ledger, 0..=1.
    pub share_of_time: f64,
    pub is_costliest: bool,
    /// Costs far more than the others: more than half of all the time, and more than three times their median.
    pub is_outlier: bool,
}

/// The time of a million rows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PerMillion {
    pub nanos: u64,
    /// An estimate from the rows at hand.
    pub accuracy: Accuracy,
}

/// Visible columns that a step added, dropped or gave another type.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct ColumnChanges {
    pub added: Vec<(String, DataType)>,
    pub dropped: Vec<(String, DataType)>,
    pub retyped: Vec<Retyped>,
}

/// A column of another type than before.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Retyped {
    pub column: String,
    pub before: DataType,
    pub after: DataType,
}

/// Nulls of a column that were not there before the step.
#[derive(Debug, Clone, PartialEq)]
pub struct NullChange {
    pub column: String,
    pub made: Nulls,
}

/// How many nulls a step made.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Nulls {
    /// Cells that are null now, and were not in the same row before the step, or are in a new column.
    Cells(u64),
    /// Shares of null cells before and after, 0..=1, where rows do not correspond. No share before for a new column.
    Share { before: Option<f64>, after: f64 },
}

impl ColumnChanges {
    pub(super) fn between(before: &DataFrame, after: &DataFrame) -> Self {
        let mut changes = Self::default();
        let is_visible = |column: &&Column| !origin::is_hidden(column.name());
        for new in after.columns().iter().filter(is_visible) {
            let name = new.name().to_string();
            match before.column(&name) {
                Err(_) => changes.added.push((name, new.dtype().clone())),
                Ok(old) if old.dtype() != new.dtype() => changes.retyped.push(Retyped {
                    column: name,
                    before: old.dtype().clone(),
                    after: new.dtype().clone(),
                }),
                Ok(_) => {}
            }
        }
        for old in before.columns().iter().filter(is_visible) {
            if after.column(old.name()).is_err() {
                changes
                    .dropped
                    .push((old.name().to_string(), old.dtype().clone()));
            }
        }
        changes
    }
}

/// The nulls that a step made.
pub(super) fn nulls_made(before: &DataFrame, after: &DataFrame, pairing: &Pairing) -> Vec<NullChange> {
    let visible = after
        .columns()
        .iter()
        .filter(|new| !origin::is_hidden(new.name()));
    visible
        .filter_map(|new| {
            let made = made(before.column(new.name()).ok(), new, pairing)?;
            Some(NullChange {
                column: new.name().to_string(),
                made,
            })
        })
        .collect()
}

fn made(old: Option<&Column>, new: &Column, pairing: &Pairing) -> Option<Nulls> {
    let n_new = new.null_count() as u64;
    if n_new == 0 {
        return None;
    }
    let Some(old) = old else {
        return Some(Nulls::Cells(n_new));
    };
    if *pairing == Pairing::Same && is_identical(old, new) {
        return None;
    }
    if !pairing.is_complete() {
        let share = |column: &Column| column.null_count() as f64 / column.len().max(1) as f64;
        let (before, after) = (share(old), share(new));
        return (after > before).then_some(Nulls::Share {
            before: Some(before),
            after,
        });
    }
    let was_null = old.is_null();
    let n_made = if old.null_count() == 0 {
        n_new
    } else {
        let is_null = new.is_null();
        let made = is_null.iter().enumerate().filter(|(row, is_null)| {
            let before = pairing.row_before(*row);
            *is_null == Some(true) && before.and_then(|before| was_null.get(before)) == Some(false)
        });
        made.count() as u64
    };
    (n_made > 0).then_some(Nulls::Cells(n_made))
}

/// What is known of a step, before it is compared with the others.
#[derive(Debug, Clone)]
pub(super) struct Facts {
    pub(super) counts: StepCounts,
    pub(super) columns: ColumnChanges,
    pub(super) nulls: Vec<NullChange>,
}

/// The ledger of steps by number, with the time of each compared with the others'.
pub(super) fn ledger(facts: Vec<Facts>) -> BTreeMap<usize, Ledger> {
    let nanos: Vec<u64> = facts.iter().map(|facts| facts.counts.nanos).collect();
    let total: u64 = nanos.iter().sum();
    let slowest = nanos.iter().copied().max().unwrap_or(0);
    facts
        .into_iter()
        .enumerate()
        .map(|(at, facts)| {
            let own = facts.counts.nanos;
            let is_costliest = nanos.len() > 1 && slowest > 0 && own == slowest;
            let others = nanos.iter().enumerate().filter(|(other, _)| *other != at);
            let ledger = Ledger {
                per_million: per_million(&facts.counts),
                share_of_time: if total == 0 {
                    0.0
                } else {
                    own as f64 / total as f64
                },
                is_costliest,
                is_outlier: is_costliest && is_outlier(own, others.map(|(_, nanos)| *nanos).collect()),
                counts: facts.counts,
                columns: facts.columns,
                nulls: facts.nulls,
            };
            (ledger.counts.number, ledger)
        })
        .collect()
}

/// A step that takes less stands out of nothing but the cost of starting the others.
const OUTLIER_NANOS: u64 = 250_000;

fn is_outlier(own: u64, mut others: Vec<u64>) -> bool {
    others.sort_unstable();
    let Some(median) = others.get(others.len() / 2) else {
        return false;
    };
    let rest: u64 = others.iter().sum();
    own >= OUTLIER_NANOS && own > rest && own > 3 * median
}

fn per_million(counts: &StepCounts) -> Option<PerMillion> {
    let rows = u128::from(counts.rows_in);
    let nanos = (u128::from(counts.nanos) * 1_000_000).checked_div(rows)?;
    Some(PerMillion {
        nanos: u64::try_from(nanos).unwrap_or(u64::MAX),
        accuracy: Accuracy::Estimate,
    })
}

#[cfg(test)]
mod tests {
    use super::{ColumnChanges, Facts, ledger};
    use crate::transform::StepCounts;

    fn timed(micros: &[u64]) -> Vec<(bool, bool)> {
        let facts = micros.iter().zip(1..).map(|(micros, number)| Facts {
            counts: StepCounts {
                number,
                rows_in: 10_000,
                nanos: micros * 1000,
                ..StepCounts::default()
            },
            columns: ColumnChanges::default(),
            nulls: Vec::new(),
        });
        let ledger = ledger(facts.collect());
        ledger
            .values()
            .map(|ledger| (ledger.is_costliest, ledger.is_outlier))
            .collect()
    }

    #[test]
    fn a_step_that_takes_most_of_the_time_jumps_out_and_one_among_equals_does_not() {
        let quiet = (false, false);
        assert_eq!(timed(&[200, 300, 250]), [quiet, (true, false), quiet]);
        assert_eq!(timed(&[200, 3000, 250]), [quiet, (true, true), quiet]);
        assert_eq!(timed(&[3000]), [quiet], "nothing to compare with");
        assert_eq!(
            timed(&[1, 90, 1]),
            [quiet, (true, false), quiet],
            "too little to matter"
        );
        assert_eq!(timed(&[900, 1000, 900, 10]), [quiet, (true, false), quiet, quiet]);
    }

    #[test]
    fn time_is_told_for_a_million_rows_and_as_a_share() {
        let facts = |number, nanos| Facts {
            counts: StepCounts {
                number,
                rows_in: 10_000,
                nanos,
                ..StepCounts::default()
            },
            columns: ColumnChanges::default(),
            nulls: Vec::new(),
        };
        let ledger = ledger(vec![facts(1, 3_000_000), facts(4, 1_000_000)]);
        assert_eq!(ledger[&1].per_million.unwrap().nanos, 300_000_000);
        assert!((ledger[&4].share_of_time - 0.25).abs() < 1e-9);
    }
}

//! Before and after one step: which rows and columns belong together, and which cells differ.

use std::collections::{BTreeMap, HashSet};
use std::ops::Range;

use polars::prelude::{ChunkCompareEq, Column, DataFrame, IdxCa, IdxSize};

use super::pairing::{Origins, Pairing};
use crate::dataset::origin;
use crate::transform::StepCounts;

/// What a step did to a column.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ColumnMark {
    Added,
    Changed,
    Dropped,
}

/// Why a row before a step has none after it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Why {
    Filtered,
    /// It was made one with another row, or the step does not tell which rows it passed over.
    Merged,
    Rejected,
}

/// A row that a step left out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LeftOut {
    /// Row of [`Comparison::before`].
    pub row: usize,
    pub why: Why,
}

/// Which cells of a column differ from the row before the step, for a range of rows after it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CellChanges {
    pub column: String,
    /// One per row of the range. False for a row that has no row before it.
    pub is_changed: Vec<bool>,
}

/// The rows before and after the last shown step.
#[derive(Debug, Clone)]
pub struct Comparison {
    /// Visible columns.
    pub before: DataFrame,
    /// Visible columns.
    pub after: DataFrame,
    /// Columns that the step did something to.
    pub marks: BTreeMap<String, ColumnMark>,
    /// Rows before that have none after, in their order.
    pub left_out: Vec<LeftOut>,
    pairing: Pairing,
    /// Rows after the step by row before it: pairs in order.
    by_before: Vec<(u32, u32)>,
}

impl Comparison {
    /// `before` and `after` with their hidden columns. `rejected` holds object, line and offset of the rows that the step
    /// rejected.
    pub(super) fn new(
        before: &DataFrame,
        after: &DataFrame,
        pairing: Pairing,
        counts: &StepCounts,
        rejected: &HashSet<(u32, u64, u64)>,
    ) -> Self {
        let by_before = match &pairing {
            Pairing::Same => Vec::new(),
            Pairing::Rows(rows) => {
                let mut pairs: Vec<(u32, u32)> = (0_u32..)
                    .zip(rows)
                    .filter_map(|(after, before)| Some(((*before)?, after)))
                    .collect();
                pairs.sort_unstable();
                pairs
            }
        };
        let left_out = left_out(before, &pairing, &by_before, counts, rejected);
        let (before, after) = (origin::strip(before), origin::strip(after));
        let marks = marks(&before, &after, &pairing);
        Self {
            before,
            after,
            marks,
            left_out,
            pairing,
            by_before,
        }
    }

    /// The row before the step that row `row` after it came from; none for a row that came from elsewhere.
    pub fn row_before(&self, row: usize) -> Option<usize> {
        self.pairing
            .row_before(row)
            .filter(|before| *before < self.before.height() && row < self.after.height())
    }

    /// The rows after the step that row `row` before it became: none when it was left out, several when rows were made.
    pub fn rows_after(&self, row: usize) -> Vec<usize> {
        if self.pairing == Pairing::Same {
            return if row < self.after.height() {
                vec![row]
            } else {
                Vec::new()
            };
        }
        let Ok(row) = u32::try_from(row) else {
            return Vec::new();
        };
        let start = self.by_before.partition_point(|(before, _)| *before < row);
        self.by_before
            .iter()
            .skip(start)
            .take_while(|(before, _)| *before == row)
            .map(|(_, after)| *after as usize)
            .collect()
    }

    /// The columns that stand on both sides, in the order after the step, with the cells that differ in `rows` after it.
    /// Columns without a difference in these rows are left out.
    pub fn cell_changes(&self, rows: Range<usize>) -> Vec<CellChanges> {
        let rows = rows.start.min(self.after.height())..rows.end.min(self.after.height());
        if rows.is_empty() {
            return Vec::new();
        }
        let partners: Vec<Option<IdxSize>> = rows
            .clone()
            .map(|row| IdxSize::try_from(self.row_before(row)?).ok())
            .collect();
        let indices: IdxCa = partners.iter().copied().collect();
        let start = i64::try_from(rows.start).unwrap_or(i64::MAX);
        let mut found = Vec::new();
        for new in self.after.columns() {
            let Ok(old) = self.before.column(new.name()) else {
                continue;
            };
            if self.pairing == Pairing::Same && is_identical(old, new) {
                continue;
            }
            let Ok(old) = old.take(&indices) else { continue };
            let new = new.slice(start, rows.len());
            let mut is_changed = differences(&old, &new);
            for (is_changed, partner) in is_changed.iter_mut().zip(&partners) {
                *is_changed &= partner.is_some();
            }
            if is_changed.contains(&true) {
                found.push(CellChanges {
                    column: new.name().to_string(),
                    is_changed,
                });
            }
        }
        found
    }

    /// The rows before the step that it left out for a reason of `why`; visible columns.
    pub fn rows_left_out(&self, why: Why) -> DataFrame {
        let rows: Vec<Option<IdxSize>> = self
            .left_out
            .iter()
            .filter(|left| left.why == why)
            .map(|left| IdxSize::try_from(left.row).ok())
            .collect();
        let indices: IdxCa = rows.into_iter().collect();
        // Rows of this very frame are within its bounds.
        self.before.take(&indices).unwrap_or_else(|_| self.before.clear())
    }
}

fn left_out(
    before: &DataFrame,
    pairing: &Pairing,
    by_before: &[(u32, u32)],
    counts: &StepCounts,
    rejected: &HashSet<(u32, u64, u64)>,
) -> Vec<LeftOut> {
    if *pairing == Pairing::Same {
        return Vec::new();
    }
    let mut stays = vec![false; before.height()];
    for (row, _) in by_before {
        if let Some(stays) = stays.get_mut(*row as usize) {
            *stays = true;
        }
    }
    let origins = (!rejected.is_empty()).then(|| Origins::of(before)).flatten();
    let otherwise = if counts.rows_merged > 0 {
        Why::Merged
    } else {
        Why::Filtered
    };
    let gone = stays.iter().enumerate().filter(|(_, stays)| !**stays);
    gone.map(|(row, _)| {
        let is_rejected = origins
            .as_ref()
            .and_then(|origins| origins.at(row))
            .is_some_and(|origin| rejected.contains(&origin));
        let why = if is_rejected { Why::Rejected } else { otherwise };
        LeftOut { row, why }
    })
    .collect()
}

fn marks(before: &DataFrame, after: &DataFrame, pairing: &Pairing) -> BTreeMap<String, ColumnMark> {
    let mut marks = BTreeMap::new();
    for new in after.columns() {
        let mark = match before.column(new.name()) {
            Err(_) => ColumnMark::Added,
            Ok(old) if old.dtype() != new.dtype() || is_changed(old, new, pairing) => ColumnMark::Changed,
            Ok(_) => continue,
        };
        marks.insert(new.name().to_string(), mark);
    }
    for old in before.columns() {
        if after.column(old.name()).is_err() {
            marks.insert(old.name().to_string(), ColumnMark::Dropped);
        }
    }
    marks
}

/// Whether a value differs from that of the row before. Columns that polars cannot compare count as the same: a mark is a
/// claim.
fn is_changed(old: &Column, new: &Column, pairing: &Pairing) -> bool {
    if *pairing == Pairing::Same && is_identical(old, new) {
        return false;
    }
    let Some(old) = pairing.taken(old) else {
        return false;
    };
    let differences = differences(&old, new);
    match pairing {
        Pairing::Same => differences.contains(&true),
        Pairing::Rows(rows) => differences
            .iter()
            .zip(rows)
            .any(|(differs, row)| *differs && row.is_some()),
    }
}

/// Whether both are the very same values in memory.
pub(super) fn is_identical(a: &Column, b: &Column) -> bool {
    match (a, b) {
        (Column::Series(a), Column::Series(b)) => {
            std::ptr::addr_eq(std::sync::Arc::as_ptr(&a.0), std::sync::Arc::as_ptr(&b.0))
        }
        _ => false,
    }
}

/// Per row, whether the values differ; null is the same as null. After a change of type, whether they read differently.
fn differences(old: &Column, new: &Column) -> Vec<bool> {
    let none = || vec![false; new.len()];
    if old.len() != new.len() {
        return none();
    }
    if old.dtype() == new.dtype() {
        let (old, new) = (old.as_materialized_series(), new.as_materialized_series());
        let Ok(is_equal) = old.equal_missing(new) else {
            return none();
        };
        return is_equal.iter().map(|is_equal| is_equal == Some(false)).collect();
    }
    let texts = |column: &Column, row: usize| {
        column
            .get(row)
            .ok()
            .filter(|value| !value.is_null())
            .map(|value| value.str_value().into_owned())
    };
    (0..new.len())
        .map(|row| texts(old, row) != texts(new, row))
        .collect()
}

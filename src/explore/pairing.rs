//! Which row after a step came from which row before it.
//!
//! Each row carries its place in a hidden column through the step, so rows find each other exactly: several after one
//! where rows are made, none for those left out, and no partner for rows that come from elsewhere.

use polars::prelude::{Column, DataFrame, IdxCa, NamedFrom, Series};

use crate::dataset::origin;

/// For every row after a step, the row before it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Pairing {
    /// The same rows in the same order.
    Same,
    /// By row after the step; none for a row that the step made of no row before it.
    Rows(Vec<Option<u32>>),
}

impl Pairing {
    pub(super) fn row_before(&self, row: usize) -> Option<usize> {
        match self {
            Self::Same => Some(row),
            Self::Rows(rows) => rows.get(row).copied().flatten().map(|row| row as usize),
        }
    }

    /// Whether every row after the step has one before it.
    pub(super) fn is_complete(&self) -> bool {
        match self {
            Self::Same => true,
            Self::Rows(rows) => rows.iter().all(Option::is_some),
        }
    }

    /// Bytes that it takes.
    pub(super) fn n_bytes(&self) -> usize {
        match self {
            Self::Same => 0,
            Self::Rows(rows) => rows.len() * size_of::<Option<u32>>(),
        }
    }

    /// The rows of `column` that stand before each row after the step; null where there is none. None when it cannot be
    /// taken apart.
    pub(super) fn taken(&self, column: &Column) -> Option<Column> {
        match self {
            Self::Same => Some(column.clone()),
            Self::Rows(rows) => {
                let indices: IdxCa = rows.iter().copied().collect();
                column.take(&indices).ok()
            }
        }
    }
}

/// `df` with the place of each row in a hidden column.
pub(super) fn with_places(df: &DataFrame) -> DataFrame {
    let places: Vec<u64> = (0..df.height() as u64).collect();
    let mut df = df.clone();
    let column = Column::from(Series::new(origin::ROW.into(), places));
    // A column as long as the frame is never refused.
    if df.with_column(column).is_err() {
        tracing::debug!("rows could not be numbered");
    }
    df
}

/// Takes the places out of what a step gave for `n_before` rows.
pub(super) fn take_places(df: &mut DataFrame, n_before: usize) -> Pairing {
    let places = df.drop_in_place(origin::ROW).ok();
    let Some(places) = places.as_ref().and_then(|places| places.u64().ok()) else {
        return Pairing::Rows(vec![None; df.height()]);
    };
    let is_same = places.len() == n_before
        && places
            .iter()
            .enumerate()
            .all(|(row, place)| place == Some(row as u64));
    if is_same {
        return Pairing::Same;
    }
    Pairing::Rows(places.iter().map(|place| u32::try_from(place?).ok()).collect())
}

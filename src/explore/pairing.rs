//! Which row after a step came from which row before it.
//!
//! Each row carries its place in a hidden column through the step, so rows find each other exactly: several after one
//! where rows are made, none for those left out, and no partner for rows that come from elsewhere.

use std::collections::HashMap;

use polars::prelude::{Column, DataFrame, IdxCa, NamedFrom, Series, UInt32Chunked, UInt64Chunked};

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

/// Takes the places out of what a step gave for the rows `before`. A step that computes its rows anew may lose them; then
/// rows are found by their origin, as far as that is one row's alone.
pub(super) fn take_places(df: &mut DataFrame, before: &DataFrame) -> Pairing {
    let places = df.drop_in_place(origin::ROW).ok();
    let rows: Vec<Option<u32>> = match places.as_ref().and_then(|places| places.u64().ok()) {
        Some(places) => places.iter().map(|place| u32::try_from(place?).ok()).collect(),
        None => by_origin(df, before),
    };
    let is_same = rows.len() == before.height()
        && rows
            .iter()
            .enumerate()
            .all(|(row, before)| before.is_some_and(|before| before as usize == row));
    if is_same {
        Pairing::Same
    } else {
        Pairing::Rows(rows)
    }
}

fn by_origin(df: &DataFrame, before: &DataFrame) -> Vec<Option<u32>> {
    let (Some(old), Some(new)) = (Origins::of(before), Origins::of(df)) else {
        return vec![None; df.height()];
    };
    let mut rows: HashMap<(u32, u64, u64), Option<u32>> = HashMap::new();
    for row in 0..before.height() {
        if let Some(origin) = old.at(row) {
            rows.entry(origin)
                .and_modify(|row| *row = None)
                .or_insert(u32::try_from(row).ok());
        }
    }
    (0..df.height())
        .map(|row| rows.get(&new.at(row)?).copied().flatten())
        .collect()
}

/// The origin columns of a frame.
pub(super) struct Origins<'a> {
    object: &'a UInt32Chunked,
    line: &'a UInt64Chunked,
    offset: &'a UInt64Chunked,
}

impl<'a> Origins<'a> {
    pub(super) fn of(df: &'a DataFrame) -> Option<Self> {
        Some(Self {
            object: df.column(origin::OBJECT).ok()?.u32().ok()?,
            line: df.column(origin::LINE).ok()?.u64().ok()?,
            offset: df.column(origin::OFFSET).ok()?.u64().ok()?,
        })
    }

    pub(super) fn at(&self, row: usize) -> Option<(u32, u64, u64)> {
        Some((self.object.get(row)?, self.line.get(row)?, self.offset.get(row)?))
    }
}

//! Rows of a frame that agree in columns, for steps that compute on a whole frame at once.

use std::sync::Arc;

use polars::frame::group_by::GroupsIndicator;
use polars::prelude::{
    Column, DataFrame, IdxCa, IdxSize, IntoColumn, LazyFrame, OptFlags, PolarsResult, Schema, SchemaRef,
};

/// Rows in groups, each group's rows one after another.
#[derive(Debug, Default)]
pub(super) struct RowGroups {
    /// Rows of the first group in their order, then those of the next.
    pub(super) rows: Vec<IdxSize>,
    /// Where each group ends in `rows`.
    ends: Vec<usize>,
}

impl RowGroups {
    /// Groups by equal values in `columns`, in the order of their first rows; without columns one group of all rows.
    pub(super) fn of(df: &DataFrame, columns: &[String]) -> PolarsResult<Self> {
        let mut groups = Self::default();
        if columns.is_empty() || df.height() == 0 {
            groups.rows.extend((0..).take(df.height()));
            groups.close();
            return Ok(groups);
        }
        let grouped = df
            .group_by_stable(columns.iter().map(String::as_str))?
            .into_groups();
        groups.rows.reserve(df.height());
        for group in grouped.iter() {
            match group {
                GroupsIndicator::Idx((_, rows)) => groups.rows.extend(rows.iter()),
                GroupsIndicator::Slice([first, len]) => groups.rows.extend(first..first + len),
            }
            groups.close();
        }
        Ok(groups)
    }

    fn close(&mut self) {
        self.ends.push(self.rows.len());
    }

    /// Puts `rows` in the place of the row numbers 0, 1, 2, …, which these groups were made with.
    pub(super) fn renumber(&mut self, rows: &[IdxSize]) {
        for row in &mut self.rows {
            *row = rows.get(*row as usize).copied().unwrap_or_default();
        }
    }

    /// The rows of each group.
    pub(super) fn iter(&self) -> impl Iterator<Item = &[IdxSize]> {
        let mut start = 0;
        self.ends.iter().map(move |end| {
            let group = self.rows.get(start..*end).unwrap_or_default();
            start = *end;
            group
        })
    }

    /// The number of each row's group.
    pub(super) fn numbers(&self) -> Vec<IdxSize> {
        let mut numbers = vec![0; self.rows.len()];
        for (number, group) in (0..).zip(self.iter()) {
            for row in group {
                if let Some(of_row) = numbers.get_mut(*row as usize) {
                    *of_row = number;
                }
            }
        }
        numbers
    }
}

/// `df` with a column of row numbers.
pub(super) fn numbered(mut df: DataFrame, name: &'static str) -> PolarsResult<DataFrame> {
    let numbers: Vec<IdxSize> = (0..).take(df.height()).collect();
    let numbers: Column = IdxCa::from_vec(name.into(), numbers).into_column();
    df.with_column(numbers)?;
    Ok(df)
}

/// Adds to `lf` what `compute` makes of its whole frame. `change` tells the schema after it, hidden columns included.
pub(super) fn on_frame(
    lf: LazyFrame,
    name: &'static str,
    change: impl Fn(&mut Schema) + Send + Sync + 'static,
    compute: impl Fn(DataFrame) -> PolarsResult<DataFrame> + Send + Sync + 'static,
) -> LazyFrame {
    let schema = move |before: &Schema| -> PolarsResult<SchemaRef> {
        let mut schema = before.clone();
        change(&mut schema);
        Ok(Arc::new(schema))
    };
    lf.map(compute, OptFlags::empty(), Some(Arc::new(schema)), Some(name))
}

//! Frames of several objects put below each other until there are enough rows.

use polars::prelude::{Column, DataFrame, DataType, IntoColumn, Schema, Series};

use super::{dtype_name, origin};

pub(super) struct Stack {
    df: Option<DataFrame>,
    max_rows: usize,
    /// The line of the last row, once rows after it were left out.
    cut_at: Option<u64>,
}

impl Stack {
    pub(super) fn new(max_rows: usize) -> Self {
        Self {
            df: None,
            max_rows,
            cut_at: None,
        }
    }

    fn n_rows(&self) -> usize {
        self.df.as_ref().map_or(0, DataFrame::height)
    }

    pub(super) fn is_full(&self) -> bool {
        self.n_rows() >= self.max_rows && self.df.is_some()
    }

    pub(super) fn cut_at(&self) -> Option<u64> {
        self.cut_at
    }

    /// Adds what fits of `df`. Columns are matched by name; one that is missing on either side is null there.
    ///
    /// # Errors
    /// A sentence when a column's type does not fit that of the rows before.
    pub(super) fn push(&mut self, mut df: DataFrame) -> Result<(), String> {
        let room = self.max_rows - self.n_rows().min(self.max_rows);
        if df.height() > room {
            df = df.head(Some(room));
            self.cut_at = last_line(&df);
        }
        let Some(above) = &mut self.df else {
            self.df = Some(df);
            return Ok(());
        };
        let aligned = if above.schema() == df.schema() {
            df
        } else {
            align(above, &df)?
        };
        above
            .vstack_mut_owned(aligned)
            .map_err(|error| error.to_string())?;
        Ok(())
    }

    pub(super) fn finish(self) -> Option<DataFrame> {
        let mut df = self.df?;
        df.rechunk_mut();
        Some(df)
    }
}

fn last_line(df: &DataFrame) -> Option<u64> {
    // Asked for the last of no values, polars panics.
    let Some(last) = df.height().checked_sub(1) else {
        return Some(0);
    };
    Some(df.column(origin::LINE).ok()?.u64().ok()?.get(last).unwrap_or(0))
}

/// `df` with the columns of `above`, which gets those that only `df` has.
fn align(above: &mut DataFrame, df: &DataFrame) -> Result<DataFrame, String> {
    let n_hidden = 3;
    for column in df.columns() {
        if above.column(column.name()).is_err() {
            let nulls = nulls(column, above.height());
            let at = above.width().saturating_sub(n_hidden);
            above
                .insert_column(at, nulls)
                .map_err(|error| error.to_string())?;
        }
    }
    let mut columns = Vec::with_capacity(above.width());
    for like in above.columns() {
        let column = match df.column(like.name()) {
            Err(_) => nulls(like, df.height()),
            Ok(column) => as_before(column, like.dtype())?,
        };
        columns.push(column);
    }
    DataFrame::new(df.height(), columns).map_err(|error| error.to_string())
}

fn as_before(column: &Column, dtype: &DataType) -> Result<Column, String> {
    widen(column, dtype)?.ok_or_else(|| {
        format!(
            "column `{}` is {}, in the files before it is {}",
            column.name(),
            dtype_name(column.dtype()),
            dtype_name(dtype)
        )
    })
}

/// A column of a file as it is declared.
///
/// # Errors
/// A sentence when values of its type need not be values of the declared one.
pub(super) fn widened(column: &Column, dtype: &DataType) -> Result<Column, String> {
    widen(column, dtype)?.ok_or_else(|| {
        format!(
            "column `{}` is {}, it is declared as {}",
            column.name(),
            dtype_name(column.dtype()),
            dtype_name(dtype)
        )
    })
}

/// Rows of a file with the columns of a dataset.
pub struct Fitted {
    /// The dataset's columns in their order, then the origin columns.
    pub df: DataFrame,
    /// Columns of the dataset that the file does not have: null here.
    pub missing: Vec<String>,
    /// Columns that only the file has: left out.
    pub unknown: Vec<String>,
}

/// `df` (with origin columns) with the columns and types of `schema`.
///
/// # Errors
/// A sentence when values of a column's type need not be values of the schema's.
pub fn fit_columns(df: &DataFrame, schema: &Schema) -> Result<Fitted, String> {
    let mut columns: Vec<Column> = Vec::with_capacity(schema.len() + 3);
    let mut missing = Vec::new();
    for (name, dtype) in schema.iter() {
        columns.push(if let Ok(column) = df.column(name) {
            widened(column, dtype)?
        } else {
            missing.push(name.to_string());
            Series::full_null(name.clone(), df.height(), dtype).into_column()
        });
    }
    for name in [origin::OBJECT, origin::LINE, origin::OFFSET] {
        columns.push(df.column(name).map_err(|error| error.to_string())?.clone());
    }
    let names = df.columns().iter().map(Column::name);
    let unknown = names
        .filter(|name| !origin::is_hidden(name) && !schema.contains(name))
        .map(ToString::to_string)
        .collect();
    let df = DataFrame::new(df.height(), columns).map_err(|error| error.to_string())?;
    Ok(Fitted { df, missing, unknown })
}

/// The columns of all `schemas` in their order, each with a type that holds the values of the others where one does, else
/// with the first.
pub fn unified<'a>(schemas: impl IntoIterator<Item = &'a Schema>) -> Schema {
    let mut all = Schema::default();
    for schema in schemas {
        for (name, dtype) in schema.iter() {
            match all.get(name) {
                Some(known) if known == dtype || !is_widening(known, dtype) => {}
                _ => drop(all.insert(name.clone(), dtype.clone())),
            }
        }
    }
    all
}

/// None when that would not be widening.
fn widen(column: &Column, dtype: &DataType) -> Result<Option<Column>, String> {
    if column.dtype() == dtype {
        return Ok(Some(column.clone()));
    }
    if !is_widening(column.dtype(), dtype) {
        return Ok(None);
    }
    let cast = column.strict_cast(dtype);
    cast.map(Some).map_err(|error| error.to_string())
}

fn nulls(like: &Column, n: usize) -> Column {
    Series::full_null(like.name().clone(), n, like.dtype()).into_column()
}

/// Whether every value of `from` is one of `to`.
fn is_widening(from: &DataType, to: &DataType) -> bool {
    match (from, to) {
        (DataType::List(from), DataType::List(to)) => from == to || is_widening(from, to),
        (DataType::Struct(from), DataType::Struct(to)) => {
            let mut pairs = from.iter().zip(to);
            from.len() == to.len()
                && pairs.all(|(from, to)| {
                    let (a, b) = (from.dtype(), to.dtype());
                    from.name() == to.name() && (a == b || is_widening(a, b))
                })
        }
        // A moment without a zone is taken for one in UTC, as lakes write it.
        (DataType::Datetime(_, from), DataType::Datetime(_, to)) => from.is_none() || from == to,
        _ => matches!(
            (from, to),
            (DataType::Null, _)
                | (
                    DataType::Int8
                        | DataType::Int16
                        | DataType::Int32
                        | DataType::UInt8
                        | DataType::UInt16
                        | DataType::UInt32,
                    DataType::Int64 | DataType::Float64
                )
                | (DataType::Float32, DataType::Float64)
        ),
    }
}

#[cfg(test)]
mod tests {
    use polars::prelude::{Column, DataFrame};

    use super::Stack;

    fn frame(columns: Vec<Column>) -> DataFrame {
        let n = columns[0].len();
        let lines: Vec<u64> = (1..=n as u64).collect();
        let mut columns = columns;
        columns.push(Column::new("__skewer_object".into(), vec![0_u32; n]));
        columns.push(Column::new("__skewer_line".into(), lines));
        columns.push(Column::new("__skewer_offset".into(), vec![0_u64; n]));
        DataFrame::new(n, columns).unwrap()
    }

    #[test]
    fn columns_are_matched_by_name_and_widened_but_never_changed() {
        let mut stack = Stack::new(5);
        stack
            .push(frame(vec![Column::new("a".into(), [1_i64, 2])]))
            .unwrap();
        let later = vec![
            Column::new("b".into(), ["x", "y"]),
            Column::new("a".into(), [3_i32, 4]),
        ];
        stack.push(frame(later)).unwrap();
        let error = stack
            .push(frame(vec![Column::new("a".into(), ["z"])]))
            .unwrap_err();
        assert_eq!(error, "column `a` is string, in the files before it is int64");
        assert!(!stack.is_full());
        stack
            .push(frame(vec![Column::new("a".into(), [5_i64, 6, 7])]))
            .unwrap();
        assert!(stack.is_full());
        assert_eq!(stack.cut_at(), Some(1));
        let df = stack.finish().unwrap();
        let numbers: Vec<Option<i64>> = df.column("a").unwrap().i64().unwrap().iter().collect();
        assert_eq!(numbers, [Some(1), Some(2), Some(3), Some(4), Some(5)]);
        assert_eq!(df.column("b").unwrap().null_count(), 3);
        assert_eq!(df.columns()[1].name(), "b");
    }
}

//! What becomes of a column that has one type in some files and another one in others, where rows are looked at and not
//! computed with: the type that takes all of their values, and values that no such type takes counted.
//!
//! Numbers are widened as Arrow and Spark do, times to the finer of two, and texts take what has one text form, as the
//! schema of JSON Lines does. Leaves to [`super::stack`] what steps and runs read, where types are never changed.

use polars::error::PolarsResult;
use polars::prelude::{
    AnyValue, Column, DataFrame, DataType, Field, IntoColumn, IntoSeries, Schema, Series, StructChunked,
    TimeUnit,
};

use super::decode::{Drift, Mismatch};
use super::{dtype_name, origin};

/// The type that takes all values of both. None where there is none, such as for a number and a list.
pub(super) fn together(a: &DataType, b: &DataType) -> Option<DataType> {
    if a == b {
        return Some(a.clone());
    }
    match (a, b) {
        (DataType::Null, other) | (other, DataType::Null) => Some(other.clone()),
        (DataType::List(a), DataType::List(b)) => Some(DataType::List(Box::new(together(a, b)?))),
        (DataType::Struct(a), DataType::Struct(b)) => Some(DataType::Struct(fields_together(a, b))),
        (DataType::Date, DataType::Datetime(unit, zone))
        | (DataType::Datetime(unit, zone), DataType::Date) => Some(DataType::Datetime(*unit, zone.clone())),
        (DataType::Datetime(a, zone), DataType::Datetime(b, other)) => {
            let unit = if a == b { *a } else { TimeUnit::Microseconds };
            Some(DataType::Datetime(unit, zone.clone().or_else(|| other.clone())))
        }
        _ => numbers_together(a, b).or_else(|| {
            let is_text = |dtype: &DataType| dtype.is_string() || has_text(dtype);
            (is_text(a) && is_text(b)).then_some(DataType::String)
        }),
    }
}

/// Whether each value of a type has one text.
fn has_text(dtype: &DataType) -> bool {
    dtype.is_primitive_numeric()
        || dtype.is_bool()
        || matches!(dtype, DataType::Date | DataType::Datetime(..))
}

fn numbers_together(a: &DataType, b: &DataType) -> Option<DataType> {
    if !a.is_primitive_numeric() || !b.is_primitive_numeric() {
        return None;
    }
    if a.is_float() || b.is_float() {
        return Some(DataType::Float64);
    }
    match (a, b) {
        // No type of 64 bits takes both.
        (DataType::UInt64, other) | (other, DataType::UInt64) => {
            other.is_unsigned_integer().then_some(DataType::UInt64)
        }
        _ => Some(DataType::Int64),
    }
}

/// Fields by name, in the order in which they are first seen; one without a type for both keeps the first.
fn fields_together(a: &[Field], b: &[Field]) -> Vec<Field> {
    let mut all: Vec<Field> = a.to_vec();
    for field in b {
        match all.iter_mut().find(|known| known.name() == field.name()) {
            Some(known) => {
                if let Some(both) = together(&known.dtype, &field.dtype) {
                    known.dtype = both;
                }
            }
            None => all.push(field.clone()),
        }
    }
    all
}

/// The columns of all `schemas` in their order, each with the type that takes all of its values, else with the first.
pub(super) fn all_together<'a>(schemas: impl IntoIterator<Item = &'a Schema>) -> Schema {
    let mut all = Schema::default();
    for schema in schemas {
        for (name, dtype) in schema.iter() {
            let widest = match all.get(name) {
                Some(known) => together(known, dtype),
                None => Some(dtype.clone()),
            };
            if let Some(widest) = widest {
                drop(all.insert(name.clone(), widest));
            }
        }
    }
    all
}

/// Rows of a file with the columns of a dataset, whatever types they have in the file.
pub struct Taken {
    /// The dataset's columns in their order, then the origin columns.
    pub df: DataFrame,
    /// Columns of the dataset that the file does not have: null here.
    pub missing: Vec<String>,
    /// Values that the dataset's type does not take: null here.
    pub drift: Drift,
}

/// `df` (with origin columns) of the file `object` with the columns and types of `schema`.
///
/// # Errors
/// A sentence when the columns cannot be put together at all.
pub fn take_columns(df: &DataFrame, schema: &Schema, object: &str) -> Result<Taken, String> {
    let text = |error: polars::error::PolarsError| error.to_string();
    let mut columns: Vec<Column> = Vec::with_capacity(schema.len() + 3);
    let mut missing = Vec::new();
    let mut drift = Drift::default();
    for (name, dtype) in schema.iter() {
        let Ok(column) = df.column(name) else {
            missing.push(name.to_string());
            columns.push(Series::full_null(name.clone(), df.height(), dtype).into_column());
            continue;
        };
        if column.dtype() == dtype {
            columns.push(column.clone());
            continue;
        }
        let s = column.as_materialized_series();
        let taken = taken(s, dtype).map_err(text)?;
        let n = taken.null_count().saturating_sub(s.null_count()) as u64;
        if n > 0 {
            let (first_got, first_line) = first_lost(df, s, &taken);
            let lost = Mismatch {
                n,
                expected: dtype_name(dtype),
                first_got,
                first_object: object.to_owned(),
                first_line,
            };
            drift.mismatched.insert(name.to_string(), lost);
        }
        columns.push(taken.into_column());
    }
    for name in [origin::OBJECT, origin::LINE, origin::OFFSET] {
        columns.push(df.column(name).map_err(text)?.clone());
    }
    Ok(Taken {
        df: DataFrame::new(df.height(), columns).map_err(text)?,
        missing,
        drift,
    })
}

/// The first value that became null, as `string "x1"`, and its line.
fn first_lost(df: &DataFrame, s: &Series, taken: &Series) -> (String, u64) {
    let is_null = |s: &Series, at: usize| matches!(s.get(at), Ok(AnyValue::Null) | Err(_));
    let at = (0..s.len())
        .find(|at| is_null(taken, *at) && !is_null(s, *at))
        .unwrap_or(0);
    let mut value = s
        .get(at)
        .map_or_else(|_| String::new(), |value| value.to_string());
    if let Some((end, _)) = value.char_indices().nth(60) {
        value.truncate(end);
        value.push('…');
    }
    let lines = df.column(origin::LINE).ok().and_then(|lines| lines.u64().ok());
    let line = lines.and_then(|lines| lines.get(at)).unwrap_or(0);
    (format!("{} {value}", dtype_name(s.dtype())), line)
}

/// The values of `s` as values of `dtype`; null where they are none.
fn taken(s: &Series, dtype: &DataType) -> PolarsResult<Series> {
    if s.dtype() == dtype {
        return Ok(s.clone());
    }
    // The wanted type first: fields keep the order of the first.
    if together(dtype, s.dtype()).as_ref() != Some(dtype) {
        return Ok(Series::full_null(s.name().clone(), s.len(), dtype));
    }
    match dtype {
        DataType::Struct(fields) => {
            let s = s.struct_()?;
            let inside: PolarsResult<Vec<Series>> = fields
                .iter()
                .map(|field| match s.field_by_name(field.name()) {
                    Ok(found) => taken(&found, field.dtype()),
                    Err(_) => Ok(Series::full_null(field.name().clone(), s.len(), field.dtype())),
                })
                .collect();
            let mut made = StructChunked::from_series(s.name().clone(), s.len(), inside?.iter())?;
            made.zip_outer_validity(s);
            Ok(made.into_series())
        }
        DataType::List(inner) => {
            let made = s.list()?.apply_to_inner(&|items| taken(&items, inner))?;
            Ok(made.into_series())
        }
        _ => s.cast(dtype),
    }
}

#[cfg(test)]
mod tests {
    use polars::prelude::{AnyValue, Column, DataFrame, DataType, NamedFrom, Schema, Series, TimeUnit};

    use super::{all_together, take_columns, together};

    #[test]
    fn numbers_are_widened_and_texts_take_what_has_one_text() {
        use DataType::{Boolean, Date, Float64, Int8, Int16, Int32, Int64, String, UInt32, UInt64};
        for (a, b, both) in [
            (Int32, Int64, Some(Int64)),
            (Int8, Int16, Some(Int64)),
            (Int64, Float64, Some(Float64)),
            (UInt32, Int32, Some(Int64)),
            (UInt64, UInt32, Some(UInt64)),
            (UInt64, Int64, Some(String)),
            (Int64, String, Some(String)),
            (Boolean, Int64, Some(String)),
            (
                Date,
                DataType::Datetime(TimeUnit::Milliseconds, None),
                Some(DataType::Datetime(TimeUnit::Milliseconds, None)),
            ),
            (
                DataType::List(Box::new(Int32)),
                DataType::List(Box::new(Int64)),
                Some(DataType::List(Box::new(Int64))),
            ),
            (DataType::List(Box::new(Int32)), Int64, None),
        ] {
            assert_eq!(together(&a, &b), both, "{a} {b}");
            assert_eq!(together(&b, &a), both, "{b} {a}");
        }
    }

    fn frame(columns: Vec<Column>) -> DataFrame {
        let n = columns[0].len();
        let mut columns = columns;
        columns.push(Column::new("__skewer_object".into(), vec![0_u32; n]));
        columns.push(Column::new(
            "__skewer_line".into(),
            (1..=n as u64).collect::<Vec<_>>(),
        ));
        columns.push(Column::new("__skewer_offset".into(), vec![0_u64; n]));
        DataFrame::new(n, columns).unwrap()
    }

    fn nested(names: &[&str]) -> Column {
        let fields: Vec<Series> = names
            .iter()
            .map(|name| Series::new((*name).into(), [1_i32, 2]))
            .collect();
        let df = DataFrame::new(2, fields.into_iter().map(Column::from).collect()).unwrap();
        let s = df.into_struct("place".into());
        Column::from(polars::prelude::IntoSeries::into_series(s))
    }

    #[test]
    fn structs_of_other_fields_and_types_are_put_together_by_name() {
        let (a, b) = (frame(vec![nested(&["x", "y"])]), frame(vec![nested(&["y", "z"])]));
        let visible = |df: &DataFrame| {
            let schema = df.schema().iter().take(1);
            schema
                .map(|(name, dtype)| (name.clone(), dtype.clone()))
                .collect::<Schema>()
        };
        let schema = all_together([&visible(&a), &visible(&b)]);
        let taken = take_columns(&b, &schema, "b.parquet").unwrap();
        assert!(taken.drift.is_empty());
        let place = taken.df.column("place").unwrap();
        let fields = place.struct_().unwrap().fields_as_series();
        let names: Vec<(&str, usize)> = fields
            .iter()
            .map(|s| (s.name().as_str(), s.null_count()))
            .collect();
        assert_eq!(names, [("x", 2), ("y", 0), ("z", 0)]);
    }

    #[test]
    fn what_the_type_does_not_take_is_null_counted_and_its_place_told() {
        let schema: Schema = [("n".into(), DataType::Int64), ("t".into(), DataType::String)]
            .into_iter()
            .collect();
        let df = frame(vec![
            Column::new("n".into(), [None, Some("x1"), Some("7")]),
            Column::new("t".into(), [1.5, 2.0, 3.0]),
        ]);
        let taken = take_columns(&df, &schema, "b.parquet").unwrap();
        assert_eq!(taken.df.column("n").unwrap().null_count(), 3);
        assert_eq!(
            taken.df.column("t").unwrap().get(0).unwrap(),
            AnyValue::String("1.5")
        );
        let lost = &taken.drift.mismatched["n"];
        assert_eq!(
            (lost.n, lost.first_line, lost.first_got.as_str()),
            (2, 2, "string \"x1\"")
        );
        assert_eq!(
            (lost.expected.as_str(), lost.first_object.as_str()),
            ("int64", "b.parquet")
        );
    }
}

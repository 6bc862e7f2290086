//! What a name in a key means: a column, or by a dotted path (`user.country`) a field of a struct.
//!
//! A column that is itself called `user.country` wins, as does a field whose own name holds a dot. Lists are not entered: a
//! field of their items is not one value a row.

use polars::prelude::{
    Column, DataFrame, DataType, Field, IdxCa, IdxSize, NewChunkedArray as _, PolarsResult, Schema,
};

use crate::dataset::origin;

/// Where a key's name leads: the column, then a field of each struct on the way.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FieldPath {
    pub column: String,
    /// Empty for a column.
    pub fields: Vec<String>,
}

impl FieldPath {
    /// Whether the name is a field of a struct and no column.
    pub fn is_field(&self) -> bool {
        !self.fields.is_empty()
    }

    /// As an expression writes it: `"user"."country"`.
    pub fn sql(&self) -> String {
        let quoted = |name: &String| format!("\"{}\"", name.replace('"', "\"\""));
        let parts: Vec<String> = std::iter::once(&self.column)
            .chain(&self.fields)
            .map(quoted)
            .collect();
        parts.join(".")
    }
}

/// The path that `name` means in `schema`, with the type at its end. None where it leads nowhere.
pub fn key_field<'a>(schema: &'a Schema, name: &str) -> Option<(FieldPath, &'a DataType)> {
    if let Some(dtype) = schema.get(name) {
        let path = FieldPath {
            column: name.to_owned(),
            fields: Vec::new(),
        };
        return Some((path, dtype));
    }
    splits(name).find_map(|(column, rest)| {
        let DataType::Struct(fields) = schema.get(column)? else {
            return None;
        };
        let (fields, dtype) = within(fields, rest)?;
        let path = FieldPath {
            column: column.to_owned(),
            fields,
        };
        Some((path, dtype))
    })
}

/// All names that may be a key, columns and the fields of structs after them, with their types.
pub fn key_fields(schema: &Schema) -> Vec<(String, &DataType)> {
    let mut named = Vec::new();
    for (name, dtype) in schema.iter().filter(|(name, _)| !origin::is_hidden(name)) {
        push(name.to_string(), dtype, &mut named);
    }
    // A column of the same name is what the name means.
    named.retain(|(name, dtype)| {
        key_field(schema, name).is_some_and(|(_, meant)| std::ptr::eq(meant, *dtype))
    });
    named
}

/// The values of a key's name in `df`, under that name; null where a struct on the way is null.
///
/// # Errors
/// A name that leads nowhere.
pub(super) fn key_column(df: &DataFrame, name: &str) -> PolarsResult<Column> {
    let Some((path, _)) = key_field(df.schema(), name).filter(|(path, _)| path.is_field()) else {
        return df.column(name).cloned();
    };
    let mut values = df.column(&path.column)?.as_materialized_series().clone();
    for field in &path.fields {
        let inner = values.struct_()?.field_by_name(field)?;
        values = if values.null_count() == 0 {
            inner
        } else {
            let rows = values.is_not_null();
            let rows = (0..)
                .zip(rows.iter())
                .map(|(row, is_there)| (is_there == Some(true)).then_some(row));
            inner.take(&IdxCa::from_iter_options(
                "rows".into(),
                rows.collect::<Vec<Option<IdxSize>>>().into_iter(),
            ))?
        };
    }
    Ok(values.with_name(name.into()).into())
}

/// `a.b.c` as (`a`, `b.c`) and (`a.b`, `c`).
fn splits(name: &str) -> impl Iterator<Item = (&str, &str)> {
    name.match_indices('.')
        .filter_map(|(at, _)| Some((name.get(..at)?, name.get(at + 1..)?)))
}

fn within<'a>(fields: &'a [Field], name: &str) -> Option<(Vec<String>, &'a DataType)> {
    let of = |name: &str| fields.iter().find(|field| field.name() == name);
    if let Some(field) = of(name) {
        return Some((vec![name.to_owned()], field.dtype()));
    }
    splits(name).find_map(|(first, rest)| {
        let DataType::Struct(inner) = of(first)?.dtype() else {
            return None;
        };
        let (mut path, dtype) = within(inner, rest)?;
        path.insert(0, first.to_owned());
        Some((path, dtype))
    })
}

fn push<'a>(name: String, dtype: &'a DataType, named: &mut Vec<(String, &'a DataType)>) {
    let fields = match dtype {
        DataType::Struct(fields) => fields.as_slice(),
        _ => &[],
    };
    let inner: Vec<(String, &DataType)> = fields
        .iter()
        .map(|field| (format!("{name}.{}", field.name()), field.dtype()))
        .collect();
    named.push((name, dtype));
    for (name, dtype) in inner {
        push(name, dtype, named);
    }
}

#[cfg(test)]
mod tests {
    use polars::prelude::{Column, DataFrame, DataType, IntoSeries, NamedFrom, Series, StructChunked, df};

    use super::{key_column, key_field, key_fields};

    /// `s` is a struct of `a`, of `b` that is a struct of `c`, and of a field called `d.e`; the second row has no struct.
    fn rows() -> DataFrame {
        let of = |name: &str, fields: &[Series]| {
            StructChunked::from_series(name.into(), 2, fields.iter()).unwrap()
        };
        let b = of("b", &[Series::new("c".into(), [1_i64, 2])]).into_series();
        let s = of(
            "s",
            &[
                Series::new("a".into(), ["x", "y"]),
                b,
                Series::new("d.e".into(), [true, false]),
            ],
        );
        let is_there = [true, false].into_iter().collect();
        let mut df = df!("n" => [7_i64, 8], "s.a" => [0.5, 1.5], "l" => [Series::new("".into(), [1_i64]), Series::new("".into(), [2_i64])])
            .unwrap();
        df.with_column(Column::from(s.clone().into_series())).unwrap();
        let holed = s
            .with_outer_validity(Some(is_there))
            .into_series()
            .with_name("t".into());
        df.with_column(Column::from(holed)).unwrap();
        df
    }

    #[test]
    fn a_dotted_name_is_a_field_unless_a_column_is_called_so() {
        let df = rows();
        let schema = df.schema();
        let found = |name: &str| {
            key_field(schema, name).map(|(path, dtype)| (path.sql(), dtype.to_string(), path.is_field()))
        };
        let is = |sql: &str, dtype: DataType, is_field| Some((sql.to_owned(), dtype.to_string(), is_field));
        assert_eq!(found("n"), is("\"n\"", DataType::Int64, false));
        assert_eq!(found("s.a"), is("\"s.a\"", DataType::Float64, false));
        assert_eq!(found("t.a"), is("\"t\".\"a\"", DataType::String, true));
        assert_eq!(found("s.b.c"), is("\"s\".\"b\".\"c\"", DataType::Int64, true));
        assert_eq!(found("s.d.e"), is("\"s\".\"d.e\"", DataType::Boolean, true));
        for nowhere in ["s.x", "n.a", "l.a", "s.", ".a", "s..a", "s.b.c.d"] {
            assert_eq!(found(nowhere), None, "{nowhere}");
        }
    }

    #[test]
    fn names_to_choose_from_are_columns_and_their_fields_once_each() {
        let df = rows();
        let names: Vec<String> = key_fields(df.schema())
            .into_iter()
            .map(|(name, _)| name)
            .collect();
        assert_eq!(
            names,
            [
                "n", "s.a", "l", "s", "s.b", "s.b.c", "s.d.e", "t", "t.a", "t.b", "t.b.c", "t.d.e"
            ]
        );
    }

    #[test]
    fn a_field_of_no_struct_is_null() {
        let df = rows();
        let values = |name: &str| {
            let column = key_column(&df, name).unwrap();
            assert_eq!(column.name(), name);
            (column.null_count(), column.get(0).unwrap().to_string())
        };
        assert_eq!(values("t.a"), (1, "\"x\"".to_owned()));
        assert_eq!(values("t.b.c"), (1, "1".to_owned()));
        assert_eq!(values("s.b.c"), (0, "1".to_owned()));
        assert_eq!(values("s.a"), (0, "0.5".to_owned()));
        assert!(key_column(&df, "t.x").is_err());
    }
}

//! Describes lists: length, distinct values, smallest, largest, mean, sum, first, last.
//!
//! Each of `stats` becomes a column, named by `prefix` (the column's name and an underscore when it is not given) and the
//! statistic.
//!
//! ```yaml
//! - list_stats: {column: salaries, stats: [length, min, max, mean]}
//! ```
//!
//! | statistic | gives |
//! |---|---|
//! | `length` | values, nulls among them (int64) |
//! | `n_unique` | distinct values that are not null (int64) |
//! | `min`, `max` | the smallest and largest value; numbers, text, dates and timestamps |
//! | `mean` | float64; numbers |
//! | `sum` | int64 of whole numbers, otherwise float64; 0 for an empty list; numbers |
//! | `first`, `last` | the value at that end, also when it is null |
//!
//! Nulls in a list do not count except for `length`, `first` and `last`. An empty list has null for what it has not; a
//! null list has null for all. `NaN` makes mean and sum `NaN`, and is neither smallest nor largest while there are numbers.
//!
//! Limits: lists of plain values; of other lists only `length`, `first` and `last`.

use polars::prelude::{
    Column, DataType, Expr, Field, Int64Chunked, IntoColumn, LazyFrame, PolarsResult, Schema,
};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::Params;
use crate::transform::python::{self, Python};
use crate::transform::step::{Behaviour, check_new_name, column_type, exactly, few, type_name, wrong_type};
use crate::transform::{CheckError, Inputs};

/// Parameters of `list_stats`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct ListStats {
    /// Column of lists.
    #[schemars(extend("x-input" = "column"))]
    pub column: String,
    /// What to compute.
    #[schemars(length(min = 1))]
    pub stats: Vec<ListStat>,
    /// Text before the names of the columns; the column's name and an underscore when it is not given.
    pub prefix: Option<String>,
}

impl Default for ListStats {
    fn default() -> Self {
        Self {
            column: String::new(),
            stats: vec![ListStat::Length],
            prefix: None,
        }
    }
}

/// What can be said of a list.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum ListStat {
    Length,
    NUnique,
    Min,
    Max,
    Mean,
    Sum,
    First,
    Last,
}

impl ListStat {
    fn name(self) -> &'static str {
        match self {
            Self::Length => "length",
            Self::NUnique => "n_unique",
            Self::Min => "min",
            Self::Max => "max",
            Self::Mean => "mean",
            Self::Sum => "sum",
            Self::First => "first",
            Self::Last => "last",
        }
    }

    /// The type of the statistic for lists of `item`, or none when they have none.
    fn dtype(self, item: &DataType) -> Option<DataType> {
        let is_number = item.is_primitive_numeric();
        match self {
            Self::Length => Some(DataType::Int64),
            Self::NUnique => (!item.is_nested()).then_some(DataType::Int64),
            Self::Min | Self::Max => (is_number
                || matches!(item, DataType::String | DataType::Date | DataType::Datetime(..)))
            .then(|| item.clone()),
            Self::Mean => is_number.then_some(DataType::Float64),
            Self::Sum if item.is_float() => Some(DataType::Float64),
            Self::Sum => is_number.then_some(DataType::Int64),
            Self::First | Self::Last => Some(item.clone()),
        }
    }

    fn expr(self, lists: Expr, dtype: DataType) -> Expr {
        match self {
            Self::Length => lists.list().len().cast(dtype),
            Self::NUnique => lists.map(
                |lists| n_unique(&lists),
                |_, field| Ok(Field::new(field.name().clone(), DataType::Int64)),
            ),
            Self::Min => lists.list().min(),
            Self::Max => lists.list().max(),
            Self::Mean => lists.list().mean().cast(dtype),
            Self::Sum => lists.list().sum().cast(dtype),
            Self::First => lists.list().first(),
            Self::Last => lists.list().last(),
        }
    }

    fn python(self, lists: &str, dtype: &DataType) -> String {
        let dtype = python::dtype(dtype);
        match self {
            Self::Length => format!("{lists}.list.len().cast({dtype})"),
            Self::NUnique => format!("{lists}.list.drop_nulls().list.n_unique().cast({dtype})"),
            Self::Mean | Self::Sum => format!("{lists}.list.{}().cast({dtype})", self.name()),
            _ => format!("{lists}.list.{}()", self.name()),
        }
    }
}

fn n_unique(lists: &Column) -> PolarsResult<Column> {
    let lists = lists.list()?;
    let counts = lists
        .amortized_iter()
        .map(|list| {
            list.map(|list| {
                let n = list.as_ref().drop_nulls().n_unique()?;
                Ok(i64::try_from(n).unwrap_or(i64::MAX))
            })
            .transpose()
        })
        .collect::<PolarsResult<Int64Chunked>>()?;
    Ok(counts.with_name(lists.name().clone()).into_column())
}

impl ListStats {
    fn column_name(&self, stat: ListStat) -> String {
        match &self.prefix {
            Some(prefix) => format!("{prefix}{}", stat.name()),
            None => format!("{}_{}", self.column, stat.name()),
        }
    }

    /// The statistics with the names and types of their columns.
    fn columns(&self, schema: &Schema) -> Result<Vec<(ListStat, String, DataType)>, CheckError> {
        let dtype = column_type(schema, "column", &self.column)?;
        let DataType::List(item) = dtype else {
            return Err(wrong_type("column", &self.column, dtype, "a list"));
        };
        if self.stats.is_empty() {
            return Err(
                CheckError::new("stats", "`stats` is empty").hint("choose what to compute, such as `length`")
            );
        }
        let mut columns: Vec<(ListStat, String, DataType)> = Vec::new();
        for stat in &self.stats {
            let Some(made) = stat.dtype(item) else {
                let message = format!("lists of {} have no `{}`", type_name(item), stat.name());
                return Err(CheckError::new("stats", message).hint("leave it out"));
            };
            if columns.iter().any(|(before, ..)| before == stat) {
                return Err(CheckError::new(
                    "stats",
                    format!("`{}` stands twice", stat.name()),
                ));
            }
            columns.push((*stat, self.column_name(*stat), made));
        }
        Ok(columns)
    }
}

impl Params for ListStats {
    const GROUP: &'static str = "nested";
    const REQUIRED: &'static [&'static str] = &["column"];
}

impl Behaviour for ListStats {
    fn check(&self, schema: &Schema) -> Result<Schema, CheckError> {
        let mut output = schema.clone();
        for (_, name, dtype) in self.columns(schema)? {
            check_new_name("prefix", &name)?;
            output.with_column(name.as_str().into(), dtype);
        }
        Ok(output)
    }

    fn apply(&self, lf: LazyFrame, schema: &Schema) -> Result<LazyFrame, CheckError> {
        let columns: Vec<Expr> = self
            .columns(schema)?
            .into_iter()
            .map(|(stat, name, dtype)| stat.expr(exactly(self.column.as_str()), dtype).alias(name))
            .collect();
        Ok(lf.with_columns(columns))
    }

    fn python(&self, schema: &Schema, _: &Inputs, script: &mut Python) -> Result<(), String> {
        let columns = self.columns(schema).map_err(|error| error.to_string())?;
        let lists = python::col(&self.column);
        script.with_columns(
            columns
                .iter()
                .map(|(stat, name, dtype)| (name.as_str(), stat.python(&lists, dtype))),
        );
        Ok(())
    }

    fn summary(&self) -> String {
        format!(
            "{}: {}",
            self.column,
            few(self.stats.iter().map(|stat| stat.name()))
        )
    }

    fn subject(&self) -> String {
        self.column.clone()
    }
}

#[cfg(test)]
mod tests {
    use polars::prelude::{DataFrame, IntoColumn, ListChunked, NamedFrom, Series, df};

    use super::super::testing::{check_error, run, word_lists};

    fn numbers() -> DataFrame {
        let lists: ListChunked = [
            Some(Series::new("".into(), [Some(3i64), None, Some(1), Some(3)])),
            Some(Series::new("".into(), Vec::<i64>::new())),
            None,
        ]
        .into_iter()
        .collect();
        DataFrame::new_infer_height(vec![lists.with_name("l".into()).into_column()]).unwrap()
    }

    #[test]
    fn numbers_in_lists_are_described() {
        let yaml = "list_stats: {column: l, prefix: '', stats: [length, n_unique, min, max, mean, sum, first, last]}";
        let output = run(yaml, &numbers()).drop("l").unwrap();
        let expected = df!(
            "length" => [Some(4i64), Some(0), None],
            "n_unique" => [Some(2i64), Some(0), None],
            "min" => [Some(1i64), None, None],
            "max" => [Some(3i64), None, None],
            "mean" => [Some(7.0 / 3.0), None, None],
            "sum" => [Some(7i64), Some(0), None],
            "first" => [Some(3i64), None, None],
            "last" => [Some(3i64), None, None],
        );
        assert_eq!(output, expected.unwrap());
        assert_eq!(run(yaml, &numbers().clear()).height(), 0);
    }

    #[test]
    fn what_is_no_number_is_neither_smallest_nor_largest() {
        let lists: ListChunked = [
            Some(Series::new("".into(), [f64::NAN, 1.0])),
            Some(Series::new("".into(), [f64::NAN])),
        ]
        .into_iter()
        .collect();
        let input = DataFrame::new_infer_height(vec![lists.with_name("l".into()).into_column()]).unwrap();
        let output = run("list_stats: {column: l, stats: [min, max, sum]}", &input);
        for column in ["l_min", "l_max"] {
            let values = output.column(column).unwrap().f64().unwrap().clone();
            assert_eq!(values.get(0), Some(1.0), "{column}");
            assert!(values.get(1).unwrap().is_nan(), "{column}");
        }
        assert!(
            output
                .column("l_sum")
                .unwrap()
                .f64()
                .unwrap()
                .get(0)
                .unwrap()
                .is_nan()
        );
    }

    #[test]
    fn text_has_an_order_but_no_mean() {
        let words = word_lists("w", &[Some(&[Some("b"), Some("a"), Some("b")])]);
        let output = run("list_stats: {column: w, stats: [min, n_unique, last]}", &words);
        let expected = df!("w_min" => ["a"], "w_n_unique" => [2i64], "w_last" => ["b"]).unwrap();
        assert_eq!(output.drop("w").unwrap(), expected);
        assert_eq!(
            check_error("list_stats: {column: w, stats: [mean]}", &words),
            "lists of string have no `mean`: leave it out"
        );
        assert_eq!(
            check_error("list_stats: {column: w, stats: [last, last]}", &words),
            "`last` stands twice"
        );
        let plain = df!("n" => [1i64]).unwrap();
        assert!(check_error("list_stats: {column: n}", &plain).ends_with("not a list"));
    }
}

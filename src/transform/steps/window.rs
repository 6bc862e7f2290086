//! Adds columns that look at neighbouring rows: ranks, lags, rolling and running sums, shares.
//!
//! Rows that agree in `partition_by` are looked at together, in the order of `order_by` (nulls last, `descending` names
//! those with their largest first), rows equal in it as they came. Without `partition_by` all rows are together, without
//! `order_by` they have the order of raw keys and lines or of a `sort` before. No row changes its place.
//!
//! ```yaml
//! - window:
//!     partition_by: [user_id]
//!     order_by: [clicked_at]
//!     columns:
//!       - {into: nth_click, fn: row_number}
//!       - {into: previous_page, fn: lag, column: page}
//!       - {into: mean_price_of_7, fn: rolling_mean, column: price, rows: 7}
//!       - {into: share_of_user, fn: share, column: price}
//! ```
//!
//! `row_number` counts from 1. `rank` gives equal rows one number and leaves gaps after them, `dense_rank` leaves none; both
//! need `order_by`. `lag` and `lead` take the value `rows` earlier or later (1 unless told), null beyond the ends. `rolling_sum`,
//! `rolling_mean`, `rolling_min` and `rolling_max` look at the row and those before it, `rows` together, or as many as there
//! are; nulls are left out, and where no value is left the result is null. `cumulative_sum` adds up from the first row on;
//! at a null it is null, and goes on after it. `share` divides a value by the sum of its partition, null when that is 0.
//!
//! Sums of whole numbers are int64, sums of fractions, means and shares float64; `NaN` is larger than every number.
//!
//! Limits: it looks at the rows of one partition of the data, never at those of two: the first row of a day has no `lag`.
//! A day larger than the memory goes through files by `partition_by`, and the rows of one key have to fit into the memory;
//! without it all rows have to. A sum of whole numbers beyond int64 is null.

use polars::prelude::{
    Column, DataFrame, DataType, IdxCa, IdxSize, IntoColumn, LazyFrame, PolarsResult, Schema,
};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use self::values::{Values, cumulative, rolling, share};
use super::Params;
use super::order::Order;
use super::row_groups::{RowGroups, on_frame};
use crate::transform::python::Python;
use crate::transform::step::{Behaviour, Scope, check_new_name, column_type, few, type_name, wrong_type};
use crate::transform::{CheckError, Inputs};

mod code;
#[cfg(test)]
mod tests;
mod values;

/// Parameters of `window`.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Window {
    /// Columns whose values tell which rows are looked at together; none for all rows.
    #[schemars(extend("x-input" = "columns"))]
    pub partition_by: Vec<String>,
    /// Columns that give those rows their order.
    #[schemars(extend("x-input" = "columns"))]
    pub order_by: Vec<String>,
    /// Those of `order_by` whose largest values come first.
    #[schemars(extend("x-input" = "columns"))]
    pub descending: Vec<String>,
    /// What is added.
    #[schemars(length(min = 1))]
    pub columns: Vec<WindowColumn>,
}

/// A column to add.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct WindowColumn {
    /// Column to write.
    pub into: String,
    /// What a row gets.
    #[serde(rename = "fn")]
    pub function: WindowFn,
    /// Column with the values; the numbers of rows take none.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    #[schemars(extend("x-input" = "column"))]
    pub column: String,
    /// For `lag` and `lead` how far away the row is, for `rolling_…` how many rows are looked at.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 1))]
    pub rows: Option<u32>,
}

/// What a row gets.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum WindowFn {
    /// Its number, from 1.
    #[default]
    RowNumber,
    /// One more than the number of rows that come before it and differ from it.
    Rank,
    /// One more than the number of different rows that come before it.
    DenseRank,
    /// The value of a row before it.
    Lag,
    /// The value of a row after it.
    Lead,
    /// Sum of its value and those before it.
    RollingSum,
    /// Mean of its value and those before it.
    RollingMean,
    /// Smallest of its value and those before it.
    RollingMin,
    /// Largest of its value and those before it.
    RollingMax,
    /// Sum of all values up to its own.
    CumulativeSum,
    /// Its value divided by the sum of all.
    Share,
}

impl WindowFn {
    fn name(self) -> &'static str {
        match self {
            Self::RowNumber => "row_number",
            Self::Rank => "rank",
            Self::DenseRank => "dense_rank",
            Self::Lag => "lag",
            Self::Lead => "lead",
            Self::RollingSum => "rolling_sum",
            Self::RollingMean => "rolling_mean",
            Self::RollingMin => "rolling_min",
            Self::RollingMax => "rolling_max",
            Self::CumulativeSum => "cumulative_sum",
            Self::Share => "share",
        }
    }

    fn takes_column(self) -> bool {
        !matches!(self, Self::RowNumber | Self::Rank | Self::DenseRank)
    }

    fn is_rolling(self) -> bool {
        matches!(
            self,
            Self::RollingSum | Self::RollingMean | Self::RollingMin | Self::RollingMax
        )
    }
}

impl WindowColumn {
    fn rows(&self) -> usize {
        self.rows
            .map_or(1, |rows| usize::try_from(rows).unwrap_or(usize::MAX))
    }

    fn dtype(&self, schema: &Schema, order_by: &[String]) -> Result<DataType, CheckError> {
        let (function, name) = (self.function, self.function.name());
        let error = |message: String| CheckError::new("columns", format!("`{}`: {message}", self.into));
        match (self.rows, function) {
            (Some(0), _) => return Err(error("`rows` is 0".to_owned()).hint("write 1 or more")),
            (None, function) if function.is_rolling() => {
                return Err(
                    error(format!("`{name}` has no `rows`")).hint("write how many, such as `rows: 7`")
                );
            }
            (Some(_), function)
                if !function.is_rolling() && !matches!(function, WindowFn::Lag | WindowFn::Lead) =>
            {
                return Err(error(format!("`{name}` takes no `rows`")).hint("remove it"));
            }
            _ => {}
        }
        if !function.takes_column() {
            if !self.column.is_empty() {
                return Err(error(format!("`{name}` takes no `column`")).hint("remove it"));
            }
            if function != WindowFn::RowNumber && order_by.is_empty() {
                return Err(CheckError::new("order_by", format!("`{name}` has no order"))
                    .hint("choose the columns that rank the rows"));
            }
            return Ok(DataType::Int64);
        }
        if self.column.is_empty() {
            return Err(error(format!("`{name}` has no column")).hint("choose a column"));
        }
        let dtype = column_type(schema, "columns", &self.column)?;
        let is_number = dtype.is_primitive_numeric() && dtype != &DataType::UInt64;
        match function {
            WindowFn::Lag | WindowFn::Lead => Ok(dtype.clone()),
            WindowFn::RollingMin | WindowFn::RollingMax => {
                let is_time = matches!(
                    dtype,
                    DataType::Date | DataType::Datetime(..) | DataType::Duration(_)
                );
                if is_number || is_time {
                    return Ok(dtype.clone());
                }
                let message = format!(
                    "column `{}` is {}, which has no `{name}`",
                    self.column,
                    type_name(dtype)
                );
                Err(error(message).hint("use `cast` to a number first"))
            }
            _ if !is_number => {
                let wanted = if dtype == &DataType::UInt64 {
                    "int64 or float64"
                } else {
                    "a number"
                };
                Err(wrong_type("columns", &self.column, dtype, wanted).hint("use `cast` first"))
            }
            WindowFn::RollingMean | WindowFn::Share => Ok(DataType::Float64),
            _ if dtype.is_float() => Ok(DataType::Float64),
            _ => Ok(DataType::Int64),
        }
    }
}

/// The rows of a frame in their windows.
struct Windows {
    groups: RowGroups,
    /// By row: a number that rows have in common which are equal in `order_by`.
    equals: Vec<IdxSize>,
}

impl Windows {
    fn of(step: &Window, df: &DataFrame) -> PolarsResult<Self> {
        let rows = step.order().rows(df)?;
        let groups = if step.order_by.is_empty() {
            RowGroups::of(df, &step.partition_by)?
        } else {
            let keys = df.select(step.partition_by.iter().map(String::as_str))?;
            let places = IdxCa::from_vec("".into(), rows.clone());
            let keys = if keys.width() == 0 {
                DataFrame::empty_with_height(df.height())
            } else {
                keys.take(&places)?
            };
            let mut groups = RowGroups::of(&keys, &step.partition_by)?;
            groups.renumber(&rows);
            groups
        };
        let is_ranked =
            |column: &WindowColumn| matches!(column.function, WindowFn::Rank | WindowFn::DenseRank);
        let equals = if step.columns.iter().any(is_ranked) {
            RowGroups::of(df, &step.order_by)?.numbers()
        } else {
            Vec::new()
        };
        Ok(Self { groups, equals })
    }

    /// A value for each row, by its number, from those that each window gives its rows in their order.
    fn by_row<T: Clone>(&self, mut of_window: impl FnMut(&[IdxSize]) -> Vec<Option<T>>) -> Vec<Option<T>> {
        let mut by_row = vec![None; self.groups.rows.len()];
        for rows in self.groups.iter() {
            for (row, value) in rows.iter().zip(of_window(rows)) {
                if let Some(of_row) = by_row.get_mut(*row as usize) {
                    *of_row = value;
                }
            }
        }
        by_row
    }

    fn ranks(&self, is_dense: bool) -> Vec<Option<i64>> {
        self.by_row(|rows| {
            let (mut rank, mut last) = (0, None);
            let ranks = (1..).zip(rows).map(|(number, row)| {
                let of_row = self.equals.get(*row as usize).copied();
                if of_row != last || rank == 0 {
                    rank = if is_dense { rank + 1 } else { number };
                    last = of_row;
                }
                Some(rank)
            });
            ranks.collect()
        })
    }

    fn column(&self, wanted: &WindowColumn, df: &DataFrame) -> PolarsResult<Column> {
        let ints = |values: Vec<Option<i64>>| {
            values
                .into_iter()
                .collect::<polars::prelude::Int64Chunked>()
                .into_column()
        };
        let values = || Values::of(df.column(&wanted.column)?);
        let column = match wanted.function {
            WindowFn::RowNumber => ints(self.by_row(|rows| (1..).map(Some).take(rows.len()).collect())),
            WindowFn::Rank => ints(self.ranks(false)),
            WindowFn::DenseRank => ints(self.ranks(true)),
            WindowFn::Lag | WindowFn::Lead => {
                let n = wanted.rows();
                let neighbours: IdxCa = self
                    .by_row(|rows| {
                        let n = n.min(rows.len());
                        let none = std::iter::repeat_n(None, n);
                        let others = rows.iter().copied().map(Some);
                        if wanted.function == WindowFn::Lag {
                            none.chain(others).take(rows.len()).collect()
                        } else {
                            others.skip(n).chain(none).collect()
                        }
                    })
                    .into_iter()
                    .collect();
                df.column(&wanted.column)?.take(&neighbours)?
            }
            WindowFn::CumulativeSum => cumulative(self, &values()?),
            WindowFn::Share => share(self, &values()?),
            function => rolling(self, &values()?, function, wanted.rows()),
        };
        Ok(column.with_name(wanted.into.as_str().into()))
    }
}

impl Window {
    fn order(&self) -> Order<'_> {
        Order {
            param: "order_by",
            columns: &self.order_by,
            descending: &self.descending,
        }
    }

    fn compute(&self, df: &DataFrame, schema: &Schema) -> PolarsResult<DataFrame> {
        let windows = Windows::of(self, df)?;
        let mut output = df.clone();
        for wanted in &self.columns {
            let column = windows.column(wanted, df)?;
            let dtype = schema.get(&wanted.into).unwrap_or(column.dtype());
            output.with_column(column.cast(dtype)?)?;
        }
        Ok(output)
    }
}

impl Params for Window {
    const GROUP: &'static str = "rows";
    const REQUIRED: &'static [&'static str] = &["columns"];
}

impl Behaviour for Window {
    fn check(&self, schema: &Schema) -> Result<Schema, CheckError> {
        if self.columns.is_empty() {
            return Err(
                CheckError::new("columns", "`columns` is empty").hint("write `{into: name, fn: function}`")
            );
        }
        for column in &self.partition_by {
            column_type(schema, "partition_by", column)?;
        }
        self.order().check(schema)?;
        let mut output = schema.clone();
        for (at, wanted) in self.columns.iter().enumerate() {
            check_new_name("columns", &wanted.into)?;
            if self
                .columns
                .iter()
                .take(at)
                .any(|known| known.into == wanted.into)
            {
                let message = format!("two columns would be named `{}`", wanted.into);
                return Err(CheckError::new("columns", message).hint("choose another name"));
            }
            let dtype = wanted.dtype(schema, &self.order_by)?;
            output.with_column(wanted.into.as_str().into(), dtype);
        }
        Ok(output)
    }

    fn apply(&self, lf: LazyFrame, schema: &Schema) -> Result<LazyFrame, CheckError> {
        let output = self.check(schema)?;
        let step = self.clone();
        let names: Vec<String> = self.columns.iter().map(|column| column.into.clone()).collect();
        let of_schema = output.clone();
        Ok(on_frame(
            lf,
            "window",
            move |schema| {
                for name in &names {
                    let dtype = of_schema.get(name).cloned().unwrap_or(DataType::Null);
                    schema.with_column(name.as_str().into(), dtype);
                }
            },
            move |df| step.compute(&df, &output),
        ))
    }

    fn python(&self, schema: &Schema, _: &Inputs, script: &mut Python) -> Result<(), String> {
        code::write(self, schema, script);
        Ok(())
    }

    fn summary(&self) -> String {
        let what: Vec<String> = self
            .columns
            .iter()
            .map(|column| format!("{} = {}({})", column.into, column.function.name(), column.column))
            .collect();
        few(what.iter().map(String::as_str))
    }

    fn subject(&self) -> String {
        few(self.columns.iter().map(|column| column.into.as_str()))
    }

    fn scope(&self) -> Scope {
        Scope::Partition
    }

    fn keys(&self) -> Option<&[String]> {
        (!self.partition_by.is_empty()).then_some(&self.partition_by)
    }
}

//! What an aggregate function makes of the values of a group, for the steps that group rows.
//!
//! Sums, and what is made of sums, are added up in the order of rows from a group's own values, so they do not depend on
//! how rows came in batches or which way polars took to group them.

use polars::prelude::{
    Column, DataType, Expr, Float64Chunked, IntoColumn, ListChunked, PolarsResult, QuantileMethod, len, lit,
};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::transform::CheckError;
use crate::transform::step::{type_name, wrong_type};

/// What is made of the values of a group. Nulls are left out, except by `first`, `last` and `list`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum AggregateFn {
    /// How many values there are; without a column how many rows.
    #[default]
    Count,
    /// Their sum, 0 of none.
    Sum,
    /// Their mean.
    Mean,
    /// The smallest; `NaN` only where there is nothing else.
    Min,
    /// The largest; `NaN` only where there is nothing else.
    Max,
    /// The middle one, or the mean of the two in the middle.
    Median,
    /// Standard deviation of a sample (divided by n - 1), null of fewer than two.
    Std,
    /// Variance of a sample (divided by n - 1), null of fewer than two.
    Var,
    /// How many different values there are.
    NUnique,
    /// The value of the first row, which may be null.
    First,
    /// The value of the last row, which may be null.
    Last,
    /// All values in a list, nulls included.
    List,
    /// The value below which a share of them lies, between two values by their distance.
    Quantile,
}

/// A function on values of a type, checked.
#[derive(Debug, Clone)]
pub(super) struct Reducer {
    function: AggregateFn,
    /// Type of the values; none for rows.
    values: Option<DataType>,
    /// Share of `quantile`.
    share: f64,
}

impl AggregateFn {
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Count => "count",
            Self::Sum => "sum",
            Self::Mean => "mean",
            Self::Min => "min",
            Self::Max => "max",
            Self::Median => "median",
            Self::Std => "std",
            Self::Var => "var",
            Self::NUnique => "n_unique",
            Self::First => "first",
            Self::Last => "last",
            Self::List => "list",
            Self::Quantile => "quantile",
        }
    }
}

impl Reducer {
    /// `function` on `column` of type `values`; both none for a count of rows.
    pub(super) fn new(
        function: AggregateFn,
        param: &'static str,
        column: &str,
        values: Option<&DataType>,
        share: Option<f64>,
    ) -> Result<Self, CheckError> {
        let name = function.name();
        let aggregate = Self {
            function,
            values: values.cloned(),
            share: share.unwrap_or_default(),
        };
        match (function == AggregateFn::Quantile, share) {
            (true, Some(share)) if (0.0..=1.0).contains(&share) => {}
            (true, _) => {
                return Err(CheckError::new(param, "`quantile` has no share from 0 to 1")
                    .hint("write one, such as `share: 0.9`"));
            }
            (false, Some(_)) => {
                return Err(CheckError::new(param, format!("`{name}` takes no `share`")).hint("remove it"));
            }
            (false, None) => {}
        }
        let Some(values) = values else {
            if function == AggregateFn::Count {
                return Ok(aggregate);
            }
            return Err(CheckError::new(param, format!("`{name}` has no column")).hint("choose a column"));
        };
        match function {
            AggregateFn::Sum
            | AggregateFn::Mean
            | AggregateFn::Std
            | AggregateFn::Var
            | AggregateFn::Median
            | AggregateFn::Quantile
                if !(values.is_primitive_numeric() || values.is_bool()) =>
            {
                Err(wrong_type(param, column, values, "a number").hint("use `cast` first"))
            }
            AggregateFn::Min | AggregateFn::Max | AggregateFn::NUnique if values.is_nested() => {
                let message = format!(
                    "column `{column}` is {}, which has no `{name}`",
                    type_name(values)
                );
                Err(CheckError::new(param, message).hint("take a plain value out of it first"))
            }
            _ => Ok(aggregate),
        }
    }

    /// Type of the result.
    pub(super) fn dtype(&self) -> DataType {
        let values = || self.values.clone().unwrap_or(DataType::Null);
        match self.function {
            AggregateFn::Count | AggregateFn::NUnique => DataType::Int64,
            AggregateFn::Sum => self.sum_type(),
            AggregateFn::Mean
            | AggregateFn::Median
            | AggregateFn::Std
            | AggregateFn::Var
            | AggregateFn::Quantile => DataType::Float64,
            AggregateFn::Min | AggregateFn::Max | AggregateFn::First | AggregateFn::Last => values(),
            AggregateFn::List => DataType::List(Box::new(values())),
        }
    }

    fn sum_type(&self) -> DataType {
        match &self.values {
            Some(DataType::Float32 | DataType::Float64) => DataType::Float64,
            Some(dtype) if dtype.is_unsigned_integer() => DataType::UInt64,
            _ => DataType::Int64,
        }
    }

    /// What a `group_by` collects of `value`; `count` of rows takes none. [`Self::finish`] makes the result of it.
    pub(super) fn collect(&self, value: Option<Expr>) -> Expr {
        let Some(value) = value else {
            return len().cast(DataType::Int64);
        };
        match self.function {
            AggregateFn::Count => value.count().cast(DataType::Int64),
            AggregateFn::Sum if self.sum_type() != DataType::Float64 => value.cast(self.sum_type()).sum(),
            AggregateFn::Sum | AggregateFn::Mean | AggregateFn::Std | AggregateFn::Var => {
                value.cast(DataType::Float64).implode(true)
            }
            AggregateFn::Min => value.min(),
            AggregateFn::Max => value.max(),
            AggregateFn::Median => value.cast(DataType::Float64).median(),
            AggregateFn::Quantile => value
                .cast(DataType::Float64)
                .quantile(lit(self.share), QuantileMethod::Linear),
            AggregateFn::NUnique => value.drop_nulls().n_unique().cast(DataType::Int64),
            AggregateFn::First => value.first(),
            AggregateFn::Last => value.last(),
            AggregateFn::List => value.implode(true),
        }
    }

    /// The result of what was collected.
    pub(super) fn finish(&self, collected: Expr) -> Expr {
        let function = match self.function {
            AggregateFn::Sum if self.sum_type() == DataType::Float64 => sum,
            AggregateFn::Mean => mean,
            AggregateFn::Std => std,
            AggregateFn::Var => var,
            _ => return collected,
        };
        collected.map(
            move |lists| of_lists(&lists, function),
            |_, field| {
                let mut field = field.clone();
                field.coerce(DataType::Float64);
                Ok(field)
            },
        )
    }

    /// The expression in Python, in a `group_by`.
    pub(super) fn python(&self, value: Option<&str>) -> String {
        let Some(value) = value else {
            return "pl.len().cast(pl.Int64)".to_owned();
        };
        let float = format!("{value}.cast(pl.Float64)");
        match self.function {
            AggregateFn::Count => format!("{value}.count().cast(pl.Int64)"),
            AggregateFn::Sum => {
                format!(
                    "{value}.cast({}).sum()",
                    crate::transform::python::dtype(&self.sum_type())
                )
            }
            AggregateFn::Mean => format!("{float}.mean()"),
            AggregateFn::Min => format!("{value}.min()"),
            AggregateFn::Max => format!("{value}.max()"),
            AggregateFn::Median => format!("{float}.median()"),
            AggregateFn::Std => format!("{float}.std()"),
            AggregateFn::Var => format!("{float}.var()"),
            AggregateFn::Quantile => format!("{float}.quantile({:?}, \"linear\")", self.share),
            AggregateFn::NUnique => format!("{value}.drop_nulls().n_unique().cast(pl.Int64)"),
            AggregateFn::First => format!("{value}.first()"),
            AggregateFn::Last => format!("{value}.last()"),
            AggregateFn::List => format!("{value}.implode()"),
        }
    }
}

/// `function` of the numbers in each list.
fn of_lists(lists: &Column, function: fn(&Float64Chunked) -> Option<f64>) -> PolarsResult<Column> {
    let lists: &ListChunked = lists.list()?;
    let results: Float64Chunked = lists
        .amortized_iter()
        .map(|list| match list {
            Some(list) => Ok(function(list.as_ref().f64()?)),
            None => Ok(function(&Float64Chunked::default())),
        })
        .collect::<PolarsResult<_>>()?;
    Ok(results.with_name(lists.name().clone()).into_column())
}

fn n(values: &Float64Chunked) -> usize {
    values.len() - values.null_count()
}

#[allow(clippy::unnecessary_wraps, reason = "one of several functions of a kind")]
fn sum(values: &Float64Chunked) -> Option<f64> {
    Some(values.iter().flatten().fold(0.0, |sum, value| sum + value))
}

fn mean(values: &Float64Chunked) -> Option<f64> {
    let n = n(values);
    (n > 0).then(|| sum(values).unwrap_or_default() / n as f64)
}

/// By the mean and then the squares of what is left, which loses fewer digits than sums of squares.
fn var(values: &Float64Chunked) -> Option<f64> {
    let n = n(values);
    let mean = mean(values).filter(|_| n > 1)?;
    let squares = values.iter().flatten().map(|value| (value - mean).powi(2));
    Some(squares.fold(0.0, |sum, square| sum + square) / (n - 1) as f64)
}

fn std(values: &Float64Chunked) -> Option<f64> {
    var(values).map(f64::sqrt)
}

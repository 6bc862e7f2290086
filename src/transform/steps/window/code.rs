//! The step as polars code for Python: the rows sorted, computed in groups, and put back in their order.

use polars::prelude::{DataType, Schema};

use super::{Window, WindowFn};
use crate::transform::python::{self, Python};

const ROW: &str = "_row";
const NUMBER: &str = "_number";
const RANK: &str = "_rank";

pub(super) fn write(step: &Window, schema: &Schema, script: &mut Python) {
    script.line(format!("df = df.with_row_index(\"{ROW}\")"));
    if !step.order_by.is_empty() {
        script.line(format!("df = df.sort({})", step.order().python()));
    }
    let names = |names: &[String]| python::list(names.iter().map(String::as_str));
    let over = if step.partition_by.is_empty() {
        String::new()
    } else {
        format!(".over({})", names(&step.partition_by))
    };
    let is_ranked = |function| matches!(function, WindowFn::Rank | WindowFn::DenseRank);
    let has_ranks = step.columns.iter().any(|column| is_ranked(column.function));
    if has_ranks {
        let keys: Vec<String> = step.partition_by.iter().chain(&step.order_by).cloned().collect();
        script.with_columns([(NUMBER, format!("pl.int_range(1, pl.len() + 1){over}"))]);
        script.with_columns([(RANK, format!("pl.col(\"{NUMBER}\").min().over({})", names(&keys)))]);
    }
    let columns = step.columns.iter().map(|column| {
        let value = python::col(&column.column);
        let rows = column.rows();
        let dtype = schema.get(&column.column);
        let is_float = dtype.is_some_and(DataType::is_float);
        let number = if is_float {
            format!("{value}.cast(pl.Float64)")
        } else {
            format!("{value}.cast(pl.Int64)")
        };
        let roll = |of: &str, function: &str| format!("{of}.rolling_{function}({rows}, min_samples=1){over}");
        // polars takes leaving values off a sum, which leaves nothing of a small number beside a huge one.
        let added = |made: &str, is_mean: &str| {
            format!(
                "{number}.map_batches(lambda values: rolling(values, {rows}, {made}, {is_mean}), return_dtype={made}){over}"
            )
        };
        let summed = if is_float { "pl.Float64" } else { "pl.Int64" };
        let extreme = |function: &str| {
            let dtype = python::dtype(dtype.unwrap_or(&DataType::Null));
            if is_float {
                // Python leaves `NaN` out of no window; here it is the largest number.
                script_extreme(&value, function, rows, &over, &dtype)
            } else {
                format!("{}.cast({dtype})", roll(&number, function))
            }
        };
        let code = match column.function {
            WindowFn::RowNumber => format!("pl.int_range(1, pl.len() + 1){over}"),
            WindowFn::Rank => format!("pl.col(\"{RANK}\")"),
            WindowFn::DenseRank => {
                format!("(pl.col(\"{NUMBER}\") == pl.col(\"{RANK}\")).cast(pl.Int64).cum_sum(){over}")
            }
            WindowFn::Lag => format!("{value}.shift({rows}){over}"),
            WindowFn::Lead => format!("{value}.shift(-{rows}){over}"),
            WindowFn::RollingSum => added(summed, "False"),
            WindowFn::RollingMean => added("pl.Float64", "True"),
            WindowFn::RollingMin => extreme("min"),
            WindowFn::RollingMax => extreme("max"),
            WindowFn::CumulativeSum if is_float => format!("{number}.cum_sum(){over}"),
            WindowFn::CumulativeSum => {
                format!("{value}.cast(pl.Int128).cum_sum(){over}.cast(pl.Int64, strict=False)")
            }
            WindowFn::Share => {
                // Fractions one after another, as they are added up here; `sum` of polars takes them in another order. By a
                // single number polars does not divide: it multiplies by the inverse.
                let over = if over.is_empty() { ".over(pl.lit(1))" } else { &over };
                let sum = if is_float {
                    format!("{number}.drop_nulls().cum_sum().last(){over}")
                } else {
                    format!("{value}.cast(pl.Int128).sum(){over}.cast(pl.Float64)")
                };
                format!("pl.when({sum} != 0).then({value}.cast(pl.Float64) / {sum})")
            }
        };
        (column.into.as_str(), code)
    });
    let columns: Vec<_> = columns.collect();
    let adds = |function| matches!(function, WindowFn::RollingSum | WindowFn::RollingMean);
    if step.columns.iter().any(|column| adds(column.function)) {
        script.define("rolling", include_str!("../python/rolling.py"));
    }
    script.with_columns(columns);
    if !step.order_by.is_empty() {
        script.line(format!("df = df.sort(\"{ROW}\")"));
    }
    let extra = if has_ranks {
        vec![ROW, NUMBER, RANK]
    } else {
        vec![ROW]
    };
    script.line(format!("df = df.drop({})", python::list(extra)));
}

/// The smallest or largest of fractions, where `NaN` is larger than every number.
fn script_extreme(value: &str, function: &str, rows: usize, over: &str, dtype: &str) -> String {
    let roll = |of: &str, function: &str| format!("{of}.rolling_{function}({rows}, min_samples=1){over}");
    let number = roll(&format!("{value}.fill_nan(None)"), function);
    let n_nan = roll(&format!("{value}.is_nan().cast(pl.Int64)"), "max");
    let nan = format!("pl.lit({}, dtype={dtype})", python::float(f64::NAN));
    if function == "min" {
        format!("pl.when({number}.is_null() & ({n_nan} == 1)).then({nan}).otherwise({number})")
    } else {
        format!("pl.when({n_nan} == 1).then({nan}).otherwise({number})")
    }
}

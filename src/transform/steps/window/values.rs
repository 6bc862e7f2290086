//! Numbers of rows in their windows: sums, means, extremes and shares, each from the values of one window in their order.

use std::cmp::Ordering;

use polars::prelude::{Column, DataType, Float64Chunked, IdxSize, Int64Chunked, IntoColumn, PolarsResult};

use super::{WindowFn, Windows};

/// The values of a column, by row.
pub(super) enum Values {
    /// Whole numbers, and times by their counts of units.
    Ints(Vec<Option<i64>>),
    Floats(Vec<Option<f64>>),
}

impl Values {
    pub(super) fn of(column: &Column) -> PolarsResult<Self> {
        Ok(if column.dtype().is_float() {
            Self::Floats(column.cast(&DataType::Float64)?.f64()?.iter().collect())
        } else {
            Self::Ints(column.cast(&DataType::Int64)?.i64()?.iter().collect())
        })
    }
}

fn of_rows<T: Copy>(values: &[Option<T>], rows: &[IdxSize]) -> Vec<Option<T>> {
    rows.iter()
        .map(|row| values.get(*row as usize).copied().flatten())
        .collect()
}

fn ints(values: Vec<Option<i64>>) -> Column {
    values.into_iter().collect::<Int64Chunked>().into_column()
}

fn floats(values: Vec<Option<f64>>) -> Column {
    values.into_iter().collect::<Float64Chunked>().into_column()
}

/// What `combine` makes of each value and up to `n - 1` before it. It only ever adds values, so nothing is left of a value
/// that has gone, be it huge or no number.
fn sliding<T: Copy>(values: &[Option<T>], n: usize, combine: impl Fn(T, T) -> T) -> Vec<Option<T>> {
    let both = |a: Option<T>, b: Option<T>| match (a, b) {
        (Some(a), Some(b)) => Some(combine(a, b)),
        (a, b) => a.or(b),
    };
    // The window is an older part, of which each end has its result, the longest on top, and a newer part with its own.
    let mut older: Vec<Option<T>> = Vec::new();
    let mut newer = None;
    let mut results = Vec::with_capacity(values.len());
    for (at, value) in values.iter().enumerate() {
        if let Some(leaving) = at.checked_sub(n) {
            if older.is_empty() {
                let mut result = None;
                for value in values.get(leaving..at).unwrap_or_default().iter().rev() {
                    result = both(*value, result);
                    older.push(result);
                }
                newer = None;
            }
            older.pop();
        }
        newer = both(newer, *value);
        results.push(both(older.last().copied().flatten(), newer));
    }
    results
}

/// `NaN` is the largest.
fn compare(a: f64, b: f64) -> Ordering {
    a.partial_cmp(&b).unwrap_or_else(|| a.is_nan().cmp(&b.is_nan()))
}

pub(super) fn rolling(windows: &Windows, values: &Values, function: WindowFn, n: usize) -> Column {
    match values {
        Values::Ints(values) => {
            let rolled = |combine: fn(i64, i64) -> i64| {
                ints(windows.by_row(|rows| sliding(&of_rows(values, rows), n, combine)))
            };
            match function {
                WindowFn::RollingMin => rolled(i64::min),
                WindowFn::RollingMax => rolled(i64::max),
                _ => {
                    let sums = windows.by_row(|rows| {
                        let counted: Vec<_> = of_rows(values, rows)
                            .into_iter()
                            .map(|value| value.map(|value| (i128::from(value), 1_u32)))
                            .collect();
                        sliding(&counted, n, |a, b| (a.0 + b.0, a.1 + b.1))
                    });
                    if function == WindowFn::RollingMean {
                        floats(
                            sums.into_iter()
                                .map(|sum| sum.map(|(sum, n)| sum as f64 / f64::from(n)))
                                .collect(),
                        )
                    } else {
                        ints(sums.into_iter().map(|sum| i64::try_from(sum?.0).ok()).collect())
                    }
                }
            }
        }
        Values::Floats(values) => {
            let rolled = |combine: fn(f64, f64) -> f64| {
                floats(windows.by_row(|rows| sliding(&of_rows(values, rows), n, combine)))
            };
            match function {
                WindowFn::RollingMin => rolled(|a, b| if compare(a, b).is_le() { a } else { b }),
                WindowFn::RollingMax => rolled(|a, b| if compare(a, b).is_ge() { a } else { b }),
                WindowFn::RollingMean => {
                    let sums = windows.by_row(|rows| {
                        let counted: Vec<_> = of_rows(values, rows)
                            .into_iter()
                            .map(|value| value.map(|value| (value, 1_u32)))
                            .collect();
                        sliding(&counted, n, |a, b| (a.0 + b.0, a.1 + b.1))
                    });
                    floats(
                        sums.into_iter()
                            .map(|sum| sum.map(|(sum, n)| sum / f64::from(n)))
                            .collect(),
                    )
                }
                _ => rolled(|a, b| a + b),
            }
        }
    }
}

pub(super) fn cumulative(windows: &Windows, values: &Values) -> Column {
    match values {
        Values::Ints(values) => ints(windows.by_row(|rows| {
            let mut sum = 0_i128;
            let sums = of_rows(values, rows).into_iter().map(|value| {
                sum += i128::from(value?);
                i64::try_from(sum).ok()
            });
            sums.collect()
        })),
        Values::Floats(values) => floats(windows.by_row(|rows| {
            let mut sum = 0.0;
            let sums = of_rows(values, rows).into_iter().map(|value| {
                sum += value?;
                Some(sum)
            });
            sums.collect()
        })),
    }
}

pub(super) fn share(windows: &Windows, values: &Values) -> Column {
    let shares = |values: Vec<Option<f64>>, sum: f64| {
        let share = |value: Option<f64>| (sum != 0.0).then_some(value? / sum);
        values.into_iter().map(share).collect()
    };
    floats(match values {
        Values::Ints(values) => windows.by_row(|rows| {
            let values = of_rows(values, rows);
            let sum: i128 = values.iter().flatten().copied().map(i128::from).sum();
            shares(
                values
                    .into_iter()
                    .map(|value| value.map(|value| value as f64))
                    .collect(),
                sum as f64,
            )
        }),
        Values::Floats(values) => windows.by_row(|rows| {
            let values = of_rows(values, rows);
            let sum = values.iter().flatten().fold(0.0, |sum, value| sum + value);
            shares(values, sum)
        }),
    })
}

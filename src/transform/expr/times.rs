//! Dates and timestamps in expressions: text that is compared with them or cast to them is read as ISO 8601.

use polars::prelude::{
    Column, DataType, Expr, Field, Int32Chunked, Int64Chunked, IntoColumn, PolarsError, PolarsResult, Scalar,
    Schema, TimeUnit, TimeZone, lit,
};

use super::dtype_of;
use crate::transform::iso8601;

/// Where a date or timestamp is compared with text, the text becomes a value of that type.
pub(super) fn compare(expr: Expr, schema: &Schema) -> Result<Expr, PolarsError> {
    let Expr::BinaryExpr { left, op, right } = &expr else {
        return Ok(expr);
    };
    if !op.is_comparison() {
        return Ok(expr);
    }
    let (left_type, right_type) = (dtype_of(left, schema)?, dtype_of(right, schema)?);
    let new_left = beside(left, &left_type, &right_type)?;
    let new_right = beside(right, &right_type, &left_type)?;
    if new_left.is_none() && new_right.is_none() {
        return Ok(expr);
    }
    let left = new_left.unwrap_or_else(|| left.as_ref().clone());
    let right = new_right.unwrap_or_else(|| right.as_ref().clone());
    Ok(polars::prelude::binary_expr(left, *op, right))
}

/// What `expr` becomes beside a value of type `other`; none when it stays.
fn beside(expr: &Expr, own: &DataType, other: &DataType) -> Result<Option<Expr>, PolarsError> {
    if let Some(text) = literal_text(expr) {
        return time_literal(text, other);
    }
    // A timestamp without a zone is in UTC, like all others.
    Ok(match (own, other) {
        (DataType::Datetime(unit, None), DataType::Datetime(_, Some(zone))) => {
            Some(expr.clone().cast(DataType::Datetime(*unit, Some(zone.clone()))))
        }
        _ => None,
    })
}

fn literal_text(expr: &Expr) -> Option<&str> {
    match expr {
        Expr::Literal(value) => value.extract_str(),
        _ => None,
    }
}

/// `text` as a value of a time type; none when `dtype` is no time.
fn time_literal(text: &str, dtype: &DataType) -> Result<Option<Expr>, PolarsError> {
    match dtype {
        DataType::Date => {
            let days = iso8601::days(text).ok_or_else(|| no_time(text, dtype))?;
            Ok(Some(lit(Scalar::new_date(days))))
        }
        DataType::Datetime(unit, zone) => {
            let micros = iso8601::micros(text).ok_or_else(|| no_time(text, dtype))?;
            let scalar = Scalar::new_datetime(micros, TimeUnit::Microseconds, zone.clone());
            Ok(Some(lit(scalar).cast(DataType::Datetime(*unit, zone.clone()))))
        }
        _ => Ok(None),
    }
}

fn no_time(text: &str, dtype: &DataType) -> PolarsError {
    let what = if dtype == &DataType::Date {
        "date"
    } else {
        "timestamp"
    };
    PolarsError::ComputeError(format!("`{text}` is no {what}: write ISO 8601, such as 2020-01-31").into())
}

/// Gives `CAST` to a date or timestamp its meaning here: text is ISO 8601, and timestamps are in UTC.
pub(super) fn cast(expr: Expr, schema: &Schema) -> Result<Expr, PolarsError> {
    let Expr::Cast {
        expr: value,
        dtype,
        options,
    } = &expr
    else {
        return Ok(expr);
    };
    let Some(to) = dtype.as_literal() else {
        return Ok(expr);
    };
    let to = match to {
        DataType::Date => DataType::Date,
        DataType::Datetime(unit, _) => DataType::Datetime(*unit, Some(TimeZone::UTC)),
        _ => return Ok(expr),
    };
    let value = value.as_ref().clone();
    if let Some(text) = literal_text(&value) {
        let literal = time_literal(text, &to)?;
        return Ok(literal.unwrap_or(value));
    }
    if dtype_of(&value, schema)? != DataType::String {
        return Ok(value.cast_with_options(to, *options));
    }
    let is_strict = options.is_strict();
    let output = to.clone();
    Ok(value.map(
        move |texts| read(&texts, &to, is_strict),
        move |_, field| Ok(Field::new(field.name().clone(), output.clone())),
    ))
}

/// Texts as values of the time type `to`; what is none is null, or an error when `is_strict`.
fn read(texts: &Column, to: &DataType, is_strict: bool) -> PolarsResult<Column> {
    let values = texts.str()?;
    let name = texts.name().clone();
    let times = if to == &DataType::Date {
        let days: Int32Chunked = values.iter().map(|text| iso8601::days(text?)).collect();
        days.with_name(name).into_column().cast(to)?
    } else {
        let micros: Int64Chunked = values.iter().map(|text| iso8601::micros(text?)).collect();
        let micros = micros.with_name(name).into_column();
        let utc = DataType::Datetime(TimeUnit::Microseconds, Some(TimeZone::UTC));
        micros.cast(&utc)?.cast(to)?
    };
    if is_strict && times.null_count() > texts.null_count() {
        let broken = values
            .iter()
            .zip(times.is_null().iter())
            .find_map(|(text, is_null)| text.filter(|_| is_null == Some(true)));
        return Err(no_time(broken.unwrap_or_default(), to));
    }
    Ok(times)
}

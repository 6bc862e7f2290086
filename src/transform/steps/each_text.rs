//! Text made of text, value by value.

use std::borrow::Cow;

use polars::prelude::{Column, DataType, Expr, Field, IntoColumn, PolarsResult, Schema, StringChunked};

use crate::transform::CheckError;
use crate::transform::step::{column_type, exactly, wrong_type};

/// The expression that makes a text of each text of `column`; null stays null.
pub(super) fn each_text(
    column: &str,
    each: impl Fn(&str) -> Option<Cow<'_, str>> + Send + Sync + 'static,
) -> Expr {
    let made = move |texts: Column| -> PolarsResult<Column> {
        let made: StringChunked = texts.str()?.iter().map(|text| each(text?)).collect();
        Ok(made.with_name(texts.name().clone()).into_column())
    };
    exactly(column).map(made, |_, field| {
        Ok(Field::new(field.name().clone(), DataType::String))
    })
}

/// Refuses a column that is no text.
pub(super) fn check_text(schema: &Schema, param: &'static str, column: &str) -> Result<(), CheckError> {
    let dtype = column_type(schema, param, column)?;
    if dtype != &DataType::String {
        return Err(wrong_type(param, column, dtype, "string").hint("use `cast` first"));
    }
    Ok(())
}

//! Several columns from one computation: a struct is made once, and its fields become columns.
//!
//! Without the column in between, each field would compute the struct anew, because execution shares no work between
//! expressions.

use polars::prelude::{Expr, LazyFrame, by_name};

use crate::transform::step::exactly;

/// Name of the struct while its fields are taken; hidden, so that no column of data can have it.
const MADE: &str = "__skewer_made";

/// Adds columns to `lf`: pairs of a field of the struct `made` and the name of its column.
pub(super) fn with_fields<'a>(
    lf: LazyFrame,
    made: Expr,
    fields: impl IntoIterator<Item = (&'a str, &'a str)>,
) -> LazyFrame {
    let columns: Vec<Expr> = fields
        .into_iter()
        .map(|(field, name)| exactly(MADE).struct_().field_by_name(field).alias(name))
        .collect();
    lf.with_column(made.alias(MADE))
        .with_columns(columns)
        .drop(by_name([MADE], true, false))
}

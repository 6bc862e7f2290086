//! SQL expressions: our own look at the parsed tree, then polars' `sql_expr`.
//!
//! polars takes unknown columns as they are and drops positions, so columns, fields, functions and places of errors are
//! checked here, on the tree of the same parser. What an expression means is polars' own. Where that surprises:
//!
//! - **Null.** A comparison with null is null, `AND` and `OR` follow three-valued logic, and `filter` keeps only what is
//!   true. `IS DISTINCT FROM` compares nulls like values. `concat` and `concat_ws` skip nulls, `||` gives null.
//! - **`NaN`** equals itself and is larger than every number, also in `greatest`.
//! - **Whole numbers wrap around** when a result leaves their range; nothing is raised. `CAST` to a wider type first.
//! - **`/` always divides to a fraction** (`7 / 2` is 3.5, `1 / 0` is infinite). `//` and `div` cut to the whole number
//!   below (`-7 // 2` is -4), `%` has the sign of the divisor.
//! - **`round` goes half to even**: `round(2.5)` is 2.
//! - **`CAST` is strict**: a value that does not fit fails, and its record is rejected. `TRY_CAST` gives null.
//!   A `CASE` computes all its branches for every row, so it does not protect a `CAST` inside.
//! - **`CAST` of text to `DATE` or `TIMESTAMP`** reads ISO 8601, row by row, and every `TIMESTAMP` is in UTC. This alone is
//!   not polars' meaning, which is deprecated there. `date(s, format)`, `timestamp(s, format)` and `strptime` read other
//!   forms; what they give has no zone until it is cast to `TIMESTAMP`.
//! - **Names** of columns are case-sensitive; quote others with `"`. Text is quoted with `'`.
//! - **Nested fields** are `location.country` or `location['country']`. Positions in lists and texts start at 1.
//! - **Timestamps** compare with ISO 8601 text (`posted_at >= '2020-01-31'`), which is UTC without an offset.
//! - **`LIKE`** takes a literal pattern only; `~` and `regexp_like` take regular expressions.
//! - **Types:** a whole number written as such is int32, or int64 beyond; with a column it takes the column's type.

mod code;
mod complete;
mod functions;
mod look;
mod query;
mod rename;
mod times;

use polars::prelude::{DataFrame, DataType, Expr, IntoLazy, PolarsError, Schema};
use sqlparser::ast::Expr as SqlExpr;
use sqlparser::dialect::GenericDialect;
use sqlparser::parser::{Parser, ParserError, ParserOptions};
use sqlparser::tokenizer::Token;

use super::CheckError;

pub use code::{Codes, time_code};
pub use complete::{Completion, CompletionKind, Completions, complete, sql_name};
pub use functions::{FUNCTION_GROUPS, FunctionInfo, functions};
pub use query::{TableQuery, query};
pub(super) use rename::{rename_in_expression, rename_in_query};

/// Checks `text` against rows of `schema` and gives its type. Reads no data: beyond planning, it computes the expression
/// on no rows, because polars finds some errors of types only then.
///
/// # Errors
/// As [`compile`].
pub fn check(text: &str, param: &'static str, schema: &Schema) -> Result<DataType, CheckError> {
    let (expr, dtype) = compile(text, param, schema)?;
    let no_rows = DataFrame::empty_with_schema(schema);
    super::execute::try_on(expr, no_rows).map_err(|message| CheckError::new(param, message))?;
    Ok(dtype)
}

/// The polars expression of `text` and the type it has on rows of `schema`. Reads no data.
///
/// `param` is the parameter that holds the text, for the error.
///
/// # Errors
/// [`CheckError`] with the position of what is wrong, where the parser knows it.
pub fn compile(text: &str, param: &'static str, schema: &Schema) -> Result<(Expr, DataType), CheckError> {
    if text.trim().is_empty() {
        return Err(CheckError::new(param, "the expression is empty").hint("write one, such as `n > 0`"));
    }
    let mut tree = parse(text, param)?;
    look::check(&tree, text, param, schema)?;
    let is_rewritten = look::rewrite_fields(&mut tree);
    let sql = if is_rewritten {
        tree.to_string()
    } else {
        text.to_owned()
    };
    let polars = |error: PolarsError| CheckError::new(param, short(&error));
    let expr = polars::sql::sql_expr(&sql).map_err(polars)?;
    let expr = expr
        .try_map_expr(|expr| times::cast(expr, schema))
        .and_then(|expr| expr.try_map_expr(|expr| times::compare(expr, schema)))
        .map_err(polars)?;
    let dtype = dtype_of(&expr, schema).map_err(polars)?;
    Ok((expr, dtype))
}

/// An error of polars in one line, without the plan that it prints.
pub(super) fn short(error: &PolarsError) -> String {
    let text = error.to_string();
    let line = text
        .lines()
        .map(str::trim)
        .find(|line| !line.is_empty())
        .unwrap_or("polars gave no reason");
    super::step::shortened(line, 300)
}

fn parse(text: &str, param: &'static str) -> Result<SqlExpr, CheckError> {
    let options = ParserOptions {
        trailing_commas: true,
        ..ParserOptions::default()
    };
    let parsed = Parser::new(&GenericDialect)
        .with_options(options)
        .try_with_sql(text)
        .and_then(|mut parser| {
            let tree = parser.parse_expr()?;
            let next = parser.peek_token();
            Ok((tree, next))
        });
    let (tree, next) = parsed.map_err(|error| parse_error(&error, text, param))?;
    if next.token == Token::EOF {
        return Ok(tree);
    }
    let at = look::position(text, next.span.start);
    Err(CheckError::new(param, format!("unexpected `{}` after the expression", next.token)).at(at))
}

fn parse_error(error: &ParserError, text: &str, param: &'static str) -> CheckError {
    let message = match error {
        ParserError::TokenizerError(message) | ParserError::ParserError(message) => message.as_str(),
        ParserError::RecursionLimitExceeded => "the expression is nested too deeply",
    };
    let (message, place) = match message.rsplit_once(" at Line: ") {
        Some((message, place)) => (message, Some(place)),
        None => (message, None),
    };
    let at = place.and_then(|place| {
        let (line, column) = place.split_once(", Column: ")?;
        let location = sqlparser::tokenizer::Location {
            line: line.trim().parse().ok()?,
            column: column.trim().parse().ok()?,
        };
        look::position(text, location)
    });
    let message = message.strip_prefix("Expected: ").map_or_else(
        || message.to_lowercase(),
        |rest| match rest.split_once(", found: ") {
            Some((wanted, "EOF")) => format!("expected {wanted}, but the expression ends"),
            Some((wanted, found)) => format!("expected {wanted}, found `{found}`"),
            None => format!("expected {rest}"),
        },
    );
    // The end of the text has no place of its own in the parser.
    let end = message.ends_with("ends").then(|| text.chars().count() + 1);
    CheckError::new(param, message).at(at.or(end))
}

/// The type of `expr` on rows of `schema`, by planning a selection on no rows.
fn dtype_of(expr: &Expr, schema: &Schema) -> Result<DataType, PolarsError> {
    let planned = DataFrame::empty_with_schema(schema)
        .lazy()
        .select([expr.clone().alias("x")])
        .collect_schema()?;
    Ok(planned.get("x").cloned().unwrap_or(DataType::Null))
}

#[cfg(test)]
mod tests;

//! Keeps the named columns, in the order they are named.
//!
//! Use it near the end of a recipe to fix what the output has, and in which order.
//!
//! ```yaml
//! - select: {columns: [job_id, title, country]}
//! ```
//!
//! Limits: a column must exist and stand once. For a nested field use `derive` or `unnest` first.

use polars::prelude::{LazyFrame, PlSmallStr, Schema, by_name};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::Params;
use crate::dataset::origin;
use crate::transform::python::{self, Python};
use crate::transform::step::{Behaviour, column_type, exactly, few};
use crate::transform::{CheckError, Inputs};

/// Parameters of `select`.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Select {
    /// Columns to keep, in output order.
    #[schemars(extend("x-input" = "columns"))]
    pub columns: Vec<String>,
}

impl Params for Select {
    const GROUP: &'static str = "columns";
    const REQUIRED: &'static [&'static str] = &["columns"];
}

impl Behaviour for Select {
    fn check(&self, schema: &Schema) -> Result<Schema, CheckError> {
        picked(&self.columns, schema, "choose columns to keep")
    }

    fn apply(&self, lf: LazyFrame, _: &Schema) -> Result<LazyFrame, CheckError> {
        let mut columns: Vec<_> = self.columns.iter().map(|name| exactly(name.as_str())).collect();
        columns.push(hidden_columns());
        Ok(lf.select(columns))
    }

    fn python(&self, _: &Schema, _: &Inputs, script: &mut Python) -> Result<(), String> {
        let columns = python::list(self.columns.iter().map(String::as_str));
        script.line(format!("df = df.select({columns})"));
        Ok(())
    }

    fn summary(&self) -> String {
        few(self.columns.iter().map(String::as_str))
    }

    fn subject(&self) -> String {
        self.summary()
    }
}

/// The named columns of `schema`, each of which must exist and stand once; `hint` says what to choose when there are none.
pub(super) fn picked(columns: &[String], schema: &Schema, hint: &str) -> Result<Schema, CheckError> {
    if columns.is_empty() {
        return Err(CheckError::new("columns", "`columns` is empty").hint(hint));
    }
    let mut output = Schema::default();
    for column in columns {
        let dtype = column_type(schema, "columns", column)?;
        if output.insert(column.into(), dtype.clone()).is_some() {
            return Err(CheckError::new(
                "columns",
                format!("column `{column}` stands twice"),
            ));
        }
    }
    Ok(output)
}

/// The columns that are named, or all of `schema`.
pub(super) fn named_or_all<'a>(columns: &'a [String], schema: &'a Schema) -> Vec<&'a str> {
    if columns.is_empty() {
        return schema.iter_names().map(PlSmallStr::as_str).collect();
    }
    columns.iter().map(String::as_str).collect()
}

/// A few of the columns that are named, or `all columns`.
pub(super) fn few_or_all(columns: &[String]) -> String {
    if columns.is_empty() {
        return "all columns".to_owned();
    }
    few(columns.iter().map(String::as_str))
}

/// The origin columns, as far as the frame has them.
pub(super) fn hidden_columns() -> polars::prelude::Expr {
    by_name(
        [origin::OBJECT, origin::LINE, origin::OFFSET, origin::ROW],
        false,
        false,
    )
    .as_expr()
}

#[cfg(test)]
mod tests {
    use polars::prelude::df;

    use super::super::testing::{check_error, run};

    #[test]
    fn columns_come_in_the_order_they_are_named() {
        let input = df!("a" => [1i64, 2], "b" => ["x", "y"], "c" => [true, false]).unwrap();
        let output = run("select: {columns: [c, a]}", &input);
        assert_eq!(output, df!("c" => [true, false], "a" => [1i64, 2]).unwrap());
    }

    #[test]
    fn a_slip_in_a_name_finds_the_column() {
        let input = df!("price" => [1i64]).unwrap();
        let error = check_error("select: {columns: [prise]}", &input);
        assert_eq!(error, "column `prise` not found: did you mean `price`?");
        assert_eq!(
            check_error("select: {columns: [price, price]}", &input),
            "column `price` stands twice"
        );
        assert_eq!(
            check_error("select: {}", &input),
            "`columns` is empty: choose columns to keep"
        );
        assert!(check_error("select: {columns: [__skewer_line]}", &input).contains("not found"));
    }
}

//! Leaves the named columns out.
//!
//! Use it to get rid of a few columns and keep whatever else there is; `select` is the safer choice for an output, because
//! a column that appears later in the data then stays out.
//!
//! ```yaml
//! - drop: {columns: [description_html]}
//! ```
//!
//! Limits: a column must exist, and at least one must remain.

use polars::prelude::{LazyFrame, Schema, by_name};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::Params;
use crate::transform::python::{self, Python};
use crate::transform::step::{Behaviour, column_type, few};
use crate::transform::{CheckError, Inputs};

/// Parameters of `drop`.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Drop {
    /// Columns to leave out.
    #[schemars(extend("x-input" = "columns"))]
    pub columns: Vec<String>,
}

impl Params for Drop {
    const GROUP: &'static str = "columns";
    const REQUIRED: &'static [&'static str] = &["columns"];
}

impl Behaviour for Drop {
    fn check(&self, schema: &Schema) -> Result<Schema, CheckError> {
        if self.columns.is_empty() {
            return Err(CheckError::new("columns", "`columns` is empty").hint("choose columns to leave out"));
        }
        let mut output = schema.clone();
        for column in &self.columns {
            column_type(schema, "columns", column)?;
            if output.shift_remove(column.as_str()).is_none() {
                return Err(CheckError::new(
                    "columns",
                    format!("column `{column}` stands twice"),
                ));
            }
        }
        if output.is_empty() {
            return Err(CheckError::new("columns", "no column remains").hint("keep at least one"));
        }
        Ok(output)
    }

    fn apply(&self, lf: LazyFrame, _: &Schema) -> Result<LazyFrame, CheckError> {
        Ok(lf.drop(by_name(self.columns.iter().map(String::as_str), true, false)))
    }

    fn python(&self, _: &Schema, _: &Inputs, script: &mut Python) -> Result<(), String> {
        let columns = python::list(self.columns.iter().map(String::as_str));
        script.line(format!("df = df.drop({columns})"));
        Ok(())
    }

    fn summary(&self) -> String {
        few(self.columns.iter().map(String::as_str))
    }

    fn subject(&self) -> String {
        self.summary()
    }
}

#[cfg(test)]
mod tests {
    use polars::prelude::df;

    use super::super::testing::{check_error, run};

    #[test]
    fn the_other_columns_stay_in_their_order() {
        let input = df!("a" => [1i64], "b" => ["x"], "c" => [true]).unwrap();
        assert_eq!(
            run("drop: {columns: [b]}", &input),
            df!("a" => [1i64], "c" => [true]).unwrap()
        );
    }

    #[test]
    fn at_least_one_column_remains() {
        let input = df!("a" => [1i64]).unwrap();
        assert_eq!(
            check_error("drop: {columns: [a]}", &input),
            "no column remains: keep at least one"
        );
        assert_eq!(
            check_error("drop: {columns: [b]}", &input),
            "column `b` not found"
        );
        assert_eq!(
            check_error("drop: {columns: [a, a]}", &input),
            "column `a` stands twice"
        );
    }
}

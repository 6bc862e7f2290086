//! Puts the named columns first; the others follow in their order.
//!
//! Use it to bring what matters to the left without naming every column; `select` also leaves columns out.
//!
//! ```yaml
//! - reorder: {columns: [job_id, posted_at]}
//! ```
//!
//! Limits: a column must exist and stand once. Fields of a struct keep their order.

use polars::prelude::{LazyFrame, PlSmallStr, Schema};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::Params;
use super::select::{hidden_columns, picked};
use crate::transform::python::{self, Python};
use crate::transform::step::{Behaviour, exactly, few};
use crate::transform::{CheckError, Inputs};

/// Parameters of `reorder`.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Reorder {
    /// Columns to put first, in this order.
    #[schemars(extend("x-input" = "columns"))]
    pub columns: Vec<String>,
}

impl Params for Reorder {
    const GROUP: &'static str = "columns";
    const REQUIRED: &'static [&'static str] = &["columns"];
}

impl Behaviour for Reorder {
    fn check(&self, schema: &Schema) -> Result<Schema, CheckError> {
        let mut output = picked(&self.columns, schema, "choose columns to put first")?;
        for (name, dtype) in schema.iter() {
            if !output.contains(name) {
                output.insert(name.clone(), dtype.clone());
            }
        }
        Ok(output)
    }

    fn apply(&self, lf: LazyFrame, schema: &Schema) -> Result<LazyFrame, CheckError> {
        let output = self.check(schema)?;
        let mut columns: Vec<_> = output.iter_names().cloned().map(exactly).collect();
        columns.push(hidden_columns());
        Ok(lf.select(columns))
    }

    fn python(&self, schema: &Schema, _: &Inputs, script: &mut Python) -> Result<(), String> {
        let output = self.check(schema).map_err(|error| error.to_string())?;
        let names = python::list(output.iter_names().map(PlSmallStr::as_str));
        script.line(format!("df = df.select({names})"));
        Ok(())
    }

    fn summary(&self) -> String {
        format!("{} first", few(self.columns.iter().map(String::as_str)))
    }

    fn subject(&self) -> String {
        few(self.columns.iter().map(String::as_str))
    }
}

#[cfg(test)]
mod tests {
    use polars::prelude::df;

    use super::super::testing::{check_error, run};

    #[test]
    fn the_columns_that_are_not_named_keep_their_order() {
        let input = df!("a" => [1i64], "b" => ["x"], "c" => [true], "d" => [0.5]).unwrap();
        let output = run("reorder: {columns: [d, b]}", &input);
        assert_eq!(output.get_column_names(), ["d", "b", "a", "c"]);
        assert_eq!(output, input.select(["d", "b", "a", "c"]).unwrap());
    }

    #[test]
    fn a_column_stands_once() {
        let input = df!("price" => [1i64]).unwrap();
        assert_eq!(
            check_error("reorder: {columns: [price, price]}", &input),
            "column `price` stands twice"
        );
        assert_eq!(
            check_error("reorder: {columns: [prise]}", &input),
            "column `prise` not found: did you mean `price`?"
        );
        assert!(check_error("reorder: {}", &input).starts_with("`columns` is empty"));
    }
}

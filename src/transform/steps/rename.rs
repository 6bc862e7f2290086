//! Gives columns new names.
//!
//! All names change at once, so two columns can swap theirs. Columns keep their places.
//!
//! ```yaml
//! - rename: {columns: {id: job_id, ts: posted_at}}
//! ```
//!
//! Limits: a column must exist, and no two columns may end with the same name.

use polars::prelude::{LazyFrame, Schema};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::Params;
use super::select::hidden_columns;
use crate::transform::python::{self, Python};
use crate::transform::step::{Behaviour, check_new_name, column_type, exactly, few};
use crate::transform::{CheckError, Inputs, Pairs};

/// Parameters of `rename`.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Rename {
    /// New name by old name.
    #[schemars(extend("x-input" = "columns"))]
    pub columns: Pairs,
}

impl Rename {
    fn new_name<'a>(&'a self, old: &'a str) -> &'a str {
        self.columns
            .iter()
            .find(|(name, _)| *name == old)
            .map_or(old, |(_, new)| new)
    }
}

impl Params for Rename {
    const GROUP: &'static str = "columns";
    const REQUIRED: &'static [&'static str] = &["columns"];
}

impl Behaviour for Rename {
    fn check(&self, schema: &Schema) -> Result<Schema, CheckError> {
        if self.columns.is_empty() {
            return Err(CheckError::new("columns", "`columns` is empty").hint("write `{old: new}`"));
        }
        for (old, new) in self.columns.iter() {
            column_type(schema, "columns", old)?;
            check_new_name("columns", new)?;
        }
        let mut output = Schema::default();
        for (old, dtype) in schema.iter() {
            let new = self.new_name(old);
            if output.insert(new.into(), dtype.clone()).is_some() {
                return Err(CheckError::new(
                    "columns",
                    format!("two columns would be named `{new}`"),
                ));
            }
        }
        Ok(output)
    }

    fn apply(&self, lf: LazyFrame, schema: &Schema) -> Result<LazyFrame, CheckError> {
        let mut columns: Vec<_> = schema
            .iter_names()
            .map(|old| exactly(old.clone()).alias(self.new_name(old)))
            .collect();
        columns.push(hidden_columns());
        Ok(lf.select(columns))
    }

    fn python(&self, _: &Schema, _: &Inputs, script: &mut Python) -> Result<(), String> {
        let pair = |(old, new): (&str, &str)| format!("{}: {}", python::quoted(old), python::quoted(new));
        let pairs: Vec<String> = self.columns.iter().map(pair).collect();
        script.line(format!("df = df.rename({{{}}})", pairs.join(", ")));
        Ok(())
    }

    fn summary(&self) -> String {
        let pairs: Vec<String> = self
            .columns
            .iter()
            .map(|(old, new)| format!("{old} → {new}"))
            .collect();
        few(pairs.iter().map(String::as_str))
    }

    fn subject(&self) -> String {
        few(self.columns.iter().map(|(old, _)| old))
    }
}

#[cfg(test)]
mod tests {
    use polars::prelude::df;

    use super::super::testing::{check_error, run};

    #[test]
    fn two_columns_can_swap_their_names() {
        let input = df!("a" => [1i64], "b" => ["x"], "c" => [true]).unwrap();
        let output = run("rename: {columns: {a: b, b: a}}", &input);
        assert_eq!(output, df!("b" => [1i64], "a" => ["x"], "c" => [true]).unwrap());
    }

    #[test]
    fn names_that_clash_or_are_reserved_do_not_check() {
        let input = df!("a" => [1i64], "b" => ["x"]).unwrap();
        assert_eq!(
            check_error("rename: {columns: {a: b}}", &input),
            "two columns would be named `b`"
        );
        assert_eq!(
            check_error("rename: {columns: {a: __skewer_line}}", &input),
            "column name `__skewer_line` is reserved: choose a name that does not start with `__skewer_`"
        );
    }
}

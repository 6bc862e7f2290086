//! Takes the first value that is not null from several columns.
//!
//! ```yaml
//! - coalesce: {columns: [posted_at, first_seen_at, crawled_at], into: published_at}
//! ```
//!
//! Without `into` the first column is filled from the others. When all are null the result is null.
//!
//! Limits: the columns are of one type; use `cast` first. Empty text and `NaN` are values.

use polars::prelude::{LazyFrame, Schema, coalesce};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::Params;
use crate::transform::python::{self, Python};
use crate::transform::step::{Behaviour, check_new_name, column_type, exactly, few, type_name};
use crate::transform::{CheckError, Inputs};

/// Parameters of `coalesce`.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Coalesce {
    /// Columns to look at, in this order.
    #[schemars(extend("x-input" = "columns"), length(min = 2))]
    pub columns: Vec<String>,
    /// Column to write; the first of the columns when it is not given.
    pub into: Option<String>,
}

impl Coalesce {
    fn target(&self) -> &str {
        let first = self.columns.first().map(String::as_str);
        self.into.as_deref().or(first).unwrap_or_default()
    }
}

impl Params for Coalesce {
    const GROUP: &'static str = "columns";
    const REQUIRED: &'static [&'static str] = &["columns"];
}

impl Behaviour for Coalesce {
    fn check(&self, schema: &Schema) -> Result<Schema, CheckError> {
        let [first, others @ ..] = self.columns.as_slice() else {
            return Err(CheckError::new("columns", "`columns` is empty").hint("choose two columns or more"));
        };
        let dtype = column_type(schema, "columns", first)?;
        if others.is_empty() {
            return Err(
                CheckError::new("columns", format!("`{first}` is the only column"))
                    .hint("choose the columns to take values from"),
            );
        }
        for other in others {
            let other_type = column_type(schema, "columns", other)?;
            if other_type != dtype {
                let message = format!(
                    "column `{first}` is {} and `{other}` is {}",
                    type_name(dtype),
                    type_name(other_type)
                );
                return Err(CheckError::new("columns", message).hint("use `cast` first"));
            }
        }
        check_new_name("into", self.target())?;
        let mut output = schema.clone();
        output.with_column(self.target().into(), dtype.clone());
        Ok(output)
    }

    fn apply(&self, lf: LazyFrame, _: &Schema) -> Result<LazyFrame, CheckError> {
        let columns: Vec<_> = self.columns.iter().map(|name| exactly(name.as_str())).collect();
        Ok(lf.with_column(coalesce(&columns).alias(self.target())))
    }

    fn python(&self, _: &Schema, _: &Inputs, script: &mut Python) -> Result<(), String> {
        let names = python::list(self.columns.iter().map(String::as_str));
        script.with_columns([(self.target(), format!("pl.coalesce({names})"))]);
        Ok(())
    }

    fn summary(&self) -> String {
        format!(
            "{} → {}",
            few(self.columns.iter().map(String::as_str)),
            self.target()
        )
    }

    fn subject(&self) -> String {
        self.target().to_owned()
    }
}

#[cfg(test)]
mod tests {
    use polars::prelude::{DataFrame, df};

    use super::super::testing::{check_error, run};

    fn input() -> DataFrame {
        df!(
            "a" => [Some("x"), None, None],
            "b" => [Some("y"), Some(""), None],
            "n" => [1i64, 2, 3],
        )
        .unwrap()
    }

    #[test]
    fn the_first_value_counts_and_empty_text_is_one() {
        let output = run("coalesce: {columns: [a, b], into: c}", &input());
        assert_eq!(
            output.column("c").unwrap(),
            df!("c" => [Some("x"), Some(""), None])
                .unwrap()
                .column("c")
                .unwrap()
        );
        let output = run("coalesce: {columns: [a, b]}", &input());
        assert_eq!(output.get_column_names(), ["a", "b", "n"]);
        assert_eq!(output.column("a").unwrap().null_count(), 1);
    }

    #[test]
    fn columns_are_of_one_type() {
        assert_eq!(
            check_error("coalesce: {columns: [a, n]}", &input()),
            "column `a` is string and `n` is int64: use `cast` first"
        );
        assert!(check_error("coalesce: {columns: [a]}", &input()).starts_with("`a` is the only column"));
        assert!(check_error("coalesce: {}", &input()).starts_with("`columns` is empty"));
    }
}

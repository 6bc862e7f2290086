//! Computes columns from SQL expressions.
//!
//! Every expression sees the columns as they are before the step; a name that exists is replaced in its place, others are
//! added at the end. What expressions mean where it surprises (nulls, overflow, rounding, timestamps) is written in the
//! documentation of `transform::expr`.
//!
//! ```yaml
//! - derive:
//!     columns:
//!       country: location.country
//!       salary_k: round(salary / 1000.0, 1)
//!       is_remote: coalesce(lower(title) LIKE '%remote%', false)
//! ```
//!
//! Limits: each row is computed alone, so aggregates, window functions and subqueries are refused. A row for which an
//! expression fails (a strict `CAST`) is rejected; `TRY_CAST` gives null instead. When more than 1,000 rows of a batch
//! fail, the step fails as a whole.

use polars::prelude::{LazyFrame, Schema};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::Params;
use crate::transform::expr::Codes;
use crate::transform::python::Python;
use crate::transform::step::{Behaviour, check_new_name, few, shortened};
use crate::transform::{CheckError, Inputs, Pairs, expr};

/// Parameters of `derive`.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Derive {
    /// SQL expression by name of the column it makes.
    #[schemars(extend("x-input" = "expression"))]
    pub columns: Pairs,
}

impl Params for Derive {
    const GROUP: &'static str = "columns";
    const REQUIRED: &'static [&'static str] = &["columns"];
}

impl Behaviour for Derive {
    fn check(&self, schema: &Schema) -> Result<Schema, CheckError> {
        if self.columns.is_empty() {
            return Err(
                CheckError::new("columns", "`columns` is empty").hint("write a name and its expression")
            );
        }
        let mut output = schema.clone();
        for (name, text) in self.columns.iter() {
            check_new_name("columns", name)?;
            let dtype = expr::check(text, "columns", schema).map_err(|mut error| {
                error.message = format!("`{name}`: {}", error.message);
                error
            })?;
            output.with_column(name.into(), dtype);
        }
        Ok(output)
    }

    fn apply(&self, lf: LazyFrame, schema: &Schema) -> Result<LazyFrame, CheckError> {
        let columns = self
            .columns
            .iter()
            .map(|(name, text)| Ok(expr::compile(text, "columns", schema)?.0.alias(name)))
            .collect::<Result<Vec<_>, CheckError>>()?;
        Ok(lf.with_columns(columns))
    }

    fn python(&self, schema: &Schema, _: &Inputs, script: &mut Python) -> Result<(), String> {
        let mut codes = Codes::new(schema, script);
        let mut columns = Vec::new();
        for (name, text) in self.columns.iter() {
            columns.push((name, codes.expr(text)?));
        }
        let (script, drop) = codes.finish();
        script.with_columns(columns);
        script.line(drop.unwrap_or_default());
        Ok(())
    }

    fn summary(&self) -> String {
        match self.columns.0.as_slice() {
            [(name, text)] => shortened(&format!("{name} = {text}"), 60),
            _ => few(self.columns.iter().map(|(name, _)| name)),
        }
    }

    fn subject(&self) -> String {
        few(self.columns.iter().map(|(name, _)| name))
    }
}

#[cfg(test)]
mod tests {
    use polars::prelude::df;

    use super::super::testing::{check_error, outcome, run};

    #[test]
    fn every_expression_sees_the_columns_before_the_step() {
        let input = df!("a" => [1i64, 2], "b" => [10i64, 20]).unwrap();
        let output = run("derive: {columns: {a: a + 1, c: a + b}}", &input);
        assert_eq!(
            output,
            df!("a" => [2i64, 3], "b" => [10i64, 20], "c" => [11i64, 22]).unwrap()
        );
    }

    #[test]
    fn a_literal_fills_every_row() {
        let input = df!("a" => [1i64, 2]).unwrap();
        let output = run("derive: {columns: {site: \"'de'\"}}", &input);
        assert_eq!(output, df!("a" => [1i64, 2], "site" => ["de", "de"]).unwrap());
    }

    #[test]
    fn an_error_names_the_derived_column() {
        let input = df!("price" => [1i64]).unwrap();
        assert_eq!(
            check_error("derive: {columns: {double: prise * 2}}", &input),
            "`double`: column `prise` not found: did you mean `price`?"
        );
    }

    #[test]
    fn a_row_whose_strict_cast_fails_is_rejected_alone() {
        let input = df!("a" => ["1", "x", "3", "y"]).unwrap();
        let outcome = outcome("derive: {columns: {n: CAST(a AS BIGINT)}}", &input);
        let lines: Vec<u64> = outcome.rejects.iter().map(|reject| reject.line).collect();
        assert_eq!(lines, [2, 4]);
        assert_eq!(outcome.df.height(), 2);
    }
}

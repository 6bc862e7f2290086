//! Leaves out rows that have no value in the named columns.
//!
//! Without columns all columns count. `when: any` leaves out a row in which at least one of them is null, `all` a row in
//! which all of them are.
//!
//! ```yaml
//! - drop_nulls: {columns: [job_id, posted_at]}
//! ```
//!
//! Rows left out are counted as filtered.
//!
//! Limits: only null counts. Empty text, an empty list, a struct of nulls and `NaN` are values; use `filter` for those.

use polars::prelude::{Expr, LazyFrame, Schema};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::Params;
use crate::transform::python::{self, Python};
use crate::transform::step::{Behaviour, RowEffect, column_type, exactly, few};
use crate::transform::{CheckError, Inputs};

/// Parameters of `drop_nulls`.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct DropNulls {
    /// Columns to look at; all of them when empty.
    #[schemars(extend("x-input" = "columns"))]
    pub columns: Vec<String>,
    /// How many of them have to be null.
    pub when: HowMany,
}

/// How many of the columns have to be null.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum HowMany {
    /// One is enough.
    #[default]
    Any,
    /// Every one of them.
    All,
}

impl DropNulls {
    fn columns<'a>(&'a self, schema: &'a Schema) -> Vec<&'a str> {
        if self.columns.is_empty() {
            schema
                .iter_names()
                .map(polars::prelude::PlSmallStr::as_str)
                .collect()
        } else {
            self.columns.iter().map(String::as_str).collect()
        }
    }
}

impl Params for DropNulls {
    const GROUP: &'static str = "rows";
    const REQUIRED: &'static [&'static str] = &[];
}

impl Behaviour for DropNulls {
    fn check(&self, schema: &Schema) -> Result<Schema, CheckError> {
        for column in &self.columns {
            column_type(schema, "columns", column)?;
        }
        Ok(schema.clone())
    }

    fn apply(&self, lf: LazyFrame, schema: &Schema) -> Result<LazyFrame, CheckError> {
        let has_value = self
            .columns(schema)
            .into_iter()
            .map(|column| exactly(column).is_not_null());
        let is_kept = has_value.reduce(|a: Expr, b: Expr| match self.when {
            HowMany::Any => a.and(b),
            HowMany::All => a.or(b),
        });
        Ok(match is_kept {
            Some(is_kept) => lf.filter(is_kept),
            None => lf,
        })
    }

    fn python(&self, schema: &Schema, _: &Inputs, script: &mut Python) -> Result<(), String> {
        let has_value: Vec<String> = self
            .columns(schema)
            .into_iter()
            .map(|column| format!("{}.is_not_null()", python::col(column)))
            .collect();
        let all_or_any = match self.when {
            HowMany::Any => "all",
            HowMany::All => "any",
        };
        script.line(format!(
            "df = df.filter(pl.{all_or_any}_horizontal({}))",
            has_value.join(", ")
        ));
        Ok(())
    }

    fn summary(&self) -> String {
        let columns = if self.columns.is_empty() {
            "of all columns".to_owned()
        } else {
            format!("of {}", self.subject())
        };
        match self.when {
            HowMany::Any => format!("any {columns}"),
            HowMany::All => format!("all {columns}"),
        }
    }

    fn subject(&self) -> String {
        few(self.columns.iter().map(String::as_str))
    }

    fn row_effect(&self) -> RowEffect {
        RowEffect::Filters
    }
}

#[cfg(test)]
mod tests {
    use polars::prelude::{DataFrame, df};

    use super::super::testing::{check_error, ints, outcome, run};

    fn input() -> DataFrame {
        df!(
            "n" => [1i64, 2, 3, 4],
            "a" => [Some(""), None, Some("x"), None],
            "b" => [Some(f64::NAN), Some(1.0), None, None],
        )
        .unwrap()
    }

    #[test]
    fn one_null_or_all_of_them_leave_the_row_out() {
        for (options, expected) in [
            ("", vec![1i64]),
            ("when: all", vec![1, 2, 3, 4]),
            ("columns: [a]", vec![1, 3]),
            ("columns: [a, b]", vec![1]),
            ("columns: [a, b], when: all", vec![1, 2, 3]),
        ] {
            let yaml = format!("drop_nulls: {{{options}}}");
            let expected: Vec<_> = expected.into_iter().map(Some).collect();
            assert_eq!(ints(&run(&yaml, &input()), "n"), expected, "{options}");
            let counts = &outcome(&yaml, &input()).counts[0];
            assert_eq!(counts.rows_filtered, 4 - expected.len() as u64, "{options}");
        }
    }

    #[test]
    fn a_column_that_is_missing_does_not_check() {
        assert_eq!(
            check_error("drop_nulls: {columns: [aa]}", &input()),
            "column `aa` not found: did you mean `a`?"
        );
    }
}

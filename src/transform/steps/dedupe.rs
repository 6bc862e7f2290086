//! Keeps one row of those that agree in the named columns.
//!
//! Without columns all columns count. `keep: first` keeps the earliest row in the order of raw keys and lines, `last` the
//! latest, `none` keeps only rows that have no other. The order of rows stays.
//!
//! ```yaml
//! - dedupe: {columns: [job_id], keep: last}
//! ```
//!
//! Nulls are equal to each other here, and so are `NaN`s. Rows that are dropped are counted as merged.
//!
//! Limits: it compares all rows of a partition, never those of two partitions. A job sorts a partition that is too large
//! for the memory into files by key first; with `keep: none` the rows of one key have to fit into the memory.

use polars::prelude::{LazyFrame, PlSmallStr, Schema, UniqueKeepStrategy, by_name};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::Params;
use crate::transform::python::{self, Python};
use crate::transform::step::{Behaviour, RowEffect, Scope, column_type, few};
use crate::transform::{CheckError, Inputs};

/// Parameters of `dedupe`.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Dedupe {
    /// Columns to compare; all of them when empty.
    #[schemars(extend("x-input" = "columns"))]
    pub columns: Vec<String>,
    /// Which of equal rows stays.
    pub keep: KeepRow,
}

/// Which of equal rows stays.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum KeepRow {
    #[default]
    First,
    Last,
    /// None of them: only rows without an equal stay.
    None,
}

impl KeepRow {
    fn name(self) -> &'static str {
        match self {
            Self::First => "first",
            Self::Last => "last",
            Self::None => "none",
        }
    }
}

impl Params for Dedupe {
    const GROUP: &'static str = "rows";
    const REQUIRED: &'static [&'static str] = &[];
}

impl Behaviour for Dedupe {
    fn check(&self, schema: &Schema) -> Result<Schema, CheckError> {
        for column in &self.columns {
            column_type(schema, "columns", column)?;
        }
        Ok(schema.clone())
    }

    fn apply(&self, lf: LazyFrame, schema: &Schema) -> Result<LazyFrame, CheckError> {
        let keys: Vec<&str> = if self.columns.is_empty() {
            schema.iter_names().map(PlSmallStr::as_str).collect()
        } else {
            self.columns.iter().map(String::as_str).collect()
        };
        let keep = match self.keep {
            KeepRow::First => UniqueKeepStrategy::First,
            KeepRow::Last => UniqueKeepStrategy::Last,
            KeepRow::None => UniqueKeepStrategy::None,
        };
        Ok(lf.unique_stable(Some(by_name(keys, true, false)), keep))
    }

    fn python(&self, _: &Schema, _: &Inputs, script: &mut Python) -> Result<(), String> {
        let keys = if self.columns.is_empty() {
            "None".to_owned()
        } else {
            python::list(self.columns.iter().map(String::as_str))
        };
        let keep = self.keep.name();
        script.line(format!(
            "df = df.unique({keys}, keep=\"{keep}\", maintain_order=True)"
        ));
        Ok(())
    }

    fn summary(&self) -> String {
        let keys = if self.columns.is_empty() {
            "all columns".to_owned()
        } else {
            self.subject()
        };
        format!("{keys}, keep {}", self.keep.name())
    }

    fn subject(&self) -> String {
        few(self.columns.iter().map(String::as_str))
    }

    fn scope(&self) -> Scope {
        Scope::Partition
    }

    fn row_effect(&self) -> RowEffect {
        RowEffect::Merges
    }

    fn keys(&self) -> Option<&[String]> {
        Some(&self.columns)
    }

    /// The first of the firsts is the first. Of two equal rows in one part none would be left to meet a third.
    fn reduces_in_parts(&self) -> bool {
        self.keep != KeepRow::None
    }
}

#[cfg(test)]
mod tests {
    use polars::prelude::{DataFrame, df};

    use super::super::testing::{check_error, outcome, run, step};

    fn input() -> DataFrame {
        df!(
            "id" => [Some("b"), Some("a"), Some("b"), None, None, Some("c")],
            "n" => [1i64, 2, 3, 4, 4, 5],
        )
        .unwrap()
    }

    #[test]
    fn the_first_or_last_row_stays_in_its_place() {
        for (options, expected) in [
            ("columns: [id]", vec![1i64, 2, 4, 5]),
            ("columns: [id], keep: last", vec![2, 3, 4, 5]),
            ("columns: [id], keep: none", vec![2, 5]),
            ("", vec![1, 2, 3, 4, 5]),
        ] {
            let output = run(&format!("dedupe: {{{options}}}"), &input());
            let n: Vec<i64> = output
                .column("n")
                .unwrap()
                .i64()
                .unwrap()
                .iter()
                .flatten()
                .collect();
            assert_eq!(n, expected, "{options}");
        }
    }

    #[test]
    fn rows_that_go_are_merged_and_origins_do_not_count() {
        let counts = &outcome("dedupe: {}", &input()).counts[0];
        assert_eq!((counts.rows_in, counts.rows_out, counts.rows_merged), (6, 5, 1));
        assert_eq!(step("dedupe: {columns: [id]}").keys().unwrap(), ["id"]);
    }

    #[test]
    fn lists_can_be_compared() {
        let input = run(
            "tokenize: {column: t, into: w}",
            &df!("t" => ["a b", "A B", "c"]).unwrap(),
        );
        assert_eq!(run("dedupe: {columns: [w]}", &input).height(), 2);
    }

    #[test]
    fn a_column_that_is_missing_does_not_check() {
        assert_eq!(
            check_error("dedupe: {columns: [ids]}", &input()),
            "column `ids` not found: did you mean `id`?"
        );
    }
}

//! Makes a row of each element of a list.
//!
//! The other columns are repeated. A row whose list is empty or null stays once, with null, or is left out with
//! `empty: drop`; rows left out are counted as filtered.
//!
//! ```yaml
//! - explode: {column: tags}
//! ```
//!
//! Limits: one column a step. Rows are multiplied: a batch whose lists would make more rows than the memory holds is
//! exploded in pieces, and a single record that would is an error which names the column.

use polars::prelude::{
    DataFrame, DataType, ExplodeOptions, LazyFrame, ListNameSpaceImpl as _, Schema, by_name,
};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::Params;
use crate::base::units;
use crate::transform::python::{self, Python};
use crate::transform::step::{Behaviour, Growth, RowEffect, column_type, wrong_type};
use crate::transform::{CheckError, Inputs};

/// Parameters of `explode`.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Explode {
    /// Column of lists.
    #[schemars(extend("x-input" = "column"))]
    pub column: String,
    /// What becomes of a row whose list is empty or null.
    pub empty: OnEmpty,
}

/// What becomes of a row whose list is empty or null.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum OnEmpty {
    /// It stays once, with null.
    #[default]
    Keep,
    /// It is left out.
    Drop,
}

impl Params for Explode {
    const GROUP: &'static str = "nested";
    const REQUIRED: &'static [&'static str] = &["column"];
}

impl Behaviour for Explode {
    fn check(&self, schema: &Schema) -> Result<Schema, CheckError> {
        let dtype = column_type(schema, "column", &self.column)?;
        let DataType::List(element) = dtype else {
            return Err(wrong_type("column", &self.column, dtype, "a list"));
        };
        let mut output = schema.clone();
        output.with_column(self.column.as_str().into(), element.as_ref().clone());
        Ok(output)
    }

    fn apply(&self, lf: LazyFrame, _: &Schema) -> Result<LazyFrame, CheckError> {
        let is_kept = self.empty == OnEmpty::Keep;
        let options = ExplodeOptions {
            empty_as_null: is_kept,
            keep_nulls: is_kept,
        };
        Ok(lf.explode(by_name([self.column.as_str()], true, false), options))
    }

    fn python(&self, _: &Schema, _: &Inputs, script: &mut Python) -> Result<(), String> {
        let is_kept = python::literal(&(self.empty == OnEmpty::Keep).into());
        let column = python::quoted(&self.column);
        script.line(format!(
            "df = df.explode({column}, empty_as_null={is_kept}, keep_nulls={is_kept})"
        ));
        Ok(())
    }

    fn summary(&self) -> String {
        match self.empty {
            OnEmpty::Keep => self.column.clone(),
            OnEmpty::Drop => format!("{}, without empty ones", self.column),
        }
    }

    fn subject(&self) -> String {
        self.column.clone()
    }

    fn row_effect(&self) -> RowEffect {
        RowEffect::Makes
    }

    fn n_left_out(&self, df: &DataFrame, _: &Inputs) -> u64 {
        let lists = df.column(&self.column).and_then(|lists| lists.list());
        match (self.empty, lists) {
            (OnEmpty::Drop, Ok(lists)) => lists
                .amortized_iter()
                .filter(|list| list.as_ref().is_none_or(|list| list.as_ref().is_empty()))
                .count() as u64,
            _ => 0,
        }
    }

    fn n_rows_after(&self, df: &DataFrame, _: &Inputs) -> Option<Growth> {
        let lists = df.column(&self.column).and_then(|lists| lists.list());
        let lengths = lists.ok()?.lst_lengths();
        let at_least = u64::from(self.empty == OnEmpty::Keep);
        let n_rows = |length: Option<u32>| u64::from(length.unwrap_or(0)).max(at_least);
        let longest = lengths.iter().flatten().max().unwrap_or(0);
        Some(Growth {
            n_rows: lengths.iter().map(n_rows).sum(),
            added_bytes: 0,
            worst: format!(
                "the longest list of `{}` has {}",
                self.column,
                units::plural(u64::from(longest), "element")
            ),
        })
    }
}

#[cfg(test)]
mod tests {
    use polars::prelude::{DataFrame, IntoColumn, ListChunked, NamedFrom, Series, df};

    use super::super::testing::{check_error, outcome, run};

    fn input() -> DataFrame {
        let lists: ListChunked = [
            Some(Series::new("".into(), ["a", "b", "c"])),
            Some(Series::new_empty("".into(), &polars::prelude::DataType::String)),
            None,
            Some(Series::new("".into(), ["d"])),
        ]
        .into_iter()
        .collect();
        let mut df = df!("id" => [1i64, 2, 3, 4]).unwrap();
        df.with_column(lists.with_name("tags".into()).into_column())
            .unwrap();
        df
    }

    #[test]
    fn an_empty_list_stays_as_one_row_with_null() {
        let output = run("explode: {column: tags}", &input());
        let expected = df!(
            "id" => [1i64, 1, 1, 2, 3, 4],
            "tags" => [Some("a"), Some("b"), Some("c"), None, None, Some("d")]
        );
        assert_eq!(output, expected.unwrap());
        let counts = &outcome("explode: {column: tags}", &input()).counts[0];
        assert_eq!((counts.rows_in, counts.rows_out, counts.rows_made), (4, 6, 2));
    }

    #[test]
    fn rows_left_out_are_counted_apart_from_rows_made() {
        let yaml = "explode: {column: tags, empty: drop}";
        let expected = df!("id" => [1i64, 1, 1, 4], "tags" => ["a", "b", "c", "d"]).unwrap();
        assert_eq!(run(yaml, &input()), expected);
        let counts = &outcome(yaml, &input()).counts[0];
        assert_eq!((counts.rows_in, counts.rows_out), (4, 4));
        assert_eq!((counts.rows_filtered, counts.rows_made), (2, 2));
    }

    #[test]
    fn only_lists_explode() {
        assert!(check_error("explode: {column: id}", &input()).ends_with("not a list"));
    }
}

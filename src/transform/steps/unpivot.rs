//! Makes a row of each of several columns: their names go to one column, their values to another.
//!
//! The other columns are repeated. Rows that were one stay together, in the order in which the columns are named. With
//! `nulls: drop` a column without a value makes no row; a row of which nothing is left is counted as filtered.
//!
//! ```yaml
//! - unpivot: {columns: [views, clicks], name_into: event, value_into: n, nulls: drop}
//! ```
//!
//! Limits: the columns must have one type; use `cast` first. Rows are multiplied by the number of columns, and so is the
//! memory for a batch. The way back is `pivot`.

use polars::prelude::{
    DataFrame, DataType, IdxCa, IdxSize, IntoColumn, LazyFrame, NamedFrom, PolarsResult, Schema, Series,
};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::Params;
use super::row_groups::on_frame;
use crate::transform::python::{self, Python};
use crate::transform::step::{Behaviour, Growth, RowEffect, check_new_name, column_type, few, type_name};
use crate::transform::{CheckError, Inputs};

/// Parameters of `unpivot`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Unpivot {
    /// Columns that become rows.
    #[schemars(extend("x-input" = "columns"))]
    pub columns: Vec<String>,
    /// Column to write, the name of the column that a row came from.
    pub name_into: String,
    /// Column to write, its value.
    pub value_into: String,
    /// What becomes of a column without a value.
    pub nulls: OnNull,
}

/// What becomes of a column without a value.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum OnNull {
    /// It makes a row with null.
    #[default]
    Keep,
    /// It makes no row.
    Drop,
}

impl Default for Unpivot {
    fn default() -> Self {
        Self {
            columns: Vec::new(),
            name_into: "name".to_owned(),
            value_into: "value".to_owned(),
            nulls: OnNull::Keep,
        }
    }
}

impl Unpivot {
    /// The schema after the step, of one with hidden columns too.
    fn change(&self, schema: &mut Schema) {
        let value = self
            .columns
            .first()
            .and_then(|column| schema.get(column).cloned());
        for column in &self.columns {
            schema.shift_remove(column.as_str());
        }
        schema.with_column(self.name_into.as_str().into(), DataType::String);
        schema.with_column(self.value_into.as_str().into(), value.unwrap_or(DataType::Null));
    }

    fn unpivot(&self, df: &DataFrame) -> PolarsResult<DataFrame> {
        let n_rows = df.height();
        let mut values = Series::new_empty("".into(), &DataType::Null);
        for (at, column) in self.columns.iter().enumerate() {
            let column = df.column(column)?.as_materialized_series();
            if at == 0 {
                values = column.clone();
            } else {
                values.append(column)?;
            }
        }
        let has_value = values.is_not_null();
        let mut rows: Vec<IdxSize> = Vec::new();
        let (mut names, mut places) = (Vec::new(), Vec::new());
        for row in 0..n_rows {
            for (at, name) in self.columns.iter().enumerate() {
                let place = at * n_rows + row;
                if self.nulls == OnNull::Keep || has_value.get(place) == Some(true) {
                    rows.push(IdxSize::try_from(row).unwrap_or_default());
                    places.push(IdxSize::try_from(place).unwrap_or_default());
                    names.push(name.as_str());
                }
            }
        }
        let mut output = df
            .drop_many(&self.columns)
            .take(&IdxCa::from_vec("".into(), rows))?;
        let values = values.take(&IdxCa::from_vec("".into(), places))?;
        if output.width() == 0 {
            output = DataFrame::empty_with_height(values.len());
        }
        output.with_column(Series::new(self.name_into.as_str().into(), names).into_column())?;
        output.with_column(values.with_name(self.value_into.as_str().into()).into_column())?;
        Ok(output)
    }
}

impl Params for Unpivot {
    const GROUP: &'static str = "rows";
    const REQUIRED: &'static [&'static str] = &["columns"];
}

impl Behaviour for Unpivot {
    fn check(&self, schema: &Schema) -> Result<Schema, CheckError> {
        let Some(first) = self.columns.first() else {
            return Err(
                CheckError::new("columns", "`columns` is empty").hint("choose columns that become rows")
            );
        };
        let dtype = column_type(schema, "columns", first)?;
        for (at, column) in self.columns.iter().enumerate() {
            let other = column_type(schema, "columns", column)?;
            if other != dtype {
                let (one, other) = (type_name(dtype), type_name(other));
                let message = format!("column `{first}` is {one} and `{column}` is {other}");
                return Err(
                    CheckError::new("columns", message).hint("use `cast` first to give them one type")
                );
            }
            if self.columns.iter().take(at).any(|known| known == column) {
                return Err(CheckError::new(
                    "columns",
                    format!("column `{column}` stands twice"),
                ));
            }
        }
        for (param, name) in [("name_into", &self.name_into), ("value_into", &self.value_into)] {
            check_new_name(param, name)?;
            if schema.contains(name) && !self.columns.contains(name) {
                let message = format!("column `{name}` is there already");
                return Err(CheckError::new(param, message).hint("choose another name"));
            }
        }
        if self.name_into == self.value_into {
            let message = format!("two columns would be named `{}`", self.name_into);
            return Err(CheckError::new("value_into", message).hint("choose another name"));
        }
        let mut output = schema.clone();
        self.change(&mut output);
        Ok(output)
    }

    fn apply(&self, lf: LazyFrame, _: &Schema) -> Result<LazyFrame, CheckError> {
        let (step, of_schema) = (self.clone(), self.clone());
        Ok(on_frame(
            lf,
            "unpivot",
            move |schema| of_schema.change(schema),
            move |df| step.unpivot(&df),
        ))
    }

    fn python(&self, schema: &Schema, _: &Inputs, script: &mut Python) -> Result<(), String> {
        let columns = python::list(self.columns.iter().map(String::as_str));
        let index = schema
            .iter_names()
            .map(polars::prelude::PlSmallStr::as_str)
            .filter(|name| !self.columns.iter().any(|column| column == name));
        let index: Vec<&str> = index.collect();
        // One column after another, so the rows of each row are brought together again.
        script.line(format!(
            "df = df.with_row_index(\"_row\").unpivot(\n    {columns},\n    index={},\n    \
             variable_name=\"_name\",\n    value_name=\"_value\",\n)",
            python::list(std::iter::once("_row").chain(index)),
        ));
        script.line("df = df.sort(\"_row\", maintain_order=True).drop(\"_row\")");
        if self.nulls == OnNull::Drop {
            script.line("df = df.drop_nulls(\"_value\")");
        }
        script.line(format!(
            "df = df.rename({{\"_name\": {}, \"_value\": {}}})",
            python::quoted(&self.name_into),
            python::quoted(&self.value_into)
        ));
        Ok(())
    }

    fn summary(&self) -> String {
        let columns = few(self.columns.iter().map(String::as_str));
        format!("{columns} → {}, {}", self.name_into, self.value_into)
    }

    fn subject(&self) -> String {
        few(self.columns.iter().map(String::as_str))
    }

    fn row_effect(&self) -> RowEffect {
        RowEffect::Makes
    }

    fn n_rows_after(&self, df: &DataFrame, _: &Inputs) -> Option<Growth> {
        Some(Growth {
            n_rows: (df.height() as u64).saturating_mul(self.columns.len() as u64),
            added_bytes: 0,
            worst: String::new(),
        })
    }

    fn n_left_out(&self, df: &DataFrame, _: &Inputs) -> u64 {
        if self.nulls == OnNull::Keep {
            return 0;
        }
        let columns = self.columns.iter().filter_map(|column| df.column(column).ok());
        let all_null = columns
            .map(polars::prelude::Column::is_null)
            .reduce(|all, next| all & next);
        all_null.and_then(|all| all.sum()).unwrap_or_default().into()
    }
}

#[cfg(test)]
mod tests {
    use polars::prelude::{DataFrame, df};

    use super::super::testing::{check_error, outcome, run};

    fn input() -> DataFrame {
        df!(
            "id" => ["u", "v", "w"],
            "a" => [Some(1i64), None, None],
            "b" => [Some(2i64), Some(3), None],
        )
        .unwrap()
    }

    #[test]
    fn rows_of_one_row_stay_together() {
        let expected = df!(
            "id" => ["u", "u", "v", "v", "w", "w"],
            "name" => ["b", "a", "b", "a", "b", "a"],
            "value" => [Some(2i64), Some(1), Some(3), None, None, None],
        );
        assert_eq!(run("unpivot: {columns: [b, a]}", &input()), expected.unwrap());
        let counts = &outcome("unpivot: {columns: [b, a]}", &input()).counts[0];
        assert_eq!((counts.rows_in, counts.rows_out, counts.rows_made), (3, 6, 3));
    }

    #[test]
    fn a_row_without_any_value_is_filtered_when_nulls_are_dropped() {
        let yaml = "unpivot: {columns: [a, b], name_into: k, value_into: a, nulls: drop}";
        let expected = df!("id" => ["u", "u", "v"], "k" => ["a", "b", "b"], "a" => [1i64, 2, 3]).unwrap();
        assert_eq!(run(yaml, &input()), expected);
        let counts = &outcome(yaml, &input()).counts[0];
        assert_eq!(
            (counts.rows_out, counts.rows_made, counts.rows_filtered),
            (3, 1, 1)
        );
        assert_eq!(run(yaml, &input().clear()), expected.clear());
    }

    #[test]
    fn all_columns_may_become_rows() {
        let input = df!("a" => ["x"], "b" => ["y"]).unwrap();
        assert_eq!(
            run("unpivot: {columns: [a, b]}", &input),
            df!("name" => ["a", "b"], "value" => ["x", "y"]).unwrap()
        );
    }

    #[test]
    fn what_does_not_fit_says_so() {
        for (yaml, expected) in [
            ("unpivot: {}", "`columns` is empty"),
            (
                "unpivot: {columns: [a, id]}",
                "column `a` is int64 and `id` is string: use `cast` first to give them one type",
            ),
            ("unpivot: {columns: [a, a]}", "column `a` stands twice"),
            (
                "unpivot: {columns: [a], name_into: id}",
                "column `id` is there already",
            ),
            (
                "unpivot: {columns: [a], name_into: v, value_into: v}",
                "two columns would be named `v`",
            ),
        ] {
            let error = check_error(yaml, &input());
            assert!(error.starts_with(expected), "{yaml}: {error}");
        }
    }
}

//! Joins several columns to one text.
//!
//! Values that are no text are written as `1`, `0.5`, `true`, `2020-01-31`, `2020-01-31T12:30:15.250000Z`.
//!
//! ```yaml
//! - concat: {columns: [title, company, city], into: text, separator: ' | '}
//! ```
//!
//! `nulls` says what becomes of a null among the values: `skip` leaves it out together with its separator (and gives null
//! when all are null), `empty` writes nothing between the separators, `null` makes the whole result null. Empty text is a
//! value like others.
//!
//! Limits: plain values only; for lists and structs use `to_json`.

use polars::prelude::{Column, DataType, Field, IntoColumn, LazyFrame, PolarsResult, Schema, StringChunked};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::Params;
use super::reject::{allow_null, choice_or_null};
use super::value_text::{define_text, is_plain, push_text};
use crate::transform::python::{self, Python};
use crate::transform::step::{Behaviour, check_new_name, column_type, exactly, few, wrong_type};
use crate::transform::{CheckError, Inputs};

/// Parameters of `concat`.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Concat {
    /// Columns to join, in this order.
    #[schemars(extend("x-input" = "columns"))]
    pub columns: Vec<String>,
    /// Column to write, text.
    pub into: String,
    /// Text between two values.
    pub separator: String,
    /// What becomes of a null among the values.
    #[serde(deserialize_with = "choice_or_null")]
    #[schemars(transform = allow_null)]
    pub nulls: Nulls,
}

/// What becomes of a null among joined values.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Nulls {
    /// It is left out with its separator; null when all are null.
    #[default]
    Skip,
    /// It counts as empty text.
    Empty,
    /// The result is null.
    Null,
}

fn concat(columns: &[Column], separator: &str, nulls: Nulls) -> PolarsResult<Column> {
    let n_rows = columns.iter().map(Column::len).max().unwrap_or(0);
    let mut joined = Vec::with_capacity(n_rows);
    for row in 0..n_rows {
        let mut text = String::new();
        let mut n_values = 0;
        let mut n_nulls = 0;
        for column in columns {
            let value = column.get(if column.len() == 1 { 0 } else { row })?;
            let is_null = value.is_null();
            n_nulls += usize::from(is_null);
            if is_null && nulls == Nulls::Skip {
                continue;
            }
            if n_values > 0 {
                text.push_str(separator);
            }
            n_values += 1;
            push_text(&value, &mut text);
        }
        let is_null = match nulls {
            Nulls::Skip => n_values == 0,
            Nulls::Empty => false,
            Nulls::Null => n_nulls > 0,
        };
        joined.push((!is_null).then_some(text));
    }
    Ok(joined.into_iter().collect::<StringChunked>().into_column())
}

impl Params for Concat {
    const GROUP: &'static str = "columns";
    const REQUIRED: &'static [&'static str] = &["columns", "into"];
}

impl Behaviour for Concat {
    fn check(&self, schema: &Schema) -> Result<Schema, CheckError> {
        if self.columns.is_empty() {
            return Err(CheckError::new("columns", "`columns` is empty").hint("choose columns to join"));
        }
        for column in &self.columns {
            let dtype = column_type(schema, "columns", column)?;
            if !is_plain(dtype) {
                return Err(wrong_type("columns", column, dtype, "a plain value").hint("use `to_json` first"));
            }
        }
        check_new_name("into", &self.into)?;
        let mut output = schema.clone();
        output.with_column(self.into.as_str().into(), DataType::String);
        Ok(output)
    }

    fn apply(&self, lf: LazyFrame, _: &Schema) -> Result<LazyFrame, CheckError> {
        let mut columns = self.columns.iter().map(|name| exactly(name.as_str()));
        let Some(first) = columns.next() else {
            return Ok(lf);
        };
        let (separator, nulls) = (self.separator.clone(), self.nulls);
        let joined = first.map_many(
            move |columns| concat(columns, &separator, nulls),
            &columns.collect::<Vec<_>>(),
            |_, fields| {
                let name = fields
                    .first()
                    .map_or_else(Default::default, |field| field.name().clone());
                Ok(Field::new(name, DataType::String))
            },
        );
        Ok(lf.with_column(joined.alias(self.into.as_str())))
    }

    fn python(&self, schema: &Schema, _: &Inputs, script: &mut Python) -> Result<(), String> {
        let texts: Vec<String> = self
            .columns
            .iter()
            .map(|name| {
                let text = if schema.get(name) == Some(&DataType::String) {
                    python::col(name)
                } else {
                    define_text(script);
                    format!("pl.lit({})", python::each(name, "text_of(x)", &DataType::String))
                };
                if self.nulls == Nulls::Empty {
                    format!("{text}.fill_null(\"\")")
                } else {
                    text
                }
            })
            .collect();
        let parts = texts.join(", ");
        let separator = python::quoted(&self.separator);
        let joined = format!(
            "pl.concat_str([{parts}], separator={separator}, ignore_nulls={})",
            if self.nulls == Nulls::Skip {
                "True"
            } else {
                "False"
            }
        );
        let joined = if self.nulls == Nulls::Skip {
            let names = python::list(self.columns.iter().map(String::as_str));
            format!("pl.when(~pl.all_horizontal(pl.col({names}).is_null())).then({joined})")
        } else {
            joined
        };
        script.with_columns([(self.into.as_str(), joined)]);
        Ok(())
    }

    fn summary(&self) -> String {
        format!("{} → {}", few(self.columns.iter().map(String::as_str)), self.into)
    }

    fn subject(&self) -> String {
        self.into.clone()
    }
}

#[cfg(test)]
mod tests {
    use polars::prelude::{DataFrame, df};

    use super::super::testing::{check_error, run};

    fn input() -> DataFrame {
        df!(
            "a" => [Some("x"), None, Some(""), None],
            "n" => [Some(1i64), Some(2), None, None],
            "f" => [Some(0.5), None, Some(1e-7), None],
        )
        .unwrap()
    }

    fn joined(options: &str) -> Vec<Option<String>> {
        let yaml = format!("concat: {{columns: [a, n, f], into: t, separator: '-'{options}}}");
        let output = run(&yaml, &input());
        let texts = output.column("t").unwrap().str().unwrap();
        texts.iter().map(|text| text.map(str::to_owned)).collect()
    }

    #[test]
    fn nulls_are_left_out_or_empty_or_make_null() {
        let some = |text: &str| Some(text.to_owned());
        assert_eq!(joined(""), [some("x-1-0.5"), some("2"), some("-1e-7"), None]);
        assert_eq!(
            joined(", nulls: empty"),
            [some("x-1-0.5"), some("-2-"), some("--1e-7"), some("--")]
        );
        assert_eq!(joined(", nulls: null"), [some("x-1-0.5"), None, None, None]);
    }

    #[test]
    fn one_row_and_no_row_are_joined_too() {
        let yaml = "concat: {columns: [a, n], into: a}";
        assert_eq!(
            run(yaml, &input().head(Some(1)))
                .column("a")
                .unwrap()
                .get(0)
                .unwrap()
                .str_value(),
            "x1"
        );
        assert_eq!(run(yaml, &input().clear()).height(), 0);
    }

    #[test]
    fn nested_columns_are_for_to_json() {
        let words = run("tokenize: {column: a, into: w}", &input());
        assert_eq!(
            check_error("concat: {columns: [w], into: t}", &words),
            "column `w` is list<string>, not a plain value: use `to_json` first"
        );
        assert!(check_error("concat: {into: t}", &words).starts_with("`columns` is empty"));
    }
}

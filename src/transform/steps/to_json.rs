//! Writes columns as JSON text.
//!
//! One column becomes the JSON of its value, several become an object with their names; without `columns` all columns do.
//! Lists and structs are written whole.
//!
//! ```yaml
//! - to_json: {columns: [location], into: location_json}
//! - to_json: {columns: [title, salary, tags], into: payload, skip_nulls: true}
//! ```
//!
//! There are no spaces, fields keep their order, and a timestamp is `"2020-01-31T12:30:15.250000Z"`, a date
//! `"2020-01-31"`. A fraction has the fewest digits that read as the same float64 (`0.1`, `1e-5`, `100.0`). `NaN` and
//! infinity, which JSON has not, are null, and so is null; one column that is null gives null, not the text.
//!
//! Limits: bytes cannot be written. `skip_nulls` leaves out columns that are null, not fields of structs.

use polars::prelude::{Column, DataType, Field, IntoColumn, LazyFrame, PolarsResult, Schema, StringChunked};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::Params;
use super::select::{few_or_all, named_or_all};
use super::value_text::{define_json, has_json, push_json, push_object};
use crate::transform::python::{self, Python};
use crate::transform::step::{Behaviour, check_new_name, column_type, exactly, wrong_type};
use crate::transform::{CheckError, Inputs};

/// Parameters of `to_json`.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct ToJson {
    /// Columns to write; all of them when empty.
    #[schemars(extend("x-input" = "columns"))]
    pub columns: Vec<String>,
    /// Column to write to, text.
    pub into: String,
    /// Leave columns out of the object whose value is null.
    pub skip_nulls: bool,
}

/// The JSON of every row.
fn write_rows(columns: &[Column], is_object: bool, skip_nulls: bool) -> PolarsResult<Column> {
    let n_rows = columns.iter().map(Column::len).max().unwrap_or(0);
    let mut texts = Vec::with_capacity(n_rows);
    for row in 0..n_rows {
        let values = columns
            .iter()
            .map(|column| {
                Ok((
                    column.name().as_str(),
                    column.get(if column.len() == 1 { 0 } else { row })?,
                ))
            })
            .collect::<PolarsResult<Vec<_>>>()?;
        let mut json = String::new();
        match values.as_slice() {
            [(_, value)] if !is_object => {
                if value.is_null() {
                    texts.push(None);
                    continue;
                }
                push_json(value, &mut json);
            }
            _ => {
                let fields = values
                    .into_iter()
                    .filter(|(_, value)| !(skip_nulls && value.is_null()));
                push_object(fields, &mut json);
            }
        }
        texts.push(Some(json));
    }
    Ok(texts.into_iter().collect::<StringChunked>().into_column())
}

impl Params for ToJson {
    const GROUP: &'static str = "nested";
    const REQUIRED: &'static [&'static str] = &["into"];
}

impl Behaviour for ToJson {
    fn check(&self, schema: &Schema) -> Result<Schema, CheckError> {
        for (i, column) in self.columns.iter().enumerate() {
            column_type(schema, "columns", column)?;
            if self.columns.iter().take(i).any(|before| before == column) {
                return Err(CheckError::new(
                    "columns",
                    format!("column `{column}` stands twice"),
                ));
            }
        }
        for column in named_or_all(&self.columns, schema) {
            let dtype = column_type(schema, "columns", column)?;
            if !has_json(dtype) {
                return Err(
                    wrong_type("columns", column, dtype, "a type that JSON has").hint("name other columns")
                );
            }
        }
        check_new_name("into", &self.into)?;
        let mut output = schema.clone();
        output.with_column(self.into.as_str().into(), DataType::String);
        Ok(output)
    }

    fn apply(&self, lf: LazyFrame, schema: &Schema) -> Result<LazyFrame, CheckError> {
        let mut columns = named_or_all(&self.columns, schema).into_iter().map(exactly);
        let Some(first) = columns.next() else {
            return Ok(lf);
        };
        let (is_object, skip_nulls) = (self.columns.len() != 1, self.skip_nulls);
        let json = first.map_many(
            move |columns| write_rows(columns, is_object, skip_nulls),
            &columns.collect::<Vec<_>>(),
            |_, _| Ok(Field::new("json".into(), DataType::String)),
        );
        Ok(lf.with_column(json.alias(self.into.as_str())))
    }

    fn python(&self, schema: &Schema, _: &Inputs, script: &mut Python) -> Result<(), String> {
        define_json(script);
        if let [column] = self.columns.as_slice() {
            let call = "None if x is None else json_of(x)";
            script.with_columns([(self.into.as_str(), python::each(column, call, &DataType::String))]);
            return Ok(());
        }
        let names = python::list(named_or_all(&self.columns, schema));
        let row = if self.skip_nulls {
            "{name: x for name, x in row.items() if x is not None}"
        } else {
            "row"
        };
        script.with_columns([(
            self.into.as_str(),
            format!("pl.Series([json_of({row}) for row in df.select({names}).to_dicts()], dtype=pl.String)"),
        )]);
        Ok(())
    }

    fn summary(&self) -> String {
        format!("{} → {}", few_or_all(&self.columns), self.into)
    }

    fn subject(&self) -> String {
        self.into.clone()
    }
}

#[cfg(test)]
mod tests {
    use polars::prelude::{DataFrame, IntoColumn, NamedFrom, Series, StructChunked, df};

    use super::super::testing::{check_error, run};

    fn input() -> DataFrame {
        let item = |values: &[Option<i64>]| Series::new("".into(), values);
        let list = Series::new("l".into(), [item(&[Some(1), None]), item(&[])]);
        let fields = [Series::new("x".into(), [Some("a\"b"), None]), list];
        let nested = StructChunked::from_series("s".into(), 2, fields.iter()).unwrap();
        let mut df = df!("a" => [Some("ä"), None], "f" => [0.1, f64::NAN]).unwrap();
        df.with_column(nested.into_column()).unwrap();
        df
    }

    fn json(options: &str) -> Vec<Option<String>> {
        let output = run(&format!("to_json: {{into: j{options}}}"), &input());
        let texts = output.column("j").unwrap().str().unwrap();
        texts.iter().map(|text| text.map(str::to_owned)).collect()
    }

    #[test]
    fn one_column_is_its_value_and_several_are_an_object() {
        let some = |text: &str| Some(text.to_owned());
        assert_eq!(json(", columns: [a]"), [some("\"ä\""), None]);
        assert_eq!(
            json(", columns: [s]"),
            [some(r#"{"x":"a\"b","l":[1,null]}"#), some(r#"{"x":null,"l":[]}"#)]
        );
        assert_eq!(
            json(", columns: [f, a]"),
            [some(r#"{"f":0.1,"a":"ä"}"#), some(r#"{"f":null,"a":null}"#)]
        );
        assert_eq!(
            json(", columns: [f, a], skip_nulls: true")[1],
            some(r#"{"f":null}"#)
        );
        assert!(
            json("")[0]
                .clone()
                .unwrap()
                .starts_with(r#"{"a":"ä","f":0.1,"s":{"#)
        );
    }

    #[test]
    fn no_rows_give_no_text_and_a_column_stands_once() {
        assert_eq!(run("to_json: {into: j}", &input().clear()).height(), 0);
        assert_eq!(
            check_error("to_json: {columns: [a, a], into: j}", &input()),
            "column `a` stands twice"
        );
        assert!(check_error("to_json: {columns: [b], into: j}", &input()).contains("not found"));
    }
}

//! Rows and rejects as the command line prints them.

use polars::prelude::{DataFrame, Schema};
use serde::Serialize;
use serde_json::{Map, Value};

use super::CliError;
use super::output::Output;
use crate::dataset::{Reject, dtype_name, origin, rows};

/// A column with its type in the words of a spec.
#[derive(Serialize)]
pub struct NamedType {
    pub name: String,
    pub dtype: String,
}

pub fn named_types(schema: &Schema) -> Vec<NamedType> {
    origin::without_hidden(schema)
        .iter()
        .map(|(name, dtype)| NamedType {
            name: name.to_string(),
            dtype: dtype_name(dtype),
        })
        .collect()
}

pub fn json_rows(df: &DataFrame) -> Vec<Map<String, Value>> {
    (0..df.height())
        .filter_map(|row| rows::row_to_json(df, row))
        .collect()
}

/// Widest cell of a printed table, in characters.
const MAX_CELL: usize = 40;

/// Prints rows as a table; long values are cut with an ellipsis.
pub fn print_rows(df: &DataFrame, output: &mut Output) -> Result<(), CliError> {
    let types = named_types(df.schema());
    let heading: Vec<&str> = types.iter().map(|column| column.name.as_str()).collect();
    let is_number = |dtype: &str| {
        ["int", "uint", "float"]
            .iter()
            .any(|prefix| dtype.starts_with(prefix))
    };
    let right: Vec<usize> = types
        .iter()
        .enumerate()
        .filter(|(_, c)| is_number(&c.dtype))
        .map(|(i, _)| i)
        .collect();
    let cells: Vec<Vec<String>> = json_rows(df)
        .iter()
        .map(|row| row.values().map(cell).collect())
        .collect();
    output.table(&heading, &right, &cells)
}

fn cell(value: &Value) -> String {
    let text = match value {
        Value::String(text) => text.replace(['\n', '\r', '\t'], " "),
        other => other.to_string(),
    };
    if text.chars().count() <= MAX_CELL {
        return text;
    }
    let mut cut: String = text.chars().take(MAX_CELL - 1).collect();
    cut.push('…');
    cut
}

/// Prints rejects the way a compiler prints errors: place first.
pub fn print_rejects(rejects: &[Reject], output: &mut Output) -> Result<(), CliError> {
    for reject in rejects {
        let step = reject
            .step
            .as_ref()
            .map(|step| format!("step {step}: "))
            .unwrap_or_default();
        output.line(&format!(
            "{}:{}: {step}{}",
            reject.object, reject.line, reject.message
        ))?;
    }
    Ok(())
}

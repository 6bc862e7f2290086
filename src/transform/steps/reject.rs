//! How a step sets rows aside that it cannot compute: a message in a hidden column, written for those rows only.

use polars::prelude::{
    BooleanChunked, Column, DataType, Expr, Field, IntoColumn, PolarsResult, StringChunked,
};
use schemars::JsonSchema;
use serde::de::IntoDeserializer;
use serde::{Deserialize, Deserializer, Serialize};
use serde_json::{Value, json};

use crate::dataset::origin;
use crate::transform::step::shortened;

/// What becomes of a row whose value a step cannot compute.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum OnError {
    /// The record is rejected and quarantined.
    #[default]
    Reject,
    /// The value becomes null.
    Null,
}

/// Reads a choice of which one is called `null`, so that YAML's own null is that choice too.
pub(super) fn choice_or_null<'de, D, T>(deserializer: D) -> Result<T, D::Error>
where
    D: Deserializer<'de>,
    T: Deserialize<'de>,
{
    match Option::deserialize(deserializer)? {
        Some(choice) => Ok(choice),
        None => T::deserialize("null".into_deserializer()),
    }
}

/// Lets the JSON Schema of such a choice take null as well.
pub(super) fn allow_null(schema: &mut schemars::Schema) {
    if let Some(Value::Array(choices)) = schema.get_mut("oneOf") {
        choices.push(json!({"const": null, "description": "The same as the word `null`."}));
    }
}

/// The hidden column that says ``` `abc` is no int64 ``` for rows where `failed` is true, and is null elsewhere.
pub(super) fn reject_where(failed: Expr, value: Expr, what: String) -> Expr {
    failed
        .map_many(
            move |columns| messages(columns, &what),
            &[value],
            |_, _| Ok(Field::new(origin::REJECT.into(), DataType::String)),
        )
        .alias(origin::REJECT)
}

fn messages(columns: &mut [Column], what: &str) -> PolarsResult<Column> {
    let [failed, value] = columns else {
        polars::prelude::polars_bail!(ComputeError: "a reject message needs two columns");
    };
    let failed: &BooleanChunked = failed.bool()?;
    let messages: StringChunked = failed
        .iter()
        .enumerate()
        .map(|(row, failed)| {
            (failed == Some(true)).then(|| {
                let value = value.get(row).map(|value| value.str_value().into_owned());
                format!("`{}` is no {what}", shortened(&value.unwrap_or_default(), 80))
            })
        })
        .collect();
    Ok(messages.with_name(origin::REJECT.into()).into_column())
}

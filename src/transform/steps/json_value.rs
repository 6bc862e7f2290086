//! JSON in a text column: read strictly, and taken as one of a few types.

use polars::prelude::{AnyValue, DataType};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::value_text::{define_json, define_read_json, push_parsed};
use crate::transform::python::Python;
use crate::transform::step::shortened;

/// The type that a JSON value is taken as.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum JsonType {
    /// A JSON string.
    #[default]
    String,
    /// A number without fraction or exponent that fits.
    Int64,
    /// Any number.
    Float64,
    /// `true` or `false`.
    Bool,
    /// Any value, as JSON text without spaces.
    Json,
}

impl JsonType {
    pub(super) fn dtype(self) -> DataType {
        match self {
            Self::String | Self::Json => DataType::String,
            Self::Int64 => DataType::Int64,
            Self::Float64 => DataType::Float64,
            Self::Bool => DataType::Boolean,
        }
    }

    pub(super) fn name(self) -> &'static str {
        match self {
            Self::String => "string",
            Self::Int64 => "int64",
            Self::Float64 => "float64",
            Self::Bool => "bool",
            Self::Json => "json",
        }
    }

    /// `value` as this type, null for null; otherwise why not: ``"`x` is no int64"``.
    pub(super) fn take(self, value: &Value) -> Result<AnyValue<'static>, String> {
        let taken = match (self, value) {
            (_, Value::Null) => Some(AnyValue::Null),
            (Self::String, Value::String(text)) => Some(AnyValue::StringOwned(text.as_str().into())),
            (Self::Int64, Value::Number(number)) => number.as_i64().map(AnyValue::Int64),
            (Self::Float64, Value::Number(number)) => number.as_f64().map(AnyValue::Float64),
            (Self::Bool, Value::Bool(value)) => Some(AnyValue::Boolean(*value)),
            (Self::Json, value) => {
                let mut json = String::new();
                push_parsed(value, &mut json);
                Some(AnyValue::StringOwned(json.as_str().into()))
            }
            _ => None,
        };
        taken.ok_or_else(|| format!("`{}` is no {}", shortened(&value.to_string(), 80), self.name()))
    }
}

/// The value that a text says, or why it is no JSON.
pub(super) fn read(text: &str) -> Result<Value, String> {
    serde_json::from_str(text).map_err(|error| format!("`{}` is no JSON: {error}", shortened(text, 80)))
}

/// Defines `json_path(text, path, kind, many)` in a script, with what it needs.
pub(super) fn define_python(script: &mut Python) {
    define_json(script);
    define_read_json(script);
    script.define("json_path", include_str!("python/json_path.py"));
}

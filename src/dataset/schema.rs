//! The declared schema: what a spec freezes, what the decoder enforces, and how it maps to polars types.

use polars::prelude as pl;
use serde::{Deserialize, Serialize};
use thiserror::Error;

/// The type of a declared field, in the words of a spec: `int64`, `timestamp[us, UTC]`, `list<string>`,
/// `struct<city: string, country: string>`.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub enum DataType {
    Bool,
    Int64,
    Float64,
    String,
    Date,
    /// Microseconds since the epoch, UTC.
    Timestamp,
    List(Box<DataType>),
    Struct(Vec<(String, DataType)>),
    /// Any JSON value, kept as its text.
    Json,
}

/// What a field takes besides its own type.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Accept {
    String,
    Number,
    Bool,
    /// A string that holds a number.
    NumericString,
    /// Any value, as its JSON text.
    Json,
}

/// One declared field.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Field {
    pub name: String,
    #[serde(rename = "type")]
    pub dtype: DataType,
    /// A record without it (or with null) is rejected.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub required: bool,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub accept: Vec<Accept>,
    /// strftime form of a date or timestamp; none takes ISO 8601.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub parse: Option<String>,
}

/// What to do with a record that lacks a declared field.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum OnMissing {
    #[default]
    Null,
    Quarantine,
}

/// What to do with a key that no field declares.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum OnUnknown {
    /// Count it by name and report it.
    #[default]
    Collect,
    Quarantine,
}

/// What to do with a value of another type.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum OnMismatch {
    #[default]
    Quarantine,
    Null,
}

/// The contract of a source: fields in output order, and policies for records that differ.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Schema {
    #[serde(default)]
    pub on_missing: OnMissing,
    #[serde(default)]
    pub on_unknown: OnUnknown,
    #[serde(default)]
    pub on_mismatch: OnMismatch,
    pub fields: Vec<Field>,
}

/// A type or schema that cannot be used.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum SchemaError {
    #[error("`{text}` is no type{hint}")]
    UnknownType { text: String, hint: String },
    #[error("field `{name}` is declared twice")]
    DuplicateField { name: String },
    #[error("field `{name}`: names starting with `__skewer_` are reserved")]
    ReservedName { name: String },
}

impl Schema {
    /// The polars schema of decoded rows, without hidden columns.
    pub fn to_polars(&self) -> pl::Schema {
        pl::Schema::default()
    }
}

impl TryFrom<String> for DataType {
    type Error = SchemaError;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        Err(SchemaError::UnknownType {
            text,
            hint: String::new(),
        })
    }
}

impl From<DataType> for String {
    fn from(dtype: DataType) -> Self {
        dtype_name(&pl::DataType::Null) + &format!("{dtype:?}")
    }
}

/// A polars type in the words of a spec, also for types that only Parquet has (`int32`, `uint8`, ...).
pub fn dtype_name(dtype: &pl::DataType) -> String {
    dtype.to_string()
}

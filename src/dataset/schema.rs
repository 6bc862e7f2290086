//! The declared schema: what a spec freezes, what the decoder enforces, and how it maps to polars types.
//!
//! Leaves the text form of types to [`super::typetext`].

use std::borrow::Cow;
use std::collections::HashSet;

use chrono::format::{Item, StrftimeItems};
use polars::prelude as pl;
use serde::{Deserialize, Serialize};
use thiserror::Error;

use super::origin;

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
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Field {
    pub name: String,
    #[serde(rename = "type")]
    pub dtype: DataType,
    /// A record without it (or with null) is rejected.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub required: bool,
    /// Holds for the values inside a list or struct too. A string field keeps the exact text of what it accepts; a
    /// float64 field that accepts `number` takes integers beyond 2^53, rounded.
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
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize, schemars::JsonSchema)]
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
    #[error("field {number} has no name")]
    EmptyName { number: usize },
    #[error("field `{name}`: `parse` is for date and timestamp fields, this one is `{dtype}`")]
    ParseOnOther { name: String, dtype: String },
    #[error("field `{name}`: `{parse}` is no strftime form for `{dtype}`: {reason}")]
    BadParse {
        name: String,
        parse: String,
        dtype: String,
        reason: String,
    },
    #[error("field `{name}`: a `{dtype}` field cannot accept `{accept}`; {remedy}")]
    BadAccept {
        name: String,
        dtype: String,
        accept: String,
        remedy: String,
    },
}

impl Schema {
    /// The polars schema of decoded rows, without hidden columns.
    pub fn to_polars(&self) -> pl::Schema {
        self.fields
            .iter()
            .map(|field| (field.name.as_str().into(), field.dtype.to_polars()))
            .collect()
    }

    /// Checks names, `parse` and `accept`, so that a decoder can be made.
    ///
    /// # Errors
    /// [`SchemaError`] for the first field that does not fit.
    pub fn validate(&self) -> Result<(), SchemaError> {
        let mut names = HashSet::new();
        for (i, field) in self.fields.iter().enumerate() {
            if field.name.is_empty() {
                return Err(SchemaError::EmptyName { number: i + 1 });
            }
            if origin::is_hidden(&field.name) {
                return Err(SchemaError::ReservedName {
                    name: field.name.clone(),
                });
            }
            if !names.insert(field.name.as_str()) {
                return Err(SchemaError::DuplicateField {
                    name: field.name.clone(),
                });
            }
            Field::check_members(&field.dtype, &field.name)?;
            field.check_parse()?;
            field.check_accept()?;
        }
        Ok(())
    }
}

impl Field {
    /// A field of `dtype` without further conditions.
    pub fn new(name: impl Into<String>, dtype: DataType) -> Self {
        Self {
            name: name.into(),
            dtype,
            required: false,
            accept: Vec::new(),
            parse: None,
        }
    }

    fn check_members(dtype: &DataType, path: &str) -> Result<(), SchemaError> {
        match dtype {
            DataType::List(item) => Self::check_members(item, &format!("{path}[]")),
            DataType::Struct(members) => {
                let mut names = HashSet::new();
                for (name, dtype) in members {
                    let path = format!("{path}.{name}");
                    if !names.insert(name) {
                        return Err(SchemaError::DuplicateField { name: path });
                    }
                    Self::check_members(dtype, &path)?;
                }
                Ok(())
            }
            _ => Ok(()),
        }
    }

    fn check_parse(&self) -> Result<(), SchemaError> {
        let Some(parse) = &self.parse else {
            return Ok(());
        };
        let dtype = String::from(self.dtype.clone());
        if !matches!(self.dtype, DataType::Date | DataType::Timestamp) {
            return Err(SchemaError::ParseOnOther {
                name: self.name.clone(),
                dtype,
            });
        }
        let bad = |reason: &str| SchemaError::BadParse {
            name: self.name.clone(),
            parse: parse.clone(),
            dtype: dtype.clone(),
            reason: reason.to_owned(),
        };
        let items: Vec<Item<'_>> = StrftimeItems::new(parse).collect();
        if items.iter().any(|item| matches!(item, Item::Error)) {
            return Err(bad("it has an unknown `%` code"));
        }
        if !items
            .iter()
            .any(|item| matches!(item, Item::Numeric(..) | Item::Fixed(_)))
        {
            return Err(bad("it has no `%` code, such as `%Y-%m-%d`"));
        }
        Ok(())
    }

    fn check_accept(&self) -> Result<(), SchemaError> {
        for accept in &self.accept {
            let (is_good, remedy) = match self.dtype {
                DataType::String | DataType::Json | DataType::List(_) | DataType::Struct(_) => (true, ""),
                DataType::Int64 | DataType::Float64 => (
                    matches!(accept, Accept::Number | Accept::NumericString),
                    "it can accept number and numeric_string; a string field takes anything",
                ),
                DataType::Bool => (
                    matches!(accept, Accept::Bool | Accept::String),
                    "it can accept string (`true` and `false`); a string field takes anything",
                ),
                DataType::Date | DataType::Timestamp => (
                    *accept == Accept::String || (*accept == Accept::Number && self.parse.is_some()),
                    "it can accept number together with `parse`, such as `%s`",
                ),
            };
            if !is_good {
                return Err(SchemaError::BadAccept {
                    name: self.name.clone(),
                    dtype: self.dtype.clone().into(),
                    accept: accept.word().to_owned(),
                    remedy: remedy.to_owned(),
                });
            }
        }
        Ok(())
    }
}

impl Accept {
    /// As specs write it.
    pub fn word(self) -> &'static str {
        match self {
            Self::String => "string",
            Self::Number => "number",
            Self::Bool => "bool",
            Self::NumericString => "numeric_string",
            Self::Json => "json",
        }
    }
}

impl DataType {
    /// The polars type of its decoded values. JSON values are their text.
    pub fn to_polars(&self) -> pl::DataType {
        match self {
            Self::Bool => pl::DataType::Boolean,
            Self::Int64 => pl::DataType::Int64,
            Self::Float64 => pl::DataType::Float64,
            Self::String | Self::Json => pl::DataType::String,
            Self::Date => pl::DataType::Date,
            Self::Timestamp => pl::DataType::Datetime(pl::TimeUnit::Microseconds, Some(pl::TimeZone::UTC)),
            Self::List(item) => pl::DataType::List(Box::new(item.to_polars())),
            Self::Struct(members) => pl::DataType::Struct(
                members
                    .iter()
                    .map(|(name, dtype)| pl::Field::new(name.as_str().into(), dtype.to_polars()))
                    .collect(),
            ),
        }
    }
}

impl DataType {
    /// The declared type that holds every value of a polars type; none where there is none, as for binary.
    pub fn of_polars(dtype: &pl::DataType) -> Option<Self> {
        Some(match dtype {
            pl::DataType::Boolean => Self::Bool,
            pl::DataType::Int8
            | pl::DataType::Int16
            | pl::DataType::Int32
            | pl::DataType::Int64
            | pl::DataType::UInt8
            | pl::DataType::UInt16
            | pl::DataType::UInt32 => Self::Int64,
            pl::DataType::Float32 | pl::DataType::Float64 => Self::Float64,
            pl::DataType::String => Self::String,
            pl::DataType::Date => Self::Date,
            pl::DataType::Datetime(_, zone)
                if zone.as_ref().is_none_or(|zone| *zone == pl::TimeZone::UTC) =>
            {
                Self::Timestamp
            }
            pl::DataType::List(item) => Self::List(Box::new(Self::of_polars(item)?)),
            pl::DataType::Struct(members) => {
                let members = members.iter();
                Self::Struct(
                    members
                        .map(|member| Some((member.name().to_string(), Self::of_polars(member.dtype())?)))
                        .collect::<Option<_>>()?,
                )
            }
            _ => return None,
        })
    }
}

impl schemars::JsonSchema for DataType {
    fn schema_name() -> Cow<'static, str> {
        "DataType".into()
    }

    fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
        schemars::json_schema!({
            "type": "string",
            "description": "`bool`, `int64`, `float64`, `string`, `date`, `timestamp[us, UTC]`, `json` (any value, kept \
                            as its text), `list<type>`, `struct<name: type, ...>` (odd names in backticks).",
            "examples": ["int64", "timestamp[us, UTC]", "list<string>", "struct<city: string, `post code`: string>"],
        })
    }
}

#[cfg(test)]
mod tests {
    use super::{Accept, DataType, Field, Schema, SchemaError};
    use crate::base::envelope;

    fn check(yaml: &str) -> Result<(), String> {
        let schema: Schema = envelope::from_yaml(yaml).map_err(|error| error.to_string())?;
        schema.validate().map_err(|error| error.to_string())
    }

    #[test]
    fn a_schema_as_specs_write_it_is_read_and_written_alike() {
        let yaml = r#"
on_missing: "null"
on_unknown: quarantine
fields:
  - {name: id, type: int64, required: true}
  - {name: ts, type: "timestamp[us, UTC]", parse: "%Y-%m-%dT%H:%M:%S%.f%z"}
  - {name: geo, type: "struct<lat: float64, lon: float64>"}
  - {name: note, type: string, accept: [number, bool, json]}
"#;
        let schema: Schema = envelope::from_yaml(yaml).unwrap();
        assert_eq!(schema.validate(), Ok(()));
        let again: Schema = envelope::from_yaml(&envelope::to_yaml(&schema).unwrap()).unwrap();
        assert_eq!(again, schema);
    }

    #[test]
    fn what_cannot_be_decoded_is_refused_with_its_field() {
        for (field, message) in [
            ("{name: a, type: int64}, {name: a, type: bool}", "declared twice"),
            ("{name: __skewer_line, type: int64}", "reserved"),
            ("{name: '', type: int64}", "field 1 has no name"),
            (
                "{name: a, type: int64, parse: '%Y'}",
                "`parse` is for date and timestamp",
            ),
            ("{name: a, type: date, parse: '%Q'}", "unknown `%` code"),
            ("{name: a, type: date, parse: 'today'}", "no `%` code"),
            ("{name: a, type: int64, accept: [json]}", "cannot accept `json`"),
            (
                "{name: a, type: 'struct<b: int64, b: int64>'}",
                "`a.b` is declared twice",
            ),
            ("{name: a, type: strnig}", "did you mean `string`?"),
            ("{name: a, type: string, acept: [json]}", "acept"),
        ] {
            let error = check(&format!("fields: [{field}]")).unwrap_err();
            assert!(error.contains(message), "{field}: {error}");
        }
    }

    #[test]
    fn reserved_names_and_types_reach_polars() {
        let schema = Schema {
            fields: vec![
                Field::new("a", DataType::List(Box::new(DataType::Int64))),
                Field {
                    accept: vec![Accept::Number],
                    ..Field::new("b", DataType::String)
                },
            ],
            ..Schema::default()
        };
        assert_eq!(schema.validate(), Ok(()));
        let dtypes: Vec<String> = schema
            .to_polars()
            .iter_values()
            .map(crate::dataset::dtype_name)
            .collect();
        assert_eq!(dtypes, ["list<int64>", "string"]);
        let error = SchemaError::EmptyName { number: 2 };
        assert_eq!(error.to_string(), "field 2 has no name");
    }
}

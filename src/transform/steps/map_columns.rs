//! Makes columns of the named keys of a map: a list of key and value, or JSON text of an object.
//!
//! The keys have to be named, because a plan reads no data. A key that a row's map has not gives null, and so does a null
//! map. The map itself stays; `drop` takes it away.
//!
//! ```yaml
//! - map_columns: {column: attributes, keys: [colour, size], prefix: attr_}
//! - map_columns: {column: payload, keys: [clicks, views], type: int64, on_error: null}
//! ```
//!
//! In a list each element is a struct with the fields `key` (text) and `value`, or as `key_field` and `value_field` name
//! them; the columns have the type of the value. In JSON text the values are of `type` (`string` when it is not given;
//! `json` takes any value as text); text that is no JSON object or has a value of another type rejects the record, or
//! gives null with `on_error: null`. Of equal keys the last counts.
//!
//! Limits: keys that are not named are lost with the map. All columns of JSON text are of one type; use `json_path` for
//! others.

use polars::prelude::{
    AnyValue, Column, DataType, Field, IntoColumn, IntoSeries, LazyFrame, PolarsResult, Schema, Series,
    StringChunked, StructChunked,
};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::json_value::{JsonType, define_python, read};
use super::made_fields::with_fields;
use super::reject::{allow_null, choice_or_null};
use super::{OnError, Params};
use crate::dataset::origin;
use crate::transform::python::{self, Python};
use crate::transform::step::{Behaviour, check_new_name, column_type, exactly, few, shortened, wrong_type};
use crate::transform::{CheckError, Inputs};

/// Parameters of `map_columns`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct MapColumns {
    /// Column of maps: lists of key and value, or JSON text.
    #[schemars(extend("x-input" = "column"))]
    pub column: String,
    /// Keys that become columns.
    #[schemars(length(min = 1))]
    pub keys: Vec<String>,
    /// Text before the names of the columns.
    pub prefix: String,
    /// Field of the key in a list's structs.
    pub key_field: String,
    /// Field of the value in a list's structs.
    pub value_field: String,
    /// Type of the values in JSON text.
    #[serde(rename = "type")]
    pub dtype: JsonType,
    /// What becomes of text that is no JSON object, and of a value of another type.
    #[serde(deserialize_with = "choice_or_null")]
    #[schemars(transform = allow_null)]
    pub on_error: OnError,
}

impl Default for MapColumns {
    fn default() -> Self {
        Self {
            column: String::new(),
            keys: Vec::new(),
            prefix: String::new(),
            key_field: "key".to_owned(),
            value_field: "value".to_owned(),
            dtype: JsonType::String,
            on_error: OnError::Reject,
        }
    }
}

/// Name of the field that says why a row has no values; no key can be called so, because fields are numbered.
const REASON: &str = "reason";

impl MapColumns {
    fn column_name(&self, key: &str) -> String {
        format!("{}{key}", self.prefix)
    }

    /// The type of the values, when the column is a map.
    fn value_type(&self, schema: &Schema) -> Result<DataType, CheckError> {
        let dtype = column_type(schema, "column", &self.column)?;
        let fields = match dtype {
            DataType::String => return Ok(self.dtype.dtype()),
            DataType::List(item) => match item.as_ref() {
                DataType::Struct(fields) => fields,
                _ => return Err(self.no_map(dtype)),
            },
            _ => return Err(self.no_map(dtype)),
        };
        let field = |param: &'static str, wanted: &str| {
            let names = fields.iter().map(|field| field.name().as_str());
            let found = fields.iter().find(|field| field.name() == wanted);
            found.ok_or_else(|| {
                let message = format!("the structs of `{}` have no field `{wanted}`", self.column);
                CheckError::new(param, message).hint(format!("they have {}", few(names)))
            })
        };
        let key = field("key_field", &self.key_field)?;
        if key.dtype() != &DataType::String {
            return Err(wrong_type("key_field", &self.key_field, key.dtype(), "text"));
        }
        Ok(field("value_field", &self.value_field)?.dtype().clone())
    }

    fn no_map(&self, dtype: &DataType) -> CheckError {
        wrong_type(
            "column",
            &self.column,
            dtype,
            "a list of key and value, nor JSON text",
        )
    }

    fn made_type(&self, value: &DataType) -> DataType {
        let values = (0..self.keys.len()).map(|i| Field::new(i.to_string().into(), value.clone()));
        let reason = Field::new(REASON.into(), DataType::String);
        DataType::Struct(values.chain([reason]).collect())
    }

    /// The values of a JSON object by key.
    fn values_of_object(&self, text: &str) -> Result<Vec<AnyValue<'static>>, String> {
        match read(text)? {
            Value::Object(fields) => self
                .keys
                .iter()
                .map(|key| match fields.get(key) {
                    Some(value) => self
                        .dtype
                        .take(value)
                        .map_err(|reason| format!("`{key}`: {reason}")),
                    None => Ok(AnyValue::Null),
                })
                .collect(),
            Value::Null => Ok(vec![AnyValue::Null; self.keys.len()]),
            _ => Err(format!("`{}` is no JSON object", shortened(text, 80))),
        }
    }

    /// The values of a list of key and value by key.
    fn values_of_pairs<'a>(
        &self,
        keys: &[Option<&str>],
        values: &'a Series,
    ) -> PolarsResult<Vec<AnyValue<'a>>> {
        self.keys
            .iter()
            .map(|wanted| {
                let at = keys.iter().rposition(|key| *key == Some(wanted.as_str()));
                at.map_or(Ok(AnyValue::Null), |at| values.get(at))
            })
            .collect()
    }

    /// A struct of the values of each key, and of the reasons why there are none.
    fn make(&self, maps: &Column, value: &DataType) -> PolarsResult<Column> {
        let n_rows = maps.len();
        let mut columns: Vec<Vec<AnyValue<'static>>> = vec![Vec::with_capacity(n_rows); self.keys.len()];
        let mut reasons: Vec<Option<String>> = Vec::with_capacity(n_rows);
        let mut push = |found: Option<Result<Vec<AnyValue<'static>>, String>>| {
            let (values, reason) = match found {
                None => (Vec::new(), None),
                Some(Ok(values)) => (values, None),
                Some(Err(reason)) => (Vec::new(), Some(reason)),
            };
            let mut values = values.into_iter();
            for column in &mut columns {
                column.push(values.next().unwrap_or(AnyValue::Null));
            }
            reasons.push(reason);
        };
        if let Ok(texts) = maps.str() {
            for text in texts.iter() {
                push(text.map(|text| self.values_of_object(text)));
            }
        } else {
            for pairs in maps.list()?.amortized_iter() {
                let Some(pairs) = pairs else {
                    push(None);
                    continue;
                };
                let pairs = pairs.as_ref().struct_()?;
                let keys = pairs.field_by_name(&self.key_field)?;
                let keys: Vec<Option<&str>> = keys.str()?.iter().collect();
                let values = pairs.field_by_name(&self.value_field)?;
                let found = self.values_of_pairs(&keys, &values)?;
                push(Some(Ok(found.into_iter().map(AnyValue::into_static).collect())));
            }
        }
        let mut fields = Vec::with_capacity(columns.len() + 1);
        for (i, values) in columns.iter().enumerate() {
            fields.push(Series::from_any_values_and_dtype(
                i.to_string().into(),
                values,
                value,
                true,
            )?);
        }
        let reasons: StringChunked = reasons.into_iter().collect();
        fields.push(reasons.with_name(REASON.into()).into_series());
        let made = StructChunked::from_series(maps.name().clone(), n_rows, fields.iter())?;
        Ok(made.into_column())
    }
}

impl Params for MapColumns {
    const GROUP: &'static str = "nested";
    const REQUIRED: &'static [&'static str] = &["column", "keys"];
}

impl Behaviour for MapColumns {
    fn check(&self, schema: &Schema) -> Result<Schema, CheckError> {
        let value = self.value_type(schema)?;
        if self.keys.is_empty() {
            return Err(CheckError::new("keys", "`keys` is empty")
                .hint("name the keys that become columns; a plan reads no data to find them"));
        }
        let mut output = schema.clone();
        for (i, key) in self.keys.iter().enumerate() {
            let name = self.column_name(key);
            check_new_name("keys", &name)?;
            if self.keys.iter().take(i).any(|before| before == key) {
                return Err(CheckError::new("keys", format!("key `{key}` stands twice")));
            }
            if name == self.column {
                let message = format!("key `{key}` would replace the map itself");
                return Err(CheckError::new("keys", message).hint("set a `prefix`"));
            }
            output.with_column(name.as_str().into(), value.clone());
        }
        Ok(output)
    }

    fn apply(&self, lf: LazyFrame, schema: &Schema) -> Result<LazyFrame, CheckError> {
        let value = self.value_type(schema)?;
        let (params, dtype) = (self.clone(), self.made_type(&value));
        let made = exactly(self.column.as_str()).map(
            move |maps| params.make(&maps, &value),
            move |_, field| Ok(Field::new(field.name().clone(), dtype.clone())),
        );
        let names: Vec<(String, String)> = self
            .keys
            .iter()
            .enumerate()
            .map(|(i, key)| (i.to_string(), self.column_name(key)))
            .collect();
        let mut fields: Vec<(&str, &str)> = names
            .iter()
            .map(|(field, name)| (field.as_str(), name.as_str()))
            .collect();
        if self.may_reject() {
            fields.push((REASON, origin::REJECT));
        }
        Ok(with_fields(lf, made, fields))
    }

    fn python(&self, schema: &Schema, _: &Inputs, script: &mut Python) -> Result<(), String> {
        let dtype = python::dtype(&self.value_type(schema).map_err(|error| error.to_string())?);
        let column = python::quoted(&self.column);
        if schema.get(&self.column) == Some(&DataType::String) {
            define_python(script);
            script.define("json_map", include_str!("python/json_map.py"));
            script.line(format!(
                "read = [json_map(x, {}, \"{}\") for x in df[{column}].to_list()]",
                python::list(self.keys.iter().map(String::as_str)),
                self.dtype.name(),
            ));
        } else {
            let (key, value) = (python::quoted(&self.key_field), python::quoted(&self.value_field));
            script.line(format!(
                "read = [(True, {{pair[{key}]: pair[{value}] for pair in x or [] if pair}}) for x in df[{column}].to_list()]"
            ));
        }
        let columns: Vec<(String, String)> = self
            .keys
            .iter()
            .map(|key| {
                let values = format!("[values.get({}) for _, values in read]", python::quoted(key));
                (
                    self.column_name(key),
                    format!("pl.Series({values}, dtype={dtype})"),
                )
            })
            .collect();
        script.with_columns(
            columns
                .iter()
                .map(|(name, values)| (name.as_str(), values.clone())),
        );
        if self.may_reject() {
            script.line("df = df.filter(pl.Series([is_good for is_good, _ in read], dtype=pl.Boolean))");
        }
        Ok(())
    }

    fn summary(&self) -> String {
        format!("{}: {}", self.column, few(self.keys.iter().map(String::as_str)))
    }

    fn subject(&self) -> String {
        self.column.clone()
    }

    fn column(&self) -> Option<&str> {
        Some(&self.column)
    }

    fn may_reject(&self) -> bool {
        self.on_error == OnError::Reject
    }
}

#[cfg(test)]
mod tests {
    use polars::prelude::{
        DataFrame, IntoColumn, IntoSeries, ListChunked, NamedFrom, Series, StructChunked, df,
    };

    use super::super::testing::{check_error, outcome, run};

    fn pairs(keys: &[Option<&str>], values: &[Option<i64>]) -> Series {
        let fields = [
            Series::new("key".into(), keys),
            Series::new("value".into(), values),
        ];
        StructChunked::from_series("".into(), keys.len(), fields.iter())
            .unwrap()
            .into_series()
    }

    fn lists() -> DataFrame {
        let lists: ListChunked = [
            Some(pairs(
                &[Some("a"), Some("b"), Some("a"), None],
                &[Some(1), Some(2), Some(3), Some(4)],
            )),
            Some(pairs(&[], &[])),
            None,
        ]
        .into_iter()
        .collect();
        DataFrame::new_infer_height(vec![lists.with_name("m".into()).into_column()]).unwrap()
    }

    #[test]
    fn named_keys_of_a_list_become_columns_and_the_last_of_equal_keys_counts() {
        let output = run("map_columns: {column: m, keys: [a, c], prefix: m_}", &lists());
        let expected = df!("m_a" => [Some(3i64), None, None], "m_c" => [None::<i64>, None, None]).unwrap();
        assert_eq!(output.drop("m").unwrap(), expected);
        assert_eq!(
            run("map_columns: {column: m, keys: [a]}", &lists().clear()).height(),
            0
        );
    }

    #[test]
    fn named_keys_of_json_become_columns_of_one_type() {
        let input = df!("j" => [Some(r#"{"a": 1, "b": "x"}"#), Some("{}"), None, Some("null")]).unwrap();
        let output = run("map_columns: {column: j, keys: [a], type: int64}", &input);
        let expected = df!("a" => [Some(1i64), None, None, None]).unwrap();
        assert_eq!(output.drop("j").unwrap(), expected);
        let output = run("map_columns: {column: j, keys: [a, b], type: json}", &input);
        assert_eq!(output.column("b").unwrap().str().unwrap().get(0), Some("\"x\""));
    }

    #[test]
    fn a_text_that_is_no_map_is_rejected_or_null() {
        let input = df!("j" => [r#"{"a": 1}"#, "[1]", "{", r#"{"a": "x"}"#]).unwrap();
        let strict = outcome("map_columns: {column: j, keys: [a], type: int64}", &input);
        let reasons: Vec<&str> = strict
            .rejects
            .iter()
            .map(|reject| reject.message.as_str())
            .collect();
        assert_eq!(strict.df.height(), 1);
        assert_eq!(
            (reasons[0], reasons[2]),
            ("`[1]` is no JSON object", "`a`: `\"x\"` is no int64")
        );
        let lenient = run(
            "map_columns: {column: j, keys: [a], type: int64, on_error: null}",
            &input,
        );
        assert_eq!(lenient.column("a").unwrap().null_count(), 3);
    }

    #[test]
    fn what_is_no_map_does_not_check() {
        let input = df!("n" => [1i64]).unwrap();
        assert_eq!(
            check_error("map_columns: {column: n, keys: [a]}", &input),
            "column `n` is int64, not a list of key and value, nor JSON text"
        );
        for (options, message) in [
            (
                "keys: []",
                "`keys` is empty: name the keys that become columns; a plan reads no data to find them",
            ),
            ("keys: [a, a]", "key `a` stands twice"),
            (
                "keys: [m]",
                "key `m` would replace the map itself: set a `prefix`",
            ),
            (
                "keys: [a], key_field: k",
                "the structs of `m` have no field `k`: they have key, value",
            ),
            ("keys: [a], key_field: value", "column `value` is int64, not text"),
        ] {
            assert_eq!(
                check_error(&format!("map_columns: {{column: m, {options}}}"), &lists()),
                message
            );
        }
    }
}

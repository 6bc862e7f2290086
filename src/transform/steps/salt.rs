//! Gives the rows of hot keys salts, so that a shuffle by key and salt spreads them.
//!
//! Use it where a few keys hold most rows and one task would get all of them: group or join by the key and the salt. The
//! salts of each key are listed in `keys`, as `skewer skew --by` proposes them: those whose Spark hash together with the key
//! leads to partitions of their own. Which of them a row gets depends on its values in `by` alone (all columns when there
//! are none): the same in every preview, run and run again. Rows of all other keys get 0.
//!
//! ```yaml
//! - salt:
//!     columns: [country]
//!     into: salt
//!     keys:
//!       - {key: [US], salts: [0, 1, 3, 4]}
//!       - {key: [null], salts: [0, 2]}
//! ```
//!
//! The salt is int32, as `int` in Spark. It is the one at the XXH3 hash (64 bits) of the canonical bytes of the values, which
//! `row_hash` documents, modulo the number of salts. In `keys` a date is written as `2020-01-31`, a timestamp in ISO 8601,
//! and of floats `NaN`, `inf` and `-inf` as text.
//!
//! Limits: the salts hold for one number of partitions, this order of columns and their types. Rows that agree in all of
//! `by` share a salt. The other side of a join has to repeat the rows of a hot key once for each of its salts.

use std::collections::HashMap;
use std::sync::Arc;

use chrono::{DateTime, NaiveDate, NaiveDateTime};
use polars::prelude::{
    Column, DataType, Expr, Field, Int32Chunked, IntoColumn, LazyFrame, NamedFrom, PolarsResult, Schema,
    Series, TimeUnit,
};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use xxhash_rust::xxh3::xxh3_64;

use super::Params;
use super::row_bytes::{define_python, for_each_row};
use super::row_hash::check_columns;
use super::select::named_or_all;
use crate::base::units;
use crate::transform::python::{self, Python};
use crate::transform::step::{Behaviour, check_new_name, column_type, exactly, few, type_name};
use crate::transform::{CheckError, Inputs};

/// Parameters of `salt`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Salt {
    /// Columns whose values are the key, in the order in which rows are shuffled by them.
    #[schemars(extend("x-input" = "columns"), length(min = 1))]
    pub columns: Vec<String>,
    /// Column to write.
    pub into: String,
    /// Hot keys with their salts.
    pub keys: Vec<KeySalts>,
    /// Columns whose values choose among a key's salts; all of them when empty.
    #[schemars(extend("x-input" = "columns"))]
    pub by: Vec<String>,
}

impl Default for Salt {
    fn default() -> Self {
        Self {
            columns: Vec::new(),
            into: "salt".to_owned(),
            keys: Vec::new(),
            by: Vec::new(),
        }
    }
}

/// A hot key and the salts that its rows get.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct KeySalts {
    /// One value for each of `columns`.
    pub key: Vec<Value>,
    /// At least one.
    #[schemars(length(min = 1))]
    pub salts: Vec<i32>,
}

/// Salts by the canonical bytes of their key.
type Salts = HashMap<Vec<u8>, Vec<i32>>;

impl Salt {
    fn dtypes<'a>(&self, schema: &'a Schema) -> Result<Vec<&'a DataType>, CheckError> {
        let columns = self.columns.iter();
        columns
            .map(|column| column_type(schema, "columns", column))
            .collect()
    }

    fn salts(&self, schema: &Schema) -> Result<Salts, CheckError> {
        let dtypes = self.dtypes(schema)?;
        let mut salts = Salts::with_capacity(self.keys.len());
        for (entry, number) in self.keys.iter().zip(1..) {
            let wrong = |message: String| CheckError::new("keys", format!("key {number}: {message}"));
            if entry.key.len() != dtypes.len() {
                return Err(wrong(format!(
                    "{} for {}",
                    units::plural(entry.key.len() as u64, "value"),
                    units::plural(dtypes.len() as u64, "column")
                ))
                .hint("write one value for each of `columns`"));
            }
            if entry.salts.is_empty() {
                return Err(wrong("it has no salts".to_owned()).hint("write at least one number"));
            }
            let values = entry
                .key
                .iter()
                .zip(&dtypes)
                .map(|(value, dtype)| {
                    one_value(value, dtype)
                        .ok_or_else(|| wrong(format!("`{}` is no {}", shown(value), type_name(dtype))))
                })
                .collect::<Result<Vec<Column>, CheckError>>()?;
            let mut bytes = Vec::new();
            for_each_row(&values, |key| bytes = key.to_vec()).map_err(|error| wrong(error.to_string()))?;
            if salts.insert(bytes, entry.salts.clone()).is_some() {
                return Err(wrong("it is listed twice".to_owned()));
            }
        }
        Ok(salts)
    }
}

fn shown(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        other => other.to_string(),
    }
}

/// A column of one value of `dtype`, as it is written in a recipe; none when it is of another type.
fn one_value(value: &Value, dtype: &DataType) -> Option<Column> {
    let series = match (dtype, value) {
        (_, Value::Null) => Series::new_null("key".into(), 1),
        (DataType::String, Value::String(text)) => Series::new("key".into(), [text.as_str()]),
        (DataType::Boolean, Value::Bool(value)) => Series::new("key".into(), [*value]),
        (DataType::Float32 | DataType::Float64, Value::Number(number)) => {
            Series::new("key".into(), [number.as_f64()?])
        }
        (DataType::Float32 | DataType::Float64, Value::String(text)) => {
            Series::new("key".into(), [not_finite(text)?])
        }
        (DataType::Date, Value::String(text)) => Series::new("key".into(), [days(text)?])
            .cast(&DataType::Date)
            .ok()?,
        (DataType::Datetime(_, zone), Value::String(text)) => Series::new("key".into(), [micros(text)?])
            .cast(&DataType::Datetime(TimeUnit::Microseconds, zone.clone()))
            .ok()?,
        (dtype, Value::Number(number)) if dtype.is_integer() => match number.as_i64() {
            Some(n) => Series::new("key".into(), [n]),
            None => Series::new("key".into(), [number.as_u64()?]),
        },
        _ => return None,
    };
    Some(series.into_column())
}

/// NaN and the infinities, which JSON has no numbers for.
fn not_finite(text: &str) -> Option<f64> {
    text.parse().ok().filter(|number: &f64| !number.is_finite())
}

/// Days since 1970.
fn days(text: &str) -> Option<i32> {
    let day: NaiveDate = text.parse().ok()?;
    i32::try_from(day.signed_duration_since(NaiveDate::default()).num_days()).ok()
}

/// Microseconds since 1970; without an offset in UTC.
fn micros(text: &str) -> Option<i64> {
    if let Ok(at) = DateTime::parse_from_rfc3339(text) {
        return Some(at.timestamp_micros());
    }
    let at: NaiveDateTime = text.replacen(' ', "T", 1).parse().ok()?;
    Some(at.and_utc().timestamp_micros())
}

/// The salt of each row: `columns` are the `n_key` columns of the key, then those that choose.
fn salt(columns: &[Column], n_key: usize, salts: &Salts) -> PolarsResult<Column> {
    let (key, by) = columns.split_at(n_key.min(columns.len()));
    let mut of_rows: Vec<Option<&[i32]>> = Vec::with_capacity(columns.first().map_or(0, Column::len));
    for_each_row(key, |key| of_rows.push(salts.get(key).map(Vec::as_slice)))?;
    let mut chosen: Vec<i32> = Vec::with_capacity(of_rows.len());
    for_each_row(by, |row| {
        let of_row = of_rows.get(chosen.len()).copied().flatten();
        chosen.push(of_row.and_then(|salts| choose(salts, row)).unwrap_or(0));
    })?;
    Ok(Int32Chunked::from_vec("salt".into(), chosen).into_column())
}

fn choose(salts: &[i32], row: &[u8]) -> Option<i32> {
    let at = xxh3_64(row).checked_rem(salts.len() as u64)?;
    salts.get(usize::try_from(at).ok()?).copied()
}

/// A value of a key as Python writes it, so that `row_bytes` gives the same bytes.
fn python_value(value: &Value, dtype: &DataType) -> String {
    match (dtype, value) {
        (DataType::Float32 | DataType::Float64, Value::Number(number)) => {
            python::float(number.as_f64().unwrap_or(f64::NAN))
        }
        (DataType::Float32 | DataType::Float64, Value::String(text)) => {
            python::float(not_finite(text).unwrap_or(f64::NAN))
        }
        (DataType::Date, Value::String(text)) => {
            format!("datetime.date.fromisoformat({})", python::quoted(text))
        }
        (DataType::Datetime(_, zone), Value::String(text)) => {
            let micros = micros(text).unwrap_or_default();
            let zone = if zone.is_some() {
                ", tzinfo=datetime.timezone.utc"
            } else {
                ""
            };
            format!("datetime.datetime(1970, 1, 1{zone}) + datetime.timedelta(microseconds={micros})")
        }
        _ => python::literal(value),
    }
}

impl Params for Salt {
    const GROUP: &'static str = "columns";
    const REQUIRED: &'static [&'static str] = &["columns", "keys"];
}

impl Behaviour for Salt {
    fn check(&self, schema: &Schema) -> Result<Schema, CheckError> {
        if self.columns.is_empty() {
            return Err(
                CheckError::new("columns", "`columns` is empty").hint("choose the columns of the key")
            );
        }
        check_columns(schema, self.columns.iter().map(String::as_str))?;
        check_columns(schema, named_or_all(&self.by, schema))?;
        check_new_name("into", &self.into)?;
        self.salts(schema)?;
        let mut output = schema.clone();
        output.with_column(self.into.as_str().into(), DataType::Int32);
        Ok(output)
    }

    fn apply(&self, lf: LazyFrame, schema: &Schema) -> Result<LazyFrame, CheckError> {
        let salts = Arc::new(self.salts(schema)?);
        let n_key = self.columns.len();
        let names = self.columns.iter().map(String::as_str);
        let columns: Vec<Expr> = names.chain(named_or_all(&self.by, schema)).map(exactly).collect();
        let Some((first, others)) = columns.split_first() else {
            return Ok(lf);
        };
        let salted = first.clone().map_many(
            move |columns| salt(columns, n_key, &salts),
            others,
            |_, _| Ok(Field::new("salt".into(), DataType::Int32)),
        );
        Ok(lf.with_column(salted.alias(self.into.as_str())))
    }

    fn python(&self, schema: &Schema, _: &Inputs, script: &mut Python) -> Result<(), String> {
        define_python(script);
        script.define("xxh3_64", include_str!("python/xxh3.py"));
        script.define("salt", include_str!("python/salt.py"));
        let dtypes = self.dtypes(schema).map_err(|error| error.to_string())?;
        let keys: Vec<String> = self
            .keys
            .iter()
            .map(|entry| {
                let values: Vec<String> = entry
                    .key
                    .iter()
                    .zip(&dtypes)
                    .map(|(value, dtype)| python_value(value, dtype))
                    .collect();
                format!("([{}], {:?})", values.join(", "), entry.salts)
            })
            .collect();
        let key = python::list(self.columns.iter().map(String::as_str));
        let by = python::list(named_or_all(&self.by, schema));
        script.line(format!(
            "salts = {{b\"\".join(map(row_bytes, key)): salts for key, salts in [{}]}}",
            keys.join(", ")
        ));
        script.with_columns([(
            self.into.as_str(),
            format!(
                "pl.Series([salt(salts, key, row) for key, row in zip(df.select({key}).rows(), df.select({by}).rows())], \
                 dtype=pl.Int32)"
            ),
        )]);
        Ok(())
    }

    fn summary(&self) -> String {
        let n_keys = units::plural(self.keys.len() as u64, "hot key");
        format!(
            "{} → {}: {n_keys}",
            few(self.columns.iter().map(String::as_str)),
            self.into
        )
    }

    fn subject(&self) -> String {
        few(self.columns.iter().map(String::as_str))
    }
}

#[cfg(test)]
mod tests {
    use polars::prelude::{DataFrame, DataType, df};

    use super::super::testing::{check_error, run, times};

    fn salts(yaml: &str, input: &DataFrame) -> Vec<i32> {
        run(yaml, input)
            .column("salt")
            .unwrap()
            .i32()
            .unwrap()
            .iter()
            .flatten()
            .collect()
    }

    const HOT: &str =
        "salt: {columns: [c], keys: [{key: [US], salts: [2, 5, 9]}, {key: [null], salts: [1]}]}";

    fn rows(n: i64) -> DataFrame {
        let countries = (0..n).map(|i| match i % 4 {
            0 | 1 => Some("US"),
            2 => None,
            _ => Some("DE"),
        });
        df!("c" => countries.collect::<Vec<_>>(), "id" => (0..n).collect::<Vec<_>>()).unwrap()
    }

    #[test]
    fn rows_of_a_hot_key_are_spread_over_its_salts_and_others_get_zero() {
        let found = salts(HOT, &rows(4000));
        let mut counts = std::collections::BTreeMap::new();
        for (salt, row) in found.iter().zip(0_i64..) {
            *counts.entry((row % 4, *salt)).or_insert(0) += 1;
        }
        let keys: Vec<(i64, i32)> = counts.keys().copied().collect();
        assert_eq!(
            keys,
            [(0, 2), (0, 5), (0, 9), (1, 2), (1, 5), (1, 9), (2, 1), (3, 0)]
        );
        for ((key, _), n) in &counts {
            if *key < 2 {
                assert!((280..390).contains(n), "{counts:?}");
            }
        }
    }

    #[test]
    fn a_row_s_salt_is_the_same_in_every_batch_and_version() {
        let all = salts(HOT, &rows(400));
        assert_eq!(salts(HOT, &rows(400).slice(101, 37)), all[101..138]);
        assert_eq!(all[..8], GOLDEN);
        let by_key = HOT.replace("columns: [c],", "columns: [c], by: [c],");
        let mut found = salts(&by_key, &rows(40));
        found.sort_unstable();
        found.dedup();
        assert_eq!(found.len(), 3, "rows that agree in `by` share a salt");
    }

    /// A changed value here moves the rows of every salted table.
    const GOLDEN: [i32; 8] = [2, 5, 1, 0, 2, 5, 1, 0];

    #[test]
    fn keys_of_every_type_are_found_by_their_value() {
        let df = df!("i" => [7_i32, 8], "f" => [0.5_f32, 1.0], "b" => [true, false], "u" => [u64::MAX, 1])
            .unwrap();
        for (column, value) in [
            ("i", "7"),
            ("f", "0.5"),
            ("b", "true"),
            ("u", "18446744073709551615"),
        ] {
            let yaml = format!("salt: {{columns: [{column}], keys: [{{key: [{value}], salts: [3]}}]}}");
            assert_eq!(salts(&yaml, &df), [3, 0], "{column}");
        }
        let mut at = times("t", &[Some("2020-01-31T12:00:00Z"), Some("2020-02-01T00:00:00Z")]);
        let day = at
            .column("t")
            .unwrap()
            .cast(&DataType::Date)
            .unwrap()
            .with_name("d".into());
        at.with_column(day).unwrap();
        for (column, value) in [("t", "'2020-01-31T13:00:00+01:00'"), ("d", "'2020-01-31'")] {
            let yaml = format!("salt: {{columns: [{column}], keys: [{{key: [{value}], salts: [3]}}]}}");
            assert_eq!(salts(&yaml, &at), [3, 0], "{column}");
        }
        let yaml = "salt: {columns: [i, b], into: salt, keys: [{key: [8, false], salts: [4]}]}";
        assert_eq!(salts(yaml, &df), [0, 4]);
    }

    #[test]
    fn keys_that_do_not_fit_their_columns_do_not_check() {
        let df = df!("n" => [1_i64], "t" => ["a"]).unwrap();
        for (keys, expected) in [
            ("[{key: [a], salts: [1]}]", "key 1: `a` is no int64"),
            ("[{key: [1.5], salts: [1]}]", "key 1: `1.5` is no int64"),
            (
                "[{key: [1, 2], salts: [1]}]",
                "key 1: 2 values for 1 column: write one value",
            ),
            ("[{key: [1], salts: []}]", "key 1: it has no salts"),
            (
                "[{key: [1], salts: [1]}, {key: [1], salts: [2]}]",
                "key 2: it is listed twice",
            ),
        ] {
            let error = check_error(&format!("salt: {{columns: [n], keys: {keys}}}"), &df);
            assert!(error.contains(expected), "{error}");
        }
        assert!(check_error("salt: {keys: []}", &df).starts_with("`columns` is empty"));
        assert!(check_error("salt: {columns: [m], keys: []}", &df).contains("not found"));
    }

    #[test]
    fn no_rows_and_no_hot_keys_are_fine() {
        assert!(salts(HOT, &rows(0)).is_empty());
        assert_eq!(salts("salt: {columns: [c], keys: []}", &rows(3)), [0, 0, 0]);
    }
}

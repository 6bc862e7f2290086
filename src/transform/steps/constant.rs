//! Adds a column that has one value in every row.
//!
//! ```yaml
//! - constant: {into: source, value: job_board}
//! - constant: {into: valid_from, value: 2020-01-31, type: date}
//! ```
//!
//! Without `type` the type follows from the value as it is written: `true` bool, `1` int64, `1.5` float64, otherwise
//! string. With `type` the value is written as that type wants it; `value: null` with a `type` makes a column of nulls.
//!
//! Limits: plain values only. For a value that is computed use `derive`.

use polars::prelude::{DataType, LazyFrame, Scalar, Schema, lit};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::Params;
use super::cast::CastType;
use super::fill_null::FillValue;
use crate::transform::python::{self, Python};
use crate::transform::step::{Behaviour, check_new_name, type_name};
use crate::transform::{CheckError, Inputs};

/// Parameters of `constant`.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Constant {
    /// Column to write.
    pub into: String,
    /// The value of every row.
    pub value: FillValue,
    /// Type of the column; as the value is written when it is not given.
    #[serde(rename = "type")]
    pub dtype: Option<CastType>,
}

impl Constant {
    fn dtype(&self) -> Result<DataType, CheckError> {
        match (self.dtype, &self.value) {
            (Some(dtype), _) => Ok(dtype.dtype()),
            (None, FillValue::Bool(_)) => Ok(DataType::Boolean),
            (None, FillValue::Int(_)) => Ok(DataType::Int64),
            (None, FillValue::Float(_)) => Ok(DataType::Float64),
            (None, FillValue::Text(_)) => Ok(DataType::String),
            (None, FillValue::None) => Err(CheckError::new("value", "`value` is empty")
                .hint("write a value, or a `type` for a column of nulls")),
        }
    }

    fn scalar(&self) -> Result<Scalar, CheckError> {
        let dtype = self.dtype()?;
        if self.value == FillValue::None {
            return Ok(Scalar::null(dtype));
        }
        self.value.scalar(&dtype).ok_or_else(|| {
            let message = format!("`{}` is no {}", self.value, type_name(&dtype));
            CheckError::new("value", message).hint("write a value of that type, or another `type`")
        })
    }
}

impl Params for Constant {
    const GROUP: &'static str = "columns";
    const REQUIRED: &'static [&'static str] = &["into", "value"];
}

impl Behaviour for Constant {
    fn check(&self, schema: &Schema) -> Result<Schema, CheckError> {
        check_new_name("into", &self.into)?;
        self.scalar()?;
        let mut output = schema.clone();
        output.with_column(self.into.as_str().into(), self.dtype()?);
        Ok(output)
    }

    fn apply(&self, lf: LazyFrame, _: &Schema) -> Result<LazyFrame, CheckError> {
        let value = lit(self.scalar()?).cast(self.dtype()?);
        Ok(lf.with_column(value.alias(self.into.as_str())))
    }

    fn python(&self, _: &Schema, _: &Inputs, script: &mut Python) -> Result<(), String> {
        let scalar = self.scalar().map_err(|error| error.to_string())?;
        let dtype = self.dtype().map_err(|error| error.to_string())?;
        let value = match (&self.value, scalar.into_value().extract::<i64>()) {
            (FillValue::None, _) => "None".to_owned(),
            (FillValue::Text(text), None) => python::quoted(text),
            (FillValue::Text(_), Some(number)) => number.to_string(),
            (FillValue::Int(number), _) => number.to_string(),
            (FillValue::Bool(value), _) => python::literal(&(*value).into()),
            (FillValue::Float(value), _) => python::float(*value),
        };
        let value = format!("pl.lit({value}).cast({})", python::dtype(&dtype));
        script.with_columns([(self.into.as_str(), value)]);
        Ok(())
    }

    fn summary(&self) -> String {
        format!("{} = {}", self.into, self.value)
    }

    fn subject(&self) -> String {
        self.into.clone()
    }
}

#[cfg(test)]
mod tests {
    use polars::prelude::{AnyValue, DataType, df};

    use super::super::testing::{check_error, run};

    #[test]
    fn the_type_follows_from_the_value_or_is_said() {
        let input = df!("a" => [1i64, 2]).unwrap();
        for (options, dtype, expected) in [
            ("value: x", DataType::String, "x"),
            ("value: '7'", DataType::String, "7"),
            ("value: 7", DataType::Int64, "7"),
            ("value: 7.5", DataType::Float64, "7.5"),
            ("value: true", DataType::Boolean, "true"),
            ("value: 7, type: int8", DataType::Int8, "7"),
            ("value: 7, type: float32", DataType::Float32, "7.0"),
            ("value: 2020-01-31, type: date", DataType::Date, "2020-01-31"),
            ("value: null, type: string", DataType::String, "null"),
        ] {
            let output = run(&format!("constant: {{into: c, {options}}}"), &input);
            let column = output.column("c").unwrap();
            assert_eq!((column.dtype(), column.len()), (&dtype, 2), "{options}");
            assert_eq!(column.get(1).unwrap().str_value(), expected, "{options}");
        }
    }

    #[test]
    fn a_timestamp_is_taken_in_utc_and_an_empty_frame_stays_empty() {
        let input = df!("a" => [1i64]).unwrap();
        let yaml = "constant: {into: a, value: '1970-01-01T01:00:00+01:00', type: timestamp}";
        let output = run(yaml, &input);
        let micros = output.column("a").unwrap().cast(&DataType::Int64).unwrap();
        assert_eq!(micros.get(0).unwrap(), AnyValue::Int64(0));
        assert_eq!(run(yaml, &input.clear()).height(), 0);
    }

    #[test]
    fn a_value_of_another_type_does_not_check() {
        let input = df!("a" => [1i64]).unwrap();
        assert_eq!(
            check_error("constant: {into: c, value: abc, type: int64}", &input),
            "`'abc'` is no int64: write a value of that type, or another `type`"
        );
        assert!(check_error("constant: {into: c}", &input).starts_with("`value` is empty"));
        assert_eq!(
            check_error("constant: {value: 1}", &input),
            "a column has no name: write a name"
        );
        assert!(check_error("constant: {into: c, value: 300, type: int8}", &input).contains("is no int8"));
    }
}

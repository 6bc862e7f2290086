//! The contract of the table: its columns, their Parquet types, which can be null, and what other readers make of them.

use polars::prelude::{DataType, Schema, TimeUnit};
use serde::Serialize;

use super::JobError;
use crate::dataset::{self, dtype_name};
use crate::transform::Plan;

/// One column of the table, as its readers will find it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ContractColumn {
    pub name: String,
    /// In the words of a spec.
    pub dtype: String,
    /// Parquet's logical type.
    pub parquet: String,
    /// Whether a row may lack it.
    pub nullable: bool,
    /// Why no row lacks it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub never_null: Option<String>,
    /// What other readers would not read as the same values, with a remedy.
    pub problem: Option<String>,
    /// Whether no job may write it.
    pub is_refused: bool,
}

/// The columns that `plan` makes of records of `schema`. A column is nullable unless its steps are known to keep it.
pub fn contract(schema: &dataset::Schema, plan: &Plan) -> Vec<ContractColumn> {
    let required = schema.fields.iter().filter(|field| field.required);
    let required = required.map(|field| (field.name.clone(), "the source requires it".to_owned()));
    let mut never_null = plan.never_null(required.collect());
    let columns = plan.output().iter().map(|(name, dtype)| {
        let mut warnings = Vec::new();
        let refusal = check_type(name, dtype, &mut warnings).err();
        let why = never_null.remove(name.as_str());
        ContractColumn {
            name: name.to_string(),
            dtype: dtype_name(dtype),
            parquet: parquet_type(dtype),
            nullable: why.is_none(),
            never_null: why,
            is_refused: refusal.is_some(),
            problem: refusal
                .map(|refusal| refusal.to_string())
                .or_else(|| (!warnings.is_empty()).then(|| warnings.join("; "))),
        }
    });
    columns.collect()
}

/// The logical type that Parquet has for values of `dtype`, in words.
fn parquet_type(dtype: &DataType) -> String {
    let int = |bits: u8, sign: &str| format!("INTEGER({bits}, {sign})");
    match dtype {
        DataType::Boolean => "BOOLEAN".to_owned(),
        DataType::Int8 => int(8, "signed"),
        DataType::Int16 => int(16, "signed"),
        DataType::Int32 => int(32, "signed"),
        DataType::Int64 => int(64, "signed"),
        DataType::UInt8 => int(8, "unsigned"),
        DataType::UInt16 => int(16, "unsigned"),
        DataType::UInt32 => int(32, "unsigned"),
        DataType::UInt64 => int(64, "unsigned"),
        DataType::Float32 => "FLOAT".to_owned(),
        DataType::Float64 => "DOUBLE".to_owned(),
        DataType::String => "STRING".to_owned(),
        DataType::Binary => "BYTE_ARRAY".to_owned(),
        DataType::Date => "DATE".to_owned(),
        DataType::Datetime(unit, zone) => {
            let unit = match unit {
                TimeUnit::Nanoseconds => "nanoseconds",
                TimeUnit::Microseconds => "microseconds",
                TimeUnit::Milliseconds => "milliseconds",
            };
            let utc = if zone.is_some() { "UTC" } else { "no zone" };
            format!("TIMESTAMP({unit}, {utc})")
        }
        DataType::List(item) => format!("LIST of {}", parquet_type(item)),
        DataType::Struct(fields) => {
            let fields: Vec<String> = fields
                .iter()
                .map(|field| format!("{} {}", field.name(), parquet_type(field.dtype())))
                .collect();
            format!("group of ({})", fields.join(", "))
        }
        _ => "none".to_owned(),
    }
}

/// Refuses what Spark, Athena or `DuckDB` cannot read back as the same values, and warns of what they read differently.
///
/// # Errors
/// The first [`JobError::OutputType`].
pub(super) fn check(schema: &Schema) -> Result<Vec<String>, JobError> {
    let mut warnings = Vec::new();
    for (name, dtype) in schema.iter() {
        check_type(name, dtype, &mut warnings)?;
    }
    Ok(warnings)
}

fn check_type(path: &str, dtype: &DataType, warnings: &mut Vec<String>) -> Result<(), JobError> {
    let refuse = |reason, remedy| {
        Err(JobError::OutputType {
            column: path.to_owned(),
            dtype: dtype_name(dtype),
            reason,
            remedy,
        })
    };
    match dtype {
        DataType::Boolean
        | DataType::Int8
        | DataType::Int16
        | DataType::Int32
        | DataType::Int64
        | DataType::Float32
        | DataType::Float64
        | DataType::String
        | DataType::Binary
        | DataType::Date
        | DataType::Datetime(TimeUnit::Milliseconds | TimeUnit::Microseconds, Some(_)) => Ok(()),
        DataType::Datetime(TimeUnit::Nanoseconds, _) => {
            refuse("which Spark refuses to read", "cast it to timestamp[us, UTC]")
        }
        DataType::Datetime(_, None) => {
            warnings.push(format!(
                "output column `{path}` is a timestamp without a zone: Spark reads it as timestamp_ntz; \
                 cast it to timestamp[us, UTC] when it names an instant"
            ));
            Ok(())
        }
        DataType::UInt8 | DataType::UInt16 | DataType::UInt32 | DataType::UInt64 => {
            warnings.push(format!(
                "output column `{path}` is unsigned: Spark reads it as a wider type; cast it to int64"
            ));
            Ok(())
        }
        DataType::Duration(_) => refuse("which other readers take for a number", "cast it to int64"),
        DataType::Null => refuse("which has no type in Parquet", "cast or drop it"),
        DataType::List(inner) => check_type(&format!("{path}[]"), inner, warnings),
        DataType::Struct(fields) if fields.is_empty() => {
            refuse("a struct without fields, which Parquet cannot hold", "drop it")
        }
        DataType::Struct(fields) => fields
            .iter()
            .try_for_each(|field| check_type(&format!("{path}.{}", field.name()), field.dtype(), warnings)),
        _ => refuse(
            "which other readers do not know",
            "cast it to int64, float64 or string",
        ),
    }
}

#[cfg(test)]
mod tests {
    use polars::prelude::{DataType, Field, Schema, TimeUnit, TimeZone};

    use super::{check, contract};
    use crate::base::envelope::from_yaml;
    use crate::dataset;
    use crate::transform::{Inputs, Recipe};

    #[test]
    fn types_that_others_misread_are_refused_also_when_nested() {
        let nested = DataType::List(Box::new(DataType::Struct(vec![Field::new(
            "t".into(),
            DataType::Datetime(TimeUnit::Nanoseconds, None),
        )])));
        for (dtype, column) in [
            (DataType::Null, "`a`"),
            (DataType::Duration(TimeUnit::Microseconds), "`a`"),
            (DataType::Time, "`a`"),
            (DataType::Struct(Vec::new()), "`a`"),
            (nested, "`a[].t`"),
        ] {
            let schema = Schema::from_iter([("a".into(), dtype)]);
            let error = check(&schema).unwrap_err().to_string();
            assert!(error.contains(column), "{error}");
        }
    }

    #[test]
    fn good_types_pass_and_lossy_ones_are_warned_of() {
        let schema = Schema::from_iter([
            (
                "t".into(),
                DataType::Datetime(TimeUnit::Microseconds, Some(TimeZone::UTC)),
            ),
            ("n".into(), DataType::UInt32),
        ]);
        let warnings = check(&schema).unwrap();
        assert_eq!(warnings.len(), 1);
        assert!(warnings[0].contains("`n` is unsigned"), "{warnings:?}");
    }

    #[test]
    fn a_contract_names_type_nullability_and_what_readers_refuse() {
        let schema: dataset::Schema = from_yaml(
            "fields: [{name: id, type: int64, required: true}, {name: at, type: timestamp}, \
             {name: tags, type: 'list<string>'}]",
        )
        .unwrap();
        let recipe: Recipe =
            from_yaml("[{cast: {column: id, to: uint32}}, {derive: {columns: {age: at - at}}}]").unwrap();
        let plan = recipe
            .compile(2, &schema.to_polars(), &Inputs::default())
            .unwrap();
        let columns = contract(&schema, &plan);
        let shown: Vec<String> = columns
            .iter()
            .map(|c| {
                let null = c.never_null.as_deref().unwrap_or("nullable");
                let problem = c.problem.as_deref().unwrap_or("good");
                format!("{} {} {null} {problem} {}", c.name, c.parquet, c.is_refused)
            })
            .collect();
        assert!(
            shown[0].starts_with(
                "id INTEGER(32, unsigned) the source requires it output column `id` is unsigned"
            ),
            "{shown:?}"
        );
        assert_eq!(shown[1], "at TIMESTAMP(microseconds, UTC) nullable good false");
        assert_eq!(shown[2], "tags LIST of STRING nullable good false");
        assert!(
            shown[3].ends_with("true") && shown[3].contains("cast it to int64"),
            "{shown:?}"
        );
    }
}

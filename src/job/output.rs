//! Which column types other readers of the table accept.

use polars::prelude::{DataType, Schema, TimeUnit};

use super::JobError;
use crate::dataset::dtype_name;

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

    use super::check;

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
}

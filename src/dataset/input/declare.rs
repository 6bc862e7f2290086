//! The format and the schema that the files of a second dataset have: what declaring it freezes.

use crate::base::Cancel;
use crate::dataset::infer::infer;
use crate::dataset::{DataType, Field, Format, PageError, Schema, dtype_name, head, parquet};
use crate::storage::{Object, Store};

/// What files say of themselves.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Declared {
    pub format: Format,
    pub schema: Schema,
    /// Columns whose type no schema can declare, with it: ``blob (binary)``.
    pub left_out: Vec<String>,
}

/// Looks at some of `objects`.
///
/// # Errors
/// [`PageError`] when there is nothing to read.
pub async fn declare(store: &Store, objects: &[Object], cancel: &Cancel) -> Result<Declared, PageError> {
    let empty = || PageError::Empty {
        location: store.root().to_string(),
    };
    let first = objects.iter().find(|object| object.size > 0).ok_or_else(empty)?;
    let format = head::format_of(store, first).await?.format;
    let mut left_out = Vec::new();
    let schema = match format {
        Format::Jsonl => infer(store, objects, cancel).await?.schema,
        Format::Parquet => {
            let footer = parquet::footer(store, first).await?;
            let mut fields = Vec::new();
            for (name, dtype) in footer.schema.iter() {
                match DataType::of_polars(dtype) {
                    Some(declared) => fields.push(Field::new(name.as_str(), declared)),
                    None => left_out.push(format!("{name} ({})", dtype_name(dtype))),
                }
            }
            Schema {
                fields,
                ..Schema::default()
            }
        }
    };
    if schema.fields.is_empty() {
        return Err(empty());
    }
    Ok(Declared {
        format,
        schema,
        left_out,
    })
}

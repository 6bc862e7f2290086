//! The hidden columns that carry each row's origin through every step: object, line and byte offset.
//!
//! They are never shown, never written to a sink and refused as names in recipes and schemas.

use polars::prelude::{DataFrame, DataType, PlSmallStr, Schema};

/// Index of the object in the work unit's list. u32.
pub const OBJECT: &str = "__skewer_object";
/// In [`OBJECT`], the first number that stands for a file of an input and no object of the work unit: a step that appends
/// rows of an input numbers its files from here on.
pub const FIRST_INPUT_OBJECT: u32 = 1 << 31;
/// 1-based line in the object (row number in Parquet). u64.
pub const LINE: &str = "__skewer_line";
/// Byte offset of the line's first byte in the decompressed object; 0 in Parquet. u64.
pub const OFFSET: &str = "__skewer_offset";
/// Place of the row in its day, while a day is computed out of core, or before a step, while it is explored. u64.
pub const ROW: &str = "__skewer_row";
/// Set by a step that cannot compute a row: why. String, null where the row is good.
pub const REJECT: &str = "__skewer_reject";

pub fn is_hidden(name: &str) -> bool {
    name.starts_with("__skewer_")
}

/// `schema` with the three origin columns after its own.
pub fn with_origin(schema: &Schema) -> Schema {
    let mut all = schema.clone();
    all.insert(PlSmallStr::from_static(OBJECT), DataType::UInt32);
    all.insert(PlSmallStr::from_static(LINE), DataType::UInt64);
    all.insert(PlSmallStr::from_static(OFFSET), DataType::UInt64);
    all
}

/// `schema` without hidden columns.
pub fn without_hidden(schema: &Schema) -> Schema {
    schema
        .iter()
        .filter(|(name, _)| !is_hidden(name))
        .map(|(name, dtype)| (name.clone(), dtype.clone()))
        .collect()
}

/// `df` without its hidden columns.
pub fn strip(df: &DataFrame) -> DataFrame {
    df.drop_many(
        df.get_column_names_owned()
            .into_iter()
            .filter(|name| is_hidden(name)),
    )
}

//! Columns between polars and arrow-rs without a copy, over the Arrow C Data Interface.
//!
//! The one module with `unsafe`: both libraries implement the same published C structs, and each export here is
//! consumed by exactly one import. Types that this build of polars lacks are cast by arrow-rs on the way in.

#![allow(
    unsafe_code,
    reason = "polars-arrow and arrow-rs share memory only through the C Data Interface, whose imports are unsafe by contract"
)]

use std::mem::transmute;
use std::sync::Arc;

use arrow::array::{ArrayRef, RecordBatch, make_array};
use arrow::compute::cast;
use arrow::datatypes::{DataType, Field, Fields, Schema, SchemaRef, TimeUnit};
use arrow::error::ArrowError;
use arrow::ffi::{FFI_ArrowArray, FFI_ArrowSchema, from_ffi};
use polars::error::PolarsError;
use polars::prelude::{Column, CompatLevel, DataFrame, Series};
use polars_arrow::datatypes::Field as PolarsField;
use polars_arrow::ffi;
use thiserror::Error;

/// Why columns could not cross.
#[derive(Debug, Error)]
pub enum BridgeError {
    #[error(
        "column `{column}` has type {dtype}, which Skewer cannot read: leave it out where the file is written"
    )]
    Unsupported { column: String, dtype: String },
    #[error("column `{column}`: {source}")]
    Arrow { column: String, source: ArrowError },
    #[error("column `{column}`: {source}")]
    Polars { column: String, source: PolarsError },
    #[error("the columns make no batch: {source}")]
    Batch { source: ArrowError },
    #[error("the columns make no frame: {source}")]
    Frame { source: PolarsError },
}

/// `batch` as a frame. Buffers are shared; only types that polars lacks here are cast (int8 to int32, a decimal or a
/// time of day to its text).
///
/// # Errors
/// [`BridgeError::Unsupported`] for maps, unions and intervals.
pub fn to_polars(batch: &RecordBatch) -> Result<DataFrame, BridgeError> {
    let schema = batch.schema();
    let mut columns = Vec::with_capacity(batch.num_columns());
    for (field, array) in schema.fields().iter().zip(batch.columns()) {
        columns.push(Column::from(series(field, array)?));
    }
    DataFrame::new(batch.num_rows(), columns).map_err(|source| BridgeError::Frame { source })
}

/// Paths of the decimals among the columns, which come as texts: `price`, `offer.price`, `prices[]`.
pub fn decimal_paths(schema: &Schema) -> Vec<String> {
    let mut paths = Vec::new();
    for field in schema.fields() {
        add_decimals(field.name().clone(), field.data_type(), &mut paths);
    }
    paths
}

fn add_decimals(path: String, dtype: &DataType, paths: &mut Vec<String>) {
    match dtype {
        dtype if dtype.is_decimal() => paths.push(path),
        DataType::Dictionary(_, values) => add_decimals(path, values, paths),
        DataType::List(item) | DataType::LargeList(item) | DataType::FixedSizeList(item, _) => {
            add_decimals(format!("{path}[]"), item.data_type(), paths);
        }
        DataType::Struct(fields) => {
            for field in fields {
                add_decimals(format!("{path}.{}", field.name()), field.data_type(), paths);
            }
        }
        _ => {}
    }
}

fn series(field: &Field, array: &ArrayRef) -> Result<Series, BridgeError> {
    let name = field.name();
    let arrow_error = |source| BridgeError::Arrow {
        column: name.clone(),
        source,
    };
    let dtype = readable(field.data_type()).ok_or_else(|| BridgeError::Unsupported {
        column: name.clone(),
        dtype: field.data_type().to_string(),
    })?;
    let array = if dtype == *field.data_type() {
        Arc::clone(array)
    } else {
        cast(array, &dtype).map_err(arrow_error)?
    };
    // Without metadata, which would only carry what some writer noted about another schema.
    let field = Field::new(name, dtype, true);
    let schema = FFI_ArrowSchema::try_from(&field).map_err(arrow_error)?;
    let array = FFI_ArrowArray::new(&array.to_data());

    // SAFETY: both pairs of types are `repr(C)` and laid out as the C Data Interface defines `ArrowSchema` and
    // `ArrowArray`; the assertions below hold their sizes equal. `transmute` moves the structs, so that each has one
    // owner, whose drop calls `release` once. They were exported by arrow-rs just above, hence are valid.
    let array = unsafe {
        let schema = transmute::<FFI_ArrowSchema, ffi::ArrowSchema>(schema);
        let array = transmute::<FFI_ArrowArray, ffi::ArrowArray>(array);
        ffi::import_field_from_c(&schema).and_then(|field| ffi::import_array_from_c(array, field.dtype))
    };
    array
        .and_then(|array| Series::from_arrow(name.into(), array))
        .map_err(|source| BridgeError::Polars {
            column: name.clone(),
            source,
        })
}

/// The type that polars reads in place of `dtype`; itself where they agree, none where there is none.
fn readable(dtype: &DataType) -> Option<DataType> {
    let nested = |field: &Field| {
        Some(Arc::new(Field::new(
            field.name(),
            readable(field.data_type())?,
            true,
        )))
    };
    Some(match dtype {
        DataType::Int8 | DataType::Int16 => DataType::Int32,
        DataType::UInt8 | DataType::UInt16 => DataType::UInt32,
        DataType::Float16 => DataType::Float32,
        DataType::Decimal32(..)
        | DataType::Decimal64(..)
        | DataType::Decimal128(..)
        | DataType::Decimal256(..)
        | DataType::Time32(_)
        | DataType::Time64(_) => DataType::Utf8View,
        DataType::Date64 => DataType::Timestamp(TimeUnit::Millisecond, None),
        DataType::Timestamp(TimeUnit::Second, zone) => {
            DataType::Timestamp(TimeUnit::Millisecond, zone.clone())
        }
        DataType::FixedSizeBinary(_) => DataType::Binary,
        DataType::Dictionary(_, values) => readable(values)?,
        DataType::List(item) | DataType::LargeList(item) | DataType::FixedSizeList(item, _) => {
            let item = nested(item)?;
            if matches!(dtype, DataType::List(_)) {
                DataType::List(item)
            } else {
                DataType::LargeList(item)
            }
        }
        DataType::Struct(fields) if fields.is_empty() => return None,
        DataType::Struct(fields) => {
            let fields: Option<Vec<_>> = fields.iter().map(|field| nested(field)).collect();
            DataType::Struct(Fields::from(fields?))
        }
        DataType::Map(..)
        | DataType::Union(..)
        | DataType::Interval(_)
        | DataType::RunEndEncoded(..)
        | DataType::ListView(_)
        | DataType::LargeListView(_) => return None,
        other => other.clone(),
    })
}

/// `df` as a batch; strings are `Utf8View`. Buffers are shared, except that columns of several chunks are first made one.
///
/// # Errors
/// [`BridgeError`] for types that arrow-rs has none for.
pub fn to_arrow(df: &DataFrame) -> Result<RecordBatch, BridgeError> {
    let mut fields = Vec::with_capacity(df.width());
    let mut arrays = Vec::with_capacity(df.width());
    for column in df.columns() {
        let name = column.name();
        let dtype = column.dtype().to_arrow(CompatLevel::newest());
        let array = column.clone().rechunk_to_arrow(CompatLevel::newest());
        let field = PolarsField::new(name.clone(), dtype, true);
        let schema = ffi::export_field_to_c(&field);
        let array = ffi::export_array_to_c(array);
        let arrow_error = |source| BridgeError::Arrow {
            column: name.to_string(),
            source,
        };

        // SAFETY: as above, in the other direction: same layout, one owner each, exported by polars-arrow just now.
        let data = unsafe {
            let schema = transmute::<ffi::ArrowSchema, FFI_ArrowSchema>(schema);
            let array = transmute::<ffi::ArrowArray, FFI_ArrowArray>(array);
            fields.push(Field::try_from(&schema).map_err(arrow_error)?);
            from_ffi(array, &schema).map_err(arrow_error)?
        };
        arrays.push(make_array(data));
    }
    let schema: SchemaRef = Arc::new(Schema::new(fields));
    let options = arrow::array::RecordBatchOptions::new().with_row_count(Some(df.height()));
    RecordBatch::try_new_with_options(schema, arrays, &options)
        .map_err(|source| BridgeError::Batch { source })
}

const _: () = assert!(size_of::<FFI_ArrowSchema>() == size_of::<ffi::ArrowSchema>());
const _: () = assert!(align_of::<FFI_ArrowSchema>() == align_of::<ffi::ArrowSchema>());
const _: () = assert!(size_of::<FFI_ArrowArray>() == size_of::<ffi::ArrowArray>());
const _: () = assert!(align_of::<FFI_ArrowArray>() == align_of::<ffi::ArrowArray>());

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use arrow::array::{
        ArrayRef, Decimal128Array, DictionaryArray, Int8Array, Int32Array, ListArray, MapBuilder,
        RecordBatch, StringBuilder, StringViewArray, TimestampSecondArray,
    };
    use arrow::datatypes::{DataType, Int8Type, Int32Type};
    use polars::prelude::{Column, DataFrame, IntoSeries, NamedFrom, Series};

    use super::{to_arrow, to_polars};
    use crate::dataset::dtype_name;

    #[test]
    fn a_frame_crosses_and_comes_back_without_a_copy() {
        let text = Series::new("t".into(), ["a", "a text that is longer than a view", ""]);
        let lists = Series::new("l".into(), [text.clone(), text.head(Some(1)), text.head(Some(0))]);
        let mut df = DataFrame::new(
            3,
            vec![
                Column::new("x".into(), [Some(1_i64), None, Some(3)]),
                Column::new("b".into(), [Some(true), None, Some(false)]),
                text.into(),
                lists.into(),
            ],
        )
        .unwrap();
        let nested: Column = df.clone().into_struct("s".into()).into_series().into();
        df.with_column(nested).unwrap();
        let batch = to_arrow(&df).unwrap();
        assert_eq!(batch.schema().field(2).data_type(), &DataType::Utf8View);
        let strings: &StringViewArray = batch.column(2).as_any().downcast_ref().unwrap();
        assert_eq!(strings.value(1), "a text that is longer than a view");
        let back = to_polars(&batch).unwrap();
        assert!(back.equals_missing(&df), "{back}");
        let numbers = |df: &DataFrame| {
            df.column("x")
                .unwrap()
                .i64()
                .unwrap()
                .data_views()
                .next()
                .unwrap()
                .as_ptr()
        };
        assert_eq!(numbers(&df), numbers(&back), "the same memory");
        let sliced = to_polars(&to_arrow(&df.slice(1, 2)).unwrap()).unwrap();
        assert!(sliced.equals_missing(&df.slice(1, 2)));
        assert_eq!(to_arrow(&df.slice(0, 0)).unwrap().num_rows(), 0);
    }

    #[test]
    fn types_that_polars_lacks_are_cast_or_refused_by_name() {
        let list = ListArray::from_iter_primitive::<Int8Type, _, _>([Some(vec![Some(1), None])]);
        let dictionary: DictionaryArray<Int32Type> = ["a"].into_iter().collect();
        let decimal = Decimal128Array::from(vec![150])
            .with_precision_and_scale(9, 2)
            .unwrap();
        let columns: [(&str, ArrayRef); 6] = [
            ("i", Arc::new(Int8Array::from(vec![Some(-1)]))),
            ("l", Arc::new(list)),
            ("d", Arc::new(dictionary)),
            ("m", Arc::new(decimal)),
            (
                "t",
                Arc::new(TimestampSecondArray::from(vec![1]).with_timezone("UTC")),
            ),
            ("n", Arc::new(Int32Array::from(vec![None]))),
        ];
        let batch =
            RecordBatch::try_from_iter_with_nullable(columns.map(|(name, array)| (name, array, true)))
                .unwrap();
        let df = to_polars(&batch).unwrap();
        let dtypes: Vec<String> = df
            .columns()
            .iter()
            .map(|column| dtype_name(column.dtype()))
            .collect();
        assert_eq!(
            dtypes,
            [
                "int32",
                "list<int32>",
                "string",
                "string",
                "timestamp[ms, UTC]",
                "int32"
            ]
        );
        assert_eq!(df.column("m").unwrap().str().unwrap().get(0), Some("1.50"));

        let mut map = MapBuilder::new(None, StringBuilder::new(), StringBuilder::new());
        map.append(true).unwrap();
        let map: ArrayRef = Arc::new(map.finish());
        let batch = RecordBatch::try_from_iter([("tags", map)]).unwrap();
        let error = to_polars(&batch).unwrap_err().to_string();
        assert!(error.starts_with("column `tags` has type Map"), "{error}");
    }
}

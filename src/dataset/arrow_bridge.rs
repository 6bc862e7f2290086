//! Columns between polars and arrow-rs without a copy, over the Arrow C Data Interface.
//!
//! The one module with `unsafe`: both libraries implement the same published C structs, and each export here is
//! consumed by exactly one import. Types that this build of polars lacks are cast by arrow-rs on the way in; a map comes
//! as the list of its entries, as polars itself reads it.

#![allow(
    unsafe_code,
    reason = "polars-arrow and arrow-rs share memory only through the C Data Interface, whose imports are unsafe by contract"
)]

use std::collections::HashSet;
use std::mem::transmute;
use std::sync::Arc;

use arrow::array::{ArrayData, ArrayRef, RecordBatch, make_array};
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
    #[error("two columns have the name `{column}`: rename one of them where the file is written")]
    TwiceNamed { column: String },
    #[error("the columns make no batch: {source}")]
    Batch { source: ArrowError },
    #[error("the columns make no frame: {source}")]
    Frame { source: PolarsError },
}

/// `batch` as a frame. Buffers are shared; only types that polars lacks here are cast (int8 to int32, a decimal, an
/// interval or a time of day to its text).
///
/// # Errors
/// [`BridgeError::Unsupported`] for unions, and for structs without fields. [`BridgeError::TwiceNamed`].
pub fn to_polars(batch: &RecordBatch) -> Result<DataFrame, BridgeError> {
    let schema = batch.schema();
    let mut columns = Vec::with_capacity(batch.num_columns());
    let mut names = HashSet::with_capacity(batch.num_columns());
    for (field, array) in schema.fields().iter().zip(batch.columns()) {
        if !names.insert(field.name()) {
            return Err(BridgeError::TwiceNamed {
                column: field.name().clone(),
            });
        }
        columns.push(Column::from(series(field, array)?));
    }
    DataFrame::new(batch.num_rows(), columns).map_err(|source| BridgeError::Frame { source })
}

/// Paths of the decimals among the columns, which come as texts: `price`, `offer.price`, `prices[]`.
pub fn decimal_paths(schema: &Schema) -> Vec<String> {
    decimal_digits(schema)
        .into_iter()
        .map(|decimal| decimal.path)
        .collect()
}

/// A column whose values are decimals where it is written.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct DecimalDigits {
    pub path: String,
    /// All digits.
    pub precision: u8,
    /// Digits after the point; negative where the last before it are left out.
    pub scale: i8,
}

/// As [`decimal_paths`], with the digits of each.
pub fn decimal_digits(schema: &Schema) -> Vec<DecimalDigits> {
    let mut found = Vec::new();
    for field in schema.fields() {
        add_decimals(field.name().clone(), &without_maps(field.data_type()), &mut found);
    }
    found
}

fn add_decimals(path: String, dtype: &DataType, found: &mut Vec<DecimalDigits>) {
    match dtype {
        DataType::Decimal32(precision, scale)
        | DataType::Decimal64(precision, scale)
        | DataType::Decimal128(precision, scale)
        | DataType::Decimal256(precision, scale) => found.push(DecimalDigits {
            path,
            precision: *precision,
            scale: *scale,
        }),
        DataType::Dictionary(_, values) => add_decimals(path, values, found),
        DataType::List(item)
        | DataType::LargeList(item)
        | DataType::FixedSizeList(item, _)
        | DataType::ListView(item)
        | DataType::LargeListView(item) => {
            add_decimals(format!("{path}[]"), item.data_type(), found);
        }
        DataType::Struct(fields) => {
            for field in fields {
                add_decimals(format!("{path}.{}", field.name()), field.data_type(), found);
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
    let plain = without_maps(field.data_type());
    let dtype = readable(&plain).ok_or_else(|| BridgeError::Unsupported {
        column: name.clone(),
        dtype: field.data_type().to_string(),
    })?;
    let mut array = Arc::clone(array);
    if plain != *field.data_type() {
        array = make_array(entries_of_maps(array.to_data(), &plain).map_err(arrow_error)?);
    }
    if dtype != plain {
        array = cast(&array, &dtype).map_err(arrow_error)?;
    }
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

/// `dtype` with every map in it as the list of its entries.
fn without_maps(dtype: &DataType) -> DataType {
    let of = |field: &Field| {
        let dtype = without_maps(field.data_type());
        Arc::new(field.clone().with_data_type(dtype))
    };
    match dtype {
        DataType::Map(entries, _) => DataType::List(of(&named_entries(entries))),
        DataType::List(item) => DataType::List(of(item)),
        DataType::LargeList(item) => DataType::LargeList(of(item)),
        DataType::ListView(item) => DataType::ListView(of(item)),
        DataType::LargeListView(item) => DataType::LargeListView(of(item)),
        DataType::FixedSizeList(item, n) => DataType::FixedSizeList(of(item), *n),
        DataType::Struct(fields) => DataType::Struct(fields.iter().map(|field| of(field)).collect()),
        other => other.clone(),
    }
}

/// Entries of a map under the names of the format, whatever their writer called them. Source: Parquet's logical type MAP.
fn named_entries(entries: &Field) -> Field {
    let DataType::Struct(fields) = entries.data_type() else {
        return entries.clone();
    };
    let named = fields.iter().zip(["key", "value"]);
    let named: Fields = named
        .map(|(field, name)| field.as_ref().clone().with_name(name))
        .collect();
    entries.clone().with_data_type(DataType::Struct(named))
}

/// The same buffers as `plain`, with every map the list of its entries: the two lie in memory alike, offsets before a struct
/// of key and value. Source: Arrow columnar format, section on the map layout.
fn entries_of_maps(data: ArrayData, plain: &DataType) -> Result<ArrayData, ArrowError> {
    let fields: Vec<&Field> = match plain {
        DataType::List(item)
        | DataType::LargeList(item)
        | DataType::ListView(item)
        | DataType::LargeListView(item)
        | DataType::FixedSizeList(item, _) => vec![item.as_ref()],
        DataType::Struct(fields) => fields.iter().map(AsRef::as_ref).collect(),
        _ => return Ok(data),
    };
    let children = data.child_data().iter().cloned().zip(fields);
    let children: Vec<ArrayData> = children
        .map(|(child, field)| entries_of_maps(child, field.data_type()))
        .collect::<Result<_, _>>()?;
    data.into_builder()
        .data_type(plain.clone())
        .child_data(children)
        .build()
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
        | DataType::Interval(_)
        | DataType::Time32(_)
        | DataType::Time64(_) => DataType::Utf8View,
        DataType::Date64 => DataType::Timestamp(TimeUnit::Millisecond, None),
        DataType::Timestamp(TimeUnit::Second, zone) => {
            DataType::Timestamp(TimeUnit::Millisecond, zone.clone())
        }
        DataType::FixedSizeBinary(_) => DataType::Binary,
        DataType::Dictionary(_, values) => readable(values)?,
        DataType::List(item)
        | DataType::LargeList(item)
        | DataType::FixedSizeList(item, _)
        | DataType::ListView(item)
        | DataType::LargeListView(item) => {
            let item = nested(item)?;
            if matches!(dtype, DataType::List(_) | DataType::ListView(_)) {
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
        DataType::RunEndEncoded(_, values) => readable(values.data_type())?,
        DataType::Map(..) | DataType::Union(..) => return None,
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
        ArrayRef, Decimal128Array, Decimal128Builder, DictionaryArray, Int8Array, Int32Array,
        IntervalDayTimeArray, ListArray, MapArray, MapBuilder, RecordBatch, StringBuilder, StringViewArray,
        StructArray, TimestampSecondArray,
    };
    use arrow::buffer::OffsetBuffer;
    use arrow::compute::cast;
    use arrow::datatypes::{DataType, Field, Int8Type, Int32Type, IntervalDayTimeType};
    use polars::prelude::{Column, DataFrame, IntoSeries, NamedFrom, Series};

    use super::{decimal_paths, to_arrow, to_polars};
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

        let nothing: ArrayRef = Arc::new(StructArray::new_empty_fields(1, None));
        let batch = RecordBatch::try_from_iter([("tags", nothing)]).unwrap();
        let error = to_polars(&batch).unwrap_err().to_string();
        assert!(error.starts_with("column `tags` has type Struct"), "{error}");
    }

    /// A row for each: two entries, none, no map.
    fn map_of_decimals() -> MapArray {
        let decimals = Decimal128Builder::new().with_precision_and_scale(9, 2).unwrap();
        let mut map = MapBuilder::new(None, StringBuilder::new(), decimals);
        for (key, value) in [("a", Some(150)), ("b", None)] {
            map.keys().append_value(key);
            map.values().append_option(value);
        }
        for is_there in [true, true, false] {
            map.append(is_there).unwrap();
        }
        map.finish()
    }

    #[test]
    fn a_map_is_the_list_of_its_entries_wherever_it_is() {
        let map: ArrayRef = Arc::new(map_of_decimals());
        let field = |name: &str| Arc::new(Field::new(name, map.data_type().clone(), true));
        let inside = StructArray::from(vec![(field("m"), Arc::clone(&map))]);
        let listed = ListArray::new(
            field("item"),
            OffsetBuffer::new(vec![0, 3, 3, 3].into()),
            Arc::clone(&map),
            None,
        );
        let columns: [(&str, ArrayRef); 3] = [
            ("m", Arc::clone(&map)),
            ("s", Arc::new(inside)),
            ("l", Arc::new(listed)),
        ];
        let batch =
            RecordBatch::try_from_iter_with_nullable(columns.map(|(name, array)| (name, array, true)))
                .unwrap();
        let df = to_polars(&batch).unwrap();
        let types: Vec<String> = df
            .columns()
            .iter()
            .map(|column| dtype_name(column.dtype()))
            .collect();
        let entries = "list<struct<key: string, value: string>>";
        assert_eq!(
            types,
            [
                entries,
                &format!("struct<m: {entries}>"),
                &format!("list<{entries}>")
            ]
        );
        let shown = |row| df.column("m").unwrap().get(row).unwrap().to_string();
        assert!(
            shown(0).contains("\"1.50\"") && shown(0).contains("null"),
            "{}",
            shown(0)
        );
        assert_eq!((shown(1).as_str(), shown(2).as_str()), ("[]", "null"));
        assert_eq!(
            decimal_paths(&batch.schema()),
            ["m[].value", "s.m[].value", "l[][].value"]
        );
        // A part of a batch shares the buffers of the whole.
        assert!(
            to_polars(&batch.slice(1, 2))
                .unwrap()
                .equals_missing(&df.slice(1, 2))
        );
    }

    #[test]
    fn intervals_and_views_of_lists_are_read_and_a_name_given_twice_is_told() {
        let interval: ArrayRef = Arc::new(IntervalDayTimeArray::from(vec![IntervalDayTimeType::make_value(
            3, 0,
        )]));
        let list = ListArray::from_iter_primitive::<Int32Type, _, _>([Some(vec![Some(1), None])]);
        let item = Arc::new(Field::new("item", DataType::Int32, true));
        let views = cast(&list, &DataType::ListView(item)).unwrap();
        let batch = RecordBatch::try_from_iter([("i", Arc::clone(&interval)), ("v", views)]).unwrap();
        let df = to_polars(&batch).unwrap();
        assert_eq!(df.column("i").unwrap().str().unwrap().get(0), Some("3 days"));
        assert_eq!(dtype_name(df.column("v").unwrap().dtype()), "list<int32>");
        let twice = RecordBatch::try_from_iter([("i", Arc::clone(&interval)), ("i", interval)]).unwrap();
        let error = to_polars(&twice).unwrap_err().to_string();
        assert!(error.starts_with("two columns have the name `i`"), "{error}");
    }
}

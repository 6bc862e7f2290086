//! Columns under construction: one builder for each declared field, nested ones inside, made into polars arrays.
//!
//! A record that fails half way leaves its columns uneven; [`Members::settle`] fills them up, and the row is left out
//! when the batch is made.

use polars::prelude::PlSmallStr;
use polars_arrow::array::{
    Array, BooleanArray, ListArray, MutableBinaryViewArray, PrimitiveArray, StructArray,
};
use polars_arrow::bitmap::BitmapBuilder;
use polars_arrow::datatypes::{ArrowDataType, Field as ArrowField, TimeUnit};
use polars_arrow::offset::Offsets;

use super::members::Members;
use super::time::Form;
use crate::dataset::{Accept, DataType, Field, OnMismatch};

/// One column under construction.
pub(super) struct Column {
    /// Such as `location.zip` or `items[].price`.
    pub(super) path: String,
    pub(super) dtype: DataType,
    pub(super) takes: Takes,
    /// A value of another type is null and counted, not a fault.
    pub(super) is_lenient: bool,
    pub(super) form: Option<Form>,
    pub(super) data: Data,
}

/// What a column takes besides its own type.
#[derive(Debug, Clone, Copy, Default)]
#[expect(
    clippy::struct_excessive_bools,
    reason = "a set of words that are independent of each other"
)]
pub(super) struct Takes {
    pub(super) string: bool,
    pub(super) number: bool,
    pub(super) bool: bool,
    pub(super) numeric_string: bool,
    pub(super) json: bool,
}

impl Takes {
    fn new(accept: &[Accept]) -> Self {
        Self {
            string: accept.contains(&Accept::String),
            number: accept.contains(&Accept::Number),
            bool: accept.contains(&Accept::Bool),
            numeric_string: accept.contains(&Accept::NumericString),
            json: accept.contains(&Accept::Json),
        }
    }
}

pub(super) enum Data {
    Bool(BitmapBuilder, BitmapBuilder),
    Int64(Vec<i64>, BitmapBuilder),
    Float64(Vec<f64>, BitmapBuilder),
    /// Also JSON, as its text.
    Text(MutableBinaryViewArray<str>),
    Date(Vec<i32>, BitmapBuilder),
    Timestamp(Vec<i64>, BitmapBuilder),
    List(Offsets<i64>, BitmapBuilder, Box<Column>),
    Struct(BitmapBuilder, Box<Members>),
}

impl Column {
    pub(super) fn new(field: &Field, on_mismatch: OnMismatch) -> Self {
        let is_lenient = on_mismatch == OnMismatch::Null && !field.required;
        let takes = Takes::new(&field.accept);
        let form = field.parse.as_deref().and_then(Form::new);
        Self::of_type(&field.dtype, field.name.clone(), takes, is_lenient, form)
    }

    pub(super) fn of_type(
        dtype: &DataType,
        path: String,
        takes: Takes,
        is_lenient: bool,
        form: Option<Form>,
    ) -> Self {
        let data = match dtype {
            DataType::Bool => Data::Bool(BitmapBuilder::new(), BitmapBuilder::new()),
            DataType::Int64 => Data::Int64(Vec::new(), BitmapBuilder::new()),
            DataType::Float64 => Data::Float64(Vec::new(), BitmapBuilder::new()),
            DataType::String | DataType::Json => Data::Text(MutableBinaryViewArray::new()),
            DataType::Date => Data::Date(Vec::new(), BitmapBuilder::new()),
            DataType::Timestamp => Data::Timestamp(Vec::new(), BitmapBuilder::new()),
            DataType::List(item) => {
                let item = Self::of_type(item, format!("{path}[]"), takes, is_lenient, None);
                Data::List(Offsets::new(), BitmapBuilder::new(), Box::new(item))
            }
            DataType::Struct(members) => {
                let columns = members
                    .iter()
                    .map(|(name, dtype)| {
                        let path = format!("{path}.{name}");
                        (
                            name.as_str(),
                            false,
                            Self::of_type(dtype, path, takes, is_lenient, None),
                        )
                    })
                    .collect();
                Data::Struct(
                    BitmapBuilder::new(),
                    Box::new(Members::new(format!("{path}."), columns)),
                )
            }
        };
        Self {
            path,
            dtype: dtype.clone(),
            takes,
            is_lenient,
            form,
            data,
        }
    }

    pub(super) fn len(&self) -> usize {
        match &self.data {
            Data::Bool(_, valid)
            | Data::Int64(_, valid)
            | Data::Float64(_, valid)
            | Data::Date(_, valid)
            | Data::Timestamp(_, valid)
            | Data::List(_, valid, _)
            | Data::Struct(valid, _) => valid.len(),
            Data::Text(values) => values.len(),
        }
    }

    /// The keys of the objects inside, for a struct or a list of structs.
    pub(super) fn members(&mut self) -> Option<&mut Members> {
        match &mut self.data {
            Data::List(_, _, items) => items.members(),
            Data::Struct(_, members) => Some(members),
            _ => None,
        }
    }

    /// Bytes that a row takes at least, for the batch's budget.
    pub(super) fn row_bytes(&self) -> usize {
        match &self.data {
            Data::Bool(..) => 1,
            Data::Date(..) => 5,
            Data::Int64(..) | Data::Float64(..) | Data::Timestamp(..) | Data::List(..) => 9,
            Data::Text(_) => 17,
            Data::Struct(_, members) => members.row_bytes() + 1,
        }
    }

    pub(super) fn push_null(&mut self) {
        match &mut self.data {
            Data::Bool(values, valid) => {
                values.push(false);
                valid.push(false);
            }
            Data::Int64(values, valid) | Data::Timestamp(values, valid) => {
                values.push(0);
                valid.push(false);
            }
            Data::Float64(values, valid) => {
                values.push(0.0);
                valid.push(false);
            }
            Data::Date(values, valid) => {
                values.push(0);
                valid.push(false);
            }
            Data::Text(values) => values.push_null(),
            Data::List(ends, valid, items) => {
                push_end(ends, items.len());
                valid.push(false);
            }
            Data::Struct(valid, members) => {
                members.push_null();
                valid.push(false);
            }
        }
    }

    /// Brings a column that a failed record left one entry short, or uneven inside, to `n` entries. What the record left
    /// in nested columns becomes part of that last entry, which is no row of the batch.
    pub(super) fn settle(&mut self, n: usize) {
        if self.len() >= n {
            return;
        }
        match &mut self.data {
            Data::List(_, _, items) => items.settle(items.len() + 1),
            Data::Struct(valid, members) => {
                members.settle(n);
                valid.push(false);
                return;
            }
            _ => {}
        }
        self.push_null();
    }

    /// The finished array; the column starts anew.
    pub(super) fn take(&mut self) -> Result<Box<dyn Array>, polars::error::PolarsError> {
        let dtype = arrow_type(&self.dtype);
        Ok(match &mut self.data {
            Data::Bool(values, valid) => {
                let values = std::mem::take(values).freeze();
                BooleanArray::try_new(dtype, values, std::mem::take(valid).into_opt_validity())?.boxed()
            }
            Data::Int64(values, valid) | Data::Timestamp(values, valid) => {
                let values = std::mem::take(values).into();
                PrimitiveArray::<i64>::try_new(dtype, values, std::mem::take(valid).into_opt_validity())?
                    .boxed()
            }
            Data::Float64(values, valid) => {
                let values = std::mem::take(values).into();
                PrimitiveArray::<f64>::try_new(dtype, values, std::mem::take(valid).into_opt_validity())?
                    .boxed()
            }
            Data::Date(values, valid) => {
                let values = std::mem::take(values).into();
                PrimitiveArray::<i32>::try_new(dtype, values, std::mem::take(valid).into_opt_validity())?
                    .boxed()
            }
            Data::Text(values) => std::mem::take(values).freeze().boxed(),
            Data::List(ends, valid, items) => {
                let ends = std::mem::take(ends).into();
                let items = items.take()?;
                ListArray::<i64>::try_new(dtype, ends, items, std::mem::take(valid).into_opt_validity())?
                    .boxed()
            }
            Data::Struct(valid, members) => {
                let n = valid.len();
                let members = members.take()?.into_iter().map(|(_, array)| array).collect();
                StructArray::try_new(dtype, n, members, std::mem::take(valid).into_opt_validity())?.boxed()
            }
        })
    }
}

/// Ends a list's entry at `items`. Offsets only grow here, so this cannot fail below 2^63 items.
pub(super) fn push_end(ends: &mut Offsets<i64>, items: usize) {
    let start = usize::try_from(*ends.last()).unwrap_or(0);
    let pushed = ends.try_push(items.saturating_sub(start));
    debug_assert!(pushed.is_ok(), "list offsets beyond int64");
}

fn arrow_type(dtype: &DataType) -> ArrowDataType {
    match dtype {
        DataType::Bool => ArrowDataType::Boolean,
        DataType::Int64 => ArrowDataType::Int64,
        DataType::Float64 => ArrowDataType::Float64,
        DataType::String | DataType::Json => ArrowDataType::Utf8View,
        DataType::Date => ArrowDataType::Date32,
        DataType::Timestamp => {
            ArrowDataType::Timestamp(TimeUnit::Microsecond, Some(PlSmallStr::from_static("UTC")))
        }
        DataType::List(item) => ListArray::<i64>::default_datatype(arrow_type(item)),
        DataType::Struct(members) => ArrowDataType::Struct(
            members
                .iter()
                .map(|(name, dtype)| ArrowField::new(name.as_str().into(), arrow_type(dtype), true))
                .collect(),
        ),
    }
}

//! Lists of words: read row by row and built without a string of its own for any word.

use polars::prelude::{Column, DataType, IntoColumn, PlSmallStr, PolarsResult, Schema, Series, polars_err};
use polars_arrow::array::{ListArray, MutableBinaryViewArray, Utf8ViewArray};
use polars_arrow::bitmap::BitmapBuilder;
use polars_arrow::datatypes::ArrowDataType;
use polars_arrow::offset::OffsetsBuffer;

use crate::transform::CheckError;
use crate::transform::step::{column_type, wrong_type};

/// The type of a list of words.
pub(super) fn tokens_type() -> DataType {
    DataType::List(Box::new(DataType::String))
}

/// Refuses a column that is no list of text.
pub(super) fn check_tokens(schema: &Schema, param: &'static str, column: &str) -> Result<(), CheckError> {
    let dtype = column_type(schema, param, column)?;
    if dtype != &tokens_type() {
        return Err(wrong_type(param, column, dtype, "list<string>").hint("use `tokenize` first"));
    }
    Ok(())
}

/// Lists of words that grow row by row.
pub(super) struct TokenLists {
    pub(super) words: MutableBinaryViewArray<str>,
    ends: Vec<i64>,
    valid: BitmapBuilder,
}

impl TokenLists {
    pub(super) fn with_capacity(n_rows: usize, n_words: usize) -> Self {
        let mut ends = Vec::with_capacity(n_rows + 1);
        ends.push(0);
        Self {
            words: MutableBinaryViewArray::with_capacity(n_words),
            ends,
            valid: BitmapBuilder::with_capacity(n_rows),
        }
    }

    /// Ends the row of the words added since the last one; one that is null must have none.
    pub(super) fn end_row(&mut self, is_valid: bool) {
        self.valid.push(is_valid);
        self.ends
            .push(i64::try_from(self.words.len()).unwrap_or(i64::MAX));
    }

    pub(super) fn finish(self, name: PlSmallStr) -> PolarsResult<Column> {
        let dtype = ListArray::<i64>::default_datatype(ArrowDataType::Utf8View);
        let ends = OffsetsBuffer::try_from(self.ends)?;
        let words = self.words.freeze().boxed();
        let lists = ListArray::<i64>::try_new(dtype, ends, words, self.valid.into_opt_validity())?;
        Ok(Series::from_arrow(name, lists.boxed())?.into_column())
    }
}

/// Makes a list of each list of words. `each` takes a row's words and adds its own.
pub(super) fn map_tokens(
    lists: &Column,
    mut each: impl FnMut(&[Option<&str>], &mut MutableBinaryViewArray<str>),
) -> PolarsResult<Column> {
    let lists = lists.list()?;
    let mut made = TokenLists::with_capacity(lists.len(), lists.inner_length());
    for array in lists.downcast_iter() {
        let words = array
            .values()
            .as_any()
            .downcast_ref::<Utf8ViewArray>()
            .ok_or_else(|| polars_err!(SchemaMismatch: "the lists hold no text"))?;
        let mut row_words = Vec::new();
        let validity = array.validity();
        for (row, (start, len)) in array.offsets().offset_and_length_iter().enumerate() {
            let is_valid = validity.is_none_or(|validity| validity.get_bit(row));
            if is_valid {
                row_words.clear();
                row_words.extend((start..start + len).map(|at| words.get(at)));
                each(&row_words, &mut made.words);
            }
            made.end_row(is_valid);
        }
    }
    made.finish(lists.name().clone())
}

//! Frames as memory: how large they are, without what they do not use, and as batches that a file takes.
//!
//! polars' texts are views into buffers that several frames share, so a frame of few rows may keep many bytes alive, and
//! a written view would write all of its buffers. Batches for files hold plain offsets instead.

use std::sync::Arc;

use arrow::compute::cast;
use arrow::datatypes::{DataType, Field, Schema};
use arrow::error::ArrowError;
use arrow::record_batch::RecordBatch;
use polars::prelude::{Column, DataFrame, PolarsError};
use polars_arrow::array::{
    Array, BinaryViewArray, BinaryViewArrayGeneric, ListArray, StructArray, Utf8ViewArray, ViewType,
};
use thiserror::Error;

use super::super::RunError;
use crate::dataset::arrow_bridge::{self, BridgeError};

/// Unused bytes below this are not worth a copy.
const SLACK_BYTES: u64 = 64 << 10;

/// Why rows could not go to a file or come back.
#[derive(Debug, Error)]
pub(super) enum FrameError {
    #[error(transparent)]
    Bridge(#[from] BridgeError),
    #[error(transparent)]
    Arrow(#[from] ArrowError),
}

/// Bytes that `df` takes, when it shares nothing with others.
pub(super) fn n_bytes(df: &DataFrame) -> u64 {
    df.estimated_size() as u64 + texts(df).views
}

/// Frames below each other, without a copy.
pub(super) fn stack(frames: Vec<DataFrame>) -> Result<DataFrame, RunError> {
    let mut frames = frames.into_iter();
    let mut stacked = frames.next().unwrap_or_default();
    for df in frames {
        stacked.vstack_mut_owned(df).map_err(error)?;
    }
    Ok(stacked)
}

/// `df` of `n_bytes` in pieces of about `most` bytes, without a copy. One piece at least.
pub(super) fn cut(df: &DataFrame, n_bytes: u64, most: u64) -> impl Iterator<Item = DataFrame> {
    let n_rows = df.height() as u64;
    let per_piece = (n_rows.saturating_mul(most) / n_bytes.max(1)).clamp(1, n_rows.max(1));
    let n_pieces = n_rows.div_ceil(per_piece).max(1);
    let per_piece = usize::try_from(per_piece).unwrap_or(usize::MAX);
    (0..n_pieces).map(move |piece| {
        let start = i64::try_from(piece.saturating_mul(per_piece as u64)).unwrap_or(i64::MAX);
        df.slice(start, per_piece)
    })
}

/// `df` in memory of its own when it keeps much more alive than it shows, as after a filter.
pub(super) fn without_slack(df: DataFrame) -> Result<DataFrame, RunError> {
    let texts = texts(&df);
    if texts.held > 2 * texts.shown + SLACK_BYTES {
        compact(&df)
    } else {
        Ok(df)
    }
}

/// `df` in memory of its own.
pub(super) fn compact(df: &DataFrame) -> Result<DataFrame, RunError> {
    let copied = flat(df).and_then(|batch| Ok(arrow_bridge::to_polars(&batch)?));
    copied.map_err(|error| RunError::Step {
        message: error.to_string(),
    })
}

/// `df` as a batch whose texts are in buffers of its own, in the order of rows.
pub(super) fn flat(df: &DataFrame) -> Result<RecordBatch, FrameError> {
    let batch = arrow_bridge::to_arrow(df)?;
    let mut fields = Vec::with_capacity(batch.num_columns());
    let mut arrays = Vec::with_capacity(batch.num_columns());
    for (field, array) in batch.schema().fields().iter().zip(batch.columns()) {
        let dtype = flat_type(field.data_type());
        arrays.push(if dtype == *field.data_type() {
            Arc::clone(array)
        } else {
            cast(array, &dtype)?
        });
        fields.push(Field::new(field.name(), dtype, true));
    }
    Ok(RecordBatch::try_new(Arc::new(Schema::new(fields)), arrays)?)
}

fn flat_type(dtype: &DataType) -> DataType {
    let nested = |field: &Field| Arc::new(Field::new(field.name(), flat_type(field.data_type()), true));
    match dtype {
        DataType::Utf8View => DataType::LargeUtf8,
        DataType::BinaryView => DataType::LargeBinary,
        DataType::List(field) => DataType::List(nested(field)),
        DataType::LargeList(field) => DataType::LargeList(nested(field)),
        DataType::Struct(fields) => DataType::Struct(fields.iter().map(|field| nested(field)).collect()),
        other => other.clone(),
    }
}

#[allow(clippy::needless_pass_by_value, reason = "the shape that `map_err` takes")]
pub(super) fn error(error: PolarsError) -> RunError {
    RunError::Step {
        message: error.to_string(),
    }
}

/// Bytes of the texts of a frame, nested ones included.
#[derive(Debug, Default, Clone, Copy)]
struct Texts {
    /// 16 each, which polars' own estimate leaves out.
    views: u64,
    /// What the views show.
    shown: u64,
    /// What the buffers hold that the views point into.
    held: u64,
}

fn texts(df: &DataFrame) -> Texts {
    let mut texts = Texts::default();
    for series in df.columns().iter().filter_map(Column::as_series) {
        for chunk in series.chunks() {
            texts.look(chunk.as_ref());
        }
    }
    texts
}

impl Texts {
    fn look(&mut self, array: &dyn Array) {
        let any = array.as_any();
        if let Some(texts) = any.downcast_ref::<Utf8ViewArray>() {
            self.add(texts);
        } else if let Some(texts) = any.downcast_ref::<BinaryViewArray>() {
            self.add(texts);
        } else if let Some(lists) = any.downcast_ref::<ListArray<i64>>() {
            self.look(lists.values().as_ref());
        } else if let Some(fields) = any.downcast_ref::<StructArray>() {
            for field in fields.values() {
                self.look(field.as_ref());
            }
        }
    }

    fn add<T: ViewType + ?Sized>(&mut self, texts: &BinaryViewArrayGeneric<T>) {
        self.views += 16 * texts.len() as u64;
        self.shown += texts.total_bytes_len() as u64;
        let buffers = texts.data_buffers().iter();
        self.held += buffers.map(|buffer| buffer.len() as u64).sum::<u64>();
    }
}

#[cfg(test)]
mod tests {
    use polars::prelude::{NamedFrom, Series, df};

    use super::{compact, n_bytes, texts, without_slack};

    #[test]
    fn a_few_rows_of_a_large_frame_are_copied_out_of_it() {
        let long: Vec<String> = (0..10_000)
            .map(|n| format!("a text longer than a view {n}"))
            .collect();
        let few = df!("t" => long).unwrap().slice(17, 5);
        assert!(texts(&few).held > 200_000);
        let own = without_slack(few.clone()).unwrap();
        assert!(texts(&own).held < 1000, "{:?}", texts(&own));
        assert_eq!(own, few);
        assert_eq!(without_slack(own.clone()).unwrap(), own);
    }

    #[test]
    fn short_texts_in_lists_count_with_their_views() {
        let words = Series::new("".into(), ["a", "b", "c", "d"]);
        let lists = df!("l" => vec![words; 100]).unwrap();
        assert!(n_bytes(&lists) >= 400 * 17, "{}", n_bytes(&lists));
        assert_eq!(compact(&lists).unwrap(), lists);
    }
}

//! Rows of published parts, read again where they go into new ones: compaction, changed objects, days of one object.

use std::ops::Range;
use std::sync::Arc;

use arrow::array::RecordBatch;
use arrow::compute::{CastOptions, cast_with_options};
use arrow::datatypes::SchemaRef;
use chrono::DateTime;
use parquet::arrow::arrow_reader::{RowSelection, RowSelector};
use tokio::runtime::Handle;

use super::RunError;
use super::work::Copy;
use crate::dataset::parquet::RowStream;
use crate::storage::{Object, Store};

/// Reads the rows of one part that stay, in batches of the columns of the parts to be written.
pub(super) struct PartReader {
    stream: RowStream,
    schema: SchemaRef,
    location: String,
}

impl PartReader {
    /// Opens the part and checks that it is the one that its commit speaks of. Blocks.
    pub fn open(handle: &Handle, table: &Store, copy: &Copy, schema: &SchemaRef) -> Result<Self, RunError> {
        let object = Object {
            key: copy.part.path.clone(),
            size: copy.part.bytes,
            modified: DateTime::UNIX_EPOCH,
            etag: None,
        };
        let stream = handle.block_on(RowStream::open(table, &object, selection(&copy.rows)))?;
        let reader = Self {
            location: table.location(&object.key).to_string(),
            schema: Arc::clone(schema),
            stream,
        };
        let n_rows = reader.stream.n_rows();
        if n_rows == copy.part.rows {
            return Ok(reader);
        }
        Err(reader.unreadable(&format!(
            "it has {n_rows} rows, its commit says {}: somebody else wrote it",
            copy.part.rows
        )))
    }

    /// The next rows; none at the end. Blocks.
    pub fn next(&mut self, handle: &Handle) -> Result<Option<RecordBatch>, RunError> {
        let batch = handle.block_on(self.stream.next())?;
        batch.map(|batch| self.conform(&batch)).transpose()
    }

    /// The columns as the writer has them: Parquet keeps neither string views nor names inside lists.
    fn conform(&self, batch: &RecordBatch) -> Result<RecordBatch, RunError> {
        let names = |schema: &SchemaRef| -> Vec<String> {
            schema.fields().iter().map(|field| field.name().clone()).collect()
        };
        let (theirs, ours) = (names(&batch.schema()), names(&self.schema));
        if theirs != ours {
            return Err(self.unreadable(&format!(
                "its columns are {}, the job writes {}: run the day with --replace",
                theirs.join(", "),
                ours.join(", ")
            )));
        }
        // A value that does not fit is an error, not null.
        let strict = CastOptions {
            safe: false,
            ..CastOptions::default()
        };
        let columns: Result<Vec<_>, _> = batch
            .columns()
            .iter()
            .zip(self.schema.fields())
            .map(|(column, field)| cast_with_options(column, field.data_type(), &strict))
            .collect();
        columns
            .and_then(|columns| RecordBatch::try_new(Arc::clone(&self.schema), columns))
            .map_err(|error| self.unreadable(&error.to_string()))
    }

    fn unreadable(&self, message: &str) -> RunError {
        RunError::PartUnreadable {
            location: self.location.clone(),
            message: message.to_owned(),
        }
    }
}

fn selection(rows: &[Range<u64>]) -> RowSelection {
    let count = |n: u64| usize::try_from(n).unwrap_or(usize::MAX);
    let mut at = 0;
    let mut selectors = Vec::with_capacity(2 * rows.len());
    for range in rows {
        if range.start > at {
            selectors.push(RowSelector::skip(count(range.start - at)));
        }
        selectors.push(RowSelector::select(count(range.end - range.start)));
        at = range.end;
    }
    RowSelection::from(selectors)
}

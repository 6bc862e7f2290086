//! The rows of an input in memory, by its declared schema, within a bound. Records that do not fit the schema are rejects.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use bytes::Bytes;
use futures::StreamExt as _;
use polars::prelude::DataFrame;
use thiserror::Error;
use tokio::sync::mpsc::{Receiver, Sender, channel};

use super::InputSource;
use crate::base::{Accuracy, Cancel, units};
use crate::dataset::decode::{Batch, Decoder, Drift, InputError, ObjectRef};
use crate::dataset::page::unreadable;
use crate::dataset::stack::fit_columns;
use crate::dataset::{Codec, FileFormat, Format, PageError, Reason, Reject, SchemaError, origin, parquet};
use crate::storage::{Object, PieceReader, StorageError, Store};

/// A larger file comes piece by piece.
const WHOLE_BYTES: u64 = 1 << 20;
/// Files that are asked for at once.
const CONCURRENT_READS: usize = 16;
/// Rows of a Parquet file that are read at once.
const PARQUET_ROWS: u64 = 128 << 10;
/// Rejects that are kept with their text; all are counted.
const MAX_REJECTS: usize = 1000;
/// What finding a row by its key takes besides the row.
const INDEX_BYTES: u64 = 32;
const VIEW_BYTES: u64 = 16;

/// How much may be read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct InputLimits {
    /// More is an error.
    pub max_bytes: u64,
    /// What is beyond is left out; none leaves nothing out.
    pub max_rows: Option<u64>,
}

/// What was read.
#[derive(Debug, Clone)]
pub struct InputRows {
    /// Declared columns, then the origin columns.
    pub df: DataFrame,
    /// Full locations of the files, by their number in the origin columns.
    pub objects: Vec<String>,
    /// Whether all rows were read.
    pub accuracy: Accuracy,
    /// In memory, with what finding rows takes.
    pub n_bytes: u64,
    /// The first of them.
    pub rejects: Vec<Reject>,
    /// All of them.
    pub by_reason: BTreeMap<Reason, u64>,
    /// Files that could not be read to their end.
    pub n_files_failed: u64,
    /// Keys that no field declares, and values of other types.
    pub drift: Drift,
}

/// Why an input has no rows.
#[derive(Debug, Error)]
pub enum InputReadError {
    #[error(transparent)]
    Storage(#[from] StorageError),
    #[error(transparent)]
    Input(#[from] InputError),
    #[error(transparent)]
    Schema(#[from] SchemaError),
    #[error(
        "its rows take more than {} in memory, after {} of {}: declare fewer of its columns, or aggregate it first",
        units::bytes(*max_bytes), units::count(*n_files), units::plural(*of, "file")
    )]
    TooLarge { max_bytes: u64, n_files: u64, of: u64 },
    #[error("{message}")]
    Page { message: String },
    #[error("cancelled")]
    Cancelled,
}

impl InputRows {
    pub fn n_rejects(&self) -> u64 {
        self.by_reason.values().sum()
    }
}

impl InputSource {
    /// Reads `objects` (a listing of the input) in their order.
    ///
    /// # Errors
    /// [`InputReadError::TooLarge`] beyond the limit, and what the storage fails with. Broken files are rejects.
    pub async fn read(
        &self,
        store: &Store,
        objects: &[Object],
        limits: InputLimits,
        cancel: &Cancel,
    ) -> Result<InputRows, InputReadError> {
        let names: Vec<String> = objects
            .iter()
            .map(|object| store.location(&object.key).to_string())
            .collect();
        let mut gathered = Gathered::new(self, limits, names);
        match self.format {
            Format::Parquet => self.read_parquet(store, objects, &mut gathered, cancel).await?,
            Format::Jsonl => gathered = self.read_jsonl(store, objects, gathered, cancel).await?,
        }
        cancel.check().map_err(|_| InputReadError::Cancelled)?;
        Ok(gathered.finish())
    }

    async fn read_parquet(
        &self,
        store: &Store,
        objects: &[Object],
        gathered: &mut Gathered,
        cancel: &Cancel,
    ) -> Result<(), InputReadError> {
        let columns: Vec<&str> = self
            .schema
            .fields
            .iter()
            .map(|field| field.name.as_str())
            .collect();
        for (index, object) in (0_u32..).zip(objects) {
            let mut start = 0;
            loop {
                let rows = start..start + PARQUET_ROWS;
                let head = parquet::read_columns(store, object, index, rows, &columns, cancel).await;
                let fitted = match head {
                    Ok(head) => self.fitted(&head.df).map(|df| (df, head.n_rows)),
                    Err(PageError::CorruptParquet { reason, .. }) => Err(reason),
                    Err(PageError::Storage(error)) => return Err(error.into()),
                    Err(PageError::Cancelled) => return Err(InputReadError::Cancelled),
                    Err(other) => Err(other.to_string()),
                };
                match fitted {
                    Ok((df, n_rows)) => {
                        gathered.add(df, index)?;
                        start += PARQUET_ROWS;
                        if start >= n_rows {
                            break;
                        }
                    }
                    Err(reason) => {
                        let name = gathered.names.get(index as usize).cloned().unwrap_or_default();
                        gathered.reject(unreadable(&name, &reason));
                        break;
                    }
                }
                if gathered.is_full {
                    return Ok(());
                }
            }
        }
        Ok(())
    }

    /// `df` with the declared columns and types.
    fn fitted(&self, df: &DataFrame) -> Result<DataFrame, String> {
        let has = |name: &str| df.column(name).is_ok();
        if !self.schema.fields.iter().any(|field| has(&field.name)) {
            return Err("none of the declared columns is there".to_owned());
        }
        let required = self.schema.fields.iter().filter(|field| field.required);
        if let Some(field) = required.into_iter().find(|field| !has(&field.name)) {
            return Err(format!("column `{}` is missing", field.name));
        }
        fit_columns(df, &self.schema.to_polars()).map(|fitted| fitted.df)
    }

    /// Brings the files, small ones side by side, to a thread that decodes them.
    async fn read_jsonl(
        &self,
        store: &Store,
        objects: &[Object],
        gathered: Gathered,
        cancel: &Cancel,
    ) -> Result<Gathered, InputReadError> {
        let decoder = Decoder::new(Arc::clone(&self.schema), self.decode.clone())?;
        let (files, queue) = channel(CONCURRENT_READS);
        let stop = cancel.clone();
        let decoding = tokio::task::spawn_blocking(move || decode(decoder, gathered, queue, &stop));
        let fetched = async {
            let reads = objects.iter().enumerate().map(|(index, object)| async move {
                let codec = FileFormat::of_key(&object.key).map(|format| format.codec);
                let content = if object.size == 0 {
                    Ok(Content::Whole(Bytes::new()))
                } else if object.size <= WHOLE_BYTES {
                    store.get(&object.key).await.map(Content::Whole)
                } else {
                    Ok(Content::Later(object))
                };
                (index, codec.unwrap_or_default(), content)
            });
            let mut reads = futures::stream::iter(reads.collect::<Vec<_>>()).buffered(CONCURRENT_READS);
            while let Some((index, codec, content)) = reads.next().await {
                let sent = match content? {
                    Content::Whole(bytes) => files.send((index, codec, File::Whole(bytes))).await,
                    Content::Later(object) => {
                        let (pieces, reader) = channel(4);
                        let reader = PieceReader::new(reader, object.size);
                        let sent = files.send((index, codec, File::Pieces(reader))).await;
                        if sent.is_ok() {
                            feed(store, object, &pieces).await;
                        }
                        sent
                    }
                };
                // The decoder has enough, or failed and says so itself.
                if sent.is_err() {
                    break;
                }
            }
            drop(files);
            Ok::<_, StorageError>(())
        };
        fetched.await?;
        decoding.await.map_err(|error| InputReadError::Page {
            message: format!("the decoder stopped: {error}"),
        })?
    }
}

/// A file as it is fetched.
enum Content<'a> {
    Whole(Bytes),
    /// Piece by piece, when its turn comes.
    Later(&'a Object),
}

/// A file as it is decoded.
enum File {
    Whole(Bytes),
    Pieces(PieceReader),
}

async fn feed(store: &Store, object: &Object, pieces: &Sender<Result<Bytes, StorageError>>) {
    let mut stream = match store.get_stream(&object.key).await {
        Ok(stream) => stream,
        Err(error) => {
            let _reader_gone = pieces.send(Err(error)).await;
            return;
        }
    };
    while let Some(piece) = stream.next().await {
        if pieces.send(piece).await.is_err() {
            return;
        }
    }
}

fn decode(
    mut decoder: Decoder,
    mut gathered: Gathered,
    mut queue: Receiver<(usize, Codec, File)>,
    cancel: &Cancel,
) -> Result<Gathered, InputReadError> {
    while let Some((index, codec, file)) = queue.blocking_recv() {
        let index = u32::try_from(index).unwrap_or(u32::MAX);
        let name = gathered.names.get(index as usize).cloned().unwrap_or_default();
        let object = ObjectRef {
            index,
            name: &name,
            first_line: 1,
            first_offset: 0,
        };
        let mut failed = None;
        let mut take = |batch: Batch| {
            failed = gathered.take(batch, index).err();
            failed.is_none() && !gathered.is_full && !cancel.is_cancelled()
        };
        match file {
            File::Whole(bytes) => decoder.read(object, codec, bytes.as_ref(), &mut take)?,
            File::Pieces(reader) => decoder.read(object, codec, reader, &mut take)?,
        }
        if let Some(error) = failed {
            return Err(error);
        }
        if gathered.is_full || cancel.is_cancelled() {
            return Ok(gathered);
        }
    }
    if let Some(batch) = decoder.finish() {
        let last = u32::try_from(gathered.names.len()).unwrap_or(u32::MAX);
        gathered.take(batch, last.saturating_sub(1))?;
    }
    gathered.drift = decoder.drift().clone();
    Ok(gathered)
}

/// Rows and rejects so far.
struct Gathered {
    df: DataFrame,
    names: Vec<String>,
    limits: InputLimits,
    n_bytes: u64,
    /// More rows are there, and none are wanted.
    is_full: bool,
    rejects: Vec<Reject>,
    by_reason: BTreeMap<Reason, u64>,
    failed: BTreeSet<String>,
    drift: Drift,
}

impl Gathered {
    fn new(source: &InputSource, limits: InputLimits, names: Vec<String>) -> Self {
        Self {
            df: DataFrame::empty_with_schema(&origin::with_origin(&source.schema.to_polars())),
            names,
            limits,
            n_bytes: 0,
            is_full: false,
            rejects: Vec::new(),
            by_reason: BTreeMap::new(),
            failed: BTreeSet::new(),
            drift: Drift::default(),
        }
    }

    fn take(&mut self, batch: Batch, index: u32) -> Result<(), InputReadError> {
        for reject in batch.rejects {
            self.reject(reject);
        }
        self.add(batch.df, index)
    }

    /// Adds rows of the file with this number, as far as they are wanted.
    fn add(&mut self, mut df: DataFrame, index: u32) -> Result<(), InputReadError> {
        let n_rows = self.df.height() as u64;
        if let Some(max_rows) = self.limits.max_rows
            && n_rows + df.height() as u64 > max_rows
        {
            df = df.head(usize::try_from(max_rows - n_rows.min(max_rows)).ok());
            self.is_full = true;
        }
        // Of a text, polars' own estimate leaves out the view.
        let n_texts = df
            .columns()
            .iter()
            .filter(|column| column.dtype().is_string())
            .count() as u64;
        let row_bytes = INDEX_BYTES + VIEW_BYTES * n_texts;
        self.n_bytes += df.estimated_size() as u64 + row_bytes * df.height() as u64;
        if self.n_bytes > self.limits.max_bytes {
            return Err(InputReadError::TooLarge {
                max_bytes: self.limits.max_bytes,
                n_files: u64::from(index) + 1,
                of: self.names.len() as u64,
            });
        }
        self.df
            .vstack_mut_owned(df)
            .map_err(|error| InputReadError::Page {
                message: error.to_string(),
            })?;
        Ok(())
    }

    fn reject(&mut self, reject: Reject) {
        *self.by_reason.entry(reject.reason).or_default() += 1;
        if reject.reason.is_of_file() {
            self.failed.insert(reject.object.clone());
        }
        if self.rejects.len() < MAX_REJECTS {
            self.rejects.push(reject);
        }
    }

    fn finish(mut self) -> InputRows {
        self.df.rechunk_mut();
        let accuracy = if self.is_full {
            Accuracy::Sample {
                n: self.df.height() as u64,
                of: None,
            }
        } else {
            Accuracy::Exact
        };
        InputRows {
            df: self.df,
            objects: self.names,
            accuracy,
            n_bytes: self.n_bytes,
            rejects: self.rejects,
            by_reason: self.by_reason,
            n_files_failed: self.failed.len() as u64,
            drift: self.drift,
        }
    }
}

#[cfg(test)]
#[path = "read_tests.rs"]
mod tests;

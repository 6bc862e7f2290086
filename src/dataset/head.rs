//! The first bytes of an object by ranged requests: what format it has, and its first lines without the rest.

use std::ops::ControlFlow;
use std::sync::Arc;

use super::decode::{Batch, DecodeOptions, Decoder, ObjectRef, actual_codec};
use super::{Codec, FileFormat, Format, PageError, Schema};
use crate::base::Cancel;
use crate::storage::{Object, Store};

const FIRST_BYTES: u64 = 256 << 10;
/// Each next range is so many times larger, so that reading the heads again costs little.
const GROWTH: u64 = 4;
const MAX_STEP_BYTES: u64 = 64 << 20;
const MAGIC_BYTES: u64 = 64;
/// Read from disk at once.
const LOCAL_PIECE_BYTES: u64 = 4 << 20;
/// A head is held in memory, so it ends here, whatever it gave: a page of a file of broken or endless lines is short.
const MAX_HEAD_BYTES: u64 = 64 << 20;

/// What the bytes at hand are of their object.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Extent {
    /// A head; a longer one can be had.
    Head,
    /// The longest head there is, of a longer object.
    LongestHead,
    Whole,
}

/// Format and codec of an object: by its name, else by its first bytes.
///
/// # Errors
/// [`PageError::UnknownFormat`] for an object that is neither.
pub async fn format_of(store: &Store, object: &Object) -> Result<FileFormat, PageError> {
    if let Some(format) = FileFormat::of_key(&object.key) {
        return Ok(format);
    }
    let unknown = |reason: &str| PageError::UnknownFormat {
        object: store.location(&object.key).to_string(),
        reason: reason.to_owned(),
    };
    if object.size == 0 {
        return Err(unknown("it is empty and its name has no known ending"));
    }
    let head = store
        .get_range(&object.key, 0, MAGIC_BYTES.min(object.size))
        .await?;
    if head.starts_with(b"PAR1") {
        return Ok(FileFormat {
            format: Format::Parquet,
            codec: Codec::None,
        });
    }
    let text = head.strip_prefix(b"\xef\xbb\xbf").unwrap_or(&head);
    let codec = actual_codec(Codec::None, &head);
    let is_json = text.trim_ascii_start().first() == Some(&b'{');
    if codec != Codec::None || is_json {
        return Ok(FileFormat {
            format: Format::Jsonl,
            codec,
        });
    }
    let mut shown = String::from_utf8_lossy(head.get(..16).unwrap_or(&head)).into_owned();
    shown.retain(|c| !c.is_control());
    Err(unknown(&format!(
        "it begins with `{shown}`; give it an ending (.jsonl, .jsonl.gz, .jsonl.zst, .parquet) or leave it out"
    )))
}

/// Hands growing heads of an object to `read` until that is content. `read` gets all bytes from the start, and what
/// they are of the object; after the longest head nothing comes.
///
/// # Errors
/// [`PageError::Storage`] and [`PageError::Cancelled`], and what `read` fails with.
pub(super) async fn grow<T, F>(
    store: &Store,
    object: &Object,
    cancel: &Cancel,
    mut read: F,
) -> Result<Option<T>, PageError>
where
    T: Send + 'static,
    F: FnMut(&[u8], Extent) -> Result<ControlFlow<T>, PageError> + Send + 'static,
{
    let mut head: Vec<u8> = Vec::new();
    loop {
        cancel.check().map_err(|_| PageError::Cancelled)?;
        let start = head.len() as u64;
        let step = if start == 0 {
            FIRST_BYTES
        } else {
            (start * (GROWTH - 1)).min(MAX_STEP_BYTES)
        };
        let end = (start + step).min(MAX_HEAD_BYTES).min(object.size);
        let mut is_whole = end >= object.size;
        if end > start {
            // A request costs time; a read from disk does not, and one of many megabytes holds whoever cancels.
            let piece = if store.is_s3() { step } else { LOCAL_PIECE_BYTES };
            let mut at = start;
            while at < end {
                let until = (at + piece).min(end);
                let bytes = cancel.until(store.get_range(&object.key, at, until)).await;
                let bytes = bytes.map_err(|_| PageError::Cancelled)??;
                head.extend_from_slice(&bytes);
                at = until;
                // An object that shrank since it was listed ends here.
                if head.len() as u64 != at {
                    is_whole = true;
                    break;
                }
            }
        }
        let extent = match (is_whole, end >= MAX_HEAD_BYTES) {
            (true, _) => Extent::Whole,
            (false, true) => Extent::LongestHead,
            (false, false) => Extent::Head,
        };
        // Decoding is work for a thread that may block; a panic in it is this object's error.
        let reading = tokio::task::spawn_blocking(move || {
            let answer = read(&head, extent);
            (answer, head, read)
        });
        let (answer, bytes, reader) = reading.await.map_err(|error| PageError::Decode {
            message: format!("{}: reading stopped: {error}", store.location(&object.key)),
        })?;
        if let ControlFlow::Break(answer) = answer? {
            return Ok(Some(answer));
        }
        (head, read) = (bytes, reader);
        if extent != Extent::Head {
            return Ok(None);
        }
    }
}

/// The first rows of a JSONL object.
pub(super) struct Rows {
    pub(super) batches: Vec<Batch>,
    /// Whether these are all its lines.
    pub(super) is_whole: bool,
}

/// Decodes the head of a JSONL object until it gave `n_rows` rows.
pub(super) async fn read_rows(
    store: &Store,
    object: &Object,
    index: u32,
    codec: Codec,
    schema: &Arc<Schema>,
    n_rows: usize,
    cancel: &Cancel,
) -> Result<Rows, PageError> {
    let name = store.location(&object.key).to_string();
    let (schema, stop) = (Arc::clone(schema), cancel.clone());
    let options = DecodeOptions {
        batch_bytes: 256 << 10,
        ..DecodeOptions::default()
    };
    let rows = grow(store, object, cancel, move |head, extent| {
        let is_whole = extent == Extent::Whole;
        let decode_error = |message: String| PageError::Decode { message };
        let mut decoder = Decoder::new(Arc::clone(&schema), options.clone())
            .map_err(|error| decode_error(error.to_string()))?;
        let object = ObjectRef {
            index,
            name: &name,
            first_line: 1,
            first_offset: 0,
        };
        let mut batches: Vec<Batch> = Vec::new();
        let mut n = 0;
        let mut has_stopped = false;
        let sink = &mut |batch: Batch| {
            n += batch.df.height();
            batches.push(batch);
            has_stopped = n >= n_rows || stop.is_cancelled();
            !has_stopped
        };
        let outcome = if is_whole {
            decoder.read(object, codec, head, sink)
        } else {
            decoder.read_head(object, codec, head, sink)
        };
        outcome.map_err(|error| decode_error(error.to_string()))?;
        if let Some(batch) = decoder.finish() {
            n += batch.df.height();
            batches.push(batch);
        }
        if extent == Extent::LongestHead && batches.is_empty() {
            // One endless line: it is a reject, not a file of nothing.
            decoder
                .read(object, codec, head, &mut |_| false)
                .map_err(|error| decode_error(error.to_string()))?;
            batches.extend(decoder.finish());
        }
        if extent == Extent::Head && n < n_rows {
            return Ok(ControlFlow::Continue(()));
        }
        Ok(ControlFlow::Break(Rows {
            batches,
            is_whole: is_whole && !has_stopped,
        }))
    })
    .await?;
    cancel.check().map_err(|_| PageError::Cancelled)?;
    Ok(rows.unwrap_or(Rows {
        batches: Vec::new(),
        is_whole: true,
    }))
}

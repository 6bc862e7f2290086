//! The JSONL decoder: bytes → lines → rows of the declared schema, and rejects. Used alike by preview and run.

use std::collections::BTreeMap;
use std::io::Read;
use std::sync::Arc;

use polars::prelude::DataFrame;
use serde::{Deserialize, Serialize};
use thiserror::Error;

use super::{Codec, Reject, Schema, SchemaError};

/// Limits of decoding.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DecodeOptions {
    /// A longer line is one reject; it is skipped without being held in memory.
    pub max_line_bytes: usize,
    /// A batch is handed out when it holds this many decompressed bytes.
    pub batch_bytes: usize,
}

impl Default for DecodeOptions {
    fn default() -> Self {
        Self {
            max_line_bytes: 1 << 20,
            batch_bytes: 16 << 20,
        }
    }
}

/// The object whose bytes are being read.
#[derive(Debug, Clone, Copy)]
pub struct ObjectRef<'a> {
    /// Index that rows carry in [`super::origin::OBJECT`].
    pub index: u32,
    /// Full location, for rejects.
    pub name: &'a str,
    /// Line number of the first line in `input` (1 at the object's start).
    pub first_line: u64,
    /// Byte offset of `input`'s first byte in the object.
    pub first_offset: u64,
}

/// A key that the schema does not declare.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct UnknownKey {
    pub n: u64,
    pub first_object: String,
    pub first_line: u64,
}

/// How the data differ from the contract, by path of the key. Mergeable.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Drift {
    pub unknown: BTreeMap<String, UnknownKey>,
}

/// Decoded rows and what could not be decoded. `rows + rejects = lines that are not blank`.
#[derive(Debug, Clone)]
pub struct Batch {
    /// Declared fields in order, then the hidden origin columns.
    pub df: DataFrame,
    pub rejects: Vec<Reject>,
    /// Lines that are not blank.
    pub n_records: u64,
    /// Decompressed bytes.
    pub n_bytes: u64,
}

/// The raw input failed (network, disk): no fault of the data, so nothing is quarantined.
#[derive(Debug, Error)]
#[error("{object}: {source}")]
pub struct InputError {
    pub object: String,
    pub source: std::io::Error,
}

/// Decodes objects one after another into batches.
#[derive(Debug)]
pub struct Decoder {
    schema: Arc<Schema>,
    options: DecodeOptions,
    drift: Drift,
}

impl Decoder {
    /// # Errors
    /// [`SchemaError`] for doubled or reserved field names.
    pub fn new(schema: Arc<Schema>, options: DecodeOptions) -> Result<Self, SchemaError> {
        Ok(Self {
            schema,
            options,
            drift: Drift::default(),
        })
    }

    /// Reads `input` (bytes as stored; decompressed here) to its end. Each full batch goes to `sink`; what is left
    /// stays for the next object or [`Decoder::finish`]. `sink` answers `false` to stop early.
    ///
    /// # Errors
    /// [`InputError`] when `input` itself fails. Broken compression and broken records are rejects.
    pub fn read(
        &mut self,
        object: ObjectRef<'_>,
        codec: Codec,
        input: impl Read,
        sink: &mut dyn FnMut(Batch) -> bool,
    ) -> Result<(), InputError> {
        let _ = (&self.schema, &self.options, object, codec, input, sink);
        Ok(())
    }

    /// The rows and rejects since the last full batch; none when there are no lines left.
    pub fn finish(&mut self) -> Option<Batch> {
        None
    }

    /// Unknown keys since the decoder was made.
    pub fn drift(&self) -> &Drift {
        &self.drift
    }
}

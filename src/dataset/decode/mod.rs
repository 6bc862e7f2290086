//! The JSONL decoder: bytes → lines → rows of the declared schema, and rejects. Used alike by preview and run.
//!
//! | file | answers |
//! |---|---|
//! | `codec` | which codec the bytes really have, and what they are decompressed |
//! | `decompress` | the decompressed bytes, all of them up to where the data break |
//! | `meter` | whether a file takes too long, or decompresses to too much |
//! | `lines` | where lines start and end |
//! | `record` | what tokens a line has, and what is wrong with it |
//! | `members`, `value` | which column a key goes to, and whether its value fits the type |
//! | `raw`, `number`, `time` | exact text, exact integers, moments |
//! | `columns`, `batch` | arrays and the frame |
//!
//! A panic inside leaves the decoder in an unknown state: drop it and make a new one.

mod batch;
#[cfg(test)]
mod border_properties;
mod codec;
mod columns;
mod count;
mod decompress;
mod drift;
#[cfg(test)]
mod limit_tests;
#[cfg(test)]
mod line_properties;
mod lines;
mod members;
mod meter;
mod number;
#[cfg(test)]
mod properties;
mod raw;
mod record;
#[cfg(test)]
mod tests;
mod time;
mod value;

use std::collections::BTreeMap;
use std::io::Read;
use std::sync::Arc;
use std::time::{Duration, Instant};

use polars::prelude::DataFrame;
use simd_json::{Node, Tape};
use thiserror::Error;

use self::columns::Column;
use self::lines::{LineOptions, Lines, Next, Place, RAW_BYTES};
use self::members::Members;
use self::meter::Limits;
use self::raw::RawCursor;
use self::record::{Fault, Record, Scratch};
use super::{Codec, Reason, Reject, Schema, SchemaError, Stage};

pub use codec::actual_codec;
pub(super) use count::count_lines;
pub use drift::{Drift, Mismatch, UnknownKey};

/// What a reject weighs in the batch's budget besides its text.
const REJECT_BYTES: usize = 512;

/// Limits of decoding.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DecodeOptions {
    /// A longer line is one reject; it is skipped without being held in memory.
    pub max_line_bytes: usize,
    /// A batch is handed out when it holds this many decompressed bytes.
    pub batch_bytes: usize,
    /// Time that decoding one object may take, without waiting for its bytes. The rest of a slower one is one reject.
    pub timeout: Option<Duration>,
    /// Decompressed bytes for each compressed one, past the first 64 MiB. The rest of an object beyond is one reject.
    pub max_expansion: Option<u64>,
}

impl Default for DecodeOptions {
    fn default() -> Self {
        Self {
            max_line_bytes: 1 << 20,
            batch_bytes: 16 << 20,
            timeout: None,
            max_expansion: None,
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

/// Decoded rows and what could not be decoded. `rows + rejects = n_records`.
#[derive(Debug, Clone)]
pub struct Batch {
    /// Declared fields in order, then the hidden origin columns.
    pub df: DataFrame,
    pub rejects: Vec<Reject>,
    /// Lines that are not blank. Where compressed data end too early or break, or a limit of the object is passed, that
    /// place counts as one line, also when it is between two.
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
pub struct Decoder {
    schema: Arc<Schema>,
    options: DecodeOptions,
    drift: Drift,
    members: Members,
    /// Bytes a row takes at least in memory, whatever its line has.
    row_bytes: usize,
    rows: Rows,
    rejects: Vec<Reject>,
    n_bytes: u64,
    /// Lines parsed since the decoder was made.
    n_parsed: u64,
    /// What the batch under way weighs against [`DecodeOptions::batch_bytes`].
    weight: usize,
    scratch: Scratch,
    tape: Tape<'static>,
}

/// Where the rows under construction came from.
#[derive(Debug, Default)]
struct Rows {
    objects: Vec<u32>,
    lines: Vec<u64>,
    offsets: Vec<u64>,
    /// Rows that a fault cut: in the columns, but no part of the batch.
    broken: Vec<usize>,
}

impl std::fmt::Debug for Decoder {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Decoder")
            .field("schema", &self.schema)
            .field("options", &self.options)
            .field("n_rows", &self.rows.lines.len())
            .finish_non_exhaustive()
    }
}

impl Decoder {
    /// # Errors
    /// [`SchemaError`] for doubled or reserved field names, and for a `parse` or `accept` that does not fit its type.
    pub fn new(schema: Arc<Schema>, options: DecodeOptions) -> Result<Self, SchemaError> {
        Self::with_columns(schema, options, None)
    }

    /// As [`Decoder::new`], for only these columns of the schema. The values of others are not looked at: they may be of
    /// any type.
    ///
    /// # Errors
    /// As [`Decoder::new`].
    pub fn with_columns(
        schema: Arc<Schema>,
        options: DecodeOptions,
        names: Option<&[String]>,
    ) -> Result<Self, SchemaError> {
        schema.validate()?;
        let columns = schema
            .fields
            .iter()
            .map(|field| {
                let column = if names.is_none_or(|names| names.contains(&field.name)) {
                    Column::new(field, schema.on_mismatch)
                } else {
                    Column::skipped(field)
                };
                (field.name.as_str(), field.required, column)
            })
            .collect();
        let members = Members::new(String::new(), columns);
        Ok(Self {
            options,
            drift: Drift::default(),
            row_bytes: members.row_bytes() + 20,
            members,
            rows: Rows::default(),
            rejects: Vec::new(),
            n_bytes: 0,
            n_parsed: 0,
            weight: 0,
            scratch: Scratch::default(),
            tape: Tape(Vec::new()),
            schema,
        })
    }

    /// Reads `input` (bytes as stored; decompressed here) to its end. Each full batch goes to `sink`; what is left
    /// stays for the next object or [`Decoder::finish`]. `sink` answers `false` to stop early.
    ///
    /// The first bytes of an object decide over `codec`: a `.gz` that is plain text is read as such.
    ///
    /// # Errors
    /// [`InputError`] when `input` itself fails. Broken compression, broken records and passed limits are rejects.
    pub fn read(
        &mut self,
        object: ObjectRef<'_>,
        codec: Codec,
        input: impl Read,
        sink: &mut dyn FnMut(Batch) -> bool,
    ) -> Result<(), InputError> {
        self.read_part(object, codec, false, input, sink)
    }

    /// As [`Decoder::read`], for the first bytes of a longer object: what their end cuts is left out, not rejected.
    pub(super) fn read_head(
        &mut self,
        object: ObjectRef<'_>,
        codec: Codec,
        input: impl Read,
        sink: &mut dyn FnMut(Batch) -> bool,
    ) -> Result<(), InputError> {
        self.read_part(object, codec, true, input, sink)
    }

    fn read_part(
        &mut self,
        object: ObjectRef<'_>,
        codec: Codec,
        is_head: bool,
        input: impl Read,
        sink: &mut dyn FnMut(Batch) -> bool,
    ) -> Result<(), InputError> {
        let failed = |source| InputError {
            object: object.name.to_owned(),
            source,
        };
        let options = LineOptions {
            codec,
            first_line: object.first_line,
            first_offset: object.first_offset,
            max_line_bytes: self.options.max_line_bytes,
            is_head,
            limits: Limits {
                timeout: self.options.timeout,
                max_expansion: self.options.max_expansion,
            },
        };
        let mut lines = Lines::open(&options, input).map_err(failed)?;
        let mut n_bytes = 0;
        loop {
            let next = lines.next().map_err(failed)?;
            match next {
                Next::Line { at, bytes } => {
                    if !bytes.iter().all(u8::is_ascii_whitespace) {
                        self.line(object, at, bytes);
                    }
                }
                Next::TooLong { at, head, len } => {
                    let message = format!(
                        "the line has {len} bytes, more than max_line_bytes = {}",
                        self.options.max_line_bytes
                    );
                    let fault = Fault::new(Stage::Read, Reason::LineTooLong, message);
                    self.reject(object, at, head, len, fault);
                }
                Next::Broken {
                    at,
                    reason,
                    message,
                    partial,
                } => {
                    let message = broken(reason, message);
                    let fault = Fault::new(Stage::Read, reason, message);
                    self.reject(object, at, partial, partial.len() as u64, fault);
                    if let Some(reject) = self.rejects.last_mut() {
                        reject.is_raw_partial = true;
                    }
                }
                Next::End => return Ok(()),
            }
            self.n_bytes += lines.n_bytes() - n_bytes;
            n_bytes = lines.n_bytes();
            if self.weight >= self.options.batch_bytes
                && let Some(batch) = self.finish()
            {
                let handed_out = Instant::now();
                if !sink(batch) {
                    return Ok(());
                }
                lines.excuse(handed_out.elapsed());
            }
        }
    }

    /// Decodes one line that is not blank: one row or one reject.
    fn line(&mut self, object: ObjectRef<'_>, at: Place, line: &[u8]) {
        self.weight += line.len().max(self.row_bytes);
        self.n_parsed += 1;
        let row = self.rows.lines.len();
        let tape = std::mem::replace(&mut self.tape, Tape(Vec::new()));
        let outcome = match record::parse(line, &mut self.scratch, tape) {
            Ok((tape, has_big_numbers)) => {
                let mut record = Record {
                    tape: &tape.0,
                    line,
                    has_big_numbers,
                    cursor: RawCursor::default(),
                    depth: 0,
                    drift: &mut self.drift,
                    object: object.name,
                    line_number: at.line,
                    number: self.n_parsed,
                    on_missing: self.schema.on_missing,
                    on_unknown: self.schema.on_unknown,
                };
                let outcome = match record.node(0) {
                    Node::Object { len, .. } => {
                        let outcome = self.members.append(&mut record, 0, len);
                        if outcome.is_err() {
                            self.members.settle(row + 1);
                            self.members.forget_missing(self.n_parsed);
                            self.rows.broken.push(row);
                        }
                        self.rows.objects.push(object.index);
                        self.rows.lines.push(at.line);
                        self.rows.offsets.push(at.offset);
                        outcome
                    }
                    _ => Err(not_an_object(&mut record)),
                };
                self.tape = tape.reset();
                outcome
            }
            Err(fault) => Err(fault),
        };
        if let Err(fault) = outcome {
            self.reject(object, at, line, line.len() as u64, fault);
        }
    }

    fn reject(&mut self, object: ObjectRef<'_>, at: Place, raw: &[u8], byte_len: u64, fault: Fault) {
        let fault = *fault.0;
        let kept = raw.get(..RAW_BYTES).unwrap_or(raw);
        let text = String::from_utf8_lossy(kept);
        let is_exact = kept.len() as u64 == byte_len && matches!(text, std::borrow::Cow::Borrowed(_));
        self.weight += REJECT_BYTES + text.len();
        self.rejects.push(Reject {
            object: object.name.to_owned(),
            line: at.line,
            byte_offset: at.offset,
            byte_len,
            stage: fault.stage,
            reason: fault.reason,
            field: fault.field,
            expected: fault.expected,
            got: fault.got,
            step: None,
            message: fault.message,
            raw: text.into_owned(),
            is_raw_partial: !is_exact,
        });
    }

    /// The rows and rejects since the last full batch; none when there are no lines left.
    pub fn finish(&mut self) -> Option<Batch> {
        self.take_batch()
    }

    /// Unknown and mismatched keys since the decoder was made.
    pub fn drift(&self) -> &Drift {
        &self.drift
    }

    /// As [`Decoder::drift`], and it starts anew.
    pub fn take_drift(&mut self) -> Drift {
        std::mem::take(&mut self.drift)
    }

    /// Objects of good records that lacked a declared key, by its path (`location.city`), since this was last asked. A
    /// key with `null` is there. What a key would hold that is itself missing or null is not counted.
    pub fn take_missing(&mut self) -> BTreeMap<String, u64> {
        let mut missing = BTreeMap::new();
        self.members.take_missing(&mut missing);
        missing
    }
}

/// Why the bytes of an object end before the object does.
fn broken(reason: Reason, message: String) -> String {
    match reason {
        Reason::Truncated => {
            format!("the compressed data end too early; complete lines before are kept: {message}")
        }
        Reason::CorruptCodec => {
            format!("the compressed data are corrupt from here on; complete lines before are kept: {message}")
        }
        _ => message,
    }
}

/// Shows the whole lines in the first bytes of an object to `see`, with their numbers, until it answers `false`. Says why
/// where what is compressed ends before its end.
pub(super) fn each_line(
    codec: Codec,
    head: &[u8],
    is_whole: bool,
    see: &mut dyn FnMut(u64, &[u8]) -> bool,
) -> Option<String> {
    let options = LineOptions {
        codec,
        first_line: 1,
        first_offset: 0,
        max_line_bytes: DecodeOptions::default().max_line_bytes,
        is_head: !is_whole,
        limits: Limits::default(),
    };
    // Bytes in memory do not fail.
    let mut lines = Lines::open(&options, head).ok()?;
    loop {
        match lines.next() {
            Ok(Next::Line { at, bytes }) => {
                if !see(at.line, bytes) {
                    return None;
                }
            }
            Ok(Next::TooLong { .. }) => {}
            Ok(Next::Broken {
                at, reason, message, ..
            }) => {
                return Some(format!("line {}: {}", at.line, broken(reason, message)));
            }
            Ok(Next::End) | Err(_) => return None,
        }
    }
}

fn not_an_object(record: &mut Record<'_>) -> Fault {
    let got = record.describe(0);
    let message = format!("a record is a JSON object, this line is {got}");
    Fault::new(Stage::Parse, Reason::NotAnObject, message)
        .expected("object")
        .got(got)
}

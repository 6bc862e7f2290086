//! A record that could not be read or computed, with everything needed to find and mend it.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Where on its way a record was rejected.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Stage {
    Read,
    Decode,
    Parse,
    Schema,
    Transform,
}

/// Why, as a word that reports count by.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Reason {
    /// Compressed data that end too early; complete lines before are kept.
    Truncated,
    /// Compressed data that do not decompress.
    CorruptCodec,
    /// A file that is neither format, whose footer is broken, or whose columns do not fit those before.
    UnreadableFile,
    /// A file whose decoding took too long, from the line that was reached on.
    Deadline,
    /// Compressed data that decompress to too much, from the line that was reached on.
    ExpansionTooLarge,
    /// A file on which the decoder panicked, from the batch that was under way on.
    DecoderPanic,
    /// A file that killed the process which decoded it or ran the steps on it; nothing of it was read.
    Crash,
    LineTooLong,
    InvalidUtf8,
    InvalidJson,
    NotAnObject,
    DuplicateKey,
    NumberOutOfRange,
    MissingField,
    UnknownField,
    TypeMismatch,
    /// A step could not compute the record.
    StepFailed,
}

impl Reason {
    /// Whether it stands for all that is left of a file, whose number of records is not known.
    pub fn is_of_file(self) -> bool {
        matches!(
            self,
            Self::Truncated
                | Self::CorruptCodec
                | Self::UnreadableFile
                | Self::Deadline
                | Self::ExpansionTooLarge
                | Self::DecoderPanic
                | Self::Crash
        )
    }

    /// The word that reports, quarantine and their readers have for it.
    pub fn word(self) -> String {
        match serde_json::to_value(self) {
            Ok(serde_json::Value::String(word)) => word,
            _ => String::new(),
        }
    }
}

/// A file that was not read to its end.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct FailedFile {
    /// Full location.
    pub object: String,
    /// Why, for people.
    pub reason: String,
}

/// One rejected record.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Reject {
    /// Full location of the object.
    pub object: String,
    /// 1-based; for `truncated`, the line that was cut.
    pub line: u64,
    /// In the decompressed object.
    pub byte_offset: u64,
    pub byte_len: u64,
    pub stage: Stage,
    pub reason: Reason,
    /// Path of the field, such as `location.city`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub field: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub expected: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub got: Option<String>,
    /// Number and name of the step, for [`Reason::StepFailed`].
    #[serde(skip_serializing_if = "Option::is_none")]
    pub step: Option<String>,
    /// One sentence for people.
    pub message: String,
    /// The record as read, cut after 64 KiB. Invalid UTF-8 is shown with replacement characters.
    pub raw: String,
    /// Whether `raw` was cut or is not the exact bytes.
    pub is_raw_partial: bool,
}

//! What bytes mean: formats and codecs, the declared schema, the JSONL decoder, Parquet footers, pages and rejects.
//!
//! Leaves to `storage` where bytes are, and to `transform` what is computed from rows.

pub mod arrow_bridge;
mod count;
pub mod decode;
mod footers;
mod format;
mod head;
pub mod infer;
mod input;
mod mixed;
pub mod origin;
mod page;
pub mod parquet;
mod records;
mod reject;
pub mod row_bytes;
pub mod rows;
mod sampling;
mod schema;
mod shape;
mod stack;
mod strata;
mod typetext;

pub use count::{COUNTED_BYTES, CountedRows, count_rows};
pub use footers::{Footers, footers};
pub use format::{Codec, FileFormat, Format};
pub use head::format_of;
pub use input::{
    Declared, InputLimits, InputReadError, InputRows, InputSource, InputSpec, InputSpecError, declare,
    files_sha256,
};
pub use mixed::{Taken, take_columns};
pub use page::{Page, PageError, unreadable};
pub use records::{Folded, fold_records};
pub use reject::{FailedFile, Reason, Reject, Stage};
pub use sampling::{Portion, SampleChoice, SampleSize, Total};
pub use schema::{Accept, DataType, Field, OnMismatch, OnMissing, OnUnknown, Schema, SchemaError};
pub use stack::{Fitted, fit_columns, unified};
pub use typetext::dtype_name;

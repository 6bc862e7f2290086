//! Rolls rows into Parquet parts of exactly `rows_per_file` rows, each staged where no reader looks.
//!
//! | file | answers |
//! |---|---|
//! | `file` | one Parquet file: its row groups and who encodes their columns |
//! | `text_list` | the column chunk of a list of texts |
//! | `dictionary`, `hybrid`, `bounds`, `compress` | its texts' codes, the codes' bits, its statistics, its bytes |

mod bounds;
mod compress;
mod dictionary;
mod file;
mod hybrid;
#[cfg(test)]
mod tests;
mod text_list;
#[cfg(test)]
mod text_list_tests;

use std::io::Write;
use std::mem;
use std::sync::Arc;
use std::thread;

use arrow::compute::{CastOptions, cast_with_options};
use arrow::datatypes::SchemaRef;
use arrow::record_batch::{RecordBatch, RecordBatchOptions};
use parquet::basic::{Compression as Codec, ZstdLevel};
use parquet::errors::ParquetError;
use parquet::file::metadata::KeyValue;
use parquet::file::properties::{EnabledStatistics, WriterProperties};
use polars::prelude::DataFrame;
use tokio::runtime::Handle;

use self::file::{GroupLimits, ParquetFile};
use super::RunError;
use super::commit::CommitPart;
use super::files::{FileWriter, Files};
use super::slots::Slots;
use crate::dataset::arrow_bridge;
use crate::job::{Compression, Job, SinkLayout};
use crate::storage::Location;

/// A row group is cut when this much of it is encoded: it bounds memory, and a reader skips groups of this size.
const ROW_GROUP_BYTES: usize = 32 << 20;
/// The share of the memory that a row group may take while it is encoded.
const ROW_GROUP_SHARE: usize = 8;
/// More threads than this find no columns to encode.
const MAX_LANES: usize = 4;

/// Name of the one object of a day in the layout `single`.
pub(super) const SINGLE_NAME: &str = "data.parquet";

/// Where the parts of one day go.
pub(super) struct PartTarget {
    pub files: Files,
    pub table: Location,
    /// Folder of the day below the table.
    pub partition: String,
    pub staging: Location,
    pub slots: Slots,
}

/// Writes the parts of one day, one after another.
pub(super) struct PartRoller {
    target: PartTarget,
    layout: SinkLayout,
    rows_per_file: usize,
    form: Form,
    open: Option<OpenPart>,
    done: Vec<CommitPart>,
}

struct OpenPart {
    slot: u64,
    path: String,
    file: ParquetFile<FileWriter>,
    rows: usize,
}

/// What all parts of a job have in common.
struct Form {
    schema: SchemaRef,
    compression: Codec,
    group_limits: GroupLimits,
    n_lanes: usize,
    key_values: Vec<KeyValue>,
}

impl Form {
    fn new(job: &Job) -> Result<Self, RunError> {
        let empty = DataFrame::empty_with_schema(job.plan.output());
        let key_value = |key: &str, value: &str| KeyValue::new(key.to_owned(), value.to_owned());
        Ok(Self {
            schema: to_arrow(&empty, job.name())?.schema(),
            compression: codec(job.sink.compression)?,
            group_limits: GroupLimits {
                rows: job.sink.row_group_rows.unwrap_or(job.sink.rows_per_file).get(),
                bytes: ROW_GROUP_BYTES.min(job.limits.memory.as_usize() / ROW_GROUP_SHARE),
            },
            // One core of four: the others decode and compute steps.
            n_lanes: thread::available_parallelism().map_or(1, |n| (n.get() / 4).clamp(1, MAX_LANES)),
            key_values: vec![
                key_value("skewer.job", job.name()),
                key_value("skewer.spec_sha256", &job.spec_sha256),
            ],
        })
    }

    fn file<W: Write + Send>(&self, output: W, slot: u64) -> Result<ParquetFile<W>, ParquetError> {
        let mut key_values = self.key_values.clone();
        key_values.push(KeyValue::new("skewer.slot".to_owned(), slot.to_string()));
        let properties = WriterProperties::builder()
            .set_compression(self.compression)
            .set_dictionary_enabled(true)
            .set_statistics_enabled(EnabledStatistics::Page)
            // Names inside lists and maps as the Parquet format has them, whatever the engine calls them.
            .set_coerce_types(true)
            .set_created_by(format!("skewer version {}", env!("CARGO_PKG_VERSION")))
            .set_key_value_metadata(Some(key_values))
            .build();
        ParquetFile::new(
            output,
            Arc::clone(&self.schema),
            properties,
            self.group_limits,
            self.n_lanes,
        )
    }
}

/// The Parquet file that a run of `job` makes of `frames` (its output columns), in memory: for measuring.
///
/// # Errors
/// [`RunError::Encode`] for columns that are not the job's.
pub fn parquet_bytes(job: &Job, frames: &[&DataFrame]) -> Result<Vec<u8>, RunError> {
    let error = |error: ParquetError| RunError::Encode {
        part: job.name().to_owned(),
        message: error.to_string(),
    };
    let mut file = Form::new(job)?.file(Vec::new(), 0).map_err(error)?;
    for df in frames {
        file.write(&to_arrow(df, job.name())?).map_err(error)?;
    }
    file.finish().map_err(error)
}

impl PartRoller {
    pub fn new(job: &Job, target: PartTarget) -> Result<Self, RunError> {
        Ok(Self {
            layout: job.sink.layout,
            rows_per_file: match job.sink.layout {
                SinkLayout::Parts => job.sink.rows_per_file.get(),
                SinkLayout::Single => usize::MAX,
            },
            form: Form::new(job)?,
            target,
            open: None,
            done: Vec::new(),
        })
    }

    /// Adds rows (without hidden columns) in their order.
    pub fn write(&mut self, df: &DataFrame) -> Result<(), RunError> {
        if df.height() == 0 {
            return Ok(());
        }
        self.append(&to_arrow(df, &self.target.partition)?)
    }

    /// As [`PartRoller::write`], for rows read back from a part: the same columns in any order, in any Arrow type that
    /// Parquet gives for them. A value that does not fit the part's type is an error, never a null.
    pub fn write_arrow(&mut self, batch: &RecordBatch) -> Result<(), RunError> {
        let batch = conform(batch, &self.form.schema).map_err(|message| RunError::Encode {
            part: self.target.partition.clone(),
            message,
        })?;
        self.append(&batch)
    }

    /// Cuts rows at the ends of parts.
    fn append(&mut self, batch: &RecordBatch) -> Result<(), RunError> {
        let mut offset = 0;
        while offset < batch.num_rows() {
            let mut part = match self.open.take() {
                Some(part) => part,
                None => self.start_part()?,
            };
            let n = (self.rows_per_file - part.rows).min(batch.num_rows() - offset);
            part.file
                .write(&batch.slice(offset, n))
                .map_err(|error| self.parquet_error(&part.path, error))?;
            part.rows += n;
            offset += n;
            if part.rows == self.rows_per_file {
                self.finish_part(part)?;
            } else {
                self.open = Some(part);
            }
        }
        Ok(())
    }

    /// Columns of the parts.
    pub fn schema(&self) -> &SchemaRef {
        &self.form.schema
    }

    /// Ends the last part.
    pub fn finish(&mut self) -> Result<(), RunError> {
        match self.open.take() {
            Some(part) => self.finish_part(part),
            // The one object of a day is always replaced and never removed: a run that was stopped before its removal
            // could do it after another has written it again.
            None if self.layout == SinkLayout::Single && self.done.is_empty() => {
                let part = self.start_part()?;
                self.finish_part(part)
            }
            None => Ok(()),
        }
    }

    /// The parts that are staged, not visible. An open part is given up.
    pub fn take_parts(&mut self) -> Vec<CommitPart> {
        self.open = None;
        mem::take(&mut self.done)
    }

    /// Takes back a staged part. Blocks.
    pub fn discard(&self, handle: &Handle, part: &CommitPart) -> Result<(), RunError> {
        let at = self.target.table.join(&part.path);
        handle.block_on(self.target.files.discard(&part.staged, &at))
    }

    fn start_part(&self) -> Result<OpenPart, RunError> {
        let slot = self.target.slots.nth(self.done.len() as u64);
        let name = format!("part-{slot:05}.parquet");
        let path = match self.layout {
            SinkLayout::Parts => format!("{}/{name}", self.target.partition),
            SinkLayout::Single => format!("{}/{SINGLE_NAME}", self.target.partition),
        };
        let staged = self.target.staging.join(&name);
        let file = self.target.files.stage(&staged, &self.target.table.join(&path))?;
        let file = self
            .form
            .file(file, slot)
            .map_err(|error| self.parquet_error(&path, error))?;
        Ok(OpenPart {
            slot,
            path,
            file,
            rows: 0,
        })
    }

    fn finish_part(&mut self, part: OpenPart) -> Result<(), RunError> {
        let OpenPart {
            slot,
            path,
            file,
            rows,
        } = part;
        let file = file.finish().map_err(|error| self.parquet_error(&path, error))?;
        let (staged, bytes) = file.finish()?;
        self.done.push(CommitPart {
            slot,
            path,
            staged,
            rows: rows as u64,
            bytes,
        });
        Ok(())
    }

    /// A full disk arrives as an error of the encoder; it is told as what it is.
    fn parquet_error(&self, part: &str, error: ParquetError) -> RunError {
        let part = self.target.table.join(part).to_string();
        match error {
            ParquetError::External(source) => match source.downcast::<std::io::Error>() {
                Ok(source) => RunError::Write {
                    path: self.target.staging.to_string(),
                    source: *source,
                },
                Err(other) => RunError::Encode {
                    part,
                    message: other.to_string(),
                },
            },
            other => RunError::Encode {
                part,
                message: other.to_string(),
            },
        }
    }
}

/// `batch` with the columns of `schema`, in its order and types.
fn conform(batch: &RecordBatch, schema: &SchemaRef) -> Result<RecordBatch, String> {
    if batch.num_columns() != schema.fields().len() {
        return Err(format!(
            "{} columns came for the {} of the table",
            batch.num_columns(),
            schema.fields().len()
        ));
    }
    let options = CastOptions {
        safe: false,
        ..CastOptions::default()
    };
    let columns = schema.fields().iter().map(|field| {
        let column = batch
            .column_by_name(field.name())
            .ok_or_else(|| format!("column `{}` is missing", field.name()))?;
        if column.data_type() == field.data_type() {
            return Ok(Arc::clone(column));
        }
        cast_with_options(column, field.data_type(), &options)
            .map_err(|error| format!("column `{}`: {error}", field.name()))
    });
    let columns = columns.collect::<Result<Vec<_>, String>>()?;
    let n_rows = RecordBatchOptions::new().with_row_count(Some(batch.num_rows()));
    RecordBatch::try_new_with_options(Arc::clone(schema), columns, &n_rows).map_err(|error| error.to_string())
}

fn to_arrow(df: &DataFrame, part: &str) -> Result<RecordBatch, RunError> {
    arrow_bridge::to_arrow(df).map_err(|error| RunError::Encode {
        part: part.to_owned(),
        message: error.to_string(),
    })
}

fn codec(compression: Compression) -> Result<Codec, RunError> {
    Ok(match compression {
        Compression::Snappy => Codec::SNAPPY,
        Compression::None => Codec::UNCOMPRESSED,
        Compression::Zstd(level) => {
            Codec::ZSTD(ZstdLevel::try_new(level).map_err(|error| RunError::Encode {
                part: "sink.parquet.compression".to_owned(),
                message: error.to_string(),
            })?)
        }
    })
}

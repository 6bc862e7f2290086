//! Rolls rows into Parquet parts of exactly `rows_per_file` rows, each staged where no reader looks.

use std::mem;
use std::sync::Arc;

use arrow::datatypes::SchemaRef;
use arrow::record_batch::RecordBatch;
use parquet::arrow::ArrowWriter;
use parquet::arrow::arrow_writer::ArrowWriterOptions;
use parquet::basic::{Compression as Codec, ZstdLevel};
use parquet::errors::ParquetError;
use parquet::file::metadata::KeyValue;
use parquet::file::properties::{EnabledStatistics, WriterProperties};
use polars::prelude::DataFrame;
use tokio::runtime::Handle;

use super::RunError;
use super::commit::CommitPart;
use super::files::{FileWriter, Files};
use crate::dataset::arrow_bridge;
use crate::job::{Compression, Job, SinkLayout};
use crate::storage::Location;

/// A row group is cut when this much of it is encoded: it bounds memory, and a reader skips groups of this size.
const ROW_GROUP_BYTES: usize = 32 << 20;

/// Name of the one object of a day in the layout `single`.
pub(super) const SINGLE_NAME: &str = "data.parquet";

/// Where the parts of one day go.
pub(super) struct PartTarget {
    pub files: Files,
    pub table: Location,
    /// Folder of the day below the table.
    pub partition: String,
    pub staging: Location,
    pub first_slot: u64,
}

/// Writes the parts of one day, one after another.
pub(super) struct PartRoller {
    target: PartTarget,
    layout: SinkLayout,
    rows_per_file: usize,
    row_group_rows: usize,
    compression: Codec,
    key_values: Vec<KeyValue>,
    schema: SchemaRef,
    open: Option<OpenPart>,
    done: Vec<CommitPart>,
}

struct OpenPart {
    slot: u64,
    path: String,
    writer: ArrowWriter<FileWriter>,
    rows: usize,
}

impl PartRoller {
    pub fn new(job: &Job, target: PartTarget) -> Result<Self, RunError> {
        let empty = DataFrame::empty_with_schema(job.plan.output());
        let schema = to_arrow(&empty, &target.partition)?.schema();
        let key_value = |key: &str, value: &str| KeyValue::new(key.to_owned(), value.to_owned());
        Ok(Self {
            layout: job.sink.layout,
            rows_per_file: match job.sink.layout {
                SinkLayout::Parts => job.sink.rows_per_file.get(),
                SinkLayout::Single => usize::MAX,
            },
            row_group_rows: job.sink.row_group_rows.unwrap_or(job.sink.rows_per_file).get(),
            compression: codec(job.sink.compression)?,
            key_values: vec![
                key_value("skewer.job", job.name()),
                key_value("skewer.spec_sha256", &job.spec_sha256),
            ],
            schema,
            target,
            open: None,
            done: Vec::new(),
        })
    }

    /// Adds rows (without hidden columns) in their order.
    pub fn write(&mut self, df: &DataFrame) -> Result<(), RunError> {
        let batch = to_arrow(df, &self.target.partition)?;
        self.write_arrow(&batch)
    }

    /// Adds rows in their order, with the columns of the parts.
    pub fn write_arrow(&mut self, batch: &RecordBatch) -> Result<(), RunError> {
        let mut offset = 0;
        while offset < batch.num_rows() {
            let mut part = match self.open.take() {
                Some(part) => part,
                None => self.start_part()?,
            };
            let n = (self.rows_per_file - part.rows).min(batch.num_rows() - offset);
            part.writer
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
        &self.schema
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
        let slot = self.target.first_slot + self.done.len() as u64;
        let name = format!("part-{slot:05}.parquet");
        let path = match self.layout {
            SinkLayout::Parts => format!("{}/{name}", self.target.partition),
            SinkLayout::Single => format!("{}/{SINGLE_NAME}", self.target.partition),
        };
        let mut key_values = self.key_values.clone();
        key_values.push(KeyValue::new("skewer.slot".to_owned(), slot.to_string()));
        let properties = WriterProperties::builder()
            .set_compression(self.compression)
            .set_dictionary_enabled(true)
            .set_statistics_enabled(EnabledStatistics::Page)
            .set_max_row_group_row_count(Some(self.row_group_rows))
            .set_max_row_group_bytes(Some(ROW_GROUP_BYTES))
            // Names inside lists and maps as the Parquet format has them, whatever the engine calls them.
            .set_coerce_types(true)
            .set_created_by(format!("skewer version {}", env!("CARGO_PKG_VERSION")))
            .set_key_value_metadata(Some(key_values))
            .build();
        let staged = self.target.staging.join(&name);
        let file = self.target.files.stage(&staged, &self.target.table.join(&path))?;
        // Without the Arrow schema in the footer every reader takes the plain Parquet types, and all take the same.
        let options = ArrowWriterOptions::new()
            .with_properties(properties)
            .with_skip_arrow_metadata(true);
        let writer = ArrowWriter::try_new_with_options(file, Arc::clone(&self.schema), options)
            .map_err(|error| self.parquet_error(&path, error))?;
        Ok(OpenPart {
            slot,
            path,
            writer,
            rows: 0,
        })
    }

    fn finish_part(&mut self, part: OpenPart) -> Result<(), RunError> {
        let OpenPart {
            slot,
            path,
            writer,
            rows,
        } = part;
        // Writes the footer.
        let file = writer
            .into_inner()
            .map_err(|error| self.parquet_error(&path, error))?;
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

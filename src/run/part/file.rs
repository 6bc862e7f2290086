//! One Parquet file under construction: rows in, row groups out.
//!
//! A row group is encoded column by column in memory and written when it is full. Columns go through the `parquet`
//! crate's own encoders, except lists of texts, which have one of ours.

use std::io::Write;
use std::sync::Arc;

use arrow::datatypes::{DataType, SchemaRef};
use arrow::record_batch::RecordBatch;
use parquet::arrow::ArrowSchemaConverter;
use parquet::arrow::arrow_writer::{ArrowColumnWriter, ArrowRowGroupWriterFactory, compute_leaves};
use parquet::errors::{ParquetError, Result};
use parquet::file::properties::WriterProperties;
use parquet::file::writer::SerializedFileWriter;

use super::text_list::{TextList, is_text_list};

/// Rows of the first piece of a row group, from which the size of the rows after them is estimated.
const FIRST_ROWS: usize = 1024;

/// When a row group is full.
#[derive(Debug, Clone, Copy)]
pub(super) struct GroupLimits {
    pub(super) rows: usize,
    /// Encoded.
    pub(super) bytes: usize,
}

/// A Parquet file that takes batches of one schema.
pub(super) struct ParquetFile<W: Write + Send> {
    writer: SerializedFileWriter<W>,
    factory: ArrowRowGroupWriterFactory,
    schema: SchemaRef,
    limits: GroupLimits,
    group: Option<RowGroup>,
    n_groups: usize,
}

/// The row group under way.
struct RowGroup {
    columns: Vec<Column>,
    n_rows: usize,
}

/// The encoder of a leaf column.
enum Column {
    Any(ArrowColumnWriter),
    TextList(Box<TextList>),
}

impl<W: Write + Send> ParquetFile<W> {
    pub(super) fn new(
        output: W,
        schema: SchemaRef,
        properties: WriterProperties,
        limits: GroupLimits,
    ) -> Result<Self> {
        let parquet_schema = ArrowSchemaConverter::new()
            .with_coerce_types(properties.coerce_types())
            .convert(&schema)?;
        // Without the Arrow schema in the footer every reader takes the plain Parquet types, and all take the same.
        let writer =
            SerializedFileWriter::new(output, parquet_schema.root_schema_ptr(), Arc::new(properties))?;
        Ok(Self {
            factory: ArrowRowGroupWriterFactory::new(&writer, Arc::clone(&schema)),
            writer,
            schema,
            limits,
            group: None,
            n_groups: 0,
        })
    }

    /// Adds rows of the file's schema.
    pub(super) fn write(&mut self, batch: &RecordBatch) -> Result<()> {
        let mut offset = 0;
        while offset < batch.num_rows() {
            let mut group = match self.group.take() {
                Some(group) => group,
                None => self.start_group()?,
            };
            let n = group.n_more(self.limits).min(batch.num_rows() - offset);
            group.write(&self.schema, &batch.slice(offset, n))?;
            offset += n;
            if group.is_full(self.limits) {
                self.finish_group(group)?;
            } else {
                self.group = Some(group);
            }
        }
        Ok(())
    }

    /// Writes what is left and the footer.
    pub(super) fn finish(mut self) -> Result<W> {
        if let Some(group) = self.group.take() {
            self.finish_group(group)?;
        }
        self.writer.into_inner()
    }

    fn start_group(&self) -> Result<RowGroup> {
        let schema = self.writer.schema_descr();
        let properties = self.writer.properties();
        let columns = self.factory.create_column_writers(self.n_groups)?;
        let columns = columns.into_iter().enumerate().map(|(leaf, column)| {
            let field = self.schema.fields().get(schema.get_column_root_idx(leaf));
            let descr = schema.column(leaf);
            if field.is_some_and(|field| is_list_of_views(field.data_type())) && is_text_list(&descr) {
                let compression = properties.compression(descr.path());
                Ok(Column::TextList(Box::new(TextList::new(descr, compression)?)))
            } else {
                Ok(Column::Any(column))
            }
        });
        Ok(RowGroup {
            columns: columns.collect::<Result<_>>()?,
            n_rows: 0,
        })
    }

    fn finish_group(&mut self, group: RowGroup) -> Result<()> {
        let mut writer = self.writer.next_row_group()?;
        for column in group.columns {
            match column {
                Column::Any(column) => column.close()?.append_to_row_group(&mut writer)?,
                Column::TextList(column) => column.close()?.append_to(&mut writer)?,
            }
        }
        writer.close()?;
        self.n_groups += 1;
        Ok(())
    }
}

impl RowGroup {
    fn write(&mut self, schema: &SchemaRef, batch: &RecordBatch) -> Result<()> {
        let mut columns = self.columns.iter_mut();
        for (field, array) in schema.fields().iter().zip(batch.columns()) {
            match columns.next() {
                Some(Column::TextList(column)) => column.write(array)?,
                Some(Column::Any(column)) => {
                    let mut leaves = compute_leaves(field, array)?.into_iter();
                    if let Some(leaf) = leaves.next() {
                        column.write(&leaf)?;
                    }
                    for leaf in leaves {
                        match columns.next() {
                            Some(Column::Any(column)) => column.write(&leaf)?,
                            _ => return Err(misfit(field.name())),
                        }
                    }
                }
                None => return Err(misfit(field.name())),
            }
        }
        self.n_rows += batch.num_rows();
        Ok(())
    }

    fn n_bytes(&self) -> usize {
        let n_bytes = self.columns.iter().map(|column| match column {
            Column::Any(column) => column.get_estimated_total_bytes(),
            Column::TextList(column) => column.n_bytes(),
        });
        n_bytes.sum()
    }

    /// How many more rows fit, by the size of the rows so far; at least one.
    fn n_more(&self, limits: GroupLimits) -> usize {
        let by_bytes = match self.n_bytes().checked_div(self.n_rows) {
            None => FIRST_ROWS,
            Some(row_bytes) => limits.bytes.saturating_sub(self.n_bytes()) / row_bytes.max(1),
        };
        limits.rows.saturating_sub(self.n_rows).min(by_bytes).max(1)
    }

    /// The last thirty-second of a group's bytes is left free: its rows would come one by one.
    fn is_full(&self, limits: GroupLimits) -> bool {
        self.n_rows >= limits.rows || self.n_bytes() >= limits.bytes - limits.bytes / 32
    }
}

fn is_list_of_views(dtype: &DataType) -> bool {
    match dtype {
        DataType::List(item) | DataType::LargeList(item) => item.data_type() == &DataType::Utf8View,
        _ => false,
    }
}

fn misfit(field: &str) -> ParquetError {
    ParquetError::General(format!("column `{field}` has other leaves than its schema"))
}

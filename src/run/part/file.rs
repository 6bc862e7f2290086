//! One Parquet file under construction: rows in, row groups out.
//!
//! A row group is encoded column by column in memory and written when it is full. Columns go through the `parquet`
//! crate's own encoders, except lists of texts, which have one of ours. Where there are cores to spare, columns are
//! encoded side by side: the bytes are the same.

use std::io::Write;
use std::panic::resume_unwind;
use std::sync::Arc;
use std::thread;

use arrow::array::ArrayRef;
use arrow::datatypes::{DataType, FieldRef, SchemaRef};
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
    /// Threads that encode.
    n_lanes: usize,
    group: Option<RowGroup>,
    n_groups: usize,
}

/// The row group under way.
struct RowGroup {
    /// The leaves of each field.
    fields: Vec<Vec<Column>>,
    n_rows: usize,
}

/// The encoder of a leaf column.
enum Column {
    Any(Box<ArrowColumnWriter>),
    TextList(Box<TextList>),
}

impl<W: Write + Send> ParquetFile<W> {
    pub(super) fn new(
        output: W,
        schema: SchemaRef,
        properties: WriterProperties,
        limits: GroupLimits,
        n_lanes: usize,
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
            n_lanes,
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
            group.write(&self.schema, &batch.slice(offset, n), self.n_lanes)?;
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
        let mut fields: Vec<Vec<Column>> = self.schema.fields().iter().map(|_| Vec::new()).collect();
        for (leaf, column) in columns.into_iter().enumerate() {
            let at = schema.get_column_root_idx(leaf);
            let (Some(field), Some(leaves)) = (self.schema.fields().get(at), fields.get_mut(at)) else {
                continue;
            };
            let descr = schema.column(leaf);
            leaves.push(if is_list_of_views(field.data_type()) && is_text_list(&descr) {
                let compression = properties.compression(descr.path());
                Column::TextList(Box::new(TextList::new(descr, compression)?))
            } else {
                Column::Any(Box::new(column))
            });
        }
        Ok(RowGroup { fields, n_rows: 0 })
    }

    fn finish_group(&mut self, group: RowGroup) -> Result<()> {
        let mut writer = self.writer.next_row_group()?;
        for column in group.fields.into_iter().flatten() {
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
    fn write(&mut self, schema: &SchemaRef, batch: &RecordBatch, n_lanes: usize) -> Result<()> {
        let fields = schema.fields().iter().zip(batch.columns()).zip(&mut self.fields);
        let mut fields: Vec<_> = fields
            .map(|((field, array), columns)| FieldRows {
                n_bytes: columns.iter().map(Column::n_bytes).sum(),
                field,
                array,
                columns,
            })
            .collect();
        if n_lanes < 2 {
            fields.iter_mut().try_for_each(FieldRows::write)?;
        } else {
            write_side_by_side(fields, n_lanes)?;
        }
        self.n_rows += batch.num_rows();
        Ok(())
    }

    fn n_bytes(&self) -> usize {
        self.fields.iter().flatten().map(Column::n_bytes).sum()
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

impl Column {
    /// Encoded so far, about.
    fn n_bytes(&self) -> usize {
        match self {
            Self::Any(column) => column.get_estimated_total_bytes(),
            Self::TextList(column) => column.n_bytes(),
        }
    }
}

/// The rows of a batch for one field, and where they go.
struct FieldRows<'a> {
    field: &'a FieldRef,
    array: &'a ArrayRef,
    columns: &'a mut Vec<Column>,
    /// What the field took so far, by which it is given to a thread.
    n_bytes: usize,
}

impl FieldRows<'_> {
    fn write(&mut self) -> Result<()> {
        if let [Column::TextList(column)] = self.columns.as_mut_slice() {
            return column.write(self.array);
        }
        let leaves = compute_leaves(self.field, self.array)?;
        if leaves.len() != self.columns.len() {
            return Err(misfit(self.field.name()));
        }
        for (leaf, column) in leaves.iter().zip(self.columns.iter_mut()) {
            match column {
                Column::Any(column) => column.write(leaf)?,
                Column::TextList(_) => return Err(misfit(self.field.name())),
            }
        }
        Ok(())
    }
}

/// Deals fields out to threads, the largest first, each to the one with the least to do.
fn write_side_by_side(mut fields: Vec<FieldRows<'_>>, n_lanes: usize) -> Result<()> {
    fields.sort_by_key(|field| std::cmp::Reverse(field.n_bytes));
    let mut lanes: Vec<(usize, Vec<FieldRows<'_>>)> =
        (0..n_lanes.min(fields.len())).map(|_| (0, Vec::new())).collect();
    for field in fields {
        if let Some((n_bytes, lane)) = lanes.iter_mut().min_by_key(|(n_bytes, _)| *n_bytes) {
            // A field that has no bytes yet is work too.
            *n_bytes += field.n_bytes + 1;
            lane.push(field);
        }
    }
    let encode = |mut lane: Vec<FieldRows<'_>>| lane.iter_mut().try_for_each(FieldRows::write);
    thread::scope(|scope| {
        let mut lanes = lanes.into_iter().map(|(_, lane)| lane);
        let own = lanes.next().unwrap_or_default();
        let others: Vec<_> = lanes.map(|lane| scope.spawn(move || encode(lane))).collect();
        let outcome = encode(own);
        others.into_iter().fold(outcome, |outcome, lane| {
            let ended = lane.join().unwrap_or_else(|panic| resume_unwind(panic));
            outcome.and(ended)
        })
    })
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

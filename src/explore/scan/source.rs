//! What a scan reads: objects with their partitions, the format of all of them, and the schema of their rows.

use std::sync::Arc;

use polars::prelude::Schema;

use crate::base::Cancel;
use crate::dataset::arrow_bridge::DecimalDigits;
use crate::dataset::infer::{Conflict, infer};
use crate::dataset::{self, Codec, FileFormat, Footers, Format, OnMismatch, PageError, footers, format_of};
use crate::storage::{Object, Store};

/// Objects to scan.
#[derive(Debug, Clone)]
pub struct ScanSource {
    pub(super) store: Store,
    objects: Arc<Vec<Object>>,
    partition_of: Vec<usize>,
    pub(super) format: Format,
    /// What JSONL is decoded by; empty for Parquet.
    pub(super) declared: Arc<dataset::Schema>,
    schema: Schema,
    /// Of Parquet, where files disagree on types.
    step_schema: Option<Schema>,
    decimals: Vec<String>,
    decimal_digits: Vec<DecimalDigits>,
    conflicts: Vec<Conflict>,
}

impl ScanSource {
    /// Looks at `objects` (in key order), of which object `i` belongs to partition number `partition_of[i]`: their format
    /// is that of the first which has one. JSONL is decoded by `declared`; where none is given by a schema inferred from a
    /// sample of the objects, and values that do not fit its types are then null and counted, not rejected. The columns
    /// of Parquet are those of some footers together.
    ///
    /// # Errors
    /// [`PageError`] when nothing can be read.
    pub async fn open(
        store: &Store,
        objects: Vec<Object>,
        partition_of: Vec<usize>,
        declared: Option<&dataset::Schema>,
        cancel: &Cancel,
    ) -> Result<Self, PageError> {
        let format = first_format(store, &objects).await?;
        let mut source = Self {
            store: store.clone(),
            partition_of,
            format,
            declared: Arc::default(),
            schema: Schema::default(),
            step_schema: None,
            decimals: Vec::new(),
            decimal_digits: Vec::new(),
            conflicts: Vec::new(),
            objects: Arc::default(),
        };
        match (format, declared) {
            (Format::Parquet, _) => {
                let read = of_footers(store, &objects, cancel).await?;
                source.step_schema = (read.first != read.columns).then_some(read.first);
                (source.schema, source.decimals) = (read.columns, read.decimals);
                source.decimal_digits = read.decimal_digits;
                source.conflicts = read.conflicts;
            }
            (Format::Jsonl, Some(declared)) => source.declared = Arc::new(declared.clone()),
            (Format::Jsonl, None) => {
                let inferred = infer(store, &objects, cancel).await?;
                source.conflicts = inferred.conflicts;
                source.declared = Arc::new(dataset::Schema {
                    on_mismatch: OnMismatch::Null,
                    ..inferred.schema
                });
            }
        }
        if format == Format::Jsonl {
            source.schema = source.declared.to_polars();
        }
        source.objects = Arc::new(objects);
        Ok(source)
    }

    /// The same source with `n_files` of its objects, spread over all of them.
    pub(super) fn spread(&self, n_files: usize) -> Self {
        let n = self.objects.len();
        let chosen: Vec<usize> = (0..n_files).map(|i| i * n / n_files.max(1)).collect();
        let objects = chosen.iter().filter_map(|i| self.objects.get(*i).cloned());
        Self {
            objects: Arc::new(objects.collect()),
            partition_of: chosen.iter().map(|i| self.partition_of(*i)).collect(),
            ..self.clone()
        }
    }

    /// Visible columns of the rows as they are read, with types that take the values of all files.
    pub fn schema(&self) -> &Schema {
        &self.schema
    }

    /// The columns that steps get: where Parquet files disagree on a type that of the first, and files whose values are
    /// none of it are rejected, as in a preview.
    pub fn step_schema(&self) -> &Schema {
        self.step_schema.as_ref().unwrap_or(&self.schema)
    }

    /// Paths of decimals in Parquet, which are texts in [`Self::schema`].
    pub fn decimals(&self) -> &[String] {
        &self.decimals
    }

    /// The digits of those decimals: of one path several times where files differ.
    pub fn decimal_digits(&self) -> &[DecimalDigits] {
        &self.decimal_digits
    }

    /// What JSONL is decoded by; none for Parquet.
    pub fn declared(&self) -> Option<&dataset::Schema> {
        (self.format == Format::Jsonl).then_some(&self.declared)
    }

    /// Fields on whose type the sample of the inferred schema disagrees; columns on whose type footers do.
    pub fn conflicts(&self) -> &[Conflict] {
        &self.conflicts
    }

    pub fn objects(&self) -> &[Object] {
        &self.objects
    }

    /// The number of the partition of an object.
    pub fn partition_of(&self, object: usize) -> usize {
        self.partition_of.get(object).copied().unwrap_or(0)
    }

    /// Full location of an object.
    pub(super) fn name(&self, object: usize) -> String {
        let object = self.objects.get(object);
        object.map_or_else(String::new, |object| self.store.location(&object.key).to_string())
    }

    pub(super) fn codec(&self, object: usize) -> Codec {
        let object = self.objects.get(object);
        object
            .and_then(|object| FileFormat::of_key(&object.key))
            .map_or(Codec::None, |format| format.codec)
    }

    /// Whether an object is of the other format, by its name.
    pub(super) fn is_stranger(&self, object: usize) -> bool {
        let object = self.objects.get(object);
        object
            .and_then(|object| FileFormat::of_key(&object.key))
            .is_some_and(|format| format.format != self.format)
    }

    pub(super) fn waits_for_ranges(&self) -> bool {
        self.format == Format::Parquet && self.store.is_s3()
    }
}

async fn first_format(store: &Store, objects: &[Object]) -> Result<Format, PageError> {
    let mut first_error = None;
    for object in objects {
        match format_of(store, object).await {
            Ok(found) => return Ok(found.format),
            Err(error @ PageError::UnknownFormat { .. }) => first_error = first_error.or(Some(error)),
            Err(error) => return Err(error),
        }
    }
    Err(first_error.unwrap_or_else(|| PageError::Empty {
        location: store.root().to_string(),
    }))
}

/// What the footers of those objects say that are no JSON Lines.
async fn of_footers(store: &Store, objects: &[Object], cancel: &Cancel) -> Result<Footers, PageError> {
    let is_parquet =
        |object: &&Object| FileFormat::of_key(&object.key).is_none_or(|f| f.format == Format::Parquet);
    let chosen: Vec<Object> = objects.iter().filter(is_parquet).cloned().collect();
    footers(store, &chosen, cancel).await
}

//! The unified schema of a sample of files, nested types included, and where files disagree.
//!
//! Leaves to [`super::shape`] what types mean together. Timestamps stay strings: a step parses them, nothing guesses.

use futures::stream::StreamExt;
use serde::Serialize;

use super::records::{Folded, fold_records};
use super::shape::Shape;
use super::{FailedFile, PageError, Schema, strata};
use crate::base::{Accuracy, Cancel, units};
use crate::storage::{Object, Store};

const SAMPLE_FILES: usize = 64;
const SAMPLE_RECORDS: usize = 200;
const CONCURRENT_READS: usize = 8;

/// One type of a field that disagrees with others, and where it was first seen.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct SeenType {
    pub dtype: String,
    pub object: String,
    pub line: u64,
    /// Values of the sample with this type; of a Parquet column, rows of its files.
    pub n: u64,
    /// Files whose column has this type, where a file's footer says so.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub n_files: Option<u64>,
}

/// A field whose records disagree on its type. Integers among floats are no conflict.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Conflict {
    /// Path, such as `location.zip`.
    pub name: String,
    pub dtypes: Vec<SeenType>,
}

impl SeenType {
    /// `12 records`, or `1,200 rows of 3 files`
    pub fn extent(&self) -> String {
        match self.n_files {
            None => units::plural(self.n, "record"),
            Some(n) => format!("{} of {}", units::plural(self.n, "row"), units::plural(n, "file")),
        }
    }
}

impl Conflict {
    /// What is made of the field here, and which types there are: `read as string; int64 in 200 rows of 2 files, ...`.
    pub fn said(&self, dtype: Option<&str>) -> String {
        let read = dtype
            .map(|dtype| format!("read as {dtype}; "))
            .unwrap_or_default();
        let where_from = if self.is_of_footers() {
            "by the footers"
        } else {
            "in a sample"
        };
        format!("{read}{where_from} {}", self.text())
    }

    fn is_of_footers(&self) -> bool {
        self.dtypes.iter().any(|seen| seen.n_files.is_some())
    }

    /// What to do, after what is made of the field here.
    pub fn remedy(&self) -> &'static str {
        if self.is_of_footers() {
            "write the files of one type again with a cast to the other, or look at partitions of one type alone"
        } else {
            "declare the type in a job's schema, with `accept` for the others, or mend the writer"
        }
    }

    /// In words: `int64 in 1,610 records, string in 12 records, string first at a.jsonl:7`, the place of the rarest.
    pub fn text(&self) -> String {
        let mut parts: Vec<String> = self
            .dtypes
            .iter()
            .map(|seen| format!("{} in {}", seen.dtype, seen.extent()))
            .collect();
        if let Some(rarest) = self.dtypes.iter().min_by_key(|seen| seen.n) {
            parts.push(format!(
                "{} first at {}:{}",
                rarest.dtype, rarest.object, rarest.line
            ));
        }
        parts.join(", ")
    }
}

/// What a sample says of the schema.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Inferred {
    pub schema: Schema,
    pub conflicts: Vec<Conflict>,
    /// Records read; always a sample unless every object was read to its end.
    pub accuracy: Accuracy,
    pub n_objects_read: u64,
    /// Objects of the sample that were not read as far as wanted.
    pub failed: Vec<FailedFile>,
}

/// Infers the schema of JSONL objects from a stratified sample: files spread evenly over the partitions (the listing's
/// order), the first and the last always among them, the head of each; of a small listing, at least one file of every
/// folder. Objects of other formats are passed over.
///
/// # Errors
/// [`PageError`] when nothing can be read. Lines that are no records are passed over.
pub async fn infer(store: &Store, objects: &[Object], cancel: &Cancel) -> Result<Inferred, PageError> {
    if objects.is_empty() {
        return Err(PageError::Empty {
            location: store.root().to_string(),
        });
    }
    let chosen = strata::with_folders(objects, SAMPLE_FILES);
    let n_chosen = chosen.len();
    let reads = chosen
        .into_iter()
        .enumerate()
        .filter_map(|(place, i)| Some((place, objects.get(i)?)))
        .map(|(place, object)| async move { (place, object, read(store, object, place, cancel).await) });
    let mut reads = futures::stream::iter(reads.collect::<Vec<_>>()).buffered(CONCURRENT_READS);
    let mut shape = Shape::default();
    let mut names = vec![String::new(); n_chosen];
    let mut n_objects_read = 0;
    let mut is_whole = n_chosen == objects.len();
    let mut first_error = None;
    let mut failed = Vec::new();
    while let Some((place, object, outcome)) = reads.next().await {
        if let Some(name) = names.get_mut(place) {
            *name = store.location(&object.key).to_string();
        }
        match outcome {
            Ok(Some(read)) => {
                n_objects_read += 1;
                is_whole &= read.is_whole;
                shape.merge(read.value);
                failed.extend(read.broken.map(|reason| FailedFile {
                    object: store.location(&object.key).to_string(),
                    reason,
                }));
            }
            Ok(None) => {}
            Err(error @ (PageError::UnknownFormat { .. } | PageError::CorruptParquet { .. })) => {
                is_whole = false;
                failed.extend(error.failed_file());
                first_error = first_error.or(Some(error));
            }
            Err(error) => return Err(error),
        }
    }
    if n_objects_read == 0 {
        return Err(first_error.unwrap_or_else(|| PageError::Decode {
            message: format!(
                "{}: no JSON Lines here; Parquet files carry their own schema",
                store.root()
            ),
        }));
    }
    let (fields, conflicts) = shape.fields(&names);
    let accuracy = if is_whole {
        Accuracy::Exact
    } else {
        Accuracy::Sample {
            n: shape.n_records(),
            of: None,
        }
    };
    Ok(Inferred {
        schema: Schema {
            fields,
            ..Schema::default()
        },
        conflicts,
        accuracy,
        n_objects_read,
        failed,
    })
}

/// The shape of an object's first records; none for Parquet.
async fn read(
    store: &Store,
    object: &Object,
    place: usize,
    cancel: &Cancel,
) -> Result<Option<Folded<Shape>>, PageError> {
    let read = fold_records(
        store,
        object,
        SAMPLE_RECORDS,
        cancel,
        move |shape: &mut Shape, line, bytes| {
            let Ok(record @ serde_json::Value::Object(_)) = serde_json::from_slice(bytes) else {
                return false;
            };
            shape.add(&record, place, line);
            true
        },
    )
    .await?;
    // A schema of part of a sample is of no use.
    cancel.check().map_err(|_| PageError::Cancelled)?;
    Ok(read)
}

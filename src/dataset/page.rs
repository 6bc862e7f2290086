//! A bounded number of rows for display, from any format, with what was rejected on the way.

use std::ops::Range;
use std::sync::Arc;

use futures::stream::StreamExt;
use polars::prelude::DataFrame;
use thiserror::Error;

use super::sampling::MAX_SPREAD_ROWS;
use super::stack::Stack;
use super::{
    Codec, FailedFile, FileFormat, Format, Portion, Reason, Reject, SampleChoice, SampleSize, Schema, Stage,
    Total, head, infer, origin, parquet, strata,
};
use crate::base::{Accuracy, Cancel};
use crate::storage::{Object, StorageError, Store};

const CONCURRENT_READS: usize = 8;

/// Bounded rows for display or exploring.
#[derive(Debug, Clone, Default)]
pub struct Page {
    /// Rows with their hidden origin columns (see [`super::origin`]).
    pub df: DataFrame,
    /// Keys of the objects read, by their index in the origin columns.
    pub objects: Vec<String>,
    pub rejects: Vec<Reject>,
    /// What part of the rows this is.
    pub accuracy: Accuracy,
    /// How large a part of the objects it was read from.
    pub size: SampleSize,
    /// The schema by which JSONL was decoded; none for Parquet.
    pub declared: Option<Schema>,
}

/// Why no page could be made.
#[derive(Debug, Error)]
pub enum PageError {
    #[error(transparent)]
    Storage(#[from] StorageError),
    #[error("{object}: neither JSON Lines nor Parquet: {reason}")]
    UnknownFormat { object: String, reason: String },
    #[error("{object}: not a readable Parquet file: {reason}")]
    CorruptParquet { object: String, reason: String },
    #[error("{location}: no rows here: there are no data files, or all are empty")]
    Empty { location: String },
    #[error("{message}")]
    Decode { message: String },
    #[error("cancelled")]
    Cancelled,
}

impl PageError {
    /// The file that this error is of, where it says nothing of others.
    pub fn failed_file(&self) -> Option<FailedFile> {
        match self {
            Self::UnknownFormat { object, reason } => Some(FailedFile {
                object: object.clone(),
                reason: format!("neither JSON Lines nor Parquet: {reason}"),
            }),
            Self::CorruptParquet { object, reason } => Some(FailedFile {
                object: object.clone(),
                reason: format!("not a readable Parquet file: {reason}"),
            }),
            _ => None,
        }
    }
}

impl Page {
    /// Reads up to `n_rows` rows from `objects` in their order. JSONL by `declared`, or by a schema inferred from a
    /// stratified sample of the objects where none is given. Reads only what the rows need: ranges of Parquet, the
    /// head of JSONL files. The first readable object decides the format; objects of the other one are rejects.
    ///
    /// # Errors
    /// [`PageError`]; a broken file among good ones is a reject, not an error.
    pub async fn read(
        store: &Store,
        objects: &[Object],
        declared: Option<&Schema>,
        n_rows: usize,
        cancel: &Cancel,
    ) -> Result<Self, PageError> {
        let chosen: Vec<&Object> = objects.iter().collect();
        let plan = Plan {
            n_rows,
            n_rows_each: n_rows,
            is_all: true,
        };
        plan.read(store, objects, &chosen, declared, cancel).await
    }

    /// Reads the rows of `choice` from `objects`, of which object `i` belongs to partition number `partition_of[i]`. The
    /// same choice of the same objects gives the same rows.
    ///
    /// # Errors
    /// As [`Page::read`].
    pub async fn sample(
        store: &Store,
        objects: &[Object],
        partition_of: &[usize],
        declared: Option<&Schema>,
        choice: SampleChoice,
        cancel: &Cancel,
    ) -> Result<Self, PageError> {
        let number_of = |i: usize| partition_of.get(i).copied().unwrap_or(0);
        let (files_each, n_rows_each, seed) = match choice {
            SampleChoice::Head { n_rows } => {
                return Self::read(store, objects, declared, n_rows, cancel).await;
            }
            SampleChoice::Spread {
                files_per_partition,
                rows_per_file,
                seed,
            } => (files_per_partition, rows_per_file, seed),
        };
        let partitions = strata::partitions(objects, number_of);
        let read = choice.partitions_read(partitions.len());
        let chosen: Vec<usize> = read
            .iter()
            .filter_map(|at| partitions.get(*at))
            .flat_map(|files| strata::drawn(objects, files, files_each, seed))
            .collect();
        let n_chosen = chosen.len();
        let chosen: Vec<&Object> = chosen.into_iter().filter_map(|i| objects.get(i)).collect();
        let plan = Plan {
            n_rows: MAX_SPREAD_ROWS,
            n_rows_each: n_rows_each.min(MAX_SPREAD_ROWS),
            is_all: n_chosen == objects.len(),
        };
        let mut page = plan.read(store, objects, &chosen, declared, cancel).await?;
        page.size.partitions = Portion {
            n: read.len() as u64,
            of: Total::Exact(partitions.len() as u64),
        };
        Ok(page)
    }

    /// The page without claims on what all objects hold: they were not all listed.
    #[must_use]
    pub fn of_unknown_totals(mut self) -> Self {
        let size = &mut self.size;
        for portion in [&mut size.rows, &mut size.files, &mut size.bytes] {
            portion.of = Total::Unknown;
        }
        self.accuracy = Accuracy::Sample {
            n: self.df.height() as u64,
            of: None,
        };
        self
    }

    /// The page as a part of more files than those it was chosen from: so many files and bytes were listed in all, in so
    /// many partitions.
    #[must_use]
    pub fn of_listed(mut self, n_files: u64, n_bytes: u64, n_partitions: u64) -> Self {
        let size = &mut self.size;
        if let (Some(rows), Some(bytes)) = (size.rows.of.value(), size.bytes.of.value())
            && bytes != n_bytes
        {
            let scaled = u128::from(rows) * u128::from(n_bytes) / u128::from(bytes.max(1));
            size.rows.of = Total::Estimated(u64::try_from(scaled).unwrap_or(u64::MAX).max(size.rows.n));
        }
        size.files.of = Total::Exact(n_files);
        size.bytes.of = Total::Exact(n_bytes);
        size.partitions.of = Total::Exact(n_partitions);
        let is_less = size.files.n < n_files || size.rows.of.value() != Some(size.rows.n);
        if is_less && self.accuracy.is_exact() {
            self.accuracy = Accuracy::Sample {
                n: self.df.height() as u64,
                of: None,
            };
        }
        self
    }
}

/// How much is read.
struct Plan {
    n_rows: usize,
    n_rows_each: usize,
    /// The chosen objects are all there are.
    is_all: bool,
}

/// The rows of one object.
struct Part {
    dfs: Vec<DataFrame>,
    rejects: Vec<Reject>,
    is_whole: bool,
    /// Rows of the whole object, where that is known.
    n_total: Option<u64>,
    /// Rows of the whole object as far as its first lines tell; none for a compressed one.
    n_likely: Option<u64>,
}

impl Plan {
    async fn read(
        &self,
        store: &Store,
        objects: &[Object],
        chosen: &[&Object],
        declared: Option<&Schema>,
        cancel: &Cancel,
    ) -> Result<Page, PageError> {
        let mut rejects = Vec::new();
        let (format, n_before) = self.first_format(store, chosen, &mut rejects).await?;
        let schema = match (format, declared) {
            (Format::Parquet, _) => None,
            (Format::Jsonl, Some(schema)) => Some(Arc::new(schema.clone())),
            (Format::Jsonl, None) => Some(Arc::new(infer::infer(store, objects, cancel).await?.schema)),
        };
        let mut first_error = None;
        let mut stack = Stack::new(self.n_rows);
        let mut names: Vec<String> = chosen
            .iter()
            .take(n_before)
            .map(|object| object.key.clone())
            .collect();
        let mut is_whole = self.is_all;
        let mut n_total = Some(0_u64);
        let mut likely = Likely::default();
        let rest = chosen.get(n_before..).unwrap_or_default();
        // The first object alone may be enough, and then no other is asked for.
        for wave in [0..1.min(rest.len()), 1.min(rest.len())..rest.len()] {
            let reads = wave.filter_map(|i| Some((i, *rest.get(i)?))).map(|(i, object)| {
                let schema = schema.clone();
                async move {
                    let index = u32::try_from(n_before + i).unwrap_or(u32::MAX);
                    (
                        object,
                        self.part(store, object, index, format, schema.as_ref(), cancel)
                            .await,
                    )
                }
            });
            let mut reads = futures::stream::iter(reads.collect::<Vec<_>>()).buffered(CONCURRENT_READS);
            while !stack.is_full()
                && let Some((object, outcome)) = reads.next().await
            {
                names.push(object.key.clone());
                likely.bytes_read += object.size;
                let place = store.location(&object.key).to_string();
                let part = match outcome {
                    Ok(part) => part,
                    Err(
                        PageError::UnknownFormat { reason, .. } | PageError::CorruptParquet { reason, .. },
                    ) => {
                        n_total = None;
                        rejects.push(unreadable(&place, &reason));
                        let error = PageError::CorruptParquet {
                            object: place,
                            reason,
                        };
                        first_error = first_error.or(Some(error));
                        continue;
                    }
                    Err(error) => return Err(error),
                };
                is_whole &= part.is_whole;
                if let Some(n) = part.n_total.or(part.n_likely) {
                    likely.add(n, object.size);
                }
                n_total = n_total.zip(part.n_total).map(|(a, b)| a + b);
                let mut kept = part.rejects;
                for df in part.dfs {
                    if let Err(reason) = stack.push(df) {
                        n_total = None;
                        rejects.push(unreadable(&place, &reason));
                        break;
                    }
                }
                if let Some(last_line) = stack.cut_at() {
                    kept.retain(|reject| reject.line <= last_line);
                }
                rejects.append(&mut kept);
            }
        }
        let n_read = names.len();
        let Some(df) = stack.finish() else {
            return Err(first_error.unwrap_or_else(|| PageError::Empty {
                location: store.root().to_string(),
            }));
        };
        let n = df.height() as u64;
        is_whole &= n_read == chosen.len() && !stack_was_cut(n, self.n_rows, n_total);
        let n_total = n_total.filter(|_| self.is_all && n_read == chosen.len());
        let accuracy = if is_whole {
            Accuracy::Exact
        } else {
            Accuracy::Sample { n, of: n_total }
        };
        let size = likely.size(objects, accuracy, n, n_read as u64);
        Ok(Page {
            df,
            objects: names,
            rejects,
            accuracy,
            size,
            declared: schema.map(Arc::unwrap_or_clone),
        })
    }

    /// The format of the first object that has one, and how many objects before it have none.
    async fn first_format(
        &self,
        store: &Store,
        chosen: &[&Object],
        rejects: &mut Vec<Reject>,
    ) -> Result<(Format, usize), PageError> {
        let mut first_error = None;
        for (i, object) in chosen.iter().enumerate() {
            match head::format_of(store, object).await {
                Ok(FileFormat { format, .. }) => return Ok((format, i)),
                Err(PageError::UnknownFormat { object, reason }) => {
                    rejects.push(unreadable(
                        &object,
                        &format!("neither JSON Lines nor Parquet: {reason}"),
                    ));
                    first_error = first_error.or(Some(PageError::UnknownFormat { object, reason }));
                }
                Err(error) => return Err(error),
            }
        }
        Err(first_error.unwrap_or_else(|| PageError::Empty {
            location: store.root().to_string(),
        }))
    }

    async fn part(
        &self,
        store: &Store,
        object: &Object,
        index: u32,
        format: Format,
        schema: Option<&Arc<Schema>>,
        cancel: &Cancel,
    ) -> Result<Part, PageError> {
        let found = head::format_of(store, object).await?;
        let n_rows = self.n_rows_each;
        match (format, found.format, schema) {
            (Format::Parquet, Format::Parquet, _) => {
                let rows: Range<u64> = 0..n_rows as u64;
                let head = parquet::read_rows(store, object, index, rows, cancel).await?;
                Ok(Part {
                    is_whole: head.df.height() as u64 == head.n_rows,
                    n_total: Some(head.n_rows),
                    n_likely: None,
                    dfs: vec![head.df],
                    rejects: Vec::new(),
                })
            }
            (Format::Jsonl, Format::Jsonl, Some(schema)) => {
                let rows = head::read_rows(store, object, index, found.codec, schema, n_rows, cancel).await?;
                let mut part = part_of_batches(rows, n_rows);
                if found.codec == Codec::None {
                    part.n_likely = likely_rows(&part.dfs, object.size);
                }
                Ok(part)
            }
            _ => Err(PageError::UnknownFormat {
                object: store.location(&object.key).to_string(),
                reason: format!(
                    "it is of another format than the files before it, which are {}",
                    word(format)
                ),
            }),
        }
    }
}

/// At most `n_rows` rows of one JSONL object, and the rejects among them.
fn part_of_batches(rows: head::Rows, n_rows: usize) -> Part {
    let mut stack = Stack::new(n_rows);
    let mut rejects = Vec::new();
    let mut n = 0;
    for batch in rows.batches {
        n += batch.df.height();
        rejects.extend(batch.rejects);
        // Frames of one decoder have one schema.
        if stack.push(batch.df).is_err() {
            break;
        }
    }
    if let Some(last_line) = stack.cut_at() {
        rejects.retain(|reject| reject.line <= last_line);
    }
    let is_whole = rows.is_whole && n <= n_rows;
    Part {
        dfs: stack.finish().into_iter().collect(),
        rejects,
        is_whole,
        n_total: is_whole.then_some(n as u64),
        n_likely: None,
    }
}

/// Rows by bytes of the objects read, to tell the rows of all.
#[derive(Debug, Default)]
struct Likely {
    rows: u64,
    /// Of the objects whose rows are known.
    bytes: u64,
    /// Of all objects read.
    bytes_read: u64,
}

impl Likely {
    fn add(&mut self, n_rows: u64, n_bytes: u64) {
        self.rows += n_rows;
        self.bytes += n_bytes;
    }

    /// What part of `objects` the `n_files` read with their `n_rows` rows are.
    fn size(&self, objects: &[Object], accuracy: Accuracy, n_rows: u64, n_files: u64) -> SampleSize {
        let n_bytes: u64 = objects.iter().map(|object| object.size).sum();
        let portion = |n, of| Portion { n, of };
        let rows = match accuracy {
            Accuracy::Exact => Total::Exact(n_rows),
            Accuracy::Sample { of: Some(of), .. } => Total::Exact(of),
            _ => self
                .of(n_bytes)
                .map_or(Total::Unknown, |of| Total::Estimated(of.max(n_rows))),
        };
        SampleSize {
            rows: portion(n_rows, rows),
            files: portion(n_files, Total::Exact(objects.len() as u64)),
            bytes: portion(self.bytes_read, Total::Exact(n_bytes)),
            partitions: Portion::default(),
        }
    }

    /// Rows of objects of `n_bytes` in all. None where nothing is known.
    fn of(&self, n_bytes: u64) -> Option<u64> {
        let rows = (u128::from(self.rows) * u128::from(n_bytes)).checked_div(u128::from(self.bytes))?;
        u64::try_from(rows).ok()
    }
}

/// Rows of an object of `n_bytes`, by the place of the last of its first rows.
fn likely_rows(dfs: &[DataFrame], n_bytes: u64) -> Option<u64> {
    let n_rows: usize = dfs.iter().map(DataFrame::height).sum();
    let last = dfs.last()?;
    let at = last.height().checked_sub(1)?;
    let offset = last.column(origin::OFFSET).ok()?.u64().ok()?.get(at)?;
    // The rows before the last take the bytes before it.
    let rows = (n_rows as u128 - 1) * u128::from(n_bytes);
    u64::try_from(rows.checked_div(u128::from(offset))?).ok()
}

fn stack_was_cut(n: u64, n_rows: usize, n_total: Option<u64>) -> bool {
    n >= n_rows as u64 && n_total != Some(n)
}

fn word(format: Format) -> &'static str {
    match format {
        Format::Jsonl => "JSON Lines",
        Format::Parquet => "Parquet",
    }
}

/// A whole file that gives no rows, as one reject.
pub fn unreadable(object: &str, reason: &str) -> Reject {
    Reject {
        object: object.to_owned(),
        line: 0,
        byte_offset: 0,
        byte_len: 0,
        stage: Stage::Read,
        reason: Reason::UnreadableFile,
        field: None,
        expected: None,
        got: None,
        step: None,
        message: reason.to_owned(),
        raw: String::new(),
        is_raw_partial: true,
    }
}

//! Parquet through its footer and ranged reads: a page of a 10 GB object reads a few ranges, never the object.

use std::ops::Range;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use arrow::array::RecordBatch;
use arrow::datatypes::SchemaRef;
use bytes::Bytes;
use futures::future::{BoxFuture, FutureExt};
use futures::stream::TryStreamExt;
use parquet::arrow::ProjectionMask;
use parquet::arrow::arrow_reader::{ArrowReaderMetadata, ArrowReaderOptions, RowSelection};
use parquet::arrow::async_reader::{
    AsyncFileReader, ParquetRecordBatchStream, ParquetRecordBatchStreamBuilder,
};
use parquet::errors::ParquetError;
use parquet::file::metadata::{ParquetMetaData, ParquetMetaDataReader};
use polars::prelude as pl;

use super::arrow_bridge::{self, BridgeError, DecimalDigits};
use super::{PageError, origin};
use crate::base::Cancel;
use crate::storage::{Object, StorageError, Store};

/// Read from the end at first: most footers fit.
const FOOTER_GUESS_BYTES: usize = 64 << 10;
/// Ranges closer together than this are one request.
const JOIN_GAP_BYTES: u64 = 256 << 10;
const BATCH_ROWS: usize = 8192;

/// What a footer says.
#[derive(Debug, Clone)]
pub struct Footer {
    pub schema: pl::Schema,
    /// Paths of decimals, which are texts in `schema`.
    pub decimals: Vec<String>,
    /// The same with their digits.
    pub decimal_digits: Vec<DecimalDigits>,
    /// Exact.
    pub n_rows: u64,
    pub n_row_groups: usize,
}

/// Reads the footer of one object with ranged requests.
///
/// # Errors
/// [`PageError::CorruptParquet`] for a file without a readable footer.
pub async fn footer(store: &Store, object: &Object) -> Result<Footer, PageError> {
    let mut ranges = Ranges::new(store, object);
    let metadata = ranges.open().await?;
    let empty = RecordBatch::new_empty(Arc::clone(metadata.schema()));
    let df = arrow_bridge::to_polars(&empty).map_err(|error| ranges.unreadable(&error))?;
    let file = metadata.metadata();
    Ok(Footer {
        schema: df.schema().as_ref().clone(),
        decimals: arrow_bridge::decimal_paths(metadata.schema()),
        decimal_digits: arrow_bridge::decimal_digits(metadata.schema()),
        n_rows: n_rows(file),
        n_row_groups: file.num_row_groups(),
    })
}

/// Rows of one object as Arrow batches, read range by range as they are asked for.
pub struct RowStream {
    stream: ParquetRecordBatchStream<Ranges>,
    ranges: Ranges,
    n_rows: u64,
}

impl RowStream {
    /// Opens the rows that `selection` takes (its numbers are of the whole object).
    ///
    /// # Errors
    /// [`PageError::CorruptParquet`] for a file without a readable footer.
    pub async fn open(store: &Store, object: &Object, selection: RowSelection) -> Result<Self, PageError> {
        let mut ranges = Ranges::new(store, object);
        let metadata = ranges.open().await?;
        let n_rows = n_rows(metadata.metadata());
        let stream = ParquetRecordBatchStreamBuilder::new_with_metadata(ranges.clone(), metadata)
            .with_row_selection(selection)
            .with_batch_size(BATCH_ROWS)
            .build()
            .map_err(|error| ranges.failure(error))?;
        Ok(Self {
            stream,
            ranges,
            n_rows,
        })
    }

    /// Rows of the whole object. Exact.
    pub fn n_rows(&self) -> u64 {
        self.n_rows
    }

    /// The next rows; none at the end.
    ///
    /// # Errors
    /// As [`Self::open`].
    pub async fn next(&mut self) -> Result<Option<RecordBatch>, PageError> {
        let batch = self.stream.try_next().await;
        batch.map_err(|error| self.ranges.failure(error))
    }
}

/// The first rows of one object.
pub(super) struct Head {
    /// With origin columns.
    pub(super) df: pl::DataFrame,
    /// Rows of the whole object.
    pub(super) n_rows: u64,
}

/// Reads up to `limit` rows from the row `first` on: only the row groups and pages that hold them.
pub(super) async fn read_rows(
    store: &Store,
    object: &Object,
    index: u32,
    rows: Range<u64>,
    cancel: &Cancel,
) -> Result<Head, PageError> {
    read_from(Ranges::new(store, object), index, rows, None, cancel).await
}

/// As [`read_rows`], only the columns of these names, as far as they are there.
pub(super) async fn read_columns(
    store: &Store,
    object: &Object,
    index: u32,
    rows: Range<u64>,
    names: &[&str],
    cancel: &Cancel,
) -> Result<Head, PageError> {
    read_from(Ranges::new(store, object), index, rows, Some(names), cancel).await
}

async fn read_from(
    ranges: Ranges,
    index: u32,
    rows: Range<u64>,
    names: Option<&[&str]>,
    cancel: &Cancel,
) -> Result<Head, PageError> {
    let mut frames = Frames::of(ranges, index, Part::Rows(rows), names).await?;
    let mut df = frames.empty()?;
    loop {
        cancel.check().map_err(|_| PageError::Cancelled)?;
        let Some(part) = frames.next().await? else {
            break;
        };
        df.vstack_mut_owned(part)
            .map_err(|error| corrupt(&frames.ranges.location, &error.to_string()))?;
    }
    df.rechunk_mut();
    let n_bytes_read = frames.ranges.n_bytes_read.load(Ordering::Relaxed);
    tracing::debug!(
        object = frames.ranges.location,
        n_bytes_read,
        n_bytes = frames.ranges.size,
        "read rows of a Parquet file"
    );
    Ok(Head {
        df,
        n_rows: frames.n_rows,
    })
}

/// What is read of an object.
enum Part {
    Rows(Range<u64>),
    /// None stands for all.
    Groups(Option<Range<usize>>),
}

/// Rows of one object as frames with origin columns, read range by range as they are asked for.
pub struct Frames {
    stream: ParquetRecordBatchStream<Ranges>,
    ranges: Ranges,
    schema: SchemaRef,
    index: u32,
    /// 0-based number of the next row in the object.
    next_row: u64,
    n_rows: u64,
}

impl Frames {
    /// Opens the row groups `groups` (none for all of them) of an object, whose number in the origin columns is to be
    /// `index`; of the columns those of these names, as far as they are there.
    ///
    /// # Errors
    /// [`PageError::CorruptParquet`] for a file without a readable footer.
    pub async fn open(
        store: &Store,
        object: &Object,
        index: u32,
        groups: Option<Range<usize>>,
        names: Option<&[&str]>,
    ) -> Result<Self, PageError> {
        Self::of(Ranges::new(store, object), index, Part::Groups(groups), names).await
    }

    async fn of(
        mut ranges: Ranges,
        index: u32,
        part: Part,
        names: Option<&[&str]>,
    ) -> Result<Self, PageError> {
        let metadata = ranges.open().await?;
        let file = Arc::clone(metadata.metadata());
        let fields = metadata.schema().fields().iter().enumerate();
        let is_wanted = |name: &str| names.is_none_or(|names| names.contains(&name));
        let wanted: Vec<usize> = fields
            .filter(|(_, field)| is_wanted(field.name()))
            .map(|(at, _)| at)
            .collect();
        let schema = metadata
            .schema()
            .project(&wanted)
            .map_err(|error| corrupt(&ranges.location, &error.to_string()))?;
        let mask = ProjectionMask::roots(metadata.parquet_schema(), wanted);
        let builder = ParquetRecordBatchStreamBuilder::new_with_metadata(ranges.clone(), metadata)
            .with_projection(mask);
        let (builder, next_row) = match part {
            Part::Rows(rows) => {
                let (groups, first_of_groups) = groups_of(&file, &rows);
                let skip = usize::try_from(rows.start - first_of_groups).unwrap_or(usize::MAX);
                let limit = usize::try_from(rows.end.saturating_sub(rows.start)).unwrap_or(usize::MAX);
                let builder = builder
                    .with_row_groups(groups)
                    .with_offset(skip)
                    .with_limit(limit)
                    .with_batch_size(BATCH_ROWS.min(limit.max(1)));
                (builder, rows.start)
            }
            Part::Groups(None) => (builder.with_batch_size(BATCH_ROWS), 0),
            Part::Groups(Some(groups)) => {
                let before = file.row_groups().iter().take(groups.start);
                let first = before
                    .map(|group| u64::try_from(group.num_rows()).unwrap_or(0))
                    .sum();
                let builder = builder
                    .with_row_groups(groups.collect())
                    .with_batch_size(BATCH_ROWS);
                (builder, first)
            }
        };
        let stream = builder.build().map_err(|error| ranges.failure(error))?;
        Ok(Self {
            stream,
            ranges,
            schema: Arc::new(schema),
            index,
            next_row,
            n_rows: n_rows(&file),
        })
    }

    /// The next rows; none at the end.
    ///
    /// # Errors
    /// As [`Self::open`].
    pub async fn next(&mut self) -> Result<Option<pl::DataFrame>, PageError> {
        let batch = self.stream.try_next().await;
        let Some(batch) = batch.map_err(|error| self.ranges.failure(error))? else {
            return Ok(None);
        };
        let df = self.frame(&batch)?;
        self.next_row += df.height() as u64;
        Ok(Some(df))
    }

    /// No rows, with the columns that [`Self::next`] gives.
    fn empty(&self) -> Result<pl::DataFrame, PageError> {
        self.frame(&RecordBatch::new_empty(Arc::clone(&self.schema)))
    }

    fn frame(&self, batch: &RecordBatch) -> Result<pl::DataFrame, PageError> {
        let mut df = arrow_bridge::to_polars(batch).map_err(|error| self.ranges.unreadable(&error))?;
        let n = df.height();
        let lines: Vec<u64> = (self.next_row + 1..=self.next_row + n as u64).collect();
        let name = pl::PlSmallStr::from_static;
        let columns: [pl::Series; 3] = [
            pl::NamedFrom::new(name(origin::OBJECT), vec![self.index; n]),
            pl::NamedFrom::new(name(origin::LINE), lines),
            pl::NamedFrom::new(name(origin::OFFSET), vec![0_u64; n]),
        ];
        for column in columns {
            df.with_column(column.into())
                .map_err(|error| corrupt(&self.ranges.location, &error.to_string()))?;
        }
        Ok(df)
    }
}

fn n_rows(file: &ParquetMetaData) -> u64 {
    u64::try_from(file.file_metadata().num_rows()).unwrap_or(0)
}

/// The row groups that hold `rows`, and the row that the first of them starts with.
fn groups_of(file: &ParquetMetaData, rows: &Range<u64>) -> (Vec<usize>, u64) {
    let mut groups = Vec::new();
    let mut first_of_groups = rows.start;
    let mut start = 0;
    for (i, group) in file.row_groups().iter().enumerate() {
        let end = start + u64::try_from(group.num_rows()).unwrap_or(0);
        if start < rows.end && end > rows.start {
            if groups.is_empty() {
                first_of_groups = start;
            }
            groups.push(i);
        }
        start = end;
    }
    (groups, first_of_groups)
}

fn corrupt(object: &str, reason: &str) -> PageError {
    PageError::CorruptParquet {
        object: object.to_owned(),
        reason: reason.to_owned(),
    }
}

/// One object as the Parquet reader asks for it: ranges, and its size from the listing.
#[derive(Clone)]
struct Ranges {
    store: Store,
    key: String,
    size: u64,
    location: String,
    /// Shared by clones.
    n_bytes_read: Arc<AtomicU64>,
}

impl Ranges {
    fn new(store: &Store, object: &Object) -> Self {
        Self {
            store: store.clone(),
            key: object.key.clone(),
            size: object.size,
            location: store.location(&object.key).to_string(),
            n_bytes_read: Arc::default(),
        }
    }

    async fn open(&mut self) -> Result<ArrowReaderMetadata, PageError> {
        if self.size == 0 {
            return Err(corrupt(
                &self.location,
                "it is empty; write it again or remove it",
            ));
        }
        let metadata = self
            .get_metadata(None)
            .await
            .map_err(|error| self.failure(error))?;
        ArrowReaderMetadata::try_new(metadata, ArrowReaderOptions::new()).map_err(|error| self.failure(error))
    }

    /// A failure of the storage stays one; anything else is the file's.
    fn failure(&self, error: ParquetError) -> PageError {
        let reason = match error {
            ParquetError::External(source) => match source.downcast::<Lost>() {
                Ok(lost) => return PageError::Storage(lost.0),
                Err(other) => other.to_string(),
            },
            ParquetError::General(message)
            | ParquetError::EOF(message)
            | ParquetError::ArrowError(message) => message,
            other => other.to_string(),
        };
        // Each layer of the reader puts its name before the words of the one below.
        let reason = reason.rsplit("Parquet error: ").next().unwrap_or(&reason);
        corrupt(&self.location, &format!("{reason}; {}", remedy(reason)))
    }

    fn unreadable(&self, error: &BridgeError) -> PageError {
        corrupt(&self.location, &error.to_string())
    }

    async fn fetch(&self, range: Range<u64>) -> parquet::errors::Result<Bytes> {
        let wanted = range.end.saturating_sub(range.start);
        let bytes = self
            .store
            .get_range(&self.key, range.start, range.end)
            .await
            .map_err(|error| ParquetError::External(Box::new(Lost(error))))?;
        self.n_bytes_read.fetch_add(bytes.len() as u64, Ordering::Relaxed);
        if (bytes.len() as u64) < wanted {
            return Err(ParquetError::EOF(format!(
                "{} bytes are there of {wanted} from byte {} on",
                bytes.len(),
                range.start
            )));
        }
        Ok(bytes)
    }
}

/// What to do about a file that the Parquet reader gave up on, by its words.
fn remedy(reason: &str) -> &'static str {
    let has = |word| reason.contains(word);
    if has("encrypt") {
        "Skewer has no keys for it: write it without encryption"
    } else if has("Required field") {
        // With a footer that is plain, an encrypted column shows only where its pages begin.
        "some of its columns are encrypted, and Skewer has no keys for them, or it is damaged: choose the other columns, or \
         write it again without encryption"
    } else if has("LZO") || has("codec") {
        "write it again with another codec, such as zstd or snappy"
    } else {
        "it may be damaged, cut short, encrypted or of another format: write it again or remove it"
    }
}

/// A storage error on its way through the Parquet reader.
#[derive(Debug, thiserror::Error)]
#[error(transparent)]
struct Lost(StorageError);

impl AsyncFileReader for Ranges {
    fn get_bytes(&mut self, range: Range<u64>) -> BoxFuture<'_, parquet::errors::Result<Bytes>> {
        async move { self.fetch(range).await }.boxed()
    }

    fn get_byte_ranges(
        &mut self,
        ranges: Vec<Range<u64>>,
    ) -> BoxFuture<'_, parquet::errors::Result<Vec<Bytes>>> {
        async move {
            let this = &*self;
            let joined = joined(&ranges);
            let fetched =
                futures::future::try_join_all(joined.iter().map(|range| this.fetch(range.clone()))).await?;
            ranges
                .iter()
                .map(|range| {
                    let found = joined
                        .iter()
                        .zip(&fetched)
                        .find(|(joined, _)| joined.start <= range.start && range.end <= joined.end);
                    let part = found.and_then(|(joined, bytes)| {
                        let start = usize::try_from(range.start - joined.start).ok()?;
                        let end = usize::try_from(range.end - joined.start).ok()?;
                        (end <= bytes.len()).then(|| bytes.slice(start..end))
                    });
                    part.ok_or_else(|| ParquetError::EOF(format!("no bytes at {}", range.start)))
                })
                .collect()
        }
        .boxed()
    }

    fn get_metadata<'a>(
        &'a mut self,
        _: Option<&'a ArrowReaderOptions>,
    ) -> BoxFuture<'a, parquet::errors::Result<Arc<ParquetMetaData>>> {
        async move {
            let size = self.size;
            let reader = ParquetMetaDataReader::new().with_prefetch_hint(Some(FOOTER_GUESS_BYTES));
            Ok(Arc::new(reader.load_and_finish(self, size).await?))
        }
        .boxed()
    }
}

/// `ranges` as fewer ones, where the gap between two is smaller than another request is worth.
fn joined(ranges: &[Range<u64>]) -> Vec<Range<u64>> {
    let mut sorted = ranges.to_vec();
    sorted.sort_by_key(|range| range.start);
    let mut joined: Vec<Range<u64>> = Vec::new();
    for range in sorted {
        match joined.last_mut() {
            Some(last) if range.start <= last.end.saturating_add(JOIN_GAP_BYTES) => {
                last.end = last.end.max(range.end);
            }
            _ => joined.push(range),
        }
    }
    joined
}

#[cfg(test)]
mod tests {
    use std::path::Path;
    use std::sync::Arc;
    use std::sync::atomic::Ordering;

    use arrow::array::{ArrayRef, Int64Array, RecordBatch, StringArray};
    use parquet::arrow::ArrowWriter;
    use parquet::file::properties::WriterProperties;

    use super::{PageError, Ranges, footer, joined, read_from};
    use crate::base::Cancel;
    use crate::storage::{Connection, Location, Object, Store};

    #[test]
    #[expect(
        clippy::single_range_in_vec_init,
        reason = "lists of one range are what is compared"
    )]
    fn near_ranges_are_one_request_and_far_ones_are_not() {
        assert_eq!(joined(&[10..20, 0..5]), [0..20]);
        assert_eq!(
            joined(&[0..5, 10_000_000..10_000_001]),
            [0..5, 10_000_000..10_000_001]
        );
        assert_eq!(joined(&[]), Vec::<std::ops::Range<u64>>::new());
    }

    /// Ten row groups of 20,000 rows, whose text does not compress.
    fn write_large(path: &Path) {
        let properties = WriterProperties::builder()
            .set_max_row_group_row_count(Some(20_000))
            .build();
        let batch = |from: i64| {
            let numbers = from..from + 20_000;
            let text = numbers.clone().map(|i| {
                format!(
                    "{:032x}",
                    i128::from(i).wrapping_mul(0x1e37_79b9_7f4a_7c15_f39c_c060_5ced_c835)
                )
            });
            RecordBatch::try_from_iter([
                (
                    "i",
                    Arc::new(Int64Array::from_iter_values(numbers.clone())) as ArrayRef,
                ),
                ("t", Arc::new(StringArray::from_iter_values(text)) as ArrayRef),
            ])
            .unwrap()
        };
        let file = std::fs::File::create(path).unwrap();
        let mut writer = ArrowWriter::try_new(file, batch(0).schema(), Some(properties)).unwrap();
        for group in 0..10 {
            writer.write(&batch(group * 20_000)).unwrap();
        }
        writer.close().unwrap();
    }

    async fn opened(folder: &Path, key: &str) -> (Store, Object) {
        let root = Location::Local(folder.to_owned());
        let store = Store::open(&root, &Connection::default()).await.unwrap();
        let object = Object {
            key: key.to_owned(),
            size: std::fs::metadata(folder.join(key)).unwrap().len(),
            modified: chrono::DateTime::UNIX_EPOCH,
            etag: None,
        };
        (store, object)
    }

    #[tokio::test]
    async fn rows_of_a_large_file_cost_their_row_groups_only() {
        let folder = tempfile::tempdir().unwrap();
        write_large(&folder.path().join("large.parquet"));
        let (store, object) = opened(folder.path(), "large.parquet").await;
        for (rows, numbers) in [
            (0..100, 0..100),
            (59_990..60_010, 59_990..60_010),
            (199_999..300_000, 199_999..200_000),
        ] {
            let ranges = Ranges::new(&store, &object);
            let head = read_from(ranges.clone(), 3, rows.clone(), None, &Cancel::new())
                .await
                .unwrap();
            let column = head.df.column("i").unwrap().i64().unwrap();
            assert_eq!(
                column.into_no_null_iter().collect::<Vec<_>>(),
                numbers.collect::<Vec<i64>>()
            );
            let lines = head.df.column("__skewer_line").unwrap().u64().unwrap();
            assert_eq!(lines.first(), Some(rows.start + 1), "a row's line is its number");
            assert_eq!(head.n_rows, 200_000);
            let share = ranges.n_bytes_read.load(Ordering::Relaxed) as f64 / object.size as f64;
            assert!(share < 0.25, "{rows:?}: read {share:.2} of the file");
        }
        let footer = footer(&store, &object).await.unwrap();
        assert_eq!((footer.n_rows, footer.n_row_groups), (200_000, 10));
    }

    #[tokio::test]
    async fn a_file_without_a_footer_is_named_with_the_remedy() {
        let folder = tempfile::tempdir().unwrap();
        write_large(&folder.path().join("good.parquet"));
        let good = std::fs::read(folder.path().join("good.parquet")).unwrap();
        for (key, content) in [
            ("empty.parquet", &good[..0]),
            ("tiny.parquet", &good[..3]),
            ("cut.parquet", &good[..good.len() / 2]),
            ("text.parquet", b"{\"a\": 1}\n{\"a\": 2}\n"),
        ] {
            std::fs::write(folder.path().join(key), content).unwrap();
            let (store, object) = opened(folder.path(), key).await;
            let error = footer(&store, &object).await.unwrap_err();
            assert!(
                matches!(error, PageError::CorruptParquet { .. }),
                "{key}: {error}"
            );
            let text = error.to_string();
            assert!(text.contains(key) && text.contains("write it again"), "{text}");
        }
        let (store, mut object) = opened(folder.path(), "good.parquet").await;
        object.key = "gone.parquet".to_owned();
        let error = footer(&store, &object).await.unwrap_err();
        assert!(matches!(error, PageError::Storage(_)), "{error}");
    }
}

//! Brings rows of equal keys together through files, and runs the step on one bucket of them after another.
//!
//! A bucket takes the rows whose hash has the same first bits. One that is too large is dealt out again by the bits after
//! those. What is still too large then has one key: a step that reduces in parts takes it in parts, any other in
//! one piece if that fits at all.
//!
//! A step that only sorts is dealt the same way, with words that rise in its order in the place of hashes: each bucket
//! comes wholly before the next, and its rows get their places when it is sorted. Rows whose words agree are dealt by
//! their next ones, and when there is none they are equal and have their order already.

use std::ops::Range;

use polars::prelude::{DataFrame, IdxCa, IdxSize};

use super::frame::FrameError;
use super::gauge::Share;
use super::runs::Runs;
use super::scratch::{ScratchFile, ScratchReader};
use super::{Emit, Room, column, frame, keys, nothing_but, reduce};
use crate::dataset::{arrow_bridge, origin};
use crate::run::RunError;
use crate::transform::{Outcome, SortKey, Stage};

/// Most bits a pass: 64 buckets. As many chunks are cut from the rows at hand, so more would make them small.
const MAX_BITS: u32 = 6;
/// Chunks aim at this many bytes at least; matters below a budget of 2 MiB, where there are fewer buckets.
const CHUNK_BYTES: u64 = 8 << 10;
/// Carries a row's hash from pass to pass. No step sees it.
const HASH: &str = "__skewer_hash";

/// Deals rows out to buckets.
pub(super) struct Shuffle {
    room: Room,
    stage: Stage,
    by: DealBy,
    scatter: Scatter,
    /// Whether the words of a sort tell everything about its order.
    is_deepest: bool,
}

/// What tells the bucket of a row.
#[derive(Debug, Clone)]
enum DealBy {
    /// The hash of these columns.
    Keys(Vec<String>),
    /// The place in a sort by these columns.
    Order(Vec<SortKey>),
}

impl DealBy {
    /// Gives each row its number, and says whether there is more to a row's place in the order.
    fn number(&self, df: &mut DataFrame, depth: usize) -> Result<bool, RunError> {
        let (numbers, has_more) = match self {
            Self::Keys(keys) => (keys::hashes(df, keys).map_err(files_error)?, false),
            Self::Order(keys) => keys::order_words(df, keys, depth).map_err(files_error)?,
        };
        df.with_column(column(HASH, numbers)).map_err(frame::error)?;
        Ok(has_more)
    }
}

impl Shuffle {
    /// None for a step that needs all rows at once.
    pub fn new(stage: &Stage, room: &Room) -> Option<Self> {
        let by = if stage.sort_keys.is_empty() {
            DealBy::Keys(stage.keys.clone()?)
        } else {
            DealBy::Order(stage.sort_keys.clone())
        };
        Some(Self {
            by,
            stage: stage.clone(),
            scatter: Scatter::new(room, Pass::first(room.limit_bytes), 0),
            is_deepest: true,
            room: room.clone(),
        })
    }

    /// Adds rows with their places.
    pub fn push(&mut self, mut df: DataFrame) -> Result<(), RunError> {
        self.is_deepest &= !self.by.number(&mut df, 0)?;
        self.scatter.push(&df)
    }

    /// Runs the step on each bucket. `emit` takes rejects and counts; the rows are in the runs.
    pub fn run(self, emit: Emit<'_>) -> Result<Runs, RunError> {
        let Self {
            room,
            stage,
            by,
            scatter,
            is_deepest,
        } = self;
        let limit_bytes = room.limit_bytes;
        let mut step = BucketStep {
            runs: Runs::new(&room),
            room: &room,
            is_sort: matches!(by, DealBy::Order(_)),
            n_sorted: 0,
            stage,
            emit,
        };
        // The next one last.
        let mut buckets = scatter.finish(is_deepest)?;
        buckets.reverse();
        while let Some(bucket) = buckets.pop() {
            let pass = bucket.next_pass();
            let has_next_word = matches!(by, DealBy::Order(_)) && !bucket.is_deepest;
            if bucket.n_bytes <= limit_bytes / 2 {
                step.whole(&bucket)?;
            } else if pass.is_some() || has_next_word {
                let dealt = deal_again(&room, &bucket, &by, pass)?;
                drop(bucket);
                buckets.extend(dealt.into_iter().rev());
            } else {
                match &by {
                    DealBy::Order(_) => step.equals(&bucket)?,
                    DealBy::Keys(keys) if step.stage.reduces_in_parts => step.in_parts(&bucket, keys)?,
                    DealBy::Keys(_) if bucket.n_bytes <= limit_bytes => step.whole(&bucket)?,
                    DealBy::Keys(keys) => return Err(step.too_large(&bucket, keys)),
                }
            }
        }
        Ok(step.runs)
    }
}

/// Deals the rows of a bucket out by other bits of their numbers; without such bits by the next words of their order.
fn deal_again(
    room: &Room,
    bucket: &Bucket,
    by: &DealBy,
    pass: Option<Pass>,
) -> Result<Vec<Bucket>, RunError> {
    let goes_deeper = pass.is_none();
    let depth = bucket.depth + usize::from(goes_deeper);
    let pass = pass.unwrap_or_else(|| Pass::first(room.limit_bytes));
    let mut scatter = Scatter::new(room, pass, depth);
    let mut is_deepest = goes_deeper || bucket.is_deepest;
    let mut reader = bucket.file.reader();
    while let Some(mut df) = read(room, &mut reader)? {
        if goes_deeper {
            is_deepest &= !by.number(&mut df, depth)?;
        }
        scatter.push(&df)?;
    }
    scatter.finish(is_deepest)
}

/// Which bits of a hash tell the bucket.
#[derive(Debug, Clone, Copy)]
struct Pass {
    n_bits: u32,
    /// Bits behind them.
    shift: u32,
}

impl Pass {
    fn first(limit_bytes: u64) -> Self {
        let n_buckets = (limit_bytes / 4 / CHUNK_BYTES).max(4);
        let n_bits = n_buckets.ilog2().min(MAX_BITS);
        Self {
            n_bits,
            shift: u64::BITS - n_bits,
        }
    }

    /// By the bits from the first one on in which two hashes differ.
    fn between(self, min: u64, max: u64) -> Option<Self> {
        let n_differing = u64::BITS - (min ^ max).leading_zeros();
        (n_differing > 0).then(|| Self {
            shift: n_differing.saturating_sub(self.n_bits),
            ..self
        })
    }

    fn n_buckets(self) -> usize {
        1 << self.n_bits
    }

    fn bucket(self, hash: u64) -> usize {
        usize::try_from(hash >> self.shift).unwrap_or_default() % self.n_buckets()
    }
}

/// Rows whose hashes agree in the bits of the passes so far.
struct Bucket {
    pass: Pass,
    /// Words of a sort's order that all its rows have in common.
    depth: usize,
    /// Whether the word at hand is the last one.
    is_deepest: bool,
    file: ScratchFile,
    /// In memory.
    n_bytes: u64,
    /// Smallest and largest hash.
    hashes: Option<(u64, u64)>,
}

impl Bucket {
    /// None when another pass would not part the rows: they have one key. Two keys with one hash count as one.
    fn next_pass(&self) -> Option<Pass> {
        let (min, max) = self.hashes?;
        self.pass.between(min, max)
    }
}

/// One pass: collects rows, and writes them to their buckets when there are many.
struct Scatter {
    room: Room,
    buckets: Vec<Bucket>,
    pass: Pass,
    waiting: Vec<DataFrame>,
    waiting_bytes: Share,
}

impl Scatter {
    fn new(room: &Room, pass: Pass, depth: usize) -> Self {
        let bucket = |_| Bucket {
            pass,
            depth,
            is_deepest: true,
            file: room.scratch.file(),
            n_bytes: 0,
            hashes: None,
        };
        Self {
            buckets: (0..pass.n_buckets()).map(bucket).collect(),
            pass,
            waiting: Vec::new(),
            waiting_bytes: Share::of(&room.gauge),
            room: room.clone(),
        }
    }

    fn push(&mut self, df: &DataFrame) -> Result<(), RunError> {
        let most = (self.room.limit_bytes / 4).max(CHUNK_BYTES);
        let n_bytes = frame::n_bytes(df);
        for rows in frame::cut(df, n_bytes, most) {
            self.waiting_bytes
                .add(n_bytes * rows.height() as u64 / df.height().max(1) as u64);
            self.waiting.push(rows);
            if self.waiting_bytes.get() >= most {
                self.flush()?;
            }
        }
        Ok(())
    }

    /// Buckets with rows, in the order of their hashes.
    fn finish(mut self, is_deepest: bool) -> Result<Vec<Bucket>, RunError> {
        self.flush()?;
        let buckets = std::mem::take(&mut self.buckets);
        Ok(buckets
            .into_iter()
            .filter(|bucket| bucket.hashes.is_some())
            .map(|bucket| Bucket { is_deepest, ..bucket })
            .collect())
    }

    fn flush(&mut self) -> Result<(), RunError> {
        self.room.cancel.check()?;
        let mut df = frame::stack(std::mem::take(&mut self.waiting))?;
        if df.height() == 0 {
            self.waiting_bytes.set(0);
            return Ok(());
        }
        df.rechunk_mut();
        let hashes: Vec<u64> = u64s(&df, HASH)?;
        let (order, ranges) = deal(&hashes, self.pass);
        let dealt = df
            .take(&IdxCa::from_vec("".into(), order.clone()))
            .map_err(frame::error)?;
        drop(df);
        let n_bytes = frame::n_bytes(&dealt);
        // What is written is a copy in plain buffers.
        self.waiting_bytes.add(n_bytes);
        let batch = frame::flat(&dealt).map_err(files_error)?;
        drop(dealt);
        let n_rows = batch.num_rows().max(1) as u64;
        for (bucket, rows) in self.buckets.iter_mut().zip(ranges) {
            if rows.is_empty() {
                continue;
            }
            let slice = batch.slice(rows.start, rows.len());
            let exact: usize = slice
                .columns()
                .iter()
                .filter_map(|column| column.to_data().get_slice_memory_size().ok())
                .sum();
            // At least its share, as views take more than offsets.
            bucket.n_bytes += (exact as u64).max(n_bytes * rows.len() as u64 / n_rows);
            let of_bucket = order.get(rows).unwrap_or_default().iter();
            for hash in of_bucket.filter_map(|row| hashes.get(*row as usize).copied()) {
                let (min, max) = bucket.hashes.unwrap_or((hash, hash));
                bucket.hashes = Some((min.min(hash), max.max(hash)));
            }
            bucket.file.append(&slice)?;
        }
        self.waiting_bytes.set(0);
        Ok(())
    }
}

/// Rows in the order of their buckets, each bucket's in their own order, and where each bucket starts and ends.
fn deal(hashes: &[u64], pass: Pass) -> (Vec<IdxSize>, Vec<Range<usize>>) {
    let mut rows: Vec<Vec<IdxSize>> = vec![Vec::new(); pass.n_buckets()];
    for (row, hash) in (0..).zip(hashes) {
        if let Some(rows) = rows.get_mut(pass.bucket(*hash)) {
            rows.push(row);
        }
    }
    let mut start = 0;
    let ranges = rows.iter().map(|rows| {
        let range = start..start + rows.len();
        start = range.end;
        range
    });
    let ranges = ranges.collect();
    (rows.concat(), ranges)
}

/// Runs the step on rows that are together.
struct BucketStep<'a> {
    room: &'a Room,
    stage: Stage,
    /// Whether buckets come in the order of their rows.
    is_sort: bool,
    n_sorted: u64,
    runs: Runs,
    emit: Emit<'a>,
}

impl BucketStep<'_> {
    fn whole(&mut self, bucket: &Bucket) -> Result<(), RunError> {
        let mut loaded = Share::of(&self.room.gauge);
        let mut frames = Vec::new();
        let mut reader = bucket.file.reader();
        while let Some(df) = read(self.room, &mut reader)? {
            loaded.add(frame::n_bytes(&df));
            frames.push(df);
        }
        self.run(frames, loaded)
    }

    /// Rows that a sort leaves as they are.
    fn equals(&mut self, bucket: &Bucket) -> Result<(), RunError> {
        let mut reader = bucket.file.reader();
        while let Some(df) = read(self.room, &mut reader)? {
            let mut loaded = Share::of(&self.room.gauge);
            loaded.add(frame::n_bytes(&df));
            self.run(vec![df], loaded)?;
        }
        Ok(())
    }

    fn in_parts(&mut self, bucket: &Bucket, keys: &[String]) -> Result<(), RunError> {
        let mut loaded = Share::of(&self.room.gauge);
        let mut frames = Vec::new();
        let mut reader = bucket.file.reader();
        while let Some(df) = read(self.room, &mut reader)? {
            loaded.add(frame::n_bytes(&df));
            frames.push(df);
            if loaded.get() > self.room.limit_bytes / 2 {
                let (df, counts) = reduce(&self.stage, without_hashes(std::mem::take(&mut frames)))?;
                (self.emit)(nothing_but(vec![counts]))?;
                let df = frame::compact(&df)?;
                loaded.set(frame::n_bytes(&df));
                frames.push(df);
            }
            if loaded.get() > self.room.limit_bytes {
                return Err(self.too_large(bucket, keys));
            }
        }
        self.run(frames, loaded)
    }

    fn run(&mut self, frames: Vec<DataFrame>, mut loaded: Share) -> Result<(), RunError> {
        let df = frame::stack(without_hashes(frames))?;
        let mut outcome = self.stage.step.execute(df)?;
        if self.is_sort {
            let end = self.n_sorted + outcome.df.height() as u64;
            let places: Vec<u64> = (self.n_sorted..end).collect();
            self.n_sorted = end;
            let places = column(origin::ROW, places);
            outcome.df.with_column(places).map_err(frame::error)?;
        }
        loaded.add(frame::n_bytes(&outcome.df));
        self.runs.push(&outcome.df)?;
        (self.emit)(Outcome {
            df: DataFrame::empty(),
            ..outcome
        })
    }

    fn too_large(&self, bucket: &Bucket, keys: &[String]) -> RunError {
        let first = match read(self.room, &mut bucket.file.reader()) {
            Ok(first) => first.unwrap_or_default(),
            Err(error) => return error,
        };
        RunError::DayTooLarge {
            limit_bytes: self.room.limit_bytes,
            step: self.stage.label.clone(),
            rows: format!("all rows with {}", keys::shown(&first, keys)),
        }
    }
}

fn without_hashes(frames: Vec<DataFrame>) -> Vec<DataFrame> {
    frames.into_iter().map(|df| df.drop_many([HASH])).collect()
}

/// The next rows of a file.
pub(super) fn read(room: &Room, reader: &mut ScratchReader<'_>) -> Result<Option<DataFrame>, RunError> {
    room.cancel.check()?;
    let Some(batch) = reader.next()? else {
        return Ok(None);
    };
    let df = arrow_bridge::to_polars(&batch).map_err(|error| files_error(error.into()))?;
    Ok(Some(df))
}

/// A hidden column of numbers.
pub(super) fn u64s(df: &DataFrame, name: &str) -> Result<Vec<u64>, RunError> {
    let numbers = df
        .column(name)
        .and_then(|column| column.u64())
        .map_err(frame::error)?;
    Ok(numbers.iter().map(Option::unwrap_or_default).collect())
}

#[allow(clippy::needless_pass_by_value, reason = "the shape that `map_err` takes")]
pub(super) fn files_error(error: FrameError) -> RunError {
    RunError::Step {
        message: error.to_string(),
    }
}

/// The places of rows.
pub(super) fn places(df: &DataFrame) -> Result<Vec<u64>, RunError> {
    u64s(df, origin::ROW)
}

#[cfg(test)]
mod tests {
    use super::{Pass, deal};

    #[test]
    fn rows_are_dealt_by_the_next_bits_and_keep_their_order() {
        let first = Pass::first(1 << 30);
        let hashes = [u64::MAX, 0, 1 << 58, u64::MAX - 1, 1];
        let (order, ranges) = deal(&hashes, first);
        assert_eq!(order, [1, 4, 2, 0, 3]);
        assert_eq!(
            (ranges.len(), &ranges[0], &ranges[1], &ranges[63]),
            (64, &(0..2), &(2..3), &(3..5))
        );
        // Bits 4 to 9: those above them agree.
        let last = first.between(1 << 40, 1 << 40 | 1 << 9).unwrap();
        let hashes = [1 << 40 | 1 << 9 | 0b11_0000 << 4, 0b11_1111, 0, 0b1111].map(|hash| 1 << 40 | hash);
        let (order, _) = deal(&hashes, last);
        assert_eq!(order, [2, 3, 1, 0]);
        assert!(first.between(7, 7).is_none());
        let lowest = first.between(6, 7).unwrap();
        assert_ne!(lowest.bucket(6), lowest.bucket(7));
    }

    #[test]
    fn a_small_budget_has_few_buckets_so_that_chunks_are_worth_writing() {
        let n_buckets = |limit_bytes| Pass::first(limit_bytes).n_buckets();
        assert_eq!([1, 300 << 10, 2 << 20, 192 << 20].map(n_buckets), [4, 8, 64, 64]);
    }
}

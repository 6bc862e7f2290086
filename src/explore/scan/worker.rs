//! One thread of a scan: decodes what the queue gives, runs the steps, and hands batches to its collector.

use std::io::{self, Read};
use std::ops::Range;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use bytes::Bytes;
use polars::prelude::DataFrame;
use tokio::runtime::Handle;

use super::part::Part;
use super::queue::{Job, Piece, Queue};
use super::{Collect, Noticed, PIECE_ROWS, Scan, ScanBatch, ScanError, ScanLimits, ScanSource};
use crate::base::{Cancel, Progress, units};
use crate::dataset::decode::{Batch, DecodeOptions, Decoder, Drift, InputError, ObjectRef};
use crate::dataset::parquet::Frames;
use crate::dataset::{PageError, Reason, Reject, Stage, fit_columns, origin, take_columns, unreadable};
use crate::explore::explored::as_reject;
use crate::storage::{ReadFailure, StorageError, read_failure};
use crate::transform::{Outcome, Plan};

/// Rows of small objects may decompress to so much before they are read one by one.
const MAX_GROUP_BYTES: u64 = 16 << 20;
/// Bytes of a batch where only the first rows of an object are wanted.
const HEAD_BATCH_BYTES: usize = 256 << 10;
/// The number of rows is told this often.
const ROWS_EACH_NOTE: u64 = 50_000;

/// What ends a scan early.
pub(super) struct Stops {
    /// Another thread failed, or nobody waits any more.
    pub(super) stop: Cancel,
    /// Whoever asked wants no more.
    pub(super) cancel: Cancel,
}

impl Stops {
    fn is_stopped(&self) -> bool {
        self.stop.is_cancelled() || self.cancel.is_cancelled()
    }

    /// Waits for `work`, but not longer than until the scan is stopped: a request that hangs must not hold it.
    async fn until(&self, work: impl Future<Output = Result<(), ScanError>>) -> Result<(), ScanError> {
        let done = self.stop.until(self.cancel.until(work)).await;
        done.and_then(|done| done).unwrap_or(Ok(()))
    }
}

/// What threads share.
pub(super) struct Shared {
    source: Arc<ScanSource>,
    limits: ScanLimits,
    columns: Option<Vec<String>>,
    plan: Option<Arc<Plan>>,
    queue: Queue,
    stops: Stops,
    progress: Progress,
    n_rows: AtomicU64,
    runtime: Handle,
}

impl Shared {
    pub(super) fn new(scan: &Scan, queue: Queue, stops: Stops, progress: Progress) -> Self {
        Self {
            source: Arc::clone(&scan.source),
            limits: scan.limits,
            columns: scan.columns.clone(),
            plan: scan.plan.clone(),
            queue,
            stops,
            progress,
            n_rows: AtomicU64::new(0),
            runtime: Handle::current(),
        }
    }

    /// Says how many rows were read, now and then.
    fn count_rows(&self, n: u64) {
        let before = self.n_rows.fetch_add(n, Ordering::Relaxed);
        if before / ROWS_EACH_NOTE != (before + n) / ROWS_EACH_NOTE {
            self.progress.set_note(units::plural(before + n, "row"));
        }
    }
}

pub(super) struct Worker<C> {
    shared: Arc<Shared>,
    part: Part<C>,
    /// Kept from object to object; none after a panic.
    decoder: Option<Decoder>,
    content: Vec<u8>,
    /// Records that the collector was not told of.
    n_unnoticed: u64,
}

impl<C: Collect> Worker<C> {
    pub(super) fn new(shared: Arc<Shared>, collector: C) -> Self {
        Self {
            shared,
            part: Part::new(collector),
            decoder: None,
            content: Vec::new(),
            n_unnoticed: 0,
        }
    }

    /// Works until there is nothing left, or the scan is stopped.
    pub(super) fn run(mut self) -> Result<Part<C>, ScanError> {
        let shared = Arc::clone(&self.shared);
        self.work(&shared)?;
        if shared.stops.cancel.is_cancelled() {
            self.part.collected.condense();
        }
        Ok(self.part)
    }

    fn work(&mut self, shared: &Shared) -> Result<(), ScanError> {
        while !shared.stops.is_stopped() {
            let job = match shared.queue.next(&shared.source) {
                Ok(Some(job)) => job,
                Ok(None) => break,
                // Bytes stop coming when the scan is stopped; what is here stands.
                Err(_) if shared.stops.is_stopped() => break,
                Err(error) => return Err(error),
            };
            match self.job(job) {
                Err(_) if shared.stops.is_stopped() => break,
                outcome => outcome?,
            }
        }
        Ok(())
    }

    fn job(&mut self, job: Job) -> Result<(), ScanError> {
        match job {
            Job::Whole { objects, contents } => self.group(objects, &contents),
            Job::Piece(piece) => self.piece(piece),
            Job::Stream { object, reader } => {
                self.stream(object, reader)?;
                self.done(object);
                Ok(())
            }
            Job::Groups {
                object,
                groups,
                is_last,
            } => {
                self.row_groups(object, groups)?;
                if is_last {
                    self.done(object);
                }
                Ok(())
            }
        }
    }

    fn done(&mut self, object: usize) {
        self.part.n_files += 1;
        self.shared.progress.add_done(1);
        let object = self.shared.source.objects().get(object);
        self.shared
            .progress
            .add_bytes(object.map_or(0, |object| object.size));
    }

    /// Whole objects together; one by one when the decoder panics on one of them, or when they decompress to more than
    /// may wait in memory.
    fn group(&mut self, objects: Range<usize>, contents: &[Bytes]) -> Result<(), ScanError> {
        let decoded = catch_unwind(AssertUnwindSafe(|| self.decode_group(objects.clone(), contents)));
        let decoded = match decoded {
            Ok(decoded) => decoded?,
            Err(_panic) => None,
        };
        if let Some(batches) = decoded {
            for batch in batches {
                self.take(batch, objects.clone())?;
            }
            self.notice(objects.start);
        } else {
            self.decoder = None;
            for (i, object) in objects.clone().enumerate() {
                match contents.get(i) {
                    Some(content) => self.stream(object, content.as_ref())?,
                    None => self.local_stream(object)?,
                }
            }
        }
        for object in objects {
            self.done(object);
        }
        Ok(())
    }

    /// None for a group that is too large to wait in memory as a whole.
    fn decode_group(
        &mut self,
        objects: Range<usize>,
        contents: &[Bytes],
    ) -> Result<Option<Vec<Batch>>, ScanError> {
        let shared = Arc::clone(&self.shared);
        let mut decoder = self.taken_decoder()?;
        let mut batches: Vec<Batch> = Vec::new();
        let mut n_bytes = 0;
        for (i, object) in objects.enumerate() {
            let name = shared.source.name(object);
            if shared.source.is_stranger(object) {
                self.part.reject(stranger(&name));
                continue;
            }
            let content = if let Some(content) = contents.get(i) {
                content.as_ref()
            } else {
                self.read_local(object)?;
                self.content.as_slice()
            };
            let mut keep = |batch: Batch| {
                n_bytes += batch.n_bytes;
                batches.push(batch);
                n_bytes <= MAX_GROUP_BYTES && !shared.stops.is_stopped()
            };
            decoder
                .read(
                    of_start(object, &name),
                    shared.source.codec(object),
                    content,
                    &mut keep,
                )
                .map_err(input_error)?;
            if n_bytes > MAX_GROUP_BYTES {
                return Ok(None);
            }
        }
        batches.extend(decoder.finish());
        self.decoder = Some(decoder);
        Ok(Some(batches))
    }

    fn taken_decoder(&mut self) -> Result<Decoder, ScanError> {
        match self.decoder.take() {
            Some(decoder) => Ok(decoder),
            None => self.new_decoder(),
        }
    }

    fn new_decoder(&self) -> Result<Decoder, ScanError> {
        let batch_bytes = match self.shared.limits.rows_per_object {
            Some(_) => HEAD_BATCH_BYTES,
            None => 2 * self.shared.limits.unit_bytes(),
        };
        let options = DecodeOptions {
            batch_bytes,
            ..DecodeOptions::default()
        };
        // With steps, which columns they read is theirs to know.
        let columns = self
            .shared
            .columns
            .as_deref()
            .filter(|_| self.shared.plan.is_none());
        let schema = Arc::clone(&self.shared.source.declared);
        Ok(Decoder::with_columns(schema, options, columns)?)
    }

    fn read_local(&mut self, object: usize) -> Result<(), ScanError> {
        let source = &self.shared.source;
        let key = source
            .objects()
            .get(object)
            .map_or("", |object| object.key.as_str());
        match source.store.read_local(key, &mut self.content) {
            Some(read) => Ok(read?),
            None => Err(ScanError::Vanished {
                location: source.name(object),
            }),
        }
    }

    fn local_stream(&mut self, object: usize) -> Result<(), ScanError> {
        self.read_local(object)?;
        let content = std::mem::take(&mut self.content);
        let read = self.stream(object, content.as_slice());
        self.content = content;
        read
    }

    /// Lines of a large object.
    fn piece(&mut self, piece: Piece) -> Result<(), ScanError> {
        let object = piece.object;
        let name = self.shared.source.name(object);
        let place = ObjectRef {
            first_line: piece.first_line,
            first_offset: piece.first_offset,
            ..of_start(object, &name)
        };
        let n_bytes = piece.bytes.len() as u64;
        match piece.rest {
            Some(rest) => self.lines(object, place, piece.bytes.as_slice().chain(rest))?,
            None => self.lines(object, place, piece.bytes.as_slice())?,
        }
        if piece.is_last {
            self.part.n_files += 1;
            self.shared.progress.add_done(1);
        }
        self.shared.progress.add_bytes(n_bytes);
        Ok(())
    }

    /// An object from start to end.
    fn stream(&mut self, object: usize, input: impl Read) -> Result<(), ScanError> {
        let name = self.shared.source.name(object);
        if self.shared.source.is_stranger(object) {
            self.part.reject(stranger(&name));
            return Ok(());
        }
        self.lines(object, of_start(object, &name), input)
    }

    /// Decodes `input` batch by batch. When the decoder panics, the rows before stand and the rest is one reject.
    fn lines(&mut self, object: usize, place: ObjectRef<'_>, input: impl Read) -> Result<(), ScanError> {
        let mut decoder = self.taken_decoder()?;
        let shared = Arc::clone(&self.shared);
        let max_rows = shared.limits.rows_per_object.unwrap_or(u64::MAX);
        let (mut n_rows, mut last_line) = (0, place.first_line);
        let mut failed = None;
        let codec = shared.source.codec(object);
        let outcome = catch_unwind(AssertUnwindSafe(|| {
            let mut take = |mut batch: Batch| {
                let room = max_rows - n_rows;
                if room == 0 {
                    return false;
                }
                last_line += batch.n_records;
                if batch.df.height() as u64 > room {
                    batch.df = batch.df.head(usize::try_from(room).ok());
                    let line = last(&batch.df);
                    batch.rejects.retain(|reject| reject.line <= line);
                    batch.n_records = batch.df.height() as u64 + batch.rejects.len() as u64;
                    self.part.is_cut = true;
                }
                n_rows += batch.df.height() as u64;
                failed = self.take(batch, object..object + 1).err();
                let is_enough = n_rows >= max_rows;
                // There may be no more, but nobody looked.
                self.part.is_cut |= is_enough;
                failed.is_none() && !is_enough && !shared.stops.is_stopped()
            };
            decoder
                .read(place, codec, input, &mut take)
                .map_err(input_error)?;
            if let Some(batch) = decoder.finish() {
                take(batch);
            }
            Ok::<_, ScanError>(decoder)
        }));
        if let Some(error) = failed {
            return Err(error);
        }
        if let Ok(decoder) = outcome {
            self.decoder = Some(decoder?);
            self.notice(object);
        } else {
            let message = "the decoder stopped here and the rest of the file was not read";
            self.part.n_records += 1;
            self.part.reject(Reject {
                line: last_line,
                stage: Stage::Decode,
                reason: Reason::DecoderPanic,
                ..unreadable(place.name, message)
            });
        }
        Ok(())
    }

    fn row_groups(&mut self, object: usize, groups: Option<Range<usize>>) -> Result<(), ScanError> {
        let shared = Arc::clone(&self.shared);
        let name = shared.source.name(object);
        let is_stranger = shared.source.is_stranger(object);
        let Some(found) = shared.source.objects().get(object).filter(|_| !is_stranger) else {
            self.part.reject(stranger(&name));
            return Ok(());
        };
        let runtime = shared.runtime.clone();
        let read = runtime.block_on(
            shared
                .stops
                .until(async { self.frames(object, found, groups).await }),
        );
        match read {
            Err(ScanError::Page(PageError::CorruptParquet { reason, .. })) => {
                self.part.n_records += 1;
                self.part.reject(unreadable(&name, &reason));
                Ok(())
            }
            other => other,
        }
    }

    async fn frames(
        &mut self,
        object: usize,
        found: &crate::storage::Object,
        groups: Option<Range<usize>>,
    ) -> Result<(), ScanError> {
        let shared = Arc::clone(&self.shared);
        let source = &shared.source;
        // With steps, which columns they read is theirs to know.
        let columns = shared.columns.as_ref().filter(|_| shared.plan.is_none());
        let names: Option<Vec<&str>> = columns.map(|names| names.iter().map(String::as_str).collect());
        let all = match &shared.plan {
            Some(_) => source.step_schema(),
            None => source.schema(),
        };
        let is_wanted = |name: &str| names.as_ref().is_none_or(|names| names.contains(&name));
        let wanted = all.iter().filter(|(name, _)| is_wanted(name));
        let schema = wanted
            .map(|(name, dtype)| (name.clone(), dtype.clone()))
            .collect();
        let fit = |df: &DataFrame| match &shared.plan {
            // A step must not see values of another type than it was checked for.
            Some(_) => fit_columns(df, &schema).map(|fitted| (fitted.df, fitted.missing, Drift::default())),
            None => take_columns(df, &schema, &source.name(object))
                .map(|taken| (taken.df, taken.missing, taken.drift)),
        };
        let index = u32::try_from(object).unwrap_or(u32::MAX);
        let mut frames = Frames::open(&source.store, found, index, groups, names.as_deref()).await?;
        let mut room = shared.limits.rows_per_object.unwrap_or(u64::MAX);
        let mut noticed = Noticed::default();
        while room > 0
            && !shared.stops.is_stopped()
            && let Some(df) = frames.next().await?
        {
            let df = if df.height() as u64 > room {
                df.head(usize::try_from(room).ok())
            } else {
                df
            };
            let (df, missing, drift) = fit(&df).map_err(|reason| PageError::CorruptParquet {
                object: source.name(object),
                reason: format!("{reason}: write the file again with that type, or leave it out"),
            })?;
            noticed.drift.merge_unordered(&drift);
            let n = df.height() as u64;
            room -= n;
            for name in missing {
                *noticed.missing.entry(name).or_default() += n;
            }
            let batch = Batch {
                df,
                rejects: Vec::new(),
                n_records: n,
                n_bytes: 0,
            };
            self.take(batch, object..object + 1)?;
        }
        self.part.is_cut |= room == 0;
        noticed.n_records = std::mem::take(&mut self.n_unnoticed);
        self.part.n_bytes += if noticed.n_records > 0 { found.size } else { 0 };
        self.part.collected.notice(source.partition_of(object), &noticed);
        Ok(())
    }

    /// Counts a batch, runs the steps on it and hands it to the collector.
    fn take(&mut self, batch: Batch, objects: Range<usize>) -> Result<(), ScanError> {
        self.part.n_records += batch.n_records;
        self.n_unnoticed += batch.n_records;
        self.part.n_bytes += batch.n_bytes;
        for reject in batch.rejects {
            self.part.reject(reject);
        }
        let Some(plan) = self.shared.plan.clone() else {
            return self.hand_over(&batch.df, objects);
        };
        for piece in pieces(&batch.df) {
            if self.shared.stops.is_stopped() {
                return Ok(());
            }
            plan.execute_in_pieces(piece, &mut |outcome: Outcome| {
                for reject in &outcome.rejects {
                    let object = self.shared.source.objects().get(reject.object as usize);
                    let name = object.map(|_| self.shared.source.name(reject.object as usize));
                    let reject = as_reject(reject, reject.step_number, name.as_deref(), plan.inputs());
                    self.part.reject(reject);
                }
                self.hand_over(&outcome.df, objects.clone())
            })?;
        }
        Ok(())
    }

    fn hand_over(&mut self, df: &DataFrame, objects: Range<usize>) -> Result<(), ScanError> {
        for piece in pieces(df) {
            if self.shared.stops.is_stopped() {
                return Ok(());
            }
            self.hand_over_piece(&piece, objects.clone())?;
        }
        Ok(())
    }

    fn hand_over_piece(&mut self, df: &DataFrame, objects: Range<usize>) -> Result<(), ScanError> {
        let n = df.height() as u64;
        let shared = Arc::clone(&self.shared);
        let collect_error = |error: polars::error::PolarsError| ScanError::Collect {
            message: error.to_string(),
        };
        let chosen = match &shared.columns {
            Some(columns) => {
                let hidden = [origin::OBJECT, origin::LINE, origin::OFFSET];
                let names = columns.iter().map(String::as_str).chain(hidden);
                Some(df.select(names).map_err(collect_error)?)
            }
            None => None,
        };
        let batch = ScanBatch {
            df: chosen.as_ref().unwrap_or(df),
            partition: shared.source.partition_of(objects.start),
            objects,
        };
        self.part.collected.add(&batch).map_err(collect_error)?;
        self.part.n_rows += n;
        shared.count_rows(n);
        Ok(())
    }

    /// Tells the collector what the decoder noticed since it was last asked.
    fn notice(&mut self, object: usize) {
        if let Some(decoder) = &mut self.decoder {
            let noticed = Noticed {
                n_records: std::mem::take(&mut self.n_unnoticed),
                missing: decoder.take_missing(),
                drift: decoder.take_drift(),
            };
            let partition = self.shared.source.partition_of(object);
            self.part.collected.notice(partition, &noticed);
        }
    }
}

/// The rows of a batch, at most [`PIECE_ROWS`] at once; none of an empty one.
fn pieces(df: &DataFrame) -> impl Iterator<Item = DataFrame> {
    let starts = (0..df.height()).step_by(PIECE_ROWS);
    starts.map(|start| df.slice(i64::try_from(start).unwrap_or(i64::MAX), PIECE_ROWS))
}

fn of_start(object: usize, name: &str) -> ObjectRef<'_> {
    ObjectRef {
        index: u32::try_from(object).unwrap_or(u32::MAX),
        name,
        first_line: 1,
        first_offset: 0,
    }
}

/// The line of the last row.
fn last(df: &DataFrame) -> u64 {
    let line = || {
        let at = df.height().checked_sub(1)?;
        df.column(origin::LINE).ok()?.u64().ok()?.get(at)
    };
    line().unwrap_or(0)
}

fn stranger(name: &str) -> Reject {
    let why = "it is of another format than the first file of these, and only one format is read together: keep each in \
               a folder of its own";
    unreadable(name, why)
}

fn input_error(error: InputError) -> ScanError {
    read_error(error.source, error.object)
}

/// Why the bytes of `object` could not be read.
pub(super) fn read_error(error: io::Error, object: String) -> ScanError {
    match read_failure(error) {
        ReadFailure::Storage(StorageError::NotFound { .. }) | ReadFailure::Shrank => {
            ScanError::Vanished { location: object }
        }
        ReadFailure::Storage(error) => error.into(),
        ReadFailure::Io(source) => InputError { object, source }.into(),
    }
}

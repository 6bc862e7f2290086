//! A worker: decodes the objects of a unit and runs the steps that look at one row at a time.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Instant;

use bytes::Bytes;
use polars::prelude::DataFrame;
use tokio::sync::mpsc::{Receiver, Sender};

use super::RunError;
use super::fault::{self, During};
use super::fetch::{Content, FetchedUnit, Input};
use super::journal::{Journal, Slot};
use super::objects::Objects;
use super::raw_line::{self, RawLine};
use super::selection::Selection;
use super::timeline::{SlowFile, UnitClock, WorkSpan};
use crate::base::Cancel;
use crate::dataset::decode::{Batch, DecodeOptions, Decoder, Drift, InputError, ObjectRef};
use crate::dataset::{Codec, FileFormat, Reason, Reject, Schema, Stage};
use crate::storage::{ReadFailure, StorageError, Store, read_failure};
use crate::transform::{ExecuteError, Outcome, Plan, StepCounts, StepReject};

/// Small objects that are decoded together: what is decoded again, one by one, when a decoder panics or they are larger
/// than they looked.
const GROUP_BYTES: usize = 4 << 20;

/// What a worker says of its unit, in order. The last is `End` or `Failed`.
pub(super) enum Message {
    Rows(Box<Rows>),
    End(Box<UnitEnd>),
    Failed(RunError),
}

/// One batch after the row steps.
pub(super) struct Rows {
    pub df: DataFrame,
    pub n_records: u64,
    /// Decompressed.
    pub n_bytes: u64,
    pub decode_rejects: Vec<Reject>,
    pub step_rejects: Vec<Reject>,
    pub counts: Vec<StepCounts>,
    pub decode_seconds: f64,
    pub transform_seconds: f64,
}

/// What is known when a unit is done.
pub(super) struct UnitEnd {
    pub drift: Drift,
    /// When and where it ran.
    pub span: WorkSpan,
    pub files: Vec<SlowFile>,
}

/// Batches with the seconds that each took.
type Decoded = (Vec<(Batch, f64)>, Drift);

/// What workers share.
#[derive(Clone)]
pub(super) struct Compute {
    pub objects: Arc<Objects>,
    /// What the objects' keys are relative to.
    pub source: Store,
    /// Records that count; none takes all.
    pub only: Option<Arc<Selection>>,
    pub schema: Arc<Schema>,
    pub options: DecodeOptions,
    pub plan: Arc<Plan>,
    pub stop: Cancel,
    /// Where each worker says which objects it has in work.
    pub journal: Option<Journal>,
    pub during: During,
    /// When the day's work began.
    pub began: Instant,
}

/// Why a unit ends early.
enum Halt {
    /// The writer is gone: nobody wants more.
    Unwanted,
    Failed(RunError),
}

impl From<RunError> for Halt {
    fn from(error: RunError) -> Self {
        Self::Failed(error)
    }
}

impl From<ExecuteError> for Halt {
    fn from(error: ExecuteError) -> Self {
        Self::Failed(error.into())
    }
}

impl Compute {
    /// Takes units until there are none, as worker `number`. Blocks: runs in a thread of its own.
    pub fn work(&self, queue: &Mutex<Receiver<FetchedUnit>>, number: u32) {
        let mut slot = self.journal.as_ref().map(Journal::slot);
        while !self.stop.is_cancelled() {
            let next = queue
                .lock()
                .unwrap_or_else(PoisonError::into_inner)
                .blocking_recv();
            let Some(unit) = next else { return };
            let out = unit.out.clone();
            let done = self.unit(unit, number, &mut slot);
            if let Some(slot) = &mut slot {
                slot.rest();
            }
            match done {
                Ok(end) => {
                    let _writer_gone = out.blocking_send(Message::End(Box::new(end)));
                }
                Err(Halt::Failed(error)) => {
                    let _writer_gone = out.blocking_send(Message::Failed(error));
                }
                Err(Halt::Unwanted) => {}
            }
        }
    }

    fn unit(&self, mut unit: FetchedUnit, worker: u32, slot: &mut Option<Slot>) -> Result<UnitEnd, Halt> {
        let mut drift = Drift::default();
        let mut clock = UnitClock::start();
        let n_files = unit.inputs.len() as u64;
        let sizes = unit.inputs.iter().map(|input| self.objects.get(input.index));
        let n_bytes = sizes.flatten().map(|object| object.size).sum();
        let mut inputs = std::mem::take(&mut unit.inputs).into_iter().peekable();
        while let Some(first) = inputs.next() {
            if let Some(reject) = self.poisonous(first.index) {
                self.send_reject(reject, &unit.out)?;
                continue;
            }
            match first.content {
                Content::Whole(content) => {
                    let mut group = vec![(first.index, content)];
                    let mut n_bytes = group.iter().map(|(_, content)| content.len()).sum::<usize>();
                    while let Some(Input {
                        index,
                        content: Content::Whole(content),
                    }) =
                        inputs.next_if(|next| fits(next, n_bytes) && self.poisonous(next.index).is_none())
                    {
                        n_bytes += content.len();
                        group.push((index, content));
                    }
                    drift.merge(&self.group(&group, slot, &mut clock, &unit.out)?);
                }
                Content::Stream(reader) => {
                    let seen = self.alone(first.index, None, reader, slot, &mut clock, &unit.out)?;
                    drift.merge(&seen);
                }
            }
        }
        let (span, files) = clock.stop(self.began, &self.objects);
        Ok(UnitEnd {
            drift,
            span: WorkSpan {
                worker,
                n_files,
                n_bytes,
                fetch_seconds: unit.seconds,
                ..span
            },
            files,
        })
    }

    /// Decodes whole objects together, and one by one when the decoder panics on one of them, or when they decompress
    /// to more than may wait in memory.
    fn group(
        &self,
        group: &[(usize, Bytes)],
        slot: &mut Option<Slot>,
        clock: &mut UnitClock,
        out: &Sender<Message>,
    ) -> Result<Drift, Halt> {
        if let [(index, content)] = group {
            return self.alone(*index, Some(content), content.as_ref(), slot, clock, out);
        }
        self.take_up(slot, group.iter().map(|(index, _)| *index));
        let decoded = catch_unwind(AssertUnwindSafe(|| self.decode_group(group, slot, clock)));
        if let Ok(decoded) = decoded
            && let Some((batches, drift)) = decoded?
        {
            // A batch may hold rows of every object of the group.
            work_on(slot, 0, group.len());
            for (batch, seconds) in batches {
                self.transform(batch, seconds, group, out)?;
            }
            return Ok(drift);
        }
        let mut drift = Drift::default();
        for (index, content) in group {
            drift.merge(&self.alone(*index, Some(content), content.as_ref(), slot, clock, out)?);
        }
        Ok(drift)
    }

    /// None for a group that is too large to wait in memory as a whole.
    fn decode_group(
        &self,
        group: &[(usize, Bytes)],
        slot: &mut Option<Slot>,
        clock: &mut UnitClock,
    ) -> Result<Option<Decoded>, RunError> {
        let max_bytes = (4 * self.options.batch_bytes).max(2 * GROUP_BYTES) as u64;
        let mut n_bytes = 0;
        let mut batches = Vec::new();
        let mut start = Instant::now();
        let mut decoder = Decoder::new(Arc::clone(&self.schema), self.options.clone())?;
        for (i, (index, content)) in group.iter().enumerate() {
            work_on(slot, i, i + 1);
            let name = self.name(*index);
            fault::strike(self.during, &name);
            let file_start = Instant::now();
            decoder
                .read(
                    object_ref(*index, &name),
                    self.codec(*index),
                    content.as_ref(),
                    &mut |batch| {
                        n_bytes += batch.n_bytes;
                        batches.push((batch, start.elapsed().as_secs_f64()));
                        start = Instant::now();
                        n_bytes <= max_bytes && !self.stop.is_cancelled()
                    },
                )
                .map_err(input_error)?;
            clock.file(*index, file_start.elapsed().as_secs_f64());
            if n_bytes > max_bytes {
                return Ok(None);
            }
        }
        if let Some(batch) = decoder.finish() {
            batches.push((batch, start.elapsed().as_secs_f64()));
        }
        Ok(Some((batches, decoder.drift().clone())))
    }

    /// Decodes one object, batch by batch. When the decoder panics, the rows before stand and the rest is one reject.
    fn alone(
        &self,
        index: usize,
        content: Option<&Bytes>,
        input: impl std::io::Read,
        slot: &mut Option<Slot>,
        clock: &mut UnitClock,
        out: &Sender<Message>,
    ) -> Result<Drift, Halt> {
        let at_hand: Vec<(usize, Bytes)> = content
            .map(|content| (index, content.clone()))
            .into_iter()
            .collect();
        self.take_up(slot, std::iter::once(index));
        work_on(slot, 0, 1);
        let mut decoding = 0.0;
        let mut last_line = 0;
        let mut halt = None;
        let name = self.name(index);
        let decoded = catch_unwind(AssertUnwindSafe(|| {
            fault::strike(self.during, &name);
            let mut decoder = Decoder::new(Arc::clone(&self.schema), self.options.clone())?;
            let mut start = Instant::now();
            let mut send = |batch: Batch, start: &mut Instant| {
                let seconds = start.elapsed().as_secs_f64();
                decoding += seconds;
                let n_records = batch.n_records;
                let sent = self.transform(batch, seconds, &at_hand, out);
                last_line += n_records;
                *start = Instant::now();
                halt = sent.err();
                halt.is_none() && !self.stop.is_cancelled()
            };
            decoder
                .read(object_ref(index, &name), self.codec(index), input, &mut |batch| {
                    send(batch, &mut start)
                })
                .map_err(input_error)?;
            if let Some(batch) = decoder.finish() {
                send(batch, &mut start);
            }
            Ok::<_, RunError>(decoder.drift().clone())
        }));
        clock.file(index, decoding);
        if let Some(halt) = halt {
            return Err(halt);
        }
        match decoded {
            Ok(drift) => Ok(drift?),
            Err(panic) => {
                let message = format!(
                    "the decoder stopped here and the rest of the file was not read: {}",
                    panic_message(panic.as_ref())
                );
                let reject = self.of_file(index, last_line + 1, Reason::DecoderPanic, message);
                self.send_reject(reject, out)?;
                Ok(Drift::default())
            }
        }
    }

    fn transform(
        &self,
        batch: Batch,
        decode_seconds: f64,
        at_hand: &[(usize, Bytes)],
        out: &Sender<Message>,
    ) -> Result<(), Halt> {
        let start = Instant::now();
        let batch = match &self.only {
            Some(only) => only.keep(batch)?,
            None => batch,
        };
        let df = batch.df;
        let mut decoded = Some((batch.n_records, batch.n_bytes, batch.rejects, decode_seconds));
        let mut start = start;
        let mut emit = |outcome: Outcome| {
            let (n_records, n_bytes, decode_rejects, decode_seconds) = decoded.take().unwrap_or_default();
            let rows = Rows {
                step_rejects: self.step_rejects(outcome.rejects, at_hand),
                df: outcome.df,
                n_records,
                n_bytes,
                decode_rejects,
                counts: outcome.counts,
                decode_seconds,
                transform_seconds: start.elapsed().as_secs_f64(),
            };
            let sent = send(out, rows);
            start = Instant::now();
            sent
        };
        // A panic of a step is no fault of the file: it must not be taken for one of the decoder.
        let executed = catch_unwind(AssertUnwindSafe(|| self.plan.execute_in_pieces(df, &mut emit)));
        executed.unwrap_or_else(|panic| {
            Err(Halt::Failed(RunError::Step {
                message: panic_message(panic.as_ref()),
            }))
        })
    }

    /// Rejects of steps as quarantine keeps them, with their text where the object's bytes are at hand.
    pub fn step_rejects(&self, rejects: Vec<StepReject>, at_hand: &[(usize, Bytes)]) -> Vec<Reject> {
        let mut rejects = rejects;
        rejects.sort_by_key(|reject| (reject.object, reject.byte_offset, reject.step_number));
        let mut lines: Vec<Option<RawLine>> = Vec::with_capacity(rejects.len());
        for of_object in rejects.chunk_by(|a, b| a.object == b.object) {
            let offsets: Vec<u64> = of_object.iter().map(|reject| reject.byte_offset).collect();
            let content = of_object.first().and_then(|reject| {
                let index = reject.object as usize;
                at_hand.iter().find(|(at, _)| *at == index)
            });
            match content {
                Some((_, content)) => lines.extend(raw_line::read(content, &offsets)),
                None => lines.extend(offsets.iter().map(|_| None)),
            }
        }
        rejects
            .into_iter()
            .zip(lines)
            .map(|(reject, line)| {
                let line = line.unwrap_or(RawLine {
                    is_partial: true,
                    ..RawLine::default()
                });
                Reject {
                    object: self.name(reject.object as usize),
                    line: reject.line,
                    byte_offset: reject.byte_offset,
                    byte_len: line.n_bytes,
                    stage: Stage::Transform,
                    reason: Reason::StepFailed,
                    field: reject.column,
                    expected: None,
                    got: None,
                    step: Some(format!("{} {}", reject.step_number, reject.step_label)),
                    message: reject.message,
                    raw: line.text,
                    is_raw_partial: line.is_partial,
                }
            })
            .collect()
    }

    /// A reject of what could not be read, unless a replay did not ask for it.
    fn send_reject(&self, reject: Reject, out: &Sender<Message>) -> Result<(), Halt> {
        match &self.only {
            Some(only) if !only.takes(&reject) => Ok(()),
            _ => send(out, Rows::of_reject(reject)),
        }
    }

    /// The reject of an object that killed a process before; none for all others.
    fn poisonous(&self, index: usize) -> Option<Reject> {
        let journal = self.journal.as_ref()?;
        let poison = journal.poison(&self.name(index), self.objects.get(index)?)?;
        let message = format!(
            "{} ended the process that decoded this file or ran the steps on it; nothing of it was read",
            poison.death
        );
        Some(self.of_file(index, 1, Reason::Crash, message))
    }

    fn take_up(&self, slot: &mut Option<Slot>, indices: impl Iterator<Item = usize>) {
        if let Some(slot) = slot {
            slot.list(indices.filter_map(|index| Some((self.name(index), self.objects.get(index)?))));
        }
    }

    /// The reject that stands for what is left of a file.
    fn of_file(&self, index: usize, line: u64, reason: Reason, message: String) -> Reject {
        Reject {
            object: self.name(index),
            line,
            byte_offset: 0,
            byte_len: 0,
            stage: Stage::Decode,
            reason,
            field: None,
            expected: None,
            got: None,
            step: None,
            message,
            raw: String::new(),
            is_raw_partial: true,
        }
    }

    /// Full location of an object. Made when it is needed: a day may have a million.
    fn name(&self, index: usize) -> String {
        let of_input = u32::try_from(index).ok();
        if let Some(name) = of_input.and_then(|index| self.plan.inputs().object_name(index)) {
            return name.to_owned();
        }
        let object = self.objects.get(index);
        object.map_or_else(String::new, |object| self.source.location(object.key).to_string())
    }

    fn codec(&self, index: usize) -> Codec {
        self.objects
            .get(index)
            .and_then(|object| FileFormat::of_key(object.key))
            .map(|format| format.codec)
            .unwrap_or_default()
    }
}

fn object_ref(index: usize, name: &str) -> ObjectRef<'_> {
    ObjectRef {
        index: u32::try_from(index).unwrap_or(u32::MAX),
        name,
        first_line: 1,
        first_offset: 0,
    }
}

impl Rows {
    /// A record that stands for all that is not read of a file.
    fn of_reject(reject: Reject) -> Self {
        Self {
            df: DataFrame::empty(),
            n_records: 1,
            n_bytes: 0,
            decode_rejects: vec![reject],
            step_rejects: Vec::new(),
            counts: Vec::new(),
            decode_seconds: 0.0,
            transform_seconds: 0.0,
        }
    }
}

fn work_on(slot: &mut Option<Slot>, from: usize, to: usize) {
    if let Some(slot) = slot {
        slot.work_on(from, to);
    }
}

fn fits(next: &Input, n_bytes: usize) -> bool {
    matches!(&next.content, Content::Whole(content) if n_bytes + content.len() <= GROUP_BYTES)
}

fn send(out: &Sender<Message>, rows: Rows) -> Result<(), Halt> {
    out.blocking_send(Message::Rows(Box::new(rows)))
        .map_err(|_| Halt::Unwanted)
}

/// The storage's own error, where the reader carried one.
fn input_error(error: InputError) -> RunError {
    let InputError { object, source } = error;
    match read_failure(source) {
        // It was listed a moment ago.
        ReadFailure::Storage(StorageError::NotFound { .. }) | ReadFailure::Shrank => {
            RunError::Vanished { location: object }
        }
        ReadFailure::Storage(storage) => storage.into(),
        ReadFailure::Io(source) => RunError::Input(InputError { object, source }),
    }
}

fn panic_message(panic: &(dyn std::any::Any + Send)) -> String {
    panic
        .downcast_ref::<&str>()
        .map(|text| (*text).to_owned())
        .or_else(|| panic.downcast_ref::<String>().cloned())
        .unwrap_or_else(|| "panic".to_owned())
}

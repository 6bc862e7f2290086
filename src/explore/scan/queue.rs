//! What is read next: small objects together, a large JSONL object in pieces that end with a line, a large Parquet object
//! by row groups.
//!
//! Local objects are opened by the thread that decodes them. Objects on S3 are asked for ahead, some at once, and wait
//! here; a large one comes as a stream, and its pieces are handed to all threads.

use std::collections::VecDeque;
use std::io::{self, Cursor, Read};
use std::ops::Range;
use std::sync::{Mutex, PoisonError};

use bytes::Bytes;
use futures::StreamExt as _;
use tokio::sync::mpsc::{Receiver, Sender, channel};
use tokio::task::JoinHandle;

use super::{ScanError, ScanLimits, ScanSource};
use crate::base::Cancel;
use crate::dataset::decode::actual_codec;
use crate::dataset::{Codec, Format, PageError, parquet};
use crate::storage::{Object, PieceReader, StorageError, Store};

/// Objects that are asked for at once.
const CONCURRENT_READS: usize = 16;
/// Pieces of a stream that wait.
const STREAM_DEPTH: usize = 4;
/// A smaller Parquet object is read by one thread.
const SPLIT_PARQUET_BYTES: u64 = 16 << 20;
const MAGIC_BYTES: u64 = 4;

pub(super) type Reader = Box<dyn Read + Send>;

/// Something for one thread to do.
pub(super) enum Job {
    /// Whole JSONL objects of one partition; without contents the thread reads them itself.
    Whole {
        objects: Range<usize>,
        contents: Vec<Bytes>,
    },
    /// A part of a JSONL object.
    Piece(Piece),
    /// A JSONL object from start to end.
    Stream { object: usize, reader: Reader },
    /// Row groups of a Parquet object; none stands for all.
    Groups {
        object: usize,
        groups: Option<Range<usize>>,
        is_last: bool,
    },
}

/// Whole lines of a large object.
pub(super) struct Piece {
    pub(super) object: usize,
    pub(super) first_line: u64,
    pub(super) first_offset: u64,
    pub(super) bytes: Vec<u8>,
    /// What follows, when a line is longer than a piece.
    pub(super) rest: Option<Reader>,
    pub(super) is_last: bool,
}

/// What waits in the queue.
enum Task {
    Ready(Job),
    /// A large JSONL object; without a reader it is opened when its turn comes.
    Large {
        object: usize,
        reader: Option<PieceReader>,
    },
}

/// Where tasks come from.
enum Tasks {
    Here(VecDeque<Task>),
    Coming(Receiver<Result<Task, StorageError>>),
}

pub(super) struct Queue {
    state: Mutex<State>,
    unit_bytes: usize,
    may_split: bool,
}

struct State {
    tasks: Tasks,
    open: Option<Pieces>,
}

/// The task that asks for objects; ended with the scan.
pub(super) struct Feeder(Option<JoinHandle<()>>);

impl Feeder {
    pub(super) fn abort(&self) {
        if let Some(task) = &self.0 {
            task.abort();
        }
    }
}

impl Drop for Feeder {
    fn drop(&mut self) {
        self.abort();
    }
}

impl Queue {
    pub(super) async fn open(
        source: &ScanSource,
        limits: &ScanLimits,
        cancel: &Cancel,
    ) -> Result<(Self, Feeder), ScanError> {
        let unit_bytes = limits.unit_bytes();
        // A pass over the first rows of objects reads each only as far as it must.
        let may_split = limits.rows_per_object.is_none();
        let is_remote = source.store.is_s3();
        let (tasks, feeder) = match source.format {
            Format::Parquet => (Tasks::Here(parquet_tasks(source, may_split, cancel).await?), None),
            Format::Jsonl => {
                let planned = jsonl_tasks(source, unit_bytes as u64, may_split);
                if is_remote {
                    let (tasks, coming) = channel(2);
                    let (store, objects) = (source.store.clone(), source.objects().to_vec());
                    let feeder = tokio::spawn(feed(store, objects, planned, tasks));
                    (Tasks::Coming(coming), Some(feeder))
                } else {
                    (Tasks::Here(planned.into()), None)
                }
            }
        };
        let state = Mutex::new(State { tasks, open: None });
        let queue = Self {
            state,
            unit_bytes,
            may_split,
        };
        Ok((queue, Feeder(feeder)))
    }

    /// The next thing to do; none when there is nothing left. Blocks.
    pub(super) fn next(&self, source: &ScanSource) -> Result<Option<Job>, ScanError> {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        loop {
            if let Some(pieces) = &mut state.open {
                let object = pieces.object;
                match pieces.next(self.unit_bytes) {
                    Ok(Some(piece)) => return Ok(Some(Job::Piece(piece))),
                    Ok(None) => state.open = None,
                    Err(error) => {
                        state.open = None;
                        return Err(super::worker::read_error(error, source.name(object)));
                    }
                }
            }
            let task = match &mut state.tasks {
                Tasks::Here(tasks) => tasks.pop_front(),
                Tasks::Coming(tasks) => tasks.blocking_recv().transpose()?,
            };
            match task {
                None => return Ok(None),
                Some(Task::Ready(job)) => return Ok(Some(job)),
                Some(Task::Large { object, reader }) => {
                    let (reader, head) = open(source, object, reader)?;
                    let codec = actual_codec(source.codec(object), &head);
                    if codec == Codec::None && self.may_split {
                        state.open = Some(Pieces::new(object, reader, head));
                    } else {
                        let reader = Box::new(Cursor::new(head).chain(reader));
                        return Ok(Some(Job::Stream { object, reader }));
                    }
                }
            }
        }
    }
}

/// The bytes of an object, and the first of them.
fn open(
    source: &ScanSource,
    object: usize,
    reader: Option<PieceReader>,
) -> Result<(Reader, Vec<u8>), ScanError> {
    let key = source
        .objects()
        .get(object)
        .map_or("", |object| object.key.as_str());
    let mut reader: Reader = match (reader, source.store.open_local(key)) {
        (Some(reader), _) => Box::new(reader),
        (None, Some(file)) => Box::new(file?),
        (None, None) => Box::new(io::empty()),
    };
    let mut head = Vec::new();
    (&mut reader)
        .take(MAGIC_BYTES)
        .read_to_end(&mut head)
        .map_err(|error| super::worker::read_error(error, source.name(object)))?;
    Ok((reader, head))
}

/// Objects in their order; small ones of one partition together.
fn jsonl_tasks(source: &ScanSource, unit_bytes: u64, may_group: bool) -> Vec<Task> {
    let mut tasks: Vec<Task> = Vec::new();
    let mut n_bytes = 0;
    for (i, object) in source.objects().iter().enumerate() {
        if !may_group || (object.size > unit_bytes && !source.is_stranger(i)) {
            tasks.push(Task::Large {
                object: i,
                reader: None,
            });
            continue;
        }
        match tasks.last_mut() {
            Some(Task::Ready(Job::Whole { objects, .. }))
                if n_bytes + object.size <= unit_bytes
                    && source.partition_of(objects.start) == source.partition_of(i) =>
            {
                objects.end = i + 1;
                n_bytes += object.size;
            }
            _ => {
                tasks.push(Task::Ready(Job::Whole {
                    objects: i..i + 1,
                    contents: Vec::new(),
                }));
                n_bytes = object.size;
            }
        }
    }
    tasks
}

async fn parquet_tasks(
    source: &ScanSource,
    may_split: bool,
    cancel: &Cancel,
) -> Result<VecDeque<Task>, ScanError> {
    let reads = source.objects().iter().enumerate().map(|(i, object)| async move {
        if !may_split || object.size < SPLIT_PARQUET_BYTES || source.is_stranger(i) {
            return Ok((i, None));
        }
        cancel.check().map_err(|_| PageError::Cancelled)?;
        match parquet::footer(&source.store, object).await {
            Ok(footer) => Ok((i, Some(footer.n_row_groups))),
            // It is a reject when its turn comes.
            Err(PageError::CorruptParquet { .. }) => Ok((i, None)),
            Err(error) => Err(error),
        }
    });
    let mut reads = futures::stream::iter(reads.collect::<Vec<_>>()).buffered(CONCURRENT_READS);
    let mut tasks = VecDeque::new();
    while let Some(read) = reads.next().await {
        let (object, n_groups) = read?;
        match n_groups {
            Some(n) if n > 1 => tasks.extend((0..n).map(|group| {
                Task::Ready(Job::Groups {
                    object,
                    groups: Some(group..group + 1),
                    is_last: group + 1 == n,
                })
            })),
            _ => tasks.push_back(Task::Ready(Job::Groups {
                object,
                groups: None,
                is_last: true,
            })),
        }
    }
    Ok(tasks)
}

/// Asks for the objects of tasks in their order, several at once, and sends tasks on as they are whole.
async fn feed(
    store: Store,
    objects: Vec<Object>,
    planned: Vec<Task>,
    tasks: Sender<Result<Task, StorageError>>,
) {
    let wanted = planned.iter().flat_map(|task| match task {
        Task::Ready(Job::Whole { objects, .. }) => objects.clone(),
        _ => 0..0,
    });
    let objects = &objects;
    let store = &store;
    let gets = wanted.map(|i| async move {
        match objects.get(i) {
            Some(object) if object.size > 0 => store.get(&object.key).await,
            _ => Ok(Bytes::new()),
        }
    });
    let mut gets = futures::stream::iter(gets.collect::<Vec<_>>()).buffered(CONCURRENT_READS);
    for task in planned {
        let sent = match task {
            Task::Ready(Job::Whole { objects, .. }) => {
                let mut contents = Vec::with_capacity(objects.len());
                for _ in objects.clone() {
                    match gets.next().await {
                        Some(Ok(content)) => contents.push(content),
                        Some(Err(error)) => {
                            let _nobody_reads = tasks.send(Err(error)).await;
                            return;
                        }
                        None => return,
                    }
                }
                let job = Job::Whole { objects, contents };
                tasks.send(Ok(Task::Ready(job))).await.is_ok()
            }
            Task::Large { object, .. } => stream(store, objects, object, &tasks).await,
            other @ Task::Ready(_) => tasks.send(Ok(other)).await.is_ok(),
        };
        if !sent {
            return;
        }
    }
}

/// Sends a large object piece by piece; false when nobody reads any more.
async fn stream(
    store: &Store,
    objects: &[Object],
    object: usize,
    tasks: &Sender<Result<Task, StorageError>>,
) -> bool {
    let Some(found) = objects.get(object) else {
        return true;
    };
    let (pieces, receiver) = channel(STREAM_DEPTH);
    let reader = Some(PieceReader::new(receiver, found.size));
    if tasks.send(Ok(Task::Large { object, reader })).await.is_err() {
        return false;
    }
    match store.get_stream(&found.key).await {
        Ok(mut stream) => {
            while let Some(piece) = stream.next().await {
                // A reader that has enough of this object may want the next.
                if pieces.send(piece).await.is_err() {
                    return true;
                }
            }
        }
        Err(error) => {
            let _reader_gone = pieces.send(Err(error)).await;
        }
    }
    true
}

/// Cuts the bytes of an object at line ends.
struct Pieces {
    object: usize,
    reader: Option<Reader>,
    /// The beginning of the next piece.
    carried: Vec<u8>,
    line: u64,
    offset: u64,
}

impl Pieces {
    fn new(object: usize, reader: Reader, head: Vec<u8>) -> Self {
        Self {
            object,
            reader: Some(reader),
            carried: head,
            line: 1,
            offset: 0,
        }
    }

    fn next(&mut self, n_bytes: usize) -> io::Result<Option<Piece>> {
        let Some(mut reader) = self.reader.take() else {
            return Ok(None);
        };
        let mut bytes = Vec::with_capacity(n_bytes + self.carried.len());
        bytes.append(&mut self.carried);
        let n_read = (&mut reader).take(n_bytes as u64).read_to_end(&mut bytes)?;
        let (mut rest, mut is_last) = (None, true);
        if n_read == n_bytes {
            if let Some(at) = bytes.iter().rposition(|byte| *byte == b'\n') {
                self.carried = bytes.split_off(at + 1);
                self.reader = Some(reader);
                is_last = false;
            } else {
                // One line without an end in sight: the thread that gets it reads on by itself.
                rest = Some(reader);
            }
        }
        let (first_line, first_offset) = (self.line, self.offset);
        self.line += bytes.iter().filter(|byte| **byte == b'\n').count() as u64;
        self.offset += bytes.len() as u64;
        Ok(Some(Piece {
            object: self.object,
            first_line,
            first_offset,
            bytes,
            rest,
            is_last,
        }))
    }
}

#[cfg(test)]
mod tests {
    use std::io::{Cursor, Read as _};

    use super::Pieces;

    #[test]
    fn pieces_end_with_lines_and_know_their_place_and_together_are_the_object() {
        let text = "a\nbb\n\nccc\ndddddddddddddddd\ne";
        for n_bytes in 1..40 {
            let mut pieces = Pieces::new(0, Box::new(Cursor::new(text[3..].to_owned())), text[..3].into());
            let mut all = Vec::new();
            let mut n_last = 0;
            while let Some(mut piece) = pieces.next(n_bytes).unwrap() {
                assert_eq!(piece.first_offset, all.len() as u64);
                let before = &text[..all.len()];
                assert_eq!(piece.first_line, 1 + before.matches('\n').count() as u64);
                assert!(before.is_empty() || before.ends_with('\n'), "{n_bytes}");
                all.append(&mut piece.bytes);
                n_last += u32::from(piece.is_last);
                if let Some(mut rest) = piece.rest {
                    rest.read_to_end(&mut all).unwrap();
                }
            }
            assert_eq!((String::from_utf8(all).unwrap().as_str(), n_last), (text, 1));
        }
    }
}

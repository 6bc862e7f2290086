//! A log's bytes as an [`Application`]: one thread decompresses and cuts lines, several parse, one puts together.
//!
//! Memory is bounded: a few batches of lines are under way at once, and tasks beyond [`MAX_TASKS`] are only counted.

use std::collections::BTreeMap;
use std::io::{self, Read};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, Sender, SyncSender, channel, sync_channel};
use std::sync::{Arc, Mutex, PoisonError};

use super::EventsError;
use super::application::{Application, Builder, Reading};
use super::codec::decoder;
use super::event::{Event, Line, line};
use crate::base::{Cancel, Cancelled, Progress};

/// Tasks that are kept: about 250 MB.
pub const MAX_TASKS: usize = 2_000_000;

/// Lines that are parsed together.
const BATCH_BYTES: usize = 1 << 20;
/// A line longer than this is no event.
const MAX_LINE_BYTES: usize = 256 << 20;
/// Batches of each parsing thread that wait for it.
const BATCHES_AHEAD: usize = 2;
const MAX_THREADS: usize = 8;

/// One file of a log. Its reader blocks; it gives the bytes as they are stored.
pub struct LogPart {
    pub name: String,
    pub stored: Box<dyn Read + Send>,
}

/// How a log is read.
#[derive(Debug, Clone)]
pub struct ReadOptions {
    /// Threads that parse, beside the one that decompresses; none for as many as the machine has.
    pub n_threads: Option<usize>,
    pub max_tasks: usize,
}

impl Default for ReadOptions {
    fn default() -> Self {
        Self {
            n_threads: None,
            max_tasks: MAX_TASKS,
        }
    }
}

/// Lines of one batch, with its number.
type Batch = (u64, Vec<u8>);

/// What was seen in one batch.
#[derive(Default)]
struct Parsed {
    events: Vec<Event>,
    n_lines: u64,
    n_events: u64,
    n_unreadable: u64,
    /// Not looked at, because of a cancel.
    is_left_out: bool,
}

/// Reads the parts of one log, in their order. Adds stored bytes to the progress, as done.
///
/// A damaged or unfinished part is read as far as it goes, and noted in [`Reading::notes`]. A cancel gives what was read
/// before it, and says so.
///
/// # Errors
/// [`EventsError`] when there is no event at all, when storage fails, or on a cancel before the first event.
pub fn read_log(
    parts: impl Iterator<Item = Result<LogPart, EventsError>> + Send,
    options: &ReadOptions,
    progress: &Progress,
    cancel: &Cancel,
) -> Result<Application, EventsError> {
    let n_threads = options
        .n_threads
        .unwrap_or_else(default_threads)
        .clamp(1, MAX_THREADS);
    let (send_batch, batches) = sync_channel::<Batch>(n_threads * BATCHES_AHEAD);
    let (send_parsed, parsed) = sync_channel::<(u64, Parsed)>(n_threads * BATCHES_AHEAD);
    let (send_spare, spares) = channel::<Vec<u8>>();
    let batches = Arc::new(Mutex::new(batches));
    std::thread::scope(|scope| {
        for _ in 0..n_threads {
            let (batches, send, spare) = (Arc::clone(&batches), send_parsed.clone(), send_spare.clone());
            std::thread::Builder::new()
                .name("skewer-events".to_owned())
                .spawn_scoped(scope, move || parse_batches(&batches, &send, &spare, cancel))
                .map_err(EventsError::Threads)?;
        }
        drop((send_parsed, send_spare, batches));
        let cutter = std::thread::Builder::new()
            .name("skewer-log".to_owned())
            .spawn_scoped(scope, move || {
                let mut cutter = Cutter::new(send_batch, spares, cancel);
                let cut = cutter.cut_all(parts, progress);
                cut.map(|()| cutter.reading)
            })
            .map_err(EventsError::Threads)?;
        let mut builder = Builder::new(options.max_tasks);
        let (mut n_lines, mut n_events, mut n_unreadable) = (0, 0, 0);
        // Batches come as they are parsed; later events may correct earlier ones, so they are added in order.
        let mut waiting = BTreeMap::new();
        let mut next = 0_u64;
        let mut is_left_out = false;
        for (number, batch) in parsed {
            waiting.insert(number, batch);
            while let Some(batch) = waiting.remove(&next) {
                next += 1;
                // What follows a gap would be told without what came before it.
                is_left_out |= batch.is_left_out;
                if is_left_out {
                    continue;
                }
                n_lines += batch.n_lines;
                n_events += batch.n_events;
                n_unreadable += batch.n_unreadable;
                for event in batch.events {
                    builder.add(event);
                }
            }
        }
        let cut = cutter.join().unwrap_or_else(|_| {
            Err(EventsError::Threads(io::Error::other(
                "the reading thread ended early",
            )))
        });
        let reading = cut?;
        let is_cut = reading.is_stopped || is_left_out;
        if is_cut && n_events == 0 {
            return Err(Cancelled.into());
        }
        if n_events == 0 && n_lines == 0 && !reading.notes.is_empty() {
            return Err(EventsError::Damaged {
                note: reading.notes.join("; "),
            });
        }
        if n_events == 0 {
            return Err(EventsError::NotALog {
                name: reading.first,
                n_lines,
            });
        }
        let mut notes = reading.notes;
        if n_unreadable == 1 && reading.is_open_ended {
            notes.push("the last line is cut off, and was left out".to_owned());
        } else if n_unreadable > 0 {
            notes.push(format!(
                "{n_unreadable} of {n_lines} lines are no events and were left out"
            ));
        }
        Ok(builder.finish(
            Reading {
                n_files: reading.n_files,
                n_bytes: reading.n_bytes,
                n_lines,
                n_events,
                n_unreadable,
                n_tasks_left_out: 0,
                is_cut,
                notes,
            },
            cancel,
        ))
    })
}

fn default_threads() -> usize {
    std::thread::available_parallelism().map_or(2, std::num::NonZero::get)
}

fn parse_batches(
    batches: &Mutex<Receiver<Batch>>,
    send: &SyncSender<(u64, Parsed)>,
    spare: &Sender<Vec<u8>>,
    cancel: &Cancel,
) {
    loop {
        let next = batches.lock().unwrap_or_else(PoisonError::into_inner).recv();
        let Ok((number, lines)) = next else { return };
        let parsed = if cancel.is_cancelled() {
            Parsed {
                is_left_out: true,
                ..Parsed::default()
            }
        } else {
            parse_batch(&lines)
        };
        drop(spare.send(lines));
        if send.send((number, parsed)).is_err() {
            return;
        }
    }
}

fn parse_batch(lines: &[u8]) -> Parsed {
    let mut parsed = Parsed::default();
    for bytes in lines.split(|byte| *byte == b'\n') {
        let bytes = bytes.trim_ascii_end();
        if bytes.is_empty() {
            continue;
        }
        parsed.n_lines += 1;
        match line(bytes) {
            Line::Event(event) => {
                parsed.n_events += 1;
                parsed.events.push(event);
            }
            Line::Unwanted => parsed.n_events += 1,
            Line::Unreadable => parsed.n_unreadable += 1,
        }
    }
    parsed
}

#[derive(Default)]
struct Cut {
    first: String,
    n_files: u64,
    n_bytes: u64,
    /// A cancel came before the end.
    is_stopped: bool,
    /// The last file does not end with a line end, as every whole log does.
    is_open_ended: bool,
    notes: Vec<String>,
}

/// Cuts text into batches of whole lines.
struct Cutter<'a> {
    send: SyncSender<Batch>,
    spares: Receiver<Vec<u8>>,
    cancel: &'a Cancel,
    next: u64,
    batch: Vec<u8>,
    reading: Cut,
}

impl<'a> Cutter<'a> {
    fn new(send: SyncSender<Batch>, spares: Receiver<Vec<u8>>, cancel: &'a Cancel) -> Self {
        Self {
            send,
            spares,
            cancel,
            next: 0,
            batch: Vec::with_capacity(BATCH_BYTES),
            reading: Cut::default(),
        }
    }

    fn cut_all(
        &mut self,
        parts: impl Iterator<Item = Result<LogPart, EventsError>>,
        progress: &Progress,
    ) -> Result<(), EventsError> {
        for part in parts {
            let part = part?;
            if self.reading.n_files == 0 {
                self.reading.first.clone_from(&part.name);
            }
            self.reading.n_files += 1;
            let has_failed = Arc::new(AtomicBool::new(false));
            let stored = Counted {
                stored: part.stored,
                progress,
                cancel: self.cancel,
                has_failed: Arc::clone(&has_failed),
            };
            let mut text = match decoder(&part.name, stored) {
                Err(_) if self.cancel.is_cancelled() => {
                    self.reading.is_stopped = true;
                    return Ok(());
                }
                opened => opened?,
            };
            match self.cut(&mut text) {
                Ok(()) => {}
                Err(_) if self.cancel.is_cancelled() => {
                    self.reading.is_stopped = true;
                    return Ok(());
                }
                // What storage could not give may come at the next try; what is damaged will not.
                Err(source) if has_failed.load(Ordering::Acquire) => {
                    return Err(EventsError::Read {
                        name: part.name,
                        source,
                    });
                }
                Err(error) => self.reading.notes.push(damage(&part.name, &error)),
            }
            // Storage that was told to stop may look like an end.
            if self.cancel.is_cancelled() {
                self.reading.is_stopped = true;
                return Ok(());
            }
            self.end_line();
        }
        self.flush();
        Ok(())
    }

    fn cut(&mut self, text: &mut impl Read) -> io::Result<()> {
        loop {
            self.cancel.check().map_err(io::Error::other)?;
            let old = self.batch.len();
            let room = BATCH_BYTES.saturating_sub(old).max(BATCH_BYTES / 4);
            let read = text.take(room as u64).read_to_end(&mut self.batch);
            let n = self.batch.len() - old;
            self.reading.n_bytes += n as u64;
            if self.batch.len() >= BATCH_BYTES {
                self.send_whole_lines();
            }
            if read? == 0 {
                return Ok(());
            }
            if self.batch.len() > MAX_LINE_BYTES {
                self.batch.clear();
                return Err(io::Error::new(
                    io::ErrorKind::InvalidData,
                    "no line ends within 256 MB",
                ));
            }
        }
    }

    /// The file's last line ends with it, also without a line end.
    fn end_line(&mut self) {
        self.reading.is_open_ended = self.batch.last().is_some_and(|last| *last != b'\n');
        if self.reading.is_open_ended {
            self.batch.push(b'\n');
        }
    }

    fn send_whole_lines(&mut self) {
        let Some(end) = self.batch.iter().rposition(|byte| *byte == b'\n') else {
            return;
        };
        let mut rest = self.spares.try_recv().unwrap_or_default();
        rest.clear();
        rest.extend_from_slice(self.batch.get(end + 1..).unwrap_or_default());
        let mut lines = std::mem::replace(&mut self.batch, rest);
        lines.truncate(end + 1);
        self.send(lines);
    }

    fn flush(&mut self) {
        let lines = std::mem::take(&mut self.batch);
        if !lines.is_empty() {
            self.send(lines);
        }
    }

    fn send(&mut self, lines: Vec<u8>) {
        // Parsers are gone only when the whole reading has ended.
        drop(self.send.send((self.next, lines)));
        self.next += 1;
    }
}

fn damage(name: &str, error: &io::Error) -> String {
    if error.kind() == io::ErrorKind::UnexpectedEof {
        format!("{name} ends within compressed data: read as far as it goes")
    } else {
        format!("{name} is damaged ({error}): read as far as it goes")
    }
}

/// Stored bytes, counted, and with a mark when storage itself fails.
struct Counted<'a> {
    stored: Box<dyn Read + Send>,
    progress: &'a Progress,
    cancel: &'a Cancel,
    has_failed: Arc<AtomicBool>,
}

impl Read for Counted<'_> {
    fn read(&mut self, buf: &mut [u8]) -> io::Result<usize> {
        self.cancel.check().map_err(io::Error::other)?;
        let read = self.stored.read(buf);
        match &read {
            Ok(n) => {
                self.progress.add_done(*n as u64);
                self.progress.add_bytes(*n as u64);
            }
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(_) => self.has_failed.store(true, Ordering::Release),
        }
        read
    }
}

//! Brings objects to the workers: units in order, requests side by side, bytes within a budget.
//!
//! Units reach the workers in their order, so the unit that the writer waits for is always in work: a later one may
//! then fill its channel and wait without stopping everything. For the same reason a streamed object takes none of the
//! permits for requests: it would keep it while it waits for its worker, and the units before may need it.

use std::hash::{BuildHasher as _, RandomState};
use std::sync::Arc;
use std::time::{Duration, Instant};

use bytes::Bytes;
use futures::{StreamExt, TryStreamExt, stream};
use tokio::sync::mpsc::{self, Receiver, Sender, UnboundedReceiver, UnboundedSender};
use tokio::sync::{OwnedSemaphorePermit, Semaphore, watch};
use tokio::task::JoinHandle;

use super::RunError;
use super::compute::Message;
use super::list::Unit;
use super::objects::Objects;
use crate::storage::{PieceReader, StorageError, Store};

/// Pieces of a streamed object that wait for their worker.
const STREAM_DEPTH: usize = 4;
/// What a streamed object holds of the budget.
const STREAM_BYTES: u64 = 16 << 20;
/// Pauses after which an object that is refused is asked for again, before the refusal is believed: permissions and
/// sessions take a moment to reach all servers.
const REFUSED_PAUSES: [Duration; 2] = [Duration::from_millis(200), Duration::from_millis(800)];

/// A unit whose bytes are here, or coming.
pub(super) struct FetchedUnit {
    pub inputs: Vec<Input>,
    pub out: Sender<Message>,
    pub seconds: f64,
    /// Given back when the unit is done.
    _permit: OwnedSemaphorePermit,
}

/// One object to decode.
pub(super) struct Input {
    /// Index among the day's objects.
    pub index: usize,
    pub content: Content,
}

pub(super) enum Content {
    Whole(Bytes),
    Stream(PieceReader),
}

/// What fetching needs, shared by its tasks.
#[derive(Clone)]
pub(super) struct Fetcher {
    pub store: Store,
    pub objects: Arc<Objects>,
    pub io: Arc<Semaphore>,
    pub io_concurrency: usize,
    /// In KiB.
    pub budget: Arc<Semaphore>,
    /// All of the budget: no unit waits for more than there is.
    pub budget_kib: u32,
    /// Closed when nobody wants more: ends streams that wait for a silent server.
    pub wanted: watch::Receiver<()>,
}

/// A task that ends with its owner.
struct AbortOnDrop<T>(JoinHandle<T>);

impl<T> Drop for AbortOnDrop<T> {
    fn drop(&mut self) {
        self.0.abort();
    }
}

type Fetching = AbortOnDrop<Result<(Vec<Input>, f64), RunError>>;
type Started = (Fetching, Sender<Message>, OwnedSemaphorePermit);

impl Fetcher {
    /// Fetches `units` and hands them to `work`; `order` gets the channel of each unit's results. Dropping the future
    /// stops every request.
    pub async fn run(self, units: Vec<Unit>, work: Sender<FetchedUnit>, order: Sender<Receiver<Message>>) {
        let (started, starting) = mpsc::unbounded_channel();
        tokio::join!(self.start_all(units, order, started), forward(starting, work));
    }

    async fn start_all(
        &self,
        units: Vec<Unit>,
        order: Sender<Receiver<Message>>,
        started: UnboundedSender<Started>,
    ) {
        let turns = Arc::new(Semaphore::new(1));
        for unit in units {
            let held = if unit.is_streamed {
                STREAM_BYTES
            } else {
                unit.held_bytes
            };
            let kib = u32::try_from(held.div_ceil(1024)).unwrap_or(u32::MAX);
            let kib = kib.clamp(1, self.budget_kib);
            let Ok(permit) = Arc::clone(&self.budget).acquire_many_owned(kib).await else {
                return;
            };
            let (out, results) = mpsc::channel(1);
            if order.send(results).await.is_err() {
                return;
            }
            let fetcher = self.clone();
            // A unit begins when the one before has asked for all of its objects: requests go out in the order of units,
            // so that the first units are whole early, and as many as allowed are under way across their borders.
            let Ok(turn) = Arc::clone(&turns).acquire_owned().await else {
                return;
            };
            let task = AbortOnDrop(tokio::spawn(async move { fetcher.fetch(unit, turn).await }));
            if started.send((task, out, permit)).is_err() {
                return;
            }
        }
    }

    /// Brings a unit's objects in their order, whichever comes first. Gives up its turn when it has asked for the last.
    async fn fetch(&self, unit: Unit, turn: OwnedSemaphorePermit) -> Result<(Vec<Input>, f64), RunError> {
        if unit.is_streamed {
            let index = unit.objects.start;
            let content = Content::Stream(self.stream(index));
            return Ok((vec![Input { index, content }], 0.0));
        }
        let mut turn = Some(turn);
        let last = unit.objects.end.saturating_sub(1);
        let mut fetched: Vec<(Input, f64)> = stream::iter(unit.objects)
            .map(|index| {
                if index == last {
                    turn.take();
                }
                self.get(index)
            })
            .buffer_unordered(self.io_concurrency)
            .try_collect()
            .await?;
        fetched.sort_unstable_by_key(|(input, _)| input.index);
        let seconds = fetched.iter().map(|(_, seconds)| seconds).sum();
        Ok((fetched.into_iter().map(|(input, _)| input).collect(), seconds))
    }

    async fn get(&self, index: usize) -> Result<(Input, f64), RunError> {
        let Some(object) = self.objects.get(index).filter(|object| object.size > 0) else {
            let content = Content::Whole(Bytes::new());
            return Ok((Input { index, content }, 0.0));
        };
        let _request = self.io.acquire().await;
        let start = Instant::now();
        let content = unless_refused(|| self.store.get(object.key)).await;
        let content = content.map_err(|error| match error {
            // It was listed a moment ago.
            StorageError::NotFound { location, .. } => RunError::Vanished { location },
            other => other.into(),
        })?;
        let content = Content::Whole(content);
        Ok((Input { index, content }, start.elapsed().as_secs_f64()))
    }

    fn stream(&self, index: usize) -> PieceReader {
        let (pieces, receiver) = mpsc::channel(STREAM_DEPTH);
        let fetcher = self.clone();
        let mut wanted = self.wanted.clone();
        tokio::spawn(async move {
            tokio::select! {
                () = fetcher.feed(index, pieces) => {}
                _closed = wanted.changed() => {}
            }
        });
        PieceReader::new(receiver, self.objects.get(index).map_or(0, |object| object.size))
    }

    async fn feed(&self, index: usize, pieces: Sender<Result<Bytes, StorageError>>) {
        let Some(object) = self.objects.get(index) else {
            return;
        };
        let mut stream = match unless_refused(|| self.store.get_stream(object.key)).await {
            Ok(stream) => stream,
            Err(error) => {
                let _reader_gone = pieces.send(Err(error)).await;
                return;
            }
        };
        while let Some(piece) = stream.next().await {
            if pieces.send(piece).await.is_err() {
                return;
            }
        }
    }
}

/// Asks again where the answer is a refusal. What else fails has been repeated by the storage.
async fn unless_refused<T, F>(ask: impl Fn() -> F) -> Result<T, StorageError>
where
    F: Future<Output = Result<T, StorageError>>,
{
    for pause in REFUSED_PAUSES {
        match ask().await {
            Err(error) if error.is_configuration() => {
                tracing::info!(%error, "asking again");
                // By chance, so that many requests do not come back together.
                let share = (RandomState::new().hash_one(pause) % 1024) as f64 / 1024.0;
                tokio::time::sleep(pause.mul_f64(0.5 + share)).await;
            }
            answer => return answer,
        }
    }
    ask().await
}

/// Hands fetched units on in order.
async fn forward(mut starting: UnboundedReceiver<Started>, work: Sender<FetchedUnit>) {
    while let Some((mut task, out, permit)) = starting.recv().await {
        let fetched = match (&mut task.0).await {
            Ok(Ok(fetched)) => fetched,
            Ok(Err(error)) => {
                let _writer_gone = out.send(Message::Failed(error)).await;
                return;
            }
            Err(error) => {
                let error = RunError::Worker {
                    message: error.to_string(),
                };
                let _writer_gone = out.send(Message::Failed(error)).await;
                return;
            }
        };
        let unit = FetchedUnit {
            inputs: fetched.0,
            out,
            seconds: fetched.1,
            _permit: permit,
        };
        if work.send(unit).await.is_err() {
            return;
        }
    }
}

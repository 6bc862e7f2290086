//! Tries objects alone, in a process that may die of them: whichever is in work in its journal then is poison.

use std::sync::{Arc, Mutex};

use tokio::sync::{Semaphore, mpsc, watch};
use tokio::task::spawn_blocking;

use super::compute::{Compute, Message};
use super::fault::During;
use super::fetch::Fetcher;
use super::journal::{Journal, Suspect};
use super::list::Unit;
use super::objects::{Listed, Objects};
use super::{RunError, STREAMED_BYTES};
use crate::base::Cancel;
use crate::job::Job;
use crate::storage::{Store, StoreOptions};

/// Decodes each of `suspects` and runs the row steps on it, one after another, as a run does. Writes nothing.
///
/// # Errors
/// [`RunError`] when the source cannot be opened or an object not be fetched. An object that cannot be decoded, or that a
/// step fails on, is no error: what it does to a run is the run's matter.
pub async fn probe(
    job: &Job,
    suspects: &[Suspect],
    journal: Journal,
    options: &StoreOptions,
    cancel: &Cancel,
) -> Result<(), RunError> {
    let store = Store::open_with(&job.source.root, &job.source.connection, options).await?;
    let objects: Objects = suspects.iter().map(as_listed).collect();
    let units = objects
        .iter()
        .enumerate()
        .map(|(i, object)| Unit {
            objects: i..i + 1,
            held_bytes: object.size,
            is_streamed: object.size > STREAMED_BYTES,
        })
        .collect();
    let objects = Arc::new(objects);
    let budget_kib = u32::try_from(2 * STREAMED_BYTES / 1024).unwrap_or(u32::MAX);
    let (_keep_streams, wanted) = watch::channel(());
    let fetcher = Fetcher {
        store: store.clone(),
        objects: Arc::clone(&objects),
        io: Arc::new(Semaphore::new(1)),
        io_concurrency: 1,
        budget: Arc::new(Semaphore::new(budget_kib as usize)),
        budget_kib,
        wanted,
    };
    let stop = Cancel::new();
    let _stop_on_drop = stop.on_drop();
    let (rows_alone, _) = job.plan.clone().split();
    let compute = Compute {
        source: store.clone(),
        objects,
        only: None,
        schema: Arc::clone(&job.source.schema),
        options: job.source.decode.clone(),
        plan: Arc::new(rows_alone),
        stop: stop.clone(),
        journal: Some(journal),
        during: During::Probe,
        began: std::time::Instant::now(),
    };
    let (work, queue) = mpsc::channel(1);
    let (order, mut results) = mpsc::channel(1);
    let worker = spawn_blocking(move || compute.work(&Mutex::new(queue), 1));
    let fetching = tokio::spawn(fetcher.run(units, work, order));
    let mut outcome = Ok(());
    while let Some(mut unit) = results.recv().await {
        while let Some(message) = unit.recv().await {
            cancel.check()?;
            match message {
                Message::Failed(error) if !matches!(error, RunError::Step { .. }) => outcome = Err(error),
                _ => {}
            }
        }
    }
    fetching.abort();
    let _ended = worker.await;
    outcome
}

fn as_listed(suspect: &Suspect) -> Listed<'_> {
    Listed {
        key: &suspect.key,
        etag: suspect.etag.as_deref(),
        size: suspect.size,
    }
}

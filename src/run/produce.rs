//! The stages of a day, side by side: fetch, decode and transform, write. Nothing is published here.

use std::env;
use std::path::PathBuf;
use std::sync::{Arc, Mutex};
use std::time::Instant;

use chrono::NaiveDate;
use tokio::sync::mpsc;
use tokio::sync::{Semaphore, watch};
use tokio::task::{JoinHandle, spawn_blocking};

use super::compute::Compute;
use super::day::RunContext;
use super::fault::During;
use super::fetch::Fetcher;
use super::list::Unit;
use super::objects::Objects;
use super::part::{PartRoller, PartTarget};
use super::produced::{Assignment, Produced};
use super::quarantine::Quarantine;
use super::run_id::random_suffix;
use super::whole_day::{self, WholeDay};
use super::writer::{Desk, Writer};
use super::{RunError, STREAMED_BYTES, list};
use crate::base::Cancel;
use crate::dataset::decode::DecodeOptions;
use crate::storage::Location;
use crate::transform::Plan;

/// What a unit of small objects holds: as much as is decoded together. More would only wait in memory.
const UNIT_BYTES: u64 = 4 << 20;
/// Objects as large as the day's largest that may be under way at once, within a share of the memory.
const N_LARGEST: u64 = 32;

/// How a day's objects are read.
struct Window {
    units: Vec<Unit>,
    /// Of objects that were asked for and are not decoded.
    fetch_bytes: u64,
}

impl Window {
    /// For so many workers. Where answers take their time (`is_remote`), one that is late must not leave them idle, so
    /// more is fetched ahead.
    fn new(objects: &Objects, n_threads: usize, memory_bytes: u64, is_remote: bool) -> Self {
        let n_threads = n_threads.max(1) as u64;
        let most = memory_bytes / 6;
        let whole_bytes = (memory_bytes / n_threads / 4).clamp(1 << 20, STREAMED_BYTES);
        // One unit for each worker, and two to come.
        let n_units = n_threads + 2;
        let unit_bytes = UNIT_BYTES.min(most / n_units).clamp(1 << 20, whole_bytes);
        let units = list::units(objects, unit_bytes, whole_bytes);
        let whole = units.iter().filter(|unit| !unit.is_streamed);
        let largest_unit = whole.map(|unit| unit.held_bytes).max().unwrap_or(0);
        let largest_object = objects.iter().map(|object| object.size).max().unwrap_or(0);
        let ahead = if is_remote { memory_bytes / 12 } else { 0 };
        let fetch_bytes = (n_units * unit_bytes)
            .max(2 * largest_unit)
            .max(largest_object.saturating_mul(N_LARGEST).min(most))
            .max(ahead);
        Self { units, fetch_bytes }
    }
}

impl RunContext<'_> {
    /// Files of a day that does not fit into the memory are in the folder that the environment names, or with the staged
    /// parts of a local table, or in the machine's folder for temporary files.
    fn whole_day(&self, plan: Plan, staging: &Location, day: NaiveDate) -> Result<WholeDay, RunError> {
        let name = format!("skewer-{}-{day}-{}", self.run_id, random_suffix());
        let named = env::var_os("SKEWER_SCRATCH").filter(|folder| !folder.is_empty());
        let folder = match (named, staging) {
            (Some(folder), _) => PathBuf::from(folder).join(name),
            (None, Location::Local(folder)) => folder.join("scratch"),
            (None, Location::S3 { .. }) => env::temp_dir().join(name),
        };
        let scratch = whole_day::Scratch::new(folder, self.job.limits.scratch.0);
        WholeDay::new(plan, self.memory_bytes / 2, scratch, self.cancel.clone())
    }

    fn fetcher(&self, objects: &Arc<Objects>, fetch_bytes: u64, wanted: watch::Receiver<()>) -> Fetcher {
        let fetch_kib = fetch_bytes / 1024;
        Fetcher {
            store: self.source.clone(),
            objects: Arc::clone(objects),
            io: Arc::new(Semaphore::new(self.job.limits.io_concurrency)),
            io_concurrency: self.job.limits.io_concurrency,
            budget: Arc::new(Semaphore::new(usize::try_from(fetch_kib).unwrap_or(1 << 20))),
            budget_kib: u32::try_from(fetch_kib).unwrap_or(1 << 20),
            wanted,
        }
    }

    /// Runs the stages side by side until every row is staged.
    pub async fn produce(&self, day: NaiveDate, assignment: Assignment) -> Result<Produced, RunError> {
        let Assignment { objects, .. } = &assignment;
        let n_threads = self.n_threads.max(1);
        let per_thread = self.memory_bytes / n_threads as u64;
        let Window { units, fetch_bytes } =
            Window::new(objects, n_threads, self.memory_bytes, self.source.is_s3());
        let plan = assignment.plan.clone().with_max_made_bytes(per_thread);
        let (prefix, suffix) = plan.split();
        let whole_day = suffix
            .map(|plan| self.whole_day(plan, &assignment.staging, day))
            .transpose()?;

        let (keep_streams, wanted) = watch::channel(());
        let mut keep_streams = Some(keep_streams);
        let fetcher = self.fetcher(objects, fetch_bytes, wanted);
        let stop = Cancel::new();
        let _stop_on_drop = stop.on_drop();
        let batch_bytes = usize::try_from(per_thread / 12).unwrap_or(usize::MAX);
        let compute = Compute {
            objects: Arc::clone(objects),
            only: assignment.only.clone(),
            source: self.source.clone(),
            schema: Arc::clone(&self.job.source.schema),
            options: DecodeOptions {
                batch_bytes: batch_bytes.clamp(1 << 20, 16 << 20),
                ..self.job.source.decode.clone()
            },
            plan: Arc::new(prefix),
            stop: stop.clone(),
            journal: self.journal.cloned(),
            during: During::Run,
            began: Instant::now(),
        };
        let target = PartTarget {
            files: self.files.clone(),
            table: self.job.sink.root.clone(),
            partition: self.job.sink.partition(day),
            staging: assignment.staging.clone(),
            slots: assignment.slots,
        };
        let writer = Writer::new(Desk {
            roller: PartRoller::new(self.job, target)?,
            quarantine: Quarantine::new(self, day, &assignment),
            table: self.table.clone(),
            copies: assignment.copies,
            whole_day,
            makes_rows: self.job.plan.makes_rows(),
            columns: self
                .job
                .plan
                .output()
                .iter_names()
                .map(ToString::to_string)
                .collect(),
            compute: compute.clone(),
            progress: self.progress.clone(),
            cancel: self.cancel.clone(),
        });

        let (work, queue) = mpsc::channel(1);
        let (order, results) = mpsc::channel(64);
        let queue = Arc::new(Mutex::new(queue));
        let workers: Vec<JoinHandle<()>> = (1..)
            .take(n_threads)
            .map(|number| {
                let (compute, queue) = (compute.clone(), Arc::clone(&queue));
                spawn_blocking(move || compute.work(&queue, number))
            })
            .collect();
        let fetching = tokio::spawn(fetcher.run(units, work, order));
        let mut writing = spawn_blocking(move || writer.run(results));
        let ended = loop {
            tokio::select! {
                ended = &mut writing => break ended,
                () = self.cancel.cancelled(), if keep_streams.is_some() => {
                    // Requests under way are dropped, so the writer's channels close and it ends.
                    fetching.abort();
                    keep_streams = None;
                }
            }
        };
        stop.cancel();
        fetching.abort();
        drop(keep_streams);
        for worker in workers {
            let _ended = worker.await;
        }
        match ended {
            Ok(Err(_)) if self.cancel.is_cancelled() => Err(RunError::Cancelled),
            Ok(output) => output,
            Err(error) => Err(RunError::Worker {
                message: error.to_string(),
            }),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{UNIT_BYTES, Window};
    use crate::run::objects::Objects;

    const MIB: u64 = 1 << 20;

    fn window(n: u64, size: u64, n_threads: usize, is_remote: bool) -> Window {
        let objects = Objects::of_sizes((0..n).map(|i| (format!("{i:07}"), size)));
        Window::new(&objects, n_threads, 384 * MIB, is_remote)
    }

    #[test]
    fn what_is_fetched_ahead_does_not_grow_with_the_number_of_small_files() {
        for n in [4_000, 40_000] {
            assert_eq!(window(n, 165_000, 2, false).fetch_bytes, 16 * MIB);
            assert_eq!(window(n, 165_000, 2, true).fetch_bytes, 32 * MIB);
        }
    }

    #[test]
    fn every_worker_has_a_unit_and_two_are_to_come() {
        for n_threads in [1, 2, 4, 8, 16, 64] {
            for size in [13_000, 165_000] {
                let Window { units, fetch_bytes } = window(40_000, size, n_threads, false);
                let largest = units.iter().map(|unit| unit.held_bytes).max().unwrap();
                assert!((MIB / 2..=UNIT_BYTES).contains(&largest), "{largest}");
                assert!(
                    fetch_bytes >= largest * (n_threads as u64 + 2),
                    "{n_threads} {fetch_bytes}"
                );
                assert!(fetch_bytes <= 66 * MIB, "{n_threads} {fetch_bytes}");
            }
        }
    }

    #[test]
    fn large_objects_are_fetched_side_by_side_whole_or_streamed() {
        for (size, is_streamed) in [(20 * MIB, false), (32 * MIB, false), (33 * MIB, true)] {
            let Window { units, fetch_bytes } = window(10, size, 2, false);
            assert!(
                units
                    .iter()
                    .all(|unit| unit.is_streamed == is_streamed && unit.objects.len() == 1)
            );
            assert!(fetch_bytes >= 64 * MIB, "{size} {fetch_bytes}");
        }
    }
}

//! Counts keys over all rows of some partitions, after a recipe's row steps, in one pass.

use std::sync::Arc;

use polars::error::{PolarsError, PolarsResult};
use tokio::task::spawn_blocking;

use super::scan::{Collect, Scan, ScanBatch, ScanError, Scanned};
use crate::base::{Accuracy, Cancel, Cancelled, Progress};
use crate::profile::keys::{CountBudget, KeyCounter, KeyCounts, KeyError, SparkType, WrittenType};

/// Memory of all counters together, where nobody says otherwise.
pub const KEY_BUDGET_BYTES: usize = 256 << 20;
/// No counter gets less.
const MIN_BUDGET_BYTES: usize = 8 << 20;
/// Threads that a pass may use at most: sources that wait use more than cores.
const MIN_THREADS: usize = 2;
/// Keys that are still looked at one by one after a cancel: the answer is to come at once.
pub const KEYS_AFTER_CANCEL: usize = 4096;

/// Several candidate keys, counted over the same rows.
#[derive(Debug, Clone)]
struct KeyCollector {
    counters: Vec<KeyCounter>,
    /// What went wrong while counters were merged.
    failed: Option<KeyError>,
    cancel: Cancel,
}

impl Collect for KeyCollector {
    fn add(&mut self, batch: &ScanBatch<'_>) -> PolarsResult<()> {
        for counter in &mut self.counters {
            counter
                .add(batch.df)
                .map_err(|error| PolarsError::ComputeError(error.to_string().into()))?;
        }
        Ok(())
    }

    fn condense(&mut self) {
        for counter in &mut self.counters {
            counter.condense(KEYS_AFTER_CANCEL);
        }
    }

    fn merge(&mut self, other: Self) {
        for (counter, other) in self.counters.iter_mut().zip(other.counters) {
            if let Err(error) = counter.merge_until(other, &self.cancel, KEYS_AFTER_CANCEL) {
                self.failed.get_or_insert(error);
            }
        }
        if let Some(error) = other.failed {
            self.failed.get_or_insert(error);
        }
    }
}

/// Counts each of `keys` (a list of columns, in the order in which Spark would hash them) over all rows of `scan`, in about
/// `budget_bytes` of memory. A cancel gives what was counted until then, with an accuracy that says so; many keys are
/// estimates then, as beyond the budget.
///
/// # Errors
/// [`ScanError`]; a key without columns, a column that is missing or cannot be a key, before anything is read.
pub async fn count_keys(
    scan: &Scan,
    keys: &[Vec<String>],
    budget_bytes: usize,
    cancel: &Cancel,
    progress: &Progress,
) -> Result<Scanned<Vec<KeyCounts>>, ScanError> {
    let n_threads = std::thread::available_parallelism().map_or(MIN_THREADS, usize::from);
    let budget = CountBudget {
        n_bytes: (budget_bytes / n_threads.max(MIN_THREADS) / keys.len().max(1)).max(MIN_BUDGET_BYTES),
        ..CountBudget::default()
    };
    let failed = |error: KeyError| ScanError::Collect {
        message: error.to_string(),
    };
    let counters = keys
        .iter()
        .map(|columns| {
            let counter = KeyCounter::new(columns, budget)?;
            counter.check(scan.schema())?;
            let counter = counter.with_written_types(written_types(scan, columns));
            Ok(if scan.has_all_columns() {
                counter
            } else {
                counter.of_some_columns()
            })
        })
        .collect::<Result<Vec<_>, KeyError>>()
        .map_err(failed)?;
    let empty = KeyCollector {
        counters,
        failed: None,
        cancel: cancel.clone(),
    };
    let scanned = scan.fold(cancel, progress, || empty.clone()).await?;
    if let Some(error) = scanned.collected.failed {
        return Err(failed(error));
    }
    let accuracy = scanned.accuracy;
    let mut scanned = scanned.map(|collected| Arc::new(collected.counters));
    let counters = Arc::clone(&scanned.collected);
    // Putting a million keys in order takes longer than whoever cancels wants to wait.
    let all = cancellable(cancel, move || {
        let finished = counters.iter().map(|counter| counter.finish(accuracy));
        finished.collect::<Vec<_>>()
    });
    let counted = if let Ok(counted) = all.await {
        counted?
    } else {
        scanned.accuracy = Accuracy::Partial { n: scanned.n_rows };
        let counters = scanned.collected.iter();
        counters
            .map(|counter| counter.finish_largest(KEYS_AFTER_CANCEL))
            .collect()
    };
    Ok(scanned.map(|counters| {
        // Millions of keys take a while to be given back.
        spawn_blocking(move || drop(counters));
        counted
    }))
}

/// Types of a key's columns that are not those of the schema: decimals of Parquet are text here.
fn written_types(scan: &Scan, columns: &[String]) -> Vec<WrittenType> {
    let digits = scan.source().decimal_digits().iter();
    digits
        .filter(|decimal| columns.contains(&decimal.path))
        .filter_map(|decimal| {
            Some(WrittenType {
                name: decimal.path.clone(),
                spark_type: SparkType::decimal_of(decimal.precision, decimal.scale)?,
                is_as_written: scan.is_as_read(),
            })
        })
        .collect()
}

/// Runs `work` on a thread that may block, and waits for it until `cancel`: what it gives is then not wanted any more.
///
/// # Errors
/// [`Cancelled`]; inside, [`ScanError::Worker`] when it panics.
pub async fn cancellable<T: Send + 'static>(
    cancel: &Cancel,
    work: impl FnOnce() -> T + Send + 'static,
) -> Result<Result<T, ScanError>, Cancelled> {
    cancel.check()?;
    let done = cancel.until(spawn_blocking(work)).await?;
    Ok(done.map_err(|error| ScanError::Worker {
        message: error.to_string(),
    }))
}

#[cfg(test)]
mod tests {
    use std::fmt::Write as _;

    use super::{KeyCollector, cancellable, count_keys};
    use crate::base::{Accuracy, Cancel, Progress, envelope};
    use crate::explore::scan::{Collect as _, Scan, ScanSource};
    use crate::profile::keys::{CountBudget, KeyCounter};
    use crate::storage::{Connection, Location, Store};
    use crate::transform::{Inputs, Recipe};

    async fn scan(folder: &std::path::Path) -> Scan {
        for file in 0..8 {
            let mut lines = String::new();
            for i in 0..5000 {
                let key = if i % 2 == 0 { "hot" } else { "cold" };
                writeln!(lines, "{{\"k\": \"{key}\", \"n\": {}}}", i + file).unwrap();
            }
            std::fs::write(folder.join(format!("{file}.jsonl")), lines).unwrap();
        }
        let store = Store::open(&Location::Local(folder.to_owned()), &Connection::default())
            .await
            .unwrap();
        let objects = store.list_all("", &Cancel::new()).await.unwrap();
        let partition_of = vec![0; objects.len()];
        Scan::new(
            ScanSource::open(&store, objects, partition_of, None, &Cancel::new())
                .await
                .unwrap(),
        )
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn several_keys_are_counted_in_one_pass_over_all_rows_after_the_recipe() {
        let folder = tempfile::tempdir().unwrap();
        let recipe: Recipe = envelope::from_yaml("- filter: {where: n >= 100}").unwrap();
        let scan = scan(folder.path())
            .await
            .with_recipe(&recipe, &Inputs::default())
            .unwrap();
        let keys = [vec!["k".to_owned()], vec!["n".to_owned(), "k".to_owned()]];
        let counted = count_keys(&scan, &keys, 1 << 26, &Cancel::new(), &Progress::new())
            .await
            .unwrap();
        assert_eq!(counted.accuracy, Accuracy::Exact);
        // File f holds n from f to f + 4999.
        let n_rows: u64 = (0..8).map(|file| 5000 - (100 - file)).sum();
        let [by_k, by_both] = counted.collected.as_slice() else {
            panic!("two keys");
        };
        assert_eq!((by_k.n_rows(), by_k.distinct.n), (n_rows, 2));
        assert_eq!(by_both.n_rows(), n_rows);
        assert!(by_both.distinct.is_exact && by_both.distinct.n > 9000);
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn after_a_cancel_many_keys_are_condensed_and_no_row_is_lost() {
        let folder = tempfile::tempdir().unwrap();
        let scan = scan(folder.path()).await;
        let cancel = Cancel::new();
        let of_thread = |from: i64| {
            let columns = ["n".to_owned()];
            let mut counter = KeyCounter::new(&columns, CountBudget::default()).unwrap();
            let n: Vec<i64> = (from..from + 100_000).collect();
            counter.add(&polars::prelude::df!("n" => n).unwrap()).unwrap();
            KeyCollector {
                counters: vec![counter],
                failed: None,
                cancel: cancel.clone(),
            }
        };
        let (mut one, other, third) = (of_thread(0), of_thread(50_000), of_thread(0));
        let counted = |of: &KeyCollector| {
            let counter = of.counters.first().cloned().unwrap();
            let counts = counter.finish(Accuracy::Partial { n: 0 });
            (counts.n_rows(), counts.distinct)
        };
        one.merge(other);
        let (n_rows, distinct) = counted(&one);
        assert_eq!((n_rows, distinct.n, distinct.is_exact), (200_000, 150_000, true));
        cancel.cancel();
        one.merge(third);
        let (n_rows, distinct) = counted(&one);
        assert_eq!(n_rows, 300_000);
        assert!(!distinct.is_exact && distinct.low <= 150_000 && 150_000 <= distinct.high);
        // What is cancelled from the start has no rows, and says so.
        let keys = [vec!["n".to_owned()]];
        let nothing = count_keys(&scan, &keys, 1 << 26, &cancel, &Progress::new())
            .await
            .unwrap();
        assert_eq!(nothing.accuracy, Accuracy::Partial { n: 0 });
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn who_cancels_does_not_wait_for_work_that_has_no_end() {
        let cancel = Cancel::new();
        let (started, starts) = std::sync::mpsc::channel();
        let (ends, end) = std::sync::mpsc::channel::<()>();
        let canceller = cancel.clone();
        let thread = std::thread::spawn(move || {
            starts.recv().unwrap();
            canceller.cancel();
        });
        let work = move || {
            started.send(()).unwrap();
            end.recv()
        };
        assert!(cancellable(&cancel, work).await.is_err());
        thread.join().unwrap();
        drop(ends);
        assert_eq!(cancellable(&Cancel::new(), || 7).await.unwrap().unwrap(), 7);
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn a_wrong_key_is_refused_before_anything_is_read() {
        let folder = tempfile::tempdir().unwrap();
        let scan = scan(folder.path()).await;
        let counted = |key: &[&str]| {
            let key = vec![key.iter().map(ToString::to_string).collect()];
            let scan = scan.clone();
            async move { count_keys(&scan, &key, 1 << 26, &Cancel::new(), &Progress::new()).await }
        };
        let error = counted(&["kk"]).await.unwrap_err().to_string();
        assert_eq!(error, "column `kk` not found: did you mean `k`?");
        assert!(
            counted(&[])
                .await
                .unwrap_err()
                .to_string()
                .contains("at least one column")
        );
    }
}

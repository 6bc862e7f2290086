//! Rows of each partition, read in the background: Parquet footers, and the first bytes of some JSON Lines files.
//!
//! What it costs is said before: [`RowPlan`]. Memory is bounded by one partition's listing for each of a few at a time.

use std::collections::BTreeMap;

use futures::stream::{self, StreamExt as _};

use crate::base::{Cancel, Progress, units};
use crate::dataset::{COUNTED_BYTES, PageError, count_rows};
use crate::profile::{CostModel, FileGroup, FileRows, PartitionFiles, RowCounts, estimate_rows};
use crate::storage::{
    DatasetKeys, Inventory, Object, Partition, PartitionStats, StorageError, Store, data_ending,
};

/// Parquet files whose footers are read; of more, some of each partition.
const MAX_FOOTERS: u64 = 20_000;
/// JSON Lines files with one ending that are read of a partition, and of a dataset.
const FILES_PER_PARTITION: u64 = 4;
const MAX_FILES: u64 = 4000;
/// Partitions counted at once, and files of each.
const PARTITIONS_AT_ONCE: usize = 8;
const FILES_AT_ONCE: usize = 8;
/// Bytes of a footer, as it is usually read.
const FOOTER_BYTES: u64 = 64 << 10;
const KEYS_PER_LIST: u64 = 1000;
const PARQUET: &str = "parquet";
/// Files that are named where some could not be read.
const MAX_NAMED: usize = 5;

/// How many files of each partition are read, and what that costs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize)]
pub struct RowPlan {
    /// Whether every row will be counted: Parquet, and few enough files.
    pub is_exact: bool,
    /// Footers, and JSON Lines files with one ending, read of a partition at most; every `every`-th partition is read.
    n_footers: u64,
    n_heads: u64,
    every: usize,
    pub n_files_read: u64,
    pub n_files: u64,
    /// Listings and reads; a footer of more than 64 KiB takes one read more.
    pub n_requests: u64,
    /// Those of them that list.
    n_listings: u64,
    /// At most.
    pub n_bytes: u64,
    /// Listings, and reads, that wait at the same time.
    listings_at_once: u64,
    reads_at_once: u64,
}

impl RowPlan {
    pub fn new(dataset: &DatasetKeys) -> Self {
        let n_files = dataset.n_files();
        let n_partitions = dataset.partitions.len() as u64;
        let n_parquet = dataset.extensions.get(PARQUET).copied().unwrap_or(0);
        let of_each = |most: u64| (most / n_partitions.max(1)).max(1);
        let is_parquet = n_parquet == n_files;
        let most = if is_parquet { MAX_FOOTERS } else { MAX_FILES };
        let every = usize::try_from(n_partitions.div_ceil(most)).unwrap_or(1).max(1);
        let mut plan = Self {
            is_exact: is_parquet && n_files <= MAX_FOOTERS,
            n_footers: if n_parquet <= MAX_FOOTERS {
                u64::MAX
            } else {
                of_each(MAX_FOOTERS)
            },
            n_heads: of_each(MAX_FILES).min(FILES_PER_PARTITION),
            every,
            n_files_read: 0,
            n_files,
            n_requests: 0,
            n_listings: 0,
            n_bytes: 0,
            listings_at_once: (PARTITIONS_AT_ONCE as u64)
                .min(n_partitions.div_ceil(every as u64))
                .max(1),
            reads_at_once: 0,
        };
        let mut most_of_one = 0;
        for stats in dataset.partitions.values().step_by(every) {
            plan.n_listings += stats.n_files.div_ceil(KEYS_PER_LIST) * stats.prefixes.len().max(1) as u64;
            let mut n_bytes = 0;
            let n_before = plan.n_files_read;
            for (ending, n) in &stats.endings {
                let n_read = plan.n_read_of(ending, *n);
                plan.n_files_read += n_read;
                n_bytes += n_read
                    * if *ending == PARQUET {
                        FOOTER_BYTES
                    } else {
                        COUNTED_BYTES
                    };
            }
            plan.n_bytes += n_bytes.min(stats.n_bytes);
            most_of_one = most_of_one.max(plan.n_files_read - n_before);
        }
        plan.n_requests = plan.n_listings + plan.n_files_read;
        plan.reads_at_once = plan.listings_at_once * most_of_one.clamp(1, FILES_AT_ONCE as u64);
        plan
    }

    /// How many of `n` files of a partition with this ending are read.
    fn n_read_of(&self, ending: &str, n: u64) -> u64 {
        n.min(if ending == PARQUET {
            self.n_footers
        } else {
            self.n_heads
        })
    }

    /// How long it takes by the assumptions that [`RowPlan::words`] says: listings wait for each other as far as there are
    /// more than go at once, then reads do, and all bytes come through one line.
    pub fn seconds(&self, costs: &CostModel) -> f64 {
        let costs = costs.checked();
        let rounds = |n: u64, at_once: u64| n.div_ceil(at_once.max(1));
        let rounds =
            rounds(self.n_listings, self.listings_at_once) + rounds(self.n_files_read, self.reads_at_once);
        costs.request_seconds(rounds) + self.n_bytes as f64 / costs.bytes_per_second
    }

    /// What it costs, and the assumptions behind the time.
    pub fn words(&self, costs: &CostModel) -> [String; 2] {
        let costs = costs.checked();
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "a throughput of at least one byte"
        )]
        let throughput = costs.bytes_per_second.round() as u64;
        [
            format!(
                "{} of {}: {}, up to {}, about {}",
                units::count(self.n_files_read),
                units::plural(self.n_files, "file"),
                units::plural(self.n_requests, "request"),
                units::bytes(self.n_bytes),
                units::seconds(self.seconds(&costs))
            ),
            format!(
                "{}, {} at a time, then {}, {} at a time; {} a request, and {}/s for all bytes together",
                units::plural(self.n_listings, "listing"),
                units::count(self.listings_at_once),
                units::plural(self.n_files_read, "read"),
                units::count(self.reads_at_once),
                units::seconds(costs.seconds_per_request),
                units::bytes(throughput)
            ),
        ]
    }
}

/// Counts or estimates the rows of every partition. `on_partial` gets what is known after each partition.
///
/// Accuracy: as [`estimate_rows`] says. A file that cannot be read counts as not read.
///
/// A cancel ends it soon with what was read before, labelled partial.
///
/// # Errors
/// Any [`StorageError`] of a listing.
pub async fn count_partitions(
    store: &Store,
    inventory: &Inventory,
    dataset: &DatasetKeys,
    plan: RowPlan,
    cancel: &Cancel,
    progress: &Progress,
    on_partial: &mut (dyn FnMut(RowCounts) + Send),
) -> Result<RowCounts, StorageError> {
    progress.add_total(plan.n_files_read);
    let read = |stats: PartitionStats| async move {
        count_partition(store, inventory, dataset, &stats, plan, cancel, progress).await
    };
    let chosen: Vec<PartitionStats> = dataset.partitions.values().step_by(plan.every).cloned().collect();
    let mut reading =
        stream::iter(chosen.into_iter().map(read).collect::<Vec<_>>()).buffer_unordered(PARTITIONS_AT_ONCE);
    let mut files: BTreeMap<Partition, PartitionFiles> = dataset
        .partitions
        .values()
        .map(|stats| (stats.partition.clone(), unread(stats)))
        .collect();
    let (mut n_unreadable, mut unreadable) = (0, Vec::new());
    let mut n_since = 0;
    while let Ok(Some(counted)) = cancel.until(reading.next()).await {
        let (counted, failed) = match counted {
            Err(StorageError::Cancelled) => break,
            counted => counted?,
        };
        n_unreadable += failed.len() as u64;
        let room = MAX_NAMED - unreadable.len();
        unreadable.extend(failed.into_iter().take(room));
        files.insert(counted.partition.clone(), counted);
        n_since += 1;
        // Each estimate costs a pass over the partitions.
        if n_since * 20 >= dataset.partitions.len() {
            n_since = 0;
            let so_far: Vec<PartitionFiles> = files.values().cloned().collect();
            on_partial(estimate_rows(&so_far, n_unreadable));
        }
    }
    let all: Vec<PartitionFiles> = files.into_values().collect();
    let mut counted = estimate_rows(&all, n_unreadable);
    unreadable.sort_unstable();
    counted.unreadable = unreadable;
    Ok(if cancel.is_cancelled() {
        counted.cut()
    } else {
        counted
    })
}

fn unread(stats: &PartitionStats) -> PartitionFiles {
    let n_bytes = u128::from(stats.n_bytes);
    let group = FileGroup {
        ending: match stats.endings.as_slice() {
            [(only, _)] => only,
            _ => "",
        },
        n_files: stats.n_files,
        n_bytes: stats.n_bytes,
        // As if all were equally large.
        squared_bytes: n_bytes.pow(2) / u128::from(stats.n_files.max(1)),
        read: Vec::new(),
    };
    PartitionFiles {
        partition: stats.partition.clone(),
        groups: vec![group],
    }
}

/// What some files of a partition tell, and why others could not be read.
async fn count_partition(
    store: &Store,
    inventory: &Inventory,
    dataset: &DatasetKeys,
    stats: &PartitionStats,
    plan: RowPlan,
    cancel: &Cancel,
    progress: &Progress,
) -> Result<(PartitionFiles, Vec<String>), StorageError> {
    let objects = inventory
        .objects(store, dataset, &stats.partition, cancel)
        .await?;
    let mut by_ending: BTreeMap<&'static str, Vec<Object>> = BTreeMap::new();
    for object in objects {
        let ending = data_ending(&object.key).unwrap_or_default();
        by_ending.entry(ending).or_default().push(object);
    }
    let mut groups = Vec::new();
    let mut chosen = Vec::new();
    for (at, (ending, objects)) in by_ending.into_iter().enumerate() {
        groups.push(FileGroup::of_sizes(
            ending,
            objects.iter().map(|object| object.size),
        ));
        let n_read = plan.n_read_of(ending, objects.len() as u64);
        let read = spread(objects, usize::try_from(n_read).unwrap_or(usize::MAX));
        chosen.extend(read.into_iter().map(|object| (at, object)));
    }
    let count = |(at, object): (usize, Object)| async move {
        cancel.check()?;
        let counted = count_rows(store, &object).await;
        progress.add_done(1);
        match counted {
            Ok(counted) => {
                let rows = FileRows {
                    read_bytes: counted.n_bytes,
                    n_rows: counted.n_rows,
                    is_whole: counted.is_whole,
                };
                Ok(Ok((at, rows)))
            }
            Err(PageError::Storage(error)) if !matches!(error, StorageError::NotFound { .. }) => Err(error),
            Err(error) => Ok(Err(error.to_string())),
        }
    };
    let mut counting =
        stream::iter(chosen.into_iter().map(count).collect::<Vec<_>>()).buffer_unordered(FILES_AT_ONCE);
    let mut unreadable = Vec::new();
    while let Some(counted) = counting.next().await {
        match counted? {
            Ok((at, rows)) => {
                if let Some(group) = groups.get_mut(at) {
                    group.read.push(rows);
                }
            }
            Err(reason) => unreadable.push(reason),
        }
    }
    let files = PartitionFiles {
        partition: stats.partition.clone(),
        groups,
    };
    Ok((files, unreadable))
}

/// `n` of `objects`, evenly over their order.
fn spread(objects: Vec<Object>, n: usize) -> Vec<Object> {
    if objects.len() <= n {
        return objects;
    }
    let len = objects.len();
    let is_chosen = |at: usize| (at + 1) * n / len > at * n / len;
    let chosen = objects.into_iter().enumerate().filter(|(at, _)| is_chosen(*at));
    chosen.map(|(_, object)| object).collect()
}

#[cfg(test)]
mod tests {
    use super::{RowPlan, count_partitions};
    use crate::base::{Accuracy, Cancel, Progress};
    use crate::profile::CostModel;
    use crate::storage::{Connection, Inventory, Location, Store};

    /// A lake of `days` days with `files` files of a hundred rows each.
    async fn lake(folder: &std::path::Path, days: u32, files: u32) -> (Store, Inventory) {
        for day in 1..=days {
            let day = folder.join(format!("2020/01/{day:02}"));
            std::fs::create_dir_all(&day).unwrap();
            for file in 0..files {
                std::fs::write(day.join(format!("{file}.jsonl")), "{\"a\": 123456}\n".repeat(100)).unwrap();
            }
        }
        let root = Location::Local(folder.to_owned());
        let store = Store::open(&root, &Connection::default()).await.unwrap();
        let mut inventory = Inventory::new(&root);
        inventory.add(&store.list_all("", &Cancel::new()).await.unwrap());
        (store, inventory)
    }

    #[tokio::test]
    async fn rows_of_a_sample_of_files_are_estimated_and_the_plan_kept_what_it_said() {
        let folder = tempfile::tempdir().unwrap();
        let (store, inventory) = lake(folder.path(), 5, 10).await;
        let dataset = inventory.datasets().next().unwrap();
        let plan = RowPlan::new(dataset);
        assert_eq!(
            (plan.is_exact, plan.n_files_read, plan.n_requests),
            (false, 20, 25)
        );
        let costs = CostModel::default();
        let [what, how] = plan.words(&costs);
        assert_eq!(what, "20 of 50 files: 25 requests, up to 70 KB, about 61 ms");
        assert_eq!(
            how,
            "5 listings, 5 at a time, then 20 reads, 20 at a time; 30 ms a request, and 50 MB/s for all bytes together"
        );
        // Two rounds of 30 ms, and 70,000 bytes at 50 MB/s.
        assert!((plan.seconds(&costs) - (0.06 + 70e3 / 50e6)).abs() < 1e-9);
        let (progress, mut n_partial, cancel) = (Progress::new(), 0, Cancel::new());
        let mut on_partial = |_| n_partial += 1;
        let counted = count_partitions(
            &store,
            &inventory,
            dataset,
            plan,
            &cancel,
            &progress,
            &mut on_partial,
        );
        let total = counted.await.unwrap().total();
        assert_eq!(
            (total.n_rows, total.error, total.accuracy),
            (5000, Some(0), Accuracy::Estimate)
        );
        assert_eq!((total.n_files_read, total.n_files), (20, 50));
        assert_eq!((progress.view().n_done, n_partial), (20, 5));
    }

    #[tokio::test]
    async fn files_that_are_all_read_give_exact_rows_and_a_cancel_leaves_partial_ones() {
        let folder = tempfile::tempdir().unwrap();
        let (store, inventory) = lake(folder.path(), 2, 3).await;
        let dataset = inventory.datasets().next().unwrap();
        let plan = RowPlan::new(dataset);
        let cancel = Cancel::new();
        let progress = Progress::new();
        let counted =
            count_partitions(&store, &inventory, dataset, plan, &cancel, &progress, &mut |_| {}).await;
        let total = counted.unwrap().total();
        assert_eq!((total.n_rows, total.accuracy), (600, Accuracy::Exact));
        cancel.cancel();
        let stopped =
            count_partitions(&store, &inventory, dataset, plan, &cancel, &progress, &mut |_| {}).await;
        let stopped = stopped.unwrap();
        assert!(stopped.is_partial);
        let total = stopped.total();
        assert_eq!((total.n_rows, total.accuracy), (0, Accuracy::Partial { n: 0 }));
    }
}

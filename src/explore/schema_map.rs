//! Reads the keys of every partition for a [`SchemaMap`]: all files, or the first records of a few files of each.
//!
//! Leaves to `profile` what the counts mean.

use std::sync::Arc;

use futures::stream::StreamExt;
use tokio::task::{JoinError, spawn_blocking};

use super::objects::{Homes, spread};
use crate::base::{Accuracy, Cancel, Progress, units};
use crate::dataset::{FailedFile, PageError, fold_records, parquet};
use crate::profile::schema_map::{KeyTree, MapPartition, SchemaMap};
use crate::storage::{DatasetKeys, Object, PartitionStats, StorageError, Store};

const CONCURRENT_PARTITIONS: usize = 4;
const CONCURRENT_FILES: usize = 4;
/// Objects of a partition that are listed when only a few are drawn from them.
const MAX_LISTED: usize = 3000;
/// A map that is under way is shown first after so many partitions, then whenever it grew by half.
const SHOW_FIRST: usize = 8;
/// Files that are named of those of a partition that could not be read.
const MAX_FAILED: u64 = 10;
/// Keys of all partitions that are still put side by side after a cancel: the answer is to come at once.
const PATHS_AFTER_CANCEL: usize = 20_000;

/// How much of each partition is read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct MapChoice {
    /// Files of each partition, spread over it by name; none for all.
    pub files: Option<usize>,
    /// Records of each file, from the first on; none for all.
    pub records: Option<usize>,
}

impl Default for MapChoice {
    fn default() -> Self {
        Self {
            files: Some(4),
            records: Some(250),
        }
    }
}

impl std::fmt::Display for MapChoice {
    /// `first 250 records of 4 files a partition`.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self.records {
            Some(n) => write!(f, "first {} of ", units::plural(n as u64, "record"))?,
            None => f.write_str("all records of ")?,
        }
        match self.files {
            Some(n) => write!(f, "{} a partition", units::plural(n as u64, "file")),
            None => f.write_str("all files"),
        }
    }
}

/// Reads the partitions of a dataset. `on_partial`, where there is one, sees the map grow.
///
/// A cancel ends it with what was read before, labelled partial. Files that cannot be read are counted, and fail nothing.
///
/// # Errors
/// [`PageError::Storage`] when nothing can be listed or read at all.
pub async fn schema_map(
    store: &Store,
    dataset: &DatasetKeys,
    choice: MapChoice,
    mut on_partial: Option<&mut (dyn FnMut(SchemaMap) + Send)>,
    progress: &Progress,
    cancel: &Cancel,
) -> Result<SchemaMap, PageError> {
    let homes = Homes::of(dataset);
    progress.add_total(dataset.partitions.len() as u64);
    let reads = dataset
        .partitions
        .values()
        .map(|stats| read_partition(store, &homes, stats, choice, progress, cancel));
    let mut reads = futures::stream::iter(reads.collect::<Vec<_>>()).buffered(CONCURRENT_PARTITIONS);
    let mut read = Vec::new();
    let mut next_shown = SHOW_FIRST;
    while let Some(outcome) = reads.next().await {
        match outcome {
            Ok(partition) => read.push(partition),
            Err(PageError::Cancelled | PageError::Storage(StorageError::Cancelled)) => break,
            Err(error) => return Err(error),
        }
        if cancel.is_cancelled() {
            break;
        }
        progress.add_done(1);
        if let Some(on_partial) = &mut on_partial
            && read.len() >= next_shown
        {
            next_shown += next_shown / 2;
            on_partial(SchemaMap::new(&read, false));
        }
    }
    let read = Arc::new(read);
    // Putting a large map together is work for a thread that may block, and longer than whoever cancels wants to wait.
    if read.len() == dataset.partitions.len() {
        let all = Arc::clone(&read);
        if let Ok(made) = cancel
            .until(spawn_blocking(move || SchemaMap::new(&all, true)))
            .await
        {
            return made.map_err(|error| internal(&error));
        }
    }
    let made = spawn_blocking(move || {
        let short = SchemaMap::new(shortened(&read), false);
        // Many trees take a while to be given back.
        spawn_blocking(move || drop(read));
        short
    });
    made.await.map_err(|error| internal(&error))
}

fn internal(error: &JoinError) -> PageError {
    PageError::Decode {
        message: format!("internal error: {error}"),
    }
}

/// As many partitions, from the first on, as are put together at once.
fn shortened(read: &[(MapPartition, KeyTree)]) -> &[(MapPartition, KeyTree)] {
    let mut n_paths = 0;
    let is_within = |(_, tree): &&(MapPartition, KeyTree)| {
        n_paths += tree.n_paths();
        n_paths <= PATHS_AFTER_CANCEL
    };
    let n = read.iter().take_while(is_within).count().max(1);
    read.get(..n).unwrap_or(read)
}

async fn read_partition(
    store: &Store,
    homes: &Homes<'_>,
    stats: &PartitionStats,
    choice: MapChoice,
    progress: &Progress,
    cancel: &Cancel,
) -> Result<(MapPartition, KeyTree), PageError> {
    let limit = choice.files.map_or(usize::MAX, |_| MAX_LISTED);
    let objects = homes.objects(store, stats, limit, cancel).await?;
    let chosen = spread(&objects, choice.files.unwrap_or(objects.len()));
    // Files without bytes need not be read to be known.
    let n_full = objects.iter().filter(|object| object.size > 0).count();
    let has_all = chosen.len() == n_full && objects.len() as u64 >= stats.n_files;
    let files = chosen.into_iter().map(|object| {
        read_file(
            store,
            object,
            choice.records.unwrap_or(usize::MAX),
            progress,
            cancel,
        )
    });
    let mut files = futures::stream::iter(files.collect::<Vec<_>>()).buffered(CONCURRENT_FILES);
    let mut tree = KeyTree::default();
    let (mut n_read, mut n_failed, mut is_whole) = (0, 0, true);
    let mut failed_files = Vec::new();
    let mut fail = |file: Option<FailedFile>| {
        n_failed += 1;
        failed_files.extend(file.filter(|_| n_failed <= MAX_FAILED));
    };
    let mut is_cut = false;
    while let Some(outcome) = files.next().await {
        match outcome {
            Ok(file) => {
                n_read += 1;
                is_whole &= file.is_whole;
                tree.merge(file.tree);
                if let Some(reason) = file.broken {
                    let object = file.object;
                    fail(Some(FailedFile { object, reason }));
                }
            }
            Err(error) if is_of_one_file(&error) => fail(error.failed_file()),
            // Files that were read before a cancel tell what they hold.
            Err(PageError::Cancelled | PageError::Storage(StorageError::Cancelled)) if n_read > 0 => {
                is_cut = true;
                break;
            }
            Err(error) => return Err(error),
        }
    }
    // The last file may have been cut within.
    is_cut |= cancel.is_cancelled();
    let n_records = tree.n_records();
    let is_exact = has_all && is_whole && n_failed == 0;
    let partition = MapPartition {
        partition: stats.partition.clone(),
        n_records,
        n_unreadable: tree.n_unreadable(),
        n_files_read: n_read,
        n_files_failed: n_failed,
        failed_files,
        n_files: stats.n_files,
        accuracy: if is_cut {
            Accuracy::Partial { n: n_records }
        } else if is_exact {
            Accuracy::Exact
        } else {
            Accuracy::Sample {
                n: n_records,
                of: None,
            }
        },
    };
    Ok((partition, tree))
}

struct File {
    object: String,
    tree: KeyTree,
    is_whole: bool,
    /// Why it could not be read to its end.
    broken: Option<String>,
}

async fn read_file(
    store: &Store,
    object: &Object,
    limit: usize,
    progress: &Progress,
    cancel: &Cancel,
) -> Result<File, PageError> {
    cancel.check().map_err(|_| PageError::Cancelled)?;
    let see = |tree: &mut KeyTree, _: u64, line: &[u8]| tree.add_record(line);
    let folded = fold_records::<KeyTree, _>(store, object, limit, cancel, see).await?;
    progress.add_bytes(object.size);
    if let Some(folded) = folded {
        return Ok(File {
            object: store.location(&object.key).to_string(),
            tree: folded.value,
            is_whole: folded.is_whole,
            broken: folded.broken,
        });
    }
    let footer = parquet::footer(store, object).await?;
    let mut tree = KeyTree::default();
    tree.add_schema(&footer.schema, footer.n_rows);
    Ok(File {
        object: store.location(&object.key).to_string(),
        tree,
        is_whole: true,
        broken: None,
    })
}

/// Whether an error says something of one file only.
fn is_of_one_file(error: &PageError) -> bool {
    matches!(
        error,
        PageError::UnknownFormat { .. }
            | PageError::CorruptParquet { .. }
            | PageError::Decode { .. }
            | PageError::Storage(StorageError::NotFound { .. })
    )
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::{KeyTree, MapChoice, MapPartition, PATHS_AFTER_CANCEL, schema_map, shortened};
    use crate::base::{Accuracy, Cancel, Progress};
    use crate::profile::schema_map::SchemaMap;
    use crate::storage::{Connection, Inventory, Location, Store};

    fn write(root: &Path, key: &str, text: &str) {
        let path = root.join(key);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, text).unwrap();
    }

    async fn map(root: &Path, choice: MapChoice, cancel: &Cancel) -> SchemaMap {
        let location = Location::Local(root.to_owned());
        let store = Store::open(&location, &Connection::default()).await.unwrap();
        let mut inventory = Inventory::new(&location);
        store
            .list("", &Cancel::new(), &mut |page| inventory.add(&page))
            .await
            .unwrap();
        let dataset = inventory.datasets().next().unwrap();
        schema_map(&store, dataset, choice, None, &Progress::new(), cancel)
            .await
            .unwrap()
    }

    const ALL: MapChoice = MapChoice {
        files: None,
        records: None,
    };

    #[tokio::test]
    async fn every_partition_says_which_keys_its_files_have() {
        let root = tempfile::tempdir().unwrap();
        write(
            root.path(),
            "day=2020-01-01/a.jsonl",
            "{\"id\": 1}\n{\"id\": 2}\n",
        );
        write(root.path(), "day=2020-01-02/a.jsonl", "{\"id\": \"x\"}\nbroken\n");
        write(
            root.path(),
            "day=2020-01-02/b.jsonl",
            "{\"id\": \"y\", \"new\": 1}\n",
        );
        write(root.path(), "day=2020-01-03/empty.jsonl", "");
        let map = map(root.path(), ALL, &Cancel::new()).await;
        assert_eq!(map.accuracy, Accuracy::Exact);
        let records: Vec<u64> = map.partitions.iter().map(|read| read.n_records).collect();
        assert_eq!(records, [2, 2, 0]);
        assert_eq!(map.partitions[1].n_unreadable, 1);
        let shares: Vec<Option<f64>> = map.keys.iter().map(|key| key.cell(1).unwrap().share()).collect();
        assert_eq!(shares, [Some(1.0), Some(0.5)]);
        assert!(map.keys[0].is_conflict);
    }

    #[tokio::test]
    async fn a_sample_reads_some_files_and_says_so() {
        let root = tempfile::tempdir().unwrap();
        for n in 0..10 {
            let text = format!("{{\"n\": {n}}}\n").repeat(5);
            write(root.path(), &format!("2020/01/01/{n}.jsonl"), &text);
        }
        let choice = MapChoice {
            files: Some(2),
            records: Some(3),
        };
        assert_eq!(choice.to_string(), "first 3 records of 2 files a partition");
        let map = map(root.path(), choice, &Cancel::new()).await;
        assert_eq!(map.accuracy, Accuracy::Sample { n: 6, of: None });
        assert_eq!(
            (map.partitions[0].n_files_read, map.partitions[0].n_files),
            (2, 10)
        );
    }

    #[tokio::test]
    async fn files_that_were_read_before_a_cancel_tell_what_they_hold() {
        let root = tempfile::tempdir().unwrap();
        for n in 0..6 {
            write(root.path(), &format!("2020/01/01/{n}.jsonl"), "{\"id\": 1}\n");
        }
        let mut seen = Vec::new();
        for n_looks in 1..120 {
            let cancel = Cancel::at_look(n_looks);
            let map = map(root.path(), ALL, &cancel).await;
            let n = map.n_records();
            let whole = Accuracy::Exact;
            assert!(
                map.accuracy == Accuracy::Partial { n } || (map.accuracy == whole && n == 6),
                "{n_looks}"
            );
            seen.push(n);
        }
        // Some rounds are cut between the files of the only partition.
        assert!(seen.iter().any(|n| (1..6).contains(n)), "{seen:?}");
        assert_eq!(seen.last(), Some(&6));
    }

    #[test]
    fn after_a_cancel_a_large_map_is_put_together_of_its_first_partitions() {
        let mut tree = KeyTree::default();
        for n in 0..3000 {
            tree.add_record(format!("{{\"key {n}\": 1}}").as_bytes());
        }
        let partition = MapPartition {
            partition: crate::storage::Partition::Whole,
            n_records: 3000,
            n_unreadable: 0,
            n_files_read: 1,
            n_files_failed: 0,
            failed_files: Vec::new(),
            n_files: 1,
            accuracy: Accuracy::Exact,
        };
        let read = vec![(partition, tree); 40];
        let n_paths = read[0].1.n_paths();
        let short = shortened(&read);
        assert_eq!(short.len(), PATHS_AFTER_CANCEL / n_paths);
        assert!(n_paths >= 1000 && short.len() < 40);
        assert_eq!(shortened(&read[..1]).len(), 1);
        assert!(shortened(&[]).is_empty());
    }

    #[tokio::test]
    async fn what_was_read_before_a_cancel_stays_and_is_partial() {
        let root = tempfile::tempdir().unwrap();
        write(root.path(), "2020/01/01/a.jsonl", "{\"id\": 1}\n");
        let cancel = Cancel::new();
        cancel.cancel();
        let map = map(root.path(), ALL, &cancel).await;
        assert_eq!(map.accuracy, Accuracy::Partial { n: 0 });
    }
}

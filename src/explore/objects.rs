//! The data files of some partitions of a dataset that was listed before: all, or a few spread over each.

use std::collections::BTreeMap;

use futures::stream::StreamExt;

use crate::base::Cancel;
use crate::dataset::{FileFormat, PageError};
use crate::storage::{DatasetKeys, Object, Partition, PartitionStats, StorageError, Store, is_hidden};

const CONCURRENT_LISTS: usize = 8;
/// Objects of a partition that are listed when only a few are drawn from them.
const MAX_LISTED: usize = 3000;

/// Which partition each prefix of a dataset is of.
pub(super) struct Homes<'a>(BTreeMap<&'a str, &'a Partition>);

impl<'a> Homes<'a> {
    pub(super) fn of(dataset: &'a DatasetKeys) -> Self {
        let prefixes = dataset.partitions.values().flat_map(|stats| {
            let prefixes = stats.prefixes.iter();
            prefixes.map(|prefix| (prefix.as_str(), &stats.partition))
        });
        Self(prefixes.collect())
    }

    /// Whether a file is of `partition`: of the longest prefix that its key starts with.
    fn is_of(&self, partition: &Partition, key: &str) -> bool {
        let mut above = key;
        while let Some(at) = above.rfind('/') {
            if let Some(home) = key.get(..=at).and_then(|folder| self.0.get(folder)) {
                return *home == partition;
            }
            above = above.get(..at).unwrap_or("");
        }
        self.0.get("").is_none_or(|home| *home == partition)
    }

    /// Data files of a partition in key order; listing stops at about `limit` of each of its prefixes.
    pub(super) async fn objects(
        &self,
        store: &Store,
        stats: &PartitionStats,
        limit: usize,
        cancel: &Cancel,
    ) -> Result<Vec<Object>, PageError> {
        let mut objects: Vec<Object> = Vec::new();
        for prefix in &stats.prefixes {
            let enough = Cancel::new();
            let n_before = objects.len();
            let mut keep = |page: Vec<Object>| {
                let data = page.into_iter().filter(|object| {
                    FileFormat::of_key(&object.key).is_some()
                        && !is_hidden(&object.key)
                        && self.is_of(&stats.partition, &object.key)
                });
                objects.extend(data);
                if objects.len() - n_before >= limit || cancel.is_cancelled() {
                    enough.cancel();
                }
            };
            match store.list(prefix, &enough, &mut keep).await {
                Ok(()) => {}
                Err(StorageError::Cancelled) if !cancel.is_cancelled() => {}
                Err(error) => return Err(error.into()),
            }
        }
        objects.sort_unstable_by(|a, b| a.key.cmp(&b.key));
        // One prefix may lie inside another.
        objects.dedup_by(|a, b| a.key == b.key);
        Ok(objects)
    }
}

/// `n` of the files with bytes, spread over their order, the first and the last among them.
pub(super) fn spread(objects: &[Object], n: usize) -> Vec<&Object> {
    let full: Vec<&Object> = objects.iter().filter(|object| object.size > 0).collect();
    let last = full.len().saturating_sub(1);
    let n = n.min(full.len());
    let place = |i: usize| if n < 2 { 0 } else { i * last / (n - 1) };
    (0..n).filter_map(|i| full.get(place(i)).copied()).collect()
}

/// Files to read, and how many there are.
#[derive(Debug, Clone, Default)]
pub struct ObjectChoice {
    /// In key order.
    pub objects: Vec<Object>,
    /// The place of each object's partition among those asked for.
    pub partition_of: Vec<usize>,
    /// Files of these partitions, as listed before.
    pub n_files: u64,
}

impl ObjectChoice {
    /// Whether files were left out.
    pub fn is_sample(&self) -> bool {
        (self.objects.len() as u64) < self.n_files
    }
}

/// The files of `partitions`; at most `files` of each when that is given.
///
/// # Errors
/// [`PageError`] when listing fails, or after a cancel.
pub async fn objects_of(
    store: &Store,
    dataset: &DatasetKeys,
    partitions: &[Partition],
    files: Option<usize>,
    cancel: &Cancel,
) -> Result<ObjectChoice, PageError> {
    let homes = &Homes::of(dataset);
    let known = partitions
        .iter()
        .enumerate()
        .filter_map(|(at, partition)| Some((at, dataset.partitions.get(partition)?)));
    let limit = files.map_or(usize::MAX, |_| MAX_LISTED);
    let lists = known.map(|(at, stats)| async move {
        let objects = homes.objects(store, stats, limit, cancel).await?;
        Ok::<_, PageError>((at, stats.n_files, objects))
    });
    let mut lists = futures::stream::iter(lists.collect::<Vec<_>>()).buffered(CONCURRENT_LISTS);
    let mut chosen: Vec<(Object, usize)> = Vec::new();
    let mut n_files = 0;
    while let Some(listed) = lists.next().await {
        let (at, n, objects) = listed?;
        n_files += n;
        match files {
            Some(files) => chosen.extend(
                spread(&objects, files)
                    .into_iter()
                    .map(|object| (object.clone(), at)),
            ),
            None => chosen.extend(objects.into_iter().map(|object| (object, at))),
        }
    }
    chosen.sort_unstable_by(|a, b| a.0.key.cmp(&b.0.key));
    let (objects, partition_of) = chosen.into_iter().unzip();
    Ok(ObjectChoice {
        objects,
        partition_of,
        n_files,
    })
}

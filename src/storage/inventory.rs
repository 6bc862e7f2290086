//! Adds a listing up, page by page: datasets below a location, their layout, and files and bytes of each partition.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use serde::Serialize;

use super::duplicates::Etags;
use super::layout::{Folder, FolderReader, data_ending, is_hidden};
use super::{
    DateRange, Duplicates, Lags, Layout, Location, Object, Partition, SizeHistogram, StorageError, Store,
    TINY_BYTES,
};
use crate::base::Cancel;

/// What a listing says of one partition. Every figure is exact once the listing has ended.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize)]
pub struct PartitionStats {
    pub partition: Partition,
    /// The partition's own prefix, relative to the listed root; the first when it has several.
    #[serde(skip)]
    pub prefix: String,
    /// All prefixes that hold this partition: more than one when two ways to write it are mixed.
    #[serde(skip)]
    pub prefixes: Vec<String>,
    pub n_files: u64,
    pub n_bytes: u64,
    /// Files under 3 MB, empty ones included.
    pub n_tiny: u64,
    pub n_empty: u64,
    /// Size of the largest file.
    #[serde(skip)]
    pub max_file_bytes: u64,
    pub first_modified: Option<DateTime<Utc>>,
    pub last_modified: Option<DateTime<Utc>>,
    #[serde(skip)]
    pub sizes: SizeHistogram,
    /// Extensions with their number of files.
    #[serde(skip)]
    pub endings: Vec<(&'static str, u64)>,
    /// How long after the partition's date its files were modified.
    #[serde(skip)]
    pub lags: Lags,
    /// Compressed JSON files over 1 GB, which only one task can read, with their bytes.
    #[serde(skip)]
    pub n_unsplittable: u64,
    #[serde(skip)]
    pub unsplittable_bytes: u64,
    /// Size of the largest compressed JSON file, whatever its size: one task reads it whole. 0 without one.
    #[serde(skip)]
    pub max_compressed_bytes: u64,
}

/// Folders of files in no partition that are kept as examples.
const MAX_OUTSIDE: usize = 3;
/// From this size on, a compressed file that cannot be split holds a task up.
const UNSPLITTABLE_BYTES: u64 = 1_000_000_000;

impl PartitionStats {
    /// Bytes of the average file; none without files.
    pub fn average_file_bytes(&self) -> Option<u64> {
        self.n_bytes.checked_div(self.n_files)
    }
}

/// A dataset: the keys that share a prefix and a layout.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct DatasetKeys {
    /// Relative to the listed root; empty when the root itself is the dataset, else it ends with `/`.
    pub prefix: String,
    /// Where layouts are mixed, the one of most files.
    pub layout: Layout,
    pub partitions: BTreeMap<Partition, PartitionStats>,
    /// Extensions seen with their number of files: `jsonl`, `jsonl.gz`, `parquet`.
    pub extensions: BTreeMap<String, u64>,
    /// Files by size.
    pub sizes: SizeHistogram,
    /// Objects with the etag and size of another; none where they were not looked for.
    pub duplicates: Option<Duplicates>,
    /// The first and the last date that were asked for, of those that the whole listing spans; none when all were.
    pub asked: Option<(chrono::NaiveDate, chrono::NaiveDate)>,
    /// Dates that were taken out of it: they are not missing.
    pub left_out: Option<DateRange>,
    /// The first folders, in the order of keys, of files that are in no partition: examples for the reader.
    pub outside: Vec<String>,
}

impl DatasetKeys {
    /// The partitions whose date lies in `range`, as a dataset of their own. Partitions without a date are in no range, and
    /// duplicates are known of the whole listing only.
    #[must_use]
    pub fn within(&self, range: DateRange) -> Self {
        let is_within =
            |stats: &&PartitionStats| stats.partition.date().is_some_and(|date| range.contains(date));
        let asked = self.dates().map(|(first, last)| {
            let (from, until) = (range.first.unwrap_or(first), range.last.unwrap_or(last));
            (first.max(from), last.min(until))
        });
        let mut within = Self {
            prefix: self.prefix.clone(),
            layout: self.layout.clone(),
            asked,
            ..Self::default()
        };
        for stats in self.partitions.values().filter(is_within) {
            within.add_kinds(&stats.endings, &stats.sizes);
            within.partitions.insert(stats.partition.clone(), stats.clone());
        }
        within
    }

    /// First and last date that partitions have.
    pub fn dates(&self) -> Option<(chrono::NaiveDate, chrono::NaiveDate)> {
        let dates = || self.partitions.keys().filter_map(Partition::date);
        Some((dates().min()?, dates().max()?))
    }

    pub fn n_files(&self) -> u64 {
        self.partitions.values().map(|stats| stats.n_files).sum()
    }

    pub fn n_bytes(&self) -> u64 {
        self.partitions.values().map(|stats| stats.n_bytes).sum()
    }

    fn add(&mut self, partition: &Partition, prefix: &str, tally: &Tally) {
        let stats = self
            .partitions
            .entry(partition.clone())
            .or_insert_with(|| PartitionStats {
                partition: partition.clone(),
                prefix: prefix.to_owned(),
                ..PartitionStats::default()
            });
        stats.n_files += tally.n_files;
        stats.n_bytes += tally.n_bytes;
        stats.n_tiny += tally.n_tiny;
        stats.n_empty += tally.n_empty;
        stats.max_file_bytes = stats.max_file_bytes.max(tally.max_file_bytes);
        stats.first_modified = earlier(stats.first_modified, tally.first_modified);
        stats.last_modified = stats.last_modified.max(tally.last_modified);
        if !stats.prefixes.iter().any(|known| known == prefix) {
            stats.prefixes.push(prefix.to_owned());
        }
        stats.sizes.merge(&tally.sizes);
        add_endings(&mut stats.endings, &tally.endings);
        stats.lags.merge(&tally.lags);
        stats.n_unsplittable += tally.n_unsplittable;
        stats.unsplittable_bytes += tally.unsplittable_bytes;
        stats.max_compressed_bytes = stats.max_compressed_bytes.max(tally.max_compressed_bytes);
        self.add_kinds(&tally.endings, &tally.sizes);
    }

    /// Keeps the folder of files that are in no partition, if it is one of the first.
    fn add_outside(&mut self, folder: &str) {
        if let Err(at) = self.outside.binary_search_by(|known| known.as_str().cmp(folder))
            && at < MAX_OUTSIDE
        {
            self.outside.insert(at, folder.to_owned());
            self.outside.truncate(MAX_OUTSIDE);
        }
    }

    fn add_kinds(&mut self, endings: &[(&'static str, u64)], sizes: &SizeHistogram) {
        for (ending, n) in endings {
            if let Some(known) = self.extensions.get_mut(*ending) {
                *known += n;
            } else {
                self.extensions.insert((*ending).to_owned(), *n);
            }
        }
        self.sizes.merge(sizes);
    }
}

fn add_endings(endings: &mut Vec<(&'static str, u64)>, more: &[(&'static str, u64)]) {
    for (ending, n_more) in more {
        match endings.iter_mut().find(|(known, _)| known == ending) {
            Some((_, n)) => *n += n_more,
            None => endings.push((*ending, *n_more)),
        }
    }
}

/// Collects a listing. Costs memory by partition, and by folder where files are in no partition; not by key.
#[derive(Debug, Clone, Default)]
pub struct Inventory {
    reader: FolderReader,
    datasets: BTreeMap<String, DatasetKeys>,
    /// What the partitions alone of each partitioned dataset hold.
    partitioned: BTreeMap<String, Partitioned>,
    /// Folders with data files that are in no partition. Kept apart, because a later key may show that they lie in a
    /// partitioned dataset.
    loose: BTreeMap<String, Tally>,
    n_files: u64,
    n_bytes: u64,
    n_skipped: u64,
    /// The moment of the listing, where times are to be held against it.
    now: Option<DateTime<Utc>>,
    /// Etags seen, where they tell of the content.
    etags: Option<Etags>,
}

#[derive(Debug, Clone, Default)]
struct Partitioned {
    /// Files of each layout.
    layouts: Vec<(Layout, u64)>,
    tally: Tally,
}

impl Partitioned {
    /// The layout of most files; of equals the first seen, so that the answer does not flicker while a listing grows.
    fn layout(&self) -> Layout {
        let mut main: Option<&(Layout, u64)> = None;
        for candidate in &self.layouts {
            if main.is_none_or(|(_, n_files)| candidate.1 > *n_files) {
                main = Some(candidate);
            }
        }
        main.map(|(layout, _)| layout.clone()).unwrap_or_default()
    }
}

/// Sums over files of one folder, before they are added to a partition.
#[derive(Debug, Clone, Default)]
struct Tally {
    n_files: u64,
    n_bytes: u64,
    n_tiny: u64,
    n_empty: u64,
    max_file_bytes: u64,
    first_modified: Option<DateTime<Utc>>,
    last_modified: Option<DateTime<Utc>>,
    endings: Vec<(&'static str, u64)>,
    sizes: SizeHistogram,
    lags: Lags,
    n_unsplittable: u64,
    unsplittable_bytes: u64,
    max_compressed_bytes: u64,
}

impl Tally {
    fn add(&mut self, object: &Object, ending: &'static str) {
        self.n_files += 1;
        self.n_bytes += object.size;
        self.n_tiny += u64::from(object.size < TINY_BYTES);
        self.n_empty += u64::from(object.size == 0);
        self.max_file_bytes = self.max_file_bytes.max(object.size);
        self.first_modified = earlier(self.first_modified, Some(object.modified));
        self.last_modified = self.last_modified.max(Some(object.modified));
        self.sizes.add(object.size);
        if ending.contains('.') {
            self.max_compressed_bytes = self.max_compressed_bytes.max(object.size);
            if object.size > UNSPLITTABLE_BYTES {
                self.n_unsplittable += 1;
                self.unsplittable_bytes += object.size;
            }
        }
        add_endings(&mut self.endings, &[(ending, 1)]);
    }

    fn merge(&mut self, other: &Self) {
        self.n_files += other.n_files;
        self.n_bytes += other.n_bytes;
        self.n_tiny += other.n_tiny;
        self.n_empty += other.n_empty;
        self.max_file_bytes = self.max_file_bytes.max(other.max_file_bytes);
        self.first_modified = earlier(self.first_modified, other.first_modified);
        self.last_modified = self.last_modified.max(other.last_modified);
        self.sizes.merge(&other.sizes);
        self.lags.merge(&other.lags);
        self.n_unsplittable += other.n_unsplittable;
        self.unsplittable_bytes += other.unsplittable_bytes;
        self.max_compressed_bytes = self.max_compressed_bytes.max(other.max_compressed_bytes);
        add_endings(&mut self.endings, &other.endings);
    }
}

fn earlier(a: Option<DateTime<Utc>>, b: Option<DateTime<Utc>>) -> Option<DateTime<Utc>> {
    match (a, b) {
        (Some(a), Some(b)) => Some(a.min(b)),
        (a, b) => a.or(b),
    }
}

impl Inventory {
    /// For a listing of `root`, whose own path may name the partition or its beginning (`raw/2020/01/`).
    ///
    /// The default inventory takes partitions from keys alone.
    pub fn new(root: &Location) -> Self {
        Self {
            reader: FolderReader::new(root),
            ..Self::default()
        }
    }

    /// Holds times of change against `now`, and looks for duplicates where etags tell of the content: on S3; on disk
    /// they are made of size and time.
    #[must_use]
    pub fn listed_at(mut self, now: DateTime<Utc>, has_content_etags: bool) -> Self {
        self.now = Some(now);
        self.etags = has_content_etags.then(Etags::default);
        self
    }

    /// Says what only a whole listing can: which objects are duplicates. Asks for the keys of a few partitions again where
    /// there are some, to compare their etags themselves.
    ///
    /// # Errors
    /// As [`Store::list`].
    pub async fn finish(&mut self, store: &Store, cancel: &Cancel) -> Result<(), StorageError> {
        let Some(mut etags) = self.etags.take() else {
            return Ok(());
        };
        let place_of = |prefix: &str| match self.reader.read(prefix) {
            Some(read) => Some((prefix.get(..read.n_dataset)?.to_owned(), read.partition)),
            None => Some((self.home_of(prefix).to_owned(), Partition::Whole)),
        };
        let mut found = etags.take(&place_of);
        for (prefix, dataset) in &mut self.datasets {
            let mut duplicates = found.remove(prefix).unwrap_or_default();
            duplicates.verify(store, cancel).await?;
            dataset.duplicates = Some(duplicates);
        }
        Ok(())
    }

    /// Adds one page. Control files (`_SUCCESS`, anything below a folder starting with `_` or `.`) and files of no data
    /// format are left out.
    pub fn add(&mut self, page: &[Object]) {
        let mut must_regroup = false;
        // Keys of one folder follow each other, so a folder is read once and added up before it is looked up.
        let mut rest = page;
        while let Some(first) = rest.first() {
            let folder = folder_of(&first.key);
            let n_same = rest
                .iter()
                .take_while(|object| folder_of(&object.key) == folder)
                .count();
            let (same, after) = rest.split_at(n_same);
            rest = after;
            must_regroup |= self.add_folder(folder, same);
        }
        if must_regroup {
            self.regroup_loose();
        }
    }

    /// Whether loose files have to be grouped anew.
    fn add_folder(&mut self, folder: &str, objects: &[Object]) -> bool {
        let mut tally = Tally::default();
        let read = self.reader.read(folder);
        let date = read.as_ref().and_then(|read| read.partition.date());
        let ending_of = |object: &Object| {
            let name = object.key.get(folder.len()..).unwrap_or("");
            data_ending(name).filter(|_| !is_hidden(name))
        };
        if !is_hidden(folder) {
            for object in objects {
                if let Some(ending) = ending_of(object) {
                    tally.add(object, ending);
                    if let Some(date) = date {
                        tally.lags.add(date, object.modified, self.now);
                    }
                }
            }
            if let Some(etags) = &mut self.etags {
                let prefix = read.as_ref().and_then(|read| folder.get(..read.n_partition));
                let with_data = objects.iter().filter(|object| ending_of(object).is_some());
                etags.add(prefix.unwrap_or(folder), with_data);
            }
        }
        self.n_skipped += objects.len() as u64 - tally.n_files;
        if tally.n_files == 0 {
            return false;
        }
        self.n_files += tally.n_files;
        self.n_bytes += tally.n_bytes;
        if let Some(read) = read {
            return self.add_partition(folder, read, &tally);
        }
        self.add_loose(folder, &tally);
        entry(&mut self.loose, folder).merge(&tally);
        false
    }

    fn add_partition(&mut self, folder: &str, read: Folder, tally: &Tally) -> bool {
        let prefix = folder.get(..read.n_dataset).unwrap_or("");
        let is_new = !self.partitioned.contains_key(prefix);
        let held = entry(&mut self.partitioned, prefix);
        match held.layouts.iter_mut().find(|(known, _)| *known == read.layout) {
            Some((_, n_files)) => *n_files += tally.n_files,
            None => held.layouts.push((read.layout, tally.n_files)),
        }
        held.tally.merge(tally);
        let layout = held.layout();
        let dataset = dataset(&mut self.datasets, prefix);
        dataset.layout = layout;
        dataset.add(
            &read.partition,
            folder.get(..read.n_partition).unwrap_or(""),
            tally,
        );
        is_new
            && self
                .loose
                .range(prefix.to_owned()..)
                .next()
                .is_some_and(|(loose, _)| loose.starts_with(prefix))
    }

    fn add_loose(&mut self, folder: &str, tally: &Tally) {
        let prefix = self.home_of(folder).to_owned();
        let dataset = dataset(&mut self.datasets, &prefix);
        dataset.add(&Partition::Whole, &prefix, tally);
        dataset.add_outside(folder);
    }

    /// The dataset of a folder in no partition: the nearest partitioned one above it, else its topmost folder.
    fn home_of<'a>(&self, folder: &'a str) -> &'a str {
        let mut above = folder;
        loop {
            if self.partitioned.contains_key(above) {
                return above;
            }
            if above.is_empty() {
                break;
            }
            above = folder_of(above.strip_suffix('/').unwrap_or(above));
        }
        folder.find('/').and_then(|at| folder.get(..=at)).unwrap_or("")
    }

    /// Gives every folder in no partition to its dataset anew.
    fn regroup_loose(&mut self) {
        self.datasets
            .retain(|prefix, _| self.partitioned.contains_key(prefix));
        for (prefix, held) in &self.partitioned {
            let dataset = dataset(&mut self.datasets, prefix);
            dataset.partitions.remove(&Partition::Whole);
            dataset.outside.clear();
            dataset.extensions.clear();
            dataset.sizes = SizeHistogram::default();
            dataset.add_kinds(&held.tally.endings, &held.tally.sizes);
        }
        let loose = std::mem::take(&mut self.loose);
        for (folder, tally) in &loose {
            self.add_loose(folder, tally);
        }
        self.loose = loose;
    }

    /// Datasets by prefix.
    pub fn datasets(&self) -> impl Iterator<Item = &DatasetKeys> {
        self.datasets.values()
    }

    /// The dataset at `prefix`, relative to the listed root.
    pub fn dataset(&self, prefix: &str) -> Option<&DatasetKeys> {
        self.datasets.get(prefix)
    }

    /// The dataset and the partition that a key belongs to, as this inventory groups them; none for control files and
    /// files of no data format.
    pub fn place_of(&self, key: &str) -> Option<(&DatasetKeys, Partition)> {
        if is_hidden(key) || data_ending(key).is_none() {
            return None;
        }
        let folder = folder_of(key);
        let (prefix, partition) = match self.reader.read(folder) {
            Some(read) => (folder.get(..read.n_dataset)?, read.partition),
            None => (self.home_of(folder), Partition::Whole),
        };
        Some((self.datasets.get(prefix)?, partition))
    }

    /// Lists the data files of one partition, in key order, without control files and without the files of other
    /// partitions that share a prefix.
    ///
    /// # Errors
    /// As [`Store::list`].
    pub async fn objects(
        &self,
        store: &Store,
        dataset: &DatasetKeys,
        partition: &Partition,
        cancel: &Cancel,
    ) -> Result<Vec<Object>, StorageError> {
        let mut objects = Vec::new();
        let Some(stats) = dataset.partitions.get(partition) else {
            return Ok(objects);
        };
        for prefix in &stats.prefixes {
            let mut keep = |page: Vec<Object>| {
                objects.extend(page.into_iter().filter(|object| {
                    self.place_of(&object.key)
                        .is_some_and(|(place, of)| place.prefix == dataset.prefix && of == *partition)
                }));
            };
            store.list(prefix, cancel, &mut keep).await?;
        }
        objects.sort_unstable_by(|a, b| a.key.cmp(&b.key));
        // One prefix may lie inside another.
        objects.dedup_by(|a, b| a.key == b.key);
        Ok(objects)
    }

    /// Data files.
    pub fn n_files(&self) -> u64 {
        self.n_files
    }

    /// Bytes of data files.
    pub fn n_bytes(&self) -> u64 {
        self.n_bytes
    }

    /// Files that were left out: control files and files of no data format.
    pub fn n_skipped(&self) -> u64 {
        self.n_skipped
    }
}

fn dataset<'a>(datasets: &'a mut BTreeMap<String, DatasetKeys>, prefix: &str) -> &'a mut DatasetKeys {
    let dataset = entry(datasets, prefix);
    if dataset.prefix.len() != prefix.len() {
        prefix.clone_into(&mut dataset.prefix);
    }
    dataset
}

fn entry<'a, T: Default>(map: &'a mut BTreeMap<String, T>, key: &str) -> &'a mut T {
    map.entry(key.to_owned()).or_default()
}

/// The key of the folder that holds `key`, with its slash.
fn folder_of(key: &str) -> &str {
    key.rfind('/').and_then(|at| key.get(..=at)).unwrap_or("")
}

#[cfg(test)]
#[path = "inventory_tests.rs"]
mod tests;

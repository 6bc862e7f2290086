//! Objects with the etag and size of another one. A listing keeps 24 bytes a key for it, and names keys only where two
//! partitions are listed once more.

use std::collections::{BTreeMap, HashMap};

use xxhash_rust::xxh3::xxh3_64_with_seed;

use super::{Object, Partition, StorageError, Store};
use crate::base::Cancel;

/// Keys that are remembered. Of a longer listing the first ones are compared, and the answer says so.
const MAX_KEYS: usize = 5_000_000;
/// Pairs of partitions that are named.
const MAX_PAIRS: usize = 10;
/// Pairs of partitions whose keys are compared once more.
const MAX_VERIFIED: usize = 3;
/// Keys of one partition that are compared for that.
const MAX_VERIFIED_KEYS: usize = 50_000;

/// Objects beyond the first of each etag and size. Empty objects do not count: they are all equal.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Duplicates {
    pub n_files: u64,
    pub n_bytes: u64,
    /// Where they lie, those with most bytes first.
    pub pairs: Vec<DuplicatePair>,
    /// Whether only the first keys were compared.
    pub is_capped: bool,
}

/// Objects of one partition that equal objects of another, or of the same one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DuplicatePair {
    /// Where the later objects in the order of the listing lie.
    pub partition: Partition,
    pub other: Partition,
    pub n_files: u64,
    pub n_bytes: u64,
    /// Two keys whose etag and size were seen to be equal; none where they were not compared once more.
    pub example: Option<(String, String)>,
    prefix: String,
    other_prefix: String,
}

/// What is remembered of one key.
#[derive(Debug, Clone, Copy)]
struct Seen {
    hash: u64,
    size: u64,
    place: u32,
}

/// Etags and sizes of a listing under way.
#[derive(Debug, Clone, Default)]
pub(super) struct Etags {
    seen: Vec<Seen>,
    /// Prefixes of partitions by their number.
    places: Vec<String>,
    is_capped: bool,
}

/// A prefix's dataset and partition.
pub(super) type PlaceOf<'a> = &'a dyn Fn(&str) -> Option<(String, Partition)>;

impl Etags {
    /// Remembers objects of one prefix.
    pub(super) fn add<'a>(&mut self, prefix: &str, objects: impl Iterator<Item = &'a Object>) {
        for object in objects.filter(|object| object.size > 0) {
            let Some(etag) = &object.etag else { continue };
            if self.seen.len() >= MAX_KEYS {
                self.is_capped = true;
                return;
            }
            if self.places.last().is_none_or(|last| last != prefix) {
                self.places.push(prefix.to_owned());
            }
            self.seen.push(Seen {
                hash: xxh3_64_with_seed(etag.as_bytes(), object.size),
                size: object.size,
                place: u32::try_from(self.places.len().saturating_sub(1)).unwrap_or(u32::MAX),
            });
        }
    }

    /// The duplicates of each dataset. Forgets what was remembered.
    pub(super) fn take(&mut self, place_of: PlaceOf<'_>) -> BTreeMap<String, Duplicates> {
        let Self {
            mut seen,
            places,
            is_capped,
        } = std::mem::take(self);
        // Places are numbered as listed, so that the first of a group is the one that was there first.
        seen.sort_unstable_by_key(|seen| (seen.hash, seen.size, seen.place));
        let mut by_pair: HashMap<(u32, u32), (u64, u64)> = HashMap::new();
        for group in seen.chunk_by(|a, b| (a.hash, a.size) == (b.hash, b.size)) {
            let Some((first, rest)) = group.split_first() else {
                continue;
            };
            for other in rest {
                let sum = by_pair.entry((other.place, first.place)).or_default();
                sum.0 += 1;
                sum.1 += other.size;
            }
        }
        let prefix_of = |place: u32| {
            usize::try_from(place)
                .ok()
                .and_then(|place| places.get(place))
                .cloned()
                .unwrap_or_default()
        };
        let mut found: BTreeMap<String, Duplicates> = BTreeMap::new();
        for ((place, other), (n_files, n_bytes)) in by_pair {
            let (prefix, other_prefix) = (prefix_of(place), prefix_of(other));
            let (Some((dataset, partition)), Some((_, other))) = (place_of(&prefix), place_of(&other_prefix))
            else {
                continue;
            };
            let duplicates = found.entry(dataset).or_default();
            duplicates.n_files += n_files;
            duplicates.n_bytes += n_bytes;
            duplicates.is_capped = is_capped;
            duplicates.pairs.push(DuplicatePair {
                partition,
                other,
                n_files,
                n_bytes,
                example: None,
                prefix,
                other_prefix,
            });
        }
        for duplicates in found.values_mut() {
            duplicates.pairs.sort_unstable_by(|a, b| {
                (b.n_bytes, &a.prefix, &a.other_prefix).cmp(&(a.n_bytes, &b.prefix, &b.other_prefix))
            });
            duplicates.pairs.truncate(MAX_PAIRS);
        }
        found
    }
}

impl Duplicates {
    /// Lists the partitions of the largest pairs once more and compares etags themselves. Names a pair of keys of each.
    ///
    /// # Errors
    /// As [`Store::list`].
    pub async fn verify(&mut self, store: &Store, cancel: &Cancel) -> Result<(), StorageError> {
        for pair in self.pairs.iter_mut().take(MAX_VERIFIED) {
            let theirs = keys_of(store, &pair.other_prefix, cancel).await?;
            let mut first_of: HashMap<(&str, u64), &str> = HashMap::new();
            for object in &theirs {
                let etag = object.etag.as_deref().unwrap_or_default();
                first_of.entry((etag, object.size)).or_insert(&object.key);
            }
            let ours = if pair.prefix == pair.other_prefix {
                theirs.clone()
            } else {
                keys_of(store, &pair.prefix, cancel).await?
            };
            pair.example = ours.iter().find_map(|object| {
                let etag = object.etag.as_deref()?;
                let first = first_of.get(&(etag, object.size))?;
                (*first != object.key && object.size > 0).then(|| ((*first).to_owned(), object.key.clone()))
            });
        }
        Ok(())
    }
}

async fn keys_of(store: &Store, prefix: &str, cancel: &Cancel) -> Result<Vec<Object>, StorageError> {
    let mut objects = Vec::new();
    let enough = Cancel::new();
    let mut keep = |page: Vec<Object>| {
        objects.extend(page);
        if objects.len() >= MAX_VERIFIED_KEYS || cancel.is_cancelled() {
            enough.cancel();
        }
    };
    match store.list(prefix, &enough, &mut keep).await {
        Err(StorageError::Cancelled) if !cancel.is_cancelled() => Ok(objects),
        Ok(()) => Ok(objects),
        Err(error) => Err(error),
    }
}

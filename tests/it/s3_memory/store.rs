//! What the server holds: buckets of objects in key order, and uploads that nobody sees until they are completed.
//!
//! Bodies may be made from the key when they are asked for, so that a million objects cost little more than their keys.

use std::collections::BTreeMap;
use std::fmt;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::ops::Bound;
use std::sync::Arc;
use std::time::SystemTime;

use bytes::{Bytes, BytesMut};

use super::faults::Refusal;

/// S3's smallest part that is not the last.
pub const MIN_PART_BYTES: usize = 5 << 20;

/// Objects whose bytes follow from their keys. Every body has `size` bytes.
#[derive(Clone)]
pub struct Made {
    pub size: u64,
    pub make: Arc<dyn Fn(&str) -> Bytes + Send + Sync>,
}

#[derive(Clone)]
pub enum Content {
    Kept(Bytes),
    Made(Made),
}

/// One object as it is at a moment.
#[derive(Clone)]
pub struct Stored {
    content: Content,
    pub etag: u128,
    /// Of an upload in parts.
    n_parts: Option<u32>,
    pub modified: SystemTime,
}

impl Stored {
    fn kept(bytes: Bytes) -> Self {
        Self {
            etag: hash_of(&bytes),
            n_parts: None,
            content: Content::Kept(bytes),
            modified: SystemTime::now(),
        }
    }

    pub fn size(&self) -> u64 {
        match &self.content {
            Content::Kept(bytes) => bytes.len() as u64,
            Content::Made(made) => made.size,
        }
    }

    pub fn body(&self, key: &str) -> Bytes {
        match &self.content {
            Content::Kept(bytes) => bytes.clone(),
            Content::Made(made) => {
                let body = (made.make)(key);
                assert_eq!(body.len() as u64, made.size, "{key}: a body of another size");
                body
            }
        }
    }

    /// As S3 writes it, without quotes.
    pub fn tag(&self) -> String {
        match self.n_parts {
            Some(n_parts) => format!("{}-{n_parts}", tag(self.etag)),
            None => tag(self.etag),
        }
    }
}

pub fn tag(etag: u128) -> String {
    format!("{etag:032x}")
}

fn hash_of(value: &impl Hash) -> u128 {
    let mut hasher = DefaultHasher::new();
    value.hash(&mut hasher);
    let first = hasher.finish();
    1u8.hash(&mut hasher);
    u128::from(first) << 64 | u128::from(hasher.finish())
}

/// An upload under way.
#[derive(Debug, Clone)]
pub struct Upload {
    pub key: String,
    parts: BTreeMap<i32, (Bytes, u128)>,
}

#[derive(Default)]
struct Bucket {
    objects: BTreeMap<String, Stored>,
    uploads: BTreeMap<String, Upload>,
}

/// What a page of a listing asks for.
#[derive(Debug, Clone, Default)]
pub struct ListQuery<'a> {
    pub prefix: &'a str,
    pub delimiter: Option<&'a str>,
    pub start_after: Option<&'a str>,
    pub token: Option<&'a str>,
    pub max_keys: usize,
}

/// A page of a listing.
#[derive(Default)]
pub struct Page {
    pub objects: Vec<(String, Stored)>,
    pub prefixes: Vec<String>,
    pub next_token: Option<String>,
}

/// All buckets. Every call is one atomic step.
#[derive(Default)]
pub struct Buckets {
    buckets: BTreeMap<String, Bucket>,
    n_uploads: u64,
}

impl fmt::Debug for Buckets {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Buckets")
            .field("names", &self.buckets.keys())
            .finish_non_exhaustive()
    }
}

impl Buckets {
    pub fn create(&mut self, bucket: &str) {
        self.buckets.entry(bucket.to_owned()).or_default();
    }

    pub fn has(&self, bucket: &str) -> bool {
        self.buckets.contains_key(bucket)
    }

    fn bucket(&mut self, name: &str) -> Result<&mut Bucket, Refusal> {
        self.buckets.get_mut(name).ok_or(Refusal::NO_SUCH_BUCKET)
    }

    /// Writes an object; with `only_new` only where there is none.
    pub fn put(&mut self, bucket: &str, key: &str, bytes: Bytes, only_new: bool) -> Result<Stored, Refusal> {
        let objects = &mut self.bucket(bucket)?.objects;
        if only_new && objects.contains_key(key) {
            return Err(Refusal::PRECONDITION);
        }
        let stored = Stored::kept(bytes);
        objects.insert(key.to_owned(), stored.clone());
        Ok(stored)
    }

    pub fn put_made(&mut self, bucket: &str, keys: impl IntoIterator<Item = String>, made: &Made) {
        let modified = SystemTime::now();
        let objects = &mut self.buckets.entry(bucket.to_owned()).or_default().objects;
        for key in keys {
            let stored = Stored {
                etag: hash_of(&key),
                n_parts: None,
                content: Content::Made(made.clone()),
                modified,
            };
            objects.insert(key, stored);
        }
    }

    /// An object for listings only, as it was changed then, with an etag of so many parts. Its body is zeros.
    pub fn put_listed(
        &mut self,
        bucket: &str,
        key: &str,
        size: u64,
        etag: (u128, Option<u32>),
        modified: SystemTime,
    ) {
        let zeros = move |_: &str| Bytes::from(vec![0; usize::try_from(size).unwrap_or(0)]);
        let stored = Stored {
            etag: etag.0,
            n_parts: etag.1,
            content: Content::Made(Made {
                size,
                make: Arc::new(zeros),
            }),
            modified,
        };
        let objects = &mut self.buckets.entry(bucket.to_owned()).or_default().objects;
        objects.insert(key.to_owned(), stored);
    }

    pub fn get(&mut self, bucket: &str, key: &str) -> Result<Stored, Refusal> {
        let found = self.bucket(bucket)?.objects.get(key).cloned();
        found.ok_or(Refusal::NO_SUCH_KEY)
    }

    pub fn delete(&mut self, bucket: &str, key: &str) -> Result<(), Refusal> {
        self.bucket(bucket)?.objects.remove(key);
        Ok(())
    }

    /// The keys that start with `prefix`, in order.
    pub fn keys(&self, bucket: &str, prefix: &str) -> Vec<String> {
        let Some(bucket) = self.buckets.get(bucket) else {
            return Vec::new();
        };
        let from = bucket.objects.range(prefix.to_owned()..);
        from.map(|(key, _)| key)
            .take_while(|key| key.starts_with(prefix))
            .cloned()
            .collect()
    }

    /// A page of at most `max_keys` keys and common prefixes, in order. Costs what it returns, not what the bucket holds.
    pub fn list(&mut self, bucket: &str, query: &ListQuery<'_>) -> Result<Page, Refusal> {
        let objects = &self.bucket(bucket)?.objects;
        let mut page = Page::default();
        let mut from = first_of(query);
        while page.objects.len() + page.prefixes.len() < query.max_keys {
            let mut rest = objects.range::<str, _>((from.as_ref().map(String::as_str), Bound::Unbounded));
            let mut next_prefix = None;
            for (key, stored) in rest.by_ref() {
                let Some(below) = key.strip_prefix(query.prefix) else {
                    return Ok(page);
                };
                let cut = query.delimiter.and_then(|delimiter| {
                    let at = below.find(delimiter)?;
                    key.get(..query.prefix.len() + at + delimiter.len())
                });
                if let Some(common) = cut {
                    next_prefix = Some(common.to_owned());
                    break;
                }
                page.objects.push((key.clone(), stored.clone()));
                if page.objects.len() + page.prefixes.len() == query.max_keys {
                    let more = rest.next().filter(|(next, _)| next.starts_with(query.prefix));
                    page.next_token = more.map(|_| format!("k{key}"));
                    return Ok(page);
                }
            }
            let Some(common) = next_prefix else {
                return Ok(page);
            };
            from = Bound::Included(after_all_of(&common));
            page.prefixes.push(common);
        }
        // The page ended with a common prefix, or nothing was asked for.
        let more = objects.range::<str, _>((from.as_ref().map(String::as_str), Bound::Unbounded));
        let more = more.map(|(key, _)| key).next();
        if more.is_some_and(|key| key.starts_with(query.prefix)) {
            page.next_token = page.prefixes.last().map(|common| format!("p{common}"));
        }
        Ok(page)
    }

    pub fn create_upload(&mut self, bucket: &str, key: &str) -> Result<String, Refusal> {
        self.n_uploads += 1;
        let id = format!("upload-{:06}", self.n_uploads);
        let upload = Upload {
            key: key.to_owned(),
            parts: BTreeMap::new(),
        };
        self.bucket(bucket)?.uploads.insert(id.clone(), upload);
        Ok(id)
    }

    pub fn put_part(&mut self, bucket: &str, id: &str, number: i32, bytes: Bytes) -> Result<u128, Refusal> {
        let upload = self.bucket(bucket)?.uploads.get_mut(id);
        let upload = upload.ok_or(Refusal::NO_SUCH_UPLOAD)?;
        let etag = hash_of(&bytes);
        upload.parts.insert(number, (bytes, etag));
        Ok(etag)
    }

    /// Makes the object of the named parts, once: the upload is gone afterwards.
    pub fn complete_upload(
        &mut self,
        bucket: &str,
        id: &str,
        parts: &[(i32, String)],
        only_new: bool,
    ) -> Result<Stored, Refusal> {
        let bucket = self.bucket(bucket)?;
        let upload = bucket.uploads.get(id).ok_or(Refusal::NO_SUCH_UPLOAD)?;
        if only_new && bucket.objects.contains_key(&upload.key) {
            return Err(Refusal::PRECONDITION);
        }
        let mut whole = BytesMut::new();
        for (i, (number, etag)) in parts.iter().enumerate() {
            let found = upload.parts.get(number).filter(|(_, found)| tag(*found) == *etag);
            let (bytes, _) = found.ok_or(Refusal::INVALID_PART)?;
            if bytes.len() < MIN_PART_BYTES && i + 1 < parts.len() {
                return Err(Refusal::ENTITY_TOO_SMALL);
            }
            whole.extend_from_slice(bytes);
        }
        if parts.is_empty() || !parts.is_sorted_by(|a, b| a.0 < b.0) {
            return Err(Refusal::INVALID_PART);
        }
        let stored = Stored::kept(whole.freeze());
        let key = upload.key.clone();
        bucket.uploads.remove(id);
        bucket.objects.insert(key, stored.clone());
        Ok(stored)
    }

    pub fn abort_upload(&mut self, bucket: &str, id: &str) -> Result<(), Refusal> {
        let aborted = self.bucket(bucket)?.uploads.remove(id);
        aborted.map(|_| ()).ok_or(Refusal::NO_SUCH_UPLOAD)
    }

    /// Uploads that are neither completed nor aborted: their ids and keys.
    pub fn uploads(&self, bucket: &str) -> Vec<(String, String)> {
        let uploads = self.buckets.get(bucket).map(|bucket| &bucket.uploads);
        let uploads = uploads.into_iter().flatten();
        uploads
            .map(|(id, upload)| (id.clone(), upload.key.clone()))
            .collect()
    }
}

/// Where a page begins. Tokens are `k` and the last key, or `p` and the last common prefix.
fn first_of(query: &ListQuery<'_>) -> Bound<String> {
    let after = |key: &str| {
        if key < query.prefix {
            Bound::Included(query.prefix.to_owned())
        } else {
            Bound::Excluded(key.to_owned())
        }
    };
    match (query.token, query.start_after) {
        (Some(token), _) => match token.split_at_checked(1) {
            Some(("p", common)) => Bound::Included(after_all_of(common)),
            Some((_, key)) => after(key),
            None => Bound::Included(query.prefix.to_owned()),
        },
        (None, Some(key)) => after(key),
        (None, None) => Bound::Included(query.prefix.to_owned()),
    }
}

/// The least text after all that start with `common`, which ends with an ASCII delimiter.
fn after_all_of(common: &str) -> String {
    let mut after = common.to_owned();
    if let Some(last) = after.pop() {
        after.push(char::from_u32(u32::from(last) + 1).unwrap_or(char::MAX));
    }
    after
}

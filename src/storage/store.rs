//! An opened location: listing, reading and writing its objects, on disk and on S3 alike.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use bytes::Bytes;
use chrono::{DateTime, Utc};
use futures::StreamExt as _;
use futures::stream;
use object_store::ObjectStore;
use object_store::local::LocalFileSystem;
use object_store::path::Path as ObjectPath;
use tokio::io::AsyncReadExt as _;

use super::error::from_io;
use super::s3::S3Place;
use super::sweep::{From, sweep};
use super::{ByteStream, Connection, Credentials, Location, Patience, StorageError, local};
use crate::base::Cancel;

/// Bytes of one piece of a local stream.
const PIECE_BYTES: usize = 1 << 20;

/// One object of a listing. `key` is relative to the store's root, so that it is short.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Object {
    pub key: String,
    pub size: u64,
    pub modified: DateTime<Utc>,
    /// Changes with the content; from size and time of change on disk.
    pub etag: Option<Box<str>>,
}

/// What opening needs beyond a connection. The default is right outside tests.
#[derive(Debug, Clone, Default)]
pub struct StoreOptions {
    pub credentials: Credentials,
    pub patience: Patience,
}

/// A location that was opened: a folder or one file on disk, or a prefix or one object of a bucket.
#[derive(Debug, Clone)]
pub struct Store {
    root: Location,
    /// The folder or prefix that keys are relative to: the root, or what holds it when the root is one object.
    base: Location,
    /// The one object's key when the root is an object.
    only: Option<String>,
    place: Place,
}

#[derive(Debug, Clone)]
enum Place {
    Local(PathBuf),
    S3(Arc<S3Place>),
}

impl Store {
    /// Opens `root` by `connection` (which local paths ignore). Reads credentials; on S3 it also asks for the object
    /// that a root without a trailing slash may name.
    ///
    /// # Errors
    /// [`StorageError::Credentials`] when the AWS chain has none, [`StorageError::NotFound`] for a missing local path,
    /// [`StorageError::Connection`] for a connection that cannot work.
    pub async fn open(root: &Location, connection: &Connection) -> Result<Self, StorageError> {
        Self::open_with(root, connection, &StoreOptions::default()).await
    }

    /// As [`Store::open`], with given credentials or patience.
    ///
    /// # Errors
    /// As [`Store::open`].
    pub async fn open_with(
        root: &Location,
        connection: &Connection,
        options: &StoreOptions,
    ) -> Result<Self, StorageError> {
        match root {
            Location::Local(path) => {
                let asked = path.clone();
                let is_file =
                    blocking(root, move || fs::metadata(asked).map(|found| found.is_file())).await?;
                Ok(if is_file {
                    Self::one_file(root, path)
                } else {
                    Self::folder(root, path)
                })
            }
            Location::S3 { bucket, key } => {
                let place =
                    S3Place::open(bucket, "", connection, &options.credentials, options.patience).await?;
                if !key.is_empty() && !key.ends_with('/') && place.is_object(key).await? {
                    return Ok(Self::one_object(root, place, key));
                }
                Ok(Self::prefix(root, place, key))
            }
        }
    }

    /// Opens `root` as a folder to write into; a local one need not exist yet.
    ///
    /// # Errors
    /// As [`Store::open`], without [`StorageError::NotFound`].
    pub async fn open_or_create(root: &Location, connection: &Connection) -> Result<Self, StorageError> {
        Self::open_or_create_with(root, connection, &StoreOptions::default()).await
    }

    /// As [`Store::open_or_create`], with given credentials or patience.
    ///
    /// # Errors
    /// As [`Store::open_or_create`].
    pub async fn open_or_create_with(
        root: &Location,
        connection: &Connection,
        options: &StoreOptions,
    ) -> Result<Self, StorageError> {
        match root {
            Location::Local(path) if path.is_file() => Err(StorageError::other(
                root,
                "this is a file; name a folder to write into",
            )),
            Location::Local(path) => Ok(Self::folder(root, path)),
            Location::S3 { bucket, key } => {
                let place =
                    S3Place::open(bucket, "", connection, &options.credentials, options.patience).await?;
                Ok(Self::prefix(root, place, key))
            }
        }
    }

    fn folder(root: &Location, path: &Path) -> Self {
        Self {
            root: root.clone(),
            base: root.clone(),
            only: None,
            place: Place::Local(path.to_owned()),
        }
    }

    fn one_file(root: &Location, path: &Path) -> Self {
        let base = path.parent().unwrap_or(Path::new("")).to_owned();
        Self {
            root: root.clone(),
            base: Location::Local(base.clone()),
            only: Some(root.name()),
            place: Place::Local(base),
        }
    }

    fn prefix(root: &Location, place: S3Place, key: &str) -> Self {
        let slash = if key.is_empty() || key.ends_with('/') {
            ""
        } else {
            "/"
        };
        Self {
            root: root.clone(),
            base: root.clone(),
            only: None,
            place: Place::S3(Arc::new(place.at(format!("{key}{slash}")))),
        }
    }

    fn one_object(root: &Location, place: S3Place, key: &str) -> Self {
        let (prefix, name) = key.rfind('/').map_or(("", key), |at| key.split_at(at + 1));
        Self {
            root: root.clone(),
            base: Location::S3 {
                bucket: place.bucket.clone(),
                key: prefix.to_owned(),
            },
            only: Some(name.to_owned()),
            place: Place::S3(Arc::new(place.at(prefix.to_owned()))),
        }
    }

    pub fn root(&self) -> &Location {
        &self.root
    }

    /// Whether the root is one object rather than a folder or prefix.
    pub fn is_one_object(&self) -> bool {
        self.only.is_some()
    }

    pub fn is_s3(&self) -> bool {
        matches!(self.place, Place::S3(_))
    }

    /// The full place of an object of this store.
    pub fn location(&self, key: &str) -> Location {
        self.base.join(key)
    }

    /// The key of an object of this store by its full place; none for a place elsewhere.
    pub fn key_of(&self, location: &str) -> Option<String> {
        let base = self.base.to_string();
        let key = location.strip_prefix(&base)?.trim_start_matches('/');
        (!key.is_empty()).then(|| key.to_owned())
    }

    /// The path of a key on disk; none on S3, and none for a key that would leave the root.
    pub fn local_path(&self, key: &str) -> Option<PathBuf> {
        match &self.place {
            Place::Local(base) if is_key(key) => Some(base.join(key)),
            _ => None,
        }
    }

    /// Lists every object whose key starts with `prefix` (relative; empty for all) in key order, a page at a time.
    ///
    /// Hidden control files (a name starting with `_` or `.`) are listed too; callers choose.
    ///
    /// # Errors
    /// Any [`StorageError`]; [`StorageError::Cancelled`] soon after `cancel`.
    pub async fn list(
        &self,
        prefix: &str,
        cancel: &Cancel,
        on_page: &mut (dyn FnMut(Vec<Object>) + Send),
    ) -> Result<(), StorageError> {
        cancel.check()?;
        if let Some(only) = &self.only {
            if only.starts_with(prefix) {
                let found = cancel.until(self.head(only)).await??;
                on_page(vec![found.ok_or_else(|| self.not_found(only))?]);
            }
            return Ok(());
        }
        match &self.place {
            Place::Local(base) => list_local(base, prefix, cancel, on_page).await,
            Place::S3(place) => {
                let mut from = None;
                loop {
                    let (page, next) = cancel.until(place.list_page(prefix, from)).await??;
                    if !page.is_empty() {
                        on_page(page);
                    }
                    if next.is_none() {
                        return Ok(());
                    }
                    from = next.map(From::Token);
                }
            }
        }
    }

    /// As [`Store::list`], but pages come in any order: on S3, a long listing is asked for in several places at once.
    ///
    /// # Errors
    /// As [`Store::list`].
    pub async fn list_unordered(
        &self,
        prefix: &str,
        cancel: &Cancel,
        on_page: &mut (dyn FnMut(Vec<Object>) + Send),
    ) -> Result<(), StorageError> {
        let Place::S3(place) = &self.place else {
            return self.list(prefix, cancel, on_page).await;
        };
        if self.only.is_some() || cancel.is_cancelled() {
            return self.list(prefix, cancel, on_page).await;
        }
        let listing = async {
            let (page, next) = place.list_page(prefix, None).await?;
            let Some(token) = next else {
                on_page(page);
                return Ok(());
            };
            on_page(page.clone());
            let page_from = |from| place.list_page(prefix, Some(from));
            sweep(&page, token, page_from, on_page).await
        };
        cancel.until(listing).await?
    }

    /// Every object whose key starts with `prefix`, in key order.
    ///
    /// # Errors
    /// As [`Store::list`].
    pub async fn list_all(&self, prefix: &str, cancel: &Cancel) -> Result<Vec<Object>, StorageError> {
        let mut objects = Vec::new();
        self.list_unordered(prefix, cancel, &mut |page| objects.extend(page))
            .await?;
        objects.sort_unstable_by(|a, b| a.key.cmp(&b.key));
        // It grew by doubling, and is kept for as long as its objects are worked on.
        objects.shrink_to_fit();
        Ok(objects)
    }

    /// What a listing says of one key; none when there is no such object.
    ///
    /// # Errors
    /// Any [`StorageError`] but [`StorageError::NotFound`].
    pub async fn head(&self, key: &str) -> Result<Option<Object>, StorageError> {
        match &self.place {
            Place::Local(_) => {
                let path = self.path_of(key)?;
                let found = blocking(&self.location(key), move || fs::metadata(path)).await;
                match found {
                    Ok(metadata) if metadata.is_file() => Ok(Some(local::object(key.to_owned(), &metadata))),
                    Ok(_) | Err(StorageError::NotFound { .. }) => Ok(None),
                    Err(error) => Err(error),
                }
            }
            Place::S3(place) => place.head(key).await,
        }
    }

    /// The whole content of an object.
    ///
    /// # Errors
    /// Any [`StorageError`].
    pub async fn get(&self, key: &str) -> Result<Bytes, StorageError> {
        match &self.place {
            Place::Local(_) => {
                let path = self.path_of(key)?;
                blocking(&self.location(key), move || fs::read(path).map(Bytes::from)).await
            }
            Place::S3(place) => place.get(key, None).await,
        }
    }

    /// Bytes `start..end` of an object, by one ranged request. An `end` past the object's is cut to it.
    ///
    /// # Errors
    /// Any [`StorageError`], also when the object ends before `start`.
    pub async fn get_range(&self, key: &str, start: u64, end: u64) -> Result<Bytes, StorageError> {
        if end <= start {
            return Ok(Bytes::new());
        }
        match &self.place {
            Place::Local(_) => {
                let path = self.path_of(key)?;
                blocking(&self.location(key), move || local::read_range(&path, start, end)).await
            }
            Place::S3(place) => place.get(key, Some(start..end)).await,
        }
    }

    /// The content of an object piece by piece, for objects larger than memory should hold.
    ///
    /// # Errors
    /// Any [`StorageError`], here or from the stream.
    pub async fn get_stream(&self, key: &str) -> Result<ByteStream, StorageError> {
        match &self.place {
            Place::Local(_) => {
                let path = self.path_of(key)?;
                let location = self.location(key);
                let file = tokio::fs::File::open(path)
                    .await
                    .map_err(|error| from_io(&location, &error))?;
                let pieces = stream::try_unfold((file, location), async |(mut file, location)| {
                    let mut piece = Vec::with_capacity(PIECE_BYTES);
                    let n_read = (&mut file)
                        .take(PIECE_BYTES as u64)
                        .read_to_end(&mut piece)
                        .await
                        .map_err(|error| from_io(&location, &error))?;
                    Ok((n_read > 0).then(|| (Bytes::from(piece), (file, location))))
                });
                Ok(pieces.boxed())
            }
            Place::S3(place) => Ok(place.stream(key, None).await?.1),
        }
    }

    /// Writes an object whole, over an older one. Folders are made as needed.
    ///
    /// # Errors
    /// Any [`StorageError`].
    pub async fn put(&self, key: &str, content: Bytes) -> Result<(), StorageError> {
        self.write(key, content, false).await
    }

    /// Writes an object only if there is none: of several writers exactly one succeeds.
    ///
    /// # Errors
    /// [`StorageError::AlreadyExists`] when there is one, or any other.
    pub async fn put_if_absent(&self, key: &str, content: Bytes) -> Result<(), StorageError> {
        self.write(key, content, true).await
    }

    async fn write(&self, key: &str, content: Bytes, only_new: bool) -> Result<(), StorageError> {
        match &self.place {
            Place::Local(_) => {
                let path = self.path_of(key)?;
                blocking(&self.location(key), move || {
                    local::write(&path, &content, only_new)
                })
                .await
            }
            Place::S3(place) => place.put(key, content, only_new).await,
        }
    }

    /// Removes an object; one that is missing is as good as removed.
    ///
    /// # Errors
    /// Any [`StorageError`].
    pub async fn delete(&self, key: &str) -> Result<(), StorageError> {
        match &self.place {
            Place::Local(_) => {
                let path = self.path_of(key)?;
                blocking(&self.location(key), move || local::remove(&path)).await
            }
            Place::S3(place) => place.delete(key).await,
        }
    }

    /// Moves a local file in one step, over an older one.
    ///
    /// # Errors
    /// [`StorageError::Other`] on S3, which cannot rename, or any other.
    pub async fn rename_local(&self, from: &str, to: &str) -> Result<(), StorageError> {
        if self.is_s3() {
            return Err(StorageError::other(
                &self.location(from),
                "S3 cannot rename objects",
            ));
        }
        let (from_path, to_path) = (self.path_of(from)?, self.path_of(to)?);
        blocking(&self.location(from), move || local::rename(&from_path, &to_path)).await
    }

    /// Starts an upload whose parts stay invisible until [`Store::complete_multipart`]. Returns its id.
    ///
    /// # Errors
    /// [`StorageError::Other`] for a local store, or any other.
    pub async fn create_multipart(&self, key: &str) -> Result<String, StorageError> {
        self.s3(key)?.create_multipart(key).await
    }

    /// Uploads part `index` (from 0, in any order, again at will) and returns its tag.
    ///
    /// Every part but the last has at least 5 MiB, by S3's rule.
    ///
    /// # Errors
    /// As [`Store::create_multipart`].
    pub async fn put_part(
        &self,
        key: &str,
        upload_id: &str,
        index: usize,
        content: Bytes,
    ) -> Result<String, StorageError> {
        self.s3(key)?.put_part(key, upload_id, index, content).await
    }

    /// Makes the object of all parts visible at once. `etags` are the parts' tags by index.
    ///
    /// # Errors
    /// [`StorageError::NotFound`] when the upload was completed or aborted before, or as [`Store::create_multipart`].
    pub async fn complete_multipart(
        &self,
        key: &str,
        upload_id: &str,
        etags: Vec<String>,
    ) -> Result<(), StorageError> {
        self.s3(key)?.complete_multipart(key, upload_id, etags).await
    }

    /// Drops an upload and its parts; one that is gone is as good as dropped.
    ///
    /// # Errors
    /// As [`Store::create_multipart`].
    pub async fn abort_multipart(&self, key: &str, upload_id: &str) -> Result<(), StorageError> {
        self.s3(key)?.abort_multipart(key, upload_id).await
    }

    /// The store to hand to readers that make their own ranged requests; address it with [`Store::object_path`].
    pub fn object_store(&self) -> Arc<dyn ObjectStore> {
        match &self.place {
            Place::Local(_) => Arc::new(LocalFileSystem::new()),
            Place::S3(place) => place.client.clone(),
        }
    }

    /// The path of a key in [`Store::object_store`].
    ///
    /// # Errors
    /// [`StorageError::Other`] for a key that `object_store` cannot address.
    pub fn object_path(&self, key: &str) -> Result<ObjectPath, StorageError> {
        match &self.place {
            Place::Local(_) => {
                let path = self.path_of(key)?;
                let path = fs::canonicalize(&path)
                    .or_else(|_| std::path::absolute(&path))
                    .map_err(|error| from_io(&self.location(key), &error))?;
                ObjectPath::from_absolute_path(path).map_err(|error| {
                    StorageError::other(
                        &self.location(key),
                        format!("this name cannot be addressed: {error}"),
                    )
                })
            }
            Place::S3(place) => place.path(key),
        }
    }

    fn path_of(&self, key: &str) -> Result<PathBuf, StorageError> {
        self.local_path(key).ok_or_else(|| {
            StorageError::other(&self.location(key), format!("`{key}` is no key of this folder"))
        })
    }

    fn s3(&self, key: &str) -> Result<&S3Place, StorageError> {
        match &self.place {
            Place::S3(place) => Ok(place),
            Place::Local(_) => Err(StorageError::other(
                &self.location(key),
                "multipart uploads exist on S3 only; write the file and rename it",
            )),
        }
    }

    fn not_found(&self, key: &str) -> StorageError {
        StorageError::NotFound {
            location: self.location(key).to_string(),
            hint: ": it was there when it was opened".to_owned(),
        }
    }
}

/// Whether `key` stays below its root.
fn is_key(key: &str) -> bool {
    let is_plain = |part: &str| part != "." && part != "..";
    !key.is_empty() && !key.starts_with('/') && !key.contains('\0') && key.split('/').all(is_plain)
}

/// Runs a blocking call of the file system off the runtime's threads.
async fn blocking<T: Send + 'static>(
    location: &impl ToString,
    call: impl FnOnce() -> io::Result<T> + Send + 'static,
) -> Result<T, StorageError> {
    match tokio::task::spawn_blocking(call).await {
        Ok(done) => done.map_err(|error| from_io(location, &error)),
        Err(_) => Err(StorageError::other(location, "the read was stopped")),
    }
}

async fn list_local(
    base: &Path,
    prefix: &str,
    cancel: &Cancel,
    on_page: &mut (dyn FnMut(Vec<Object>) + Send),
) -> Result<(), StorageError> {
    let (pages, mut listed) = tokio::sync::mpsc::channel(4);
    let (base, prefix, stop) = (base.to_owned(), prefix.to_owned(), cancel.clone());
    let walk = tokio::task::spawn_blocking(move || {
        local::walk(&base, &prefix, &mut |page| {
            !stop.is_cancelled() && pages.blocking_send(page).is_ok()
        })
    });
    while let Some(page) = cancel.until(listed.recv()).await? {
        on_page(page);
    }
    match walk.await {
        Ok(done) => done,
        Err(_) => Err(StorageError::other(&"listing", "the walk was stopped")),
    }?;
    Ok(cancel.check()?)
}

//! Staged objects on S3: multipart uploads that stay invisible until they are completed, which works once.

use std::io::{self, Write};
use std::mem;

use bytes::Bytes;
use serde::{Deserialize, Serialize};
use tokio::runtime::Handle;
use tokio::task::JoinHandle;

use super::super::exit;
use super::{Name, RunError, Staged, debug};
use crate::base::Cancel;
use crate::storage::{Connection, Location, StorageError, Store, StoreOptions};

/// S3 takes at most 10,000 parts of at least 5 MiB: this size allows objects of 80 GB.
const PART_BYTES: usize = 8 << 20;
/// Parts under way for one object; with the one being filled they bound its memory.
const MAX_IN_FLIGHT: usize = 3;

/// The requests of a bucket. Tests of the protocol have a bucket in memory that answers to order.
#[cfg(not(test))]
pub(in super::super) type Remote = Store;
#[cfg(test)]
pub(in super::super) use super::super::model::Remote;

#[cfg(not(test))]
pub(in super::super) const fn remote(store: Store) -> Remote {
    store
}
#[cfg(test)]
pub(in super::super) const fn remote(store: Store) -> Remote {
    Remote::Store(store)
}

/// A bucket, addressed by whole keys.
#[derive(Debug, Clone)]
pub(in super::super) struct Bucket {
    pub(in super::super) store: Remote,
}

impl Bucket {
    pub(super) async fn open(
        bucket: &str,
        connection: &Connection,
        options: &StoreOptions,
    ) -> Result<Self, RunError> {
        let root = Location::S3 {
            bucket: bucket.to_owned(),
            key: String::new(),
        };
        let store = Store::open_or_create_with(&root, connection, options).await?;
        Ok(Self { store: remote(store) })
    }

    pub(super) async fn read(&self, key: &str) -> Result<Option<Bytes>, RunError> {
        match self.store.get(key).await {
            Ok(content) => Ok(Some(content)),
            Err(StorageError::NotFound { .. }) => match self.store.head(key).await? {
                None => Ok(None),
                // Another process wrote it in between.
                Some(_) => Ok(Some(self.store.get(key).await?)),
            },
            Err(error) => Err(error.into()),
        }
    }

    pub(super) async fn names(&self, folder: &str) -> Result<Vec<String>, RunError> {
        let prefix = format!("{}/", folder.trim_end_matches('/'));
        let objects = self.store.list_all(&prefix, &Cancel::new()).await?;
        Ok(objects
            .into_iter()
            .filter_map(|object| {
                let name = object.key.strip_prefix(&prefix)?;
                (!name.contains('/')).then(|| name.to_owned())
            })
            .collect())
    }

    pub(super) async fn put_new(&self, key: &str, content: &[u8]) -> Result<bool, RunError> {
        debug::change();
        match self
            .store
            .put_if_absent(key, Bytes::copy_from_slice(content))
            .await
        {
            Ok(()) => Ok(true),
            Err(StorageError::AlreadyExists { .. }) => Ok(false),
            Err(error) => Err(error.into()),
        }
    }

    pub(super) async fn put(&self, key: &str, content: &[u8]) -> Result<(), RunError> {
        debug::change();
        Ok(self.store.put(key, Bytes::copy_from_slice(content)).await?)
    }

    pub(super) async fn delete(&self, key: &str) -> Result<(), RunError> {
        debug::change();
        Ok(self.store.delete(key).await?)
    }

    pub(super) async fn abort_noted(&self, note: &str) -> Result<bool, RunError> {
        let Some(content) = self.read(note).await? else {
            return Ok(false);
        };
        let upload: UploadNote = serde_json::from_slice(&content).map_err(|error| RunError::Record {
            location: self.store.location(note).to_string(),
            message: error.to_string(),
        })?;
        debug::change();
        match self.store.abort_multipart(&upload.key, &upload.upload_id).await {
            Ok(()) => Ok(true),
            Err(StorageError::NotFound { .. }) => Ok(false),
            Err(error) => Err(error.into()),
        }
    }

    /// Removes what is noted in a folder: uploads that were not completed are aborted, then their notes go.
    pub(super) async fn remove_folder(&self, folder: &str) -> Result<(), RunError> {
        let prefix = format!("{}/", folder.trim_end_matches('/'));
        for object in self.store.list_all(&prefix, &Cancel::new()).await? {
            if object.key.ends_with(NOTE_SUFFIX)
                && let Err(error) = self.abort_noted(&object.key).await
            {
                // Servers answer differently for an upload that was completed. What may come to an end later is left
                // to `gc`, with its note.
                tracing::debug!(%error, note = object.key, "an upload was not aborted");
                if error.exit_code() == exit::TRY_AGAIN {
                    continue;
                }
            }
            debug::change();
            self.store.delete(&object.key).await?;
        }
        Ok(())
    }

    pub(super) fn upload(&self, key: &str, note: &str) -> Result<Writer, RunError> {
        let handle = Handle::try_current().map_err(|error| RunError::Worker {
            message: error.to_string(),
        })?;
        debug::change();
        let upload_id = handle.block_on(self.store.create_multipart(key))?;
        let upload = UploadNote {
            key: key.to_owned(),
            upload_id: upload_id.clone(),
        };
        debug::change();
        let noted = serde_json::to_vec(&upload).map_err(|source| RunError::Write {
            path: note.to_owned(),
            source: source.into(),
        });
        let noted = noted.and_then(|text| Ok(handle.block_on(self.store.put(&note_key(note), text.into()))?));
        if let Err(error) = noted {
            handle.block_on(self.store.abort_multipart(key, &upload_id))?;
            return Err(error);
        }
        Ok(Writer {
            store: self.store.clone(),
            handle,
            key: key.to_owned(),
            note: note_key(note),
            upload_id: Some(upload_id),
            buffer: Vec::new(),
            in_flight: Vec::new(),
            part_etags: Vec::new(),
            n_started: 0,
            n_bytes: 0,
        })
    }

    /// A completed upload is gone, so a second completion asks whether the object is the one that was meant.
    pub(super) async fn complete(
        &self,
        key: &str,
        upload_id: &str,
        part_etags: &[String],
        n_bytes: u64,
        name: Name,
    ) -> Result<(), RunError> {
        debug::change();
        let completed = self
            .store
            .complete_multipart(key, upload_id, part_etags.to_vec())
            .await;
        let Err(error) = completed else {
            return Ok(());
        };
        // Servers name a completed upload differently; the object itself, of a name that is used once, is the answer.
        // Under a name that is used again may lie the object of before, as large as this one: there only an upload that
        // is gone was completed, and every other error leaves it to be completed.
        let is_gone = matches!(error, StorageError::NotFound { .. });
        match self.store.head(key).await? {
            Some(object) if object.size == n_bytes && (is_gone || name == Name::Once) => Ok(()),
            _ if is_gone => Err(RunError::PartLost {
                location: self.store.location(key).to_string(),
            }),
            _ => Err(error.into()),
        }
    }

    pub(super) async fn remove_note(&self, note: Option<&str>) -> Result<(), RunError> {
        match note {
            Some(note) => {
                debug::change();
                Ok(self.store.delete(note).await?)
            }
            None => Ok(()),
        }
    }

    pub(super) async fn abort(&self, key: &str, upload_id: &str) -> Result<(), RunError> {
        debug::change();
        Ok(self.store.abort_multipart(key, upload_id).await?)
    }
}

/// An upload that a run started: object storage has no list of them that every server gives.
#[derive(Debug, Serialize, Deserialize)]
pub(in super::super) struct UploadNote {
    pub key: String,
    pub upload_id: String,
}

/// What the names of notes end in.
pub(in super::super) const NOTE_SUFFIX: &str = ".upload.json";

/// Where the note of an upload lies whose local file would wait at `staging`.
fn note_key(staging: &str) -> String {
    format!("{staging}{NOTE_SUFFIX}")
}

/// Uploads one object part by part while it is written. Lives in a blocking thread.
pub(in super::super) struct Writer {
    store: Remote,
    handle: Handle,
    key: String,
    /// Key of the note that the upload is open.
    note: String,
    /// Taken when the upload is finished; a writer that still has it aborts its upload when dropped.
    upload_id: Option<String>,
    buffer: Vec<u8>,
    in_flight: Vec<JoinHandle<Result<String, StorageError>>>,
    part_etags: Vec<String>,
    n_started: usize,
    n_bytes: u64,
}

impl Writer {
    pub(super) fn finish(mut self) -> Result<(Staged, u64), RunError> {
        if !self.buffer.is_empty() || self.n_started == 0 {
            self.start_part()?;
        }
        while !self.in_flight.is_empty() {
            self.wait_for_oldest()?;
        }
        let staged = Staged::S3 {
            upload_id: self.upload_id.take().unwrap_or_default(),
            note: Some(mem::take(&mut self.note)),
            part_etags: mem::take(&mut self.part_etags),
        };
        Ok((staged, self.n_bytes))
    }

    fn start_part(&mut self) -> Result<(), RunError> {
        while self.in_flight.len() >= MAX_IN_FLIGHT {
            self.wait_for_oldest()?;
        }
        debug::change();
        let content = Bytes::from(mem::take(&mut self.buffer));
        let (store, key, index) = (self.store.clone(), self.key.clone(), self.n_started);
        let upload_id = self.upload_id.clone().unwrap_or_default();
        self.n_started += 1;
        self.in_flight.push(
            self.handle
                .spawn(async move { store.put_part(&key, &upload_id, index, content).await }),
        );
        Ok(())
    }

    fn wait_for_oldest(&mut self) -> Result<(), RunError> {
        let oldest = self.in_flight.remove(0);
        let etag = self.handle.block_on(oldest).map_err(|error| RunError::Worker {
            message: error.to_string(),
        })??;
        self.part_etags.push(etag);
        Ok(())
    }
}

impl Write for Writer {
    fn write(&mut self, buf: &[u8]) -> io::Result<usize> {
        if self.buffer.capacity() == 0 {
            self.buffer.reserve(PART_BYTES);
        }
        let n = buf.len().min(PART_BYTES - self.buffer.len());
        self.buffer.extend_from_slice(buf.get(..n).unwrap_or_default());
        self.n_bytes += n as u64;
        if self.buffer.len() == PART_BYTES {
            self.start_part()
                .map_err(|error| io::Error::other(error.to_string()))?;
        }
        Ok(n)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Drop for Writer {
    fn drop(&mut self) {
        let Some(upload_id) = self.upload_id.take() else {
            return;
        };
        let (store, key, note, in_flight) = (
            self.store.clone(),
            self.key.clone(),
            self.note.clone(),
            mem::take(&mut self.in_flight),
        );
        // The parts under way end first: a part that arrives after the abort would stay and cost money.
        let abort = async move {
            for part in in_flight {
                let _ended = part.await;
            }
            let aborted = store.abort_multipart(&key, &upload_id).await;
            let removed = match aborted {
                Ok(()) => store.delete(&note).await,
                Err(error) => Err(error),
            };
            if let Err(error) = removed {
                tracing::warn!(%error, key, upload_id, "an upload could not be aborted; its note tells `gc` of it");
            }
        };
        // In a blocking thread this waits, so that a run that ends leaves no upload behind.
        self.handle.block_on(abort);
    }
}

//! The places a run writes to, with what its promises need: a write that fails when the object exists, and parts that
//! no reader sees until they are published, once.
//!
//! Local files are staged beside the table and renamed; on S3 a part is a multipart upload that is not completed yet.

mod debug;
mod local;
mod s3;

use std::io::{self, Write};

pub(super) use s3::NOTE_SUFFIX;

use bytes::Bytes;
use serde::{Deserialize, Serialize};
use tokio::task::spawn_blocking;

use super::RunError;
use crate::storage::{Connection, Location, StoreOptions};

#[cfg(test)]
pub(super) use s3::Bucket;
pub(super) use s3::{Remote, remote};

/// The storage of a sink.
#[derive(Debug, Clone)]
pub(super) enum Files {
    Local,
    S3(s3::Bucket),
}

/// Whether the name of a published object is used again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Name {
    /// What is found there is what was published there.
    Once,
    /// What is found there may be of an earlier commit, and as large.
    Again,
}

/// A part that is written but not visible.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(untagged)]
pub(super) enum Staged {
    /// Its place until it is renamed.
    Local { staged: Location },
    /// An upload that is not completed, to the part's own key.
    S3 {
        upload_id: String,
        part_etags: Vec<String>,
        /// Key of the note that the upload is open; it goes when the upload is completed or aborted.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        note: Option<String>,
    },
}

/// Writes one staged object. Dropped before [`FileWriter::finish`], it leaves nothing behind.
pub(super) enum FileWriter {
    Local(local::Writer),
    S3(Box<s3::Writer>),
}

impl Files {
    /// # Errors
    /// [`RunError::Storage`] without credentials.
    pub async fn open(
        root: &Location,
        connection: &Connection,
        options: &StoreOptions,
    ) -> Result<Self, RunError> {
        match root {
            Location::Local(_) => Ok(Self::Local),
            Location::S3 { bucket, .. } => Ok(Self::S3(s3::Bucket::open(bucket, connection, options).await?)),
        }
    }

    /// The content of a small object; none when it is not there.
    pub async fn read(&self, at: &Location) -> Result<Option<Bytes>, RunError> {
        match (self, at) {
            (Self::Local, Location::Local(path)) => local::read(path),
            (Self::S3(bucket), Location::S3 { key, .. }) => bucket.read(key).await,
            _ => Err(other_storage(at)),
        }
    }

    /// Names of the objects directly in a folder, sorted; none when it is not there.
    pub async fn names(&self, folder: &Location) -> Result<Vec<String>, RunError> {
        match (self, folder) {
            (Self::Local, Location::Local(path)) => local::names(path),
            (Self::S3(bucket), Location::S3 { key, .. }) => bucket.names(key).await,
            _ => Err(other_storage(folder)),
        }
    }

    /// Writes an object unless there is one: `false` says there was one, and it is as it was.
    pub async fn put_new(&self, at: &Location, content: &[u8]) -> Result<bool, RunError> {
        debug::before_put_new(at);
        match (self, at) {
            (Self::Local, Location::Local(path)) => local::put_new(path, content),
            (Self::S3(bucket), Location::S3 { key, .. }) => bucket.put_new(key, content).await,
            _ => Err(other_storage(at)),
        }
    }

    pub async fn put(&self, at: &Location, content: &[u8]) -> Result<(), RunError> {
        match (self, at) {
            (Self::Local, Location::Local(path)) => local::put(path, content),
            (Self::S3(bucket), Location::S3 { key, .. }) => bucket.put(key, content).await,
            _ => Err(other_storage(at)),
        }
    }

    /// Removes an object; one that is not there is no error.
    pub async fn delete(&self, at: &Location) -> Result<(), RunError> {
        match (self, at) {
            (Self::Local, Location::Local(path)) => local::delete(path),
            (Self::S3(bucket), Location::S3 { key, .. }) => bucket.delete(key).await,
            _ => Err(other_storage(at)),
        }
    }

    /// Opens a writer for what is to appear at `at`; `staging` is where a local file waits until then, and where the
    /// upload of an S3 object is noted, so that it can be aborted when its run never comes back.
    ///
    /// Blocks on S3: call it from a blocking thread.
    pub fn stage(&self, staging: &Location, at: &Location) -> Result<FileWriter, RunError> {
        match (self, staging, at) {
            (Self::Local, Location::Local(path), Location::Local(_)) => {
                local::Writer::create(path).map(FileWriter::Local)
            }
            (Self::S3(bucket), Location::S3 { key: note, .. }, Location::S3 { key, .. }) => bucket
                .upload(key, note)
                .map(|writer| FileWriter::S3(Box::new(writer))),
            _ => Err(other_storage(at)),
        }
    }

    /// Stages an object whose content is at hand. Gives its size too.
    pub async fn stage_whole(
        &self,
        staging: Location,
        at: Location,
        content: Bytes,
    ) -> Result<(Staged, u64), RunError> {
        let files = self.clone();
        let written = spawn_blocking(move || {
            let mut writer = files.stage(&staging, &at)?;
            let written = writer.write_all(&content);
            written.map_err(|source| RunError::Write {
                path: at.to_string(),
                source,
            })?;
            writer.finish()
        });
        written.await.map_err(|error| RunError::Worker {
            message: error.to_string(),
        })?
    }

    /// Makes a staged object of `n_bytes` visible at `at`, once: a second call finds the work done.
    pub async fn publish(
        &self,
        staged: &Staged,
        at: &Location,
        n_bytes: u64,
        name: Name,
    ) -> Result<(), RunError> {
        match (self, staged, at) {
            (
                Self::Local,
                Staged::Local {
                    staged: Location::Local(from),
                },
                Location::Local(to),
            ) => local::publish(from, to, n_bytes),
            (
                Self::S3(bucket),
                Staged::S3 {
                    upload_id,
                    part_etags,
                    note,
                },
                Location::S3 { key, .. },
            ) => {
                bucket.complete(key, upload_id, part_etags, n_bytes, name).await?;
                bucket.remove_note(note.as_deref()).await
            }
            _ => Err(other_storage(at)),
        }
    }

    /// Takes back a staged object that is not to appear.
    pub async fn discard(&self, staged: &Staged, at: &Location) -> Result<(), RunError> {
        match (self, staged, at) {
            (Self::Local, Staged::Local { staged: from }, _) => Box::pin(self.delete(from)).await,
            (Self::S3(bucket), Staged::S3 { upload_id, note, .. }, Location::S3 { key, .. }) => {
                bucket.abort(key, upload_id).await?;
                bucket.remove_note(note.as_deref()).await
            }
            _ => Err(other_storage(at)),
        }
    }

    /// Aborts the upload that a note in staging names: `false` says that it was completed or aborted before.
    pub async fn abort_noted(&self, note: &Location) -> Result<bool, RunError> {
        match (self, note) {
            (Self::S3(bucket), Location::S3 { key, .. }) => bucket.abort_noted(key).await,
            _ => Ok(false),
        }
    }

    /// Removes the local folders that only held `at`.
    pub fn remove_empty_folders(&self, at: &Location) {
        if let (Self::Local, Location::Local(path)) = (self, at) {
            local::remove_empty_above(path);
        }
    }

    /// Removes the local folders at and below `folder` that hold nothing.
    pub fn remove_empty_below(&self, folder: &Location) {
        if let (Self::Local, Location::Local(path)) = (self, folder) {
            local::remove_empty_below(path);
        }
    }

    /// Removes a staging folder with what is left in it: files, or the notes of uploads.
    pub async fn remove_folder(&self, folder: &Location) -> Result<(), RunError> {
        match (self, folder) {
            (Self::Local, Location::Local(path)) => local::remove_folder(path),
            (Self::S3(bucket), Location::S3 { key, .. }) => bucket.remove_folder(key).await,
            _ => Err(other_storage(folder)),
        }
    }
}

impl FileWriter {
    /// Ends the object: everything is on disk or with the server. Gives its size.
    pub fn finish(self) -> Result<(Staged, u64), RunError> {
        match self {
            Self::Local(writer) => writer.finish(),
            Self::S3(writer) => writer.finish(),
        }
    }
}

impl Write for FileWriter {
    fn write(&mut self, buf: &[u8]) -> io::Result<usize> {
        match self {
            Self::Local(writer) => writer.write(buf),
            Self::S3(writer) => writer.write(buf),
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        match self {
            Self::Local(writer) => writer.flush(),
            Self::S3(writer) => writer.flush(),
        }
    }
}

/// A record that names another storage than the job's, as after a table was moved.
fn other_storage(at: &Location) -> RunError {
    RunError::Record {
        location: at.to_string(),
        message: "it names another storage than the job's sink".to_owned(),
    }
}

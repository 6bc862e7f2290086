//! Local objects read by a thread that may block, without a task for each; and what a failed reader failed with.

use std::fs::File;
use std::io::{self, Read as _};
use std::path::PathBuf;

use super::error::from_io;
use super::{StorageError, Store};

impl Store {
    /// Opens a local object for a thread that may block; none on S3.
    ///
    /// # Errors
    /// [`StorageError`].
    pub fn open_local(&self, key: &str) -> Option<Result<File, StorageError>> {
        let path: PathBuf = self.local_path(key)?;
        Some(File::open(path).map_err(|error| from_io(&self.location(key), &error)))
    }

    /// Reads a local object into `content`, whose memory is reused; none on S3.
    ///
    /// # Errors
    /// [`StorageError`].
    pub fn read_local(&self, key: &str, content: &mut Vec<u8>) -> Option<Result<(), StorageError>> {
        content.clear();
        let file = self.open_local(key)?;
        Some(file.and_then(|mut file| {
            let read = file.read_to_end(content).map(|_| ());
            read.map_err(|error| from_io(&self.location(key), &error))
        }))
    }
}

/// Why a reader of an object's bytes failed.
#[derive(Debug)]
pub enum ReadFailure {
    /// The storage's own error, which the reader carried.
    Storage(StorageError),
    /// The object ended before the size that was listed.
    Shrank,
    Io(io::Error),
}

/// Takes the storage's own error out of one that a reader gave.
pub fn read_failure(error: io::Error) -> ReadFailure {
    let kind = error.kind();
    let inner = error
        .into_inner()
        .map(<dyn std::error::Error + Send + Sync>::downcast::<StorageError>);
    match inner {
        Some(Ok(storage)) => ReadFailure::Storage(*storage),
        Some(Err(other)) => ReadFailure::Io(io::Error::new(kind, other)),
        None if kind == io::ErrorKind::UnexpectedEof => ReadFailure::Shrank,
        None => ReadFailure::Io(kind.into()),
    }
}

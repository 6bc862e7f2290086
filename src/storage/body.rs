//! The body of an object on S3, as a stream that survives its connection: when it breaks off, the rest is asked for, from
//! the byte that is missing and of the same version of the object.
//!
//! `object_store` repeats a broken body too, but counts its patience from the first request: a large object that is read
//! as slowly as it is decoded would have none left after the first seconds.

use std::hash::{BuildHasher as _, RandomState};
use std::ops::Range;
use std::time::{Duration, Instant};

use bytes::Bytes;
use futures::stream::{self, BoxStream};
use futures::{StreamExt as _, TryStreamExt as _};
use object_store::aws::AmazonS3;
use object_store::path::Path as ObjectPath;
use object_store::{GetOptions, ObjectStore as _};

use super::StorageError;
use super::error::{Asker, from_s3, timed_out};
use super::s3::{ByteStream, Patience};

/// A refusal is not believed at once: permissions and sessions take a moment to reach all servers.
const REFUSALS: usize = 3;
const FIRST_PAUSE: Duration = Duration::from_millis(100);
const LONGEST_PAUSE: Duration = Duration::from_secs(3);

/// The object, and how it is asked for.
#[derive(Debug, Clone)]
pub(super) struct Source {
    pub(super) client: AmazonS3,
    pub(super) path: ObjectPath,
    pub(super) location: String,
    pub(super) asker: Asker,
    pub(super) patience: Patience,
}

struct Body {
    source: Source,
    pieces: BoxStream<'static, object_store::Result<Bytes>>,
    etag: Option<String>,
    /// Bytes that have not come yet.
    rest: Range<u64>,
    failing: Failing,
}

/// Failures since the last byte that came.
#[derive(Debug, Default)]
struct Failing {
    n: usize,
    since: Option<Instant>,
}

impl Source {
    /// The number of bytes that will come, and the bytes.
    pub(super) async fn stream(self, range: Option<Range<u64>>) -> Result<(u64, ByteStream), StorageError> {
        let mut failing = Failing::default();
        let answer = loop {
            match self.ask(range.clone(), None).await {
                Ok(answer) => break answer,
                Err(error) if error.is_configuration() && failing.n + 1 < REFUSALS => {
                    failing.pause(&self.patience).await.ok_or(error)?;
                }
                Err(error) => return Err(error),
            }
        };
        let n_bytes = answer.range.end.saturating_sub(answer.range.start);
        let body = Body {
            etag: answer.meta.e_tag.clone(),
            rest: answer.range.clone(),
            pieces: answer.into_stream(),
            source: self,
            failing: Failing::default(),
        };
        let pieces = stream::try_unfold(body, async |mut body| {
            Ok(body.next().await?.map(|piece| (piece, body)))
        });
        Ok((n_bytes, pieces.boxed()))
    }

    async fn ask(
        &self,
        range: Option<Range<u64>>,
        etag: Option<String>,
    ) -> Result<object_store::GetResult, StorageError> {
        let options = GetOptions {
            range: range.map(Into::into),
            if_match: etag,
            ..GetOptions::default()
        };
        let limit = self.patience.silence + self.patience.retry_for;
        let asked = self.client.get_opts(&self.path, options);
        match tokio::time::timeout(limit, asked).await {
            Ok(Ok(answer)) => Ok(answer),
            Ok(Err(object_store::Error::Precondition { .. })) => Err(StorageError::Changed {
                location: self.location.clone(),
            }),
            Ok(Err(error)) => Err(from_s3(&self.location, &error, &self.asker)),
            Err(_) => Err(timed_out(&self.location, &self.asker, limit.as_secs())),
        }
    }
}

impl Body {
    /// The next bytes; none at the end.
    async fn next(&mut self) -> Result<Option<Bytes>, StorageError> {
        loop {
            if self.rest.is_empty() {
                return Ok(None);
            }
            let error = match self.piece().await {
                Ok(piece) => {
                    self.failing = Failing::default();
                    self.rest.start += piece.len() as u64;
                    return Ok(Some(piece));
                }
                Err(error) => error,
            };
            if !error.is_transient() || matches!(error, StorageError::Changed { .. }) {
                return Err(error);
            }
            tracing::info!(%error, missing = self.rest.start, "asking for the rest of a body");
            let Some(()) = self.failing.pause(&self.source.patience).await else {
                return Err(error);
            };
            match self.source.ask(Some(self.rest.clone()), self.etag.clone()).await {
                Ok(answer) => self.pieces = answer.into_stream(),
                Err(error) if error.is_transient() && !matches!(error, StorageError::Changed { .. }) => {
                    self.pieces = stream::empty().boxed();
                }
                Err(error) => return Err(error),
            }
        }
    }

    async fn piece(&mut self) -> Result<Bytes, StorageError> {
        let Source {
            location,
            asker,
            patience,
            ..
        } = &self.source;
        match tokio::time::timeout(patience.silence, self.pieces.try_next()).await {
            Ok(Ok(Some(piece))) => Ok(piece),
            Ok(Ok(None)) => Err(StorageError::Unreachable {
                location: location.clone(),
                message: format!(
                    "the answer of {} ended {} bytes too early",
                    asker.endpoint,
                    self.rest.end - self.rest.start
                ),
            }),
            Ok(Err(error)) => Err(from_s3(location, &error, asker)),
            Err(_) => Err(timed_out(location, asker, patience.silence.as_secs())),
        }
    }
}

impl Failing {
    /// Waits before the next try, longer each time and never twice the same. None when patience is at its end.
    async fn pause(&mut self, patience: &Patience) -> Option<()> {
        let since = *self.since.get_or_insert_with(Instant::now);
        if self.n >= patience.max_retries || since.elapsed() > patience.retry_for {
            return None;
        }
        let doubled = FIRST_PAUSE.saturating_mul(1 << self.n.min(10));
        self.n += 1;
        let share = RandomState::new().hash_one(self.n) % 1024;
        let pause = doubled.min(LONGEST_PAUSE).mul_f64(0.5 + share as f64 / 2048.0);
        tokio::time::sleep(pause).await;
        Some(())
    }
}

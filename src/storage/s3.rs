//! A prefix of a bucket behind `object_store`: how requests are addressed, signed, bounded and repeated.

use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use object_store::aws::{AmazonS3, AmazonS3Builder, resolve_bucket_region};
use object_store::list::{PaginatedListOptions, PaginatedListStore as _};
use object_store::multipart::{MultipartStore as _, PartId};
use object_store::path::Path as ObjectPath;
use object_store::{
    BackoffConfig, ClientOptions, ObjectStore as _, ObjectStoreExt as _, PutMode, PutOptions, PutPayload,
    RetryConfig, StaticCredentialProvider,
};

use super::connection::check_endpoint;
use super::credentials::{ChainProvider, Credentials, chain_region};
use super::error::{ANONYMOUS, Asker, from_s3, timed_out};
use super::sweep::{From, Page};
use super::{Connection, Object, StorageError, data_ending};

/// How long requests may take and how often they are repeated.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Patience {
    pub max_retries: usize,
    /// No request is repeated after this.
    pub retry_for: Duration,
    /// The wait before the first repeat. Later ones are drawn from a range that grows from it, so that many clients of
    /// a busy server do not come back together.
    pub backoff: Duration,
    pub connect: Duration,
    /// The longest silence of a server: until it answers, and between two pieces of a body.
    pub silence: Duration,
}

impl Default for Patience {
    fn default() -> Self {
        Self {
            max_retries: 5,
            retry_for: Duration::from_secs(10),
            backoff: Duration::from_millis(100),
            connect: Duration::from_secs(4),
            silence: Duration::from_secs(30),
        }
    }
}

impl Patience {
    /// For work that nobody watches: a burst of throttling or a short outage must not end it.
    pub fn of_a_batch() -> Self {
        Self {
            max_retries: 10,
            retry_for: Duration::from_mins(1),
            ..Self::default()
        }
    }
}

/// A whole ranged read of Parquet must end within this; streams are bounded by their silence instead.
const RANGED_READ: Duration = Duration::from_mins(2);

/// The slowest upload that is waited for.
const MIN_UPLOAD_BYTES_PER_SECOND: usize = 100_000;

/// A prefix of a bucket. `prefix` is empty or ends with a slash; keys are relative to it.
#[derive(Debug)]
pub(super) struct S3Place {
    pub bucket: String,
    pub prefix: String,
    pub client: Arc<AmazonS3>,
    /// The same without a bound on the whole request, for bodies of any size.
    pub streaming: AmazonS3,
    pub patience: Patience,
    pub asker: Asker,
}

impl S3Place {
    /// Finds credentials, region and endpoint. Sends no request to the bucket.
    pub(super) async fn open(
        bucket: &str,
        prefix: &str,
        connection: &Connection,
        credentials: &Credentials,
        patience: Patience,
    ) -> Result<Self, StorageError> {
        connection.validate()?;
        let location = format!("s3://{bucket}/{prefix}");
        let endpoint = endpoint_of(connection, |name| std::env::var(name).ok());
        if let Some(endpoint) = &endpoint {
            check_endpoint(endpoint)?;
        }
        let profile = connection.profile.as_deref();
        let region = match &connection.region {
            Some(region) => Some(region.clone()),
            None => chain_region(profile).await,
        };
        let client_options = ClientOptions::new()
            .with_connect_timeout(patience.connect)
            .with_allow_http(endpoint.as_deref().is_some_and(is_plain_http));
        let mut asker = Asker {
            bucket: bucket.to_owned(),
            who: who(connection),
            region: region.clone().unwrap_or_else(|| "us-east-1".to_owned()),
            endpoint: endpoint.clone().unwrap_or_else(|| "Amazon S3".to_owned()),
        };
        let mut builder = AmazonS3Builder::new()
            .with_bucket_name(bucket)
            .with_retry(RetryConfig {
                backoff: BackoffConfig {
                    init_backoff: patience.backoff,
                    max_backoff: 30 * patience.backoff,
                    base: 2.0,
                },
                max_retries: patience.max_retries,
                retry_timeout: patience.retry_for,
            });
        builder = match credentials {
            _ if connection.anonymous => builder.with_skip_signature(true),
            Credentials::Static {
                access_key,
                secret_key,
                token,
            } => builder.with_credentials(Arc::new(StaticCredentialProvider::new(
                object_store::aws::AwsCredential {
                    key_id: access_key.clone(),
                    secret_key: secret_key.clone(),
                    token: token.clone(),
                },
            ))),
            Credentials::Chain => {
                let provider = ChainProvider::new(profile, &asker.region).await;
                provider
                    .load()
                    .await
                    .map_err(|failure| StorageError::Credentials {
                        location: location.clone(),
                        message: failure.to_string(),
                    })?;
                builder.with_credentials(Arc::new(provider))
            }
        };
        if region.is_none() && endpoint.is_none() {
            // Nobody names a region: Amazon tells the bucket's to anyone. Where it does not, its default holds.
            let options = client_options.clone().with_timeout(patience.connect);
            if let Ok(region) = resolve_bucket_region(bucket, &options).await {
                asker.region = region;
            }
        }
        builder = builder.with_region(&asker.region);
        let addressed = address(bucket, endpoint.as_deref(), connection.path_style);
        builder = builder.with_virtual_hosted_style_request(!addressed.path_style);
        if let Some(url) = addressed.url {
            builder = builder.with_endpoint(url);
        }
        let build = |options: ClientOptions| {
            builder
                .clone()
                .with_client_options(options)
                .build()
                .map_err(|error| from_s3(&location, &error, &asker))
        };
        let client = Arc::new(build(client_options.clone().with_timeout(RANGED_READ))?);
        let streaming = build(client_options.with_timeout_disabled())?;
        Ok(Self {
            bucket: bucket.to_owned(),
            prefix: prefix.to_owned(),
            client,
            streaming,
            patience,
            asker,
        })
    }

    /// The same bucket with another prefix.
    pub(super) fn at(self, prefix: String) -> Self {
        Self { prefix, ..self }
    }

    pub(super) fn location(&self, key: &str) -> String {
        format!("s3://{}/{}{key}", self.bucket, self.prefix)
    }

    /// The key as it is, not encoded: `Path::from` would turn `%` into `%25`.
    pub(super) fn path(&self, key: &str) -> Result<ObjectPath, StorageError> {
        ObjectPath::parse(format!("{}{key}", self.prefix)).map_err(|_| {
            StorageError::other(
                &self.location(key),
                "a key with an empty part (`//`), `.`, `..` or control characters cannot be addressed; rename it",
            )
        })
    }

    /// Puts an error into words and bounds the time until the answer.
    pub(super) async fn ask<T>(
        &self,
        key: &str,
        limit: Duration,
        request: impl Future<Output = object_store::Result<T>>,
    ) -> Result<T, StorageError> {
        match tokio::time::timeout(limit, request).await {
            Ok(answer) => answer.map_err(|error| from_s3(&self.location(key), &error, &self.asker)),
            Err(_) => Err(timed_out(&self.location(key), &self.asker, limit.as_secs())),
        }
    }

    /// As [`Self::ask`], for what may be asked twice: a first connection that stays silent is given up early, because the
    /// next one may lead to a healthy server.
    pub(super) async fn ask_anew<T, F>(&self, key: &str, request: impl Fn() -> F) -> Result<T, StorageError>
    where
        F: Future<Output = object_store::Result<T>>,
    {
        match tokio::time::timeout(self.gap(), request()).await {
            Ok(answer) => answer.map_err(|error| from_s3(&self.location(key), &error, &self.asker)),
            Err(_) => self.ask(key, self.short(), request()).await,
        }
    }

    /// The longest silence on a connection that can be replaced.
    pub(super) fn gap(&self) -> Duration {
        self.patience.silence / 2
    }

    /// The bound on an answer that carries no large body, with its repeats.
    pub(super) fn short(&self) -> Duration {
        self.patience.silence + self.patience.retry_for
    }

    fn upload(&self, n_bytes: usize) -> Duration {
        self.short() + Duration::from_secs((n_bytes / MIN_UPLOAD_BYTES_PER_SECOND) as u64)
    }

    /// One page of keys that start with `prefix`, and the token of the next page.
    pub(super) async fn list_page(&self, prefix: &str, from: Option<From>) -> Result<Page, StorageError> {
        let mut options = PaginatedListOptions::default();
        match from {
            Some(From::After(key)) => options.offset = Some(format!("{}{key}", self.prefix)),
            Some(From::Token(token)) => options.page_token = Some(token),
            None => {}
        }
        self.list(prefix, options).await
    }

    /// Whether `key` is an object rather than a prefix. Asks by listing, whose errors say why; who may read but not
    /// list is asked by the object itself.
    pub(super) async fn is_object(&self, key: &str) -> Result<bool, StorageError> {
        let first_key = PaginatedListOptions {
            max_keys: Some(1),
            ..PaginatedListOptions::default()
        };
        let found = match self.list(key, first_key).await {
            // A key sorts before all longer ones that begin with it.
            Ok((page, _)) => page.into_iter().next(),
            Err(StorageError::Denied { .. }) => self.head(key).await?,
            Err(error) => return Err(error),
        };
        // Consoles mark an empty folder by an empty object `folder/`, whose slash the listing drops.
        Ok(found.is_some_and(|object| object.key == key && (object.size > 0 || data_ending(key).is_some())))
    }

    async fn list(&self, prefix: &str, options: PaginatedListOptions) -> Result<Page, StorageError> {
        let full = format!("{}{prefix}", self.prefix);
        let full_prefix = (!full.is_empty()).then_some(full.as_str());
        // The body of a page that breaks is lost to `object_store`, which repeats only up to the answer's head.
        let request = || self.client.list_paginated(full_prefix, options.clone());
        let page = self.repeat(|| self.ask_anew(prefix, request)).await?;
        let objects = page.result.objects.into_iter().filter_map(|meta| {
            // A marker of the prefix itself (`raw/` as an object) is not below it.
            let key = meta.location.as_ref().strip_prefix(&self.prefix)?;
            (!key.is_empty()).then(|| Object {
                key: key.to_owned(),
                size: meta.size,
                modified: meta.last_modified,
                etag: meta.e_tag.map(String::into_boxed_str),
            })
        });
        Ok((objects.collect(), page.page_token))
    }

    pub(super) async fn head(&self, key: &str) -> Result<Option<Object>, StorageError> {
        let path = self.path(key)?;
        match self.ask_anew(key, || self.client.head(&path)).await {
            Ok(meta) => Ok(Some(Object {
                key: key.to_owned(),
                size: meta.size,
                modified: meta.last_modified,
                etag: meta.e_tag.map(String::into_boxed_str),
            })),
            Err(StorageError::NotFound { .. }) => Ok(None),
            Err(error) => Err(error),
        }
    }

    pub(super) async fn put(&self, key: &str, content: Bytes, only_new: bool) -> Result<(), StorageError> {
        let path = self.path(key)?;
        let limit = self.upload(content.len());
        let mode = if only_new {
            PutMode::Create
        } else {
            PutMode::Overwrite
        };
        let put = self
            .client
            .put_opts(&path, PutPayload::from_bytes(content), PutOptions::from(mode));
        self.ask(key, limit, put).await.map(|_| ())
    }

    pub(super) async fn delete(&self, key: &str) -> Result<(), StorageError> {
        let path = self.path(key)?;
        let delete = || self.client.delete(&path);
        match self.repeat(|| self.ask_anew(key, delete)).await {
            Err(StorageError::NotFound { hint, .. }) if hint.contains("no such object") => Ok(()),
            done => done,
        }
    }

    pub(super) async fn create_multipart(&self, key: &str) -> Result<String, StorageError> {
        let path = self.path(key)?;
        self.ask(key, self.short(), self.client.create_multipart(&path))
            .await
    }

    pub(super) async fn put_part(
        &self,
        key: &str,
        upload_id: &str,
        index: usize,
        content: Bytes,
    ) -> Result<String, StorageError> {
        let path = self.path(key)?;
        let limit = self.upload(content.len());
        let id = upload_id.to_owned();
        let put = self
            .client
            .put_part(&path, &id, index, PutPayload::from_bytes(content));
        Ok(self.ask(key, limit, put).await?.content_id)
    }

    pub(super) async fn complete_multipart(
        &self,
        key: &str,
        upload_id: &str,
        etags: Vec<String>,
    ) -> Result<(), StorageError> {
        let path = self.path(key)?;
        let id = upload_id.to_owned();
        let parts = etags
            .into_iter()
            .map(|content_id| PartId { content_id })
            .collect();
        // Large uploads are put together for minutes.
        let limit = self.short() + RANGED_READ;
        let complete = self.client.complete_multipart(&path, &id, parts);
        self.ask(key, limit, complete).await.map(|_| ())
    }

    pub(super) async fn abort_multipart(&self, key: &str, upload_id: &str) -> Result<(), StorageError> {
        let path = self.path(key)?;
        let id = upload_id.to_owned();
        let abort = || self.client.abort_multipart(&path, &id);
        match self.repeat(|| self.ask_anew(key, abort)).await {
            Err(StorageError::NotFound { .. }) => Ok(()),
            done => done,
        }
    }
}

fn who(connection: &Connection) -> String {
    match &connection.profile {
        _ if connection.anonymous => ANONYMOUS.to_owned(),
        Some(profile) => format!("profile `{profile}`"),
        None => "the default credentials".to_owned(),
    }
}

/// The connection's endpoint, else the one the AWS tools take from the environment.
fn endpoint_of(connection: &Connection, variable: impl Fn(&str) -> Option<String>) -> Option<String> {
    if let Some(endpoint) = &connection.endpoint {
        return Some(endpoint.clone());
    }
    if variable("AWS_IGNORE_CONFIGURED_ENDPOINT_URLS").is_some_and(|text| text.eq_ignore_ascii_case("true")) {
        return None;
    }
    ["AWS_ENDPOINT_URL_S3", "AWS_ENDPOINT_URL"]
        .into_iter()
        .find_map(|name| variable(name).filter(|text| !text.is_empty()))
}

fn is_plain_http(endpoint: &str) -> bool {
    endpoint
        .get(..7)
        .is_some_and(|scheme| scheme.eq_ignore_ascii_case("http://"))
}

#[derive(Debug, PartialEq, Eq)]
struct Address {
    /// None for Amazon's own.
    url: Option<String>,
    path_style: bool,
}

/// Where a bucket's requests go. The builder wants the bucket inside a virtual-hosted endpoint.
fn address(bucket: &str, endpoint: Option<&str>, path_style: bool) -> Address {
    // A dot in the bucket's name does not match the server's wildcard certificate.
    let path_style = path_style || bucket.contains('.');
    let Some(endpoint) = endpoint else {
        return Address {
            url: None,
            path_style,
        };
    };
    let endpoint = endpoint.trim_end_matches('/');
    let (scheme, host) = endpoint.split_once("://").unwrap_or(("https", endpoint));
    // A bucket cannot be put before an IP address, nor does `localhost` have subdomains everywhere.
    if path_style || host.contains('/') || is_address(host) {
        return Address {
            url: Some(endpoint.to_owned()),
            path_style: true,
        };
    }
    Address {
        url: Some(format!("{scheme}://{bucket}.{host}")),
        path_style: false,
    }
}

fn is_address(host: &str) -> bool {
    let name = host.rsplit_once(':').map_or(host, |(name, _)| name);
    host.starts_with('[') || name == "localhost" || name.parse::<IpAddr>().is_ok()
}

#[cfg(test)]
mod tests {
    use super::{Connection, address, endpoint_of};

    fn check(bucket: &str, endpoint: Option<&str>, path_style: bool) -> (Option<String>, bool) {
        let address = address(bucket, endpoint, path_style);
        (address.url, address.path_style)
    }

    #[test]
    fn the_bucket_goes_into_the_host_unless_the_host_cannot_carry_it() {
        let host = Some("https://s3.example.org/");
        assert_eq!(
            check("lake", host, false),
            (Some("https://lake.s3.example.org".to_owned()), false)
        );
        assert_eq!(
            check("lake", host, true),
            (Some("https://s3.example.org".to_owned()), true)
        );
        for local in [
            "http://127.0.0.1:9000",
            "http://[::1]:9000",
            "http://localhost:9000",
        ] {
            assert_eq!(check("lake", Some(local), false), (Some(local.to_owned()), true));
        }
        assert_eq!(check("lake", None, false), (None, false));
        assert_eq!(check("my.lake", None, false), (None, true));
    }

    #[test]
    fn the_environment_gives_an_endpoint_only_when_the_connection_has_none() {
        let environment = |name: &str| match name {
            "AWS_ENDPOINT_URL_S3" => Some("http://s3".to_owned()),
            "AWS_ENDPOINT_URL" => Some("http://all".to_owned()),
            _ => None,
        };
        let mut connection = Connection::default();
        assert_eq!(
            endpoint_of(&connection, environment).as_deref(),
            Some("http://s3")
        );
        connection.endpoint = Some("http://mine".to_owned());
        assert_eq!(
            endpoint_of(&connection, environment).as_deref(),
            Some("http://mine")
        );
        assert_eq!(endpoint_of(&Connection::default(), |_| None), None);
    }
}

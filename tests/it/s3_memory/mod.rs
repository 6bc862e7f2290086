//! An S3 server in memory: the real protocol with real signatures, fast for a million keys, with faults to order.
//!
//! Tests start one each; a benchmark starts one in a process of its own. Any access key that begins with `client` is
//! welcome with [`SECRET`], and rules of the script and held requests tell clients apart by it.

mod api;
mod body;
mod faults;
mod held;
mod socket;
mod store;
mod tally;
mod wire;

use std::net::TcpListener;
use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;
use std::time::SystemTime;

use bytes::Bytes;
use s3s::auth::{S3Auth, SecretKey};
use s3s::service::S3ServiceBuilder;
use s3s::{S3Error, S3ErrorCode, S3Result};
use skewer::storage::{Connection, Credentials, Patience, StoreOptions};
use tokio::sync::mpsc::{UnboundedSender, unbounded_channel};

pub use faults::{Fault, Refusal, Rule, Script};
pub use held::{Held, HeldRequest};
pub use store::Made;
pub use tally::{Op, Tally};
pub use wire::Network;

use api::Api;
use wire::{Command, Shared, State};

pub const SECRET: &str = "test-secret";

/// A running server. Dropping it stops it.
pub struct MemoryS3 {
    pub endpoint: String,
    shared: Arc<Shared>,
    commands: Option<UnboundedSender<Command>>,
    thread: Option<JoinHandle<()>>,
}

struct AnyClient;

#[async_trait::async_trait]
impl S3Auth for AnyClient {
    async fn get_secret_key(&self, access_key: &str) -> S3Result<SecretKey> {
        if access_key.starts_with("client") {
            Ok(SecretKey::from(SECRET))
        } else {
            Err(S3Error::new(S3ErrorCode::InvalidAccessKeyId))
        }
    }
}

impl MemoryS3 {
    /// Starts a server on a free port, on a thread of its own so that tests of any kind can use it.
    pub fn start() -> Self {
        Self::start_with(1)
    }

    pub fn start_with(n_threads: usize) -> Self {
        let api = Api::default();
        let mut service = S3ServiceBuilder::new(api.clone());
        service.set_auth(AnyClient);
        let shared = Arc::new(Shared {
            api,
            service: service.build(),
            state: Mutex::new(State::default()),
            held: Held::default(),
        });
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        listener.set_nonblocking(true).unwrap();
        let endpoint = format!("http://{}", listener.local_addr().unwrap());
        let (commands, told) = unbounded_channel();
        let served = Arc::clone(&shared);
        let thread = std::thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_multi_thread()
                .worker_threads(n_threads)
                .enable_all()
                .build()
                .unwrap();
            runtime.block_on(async {
                let listener = tokio::net::TcpListener::from_std(listener).unwrap();
                // On a worker, because what `block_on` polls itself is slow to be woken.
                drop(tokio::spawn(wire::serve(listener, served, told)).await);
            });
            runtime.shutdown_background();
        });
        Self {
            endpoint,
            shared,
            commands: Some(commands),
            thread: Some(thread),
        }
    }

    pub fn create_bucket(&self, bucket: &str) {
        self.shared.api.buckets().create(bucket);
    }

    /// Puts an object without a request.
    pub fn put(&self, bucket: &str, key: &str, content: impl Into<Bytes>) {
        let mut buckets = self.shared.api.buckets();
        buckets.create(bucket);
        buckets.put(bucket, key, content.into(), false).unwrap();
    }

    /// Puts objects whose bodies are made when they are asked for.
    pub fn put_made(&self, bucket: &str, keys: impl IntoIterator<Item = String>, made: &Made) {
        self.shared.api.buckets().put_made(bucket, keys, made);
    }

    /// Puts an object that is only listed: with a size, an etag of so many parts, and a moment of its last change.
    pub fn put_listed(&self, key: &str, size: u64, etag: (u128, Option<u32>), modified: SystemTime) {
        let mut buckets = self.shared.api.buckets();
        buckets.put_listed("lake", key, size, etag, modified);
    }

    /// What a key holds, without a request.
    pub fn get(&self, bucket: &str, key: &str) -> Option<Bytes> {
        let stored = self.shared.api.buckets().get(bucket, key).ok()?;
        Some(stored.body(key))
    }

    pub fn delete(&self, bucket: &str, key: &str) {
        self.shared.api.buckets().delete(bucket, key).unwrap();
    }

    /// The keys that start with `prefix`, in order, without a request.
    pub fn keys(&self, bucket: &str, prefix: &str) -> Vec<String> {
        self.shared.api.buckets().keys(bucket, prefix)
    }

    /// Uploads that are neither completed nor aborted, as ids and keys.
    pub fn uploads(&self, bucket: &str) -> Vec<(String, String)> {
        self.shared.api.buckets().uploads(bucket)
    }

    pub fn network(&self, network: Network) {
        self.shared.state().network = network;
    }

    /// Adds a rule to the script.
    pub fn order(&self, rule: Rule) {
        self.shared.state().script.add(rule);
    }

    /// Changes or asks the script.
    pub fn script<T>(&self, change: impl FnOnce(&mut Script) -> T) -> T {
        change(&mut self.shared.state().script)
    }

    /// What was asked since the start or [`MemoryS3::reset_tally`].
    pub fn tally(&self) -> Tally {
        self.shared.state().tally.clone()
    }

    pub fn reset_tally(&self) {
        self.shared.state().tally.reset();
    }

    /// Requests that wait for the test's word.
    pub fn held(&self) -> &Held {
        &self.shared.held
    }

    /// Closes all connections and refuses new ones, or takes them again. It is so when this returns.
    pub fn accept_connections(&self, is_up: bool) {
        let (done, is_done) = std::sync::mpsc::channel();
        let commands = self.commands.as_ref().unwrap();
        commands.send(Command::Accept(is_up, done)).ok().unwrap();
        is_done.recv().unwrap();
    }

    pub fn connection(&self) -> Connection {
        connection_to(&self.endpoint)
    }

    /// Options of a store that asks as `client`.
    pub fn options(client: &str, patience: Patience) -> StoreOptions {
        StoreOptions {
            credentials: Credentials::Static {
                access_key: client.to_owned(),
                secret_key: SECRET.to_owned(),
                token: None,
            },
            patience,
        }
    }
}

pub fn connection_to(endpoint: &str) -> Connection {
    Connection {
        region: Some("us-east-1".to_owned()),
        endpoint: Some(endpoint.to_owned()),
        path_style: true,
        ..Connection::default()
    }
}

impl Drop for MemoryS3 {
    fn drop(&mut self) {
        drop(self.commands.take());
        if let Some(thread) = self.thread.take() {
            drop(thread.join());
        }
    }
}

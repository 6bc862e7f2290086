//! An S3 server inside the test's process: the real protocol with real signatures, over a temporary folder.

use std::net::{SocketAddr, TcpListener};
use std::path::PathBuf;
use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;
use std::time::Duration;

use hyper_util::rt::{TokioExecutor, TokioIo};
use hyper_util::server::conn::auto::Builder;
use s3s::access::{S3Access, S3AccessContext};
use s3s::auth::SimpleAuth;
use s3s::service::{S3Service, S3ServiceBuilder};
use s3s::{S3Error, S3ErrorCode, S3Result};
use s3s_fs::FileSystem;
use skewer::storage::{Connection, Credentials, Location, Patience, Store, StoreOptions};
use tokio::sync::oneshot;

/// What goes wrong, to order. Operations have the names of S3's API: `PutObject`, `ListObjectsV2`.
#[derive(Debug, Clone, Default)]
pub struct Faults {
    /// Waited before every answer.
    pub latency: Duration,
    /// So many requests are refused as `SlowDown`.
    pub n_slow_down: usize,
    /// Operations that these credentials may not do.
    pub denied: Vec<&'static str>,
    /// Operations that get no answer.
    pub silent: Vec<&'static str>,
    /// Parts of paths whose next PUT is done, but its answer is lost with the connection.
    pub lost_answers: Vec<&'static str>,
    /// Operations that were asked for, in order.
    pub asked: Vec<String>,
}

/// Refuses requests without credentials, and those that the faults name.
#[derive(Debug, Clone, Default)]
struct Gate(Arc<Mutex<Faults>>);

#[async_trait::async_trait]
impl S3Access for Gate {
    async fn check(&self, request: &mut S3AccessContext<'_>) -> S3Result<()> {
        let operation = request.s3_op().name();
        let (is_silent, latency, refusal) = {
            let mut faults = self.0.lock().unwrap();
            faults.asked.push(operation.to_owned());
            let refusal = if request.credentials().is_none() || faults.denied.contains(&operation) {
                Some(S3ErrorCode::AccessDenied)
            } else if faults.n_slow_down > 0 {
                faults.n_slow_down -= 1;
                Some(S3ErrorCode::SlowDown)
            } else {
                None
            };
            (faults.silent.contains(&operation), faults.latency, refusal)
        };
        if is_silent {
            std::future::pending::<()>().await;
        }
        if !latency.is_zero() {
            tokio::time::sleep(latency).await;
        }
        refusal.map_or(Ok(()), |code| Err(S3Error::new(code)))
    }
}

impl Gate {
    fn takes_answer(&self, path: &str) -> bool {
        let lost = &mut self.0.lock().unwrap().lost_answers;
        let found = lost.iter().position(|part| path.contains(part));
        found.map(|at| lost.swap_remove(at)).is_some()
    }
}

/// A running server. Dropping it stops it and removes its folder.
#[derive(Debug)]
pub struct S3Server {
    pub endpoint: String,
    pub access_key: String,
    pub secret_key: String,
    dir: tempfile::TempDir,
    gate: Gate,
    stop: Option<oneshot::Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

impl S3Server {
    /// Starts a server on a free port, on a thread of its own so that tests of any kind can use it.
    pub fn start() -> Self {
        let dir = tempfile::tempdir().unwrap();
        let (access_key, secret_key) = ("AKIDTEST".to_owned(), "test-secret".to_owned());
        let mut service = S3ServiceBuilder::new(FileSystem::new(dir.path()).unwrap());
        service.set_auth(SimpleAuth::from_single(access_key.clone(), secret_key.clone()));
        let gate = Gate::default();
        service.set_access(gate.clone());
        let service = service.build();
        let served = gate.clone();
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        listener.set_nonblocking(true).unwrap();
        let address: SocketAddr = listener.local_addr().unwrap();
        let (stop, stopped) = oneshot::channel();
        let thread = std::thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread()
                .enable_all()
                .build()
                .unwrap();
            runtime.block_on(serve(listener, service, served, stopped));
        });
        Self {
            endpoint: format!("http://{address}"),
            access_key,
            secret_key,
            dir,
            gate,
            stop: Some(stop),
            thread: Some(thread),
        }
    }

    /// The folder of a bucket, made when it is missing: files written there are its objects.
    pub fn bucket(&self, name: &str) -> PathBuf {
        let folder = self.dir.path().join(name);
        std::fs::create_dir_all(&folder).unwrap();
        folder
    }

    /// Changes what goes wrong from now on, or looks at what was asked.
    pub fn faults<T>(&self, change: impl FnOnce(&mut Faults) -> T) -> T {
        change(&mut self.gate.0.lock().unwrap())
    }

    pub fn connection(&self) -> Connection {
        Connection {
            region: Some("us-east-1".to_owned()),
            endpoint: Some(self.endpoint.clone()),
            path_style: true,
            ..Connection::default()
        }
    }

    pub fn options(&self) -> StoreOptions {
        StoreOptions {
            credentials: Credentials::Static {
                access_key: self.access_key.clone(),
                secret_key: self.secret_key.clone(),
                token: None,
            },
            patience: Patience::default(),
        }
    }

    pub async fn open(&self, location: &str) -> Store {
        let root: Location = location.parse().unwrap();
        Store::open_with(&root, &self.connection(), &self.options())
            .await
            .unwrap()
    }
}

impl Drop for S3Server {
    fn drop(&mut self) {
        drop(self.stop.take());
        if let Some(thread) = self.thread.take() {
            drop(thread.join());
        }
    }
}

async fn serve(listener: TcpListener, service: S3Service, gate: Gate, mut stopped: oneshot::Receiver<()>) {
    let listener = tokio::net::TcpListener::from_std(listener).unwrap();
    loop {
        let socket = tokio::select! {
            _ = &mut stopped => return,
            accepted = listener.accept() => match accepted {
                Ok((socket, _)) => socket,
                Err(_) => continue,
            },
        };
        let (service, gate) = (service.clone(), gate.clone());
        let answer = hyper::service::service_fn(move |request: hyper::Request<hyper::body::Incoming>| {
            let is_lost = request.method() == hyper::Method::PUT && gate.takes_answer(request.uri().path());
            let answer = hyper::service::Service::call(&service, request);
            async move {
                let answer = answer.await.map_err(std::io::Error::other)?;
                if is_lost {
                    return Err(std::io::Error::from(std::io::ErrorKind::ConnectionReset));
                }
                Ok(answer)
            }
        });
        tokio::spawn(async move {
            let server = Builder::new(TokioExecutor::new());
            // A client that hangs up is no failure of the server.
            drop(server.serve_connection(TokioIo::new(socket), answer).await);
        });
    }
}

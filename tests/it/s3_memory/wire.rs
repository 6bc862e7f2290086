//! Between the socket and the buckets: who is let through, after how long, and what of the answer arrives.

use std::io;
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;

use bytes::{Bytes, BytesMut};
use hyper::body::{Body as _, Incoming};
use hyper::{Method, Request, Response};
use hyper_util::rt::{TokioExecutor, TokioIo};
use hyper_util::server::conn::auto::Builder;
use s3s::Body;
use s3s::service::S3Service;
use tokio::net::TcpListener;
use tokio::sync::mpsc::UnboundedReceiver;
use tokio::task::JoinSet;

use super::api::Api;
use super::body::{End, Pieces};
use super::faults::{Asked, Fault, Refusal, Script};
use super::held::{Held, HeldRequest};
use super::socket::Socket;
use super::tally::{Op, Tally};

/// How far away the server seems.
#[derive(Debug, Clone, Copy, Default)]
pub struct Network {
    /// From a request to the first byte of its answer.
    pub latency: Duration,
    /// Up to so much more, by the script's generator.
    pub jitter: Duration,
    /// Of the body of one answer; none is as fast as it goes.
    pub bytes_per_second: Option<u64>,
}

/// What the test changes and asks while the server runs.
#[derive(Debug, Default)]
pub struct State {
    pub script: Script,
    pub network: Network,
    pub tally: Tally,
}

pub struct Shared {
    pub api: Api,
    pub service: S3Service,
    pub state: Mutex<State>,
    pub held: Held,
}

/// What the accepting loop is told.
pub enum Command {
    /// Takes connections, or closes all and refuses new ones; answers when it is so.
    Accept(bool, std::sync::mpsc::Sender<()>),
}

/// Serves until the sender of commands is gone.
pub async fn serve(listener: TcpListener, shared: Arc<Shared>, mut commands: UnboundedReceiver<Command>) {
    let address = listener.local_addr().unwrap();
    let mut listener = Some(listener);
    let mut connections = JoinSet::new();
    loop {
        tokio::select! {
            command = commands.recv() => {
                let Some(Command::Accept(is_up, done)) = command else {
                    return;
                };
                if is_up && listener.is_none() {
                    listener = Some(TcpListener::bind(address).await.unwrap());
                } else if !is_up {
                    listener = None;
                    connections.shutdown().await;
                }
                let _test_gone = done.send(());
            }
            accepted = accept(listener.as_ref()) => {
                if let Ok((stream, _)) = accepted {
                    connections.spawn(connection(Socket::new(stream), Arc::clone(&shared)));
                }
            }
            Some(_) = connections.join_next() => {}
        }
    }
}

async fn accept(listener: Option<&TcpListener>) -> io::Result<(tokio::net::TcpStream, SocketAddr)> {
    match listener {
        Some(listener) => listener.accept().await,
        None => std::future::pending().await,
    }
}

async fn connection(socket: Socket, shared: Arc<Shared>) {
    let is_abrupt = Arc::clone(&socket.is_abrupt);
    let service = hyper::service::service_fn(move |request| {
        let (shared, is_abrupt) = (Arc::clone(&shared), Arc::clone(&is_abrupt));
        async move { shared.answer(request, is_abrupt).await }
    });
    // A client that hangs up is no failure of the server.
    drop(
        Builder::new(TokioExecutor::new())
            .serve_connection(TokioIo::new(socket), service)
            .await,
    );
}

/// Counts a request while it waits for its answer.
struct InFlight(Arc<Shared>);

impl Drop for InFlight {
    fn drop(&mut self) {
        self.0.state().tally.end();
    }
}

impl Shared {
    pub fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap()
    }

    async fn answer(
        self: &Arc<Self>,
        request: Request<Incoming>,
        is_abrupt: Arc<AtomicBool>,
    ) -> io::Result<Response<Body>> {
        let path = decoded(request.uri().path());
        let op = Op::of(request.method(), &path, request.uri().query().unwrap_or_default());
        let client = client_of(&request);
        let (fault, delay, bytes_per_second) = {
            let mut state = self.state();
            state.tally.begin(op);
            let fault = state.script.decide(&Asked {
                op,
                client: &client,
                path: &path,
            });
            state.tally.n_faults += usize::from(fault.is_some());
            let Network {
                latency,
                jitter,
                bytes_per_second,
            } = state.network;
            let delay = if jitter.is_zero() {
                latency
            } else {
                latency + jitter.mul_f64(state.script.random_share())
            };
            (fault, delay, bytes_per_second)
        };
        let _in_flight = InFlight(Arc::clone(self));
        let request = received(request).await?;
        if !delay.is_zero() {
            tokio::time::sleep(delay).await;
        }
        let is_read = matches!(*request.method(), Method::GET | Method::HEAD);
        let held = HeldRequest {
            id: 0,
            client,
            op,
            path,
            is_done: false,
        };
        let step = Arc::clone(self).step(request, fault, held);
        let (answer, fault) = if is_read && !matches!(fault, Some(Fault::Hold | Fault::HoldAnswer)) {
            step.await?
        } else {
            // What has arrived is done, whether or not its client still waits.
            tokio::spawn(step).await.map_err(io::Error::other)??
        };
        match fault {
            Some(Fault::Stall | Fault::StallAnswer) => std::future::pending().await,
            Some(Fault::Reset | Fault::LoseAnswer) => {
                is_abrupt.store(true, Ordering::Release);
                Err(io::ErrorKind::ConnectionReset.into())
            }
            Some(Fault::CutBody(n)) => in_pieces(answer, n, End::Reset, bytes_per_second, is_abrupt).await,
            Some(Fault::StallBody(n)) => {
                in_pieces(answer, n, End::Silence, bytes_per_second, is_abrupt).await
            }
            _ if bytes_per_second.is_some() && op == Op::GetObject => {
                in_pieces(answer, usize::MAX, End::Whole, bytes_per_second, is_abrupt).await
            }
            _ => Ok(answer),
        }
    }

    /// Holds, does or refuses a request. Returns its answer, and what is to become of the answer.
    async fn step(
        self: Arc<Self>,
        request: Request<Body>,
        fault: Option<Fault>,
        held: HeldRequest,
    ) -> io::Result<(Response<Body>, Option<Fault>)> {
        let fault = match fault {
            Some(Fault::Hold) => self.held.hold(held.clone()).await,
            fault => fault,
        };
        match fault {
            Some(Fault::Refuse(refusal)) => Ok((refused(refusal), None)),
            Some(Fault::Reset | Fault::Stall) => Ok((Response::new(Body::empty()), fault)),
            _ => {
                let answer = self.service.call(request).await.map_err(io::Error::other)?;
                let fault = match fault {
                    Some(Fault::HoldAnswer) => {
                        let done = HeldRequest {
                            is_done: true,
                            ..held
                        };
                        self.held.hold(done).await
                    }
                    fault => fault,
                };
                Ok((answer, fault))
            }
        }
    }
}

/// The request with all of its body, so that a client never sees its own sending fail instead of an answer.
async fn received(request: Request<Incoming>) -> io::Result<Request<Body>> {
    let (parts, mut incoming) = request.into_parts();
    let mut whole = BytesMut::new();
    while let Some(frame) = std::future::poll_fn(|cx| Pin::new(&mut incoming).poll_frame(cx)).await {
        if let Ok(piece) = frame.map_err(io::Error::other)?.into_data() {
            whole.extend_from_slice(&piece);
        }
    }
    Ok(Request::from_parts(parts, Body::from(whole.freeze())))
}

async fn in_pieces(
    answer: Response<Body>,
    n_bytes: usize,
    end: End,
    bytes_per_second: Option<u64>,
    is_abrupt: Arc<AtomicBool>,
) -> io::Result<Response<Body>> {
    let (parts, mut body) = answer.into_parts();
    let mut whole: Bytes = body
        .store_all_limited(usize::MAX)
        .await
        .map_err(io::Error::other)?;
    whole.truncate(n_bytes);
    let pieces = Pieces::new(whole, end, bytes_per_second, is_abrupt);
    Ok(Response::from_parts(parts, Body::http_body_unsync(pieces)))
}

fn refused(refusal: Refusal) -> Response<Body> {
    let xml = format!(
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?><Error><Code>{}</Code><Message>to order</Message></Error>",
        refusal.code
    );
    Response::builder()
        .status(refusal.status)
        .header("content-type", "application/xml")
        .body(Body::from(xml))
        .unwrap()
}

/// The access key that a request is signed with; empty for an unsigned one.
fn client_of(request: &Request<Incoming>) -> String {
    let header = request.headers().get("authorization");
    let text = header.and_then(|value| value.to_str().ok()).unwrap_or_default();
    let (_, after) = text.split_once("Credential=").unwrap_or_default();
    let (key, _) = after.split_once('/').unwrap_or_default();
    key.to_owned()
}

fn decoded(path: &str) -> String {
    if !path.contains('%') {
        return path.to_owned();
    }
    let bytes = path.as_bytes();
    let mut out = Vec::with_capacity(bytes.len());
    let mut i = 0;
    while i < bytes.len() {
        let hex = path.get(i + 1..i + 3).filter(|_| bytes[i] == b'%');
        if let Some(byte) = hex.and_then(|hex| u8::from_str_radix(hex, 16).ok()) {
            out.push(byte);
            i += 3;
        } else {
            out.push(bytes[i]);
            i += 1;
        }
    }
    String::from_utf8_lossy(&out).into_owned()
}

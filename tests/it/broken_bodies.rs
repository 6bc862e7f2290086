//! Bodies that break off: what a reader gets, and what it asked the server for.

use std::io::{BufRead as _, BufReader, Write as _};
use std::net::{TcpListener, TcpStream};
use std::sync::mpsc::{self, Receiver};

use futures::TryStreamExt as _;
use skewer::storage::{Connection, Location, Patience, StorageError, Store, StoreOptions};

use crate::run::block_on;

const N_BYTES: usize = 1000;

fn content() -> Vec<u8> {
    (0..N_BYTES).map(|i| u8::try_from(i % 251).unwrap()).collect()
}

/// What one request asked for.
#[derive(Debug, PartialEq, Eq)]
struct Asked {
    from: usize,
    if_match: Option<String>,
}

/// A server of one object that hangs up after `piece` bytes of every answer. From answer `n_same` on the object is
/// another one.
struct Server {
    endpoint: String,
    asked: Receiver<Asked>,
}

impl Server {
    fn start(piece: usize, n_same: usize) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let endpoint = format!("http://{}", listener.local_addr().unwrap());
        let (tell, asked) = mpsc::channel();
        std::thread::spawn(move || {
            for (n, socket) in listener.incoming().flatten().enumerate() {
                let is_same = n < n_same;
                let Some(request) = read_request(&socket) else {
                    continue;
                };
                answer(&socket, &request, piece, is_same);
                if tell.send(request).is_err() {
                    return;
                }
            }
        });
        Self { endpoint, asked }
    }

    fn read(&self) -> Result<Vec<u8>, StorageError> {
        let connection = Connection {
            region: Some("us-east-1".to_owned()),
            endpoint: Some(self.endpoint.clone()),
            path_style: true,
            anonymous: true,
            ..Connection::default()
        };
        let options = StoreOptions {
            patience: Patience {
                max_retries: 1,
                ..Patience::default()
            },
            ..StoreOptions::default()
        };
        let root: Location = "s3://lake/raw/".parse().unwrap();
        block_on(async {
            let store = Store::open_with(&root, &connection, &options).await.unwrap();
            let pieces: Vec<bytes::Bytes> = store.get_stream("a.jsonl").await?.try_collect().await?;
            Ok(pieces.concat())
        })
    }
}

fn read_request(socket: &TcpStream) -> Option<Asked> {
    let mut asked = Asked {
        from: 0,
        if_match: None,
    };
    for line in BufReader::new(socket).lines() {
        let line = line.ok()?;
        let Some((name, value)) = line.split_once(": ") else {
            if line.is_empty() {
                return Some(asked);
            }
            continue;
        };
        match name.to_ascii_lowercase().as_str() {
            "range" => {
                let from = value.strip_prefix("bytes=")?.split('-').next()?;
                asked.from = from.parse().ok()?;
            }
            "if-match" => asked.if_match = Some(value.to_owned()),
            _ => {}
        }
    }
    None
}

fn answer(mut socket: &TcpStream, asked: &Asked, piece: usize, is_same: bool) {
    let etag = if is_same { "\"one\"" } else { "\"two\"" };
    if asked.if_match.as_deref().is_some_and(|wanted| wanted != etag) {
        let text = "HTTP/1.1 412 Precondition Failed\r\ncontent-length: 0\r\nconnection: close\r\n\r\n";
        socket.write_all(text.as_bytes()).unwrap();
        return;
    }
    let status = if asked.from == 0 {
        "200 OK"
    } else {
        "206 Partial Content"
    };
    let head = format!(
        "HTTP/1.1 {status}\r\netag: {etag}\r\nlast-modified: Wed, 01 Jan 2020 00:00:00 GMT\r\ncontent-length: {}\r\n\
         content-range: bytes {}-{}/{N_BYTES}\r\nconnection: close\r\n\r\n",
        N_BYTES - asked.from,
        asked.from,
        N_BYTES - 1
    );
    let end = N_BYTES.min(asked.from + piece);
    socket.write_all(head.as_bytes()).unwrap();
    socket.write_all(&content()[asked.from..end]).unwrap();
}

#[test]
fn a_body_that_breaks_off_again_and_again_is_read_once_and_to_its_end() {
    let server = Server::start(200, usize::MAX);
    assert_eq!(server.read().unwrap(), content());
    let asked: Vec<usize> = server.asked.try_iter().map(|asked| asked.from).collect();
    assert_eq!(asked, [0, 200, 400, 600, 800]);
}

#[test]
fn a_body_that_stops_coming_is_an_error_after_some_patience() {
    let server = Server::start(0, usize::MAX);
    let error = server.read().unwrap_err();
    assert!(error.is_transient(), "{error}");
}

#[test]
fn the_rest_of_another_version_is_not_joined_to_the_first_part() {
    let server = Server::start(200, 2);
    let error = server.read().unwrap_err();
    assert!(error.is_transient(), "{error}");
    let asked: Vec<Asked> = server.asked.try_iter().collect();
    assert!(asked.len() <= 5, "{asked:?}");
    assert!(
        asked
            .iter()
            .skip(2)
            .any(|asked| asked.if_match.as_deref() == Some("\"one\"")),
        "{asked:?}"
    );
}

//! A bucket in memory for tests of the commit protocol: every request waits until a scheduler lets it through, and is
//! answered as the scheduler says: as it should be, with an error, with an answer that is lost, or late.
//!
//! The real protocol runs on it, from the bucket's requests up; `schedule` draws the orders and the faults.

mod readers;
mod runner;
mod schedule;

use std::collections::BTreeMap;
use std::future::poll_fn;
use std::sync::{Arc, Mutex, MutexGuard};
use std::task::Poll;

use bytes::Bytes;
use chrono::DateTime;

use crate::base::Cancel;
use crate::run::files::NOTE_SUFFIX;
use crate::storage::{Location, Object, StorageError, Store};

pub(super) const BUCKET: &str = "lake";

/// The requests of a bucket: a real one's, or the model's.
#[derive(Debug, Clone)]
pub(super) enum Remote {
    Store(Store),
    Model(Client),
}

impl Remote {
    pub async fn get(&self, key: &str) -> Result<Bytes, StorageError> {
        match self {
            Self::Store(store) => store.get(key).await,
            Self::Model(client) => client
                .ask(Request::Get {
                    key: client.full(key),
                })
                .await
                .content(),
        }
    }

    pub async fn head(&self, key: &str) -> Result<Option<Object>, StorageError> {
        match self {
            Self::Store(store) => store.head(key).await,
            Self::Model(client) => match client
                .ask(Request::Get {
                    key: client.full(key),
                })
                .await
                .content()
            {
                Ok(content) => Ok(Some(object(key, &content))),
                Err(StorageError::NotFound { .. }) => Ok(None),
                Err(error) => Err(error),
            },
        }
    }

    pub async fn list_all(&self, prefix: &str, cancel: &Cancel) -> Result<Vec<Object>, StorageError> {
        match self {
            Self::Store(store) => store.list_all(prefix, cancel).await,
            Self::Model(client) => {
                let list = Request::List {
                    prefix: client.full(prefix),
                };
                let objects = client.ask(list).await.objects()?;
                let relative = |object: Object| Object {
                    key: object.key[client.prefix.len()..].to_owned(),
                    ..object
                };
                Ok(objects.into_iter().map(relative).collect())
            }
        }
    }

    pub async fn put(&self, key: &str, content: Bytes) -> Result<(), StorageError> {
        self.write(key, content, false).await
    }

    pub async fn put_if_absent(&self, key: &str, content: Bytes) -> Result<(), StorageError> {
        self.write(key, content, true).await
    }

    async fn write(&self, key: &str, content: Bytes, only_new: bool) -> Result<(), StorageError> {
        match self {
            Self::Store(store) if only_new => store.put_if_absent(key, content).await,
            Self::Store(store) => store.put(key, content).await,
            Self::Model(client) => {
                let key = client.full(key);
                // Notes of uploads are no one's business but `gc`'s: they are there at once.
                if key.ends_with(NOTE_SUFFIX) {
                    client.world.lock().objects.insert(key, content);
                    return Ok(());
                }
                let put = Request::Put {
                    key,
                    content,
                    only_new,
                };
                client.ask(put).await.done()
            }
        }
    }

    pub async fn delete(&self, key: &str) -> Result<(), StorageError> {
        match self {
            Self::Store(store) => store.delete(key).await,
            Self::Model(client) => client
                .ask(Request::Delete {
                    key: client.full(key),
                })
                .await
                .done(),
        }
    }

    pub async fn create_multipart(&self, key: &str) -> Result<String, StorageError> {
        match self {
            Self::Store(store) => store.create_multipart(key).await,
            Self::Model(client) => Ok(client.world.start_upload(&client.full(key))),
        }
    }

    pub async fn put_part(
        &self,
        key: &str,
        upload_id: &str,
        index: usize,
        content: Bytes,
    ) -> Result<String, StorageError> {
        match self {
            Self::Store(store) => store.put_part(key, upload_id, index, content).await,
            Self::Model(client) => {
                client.world.add_to_upload(upload_id, &content);
                Ok(format!("\"{index}\""))
            }
        }
    }

    pub async fn complete_multipart(
        &self,
        key: &str,
        upload_id: &str,
        etags: Vec<String>,
    ) -> Result<(), StorageError> {
        match self {
            Self::Store(store) => store.complete_multipart(key, upload_id, etags).await,
            Self::Model(client) => {
                let complete = Request::Complete {
                    key: client.full(key),
                    id: upload_id.to_owned(),
                };
                client.ask(complete).await.done()
            }
        }
    }

    pub async fn abort_multipart(&self, key: &str, upload_id: &str) -> Result<(), StorageError> {
        match self {
            Self::Store(store) => store.abort_multipart(key, upload_id).await,
            Self::Model(client) => client
                .ask(Request::Abort {
                    id: upload_id.to_owned(),
                })
                .await
                .done(),
        }
    }

    pub fn location(&self, key: &str) -> Location {
        match self {
            Self::Store(store) => store.location(key),
            Self::Model(client) => Location::S3 {
                bucket: BUCKET.to_owned(),
                key: client.full(key),
            },
        }
    }
}

/// What becomes of a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Fate {
    Done,
    /// Not done, and the answer says that the server is busy.
    Refused,
    /// Done, and the answer is lost.
    AnswerLost,
    /// Done, the answer is lost, and the client asks again by itself.
    AskedAgain,
    /// On its way longer than the client waits: it is done some time later.
    Late,
    /// Not done: a conditional write is told that another one is under way.
    Conflict,
}

#[derive(Debug, Clone)]
enum Request {
    Get {
        key: String,
    },
    List {
        prefix: String,
    },
    Put {
        key: String,
        content: Bytes,
        only_new: bool,
    },
    Delete {
        key: String,
    },
    Complete {
        key: String,
        id: String,
    },
    Abort {
        id: String,
    },
}

impl Request {
    fn is_read(&self) -> bool {
        matches!(self, Self::Get { .. } | Self::List { .. })
    }
}

/// What the server answers.
enum Answer {
    Content(Bytes),
    Objects(Vec<Object>),
    Done,
    Failed(StorageError),
}

impl Answer {
    fn content(self) -> Result<Bytes, StorageError> {
        match self {
            Self::Content(content) => Ok(content),
            Self::Failed(error) => Err(error),
            Self::Objects(_) | Self::Done => panic!("a get is answered with content"),
        }
    }

    fn objects(self) -> Result<Vec<Object>, StorageError> {
        match self {
            Self::Objects(objects) => Ok(objects),
            Self::Failed(error) => Err(error),
            Self::Content(_) | Self::Done => panic!("a list is answered with objects"),
        }
    }

    fn done(self) -> Result<(), StorageError> {
        match self {
            Self::Done => Ok(()),
            Self::Failed(error) => Err(error),
            Self::Content(_) | Self::Objects(_) => panic!("a change is answered without content"),
        }
    }
}

/// How the model's server is worse than S3: proof that the readers' checks see what it costs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) enum Server {
    /// As S3 promises.
    #[default]
    Sound,
    /// A completed upload can be completed again, over whatever is there by then: as a plain copy into place.
    CompletesTwice,
    /// A conditional write is done whether or not there is an object.
    OverwritesAlways,
}

/// The bucket.
#[derive(Debug, Clone, Default)]
pub(super) struct World(Arc<Mutex<State>>);

#[derive(Debug, Default)]
struct State {
    server: Server,
    objects: BTreeMap<String, Bytes>,
    uploads: BTreeMap<String, Upload>,
    /// Every upload there ever was, with its content.
    history: BTreeMap<String, Bytes>,
    /// Requests that arrive later.
    on_their_way: Vec<Request>,
    /// The request of each client that waits for its turn.
    waiting: BTreeMap<usize, Request>,
    turns: BTreeMap<usize, Fate>,
    n_requests: u64,
}

#[derive(Debug, Clone)]
struct Upload {
    key: String,
    content: Vec<u8>,
}

/// One process's way to the bucket.
#[derive(Debug, Clone)]
pub(super) struct Client {
    world: World,
    /// None asks at once and always gets its answer.
    id: Option<usize>,
    prefix: String,
}

impl Client {
    fn full(&self, key: &str) -> String {
        format!("{}{key}", self.prefix)
    }

    async fn ask(&self, request: Request) -> Answer {
        let Some(id) = self.id else {
            return self.world.lock().answer(&request, Fate::Done);
        };
        let fate = poll_fn(|_| {
            let mut state = self.world.lock();
            if let Some(fate) = state.turns.remove(&id) {
                return Poll::Ready(fate);
            }
            state.waiting.insert(id, request.clone());
            Poll::Pending
        });
        let fate = fate.await;
        let mut state = self.world.lock();
        state.waiting.remove(&id);
        state.answer(&request, fate)
    }
}

impl World {
    fn new(server: Server) -> Self {
        let world = Self::default();
        world.lock().server = server;
        world
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap()
    }

    fn client(&self, id: Option<usize>) -> Client {
        Client {
            world: self.clone(),
            id,
            prefix: String::new(),
        }
    }

    fn start_upload(&self, key: &str) -> String {
        let mut state = self.lock();
        let id = format!("u{}", state.history.len());
        state.history.insert(id.clone(), Bytes::new());
        let upload = Upload {
            key: key.to_owned(),
            content: Vec::new(),
        };
        state.uploads.insert(id.clone(), upload);
        id
    }

    fn add_to_upload(&self, id: &str, content: &[u8]) {
        let mut state = self.lock();
        let upload = state.uploads.get_mut(id).unwrap();
        upload.content.extend_from_slice(content);
        let content = Bytes::from(upload.content.clone());
        state.history.insert(id.to_owned(), content);
    }
}

impl State {
    fn answer(&mut self, request: &Request, fate: Fate) -> Answer {
        self.n_requests += 1;
        let busy = || {
            Answer::Failed(StorageError::Unreachable {
                location: format!("{request:?}"),
                message: format!("{fate:?}"),
            })
        };
        match fate {
            Fate::Done => self.perform(request),
            Fate::Refused => busy(),
            _ if request.is_read() => busy(),
            Fate::AnswerLost => {
                self.perform(request);
                busy()
            }
            Fate::AskedAgain => {
                self.perform(request);
                self.perform(request)
            }
            Fate::Late => {
                self.on_their_way.push(request.clone());
                busy()
            }
            Fate::Conflict => match request {
                Request::Put {
                    key, only_new: true, ..
                } => Answer::Failed(StorageError::AlreadyExists {
                    location: key.clone(),
                }),
                _ => self.perform(request),
            },
        }
    }

    fn perform(&mut self, request: &Request) -> Answer {
        let missing = |key: &str| {
            Answer::Failed(StorageError::NotFound {
                location: key.to_owned(),
                hint: String::new(),
            })
        };
        match request {
            Request::Get { key } => match self.objects.get(key) {
                Some(content) => Answer::Content(content.clone()),
                None => missing(key),
            },
            Request::List { prefix } => {
                let found = self.objects.range(prefix.clone()..);
                let found = found.take_while(|(key, _)| key.starts_with(prefix.as_str()));
                Answer::Objects(found.map(|(key, content)| object(key, content)).collect())
            }
            Request::Put {
                key,
                content,
                only_new,
            } => {
                let is_refused = *only_new && self.server != Server::OverwritesAlways;
                if is_refused && self.objects.contains_key(key) {
                    return Answer::Failed(StorageError::AlreadyExists {
                        location: key.clone(),
                    });
                }
                self.objects.insert(key.clone(), content.clone());
                Answer::Done
            }
            Request::Delete { key } => {
                self.objects.remove(key);
                Answer::Done
            }
            Request::Complete { key, id } => {
                let upload = if self.server == Server::CompletesTwice {
                    self.uploads.get(id).cloned()
                } else {
                    self.uploads.remove(id)
                };
                match upload {
                    Some(upload) => {
                        assert_eq!(upload.key, *key);
                        self.objects.insert(upload.key, upload.content.into());
                        Answer::Done
                    }
                    None => missing(key),
                }
            }
            Request::Abort { id } => {
                self.uploads.remove(id);
                Answer::Done
            }
        }
    }
}

fn object(key: &str, content: &[u8]) -> Object {
    Object {
        key: key.to_owned(),
        size: content.len() as u64,
        modified: DateTime::UNIX_EPOCH,
        etag: None,
    }
}

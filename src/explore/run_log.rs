//! Opens what ran: a Spark event log or the report of one of our own runs, on disk or on S3.
//!
//! Leaves to `profile` what the bytes mean; here they are found, streamed and handed over.

use std::fs::File;

use futures::StreamExt as _;
use thiserror::Error;
use tokio::runtime::Handle;
use tokio::sync::mpsc;

use crate::base::{Cancel, Progress};
use crate::profile::events::{
    Application, ApplicationDelta, ApplicationProfile, EventsError, LogPart, OwnDelta, OwnRun, ReadOptions,
    compare, compare_own, diagnose_until, log_files, read_log,
};
use crate::storage::{Connection, Location, Object, PieceReader, StorageError, Store};

/// The name under which a run leaves its report.
const REPORT: &str = "report.json";
/// Enough of a file to see whether it is a report.
const HEAD_BYTES: u64 = 4096;
/// A report is small; what is larger is something else.
const MAX_REPORT_BYTES: u64 = 256 << 20;
/// Pieces of an object that wait for the thread that decompresses.
const PIECES_AHEAD: usize = 4;

/// What ran.
#[derive(Debug, Clone)]
pub enum RunLog {
    Spark(Box<SparkRun>),
    Own(Box<OwnRun>),
}

/// A Spark application with its tasks, and its diagnosis.
#[derive(Debug, Clone)]
pub struct SparkRun {
    pub application: Application,
    pub profile: ApplicationProfile,
}

/// What differs between two runs of the same kind.
#[derive(Debug, Clone)]
pub enum RunDelta {
    Spark(Box<ApplicationDelta>),
    Own(Box<OwnDelta>),
}

impl RunLog {
    /// What a log is, in words.
    fn kind(&self) -> &'static str {
        match self {
            Self::Spark(_) => "a Spark event log",
            Self::Own(_) => "the report of a run",
        }
    }

    /// When it began, in milliseconds since the epoch. A run of ours tells it by its name.
    pub fn started_ms(&self) -> Option<i64> {
        match self {
            Self::Spark(run) => run.profile.started_ms,
            Self::Own(run) => run.started_ms(),
        }
    }

    /// What changed from `before` to this one.
    ///
    /// # Errors
    /// [`RunLogError::Kinds`] when one is of Spark and the other of ours.
    pub fn against(&self, before: &Self) -> Result<RunDelta, RunLogError> {
        let is_backwards = matches!((before.started_ms(), self.started_ms()), (Some(a), Some(b)) if a > b);
        let backwards =
            is_backwards.then(|| "what counts as before began later than what counts as after".to_owned());
        match (before, self) {
            (Self::Spark(before), Self::Spark(after)) => {
                let mut delta = compare(&before.profile, &after.profile);
                delta.notes.extend(backwards);
                Ok(RunDelta::Spark(Box::new(delta)))
            }
            (Self::Own(before), Self::Own(after)) => {
                let mut delta = compare_own(before, after);
                delta.notes.extend(backwards);
                Ok(RunDelta::Own(Box::new(delta)))
            }
            (before, after) => Err(RunLogError::Kinds {
                before: before.kind(),
                after: after.kind(),
            }),
        }
    }
}

/// Why a log could not be opened, or compared.
#[derive(Debug, Error)]
pub enum RunLogError {
    #[error(transparent)]
    Storage(#[from] StorageError),
    #[error(transparent)]
    Events(#[from] EventsError),
    /// What is there is no log, or more than one.
    #[error("{location}: {source}")]
    Files {
        location: String,
        #[source]
        source: EventsError,
    },
    #[error("{before} and {after} have nothing to compare: give two of one kind")]
    Kinds {
        before: &'static str,
        after: &'static str,
    },
    #[error("{location}: a report of {n_bytes} bytes is too large to be one")]
    LargeReport { location: String, n_bytes: u64 },
    #[error("the reading thread ended early: {message}")]
    Worker { message: String },
}

/// Opens and reads the log at `location`: a file, a rolling folder, or the report or folder of a run. A cancel gives what
/// was read of an event log before it, and says so.
///
/// # Errors
/// [`RunLogError`], also on a cancel before anything was read.
pub async fn open_run_log(
    location: &Location,
    connection: &Connection,
    progress: &Progress,
    cancel: &Cancel,
) -> Result<RunLog, RunLogError> {
    // Credentials may wait for a server that never answers.
    let opened = cancel.until(Store::open(location, connection)).await;
    let store = opened.map_err(StorageError::from)??;
    read_run_log(&store, progress, cancel).await
}

/// Reads the log in a place that was opened; as [`open_run_log`].
///
/// # Errors
/// [`RunLogError`], also on a cancel before anything was read.
pub async fn read_run_log(
    store: &Store,
    progress: &Progress,
    cancel: &Cancel,
) -> Result<RunLog, RunLogError> {
    let location = store.root().to_string();
    let opening = async {
        let objects = store.list_all("", cancel).await?;
        let report = report_of(store, &objects).await?;
        Ok::<_, RunLogError>((objects, report))
    };
    let opened = cancel.until(opening).await;
    let (objects, report) = opened.map_err(StorageError::from)??;
    // A prefix of a bucket is there only by its objects.
    if objects.is_empty() && store.root().is_s3() {
        return Err(RunLogError::Storage(StorageError::NotFound {
            location,
            hint: ": no object has this name, and none begins with it; check its spelling and the bucket"
                .to_owned(),
        }));
    }
    if let Some(report) = report {
        return Ok(RunLog::Own(Box::new(report)));
    }
    let keys = objects.iter().map(|object| object.key.as_str());
    let files = log_files(keys).map_err(|source| RunLogError::Files { location, source })?;
    let parts: Vec<Object> = files
        .keys
        .iter()
        .filter_map(|key| objects.iter().find(|object| object.key == *key).cloned())
        .collect();
    progress.add_total(parts.iter().map(|object| object.size).sum());
    let (store, progress, cancel) = (store.clone(), progress.clone(), cancel.clone());
    let handle = Handle::current();
    let read = tokio::task::spawn_blocking(move || {
        let parts = parts
            .into_iter()
            .map(|object| open_part(&store, &object, &handle, &cancel));
        let mut application = read_log(parts, &ReadOptions::default(), &progress, &cancel)?;
        application.reading.notes.splice(0..0, files.notes);
        progress.set_note("diagnosing");
        let profile = diagnose_until(&application, &cancel);
        Ok::<_, EventsError>(SparkRun { application, profile })
    });
    let run = read.await.map_err(|error| RunLogError::Worker {
        message: error.to_string(),
    })??;
    Ok(RunLog::Spark(Box::new(run)))
}

/// The report among the objects, when they are those of a run.
async fn report_of(store: &Store, objects: &[Object]) -> Result<Option<OwnRun>, RunLogError> {
    let mut below = objects
        .iter()
        .filter(|object| object.key.rsplit('/').next() == Some(REPORT));
    // The only one among what runs keep for themselves, too.
    let only = below.next().filter(|_| below.next().is_none());
    let named = objects.iter().find(|object| object.key == REPORT).or(only);
    let Some(object) = named.or_else(|| objects.first().filter(|_| objects.len() == 1)) else {
        return Ok(None);
    };
    let head = store
        .get_range(&object.key, 0, object.size.min(HEAD_BYTES))
        .await?;
    if !OwnRun::is_report(&head) {
        return Ok(None);
    }
    let location = store.location(&object.key).to_string();
    if object.size > MAX_REPORT_BYTES {
        return Err(RunLogError::LargeReport {
            location,
            n_bytes: object.size,
        });
    }
    let text = store.get(&object.key).await?;
    let text = String::from_utf8_lossy(&text);
    Ok(Some(OwnRun::from_json(&location, &text)?))
}

/// One file of a log; an object of S3 arrives piece by piece while it is read.
fn open_part(
    store: &Store,
    object: &Object,
    handle: &Handle,
    cancel: &Cancel,
) -> Result<LogPart, EventsError> {
    let name = store.location(&object.key).to_string();
    if let Some(path) = store.local_path(&object.key) {
        let file = File::open(path).map_err(|source| EventsError::Read {
            name: name.clone(),
            source,
        })?;
        return Ok(LogPart {
            name,
            stored: Box::new(file),
        });
    }
    let (send, pieces) = mpsc::channel(PIECES_AHEAD);
    let (store, key, cancel) = (store.clone(), object.key.clone(), cancel.clone());
    let sending = async move {
        let mut stream = match store.get_stream(&key).await {
            Ok(stream) => stream,
            Err(error) => {
                drop(send.send(Err(error)).await);
                return;
            }
        };
        while let Some(piece) = stream.next().await {
            // The reader is gone: nobody wants the rest.
            if send.send(piece).await.is_err() {
                return;
            }
        }
    };
    // A server that stops answering must not hold the thread that waits for pieces.
    handle.spawn(async move { cancel.until(sending).await });
    let stored = Box::new(PieceReader::new(pieces, object.size));
    Ok(LogPart { name, stored })
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::{RunLog, RunLogError, open_run_log};
    use crate::base::{Cancel, Progress};
    use crate::profile::events::EventsError;
    use crate::storage::{Connection, Location};

    async fn open(path: &Path) -> Result<RunLog, RunLogError> {
        let location = Location::Local(path.to_owned());
        open_run_log(
            &location,
            &Connection::default(),
            &Progress::new(),
            &Cancel::new(),
        )
        .await
    }

    #[tokio::test]
    async fn a_rolling_folder_a_file_and_a_folder_of_logs_are_told_apart() {
        let logs = Path::new("tests/it/eventlog");
        for name in [
            "eventlog_v2_app-20261120215001-0000",
            "app-20261120215001-0000.lz4",
        ] {
            let RunLog::Spark(run) = open(&logs.join(name)).await.unwrap() else {
                panic!("{name}")
            };
            assert_eq!(run.profile.headline.n_tasks, 35, "{name}");
        }
        let error = open(logs).await.unwrap_err();
        assert!(
            matches!(&error, RunLogError::Files { source: EventsError::Several { names }, .. } if names.contains("app-20261120215001-0000.lz4")),
            "{error}"
        );
        let empty = tempfile::tempdir().unwrap();
        assert!(matches!(
            open(empty.path()).await,
            Err(RunLogError::Files {
                source: EventsError::NoFiles,
                ..
            })
        ));
    }

    #[tokio::test]
    async fn the_report_of_a_run_is_known_by_its_kind_and_not_by_its_name() {
        let folder = tempfile::tempdir().unwrap();
        let text = r#"{"apiVersion":"skewer/v1","kind":"RunReport","run_id":"r","job":"j","status":"done",
            "partitions":[{"partition":"2020-01-01","status":"committed","rows_in":3,"rows_out":2,"n_files":1,
            "seconds":{"list":1,"fetch":2,"decode":3,"transform":4,"encode":5,"commit":6}}]}"#;
        let path = folder.path().join("any.json");
        std::fs::write(&path, text).unwrap();
        let RunLog::Own(run) = open(&path).await.unwrap() else {
            panic!("no report")
        };
        assert!((run.seconds().total() - 21.0).abs() < 1e-9);
        // The folder where runs keep what they leave holds one report among other files.
        let control = tempfile::tempdir().unwrap();
        std::fs::create_dir_all(control.path().join("t/runs/r")).unwrap();
        std::fs::write(control.path().join("t/runs/r/report.json"), text).unwrap();
        std::fs::write(control.path().join("t/commit.json"), "{}").unwrap();
        assert!(matches!(open(control.path()).await.unwrap(), RunLog::Own(_)));
        // Truncated, it is still no event log, and says where it ends.
        std::fs::write(&path, &text[..200]).unwrap();
        let error = open(&path).await.unwrap_err().to_string();
        assert!(error.contains("any.json") && error.contains("EOF"), "{error}");
    }
}

//! Why a log cannot be read at all. What is merely damaged is read as far as it goes, and noted.

use thiserror::Error;

use crate::base::{Cancelled, units};

/// Why nothing could be said of a log.
#[derive(Debug, Error)]
pub enum EventsError {
    #[error("{}", no_event(name, *n_lines))]
    NotALog { name: String, n_lines: u64 },
    #[error(
        "{note}, which is before its first event: copy it again, or wait until Spark has written more of it"
    )]
    Damaged { note: String },
    #[error("{name}: compressed with lzf, which is not read: set spark.eventLog.compression.codec to zstd")]
    Lzf { name: String },
    #[error("{}", placed(name, source))]
    Read {
        name: String,
        #[source]
        source: std::io::Error,
    },
    #[error("{name}: {message}")]
    Report { name: String, message: String },
    #[error(
        "no event log here: give a log file, a folder eventlog_v2_<application> with its events_<n>_ files, or the report of \
         a run"
    )]
    NoFiles,
    #[error("several logs are here: give one of {names}")]
    Several { names: String },
    #[error("the system gives no thread: {0}")]
    Threads(std::io::Error),
    #[error(transparent)]
    Cancelled(#[from] Cancelled),
}

fn no_event(name: &str, n_lines: u64) -> String {
    let what = match n_lines {
        0 => "the file is empty".to_owned(),
        1 => "its only line is no Spark event".to_owned(),
        n => format!("no Spark event among its {} lines", units::count(n)),
    };
    format!("{name}: {what}: give an event log or the report of a run")
}

/// An error of storage names its place itself.
fn placed(name: &str, source: &std::io::Error) -> String {
    let text = source.to_string();
    if text.starts_with(name) {
        text
    } else {
        format!("{name}: {text}")
    }
}

//! The redo log of a day: a commit record that exists or not decides what the day is; publishing its parts can be
//! done again by anyone until a marker says it is done.
//!
//! `<control>/<day>/commits/0000000001.json` is written only when it is not there. From then on the commit is made:
//! a crash before its parts are in place is mended by the next run, from the record alone.

use chrono::{NaiveDate, Utc};
use serde::{Deserialize, Serialize};

use super::files::{Files, Staged};
use super::run_id::random_suffix;
use super::{PartReport, RunError, exit};
use crate::base::envelope::API_VERSION;
use crate::job::Sink;
use crate::storage::Location;

/// What a commit record holds, in the envelope of everything a run leaves.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Envelope {
    #[serde(rename = "apiVersion")]
    api_version: String,
    kind: String,
    commit: Commit,
}

/// One commit of a day.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Commit {
    pub v: u32,
    /// Tells a writer whether the record it finds is its own.
    pub nonce: String,
    pub run_id: String,
    pub spec_sha256: String,
    /// Number of the commit this one follows; 0 for the first.
    pub base: u64,
    pub kind: CommitKind,
    pub parts: Vec<CommitPart>,
    /// Published parts that this commit replaces, relative to the table.
    pub deletes: Vec<String>,
    pub created: String,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum CommitKind {
    /// The day had no rows before.
    Append,
    /// The day's former parts go.
    Rewrite,
}

/// One part of a commit.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct CommitPart {
    /// Its number in the day, never used again.
    pub slot: u64,
    /// Relative to the table.
    pub path: String,
    #[serde(flatten)]
    pub staged: Staged,
    pub rows: u64,
    pub bytes: u64,
}

/// The commits of one day.
#[derive(Debug, Clone)]
pub(super) struct DayLog<'a> {
    files: &'a Files,
    sink: &'a Sink,
    day: NaiveDate,
}

/// What a day's log says.
#[derive(Debug, Clone, Default)]
pub(super) struct DayState {
    /// Number of the last commit; 0 when there is none.
    pub n: u64,
    pub last: Option<Commit>,
    /// Whether the last commit had to be finished for a run that stopped.
    pub was_rolled_forward: bool,
    /// The first part number that was never used.
    pub next_slot: u64,
}

impl<'a> DayLog<'a> {
    pub fn new(files: &'a Files, sink: &'a Sink, day: NaiveDate) -> Self {
        Self { files, sink, day }
    }

    /// Reads the last commit, and finishes it when its run stopped before it could.
    pub async fn recover(&self) -> Result<DayState, RunError> {
        let numbers = self.commit_numbers().await?;
        let Some(n) = numbers.last().copied() else {
            return Ok(DayState::default());
        };
        let mut state = DayState {
            n,
            ..DayState::default()
        };
        for number in numbers {
            let commit = self
                .read(number)
                .await?
                .ok_or_else(|| self.unreadable(number, "it vanished"))?;
            let slots = commit.parts.iter().map(|part| part.slot + 1);
            state.next_slot = slots.fold(state.next_slot, u64::max);
            state.last = Some(commit);
        }
        if let Some(commit) = &state.last
            && self.files.read(&self.applied(n)).await?.is_none()
        {
            self.apply(n, commit).await?;
            state.was_rolled_forward = true;
        }
        Ok(state)
    }

    /// Makes `commit` the one after its base. From here on it holds, whatever happens to this process.
    ///
    /// # Errors
    /// [`RunError::Lost`] when another run was first, [`RunError::Unsure`] when the record may have been written.
    pub async fn commit(&self, commit: &Commit) -> Result<(), RunError> {
        const MAX_TRIES: usize = 3;
        let n = commit.base + 1;
        let at = self.record(n);
        let content = encode(commit, &at)?;
        for _ in 0..MAX_TRIES {
            let written = self.files.put_new(&at, &content).await;
            if matches!(written, Ok(true)) {
                return Ok(());
            }
            // A request may have written the record although its answer was lost: the nonce tells.
            let found = self.read(n).await;
            match (found, written) {
                (Ok(Some(found)), _) if found.nonce == commit.nonce => return Ok(()),
                (Ok(Some(found)), _) => return Err(RunError::Lost { winner: found.run_id }),
                // Nothing is there, and nothing can arrive later: a refusal is an answer, and a file system has no delay.
                (Ok(None), Err(error)) if !at.is_s3() || error.exit_code() == exit::CONFIGURATION => {
                    return Err(error);
                }
                (_, Err(error)) | (Err(error), _) => {
                    return Err(RunError::Unsure {
                        location: at.to_string(),
                        message: error.to_string(),
                    });
                }
                (Ok(None), Ok(_)) => {}
            }
        }
        Err(RunError::Lost {
            winner: "unknown".to_owned(),
        })
    }

    /// Publishes what commit `n` says. May run any number of times, by any process.
    pub async fn apply(&self, n: u64, commit: &Commit) -> Result<(), RunError> {
        for part in &commit.parts {
            let at = self.sink.root.join(&part.path);
            self.files.publish(&part.staged, &at, part.bytes).await?;
        }
        for path in &commit.deletes {
            self.files.delete(&self.sink.root.join(path)).await?;
        }
        let success = self
            .sink
            .root
            .join(&format!("{}/_SUCCESS", self.sink.partition(self.day)));
        self.files.put(&success, b"").await?;
        self.files.put(&self.applied(n), b"").await?;
        self.files
            .remove_folder(&staging(self.sink, &commit.run_id, self.day))
    }

    async fn commit_numbers(&self) -> Result<Vec<u64>, RunError> {
        let names = self.files.names(&self.folder().join("commits")).await?;
        let mut numbers: Vec<u64> = names
            .iter()
            .filter_map(|name| name.strip_suffix(".json")?.parse().ok())
            .collect();
        numbers.sort_unstable();
        Ok(numbers)
    }

    async fn read(&self, n: u64) -> Result<Option<Commit>, RunError> {
        let Some(content) = self.files.read(&self.record(n)).await? else {
            return Ok(None);
        };
        let envelope: Envelope =
            serde_json::from_slice(&content).map_err(|error| self.unreadable(n, &error.to_string()))?;
        if envelope.api_version != API_VERSION || envelope.kind != "Commit" {
            return Err(self.unreadable(n, "another version wrote it"));
        }
        Ok(Some(envelope.commit))
    }

    fn unreadable(&self, n: u64, message: &str) -> RunError {
        RunError::Record {
            location: self.record(n).to_string(),
            message: message.to_owned(),
        }
    }

    fn folder(&self) -> Location {
        self.sink.control.join(&self.day.to_string())
    }

    fn record(&self, n: u64) -> Location {
        self.folder().join(&format!("commits/{n:010}.json"))
    }

    fn applied(&self, n: u64) -> Location {
        self.folder().join(&format!("applied/{n:010}"))
    }
}

impl Commit {
    pub fn new(run_id: &str, spec_sha256: &str, state: &DayState, parts: Vec<CommitPart>) -> Self {
        let deletes: Vec<String> = state
            .last
            .iter()
            .flat_map(|last| last.parts.iter().map(|part| part.path.clone()))
            .collect();
        Self {
            v: 1,
            nonce: random_suffix(),
            run_id: run_id.to_owned(),
            spec_sha256: spec_sha256.to_owned(),
            base: state.n,
            kind: if state.n == 0 {
                CommitKind::Append
            } else {
                CommitKind::Rewrite
            },
            parts,
            deletes,
            created: Utc::now().to_rfc3339_opts(chrono::SecondsFormat::Secs, true),
        }
    }

    /// The parts as a report names them.
    pub fn part_reports(&self, sink: &Sink) -> Vec<PartReport> {
        self.parts
            .iter()
            .map(|part| PartReport {
                path: sink.root.join(&part.path).to_string(),
                rows: part.rows,
                bytes: part.bytes,
            })
            .collect()
    }
}

/// Where the local parts of a run's day wait for their commit.
pub(super) fn staging(sink: &Sink, run_id: &str, day: NaiveDate) -> Location {
    sink.control.join(&format!("staging/{run_id}/{day}"))
}

fn encode(commit: &Commit, at: &Location) -> Result<Vec<u8>, RunError> {
    let envelope = Envelope {
        api_version: API_VERSION.to_owned(),
        kind: "Commit".to_owned(),
        commit: commit.clone(),
    };
    serde_json::to_vec_pretty(&envelope).map_err(|error| RunError::Record {
        location: at.to_string(),
        message: error.to_string(),
    })
}

#[cfg(test)]
mod tests {
    use super::{Commit, CommitKind, CommitPart, Envelope, encode};
    use crate::run::files::Staged;

    fn part(slot: u64, staged: Staged) -> CommitPart {
        CommitPart {
            slot,
            path: format!("day_partition=2020-01-02/part-{slot:05}.parquet"),
            staged,
            rows: 10,
            bytes: 1234,
        }
    }

    #[test]
    fn the_record_has_its_golden_form_and_reads_back() {
        let commit = Commit {
            v: 1,
            nonce: "0123456789abcdef".to_owned(),
            run_id: "20200103T000000-1".to_owned(),
            spec_sha256: "ab".repeat(32),
            base: 1,
            kind: CommitKind::Rewrite,
            parts: vec![
                part(
                    3,
                    Staged::Local {
                        staged: "/lake/_skewer/t/staging/r/part-00003.parquet".parse().unwrap(),
                    },
                ),
                part(
                    4,
                    Staged::S3 {
                        upload_id: "u-1".to_owned(),
                        part_etags: vec!["\"e1\"".to_owned()],
                    },
                ),
            ],
            deletes: vec!["day_partition=2020-01-02/part-00000.parquet".to_owned()],
            created: "2020-01-03T00:00:00Z".to_owned(),
        };
        let text = encode(&commit, &"x".parse().unwrap()).unwrap();
        insta::assert_snapshot!("commit_record", String::from_utf8(text.clone()).unwrap());
        assert_eq!(serde_json::from_slice::<Envelope>(&text).unwrap().commit, commit);
    }
}

//! The redo log of a day: a commit record that exists or not decides what the day is; publishing its parts can be
//! done again by anyone until a marker says it is done.
//!
//! `<control>/<day>/commits/0000000001.json` is written only when it is not there. From then on the commit is made:
//! a crash before its parts are in place is mended by the next run, from the record alone.

use std::io;

use chrono::{NaiveDate, Utc};
use serde::{Deserialize, Serialize};

use super::error::SWEEP;
use super::files::{Files, Name, Staged};
use super::ledger::Ledger;
use super::part::SINGLE_NAME;
use super::run_id::random_suffix;
use super::{PartReport, RunError, exit};
use crate::base::envelope::API_VERSION;
use crate::job::Sink;
use crate::storage::{Location, StorageError};

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
    /// Of what decides which rows a record becomes: see [`crate::job::Job::logic_sha256`].
    #[serde(default)]
    pub logic_sha256: String,
    /// Of the columns of the day's parts: see [`crate::job::Job::columns_sha256`].
    #[serde(default)]
    pub columns_sha256: String,
    /// Of the files of the day's inputs; empty without inputs.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub inputs_sha256: String,
    /// Number of the commit this one follows; 0 for the first.
    pub base: u64,
    pub kind: CommitKind,
    /// Parts that this commit publishes.
    pub parts: Vec<CommitPart>,
    /// Parts of the commit before that stay.
    #[serde(default)]
    pub kept: Vec<DayPart>,
    /// Published parts that this commit replaces, relative to the table.
    pub deletes: Vec<String>,
    /// The list of the day's parts for engines that read by it, replaced in one step.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub manifest: Option<StagedManifest>,
    /// The day's ledger after this commit, relative to the day's control folder.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ledger: Option<String>,
    /// The first part number that was never used.
    #[serde(default)]
    pub next_slot: u64,
    pub created: String,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum CommitKind {
    #[default]
    /// Rows of new objects; every part of before stays.
    Append,
    /// Some or all of the day's former parts go.
    Rewrite,
    /// The same rows in fewer parts.
    Compact,
    /// Rows of records that were in quarantine.
    Replay,
    /// Nothing, so that a run that began before can no longer commit and what it left can be removed.
    Fence,
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

/// One published part of a day.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct DayPart {
    pub slot: u64,
    /// Relative to the table.
    pub path: String,
    pub rows: u64,
    pub bytes: u64,
}

/// A manifest that is written but not in its place.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct StagedManifest {
    #[serde(flatten)]
    pub staged: Staged,
    pub bytes: u64,
}

/// What is to be committed.
#[derive(Debug, Default)]
pub(super) struct Changes {
    pub parts: Vec<CommitPart>,
    pub kept: Vec<DayPart>,
    pub deletes: Vec<String>,
    pub ledger: Option<String>,
    pub manifest: Option<StagedManifest>,
    pub columns_sha256: String,
    pub inputs_sha256: String,
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

impl DayState {
    /// The day's parts as a report names them, none of them new.
    pub fn part_reports(&self, sink: &Sink) -> Vec<PartReport> {
        let last = self.last.iter();
        last.flat_map(|last| last.part_reports(sink, false)).collect()
    }
}

impl<'a> DayLog<'a> {
    pub fn new(files: &'a Files, sink: &'a Sink, day: NaiveDate) -> Self {
        Self { files, sink, day }
    }

    /// Reads the last commit, and finishes it when its run stopped before it could. A commit that is about to be replaced
    /// need not be whole: its lost parts are computed again.
    pub async fn recover(&self, is_replaced: bool) -> Result<DayState, RunError> {
        let numbers = self.commit_numbers().await?;
        let Some(n) = numbers.last().copied() else {
            return Ok(DayState::default());
        };
        let commit = self
            .read(n)
            .await?
            .ok_or_else(|| self.unreadable(n, "it vanished"))?;
        let mut next_slot = commit.next_slot.max(first_free_slot(&commit));
        if commit.next_slot == 0 {
            // A record of the first format: the slots of the commits before are in their own records.
            for number in numbers {
                let before = self
                    .read(number)
                    .await?
                    .ok_or_else(|| self.unreadable(number, "it vanished"))?;
                next_slot = next_slot.max(first_free_slot(&before));
            }
        }
        let mut state = DayState {
            n,
            last: Some(commit),
            was_rolled_forward: false,
            next_slot,
        };
        if let Some(commit) = &state.last
            && self.files.read(&self.applied(n)).await?.is_none()
        {
            self.apply_to(n, commit, is_replaced).await?;
            state.was_rolled_forward = true;
        }
        Ok(state)
    }

    /// Refuses a day whose folder holds parts that its log does not know, as after the control data were lost: new parts
    /// beside them would double their rows.
    ///
    /// # Errors
    /// [`RunError::UnknownPart`].
    pub async fn check_parts(&self, state: &DayState) -> Result<(), RunError> {
        let folder = self.sink.root.join(&self.sink.partition(self.day));
        let is_known = |name: &str| {
            let mut parts = state.last.iter().flat_map(Commit::paths);
            parts.any(|path| path.rsplit('/').next() == Some(name))
        };
        let names = self.files.names(&folder).await?;
        let unknown = names
            .into_iter()
            .find(|name| name.ends_with(".parquet") && !is_known(name));
        match unknown {
            // Another run may have committed since; the commit itself tells who was first.
            Some(name) if self.commit_numbers().await?.last().copied().unwrap_or(0) == state.n => {
                Err(RunError::UnknownPart {
                    location: folder.join(&name).to_string(),
                    control: self.folder().to_string(),
                })
            }
            _ => Ok(()),
        }
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
        let mut broken = None;
        for _ in 0..MAX_TRIES {
            let written = self.files.put_new(&at, &content).await;
            if matches!(written, Ok(true)) {
                return Ok(());
            }
            // A request may have written the record although its answer was lost: the nonce tells.
            let found = self.read(n).await;
            match (found, written) {
                (Ok(Some(found)), _) if found.nonce == commit.nonce => return Ok(()),
                (Ok(Some(found)), _) => {
                    return Err(RunError::Lost {
                        winner: found.winner(),
                    });
                }
                // Nothing is there, and nothing can arrive later: a refusal is an answer, and a file system has no delay.
                (Ok(None), Err(error))
                    if !at.is_s3() || (broken.is_none() && error.exit_code() == exit::CONFIGURATION) =>
                {
                    return Err(error);
                }
                // The same record again does no harm: should the first arrive late, it makes the same commit.
                (Ok(None), Err(error)) => broken = Some(error),
                (_, Err(error)) | (Err(error), _) => return Err(self.unsure(n, &error)),
                (Ok(None), Ok(_)) => {}
            }
        }
        Err(match broken {
            Some(error) => self.unsure(n, &error),
            None => RunError::Lost {
                winner: "unknown".to_owned(),
            },
        })
    }

    /// Publishes what commit `n` says. May run any number of times, by any process.
    pub async fn apply(&self, n: u64, commit: &Commit) -> Result<(), RunError> {
        self.apply_to(n, commit, false).await
    }

    /// As [`Self::apply`]. A commit that is about to be replaced goes to its end without the parts it lost: what it
    /// leaves staged could appear later, and what it leaves undeleted no commit would know.
    async fn apply_to(&self, n: u64, commit: &Commit, may_lose: bool) -> Result<(), RunError> {
        let published = |done: Result<(), RunError>| match done {
            Err(RunError::PartLost { .. }) if may_lose => Ok(()),
            done => done,
        };
        for part in &commit.parts {
            let at = self.sink.root.join(&part.path);
            let name = if part.path.ends_with(SINGLE_NAME) {
                Name::Again
            } else {
                Name::Once
            };
            published(self.publish(n, &part.staged, &at, part.bytes, name).await)?;
        }
        if let Some(manifest) = &commit.manifest {
            let at = self.manifest();
            let done = self.publish(n, &manifest.staged, &at, manifest.bytes, Name::Again);
            published(done.await)?;
        }
        for path in &commit.deletes {
            self.files.delete(&self.sink.root.join(path)).await?;
        }
        if commit.kind != CommitKind::Fence {
            let success = self
                .sink
                .root
                .join(&format!("{}/_SUCCESS", self.sink.partition(self.day)));
            self.files.put(&success, b"").await?;
        }
        self.files.put(&self.applied(n), b"").await?;
        self.files
            .remove_folder(&staging(self.sink, &commit.run_id, self.day))
            .await
    }

    /// Publishes one staged object. An object whose name is used again (a day in a single part, a manifest) may have been
    /// published and replaced since by others: the marker of this commit tells.
    async fn publish(
        &self,
        n: u64,
        staged: &Staged,
        at: &Location,
        n_bytes: u64,
        name: Name,
    ) -> Result<(), RunError> {
        match self.files.publish(staged, at, n_bytes, name).await {
            Err(RunError::PartLost { .. }) if self.files.read(&self.applied(n)).await?.is_some() => Ok(()),
            published => published,
        }
    }

    /// What `error` is when another run has committed since `state` was read: what this one was reading of the table is
    /// replaced and gone, which says nothing about the table, and what it staged a sweep may have removed.
    pub async fn lost_or(&self, state: &DayState, error: RunError) -> RunError {
        let can_be_lost = match &error {
            RunError::PartUnreadable { .. }
            | RunError::Part(_)
            | RunError::Record { .. }
            | RunError::PartLost { .. }
            | RunError::Vanished { .. }
            | RunError::Read { .. }
            | RunError::Storage(StorageError::NotFound { .. }) => true,
            RunError::Write { source, .. } => source.kind() == io::ErrorKind::NotFound,
            _ => false,
        };
        if !can_be_lost {
            return error;
        }
        let last = match self.commit_numbers().await {
            Ok(numbers) => numbers.last().copied().filter(|last| *last > state.n),
            Err(unknown) => return unknown,
        };
        match last {
            None => error,
            Some(last) => match self.read(last).await {
                Ok(Some(commit)) => RunError::Lost {
                    winner: commit.winner(),
                },
                Ok(None) => error,
                Err(unknown) => unknown,
            },
        }
    }

    /// The numbers of the day's commits with the runs that made them, oldest first.
    pub async fn run_ids(&self) -> Result<Vec<(u64, String)>, RunError> {
        let mut run_ids = Vec::new();
        for number in self.commit_numbers().await? {
            let commit = self.read(number).await?;
            // A fence has the name of the run before it, which has a commit of its own.
            let of_run = commit.filter(|commit| commit.kind != CommitKind::Fence);
            run_ids.extend(of_run.map(|commit| (number, commit.run_id)));
        }
        Ok(run_ids)
    }

    /// The ledger of the last commit; none when an earlier version left none.
    ///
    /// # Errors
    /// [`RunError::Record`] when the commit names a ledger that is not there or does not read.
    pub async fn ledger(&self, state: &DayState) -> Result<Option<Ledger>, RunError> {
        let Some(name) = state.last.as_ref().and_then(|commit| commit.ledger.as_deref()) else {
            return Ok(None);
        };
        let at = self.folder().join(name);
        if let Some(content) = self.files.read(&at).await? {
            return Ledger::decode(content, &at).map(Some);
        }
        let error = RunError::Record {
            location: at.to_string(),
            message: "the last commit names this ledger, and it is gone; --replace computes the day again"
                .to_owned(),
        };
        Err(self.lost_or(state, error).await)
    }

    /// Writes the ledger of a commit to come; gives the name by which the commit refers to it.
    pub async fn put_ledger(&self, state: &DayState, ledger: &Ledger) -> Result<String, RunError> {
        let name = format!("ledger/{:010}-{}.parquet", state.n + 1, random_suffix());
        let at = self.folder().join(&name);
        self.files.put(&at, &ledger.encode(&at)?).await?;
        Ok(name)
    }

    /// Removes a ledger whose commit did not come about.
    pub async fn drop_ledger(&self, name: &str) -> Result<(), RunError> {
        self.files.delete(&self.folder().join(name)).await
    }

    /// The list of the day's parts, one location a line, in a folder that is laid out as the table.
    pub fn manifest(&self) -> Location {
        let partition = self.sink.partition(self.day);
        self.sink.control.join(&format!("manifest/{partition}/manifest"))
    }

    pub async fn commit_numbers(&self) -> Result<Vec<u64>, RunError> {
        let names = self.files.names(&self.folder().join("commits")).await?;
        let mut numbers: Vec<u64> = names
            .iter()
            .filter_map(|name| name.strip_suffix(".json")?.parse().ok())
            .collect();
        numbers.sort_unstable();
        Ok(numbers)
    }

    pub async fn read(&self, n: u64) -> Result<Option<Commit>, RunError> {
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

    fn unsure(&self, n: u64, error: &RunError) -> RunError {
        RunError::Unsure {
            location: self.record(n).to_string(),
            message: error.to_string(),
        }
    }

    fn unreadable(&self, n: u64, message: &str) -> RunError {
        RunError::Record {
            location: self.record(n).to_string(),
            message: message.to_owned(),
        }
    }

    pub fn folder(&self) -> Location {
        self.sink.control.join(&self.day.to_string())
    }

    fn record(&self, n: u64) -> Location {
        self.folder().join(&format!("commits/{n:010}.json"))
    }

    fn applied(&self, n: u64) -> Location {
        self.folder().join(&format!("applied/{n:010}"))
    }
}

/// The first slot after all that a commit speaks of.
fn first_free_slot(commit: &Commit) -> u64 {
    let made = commit.parts.iter().map(|part| part.slot + 1);
    let kept = commit.kept.iter().map(|part| part.slot + 1);
    made.chain(kept).fold(commit.next_slot, u64::max)
}

impl Commit {
    /// The commit after `state` that makes `changes`.
    pub fn new(
        kind: CommitKind,
        run_id: &str,
        hashes: [&str; 2],
        state: &DayState,
        changes: Changes,
    ) -> Self {
        let [spec_sha256, logic_sha256] = hashes;
        let mut commit = Self {
            v: 2,
            nonce: random_suffix(),
            run_id: run_id.to_owned(),
            spec_sha256: spec_sha256.to_owned(),
            logic_sha256: logic_sha256.to_owned(),
            columns_sha256: changes.columns_sha256,
            inputs_sha256: changes.inputs_sha256,
            base: state.n,
            kind,
            parts: changes.parts,
            kept: changes.kept,
            deletes: changes.deletes,
            manifest: changes.manifest,
            ledger: changes.ledger,
            next_slot: state.next_slot,
            created: Utc::now().to_rfc3339_opts(chrono::SecondsFormat::Secs, true),
        };
        commit.next_slot = first_free_slot(&commit);
        commit
    }

    /// The parts of the day once this commit is applied, in the order of their slots.
    pub fn day_parts(&self) -> Vec<DayPart> {
        let made = self.parts.iter().map(|part| DayPart {
            slot: part.slot,
            path: part.path.clone(),
            rows: part.rows,
            bytes: part.bytes,
        });
        let mut parts: Vec<DayPart> = self.kept.iter().cloned().chain(made).collect();
        parts.sort_by_key(|part| part.slot);
        parts
    }

    /// Who made it, for one that came too late.
    pub fn winner(&self) -> String {
        match self.kind {
            CommitKind::Fence => SWEEP.to_owned(),
            _ => self.run_id.clone(),
        }
    }

    /// Whether the day has no table: nothing was committed before it was fenced.
    pub fn is_nothing(&self) -> bool {
        self.kind == CommitKind::Fence && self.ledger.is_none() && self.kept.is_empty()
    }

    /// Paths of the day's parts, relative to the table.
    fn paths(&self) -> impl Iterator<Item = &str> {
        let made = self.parts.iter().map(|part| part.path.as_str());
        made.chain(self.kept.iter().map(|part| part.path.as_str()))
    }

    /// The parts of the day as a report names them.
    pub fn part_reports(&self, sink: &Sink, is_ours: bool) -> Vec<PartReport> {
        self.day_parts()
            .into_iter()
            .map(|part| PartReport {
                is_new: is_ours && self.parts.iter().any(|made| made.slot == part.slot),
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
    use std::io;

    use super::{
        Changes, Commit, CommitKind, CommitPart, DayLog, DayPart, DayState, Envelope, StagedManifest, encode,
    };
    use crate::job::Job;
    use crate::run::RunError;
    use crate::run::files::{Files, Staged};

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
            v: 2,
            nonce: "0123456789abcdef".to_owned(),
            run_id: "20200103T000000-1".to_owned(),
            spec_sha256: "ab".repeat(32),
            logic_sha256: "cd".repeat(32),
            columns_sha256: "ef".repeat(32),
            inputs_sha256: "01".repeat(32),
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
                        note: Some("lake/_skewer/t/staging/r/part-00004.parquet.upload.json".to_owned()),
                    },
                ),
            ],
            kept: vec![DayPart {
                slot: 1,
                path: "day_partition=2020-01-02/part-00001.parquet".to_owned(),
                rows: 7,
                bytes: 99,
            }],
            deletes: vec!["day_partition=2020-01-02/part-00000.parquet".to_owned()],
            manifest: Some(StagedManifest {
                staged: Staged::Local {
                    staged: "/lake/_skewer/t/staging/r/manifest".parse().unwrap(),
                },
                bytes: 120,
            }),
            ledger: Some("ledger/0000000002-0123456789abcdef.parquet".to_owned()),
            next_slot: 5,
            created: "2020-01-03T00:00:00Z".to_owned(),
        };
        let text = encode(&commit, &"x".parse().unwrap()).unwrap();
        insta::assert_snapshot!("commit_record", String::from_utf8(text.clone()).unwrap());
        assert_eq!(serde_json::from_slice::<Envelope>(&text).unwrap().commit, commit);
    }

    #[tokio::test]
    async fn a_staged_file_that_is_gone_is_a_lost_race_where_another_commit_came_first() {
        let folder = tempfile::tempdir().unwrap();
        let spec = "\
apiVersion: skewer/v1
kind: Job
metadata: {name: j}
source: {uri: 'raw/{day}/', schema: {fields: [{name: id, type: int64}]}}
sink: {uri: out/j}
";
        let job = Job::from_text(spec, folder.path()).unwrap();
        let log = DayLog::new(&Files::Local, &job.sink, "2020-01-02".parse().unwrap());
        let state = DayState::default();
        let gone = |kind: io::ErrorKind| RunError::Write {
            path: "staging".to_owned(),
            source: kind.into(),
        };
        let kind_of = async |kind| log.lost_or(&state, gone(kind)).await.exit_code();
        assert_eq!(kind_of(io::ErrorKind::NotFound).await, 1, "nobody came first");
        let fence = Commit::new(CommitKind::Fence, "r", ["", ""], &state, Changes::default());
        log.commit(&fence).await.unwrap();
        assert_eq!(kind_of(io::ErrorKind::NotFound).await, 75);
        assert_eq!(kind_of(io::ErrorKind::StorageFull).await, 1);
        let lost = log
            .lost_or(&state, gone(io::ErrorKind::NotFound))
            .await
            .to_string();
        assert!(
            lost.starts_with("`skewer gc` swept this day at the same time"),
            "{lost}"
        );
    }

    #[test]
    fn a_record_of_the_first_format_still_reads() {
        let text = r#"{"apiVersion": "skewer/v1", "kind": "Commit", "commit": {
            "v": 1, "nonce": "0123456789abcdef", "run_id": "r", "spec_sha256": "ab", "base": 0, "kind": "append",
            "parts": [{"slot": 4, "path": "d/part-00004.parquet", "staged": "/x", "rows": 1, "bytes": 2}],
            "deletes": [], "created": "2020-01-03T00:00:00Z"}}"#;
        let read = serde_json::from_str::<Envelope>(text).unwrap().commit;
        assert_eq!((read.ledger.as_deref(), read.next_slot), (None, 0));
        assert_eq!(super::first_free_slot(&read), 5);
        assert_eq!(read.day_parts().len(), 1);
    }
}

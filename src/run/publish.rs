//! The last act of a day: its ledger, its manifest, its commit record, and what the record says done.

use chrono::NaiveDate;

use super::RunError;
use super::commit::{Changes, Commit, CommitKind, CommitPart, DayLog, DayState, StagedManifest, staging};
use super::files::Files;
use super::ledger::Ledger;
use super::run_id::random_suffix;
use super::work::check_ledger;
use crate::job::Job;
use crate::storage::Location;

/// What a commit is made for.
pub(super) struct Publication<'a> {
    pub job: &'a Job,
    pub files: &'a Files,
    pub log: &'a DayLog<'a>,
    pub state: &'a DayState,
    pub run_id: &'a str,
    pub day: NaiveDate,
    /// Of the rows that the day has after it.
    pub logic_sha256: &'a str,
    /// Of the columns of its parts.
    pub columns_sha256: &'a str,
    /// Of the files of the day's inputs.
    pub inputs_sha256: &'a str,
    /// Whether the ledger knows which row came from which object; not where steps mix the rows of a day.
    pub is_traced: bool,
    /// Whether the staged parts are this run's alone. Those of a plan stay for its next `commit`.
    pub owns_parts: bool,
}

impl Publication<'_> {
    /// Commits `changes` with `ledger` as the day's ledger after them, and publishes. When another run was first,
    /// everything staged is taken back.
    ///
    /// # Errors
    /// [`RunError::Lost`] and whatever the storage says. After [`RunError::Unsure`] what is staged is left: the commit may
    /// have been made, and the next run publishes it or makes its own.
    pub async fn publish(
        &self,
        kind: CommitKind,
        mut changes: Changes,
        ledger: &Ledger,
    ) -> Result<Commit, RunError> {
        self.columns_sha256.clone_into(&mut changes.columns_sha256);
        self.inputs_sha256.clone_into(&mut changes.inputs_sha256);
        let staged = self.stage(&mut changes, ledger).await;
        let hashes = [self.job.spec_sha256.as_str(), self.logic_sha256];
        let commit = Commit::new(kind, self.run_id, hashes, self.state, changes);
        let committed = match staged {
            Ok(()) => self.log.commit(&commit).await,
            // What is staged, another process that commits the same plan or a sweep may have removed.
            Err(error) => Err(self.log.lost_or(self.state, error).await),
        };
        if let Err(error) = committed {
            if !matches!(error, RunError::Unsure { .. }) {
                self.take_back(&commit).await;
            }
            return Err(error);
        }
        self.log.apply(commit.base + 1, &commit).await?;
        Ok(commit)
    }

    async fn stage(&self, changes: &mut Changes, ledger: &Ledger) -> Result<(), RunError> {
        let hashes = ["", ""];
        let parts = Changes {
            parts: changes.parts.clone(),
            kept: changes.kept.clone(),
            ..Changes::default()
        };
        let preview = Commit::new(CommitKind::Append, self.run_id, hashes, self.state, parts);
        let day_parts = preview.day_parts();
        if self.is_traced {
            check_ledger(&day_parts, ledger)?;
        }
        if self.job.sink.manifest {
            let mut lines = String::new();
            for part in &day_parts {
                lines.push_str(&self.job.sink.root.join(&part.path).to_string());
                lines.push('\n');
            }
            changes.manifest = Some(self.stage_manifest(lines).await?);
        }
        changes.ledger = Some(self.log.put_ledger(self.state, ledger).await?);
        Ok(())
    }

    async fn stage_manifest(&self, text: String) -> Result<StagedManifest, RunError> {
        let folder = staging(&self.job.sink, self.run_id, self.day);
        let waiting = folder.join(&format!("manifest-{}", random_suffix()));
        let staging = self.files.stage_whole(waiting, self.log.manifest(), text.into());
        let (staged, bytes) = staging.await?;
        Ok(StagedManifest { staged, bytes })
    }

    /// A failure here leaves only what `gc` removes.
    async fn take_back(&self, commit: &Commit) {
        let folder = staging(&self.job.sink, self.run_id, self.day);
        let mut ended = Ok(());
        if self.owns_parts {
            ended = discard(self.job, self.files, &commit.parts, &folder).await;
        }
        if let Some(manifest) = &commit.manifest {
            ended = ended.and(self.files.discard(&manifest.staged, &self.log.manifest()).await);
        }
        if let Some(ledger) = &commit.ledger {
            ended = ended.and(self.log.drop_ledger(ledger).await);
        }
        if let Err(error) = ended {
            tracing::warn!(%error, day = %self.day, "what was staged could not be removed");
        }
    }
}

/// Takes back staged parts that will not be published, and their folder with all else that is staged in it.
pub(super) async fn discard(
    job: &Job,
    files: &Files,
    parts: &[CommitPart],
    folder: &Location,
) -> Result<(), RunError> {
    for part in parts {
        files
            .discard(&part.staged, &job.sink.root.join(&part.path))
            .await?;
    }
    files.remove_folder(folder).await
}

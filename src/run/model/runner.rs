//! What processes do to a day of the model: the steps of a run, a compaction or a sweep, with rows instead of records.
//!
//! Deciding, keeping the ledger, committing and publishing are the product's own code.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use bytes::Bytes;
use chrono::{NaiveDate, Utc};

use super::{Client, Remote, Request, World};
use crate::base::Cancel;
use crate::job::{Job, SinkLayout};
use crate::run::commit::{Changes, Commit, CommitPart, DayLog, DayState, staging};
use crate::run::files::{Bucket, Files, NOTE_SUFFIX, Staged};
use crate::run::gc::{Collector, GcOptions};
use crate::run::ledger::{Cut, Ledger};
use crate::run::objects::{Listed, Objects};
use crate::run::part::SINGLE_NAME;
use crate::run::publish::{Publication, discard};
use crate::run::run_id::new_run_id;
use crate::run::segments::Segments;
use crate::run::slots::Slots;
use crate::run::work::{Decision, Work, compaction, decide, made_ledger, next_ledger};
use crate::run::{RunError, RunOptions};
use crate::storage::Location;

/// A row: its file, the version of its file, its line.
pub(super) const ROW_BYTES: usize = 8;

pub(super) fn row(file: usize, version: u64, line: u64) -> u64 {
    (file as u64) << 32 | version << 16 | line
}

/// The raw objects of the day: version and number of rows, by number.
pub(super) type Raw = Arc<Mutex<BTreeMap<usize, (u64, u64)>>>;

/// What a process is started to do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Command {
    Run,
    Replace,
    Compact,
    Gc,
}

/// One process.
#[derive(Clone)]
pub(super) struct Runner {
    pub job: Arc<Job>,
    pub day: NaiveDate,
    pub client: Client,
    pub raw: Raw,
}

/// Rows to write, and what of the day they are.
struct Made {
    work: Work,
    old: Option<Ledger>,
    rows: Vec<u64>,
    segments: Segments,
}

impl Runner {
    pub fn new(job: &Arc<Job>, day: NaiveDate, world: &World, id: Option<usize>, raw: &Raw) -> Self {
        Self {
            job: Arc::clone(job),
            day,
            client: world.client(id),
            raw: Arc::clone(raw),
        }
    }

    pub fn files(&self) -> Files {
        Files::S3(Bucket {
            store: Remote::Model(self.client.clone()),
        })
    }

    /// Whether anything was committed.
    pub async fn go(self, command: Command) -> Result<bool, RunError> {
        match command {
            Command::Run => self.run(false).await,
            Command::Replace => self.run(true).await,
            Command::Compact => self.compact().await,
            Command::Gc => self.gc().await.map(|()| false),
        }
    }

    async fn run(&self, is_replaced: bool) -> Result<bool, RunError> {
        let files = self.files();
        let log = DayLog::new(&files, &self.job.sink, self.day);
        let state = log.recover(is_replaced).await?;
        let raw = self.raw.lock().unwrap().clone();
        let mut objects = Objects::default();
        for (file, (version, n_rows)) in &raw {
            objects.push(Listed {
                key: &format!("{file:03}.jsonl"),
                etag: Some(&version.to_string()),
                size: *n_rows,
            });
        }
        let ledger = if is_replaced {
            None
        } else {
            log.ledger(&state).await?
        };
        let decided = decide(&self.job, &state, ledger.as_ref(), objects, "", is_replaced)?;
        let Decision::Work(work) = decided else {
            return Ok(false);
        };
        log.check_parts(&state).await?;
        let mut made = match self.copied(work, ledger).await {
            Ok(made) => made,
            Err(error) => return Err(log.lost_or(&state, error).await),
        };
        for (index, object) in (0..).zip(made.work.objects.iter()) {
            let file: usize = object.key[..3].parse().unwrap();
            let (version, n_rows) = raw[&file];
            made.segments.push(index, n_rows);
            made.rows.extend((0..n_rows).map(|line| row(file, version, line)));
        }
        self.publish(&files, &log, &state, made).await
    }

    async fn compact(&self) -> Result<bool, RunError> {
        let files = self.files();
        let log = DayLog::new(&files, &self.job.sink, self.day);
        let state = log.recover(false).await?;
        let Some(work) = state.last.as_ref().and_then(|last| compaction(&self.job, last)) else {
            return Ok(false);
        };
        let ledger = log.ledger(&state).await?;
        log.check_parts(&state).await?;
        match self.copied(work, ledger).await {
            Ok(made) => self.publish(&files, &log, &state, made).await,
            Err(error) => Err(log.lost_or(&state, error).await),
        }
    }

    /// Reads the rows of published parts that stay.
    async fn copied(&self, work: Work, old: Option<Ledger>) -> Result<Made, RunError> {
        let mut rows = Vec::new();
        for copy in work.copies.iter().filter(|copy| !copy.rows.is_empty()) {
            let key = key_of(&self.job.sink.root.join(&copy.part.path));
            let content = self.client.ask(Request::Get { key }).await.content()?;
            // A reader of Parquet is told by the footer that the part is another one.
            if content.len() as u64 != copy.part.bytes {
                return Err(RunError::Vanished {
                    location: copy.part.path.clone(),
                });
            }
            let numbered = (0_u64..).zip(rows_of(&content));
            let stays = |n: u64| copy.rows.iter().any(|range| range.contains(&n));
            rows.extend(numbered.filter(|(n, _)| stays(*n)).map(|(_, row)| row));
        }
        Ok(Made {
            work,
            old,
            segments: Segments::from_row(rows.len() as u64),
            rows,
        })
    }

    async fn publish(
        &self,
        files: &Files,
        log: &DayLog<'_>,
        state: &DayState,
        made: Made,
    ) -> Result<bool, RunError> {
        let run_id = new_run_id();
        let Made {
            work,
            old,
            rows,
            segments,
        } = made;
        let cut = Cut {
            slots: Slots::from(state.next_slot),
            rows_per_part: match self.job.sink.layout {
                SinkLayout::Parts => self.job.sink.rows_per_file.get() as u64,
                SinkLayout::Single => u64::MAX,
            },
        };
        let parts = self.stage(&run_id, &rows, cut);
        let ledger = made_ledger(
            &work.copies,
            &work.replaced,
            old.as_ref(),
            &work.objects,
            &segments,
            cut,
            &|_| 0,
        );
        let old = old.filter(|_| !work.is_whole);
        let ledger = next_ledger(&work.kept, &work.replaced, old.as_ref(), &[ledger]);
        let changes = Changes {
            parts,
            kept: work.kept,
            deletes: work.deletes,
            ..Changes::default()
        };
        let publication = Publication {
            job: &self.job,
            files,
            log,
            state,
            run_id: &run_id,
            day: self.day,
            logic_sha256: &self.job.logic_sha256,
            columns_sha256: "",
            inputs_sha256: "",
            is_traced: true,
            owns_parts: true,
        };
        let staged = changes.parts.clone();
        let published: Result<Commit, RunError> = publication.publish(work.kind, changes, &ledger).await;
        // As `day` does for a day that ends otherwise, which here is none.
        if let Err(RunError::Books { .. }) = &published {
            discard(
                &self.job,
                files,
                &staged,
                &staging(&self.job.sink, &run_id, self.day),
            )
            .await?;
        }
        published.map(|_| true)
    }

    /// Uploads parts, each with its note, that are not completed.
    fn stage(&self, run_id: &str, rows: &[u64], cut: Cut) -> Vec<CommitPart> {
        let sink = &self.job.sink;
        let is_single = sink.layout == SinkLayout::Single;
        let per_part = usize::try_from(cut.rows_per_part).unwrap_or(usize::MAX);
        let mut chunks: Vec<&[u64]> = rows.chunks(per_part).collect();
        if is_single && chunks.is_empty() {
            chunks.push(&[]);
        }
        let folder = staging(sink, run_id, self.day);
        (cut.slots.first..)
            .zip(chunks)
            .map(|(slot, rows)| {
                let name = format!("part-{slot:05}.parquet");
                let shown = if is_single { SINGLE_NAME } else { &name };
                let path = format!("{}/{shown}", sink.partition(self.day));
                let key = key_of(&sink.root.join(&path));
                let upload_id = self.client.world.start_upload(&key);
                let content: Vec<u8> = rows.iter().flat_map(|row| row.to_le_bytes()).collect();
                self.client.world.add_to_upload(&upload_id, &content);
                let note = format!("{}{NOTE_SUFFIX}", key_of(&folder.join(&name)));
                let text = serde_json::json!({"key": key, "upload_id": upload_id}).to_string();
                self.client.world.lock().objects.insert(note.clone(), text.into());
                CommitPart {
                    slot,
                    path,
                    staged: Staged::S3 {
                        upload_id,
                        part_etags: Vec::new(),
                        note: Some(note),
                    },
                    rows: rows.len() as u64,
                    bytes: content.len() as u64,
                }
            })
            .collect()
    }

    async fn gc(&self) -> Result<(), RunError> {
        let files = self.files();
        let control = Remote::Model(Client {
            prefix: format!("{}/", key_of(&self.job.sink.control).trim_end_matches('/')),
            ..self.client.clone()
        });
        let options = GcOptions {
            older_than: Duration::ZERO,
            is_dry_run: false,
            run: RunOptions::default(),
        };
        let collector = Collector {
            job: &self.job,
            files: &files,
            control: &control,
            options: &options,
            cancel: &Cancel::new(),
            until: Utc::now(),
        };
        collector.run().await.map(|_| ())
    }
}

pub(super) fn key_of(location: &Location) -> String {
    match location {
        Location::S3 { key, .. } => key.clone(),
        Location::Local(path) => panic!("{} is not in the bucket", path.display()),
    }
}

pub(super) fn rows_of(content: &Bytes) -> Vec<u64> {
    let rows = content.chunks_exact(ROW_BYTES);
    rows.map(|row| u64::from_le_bytes(row.try_into().unwrap()))
        .collect()
}

/// Every row of the raw objects as they are.
pub(super) fn rows_of_raw(raw: &Raw) -> BTreeSet<u64> {
    let raw = raw.lock().unwrap();
    raw.iter()
        .flat_map(|(file, (version, n_rows))| (0..*n_rows).map(|line| row(*file, *version, line)))
        .collect()
}

//! What readers of the model's table see at any moment, and what they must never see.

use std::collections::{BTreeMap, BTreeSet};

use bytes::Bytes;
use futures::FutureExt as _;

use super::World;
use super::runner::{Runner, key_of, rows_of};
use crate::job::SinkLayout;
use crate::run::commit::{Commit, DayLog};
use crate::run::files::Staged;

/// The day's parts with their content, by path below the table.
type Parts = BTreeMap<String, Bytes>;

/// Looks at the bucket after every request.
pub(super) struct Readers {
    world: World,
    looker: Runner,
    /// The log as it was seen: it only grows. Index 0 is the day before its first commit.
    commits: Vec<(Option<Commit>, Parts)>,
    records: Vec<Bytes>,
}

impl Readers {
    pub fn new(world: &World, looker: Runner) -> Self {
        Self {
            world: world.clone(),
            looker,
            commits: vec![(None, Parts::new())],
            records: Vec::new(),
        }
    }

    pub fn n_commits(&self) -> usize {
        self.records.len()
    }

    /// # Errors
    /// What a reader sees that it must not.
    pub fn look(&mut self) -> Result<(), String> {
        self.follow_log()?;
        let sink = &self.looker.job.sink;
        let folder = format!("{}/", key_of(&sink.root.join(&sink.partition(self.looker.day))));
        let table = key_of(&sink.root);
        let files = self.looker.files();
        let log = DayLog::new(&files, sink, self.looker.day);
        let manifest_at = key_of(&log.manifest());
        let control = key_of(&log.folder());
        let state = self.world.lock();
        let visible: Parts = state
            .objects
            .range(folder.clone()..)
            .take_while(|(key, _)| key.starts_with(&folder))
            .filter(|(key, _)| key.ends_with(".parquet"))
            .map(|(key, content)| {
                (
                    key[table.len()..].trim_start_matches('/').to_owned(),
                    content.clone(),
                )
            })
            .collect();
        let has_marker = |n: usize| state.objects.contains_key(&format!("{control}/applied/{n:010}"));
        let manifest = state.objects.get(&manifest_at).cloned();
        let n = self.n_commits();
        if let Some(n) = (1..n).find(|n| !has_marker(*n)) {
            return Err(format!(
                "commit {} was made on commit {n}, which is not applied",
                n + 1
            ));
        }
        let is_applied = n == 0 || has_marker(n);
        let (last, after) = &self.commits[n];
        let before = if n == 0 { after } else { &self.commits[n - 1].1 };
        if let Some(ledger) = last.as_ref().and_then(|last| last.ledger.as_ref())
            && !state.objects.contains_key(&format!("{control}/{ledger}"))
        {
            return Err(format!("the ledger of commit {n} is gone"));
        }
        drop(state);
        if is_applied && visible != *after {
            return Err(format!(
                "commit {n} is applied, and readers see {visible:?} instead of {after:?}"
            ));
        }
        match sink.layout {
            SinkLayout::Single if visible != *before && visible != *after => {
                return Err(format!(
                    "one object, neither of commit {n} nor of the one before: {visible:?}"
                ));
            }
            SinkLayout::Single => {}
            SinkLayout::Parts => listed(&visible, before, after, last.as_ref())?,
        }
        if sink.manifest {
            read_by_manifest(manifest, &visible, (before, after), is_applied, &table)?;
        }
        Ok(())
    }

    /// Reads commits that are new, and checks that no old one became another.
    fn follow_log(&mut self) -> Result<(), String> {
        let files = self.looker.files();
        let log = DayLog::new(&files, &self.looker.job.sink, self.looker.day);
        loop {
            let n = self.records.len() + 1;
            let key = |n: usize| format!("{}/commits/{n:010}.json", key_of(&log.folder()));
            let (record, was) = {
                let state = self.world.lock();
                (
                    state.objects.get(&key(n)).cloned(),
                    state.objects.get(&key(n - 1)).cloned(),
                )
            };
            if n > 1 && was.as_ref() != self.records.last() {
                return Err(format!("the record of commit {} changed", n - 1));
            }
            let Some(record) = record else { return Ok(()) };
            let commit = log.read(n as u64).now_or_never().unwrap().unwrap().unwrap();
            let before = &self.commits[n - 1].1;
            let state = self.world.lock();
            let mut parts = Parts::new();
            for kept in &commit.kept {
                let content = before
                    .get(&kept.path)
                    .ok_or(format!("{} was kept from nowhere", kept.path))?;
                parts.insert(kept.path.clone(), content.clone());
            }
            for part in &commit.parts {
                let Staged::S3 { upload_id, .. } = &part.staged else {
                    panic!("{part:?}")
                };
                parts.insert(part.path.clone(), state.history[upload_id].clone());
            }
            drop(state);
            once_and_of_one_version(&parts).map_err(|what| format!("commit {n}: {what}"))?;
            self.commits.push((Some(commit), parts));
            self.records.push(record);
        }
    }

    /// Rows of the last commit.
    pub fn rows(&self) -> BTreeSet<u64> {
        let (_, parts) = self.commits.last().unwrap();
        parts.values().flat_map(rows_of).collect()
    }
}

/// A reader who lists the folder.
fn listed(visible: &Parts, before: &Parts, after: &Parts, last: Option<&Commit>) -> Result<(), String> {
    for (path, content) in visible {
        if before.get(path) != Some(content) && after.get(path) != Some(content) {
            return Err(format!("{path} is of no commit that counts"));
        }
    }
    let is_rewrite = last.is_some_and(|last| !last.deletes.is_empty());
    if !is_rewrite {
        if let Some(path) = before.keys().find(|path| !visible.contains_key(*path)) {
            return Err(format!("{path} vanished"));
        }
        return once_and_of_one_version(visible);
    }
    // The window that is documented: old and new at once, but never neither.
    let all = |parts: &Parts| -> BTreeSet<u64> { parts.values().flat_map(rows_of).collect() };
    let (old, new, seen) = (all(before), all(after), all(visible));
    match old.intersection(&new).find(|row| !seen.contains(row)) {
        Some(row) => Err(format!("row {row:x} vanished")),
        None => Ok(()),
    }
}

/// A reader who goes by the manifest sees one commit, all of it.
fn read_by_manifest(
    manifest: Option<Bytes>,
    visible: &Parts,
    (before, after): (&Parts, &Parts),
    is_applied: bool,
    table: &str,
) -> Result<(), String> {
    let Some(manifest) = manifest else {
        let has_none = before.is_empty() && (!is_applied || after.is_empty());
        return has_none.then_some(()).ok_or("no manifest".to_owned());
    };
    let text = String::from_utf8(manifest.to_vec()).unwrap();
    let mut read = Parts::new();
    for line in text.lines() {
        let (_, path) = line.split_once(table).unwrap();
        let path = path.trim_start_matches('/');
        let content = visible
            .get(path)
            .ok_or(format!("the manifest names {path}, which is not there"))?;
        read.insert(path.to_owned(), content.clone());
    }
    if read != *after && (is_applied || read != *before) {
        return Err(format!(
            "by the manifest: {read:?}, neither {before:?} nor {after:?}"
        ));
    }
    Ok(())
}

fn once_and_of_one_version(parts: &Parts) -> Result<(), String> {
    let mut seen = BTreeSet::new();
    let mut versions: BTreeMap<u64, u64> = BTreeMap::new();
    for row in parts.values().flat_map(rows_of) {
        if !seen.insert(row) {
            return Err(format!("row {row:x} is there twice"));
        }
        let (file, version) = (row >> 32, (row >> 16) & 0xffff);
        if *versions.entry(file).or_insert(version) != version {
            return Err(format!("file {file} is there in two versions"));
        }
    }
    Ok(())
}

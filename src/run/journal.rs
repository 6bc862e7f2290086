//! Which objects are in work right now, written where another process finds it when this one dies.
//!
//! Each worker has a file of its own in the journal's folder: the objects it was given, and before them which of these
//! it decodes or transforms. The page cache keeps what was written when the process is killed; nothing is synced,
//! because a machine that stops stops the reader too.
//!
//! ```text
//! slot-<n>        u64 from, u64 to (in work: from..to; equal: none), u64 length of the list, the list as JSON
//! poison.json     objects that killed a process before: not decoded again, one reject each
//! suspects.json   objects to be tried alone
//! run-<run_id>    runs that wrote to this folder
//! ```

use std::collections::HashMap;
use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use super::RunError;
use super::objects::Listed;

const POISON: &str = "poison.json";
const SUSPECTS: &str = "suspects.json";
const RUN: &str = "run-";
const SLOT: &str = "slot-";
const HEAD_BYTES: usize = 24;

/// An object that was in work when a process died.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Suspect {
    /// Relative to the source's root.
    pub key: String,
    /// Full location.
    pub location: String,
    pub etag: Option<Box<str>>,
    pub size: u64,
}

/// An object that kills the process which decodes it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Poison {
    pub suspect: Suspect,
    /// How the process died: `signal 6 (SIGABRT)`.
    pub death: String,
}

/// A folder that says what is in work. Clones share it.
#[derive(Debug, Clone)]
pub struct Journal(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    folder: PathBuf,
    n_slots: AtomicU64,
    /// By location.
    poison: HashMap<String, Poison>,
}

impl Journal {
    /// Opens a folder that exists, with the poison that is listed in it.
    ///
    /// # Errors
    /// [`RunError::Read`] when the list cannot be read.
    pub fn open(folder: &Path) -> Result<Self, RunError> {
        let poison = read_list(&folder.join(POISON))?
            .into_iter()
            .map(|poison: Poison| (poison.suspect.location.clone(), poison))
            .collect();
        Ok(Self(Arc::new(Inner {
            folder: folder.to_owned(),
            n_slots: AtomicU64::new(0),
            poison,
        })))
    }

    /// Notes that run `run_id` writes here. Gives the runs that did before, and died.
    pub(super) fn enter(&self, run_id: &str) -> Vec<String> {
        let folder = &self.0.folder;
        let died = fs::read_dir(folder)
            .into_iter()
            .flatten()
            .filter_map(|entry| Some(entry.ok()?.file_name().to_str()?.strip_prefix(RUN)?.to_owned()))
            .collect();
        let noted = File::create(folder.join(format!("{RUN}{run_id}")));
        warn_of(folder, noted);
        died
    }

    /// What is known of an object that killed a process; none when it changed since.
    pub(super) fn poison(&self, location: &str, object: Listed<'_>) -> Option<&Poison> {
        let poison = self.0.poison.get(location)?;
        let Suspect { etag, size, .. } = &poison.suspect;
        (etag.as_deref() == object.etag && *size == object.size).then_some(poison)
    }

    /// A place for one thread to say what it works on.
    pub(super) fn slot(&self) -> Slot {
        let n = self.0.n_slots.fetch_add(1, Ordering::Relaxed);
        let path = self.0.folder.join(format!("{SLOT}{n}"));
        let created = File::create(&path);
        Slot {
            file: warn_of(&path, created),
            path,
        }
    }
}

/// Where one thread says what it works on. Dropped, it works on nothing.
#[derive(Debug)]
pub(super) struct Slot {
    /// None when it cannot be written: a crash is then nobody's fault.
    file: Option<File>,
    path: PathBuf,
}

impl Slot {
    /// Lists objects of which some will be in work; none is yet.
    pub fn list<'a>(&mut self, objects: impl Iterator<Item = (String, Listed<'a>)>) {
        let suspects: Vec<Suspect> = objects
            .map(|(location, object)| Suspect {
                key: object.key.to_owned(),
                location,
                etag: object.etag.map(Into::into),
                size: object.size,
            })
            .collect();
        let list = serde_json::to_vec(&suspects).unwrap_or_default();
        let mut bytes = head(0, 0, list.len() as u64).to_vec();
        bytes.extend_from_slice(&list);
        self.write(&bytes);
    }

    /// Objects `from..to` of the list are in work from now on.
    pub fn work_on(&mut self, from: usize, to: usize) {
        let mut bytes = [0; HEAD_BYTES - 8];
        bytes.copy_from_slice(head(from as u64, to as u64, 0).split_at(HEAD_BYTES - 8).0);
        self.write(&bytes);
    }

    /// Nothing is in work.
    pub fn rest(&mut self) {
        self.work_on(0, 0);
    }

    fn write(&mut self, bytes: &[u8]) {
        if let Some(file) = &mut self.file {
            let written = write_at_start(file, bytes);
            if warn_of(&self.path, written).is_none() {
                self.file = None;
            }
        }
    }
}

impl Drop for Slot {
    fn drop(&mut self) {
        // A worker that panics was on an object too, but the process lives.
        let removed = fs::remove_file(&self.path);
        warn_of(&self.path, removed);
    }
}

fn head(from: u64, to: u64, n_bytes: u64) -> [u8; HEAD_BYTES] {
    let mut head = [0; HEAD_BYTES];
    for (place, number) in head.chunks_exact_mut(8).zip([from, to, n_bytes]) {
        place.copy_from_slice(&number.to_le_bytes());
    }
    head
}

#[cfg(unix)]
fn write_at_start(file: &mut File, bytes: &[u8]) -> io::Result<()> {
    std::os::unix::fs::FileExt::write_all_at(file, bytes, 0)
}

#[cfg(not(unix))]
fn write_at_start(file: &mut File, bytes: &[u8]) -> io::Result<()> {
    use std::io::{Seek as _, Write as _};
    file.rewind()?;
    file.write_all(bytes)
}

/// A journal that cannot be written does not end a run: it only leaves a crash without a culprit.
fn warn_of<T>(path: &Path, outcome: io::Result<T>) -> Option<T> {
    outcome
        .inspect_err(|error| tracing::warn!(path = %path.display(), %error, "the journal cannot be written"))
        .ok()
}

/// The objects that were in work when the process that wrote to `folder` died, each once.
///
/// # Errors
/// [`RunError::Read`].
pub fn suspects(folder: &Path) -> Result<Vec<Suspect>, RunError> {
    let mut suspects = Vec::new();
    for entry in fs::read_dir(folder).map_err(|error| RunError::read(folder, error))? {
        let path = entry.map_err(|error| RunError::read(folder, error))?.path();
        let is_slot = path
            .file_name()
            .and_then(|name| name.to_str())
            .is_some_and(|name| name.starts_with(SLOT));
        if is_slot {
            let bytes = fs::read(&path).map_err(|error| RunError::read(&path, error))?;
            suspects.extend(in_work(&bytes).unwrap_or_default());
        }
    }
    suspects.sort();
    suspects.dedup();
    Ok(suspects)
}

/// None for a slot that was not written to its end: its worker had not begun.
fn in_work(bytes: &[u8]) -> Option<Vec<Suspect>> {
    let (head, list) = bytes.split_at_checked(HEAD_BYTES)?;
    let mut numbers = head
        .chunks_exact(8)
        .filter_map(|number| Some(usize::try_from(u64::from_le_bytes(number.try_into().ok()?)).ok()))
        .flatten();
    let (from, to, n_bytes) = (numbers.next()?, numbers.next()?, numbers.next()?);
    if from == to {
        return None;
    }
    let listed: Vec<Suspect> = serde_json::from_slice(list.get(..n_bytes)?).ok()?;
    listed.get(from..to).map(<[Suspect]>::to_vec)
}

/// Forgets what was in work, so that the next process starts with an empty journal.
///
/// # Errors
/// [`RunError::Write`].
pub fn clear(folder: &Path) -> Result<(), RunError> {
    for entry in fs::read_dir(folder).map_err(|error| RunError::read(folder, error))? {
        let path = entry.map_err(|error| RunError::read(folder, error))?.path();
        let is_slot = path
            .file_name()
            .and_then(|name| name.to_str())
            .is_some_and(|name| name.starts_with(SLOT));
        if is_slot {
            fs::remove_file(&path).map_err(|error| RunError::write(&path, error))?;
        }
    }
    Ok(())
}

/// Leaves word of poison for the processes that will read this folder.
///
/// # Errors
/// [`RunError::Write`].
pub fn write_poison(folder: &Path, poison: &[Poison]) -> Result<(), RunError> {
    write_list(&folder.join(POISON), poison)
}

/// Leaves word of what a probe is to try.
///
/// # Errors
/// [`RunError::Write`].
pub fn write_suspects(folder: &Path, suspects: &[Suspect]) -> Result<(), RunError> {
    write_list(&folder.join(SUSPECTS), suspects)
}

/// What a probe is to try.
///
/// # Errors
/// [`RunError::Read`].
pub fn read_suspects(folder: &Path) -> Result<Vec<Suspect>, RunError> {
    read_list(&folder.join(SUSPECTS))
}

fn write_list<T: Serialize>(path: &Path, list: &[T]) -> Result<(), RunError> {
    let json = serde_json::to_vec(list).map_err(|error| RunError::write(path, error.into()))?;
    fs::write(path, json).map_err(|error| RunError::write(path, error))
}

/// A list that was not written is empty.
fn read_list<T: DeserializeOwned>(path: &Path) -> Result<Vec<T>, RunError> {
    match fs::read(path) {
        Ok(json) => serde_json::from_slice(&json).map_err(|error| RunError::read(path, error.into())),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(Vec::new()),
        Err(error) => Err(RunError::read(path, error)),
    }
}

#[cfg(test)]
mod tests {
    use super::{Journal, Poison, clear, suspects, write_poison};
    use crate::run::objects::Listed;

    fn objects() -> [Listed<'static>; 3] {
        [("a", "tag of a"), ("b", "tag of b"), ("c", "tag of c")].map(|(key, etag)| Listed {
            key,
            etag: Some(etag),
            size: 1,
        })
    }

    #[test]
    fn what_is_in_work_is_found_and_what_is_done_is_not() {
        let folder = tempfile::tempdir().unwrap();
        let journal = Journal::open(folder.path()).unwrap();
        let objects = objects();
        let names = ["/lake/a", "/lake/b", "/lake/c"];
        let in_work = || {
            let found = suspects(folder.path()).unwrap();
            found
                .into_iter()
                .map(|suspect| suspect.location)
                .collect::<Vec<_>>()
        };
        let (mut one, mut two) = (journal.slot(), journal.slot());
        assert_eq!(in_work(), Vec::<String>::new());
        one.list(names.map(str::to_owned).into_iter().zip(objects));
        assert_eq!(in_work(), Vec::<String>::new());
        one.work_on(1, 2);
        two.list(names.map(str::to_owned).into_iter().zip(objects));
        two.work_on(0, 2);
        assert_eq!(in_work(), ["/lake/a", "/lake/b"]);
        two.list(names.map(str::to_owned).into_iter().zip(objects).skip(2));
        assert_eq!(in_work(), ["/lake/b"]);
        one.rest();
        two.work_on(0, 1);
        assert_eq!(in_work(), ["/lake/c"]);
        drop(two);
        assert_eq!(in_work(), Vec::<String>::new());
        one.work_on(0, 3);
        clear(folder.path()).unwrap();
        assert_eq!(in_work(), Vec::<String>::new());
    }

    #[test]
    fn poison_is_known_until_the_object_changes() {
        let folder = tempfile::tempdir().unwrap();
        let mut objects = objects();
        let journal = Journal::open(folder.path()).unwrap();
        let mut slot = journal.slot();
        slot.list([("/lake/a".to_owned(), objects[0])].into_iter());
        slot.work_on(0, 1);
        let suspect = suspects(folder.path()).unwrap().remove(0);
        let poison = Poison {
            suspect,
            death: "signal 6 (SIGABRT)".to_owned(),
        };
        write_poison(folder.path(), std::slice::from_ref(&poison)).unwrap();
        let journal = Journal::open(folder.path()).unwrap();
        assert_eq!(journal.poison("/lake/a", objects[0]), Some(&poison));
        assert_eq!(journal.poison("/lake/b", objects[1]), None);
        objects[0].etag = Some("another");
        assert_eq!(journal.poison("/lake/a", objects[0]), None);
    }

    #[test]
    fn the_runs_that_died_before_are_known_to_the_next() {
        let folder = tempfile::tempdir().unwrap();
        let journal = Journal::open(folder.path()).unwrap();
        assert_eq!(journal.enter("one"), Vec::<String>::new());
        assert_eq!(journal.enter("two"), ["one"]);
    }
}

//! Staged files on a local file system: written to a place of their own, synced, and renamed or linked into place.

use std::fs::{self, File};
use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};

use bytes::Bytes;

use super::super::run_id::random_suffix;
use super::{RunError, Staged, debug};
use crate::storage::Location;

const BUFFER_BYTES: usize = 256 << 10;

pub(super) fn read(path: &Path) -> Result<Option<Bytes>, RunError> {
    match fs::read(path) {
        Ok(content) => Ok(Some(content.into())),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(RunError::read(path, error)),
    }
}

pub(super) fn names(folder: &Path) -> Result<Vec<String>, RunError> {
    let entries = match fs::read_dir(folder) {
        Ok(entries) => entries,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        Err(error) => return Err(RunError::read(folder, error)),
    };
    let mut names = Vec::new();
    for entry in entries {
        let entry = entry.map_err(|error| RunError::read(folder, error))?;
        let name = entry.file_name().to_string_lossy().into_owned();
        // Folders are no objects. What cannot be looked at is listed, and reading it tells why.
        let is_folder = entry.file_type().is_ok_and(|kind| kind.is_dir());
        if !is_folder && !name.starts_with('.') {
            names.push(name);
        }
    }
    names.sort();
    Ok(names)
}

/// A hard link appears with its whole content or not at all, and never replaces a file.
pub(super) fn put_new(path: &Path, content: &[u8]) -> Result<bool, RunError> {
    again_while(
        || true,
        || {
            let temporary = write_beside(path, content)?;
            debug::change();
            let linked = fs::hard_link(&temporary, path);
            delete(&temporary)?;
            match linked {
                Ok(()) => sync_folder_of(path).map(|()| true),
                Err(error) if error.kind() == io::ErrorKind::AlreadyExists => Ok(false),
                Err(error) => Err(RunError::write(path, error)),
            }
        },
    )
}

pub(super) fn put(path: &Path, content: &[u8]) -> Result<(), RunError> {
    if content.is_empty() {
        // Nothing is half of an empty file, and a process that dies leaves no other file beside it: `_SUCCESS` lies
        // among the parts, where readers look and `gc` does not.
        create(path)?;
        return sync_folder_of(path);
    }
    again_while(
        || true,
        || {
            let temporary = write_beside(path, content)?;
            debug::change();
            if let Err(error) = fs::rename(&temporary, path) {
                delete(&temporary)?;
                return Err(RunError::write(path, error));
            }
            sync_folder_of(path)
        },
    )
}

pub(super) fn delete(path: &Path) -> Result<(), RunError> {
    debug::change();
    match fs::remove_file(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(RunError::write(path, error)),
        _ => Ok(()),
    }
}

pub(super) fn remove_folder(path: &Path) -> Result<(), RunError> {
    debug::change();
    match fs::remove_dir_all(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(RunError::write(path, error)),
        _ => {
            remove_empty_above(path);
            Ok(())
        }
    }
}

/// Removes the folders that only held `path` (a day's, a run's): a folder with anything in it stays.
pub(super) fn remove_empty_above(path: &Path) {
    for folder in path.ancestors().skip(1).take(3) {
        debug::change();
        if fs::remove_dir(folder).is_err() {
            return;
        }
    }
}

/// Removes folders without files at and below `folder`: what a process leaves that dies between making a folder and
/// its first file. A process that makes one just now makes it again.
pub(super) fn remove_empty_below(folder: &Path) {
    for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
        if entry.file_type().is_ok_and(|kind| kind.is_dir()) {
            remove_empty_below(&entry.path());
        }
    }
    debug::change();
    // Fails for a folder with anything in it, which is meant.
    let _removed = fs::remove_dir(folder);
}

/// A rename is one-shot: whoever comes second finds no staged file, and the part in its place.
pub(super) fn publish(from: &Path, to: &Path, n_bytes: u64) -> Result<(), RunError> {
    let renamed = in_its_folder(to, || fs::rename(from, to), || from.exists());
    match renamed {
        Ok(()) => sync_folder_of(to),
        Err(RunError::Write { source, .. }) if source.kind() == io::ErrorKind::NotFound => {
            match fs::metadata(to) {
                Ok(published) if published.len() == n_bytes => Ok(()),
                _ => Err(RunError::PartLost {
                    location: to.display().to_string(),
                }),
            }
        }
        Err(error) => Err(error),
    }
}

/// Writes one staged file.
pub(in super::super) struct Writer {
    path: PathBuf,
    /// Taken when the file is finished; a writer that still has it removes its file when dropped.
    file: Option<BufWriter<File>>,
    n_bytes: u64,
}

impl Writer {
    pub(super) fn create(path: &Path) -> Result<Self, RunError> {
        let file = create(path)?;
        Ok(Self {
            path: path.to_owned(),
            file: Some(BufWriter::with_capacity(BUFFER_BYTES, file)),
            n_bytes: 0,
        })
    }

    pub(super) fn finish(mut self) -> Result<(Staged, u64), RunError> {
        if let Some(file) = &mut self.file {
            debug::change();
            file.flush()
                .and_then(|()| file.get_ref().sync_all())
                .map_err(|error| RunError::write(&self.path, error))?;
            // A commit record that outlives a power failure must find what it names.
            sync_folder_of(&self.path)?;
        }
        self.file = None;
        let staged = Staged::Local {
            staged: Location::Local(self.path.clone()),
        };
        Ok((staged, self.n_bytes))
    }
}

impl Write for Writer {
    fn write(&mut self, buf: &[u8]) -> io::Result<usize> {
        let Some(file) = &mut self.file else {
            return Err(io::ErrorKind::BrokenPipe.into());
        };
        let n = file.write(buf)?;
        self.n_bytes += n as u64;
        Ok(n)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.file.as_mut().map_or(Ok(()), Write::flush)
    }
}

impl Drop for Writer {
    fn drop(&mut self) {
        if let Some(file) = self.file.take() {
            // What the buffer holds is not wanted: the file goes. A file that cannot be removed lies in staging, where
            // no reader looks.
            let _unwritten = file.into_parts();
            let _removed = fs::remove_file(&self.path);
            remove_empty_above(&self.path);
        }
    }
}

fn write_beside(path: &Path, content: &[u8]) -> Result<PathBuf, RunError> {
    let temporary = path.with_file_name(format!(".tmp-{}", random_suffix()));
    let mut file = create(&temporary)?;
    debug::change();
    let written = file.write_all(content).and_then(|()| file.sync_all());
    match written {
        Ok(()) => Ok(temporary),
        Err(error) => {
            delete(&temporary)?;
            Err(RunError::write(path, error))
        }
    }
}

/// Makes a file, and its folder where that is missing.
fn create(path: &Path) -> Result<File, RunError> {
    in_its_folder(path, || File::create(path), || true)
}

/// Makes the folder of `path` where that is missing, and does in it what `make` does. Another process may remove the
/// folder in between, as it is empty (they share `staging`, `quarantine` and the day's folders): then both again, while
/// `can_go_on`.
fn in_its_folder<T>(
    path: &Path,
    make: impl Fn() -> io::Result<T>,
    can_go_on: impl Fn() -> bool,
) -> Result<T, RunError> {
    again_while(can_go_on, || {
        create_folder_of(path)?;
        debug::change();
        make().map_err(|error| RunError::write(path, error))
    })
}

/// Does again what failed because a sweep or another process removed a file or a folder in between.
fn again_while<T>(
    can_go_on: impl Fn() -> bool,
    attempt: impl Fn() -> Result<T, RunError>,
) -> Result<T, RunError> {
    const MAX_TRIES: usize = 20;
    let mut n_tries = 0;
    loop {
        n_tries += 1;
        match attempt() {
            Err(RunError::Write { source, .. })
                if source.kind() == io::ErrorKind::NotFound && n_tries < MAX_TRIES && can_go_on() => {}
            done => return done,
        }
    }
}

fn create_folder_of(path: &Path) -> Result<(), RunError> {
    if path.parent().is_some_and(|folder| !folder.exists()) {
        debug::change();
    }
    match path.parent() {
        Some(folder) => fs::create_dir_all(folder).map_err(|error| RunError::write(folder, error)),
        None => Ok(()),
    }
}

/// A name is on disk only when its folder is.
fn sync_folder_of(path: &Path) -> Result<(), RunError> {
    let Some(folder) = path.parent() else {
        return Ok(());
    };
    if cfg!(unix) {
        File::open(folder)
            .and_then(|folder| folder.sync_all())
            .map_err(|error| RunError::write(folder, error))?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::io::Write as _;

    use std::cell::Cell;
    use std::io;
    use std::path::Path;

    use super::{Writer, again_while, delete, names, publish, put, put_new, read};
    use crate::run::RunError;

    #[test]
    fn the_first_of_two_writers_wins_and_leaves_no_other_file() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("commits/0000000001.json");
        assert!(put_new(&path, b"mine").unwrap());
        assert!(!put_new(&path, b"yours").unwrap());
        assert_eq!(read(&path).unwrap().unwrap().as_ref(), b"mine");
        put(&path, b"newer").unwrap();
        assert_eq!(read(&path).unwrap().unwrap().as_ref(), b"newer");
        assert_eq!(std::fs::read_dir(path.parent().unwrap()).unwrap().count(), 1);
        assert_eq!(names(path.parent().unwrap()).unwrap(), ["0000000001.json"]);
        delete(&path).unwrap();
        delete(&path).unwrap();
        assert_eq!(read(&path).unwrap(), None);
    }

    #[test]
    fn what_another_process_swept_away_is_written_again_and_other_failures_end_it() {
        let n = Cell::new(0);
        let failing = |kind: io::ErrorKind, n_times: u32| {
            n.set(0);
            let done = again_while(
                || true,
                || {
                    n.set(n.get() + 1);
                    if n.get() <= n_times {
                        return Err(RunError::write(Path::new("p"), kind.into()));
                    }
                    Ok(())
                },
            );
            (done.is_ok(), n.get())
        };
        assert_eq!(failing(io::ErrorKind::NotFound, 2), (true, 3));
        assert_eq!(failing(io::ErrorKind::NotFound, 100), (false, 20));
        assert_eq!(failing(io::ErrorKind::StorageFull, 2), (false, 1));
    }

    #[test]
    fn publishing_twice_is_publishing_once_and_a_lost_part_is_an_error() {
        let folder = tempfile::tempdir().unwrap();
        let (from, to) = (folder.path().join("staging/p"), folder.path().join("table/d=1/p"));
        let mut writer = Writer::create(&from).unwrap();
        writer.write_all(b"rows").unwrap();
        let (_, n_bytes) = writer.finish().unwrap();
        publish(&from, &to, n_bytes).unwrap();
        publish(&from, &to, n_bytes).unwrap();
        assert_eq!(std::fs::read(&to).unwrap(), b"rows");
        let error = publish(&from, &folder.path().join("table/other"), 4).unwrap_err();
        assert!(
            error.to_string().contains("neither staged nor published"),
            "{error}"
        );
    }

    #[test]
    fn a_writer_that_is_dropped_leaves_no_file() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("p");
        let mut writer = Writer::create(&path).unwrap();
        writer.write_all(b"half").unwrap();
        drop(writer);
        assert!(!path.exists());
    }
}

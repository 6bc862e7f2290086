//! Files on disk: a sorted walk, reads, and writes that appear whole.
//!
//! `object_store`'s local store sorts nothing, skips what it cannot read, and stages writes inside the table under names
//! that readers take for data; so this is our own. Everything here blocks; `store` runs it on blocking threads.

use std::ffi::OsString;
use std::fs::{self, File, OpenOptions};
use std::io::{self, Read as _, Seek as _, SeekFrom, Write as _};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::UNIX_EPOCH;

use bytes::Bytes;
use chrono::{DateTime, Utc};

use super::error::from_io;
use super::{Object, StorageError};

/// Keys a page of a listing holds, as many as S3 gives.
pub(super) const PAGE_KEYS: usize = 1000;

/// Walks the files below `base` whose key starts with `prefix`, in the byte order of their keys.
///
/// Links are followed. What cannot be read ends the walk with its place, because a listing that leaves out a folder in
/// silence makes a day look empty. `on_page` ends the walk by returning false.
pub(super) fn walk(
    base: &Path,
    prefix: &str,
    on_page: &mut dyn FnMut(Vec<Object>) -> bool,
) -> Result<(), StorageError> {
    let (folder, name_prefix) = match prefix.rfind('/') {
        Some(at) => prefix.split_at(at + 1),
        None => ("", prefix),
    };
    let start = if folder.is_empty() {
        base.to_owned()
    } else {
        base.join(folder)
    };
    if !folder.is_empty() && !start.is_dir() {
        return Ok(());
    }
    let mut walk = Walk {
        page: Vec::with_capacity(PAGE_KEYS),
        on_page,
        above: Vec::new(),
    };
    let went_on = walk.folder(&start, folder, name_prefix)?;
    if went_on && !walk.page.is_empty() {
        let page = std::mem::take(&mut walk.page);
        (walk.on_page)(page);
    }
    Ok(())
}

struct Walk<'a> {
    page: Vec<Object>,
    on_page: &'a mut dyn FnMut(Vec<Object>) -> bool,
    /// Canonical paths of the linked folders that are open, to notice a link that leads back.
    above: Vec<PathBuf>,
}

struct Entry {
    /// The name, with a slash when it is a folder: so entries sort as the keys below them do.
    sort_name: String,
    is_folder: bool,
    is_link: bool,
}

impl Walk<'_> {
    /// Whether to go on.
    fn folder(&mut self, path: &Path, key: &str, name_prefix: &str) -> Result<bool, StorageError> {
        let mut entries = Vec::new();
        let shown = if path.as_os_str().is_empty() {
            Path::new(".")
        } else {
            path
        };
        let fail = |error: &io::Error| from_io(&shown.display(), error);
        for entry in fs::read_dir(shown).map_err(|error| fail(&error))? {
            let entry = entry.map_err(|error| fail(&error))?;
            if let Some(entry) = read_entry(&entry, name_prefix)? {
                entries.push(entry);
            }
        }
        entries.sort_unstable_by(|a, b| a.sort_name.cmp(&b.sort_name));
        for entry in entries {
            let name = entry.sort_name.trim_end_matches('/');
            let entry_path = path.join(name);
            let entry_key = format!("{key}{}", entry.sort_name);
            let goes_on = if !entry.is_folder {
                self.file(&entry_path, entry_key)?
            } else if entry.is_link {
                self.linked_folder(&entry_path, &entry_key)?
            } else {
                self.folder(&entry_path, &entry_key, "")?
            };
            if !goes_on {
                return Ok(false);
            }
        }
        Ok(true)
    }

    fn linked_folder(&mut self, path: &Path, key: &str) -> Result<bool, StorageError> {
        let fail = |error: &io::Error| from_io(&path.display(), error);
        let target = fs::canonicalize(path).map_err(|error| fail(&error))?;
        let holder = path.parent().unwrap_or(path);
        let holder = fs::canonicalize(holder).map_err(|error| fail(&error))?;
        if holder.starts_with(&target) || self.above.contains(&target) {
            return Err(StorageError::other(
                &path.display(),
                "this link leads back to a folder above it; remove it",
            ));
        }
        self.above.push(target);
        let goes_on = self.folder(path, key, "");
        self.above.pop();
        goes_on
    }

    fn file(&mut self, path: &Path, key: String) -> Result<bool, StorageError> {
        match fs::metadata(path) {
            Ok(metadata) if metadata.is_file() => self.page.push(object(key, &metadata)),
            // Sockets and pipes hold no data.
            Ok(_) => return Ok(true),
            // Deleted since its folder was read: another program is at work, and the file is gone.
            Err(error) if error.kind() == io::ErrorKind::NotFound && !path.is_symlink() => return Ok(true),
            Err(error) => return Err(from_io(&path.display(), &error)),
        }
        if self.page.len() < PAGE_KEYS {
            return Ok(true);
        }
        let page = std::mem::replace(&mut self.page, Vec::with_capacity(PAGE_KEYS));
        Ok((self.on_page)(page))
    }
}

/// What an entry of a folder is; none when its name does not begin as wanted, or for a hidden link to nowhere, which
/// editors leave as lock files.
fn read_entry(entry: &fs::DirEntry, name_prefix: &str) -> Result<Option<Entry>, StorageError> {
    let path = entry.path();
    let name = entry.file_name().into_string().map_err(|name: OsString| {
        StorageError::other(
            &path.with_file_name(name.to_string_lossy().as_ref()).display(),
            "the file name is not UTF-8; rename it",
        )
    })?;
    if !name.starts_with(name_prefix) {
        return Ok(None);
    }
    let fail = |error: &io::Error| from_io(&path.display(), error);
    let mut file_type = entry.file_type().map_err(|error| fail(&error))?;
    let is_link = file_type.is_symlink();
    if is_link {
        match fs::metadata(&path) {
            Ok(metadata) => file_type = metadata.file_type(),
            Err(_) if name.starts_with(['.', '_']) => return Ok(None),
            Err(error) => return Err(fail(&error)),
        }
    }
    let is_folder = file_type.is_dir();
    Ok(Some(Entry {
        sort_name: if is_folder { format!("{name}/") } else { name },
        is_folder,
        is_link,
    }))
}

/// The listing's view of a file. Its tag changes whenever size or time of change do.
pub(super) fn object(key: String, metadata: &fs::Metadata) -> Object {
    let modified = metadata.modified().unwrap_or(UNIX_EPOCH);
    let nanos = modified.duration_since(UNIX_EPOCH).map_or(0, |d| d.as_nanos());
    Object {
        key,
        size: metadata.len(),
        modified: DateTime::<Utc>::from(modified),
        etag: Some(format!("{:x}-{nanos:x}", metadata.len()).into_boxed_str()),
    }
}

/// Bytes `start..end`, less where the file ends before.
pub(super) fn read_range(path: &Path, start: u64, end: u64) -> io::Result<Bytes> {
    let mut file = File::open(path)?;
    let size = file.metadata()?.len();
    if start > size {
        return Err(io::Error::other("the range begins after the file's end"));
    }
    let n_bytes = end.min(size).saturating_sub(start);
    file.seek(SeekFrom::Start(start))?;
    let mut bytes = Vec::with_capacity(usize::try_from(n_bytes).unwrap_or(0));
    file.take(n_bytes).read_to_end(&mut bytes)?;
    Ok(bytes.into())
}

/// Writes a file so that it appears whole, over an older one unless `only_new`.
pub(super) fn write(path: &Path, content: &[u8], only_new: bool) -> io::Result<()> {
    if let Some(folder) = path.parent() {
        fs::create_dir_all(folder)?;
    }
    let staged = staged_name(path);
    let published = stage(&staged, content).and_then(|()| {
        if only_new {
            publish_new(&staged, path, content)
        } else {
            fs::rename(&staged, path)
        }
    });
    if only_new || published.is_err() {
        // The staged name is of no use any more; one that was never made cannot be removed either.
        drop(fs::remove_file(&staged));
    }
    published
}

fn stage(staged: &Path, content: &[u8]) -> io::Result<()> {
    let mut file = File::create(staged)?;
    file.write_all(content)?;
    file.sync_all()
}

/// A hard link fails when the name is taken, and is whole from the start.
fn publish_new(staged: &Path, path: &Path, content: &[u8]) -> io::Result<()> {
    match fs::hard_link(staged, path) {
        Err(error)
            if matches!(
                error.kind(),
                io::ErrorKind::Unsupported | io::ErrorKind::PermissionDenied
            ) =>
        {
            // File systems without hard links (exFAT, some network mounts) still create a name only once.
            let mut file = OpenOptions::new().write(true).create_new(true).open(path)?;
            file.write_all(content)?;
            file.sync_all()
        }
        done => done,
    }
}

/// A hidden name in the same folder, which listings of datasets leave out.
fn staged_name(path: &Path) -> PathBuf {
    static N_STAGED: AtomicU64 = AtomicU64::new(0);
    let n = N_STAGED.fetch_add(1, Ordering::Relaxed);
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    path.with_file_name(format!(".{name}.{}-{n}.tmp", std::process::id()))
}

/// Moves a file within the file system, over an older one.
pub(super) fn rename(from: &Path, to: &Path) -> io::Result<()> {
    if let Some(folder) = to.parent() {
        fs::create_dir_all(folder)?;
    }
    fs::rename(from, to)
}

/// Removes a file; one that is missing is as good as removed.
pub(super) fn remove(path: &Path) -> io::Result<()> {
    match fs::remove_file(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        done => done,
    }
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::path::Path;

    use super::{read_range, walk, write};
    use crate::storage::StorageError;

    fn keys(base: &Path, prefix: &str) -> Result<Vec<String>, StorageError> {
        let mut keys = Vec::new();
        walk(base, prefix, &mut |page| {
            keys.extend(page.into_iter().map(|object| object.key));
            true
        })?;
        Ok(keys)
    }

    fn folder(files: &[&str]) -> tempfile::TempDir {
        let folder = tempfile::tempdir().unwrap();
        for file in files {
            write(&folder.path().join(file), b"x", false).unwrap();
        }
        folder
    }

    #[test]
    fn keys_come_in_the_order_of_their_bytes() {
        let mut files = [
            "a/b", "a-b", "a.b", "a0", "ab/c", "é", "Z", "d=1/x", "d=10/x", "d=1-/x",
        ];
        let folder = folder(&files);
        files.sort_unstable();
        assert_eq!(keys(folder.path(), "").unwrap(), files);
    }

    #[test]
    fn a_prefix_selects_by_bytes_as_on_s3() {
        let folder = folder(&["raw/2020/01/a", "raw/2020/02/b", "raw/2021/c", "raw2/d"]);
        assert_eq!(keys(folder.path(), "raw/2020/").unwrap().len(), 2);
        assert_eq!(keys(folder.path(), "raw/2020/01/a").unwrap(), ["raw/2020/01/a"]);
        assert_eq!(keys(folder.path(), "raw").unwrap().len(), 4);
        assert_eq!(keys(folder.path(), "none/").unwrap(), Vec::<String>::new());
    }

    #[cfg(unix)]
    #[test]
    fn links_are_followed_and_one_that_leads_back_or_nowhere_is_an_error_with_its_place() {
        use std::os::unix::fs::symlink;

        let lake = folder(&["day/a.jsonl"]);
        let other = folder(&["b.jsonl"]);
        symlink(other.path(), lake.path().join("linked")).unwrap();
        symlink("gone", lake.path().join(".#lock")).unwrap();
        assert_eq!(keys(lake.path(), "").unwrap(), ["day/a.jsonl", "linked/b.jsonl"]);

        symlink(lake.path(), lake.path().join("day/loop")).unwrap();
        let error = keys(lake.path(), "").unwrap_err().to_string();
        assert!(
            error.contains("day/loop") && error.contains("leads back"),
            "{error}"
        );

        symlink("gone", lake.path().join("broken.jsonl")).unwrap();
        let error = keys(lake.path(), "broken").unwrap_err().to_string();
        assert!(error.contains("broken.jsonl"), "{error}");
    }

    #[test]
    fn a_new_file_is_written_once_and_leaves_no_staged_name() {
        let folder = folder(&[]);
        let path = folder.path().join("deep/er/file");
        write(&path, b"first", true).unwrap();
        let error = write(&path, b"second", true).unwrap_err();
        assert_eq!(error.kind(), std::io::ErrorKind::AlreadyExists);
        assert_eq!(fs::read(&path).unwrap(), b"first");
        write(&path, b"third", false).unwrap();
        assert_eq!(fs::read(&path).unwrap(), b"third");
        assert_eq!(keys(folder.path(), "").unwrap(), ["deep/er/file"]);
    }

    #[test]
    fn a_range_is_cut_at_the_files_end() {
        let folder = folder(&[]);
        let path = folder.path().join("f");
        write(&path, b"0123456789", false).unwrap();
        assert_eq!(read_range(&path, 2, 5).unwrap().as_ref(), b"234");
        assert_eq!(read_range(&path, 8, 50).unwrap().as_ref(), b"89");
        assert_eq!(read_range(&path, 10, 20).unwrap().as_ref(), b"");
        assert!(read_range(&path, 11, 20).is_err());
    }
}

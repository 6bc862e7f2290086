//! Files for rows that do not fit into the memory: a folder of a day that is gone when the day ends, however it ends.
//!
//! A file is a row of chunks, each a compressed Arrow IPC stream of one batch behind its two lengths. It is opened for
//! each chunk, so the number of open files does not grow with the number of buckets.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::path::PathBuf;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use arrow::ipc::reader::StreamReader;
use arrow::ipc::writer::StreamWriter;
use arrow::record_batch::RecordBatch;
use zstd::bulk::Compressor;

use super::super::RunError;

/// zstd's level: the fastest of the plain ones, since a chunk is written and read once.
const LEVEL: i32 = 1;
/// Length of the compressed chunk, then of what it decompresses to.
const HEADER_BYTES: usize = 16;

/// The scratch folder of a day. Created with its first file, removed when dropped.
pub(in super::super) struct Scratch {
    folder: PathBuf,
    limit_bytes: u64,
    used_bytes: AtomicU64,
    peak_bytes: AtomicU64,
    n_files: AtomicU64,
    compressor: Mutex<Option<Compressor<'static>>>,
}

impl Scratch {
    /// Creates nothing yet. All files together take at most `limit_bytes`.
    pub fn new(folder: PathBuf, limit_bytes: u64) -> Self {
        Self {
            folder,
            limit_bytes,
            used_bytes: AtomicU64::new(0),
            peak_bytes: AtomicU64::new(0),
            n_files: AtomicU64::new(0),
            compressor: Mutex::new(None),
        }
    }

    pub fn peak_bytes(&self) -> u64 {
        self.peak_bytes.load(Ordering::Relaxed)
    }

    /// A file without chunks; it is on disk from the first one on.
    pub(super) fn file(self: &Arc<Self>) -> ScratchFile {
        let n = self.n_files.fetch_add(1, Ordering::Relaxed);
        ScratchFile {
            path: self.folder.join(format!("{n}.rows")),
            scratch: Arc::clone(self),
            n_bytes: 0,
        }
    }

    fn reserve(&self, n_bytes: u64) -> Result<(), RunError> {
        let used = self.used_bytes.fetch_add(n_bytes, Ordering::Relaxed) + n_bytes;
        if used > self.limit_bytes {
            self.used_bytes.fetch_sub(n_bytes, Ordering::Relaxed);
            return Err(RunError::ScratchLimit {
                path: self.folder.display().to_string(),
                limit_bytes: self.limit_bytes,
            });
        }
        self.peak_bytes.fetch_max(used, Ordering::Relaxed);
        Ok(())
    }

    fn compress(&self, bytes: &[u8]) -> io::Result<Vec<u8>> {
        let mut compressor = self.compressor.lock().unwrap_or_else(PoisonError::into_inner);
        let compressor = match &mut *compressor {
            Some(compressor) => compressor,
            none => none.insert(Compressor::new(LEVEL)?),
        };
        compressor.compress(bytes)
    }

    fn error(&self, source: io::Error) -> RunError {
        RunError::Scratch {
            path: self.folder.display().to_string(),
            source,
        }
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        if *self.n_files.get_mut() == 0 {
            return;
        }
        match fs::remove_dir_all(&self.folder) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => {
                tracing::warn!(%error, folder = %self.folder.display(), "scratch files could not be removed");
            }
            _ => {}
        }
    }
}

/// Batches in the order they were appended. The file goes when this is dropped.
pub(super) struct ScratchFile {
    path: PathBuf,
    scratch: Arc<Scratch>,
    n_bytes: u64,
}

impl ScratchFile {
    pub fn append(&mut self, batch: &RecordBatch) -> Result<(), RunError> {
        let chunk = self.chunk(batch).map_err(|error| self.scratch.error(error))?;
        self.scratch.reserve(chunk.len() as u64)?;
        let is_first = self.n_bytes == 0;
        self.n_bytes += chunk.len() as u64;
        let written = (|| {
            if is_first {
                fs::create_dir_all(&self.scratch.folder)?;
            }
            let mut file = OpenOptions::new().create(true).append(true).open(&self.path)?;
            file.write_all(&chunk)
        })();
        written.map_err(|error| self.scratch.error(error))
    }

    fn chunk(&self, batch: &RecordBatch) -> io::Result<Vec<u8>> {
        let mut writer = StreamWriter::try_new(Vec::new(), &batch.schema()).map_err(io::Error::other)?;
        writer.write(batch).map_err(io::Error::other)?;
        let bytes = writer.into_inner().map_err(io::Error::other)?;
        let compressed = self.scratch.compress(&bytes)?;
        let mut chunk = Vec::with_capacity(HEADER_BYTES + compressed.len());
        chunk.extend((compressed.len() as u64).to_le_bytes());
        chunk.extend((bytes.len() as u64).to_le_bytes());
        chunk.extend(compressed);
        Ok(chunk)
    }

    /// Reads from the first batch on.
    pub fn reader(&self) -> ScratchReader<'_> {
        ScratchReader {
            file: self,
            offset: 0,
        }
    }
}

impl Drop for ScratchFile {
    fn drop(&mut self) {
        if self.n_bytes == 0 {
            return;
        }
        self.scratch.used_bytes.fetch_sub(self.n_bytes, Ordering::Relaxed);
        // A file that stays is removed, or told, with its folder.
        let _removed = fs::remove_file(&self.path);
    }
}

/// Reads the batches of a file one by one.
pub(super) struct ScratchReader<'a> {
    file: &'a ScratchFile,
    offset: u64,
}

impl ScratchReader<'_> {
    /// None after the last batch.
    pub fn next(&mut self) -> Result<Option<RecordBatch>, RunError> {
        if self.offset >= self.file.n_bytes {
            return Ok(None);
        }
        let batch = self.read();
        batch.map(Some).map_err(|error| self.file.scratch.error(error))
    }

    fn read(&mut self) -> io::Result<RecordBatch> {
        let mut file = File::open(&self.file.path)?;
        file.seek(SeekFrom::Start(self.offset))?;
        let (mut n_compressed, mut n_bytes) = ([0; HEADER_BYTES / 2], [0; HEADER_BYTES / 2]);
        file.read_exact(&mut n_compressed)?;
        file.read_exact(&mut n_bytes)?;
        let n_compressed = u64::from_le_bytes(n_compressed);
        let n_bytes = usize::try_from(u64::from_le_bytes(n_bytes)).map_err(io::Error::other)?;
        let mut compressed = vec![0; usize::try_from(n_compressed).map_err(io::Error::other)?];
        file.read_exact(&mut compressed)?;
        self.offset += HEADER_BYTES as u64 + n_compressed;
        let bytes = zstd::bulk::decompress(&compressed, n_bytes)?;
        let mut reader = StreamReader::try_new(bytes.as_slice(), None).map_err(io::Error::other)?;
        match reader.next() {
            Some(batch) => batch.map_err(io::Error::other),
            None => Err(io::ErrorKind::UnexpectedEof.into()),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use polars::prelude::df;

    use super::super::frame::flat;
    use super::Scratch;
    use crate::dataset::arrow_bridge::to_polars;
    use crate::run::RunError;

    #[test]
    fn batches_come_back_in_their_order_and_the_file_goes_with_its_owner() {
        let root = tempfile::tempdir().unwrap();
        let folder = root.path().join("a/scratch");
        let scratch = Arc::new(Scratch::new(folder.clone(), 1 << 20));
        assert!(!folder.exists(), "nothing is created for a day that fits");
        let mut file = scratch.file();
        let frames = [
            df!("x" => [1_i64, 2], "t" => [Some("a text that is longer than a view"), None]).unwrap(),
            df!("x" => [3_i64], "t" => [Some("")]).unwrap(),
        ];
        for df in &frames {
            file.append(&flat(df).unwrap()).unwrap();
        }
        let mut reader = file.reader();
        for df in &frames {
            assert_eq!(&to_polars(&reader.next().unwrap().unwrap()).unwrap(), df);
        }
        assert!(reader.next().unwrap().is_none());
        let path = file.path.clone();
        drop(file);
        assert!(!path.exists() && folder.exists());
        drop(scratch);
        assert!(!folder.exists());
    }

    #[test]
    fn files_that_are_gone_make_room_and_a_full_limit_says_what_to_raise() {
        let root = tempfile::tempdir().unwrap();
        let batch = flat(&df!("x" => (0..1000).collect::<Vec<i64>>()).unwrap()).unwrap();
        let scratch = Arc::new(Scratch::new(root.path().join("s"), 6_000));
        for _ in 0..10 {
            scratch.file().append(&batch).unwrap();
        }
        assert!(scratch.peak_bytes() < 6_000);
        let mut files: Vec<_> = (0..10).map(|_| scratch.file()).collect();
        let errors: Vec<RunError> = files
            .iter_mut()
            .filter_map(|file| file.append(&batch).err())
            .collect();
        let text = errors[0].to_string();
        assert!(
            text.contains("6.0 KB of scratch files: raise `limits.scratch`"),
            "{text}"
        );
    }

    #[test]
    fn a_folder_that_cannot_be_written_is_told_with_the_remedy() {
        let root = tempfile::tempdir().unwrap();
        let taken = root.path().join("a-file");
        std::fs::write(&taken, "").unwrap();
        let scratch = Arc::new(Scratch::new(taken.join("scratch"), 1 << 20));
        let batch = flat(&df!("x" => [1_i64]).unwrap()).unwrap();
        let text = scratch.file().append(&batch).unwrap_err().to_string();
        assert!(text.contains("a-file/scratch: no scratch files there"), "{text}");
        assert!(text.contains("set SKEWER_SCRATCH to another folder"), "{text}");
    }
}

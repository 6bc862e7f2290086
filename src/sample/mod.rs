//! The sample lake: two weeks of job ads with the faults of a real lake, a processed table, impressions and clicks, and
//! the job that reads them.
//!
//! The same seed gives the same bytes: no clock, no unordered map, one thread, fixed levels of compression. The
//! committed `sample_data/` is this lake, and `tests/it/sample.rs` holds it to the generator.

mod ads;
mod faults;
mod raw;
mod rng;
mod tables;
mod text;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::{fs, io};

use chrono::NaiveDate;
use serde::Serialize;
use thiserror::Error;

use crate::base::{Cancel, Cancelled};

pub use faults::{Fault, FaultKind};

const SEED: u64 = 20_200_101;

/// What was written.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize)]
pub struct SampleReport {
    pub n_files: u64,
    pub n_bytes: u64,
    /// Days of raw ads that hold objects, in order.
    pub days: Vec<SampleDay>,
    /// What is wrong on purpose, by path.
    pub faults: Vec<Fault>,
    /// Raw rows that repeat the `id` of the row before them.
    pub n_repeated_ids: u64,
}

/// One day of raw ads.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct SampleDay {
    pub date: NaiveDate,
    pub n_files: u64,
    /// As stored.
    pub n_bytes: u64,
    /// Good records, those of the truncated file's whole lines included.
    pub n_rows: u64,
    /// Lines that a reader has to refuse.
    pub n_bad_lines: u64,
}

/// Why the lake was not written.
#[derive(Debug, Error)]
pub enum SampleError {
    #[error(transparent)]
    Cancelled(#[from] Cancelled),
    #[error("{}: {source}: choose a folder that can be written, with 6 MB free", path.display())]
    Write { path: PathBuf, source: io::Error },
    #[error("`{path}`: cannot compress: {source}")]
    Compress { path: String, source: io::Error },
    #[error("cannot write a row as JSON: {source}")]
    Json { source: serde_json::Error },
    #[error("cannot write the processed table: {0}")]
    Parquet(#[from] parquet::errors::ParquetError),
}

/// The lake in memory: file contents by path, `/` between folders.
#[derive(Debug)]
struct Lake<'a> {
    cancel: &'a Cancel,
    files: BTreeMap<String, Vec<u8>>,
    report: SampleReport,
}

impl<'a> Lake<'a> {
    fn generate(cancel: &'a Cancel) -> Result<Self, SampleError> {
        let mut lake = Self {
            cancel,
            files: BTreeMap::new(),
            report: SampleReport::default(),
        };
        let days = raw::write(&mut lake)?;
        tables::write(&mut lake, &days)?;
        Ok(lake)
    }

    fn put(&mut self, path: String, content: Vec<u8>) {
        self.report.n_files += 1;
        self.report.n_bytes += content.len() as u64;
        self.files.insert(path, content);
    }
}

/// Writes the sample lake below `dir`, which is made when it is missing. Files of the same names are replaced, others
/// are left alone.
///
/// # Errors
/// [`SampleError`]; `jobs/job_features.yaml` is written last, so a folder that holds it holds the whole lake.
pub fn write(dir: &Path, cancel: &Cancel) -> Result<SampleReport, SampleError> {
    let lake = Lake::generate(cancel)?;
    let is_spec = |path: &str| path.starts_with("jobs/");
    let (last, first): (Vec<_>, Vec<_>) = lake.files.iter().partition(|(path, _)| is_spec(path));
    for (path, content) in first.into_iter().chain(last) {
        cancel.check()?;
        let path = dir.join(path);
        let written = match path.parent() {
            Some(folder) => fs::create_dir_all(folder).and_then(|()| fs::write(&path, content)),
            None => fs::write(&path, content),
        };
        written.map_err(|source| SampleError::Write { path, source })?;
    }
    Ok(lake.report)
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::path::Path;

    use super::{FaultKind, Lake, SampleError, write};
    use crate::base::Cancel;

    #[test]
    fn two_lakes_are_the_same_bytes() {
        let (first, second) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        let report = write(first.path(), &Cancel::new()).unwrap();
        assert_eq!(write(second.path(), &Cancel::new()).unwrap(), report);
        let cancel = Cancel::new();
        let lake = Lake::generate(&cancel).unwrap();
        assert_eq!(
            lake.files.len() as u64,
            report.n_files,
            "a path was written twice"
        );
        for path in lake.files.keys() {
            let read = |dir: &Path| fs::read(dir.join(path)).unwrap();
            assert_eq!(read(first.path()), read(second.path()), "{path}");
        }
    }

    #[test]
    fn the_report_counts_what_was_placed() {
        let cancel = Cancel::new();
        let report = Lake::generate(&cancel).unwrap().report;
        let bad: u64 = report.days.iter().map(|day| day.n_bad_lines).sum();
        let placed = report
            .faults
            .iter()
            .filter(|fault| fault.kind.is_bad_line())
            .count();
        assert_eq!(bad, placed as u64);
        for kind in [
            FaultKind::EmptyFile,
            FaultKind::TruncatedGzip,
            FaultKind::CrLf,
            FaultKind::ByteOrderMark,
        ] {
            assert!(report.faults.iter().any(|fault| fault.kind == kind), "{kind:?}");
        }
        assert_eq!(report.days.len(), 13);
    }

    #[test]
    fn a_cancelled_write_says_so_and_leaves_no_spec() {
        let dir = tempfile::tempdir().unwrap();
        let cancel = Cancel::new();
        cancel.cancel();
        let error = write(dir.path(), &cancel).unwrap_err();
        assert!(matches!(error, SampleError::Cancelled(_)), "{error}");
        assert!(!dir.path().join("jobs").exists());
    }

    #[test]
    fn a_folder_that_cannot_be_made_is_named() {
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join("taken");
        fs::write(&file, "a file").unwrap();
        let error = write(&file, &Cancel::new()).unwrap_err().to_string();
        assert!(
            error.contains("taken") && error.contains("choose a folder"),
            "{error}"
        );
    }
}

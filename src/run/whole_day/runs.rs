//! Rows that come bucket by bucket, given back in the order of their places: sorted runs in files, merged.
//!
//! Results wait in memory and go to a file, sorted, when there are many; so there are few runs, and none for a day of
//! which little is left. A merge takes from all runs what lies before the first end of a chunk at hand.

use polars::prelude::{DataFrame, SortMultipleOptions};

use super::gauge::Share;
use super::scratch::{ScratchFile, ScratchReader};
use super::shuffle::{files_error, places, read};
use super::{Room, frame};
use crate::dataset::origin;
use crate::run::RunError;

/// Runs merged at one time: as many chunks are in memory.
const FAN_IN: usize = 64;
/// Less than this at one time is not worth its overhead; matters below a budget of 1 MiB.
const MIN_BYTES: u64 = 4 << 10;

/// Collects rows in any order.
pub(super) struct Runs {
    room: Room,
    pool: Vec<DataFrame>,
    pool_bytes: Share,
    files: Vec<ScratchFile>,
}

impl Runs {
    pub fn new(room: &Room) -> Self {
        Self {
            pool: Vec::new(),
            pool_bytes: Share::of(&room.gauge),
            files: Vec::new(),
            room: room.clone(),
        }
    }

    /// Adds rows with their places; they are copied out of the frame they are in.
    pub fn push(&mut self, df: &DataFrame) -> Result<(), RunError> {
        // One frame without rows tells the columns.
        if df.height() == 0 && !self.pool.is_empty() {
            return Ok(());
        }
        let df = frame::compact(df)?;
        self.pool_bytes.add(frame::n_bytes(&df));
        self.pool.push(df);
        if self.pool_bytes.get() > self.room.limit_bytes / 2 {
            self.write_pool()?;
        }
        Ok(())
    }

    /// Gives all rows in the order of their places, in pieces; without any rows one piece with the columns.
    pub fn merge(mut self, emit: &mut dyn FnMut(DataFrame) -> Result<(), RunError>) -> Result<(), RunError> {
        let piece_bytes = (self.room.limit_bytes / 16).max(MIN_BYTES);
        if self.files.is_empty() {
            let df = sorted(frame::stack(std::mem::take(&mut self.pool))?)?;
            for piece in frame::cut(&df, self.pool_bytes.get(), piece_bytes) {
                self.room.cancel.check()?;
                emit(piece)?;
            }
            return Ok(());
        }
        self.write_pool()?;
        while self.files.len() > FAN_IN {
            let group: Vec<ScratchFile> = self.files.drain(..FAN_IN).collect();
            let mut merged = self.room.scratch.file();
            merge(&self.room, &group, piece_bytes, &mut |df| {
                self.append(&mut merged, &df)
            })?;
            self.files.push(merged);
        }
        merge(&self.room, &self.files, piece_bytes, emit)
    }

    fn write_pool(&mut self) -> Result<(), RunError> {
        let df = sorted(frame::stack(std::mem::take(&mut self.pool))?)?;
        if df.height() > 0 {
            let mut file = self.room.scratch.file();
            self.append(&mut file, &df)?;
            self.files.push(file);
        }
        self.pool_bytes.set(0);
        Ok(())
    }

    fn append(&self, file: &mut ScratchFile, df: &DataFrame) -> Result<(), RunError> {
        let chunk_bytes = (self.room.limit_bytes / (4 * FAN_IN as u64)).max(MIN_BYTES);
        for chunk in frame::cut(df, frame::n_bytes(df), chunk_bytes) {
            self.room.cancel.check()?;
            file.append(&frame::flat(&chunk).map_err(files_error)?)?;
        }
        Ok(())
    }
}

/// Gives the rows of sorted files in their order, in pieces of about `piece_bytes`.
fn merge(
    room: &Room,
    files: &[ScratchFile],
    piece_bytes: u64,
    emit: &mut dyn FnMut(DataFrame) -> Result<(), RunError>,
) -> Result<(), RunError> {
    let mut cursors = Vec::with_capacity(files.len());
    for file in files {
        let mut cursor = Cursor {
            reader: file.reader(),
            df: DataFrame::empty(),
            places: Vec::new(),
            at: 0,
            loaded: Share::of(&room.gauge),
        };
        if cursor.load(room)? {
            cursors.push(cursor);
        }
    }
    let mut piece = Vec::new();
    let mut of_piece = Share::of(&room.gauge);
    // Rows behind the last one of a chunk may be in the run's next chunk, which is not at hand yet.
    while let Some(last) = cursors
        .iter()
        .filter_map(|cursor| cursor.places.last().copied())
        .min()
    {
        let mut index = 0;
        while let Some(cursor) = cursors.get_mut(index) {
            let (df, n_bytes) = cursor.take_until(last);
            if df.height() > 0 {
                of_piece.add(n_bytes);
                piece.push(df);
            }
            if cursor.at < cursor.places.len() || cursor.load(room)? {
                index += 1;
            } else {
                cursors.remove(index);
            }
        }
        if of_piece.get() >= piece_bytes {
            emit(sorted(frame::stack(std::mem::take(&mut piece))?)?)?;
            of_piece.set(0);
        }
    }
    if piece.is_empty() {
        return Ok(());
    }
    emit(sorted(frame::stack(piece)?)?)
}

/// A run being read: its chunk at hand, and how much of that is taken.
struct Cursor<'a> {
    reader: ScratchReader<'a>,
    df: DataFrame,
    places: Vec<u64>,
    at: usize,
    loaded: Share,
}

impl Cursor<'_> {
    /// Goes on to the next chunk; false at the end of the run.
    fn load(&mut self, room: &Room) -> Result<bool, RunError> {
        let Some(df) = read(room, &mut self.reader)? else {
            return Ok(false);
        };
        self.places = places(&df)?;
        self.loaded.set(frame::n_bytes(&df));
        self.at = 0;
        self.df = df;
        Ok(true)
    }

    /// The rows not taken yet with places up to `last`, and their bytes.
    fn take_until(&mut self, last: u64) -> (DataFrame, u64) {
        let rest = self.places.get(self.at..).unwrap_or_default();
        let n_rows = rest.partition_point(|place| *place <= last);
        let df = self.df.slice(i64::try_from(self.at).unwrap_or(i64::MAX), n_rows);
        self.at += n_rows;
        (
            df,
            self.loaded.get() * n_rows as u64 / self.places.len().max(1) as u64,
        )
    }
}

/// `df` in the order of places; rows of one place stay as they are.
fn sorted(df: DataFrame) -> Result<DataFrame, RunError> {
    if df.width() == 0 || places(&df)?.is_sorted() {
        return Ok(df);
    }
    let options = SortMultipleOptions::default().with_maintain_order(true);
    df.sort([origin::ROW], options).map_err(frame::error)
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use polars::prelude::{DataFrame, df};

    use super::super::{Room, Scratch};
    use super::{FAN_IN, Runs, places};
    use crate::base::Cancel;
    use crate::dataset::origin;

    fn room(folder: &std::path::Path, limit_bytes: u64) -> Room {
        Room {
            limit_bytes,
            scratch: Arc::new(Scratch::new(folder.join("scratch"), 1 << 30)),
            cancel: Cancel::new(),
            gauge: Arc::default(),
        }
    }

    fn merged(runs: Runs) -> Vec<DataFrame> {
        let mut pieces = Vec::new();
        runs.merge(&mut |df| {
            pieces.push(df);
            Ok(())
        })
        .unwrap();
        pieces
    }

    #[test]
    fn more_runs_than_are_merged_at_once_come_out_in_one_order() {
        let folder = tempfile::tempdir().unwrap();
        let mut runs = Runs::new(&room(folder.path(), 64 << 10));
        let n_runs = 3 * FAN_IN as u64 + 5;
        for run in 0..n_runs {
            // Every run reaches over all places, and one place has two rows.
            let rows: Vec<u64> = (0..30).rev().flat_map(|n| [n * n_runs + run; 2]).collect();
            let order: Vec<u32> = (0..60).collect();
            let texts = vec!["t".repeat(1000); 60];
            runs.push(&df!(origin::ROW => rows, "n" => order, "t" => texts).unwrap())
                .unwrap();
        }
        assert!(runs.files.len() > FAN_IN, "{} runs", runs.files.len());
        let pieces = merged(runs);
        assert!(pieces.len() > 100);
        let rows: Vec<u64> = pieces.iter().flat_map(|df| places(df).unwrap()).collect();
        assert_eq!(
            rows,
            (0..30 * n_runs).flat_map(|row| [row; 2]).collect::<Vec<_>>()
        );
        let is_first = pieces.iter().flat_map(|df| {
            let order: Vec<u32> = df.column("n").unwrap().u32().unwrap().iter().flatten().collect();
            order.into_iter().map(|n| n % 2 == 0)
        });
        assert!(
            is_first
                .enumerate()
                .all(|(row, is_first)| (row % 2 == 0) == is_first),
            "equal places stay in order"
        );
        assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 0);
    }

    #[test]
    fn nothing_still_tells_its_columns_and_little_needs_no_file() {
        let folder = tempfile::tempdir().unwrap();
        let room = room(folder.path(), 1 << 20);
        let df = df!(origin::ROW => [3_u64, 1], "x" => [1_i32, 2]).unwrap();
        let mut runs = Runs::new(&room);
        runs.push(&df.clear()).unwrap();
        assert_eq!(merged(runs), [df.clear()]);
        let mut runs = Runs::new(&room);
        runs.push(&df).unwrap();
        runs.push(&df.clear()).unwrap();
        assert_eq!(places(&merged(runs)[0]).unwrap(), [1, 3]);
        assert!(!folder.path().join("scratch").exists());
    }
}

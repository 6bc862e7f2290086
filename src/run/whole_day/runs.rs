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
        let piece_bytes = (self.room.limit_bytes / 16).max(1);
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
        let chunk_bytes = (self.room.limit_bytes / (4 * FAN_IN as u64)).max(1);
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

//! The last stage of a day: puts results in order, keeps the books, and writes parts and quarantine.

use std::mem;
use std::sync::Arc;
use std::time::Instant;

use polars::prelude::DataFrame;
use tokio::runtime::Handle;
use tokio::sync::mpsc::Receiver;

use super::RunError;
use super::books::{Books, RejectedRecords};
use super::compute::{Compute, Message, Rows};
use super::part::PartRoller;
use super::part_reader::PartReader;
use super::produced::Produced;
use super::quarantine::Quarantine;
use super::report::Seconds;
use super::segments::Segments;
use super::timeline::WorkReport;
use super::whole_day::WholeDay;
use super::work::Copy;
use crate::base::{Cancel, Progress};
use crate::dataset::decode::Drift;
use crate::dataset::origin;
use crate::storage::Store;

/// Lives in a blocking thread.
pub(super) struct Writer {
    roller: PartRoller,
    quarantine: Quarantine,
    /// The table, for reading parts again.
    table: Store,
    copies: Vec<Copy>,
    segments: Segments,
    /// Whether steps mix the rows of the day, so that none belongs to one object.
    is_mixed: bool,
    n_copied: u64,
    books: Books,
    rejected: RejectedRecords,
    drift: Drift,
    seconds: Seconds,
    work: WorkReport,
    /// Rows that wait for the steps that need the whole day; none when there are no such steps.
    whole_day: Option<WholeDay>,
    columns: Vec<String>,
    compute: Compute,
    progress: Progress,
    cancel: Cancel,
}

/// What a writer needs from outside.
pub(super) struct Desk {
    pub roller: PartRoller,
    pub quarantine: Quarantine,
    pub table: Store,
    /// Published rows that come first.
    pub copies: Vec<Copy>,
    /// The steps that need the whole day; none when there are no such steps.
    pub whole_day: Option<WholeDay>,
    /// Whether steps make several rows of a record.
    pub makes_rows: bool,
    pub columns: Vec<String>,
    pub compute: Compute,
    pub progress: Progress,
    pub cancel: Cancel,
}

impl Writer {
    pub fn new(desk: Desk) -> Self {
        Self {
            roller: desk.roller,
            quarantine: desk.quarantine,
            table: desk.table,
            copies: desk.copies,
            segments: Segments::default(),
            is_mixed: desk.whole_day.is_some(),
            n_copied: 0,
            books: Books::default(),
            rejected: RejectedRecords::new(desk.makes_rows),
            drift: Drift::default(),
            seconds: Seconds::default(),
            work: WorkReport::default(),
            whole_day: desk.whole_day,
            columns: desk.columns,
            compute: desk.compute,
            progress: desk.progress,
            cancel: desk.cancel,
        }
    }

    /// Takes the results of all units, in their order, until every row is staged.
    pub fn run(mut self, results: Receiver<Receiver<Message>>) -> Result<Produced, RunError> {
        let written = self
            .copy()
            .and_then(|()| self.take_all(results))
            .and_then(|()| self.run_suffix());
        let ended = written.and_then(|()| Ok(self.cancel.check()?)).and_then(|()| {
            let start = Instant::now();
            let ended = self.roller.finish();
            self.seconds.encode += start.elapsed().as_secs_f64();
            ended
        });
        let (parts, (quarantine, rejects)) = match ended.and_then(|()| self.quarantine.finish()) {
            Ok(quarantine) => (self.roller.take_parts(), quarantine),
            Err(error) => {
                for part in self.roller.take_parts() {
                    self.roller.discard(&Handle::current(), &part)?;
                }
                return Err(error);
            }
        };
        Ok(Produced {
            n_files_failed: self.quarantine.n_failed_files(),
            examples: self.quarantine.take_examples(),
            books: self.books,
            drift: self.drift,
            seconds: self.seconds,
            work: self.work,
            parts,
            quarantine,
            rejects: rejects.into_iter().collect(),
            segments: self.segments,
            inputs: Vec::new(),
            n_copied: self.n_copied,
            rejected: self.quarantine.take_rejected(),
        })
    }

    /// Brings rows that stay from published parts into the new ones.
    fn copy(&mut self) -> Result<(), RunError> {
        let start = Instant::now();
        let (handle, schema) = (Handle::current(), Arc::clone(self.roller.schema()));
        for copy in mem::take(&mut self.copies) {
            if copy.rows.is_empty() {
                continue;
            }
            let mut reader = PartReader::open(&handle, &self.table, &copy, &schema)?;
            while let Some(batch) = reader.next(&handle)? {
                self.cancel.check()?;
                self.roller.write_arrow(&batch)?;
                self.n_copied += batch.num_rows() as u64;
            }
        }
        self.segments = Segments::from_row(self.n_copied);
        self.seconds.encode += start.elapsed().as_secs_f64();
        Ok(())
    }

    /// Writes down which rows came from which object.
    fn trace(&mut self, df: &DataFrame) -> Result<(), RunError> {
        if self.is_mixed {
            return Ok(());
        }
        let objects = df.column(origin::OBJECT).and_then(|column| column.u32().cloned());
        let objects = objects.map_err(|error| RunError::Step {
            message: error.to_string(),
        })?;
        for object in objects.iter() {
            self.segments.push(object.unwrap_or(u32::MAX), 1);
        }
        Ok(())
    }

    fn take_all(&mut self, mut results: Receiver<Receiver<Message>>) -> Result<(), RunError> {
        while let Some(mut unit) = results.blocking_recv() {
            let mut has_ended = false;
            while let Some(message) = unit.blocking_recv() {
                self.cancel.check()?;
                match message {
                    Message::Rows(rows) => self.take(&rows)?,
                    Message::Failed(error) => return Err(error),
                    Message::End(end) => {
                        self.drift.merge(&end.drift);
                        self.seconds.fetch += end.span.fetch_seconds;
                        self.progress.add_done(end.span.n_files);
                        self.work.add(end.span, end.files);
                        has_ended = true;
                    }
                }
            }
            if !has_ended {
                return Err(RunError::Worker {
                    message: "its unit has no end".to_owned(),
                });
            }
        }
        Ok(())
    }

    fn take(&mut self, rows: &Rows) -> Result<(), RunError> {
        self.books.rows_in += rows.n_records;
        self.books
            .add_rejects(&rows.decode_rejects, &rows.step_rejects, &mut self.rejected);
        self.books.add_steps(&rows.counts);
        self.seconds.decode += rows.decode_seconds;
        self.seconds.transform += rows.transform_seconds;
        self.progress.add_bytes(rows.n_bytes);
        for reject in rows.decode_rejects.iter().chain(&rows.step_rejects) {
            self.quarantine.add(reject)?;
        }
        if rows.df.height() == 0 {
            return Ok(());
        }
        match &mut self.whole_day {
            None => self.write(&rows.df),
            Some(whole_day) => whole_day.push(&rows.df),
        }
    }

    fn run_suffix(&mut self) -> Result<(), RunError> {
        let Some(whole_day) = self.whole_day.take() else {
            return Ok(());
        };
        let (start, encoded) = (Instant::now(), self.seconds.encode);
        whole_day.finish(&mut |outcome| {
            self.books.add_steps(&outcome.counts);
            let rejects = self.compute.step_rejects(outcome.rejects, &[]);
            self.books.add_rejects(&[], &rejects, &mut self.rejected);
            for reject in &rejects {
                self.quarantine.add(reject)?;
            }
            if outcome.df.height() == 0 {
                return Ok(());
            }
            self.write(&outcome.df)
        })?;
        let encoding = self.seconds.encode - encoded;
        self.seconds.transform += start.elapsed().as_secs_f64() - encoding;
        Ok(())
    }

    fn write(&mut self, df: &DataFrame) -> Result<(), RunError> {
        let start = Instant::now();
        self.trace(df)?;
        let visible = origin::strip(df)
            .select(self.columns.iter().map(String::as_str))
            .map_err(|error| RunError::Step {
                message: error.to_string(),
            })?;
        self.books.rows_out += visible.height() as u64;
        let written = self.roller.write(&visible);
        self.seconds.encode += start.elapsed().as_secs_f64();
        written
    }
}

//! Steps that need the whole day at once: in memory while the day fits, out of core when it does not.
//!
//! ```text
//! push ─► held in memory ─────────────────────────────────────────────────────────► the plan on one frame
//!            └─ too large ─► buckets by key ─► the step on each ─► sorted runs ─► merge ─► row steps ─► next such step
//!                            (shuffle)                             (runs)
//! ```
//!
//! The order of rows is that in which they were pushed. Out of core each row carries its place, [`origin::ROW`], which a
//! step hands on like the rest of a row's origin; the results of buckets are merged by it. So the output is that of one
//! frame in memory, to the row. Steps after the merge look at one row at a time; rows that they make of one get places
//! of their own before the next shuffle. A step that only sorts is dealt out in ranges of its order, one after another,
//! and gives the rows new places.
//!
//! A step that groups rows holds only the columns that it looks at.
//!
//! Leaves to `transform` what a step does, and to [`shuffle`] how rows that need each other meet.

mod frame;
mod gauge;
mod keys;
mod runs;
mod scratch;
mod shuffle;
#[cfg(test)]
mod tests;

use std::sync::Arc;

use polars::prelude::{Column, DataFrame, IntoColumn, NamedFrom, Series};

use self::gauge::{Gauge, Share};
use self::runs::Runs;
pub(super) use self::scratch::Scratch;
use self::shuffle::Shuffle;
use super::RunError;
use crate::base::{Cancel, units};
use crate::dataset::origin;
use crate::transform::{Outcome, Plan, Stage, StepCounts};

/// Takes the rows of a day in their order, and gives what the plan makes of them in theirs.
pub(super) struct WholeDay {
    /// What is left to run; starts with the stage.
    plan: Plan,
    stage: Stage,
    room: Room,
    held: Vec<DataFrame>,
    held_bytes: Share,
    /// Rows that are gone for good since their part was reduced.
    reduced: Vec<StepCounts>,
    /// Set once the rows did not fit.
    shuffle: Option<Shuffle>,
    /// The same, for a step that passes rows on.
    passed: Option<Runs>,
    n_rows: u64,
}

/// What the stages of a day share.
#[derive(Clone)]
struct Room {
    limit_bytes: u64,
    scratch: Arc<Scratch>,
    cancel: Cancel,
    gauge: Arc<Gauge>,
}

/// Takes a piece of the output: rows in their order, or none, with the rejects and counts that go with it.
type Emit<'a> = &'a mut dyn FnMut(Outcome) -> Result<(), RunError>;

impl WholeDay {
    /// Holds up to `limit_bytes` of rows, and takes about as much again while a step runs.
    ///
    /// # Errors
    /// [`RunError::Step`] for a plan that does not start with a step that needs the whole day.
    pub fn new(plan: Plan, limit_bytes: u64, scratch: Scratch, cancel: Cancel) -> Result<Self, RunError> {
        let room = Room {
            limit_bytes,
            scratch: Arc::new(scratch),
            cancel,
            gauge: Arc::default(),
        };
        Self::of(plan, room)
    }

    fn of(plan: Plan, room: Room) -> Result<Self, RunError> {
        let stage = plan.stage().ok_or_else(|| RunError::Step {
            message: "the plan starts with no step that needs the whole day".to_owned(),
        })?;
        Ok(Self {
            stage,
            plan,
            held: Vec::new(),
            held_bytes: Share::of(&room.gauge),
            reduced: Vec::new(),
            shuffle: None,
            passed: None,
            n_rows: 0,
            room,
        })
    }

    /// Adds rows (with hidden columns) after those before.
    ///
    /// # Errors
    /// [`RunError::DayTooLarge`] for a step that cannot run out of core, and what files may fail with.
    pub fn push(&mut self, df: &DataFrame) -> Result<(), RunError> {
        self.room.cancel.check()?;
        // Places of an earlier stage, which rows made since then share.
        let mut df = df.drop_many([origin::ROW]);
        if !self.stage.unread.is_empty() {
            df = df.drop_many(&self.stage.unread);
        }
        if self.shuffle.is_some() {
            return self.shuffle(df);
        }
        if self.passed.is_some() {
            return self.pass(df);
        }
        let df = frame::without_slack(df)?;
        self.held_bytes.add(frame::n_bytes(&df));
        self.held.push(df);
        if self.held_bytes.get() <= self.room.limit_bytes {
            return Ok(());
        }
        if self.stage.reduces_in_parts && self.reduce()? {
            return Ok(());
        }
        self.spill()
    }

    /// Runs the plan on all rows. `emit` takes the output piece by piece; without any rows it is not called.
    ///
    /// # Errors
    /// As [`WholeDay::push`], what a step fails with, and what `emit` gives.
    pub fn finish(self, emit: Emit<'_>) -> Result<(), RunError> {
        let Self {
            plan,
            stage,
            room,
            held,
            mut held_bytes,
            reduced,
            shuffle,
            passed,
            n_rows,
        } = self;
        if !reduced.is_empty() {
            emit(nothing_but(reduced))?;
        }
        let runs = match (shuffle, passed) {
            (Some(shuffle), _) => Some(shuffle.run(emit)?),
            (None, Some(runs)) => Some(append(&stage, runs, n_rows, &room, emit)?),
            (None, None) => None,
        };
        let rest = |room: &Room| {
            stage
                .rest
                .clone()
                .map(|plan| Self::of(plan, room.clone()))
                .transpose()
        };
        let Some(runs) = runs else {
            if held.is_empty() && !plan.appends() {
                return Ok(());
            }
            // The output is about as large, and there is a time when both are there.
            held_bytes.add(held_bytes.get());
            let df = if held.is_empty() {
                no_rows(&plan)
            } else {
                frame::stack(held)?
            };
            let spare = plan.makes_rows().then(|| df.clone());
            return match (plan.execute(df), spare) {
                (Ok(outcome), _) => emit(outcome),
                // A later step would make too much of all rows at once: it takes them in pieces.
                (Err(error), Some(df)) if error.is_too_large => {
                    let Outcome { df, rejects, counts } = stage.step.execute(df)?;
                    emit(Outcome {
                        df: DataFrame::empty(),
                        rejects,
                        counts,
                    })?;
                    let mut next = rest(&room)?;
                    hand_on(&stage.rows, df, next.as_mut(), emit)?;
                    next.map_or(Ok(()), |next| next.finish(emit))
                }
                (Err(error), _) => Err(error.into()),
            };
        };
        let mut next = rest(&room)?;
        runs.merge(&mut |df| hand_on(&stage.rows, df, next.as_mut(), emit))?;
        if let Some(next) = next {
            return next.finish(emit);
        }
        tracing::debug!(
            peak = units::bytes(room.gauge.peak()),
            scratch = units::bytes(room.scratch.peak_bytes()),
            "a day was computed out of core"
        );
        Ok(())
    }

    /// Runs the step on what is held, and says whether much is gone. When not, the rows stay as they were: their frames go
    /// to files one by one, and the memory of each is free then.
    fn reduce(&mut self) -> Result<bool, RunError> {
        let (df, counts) = reduce(&self.stage, self.held.clone())?;
        if frame::n_bytes(&df) > self.room.limit_bytes / 2 {
            return Ok(false);
        }
        let df = frame::compact(&df)?;
        self.held_bytes.set(frame::n_bytes(&df));
        self.held = vec![df];
        self.reduced.push(counts);
        Ok(true)
    }

    /// Moves what is held to scratch files, and all that comes after it.
    fn spill(&mut self) -> Result<(), RunError> {
        if self.stage.passes.is_some() {
            self.passed = Some(Runs::new(&self.room));
            for df in std::mem::take(&mut self.held) {
                self.held_bytes.take_off(frame::n_bytes(&df));
                self.pass(df)?;
            }
            self.held_bytes.set(0);
            return Ok(());
        }
        let Some(shuffle) = Shuffle::new(&self.stage, &self.room) else {
            return Err(RunError::DayTooLarge {
                limit_bytes: self.room.limit_bytes,
                step: self.stage.label.clone(),
                rows: "all rows of the day".to_owned(),
            });
        };
        self.shuffle = Some(shuffle);
        for df in std::mem::take(&mut self.held) {
            self.held_bytes.take_off(frame::n_bytes(&df));
            self.shuffle(df)?;
        }
        self.held_bytes.set(0);
        Ok(())
    }

    /// Runs a step that passes rows on, and puts what it gives to the runs.
    fn pass(&mut self, df: DataFrame) -> Result<(), RunError> {
        let (Some(passes), Some(runs)) = (&self.stage.passes, &mut self.passed) else {
            return Ok(());
        };
        let outcome = passes.execute(df)?;
        self.reduced.extend(outcome.counts);
        let df = with_places(outcome.df, self.n_rows)?;
        self.n_rows += df.height() as u64;
        runs.push(&df)
    }

    /// Gives each row its place in the day, and passes it to its bucket.
    fn shuffle(&mut self, df: DataFrame) -> Result<(), RunError> {
        let df = with_places(df, self.n_rows)?;
        self.n_rows += df.height() as u64;
        match &mut self.shuffle {
            Some(shuffle) => shuffle.push(df),
            None => Ok(()),
        }
    }
}

/// Runs row steps on rows, in pieces where they make too many, and gives what comes out to the next stage or `emit`.
fn hand_on(
    rows: &Plan,
    df: DataFrame,
    mut next: Option<&mut WholeDay>,
    emit: Emit<'_>,
) -> Result<(), RunError> {
    rows.execute_in_pieces(df, &mut |outcome| match &mut next {
        None => emit(outcome),
        Some(next) => {
            next.push(&outcome.df)?;
            emit(Outcome {
                df: DataFrame::empty(),
                ..outcome
            })
        }
    })
}

/// Adds to `runs` what the step of `stage` appends after the last of `n_rows` rows.
fn append(stage: &Stage, mut runs: Runs, n_rows: u64, room: &Room, emit: Emit<'_>) -> Result<Runs, RunError> {
    let outcome = stage.step.execute(no_rows(&stage.step))?;
    let df = with_places(outcome.df, n_rows)?;
    let n_bytes = frame::n_bytes(&df);
    for piece in frame::cut(&df, n_bytes, room.limit_bytes / 4) {
        runs.push(&piece)?;
    }
    emit(nothing_but(outcome.counts))?;
    Ok(runs)
}

/// What a plan takes, without rows.
fn no_rows(plan: &Plan) -> DataFrame {
    DataFrame::empty_with_schema(&origin::with_origin(plan.input()))
}

/// `df` with the place of each row in the day, from `first` on.
fn with_places(mut df: DataFrame, first: u64) -> Result<DataFrame, RunError> {
    let places: Vec<u64> = (first..first + df.height() as u64).collect();
    df.with_column(column(origin::ROW, places))
        .map_err(frame::error)?;
    Ok(df)
}

/// Runs a step that reduces in parts on one part. The counts are those of the rows that are gone: the others are counted
/// when the step runs on what is left.
fn reduce(stage: &Stage, frames: Vec<DataFrame>) -> Result<(DataFrame, StepCounts), RunError> {
    let outcome = stage.step.execute(frame::stack(frames)?)?;
    let mut counts = outcome.counts.into_iter().next().unwrap_or_default();
    counts.rows_in = counts.rows_in.saturating_sub(counts.rows_out);
    counts.rows_out = 0;
    Ok((outcome.df, counts))
}

/// Counts without rows.
fn nothing_but(counts: Vec<StepCounts>) -> Outcome {
    Outcome {
        df: DataFrame::empty(),
        rejects: Vec::new(),
        counts,
    }
}

fn column(name: &'static str, values: Vec<u64>) -> Column {
    Series::new(name.into(), values).into_column()
}

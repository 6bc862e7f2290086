//! Runs a plan on rows in memory: the only place where lazy frames are collected.
//!
//! A plan runs segment by segment. polars may not move work across steps: with its push-downs a row that a step cannot
//! compute would be rejected or not, depending on the steps after it and on the other rows of the batch.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::time::Instant;

use polars::prelude::{DataFrame, Expr, IntoLazy, LazyFrame, OptFlags, PlSmallStr};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::isolate;
use super::plan::PlannedStep;
use super::{Inputs, Plan, RowEffect, expr};
use crate::base::units;
use crate::dataset::origin;

/// Rows a step took and gave. `rows_in = rows_out + filtered + quarantined + merged - made`.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
pub struct StepCounts {
    /// 1-based number of the step in its recipe.
    pub number: usize,
    pub name: String,
    pub rows_in: u64,
    pub rows_out: u64,
    pub rows_filtered: u64,
    pub rows_quarantined: u64,
    pub rows_merged: u64,
    pub rows_made: u64,
    /// Nanoseconds spent; filled only when asked for, by `explore`.
    #[serde(skip)]
    pub nanos: u64,
}

impl StepCounts {
    /// Adds what the same step did with another batch.
    pub fn add(&mut self, other: &Self) {
        self.rows_in += other.rows_in;
        self.rows_out += other.rows_out;
        self.rows_filtered += other.rows_filtered;
        self.rows_quarantined += other.rows_quarantined;
        self.rows_merged += other.rows_merged;
        self.rows_made += other.rows_made;
        self.nanos += other.nanos;
    }

    /// Whether every row that came in is accounted for.
    pub fn is_balanced(&self) -> bool {
        self.rows_in + self.rows_made
            == self.rows_out + self.rows_filtered + self.rows_quarantined + self.rows_merged
    }
}

/// A row that a step could not compute.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StepReject {
    /// Values of the origin columns.
    pub object: u32,
    pub line: u64,
    pub byte_offset: u64,
    pub step_number: usize,
    pub step_label: String,
    /// The parameter's column, where there is one.
    pub column: Option<String>,
    pub message: String,
}

/// What a plan made of a batch.
#[derive(Debug, Clone)]
pub struct Outcome {
    /// Output columns, then the origin columns.
    pub df: DataFrame,
    pub rejects: Vec<StepReject>,
    /// One per enabled step, in order.
    pub counts: Vec<StepCounts>,
}

/// A failure that is no record's fault.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("step {number} `{label}` failed: {message}")]
pub struct ExecuteError {
    pub number: usize,
    pub label: String,
    pub message: String,
    /// Whether a step was stopped because it would have made too many rows; fewer rows at once may do.
    pub is_too_large: bool,
}

/// The most rows that a step may make of one batch, whatever their size.
const MAX_MADE_ROWS: u64 = 100_000_000;

/// Whether the time of each step is taken; sensible only where each is collected on its own.
#[derive(Debug, Clone, Copy)]
enum Timing {
    Off,
    On,
}

impl Plan {
    /// Runs the plan on `df` (input columns and origin columns). A row that a step cannot compute is rejected alone;
    /// an error that polars raises for a whole batch is bisected down to its rows.
    ///
    /// # Errors
    /// [`ExecuteError`] when a step fails on no row in particular.
    pub fn execute(&self, df: DataFrame) -> Result<Outcome, ExecuteError> {
        self.run(&self.segments(), df, Timing::Off)
    }

    /// As [`Plan::execute`], with one cut after every step: fills `nanos` and counts of every step. For exploring.
    ///
    /// # Errors
    /// As [`Plan::execute`].
    pub fn execute_stepwise(&self, df: DataFrame) -> Result<Outcome, ExecuteError> {
        self.run(&self.single_steps(), df, Timing::On)
    }

    fn run(
        &self,
        segments: &[&[PlannedStep]],
        df: DataFrame,
        timing: Timing,
    ) -> Result<Outcome, ExecuteError> {
        let mut outcome = Outcome {
            df,
            rejects: Vec::new(),
            counts: Vec::new(),
        };
        for segment in segments {
            let started = Instant::now();
            self.run_segment(segment, &mut outcome)?;
            if let (Timing::On, Some(counts)) = (timing, outcome.counts.last_mut()) {
                counts.nanos = u64::try_from(started.elapsed().as_nanos()).unwrap_or(u64::MAX);
            }
        }
        // Steps add columns after the hidden ones; readers rely on the plan's order.
        let hidden = [origin::OBJECT, origin::LINE, origin::OFFSET, origin::ROW];
        let hidden = hidden
            .into_iter()
            .filter(|name| outcome.df.schema().contains(name));
        let order = self.output().iter_names().map(PlSmallStr::as_str).chain(hidden);
        match outcome.df.select(order) {
            Ok(df) => outcome.df = df,
            Err(error) => {
                return Err(ExecuteError {
                    number: outcome.counts.last().map_or(0, |counts| counts.number),
                    label: outcome
                        .counts
                        .last()
                        .map_or_else(String::new, |counts| counts.name.clone()),
                    message: expr::short(&error),
                    is_too_large: false,
                });
            }
        }
        Ok(outcome)
    }

    /// As [`Plan::execute`], for steps that look at one row at a time: rows of which a step would make too many at once are
    /// computed in pieces, in their order. `emit` takes the outcome of each.
    ///
    /// # Errors
    /// As [`Plan::execute`], also when a single row makes too many, and what `emit` gives.
    pub fn execute_in_pieces<E: From<ExecuteError>>(
        &self,
        df: DataFrame,
        emit: &mut dyn FnMut(Outcome) -> Result<(), E>,
    ) -> Result<(), E> {
        let mut pieces = vec![df];
        while let Some(df) = pieces.pop() {
            // Kept only where they may be needed again: they are as much memory as the rows that come out.
            let spare = self.makes_rows().then(|| df.clone());
            match (self.execute(df), spare) {
                (Ok(outcome), _) => emit(outcome)?,
                (Err(error), Some(df)) if error.is_too_large && df.height() > 1 => {
                    let half = df.height() / 2;
                    let at = i64::try_from(half).unwrap_or(i64::MAX);
                    pieces.push(df.slice(at, df.height() - half));
                    pieces.push(df.slice(0, half));
                }
                (Err(error), _) => return Err(error.into()),
            }
        }
        Ok(())
    }

    /// Runs a segment; when polars raises an error, runs its steps one by one to find the step and the rows at fault.
    fn run_segment(&self, segment: &[PlannedStep], outcome: &mut Outcome) -> Result<(), ExecuteError> {
        let inputs = &self.inputs;
        let before = outcome.df.clone();
        self.check_growth(segment, &before)?;
        match compute(segment, inputs, &before) {
            Ok(after) => book(segment, inputs, &before, after, 0, outcome),
            Err(_) => {
                for planned in segment {
                    let before = outcome.df.clone();
                    let isolated = isolate::run_step(planned, inputs, &before)?;
                    let n_isolated = isolated.rejects.len();
                    outcome.rejects.extend(isolated.rejects);
                    let segment = std::slice::from_ref(planned);
                    book(segment, inputs, &before, isolated.df, n_isolated, outcome);
                }
            }
        }
        Ok(())
    }

    /// Refuses a step that would make more rows of `df` than memory holds, before it does.
    fn check_growth(&self, segment: &[PlannedStep], df: &DataFrame) -> Result<(), ExecuteError> {
        // A step that makes rows is always the first of its segment: its rows before are at hand.
        let Some(planned) = segment.first() else {
            return Ok(());
        };
        let makes = matches!(planned.step.row_effect(), RowEffect::Makes | RowEffect::Remakes);
        let Some(growth) = makes
            .then(|| planned.step.n_rows_after(df, &self.inputs))
            .flatten()
        else {
            return Ok(());
        };
        let n_rows = growth.n_rows;
        let row_bytes = (df.estimated_size() / df.height().max(1)) as u64 + growth.added_bytes;
        let n_bytes = n_rows.saturating_mul(row_bytes);
        if n_rows <= df.height() as u64 || (n_rows <= MAX_MADE_ROWS && n_bytes <= self.max_made_bytes) {
            return Ok(());
        }
        let worst = if growth.worst.is_empty() {
            String::new()
        } else {
            format!("; {}", growth.worst)
        };
        Err(ExecuteError {
            number: planned.number,
            label: planned.label.clone(),
            message: format!(
                "it would make {} (about {}) of {}, and at most {} are made of a batch{worst}: filter before the step, \
                 or drop columns that it repeats",
                units::plural(n_rows, "row"),
                units::bytes(n_bytes),
                units::count(df.height() as u64),
                units::bytes(self.max_made_bytes),
            ),
            is_too_large: true,
        })
    }
}

/// Applies steps to `df` and collects, with panics caught as errors.
pub(super) fn compute(segment: &[PlannedStep], inputs: &Inputs, df: &DataFrame) -> Result<DataFrame, String> {
    let mut lf = df.clone().lazy();
    for planned in segment {
        lf = planned
            .step
            .apply(lf, &planned.input, inputs)
            .map_err(|error| error.to_string())?;
    }
    collect(lf)
}

/// Computes an expression on `df` and forgets the result. On no rows this finds errors of types that planning alone lets
/// pass.
pub(super) fn try_on(expr: Expr, df: DataFrame) -> Result<(), String> {
    collect(df.lazy().select([expr])).map(|_| ())
}

/// As [`try_on`], for a whole frame.
pub(super) fn try_frame(lf: LazyFrame) -> Result<(), String> {
    collect(lf).map(|_| ())
}

/// The rows of a plan.
pub(super) fn collect(lf: LazyFrame) -> Result<DataFrame, String> {
    guarded(|| collect_now(lf))
}

/// What `work` gives, with a panic of polars as an error.
pub(super) fn guarded<T>(work: impl FnOnce() -> Result<T, String>) -> Result<T, String> {
    catch_unwind(AssertUnwindSafe(work)).unwrap_or_else(|panic| {
        let text = panic
            .downcast_ref::<String>()
            .map(String::as_str)
            .or_else(|| panic.downcast_ref::<&str>().copied());
        Err(format!("polars panicked: {}", text.unwrap_or("no reason given")))
    })
}

#[expect(
    clippy::disallowed_methods,
    reason = "this is the one place where plans are executed"
)]
fn collect_now(lf: LazyFrame) -> Result<DataFrame, String> {
    lf.with_optimizations(OptFlags::TYPE_COERCION | OptFlags::TYPE_CHECK | OptFlags::SIMPLIFY_EXPR)
        .collect()
        .map_err(|error| expr::short(&error))
}

/// Splits rejected rows off `after` and writes down what the last step of the segment did with its rows; the steps before
/// it keep theirs.
fn book(
    segment: &[PlannedStep],
    inputs: &Inputs,
    before: &DataFrame,
    after: DataFrame,
    n_isolated: usize,
    outcome: &mut Outcome,
) {
    let Some((last, keeping)) = segment.split_last() else {
        return;
    };
    let n_before = before.height() as u64;
    for planned in keeping {
        outcome.counts.push(StepCounts {
            number: planned.number,
            name: planned.step.name().to_owned(),
            rows_in: n_before,
            rows_out: n_before,
            ..StepCounts::default()
        });
    }
    let (df, rejects) = split_rejects(last, after);
    let n_rejects = (rejects.len() + n_isolated) as u64;
    outcome.rejects.extend(rejects);
    let n_after = df.height() as u64;
    let mut counts = StepCounts {
        number: last.number,
        name: last.step.name().to_owned(),
        rows_in: n_before,
        rows_out: n_after,
        rows_quarantined: n_rejects,
        ..StepCounts::default()
    };
    let n_computed = n_before.saturating_sub(n_rejects);
    match last.step.row_effect() {
        RowEffect::Keeps => {}
        RowEffect::Filters => counts.rows_filtered = n_computed.saturating_sub(n_after),
        RowEffect::Merges => counts.rows_merged = n_computed.saturating_sub(n_after),
        RowEffect::Remakes => {
            counts.rows_merged = n_computed.saturating_sub(n_after);
            counts.rows_made = n_after.saturating_sub(n_computed);
        }
        RowEffect::Makes => {
            counts.rows_filtered = last.step.n_left_out(before, inputs);
            counts.rows_made = (n_after + counts.rows_filtered).saturating_sub(n_computed);
        }
    }
    outcome.counts.push(counts);
    outcome.df = df;
}

/// Takes the rows out whose hidden reject column says why.
fn split_rejects(planned: &PlannedStep, mut df: DataFrame) -> (DataFrame, Vec<StepReject>) {
    let Ok(reasons) = df.drop_in_place(origin::REJECT) else {
        return (df, Vec::new());
    };
    if reasons.null_count() == reasons.len() {
        return (df, Vec::new());
    }
    let good = reasons.is_null();
    let rejects = match reasons.str() {
        Ok(reasons) => reasons
            .iter()
            .enumerate()
            .filter_map(|(row, reason)| Some(reject_row(planned, &df, row, reason?)))
            .collect(),
        Err(_) => Vec::new(),
    };
    match df.filter(&good) {
        Ok(good) => (good, rejects),
        // The mask is as long as the frame it came from.
        Err(_) => (df, Vec::new()),
    }
}

/// A reject for row `row` of `df`, with the origin that its hidden columns tell.
pub(super) fn reject_row(planned: &PlannedStep, df: &DataFrame, row: usize, message: &str) -> StepReject {
    let origin = |name: &str| {
        df.column(name)
            .ok()
            .and_then(|column| column.get(row).ok()?.extract::<u64>())
            .unwrap_or_default()
    };
    StepReject {
        object: u32::try_from(origin(origin::OBJECT)).unwrap_or_default(),
        line: origin(origin::LINE),
        byte_offset: origin(origin::OFFSET),
        step_number: planned.number,
        step_label: planned.label.clone(),
        column: planned.step.column().map(str::to_owned),
        message: message.to_owned(),
    }
}

#[cfg(test)]
mod tests;

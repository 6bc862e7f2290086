//! Finds the rows of a batch that make polars fail, by bisection, so that they are rejected alone.

use polars::prelude::DataFrame;

use super::execute::{ExecuteError, StepReject, compute, reject_row};
use super::plan::PlannedStep;
use super::{Inputs, Scope};

/// Rows of one batch that may be rejected by bisection. Each costs a few calls of polars; a step that fails on more is
/// broken for the data as a whole, and is reported as such.
pub(super) const MAX_ROWS: usize = 1_000;

/// The rows that a step could compute, and rejects for the others.
pub(super) struct Isolated {
    pub(super) df: DataFrame,
    pub(super) rejects: Vec<StepReject>,
}

/// Runs one step on `df`, setting rows aside that make it fail.
///
/// # Errors
/// [`ExecuteError`] when the step fails on no rows at all, needs the rows together, or fails on more than [`MAX_ROWS`].
pub(super) fn run_step(
    planned: &PlannedStep,
    inputs: &Inputs,
    df: &DataFrame,
) -> Result<Isolated, ExecuteError> {
    let failed = |message: String| ExecuteError {
        number: planned.number,
        label: planned.label.clone(),
        message,
        is_too_large: false,
    };
    let steps = std::slice::from_ref(planned);
    let message = match compute(steps, inputs, df) {
        Ok(df) => {
            return Ok(Isolated {
                df,
                rejects: Vec::new(),
            });
        }
        Err(message) => message,
    };
    if planned.step.scope() == Scope::Partition {
        return Err(failed(message));
    }
    let empty = compute(steps, inputs, &df.clear()).map_err(failed)?;
    let mut isolated = Isolated {
        df: empty,
        rejects: Vec::new(),
    };
    // Ranges of rows still to compute, the next one last, so that rows come out in their order.
    let mut ranges = halves(0, df.height());
    while let Some((start, len)) = ranges.pop() {
        let rows = df.slice(i64::try_from(start).unwrap_or(i64::MAX), len);
        match compute(steps, inputs, &rows) {
            Ok(computed) => {
                isolated
                    .df
                    .vstack_mut(&computed)
                    .map_err(|error| failed(super::expr::short(&error)))?;
            }
            Err(message) if len <= 1 => {
                isolated.rejects.push(reject_row(planned, &rows, 0, &message));
                if isolated.rejects.len() > MAX_ROWS {
                    return Err(failed(format!(
                        "more than {MAX_ROWS} of {} records cannot be computed; the last error: {message}",
                        df.height()
                    )));
                }
            }
            Err(_) => ranges.extend(halves(start, len)),
        }
    }
    isolated.df.rechunk_mut();
    Ok(isolated)
}

/// A range cut in two, the second half first; a single row stays whole.
fn halves(start: usize, len: usize) -> Vec<(usize, usize)> {
    if len <= 1 {
        return vec![(start, len)];
    }
    let half = len / 2;
    vec![(start + half, len - half), (start, half)]
}

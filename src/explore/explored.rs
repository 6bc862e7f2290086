//! A recipe run on a page, up to a chosen step.

use std::collections::BTreeMap;

use polars::prelude::{DataFrame, Schema};

use crate::base::Accuracy;
use crate::dataset::{Page, Reason, Reject, Stage, origin};
use crate::transform::{Inputs, Recipe, StepCounts, StepError, StepReject};

/// What a column is compared with the rows before the last shown step.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ColumnMark {
    Added,
    Changed,
}

/// What one step did to the sample.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ledger {
    pub counts: StepCounts,
    pub is_costliest: bool,
}

/// The page after a step, the state of every step, and what was rejected.
#[derive(Debug, Clone)]
pub struct Explored {
    /// Visible columns only.
    pub df: DataFrame,
    /// Per step of the recipe: the schema after it, or why it does not check.
    pub checks: Vec<Result<Schema, StepError>>,
    /// By step number; only steps that ran.
    pub ledger: BTreeMap<usize, Ledger>,
    /// Decode rejects of the page, then step rejects.
    pub rejects: Vec<Reject>,
    /// Columns that the last shown step added or changed, by name.
    pub marks: BTreeMap<String, ColumnMark>,
    /// Columns that the last shown step left out.
    pub dropped: Vec<String>,
    /// Rows before any step.
    pub n_rows_in: u64,
    pub accuracy: Accuracy,
    /// Steps whose result is shown; fewer than asked for when one of them does not check.
    pub n_steps: usize,
    /// A failure while running that is no record's fault.
    pub error: Option<String>,
}

/// Runs the enabled steps among the first `n_steps` on `page`. A step that does not check is a state to show: the
/// steps above it run, and the rows shown are those before it.
pub fn explore(page: &Page, recipe: &Recipe, n_steps: usize) -> Explored {
    let inputs = Inputs::default();
    let visible = origin::without_hidden(page.df.schema());
    let checked = recipe.check(&visible, &inputs);
    let first_broken = checked
        .steps
        .iter()
        .position(Result::is_err)
        .unwrap_or(usize::MAX);
    let n_steps = n_steps.min(recipe.steps.len()).min(first_broken);
    let mut explored = Explored {
        df: origin::strip(&page.df),
        checks: checked.steps,
        ledger: BTreeMap::new(),
        rejects: page.rejects.clone(),
        marks: BTreeMap::new(),
        dropped: Vec::new(),
        n_rows_in: page.df.height() as u64,
        accuracy: page.accuracy,
        n_steps,
        error: None,
    };
    let plan = match recipe.compile(n_steps, &visible, &inputs) {
        Ok(plan) => plan,
        Err(error) => {
            explored.error = Some(error.to_string());
            return explored;
        }
    };
    match plan.execute_stepwise(page.df.clone()) {
        Ok(outcome) => {
            explored.df = origin::strip(&outcome.df);
            explored.ledger = ledger(outcome.counts);
            explored
                .rejects
                .extend(outcome.rejects.into_iter().map(|reject| as_reject(reject, page)));
            explored.mark_columns(&visible);
        }
        Err(error) => explored.error = Some(error.to_string()),
    }
    explored
}

impl Explored {
    /// Marks what the last shown step did to the columns.
    fn mark_columns(&mut self, input: &Schema) {
        let Some(last) = self.n_steps.checked_sub(1) else {
            return;
        };
        let before = match last.checked_sub(1).and_then(|index| self.checks.get(index)) {
            Some(Ok(schema)) => schema,
            Some(Err(_)) => return,
            None => input,
        };
        let Some(Ok(after)) = self.checks.get(last) else {
            return;
        };
        for (name, dtype) in after.iter() {
            match before.get(name) {
                None => {
                    self.marks.insert(name.to_string(), ColumnMark::Added);
                }
                Some(old) if old != dtype => {
                    self.marks.insert(name.to_string(), ColumnMark::Changed);
                }
                Some(_) => {}
            }
        }
        self.dropped = before
            .iter_names()
            .filter(|name| !after.contains(name))
            .map(ToString::to_string)
            .collect();
    }
}

fn ledger(counts: Vec<StepCounts>) -> BTreeMap<usize, Ledger> {
    let slowest = counts.iter().map(|step| step.nanos).max().unwrap_or(0);
    let has_several = counts.len() > 1;
    counts
        .into_iter()
        .map(|counts| {
            let is_costliest = has_several && slowest > 0 && counts.nanos == slowest;
            (counts.number, Ledger { counts, is_costliest })
        })
        .collect()
}

/// A step's reject in the words of the page's other rejects.
fn as_reject(reject: StepReject, page: &Page) -> Reject {
    let object = page
        .objects
        .get(reject.object as usize)
        .cloned()
        .unwrap_or_default();
    Reject {
        object,
        line: reject.line,
        byte_offset: reject.byte_offset,
        byte_len: 0,
        stage: Stage::Transform,
        reason: Reason::StepFailed,
        field: reject.column,
        expected: None,
        got: None,
        step: Some(format!("{} {}", reject.step_number, reject.step_label)),
        message: reject.message,
        raw: String::new(),
        is_raw_partial: true,
    }
}

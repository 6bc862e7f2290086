//! What exploring a recipe on a page gives: the rows, the state and ledger of every step, rejects and what changed.

use std::collections::BTreeMap;
use std::sync::Arc;

use polars::prelude::{DataFrame, Schema};

use super::compare::{ColumnMark, Comparison};
use super::inputs;
use super::ledger::Ledger;
use crate::base::Accuracy;
use crate::dataset::{Page, Reason, Reject, SampleSize, Stage};
use crate::transform::{Inputs, Recipe, Step, StepError, StepReject};

/// The page after a step, the state of every step, and what was rejected.
#[derive(Debug, Clone, Default)]
pub struct Explored {
    /// Visible columns only.
    pub df: DataFrame,
    /// Where each row of `df` came from, by the page's hidden columns. None where a step makes a new set of rows.
    pub origins: Option<DataFrame>,
    /// Per step of the recipe: the schema after it, or why it does not check or could not learn what it needs.
    pub checks: Vec<Result<Schema, StepError>>,
    /// By step number: the steps that ran, and later ones that ran on the same rows before.
    pub ledger: BTreeMap<usize, Ledger>,
    /// Decode rejects of the page, then step rejects.
    pub rejects: Vec<Reject>,
    /// Columns that the last shown step added or changed, by name.
    pub marks: BTreeMap<String, ColumnMark>,
    /// Columns that the last shown step left out.
    pub dropped: Vec<String>,
    /// Before and after the last shown step. None when no step is shown, or the last one is switched off.
    pub comparison: Option<Arc<Comparison>>,
    /// Steps that have learned from the rows before them, by 0-based place: the document is to keep them.
    pub fits: Vec<(usize, Step)>,
    /// Rows before any step.
    pub n_rows_in: u64,
    pub accuracy: Accuracy,
    /// How large a part of the data the page is.
    pub size: SampleSize,
    /// Steps whose result is shown; fewer than asked for when one of them does not check or fails.
    pub n_steps: usize,
    /// A failure while running that is no record's fault.
    pub error: Option<String>,
    /// What to know of the inputs that the rows rest on.
    pub notes: Vec<String>,
}

impl Explored {
    /// What is known before any step ran.
    pub(super) fn of_page(page: &Page) -> Self {
        Self {
            rejects: page.rejects.clone(),
            n_rows_in: page.df.height() as u64,
            accuracy: page.accuracy,
            size: page.size,
            ..Self::default()
        }
    }

    /// Says what the first `n_steps` steps of the recipe rest on besides the page: where not all rows of an input are
    /// there, the rows shown are a sample, also of a whole page.
    pub(super) fn rests_on(&mut self, recipe: &Recipe, n_steps: usize, inputs: &Inputs) {
        if self.accuracy.is_exact() && inputs::is_sampled(recipe, n_steps, inputs) {
            self.accuracy = Accuracy::Sample {
                n: self.n_rows_in,
                of: Some(self.n_rows_in),
            };
        }
        self.notes = inputs::notes(recipe, n_steps, inputs);
    }

    /// Adds what the last shown step did.
    pub(super) fn compare(&mut self, comparison: Comparison) {
        for (column, mark) in &comparison.marks {
            if *mark != ColumnMark::Dropped {
                self.marks.insert(column.clone(), *mark);
            }
        }
        // In the order they had.
        let before = comparison.before.schema().iter_names();
        let is_dropped = |name: &&str| comparison.marks.get(*name) == Some(&ColumnMark::Dropped);
        self.dropped = before
            .map(polars::prelude::PlSmallStr::as_str)
            .filter(is_dropped)
            .map(str::to_owned)
            .collect();
        self.comparison = Some(Arc::new(comparison));
    }
}

/// A step's reject in the words of the other rejects. `number` is the step's in the recipe, `of_rows` the object of its
/// number among those that the rows were read from.
pub(super) fn as_reject(
    reject: &StepReject,
    number: usize,
    of_rows: Option<&str>,
    inputs: &Inputs,
) -> Reject {
    let object = of_rows.or_else(|| inputs.object_name(reject.object));
    let object = object.unwrap_or_default().to_owned();
    Reject {
        object,
        line: reject.line,
        byte_offset: reject.byte_offset,
        byte_len: 0,
        stage: Stage::Transform,
        reason: Reason::StepFailed,
        field: reject.column.clone(),
        expected: None,
        got: None,
        step: Some(format!("{number} {}", reject.step_label)),
        message: reject.message.clone(),
        raw: String::new(),
        is_raw_partial: true,
    }
}

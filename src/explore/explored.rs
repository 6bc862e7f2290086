//! A recipe run on a page, up to a chosen step.

use std::collections::BTreeMap;

use polars::prelude::{ChunkCompareEq, Column, DataFrame, Schema};

use super::inputs;
use crate::base::Accuracy;
use crate::dataset::{Page, Reason, Reject, Stage, origin};
use crate::transform::{Inputs, Outcome, Recipe, StepCounts, StepError, StepReject};

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
    /// What to know of the inputs that the rows rest on.
    pub notes: Vec<String>,
}

/// Runs the enabled steps among the first `n_steps` on `page`. A step that does not check is a state to show: the
/// steps above it run, and the rows shown are those before it.
///
/// Where a step reads an input of which not all rows are there, the rows shown are a sample, also of a whole page.
pub fn explore(page: &Page, recipe: &Recipe, n_steps: usize, inputs: &Inputs) -> Explored {
    let visible = origin::without_hidden(page.df.schema());
    let checked = recipe.check(&visible, inputs);
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
        accuracy: match page.accuracy {
            Accuracy::Exact if inputs::is_sampled(recipe, n_steps, inputs) => Accuracy::Sample {
                n: page.df.height() as u64,
                of: Some(page.df.height() as u64),
            },
            accuracy => accuracy,
        },
        n_steps,
        error: None,
        notes: inputs::notes(recipe, n_steps, inputs),
    };
    match run(page, recipe, n_steps, &visible, inputs) {
        Ok((before, mut outcome)) => {
            if nanos_of(&outcome) < RETIMED_BELOW_NANOS
                && let Ok((_, again)) = run(page, recipe, n_steps, &visible, inputs)
            {
                keep_shorter_times(&mut outcome.counts, &again.counts);
            }
            explored.df = origin::strip(&outcome.df);
            explored.ledger = ledger(outcome.counts);
            explored.rejects.extend(
                outcome
                    .rejects
                    .into_iter()
                    .map(|reject| as_reject(reject, page, inputs)),
            );
            explored.mark_columns(&before, &outcome.df);
        }
        Err(error) => explored.error = Some(error),
    }
    explored
}

/// A first run pays for what later ones find ready, and would call the first step the costliest. A recipe that took less
/// than this is timed once more, unnoticed.
const RETIMED_BELOW_NANOS: u64 = 40_000_000;

fn nanos_of(outcome: &Outcome) -> u64 {
    outcome.counts.iter().map(|step| step.nanos).sum()
}

fn keep_shorter_times(counts: &mut [StepCounts], again: &[StepCounts]) {
    for (counts, again) in counts.iter_mut().zip(again) {
        counts.nanos = counts.nanos.min(again.nanos);
    }
}

/// Runs the first `n_steps`, the last of them apart. Returns the rows before the last step, and the outcome of all.
fn run(
    page: &Page,
    recipe: &Recipe,
    n_steps: usize,
    input: &Schema,
    inputs: &Inputs,
) -> Result<(DataFrame, Outcome), String> {
    let n_before = n_steps.saturating_sub(1);
    let first = recipe
        .compile(n_before, input, inputs)
        .map_err(|error| error.to_string())?;
    // The last step keeps its number: those above it are switched off, not cut away.
    let mut only_last = recipe.clone();
    for step in only_last.steps.iter_mut().take(n_before) {
        step.enabled = false;
    }
    let last = only_last
        .compile(n_steps, first.output(), inputs)
        .map_err(|error| error.to_string())?;
    let mut done = first
        .execute_stepwise(page.df.clone())
        .map_err(|error| error.to_string())?;
    let before = done.df.clone();
    let outcome = last
        .execute_stepwise(done.df)
        .map_err(|error| error.to_string())?;
    done.counts.extend(outcome.counts);
    done.rejects.extend(outcome.rejects);
    done.df = outcome.df;
    Ok((before, done))
}

impl Explored {
    /// Marks what the last shown step did to the columns. Values are compared where both frames hold the same rows.
    fn mark_columns(&mut self, before: &DataFrame, after: &DataFrame) {
        let has_same_rows = [origin::OBJECT, origin::LINE, origin::OFFSET]
            .into_iter()
            .all(|name| match (before.column(name), after.column(name)) {
                (Ok(old), Ok(new)) => !is_different(old, new),
                _ => before.height() == after.height(),
            });
        for new in self.df.columns() {
            let mark = match before.column(new.name()) {
                Err(_) => ColumnMark::Added,
                Ok(old) if old.dtype() != new.dtype() => ColumnMark::Changed,
                Ok(old) if has_same_rows && is_different(old, new) => ColumnMark::Changed,
                Ok(_) => continue,
            };
            self.marks.insert(new.name().to_string(), mark);
        }
        self.dropped = origin::without_hidden(before.schema())
            .iter_names()
            .filter(|name| self.df.column(name).is_err())
            .map(ToString::to_string)
            .collect();
    }
}

/// Whether values differ. Columns that polars cannot compare count as the same: a mark is a claim.
fn is_different(old: &Column, new: &Column) -> bool {
    if old.len() != new.len() {
        return true;
    }
    let (old, new) = (old.as_materialized_series(), new.as_materialized_series());
    old.equal_missing(new).is_ok_and(|is_equal| !is_equal.all())
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
fn as_reject(reject: StepReject, page: &Page, inputs: &Inputs) -> Reject {
    let of_page = page.objects.get(reject.object as usize).map(String::as_str);
    let object = of_page.or_else(|| inputs.object_name(reject.object));
    let object = object.unwrap_or_default().to_owned();
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

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use polars::prelude::df;

    use super::{ColumnMark, explore};
    use crate::base::Accuracy;
    use crate::dataset::Page;
    use crate::transform::{Inputs, Recipe, RecipeStep};

    fn marks(recipe: &str, n_steps: usize) -> BTreeMap<String, ColumnMark> {
        let page = Page {
            df: df!("title" => [" A ", "b"], "city" => ["x", "y"], "n" => [Some(1_i64), None]).unwrap(),
            objects: Vec::new(),
            rejects: Vec::new(),
            accuracy: Accuracy::Exact,
            declared: None,
        };
        let steps: Vec<RecipeStep> = serde_json::from_str(recipe).unwrap();
        let explored = explore(&page, &Recipe { steps }, n_steps, &Inputs::default());
        assert_eq!(explored.error, None);
        assert_eq!(
            explored.ledger.len(),
            n_steps,
            "every step that ran is in the ledger"
        );
        explored.marks
    }

    #[test]
    fn a_step_marks_the_columns_it_made_and_those_whose_values_it_changed_and_no_other() {
        let recipe = r#"[
            {"normalize_text": {"column": "title", "trim": true, "case": "lower"}},
            {"derive": {"columns": {"twice": "n * 2"}}},
            {"filter": {"where": "n = 1"}},
            {"cast": {"column": "n", "to": "string"}}
        ]"#;
        let changed = |name: &str| BTreeMap::from([(name.to_owned(), ColumnMark::Changed)]);
        assert_eq!(marks(recipe, 0), BTreeMap::new());
        assert_eq!(marks(recipe, 1), changed("title"));
        assert_eq!(
            marks(recipe, 2),
            BTreeMap::from([("twice".to_owned(), ColumnMark::Added)])
        );
        assert_eq!(marks(recipe, 3), BTreeMap::new(), "a filter changes no value");
        assert_eq!(marks(recipe, 4), changed("n"));
    }
}

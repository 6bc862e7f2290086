//! A recipe checked against a schema: each step's schema or error, and the plan that executes.

use std::collections::BTreeSet;

use polars::prelude::{PlSmallStr, Schema};
use thiserror::Error;

use super::{CheckError, Inputs, Recipe, RowEffect, Scope, SortKey, Step};

/// A step that does not check: ``step 3 `bucketize(price)`: column `prise` not found: did you mean `price`?``
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("step {number} `{label}`: {error}")]
pub struct StepError {
    /// 1-based, counting steps that are switched off.
    pub number: usize,
    /// Name with its main parameter.
    pub label: String,
    pub error: CheckError,
}

/// The state of every step after a check. Steps after a broken one are checked as if it were switched off.
#[derive(Debug, Clone)]
pub struct CheckedRecipe {
    /// Per step: the schema after it, or why it does not check. A step that is off has the schema before it.
    pub steps: Vec<Result<Schema, StepError>>,
    /// The schema after all good steps.
    pub output: Schema,
}

/// A recipe ready to run: its enabled steps, which execution cuts where rows are counted or rejected.
#[derive(Debug, Clone)]
pub struct Plan {
    input: Schema,
    output: Schema,
    pub(super) steps: Vec<PlannedStep>,
    pub(super) inputs: Inputs,
    pub(super) max_made_bytes: u64,
}

/// A step may make so many bytes of one batch where nobody says otherwise.
const MAX_MADE_BYTES: u64 = 256 << 20;

/// A step that needs the whole partition, and what comes after it.
#[derive(Debug, Clone)]
pub struct Stage {
    /// The step alone.
    pub step: Plan,
    /// ``step 2 `dedupe(id)` ``
    pub label: String,
    /// Columns by which rows have to be brought together; none when the step needs all rows at once.
    pub keys: Option<Vec<String>>,
    /// What the step sorts by when it does nothing else; empty for every other step.
    pub sort_keys: Vec<SortKey>,
    /// Whether the step may run on parts of the rows, in their order, and then on what that gave, for the same result.
    pub reduces_in_parts: bool,
    /// Columns that the step does not look at and that do not come out: they need not be held.
    pub unread: Vec<String>,
    /// For a step that passes rows on one by one and appends others after the last: the step without those others. Then
    /// `step` on no rows gives what is appended.
    pub passes: Option<Plan>,
    /// The steps after it that look at one row at a time; maybe none.
    pub rows: Plan,
    /// The rest, which starts with the next step that needs the whole partition.
    pub rest: Option<Plan>,
}

/// A step that checks, in its place.
#[derive(Debug, Clone)]
pub(super) struct PlannedStep {
    /// 1-based number in the recipe, counting steps that are switched off.
    pub(super) number: usize,
    pub(super) label: String,
    pub(super) step: Step,
    /// The schema before the step.
    pub(super) input: Schema,
}

impl PlannedStep {
    /// Whether rows have to be counted or set aside after the step.
    fn cuts_after(&self) -> bool {
        self.step.row_effect() != RowEffect::Keeps || self.step.may_reject()
    }

    /// Whether the rows before the step have to be at hand.
    fn cuts_before(&self) -> bool {
        matches!(self.step.row_effect(), RowEffect::Makes | RowEffect::Remakes)
    }
}

impl Recipe {
    /// Checks every step against `input` (no hidden columns).
    pub fn check(&self, input: &Schema, inputs: &Inputs) -> CheckedRecipe {
        let mut schema = input.clone();
        let steps = self
            .steps
            .iter()
            .enumerate()
            .map(|(index, step)| {
                if step.enabled {
                    schema = check_step(index, &step.step, &schema, inputs)?;
                }
                Ok(schema.clone())
            })
            .collect();
        CheckedRecipe {
            steps,
            output: schema,
        }
    }

    /// Compiles the enabled steps among the first `n_steps` (all of them for a run).
    ///
    /// # Errors
    /// The first [`StepError`].
    pub fn compile(&self, n_steps: usize, input: &Schema, inputs: &Inputs) -> Result<Plan, StepError> {
        let mut schema = input.clone();
        let mut steps = Vec::new();
        for (index, step) in self.steps.iter().enumerate().take(n_steps) {
            if step.enabled {
                let after = check_step(index, &step.step, &schema, inputs)?;
                steps.push(PlannedStep {
                    number: index + 1,
                    label: step.step.label(),
                    step: step.step.clone(),
                    input: std::mem::replace(&mut schema, after),
                });
            }
        }
        Ok(Plan {
            input: input.clone(),
            output: schema,
            steps,
            inputs: inputs.clone(),
            max_made_bytes: MAX_MADE_BYTES,
        })
    }
}

fn check_step(index: usize, step: &Step, schema: &Schema, inputs: &Inputs) -> Result<Schema, StepError> {
    step.check(schema, inputs).map_err(|error| StepError {
        number: index + 1,
        label: step.label(),
        error,
    })
}

impl Plan {
    /// The plan of one step alone, whose 1-based number in its recipe is `number`.
    ///
    /// # Errors
    /// [`StepError`] when it does not check against `input`.
    pub fn of_step(number: usize, step: &Step, input: &Schema, inputs: &Inputs) -> Result<Self, StepError> {
        let output = check_step(number.saturating_sub(1), step, input, inputs)?;
        Ok(Self {
            input: input.clone(),
            output,
            steps: vec![PlannedStep {
                number,
                label: step.label(),
                step: step.clone(),
                input: input.clone(),
            }],
            inputs: inputs.clone(),
            max_made_bytes: MAX_MADE_BYTES,
        })
    }

    /// The plan with the rows of its inputs. Their columns are those that it was compiled with.
    #[must_use]
    pub fn with_inputs(mut self, inputs: Inputs) -> Self {
        self.inputs = inputs;
        self
    }

    /// The plan with another limit on what a step may make of one batch.
    #[must_use]
    pub fn with_max_made_bytes(mut self, max_made_bytes: u64) -> Self {
        self.max_made_bytes = max_made_bytes;
        self
    }

    pub fn inputs(&self) -> &Inputs {
        &self.inputs
    }

    /// Names of the inputs that its steps read, sorted.
    pub fn input_names(&self) -> BTreeSet<&str> {
        self.steps
            .iter()
            .flat_map(|planned| planned.step.inputs())
            .collect()
    }

    /// Whether a step gives rows also where none come in.
    pub fn appends(&self) -> bool {
        self.steps.iter().any(|planned| planned.step.appends())
    }

    pub fn input(&self) -> &Schema {
        &self.input
    }

    /// Without hidden columns.
    pub fn output(&self) -> &Schema {
        &self.output
    }

    /// The widest scope of its steps.
    pub fn scope(&self) -> Scope {
        let scopes = self.steps.iter().map(|planned| planned.step.scope());
        scopes.max().unwrap_or(Scope::Row)
    }

    /// Whether a record may become several rows.
    pub fn makes_rows(&self) -> bool {
        let mut effects = self.steps.iter().map(|planned| planned.step.row_effect());
        effects.any(|effect| matches!(effect, RowEffect::Makes | RowEffect::Remakes))
    }

    /// Splits into the `Row` and `Fitted` prefix, run per work unit, and the suffix that needs the whole partition.
    /// Steps keep their numbers.
    pub fn split(mut self) -> (Plan, Option<Plan>) {
        let first = self
            .steps
            .iter()
            .position(|planned| planned.step.scope() == Scope::Partition);
        let Some(first) = first else {
            return (self, None);
        };
        let steps = self.steps.split_off(first);
        let between = steps
            .first()
            .map_or_else(Schema::default, |step| step.input.clone());
        let suffix = Plan {
            input: between.clone(),
            output: std::mem::replace(&mut self.output, between),
            steps,
            inputs: self.inputs.clone(),
            max_made_bytes: self.max_made_bytes,
        };
        (self, Some(suffix))
    }

    /// The first step of a plan that [`Plan::split`] cut off, apart from what follows. None for a plan that starts with
    /// another kind of step.
    pub fn stage(&self) -> Option<Stage> {
        let (first, others) = self.steps.split_first()?;
        if first.step.scope() != Scope::Partition {
            return None;
        }
        let between = others.first().map_or(&self.output, |next| &next.input);
        let step = Plan {
            input: self.input.clone(),
            output: between.clone(),
            steps: vec![first.clone()],
            inputs: self.inputs.clone(),
            max_made_bytes: self.max_made_bytes,
        };
        let others = Plan {
            input: between.clone(),
            output: self.output.clone(),
            steps: others.to_vec(),
            inputs: self.inputs.clone(),
            max_made_bytes: self.max_made_bytes,
        };
        let (rows, rest) = others.split();
        let all = || self.input.iter_names().map(ToString::to_string).collect();
        Some(Stage {
            label: format!("step {} `{}`", first.number, first.label),
            keys: first
                .step
                .keys()
                .map(|keys| if keys.is_empty() { all() } else { keys.to_vec() }),
            sort_keys: first.step.sort_keys(),
            reduces_in_parts: first.step.reduces_in_parts(),
            unread: first.step.reads().map_or_else(Vec::new, |reads| {
                let columns = self.input.iter_names().map(PlSmallStr::as_str);
                columns
                    .filter(|name| !reads.contains(name))
                    .map(str::to_owned)
                    .collect()
            }),
            passes: first
                .step
                .appends()
                .then(|| step.clone().with_inputs(self.inputs.without_rows())),
            step,
            rows,
            rest,
        })
    }

    /// The steps in runs that are collected together: a step that changes the number of rows or may reject ends its run.
    pub(super) fn segments(&self) -> Vec<&[PlannedStep]> {
        let mut segments = Vec::new();
        let mut rest = self.steps.as_slice();
        while !rest.is_empty() {
            let next = rest.iter().enumerate().find_map(|(index, planned)| {
                if index > 0 && planned.cuts_before() {
                    Some(index)
                } else {
                    planned.cuts_after().then_some(index + 1)
                }
            });
            let (segment, tail) = rest
                .split_at_checked(next.unwrap_or(rest.len()))
                .unwrap_or((rest, &[]));
            segments.push(segment);
            rest = tail;
        }
        segments
    }

    /// Every step as a run of its own.
    pub(super) fn single_steps(&self) -> Vec<&[PlannedStep]> {
        self.steps.chunks(1).collect()
    }
}

#[cfg(test)]
mod tests;

//! A recipe checked against a schema: each step's schema or error, and the plan that executes.

use polars::prelude::Schema;
use thiserror::Error;

use super::{CheckError, Inputs, Recipe, Scope};

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

/// A recipe ready to run: segments that are cut where rows are counted or rejected.
#[derive(Debug, Clone)]
pub struct Plan {
    input: Schema,
    output: Schema,
}

impl Recipe {
    /// Checks every step against `input` (no hidden columns).
    pub fn check(&self, input: &Schema, inputs: &Inputs) -> CheckedRecipe {
        let _ = inputs;
        CheckedRecipe {
            steps: Vec::new(),
            output: input.clone(),
        }
    }

    /// Compiles the enabled steps among the first `n_steps` (all of them for a run).
    ///
    /// # Errors
    /// The first [`StepError`].
    pub fn compile(&self, n_steps: usize, input: &Schema, inputs: &Inputs) -> Result<Plan, StepError> {
        let _ = (n_steps, inputs);
        Ok(Plan {
            input: input.clone(),
            output: input.clone(),
        })
    }
}

impl Plan {
    pub fn input(&self) -> &Schema {
        &self.input
    }
    /// Without hidden columns.
    pub fn output(&self) -> &Schema {
        &self.output
    }
    /// The widest scope of its steps.
    pub fn scope(&self) -> Scope {
        Scope::Row
    }
    /// Splits into the `Row` and `Fitted` prefix, run per work unit, and the suffix that needs the whole partition.
    pub fn split(self) -> (Plan, Option<Plan>) {
        (self, None)
    }
}

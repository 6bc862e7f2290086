//! What every step can do, and the registry that lists the steps once.

use polars::prelude::{LazyFrame, Schema};
use thiserror::Error;

/// How a step may run.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Scope {
    /// Each row alone: streams file by file.
    Row,
    /// Learned values, applied row by row.
    Fitted,
    /// Needs the whole partition.
    Partition,
}

/// What a step does to the number of rows, so that the books balance.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RowEffect {
    /// One row in, one row out (or rejected).
    Keeps,
    /// Leaves rows out.
    Filters,
    /// Makes more rows of one.
    Makes,
    /// Makes one row of several.
    Merges,
}

/// Second datasets that steps refer to by name, as schemas. Empty until joins exist.
#[derive(Debug, Clone, Default)]
pub struct Inputs {}

/// Why a step does not check, before the plan adds its number and name.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("{message}{}", hint.as_ref().map(|h| format!(": {h}")).unwrap_or_default())]
pub struct CheckError {
    /// The parameter at fault, such as `where` or `column`, for the message beside its field.
    pub param: &'static str,
    pub message: String,
    /// ``did you mean `price`?``
    pub hint: Option<String>,
    /// 1-based character position in an expression.
    pub position: Option<usize>,
}

/// One step of any kind.
#[derive(Debug, Clone, PartialEq, Default)]
pub enum Step {
    #[default]
    Placeholder,
}

impl Step {
    pub fn name(&self) -> &'static str {
        "placeholder"
    }
    pub fn scope(&self) -> Scope {
        Scope::Row
    }
    pub fn row_effect(&self) -> RowEffect {
        RowEffect::Keeps
    }
    /// A few words on what the step does with its parameters, for the recipe panel: `posted_at → timestamp`.
    pub fn summary(&self) -> String {
        String::new()
    }
    /// Parameters as JSON, without id, comment and switch.
    pub fn params(&self) -> serde_json::Value {
        serde_json::Value::Null
    }
    /// The step `name` with `params`.
    ///
    /// # Errors
    /// A message naming the parameter that does not fit.
    pub fn from_params(name: &str, params: serde_json::Value) -> Result<Self, String> {
        let _ = (name, params);
        Ok(Self::Placeholder)
    }
    /// # Errors
    /// [`CheckError`] naming parameter, column and nearest name.
    pub fn check(&self, schema: &Schema, inputs: &Inputs) -> Result<Schema, CheckError> {
        let _ = inputs;
        Ok(schema.clone())
    }
    /// # Errors
    /// As [`Step::check`].
    pub fn apply(&self, lf: LazyFrame, schema: &Schema, inputs: &Inputs) -> Result<LazyFrame, CheckError> {
        let _ = (schema, inputs);
        Ok(lf)
    }
}

/// What the palette, the JSON Schema and the README say of a kind of step.
#[derive(Debug, Clone)]
pub struct StepInfo {
    pub name: &'static str,
    /// One line.
    pub summary: &'static str,
    /// What it does, when to use it, an example, limits. Markdown.
    pub doc: &'static str,
    /// `columns`, `text`, `numbers`, `time`, `nested`, `rows`.
    pub group: &'static str,
    pub scope: Scope,
    /// The step with empty parameters, as the window adds it.
    pub new: fn() -> Step,
    /// JSON Schema of the parameters. `x-input` says what a form offers: `column`, `columns`, `expression`.
    pub json_schema: fn() -> serde_json::Value,
}

/// Every kind of step, in palette order.
pub fn registry() -> &'static [StepInfo] {
    &[]
}

//! What every step can do, and the words its checks fail with. The steps themselves are listed in [`super::steps`].

use polars::prelude::{DataFrame, DataType, Expr, LazyFrame, PlSmallStr, Schema};
use thiserror::Error;

use super::python::Python;
use super::{FitSource, FitState, Inputs, Step};
use crate::base::nearest;
use crate::dataset::origin;

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
    /// Makes a new set of rows of all: what is fewer than before is merged, what is more is made.
    Remakes,
}

/// A column to sort by; nulls come last either way.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SortKey {
    pub column: String,
    pub is_descending: bool,
}

/// What a step would make of its rows, known before it is computed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Growth {
    /// At most so many rows come out.
    pub n_rows: u64,
    /// Bytes that the step adds to each row, about.
    pub added_bytes: u64,
    /// What most of them come from: ``the key `job_id` = 7, which 300,000 rows of `clicks` have``.
    pub worst: String,
}

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

impl CheckError {
    pub(super) fn new(param: &'static str, message: impl Into<String>) -> Self {
        Self {
            param,
            message: message.into(),
            hint: None,
            position: None,
        }
    }

    #[must_use]
    pub(super) fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }

    #[must_use]
    pub(super) fn at(mut self, position: Option<usize>) -> Self {
        self.position = position;
        self
    }

    /// Adds ``did you mean `price`?`` when a candidate is close enough to `name`.
    #[must_use]
    pub(super) fn nearest<'a>(self, name: &str, candidates: impl IntoIterator<Item = &'a str>) -> Self {
        match nearest(name, candidates) {
            Some(candidate) => self.hint(format!("did you mean `{candidate}`?")),
            None => self,
        }
    }
}

/// What a step's parameters do. One implementation a file in `steps/`.
pub(super) trait Behaviour {
    /// The schema after the step. Schemas here have no hidden columns.
    fn check(&self, schema: &Schema) -> Result<Schema, CheckError>;

    /// Adds the step to `lf`, whose visible columns are `schema`. Hidden columns pass through untouched; a step that
    /// [may reject](Self::may_reject) says why in [`origin::REJECT`].
    fn apply(&self, lf: LazyFrame, schema: &Schema) -> Result<LazyFrame, CheckError>;

    /// As [`Self::check`], for a step that reads a second dataset.
    fn check_with(&self, schema: &Schema, inputs: &Inputs) -> Result<Schema, CheckError> {
        let _ = inputs;
        self.check(schema)
    }

    /// As [`Self::apply`], for a step that reads a second dataset.
    fn apply_with(&self, lf: LazyFrame, schema: &Schema, inputs: &Inputs) -> Result<LazyFrame, CheckError> {
        let _ = inputs;
        self.apply(lf, schema)
    }

    /// Writes the step as polars code for Python that gives the same rows, or says why there is none.
    fn python(&self, schema: &Schema, inputs: &Inputs, script: &mut Python) -> Result<(), String> {
        let _ = (schema, inputs, script);
        Err("it has no form in polars for Python".to_owned())
    }

    /// Whether the step has learned from data what it needs; none for a step that learns nothing.
    fn fit_state(&self) -> Option<FitState> {
        None
    }

    /// The parameters that decide what the step learns, in words. None for a step that learns nothing.
    fn learns_of(&self) -> Option<String> {
        None
    }

    /// The step with what it learns from `df`, visible rows before it. None for a step that learns nothing.
    fn fit(&self, df: &DataFrame, source: &FitSource) -> Option<Result<Step, CheckError>> {
        let _ = (df, source);
        None
    }

    /// A few words for the recipe panel.
    fn summary(&self) -> String;

    /// The parameter that tells this step from others of its kind, for its label.
    fn subject(&self) -> String;

    fn scope(&self) -> Scope {
        Scope::Row
    }

    fn row_effect(&self) -> RowEffect {
        RowEffect::Keeps
    }

    /// Names of the inputs that the step reads.
    fn inputs(&self) -> Vec<&str> {
        Vec::new()
    }

    /// The column whose values may be rejected.
    fn column(&self) -> Option<&str> {
        None
    }

    fn may_reject(&self) -> bool {
        false
    }

    /// Columns by which rows have to be brought together, by a cluster or out of core: only rows that agree in all of
    /// them see each other, and the hidden columns of a row that comes out are those of one that went in. Empty stands
    /// for all visible columns, none for a step that needs all rows at once. Asked of steps of [`Scope::Partition`].
    fn keys(&self) -> Option<&[String]> {
        None
    }

    /// The columns by which the step sorts rows and does nothing else; rows equal in all of them stay in their order.
    /// Empty for every other step.
    fn sort_keys(&self) -> Vec<SortKey> {
        Vec::new()
    }

    /// Whether the step may run on parts of the rows, in their order, and then on what that gave, for the same result.
    fn reduces_in_parts(&self) -> bool {
        false
    }

    /// The columns that the step looks at, when no other column of its rows comes out, and so none has to be held. None
    /// when all do.
    fn reads(&self) -> Option<Vec<&str>> {
        None
    }

    /// Whether the step passes rows on one by one and, once after the last of them, appends those of an input. Asked of
    /// steps of [`Scope::Partition`]: such a step needs no two rows together.
    fn appends(&self) -> bool {
        false
    }

    /// Rows of `df` (the rows before the step) that the step leaves out although it makes rows of others.
    fn n_left_out(&self, df: &DataFrame, inputs: &Inputs) -> u64 {
        let _ = (df, inputs);
        0
    }

    /// How many rows the step makes of `df` (the rows before it), without making them: execution stops a step that would
    /// make too many. Asked of steps that [make](RowEffect::Makes) rows; none for one that cannot tell.
    fn n_rows_after(&self, df: &DataFrame, inputs: &Inputs) -> Option<Growth> {
        let _ = (df, inputs);
        None
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
    /// One of [`GROUPS`](super::steps::GROUPS).
    pub group: &'static str,
    pub scope: Scope,
    /// The step with empty parameters, as the window adds it.
    pub new: fn() -> Step,
    /// JSON Schema of the parameters. `x-input` says what a form offers: `column`, `columns`, `expression`, `query`, `input`
    /// (a second dataset by its name), `input_columns` (of the one that the parameter `input` names).
    pub json_schema: fn() -> serde_json::Value,
}

/// The type of `column`, or why a step cannot use it.
pub(super) fn column_type<'a>(
    schema: &'a Schema,
    param: &'static str,
    column: &str,
) -> Result<&'a DataType, CheckError> {
    if column.is_empty() {
        return Err(CheckError::new(param, format!("`{param}` is empty")).hint("choose a column"));
    }
    schema
        .get(column)
        .ok_or_else(|| column_not_found(schema, param, column))
}

pub(super) fn column_not_found(schema: &Schema, param: &'static str, column: &str) -> CheckError {
    CheckError::new(param, format!("column `{column}` not found"))
        .nearest(column, schema.iter_names().map(PlSmallStr::as_str))
}

/// The column of exactly this name; polars' own `col` takes `*` and `^...$` for patterns.
pub(super) fn exactly(name: impl Into<PlSmallStr>) -> Expr {
    Expr::Column(name.into())
}

/// Refuses a name that a step may not give to a column.
pub(super) fn check_new_name(param: &'static str, name: &str) -> Result<(), CheckError> {
    if name.is_empty() {
        return Err(CheckError::new(param, "a column has no name").hint("write a name"));
    }
    if origin::is_hidden(name) {
        return Err(
            CheckError::new(param, format!("column name `{name}` is reserved"))
                .hint("choose a name that does not start with `__skewer_`"),
        );
    }
    Ok(())
}

/// The column that a step writes: `into`, or the column it reads when `into` is not given.
pub(super) fn target<'a>(into: Option<&'a str>, column: &'a str) -> &'a str {
    into.unwrap_or(column)
}

/// ``column `title` is int64, not string``.
pub(super) fn wrong_type(param: &'static str, column: &str, dtype: &DataType, wanted: &str) -> CheckError {
    CheckError::new(
        param,
        format!("column `{column}` is {}, not {wanted}", type_name(dtype)),
    )
}

/// A type in the words of a recipe.
pub(super) fn type_name(dtype: &DataType) -> String {
    crate::dataset::dtype_name(dtype)
}

/// A few names in a row, with an ellipsis for the rest.
pub(super) fn few<'a>(names: impl IntoIterator<Item = &'a str>) -> String {
    let names: Vec<&str> = names.into_iter().collect();
    let shown = names.get(..3).unwrap_or(&names).join(", ");
    if names.len() > 3 {
        format!("{shown}, …")
    } else {
        shown
    }
}

/// The beginning of a longer text on one line.
pub(super) fn shortened(text: &str, max_chars: usize) -> String {
    let text = text.split_whitespace().collect::<Vec<_>>().join(" ");
    if text.chars().count() <= max_chars {
        return text;
    }
    let mut cut: String = text.chars().take(max_chars.saturating_sub(1)).collect();
    cut.push('…');
    cut
}

//! Second datasets that steps refer to by name: their columns, their rows once somebody opened them, and what finds a row
//! by its key.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use polars::prelude::{DataFrame, PlSmallStr, Schema};

use super::key_index::{KeyIndex, KeySpec};
use super::step::CheckError;
use crate::base::Accuracy;
use crate::dataset::origin;

/// Second datasets that steps refer to by name.
#[derive(Debug, Clone, Default)]
pub struct Inputs {
    by_name: BTreeMap<String, Input>,
}

/// A second dataset. Checking needs its columns alone; its rows are there once somebody opened them.
#[derive(Debug, Clone)]
pub struct Input {
    /// Visible columns.
    pub schema: Schema,
    /// Visible columns, then the origin columns where the rows come from files.
    pub rows: Option<Arc<DataFrame>>,
    /// Full locations of the files that the rows' origin counts.
    pub objects: Arc<Vec<String>>,
    /// What part of the dataset the rows are.
    pub accuracy: Accuracy,
    /// Why there are no rows, where somebody tried.
    pub problem: Option<String>,
    indices: Indices,
}

/// Indices of one set of rows, shared by all who hold the rows.
type Indices = Arc<Mutex<Vec<(KeySpec, Arc<KeyIndex>)>>>;

impl Input {
    /// An input of which only the columns are known.
    pub fn declared(schema: Schema) -> Self {
        Self {
            schema,
            rows: None,
            objects: Arc::default(),
            accuracy: Accuracy::Exact,
            problem: None,
            indices: Arc::default(),
        }
    }

    /// An input that could not be read, with the reason.
    pub fn broken(schema: Schema, problem: String) -> Self {
        Self {
            problem: Some(problem),
            ..Self::declared(schema)
        }
    }

    /// An input with its rows; `objects` are the files that their origin columns count.
    pub fn opened(rows: DataFrame, objects: Vec<String>, accuracy: Accuracy) -> Self {
        Self {
            schema: origin::without_hidden(rows.schema()),
            rows: Some(Arc::new(rows)),
            objects: Arc::new(objects),
            accuracy,
            problem: None,
            indices: Arc::default(),
        }
    }

    /// The rows, or why a step cannot run.
    pub(super) fn rows_of(&self, name: &str) -> Result<&Arc<DataFrame>, CheckError> {
        self.rows.as_ref().ok_or_else(|| match &self.problem {
            Some(problem) => CheckError::new("input", format!("input `{name}` cannot be read: {problem}")),
            None => CheckError::new("input", format!("the rows of input `{name}` were not opened")),
        })
    }

    /// What finds rows by the columns of `spec`; made once and kept with the rows.
    pub(super) fn index(&self, name: &str, spec: &KeySpec) -> Result<Arc<KeyIndex>, CheckError> {
        let rows = self.rows_of(name)?;
        // Held while it is made, so that workers wait for one index and do not each make their own.
        let mut indices = self.indices.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((_, index)) = indices.iter().find(|(known, _)| known == spec) {
            return Ok(Arc::clone(index));
        }
        let index = KeyIndex::new(rows, spec)
            .map_err(|error| CheckError::new("input", super::expr::short(&error)))
            .map(Arc::new)?;
        indices.push((spec.clone(), Arc::clone(&index)));
        Ok(index)
    }
}

impl Inputs {
    /// Adds an input, or replaces the one of that name.
    pub fn insert(&mut self, name: impl Into<String>, input: Input) {
        self.by_name.insert(name.into(), input);
    }

    pub fn get(&self, name: &str) -> Option<&Input> {
        self.by_name.get(name)
    }

    /// In the order of their names.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.by_name.keys().map(String::as_str)
    }

    pub fn is_empty(&self) -> bool {
        self.by_name.is_empty()
    }

    /// The same inputs with their columns and without their rows.
    #[must_use]
    pub fn without_rows(&self) -> Self {
        let emptied = |input: &Input| Input {
            rows: input.rows.as_ref().map(|rows| Arc::new(rows.clear())),
            indices: Arc::default(),
            ..input.clone()
        };
        let by_name = self.by_name.iter();
        Self {
            by_name: by_name
                .map(|(name, input)| (name.clone(), emptied(input)))
                .collect(),
        }
    }

    /// The number that the first file of input `name` has in the origin of rows which a step appends.
    pub(super) fn first_object(&self, name: &str) -> u32 {
        let before = self.by_name.iter().take_while(|(known, _)| *known != name);
        let n: usize = before.map(|(_, input)| input.objects.len()).sum();
        origin::FIRST_INPUT_OBJECT.saturating_add(u32::try_from(n).unwrap_or(u32::MAX))
    }

    /// The file of an input that the origin of an appended row names; none for a row of the dataset itself.
    pub fn object_name(&self, object: u32) -> Option<&str> {
        let mut at = usize::try_from(object.checked_sub(origin::FIRST_INPUT_OBJECT)?).ok()?;
        for input in self.by_name.values() {
            if let Some(name) = input.objects.get(at) {
                return Some(name);
            }
            at = at.checked_sub(input.objects.len())?;
        }
        None
    }

    /// The input `name`, or why a step cannot read it.
    pub(super) fn find(&self, name: &str) -> Result<&Input, CheckError> {
        if name.is_empty() {
            return Err(CheckError::new("input", "`input` is empty").hint("choose a second dataset"));
        }
        self.get(name).ok_or_else(|| {
            let error = CheckError::new("input", format!("input `{name}` is not declared"));
            let hinted = error.clone().nearest(name, self.names());
            if hinted.hint.is_some() {
                hinted
            } else {
                error.hint("declare it under `inputs`, with its place and its schema")
            }
        })
    }
}

/// A column of an input, or why a step cannot use it: ``column `clicks.uid` not found``.
pub(super) fn input_column<'a>(
    input: &'a Input,
    name: &str,
    param: &'static str,
    column: &str,
) -> Result<&'a polars::prelude::DataType, CheckError> {
    input.schema.get(column).ok_or_else(|| {
        CheckError::new(param, format!("input `{name}` has no column `{column}`"))
            .nearest(column, input.schema.iter_names().map(PlSmallStr::as_str))
    })
}

#[cfg(test)]
mod tests {
    use polars::prelude::df;

    use super::{Input, Inputs};
    use crate::base::Accuracy;
    use crate::dataset::origin::FIRST_INPUT_OBJECT;

    fn input(objects: &[&str]) -> Input {
        let objects = objects.iter().map(ToString::to_string).collect();
        Input::opened(df!("a" => [1_i64]).unwrap(), objects, Accuracy::Exact)
    }

    #[test]
    fn files_of_several_inputs_have_numbers_of_their_own() {
        let mut inputs = Inputs::default();
        inputs.insert("views", input(&["v0"]));
        inputs.insert("clicks", input(&["c0", "c1"]));
        assert_eq!(inputs.first_object("views"), FIRST_INPUT_OBJECT + 2);
        let name = |n: u32| inputs.object_name(FIRST_INPUT_OBJECT + n);
        assert_eq!(
            [name(0), name(1), name(2), name(3)],
            [Some("c0"), Some("c1"), Some("v0"), None]
        );
        assert_eq!(inputs.object_name(7), None, "a file of the dataset itself");
    }

    #[test]
    fn an_input_that_is_not_there_is_answered_with_the_nearest_or_with_the_remedy() {
        let mut inputs = Inputs::default();
        inputs.insert("clicks", input(&[]));
        let error = |name: &str| inputs.find(name).unwrap_err().to_string();
        assert_eq!(
            error("click"),
            "input `click` is not declared: did you mean `clicks`?"
        );
        assert!(error("jobs").contains("declare it under `inputs`"));
        assert_eq!(
            inputs
                .without_rows()
                .get("clicks")
                .unwrap()
                .rows
                .as_ref()
                .unwrap()
                .height(),
            0
        );
    }
}

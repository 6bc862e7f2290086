//! Which columns the steps of a recipe name, which of them are missing, and how they get other names.
//!
//! A recipe that is opened on other data may name columns that these call otherwise. What a parameter holds is told by
//! the JSON Schema of its step (`x-input`), so a new step takes part without a line here.

use std::collections::{BTreeMap, BTreeSet};

use polars::prelude::{DataType, PlSmallStr, Schema, TimeUnit, TimeZone};
use serde_json::{Map, Value};

use super::expr::{rename_in_expression, rename_in_query};
use super::steps::registry;
use super::{FitState, Inputs, Recipe, Step};

/// Candidates named for one missing column.
const MAX_CANDIDATES: usize = 3;
/// Likeness below which a column is no candidate.
const MIN_LIKENESS: f64 = 0.45;

/// A column that a step names and the rows before it do not have.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MissingColumn {
    pub name: String,
    /// Columns of the data that may be meant, the likeliest first; maybe none.
    pub candidates: Vec<String>,
}

/// What one step lacks.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StepLacks {
    /// 1-based, counting steps that are switched off.
    pub number: usize,
    /// Name with its main parameter.
    pub label: String,
    pub columns: Vec<MissingColumn>,
}

impl Recipe {
    /// The enabled steps that name columns which neither `input` nor a step above them has. Such a column is taken to be
    /// there for the steps below, so that each step tells what it lacks itself.
    pub fn missing_columns(&self, input: &Schema, inputs: &Inputs) -> Vec<StepLacks> {
        let mut schema = input.clone();
        let mut absent: BTreeSet<String> = BTreeSet::new();
        let mut lacks = Vec::new();
        for (index, step) in self.steps.iter().enumerate() {
            if !step.enabled {
                continue;
            }
            let named = named(&step.step);
            let is_missing = |name: &&String| absent.contains(*name) || !schema.contains(name);
            let missing: Vec<String> = named.read.iter().filter(is_missing).cloned().collect();
            if !missing.is_empty() {
                let candidates = |name: &str| candidates(name, input);
                lacks.push(StepLacks {
                    number: index + 1,
                    label: step.step.label(),
                    columns: missing
                        .iter()
                        .map(|name| MissingColumn {
                            name: name.clone(),
                            candidates: candidates(name),
                        })
                        .collect(),
                });
            }
            schema = after(&step.step, &schema, &missing, inputs);
            absent.extend(missing);
            absent.retain(|name| schema.contains(name) && !named.written.contains(name));
        }
        lacks
    }

    /// The recipe for data that call columns otherwise: `names` is the new name by the old. A name is followed from the
    /// data on, until a step writes a column of that name itself. Nothing else changes, and no step is lost.
    #[must_use]
    pub fn rename_columns(&self, names: &BTreeMap<String, String>) -> Self {
        let mut names = names.clone();
        let mut recipe = self.clone();
        for step in &mut recipe.steps {
            let mut walk = Walk::new(|name: &str| names.get(name).cloned());
            let params = walk.step(&step.step);
            // Two columns that became one may not stand twice: such a step stays as it is, to be mended by hand.
            let (written, has_clash) = (walk.written, walk.has_clash);
            if let (false, Ok(renamed)) = (has_clash, Step::from_params(step.step.name(), params)) {
                step.step = with_learned(&step.step, renamed);
            }
            if step.enabled {
                names.retain(|old, _| !written.contains(old));
            }
        }
        recipe
    }
}

/// `after` with what `before`, the same step by other names, has learned: it is the same under the new names.
fn with_learned(before: &Step, after: Step) -> Step {
    let is_lost = matches!(before.fit_state(), Some(FitState::Fitted { .. }))
        && after.fit_state() == Some(FitState::NotFitted);
    let Some(of) = after.learns_of().filter(|_| is_lost) else {
        return after;
    };
    let mut params = after.params();
    if let Some(kept) = params.pointer_mut("/fitted/of") {
        *kept = of.into();
    }
    Step::from_params(after.name(), params).unwrap_or(after)
}

/// Columns that a step names.
#[derive(Debug, Default)]
struct Named {
    /// In the order of its parameters, each once.
    read: Vec<String>,
    written: BTreeSet<String>,
}

fn named(step: &Step) -> Named {
    let mut read: Vec<String> = Vec::new();
    let mut walk = Walk::new(|name: &str| {
        if !read.iter().any(|known| known == name) {
            read.push(name.to_owned());
        }
        None
    });
    walk.step(step);
    let written = walk.written;
    Named { read, written }
}

/// The schema after a step that lacks columns: they are given the first type with which it checks.
fn after(step: &Step, schema: &Schema, missing: &[String], inputs: &Inputs) -> Schema {
    let types = [
        DataType::String,
        DataType::Float64,
        DataType::Int64,
        DataType::Boolean,
        DataType::Datetime(TimeUnit::Microseconds, Some(TimeZone::UTC)),
        DataType::Date,
        DataType::List(Box::new(DataType::String)),
        DataType::Struct(Vec::new()),
    ];
    let with = |dtype: &DataType| {
        let mut schema = schema.clone();
        for name in missing {
            if !schema.contains(name) {
                schema.with_column(name.as_str().into(), dtype.clone());
            }
        }
        schema
    };
    let tried = types
        .iter()
        .find_map(|dtype| step.check(&with(dtype), inputs).ok());
    tried.unwrap_or_else(|| schema.clone())
}

/// Columns of the data that may be meant by `name`.
fn candidates(name: &str, input: &Schema) -> Vec<String> {
    let wanted = plain(name);
    let mut found: Vec<(f64, &str)> = input
        .iter_names()
        .map(PlSmallStr::as_str)
        .map(|known| (likeness(&wanted, &plain(known)), known))
        .filter(|(likeness, _)| *likeness >= MIN_LIKENESS)
        .collect();
    found.sort_by(|a, b| b.0.total_cmp(&a.0).then(a.1.cmp(b.1)));
    found
        .into_iter()
        .take(MAX_CANDIDATES)
        .map(|(_, known)| known.to_owned())
        .collect()
}

/// `jobTitle`, `job_title` and `Job Title` are written alike.
fn plain(name: &str) -> String {
    name.chars()
        .filter(|c| c.is_alphanumeric())
        .flat_map(char::to_lowercase)
        .collect()
}

/// From 0 to 1: one name inside the other counts for much, else what an edit leaves in common.
fn likeness(a: &str, b: &str) -> f64 {
    let edits = strsim::normalized_damerau_levenshtein(a, b);
    let (short, long) = if a.len() <= b.len() { (a, b) } else { (b, a) };
    if short.len() >= 3 && long.contains(short) {
        return edits.max(0.6 + 0.4 * short.len() as f64 / long.len() as f64);
    }
    edits
}

/// Writes an expression with other names; none where it stays as it is.
type Rewrite = fn(&str, &mut dyn FnMut(&str) -> Option<String>) -> Option<String>;

/// A walk over the parameters of a step that hands every column it reads to `rename`.
struct Walk<F> {
    rename: F,
    /// Two names of one map became the same.
    has_clash: bool,
    /// Names in parameters that hold columns.
    read: BTreeSet<String>,
    written: BTreeSet<String>,
}

impl<F: FnMut(&str) -> Option<String>> Walk<F> {
    fn new(rename: F) -> Self {
        Self {
            rename,
            has_clash: false,
            read: BTreeSet::new(),
            written: BTreeSet::new(),
        }
    }

    /// The parameters of `step` with the names that `rename` gave.
    fn step(&mut self, step: &Step) -> Value {
        let mut params = step.params();
        let info = registry().iter().find(|info| info.name == step.name());
        if let Some(info) = info {
            let (before, schema) = (params.clone(), (info.json_schema)());
            self.value(&schema, &mut params);
            keep_names_of_inputs(&schema, &before, &mut params);
            self.learned(&mut params);
        }
        params
    }

    fn value(&mut self, schema: &Value, value: &mut Value) {
        match (input_of(schema), value) {
            (Some("column" | "columns"), value) => self.columns(value),
            (Some("expression"), value) => self.expressions(value, rename_in_expression),
            (Some("query"), value) => self.expressions(value, rename_in_query),
            (None, Value::Object(fields)) => {
                for (key, field) in fields {
                    if key == "into" {
                        self.writes(field);
                        continue;
                    }
                    let below = schema.pointer(&format!("/properties/{key}"));
                    if let Some(below) = below.or_else(|| schema.get("additionalProperties")) {
                        self.value(below, field);
                    }
                }
            }
            (None, Value::Array(items)) => {
                if let Some(below) = schema.get("items") {
                    for item in items {
                        self.value(below, item);
                    }
                }
            }
            _ => {}
        }
    }

    /// A column that the step writes, or several.
    fn writes(&mut self, into: &Value) {
        match into {
            Value::String(name) => {
                self.written.insert(name.clone());
            }
            Value::Array(names) => names.iter().for_each(|name| self.writes(name)),
            _ => {}
        }
    }

    /// What a step learned of each of its columns, by their names.
    fn learned(&mut self, params: &mut Value) {
        let Some(values) = params
            .pointer_mut("/fitted/values")
            .and_then(Value::as_object_mut)
        else {
            return;
        };
        // Values by category are no names of columns.
        if values.keys().all(|name| self.read.contains(name)) {
            *values = std::mem::take(values)
                .into_iter()
                .map(|(name, learned)| ((self.rename)(&name).unwrap_or(name), learned))
                .collect();
        }
    }

    /// A name, several, or a map of old names to new ones.
    fn columns(&mut self, value: &mut Value) {
        match value {
            Value::String(name) => {
                if let Some(new) = self.renamed(name) {
                    *name = new;
                }
            }
            Value::Array(items) => items.iter_mut().for_each(|item| self.columns(item)),
            Value::Object(pairs) => {
                let mut renamed = Map::new();
                for (old, new) in std::mem::take(pairs) {
                    if let Value::String(new) = &new {
                        self.written.insert(new.clone());
                    }
                    let name = self.renamed(&old).unwrap_or(old);
                    self.has_clash |= renamed.insert(name, new).is_some();
                }
                *pairs = renamed;
            }
            _ => {}
        }
    }

    fn renamed(&mut self, name: &str) -> Option<String> {
        if name.is_empty() {
            return None;
        }
        self.read.insert(name.to_owned());
        (self.rename)(name)
    }

    /// An expression, several, or one by the name of the column it makes.
    fn expressions(&mut self, value: &mut Value, rewrite: Rewrite) {
        match value {
            Value::String(text) => {
                if let Some(new) = rewrite(text, &mut self.rename) {
                    *text = new;
                }
            }
            Value::Array(items) => {
                for item in items {
                    self.expressions(item, rewrite);
                }
            }
            Value::Object(columns) => {
                for (name, text) in columns {
                    self.written.insert(name.clone());
                    self.expressions(text, rewrite);
                }
            }
            _ => {}
        }
    }
}

/// What a form offers for a parameter, also where the schema is one of several.
fn input_of(schema: &Value) -> Option<&str> {
    let own = schema.get("x-input").and_then(Value::as_str);
    own.or_else(|| {
        ["anyOf", "oneOf", "allOf"]
            .iter()
            .filter_map(|kind| schema.get(kind)?.as_array())
            .flatten()
            .find_map(|choice| choice.get("x-input")?.as_str())
    })
}

/// Columns of a second dataset that were to be called as the step's own columns keep those names when the step's own get
/// others: `on: [id]` becomes `on: [key], input_on: [id]`.
fn keep_names_of_inputs(schema: &Value, before: &Value, after: &mut Value) {
    let (Some(before), Some(fields)) = (before.as_object(), after.as_object_mut()) else {
        return;
    };
    for (key, old) in before {
        let twin = format!("input_{key}");
        let is_twin = schema
            .pointer(&format!("/properties/{twin}"))
            .and_then(input_of)
            .is_some_and(|input| input == "input_columns");
        let is_empty = |value: &Value| value.as_array().is_some_and(Vec::is_empty) || value.is_null();
        if is_twin && fields.get(key) != Some(old) && fields.get(&twin).is_none_or(is_empty) {
            fields.insert(twin, old.clone());
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use polars::prelude::{DataType, Schema};

    use crate::transform::steps::testing::recipe;
    use crate::transform::{FitSource, FitState, Inputs, Recipe};

    const STEPS: &str = "
- normalize_text: {column: title, trim: true}
- derive: {columns: {salary_k: salary / 1000.0, label: \"title || '-' || city\"}}
- filter: {where: salary_k > 1 AND city <> 'x'}
- tokenize: {column: title, into: words}
- rename: {columns: {city: town}}
- select: {columns: [town, words, salary_k, label]}
";

    fn schema(names: &[&str]) -> Schema {
        names
            .iter()
            .map(|name| {
                let dtype = if *name == "pay" {
                    DataType::Int64
                } else {
                    DataType::String
                };
                ((*name).into(), dtype)
            })
            .collect()
    }

    fn renamed(yaml: &str, names: &[(&str, &str)]) -> Recipe {
        let names: BTreeMap<String, String> = names
            .iter()
            .map(|(old, new)| ((*old).to_owned(), (*new).to_owned()))
            .collect();
        recipe(yaml).rename_columns(&names)
    }

    type Told<'a> = (usize, Vec<(&'a str, Vec<&'a str>)>);

    #[test]
    fn each_step_tells_what_it_lacks_and_what_may_be_meant() {
        let data = schema(&["job_title", "City", "pay"]);
        let lacks = recipe(STEPS).missing_columns(&data, &Inputs::default());
        let told: Vec<Told<'_>> = lacks
            .iter()
            .map(|step| {
                let columns = step.columns.iter().map(|column| {
                    let candidates = column.candidates.iter().map(String::as_str).collect();
                    (column.name.as_str(), candidates)
                });
                (step.number, columns.collect())
            })
            .collect();
        let (title, city) = (("title", vec!["job_title"]), ("city", vec!["City"]));
        assert_eq!(
            told,
            [
                (1, vec![title.clone()]),
                (2, vec![("salary", vec![]), title.clone(), city.clone()]),
                (3, vec![city.clone()]),
                (4, vec![title]),
                (5, vec![city]),
            ]
        );
        let whole = schema(&["title", "city", "salary"]);
        let strings = recipe("- filter: {where: title = 'a'}");
        assert_eq!(strings.missing_columns(&whole, &Inputs::default()), []);
    }

    #[test]
    fn a_mapped_recipe_checks_on_the_data_and_gives_what_it_gave() {
        let names = [("title", "job_title"), ("city", "City"), ("salary", "pay")];
        let mapped = renamed(STEPS, &names);
        let data = schema(&["job_title", "City", "pay"]);
        let checked = mapped.check(&data, &Inputs::default());
        for step in &checked.steps {
            assert!(step.is_ok(), "{step:?}");
        }
        let output: Vec<&str> = checked
            .output
            .iter_names()
            .map(polars::prelude::PlSmallStr::as_str)
            .collect();
        assert_eq!(output, ["town", "words", "salary_k", "label"]);
        assert_eq!(mapped.missing_columns(&data, &Inputs::default()), []);
        assert_eq!(mapped.steps.len(), recipe(STEPS).steps.len());
    }

    #[test]
    fn a_name_that_a_step_writes_is_that_step_s_from_there_on() {
        let steps = "
- derive: {columns: {price: price * 2}}
- filter: {where: price > 4}
";
        let expected = "
- derive: {columns: {price: cost * 2}}
- filter: {where: price > 4}
";
        assert_eq!(renamed(steps, &[("price", "cost")]), recipe(expected));
        let unmappable = "- rename: {columns: {a: x, b: y}}\n";
        assert_eq!(
            renamed(unmappable, &[("a", "b")]),
            recipe(unmappable),
            "one column twice"
        );
    }

    #[test]
    fn what_was_learned_of_a_column_and_the_key_of_an_input_follow_the_name() {
        let rows = polars::prelude::df!("a" => [1_i64, 3], "b" => [5_i64, 7]).unwrap();
        let source = FitSource {
            from: "here".to_owned(),
            at: chrono::DateTime::UNIX_EPOCH,
        };
        let mut learned = recipe("- scale: {columns: [a], method: min_max}\n");
        learned.steps[0].step = learned.steps[0].step.fit(&rows, &source).unwrap().unwrap();
        let names = BTreeMap::from([("a".to_owned(), "b".to_owned())]);
        let mapped = learned.rename_columns(&names).steps.remove(0).step;
        assert!(
            matches!(mapped.fit_state(), Some(FitState::Fitted { rows: 2, .. })),
            "{mapped:?}"
        );
        let of_a = &learned.steps[0].step.params()["fitted"]["values"]["a"];
        assert_eq!(
            &mapped.params()["fitted"]["values"]["b"],
            of_a,
            "nothing is learned anew"
        );
        let join =
            "- join: {input: clicks, on: [id]}\n- sql: {query: SELECT id AS i FROM rows WHERE id > 1}\n";
        let expected = "- join: {input: clicks, on: [key], input_on: [id]}\n- sql: {query: SELECT key AS i FROM rows WHERE key > 1}\n";
        assert_eq!(renamed(join, &[("id", "key")]), recipe(expected));
    }

    #[test]
    fn names_are_swapped_and_steps_that_are_off_are_mapped_too() {
        let steps = "- drop: {enabled: false, columns: [a]}\n- select: {columns: [a, b]}\n";
        let expected = "- drop: {enabled: false, columns: [b]}\n- select: {columns: [b, a]}\n";
        assert_eq!(renamed(steps, &[("a", "b"), ("b", "a")]), recipe(expected));
    }
}

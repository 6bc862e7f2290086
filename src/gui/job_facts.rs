//! What the Job tab tells of the recipe besides the spec: the contract of the table, the Python program, and its tests.
//!
//! All of it is derived in the background, and only while somebody looks at it or asked to copy the program.

use std::collections::BTreeMap;
use std::ops::Range;
use std::path::PathBuf;
use std::sync::Arc;

use egui::Context;
use polars::prelude::DataFrame;

use super::app::App;
use super::command::Tab;
use super::slots::Slots;
use super::state::State;
use super::theme::Tone;
use super::work::MadeTest;
use super::{edits, work};
use crate::base::units;
use crate::dataset::{InputSpec, Page, Schema};
use crate::explore::{self, Schemas, TestOutcome};
use crate::job::{ContractColumn, contract};
use crate::session::{Document, Edit};
use crate::storage::{Connection, Location};
use crate::task::Executor;
use crate::transform::python::Script;
use crate::transform::{Recipe, RecipeTest};

/// What the facts were made from: the page by its stamp.
#[derive(Debug, Clone, PartialEq)]
pub struct FactsKey {
    pub page: u64,
    pub recipe: Recipe,
    pub tests: Vec<RecipeTest>,
    pub places: Vec<Location>,
    pub connection: Connection,
    /// Second datasets, and the folder that their relative places are relative to.
    pub inputs: BTreeMap<String, InputSpec>,
    pub base: PathBuf,
}

/// What is told.
#[derive(Debug, Clone)]
pub struct JobFacts {
    pub script: Script,
    /// The columns of the table, or why they are not known.
    pub contract: Result<Vec<ContractColumn>, String>,
    /// One for each test, in their order.
    pub outcomes: Vec<TestOutcome>,
}

/// Computes the facts. Runs the recipe on the records of its tests.
pub fn facts(page: &Page, key: &FactsKey) -> JobFacts {
    let place = key.places.first().cloned().unwrap_or(Location::Local(".".into()));
    let mut rows = explore::row_source(page, &place, &key.connection);
    rows.paths = key.places.iter().map(ToString::to_string).collect();
    let inputs = explore::declared_inputs(&key.inputs);
    let (second, unreadable) = match explore::input_sources(&key.inputs, &key.base) {
        Ok(second) => (second, None),
        Err(reason) => (BTreeMap::new(), Some(reason)),
    };
    let mut script = explore::script(page, &key.recipe, &inputs, rows, second);
    script.notes.extend(unreadable.map(|reason| (0, reason)));
    let input_schemas = input_schemas(&key.inputs);
    let (contract, outcomes) = match &page.declared {
        Some(schema) => {
            let plan = key
                .recipe
                .compile(key.recipe.steps.len(), &schema.to_polars(), &inputs);
            let contract = match plan {
                Ok(plan) => Ok(contract(schema, &plan)),
                Err(error) => Err(error.to_string()),
            };
            let declared = Schemas {
                schema,
                inputs: &input_schemas,
            };
            let run = |test| explore::run_test(&key.recipe, declared, test);
            (contract, key.tests.iter().map(run).collect())
        }
        None => (
            Err("jobs read JSON Lines, and this dataset is Parquet: open the raw dataset".to_owned()),
            Vec::new(),
        ),
    };
    JobFacts {
        script,
        contract,
        outcomes,
    }
}

fn input_schemas(inputs: &BTreeMap<String, InputSpec>) -> BTreeMap<String, Schema> {
    let schemas = inputs
        .iter()
        .map(|(name, spec)| (name.clone(), spec.schema.clone()));
    schemas.collect()
}

/// Starts the work when its result is looked at or waited for.
pub(super) fn request(tasks: &Executor, document: &Document, slots: &mut Slots, tab: Tab, base: PathBuf) {
    if tab != Tab::Job && !slots.is_copying_python {
        return;
    }
    let Some(read) = slots.page.value().filter(|_| !slots.page.is_stale()).cloned() else {
        return;
    };
    let (Some(source), Some(prefixes)) = (&document.source, slots.prefixes(document)) else {
        return;
    };
    let key = FactsKey {
        page: read.stamp,
        recipe: document.recipe.clone(),
        tests: document.job.tests.clone(),
        places: prefixes
            .iter()
            .map(|prefix| {
                if prefix.is_empty() {
                    source.location.clone()
                } else {
                    source.location.join(prefix)
                }
            })
            .collect(),
        connection: source.connection.clone(),
        inputs: document.inputs.clone(),
        base,
    };
    slots
        .facts
        .request(key, |key| work::job_facts(tasks, Arc::clone(&read.page), key));
}

/// Takes the facts, and copies the program when somebody waits for it.
pub(super) fn take(state: &mut State, ctx: &Context) {
    state.slots.facts.poll();
    if state.slots.is_copying_python && !state.slots.facts.is_pending() {
        copy_if_ready(state, ctx);
    }
}

/// Copies the program as soon as it is written.
pub(super) fn copy_python(state: &mut State) {
    if state.slots.page.value().is_none() {
        state.say(Tone::Warn, "no rows were read yet: open a partition first");
        return;
    }
    state.slots.is_copying_python = true;
}

fn copy_if_ready(state: &mut State, ctx: &Context) {
    if let Some(error) = state.slots.facts.error() {
        let text = format!("no Python was written: {error}");
        state.slots.is_copying_python = false;
        state.say(Tone::Bad, text);
        return;
    }
    let document = state.document();
    let facts = state.slots.facts.value();
    let is_present = state
        .slots
        .facts
        .key()
        .is_some_and(|key| key.recipe == document.recipe);
    let Some(facts) = facts.filter(|_| is_present && !state.slots.facts.is_stale()) else {
        return;
    };
    let (text, said) = (facts.script.text.clone(), said(&facts.script));
    let tone = if facts.script.notes.is_empty() {
        Tone::Good
    } else {
        Tone::Warn
    };
    ctx.copy_text(text);
    state.slots.is_copying_python = false;
    state.say(tone, said);
}

/// What the status line says of a copied program.
fn said(script: &Script) -> String {
    let lines = units::plural(script.text.lines().count() as u64, "line");
    match script.notes.as_slice() {
        [] => format!("Copied {lines} of Python"),
        [(0, reason), ..] => format!("Copied {lines} of Python, which cannot read the rows: {reason}"),
        [(step, reason)] => format!("Copied {lines} of Python without step {step}: {reason}"),
        notes => format!(
            "Copied {lines} of Python without {}: the Job tab lists them",
            units::plural(notes.len() as u64, "step")
        ),
    }
}

/// Makes a test of these rows of the page, as they are before any step, or of those that the shown rows came from.
pub(super) fn make_test(app: &mut App, rows: Range<usize>, is_of_shown: bool) {
    let state = &mut app.state;
    let Some(read) = state.slots.page.value().filter(|_| !state.slots.page.is_stale()) else {
        state.say(Tone::Warn, "the rows are still being read");
        return;
    };
    let read = read.clone();
    let document = state.document();
    if !document.inputs.is_empty() && state.slots.inputs.is_pending() {
        state.say(Tone::Warn, "the second datasets are still being opened");
        return;
    }
    let shown = state.slots.explored.value().filter(|_| is_of_shown);
    let origins = shown.and_then(|explored| explored.origins.clone());
    if is_of_shown && (origins.is_none() || state.slots.explored.is_stale()) {
        state.say(Tone::Warn, "the rows shown now come from no records of their own");
        return;
    }
    let n_rows = origins.as_ref().map_or(read.page.df.height(), DataFrame::height);
    let rows = rows.start.min(n_rows)..rows.end.min(n_rows);
    if rows.is_empty() {
        state.say(Tone::Warn, "there is no row to make a test of");
        return;
    }
    let name = test_name(document, &rows);
    let recipe = document.recipe.clone();
    let inputs = (
        input_schemas(&document.inputs),
        state.slots.opened_inputs().clone(),
    );
    let generation = state.slots.next_generation();
    let tasks = &app.tasks;
    app.state.slots.test.restart(generation, |_| {
        work::make_test(tasks, name, read.page, recipe, inputs, (rows, origins))
    });
}

/// `rows 1 to 5 of 2020-01-09`, with a number behind it when another test has that name.
fn test_name(document: &Document, rows: &Range<usize>) -> String {
    let of = document
        .partition
        .as_ref()
        .map(|partition| format!(" of {partition}"))
        .unwrap_or_default();
    let name = if rows.len() == 1 {
        format!("row {}{of}", rows.end)
    } else {
        format!("rows {} to {}{of}", rows.start + 1, rows.end)
    };
    let is_taken = |name: &str| document.job.tests.iter().any(|test| test.name == name);
    if !is_taken(&name) {
        return name;
    }
    (2..=u32::MAX)
        .map(|n| format!("{name}, {n}"))
        .find(|name| !is_taken(name))
        .unwrap_or(name)
}

/// Adds the test that was made.
pub(super) fn take_test(state: &mut State) {
    if !state.slots.test.poll() || state.slots.test.is_pending() {
        return;
    }
    if let Some(error) = state.slots.test.error() {
        let text = format!("no test was made: {error}");
        state.say(Tone::Bad, text);
    } else if let Some(MadeTest { test, left_out }) = state.slots.test.value().cloned() {
        let mut job = state.document().job.clone();
        let mut text = format!(
            "Added the test \u{201c}{}\u{201d}: {} in, {} out",
            test.name,
            units::plural(test.given.len() as u64, "record"),
            units::plural(test.expect.rows.len() as u64, "row"),
        );
        let with = test.inputs.iter().map(|(name, records)| {
            let records = units::plural(records.len() as u64, "record");
            format!(", with {records} of {name}")
        });
        text.push_str(&with.collect::<Vec<_>>().concat());
        let tone = if left_out.is_empty() {
            Tone::Good
        } else {
            Tone::Warn
        };
        for sentence in left_out {
            text.push_str("; ");
            text.push_str(&sentence);
        }
        let label = format!("add the test {}", test.name);
        job.tests.push(test);
        let edits = vec![Edit::SetJob(job)];
        edits::edit(state, Edit::Group { label, edits });
        state.say(tone, text);
    }
    state.slots.test.clear();
}

/// Takes a test out of the spec.
pub(super) fn delete_test(state: &mut State, at: usize) {
    let mut job = state.document().job.clone();
    if at < job.tests.len() {
        let test = job.tests.remove(at);
        let label = format!("delete the test {}", test.name);
        let edits = vec![Edit::SetJob(job)];
        edits::edit(state, Edit::Group { label, edits });
    }
}

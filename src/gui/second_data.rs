//! Second datasets of the document: opened for exploring, and taken in when a person adds one.

use std::path::PathBuf;

use super::app::App;
use super::keys::broadcast_step;
use super::sides::Side;
use super::slots::{InputRequest, InputsKey, Slots};
use super::state::State;
use super::theme::Tone;
use super::work;
use crate::session::{Document, Edit};
use crate::task::Executor;
use crate::transform::{RecipeStep, Step};

/// What reads a second dataset once it is there.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum InputReader {
    /// Nothing yet.
    #[default]
    Nobody,
    /// What reads the dataset of this name now: it takes its place.
    Instead(String),
    /// The step at this place, as its `input`.
    Step(usize),
    /// A new `join` by these columns, at the end of the recipe.
    NewJoin(Vec<String>),
}

/// Opens the inputs of the document when they, or the day that is shown, changed. Says whether they are there.
pub(super) fn request_inputs(
    document: &Document,
    slots: &mut Slots,
    tasks: &Executor,
    base: PathBuf,
) -> bool {
    if document.inputs.is_empty() {
        slots.inputs.clear();
        return true;
    }
    let key = InputsKey {
        inputs: document.inputs.clone(),
        day: slots.day(document),
        base,
        generation: slots.refreshes,
    };
    slots.inputs.request(key, |key| work::open_inputs(tasks, key));
    !slots.inputs.is_pending()
}

/// Takes a second dataset into the document once its schema is known; a step that asked for it reads it then.
pub(super) fn take_declared(state: &mut State) {
    if !state.slots.declared.poll() || state.slots.declared.is_pending() {
        return;
    }
    let request = state.slots.declared.key().map(|(_, request)| request.clone());
    let declared = state.slots.declared.value().cloned();
    let error = state.slots.declared.error().map(str::to_owned);
    state.slots.declared.clear();
    let Some(request) = request else { return };
    let (Some(mut input), None) = (declared, error.clone()) else {
        if let Some(form) = &mut state.panels.add_input {
            form.failed(error.unwrap_or_default());
        }
        return;
    };
    state.panels.add_input = None;
    let document = state.document();
    let mut text = format!("Added {}", request.name);
    let mut label = format!("add data {}", request.name);
    let mut edits = Vec::new();
    if let InputReader::Instead(old) = &request.reader {
        text = format!("Changed {}", request.name);
        label = format!("change data {old}");
        if let Some(known) = document.inputs.get(old).filter(|known| known.uri == input.uri) {
            // The same place: which of its files are read was chosen by hand.
            input.pattern.clone_from(&known.pattern);
        }
        if *old != request.name {
            edits.push(Edit::RemoveInput { name: old.clone() });
        }
    }
    edits.push(Edit::SetInput {
        name: request.name.clone(),
        input: Box::new(input),
    });
    let mut joined = None;
    match &request.reader {
        InputReader::Nobody => {}
        InputReader::Instead(old) => {
            let steps = document.recipe.steps.iter().enumerate();
            let reads = steps.filter(|(_, step)| step.step.inputs().contains(&old.as_str()));
            let follow = reads.filter_map(|(at, step)| Some((at, reading(step, &request.name)?)));
            edits.extend(follow.map(|(at, step)| Edit::SetStep { at, step }));
        }
        InputReader::Step(at) => {
            let step = document.recipe.steps.get(*at);
            if let Some(step) = step.and_then(|step| reading(step, &request.name)) {
                edits.push(Edit::SetStep { at: *at, step });
            }
        }
        InputReader::NewJoin(columns) => {
            let at = document.recipe.steps.len();
            let n_partitions = state.panels.keys.n_partitions;
            if let Ok(step) = broadcast_step(&request.name, columns, n_partitions) {
                edits.push(Edit::InsertStep { at, step });
                text = format!(
                    "Added {}, and step {}: a join by {}",
                    request.name,
                    at + 1,
                    columns.join(", ")
                );
                joined = Some(at);
            }
        }
    }
    state.history.seal();
    state.history.apply(Edit::Group { label, edits });
    state.history.seal();
    if let Some(at) = joined {
        state.panels.sides.show(Side::Recipe);
        state.panels.shown_step = None;
        state.panels.recipe.open_step(at);
    }
    state.say(Tone::Good, text);
}

/// A step with another input.
fn reading(step: &RecipeStep, input: &str) -> Option<RecipeStep> {
    let mut params = step.step.params();
    *params.get_mut("input")? = input.into();
    let changed = Step::from_params(step.step.name(), params).ok()?;
    Some(RecipeStep {
        step: changed,
        ..step.clone()
    })
}

pub(super) fn add_input(app: &mut App, name: String, location: String, reader: InputReader) {
    if app.state.slots.declared.is_pending() {
        return;
    }
    let known = match &reader {
        InputReader::Instead(old) => app.state.document().inputs.get(old),
        _ => None,
    };
    let connection = known.map_or_else(|| app.state.connection(), |known| known.connection.clone());
    let request = InputRequest {
        name,
        location,
        connection,
        day: app.state.slots.day(app.state.document()),
        reader,
    };
    let generation = app.state.slots.next_generation();
    let tasks = &app.tasks;
    let key = (generation, request);
    app.state
        .slots
        .declared
        .restart(key, |(_, request)| work::declare_input(tasks, request));
}

//! Carries out the tab's commands, takes what its work sent, and starts work whose key changed.

use std::sync::Arc;

use polars::prelude::Schema;

use super::work::{self, CountKey, Counted, KeyColumns, ReportKey, Reported, Scope};
use super::{KeysCommand, KeysPanel};
use crate::base::units;
use crate::explore::key_condition;
use crate::gui::app::App;
use crate::gui::sides::Side;
use crate::gui::slots::Slots;
use crate::gui::state::{Panels, State};
use crate::gui::theme::Tone;
use crate::session::{Document, Edit};
use crate::task::{Executor, Slot};
use crate::transform::{RecipeStep, Step};

/// What the tab derives in the background.
#[derive(Debug, Default)]
pub struct KeysSlots {
    pub counted: Slot<CountKey, Counted>,
    pub reported: Slot<ReportKey, Arc<Reported>>,
}

/// Carries out one command.
pub(in crate::gui) fn apply(app: &mut App, command: KeysCommand) {
    match command {
        KeysCommand::Count => {
            app.state.panels.keys.generation += 1;
            app.state.panels.keys.wants_files = true;
        }
        KeysCommand::Stop => app.state.slots.keys.counted.cancel(),
        KeysCommand::AddSteps(label, steps) => {
            let n = steps.len() as u64;
            add_steps(app, label, steps);
            let text = format!("Added {} to the recipe", units::plural(n, "step"));
            app.state.say(Tone::Good, text);
        }
        KeysCommand::Filter(columns, values, name) => {
            let schema = app
                .state
                .slots
                .keys
                .counted
                .value()
                .map(|counted| &counted.schema);
            let step = schema
                .ok_or_else(|| "the keys are not counted".to_owned())
                .and_then(|schema| key_condition(&columns, &values, schema))
                .and_then(|sql| Step::from_params("filter", serde_json::json!({ "where": sql })));
            match step {
                Ok(step) => {
                    let label = "Filter by a key".to_owned();
                    let at = add_steps(app, label, vec![RecipeStep::new(step)]);
                    let text = format!(
                        "Added step {}: a filter that keeps only the rows of {name}. Ctrl+Z takes it back",
                        units::count(at as u64 + 1)
                    );
                    app.state.say(Tone::Good, text);
                }
                Err(reason) => app
                    .state
                    .say(Tone::Warn, format!("No filter for this key: {reason}")),
            }
        }
        KeysCommand::TakeBack { at, n_steps } => take_back(app, at, n_steps),
    }
}

/// Appends steps as one edit. Returns the place of the first.
fn add_steps(app: &mut App, label: String, steps: Vec<RecipeStep>) -> usize {
    let at = app.state.document().recipe.steps.len();
    let edits = steps
        .into_iter()
        .enumerate()
        .map(|(nth, step)| Edit::InsertStep { at: at + nth, step })
        .collect();
    crate::gui::edits::edit(&mut app.state, Edit::Group { label, edits });
    app.state.panels.sides.show(Side::Recipe);
    app.state.panels.shown_step = None;
    at
}

/// Undoes the edit that added these steps where it was the last; else deletes them, which is an edit of its own.
fn take_back(app: &mut App, at: usize, n_steps: usize) {
    let state = &mut app.state;
    let comment = state
        .document()
        .recipe
        .steps
        .get(at)
        .and_then(|step| step.comment.clone());
    let is_last = |label: &String| comment.is_some_and(|comment| comment.ends_with(&format!(": {label}")));
    if state.history.undo_label().as_ref().is_some_and(is_last) {
        if let Some(label) = state.history.undo() {
            state.say(Tone::Weak, format!("Undone: {label}"));
        }
        return;
    }
    let edits = vec![Edit::DeleteStep { at }; n_steps];
    let label = "Take back a remedy".to_owned();
    crate::gui::edits::edit(state, Edit::Group { label, edits });
    state.panels.shown_step = None;
    let text = format!("Took {} out of the recipe", units::plural(n_steps as u64, "step"));
    state.say(Tone::Good, text);
}

/// Takes what background work has sent. Call once a frame.
pub(in crate::gui) fn poll(state: &mut State) {
    state.slots.keys.counted.poll();
    state.slots.keys.reported.poll();
}

/// Starts counting a sample by itself and files on demand, and the report that follows.
pub(in crate::gui) fn start_work(
    tasks: &Executor,
    document: &Document,
    slots: &mut Slots,
    panels: &mut Panels,
) {
    let panel = &mut panels.keys;
    if slots
        .keys
        .counted
        .key()
        .is_some_and(|key| document.source.as_ref() != Some(&key.source))
    {
        slots.keys.counted.clear();
        slots.keys.reported.clear();
        *panel = KeysPanel::default();
    }
    if panels.tab != crate::gui::command::Tab::Keys || panel.keys.is_empty() {
        return;
    }
    match panel.scope {
        Scope::Sample => count_sample(tasks, document, slots, panel),
        Scope::Partition | Scope::All => count_files(tasks, document, slots, panel),
    }
    let Some(counted) = slots.keys.counted.value() else {
        return;
    };
    let open = panel
        .open_key()
        .and_then(|open| counted.keys.iter().position(|key| key == open));
    // The slider moves faster than a million keys are placed: the next report waits for this one.
    let (Some(open), false) = (open, slots.keys.reported.is_pending()) else {
        return;
    };
    let key = ReportKey {
        stamp: counted.stamp,
        open,
        n_partitions: panel.n_partitions,
        types: panel.types.clone(),
        weight: panel.weight,
        costs: document.costs,
    };
    let counted = counted.clone();
    let before = slots.keys.reported.value().cloned();
    slots
        .keys
        .reported
        .request(key, |key| work::report(tasks, key, counted, before));
}

fn count_sample(tasks: &Executor, document: &Document, slots: &mut Slots, panel: &KeysPanel) {
    let (Some(source), Some(explored), Some(explore_key)) =
        (&document.source, slots.explored.value(), slots.explored.key())
    else {
        return;
    };
    if slots.explored.is_stale() || slots.explored.is_pending() {
        return;
    }
    let schema = explored.df.schema();
    let key = CountKey {
        scope: Scope::Sample,
        keys: known(&panel.keys, schema),
        source: source.clone(),
        recipe: explore_key.recipe.clone(),
        prefixes: Vec::new(),
        page: explore_key.page,
        // Fewer steps may be shown.
        inputs: explore_key.shown_step.map_or(0, |n| n as u64 + 1),
        generation: 0,
    };
    if key.keys.is_empty() {
        return;
    }
    let (df, accuracy) = (explored.df.clone(), explored.accuracy);
    slots
        .keys
        .counted
        .request(key, |key| work::count_sample(tasks, key, df, accuracy));
}

/// Keys whose columns are all there.
fn known(keys: &[KeyColumns], schema: &Schema) -> Vec<KeyColumns> {
    keys.iter()
        .filter(|key| work::missing_column(key, schema).is_none())
        .cloned()
        .collect()
}

fn count_files(tasks: &Executor, document: &Document, slots: &mut Slots, panel: &mut KeysPanel) {
    if !panel.wants_files {
        return;
    }
    let (Some(source), Some(dataset)) = (&document.source, slots.dataset(document)) else {
        return;
    };
    let prefixes = match (&document.partition, panel.scope) {
        (Some(partition), Scope::Partition) => match dataset.stats(partition) {
            Some(stats) => stats.prefixes.clone(),
            None => return,
        },
        _ => vec![dataset.keys.prefix.clone()],
    };
    panel.wants_files = false;
    let key = CountKey {
        scope: panel.scope,
        keys: panel.keys.clone(),
        source: source.clone(),
        recipe: document.recipe.clone(),
        prefixes,
        page: 0,
        inputs: slots.inputs.value().map_or(0, |opened| opened.stamp),
        generation: panel.generation,
    };
    let declared = slots.page.value().and_then(|read| read.page.declared.clone());
    let inputs = slots.opened_inputs().clone();
    slots
        .keys
        .counted
        .request(key, |key| work::count_files(tasks, key, declared, inputs));
}

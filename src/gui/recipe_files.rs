//! Recipes that leave and enter the window as a whole: files of their own and the clipboard.

use std::path::PathBuf;

use egui::{Context, ViewportCommand};

use super::app::App;
use super::saver::Save;
use super::state::State;
use super::theme::Tone;
use super::{edits, work};
use crate::base::units;
use crate::session::{Edit, recipe_text, steps_text};

/// Reads a recipe in the background.
pub(super) fn open_recipe(app: &mut App, path: PathBuf) {
    let tasks = &app.tasks;
    app.state
        .slots
        .recipe
        .restart(path.clone(), |_| work::open_recipe(tasks, path));
}

/// Takes the recipe of a file that was opened: one entry of the undo list.
pub(super) fn take_recipe(state: &mut State) {
    if !state.slots.recipe.poll() || state.slots.recipe.is_pending() {
        return;
    }
    if let Some(error) = state.slots.recipe.error() {
        let error = error.to_owned();
        state.say(Tone::Bad, error);
    } else if let (Some(path), Some(file)) = (state.slots.recipe.key(), state.slots.recipe.value()) {
        let name = path.file_name().unwrap_or_default().display().to_string();
        let n_steps = units::plural(file.steps.steps.len() as u64, "step");
        let label = format!("open recipe {name}");
        let inputs = file.inputs.iter().map(|(name, input)| Edit::SetInput {
            name: name.clone(),
            input: Box::new(input.clone()),
        });
        let mut edits: Vec<Edit> = inputs.collect();
        edits.extend(file.sample.map(Edit::SetSample));
        edits.push(Edit::SetRecipe(file.steps.clone()));
        edits::edit(state, Edit::Group { label, edits });
        state.panels.shown_step = None;
        state.say(
            Tone::Good,
            format!("Opened {n_steps} of {name}; undo brings the old recipe back"),
        );
    }
    state.slots.recipe.clear();
}

/// Writes the recipe to a file of its own.
pub(super) fn save_recipe(app: &mut App, path: PathBuf) {
    let document = app.state.document();
    match recipe_text(document) {
        Ok(text) => {
            let said = format!("Saved the recipe to {}", path.display());
            app.saver.save(Save::Text { path, text });
            app.state.say(Tone::Good, said);
        }
        Err(error) => app.state.say(Tone::Bad, format!("not saved: {error}")),
    }
}

/// Puts all steps on the clipboard.
pub(super) fn copy_steps(app: &mut App, ctx: &Context) {
    let steps = &app.state.document().recipe.steps;
    let n_steps = units::plural(steps.len() as u64, "step");
    match steps_text(steps) {
        Ok(text) => {
            ctx.copy_text(text);
            app.state.say(Tone::Good, format!("Copied {n_steps} as YAML"));
        }
        Err(error) => app.state.say(Tone::Bad, format!("not copied: {error}")),
    }
}

/// Asks the desktop for the clipboard; steps on it go to the end.
pub(super) fn ask_for_steps(app: &mut App, ctx: &Context) {
    let at = app.state.document().recipe.steps.len();
    app.state.panels.sides.show(super::sides::Side::Recipe);
    app.state.panels.recipe.await_paste(at);
    ctx.send_viewport_cmd(ViewportCommand::RequestPaste);
}

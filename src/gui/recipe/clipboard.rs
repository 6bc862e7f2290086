//! Copying steps as YAML and pasting them, from this window or another.

use egui::{Event, Ui, ViewportCommand};

use super::{RecipePanel, RecipeView, row};
use crate::base::units;
use crate::gui::command::Command;
use crate::gui::theme::Tone;
use crate::session::{Edit, pasted_steps, steps_text};
use crate::transform::RecipeStep;

/// What the keyboard means: one step, or the whole recipe.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Target {
    Step(usize),
    Recipe,
}

/// Copy, cut and paste while the panel has the keyboard, and the paste that a menu asked for.
pub(super) fn clipboard_ui(
    ui: &Ui,
    target: Option<Target>,
    view: &RecipeView<'_>,
    panel: &mut RecipePanel,
    commands: &mut Vec<Command>,
) {
    if ui.ctx().text_edit_focused() || (target.is_none() && panel.pasting_at.is_none()) {
        return;
    }
    let events: Vec<Event> = ui.input(|input| {
        let is_ours = |event: &&Event| matches!(event, Event::Copy | Event::Cut | Event::Paste(_));
        input.events.iter().filter(is_ours).cloned().collect()
    });
    for event in events {
        match (event, target) {
            (Event::Copy, Some(Target::Step(at))) => copy_step(at, view, commands),
            (Event::Copy, Some(Target::Recipe)) => copy_all(view, commands),
            (Event::Cut, Some(Target::Step(at))) => {
                copy_step(at, view, commands);
                super::act(at, row::RowAction::Delete, view, panel, commands);
            }
            (Event::Paste(text), target) => {
                let at = panel.pasting_at.take().unwrap_or(match target {
                    Some(Target::Step(at)) => at + 1,
                    _ => view.recipe.steps.len(),
                });
                paste(&text, at, view, panel, commands);
            }
            _ => {}
        }
    }
}

/// Asks the desktop for the clipboard; what comes goes to position `at`.
pub(super) fn ask(ui: &Ui, at: usize, panel: &mut RecipePanel) {
    panel.pasting_at = Some(at);
    ui.ctx().send_viewport_cmd(ViewportCommand::RequestPaste);
}

pub(super) fn copy_step(at: usize, view: &RecipeView<'_>, commands: &mut Vec<Command>) {
    if let Some(step) = view.recipe.steps.get(at) {
        let what = format!("step {} {}", at + 1, step.step.name());
        copy(std::slice::from_ref(step), &what, commands);
    }
}

pub(super) fn copy_all(view: &RecipeView<'_>, commands: &mut Vec<Command>) {
    let steps = &view.recipe.steps;
    if !steps.is_empty() {
        copy(steps, &units::plural(steps.len() as u64, "step"), commands);
    }
}

fn copy(steps: &[RecipeStep], what: &str, commands: &mut Vec<Command>) {
    match steps_text(steps) {
        Ok(text) => {
            commands.push(Command::CopyText(text));
            commands.push(Command::Say(Tone::Good, format!("Copied {what} as YAML")));
        }
        Err(error) => commands.push(Command::Say(Tone::Bad, format!("not copied: {error}"))),
    }
}

/// Inserts the steps in `text` at position `at` as one entry of the undo list, or says why there are none.
fn paste(text: &str, at: usize, view: &RecipeView<'_>, panel: &mut RecipePanel, commands: &mut Vec<Command>) {
    let mut steps = match pasted_steps(text) {
        Ok(steps) => steps,
        Err(reason) => {
            panel.message = Some(format!("Not pasted: {reason}"));
            return;
        }
    };
    panel.message = None;
    let at = at.min(view.recipe.steps.len());
    // A name stands for one step only.
    for step in &mut steps {
        let is_taken = |id: &String| {
            view.recipe
                .steps
                .iter()
                .any(|other| other.id.as_ref() == Some(id))
        };
        step.id = step.id.take().filter(|id| !is_taken(id));
    }
    let n = steps.len();
    let label = match steps.as_slice() {
        [only] => format!("paste step {} {}", at + 1, only.step.name()),
        several => format!("paste {} steps", several.len()),
    };
    let inserted = steps.into_iter().enumerate();
    let edits = inserted
        .map(|(nth, step)| Edit::InsertStep { at: at + nth, step })
        .collect();
    commands.push(Command::Edit(Edit::Group { label, edits }));
    panel.open = (n == 1).then_some(at);
    panel.focus_row = Some(at);
    if view.shown_step.is_some() {
        commands.push(Command::ShowStep(
            (at + n <= view.recipe.steps.len()).then_some(at + n),
        ));
    }
}

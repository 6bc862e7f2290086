//! The recipe panel: steps with their checks and ledgers, the palette that adds a step, and the form that edits one.

mod add_input;
mod clipboard;
mod columns;
mod doc;
mod editor;
mod entries;
mod expression;
mod facts;
mod fields;
mod fitted;
mod form;
mod functions;
mod in_place;
mod inputs;
mod lines;
mod palette;
mod row;
mod row_menu;
mod title;

#[cfg(test)]
mod tests;

use egui::{Margin, Role, ScrollArea, Sense, Ui, WidgetInfo};
use polars::prelude::{DataType, Schema};

pub use self::add_input::{AddInputForm, add_input_ui};
pub(super) use self::form::prefilled;
pub(super) use crate::base::fuzzy;

use self::clipboard::Target;
use self::palette::Palette;
use self::row::{RowAction, RowState, RowView};
use super::command::Command;
use super::theme::{self, space};
use super::widgets::divider;
use crate::explore::Explored;
use crate::session::{Edit, History};
use crate::transform::{Recipe, RecipeStep, Step, StepInfo, registry};

/// What the panel shows.
#[derive(Debug, Clone, Copy)]
pub struct RecipeView<'a> {
    pub recipe: &'a Recipe,
    /// Checks, ledgers and errors, once the sample was explored.
    pub explored: Option<&'a Explored>,
    pub is_stale: bool,
    /// Columns before the first step, once they are known.
    pub input: Option<&'a Schema>,
    pub shown_step: Option<usize>,
    pub history: &'a History,
}

/// Which step is open and what is half typed.
#[derive(Debug, Default)]
pub struct RecipePanel {
    /// Position of the step whose editor is open.
    open: Option<usize>,
    row: RowState,
    palette: Palette,
    /// Where the next step goes; at the end when not chosen.
    insert_at: Option<usize>,
    /// Where steps go that the clipboard was asked for.
    pasting_at: Option<usize>,
    /// A row that gets the keyboard in the next frame.
    focus_row: Option<usize>,
    /// Whether a row had the keyboard in the last frame, and with it the arrow keys.
    has_row_focus: bool,
    /// What did not work.
    message: Option<String>,
}

impl RecipePanel {
    /// Whether keys mean a step of the recipe.
    pub fn has_row_focus(&self) -> bool {
        self.has_row_focus
    }

    /// Steps from the clipboard go to position `at`, once it is there.
    pub fn await_paste(&mut self, at: usize) {
        self.pasting_at = Some(at);
    }
}

impl RecipePanel {
    /// Position of the step whose editor is open.
    pub fn open_step_at(&self) -> Option<usize> {
        self.open
    }

    /// Opens the editor of the step at `at`.
    pub fn open_step(&mut self, at: usize) {
        self.open = Some(at);
    }
}

/// The panel in the space that is there.
pub fn recipe_ui(ui: &mut Ui, view: RecipeView<'_>, panel: &mut RecipePanel, commands: &mut Vec<Command>) {
    let n_steps = view.recipe.steps.len();
    panel.open = panel.open.filter(|at| *at < n_steps);
    panel.insert_at = panel.insert_at.filter(|at| *at < n_steps);
    offer_inputs(&view, panel);
    ui.spacing_mut().item_spacing.y = 0.0;
    // Below everything else in the panel, so that a click beside the steps gives the keyboard to the recipe.
    let whole = ui.interact(ui.max_rect(), ui.scope_id().with("recipe"), Sense::click());
    whole.widget_info(|| WidgetInfo::labeled(Role::Group, true, "recipe"));
    if whole.clicked() {
        whole.request_focus();
    }
    title::title_ui(ui, &view, panel, commands);
    divider(ui);
    let mut target = whole.has_focus().then_some(Target::Recipe);
    ScrollArea::vertical()
        .id_salt("recipe steps")
        .auto_shrink(false)
        .show(ui, |ui| {
            ui.spacing_mut().item_spacing.y = 0.0;
            if n_steps == 0 {
                empty_ui(ui);
            }
            target = steps_ui(ui, &view, panel, commands).map(Target::Step).or(target);
            egui::Frame::new()
                .inner_margin(Margin::symmetric(14, 12))
                .show(ui, |ui| {
                    ui.spacing_mut().item_spacing.y = space::XS;
                    let place = match panel.insert_at {
                        Some(0) => "goes before step 1".to_owned(),
                        Some(at) => format!("goes after step {at}"),
                        None => String::new(),
                    };
                    if let Some(info) = palette::palette_ui(ui, &mut panel.palette, &place) {
                        let at = panel.insert_at.take().unwrap_or(n_steps);
                        add_step(info, at, &view, panel, commands);
                    }
                    inputs::inputs_ui(ui, &view, commands);
                    ui.add_space(space::XL);
                });
        });
    panel.has_row_focus = matches!(target, Some(Target::Step(_)));
    clipboard::clipboard_ui(ui, target, &view, panel, commands);
}

/// Brings the document's second datasets to the forms.
fn offer_inputs(view: &RecipeView<'_>, panel: &mut RecipePanel) {
    let inputs = &view.history.document().inputs;
    let offered = &mut panel.row.form.inputs;
    let is_same = offered.len() == inputs.len()
        && offered
            .iter()
            .zip(inputs)
            .all(|((name, schema), (known, input))| {
                name == known && schema.len() == input.schema.fields.len()
            });
    if !is_same {
        *offered = inputs
            .iter()
            .map(|(name, input)| (name.clone(), input.schema.to_polars()))
            .collect();
    }
}

/// What a recipe is, for who has none yet.
fn empty_ui(ui: &mut Ui) {
    egui::Frame::new()
        .inner_margin(Margin {
            left: 14,
            right: 14,
            top: 16,
            bottom: 0,
        })
        .show(ui, |ui| {
            ui.spacing_mut().item_spacing.y = space::SM;
            ui.label(theme::strong("Steps that turn raw rows into features"));
            let text = "Each step changes the rows above it: filter, parse, normalize, derive. You see the result on a \
                        sample at once, and the same recipe runs on every day as a job.";
            ui.add(egui::Label::new(theme::weak(ui, text)).wrap());
            let text = "Add one below, right-click a column or a value in the data, or paste steps here.";
            ui.add(egui::Label::new(theme::weak(ui, text)).wrap());
        });
}

/// All rows. Returns the position of the one that has the keyboard.
fn steps_ui(
    ui: &mut Ui,
    view: &RecipeView<'_>,
    panel: &mut RecipePanel,
    commands: &mut Vec<Command>,
) -> Option<usize> {
    let steps = &view.recipe.steps;
    // Checks of another recipe would stand beside the wrong steps.
    let checks = view
        .explored
        .map(|explored| explored.checks.as_slice())
        .filter(|checks| checks.len() == steps.len());
    let mut before = view.input;
    let mut rects = Vec::with_capacity(steps.len());
    let mut asked = None;
    let mut focused = None;
    for (at, step) in steps.iter().enumerate() {
        let check = checks.and_then(|checks| checks.get(at));
        let after = check.and_then(|check| check.as_ref().ok());
        let ledger = view
            .explored
            .filter(|_| checks.is_some())
            .and_then(|explored| explored.ledger.get(&(at + 1)));
        let row = RowView {
            at,
            n_steps: steps.len(),
            recipe: view.recipe,
            step,
            info: info_of(step.step.name()),
            before,
            after: after.filter(|_| step.enabled),
            error: check.and_then(|check| check.as_ref().err()),
            ledger,
            is_open: panel.open == Some(at),
            is_shown: view.shown_step == Some(at + 1),
            is_stale: view.is_stale,
        };
        let shown = row::row_ui(ui, &row, &mut panel.row, commands);
        rects.push(shown.rect);
        asked = asked.or(shown.action.map(|action| (at, action)));
        if shown.has_focus {
            focused = Some(at);
        }
        divider(ui);
        if after.is_some() {
            before = after;
        }
    }
    if let Some((from, to)) = row::drop_ui(ui, &rects) {
        asked = Some((from, RowAction::Move(to)));
    }
    if let Some((at, action)) = asked {
        if action == RowAction::Paste {
            clipboard::ask(ui, at + 1, panel);
        } else {
            act(at, action, view, panel, commands);
        }
    }
    if let Some(at) = panel.focus_row.take() {
        ui.memory_mut(|memory| memory.request_focus(row::row_id(at)));
    }
    focused
}

fn info_of(name: &str) -> Option<&'static StepInfo> {
    registry().iter().find(|info| info.name == name)
}

fn act(
    at: usize,
    action: RowAction,
    view: &RecipeView<'_>,
    panel: &mut RecipePanel,
    commands: &mut Vec<Command>,
) {
    match action {
        RowAction::Toggle if panel.open == Some(at) => {
            panel.open = None;
            if view.shown_step.is_some() {
                commands.push(Command::ShowStep(None));
            }
        }
        RowAction::Toggle => {
            panel.open = Some(at);
            commands.push(Command::ShowStep(Some(at + 1)));
        }
        RowAction::InsertBefore | RowAction::InsertAfter => {
            panel.insert_at = Some(at + usize::from(action == RowAction::InsertAfter));
            panel.palette.is_open = true;
            panel.palette.is_asking_focus = true;
        }
        RowAction::Duplicate => {
            let Some(step) = view.recipe.steps.get(at) else {
                return;
            };
            // An id names one step only.
            let step = RecipeStep {
                id: None,
                ..step.clone()
            };
            insert(at + 1, step, view, panel, commands);
        }
        RowAction::Copy => clipboard::copy_step(at, view, commands),
        RowAction::Cut => {
            clipboard::copy_step(at, view, commands);
            act(at, RowAction::Delete, view, panel, commands);
        }
        // The clipboard is asked where there is a `Ui`.
        RowAction::Paste => {}
        RowAction::Delete => {
            commands.push(Command::Edit(Edit::DeleteStep { at }));
            panel.open = panel
                .open
                .filter(|open| *open != at)
                .map(|open| if open > at { open - 1 } else { open });
            if let Some(shown) = view.shown_step.filter(|shown| *shown > at) {
                let is_gone = shown == at + 1;
                commands.push(Command::ShowStep((!is_gone).then(|| shown - 1)));
            }
        }
        RowAction::Move(to) => {
            commands.push(Command::Edit(Edit::MoveStep { from: at, to }));
            panel.focus_row = Some(to);
            let moved = |place: usize| moved(place, at, to);
            panel.open = panel.open.map(moved);
            if let Some(shown) = view.shown_step.and_then(|shown| shown.checked_sub(1)) {
                commands.push(Command::ShowStep(Some(moved(shown) + 1)));
            }
        }
    }
}

/// Where the step at `place` is after the one at `from` went to `to`.
fn moved(place: usize, from: usize, to: usize) -> usize {
    if place == from {
        to
    } else if from < place && place <= to {
        place - 1
    } else if to <= place && place < from {
        place + 1
    } else {
        place
    }
}

fn add_step(
    info: &'static StepInfo,
    at: usize,
    view: &RecipeView<'_>,
    panel: &mut RecipePanel,
    commands: &mut Vec<Command>,
) {
    let schema = view
        .explored
        .and_then(|explored| explored.checks.get(..at))
        .and_then(|checks| checks.iter().rev().find_map(|check| check.as_ref().ok()))
        .or(view.input);
    insert(at, RecipeStep::new(new_step(info, schema)), view, panel, commands);
}

fn insert(
    at: usize,
    step: RecipeStep,
    view: &RecipeView<'_>,
    panel: &mut RecipePanel,
    commands: &mut Vec<Command>,
) {
    commands.push(Command::Edit(Edit::InsertStep { at, step }));
    panel.open = Some(at);
    if at < view.recipe.steps.len() {
        commands.push(Command::ShowStep(Some(at + 1)));
    } else if view.shown_step.is_some() {
        commands.push(Command::ShowStep(None));
    }
}

/// A new step with the first column that it can work on, where there is one to guess.
fn new_step(info: &StepInfo, schema: Option<&Schema>) -> Step {
    let guess = schema.and_then(|schema| {
        let is_like_time =
            |name: &str| name.ends_with("_at") || name.contains("date") || name.contains("time");
        let fits = |name: &str, dtype: &DataType| match (info.name, info.group) {
            ("parse_timestamp", _) => *dtype == DataType::String && is_like_time(name),
            ("hashing_tf" | "explode", _) => matches!(dtype, DataType::List(_)),
            ("unnest", _) => matches!(dtype, DataType::Struct(_)),
            (_, "text" | "categories") => *dtype == DataType::String && !name.ends_with("id"),
            (_, "time") => dtype.is_temporal(),
            (_, "numbers") => dtype.is_primitive_numeric(),
            _ => false,
        };
        let mut columns = schema.iter();
        columns
            .find(|(name, dtype)| fits(name, dtype))
            .map(|(name, _)| name.as_str())
    });
    match guess {
        Some(column) => prefilled(info, column),
        None => (info.new)(),
    }
}

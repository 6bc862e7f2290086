//! The card of a recipe that names columns which the data do not have: each missing name with a choice of those there are.
//!
//! Applying writes the chosen names into the recipe as one undoable edit. A name without a choice stays as it is, and no
//! step is dropped.

use std::collections::BTreeMap;

use egui::{ComboBox, Frame, Margin, ScrollArea, Stroke, Ui};
use polars::prelude::Schema;

use crate::base::units;
use crate::gui::command::Command;
use crate::gui::theme::{self, Tone, colors, size, space};
use crate::gui::widgets::{Icon, icon, primary_button, quiet_button};
use crate::session::Edit;
use crate::transform::{Recipe, StepLacks};

/// Names chosen so far, and which recipe the card was put away for.
#[derive(Debug, Default)]
pub struct MissingState {
    /// The new name by the missing one; empty for "leave it".
    chosen: BTreeMap<String, String>,
    put_away: Option<Vec<String>>,
}

/// Missing names with their candidates, each once, in the order of the steps.
fn names(lacks: &[StepLacks]) -> Vec<(&str, &[String])> {
    let mut found: Vec<(&str, &[String])> = Vec::new();
    for column in lacks.iter().flat_map(|step| &step.columns) {
        if found.iter().all(|(known, _)| *known != column.name) {
            found.push((&column.name, &column.candidates));
        }
    }
    found
}

/// Takes the likeliest column for a name that nothing was chosen for.
fn chosen<'a>(state: &'a MissingState, name: &str, candidates: &'a [String]) -> &'a str {
    match state.chosen.get(name) {
        Some(chosen) => chosen,
        None => candidates.first().map_or("", String::as_str),
    }
}

/// The card, while names are missing and it was not put away for these.
pub(super) fn missing_ui(
    ui: &mut Ui,
    lacks: &[StepLacks],
    recipe: &Recipe,
    input: &Schema,
    state: &mut MissingState,
    commands: &mut Vec<Command>,
) {
    if lacks.is_empty() {
        state.chosen.clear();
        state.put_away = None;
        return;
    }
    let names = names(lacks);
    let missing: Vec<String> = names.iter().map(|(name, _)| (*name).to_owned()).collect();
    if state.put_away.as_ref() == Some(&missing) {
        return;
    }
    let c = colors(ui);
    let frame = Frame::new()
        .fill(c.surface(Tone::Warn))
        .stroke(Stroke::new(size::LINE, theme::mix(c.line, c.warn, 0.5)))
        .corner_radius(size::CARD_RADIUS)
        .inner_margin(Margin::symmetric(12, 10));
    frame.show(ui, |ui| {
        ui.set_width(ui.available_width());
        ui.spacing_mut().item_spacing.y = space::XS;
        ui.horizontal(|ui| {
            icon(ui, Icon::Warning, c.warn);
            ui.label(theme::strong(title(lacks)));
        });
        let sentence = "The data may call them otherwise. Applying writes the names you choose into the recipe; undo takes \
                        it back.";
        ui.add(egui::Label::new(theme::weak(ui, sentence)).wrap());
        ScrollArea::vertical()
            .id_salt("missing columns")
            .max_height(180.0)
            .auto_shrink([false, true])
            .show(ui, |ui| {
                for (name, candidates) in &names {
                    name_ui(ui, name, candidates, lacks, input, state);
                }
            });
        ui.horizontal(|ui| {
            let map: BTreeMap<String, String> = names
                .iter()
                .map(|(name, candidates)| ((*name).to_owned(), chosen(state, name, candidates).to_owned()))
                .filter(|(_, new)| !new.is_empty())
                .collect();
            let text = format!("Apply {}", units::plural(map.len() as u64, "name"));
            if primary_button(ui, !map.is_empty(), &text).clicked() {
                let renamed = recipe.rename_columns(&map);
                let label = match map.iter().next() {
                    Some((old, new)) if map.len() == 1 => format!("read {old} from {new}"),
                    _ => format!("map {} columns", map.len()),
                };
                let edits = vec![Edit::SetRecipe(renamed)];
                commands.push(Command::Edit(Edit::Group { label, edits }));
                commands.push(Command::Seal);
                state.chosen.clear();
            }
            if quiet_button(ui, true, "Not now").clicked() {
                state.put_away = Some(missing);
            }
        });
    });
    ui.add_space(space::SM);
}

/// `3 steps need columns that are not here`.
fn title(lacks: &[StepLacks]) -> String {
    match lacks.len() {
        1 => "1 step needs columns that are not here".to_owned(),
        n => format!("{} steps need columns that are not here", units::count(n as u64)),
    }
}

/// One missing name, who needs it, and what to read instead.
fn name_ui(
    ui: &mut Ui,
    name: &str,
    candidates: &[String],
    lacks: &[StepLacks],
    input: &Schema,
    state: &mut MissingState,
) {
    let users: Vec<String> = lacks
        .iter()
        .filter(|step| step.columns.iter().any(|column| column.name == name))
        .map(|step| format!("step {} {}", step.number, step.label))
        .collect();
    let current = chosen(state, name, candidates).to_owned();
    ui.horizontal(|ui| {
        ui.label(theme::code(name));
        ui.label(theme::weak(ui, "\u{2192}"));
        let shown = if current.is_empty() {
            theme::weak(ui, "leave it")
        } else {
            theme::code(&current)
        };
        let mut picked = current.clone();
        let response = ComboBox::from_id_salt(("missing", name))
            .width(220.0)
            .selected_text(shown)
            .show_ui(ui, |ui| {
                ui.selectable_value(&mut picked, String::new(), "leave it");
                let likely = candidates.iter().map(String::as_str);
                let others = input
                    .iter_names()
                    .map(polars::prelude::PlSmallStr::as_str)
                    .filter(|column| !candidates.iter().any(|candidate| candidate == column));
                for column in likely.chain(others) {
                    ui.selectable_value(&mut picked, column.to_owned(), theme::code(column));
                }
            })
            .response;
        ui.ctx()
            .accesskit_node_builder(response.id, |node| node.set_label(format!("Column for {name}")));
        if picked != current {
            state.chosen.insert(name.to_owned(), picked);
        }
        ui.add(egui::Label::new(theme::weak_small(ui, users.join(", "))).truncate());
    });
}

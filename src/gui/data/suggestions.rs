//! The button that tells how many steps the rows ask for, and the list it opens: reason, figures, Add and Dismiss.
//!
//! Nothing is added by itself. What was dismissed stays away while the document is open.

use std::collections::BTreeSet;

use egui::{Align, Layout, ScrollArea, Ui};

use crate::base::units;
use crate::explore::{Suggestion, SuggestionCode};
use crate::gui::command::Command;
use crate::gui::theme::{self, colors, size, space};
use crate::gui::widgets::{
    accuracy_badge, card_button, divider, primary_button, quiet_button, secondary_button,
};
use crate::session::Edit;
use crate::transform::RecipeStep;

/// A suggestion apart from its figures, which change with the sample.
type Key = (String, SuggestionCode);

/// What a person said to the suggestions.
#[derive(Debug, Default)]
pub struct SuggestionsState {
    dismissed: BTreeSet<Key>,
    chosen: BTreeSet<Key>,
}

/// Where added steps go.
#[derive(Debug, Clone, Copy)]
pub(super) struct Target {
    pub insert_at: usize,
    pub shown_step: Option<usize>,
}

fn key(suggestion: &Suggestion) -> Key {
    (suggestion.column.clone(), suggestion.code)
}

/// The button; nothing while there is nothing to suggest.
pub(super) fn suggestions_menu(
    ui: &mut Ui,
    all: &[Suggestion],
    state: &mut SuggestionsState,
    target: Target,
    commands: &mut Vec<Command>,
) {
    let open: Vec<&Suggestion> = all
        .iter()
        .filter(|suggestion| !state.dismissed.contains(&key(suggestion)))
        .collect();
    if open.is_empty() {
        return;
    }
    let text = units::plural(open.len() as u64, "suggestion");
    let response = card_button(ui, "suggestions", &text, |ui| {
        list_ui(ui, &open, state, target, commands);
    });
    response.on_hover_text("Steps that these rows ask for, each with its reason; nothing is added by itself");
}

fn list_ui(
    ui: &mut Ui,
    open: &[&Suggestion],
    state: &mut SuggestionsState,
    target: Target,
    commands: &mut Vec<Command>,
) {
    ui.set_width(480.0);
    ui.spacing_mut().item_spacing.y = space::XS;
    state
        .chosen
        .retain(|chosen| open.iter().any(|suggestion| key(suggestion) == *chosen));
    ui.horizontal(|ui| {
        ui.label(theme::strong("Suggested by these rows"));
        ui.with_layout(Layout::right_to_left(Align::Center), |ui| {
            if let Some(first) = open.first() {
                accuracy_badge(ui, first.accuracy);
            }
        });
    });
    divider(ui);
    ScrollArea::vertical()
        .id_salt("suggestions")
        .max_height(420.0)
        .auto_shrink([false, true])
        .show(ui, |ui| {
            for (at, suggestion) in open.iter().enumerate() {
                if at > 0 {
                    divider(ui);
                }
                entry_ui(ui, suggestion, state, target, commands);
            }
        });
    if open.len() < 2 {
        return;
    }
    divider(ui);
    ui.horizontal(|ui| {
        let is_chosen = |suggestion: &&&Suggestion| state.chosen.contains(&key(suggestion));
        let mut wanted: Vec<&Suggestion> = open.iter().filter(is_chosen).copied().collect();
        let text = if wanted.is_empty() {
            wanted = open.to_vec();
            format!("Add all {}", open.len())
        } else {
            format!("Add {} chosen", wanted.len())
        };
        if primary_button(ui, true, &text)
            .on_hover_text("One undo takes all of them back")
            .clicked()
        {
            add(&wanted, target, commands);
            state.chosen.clear();
            ui.close();
        }
        if quiet_button(ui, true, "Dismiss all").clicked() {
            state
                .dismissed
                .extend(open.iter().map(|suggestion| key(suggestion)));
            ui.close();
        }
    });
}

fn entry_ui(
    ui: &mut Ui,
    suggestion: &Suggestion,
    state: &mut SuggestionsState,
    target: Target,
    commands: &mut Vec<Command>,
) {
    let column = &suggestion.column;
    let name = suggestion.step.name();
    ui.horizontal(|ui| {
        ui.set_min_height(size::CONTROL);
        let mut is_chosen = state.chosen.contains(&key(suggestion));
        let choose = ui
            .checkbox(&mut is_chosen, theme::strong(column))
            .accessible_name(format!("Choose {name} for {column}"));
        if choose.changed() {
            if is_chosen {
                state.chosen.insert(key(suggestion));
            } else {
                state.chosen.remove(&key(suggestion));
            }
        }
        ui.with_layout(Layout::right_to_left(Align::Center), |ui| {
            ui.spacing_mut().item_spacing.x = space::XS;
            let dismiss =
                quiet_button(ui, true, "Dismiss").accessible_name(format!("Dismiss {name} for {column}"));
            if dismiss.clicked() {
                state.dismissed.insert(key(suggestion));
            }
            let button =
                secondary_button(ui, true, "Add").accessible_name(format!("Add {name} for {column}"));
            if button.clicked() {
                add(&[suggestion], target, commands);
            }
        });
    });
    ui.add(egui::Label::new(theme::body(&suggestion.reason)).wrap());
    ui.horizontal_wrapped(|ui| {
        ui.spacing_mut().item_spacing.x = space::SM;
        ui.label(theme::weak(ui, name));
        let summary = theme::code(suggestion.step.summary()).color(colors(ui).weak);
        ui.add(egui::Label::new(summary).wrap());
    });
}

/// Adds the steps as one entry of the undo list.
fn add(wanted: &[&Suggestion], target: Target, commands: &mut Vec<Command>) {
    let edits: Vec<Edit> = wanted
        .iter()
        .zip(target.insert_at..)
        .map(|(suggestion, at)| Edit::InsertStep {
            at,
            step: RecipeStep::new(suggestion.step.clone()),
        })
        .collect();
    let n_added = edits.len();
    match <[Edit; 1]>::try_from(edits) {
        Ok([edit]) => commands.push(Command::Edit(edit)),
        Err(edits) => {
            let label = format!("add {n_added} suggested steps");
            commands.push(Command::Edit(Edit::Group { label, edits }));
        }
    }
    commands.push(Command::Seal);
    if target.shown_step.is_some() {
        commands.push(Command::ShowStep(Some(target.insert_at + n_added)));
    }
}

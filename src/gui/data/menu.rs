//! The menu of a cell, or of the selected rectangle: copy, open the row, and filters for the value.
//!
//! What opens below the head of a column is in [`super::column_card`].

use egui::{Button, Ui};

use super::condition::Condition;
use super::copy;
use super::grid::{Columns, GridState, GridView};
use crate::gui::command::Command;

/// What can be done with a cell, or with the selected rectangle.
pub(super) fn cell_menu(
    ui: &mut Ui,
    view: &GridView<'_>,
    cursor: Option<(usize, usize)>,
    columns: &Columns<'_>,
    state: &mut GridState,
    commands: &mut Vec<Command>,
    takes_keyboard: bool,
) {
    let Some((row, at)) = cursor else {
        ui.label("no cell");
        return;
    };
    let Some((position, column)) = columns.all.get(at) else {
        return;
    };
    let copy = ui.add(Button::new("Copy").shortcut_text("Ctrl+C"));
    if takes_keyboard {
        copy.request_focus();
    }
    if copy.clicked()
        && let Some(text) = state.copied_text(view.df)
    {
        commands.push(Command::CopyText(text));
    }
    if ui.button("Copy cell").clicked() {
        commands.push(Command::CopyText(copy::cell_text(view.df, row, *position)));
    }
    if ui.button("Copy row as JSON").clicked() {
        commands.push(Command::CopyText(format!("{:#}", copy::row_json(view.df, row))));
    }
    if ui.add(Button::new("Open row").shortcut_text("Enter")).clicked() {
        state.opened_row = Some(row);
    }
    let selection = state.selection(view.df);
    if let Some(selection) = selection {
        let rows = selection.first_row..selection.last_row + 1;
        let text = if rows.len() == 1 {
            "Make a test from this row"
        } else {
            "Make a test from these rows"
        };
        let button = ui
            .add_enabled(view.has_records, Button::new(text))
            .on_hover_text("Keeps these records and what the steps make of them, in the spec's tests")
            .on_disabled_hover_text(
                "A step merged records into these rows: show the data before it to pick records",
            );
        if button.clicked() {
            commands.push(Command::MakeTestOfShown(rows));
        }
    }
    let name = column.name().as_str();
    ui.separator();
    if let Ok(value) = column.get(row) {
        for (text, condition) in [
            ("Keep only this value", Condition::keep(&value)),
            ("Leave this value out", Condition::leave_out(&value)),
        ] {
            let Some(condition) = condition else { continue };
            let response = ui.button(text).on_hover_text(condition.sql(name));
            if response.clicked()
                && let Some(edit) = condition.insert(name, view.insert_at)
            {
                commands.push(Command::Edit(edit));
                if view.shown_step.is_some() {
                    commands.push(Command::ShowStep(Some(view.insert_at + 1)));
                }
            }
        }
    }
    let card = Button::new(format!("Values and steps of {name}…")).shortcut_text("Alt+Down");
    if ui.add(card).clicked() {
        state.card.asked = Some(name.to_owned());
    }
}

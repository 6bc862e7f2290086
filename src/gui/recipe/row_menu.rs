//! What the keyboard and the context menu do with one step.

use egui::{Key, Modifiers, Ui};

use super::in_place::{InPlace, Note};
use super::row::{RowAction, RowView};
use crate::gui::command::Command;
use crate::session::Edit;

/// Keys while the row has the keyboard.
pub(super) fn keys(ui: &Ui, view: &RowView<'_>, in_place: &mut InPlace) -> Option<RowAction> {
    let (up, down, is_deleting, is_naming, is_doubling) = ui.input_mut(|input| {
        (
            input.consume_key(Modifiers::ALT, Key::ArrowUp),
            input.consume_key(Modifiers::ALT, Key::ArrowDown),
            input.key_pressed(Key::Delete),
            input.consume_key(Modifiers::NONE, Key::F2),
            input.consume_key(Modifiers::COMMAND, Key::D),
        )
    });
    if is_naming {
        in_place.start(view.at, Note::Name, view.step.id.as_deref());
    }
    if up && view.at > 0 {
        Some(RowAction::Move(view.at - 1))
    } else if down && view.at + 1 < view.n_steps {
        Some(RowAction::Move(view.at + 1))
    } else if is_deleting {
        Some(RowAction::Delete)
    } else {
        is_doubling.then_some(RowAction::Duplicate)
    }
}

/// The context menu.
pub(super) fn menu_ui(
    ui: &mut Ui,
    view: &RowView<'_>,
    in_place: &mut InPlace,
    commands: &mut Vec<Command>,
) -> Option<RowAction> {
    let mut action = None;
    let mut entry = |ui: &mut Ui, is_enabled: bool, text: &str, keys: &str, chosen: RowAction| {
        let button = egui::Button::new(text).shortcut_text(keys);
        if ui.add_enabled(is_enabled, button).clicked() {
            action = Some(chosen);
        }
    };
    ui.set_min_width(220.0);
    entry(ui, true, "Insert step before…", "", RowAction::InsertBefore);
    entry(ui, true, "Insert step after…", "", RowAction::InsertAfter);
    ui.separator();
    entry(ui, true, "Copy step", "Ctrl+C", RowAction::Copy);
    entry(ui, true, "Cut step", "Ctrl+X", RowAction::Cut);
    entry(ui, true, "Paste after", "Ctrl+V", RowAction::Paste);
    entry(ui, true, "Duplicate", "Ctrl+D", RowAction::Duplicate);
    ui.separator();
    let up = RowAction::Move(view.at.saturating_sub(1));
    entry(ui, view.at > 0, "Move up", "Alt+↑", up);
    let down = RowAction::Move(view.at + 1);
    entry(ui, view.at + 1 < view.n_steps, "Move down", "Alt+↓", down);
    let rename = egui::Button::new("Rename…").shortcut_text("F2");
    if ui.add(rename).clicked() {
        in_place.start(view.at, Note::Name, view.step.id.as_deref());
    }
    let text = if view.step.comment.is_some() {
        "Edit comment…"
    } else {
        "Comment…"
    };
    if ui.button(text).clicked() {
        in_place.start(view.at, Note::Comment, view.step.comment.as_deref());
    }
    let text = if view.step.enabled {
        "Switch off"
    } else {
        "Switch on"
    };
    if ui.button(text).clicked() {
        commands.push(Command::Edit(Edit::ToggleStep { at: view.at }));
    }
    ui.separator();
    if ui.button("Show data before this step").clicked() {
        commands.push(Command::ShowStep(Some(view.at)));
    }
    if ui.button("Compare before and after").clicked() {
        commands.push(Command::CompareStep(view.at + 1));
    }
    let delete = egui::Button::new("Delete").shortcut_text("Del");
    if ui.add(delete).clicked() {
        action = Some(RowAction::Delete);
    }
    action
}

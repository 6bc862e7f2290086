//! The head of the panel: what the recipe is called, undo with its list, and what is done with the recipe as a whole.

use egui::{Align, Button, Label, Layout, Margin, Popup, PopupCloseBehavior, RichText, ScrollArea, Ui, vec2};

use super::{RecipePanel, RecipeView, clipboard};
use crate::base::units;
use crate::gui::command::{Command, CommandKind};
use crate::gui::theme::{self, colors, size, space};
use crate::gui::widgets::{Icon, divider, icon_button, secondary_button, section_label};
use crate::session::History;

const LIST_WIDTH: f32 = 300.0;

pub(super) fn title_ui(
    ui: &mut Ui,
    view: &RecipeView<'_>,
    panel: &mut RecipePanel,
    commands: &mut Vec<Command>,
) {
    let frame = egui::Frame::new().inner_margin(Margin::symmetric(14, 6));
    frame.show(ui, |ui| {
        ui.horizontal(|ui| {
            ui.label(theme::strong("Recipe"));
            let n_steps = units::plural(view.recipe.steps.len() as u64, "step");
            ui.label(theme::weak(ui, n_steps));
            ui.with_layout(Layout::right_to_left(Align::Center), |ui| {
                ui.spacing_mut().item_spacing.x = 0.0;
                more_ui(ui, view, panel, commands);
                history_ui(ui, view.history, commands);
                let label = |verb: &str, label: Option<String>| match label {
                    Some(label) => format!("{verb}: {label}"),
                    None => format!("Nothing to {}", verb.to_lowercase()),
                };
                let redo = view.history.redo_label();
                let is_enabled = redo.is_some();
                if icon_button(ui, is_enabled, Icon::Redo, &label("Redo", redo)).clicked() {
                    commands.push(Command::Redo);
                }
                let undo = view.history.undo_label();
                let is_enabled = undo.is_some();
                if icon_button(ui, is_enabled, Icon::Undo, &label("Undo", undo)).clicked() {
                    commands.push(Command::Undo);
                }
            });
        });
    });
    if let Some(message) = &panel.message {
        let is_closed = message_ui(ui, message);
        if is_closed {
            panel.message = None;
        }
    }
}

/// What did not work, until it is closed or works.
fn message_ui(ui: &mut Ui, message: &str) -> bool {
    let c = colors(ui);
    let frame = egui::Frame::new()
        .fill(c.surface(theme::Tone::Bad))
        .inner_margin(Margin::symmetric(14, 6));
    frame
        .show(ui, |ui| {
            ui.set_width(ui.available_width());
            let mut is_closed = false;
            ui.with_layout(Layout::right_to_left(Align::Min), |ui| {
                is_closed = icon_button(ui, true, Icon::Close, "Close the message").clicked();
                let text = RichText::new(message).font(theme::small()).color(c.bad);
                ui.with_layout(Layout::left_to_right(Align::Min).with_main_wrap(true), |ui| {
                    ui.add(Label::new(text).wrap());
                });
            });
            is_closed
        })
        .inner
}

fn more_ui(ui: &mut Ui, view: &RecipeView<'_>, panel: &mut RecipePanel, commands: &mut Vec<Command>) {
    let button = icon_button(ui, true, Icon::More, "Recipe menu");
    Popup::menu(&button).show(|ui| {
        ui.set_min_width(220.0);
        let has_steps = !view.recipe.steps.is_empty();
        if ui.add_enabled(has_steps, Button::new("Copy all steps")).clicked() {
            clipboard::copy_all(view, commands);
        }
        if ui.button("Paste steps").clicked() {
            clipboard::ask(ui, view.recipe.steps.len(), panel);
        }
        ui.separator();
        for (kind, is_enabled) in [
            (CommandKind::OpenRecipe, true),
            (CommandKind::SaveRecipeAs, has_steps),
        ] {
            let button = ui.add_enabled(is_enabled, Button::new(kind.text()));
            if button.on_hover_text(kind.tooltip()).clicked() {
                commands.push(kind.command());
            }
        }
    });
}

/// The undo list, newest first, and what was put aside.
fn history_ui(ui: &mut Ui, history: &History, commands: &mut Vec<Command>) {
    let asides = history.asides();
    let button = icon_button(ui, true, Icon::ChevronDown, "Undo list");
    if !asides.is_empty() {
        let dot = button.rect.right_top() + vec2(-5.0, 5.0);
        ui.painter().circle_filled(dot, 2.5, colors(ui).accent);
    }
    let popup = Popup::from_toggle_button_response(&button)
        .close_behavior(PopupCloseBehavior::CloseOnClickOutside)
        .width(LIST_WIDTH);
    popup.show(|ui| {
        ui.set_width(LIST_WIDTH);
        ui.spacing_mut().item_spacing.y = 0.0;
        let entries = history.entries();
        let present = entries.iter().rposition(|entry| entry.is_done).unwrap_or(0);
        heading_ui(ui, "Edits, newest first");
        ui.add_space(space::XS);
        let height = (7.0 * size::ROW).max(ui.ctx().content_rect().height() * 0.4);
        ScrollArea::vertical()
            .id_salt("undo list")
            .max_height(height)
            .show_rows(ui, size::ROW, entries.len(), |ui, rows| {
                for at in rows.map(|row| entries.len() - 1 - row) {
                    let Some(entry) = entries.get(at) else { continue };
                    let is_present = at == present;
                    let c = colors(ui);
                    let color = if entry.is_done { c.text } else { c.weak };
                    let mark = match (is_present, entry.is_done) {
                        (true, _) => "now",
                        (false, true) => "",
                        (false, false) => "undone",
                    };
                    let text = RichText::new(&entry.label)
                        .font(theme::regular(size::BODY_TEXT))
                        .color(color);
                    let line = Button::selectable(is_present, text)
                        .right_text(theme::weak_small(ui, mark))
                        .truncate()
                        .min_size(vec2(ui.available_width(), size::ROW));
                    let line = ui.add(line).accessible_name(format!("Go to: {}", entry.label));
                    if line.clicked() && !is_present {
                        commands.push(Command::GoToEntry(entry.id));
                    }
                }
            });
        if asides.is_empty() {
            return;
        }
        ui.add_space(space::SM);
        divider(ui);
        ui.add_space(space::SM);
        heading_ui(ui, "Put aside");
        for aside in &asides {
            let edits = units::plural(aside.n_edits as u64, "edit");
            let what = if aside.n_edits == 1 {
                aside.last.clone()
            } else {
                format!("{} … {}", aside.first, aside.last)
            };
            ui.horizontal(|ui| {
                ui.add_space(ui.spacing().button_padding.x);
                ui.set_min_height(size::CONTROL + space::XS);
                let restore = format!("Restore {edits}: {what}");
                ui.with_layout(Layout::right_to_left(Align::Center), |ui| {
                    let button = secondary_button(ui, true, "Restore").accessible_name(&restore);
                    if button
                        .on_hover_text("Goes back to them; what is there now is put aside")
                        .clicked()
                    {
                        commands.push(Command::GoToEntry(aside.id));
                    }
                    ui.with_layout(Layout::left_to_right(Align::Center), |ui| {
                        ui.vertical(|ui| {
                            ui.label(theme::body(format!("{edits} put aside")));
                            ui.add(Label::new(theme::weak_small(ui, &what)).truncate())
                                .on_hover_text(&what);
                        });
                    });
                });
            });
        }
    });
}

/// A heading over entries whose texts begin after a button's padding.
fn heading_ui(ui: &mut Ui, text: &str) {
    ui.horizontal(|ui| {
        ui.add_space(ui.spacing().button_padding.x);
        section_label(ui, text);
    });
}

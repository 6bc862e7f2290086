//! The bar at the top: name, menus, history, address, and the two actions that the window is for.

use egui::{Button, Frame, Id, Key, Margin, Role, Sense, Stroke, TextEdit, Ui, WidgetInfo, vec2};

use crate::gui::command::{Command, CommandKind};
use crate::gui::state::{Commands, State};
use crate::gui::theme::{colors, mono, semibold, size, space, weak};
use crate::gui::widgets::{Icon, icon_button, keycap, paint_mark, primary_button, secondary_button};

/// The text in the address field while it is edited.
#[derive(Debug, Default)]
pub struct AddressField {
    text: Option<String>,
    wants_focus: bool,
}

impl AddressField {
    /// Shows the open place again.
    pub fn reset(&mut self) {
        self.text = None;
    }

    pub fn focus(&mut self) {
        self.wants_focus = true;
    }
}

const MENUS: [(&str, &[Option<CommandKind>]); 4] = [
    (
        "File",
        &[
            Some(CommandKind::OpenFolder),
            Some(CommandKind::OpenFile),
            Some(CommandKind::OpenLog),
            Some(CommandKind::AddConnection),
            Some(CommandKind::OpenSampleData),
            None,
            Some(CommandKind::OpenSession),
            Some(CommandKind::Save),
            Some(CommandKind::SaveAs),
            None,
            Some(CommandKind::OpenRecipe),
            Some(CommandKind::SaveRecipeAs),
            None,
            Some(CommandKind::Export),
            Some(CommandKind::CopyPython),
            Some(CommandKind::RunHere),
            None,
            Some(CommandKind::Quit),
        ],
    ),
    (
        "Edit",
        &[
            Some(CommandKind::Undo),
            Some(CommandKind::Redo),
            None,
            Some(CommandKind::CopySteps),
            Some(CommandKind::PasteSteps),
            None,
            Some(CommandKind::EditAddress),
            Some(CommandKind::ShowPalette),
        ],
    ),
    (
        "View",
        &[
            Some(CommandKind::ShowPartitions),
            Some(CommandKind::ShowData),
            Some(CommandKind::ShowProfile),
            Some(CommandKind::ShowKeys),
            Some(CommandKind::ShowJob),
            Some(CommandKind::ShowRuns),
            None,
            Some(CommandKind::GoBack),
            Some(CommandKind::GoForward),
            Some(CommandKind::GoUp),
            Some(CommandKind::Refresh),
            None,
            Some(CommandKind::ToggleSources),
            Some(CommandKind::ToggleRecipe),
            Some(CommandKind::ToggleActivity),
            None,
            Some(CommandKind::ZoomIn),
            Some(CommandKind::ZoomOut),
            Some(CommandKind::ZoomReset),
            None,
            Some(CommandKind::ThemeSystem),
            Some(CommandKind::ThemeLight),
            Some(CommandKind::ThemeDark),
        ],
    ),
    (
        "Help",
        &[Some(CommandKind::ShowPalette), Some(CommandKind::ShowShortcuts)],
    ),
];

/// Room kept for the buttons at the right end.
const RIGHT_WIDTH: f32 = 330.0;
const MAX_ADDRESS_WIDTH: f32 = 640.0;

pub fn top_bar_ui(ui: &mut Ui, state: &mut State, commands: &mut Commands) {
    ui.horizontal_centered(|ui| {
        ui.spacing_mut().item_spacing.x = space::SM;
        mark_ui(ui);
        ui.add_space(space::XS);
        menus_ui(ui, state, commands);
        ui.add_space(space::XS);
        address_ui(ui, state, commands);
        ui.add_space(space::XS);
        palette_hint_ui(ui, commands);
        ui.with_layout(egui::Layout::right_to_left(egui::Align::Center), |ui| {
            let has_source = state.document().source.is_some();
            let export = CommandKind::Export;
            if primary_button(ui, has_source, export.text())
                .on_hover_text(export.tooltip())
                .clicked()
            {
                commands.push(export.command());
            }
            let run = CommandKind::RunHere;
            let is_idle = !state.slots.run.is_pending();
            if secondary_button(ui, has_source && is_idle, run.text())
                .on_hover_text(run.tooltip())
                .clicked()
            {
                commands.push(run.command());
            }
        });
    });
}

fn mark_ui(ui: &mut Ui) {
    let c = colors(ui);
    let (rect, response) = ui.allocate_exact_size(vec2(21.0, 11.0), Sense::hover());
    response.widget_info(|| WidgetInfo::labeled(Role::Image, true, "Skewer logo"));
    paint_mark(ui.painter(), rect, c.accent);
    ui.label(
        egui::RichText::new("Skewer")
            .font(semibold(size::BODY_TEXT))
            .color(c.accent),
    );
}

fn menus_ui(ui: &mut Ui, state: &State, commands: &mut Commands) {
    ui.spacing_mut().item_spacing.x = 0.0;
    ui.scope(|ui| {
        let c = colors(ui);
        let widgets = &mut ui.visuals_mut().widgets;
        widgets.inactive.weak_bg_fill = egui::Color32::TRANSPARENT;
        widgets.inactive.bg_stroke = Stroke::NONE;
        widgets.inactive.fg_stroke.color = c.weak;
        widgets.hovered.bg_stroke = Stroke::NONE;
        widgets.open.bg_stroke = Stroke::NONE;
        widgets.active.bg_stroke = Stroke::NONE;
        ui.spacing_mut().button_padding.x = 6.0;
        for (title, entries) in MENUS {
            ui.menu_button(title, |ui| {
                ui.set_min_width(240.0);
                for entry in entries {
                    match entry {
                        None => {
                            ui.separator();
                        }
                        Some(kind) => menu_entry_ui(ui, *kind, state, commands),
                    }
                }
            });
        }
    });
    ui.spacing_mut().item_spacing.x = space::SM;
}

fn menu_entry_ui(ui: &mut Ui, kind: CommandKind, state: &State, commands: &mut Commands) {
    let text = match kind {
        CommandKind::Undo => with_label(kind, state.history.undo_label()),
        CommandKind::Redo => with_label(kind, state.history.redo_label()),
        _ => kind.text().to_owned(),
    };
    let button = Button::new(text).shortcut_text(kind.shortcut_text(ui.ctx()));
    if ui
        .add_enabled(is_available(kind, state), button)
        .on_hover_text(kind.tooltip())
        .clicked()
    {
        commands.push(kind.command());
        ui.close();
    }
}

fn with_label(kind: CommandKind, label: Option<String>) -> String {
    match label {
        Some(label) => format!("{} {label}", kind.text()),
        None => kind.text().to_owned(),
    }
}

/// Whether a command can do anything now.
pub(super) fn is_available(kind: CommandKind, state: &State) -> bool {
    let has_source = state.document().source.is_some();
    match kind {
        CommandKind::Undo => state.history.undo_label().is_some(),
        CommandKind::Redo => state.history.redo_label().is_some(),
        CommandKind::CopySteps | CommandKind::SaveRecipeAs => !state.document().recipe.steps.is_empty(),
        CommandKind::GoBack => state.places.has_before(),
        CommandKind::GoForward => state.places.has_after(),
        CommandKind::GoUp | CommandKind::Refresh | CommandKind::Export | CommandKind::CopyPython => {
            has_source
        }
        CommandKind::RunHere => has_source && !state.slots.run.is_pending(),
        _ => true,
    }
}

fn address_ui(ui: &mut Ui, state: &mut State, commands: &mut Commands) {
    let c = colors(ui);
    let width = (ui.available_width() - RIGHT_WIDTH).clamp(160.0, MAX_ADDRESS_WIDTH);
    let present = state.address();
    let connection = state.connection();
    let can = [CommandKind::GoBack, CommandKind::GoForward, CommandKind::GoUp]
        .map(|kind| is_available(kind, state));
    let field = &mut state.panels.address;
    let id = Id::unique("address");
    let is_focused = ui.memory(|memory| memory.has_focus(id));
    let edge = if is_focused { c.accent } else { c.line };
    Frame::new()
        .fill(c.card)
        .stroke(Stroke::new(size::LINE, edge))
        .corner_radius(size::CONTROL_RADIUS)
        .inner_margin(Margin::symmetric(2, 0))
        .show(ui, |ui| {
            ui.spacing_mut().item_spacing.x = 0.0;
            ui.set_width(width);
            ui.set_height(size::CONTROL - 2.0);
            for (kind, icon, is_enabled) in [
                (CommandKind::GoBack, Icon::Back, can[0]),
                (CommandKind::GoForward, Icon::Forward, can[1]),
                (CommandKind::GoUp, Icon::Up, can[2]),
            ] {
                if icon_button(ui, is_enabled, icon, kind.text()).clicked() {
                    commands.push(kind.command());
                }
            }
            let mut text = field.text.clone().unwrap_or_else(|| present.clone());
            let hint = egui::RichText::new("a path or s3://bucket/prefix/")
                .font(mono())
                .color(c.weak);
            let response = ui.add(
                TextEdit::singleline(&mut text)
                    .id(id)
                    .font(mono())
                    .frame(Frame::NONE)
                    .hint_text(hint)
                    .margin(Margin::symmetric(6, 0))
                    .align(egui::Align2::LEFT_CENTER)
                    .min_size(vec2(0.0, size::CONTROL - 2.0))
                    .desired_width(ui.available_width()),
            );
            ui.ctx()
                .accesskit_node_builder(response.id, |node| node.set_label("Address"));
            if std::mem::take(&mut field.wants_focus) {
                response.request_focus();
                select_all(ui, id, &text);
            }
            let enter = response.lost_focus() && ui.input(|input| input.key_pressed(Key::Enter));
            if enter {
                field.text = None;
                if !text.trim().is_empty() && text != present {
                    commands.push(Command::GoTo(text, connection));
                }
            } else if response.has_focus() {
                field.text = Some(text);
            } else if response.lost_focus() {
                field.text = None;
            }
        });
}

fn select_all(ui: &Ui, id: Id, text: &str) {
    if let Some(mut edit) = TextEdit::load_state(ui.ctx(), id) {
        let end = text.chars().count();
        edit.cursor.set_char_range(Some(egui::text::CCursorRange::two(
            egui::text::CCursor::new(0),
            egui::text::CCursor::new(end),
        )));
        TextEdit::store_state(ui.ctx(), id, edit);
    }
}

fn palette_hint_ui(ui: &mut Ui, commands: &mut Commands) {
    let kind = CommandKind::ShowPalette;
    let shortcut = kind.shortcut_text(ui.ctx());
    let response = ui
        .scope(|ui| {
            ui.spacing_mut().item_spacing.x = 6.0;
            keycap(ui, &shortcut);
            ui.label(weak(ui, "commands"));
        })
        .response;
    let response = response.interact(Sense::click());
    response.widget_info(|| WidgetInfo::labeled(Role::Button, true, kind.text()));
    if response.on_hover_text(kind.tooltip()).clicked() {
        commands.push(kind.command());
    }
}

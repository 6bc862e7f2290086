//! What lies over the window for a moment: the command palette, the shortcut overview, and the hint while files hover.

use egui::{Align2, Id, Key, Modal, Order, Role, ScrollArea, Sense, TextEdit, Ui, WidgetInfo, pos2, vec2};

use super::top_bar::is_available;
use crate::gui::command::CommandKind;
use crate::gui::state::{Commands, State};
use crate::gui::theme::{body, colors, regular, size, small, space, strong, weak};
use crate::gui::widgets::keycap;

/// The half-typed name of a command.
#[derive(Debug, Default)]
pub struct Palette {
    query: String,
    cursor: usize,
    had_focus: bool,
}

const PALETTE_WIDTH: f32 = 520.0;
const MAX_SHOWN: usize = 12;

/// How well the letters of `query` are found in `text`, in order; none when one is not. Smaller is better: early
/// matches and matches in a row.
fn distance(query: &str, text: &str) -> Option<usize> {
    let text: Vec<char> = text.to_lowercase().chars().collect();
    let mut at = 0;
    let mut distance = 0;
    for letter in query.to_lowercase().chars().filter(|c| !c.is_whitespace()) {
        let gap = text.get(at..)?.iter().position(|c| *c == letter)?;
        distance += gap;
        at += gap + 1;
    }
    Some(distance)
}

fn matches(query: &str) -> Vec<CommandKind> {
    let mut found: Vec<_> = CommandKind::ALL
        .into_iter()
        .filter(|kind| *kind != CommandKind::ShowPalette)
        .filter_map(|kind| Some((distance(query, kind.text())?, kind)))
        .collect();
    found.sort_by_key(|(distance, _)| *distance);
    found.into_iter().map(|(_, kind)| kind).collect()
}

/// Shows the palette while it is open.
pub fn palette_ui(ui: &mut Ui, state: &mut State, commands: &mut Commands) {
    let Some(mut palette) = state.panels.palette.take() else {
        return;
    };
    let found = matches(&palette.query);
    let shown = found.len().min(MAX_SHOWN);
    let mut chosen = None;
    let area = Modal::default_area(Id::unique("palette")).anchor(Align2::CENTER_TOP, vec2(0.0, 96.0));
    let modal = Modal::new(Id::unique("palette")).area(area).show(ui.ctx(), |ui| {
        ui.set_width(PALETTE_WIDTH);
        let (up, down, enter) = ui.input_mut(|input| {
            let none = egui::Modifiers::NONE;
            (
                input.consume_key(none, Key::ArrowUp),
                input.consume_key(none, Key::ArrowDown),
                input.consume_key(none, Key::Enter),
            )
        });
        let edit = TextEdit::singleline(&mut palette.query)
            .hint_text(weak(ui, "Type a few letters of a command"))
            .margin(egui::Margin::symmetric(8, 6))
            .desired_width(f32::INFINITY);
        let response = ui.add(edit);
        ui.ctx()
            .accesskit_node_builder(response.id, |node| node.set_label("Find a command"));
        if !palette.had_focus {
            response.request_focus();
            palette.had_focus = true;
        }
        if response.changed() {
            palette.cursor = 0;
        }
        if down {
            palette.cursor = (palette.cursor + 1).min(shown.saturating_sub(1));
        }
        if up {
            palette.cursor = palette.cursor.saturating_sub(1);
        }
        ui.add_space(space::SM);
        ui.spacing_mut().item_spacing.y = 0.0;
        if found.is_empty() {
            ui.label(weak(ui, "No command has these letters."));
        }
        for (index, kind) in found.iter().copied().take(MAX_SHOWN).enumerate() {
            let is_enabled = is_available(kind, state);
            if entry_ui(ui, kind, is_enabled, index == palette.cursor)
                || (enter && is_enabled && index == palette.cursor)
            {
                chosen = Some(kind);
            }
        }
    });
    if let Some(kind) = chosen {
        commands.push(kind.command());
    } else if !modal.should_close() {
        state.panels.palette = Some(palette);
    }
}

fn entry_ui(ui: &mut Ui, kind: CommandKind, is_enabled: bool, is_cursor: bool) -> bool {
    let c = colors(ui);
    let sense = if is_enabled { Sense::CLICK } else { Sense::hover() };
    let (rect, response) = ui.allocate_exact_size(vec2(ui.available_width(), size::CONTROL), sense);
    response.widget_info(|| WidgetInfo::selected(Role::ListBoxOption, is_enabled, is_cursor, kind.text()));
    if is_cursor || response.hovered() {
        ui.painter().rect_filled(rect, size::CONTROL_RADIUS, c.selection);
    }
    let color = if is_enabled { c.text } else { c.faint };
    let middle = rect.center().y;
    let name = ui.painter().text(
        pos2(rect.left() + space::SM, middle),
        Align2::LEFT_CENTER,
        kind.text(),
        regular(size::BODY_TEXT),
        color,
    );
    let key = ui.painter().text(
        pos2(rect.right() - space::SM, middle),
        Align2::RIGHT_CENTER,
        kind.shortcut_text(ui.ctx()),
        small(),
        c.weak,
    );
    let room = key.left() - name.right() - 2.0 * space::MD;
    let mut job = egui::text::LayoutJob::simple_singleline(kind.tooltip().to_owned(), small(), c.weak);
    job.wrap = egui::text::TextWrapping::truncate_at_width(room.max(0.0));
    let galley = ui.painter().layout_job(job);
    let y = middle - galley.size().y / 2.0;
    ui.painter()
        .galley(pos2(name.right() + space::MD, y), galley, c.weak);
    response.clicked()
}

/// Shows every shortcut while the overview is open.
pub fn shortcuts_ui(ui: &mut Ui, state: &mut State) {
    if !state.panels.has_shortcuts {
        return;
    }
    let modal = Modal::new(Id::unique("shortcuts"))
        .frame(crate::gui::widgets::dialog_frame(ui))
        .show(ui.ctx(), |ui| {
            ui.set_width(420.0);
            ui.label(strong("Keyboard shortcuts"));
            ui.add_space(space::SM);
            // As tall as the window allows: a list to look through should not hide its half.
            let height = (ui.ctx().content_rect().height() - 160.0).max(160.0);
            let area = ScrollArea::vertical()
                .max_height(height)
                .min_scrolled_height(height);
            area.show(ui, |ui| {
                for kind in CommandKind::ALL {
                    if kind.shortcuts().is_empty() {
                        continue;
                    }
                    ui.horizontal(|ui| {
                        ui.label(body(kind.text())).on_hover_text(kind.tooltip());
                        ui.with_layout(egui::Layout::right_to_left(egui::Align::Center), |ui| {
                            ui.add_space(space::MD);
                            for shortcut in kind.shortcuts().iter().rev() {
                                let text = ui.ctx().format_shortcut(shortcut);
                                keycap(ui, &text);
                            }
                        });
                    });
                }
            });
        });
    if modal.should_close() {
        state.panels.has_shortcuts = false;
    }
}

/// Says what dropping does while files hover over the window.
pub fn drop_hint_ui(ui: &Ui) {
    if !ui.input(|input| !input.raw.hovered_files.is_empty()) {
        return;
    }
    let c = colors(ui);
    let rect = ui.ctx().content_rect();
    let painter = ui
        .ctx()
        .layer_painter(egui::LayerId::new(Order::Foreground, Id::unique("drop hint")));
    painter.rect_filled(rect, 0.0, c.background.gamma_multiply(0.85));
    painter.text(
        rect.center(),
        Align2::CENTER_CENTER,
        "Drop to open this folder or file",
        crate::gui::theme::semibold(size::HEADLINE_TEXT),
        c.accent,
    );
}

#[cfg(test)]
mod tests {
    use super::matches;
    use crate::gui::command::CommandKind;

    #[test]
    fn a_few_letters_find_a_command_and_nonsense_finds_none() {
        assert_eq!(matches("exp").first(), Some(&CommandKind::Export));
        assert_eq!(matches("opfo").first(), Some(&CommandKind::OpenFolder));
        assert!(matches("zzzz").is_empty());
    }
}

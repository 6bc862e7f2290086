//! Places that were open before, below the tree of sources.

use egui::{Role, ScrollArea, Sense, Ui, WidgetInfo, vec2};

use super::sources::{paint_name, source_menu};
use crate::gui::command::Command;
use crate::gui::state::{Commands, State};
use crate::gui::theme::{colors, mono, size, space, weak_small};
use crate::gui::widgets::section_label;
use crate::session::Source;

pub(super) fn recents_ui(ui: &mut Ui, state: &State, commands: &mut Commands) {
    ui.add_space(space::MD);
    ui.horizontal(|ui| {
        ui.add_space(14.0);
        section_label(ui, "Recents");
    });
    ui.add_space(space::XS);
    let recents: Vec<&Source> = state
        .preferences
        .recents
        .iter()
        .filter(|source| Some(*source) != state.document().source.as_ref())
        .collect();
    if recents.is_empty() {
        ui.horizontal(|ui| {
            ui.add_space(14.0);
            ui.label(weak_small(ui, "Places that you open appear here."));
        });
        return;
    }
    ScrollArea::vertical()
        .id_salt("recents")
        .auto_shrink(false)
        .show(ui, |ui| {
            for source in recents {
                recent_ui(ui, source, commands);
            }
        });
}

fn recent_ui(ui: &mut Ui, source: &Source, commands: &mut Commands) {
    let c = colors(ui);
    let text = source.location.to_string();
    let (rect, response) = ui.allocate_exact_size(vec2(ui.available_width(), size::ROW), Sense::click());
    response.widget_info(|| WidgetInfo::labeled(Role::Button, true, format!("Recent {text}")));
    if response.hovered() || response.has_focus() {
        ui.painter()
            .rect_filled(rect, 0.0, crate::gui::theme::mix(c.panel, c.selection, 0.55));
    }
    paint_name(ui, rect.left() + 14.0, rect.right() - 6.0, rect, &text, mono(), c);
    let response = response.on_hover_text(&text);
    source_menu(&response, source, commands);
    if response.clicked() {
        commands.push(Command::Open(source.clone()));
    }
}

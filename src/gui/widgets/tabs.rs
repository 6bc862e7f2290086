//! Tabs with an underline in the accent colour, and a row of choices of which one holds.

use egui::{Response, Role, Sense, Stroke, StrokeKind, Ui, WidgetInfo, pos2, vec2};

use crate::gui::theme::{colors, regular, semibold, size, small, space};

/// A row of tabs. Returns the one that was clicked.
pub fn tabs<T: Copy + PartialEq>(ui: &mut Ui, choices: &[(T, &str)], current: T) -> Option<T> {
    let c = colors(ui);
    let mut clicked = None;
    ui.spacing_mut().item_spacing.x = 0.0;
    for (value, text) in choices {
        let is_open = *value == current;
        // Laid out as if open, so that nothing moves when it opens.
        let width = ui
            .painter()
            .layout_no_wrap((*text).to_owned(), semibold(size::BODY_TEXT), c.text)
            .size()
            .x
            .ceil();
        let (rect, response) =
            ui.allocate_exact_size(vec2(width + 2.0 * space::MD + 2.0, size::TAB_BAR), Sense::click());
        response.widget_info(|| WidgetInfo::selected(Role::Tab, true, is_open, text));
        let is_lit = is_open || response.hovered() || response.has_focus();
        let (font, color) = if is_open {
            (semibold(size::BODY_TEXT), c.text)
        } else {
            (regular(size::BODY_TEXT), if is_lit { c.text } else { c.weak })
        };
        ui.painter()
            .text(rect.center(), egui::Align2::CENTER_CENTER, text, font, color);
        if is_open {
            let line = egui::Rect::from_min_max(
                pos2(rect.left(), rect.bottom() - size::UNDERLINE),
                rect.right_bottom(),
            );
            ui.painter().rect_filled(line, 0.0, c.accent);
        }
        focus_ring(ui, &response, rect.shrink(3.0));
        if response.clicked() {
            clicked = Some(*value);
        }
    }
    clicked
}

/// A few choices side by side. Returns the one that was clicked.
pub fn segmented<T: Copy + PartialEq>(ui: &mut Ui, choices: &[(T, &str)], current: T) -> Option<T> {
    let c = colors(ui);
    let mut clicked = None;
    ui.scope(|ui| {
        ui.spacing_mut().item_spacing.x = space::XS / 2.0;
        for (value, text) in choices {
            let is_chosen = *value == current;
            let galley = ui.painter().layout_no_wrap((*text).to_owned(), small(), c.text);
            let (rect, response) = ui.allocate_exact_size(
                vec2(galley.size().x + 2.0 * space::SM, size::ROW - 4.0),
                Sense::click(),
            );
            response.widget_info(|| WidgetInfo::selected(Role::RadioButton, true, is_chosen, text));
            let color = if is_chosen || response.hovered() {
                c.text
            } else {
                c.weak
            };
            if is_chosen {
                ui.painter().rect_filled(rect, size::BADGE_RADIUS, c.selection);
            }
            let edge = if is_chosen { c.edge } else { c.line };
            ui.painter().rect_stroke(
                rect,
                size::BADGE_RADIUS,
                Stroke::new(size::LINE, edge),
                StrokeKind::Inside,
            );
            ui.painter()
                .text(rect.center(), egui::Align2::CENTER_CENTER, text, small(), color);
            focus_ring(ui, &response, rect);
            if response.clicked() {
                clicked = Some(*value);
            }
        }
    });
    clicked
}

fn focus_ring(ui: &Ui, response: &Response, rect: egui::Rect) {
    if response.has_focus() {
        ui.painter().rect_stroke(
            rect,
            size::BADGE_RADIUS,
            Stroke::new(size::LINE, colors(ui).accent),
            StrokeKind::Inside,
        );
    }
}

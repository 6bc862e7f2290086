//! Buttons: one primary action a view, secondary ones with an outline, quiet ones inside text, and pictures.

use egui::{Button, Response, Role, Sense, Stroke, StrokeKind, Ui, Vec2, WidgetInfo, vec2};

use super::icon::{Icon, paint_icon};
use crate::gui::theme::{self, colors, mix, size, strong};

/// The one action that the view is for.
pub fn primary_button(ui: &mut Ui, is_enabled: bool, text: &str) -> Response {
    let c = colors(ui);
    ui.scope(|ui| {
        let widgets = &mut ui.visuals_mut().widgets;
        for (widget, fill) in [
            (&mut widgets.inactive, c.accent),
            (&mut widgets.hovered, mix(c.accent, c.text, 0.15)),
            (&mut widgets.active, mix(c.accent, c.text, 0.3)),
        ] {
            widget.weak_bg_fill = fill;
            widget.bg_stroke = Stroke::NONE;
            widget.fg_stroke.color = c.on_accent;
        }
        ui.add_enabled(
            is_enabled,
            Button::new(strong(text)).min_size(vec2(0.0, size::CONTROL)),
        )
    })
    .inner
}

/// Any other action.
pub fn secondary_button(ui: &mut Ui, is_enabled: bool, text: &str) -> Response {
    ui.add_enabled(
        is_enabled,
        Button::new(theme::body(text)).min_size(vec2(0.0, size::CONTROL)),
    )
}

/// An action that must not draw the eye: its frame appears under the pointer.
pub fn quiet_button(ui: &mut Ui, is_enabled: bool, text: &str) -> Response {
    ui.add_enabled(
        is_enabled,
        Button::new(theme::weak(ui, text)).frame_when_inactive(false),
    )
}

/// A picture to click. `label` is its tooltip and its name for assistive technology.
pub fn icon_button(ui: &mut Ui, is_enabled: bool, icon: Icon, label: &str) -> Response {
    let c = colors(ui);
    let sense = if is_enabled {
        Sense::click()
    } else {
        Sense::hover()
    };
    let (rect, response) = ui.allocate_exact_size(Vec2::splat(size::ROW), sense);
    response.widget_info(|| WidgetInfo::labeled(Role::Button, is_enabled, label));
    let color = if !is_enabled {
        mix(c.panel, c.weak, 0.45)
    } else if response.hovered() || response.has_focus() {
        c.text
    } else {
        c.weak
    };
    if is_enabled && (response.hovered() || response.has_focus()) {
        ui.painter().rect_filled(rect, size::BADGE_RADIUS, c.selection);
    }
    if response.has_focus() {
        ui.painter().rect_stroke(
            rect,
            size::BADGE_RADIUS,
            Stroke::new(size::LINE, c.accent),
            StrokeKind::Inside,
        );
    }
    paint_icon(ui.painter(), rect, icon, color);
    response.on_hover_text(label)
}

/// A key as printed on a keyboard, such as `Ctrl+K`.
pub fn keycap(ui: &mut Ui, text: &str) -> Response {
    let c = colors(ui);
    let galley = ui
        .painter()
        .layout_no_wrap(text.to_owned(), theme::small(), c.weak);
    let (rect, response) = ui.allocate_exact_size(galley.size() + vec2(10.0, 4.0), Sense::hover());
    response.widget_info(|| WidgetInfo::labeled(Role::Label, true, text));
    ui.painter().rect_stroke(
        rect,
        size::BADGE_RADIUS,
        Stroke::new(size::LINE, c.line),
        StrokeKind::Inside,
    );
    ui.painter().galley(rect.min + vec2(5.0, 2.0), galley, c.weak);
    response
}

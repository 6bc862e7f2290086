//! Progress: a bar with a share, or a moving one while the total is not known.

use egui::{Rect, Response, Role, Sense, Ui, WidgetInfo, pos2, vec2};

use crate::gui::theme::{Tone, colors, size, space};

/// A bar `width` wide. Without a share a piece of it moves, which asks for repaints while it is shown.
pub fn progress_bar(ui: &mut Ui, width: f32, share: Option<f32>, tone: Tone, label: &str) -> Response {
    let c = colors(ui);
    let (rect, response) = ui.allocate_exact_size(vec2(width, size::ICON), Sense::hover());
    response.widget_info(|| {
        let mut info = WidgetInfo::labeled(Role::ProgressIndicator, true, label);
        info.value = share.map(f64::from);
        info
    });
    let bar = Rect::from_center_size(rect.center(), vec2(width, space::XS));
    ui.painter().rect_filled(bar, 2.0, c.line);
    let (from, to) = if let Some(share) = share {
        (0.0, share.clamp(0.0, 1.0))
    } else {
        ui.ctx().request_repaint_after_secs(0.05);
        let phase = ui.input(|input| (input.time * 0.6).fract());
        #[allow(clippy::cast_possible_truncation, reason = "a phase of 0..1")]
        let at = phase as f32 * 1.3 - 0.3;
        (at.max(0.0), (at + 0.3).min(1.0))
    };
    let filled = Rect::from_min_max(
        pos2(bar.left() + bar.width() * from, bar.top()),
        pos2(bar.left() + bar.width() * to, bar.bottom()),
    );
    ui.painter().rect_filled(filled, 2.0, c.of(tone));
    response
}

/// A small turning ring for work whose end is near.
pub fn spinner(ui: &mut Ui) -> Response {
    let c = colors(ui);
    ui.add(egui::Spinner::new().size(size::ICON - 2.0).color(c.accent))
}

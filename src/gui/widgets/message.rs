//! What a view says when it has nothing to show: an empty state with the next step, or what went wrong.

use egui::{Frame, Margin, Stroke, Ui};

use super::{Icon, icon, icon_button, primary_button};
use crate::gui::theme::{Tone, colors, mix, size, space, strong, weak};

/// Centred title and sentence, with the one action that helps. Returns whether it was clicked.
pub fn empty_state(ui: &mut Ui, title: &str, sentence: &str, action: Option<&str>) -> bool {
    let height = ui.available_height();
    ui.vertical_centered(|ui| {
        ui.add_space((height * 0.32).clamp(space::LG, 220.0));
        ui.label(strong(title));
        ui.add_space(space::XS);
        ui.scope(|ui| {
            ui.set_max_width(ui.available_width().min(460.0));
            ui.label(weak(ui, sentence));
        });
        ui.add_space(space::MD);
        action.is_some_and(|action| primary_button(ui, true, action).clicked())
    })
    .inner
}

/// What went wrong, where, and what helps.
#[derive(Debug, Clone, Copy, Default)]
pub struct Problem<'a> {
    /// Such as a location or a step; may be empty.
    pub place: &'a str,
    pub message: &'a str,
    /// May be empty.
    pub remedy: &'a str,
    /// Label of a button, such as `Try again`.
    pub action: Option<&'a str>,
}

/// A box with the problem, a button that copies its text, and the action. Returns whether the action was clicked.
pub fn error_box(ui: &mut Ui, problem: Problem<'_>) -> bool {
    let c = colors(ui);
    Frame::new()
        .fill(c.surface(Tone::Bad))
        .stroke(Stroke::new(size::LINE, mix(c.line, c.bad, 0.5)))
        .corner_radius(size::CARD_RADIUS)
        .inner_margin(Margin::symmetric(12, 10))
        .show(ui, |ui| {
            ui.set_width(ui.available_width());
            let mut is_clicked = false;
            ui.horizontal_top(|ui| {
                icon(ui, Icon::Warning, c.bad);
                let width = (ui.available_width() - size::ROW - ui.spacing().item_spacing.x).max(80.0);
                ui.vertical(|ui| {
                    ui.set_width(width);
                    if !problem.place.is_empty() {
                        ui.label(strong(problem.place));
                    }
                    ui.add(egui::Label::new(problem.message).wrap().selectable(true));
                    if !problem.remedy.is_empty() {
                        ui.label(weak(ui, problem.remedy));
                    }
                    if let Some(action) = problem.action {
                        ui.add_space(space::XS);
                        is_clicked = super::secondary_button(ui, true, action).clicked();
                    }
                });
                if icon_button(ui, true, Icon::Copy, "Copy the message").clicked() {
                    let text = [problem.place, problem.message, problem.remedy]
                        .into_iter()
                        .filter(|part| !part.is_empty())
                        .collect::<Vec<_>>()
                        .join("\n");
                    ui.ctx().copy_text(text);
                }
            });
            is_clicked
        })
        .inner
}

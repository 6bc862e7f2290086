//! The line at the bottom: what is shown, how exact it is, what the process uses, and what is wrong.

use egui::{Label, Ui};

use crate::base::{Accuracy, units};
use crate::gui::state::Notice;
use crate::gui::theme::{colors, small, space, weak_small};
use crate::gui::widgets::quiet_button;

#[derive(Debug, Clone, Copy)]
pub struct StatusView<'a> {
    /// Rows and columns of the data shown.
    pub shape: Option<(u64, u64)>,
    pub accuracy: Option<Accuracy>,
    pub memory_bytes: Option<u64>,
    pub n_problems: usize,
    pub notice: Option<&'a Notice>,
    /// Scripts of the sample that no font shows.
    pub font_hint: Option<&'a str>,
    pub is_activity_open: bool,
    pub n_running: usize,
}

/// Returns whether the activity list was asked for.
pub fn status_ui(ui: &mut Ui, view: StatusView<'_>) -> bool {
    let c = colors(ui);
    let mut is_toggled = false;
    ui.horizontal_centered(|ui| {
        ui.spacing_mut().item_spacing.x = space::LG;
        if let Some((n_rows, n_columns)) = view.shape {
            let text = format!(
                "{} · {}",
                units::plural(n_rows, "row"),
                units::plural(n_columns, "column")
            );
            ui.label(weak_small(ui, text));
        }
        if let Some(accuracy) = view.accuracy {
            ui.label(weak_small(ui, accuracy.to_string()));
        }
        if let Some(bytes) = view.memory_bytes {
            ui.label(weak_small(ui, format!("memory {}", units::bytes(bytes))))
                .on_hover_text("Memory of this process");
        }
        ui.with_layout(egui::Layout::right_to_left(egui::Align::Center), |ui| {
            let problems = match view.n_problems {
                0 => weak_small(ui, "no problems"),
                n => egui::RichText::new(units::plural(n as u64, "problem"))
                    .font(small())
                    .color(c.bad),
            };
            ui.label(problems);
            ui.label(weak_small(ui, "UTC"))
                .on_hover_text("Times and days are in UTC");
            if !view.is_activity_open {
                let text = match view.n_running {
                    0 => "Activity".to_owned(),
                    n => format!("Activity ({n} running)"),
                };
                is_toggled = quiet_button(ui, true, &text).clicked();
            }
            ui.with_layout(egui::Layout::left_to_right(egui::Align::Center), |ui| {
                if let Some(notice) = view.notice {
                    let text = egui::RichText::new(&notice.text)
                        .font(small())
                        .color(c.of(notice.tone));
                    ui.add(Label::new(text).truncate());
                } else if let Some(hint) = view.font_hint {
                    let text = egui::RichText::new(hint).font(small()).color(c.warn);
                    ui.add(Label::new(text).truncate()).on_hover_text(
                        "Install a font for it, for example from the Noto family, and start again",
                    );
                }
            });
        });
    });
    is_toggled
}

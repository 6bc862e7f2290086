//! The recipe as a Python program: what it leaves out and why, with a button that copies it.

use egui::Ui;

use crate::base::units;
use crate::gui::command::Command;
use crate::gui::theme::{self, Tone, colors, space};
use crate::gui::widgets::{Icon, badge, card_with_head, icon, secondary_button};
use crate::transform::python::Script;

pub(super) fn python_ui(ui: &mut Ui, script: &Script, step_names: &[&str], commands: &mut Vec<Command>) {
    let n_left_out = script.notes.len();
    card_with_head(
        ui,
        "Python",
        |ui| {
            badge(
                ui,
                Tone::Plain,
                &units::plural(script.text.lines().count() as u64, "line"),
            );
            if n_left_out > 0 {
                let text = format!("{n_left_out} not written");
                badge(ui, Tone::Warn, &text);
            }
        },
        |ui| {
            if secondary_button(ui, true, "Copy as polars (Python)").clicked() {
                commands.push(Command::CopyPython);
            }
        },
        |ui| {
            let text = "A program for polars from PyPI that reads the same rows and gives the same result.";
            ui.add(egui::Label::new(theme::weak(ui, text)).wrap());
            let c = colors(ui);
            for (number, reason) in &script.notes {
                let place = match number.checked_sub(1) {
                    None => "Reading".to_owned(),
                    Some(at) => {
                        let name = step_names.get(at).copied().unwrap_or_default();
                        format!("Step {number} {name}")
                    }
                };
                ui.horizontal(|ui| {
                    ui.spacing_mut().item_spacing.x = space::XS;
                    icon(ui, Icon::Warning, c.warn);
                    ui.add(
                        egui::Label::new(theme::body(format!("{place}: {reason}")))
                            .wrap()
                            .selectable(true),
                    );
                });
            }
        },
    );
}

//! What was found about the key, what helps, with the loads that it would give, and where Spark alone would not help.

use egui::{Label, Ui};

use super::work::Reported;
use super::{KeysCommand, KeysPanel};
use crate::base::units;
use crate::gui::command::Command;
use crate::gui::state::Commands;
use crate::gui::theme::{
    Tone, body_marked, colors, space, strong, strong_marked, tone, weak_marked, weak_small, weak_small_marked,
};
use crate::gui::widgets::{Icon, card, divider, dot, icon, primary_button, secondary_button};
use crate::profile::Severity;
use crate::profile::keys::{OfferedRemedy, Remedy};
use crate::transform::RecipeStep;

pub(super) fn findings_card(ui: &mut Ui, reported: &Reported) {
    let report = &reported.report;
    if report.findings.is_empty() && report.warnings.is_empty() {
        return;
    }
    card(ui, |ui| {
        let c = colors(ui);
        ui.label(strong("Findings, by cost"));
        for finding in &report.findings {
            let (word, color) = match finding.severity {
                Severity::Good => ("good", c.good),
                Severity::Note => ("note", c.data),
                Severity::Warn => ("warning", c.warn),
                Severity::Bad => ("bad", c.bad),
            };
            ui.horizontal_top(|ui| {
                ui.spacing_mut().item_spacing.x = space::MD;
                dot(ui, color).on_hover_text(word);
                ui.vertical(|ui| {
                    ui.spacing_mut().item_spacing.y = 3.0;
                    ui.add(Label::new(strong_marked(ui, &finding.title)).wrap());
                    ui.add(Label::new(weak_marked(ui, &finding.message)).wrap());
                    if !finding.remedy.is_empty() {
                        ui.add(Label::new(body_marked(ui, &finding.remedy)).wrap());
                    }
                    if finding.cost_seconds >= 0.001 {
                        let cost =
                            format!("costs {} a pass (estimate)", units::seconds(finding.cost_seconds));
                        ui.label(weak_small(ui, cost));
                    }
                });
            });
        }
        for warning in &report.warnings {
            ui.horizontal_top(|ui| {
                ui.spacing_mut().item_spacing.x = space::MD;
                icon(ui, Icon::Warning, c.warn);
                ui.vertical(|ui| {
                    ui.spacing_mut().item_spacing.y = 3.0;
                    ui.add(Label::new(strong_marked(ui, &warning.title)).wrap());
                    ui.add(Label::new(weak_marked(ui, &warning.message)).wrap());
                });
            });
        }
    });
}

pub(super) fn remedies_card(
    ui: &mut Ui,
    reported: &Reported,
    panel: &mut KeysPanel,
    commands: &mut Commands,
) {
    let remedies = &reported.report.remedies;
    if remedies.is_empty() {
        return;
    }
    card(ui, |ui| {
        ui.label(strong("What helps"));
        let last = remedies.len() - 1;
        for (at, offered) in remedies.iter().enumerate() {
            remedy_ui(ui, reported, offered, at, panel, commands);
            if at < last {
                divider(ui);
            }
        }
    });
}

fn remedy_ui(
    ui: &mut Ui,
    reported: &Reported,
    offered: &OfferedRemedy,
    at: usize,
    panel: &mut KeysPanel,
    commands: &mut Commands,
) {
    const BUTTONS: f32 = 150.0;
    ui.horizontal_top(|ui| {
        let width = (ui.available_width() - BUTTONS - space::MD).max(160.0);
        ui.vertical(|ui| {
            ui.set_width(width);
            ui.spacing_mut().item_spacing.y = 3.0;
            ui.add(Label::new(strong_marked(ui, &offered.title)).wrap());
            ui.add(Label::new(weak_marked(ui, &offered.message)).wrap());
            if let Some(after) = &offered.after {
                let before = units::times(reported.report.partitions.metrics.max_over_mean);
                let mut text = format!("max / mean {before} → {}", units::times(after.max_over_mean));
                if let Some(saved) = offered.saved_seconds.filter(|saved| *saved > 0.0) {
                    text.extend([format!(", saves {} (predicted)", units::seconds(saved))]);
                }
                ui.label(tone(ui, Tone::Good, text));
            }
            if !offered.limits.is_empty() {
                ui.add(Label::new(weak_small_marked(ui, &offered.limits)).wrap());
            }
        });
        ui.with_layout(egui::Layout::right_to_left(egui::Align::TOP), |ui| {
            action_ui(ui, offered, reported.steps.get(at), panel, commands);
        });
    });
}

/// A remedy that is steps goes into the recipe; another number of partitions is tried here; the rest is copied as text.
fn action_ui(
    ui: &mut Ui,
    offered: &OfferedRemedy,
    steps: Option<&Result<Option<Vec<RecipeStep>>, String>>,
    panel: &mut KeysPanel,
    commands: &mut Commands,
) {
    match (steps, &offered.remedy) {
        (Some(Ok(Some(steps))), _) => {
            if primary_button(ui, true, "Add to recipe")
                .on_hover_text("Appends the steps to the recipe; Ctrl+Z takes them back")
                .clicked()
            {
                let add = KeysCommand::AddSteps(offered.title.clone(), steps.clone());
                commands.push(Command::Keys(add));
            }
        }
        (_, Remedy::OtherPartitions { n_partitions }) => {
            if secondary_button(ui, true, &format!("Try {n_partitions}")).clicked() {
                panel.n_partitions = *n_partitions;
            }
        }
        (Some(Err(reason)), _) => {
            copy_ui(ui, offered, commands).on_hover_text(reason);
        }
        _ => {
            copy_ui(ui, offered, commands);
        }
    }
}

fn copy_ui(ui: &mut Ui, offered: &OfferedRemedy, commands: &mut Commands) -> egui::Response {
    let button = secondary_button(ui, true, "Copy text");
    if button.clicked() {
        let text = format!("{}\n{}\n{}", offered.title, offered.message, offered.limits);
        commands.push(Command::CopyText(text.trim_end().to_owned()));
    }
    button
}

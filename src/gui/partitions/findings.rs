//! What is unusual, worst first, each with its evidence, its remedy and its cost.

use egui::{Label, Ui};

use crate::base::units;
use crate::gui::command::Command;
use crate::gui::listed::ListedDataset;
use crate::gui::state::Commands;
use crate::gui::theme::{Tone, colors, space, strong, weak, weak_small};
use crate::gui::widgets::{divider, dot, secondary_button, stretched_card};
use crate::profile::{Finding, Severity};
use crate::session::Edit;

const BUTTON_WIDTH: f32 = 92.0;

/// The card is at least `height` tall.
pub fn findings_ui(ui: &mut Ui, dataset: &ListedDataset, height: f32, commands: &mut Commands) {
    stretched_card(ui, "Findings, by cost", height, |ui| {
        if dataset.skew.findings.is_empty() {
            ui.label(weak(ui, "Nothing unusual: partitions are even and complete."));
            return;
        }
        ui.spacing_mut().item_spacing.y = space::SM;
        let last = dataset.skew.findings.len() - 1;
        for (index, finding) in dataset.skew.findings.iter().enumerate() {
            finding_ui(ui, dataset, finding, commands);
            if index < last {
                divider(ui);
            }
        }
    });
}

pub fn tone_of(severity: Severity) -> Tone {
    match severity {
        Severity::Good => Tone::Good,
        Severity::Note => Tone::Data,
        Severity::Warn => Tone::Warn,
        Severity::Bad => Tone::Bad,
    }
}

fn finding_ui(ui: &mut Ui, dataset: &ListedDataset, finding: &Finding, commands: &mut Commands) {
    let c = colors(ui);
    // A missing date has nothing to open.
    let opens = finding
        .partition
        .as_ref()
        .filter(|partition| dataset.stats(partition).is_some());
    ui.horizontal_top(|ui| {
        ui.spacing_mut().item_spacing.x = space::MD;
        dot(ui, c.of(tone_of(finding.severity)))
            .on_hover_text(format!("{:?}", finding.severity).to_lowercase());
        let width = (ui.available_width() - BUTTON_WIDTH - space::MD).max(120.0);
        ui.vertical(|ui| {
            ui.set_width(width);
            ui.spacing_mut().item_spacing.y = 3.0;
            ui.add(Label::new(strong(&finding.title)).wrap());
            if !finding.message.is_empty() {
                ui.add(Label::new(weak(ui, &finding.message)).wrap());
            }
            if !finding.remedy.is_empty() {
                ui.add(Label::new(crate::gui::theme::body(&finding.remedy)).wrap());
            }
            if let Some(cost) = cost_text(finding) {
                ui.label(weak_small(ui, cost))
                    .on_hover_text("With 16 slots, 50 MB/s a slot and 30 ms a request");
            }
        });
        if let Some(partition) = opens {
            ui.with_layout(egui::Layout::right_to_left(egui::Align::TOP), |ui| {
                let label = if dataset.unit() == "days" {
                    "Open day"
                } else {
                    "Open"
                };
                if secondary_button(ui, true, label)
                    .on_hover_text(format!("Shows the rows of {partition}"))
                    .clicked()
                {
                    commands.push(Command::Edit(Edit::ShowPartition {
                        dataset: dataset.keys.prefix.clone(),
                        partition: Some(partition.clone()),
                    }));
                    commands.push(Command::ShowTab(crate::gui::command::Tab::Data));
                }
            });
        }
    });
}

/// What the finding costs one pass over the data; none when nothing worth saying.
fn cost_text(finding: &Finding) -> Option<String> {
    let mut parts = Vec::new();
    if finding.cost_seconds >= 0.001 {
        parts.push(units::seconds(finding.cost_seconds));
    }
    if finding.cost_requests > 0 {
        parts.push(units::plural(finding.cost_requests, "request"));
    }
    (!parts.is_empty()).then(|| format!("costs {} a pass (estimate)", parts.join(" and ")))
}

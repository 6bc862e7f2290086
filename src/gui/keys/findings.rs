//! What was found about the key, the costliest first, and where Spark alone would not help.

use egui::{Label, Ui};

use super::cards::rows_head_ui;
use super::work::Reported;
use crate::base::units;
use crate::gui::theme::{body_marked, colors, space, strong_marked, weak_marked, weak_small};
use crate::gui::widgets::{Icon, card, dot, icon};
use crate::profile::Severity;

pub(super) fn findings_card(ui: &mut Ui, reported: &Reported) {
    let report = &reported.report;
    if report.findings.is_empty() && report.warnings.is_empty() {
        return;
    }
    card(ui, |ui| {
        let c = colors(ui);
        rows_head_ui(ui, "Findings, by cost", reported);
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

//! The findings of an application by cost: what is slow, why, and what to do.

use egui::{Label, Ui};

use super::RunsCommand;
use super::table::{stage_name, tone_of};
use crate::base::units;
use crate::gui::command::Command;
use crate::gui::state::Commands;
use crate::gui::theme::{body_marked, space, strong, weak, weak_marked, weak_small, weak_small_marked};
use crate::gui::widgets::{badge, card, divider, secondary_button};
use crate::profile::Severity;
use crate::profile::events::{StageProfile, Verdict};

/// Findings that are told; the table has the others.
const MAX_FINDINGS: usize = 5;

pub fn findings_ui(ui: &mut Ui, stages: &[StageProfile], commands: &mut Commands) {
    let found: Vec<&StageProfile> = stages
        .iter()
        .filter(|stage| stage.finding.code != Verdict::Even)
        .take(MAX_FINDINGS)
        .collect();
    card(ui, |ui| {
        ui.label(strong("Findings, by cost"));
        if found.is_empty() {
            ui.label(weak(ui, "All stages are even: there is no skew to mend."));
        }
        for (n, stage) in found.into_iter().enumerate() {
            if n > 0 {
                ui.add_space(space::XS);
                divider(ui);
            }
            finding_ui(ui, stage, commands);
        }
    });
}

fn word(severity: Severity) -> &'static str {
    match severity {
        Severity::Good => "harmless",
        Severity::Note => "note",
        Severity::Warn => "warning",
        Severity::Bad => "bad",
    }
}

fn finding_ui(ui: &mut Ui, stage: &StageProfile, commands: &mut Commands) {
    let finding = &stage.finding;
    ui.spacing_mut().item_spacing.y = 3.0;
    ui.horizontal(|ui| {
        badge(ui, tone_of(finding.severity), word(finding.severity));
        let room = (ui.available_width() - 110.0).max(80.0);
        ui.scope(|ui| {
            ui.set_max_width(room);
            ui.add(Label::new(strong(&finding.title)).truncate());
        });
        ui.with_layout(egui::Layout::right_to_left(egui::Align::Center), |ui| {
            if secondary_button(ui, true, &format!("Stage {}", stage_name(stage)))
                .on_hover_text("Tells this stage in full, below")
                .clicked()
            {
                commands.push(Command::Runs(RunsCommand::ShowStage(stage.id, stage.attempt)));
            }
        });
    });
    ui.add(Label::new(weak_marked(ui, &finding.message)).wrap());
    if !finding.remedy.is_empty() {
        ui.add(Label::new(body_marked(ui, &finding.remedy)).wrap());
    }
    for warning in &stage.warnings {
        ui.add(Label::new(weak_small_marked(ui, &format!("Note: {warning}"))).wrap());
    }
    if finding.cost_seconds >= 0.001 {
        ui.label(weak_small(
            ui,
            format!("costs {} (estimate)", units::seconds(finding.cost_seconds)),
        ))
        .on_hover_text("Wall time of the stage less all task time over the slots that were free for it");
    }
}

//! The findings of an application by cost: what is slow, why, and what to do. Stages that ail alike are told once.

use egui::{Label, Ui};

use super::RunsCommand;
use super::table::{stage_name, tone_of};
use crate::base::units;
use crate::gui::command::Command;
use crate::gui::state::Commands;
use crate::gui::theme::{
    body_marked, space, strong, strong_marked, weak, weak_marked, weak_small, weak_small_marked,
};
use crate::gui::widgets::{badge, card, divider, secondary_button};
use crate::profile::Severity;
use crate::profile::events::{StageProfile, Verdict};

/// Findings that are told; the table has the others.
const MAX_FINDINGS: usize = 5;
/// Kinds of findings that are told apart: thousands of stages that all differ must not cost a frame.
const MAX_KINDS: usize = 40;
/// Stages of one finding that have a button.
const MAX_BUTTONS: usize = 6;

pub fn findings_ui(ui: &mut Ui, stages: &[StageProfile], commands: &mut Commands) {
    let found = alike(stages);
    card(ui, |ui| {
        ui.label(strong("Findings, by cost"));
        if found.is_empty() {
            let text = if stages.is_empty() {
                "No task has ended in what was read of this log, so there is nothing to tell yet."
            } else {
                "All stages are even: there is no skew to mend."
            };
            ui.label(weak(ui, text));
        }
        for (n, stages) in found.iter().take(MAX_FINDINGS).enumerate() {
            if n > 0 {
                ui.add_space(space::XS);
                divider(ui);
            }
            finding_ui(ui, stages, commands);
        }
        if let Some(n_more) = found.len().checked_sub(MAX_FINDINGS).filter(|n| *n > 0) {
            divider(ui);
            let more = units::plural(n_more as u64, "finding");
            ui.label(weak(
                ui,
                format!("and {more} that cost less: see the stages below"),
            ));
        }
    });
}

/// Stages that ail, those with the same verdict in the same words together, in the order of the most expensive of each.
fn alike(stages: &[StageProfile]) -> Vec<Vec<&StageProfile>> {
    let mut groups: Vec<Vec<&StageProfile>> = Vec::new();
    for stage in stages.iter().filter(|stage| stage.finding.code != Verdict::Even) {
        let finding = &stage.finding;
        let is_alike = |group: &Vec<&StageProfile>| {
            group.first().is_some_and(|first| {
                (first.finding.code, first.finding.severity, &first.finding.title)
                    == (finding.code, finding.severity, &finding.title)
            })
        };
        match groups.iter().position(is_alike) {
            Some(at) => groups.get_mut(at).into_iter().for_each(|group| group.push(stage)),
            // The table has those that would be told after these.
            None if groups.len() >= MAX_KINDS => {}
            None => groups.push(vec![stage]),
        }
    }
    groups
}

/// Whether the findings tell of this stage itself, and not of another one that ails alike.
pub fn is_told(stages: &[StageProfile], stage: &StageProfile) -> bool {
    let told = alike(stages);
    let mut first = told.iter().take(MAX_FINDINGS).filter_map(|group| group.first());
    first.any(|told| (told.id, told.attempt) == (stage.id, stage.attempt))
}

fn word(severity: Severity) -> &'static str {
    match severity {
        Severity::Good => "harmless",
        Severity::Note => "note",
        Severity::Warn => "warning",
        Severity::Bad => "bad",
    }
}

fn finding_ui(ui: &mut Ui, stages: &[&StageProfile], commands: &mut Commands) {
    let Some(stage) = stages.first() else { return };
    let finding = &stage.finding;
    ui.spacing_mut().item_spacing.y = 3.0;
    ui.horizontal(|ui| {
        badge(ui, tone_of(finding.severity), word(finding.severity));
        let room = if stages.len() == 1 { 110.0 } else { 0.0 };
        ui.scope(|ui| {
            ui.set_max_width((ui.available_width() - room).max(80.0));
            ui.add(Label::new(strong_marked(ui, &finding.title)).truncate());
        });
        if stages.len() == 1 {
            ui.with_layout(egui::Layout::right_to_left(egui::Align::Center), |ui| {
                stage_button(ui, stage, commands);
            });
        }
    });
    if stages.len() > 1 {
        ui.horizontal_wrapped(|ui| {
            for stage in stages.iter().take(MAX_BUTTONS) {
                stage_button(ui, stage, commands);
            }
            if stages.len() > MAX_BUTTONS {
                ui.label(weak(ui, format!("and {} more", stages.len() - MAX_BUTTONS)));
            }
        });
    }
    let of_first = if stages.len() > 1 {
        format!("Stage {}: ", stage_name(stage))
    } else {
        String::new()
    };
    finding_text_ui(ui, stage, &of_first);
    let cost: f64 = stages.iter().map(|stage| stage.finding.cost_seconds).sum();
    if cost >= 0.001 {
        let all = if stages.len() > 1 { " in all" } else { "" };
        ui.label(weak_small(
            ui,
            format!("costs {}{all} (estimate)", units::seconds(cost)),
        ))
        .on_hover_text("Wall time that uneven tasks add, time beside the work over the slots that were free, or time that slots stood idle");
    }
}

/// Evidence, remedy and blind spots of one stage.
pub fn finding_text_ui(ui: &mut Ui, stage: &StageProfile, start: &str) {
    let finding = &stage.finding;
    ui.add(Label::new(weak_marked(ui, &format!("{start}{}", finding.message))).wrap());
    if !finding.remedy.is_empty() {
        ui.add(Label::new(body_marked(ui, &finding.remedy)).wrap());
    }
    for warning in &stage.warnings {
        ui.add(Label::new(weak_small_marked(ui, &format!("Note: {warning}"))).wrap());
    }
}

fn stage_button(ui: &mut Ui, stage: &StageProfile, commands: &mut Commands) {
    if secondary_button(ui, true, &format!("Stage {}", stage_name(stage)))
        .on_hover_text("Tells this stage in full, below")
        .clicked()
    {
        commands.push(Command::Runs(RunsCommand::ShowStage(stage.id, stage.attempt)));
    }
}

//! The verdict of a comparison above the cards: how many columns drifted, which, and what to do.

use egui::{Label, ScrollArea, Ui};

use super::facts::Profiled;
use super::{Order, ProfilePanel, ProfileView};
use crate::base::units;
use crate::gui::partitions::tone_of;
use crate::gui::theme::{self, Tone, colors, space};
use crate::gui::widgets::{Icon, accuracy_badge, badge, card, dot, icon_button, quiet_button};
use crate::profile::Severity;
use crate::profile::drift::{ColumnDrift, Drift, KS_WARN, PSI_BAD, PSI_WARN};

/// Findings that are told before the rest is asked for.
const N_FINDINGS: usize = 3;

/// A tab lower than this shows the verdict alone until a person asks for more: the cards are what it is about.
const ROOM: f32 = 420.0;
/// What the findings may take of the tab.
const SHARE: f32 = 0.22;
/// Badges and buttons after the verdict.
const CONTROLS: f32 = 240.0;

pub(super) fn summary_ui(ui: &mut Ui, view: ProfileView<'_>, profiled: &Profiled, panel: &mut ProfilePanel) {
    let Some(drift) = view.drift() else { return };
    let height = ui.available_height();
    let is_open = panel.has_findings.unwrap_or(height >= ROOM);
    card(ui, |ui| {
        ui.spacing_mut().item_spacing.y = space::XS;
        ui.horizontal(|ui| {
            dot(ui, colors(ui).of(tone_of(drift.severity))).on_hover_text(drift.severity.word());
            // The controls at the right stay within reach of a long verdict.
            let room = (ui.available_width() - CONTROLS).max(80.0);
            ui.scope(|ui| {
                ui.set_max_width(room);
                ui.add(Label::new(theme::strong(&drift.verdict)).truncate());
            });
            for (severity, word) in [(Severity::Bad, "bad"), (Severity::Warn, "warn")] {
                let n = drift
                    .columns
                    .iter()
                    .filter(|column| column.severity == severity)
                    .count();
                if n > 0 {
                    badge(ui, tone_of(severity), &format!("{n} {word}"));
                }
            }
            ui.with_layout(egui::Layout::right_to_left(egui::Align::Center), |ui| {
                let (picture, label) = if is_open {
                    (Icon::ChevronUp, "Hide the findings of the comparison")
                } else {
                    (Icon::ChevronDown, "Show the findings of the comparison")
                };
                if icon_button(ui, true, picture, label).clicked() {
                    panel.has_findings = Some(!is_open);
                }
                if panel.order != Order::Drift && quiet_button(ui, true, "Sort by drift").clicked() {
                    panel.order = Order::Drift;
                }
            });
        });
        if !is_open {
            return;
        }
        ui.horizontal(|ui| {
            let compared = format!(
                "{} ({}) against {} ({})",
                view.key().map_or("", |key| key.label.as_str()),
                units::plural(profiled.n_rows, "row"),
                drift.before.from,
                units::plural(drift.before.n_rows, "row")
            );
            ui.add(Label::new(theme::weak_small(ui, compared)).truncate());
            if !drift.before.accuracy.is_exact() {
                accuracy_badge(ui, drift.before.accuracy);
            }
        });
        let told: Vec<_> = drift
            .findings
            .iter()
            .filter(|found| found.finding.severity >= Severity::Warn)
            .collect();
        ScrollArea::vertical()
            .id_salt("drift findings")
            .max_height((height * SHARE).clamp(48.0, 132.0))
            .auto_shrink([false, true])
            .show(ui, |ui| {
                for found in told.iter().take(N_FINDINGS) {
                    ui.horizontal(|ui| {
                        let finding = &found.finding;
                        dot(ui, colors(ui).of(tone_of(finding.severity)))
                            .on_hover_text(finding.severity.word());
                        let text = theme::body(&finding.title);
                        let response = ui.add(Label::new(text).truncate());
                        response.on_hover_text(format!("{}\n{}", finding.message, finding.remedy));
                    });
                }
                columns_of_one_side_ui(ui, drift);
                let n_more = told.len().saturating_sub(N_FINDINGS);
                if n_more > 0 {
                    let text = format!(
                        "and {}: sort by drift to see them",
                        units::plural(n_more as u64, "more finding")
                    );
                    ui.label(theme::weak_small(ui, text));
                }
            });
        let limits = format!(
            "On the cards: bars are the rows profiled, the line is what they are compared with. PSI warns from {PSI_WARN} on \
             and is bad from {PSI_BAD} on, KS warns from {KS_WARN} on, both beyond chance: hover for the sources."
        );
        ui.label(theme::weak_small(ui, limits))
            .on_hover_text(drift.limits.join("\n\n"));
    });
    ui.add_space(space::SM);
}

/// Columns that only one of the two has.
fn columns_of_one_side_ui(ui: &mut Ui, drift: &Drift) {
    let named = |is_meant: fn(&ColumnDrift) -> bool| {
        let found = drift.columns.iter().filter(|column| is_meant(column));
        found
            .map(|column| column.name.as_str())
            .collect::<Vec<_>>()
            .join(", ")
    };
    let gone = named(|column| column.dtype_after.is_none());
    if !gone.is_empty() {
        ui.add(Label::new(theme::tone(ui, Tone::Bad, format!("gone: {gone}"))).wrap());
    }
    let new = named(|column| column.dtype_before.is_none());
    if !new.is_empty() {
        ui.add(Label::new(format!("new: {new}")).wrap());
    }
}

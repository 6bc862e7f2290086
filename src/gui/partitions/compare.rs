//! Two ranges of dates beside each other: totals, the days in pairs, and findings that only one of them has.

use egui::{Align, Layout, Ui, vec2};

use super::findings::tone_of;
use super::report::Compared;
use crate::gui::plot::{PlotOptions, charted_ui, picture_menu};
use crate::gui::state::Commands;
use crate::gui::theme::{Tone, colors, space, weak, weak_small};
use crate::gui::widgets::{badge, card_with_head, divider, dot};
use crate::profile::{FigureLine, Finding, RangeComparison, Severity};

const HEIGHT: f32 = 140.0;

pub fn compare_card(ui: &mut Ui, compared: &Compared, commands: &mut Commands) {
    let comparison = &compared.figures;
    let title = comparison.title();
    let mut exported = Commands::new();
    card_with_head(
        ui,
        &title,
        |ui| {
            badge(ui, Tone::Plain, "exact, from the listing");
        },
        |ui| picture_menu(ui, &compared.picture, false, &mut exported),
        |ui| {
            totals_ui(ui, comparison);
            for note in comparison.notes() {
                ui.label(weak_small(ui, note));
            }
            let days = &comparison.days;
            if days
                .iter()
                .all(|pair| pair.n_bytes.max(pair.against_bytes).unwrap_or(0) == 0)
            {
                ui.label(weak(ui, "Neither range holds bytes."));
            } else {
                ui.label(weak_small(ui, "Bytes per day"));
                let options = PlotOptions {
                    height: HEIGHT,
                    ..PlotOptions::default()
                };
                charted_ui(ui, "ranges", &compared.picture, options, commands);
            }
            divider(ui);
            changed_ui(ui, comparison);
        },
    );
    commands.append(&mut exported);
}

fn totals_ui(ui: &mut Ui, comparison: &RangeComparison) {
    egui::Grid::new("range totals")
        .num_columns(5)
        .spacing(vec2(space::XL, space::XS))
        .show(ui, |ui| {
            ui.label("");
            for head in ["these dates", "against", "change"] {
                let head = weak_small(ui, head);
                right(ui, head);
            }
            ui.label("");
            ui.end_row();
            for line in FigureLine::ALL.iter().filter(|line| line.is_known(comparison)) {
                ui.label(weak(ui, line.name));
                right(ui, line.text(&comparison.range));
                right(ui, line.text(&comparison.against));
                right(ui, line.change(comparison));
                // The last column takes the width that is left.
                ui.label("");
                ui.end_row();
            }
        });
}

/// A number ends where those above it end.
fn right(ui: &mut Ui, text: impl Into<egui::WidgetText>) {
    ui.with_layout(Layout::right_to_left(Align::Center), |ui| ui.label(text));
}

fn changed_ui(ui: &mut Ui, comparison: &RangeComparison) {
    let named = |findings: &[Finding]| {
        let is_news = |finding: &&Finding| finding.severity != Severity::Good;
        findings.iter().filter(is_news).cloned().collect::<Vec<_>>()
    };
    let (new, gone) = (named(&comparison.new_findings), named(&comparison.gone_findings));
    if new.is_empty() && gone.is_empty() {
        ui.label(weak(ui, "Both ranges have findings of the same kinds."));
    }
    for (word, findings) in [("new", &new), ("no longer", &gone)] {
        for finding in findings {
            ui.horizontal(|ui| {
                let c = colors(ui);
                dot(ui, c.of(tone_of(finding.severity)));
                ui.label(weak(ui, word));
                ui.label(&finding.title).on_hover_text(&finding.message);
            });
        }
    }
    for change in comparison.changes_in_words() {
        ui.label(weak(ui, change));
    }
}

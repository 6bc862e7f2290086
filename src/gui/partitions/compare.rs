//! Two ranges of dates beside each other: totals, the days in pairs, and findings that only one of them has.

use egui::{Rect, Role, Sense, Stroke, Ui, WidgetInfo, pos2, vec2};

use super::findings::tone_of;
use super::frame::{AXIS_WIDTH, grid_line};
use crate::base::units;
use crate::chart::Axis;
use crate::gui::theme::{Tone, colors, mix, size, small, space, strong, weak, weak_small};
use crate::gui::widgets::{badge, card_with_head, divider, dot};
use crate::profile::{DayPair, FigureLine, Finding, RangeComparison, Severity};

const HEIGHT: f32 = 140.0;

pub fn compare_card(ui: &mut Ui, comparison: &RangeComparison) {
    let title = format!("{} against {}", comparison.range.range, comparison.against.range);
    card_with_head(
        ui,
        &title,
        |ui| {
            badge(ui, Tone::Plain, "exact, from the listing");
        },
        |_| {},
        |ui| {
            totals_ui(ui, comparison);
            days_ui(ui, comparison);
            divider(ui);
            changed_ui(ui, comparison);
        },
    );
}

fn totals_ui(ui: &mut Ui, comparison: &RangeComparison) {
    egui::Grid::new("range totals")
        .num_columns(4)
        .spacing(vec2(space::XL, space::XS))
        .show(ui, |ui| {
            for head in ["", "these dates", "against", "change"] {
                ui.label(weak_small(ui, head));
            }
            ui.end_row();
            for line in FigureLine::ALL.iter().filter(|line| line.is_known(comparison)) {
                ui.label(weak(ui, line.name));
                ui.label(line.text(&comparison.range));
                ui.label(line.text(&comparison.against));
                ui.label(line.change(comparison));
                ui.end_row();
            }
        });
}

/// The days in pairs: filled bars for these dates, outlines for those they are compared with.
fn days_ui(ui: &mut Ui, comparison: &RangeComparison) {
    let c = colors(ui);
    let days = &comparison.days;
    let max = days
        .iter()
        .flat_map(|pair| [pair.n_bytes, pair.against_bytes])
        .flatten()
        .max()
        .unwrap_or(0);
    if max == 0 {
        ui.label(weak(ui, "Neither range holds bytes."));
        return;
    }
    let (rect, response) = ui.allocate_exact_size(vec2(ui.available_width(), HEIGHT), Sense::hover());
    response.widget_info(|| WidgetInfo::labeled(Role::Image, true, "Days of both ranges"));
    if !ui.is_rect_visible(rect) {
        return;
    }
    let plot = Rect::from_min_max(
        pos2(rect.left() + AXIS_WIDTH, rect.top() + space::MD),
        pos2(rect.right() - space::XS, rect.bottom() - space::LG),
    );
    let axis = Axis::bytes(max);
    #[expect(clippy::cast_possible_truncation, reason = "a position on the screen")]
    let y_of = |value: f64| plot.bottom() - plot.height() * (value / axis.max.max(1.0)) as f32;
    for (tick, label) in &axis.ticks {
        grid_line(ui.painter(), plot, y_of(*tick), label, *tick <= 0.0, c);
    }
    ui.painter().text(
        pos2(plot.left() - space::SM, rect.top()),
        egui::Align2::RIGHT_TOP,
        axis.unit,
        small(),
        c.weak,
    );
    let slot = plot.width() / days.len().max(1) as f32;
    let gap = if slot > 4.0 { slot * 0.14 } else { 0.0 };
    let bar = |index: usize, value: u64| {
        let left = plot.left() + slot * index as f32;
        Rect::from_min_max(
            pos2(left + gap, y_of(value as f64)),
            pos2((left + slot - gap).max(left + 1.0), plot.bottom()),
        )
    };
    for (index, pair) in days.iter().enumerate() {
        if let Some(value) = pair.n_bytes {
            ui.painter()
                .rect_filled(bar(index, value), 0.0, mix(c.panel, c.data, 0.75));
        }
        if let Some(value) = pair.against_bytes {
            let top = bar(index, value);
            let stroke = Stroke::new(size::UNDERLINE, c.accent);
            ui.painter().hline(top.x_range(), top.top(), stroke);
        }
    }
    ui.painter().text(
        pos2(plot.left(), rect.bottom()),
        egui::Align2::LEFT_BOTTOM,
        "blue: these dates, day by day; amber line: the day of the other range at the same place",
        small(),
        c.weak,
    );
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "a position inside the chart"
    )]
    let hovered = response
        .hover_pos()
        .filter(|at| plot.x_range().contains(at.x))
        .and_then(|at| days.get(((at.x - plot.left()) / slot).max(0.0) as usize));
    if let Some(pair) = hovered {
        response.on_hover_ui_at_pointer(|ui| pair_ui(ui, pair));
    }
}

fn pair_ui(ui: &mut Ui, pair: &DayPair) {
    let line = |date: Option<chrono::NaiveDate>, n_bytes: Option<u64>, n_files: Option<u64>| {
        let date = date.map_or_else(|| "no day".to_owned(), |date| date.to_string());
        match (n_bytes, n_files) {
            (Some(n_bytes), Some(n_files)) => {
                format!(
                    "{date}: {} in {}",
                    units::bytes(n_bytes),
                    units::plural(n_files, "file")
                )
            }
            _ => format!("{date}: no objects"),
        }
    };
    ui.label(strong(line(pair.date, pair.n_bytes, pair.n_files)));
    ui.label(line(pair.against_date, pair.against_bytes, pair.against_files));
    for (n_rows, word) in [(pair.n_rows, "rows"), (pair.against_rows, "rows against")] {
        if let Some(n_rows) = n_rows {
            ui.label(format!("{} {word}", units::count(n_rows)));
        }
    }
}

fn changed_ui(ui: &mut Ui, comparison: &RangeComparison) {
    let named = |findings: &[Finding]| {
        let is_news = |finding: &&Finding| finding.severity != Severity::Good;
        findings.iter().filter(is_news).cloned().collect::<Vec<_>>()
    };
    let (new, gone) = (named(&comparison.new_findings), named(&comparison.gone_findings));
    if new.is_empty() && gone.is_empty() {
        ui.label(weak(ui, "Both ranges have findings of the same kinds."));
        return;
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
}

//! One card: a column's name, type, share of nulls, figures, picture, and how it drifted.

use egui::{Rect, Role, Sense, Stroke, StrokeKind, Ui, WidgetInfo, pos2, vec2};

use super::bars;
use super::facts::ColumnFacts;
use crate::base::{Accuracy, units};
use crate::gui::data::condition::Condition;
use crate::gui::data::{one_line, readable};
use crate::gui::partitions::tone_of;
use crate::gui::theme::{self, Colors, Tone, colors, size, space};
use crate::profile::drift::{BaselineColumn, Basis, ColumnDrift, PSI_BAD, PSI_WARN};

/// Of every card, so that only those in view need be laid out.
pub(super) const HEIGHT: f32 = 242.0;
pub(super) const MARGIN: f32 = 14.0;
const NULL_BAR: f32 = 4.0;

/// Draws the card of a column in `rect`. Returns the filter that a click on a bar or a value asked for.
pub(super) fn card_ui(
    ui: &Ui,
    rect: Rect,
    facts: &ColumnFacts,
    drift: Option<&ColumnDrift>,
    before: Option<&BaselineColumn>,
) -> Option<Condition> {
    let c = colors(ui);
    let id = ui.scope_id().with(("card", &facts.name));
    let response = ui.interact(rect, id, Sense::hover());
    response.widget_info(|| WidgetInfo::labeled(Role::Label, true, said(facts, drift)));
    let edge = match drift {
        Some(drift) if drift.severity > crate::profile::Severity::Note => c.of(tone_of(drift.severity)),
        _ if response.hovered() => c.edge,
        _ => c.line,
    };
    ui.painter().rect(
        rect,
        size::CARD_RADIUS,
        c.panel,
        Stroke::new(size::LINE, edge),
        StrokeKind::Inside,
    );
    let inner = rect.shrink2(vec2(MARGIN, 11.0));
    head_ui(ui, c, inner, facts);
    let mut top = inner.top() + 44.0;
    nulls_ui(ui, c, inner, top, facts, drift);
    top += 28.0;
    let painter = ui.painter();
    let figures = one_line(painter, &facts.range, theme::small(), c.weak, inner.width());
    let is_cut = figures.elided;
    painter.galley(pos2(inner.left(), top), figures, c.weak);
    if is_cut {
        let area = Rect::from_min_size(pos2(inner.left(), top), vec2(inner.width(), 16.0));
        ui.interact(area, id.with("figures"), Sense::hover())
            .on_hover_text(facts.range.replace(" · ", "\n"));
    }
    top += 22.0;
    let picture = Rect::from_min_size(pos2(inner.left(), top), vec2(inner.width(), bars::HEIGHT));
    let asked = bars::picture_ui(ui, picture, &facts.name, &facts.picture, before);
    if let Some(drift) = drift {
        verdict_ui(ui, c, inner, facts, drift);
    } else if !facts.conflict.is_empty() {
        foot_ui(
            ui,
            c,
            inner,
            Tone::Warn,
            &facts.name,
            &facts.conflict,
            &facts.conflict,
        );
    }
    asked
}

/// Name and type, with how exact the figures are.
fn head_ui(ui: &Ui, c: &Colors, inner: Rect, facts: &ColumnFacts) {
    let painter = ui.painter();
    let (tone, text) = match facts.accuracy {
        Accuracy::Exact => (Tone::Plain, "exact"),
        _ => (Tone::Plain, "estimate"),
    };
    let badge = painter.layout_no_wrap(text.to_owned(), theme::small(), c.weak);
    // The menu of the picture stands in the corner.
    let menu = super::picture::title(facts).map_or(0.0, |_| size::ROW + space::XS);
    let badge_rect = Rect::from_min_size(
        pos2(inner.right() - menu - badge.size().x - 10.0, inner.top() - 1.0),
        badge.size() + vec2(10.0, 4.0),
    );
    painter.rect_filled(badge_rect, size::BADGE_RADIUS, c.surface(tone));
    painter.galley(badge_rect.min + vec2(5.0, 2.0), badge, c.weak);
    if !facts.accuracies.is_empty() {
        let id = ui.scope_id().with((&facts.name, "accuracy"));
        ui.interact(badge_rect, id, Sense::hover())
            .on_hover_text(&facts.accuracies);
    }
    let room = badge_rect.left() - inner.left() - space::SM;
    let name = one_line(
        painter,
        &facts.name,
        theme::semibold(size::BODY_TEXT),
        c.text,
        room,
    );
    let is_cut = name.elided;
    let name_rect = Rect::from_min_size(inner.min, vec2(room, name.size().y));
    painter.galley(inner.min, name, c.text);
    let below = pos2(inner.left(), inner.top() + 20.0);
    let dtype = one_line(
        painter,
        &facts.dtype,
        theme::mono_small(),
        c.weak,
        inner.width() * 0.6,
    );
    let is_cut = is_cut || dtype.elided;
    let end = below.x + dtype.size().x;
    painter.galley(below, dtype, c.weak);
    if !facts.distinct.is_empty() {
        let text = format!("· {}", facts.distinct);
        let room = inner.right() - end - space::XS;
        let distinct = one_line(painter, &text, theme::small(), c.weak, room);
        painter.galley(pos2(end + space::XS + 2.0, below.y), distinct, c.weak);
    }
    if is_cut {
        let id = ui.scope_id().with((&facts.name, "name"));
        let whole = name_rect.union(Rect::from_min_size(below, vec2(inner.width() * 0.6, 16.0)));
        ui.interact(whole, id, Sense::hover())
            .on_hover_text(format!("{}\n{}", facts.name, facts.dtype));
    }
}

/// A bar of rows without a value, with its share in words, and the share before.
fn nulls_ui(ui: &Ui, c: &Colors, inner: Rect, top: f32, facts: &ColumnFacts, drift: Option<&ColumnDrift>) {
    let bar = Rect::from_min_size(pos2(inner.left(), top), vec2(inner.width(), NULL_BAR));
    let painter = ui.painter();
    painter.rect_filled(bar, 2.0, theme::mix(c.panel, c.data, 0.45));
    #[expect(clippy::cast_possible_truncation, reason = "a share, for a picture")]
    let width = bar.width() * facts.null_share as f32;
    if facts.null_share > 0.0 {
        let left = bar.right() - width.max(2.0);
        let empty = Rect::from_min_max(pos2(left, bar.top()), bar.max);
        painter.rect_filled(empty, 2.0, c.warn);
    }
    let text = null_text(facts, drift.and_then(nulls_before));
    let galley = one_line(painter, &text, theme::small(), c.weak, inner.width());
    painter.galley(pos2(inner.left(), top + NULL_BAR + 2.0), galley, c.weak);
    let id = ui.scope_id().with((&facts.name, "nulls"));
    let area = Rect::from_min_max(bar.min, pos2(bar.right(), top + 20.0));
    ui.interact(area, id, Sense::hover()).on_hover_ui(|ui| {
        ui.label(format!(
            "{} of {} are null",
            units::count(facts.n_null),
            units::plural(facts.n_rows, "row")
        ));
        if let Some(n) = facts.n_missing {
            ui.label(format!("{} lack the key", units::plural(n, "row")));
        }
    });
}

/// The share of rows that had null, and of those that lacked the key, as the line of nulls counts them.
fn nulls_before(drift: &ColumnDrift) -> Option<(f64, f64)> {
    let without_a_value = drift.null_share_before?;
    let missing = drift.missing_share_before.unwrap_or(0.0);
    Some(((without_a_value - missing).max(0.0), missing))
}

fn null_text(facts: &ColumnFacts, before: Option<(f64, f64)>) -> String {
    if facts.n_rows == 0 {
        return "no row was read".to_owned();
    }
    let share = |n: u64| units::percent(n as f64 / facts.n_rows.max(1) as f64);
    let missing = facts.n_missing.map(|n| format!(", {} missing", share(n)));
    let before = before.map(|(null, missing)| {
        let missing = if missing > 0.0 {
            format!(", {} missing", units::percent(missing))
        } else {
            String::new()
        };
        format!(" · before {} null{missing}", units::percent(null))
    });
    format!(
        "{} null{}{}",
        share(facts.n_null),
        missing.unwrap_or_default(),
        before.unwrap_or_default()
    )
}

fn verdict_ui(ui: &Ui, c: &Colors, inner: Rect, facts: &ColumnFacts, drift: &ColumnDrift) {
    let measures = drift.measures();
    let mut details = vec![drift.verdict.clone()];
    if let Some(psi) = &drift.psi {
        details.push(format!(
            "PSI {:.3}{}, chance alone reaches {:.3} ({}; stable under {PSI_WARN}, shifted much from {PSI_BAD} on)",
            psi.value,
            if psi.basis == Basis::Lengths { " of lengths" } else { "" },
            psi.noise,
            psi.accuracy
        ));
    }
    if let Some(ks) = &drift.ks {
        details.push(format!(
            "KS {:.3} ± {:.3}, {}, critical {:.3}",
            ks.statistic,
            ks.error,
            p_text(ks.p_value),
            ks.critical
        ));
    }
    if let Some(overlap) = &drift.overlap {
        details.push(format!("{} ({})", overlap.text(), overlap.accuracy));
    }
    if let Some(outside) = drift
        .outside
        .as_ref()
        .filter(|outside| !drift.verdict.contains(&outside.text))
    {
        details.push(outside.text.clone());
    }
    let named = |values: &[crate::profile::drift::Category]| {
        let names: Vec<_> = values.iter().map(|value| readable(&value.value)).collect();
        names.join(", ")
    };
    if !drift.new_values.is_empty() {
        details.push(format!(
            "new: {} ({})",
            named(&drift.new_values),
            drift.values_accuracy
        ));
    }
    if !drift.gone_values.is_empty() {
        details.push(format!(
            "gone: {} ({})",
            named(&drift.gone_values),
            drift.values_accuracy
        ));
    }
    let text = if measures.is_empty() || drift.verdict.contains(&measures) {
        drift.verdict.clone()
    } else {
        format!("{} · {measures}", drift.verdict)
    };
    // Equal lengths are no good news of the values.
    let tone = if drift.is_lengths_only && drift.severity == crate::profile::Severity::Good {
        Tone::Weak
    } else {
        tone_of(drift.severity)
    };
    if !facts.conflict.is_empty() {
        details.push(facts.conflict.clone());
    }
    foot_ui(ui, c, inner, tone, &facts.name, &text, &details.join("\n"));
}

/// A probability; below a thousandth, how far below says nothing.
fn p_text(p: f64) -> String {
    if p < 0.001 {
        "p < 0.001".to_owned()
    } else {
        format!("p {p:.3}")
    }
}

/// A line at the bottom of the card of a column, with a dot of its tone.
fn foot_ui(ui: &Ui, c: &Colors, inner: Rect, tone: Tone, column: &str, text: &str, details: &str) {
    let painter = ui.painter();
    let y = inner.bottom() - 13.0;
    painter.circle_filled(pos2(inner.left() + 4.0, y + 7.0), 3.5, c.of(tone));
    let color = if matches!(tone, Tone::Good | Tone::Data | Tone::Weak) {
        c.weak
    } else {
        c.of(tone)
    };
    let galley = one_line(painter, text, theme::small(), color, inner.width() - 14.0);
    painter.galley(pos2(inner.left() + 13.0, y), galley, color);
    let area = Rect::from_min_max(pos2(inner.left(), y), inner.max);
    let id = ui.scope_id().with((column, "foot"));
    ui.interact(area, id, Sense::hover()).on_hover_text(details);
}

/// The card for those who hear it.
fn said(facts: &ColumnFacts, drift: Option<&ColumnDrift>) -> String {
    let mut text = format!(
        "profile of {}: {}, {}",
        facts.name,
        facts.dtype,
        null_text(facts, None)
    );
    for part in [&facts.distinct, &facts.range] {
        if !part.is_empty() {
            text.push_str(", ");
            text.push_str(part);
        }
    }
    if let Some(drift) = drift {
        text.push_str(", drift ");
        text.push_str(&drift.verdict);
    }
    text
}

//! Labels of the sides and the legend, with as many labels as fit.

use egui::{Align2, Rect, Sense, Shape, Stroke, StrokeKind, Ui, pos2, vec2};
use egui_plot::{PlotPoint, PlotTransform};

use crate::chart::labels::{self, MAX_NAME};
use crate::chart::{Fill, LegendEntry, LegendShape, Picture, Scale, ScaleKind};
use crate::gui::theme::{Colors, colors, palette, rgb, size, small, space, weak_small};

/// Height of a line of labels below the picture.
const LINE: f32 = 18.0;
/// About the room of the labels at the left.
const ROUGH_LEFT: f32 = 44.0;

fn width(ui: &Ui, text: &str) -> f64 {
    let galley = ui
        .painter()
        .layout_no_wrap(text.to_owned(), small(), colors(ui).weak);
    f64::from(galley.size().x)
}

/// Whether the names along a side stand on two lines each: there are few of them, and the longest does not fit on one.
fn is_two_lined(ui: &Ui, x: &Scale, length: f32) -> bool {
    const FEW: usize = 16;
    let ScaleKind::Category(names) = &x.kind else {
        return false;
    };
    let place = f64::from(length) / names.len().max(1) as f64;
    let is_long = |name: &String| name.contains(' ') && width(ui, name) > place - 6.0;
    names.len() <= FEW && names.iter().any(is_long)
}

/// A name on two lines, the unit below its numbers: `30–300` above `KB`.
fn on_two_lines(name: &str) -> String {
    match name.split_once('–') {
        Some((least, most)) if least.contains(' ') => format!("{least}–\n{most}"),
        _ => name.replacen(' ', "\n", 1),
    }
}

/// The part of `rect` that is left when the labels of both sides have room.
pub(super) fn inside(ui: &Ui, rect: Rect, x: &Scale, y: &Scale) -> Rect {
    let below = match x.kind {
        ScaleKind::Bare => 0.0,
        _ if is_two_lined(ui, x, rect.width() - ROUGH_LEFT) => 2.0 * LINE - space::XS,
        _ => LINE,
    };
    let height = f64::from(rect.height() - below);
    let widest = labels::upright(y, y.ends(), height)
        .iter()
        .map(|tick| width(ui, &tick.label))
        .fold(0.0, f64::max);
    let most = MAX_NAME.min(f64::from(rect.width()) * 0.35);
    #[allow(clippy::cast_possible_truncation, reason = "a distance on the screen")]
    let left = match y.kind {
        ScaleKind::Bare => 0.0,
        // Numbers get longer when they are zoomed.
        ScaleKind::Category(_) => widest.min(most) as f32 + space::SM,
        _ => widest.min(most).max(34.0) as f32 + space::SM,
    };
    let above = if y.kind == ScaleKind::Bare { 0.0 } else { space::SM };
    let min = pos2(rect.left() + left, rect.top() + above);
    // The last label stands below the end of the side: half of it needs room beyond, or it would be moved to its neighbour.
    let last_label = match x.kind {
        ScaleKind::Category(_) | ScaleKind::Bare => 0.0,
        _ => x
            .ticks(x.ends(), 6)
            .last()
            .map_or(0.0, |tick| width(ui, &tick.label) / 2.0),
    };
    #[allow(clippy::cast_possible_truncation, reason = "a distance on the screen")]
    let beyond = (last_label as f32).clamp(space::SM, 40.0);
    let max = pos2(rect.right() - beyond, rect.bottom() - below);
    Rect::from_min_max(min, max.max(min + vec2(1.0, 1.0)))
}

/// Labels of the part of the picture that is shown.
pub(super) fn labels(ui: &Ui, rect: Rect, transform: &PlotTransform, x: &Scale, y: &Scale) {
    let c = colors(ui);
    let frame = *transform.frame();
    let bounds = transform.bounds();
    let measured = |text: &str| width(ui, text);
    // Numbers are read one by one, and need more room between them than names that are cut to their places.
    let between = match x.kind {
        ScaleKind::Category(_) => 0.0,
        _ => f64::from(space::MD),
    };
    let spaced = |text: &str| width(ui, text) + between;
    let at = |x: f64, y: f64| transform.position_from_point(&PlotPoint::new(x, y));
    let shown = (bounds.min()[1], bounds.max()[1]);
    let room = f64::from(frame.left() - rect.left() - space::XS);
    for tick in labels::upright(y, shown, f64::from(frame.height())) {
        let place = at(0.0, tick.at).y;
        let text = labels::shortened(&tick.label, room, &measured);
        text_at(
            ui,
            pos2(frame.left() - space::SM, place),
            Align2::RIGHT_CENTER,
            text,
            c,
        );
    }
    if is_two_lined(ui, x, rect.width() - ROUGH_LEFT)
        && let ScaleKind::Category(names) = &x.kind
    {
        let places = (0_u32..).zip(names).map(|(place, name)| (f64::from(place), name));
        for (place, name) in places.filter(|(place, _)| (bounds.min()[0]..=bounds.max()[0]).contains(place)) {
            let mut job = egui::text::LayoutJob::simple(on_two_lines(name), small(), c.weak, f32::INFINITY);
            job.halign = egui::Align::Center;
            let galley = ui.painter().layout_job(job);
            let top = pos2(at(place, 0.0).x, frame.bottom() + space::XS);
            ui.painter().galley(top, galley, c.weak);
        }
        return;
    }
    let shown = (bounds.min()[0], bounds.max()[0]);
    for (tick, text) in labels::along(x, shown, f64::from(frame.width()), &spaced) {
        let galley = ui.painter().layout_no_wrap(text, small(), c.weak);
        let half = galley.size().x / 2.0;
        // The first and the last label stay on the card.
        let place = at(tick.at, 0.0)
            .x
            .min(rect.right() - half)
            .max(rect.left() + half);
        ui.painter()
            .galley(pos2(place - half, frame.bottom() + space::XS), galley, c.weak);
    }
}

fn text_at(ui: &Ui, at: egui::Pos2, align: Align2, text: String, c: &Colors) {
    ui.painter().text(at, align, text, small(), c.weak);
}

/// Colours in words.
pub(super) fn legend(ui: &mut Ui, picture: &Picture) {
    ui.horizontal_wrapped(|ui| {
        ui.spacing_mut().item_spacing.x = space::XS;
        for entry in &picture.legend {
            let (rect, _) = ui.allocate_exact_size(vec2(space::MD, space::MD), Sense::hover());
            sign(ui, entry, rect);
            ui.label(weak_small(ui, &entry.text));
            ui.add_space(space::SM);
        }
    });
}

fn sign(ui: &Ui, entry: &LegendEntry, rect: Rect) {
    let palette = palette(ui);
    let color = rgb(palette.of(entry.tone));
    let painter = ui.painter();
    match entry.shape {
        LegendShape::Swatch(Fill::Outline) => {
            let outline = Stroke::new(size::LINE, color);
            painter.rect_stroke(rect, 2.0, outline, StrokeKind::Inside);
        }
        LegendShape::Swatch(Fill::Level(level)) => {
            painter.rect_filled(rect, 2.0, rgb(palette.level(entry.tone, level)));
        }
        LegendShape::Swatch(Fill::Full | Fill::Bare) => {
            painter.rect_filled(rect, 2.0, color);
        }
        LegendShape::Line { is_dashed } => {
            let ends = [rect.left_center(), rect.right_center()];
            let stroke = Stroke::new(size::UNDERLINE, color);
            if is_dashed {
                painter.extend(Shape::dashed_line(&ends, stroke, 4.0, 3.0));
            } else {
                painter.line_segment(ends, stroke);
            }
        }
        LegendShape::Dot => {
            painter.circle_filled(rect.center(), 4.0, color);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::on_two_lines;

    #[test]
    fn a_name_on_two_lines_keeps_both_ends_and_its_unit() {
        assert_eq!(on_two_lines("30–300 KB"), "30–300\nKB");
        assert_eq!(on_two_lines("128 MB–1 GB"), "128 MB–\n1 GB");
        assert_eq!(on_two_lines("<3 KB"), "<3\nKB");
        assert_eq!(on_two_lines("0"), "0");
    }
}

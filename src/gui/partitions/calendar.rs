//! A heat map of days, a block per month, Monday first. Missing days are outlined, spikes are red.

use chrono::Datelike;
use egui::{Align2, Color32, Rect, Role, ScrollArea, Sense, Stroke, StrokeKind, Ui, WidgetInfo, pos2, vec2};

use crate::base::units;
use crate::chart::{CalendarDay, CalendarMonth, calendar_picture};
use crate::gui::listed::ListedDataset;
use crate::gui::plot::made_picture_menu;
use crate::gui::state::Commands;
use crate::gui::theme::{Colors, colors, mix, size, small, space, weak_small};
use crate::gui::widgets::stretched_card;
use crate::storage::Partition;

/// Cells grow with the card, up to this.
const CELL: f32 = 36.0;
const GAP: f32 = 4.0;
/// Months shown without scrolling, where nothing beside them is taller.
const MAX_HEIGHT: f32 = 320.0;

/// What the card needs.
#[derive(Debug, Clone, Copy, Default)]
pub struct CalendarHeight {
    /// Of the whole card.
    pub card: f32,
    /// Of all but the months.
    around: f32,
}

/// The card is at least `height` tall: by more months, where there are more. `last` is what it needed in the last frame.
pub fn calendar_card(
    ui: &mut Ui,
    dataset: &ListedDataset,
    height: f32,
    last: CalendarHeight,
    open: Option<&Partition>,
    opened: &mut Option<Partition>,
    commands: &mut Commands,
) -> CalendarHeight {
    let menu = |ui: &mut Ui| {
        let picture = || calendar_picture(&dataset.calendar, &dataset.picture_note());
        made_picture_menu(ui, "Calendar", picture, commands);
    };
    let most = MAX_HEIGHT.max(height - last.around);
    let (mut months, mut shown) = (0.0, 0.0);
    let drawn = stretched_card(
        ui,
        "Calendar",
        height,
        |_| {},
        menu,
        |ui| {
            let area = ScrollArea::vertical()
                .id_salt("calendar")
                .max_height(most)
                .min_scrolled_height(most)
                .show(ui, |ui| {
                    ui.set_width(ui.available_width());
                    months_ui(ui, dataset, open, opened);
                });
            months = area.content_size.y;
            shown = area.inner_rect.height();
            legend_ui(ui, dataset);
        },
    );
    let around = drawn - shown;
    CalendarHeight {
        card: around + months.min(MAX_HEIGHT),
        around,
    }
}

/// As many months beside each other as there is room for.
fn months_ui(ui: &mut Ui, dataset: &ListedDataset, open: Option<&Partition>, opened: &mut Option<Partition>) {
    const MONTH: f32 = 7.0 * CELL + 6.0 * GAP;
    let months: Vec<CalendarMonth<'_>> = dataset.calendar.months().collect();
    #[allow(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "a handful of months"
    )]
    let n_across = ((ui.available_width() + space::XL) / (MONTH + space::XL))
        .floor()
        .max(1.0) as usize;
    if n_across == 1 {
        for month in months {
            month_ui(ui, dataset, month, open, opened);
        }
        return;
    }
    for beside in months.chunks(n_across) {
        ui.horizontal_top(|ui| {
            ui.spacing_mut().item_spacing.x = space::XL;
            for month in beside {
                ui.vertical(|ui| {
                    ui.set_width(MONTH);
                    month_ui(ui, dataset, *month, open, opened);
                });
            }
        });
    }
}

/// What the fills mean, in words.
fn legend_ui(ui: &mut Ui, dataset: &ListedDataset) {
    let c = colors(ui);
    let days = &dataset.calendar.days;
    let entry = |ui: &mut Ui, fill: Color32, edge: Color32, text: &str| {
        // Square and word stay together where the line ends.
        let galley = ui.painter().layout_no_wrap(text.to_owned(), small(), c.weak);
        let wanted = vec2(space::LG + galley.size().x, galley.size().y.max(space::MD));
        let (rect, response) = ui.allocate_exact_size(wanted, Sense::hover());
        response.widget_info(|| WidgetInfo::labeled(Role::Label, true, text));
        let square = Rect::from_center_size(
            pos2(rect.left() + space::MD / 2.0, rect.center().y),
            vec2(space::MD, space::MD),
        );
        let outline = Stroke::new(size::LINE, edge);
        ui.painter().rect(square, 2.0, fill, outline, StrokeKind::Inside);
        let at = pos2(rect.left() + space::LG, rect.center().y - galley.size().y / 2.0);
        ui.painter().galley(at, galley, c.weak);
    };
    ui.horizontal_wrapped(|ui| {
        ui.spacing_mut().item_spacing = vec2(space::SM, space::XS);
        let fill = mix(c.line, c.data, 0.6);
        entry(ui, fill, fill, "bytes");
        if days.iter().any(|day| day.is_spike) {
            entry(ui, c.bad, c.bad, "spike");
        }
        if days.iter().any(|day| day.n_bytes.is_none()) {
            entry(ui, Color32::TRANSPARENT, c.warn, "missing");
        }
        if !dataset.skew.weekdays.outliers.is_empty() {
            entry(ui, c.accent, c.accent, "unlike its weekday");
        }
    });
    if !dataset.skew.weekdays.is_known && days.len() > 1 {
        ui.label(weak_small(ui, "Weekdays: four weeks are needed to judge a day"));
    }
}

fn month_ui(
    ui: &mut Ui,
    dataset: &ListedDataset,
    month: CalendarMonth<'_>,
    open: Option<&Partition>,
    opened: &mut Option<Partition>,
) {
    let c = colors(ui);
    let rows = || month.days.iter().map(|day| day.cell().0);
    let (Some(first), Some(last)) = (rows().min(), rows().max()) else {
        return;
    };
    let cell = ((ui.available_width() - 6.0 * GAP) / 7.0).min(CELL);
    let step = cell + GAP;
    let n_weeks = last - first + 1;
    let width = 7.0 * step - GAP;
    let (rect, _) = ui.allocate_exact_size(vec2(width, n_weeks as f32 * step - GAP), Sense::hover());
    if ui.is_rect_visible(rect) {
        for day in month.days {
            let (row, column) = day.cell();
            let (row, column) = ((row - first) as f32, column as f32);
            let at = pos2(rect.left() + column * step, rect.top() + row * step);
            day_ui(
                ui,
                dataset,
                day,
                Rect::from_min_size(at, vec2(cell, cell)),
                c,
                open,
                opened,
            );
        }
    }
    ui.label(weak_small(ui, format!("Mon to Sun · {}", month.title())));
    ui.add_space(space::XS);
}

fn day_ui(
    ui: &Ui,
    dataset: &ListedDataset,
    day: &CalendarDay,
    rect: Rect,
    c: &Colors,
    open: Option<&Partition>,
    opened: &mut Option<Partition>,
) {
    let id = ui.scope_id().with(("calendar day", day.date));
    let response = ui.interact(rect, id, Sense::CLICK);
    let label = || match day.n_bytes {
        None => format!("Calendar {} missing", day.date),
        Some(n_bytes) => format!(
            "Calendar {} {} {}",
            day.date,
            units::plural(day.n_files, "file"),
            units::bytes(n_bytes)
        ),
    };
    response.widget_info(|| WidgetInfo::labeled(Role::Button, day.n_bytes.is_some(), label()));
    let text = if day.n_bytes.is_none() {
        let outline = Stroke::new(1.2, c.warn);
        ui.painter()
            .rect_stroke(rect, size::BADGE_RADIUS, outline, StrokeKind::Inside);
        c.text
    } else {
        let fill = if day.is_spike {
            c.bad
        } else {
            mix(c.line, c.data, 0.25 + 0.75 * day.level)
        };
        ui.painter().rect_filled(rect, size::BADGE_RADIUS, fill);
        readable_on(fill)
    };
    ui.painter().text(
        rect.center(),
        Align2::CENTER_CENTER,
        day.date.day().to_string(),
        small(),
        text,
    );
    if let Some(outlier) = day.outlier {
        // A corner with a direction: more than the weekday leads to expect, or less.
        let corner = if outlier.ratio > 1.0 {
            [
                rect.right_top(),
                rect.right_top() - vec2(9.0, 0.0),
                rect.right_top() + vec2(0.0, 9.0),
            ]
        } else {
            let bottom = rect.right_bottom();
            [bottom, bottom - vec2(9.0, 0.0), bottom - vec2(0.0, 9.0)]
        };
        let mark = egui::Shape::convex_polygon(corner.to_vec(), c.accent, Stroke::new(size::LINE, c.panel));
        ui.painter().add(mark);
    }
    let is_open = open.and_then(Partition::date) == Some(day.date);
    if is_open || response.hovered() {
        let color = if is_open { c.accent } else { c.text };
        ui.painter().rect_stroke(
            rect,
            size::BADGE_RADIUS,
            Stroke::new(1.5, color),
            StrokeKind::Outside,
        );
    }
    let first = || {
        dataset
            .keys
            .partitions
            .keys()
            .find(|partition| partition.date() == Some(day.date))
            .cloned()
    };
    if response.clicked() && day.n_bytes.is_some() {
        *opened = first();
    }
    response.on_hover_ui(|ui| {
        ui.label(label().trim_start_matches("Calendar "));
        if let Some(outlier) = day.outlier {
            ui.label(format!(
                "{:.1} × the {} of the {}s around it",
                outlier.ratio,
                units::bytes(outlier.expected_bytes),
                day.date.format("%A")
            ));
        }
    });
}

/// Black or white, whichever has more contrast on `fill`.
///
/// Source: WCAG 2.1, relative luminance; beyond 0.18 black has more.
pub(super) fn readable_on(fill: Color32) -> Color32 {
    let part = |value: u8| (f32::from(value) / 255.0).powf(2.2);
    let luminance = 0.2126 * part(fill.r()) + 0.7152 * part(fill.g()) + 0.0722 * part(fill.b());
    if luminance > 0.18 {
        Color32::from_gray(20)
    } else {
        Color32::from_gray(245)
    }
}

#[cfg(test)]
mod tests {
    use egui::Color32;

    use super::readable_on;

    #[test]
    fn text_on_a_middling_colour_is_dark() {
        assert_eq!(
            readable_on(Color32::from_rgb(0xa8, 0x8a, 0x4f)),
            Color32::from_gray(20)
        );
        assert_eq!(
            readable_on(Color32::from_rgb(0x1b, 0x6f, 0xa8)),
            Color32::from_gray(245)
        );
    }
}

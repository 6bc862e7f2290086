//! A heat map of days: a week a column with Monday on top, names of months above, in as many bands as the card's width needs.
//! Missing days are outlined, days that lack hours framed, spikes are red.

use chrono::Datelike;
use egui::{Align2, Color32, Pos2, Rect, Role, Sense, Stroke, StrokeKind, Ui, WidgetInfo, pos2, vec2};

use crate::base::units;
use crate::chart::{CalendarBand, CalendarDay, WEEKDAYS, calendar_picture};
use crate::gui::listed::ListedDataset;
use crate::gui::plot::made_picture_menu;
use crate::gui::state::Commands;
use crate::gui::theme::{Colors, colors, mix, size, small, space, strong, weak, weak_small};
use crate::gui::widgets::stretched_card;
use crate::profile::MIN_SAMPLES;
use crate::storage::Partition;

/// From one day to the next: as much as the card has room for.
const MAX_STEP: f32 = 28.0;
/// Where weeks stand in several bands: these are to be seen together.
const MAX_STEP_OF_BANDS: f32 = 20.0;
/// Less has no room for the number of a day.
const MIN_STEP: f32 = 18.0;
/// Of calendars of many years, whose days have no numbers.
const DENSE_STEP: f32 = 10.0;
/// Weeks from which on a calendar is one of many years.
const MANY_WEEKS: usize = 160;
const GAP: f32 = 2.0;
/// Left of the weeks, for the year and the letters of the weekdays.
const GUTTER: f32 = 34.0;
/// Above the weeks, for the names of the months.
const HEAD: f32 = 18.0;
/// Weeks that stand beside the findings; more get the whole width.
const MAX_BESIDE: usize = 10;

/// Whether the calendar is narrow enough to stand in a column.
pub fn is_narrow(dataset: &ListedDataset) -> bool {
    dataset.calendar.n_weeks() <= MAX_BESIDE
}

/// The card is at least `height` tall. Returns the height that it needs.
pub fn calendar_card(
    ui: &mut Ui,
    dataset: &ListedDataset,
    height: f32,
    open: Option<&Partition>,
    opened: &mut Option<Partition>,
    commands: &mut Commands,
) -> f32 {
    let menu = |ui: &mut Ui| {
        let picture = || calendar_picture(&dataset.calendar, &dataset.picture_note());
        made_picture_menu(ui, "Calendar", picture, commands);
    };
    stretched_card(
        ui,
        "Calendar",
        height,
        |_| {},
        menu,
        |ui| {
            bands_ui(ui, dataset, open, opened);
            legend_ui(ui, dataset);
        },
    )
}

/// How many weeks stand beside each other where a day takes `step`.
fn n_beside(width: f32, step: f32) -> usize {
    #[allow(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "a number of weeks on a screen; a cast keeps within the type's range"
    )]
    let n = ((width - GUTTER + GAP) / step).floor().max(1.0) as usize;
    n
}

fn bands_ui(ui: &mut Ui, dataset: &ListedDataset, open: Option<&Partition>, opened: &mut Option<Partition>) {
    let calendar = &dataset.calendar;
    let width = ui.available_width();
    let is_dense = calendar.n_weeks() > MANY_WEEKS;
    let least = if is_dense { DENSE_STEP } else { MIN_STEP };
    let bands = calendar.bands(n_beside(width, least));
    let widest = bands.iter().map(|band| band.n_weeks).max().unwrap_or(1);
    let most = if bands.len() > 1 {
        MAX_STEP_OF_BANDS
    } else {
        MAX_STEP
    };
    let step = ((width - GUTTER + GAP) / widest as f32)
        .floor()
        .clamp(least, most);
    for band in &bands {
        let wanted = vec2(width, HEAD + 7.0 * step);
        let (rect, _) = ui.allocate_exact_size(wanted, Sense::hover());
        if ui.is_rect_visible(rect) {
            let grid = Grid {
                corner: rect.min + vec2(GUTTER, HEAD),
                step,
                is_dense,
            };
            band_ui(ui, dataset, band, grid, open, opened);
        }
    }
    ui.add_space(space::XS);
}

/// Where the days of a band stand.
#[derive(Debug, Clone, Copy)]
struct Grid {
    /// Of the first Monday.
    corner: Pos2,
    step: f32,
    is_dense: bool,
}

impl Grid {
    fn at(self, column: usize, row: usize) -> Pos2 {
        self.corner + vec2(column as f32, row as f32) * self.step
    }

    fn rect(self, (column, row): (usize, usize)) -> Rect {
        let side = self.step - GAP;
        Rect::from_min_size(self.at(column, row), vec2(side, side))
    }
}

fn band_ui(
    ui: &Ui,
    dataset: &ListedDataset,
    band: &CalendarBand<'_>,
    grid: Grid,
    open: Option<&Partition>,
    opened: &mut Option<Partition>,
) {
    let c = colors(ui);
    let word = |at: Pos2, align: Align2, text: &str| {
        ui.painter().text(at, align, text, small(), c.weak);
    };
    let above = grid.corner.y - space::XS;
    let left = grid.corner.x - space::SM;
    word(pos2(left, above), Align2::RIGHT_BOTTOM, &band.year().to_string());
    for (name, start, _) in band.heads() {
        word(pos2(grid.at(start, 0).x, above), Align2::LEFT_BOTTOM, &name);
    }
    for (row, letter) in WEEKDAYS.iter().enumerate() {
        // Lines of letters do not fit beside small days: every other one.
        if !grid.is_dense || row % 2 == 0 {
            let middle = grid.rect((0, row)).center().y;
            word(pos2(left, middle), Align2::RIGHT_CENTER, letter);
        }
    }
    for (at, month) in band.months.iter().enumerate() {
        if at > 0 {
            month_edge(ui, band, month.days, grid, c);
        }
        for day in month.days {
            let rect = grid.rect(band.cell(day.date));
            if ui.is_rect_visible(rect) {
                day_ui(ui, dataset, day, rect, c, grid.is_dense, open, opened);
            }
        }
    }
}

/// A line between a month and the one before it, around the weeks that they share.
fn month_edge(ui: &Ui, band: &CalendarBand<'_>, days: &[CalendarDay], grid: Grid, c: &Colors) {
    let Some(first) = days.first().filter(|day| day.date.day() == 1) else {
        return;
    };
    let (column, row) = band.cell(first.date);
    let half = GAP / 2.0;
    let corner = |column: usize, row: usize| grid.at(column, row) - vec2(half, half);
    let mut points = vec![corner(column, 7), corner(column, row)];
    if row > 0 {
        points.extend([corner(column + 1, row), corner(column + 1, 0)]);
    }
    ui.painter()
        .add(egui::Shape::line(points, Stroke::new(size::LINE, c.edge)));
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
        for (level, text) in dataset.calendar.scale() {
            let fill = fill_of(level, c);
            let unit = if level > 0.0 { "" } else { " a day" };
            entry(ui, fill, fill, &format!("{text}{unit}"));
        }
        if days.iter().any(|day| day.is_spike) {
            entry(ui, c.bad, c.bad, "spike");
        }
        if days.iter().any(|day| day.n_bytes.is_none()) {
            entry(ui, Color32::TRANSPARENT, c.warn, "missing");
        }
        if days.iter().any(|day| !day.missing_hours.is_empty()) {
            entry(ui, fill_of(0.5, c), c.warn, "some hours missing");
        }
        if !dataset.skew.weekdays.outliers.is_empty() {
            entry(ui, c.accent, c.accent, "unlike its weekday");
        }
    });
    if !dataset.skew.weekdays.is_known && days.len() > 1 {
        let text = format!("Too short to judge weekdays: a day is held against {MIN_SAMPLES} of its own");
        ui.add(egui::Label::new(weak_small(ui, text)).wrap());
    }
    let n_undated = dataset.calendar.n_undated;
    if n_undated > 0 {
        let verb = if n_undated == 1 { "has" } else { "have" };
        let text = format!(
            "{} {verb} no date and {} not here",
            units::plural(n_undated, "partition"),
            if n_undated == 1 { "is" } else { "are" }
        );
        ui.add(egui::Label::new(weak_small(ui, text)).wrap());
    }
}

/// The colour of a level of the scale.
fn fill_of(level: f32, c: &Colors) -> Color32 {
    mix(c.line, c.data, 0.25 + 0.75 * level)
}

#[allow(
    clippy::too_many_arguments,
    reason = "what a day shows; a struct would be built once"
)]
fn day_ui(
    ui: &Ui,
    dataset: &ListedDataset,
    day: &CalendarDay,
    rect: Rect,
    c: &Colors,
    is_dense: bool,
    open: Option<&Partition>,
    opened: &mut Option<Partition>,
) {
    let id = ui.scope_id().with(("calendar day", day.date));
    let response = ui.interact(rect, id, Sense::CLICK);
    response.widget_info(|| WidgetInfo::labeled(Role::Button, day.n_bytes.is_some(), label(day)));
    let text = if day.n_bytes.is_none() {
        let outline = Stroke::new(1.2, c.warn);
        ui.painter()
            .rect_stroke(rect, size::BADGE_RADIUS, outline, StrokeKind::Inside);
        c.text
    } else {
        let fill = if day.is_spike {
            c.bad
        } else {
            fill_of(day.level, c)
        };
        ui.painter().rect_filled(rect, size::BADGE_RADIUS, fill);
        if !day.missing_hours.is_empty() {
            let frame = Stroke::new(2.0, c.warn);
            ui.painter()
                .rect_stroke(rect, size::BADGE_RADIUS, frame, StrokeKind::Inside);
        }
        readable_on(fill)
    };
    if !is_dense {
        ui.painter().text(
            rect.center(),
            Align2::CENTER_CENTER,
            day.date.day().to_string(),
            small(),
            text,
        );
    }
    if let Some(outlier) = day.outlier {
        // A corner with a direction: more than the weekday leads to expect, or less.
        let side = (rect.width() * 0.4).min(9.0);
        let corner = if outlier.ratio > 1.0 {
            let top = rect.right_top();
            [top, top - vec2(side, 0.0), top + vec2(0.0, side)]
        } else {
            let bottom = rect.right_bottom();
            [bottom, bottom - vec2(side, 0.0), bottom - vec2(0.0, side)]
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
    if response.clicked() && day.n_bytes.is_some() {
        *opened = partitions_of(dataset, day).next().cloned();
    }
    response.on_hover_ui(|ui| tooltip_ui(ui, dataset, day));
}

/// What a day is called by assistive technology.
fn label(day: &CalendarDay) -> String {
    let Some(n_bytes) = day.n_bytes else {
        return format!("Calendar {} missing", day.date);
    };
    let hours = day.missing_words().map(|words| format!(", {words}"));
    format!(
        "Calendar {} {} {}{}",
        day.date,
        units::plural(day.n_files, "file"),
        units::bytes(n_bytes),
        hours.unwrap_or_default()
    )
}

fn partitions_of<'a>(
    dataset: &'a ListedDataset,
    day: &CalendarDay,
) -> impl Iterator<Item = &'a Partition> + use<'a> {
    let date = Some(day.date);
    let partitions = dataset.keys.partitions.keys();
    partitions.filter(move |partition| partition.date() == date)
}

fn tooltip_ui(ui: &mut Ui, dataset: &ListedDataset, day: &CalendarDay) {
    ui.spacing_mut().item_spacing.y = 2.0;
    let tooltip = day.tooltip();
    let mut lines = tooltip.lines();
    ui.label(strong(lines.next().unwrap_or_default()));
    for line in lines {
        ui.label(line);
    }
    let of_day = || partitions_of(dataset, day);
    match (of_day().next(), of_day().count()) {
        (Some(first), n @ 2..) => {
            let n = units::count(n as u64);
            ui.label(weak(
                ui,
                format!("Click to open {first}, the first of its {n} partitions"),
            ));
        }
        (Some(_), _) => drop(ui.label(weak(ui, "Click to open"))),
        (None, _) => {}
    }
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
    use chrono::NaiveDate;
    use egui::Color32;
    use egui_kittest::Harness;
    use egui_kittest::kittest::Queryable as _;

    use super::{calendar_card, readable_on};
    use crate::gui::listed::ListedDataset;
    use crate::gui::theme;
    use crate::profile::CostModel;
    use crate::storage::testing::days_from;

    /// Numbers of days in view, and the height of the card, of a calendar of `n` days that is `width` wide.
    fn shown(n: usize, width: f32) -> (usize, f32) {
        let first = NaiveDate::from_ymd_opt(2023, 1, 1).unwrap();
        let keys = days_from(first, vec![(1, 1000); n]);
        let dataset = ListedDataset::new(&keys, &CostModel::default());
        let draw = |ui: &mut egui::Ui, (has_fonts, height): &mut (bool, f32)| {
            if *has_fonts {
                let (mut opened, mut commands) = (None, Vec::new());
                *height = calendar_card(ui, &dataset, 0.0, None, &mut opened, &mut commands);
            } else {
                theme::install_fonts(ui.ctx());
                *has_fonts = true;
            }
        };
        let mut harness = Harness::builder()
            .with_size(egui::vec2(width, 2000.0))
            .build_ui_state(draw, (false, 0.0));
        harness.run_steps(3);
        let n_shown = harness.query_all_by_label_contains("Calendar 202").count();
        (n_shown, harness.state().1)
    }

    #[test]
    fn every_day_of_fourteen_months_is_in_view_and_the_card_fits_a_small_window() {
        // As wide as the tab of a window of 1280 points, between both panels; the margins take 16.
        let (n_shown, height) = shown(400, 656.0);
        assert_eq!(n_shown, 400);
        assert!(height < 420.0, "{height}");
        assert_eq!(shown(14, 270.0).0, 14);
        let (n_shown, height) = shown(1500, 656.0);
        assert_eq!(n_shown, 1500);
        assert!(height < 800.0, "{height}");
    }

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

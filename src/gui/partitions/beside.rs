//! Which cards stand beside each other: the findings with a calendar of few weeks and, where that is shorter, the other charts
//! below it. A calendar of many weeks has the whole width.

use egui::{Ui, vec2};

use super::{PartitionsPanel, PartitionsView, calendar, findings, lorenz, sizes};
use crate::gui::listed::ListedDataset;
use crate::gui::state::Commands;
use crate::gui::theme::space;
use crate::storage::Partition;

/// Height of a small chart.
const PLOT: f32 = 150.0;
/// A taller one says no more.
const MAX_PLOT: f32 = 460.0;
/// Narrower cards have no room for the names of sizes.
const MIN_HALF: f32 = 360.0;
/// Room that a small chart's card needs in a narrow column.
const CARD: f32 = 290.0;

/// How tall a card and the plot in it are.
#[derive(Debug, Clone, Copy)]
pub struct Beside {
    /// The card is at least this tall.
    pub card: f32,
    pub plot: f32,
}

/// What cards needed in the last frame: their neighbours end where they do.
#[derive(Debug, Default)]
pub struct Heights {
    calendar: f32,
    /// Of the cards without their plots.
    sizes: f32,
    lorenz: f32,
}

/// Findings, calendar, sizes and Lorenz curve.
pub fn cards_ui(
    ui: &mut Ui,
    dataset: &ListedDataset,
    view: PartitionsView<'_>,
    panel: &mut PartitionsPanel,
    opened: &mut Option<Partition>,
    commands: &mut Commands,
) {
    let is_dated = !dataset.calendar.days.is_empty();
    let (findings_panel, heights) = (&mut panel.findings, &mut panel.heights);
    // Cards side by side cannot both push to the same list.
    let mut others = Commands::new();
    let mut n_placed = 0;
    if is_dated && ui.available_width() > 700.0 && calendar::is_narrow(dataset) {
        let right = (ui.available_width() * 0.29).clamp(250.0, 340.0);
        let least = heights.calendar;
        side_by_side(
            ui,
            right,
            |ui| findings::findings_ui(ui, dataset, view, least, findings_panel, commands),
            |ui, height| n_placed = column_ui(ui, dataset, view, height, heights, opened, &mut others),
        );
    } else {
        findings::findings_ui(ui, dataset, view, 0.0, findings_panel, commands);
        if is_dated {
            heights.calendar = calendar::calendar_card(ui, dataset, 0.0, view.open, opened, &mut others);
        }
    }
    commands.append(&mut others);
    let alone = Beside {
        card: 0.0,
        plot: PLOT,
    };
    match n_placed {
        0 => {
            let half = (ui.available_width() - space::MD) / 2.0;
            if half < MIN_HALF {
                heights.sizes = sizes::sizes_card(ui, dataset, alone, commands);
                heights.lorenz = lorenz::lorenz_card(ui, dataset, alone, opened, commands);
                return;
            }
            let each = Beside {
                card: heights.sizes.max(heights.lorenz) + PLOT,
                plot: PLOT,
            };
            let (mut around_sizes, mut around_lorenz) = (0.0, 0.0);
            side_by_side(
                ui,
                half,
                |ui| around_sizes = sizes::sizes_card(ui, dataset, each, commands),
                |ui, _| around_lorenz = lorenz::lorenz_card(ui, dataset, each, opened, &mut others),
            );
            (heights.sizes, heights.lorenz) = (around_sizes, around_lorenz);
        }
        1 => heights.sizes = sizes::sizes_card(ui, dataset, alone, commands),
        _ => {}
    }
    commands.append(&mut others);
}

/// The calendar and below it as many of the small charts as end where the findings do. Returns how many.
fn column_ui(
    ui: &mut Ui,
    dataset: &ListedDataset,
    view: PartitionsView<'_>,
    height: f32,
    heights: &mut Heights,
    opened: &mut Option<Partition>,
    commands: &mut Commands,
) -> u8 {
    let free = height - heights.calendar;
    // Nothing is known of the calendar in the first frame.
    let n_placed = if heights.calendar > 0.0 { n_below(free) } else { 0 };
    let stretched = if n_placed == 0 { height } else { 0.0 };
    heights.calendar = calendar::calendar_card(ui, dataset, stretched, view.open, opened, commands);
    let each = (free / f32::from(n_placed.max(1)) - space::MD).floor();
    let beside = |around: f32| Beside {
        card: each,
        plot: (each - around).clamp(PLOT, MAX_PLOT),
    };
    if n_placed > 0 {
        heights.lorenz = lorenz::lorenz_card(ui, dataset, beside(heights.lorenz), opened, commands);
    }
    if n_placed > 1 {
        heights.sizes = sizes::sizes_card(ui, dataset, beside(heights.sizes), commands);
    }
    n_placed
}

/// How many small charts have room where `free` is left.
fn n_below(free: f32) -> u8 {
    let each = CARD + space::MD;
    if free >= 2.0 * each {
        2
    } else {
        u8::from(free >= each)
    }
}

/// Two cards in one row; the right one is `right` wide and is told the height of the left one.
fn side_by_side(
    ui: &mut Ui,
    right: f32,
    left_card: impl FnOnce(&mut Ui),
    right_card: impl FnOnce(&mut Ui, f32),
) {
    let left = ui.available_width() - right - space::MD;
    ui.horizontal_top(|ui| {
        let drawn = ui.allocate_ui(vec2(left, 0.0), |ui| {
            ui.vertical(|ui| {
                ui.set_width(left);
                left_card(ui);
            });
        });
        let height = drawn.response.rect.height();
        ui.allocate_ui(vec2(right, 0.0), |ui| {
            ui.vertical(|ui| {
                ui.set_width(right);
                right_card(ui, height);
            });
        });
    });
}

#[cfg(test)]
mod tests {
    use super::n_below;

    #[test]
    fn small_charts_fill_the_column_below_a_short_calendar() {
        assert_eq!(
            [-20.0, 0.0, 301.0, 302.0, 603.0, 604.0].map(n_below),
            [0, 0, 0, 1, 1, 2]
        );
    }
}

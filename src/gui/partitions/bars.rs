//! One bar per partition, by date with the median or by size with the even share as a line. Missing dates are gaps with a
//! word, spikes are red.

use egui::Ui;

use super::{PartitionsPanel, PartitionsView, rows};
use crate::base::{Accuracy, units};
use crate::chart::{BarOrder, Measure};
use crate::gui::listed::ListedDataset;
use crate::gui::plot::{PlotOptions, charted_ui, picture_menu};
use crate::gui::state::Commands;
use crate::gui::theme::{Tone, space, weak_small};
use crate::gui::widgets::{accuracy_badge, badge, card_with_head, segmented};
use crate::storage::Partition;

/// Of the bars, and of what stands in their place.
pub const HEIGHT: f32 = 190.0;

pub fn bars_card(
    ui: &mut Ui,
    dataset: &ListedDataset,
    view: PartitionsView<'_>,
    panel: &mut PartitionsPanel,
    opened: &mut Option<Partition>,
    commands: &mut Commands,
) {
    let (shown, is_log, order) = (panel.measure, panel.is_log, panel.order);
    let is_offer = shown == Measure::Rows && dataset.rows.is_none();
    let picture = dataset.bars_picture(shown, order);
    let (mut measure, mut log, mut ordered) = (None, None, None);
    let is_narrow = ui.available_width() < 760.0;
    let mut exported = Commands::new();
    card_with_head(
        ui,
        &picture.title,
        |ui| match (shown, &dataset.rows, view.accuracy()) {
            (Measure::Rows, Some(rows), _) => rows::rows_badge(ui, rows),
            (Measure::Rows, None, _) => {}
            (_, _, Accuracy::Exact) => {
                let text = if is_narrow {
                    "exact"
                } else {
                    "exact, from the listing"
                };
                badge(ui, Tone::Plain, text).on_hover_text("Counted from the listing of the storage");
            }
            (_, _, accuracy) => {
                accuracy_badge(ui, accuracy);
            }
        },
        |ui| {
            if !is_offer {
                picture_menu(ui, picture, is_log, &mut exported);
            }
            log = segmented(ui, &[(true, "log scale"), (false, "linear")], is_log);
            ui.add_space(space::SM);
            ordered = segmented(
                ui,
                &[(BarOrder::Size, "by size"), (BarOrder::Partition, "in order")],
                order,
            );
            ui.add_space(space::SM);
            measure = segmented(
                ui,
                &[
                    (Measure::Rows, "rows"),
                    (Measure::Files, "files"),
                    (Measure::Bytes, "bytes"),
                ],
                shown,
            );
        },
        |ui| {
            if is_offer {
                let counting = &view.slots.rows;
                let error = counting.error().filter(|error| *error != "cancelled");
                rows::offer_ui(ui, dataset, view.costs, counting.is_pending(), error, commands);
                return;
            }
            let bars = &dataset.bars.bars;
            let options = PlotOptions {
                height: HEIGHT,
                is_log,
                open: view
                    .open
                    .and_then(|open| bars.iter().position(|bar| bar.partition == *open)),
                click: "Click to open its rows",
                row_button: "",
                word: "Bar",
            };
            let id = match order {
                BarOrder::Partition => "partitions in order",
                BarOrder::Size => "partitions by size",
            };
            let answer = charted_ui(ui, id, picture, options, commands);
            if let Some(bar) = answer.clicked.and_then(|at| bars.get(at)) {
                *opened = Some(bar.partition.clone());
            }
            ui.label(weak_small(ui, growth_text(dataset)));
        },
    );
    commands.append(&mut exported);
    panel.measure = measure.unwrap_or(panel.measure);
    panel.is_log = log.unwrap_or(panel.is_log);
    panel.order = ordered.unwrap_or(panel.order);
}

/// Growth and the average file in one line.
fn growth_text(dataset: &ListedDataset) -> String {
    let metrics = &dataset.skew.metrics;
    let mut parts = Vec::new();
    match metrics.growth {
        Some(growth) if growth.is_trend => {
            #[expect(
                clippy::cast_possible_truncation,
                clippy::cast_sign_loss,
                reason = "a change of a day's bytes"
            )]
            let change = units::bytes(growth.bytes_per_month.abs() as u64);
            let word = if growth.bytes_per_month < 0.0 {
                "less"
            } else {
                "more"
            };
            let share = growth
                .share_per_month
                .map(|share| format!(" ({:+.1}%)", share * 100.0));
            let files = growth.files_per_month;
            let files = if files.abs() < 0.05 {
                "as many files".to_owned()
            } else {
                format!("{files:+.1} files")
            };
            parts.push(format!(
                "Growth: a day holds {change} {word} each month{}, {files}, by {} weeks (estimate)",
                share.unwrap_or_default(),
                units::count(growth.n_weeks)
            ));
        }
        Some(growth) => parts.push(format!("No growth in {} weeks", units::count(growth.n_weeks))),
        None if dataset.calendar.days.is_empty() => {}
        None => parts.push("Growth: eight weeks are needed to tell a trend".to_owned()),
    }
    if let Some(average) = metrics.average_file_bytes {
        parts.push(format!("average file {}", units::bytes(average)));
    }
    parts.join(" · ")
}

//! The Partitions tab: how evenly a dataset's bytes and files lie over its partitions, and what to do about it.

mod bars;
mod calendar;
mod figures;
mod findings;
mod frame;
mod lorenz;
mod sizes;

pub(super) use findings::tone_of;

use egui::{ScrollArea, Ui, vec2};

use super::command::Command;
use super::listed::ListedDataset;
use super::state::Commands;
use super::theme::{Tone, space};
use super::widgets::{
    Problem, accuracy_badge, badge, card_with_head, empty_state, error_box, segmented, spinner,
};
use crate::base::Accuracy;
use crate::session::Edit;
use crate::storage::Partition;

/// What the bars count.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Measure {
    #[default]
    Bytes,
    Files,
}

/// How the charts are drawn, and findings that a person put aside.
#[derive(Debug, Default)]
pub struct PartitionsPanel {
    measure: Measure,
    is_log: bool,
    /// Height that the calendar needed in the last frame; the findings beside it are at least as tall.
    calendar_height: f32,
}

/// What the tab shows.
#[derive(Debug, Clone, Copy)]
pub struct PartitionsView<'a> {
    pub dataset: Option<&'a ListedDataset>,
    pub accuracy: Accuracy,
    pub is_pending: bool,
    pub error: Option<&'a str>,
    /// Where the source is; none when nothing is open.
    pub place: Option<&'a str>,
    pub open: Option<&'a Partition>,
}

pub fn partitions_ui(
    ui: &mut Ui,
    view: PartitionsView<'_>,
    panel: &mut PartitionsPanel,
    commands: &mut Commands,
) {
    let Some(place) = view.place else {
        if empty_state(
            ui,
            "Open a data lake",
            "Open a folder or an S3 prefix with date partitions, or drop one on this window.",
            Some("Open folder…"),
        ) {
            commands.push(Command::OpenFolderDialog);
        }
        return;
    };
    ScrollArea::vertical()
        .id_salt("partitions")
        .auto_shrink(false)
        .show(ui, |ui| {
            egui::Frame::new()
                .inner_margin(egui::Margin::same(14))
                .show(ui, |ui| {
                    ui.spacing_mut().item_spacing = vec2(space::MD, space::MD);
                    if let Some(error) = view.error {
                        problem_ui(ui, place, error, view.dataset.is_some(), commands);
                    }
                    match view.dataset {
                        Some(dataset) => dataset_ui(ui, dataset, view, panel, commands),
                        None if view.is_pending => loading_ui(ui, place),
                        None if view.error.is_some() => {}
                        None => nothing_ui(ui, commands),
                    }
                });
        });
}

fn problem_ui(ui: &mut Ui, place: &str, error: &str, is_partial: bool, commands: &mut Commands) {
    let is_cancelled = error == "cancelled";
    let (message, remedy) = match (is_cancelled, is_partial) {
        (true, true) => (
            "The listing was stopped.",
            "The figures below count what was listed before.",
        ),
        (true, false) => ("The listing was stopped.", ""),
        (false, _) if place.starts_with("s3://") => {
            (error, "Check the address, the connection and your credentials.")
        }
        (false, _) => (error, "Check the address, and that the folder may be read."),
    };
    // Most messages begin with the place; it is not said twice.
    let place = if message.starts_with(place) {
        "The place could not be listed"
    } else {
        place
    };
    let problem = Problem {
        place,
        message,
        remedy,
        action: Some("Try again"),
    };
    if error_box(ui, problem) {
        commands.push(Command::Refresh);
    }
}

fn nothing_ui(ui: &mut Ui, commands: &mut Commands) {
    if empty_state(
        ui,
        "No data files here",
        "Skewer reads JSON Lines (.jsonl, .ndjson, also .gz and .zst) and Parquet.",
        Some("Open another folder…"),
    ) {
        commands.push(Command::OpenFolderDialog);
    }
}

fn loading_ui(ui: &mut Ui, place: &str) {
    ui.horizontal(|ui| {
        spinner(ui);
        ui.label(super::theme::weak(ui, format!("Listing {place}")));
    });
}

fn dataset_ui(
    ui: &mut Ui,
    dataset: &ListedDataset,
    view: PartitionsView<'_>,
    panel: &mut PartitionsPanel,
    commands: &mut Commands,
) {
    figures::figures_ui(ui, dataset, view.accuracy);
    let mut opened = None;
    bars_card(ui, dataset, view, panel, &mut opened);
    let is_wide = ui.available_width() > 620.0;
    if is_wide && !dataset.calendar.days.is_empty() {
        let right = (ui.available_width() * 0.29).clamp(250.0, 340.0);
        let needed = &mut panel.calendar_height;
        let least = *needed;
        side_by_side(
            ui,
            right,
            |ui| findings::findings_ui(ui, dataset, least, commands),
            |ui, height| *needed = calendar::calendar_card(ui, dataset, height, view.open, &mut opened),
        );
    } else {
        findings::findings_ui(ui, dataset, 0.0, commands);
        if !dataset.calendar.days.is_empty() {
            calendar::calendar_card(ui, dataset, 0.0, view.open, &mut opened);
        }
    }
    let half = (ui.available_width() - space::MD) / 2.0;
    side_by_side(
        ui,
        half,
        |ui| sizes::sizes_card(ui, dataset),
        |ui, _| lorenz::lorenz_card(ui, dataset),
    );
    if let Some(partition) = opened {
        commands.push(Command::Edit(Edit::ShowPartition {
            dataset: dataset.keys.prefix.clone(),
            partition: Some(partition),
        }));
        commands.push(Command::ShowTab(super::command::Tab::Data));
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

fn bars_card(
    ui: &mut Ui,
    dataset: &ListedDataset,
    view: PartitionsView<'_>,
    panel: &mut PartitionsPanel,
    opened: &mut Option<Partition>,
) {
    let unit = dataset.unit().trim_end_matches('s');
    let title = match panel.measure {
        Measure::Bytes if panel.is_log => format!("Bytes per {unit}"),
        Measure::Bytes => format!("{} per {unit}", dataset.bars.axis().unit),
        Measure::Files if panel.is_log || dataset.files_axis.unit.is_empty() => format!("Files per {unit}"),
        Measure::Files => format!("{} of files per {unit}", dataset.files_axis.unit),
    };
    let measure = panel.measure;
    let is_log = panel.is_log;
    let mut chosen = None;
    let mut is_log_chosen = None;
    card_with_head(
        ui,
        &title,
        |ui| match view.accuracy {
            Accuracy::Exact => {
                badge(ui, Tone::Plain, "exact, from the listing");
            }
            accuracy => {
                accuracy_badge(ui, accuracy);
            }
        },
        |ui| {
            is_log_chosen = segmented(ui, &[(true, "log scale"), (false, "linear")], is_log);
            ui.add_space(space::SM);
            chosen = segmented(
                ui,
                &[(Measure::Files, "files"), (Measure::Bytes, "bytes")],
                measure,
            );
        },
        |ui| bars::bars_ui(ui, dataset, measure, is_log, view.open, opened),
    );
    panel.measure = chosen.unwrap_or(panel.measure);
    panel.is_log = is_log_chosen.unwrap_or(panel.is_log);
}

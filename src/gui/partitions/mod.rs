//! The Partitions tab: how evenly a dataset's bytes and files lie over its partitions, and what to do about it.

mod bars;
mod beside;
mod calendar;
mod compare;
mod costs;
mod dates;
mod figures;
mod findings;
mod lorenz;
mod pictures;
mod report;
mod rows;
mod sizes;
mod treemap;

pub use pictures::Pictures;
pub use report::{PartitionsCommand, PartitionsSlots};

pub(super) use findings::tone_of;

use egui::{ScrollArea, Ui, vec2};

use super::app::App;
use super::command::Command;
use super::listed::{Listed, ListedDataset};
use super::state::Commands;
use super::theme::space;
use super::widgets::{Problem, empty_state, error_box, spinner};
use crate::base::Accuracy;
use crate::chart::{BarOrder, Measure};
use crate::profile::CostModel;
use crate::session::{Edit, Expected, JobSettings};
use crate::storage::{DateRange, Partition};

/// How the charts are drawn, and what is half-typed.
#[derive(Debug, Default)]
pub struct PartitionsPanel {
    measure: Measure,
    is_log: bool,
    order: BarOrder,
    dates: dates::DatesForm,
    treemap: treemap::TreemapPanel,
    findings: findings::FindingsPanel,
    heights: beside::Heights,
}

impl PartitionsPanel {
    /// The dates of a dataset that are looked at, and those they are compared with.
    pub fn ranges_of(&self, dataset: &str) -> (Option<DateRange>, Option<DateRange>) {
        self.dates.ranges_of(dataset)
    }
}

/// What the tab shows.
#[derive(Debug, Clone, Copy)]
pub struct PartitionsView<'a> {
    pub listed: Option<&'a Listed>,
    /// The whole dataset that is open.
    pub dataset: Option<&'a ListedDataset>,
    pub slots: &'a PartitionsSlots,
    pub costs: &'a CostModel,
    pub expected: &'a [Expected],
    pub job: &'a JobSettings,
    pub is_pending: bool,
    pub error: Option<&'a str>,
    /// Where the source is; none when nothing is open.
    pub place: Option<&'a str>,
    pub open: Option<&'a Partition>,
}

impl PartitionsView<'_> {
    fn accuracy(&self) -> Accuracy {
        self.listed.map_or(Accuracy::Exact, |listed| listed.accuracy)
    }
}

/// Carries out what the tab asked for.
pub fn apply(app: &mut App, command: PartitionsCommand) {
    let slots = &mut app.state.slots;
    match command {
        PartitionsCommand::CancelRows => slots.partitions.rows.cancel(),
        PartitionsCommand::CountRows => {
            let generation = slots.next_generation();
            let document = app.state.history.document();
            let (Some(source), Some(listed)) = (&document.source, slots.listing.value()) else {
                return;
            };
            let Some(dataset) = listed.dataset(&document.dataset) else {
                return;
            };
            let prefix = dataset.keys.prefix.clone();
            slots
                .partitions
                .count_rows(&app.tasks, source, listed, &prefix, generation);
        }
    }
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
    listed: &ListedDataset,
    view: PartitionsView<'_>,
    panel: &mut PartitionsPanel,
    commands: &mut Commands,
) {
    dates::dates_ui(ui, listed, panel);
    // Figures of a range, or by other assumptions, once they are there.
    let report = view.slots.report_of(listed);
    let dataset = report.map_or(listed, |report| &report.dataset);
    if dataset.keys.partitions.is_empty() {
        let _is_clicked = empty_state(
            ui,
            "No partitions in these dates",
            "Choose other dates above, or look at all of them.",
            None,
        );
        return;
    }
    figures::figures_ui(ui, dataset, view.accuracy());
    let mut opened = None;
    bars::bars_card(ui, dataset, view, panel, &mut opened, commands);
    if let Some(comparison) = report.and_then(|report| report.comparison.as_ref()) {
        compare::compare_card(ui, comparison, commands);
    }
    beside::cards_ui(ui, dataset, view, panel, &mut opened, commands);
    let mut opened = opened.map(|partition| (dataset.keys.prefix.clone(), partition));
    if let Some(listed) = view.listed {
        let (tree, stamp) = (&listed.treemap, listed.stamp);
        treemap::treemap_card(
            ui,
            tree,
            stamp,
            (
                dataset.keys.prefix.as_str(),
                report.is_some_and(|report| report.is_narrowed),
            ),
            &mut panel.treemap,
            &mut opened,
            commands,
        );
    }
    if let Some((dataset, partition)) = opened {
        commands.push(Command::Edit(Edit::ShowPartition {
            dataset,
            partition: Some(partition),
        }));
        commands.push(Command::ShowTab(super::command::Tab::Data));
    }
}

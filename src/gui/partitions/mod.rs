//! The Partitions tab: how evenly a dataset's bytes and files lie over its partitions, and what to do about it.

mod bars;
mod calendar;
mod compare;
mod costs;
mod dates;
mod figures;
mod findings;
mod frame;
mod lorenz;
mod report;
mod rows;
mod sizes;
mod treemap;

pub use report::{PartitionsCommand, PartitionsSlots};

pub(super) use findings::tone_of;

use egui::{ScrollArea, Ui, vec2};

use super::app::App;
use super::command::Command;
use super::listed::{Listed, ListedDataset};
use super::plot::made_picture_menu;
use super::state::Commands;
use super::theme::{Tone, space, weak_small};
use super::widgets::{
    Problem, accuracy_badge, badge, card_with_head, empty_state, error_box, segmented, spinner,
};
use crate::base::{Accuracy, units};
use crate::chart::Measure;
use crate::profile::CostModel;
use crate::session::{Edit, Expected, JobSettings};
use crate::storage::{DateRange, Partition};

/// In which order the bars stand.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Order {
    #[default]
    Date,
    Size,
}

/// How the charts are drawn, and what is half-typed.
#[derive(Debug, Default)]
pub struct PartitionsPanel {
    measure: Measure,
    is_log: bool,
    order: Order,
    dates: dates::DatesForm,
    treemap: treemap::TreemapPanel,
    findings: findings::FindingsPanel,
    /// Height that the calendar needed in the last frame; the findings beside it are at least as tall.
    calendar_height: f32,
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
    // Cards side by side cannot both push to the same list.
    let mut exported = Commands::new();
    bars_card(ui, dataset, view, panel, &mut opened, commands);
    if let Some(comparison) = report.and_then(|report| report.comparison.as_ref()) {
        compare::compare_card(ui, comparison);
    }
    let is_wide = ui.available_width() > 700.0;
    if is_wide && !dataset.calendar.days.is_empty() {
        let right = (ui.available_width() * 0.29).clamp(250.0, 340.0);
        let needed = &mut panel.calendar_height;
        let least = *needed;
        let findings_panel = &mut panel.findings;
        side_by_side(
            ui,
            right,
            |ui| findings::findings_ui(ui, dataset, view, least, findings_panel, commands),
            |ui, height| {
                *needed = calendar::calendar_card(ui, dataset, height, view.open, &mut opened, &mut exported);
            },
        );
    } else {
        findings::findings_ui(ui, dataset, view, 0.0, &mut panel.findings, commands);
        if !dataset.calendar.days.is_empty() {
            calendar::calendar_card(ui, dataset, 0.0, view.open, &mut opened, &mut exported);
        }
    }
    let half = (ui.available_width() - space::MD) / 2.0;
    side_by_side(
        ui,
        half,
        |ui| sizes::sizes_card(ui, dataset, commands),
        |ui, _| lorenz::lorenz_card(ui, dataset, &mut exported),
    );
    let mut opened = opened.map(|partition| (dataset.keys.prefix.clone(), partition));
    if let Some(listed) = view.listed {
        let (tree, stamp) = (&listed.treemap, listed.stamp);
        treemap::treemap_card(
            ui,
            tree,
            stamp,
            &dataset.keys.prefix,
            &mut panel.treemap,
            &mut opened,
            commands,
        );
    }
    commands.append(&mut exported);
    if let Some((dataset, partition)) = opened {
        commands.push(Command::Edit(Edit::ShowPartition {
            dataset,
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
    commands: &mut Commands,
) {
    let unit = dataset.unit().trim_end_matches('s');
    let shown = bars::Shown {
        measure: panel.measure,
        is_log: panel.is_log,
        order: panel.order,
    };
    let axis_unit = dataset.bars.facts(shown.measure).axis.unit;
    let title = match shown.measure {
        Measure::Bytes if shown.is_log => format!("Bytes per {unit}"),
        Measure::Bytes => format!("{axis_unit} per {unit}"),
        Measure::Files if shown.is_log || axis_unit.is_empty() => format!("Files per {unit}"),
        Measure::Files => format!("{axis_unit} of files per {unit}"),
        Measure::Rows if shown.is_log || axis_unit.is_empty() => format!("Rows per {unit}"),
        Measure::Rows => format!("{axis_unit} of rows per {unit}"),
    };
    let (mut measure, mut is_log, mut order) = (None, None, None);
    let is_narrow = ui.available_width() < 760.0;
    let mut exported = Commands::new();
    card_with_head(
        ui,
        &title,
        |ui| match (shown.measure, &dataset.rows, view.accuracy()) {
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
            let picture = || bars::picture(dataset, shown);
            made_picture_menu(ui, &title, picture, &mut exported);
            is_log = segmented(ui, &[(true, "log scale"), (false, "linear")], shown.is_log);
            ui.add_space(space::SM);
            order = segmented(
                ui,
                &[(Order::Size, "by size"), (Order::Date, "in order")],
                shown.order,
            );
            ui.add_space(space::SM);
            measure = segmented(
                ui,
                &[
                    (Measure::Rows, "rows"),
                    (Measure::Files, "files"),
                    (Measure::Bytes, "bytes"),
                ],
                shown.measure,
            );
        },
        |ui| {
            if shown.measure == Measure::Rows && dataset.rows.is_none() {
                let counting = &view.slots.rows;
                let error = counting.error().filter(|error| *error != "cancelled");
                rows::offer_ui(ui, dataset, view.costs, counting.is_pending(), error, commands);
                return;
            }
            bars::bars_ui(ui, dataset, shown, view.open, opened);
            ui.label(weak_small(ui, growth_text(dataset)));
        },
    );
    commands.append(&mut exported);
    panel.measure = measure.unwrap_or(panel.measure);
    panel.is_log = is_log.unwrap_or(panel.is_log);
    panel.order = order.unwrap_or(panel.order);
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
            parts.push(format!(
                "Growth: a day holds {change} {word} each month{}, {:+.1} files, by {} weeks (estimate)",
                share.unwrap_or_default(),
                growth.files_per_month,
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

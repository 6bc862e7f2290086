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
    /// Place and dataset of the last frame: another one is shown from its top.
    shown: Option<(String, String)>,
}

impl PartitionsPanel {
    /// Whether another place or dataset is shown than before. What was folded out of the old one is forgotten.
    fn is_other(&mut self, place: &str, dataset: Option<&ListedDataset>) -> bool {
        // While nothing is listed yet only the place is known.
        let prefix = dataset.map(|dataset| dataset.keys.prefix.as_str());
        if let Some((shown_place, shown_prefix)) = &self.shown
            && shown_place == place
            && prefix.is_none_or(|prefix| prefix == shown_prefix)
        {
            return false;
        }
        self.shown = Some((place.to_owned(), prefix.unwrap_or_default().to_owned()));
        self.findings = findings::FindingsPanel::default();
        true
    }

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
    let mut area = ScrollArea::vertical().id_salt("partitions").auto_shrink(false);
    if panel.is_other(place, view.dataset) {
        area = area.vertical_scroll_offset(0.0);
    }
    area.show(ui, |ui| {
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

#[cfg(test)]
mod tests {
    use chrono::NaiveDate;
    use egui_kittest::Harness;
    use egui_kittest::kittest::Queryable as _;

    use super::{PartitionsPanel, PartitionsSlots, PartitionsView, partitions_ui};
    use crate::gui::listed::ListedDataset;
    use crate::gui::theme;
    use crate::profile::CostModel;
    use crate::session::JobSettings;
    use crate::storage::testing::days_from;

    #[test]
    fn another_folder_is_shown_from_its_top_and_the_same_one_stays_where_it_was() {
        let first = NaiveDate::from_ymd_opt(2020, 1, 1).unwrap();
        let dataset = ListedDataset::new(&days_from(first, vec![(3, 1000); 60]), &CostModel::default());
        let (slots, job, costs) = (
            PartitionsSlots::default(),
            JobSettings::default(),
            CostModel::default(),
        );
        let draw = move |ui: &mut egui::Ui, (place, panel): &mut (&'static str, PartitionsPanel)| {
            if place.is_empty() {
                theme::install_fonts(ui.ctx());
                *place = "/lake/a";
                return;
            }
            let view = PartitionsView {
                listed: None,
                dataset: Some(&dataset),
                slots: &slots,
                costs: &costs,
                expected: &[],
                job: &job,
                is_pending: false,
                error: None,
                place: Some(*place),
                open: None,
            };
            partitions_ui(ui, view, panel, &mut Vec::new());
        };
        let mut harness = Harness::builder()
            .with_size(egui::vec2(900.0, 300.0))
            .build_ui_state(draw, ("", PartitionsPanel::default()));
        harness.run_steps(4);
        let top = |harness: &Harness<'_, (&'static str, PartitionsPanel)>| {
            harness.get_by_label_contains("max / median:").rect().top()
        };
        let at_first = top(&harness);
        harness.hover_at(egui::pos2(450.0, 200.0));
        harness.event(egui::Event::MouseWheel {
            unit: egui::MouseWheelUnit::Point,
            delta: egui::vec2(0.0, -220.0),
            phase: egui::TouchPhase::Move,
            source: egui::MouseWheelSource::Wheel,
            modifiers: egui::Modifiers::NONE,
        });
        harness.run_steps(30);
        let scrolled = top(&harness);
        assert!(scrolled < at_first - 100.0, "{scrolled} {at_first}");
        harness.run_steps(3);
        assert!((top(&harness) - scrolled).abs() < 1.0);
        harness.state_mut().0 = "/lake/b";
        harness.run_steps(3);
        assert!((top(&harness) - at_first).abs() < 1.0, "{}", top(&harness));
    }
}

//! The Runs tab: what a Spark application or one of our own runs did, where its time went, and what to do about it.

mod comparison;
mod detail;
mod findings;
mod open;
mod own;
mod place;
mod rows;
mod spark;
mod stage_head;
mod table;
mod task;

use egui::{Frame, Margin, ScrollArea, Ui, vec2};

pub(super) use open::{COMPARING, READING, apply, is_log_path, keep_own, poll, start_work};
pub use open::{RunsCommand, RunsSlots};
pub use place::{PlaceForm, Wanted};

use super::command::Command;
use super::preferences::Preferences;
use super::state::Commands;
use super::theme::{self, Tone, space};
use super::widgets::{Figure, Problem, card, error_box, figure_card, progress_bar, secondary_button};
use crate::base::{ProgressView, units};
use crate::explore::RunLog;
use crate::session::Source;
use open::RunKey;
use table::Column;

/// Selection, order and half-typed places. Never saved.
#[derive(Debug, Default)]
#[allow(
    clippy::struct_excessive_bools,
    reason = "each is a switch of its own in the tab"
)]
pub struct RunsPanel {
    /// The stage that is told in full; none for the most expensive one.
    pub stage: Option<(u64, u32)>,
    /// The task that is told, by its place among those of the stage.
    pub task: Option<usize>,
    /// The task that was scrolled to when it was clicked.
    pub seen_task: Option<usize>,
    pub sort: Column,
    /// The other way round than the column's own order.
    pub is_reversed: bool,
    /// Whether run times against data are shown by their logarithm.
    pub is_log: bool,
    /// Whether executors are told over all stages.
    pub has_all_stages: bool,
    /// Whether what is compared is shown the other way round.
    pub is_swapped: bool,
    /// The day of our own run whose workers are shown; none for the one with the most work.
    pub day: Option<usize>,
    /// The form for a place, while it is open over the window.
    pub form: Option<(Wanted, PlaceForm)>,
    /// The form of the empty tab.
    pub first: PlaceForm,
}

/// What the tab shows.
#[derive(Debug, Clone, Copy)]
pub struct RunsView<'a> {
    pub slots: &'a RunsSlots,
    pub preferences: &'a Preferences,
    /// What is open in the other tabs.
    pub source: Option<&'a Source>,
    /// Of the log that is being read.
    pub progress: Option<&'a ProgressView>,
    /// Of the log that it is to be compared with.
    pub comparing: Option<&'a ProgressView>,
}

#[cfg(test)]
impl<'a> RunsView<'a> {
    fn of(slots: &'a RunsSlots, preferences: &'a Preferences) -> Self {
        Self {
            slots,
            preferences,
            source: None,
            progress: None,
            comparing: None,
        }
    }
}

pub fn runs_ui(ui: &mut Ui, view: RunsView<'_>, panel: &mut RunsPanel, commands: &mut Commands) {
    let slots = view.slots;
    place::modal_ui(ui, &mut panel.form, view, commands);
    let is_empty = slots.log.value().is_none() && !slots.log.is_pending() && slots.log.error().is_none();
    ScrollArea::vertical()
        .id_salt("runs")
        .auto_shrink(false)
        .show(ui, |ui| {
            Frame::new().inner_margin(Margin::same(14)).show(ui, |ui| {
                ui.spacing_mut().item_spacing = vec2(space::MD, space::MD);
                if is_empty {
                    first_ui(ui, view, panel, commands);
                } else {
                    log_ui(ui, view, panel, commands);
                }
            });
        });
}

const FIRST_WIDTH: f32 = 560.0;

/// Nothing was opened yet: what can be, and where.
fn first_ui(ui: &mut Ui, view: RunsView<'_>, panel: &mut RunsPanel, commands: &mut Commands) {
    let width = ui.available_width().min(FIRST_WIDTH);
    let side = ((ui.available_width() - width) / 2.0).max(0.0);
    ui.add_space(space::XL);
    ui.horizontal_top(|ui| {
        ui.add_space(side);
        ui.vertical(|ui| {
            ui.set_width(width);
            card(ui, |ui| {
                ui.spacing_mut().item_spacing.y = space::XS;
                ui.label(theme::strong("Open what ran"));
                place::form_ui(ui, &mut panel.first, Wanted::Open, view, commands);
                ui.add_space(space::SM);
                ui.label(theme::weak_small(
                    ui,
                    "Or drop one on this window. Runs that are started here are listed too.",
                ));
            });
        });
    });
}

fn log_ui(ui: &mut Ui, view: RunsView<'_>, panel: &mut RunsPanel, commands: &mut Commands) {
    let slots = view.slots;
    head_ui(ui, slots, commands);
    if slots.log.is_pending() {
        reading_ui(ui, &Reading::of_log(slots, view.progress), commands);
    }
    if let Some(error) = slots.log.error() {
        let place = slots.log.key().map(RunKey::place).unwrap_or_default();
        if problem_ui(ui, &place, error, "Read again") {
            commands.push(Command::Runs(RunsCommand::ReadAgain));
        }
    }
    if slots.log.is_stale() {
        return;
    }
    let comparison = &slots.compared;
    if comparison.is_pending() {
        reading_ui(ui, &Reading::of_comparison(slots, view.comparing), commands);
        return;
    }
    if let Some(error) = comparison.error() {
        let place = comparison.key().map(|(_, with)| with.place()).unwrap_or_default();
        if problem_ui(ui, &place, error, "Compare again") {
            commands.push(Command::Runs(RunsCommand::CompareAgain));
        }
    } else if let Some(compared) = comparison.value() {
        comparison::comparison_ui(ui, compared, panel.is_swapped, commands);
        return;
    }
    match slots.log.value().map(|opened| (&opened.log, opened)) {
        Some((RunLog::Spark(run), _)) => spark::spark_ui(ui, run, slots, panel, commands),
        Some((RunLog::Own(run), opened)) => {
            own::own_ui(ui, run, opened.pictures.as_ref(), panel, commands);
        }
        None => {}
    }
}

/// What is open, and what else can be.
fn head_ui(ui: &mut Ui, slots: &RunsSlots, commands: &mut Commands) {
    ui.horizontal_wrapped(|ui| {
        if secondary_button(ui, true, "Open…")
            .on_hover_text("A Spark event log or the report of a run: a file, a folder, or a place on S3")
            .clicked()
        {
            commands.push(Command::Runs(RunsCommand::AskForPlace(Wanted::Open)));
        }
        let has_log = slots.log.value().is_some() && !slots.log.is_stale();
        if slots.compared.key().is_some() {
            if secondary_button(ui, true, "Stop comparing")
                .on_hover_text("Back to the log that was open")
                .clicked()
            {
                commands.push(Command::Runs(RunsCommand::StopComparing));
            }
        } else if secondary_button(ui, has_log, "Compare with…")
            .on_hover_text("What got slower or faster since another log of the same kind")
            .clicked()
        {
            commands.push(Command::Runs(RunsCommand::AskForPlace(Wanted::Compare)));
        }
        for (at, run) in slots.own.iter().enumerate().rev() {
            let text = format!("Run {}", run.started_text());
            let is_open = slots.log.key().is_some_and(|key| key.is_own(at));
            if ui
                .selectable_label(is_open, text)
                .on_hover_text("A run started in this window")
                .clicked()
            {
                commands.push(Command::Runs(RunsCommand::ShowOwn(at)));
            }
        }
        if slots.compared.key().is_none()
            && let Some(key) = slots.log.key()
        {
            let place = key.place();
            ui.add(egui::Label::new(theme::code(&place).color(theme::colors(ui).weak)).truncate())
                .on_hover_text(place);
        }
    });
}

/// A log on its way, and what stops it.
struct Reading<'a> {
    title: String,
    progress: Option<&'a ProgressView>,
    cancel: RunsCommand,
    button: &'static str,
}

impl<'a> Reading<'a> {
    fn of_log(slots: &RunsSlots, progress: Option<&'a ProgressView>) -> Self {
        let place = slots.log.key().map(RunKey::place).unwrap_or_default();
        Self {
            title: format!("Reading {place}"),
            progress,
            cancel: RunsCommand::Cancel,
            button: "Cancel reading",
        }
    }

    fn of_comparison(slots: &RunsSlots, progress: Option<&'a ProgressView>) -> Self {
        let place = slots
            .compared
            .key()
            .map(|(_, with)| with.place())
            .unwrap_or_default();
        Self {
            title: format!("Comparing with {place}"),
            progress,
            cancel: RunsCommand::CancelComparing,
            button: "Cancel comparing",
        }
    }
}

fn reading_ui(ui: &mut Ui, reading: &Reading<'_>, commands: &mut Commands) {
    card(ui, |ui| {
        ui.add(egui::Label::new(theme::strong(&reading.title)).truncate());
        ui.horizontal(|ui| {
            let progress = reading.progress;
            let share = progress.and_then(ProgressView::share);
            progress_bar(ui, 220.0, share, Tone::Accent, "Reading the log");
            let read = progress.map_or(0, |progress| progress.n_bytes);
            let note = progress
                .map(|progress| progress.note.as_str())
                .filter(|note| !note.is_empty());
            let note = note.map_or_else(String::new, |note| format!(", {note}"));
            ui.label(theme::weak(ui, format!("{} read{note}", units::bytes(read))));
            if secondary_button(ui, true, reading.button).clicked() {
                commands.push(Command::Runs(reading.cancel.clone()));
            }
        });
    });
}

/// What went wrong with a place. Returns whether it is to be tried again.
fn problem_ui(ui: &mut Ui, place: &str, error: &str, again: &str) -> bool {
    if error == "cancelled" {
        let problem = Problem {
            place,
            message: "Reading was stopped.",
            remedy: "",
            action: Some(again),
        };
        return error_box(ui, problem);
    }
    let (message, remedy) = error.split_once('\n').unwrap_or((error, ""));
    let problem = Problem {
        place: if message.starts_with(place) { "" } else { place },
        message,
        remedy,
        action: Some(again),
    };
    error_box(ui, problem)
}

/// Narrower cards do not hold their notes.
const MIN_FIGURE: f32 = 128.0;

/// Headline figures in rows of even cards.
fn figures_ui(ui: &mut Ui, figures: &[Figure<'_>]) {
    let gap = space::MD;
    let available = ui.available_width();
    let width_of = |n: usize| ((available - gap * (n as f32 - 1.0)) / n as f32).floor();
    let n = figures.len();
    // As few rows as there is room for, of lengths as even as can be.
    let most = (1..=n).rev().find(|n| width_of(*n) >= MIN_FIGURE).unwrap_or(1);
    let per_row = n.div_ceil(n.div_ceil(most).max(1)).max(1);
    for row in figures.chunks(per_row) {
        ui.horizontal(|ui| {
            ui.spacing_mut().item_spacing.x = gap;
            for figure in row {
                figure_card(ui, width_of(per_row), *figure);
            }
        });
    }
}

/// `2026-11-21 18:49:25 UTC` of milliseconds since the epoch; empty for none.
fn began_text(ms: Option<i64>) -> String {
    ms.and_then(chrono::DateTime::from_timestamp_millis)
        .map_or_else(String::new, |began| {
            began.format("%Y-%m-%d %H:%M:%S UTC").to_string()
        })
}

/// `12.3 s`, or a dash for what the log does not tell.
fn seconds_text(secs: Option<f64>) -> String {
    units::or_dash(secs, units::seconds)
}

fn percent_text(share: Option<f64>) -> String {
    units::or_dash(share, units::percent)
}

#[cfg(test)]
mod tests {
    use super::began_text;
    use crate::profile::events::OwnRun;

    #[test]
    fn a_run_is_named_by_when_it_began() {
        let named = |id: &str| {
            let text = format!(r#"{{"kind":"RunReport","run_id":"{id}","status":"done"}}"#);
            OwnRun::from_json("report", &text).unwrap().started_text()
        };
        assert_eq!(named("20261121T184925-2640728f"), "2026-11-21 18:49:25");
        assert_eq!(named("mine"), "mine");
        assert_eq!(began_text(Some(1_795_211_401_500)), "2026-11-20 21:50:01 UTC");
        assert_eq!(began_text(None), "");
    }
}

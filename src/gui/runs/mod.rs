//! The Runs tab: what a Spark application or one of our own runs did, where its time went, and what to do about it.

mod detail;
mod findings;
mod open;
mod own;
mod spark;
mod table;

use egui::{Frame, Margin, ScrollArea, Ui, vec2};

pub(super) use open::{READING, apply, is_log_path, keep_own, poll, start_work};
pub use open::{RunsCommand, RunsSlots};

use super::command::Command;
use super::state::Commands;
use super::theme::{self, Tone, space};
use super::widgets::{
    Figure, Problem, card, empty_state, error_box, figure_card, progress_bar, secondary_button,
};
use crate::base::{ProgressView, units};
use crate::explore::RunLog;
use table::Column;

/// Selection and order. Never saved.
#[derive(Debug, Default)]
pub struct RunsPanel {
    /// The stage that is told in full; none for the most expensive one.
    pub stage: Option<(u64, u32)>,
    pub sort: Column,
    /// The other way round than the column's own order.
    pub is_reversed: bool,
    /// The day of our own run whose workers are shown.
    pub day: usize,
}

/// What the tab shows.
#[derive(Debug, Clone, Copy)]
pub struct RunsView<'a> {
    pub slots: &'a RunsSlots,
    /// Of the log that is being read.
    pub progress: Option<&'a ProgressView>,
}

pub fn runs_ui(ui: &mut Ui, view: RunsView<'_>, panel: &mut RunsPanel, commands: &mut Commands) {
    let slots = view.slots;
    if slots.log.value().is_none()
        && !slots.log.is_pending()
        && slots.log.error().is_none()
        && slots.own.is_empty()
    {
        if empty_state(
            ui,
            "Open what ran",
            "Open a Spark event log (a file, or a folder eventlog_v2_…) or the report.json of a run, or drop one on this \
             window. Runs that are started here are listed too.",
            Some("Open event log…"),
        ) {
            commands.push(Command::Runs(RunsCommand::ChooseFile));
        }
        return;
    }
    ScrollArea::vertical()
        .id_salt("runs")
        .auto_shrink(false)
        .show(ui, |ui| {
            Frame::new().inner_margin(Margin::same(14)).show(ui, |ui| {
                ui.spacing_mut().item_spacing = vec2(space::MD, space::MD);
                head_ui(ui, slots, commands);
                if slots.log.is_pending() {
                    reading_ui(ui, view.progress, commands);
                }
                if let Some(error) = slots.log.error() {
                    problem_ui(ui, slots, error, commands);
                }
                if slots.log.is_stale() {
                    return;
                }
                match slots.log.value().map(|opened| (&opened.log, opened)) {
                    Some((RunLog::Spark(run), _)) => spark::spark_ui(ui, run, slots, panel, commands),
                    Some((RunLog::Own(run), opened)) => {
                        own::own_ui(ui, run, opened.pictures.as_ref(), panel, commands);
                    }
                    None => last_run_ui(ui, slots, commands),
                }
            });
        });
}

/// What is open, and what else can be.
fn head_ui(ui: &mut Ui, slots: &RunsSlots, commands: &mut Commands) {
    ui.horizontal_wrapped(|ui| {
        if secondary_button(ui, true, "Open event log…")
            .on_hover_text("A Spark event log, or the report.json of a run")
            .clicked()
        {
            commands.push(Command::Runs(RunsCommand::ChooseFile));
        }
        if secondary_button(ui, true, "Open folder…")
            .on_hover_text("The folder of a rolling event log, eventlog_v2_…")
            .clicked()
        {
            commands.push(Command::Runs(RunsCommand::ChooseFolder));
        }
        for (at, run) in slots.own.iter().enumerate().rev() {
            let text = format!("Run {}", started(&run.run_id));
            let is_open = slots.log.key().is_some_and(|key| key.is_own(at));
            if ui
                .selectable_label(is_open, text)
                .on_hover_text("A run started in this window")
                .clicked()
            {
                commands.push(Command::Runs(RunsCommand::ShowOwn(at)));
            }
        }
    });
}

/// When a run began, as its name tells it: `2026-11-21 18:49:25` of `20261121T184925-2640`.
fn started(run_id: &str) -> String {
    let stamp = run_id.split('-').next().unwrap_or_default();
    chrono::NaiveDateTime::parse_from_str(stamp, "%Y%m%dT%H%M%S")
        .map_or_else(|_| stamp.to_owned(), |began| began.to_string())
}

/// Nothing is shown, but runs started in this window can be.
fn last_run_ui(ui: &mut Ui, slots: &RunsSlots, commands: &mut Commands) {
    let is_busy = slots.log.is_pending() || slots.log.error().is_some();
    let Some(last) = slots.own.len().checked_sub(1).filter(|_| !is_busy) else {
        return;
    };
    if empty_state(
        ui,
        "A run has ended",
        "Where its time went: each stage of work, its workers, its slowest files.",
        Some("Show the last run"),
    ) {
        commands.push(Command::Runs(RunsCommand::ShowOwn(last)));
    }
}

fn reading_ui(ui: &mut Ui, progress: Option<&ProgressView>, commands: &mut Commands) {
    card(ui, |ui| {
        ui.horizontal(|ui| {
            let share = progress.and_then(ProgressView::share);
            progress_bar(ui, 220.0, share, Tone::Accent, "Reading the log");
            let read = progress.map_or(0, |progress| progress.n_bytes);
            ui.label(theme::weak(ui, format!("{} read", units::bytes(read))));
            if secondary_button(ui, true, "Cancel reading").clicked() {
                commands.push(Command::Runs(RunsCommand::Cancel));
            }
        });
    });
}

fn problem_ui(ui: &mut Ui, slots: &RunsSlots, error: &str, commands: &mut Commands) {
    let place = slots
        .log
        .key()
        .map(|key| key.place().to_owned())
        .unwrap_or_default();
    let is_cancelled = error == "cancelled";
    let problem = Problem {
        place: if error.starts_with(&place) { "" } else { &place },
        message: if is_cancelled {
            "Reading was stopped."
        } else {
            error
        },
        remedy: if is_cancelled {
            ""
        } else {
            "Give an event log of Spark, the folder of a rolling one, or the report of a run."
        },
        action: Some("Read again"),
    };
    if error_box(ui, problem) {
        commands.push(Command::Runs(RunsCommand::ReadAgain));
    }
}

/// Narrower cards do not hold their notes.
const MIN_FIGURE: f32 = 128.0;

/// Headline figures in rows of even cards.
fn figures_ui(ui: &mut Ui, figures: &[Figure<'_>]) {
    let gap = space::MD;
    let available = ui.available_width();
    let width_of = |n: usize| ((available - gap * (n as f32 - 1.0)) / n as f32).floor();
    let per_row = [figures.len(), 3, 2]
        .into_iter()
        .find(|n| width_of(*n) >= MIN_FIGURE)
        .unwrap_or(1)
        .max(1);
    for row in figures.chunks(per_row) {
        ui.horizontal(|ui| {
            ui.spacing_mut().item_spacing.x = gap;
            for figure in row {
                figure_card(ui, width_of(per_row), *figure);
            }
        });
    }
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
    use super::started;

    #[test]
    fn a_run_is_named_by_when_it_began() {
        assert_eq!(started("20261121T184925-2640728f"), "2026-11-21 18:49:25");
        assert_eq!(started("mine"), "mine");
    }
}

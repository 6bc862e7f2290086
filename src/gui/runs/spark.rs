//! One Spark application: headline, findings, stages, and one stage in full.

use egui::{Label, Ui};

use super::{
    RunsPanel, RunsSlots, began_text, detail, figures_ui, findings, percent_text, seconds_text, table,
};
use crate::base::units;
use crate::explore::SparkRun;
use crate::gui::state::Commands;
use crate::gui::theme::{Tone, headline, weak};
use crate::gui::widgets::{Figure, accuracy_badge, card_with_head};

pub fn spark_ui(
    ui: &mut Ui,
    run: &SparkRun,
    slots: &RunsSlots,
    panel: &mut RunsPanel,
    commands: &mut Commands,
) {
    let profile = &run.profile;
    ui.horizontal_wrapped(|ui| {
        ui.label(headline(profile.title()));
        ui.label(weak(
            ui,
            format!(
                "{}   Spark {}   {}",
                profile.id,
                profile.spark_version,
                began_text(profile.started_ms)
            ),
        ));
        accuracy_badge(ui, profile.accuracy);
    });
    for note in &profile.reading.notes {
        ui.add(Label::new(crate::gui::theme::tone(ui, Tone::Warn, format!("Note: {note}"))).wrap());
    }
    headline_ui(ui, run);
    findings::findings_ui(ui, &profile.stages, commands);
    let open = panel
        .stage
        .or_else(|| profile.stages.first().map(|stage| (stage.id, stage.attempt)));
    let title = format!("{}, by cost", units::plural(profile.stages.len() as u64, "stage"));
    card_with_head(
        ui,
        &title,
        |_| {},
        |ui| {
            ui.label(weak(ui, "click a head to sort, a row to tell it in full"));
        },
        |ui| table::stages_ui(ui, &profile.stages, open, panel, commands),
    );
    let stage = open.and_then(|key| {
        profile
            .stages
            .iter()
            .find(|stage| (stage.id, stage.attempt) == key)
    });
    if let Some(stage) = stage {
        let pictures = slots.pictures.value().filter(|_| !slots.pictures.is_stale());
        let pictures = match (pictures, slots.pictures.error()) {
            (None, Some(error)) => Err(error),
            (pictures, _) => Ok(pictures),
        };
        detail::detail_ui(ui, run, stage, pictures, panel, commands);
    }
}

fn headline_ui(ui: &mut Ui, run: &SparkRun) {
    let figures = &run.profile.headline;
    let n_stages = units::plural(figures.n_stages, "stage");
    let tasks = units::count(figures.n_tasks);
    let failed = format!("{} failed", units::count(figures.n_failed_tasks));
    let executors = units::plural(figures.n_executors, "executor");
    let shuffled = units::bytes(figures.n_bytes_shuffled);
    let spilled = format!("{} spilled", units::bytes(figures.n_bytes_spilled));
    let wall = units::seconds(figures.wall_seconds);
    let cost = units::seconds(figures.straggler_seconds);
    let share = figures.straggler_seconds / figures.wall_seconds.max(0.001);
    let idle = percent_text(figures.idle_share);
    let gc = percent_text(figures.gc_share);
    let busy = format!("{} of task time", seconds_text(Some(figures.task_seconds)));
    figures_ui(
        ui,
        &[
            Figure {
                label: "wall time",
                value: &wall,
                note: &n_stages,
                tone: Tone::Plain,
                explanation: "From the start of the application to its end, or to the last event of the log.",
            },
            Figure {
                label: "straggler cost",
                value: &cost,
                note: "beyond an even split",
                tone: if share >= 0.3 && figures.straggler_seconds >= 5.0 {
                    Tone::Bad
                } else if figures.straggler_seconds >= 5.0 {
                    Tone::Warn
                } else {
                    Tone::Plain
                },
                explanation: "What uneven tasks add to the wall time of the stages: how much later than even ones the long ones \
                              end, placed on the slots in the order of their launch. An estimate: slots that other stages \
                              used at the same time are taken off evenly.",
            },
            Figure {
                label: "idle slots",
                value: &idle,
                note: &executors,
                tone: Tone::Plain,
                explanation: "Share of the executors' slots in which no task ran, from their start to their end.",
            },
            Figure {
                label: "tasks",
                value: &tasks,
                note: &failed,
                tone: if figures.n_failed_tasks > 0 {
                    Tone::Warn
                } else {
                    Tone::Plain
                },
                explanation: "Attempts of tasks that ended in this log.",
            },
            Figure {
                label: "shuffled",
                value: &shuffled,
                note: &spilled,
                tone: Tone::Plain,
                explanation: "Bytes that tasks read from shuffles, and bytes that did not fit into memory.",
            },
            Figure {
                label: "garbage collection",
                value: &gc,
                note: &busy,
                tone: if figures.gc_share.is_some_and(|share| share >= 0.1) {
                    Tone::Warn
                } else {
                    Tone::Plain
                },
                explanation: "Share of the run time. From 10% on memory is short.",
            },
        ],
    );
}

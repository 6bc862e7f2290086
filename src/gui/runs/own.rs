//! One of our own runs: its days, the time of each stage of work, its workers, its slowest files.

use egui::Ui;

use super::detail::chart_ui;
use super::open::OwnPictures;
use super::{RunsPanel, figures_ui};
use crate::base::units;
use crate::gui::state::Commands;
use crate::gui::theme::{Tone, headline, weak};
use crate::gui::widgets::{Figure, segmented};
use crate::profile::events::OwnRun;

/// Days that have a button of their own.
const MAX_DAYS: usize = 14;

pub fn own_ui(
    ui: &mut Ui,
    run: &OwnRun,
    pictures: Option<&OwnPictures>,
    panel: &mut RunsPanel,
    commands: &mut Commands,
) {
    ui.horizontal_wrapped(|ui| {
        ui.label(headline(if run.job.is_empty() { "Run" } else { &run.job }));
        ui.label(weak(
            ui,
            format!("{}   {}", run.run_id, run.status.replace('_', " ")),
        ));
    });
    for warning in &run.warnings {
        ui.label(weak(ui, format!("Note: {warning}")));
    }
    let seconds = run.seconds();
    let slowest = seconds
        .stages()
        .into_iter()
        .max_by(|a, b| a.1.total_cmp(&b.1))
        .unwrap_or(("", 0.0));
    let rows: u64 = run.partitions.iter().map(|day| day.rows_out).sum();
    let n_files: u64 = run.partitions.iter().map(|day| day.n_files).sum();
    let days = units::count(run.partitions.len() as u64);
    let (rows, files, bytes) = (
        units::count(rows),
        units::plural(n_files, "file"),
        units::bytes(run.n_bytes_in()),
    );
    let (work, most) = (units::seconds(seconds.total()), units::seconds(slowest.1));
    let memory = run.peak_rss_bytes.map_or_else(|| "–".to_owned(), units::bytes);
    let figure = |label, value, note, explanation| Figure {
        label,
        value,
        note,
        tone: Tone::Plain,
        explanation,
    };
    figures_ui(
        ui,
        &[
            figure("days", &days, "in this run", ""),
            figure("rows", &rows, "in the table", "Rows that the run wrote."),
            figure("read", &bytes, &files, "Files as stored."),
            figure(
                "work",
                &work,
                "over all threads",
                "Listing and commits on the clock, the rest added up over threads.",
            ),
            figure(
                "most of it",
                &most,
                slowest.0,
                "The stage of work that took longest.",
            ),
            figure(
                "peak memory",
                &memory,
                "resident",
                "Highest resident memory of the process.",
            ),
        ],
    );
    if let Some(pictures) = pictures {
        charts_ui(ui, run, pictures, panel, commands);
    }
}

/// Stages of work by day, then the workers of one day, then the slowest files of all.
fn charts_ui(
    ui: &mut Ui,
    run: &OwnRun,
    pictures: &OwnPictures,
    panel: &mut RunsPanel,
    commands: &mut Commands,
) {
    let height = (run.partitions.len() as f32 * 22.0).clamp(90.0, 420.0);
    chart_ui(
        ui,
        &pictures.stages.title,
        "own stages",
        &pictures.stages,
        height,
        commands,
    );
    let has_work = run.partitions.iter().any(|day| !day.work.spans.is_empty());
    if !has_work {
        ui.label(weak(ui, "This report does not tell when each unit of work ran: it is of an older version, or nothing was read."));
        return;
    }
    if run.partitions.len() > 1 {
        let days: Vec<(usize, &str)> = run
            .partitions
            .iter()
            .map(|day| day.partition.as_str())
            .enumerate()
            .take(MAX_DAYS)
            .collect();
        ui.horizontal_wrapped(|ui| {
            if let Some(day) = segmented(ui, &days, panel.day) {
                panel.day = day;
            }
        });
    }
    if let Some(workers) = pictures.workers.get(panel.day) {
        #[allow(clippy::cast_possible_truncation, reason = "a height on the screen")]
        let height = ((workers.y.last - workers.y.first) as f32 * 26.0).clamp(80.0, 320.0);
        chart_ui(ui, &workers.title, "own workers", workers, height, commands);
    }
    chart_ui(
        ui,
        &pictures.files.title,
        "own files",
        &pictures.files,
        220.0,
        commands,
    );
}

//! One of our own runs: its days, the time of each stage of work, its workers, its slowest files.

use egui::{Label, Ui};

use super::detail::chart_ui;
use super::open::OwnPictures;
use super::rows::{Cell, Head, Row, Table};
use super::{RunsCommand, RunsPanel, began_text, figures_ui};
use crate::base::{Accuracy, units};
use crate::gui::command::Command;
use crate::gui::plot::PlotOptions;
use crate::gui::state::Commands;
use crate::gui::theme::{Tone, headline, weak, weak_marked, weak_small};
use crate::gui::widgets::{Figure, accuracy_badge, badge, card_with_head, segmented};
use crate::profile::events::{OwnDay, OwnRun};

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
            format!("{}   {}", run.run_id, began_text(run.started_ms())),
        ));
        badge(ui, status_tone(&run.status), &run.status.replace('_', " "));
        accuracy_badge(ui, Accuracy::Exact);
    });
    for warning in &run.warnings {
        ui.add(Label::new(weak_marked(ui, &format!("Note: {warning}"))).wrap());
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

fn status_tone(status: &str) -> Tone {
    match status {
        "done" | "committed" => Tone::Good,
        "no_data" | "unchanged" | "nothing_to_do" => Tone::Plain,
        _ => Tone::Warn,
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
    let options = PlotOptions {
        height,
        click: "Click to show its workers",
        ..PlotOptions::default()
    };
    let stages = &pictures.stages;
    let answer = chart_ui(ui, &stages.title, "own stages", stages, options, commands);
    if let Some(day) = answer.clicked {
        commands.push(Command::Runs(RunsCommand::ShowDay(day)));
    }
    let has_work = run.partitions.iter().any(|day| !day.work.spans.is_empty());
    if !has_work {
        ui.label(weak(
            ui,
            "This report does not tell when each unit of work ran: it is of an older version, or nothing was read.",
        ));
        return;
    }
    let shown = panel.day.unwrap_or_else(|| busiest(run));
    if run.partitions.len() > 1 {
        days_ui(ui, run, pictures, shown, panel);
    }
    workers_ui(ui, run, pictures, shown, commands);
    let options = PlotOptions {
        height: 220.0,
        ..PlotOptions::default()
    };
    let files = &pictures.files;
    chart_ui(
        ui,
        "Files: time against bytes",
        "own files",
        files,
        options,
        commands,
    );
    slowest_ui(ui, pictures);
}

/// The day with the most work.
fn busiest(run: &OwnRun) -> usize {
    let work = |day: &OwnDay| day.seconds.total();
    let days = run.partitions.iter().enumerate();
    days.max_by(|a, b| work(a.1).total_cmp(&work(b.1)))
        .map_or(0, |(at, _)| at)
}

/// The days, by date, around the one that is shown.
fn days_ui(ui: &mut Ui, run: &OwnRun, pictures: &OwnPictures, shown: usize, panel: &mut RunsPanel) {
    let place = pictures.days.iter().position(|day| *day == shown).unwrap_or(0);
    let n = pictures.days.len();
    let first = place.saturating_sub(MAX_DAYS / 2).min(n.saturating_sub(MAX_DAYS));
    let days: Vec<(usize, &str)> = pictures
        .days
        .iter()
        .skip(first)
        .take(MAX_DAYS)
        .filter_map(|at| Some((*at, run.partitions.get(*at)?.partition.as_str())))
        .collect();
    ui.horizontal_wrapped(|ui| {
        ui.spacing_mut().item_spacing.y = 2.0;
        if let Some(day) = segmented(ui, &days, shown) {
            panel.day = Some(day);
        }
        if n > MAX_DAYS {
            let text = format!(
                "of {}: click others in the chart above",
                units::plural(n as u64, "day")
            );
            ui.label(weak_small(ui, text));
        }
    });
}

fn workers_ui(ui: &mut Ui, run: &OwnRun, pictures: &OwnPictures, shown: usize, commands: &mut Commands) {
    let (Some(workers), Some(day)) = (pictures.workers.get(shown), run.partitions.get(shown)) else {
        return;
    };
    let title = format!("{}: {}", day.partition, workers.title.to_lowercase());
    if day.work.spans.is_empty() {
        card_with_head(
            ui,
            &title,
            |_| {},
            |_| {},
            |ui| {
                let message = day
                    .message
                    .as_deref()
                    .unwrap_or("No unit of work ran on this day.");
                ui.add(Label::new(weak_marked(ui, message)).wrap());
            },
        );
        return;
    }
    #[allow(clippy::cast_possible_truncation, reason = "a height on the screen")]
    let options = PlotOptions {
        height: ((workers.y.last - workers.y.first) as f32 * 26.0).clamp(80.0, 320.0),
        ..PlotOptions::default()
    };
    chart_ui(ui, &title, "own workers", workers, options, commands);
}

const SLOWEST: [Head; 4] = [
    Head::number("Decoding", 84.0).explained("Time in which its lines became rows"),
    Head::number("Bytes", 80.0).explained("As stored"),
    Head::text("Day", 104.0),
    Head::text("File", 160.0),
];

fn slowest_ui(ui: &mut Ui, pictures: &OwnPictures) {
    let files = &pictures.slowest;
    if files.is_empty() {
        return;
    }
    card_with_head(
        ui,
        "Slowest files",
        |ui| {
            ui.label(weak_small(ui, "by the time of decoding"));
        },
        |_| {},
        |ui| {
            let table = Table {
                id: "slowest files",
                heads: &SLOWEST,
                n_rows: files.len(),
                is_clickable: false,
            };
            table.show(ui, |at| {
                files.get(at).map_or_else(Row::default, |(day, file)| Row {
                    cells: vec![
                        Cell::strong(units::seconds(file.seconds)),
                        units::bytes(file.n_bytes).into(),
                        day.clone().into(),
                        Cell::toned(&file.key, Tone::Weak),
                    ],
                    hover: file.key.clone(),
                    ..Row::default()
                })
            });
        },
    );
}

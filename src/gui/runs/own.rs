//! One of our own runs: what it took, its books, the time of each stage of work, its days, its workers, its slowest files.

use egui::{Label, Ui};

use super::detail::chart_ui;
use super::open::OwnPictures;
use super::rows::{Cell, Head, Row, Table};
use super::{RunsCommand, RunsPanel, began_text, figures_ui, percent_text, seconds_text};
use crate::base::{Accuracy, units};
use crate::gui::command::Command;
use crate::gui::plot::PlotOptions;
use crate::gui::state::Commands;
use crate::gui::theme::{Tone, headline, space, strong, tone, weak, weak_marked, weak_small};
use crate::gui::widgets::{Figure, accuracy_badge, badge, card_with_head, segmented, titled_card};
use crate::profile::events::{OwnBooks, OwnDay, OwnRun, OwnSeconds};

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
    if let Some(nothing_new) = run.nothing_new() {
        ui.add(Label::new(weak(ui, format!("This run had nothing to do: {nothing_new}."))).wrap());
    }
    figures(ui, run);
    ended_ui(ui, run);
    stages_ui(ui, run);
    if let Some(pictures) = pictures {
        charts_ui(ui, run, pictures, panel, commands);
    }
}

/// How long it took and what it read, then its books in a row of their own.
fn figures(ui: &mut Ui, run: &OwnRun) {
    effort_ui(ui, run);
    ui.add_space(space::MD);
    let (books, ended) = run.books();
    rows_ui(ui, run, &books, &ended);
    books_ui(ui, &books, run.n_ended());
}

fn figure<'a>(label: &'a str, value: &'a str, note: &'a str, tone: Tone, explanation: &'a str) -> Figure<'a> {
    Figure {
        label,
        value,
        note,
        tone,
        explanation,
    }
}

fn effort_ui(ui: &mut Ui, run: &OwnRun) {
    let n_files: u64 = run.partitions.iter().map(|day| day.n_files).sum();
    let days = units::plural(run.partitions.len() as u64, "day");
    let wall = seconds_text(run.wall_seconds);
    let work = units::seconds(run.seconds().total());
    let (files, bytes) = (units::count(n_files), units::bytes(run.n_bytes_in()));
    let workers = match run.n_workers() {
        0 => "over all threads".to_owned(),
        n => format!("over {}", units::plural(n, "worker")),
    };
    let memory = run.peak_rss_bytes.map_or_else(|| "–".to_owned(), units::bytes);
    let wall_note = if run.wall_seconds.is_none() {
        "not in an older report"
    } else {
        "from start to report"
    };
    let plain = Tone::Plain;
    figures_ui(
        ui,
        &[
            figure(
                "wall time",
                &wall,
                wall_note,
                plain,
                "From the opening of the stores to the report. Tasks of a plan ran before their commit, and are not in it.",
            ),
            figure("work", &work, &workers, plain, OwnSeconds::NOTE),
            figure("files", &files, &days, plain, "Files of the days' listings."),
            figure(
                "read",
                &bytes,
                "as stored",
                plain,
                "Bytes of the files that were read.",
            ),
            figure(
                "peak memory",
                &memory,
                "resident",
                plain,
                "Highest resident memory of the process.",
            ),
        ],
    );
}

fn rows_ui(ui: &mut Ui, run: &OwnRun, books: &OwnBooks, ended: &OwnBooks) {
    let more_in = match run.n_ended() {
        0 => "all records".to_owned(),
        n => {
            let rows = units::count(ended.rows_in);
            format!("and {rows} of {} ended early", units::plural(n, "day"))
        }
    };
    let share = |n: u64| match books.rows_in {
        0 => String::new(),
        all => format!("{} of rows in", units::percent(n as f64 / all as f64)),
    };
    let (filtered, quarantined) = (share(books.rows_filtered), share(books.rows_quarantined));
    let counts = [
        books.rows_in,
        books.rows_filtered,
        books.rows_quarantined,
        books.rows_out,
    ]
    .map(units::count);
    let [rows_in, n_filtered, n_quarantined, rows_out] = &counts;
    let made = if books.rows_made >= books.rows_merged {
        units::count(books.rows_made - books.rows_merged)
    } else {
        format!("−{}", units::count(books.rows_merged - books.rows_made))
    };
    let made_note = format!(
        "{} made, {} merged",
        units::count(books.rows_made),
        units::count(books.rows_merged)
    );
    let lost = if books.rows_quarantined > 0 {
        Tone::Warn
    } else {
        Tone::Plain
    };
    let plain = Tone::Plain;
    figures_ui(
        ui,
        &[
            figure(
                "rows in",
                rows_in,
                &more_in,
                plain,
                "Records that were read on the days whose rows went into the table.",
            ),
            figure(
                "filtered",
                n_filtered,
                &filtered,
                plain,
                "Rows that steps left out.",
            ),
            figure(
                "quarantined",
                n_quarantined,
                &quarantined,
                lost,
                "Records that could not be read or computed; each is in quarantine with its place and reason.",
            ),
            figure(
                "made",
                &made,
                &made_note,
                plain,
                "Rows that steps made more of, less those that they merged into others.",
            ),
            figure(
                "rows out",
                rows_out,
                "into the table",
                plain,
                "Rows that this run put into the table.",
            ),
        ],
    );
}

/// Whether every row is accounted for.
fn books_ui(ui: &mut Ui, books: &OwnBooks, n_ended: u64) {
    let missing = books.n_unaccounted();
    let of = if n_ended > 0 {
        " Rows of days that failed, were cancelled or over their error budget are not in these books, nor in the table."
    } else {
        ""
    };
    let (verdict, tone_of_it) = match missing {
        0 => ("the books balance".to_owned(), Tone::Good),
        n => (format!("{n} are not accounted for"), Tone::Bad),
    };
    ui.horizontal_wrapped(|ui| {
        ui.label(weak(ui, format!("{}:", books.text())));
        ui.label(tone(ui, tone_of_it, verdict));
        if !of.is_empty() {
            ui.label(weak(ui, of.trim_start()));
        }
    });
}

/// Days without a result that are told; the chart has all.
const MAX_ENDED: usize = 8;

/// Days that failed, were cancelled or were over their budget, and why.
fn ended_ui(ui: &mut Ui, run: &OwnRun) {
    let n = run.n_ended();
    if n == 0 {
        return;
    }
    let title = format!("{} without a result", units::plural(n, "day"));
    titled_card(ui, &title, |ui| {
        let ended = run.partitions.iter().filter(|day| !day.is_in_table());
        for day in ended.take(MAX_ENDED) {
            ui.horizontal_wrapped(|ui| {
                badge(ui, status_tone(&day.status), &day.status.replace('_', " "));
                ui.label(strong(&day.partition));
                let message = day.message.as_deref().unwrap_or("The report tells no reason.");
                ui.label(weak_marked(ui, message));
            });
        }
        let n_more = n.saturating_sub(MAX_ENDED as u64);
        if n_more > 0 {
            ui.label(weak(ui, format!("and {n_more} more")));
        }
    });
}

const STAGES: [Head; 4] = [
    Head::text("Stage of work", 130.0),
    Head::number("Time", 90.0),
    Head::number("Share", 80.0).explained("Of the work"),
    Head::text("Counted", 200.0),
];

fn stages_ui(ui: &mut Ui, run: &OwnRun) {
    let seconds = run.seconds();
    let (all, stages) = (seconds.total(), seconds.stages());
    let most = stages.iter().map(|(_, seconds)| *seconds).fold(0.0, f64::max);
    titled_card(ui, "Time by stage of work", |ui| {
        let table = Table {
            id: "own stages of work",
            heads: &STAGES,
            n_rows: stages.len(),
            is_clickable: false,
        };
        table.show_all(ui, |at| {
            let Some((name, seconds)) = stages.get(at).copied() else {
                return Row::default();
            };
            let share = (all > 0.0).then(|| seconds / all);
            let time = units::seconds(seconds);
            Row {
                cells: vec![
                    name.to_owned().into(),
                    if seconds >= most && most > 0.0 {
                        Cell::strong(time)
                    } else {
                        time.into()
                    },
                    percent_text(share).into(),
                    Cell::toned(counted(name), Tone::Weak),
                ],
                ..Row::default()
            }
        });
    });
}

/// How the time of a stage of work adds up.
fn counted(stage: &str) -> &'static str {
    match stage {
        "list" | "commit" => "on the clock",
        "fetch" => "over requests",
        _ => "over threads",
    }
}

fn status_tone(status: &str) -> Tone {
    match status {
        "done" | "committed" | "already_committed" => Tone::Good,
        "no_data" => Tone::Plain,
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
    });
    if n > MAX_DAYS {
        let text = format!(
            "of {}: click others in the chart above",
            units::plural(n as u64, "day")
        );
        ui.label(weak_small(ui, text));
    }
}

fn workers_ui(ui: &mut Ui, run: &OwnRun, pictures: &OwnPictures, shown: usize, commands: &mut Commands) {
    let (Some(workers), Some(day)) = (pictures.workers.get(shown), run.partitions.get(shown)) else {
        return;
    };
    let title = format!("{}: {}", day.partition, workers.title.to_lowercase());
    if day.work.spans.is_empty() {
        titled_card(ui, &title, |ui| {
            let message = day
                .message
                .as_deref()
                .unwrap_or("No unit of work ran on this day.");
            ui.add(Label::new(weak_marked(ui, message)).wrap());
        });
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

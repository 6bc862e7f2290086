//! One stage in full: its charts, the task that was clicked, its measures by quantile, its slowest tasks, its executors.

use egui::Ui;

use super::open::StagePictures;
use super::rows::{Cell, Head, Row, Table};
use super::table::stage_name;
use super::{RunsCommand, RunsPanel, findings, seconds_text, stage_head, task};
use crate::base::units;
use crate::chart::Picture;
use crate::explore::SparkRun;
use crate::gui::command::Command;
use crate::gui::plot::{PlotAnswer, PlotOptions, picture_menu, plot_ui};
use crate::gui::state::Commands;
use crate::gui::theme::{Tone, size, space, tone, weak, weak_small};
use crate::gui::widgets::{card_with_head, segmented, spinner};
use crate::profile::events::{ExecutorShare, StageProfile};

const CHART_HEIGHT: f32 = 230.0;
/// Narrower charts side by side show too little.
const MIN_HALF: f32 = 320.0;

pub fn detail_ui(
    ui: &mut Ui,
    run: &SparkRun,
    stage: &StageProfile,
    pictures: Result<Option<&StagePictures>, &str>,
    panel: &mut RunsPanel,
    commands: &mut Commands,
) {
    let name = stage_name(stage);
    let is_told = findings::is_told(&run.profile.stages, stage);
    stage_head::head_ui(ui, stage, is_told);
    match pictures {
        Ok(Some(pictures)) => charts_ui(ui, &name, pictures, panel, commands),
        Err(error) => {
            ui.label(tone(
                ui,
                Tone::Bad,
                format!("The charts could not be made: {error}"),
            ));
        }
        Ok(None) => {
            ui.horizontal(|ui| {
                spinner(ui);
                ui.label(weak(ui, format!("Charts of stage {name}")));
            });
        }
    }
    let top = ui.cursor().top();
    task::task_ui(ui, run, stage, panel.task, commands);
    // What a click in a chart tells is below the charts.
    if panel.seen_task != panel.task {
        panel.seen_task = panel.task;
        let left = ui.min_rect().left_top().x;
        let told = egui::Rect::from_two_pos(egui::pos2(left, top), ui.cursor().left_top());
        if panel.task.is_some() {
            ui.scroll_to_rect(told, None);
        }
    }
    measures_ui(ui, stage, &name);
    slowest_ui(ui, run, stage, panel, commands);
    executors_ui(ui, run, stage, panel);
}

fn charts_ui(
    ui: &mut Ui,
    name: &str,
    pictures: &StagePictures,
    panel: &mut RunsPanel,
    commands: &mut Commands,
) {
    let n_lanes = (pictures.gantt.y.last - pictures.gantt.y.first).max(1.0);
    #[allow(clippy::cast_possible_truncation, reason = "a height on the screen")]
    let height = (n_lanes as f32 * 16.0).clamp(120.0, 520.0);
    let options = PlotOptions {
        height,
        open: panel.task,
        click: "Click to tell this task",
        ..PlotOptions::default()
    };
    let title = format!("Stage {name}: tasks by executor");
    let mut answers = vec![chart_ui(ui, &title, "gantt", &pictures.gantt, options, commands)];
    let half = (ui.available_width() - space::MD) / 2.0;
    let mut pair_ui = |ui: &mut Ui, answers: &mut Vec<PlotAnswer>, is_scatter: bool| {
        let picture = if is_scatter {
            &pictures.scatter
        } else {
            &pictures.run_times
        };
        let options = PlotOptions {
            height: height_beside(picture),
            is_log: is_scatter && panel.is_log,
            ..options
        };
        let (id, is_log) = if is_scatter {
            ("scatter", Some(&mut panel.is_log))
        } else {
            ("run times", None)
        };
        let title = &picture.title;
        answers.push(scaled_chart_ui(ui, title, id, picture, options, is_log, commands));
    };
    if half > MIN_HALF {
        ui.horizontal_top(|ui| {
            for is_scatter in [true, false] {
                ui.allocate_ui(egui::vec2(half, 0.0), |ui| {
                    ui.vertical(|ui| {
                        ui.set_width(half);
                        pair_ui(ui, &mut answers, is_scatter);
                    });
                });
            }
        });
    } else {
        pair_ui(ui, &mut answers, true);
        pair_ui(ui, &mut answers, false);
    }
    if let Some(at) = answers.iter().find_map(|answer| answer.clicked) {
        commands.push(Command::Runs(RunsCommand::ShowTask(Some(at))));
    }
}

/// A legend takes its room from the chart, so that two cards side by side end together.
fn height_beside(picture: &Picture) -> f32 {
    let legend = if picture.legend.is_empty() {
        0.0
    } else {
        size::ROW + space::XS
    };
    CHART_HEIGHT - legend
}

pub fn chart_ui(
    ui: &mut Ui,
    title: &str,
    id: &str,
    picture: &Picture,
    options: PlotOptions,
    commands: &mut Commands,
) -> PlotAnswer {
    scaled_chart_ui(ui, title, id, picture, options, None, commands)
}

/// As [`chart_ui`], with a choice of the logarithm for the value side where `is_log` is given.
fn scaled_chart_ui(
    ui: &mut Ui,
    title: &str,
    id: &str,
    picture: &Picture,
    options: PlotOptions,
    is_log: Option<&mut bool>,
    commands: &mut Commands,
) -> PlotAnswer {
    let mut answer = PlotAnswer::default();
    card_with_head(
        ui,
        title,
        |ui| {
            ui.label(weak_small(ui, &picture.note));
        },
        |ui| {
            if !picture.is_empty() {
                picture_menu(ui, picture, options.is_log, commands);
            }
            if let Some(is_log) = is_log {
                // Set from the right.
                let choices = [(true, "log scale"), (false, "linear")];
                *is_log = segmented(ui, &choices, *is_log).unwrap_or(*is_log);
            }
        },
        |ui| {
            if picture.is_empty() {
                ui.label(weak(ui, "Nothing to draw here."));
            } else {
                answer = plot_ui(ui, id, picture, options);
            }
        },
    );
    answer
}

const MEASURES: [Head; 9] = [
    Head::text("", 144.0),
    Head::number("min", 74.0)
        .rank(1)
        .explained("The least of all tasks"),
    Head::number("p25", 74.0)
        .rank(3)
        .explained("A quarter of the tasks is below"),
    Head::number("median", 74.0).explained("Half of the tasks is below"),
    Head::number("p75", 74.0)
        .rank(2)
        .explained("Three quarters of the tasks are below"),
    Head::number("p99", 74.0).explained("One task in a hundred is above"),
    Head::number("max", 74.0).explained("The most of all tasks"),
    Head::number("total", 96.0).explained("Of all tasks together"),
    Head::number("max / median", 90.0).explained("From 3 on, one task stands out"),
];

fn measures_ui(ui: &mut Ui, stage: &StageProfile, name: &str) {
    let outcomes = stage.outcomes;
    let mut facts = vec![units::plural(outcomes.n_success, "task")];
    for (n, what) in [
        (outcomes.n_failed, "failed"),
        (outcomes.n_killed, "killed"),
        (outcomes.n_speculative, "speculative"),
        (outcomes.n_unfinished, "unfinished"),
    ] {
        if n > 0 {
            facts.push(format!("{} {what}", units::count(n)));
        }
    }
    // What no task did would be a row of zeros; that nothing spilled is worth saying.
    let all = stage.measures();
    let shown: Vec<_> = all
        .iter()
        .filter(|measure| measure.spread.total > 0 || measure.name == "spilled")
        .collect();
    let title = format!("Stage {name}: measures per task");
    card_with_head(
        ui,
        &title,
        |ui| {
            ui.label(weak_small(ui, facts.join("   ")));
        },
        |_| {},
        |ui| {
            let table = Table {
                id: "measures",
                heads: &MEASURES,
                n_rows: shown.len(),
                is_clickable: false,
            };
            table.show(ui, |at| {
                let Some(measure) = shown.get(at) else {
                    return Row::default();
                };
                let mut cells = vec![Cell::from(measure.name.to_owned())];
                let values = measure.spread.values();
                cells.extend(values.map(|value| Cell::from(measure.unit.text(value))));
                // Of a median of 0, which the table shows, nothing is a multiple.
                let ratio = measure.spread.max_over_median.filter(|_| measure.spread.p50 > 0);
                cells.push(units::or_dash(ratio, |ratio| format!("{ratio:.1}")).into());
                Row {
                    cells,
                    ..Row::default()
                }
            });
        },
    );
}

const SLOWEST: [Head; 9] = [
    Head::number("Partition", 74.0),
    Head::number("Run time", 76.0).explained("Time in the task's own code"),
    Head::number("× median", 76.0).explained("Its run time over the middle one"),
    Head::number("Data", 72.0).explained("Bytes read from storage and shuffles"),
    Head::number("Records", 82.0),
    Head::number("Spilled", 72.0).rank(2),
    Head::number("GC", 64.0)
        .rank(1)
        .explained("Garbage collection while it ran"),
    Head::text("Executor", 72.0),
    Head::text("Host", 100.0),
];

fn slowest_ui(ui: &mut Ui, run: &SparkRun, stage: &StageProfile, panel: &RunsPanel, commands: &mut Commands) {
    if stage.slowest.is_empty() {
        return;
    }
    let tasks = run
        .application
        .stages
        .get(&(stage.id, stage.attempt))
        .map_or(&[][..], |stage| stage.tasks.as_slice());
    let open = panel.task.and_then(|at| tasks.get(at)).map(|task| task.id);
    let title = format!("Stage {}: slowest tasks", stage_name(stage));
    let mut clicked = None;
    card_with_head(
        ui,
        &title,
        |ui| {
            ui.label(weak_small(ui, "click one to tell it"));
        },
        |_| {},
        |ui| {
            let table = Table {
                id: "slowest tasks",
                heads: &SLOWEST,
                n_rows: stage.slowest.len(),
                is_clickable: true,
            };
            clicked = table.show(ui, |at| {
                let Some(task) = stage.slowest.get(at) else {
                    return Row::default();
                };
                let median = stage.run_ms.p50 as f64 / 1000.0;
                let ratio = (median > 0.0).then(|| task.run_seconds / median);
                let partition = task.partition.to_string();
                let run_time = units::seconds(task.run_seconds);
                Row {
                    label: format!(
                        "Partition {partition} ran {run_time} on executor {}",
                        task.executor
                    ),
                    hover: if task.is_first {
                        "In the first wave of its executor, which loads classes and opens connections"
                            .to_owned()
                    } else {
                        String::new()
                    },
                    is_open: open == Some(task.task),
                    cells: vec![
                        partition.into(),
                        Cell::strong(run_time),
                        units::times(ratio).into(),
                        units::bytes(task.n_bytes).into(),
                        units::count(task.n_records).into(),
                        units::bytes(task.n_bytes_spilled).into(),
                        units::seconds(task.gc_seconds).into(),
                        task.executor.clone().into(),
                        Cell::toned(&task.host, Tone::Weak),
                    ],
                }
            });
        },
    );
    let task = clicked.and_then(|at| stage.slowest.get(at));
    if let Some(at) = task.and_then(|slow| tasks.iter().position(|task| task.id == slow.task)) {
        commands.push(Command::Runs(RunsCommand::ShowTask(Some(at))));
    }
}

const EXECUTORS: [Head; 8] = [
    Head::text("Executor", 76.0),
    Head::number("Tasks", 70.0),
    Head::number("Run time", 80.0).explained("Of its tasks together"),
    Head::number("Median task", 90.0)
        .rank(1)
        .explained("The middle run time of its tasks"),
    Head::number("Idle", 76.0).explained("Time of its slots without a task"),
    Head::number("GC", 70.0),
    Head::number("Data", 76.0).explained("Bytes read from storage and shuffles"),
    Head::text("Host", 110.0),
];

fn executors_ui(ui: &mut Ui, run: &SparkRun, stage: &StageProfile, panel: &mut RunsPanel) {
    let totals = &run.profile.executor_totals;
    if totals.is_empty() {
        return;
    }
    let of_stage = format!("stage {}", stage_name(stage));
    // Set from the right.
    let choices = [(true, "all stages"), (false, of_stage.as_str())];
    let mut executors: Vec<&ExecutorShare> = if panel.has_all_stages {
        totals.iter().collect()
    } else {
        stage.executors.iter().collect()
    };
    executors.sort_by(|a, b| b.run_seconds.total_cmp(&a.run_seconds));
    let chosen = panel.has_all_stages;
    card_with_head(
        ui,
        "Executors, by run time",
        |ui| {
            ui.label(weak_small(ui, units::plural(executors.len() as u64, "executor")));
        },
        |ui| {
            if let Some(all) = segmented(ui, &choices, chosen) {
                panel.has_all_stages = all;
            }
        },
        |ui| {
            if executors.is_empty() {
                ui.label(weak(ui, "No task of this stage has succeeded."));
                return;
            }
            let table = Table {
                id: "executors",
                heads: &EXECUTORS,
                n_rows: executors.len(),
                is_clickable: false,
            };
            table.show(ui, |at| {
                executors
                    .get(at)
                    .map_or_else(Row::default, |share| executor(share))
            });
        },
    );
}

fn executor(share: &ExecutorShare) -> Row {
    Row {
        cells: vec![
            Cell::strong(&share.executor),
            units::count(share.n_tasks).into(),
            units::seconds(share.run_seconds).into(),
            units::seconds(share.median_run_ms as f64 / 1000.0).into(),
            seconds_text(share.idle_seconds).into(),
            units::seconds(share.gc_seconds).into(),
            units::bytes(share.n_bytes).into(),
            Cell::toned(&share.host, Tone::Weak),
        ],
        ..Row::default()
    }
}

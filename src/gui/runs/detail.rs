//! One stage in full: its charts, its measures by quantile, its executors.

use egui::{Align, Grid, Layout, Ui};

use super::open::StagePictures;
use super::seconds_text;
use super::table::stage_name;
use crate::base::units;
use crate::chart::Picture;
use crate::gui::plot::{PlotOptions, picture_menu, plot_ui};
use crate::gui::state::Commands;
use crate::gui::theme::{Tone, size, space, strong, tone, weak, weak_small};
use crate::gui::widgets::{card_with_head, spinner};
use crate::profile::events::StageProfile;

/// Executors that are listed.
const MAX_EXECUTORS: usize = 40;
const CHART_HEIGHT: f32 = 230.0;

pub fn detail_ui(
    ui: &mut Ui,
    stage: &StageProfile,
    pictures: Option<&StagePictures>,
    error: Option<&str>,
    commands: &mut Commands,
) {
    let name = stage_name(stage);
    match (pictures, error) {
        (Some(pictures), _) => {
            let n_lanes = (pictures.gantt.y.last - pictures.gantt.y.first).max(1.0);
            #[allow(clippy::cast_possible_truncation, reason = "a height on the screen")]
            let height = (n_lanes as f32 * 16.0).clamp(120.0, 520.0);
            chart_ui(
                ui,
                &format!("Stage {name}: tasks by executor"),
                "gantt",
                &pictures.gantt,
                height,
                commands,
            );
            let half = (ui.available_width() - space::MD) / 2.0;
            if half > 320.0 {
                ui.horizontal_top(|ui| {
                    for (id, picture) in [("scatter", &pictures.scatter), ("run times", &pictures.run_times)]
                    {
                        ui.allocate_ui(egui::vec2(half, 0.0), |ui| {
                            ui.vertical(|ui| {
                                ui.set_width(half);
                                chart_ui(ui, &picture.title, id, picture, height_beside(picture), commands);
                            });
                        });
                    }
                });
            } else {
                chart_ui(
                    ui,
                    &pictures.scatter.title,
                    "scatter",
                    &pictures.scatter,
                    CHART_HEIGHT,
                    commands,
                );
                chart_ui(
                    ui,
                    &pictures.run_times.title,
                    "run times",
                    &pictures.run_times,
                    CHART_HEIGHT,
                    commands,
                );
            }
        }
        (None, Some(error)) => {
            ui.label(tone(
                ui,
                Tone::Bad,
                format!("The charts could not be made: {error}"),
            ));
        }
        (None, None) => {
            ui.horizontal(|ui| {
                spinner(ui);
                ui.label(weak(ui, format!("Charts of stage {name}")));
            });
        }
    }
    measures_ui(ui, stage, &name);
    executors_ui(ui, stage, &name);
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

pub fn chart_ui(ui: &mut Ui, title: &str, id: &str, picture: &Picture, height: f32, commands: &mut Commands) {
    card_with_head(
        ui,
        title,
        |ui| {
            ui.label(weak_small(ui, &picture.note));
        },
        |ui| {
            if !picture.is_empty() {
                picture_menu(ui, picture, false, commands);
            }
        },
        |ui| {
            if picture.is_empty() {
                ui.label(weak(ui, "Nothing to draw here."));
                return;
            }
            let options = PlotOptions {
                height,
                ..PlotOptions::default()
            };
            plot_ui(ui, id, picture, options);
        },
    );
}

fn number(ui: &mut Ui, text: &str) {
    ui.with_layout(Layout::right_to_left(Align::Center), |ui| {
        ui.label(text);
    });
}

fn heads(ui: &mut Ui, heads: &[&str]) {
    for (n, head) in heads.iter().enumerate() {
        if n == 0 {
            ui.label(weak_small(ui, *head));
        } else {
            ui.with_layout(Layout::right_to_left(Align::Center), |ui| {
                ui.label(weak_small(ui, *head));
            });
        }
    }
    // An empty column at the end takes the width that is left.
    ui.label("");
    ui.end_row();
}

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
    facts.push(format!("wall {}", seconds_text(stage.wall_seconds)));
    facts.push(format!("even split {}", seconds_text(stage.even_seconds)));
    if let Some(times) = stage.speed_up.filter(|times| *times >= 1.05) {
        facts.push(format!("{times:.1} × as fast when even"));
    }
    let title = format!("Stage {name}: measures per task");
    card_with_head(
        ui,
        &title,
        |ui| {
            ui.label(weak_small(ui, facts.join("   ")));
        },
        |_| {},
        |ui| {
            Grid::new("measures")
                .num_columns(10)
                .spacing([space::XL, 3.0])
                .show(ui, |ui| {
                    heads(
                        ui,
                        &[
                            "",
                            "min",
                            "p25",
                            "median",
                            "p75",
                            "p99",
                            "max",
                            "total",
                            "max / median",
                        ],
                    );
                    for measure in stage.measures().iter().filter(|measure| measure.spread.total > 0) {
                        ui.label(measure.name);
                        let spread = measure.spread;
                        for value in spread.values() {
                            number(ui, &measure.unit.text(value));
                        }
                        let ratio = spread.max_over_median;
                        number(
                            ui,
                            &ratio.map_or_else(|| "–".to_owned(), |ratio| format!("{ratio:.1}")),
                        );
                        ui.end_row();
                    }
                });
        },
    );
}

fn executors_ui(ui: &mut Ui, stage: &StageProfile, name: &str) {
    if stage.executors.is_empty() {
        return;
    }
    let mut executors: Vec<_> = stage.executors.iter().collect();
    executors.sort_by(|a, b| b.run_seconds.total_cmp(&a.run_seconds));
    let n_more = executors.len().saturating_sub(MAX_EXECUTORS);
    let title = format!("Stage {name}: executors");
    card_with_head(
        ui,
        &title,
        |_| {},
        |_| {},
        |ui| {
            Grid::new("executors")
                .num_columns(8)
                .spacing([space::XL, 3.0])
                .show(ui, |ui| {
                    heads(
                        ui,
                        &["executor", "host", "tasks", "run time", "idle", "GC", "data"],
                    );
                    for executor in executors.into_iter().take(MAX_EXECUTORS) {
                        ui.label(strong(&executor.executor));
                        number(ui, &executor.host);
                        number(ui, &units::count(executor.n_tasks));
                        number(ui, &units::seconds(executor.run_seconds));
                        number(ui, &seconds_text(executor.idle_seconds));
                        number(ui, &units::seconds(executor.gc_seconds));
                        number(ui, &units::bytes(executor.n_bytes));
                        ui.end_row();
                    }
                });
            if n_more > 0 {
                ui.label(weak(ui, format!("and {n_more} that worked less")));
            }
        },
    );
}

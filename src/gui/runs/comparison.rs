//! Two logs side by side: what got slower or faster, verdicts that came or went, settings that differ, totals.

use egui::{Grid, Label, Ui};

use super::detail::chart_ui;
use super::open::{Compared, ComparedSide, ComparedWay};
use super::rows::{Cell, Head, Row, Table};
use super::table::tone_of;
use super::{RunsCommand, figures_ui};
use crate::base::units;
use crate::explore::RunDelta;
use crate::gui::command::Command;
use crate::gui::plot::PlotOptions;
use crate::gui::state::Commands;
use crate::gui::theme::{Tone, code, colors, headline, space, tone, weak, weak_marked, weak_small};
use crate::gui::widgets::{Figure, badge, card_with_head, dot, secondary_button, titled_card};
use crate::profile::events::{ApplicationDelta, OwnDelta, Paired, SettingDelta, StageSeen, Verdict};

/// Verdicts and messages of each kind that are told.
const MAX_TOLD: usize = 8;

pub fn comparison_ui(ui: &mut Ui, compared: &Compared, is_swapped: bool, commands: &mut Commands) {
    let [way, other_way] = &compared.ways;
    let way = if is_swapped { other_way } else { way };
    ui.horizontal_wrapped(|ui| {
        ui.label(headline(&compared.title));
        ui.label(weak(ui, "before and after"));
        badge(ui, Tone::Plain, "exact");
        if secondary_button(ui, true, "Swap before and after")
            .on_hover_text("What counts as before counts as after")
            .clicked()
        {
            commands.push(Command::Runs(RunsCommand::SwapCompared));
        }
    });
    sides_ui(ui, way);
    if let Some(guess) = compared.guess {
        let open = if way.is_open_after { "after" } else { "before" };
        let text =
            format!("{guess}: the open one counts as {open} here. Swap them if it is the other way round.");
        notes_ui(ui, &[text]);
    }
    match &way.delta {
        RunDelta::Spark(delta) => application_ui(ui, delta, way, commands),
        RunDelta::Own(delta) => own_ui(ui, delta, way, commands),
    }
}

fn sides_ui(ui: &mut Ui, way: &ComparedWay) {
    let side_ui = |ui: &mut Ui, word: &str, side: &ComparedSide| {
        badge(ui, Tone::Plain, word);
        let open = if side.is_open { "the open one" } else { "" };
        ui.label(weak(ui, open));
        ui.label(weak(ui, &side.began));
        ui.add(Label::new(code(&side.place)).truncate())
            .on_hover_text(&side.place);
        ui.end_row();
    };
    Grid::new("sides")
        .num_columns(4)
        .spacing([space::MD, space::XS])
        .show(ui, |ui| {
            side_ui(ui, "before", &way.before);
            side_ui(ui, "after", &way.after);
        });
}

fn notes_ui(ui: &mut Ui, notes: &[String]) {
    for note in notes {
        ui.add(Label::new(tone(ui, Tone::Warn, format!("Note: {note}"))).wrap());
    }
}

/// What is good is green, what is bad red; a change that says nothing by itself keeps its colour.
fn tone_of_change(pair: &Paired) -> Tone {
    match pair.is_better() {
        Some(true) => Tone::Good,
        Some(false) => Tone::Bad,
        None => Tone::Plain,
    }
}

fn headline_ui(ui: &mut Ui, totals: &[Paired], names: &[&str]) {
    let shown: Vec<(&Paired, String, String)> = names
        .iter()
        .filter_map(|name| {
            totals
                .iter()
                .find(|total| total.name == *name && total.is_known())
        })
        .map(|pair| {
            let note = format!("{} → {}", pair.text(pair.before), pair.text(pair.after));
            (pair, pair.short_change_text(), note)
        })
        .collect();
    let figures: Vec<Figure<'_>> = shown
        .iter()
        .map(|(pair, value, note)| Figure {
            label: pair.name,
            value,
            note,
            tone: tone_of_change(pair),
            explanation: "Before → after. Changes under 2% are what two runs of the same program differ by.",
        })
        .collect();
    figures_ui(ui, &figures);
}

const STAGES: [Head; 8] = [
    Head::number("Stage", 72.0).explained("Its number before and after"),
    Head::number("Before", 74.0).explained("Wall time before"),
    Head::number("After", 74.0).explained("Wall time after"),
    Head::number("Change", 132.0),
    Head::number("Cost", 78.0)
        .rank(2)
        .explained("Change of the straggler cost"),
    Head::number("max / median", 112.0)
        .rank(1)
        .explained("The longest run time over the middle one"),
    Head::text("Verdict", 176.0),
    Head::text("Name", 84.0).rank(1),
];

fn application_ui(ui: &mut Ui, delta: &ApplicationDelta, way: &ComparedWay, commands: &mut Commands) {
    notes_ui(ui, &delta.notes);
    headline_ui(
        ui,
        &delta.totals,
        &[
            "wall time",
            "straggler cost",
            "task time",
            "shuffled",
            "spilled",
            "failed tasks",
        ],
    );
    verdicts_ui(ui, delta);
    let mut clicked = picture_ui(ui, way, "Click to tell this stage", commands);
    let n = units::plural(delta.stages.len() as u64, "stage");
    card_with_head(
        ui,
        &format!("{n} in both, by change"),
        |_| {},
        |ui| {
            ui.label(weak(ui, "click a row to tell it in full"));
        },
        |ui| {
            if delta.stages.is_empty() {
                ui.label(weak(ui, "No stage has the same name in both logs."));
                return;
            }
            let table = Table {
                id: "compared stages",
                heads: &STAGES,
                n_rows: delta.stages.len(),
                is_clickable: true,
            };
            let row = table.show(ui, |at| stage_row(delta, at));
            clicked = clicked.or(row);
        },
    );
    if let Some(stage) = clicked.and_then(|at| delta.stages.get(at)) {
        let (id, attempt) = if way.is_open_after {
            (stage.after_stage, stage.after_attempt)
        } else {
            (stage.before_stage, stage.before_attempt)
        };
        commands.push(Command::Runs(RunsCommand::ShowStage(id, attempt)));
    }
    for (word, stages) in [("before", &delta.only_before), ("after", &delta.only_after)] {
        alone_ui(ui, word, stages);
    }
    totals_ui(ui, "Totals", &delta.totals);
    settings_ui(
        ui,
        &delta.configuration,
        "The properties that bear on speed are the same.",
    );
}

fn stage_row(delta: &ApplicationDelta, at: usize) -> Row {
    let Some(stage) = delta.stages.get(at) else {
        return Row::default();
    };
    let wall = stage.wall();
    let number = if stage.before_stage == stage.after_stage {
        stage.after_stage.to_string()
    } else {
        format!("{} → {}", stage.before_stage, stage.after_stage)
    };
    let verdict = if stage.before == stage.after {
        stage.after.words().to_owned()
    } else {
        format!("{} → {}", stage.before.words(), stage.after.words())
    };
    let ratio = |ratio: Option<f64>| units::or_dash(ratio, |ratio| format!("{ratio:.1}"));
    let ratios = format!(
        "{} → {}",
        ratio(stage.max_over_median_before),
        ratio(stage.max_over_median_after)
    );
    let cost = Paired::time("cost", Some(0.0), Some(stage.straggler_seconds));
    Row {
        label: format!("Stage {number}: {}, {verdict}", wall.change_text()),
        hover: format!(
            "{}\n{} → {} tasks, {} → {} read",
            stage.name,
            units::count(stage.n_tasks_before),
            units::count(stage.n_tasks_after),
            units::bytes(stage.n_bytes_before),
            units::bytes(stage.n_bytes_after)
        ),
        is_open: false,
        cells: vec![
            number.into(),
            units::seconds(stage.before_wall_seconds).into(),
            units::seconds(stage.after_wall_seconds).into(),
            Cell {
                is_strong: true,
                ..Cell::toned(wall.change_text(), tone_of_change(&wall))
            },
            Cell::toned(cost.change_text(), tone_of_change(&cost)),
            ratios.into(),
            Cell::toned(verdict, tone_of(stage.after_severity)),
            Cell::toned(&stage.name, Tone::Weak),
        ],
    }
}

fn verdicts_ui(ui: &mut Ui, delta: &ApplicationDelta) {
    titled_card(ui, "Verdicts that came or went", |ui| {
        if delta.appeared.is_empty() && delta.gone.is_empty() {
            ui.label(weak(ui, "Every stage has the verdict that it had before."));
        }
        for (word, stages) in [("new", &delta.appeared), ("no longer", &delta.gone)] {
            for stage in stages.iter().take(MAX_TOLD) {
                ui.horizontal(|ui| {
                    let c = colors(ui);
                    dot(ui, c.of(tone_of(stage.severity)));
                    ui.label(weak(ui, word));
                    let text = verdict_text(stage);
                    ui.add(Label::new(&text).truncate()).on_hover_text(&text);
                });
            }
            more_ui(ui, stages.len(), MAX_TOLD);
        }
    });
}

fn verdict_text(stage: &StageSeen) -> String {
    let harmless = if stage.is_harmless { ", harmless" } else { "" };
    let cost = if stage.cost_seconds >= 0.001 {
        format!(", costs {}", units::seconds(stage.cost_seconds))
    } else {
        String::new()
    };
    format!(
        "{}{harmless} in stage {}{cost}: {}",
        stage.verdict.words(),
        stage.stage,
        stage.title
    )
}

fn more_ui(ui: &mut Ui, n: usize, n_told: usize) {
    if n > n_told {
        ui.label(weak(ui, format!("and {} more", n - n_told)));
    }
}

const ALONE: [Head; 4] = [
    Head::number("Stage", 72.0),
    Head::number("Wall", 80.0),
    Head::text("Verdict", 200.0),
    Head::text("Name", 120.0),
];

fn alone_ui(ui: &mut Ui, word: &str, stages: &[StageSeen]) {
    if stages.is_empty() {
        return;
    }
    let n = units::plural(stages.len() as u64, "stage");
    titled_card(ui, &format!("{n} only {word}"), |ui| {
        let table = Table {
            id: word,
            heads: &ALONE,
            n_rows: stages.len(),
            is_clickable: false,
        };
        table.show(ui, |at| {
            let Some(stage) = stages.get(at) else {
                return Row::default();
            };
            let verdict_tone = if stage.verdict == Verdict::Even {
                Tone::Plain
            } else {
                tone_of(stage.severity)
            };
            Row {
                cells: vec![
                    stage.stage.to_string().into(),
                    units::seconds(stage.wall_seconds).into(),
                    Cell::toned(stage.verdict.words(), verdict_tone),
                    Cell::toned(&stage.name, Tone::Weak),
                ],
                hover: stage.name.clone(),
                ..Row::default()
            }
        });
    });
}

/// The picture of both; returns the place of what was clicked.
fn picture_ui(ui: &mut Ui, way: &ComparedWay, click: &'static str, commands: &mut Commands) -> Option<usize> {
    let picture = &way.picture;
    if picture.is_empty() {
        return None;
    }
    let n_rows = (picture.y.last - picture.y.first).max(1.0);
    #[allow(clippy::cast_possible_truncation, reason = "a height on the screen")]
    let options = PlotOptions {
        height: (n_rows as f32 * 30.0).clamp(90.0, 460.0),
        click,
        ..PlotOptions::default()
    };
    chart_ui(ui, &picture.title, "compared", picture, options, commands).clicked
}

const TOTALS: [Head; 4] = [
    Head::text("", 190.0),
    Head::number("Before", 110.0),
    Head::number("After", 110.0),
    Head::number("Change", 170.0),
];

fn totals_ui(ui: &mut Ui, title: &str, totals: &[Paired]) {
    let known: Vec<&Paired> = totals.iter().filter(|total| total.is_known()).collect();
    titled_card(ui, title, |ui| {
        let table = Table {
            id: title,
            heads: &TOTALS,
            n_rows: known.len(),
            is_clickable: false,
        };
        table.show_all(ui, |at| {
            known.get(at).map_or_else(Row::default, |pair| Row {
                cells: vec![
                    pair.name.to_owned().into(),
                    pair.text(pair.before).into(),
                    pair.text(pair.after).into(),
                    Cell::toned(pair.change_text(), tone_of_change(pair)),
                ],
                ..Row::default()
            })
        });
    });
}

const SETTINGS: [Head; 3] = [
    Head::text("Setting", 300.0),
    Head::text("Before", 150.0),
    Head::text("After", 110.0),
];

fn settings_ui(ui: &mut Ui, settings: &[SettingDelta], same: &str) {
    titled_card(ui, "Configuration that differs", |ui| {
        if settings.is_empty() {
            ui.label(weak(ui, same));
            return;
        }
        let table = Table {
            id: "settings",
            heads: &SETTINGS,
            n_rows: settings.len(),
            is_clickable: false,
        };
        table.show_all(ui, |at| {
            let Some(setting) = settings.get(at) else {
                return Row::default();
            };
            let value = |value: &Option<String>| match value {
                Some(value) => Cell::from(value.clone()),
                None => Cell::toned("not set", Tone::Weak),
            };
            Row {
                cells: vec![
                    setting.name.clone().into(),
                    value(&setting.before),
                    value(&setting.after),
                ],
                hover: setting.name.clone(),
                ..Row::default()
            }
        });
    });
}

const DAYS: [Head; 7] = [
    Head::text("Day", 104.0),
    Head::number("Before", 74.0).explained("Time of work before"),
    Head::number("After", 74.0).explained("Time of work after"),
    Head::number("Change", 132.0),
    Head::number("Read", 120.0).rank(1).explained("Bytes as stored"),
    Head::number("Rows", 124.0).rank(2).explained("In the table"),
    Head::text("Status", 100.0),
];

fn own_ui(ui: &mut Ui, delta: &OwnDelta, way: &ComparedWay, commands: &mut Commands) {
    notes_ui(ui, &delta.notes);
    headline_ui(
        ui,
        &delta.totals,
        &[
            "wall time",
            "work",
            "work a GB read",
            "read",
            "rows out",
            "rows quarantined",
            "peak memory",
        ],
    );
    picture_ui(ui, way, "", commands);
    let n = units::plural(delta.days.len() as u64, "day");
    titled_card(ui, &format!("{n} in both, by change"), |ui| {
        let table = Table {
            id: "compared days",
            heads: &DAYS,
            n_rows: delta.days.len(),
            is_clickable: false,
        };
        table.show(ui, |at| day_row(delta, at));
        for (word, days) in [("before", &delta.only_before), ("after", &delta.only_after)] {
            if !days.is_empty() {
                ui.add_space(space::XS);
                let text = format!("Only {word}: {}", days.join(", "));
                ui.add(Label::new(weak_small(ui, text)).wrap());
            }
        }
    });
    messages_ui(ui, delta);
    totals_ui(ui, "Totals", &delta.totals);
    settings_ui(ui, &delta.configuration, "Job, spec and version are the same.");
}

fn day_row(delta: &OwnDelta, at: usize) -> Row {
    let Some(day) = delta.days.get(at) else {
        return Row::default();
    };
    let work = day.work();
    let status = |status: &str| status.replace('_', " ");
    let (before, after) = (status(&day.before_status), status(&day.after_status));
    let status = if before == after {
        Cell::toned(after, Tone::Weak)
    } else {
        Cell::toned(format!("{before} → {after}"), Tone::Warn)
    };
    let both = |before: String, after: String| {
        if before == after {
            after
        } else {
            format!("{before} → {after}")
        }
    };
    Row {
        cells: vec![
            day.partition.clone().into(),
            units::seconds(day.before_seconds).into(),
            units::seconds(day.after_seconds).into(),
            Cell {
                is_strong: true,
                ..Cell::toned(work.change_text(), tone_of_change(&work))
            },
            both(units::bytes(day.n_bytes_before), units::bytes(day.n_bytes_after)).into(),
            both(units::count(day.rows_before), units::count(day.rows_after)).into(),
            status,
        ],
        ..Row::default()
    }
}

fn messages_ui(ui: &mut Ui, delta: &OwnDelta) {
    if delta.appeared.is_empty() && delta.gone.is_empty() {
        return;
    }
    titled_card(ui, "Warnings that came or went", |ui| {
        for (word, texts) in [("new", &delta.appeared), ("no longer", &delta.gone)] {
            for text in texts.iter().take(MAX_TOLD) {
                ui.add(Label::new(weak_marked(ui, &format!("{word}: {text}"))).wrap());
            }
            more_ui(ui, texts.len(), MAX_TOLD);
        }
    });
}

//! What helps: each remedy with the loads that it would give beside those of now, and a button that says what it does and
//! where it writes.

use egui::{Grid, Label, Ui};

use super::accepted::{Accepted, accepted_ui, instead_of, is_accepted};
use super::after::{STRIP_WIDTH, loads_strip, square};
use super::cards::rows_head_ui;
use super::work::Reported;
use super::{KeysCommand, KeysPanel};
use crate::base::{Accuracy, units};
use crate::gui::command::Command;
use crate::gui::second_data::InputReader;
use crate::gui::state::Commands;
use crate::gui::theme::{
    Tone, colors, space, strong_marked, tone, weak, weak_marked, weak_small, weak_small_marked,
};
use crate::gui::widgets::{badge, card, card_button, divider, primary_button, secondary_button};
use crate::profile::keys::{LoadMetrics, OfferedRemedy, Prediction, Remedy, RemedyKind};
use crate::transform::RecipeStep;

pub(super) fn remedies_card(
    ui: &mut Ui,
    reported: &Reported,
    accepted: &[Accepted],
    panel: &mut KeysPanel,
    commands: &mut Commands,
) {
    let remedies = &reported.report.remedies;
    let declined = &reported.report.declined;
    if remedies.is_empty() && accepted.is_empty() && declined.is_empty() {
        return;
    }
    card(ui, |ui| {
        rows_head_ui(ui, "What helps", reported);
        accepted_ui(ui, accepted, reported, panel, commands);
        if !accepted.is_empty() {
            divider(ui);
        }
        if !remedies.is_empty() && !matches!(reported.report.profile.accuracy, Accuracy::Exact) {
            let text = "Loads and times are of the rows that were counted, not of the whole: count all partitions before you \
                        take a number of partitions from here.";
            ui.add(Label::new(weak_small(ui, text)).wrap());
        }
        for (at, offered) in remedies.iter().enumerate() {
            let kind = offered.remedy.kind();
            let action = if is_accepted(accepted, kind) {
                Action::InRecipe
            } else if let Some(one) = instead_of(accepted, kind) {
                match kind {
                    // Its saving is of another sort: the start of tasks.
                    RemedyKind::OtherPartitions => Action::NotWith(one.said()),
                    _ => Action::TakenCareOf(one.said()),
                }
            } else {
                action_of(reported, offered, at)
            };
            if at > 0 {
                divider(ui);
            }
            remedy_ui(ui, reported, offered, &action, at == 0, panel, commands);
        }
        if !declined.is_empty() && !remedies.is_empty() {
            divider(ui);
        }
        for declined in declined {
            let text = format!("Not offered: {}. {}", declined.title, declined.reason);
            ui.add(Label::new(weak_marked(ui, &text)).wrap());
        }
    });
}

/// What can be done about a remedy in the window.
enum Action<'a> {
    /// The recipe has it.
    InRecipe,
    /// The recipe has an alternative, which is this one.
    TakenCareOf(String),
    /// The recipe has a remedy that was made for the number of partitions that is shown.
    NotWith(String),
    /// Appends these steps.
    Steps(&'a [RecipeStep]),
    /// Asks for the other side of a join by these columns.
    Join(&'a [String]),
    /// Another number of partitions: tried here, set in Spark.
    Partitions(u32, String),
    /// Shows the key with these columns.
    Key(Vec<String>),
    /// Asks for a column to add to these.
    Column(&'a [String]),
    /// Why there is nothing but its text.
    Text(String),
}

fn action_of<'a>(reported: &'a Reported, offered: &'a OfferedRemedy, at: usize) -> Action<'a> {
    match (reported.steps.get(at), &offered.remedy) {
        (Some(Ok(Some(steps))), _) => Action::Steps(steps),
        (Some(Err(reason)), _) => Action::Text(format!("It cannot be written as steps: {reason}.")),
        (_, Remedy::Broadcast { .. }) if reported.no_join.is_some() => {
            let reason = reported.no_join.as_deref().unwrap_or_default();
            Action::Text(format!("It cannot be written as a step: {reason}."))
        }
        (_, Remedy::Broadcast { columns }) => Action::Join(columns),
        (_, Remedy::OtherPartitions { n_partitions }) => {
            let setting = offered.remedy.spark_setting().unwrap_or_default();
            Action::Partitions(*n_partitions, setting)
        }
        (_, Remedy::CompoundKey { columns, added }) if added.is_empty() => Action::Column(columns),
        (_, Remedy::CompoundKey { columns, added }) => {
            Action::Key(columns.iter().chain(added).cloned().collect())
        }
        _ => Action::Text(String::new()),
    }
}

impl Action<'_> {
    /// What its button does and where that is written, in a sentence.
    fn says(&self) -> String {
        match self {
            Self::InRecipe => "Its steps are in the recipe: see above.".to_owned(),
            Self::TakenCareOf(by) => format!(
                "Already taken care of by {by}: one way to spread the key is enough, and both together are not what was \
                 predicted. Take that back first to choose this one."
            ),
            Self::NotWith(by) => format!(
                "Not together with {by}, which was made for the number of partitions shown here. Take that back, choose the \
                 number, then spread the key for it."
            ),
            Self::Steps(steps) => {
                let names: Vec<String> = steps
                    .iter()
                    .map(|step| format!("`{}`", step.step.name()))
                    .collect();
                format!(
                    "Writes {} at the end of the recipe, and so into the job spec: {}. Ctrl+Z takes {} back.",
                    units::plural(steps.len() as u64, "step"),
                    names.join(", "),
                    if steps.len() == 1 { "it" } else { "them" }
                )
            }
            Self::Join(columns) => format!(
                "Asks for the other side; confirming writes it into the recipe's inputs and a step `join` by {} at its end, \
                 which does not shuffle these rows.",
                columns.join(", ")
            ),
            Self::Partitions(n, setting) => format!(
                "Try shows {} here; Copy puts `{setting}` on the clipboard. Neither writes anything.",
                units::plural((*n).into(), "partition")
            ),
            Self::Key(columns) => format!(
                "Adds the key {} to those above and shows its loads. The recipe stays as it is: what it groups by the first \
                 columns alone is not changed.",
                columns.join(" + ")
            ),
            Self::Column(_) => {
                "Adds a key of more columns to those above and shows its loads. The recipe stays as it is."
                    .to_owned()
            }
            Self::Text(reason) => reason.clone(),
        }
    }
}

fn remedy_ui(
    ui: &mut Ui,
    reported: &Reported,
    offered: &OfferedRemedy,
    action: &Action<'_>,
    is_first: bool,
    panel: &mut KeysPanel,
    commands: &mut Commands,
) {
    const BUTTONS: f32 = 150.0;
    ui.horizontal_top(|ui| {
        let width = (ui.available_width() - BUTTONS - space::MD).max(160.0);
        ui.vertical(|ui| {
            ui.set_width(width);
            ui.spacing_mut().item_spacing.y = space::XS;
            ui.add(Label::new(strong_marked(ui, &offered.title)).wrap());
            if !offered.gain.is_empty() {
                ui.add(Label::new(tone(ui, Tone::Good, &offered.gain)).wrap());
            }
            ui.add(Label::new(weak_marked(ui, &offered.message)).wrap());
            loads_ui(ui, reported, offered);
            let says = action.says();
            if !says.is_empty() {
                ui.add(Label::new(weak_marked(ui, &says)).wrap());
            }
            if !offered.limits.is_empty() {
                ui.add(Label::new(weak_small_marked(ui, &offered.limits)).wrap());
            }
        });
        ui.with_layout(egui::Layout::top_down(egui::Align::Max), |ui| {
            ui.spacing_mut().item_spacing.y = space::XS;
            action_ui(ui, reported, offered, action, is_first, panel, commands);
        });
    });
}

/// Figures of now and after, one below the other, and the loads themselves.
fn loads_ui(ui: &mut Ui, reported: &Reported, offered: &OfferedRemedy) {
    let partitions = &reported.report.partitions;
    let Some(after) = &offered.after else {
        if matches!(offered.remedy, Remedy::Broadcast { .. }) {
            let text = "After it there is no shuffle by this key, and so no load to even.";
            ui.label(tone(ui, Tone::Good, text));
        }
        return;
    };
    let c = colors(ui);
    ui.horizontal(|ui| {
        ui.spacing_mut().item_spacing.x = space::XL;
        Grid::new(("loads after", &offered.title))
            .spacing([space::LG, space::XS / 2.0])
            .show(ui, |ui| {
                for head in ["", "largest", "max / mean", "straggler cost", "wall time"] {
                    ui.label(weak_small(ui, head));
                }
                ui.end_row();
                let mut row = |name: &str, color, metrics: &LoadMetrics| {
                    ui.horizontal(|ui| {
                        ui.spacing_mut().item_spacing.x = space::XS;
                        square(ui, color);
                        ui.label(weak(ui, name));
                    });
                    ui.label(partitions.weight.words(metrics.max));
                    ui.label(units::times(metrics.max_over_mean));
                    ui.label(units::seconds(metrics.straggler_seconds));
                    ui.label(units::seconds(metrics.wall_seconds));
                    ui.end_row();
                };
                row("now", c.faint, &partitions.metrics);
                let told = offered.prediction.map_or("predicted", Prediction::words);
                row(&format!("after ({told})"), c.data, after);
            });
        if ui.available_width() >= STRIP_WIDTH {
            loads_strip(ui, partitions, &offered.loads);
        }
    });
}

fn action_ui(
    ui: &mut Ui,
    reported: &Reported,
    offered: &OfferedRemedy,
    action: &Action<'_>,
    is_first: bool,
    panel: &mut KeysPanel,
    commands: &mut Commands,
) {
    // The most helpful remedy has the one primary button.
    let button = |ui: &mut Ui, text: &str| {
        if is_first {
            primary_button(ui, true, text)
        } else {
            secondary_button(ui, true, text)
        }
    };
    match action {
        Action::InRecipe => {
            badge(ui, Tone::Good, "in the recipe");
        }
        Action::TakenCareOf(_) => {
            badge(ui, Tone::Plain, "taken care of").on_hover_text(action.says());
        }
        Action::NotWith(_) => {
            badge(ui, Tone::Plain, "not with that").on_hover_text(action.says());
        }
        Action::Steps(steps) => {
            if button(ui, "Add to recipe").on_hover_text(action.says()).clicked() {
                let add = KeysCommand::AddSteps(offered.title.clone(), steps.to_vec());
                commands.push(Command::Keys(add));
            }
        }
        Action::Join(columns) => {
            if button(ui, "Join in the recipe…").clicked() {
                commands.push(Command::ShowAddInput(InputReader::NewJoin(columns.to_vec())));
            }
        }
        Action::Partitions(n, setting) => {
            if button(ui, &format!("Try {n}")).clicked() {
                panel.n_partitions = *n;
            }
            if secondary_button(ui, true, "Copy Spark setting")
                .on_hover_text(setting)
                .clicked()
            {
                commands.push(Command::CopyText(setting.clone()));
                commands.push(Command::Say(Tone::Good, format!("Copied {setting}")));
            }
        }
        Action::Key(columns) => {
            if button(ui, "Show this key")
                .on_hover_text(columns.join(" + "))
                .clicked()
            {
                panel.add(columns.clone());
            }
        }
        Action::Column(columns) => {
            card_button(ui, "wider key", "Add a column…", |ui| {
                ui.set_width(240.0);
                egui::ScrollArea::vertical().max_height(280.0).show(ui, |ui| {
                    for name in &reported.other_columns {
                        let label = egui::Button::selectable(false, crate::gui::theme::code(name));
                        let wide = ui.add_sized([ui.available_width(), crate::gui::theme::size::ROW], label);
                        if wide.clicked() {
                            let mut key = columns.to_vec();
                            key.push(name.clone());
                            panel.add(key);
                            ui.close();
                        }
                    }
                });
            });
        }
        Action::Text(_) => {
            if secondary_button(ui, true, "Copy text").clicked() {
                let text = format!("{}\n{}\n{}", offered.title, offered.message, offered.limits);
                commands.push(Command::CopyText(text.trim_end().to_owned()));
                commands.push(Command::Say(Tone::Good, "Copied the remedy as text".to_owned()));
            }
        }
    }
}

//! The lines above the cards: which rows are profiled, what they are compared with, search and order.

use egui::{Align, Layout, ScrollArea, Ui, vec2};

use super::apply::all_label;
use super::facts::failed_text;
use super::work::{SAMPLE_FILES, SAMPLE_ROWS};
use super::{Order, Part, ProfileCommand, ProfilePanel, ProfileView};
use crate::base::units;
use crate::gui::command::Command;
use crate::gui::listed::ListedDataset;
use crate::gui::state::Commands;
use crate::gui::theme::{self, Tone, size, space};
use crate::gui::widgets::{
    accuracy_badge, badge, card_button, primary_button, progress_bar, quiet_button, secondary_button,
    segmented, spinner, text_field,
};
use crate::profile::columns::Level;
use crate::storage::Partition;

const ORDERS: [(Order, &str); 6] = [
    (Order::AsInData, "as in the data"),
    (Order::Name, "name"),
    (Order::Nulls, "most nulls"),
    (Order::Distinct, "most distinct"),
    (Order::Drift, "most drift"),
    (Order::Type, "type"),
];

/// Narrower tabs have the buttons on a second line; before there is a profile there are fewer of them.
const ONE_LINE: f32 = 940.0;
const ONE_LINE_BEFORE: f32 = 600.0;

/// What a click on "Profile" reads: `2020/01/09`, `all 13 days`.
pub(super) fn what(view: ProfileView<'_>, dataset: &ListedDataset, panel: &ProfilePanel) -> String {
    match view.partition {
        Some(open) if !panel.is_all => dataset.partition_label(open),
        _ => all_label(dataset),
    }
}

pub(super) fn toolbar_ui(
    ui: &mut Ui,
    view: ProfileView<'_>,
    dataset: &ListedDataset,
    panel: &mut ProfilePanel,
    commands: &mut Commands,
) {
    let one_line = if view.profiled().is_some() {
        ONE_LINE
    } else {
        ONE_LINE_BEFORE
    };
    let is_wide = ui.available_width() > one_line;
    ui.horizontal(|ui| {
        ui.set_min_height(size::CONTROL);
        ui.spacing_mut().item_spacing.x = space::SM;
        let parts = [(Part::Columns, "Columns"), (Part::Map, "Schema map")];
        if let Some(part) = segmented(ui, &parts, panel.part) {
            panel.part = part;
        }
        ui.scope(|ui| {
            ui.set_max_width(170.0);
            text_field(
                ui,
                &mut panel.search,
                "Find a column by name",
                "find by name",
                false,
            );
        });
        if panel.part == Part::Columns {
            order_button(ui, panel);
        }
        if is_wide {
            actions_ui(ui, view, dataset, panel, commands);
        }
    });
    if !is_wide && panel.part == Part::Columns {
        ui.horizontal(|ui| {
            ui.set_min_height(size::CONTROL);
            ui.spacing_mut().item_spacing.x = space::SM;
            actions_ui(ui, view, dataset, panel, commands);
        });
    }
    if panel.part == Part::Columns {
        state_ui(ui, view, commands);
    }
}

/// What is profiled and what it is compared with, from the right.
fn actions_ui(
    ui: &mut Ui,
    view: ProfileView<'_>,
    dataset: &ListedDataset,
    panel: &mut ProfilePanel,
    commands: &mut Commands,
) {
    if panel.part == Part::Map {
        return;
    }
    ui.with_layout(Layout::right_to_left(Align::Center), |ui| {
        if view.slots.profile.is_pending() {
            if secondary_button(ui, true, "Stop")
                .on_hover_text("Keeps what was computed, labelled partial")
                .clicked()
            {
                commands.push(Command::Profile(ProfileCommand::Stop));
            }
        } else if view.profiled().is_some()
            && primary_button(ui, true, "Profile")
                .on_hover_text(format!("Profiles {}", what(view, dataset, panel)))
                .clicked()
        {
            commands.push(Command::Profile(ProfileCommand::Start));
        }
        rows_button(ui, view, dataset, panel);
        compare_button(ui, view, dataset, panel, commands);
    });
}

fn order_button(ui: &mut Ui, panel: &mut ProfilePanel) {
    let current = ORDERS.iter().find(|(order, _)| *order == panel.order);
    let text = format!("Sort: {}", current.map_or("", |(_, text)| text));
    card_button(ui, "sort cards", &text, |ui| {
        for (order, text) in ORDERS {
            if ui.radio(panel.order == order, text).clicked() {
                panel.order = order;
                ui.close();
            }
        }
    });
}

/// Which rows a profile is of.
fn rows_button(ui: &mut Ui, view: ProfileView<'_>, dataset: &ListedDataset, panel: &mut ProfilePanel) {
    let what = what(view, dataset, panel);
    let rows = if panel.is_after_recipe {
        "after recipe"
    } else {
        "raw"
    };
    let sample = if panel.is_sample { ", sample" } else { "" };
    card_button(ui, "profiled rows", &format!("{what}, {rows}{sample}"), |ui| {
        ui.set_width(320.0);
        ui.spacing_mut().item_spacing.y = space::XS;
        ui.label(theme::strong("Rows to profile"));
        if let Some(open) = view.partition {
            let text = format!("This partition: {}", dataset.partition_label(open));
            if ui.radio(!panel.is_all, text).clicked() {
                panel.is_all = false;
            }
        }
        let is_all = panel.is_all || view.partition.is_none();
        if ui
            .radio(is_all, format!("All partitions: {}", all_label(dataset)))
            .clicked()
        {
            panel.is_all = true;
        }
        ui.add_space(space::XS);
        if ui
            .radio(!panel.is_after_recipe, "Raw, as they are read")
            .clicked()
        {
            panel.is_after_recipe = false;
        }
        let n_steps = view.recipe.steps.len();
        let after = format!("After the recipe's {}", units::plural(n_steps as u64, "step"));
        if ui
            .add_enabled(n_steps > 0, egui::RadioButton::new(panel.is_after_recipe, after))
            .clicked()
        {
            panel.is_after_recipe = true;
        }
        ui.add_space(space::XS);
        if ui.radio(!panel.is_sample, "All rows").clicked() {
            panel.is_sample = false;
        }
        let sample = format!(
            "A sample: first {} rows of {SAMPLE_FILES} files a partition",
            units::count(SAMPLE_ROWS)
        );
        if ui.radio(panel.is_sample, sample).clicked() {
            panel.is_sample = true;
        }
        ui.add_space(space::XS);
        let mut is_summary = panel.level == Level::Summary;
        let hint = "Faster: no histograms and frequent values, and nothing to compare with";
        if ui
            .checkbox(&mut is_summary, "Only summary figures")
            .on_hover_text(hint)
            .changed()
        {
            panel.level = if is_summary { Level::Summary } else { Level::Full };
        }
    });
}

/// What the profile is compared with.
fn compare_button(
    ui: &mut Ui,
    view: ProfileView<'_>,
    dataset: &ListedDataset,
    panel: &mut ProfilePanel,
    commands: &mut Commands,
) {
    if view.profiled().is_none() {
        return;
    }
    card_button(ui, "compare profile", "Compare…", |ui| {
        ui.set_width(300.0);
        ui.spacing_mut().item_spacing.y = space::XS;
        ui.label(theme::strong("Compare with"));
        let hint = "2020-01-01..2020-01-07";
        let mut asked = None;
        ui.horizontal(|ui| {
            let width = ui.available_width() - 84.0;
            let field = ui.scope(|ui| {
                ui.set_max_width(width);
                text_field(ui, &mut panel.range, "Days to compare with", hint, true)
            });
            let is_entered =
                field.inner.lost_focus() && ui.input(|input| input.key_pressed(egui::Key::Enter));
            let found = range(dataset, &panel.range);
            if field.inner.changed() || found.is_ok() {
                panel.range_problem = None;
            }
            let button = secondary_button(ui, !panel.range.trim().is_empty(), "Range");
            let button = button
                .on_hover_text("Compares with the rows of these days, both ends included; Enter does too");
            if button.clicked() || is_entered {
                match found {
                    Ok(found) => asked = Some((found, panel.range.trim().to_owned())),
                    Err(why) => {
                        panel.range_problem = Some(why);
                        field.inner.request_focus();
                    }
                }
            }
        });
        if let Some(why) = &panel.range_problem {
            ui.add(egui::Label::new(theme::tone(ui, Tone::Bad, why)).wrap());
        }
        ScrollArea::vertical()
            .id_salt("partitions to compare with")
            .max_height(220.0)
            .auto_shrink([false, true])
            .show(ui, |ui| {
                for partition in dataset.keys.partitions.keys() {
                    let label = dataset.partition_label(partition);
                    if quiet_button(ui, true, &label).clicked() {
                        asked = Some((vec![partition.clone()], label));
                    }
                }
            });
        if quiet_button(ui, true, &all_label(dataset)).clicked() {
            asked = Some((
                dataset.keys.partitions.keys().cloned().collect(),
                all_label(dataset),
            ));
        }
        if let Some((partitions, label)) = asked {
            commands.push(Command::Profile(ProfileCommand::CompareWith(partitions, label)));
            ui.close();
        }
        if quiet_button(ui, true, "A saved baseline…").clicked() {
            commands.push(Command::Profile(ProfileCommand::ChooseBaseline));
            ui.close();
        }
    });
    if quiet_button(ui, true, "Save as baseline…")
        .on_hover_text("Keeps counts, ranks and frequent values of every column in a file, no rows")
        .clicked()
    {
        commands.push(Command::Profile(ProfileCommand::ChooseSave));
    }
}

/// Partitions from one name to another, both with: `2020-01-01..2020-01-07`, or one name.
///
/// # Errors
/// Why there are none, with what there is.
fn range(dataset: &ListedDataset, text: &str) -> Result<Vec<Partition>, String> {
    let (from, to) = text.split_once("..").unwrap_or((text, text));
    let (from, to) = (from.trim(), to.trim());
    if from.is_empty() || to.is_empty() {
        return Err("Write both ends, such as 2020-01-01..2020-01-07, or one day or month.".to_owned());
    }
    let is_to = |name: &str| name <= to || name.starts_with(to);
    if !is_to(from) {
        return Err(format!("The range ends before it begins: {from} is after {to}."));
    }
    let partitions = &dataset.keys.partitions;
    let found: Vec<Partition> = partitions
        .keys()
        .filter(|partition| {
            let name = partition.to_string();
            name.as_str() >= from && is_to(&name)
        })
        .cloned()
        .collect();
    if found.is_empty() {
        let ends = partitions.keys().next().zip(partitions.keys().next_back());
        let there = ends.map_or_else(String::new, |(first, last)| {
            format!(" The data have {first} to {last}.")
        });
        return Err(format!("No partition is in this range.{there}"));
    }
    Ok(found)
}

/// What is shown, how far it can be trusted, and what is under way.
fn state_ui(ui: &mut Ui, view: ProfileView<'_>, commands: &mut Commands) {
    let slots = view.slots;
    if view.profiled().is_none() && !slots.profile.is_pending() {
        return;
    }
    ui.horizontal(|ui| {
        ui.set_min_height(size::ROW);
        ui.spacing_mut().item_spacing.x = space::SM;
        if slots.profile.is_pending() {
            spinner(ui);
            let label = view.key().map_or_else(String::new, super::ProfileKey::said);
            ui.label(theme::weak(ui, format!("Profiling {label}")));
            if let Some(progress) = view.progress {
                progress_bar(ui, 160.0, progress.share(), Tone::Accent, "profile");
                ui.label(theme::weak(ui, progress.note.as_str()));
            }
            return;
        }
        let Some(profiled) = view.profiled() else { return };
        if let Some(key) = view.key() {
            ui.label(theme::body(key.said()));
        }
        let rows = units::plural(profiled.n_rows, "row");
        let files = units::plural(profiled.n_files, "file");
        ui.label(theme::weak(ui, format!("{rows} · {files}")));
        accuracy_badge(ui, profiled.accuracy);
        if let Some(why) = view.is_outdated() {
            badge(ui, Tone::Accent, &why).on_hover_text("Profile again for what is open now");
        }
        if profiled.n_rejects > 0 {
            badge(ui, Tone::Bad, &units::plural(profiled.n_rejects, "reject"))
                .on_hover_text("Records that could not be read or computed are not in the profile");
        }
        if profiled.n_files_failed > 0 {
            let files = units::plural(profiled.n_files_failed, "file");
            badge(ui, Tone::Bad, &format!("{files} left out"))
                .on_hover_text(failed_text(&profiled.failed_files, profiled.n_files_failed));
        }
        if slots.against.is_pending() || slots.drift.is_pending() {
            spinner(ui);
            ui.label(theme::weak(ui, "Comparing…"));
        }
        ui.with_layout(Layout::right_to_left(Align::Center), |ui| {
            if slots.against.key().is_some() && quiet_button(ui, true, "Stop comparing").clicked() {
                commands.push(Command::Profile(ProfileCommand::StopComparing));
            }
        });
    });
    ui.allocate_space(vec2(0.0, space::XS));
}

#[cfg(test)]
pub(super) mod tests {
    use chrono::NaiveDate;

    use super::range;
    use crate::gui::listed::{Listed, ListedDataset};
    use crate::storage::{Inventory, Location, Object};

    /// A dataset of so many days of January 2020.
    pub fn dataset(n_days: u32) -> ListedDataset {
        let mut inventory = Inventory::new(&Location::Local("lake".into()));
        let objects: Vec<Object> = (1..=n_days)
            .map(|day| Object {
                key: format!("raw/2020/01/{day:02}/a.jsonl"),
                size: 10,
                modified: chrono::DateTime::UNIX_EPOCH,
                etag: None,
            })
            .collect();
        inventory.add(&objects);
        Listed::new("lake", &inventory, true).datasets[0].clone()
    }

    #[test]
    fn a_range_has_both_its_ends_and_a_month_is_one() {
        let dataset = dataset(14);
        let days = |text: &str| -> Vec<Option<NaiveDate>> {
            range(&dataset, text)
                .unwrap_or_default()
                .iter()
                .map(crate::storage::Partition::date)
                .collect()
        };
        assert_eq!(days("2020-01-03..2020-01-05").len(), 3);
        assert_eq!(days("2020-01").len(), 14);
        assert_eq!(days("2020-01-03").len(), 1);
        let why = |text: &str| range(&dataset, text).unwrap_err();
        assert!(why("").starts_with("Write both ends") && why("2020-02..").starts_with("Write both ends"));
        assert_eq!(
            why("2020-01-05..2020-01-03"),
            "The range ends before it begins: 2020-01-05 is after 2020-01-03."
        );
        assert_eq!(
            why("2021-01-01..2021-01-07"),
            "No partition is in this range. The data have 2020-01-01 to 2020-01-14."
        );
    }
}

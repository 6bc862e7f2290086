//! Which keys are counted over which rows: columns to choose from, candidates, scope, progress.

use egui::{ScrollArea, Ui};
use polars::prelude::DataType;

use super::work::Scope;
use super::{KeysCommand, KeysPanel, KeysView};
use crate::base::units;
use crate::dataset::dtype_name;
use crate::explore::Explored;
use crate::gui::command::Command;
use crate::gui::state::Commands;
use crate::gui::theme::{Tone, space, weak, weak_small};
use crate::gui::widgets::{
    Icon, accuracy_badge, badge, card_button, card_with_head, icon_button, primary_button, progress_bar,
    secondary_button, segmented, text_field,
};
use crate::profile::keys::key_fields;

pub(super) fn choose_card(
    ui: &mut Ui,
    view: &KeysView<'_>,
    explored: &Explored,
    panel: &mut KeysPanel,
    commands: &mut Commands,
) {
    let mut scope = None;
    let choices: &[(Scope, &str)] = match view.partition {
        // A segmented control at the right is given from right to left.
        Some(_) => &[
            (Scope::All, "all partitions"),
            (Scope::Partition, "this partition"),
            (Scope::Sample, "sample shown"),
        ],
        None => &[(Scope::All, "all partitions"), (Scope::Sample, "sample shown")],
    };
    let shown = panel.scope;
    card_with_head(
        ui,
        "Keys",
        |ui| {
            if let Some(counted) = view
                .slots
                .counted
                .value()
                .filter(|counted| counted.scope == shown)
            {
                accuracy_badge(ui, counted.accuracy);
                if counted.n_files_failed > 0 {
                    let text = format!("{} unreadable", units::plural(counted.n_files_failed, "file"));
                    badge(ui, Tone::Warn, &text);
                }
            }
        },
        |ui| scope = segmented(ui, choices, shown),
        |ui| {
            candidates_ui(ui, view, explored, panel);
            if panel.scope != Scope::Sample && !panel.keys.is_empty() {
                count_ui(ui, view, panel, commands);
            }
        },
    );
    if let Some(scope) = scope {
        panel.scope = scope;
    }
    if panel.scope == Scope::Partition && view.partition.is_none() {
        panel.scope = Scope::All;
    }
}

fn candidates_ui(ui: &mut Ui, view: &KeysView<'_>, explored: &Explored, panel: &mut KeysPanel) {
    ui.horizontal_wrapped(|ui| {
        ui.spacing_mut().item_spacing.x = space::SM;
        let mut removed = None;
        for key in panel.keys.clone() {
            let name = key.join(" + ");
            let is_open = panel.open_key() == Some(&key);
            if ui
                .selectable_label(is_open, crate::gui::theme::code(&name))
                .on_hover_text("Shows this key")
                .clicked()
            {
                panel.open = Some(key.clone());
            }
            if let Some(column) = view.missing(explored, panel.scope, &key) {
                let hover =
                    format!("`{column}` does not come out of the recipe's steps, so this key is not counted");
                badge(ui, Tone::Warn, "not there").on_hover_text(hover);
            }
            if icon_button(ui, true, Icon::Close, &format!("Remove the key {name}")).clicked() {
                removed = Some(key);
            }
        }
        if let Some(key) = removed {
            panel.remove(&key);
        }
        let mut has_picker = false;
        card_button(ui, "add key", "Add key…", |ui| {
            has_picker = true;
            picker_ui(ui, explored, panel);
        });
        panel.has_picker = has_picker;
        if panel.keys.is_empty() {
            ui.label(weak(ui, "the columns that rows are shuffled by"));
        }
    });
}

/// Columns with boxes; several together are one key, in the order they were ticked. The field has the keyboard: Enter ticks
/// the first column that it finds, and adds the key when nothing is typed.
fn picker_ui(ui: &mut Ui, explored: &Explored, panel: &mut KeysPanel) {
    ui.set_width(300.0);
    if !panel.has_picker {
        panel.filter.clear();
    }
    let field = text_field(ui, &mut panel.filter, "Find a column", "Find a column", false);
    let is_entered = field.lost_focus() && ui.input(|input| input.key_pressed(egui::Key::Enter));
    if !panel.has_picker || is_entered {
        field.request_focus();
    }
    let wanted = panel.filter.to_lowercase();
    let fields = key_fields(explored.df.schema());
    let found: Vec<&(String, &DataType)> = fields
        .iter()
        .filter(|(name, _)| name.to_lowercase().contains(&wanted))
        .collect();
    let first = found.first().map(|(name, _)| name);
    let is_ready = is_entered && wanted.is_empty();
    if is_entered
        && !wanted.is_empty()
        && let Some(first) = first
    {
        if !panel.draft.contains(first) {
            panel.draft.push(first.clone());
        }
        panel.filter.clear();
    }
    ScrollArea::vertical()
        .id_salt("key columns")
        .max_height(280.0)
        .show(ui, |ui| {
            ui.set_width(ui.available_width());
            if found.is_empty() {
                let text = format!(
                    "No column and no field of a struct has \u{201c}{}\u{201d} in its name.",
                    panel.filter.trim()
                );
                ui.add(egui::Label::new(weak_small(ui, &text)).wrap());
            }
            for (name, dtype) in found {
                let mut is_chosen = panel.draft.contains(name);
                ui.horizontal(|ui| {
                    if ui.checkbox(&mut is_chosen, name.as_str()).changed() {
                        panel.draft.retain(|chosen| chosen != name);
                        if is_chosen {
                            panel.draft.push(name.clone());
                        }
                    }
                    let (kind, explanation) = kind_of(dtype);
                    ui.label(weak_small(ui, &kind)).on_hover_text(explanation);
                });
            }
        });
    ui.add_space(space::XS);
    let text = match panel.draft.len() {
        0 | 1 => "Add key".to_owned(),
        n => format!("Add key of {n} columns"),
    };
    let is_asked = primary_button(ui, !panel.draft.is_empty(), &text).clicked() || is_ready;
    if is_asked && !panel.draft.is_empty() {
        let key = std::mem::take(&mut panel.draft);
        panel.add(key);
        ui.close();
    }
}

/// The button that reads files, with what it costs, or the progress with a way to stop.
fn count_ui(ui: &mut Ui, view: &KeysView<'_>, panel: &KeysPanel, commands: &mut Commands) {
    ui.horizontal(|ui| {
        ui.spacing_mut().item_spacing.x = space::SM;
        if let Some(progress) = view.progress {
            progress_bar(ui, 220.0, progress.share(), Tone::Accent, "Counting keys");
            let read = format!(
                "{} of {} · {}",
                units::count(progress.n_done),
                units::plural(progress.n_total.unwrap_or(0), "file"),
                units::bytes(progress.n_bytes)
            );
            ui.label(weak(ui, read));
            if secondary_button(ui, true, "Stop")
                .on_hover_text("What was counted so far stays")
                .clicked()
            {
                commands.push(Command::Keys(KeysCommand::Stop));
            }
            return;
        }
        if primary_button(ui, true, "Count keys").clicked() {
            commands.push(Command::Keys(KeysCommand::Count));
        }
        if let Some(dataset) = view.dataset {
            let (n_files, n_bytes) = match (view.partition, panel.scope) {
                (Some(partition), Scope::Partition) => dataset
                    .stats(partition)
                    .map_or((0, 0), |stats| (stats.n_files, stats.n_bytes)),
                _ => (dataset.n_files, dataset.skew.metrics.n_bytes),
            };
            let text = format!(
                "reads {}, {}",
                units::plural(n_files, "file"),
                units::bytes(n_bytes)
            );
            ui.label(weak(ui, text));
        }
        let is_other = view.slots.counted.value().is_some_and(|counted| {
            let is_told = |key| counted.keys.contains(key) || counted.missing.contains(key);
            counted.scope == panel.scope && !panel.keys.iter().all(is_told)
        });
        if is_other {
            badge(ui, Tone::Warn, "some keys are not counted yet");
        }
        if is_before(view, panel) {
            badge(ui, Tone::Warn, "counted before the recipe changed");
        }
    });
}

/// Whether the recipe changed after the keys of files were counted.
pub(super) fn is_before(view: &KeysView<'_>, panel: &KeysPanel) -> bool {
    let key = view.slots.counted.key();
    key.is_some_and(|counted| counted.scope == panel.scope && counted.recipe != *view.recipe)
}

/// The type of a column in few words, and what it means as a key. Of a nested type its kind is enough to choose by.
fn kind_of(dtype: &DataType) -> (String, String) {
    let name = dtype_name(dtype);
    let kind = name.split('<').next().unwrap_or_default();
    match dtype {
        DataType::List(_) => (
            format!("{kind}, as a whole"),
            format!(
                "{name}. One key is a whole list, as Spark groups by arrays. To shuffle by its items, explode it first."
            ),
        ),
        DataType::Struct(_) => (
            format!("{kind}, as a whole"),
            format!(
                "{name}. One key is all its fields together, as Spark groups by structs. Its fields alone follow below."
            ),
        ),
        _ => (kind.to_owned(), name),
    }
}

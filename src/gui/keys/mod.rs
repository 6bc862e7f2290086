//! The Keys tab: how skewed a shuffle by a key would be in Spark, for any number of partitions, and what helps.
//!
//! Candidate keys are counted together, over the sample or over files; what follows for N partitions is computed while a
//! person moves the slider.

mod accepted;
mod after;
mod apply;
mod cards;
mod choose;
mod findings;
mod remedies;
#[cfg(test)]
mod tests;
mod work;

use std::collections::BTreeMap;

use egui::{Margin, ScrollArea, Ui, vec2};
use serde_json::Value;

pub(super) use accepted::broadcast_step;
pub use apply::KeysSlots;
pub(super) use apply::{apply, poll, start_work};
use work::{Counted, KeyColumns, Reported, Scope};

use super::command::Command;
use super::listed::ListedDataset;
use super::slots::Slots;
use super::state::Commands;
use super::theme::{space, weak};
use super::widgets::{Problem, empty_state, error_box, spinner};
use crate::base::ProgressView;
use crate::explore::Explored;
use crate::profile::keys::{SPARK_DEFAULT, SparkType, Weight};
use crate::session::Document;
use crate::storage::Partition;
use crate::task::{TaskState, TaskView};
use crate::transform::{Recipe, RecipeStep};

/// What a person can ask the tab to do.
#[derive(Debug, Clone, PartialEq)]
pub enum KeysCommand {
    /// Counts the keys of files.
    Count,
    /// Stops counting; what was counted stays.
    Stop,
    /// Appends steps to the recipe, under a label for undo.
    AddSteps(String, Vec<RecipeStep>),
    /// Appends a filter that keeps the rows of one key: columns, values, and how people read them.
    Filter(KeyColumns, Vec<Value>, String),
    /// Takes the steps of a remedy out of the recipe again.
    TakeBack { at: usize, n_steps: usize },
}

/// What is chosen in the tab.
#[derive(Debug)]
pub struct KeysPanel {
    /// Candidate keys, in the order they were added.
    pub(super) keys: Vec<KeyColumns>,
    /// The one that is shown.
    open: Option<KeyColumns>,
    /// Columns of the key that is being put together.
    draft: KeyColumns,
    filter: String,
    /// The list of columns was there in the last frame.
    has_picker: bool,
    pub(super) scope: Scope,
    pub(super) n_partitions: u32,
    pub(super) weight: Weight,
    pub(super) types: BTreeMap<String, SparkType>,
    is_log: bool,
    /// How tall the answer was when it was last shown: so much room is kept while keys are counted anew, so that the page
    /// stays where it was scrolled to.
    answer_height: f32,
    /// Files are counted when a person says so: it reads data.
    pub(super) wants_files: bool,
    pub(super) generation: u64,
}

impl Default for KeysPanel {
    fn default() -> Self {
        Self {
            keys: Vec::new(),
            open: None,
            draft: Vec::new(),
            filter: String::new(),
            has_picker: false,
            scope: Scope::default(),
            n_partitions: SPARK_DEFAULT,
            weight: Weight::default(),
            types: BTreeMap::new(),
            is_log: false,
            answer_height: 0.0,
            wants_files: false,
            generation: 0,
        }
    }
}

impl KeysPanel {
    /// Adds a candidate and shows it.
    fn add(&mut self, key: KeyColumns) {
        if key.is_empty() {
            return;
        }
        if !self.keys.contains(&key) {
            self.keys.push(key.clone());
        }
        self.open = Some(key);
    }

    fn remove(&mut self, key: &KeyColumns) {
        self.keys.retain(|other| other != key);
        if self.open.as_ref() == Some(key) {
            self.open = self.keys.last().cloned();
        }
    }

    /// The key that is shown.
    pub(super) fn open_key(&self) -> Option<&KeyColumns> {
        self.open.as_ref()
    }
}

/// What the tab shows.
pub struct KeysView<'a> {
    explored: Option<&'a Explored>,
    dataset: Option<&'a ListedDataset>,
    partition: Option<&'a Partition>,
    recipe: &'a Recipe,
    slots: &'a KeysSlots,
    /// Of counting files.
    progress: Option<&'a ProgressView>,
}

/// What the tab shows of the window's state.
pub(super) fn view<'a>(document: &'a Document, slots: &'a Slots, activity: &'a [TaskView]) -> KeysView<'a> {
    let is_counting = |task: &&TaskView| task.state == TaskState::Running && task.label == work::COUNT_LABEL;
    KeysView {
        explored: slots.explored.value(),
        dataset: slots.dataset(document),
        partition: document.partition.as_ref(),
        recipe: &document.recipe,
        slots: &slots.keys,
        progress: activity.iter().find(is_counting).map(|task| &task.progress),
    }
}

pub(super) fn keys_ui(ui: &mut Ui, view: &KeysView<'_>, panel: &mut KeysPanel, commands: &mut Commands) {
    let Some(explored) = view.explored else {
        let text = "Open a folder or an S3 prefix: its columns are offered here as keys.";
        if empty_state(ui, "No rows yet", text, Some("Open folder…")) {
            commands.push(Command::OpenFolderDialog);
        }
        return;
    };
    ScrollArea::vertical()
        .id_salt("keys")
        .auto_shrink(false)
        .show(ui, |ui| {
            egui::Frame::new().inner_margin(Margin::same(14)).show(ui, |ui| {
                ui.spacing_mut().item_spacing = vec2(space::MD, space::MD);
                choose::choose_card(ui, view, explored, panel, commands);
                if panel.keys.is_empty() {
                    empty_state(
                        ui,
                        "Choose a key",
                        "Add the column, or the columns together, that a join, a group by or a repartition would shuffle \
                         by. Add several keys to have them ranked.",
                        None,
                    );
                } else if let Some((key, name)) = gone(view, explored, panel) {
                    let text = format!(
                        "No column and no field `{name}` comes out of the recipe's steps: one of them drops or renames it, or \
                         the step that made it was taken back. Other keys are counted without this one."
                    );
                    let action = format!("Remove the key {}", key.join(" + "));
                    if empty_state(ui, "This key is not there any more", &text, Some(&action)) {
                        panel.remove(&key);
                    }
                } else {
                    answer_ui(ui, view, panel, commands);
                }
            });
        });
}

/// The open key and a column of it that the rows do not have: what was counted before would pass for an answer.
fn gone(view: &KeysView<'_>, explored: &Explored, panel: &KeysPanel) -> Option<(KeyColumns, String)> {
    let key = panel.open_key()?;
    let name = view.missing(explored, panel.scope, key)?;
    Some((key.clone(), name))
}

impl KeysView<'_> {
    /// A column of a key that rows of this scope do not have.
    fn missing(&self, explored: &Explored, scope: Scope, key: &KeyColumns) -> Option<String> {
        // Files are read through all steps, however many of them the rows shown are after.
        let after_all = explored.checks.last().and_then(|check| check.as_ref().ok());
        let schema = match scope {
            Scope::Sample => explored.df.schema(),
            Scope::Partition | Scope::All => after_all.unwrap_or_else(|| explored.df.schema().as_ref()),
        };
        let counted = self
            .slots
            .counted
            .value()
            .filter(|counted| counted.scope == scope);
        let is_counted = counted.is_some_and(|counted| counted.keys.contains(key));
        if scope != Scope::Sample && is_counted {
            return None;
        }
        work::missing_column(key, schema).cloned()
    }
}

fn answer_ui(ui: &mut Ui, view: &KeysView<'_>, panel: &mut KeysPanel, commands: &mut Commands) {
    let counted = view.slots.counted.value();
    let error = view.slots.counted.error().filter(|error| *error != "cancelled");
    if let Some(error) = error.or(view.slots.reported.error()) {
        let problem = Problem {
            place: "The key cannot be told",
            message: error,
            remedy: "Choose other columns, or another type in Spark.",
            action: None,
        };
        error_box(ui, problem);
    }
    let is_pending = view.slots.counted.is_pending() || view.slots.reported.is_pending();
    match (counted, view.slots.reported.value()) {
        (Some(counted), Some(reported)) if is_shown(panel, counted, reported, is_pending) => {
            let is_new = reported.key.stamp == counted.stamp;
            // What is still of the rows before is not acted upon.
            let shown = ui.add_enabled_ui(is_new, |ui| {
                let is_before = choose::is_before(view, panel);
                cards::report_ui(ui, reported, view.recipe, is_before, panel, commands);
            });
            panel.answer_height = shown.response.rect.height();
        }
        _ if is_pending => {
            let row = ui.horizontal(|ui| {
                spinner(ui);
                ui.label(weak(ui, "Counting keys"));
            });
            ui.add_space((panel.answer_height - row.response.rect.height()).max(0.0));
        }
        _ if panel.scope != Scope::Sample => {
            empty_state(
                ui,
                "Not counted yet",
                "Counting reads the files once. The button above says how much that is.",
                None,
            );
        }
        _ => {}
    }
}

/// Whether a report is of the key that is open; of other rows or of another N it stays until the next is there.
fn is_shown(panel: &KeysPanel, counted: &Counted, reported: &Reported, is_pending: bool) -> bool {
    let of_open = Some(&reported.columns) == panel.open_key() && reported.scope == panel.scope;
    of_open && (is_pending || reported.key.stamp == counted.stamp)
}

//! The Profile tab: what each column holds, how it differs from another partition or a baseline, and which keys each
//! partition has.
//!
//! Nothing is read before it is asked for. A profile that was stopped keeps what was computed, labelled partial.

mod apply;
mod bars;
mod card;
mod cards;
mod ends;
mod facts;
mod map;
mod picture;
mod summary;
#[cfg(test)]
mod tests;
mod toolbar;
mod work;

use std::path::PathBuf;
use std::sync::Arc;

use egui::Ui;

pub(super) use apply::{apply, poll, start_work};
pub use facts::Profiled;
pub use work::{Against, AgainstKey, MapKey, ProfileKey};

use self::map::MapPanel;
use super::command::Command;
use super::listed::ListedDataset;
use super::slots::Slots;
use super::state::Commands;
use super::theme::{self, space};
use super::widgets::{Problem, empty_state, error_box, spinner};
use crate::base::ProgressView;
use crate::explore::MapChoice;
use crate::profile::columns::Level;
use crate::profile::drift::Drift;
use crate::profile::schema_map::SchemaMap;
use crate::session::Document;
use crate::storage::Partition;
use crate::task::{Slot, TaskState, TaskView};
use crate::transform::Recipe;

/// What the tab asks for.
#[derive(Debug, Clone, PartialEq)]
pub enum ProfileCommand {
    /// Profiles the rows that the panel chose.
    Start,
    Stop,
    /// Compares with other rows of the dataset, under a name for people.
    CompareWith(Vec<Partition>, String),
    /// Compares with the baseline in a file.
    CompareWithFile(PathBuf),
    /// Asks for a baseline file to compare with.
    ChooseBaseline,
    StopComparing,
    /// Asks where the profile is saved as a baseline.
    ChooseSave,
    SaveTo(PathBuf),
    ReadMap(MapChoice),
    StopMap,
    ShowPart(Part),
}

/// What the tab shows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Part {
    #[default]
    Columns,
    Map,
}

/// How cards are sorted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
enum Order {
    #[default]
    AsInData,
    Name,
    Nulls,
    Distinct,
    Drift,
    Type,
}

/// What is chosen and typed in the tab.
#[derive(Debug, Default)]
pub struct ProfilePanel {
    part: Part,
    search: String,
    order: Order,
    /// All partitions instead of the open one.
    is_all: bool,
    /// After the recipe's steps instead of raw.
    is_after_recipe: bool,
    is_sample: bool,
    level: Level,
    /// Half-typed range of days to compare with.
    range: String,
    /// Why the range that was asked for cannot be compared with.
    range_problem: Option<String>,
    /// The findings of a comparison are shown; by the room there is until a person chose.
    has_findings: Option<bool>,
    cards: cards::CardsState,
    map: MapPanel,
}

/// What the tab derived in the background.
#[derive(Debug, Default)]
pub struct ProfileSlots {
    pub profile: Slot<(ProfileKey, u64), Arc<Profiled>>,
    pub against: Slot<(AgainstKey, u64), Against>,
    /// By the stamps of both sides.
    pub drift: Slot<(u64, u64), Arc<Drift>>,
    pub map: Slot<MapKey, Arc<SchemaMap>>,
    pub saved: Slot<(u64, PathBuf), String>,
}

/// The schema map's side of the tab.
#[derive(Debug, Clone, Copy)]
pub(super) struct MapView<'a> {
    map: Option<&'a SchemaMap>,
    is_pending: bool,
    is_stale: bool,
    error: Option<&'a str>,
    choice: MapChoice,
    dataset: &'a str,
    open: Option<&'a Partition>,
}

/// What the tab shows. Borrowed from the window's state.
#[derive(Debug, Clone, Copy)]
pub struct ProfileView<'a> {
    pub dataset: Option<&'a ListedDataset>,
    pub is_listing: bool,
    pub partition: Option<&'a Partition>,
    pub recipe: &'a Recipe,
    pub slots: &'a ProfileSlots,
    /// Of the profile under way.
    pub progress: Option<&'a ProgressView>,
}

impl<'a> ProfileView<'a> {
    fn profiled(&self) -> Option<&'a Profiled> {
        self.slots.profile.value().map(Arc::as_ref)
    }

    fn key(&self) -> Option<&'a ProfileKey> {
        self.slots.profile.key().map(|(key, _)| key)
    }

    /// The comparison, while it is of what is shown.
    fn drift(&self) -> Option<&'a Drift> {
        let drift = self.slots.drift.value().filter(|_| !self.slots.drift.is_stale());
        drift
            .map(Arc::as_ref)
            .filter(|_| self.slots.against.value().is_some())
    }

    /// Why what is shown is not what the panel and the window are at, if so.
    fn is_outdated(&self) -> Option<String> {
        let key = self.key()?;
        if self.slots.profile.is_pending() {
            return None;
        }
        let is_other = key.partitions.len() == 1
            && self
                .partition
                .is_some_and(|open| key.partitions.first() != Some(open));
        if is_other {
            return Some(format!("of {}", key.label));
        }
        let has_changed = key.recipe.as_ref().is_some_and(|recipe| recipe != self.recipe);
        has_changed.then(|| "of the recipe before".to_owned())
    }
}

/// The tab as the window has it.
pub fn profile_tab(
    ui: &mut Ui,
    document: &Document,
    slots: &Slots,
    activity: &[TaskView],
    panel: &mut ProfilePanel,
    commands: &mut Commands,
) {
    let key = slots.profile.profile.key();
    let label = key.map(|(key, _)| format!("Profile of {}", key.said()));
    let task = activity
        .iter()
        .find(|task| task.state == TaskState::Running && Some(&task.label) == label.as_ref());
    let view = ProfileView {
        dataset: slots.dataset(document),
        is_listing: slots.listing.is_pending() || slots.sample.is_pending(),
        partition: document.partition.as_ref(),
        recipe: &document.recipe,
        slots: &slots.profile,
        progress: task.map(|task| &task.progress),
    };
    profile_ui(ui, view, panel, commands);
}

/// The tab in the space that is there.
fn profile_ui(ui: &mut Ui, view: ProfileView<'_>, panel: &mut ProfilePanel, commands: &mut Commands) {
    let Some(dataset) = view.dataset else {
        if view.is_listing {
            ui.horizontal(|ui| {
                spinner(ui);
                ui.label(theme::weak(ui, "Listing…"));
            });
        } else if empty_state(
            ui,
            "Open a data lake",
            "Its columns are profiled here: nulls, distinct values, spread, and drift between days.",
            Some("Open folder…"),
        ) {
            commands.push(Command::OpenFolderDialog);
        }
        return;
    };
    toolbar::toolbar_ui(ui, view, dataset, panel, commands);
    ui.add_space(space::XS);
    if panel.part == Part::Map {
        let map = &view.slots.map;
        let shown = MapView {
            map: map.value().map(Arc::as_ref),
            is_pending: map.is_pending(),
            is_stale: map.is_stale(),
            error: map.error(),
            choice: map.key().map_or_else(MapChoice::default, |key| key.choice),
            dataset: &dataset.keys.prefix,
            open: view.partition,
        };
        map::map_ui(ui, shown, panel, commands);
        return;
    }
    if let Some(message) = view.slots.profile.error() {
        problem_ui(ui, message, commands);
    }
    if let Some(message) = view
        .slots
        .against
        .error()
        .filter(|message| *message != "cancelled")
    {
        let problem = Problem {
            place: "The comparison",
            message,
            remedy: "Choose something else to compare with.",
            action: Some("Stop comparing"),
        };
        if error_box(ui, problem) {
            commands.push(Command::Profile(ProfileCommand::StopComparing));
        }
        ui.add_space(space::SM);
    }
    match view.profiled() {
        Some(profiled) => {
            summary::summary_ui(ui, view, profiled, panel);
            cards::cards_ui(ui, view, profiled, panel, commands);
        }
        None if view.slots.profile.is_pending() => {}
        None => {
            let what = toolbar::what(view, dataset, panel);
            let sentence = "Nulls, distinct values, spread and frequent values of every column. Rows are read once, in \
                            the background; stopping keeps what was computed.";
            let action = format!("Profile {what}");
            if empty_state(ui, "No profile yet", sentence, Some(&action)) {
                commands.push(Command::Profile(ProfileCommand::Start));
            }
        }
    }
}

fn problem_ui(ui: &mut Ui, message: &str, commands: &mut Commands) {
    let problem = Problem {
        place: "The profile",
        message: if message == "cancelled" {
            "It was stopped before the first rows were read."
        } else {
            message
        },
        remedy: "",
        action: Some("Try again"),
    };
    if error_box(ui, problem) {
        commands.push(Command::Profile(ProfileCommand::Start));
    }
    ui.add_space(space::SM);
}

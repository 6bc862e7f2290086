//! The window's state, its kinds kept apart: the document, preferences, panel state, and slots (see [`super::slots`]).

use std::path::PathBuf;

use super::command::{Command, Tab};
use super::data::DataPanel;
use super::job::JobPanel;
use super::keys::KeysPanel;
use super::partitions::PartitionsPanel;
use super::preferences::Preferences;
use super::profile::ProfilePanel;
use super::recipe::{AddInputForm, RecipePanel};
use super::runs::RunsPanel;
use super::shell::{AddressField, ConnectForm, Palette, SourcesPanel};
use super::sides::Sides;
use super::slots::Slots;
use super::theme::Tone;
use crate::session::{Document, Edit, History, Source};
use crate::storage::{Connection, Partition};

/// A place that back and forward go to.
#[derive(Debug, Clone, PartialEq)]
pub struct Place {
    pub source: Option<Source>,
    pub dataset: String,
    pub partition: Option<Partition>,
}

impl Place {
    pub fn of(document: &Document) -> Self {
        Self {
            source: document.source.clone(),
            dataset: document.dataset.clone(),
            partition: document.partition.clone(),
        }
    }
}

/// Places seen before and after the present one.
#[derive(Debug, Default)]
pub struct Places {
    before: Vec<Place>,
    after: Vec<Place>,
}

impl Places {
    const MAX: usize = 100;

    /// Leaves `place` for another one.
    pub fn leave(&mut self, place: Place) {
        if self.before.last() != Some(&place) {
            self.before.push(place);
        }
        if self.before.len() > Self::MAX {
            self.before.remove(0);
        }
        self.after.clear();
    }

    pub fn back(&mut self, present: Place) -> Option<Place> {
        let place = self.before.pop()?;
        self.after.push(present);
        Some(place)
    }

    pub fn forward(&mut self, present: Place) -> Option<Place> {
        let place = self.after.pop()?;
        self.before.push(present);
        Some(place)
    }

    pub fn has_before(&self) -> bool {
        !self.before.is_empty()
    }

    pub fn has_after(&self) -> bool {
        !self.after.is_empty()
    }
}

/// A sentence in the status line about what just happened.
#[derive(Debug, Clone)]
pub struct Notice {
    pub text: String,
    pub tone: Tone,
}

/// Layout, selection and half-typed text. Never saved.
#[derive(Debug, Default)]
pub struct Panels {
    pub tab: Tab,
    /// Steps whose result the data show; none for all.
    pub shown_step: Option<usize>,
    /// Which panels are shown beside and below the middle.
    pub sides: Sides,
    pub address: AddressField,
    pub sources: SourcesPanel,
    pub partitions: PartitionsPanel,
    pub data: DataPanel,
    pub keys: KeysPanel,
    pub profile: ProfilePanel,
    pub recipe: RecipePanel,
    pub job: JobPanel,
    pub runs: RunsPanel,
    pub palette: Option<Palette>,
    pub connect: Option<ConnectForm>,
    pub add_input: Option<AddInputForm>,
    pub has_shortcuts: bool,
    pub notice: Option<Notice>,
}

/// Everything between two frames.
#[derive(Debug)]
pub struct State {
    pub history: History,
    /// The session file; none while only the autosaved one exists.
    pub session: Option<PathBuf>,
    /// The document as last written to `session`.
    pub saved: Document,
    pub preferences: Preferences,
    pub panels: Panels,
    pub places: Places,
    pub slots: Slots,
    /// A place that joins the list of sources once it was listed: a slip of the pen never does.
    pub to_remember: Option<Source>,
    /// Where the sample data are, once that is known.
    pub sample: Option<Source>,
}

impl State {
    pub fn document(&self) -> &Document {
        self.history.document()
    }

    /// Goes to another place, remembering the present one.
    pub fn go(&mut self, edit: Edit) {
        let before = Place::of(self.document());
        self.history.apply(edit);
        if Place::of(self.document()) != before {
            // The first place is where the window starts: nothing lies before it to go back to.
            if before.source.is_some() {
                self.places.leave(before);
            }
            self.panels.address.reset();
        }
    }

    /// Shows a place from the list of places, without adding to it.
    pub fn show(&mut self, place: Place) {
        if place.source != self.document().source {
            self.history.apply(Edit::Open(place.source));
        }
        self.history.apply(Edit::ShowPartition {
            dataset: place.dataset,
            partition: place.partition,
        });
        self.panels.address.reset();
    }

    pub fn say(&mut self, tone: Tone, text: impl Into<String>) {
        self.panels.notice = Some(Notice {
            text: text.into(),
            tone,
        });
    }

    /// The address of the open place: the location, and the partition's prefix below it.
    pub fn address(&self) -> String {
        let document = self.document();
        let Some(source) = &document.source else {
            return String::new();
        };
        // The dataset that is shown, also where none was picked: address, tree and tabs tell the same.
        let below = self
            .slots
            .dataset(document)
            .map_or(document.dataset.clone(), |dataset| {
                document
                    .partition
                    .as_ref()
                    .and_then(|partition| dataset.stats(partition))
                    .map_or(dataset.keys.prefix.clone(), |stats| stats.prefix.clone())
            });
        if below.is_empty() {
            source.location.to_string()
        } else {
            source.location.join(&below).to_string()
        }
    }

    /// The connection of the open source, for places typed in the address field.
    pub fn connection(&self) -> Connection {
        self.document()
            .source
            .as_ref()
            .map(|source| source.connection.clone())
            .unwrap_or_default()
    }
}

/// What `ui()` pushes to.
pub type Commands = Vec<Command>;

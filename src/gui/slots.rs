//! What is derived in the background: each slot's key says what it was made from, and a changed key starts new work.

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;
use std::sync::{Arc, LazyLock, Mutex};

use chrono::NaiveDate;
use polars::prelude::Schema;

use super::job_facts::{FactsKey, JobFacts};
use super::keys::KeysSlots;
use super::listed::{Listed, ListedDataset};
use super::partitions::PartitionsSlots;
use super::plot::PictureExport;
use super::profile::ProfileSlots;
use super::runs::{RunsSlots, Wanted};
use super::second_data::InputReader;
use super::theme::SystemFonts;
use super::work::MadeTest;
use crate::dataset::{InputSpec, Page, SampleChoice};
use crate::explore::{Explored, Explorer, Suggestion};
use crate::session::{Document, Source};
use crate::storage::Connection;
use crate::task::Slot;
use crate::transform::{Inputs, Recipe, RecipeFile, StepLacks};

/// What a page was read from. `generation` changes with a refresh.
#[derive(Debug, Clone, PartialEq)]
pub struct PageKey {
    pub source: Source,
    /// Below the source's root; several when a partition is written in two ways.
    pub prefixes: Vec<String>,
    /// Partitions spread over the dataset, whose files say the schema together with those that are shown: a job reads
    /// every day by it.
    pub schema_prefixes: Vec<String>,
    pub sample: SampleChoice,
    /// The partitions that a spread sample is drawn from; empty for the first rows.
    pub strata: Strata,
    pub generation: u64,
}

/// The partitions of a spread sample, and what was listed in all of the dataset.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Strata {
    /// The prefixes of each partition that is read.
    pub prefixes: Vec<Vec<String>>,
    pub n_partitions: u64,
    pub n_files: u64,
    pub n_bytes: u64,
}

/// Partitions whose files say the schema of a dataset: each costs a request or two.
const MAX_SCHEMA_PARTITIONS: usize = 16;

/// What was explored: a page by its stamp, and the recipe as far as it is shown.
#[derive(Debug, Clone, PartialEq)]
pub struct ExploreKey {
    pub page: u64,
    pub recipe: Recipe,
    pub shown_step: Option<usize>,
    /// Stamp of the opened inputs; 0 without any.
    pub inputs: u64,
}

/// What the inputs of a recipe were opened from.
#[derive(Debug, Clone, PartialEq)]
pub struct InputsKey {
    pub inputs: BTreeMap<String, InputSpec>,
    /// The day whose rows are shown.
    pub day: Option<NaiveDate>,
    /// The folder that relative places are relative to.
    pub base: PathBuf,
    pub generation: u64,
}

/// Opened inputs, with a number that no others have.
#[derive(Debug, Clone)]
pub struct OpenedInputs {
    pub stamp: u64,
    pub inputs: Inputs,
}

/// A second dataset that a person asked for, while its schema is read.
#[derive(Debug, Clone, PartialEq)]
pub struct InputRequest {
    pub name: String,
    /// Where it is, as typed.
    pub location: String,
    pub connection: Connection,
    /// The day that is open: a place that names it is read for each day.
    pub day: Option<NaiveDate>,
    /// What reads it, once it is there.
    pub reader: InputReader,
}

/// Rows read, with a number that no other page has.
#[derive(Debug, Clone)]
pub struct ReadPage {
    pub stamp: u64,
    pub page: Arc<Page>,
    /// Distinct characters beyond Latin, to see whether the fonts have them.
    pub characters: BTreeSet<char>,
}

/// Document, stamp of the page whose schema is frozen, and the folder that relative places are relative to.
pub type SpecKey = (Document, Option<u64>, PathBuf);

/// The spec of the present document, and from what it was made.
#[derive(Debug)]
pub struct SpecText {
    pub key: Option<SpecKey>,
    pub text: Result<String, String>,
    /// Where the table goes while the sink is empty; itself empty when nothing is guessed.
    pub default_sink: String,
}

impl Default for SpecText {
    fn default() -> Self {
        Self {
            key: None,
            text: Err("nothing is open".to_owned()),
            default_sink: String::new(),
        }
    }
}

/// What the recipe's steps lack of the page's columns, and from what that was seen.
#[derive(Debug, Default)]
pub struct Lacks {
    /// The page by its stamp, the recipe, and its second datasets.
    pub key: Option<(u64, Recipe, BTreeMap<String, InputSpec>)>,
    pub steps: Vec<StepLacks>,
    /// Visible columns of the page.
    pub input: Option<Schema>,
}

/// Why a dialog was opened.
#[derive(Debug, Clone, PartialEq)]
pub enum Purpose {
    OpenFolder,
    OpenFile,
    OpenLog(Wanted),
    OpenLogFolder(Wanted),
    OpenSession,
    SaveSession,
    OpenRecipe,
    SaveRecipe,
    PickSink,
    /// A folder for the form that adds data.
    PickInput,
    /// A baseline to compare a profile with.
    PickBaseline,
    SaveBaseline,
    /// The spec is written as it was when the dialog was opened.
    Export,
    /// The picture is drawn as it was when the dialog was opened.
    ExportPicture(Box<PictureExport>),
}

#[derive(Debug, Default)]
pub struct Slots {
    pub listing: Slot<Source, Arc<Listed>>,
    pub partitions: PartitionsSlots,
    pub page: Slot<PageKey, ReadPage>,
    pub explored: Slot<ExploreKey, Explored>,
    pub inputs: Slot<InputsKey, OpenedInputs>,
    /// A second dataset under way into the document.
    pub declared: Slot<(u64, InputRequest), InputSpec>,
    /// Keeps what explorations computed. Locked by background work only.
    pub explorer: Arc<Mutex<Explorer>>,
    pub suggestions: Slot<ExploreKey, Vec<Suggestion>>,
    pub lacks: Lacks,
    pub facts: Slot<FactsKey, JobFacts>,
    /// Somebody waits for the Python program.
    pub is_copying_python: bool,
    /// A test that is being made.
    pub test: Slot<u64, MadeTest>,
    pub spec: SpecText,
    /// Answers of native dialogs.
    pub picked: Slot<(u64, Purpose), Option<PathBuf>>,
    pub exported: Slot<(u64, PathBuf), String>,
    pub exported_picture: Slot<(u64, PathBuf), String>,
    pub keys: KeysSlots,
    pub run: Slot<u64, serde_json::Value>,
    /// Of the Runs tab.
    pub runs: RunsSlots,
    pub profile: ProfileSlots,
    pub sample: Slot<(), PathBuf>,
    pub fonts: Slot<(), SystemFonts>,
    pub session: Slot<PathBuf, Document>,
    pub recipe: Slot<PathBuf, RecipeFile>,
    /// Counts dialogs and runs, so that asking again is a new key.
    pub generation: u64,
    pub refreshes: u64,
}

impl Slots {
    pub fn next_generation(&mut self) -> u64 {
        self.generation += 1;
        self.generation
    }

    /// Second datasets as they were opened last; without any before that.
    pub fn opened_inputs(&self) -> &Inputs {
        static NONE: LazyLock<Inputs> = LazyLock::new(Inputs::default);
        self.inputs.value().map_or(&NONE, |opened| &opened.inputs)
    }

    /// The listing of the open source; none while it is another source's.
    pub fn listed(&self) -> Option<&Listed> {
        if self.listing.is_stale() {
            return None;
        }
        self.listing.value().map(Arc::as_ref)
    }

    /// The dataset that is shown.
    pub fn dataset(&self, document: &Document) -> Option<&ListedDataset> {
        self.listed()?.dataset(&document.dataset)
    }

    /// The prefixes to read rows from, once the listing has come so far.
    pub fn prefixes(&self, document: &Document) -> Option<Vec<String>> {
        let dataset = self.dataset(document)?;
        match &document.partition {
            Some(partition) => dataset.stats(partition).map(|stats| stats.prefixes.clone()),
            None => Some(vec![dataset.keys.prefix.clone()]),
        }
    }

    /// The day whose rows are shown: of the open partition, or of the first one.
    pub fn day(&self, document: &Document) -> Option<NaiveDate> {
        match &document.partition {
            Some(partition) => partition.date(),
            None => self
                .dataset(document)?
                .keys
                .partitions
                .values()
                .next()?
                .partition
                .date(),
        }
    }

    /// What a spread sample is drawn from: the open partition, or all. None while the listing still grows.
    pub fn strata(&self, document: &Document) -> Option<Strata> {
        if matches!(document.sample, SampleChoice::Head { .. }) {
            return Some(Strata::default());
        }
        let dataset = self.dataset(document).filter(|_| !self.listing.is_pending())?;
        let all: Vec<_> = match &document.partition {
            Some(partition) => dataset.stats(partition).into_iter().collect(),
            None => dataset.keys.partitions.values().collect(),
        };
        let read = document.sample.partitions_read(all.len());
        Some(Strata {
            prefixes: read
                .into_iter()
                .filter_map(|at| Some(all.get(at)?.prefixes.clone()))
                .collect(),
            n_partitions: all.len() as u64,
            n_files: all.iter().map(|stats| stats.n_files).sum(),
            n_bytes: all.iter().map(|stats| stats.n_bytes).sum(),
        })
    }

    /// Prefixes of partitions spread over the dataset, the first and the last among them. None while it is being listed,
    /// so that rows are not read again for every page of the listing.
    pub fn schema_prefixes(&self, document: &Document) -> Vec<String> {
        let Some(dataset) = self.dataset(document).filter(|_| !self.listing.is_pending()) else {
            return Vec::new();
        };
        let n = dataset.keys.partitions.len();
        let chosen = n.min(MAX_SCHEMA_PARTITIONS);
        let is_chosen = |at: usize| (at + 1) * chosen / n > at * chosen / n || at == 0;
        let partitions = dataset.keys.partitions.values().enumerate();
        partitions
            .filter(|(at, _)| is_chosen(*at))
            .map(|(_, stats)| stats.prefix.clone())
            .collect()
    }
}

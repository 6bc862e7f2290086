//! Every change of the document, as a value: what undo lists and what a window pushes.

use super::{Document, Expected, JobSettings, SampleChoice, Source};
use crate::dataset::InputSpec;
use crate::profile::CostModel;
use crate::storage::Partition;
use crate::transform::{Recipe, RecipeStep};

/// One change. Indices are 0-based positions in the recipe.
#[derive(Debug, Clone, PartialEq)]
pub enum Edit {
    /// Opens another place; dataset, partition and what was put aside are forgotten, recipe and job stay.
    Open(Option<Source>),
    ShowPartition {
        dataset: String,
        partition: Option<Partition>,
    },
    SetSample(SampleChoice),
    InsertStep {
        at: usize,
        step: RecipeStep,
    },
    /// Replaces a step's parameters; edits of one step in a row are undone together.
    SetStep {
        at: usize,
        step: RecipeStep,
    },
    MoveStep {
        from: usize,
        to: usize,
    },
    ToggleStep {
        at: usize,
    },
    DeleteStep {
        at: usize,
    },
    /// Gives a step a name of its own, or takes it away.
    NameStep {
        at: usize,
        id: Option<String>,
    },
    /// Says what a step is for.
    CommentStep {
        at: usize,
        comment: Option<String>,
    },
    SetRecipe(Recipe),
    /// Declares a second dataset, or declares it anew.
    SetInput {
        name: String,
        input: Box<InputSpec>,
    },
    RemoveInput {
        name: String,
    },
    SetJob(JobSettings),
    /// Changes the assumptions behind costs.
    SetCosts(CostModel),
    /// Puts a finding aside, or takes it back.
    Expect {
        finding: Expected,
        is_expected: bool,
    },
    /// Several changes that are undone together, under a label of their own.
    Group {
        label: String,
        edits: Vec<Edit>,
    },
}

impl Edit {
    /// What the undo list says: "delete step 3".
    pub fn label(&self) -> String {
        match self {
            Self::Open(Some(source)) => format!("open {}", source.location),
            Self::Open(None) => "close the source".to_owned(),
            Self::ShowPartition {
                partition: Some(partition),
                ..
            } => format!("show {partition}"),
            Self::ShowPartition { dataset, .. } => format!("show {dataset}"),
            Self::SetSample(sample) => format!("sample: {sample}"),
            Self::InsertStep { at, step } => format!("add step {} {}", at + 1, step.step.name()),
            Self::SetStep { at, step } => format!("edit step {} {}", at + 1, step.step.name()),
            Self::MoveStep { from, to } => format!("move step {} to {}", from + 1, to + 1),
            Self::ToggleStep { at } => format!("switch step {}", at + 1),
            Self::DeleteStep { at } => format!("delete step {}", at + 1),
            Self::NameStep { at, .. } => format!("name step {}", at + 1),
            Self::CommentStep { at, .. } => format!("comment on step {}", at + 1),
            Self::SetRecipe(_) => "replace the recipe".to_owned(),
            Self::SetInput { name, .. } => format!("add data {name}"),
            Self::RemoveInput { name } => format!("remove data {name}"),
            Self::SetJob(_) => "edit the job".to_owned(),
            Self::SetCosts(costs) => format!("assume {costs}"),
            Self::Expect {
                is_expected: true, ..
            } => "put a finding aside".to_owned(),
            Self::Expect { .. } => "take a finding back".to_owned(),
            Self::Group { label, .. } => label.clone(),
        }
    }

    /// Whether it only says what is looked at: which source, dataset and partition. Back and forward go to places, not undo.
    pub fn is_of_place(&self) -> bool {
        matches!(self, Self::Open(_) | Self::ShowPartition { .. })
    }

    /// Whether this edit continues `earlier`, so that one undo takes both back (typing in one field).
    pub fn continues(&self, earlier: &Self) -> bool {
        match (self, earlier) {
            (Self::SetStep { at: new, .. }, Self::SetStep { at: old, .. })
            | (Self::NameStep { at: new, .. }, Self::NameStep { at: old, .. })
            | (Self::CommentStep { at: new, .. }, Self::CommentStep { at: old, .. }) => new == old,
            (Self::SetJob(_), Self::SetJob(_))
            | (Self::SetSample(_), Self::SetSample(_))
            | (Self::SetCosts(_), Self::SetCosts(_)) => true,
            _ => false,
        }
    }

    /// Changes `document`. A position outside the recipe changes nothing.
    pub fn apply(&self, document: &mut Document) {
        let steps = &mut document.recipe.steps;
        match self {
            Self::Open(source) => {
                document.source.clone_from(source);
                document.dataset.clear();
                document.partition = None;
                document.expected.clear();
            }
            Self::ShowPartition { dataset, partition } => {
                document.dataset.clone_from(dataset);
                document.partition.clone_from(partition);
            }
            Self::SetSample(sample) => document.sample = *sample,
            Self::InsertStep { at, step } => steps.insert((*at).min(steps.len()), step.clone()),
            Self::SetStep { at, step } => {
                if let Some(place) = steps.get_mut(*at) {
                    place.clone_from(step);
                }
            }
            Self::MoveStep { from, to } => {
                if *from < steps.len() && *to < steps.len() {
                    let step = steps.remove(*from);
                    steps.insert(*to, step);
                }
            }
            Self::ToggleStep { at } => {
                if let Some(step) = steps.get_mut(*at) {
                    step.enabled = !step.enabled;
                }
            }
            Self::DeleteStep { at } => {
                if *at < steps.len() {
                    steps.remove(*at);
                }
            }
            Self::NameStep { at, id } => {
                if let Some(step) = steps.get_mut(*at) {
                    step.id.clone_from(id);
                }
            }
            Self::CommentStep { at, comment } => {
                if let Some(step) = steps.get_mut(*at) {
                    step.comment.clone_from(comment);
                }
            }
            Self::SetRecipe(recipe) => document.recipe.clone_from(recipe),
            Self::Group { edits, .. } => edits.iter().for_each(|edit| edit.apply(document)),
            Self::SetInput { name, input } => {
                document.inputs.insert(name.clone(), input.as_ref().clone());
            }
            Self::RemoveInput { name } => {
                document.inputs.remove(name);
            }
            Self::SetJob(job) => document.job.clone_from(job),
            Self::SetCosts(costs) => document.costs = costs.checked(),
            Self::Expect { finding, is_expected } => {
                document.expected.retain(|known| known != finding);
                if *is_expected {
                    document.expected.push(finding.clone());
                }
            }
        }
    }
}

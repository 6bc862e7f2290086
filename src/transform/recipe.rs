//! What a person writes: steps in order, each with an id, a comment and a switch.

use serde::{Deserialize, Serialize};

use super::Step;

/// An ordered list of steps.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Recipe {
    pub steps: Vec<RecipeStep>,
}

/// One step with what is said about it. In YAML a single-key map: `- filter: {id: valid, where: "n > 0"}`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct RecipeStep {
    /// A stable name for people and reports.
    pub id: Option<String>,
    pub comment: Option<String>,
    /// A step that is switched off is kept but does nothing.
    pub enabled: bool,
    #[serde(skip)]
    pub step: Step,
}

impl RecipeStep {
    pub fn new(step: Step) -> Self {
        Self {
            id: None,
            comment: None,
            enabled: true,
            step,
        }
    }
}

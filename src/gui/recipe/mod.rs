//! The recipe panel: steps with their checks and ledgers, the palette that adds a step, and the form that edits one.

use polars::prelude::Schema;

use super::command::Command;
use crate::explore::Explored;
use crate::transform::Recipe;

/// What the panel shows.
#[derive(Debug, Clone, Copy)]
pub struct RecipeView<'a> {
    pub recipe: &'a Recipe,
    /// Checks, ledgers and errors, once the sample was explored.
    pub explored: Option<&'a Explored>,
    pub is_stale: bool,
    /// Columns before the first step, once they are known.
    pub input: Option<&'a Schema>,
    pub shown_step: Option<usize>,
    pub undo_label: Option<&'a str>,
    pub redo_label: Option<&'a str>,
}

/// Which step is open and what is half typed.
#[derive(Debug, Default)]
pub struct RecipePanel {}

pub fn recipe_ui(
    ui: &mut egui::Ui,
    view: RecipeView<'_>,
    panel: &mut RecipePanel,
    commands: &mut Vec<Command>,
) {
    let _ = (ui, view, panel, commands);
}

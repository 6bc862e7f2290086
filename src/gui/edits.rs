//! Edits of the document: what they put aside, and what steps learn because of them.

use super::state::State;
use super::theme::Tone;
use crate::base::units;
use crate::session::Edit;

/// Puts what steps have learned into the document, as part of the edit that caused it.
pub(super) fn keep_fits(state: &mut State) {
    let slot = &state.slots.explored;
    let (Some(key), Some(explored)) = (slot.key(), slot.value()) else {
        return;
    };
    // What was learned for another recipe may stand beside other steps now.
    if slot.is_stale() || explored.fits.is_empty() || key.recipe != state.document().recipe {
        return;
    }
    let mut recipe = key.recipe.clone();
    for (at, fitted) in &explored.fits {
        if let Some(step) = recipe.steps.get_mut(*at) {
            step.step.clone_from(fitted);
        }
    }
    state.history.amend_recipe(recipe);
}

/// Changes the document, and says so when that puts undone edits aside.
pub(super) fn edit(state: &mut State, edit: Edit) {
    let n_before = state.history.asides().len();
    state.history.apply(edit);
    let asides = state.history.asides();
    if asides.len() > n_before
        && let Some(newest) = asides.first()
    {
        let edits = units::plural(newest.n_edits as u64, "undone edit");
        state.say(
            Tone::Weak,
            format!("{edits} put aside: the undo list restores them"),
        );
    }
}

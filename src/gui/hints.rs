//! What the shown rows and columns say of the recipe: steps they ask for, and columns it names that are not there.

use super::slots::{Lacks, Slots};
use super::work;
use crate::dataset::origin;
use crate::explore::declared_inputs;
use crate::session::Document;
use crate::task::Executor;

/// Looks at the shown rows for steps that they ask for, once those are the ones that were asked for.
pub(super) fn suggest(tasks: &Executor, document: &Document, slots: &mut Slots) {
    let is_settled = !slots.explored.is_pending() && !slots.explored.is_stale() && !slots.page.is_stale();
    let (Some(explored), Some(key)) = (slots.explored.value(), slots.explored.key()) else {
        return;
    };
    if !is_settled || key.recipe != document.recipe {
        return;
    }
    let (df, accuracy) = (explored.df.clone(), explored.accuracy);
    let key = key.clone();
    slots
        .suggestions
        .request(key, |_| work::suggest(tasks, df, accuracy));
}

/// Sees which columns the recipe names and the page does not have.
pub(super) fn look_for_lacks(document: &Document, slots: &mut Slots) {
    let Some(read) = slots.page.value().filter(|_| !slots.page.is_stale()) else {
        return;
    };
    let is_known = slots.lacks.key.as_ref().is_some_and(|(page, recipe, inputs)| {
        *page == read.stamp && *recipe == document.recipe && *inputs == document.inputs
    });
    if is_known {
        return;
    }
    let input = origin::without_hidden(read.page.df.schema());
    let key = Some((read.stamp, document.recipe.clone(), document.inputs.clone()));
    let lacks = document
        .recipe
        .missing_columns(&input, &declared_inputs(&document.inputs));
    slots.lacks = Lacks {
        key,
        steps: lacks,
        input: Some(input),
    };
}

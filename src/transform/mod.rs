//! A `Recipe` is an ordered list of `Step`s; checked against a schema it becomes a `Plan` that runs on batches of rows.
//!
//! Opens no data: checking works on schemas alone, and [`Plan::execute`] works on rows it is given. Preview and run
//! compile and execute through the same two functions.

mod execute;
mod plan;
mod recipe;
mod step;
pub mod steps;

pub use execute::{Outcome, StepCounts, StepReject};
pub use plan::{CheckedRecipe, Plan, StepError};
pub use recipe::{Recipe, RecipeStep};
pub use step::{CheckError, Inputs, RowEffect, Scope, Step, StepInfo, registry};

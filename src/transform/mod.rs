//! A `Recipe` is an ordered list of `Step`s; checked against a schema it becomes a `Plan` that runs on batches of rows.
//!
//! Opens no data: checking works on schemas alone, and [`Plan::execute`] works on rows it is given. Preview and run
//! compile and execute through the same two functions.

mod execute;
pub mod expr;
mod fit;
mod inputs;
mod iso8601;
mod isolate;
mod key_index;
mod names;
mod never_null;
mod pairs;
mod pattern;
mod plan;
pub mod python;
mod recipe;
mod recipe_test;
mod step;
pub mod steps;

pub use execute::{ExecuteError, Outcome, StepCounts, StepReject};
pub use fit::{FitSource, FitState, Fitted};
pub use inputs::{Input, Inputs};
pub use names::{MissingColumn, StepLacks};
pub use never_null::NeverNull;
pub use pairs::Pairs;
pub use plan::{CheckedRecipe, Plan, Stage, StepError};
pub use recipe::{ApiVersion, Recipe, RecipeFile, RecipeKind, RecipeStep, recipe_json_schema};
pub use recipe_test::{Expected, RecipeTest};
pub use step::{CheckError, RowEffect, Scope, SortKey, StepInfo};
pub use steps::{Step, registry};

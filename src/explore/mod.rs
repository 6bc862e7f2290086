//! Runs recipes on samples: what the rows look like after a step, and what each step did. [`scan`] is the one pass over
//! all rows of partitions, for profiles.
//!
//! Leaves to `dataset` how rows are read and to `transform` how steps work; runs never come through here.

mod cache;
mod compare;
mod explored;
mod explorer;
mod inputs;
pub mod keys;
mod ledger;
mod objects;
mod pairing;
mod recipe_test;
mod remedy_steps;
mod row_counts;
mod run_log;
pub mod scan;
mod schema_map;
mod script;
mod suggest;
mod test_inputs;

pub use compare::{CellChanges, ColumnMark, Comparison, LeftOut, Why};
pub use explored::Explored;
pub use explorer::{Explorer, explore_once};
pub use inputs::open_inputs;
pub use ledger::{ColumnChanges, Ledger, NullChange, Nulls, PerMillion, Retyped};
pub use objects::{ObjectChoice, objects_of};
pub use recipe_test::{Schemas, TestOutcome, given_rows, page_rows, run_test, test_from_rows};
pub use remedy_steps::{
    commented, is_remedy_of, join_step, joinable, key_condition, no_join, remedy_steps, two_stages,
};
pub use row_counts::{RowPlan, count_partitions};
pub use run_log::{RunDelta, RunLog, RunLogError, SparkRun, open_run_log, read_run_log};
pub use schema_map::{MapChoice, schema_map};
pub use script::{declared_inputs, input_sources, row_source, script};
pub use suggest::{Suggestion, SuggestionCode, suggest};
pub use test_inputs::{TestInputs, test_inputs};

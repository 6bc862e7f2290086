//! Runs recipes on samples: what the rows look like after a step, and what each step did.
//!
//! Leaves to `dataset` how rows are read and to `transform` how steps work; runs never come through here.

mod cache;
mod compare;
mod explored;
mod explorer;
mod inputs;
mod ledger;
mod objects;
mod pairing;
mod recipe_test;
pub mod scan;
mod schema_map;
mod script;
mod suggest;

pub use compare::{CellChanges, ColumnMark, Comparison, LeftOut, Why};
pub use explored::Explored;
pub use explorer::{Explorer, explore_once};
pub use inputs::open_inputs;
pub use ledger::{ColumnChanges, Ledger, NullChange, Nulls, PerMillion, Retyped};
pub use objects::{ObjectChoice, objects_of};
pub use recipe_test::{Schemas, TestOutcome, given_rows, page_rows, run_test, test_from_rows};
pub use schema_map::{MapChoice, schema_map};
pub use script::{declared_inputs, input_sources, row_source, script};
pub use suggest::{Suggestion, SuggestionCode, suggest};

//! Runs recipes on samples: what the rows look like after a step, and what each step did.
//!
//! Leaves to `dataset` how rows are read and to `transform` how steps work; runs never come through here.

mod explored;
mod recipe_test;
mod script;

pub use explored::{ColumnMark, Explored, Ledger, explore};
pub use recipe_test::{Declared, TestOutcome, given_rows, run_test, test_from_rows};
pub use script::{row_source, script};

//! Runs recipes on samples: what the rows look like after a step, and what each step did.
//!
//! Leaves to `dataset` how rows are read and to `transform` how steps work; runs never come through here.

mod explored;
mod inputs;

pub use explored::{ColumnMark, Explored, Ledger, explore};
pub use inputs::open_inputs;

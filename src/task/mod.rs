//! Background work for a window: every task ends in exactly one of done, failed or cancelled, also when it panics.
//!
//! Knows no egui: a window gives a `wake` function that is called whenever there is something to take.

mod executor;
mod slot;

pub use executor::{Context, Executor, TaskEnd, TaskHandle, TaskId, TaskState, TaskView};
pub use slot::Slot;

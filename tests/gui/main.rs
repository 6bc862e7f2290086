//! Window tests: the whole window in a harness, driven by accessibility labels as a screen reader would.

mod desk;
mod journey;
mod shell;

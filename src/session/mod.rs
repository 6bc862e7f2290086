//! The document a person edits: source, recipe and job settings, with undo, as a versioned file.
//!
//! Leaves to a window what is selected, half-typed or derived: none of that is part of the document.

mod document;
mod edit;
mod file;
mod history;
mod job_spec;
mod recipe_text;

pub use document::{Document, Expected, JobSettings, SampleChoice, Source};
pub use edit::Edit;
pub use file::{SESSION_EXTENSION, SessionError, load, save};
pub use history::{Aside, Entry, EntryId, History};
pub use job_spec::{Frozen, NoJob, input_uri};
pub use recipe_text::{load_recipe, pasted_steps, recipe_text, steps_text};

//! Front end 2: the window. The only code that knows egui.
//!
//! A frame: `logic()` takes what background tasks sent, applies commands to the document and starts work whose key
//! changed; `ui()` only reads and pushes [`command::Command`]s. Four kinds of state are never mixed: the document
//! (`session`), preferences, panel state, and slots derived in the background.

mod app;
mod apply;
mod cells;
pub mod command;
mod connection_fields;
pub mod data;
mod dialogs;
mod edits;
mod folders;
mod hints;
pub mod job;
pub mod job_facts;
pub mod keys;
mod listed;
mod memory;
mod partitions;
mod picker;
pub mod plot;
mod preferences;
mod profile;
pub mod recipe;
mod recipe_files;
mod runs;
mod saver;
mod second_data;
mod shell;
mod sides;
mod slots;
mod state;
pub mod theme;
pub mod widgets;
mod window;
mod work;

pub use app::{App, Setup};
pub use picker::{FilePicker, NativePicker, Picked};
pub use preferences::Preferences;
pub use window::{Start, WindowError, open};

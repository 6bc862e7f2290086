//! Front end 2: the window. The only code that knows egui.
//!
//! A frame: `logic()` takes what background tasks sent, applies commands to the document and starts work whose key
//! changed; `ui()` only reads and pushes [`command::Command`]s. Four kinds of state are never mixed: the document
//! (`session`), preferences, panel state, and slots derived in the background.

pub mod command;
pub mod data;
pub mod job;
pub mod recipe;
pub mod theme;
pub mod widgets;

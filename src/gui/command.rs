//! Everything a person can ask the window to do.

use crate::session::{Edit, Source};
use crate::task::TaskId;

/// The centre tabs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum Tab {
    #[default]
    Partitions,
    Data,
    Job,
}

/// One request, pushed by `ui()` and carried out by the next `logic()`.
#[derive(Debug, Clone, PartialEq)]
pub enum Command {
    /// Changes the document, undoably.
    Edit(Edit),
    /// A field was left: the next edit is an undo entry of its own.
    Seal,
    Undo,
    Redo,
    Open(Source),
    OpenFolderDialog,
    OpenFileDialog,
    Refresh,
    ShowTab(Tab),
    /// Shows the data after this many steps; none shows them after all steps.
    ShowStep(Option<usize>),
    /// Asks for a file and writes the job spec there.
    Export,
    /// Runs the job here, in the background.
    RunHere {
        replace: bool,
    },
    CancelRun,
    CancelTask(TaskId),
    CopyText(String),
}

//! The Data tab: the grid of rows, the detail of one row, and the rejects.

use super::command::Command;
use crate::explore::Explored;
use crate::session::SampleChoice;
use crate::storage::Partition;

/// What the tab shows. Borrowed from the window's state; nothing here is changed.
#[derive(Debug, Clone, Copy)]
pub struct DataView<'a> {
    /// None until the first rows are there.
    pub explored: Option<&'a Explored>,
    /// The rows belong to an earlier choice and are shown dimmed.
    pub is_stale: bool,
    pub is_pending: bool,
    pub error: Option<&'a str>,
    pub partition: Option<&'a Partition>,
    pub sample: SampleChoice,
    /// Number of recipe steps whose result is asked for; none for all.
    pub shown_step: Option<usize>,
}

/// Selection, scroll and column widths of the grid.
#[derive(Debug, Default)]
pub struct DataPanel {}

pub fn data_ui(ui: &mut egui::Ui, view: DataView<'_>, panel: &mut DataPanel, commands: &mut Vec<Command>) {
    let _ = (ui, view, panel, commands);
}

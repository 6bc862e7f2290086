//! The Job tab: the form, the live spec, export, and running it here.

use super::command::Command;
use crate::base::ProgressView;
use crate::session::JobSettings;

/// How "Run here" stands.
#[derive(Debug, Clone, Copy, Default)]
pub struct RunView<'a> {
    pub progress: Option<&'a ProgressView>,
    /// The last run's report as JSON (the shape that `skewer run --json` prints).
    pub report: Option<&'a serde_json::Value>,
    pub error: Option<&'a str>,
}

/// What the tab shows.
#[derive(Debug, Clone, Copy)]
pub struct JobView<'a> {
    pub settings: &'a JobSettings,
    /// The spec as it would be exported, or why it cannot be yet.
    pub spec: Result<&'a str, &'a str>,
    pub run: RunView<'a>,
    /// Where the last export went.
    pub exported: Option<&'a str>,
    /// The day or range that "Run here" takes when the field is empty.
    pub default_days: &'a str,
}

/// Half-typed fields of the form.
#[derive(Debug, Default)]
pub struct JobPanel {}

pub fn job_ui(ui: &mut egui::Ui, view: JobView<'_>, panel: &mut JobPanel, commands: &mut Vec<Command>) {
    let _ = (ui, view, panel, commands);
}

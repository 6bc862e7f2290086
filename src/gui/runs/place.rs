//! The form that says which log is meant: a place typed or pasted, a file or folder chosen, or one of the last ones.

use egui::{Align, Button, Id, Key, Layout, Modal, Ui};

use super::open::RunKey;
use super::{RunsCommand, RunsView};
use crate::gui::command::Command;
use crate::gui::connection_fields::ConnectionFields;
use crate::gui::state::Commands;
use crate::gui::theme::{code, space, strong, weak, weak_small};
use crate::gui::widgets::{
    dialog_frame, labelled_field, primary_button, quiet_button, secondary_button, section_label,
};
use crate::session::Source;
use crate::storage::{Connection, Location};

/// What a log is wanted for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Wanted {
    Open,
    /// Beside the one that is open.
    Compare,
}

impl Wanted {
    pub fn command(self, place: String, connection: Connection) -> RunsCommand {
        match self {
            Self::Open => RunsCommand::Open(place, connection),
            Self::Compare => RunsCommand::Compare(place, connection),
        }
    }

    fn own(self, at: usize) -> RunsCommand {
        match self {
            Self::Open => RunsCommand::ShowOwn(at),
            Self::Compare => RunsCommand::CompareOwn(at),
        }
    }
}

/// Half-typed place.
#[derive(Debug, Default)]
pub struct PlaceForm {
    location: String,
    /// Only what a person changed; else the bucket is reached as before.
    connection: Option<ConnectionFields>,
    /// Messages are shown once a person tried to open.
    was_tried: bool,
    had_focus: bool,
}

/// Last logs that are offered.
const MAX_OFFERED: usize = 8;
const WIDTH: f32 = 520.0;

/// The location, or what is wrong with it; the connection, or what is wrong with its endpoint.
type Typed = (Result<Location, String>, Result<Connection, String>);

impl PlaceForm {
    fn typed(&self, view: RunsView<'_>) -> Typed {
        let text = self.location.trim().trim_matches(['"', '\'']);
        let location = match text.parse::<Location>() {
            Ok(Location::S3 { bucket, key }) if key.is_empty() => Err(format!(
                "name the log below the bucket: s3://{bucket}/prefix/eventlog_v2_…"
            )),
            parsed => parsed.map_err(|error| error.to_string()),
        };
        let connection = match (&self.connection, &location) {
            (Some(fields), Ok(location)) if location.is_s3() => fields.connection(),
            (None, Ok(location)) if location.is_s3() => Ok(known_connection(location, view)),
            _ => Ok(Connection::default()),
        };
        (location, connection)
    }
}

/// How a bucket was reached before; else as the open source, when that is on S3; else by the AWS chain.
fn known_connection(location: &Location, view: RunsView<'_>) -> Connection {
    let known = view.preferences.connection_to(location);
    let present = view.source.filter(|source| source.location.is_s3());
    known
        .or_else(|| present.map(|source| &source.connection))
        .cloned()
        .unwrap_or_default()
}

/// A connection in words, for a line below the location.
fn reached(connection: &Connection) -> String {
    let mut parts = vec![match (&connection.profile, connection.anonymous) {
        (_, true) => "anonymously".to_owned(),
        (Some(profile), false) => format!("with profile `{profile}`"),
        (None, false) => "with the credentials of the AWS chain".to_owned(),
    }];
    parts.extend(
        connection
            .endpoint
            .as_ref()
            .map(|endpoint| format!("at {endpoint}")),
    );
    parts.extend(connection.region.as_ref().map(|region| format!("in {region}")));
    format!("Reached {}.", parts.join(" "))
}

/// The form over the window, while it is open.
pub fn modal_ui(
    ui: &mut Ui,
    form: &mut Option<(Wanted, PlaceForm)>,
    view: RunsView<'_>,
    commands: &mut Commands,
) {
    let Some((wanted, mut open)) = form.take() else {
        return;
    };
    let mut is_done = false;
    let modal = Modal::new(Id::unique("which log"))
        .frame(dialog_frame(ui))
        .show(ui.ctx(), |ui| {
            ui.set_width(WIDTH.min(ui.ctx().content_rect().width() - space::XXL));
            ui.label(strong(match wanted {
                Wanted::Open => "Open what ran",
                Wanted::Compare => "Compare with another log",
            }));
            is_done = form_ui(ui, &mut open, wanted, view, commands);
            ui.add_space(space::SM);
            ui.with_layout(Layout::right_to_left(Align::Center), |ui| {
                is_done |= secondary_button(ui, true, "Cancel").clicked();
            });
        });
    if !is_done && !modal.should_close() {
        *form = Some((wanted, open));
    }
}

/// The fields and what else can be chosen. Returns whether a log was chosen.
pub fn form_ui(
    ui: &mut Ui,
    form: &mut PlaceForm,
    wanted: Wanted,
    view: RunsView<'_>,
    commands: &mut Commands,
) -> bool {
    let sentence = match wanted {
        Wanted::Open => {
            "A Spark event log, the folder of a rolling one (eventlog_v2_…), or the report.json of a run."
        }
        Wanted::Compare => {
            "One of the same kind as the open one, such as the run before a change. The earlier one counts as before."
        }
    };
    ui.label(weak(ui, sentence));
    ui.add_space(space::SM);
    let mut is_done = false;
    let (location, connection) = form.typed(view);
    let told = location.as_ref().err().filter(|_| form.was_tried).cloned();
    let field = labelled_field(
        ui,
        &mut form.location,
        "Location of the log",
        "a path, or s3://bucket/logs/eventlog_v2_…",
        told.as_deref(),
    );
    if !form.had_focus {
        field.request_focus();
        form.had_focus = true;
    }
    let enter = field.lost_focus() && ui.input(|input| input.key_pressed(Key::Enter));
    if location.as_ref().is_ok_and(Location::is_s3) {
        connection_ui(ui, form, &connection);
    }
    let mut is_sent = enter;
    ui.horizontal(|ui| {
        if secondary_button(ui, true, "Choose file…").clicked() {
            commands.push(Command::Runs(RunsCommand::ChooseFile(wanted)));
            is_done = true;
        }
        if secondary_button(ui, true, "Choose folder…")
            .on_hover_text("The folder of a rolling event log, eventlog_v2_…")
            .clicked()
        {
            commands.push(Command::Runs(RunsCommand::ChooseFolder(wanted)));
            is_done = true;
        }
        ui.with_layout(Layout::right_to_left(Align::Center), |ui| {
            let text = match wanted {
                Wanted::Open => "Open log",
                Wanted::Compare => "Compare",
            };
            is_sent |= primary_button(ui, true, text).clicked();
        });
    });
    if is_sent {
        form.was_tried = true;
        if let (Ok(location), Ok(connection)) = (location, connection) {
            commands.push(Command::Runs(wanted.command(location.to_string(), connection)));
            *form = PlaceForm::default();
            is_done = true;
        }
    }
    is_done | offered_ui(ui, wanted, view, commands)
}

fn connection_ui(ui: &mut Ui, form: &mut PlaceForm, connection: &Result<Connection, String>) {
    if let Some(fields) = &mut form.connection {
        fields.fields_ui(ui, connection.as_ref().err().map(String::as_str));
    } else {
        let known = connection.clone().unwrap_or_default();
        ui.horizontal_wrapped(|ui| {
            ui.label(weak_small(ui, reached(&known)));
            if quiet_button(ui, true, "Change connection…").clicked() {
                form.connection = Some(ConnectionFields::of(&known));
            }
        });
    }
    ui.add_space(space::SM);
}

/// Logs that were read before, and runs of this window.
fn offered_ui(ui: &mut Ui, wanted: Wanted, view: RunsView<'_>, commands: &mut Commands) -> bool {
    let open = view.slots.log.key();
    let is_open =
        |source: &&Source| matches!(open, Some(RunKey::Place { source: open, .. }) if open == *source);
    let logs: Vec<&Source> = view
        .preferences
        .logs
        .iter()
        .filter(|source| wanted == Wanted::Open || !is_open(source))
        .take(MAX_OFFERED)
        .collect();
    let runs: Vec<usize> = (0..view.slots.own.len())
        .rev()
        .filter(|at| wanted == Wanted::Open || !open.is_some_and(|key| key.is_own(*at)))
        .collect();
    let mut chosen = None;
    if !runs.is_empty() {
        ui.add_space(space::SM);
        section_label(ui, "Runs of this window");
        for at in runs {
            let Some(run) = view.slots.own.get(at) else {
                continue;
            };
            let text = format!("{} of {}", run.started_text(), run.job);
            if offer_ui(ui, &text, &format!("Run {text}")) {
                chosen = Some(wanted.own(at));
            }
        }
    }
    if !logs.is_empty() {
        ui.add_space(space::SM);
        section_label(ui, "Last ones");
        for source in logs {
            let place = source.location.to_string();
            if offer_ui(ui, &place, &format!("Recent log {place}")) {
                chosen = Some(wanted.command(place, source.connection.clone()));
            }
        }
    }
    let is_chosen = chosen.is_some();
    commands.extend(chosen.map(Command::Runs));
    is_chosen
}

fn offer_ui(ui: &mut Ui, text: &str, label: &str) -> bool {
    let width = ui.available_width();
    let response = ui
        .scope(|ui| {
            ui.spacing_mut().item_spacing.y = 0.0;
            // As a line of a list: its frame appears under the pointer, its text is set from the left.
            ui.with_layout(Layout::top_down_justified(Align::Min), |ui| {
                ui.set_max_width(width);
                ui.add(Button::new(code(text)).frame_when_inactive(false).truncate())
            })
            .inner
        })
        .inner;
    ui.ctx()
        .accesskit_node_builder(response.id, |node| node.set_label(label));
    response.on_hover_text(text).clicked()
}

#[cfg(test)]
mod tests {
    use super::{PlaceForm, RunsView, reached};
    use crate::gui::Preferences;
    use crate::gui::runs::RunsSlots;
    use crate::session::Source;
    use crate::storage::Connection;

    #[test]
    fn a_place_is_reached_as_before_and_a_bucket_alone_or_another_scheme_is_told() {
        let slots = RunsSlots::default();
        let mut preferences = Preferences::default();
        let known = Connection {
            endpoint: Some("http://localhost:9000".to_owned()),
            ..Connection::default()
        };
        preferences.visit_log(&Source {
            location: "s3://logs/a".parse().unwrap(),
            connection: known.clone(),
        });
        let view = RunsView::of(&slots, &preferences);
        let typed = |text: &str| {
            let form = PlaceForm {
                location: text.to_owned(),
                ..PlaceForm::default()
            };
            form.typed(view)
        };
        let (location, connection) = typed(" 's3://logs/eventlog_v2_x/' ");
        assert_eq!(location.unwrap().to_string(), "s3://logs/eventlog_v2_x/");
        assert_eq!(connection.unwrap(), known);
        assert!(typed("s3://logs").0.unwrap_err().contains("below the bucket"));
        assert!(typed("hdfs://logs/a").0.unwrap_err().contains("hdfs"));
        assert!(typed("").0.unwrap_err().contains("empty"));
        assert_eq!(typed("/logs/a").1.unwrap(), Connection::default());
        assert_eq!(
            reached(&known),
            "Reached with the credentials of the AWS chain at http://localhost:9000."
        );
    }
}

//! The form that opens a bucket: where it is and how to reach it. Never asks for a secret.

use egui::{Id, Modal, Ui};

use crate::gui::command::Command;
use crate::gui::connection_fields::ConnectionFields;
use crate::gui::state::{Commands, State};
use crate::gui::theme::{space, strong, weak_small};
use crate::gui::widgets::{labelled_field, primary_button, secondary_button};
use crate::session::Source;
use crate::storage::Location;

/// Half-typed connection.
#[derive(Debug, Default)]
pub struct ConnectForm {
    pub name: String,
    pub location: String,
    pub connection: ConnectionFields,
    /// Messages are shown once a person tried to open.
    was_tried: bool,
    had_focus: bool,
}

impl ConnectForm {
    /// The source, or the field at fault with its message.
    fn source(&self) -> Result<Source, (Field, String)> {
        let text = self.location.trim();
        let location: Location = text
            .parse()
            .map_err(|error: crate::storage::LocationError| (Field::Location, error.to_string()))?;
        if !location.is_s3() {
            return Err((Field::Location, "write s3://bucket/prefix/".to_owned()));
        }
        let connection = self.connection.connection();
        let connection = connection.map_err(|message| (Field::Endpoint, message))?;
        Ok(Source { location, connection })
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Field {
    Location,
    Endpoint,
}

/// Shows the form while it is open. A source that is opened joins the list.
pub fn connect_ui(ui: &mut Ui, state: &mut State, commands: &mut Commands) {
    let Some(mut form) = state.panels.connect.take() else {
        return;
    };
    let mut opened = None;
    let mut is_closed = false;
    let modal = Modal::new(Id::unique("connect"))
        .frame(crate::gui::widgets::dialog_frame(ui))
        .show(ui.ctx(), |ui| {
            ui.set_width(440.0);
            ui.label(strong("Add S3 connection"));
            ui.label(weak_small(
                ui,
                "Credentials come from the AWS chain: environment, ~/.aws, container or instance.",
            ));
            ui.add_space(space::MD);
            let checked = form.source();
            let message = |field: Field| match &checked {
                Err((at, message)) if *at == field && form.was_tried => Some(message.clone()),
                _ => None,
            };
            let (location_error, endpoint_error) = (message(Field::Location), message(Field::Endpoint));
            let location = labelled_field(
                ui,
                &mut form.location,
                "Location",
                "s3://bucket/prefix/",
                location_error.as_deref(),
            );
            if !form.had_focus {
                location.request_focus();
                form.had_focus = true;
            }
            labelled_field(ui, &mut form.name, "Name", "as the list shows it", None);
            form.connection.fields_ui(ui, endpoint_error.as_deref());
            ui.add_space(space::LG);
            ui.with_layout(egui::Layout::right_to_left(egui::Align::Center), |ui| {
                let enter = ui.input(|input| input.key_pressed(egui::Key::Enter));
                if primary_button(ui, true, "Open").clicked() || enter {
                    form.was_tried = true;
                    opened = form.source().ok();
                }
                is_closed = secondary_button(ui, true, "Cancel").clicked();
            });
        });
    if let Some(source) = opened {
        let name = match form.name.trim() {
            "" => source.location.name(),
            name => name.to_owned(),
        };
        state.preferences.remember(&name, &source);
        commands.push(Command::Open(source));
    } else if !is_closed && !modal.should_close() {
        state.panels.connect = Some(form);
    }
}

#[cfg(test)]
mod tests {
    use super::{ConnectForm, Field};

    #[test]
    fn a_form_names_the_field_at_fault_and_empty_fields_are_left_to_the_chain() {
        let mut form = ConnectForm {
            location: "lake/raw".to_owned(),
            ..ConnectForm::default()
        };
        assert_eq!(form.source().unwrap_err().0, Field::Location);
        form.location = "s3://lake/raw/".to_owned();
        form.connection.endpoint = "localhost:9000".to_owned();
        assert_eq!(form.source().unwrap_err().0, Field::Endpoint);
        form.connection.endpoint = " http://localhost:9000 ".to_owned();
        let connection = form.source().unwrap().connection;
        assert_eq!(connection.endpoint.as_deref(), Some("http://localhost:9000"));
        assert_eq!(connection.profile, None);
    }
}

//! How to reach a bucket, as fields of a form. Never asks for a secret.

use egui::Ui;

use super::theme::body;
use super::widgets::labelled_field;
use crate::storage::Connection;

/// A half-typed connection; what is empty is left to the AWS chain.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct ConnectionFields {
    pub profile: String,
    pub region: String,
    pub endpoint: String,
    pub is_path_style: bool,
    pub is_anonymous: bool,
}

impl ConnectionFields {
    pub fn of(connection: &Connection) -> Self {
        let text = |field: &Option<String>| field.clone().unwrap_or_default();
        Self {
            profile: text(&connection.profile),
            region: text(&connection.region),
            endpoint: text(&connection.endpoint),
            is_path_style: connection.path_style,
            is_anonymous: connection.anonymous,
        }
    }

    /// The connection, or what is wrong with its endpoint.
    pub fn connection(&self) -> Result<Connection, String> {
        let endpoint = self.endpoint.trim();
        if !endpoint.is_empty() && !endpoint.starts_with("http://") && !endpoint.starts_with("https://") {
            return Err("an endpoint starts with http:// or https://".to_owned());
        }
        let given = |text: &str| Some(text.trim().to_owned()).filter(|text| !text.is_empty());
        Ok(Connection {
            profile: given(&self.profile),
            region: given(&self.region),
            endpoint: given(&self.endpoint),
            path_style: self.is_path_style,
            anonymous: self.is_anonymous,
        })
    }

    /// The fields, with what is wrong below the endpoint.
    pub fn fields_ui(&mut self, ui: &mut Ui, endpoint_error: Option<&str>) {
        ui.columns(2, |columns| {
            if let [left, right] = columns {
                labelled_field(left, &mut self.profile, "Profile", "default", None);
                labelled_field(right, &mut self.region, "Region", "from the profile", None);
            }
        });
        labelled_field(
            ui,
            &mut self.endpoint,
            "Endpoint",
            "AWS; or http://localhost:9000",
            endpoint_error,
        );
        ui.checkbox(&mut self.is_path_style, body("Path style (endpoint/bucket/key)"));
        ui.checkbox(
            &mut self.is_anonymous,
            body("Anonymous: unsigned requests to a public bucket"),
        );
    }
}

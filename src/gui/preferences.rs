//! What the window remembers about a person, not about a document: theme, zoom, sources and recent places.
//!
//! A `preferences.yaml` in a versioned envelope. Broken preferences are set aside, never a reason not to start.

use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use super::theme::Theme;
use crate::base::envelope::{API_VERSION, from_yaml, to_yaml};
use crate::session::Source;
use crate::storage::{Connection, Location};

const MAX_RECENTS: usize = 12;

/// A source in the list at the left.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SavedSource {
    pub name: String,
    pub source: Source,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Preferences {
    pub theme: Theme,
    /// 1 is 100%.
    pub zoom: f32,
    pub is_activity_open: bool,
    /// Columns of the grid show name and type only.
    pub hides_column_figures: bool,
    /// Folders and connections, in the order they were added.
    pub sources: Vec<SavedSource>,
    /// Newest first.
    pub recents: Vec<Source>,
    /// Event logs and reports of runs that were read, newest first.
    pub logs: Vec<Source>,
}

impl Default for Preferences {
    fn default() -> Self {
        Self {
            theme: Theme::System,
            zoom: 1.0,
            is_activity_open: true,
            hides_column_figures: false,
            sources: Vec::new(),
            recents: Vec::new(),
            logs: Vec::new(),
        }
    }
}

#[derive(Serialize, Deserialize)]
struct Envelope {
    #[serde(rename = "apiVersion")]
    api_version: String,
    kind: String,
    preferences: Preferences,
}

impl Preferences {
    /// Reads `folder`'s preferences; the defaults where there are none. A file that does not parse is renamed, so that
    /// it is not overwritten, and the message says so.
    pub fn load(folder: &Path) -> (Self, Option<String>) {
        let path = file_in(folder);
        let Ok(text) = std::fs::read_to_string(&path) else {
            return (Self::default(), None);
        };
        match from_yaml::<Envelope>(&text) {
            Ok(envelope) if envelope.api_version == API_VERSION => (envelope.preferences, None),
            Ok(envelope) => (
                Self::default(),
                Some(set_aside(&path, &format!("version `{}`", envelope.api_version))),
            ),
            Err(error) => (Self::default(), Some(set_aside(&path, &error.to_string()))),
        }
    }

    /// The file's content.
    pub fn to_text(&self) -> String {
        let envelope = Envelope {
            api_version: API_VERSION.to_owned(),
            kind: "Preferences".to_owned(),
            preferences: self.clone(),
        };
        to_yaml(&envelope).unwrap_or_default()
    }

    /// Puts `source` first among the recent places.
    pub fn visit(&mut self, source: &Source) {
        put_first(&mut self.recents, source);
    }

    /// Puts `source` first among the logs that were read.
    pub fn visit_log(&mut self, source: &Source) {
        put_first(&mut self.logs, source);
    }

    /// How the bucket of `location` was reached before, as a log, a source or a recent place; none for a new bucket.
    pub fn connection_to(&self, location: &Location) -> Option<&Connection> {
        let Location::S3 { bucket, .. } = location else {
            return None;
        };
        let listed = self.sources.iter().map(|saved| &saved.source);
        let known = self.logs.iter().chain(listed).chain(&self.recents);
        known
            .filter(
                |source| matches!(&source.location, Location::S3 { bucket: other, .. } if other == bucket),
            )
            .map(|source| &source.connection)
            .next()
    }

    /// Adds a source to the list unless it is there. An S3 prefix below a listed bucket is a place, not a source.
    pub fn remember(&mut self, name: &str, source: &Source) {
        if self.sources.iter().all(|saved| saved.source != *source) {
            self.sources.push(SavedSource {
                name: name.to_owned(),
                source: source.clone(),
            });
        }
    }

    pub fn forget(&mut self, source: &Source) {
        self.sources.retain(|saved| saved.source != *source);
        self.recents.retain(|other| other != source);
    }
}

fn put_first(places: &mut Vec<Source>, source: &Source) {
    places.retain(|other| other != source);
    places.insert(0, source.clone());
    places.truncate(MAX_RECENTS);
}

pub fn file_in(folder: &Path) -> PathBuf {
    folder.join("preferences.yaml")
}

/// The autosaved session of `folder`.
pub fn session_in(folder: &Path) -> PathBuf {
    folder.join("last.skewer.yaml")
}

fn set_aside(path: &Path, reason: &str) -> String {
    let aside = path.with_extension("yaml.broken");
    match std::fs::rename(path, &aside) {
        Ok(()) => format!("{}: {reason}; kept as {}", path.display(), aside.display()),
        Err(error) => format!("{}: {reason}; {error}", path.display()),
    }
}

#[cfg(test)]
mod tests {
    use super::{Preferences, file_in};
    use crate::gui::theme::Theme;
    use crate::session::Source;
    use crate::storage::Connection;

    #[test]
    fn a_bucket_is_reached_as_before_by_the_newest_log_first() {
        let place = |text: &str, endpoint: &str| Source {
            location: text.parse().unwrap(),
            connection: Connection {
                endpoint: Some(endpoint.to_owned()),
                ..Connection::default()
            },
        };
        let mut preferences = Preferences::default();
        preferences.visit(&place("s3://lake/raw/", "http://old"));
        preferences.visit_log(&place("s3://lake/logs/a", "http://new"));
        preferences.visit_log(&place("s3://other/logs/b", "http://other"));
        let endpoint = |text: &str| {
            let connection = preferences.connection_to(&text.parse().unwrap());
            connection.and_then(|connection| connection.endpoint.clone())
        };
        assert_eq!(endpoint("s3://lake/logs/c").as_deref(), Some("http://new"));
        assert_eq!((endpoint("s3://lakes/c"), endpoint("/lake/c")), (None, None));
    }

    #[test]
    fn preferences_come_back_and_broken_ones_are_kept_aside() {
        let folder = tempfile::tempdir().unwrap();
        let mut preferences = Preferences {
            theme: Theme::Dark,
            ..Preferences::default()
        };
        let source = Source {
            location: "s3://lake/raw/".parse().unwrap(),
            connection: Connection::default(),
        };
        preferences.remember("lake", &source);
        preferences.visit(&source);
        preferences.visit(&source);
        preferences.visit_log(&source);
        std::fs::write(file_in(folder.path()), preferences.to_text()).unwrap();
        assert_eq!(Preferences::load(folder.path()), (preferences, None));

        std::fs::write(file_in(folder.path()), "colour: red").unwrap();
        let (loaded, message) = Preferences::load(folder.path());
        assert_eq!(loaded, Preferences::default());
        assert!(message.unwrap().contains("preferences.yaml.broken"));
        assert!(folder.path().join("preferences.yaml.broken").exists());
    }
}

//! A document as a `*.skewer.yaml` file in a versioned envelope.

use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};
use thiserror::Error;

use super::Document;
use crate::base::envelope::{API_VERSION, YamlError, from_yaml, to_yaml};

/// Ending of session files.
pub const SESSION_EXTENSION: &str = "skewer.yaml";

/// Why a session file could not be read or written.
#[derive(Debug, Error)]
pub enum SessionError {
    #[error("{}: {source}", path.display())]
    Io { path: PathBuf, source: std::io::Error },
    #[error("{}:{error}", path.display())]
    Yaml { path: PathBuf, error: YamlError },
    #[error("{}: this is a `{kind}` of version `{version}`; a session is a `Session` of `{API_VERSION}`", path.display())]
    Version {
        path: PathBuf,
        version: String,
        kind: String,
    },
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Envelope {
    #[serde(rename = "apiVersion")]
    api_version: String,
    kind: String,
    document: Document,
}

/// Only the head of the envelope, to tell another version from a broken file.
#[derive(Deserialize)]
struct Head {
    #[serde(rename = "apiVersion", default)]
    api_version: String,
    #[serde(default)]
    kind: String,
}

/// Reads a session.
///
/// # Errors
/// [`SessionError`] with the file and the place.
pub fn load(path: &Path) -> Result<Document, SessionError> {
    let text = std::fs::read_to_string(path).map_err(|source| SessionError::Io {
        path: path.into(),
        source,
    })?;
    if let Ok(head) = from_yaml::<Head>(&text)
        && (head.api_version != API_VERSION || head.kind != "Session")
    {
        return Err(SessionError::Version {
            path: path.into(),
            version: head.api_version,
            kind: head.kind,
        });
    }
    read(&text).map_err(|error| SessionError::Yaml {
        path: path.into(),
        error,
    })
}

/// The document in the text of a session file.
pub(super) fn read(text: &str) -> Result<Document, YamlError> {
    from_yaml::<Envelope>(text).map(|envelope| envelope.document)
}

/// Writes a session beside its place and renames it there, so that a crash leaves the old one whole.
///
/// # Errors
/// [`SessionError::Io`] with the path.
pub fn save(path: &Path, document: &Document) -> Result<(), SessionError> {
    let envelope = Envelope {
        api_version: API_VERSION.to_owned(),
        kind: "Session".to_owned(),
        document: document.clone(),
    };
    let text = to_yaml(&envelope).map_err(|error| SessionError::Yaml {
        path: path.into(),
        error,
    })?;
    let at = |source| SessionError::Io {
        path: path.to_owned(),
        source,
    };
    if let Some(folder) = path.parent() {
        std::fs::create_dir_all(folder).map_err(at)?;
    }
    let beside = path.with_extension("yaml.new");
    std::fs::write(&beside, text).map_err(at)?;
    std::fs::rename(&beside, path).map_err(at)
}

#[cfg(test)]
mod tests {
    use super::{SessionError, load, save};
    use crate::dataset::InputSpec;
    use crate::session::{Document, Source};
    use crate::storage::Connection;

    fn clicks() -> InputSpec {
        let yaml = "uri: \"clicks/{day}/\"\nschema: {fields: [{name: id, type: int64}]}";
        crate::base::envelope::from_yaml(yaml).unwrap()
    }

    #[test]
    fn a_session_of_before_inputs_were_known_still_reads() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.skewer.yaml");
        std::fs::write(
            &path,
            "apiVersion: skewer/v1\nkind: Session\ndocument: {dataset: raw/}\n",
        )
        .unwrap();
        let document = load(&path).unwrap();
        assert!(document.inputs.is_empty() && document.dataset == "raw/");
    }

    #[test]
    fn a_session_comes_back_as_it_was_and_a_stranger_is_named() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.skewer.yaml");
        let source = Source {
            location: "s3://lake/raw/".parse().unwrap(),
            connection: Connection::default(),
        };
        let document = Document {
            source: Some(source),
            dataset: "raw/".to_owned(),
            inputs: [("clicks".to_owned(), clicks())].into(),
            ..Document::default()
        };
        save(&path, &document).unwrap();
        assert_eq!(load(&path).unwrap(), document);

        std::fs::write(
            &path,
            "apiVersion: skewer/v9\nkind: Session\ndocument: {colour: red}\n",
        )
        .unwrap();
        assert!(matches!(load(&path), Err(SessionError::Version { version, .. }) if version == "skewer/v9"));
        std::fs::write(
            &path,
            "apiVersion: skewer/v1\nkind: Session\ndocument:\n  colour: red\n",
        )
        .unwrap();
        let message = load(&path).unwrap_err().to_string();
        assert!(
            message.contains(":4:3: ") && message.contains("colour"),
            "{message}"
        );
    }
}

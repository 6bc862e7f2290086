//! An input that was checked: its place, for a day where it names one, and which of the keys there are its files.

use std::path::Path;
use std::sync::Arc;

use chrono::NaiveDate;
use globset::{GlobBuilder, GlobMatcher};
use sha2::{Digest, Sha256};
use thiserror::Error;

use super::InputSpec;
use crate::base::Cancel;
use crate::dataset::decode::{DecodeOptions, Decoder};
use crate::dataset::{FileFormat, Format, Schema};
use crate::storage::{Connection, Location, Object, StorageError, Store, StoreOptions, Template, is_hidden};

/// An input that was checked.
#[derive(Debug, Clone)]
pub struct InputSource {
    /// What every day's place shares; the place itself when it names no day.
    pub root: Location,
    pub connection: Connection,
    pub format: Format,
    pub schema: Arc<Schema>,
    pub decode: DecodeOptions,
    /// Below the root; none when it names no day.
    day: Option<Template>,
    pattern: GlobMatcher,
}

/// An input that reads well but cannot be opened by anyone.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("{message}")]
pub struct InputSpecError {
    /// `uri`, `match` or `schema`.
    pub key: &'static str,
    pub message: String,
}

impl InputSource {
    /// Checks `spec`; a relative place is relative to `base`. Reads no data.
    ///
    /// # Errors
    /// [`InputSpecError`] naming the key at fault.
    pub fn new(spec: &InputSpec, base: &Path) -> Result<Self, InputSpecError> {
        let at = |key| move |message: String| InputSpecError { key, message };
        let template = Template::parse_any(&spec.uri).map_err(|error| at("uri")(error.to_string()))?;
        let (root, day) = if template.has_day() {
            let (root, day) = Template::split_root(&spec.uri);
            let day = Template::parse_any(day).map_err(|error| at("uri")(error.to_string()))?;
            (if root.is_empty() { "." } else { root }, Some(day))
        } else {
            (spec.uri.as_str(), None)
        };
        let root = Location::resolve(root, base).map_err(|error| at("uri")(error.to_string()))?;
        if spec.schema.fields.is_empty() {
            return Err(at("schema")(
                "`fields` is empty: declare the columns that steps use".to_owned(),
            ));
        }
        let schema = Arc::new(spec.schema.clone());
        let decode = DecodeOptions {
            batch_bytes: 4 << 20,
            ..DecodeOptions::default()
        };
        Decoder::new(Arc::clone(&schema), decode.clone()).map_err(|error| at("schema")(error.to_string()))?;
        let pattern = spec.pattern.as_deref().unwrap_or(match spec.format {
            Format::Jsonl => "**/*.{jsonl,ndjson,json}{,.gz,.zst}",
            Format::Parquet => "**/*.parquet",
        });
        let pattern = GlobBuilder::new(pattern)
            .literal_separator(true)
            .empty_alternates(true)
            .build()
            .map_err(|error| at("match")(error.to_string()))?
            .compile_matcher();
        Ok(Self {
            root: root.without_dots(),
            connection: spec.connection.clone(),
            format: spec.format,
            schema,
            decode,
            day,
            pattern,
        })
    }

    /// Whether its place is another for each day.
    pub fn is_by_day(&self) -> bool {
        self.day.is_some()
    }

    /// Folder, prefix or object, for a day where it names one.
    pub fn location(&self, day: NaiveDate) -> Location {
        match &self.day {
            Some(template) => self.root.join(template.render(day).trim_end_matches('/')),
            None => self.root.clone(),
        }
    }

    /// Opens the storage that it lies in.
    ///
    /// # Errors
    /// [`StorageError`] for a place that is not there, or without credentials.
    pub async fn open(&self, options: &StoreOptions) -> Result<Store, StorageError> {
        Store::open_with(&self.root, &self.connection, options).await
    }

    /// Its files in key order. A day whose folder is not there has none.
    ///
    /// # Errors
    /// [`StorageError`].
    pub async fn list(
        &self,
        store: &Store,
        day: NaiveDate,
        cancel: &Cancel,
    ) -> Result<Vec<Object>, StorageError> {
        let Some(template) = &self.day else {
            let mut objects = store.list_all("", cancel).await?;
            objects.retain(|object| store.is_one_object() || self.takes(&object.key));
            return Ok(objects);
        };
        let prefix = template.render(day);
        let is_single = !prefix.ends_with('/') && FileFormat::of_key(&prefix).is_some();
        let folder = format!("{}/", prefix.trim_end_matches('/'));
        let listed = if is_single { &prefix } else { &folder };
        let mut objects = match store.list_all(listed, cancel).await {
            Ok(objects) => objects,
            Err(StorageError::NotFound { .. }) => Vec::new(),
            Err(error) => return Err(error),
        };
        objects.retain(|object| {
            if is_single {
                object.key == prefix
            } else {
                object
                    .key
                    .strip_prefix(&folder)
                    .is_some_and(|key| self.takes(key))
            }
        });
        Ok(objects)
    }

    /// Whether a key, relative to its folder, is one of its files. Control files never are.
    fn takes(&self, key: &str) -> bool {
        !is_hidden(key) && self.pattern.is_match(key)
    }
}

/// SHA-256 of the names and versions of an input's files: another one means that its rows may be others.
pub fn files_sha256<'a>(inputs: impl IntoIterator<Item = (&'a str, &'a [Object])>) -> String {
    let mut hash = Sha256::new();
    for (name, objects) in inputs {
        hash.update(format!("{name}\n"));
        for object in objects {
            let etag = object.etag.as_deref().unwrap_or_default();
            hash.update(format!("{}\t{}\t{etag}\n", object.key, object.size));
        }
    }
    format!("{:x}", hash.finalize())
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::path::Path;

    use chrono::NaiveDate;

    use super::{InputSource, files_sha256};
    use crate::base::{Cancel, envelope};
    use crate::dataset::InputSpec;
    use crate::storage::StoreOptions;

    fn source(yaml: &str, base: &Path) -> Result<InputSource, String> {
        let spec: InputSpec = envelope::from_yaml(yaml).unwrap();
        InputSource::new(&spec, base).map_err(|error| format!("{}: {error}", error.key))
    }

    const SCHEMA: &str = "schema: {fields: [{name: id, type: int64}]}";

    #[tokio::test]
    async fn files_are_those_of_the_day_and_of_the_format() {
        let folder = tempfile::tempdir().unwrap();
        for name in [
            "clicks/2020-01-02/b.jsonl.gz",
            "clicks/2020-01-02/a.jsonl",
            "clicks/2020-01-02/_tmp/x.jsonl",
            "clicks/2020-01-02/a.parquet",
            "clicks/2020-01-03/c.jsonl",
            "one.jsonl",
        ] {
            let path = folder.path().join(name);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, "{}\n").unwrap();
        }
        let day = NaiveDate::from_ymd_opt(2020, 1, 2).unwrap();
        for (uri, expected) in [
            (
                "clicks/{day}/",
                vec!["2020-01-02/a.jsonl", "2020-01-02/b.jsonl.gz"],
            ),
            (
                "clicks/{day:%Y}-01-02",
                vec!["2020-01-02/a.jsonl", "2020-01-02/b.jsonl.gz"],
            ),
            ("clicks/{day}/a.jsonl", vec!["2020-01-02/a.jsonl"]),
            ("clicks/{day:%d}/", vec![]),
            (
                "./clicks",
                vec![
                    "2020-01-02/a.jsonl",
                    "2020-01-02/b.jsonl.gz",
                    "2020-01-03/c.jsonl",
                ],
            ),
            ("x/../one.jsonl", vec!["one.jsonl"]),
        ] {
            let source = source(&format!("uri: \"{uri}\"\n{SCHEMA}"), folder.path()).unwrap();
            let store = source.open(&StoreOptions::default()).await.unwrap();
            let listed = source.list(&store, day, &Cancel::new()).await.unwrap();
            let keys: Vec<&str> = listed.iter().map(|object| object.key.as_str()).collect();
            assert_eq!(keys, expected, "{uri}");
        }
    }

    #[test]
    fn what_does_not_fit_names_its_key() {
        for (yaml, expected) in [
            (
                format!("uri: 'raw/{{hour}}/'\n{SCHEMA}"),
                "uri: `{hour}` is no parameter",
            ),
            (format!("uri: raw\nmatch: '[a'\n{SCHEMA}"), "match: "),
            (
                "uri: raw\nschema: {fields: []}".to_owned(),
                "schema: `fields` is empty",
            ),
            (
                "uri: raw\nschema: {fields: [{name: a, type: int64}, {name: a, type: int64}]}".to_owned(),
                "schema: field `a` is declared twice",
            ),
        ] {
            let error = source(&yaml, Path::new("/lake")).unwrap_err();
            assert!(error.starts_with(expected), "{error}");
        }
    }

    #[test]
    fn another_version_or_number_of_files_is_another_hash() {
        let object = |key: &str, etag: &str| crate::storage::Object {
            key: key.to_owned(),
            size: 7,
            modified: chrono::DateTime::UNIX_EPOCH,
            etag: Some(etag.into()),
        };
        let hash = |objects: &[crate::storage::Object]| files_sha256([("clicks", objects)]);
        let first = hash(&[object("a", "1")]);
        assert_eq!(first, hash(&[object("a", "1")]));
        assert_ne!(first, hash(&[object("a", "2")]));
        assert_ne!(first, hash(&[object("a", "1"), object("b", "1")]));
        assert_ne!(first, hash(&[]));
    }
}

//! A place that holds objects: a local path or an `s3://` prefix.

use std::fmt;
use std::path::{Component, Path, PathBuf};
use std::str::FromStr;

use serde::{Deserialize, Serialize};
use thiserror::Error;

/// A local path (absolute or relative to the working directory) or a bucket with a key or key prefix.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub enum Location {
    Local(PathBuf),
    /// `key` has no leading slash; a trailing slash says "prefix".
    S3 {
        bucket: String,
        key: String,
    },
}

/// A text that names no place Skewer can read.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum LocationError {
    #[error("location is empty: give a path or s3://bucket/prefix/")]
    Empty,
    #[error("`{text}` names no bucket: write s3://bucket/prefix/")]
    NoBucket { text: String },
    #[error("`{scheme}://` is not supported: use a path or s3://bucket/prefix/")]
    Scheme { scheme: String },
}

impl Location {
    /// Reads `text`, taking a relative path as relative to `base` (a spec's own folder).
    ///
    /// # Errors
    /// As [`FromStr`].
    pub fn resolve(text: &str, base: &Path) -> Result<Self, LocationError> {
        Ok(match text.parse()? {
            Self::Local(path) if path.is_relative() => Self::Local(base.join(path)),
            other => other,
        })
    }

    /// The same place without `.` and `..` in its path, so that reports name it shortly and overlaps are seen.
    #[must_use]
    pub fn without_dots(self) -> Self {
        let Self::Local(path) = self else { return self };
        let mut clean = PathBuf::new();
        for component in path.components() {
            match component {
                Component::CurDir => {}
                Component::ParentDir if clean.pop() => {}
                other => clean.push(other),
            }
        }
        Self::Local(clean)
    }

    pub fn is_s3(&self) -> bool {
        matches!(self, Self::S3 { .. })
    }

    /// The place of `relative` (with `/` separators) below this one.
    #[must_use]
    pub fn join(&self, relative: &str) -> Self {
        match self {
            Self::Local(path) => Self::Local(path.join(relative)),
            Self::S3 { bucket, key } => {
                let slash = if key.is_empty() || key.ends_with('/') {
                    ""
                } else {
                    "/"
                };
                Self::S3 {
                    bucket: bucket.clone(),
                    key: format!("{key}{slash}{relative}"),
                }
            }
        }
    }

    /// The folder or prefix that holds this place; none at the root of a bucket or file system.
    pub fn parent(&self) -> Option<Self> {
        match self {
            Self::Local(path) => path
                .parent()
                .filter(|p| !p.as_os_str().is_empty())
                .map(|p| Self::Local(p.into())),
            Self::S3 { bucket, key } => {
                let trimmed = key.trim_end_matches('/');
                if trimmed.is_empty() {
                    return None;
                }
                let parent = trimmed
                    .rfind('/')
                    .map_or("", |at| trimmed.get(..=at).unwrap_or(""));
                Some(Self::S3 {
                    bucket: bucket.clone(),
                    key: parent.to_owned(),
                })
            }
        }
    }

    /// The last part of the path, for labels.
    pub fn name(&self) -> String {
        match self {
            Self::Local(path) => path.file_name().map_or_else(
                || path.display().to_string(),
                |n| n.to_string_lossy().into_owned(),
            ),
            Self::S3 { bucket, key } => key
                .trim_end_matches('/')
                .rsplit('/')
                .next()
                .filter(|part| !part.is_empty())
                .unwrap_or(bucket)
                .to_owned(),
        }
    }
}

impl FromStr for Location {
    type Err = LocationError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let text = text.trim();
        if text.is_empty() {
            return Err(LocationError::Empty);
        }
        if let Some(rest) = text.strip_prefix("s3://").or_else(|| text.strip_prefix("s3a://")) {
            let (bucket, key) = rest.split_once('/').unwrap_or((rest, ""));
            if bucket.is_empty() {
                return Err(LocationError::NoBucket {
                    text: text.to_owned(),
                });
            }
            return Ok(Self::S3 {
                bucket: bucket.to_owned(),
                key: key.trim_start_matches('/').to_owned(),
            });
        }
        if let Some(path) = text.strip_prefix("file://") {
            return Ok(Self::Local(PathBuf::from(path)));
        }
        match text.split_once("://") {
            Some((scheme, _)) => Err(LocationError::Scheme {
                scheme: scheme.to_owned(),
            }),
            None => Ok(Self::Local(PathBuf::from(text))),
        }
    }
}

impl TryFrom<String> for Location {
    type Error = LocationError;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        text.parse()
    }
}

impl From<Location> for String {
    fn from(location: Location) -> Self {
        location.to_string()
    }
}

impl fmt::Display for Location {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Local(path) => write!(f, "{}", path.display()),
            Self::S3 { bucket, key } => write!(f, "s3://{bucket}/{key}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::{Location, LocationError};

    #[test]
    fn texts_become_places_and_back() {
        for text in ["s3://lake/raw/2020/", "s3://lake/", "data/raw", "/data/raw"] {
            assert_eq!(text.parse::<Location>().unwrap().to_string(), text);
        }
        assert_eq!("s3://lake".parse::<Location>().unwrap().to_string(), "s3://lake/");
        assert_eq!(
            "s3:///raw".parse::<Location>(),
            Err(LocationError::NoBucket {
                text: "s3:///raw".to_owned()
            })
        );
        assert!(
            "gs://lake"
                .parse::<Location>()
                .unwrap_err()
                .to_string()
                .contains("s3://bucket")
        );
    }

    #[test]
    fn parents_and_children() {
        let raw: Location = "s3://lake/raw/".parse().unwrap();
        assert_eq!(raw.join("2020/a.jsonl").to_string(), "s3://lake/raw/2020/a.jsonl");
        assert_eq!(raw.parent().unwrap().to_string(), "s3://lake/");
        assert_eq!(raw.parent().unwrap().parent(), None);
        assert_eq!(raw.name(), "raw");
        let spec_folder = Path::new("jobs");
        assert_eq!(
            Location::resolve("../raw", spec_folder).unwrap().to_string(),
            "jobs/../raw"
        );
    }
}

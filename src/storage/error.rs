//! Why a place could not be listed, read or written, in words for a person, each told once.

use std::error::Error as StdError;
use std::io;

use object_store::client::{HttpError, HttpErrorKind};
use thiserror::Error;

use super::credentials::CredentialsFailure;
use super::{ConnectionError, LocationError};
use crate::base::Cancelled;

/// Why a place could not be listed, read or written.
#[derive(Debug, Error)]
pub enum StorageError {
    #[error(transparent)]
    Location(#[from] LocationError),
    #[error(transparent)]
    Connection(#[from] ConnectionError),
    #[error("{location}: not found{hint}")]
    NotFound { location: String, hint: String },
    #[error("{location}: access denied: {message}")]
    Denied { location: String, message: String },
    /// None found, or those found are refused.
    #[error("{location}: {message}")]
    Credentials { location: String, message: String },
    #[error("{location}: {message}")]
    Unreachable { location: String, message: String },
    #[error("{location}: already exists")]
    AlreadyExists { location: String },
    #[error("{location}: {message}")]
    Other { location: String, message: String },
    #[error("cancelled")]
    Cancelled,
}

impl From<Cancelled> for StorageError {
    fn from(_: Cancelled) -> Self {
        Self::Cancelled
    }
}

impl StorageError {
    /// Whether credentials or configuration are to blame (exit code 78).
    pub fn is_configuration(&self) -> bool {
        matches!(
            self,
            Self::Denied { .. } | Self::Credentials { .. } | Self::Location(_) | Self::Connection(_)
        )
    }

    /// Whether the same call may succeed later (exit code 75).
    pub fn is_transient(&self) -> bool {
        matches!(self, Self::Unreachable { .. })
    }

    pub(super) fn other(location: &impl ToString, message: impl Into<String>) -> Self {
        Self::Other {
            location: location.to_string(),
            message: message.into(),
        }
    }
}

/// Who asks, and whom: what an error of S3 needs to name its remedy.
#[derive(Debug, Clone)]
pub(super) struct Asker {
    pub bucket: String,
    /// The profile, the default credentials or anonymous access.
    pub who: String,
    pub region: String,
    /// The server that was asked.
    pub endpoint: String,
}

/// Who asks without credentials.
pub(super) const ANONYMOUS: &str = "anonymous access";

/// Puts an error of the file system into words.
pub(super) fn from_io(location: &impl ToString, error: &io::Error) -> StorageError {
    let location = location.to_string();
    match error.kind() {
        io::ErrorKind::NotFound => StorageError::NotFound {
            location,
            hint: ": no such file or folder".to_owned(),
        },
        io::ErrorKind::NotADirectory => StorageError::NotFound {
            location,
            hint: ": a part of this path is a file".to_owned(),
        },
        io::ErrorKind::PermissionDenied => StorageError::Denied {
            location,
            message: "this user may not read or write it; change its permissions".to_owned(),
        },
        io::ErrorKind::AlreadyExists => StorageError::AlreadyExists { location },
        io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => {
            StorageError::other(&location, "no space left: free some or choose another place")
        }
        _ => StorageError::Other {
            location,
            message: without_os_number(&error.to_string()).to_owned(),
        },
    }
}

/// Puts an error of S3 into words.
///
/// `object_store` keeps the HTTP answer in private types, so status and S3's code are read from its text.
pub(super) fn from_s3(location: &impl ToString, error: &object_store::Error, asker: &Asker) -> StorageError {
    let location = location.to_string();
    if let Some(failure) = find::<CredentialsFailure>(error) {
        return StorageError::Credentials {
            location,
            message: failure.to_string(),
        };
    }
    if let Some(http) = find::<HttpError>(error) {
        return from_transport(location, http, asker);
    }
    let text = error.to_string();
    let answer = Answer::read(&text);
    match error {
        object_store::Error::AlreadyExists { .. } | object_store::Error::Precondition { .. } => {
            return StorageError::AlreadyExists { location };
        }
        object_store::Error::InvalidPath { source } => {
            return StorageError::other(&location, format!("this key cannot be addressed: {source}"));
        }
        _ => {}
    }
    from_answer(location, &text, &answer, asker)
}

/// What the server said, as far as the text of the error tells.
struct Answer<'a> {
    status: u16,
    code: &'a str,
    message: &'a str,
}

impl<'a> Answer<'a> {
    fn read(text: &'a str) -> Self {
        let status = between(text, "status code: ", " ")
            .and_then(|status| status.trim_end_matches(':').parse().ok())
            .unwrap_or(0);
        Self {
            status,
            code: between(text, "<Code>", "</Code>").unwrap_or(""),
            message: between(text, "<Message>", "</Message>").unwrap_or(""),
        }
    }
}

fn from_answer(location: String, text: &str, answer: &Answer<'_>, asker: &Asker) -> StorageError {
    let Asker { bucket, who, .. } = asker;
    match (answer.status, answer.code) {
        (_, "NoSuchBucket") => StorageError::NotFound {
            location,
            hint: format!(
                ": there is no bucket `{bucket}` at {}; check its name, the endpoint and the region",
                asker.endpoint
            ),
        },
        (_, "NoSuchUpload") => StorageError::NotFound {
            location,
            hint: ": the upload was completed or aborted before".to_owned(),
        },
        (_, "InvalidAccessKeyId" | "SignatureDoesNotMatch" | "NotSignedUp" | "InvalidSecurity") => {
            StorageError::Credentials {
                location,
                message: format!(
                    "the server refuses {who} ({}); check the access key and secret",
                    answer.code
                ),
            }
        }
        (_, "ExpiredToken" | "InvalidToken" | "TokenRefreshRequired" | "ExpiredTokenException") => {
            StorageError::Credentials {
                location,
                message: format!("the session of {who} has expired; run `aws sso login` or renew it"),
            }
        }
        (_, "RequestTimeTooSkewed") => StorageError::Credentials {
            location,
            message: "this machine's clock is wrong by more than the server allows; set it".to_owned(),
        },
        (301 | 307, _)
        | (_, "PermanentRedirect" | "AuthorizationHeaderMalformed" | "IllegalLocationConstraintException") => {
            wrong_region(location, asker)
        }
        _ if text.contains("Received redirect without LOCATION") => wrong_region(location, asker),
        (404, _) | (_, "NoSuchKey") => StorageError::NotFound {
            location,
            hint: ": no such object".to_owned(),
        },
        (401 | 403, _) | (_, "AccessDenied") if who == ANONYMOUS => StorageError::Denied {
            location,
            message: format!("{who} may not do this in bucket `{bucket}`; name a profile that may"),
        },
        (401 | 403, _) | (_, "AccessDenied") => StorageError::Denied {
            location,
            message: format!(
                "{who} may not do this in bucket `{bucket}`; allow s3:ListBucket, s3:GetObject and, to write, \
                 s3:PutObject, or choose another profile"
            ),
        },
        (416, _) => StorageError::other(&location, "the range begins after the object's end"),
        (429 | 500.., _) | (_, "SlowDown" | "InternalError" | "ServiceUnavailable") => {
            StorageError::Unreachable {
                location,
                message: format!(
                    "the server is busy or broken ({}); try again later",
                    named(answer)
                ),
            }
        }
        (200.., _) => StorageError::other(&location, format!("the server refuses ({})", named(answer))),
        _ => StorageError::other(&location, first_line(&innermost_text(text))),
    }
}

/// A redirect is no answer that a later call changes: the region is to be corrected.
fn wrong_region(location: String, asker: &Asker) -> StorageError {
    StorageError::Denied {
        location,
        message: format!(
            "bucket `{}` is not in region {}; set the connection's region to the bucket's",
            asker.bucket, asker.region
        ),
    }
}

fn named(answer: &Answer<'_>) -> String {
    match (answer.status, answer.code, answer.message) {
        (0, "", _) => "no reason given".to_owned(),
        (status, "", _) => format!("HTTP {status}"),
        (_, code, "") => code.to_owned(),
        (_, code, message) => format!("{code}: {}", first_line(message)),
    }
}

fn from_transport(location: String, error: &HttpError, asker: &Asker) -> StorageError {
    let endpoint = &asker.endpoint;
    let mut deepest: &dyn StdError = error;
    while let Some(source) = deepest.source() {
        deepest = source;
    }
    let reason = deepest.to_string();
    let reason = without_os_number(&reason);
    let message = match error.kind() {
        HttpErrorKind::Timeout => format!("{endpoint} does not answer in time; check the network"),
        HttpErrorKind::Connect => format!("cannot connect to {endpoint}: {}", first_line(reason)),
        _ => format!("the connection to {endpoint} broke: {}", first_line(reason)),
    };
    StorageError::Unreachable { location, message }
}

/// A request that got no answer within the bound.
pub(super) fn timed_out(location: &impl ToString, asker: &Asker, seconds: u64) -> StorageError {
    StorageError::Unreachable {
        location: location.to_string(),
        message: format!(
            "{} did not answer within {seconds} s; check the network",
            asker.endpoint
        ),
    }
}

/// The first error of type `T` in the chain of sources.
pub(super) fn find<'a, T: StdError + 'static>(error: &'a (dyn StdError + 'static)) -> Option<&'a T> {
    let mut next = Some(error);
    while let Some(error) = next {
        if let Some(found) = error.downcast_ref::<T>() {
            return Some(found);
        }
        next = error.source();
    }
    None
}

/// The text after the library's own "Generic S3 error: ", which says nothing to a person.
fn innermost_text(text: &str) -> String {
    text.strip_prefix("Generic S3 error: ").unwrap_or(text).to_owned()
}

/// One line of at most 200 characters.
pub(super) fn first_line(text: &str) -> String {
    let line = text.lines().map(str::trim).find(|line| !line.is_empty());
    let line = line.unwrap_or("no reason given");
    if line.chars().count() <= 200 {
        return line.to_owned();
    }
    line.chars().take(199).chain(std::iter::once('…')).collect()
}

/// `Connection refused (os error 111)` without the number, which differs by system.
pub(super) fn without_os_number(text: &str) -> &str {
    text.split_once(" (os error").map_or(text, |(reason, _)| reason)
}

fn between<'a>(text: &'a str, open: &str, close: &str) -> Option<&'a str> {
    let (_, rest) = text.split_once(open)?;
    rest.split_once(close).map(|(inside, _)| inside)
}

#[cfg(test)]
mod tests {
    use super::{Asker, StorageError, from_s3};

    fn check(status: &str, body: &str) -> StorageError {
        let asker = Asker {
            bucket: "lake".to_owned(),
            who: "profile `data`".to_owned(),
            region: "eu-west-1".to_owned(),
            endpoint: "https://s3.example.org".to_owned(),
        };
        let source =
            format!("Error performing GET in 3ms - Server returned non-2xx status code: {status}: {body}");
        let error = object_store::Error::Generic {
            store: "S3",
            source: source.into(),
        };
        from_s3(&"s3://lake/raw/", &error, &asker)
    }

    fn xml(code: &str) -> String {
        format!("<?xml version=\"1.0\"?><Error><Code>{code}</Code><Message>Words.</Message></Error>")
    }

    #[test]
    fn answers_of_the_server_become_kinds_with_a_remedy() {
        let missing = check("404 Not Found", &xml("NoSuchBucket"));
        assert!(matches!(missing, StorageError::NotFound { .. }), "{missing}");
        assert!(missing.to_string().contains("no bucket `lake`"), "{missing}");

        let denied = check("403 Forbidden", &xml("AccessDenied"));
        assert!(matches!(denied, StorageError::Denied { .. }), "{denied}");
        assert!(denied.to_string().contains("profile `data`"), "{denied}");

        let refused = check("403 Forbidden", &xml("SignatureDoesNotMatch"));
        assert!(matches!(refused, StorageError::Credentials { .. }), "{refused}");
        assert!(refused.is_configuration());

        let busy = check("503 Service Unavailable", &xml("SlowDown"));
        assert!(busy.is_transient(), "{busy}");

        let moved = check("301 Moved Permanently", "");
        assert!(moved.to_string().contains("not in region eu-west-1"), "{moved}");
    }

    #[test]
    fn a_message_is_one_readable_line() {
        for (status, body) in [
            ("403 Forbidden", xml("AccessDenied")),
            ("400 Bad Request", xml("InvalidRequest")),
            ("500 Internal Server Error", xml("InternalError")),
            ("418 I'm a teapot", String::new()),
        ] {
            let text = check(status, &body).to_string();
            assert!(text.starts_with("s3://lake/raw/: "), "{text}");
            assert!(
                !text.contains('<') && !text.contains('\n') && text.len() < 300,
                "{text}"
            );
        }
    }
}

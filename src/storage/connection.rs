//! How to reach a place: the profile's name, region and endpoint. Never a secret; credentials come from the AWS chain.

use serde::{Deserialize, Serialize};
use thiserror::Error;

/// A named way to reach S3. The default one uses the environment and `~/.aws` as the AWS command line does.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Default, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Connection {
    /// Profile in `~/.aws/config`; none takes `AWS_PROFILE` or the default profile.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub profile: Option<String>,
    /// Region; none takes the chain's.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub region: Option<String>,
    /// Endpoint of an S3-compatible server, with `http://` or `https://`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub endpoint: Option<String>,
    /// `endpoint/bucket/key` instead of `bucket.endpoint/key`.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub path_style: bool,
    /// Unsigned requests, for public buckets.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub anonymous: bool,
}

/// A connection that cannot work as written.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum ConnectionError {
    #[error("endpoint `{text}` must start with http:// or https://")]
    EndpointScheme { text: String },
    #[error("endpoint `{text}` is no address: write https://host or http://host:port")]
    EndpointAddress { text: String },
    // The text is not repeated: it would carry the password into logs.
    #[error("endpoint holds a user name or password: remove it and name a profile")]
    EndpointSecret,
    #[error("region `{text}` is no region name: write one like eu-central-1")]
    Region { text: String },
    #[error("profile is empty: name one of ~/.aws/config or leave it out")]
    EmptyProfile,
    #[error("profile `{profile}` has no use with anonymous access: leave out one of them")]
    AnonymousProfile { profile: String },
}

impl Connection {
    /// Checks what can be checked without reaching anything.
    ///
    /// # Errors
    /// [`ConnectionError`] for the first field that cannot work.
    pub fn validate(&self) -> Result<(), ConnectionError> {
        if let Some(endpoint) = &self.endpoint {
            check_endpoint(endpoint)?;
        }
        if let Some(region) = &self.region {
            let is_name = |c: char| c.is_ascii_alphanumeric() || c == '-' || c == '_';
            if region.is_empty() || !region.chars().all(is_name) {
                return Err(ConnectionError::Region { text: region.clone() });
            }
        }
        match &self.profile {
            Some(profile) if profile.trim().is_empty() => Err(ConnectionError::EmptyProfile),
            Some(profile) if self.anonymous => Err(ConnectionError::AnonymousProfile {
                profile: profile.clone(),
            }),
            _ => Ok(()),
        }
    }
}

/// Whether `text` is an address that requests can be sent to.
pub(super) fn check_endpoint(text: &str) -> Result<(), ConnectionError> {
    let lower = text.to_ascii_lowercase();
    let Some(address) = ["http://", "https://"]
        .iter()
        .find(|scheme| lower.starts_with(**scheme))
        .and_then(|scheme| text.get(scheme.len()..))
    else {
        return Err(ConnectionError::EndpointScheme {
            text: text.to_owned(),
        });
    };
    let host = address.split('/').next().unwrap_or("");
    if host.contains('@') {
        return Err(ConnectionError::EndpointSecret);
    }
    let is_odd = |c: char| c.is_whitespace() || c.is_control() || matches!(c, '?' | '#');
    if host.is_empty() || host.starts_with(':') || address.contains(is_odd) {
        return Err(ConnectionError::EndpointAddress {
            text: text.to_owned(),
        });
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::{Connection, ConnectionError};

    fn check(change: impl FnOnce(&mut Connection)) -> String {
        let mut connection = Connection::default();
        change(&mut connection);
        connection
            .validate()
            .err()
            .map_or(String::new(), |error| error.to_string())
    }

    #[test]
    fn usual_connections_are_accepted() {
        for endpoint in [
            "http://127.0.0.1:9000",
            "https://s3.example.org",
            "HTTPS://s3.example.org/",
            "https://host/storage/v1/s3",
            "http://[::1]:9000",
        ] {
            assert_eq!(
                check(|c| c.endpoint = Some(endpoint.to_owned())),
                "",
                "{endpoint}"
            );
        }
        assert_eq!(check(|c| c.region = Some("eu-central-1".to_owned())), "");
        assert_eq!(check(|c| c.anonymous = true), "");
    }

    #[test]
    fn what_cannot_work_is_named_with_a_remedy() {
        for endpoint in ["localhost:9000", "s3://lake", "ftp://host", ""] {
            let message = check(|c| c.endpoint = Some(endpoint.to_owned()));
            assert!(
                message.contains("must start with http:// or https://"),
                "{message}"
            );
        }
        for endpoint in [
            "http://",
            "https:///x",
            "http://:9000",
            "http://a b",
            "http://a?x=1",
        ] {
            let message = check(|c| c.endpoint = Some(endpoint.to_owned()));
            assert!(message.contains("is no address"), "{endpoint}: {message}");
        }
        assert!(check(|c| c.region = Some("eu central".to_owned())).contains("is no region name"));
        assert!(check(|c| c.profile = Some(String::new())).contains("profile is empty"));
    }

    #[test]
    fn a_password_in_the_endpoint_is_refused_and_not_repeated() {
        let message = check(|c| c.endpoint = Some("https://me:secret@host".to_owned()));
        assert_eq!(message, ConnectionError::EndpointSecret.to_string());
        assert!(!message.contains("secret@"));
    }
}

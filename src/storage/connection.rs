//! How to reach a place: the profile's name, region and endpoint. Never a secret; credentials come from the AWS chain.

use serde::{Deserialize, Serialize};

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

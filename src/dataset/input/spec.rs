//! An input as a person writes it, in a job, a recipe or a session.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::dataset::{Format, Schema};
use crate::storage::Connection;

/// A second dataset that steps refer to by name, such as `clicks`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct InputSpec {
    /// Folder, prefix or file. With `{day}` in it, it is read for each day; without, once a run.
    pub uri: String,
    /// Which keys below it are read; none takes the files of its format. Names starting with `_` or `.` never are.
    #[serde(rename = "match", default, skip_serializing_if = "Option::is_none")]
    pub pattern: Option<String>,
    /// How records lie in its files.
    #[serde(default, skip_serializing_if = "is_default")]
    pub format: Format,
    #[serde(default, skip_serializing_if = "is_default")]
    pub connection: Connection,
    /// The contract that records are held to; only these columns are read. A run never infers it.
    pub schema: Schema,
}

impl InputSpec {
    /// What decides which rows it gives, besides the files that are there.
    pub fn logic(&self) -> serde_json::Value {
        serde_json::json!({
            "uri": self.uri,
            "match": self.pattern,
            "format": self.format,
            "schema": self.schema,
        })
    }
}

fn is_default<T: Default + PartialEq>(value: &T) -> bool {
    *value == T::default()
}

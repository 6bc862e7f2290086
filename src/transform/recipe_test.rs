//! A test of a recipe, as people write it under `tests:` in a spec: given records, expected rows. Running it is left to
//! `explore`.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

/// Records, and what the steps must make of them.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct RecipeTest {
    /// What the steps do with these records, in a few words.
    pub name: String,
    /// Records in order: each an object, or a raw line of JSON as text, which may be broken.
    pub given: Vec<Value>,
    /// Records of second datasets, by the name of the input.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub inputs: BTreeMap<String, Vec<Value>>,
    pub expect: Expected,
}

/// What must come out.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Expected {
    /// Every row in order, with the columns that are to be compared; times as ISO 8601, NaN as text.
    pub rows: Vec<Map<String, Value>>,
    /// Records that are rejected, when read or by a step.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub rejected: u64,
}

#[allow(clippy::trivially_copy_pass_by_ref, reason = "serde passes a reference")]
fn is_zero(n: &u64) -> bool {
    *n == 0
}

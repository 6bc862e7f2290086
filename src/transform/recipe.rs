//! What a person writes: steps in order, each with an id, a comment and a switch.
//!
//! In YAML a step is a map with one key, its name; below it `id`, `comment` and `enabled` stand beside the parameters.
//! Reading hands the parameters to the step's own type key by key, so that an error keeps its line and column. Writing
//! leaves out what has its default.

use std::cell::Cell;
use std::collections::BTreeMap;
use std::fmt;

use schemars::JsonSchema;
use serde::de::{DeserializeSeed, Error, IntoDeserializer, MapAccess, Visitor};
use serde::ser::SerializeMap;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use serde_json::{Map, Value, json};

use super::Step;
use super::steps::{NAMES, registry, unknown_step};
use crate::base::envelope::{YamlError, from_yaml};
use crate::dataset::{InputSpec, SampleChoice};

/// An ordered list of steps.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Recipe {
    pub steps: Vec<RecipeStep>,
}

/// One step with what is said about it. In YAML a single-key map: `- filter: {id: valid, where: "n > 0"}`.
#[derive(Debug, Clone, PartialEq)]
pub struct RecipeStep {
    /// A stable name for people and reports.
    pub id: Option<String>,
    pub comment: Option<String>,
    /// A step that is switched off is kept but does nothing.
    pub enabled: bool,
    pub step: Step,
}

/// A recipe in a file of its own, with the envelope that every file carries.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RecipeFile {
    /// Always written; steps that a person puts together by hand are read without it.
    #[serde(rename = "apiVersion", default)]
    pub api_version: ApiVersion,
    #[serde(default)]
    pub kind: RecipeKind,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// The rows it was explored on.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sample: Option<SampleChoice>,
    /// Second datasets that steps read, by the name that they use.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub inputs: BTreeMap<String, InputSpec>,
    pub steps: Recipe,
}

/// The one version of recipe files that this release reads and writes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub enum ApiVersion {
    #[default]
    #[serde(rename = "skewer/v1")]
    V1,
}

/// The kind of document that a recipe file is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub enum RecipeKind {
    #[default]
    Recipe,
}

impl RecipeFile {
    pub fn new(steps: Recipe) -> Self {
        Self {
            api_version: ApiVersion::V1,
            kind: RecipeKind::Recipe,
            name: None,
            sample: None,
            inputs: BTreeMap::new(),
            steps,
        }
    }

    /// Reads a recipe file, or what is copied and printed as steps, in YAML or JSON: a list of steps, or one step.
    ///
    /// # Errors
    /// [`YamlError`] with the line and column of the first thing that does not fit.
    pub fn from_text(text: &str) -> Result<Self, YamlError> {
        let text = text.strip_prefix('\u{feff}').unwrap_or(text);
        let lines = text.lines().map(str::trim_start);
        let mut said = lines.filter(|line| !line.is_empty() && !line.starts_with('#') && *line != "---");
        // By its beginning, so that the error of one that breaks off tells where.
        if said.next().is_some_and(|first| first.starts_with(['-', '['])) {
            return from_yaml::<Recipe>(text).map(Self::new);
        }
        let keys = from_yaml::<BTreeMap<String, Value>>(text).unwrap_or_default();
        let of_file = ["apiVersion", "kind", "name", "sample", "inputs", "steps"];
        let is_step = |key: &String| !of_file.contains(&key.as_str());
        if keys.len() == 1 && keys.keys().all(is_step) {
            let step = from_yaml::<RecipeStep>(text)?;
            return Ok(Self::new(Recipe { steps: vec![step] }));
        }
        from_yaml(text)
    }
}

impl RecipeStep {
    pub fn new(step: Step) -> Self {
        Self {
            id: None,
            comment: None,
            enabled: true,
            step,
        }
    }
}

/// For documents that hold a recipe: its JSON Schema comes from [`recipe_json_schema`].
impl JsonSchema for Recipe {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "Recipe".into()
    }

    fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
        schemars::Schema::try_from(recipe_json_schema()).unwrap_or_default()
    }
}

/// The JSON Schema of a list of steps: each a map with the name of one step as its only key.
pub fn recipe_json_schema() -> Value {
    let steps: Vec<Value> = registry()
        .iter()
        .map(|info| {
            let mut body = (info.json_schema)();
            if let Some(properties) = body.get_mut("properties").and_then(Value::as_object_mut) {
                let parameters = std::mem::take(properties);
                properties.extend(meta_properties());
                properties.extend(parameters);
            }
            if let Value::Object(fields) = &mut body {
                fields.insert("additionalProperties".to_owned(), false.into());
                fields.insert("description".to_owned(), info.summary.into());
            }
            json!({
                "type": "object",
                "properties": {info.name: body},
                "required": [info.name],
                "additionalProperties": false,
            })
        })
        .collect();
    json!({"type": "array", "items": {"oneOf": steps}})
}

fn meta_properties() -> Map<String, Value> {
    let properties = json!({
        "id": {"type": ["string", "null"], "description": "A stable name for people and reports."},
        "comment": {"type": ["string", "null"], "description": "What the step is for."},
        "enabled": {"type": "boolean", "default": true,
            "description": "A step that is switched off is kept but does nothing."},
    });
    match properties {
        Value::Object(properties) => properties,
        _ => Map::new(),
    }
}

impl Serialize for RecipeStep {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut body = Map::new();
        for (key, text) in [("id", &self.id), ("comment", &self.comment)] {
            if let Some(text) = text {
                body.insert(key.to_owned(), text.as_str().into());
            }
        }
        if !self.enabled {
            body.insert("enabled".to_owned(), false.into());
        }
        body.extend(self.step.written_params());
        let mut map = serializer.serialize_map(Some(1))?;
        map.serialize_entry(self.step.name(), &body)?;
        map.end()
    }
}

impl<'de> Deserialize<'de> for RecipeStep {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(StepVisitor)
    }
}

struct StepVisitor;

impl<'de> Visitor<'de> for StepVisitor {
    type Value = RecipeStep;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a step: a map whose one key is the step's name")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<RecipeStep, A::Error> {
        let Some(name) = map.next_key_seed(StepName)? else {
            return Err(A::Error::custom("a step has no name"));
        };
        let step = map.next_value_seed(StepBody { name })?;
        match map.next_key_seed(OnlyKey { name })? {
            Some(never) => match never {},
            None => Ok(step),
        }
    }
}

/// Reads the name of a step; an unknown one is an error at its place.
struct StepName;

impl<'de> DeserializeSeed<'de> for StepName {
    type Value = &'static str;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<&'static str, D::Error> {
        deserializer.deserialize_str(self)
    }
}

impl Visitor<'_> for StepName {
    type Value = &'static str;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the name of a step")
    }

    fn visit_str<E: Error>(self, name: &str) -> Result<&'static str, E> {
        let known = NAMES.iter().copied().find(|known| *known == name);
        known.ok_or_else(|| E::custom(unknown_step(name)))
    }
}

/// Refuses a second key beside a step's name.
struct OnlyKey {
    name: &'static str,
}

impl<'de> DeserializeSeed<'de> for OnlyKey {
    type Value = std::convert::Infallible;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Self::Value, D::Error> {
        deserializer.deserialize_str(self)
    }
}

impl Visitor<'_> for OnlyKey {
    type Value = std::convert::Infallible;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("no further key")
    }

    fn visit_str<E: Error>(self, key: &str) -> Result<Self::Value, E> {
        let name = self.name;
        Err(E::custom(format!(
            "`{key}` stands beside step `{name}`: indent it below the step, or start it with `- `"
        )))
    }
}

/// Reads what stands below a step's name.
struct StepBody {
    name: &'static str,
}

impl<'de> DeserializeSeed<'de> for StepBody {
    type Value = RecipeStep;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<RecipeStep, D::Error> {
        deserializer.deserialize_map(self)
    }
}

impl<'de> Visitor<'de> for StepBody {
    type Value = RecipeStep;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "a map of the parameters of step `{}`", self.name)
    }

    fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<RecipeStep, A::Error> {
        let meta = Meta::default();
        let params = serde::de::value::MapAccessDeserializer::new(WithoutMeta { map, meta: &meta });
        let step = Step::deserialize(self.name, params)
            .unwrap_or_else(|| Err(A::Error::custom(unknown_step(self.name))))?;
        Ok(RecipeStep {
            id: meta.id.take(),
            comment: meta.comment.take(),
            enabled: meta.enabled.take().unwrap_or(true),
            step,
        })
    }

    fn visit_unit<E: Error>(self) -> Result<RecipeStep, E> {
        let empty = serde::de::value::MapDeserializer::new(std::iter::empty::<(String, String)>());
        match Step::deserialize(self.name, empty) {
            Some(step) => step.map(RecipeStep::new),
            None => Err(E::custom(unknown_step(self.name))),
        }
    }
}

/// What was said about a step, taken from among its parameters.
#[derive(Default)]
struct Meta {
    id: Cell<Option<String>>,
    comment: Cell<Option<String>>,
    enabled: Cell<Option<bool>>,
}

/// A map without the keys of [`Meta`]; those are stored as they come by.
struct WithoutMeta<'a, A> {
    map: A,
    meta: &'a Meta,
}

impl<'de, A: MapAccess<'de>> MapAccess<'de> for WithoutMeta<'_, A> {
    type Error = A::Error;

    fn next_key_seed<K: DeserializeSeed<'de>>(&mut self, seed: K) -> Result<Option<K::Value>, A::Error> {
        let mut seed = Some(seed);
        loop {
            match self.map.next_key_seed(KeySeed(&mut seed))? {
                None => return Ok(None),
                Some(Key::Param(key)) => return Ok(Some(key)),
                Some(Key::Id) => self.meta.id.set(self.map.next_value()?),
                Some(Key::Comment) => self.meta.comment.set(self.map.next_value()?),
                Some(Key::Enabled) => self.meta.enabled.set(Some(self.map.next_value()?)),
            }
        }
    }

    fn next_value_seed<V: DeserializeSeed<'de>>(&mut self, seed: V) -> Result<V::Value, A::Error> {
        self.map.next_value_seed(seed)
    }
}

enum Key<T> {
    Id,
    Comment,
    Enabled,
    Param(T),
}

/// Reads one key inside the underlying deserializer, so that an error about it carries the key's place. The inner seed
/// is used up by the first key that is a parameter.
struct KeySeed<'a, K>(&'a mut Option<K>);

impl<'de, K: DeserializeSeed<'de>> DeserializeSeed<'de> for KeySeed<'_, K> {
    type Value = Key<K::Value>;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Self::Value, D::Error> {
        deserializer.deserialize_identifier(self)
    }
}

impl<'de, K: DeserializeSeed<'de>> Visitor<'de> for KeySeed<'_, K> {
    type Value = Key<K::Value>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the name of a parameter")
    }

    fn visit_str<E: Error>(self, key: &str) -> Result<Self::Value, E> {
        match (key, self.0.take()) {
            ("id", seed) => {
                *self.0 = seed;
                Ok(Key::Id)
            }
            ("comment", seed) => {
                *self.0 = seed;
                Ok(Key::Comment)
            }
            ("enabled", seed) => {
                *self.0 = seed;
                Ok(Key::Enabled)
            }
            (key, Some(seed)) => seed.deserialize(key.into_deserializer()).map(Key::Param),
            (_, None) => Err(E::custom("a key was read twice")),
        }
    }
}

#[cfg(test)]
mod tests;

//! The steps, listed once: [`Step`], [`registry`], the recipe's YAML and its JSON Schema all come from this list.
//!
//! A step is one file. The `//!` lines it opens with are its documentation in the window, the README and here: the first
//! line says what it does, the rest when to use it, an example and its limits.

use std::sync::LazyLock;

use polars::prelude::{DataFrame, LazyFrame, Schema};
use schemars::JsonSchema;
use schemars::generate::SchemaSettings;
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::{Map, Value};

use super::python::Python;
use super::step::{Behaviour, Growth};
use super::{CheckError, FitSource, FitState, Inputs, RowEffect, Scope, SortKey, StepInfo};
use crate::base::nearest;

mod age;
mod aggregate;
mod aggregates;
mod bucketize;
mod case;
mod cast;
mod clip;
mod clock;
mod coalesce;
mod concat;
mod constant;
mod cyclic;
mod date_parts;
mod dedupe;
mod derive;
mod drop;
mod drop_nulls;
mod each_text;
mod explode;
mod extract_text;
mod fill_null;
mod filter;
mod flatten;
mod frequency_encode;
mod group_rare;
mod hash_encode;
mod hashing_tf;
mod html;
mod join;
mod json_path;
mod json_value;
mod learn;
mod limit;
mod list_stats;
mod log1p;
mod made_fields;
mod map_columns;
mod mask;
mod matches;
mod ngrams;
mod normalize_text;
mod one_hot;
mod order;
mod parse_timestamp;
mod pivot;
mod quantile_bucketize;
mod reject;
mod rename;
mod reorder;
mod replace_text;
mod round;
mod row_bytes;
mod row_groups;
mod row_hash;
mod sample;
mod scale;
mod select;
mod sort;
mod split;
mod sql;
mod stem;
mod stop_words;
mod string_index;
mod surrogate_id;
#[cfg(test)]
pub(super) mod testing;
mod text_stats;
mod timezone;
mod to_json;
mod token_lists;
mod tokenize;
mod truncate_time;
mod union;
mod unnest;
mod unpivot;
mod value_text;
mod white_space;
mod window;
mod winsorize;

pub use reject::OnError;

/// What the registry needs of a step's parameters besides what they do.
trait Params: Behaviour + Default + Serialize + DeserializeOwned + JsonSchema {
    const GROUP: &'static str;
    /// Parameters without which the step does not check.
    const REQUIRED: &'static [&'static str];
}

macro_rules! steps {
    ($($module:ident => $variant:ident),+ $(,)?) => {
        $(pub use $module::$variant;)+

        /// One step of any kind, with its parameters.
        #[derive(Debug, Clone, PartialEq)]
        pub enum Step {
            $($variant($variant)),+
        }

        /// Names of all kinds of steps, in palette order.
        pub(super) const NAMES: &[&str] = &[$(stringify!($module)),+];

        impl Step {
            /// The key of the step in a recipe.
            pub fn name(&self) -> &'static str {
                match self {
                    $(Self::$variant(_) => stringify!($module)),+
                }
            }

            fn behaviour(&self) -> &dyn Behaviour {
                match self {
                    $(Self::$variant(params) => params),+
                }
            }

            fn to_json(&self) -> Value {
                match self {
                    $(Self::$variant(params) => to_json(params)),+
                }
            }

            fn default_json(&self) -> Value {
                match self {
                    $(Self::$variant(_) => to_json(&$variant::default())),+
                }
            }

            /// The step `name` with the parameters that `deserializer` holds; none when no step has that name.
            pub(super) fn deserialize<'de, D: serde::Deserializer<'de>>(
                name: &str,
                deserializer: D,
            ) -> Option<Result<Self, D::Error>> {
                match name {
                    $(stringify!($module) => Some(serde::Deserialize::deserialize(deserializer).map(Self::$variant)),)+
                    _ => None,
                }
            }
        }

        fn infos() -> Vec<StepInfo> {
            vec![
                $(info::<$variant>(
                    stringify!($module),
                    include_str!(concat!(stringify!($module), ".rs")),
                    || Step::$variant($variant::default()),
                )),+
            ]
        }
    };
}

steps! {
    // columns
    select => Select,
    drop => Drop,
    reorder => Reorder,
    rename => Rename,
    cast => Cast,
    derive => Derive,
    constant => Constant,
    fill_null => FillNull,
    coalesce => Coalesce,
    concat => Concat,
    split => Split,
    clip => Clip,
    row_hash => RowHash,
    surrogate_id => SurrogateId,
    // text
    normalize_text => NormalizeText,
    case => Case,
    replace_text => ReplaceText,
    extract_text => ExtractText,
    mask => Mask,
    text_stats => TextStats,
    tokenize => Tokenize,
    stop_words => StopWords,
    stem => Stem,
    ngrams => Ngrams,
    hashing_tf => HashingTf,
    // numbers
    round => Round,
    log1p => Log1p,
    scale => Scale,
    bucketize => Bucketize,
    quantile_bucketize => QuantileBucketize,
    winsorize => Winsorize,
    // categories
    string_index => StringIndex,
    one_hot => OneHot,
    frequency_encode => FrequencyEncode,
    hash_encode => HashEncode,
    group_rare => GroupRare,
    // time
    parse_timestamp => ParseTimestamp,
    timezone => Timezone,
    date_parts => DateParts,
    truncate_time => TruncateTime,
    age => Age,
    cyclic => Cyclic,
    // nested
    unnest => Unnest,
    flatten => Flatten,
    explode => Explode,
    list_stats => ListStats,
    map_columns => MapColumns,
    json_path => JsonPath,
    to_json => ToJson,
    // rows
    filter => Filter,
    drop_nulls => DropNulls,
    dedupe => Dedupe,
    sort => Sort,
    limit => Limit,
    sample => Sample,
    aggregate => Aggregate,
    window => Window,
    pivot => Pivot,
    unpivot => Unpivot,
    sql => Sql,
    // other data
    join => Join,
    union => Union,
}

/// What steps are grouped by in the palette, in its order.
pub const GROUPS: &[&str] = &[
    "columns",
    "text",
    "numbers",
    "categories",
    "time",
    "nested",
    "rows",
    "other data",
];

/// Every kind of step, in palette order.
pub fn registry() -> &'static [StepInfo] {
    static REGISTRY: LazyLock<Vec<StepInfo>> = LazyLock::new(infos);
    &REGISTRY
}

/// Why `name` is no step: ``step `tokenise` is unknown: did you mean `tokenize`?``
pub(super) fn unknown_step(name: &str) -> String {
    match nearest(name, NAMES.iter().copied()) {
        Some(known) => format!("step `{name}` is unknown: did you mean `{known}`?"),
        None => format!("step `{name}` is unknown: the steps are {}", NAMES.join(", ")),
    }
}

impl Step {
    pub fn scope(&self) -> Scope {
        self.behaviour().scope()
    }

    pub fn row_effect(&self) -> RowEffect {
        self.behaviour().row_effect()
    }

    /// A few words on what the step does with its parameters, for the recipe panel: `posted_at → timestamp`.
    pub fn summary(&self) -> String {
        self.behaviour().summary()
    }

    /// Name with its main parameter, as errors and reports show it: `bucketize(price)`.
    pub fn label(&self) -> String {
        let subject = self.behaviour().subject();
        if subject.is_empty() {
            self.name().to_owned()
        } else {
            format!("{}({})", self.name(), super::step::shortened(&subject, 40))
        }
    }

    /// The columns by which rows have to be brought together before this step: empty stands for all visible ones, none
    /// for a step that needs all rows at once.
    pub fn keys(&self) -> Option<&[String]> {
        self.behaviour().keys()
    }

    pub(super) fn sort_keys(&self) -> Vec<SortKey> {
        self.behaviour().sort_keys()
    }

    /// Names of the inputs that the step reads.
    pub fn inputs(&self) -> Vec<&str> {
        self.behaviour().inputs()
    }

    pub(super) fn reduces_in_parts(&self) -> bool {
        self.behaviour().reduces_in_parts()
    }

    pub(super) fn reads(&self) -> Option<Vec<&str>> {
        self.behaviour().reads()
    }

    /// The column whose values the step may reject.
    pub fn column(&self) -> Option<&str> {
        self.behaviour().column()
    }

    /// Whether the step sets rows aside that it cannot compute.
    pub fn may_reject(&self) -> bool {
        self.behaviour().may_reject()
    }

    pub(super) fn appends(&self) -> bool {
        self.behaviour().appends()
    }

    pub(super) fn n_left_out(&self, df: &DataFrame, inputs: &Inputs) -> u64 {
        self.behaviour().n_left_out(df, inputs)
    }

    pub(super) fn n_rows_after(&self, df: &DataFrame, inputs: &Inputs) -> Option<Growth> {
        self.behaviour().n_rows_after(df, inputs)
    }

    /// Parameters as JSON, without id, comment and switch.
    pub fn params(&self) -> Value {
        self.to_json()
    }

    /// Parameters that differ from their defaults: what a recipe writes.
    pub(super) fn written_params(&self) -> Map<String, Value> {
        let defaults = self.default_json();
        match self.to_json() {
            Value::Object(params) => params
                .into_iter()
                .filter(|(name, value)| defaults.get(name) != Some(value))
                .collect(),
            _ => Map::new(),
        }
    }

    /// The step `name` with `params`.
    ///
    /// # Errors
    /// A message naming the parameter that does not fit.
    pub fn from_params(name: &str, params: Value) -> Result<Self, String> {
        let params = if params.is_null() {
            Value::Object(Map::new())
        } else {
            params
        };
        match Self::deserialize(name, params) {
            Some(Ok(step)) => Ok(step),
            Some(Err(error)) => Err(format!("step `{name}`: {error}")),
            None => Err(unknown_step(name)),
        }
    }

    /// The schema after the step. Reads no data.
    ///
    /// # Errors
    /// [`CheckError`] naming parameter, column and nearest name.
    pub fn check(&self, schema: &Schema, inputs: &Inputs) -> Result<Schema, CheckError> {
        self.behaviour().check_with(schema, inputs)
    }

    /// Adds the step to `lf`, whose visible columns are `schema`. Computes nothing.
    ///
    /// # Errors
    /// As [`Step::check`].
    pub fn apply(&self, lf: LazyFrame, schema: &Schema, inputs: &Inputs) -> Result<LazyFrame, CheckError> {
        self.behaviour().apply_with(lf, schema, inputs)
    }

    /// Writes the step as polars code for Python that gives the same rows.
    ///
    /// # Errors
    /// Why the step cannot be written so, for a comment in the script and a note in the window.
    pub fn python(&self, schema: &Schema, inputs: &Inputs, script: &mut Python) -> Result<(), String> {
        self.behaviour().python(schema, inputs, script)
    }

    /// Whether the step has learned from data what it needs; none for a step that learns nothing.
    pub fn fit_state(&self) -> Option<FitState> {
        self.behaviour().fit_state()
    }

    /// The parameters that decide what the step learns, in words, as `fitted.of` keeps them.
    pub(super) fn learns_of(&self) -> Option<String> {
        self.behaviour().learns_of()
    }

    /// The step with what it learns from `df`, the visible rows before it. None for a step that learns nothing.
    ///
    /// # Errors
    /// Inside, [`CheckError`] for parameters that do not check against `df`, or rows that nothing can be learned from.
    pub fn fit(&self, df: &DataFrame, source: &FitSource) -> Option<Result<Self, CheckError>> {
        self.behaviour().fit(df, source)
    }
}

/// Parameters are plain data: text, numbers, lists and maps of text always have a JSON form.
fn to_json(params: &impl Serialize) -> Value {
    serde_json::to_value(params).unwrap_or_default()
}

fn info<P: Params>(name: &'static str, source: &'static str, new: fn() -> Step) -> StepInfo {
    let doc: &'static str = opening_docs(source).leak();
    StepInfo {
        name,
        summary: doc.lines().next().unwrap_or_default().trim_end_matches('.'),
        doc,
        group: P::GROUP,
        scope: P::default().scope(),
        new,
        json_schema: json_schema::<P>,
    }
}

/// The `//!` lines that a source file opens with.
fn opening_docs(source: &str) -> String {
    source
        .lines()
        .map_while(|line| line.strip_prefix("//!"))
        .map(|line| line.strip_prefix(' ').unwrap_or(line))
        .collect::<Vec<_>>()
        .join("\n")
}

fn json_schema<P: Params>() -> Value {
    let settings = SchemaSettings::draft2020_12().with(|s| {
        s.inline_subschemas = true;
        s.meta_schema = None;
    });
    let mut schema = Value::from(settings.into_generator().into_root_schema_for::<P>());
    if let Value::Object(fields) = &mut schema {
        fields.remove("title");
        if !P::REQUIRED.is_empty() {
            fields.insert("required".to_owned(), P::REQUIRED.into());
        }
    }
    schema
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::{GROUPS, NAMES, Step, registry};
    use crate::transform::Recipe;

    #[test]
    fn every_step_is_documented_with_an_example_that_reads() {
        for info in registry() {
            assert!(
                !info.summary.is_empty() && info.summary.len() < 100,
                "{}",
                info.name
            );
            assert!(info.doc.contains("Limits:"), "{} tells its limits", info.name);
            let example = info
                .doc
                .split("```yaml\n")
                .nth(1)
                .and_then(|rest| rest.split("```").next());
            let recipe: Recipe = crate::base::envelope::from_yaml(example.unwrap()).unwrap();
            assert!(
                recipe.steps.iter().all(|step| step.step.name() == info.name),
                "{}",
                info.name
            );
        }
    }

    #[test]
    fn names_are_unique_and_groups_known() {
        let names: HashSet<&str> = registry().iter().map(|info| info.name).collect();
        assert_eq!((names.len(), registry().len()), (NAMES.len(), NAMES.len()));
        for info in registry() {
            assert!(GROUPS.contains(&info.group), "{}", info.name);
            assert_eq!((info.new)().name(), info.name);
            assert_eq!((info.new)().scope(), info.scope);
        }
    }

    #[test]
    fn parameters_survive_a_round_trip_through_json() {
        for info in registry() {
            let step = (info.new)();
            assert_eq!(
                Step::from_params(info.name, step.params()),
                Ok(step),
                "{}",
                info.name
            );
        }
        let error = Step::from_params("cast", serde_json::json!({"colum": "a"})).unwrap_err();
        assert!(error.starts_with("step `cast`: unknown field `colum`"), "{error}");
        let error = Step::from_params("casts", serde_json::Value::Null).unwrap_err();
        assert_eq!(error, "step `casts` is unknown: did you mean `cast`?");
    }

    #[test]
    fn every_parameter_is_described() {
        for info in registry() {
            let schema = (info.json_schema)();
            let properties = schema["properties"].as_object().unwrap();
            assert!(!properties.is_empty(), "{}", info.name);
            for (name, property) in properties {
                assert!(
                    property["description"].is_string(),
                    "{}.{name}: {property}",
                    info.name
                );
            }
            let has_input = properties
                .values()
                .any(|property| property.get("x-input").is_some());
            // A constant depends on no column.
            assert!(has_input || info.name == "constant", "{}", info.name);
            for required in schema["required"].as_array().into_iter().flatten() {
                assert!(
                    properties.contains_key(required.as_str().unwrap()),
                    "{}",
                    info.name
                );
            }
        }
    }
}

//! From the JSON Schema of a step's parameters to the fields of a form, and between texts and values.
//!
//! Draws nothing: see [`super::fields`].

use serde_json::{Map, Number, Value};

use super::lines;
use crate::transform::expr::sql_name;
use crate::transform::{Step, StepInfo};

/// What a field takes, and so how it is drawn.
#[derive(Debug, Clone, PartialEq)]
pub enum Kind {
    /// One column of the schema before the step.
    Column,
    /// Several of them, in order.
    Columns,
    /// A second dataset, by its name.
    Input,
    /// Columns of the second dataset that the step reads.
    InputColumns,
    /// SQL.
    Expression,
    /// A whole `SELECT`.
    Query,
    /// Name → SQL.
    Expressions,
    /// Old name → new name.
    Renames,
    /// Any names and texts.
    Pairs,
    Choice(Vec<Value>),
    /// Some of them.
    Choices(Vec<Value>),
    /// A list of entries, each with these fields.
    Entries(Vec<FieldSpec>),
    Bool,
    Integer,
    Number,
    Numbers,
    Texts,
    Text,
    /// Text, a number or a boolean.
    Scalar,
    /// Several of any kind, one a line.
    Scalars,
    /// Anything else, as JSON.
    Json,
}

/// One parameter of a step.
#[derive(Debug, Clone, PartialEq)]
pub struct FieldSpec {
    pub name: String,
    /// One sentence, from the parameter's documentation.
    pub doc: String,
    pub kind: Kind,
    pub is_required: bool,
    /// Whether it may be left empty.
    pub is_optional: bool,
    /// Another parameter and the value of it that this one is for.
    pub when: Option<(String, String)>,
    /// What it is while nobody has set it.
    pub default: Value,
}

impl FieldSpec {
    /// The name as people read it.
    pub fn label(&self) -> String {
        self.name.replace('_', " ")
    }

    /// Whether it means something beside these other parameters. One that was set is shown all the same: it can be wrong.
    pub fn is_wanted(&self, params: &Map<String, Value>) -> bool {
        let Some((name, value)) = &self.when else {
            return true;
        };
        let is_met = params.get(name).and_then(Value::as_str) == Some(value.as_str());
        is_met || params.get(&self.name).is_some_and(|own| *own != self.default)
    }
}

/// The fields of a step, in the schema's order.
pub fn fields(schema: &Value) -> Vec<FieldSpec> {
    let required: Vec<&str> = schema
        .get("required")
        .and_then(Value::as_array)
        .map(|names| names.iter().filter_map(Value::as_str).collect())
        .unwrap_or_default();
    let Some(properties) = schema.get("properties").and_then(Value::as_object) else {
        return Vec::new();
    };
    properties
        .iter()
        .map(|(name, property)| {
            let (inner, is_optional) = without_null(property);
            let hint = text_of(property, "x-input").or_else(|| text_of(inner, "x-input"));
            let doc = text_of(property, "description").or_else(|| text_of(inner, "description"));
            FieldSpec {
                name: name.clone(),
                doc: doc.unwrap_or_default().replace('\n', " "),
                kind: kind(inner, hint),
                is_required: required.contains(&name.as_str()),
                is_optional,
                when: text_of(property, "x-when")
                    .and_then(|when| when.split_once('='))
                    .map(|(name, value)| (name.to_owned(), value.to_owned())),
                default: property.get("default").cloned().unwrap_or(Value::Null),
            }
        })
        .collect()
}

fn text_of<'a>(schema: &'a Value, key: &str) -> Option<&'a str> {
    schema.get(key).and_then(Value::as_str)
}

/// The schema of a value that is there, and whether null is allowed too.
fn without_null(schema: &Value) -> (&Value, bool) {
    let is_null = |schema: &Value| text_of(schema, "type") == Some("null");
    for key in ["anyOf", "oneOf"] {
        if let Some(parts) = schema.get(key).and_then(Value::as_array)
            && parts.iter().any(is_null)
            && let Some(part) = parts.iter().find(|part| !is_null(part))
            && parts.len() == 2
        {
            return (part, true);
        }
    }
    (schema, types(schema).contains(&"null"))
}

fn types(schema: &Value) -> Vec<&str> {
    match schema.get("type") {
        Some(Value::String(name)) => vec![name],
        Some(Value::Array(names)) => names.iter().filter_map(Value::as_str).collect(),
        _ => schema
            .get("anyOf")
            .and_then(Value::as_array)
            .map(|parts| parts.iter().filter_map(|part| text_of(part, "type")).collect())
            .unwrap_or_default(),
    }
}

fn kind(schema: &Value, hint: Option<&str>) -> Kind {
    if let Some(choices) = choices(schema) {
        return Kind::Choice(choices);
    }
    let types: Vec<&str> = types(schema).into_iter().filter(|name| *name != "null").collect();
    match (types.as_slice(), hint) {
        (["array"], Some("columns" | "column")) => Kind::Columns,
        (["array"], Some("input_columns")) => Kind::InputColumns,
        (["string"], Some("input")) => Kind::Input,
        (["object"], Some("columns" | "column")) => Kind::Renames,
        (["object"], Some("expression")) => Kind::Expressions,
        (["object"], _) if schema.get("properties").is_none() => Kind::Pairs,
        (["string"], Some("column" | "columns")) => Kind::Column,
        (["string"], Some("expression")) => Kind::Expression,
        (["string"], Some("query")) => Kind::Query,
        (["string"], _) => Kind::Text,
        (["boolean"], _) => Kind::Bool,
        (["integer"], _) => Kind::Integer,
        (["number"], _) => Kind::Number,
        (["array"], _) => {
            let Some(item) = schema.get("items") else {
                return Kind::Json;
            };
            if let Some(choices) = choices(item) {
                return Kind::Choices(choices);
            }
            let entry = fields(item);
            let is_flat = |field: &FieldSpec| !matches!(field.kind, Kind::Json | Kind::Entries(_));
            if !entry.is_empty() && entry.iter().all(is_flat) {
                return Kind::Entries(entry);
            }
            match self::types(item).as_slice() {
                ["number" | "integer"] => Kind::Numbers,
                ["string"] => Kind::Texts,
                // Any value at all, as in the keys that `salt` lists.
                [] if is_any(item) => Kind::Scalars,
                several
                    if several.len() > 1 && several.iter().all(|name| is_plain(name) || *name == "null") =>
                {
                    Kind::Scalars
                }
                _ => Kind::Json,
            }
        }
        (several, _) if several.len() > 1 && several.iter().all(|name| is_plain(name)) => Kind::Scalar,
        _ => Kind::Json,
    }
}

/// Whether a schema allows every value.
fn is_any(schema: &Value) -> bool {
    match schema {
        Value::Bool(allows) => *allows,
        Value::Object(rules) => rules
            .keys()
            .all(|rule| matches!(rule.as_str(), "description" | "title" | "default")),
        _ => false,
    }
}

fn is_plain(name: &str) -> bool {
    matches!(name, "string" | "number" | "integer" | "boolean")
}

fn choices(schema: &Value) -> Option<Vec<Value>> {
    if let Some(values) = schema.get("enum").and_then(Value::as_array) {
        return Some(values.iter().filter(|value| !value.is_null()).cloned().collect());
    }
    let mut found = Vec::new();
    for part in schema.get("oneOf").or_else(|| schema.get("anyOf"))?.as_array()? {
        match (part.get("const"), part.get("enum").and_then(Value::as_array)) {
            (Some(value), _) => found.push(value.clone()),
            (None, Some(values)) => found.extend(values.iter().cloned()),
            (None, None) if text_of(part, "type") == Some("null") => {}
            (None, None) => return None,
        }
    }
    Some(found)
}

/// A value as the text of its field.
pub fn to_text(kind: &Kind, value: &Value) -> String {
    match (kind, value) {
        (_, Value::Null) => String::new(),
        (Kind::Json, value) => value.to_string(),
        (Kind::Scalars, Value::Array(items)) => lines::to_lines(items),
        (Kind::Numbers | Kind::Texts | Kind::Columns | Kind::InputColumns, Value::Array(items)) => {
            items.iter().map(plain_text).collect::<Vec<_>>().join(", ")
        }
        // Text that would be read as something else is shown in quotes.
        (Kind::Scalar, Value::String(text)) if !matches!(scalar(text), Value::String(_)) => {
            format!("'{text}'")
        }
        (_, value) => plain_text(value),
    }
}

fn plain_text(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        Value::Number(number) if number.is_f64() => {
            number.as_f64().map(|n| n.to_string()).unwrap_or_default()
        }
        other => other.to_string(),
    }
}

/// The text of a field as a value.
///
/// # Errors
/// What the text should be, for the message below the field.
pub fn from_text(field: &FieldSpec, text: &str) -> Result<Value, String> {
    let trimmed = text.trim();
    if trimmed.is_empty() && field.is_optional {
        return Ok(Value::Null);
    }
    match &field.kind {
        Kind::Integer => trimmed
            .replace(['_', ','], "")
            .parse::<Number>()
            .ok()
            .filter(|number| !number.is_f64())
            .map(Value::Number)
            .ok_or_else(|| "write a whole number".to_owned()),
        Kind::Number => number(trimmed).ok_or_else(|| "write a number".to_owned()),
        Kind::Numbers => trimmed
            .split([',', ';', ' '])
            .filter(|part| !part.is_empty())
            .map(|part| number(part).ok_or_else(|| format!("`{part}` is no number: write 30000, 60000")))
            .collect::<Result<Vec<_>, _>>()
            .map(Value::Array),
        Kind::Texts | Kind::Columns | Kind::InputColumns => Ok(Value::Array(
            trimmed
                .split(',')
                .map(str::trim)
                .filter(|part| !part.is_empty())
                .map(Value::from)
                .collect(),
        )),
        Kind::Scalars => Ok(Value::Array(lines::from_lines(text))),
        Kind::Scalar if trimmed.is_empty() => Ok(Value::Null),
        Kind::Scalar => Ok(scalar(trimmed)),
        Kind::Json => serde_json::from_str(trimmed).map_err(|error| format!("not JSON: {error}")),
        _ => Ok(Value::String(text.to_owned())),
    }
}

pub(super) fn number(text: &str) -> Option<Value> {
    text.replace('_', "").parse::<Number>().ok().map(Value::Number)
}

/// `true`, a number, or text; text in single quotes is text whatever it holds.
fn scalar(text: &str) -> Value {
    if let Some(quoted) = text.strip_prefix('\'').and_then(|rest| rest.strip_suffix('\'')) {
        return Value::String(quoted.to_owned());
    }
    match text {
        "true" => Value::Bool(true),
        "false" => Value::Bool(false),
        _ => number(text).unwrap_or_else(|| Value::String(text.to_owned())),
    }
}

/// Rows of a map field.
pub fn to_rows(value: &Value) -> Vec<(String, String)> {
    value
        .as_object()
        .map(|map| {
            map.iter()
                .map(|(name, value)| (name.clone(), plain_text(value)))
                .collect()
        })
        .unwrap_or_default()
}

/// The rows that are filled in, as a map.
///
/// # Errors
/// When a name stands twice or a row has no name.
pub fn from_rows(rows: &[(String, String)]) -> Result<Value, String> {
    let mut map = Map::new();
    for (name, value) in rows
        .iter()
        .filter(|(name, value)| !name.is_empty() || !value.is_empty())
    {
        if name.is_empty() {
            return Err("write a name at the left".to_owned());
        }
        if map.insert(name.clone(), Value::String(value.clone())).is_some() {
            return Err(format!("`{name}` stands twice"));
        }
    }
    Ok(Value::Object(map))
}

/// A new step of this kind for `column`: wherever its form asks for a column, that one is filled in.
pub fn prefilled(info: &StepInfo, column: &str) -> Step {
    let step = (info.new)();
    let Value::Object(mut params) = step.params() else {
        return step;
    };
    for field in fields(&(info.json_schema)()) {
        if field.is_optional && field.kind != Kind::Columns {
            continue;
        }
        let value = match field.kind {
            Kind::Column => Value::from(column),
            Kind::Columns => Value::from(vec![column]),
            Kind::Renames => serde_json::json!({column: column}),
            Kind::Expression => Value::from(format!("{} IS NOT NULL", sql_name(column))),
            Kind::Expressions => serde_json::json!({format!("{column}_new"): sql_name(column)}),
            Kind::Text if field.name == "into" => Value::from(format!("{column}_{}", suffix(info.name))),
            _ => continue,
        };
        params.insert(field.name, value);
    }
    Step::from_params(info.name, Value::Object(params)).unwrap_or(step)
}

/// What the column that a step adds is called after the one it reads.
fn suffix(step: &str) -> &str {
    match step {
        "bucketize" => "bucket",
        "tokenize" => "tokens",
        "hashing_tf" => "tf",
        other => other,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::{FieldSpec, Kind, fields, from_rows, from_text, to_rows, to_text};
    use crate::transform::{Step, registry};

    fn field(kind: Kind) -> FieldSpec {
        FieldSpec {
            when: None,
            default: Value::Null,
            name: "x".to_owned(),
            doc: String::new(),
            kind,
            is_required: false,
            is_optional: false,
        }
    }

    #[test]
    fn every_form_of_a_schema_becomes_its_field() {
        let text_map =
            json!({"type": "object", "additionalProperties": {"type": "string"}, "x-input": "expression"});
        let schema = json!({
            "required": ["column"],
            "properties": {
                "column": {"type": "string", "x-input": "column", "description": "Column to\nchange."},
                "columns": {"type": "array", "items": {"type": "string"}, "x-input": "columns"},
                "input": {"type": "string", "x-input": "input"},
                "theirs": {"type": "array", "items": {"type": "string"}, "x-input": "input_columns"},
                "exprs": text_map,
                "renames": {"type": "object", "additionalProperties": {"type": "string"}, "x-input": "columns"},
                "where": {"type": "string", "x-input": "expression"},
                "query": {"type": "string", "x-input": "query"},
                "plain": {"enum": ["a", "b"]},
                "documented": {"oneOf": [{"const": "reject", "description": "x"}, {"const": "null"}]},
                "mixed": {"oneOf": [{"type": "string", "enum": ["a", "b"]}, {"type": "string", "const": "c"}]},
                "maybe": {"anyOf": [{"enum": ["lower"]}, {"type": "null"}]},
                "into": {"type": ["string", "null"]},
                "borders": {"type": "array", "items": {"type": "number"}},
                "words": {"type": "array", "items": {"type": "string"}},
                "flag": {"type": "boolean"},
                "n": {"type": "integer"},
                "value": {"type": ["boolean", "number", "string", "null"]},
                "values": {"type": "array", "items": {"type": ["boolean", "number", "string", "null"]}},
                "any": {"type": "array", "items": true},
                "prefix": {"anyOf": [{"type": "boolean"}, {"type": "string"}]},
                "parts": {"type": "array", "items": {"oneOf": [{"enum": ["a"]}, {"const": "b"}]}},
                "entries": {"type": "array", "items": {"type": "object", "required": ["into"], "properties": {
                    "into": {"type": "string"},
                    "column": {"type": "string", "x-input": "column"}
                }}},
                "deep": {"type": "array", "items": {"type": "object", "properties": {"x": {"type": "object", "properties": {}}}}},
                "odd": {"type": "object", "properties": {}}
            }
        });
        let found: Vec<(String, Kind)> = fields(&schema)
            .into_iter()
            .map(|field| (field.name, field.kind))
            .collect();
        let choice = |values: &[&str]| Kind::Choice(values.iter().map(|value| Value::from(*value)).collect());
        let entry_field = |name: &str, kind: Kind, is_required: bool| FieldSpec {
            name: name.to_owned(),
            is_required,
            ..field(kind)
        };
        let entry = vec![
            entry_field("into", Kind::Text, true),
            entry_field("column", Kind::Column, false),
        ];
        let expected = [
            ("column", Kind::Column),
            ("columns", Kind::Columns),
            ("input", Kind::Input),
            ("theirs", Kind::InputColumns),
            ("exprs", Kind::Expressions),
            ("renames", Kind::Renames),
            ("where", Kind::Expression),
            ("query", Kind::Query),
            ("plain", choice(&["a", "b"])),
            ("documented", choice(&["reject", "null"])),
            ("mixed", choice(&["a", "b", "c"])),
            ("maybe", choice(&["lower"])),
            ("into", Kind::Text),
            ("borders", Kind::Numbers),
            ("words", Kind::Texts),
            ("flag", Kind::Bool),
            ("n", Kind::Integer),
            ("value", Kind::Scalar),
            ("values", Kind::Scalars),
            ("any", Kind::Scalars),
            ("prefix", Kind::Scalar),
            ("parts", Kind::Choices(vec![json!("a"), json!("b")])),
            ("entries", Kind::Entries(entry)),
            ("deep", Kind::Json),
            ("odd", Kind::Json),
        ];
        for (found, (name, kind)) in found.iter().zip(&expected) {
            assert_eq!((found.0.as_str(), &found.1), (*name, kind));
        }
        assert_eq!(found.len(), expected.len());
        let fields = fields(&schema);
        assert_eq!(fields[0].doc, "Column to change.");
        assert!(fields[0].is_required && !fields[0].is_optional);
        assert!(
            fields
                .iter()
                .any(|field| field.name == "maybe" && field.is_optional)
        );
        assert!(
            fields
                .iter()
                .any(|field| field.name == "into" && field.is_optional)
        );
    }

    #[test]
    fn texts_become_values_and_half_typed_ones_say_what_is_missing() {
        let parse = |kind, text| from_text(&field(kind), text);
        assert_eq!(parse(Kind::Numbers, "30000, 60000,"), Ok(json!([30000, 60000])));
        assert_eq!(parse(Kind::Integer, "1_000"), Ok(json!(1000)));
        assert_eq!(parse(Kind::Scalar, "'12'"), Ok(json!("12")));
        assert_eq!(
            parse(Kind::Scalar, "9007199254740993"),
            Ok(json!(9_007_199_254_740_993_i64))
        );
        assert!(parse(Kind::Numbers, "30000, 6x").unwrap_err().contains("`6x`"));
        assert!(parse(Kind::Integer, "1.5").is_err());
        assert!(parse(Kind::Number, "").is_err());
        let optional = FieldSpec {
            is_optional: true,
            ..field(Kind::Number)
        };
        assert_eq!(from_text(&optional, " "), Ok(Value::Null));
    }

    #[test]
    fn a_parameter_for_another_choice_is_wanted_only_with_it_or_when_it_was_set() {
        let join = registry().iter().find(|info| info.name == "join").unwrap();
        let specs = fields(&(join.json_schema)());
        let wanted = |params: Value| -> Vec<String> {
            let step = Step::from_params("join", params).unwrap();
            let params = step.params().as_object().unwrap().clone();
            let specs = specs.iter().filter(|spec| spec.is_wanted(&params));
            specs.map(|spec| spec.name.clone()).collect()
        };
        let left = [
            "input",
            "how",
            "on",
            "input_on",
            "columns",
            "suffix",
            "nulls_match",
            "expect",
        ];
        assert_eq!(wanted(json!({})), left);
        let asof = [&left[..], &["by", "input_by", "direction", "tolerance"]].concat();
        assert_eq!(wanted(json!({"how": "asof"})), asof);
        assert_eq!(wanted(json!({"by": ["id"]})), [&left[..], &["by"]].concat());
    }

    #[test]
    fn values_survive_the_way_through_their_text() {
        for (kind, value) in [
            (Kind::Numbers, json!([1.5, 2])),
            (Kind::Scalar, json!("12")),
            (Kind::Scalar, json!("text")),
            (Kind::Scalar, json!(true)),
            (Kind::Texts, json!(["a", "b"])),
            (Kind::Scalars, json!(["US", 12, "12", null, true, 1.5, ""])),
            (Kind::Expression, json!("a > 'b, c'")),
        ] {
            let text = to_text(&kind, &value);
            assert_eq!(from_text(&field(kind), &text), Ok(value), "{text}");
        }
    }

    #[test]
    fn rows_of_a_map_keep_their_order_and_empty_rows_do_not_count() {
        let rows = to_rows(&json!({"b": "1", "a": "2"}));
        assert_eq!(rows[0].0, "b");
        let mut rows = rows;
        rows.push((String::new(), String::new()));
        assert_eq!(from_rows(&rows).unwrap().to_string(), r#"{"b":"1","a":"2"}"#);
        rows.push(("a".to_owned(), String::new()));
        assert_eq!(from_rows(&rows).unwrap_err(), "`a` stands twice");
    }
}

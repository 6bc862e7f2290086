//! The JSON Schema of a job spec, for editors and for whoever writes specs by program.
//!
//! Made from the same types that read a spec; `transform` says what its steps take.

use schemars::generate::SchemaSettings;
use schemars::{Schema, SchemaGenerator, json_schema};
use serde_json::{Value, json};

use super::JobSpec;

/// The JSON Schema (draft 2020-12) of a job spec.
pub fn job_schema() -> Value {
    let generator = SchemaSettings::draft2020_12().into_generator();
    let mut schema = generator.into_root_schema_for::<JobSpec>().to_value();
    if let Some(object) = schema.as_object_mut() {
        object.insert("title".to_owned(), json!("Skewer job"));
    }
    schema
}

/// The contract of a source.
pub(super) fn source_schema(_: &mut SchemaGenerator) -> Schema {
    json_schema!({
        "type": "object",
        "description": "The contract that records are held to. A run never infers it.",
        "properties": {
            "on_missing": {
                "description": "A record that lacks a declared field.",
                "enum": ["null", "quarantine"],
                "default": "null",
            },
            "on_unknown": {
                "description": "A key that no field declares: counted by name, or its record is quarantined.",
                "enum": ["collect", "quarantine"],
                "default": "collect",
            },
            "on_mismatch": {
                "description": "A value of another type.",
                "enum": ["quarantine", "null"],
                "default": "quarantine",
            },
            "fields": {
                "type": "array",
                "minItems": 1,
                "items": {
                    "type": "object",
                    "properties": {
                        "name": { "type": "string" },
                        "type": {
                            "type": "string",
                            "description": "bool, int64, float64, string, date, `timestamp[us, UTC]`, `list<...>`, \
                                            `struct<name: type, ...>` or json.",
                            "examples": ["int64", "timestamp[us, UTC]", "list<string>", "struct<city: string>"],
                        },
                        "required": { "type": "boolean", "default": false },
                        "accept": {
                            "description": "What the field takes besides its own type.",
                            "type": "array",
                            "items": { "enum": ["string", "number", "bool", "numeric_string", "json"] },
                        },
                        "parse": {
                            "type": "string",
                            "description": "strftime form of a date or timestamp; none takes ISO 8601.",
                        },
                    },
                    "required": ["name", "type"],
                    "additionalProperties": false,
                },
            },
        },
        "required": ["fields"],
        "additionalProperties": false,
    })
}

#[cfg(test)]
mod tests {
    use super::job_schema;

    #[test]
    fn the_schema_is_closed_and_knows_every_section() {
        let schema = job_schema();
        assert_eq!(schema["additionalProperties"], false);
        for section in [
            "metadata", "engine", "params", "source", "inputs", "steps", "sink", "errors", "limits", "tests",
        ] {
            assert!(schema["properties"].get(section).is_some(), "{section}");
        }
        let required = schema["required"].to_string();
        assert!(
            required.contains("source") && required.contains("sink"),
            "{required}"
        );
    }

    #[test]
    fn a_written_spec_is_valid_by_the_schema() {
        let validator = jsonschema::validator_for(&job_schema()).unwrap();
        let spec = crate::job::JobSpec::parse(crate::job::check::tests::SPEC).unwrap();
        let instance = serde_json::to_value(spec).unwrap();
        let errors: Vec<String> = validator.iter_errors(&instance).map(|e| e.to_string()).collect();
        assert!(errors.is_empty(), "{errors:?}");
        let wrong = serde_json::json!({"apiVersion": "skewer/v1", "kind": "Job", "extra": 1});
        assert!(!validator.is_valid(&wrong));
    }
}

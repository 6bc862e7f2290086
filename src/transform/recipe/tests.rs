//! Recipes as people write them: round trips, and errors with their places.

use serde_json::json;

use super::{Recipe, RecipeFile, RecipeStep, recipe_json_schema};
use crate::base::envelope::{from_yaml, to_yaml};
use crate::transform::Step;
use crate::transform::steps::registry;

fn error(text: &str) -> (u64, u64, String) {
    let error = from_yaml::<Recipe>(text).unwrap_err();
    (error.line, error.column, error.message)
}

#[test]
fn a_recipe_is_read_as_it_is_written() {
    let text = "\
- filter:
    id: valid
    comment: only ads with a salary
    enabled: false
    where: salary > 0
- bucketize:
    column: salary
    into: band
    borders:
    - 30000.0
    - 60000.5
- derive:
    columns:
      b: a + 1
      a: b
- dedupe: {}
";
    let recipe: Recipe = from_yaml(text).unwrap();
    assert_eq!(recipe.steps.len(), 4);
    let first = &recipe.steps[0];
    assert_eq!(first.id.as_deref(), Some("valid"));
    assert_eq!(first.comment.as_deref(), Some("only ads with a salary"));
    assert!(!first.enabled);
    assert!(recipe.steps[1].enabled);
    assert_eq!(to_yaml(&recipe).unwrap(), text);
}

#[test]
fn every_step_survives_a_round_trip() {
    for yaml in [
        "- select: {columns: [a, b]}",
        "- drop: {columns: [a]}",
        "- rename: {columns: {z: a, a: z}}",
        "- cast: {column: a, to: 'timestamp[us, UTC]', on_error: 'null'}",
        "- derive: {columns: {x: \"'no'\"}}",
        "- filter: {where: 'a > 1'}",
        "- fill_null: {column: a, value: 'no'}",
        "- fill_null: {column: a, value: -1}",
        "- fill_null: {column: a, value: 1.0}",
        "- fill_null: {column: a, value: false}",
        "- parse_timestamp: {column: a, into: b, format: '%Y', on_error: 'null'}",
        "- normalize_text: {column: a, trim: true, case: lower, strip_html: true, unicode: nfkc, collapse_spaces: true}",
        "- tokenize: {column: a, into: b, lower: false, pattern: '\\W+'}",
        "- hashing_tf: {column: a, into: b, num_features: 1024, binary: true}",
        "- bucketize: {column: a, into: b, borders: [1, 2.5], on_nan: extra}",
        "- unnest: {column: a, prefix: true, keep: true}",
        "- unnest: {column: a, prefix: x_}",
        "- explode: {column: a, empty: drop}",
        "- dedupe: {columns: [a], keep: last}",
    ] {
        let recipe: Recipe = from_yaml(yaml).unwrap_or_else(|error| panic!("{yaml}: {error}"));
        let written = to_yaml(&recipe).unwrap();
        assert_eq!(from_yaml::<Recipe>(&written).unwrap(), recipe, "{written}");
        let json = serde_json::to_string(&recipe).unwrap();
        assert_eq!(serde_json::from_str::<Recipe>(&json).unwrap(), recipe, "{json}");
    }
}

#[test]
fn an_empty_step_is_written_short_and_read_back() {
    for info in registry() {
        let step = RecipeStep::new((info.new)());
        let recipe = Recipe { steps: vec![step] };
        let written = to_yaml(&recipe).unwrap();
        assert_eq!(written, format!("- {}: {{}}\n", info.name));
        assert_eq!(from_yaml::<Recipe>(&written).unwrap(), recipe);
        assert_eq!(
            from_yaml::<Recipe>(&format!("- {}:\n", info.name)).unwrap(),
            recipe
        );
    }
}

#[test]
fn an_unknown_step_is_named_with_its_place_and_the_nearest() {
    assert_eq!(
        error("- dedupe: {}\n- tokenise: {column: a}\n"),
        (
            2,
            3,
            "step `tokenise` is unknown: did you mean `tokenize`?".to_owned()
        )
    );
    let (line, column, message) = error("- xyzzyxyzzy: {}\n");
    assert_eq!((line, column), (1, 3));
    assert!(message.contains("the steps are select, drop"), "{message}");
}

#[test]
fn an_unknown_parameter_has_its_place() {
    let (line, column, message) = error("- tokenize:\n    id: x\n    column: a\n    intoo: b\n");
    assert_eq!((line, column), (4, 5), "{message}");
    assert!(message.contains("intoo"), "{message}");
}

#[test]
fn a_wrong_type_has_its_place() {
    let (line, column, message) = error("- tokenize:\n    column: a\n    lower: maybe\n");
    assert_eq!((line, column), (3, 12), "{message}");
    let (line, column, message) = error("- bucketize:\n    borders: [1, x]\n");
    assert_eq!((line, column), (2, 18), "{message}");
    let (line, column, message) = error("- filter:\n    enabled: 1\n    where: a\n");
    assert_eq!((line, column), (2, 14), "{message}");
    let (line, column, message) = error("- cast:\n    to: int46\n");
    assert_eq!((line, column), (2, 9), "{message}");
    assert!(message.contains("int46"), "{message}");
}

#[test]
fn a_second_key_and_a_doubled_key_are_errors() {
    let (line, column, message) = error("- dedupe: {}\n  filter: {where: a}\n");
    assert_eq!((line, column), (2, 3), "{message}");
    assert!(
        message.contains("`filter` stands beside step `dedupe`"),
        "{message}"
    );
    let (line, _, message) = error("- filter:\n    where: a\n    where: b\n");
    assert_eq!(line, 3, "{message}");
    let (line, _, message) = error("- filter:\n    id: a\n    id: b\n");
    assert_eq!(line, 3, "{message}");
}

#[test]
fn the_word_null_needs_no_quotes() {
    let bare: Recipe = from_yaml("- cast: {column: a, to: int64, on_error: null}").unwrap();
    let quoted: Recipe = from_yaml("- cast: {column: a, to: int64, on_error: 'null'}").unwrap();
    assert_eq!(bare, quoted);
    let strict: Recipe = from_yaml("- cast: {column: a, to: int64}").unwrap();
    assert_ne!(bare, strict);
    let (line, column, message) = error("- cast:\n    on_error: nul\n");
    assert_eq!((line, column), (2, 15), "{message}");
}

#[test]
fn a_recipe_file_has_an_envelope() {
    let text = "apiVersion: skewer/v1\nkind: Recipe\nname: jobs\nsteps:\n  - dedupe: {}\n";
    let file: RecipeFile = from_yaml(text).unwrap();
    assert_eq!(file.name.as_deref(), Some("jobs"));
    assert_eq!(file.steps.steps.len(), 1);
    assert_eq!(from_yaml::<RecipeFile>(&to_yaml(&file).unwrap()).unwrap(), file);
    let error = from_yaml::<RecipeFile>(&text.replace("v1", "v9")).unwrap_err();
    assert_eq!(error.line, 1, "{error}");
}

#[test]
fn the_json_schema_takes_what_the_reader_takes() {
    let schema = recipe_json_schema();
    let validator = jsonschema::validator_for(&schema).unwrap();
    for (recipe, is_valid) in [
        (
            json!([{"filter": {"id": "x", "enabled": false, "where": "a > 1"}}]),
            true,
        ),
        (
            json!([{"dedupe": {}}, {"bucketize": {"column": "a", "into": "b", "borders": [1, 2.5]}}]),
            true,
        ),
        (json!([{"rename": {"columns": {"a": "b"}}}]), true),
        (json!([{"unnest": {"column": "a", "prefix": "x_"}}]), true),
        (
            json!([{"cast": {"column": "a", "to": "int64", "on_error": null}}]),
            true,
        ),
        (
            json!([{"cast": {"column": "a", "to": "int64", "on_error": "nul"}}]),
            false,
        ),
        (json!([{"filter": {"where": "a", "wehre": "b"}}]), false),
        (json!([{"filter": {}}]), false),
        (json!([{"tokenise": {"column": "a"}}]), false),
        (json!([{"dedupe": {}, "filter": {"where": "a"}}]), false),
        (json!([{"cast": {"column": "a", "to": "int46"}}]), false),
        (
            json!([{"normalize_text": {"column": "a", "case": "Lower"}}]),
            false,
        ),
    ] {
        assert_eq!(validator.is_valid(&recipe), is_valid, "{recipe}");
    }
}

#[test]
fn steps_without_an_envelope_are_a_recipe_file_in_yaml_and_in_json() {
    let step = RecipeStep::new(Step::from_params("filter", json!({"where": "n > 0"})).unwrap());
    let expected = RecipeFile::new(Recipe {
        steps: vec![step.clone(), step.clone()],
    });
    let list = json!([step, step]);
    for text in [
        to_yaml(&list).unwrap(),
        format!("# copied\n---\n{}", to_yaml(&list).unwrap()),
        list.to_string(),
        serde_json::to_string_pretty(&list).unwrap(),
        json!({"steps": list}).to_string(),
        to_yaml(&expected).unwrap(),
    ] {
        assert_eq!(RecipeFile::from_text(&text), Ok(expected.clone()), "{text}");
    }
    let one = RecipeFile::from_text("filter: {where: n > 0}").unwrap();
    assert_eq!(one.steps.steps, [step]);
    for (text, line, word) in [
        (
            "- filter: {where: n > 0}\n- fliter: {where: n > 0}",
            2,
            "`fliter`",
        ),
        ("[{\"filter\": {\"were\": \"n > 0\"}}]", 1, "`were`"),
        ("kind: Chart\nsteps: []", 1, "Chart"),
        ("filter: {where: n > 0}\ndrop: {columns: [a]}", 1, "`filter`"),
        ("fliter: {where: n > 0}", 1, "did you mean `filter`"),
        ("- filter: {where: n > 0", 1, ""),
        ("", 0, ""),
    ] {
        let error = RecipeFile::from_text(text).unwrap_err();
        assert!(error.message.contains(word), "{text}: {error}");
        assert!(error.line >= line, "{text}: {error}");
    }
}

//! The whole program for a recipe: reads the rows, applies the steps, prints or writes what comes out.
//!
//! Reading and printing are fixed texts beside this file. What differs between recipes stands above them: where the rows
//! are, and `steps`, with a comment for every step.

use std::collections::BTreeMap;

use polars::prelude::{PlSmallStr, Schema};

use super::{Python, RowFormat, RowSource, list, quoted};
use crate::transform::{Inputs, Recipe, RecipeStep};

const FILES: &str = include_str!("files.py");
const JSONL: &str = include_str!("jsonl.py");
const FORM: &str = include_str!("form.py");
const PARQUET: &str = include_str!("parquet.py");
const PRINT: &str = include_str!("print.py");
const MAIN: &str = include_str!("main.py");

/// What a script reads: the rows, and the second datasets by name.
#[derive(Debug, Clone, PartialEq)]
pub struct Reading {
    pub rows: RowSource,
    pub inputs: BTreeMap<String, RowSource>,
}

/// A program for polars in Python.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Script {
    pub text: String,
    /// Steps that could not be written, with the reason. Number 0 stands for the reading of the rows.
    pub notes: Vec<(usize, String)>,
}

/// The program that gives the rows of `recipe` on rows of `input` (visible columns), read as `reading` says. A step that
/// has no polars code ends the program where it stands, unless it is told to leave such steps out (`--skip`).
pub fn script(recipe: &Recipe, input: &Schema, inputs: &Inputs, reading: &Reading) -> Script {
    let mut notes = Vec::new();
    let mut python = Python::default();
    for module in ["argparse", "datetime", "json", "math", "os", "re", "sys", "io"] {
        python.import(module);
    }
    let steps = steps(recipe, input, inputs, &mut python, &mut notes);

    let (rows, cannot) = reading.rows.written("");
    notes.extend(cannot.map(|reason| (0, reason)));
    let mut constants = format!("ROWS = {rows}\n");
    if reading.inputs.is_empty() {
        constants.push_str("INPUTS = {}\n");
    } else {
        constants.push_str("INPUTS = {\n");
        for (name, source) in &reading.inputs {
            let (written, cannot) = source.written("    ");
            notes.extend(cannot.map(|reason| (0, format!("input `{name}`: {reason}"))));
            constants.extend(["    ", &quoted(name), ": ", &written, ",\n"]);
        }
        constants.push_str("}\n");
    }

    let sources = || std::iter::once(&reading.rows).chain(reading.inputs.values());
    let has_jsonl = sources().any(|source| matches!(source.format, RowFormat::Jsonl { .. }));
    let has_parquet = sources().any(|source| matches!(source.format, RowFormat::Parquet(_)));
    let mut frame = vec![FILES];
    if has_jsonl {
        python.import("gzip");
        python.import("zlib");
        frame.push(JSONL);
    }
    if sources().any(RowSource::has_forms) {
        frame.push(FORM);
    }
    if has_parquet {
        frame.push(PARQUET);
    }
    frame.extend([PRINT, MAIN]);

    let mut text = format!(
        "\"\"\"Steps of a recipe as polars code, written by Skewer {}.\n\nGives the rows of `skewer preview` with polars \
         from PyPI: pip install \"polars>=2.1\"\n\"\"\"\n\n",
        env!("CARGO_PKG_VERSION")
    );
    text.push_str(&python.head());
    text.push('\n');
    text.push_str(&constants);
    text.push_str(&python.definitions());
    text.push_str("\n\n");
    text.push_str(&steps);
    for part in frame {
        text.push_str("\n\n");
        text.push_str(part);
    }
    Script { text, notes }
}

/// The function `steps`. Imports and functions that the steps need go to `python`.
fn steps(
    recipe: &Recipe,
    input: &Schema,
    inputs: &Inputs,
    python: &mut Python,
    notes: &mut Vec<(usize, String)>,
) -> String {
    let mut body = vec![
        "def steps(df, inputs, skip=False):".to_owned(),
        "    \"\"\"The rows after the steps. `df` has the columns of ROWS, `inputs` are frames by name.\"\"\"".to_owned(),
    ];
    let mut schema = input.clone();
    for (index, step) in recipe.steps.iter().enumerate() {
        let number = index + 1;
        body.extend(comment(number, step));
        if !step.enabled {
            body.push("    # It is switched off.".to_owned());
            continue;
        }
        let mut piece = Python::default();
        let written = match step.step.check(&schema, inputs) {
            Ok(after) => {
                let written = step.step.python(&schema, inputs, &mut piece);
                schema = after;
                written
            }
            Err(error) => Err(format!("it does not check: {error}")),
        };
        match written {
            Ok(()) => body.extend(python.absorb(piece).into_iter().map(|line| indented(&line))),
            Err(reason) => {
                let reason = one_line(&reason);
                body.push(format!("    # It has no polars code: {reason}."));
                body.push(format!(
                    "    cannot(skip, {number}, {}, {})",
                    quoted(&step.step.label()),
                    quoted(&reason)
                ));
                notes.push((number, reason));
            }
        }
    }
    if notes.is_empty() {
        let columns = list(schema.iter_names().map(PlSmallStr::as_str));
        body.push(format!("    return df.select({columns})"));
    } else {
        body.push("    return df".to_owned());
    }
    body.join("\n") + "\n"
}

/// Number, label, id and the person's comment.
fn comment(number: usize, step: &RecipeStep) -> Vec<String> {
    let id = step
        .id
        .as_ref()
        .map(|id| format!(" ({})", one_line(id)))
        .unwrap_or_default();
    let mut lines = vec![
        String::new(),
        format!("    # Step {number}: {}{id}", one_line(&step.step.label())),
    ];
    for line in step.comment.iter().flat_map(|comment| comment.lines()) {
        lines.push(format!("    # {}", one_line(line)).trim_end().to_owned());
    }
    lines
}

fn indented(line: &str) -> String {
    if line.is_empty() {
        String::new()
    } else {
        format!("    {line}")
    }
}

/// Without characters that would end a comment.
fn one_line(text: &str) -> String {
    text.split(|c: char| c.is_control() || matches!(c, '\u{2028}' | '\u{2029}'))
        .collect::<Vec<_>>()
        .join(" ")
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use polars::prelude::Schema;

    use super::{Reading, Script, script};
    use crate::base::envelope::from_yaml;
    use crate::dataset;
    use crate::transform::python::{RowFormat, RowSource};
    use crate::transform::{Inputs, RecipeFile};

    fn written(steps: &str, fields: &str) -> Script {
        let recipe: RecipeFile =
            from_yaml(&format!("apiVersion: skewer/v1\nkind: Recipe\nsteps: {steps}")).unwrap();
        let schema: dataset::Schema = from_yaml(&format!("fields: {fields}")).unwrap();
        let input: Schema = schema.to_polars();
        let rows = RowSource {
            paths: vec!["s3://lake/raw/".to_owned()],
            by_day: false,
            pattern: None,
            format: RowFormat::Jsonl {
                schema,
                max_line_bytes: 1 << 20,
            },
            connection: serde_json::json!({"region": "eu-west-1"}),
        };
        let reading = Reading {
            rows,
            inputs: BTreeMap::new(),
        };
        script(&recipe.steps, &input, &Inputs::default(), &reading)
    }

    #[test]
    fn a_step_that_does_not_check_is_a_comment_a_note_and_the_end_of_the_script() {
        let script = written(
            "[{drop: {comment: \"old\\nand unused\", columns: [nope]}}, {drop: {enabled: false, columns: [n]}}]",
            "[{name: n, type: int64}]",
        );
        assert_eq!(script.notes.len(), 1);
        assert_eq!(script.notes[0].0, 1);
        assert!(
            script.notes[0].1.contains("`nope` not found"),
            "{:?}",
            script.notes
        );
        let text = &script.text;
        assert!(
            text.contains("    # Step 1: drop(nope)\n    # old\n    # and unused\n"),
            "{text}"
        );
        assert!(text.contains("    cannot(skip, 1, \"drop(nope)\", "), "{text}");
        assert!(
            text.contains("    # Step 2: drop(n)\n    # It is switched off.\n"),
            "{text}"
        );
    }

    #[test]
    fn the_reader_gets_what_the_schema_declares_and_no_secret() {
        let script = written(
            "[]",
            "[{name: id, type: int64, required: true}, {name: at, type: timestamp, parse: '%d/%m/%Y'}, \
             {name: raw, type: 'struct<a: list<json>>'}]",
        );
        assert_eq!(script.notes, []);
        for part in [
            r#"{"name": "id", "type": "int64", "required": True},"#,
            r#""keeps_text": True,"#,
            r#""connection": {"region": "eu-west-1"},"#,
            r#""at": pl.Datetime("us", "UTC"),"#,
            "def by_form(",
        ] {
            assert!(script.text.contains(part), "{part}\n{}", script.text);
        }
        assert!(!script.text.contains("def read_parquet("), "no Parquet is read");
    }

    #[test]
    fn a_form_that_the_reader_does_not_know_is_noted_as_of_the_reading() {
        let script = written("[]", "[{name: at, type: date, parse: '%G-W%V-%u'}]");
        assert_eq!(script.notes.len(), 1);
        assert_eq!(script.notes[0].0, 0);
        assert!(script.notes[0].1.contains("field `at`"), "{:?}", script.notes);
        assert!(script.text.contains("\"cannot\": "));
    }
}

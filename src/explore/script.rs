//! The Python program of what is being explored: the recipe on the rows of a page's location, read as the page was.

use std::collections::BTreeMap;
use std::path::Path;

use crate::dataset::decode::DecodeOptions;
use crate::dataset::{InputSpec, Page, origin};
use crate::storage::{Connection, Location};
use crate::transform::python::{self, Reading, RowFormat, RowSource, Script};
use crate::transform::{Input, Inputs, Recipe};

/// All rows at `location`, of which `page` is the beginning: its schema becomes the script's.
pub fn row_source(page: &Page, location: &Location, connection: &Connection) -> RowSource {
    let format = match &page.declared {
        Some(schema) => RowFormat::Jsonl {
            schema: schema.clone(),
            max_line_bytes: DecodeOptions::default().max_line_bytes,
        },
        None => RowFormat::Parquet(origin::without_hidden(page.df.schema())),
    };
    RowSource {
        paths: vec![location.to_string()],
        by_day: false,
        pattern: None,
        format,
        connection: serde_json::to_value(connection).unwrap_or_default(),
    }
}

/// The program for `recipe` on the rows of `rows`, with second datasets by name.
pub fn script(
    page: &Page,
    recipe: &Recipe,
    inputs: &Inputs,
    rows: RowSource,
    second: BTreeMap<String, RowSource>,
) -> Script {
    let input = origin::without_hidden(page.df.schema());
    let reading = Reading { rows, inputs: second };
    python::script(recipe, &input, inputs, &reading)
}

/// Where the second datasets of a recipe are read; relative places are relative to `base`.
///
/// # Errors
/// The input that nobody could read, and why.
pub fn input_sources(
    specs: &BTreeMap<String, InputSpec>,
    base: &Path,
) -> Result<BTreeMap<String, RowSource>, String> {
    let sources = specs.iter().map(|(name, spec)| {
        let source = RowSource::of_input(spec, base);
        let source = source.map_err(|error| format!("input `{name}`: {error}"))?;
        Ok((name.clone(), source))
    });
    sources.collect()
}

/// The columns of second datasets, without their rows: enough to check steps and to write them.
pub fn declared_inputs(specs: &BTreeMap<String, InputSpec>) -> Inputs {
    let mut inputs = Inputs::default();
    for (name, spec) in specs {
        inputs.insert(name, Input::declared(spec.schema.to_polars()));
    }
    inputs
}

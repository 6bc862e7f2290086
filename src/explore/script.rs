//! The Python program of what is being explored: the recipe on the rows of a page's location, read as the page was.

use std::collections::BTreeMap;

use crate::dataset::decode::DecodeOptions;
use crate::dataset::{Page, origin};
use crate::storage::{Connection, Location};
use crate::transform::python::{self, Reading, RowFormat, RowSource, Script};
use crate::transform::{Inputs, Recipe};

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

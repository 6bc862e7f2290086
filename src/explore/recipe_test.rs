//! Runs the tests of a recipe in memory, with the decoder and the steps of a run, and makes tests from rows at hand.

use std::collections::{BTreeMap, HashSet};
use std::ops::Range;
use std::sync::Arc;

use chrono::{DateTime, NaiveDate};
use polars::prelude::{DataFrame, IntoColumn, PolarsResult, Series};
use serde_json::{Map, Value};

use crate::base::{Accuracy, nearest};
use crate::dataset::decode::{DecodeOptions, Decoder, ObjectRef};
use crate::dataset::{Codec, DataType, Page, Reject, Schema, origin, rows};
use crate::transform::{Expected, Input, Inputs, Recipe, RecipeTest};

/// What became of one test.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TestOutcome {
    pub name: String,
    /// The first difference with its place; none when the test passed.
    pub problem: Option<String>,
}

/// What a recipe is tested against: the declared records and those of its second datasets.
#[derive(Debug, Clone, Copy)]
pub struct Schemas<'a> {
    pub schema: &'a Schema,
    pub inputs: &'a BTreeMap<String, Schema>,
}

/// What the steps made of given records.
struct Made {
    rows: Vec<Map<String, Value>>,
    columns: Vec<String>,
    /// One sentence each, with the place among the given records.
    rejects: Vec<String>,
}

/// Runs `test` on `recipe`.
pub fn run_test(recipe: &Recipe, declared: Schemas<'_>, test: &RecipeTest) -> TestOutcome {
    let problem = match make(recipe, declared, &test.given, &test.inputs) {
        Ok(made) => difference(&test.expect, &made),
        Err(problem) => Some(problem),
    };
    TestOutcome {
        name: test.name.clone(),
        problem,
    }
}

/// A test that passes today: `given` records and second datasets, and the rows that the steps make of them.
///
/// # Errors
/// Why the steps do not run.
pub fn test_from_rows(
    name: &str,
    recipe: &Recipe,
    declared: Schemas<'_>,
    given: Vec<Value>,
    inputs: BTreeMap<String, Vec<Value>>,
) -> Result<RecipeTest, String> {
    let made = make(recipe, declared, &given, &inputs)?;
    Ok(RecipeTest {
        name: name.to_owned(),
        given,
        inputs,
        expect: Expected {
            rows: made.rows,
            rejected: made.rejects.len() as u64,
        },
    })
}

/// Some rows of a page (before any step) as records that decode to the same rows. None for a page of Parquet, whose
/// records have no lines.
pub fn given_rows(page: &Page, rows: impl IntoIterator<Item = usize>) -> Option<Vec<Value>> {
    let schema = page.declared.as_ref()?;
    Some(records(&origin::strip(&page.df), schema, rows))
}

/// Rows as records that decode to the same rows by `schema`.
pub(super) fn records(df: &DataFrame, schema: &Schema, rows: impl IntoIterator<Item = usize>) -> Vec<Value> {
    let records = rows
        .into_iter()
        .filter_map(|row| rows::row_to_json(df, row))
        .map(|mut row| {
            for field in &schema.fields {
                if let Some(value) = row.get_mut(&field.name) {
                    as_record(&field.dtype, field.parse.as_deref(), value);
                }
            }
            Value::Object(row)
        });
    records.collect()
}

/// The rows of a page that some rows after its steps came from, each once, in the page's order. `origins` are the rows'
/// hidden columns; rows of an input came from none of the page's.
///
/// # Errors
/// When either lacks the hidden columns.
pub fn page_rows(page: &Page, origins: &DataFrame, range: Range<usize>) -> PolarsResult<Vec<usize>> {
    let of_page = places(&page.df)?;
    let wanted: HashSet<Place> = places(origins)?
        .get(range)
        .unwrap_or_default()
        .iter()
        .copied()
        .collect();
    Ok((0..)
        .zip(of_page)
        .filter(|(_, place)| wanted.contains(place))
        .map(|(row, _)| row)
        .collect())
}

/// Object, line and byte offset of each row.
fn places(df: &DataFrame) -> PolarsResult<Vec<Place>> {
    let (objects, lines, offsets) = (
        df.column(origin::OBJECT)?.u32()?,
        df.column(origin::LINE)?.u64()?,
        df.column(origin::OFFSET)?.u64()?,
    );
    let rows = objects.iter().zip(lines.iter()).zip(offsets.iter());
    Ok(rows
        .map(|((object, line), offset)| (object, line, offset))
        .collect())
}

type Place = (Option<u32>, Option<u64>, Option<u64>);

/// Turns a shown value back into what its record had: JSON kept as text becomes JSON, a time takes its declared form.
fn as_record(dtype: &DataType, parse: Option<&str>, value: &mut Value) {
    match (dtype, value) {
        (DataType::Json, value @ Value::String(_)) => {
            if let Some(json) = value.as_str().and_then(|text| serde_json::from_str(text).ok()) {
                *value = json;
            }
        }
        (DataType::Date, Value::String(text)) => {
            if let (Some(parse), Ok(day)) = (parse, text.parse::<NaiveDate>()) {
                *text = day.format(parse).to_string();
            }
        }
        (DataType::Timestamp, Value::String(text)) => {
            if let (Some(parse), Ok(at)) = (parse, DateTime::parse_from_rfc3339(text)) {
                *text = at.to_utc().format(parse).to_string();
            }
        }
        (DataType::List(item), Value::Array(values)) => {
            for value in values {
                as_record(item, None, value);
            }
        }
        (DataType::Struct(members), Value::Object(values)) => {
            for (name, dtype) in members {
                if let Some(value) = values.get_mut(name) {
                    as_record(dtype, None, value);
                }
            }
        }
        _ => {}
    }
}

fn make(
    recipe: &Recipe,
    declared: Schemas<'_>,
    given: &[Value],
    given_inputs: &BTreeMap<String, Vec<Value>>,
) -> Result<Made, String> {
    let mut inputs = Inputs::default();
    for (name, schema) in declared.inputs {
        let records = given_inputs.get(name).map_or(&[][..], Vec::as_slice);
        let (df, rejects) = decode(schema, records)?;
        if let Some(reject) = rejects.first() {
            return Err(format!("inputs.{name}: {}", placed(reject)));
        }
        inputs.insert(
            name,
            Input::opened(df, vec![format!("inputs.{name}")], Accuracy::Exact),
        );
    }
    if let Some(name) = given_inputs
        .keys()
        .find(|name| !declared.inputs.contains_key(*name))
    {
        let hint = nearest(name, declared.inputs.keys().map(String::as_str))
            .map(|near| format!(": did you mean `{near}`?"));
        return Err(format!(
            "inputs.{name}: the job has no such input{}",
            hint.unwrap_or_default()
        ));
    }
    let plan = recipe
        .compile(recipe.steps.len(), &declared.schema.to_polars(), &inputs)
        .map_err(|error| error.to_string())?;
    let (df, rejects) = decode(declared.schema, given)?;
    let mut rejects: Vec<String> = rejects.iter().map(placed).collect();
    let outcome = plan.execute(df).map_err(|error| error.to_string())?;
    rejects.extend(outcome.rejects.iter().map(|reject| {
        format!(
            "given record {}: step {} `{}`: {}",
            reject.line, reject.step_number, reject.step_label, reject.message
        )
    }));
    let df = origin::strip(&outcome.df);
    Ok(Made {
        rows: (0..df.height())
            .filter_map(|row| rows::row_to_json(&df, row))
            .collect(),
        columns: df
            .get_column_names()
            .into_iter()
            .map(ToString::to_string)
            .collect(),
        rejects,
    })
}

fn placed(reject: &Reject) -> String {
    format!("given record {}: {}", reject.line, reject.message)
}

/// Decodes each record as a line of its own, so that a reject's line is the record's number.
pub(super) fn decode(schema: &Schema, records: &[Value]) -> Result<(DataFrame, Vec<Reject>), String> {
    let failed = |error: &dyn std::fmt::Display| error.to_string();
    let options = DecodeOptions::default();
    let mut decoder = Decoder::new(Arc::new(schema.clone()), options).map_err(|error| failed(&error))?;
    let mut frames: Option<DataFrame> = None;
    let mut rejects = Vec::new();
    for (index, record) in records.iter().enumerate() {
        let line = match record {
            Value::String(line) => line.clone(),
            other => other.to_string(),
        };
        let object = ObjectRef {
            index: 0,
            name: "given",
            first_line: index as u64 + 1,
            // Not an object's first bytes: a record has no byte order mark and is not compressed.
            first_offset: index as u64 + 1,
        };
        decoder
            .read(object, Codec::None, line.as_bytes(), &mut |_| true)
            .map_err(|error| failed(&error))?;
        if let Some(batch) = decoder.finish() {
            rejects.extend(batch.rejects);
            match &mut frames {
                None => frames = Some(batch.df),
                Some(df) => {
                    df.vstack_mut_owned(batch.df).map_err(|error| failed(&error))?;
                }
            }
        }
    }
    Ok((frames.unwrap_or_else(|| empty(schema)), rejects))
}

/// No rows, with the columns of decoded ones.
fn empty(schema: &Schema) -> DataFrame {
    let mut df = DataFrame::empty_with_schema(&schema.to_polars());
    let hidden = [
        Series::new_empty(origin::OBJECT.into(), &polars::prelude::DataType::UInt32),
        Series::new_empty(origin::LINE.into(), &polars::prelude::DataType::UInt64),
        Series::new_empty(origin::OFFSET.into(), &polars::prelude::DataType::UInt64),
    ];
    for series in hidden {
        // Columns of no rows fit each other.
        drop(df.with_column(series.into_column()));
    }
    df
}

/// The first place where what was made is not what was expected.
fn difference(expect: &Expected, made: &Made) -> Option<String> {
    let n_rejected = made.rejects.len() as u64;
    if n_rejected != expect.rejected {
        let first = made
            .rejects
            .first()
            .map(|first| format!(": {first}"))
            .unwrap_or_default();
        return Some(format!(
            "rejected: expected {}, got {n_rejected}{first}",
            expect.rejected
        ));
    }
    for (index, (expected, row)) in expect.rows.iter().zip(&made.rows).enumerate() {
        for (column, expected) in expected {
            let place = format!("row {}, column `{column}`", index + 1);
            let Some(value) = row.get(column) else {
                let hint = nearest(column, made.columns.iter().map(String::as_str))
                    .map(|near| format!(": did you mean `{near}`?"));
                return Some(format!(
                    "{place}: the rows have no such column{}",
                    hint.unwrap_or_default()
                ));
            };
            if !is_same(expected, value) {
                return Some(format!("{place}: expected {expected}, got {value}"));
            }
        }
    }
    let (n_expected, n_made) = (expect.rows.len(), made.rows.len());
    if n_expected == n_made {
        return None;
    }
    let shown = |row: Option<&Map<String, Value>>| {
        row.map(|row| Value::Object(row.clone()).to_string())
            .unwrap_or_default()
    };
    Some(if n_made > n_expected {
        format!(
            "expected {n_expected} rows, got {n_made}: row {} is {}",
            n_expected + 1,
            shown(made.rows.get(n_expected))
        )
    } else {
        format!(
            "expected {n_expected} rows, got {n_made}: row {} is missing: {}",
            n_made + 1,
            shown(expect.rows.get(n_made))
        )
    })
}

/// Whether values are equal; `1` and `1.0` are the same number, and keys of a struct have no order.
fn is_same(expected: &Value, value: &Value) -> bool {
    match (expected, value) {
        (Value::Number(a), Value::Number(b)) => {
            a == b || (a.is_f64() || b.is_f64()) && a.as_f64() == b.as_f64()
        }
        (Value::Array(a), Value::Array(b)) => {
            a.len() == b.len() && a.iter().zip(b).all(|(a, b)| is_same(a, b))
        }
        (Value::Object(a), Value::Object(b)) => {
            a.len() == b.len() && a.iter().all(|(key, a)| b.get(key).is_some_and(|b| is_same(a, b)))
        }
        (a, b) => a == b,
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use polars::prelude::IntoColumn;
    use serde_json::{Value, json};

    use super::{Schemas, decode, given_rows, run_test, test_from_rows};
    use crate::base::envelope::from_yaml;
    use crate::dataset::{Page, Schema};
    use crate::transform::{Recipe, RecipeTest};

    const FIELDS: &str = "fields: [{name: id, type: int64, required: true}, {name: at, type: timestamp, parse: '%d/%m/%Y %H:%M'}, \
                          {name: more, type: json}, {name: x, type: float64}]";
    const STEPS: &str = "[{filter: {where: 'id > 0'}}, {derive: {columns: {twice: 'x * 2'}}}]";

    fn schema() -> Schema {
        from_yaml(FIELDS).unwrap()
    }

    fn recipe() -> Recipe {
        from_yaml(STEPS).unwrap()
    }

    fn problem(test: &str) -> Option<String> {
        let test: RecipeTest = from_yaml(test).unwrap();
        let (schema, inputs) = (schema(), BTreeMap::new());
        let declared = Schemas {
            schema: &schema,
            inputs: &inputs,
        };
        run_test(&recipe(), declared, &test).problem
    }

    #[test]
    fn a_test_passes_when_every_named_column_of_every_row_and_the_rejects_are_as_expected() {
        let test = r#"
name: positive ones are kept
given:
  - '{"id": 1, "x": 1.5, "at": "02/01/2020 03:04"}'
  - {id: -1}
  - {id: 2, more: {a: [1, null]}}
  - '{"id": "broken'
expect:
  rows:
    - {id: 1, twice: 3, at: "2020-01-02T03:04:00Z"}
    - {id: 2, twice: null, more: '{"a":[1,null]}'}
  rejected: 1
"#;
        assert_eq!(problem(test), None);
    }

    #[test]
    fn a_failure_names_the_first_place_that_differs() {
        for (given, expect, words) in [
            (
                "[{id: 1, x: 1}]",
                "{rows: [{id: 1, twice: 3}]}",
                "row 1, column `twice`: expected 3, got 2.0",
            ),
            (
                "[{id: 1}]",
                "{rows: [{twise: 3}]}",
                "row 1, column `twise`: the rows have no such column: did you mean `twice`?",
            ),
            (
                "[{id: 1}, {id: 2}]",
                "{rows: [{id: 1}]}",
                "expected 1 rows, got 2: row 2 is {\"id\":2,",
            ),
            (
                "[{id: 1}]",
                "{rows: [{id: 1}, {id: 2}]}",
                "row 2 is missing: {\"id\":2}",
            ),
            (
                "[{x: 1}]",
                "{rows: []}",
                "rejected: expected 0, got 1: given record 1: field `id` is missing and required",
            ),
            (
                "[{id: 1}]",
                "{rows: [{id: 1}], rejected: 2}",
                "rejected: expected 2, got 0",
            ),
        ] {
            let problem = problem(&format!("name: a\ngiven: {given}\nexpect: {expect}")).unwrap();
            assert!(problem.contains(words), "{problem}");
        }
        let problem = problem("name: a\ngiven: []\ninputs: {clicks: []}\nexpect: {rows: []}").unwrap();
        assert_eq!(problem, "inputs.clicks: the job has no such input");
    }

    #[test]
    fn rows_of_a_page_make_a_test_that_passes() {
        let (schema, inputs) = (schema(), BTreeMap::new());
        let declared = Schemas {
            schema: &schema,
            inputs: &inputs,
        };
        let records = [
            json!({"id": 1, "at": "02/01/2020 03:04", "more": "text", "x": 0.1}),
            json!({"id": 2, "at": null, "more": {"b": 1.50}, "x": null}),
            json!({"id": 0}),
        ];
        let (df, rejects) = decode(&schema, &records).unwrap();
        assert!(rejects.is_empty(), "{rejects:?}");
        let page = Page {
            df: df.clone(),
            declared: Some(schema.clone()),
            ..Page::default()
        };
        let given = given_rows(&page, 0..3).unwrap();
        let (again, _) = decode(&schema, &given).unwrap();
        assert!(again.drop("__skewer_offset").is_ok());
        let same = df.columns().iter().zip(again.columns()).all(|(a, b)| {
            a.clone().into_column().equals_missing(&b.clone().into_column()) || a.name().starts_with("__")
        });
        assert!(same, "{df} {again}");
        let test = test_from_rows("first", &recipe(), declared, given, BTreeMap::new()).unwrap();
        assert_eq!(test.expect.rows.len(), 2);
        assert_eq!(run_test(&recipe(), declared, &test).problem, None);
        let yaml = crate::base::envelope::to_yaml(&test).unwrap();
        let read: RecipeTest = from_yaml(&yaml).unwrap();
        assert_eq!(run_test(&recipe(), declared, &read).problem, None, "{yaml}");
        assert!(matches!(&read.given[0], Value::Object(row) if row["at"] == "02/01/2020 03:04"));
    }
}

//! Which columns can never be null after the steps of a plan, and why. Says too little rather than too much: a step that
//! is not listed here leaves no column that is known.

use std::collections::BTreeMap;

use polars::prelude::PlSmallStr;
use serde_json::Value;

use super::Plan;
use super::plan::PlannedStep;

/// Why a column is never null, by its name.
pub type NeverNull = BTreeMap<String, String>;

/// Steps that leave columns and values as they are, in fewer rows or another order.
const KEEP_ALL: &[&str] = &["filter", "dedupe", "sort", "limit", "sample", "reorder"];

/// Steps that write only columns which their parameters name; the others pass through, row by row.
const WRITE_NAMED: &[&str] = &[
    "age",
    "bucketize",
    "case",
    "cast",
    "clip",
    "coalesce",
    "concat",
    "constant",
    "derive",
    "explode",
    "frequency_encode",
    "group_rare",
    "hash_encode",
    "hashing_tf",
    "json_path",
    "log1p",
    "mask",
    "ngrams",
    "normalize_text",
    "parse_timestamp",
    "quantile_bucketize",
    "replace_text",
    "round",
    "row_hash",
    "salt",
    "split",
    "stem",
    "stop_words",
    "string_index",
    "surrogate_id",
    "timezone",
    "tokenize",
    "truncate_time",
    "winsorize",
];

/// Steps that write columns whose names start with one that their parameters name, or with `prefix` or `into`.
const WRITE_PREFIXED: &[&str] = &[
    "cyclic",
    "date_parts",
    "list_stats",
    "one_hot",
    "scale",
    "text_stats",
];

impl Plan {
    /// The columns after the plan that are never null when those of `input` are not.
    pub fn never_null(&self, input: NeverNull) -> NeverNull {
        let mut known = input;
        for planned in &self.steps {
            known = after(planned, known);
        }
        known.retain(|column, _| self.output().contains(column));
        known
    }
}

fn after(planned: &PlannedStep, mut known: NeverNull) -> NeverNull {
    let params = planned.step.params();
    let text = |key: &str| params.get(key).and_then(Value::as_str);
    let by = |verb: &str| format!("step {} `{}` {verb}", planned.number, planned.label);
    match planned.step.name() {
        // What select and drop leave out is no column of the next step's schema.
        "select" | "drop" => known,
        name if KEEP_ALL.contains(&name) => known,
        "fill_null" => {
            known.extend(text("column").map(|column| (column.to_owned(), by("fills it"))));
            known
        }
        "drop_nulls" if text("when") == Some("any") => {
            let named: Vec<&str> = params
                .get("columns")
                .and_then(Value::as_array)
                .map(|columns| columns.iter().filter_map(Value::as_str).collect())
                .unwrap_or_default();
            let all = planned.input.iter_names().map(PlSmallStr::as_str);
            let dropped: Vec<&str> = if named.is_empty() { all.collect() } else { named };
            for column in dropped {
                let why = || by("leaves out rows without it");
                known.entry(column.to_owned()).or_insert_with(why);
            }
            known
        }
        "rename" => {
            let Some(renamed) = params.get("columns").and_then(Value::as_object) else {
                return NeverNull::new();
            };
            let new_name = |old: String| match renamed.get(&old) {
                None => Some(old),
                Some(new) => new.as_str().map(str::to_owned),
            };
            let pairs = known.into_iter();
            pairs
                .filter_map(|(old, why)| Some((new_name(old)?, why)))
                .collect()
        }
        // A value that the new type cannot hold is a reject, not a null.
        "cast" if text("on_error") == Some("reject") => known,
        name if WRITE_NAMED.contains(&name) => {
            known.retain(|column, _| !names(&params, column));
            known
        }
        name if WRITE_PREFIXED.contains(&name) => {
            let starts: Vec<&str> = ["column", "prefix", "into"]
                .into_iter()
                .filter_map(text)
                .collect();
            known.retain(|column, _| {
                !names(&params, column)
                    && !starts.iter().any(|start| column.starts_with(start))
                    && !names_start_of(&params, column)
            });
            known
        }
        "drop_nulls" => known,
        _ => NeverNull::new(),
    }
}

/// Whether `column` starts with one of the step's columns.
fn names_start_of(params: &Value, column: &str) -> bool {
    let columns = params.get("columns").and_then(Value::as_array);
    let mut columns = columns.into_iter().flatten().filter_map(Value::as_str);
    columns.any(|start| column.starts_with(start))
}

/// Whether `column` stands anywhere in the parameters, as a key or a value.
fn names(params: &Value, column: &str) -> bool {
    match params {
        Value::String(text) => text == column,
        Value::Array(values) => values.iter().any(|value| names(value, column)),
        Value::Object(fields) => fields
            .iter()
            .any(|(key, value)| key == column || names(value, column)),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use polars::prelude::{DataType, Schema};

    use super::{KEEP_ALL, NeverNull, WRITE_NAMED, WRITE_PREFIXED};
    use crate::base::envelope::from_yaml;
    use crate::transform::{Inputs, Recipe};

    fn known(steps: &str) -> Vec<String> {
        let input = Schema::from_iter([
            ("id".into(), DataType::Int64),
            ("title".into(), DataType::String),
            ("price".into(), DataType::Float64),
        ]);
        let recipe: Recipe = from_yaml(steps).unwrap();
        let plan = recipe.compile(usize::MAX, &input, &Inputs::default()).unwrap();
        let required = ["id", "title"].map(|name| (name.to_owned(), "required".to_owned()));
        let known = plan.never_null(NeverNull::from(required));
        known
            .into_iter()
            .map(|(name, why)| format!("{name}: {why}"))
            .collect()
    }

    #[test]
    fn a_required_column_stays_known_until_a_step_writes_it() {
        let both = ["id: required", "title: required"];
        assert_eq!(known("[]"), both);
        assert_eq!(known("[filter: {where: 'price > 1'}]"), both);
        assert_eq!(known("[cast: {column: id, to: string}]"), both);
        assert_eq!(
            known("[cast: {column: id, to: string, on_error: \"null\"}]"),
            ["title: required"]
        );
        assert_eq!(
            known("[rename: {columns: {title: name}}]"),
            ["id: required", "name: required"]
        );
        assert_eq!(known("[derive: {columns: {id: 'price'}}]"), ["title: required"]);
        assert_eq!(known("[drop: {columns: [id]}]"), ["title: required"]);
        assert_eq!(
            known("[normalize_text: {column: title, trim: true}]"),
            ["id: required"]
        );
    }

    #[test]
    fn a_step_that_fills_makes_a_column_known_with_its_reason() {
        assert_eq!(
            known("[drop: {columns: [id]}, fill_null: {column: price, value: 0.5}]"),
            ["price: step 2 `fill_null(price)` fills it", "title: required"]
        );
    }

    #[test]
    fn a_step_stands_in_one_list_at_most() {
        let mut all: Vec<&str> = [KEEP_ALL, WRITE_NAMED, WRITE_PREFIXED].concat();
        all.sort_unstable();
        assert!(all.windows(2).all(|pair| pair[0] != pair[1]), "{all:?}");
    }
}

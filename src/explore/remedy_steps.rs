//! Remedies of a skewed key as steps of a recipe: salts, an aggregation in two stages, a filter of sentinels.
//!
//! A broadcast is the step `join`, once somebody says with which data. What is no step is advice for whoever starts the
//! cluster: another number of partitions, another key.

use polars::prelude::{DataType, Schema};
use serde_json::{Value, json};

use crate::profile::keys::{Remedy, SaltedKey};
use crate::transform::{Input, Inputs, Step};

/// The steps that a remedy is, for rows of `schema`; none for one that is no step.
///
/// # Errors
/// Why this remedy cannot be written as steps for these columns.
pub fn remedy_steps(remedy: &Remedy, schema: &Schema) -> Result<Option<Vec<Step>>, String> {
    Ok(match remedy {
        Remedy::Salt { columns, keys, .. } => Some(vec![salt_step(columns, keys, schema)?]),
        Remedy::TwoStageAggregation { columns, keys, .. } => {
            let count = json!({"by": columns, "columns": [{"into": "n", "fn": "count"}]});
            Some(two_stages(
                &Step::from_params("aggregate", count)?,
                columns,
                keys,
                schema,
            )?)
        }
        Remedy::IsolateSentinels { columns, keys, .. } => {
            let condition = without(columns, keys, schema)?;
            Some(vec![Step::from_params("filter", json!({"where": condition}))?])
        }
        Remedy::Broadcast { .. } | Remedy::OtherPartitions { .. } | Remedy::CompoundKey { .. } => None,
    })
}

/// The join of `columns` with the second dataset called `input`: it is held in memory, whole in every worker, so that the
/// rows need no shuffle by the key.
///
/// # Errors
/// When `join` has no such parameters.
pub fn join_step(input: &str, columns: &[String]) -> Result<Step, String> {
    Step::from_params("join", json!({"input": input, "on": columns}))
}

/// The names of the second datasets that have columns of these names and types: a join by them needs nothing more.
pub fn joinable<'a>(inputs: &'a Inputs, columns: &[String], schema: &Schema) -> Vec<&'a str> {
    let fits = |input: &Input| {
        columns.iter().all(|column| {
            let ours = schema.get(column);
            ours.is_some_and(|dtype| !dtype.is_nested()) && input.schema.get(column) == ours
        })
    };
    inputs
        .names()
        .filter(|name| inputs.get(name).is_some_and(fits))
        .collect()
}

/// `aggregate` (a step of that name, by the key's columns) in two stages: by key and salt, then by key.
///
/// # Errors
/// A function that cannot be put together from parts, or an aggregation by other columns.
pub fn two_stages(
    aggregate: &Step,
    columns: &[String],
    keys: &[SaltedKey],
    schema: &Schema,
) -> Result<Vec<Step>, String> {
    let salt = free_name("salt", schema);
    let params = aggregate.params();
    let by = params
        .get("by")
        .and_then(Value::as_array)
        .cloned()
        .unwrap_or_default();
    if by
        .iter()
        .filter_map(Value::as_str)
        .ne(columns.iter().map(String::as_str))
    {
        return Err(format!("it groups by other columns than {}", columns.join(", ")));
    }
    let parts = params
        .get("columns")
        .and_then(Value::as_array)
        .cloned()
        .unwrap_or_default();
    let wholes = parts.iter().map(whole_of).collect::<Result<Vec<_>, _>>()?;
    let mut by_salt = by.clone();
    by_salt.push(json!(salt));
    Ok(vec![
        salt_step(columns, keys, schema)?,
        Step::from_params("aggregate", json!({"by": by_salt, "columns": parts}))?,
        Step::from_params("aggregate", json!({"by": by, "columns": wholes}))?,
    ])
}

/// How the values of a column of the first stage become the column of the whole.
fn whole_of(part: &Value) -> Result<Value, String> {
    let text = |key: &str| part.get(key).and_then(Value::as_str).unwrap_or_default();
    let function = match text("fn") {
        "count" | "sum" => "sum",
        "min" => "min",
        "max" => "max",
        other => {
            return Err(format!(
                "`{other}` of a whole cannot be put together from parts: only sum, count, min and max can"
            ));
        }
    };
    Ok(json!({"into": text("into"), "fn": function, "column": text("into")}))
}

fn salt_step(columns: &[String], keys: &[SaltedKey], schema: &Schema) -> Result<Step, String> {
    let keys: Vec<Value> = keys
        .iter()
        .map(|key| json!({"key": key.key, "salts": key.salts}))
        .collect();
    Step::from_params(
        "salt",
        json!({"columns": columns, "into": free_name("salt", schema), "keys": keys}),
    )
}

/// `name`, or `name_2`, ... where the schema has it already.
fn free_name(name: &str, schema: &Schema) -> String {
    if !schema.contains(name) {
        return name.to_owned();
    }
    // One more name than there are columns is always free.
    (2..schema.len() + 3)
        .map(|n| format!("{name}_{n}"))
        .find(|name| !schema.contains(name))
        .unwrap_or_default()
}

/// The condition that leaves out rows with one of `keys`. Rows with a null where a key has a value stay.
fn without(columns: &[String], keys: &[Vec<Value>], schema: &Schema) -> Result<String, String> {
    let differs = keys
        .iter()
        .map(|key| {
            let parts = columns
                .iter()
                .zip(key)
                .map(|(column, value)| differs(column, value, schema.get(column)))
                .collect::<Result<Vec<_>, _>>()?;
            Ok(if keys.len() == 1 {
                parts.join(" OR ")
            } else {
                format!("({})", parts.join(" OR "))
            })
        })
        .collect::<Result<Vec<_>, String>>()?;
    Ok(differs.join(" AND "))
}

fn differs(column: &str, value: &Value, dtype: Option<&DataType>) -> Result<String, String> {
    let name = format!("\"{}\"", column.replace('"', "\"\""));
    let literal = match (value, dtype) {
        (Value::Null, _) => return Ok(format!("{name} IS NOT NULL")),
        (Value::Bool(value), _) => value.to_string(),
        (Value::Number(number), _) => number.to_string(),
        (Value::String(text), Some(DataType::Date)) => format!("CAST('{text}' AS DATE)"),
        (Value::String(text), Some(DataType::String)) => format!("'{}'", text.replace('\'', "''")),
        (other, _) => {
            return Err(format!(
                "`{other}` of column `{column}` cannot be compared in a filter"
            ));
        }
    };
    Ok(format!("{name} IS NULL OR {name} <> {literal}"))
}

#[cfg(test)]
mod tests {
    use polars::prelude::{DataFrame, df};
    use serde_json::{Value, json};

    use super::{Remedy, SaltedKey, join_step, joinable, remedy_steps, two_stages};
    use crate::dataset::{origin, rows};
    use crate::transform::{Input, Inputs, Recipe, RecipeStep, Step};

    fn run(steps: Vec<Step>, input: &DataFrame) -> Vec<Value> {
        let steps: Vec<RecipeStep> = steps.into_iter().map(RecipeStep::new).collect();
        let recipe = Recipe { steps };
        let plan = recipe
            .compile(recipe.steps.len(), input.schema(), &Inputs::default())
            .unwrap_or_else(|error| panic!("{error}"));
        let n = input.height() as u64;
        let mut df = input.clone();
        let columns = df!(
            origin::OBJECT => vec![0_u32; input.height()],
            origin::LINE => (1..=n).collect::<Vec<_>>(),
            origin::OFFSET => (0..n).collect::<Vec<_>>(),
        )
        .unwrap();
        df.hstack_mut(columns.columns()).unwrap();
        let df = plan.execute(df).unwrap().df;
        (0..df.height())
            .map(|row| rows::row_to_json(&df, row).unwrap().into())
            .collect()
    }

    fn salted() -> Vec<SaltedKey> {
        vec![SaltedKey {
            key: vec![json!("US")],
            label: "US".to_owned(),
            salts: vec![0, 3, 4],
        }]
    }

    fn input() -> DataFrame {
        df!(
            "c" => [Some("US"), Some("US"), Some("US"), Some("DE"), None, Some(""), Some("US")],
            "x" => [5_i64, 1, 3, 7, 9, 11, 2],
        )
        .unwrap()
    }

    #[test]
    fn two_stages_give_what_one_gives() {
        let columns = json!([
            {"into": "n", "fn": "count"}, {"into": "s", "fn": "sum", "column": "x"},
            {"into": "low", "fn": "min", "column": "x"}, {"into": "high", "fn": "max", "column": "x"},
        ]);
        let aggregate = Step::from_params("aggregate", json!({"by": ["c"], "columns": columns})).unwrap();
        let schema = input().schema().as_ref().clone();
        let steps = two_stages(&aggregate, &["c".to_owned()], &salted(), &schema).unwrap();
        assert_eq!(
            steps.iter().map(Step::name).collect::<Vec<_>>(),
            ["salt", "aggregate", "aggregate"]
        );
        assert_eq!(run(steps, &input()), run(vec![aggregate], &input()));
        let median = Step::from_params(
            "aggregate",
            json!({"by": ["c"], "columns": [{"into": "m", "fn": "median", "column": "x"}]}),
        );
        let error = two_stages(&median.unwrap(), &["c".to_owned()], &salted(), &schema).unwrap_err();
        assert!(error.starts_with("`median` of a whole cannot"), "{error}");
        let other = Step::from_params("aggregate", json!({"by": ["x"], "columns": []})).unwrap();
        assert!(two_stages(&other, &["c".to_owned()], &salted(), &schema).is_err());
    }

    #[test]
    fn a_salt_takes_a_free_name_and_its_rows_their_salts() {
        let mut input = input();
        let remedy = Remedy::Salt {
            columns: vec!["c".to_owned()],
            n_partitions: 8,
            keys: salted(),
        };
        let steps = remedy_steps(&remedy, input.schema()).unwrap().unwrap();
        let salts: Vec<i64> = run(steps, &input)
            .iter()
            .map(|row| row["salt"].as_i64().unwrap())
            .collect();
        assert!([0, 1, 2, 6].iter().all(|row| [0, 3, 4].contains(&salts[*row])));
        assert_eq!(salts[3..6], [0, 0, 0]);
        input.rename("x", "salt".into()).unwrap();
        let steps = remedy_steps(&remedy, input.schema()).unwrap().unwrap();
        assert_eq!(steps[0].params()["into"], "salt_2");
    }

    #[test]
    fn a_broadcast_is_a_join_with_data_that_has_the_key() {
        let mut inputs = Inputs::default();
        let of = |df: DataFrame| Input::declared(df.schema().as_ref().clone());
        inputs.insert("countries", of(df!("c" => ["US"], "name" => ["States"]).unwrap()));
        inputs.insert("numbers", of(df!("c" => [1_i64]).unwrap()));
        inputs.insert("others", of(df!("x" => [1_i64]).unwrap()));
        let columns = ["c".to_owned()];
        assert_eq!(joinable(&inputs, &columns, input().schema()), ["countries"]);
        assert_eq!(joinable(&inputs, &["x".to_owned()], input().schema()), ["others"]);
        assert!(joinable(&inputs, &["gone".to_owned()], input().schema()).is_empty());
        let recipe = Recipe {
            steps: vec![RecipeStep::new(join_step("countries", &columns).unwrap())],
        };
        let plan = recipe.compile(1, input().schema(), &inputs).unwrap();
        let output = plan.output();
        assert!(output.contains("name") && output.contains("x"), "{output:?}");
    }

    #[test]
    fn sentinels_are_filtered_and_no_other_row() {
        let isolate = |columns: &[&str], keys: Value| Remedy::IsolateSentinels {
            columns: columns.iter().map(ToString::to_string).collect(),
            keys: serde_json::from_value(keys).unwrap(),
            share: 0.3,
        };
        let kept = |remedy: &Remedy| -> Vec<i64> {
            let steps = remedy_steps(remedy, input().schema()).unwrap().unwrap();
            run(steps, &input())
                .iter()
                .map(|row| row["x"].as_i64().unwrap())
                .collect()
        };
        assert_eq!(kept(&isolate(&["c"], json!([[null]]))), [5, 1, 3, 7, 11, 2]);
        assert_eq!(kept(&isolate(&["c"], json!([[""]]))), [5, 1, 3, 7, 9, 2]);
        assert_eq!(kept(&isolate(&["c"], json!([[null], [""]]))), [5, 1, 3, 7, 2]);
        assert_eq!(
            kept(&isolate(&["c", "x"], json!([["US", 1], [null, 9]]))),
            [5, 3, 7, 11, 2]
        );
        let list = remedy_steps(&isolate(&["c"], json!([[[1]]])), input().schema());
        assert!(list.unwrap_err().contains("cannot be compared"));
        assert_eq!(
            remedy_steps(&Remedy::OtherPartitions { n_partitions: 7 }, input().schema()),
            Ok(None)
        );
    }
}

//! Remedies of a skewed key as steps of a recipe: salts, an aggregation in two stages, a filter of sentinels.
//!
//! A broadcast is the step `join`, once somebody says with which data. What is no step is advice for whoever starts the
//! cluster: another number of partitions, another key. A key that is a field of a struct becomes a column of its dotted name
//! first, because steps take columns.

use polars::prelude::{DataType, Schema};
use serde_json::{Value, json};

use crate::profile::keys::{Remedy, SaltedKey, key_field};
use crate::transform::{Input, Inputs, RecipeStep, Step};

/// The steps that a remedy is, for rows of `schema`; none for one that is no step.
///
/// # Errors
/// Why this remedy cannot be written as steps for these columns.
pub fn remedy_steps(remedy: &Remedy, schema: &Schema) -> Result<Option<Vec<Step>>, String> {
    Ok(match remedy {
        Remedy::Salt { columns, keys, .. } => {
            let fields = fields(columns, schema);
            let mut steps = as_columns(&fields)?;
            steps.push(salt_step(columns, keys, schema)?);
            if !fields.is_empty() {
                let names: Vec<&String> = fields.iter().map(|(name, _)| *name).collect();
                steps.push(Step::from_params("drop", json!({"columns": names}))?);
            }
            Some(steps)
        }
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
    let mut steps = as_columns(&fields(columns, schema))?;
    steps.extend([
        salt_step(columns, keys, schema)?,
        Step::from_params("aggregate", json!({"by": by_salt, "columns": parts}))?,
        Step::from_params("aggregate", json!({"by": by, "columns": wholes}))?,
    ]);
    Ok(steps)
}

/// Those of a key's names that are fields of structs and no columns, with the expression of each.
fn fields<'a>(columns: &'a [String], schema: &Schema) -> Vec<(&'a String, String)> {
    let field = |name: &'a String| {
        let (path, _) = key_field(schema, name)?;
        path.is_field().then(|| (name, path.sql()))
    };
    columns.iter().filter_map(field).collect()
}

/// The step that makes columns of fields; none where there are none.
fn as_columns(fields: &[(&String, String)]) -> Result<Vec<Step>, String> {
    if fields.is_empty() {
        return Ok(Vec::new());
    }
    let columns: serde_json::Map<String, Value> = fields
        .iter()
        .map(|(name, sql)| ((*name).clone(), Value::from(sql.as_str())))
        .collect();
    Ok(vec![Step::from_params("derive", json!({"columns": columns}))?])
}

/// Why the step `join` cannot be by these columns; none where it can.
pub fn no_join(columns: &[String], schema: &Schema) -> Option<String> {
    columns.iter().find_map(|name| {
        let (path, dtype) = key_field(schema, name)?;
        if path.is_field() {
            return Some(format!(
                "the step `join` takes columns, and `{name}` is a field of `{}`: make a column of it first, with `derive`",
                path.column
            ));
        }
        dtype.is_nested().then(|| {
            format!("the step `join` takes no lists and structs as keys: `{name}` is one")
        })
    })
}

/// What the comment of a step says when a remedy for the key `columns` put it there.
fn remedy_of(columns: &[String]) -> String {
    format!("For the skew of {}", columns.join(", "))
}

/// Steps of a remedy called `title`, for a recipe: each says what it is there for.
pub fn commented(steps: Vec<Step>, columns: &[String], n_partitions: u32, title: &str) -> Vec<RecipeStep> {
    let comment = format!("{} over {n_partitions} partitions: {title}", remedy_of(columns));
    steps
        .into_iter()
        .map(|step| RecipeStep {
            comment: Some(comment.clone()),
            ..RecipeStep::new(step)
        })
        .collect()
}

/// Whether a remedy for the skew of the key `columns` put this step into the recipe: its comment says so, or it salts the key.
pub fn is_remedy_of(step: &RecipeStep, columns: &[String]) -> bool {
    let start = format!("{} over ", remedy_of(columns));
    let is_said = step
        .comment
        .as_ref()
        .is_some_and(|comment| comment.starts_with(&start));
    is_said || (step.step.name() == "salt" && step.step.params().get("columns") == Some(&json!(columns)))
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
                .map(|(column, value)| differs(column, value, schema))
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

/// The condition that keeps the rows of one key.
///
/// # Errors
/// A value that no expression can be compared with, with the reason.
pub fn key_condition(columns: &[String], values: &[Value], schema: &Schema) -> Result<String, String> {
    let parts = columns
        .iter()
        .zip(values)
        .map(|(column, value)| {
            let (name, literal) = compared(column, value, schema)?;
            Ok(match literal {
                Some(literal) => format!("{name} = {literal}"),
                None => format!("{name} IS NULL"),
            })
        })
        .collect::<Result<Vec<_>, String>>()?;
    Ok(parts.join(" AND "))
}

fn differs(column: &str, value: &Value, schema: &Schema) -> Result<String, String> {
    let (name, literal) = compared(column, value, schema)?;
    Ok(match literal {
        Some(literal) => format!("{name} IS NULL OR {name} <> {literal}"),
        None => format!("{name} IS NOT NULL"),
    })
}

/// A key's column and one of its values as an expression writes them; no literal for null. NaN is written as a float, because
/// in expressions it equals itself.
fn compared(column: &str, value: &Value, schema: &Schema) -> Result<(String, Option<String>), String> {
    let Some((path, dtype)) = key_field(schema, column) else {
        return Err(format!("there is no column `{column}`"));
    };
    let text = |text: &str| format!("'{}'", text.replace('\'', "''"));
    let literal = match (value, dtype) {
        (Value::Null, _) => None,
        (Value::Bool(value), DataType::Boolean) => Some(value.to_string()),
        // As text, because an expression has no word for 1e-7.
        (Value::Number(number), dtype) if dtype.is_float() => Some(format!("CAST('{number}' AS DOUBLE)")),
        (Value::String(word), dtype) if dtype.is_float() => Some(format!("CAST({} AS DOUBLE)", text(word))),
        (Value::Number(number), dtype) if dtype.is_integer() => Some(number.to_string()),
        (Value::String(day), DataType::Date) => Some(format!("CAST({} AS DATE)", text(day))),
        (Value::String(at), DataType::Datetime(..)) => Some(format!("CAST({} AS TIMESTAMP)", text(at))),
        (Value::String(word), DataType::String) => Some(text(word)),
        _ => {
            return Err(format!(
                "`{value}` of column `{column}` cannot be compared in a filter: make text or numbers of it first, with \
                 `to_json` or `derive`"
            ));
        }
    };
    Ok((path.sql(), literal))
}

#[cfg(test)]
mod tests {
    use polars::prelude::{
        DataFrame, DataType, IntoColumn, IntoSeries, NamedFrom, Series, StructChunked, TimeUnit, TimeZone, df,
    };
    use serde_json::{Value, json};

    use super::{
        Remedy, SaltedKey, commented, is_remedy_of, join_step, joinable, key_condition, no_join,
        remedy_steps, two_stages,
    };
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

    /// `x` counts the rows; `f` has NaN, an infinity, both zeros and a number that has no plain literal; `s.c` is a field.
    fn odd() -> DataFrame {
        let at = Series::new("at".into(), [0_i64, 1_577_836_800_500_000, 0, 1, 2, 3])
            .cast(&DataType::Datetime(TimeUnit::Microseconds, Some(TimeZone::UTC)))
            .unwrap();
        let c = Series::new(
            "c".into(),
            [Some("US"), Some("US"), None, Some(""), Some("O'Neil"), Some("US")],
        );
        let s = StructChunked::from_series("s".into(), 6, [c].iter()).unwrap();
        let mut df = df!(
            "x" => [0_i64, 1, 2, 3, 4, 5],
            "f" => [Some(f64::NAN), Some(f64::INFINITY), Some(-0.0), Some(0.0), Some(1e-7), None],
            "g" => [f32::NAN, 0.1, 0.2, 1.0, 2.0, f32::NAN],
        )
        .unwrap();
        df.with_column(at.into_column()).unwrap();
        df.with_column(s.into_series().into_column()).unwrap();
        df
    }

    fn rows_of(step: Step) -> Vec<i64> {
        run(vec![step], &odd())
            .iter()
            .map(|row| row["x"].as_i64().unwrap())
            .collect()
    }

    #[test]
    fn every_kind_of_key_can_be_kept_and_left_out() {
        for (column, value, kept) in [
            ("f", json!("NaN"), vec![0]),
            ("f", json!("inf"), vec![1]),
            ("f", json!(0.0), vec![2, 3]),
            ("f", json!(1e-7), vec![4]),
            ("f", json!(null), vec![5]),
            ("g", json!("NaN"), vec![0, 5]),
            ("g", json!(f64::from(0.1_f32)), vec![1]),
            ("at", json!("1970-01-01T00:00:00Z"), vec![0, 2]),
            ("at", json!("2020-01-01T00:00:00.500Z"), vec![1]),
            ("s.c", json!("US"), vec![0, 1, 5]),
            ("s.c", json!("O'Neil"), vec![4]),
            ("s.c", json!(null), vec![2]),
        ] {
            let columns = [column.to_owned()];
            let condition = key_condition(&columns, std::slice::from_ref(&value), odd().schema()).unwrap();
            let filter = Step::from_params("filter", json!({"where": condition})).unwrap();
            assert_eq!(rows_of(filter), kept, "{condition}");
            let isolate = Remedy::IsolateSentinels {
                columns: columns.to_vec(),
                keys: vec![vec![value]],
                share: 0.3,
            };
            let mut steps = remedy_steps(&isolate, odd().schema()).unwrap().unwrap();
            let others: Vec<i64> = (0..6).filter(|x| !kept.contains(x)).collect();
            assert_eq!(rows_of(steps.remove(0)), others, "{condition}");
        }
        let columns = ["s".to_owned()];
        let refused = key_condition(&columns, &[json!({"c": "US"})], odd().schema()).unwrap_err();
        assert!(refused.contains("cannot be compared in a filter"), "{refused}");
    }

    #[test]
    fn a_field_of_a_struct_is_salted_and_aggregated_as_a_column() {
        let columns = vec!["s.c".to_owned()];
        let salt = Remedy::Salt {
            columns: columns.clone(),
            n_partitions: 8,
            keys: salted(),
        };
        let names = |steps: &[Step]| steps.iter().map(Step::name).collect::<Vec<_>>();
        let steps = remedy_steps(&salt, odd().schema()).unwrap().unwrap();
        assert_eq!(names(&steps), ["derive", "salt", "drop"]);
        let rows = run(steps, &odd());
        assert!(
            rows.iter()
                .all(|row| row.get("s.c").is_none() && row["s"].is_object())
        );
        let salts: Vec<i64> = rows.iter().map(|row| row["salt"].as_i64().unwrap()).collect();
        assert!(
            [0, 1, 5].iter().all(|row| [0, 3, 4].contains(&salts[*row])),
            "{salts:?}"
        );
        assert_eq!(salts[2..5], [0, 0, 0]);
        let stages = Remedy::TwoStageAggregation {
            columns: columns.clone(),
            n_partitions: 8,
            keys: salted(),
        };
        let steps = remedy_steps(&stages, odd().schema()).unwrap().unwrap();
        assert_eq!(names(&steps), ["derive", "salt", "aggregate", "aggregate"]);
        let mut counts: Vec<(String, i64)> = run(steps, &odd())
            .iter()
            .map(|row| (row["s.c"].to_string(), row["n"].as_i64().unwrap()))
            .collect();
        counts.sort();
        let expected = [("\"\"", 1), ("\"O'Neil\"", 1), ("\"US\"", 3), ("null", 1)];
        assert_eq!(counts, expected.map(|(key, n)| (key.to_owned(), n)));
        assert!(
            no_join(&columns, odd().schema())
                .unwrap()
                .contains("is a field of `s`")
        );
        assert!(
            no_join(&["s".to_owned()], odd().schema())
                .unwrap()
                .contains("no lists and structs")
        );
        assert_eq!(no_join(&["x".to_owned()], odd().schema()), None);
    }

    #[test]
    fn nan_can_be_salted() {
        let salt = Remedy::Salt {
            columns: vec!["g".to_owned()],
            n_partitions: 8,
            keys: vec![SaltedKey {
                key: vec![json!("NaN")],
                label: "NaN".to_owned(),
                salts: vec![3],
            }],
        };
        let steps = remedy_steps(&salt, odd().schema()).unwrap().unwrap();
        let salts: Vec<i64> = run(steps, &odd())
            .iter()
            .map(|row| row["salt"].as_i64().unwrap())
            .collect();
        assert_eq!(salts, [3, 0, 0, 0, 0, 3]);
    }

    #[test]
    fn a_step_of_a_remedy_says_so_and_is_found_again() {
        let columns = ["c".to_owned()];
        let filter = Step::from_params("filter", json!({"where": "c <> ''"})).unwrap();
        let steps = commented(vec![filter.clone()], &columns, 200, "Keep null out");
        assert_eq!(
            steps[0].comment.as_deref(),
            Some("For the skew of c over 200 partitions: Keep null out")
        );
        assert!(is_remedy_of(&steps[0], &columns));
        assert!(!is_remedy_of(&steps[0], &["c".to_owned(), "x".to_owned()]));
        assert!(!is_remedy_of(&RecipeStep::new(filter), &columns));
        let salt = Step::from_params(
            "salt",
            json!({"columns": ["c"], "keys": [{"key": ["US"], "salts": [1]}]}),
        );
        assert!(is_remedy_of(&RecipeStep::new(salt.unwrap()), &columns));
    }
}

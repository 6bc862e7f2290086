//! Which records of second datasets belong to a test of some records: those that the steps meet, as far as they are few.

use std::collections::{BTreeMap, BTreeSet, HashSet};

use polars::prelude::DataFrame;
use serde_json::Value;

use super::recipe_test::{Schemas, decode, records};
use crate::base::units;
use crate::dataset::origin;
use crate::transform::{Inputs, Recipe, RecipeStep};

/// Records of one second dataset in a test, at most: people read it.
const MAX_RECORDS: usize = 50;

/// Records of second datasets for a test.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct TestInputs {
    pub records: BTreeMap<String, Vec<Value>>,
    /// What is missing, a sentence each.
    pub left_out: Vec<String>,
}

/// The records of `opened` that the steps meet when they run on `given`: all of a small dataset; of a large one those whose
/// keys agree in a join.
pub fn test_inputs(recipe: &Recipe, declared: Schemas<'_>, opened: &Inputs, given: &[Value]) -> TestInputs {
    let mut found = TestInputs::default();
    let names: BTreeSet<&str> = recipe
        .steps
        .iter()
        .filter(|step| step.enabled)
        .flat_map(|step| step.step.inputs())
        .collect();
    for name in names {
        let rows = opened.get(name).and_then(|input| input.rows.as_ref());
        let (Some(rows), Some(schema)) = (rows, declared.inputs.get(name)) else {
            found.left_out.push(format!(
                "`{name}` could not be read, so the test has none of its records"
            ));
            continue;
        };
        let mut wanted: Vec<usize> = if rows.height() <= MAX_RECORDS {
            (0..rows.height()).collect()
        } else {
            let met = met(recipe, declared, opened, given, (name, rows.as_ref()));
            met.unwrap_or_else(|| (0..rows.height()).collect())
        };
        if wanted.len() > MAX_RECORDS {
            found.left_out.push(format!(
                "of `{name}` the test has the first {MAX_RECORDS} of {} that its steps read",
                units::plural(wanted.len() as u64, "record")
            ));
            wanted.truncate(MAX_RECORDS);
        }
        found
            .records
            .insert(name.to_owned(), records(&origin::strip(rows), schema, wanted));
    }
    found
}

/// Rows of an input whose keys the rows before its joins have. None where a step reads it otherwise, or does not run.
fn met(
    recipe: &Recipe,
    declared: Schemas<'_>,
    opened: &Inputs,
    given: &[Value],
    (name, rows): (&str, &DataFrame),
) -> Option<Vec<usize>> {
    let (start, _) = decode(declared.schema, given).ok()?;
    let mut wanted = BTreeSet::new();
    let steps = recipe.steps.iter().enumerate();
    for (at, step) in steps.filter(|(_, step)| step.enabled && step.step.inputs().contains(&name)) {
        let (on, input_on) = keys(step)?;
        let plan = recipe.compile(at, &declared.schema.to_polars(), opened).ok()?;
        let before = plan.execute(start.clone()).ok()?.df;
        let known: HashSet<String> = texts(&before, &on)?.into_iter().collect();
        let of_input = texts(rows, &input_on)?;
        wanted.extend(
            (0..)
                .zip(of_input)
                .filter(|(_, key)| known.contains(key))
                .map(|(row, _)| row),
        );
    }
    Some(wanted.into_iter().collect())
}

/// The columns that have to agree in a join, on both sides. None for any other step, and for one that only asks for the
/// nearest.
fn keys(step: &RecipeStep) -> Option<(Vec<String>, Vec<String>)> {
    if step.step.name() != "join" {
        return None;
    }
    let params = step.step.params();
    let names = |key: &str| -> Vec<String> {
        let list = params.get(key).and_then(Value::as_array);
        let texts = list.into_iter().flatten().filter_map(Value::as_str);
        texts.map(str::to_owned).collect()
    };
    let is_nearest = params.get("how").and_then(Value::as_str) == Some("asof");
    let (own, other) = if is_nearest {
        ("by", "input_by")
    } else {
        ("on", "input_on")
    };
    let on = names(own);
    let input_on = Some(names(other))
        .filter(|names| !names.is_empty())
        .unwrap_or_else(|| on.clone());
    (!on.is_empty()).then_some((on, input_on))
}

/// The key of each row as text. Types agree on both sides of a join.
fn texts(df: &DataFrame, columns: &[String]) -> Option<Vec<String>> {
    let columns: Option<Vec<_>> = columns.iter().map(|name| df.column(name).ok()).collect();
    let columns = columns?;
    let key = |row: usize| {
        let values = columns
            .iter()
            .map(|column| column.get(row).map(|value| format!("{value:?}")));
        values
            .collect::<Result<Vec<_>, _>>()
            .map(|values| values.join("\u{1f}"))
            .ok()
    };
    (0..df.height()).map(key).collect()
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;
    use std::fmt::Write as _;

    use serde_json::json;

    use super::{MAX_RECORDS, test_inputs};
    use crate::base::Cancel;
    use crate::base::envelope::from_yaml;
    use crate::dataset::{InputSpec, Schema};
    use crate::explore::{Schemas, open_inputs, run_test, test_from_rows};
    use crate::transform::Recipe;

    #[tokio::test(flavor = "multi_thread")]
    async fn a_test_has_the_records_that_its_steps_meet_and_says_what_it_leaves_out() {
        let folder = tempfile::tempdir().unwrap();
        let mut lines = String::new();
        for id in 0..1000 {
            writeln!(
                lines,
                "{{\"user\": {id}, \"name\": \"n{id}\", \"at\": \"{:02}/01/2020\"}}",
                id % 28 + 1
            )
            .unwrap();
        }
        std::fs::write(folder.path().join("users.jsonl"), lines).unwrap();
        std::fs::write(folder.path().join("few.jsonl"), "{\"id\": 9}\n{\"id\": 8}\n").unwrap();
        let specs: BTreeMap<String, InputSpec> = from_yaml(
            "users: {uri: users.jsonl, schema: {fields: [{name: user, type: int64}, {name: name, type: string}, \
             {name: at, type: date, parse: '%d/%m/%Y'}]}}\n\
             few: {uri: few.jsonl, schema: {fields: [{name: id, type: int64}]}}",
        )
        .unwrap();
        let opened = open_inputs(&specs, None, folder.path(), &Cancel::new()).await;
        let schema: Schema = from_yaml("{fields: [{name: id, type: int64}]}").unwrap();
        let inputs: BTreeMap<String, Schema> = specs
            .iter()
            .map(|(name, spec)| (name.clone(), spec.schema.clone()))
            .collect();
        let declared = Schemas {
            schema: &schema,
            inputs: &inputs,
        };
        let recipe: Recipe = from_yaml(
            "- union: {input: few}\n\
             - derive: {columns: {who: id + 10}}\n\
             - join: {input: users, on: [who], input_on: [user], how: left}",
        )
        .unwrap();
        let given = vec![json!({"id": 1}), json!({"id": 2})];
        let found = test_inputs(&recipe, declared, &opened, &given);
        assert_eq!(found.left_out, Vec::<String>::new());
        assert_eq!(found.records["few"], [json!({"id": 9}), json!({"id": 8})]);
        let names: Vec<&str> = found.records["users"]
            .iter()
            .map(|record| record["name"].as_str().unwrap())
            .collect();
        assert_eq!(names, ["n11", "n12", "n18", "n19"]);
        assert_eq!(
            found.records["users"][0]["at"], "12/01/2020",
            "as its records have it"
        );
        let test = test_from_rows("t", &recipe, declared, given.clone(), found.records).unwrap();
        assert_eq!(run_test(&recipe, declared, &test).problem, None);
        assert_eq!(test.expect.rows[0]["name"], "n11");

        let all: Recipe =
            from_yaml("- drop: {columns: [id]}\n- derive: {columns: {user: '1'}}\n- union: {input: users}")
                .unwrap();
        let found = test_inputs(&all, declared, &opened, &given);
        assert_eq!(found.records["users"].len(), MAX_RECORDS);
        assert_eq!(
            found.left_out,
            ["of `users` the test has the first 50 of 1,000 records that its steps read"]
        );
    }
}

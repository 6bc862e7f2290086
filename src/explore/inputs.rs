//! Opens the inputs of a recipe for exploring: a bounded number of rows of each, marked as a sample where there are more.

use std::collections::BTreeMap;
use std::path::Path;

use chrono::NaiveDate;

use crate::base::{Accuracy, Cancel, units};
use crate::dataset::{InputLimits, InputSource, InputSpec};
use crate::storage::StoreOptions;
use crate::transform::{Input, Inputs, Recipe};

/// Rows of an input that are read at most. Most inputs of a day have fewer, and are whole then.
const MAX_ROWS: u64 = 200_000;
const MAX_BYTES: u64 = 128 << 20;

/// The inputs `specs` as they are on `day`; relative places are relative to `base`. An input that cannot be read is there
/// with its columns and with what is wrong, so that steps check.
pub async fn open_inputs(
    specs: &BTreeMap<String, InputSpec>,
    day: Option<NaiveDate>,
    base: &Path,
    cancel: &Cancel,
) -> Inputs {
    let mut inputs = Inputs::default();
    for (name, spec) in specs {
        let input = match open(spec, day, base, cancel).await {
            Ok(input) => input,
            Err(problem) => Input::broken(spec.schema.to_polars(), problem),
        };
        inputs.insert(name, input);
    }
    inputs
}

async fn open(
    spec: &InputSpec,
    day: Option<NaiveDate>,
    base: &Path,
    cancel: &Cancel,
) -> Result<Input, String> {
    let source = InputSource::new(spec, base).map_err(|error| error.to_string())?;
    if source.is_by_day() && day.is_none() {
        return Err(format!("{} names a day: open one", spec.uri));
    }
    let day = day.unwrap_or_default();
    let store = source
        .open(&StoreOptions::default())
        .await
        .map_err(|error| error.to_string())?;
    let objects = source
        .list(&store, day, cancel)
        .await
        .map_err(|error| error.to_string())?;
    if objects.is_empty() {
        tracing::debug!(place = %source.location(day), "an input has no files");
    }
    let limits = InputLimits {
        max_bytes: MAX_BYTES,
        max_rows: Some(MAX_ROWS),
    };
    let rows = source
        .read(&store, &objects, limits, cancel)
        .await
        .map_err(|error| error.to_string())?;
    Ok(Input::opened(rows.df, rows.objects, rows.accuracy))
}

/// What to say of a result that rests on inputs of which not all rows were read.
pub(super) fn notes(recipe: &Recipe, n_steps: usize, inputs: &Inputs) -> Vec<String> {
    let mut names: Vec<&str> = used(recipe, n_steps);
    names.sort_unstable();
    names.dedup();
    names
        .into_iter()
        .filter_map(|name| {
            let input = inputs.get(name)?;
            match input.accuracy {
                Accuracy::Sample { n, .. } | Accuracy::Partial { n } => Some(format!(
                    "only the first {} of input `{name}` were read: rows may lack a match that a job finds",
                    units::plural(n, "row")
                )),
                Accuracy::Exact | Accuracy::Estimate => None,
            }
        })
        .collect()
}

/// Whether a result rests on a part of an input.
pub(super) fn is_sampled(recipe: &Recipe, n_steps: usize, inputs: &Inputs) -> bool {
    used(recipe, n_steps)
        .into_iter()
        .filter_map(|name| inputs.get(name))
        .any(|input| !input.accuracy.is_exact())
}

fn used(recipe: &Recipe, n_steps: usize) -> Vec<&str> {
    let steps = recipe.steps.iter().take(n_steps).filter(|step| step.enabled);
    steps.flat_map(|step| step.step.inputs()).collect()
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use chrono::NaiveDate;

    use super::{is_sampled, notes, open_inputs};
    use crate::base::{Accuracy, Cancel, envelope};
    use crate::transform::{Inputs, Recipe};

    async fn opened(folder: &std::path::Path, uri: &str, day: Option<NaiveDate>) -> Inputs {
        let yaml = format!("clicks: {{uri: \"{uri}\", schema: {{fields: [{{name: id, type: int64}}]}}}}");
        let specs: BTreeMap<_, _> = envelope::from_yaml(&yaml).unwrap();
        open_inputs(&specs, day, folder, &Cancel::new()).await
    }

    #[tokio::test]
    async fn an_input_is_opened_for_the_day_and_one_that_cannot_be_is_there_with_its_columns() {
        let folder = tempfile::tempdir().unwrap();
        std::fs::create_dir(folder.path().join("2020-01-02")).unwrap();
        std::fs::write(folder.path().join("2020-01-02/a.jsonl"), "{\"id\": 1}\n").unwrap();
        let day = NaiveDate::from_ymd_opt(2020, 1, 2);
        let inputs = opened(folder.path(), "{day}/", day).await;
        assert_eq!(inputs.get("clicks").unwrap().rows.as_ref().unwrap().height(), 1);
        let problem = |inputs: Inputs| inputs.get("clicks").unwrap().problem.clone().unwrap();
        let without_day = opened(folder.path(), "{day}/", None).await;
        assert_eq!(without_day.get("clicks").unwrap().schema.len(), 1);
        assert!(problem(without_day).contains("open one"));
        assert!(problem(opened(folder.path(), "nowhere/", day).await).contains("nowhere"));
    }

    #[tokio::test]
    async fn more_rows_than_are_explored_make_the_result_a_sample_and_say_so() {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("a.jsonl"), "{\"id\": 1}\n".repeat(200_001)).unwrap();
        let inputs = opened(folder.path(), ".", None).await;
        let accuracy = inputs.get("clicks").unwrap().accuracy;
        assert_eq!(accuracy, Accuracy::Sample { n: 200_000, of: None });
        let recipe: Recipe = envelope::from_yaml("- join: {input: clicks, on: [id]}").unwrap();
        assert!(is_sampled(&recipe, 1, &inputs) && !is_sampled(&recipe, 0, &inputs));
        let notes = notes(&recipe, 1, &inputs);
        assert!(
            notes[0].starts_with("only the first 200,000 rows of input `clicks`"),
            "{notes:?}"
        );
    }
}

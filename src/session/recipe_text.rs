//! Steps as text: what the clipboard carries between windows, and recipes in files of their own.
//!
//! A recipe is also taken from a job spec or a session, which hold one; only its steps are read.

use std::path::Path;

use serde::Deserialize;

use super::{Document, SessionError};
use crate::base::envelope::{YamlError, from_yaml, to_yaml};
use crate::job::JobSpec;
use crate::transform::{RecipeFile, RecipeStep};

/// A clipboard may hold anything; text beyond this is no recipe that a person copied.
const MAX_PASTED_BYTES: usize = 16 << 20;

/// Only what tells the kinds of files apart.
#[derive(Deserialize)]
struct Head {
    #[serde(default)]
    kind: String,
}

/// Steps as a YAML list, as recipes and specs write them.
///
/// # Errors
/// [`YamlError`] when a parameter has no YAML form.
pub fn steps_text(steps: &[RecipeStep]) -> Result<String, YamlError> {
    to_yaml(&steps)
}

/// The recipe of a document as a file of its own, with the second datasets that it reads and the sample it was explored on.
///
/// # Errors
/// [`YamlError`] when a parameter has no YAML form.
pub fn recipe_text(document: &Document) -> Result<String, YamlError> {
    let name = Some(document.job.name.clone()).filter(|name| !name.is_empty());
    to_yaml(&RecipeFile {
        name,
        sample: Some(document.sample),
        inputs: document.inputs.clone(),
        ..RecipeFile::new(document.recipe.clone())
    })
}

/// Reads the recipe of a recipe file, of steps alone, a job spec or a session. Places of second datasets that are relative to the file are
/// made whole.
///
/// # Errors
/// [`SessionError`] with the file and the place.
pub fn load_recipe(path: &Path) -> Result<RecipeFile, SessionError> {
    let text = std::fs::read_to_string(path).map_err(|source| SessionError::Io {
        path: path.into(),
        source,
    })?;
    let mut recipe = recipe_in(&text).map_err(|error| SessionError::Yaml {
        path: path.into(),
        error,
    })?;
    let folder = path.parent().unwrap_or(Path::new(""));
    for input in recipe.inputs.values_mut() {
        if !input.uri.contains("://") {
            // An absolute place stays as it is.
            input.uri = folder.join(&input.uri).display().to_string();
        }
    }
    Ok(recipe)
}

fn recipe_in(text: &str) -> Result<RecipeFile, YamlError> {
    match kind_of(text).as_deref() {
        Some("Job") => from_yaml::<JobSpec>(text).map(|spec| RecipeFile {
            inputs: spec.inputs,
            ..RecipeFile::new(spec.steps)
        }),
        Some("Session") => super::file::read(text).map(|document| RecipeFile {
            sample: Some(document.sample),
            inputs: document.inputs,
            ..RecipeFile::new(document.recipe)
        }),
        _ => RecipeFile::from_text(text),
    }
}

fn kind_of(text: &str) -> Option<String> {
    from_yaml::<Head>(text)
        .ok()
        .map(|head| head.kind)
        .filter(|kind| !kind.is_empty())
}

/// The steps in a text that was pasted: a list of steps, one step, or a whole file that holds some.
///
/// # Errors
/// Why the text is no step, in a sentence.
pub fn pasted_steps(text: &str) -> Result<Vec<RecipeStep>, String> {
    const EXAMPLE: &str = "a step is written like `- filter: {where: n > 0}`";
    let trimmed = text.trim();
    if trimmed.is_empty() {
        return Err("there is no text to paste: copy a step first".to_owned());
    }
    if text.len() > MAX_PASTED_BYTES {
        return Err(format!("the text is too long for steps: {EXAMPLE}"));
    }
    let has_key = |line: &str| line.contains(':');
    let is_list = trimmed.starts_with("- ") || trimmed.starts_with('[');
    let is_map = trimmed.starts_with('{') || trimmed.lines().next().is_some_and(has_key);
    if !is_list && !is_map {
        return Err(format!("the text is no step: {EXAMPLE}"));
    }
    match recipe_in(text).map(|file| file.steps.steps) {
        Ok(steps) if steps.is_empty() => Err("the text holds no steps".to_owned()),
        Ok(steps) => Ok(steps),
        Err(error) => Err(format!("the text is no step: {error}")),
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;
    use std::path::Path;

    use super::{load_recipe, pasted_steps, recipe_text, steps_text};
    use crate::base::envelope::from_yaml;
    use crate::dataset::SampleChoice;
    use crate::session::{Document, save};
    use crate::transform::{Recipe, RecipeStep, Step};

    fn steps() -> Vec<RecipeStep> {
        let filter = Step::from_params("filter", serde_json::json!({"where": "title = 'a: b' AND n > 0"}));
        let drop = Step::from_params("drop", serde_json::json!({"columns": ["id"]}));
        let named = RecipeStep {
            id: Some("valid".to_owned()),
            comment: Some("only what was \"seen\"\nby people".to_owned()),
            enabled: false,
            step: filter.unwrap(),
        };
        vec![named, RecipeStep::new(drop.unwrap())]
    }

    #[test]
    fn copied_steps_are_pasted_as_they_were() {
        let text = steps_text(&steps()).unwrap();
        assert!(text.starts_with("- filter:"), "{text}");
        assert_eq!(pasted_steps(&text), Ok(steps()));
        let one = steps_text(&steps()[1..]).unwrap();
        assert_eq!(pasted_steps(&one), Ok(steps()[1..].to_vec()));
        assert_eq!(pasted_steps("drop: {columns: [id]}"), Ok(steps()[1..].to_vec()));
        let document = Document {
            recipe: Recipe { steps: steps() },
            ..Document::default()
        };
        let file = recipe_text(&document).unwrap();
        assert_eq!(pasted_steps(&file), Ok(steps()));
    }

    #[test]
    fn text_that_is_no_step_is_refused_with_what_a_step_looks_like_or_where_it_goes_wrong() {
        let refused = |text: &str| pasted_steps(text).unwrap_err();
        assert_eq!(refused(" \n"), "there is no text to paste: copy a step first");
        assert!(refused("hello world").contains("a step is written like"));
        assert!(refused("https://example.com/a?b=1").contains("no step"));
        assert!(refused("- fliter: {where: n > 0}").contains("`fliter`"));
        let message = refused("- filter: {where: n > 0}\n- drop: {colums: [id]}");
        assert!(
            message.contains("2:10") && message.contains("colums"),
            "{message}"
        );
        assert_eq!(refused("[]"), "the text holds no steps");
    }

    #[test]
    fn a_recipe_comes_from_its_own_file_from_a_job_and_from_a_session() {
        let folder = tempfile::tempdir().unwrap();
        let clicks = "uri: clicks/{day}/\nschema: {fields: [{name: id, type: int64}]}";
        let document = Document {
            recipe: Recipe { steps: steps() },
            sample: SampleChoice::Head { n_rows: 77 },
            inputs: BTreeMap::from([("clicks".to_owned(), from_yaml(clicks).unwrap())]),
            ..Document::default()
        };
        let check = |path: &Path| {
            let file = load_recipe(path).unwrap();
            assert_eq!(
                (&file.steps, file.sample),
                (&document.recipe, Some(document.sample))
            );
            let uri = folder.path().join("clicks/{day}/").display().to_string();
            assert_eq!(
                file.inputs["clicks"].uri, uri,
                "the place is relative to the file"
            );
        };
        let path = folder.path().join("features.yaml");
        std::fs::write(&path, recipe_text(&document).unwrap()).unwrap();
        check(&path);
        let path = folder.path().join("a.skewer.yaml");
        save(&path, &document).unwrap();
        check(&path);

        let path = folder.path().join("copied.yaml");
        std::fs::write(&path, steps_text(&steps()).unwrap()).unwrap();
        assert_eq!(load_recipe(&path).unwrap().steps, document.recipe, "steps alone");

        let job = concat!(env!("CARGO_MANIFEST_DIR"), "/sample_data/jobs/job_features.yaml");
        assert!(load_recipe(Path::new(job)).unwrap().steps.steps.len() > 3);

        let path = folder.path().join("a.skewer.yaml");
        std::fs::write(&path, "kind: Chart\napiVersion: skewer/v1\n").unwrap();
        let message = load_recipe(&path).unwrap_err().to_string();
        assert!(message.contains("a.skewer.yaml:1:"), "{message}");
    }
}

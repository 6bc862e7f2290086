//! `skewer fit`: lets the steps of a recipe learn from the rows of a location, and writes the recipe with what they learned.
//!
//! Steps learn in their order, each from the rows that the steps before it make of a page, as `skewer preview` reads it. A
//! step that has learned already is left as it is unless `--again` is given; one that learns in every run is passed over.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use chrono::Utc;
use polars::prelude::DataFrame;
use serde::Serialize;

use super::output::Output;
use super::{CliError, ConnectionArgs, data, signal};
use crate::base::envelope::to_yaml;
use crate::base::{Accuracy, units};
use crate::dataset::{InputSpec, Page, Schema, origin};
use crate::explore::open_inputs;
use crate::job::JobSpec;
use crate::storage::Connection;
use crate::transform::{FitSource, FitState, Inputs, Recipe, RecipeFile};

#[derive(Debug, clap::Args)]
pub struct FitArgs {
    /// Recipe or job spec whose steps learn
    recipe: PathBuf,
    /// Folder, file or s3:// prefix to learn from
    location: String,
    /// Rows to read
    #[arg(long, default_value_t = 10_000, value_name = "N")]
    rows: usize,
    /// Only this partition, as `skewer ls` names it
    #[arg(long)]
    partition: Option<String>,
    /// Lets steps learn anew that have learned already
    #[arg(long)]
    again: bool,
    /// File to write; the recipe itself when it is not given
    #[arg(short, long, value_name = "FILE")]
    output: Option<PathBuf>,
    #[command(flatten)]
    connection: ConnectionArgs,
    /// Prints JSON
    #[arg(long)]
    json: bool,
}

#[derive(Serialize)]
struct Answer {
    file: String,
    from: String,
    steps: Vec<FittedStep>,
}

/// A step that learned now.
#[derive(Debug, PartialEq, Eq, Serialize)]
struct FittedStep {
    number: usize,
    step: String,
    /// Rows that it learned from.
    rows: u64,
}

/// A file with steps in it.
enum Document {
    Recipe(RecipeFile),
    Job(Box<JobSpec>),
}

pub fn fit(args: FitArgs, output: &mut Output) -> Result<u8, CliError> {
    let text = read(&args.recipe)?;
    let mut document = Document::parse(&args.recipe, &text)?;
    let file = args.output.as_deref().unwrap_or(&args.recipe);
    if args.output.is_none() && has_comments(&text) {
        return Err(CliError::Usage {
            message: format!(
                "{0}: writing it back would lose its comments (#): name the file to write with `-o`, also when it is {0}",
                args.recipe.display()
            ),
        });
    }
    let connection: Connection = args.connection.into();
    let declared = document.declared().cloned();
    let location = args.location.clone();
    let partition = args.partition.clone();
    let specs = document.inputs().clone();
    // Places in a recipe are relative to its own folder.
    let base = args.recipe.parent().map_or_else(PathBuf::new, Path::to_path_buf);
    let (page, inputs) = signal::block_on_whole(|cancel| async move {
        let listed = data::list(&location, &connection, &cancel).await?;
        let dataset = listed.dataset(None)?;
        let objects = listed.objects(dataset, partition.as_deref(), &cancel).await?;
        let page = Page::read(&listed.store, &objects, declared.as_ref(), args.rows, &cancel).await?;
        let day = data::day(dataset, partition.as_deref());
        let inputs = open_inputs(&specs, day, &base, &cancel).await;
        Ok::<_, CliError>((page, inputs))
    })?;
    let source = FitSource {
        from: described(&args.location, args.partition.as_deref(), &page),
        at: Utc::now(),
    };
    let steps = fit_steps(document.recipe(), &page.df, &inputs, &source, args.again).map_err(|message| {
        CliError::Spec {
            message: format!("{}: {message}", args.recipe.display()),
        }
    })?;
    write(file, &document.to_yaml()?)?;
    let answer = Answer {
        file: file.display().to_string(),
        from: source.from,
        steps,
    };
    answer.show(args.json, output)?;
    Ok(0)
}

impl Answer {
    fn show(&self, is_json: bool, output: &mut Output) -> Result<(), CliError> {
        if is_json {
            return output.json(self);
        }
        if self.steps.is_empty() {
            return output.line(&format!("{}: no step had anything to learn", self.file));
        }
        for step in &self.steps {
            output.line(&format!(
                "step {} `{}` learned from {}",
                step.number,
                step.step,
                units::plural(step.rows, "row")
            ))?;
        }
        output.line(&format!("{}: written, learned from {}", self.file, self.from))
    }
}

impl Document {
    fn parse(path: &Path, text: &str) -> Result<Self, CliError> {
        let wrong = |message: String| CliError::Spec {
            message: format!("{}:{message}", path.display()),
        };
        if text.lines().any(|line| line.trim_end() == "kind: Job") {
            let spec = JobSpec::parse(text).map_err(|error| wrong(error.to_string()))?;
            return Ok(Self::Job(Box::new(spec)));
        }
        let file = RecipeFile::from_text(text).map_err(|error| wrong(error.to_string()))?;
        Ok(Self::Recipe(file))
    }

    /// The columns that a job declares: it learns from what a run would read.
    fn declared(&self) -> Option<&Schema> {
        match self {
            Self::Recipe(_) => None,
            Self::Job(spec) => Some(&spec.source.schema),
        }
    }

    fn inputs(&self) -> &BTreeMap<String, InputSpec> {
        match self {
            Self::Recipe(file) => &file.inputs,
            Self::Job(spec) => &spec.inputs,
        }
    }

    fn recipe(&mut self) -> &mut Recipe {
        match self {
            Self::Recipe(file) => &mut file.steps,
            Self::Job(spec) => &mut spec.steps,
        }
    }

    fn to_yaml(&self) -> Result<String, CliError> {
        let text = match self {
            Self::Recipe(file) => to_yaml(file).map_err(|error| error.to_string()),
            Self::Job(spec) => spec.to_yaml().map_err(|error| error.to_string()),
        };
        text.map_err(|message| CliError::Spec { message })
    }
}

/// Lets the steps learn that need to, in their order. `df` has its origin columns.
///
/// # Errors
/// The first step that does not check, fails, or finds nothing to learn from; `recipe` is then half fitted.
fn fit_steps(
    recipe: &mut Recipe,
    df: &DataFrame,
    inputs: &Inputs,
    source: &FitSource,
    is_again: bool,
) -> Result<Vec<FittedStep>, String> {
    let schema = origin::without_hidden(df.schema());
    let mut fitted = Vec::new();
    for index in 0..recipe.steps.len() {
        let needs_it = recipe.steps.get(index).is_some_and(|step| {
            step.enabled
                && match step.step.fit_state() {
                    Some(FitState::NotFitted) => true,
                    Some(FitState::Fitted { .. }) => is_again,
                    Some(FitState::EachRun) | None => false,
                }
        });
        if !needs_it {
            continue;
        }
        let before = recipe
            .compile(index, &schema, inputs)
            .map_err(|error| error.to_string())?
            .execute(df.clone())
            .map_err(|error| error.to_string())?;
        let rows = origin::strip(&before.df);
        let Some(step) = recipe.steps.get_mut(index) else {
            continue;
        };
        let label = step.step.label();
        match step.step.fit(&rows, source) {
            Some(Ok(learned)) => step.step = learned,
            Some(Err(error)) => return Err(format!("step {} `{label}`: {error}", index + 1)),
            None => continue,
        }
        fitted.push(FittedStep {
            number: index + 1,
            step: label,
            rows: rows.height() as u64,
        });
    }
    recipe
        .compile(recipe.steps.len(), &schema, inputs)
        .map_err(|error| error.to_string())?;
    Ok(fitted)
}

/// `s3://lake/raw/, first 10,000 rows`, for people who read the recipe later.
fn described(location: &str, partition: Option<&str>, page: &Page) -> String {
    let n = page.df.height() as u64;
    let rows = units::plural(n, "row");
    let rows = match page.accuracy {
        Accuracy::Exact => format!("all {rows}"),
        _ => format!("first {rows}"),
    };
    match partition {
        Some(partition) => format!("{location}, {partition}, {rows}"),
        None => format!("{location}, {rows}"),
    }
}

fn has_comments(text: &str) -> bool {
    text.lines()
        .any(|line| line.trim_start().starts_with('#') || line.contains(" # "))
}

fn read(path: &Path) -> Result<String, CliError> {
    std::fs::read_to_string(path).map_err(|error| CliError::Spec {
        message: format!(
            "{}: {error}: give the path of a recipe or a job spec",
            path.display()
        ),
    })
}

/// Replaces the file as a whole: a reader finds the old text or the new one.
fn write(path: &Path, text: &str) -> Result<(), CliError> {
    let mut name = path.file_name().unwrap_or_default().to_owned();
    name.push(".new");
    let new = path.with_file_name(name);
    let written = std::fs::write(&new, text).and_then(|()| std::fs::rename(&new, path));
    written.map_err(|error| CliError::Usage {
        message: format!("{}: {error}: give another file with `-o`", path.display()),
    })
}

#[cfg(test)]
mod tests {
    use chrono::DateTime;
    use polars::prelude::{DataFrame, df};

    use super::{FitSource, FittedStep, Inputs, Recipe, fit_steps, has_comments};
    use crate::base::envelope::from_yaml;
    use crate::dataset::origin;
    use crate::transform::FitState;

    const RECIPE: &str = "
- filter: {where: x < 100}
- scale: {columns: [x], method: min_max}
- filter: {where: x > 0}
- string_index: {column: t, into: i}
- winsorize: {column: x, enabled: false}
- frequency_encode: {column: t, into: f, refit: true}
";

    fn rows() -> DataFrame {
        df!(
            "x" => [0.0, 10.0, 5.0, 5.0, 1_000.0],
            "t" => ["a", "b", "c", "c", "z"],
            origin::OBJECT => [0_u32; 5],
            origin::LINE => [1_u64, 2, 3, 4, 5],
            origin::OFFSET => [0_u64, 1, 2, 3, 4],
        )
        .unwrap()
    }

    fn source() -> FitSource {
        FitSource {
            from: "lake, all 5 rows".to_owned(),
            at: DateTime::UNIX_EPOCH,
        }
    }

    fn learned(recipe: &mut Recipe, df: &DataFrame, is_again: bool) -> Result<Vec<FittedStep>, String> {
        fit_steps(recipe, df, &Inputs::default(), &source(), is_again)
    }

    fn numbers(fitted: &[FittedStep]) -> Vec<(usize, u64)> {
        fitted.iter().map(|step| (step.number, step.rows)).collect()
    }

    #[test]
    fn each_step_learns_from_the_rows_that_come_to_it() {
        let mut recipe: Recipe = from_yaml(RECIPE).unwrap();
        let fitted = learned(&mut recipe, &rows(), false).unwrap();
        assert_eq!(numbers(&fitted), [(2, 4), (4, 3)]);
        assert_eq!(fitted[1].step, "string_index(t)");
        let values = recipe.steps[1].step.params()["fitted"]["values"].clone();
        assert_eq!(values, serde_json::json!({"x": {"center": 0.0, "width": 10.0}}));
        let values = recipe.steps[3].step.params()["fitted"]["values"].clone();
        assert_eq!(values, serde_json::json!(["c", "b"]));
        assert_eq!(recipe.steps[4].step.fit_state(), Some(FitState::NotFitted));
        assert_eq!(recipe.steps[5].step.fit_state(), Some(FitState::EachRun));
    }

    #[test]
    fn what_was_learned_stays_unless_it_is_to_be_learned_again() {
        let mut recipe: Recipe = from_yaml(RECIPE).unwrap();
        learned(&mut recipe, &rows(), false).unwrap();
        let before = recipe.clone();
        let fewer = rows().slice(1, 3);
        assert_eq!(learned(&mut recipe, &fewer, false), Ok(vec![]));
        assert_eq!(recipe, before);
        let fitted = learned(&mut recipe, &fewer, true).unwrap();
        assert_eq!(numbers(&fitted), [(2, 3), (4, 1)]);
        assert_ne!(recipe, before);
    }

    #[test]
    fn a_step_that_cannot_learn_or_does_not_check_is_named() {
        let mut recipe: Recipe = from_yaml(RECIPE).unwrap();
        assert_eq!(
            learned(&mut recipe, &rows().clear(), false).unwrap_err(),
            "step 2 `scale(x)`: column `x` holds no finite number to learn from: fit it on rows that hold values"
        );
        let mut recipe: Recipe = from_yaml("- scale: {columns: [x]}\n- drop: {columns: [y]}").unwrap();
        let error = learned(&mut recipe, &rows(), false).unwrap_err();
        assert!(
            error.starts_with("step 2 `drop(y)`: column `y` not found"),
            "{error}"
        );
    }

    #[test]
    fn comments_are_seen() {
        assert!(has_comments("# why\nsteps: []"));
        assert!(has_comments("steps: [] # why"));
        assert!(!has_comments("steps:\n- filter: {where: \"t = 'C#'\"}"));
    }
}

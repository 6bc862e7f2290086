//! `skewer preview`: a bounded page of rows, after a recipe when one is given, with what was rejected.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use serde::Serialize;
use serde_json::{Map, Value};

use super::output::Output;
use super::{CliError, ConnectionArgs, data, rows, signal};
use crate::base::envelope::from_yaml;
use crate::base::{Accuracy, units};
use crate::dataset::{InputSpec, Page, Reject};
use crate::explore::{explore_once, open_inputs};
use crate::job::JobSpec;
use crate::storage::Connection;
use crate::transform::{FitSource, Recipe, RecipeFile};

#[derive(Debug, clap::Args)]
pub struct PreviewArgs {
    /// Folder, file or s3:// prefix
    location: String,
    /// Rows to read
    #[arg(long, default_value_t = 20, value_name = "N")]
    rows: usize,
    /// Recipe or job spec whose steps are applied
    #[arg(long, value_name = "FILE")]
    recipe: Option<PathBuf>,
    /// Only this partition, as `skewer ls` names it
    #[arg(long)]
    partition: Option<String>,
    #[command(flatten)]
    connection: ConnectionArgs,
    /// Prints JSON
    #[arg(long)]
    json: bool,
}

#[derive(Serialize)]
struct Answer {
    schema: Vec<rows::NamedType>,
    rows: Vec<Map<String, Value>>,
    rejects: Vec<Reject>,
    accuracy: Accuracy,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    notes: Vec<String>,
}

/// Steps, and the second datasets that they read.
#[derive(Default)]
pub struct Steps {
    pub recipe: Recipe,
    pub inputs: BTreeMap<String, InputSpec>,
}

pub fn preview(args: PreviewArgs, output: &mut Output) -> Result<u8, CliError> {
    let Steps { recipe, inputs } = args
        .recipe
        .as_deref()
        .map(read_recipe)
        .transpose()?
        .unwrap_or_default();
    // Places in a recipe are relative to its own folder.
    let base = args.recipe.as_deref().and_then(Path::parent);
    let base = base.map_or_else(PathBuf::new, Path::to_path_buf);
    let connection: Connection = args.connection.into();
    let location = args.location.as_str();
    let (page, inputs) = signal::block_on(|cancel, _| async move {
        let listed = data::list(location, &connection, &cancel).await?;
        let dataset = listed.dataset(None)?;
        let objects = listed
            .objects(dataset, args.partition.as_deref(), &cancel)
            .await?;
        let page = Page::read(&listed.store, &objects, None, args.rows, &cancel).await?;
        let day = data::day(dataset, args.partition.as_deref());
        let inputs = open_inputs(&inputs, day, &base, &cancel).await;
        Ok::<_, CliError>((page, inputs))
    })??;
    let source = FitSource {
        from: args.location,
        at: chrono::Utc::now(),
    };
    let explored = explore_once(&page, &recipe, recipe.steps.len(), &inputs, &source);
    if let Some(error) = explored.checks.iter().find_map(|check| check.as_ref().err()) {
        return Err(CliError::Spec {
            message: error.to_string(),
        });
    }
    if let Some(error) = explored.error {
        return Err(CliError::Run {
            message: error,
            exit_code: 1,
        });
    }
    if args.json {
        let schema = rows::named_types(explored.df.schema());
        let rows = rows::json_rows(&explored.df);
        output.json(&Answer {
            schema,
            rows,
            rejects: explored.rejects,
            accuracy: explored.accuracy,
            notes: explored.notes,
        })?;
        return Ok(0);
    }
    rows::print_rows(&explored.df, output)?;
    output.line(&format!(
        "{} ({})",
        units::plural(explored.df.height() as u64, "row"),
        explored.accuracy
    ))?;
    for note in &explored.notes {
        output.line(&format!("note: {note}"))?;
    }
    if !explored.rejects.is_empty() {
        output.line(&format!(
            "\n{}:",
            units::plural(explored.rejects.len() as u64, "rejected record")
        ))?;
        rows::print_rejects(&explored.rejects, output)?;
    }
    Ok(0)
}

/// Reads a recipe file, or the steps of a job spec.
pub fn read_recipe(path: &Path) -> Result<Steps, CliError> {
    let text = std::fs::read_to_string(path).map_err(|error| CliError::Spec {
        message: format!(
            "{}: {error}: give the path of a recipe or a job spec",
            path.display()
        ),
    })?;
    if text.lines().any(|line| line.trim_end() == "kind: Job") {
        let spec = JobSpec::parse(&text).map_err(|error| CliError::Spec {
            message: format!("{}:{error}", path.display()),
        })?;
        return Ok(Steps {
            recipe: spec.steps,
            inputs: spec.inputs,
        });
    }
    from_yaml::<RecipeFile>(&text)
        .map(|file| Steps {
            recipe: file.steps,
            inputs: file.inputs,
        })
        .map_err(|error| CliError::Spec {
            message: format!("{}:{error}", path.display()),
        })
}

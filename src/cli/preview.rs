//! `skewer preview`: a bounded page of rows, after a recipe when one is given, with what was rejected.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use serde::Serialize;
use serde_json::{Map, Value};

use super::output::Output;
use super::{CliError, ConnectionArgs, data, rows, signal};
use crate::base::{Accuracy, units};
use crate::dataset::{InputSpec, Page, Reject, SampleChoice, SampleSize};
use crate::explore::{explore_once, open_inputs};
use crate::job::JobSpec;
use crate::storage::Connection;
use crate::transform::{FitSource, Recipe, RecipeFile};

#[derive(Debug, clap::Args)]
pub struct PreviewArgs {
    /// Folder, file or s3:// prefix
    location: String,
    /// Rows to read, from the first on [default: 20, or the sample of the recipe]
    #[arg(long, value_name = "N", conflicts_with = "files_per_partition")]
    rows: Option<usize>,
    /// Reads so many files of every partition instead, drawn by lot
    #[arg(long, value_name = "K")]
    files_per_partition: Option<usize>,
    /// Rows to read of each of these files
    #[arg(
        long,
        value_name = "N",
        requires = "files_per_partition",
        default_value_t = 10
    )]
    rows_per_file: usize,
    /// Another seed draws other files
    #[arg(long, requires = "files_per_partition", default_value_t = 0)]
    seed: u64,
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
    /// The rows that were asked for: the same choice gives the same rows.
    sample: SampleChoice,
    size: SampleSize,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    notes: Vec<String>,
}

/// Steps, the second datasets that they read, and the sample they were explored on.
#[derive(Default)]
pub struct Steps {
    pub recipe: Recipe,
    pub inputs: BTreeMap<String, InputSpec>,
    pub sample: Option<SampleChoice>,
}

pub fn preview(args: PreviewArgs, output: &mut Output) -> Result<u8, CliError> {
    let steps = match args.recipe.as_deref() {
        Some(path) => read_recipe(path)?,
        None => Steps::default(),
    };
    let sample = match (args.files_per_partition, args.rows, steps.sample) {
        (Some(files_per_partition), _, _) => SampleChoice::Spread {
            files_per_partition,
            rows_per_file: args.rows_per_file,
            seed: args.seed,
        },
        (None, None, Some(written)) => written,
        (None, n_rows, _) => SampleChoice::Head {
            n_rows: n_rows.unwrap_or(DEFAULT_ROWS),
        },
    };
    let Steps { recipe, inputs, .. } = steps;
    // Places in a recipe are relative to its own folder.
    let base = args.recipe.as_deref().and_then(Path::parent);
    let base = base.map_or_else(PathBuf::new, Path::to_path_buf);
    let connection: Connection = args.connection.into();
    let location = args.location.as_str();
    let (page, inputs) = signal::block_on_whole(|cancel| async move {
        let listed = data::list(location, &connection, &cancel).await?;
        let dataset = listed.dataset(None)?;
        let objects = listed
            .objects(dataset, args.partition.as_deref(), &cancel)
            .await?;
        let partition_of = listed.partition_numbers(&objects);
        let page = Page::sample(&listed.store, &objects, &partition_of, None, sample, &cancel).await?;
        let day = data::day(dataset, args.partition.as_deref());
        let inputs = open_inputs(&inputs, day, &base, &cancel).await;
        Ok::<_, CliError>((page, inputs))
    })?;
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
            sample,
            size: explored.size,
            notes: explored.notes,
        })?;
        return Ok(0);
    }
    rows::print_rows(&explored.df, output)?;
    let part = if explored.accuracy.is_exact() {
        explored.accuracy.to_string()
    } else {
        format!("sample: {}", explored.size)
    };
    let n_rows = units::plural(explored.df.height() as u64, "row");
    output.line(&format!("{n_rows} ({part})"))?;
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

/// Rows that are read when nothing says how many.
const DEFAULT_ROWS: usize = 20;

/// Reads a recipe file with the sample it names, steps alone as they are printed and copied, or the steps of a job spec.
pub fn read_recipe(path: &Path) -> Result<Steps, CliError> {
    let text = std::fs::read_to_string(path).map_err(|error| CliError::Spec {
        message: format!(
            "{}: {error}: give the path of a recipe or a job spec",
            path.display()
        ),
    })?;
    let is_job = |line: &str| line.trim_start_matches('\u{feff}').trim_end() == "kind: Job";
    if text.lines().any(is_job) {
        let spec = JobSpec::parse(&text).map_err(|error| CliError::Spec {
            message: format!("{}:{error}", path.display()),
        })?;
        return Ok(Steps {
            recipe: spec.steps,
            inputs: spec.inputs,
            sample: None,
        });
    }
    RecipeFile::from_text(&text)
        .map(|file| Steps {
            recipe: file.steps,
            inputs: file.inputs,
            sample: file.sample,
        })
        .map_err(|error| CliError::Spec {
            message: format!("{}:{error}", path.display()),
        })
}

//! `skewer validate`: checks a spec, its steps and its output columns. Reads no data.

use std::path::{Path, PathBuf};

use serde::Serialize;

use super::output::Output;
use super::{CliError, rows};
use crate::base::units;
use crate::job::Job;

#[derive(Debug, clap::Args)]
pub struct ValidateArgs {
    /// Job spec
    job: PathBuf,
    /// Prints JSON
    #[arg(long)]
    json: bool,
}

#[derive(Serialize)]
struct Answer<'a> {
    job: &'a str,
    spec_sha256: &'a str,
    source: String,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    inputs: Vec<InputAnswer>,
    sink: String,
    columns: Vec<rows::NamedType>,
    warnings: &'a [String],
}

/// A second dataset, as declared: its rows are not read.
#[derive(Serialize)]
struct InputAnswer {
    name: String,
    uri: String,
    columns: Vec<rows::NamedType>,
}

pub fn validate(args: &ValidateArgs, output: &mut Output) -> Result<u8, CliError> {
    let job = read_job(&args.job)?;
    let answer = Answer {
        job: job.name(),
        spec_sha256: &job.spec_sha256,
        source: job.spec.source.uri.clone(),
        inputs: job
            .inputs
            .iter()
            .map(|(name, input)| InputAnswer {
                name: name.clone(),
                uri: job
                    .spec
                    .inputs
                    .get(name)
                    .map_or_else(String::new, |spec| spec.uri.clone()),
                columns: rows::named_types(&input.schema.to_polars()),
            })
            .collect(),
        sink: job.sink.root.to_string(),
        columns: rows::named_types(job.plan.output()),
        warnings: &job.warnings,
    };
    if args.json {
        output.json(&answer)?;
        return Ok(0);
    }
    output.line(&format!(
        "{}: valid: {}, {}, {} to {}",
        args.job.display(),
        units::plural(job.source.schema.fields.len() as u64, "field"),
        units::plural(job.spec.steps.steps.len() as u64, "step"),
        units::plural(answer.columns.len() as u64, "output column"),
        answer.sink
    ))?;
    for input in &answer.inputs {
        let columns = units::plural(input.columns.len() as u64, "column");
        output.line(&format!("input {}: {columns} of {}", input.name, input.uri))?;
    }
    let cells: Vec<Vec<String>> = answer
        .columns
        .iter()
        .map(|c| vec![c.name.clone(), c.dtype.clone()])
        .collect();
    output.table(&["column", "type"], &[], &cells)?;
    for warning in answer.warnings {
        output.line(&format!("warning: {warning}"))?;
    }
    Ok(0)
}

/// Reads and checks a job spec; relative places are relative to its own folder.
///
/// # Errors
/// [`CliError::Spec`] with file, line and column.
pub fn read_job(path: &Path) -> Result<Job, CliError> {
    read_spec(path).map(|(job, _)| job)
}

/// As [`read_job`], with the text of the spec.
pub fn read_spec(path: &Path) -> Result<(Job, String), CliError> {
    let shown = path.display();
    let text = std::fs::read_to_string(path).map_err(|error| CliError::Spec {
        message: format!("{shown}: {error}: give the path of a job spec"),
    })?;
    let folder = path.parent().unwrap_or(Path::new(""));
    let job = Job::from_text(&text, folder).map_err(|error| CliError::Spec {
        message: format!("{shown}:{error}"),
    })?;
    Ok((job, text))
}

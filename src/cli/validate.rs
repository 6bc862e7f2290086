//! `skewer validate`: checks a spec, its steps and its output columns, and runs its tests when asked. Reads no data.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use serde::Serialize;

use super::output::Output;
use super::{CliError, rows};
use crate::base::units;
use crate::dataset::Schema;
use crate::explore::{self, Schemas};
use crate::job::{ContractColumn, Job, contract};

#[derive(Debug, clap::Args)]
pub struct ValidateArgs {
    /// Job spec
    job: PathBuf,
    /// Runs the spec's tests: given records through its schema and steps
    #[arg(long)]
    tests: bool,
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
    output: &'a [ContractColumn],
    warnings: &'a [String],
    #[serde(skip_serializing_if = "Option::is_none")]
    tests: Option<Vec<Tested>>,
}

/// One test of the spec.
#[derive(Serialize)]
struct Tested {
    name: String,
    passed: bool,
    /// The first difference.
    problem: Option<String>,
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
    let output_columns = contract(&job.source.schema, &job.plan);
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
        output: &output_columns,
        warnings: &job.warnings,
        tests: args.tests.then(|| run_tests(&job)),
    };
    let n_failed = answer.tests.iter().flatten().filter(|test| !test.passed).count();
    let code = if n_failed > 0 { 2 } else { 0 };
    if args.json {
        output.json(&answer)?;
        return Ok(code);
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
    let cells: Vec<Vec<String>> = answer.output.iter().map(cells).collect();
    output.table(&["column", "type", "Parquet", "null"], &[], &cells)?;
    for warning in answer.warnings {
        output.line(&format!("warning: {warning}"))?;
    }
    for test in answer.tests.iter().flatten() {
        match &test.problem {
            None => output.line(&format!("test `{}`: passed", test.name))?,
            Some(problem) => output.line(&format!("test `{}`: failed: {problem}", test.name))?,
        }
    }
    if let Some(tests) = &answer.tests {
        output.line(&format!(
            "{}, {n_failed} failed",
            units::plural(tests.len() as u64, "test")
        ))?;
    }
    Ok(code)
}

fn cells(column: &ContractColumn) -> Vec<String> {
    let null = match &column.never_null {
        None => "nullable".to_owned(),
        Some(why) => format!("never: {why}"),
    };
    vec![
        column.name.clone(),
        column.dtype.clone(),
        column.parquet.clone(),
        null,
    ]
}

fn run_tests(job: &Job) -> Vec<Tested> {
    let inputs: BTreeMap<String, Schema> = job
        .inputs
        .iter()
        .map(|(name, input)| (name.clone(), Schema::clone(&input.schema)))
        .collect();
    let declared = Schemas {
        schema: &job.source.schema,
        inputs: &inputs,
    };
    let outcomes = job
        .spec
        .tests
        .iter()
        .map(|test| explore::run_test(&job.spec.steps, declared, test));
    outcomes
        .map(|outcome| Tested {
            name: outcome.name,
            passed: outcome.problem.is_none(),
            problem: outcome.problem,
        })
        .collect()
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

//! `skewer job-schema`: the JSON Schema of a job spec, for editors and CI.

use super::CliError;
use super::output::Output;
use crate::job::job_schema as schema;

pub fn job_schema(output: &mut Output) -> Result<u8, CliError> {
    output.json(&schema())?;
    Ok(0)
}

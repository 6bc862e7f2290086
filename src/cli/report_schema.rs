//! `skewer report-schema`: the JSON Schema of a run's report, for whoever reads reports by program.

use super::CliError;
use super::output::Output;
use crate::run::report_schema as schema;

pub fn report_schema(output: &mut Output) -> Result<u8, CliError> {
    output.json(&schema())?;
    Ok(0)
}

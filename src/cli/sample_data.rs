//! `skewer sample-data`: writes the sample lake, the same bytes each time.

use std::path::PathBuf;

use super::output::Output;
use super::{CliError, signal};
use crate::base::units;
use crate::sample;

#[derive(Debug, clap::Args)]
pub struct SampleDataArgs {
    /// Folder to write; made when it is not there
    dir: PathBuf,
    /// Prints JSON: files, bytes, rows of each day and the faults that are there on purpose
    #[arg(long)]
    json: bool,
}

pub fn sample_data(args: SampleDataArgs, output: &mut Output) -> Result<u8, CliError> {
    let (dir, is_json) = (args.dir.clone(), args.json);
    let report =
        signal::block_on(|cancel, _| async move { sample::write(&args.dir, &cancel) })?.map_err(|error| {
            CliError::Run {
                message: error.to_string(),
                exit_code: 1,
            }
        })?;
    if is_json {
        output.json(&report)?;
        return Ok(0);
    }
    output.line(&format!(
        "{}: {}, {}",
        dir.display(),
        units::plural(report.n_files, "file"),
        units::bytes(report.n_bytes)
    ))?;
    Ok(0)
}

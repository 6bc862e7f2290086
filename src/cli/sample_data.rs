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
}

pub fn sample_data(args: SampleDataArgs, output: &mut Output) -> Result<u8, CliError> {
    let dir = args.dir.clone();
    let report =
        signal::block_on(|cancel, _| async move { sample::write(&args.dir, &cancel) })?.map_err(|error| {
            CliError::Run {
                message: error.to_string(),
                exit_code: 1,
            }
        })?;
    output.line(&format!(
        "{}: {}, {}",
        dir.display(),
        units::plural(report.n_files, "file"),
        units::bytes(report.n_bytes)
    ))?;
    Ok(0)
}

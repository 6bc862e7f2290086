//! `skewer compact`: fewer parts, the same rows.

use std::path::PathBuf;

use super::CliError;
use super::output::Output;
use super::run::{params, show, with_progress};
use super::validate::read_job;
use crate::run::{RunOptions, compact as compact_days};

#[derive(Debug, clap::Args)]
pub struct CompactArgs {
    /// Job spec
    job: PathBuf,
    /// Parameter of the job: day=2020-01-01, day=2020-01-01..2020-01-07 or day=last:3
    #[arg(long = "param", value_name = "NAME=VALUE")]
    params: Vec<String>,
    /// Prints the report as JSON
    #[arg(long)]
    json: bool,
}

pub fn compact(args: &CompactArgs, output: &mut Output) -> Result<u8, CliError> {
    let job = read_job(&args.job)?;
    let params = params(&args.params)?;
    let options = RunOptions::default();
    let (report, signalled) = with_progress(async |progress, cancel| {
        compact_days(&job, &params, &options, &progress, &cancel).await
    })?;
    show(report, &signalled, args.json, output)
}

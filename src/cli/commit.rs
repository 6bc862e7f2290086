//! `skewer commit`: publishes what the tasks of a plan staged.

use std::path::PathBuf;

use super::CliError;
use super::output::Output;
use super::run::{show, with_progress};
use super::validate::read_job;
use crate::run::{RunOptions, commit as commit_plan};

#[derive(Debug, clap::Args)]
pub struct CommitArgs {
    /// Job spec
    job: PathBuf,
    /// The `plan_id` that `skewer plan` printed
    #[arg(long, value_name = "PLAN_ID")]
    plan: String,
    /// Prints the report as JSON
    #[arg(long)]
    json: bool,
}

pub fn commit(args: &CommitArgs, output: &mut Output) -> Result<u8, CliError> {
    let job = read_job(&args.job)?;
    let options = RunOptions::default();
    let (report, signalled) = with_progress(async |progress, cancel| {
        commit_plan(&job, &args.plan, &options, &progress, &cancel).await
    })?;
    show(report, &signalled, args.json, output)
}

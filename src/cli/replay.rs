//! `skewer replay`: adds records from quarantine that a mended spec can use.

use std::path::PathBuf;

use super::CliError;
use super::output::Output;
use super::run::{batch_options, params, show, with_progress_ordered};
use super::signal::Orders;
use super::validate::read_job;
use crate::dataset::Reason;
use crate::run::{ReplayOptions, replay as replay_days};

#[derive(Debug, clap::Args)]
pub struct ReplayArgs {
    /// Job spec, mended
    job: PathBuf,
    /// Parameter of the job: day=2020-01-01, day=2020-01-01..2020-01-07 or day=last:3
    #[arg(long = "param", value_name = "NAME=VALUE")]
    params: Vec<String>,
    /// Only records that this run put in quarantine
    #[arg(long, value_name = "RUN_ID")]
    run: Option<String>,
    /// Only records rejected for this reason, such as `type_mismatch`
    #[arg(long, value_name = "REASON", value_parser = reason)]
    reason: Option<Reason>,
    /// Prints the report as JSON
    #[arg(long)]
    json: bool,
}

fn reason(word: &str) -> Result<Reason, String> {
    serde_json::from_value(serde_json::Value::String(word.to_owned())).map_err(|error| error.to_string())
}

pub fn replay(args: &ReplayArgs, output: &mut Output) -> Result<u8, CliError> {
    #[cfg(unix)]
    if let Some(code) = super::supervise::supervise(&args.job)? {
        return Ok(code);
    }
    let orders = Orders::of_supervisor();
    let job = read_job(&args.job)?;
    let params = params(&args.params)?;
    let options = ReplayOptions {
        run_id: args.run.clone(),
        reason: args.reason,
        run: batch_options(orders.as_ref())?,
    };
    let (report, signalled) = with_progress_ordered(orders, async |progress, cancel| {
        replay_days(&job, &params, &options, &progress, &cancel).await
    })?;
    show(report, &signalled, args.json, output)
}

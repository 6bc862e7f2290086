//! `skewer gc`: removes what runs left that never came back, and rejects of days that they did not commit.

use std::path::PathBuf;
use std::time::Duration;

use super::CliError;
use super::output::Output;
use super::run::with_progress;
use super::validate::read_job;
use crate::base::units;
use crate::run::{GcOptions, RunOptions, gc as collect};

#[derive(Debug, clap::Args)]
pub struct GcArgs {
    /// Job spec
    job: PathBuf,
    /// Removes what nobody touched for this many hours; running runs are safe whatever it is, but have to start again
    #[arg(long, value_name = "HOURS", default_value_t = 24.0)]
    older_than: f64,
    /// Says what would go and removes nothing
    #[arg(long)]
    dry_run: bool,
    /// Prints JSON
    #[arg(long)]
    json: bool,
}

pub fn gc(args: &GcArgs, output: &mut Output) -> Result<u8, CliError> {
    let job = read_job(&args.job)?;
    let older_than = Duration::try_from_secs_f64(args.older_than * 3600.0).map_err(|_| CliError::Usage {
        message: format!("--older-than {} is no number of hours", args.older_than),
    })?;
    let options = GcOptions {
        older_than,
        is_dry_run: args.dry_run,
        run: RunOptions::default(),
    };
    let (report, _) = with_progress(async |_, cancel| collect(&job, &options, &cancel).await)?;
    if args.json {
        output.json(&report)?;
        return Ok(0);
    }
    let verb = if args.dry_run { "would remove" } else { "removed" };
    for object in &report.objects {
        output.line(&format!("{verb} {object}"))?;
    }
    for day in &report.rolled_forward {
        output.line(&format!("{day}: finished a commit whose run had stopped"))?;
    }
    output.line(&format!(
        "{verb} {} ({}), {} aborted",
        units::plural(report.objects.len() as u64, "object"),
        units::bytes(report.n_bytes),
        units::plural(report.n_uploads_aborted, "upload")
    ))?;
    Ok(0)
}

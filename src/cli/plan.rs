//! `skewer plan`: cuts the work of some days into tasks for many machines.

use std::path::PathBuf;

use super::CliError;
use super::output::Output;
use super::run::{params, with_progress, word};
use super::validate::read_job;
use crate::base::units;
use crate::run::{PlanOptions, RunOptions, plan as plan_job};

#[derive(Debug, clap::Args)]
pub struct PlanArgs {
    /// Job spec
    job: PathBuf,
    /// Parameter of the job: day=2020-01-01, day=2020-01-01..2020-01-07 or day=last:3
    #[arg(long = "param", value_name = "NAME=VALUE")]
    params: Vec<String>,
    /// About this many tasks; a day has one at least [default: one for each 512 MiB]
    #[arg(long, value_name = "N")]
    tasks: Option<usize>,
    /// Plans days again that are committed already
    #[arg(long)]
    replace: bool,
    /// Prints JSON
    #[arg(long)]
    json: bool,
}

pub fn plan(args: &PlanArgs, output: &mut Output) -> Result<u8, CliError> {
    let job = read_job(&args.job)?;
    let params = params(&args.params)?;
    if args.tasks == Some(0) {
        return Err(CliError::Usage {
            message: "--tasks must be at least 1".to_owned(),
        });
    }
    let options = PlanOptions {
        n_tasks: args.tasks,
        run: RunOptions {
            replace: args.replace,
            ..RunOptions::default()
        },
    };
    let (report, _) =
        with_progress(async |progress, cancel| plan_job(&job, &params, &options, &progress, &cancel).await)?;
    if args.json {
        output.json(&report)?;
        return Ok(0);
    }
    let rows: Vec<Vec<String>> = report
        .partitions
        .iter()
        .map(|day| {
            let tasks = report.tasks.iter().filter(|task| task.partition == day.partition);
            vec![
                day.partition.to_string(),
                word(&day.status),
                units::count(day.n_files),
                units::count(tasks.clone().count() as u64),
                units::bytes(tasks.map(|task| task.n_bytes).sum()),
            ]
        })
        .collect();
    output.table(
        &["partition", "status", "files", "tasks", "bytes"],
        &[2, 3, 4],
        &rows,
    )?;
    for day in &report.partitions {
        if let Some(message) = &day.message {
            output.line(&format!("{}: {message}", day.partition))?;
        }
    }
    let job_path = args.job.display();
    if report.tasks.is_empty() {
        output.line(&format!("plan {}: nothing to do", report.plan_id))?;
    } else {
        output.line(&format!(
            "plan {}: run `skewer task {job_path} --plan {} --index I` for I = 0 to {}, then `skewer commit {job_path} \
             --plan {}`",
            report.plan_id,
            report.plan_id,
            report.tasks.len() - 1,
            report.plan_id
        ))?;
    }
    Ok(0)
}

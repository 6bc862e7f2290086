//! `skewer task`: one task of a plan, on whatever machine.

use std::path::PathBuf;

use super::CliError;
use super::output::Output;
use super::run::{batch_options, with_progress_ordered};
use super::signal::Orders;
use super::validate::read_job;
use crate::base::units;
use crate::run::{TaskStatus, task as run_task};

/// Where schedulers tell a task its index, in the order they are asked.
const INDEX_VARIABLES: [&str; 3] = [
    "SKEWER_TASK_INDEX",
    "AWS_BATCH_JOB_ARRAY_INDEX",
    "JOB_COMPLETION_INDEX",
];

#[derive(Debug, clap::Args)]
pub struct TaskArgs {
    /// Job spec
    job: PathBuf,
    /// The `plan_id` that `skewer plan` printed
    #[arg(long, value_name = "PLAN_ID")]
    plan: String,
    /// Index of the task, from 0 [default: the scheduler's `SKEWER_TASK_INDEX`, `AWS_BATCH_JOB_ARRAY_INDEX` or
    /// `JOB_COMPLETION_INDEX`]
    #[arg(long, value_name = "I")]
    index: Option<usize>,
    /// Prints JSON
    #[arg(long)]
    json: bool,
}

pub fn task(args: &TaskArgs, output: &mut Output) -> Result<u8, CliError> {
    #[cfg(unix)]
    if let Some(code) = super::supervise::supervise(&args.job)? {
        return Ok(code);
    }
    let orders = Orders::of_supervisor();
    let job = read_job(&args.job)?;
    let index = match args.index {
        Some(index) => index,
        None => index_of(|name| std::env::var(name).ok())?,
    };
    let options = batch_options(orders.as_ref())?;
    let (report, _) = with_progress_ordered(orders, async |progress, cancel| {
        run_task(&job, &args.plan, index, &options, &progress, &cancel).await
    })?;
    if args.json {
        output.json_line(&report)?;
        return Ok(0);
    }
    let verb = match report.status {
        TaskStatus::Done => "done",
        TaskStatus::AlreadyDone => "was done before",
    };
    output.line(&format!(
        "task {index} {verb}: {} in, {} out, {} staged",
        units::plural(report.rows_in, "row"),
        units::count(report.rows_out),
        units::plural(report.n_parts, "part")
    ))?;
    Ok(0)
}

fn index_of(variable: impl Fn(&str) -> Option<String>) -> Result<usize, CliError> {
    let found = INDEX_VARIABLES
        .into_iter()
        .find_map(|name| Some((name, variable(name)?)));
    let Some((name, text)) = found else {
        return Err(CliError::Usage {
            message: format!(
                "--index is missing, and none of {} is set",
                INDEX_VARIABLES.join(", ")
            ),
        });
    };
    text.trim().parse().map_err(|_| CliError::Usage {
        message: format!("{name} is `{text}`, which is no index: give --index"),
    })
}

#[cfg(test)]
mod tests {
    use super::index_of;

    #[test]
    fn the_index_comes_from_the_scheduler_that_set_one() {
        let set = |wanted: &'static str, value: &'static str| {
            move |name: &str| (name == wanted).then(|| value.to_owned())
        };
        assert_eq!(index_of(set("JOB_COMPLETION_INDEX", "7")).unwrap(), 7);
        assert_eq!(index_of(set("AWS_BATCH_JOB_ARRAY_INDEX", "0")).unwrap(), 0);
        let error = index_of(set("SKEWER_TASK_INDEX", "x")).unwrap_err().to_string();
        assert!(error.contains("SKEWER_TASK_INDEX is `x`"), "{error}");
        let error = index_of(|_| None).unwrap_err().to_string();
        assert!(error.contains("--index is missing"), "{error}");
    }
}

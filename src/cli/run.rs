//! `skewer run`: the batch runner. Report on stdout, progress on stderr, the outcome as exit code.

use std::io::{IsTerminal, Write};
use std::path::PathBuf;
use std::time::{Duration, Instant};

use super::output::Output;
use super::signal::{Orders, Signalled};
use super::validate::read_job;
use serde::Serialize;

use super::{CliError, signal};
use crate::base::{Cancel, Progress, units};
use crate::job::Params;
use crate::run::{
    Journal, PartitionReport, PartitionStatus, RunError, RunOptions, RunReport, RunStatus, run as run_job,
};
use crate::storage::{Patience, StoreOptions};

#[derive(Debug, clap::Args)]
pub struct RunArgs {
    /// Job spec
    job: PathBuf,
    /// Parameter of the job: day=2020-01-01, day=2020-01-01..2020-01-07 or day=last:3
    #[arg(long = "param", value_name = "NAME=VALUE")]
    params: Vec<String>,
    /// Runs days again that are committed already, and replaces their files
    #[arg(long)]
    replace: bool,
    /// Prints the report as JSON
    #[arg(long)]
    json: bool,
}

pub fn run(args: &RunArgs, output: &mut Output) -> Result<u8, CliError> {
    #[cfg(unix)]
    if let Some(code) = super::supervise::supervise(&args.job)? {
        return Ok(code);
    }
    let orders = Orders::of_supervisor();
    let job = read_job(&args.job)?;
    let params = params(&args.params)?;
    let options = RunOptions {
        replace: args.replace,
        ..batch_options(orders.as_ref())?
    };
    let (report, signalled) = with_progress_ordered(orders, async |progress, cancel| {
        run_job(&job, &params, &options, &progress, &cancel).await
    })?;
    show(report, &signalled, args.json, output)
}

/// What schedulers read: the last line of stdout, one JSON object.
#[derive(Serialize)]
struct Summary<'a> {
    run_id: &'a str,
    job: &'a str,
    status: RunStatus,
    exit_code: i32,
    n_partitions: usize,
    /// Days that this run committed.
    n_committed: usize,
    /// Of all days, whatever became of them.
    rows_in: u64,
    /// Of the days that this run committed.
    rows_out: u64,
    rows_filtered: u64,
    rows_quarantined: u64,
    rows_merged: u64,
    rows_made: u64,
    peak_rss_bytes: Option<u64>,
}

/// Prints a report: as JSON on one line, or as a table with a summary as JSON on the last line. Returns the exit code, which
/// names the signal that ended the run, in the JSON too.
pub(super) fn show(
    mut report: RunReport,
    signalled: &Signalled,
    is_json: bool,
    output: &mut Output,
) -> Result<u8, CliError> {
    let code = exit_code(&report, signalled);
    report.exit_code = i32::from(code);
    if is_json {
        output.json_line(&report)?;
        return Ok(code);
    }
    print(&report, output)?;
    let sum = |of: fn(&PartitionReport) -> u64| report.partitions.iter().map(of).sum();
    let is_committed = |day: &&PartitionReport| day.status == PartitionStatus::Committed;
    output.json_line(&Summary {
        run_id: &report.run_id,
        job: &report.job,
        status: report.status,
        exit_code: report.exit_code,
        n_partitions: report.partitions.len(),
        n_committed: report.partitions.iter().filter(is_committed).count(),
        rows_in: sum(|day| day.rows_in),
        rows_out: report
            .partitions
            .iter()
            .filter(is_committed)
            .map(|day| day.rows_out)
            .sum(),
        rows_filtered: sum(|day| day.rows_filtered),
        rows_quarantined: sum(|day| day.rows_quarantined),
        rows_merged: sum(|day| day.rows_merged),
        rows_made: sum(|day| day.rows_made),
        peak_rss_bytes: report.peak_rss_bytes,
    })?;
    Ok(code)
}

pub(super) fn params(pairs: &[String]) -> Result<Params, CliError> {
    let split: Option<Vec<(&str, &str)>> = pairs.iter().map(|pair| pair.split_once('=')).collect();
    let usage = |message: String| CliError::Usage { message };
    let pairs = split.ok_or_else(|| usage("--param takes NAME=VALUE, such as day=2020-01-01".to_owned()))?;
    Params::parse(&pairs).map_err(|error| usage(error.to_string()))
}

/// What a batch is run with, under a supervisor or without.
pub(super) fn batch_options(orders: Option<&Orders>) -> Result<RunOptions, CliError> {
    Ok(RunOptions {
        store: StoreOptions {
            patience: Patience::of_a_batch(),
            ..StoreOptions::default()
        },
        journal: orders.map(|orders| Journal::open(orders.folder())).transpose()?,
        ..RunOptions::default()
    })
}

/// Runs `work` on a runtime of its own, with progress on stderr and signals as a cancel.
pub(super) fn with_progress<T>(
    work: impl AsyncFnOnce(Progress, Cancel) -> Result<T, RunError>,
) -> Result<(T, Signalled), CliError> {
    with_progress_ordered(None, work)
}

/// As [`with_progress`], for work that a supervisor may end too.
pub(super) fn with_progress_ordered<T>(
    orders: Option<Orders>,
    work: impl AsyncFnOnce(Progress, Cancel) -> Result<T, RunError>,
) -> Result<(T, Signalled), CliError> {
    let (result, signalled) = signal::block_on_ordered(orders, |cancel, signalled| async move {
        let progress = Progress::new();
        let ticker = tokio::spawn(show_progress(progress.clone()));
        let result = work(progress, cancel).await;
        ticker.abort();
        if std::io::stderr().is_terminal() {
            say("\r\x1b[K");
        }
        (result, signalled)
    })?;
    match result {
        Ok(value) => Ok((value, signalled)),
        Err(error) => Err(CliError::Run {
            message: error.to_string(),
            exit_code: match u8::try_from(error.exit_code()) {
                Ok(130) => signalled.code().unwrap_or(130),
                Ok(code) => code,
                Err(_) => 1,
            },
        }),
    }
}

/// A line that is drawn over on a terminal, and a line every ten seconds in a log.
async fn show_progress(progress: Progress) {
    let is_terminal = std::io::stderr().is_terminal();
    let every = if is_terminal {
        Duration::from_millis(250)
    } else {
        Duration::from_secs(10)
    };
    let started = Instant::now();
    let mut ticks = tokio::time::interval(every);
    ticks.tick().await;
    loop {
        ticks.tick().await;
        let view = progress.view();
        let of = view
            .n_total
            .map(|n| format!(" of {}", units::count(n)))
            .unwrap_or_default();
        let line = format!(
            "{} {}{of} files, {}, {}",
            view.note,
            units::count(view.n_done),
            units::bytes(view.n_bytes),
            units::seconds(started.elapsed().as_secs_f64())
        );
        if is_terminal {
            say(&format!("\r\x1b[K{line}"));
        } else {
            say(&format!("{line}\n"));
        }
    }
}

/// Progress is a courtesy: a closed stderr does not end the run.
fn say(text: &str) {
    let mut stderr = std::io::stderr();
    drop(stderr.write_all(text.as_bytes()).and_then(|()| stderr.flush()));
}

fn print(report: &RunReport, output: &mut Output) -> Result<(), CliError> {
    let rows: Vec<Vec<String>> = report
        .partitions
        .iter()
        .map(|day| {
            vec![
                day.partition.to_string(),
                word(&day.status),
                units::count(day.rows_in),
                units::count(day.rows_out),
                units::count(day.rows_filtered),
                units::count(day.rows_quarantined),
                units::count(day.n_files),
                units::count(day.parts.len() as u64),
                units::bytes(day.parts.iter().map(|part| part.bytes).sum()),
            ]
        })
        .collect();
    let heading = [
        "partition",
        "status",
        "rows in",
        "rows out",
        "filtered",
        "quarantined",
        "files",
        "parts",
        "bytes",
    ];
    output.table(&heading, &[2, 3, 4, 5, 6, 7, 8], &rows)?;
    for day in &report.partitions {
        if let Some(message) = &day.message {
            output.line(&format!("{}: {message}", day.partition))?;
        }
        for (name, unknown) in &day.drift.unknown {
            output.line(&format!(
                "{}: key `{name}` is not in the schema: {}, first at {}:{}",
                day.partition,
                units::plural(unknown.n, "record"),
                unknown.first_object,
                unknown.first_line
            ))?;
        }
    }
    output.line(&format!("run {}: {}", report.run_id, word(&report.status)))
}

fn exit_code(report: &RunReport, signalled: &Signalled) -> u8 {
    match u8::try_from(report.exit_code) {
        Ok(130) => signalled.code().unwrap_or(130),
        Ok(code) => code,
        Err(_) => 1,
    }
}

/// The word that the JSON report has for a status.
pub(super) fn word(status: &impl serde::Serialize) -> String {
    match serde_json::to_value(status) {
        Ok(serde_json::Value::String(word)) => word,
        _ => String::new(),
    }
}

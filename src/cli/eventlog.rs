//! `skewer eventlog`: why a Spark application took so long, from its event log; also what one of our own runs did.

use std::path::Path;

use serde::Serialize;

use super::output::Output;
use super::{CliError, ConnectionArgs, eventlog_compare, signal};
use crate::base::{Cancel, Progress, units};
use crate::explore::{RunDelta, RunLog, open_run_log};
use crate::profile::events::{
    ApplicationDelta, ApplicationProfile, Measure, OwnDelta, OwnRun, OwnSeconds, StageKey, StageProfile,
    Verdict,
};
use crate::storage::{Connection, Location};

#[derive(Debug, clap::Args)]
pub struct EventlogArgs {
    /// Event log (a file, or the folder of a rolling one), or the report of a run; a path or s3:// place
    path: String,
    #[command(flatten)]
    connection: ConnectionArgs,
    /// Tells one stage in full
    #[arg(long, value_name = "ID")]
    stage: Option<u64>,
    /// The log of the same application, or the report of a run, before a change: tells what differs
    #[arg(long, value_name = "PATH")]
    against: Option<String>,
    /// Prints JSON
    #[arg(long)]
    json: bool,
}

#[derive(Serialize)]
struct Answer<'a, T, D> {
    #[serde(flatten)]
    log: &'a T,
    /// Against the log of before.
    #[serde(skip_serializing_if = "Option::is_none")]
    comparison: Option<&'a D>,
    /// What was asked for and is not here, because of a cancel.
    #[serde(skip_serializing_if = "<[String]>::is_empty")]
    left_out: &'a [String],
}

/// How much is told, and how.
#[derive(Clone, Copy)]
struct Shown<'a> {
    stage: Option<u64>,
    is_json: bool,
    /// What was asked for and is not here, because of a cancel.
    left_out: &'a [String],
}

/// Stages in the table; the JSON has all.
const MAX_STAGES: usize = 20;
/// Findings that are told in full.
const MAX_FINDINGS: usize = 10;
const MAX_SLOWEST: usize = 10;

pub fn eventlog(args: EventlogArgs, output: &mut Output) -> Result<u8, CliError> {
    let connection: Connection = args.connection.into();
    let (log, before, left_out, code) = signal::block_on(|cancel, signalled| async move {
        let log = open(&args.path, &connection, &cancel).await?;
        let (mut before, mut left_out) = (None, Vec::new());
        if let Some(path) = &args.against {
            let read = open(path, &connection, &cancel).await;
            // Part of a log differs from another in what was not read.
            if cancel.is_cancelled() {
                left_out.push(format!("the comparison with {path}"));
            } else {
                before = Some(read?);
            }
        }
        Ok::<_, CliError>((log, before, left_out, signalled.code().unwrap_or(0)))
    })??;
    let delta = before.map(|before| log.against(&before)).transpose()?;
    let shown = Shown {
        stage: args.stage,
        is_json: args.json,
        left_out: &left_out,
    };
    match (log, delta) {
        (RunLog::Own(_), _) if args.stage.is_some() => Err(CliError::Usage {
            message: "--stage is for Spark event logs, and this is the report of a run".to_owned(),
        }),
        (RunLog::Own(run), delta) => own_answer(&run, delta.as_ref(), shown, output),
        (RunLog::Spark(run), delta) => spark_answer(run.profile, delta.as_ref(), shown, output),
    }?;
    Ok(code)
}

fn own_answer(
    run: &OwnRun,
    delta: Option<&RunDelta>,
    shown: Shown<'_>,
    output: &mut Output,
) -> Result<(), CliError> {
    if shown.is_json {
        let comparison: Option<&OwnDelta> = match delta {
            Some(RunDelta::Own(delta)) => Some(delta),
            _ => None,
        };
        return output.json(&Answer {
            log: run,
            comparison,
            left_out: shown.left_out,
        });
    }
    own_run(run, output)?;
    output.left_out(shown.left_out)?;
    delta.map_or(Ok(()), |delta| eventlog_compare::comparison(delta, output))
}

fn spark_answer(
    mut profile: ApplicationProfile,
    delta: Option<&RunDelta>,
    shown: Shown<'_>,
    output: &mut Output,
) -> Result<(), CliError> {
    if let Some(id) = shown.stage {
        let ids: Vec<String> = profile.stages.iter().map(|stage| stage.id.to_string()).collect();
        profile.stages.retain(|stage| stage.id == id);
        if profile.stages.is_empty() {
            return Err(CliError::Usage {
                message: format!("no stage {id} in this log: it has {}", ids.join(", ")),
            });
        }
    }
    if shown.is_json {
        let comparison: Option<&ApplicationDelta> = match delta {
            Some(RunDelta::Spark(delta)) => Some(delta),
            _ => None,
        };
        return output.json(&Answer {
            log: &profile,
            comparison,
            left_out: shown.left_out,
        });
    }
    head(&profile, output)?;
    output.left_out(shown.left_out)?;
    if let Some(delta) = delta {
        eventlog_compare::comparison(delta, output)?;
    }
    if shown.stage.is_some() {
        for stage in &profile.stages {
            finding(stage, output)?;
            detail(stage, output)?;
        }
    } else {
        stages(&profile, output)?;
    }
    Ok(())
}

async fn open(path: &str, connection: &Connection, cancel: &Cancel) -> Result<RunLog, CliError> {
    let location = Location::resolve(path, Path::new(""))?;
    Ok(open_run_log(&location, connection, &Progress::new(), cancel).await?)
}

fn seconds(secs: Option<f64>) -> String {
    units::or_dash(secs, units::seconds)
}

fn percent(share: Option<f64>) -> String {
    units::or_dash(share, units::percent)
}

/// What the log tells, or that it does not.
fn known(text: &str) -> &str {
    if text.is_empty() { "not told" } else { text }
}

fn head(profile: &ApplicationProfile, output: &mut Output) -> Result<(), CliError> {
    let headline = &profile.headline;
    output.line(&format!(
        "{} ({}), Spark {}",
        profile.title(),
        known(&profile.id),
        known(&profile.spark_version)
    ))?;
    output.line(&format!(
        "{}: {}, {}, {} on {}, {}",
        units::seconds(headline.wall_seconds),
        units::plural(headline.n_jobs, "job"),
        units::plural(headline.n_stages, "stage"),
        units::plural(headline.n_tasks, "task"),
        units::plural(headline.n_executors, "executor"),
        units::plural(headline.n_slots, "slot"),
    ))?;
    output.line(&format!(
        "stragglers {}   idle {}   GC {}   read {}   shuffled {}   spilled {}   failed tasks {}",
        units::seconds(headline.straggler_seconds),
        percent(headline.idle_share),
        percent(headline.gc_share),
        units::bytes(headline.n_bytes_in),
        units::bytes(headline.n_bytes_shuffled),
        units::bytes(headline.n_bytes_spilled),
        units::count(headline.n_failed_tasks),
    ))?;
    if !profile.accuracy.is_exact() {
        output.line(&format!("figures: {}", profile.accuracy))?;
    }
    for note in &profile.reading.notes {
        output.line(&format!("note: {note}"))?;
    }
    Ok(())
}

fn stages(profile: &ApplicationProfile, output: &mut Output) -> Result<(), CliError> {
    if profile.stages.is_empty() {
        return output.line("no task has ended in what was read, so there is no stage to tell of");
    }
    let rows: Vec<Vec<String>> = profile.stages.iter().take(MAX_STAGES).map(row).collect();
    output.line("")?;
    output.table(
        &[
            "stage",
            "cost",
            "wall",
            "tasks",
            "max/median",
            "verdict",
            "key",
            "hot partition",
            "name",
        ],
        &[0, 1, 2, 3, 4],
        &rows,
    )?;
    if profile.stages.len() > MAX_STAGES {
        let n = (profile.stages.len() - MAX_STAGES) as u64;
        output.line(&format!(
            "and {} that cost less; --json has all",
            units::plural(n, "stage")
        ))?;
    }
    let told = profile
        .stages
        .iter()
        .filter(|stage| stage.finding.code != Verdict::Even)
        .take(MAX_FINDINGS);
    for stage in told {
        finding(stage, output)?;
    }
    Ok(())
}

fn row(stage: &StageProfile) -> Vec<String> {
    let hot = stage.hot_partition.as_ref().map_or_else(String::new, |hot| {
        format!("{} ({})", hot.partition, units::percent(hot.share()))
    });
    let harmless = if stage.finding.is_harmless {
        ", harmless"
    } else {
        ""
    };
    let ratio = stage.run_ms.max_over_median;
    vec![
        stage_name(stage),
        seconds(stage.cost_seconds()),
        seconds(stage.wall_seconds),
        units::count(stage.outcomes.n_success),
        ratio.map_or_else(|| "–".to_owned(), |ratio| format!("{ratio:.1}")),
        format!("{}{harmless}", stage.finding.code.words()),
        stage.key.as_ref().map_or_else(String::new, StageKey::text),
        hot,
        stage.name.clone(),
    ]
}

/// `3`, or `3.1` for its second attempt.
fn stage_name(stage: &StageProfile) -> String {
    match stage.attempt {
        0 => stage.id.to_string(),
        attempt => format!("{}.{attempt}", stage.id),
    }
}

fn finding(stage: &StageProfile, output: &mut Output) -> Result<(), CliError> {
    let finding = &stage.finding;
    output.line(&format!(
        "\n[{}] stage {}, {}: {}",
        finding.severity.word(),
        stage_name(stage),
        finding.code.words(),
        finding.title
    ))?;
    output.line(&format!("  {}", finding.message))?;
    if !finding.remedy.is_empty() {
        output.line(&format!("  → {}", finding.remedy))?;
    }
    for warning in &stage.warnings {
        output.line(&format!("  ! {warning}"))?;
    }
    Ok(())
}

fn detail(stage: &StageProfile, output: &mut Output) -> Result<(), CliError> {
    let outcomes = &stage.outcomes;
    output.line(&format!(
        "\n{} succeeded, {} failed, {} killed, {} speculative, {} unfinished; {} lost",
        units::plural(outcomes.n_success, "task"),
        outcomes.n_failed,
        outcomes.n_killed,
        outcomes.n_speculative,
        outcomes.n_unfinished,
        units::seconds(outcomes.lost_seconds)
    ))?;
    let rows: Vec<Vec<String>> = stage
        .measures()
        .iter()
        .filter(|measure| measure.spread.total > 0)
        .map(quantiles)
        .collect();
    output.line("")?;
    let heads = ["task", "min", "p25", "median", "p75", "p99", "max", "total"];
    output.table(&heads, &[1, 2, 3, 4, 5, 6, 7], &rows)?;
    let executors: Vec<Vec<String>> = stage
        .executors
        .iter()
        .map(|executor| {
            vec![
                executor.executor.clone(),
                executor.host.clone(),
                units::count(executor.n_tasks),
                units::seconds(executor.run_seconds),
                seconds(executor.idle_seconds),
                units::seconds(executor.gc_seconds),
                units::bytes(executor.n_bytes),
            ]
        })
        .collect();
    output.line("")?;
    let heads = ["executor", "host", "tasks", "run", "idle", "GC", "data"];
    output.table(&heads, &[2, 3, 4, 5, 6], &executors)?;
    let slowest: Vec<Vec<String>> = stage
        .slowest
        .iter()
        .take(MAX_SLOWEST)
        .map(|task| {
            vec![
                task.task.to_string(),
                task.partition.to_string(),
                units::seconds(task.run_seconds),
                units::bytes(task.n_bytes),
                units::count(task.n_records),
                task.executor.clone(),
                task.host.clone(),
            ]
        })
        .collect();
    output.line("")?;
    let heads = [
        "slowest task",
        "partition",
        "run",
        "data",
        "records",
        "executor",
        "host",
    ];
    output.table(&heads, &[0, 1, 2, 3, 4], &slowest)
}

fn quantiles(measure: &Measure<'_>) -> Vec<String> {
    std::iter::once(measure.name.to_owned())
        .chain(
            measure
                .spread
                .values()
                .into_iter()
                .map(|value| measure.unit.text(value)),
        )
        .collect()
}

/// Seconds of each stage of work over all days.
fn own_stages(run: &OwnRun, output: &mut Output) -> Result<(), CliError> {
    let seconds = run.seconds();
    let all = seconds.total();
    let rows: Vec<Vec<String>> = seconds
        .stages()
        .iter()
        .map(|(name, seconds)| {
            let share = (all > 0.0).then(|| seconds / all);
            vec![(*name).to_owned(), units::seconds(*seconds), percent(share)]
        })
        .collect();
    output.line("")?;
    output.table(&["stage of work", "time", "share"], &[1, 2], &rows)?;
    output.line(OwnSeconds::NOTE)
}

/// What the run took, its books, and what its reader must know.
fn own_head(run: &OwnRun, output: &mut Output) -> Result<(), CliError> {
    output.line(&format!(
        "run {} of {}: {}",
        run.run_id,
        run.job,
        run.status.replace('_', " ")
    ))?;
    let nothing_new = run.nothing_new();
    let n_files: u64 = run.partitions.iter().map(|day| day.n_files).sum();
    let mut facts = vec![units::plural(run.partitions.len() as u64, "day")];
    facts.push(match nothing_new {
        Some(_) => format!("none of {} read", units::plural(n_files, "file")),
        None => format!(
            "{} of {}",
            units::bytes(run.n_bytes_in()),
            units::plural(n_files, "file")
        ),
    });
    facts.extend(
        Some(run.n_workers())
            .filter(|n| *n > 0)
            .map(|n| units::plural(n, "worker")),
    );
    facts.extend(
        run.wall_seconds
            .map(|wall| format!("{} on the clock", units::seconds(wall))),
    );
    facts.push(format!("{} of work", units::seconds(run.seconds().total())));
    facts.extend(
        run.peak_rss_bytes
            .map(|bytes| format!("peak memory {}", units::bytes(bytes))),
    );
    output.line(&facts.join(", "))?;
    if let Some(nothing_new) = nothing_new {
        output.line(&nothing_new)?;
    }
    let (books, ended) = run.books();
    let balance = match books.n_unaccounted() {
        0 => "the books balance".to_owned(),
        n => format!("{n} are not accounted for"),
    };
    output.line(&format!("rows: {}; {balance}", books.text()))?;
    if run.n_ended() > 0 {
        output.line(&format!(
            "and {} in of {} without a result",
            units::plural(ended.rows_in, "row"),
            units::plural(run.n_ended(), "day")
        ))?;
    }
    for warning in &run.warnings {
        output.line(&format!("note: {warning}"))?;
    }
    for day in run.partitions.iter().filter(|day| !day.is_in_table()) {
        let message = day.message.as_deref().unwrap_or("no reason is told");
        output.line(&format!(
            "{} {}: {message}",
            day.partition,
            day.status.replace('_', " ")
        ))?;
    }
    Ok(())
}

fn own_run(run: &OwnRun, output: &mut Output) -> Result<(), CliError> {
    own_head(run, output)?;
    own_stages(run, output)?;
    let rows: Vec<Vec<String>> = run
        .partitions
        .iter()
        .map(|day| {
            let times = day.seconds.stages().map(|(_, secs)| units::seconds(secs));
            let mut cells = vec![
                day.partition.clone(),
                day.status.replace('_', " "),
                units::count(day.n_files),
                units::bytes(day.bytes_read()),
                units::count(day.rows_kept()),
            ];
            cells.extend(times);
            cells
        })
        .collect();
    output.line("")?;
    let heads = [
        "day",
        "status",
        "files",
        "bytes",
        "rows",
        "list",
        "fetch",
        "decode",
        "transform",
        "encode",
        "commit",
    ];
    output.table(&heads, &[2, 3, 4, 5, 6, 7, 8, 9, 10], &rows)?;
    let slowest: Vec<Vec<String>> = run
        .slowest_files()
        .into_iter()
        .take(MAX_SLOWEST)
        .map(|(day, file)| {
            vec![
                units::seconds(file.seconds),
                units::bytes(file.n_bytes),
                day.to_owned(),
                file.key.clone(),
            ]
        })
        .collect();
    if !slowest.is_empty() {
        output.line("")?;
        output.table(&["decoding", "bytes", "day", "slowest file"], &[0, 1], &slowest)?;
    }
    Ok(())
}

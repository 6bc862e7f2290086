//! `skewer eventlog`: why a Spark application took so long, from its event log; also what one of our own runs did.

use std::path::Path;

use serde::Serialize;

use super::output::Output;
use super::{CliError, ConnectionArgs, signal};
use crate::base::{Cancel, Progress, units};
use crate::explore::{RunLog, SparkRun, open_run_log};
use crate::profile::events::{
    ApplicationDelta, ApplicationProfile, Measure, OwnRun, StageKey, StageProfile, Verdict, compare,
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
    /// The log of the same application before a change, to compare with
    #[arg(long, value_name = "PATH")]
    against: Option<String>,
    /// Prints JSON
    #[arg(long)]
    json: bool,
}

#[derive(Serialize)]
struct Answer {
    #[serde(flatten)]
    profile: ApplicationProfile,
    /// Against the log of before.
    #[serde(skip_serializing_if = "Option::is_none")]
    comparison: Option<ApplicationDelta>,
    /// What was asked for and is not here, because of a cancel.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    left_out: Vec<String>,
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
    let is_compared = before.is_some() || !left_out.is_empty();
    let before = before.map(spark).transpose()?;
    let mut profile = match log {
        RunLog::Spark(run) => run.profile,
        RunLog::Own(_) if is_compared || args.stage.is_some() => return Err(not_spark()),
        RunLog::Own(run) if args.json => {
            output.json(&run)?;
            return Ok(0);
        }
        RunLog::Own(run) => {
            own_run(&run, output)?;
            return Ok(0);
        }
    };
    let comparison = before.map(|before| compare(&before.profile, &profile));
    if let Some(id) = args.stage {
        let ids: Vec<String> = profile.stages.iter().map(|stage| stage.id.to_string()).collect();
        profile.stages.retain(|stage| stage.id == id);
        if profile.stages.is_empty() {
            return Err(CliError::Usage {
                message: format!("no stage {id} in this log: it has {}", ids.join(", ")),
            });
        }
    }
    if args.json {
        output.json(&Answer {
            profile,
            comparison,
            left_out,
        })?;
        return Ok(code);
    }
    head(&profile, output)?;
    if !left_out.is_empty() {
        output.line(&format!("partial: cancelled before {}", left_out.join(" and ")))?;
    }
    if let Some(delta) = &comparison {
        comparison_table(delta, output)?;
    }
    if args.stage.is_some() {
        for stage in &profile.stages {
            finding(stage, output)?;
            detail(stage, output)?;
        }
    } else {
        stages(&profile, output)?;
    }
    Ok(code)
}

async fn open(path: &str, connection: &Connection, cancel: &Cancel) -> Result<RunLog, CliError> {
    let location = Location::resolve(path, Path::new(""))?;
    Ok(open_run_log(&location, connection, &Progress::new(), cancel).await?)
}

fn spark(log: RunLog) -> Result<Box<SparkRun>, CliError> {
    match log {
        RunLog::Spark(run) => Ok(run),
        RunLog::Own(_) => Err(not_spark()),
    }
}

fn not_spark() -> CliError {
    CliError::Usage {
        message: "--stage and --against are for Spark event logs, and this is the report of a run".to_owned(),
    }
}

fn seconds(secs: Option<f64>) -> String {
    units::or_dash(secs, units::seconds)
}

fn percent(share: Option<f64>) -> String {
    units::or_dash(share, units::percent)
}

fn head(profile: &ApplicationProfile, output: &mut Output) -> Result<(), CliError> {
    let headline = &profile.headline;
    output.line(&format!(
        "{} ({}), Spark {}",
        profile.name, profile.id, profile.spark_version
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
        let share = hot.share_records.or(hot.share_bytes);
        format!("{} ({})", hot.partition, percent(share))
    });
    let harmless = if stage.finding.is_harmless {
        ", harmless"
    } else {
        ""
    };
    let ratio = stage.run_ms.max_over_median;
    vec![
        stage_name(stage),
        seconds(stage.straggler_seconds),
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

/// A difference with its sign.
fn change(secs: f64) -> String {
    let sign = if secs < 0.0 { "−" } else { "+" };
    format!("{sign}{}", units::seconds(secs.abs()))
}

fn comparison_table(delta: &ApplicationDelta, output: &mut Output) -> Result<(), CliError> {
    output.line(&format!(
        "\nagainst the log of before: wall {} ({} → {}), stragglers {}",
        change(delta.wall_seconds),
        units::seconds(delta.before.wall_seconds),
        units::seconds(delta.after.wall_seconds),
        change(delta.straggler_seconds)
    ))?;
    if delta.n_only_before + delta.n_only_after > 0 {
        output.line(&format!(
            "{} stages only before, {} only after",
            delta.n_only_before, delta.n_only_after
        ))?;
    }
    let rows: Vec<Vec<String>> = delta
        .stages
        .iter()
        .take(MAX_STAGES)
        .map(|stage| {
            vec![
                stage.before_stage.to_string(),
                stage.after_stage.to_string(),
                change(stage.wall_seconds),
                change(stage.straggler_seconds),
                format!("{} → {}", stage.before.words(), stage.after.words()),
                stage.name.clone(),
            ]
        })
        .collect();
    let heads = ["stage before", "after", "wall", "cost", "verdict", "name"];
    output.table(&heads, &[0, 1, 2, 3], &rows)
}

fn own_run(run: &OwnRun, output: &mut Output) -> Result<(), CliError> {
    output.line(&format!(
        "run {} of {}: {}",
        run.run_id,
        run.job,
        run.status.replace('_', " ")
    ))?;
    let mut facts = vec![
        units::plural(run.partitions.len() as u64, "day"),
        format!("{} read", units::bytes(run.n_bytes_in())),
        format!("{} of work", units::seconds(run.seconds().total())),
    ];
    facts.extend(
        run.peak_rss_bytes
            .map(|bytes| format!("peak memory {}", units::bytes(bytes))),
    );
    output.line(&facts.join(", "))?;
    let rows: Vec<Vec<String>> = run
        .partitions
        .iter()
        .map(|day| {
            let times = day.seconds.stages().map(|(_, secs)| units::seconds(secs));
            let mut cells = vec![
                day.partition.clone(),
                day.status.replace('_', " "),
                units::count(day.n_files),
                units::bytes(day.n_bytes_in),
                units::count(day.rows_out),
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

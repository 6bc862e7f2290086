//! What `skewer eventlog --against` tells: two logs of Spark, or two reports of ours, side by side.

use super::CliError;
use super::output::Output;
use crate::base::units;
use crate::explore::RunDelta;
use crate::profile::events::{ApplicationDelta, OwnDelta, Paired, SettingDelta, StageSeen};

/// Lines of each table; the JSON has all.
const MAX_LINES: usize = 20;

pub fn comparison(delta: &RunDelta, output: &mut Output) -> Result<(), CliError> {
    match delta {
        RunDelta::Spark(delta) => applications(delta, output),
        RunDelta::Own(delta) => runs(delta, output),
    }
}

fn applications(delta: &ApplicationDelta, output: &mut Output) -> Result<(), CliError> {
    output.line("\nagainst the log of before")?;
    notes(&delta.notes, output)?;
    pairs("", &delta.totals, output)?;
    let rows: Vec<Vec<String>> = delta
        .stages
        .iter()
        .take(MAX_LINES)
        .map(|stage| {
            let cost = Paired::time("cost", Some(0.0), Some(stage.straggler_seconds));
            vec![
                stage.before_stage.to_string(),
                stage.after_stage.to_string(),
                units::seconds(stage.before_wall_seconds),
                units::seconds(stage.after_wall_seconds),
                stage.wall().change_text(),
                cost.change_text(),
                format!("{} → {}", stage.before.words(), stage.after.words()),
                stage.name.clone(),
            ]
        })
        .collect();
    if !rows.is_empty() {
        output.line("")?;
        let heads = [
            "stage before",
            "after",
            "wall before",
            "after",
            "wall",
            "cost",
            "verdict",
            "name",
        ];
        output.table(&heads, &[0, 1, 2, 3, 4, 5], &rows)?;
        more(delta.stages.len(), "stage", output)?;
    }
    for (word, stages) in [("before", &delta.only_before), ("after", &delta.only_after)] {
        for stage in stages.iter().take(MAX_LINES) {
            let wall = units::seconds(stage.wall_seconds);
            output.line(&format!(
                "only {word}: stage {}, {wall}, {}",
                stage.stage, stage.name
            ))?;
        }
        more(stages.len(), "stage", output)?;
    }
    for (word, stages) in [("new", &delta.appeared), ("no longer", &delta.gone)] {
        for stage in stages.iter().take(MAX_LINES) {
            output.line(&format!("{word}: {}", verdict(stage)))?;
        }
    }
    settings(&delta.configuration, output)
}

fn verdict(stage: &StageSeen) -> String {
    let harmless = if stage.is_harmless { ", harmless" } else { "" };
    format!(
        "stage {}, {}{harmless}: {}",
        stage.stage,
        stage.verdict.words(),
        stage.title
    )
}

fn runs(delta: &OwnDelta, output: &mut Output) -> Result<(), CliError> {
    output.line(&format!("\nagainst run {}", delta.before_run))?;
    notes(&delta.notes, output)?;
    pairs("", &delta.totals, output)?;
    pairs("stage of work", &delta.stages, output)?;
    let rows: Vec<Vec<String>> = delta
        .days
        .iter()
        .take(MAX_LINES)
        .map(|day| {
            let status = if day.before_status == day.after_status {
                day.after_status.clone()
            } else {
                format!("{} → {}", day.before_status, day.after_status)
            };
            vec![
                day.partition.clone(),
                units::seconds(day.before_seconds),
                units::seconds(day.after_seconds),
                day.work().change_text(),
                units::count(day.rows_after),
                status.replace('_', " "),
            ]
        })
        .collect();
    if !rows.is_empty() {
        output.line("")?;
        let heads = ["day", "work before", "after", "change", "rows", "status"];
        output.table(&heads, &[1, 2, 3, 4], &rows)?;
        more(delta.days.len(), "day", output)?;
    }
    for (word, days) in [("before", &delta.only_before), ("after", &delta.only_after)] {
        if !days.is_empty() {
            output.line(&format!("only {word}: {}", days.join(", ")))?;
        }
    }
    for (word, texts) in [("new", &delta.appeared), ("no longer", &delta.gone)] {
        for text in texts {
            output.line(&format!("{word}: {text}"))?;
        }
    }
    settings(&delta.configuration, output)
}

fn notes(notes: &[String], output: &mut Output) -> Result<(), CliError> {
    for note in notes {
        output.line(&format!("note: {note}"))?;
    }
    Ok(())
}

fn pairs(title: &str, pairs: &[Paired], output: &mut Output) -> Result<(), CliError> {
    let rows: Vec<Vec<String>> = pairs
        .iter()
        .filter(|pair| pair.is_known())
        .map(|pair| {
            vec![
                pair.name.to_owned(),
                pair.text(pair.before),
                pair.text(pair.after),
                pair.change_text(),
            ]
        })
        .collect();
    output.line("")?;
    output.table(&[title, "before", "after", "change"], &[1, 2, 3], &rows)
}

fn settings(settings: &[SettingDelta], output: &mut Output) -> Result<(), CliError> {
    if settings.is_empty() {
        return Ok(());
    }
    let value = |value: &Option<String>| value.clone().unwrap_or_else(|| "not set".to_owned());
    let rows: Vec<Vec<String>> = settings
        .iter()
        .map(|setting| {
            vec![
                setting.name.clone(),
                value(&setting.before),
                value(&setting.after),
            ]
        })
        .collect();
    output.line("")?;
    output.table(&["configuration", "before", "after"], &[], &rows)
}

/// Says how many were left out.
fn more(n: usize, noun: &str, output: &mut Output) -> Result<(), CliError> {
    let Some(n_more) = n.checked_sub(MAX_LINES).filter(|n| *n > 0) else {
        return Ok(());
    };
    let more = units::plural(n_more as u64, noun);
    output.line(&format!("and {more} more; --json has all"))
}

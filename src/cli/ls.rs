//! `skewer ls`: partitions with files, bytes and modification times, from one listing.

use chrono::{DateTime, SecondsFormat, Utc};
use serde::Serialize;

use super::output::Output;
use super::{CliError, ConnectionArgs, data, signal};
use crate::base::{Accuracy, units};
use crate::storage::PartitionStats;

#[derive(Debug, clap::Args)]
pub struct LsArgs {
    /// Folder or s3:// prefix
    location: String,
    #[command(flatten)]
    connection: ConnectionArgs,
    /// Prints JSON
    #[arg(long)]
    json: bool,
}

#[derive(Serialize)]
struct Row<'a> {
    /// Only where the location holds several datasets.
    #[serde(skip_serializing_if = "Option::is_none")]
    dataset: Option<&'a str>,
    #[serde(flatten)]
    stats: &'a PartitionStats,
}

#[derive(Serialize)]
struct Answer<'a> {
    location: String,
    /// Partial where a cancel cut the listing.
    accuracy: Accuracy,
    partitions: Vec<Row<'a>>,
}

pub fn ls(args: LsArgs, output: &mut Output) -> Result<u8, CliError> {
    let connection = args.connection.into();
    let (listed, code) = signal::block_on(|cancel, signalled| async move {
        let listed = data::list_some(&args.location, &connection, &cancel).await?;
        let code = signalled.code().filter(|_| listed.is_partial);
        Ok::<_, CliError>((listed, code.unwrap_or(0)))
    })??;
    let has_several = listed.inventory.datasets().count() > 1;
    let rows = listed.inventory.datasets().flat_map(|dataset| {
        let name = has_several.then_some(dataset.prefix.as_str());
        dataset
            .partitions
            .values()
            .map(move |stats| Row { dataset: name, stats })
    });
    let answer = Answer {
        location: listed.location.to_string(),
        accuracy: listed.accuracy(),
        partitions: rows.collect(),
    };
    if args.json {
        output.json(&answer)?;
        return Ok(code);
    }
    if answer.partitions.is_empty() {
        listed.dataset(None)?;
    }
    let rows: Vec<Vec<String>> = answer
        .partitions
        .iter()
        .map(|row| {
            vec![
                format!("{}{}", row.dataset.unwrap_or_default(), row.stats.partition),
                units::count(row.stats.n_files),
                units::bytes(row.stats.n_bytes),
                time(row.stats.first_modified),
                time(row.stats.last_modified),
            ]
        })
        .collect();
    output.table(
        &["partition", "files", "bytes", "first modified", "last modified"],
        &[1, 2],
        &rows,
    )?;
    output.line(&format!(
        "{}, {}, {}",
        units::plural(rows.len() as u64, "partition"),
        units::plural(listed.inventory.n_files(), "file"),
        units::bytes(listed.inventory.n_bytes())
    ))?;
    if let Some(text) = listed.partial_text() {
        output.line(&text)?;
    }
    Ok(code)
}

fn time(at: Option<DateTime<Utc>>) -> String {
    at.map_or_else(String::new, |at| at.to_rfc3339_opts(SecondsFormat::Secs, true))
}

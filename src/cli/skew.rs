//! `skewer skew`: how unevenly a dataset is spread over its partitions, from one listing, in figures and words.
//!
//! With `--by` it is the skew of a key, which `skew_keys` tells.

use serde::Serialize;

use super::output::Output;
use super::skew_keys::{self, KeyArgs, KeyRequest};
use super::{CliError, ConnectionArgs, data, signal};
use crate::base::units;
use crate::profile::{CostModel, Finding, SkewMetrics, partition_skew};
use crate::storage::{Connection, PartitionStats};

#[derive(Debug, clap::Args)]
pub struct SkewArgs {
    /// Folder or s3:// prefix
    location: String,
    #[command(flatten)]
    connection: ConnectionArgs,
    #[command(flatten)]
    keys: KeyArgs,
    /// Tasks that run at the same time, for costs
    #[arg(long, default_value_t = CostModel::default().slots, value_name = "N")]
    slots: u32,
    /// Prints JSON
    #[arg(long)]
    json: bool,
}

#[derive(Serialize)]
struct Answer<'a> {
    location: String,
    metrics: &'a SkewMetrics,
    partitions: Vec<&'a PartitionStats>,
    findings: &'a [Finding],
    costs: CostModel,
}

pub fn skew(args: SkewArgs, output: &mut Output) -> Result<u8, CliError> {
    let connection: Connection = args.connection.into();
    let costs = CostModel {
        slots: args.slots.max(1),
        ..CostModel::default()
    };
    if args.keys.is_wanted() {
        return skew_keys::key_skew(
            KeyRequest {
                location: args.location,
                connection,
                costs,
                keys: args.keys,
                is_json: args.json,
            },
            output,
        );
    }
    let listed =
        signal::block_on(|cancel, _| async move { data::list(&args.location, &connection, &cancel).await })??;
    let dataset = listed.dataset(None)?;
    let skew = partition_skew(dataset, &costs);
    let answer = Answer {
        location: listed.location.join(&dataset.prefix).to_string(),
        metrics: &skew.metrics,
        partitions: dataset.partitions.values().collect(),
        findings: &skew.findings,
        costs,
    };
    if args.json {
        output.json(&answer)?;
        return Ok(0);
    }
    let metrics = answer.metrics;
    let ratio = |value: Option<f64>| value.map_or_else(|| "–".to_owned(), |value| format!("{value:.2}"));
    output.line(&format!(
        "{} in {}, {}",
        units::bytes(metrics.n_bytes),
        units::plural(metrics.n_files, "file"),
        units::plural(metrics.n_partitions, "partition")
    ))?;
    let figures = [
        ("max / mean", metrics.max_over_mean),
        ("max / median", metrics.max_over_median),
        ("p99 / p50", metrics.p99_over_p50),
        ("CV", metrics.cv),
        ("Gini", metrics.gini),
        ("effective partitions", metrics.effective_partitions),
    ];
    for (name, value) in figures {
        output.line(&format!("  {name:<22}{:>10}", ratio(value)))?;
    }
    print_findings(answer.findings, output)?;
    Ok(0)
}

/// Prints findings, each with what to do about it.
pub fn print_findings(findings: &[Finding], output: &mut Output) -> Result<(), CliError> {
    for finding in findings {
        output.line(&format!("\n[{}] {}", severity_word(finding), finding.title))?;
        output.line(&format!("  {}", finding.message))?;
        if !finding.remedy.is_empty() {
            output.line(&format!("  → {}", finding.remedy))?;
        }
    }
    Ok(())
}

fn severity_word(finding: &Finding) -> &'static str {
    use crate::profile::Severity;
    match finding.severity {
        Severity::Good => "good",
        Severity::Note => "note",
        Severity::Warn => "warn",
        Severity::Bad => "bad",
    }
}

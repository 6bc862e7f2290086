//! `skewer skew`: how unevenly a dataset is spread over its partitions, from one listing, in figures and words.
//!
//! With `--by` it is the skew of a key, which `skew_keys` tells.

use std::collections::BTreeMap;
use std::path::PathBuf;

use serde::Serialize;

use super::data::Listed;
use super::output::Output;
use super::report::{self, ListingPage, Report};
use super::skew_keys::{self, KeyArgs, KeyRequest};
use super::{CliError, ConnectionArgs, data, signal};
use crate::base::{Accuracy, Cancel, Progress, units};
use crate::explore::{RowPlan, count_partitions};
use crate::profile::{
    CostModel, FigureLine, Finding, MIN_SAMPLES, PartitionSkew, RangeComparison, RowCount, RowCounts,
    Severity, SkewMetrics, SplitForecast, WeekdayOutlier, Weekdays, compare_ranges, partition_skew,
};
use crate::storage::{Connection, DatasetKeys, DateRange, PartitionStats};

#[derive(Debug, clap::Args)]
pub struct SkewArgs {
    /// Folder or s3:// prefix
    location: String,
    #[command(flatten)]
    connection: ConnectionArgs,
    #[command(flatten)]
    keys: KeyArgs,
    /// Dates to look at: 2020-01-01..2020-01-31, 2020-01-01.., 2020-01 or 2020
    #[arg(long, value_name = "DATES")]
    range: Option<DateRange>,
    /// Dates to compare with; without --range, all others are compared with them
    #[arg(long, value_name = "DATES")]
    against: Option<DateRange>,
    /// Counts rows: exact from Parquet footers, estimated from some JSON Lines files
    #[arg(long)]
    rows: bool,
    #[command(flatten)]
    costs: CostArgs,
    /// Also writes a page with findings, charts and tables: one HTML file that needs no network
    #[arg(long, value_name = "FILE")]
    report: Option<PathBuf>,
    /// Prints JSON
    #[arg(long)]
    json: bool,
}

/// A number above 0 that is finite.
fn positive(text: &str) -> Result<f64, String> {
    match text.parse::<f64>() {
        Ok(number) if number > 0.0 && number.is_finite() => Ok(number),
        _ => Err("give a number above 0, such as 100".to_owned()),
    }
}

/// Assumptions behind costs.
#[derive(Debug, Clone, Copy, clap::Args)]
pub struct CostArgs {
    /// Tasks that run at the same time, for costs
    #[arg(long, default_value_t = CostModel::default().slots, value_name = "N", value_parser = clap::value_parser!(u32).range(1..))]
    slots: u32,
    /// Megabytes that a slot moves in a second, for costs
    #[arg(long, default_value_t = CostModel::default().bytes_per_second / 1e6, value_name = "MB", value_parser = positive)]
    mb_per_second: f64,
    /// Milliseconds that a request takes, for costs
    #[arg(long, default_value_t = CostModel::default().seconds_per_request * 1e3, value_name = "MS")]
    ms_per_request: f64,
}

impl From<CostArgs> for CostModel {
    fn from(args: CostArgs) -> Self {
        Self {
            slots: args.slots,
            bytes_per_second: args.mb_per_second * 1e6,
            seconds_per_request: args.ms_per_request / 1e3,
            ..Self::default()
        }
        .checked()
    }
}

#[derive(Serialize)]
struct Answer<'a> {
    location: String,
    /// Of the listing: partial where a cancel cut it.
    accuracy: Accuracy,
    #[serde(skip_serializing_if = "Option::is_none")]
    range: Option<DateRange>,
    metrics: &'a SkewMetrics,
    partitions: Vec<PartitionLine<'a>>,
    findings: &'a [Finding],
    weekdays: &'a Weekdays,
    costs: CostModel,
    split: SplitForecast,
    #[serde(skip_serializing_if = "Option::is_none")]
    rows: Option<RowCount>,
    /// Files whose rows could not be counted.
    #[serde(skip_serializing_if = "Option::is_none")]
    n_unreadable: Option<u64>,
    /// The first of them, each with its place and the reason.
    #[serde(skip_serializing_if = "<[String]>::is_empty")]
    unreadable: &'a [String],
    #[serde(skip_serializing_if = "Option::is_none")]
    comparison: Option<&'a RangeComparison>,
}

#[derive(Serialize)]
struct PartitionLine<'a> {
    #[serde(flatten)]
    stats: &'a PartitionStats,
    average_file_bytes: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    rows: Option<RowCount>,
}

pub fn skew(args: SkewArgs, output: &mut Output) -> Result<u8, CliError> {
    let connection: Connection = args.connection.into();
    let costs: CostModel = args.costs.into();
    if args.keys.is_wanted() {
        return skew_keys::key_skew(
            KeyRequest {
                location: args.location,
                connection,
                costs,
                keys: args.keys,
                report: args.report,
                is_json: args.json,
            },
            output,
        );
    }
    let (listed, rows, code) = signal::block_on(|cancel, signalled| async move {
        let listed = data::list_closely(&args.location, &connection, &cancel).await?;
        let dataset = listed.dataset(None)?;
        let rows = if args.rows && !listed.is_partial {
            // Other dates are only counted where they are compared with.
            let within = args.range.filter(|_| args.against.is_none());
            let within = within.map(|range| dataset.within(range));
            Some(count_rows(&listed, within.as_ref().unwrap_or(dataset), &costs, &cancel).await?)
        } else {
            None
        };
        let is_partial = listed.is_partial || rows.as_ref().is_some_and(|rows| rows.is_partial);
        let code = code_of(rows.as_ref(), signalled.code().filter(|_| is_partial));
        Ok::<_, CliError>((listed, rows, code))
    })??;
    let dataset = listed.dataset(None)?;
    let within = args.range.map(|range| dataset.within(range));
    let shown = within.as_ref().unwrap_or(dataset);
    if let (Some(range), 0) = (args.range, shown.partitions.len()) {
        return Err(nothing_in(dataset, range));
    }
    if let Some(against) = args.against
        && dataset.within(against).partitions.is_empty()
    {
        return Err(nothing_in(dataset, against));
    }
    let skew = partition_skew(shown, &costs);
    let comparison = args
        .against
        .map(|against| compare_ranges(dataset, args.range, against, rows.as_ref(), &costs));
    if let Some(path) = &args.report {
        let report = Report {
            location: &listed.location.join(&dataset.prefix).to_string(),
            now: chrono::Utc::now(),
            costs: &costs,
            listing: Some(ListingPage {
                dataset: shown,
                skew: &skew,
                accuracy: listed.accuracy(),
                range: args.range,
                rows: rows.as_ref(),
                comparison: comparison.as_ref(),
            }),
            keys: None,
        };
        report::write(path, &report)?;
        super::note(&format!("report written to {}", path.display()));
    }
    if !args.json {
        text(&listed, shown, &skew, rows.as_ref(), comparison.as_ref(), output)?;
        output.line(&format!("\nCosts assume {costs}."))?;
        return Ok(code);
    }
    let location = listed.location.join(&dataset.prefix).to_string();
    let answer = Answer {
        location,
        accuracy: listed.accuracy(),
        range: args.range,
        metrics: &skew.metrics,
        partitions: partition_lines(shown, rows.as_ref()),
        findings: &skew.findings,
        weekdays: &skew.weekdays,
        costs,
        split: SplitForecast::new(shown.partitions.values(), &costs),
        rows: rows
            .as_ref()
            .map(|rows| rows.sum(shown.partitions.keys()))
            .filter(is_known),
        n_unreadable: rows.as_ref().map(|rows| rows.n_unreadable),
        unreadable: rows
            .as_ref()
            .map(|rows| rows.unreadable.as_slice())
            .unwrap_or_default(),
        comparison: comparison.as_ref(),
    };
    output.json(&answer)?;
    Ok(code)
}

fn text(
    listed: &Listed,
    shown: &DatasetKeys,
    skew: &PartitionSkew,
    rows: Option<&RowCounts>,
    comparison: Option<&RangeComparison>,
    output: &mut Output,
) -> Result<(), CliError> {
    if let Some(text) = listed.partial_text() {
        output.line(&text)?;
    }
    figures_text(skew, output)?;
    if let Some(rows) = rows {
        rows_text(shown, rows, output)?;
    }
    for outlier in &skew.weekdays.outliers {
        output.line(&outlier_text(outlier))?;
    }
    print_findings(&skew.findings, output)?;
    if let Some(comparison) = comparison {
        comparison_text(comparison, output)?;
    }
    Ok(())
}

/// The exit code: of the signal that cut the answer, or for rows of which some could not be counted.
fn code_of(rows: Option<&RowCounts>, signal: Option<u8>) -> u8 {
    let has_unreadable = rows.is_some_and(|rows| rows.n_unreadable > 0);
    signal.unwrap_or(if has_unreadable { skew_keys::SOME_FAILED } else { 0 })
}

fn nothing_in(dataset: &DatasetKeys, range: DateRange) -> CliError {
    let held = match dataset.dates() {
        Some((first, last)) => format!("its dates go from {first} to {last}"),
        None => "its partitions have no dates".to_owned(),
    };
    CliError::Usage {
        message: format!("the dataset has no partitions in {range}: {held}"),
    }
}

/// Says what counting costs, and counts.
async fn count_rows(
    listed: &Listed,
    dataset: &DatasetKeys,
    costs: &CostModel,
    cancel: &Cancel,
) -> Result<RowCounts, CliError> {
    let plan = RowPlan::new(dataset);
    let what = if plan.is_exact { "counting" } else { "estimating" };
    let [cost, assumed] = plan.words(costs);
    tracing::info!("{what} rows from {cost} ({assumed})");
    let progress = Progress::new();
    let mut on_partial = |_| {};
    let counted = count_partitions(
        &listed.store,
        &listed.inventory,
        dataset,
        plan,
        cancel,
        &progress,
        &mut on_partial,
    );
    Ok(counted.await?)
}

fn partition_lines<'a>(dataset: &'a DatasetKeys, rows: Option<&RowCounts>) -> Vec<PartitionLine<'a>> {
    let rows_of = |stats: &PartitionStats| {
        rows.and_then(|rows| rows.partitions.get(&stats.partition))
            .filter(|count| is_known(count))
            .copied()
    };
    let line = |stats: &'a PartitionStats| PartitionLine {
        stats,
        average_file_bytes: stats.average_file_bytes(),
        rows: rows_of(stats),
    };
    dataset.partitions.values().map(line).collect()
}

fn figures_text(skew: &PartitionSkew, output: &mut Output) -> Result<(), CliError> {
    let metrics = &skew.metrics;
    let average = metrics.average_file_bytes.map(units::bytes);
    output.line(&format!(
        "{} in {}{}, {}",
        units::bytes(metrics.n_bytes),
        units::plural(metrics.n_files, "file"),
        average
            .map(|average| format!(" of {average}"))
            .unwrap_or_default(),
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
        let value = value.map_or_else(|| "–".to_owned(), |value| format!("{value:.2}"));
        output.line(&format!("  {name:<22}{value:>10}"))?;
    }
    let growth = match metrics.growth {
        Some(growth) if growth.is_trend => match growth.share_per_month {
            Some(share) => format!("{:+.1}% a month, over {} weeks", share * 100.0, growth.n_weeks),
            None => "–".to_owned(),
        },
        Some(growth) => format!("none, over {} weeks", growth.n_weeks),
        None => "unknown: fewer than 8 weeks".to_owned(),
    };
    output.line(&format!("  {:<22}  {growth}", "growth"))?;
    if !skew.weekdays.is_known && metrics.n_partitions > 1 {
        output.line(&format!(
            "  {:<22}  unknown: no weekday has {MIN_SAMPLES} days",
            "unlike their weekday"
        ))?;
    }
    Ok(())
}

fn outlier_text(outlier: &WeekdayOutlier) -> String {
    format!(
        "  {} {}: {:.1} × its weekday ({} for {})",
        outlier.date,
        outlier.date.format("%a"),
        outlier.ratio,
        units::bytes(outlier.n_bytes),
        units::bytes(outlier.expected_bytes)
    )
}

fn rows_text(dataset: &DatasetKeys, rows: &RowCounts, output: &mut Output) -> Result<(), CliError> {
    let total = rows.sum(dataset.partitions.keys());
    output.line(&format!("  {:<22}  {}", "rows", row_text(&total)))?;
    if rows.n_unreadable > 0 {
        output.line(&format!(
            "  {} could not be read and count as not read",
            units::plural(rows.n_unreadable, "file")
        ))?;
        for reason in &rows.unreadable {
            output.line(&format!("    {reason}"))?;
        }
    }
    let counted: BTreeMap<_, _> = rows.partitions.iter().collect();
    for partition in dataset.partitions.keys() {
        if let Some(count) = counted.get(partition) {
            output.line(&format!("    {:<20}  {}", partition.to_string(), row_text(count)))?;
        }
    }
    Ok(())
}

/// Whether any file tells of these rows: without one, nothing is no number of rows.
fn is_known(count: &RowCount) -> bool {
    count.accuracy.is_exact() || count.n_files_read > 0 || count.n_rows > 0
}

/// `52,310 ± 1,200 (estimate, 4 of 40 files)`; `unknown` where no file told anything.
fn row_text(count: &RowCount) -> String {
    if !is_known(count) {
        return format!(
            "unknown (none of {} was read)",
            units::plural(count.n_files, "file")
        );
    }
    let rows = units::count(count.n_rows);
    if count.accuracy.is_exact() {
        return format!("{rows} (exact)");
    }
    let error = match count.error {
        Some(error) => format!(" ± {}", units::count(error)),
        None => ", error unknown".to_owned(),
    };
    format!(
        "{rows}{error} ({}, {} of {})",
        count.accuracy,
        units::count(count.n_files_read),
        units::plural(count.n_files, "file")
    )
}

/// Prints findings, each with what to do about it.
pub fn print_findings(findings: &[Finding], output: &mut Output) -> Result<(), CliError> {
    for finding in findings {
        output.line(&format!("\n[{}] {}", finding.severity.word(), finding.title))?;
        output.line(&format!("  {}", finding.message))?;
        if !finding.remedy.is_empty() {
            output.line(&format!("  → {}", finding.remedy))?;
        }
        if let Some(cost) = finding.cost_words() {
            output.line(&format!("  {cost}"))?;
        }
    }
    Ok(())
}

fn comparison_text(comparison: &RangeComparison, output: &mut Output) -> Result<(), CliError> {
    let (ours, theirs) = (&comparison.range, &comparison.against);
    output.line(&format!("\n{}", comparison.title()))?;
    for line in FigureLine::ALL.iter().filter(|line| line.is_known(comparison)) {
        output.line(&format!(
            "  {:<16}{:>12} {:>11}  {}",
            line.name,
            line.text(ours),
            line.text(theirs),
            line.change(comparison)
        ))?;
    }
    for note in comparison.notes() {
        output.line(&format!("  {note}"))?;
    }
    for (word, findings) in [
        ("new", &comparison.new_findings),
        ("gone", &comparison.gone_findings),
    ] {
        for finding in findings
            .iter()
            .filter(|finding| finding.severity != Severity::Good)
        {
            output.line(&format!("  {word}: {}", finding.title))?;
        }
    }
    for change in comparison.changes_in_words() {
        output.line(&format!("  {change}"))?;
    }
    Ok(())
}

//! `skewer skew --by`: how skewed a shuffle by a key would be, over all rows, with Spark's own hash, and what helps.

use std::path::PathBuf;
use std::sync::Arc;

use polars::prelude::Schema;
use serde::Serialize;

use super::output::Output;
use super::preview::{Steps, read_recipe};
use super::report::{KeyPage, Report};
use super::skew::print_findings;
use super::skew_remedies::{WrittenRemedy, print_remedy, unread};
use super::skew_tables::{print_choice, print_partitions, print_ranking, print_top};
use super::{CliError, data, signal};
use crate::base::{Accuracy, Progress, units};
use crate::dataset::Reject;
use crate::explore::declared_inputs;
use crate::explore::keys::{KEY_BUDGET_BYTES, KEYS_AFTER_CANCEL, cancellable, count_keys};
use crate::explore::scan::{ScanError, Scanned};
use crate::profile::keys::{
    AqeWarning, DEFAULT_TOP, DeclinedRemedy, HashedKeys, HotPartition, KeyCounts, KeyProfile, KeyReport,
    LoadMetrics, MAX_PARTITIONS, PartitionChoice, RankedKey, SPARK_DEFAULT, SimulatedPartitions, SparkType,
    Weight, default_types, key_field, key_report_among, rank,
};
use crate::profile::{CostModel, Finding};
use crate::storage::Connection;
use crate::transform::Inputs;

#[derive(Debug, clap::Args)]
pub struct KeyArgs {
    /// Columns of a key, or fields of structs by their path (`user.country`), in the order in which Spark hashes them; given
    /// more than once, the keys are ranked
    #[arg(long, value_name = "COL[,COL]")]
    by: Vec<String>,
    /// Partitions of the shuffle that is simulated
    #[arg(long, value_name = "N", default_value_t = SPARK_DEFAULT, requires = "by",
          value_parser = clap::value_parser!(u32).range(1..=i64::from(MAX_PARTITIONS)))]
    partitions: u32,
    /// Type of a key's column in Spark, where it is not the usual one, such as `user_id=int`
    #[arg(long, value_name = "COL=TYPE", requires = "by")]
    spark_type: Vec<String>,
    /// Recipe or job spec whose row steps are applied before
    #[arg(long, value_name = "FILE", requires = "by")]
    recipe: Option<PathBuf>,
    /// Only this partition, as `skewer ls` names it
    #[arg(long, requires = "by")]
    partition: Option<String>,
    /// Most frequent keys to list
    #[arg(long, value_name = "N", default_value_t = DEFAULT_TOP, requires = "by")]
    top: usize,
    /// Weighs partitions by bytes of the rows in memory instead of their number
    #[arg(long, requires = "by")]
    bytes: bool,
    /// Reads the key's columns alone, which is faster for Parquet; bytes are then those of the key
    #[arg(long, requires = "by", conflicts_with = "bytes")]
    keys_only: bool,
}

impl KeyArgs {
    pub fn is_wanted(&self) -> bool {
        !self.by.is_empty()
    }

    fn weight(&self) -> Weight {
        if self.bytes { Weight::Bytes } else { Weight::Rows }
    }
}

/// Everything that is asked for.
pub struct KeyRequest {
    pub location: String,
    pub connection: Connection,
    pub costs: CostModel,
    pub keys: KeyArgs,
    /// Where a page is written to.
    pub report: Option<PathBuf>,
    pub is_json: bool,
}

#[derive(Serialize)]
struct Answer<'a> {
    location: String,
    by: &'a [String],
    accuracy: Accuracy,
    /// Whether predicted seconds are those of all rows: not where the rows of a sample are counted and nobody knows how many
    /// there are.
    tells_time: bool,
    n_rows: u64,
    /// Records and rests of files.
    n_rejects: u64,
    /// Records alone.
    n_records_rejected: u64,
    n_files: u64,
    n_files_failed: u64,
    /// The first files that could not be read to their end, with the reason.
    failed_files: Vec<FailedFile>,
    weight: Weight,
    n_partitions: u32,
    metrics: &'a LoadMetrics,
    /// The same figures if all keys had the same number of rows.
    baseline_metrics: &'a LoadMetrics,
    partitions: Vec<PartitionLoad>,
    /// Two standard deviations of a partition's load; 0 where every key was counted.
    load_error: f64,
    profile: &'a KeyProfile,
    hottest: &'a [HotPartition],
    choice: &'a PartitionChoice,
    remedies: Vec<WrittenRemedy<'a>>,
    /// Remedies that would not help here, and why.
    declined: &'a [DeclinedRemedy],
    warnings: &'a [AqeWarning],
    /// All keys that were asked for, the best first.
    ranking: &'a [RankedKey],
    findings: &'a [Finding],
    costs: CostModel,
}

#[derive(Debug, Clone, PartialEq, Serialize)]
struct FailedFile {
    object: String,
    reason: String,
}

#[derive(Serialize)]
struct PartitionLoad {
    partition: usize,
    load: u64,
    baseline: u64,
}

pub fn key_skew(request: KeyRequest, output: &mut Output) -> Result<u8, CliError> {
    let KeyRequest {
        location,
        connection,
        costs,
        keys: args,
        report: page,
        is_json,
    } = request;
    let keys = args
        .by
        .iter()
        .map(|by| columns_of(by))
        .collect::<Result<Vec<_>, _>>()?;
    let types = args
        .spark_type
        .iter()
        .map(|text| spark_type_of(text))
        .collect::<Result<Vec<_>, _>>()?;
    check_types_are_used(&keys, &types)?;
    let asked = Asked {
        n_top: args.top,
        n_partitions: args.partitions,
        weight: args.weight(),
        types,
        costs,
    };
    let Counts {
        schema,
        inputs,
        counted,
        code,
    } = count(&location, &connection, &args, &keys, asked)?;
    let (weight, Told { report, ranking }) = (args.weight(), &counted.collected);
    if let Some(path) = page {
        if code == 0 {
            write_page(&path, &location, &costs, report, ranking)?;
        } else {
            super::note(&format!("{} was not written: cancelled", path.display()));
        }
    }
    let answer = Answer {
        location,
        by: &args.by,
        accuracy: counted.accuracy,
        tells_time: report.profile.tells_time(),
        n_rows: counted.n_rows,
        n_rejects: counted.n_rejects(),
        n_records_rejected: of_records(&counted),
        n_files: counted.n_files,
        n_files_failed: counted.n_files_failed,
        failed_files: failed_files(&counted.rejects),
        weight,
        n_partitions: report.partitions.n_partitions,
        metrics: &report.partitions.metrics,
        baseline_metrics: &report.partitions.baseline_metrics,
        partitions: loads(&report.partitions),
        load_error: report.partitions.load_error,
        profile: &report.profile,
        hottest: &report.partitions.hottest,
        choice: &report.choice,
        remedies: report
            .remedies
            .iter()
            .map(|offered| WrittenRemedy::new(offered, &report.remedies, &schema, &inputs))
            .collect(),
        declined: &report.declined,
        warnings: &report.warnings,
        ranking,
        findings: &report.findings,
        costs,
    };
    if is_json {
        output.json(&answer)?;
    } else {
        print(&answer, report, output)?;
    }
    Ok(if code == 0 && answer.n_files_failed > 0 {
        SOME_FAILED
    } else {
        code
    })
}

/// The exit code for figures of which part could not be read.
pub(super) const SOME_FAILED: u8 = 11;

/// Files that could not be read to their end.
fn failed_files(rejects: &[Reject]) -> Vec<FailedFile> {
    let of_files = rejects.iter().filter(|reject| reject.reason.is_of_file());
    of_files
        .map(|reject| FailedFile {
            object: reject.object.clone(),
            reason: reject.message.clone(),
        })
        .collect()
}

/// Rejects of single records.
fn of_records<C>(counted: &Scanned<C>) -> u64 {
    let reasons = counted.by_reason.iter();
    reasons
        .filter(|(reason, _)| !reason.is_of_file())
        .map(|(_, n)| n)
        .sum()
}

/// No rows, because no file could be read: there is nothing to tell of.
fn nothing_read<C>(counted: &Scanned<C>) -> Option<CliError> {
    let failed = failed_files(&counted.rejects);
    let first = failed.first()?;
    (counted.n_rows == 0 && of_records(counted) == 0).then(|| CliError::Run {
        message: format!(
            "nothing could be read: {}: {}{}",
            first.object,
            first.reason,
            match counted.n_files_failed.saturating_sub(1) {
                0 => String::new(),
                n => format!("; and {} like it", units::plural(n, "file")),
            }
        ),
        exit_code: 1,
    })
}

fn write_page(
    path: &std::path::Path,
    location: &str,
    costs: &CostModel,
    report: &KeyReport,
    ranking: &[RankedKey],
) -> Result<(), CliError> {
    let content = Report {
        location,
        now: chrono::Utc::now(),
        costs,
        listing: None,
        keys: Some(KeyPage { report, ranking }),
    };
    super::report::write(path, &content)?;
    super::note(&format!("report written to {}", path.display()));
    Ok(())
}

fn usage(message: String) -> CliError {
    CliError::Usage { message }
}

fn columns_of(by: &str) -> Result<Vec<String>, CliError> {
    let columns: Vec<String> = by.split(',').map(|name| name.trim().to_owned()).collect();
    if columns.iter().any(String::is_empty) {
        return Err(usage(format!(
            "`--by {by}`: a column has no name: write `--by country,day`"
        )));
    }
    Ok(columns)
}

fn spark_type_of(text: &str) -> Result<(String, SparkType), CliError> {
    let (name, dtype) = text.split_once('=').ok_or_else(|| {
        usage(format!(
            "`--spark-type {text}`: write COL=TYPE, such as `user_id=int`"
        ))
    })?;
    let dtype = dtype
        .parse()
        .map_err(|error| usage(format!("`--spark-type {text}`: {error}")))?;
    Ok((name.trim().to_owned(), dtype))
}

fn check_types_are_used(keys: &[Vec<String>], types: &[(String, SparkType)]) -> Result<(), CliError> {
    for (name, _) in types {
        if !keys.iter().flatten().any(|column| column == name) {
            return Err(usage(format!(
                "`--spark-type {name}=...`: `{name}` is no column of a key in `--by`"
            )));
        }
    }
    Ok(())
}

fn hash(counts: Arc<KeyCounts>, types: &[(String, SparkType)]) -> Result<HashedKeys, CliError> {
    let mut of_columns = default_types(&counts).map_err(|error| usage(error.to_string()))?;
    for ((name, _), of_column) in counts.columns().iter().zip(&mut of_columns) {
        if let Some((_, chosen)) = types.iter().find(|(chosen, _)| chosen == name) {
            *of_column = chosen.clone();
        }
    }
    HashedKeys::new(counts, of_columns).map_err(|error| usage(error.to_string()))
}

/// What was counted, and what is told of it.
struct Counts {
    /// Columns after the recipe.
    schema: Schema,
    /// Second datasets of the recipe, by their columns.
    inputs: Inputs,
    counted: Scanned<Told>,
    /// Of the signal that ended it, or 0.
    code: u8,
}

/// What is asked of counted keys.
#[derive(Debug, Clone)]
struct Asked {
    n_top: usize,
    n_partitions: u32,
    weight: Weight,
    types: Vec<(String, SparkType)>,
    costs: CostModel,
}

/// What is told of them.
#[derive(Debug)]
struct Told {
    /// Of the first key.
    report: KeyReport,
    ranking: Vec<RankedKey>,
}

impl Asked {
    fn of(&self, counts: impl Iterator<Item = Arc<KeyCounts>>) -> Result<Told, CliError> {
        let hashed = counts
            .map(|counts| hash(counts, &self.types))
            .collect::<Result<Vec<_>, _>>()?;
        let Some(first) = hashed.first() else {
            return Err(usage("`--by` names no key".to_owned()));
        };
        let (n, weight, costs) = (self.n_partitions, self.weight, &self.costs);
        Ok(Told {
            report: key_report_among(first, first.profile(self.n_top), n, weight, costs, &hashed),
            ranking: rank(&hashed, n, weight, costs),
        })
    }
}

fn count(
    location: &str,
    connection: &Connection,
    args: &KeyArgs,
    keys: &[Vec<String>],
    asked: Asked,
) -> Result<Counts, CliError> {
    let steps = match args.recipe.as_deref() {
        Some(path) => read_recipe(path)?,
        None => Steps::default(),
    };
    signal::block_on(|cancel, signalled| async move {
        let listed = data::list(location, connection, &cancel).await?;
        let dataset = listed.dataset(None)?;
        let (partition, recipe) = (args.partition.as_deref(), args.recipe.as_deref());
        let mut scan = listed.scan(dataset, partition, &steps, recipe, &cancel).await?;
        let schema = scan.schema().clone();
        if args.keys_only {
            // A field of a struct is read with its column.
            let column = |name: &String| {
                key_field(&schema, name).map_or_else(|| name.clone(), |(path, _)| path.column)
            };
            let mut columns: Vec<String> = keys.iter().flatten().map(column).collect();
            columns.sort_unstable();
            columns.dedup();
            let columns: Vec<&str> = columns.iter().map(String::as_str).collect();
            scan = scan.with_columns(&columns)?;
        }
        let counted = count_keys(&scan, keys, KEY_BUDGET_BYTES, &cancel, &Progress::new())
            .await
            .map_err(failed)?;
        if let Some(error) = nothing_read(&counted).filter(|_| !cancel.is_cancelled()) {
            return Err(error);
        }
        let mut counted = counted.map(|counts| counts.into_iter().map(Arc::new).collect::<Vec<_>>());
        // A million keys are hashed and placed for many numbers of partitions: whoever cancels gets the largest keys.
        let (all, wanted) = (counted.collected.clone(), asked.clone());
        let told = if let Ok(told) = cancellable(&cancel, move || wanted.of(all.into_iter())).await {
            told??
        } else {
            counted.accuracy = Accuracy::Partial { n: counted.n_rows };
            let counts = counted.collected.iter();
            asked.of(counts.map(|counts| Arc::new(counts.largest(KEYS_AFTER_CANCEL))))?
        };
        let code = signalled.code().filter(|_| !counted.accuracy.is_exact());
        Ok(Counts {
            schema,
            inputs: declared_inputs(&unread(&steps)),
            counted: counted.map(|_| told),
            code: code.unwrap_or(0),
        })
    })?
}

/// A key that cannot be counted is the asker's; everything else as any scan ends.
fn failed(error: ScanError) -> CliError {
    match error {
        ScanError::Collect { message } => usage(message),
        other => other.into(),
    }
}

fn loads(simulated: &SimulatedPartitions) -> Vec<PartitionLoad> {
    let loads = simulated.loads.iter().zip(&simulated.baseline);
    loads
        .enumerate()
        .map(|(partition, (load, baseline))| PartitionLoad {
            partition,
            load: *load,
            baseline: *baseline,
        })
        .collect()
}

fn print(answer: &Answer<'_>, report: &KeyReport, output: &mut Output) -> Result<(), CliError> {
    let profile = &report.profile;
    let names: Vec<String> = profile
        .columns
        .iter()
        .map(|column| format!("{} ({})", column.name, column.spark_type))
        .collect();
    let distinct = profile.distinct;
    let n_keys = if distinct.is_exact {
        units::plural(distinct.n, "key")
    } else {
        format!(
            "about {} keys ({} to {})",
            units::count(distinct.n),
            units::count(distinct.low),
            units::count(distinct.high)
        )
    };
    output.line(&format!(
        "{}: {n_keys} in {} ({})",
        names.join(", "),
        units::plural(profile.n_rows, "row"),
        profile.accuracy
    ))?;
    for note in &profile.notes {
        output.line(&format!("note: {note}"))?;
    }
    if answer.n_records_rejected > 0 {
        output.line(&format!(
            "note: {} could not be read",
            units::plural(answer.n_records_rejected, "record")
        ))?;
    }
    if answer.n_files_failed > 0 {
        output.line(&format!(
            "note: {} of {} could not be read to the end; the figures are of the rest:",
            units::count(answer.n_files_failed),
            units::plural(answer.n_files, "file")
        ))?;
        for failed in answer.failed_files.iter().take(MAX_FAILED) {
            output.line(&format!("  {}: {}", failed.object, failed.reason))?;
        }
    }
    print_top(profile, output)?;
    print_partitions(report, output)?;
    print_choice(report, output)?;
    if answer.ranking.len() > 1 {
        print_ranking(&report.profile, answer.ranking, output)?;
    }
    print_findings(answer.findings, output)?;
    for warning in answer.warnings {
        output.line(&format!("\n[AQE] {}", warning.title))?;
        output.line(&format!("  {}", warning.message))?;
    }
    for remedy in &answer.remedies {
        print_remedy(remedy, report, output)?;
    }
    for declined in answer.declined {
        output.line(&format!("\nNot offered: {}. {}", declined.title, declined.reason))?;
    }
    Ok(())
}

/// Files that are named where some could not be read.
const MAX_FAILED: usize = 5;

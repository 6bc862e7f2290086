//! `skewer profile`: what each column of some partitions holds, before or after a recipe, with the accuracy of each figure.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::time::Instant;

use clap::ValueEnum;
use serde::Serialize;

use super::data::Listed;
use super::output::{self, Output};
use super::preview::{Steps, read_recipe};
use super::{CliError, ConnectionArgs, data, drift, rows, signal};
use crate::base::{Accuracy, Cancel, Progress, units};
use crate::dataset::infer::Conflict;
use crate::dataset::{FailedFile, Reason, Reject};
use crate::explore::scan::{Scan, Scanned};
use crate::profile::columns::{ColumnProfile, FigureAccuracy, Histogram, Level, Scalar};
use crate::profile::drift::{Baseline, Drift};
use crate::storage::{Connection, DatasetKeys};

#[derive(Debug, clap::Args)]
pub struct ProfileArgs {
    /// Folder, file or s3:// prefix
    location: String,
    /// Only this partition, as `skewer ls` names it, or those of a range of days: 2020-01-01..2020-01-07, 2020-01 or 2020
    #[arg(long, value_name = "DAY|RANGE")]
    partition: Option<String>,
    /// Recipe or job spec whose steps are applied; all must look at one row at a time
    #[arg(long, value_name = "FILE")]
    recipe: Option<PathBuf>,
    /// Only these columns; a nested one by its path, such as location.city
    #[arg(long, value_delimiter = ',', value_name = "A,B")]
    columns: Vec<String>,
    /// Reads about so many rows, spread over the files, instead of all
    #[arg(long, value_name = "N")]
    sample: Option<u64>,
    /// Compares with other partitions, or with the baseline in a file
    #[arg(long, value_name = "DAY|RANGE|FILE")]
    against: Option<String>,
    /// Writes what is needed to compare with these rows later
    #[arg(long, value_name = "FILE")]
    save_baseline: Option<PathBuf>,
    /// How much is collected
    #[arg(long, value_enum, default_value_t = LevelArg::Full)]
    level: LevelArg,
    #[command(flatten)]
    connection: ConnectionArgs,
    /// Prints JSON
    #[arg(long)]
    json: bool,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum LevelArg {
    /// Counts, nulls, distinct values, least and greatest value, mean, deviation, quartiles
    Summary,
    /// Frequent values, histograms, more quantiles and lengths besides
    Full,
}

#[derive(Serialize)]
struct Answer {
    location: String,
    level: Level,
    /// Of the rows read: how many of all they are.
    accuracy: Accuracy,
    n_rows: u64,
    n_records: u64,
    n_bytes: u64,
    n_files: u64,
    n_files_failed: u64,
    /// The first of them.
    failed_files: Vec<FailedFile>,
    rejected: BTreeMap<Reason, u64>,
    seconds: f64,
    columns: Vec<ColumnProfile>,
    /// Fields on whose type a sample of the files disagrees.
    conflicts: Vec<Conflict>,
    /// The first of them.
    rejects: Vec<Reject>,
    /// From what was compared with to these rows.
    #[serde(skip_serializing_if = "Option::is_none")]
    drift: Option<Drift>,
    /// What was asked for and is not here, because of a cancel.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    left_out: Vec<String>,
}

/// What is profiled, whichever partitions.
struct Wanted<'a> {
    args: &'a ProfileArgs,
    steps: &'a Steps,
    level: Level,
    listed: &'a Listed,
    dataset: &'a DatasetKeys,
}

impl Wanted<'_> {
    /// Profiles one partition, a range of days, or all; with the fields on whose type a sample of the files disagrees.
    async fn profile(
        &self,
        partition: Option<&str>,
        cancel: &Cancel,
    ) -> Result<(Scanned<Vec<ColumnProfile>>, Vec<Conflict>), CliError> {
        let args = self.args;
        let recipe = args.recipe.as_deref();
        let mut scan = self
            .listed
            .scan(self.dataset, partition, self.steps, recipe, cancel)
            .await?;
        let conflicts = scan.source().conflicts().to_vec();
        if !args.columns.is_empty() {
            let mut roots: Vec<&str> = Vec::new();
            for root in args.columns.iter().map(|path| root_of(path, &scan)) {
                if !roots.contains(&root) {
                    roots.push(root);
                }
            }
            scan = scan.with_columns(&roots)?;
        }
        if let Some(n_rows) = args.sample {
            scan = scan.with_sample(n_rows);
        }
        let mut scanned = scan.profile_columns(self.level, cancel, &Progress::new()).await?;
        if !args.columns.is_empty() {
            let is_wanted =
                |column: &ColumnProfile| args.columns.iter().any(|path| is_in(&column.name, path));
            scanned.collected.retain(is_wanted);
        }
        Ok((scanned, conflicts))
    }

    /// The partitions that are compared with. None when a cancel comes before all their rows were read.
    async fn before(&self, text: &str, cancel: &Cancel) -> Result<Option<(Baseline, Unread)>, CliError> {
        match self.profile(Some(text), cancel).await {
            Ok((before, _)) if !cancel.is_cancelled() => {
                let baseline = self.baseline(Some(text), &before);
                Ok(Some((
                    baseline,
                    Unread::of(before.n_files_failed, before.failed_files),
                )))
            }
            Err(error) if !cancel.is_cancelled() => Err(error),
            _ => Ok(None),
        }
    }

    /// The answer with the comparison that was asked for, and the baseline written.
    async fn answer(
        &self,
        scanned: Scanned<Vec<ColumnProfile>>,
        conflicts: Vec<Conflict>,
        saved: Option<Baseline>,
        started: Instant,
        cancel: &Cancel,
    ) -> Result<Answer, CliError> {
        let args = self.args;
        let compared = match (saved, &args.against) {
            // Part of the rows differs from other rows in what was not read.
            (_, Some(_)) if cancel.is_cancelled() => None,
            (Some(saved), _) => Some((saved, Unread::default())),
            (None, None) => None,
            (None, Some(text)) => self.before(text, cancel).await?,
        };
        let here = self.baseline(args.partition.as_deref(), &scanned);
        let is_cut = cancel.is_cancelled();
        if let Some(path) = args.save_baseline.as_ref().filter(|_| !is_cut) {
            drift::save_baseline(path, &here)?;
        }
        let (before, mut unread) = match compared {
            Some((before, unread)) => (Some(before), unread),
            None => (None, Unread::default()),
        };
        let drift = before.map(|before| Drift::between(&before, &here));
        unread.add(Unread::of(scanned.n_files_failed, scanned.failed_files));
        let mut left_out = Vec::new();
        if let Some(text) = args.against.as_ref().filter(|_| drift.is_none()) {
            left_out.push(format!("the comparison with {text}"));
        }
        if let Some(path) = args.save_baseline.as_ref().filter(|_| is_cut) {
            left_out.push(not_written(path));
        }
        Ok(Answer {
            location: self.listed.location.join(&self.dataset.prefix).to_string(),
            level: self.level,
            accuracy: scanned.accuracy,
            n_rows: scanned.n_rows,
            n_records: scanned.n_records,
            n_bytes: scanned.n_bytes,
            n_files: scanned.n_files,
            n_files_failed: unread.n,
            failed_files: unread.files,
            rejected: scanned.by_reason,
            seconds: started.elapsed().as_secs_f64(),
            columns: scanned.collected,
            conflicts,
            rejects: scanned.rejects,
            drift,
            left_out,
        })
    }

    fn baseline(&self, partition: Option<&str>, scanned: &Scanned<Vec<ColumnProfile>>) -> Baseline {
        let location = self.listed.location.join(&self.dataset.prefix);
        let from = match partition {
            Some(partition) => format!("{location} {partition}"),
            None => location.to_string(),
        };
        Baseline::of_columns(&from, scanned.accuracy, scanned.n_rows, &scanned.collected)
    }
}

/// Files that could not be read to their end, of both sides of a comparison.
#[derive(Default)]
struct Unread {
    n: u64,
    files: Vec<FailedFile>,
}

impl Unread {
    fn of(n: u64, files: Vec<FailedFile>) -> Self {
        Self { n, files }
    }

    fn add(&mut self, mut other: Self) {
        self.n += other.n;
        self.files.append(&mut other.files);
    }
}

pub fn profile(args: ProfileArgs, output: &mut Output) -> Result<u8, CliError> {
    let level = match args.level {
        LevelArg::Summary => Level::Summary,
        LevelArg::Full => Level::Full,
    };
    let steps = match args.recipe.as_deref() {
        Some(path) => read_recipe(path)?,
        None => Steps::default(),
    };
    if level == Level::Summary && (args.against.is_some() || args.save_baseline.is_some()) {
        return Err(CliError::Usage {
            message: "a comparison needs ranks and frequent values: leave `--level summary` out".to_owned(),
        });
    }
    // Before anything is listed or read: a file that is no baseline is found out at once.
    let saved = match args.against.as_deref().and_then(drift::file_of) {
        Some(path) => Some(drift::read_baseline(&path)?),
        None => None,
    };
    let is_json = args.json;
    let (answer, code) = signal::block_on(|cancel, signalled| async move {
        let started = Instant::now();
        let connection: Connection = args.connection.clone().into();
        let code = || signalled.code().unwrap_or(signal::INTERRUPTED);
        let listed = match data::list_some(&args.location, &connection, &cancel).await {
            Ok(listed) if listed.is_partial => {
                return Ok((Answer::cut(&args, level, listed.inventory.n_files()), code()));
            }
            listed => listed?,
        };
        let dataset = listed.dataset(None)?;
        let partition = args.partition.as_deref();
        let wanted = Wanted {
            args: &args,
            steps: &steps,
            level,
            listed: &listed,
            dataset,
        };
        let (scanned, conflicts) = match wanted.profile(partition, &cancel).await {
            // Before the first row.
            Err(_) if cancel.is_cancelled() => {
                return Ok((Answer::cut(&args, level, listed.inventory.n_files()), code()));
            }
            profiled => profiled?,
        };
        let answer = wanted.answer(scanned, conflicts, saved, started, &cancel).await?;
        let code = signalled.code().filter(|_| cancel.is_cancelled());
        let of_files = output::code_of(answer.n_files_failed, answer.n_rows > 0);
        Ok::<_, CliError>((answer, code.unwrap_or(of_files)))
    })??;
    if is_json {
        output.json(&answer)?;
    } else {
        match &answer.drift {
            Some(drift) => {
                drift::print(drift, output)?;
                output.failed_files(&answer.failed_files, answer.n_files_failed)?;
            }
            None => answer.print(output)?,
        }
    }
    Ok(code)
}

fn not_written(baseline: &Path) -> String {
    format!("the baseline {}, which was not written", baseline.display())
}

/// The column of the table that a path is in.
fn root_of<'a>(path: &'a str, scan: &Scan) -> &'a str {
    if scan.schema().contains(path) {
        return path;
    }
    let end = path.find(['.', '[']).unwrap_or(path.len());
    path.get(..end).unwrap_or(path)
}

/// Whether a column is the one at `path`, or inside it.
fn is_in(name: &str, path: &str) -> bool {
    name.strip_prefix(path)
        .is_some_and(|rest| rest.is_empty() || rest.starts_with(['.', '[']))
}

impl Answer {
    /// What is told after a cancel that came before the first row, when so many files had been listed.
    fn cut(args: &ProfileArgs, level: Level, n_listed: u64) -> Self {
        let listed = units::plural(n_listed, "file");
        let mut left_out = vec![format!("the columns ({listed} listed, no row read)")];
        left_out.extend(
            args.against
                .iter()
                .map(|text| format!("the comparison with {text}")),
        );
        let baseline = args.save_baseline.iter();
        left_out.extend(baseline.map(|path| not_written(path)));
        Self {
            location: args.location.clone(),
            level,
            accuracy: Accuracy::Partial { n: 0 },
            n_rows: 0,
            n_records: 0,
            n_bytes: 0,
            n_files: 0,
            n_files_failed: 0,
            failed_files: Vec::new(),
            rejected: BTreeMap::new(),
            seconds: 0.0,
            columns: Vec::new(),
            conflicts: Vec::new(),
            rejects: Vec::new(),
            drift: None,
            left_out,
        }
    }

    /// The type that the column has here; none for one that was left out.
    fn dtype_of(&self, name: &str) -> Option<&str> {
        let column = self.columns.iter().find(|column| column.name == name);
        column.map(|column| column.dtype.as_str())
    }

    fn print(&self, output: &mut Output) -> Result<(), CliError> {
        output.line(&format!(
            "{} of {} ({}), {} in {}",
            units::plural(self.n_rows, "row"),
            self.location,
            self.accuracy,
            units::bytes(self.n_bytes),
            units::plural(self.n_files, "file"),
        ))?;
        output.left_out(&self.left_out)?;
        if self.n_files_failed > 0 {
            let files = units::plural(self.n_files, "file");
            let n = units::count(self.n_files_failed);
            output.line(&format!(
                "{n} of {files} could not be read to the end; the figures are of the rest, and the files are named below"
            ))?;
        }
        if self.columns.is_empty() && self.left_out.is_empty() {
            output.line("no record has a field; `skewer preview` shows what is there")?;
        }
        let heading = [
            "column", "type", "null", "missing", "distinct", "min", "median", "mean", "max", "shape",
        ];
        let table: Vec<Vec<String>> = self.columns.iter().map(line).collect();
        output.line("")?;
        output.table(&heading, &[2, 3, 4], &table)?;
        if self.columns.iter().any(|column| column.n_missing.is_none()) {
            output.line("missing: – where a recipe makes the rows, and a missing key is null")?;
        }
        if self
            .columns
            .iter()
            .any(|column| !column.accuracy.n_distinct.is_exact())
        {
            output.line("≈ is an estimate; `--json` tells how far each may be off")?;
        }
        // Where most values differ, none of them says anything.
        let says_something =
            |column: &&ColumnProfile| column.n_distinct.is_some_and(|n| 2 * n <= column.n_values());
        let mut is_first = true;
        for column in self.columns.iter().filter(says_something) {
            if column.top.is_empty() {
                continue;
            }
            if std::mem::take(&mut is_first) {
                output.line("\nmost frequent values, of those that are not null")?;
            }
            let top: Vec<String> = column
                .top
                .iter()
                .take(5)
                .map(|top| format!("{} {}", short(&top.value), units::percent(top.share)))
                .collect();
            output.line(&format!("  {}: {}", column.name, top.join(", ")))?;
        }
        for column in &self.columns {
            if let Some(conflict) = &column.conflict {
                output.line(&format!(
                    "\n{}: {} of another type than {}, null here; the first is {} at {}:{}",
                    column.name,
                    units::plural(conflict.n, "value"),
                    conflict.expected,
                    conflict.first_got,
                    conflict.first_object,
                    conflict.first_line
                ))?;
            }
        }
        self.print_conflicts_and_failures(output)
    }

    fn print_conflicts_and_failures(&self, output: &mut Output) -> Result<(), CliError> {
        for conflict in &self.conflicts {
            output.line(&format!(
                "\n{}: {}",
                conflict.name,
                conflict.said(self.dtype_of(&conflict.name))
            ))?;
            output.line(&format!("  → {}", conflict.remedy()))?;
        }
        output.failed_files(&self.failed_files, self.n_files_failed)?;
        // Files are named above.
        let of_records = || self.rejected.iter().filter(|(reason, _)| !reason.is_of_file());
        let n_rejects: u64 = of_records().map(|(_, n)| n).sum();
        if n_rejects > 0 {
            let reasons: Vec<String> = of_records()
                .map(|(reason, n)| format!("{} {}", units::count(*n), reason.word()))
                .collect();
            let records = units::plural(n_rejects, "rejected record");
            output.line(&format!("\n{records}: {}", reasons.join(", ")))?;
            let of_records = self.rejects.iter().filter(|reject| !reject.reason.is_of_file());
            let named: Vec<Reject> = of_records.take(5).cloned().collect();
            rows::print_rejects(&named, output)?;
        }
        Ok(())
    }
}

fn line(column: &ColumnProfile) -> Vec<String> {
    let shown = |value: Option<&Scalar>| value.map_or_else(String::new, short);
    let share = |n: u64| {
        let share = (column.n_rows > 0).then(|| n as f64 / column.n_rows as f64);
        share.map_or_else(String::new, units::percent)
    };
    let median = column
        .quantiles
        .iter()
        .find(|quantile| (quantile.q - 0.5).abs() < 1e-9);
    vec![
        column.name.clone(),
        short(&Scalar::Text(column.dtype.clone())),
        share(column.n_null),
        column.n_missing.map_or_else(|| "–".to_owned(), share),
        column.n_distinct.map_or_else(String::new, |n| {
            format!("{}{}", sign(column.accuracy.n_distinct), units::count(n))
        }),
        shown(column.min.as_ref()),
        shown(median.map(|median| &median.value)),
        column
            .mean
            .map_or_else(String::new, |mean| short(&Scalar::Float(mean))),
        shown(column.max.as_ref()),
        column.histogram.as_ref().map_or_else(String::new, spark),
    ]
}

fn sign(accuracy: FigureAccuracy) -> &'static str {
    if accuracy.is_exact() { "" } else { "≈" }
}

/// Widest value of a table, in characters.
const MAX_SHOWN: usize = 24;
/// Widest histogram, in characters.
const MAX_BARS: usize = 24;

fn short(value: &Scalar) -> String {
    let text = match value {
        Scalar::Bool(value) => value.to_string(),
        Scalar::Int(value) => value.to_string(),
        Scalar::UInt(value) => value.to_string(),
        Scalar::Float(value) if value.abs() >= 1e15 || (*value != 0.0 && value.abs() < 1e-4) => {
            format!("{value:.4e}")
        }
        Scalar::Float(value) => {
            let rounded: f64 = format!("{value:.4}").parse().unwrap_or(*value);
            rounded.to_string()
        }
        Scalar::Text(text) if text.is_empty() => "\"\" (empty)".to_owned(),
        Scalar::Text(text) => text.replace(['\n', '\r', '\t'], " "),
    };
    match text.char_indices().nth(MAX_SHOWN) {
        Some((end, _)) => format!("{}…", text.get(..end).unwrap_or_default()),
        None => text,
    }
}

/// A histogram in one line, from the lowest bin on: neighbouring bins together where there are many.
fn spark(histogram: &Histogram) -> String {
    const BARS: [char; 8] = ['▁', '▂', '▃', '▄', '▅', '▆', '▇', '█'];
    let each = histogram.bins.len().div_ceil(MAX_BARS).max(1);
    let heights: Vec<u64> = histogram
        .bins
        .chunks(each)
        .map(|bins| bins.iter().map(|bin| bin.n).sum())
        .collect();
    let max = heights.iter().copied().max().unwrap_or(0).max(1);
    heights
        .iter()
        .map(|n| {
            // What is there is seen, however little it is.
            let step = usize::try_from((n * 7).div_ceil(max)).unwrap_or(7);
            if *n == 0 {
                ' '
            } else {
                BARS.get(step).copied().unwrap_or('█')
            }
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::{is_in, short, spark};
    use crate::profile::columns::{Bin, Histogram, Scalar, Scale};

    #[test]
    fn a_path_takes_what_is_inside_and_no_namesake() {
        assert!(is_in("location", "location") && is_in("location.city", "location"));
        assert!(is_in("tags[]", "tags") && !is_in("tags2", "tags"));
    }

    #[test]
    fn bars_grow_with_counts_and_nothing_is_blank() {
        let bins = [0, 1, 50, 100].map(|n| Bin {
            low: 0.0,
            high: 0.0,
            n,
            label: String::new(),
        });
        let histogram = Histogram {
            scale: Scale::Linear,
            bins: bins.to_vec(),
        };
        assert_eq!(spark(&histogram), " ▂▅█");
        assert_eq!(short(&Scalar::Float(1.0 / 3.0)), "0.3333");
        assert_eq!(short(&Scalar::Text("x\n".repeat(40))).chars().count(), 25);
    }
}

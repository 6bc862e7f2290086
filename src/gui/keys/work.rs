//! Background work of the Keys tab: counting keys over rows, and what follows for N partitions. Touches no egui.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use polars::prelude::{DataFrame, DataType, PlSmallStr, Schema};

use crate::base::{Accuracy, Cancel, Progress};
use crate::chart::{Picture, loads_picture, top_keys_picture};
use crate::dataset;
use crate::dataset::{FileFormat, origin};
use crate::explore::keys::{KEY_BUDGET_BYTES, count_keys};
use crate::explore::scan::{Scan, ScanLimits, ScanSource};
use crate::explore::{commented, no_join, remedy_steps};
use crate::profile::CostModel;
use crate::profile::keys::{
    CountBudget, DEFAULT_TOP, HashedKeys, KeyCounter, KeyCounts, KeyReport, OfferedRemedy, RankedKey, Remedy,
    SparkType, Weight, default_types, key_field, key_report_among, rank,
};
use crate::session::Source;
use crate::storage::{Store, is_hidden};
use crate::task::{Executor, TaskHandle};
use crate::transform::{Inputs, Recipe, RecipeStep};

/// A key: columns in the order in which Spark hashes them.
pub type KeyColumns = Vec<String>;

/// Which rows are counted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum Scope {
    /// The rows that the Data tab shows.
    #[default]
    Sample,
    Partition,
    All,
}

/// What is counted, over which rows.
#[derive(Debug, Clone, PartialEq)]
pub struct CountKey {
    pub scope: Scope,
    pub keys: Vec<KeyColumns>,
    pub source: Source,
    pub recipe: Recipe,
    /// Of the files that are read; empty for a sample.
    pub prefixes: Vec<String>,
    /// Stamp of the sample's page; 0 for files.
    pub page: u64,
    pub inputs: u64,
    /// Another number counts again.
    pub generation: u64,
}

/// Counts of all candidate keys.
#[derive(Debug, Clone)]
pub struct Counted {
    pub stamp: u64,
    pub scope: Scope,
    pub keys: Vec<KeyColumns>,
    /// Keys that were asked for and have a column that does not come out of the recipe: the others are counted without them.
    pub missing: Vec<KeyColumns>,
    pub counts: Vec<Arc<KeyCounts>>,
    /// Columns after the recipe.
    pub schema: Schema,
    pub accuracy: Accuracy,
    pub n_files_failed: u64,
    /// The rows themselves, where they are in memory: keys of more columns are counted over them when they may help.
    rows: Option<DataFrame>,
}

impl Counted {
    /// Counts of the keys of rows in memory.
    ///
    /// # Errors
    /// A key that is no column, or one that cannot be counted.
    pub fn of_rows(keys: &[KeyColumns], rows: DataFrame, accuracy: Accuracy) -> Result<Self, String> {
        let mut counts = Vec::with_capacity(keys.len());
        for columns in keys {
            let mut counter =
                KeyCounter::new(columns, CountBudget::default()).map_err(|error| error.to_string())?;
            counter.add(&rows).map_err(|error| error.to_string())?;
            counts.push(Arc::new(counter.finish(accuracy)));
        }
        Ok(Self {
            stamp: next_stamp(),
            scope: Scope::Sample,
            keys: keys.to_vec(),
            missing: Vec::new(),
            counts,
            schema: origin::without_hidden(rows.schema()),
            accuracy,
            n_files_failed: 0,
            rows: Some(rows),
        })
    }
}

fn next_stamp() -> u64 {
    static NEXT: AtomicU64 = AtomicU64::new(1);
    NEXT.fetch_add(1, Ordering::Relaxed)
}

/// Counts the keys of rows in memory.
pub fn count_sample(
    tasks: &Executor,
    key: &CountKey,
    df: DataFrame,
    accuracy: Accuracy,
) -> TaskHandle<Counted> {
    let keys = key.keys.clone();
    tasks.spawn("Keys of the sample", move |_| async move {
        tokio::task::spawn_blocking(move || Counted::of_rows(&keys, df, accuracy))
            .await
            .map_err(|error| format!("internal error: {error}"))?
    })
}

/// How the count of files is called in the activity list.
pub const COUNT_LABEL: &str = "Counting keys";

/// Counts the keys of all rows of some files, after the recipe. A cancel gives what was counted before it.
pub fn count_files(
    tasks: &Executor,
    key: &CountKey,
    declared: Option<dataset::Schema>,
    inputs: Inputs,
) -> TaskHandle<Counted> {
    let key = key.clone();
    tasks.spawn(COUNT_LABEL, move |context| async move {
        scan(
            &key,
            declared.as_ref(),
            &inputs,
            &context.cancel,
            &context.progress,
        )
        .await
    })
}

async fn scan(
    key: &CountKey,
    declared: Option<&dataset::Schema>,
    inputs: &Inputs,
    cancel: &Cancel,
    progress: &Progress,
) -> Result<Counted, String> {
    // A place that does not answer must not hold a count that nobody waits for.
    let opened = cancel.until(open(key, declared, inputs, cancel)).await;
    let scan = opened.map_err(|cancelled| cancelled.to_string())??;
    let schema = scan.schema().clone();
    let (keys, missing): (Vec<_>, Vec<_>) = key
        .keys
        .iter()
        .cloned()
        .partition(|columns| missing_column(columns, &schema).is_none());
    if keys.is_empty() {
        let name = missing
            .iter()
            .find_map(|columns| missing_column(columns, &schema));
        return Err(format!(
            "no column and no field `{}` comes out of the recipe's steps",
            name.map_or("", String::as_str)
        ));
    }
    let counted = count_keys(&scan, &keys, KEY_BUDGET_BYTES, cancel, progress)
        .await
        .map_err(|error| error.to_string())?;
    Ok(Counted {
        stamp: next_stamp(),
        scope: key.scope,
        keys,
        missing,
        counts: counted.collected.into_iter().map(Arc::new).collect(),
        schema,
        accuracy: counted.accuracy,
        n_files_failed: counted.n_files_failed,
        rows: None,
    })
}

/// The first column of a key that rows of `schema` do not have: a step that made it may have been taken back.
pub fn missing_column<'a>(columns: &'a [String], schema: &Schema) -> Option<&'a String> {
    columns.iter().find(|name| key_field(schema, name).is_none())
}

async fn open(
    key: &CountKey,
    declared: Option<&dataset::Schema>,
    inputs: &Inputs,
    cancel: &Cancel,
) -> Result<Scan, String> {
    let store = Store::open(&key.source.location, &key.source.connection)
        .await
        .map_err(|error| error.to_string())?;
    let mut objects = Vec::new();
    for prefix in &key.prefixes {
        let listed = store
            .list_all(prefix, cancel)
            .await
            .map_err(|error| error.to_string())?;
        let is_data = |key: &str| FileFormat::of_key(key).is_some() && !is_hidden(key);
        objects.extend(listed.into_iter().filter(|object| is_data(&object.key)));
    }
    objects.sort_unstable_by(|a, b| a.key.cmp(&b.key));
    objects.dedup_by(|a, b| a.key == b.key);
    let partition_of = vec![0; objects.len()];
    let source = ScanSource::open(&store, objects, partition_of, declared, cancel)
        .await
        .map_err(|error| error.to_string())?;
    // One thread is left to the window.
    let defaults = ScanLimits::default();
    let mut scan = Scan::new(source).with_limits(ScanLimits {
        n_threads: defaults.n_threads.saturating_sub(1).max(1),
        ..defaults
    });
    if !key.recipe.steps.is_empty() {
        scan = scan
            .with_recipe(&key.recipe, inputs)
            .map_err(|error| error.to_string())?;
    }
    Ok(scan)
}

/// What is asked of counted keys.
#[derive(Debug, Clone, PartialEq)]
pub struct ReportKey {
    /// Of the counts.
    pub stamp: u64,
    /// The key that is open, among those counted.
    pub open: usize,
    pub n_partitions: u32,
    /// Types in Spark that are not the usual ones, by column.
    pub types: BTreeMap<String, SparkType>,
    pub weight: Weight,
    pub costs: CostModel,
}

/// Everything about the open key for N partitions, ready to draw.
#[derive(Debug)]
pub struct Reported {
    pub key: ReportKey,
    /// The open key, and which rows were counted.
    pub columns: KeyColumns,
    pub scope: Scope,
    pub report: KeyReport,
    pub ranking: Vec<RankedKey>,
    pub loads: Picture,
    pub top: Picture,
    /// By remedy: the steps that it is, none for advice, or why it cannot be written.
    pub steps: Vec<Result<Option<Vec<RecipeStep>>, String>>,
    /// By column of the open key: its name, our type, and the types that it may have in Spark.
    pub choices: Vec<(String, DataType, Vec<SparkType>)>,
    /// Candidates that Spark cannot hash, with the reason.
    pub refused: Vec<String>,
    /// Columns that are not in the open key.
    pub other_columns: Vec<String>,
    /// Why no step can join by the open key, where that is so.
    pub no_join: Option<String>,
    hashed: Vec<HashedKeys>,
    /// The open key with one more column each, counted over rows in memory once they were asked for.
    widened: Option<Vec<HashedKeys>>,
}

/// Bars of the most frequent keys.
const N_TOP: usize = 12;

/// Computes the report. Hashes of `before` are taken over where only N changed.
pub fn report(
    tasks: &Executor,
    key: &ReportKey,
    counted: Counted,
    before: Option<Arc<Reported>>,
) -> TaskHandle<Arc<Reported>> {
    let key = key.clone();
    tasks.spawn("Simulating partitions", move |_| async move {
        tokio::task::spawn_blocking(move || reported(key, &counted, before.as_deref()).map(Arc::new))
            .await
            .map_err(|error| format!("internal error: {error}"))?
    })
}

pub(super) fn reported(
    key: ReportKey,
    counted: &Counted,
    before: Option<&Reported>,
) -> Result<Reported, String> {
    let same = before.filter(|before| before.key.stamp == key.stamp && before.key.types == key.types);
    let (hashed, refused) = match same {
        Some(before) => (before.hashed.clone(), before.refused.clone()),
        None => hashed(counted, &key.types),
    };
    let columns = counted.keys.get(key.open).ok_or("the key is not counted")?;
    let is_open = |keys: &&HashedKeys| keys.counts().columns().iter().map(|(name, _)| name).eq(columns);
    let Some(open) = hashed.iter().find(is_open) else {
        return Err(refused
            .first()
            .cloned()
            .unwrap_or_else(|| "the key is not counted".to_owned()));
    };
    let profile = match same.filter(|before| before.key.open == key.open) {
        Some(before) => before.report.profile.clone(),
        None => open.profile(DEFAULT_TOP),
    };
    let told = |others: &[HashedKeys]| {
        key_report_among(
            open,
            profile.clone(),
            key.n_partitions,
            key.weight,
            &key.costs,
            others,
        )
    };
    let mut report = told(&hashed);
    let mut widened = same
        .filter(|before| before.key.open == key.open)
        .and_then(|before| before.widened.clone());
    let lacks_column = |offered: &OfferedRemedy| matches!(&offered.remedy, Remedy::CompoundKey { added, .. } if added.is_empty());
    if report.remedies.iter().any(lacks_column)
        && let Some(rows) = &counted.rows
    {
        let wider = widened.get_or_insert_with(|| widened_keys(open, rows, counted.accuracy));
        report = told(&[hashed.as_slice(), wider.as_slice()].concat());
    }
    let steps = report
        .remedies
        .iter()
        .map(|offered| {
            let steps = remedy_steps(&offered.remedy, &counted.schema)?;
            Ok(steps.map(|steps| commented(steps, columns, key.n_partitions, &offered.title)))
        })
        .collect();
    let choices = open.counts().type_choices();
    let is_other = |name: &&PlSmallStr| !columns.iter().any(|column| column == name.as_str());
    let other_columns = counted
        .schema
        .iter_names()
        .filter(is_other)
        .map(ToString::to_string)
        .collect();
    Ok(Reported {
        columns: columns.clone(),
        scope: counted.scope,
        no_join: no_join(columns, &counted.schema),
        ranking: rank(&hashed, key.n_partitions, key.weight, &key.costs),
        loads: loads_picture(&report.partitions, &report.partitions.accuracy.to_string()),
        top: top_keys_picture(&report.profile, N_TOP, &report.profile.accuracy.to_string()),
        key,
        report,
        steps,
        choices,
        refused,
        other_columns,
        hashed,
        widened,
    })
}

/// Most columns that are tried beside those of a key.
const MAX_TRIED: usize = 24;

/// The open key with each further column of plain values, counted over rows in memory. A column that cannot be counted is
/// none that helps.
fn widened_keys(open: &HashedKeys, rows: &DataFrame, accuracy: Accuracy) -> Vec<HashedKeys> {
    let columns: Vec<String> = open
        .counts()
        .columns()
        .iter()
        .map(|(name, _)| name.clone())
        .collect();
    let is_plain = |dtype: &DataType| !dtype.is_nested() && !dtype.is_float() && *dtype != DataType::Null;
    let further = rows.columns().iter().filter(|column| {
        let name = column.name().as_str();
        is_plain(column.dtype()) && !origin::is_hidden(name) && !columns.iter().any(|own| own == name)
    });
    further
        .take(MAX_TRIED)
        .filter_map(|column| {
            let mut wider = columns.clone();
            wider.push(column.name().to_string());
            let mut counter = KeyCounter::new(&wider, CountBudget::default()).ok()?;
            counter.add(rows).ok()?;
            let counts = Arc::new(counter.finish(accuracy));
            let mut of_columns = open.types().to_vec();
            of_columns.extend(default_types(&counts).ok()?.into_iter().skip(columns.len()));
            HashedKeys::new(counts, of_columns).ok()
        })
        .collect()
}

fn hashed(counted: &Counted, types: &BTreeMap<String, SparkType>) -> (Vec<HashedKeys>, Vec<String>) {
    let (mut hashed, mut refused) = (Vec::new(), Vec::new());
    for counts in &counted.counts {
        let made = default_types(counts)
            .map_err(|error| error.to_string())
            .and_then(|mut of_columns| {
                for ((name, _), of_column) in counts.columns().iter().zip(&mut of_columns) {
                    if let Some(chosen) = types.get(name) {
                        *of_column = chosen.clone();
                    }
                }
                HashedKeys::new(Arc::clone(counts), of_columns).map_err(|error| error.to_string())
            });
        match made {
            Ok(keys) => hashed.push(keys),
            Err(reason) => refused.push(reason),
        }
    }
    (hashed, refused)
}

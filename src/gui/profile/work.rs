//! Background work of the Profile tab: profiles, baselines, comparisons and the schema map. Touches no egui.

use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use super::facts::{ColumnFacts, Profiled};
use crate::base::{Accuracy, Cancel, Progress, units};
use crate::explore::scan::{Scan, ScanLimits, ScanSource};
use crate::explore::{MapChoice, objects_of};
use crate::profile::columns::Level;
use crate::profile::drift::{Baseline, Drift};
use crate::profile::schema_map::SchemaMap;
use crate::session::Source;
use crate::storage::{DatasetKeys, Partition, Store};
use crate::task::{Executor, TaskHandle};
use crate::transform::{Inputs, Recipe};

/// Rows of a file and files of a partition that a sample has.
pub const SAMPLE_ROWS: u64 = 1000;
pub const SAMPLE_FILES: usize = 4;

/// Which rows are profiled, and how.
#[derive(Debug, Clone, PartialEq)]
pub struct ProfileKey {
    pub source: Source,
    /// Prefix of the dataset.
    pub dataset: String,
    pub partitions: Vec<Partition>,
    /// As people call them: `2020-01-09`, `all 13 days`.
    pub label: String,
    /// None for rows as they are read.
    pub recipe: Option<Recipe>,
    /// Stamp of the opened inputs of the recipe.
    pub inputs: u64,
    pub is_sample: bool,
    pub level: Level,
}

impl ProfileKey {
    /// `2020-01-09, raw rows`
    pub fn said(&self) -> String {
        let rows = match &self.recipe {
            None => "raw rows",
            Some(_) => "after the recipe",
        };
        format!("{}, {rows}", self.label)
    }
}

fn next_stamp() -> u64 {
    static NEXT: AtomicU64 = AtomicU64::new(1);
    NEXT.fetch_add(1, Ordering::Relaxed)
}

/// Profiles every column. A cancel gives what was computed before it.
pub fn profile(
    tasks: &Executor,
    key: &ProfileKey,
    keys: DatasetKeys,
    inputs: Inputs,
) -> TaskHandle<Arc<Profiled>> {
    let key = key.clone();
    tasks.spawn(format!("Profile of {}", key.said()), move |context| async move {
        run(&key, &keys, &inputs, &context.cancel, &context.progress)
            .await
            .map(Arc::new)
    })
}

async fn run(
    key: &ProfileKey,
    keys: &DatasetKeys,
    inputs: &Inputs,
    cancel: &Cancel,
    progress: &Progress,
) -> Result<Profiled, String> {
    // A place that does not answer must not hold a profile that nobody waits for.
    let opened = cancel.until(open(key, keys, inputs, cancel)).await;
    let (scan, leaves_files_out) = opened.map_err(|cancelled| cancelled.to_string())??;
    // What steps make of the columns has types of its own.
    let conflicts = match &key.recipe {
        None => scan.source().conflicts().to_vec(),
        Some(_) => Vec::new(),
    };
    let scanned = scan
        .profile_columns(key.level, cancel, progress)
        .await
        .map_err(|error| error.to_string())?;
    let accuracy = match scanned.accuracy {
        Accuracy::Exact if leaves_files_out => Accuracy::Sample {
            n: scanned.n_rows,
            of: None,
        },
        accuracy => accuracy,
    };
    progress.set_note(format!("{} · {accuracy}", units::plural(scanned.n_rows, "row")));
    let mut columns: Vec<ColumnFacts> = scanned.collected.iter().map(ColumnFacts::new).collect();
    for facts in &mut columns {
        facts.mix(&conflicts);
    }
    Ok(Profiled {
        columns,
        baseline: Baseline::of_columns(&place(key), accuracy, scanned.n_rows, &scanned.collected),
        n_rows: scanned.n_rows,
        n_files: scanned.n_files,
        n_files_failed: scanned.n_files_failed,
        n_rejects: scanned.n_rejects(),
        failed_files: scanned.failed_files,
        accuracy,
        stamp: next_stamp(),
    })
}

/// The pass over the rows, and whether it leaves files out.
async fn open(
    key: &ProfileKey,
    keys: &DatasetKeys,
    inputs: &Inputs,
    cancel: &Cancel,
) -> Result<(Scan, bool), String> {
    let store = Store::open(&key.source.location, &key.source.connection)
        .await
        .map_err(|error| error.to_string())?;
    let files = key.is_sample.then_some(SAMPLE_FILES);
    let chosen = objects_of(&store, keys, &key.partitions, files, cancel)
        .await
        .map_err(|error| error.to_string())?;
    let leaves_files_out = chosen.is_sample();
    let source = ScanSource::open(&store, chosen.objects, chosen.partition_of, None, cancel)
        .await
        .map_err(|error| error.to_string())?;
    // One thread is left to the window.
    let defaults = ScanLimits::default();
    let mut scan = Scan::new(source).with_limits(ScanLimits {
        n_threads: defaults.n_threads.saturating_sub(1).max(1),
        rows_per_object: key.is_sample.then_some(SAMPLE_ROWS),
        ..defaults
    });
    if let Some(recipe) = &key.recipe {
        scan = scan
            .with_recipe(recipe, inputs)
            .map_err(|error| error.to_string())?;
    }
    Ok((scan, leaves_files_out))
}

/// Where the rows are, for a baseline: `s3://lake/raw/ 2020-01-05, raw rows`.
fn place(key: &ProfileKey) -> String {
    format!("{} {}", key.source.location.join(&key.dataset), key.said())
}

/// What a profile is compared with: another profile, or a file.
#[derive(Debug, Clone, PartialEq)]
pub enum AgainstKey {
    Rows(Box<ProfileKey>),
    File(PathBuf),
}

/// The other side of a comparison, with a number that no other has.
#[derive(Debug, Clone)]
pub struct Against {
    pub baseline: Arc<Baseline>,
    pub stamp: u64,
}

/// Reads a baseline file.
pub fn read_baseline(tasks: &Executor, path: PathBuf) -> TaskHandle<Against> {
    tasks.spawn(format!("Opening {}", path.display()), move |_| async move {
        let text = tokio::fs::read_to_string(&path)
            .await
            .map_err(|error| format!("{}: {error}", path.display()))?;
        let baseline = tokio::task::spawn_blocking(move || {
            Baseline::from_text(&text).map_err(|error| format!("{}:{error}", path.display()))
        })
        .await
        .map_err(|error| format!("internal error: {error}"))??;
        Ok(Against {
            baseline: Arc::new(baseline),
            stamp: next_stamp(),
        })
    })
}

/// Profiles the rows to compare with.
pub fn profile_against(
    tasks: &Executor,
    key: &ProfileKey,
    keys: DatasetKeys,
    inputs: Inputs,
) -> TaskHandle<Against> {
    let key = key.clone();
    tasks.spawn(format!("Baseline of {}", key.said()), move |context| async move {
        let profiled = run(&key, &keys, &inputs, &context.cancel, &context.progress).await?;
        Ok(Against {
            baseline: Arc::new(profiled.baseline),
            stamp: next_stamp(),
        })
    })
}

/// Compares two profiles.
pub fn compare(tasks: &Executor, before: Arc<Baseline>, after: Arc<Profiled>) -> TaskHandle<Arc<Drift>> {
    tasks.spawn("Comparing two profiles", move |_| async move {
        tokio::task::spawn_blocking(move || Arc::new(Drift::between(&before, &after.baseline)))
            .await
            .map_err(|error| format!("internal error: {error}"))
    })
}

/// Writes a baseline. Returns the path as text.
pub fn save_baseline(tasks: &Executor, path: PathBuf, profiled: Arc<Profiled>) -> TaskHandle<String> {
    tasks.spawn(format!("Saving {}", path.display()), move |_| async move {
        let text = profiled.baseline.to_text().map_err(|error| error.to_string())?;
        tokio::fs::write(&path, text)
            .await
            .map(|()| path.display().to_string())
            .map_err(|error| format!("{}: {error}", path.display()))
    })
}

/// What a schema map is read from.
#[derive(Debug, Clone, PartialEq)]
pub struct MapKey {
    pub source: Source,
    pub dataset: String,
    pub choice: MapChoice,
    /// Another number reads again.
    pub generation: u64,
}

/// Reads the schema map, showing what is there so far.
pub fn schema_map(tasks: &Executor, key: &MapKey, keys: DatasetKeys) -> TaskHandle<Arc<SchemaMap>> {
    let key = key.clone();
    let label = format!("Schema map of {}", key.source.location.join(&key.dataset));
    tasks.spawn(label, move |context| async move {
        let opened = Store::open(&key.source.location, &key.source.connection);
        let store = context.cancel.until(opened).await;
        let store = store
            .map_err(|cancelled| cancelled.to_string())?
            .map_err(|error| error.to_string())?;
        let mut show = |map: SchemaMap| context.send_partial(Arc::new(map));
        let map = crate::explore::schema_map(
            &store,
            &keys,
            key.choice,
            Some(&mut show),
            &context.progress,
            &context.cancel,
        )
        .await
        .map_err(|error| error.to_string())?;
        context
            .progress
            .set_note(units::plural(map.keys.len() as u64, "key"));
        Ok(Arc::new(map))
    })
}

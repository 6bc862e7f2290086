//! Background work of the window: listing, reading a page, exploring, exporting, running. Touches no egui.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use futures::stream::StreamExt;
use polars::prelude::DataFrame;

use super::job_facts::{FactsKey, JobFacts};
use super::listed::Listed;
use super::slots::{InputRequest, InputsKey, OpenedInputs, PageKey, ReadPage};
use crate::base::{Accuracy, Cancel};
use crate::dataset::infer::infer;
use crate::dataset::{InputSpec, Page, SampleChoice, Schema, declare};
use crate::explore::{
    Explored, Explorer, Schemas, Suggestion, TestInputs, given_rows, page_rows, test_from_rows, test_inputs,
};
use crate::job::{Job, Params};
use crate::run::RunOptions;
use crate::session::{Document, Source};
use crate::storage::{Connection, Inventory, Location, Object, StorageError, Store, is_hidden};
use crate::task::{Context, Executor, TaskHandle};
use crate::transform::{FitSource, Inputs, Recipe, RecipeFile, RecipeTest};

/// How often a listing under way is shown.
const SHOW_EVERY: Duration = Duration::from_millis(250);
/// Objects looked at for one page: enough for a stratified sample of a large partition.
const MAX_PAGE_OBJECTS: usize = 20_000;
/// Objects of one partition that a spread sample draws from: a few requests each.
const MAX_STRATUM_OBJECTS: usize = 3000;
/// Partitions listed at once.
const CONCURRENT_LISTS: usize = 8;
/// Objects of each partition that may say the schema.
const MAX_SCHEMA_OBJECTS: usize = 50;

/// Lists a source from its root, showing what is there so far.
pub fn list(tasks: &Executor, source: &Source) -> TaskHandle<Arc<Listed>> {
    let source = source.clone();
    tasks.spawn(
        format!("Listing {}", source.location),
        move |context| async move {
            list_source(&source, &context)
                .await
                .map_err(|error| error.to_string())
        },
    )
}

async fn list_source(source: &Source, context: &Context<Arc<Listed>>) -> Result<Arc<Listed>, StorageError> {
    let store = Store::open(&source.location, &source.connection).await?;
    let mut inventory = Inventory::default().listed_at(chrono::Utc::now(), store.is_s3());
    let place = source.location.name();
    let mut shown = Instant::now();
    let mut on_page = |page: Vec<Object>| {
        inventory.add(&page);
        context.progress.add_done(page.len() as u64);
        context
            .progress
            .add_bytes(page.iter().map(|object| object.size).sum());
        context.progress.set_note(format!(
            "{} keys so far",
            crate::base::units::count(inventory.n_files())
        ));
        if shown.elapsed() >= SHOW_EVERY {
            context.send_partial(Listed::new(&place, &inventory, false));
            shown = Instant::now();
        }
    };
    let ended = store.list("", &context.cancel, &mut on_page).await;
    if let Err(error) = ended {
        // What was listed before a stop stays to be seen, marked as partial.
        if inventory.n_files() > 0 {
            context.send_partial(Listed::new(&place, &inventory, false));
        }
        return Err(error);
    }
    let n_files = inventory.n_files();
    context
        .progress
        .set_note(format!("{} keys", crate::base::units::count(n_files)));
    inventory.finish(&store, &context.cancel).await?;
    Ok(Listed::new(&place, &inventory, true))
}

/// Reads rows of one partition, or of a whole dataset.
pub fn read_page(tasks: &Executor, key: &PageKey, label: &str) -> TaskHandle<ReadPage> {
    let key = key.clone();
    tasks.spawn(format!("Rows of {label}"), move |context| async move {
        let page = page_of(&key, &context.cancel).await?;
        context
            .progress
            .set_note(crate::base::units::plural(page.df.height() as u64, "row"));
        let characters = characters_of(&page);
        Ok(ReadPage {
            stamp: key.generation << 20 ^ next_stamp(),
            page: Arc::new(page),
            characters,
        })
    })
}

/// A number that no other page of this process has.
fn next_stamp() -> u64 {
    static NEXT: std::sync::atomic::AtomicU64 = std::sync::atomic::AtomicU64::new(1);
    NEXT.fetch_add(1, std::sync::atomic::Ordering::Relaxed)
}

async fn page_of(key: &PageKey, cancel: &Cancel) -> Result<Page, String> {
    let store = Store::open(&key.source.location, &key.source.connection)
        .await
        .map_err(|error| error.to_string())?;
    match key.sample {
        SampleChoice::Head { n_rows } => head_page(&store, key, n_rows, cancel).await,
        SampleChoice::Spread { .. } => spread_page(&store, key, cancel).await,
    }
}

async fn head_page(store: &Store, key: &PageKey, n_rows: usize, cancel: &Cancel) -> Result<Page, String> {
    let mut objects = Vec::new();
    for prefix in &key.prefixes {
        objects.extend(head_of(store, prefix, MAX_PAGE_OBJECTS, cancel).await?);
        if objects.len() >= MAX_PAGE_OBJECTS {
            break;
        }
    }
    let declared = schema_of(store, key, &objects, cancel).await?;
    let page = Page::read(store, &objects, declared.as_ref(), n_rows, cancel)
        .await
        .map_err(|error| error.to_string())?;
    Ok(if objects.len() >= MAX_PAGE_OBJECTS {
        page.of_unknown_totals()
    } else {
        page
    })
}

/// Some files of every partition. Of a large one the first thousands of files are drawn from.
async fn spread_page(store: &Store, key: &PageKey, cancel: &Cancel) -> Result<Page, String> {
    let strata = &key.strata;
    let lists = strata.prefixes.iter().map(|prefixes| async move {
        let mut objects = Vec::new();
        for prefix in prefixes {
            objects.extend(head_of(store, prefix, MAX_STRATUM_OBJECTS, cancel).await?);
        }
        Ok::<_, String>(objects)
    });
    let mut lists = futures::stream::iter(lists.collect::<Vec<_>>()).buffered(CONCURRENT_LISTS);
    let (mut objects, mut partition_of) = (Vec::new(), Vec::new());
    let mut number = 0;
    while let Some(listed) = lists.next().await {
        let listed = listed?;
        partition_of.extend(std::iter::repeat_n(number, listed.len()));
        objects.extend(listed);
        number += 1;
    }
    let declared = schema_of(store, key, &objects, cancel).await?;
    // The partitions were chosen already, so that only those were listed.
    let page = Page::sample(
        store,
        &objects,
        &partition_of,
        declared.as_ref(),
        key.sample,
        cancel,
    )
    .await
    .map_err(|error| error.to_string())?;
    Ok(page.of_listed(strata.n_files, strata.n_bytes, strata.n_partitions))
}

/// The schema of the whole dataset, from some files of partitions spread over it and of those that are shown. None where
/// there is nothing to infer: Parquet carries its own, and reading the page tells what is wrong with other files.
async fn schema_of(
    store: &Store,
    key: &PageKey,
    shown: &[Object],
    cancel: &Cancel,
) -> Result<Option<Schema>, String> {
    let heads = key
        .schema_prefixes
        .iter()
        .map(|prefix| head_of(store, prefix, MAX_SCHEMA_OBJECTS, cancel));
    let mut objects = shown.iter().take(MAX_SCHEMA_OBJECTS).cloned().collect::<Vec<_>>();
    for head in futures::future::join_all(heads).await {
        objects.extend(head?.into_iter().take(MAX_SCHEMA_OBJECTS));
    }
    objects.sort_unstable_by(|a, b| a.key.cmp(&b.key));
    objects.dedup_by(|a, b| a.key == b.key);
    match infer(store, &objects, cancel).await {
        Ok(inferred) => Ok(Some(inferred.schema)),
        Err(_) if cancel.is_cancelled() => Err("cancelled".to_owned()),
        Err(_) => Ok(None),
    }
}

/// The first objects below `prefix`: listing stops early once there are plenty, for a page needs a sample of them.
async fn head_of(store: &Store, prefix: &str, n: usize, cancel: &Cancel) -> Result<Vec<Object>, String> {
    let mut objects: Vec<Object> = Vec::new();
    let enough = Cancel::new();
    let mut on_page = |page: Vec<Object>| {
        objects.extend(page.into_iter().filter(|object| !is_hidden(&object.key)));
        if objects.len() >= n || cancel.is_cancelled() {
            enough.cancel();
        }
    };
    match store.list(prefix, &enough, &mut on_page).await {
        Ok(()) => Ok(objects),
        Err(StorageError::Cancelled) if !cancel.is_cancelled() => Ok(objects),
        Err(error) => Err(error.to_string()),
    }
}

/// Distinct characters that the built-in faces may lack. A few hundred tell which scripts there are.
fn characters_of(page: &Page) -> BTreeSet<char> {
    const MAX: usize = 400;
    let mut found = BTreeSet::new();
    for column in page.df.columns() {
        let Ok(strings) = column.str() else { continue };
        for text in strings.iter().flatten().take(200) {
            found.extend(text.chars().take(400).filter(|c| u32::from(*c) > 0x024F));
            if found.len() >= MAX {
                return found;
            }
        }
    }
    found
}

/// Opens the inputs of a recipe, a bounded number of rows of each.
pub fn open_inputs(tasks: &Executor, key: &InputsKey) -> TaskHandle<OpenedInputs> {
    let key = key.clone();
    let names: Vec<&str> = key.inputs.keys().map(String::as_str).collect();
    tasks.spawn(
        format!("Opening {}", names.join(", ")),
        move |context| async move {
            let inputs = crate::explore::open_inputs(&key.inputs, key.day, &key.base, &context.cancel).await;
            Ok(OpenedInputs {
                stamp: next_stamp(),
                inputs,
            })
        },
    )
}

/// Files that may say the schema of a second dataset.
const MAX_INPUT_OBJECTS: usize = 200;

/// Looks at a second dataset: where its days are, its format and its schema.
pub fn declare_input(tasks: &Executor, request: &InputRequest) -> TaskHandle<InputSpec> {
    let request = request.clone();
    tasks.spawn(
        format!("Looking at {}", request.location),
        move |context| async move { declared(&request, &context.cancel).await },
    )
}

async fn declared(request: &InputRequest, cancel: &Cancel) -> Result<InputSpec, String> {
    let location: Location = request
        .location
        .parse()
        .map_err(|error: crate::storage::LocationError| error.to_string())?;
    let location = match location {
        Location::Local(path) => Location::Local(std::path::absolute(&path).unwrap_or(path)),
        s3 @ Location::S3 { .. } => s3,
    };
    let connection = if location.is_s3() {
        request.connection.clone()
    } else {
        Connection::default()
    };
    let store = Store::open(&location, &connection)
        .await
        .map_err(|error| error.to_string())?;
    let objects = head_of(&store, "", MAX_INPUT_OBJECTS, cancel).await?;
    let mut inventory = Inventory::new(&location);
    inventory.add(&objects);
    let datasets: Vec<_> = inventory.datasets().collect();
    let dataset = match datasets.as_slice() {
        [] => return Err(format!("{location}: no data files here")),
        [only] => *only,
        several => {
            let below = several
                .iter()
                .map(|dataset| location.join(&dataset.prefix).to_string());
            let below: Vec<String> = below.collect();
            return Err(format!(
                "several datasets are here: give one of {}",
                below.join(", ")
            ));
        }
    };
    let spec = declare(&store, &objects, cancel)
        .await
        .map_err(|error| error.to_string())?;
    let uri = if store.is_one_object() {
        location.to_string()
    } else {
        crate::session::input_uri(&location, dataset, request.day)
    };
    Ok(InputSpec {
        uri,
        pattern: None,
        format: spec.format,
        connection,
        schema: spec.schema,
    })
}

/// What a recipe is explored on: rows with the number that stands for them, and what they are called.
pub struct ExploreOn {
    pub read: ReadPage,
    pub inputs: Inputs,
    /// Where the rows come from, for steps that learn from them.
    pub from: String,
}

impl ExploreOn {
    fn source(&self) -> FitSource {
        FitSource {
            from: self.from.clone(),
            at: chrono::Utc::now(),
        }
    }
}

/// Runs the recipe on a page.
pub fn start_explore(
    tasks: &Executor,
    explorer: &Arc<Mutex<Explorer>>,
    on: ExploreOn,
    recipe: Recipe,
    shown_step: Option<usize>,
) -> TaskHandle<Explored> {
    let n_steps = shown_step.unwrap_or(recipe.steps.len());
    let label = match shown_step {
        Some(n) => format!("Steps 1 to {n}"),
        None => "Recipe on the sample".to_owned(),
    };
    with_explorer(tasks, label, explorer, move |explorer, cancel| {
        let source = on.source();
        let (stamp, page) = (on.read.stamp, on.read.page);
        explorer
            .explore(stamp, &page, &recipe, n_steps, &on.inputs, &source, cancel)
            .map_err(|error| error.to_string())
    })
}

/// Computing blocks, so it has a thread of its own; the explorer is never locked by the window.
fn with_explorer<T: Send + 'static>(
    tasks: &Executor,
    label: String,
    explorer: &Arc<Mutex<Explorer>>,
    work: impl FnOnce(&mut Explorer, &Cancel) -> Result<T, String> + Send + 'static,
) -> TaskHandle<T> {
    let explorer = Arc::clone(explorer);
    tasks.spawn(label, move |context| async move {
        tokio::task::spawn_blocking(move || {
            // The exploration before this one was cancelled, and ends with its present step.
            let mut explorer = explorer.lock().unwrap_or_else(|poisoned: PoisonError<_>| {
                let mut explorer = poisoned.into_inner();
                *explorer = Explorer::default();
                explorer
            });
            work(&mut explorer, &context.cancel)
        })
        .await
        .map_err(|error| format!("internal error: {error}"))?
    })
}

/// Steps that the rows ask for.
pub fn suggest(tasks: &Executor, df: DataFrame, accuracy: Accuracy) -> TaskHandle<Vec<Suggestion>> {
    tasks.spawn("Suggestions for the columns", move |context| async move {
        tokio::task::spawn_blocking(move || crate::explore::suggest(&df, accuracy, &context.cancel))
            .await
            .map_err(|error| format!("internal error: {error}"))?
            .map_err(|cancelled| cancelled.to_string())
    })
}

/// What the Job tab tells of the recipe besides the spec.
pub fn job_facts(tasks: &Executor, page: Arc<Page>, key: &FactsKey) -> TaskHandle<JobFacts> {
    let key = key.clone();
    tasks.spawn("Contract and Python of the job", move |_| async move {
        tokio::task::spawn_blocking(move || super::job_facts::facts(&page, &key))
            .await
            .map_err(|error| format!("internal error: {error}"))
    })
}

/// A test, and what it leaves out of the data, a sentence each.
#[derive(Debug, Clone)]
pub struct MadeTest {
    pub test: RecipeTest,
    pub left_out: Vec<String>,
}

/// Makes a test of some rows of a page, or of those that the shown rows came from, where their origins are given: what
/// the steps make of them now is what it expects.
pub fn make_test(
    tasks: &Executor,
    name: String,
    page: Arc<Page>,
    recipe: Recipe,
    (inputs, opened): (BTreeMap<String, Schema>, Inputs),
    (rows, origins): (Range<usize>, Option<DataFrame>),
) -> TaskHandle<MadeTest> {
    tasks.spawn("Making a test", move |_| async move {
        tokio::task::spawn_blocking(move || {
            let schema = page.declared.as_ref().ok_or(NO_RECORDS)?;
            let rows = match origins {
                Some(origins) => page_rows(&page, &origins, rows).map_err(|error| error.to_string())?,
                None => rows.collect(),
            };
            if rows.is_empty() {
                return Err(
                    "these rows come from a second dataset, and from no record of this one".to_owned(),
                );
            }
            let given = given_rows(&page, rows).ok_or(NO_RECORDS)?;
            let declared = Schemas {
                schema,
                inputs: &inputs,
            };
            let TestInputs { records, left_out } = test_inputs(&recipe, declared, &opened, &given);
            let test = test_from_rows(&name, &recipe, declared, given, records)?;
            Ok(MadeTest { test, left_out })
        })
        .await
        .map_err(|error| format!("internal error: {error}"))?
    })
}

const NO_RECORDS: &str = "tests are made of JSON Lines records, and this dataset is Parquet";

/// Writes the spec. Returns the path as text.
pub fn export(tasks: &Executor, path: PathBuf, text: String) -> TaskHandle<String> {
    tasks.spawn(format!("Export {}", path.display()), move |_| async move {
        tokio::fs::write(&path, text)
            .await
            .map(|()| path.display().to_string())
            .map_err(|error| format!("{}: {error}", path.display()))
    })
}

/// Runs a checked spec. The report is the JSON that `skewer run --json` prints.
pub fn run(
    tasks: &Executor,
    spec: String,
    base: PathBuf,
    days: String,
    is_replacing: bool,
) -> TaskHandle<serde_json::Value> {
    tasks.spawn(super::apply::RUN_LABEL, move |context| async move {
        let job = Job::from_text(&spec, &base).map_err(|error| error.to_string())?;
        let params = Params::parse(&[("day", &days)]).map_err(|error| error.to_string())?;
        let options = RunOptions {
            replace: is_replacing,
            ..RunOptions::default()
        };
        let report = crate::run::run(&job, &params, &options, &context.progress, &context.cancel)
            .await
            .map_err(|error| error.to_string())?;
        serde_json::to_value(&report).map_err(|error| error.to_string())
    })
}

/// Reads a session file.
pub fn open_session(tasks: &Executor, path: PathBuf) -> TaskHandle<Document> {
    tasks.spawn(format!("Opening {}", path.display()), move |_| async move {
        tokio::task::spawn_blocking(move || crate::session::load(&path))
            .await
            .map_err(|error| error.to_string())?
            .map_err(|error| error.to_string())
    })
}

/// Reads the steps of a recipe file, a job spec or a session.
pub fn open_recipe(tasks: &Executor, path: PathBuf) -> TaskHandle<RecipeFile> {
    tasks.spawn(format!("Opening {}", path.display()), move |_| async move {
        tokio::task::spawn_blocking(move || crate::session::load_recipe(&path))
            .await
            .map_err(|error| error.to_string())?
            .map_err(|error| error.to_string())
    })
}

/// The sample data: the checkout's, or a copy in the cache that is made when it is not there.
pub fn sample_data(tasks: &Executor, cache: PathBuf) -> TaskHandle<PathBuf> {
    tasks.spawn("Sample data", move |context| async move {
        tokio::task::spawn_blocking(move || find_or_write_sample(&cache, &context.cancel))
            .await
            .map_err(|error| format!("internal error: {error}"))?
    })
}

fn find_or_write_sample(cache: &Path, cancel: &Cancel) -> Result<PathBuf, String> {
    let here = PathBuf::from("sample_data");
    if here.join("raw").is_dir() {
        return Ok(here);
    }
    let folder = cache.join("sample_data");
    // The generator writes its job last: a folder that holds it holds the whole lake.
    if !folder.join("jobs/job_features.yaml").is_file() {
        crate::sample::write(&folder, cancel).map_err(|error| error.to_string())?;
    }
    Ok(folder)
}

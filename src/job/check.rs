//! A spec resolved once: places, templates, globs, the compiled plan. What is here can run without a second check.

use std::collections::BTreeMap;
use std::num::NonZeroUsize;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use chrono::NaiveDate;
use globset::{GlobBuilder, GlobMatcher};
use sha2::{Digest, Sha256};

use super::{
    BudgetSpec, Compression, FormatSpec, JobError, JobSpec, LimitsSpec, SinkLayout, SpecError, Template,
    output,
};
use crate::dataset::decode::{DecodeOptions, Decoder};
use crate::dataset::{FileFormat, InputSource, Schema};
use crate::storage::{Connection, Location, is_hidden};
use crate::transform::{Input, Inputs, Plan};

/// A job that was checked.
#[derive(Debug, Clone)]
pub struct Job {
    pub spec: JobSpec,
    pub spec_sha256: String,
    /// See [`JobSpec::logic_sha256`].
    pub logic_sha256: String,
    /// SHA-256 of the names and types of the table's columns, in their order.
    pub columns_sha256: String,
    pub source: Source,
    /// Second datasets, by the name that steps use.
    pub inputs: BTreeMap<String, InputSource>,
    /// From the declared fields to the columns of the table.
    pub plan: Plan,
    pub sink: Sink,
    pub budget: BudgetSpec,
    pub limits: LimitsSpec,
    /// What other readers of the table will see differently.
    pub warnings: Vec<String>,
}

/// Where records are read from.
#[derive(Debug, Clone)]
pub struct Source {
    /// What every day's place shares.
    pub root: Location,
    /// A day's folder or object, relative to `root`.
    pub day: Template,
    pub connection: Connection,
    pub schema: Arc<Schema>,
    pub decode: DecodeOptions,
    pattern: GlobMatcher,
}

/// Where the table is written.
#[derive(Debug, Clone)]
pub struct Sink {
    pub table: String,
    pub root: Location,
    /// Commits, staging, quarantine and reports.
    pub control: Location,
    pub connection: Connection,
    pub rows_per_file: NonZeroUsize,
    /// None cuts row groups by bytes.
    pub row_group_rows: Option<NonZeroUsize>,
    pub compression: Compression,
    pub layout: SinkLayout,
    /// Whether a list of each day's parts is kept.
    pub manifest: bool,
    partition_name: String,
    partition_value: Template,
}

impl Job {
    /// Checks `spec`; relative places are relative to `base`, the spec's own folder. Reads no data.
    ///
    /// # Errors
    /// The first [`JobError`].
    pub fn new(spec: JobSpec, base: &Path) -> Result<Self, JobError> {
        check_engine(&spec)?;
        check_name("metadata.name", &spec.metadata.name)?;
        if let Some(name) = spec.params.keys().find(|name| *name != "day") {
            return Err(JobError::Param { name: name.clone() });
        }
        if spec.params.is_empty() {
            return Err(JobError::NoDay);
        }
        let base = absolute(base);
        let source = Source::new(&spec, &base)?;
        let sink = Sink::new(&spec, &base)?;
        let inputs = inputs(&spec, &base)?;
        check_limits(&spec)?;
        let mut declared = Inputs::default();
        for (name, input) in &inputs {
            declared.insert(name, Input::declared(input.schema.to_polars()));
        }
        let plan = spec
            .steps
            .compile(spec.steps.steps.len(), &source.schema.to_polars(), &declared)?;
        if plan.output().is_empty() {
            return Err(JobError::NoColumns);
        }
        if plan.output().get(&sink.partition_name).is_some() {
            return Err(JobError::PartitionColumn {
                name: sink.partition_name,
            });
        }
        let warnings = output::check(plan.output())?;
        let job = Self {
            spec_sha256: spec.sha256(),
            logic_sha256: spec.logic_sha256(),
            columns_sha256: columns_sha256(plan.output()),
            budget: spec.errors.budget,
            limits: spec.limits,
            source,
            inputs,
            plan,
            sink,
            warnings,
            spec,
        };
        job.check_overlap(NaiveDate::default())?;
        Ok(job)
    }

    /// Reads and checks a spec in one go, with places in both kinds of errors.
    ///
    /// # Errors
    /// [`SpecError`] with the line and column of what does not fit.
    pub fn from_text(text: &str, base: &Path) -> Result<Self, SpecError> {
        Self::new(JobSpec::parse(text)?, base).map_err(|error| error.in_text(text))
    }

    pub fn name(&self) -> &str {
        &self.spec.metadata.name
    }

    /// Refuses a job that would read its own output, or mix raw files or control data into the table.
    ///
    /// # Errors
    /// [`JobError::Overlap`].
    pub fn check_overlap(&self, day: NaiveDate) -> Result<(), JobError> {
        let refuse = |key, place: &Location, other_name, other: &Location, remedy| {
            Err(JobError::Overlap {
                key,
                place: place.to_string(),
                other_name,
                other: other.to_string(),
                remedy,
            })
        };
        let Sink { root, control, .. } = &self.sink;
        let raw = self.source.location(day);
        if below(control, root).is_some() {
            let remedy = "put control data beside the table, its readers list every file in it";
            return refuse("sink.control", control, "the table", root, remedy);
        }
        if below(&raw, root).is_some() {
            let remedy = "readers of the table would read raw files: choose another folder for the table";
            return refuse("source.uri", &raw, "the table", root, remedy);
        }
        for (name, input) in &self.inputs {
            let place = input.location(day);
            let is_inside =
                below(&place, root).is_some() || below(root, &place).is_some_and(|path| !is_hidden(&path));
            if is_inside {
                return Err(JobError::Input {
                    name: name.clone(),
                    key: "uri",
                    message: format!(
                        "{place} and the table {root} lie in each other, so the next run would read its own output: \
                         choose a folder beside the input"
                    ),
                });
            }
        }
        let remedy = "the next run would read its own output: choose a folder beside the source";
        for (key, place) in [("sink.uri", root), ("sink.control", control)] {
            if below(place, &raw).is_some_and(|path| !is_hidden(&path)) {
                return refuse(key, place, "the source", &raw, remedy);
            }
        }
        Ok(())
    }
}

/// The inputs of a spec, checked.
fn inputs(spec: &JobSpec, base: &Path) -> Result<BTreeMap<String, InputSource>, JobError> {
    let checked = spec.inputs.iter().map(|(name, input)| {
        check_name("inputs", name)?;
        let input = InputSource::new(input, base).map_err(|error| JobError::Input {
            name: name.clone(),
            key: error.key,
            message: error.message,
        })?;
        Ok((name.clone(), input))
    });
    checked.collect()
}

impl Source {
    fn new(spec: &JobSpec, base: &Path) -> Result<Self, JobError> {
        let key = "source.uri";
        let template = |source| JobError::Template { key, source };
        // The whole text must tell days apart, but only the part after the shared root changes.
        Template::parse(&spec.source.uri).map_err(template)?;
        let (root, day) = Template::split_root(&spec.source.uri);
        let day = Template::parse(day).map_err(template)?;
        let root = resolve(key, if root.is_empty() { "." } else { root }, base)?;
        if spec.source.schema.fields.is_empty() {
            return Err(JobError::NoFields);
        }
        let schema = Arc::new(spec.source.schema.clone());
        let FormatSpec::Jsonl(jsonl) = spec.source.format;
        if jsonl.max_line_bytes == 0 {
            return Err(JobError::Value {
                key: "source.format.jsonl.max_line_bytes",
                message: "must be at least 1".to_owned(),
            });
        }
        let decode = DecodeOptions {
            max_line_bytes: jsonl.max_line_bytes,
            timeout: Some(spec.limits.file_timeout.0),
            max_expansion: Some(spec.limits.max_expansion),
            ..DecodeOptions::default()
        };
        Decoder::new(Arc::clone(&schema), decode.clone()).map_err(|source| JobError::Schema { source })?;
        let pattern = GlobBuilder::new(&spec.source.pattern)
            .literal_separator(true)
            .empty_alternates(true)
            .build()
            .map_err(|error| JobError::Glob {
                message: error.to_string(),
            })?
            .compile_matcher();
        Ok(Self {
            root,
            day,
            connection: spec.source.connection.clone(),
            schema,
            decode,
            pattern,
        })
    }

    /// Folder or object of a day, relative to the root.
    pub fn prefix(&self, day: NaiveDate) -> String {
        self.day.render(day)
    }

    /// Folder or object of a day.
    pub fn location(&self, day: NaiveDate) -> Location {
        self.root.join(self.prefix(day).trim_end_matches('/'))
    }

    /// Whether a key, relative to the day's folder, is one of the job's files. Control files never are.
    pub fn takes(&self, key: &str) -> bool {
        !is_hidden(key) && self.pattern.is_match(key)
    }

    /// Whether a day is one object and no folder.
    pub fn is_single_object(&self, day: NaiveDate) -> bool {
        let prefix = self.prefix(day);
        !prefix.ends_with('/') && FileFormat::of_key(&prefix).is_some()
    }
}

impl Sink {
    fn new(spec: &JobSpec, base: &Path) -> Result<Self, JobError> {
        let root = resolve("sink.uri", &spec.sink.uri, base)?;
        let folder = root.name();
        let control = match &spec.sink.control {
            Some(text) => resolve("sink.control", text, base)?,
            None => match root.parent() {
                Some(parent) => parent.join("_skewer").join(&folder),
                None => {
                    return Err(JobError::Value {
                        key: "sink.uri",
                        message: "a table at the root of a bucket has no place beside it: add a folder, or `control`"
                            .to_owned(),
                    });
                }
            },
        };
        let is_together = match (&root, &control) {
            (Location::S3 { bucket, .. }, Location::S3 { bucket: other, .. }) => bucket == other,
            (root, control) => root.is_s3() == control.is_s3(),
        };
        if !is_together {
            return Err(JobError::Value {
                key: "sink.control",
                message: format!(
                    "`{control}` must be on the storage of the table, in its bucket: give a folder beside {root}, or \
                     leave it out"
                ),
            });
        }
        let partition = &spec.sink.partition;
        check_name("sink.partition.name", &partition.name)?;
        let value = Template::parse(&partition.value).map_err(|source| JobError::Template {
            key: "sink.partition.value",
            source,
        })?;
        if value.render(NaiveDate::default()).contains(['/', '=', '\\']) {
            return Err(JobError::Value {
                key: "sink.partition.value",
                message: "must be one folder: leave out `/` and `=`".to_owned(),
            });
        }
        let parquet = &spec.sink.parquet;
        let at_least_1 = |key| JobError::Value {
            key,
            message: "must be at least 1".to_owned(),
        };
        Ok(Self {
            table: spec.sink.table.clone().unwrap_or(folder),
            root,
            control,
            connection: spec.sink.connection.clone(),
            rows_per_file: NonZeroUsize::new(parquet.rows_per_file)
                .ok_or_else(|| at_least_1("sink.parquet.rows_per_file"))?,
            row_group_rows: match parquet.row_group_rows {
                None => None,
                Some(n) => {
                    Some(NonZeroUsize::new(n).ok_or_else(|| at_least_1("sink.parquet.row_group_rows"))?)
                }
            },
            compression: parquet.compression,
            layout: spec.sink.layout,
            manifest: spec.sink.manifest,
            partition_name: partition.name.clone(),
            partition_value: value,
        })
    }

    /// Folder of a day below the table: `day_partition=2020-01-01`.
    pub fn partition(&self, day: NaiveDate) -> String {
        format!("{}={}", self.partition_name, self.partition_value.render(day))
    }
}

fn columns_sha256(schema: &polars::prelude::Schema) -> String {
    let columns: Vec<String> = schema
        .iter()
        .map(|(name, dtype)| format!("{name}: {dtype:?}"))
        .collect();
    format!("{:x}", Sha256::digest(columns.join("\n")))
}

fn check_engine(spec: &JobSpec) -> Result<(), JobError> {
    const HAVE: &str = env!("CARGO_PKG_VERSION");
    match &spec.engine {
        Some(range) if !range.contains(HAVE) => Err(JobError::Engine {
            needs: range.to_string(),
            have: HAVE,
        }),
        _ => Ok(()),
    }
}

fn check_name(key: &'static str, name: &str) -> Result<(), JobError> {
    let is_word = !name.is_empty()
        && !name.starts_with(['_', '.', '-'])
        && name
            .chars()
            .all(|c| c.is_alphanumeric() || matches!(c, '_' | '-' | '.'));
    if is_word {
        return Ok(());
    }
    Err(JobError::Value {
        key,
        message: format!(
            "`{name}` is no name: use letters, digits, `_`, `-` and `.`, a letter or digit first"
        ),
    })
}

fn check_limits(spec: &JobSpec) -> Result<(), JobError> {
    let value = |key, message: &str| {
        Err(JobError::Value {
            key,
            message: message.to_owned(),
        })
    };
    if spec.limits.memory.0 < 64 << 20 {
        return value("limits.memory", "must be at least 64MiB");
    }
    if spec.limits.scratch.0 < 1 << 20 {
        return value("limits.scratch", "must be at least 1MiB");
    }
    if !(1..=1024).contains(&spec.limits.io_concurrency) {
        return value("limits.io_concurrency", "must be between 1 and 1024");
    }
    let spans = [
        ("limits.file_timeout", Some(spec.limits.file_timeout)),
        ("limits.day_timeout", spec.limits.day_timeout),
    ];
    for (key, span) in spans {
        if span.is_some_and(|span| span.0.is_zero()) {
            return value(key, "must be longer than 0s");
        }
    }
    if spec.limits.max_expansion == 0 {
        return value("limits.max_expansion", "must be at least 1");
    }
    if spec.incremental.lookback_days > 366 {
        return value("incremental.lookback_days", "must be at most 366");
    }
    let ratios = [
        ("errors.budget.records", spec.errors.budget.records.ratio),
        ("errors.budget.files", spec.errors.budget.files.ratio),
    ];
    for (key, ratio) in ratios {
        if ratio.is_some_and(|ratio| !(0.0..=1.0).contains(&ratio)) {
            return value(key, "ratio must be between 0 and 1");
        }
    }
    Ok(())
}

fn resolve(key: &'static str, text: &str, base: &Path) -> Result<Location, JobError> {
    if let Some(at) = text.find('{') {
        let rest = text.get(at..).unwrap_or_default().to_owned();
        return Err(JobError::Value {
            key,
            message: format!("`{rest}` cannot be filled in here: the partition names the day"),
        });
    }
    let location = Location::resolve(text, base).map_err(|source| JobError::Location { key, source })?;
    Ok(location.without_dots())
}

/// The real folder, so that `..` in a spec means what the file system means by it.
fn absolute(base: &Path) -> PathBuf {
    let base = if base.as_os_str().is_empty() {
        Path::new(".")
    } else {
        base
    };
    base.canonicalize()
        .or_else(|_| std::path::absolute(base))
        .unwrap_or_else(|_| base.to_path_buf())
}

/// The path from `outer` to `place` when it is the same or inside.
fn below(place: &Location, outer: &Location) -> Option<String> {
    match (place, outer) {
        (Location::Local(place), Location::Local(outer)) => place
            .strip_prefix(outer)
            .ok()
            .map(|rest| rest.to_string_lossy().replace('\\', "/")),
        (
            Location::S3 { bucket, key },
            Location::S3 {
                bucket: outer_bucket,
                key: outer_key,
            },
        ) if bucket == outer_bucket => {
            let (key, outer_key) = (key.trim_end_matches('/'), outer_key.trim_end_matches('/'));
            if outer_key.is_empty() || key == outer_key {
                return Some(key.strip_prefix(outer_key).unwrap_or_default().to_owned());
            }
            key.strip_prefix(outer_key)?.strip_prefix('/').map(str::to_owned)
        }
        _ => None,
    }
}

#[cfg(test)]
#[path = "check_tests.rs"]
pub(super) mod tests;

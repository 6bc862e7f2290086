//! The job as a person writes it: YAML or JSON, a closed set of keys, defaults left out when written.
//!
//! Says nothing of whether the job makes sense; [`super::Job::new`] does.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use super::{ByteSize, EngineRange, SpecError, TimeSpan};
use crate::base::{envelope, nearest};
use crate::dataset::{self, InputSpec};
use crate::storage::Connection;
use crate::transform::{Recipe, RecipeTest};

/// A batch job: where records come from, what is done to them, and where the table goes.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct JobSpec {
    /// Version of this format: `skewer/v1`.
    #[serde(rename = "apiVersion")]
    pub api_version: ApiVersion,
    /// Always `Job`.
    pub kind: Kind,
    pub metadata: Metadata,
    /// Versions of Skewer that may run the job, such as `>=0.1.0, <0.2`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub engine: Option<EngineRange>,
    #[allow(
        clippy::zero_sized_map_values,
        reason = "one type of parameter today, a closed map of names all the same"
    )]
    /// Parameters that are given when the job runs. Always written: a reader of the spec must see what it takes.
    #[serde(default = "default_params")]
    pub params: BTreeMap<String, ParamSpec>,
    pub source: SourceSpec,
    /// Second datasets that steps read, by the name that they use.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub inputs: BTreeMap<String, InputSpec>,
    /// Steps in order; none copies the declared columns.
    #[serde(default, skip_serializing_if = "has_no_steps")]
    pub steps: Recipe,
    pub sink: SinkSpec,
    #[serde(default, skip_serializing_if = "is_default")]
    pub incremental: IncrementalSpec,
    #[serde(default, skip_serializing_if = "is_default")]
    pub errors: ErrorsSpec,
    #[serde(default, skip_serializing_if = "is_default")]
    pub limits: LimitsSpec,
    /// Records and the rows that the steps make of them; `skewer validate --tests` runs them.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub tests: Vec<RecipeTest>,
}

/// Version of the format.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
pub enum ApiVersion {
    #[default]
    #[serde(rename = "skewer/v1")]
    V1,
}

/// Kind of the document.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
pub enum Kind {
    #[default]
    Job,
}

/// What people call the job.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Metadata {
    /// Letters, digits, `_` and `-`.
    pub name: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub owner: Option<String>,
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub labels: BTreeMap<String, String>,
}

/// A parameter that is given when the job runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ParamSpec {
    #[serde(rename = "type")]
    pub kind: ParamType,
}

/// Type of a parameter.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum ParamType {
    /// `2020-01-01`, `2020-01-01..2020-01-07`, `last:3`, or several joined by commas.
    DateList,
}

/// Where records come from.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct SourceSpec {
    /// Folder or prefix of one day: `s3://lake/raw/{day:%Y/%m/%d}/`, or a path relative to the spec's folder.
    pub uri: String,
    /// Which keys below the day are read. Names starting with `_` or `.` never are.
    #[serde(
        rename = "match",
        default = "default_match",
        skip_serializing_if = "is_default_match"
    )]
    pub pattern: String,
    #[serde(default, skip_serializing_if = "is_default")]
    pub connection: Connection,
    #[serde(default, skip_serializing_if = "is_default")]
    pub format: FormatSpec,
    /// The contract that records are held to. A run never infers it.
    #[schemars(schema_with = "super::schema::source_schema")]
    pub schema: dataset::Schema,
}

/// How records lie in files.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum FormatSpec {
    /// One JSON object a line.
    Jsonl(JsonlSpec),
}

/// JSON Lines.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct JsonlSpec {
    /// A longer line is quarantined without being held in memory.
    pub max_line_bytes: usize,
}

/// Where the table goes.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct SinkSpec {
    /// Name of the table in reports; none takes the name of its folder.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub table: Option<String>,
    /// Folder or prefix of the table, without a day.
    pub uri: String,
    #[serde(default, skip_serializing_if = "is_default")]
    pub connection: Connection,
    /// Folder or prefix of commits, staging, quarantine and reports; none is `_skewer/<table>/` beside the table.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub control: Option<String>,
    #[serde(default, skip_serializing_if = "is_default")]
    pub partition: PartitionSpec,
    /// `parts`, or `single` for one object a day that is replaced as a whole.
    #[serde(default, skip_serializing_if = "is_default")]
    pub layout: SinkLayout,
    /// Keeps a list of each day's parts, `<control>/manifest/<day>/manifest`, for engines that read a table by it
    /// (Hive's `SymlinkTextInputFormat`: Athena, Trino, Spark): they see every commit as a whole.
    #[serde(default, skip_serializing_if = "is_default")]
    pub manifest: bool,
    #[serde(default, skip_serializing_if = "is_default")]
    pub parquet: ParquetSpec,
}

/// How many objects a day is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum SinkLayout {
    /// Parts of `rows_per_file` rows. New rows are new parts; readers that list see old rows and some of the new.
    #[default]
    Parts,
    /// One object, replaced in one step: every reader sees a commit as a whole, and each commit writes the whole day.
    Single,
}

/// Which days are looked at again.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct IncrementalSpec {
    /// Days before each asked day that are looked at too, for objects that came late. At most 366.
    #[serde(skip_serializing_if = "is_default")]
    pub lookback_days: u32,
}

/// The folder of a day below the table: `name=value`. Not stored in the files.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct PartitionSpec {
    pub name: String,
    pub value: String,
}

/// How parts are written.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct ParquetSpec {
    /// Every part but the last has exactly this many rows.
    #[serde(skip_serializing_if = "is_default_rows_per_file")]
    pub rows_per_file: usize,
    /// Rows of a row group; none cuts row groups by bytes.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub row_group_rows: Option<usize>,
    #[serde(skip_serializing_if = "is_default")]
    pub compression: Compression,
}

/// Compression of Parquet pages: `snappy`, `zstd(3)` or `none`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub enum Compression {
    #[default]
    Snappy,
    /// Level 1 to 22.
    Zstd(i32),
    None,
}

/// What happens to records and files that cannot be used.
#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct ErrorsSpec {
    pub budget: BudgetSpec,
}

/// How much of a day may be quarantined before nothing of it is committed.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct BudgetSpec {
    #[serde(skip_serializing_if = "is_default_records")]
    pub records: Tolerance,
    #[serde(skip_serializing_if = "is_default_files")]
    pub files: Tolerance,
}

/// A limit by share and by count; a day that passes either is not committed.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Tolerance {
    /// Share, 0 to 1; one failure is within every share above 0.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ratio: Option<f64>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub abs: Option<u64>,
}

/// What the job may use of the machine.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct LimitsSpec {
    /// Buffers of data.
    #[serde(skip_serializing_if = "is_default_memory")]
    pub memory: ByteSize,
    /// Files of steps that need a whole day, for each day under way that does not fit into `memory`. They lie in the folder that the
    /// environment variable `SKEWER_SCRATCH` names; else with the staged parts of a local table, or in the machine's
    /// folder for temporary files.
    #[serde(skip_serializing_if = "is_default_scratch")]
    pub scratch: ByteSize,
    /// Requests in flight.
    #[serde(skip_serializing_if = "is_default_io_concurrency")]
    pub io_concurrency: usize,
    /// Longest time that decoding one file may take, without waiting for its bytes; the rest of a slower file is
    /// quarantined.
    #[serde(skip_serializing_if = "is_default_file_timeout")]
    pub file_timeout: TimeSpan,
    /// Longest time a day may take; a slower day fails and publishes nothing. None sets no limit.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub day_timeout: Option<TimeSpan>,
    /// How many times its stored size a compressed file may decompress to, once that is more than 64 MiB; the rest of
    /// a file beyond is quarantined.
    #[serde(skip_serializing_if = "is_default_max_expansion")]
    pub max_expansion: u64,
    /// Whether a file that kills the process that decodes it costs that file or the run.
    #[serde(skip_serializing_if = "is_default")]
    pub isolation: Isolation,
}

/// What a file can take with it that kills the process decoding it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Isolation {
    /// The file: the run works in a process of its own, and goes on without the file.
    #[default]
    Process,
    /// The run: it works in the process that was started.
    None,
}

pub(super) const DEFAULT_MATCH: &str = "**/*.{jsonl,ndjson,json}{,.gz,.zst}";
const DEFAULT_ROWS_PER_FILE: usize = 1_048_576;
const DEFAULT_MEMORY: ByteSize = ByteSize::mib(384);
const DEFAULT_SCRATCH: ByteSize = ByteSize::mib(50 << 10);
const DEFAULT_IO_CONCURRENCY: usize = 64;
const DEFAULT_FILE_TIMEOUT: TimeSpan = TimeSpan::seconds(60);
const DEFAULT_MAX_EXPANSION: u64 = 200;
const DEFAULT_RECORDS: Tolerance = Tolerance {
    ratio: Some(0.001),
    abs: Some(1000),
};
const DEFAULT_FILES: Tolerance = Tolerance {
    ratio: Some(0.005),
    abs: Some(25),
};

/// Keys and values that are planned but do nothing yet; silence would be taken for support.
const NOT_YET: [&str; 12] = [
    "catalog",
    "targets",
    "publish",
    "quarantine",
    "encoding",
    "bom",
    "blank_lines",
    "duplicate_keys",
    "timestamps",
    "rescue",
    "parquet",
    "fail",
];

impl JobSpec {
    /// Reads a spec.
    ///
    /// # Errors
    /// [`SpecError`] with the place of the first thing that does not fit.
    pub fn parse(text: &str) -> Result<Self, SpecError> {
        envelope::from_yaml(text).map_err(|error| SpecError {
            line: error.line,
            column: error.column,
            message: explain(&error.message),
        })
    }

    /// The spec as YAML, in a fixed order and without what is default: the same spec is the same text.
    ///
    /// # Errors
    /// [`SpecError`] without a place when a step's parameter has no YAML form.
    pub fn to_yaml(&self) -> Result<String, SpecError> {
        envelope::to_yaml(self).map_err(|error| SpecError {
            line: 0,
            column: 0,
            message: error.message,
        })
    }

    /// SHA-256 of the spec as JSON with sorted keys and without spaces, in hexadecimal: comments and layout do not
    /// change it.
    pub fn sha256(&self) -> String {
        let json = serde_json::to_value(self).map(sorted).unwrap_or_default();
        format!("{:x}", Sha256::digest(json.to_string()))
    }

    /// SHA-256 of what decides which rows a record becomes: schema, format, matched keys, inputs and steps. Two specs that differ
    /// elsewhere (limits, budget, place of the table) make the same rows.
    pub fn logic_sha256(&self) -> String {
        let mut logic = serde_json::json!({
            "match": self.source.pattern,
            "format": self.source.format,
            "schema": self.source.schema,
            "steps": self.steps,
        });
        if let Some(logic) = logic.as_object_mut().filter(|_| !self.inputs.is_empty()) {
            let inputs = self.inputs.iter();
            let inputs = inputs.map(|(name, input)| (name.clone(), input.logic()));
            logic.insert("inputs".to_owned(), serde_json::Value::Object(inputs.collect()));
        }
        format!("{:x}", Sha256::digest(sorted(logic).to_string()))
    }
}

/// Adds what a person needs to the words of serde: a planned key is named as such, a slip gets its nearest word.
fn explain(message: &str) -> String {
    let Some((first, rest)) = message
        .strip_prefix("unknown ")
        .and_then(|rest| rest.split_once('`')?.1.split_once('`'))
    else {
        return message.to_owned();
    };
    if NOT_YET.contains(&first) {
        return format!("`{first}` is not supported yet: remove it");
    }
    let known = rest
        .split_once("expected ")
        .map_or("", |(_, known)| known)
        .trim_start_matches("one of ")
        .split(", ")
        .map(|word| word.trim_matches('`'));
    match nearest(first, known) {
        Some(near) if !message.contains("did you mean") => format!("{message}: did you mean `{near}`?"),
        _ => message.to_owned(),
    }
}

/// `value` with the keys of every object sorted.
fn sorted(value: serde_json::Value) -> serde_json::Value {
    match value {
        serde_json::Value::Object(map) => {
            let by_key: BTreeMap<String, serde_json::Value> =
                map.into_iter().map(|(key, value)| (key, sorted(value))).collect();
            serde_json::Value::Object(by_key.into_iter().collect())
        }
        serde_json::Value::Array(items) => items.into_iter().map(sorted).collect(),
        other => other,
    }
}

impl Tolerance {
    /// How many of `of` may fail.
    ///
    /// The share allows at least one failure, so that a small day is not lost to a single bad line.
    pub fn allowed(&self, of: u64) -> u64 {
        #[allow(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "a share of a count is between 0 and the count"
        )]
        let by_ratio = match self.ratio {
            None => u64::MAX,
            Some(ratio) if ratio <= 0.0 => 0,
            Some(ratio) => ((ratio.min(1.0) * of as f64) as u64).max(1),
        };
        by_ratio.min(self.abs.unwrap_or(u64::MAX))
    }
}

impl Default for FormatSpec {
    fn default() -> Self {
        Self::Jsonl(JsonlSpec::default())
    }
}

impl Default for JsonlSpec {
    fn default() -> Self {
        Self {
            max_line_bytes: 1 << 20,
        }
    }
}

impl Default for PartitionSpec {
    fn default() -> Self {
        Self {
            name: "day_partition".to_owned(),
            value: "{day}".to_owned(),
        }
    }
}

impl Default for ParquetSpec {
    fn default() -> Self {
        Self {
            rows_per_file: DEFAULT_ROWS_PER_FILE,
            row_group_rows: None,
            compression: Compression::default(),
        }
    }
}

impl Default for BudgetSpec {
    fn default() -> Self {
        Self {
            records: DEFAULT_RECORDS,
            files: DEFAULT_FILES,
        }
    }
}

impl Default for LimitsSpec {
    fn default() -> Self {
        Self {
            memory: DEFAULT_MEMORY,
            scratch: DEFAULT_SCRATCH,
            io_concurrency: DEFAULT_IO_CONCURRENCY,
            file_timeout: DEFAULT_FILE_TIMEOUT,
            day_timeout: None,
            max_expansion: DEFAULT_MAX_EXPANSION,
            isolation: Isolation::default(),
        }
    }
}

impl TryFrom<String> for Compression {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        let level = match text.trim() {
            "snappy" => return Ok(Self::Snappy),
            "none" => return Ok(Self::None),
            "zstd" => Some(3),
            other => other
                .strip_prefix("zstd(")
                .and_then(|rest| rest.strip_suffix(')'))
                .and_then(|level| level.trim().parse().ok()),
        };
        level
            .filter(|level| (1..=22).contains(level))
            .map(Self::Zstd)
            .ok_or_else(|| format!("`{text}` is no compression: write snappy, zstd(1) to zstd(22), or none"))
    }
}

impl From<Compression> for String {
    fn from(compression: Compression) -> Self {
        match compression {
            Compression::Snappy => "snappy".to_owned(),
            Compression::Zstd(level) => format!("zstd({level})"),
            Compression::None => "none".to_owned(),
        }
    }
}

impl JsonSchema for Compression {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "Compression".into()
    }

    fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
        schemars::json_schema!({
            "type": "string",
            "pattern": "^(snappy|none|zstd(\\([0-9]+\\))?)$",
            "description": "Compression of Parquet pages: `snappy`, `zstd(3)` or `none`.",
        })
    }
}

#[allow(clippy::zero_sized_map_values, reason = "as the field of the spec")]
fn default_params() -> BTreeMap<String, ParamSpec> {
    let day = ParamSpec {
        kind: ParamType::DateList,
    };
    BTreeMap::from([("day".to_owned(), day)])
}

fn default_match() -> String {
    DEFAULT_MATCH.to_owned()
}

fn is_default<T: Default + PartialEq>(value: &T) -> bool {
    *value == T::default()
}

fn is_default_match(pattern: &str) -> bool {
    pattern == DEFAULT_MATCH
}

fn has_no_steps(recipe: &Recipe) -> bool {
    recipe.steps.is_empty()
}

#[allow(clippy::trivially_copy_pass_by_ref, reason = "serde passes a reference")]
fn is_default_rows_per_file(n: &usize) -> bool {
    *n == DEFAULT_ROWS_PER_FILE
}

#[allow(clippy::trivially_copy_pass_by_ref, reason = "serde passes a reference")]
fn is_default_memory(size: &ByteSize) -> bool {
    *size == DEFAULT_MEMORY
}

#[allow(clippy::trivially_copy_pass_by_ref, reason = "serde passes a reference")]
fn is_default_scratch(size: &ByteSize) -> bool {
    *size == DEFAULT_SCRATCH
}

#[allow(clippy::trivially_copy_pass_by_ref, reason = "serde passes a reference")]
fn is_default_io_concurrency(n: &usize) -> bool {
    *n == DEFAULT_IO_CONCURRENCY
}

#[allow(clippy::trivially_copy_pass_by_ref, reason = "serde passes a reference")]
fn is_default_file_timeout(span: &TimeSpan) -> bool {
    *span == DEFAULT_FILE_TIMEOUT
}

#[allow(clippy::trivially_copy_pass_by_ref, reason = "serde passes a reference")]
fn is_default_max_expansion(n: &u64) -> bool {
    *n == DEFAULT_MAX_EXPANSION
}

fn is_default_records(tolerance: &Tolerance) -> bool {
    *tolerance == DEFAULT_RECORDS
}

fn is_default_files(tolerance: &Tolerance) -> bool {
    *tolerance == DEFAULT_FILES
}

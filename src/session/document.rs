//! What is saved: where the data are, the recipe, and what the exported job is to be called and to write.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::dataset::InputSpec;
pub use crate::dataset::SampleChoice;
use crate::profile::{CostModel, Finding, FindingCode};
use crate::storage::{Connection, Location, Partition};
use crate::transform::{Recipe, RecipeTest};

/// A place that was opened, and how to reach it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Source {
    pub location: Location,
    #[serde(default)]
    pub connection: Connection,
}

/// What the job form asks for besides source, schema and steps.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct JobSettings {
    pub name: String,
    /// Table folder or prefix; relative to the spec's own folder. Empty until chosen.
    pub sink: String,
    pub partition_name: String,
    pub rows_per_file: u64,
    /// `snappy`, `zstd(3)` or `none`.
    pub compression: String,
    /// Share of records that may be quarantined, 0..=1.
    pub budget_records_ratio: f64,
    pub budget_records_abs: u64,
    pub budget_files_ratio: f64,
    pub budget_files_abs: u64,
    /// First and last day of "Run here", ISO; the open day when empty.
    pub days: String,
    /// Given records and expected rows, which go into the spec.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub tests: Vec<RecipeTest>,
}

impl Default for JobSettings {
    fn default() -> Self {
        Self {
            name: "features".to_owned(),
            sink: String::new(),
            partition_name: "day_partition".to_owned(),
            rows_per_file: 1_048_576,
            compression: "snappy".to_owned(),
            // Lenient enough for a raw lake on the first try; a job that is trusted has a tighter one.
            budget_records_ratio: 0.01,
            budget_records_abs: 1000,
            budget_files_ratio: 0.1,
            budget_files_abs: 25,
            days: String::new(),
            tests: Vec::new(),
        }
    }
}

/// A finding that a person put aside as expected.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Expected {
    /// Prefix of the dataset below the source.
    pub dataset: String,
    pub code: FindingCode,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub partition: Option<Partition>,
}

impl Expected {
    pub fn new(dataset: &str, finding: &Finding) -> Self {
        Self {
            dataset: dataset.to_owned(),
            code: finding.code,
            partition: finding.partition.clone(),
        }
    }
}

fn has_default_costs(costs: &CostModel) -> bool {
    *costs == CostModel::default()
}

/// Everything a session file holds.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Document {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub source: Option<Source>,
    /// Prefix of the open dataset below the source; empty when the source itself is the dataset.
    pub dataset: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub partition: Option<Partition>,
    pub sample: SampleChoice,
    /// Second datasets that steps read, by the name that they use.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub inputs: BTreeMap<String, InputSpec>,
    pub recipe: Recipe,
    pub job: JobSettings,
    /// Assumptions behind the costs of findings.
    #[serde(skip_serializing_if = "has_default_costs")]
    pub costs: CostModel,
    /// Findings of this source that are expected.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub expected: Vec<Expected>,
}

impl Document {
    /// Takes the place that is open from another document; what was said of findings goes with its source.
    pub(super) fn stay_at(&mut self, present: &Self) {
        if self.source != present.source {
            self.expected.clone_from(&present.expected);
        }
        self.source.clone_from(&present.source);
        self.dataset.clone_from(&present.dataset);
        self.partition.clone_from(&present.partition);
    }
}

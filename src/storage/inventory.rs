//! Adds a listing up, page by page: datasets below a location, their layout, and files and bytes of each partition.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use serde::Serialize;

use super::{Layout, Object, Partition};

/// What a listing says of one partition. Every figure is exact once the listing has ended.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct PartitionStats {
    pub partition: Partition,
    /// The partition's own prefix, relative to the listed root.
    #[serde(skip)]
    pub prefix: String,
    pub n_files: u64,
    pub n_bytes: u64,
    /// Size of the largest file.
    #[serde(skip)]
    pub max_file_bytes: u64,
    pub first_modified: Option<DateTime<Utc>>,
    pub last_modified: Option<DateTime<Utc>>,
}

/// A dataset: the keys that share a prefix and a layout.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DatasetKeys {
    /// Relative to the listed root; empty when the root itself is the dataset, else it ends with `/`.
    pub prefix: String,
    pub layout: Layout,
    pub partitions: BTreeMap<Partition, PartitionStats>,
    /// Extensions seen with their number of files: `jsonl`, `jsonl.gz`, `parquet`.
    pub extensions: BTreeMap<String, u64>,
}

/// Collects a listing. Costs memory by partition, not by key.
#[derive(Debug, Clone, Default)]
pub struct Inventory {
    datasets: BTreeMap<String, DatasetKeys>,
    n_files: u64,
    n_bytes: u64,
}

impl Inventory {
    /// Adds one page. Control files (`_SUCCESS`, anything below a folder starting with `_` or `.`) are left out.
    pub fn add(&mut self, page: &[Object]) {
        let _ = page;
    }

    /// Datasets by prefix.
    pub fn datasets(&self) -> impl Iterator<Item = &DatasetKeys> {
        self.datasets.values()
    }

    pub fn n_files(&self) -> u64 {
        self.n_files
    }

    pub fn n_bytes(&self) -> u64 {
        self.n_bytes
    }
}

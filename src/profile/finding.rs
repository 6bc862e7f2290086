//! A finding: what is unusual, where, how bad, what it costs, and what to do.

use serde::{Deserialize, Serialize};

use crate::base::units;
use crate::storage::Partition;

/// What kind of thing was found.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum FindingCode {
    /// A partition far above the median.
    PartitionSpike,
    /// A date, or a run of dates, without objects between dates that have some.
    MissingDate,
    /// Hours without objects on dates that have some.
    MissingHour,
    /// Partitions that are kept under several names, such as `dt=2020-1-3` beside `dt=2020-01-03`.
    SeveralNames,
    /// Names that look like dates or hours and are none, such as `dt=2020-13-45`.
    InvalidDate,
    /// Rows whose partition column was null when they were written: `__HIVE_DEFAULT_PARTITION__`.
    NullPartition,
    /// Files beside the partitions, in none of them.
    OutsidePartitions,
    /// More than 100 files of which most are under 3 MB in a partition, or thousands in all together; fewer are harmless.
    TinyFiles,
    /// Files, but no bytes.
    EmptyPartition,
    /// The partitions are even: nothing to do.
    EvenPartitions,
    /// A key that holds more rows than an even partition.
    HotKey,
    /// A hot key that stands for "not known": null, empty, `unknown`, 0, -1.
    SentinelKey,
    /// Even values that the hash spreads unevenly, because there are few of them for so many partitions.
    CollisionSkew,
    /// Fewer keys than partitions.
    TooFewKeys,
    /// No hot key, yet many partitions far above the median.
    LongTail,
    /// Keys that differ only by case, spaces or the form of their Unicode.
    KeyVariants,
    /// A key whose spread costs nothing.
    Harmless,
    /// No partitions in the keys, or one: nothing to compare.
    FewPartitions,
    /// Compressed JSON over 1 GB, which one task has to read.
    UnsplittableFiles,
    /// Files of 0 bytes beside others.
    ZeroByteFiles,
    /// Several formats or codecs in one dataset.
    MixedFormats,
    /// Objects with the etag and size of another one.
    DuplicateObjects,
    /// A date far from what its weekday leads to expect.
    WeekdayOutlier,
    /// The days become larger or smaller over the weeks.
    Growth,
    /// Files that were modified long after their date.
    LateFiles,
    /// Files that were modified before their date or in the future.
    ClockSkew,
    /// A column that the baseline does not have.
    ColumnAdded,
    /// A column that only the baseline has.
    ColumnGone,
    /// A column with another type than in the baseline.
    TypeChanged,
    /// Another share of rows has no value.
    NullShareChanged,
    /// The values of a column are spread otherwise.
    DistributionDrift,
    /// Values that the baseline does not have.
    NewValues,
    /// Values that only the baseline has.
    GoneValues,
    /// Two profiles agree: nothing to do.
    NoDrift,
}

/// How bad. Ordered from harmless to bad.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Severity {
    Good,
    /// Worth knowing; small, or below an absolute floor.
    Note,
    Warn,
    Bad,
}

impl FindingCode {
    /// In words: `partition spike`.
    pub fn words(self) -> String {
        let mut words = String::new();
        for letter in format!("{self:?}").chars() {
            if letter.is_uppercase() && !words.is_empty() {
                words.push(' ');
            }
            words.push(letter.to_ascii_lowercase());
        }
        words
    }
}

impl Severity {
    /// As findings and JSON write it.
    pub fn word(self) -> &'static str {
        match self {
            Self::Good => "good",
            Self::Note => "note",
            Self::Warn => "warn",
            Self::Bad => "bad",
        }
    }
}

/// One finding in words. A list of them is sorted by cost.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Finding {
    pub code: FindingCode,
    /// The partition it is about; the first of a run.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub partition: Option<Partition>,
    /// The last partition of a run of several.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub until: Option<Partition>,
    pub severity: Severity,
    /// One line: `2020-01-09 holds 47% of all bytes`.
    pub title: String,
    /// Evidence and why it matters; complete without the title.
    pub message: String,
    /// What to do; empty where there is nothing to do.
    pub remedy: String,
    /// Estimated seconds that it adds to one pass over the data, by the cost model.
    pub cost_seconds: f64,
    /// Requests that it adds to one pass.
    pub cost_requests: u64,
}

impl Finding {
    /// What it costs one pass over the data: `costs 770 ms and 411 requests a pass (estimate)`; none where that is nothing
    /// worth saying.
    pub fn cost_words(&self) -> Option<String> {
        let mut parts = Vec::new();
        if self.cost_seconds >= 0.001 {
            parts.push(units::seconds(self.cost_seconds));
        }
        if self.cost_requests > 0 {
            parts.push(units::plural(self.cost_requests, "request"));
        }
        (!parts.is_empty()).then(|| format!("costs {} a pass (estimate)", parts.join(" and ")))
    }

    /// A finding about the whole dataset that costs nothing.
    pub(super) fn free(
        code: FindingCode,
        severity: Severity,
        title: String,
        message: String,
        remedy: impl Into<String>,
    ) -> Self {
        Self {
            code,
            partition: None,
            until: None,
            severity,
            title,
            message,
            remedy: remedy.into(),
            cost_seconds: 0.0,
            cost_requests: 0,
        }
    }
}

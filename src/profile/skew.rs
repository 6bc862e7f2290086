//! Partition skew from a listing: the metrics, their severity, and what was found.
//!
//! Every figure is exact for the listing it came from; only costs are estimates. Nothing but the listing is needed.

use std::collections::BTreeSet;

use chrono::NaiveDate;
use serde::Serialize;

use super::days::{DayLoad, days};
use super::file_sizes::TinyFiles;
use super::growth::{Growth, growth};
use super::hours::{MissingHours, missing_hours};
use super::weekdays::{Weekdays, weekdays};
use super::{CostModel, Finding, Severity, findings, formulas};
use crate::base::units;
use crate::storage::DatasetKeys;

/// Figures of a dataset's partitions by bytes. Ratios are none where they are undefined.
#[derive(Debug, Clone, PartialEq, Default, Serialize)]
pub struct SkewMetrics {
    pub n_partitions: u64,
    pub n_files: u64,
    pub n_bytes: u64,
    pub max_over_mean: Option<f64>,
    pub max_over_median: Option<f64>,
    pub p99_over_p50: Option<f64>,
    pub cv: Option<f64>,
    pub gini: Option<f64>,
    /// 1 / Σp²
    pub effective_partitions: Option<f64>,
    /// Bytes of the median partition, of those that are not empty where most are.
    pub median_bytes: u64,
    pub max_bytes: u64,
    /// Dates between the first and the last without objects.
    pub n_missing_dates: u64,
    /// Hours without objects on dates that have some; none where partitions are no hours.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub n_missing_hours: Option<u64>,
    /// Files under 3 MB, wherever they are.
    pub n_tiny_files: u64,
    /// Files of the partitions that the findings call tiny, because they cost requests: see [`TinyFiles`].
    pub n_costly_tiny_files: u64,
    /// Those partitions.
    pub n_tiny_partitions: u64,
    /// How bad the worst of them is; none where there are none.
    #[serde(skip)]
    pub tiny_severity: Option<Severity>,
    /// None without files.
    pub average_file_bytes: Option<u64>,
    /// How the days grow; none for fewer than eight weeks.
    pub growth: Option<Growth>,
}

/// A metric that has thresholds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Metric {
    MaxOverMean,
    MaxOverMedian,
    P99OverP50,
    Cv,
    Gini,
    EffectivePartitions,
    MissingDates,
    TinyFiles,
}

/// What a listing says about skew.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct PartitionSkew {
    pub metrics: SkewMetrics,
    /// Dates between the first and the last that have no objects.
    pub missing: Vec<NaiveDate>,
    /// Hours that are not there on dates that are; none where partitions are no hours.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub missing_hours: Option<MissingHours>,
    /// Days unlike the same weekday of other weeks.
    pub weekdays: Weekdays,
    /// Sorted by cost.
    pub findings: Vec<Finding>,
}

impl SkewMetrics {
    /// How bad one figure is by its ratio alone; floors apply to findings, not to figures.
    ///
    /// Source: AQE (max/median 5), Trino (p99/p50 2); the others are Skewer's own thresholds.
    pub fn severity(&self, metric: Metric) -> Severity {
        let n = self.n_partitions as f64;
        match metric {
            Metric::MaxOverMean => graded(self.max_over_mean, [1.0, 1.5, 3.0]),
            Metric::MaxOverMedian => graded(self.max_over_median, [2.0, 3.0, 5.0]),
            Metric::P99OverP50 => graded(self.p99_over_p50, [1.5, 2.0, f64::INFINITY]),
            Metric::Cv => graded(self.cv, [0.25, 0.5, 1.0]),
            Metric::Gini => graded(self.gini, [0.2, 0.4, 0.6]),
            Metric::EffectivePartitions => match self.effective_partitions {
                Some(effective) if effective < 0.5 * n => Severity::Bad,
                Some(effective) if effective < 0.8 * n => Severity::Warn,
                _ => Severity::Good,
            },
            Metric::MissingDates if self.n_missing_dates > 0 || self.n_missing_hours > Some(0) => {
                Severity::Warn
            }
            Metric::TinyFiles => self.tiny_severity.unwrap_or(Severity::Good),
            Metric::MissingDates => Severity::Good,
        }
    }
}

impl SkewMetrics {
    /// What is missing, in one figure: dates, or hours where no date is but some hours are.
    pub fn missing(&self) -> (&'static str, u64) {
        match self.n_missing_hours {
            Some(n) if n > 0 && self.n_missing_dates == 0 => ("missing hours", n),
            _ => ("missing dates", self.n_missing_dates),
        }
    }

    /// What the files under 3 MB mean, as the findings say it: `412 too many, in 1 partition`.
    pub fn tiny_words(&self) -> String {
        if self.n_tiny_files == 0 && self.n_tiny_partitions == 0 {
            return "none under 3 MB".to_owned();
        }
        match self.n_tiny_partitions {
            0 => "too few to cost much".to_owned(),
            1 if self.n_costly_tiny_files == self.n_tiny_files => "in one partition".to_owned(),
            1 => format!("{} in one partition", units::count(self.n_costly_tiny_files)),
            n => format!("in {} partitions", units::count(n)),
        }
    }
}

/// Good below the first threshold, then note, warn, and bad from the last on.
fn graded(value: Option<f64>, [note, warn, bad]: [f64; 3]) -> Severity {
    match value {
        Some(value) if value >= bad => Severity::Bad,
        Some(value) if value >= warn => Severity::Warn,
        // An even dataset has max/mean 1 to the last digit or a little more: that is good, not a note.
        Some(value) if value >= note && note > 1.0 => Severity::Note,
        _ => Severity::Good,
    }
}

/// Measures `dataset` as listed.
pub fn partition_skew(dataset: &DatasetKeys, costs: &CostModel) -> PartitionSkew {
    let missing = missing_dates(dataset);
    let missing_hours = missing_hours(dataset);
    let days = days(dataset);
    let tiny = TinyFiles::of(dataset);
    let mut metrics = metrics(dataset, &missing, &days, &tiny);
    metrics.n_missing_hours = missing_hours.as_ref().map(|missing| missing.n_missing);
    let weekdays = weekdays(&days);
    let findings = findings::find(&findings::Seen {
        dataset,
        metrics: &metrics,
        missing: &missing,
        missing_hours: missing_hours.as_ref(),
        weekdays: &weekdays,
        tiny: &tiny,
        costs: &costs.checked(),
    });
    PartitionSkew {
        metrics,
        missing,
        missing_hours,
        weekdays,
        findings,
    }
}

fn metrics(
    dataset: &DatasetKeys,
    missing: &[NaiveDate],
    days: &[DayLoad],
    tiny: &TinyFiles<'_>,
) -> SkewMetrics {
    let mut loads: Vec<u64> = dataset.partitions.values().map(|stats| stats.n_bytes).collect();
    loads.sort_unstable();
    let (n_files, n_bytes) = (dataset.n_files(), dataset.n_bytes());
    SkewMetrics {
        n_partitions: loads.len() as u64,
        n_files,
        n_bytes,
        average_file_bytes: n_bytes.checked_div(n_files),
        growth: growth(days),
        max_over_mean: formulas::max_over_mean(&loads),
        max_over_median: formulas::max_over_median(&loads),
        p99_over_p50: formulas::p99_over_p50(&loads),
        cv: formulas::cv(&loads),
        gini: formulas::gini(&loads),
        effective_partitions: formulas::effective_partitions(&loads),
        median_bytes: formulas::median(&loads).unwrap_or(0),
        max_bytes: loads.last().copied().unwrap_or(0),
        n_missing_dates: missing.len() as u64,
        n_missing_hours: None,
        n_tiny_files: dataset.partitions.values().map(|stats| stats.n_tiny).sum(),
        n_costly_tiny_files: tiny.partitions().map(|stats| stats.n_files).sum(),
        n_tiny_partitions: tiny.partitions().count() as u64,
        tiny_severity: tiny.worst(),
    }
}

/// Longest span of dates that is searched for gaps; a stray date of another century is not a million missing days.
const MAX_SPAN_DAYS: i64 = 36_600;

fn missing_dates(dataset: &DatasetKeys) -> Vec<NaiveDate> {
    let present: BTreeSet<NaiveDate> = dataset
        .partitions
        .keys()
        .filter_map(crate::storage::Partition::date)
        .collect();
    let (Some(first), Some(last)) = (present.first(), present.last()) else {
        return Vec::new();
    };
    // A day at the edge of what was asked for is missing too.
    let (first, last) = dataset
        .asked
        .as_ref()
        .map_or((first, last), |(first, last)| (first, last));
    if last.signed_duration_since(*first).num_days() > MAX_SPAN_DAYS {
        return Vec::new();
    }
    first
        .iter_days()
        .take_while(|date| date <= last)
        .filter(|date| !present.contains(date))
        .filter(|date| dataset.left_out.is_none_or(|out| !out.contains(*date)))
        .collect()
}

//! The rules that turn a listing's figures into findings in words, each with its cost and a remedy.
//!
//! A rule is a ratio, an absolute floor and enough items; a ratio alone gives noise. Below the floor a finding is still
//! listed, as a note, so that small lakes are described too.

mod dates;
mod files;
mod loads;
mod names;
mod times;
mod undated;

#[cfg(test)]
mod agreement_tests;
#[cfg(test)]
mod tests;
#[cfg(test)]
mod undated_tests;

use chrono::NaiveDate;

use super::weekdays::Weekdays;
use super::{CostModel, Finding, MissingHours, Severity, SkewMetrics, TinyFiles};
use crate::storage::{DatasetKeys, Partition};

pub use loads::SpikeRemedy;

/// Floors: a spike under this size that takes less than this time, or is one of fewer partitions, is a note.
const FLOOR_BYTES: u64 = 64_000_000;
const FLOOR_SECONDS: f64 = 5.0;
const FLOOR_PARTITIONS: usize = 10;
/// Fewer partitions than this have no median worth comparing with.
const MIN_PARTITIONS: usize = 3;
/// Findings of one kind that are listed one by one; the rest are summed up.
const MAX_LISTED: usize = 10;

/// What the rules look at.
#[derive(Debug, Clone, Copy)]
pub struct Seen<'a> {
    pub dataset: &'a DatasetKeys,
    pub metrics: &'a SkewMetrics,
    pub missing: &'a [NaiveDate],
    pub missing_hours: Option<&'a MissingHours>,
    pub weekdays: &'a Weekdays,
    pub tiny: &'a TinyFiles<'a>,
    pub costs: &'a CostModel,
}

/// All findings, sorted by cost, then severity.
pub fn find(seen: &Seen<'_>) -> Vec<Finding> {
    let Seen { dataset, costs, .. } = *seen;
    let (spikes, others) = loads::split_spikes(dataset, seen.metrics);
    let mut findings = loads::spikes(&spikes, seen);
    findings.extend(files::tiny_files(seen));
    findings.extend(files::unsplittable(seen));
    findings.extend(files::zero_byte_files(seen));
    findings.extend(files::mixed_formats(dataset));
    findings.extend(files::duplicates(seen));
    findings.extend(dates::missing_runs(dataset, seen.missing));
    findings.extend(dates::missing_hours(seen));
    findings.extend(names::several_names(dataset));
    findings.extend(undated::no_date(seen));
    findings.extend(undated::no_value(seen));
    findings.extend(undated::outside(seen));
    findings.extend(dates::empty(dataset));
    findings.extend(dates::weekday_outliers(seen, &spikes));
    findings.extend(dates::growth(seen));
    findings.extend(times::late_files(dataset));
    findings.extend(times::clock_skew(dataset));
    findings.extend(loads::few_partitions(dataset));
    findings.extend(loads::even(&others, !spikes.is_empty(), dataset, costs));
    findings.sort_by(|a, b| {
        let by_cost = b.cost_seconds.total_cmp(&a.cost_seconds);
        // What is good comes last, whatever it would cost.
        (a.severity == Severity::Good)
            .cmp(&(b.severity == Severity::Good))
            .then(by_cost)
            .then(b.severity.cmp(&a.severity))
    });
    findings
}

/// How many of `n` findings of one kind are listed one by one: all, or one less than the most, and the rest as one.
fn n_listed(n: usize) -> usize {
    if n > MAX_LISTED { MAX_LISTED - 1 } else { n }
}

/// The word for one partition of this dataset in a sentence.
fn noun(dataset: &DatasetKeys) -> &'static str {
    let mut partitions = dataset.partitions.keys();
    match partitions.next() {
        Some(Partition::Day(_)) if partitions.all(|other| matches!(other, Partition::Day(_))) => "day",
        Some(Partition::Hour(..)) if partitions.all(|other| matches!(other, Partition::Hour(..))) => "hour",
        _ => "partition",
    }
}

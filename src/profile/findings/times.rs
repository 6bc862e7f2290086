//! Times of change: files that came long after their date, and clocks that cannot be right.

use std::collections::BTreeSet;

use chrono::NaiveDate;

use super::n_listed;
use crate::base::units;
use crate::profile::{Finding, FindingCode, Severity};
use crate::storage::{DatasetKeys, Lags, PartitionStats};

/// A run looks back so far at most.
const MAX_LOOKBACK_DAYS: u32 = 366;

/// Files modified long after their date, where most are not. Where most are, the lake was copied or filled later, and times
/// tell nothing: that is said instead.
pub(super) fn late_files(dataset: &DatasetKeys) -> Vec<Finding> {
    let mut all = Lags::default();
    for stats in dataset.partitions.values() {
        all.merge(&stats.lags);
    }
    let days = Lags::LATE_DAYS;
    if all.is_mostly_late() {
        let of_all = units::percent(all.n_late() as f64 / all.n_files().max(1) as f64);
        return vec![Finding::free(
            FindingCode::LateFiles,
            Severity::Note,
            "Late files cannot be told".to_owned(),
            format!(
                "{of_all} of the files were last modified more than {days} days after their date: they were copied or written \
                 later as a whole, so times of change do not show which came late."
            ),
            "",
        )];
    }
    let mut late: Vec<&PartitionStats> = dataset
        .partitions
        .values()
        .filter(|stats| stats.lags.n_late() > 0)
        .collect();
    late.sort_by(|a, b| {
        let n_late = |stats: &PartitionStats| stats.lags.n_late();
        n_late(b).cmp(&n_late(a)).then(a.partition.cmp(&b.partition))
    });
    let listed = n_listed(late.len());
    let mut told = BTreeSet::new();
    let mut findings: Vec<Finding> = late
        .iter()
        .take(listed)
        .map(|stats| late_partition(stats, &mut told))
        .collect();
    let rest = late.get(listed..).unwrap_or_default();
    if let Some(most) = rest.iter().max_by_key(|stats| stats.lags.max_days) {
        let n_files: u64 = rest.iter().map(|stats| stats.lags.n_late()).sum();
        let title = format!(
            "{} more partitions have late files",
            units::count(rest.len() as u64)
        );
        findings.push(Finding {
            partition: None,
            message: format!(
                "{title}: {}, up to {} after their date.",
                units::plural(n_files, "file"),
                units::plural(u64::from(most.lags.max_days), "day")
            ),
            title,
            ..late_partition(most, &mut told)
        });
    }
    findings
}

/// Dates that are `told` have their run named already: several partitions may be of one date.
fn late_partition(stats: &PartitionStats, told: &mut BTreeSet<NaiveDate>) -> Finding {
    let lags = &stats.lags;
    let (n_late, days) = (lags.n_late(), Lags::LATE_DAYS);
    let files = units::plural(n_late, "file");
    let was = if n_late == 1 { "was" } else { "were" };
    let is_whole = n_late == lags.n_files();
    let lag = units::plural(u64::from(lags.max_days), "day");
    let (title, message) = if is_whole {
        (
            format!("{} was written late", stats.partition),
            format!(
                "All {files} of {} {was} modified more than {days} days after that date, up to {lag}: written again, or late as a \
                 whole. A run that has passed by the date does not see them unless it looks back.",
                stats.partition
            ),
        )
    } else {
        (
            format!(
                "{} has {} late {}",
                stats.partition,
                units::count(n_late),
                plural_file(n_late)
            ),
            format!(
                "{files} of {} {was} modified more than {days} days after that date, up to {lag}. A run that has passed by the \
                 date does not see them unless it looks back.",
                stats.partition
            ),
        )
    };
    let remedy = match stats.partition.date() {
        Some(date) if lags.max_days > MAX_LOOKBACK_DAYS && told.insert(date) => format!(
            "No run looks back so far ({MAX_LOOKBACK_DAYS} days at most): name the date to a run yourself, such as \
             `skewer run JOB --param day={date}`; it reads only what is new."
        ),
        Some(date) if lags.max_days > MAX_LOOKBACK_DAYS => {
            format!("The run that is named for {date} reads these files too.")
        }
        _ => format!(
            "Let the job look back: `incremental: {{lookback_days: {}}}`; a run reads only what is new.",
            lags.max_days.max(1)
        ),
    };
    Finding {
        partition: Some(stats.partition.clone()),
        ..Finding::free(FindingCode::LateFiles, Severity::Warn, title, message, remedy)
    }
}

fn plural_file(n: u64) -> &'static str {
    if n == 1 { "file" } else { "files" }
}

/// Files modified before their date or in the future: their clock, or their date, is wrong.
pub(super) fn clock_skew(dataset: &DatasetKeys) -> Option<Finding> {
    let held: Vec<&PartitionStats> = dataset
        .partitions
        .values()
        .filter(|stats| stats.lags.n_early + stats.lags.n_future > 0)
        .collect();
    let first = held.first()?;
    let n_early: u64 = held.iter().map(|stats| stats.lags.n_early).sum();
    let n_future: u64 = held.iter().map(|stats| stats.lags.n_future).sum();
    let mut said = Vec::new();
    if n_early > 0 {
        said.push(format!(
            "{} modified before {} date began",
            units::plural(n_early, "file"),
            if n_early == 1 { "its" } else { "their" }
        ));
    }
    if n_future > 0 {
        said.push(format!(
            "{} modified in the future",
            units::plural(n_future, "file")
        ));
    }
    let place = match held.as_slice() {
        [only] => format!("in {}", only.partition),
        several => format!(
            "in {} partitions, the first {}",
            units::count(several.len() as u64),
            first.partition
        ),
    };
    Some(Finding {
        partition: (held.len() == 1).then(|| first.partition.clone()),
        ..Finding::free(
            FindingCode::ClockSkew,
            Severity::Note,
            "Times of change that cannot be right".to_owned(),
            format!("{} {place}. They are not counted as late.", said.join(" and ")),
            "Compare the writer's clock and time zone with the store's, and the date in the key with the data's.",
        )
    })
}

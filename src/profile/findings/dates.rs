//! Dates: missing, empty, unlike their weekday, and the growth of all of them.

use chrono::{Days, NaiveDate};

use super::{FLOOR_BYTES, MAX_LISTED, Seen, n_listed};
use crate::base::units;
use crate::profile::{Finding, FindingCode, HourRun, Severity, WeekdayOutlier, formulas};
use crate::storage::{DatasetKeys, Partition, PartitionStats};

/// Consecutive missing dates are one finding; a dataset that lacks most of its dates is described once.
pub(super) fn missing_runs(dataset: &DatasetKeys, missing: &[NaiveDate]) -> Vec<Finding> {
    let n_present = dataset
        .partitions
        .keys()
        .filter_map(Partition::date)
        .collect::<std::collections::BTreeSet<_>>()
        .len();
    let (Some(first), Some(last)) = (missing.first(), missing.last()) else {
        return Vec::new();
    };
    let runs = runs_of(missing);
    if missing.len() >= n_present || runs.len() > MAX_LISTED {
        return vec![Finding {
            code: FindingCode::MissingDate,
            partition: Some(Partition::Day(*first)),
            until: Some(Partition::Day(*last)),
            severity: if missing.len() >= n_present {
                Severity::Note
            } else {
                Severity::Warn
            },
            title: format!("{} dates have no objects", units::count(missing.len() as u64)),
            message: format!(
                "Between the first and the last date {} of {} dates have no objects, from {first} to {last}.",
                units::count(missing.len() as u64),
                units::count((missing.len() + n_present) as u64)
            ),
            remedy:
                "If the data do not come every day, this is as it should be; else look for late or lost days."
                    .to_owned(),
            cost_seconds: 0.0,
            cost_requests: 0,
        }];
    }
    runs.into_iter()
        .map(|(first, last)| missing_run(dataset, first, last))
        .collect()
}

fn runs_of(missing: &[NaiveDate]) -> Vec<(NaiveDate, NaiveDate)> {
    let mut runs: Vec<(NaiveDate, NaiveDate)> = Vec::new();
    for date in missing {
        match runs.last_mut() {
            Some((_, last)) if last.succ_opt() == Some(*date) => *last = *date,
            _ => runs.push((*date, *date)),
        }
    }
    runs
}

fn missing_run(dataset: &DatasetKeys, first: NaiveDate, last: NaiveDate) -> Finding {
    let is_one = first == last;
    let n_files = |date: Option<NaiveDate>| -> Option<u64> {
        let date = date?;
        let of_day = dataset
            .partitions
            .values()
            .filter(|stats| stats.partition.date() == Some(date));
        Some(of_day.map(|stats| stats.n_files).sum())
    };
    let neighbours = [
        first.checked_sub_days(Days::new(1)),
        last.checked_add_days(Days::new(1)),
    ]
    .map(n_files);
    let evidence = match neighbours {
        [Some(before), Some(after)] => format!("The days beside hold {before} and {after} files."),
        _ => String::new(),
    };
    let dates = if is_one {
        first.to_string()
    } else {
        format!("{first} to {last}")
    };
    let verb = if is_one { "has" } else { "have" };
    Finding {
        code: FindingCode::MissingDate,
        partition: Some(Partition::Day(first)),
        until: (!is_one).then_some(Partition::Day(last)),
        severity: Severity::Warn,
        title: format!("{dates} {verb} no objects"),
        message: format!("{dates} {verb} no objects. {evidence} Missing, or late.").replace("  ", " "),
        remedy: "Ask the producer, or mark the gap as expected; a run reports it as `no_data`.".to_owned(),
        cost_seconds: 0.0,
        cost_requests: 0,
    }
}

/// Hours that are not there on dates that are: one finding, however many.
pub(super) fn missing_hours(seen: &Seen<'_>) -> Option<Finding> {
    let missing = seen.missing_hours.filter(|missing| missing.n_missing > 0)?;
    let n_missing = units::plural(missing.n_missing, "hour");
    let verb = if missing.n_missing == 1 { "has" } else { "have" };
    let first = missing.examples.first()?;
    let run = |run: &HourRun| {
        let until = if run.first == run.last {
            String::new()
        } else {
            format!(" to {:02}h", run.last)
        };
        format!("{} {:02}h{until}", run.date, run.first)
    };
    let examples: Vec<String> = missing.examples.iter().map(run).collect();
    let n_told: u64 = missing.examples.iter().map(|run| run.n_hours).sum();
    let word = if n_told < missing.n_missing {
        "such as "
    } else {
        ""
    };
    let hours = if missing.hours_of_day.len() == 24 {
        String::new()
    } else {
        let hours: Vec<String> = missing
            .hours_of_day
            .iter()
            .map(|hour| format!("{hour:02}"))
            .collect();
        format!(
            " Most dates have the hours {} only, and no others are expected.",
            hours.join(", ")
        )
    };
    // A lake that lacks every other hour is not written every hour.
    let is_half = missing.n_missing * 2 > missing.n_expected;
    Some(Finding {
        partition: Some(Partition::Hour(first.date, first.first)),
        ..Finding::free(
            FindingCode::MissingHour,
            if is_half { Severity::Note } else { Severity::Warn },
            format!("{n_missing} {verb} no objects"),
            format!(
                "{} of {} hours {verb} no objects, on {} that {} others: {word}{}.{hours}",
                units::count(missing.n_missing),
                units::count(missing.n_expected),
                units::plural(missing.n_dates, "date"),
                if missing.n_dates == 1 { "has" } else { "have" },
                examples.join(", ")
            ),
            "Ask the producer whether those hours had no events, or are lost or late.",
        )
    })
}

/// Partitions whose files are all empty.
pub(super) fn empty(dataset: &DatasetKeys) -> Vec<Finding> {
    let empty: Vec<&PartitionStats> = dataset
        .partitions
        .values()
        .filter(|stats| stats.n_files > 0 && stats.n_bytes == 0)
        .collect();
    if let [first, .., last] = empty.as_slice()
        && empty.len() == dataset.partitions.len()
    {
        let n_files: u64 = empty.iter().map(|stats| stats.n_files).sum();
        return vec![Finding::free(
            FindingCode::EmptyPartition,
            Severity::Warn,
            "No partition holds a byte".to_owned(),
            format!(
                "All {} partitions, from {} to {}, have files of 0 bytes only, {}. There is nothing to compare, so no skew can \
                 be told.",
                units::count(empty.len() as u64),
                first.partition,
                last.partition,
                units::plural(n_files, "file")
            ),
            "The writer may have failed after it made its files: look at its log.",
        )];
    }
    let of_one = |stats: &&PartitionStats| Finding {
        code: FindingCode::EmptyPartition,
        partition: Some(stats.partition.clone()),
        until: None,
        severity: Severity::Warn,
        title: format!("{} holds no bytes", stats.partition),
        message: format!(
            "{} has {} of 0 bytes.",
            stats.partition,
            units::plural(stats.n_files, "file")
        ),
        remedy: "The writer may have failed after it made its files: look at its log for this partition."
            .to_owned(),
        cost_seconds: 0.0,
        cost_requests: 0,
    };
    let listed = n_listed(empty.len());
    let mut findings: Vec<Finding> = empty.iter().take(listed).map(of_one).collect();
    let rest = empty.get(listed..).unwrap_or_default();
    if let (Some(first), Some(last)) = (rest.first(), rest.last()) {
        let n_rest = units::count(rest.len() as u64);
        findings.push(Finding {
            partition: None,
            title: format!("{n_rest} more partitions hold no bytes"),
            message: format!(
                "{n_rest} more partitions, from {} to {}, have files of 0 bytes only.",
                first.partition, last.partition
            ),
            remedy:
                "The writer may have failed after it made its files: look at its log for these partitions."
                    .to_owned(),
            ..of_one(first)
        });
    }
    findings
}

/// Days far from what their weekday leads to expect. Those that are spikes among all days are named there.
pub(super) fn weekday_outliers(seen: &Seen<'_>, spikes: &[&PartitionStats]) -> Vec<Finding> {
    let is_spike = |date: NaiveDate| spikes.iter().any(|stats| stats.partition.date() == Some(date));
    let mut outliers: Vec<&WeekdayOutlier> = seen
        .weekdays
        .outliers
        .iter()
        .filter(|outlier| !is_spike(outlier.date))
        .collect();
    let change = |outlier: &WeekdayOutlier| outlier.n_bytes.abs_diff(outlier.expected_bytes);
    outliers.sort_by_key(|outlier| (std::cmp::Reverse(change(outlier)), outlier.date));
    let listed = n_listed(outliers.len());
    let of_one = |outlier: &&WeekdayOutlier| {
        let date = outlier.date;
        let weekday = date.format("%A");
        let is_more = outlier.ratio > 1.0;
        let is_small = change(outlier) < FLOOR_BYTES;
        let extra = if is_more { change(outlier) } else { 0 };
        let floor = if is_small {
            " Small in absolute terms, so this is a note."
        } else {
            ""
        };
        Finding {
            partition: Some(Partition::Day(date)),
            cost_seconds: seen.costs.shared(seen.costs.seconds(extra, 0)),
            ..Finding::free(
                FindingCode::WeekdayOutlier,
                if is_small { Severity::Note } else { Severity::Warn },
                format!(
                    "{date} holds {} than other {weekday}s",
                    if is_more { "far more" } else { "far less" }
                ),
                format!(
                    "{date} has {}, {:.1} × the {} that the {} nearest other {weekday}s have in the middle (robust z {:.1}).{floor}",
                    units::bytes(outlier.n_bytes),
                    outlier.ratio,
                    units::bytes(outlier.expected_bytes),
                    outlier.n_others,
                    outlier.score
                ),
                if is_more {
                    "Look for days that were written twice or came at once; mark it as expected if the day was special."
                } else {
                    "Look for files that are late or lost; mark it as expected if the day was a holiday."
                },
            )
        }
    };
    let mut findings: Vec<Finding> = outliers.iter().take(listed).map(of_one).collect();
    let rest = outliers.get(listed..).unwrap_or_default();
    if let Some(first) = rest.first() {
        let title = format!(
            "{} more days are unlike their weekday",
            units::count(rest.len() as u64)
        );
        findings.push(Finding {
            partition: None,
            message: format!("{title}. The calendar marks them all."),
            title,
            cost_seconds: 0.0,
            ..of_one(first)
        });
    }
    findings
}

/// Growth of less than this in a month is no finding.
const GROWTH_FLOOR: f64 = 0.05;

/// What the days will hold if they go on as they did.
pub(super) fn growth(seen: &Seen<'_>) -> Option<Finding> {
    let growth = seen.metrics.growth.filter(|growth| growth.is_trend)?;
    let share = growth
        .share_per_month
        .filter(|share| share.abs() >= GROWTH_FLOOR)?;
    let (word, size) = if share > 0.0 {
        ("grow", "more")
    } else {
        ("shrink", "less")
    };
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "a change of a day's bytes"
    )]
    let change = growth.bytes_per_month.abs() as u64;
    // From where the days are now, not from the middle of the weeks.
    let when = if share > 0.0 && growth.last_week_bytes > 0.0 {
        let months = formulas::rounded(growth.last_week_bytes / growth.bytes_per_month).max(1);
        format!(
            " At this pace they double in {} from the last week's mean.",
            units::plural(months, "month")
        )
    } else {
        String::new()
    };
    Some(Finding::free(
        FindingCode::Growth,
        Severity::Note,
        format!("The days {word} by {} a month", units::percent(share.abs())),
        format!(
            "A day holds {} {size} each month, by the middle slope of {} weeks.{when}",
            units::bytes(change),
            units::count(growth.n_weeks)
        ),
        "Size jobs by bytes, not by a fixed number of files or tasks.",
    ))
}

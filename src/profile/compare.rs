//! Two ranges of dates side by side: what they hold, day by day, and what was found in one and not in the other.

use std::collections::BTreeSet;

use chrono::NaiveDate;
use serde::Serialize;

use super::days::{DayLoad, days};
use super::{CostModel, Finding, FindingCode, PartitionSkew, RowCount, RowCounts, Severity, partition_skew};
use crate::base::{Accuracy, units};
use crate::storage::{DatasetKeys, DateRange};

/// What one range holds.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct RangeFigures {
    pub range: DateRange,
    pub n_partitions: u64,
    /// Dates that have partitions.
    pub n_dates: u64,
    pub n_missing_dates: u64,
    pub n_files: u64,
    pub n_bytes: u64,
    /// None without files.
    pub average_file_bytes: Option<u64>,
    /// None without dates.
    pub bytes_per_date: Option<f64>,
    pub files_per_date: Option<f64>,
    pub max_over_median: Option<f64>,
    pub gini: Option<f64>,
    /// None while rows were not counted.
    pub rows: Option<RowCount>,
}

/// How a figure is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Unit {
    Bytes,
    Count,
    /// A count with a digit after the point.
    Mean,
    Ratio,
    /// A count that may be an estimate, with its error.
    Rows,
}

/// `52,310`, or `52,310 ± 1,200 (estimate)` where not all files were read.
fn rows_in_words(rows: &RowCount) -> String {
    let n_rows = units::count(rows.n_rows);
    match rows.error {
        _ if rows.accuracy.is_exact() => n_rows,
        Some(error) => format!("{n_rows} ± {} ({})", units::count(error), rows.accuracy),
        None => format!("{n_rows} ({}, error unknown)", rows.accuracy),
    }
}

/// One line of a table of two ranges.
#[derive(Debug, Clone, Copy)]
pub struct FigureLine {
    pub name: &'static str,
    pub value: fn(&RangeFigures) -> Option<f64>,
    unit: Unit,
}

impl FigureLine {
    /// The lines of the table, in order.
    pub const ALL: [Self; 9] = [
        Self::new("bytes", Unit::Bytes, |of| Some(of.n_bytes as f64)),
        Self::new("bytes a date", Unit::Bytes, |of| of.bytes_per_date),
        Self::new("files", Unit::Count, |of| Some(of.n_files as f64)),
        Self::new("files a date", Unit::Mean, |of| of.files_per_date),
        Self::new("average file", Unit::Bytes, |of| {
            of.average_file_bytes.map(|n| n as f64)
        }),
        Self::new("dates", Unit::Count, |of| Some(of.n_dates as f64)),
        Self::new("missing dates", Unit::Count, |of| Some(of.n_missing_dates as f64)),
        Self::new("max / median", Unit::Ratio, |of| of.max_over_median),
        Self::new("rows", Unit::Rows, |of| of.rows.map(|rows| rows.n_rows as f64)),
    ];

    const fn new(name: &'static str, unit: Unit, value: fn(&RangeFigures) -> Option<f64>) -> Self {
        Self { name, value, unit }
    }

    /// The figure as people read it; a dash where there is none.
    pub fn text(&self, figures: &RangeFigures) -> String {
        let Some(value) = (self.value)(figures) else {
            return "–".to_owned();
        };
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "sizes and counts are not negative"
        )]
        let whole = value.max(0.0).round() as u64;
        match self.unit {
            Unit::Bytes => units::bytes(whole),
            Unit::Count => units::count(whole),
            Unit::Rows => figures
                .rows
                .map_or_else(|| units::count(whole), |rows| rows_in_words(&rows)),
            Unit::Mean => format!("{value:.1}"),
            Unit::Ratio => format!("{value:.1} ×"),
        }
    }

    /// `+12.0%`, `same` or `new`; empty where there is nothing to compare. Divides by nothing that is zero.
    pub fn change(&self, comparison: &RangeComparison) -> String {
        match ((self.value)(&comparison.range), (self.value)(&comparison.against)) {
            (Some(ours), Some(theirs)) if theirs > 0.0 => {
                let change = (ours / theirs - 1.0) * 100.0;
                if change.abs() < 0.05 {
                    "same".to_owned()
                } else {
                    format!("{change:+.1}%")
                }
            }
            (Some(ours), Some(_)) if ours > 0.0 => "new".to_owned(),
            (Some(_), Some(_)) => "same".to_owned(),
            _ => String::new(),
        }
    }

    /// Whether either range has the figure.
    pub fn is_known(&self, comparison: &RangeComparison) -> bool {
        (self.value)(&comparison.range)
            .or((self.value)(&comparison.against))
            .is_some()
    }
}

/// The n-th day of both ranges; none where a range is shorter or the day is missing.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct DayPair {
    pub date: Option<NaiveDate>,
    pub against_date: Option<NaiveDate>,
    pub n_bytes: Option<u64>,
    pub against_bytes: Option<u64>,
    pub n_files: Option<u64>,
    pub against_files: Option<u64>,
    pub n_rows: Option<u64>,
    pub against_rows: Option<u64>,
    /// Half the width of the interval of about 95%; none where rows are exact or their error cannot be told.
    pub rows_error: Option<u64>,
    pub against_rows_error: Option<u64>,
    /// How exact the rows are; none while they were not counted.
    pub rows_accuracy: Option<Accuracy>,
    pub against_rows_accuracy: Option<Accuracy>,
}

/// Findings of one kind, counted in both ranges.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct CodeChange {
    pub code: FindingCode,
    pub n: u64,
    pub n_against: u64,
}

/// Two ranges side by side. Bytes and files are exact for the listing.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct RangeComparison {
    pub range: RangeFigures,
    pub against: RangeFigures,
    pub days: Vec<DayPair>,
    /// Findings of kinds that the other range does not have.
    pub new_findings: Vec<Finding>,
    /// Findings of kinds that only the other range has.
    pub gone_findings: Vec<Finding>,
    /// Kinds that both have, in different numbers.
    pub changes: Vec<CodeChange>,
    /// Dates with partitions that are in both ranges.
    pub n_shared_dates: u64,
    /// Whether the first range is all dates but those of the second.
    pub is_rest: bool,
}

impl RangeComparison {
    /// `2020-01-08..2020-01-14 against 2020-01-01..2020-01-07`
    pub fn title(&self) -> String {
        let (range, against) = (self.range.range, self.against.range);
        let is_inside = against.first > range.first && against.last < range.last;
        if self.is_rest && is_inside {
            format!("{range} without {against}, against {against}")
        } else {
            format!("{range} against {against}")
        }
    }

    /// What a reader has to know before reading the figures.
    pub fn notes(&self) -> Vec<String> {
        let mut notes = Vec::new();
        if self.n_shared_dates > 0 {
            let dates = units::plural(self.n_shared_dates, "date");
            notes.push(format!(
                "{dates} in both ranges: what they hold counts on both sides."
            ));
        }
        let (ours, theirs) = (self.range.n_dates, self.against.n_dates);
        if ours != theirs && ours > 0 && theirs > 0 {
            notes.push(format!(
                "The ranges hold {} and {}: totals differ for that alone, the figures a date do not.",
                units::plural(ours, "date"),
                units::plural(theirs, "date")
            ));
        }
        notes
    }

    /// Kinds of findings that both have, in different numbers: `partition spike: 3 against 1`.
    pub fn changes_in_words(&self) -> impl Iterator<Item = String> {
        self.changes.iter().map(|change| {
            format!(
                "{}: {} against {}",
                change.code.words(),
                change.n,
                change.n_against
            )
        })
    }
}

/// Days of the longest range that are compared one by one.
const MAX_DAYS: usize = 4000;

/// Compares the dates of `range` with those of `against`. Without a range, those are all dates that are not in `against`.
pub fn compare_ranges(
    dataset: &DatasetKeys,
    range: Option<DateRange>,
    against: DateRange,
    rows: Option<&RowCounts>,
    costs: &CostModel,
) -> RangeComparison {
    let ours = match range {
        Some(range) => dataset.within(range),
        None => without(dataset, against),
    };
    let theirs = dataset.within(against);
    let (our_skew, their_skew) = (partition_skew(&ours, costs), partition_skew(&theirs, costs));
    // What is harmless is no news, and does not hide the same kind where it costs.
    let found = |skew: &PartitionSkew| -> Vec<Finding> {
        let findings = skew.findings.iter();
        findings
            .filter(|finding| finding.severity != Severity::Good)
            .cloned()
            .collect()
    };
    let (our_findings, their_findings) = (found(&our_skew), found(&their_skew));
    let codes =
        |found: &[Finding]| -> BTreeSet<FindingCode> { found.iter().map(|finding| finding.code).collect() };
    let (our_codes, their_codes) = (codes(&our_findings), codes(&their_findings));
    let only = |found: &[Finding], others: &BTreeSet<FindingCode>| -> Vec<Finding> {
        let of_kind = |finding: &&Finding| !others.contains(&finding.code);
        found.iter().filter(of_kind).cloned().collect()
    };
    let count = |found: &[Finding], code| found.iter().filter(|finding| finding.code == code).count() as u64;
    let changes = our_codes
        .intersection(&their_codes)
        .map(|code| CodeChange {
            code: *code,
            n: count(&our_findings, *code),
            n_against: count(&their_findings, *code),
        })
        .filter(|change| change.n != change.n_against)
        .collect();
    let is_rest = range.is_none();
    let range = range.unwrap_or_else(|| closed(&ours));
    let their_days = days(&theirs);
    let our_days = days(&ours);
    let n_shared = our_days.iter().filter(|day| {
        let at = their_days.binary_search_by_key(&day.date, |their| their.date);
        at.is_ok()
    });
    RangeComparison {
        n_shared_dates: n_shared.count() as u64,
        is_rest,
        days: pairs((&ours, range), (&theirs, against), rows),
        range: figures(&ours, &our_skew, range, rows),
        against: figures(&theirs, &their_skew, against, rows),
        new_findings: only(&our_findings, &their_codes),
        gone_findings: only(&their_findings, &our_codes),
        changes,
    }
}

fn without(dataset: &DatasetKeys, range: DateRange) -> DatasetKeys {
    let mut others = dataset.within(DateRange::default());
    others
        .partitions
        .retain(|partition, _| partition.date().is_some_and(|date| !range.contains(date)));
    others.asked = None;
    others.left_out = Some(range);
    others
}

/// From the first date that a dataset has to its last.
fn closed(dataset: &DatasetKeys) -> DateRange {
    let dates = dataset.dates();
    dates.map_or_else(DateRange::default, |(first, last)| DateRange::new(first, last))
}

fn figures(
    dataset: &DatasetKeys,
    skew: &PartitionSkew,
    range: DateRange,
    rows: Option<&RowCounts>,
) -> RangeFigures {
    let metrics = &skew.metrics;
    let n_dates = days(dataset).len() as u64;
    let per_date = |n: u64| (n_dates > 0).then(|| n as f64 / n_dates as f64);
    RangeFigures {
        range,
        n_partitions: metrics.n_partitions,
        n_dates,
        n_missing_dates: metrics.n_missing_dates,
        n_files: metrics.n_files,
        n_bytes: metrics.n_bytes,
        average_file_bytes: metrics.average_file_bytes,
        bytes_per_date: per_date(metrics.n_bytes),
        files_per_date: per_date(metrics.n_files),
        max_over_median: metrics.max_over_median,
        gini: metrics.gini,
        rows: rows.map(|rows| rows.sum(dataset.partitions.keys())),
    }
}

type Side<'a> = (&'a DatasetKeys, DateRange);

/// The first days of both ranges beside each other, then the second, and so on.
fn pairs(ours: Side<'_>, theirs: Side<'_>, rows: Option<&RowCounts>) -> Vec<DayPair> {
    let dates = |(dataset, range): Side<'_>| -> Vec<NaiveDate> {
        let held = closed(dataset);
        let (Some(first), Some(last)) = (range.first.or(held.first), range.last.or(held.last)) else {
            return Vec::new();
        };
        first
            .iter_days()
            .take_while(|date| *date <= last)
            .filter(|date| dataset.left_out.is_none_or(|out| !out.contains(*date)))
            .take(MAX_DAYS)
            .collect()
    };
    let rows_on = |(dataset, _): Side<'_>, date: NaiveDate| {
        let of_date = dataset
            .partitions
            .keys()
            .filter(|partition| partition.date() == Some(date));
        rows.map(|rows| rows.sum(of_date))
    };
    let (our_dates, their_dates) = (dates(ours), dates(theirs));
    let (our_days, their_days) = (days(ours.0), days(theirs.0));
    let load = |days: &[DayLoad], date: Option<&NaiveDate>| -> Option<DayLoad> {
        let at = days.binary_search_by_key(date?, |day| day.date).ok()?;
        days.get(at).copied()
    };
    (0..our_dates.len().max(their_dates.len()))
        .map(|i| {
            let (date, other) = (our_dates.get(i), their_dates.get(i));
            let (load, other_load) = (load(&our_days, date), load(&their_days, other));
            let count = load.and_then(|day| rows_on(ours, day.date));
            let other_count = other_load.and_then(|day| rows_on(theirs, day.date));
            DayPair {
                date: date.copied(),
                against_date: other.copied(),
                n_bytes: load.map(|day| day.n_bytes),
                against_bytes: other_load.map(|day| day.n_bytes),
                n_files: load.map(|day| day.n_files),
                against_files: other_load.map(|day| day.n_files),
                n_rows: count.map(|count| count.n_rows),
                against_rows: other_count.map(|count| count.n_rows),
                rows_error: count.and_then(|count| count.error),
                against_rows_error: other_count.and_then(|count| count.error),
                rows_accuracy: count.map(|count| count.accuracy),
                against_rows_accuracy: other_count.map(|count| count.accuracy),
            }
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::{FigureLine, compare_ranges};
    use crate::base::Accuracy;
    use crate::profile::{CostModel, FindingCode, RowCount, RowCounts};
    use crate::storage::DateRange;
    use crate::storage::testing::january as lake;

    fn range(text: &str) -> DateRange {
        text.parse().unwrap()
    }

    #[test]
    fn two_weeks_are_compared_day_by_day_and_the_new_spike_is_named() {
        let dataset = lake((1..=14).filter(|day| *day != 10).map(|day| {
            let bytes = if day == 9 { 9_000_000 } else { 400_000 };
            (day, 10, bytes)
        }));
        let costs = CostModel::default();
        let found = compare_ranges(
            &dataset,
            Some(range("2020-01-08..2020-01-14")),
            range("2020-01-01..2020-01-07"),
            None,
            &costs,
        );
        assert_eq!((found.range.n_dates, found.range.n_missing_dates), (6, 1));
        assert_eq!((found.against.n_dates, found.against.n_bytes), (7, 2_800_000));
        assert_eq!(
            found.range.average_file_bytes,
            Some((5 * 400_000 + 9_000_000) / 60)
        );
        assert_eq!(found.days.len(), 7);
        let tenth = &found.days[2];
        assert_eq!((tenth.n_bytes, tenth.against_bytes), (None, Some(400_000)));
        let codes: Vec<FindingCode> = found.new_findings.iter().map(|finding| finding.code).collect();
        assert!(codes.contains(&FindingCode::PartitionSpike), "{codes:?}");
        assert!(codes.contains(&FindingCode::MissingDate), "{codes:?}");
        assert!(!codes.contains(&FindingCode::EvenPartitions), "{codes:?}");
        assert_eq!(found.gone_findings, []);
        let line = |name: &str| {
            let line = FigureLine::ALL
                .into_iter()
                .find(|line| line.name == name)
                .unwrap();
            format!(
                "{} {} {}",
                line.text(&found.range),
                line.text(&found.against),
                line.change(&found)
            )
        };
        assert_eq!(line("bytes"), "11 MB 2.8 MB +292.9%");
        assert_eq!(line("files a date"), "10.0 10.0 same");
        assert_eq!(line("missing dates"), "1 0 new");
        assert_eq!(line("rows"), "– – ");
    }

    #[test]
    fn rows_that_are_estimates_show_and_carry_their_error() {
        let dataset = lake((1..=4).map(|day| (day, 10, 400_000)));
        let estimate = RowCount {
            n_rows: 52_310,
            error: Some(1200),
            accuracy: Accuracy::Estimate,
            n_files_read: 4,
            n_files: 10,
        };
        let exact = RowCount {
            n_rows: 50_000,
            ..RowCount::default()
        };
        let counts = [estimate, exact, exact, exact];
        let rows = RowCounts {
            partitions: dataset.partitions.keys().cloned().zip(counts).collect(),
            ..RowCounts::default()
        };
        let found = compare_ranges(
            &dataset,
            Some(range("2020-01-01..2020-01-02")),
            range("2020-01-03..2020-01-04"),
            Some(&rows),
            &CostModel::default(),
        );
        let mut lines = FigureLine::ALL.into_iter();
        let line = lines.find(|line| line.name == "rows").unwrap();
        assert_eq!(
            [line.text(&found.range), line.text(&found.against)],
            ["102,310 ± 1,200 (estimate)", "100,000"]
        );
        let json = serde_json::to_value(&found).unwrap();
        assert_eq!(json["range"]["rows"]["error"], 1200);
        let [first, second] = [&json["days"][0], &json["days"][1]];
        assert_eq!(first["n_rows"], 52_310);
        assert_eq!(first["rows_error"], 1200);
        assert!(first["against_rows_error"].is_null() && second["rows_error"].is_null());
        assert_ne!(first["rows_accuracy"], first["against_rows_accuracy"]);
    }

    #[test]
    fn all_other_dates_around_a_range_are_neither_missing_nor_compared_with_themselves() {
        // Ten days at 100, then three at 700, then seven at 100; the 15th is missing.
        let days = (1..=20).filter(|day| *day != 15);
        let dataset = lake(days.map(|day| (day, 1, if (11..=13).contains(&day) { 700 } else { 100 })));
        let found = compare_ranges(
            &dataset,
            None,
            range("2020-01-11..2020-01-13"),
            None,
            &CostModel::default(),
        );
        assert_eq!((found.range.n_dates, found.range.n_bytes), (16, 1600));
        assert_eq!(
            (found.range.n_missing_dates, found.against.n_missing_dates),
            (1, 0)
        );
        assert_eq!(
            (found.range.bytes_per_date, found.against.bytes_per_date),
            (Some(100.0), Some(700.0))
        );
        assert_eq!(
            found.days.len(),
            17,
            "the days of the other range are none of these"
        );
        assert!(found.days.iter().all(|pair| pair.n_bytes != Some(700)));
        assert_eq!(
            (found.days[10].date.unwrap().to_string(), found.days[10].n_bytes),
            ("2020-01-14".to_owned(), Some(100))
        );
        let missing: Vec<&str> = found
            .new_findings
            .iter()
            .map(|finding| finding.title.as_str())
            .collect();
        assert!(missing.contains(&"2020-01-15 has no objects"), "{missing:?}");
        assert_eq!(
            found.title(),
            "2020-01-01..2020-01-20 without 2020-01-11..2020-01-13, against 2020-01-11..2020-01-13"
        );
        assert_eq!(
            found.notes(),
            [
                "The ranges hold 16 dates and 3 dates: totals differ for that alone, the figures a date do not."
            ]
        );
    }

    #[test]
    fn ranges_that_overlap_or_end_after_the_data_say_so_and_are_paired_from_their_first_days() {
        let dataset = lake((1..=14).map(|day| (day, 1, u64::from(day) * 10)));
        let found = compare_ranges(
            &dataset,
            Some(range("2020-01-10..2020-01-20")),
            range("2020-01-08..2020-01-12"),
            None,
            &CostModel::default(),
        );
        assert_eq!((found.range.n_dates, found.range.n_bytes), (5, 600));
        assert_eq!((found.against.n_dates, found.against.n_bytes), (5, 500));
        assert_eq!(
            found.range.n_missing_dates, 0,
            "days after the last one are not missing yet"
        );
        assert_eq!(found.days.len(), 11);
        let pair = |at: usize| (found.days[at].n_bytes, found.days[at].against_bytes);
        assert_eq!(
            [pair(0), pair(4), pair(5), pair(10)],
            [
                (Some(100), Some(80)),
                (Some(140), Some(120)),
                (None, None),
                (None, None)
            ]
        );
        assert_eq!(found.n_shared_dates, 3);
        assert_eq!(
            found.notes(),
            ["3 dates in both ranges: what they hold counts on both sides."]
        );
        let line = |name: &str| {
            FigureLine::ALL
                .into_iter()
                .find(|line| line.name == name)
                .unwrap()
        };
        assert_eq!(line("bytes").change(&found), "+20.0%");
        assert_eq!(line("bytes a date").change(&found), "+20.0%");
        let empty = compare_ranges(
            &dataset,
            Some(range("2020-01-01..2020-01-07")),
            range("2021"),
            None,
            &CostModel::default(),
        );
        assert_eq!((empty.range.n_bytes, empty.against.n_bytes), (280, 0));
        assert_eq!(line("bytes").change(&empty), "new");
        assert_eq!(
            (line("bytes a date").change(&empty), empty.notes().len()),
            (String::new(), 0)
        );
    }

    #[test]
    fn without_a_range_all_other_dates_are_compared_and_empty_ranges_divide_by_nothing() {
        let dataset = lake((1..=14).map(|day| (day, 10, 400_000)));
        let costs = CostModel::default();
        let others = compare_ranges(&dataset, None, range("2020-01-01..2020-01-07"), None, &costs);
        assert_eq!(others.range.range.to_string(), "2020-01-08..2020-01-14");
        assert_eq!(others.new_findings, []);
        let nothing = compare_ranges(&dataset, Some(range("2021")), range("2022"), None, &costs);
        assert_eq!((nothing.range.n_bytes, nothing.range.bytes_per_date), (0, None));
        assert!(nothing.days.iter().all(|pair| pair.n_bytes.is_none()));
        let none = compare_ranges(&lake([]), None, range("2022.."), None, &costs);
        assert!(none.days.is_empty() && none.against.average_file_bytes.is_none());
    }
}

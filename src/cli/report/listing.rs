//! What a page says of a listing: figures, findings, charts, rows and the partitions one by one.

use chrono::{DateTime, SecondsFormat, Utc};

use super::ListingPage;
use super::page::{Cell, Figure, Page};
use crate::base::units;
use crate::chart::draw::{DrawError, PictureSize};
use crate::chart::{
    BarOrder, Calendar, Lorenz, Measure, PartitionBars, SizeHistogram, Treemap, calendar_picture,
    lorenz_picture, partition_picture, range_picture, sizes_picture, treemap_picture,
};
use crate::profile::{
    CostModel, DayPair, FigureLine, Finding, MIN_SAMPLES, Metric, PartitionSkew, RangeComparison, RowCount,
    RowCounts, Severity, SkewMetrics, SplitForecast,
};
use crate::storage::{DatasetKeys, Partition};

/// Partitions that a page lists, the largest ones, and days of two ranges.
const MAX_PARTITIONS: usize = 200;

/// What a partition is called.
fn unit_of(dataset: &DatasetKeys) -> &'static str {
    match dataset.partitions.keys().next() {
        Some(Partition::Day(_)) => "day",
        Some(Partition::Hour(..)) => "hour",
        _ => "partition",
    }
}

pub(super) fn listing_section(
    page: &mut Page,
    name: &str,
    listing: &ListingPage<'_>,
    costs: &CostModel,
) -> Result<(), DrawError> {
    let (dataset, skew) = (listing.dataset, listing.skew);
    figures(page, listing);
    page.heading("Findings, by cost");
    page.findings(&skew.findings);
    over_time(page, skew);
    let split = SplitForecast::new(dataset.partitions.values(), costs);
    page.paragraph(&format!(
        "One pass with one task a {}: {}. Cut by bytes into {}: {} (estimates).",
        unit_of(dataset),
        units::seconds(split.by_partition_seconds),
        units::plural(split.n_tasks, "task"),
        units::seconds(split.by_bytes_seconds)
    ));
    if let Some(comparison) = listing.comparison {
        let note = format!("{}, from the listing", listing.accuracy);
        comparison_section(page, comparison, &note)?;
    }
    charts(page, name, listing)?;
    partition_table(page, dataset, listing.rows, skew.metrics.n_bytes);
    Ok(())
}

fn figures(page: &mut Page, listing: &ListingPage<'_>) {
    let metrics = &listing.skew.metrics;
    let (missing_label, n_missing) = metrics.missing();
    let mut figures = vec![
        Figure {
            label: "max / median",
            value: units::times(metrics.max_over_median),
            note: "bytes".to_owned(),
            severity: metrics.severity(Metric::MaxOverMedian),
        },
        Figure {
            label: "effective partitions",
            value: metrics.effective_partitions.map_or_else(
                || "–".to_owned(),
                |effective| format!("{effective:.1} of {}", units::count(metrics.n_partitions)),
            ),
            note: "1 / Σp²".to_owned(),
            severity: metrics.severity(Metric::EffectivePartitions),
        },
        Figure {
            label: "Gini",
            value: metrics
                .gini
                .map_or_else(|| "–".to_owned(), |gini| format!("{gini:.2}")),
            note: "0 even, 1 one holds all".to_owned(),
            severity: metrics.severity(Metric::Gini),
        },
        Figure {
            label: missing_label,
            value: units::count(n_missing),
            note: missing_note(metrics),
            severity: metrics.severity(Metric::MissingDates),
        },
        Figure {
            label: "tiny files",
            value: units::count(metrics.n_tiny_files),
            note: metrics.tiny_words(),
            severity: metrics.severity(Metric::TinyFiles),
        },
        Figure {
            label: "total",
            value: units::bytes(metrics.n_bytes),
            note: units::plural(metrics.n_files, "file"),
            severity: Severity::Good,
        },
    ];
    if let Some(rows) = listing.rows {
        let sum = rows.sum(listing.dataset.partitions.keys());
        figures.push(Figure {
            label: "rows",
            value: units::count(sum.n_rows),
            note: match sum.error {
                Some(error) => format!("± {}, {}", units::count(error), sum.accuracy),
                None => sum.accuracy.to_string(),
            },
            severity: Severity::Good,
        });
    }
    page.figures(&figures);
}

fn missing_note(metrics: &SkewMetrics) -> String {
    match metrics.n_missing_hours {
        Some(n) if n > 0 && metrics.n_missing_dates == 0 => "of dates that are there".to_owned(),
        Some(n) if n > 0 => format!("and {} on other dates", units::plural(n, "hour")),
        _ => "between the first and the last".to_owned(),
    }
}

/// Growth, and days unlike their weekday.
fn over_time(page: &mut Page, skew: &PartitionSkew) {
    let growth = match skew.metrics.growth {
        Some(growth) if growth.is_trend => growth.share_per_month.map(|share| {
            format!(
                "Growth: {:+.1}% a month in bytes and {:+.1} files a day each month, over {} weeks (estimate).",
                share * 100.0,
                growth.files_per_month,
                growth.n_weeks
            )
        }),
        Some(growth) => Some(format!("No growth in {} weeks.", units::count(growth.n_weeks))),
        None => Some("Growth: eight weeks are needed to tell a trend.".to_owned()),
    };
    if let Some(growth) = growth {
        page.paragraph(&growth);
    }
    let outliers = &skew.weekdays.outliers;
    if !skew.weekdays.is_known && skew.metrics.n_partitions > 1 {
        page.paragraph(&format!(
            "Too short to judge weekdays: a day is held against {MIN_SAMPLES} of its own."
        ));
    }
    if outliers.is_empty() {
        return;
    }
    page.table(
        "Days unlike the same weekday of other weeks",
        &["date", "weekday", "bytes", "expected", "ratio", "robust z"],
        outliers.iter().take(MAX_PARTITIONS).map(|outlier| {
            vec![
                Cell::Text(outlier.date.to_string()),
                Cell::Text(outlier.date.format("%A").to_string()),
                Cell::Number(units::bytes(outlier.n_bytes)),
                Cell::Number(units::bytes(outlier.expected_bytes)),
                Cell::Number(units::times(Some(outlier.ratio))),
                Cell::Number(format!("{:.1}", outlier.score)),
            ]
        }),
    );
}

fn charts(page: &mut Page, name: &str, listing: &ListingPage<'_>) -> Result<(), DrawError> {
    let (dataset, skew) = (listing.dataset, listing.skew);
    page.heading("Charts");
    let unit = unit_of(dataset);
    let note = format!("{}, from the listing", listing.accuracy);
    let mut bars = PartitionBars::new(dataset, skew);
    let wide = PictureSize::default();
    for (measure, order) in [
        (Measure::Bytes, BarOrder::Partition),
        (Measure::Bytes, BarOrder::Size),
        (Measure::Files, BarOrder::Partition),
    ] {
        // One bar is in any order.
        if order == BarOrder::Partition || bars.bars.len() > 1 {
            page.picture(&partition_picture(&bars, measure, order, unit, &note), wide)?;
        }
    }
    if let Some(rows) = listing.rows {
        bars.set_rows(rows);
        let sum = rows.sum(dataset.partitions.keys());
        let note = sum.to_string();
        let picture = partition_picture(&bars, Measure::Rows, BarOrder::Partition, unit, &note);
        page.picture(&picture, wide)?;
    }
    let calendar = Calendar::new(dataset, skew);
    if !calendar.days.is_empty() {
        let picture = calendar_picture(&calendar, &note);
        page.picture(&picture, PictureSize::of(&picture))?;
    }
    page.picture(&sizes_picture(&SizeHistogram::new(dataset), &note), wide)?;
    let lorenz = Lorenz::new(dataset);
    if lorenz.partitions.len() > 1 {
        page.picture(&lorenz_picture(&lorenz, &format!("{unit}s"), &note), wide)?;
    } else {
        page.paragraph("A Lorenz curve needs two partitions with bytes.");
    }
    let tree = Treemap::new(name, std::iter::once(dataset));
    let at = tree.dataset(&dataset.prefix);
    page.picture(&treemap_picture(&tree, at, "colour: average file"), wide)
}

/// Two ranges: totals, days in pairs, and findings that only one of them has.
fn comparison_section(page: &mut Page, comparison: &RangeComparison, note: &str) -> Result<(), DrawError> {
    page.heading(&comparison.title());
    for note in comparison.notes() {
        page.paragraph(&note);
    }
    let (ours, theirs) = (&comparison.range, &comparison.against);
    let (our_name, their_name) = (&ours.range.to_string(), &theirs.range.to_string());
    let lines = FigureLine::ALL.iter().filter(|line| line.is_known(comparison));
    page.table(
        "What both hold",
        &["", our_name, their_name, "change"],
        lines.map(|line| {
            vec![
                Cell::Text(line.name.to_owned()),
                Cell::Number(line.text(ours)),
                Cell::Number(line.text(theirs)),
                Cell::Number(line.change(comparison)),
            ]
        }),
    );
    let picture = range_picture(comparison, note);
    page.picture(&picture, PictureSize::default())?;
    let changed = |page: &mut Page, name: &str, found: &[Finding]| {
        if !found.is_empty() {
            page.paragraph(&format!("Found in {name} only:"));
            page.findings(found);
        }
    };
    changed(page, our_name, &comparison.new_findings);
    changed(page, their_name, &comparison.gone_findings);
    if comparison.new_findings.is_empty() && comparison.gone_findings.is_empty() {
        page.paragraph("Both ranges have findings of the same kinds.");
    }
    for change in comparison.changes_in_words() {
        page.paragraph(&change);
    }
    pair_table(page, &comparison.days);
    Ok(())
}

/// The days of both ranges in pairs.
fn pair_table(page: &mut Page, days: &[DayPair]) {
    let n = days.len();
    let caption = if n > MAX_PARTITIONS {
        format!("The first {MAX_PARTITIONS} of {} days", units::count(n as u64))
    } else {
        "Day by day".to_owned()
    };
    let has_rows = days
        .iter()
        .any(|pair| pair.n_rows.or(pair.against_rows).is_some());
    let mut head = vec!["day", "bytes", "files"];
    let mut other = vec!["against", "bytes", "files"];
    if has_rows {
        head.push("rows");
        other.push("rows");
    }
    head.extend(other);
    let side = |date: Option<chrono::NaiveDate>, n_bytes, n_files, n_rows| {
        let number = |n: Option<u64>| Cell::Number(units::or_dash(n, units::count));
        let date = units::or_dash(date, |date| date.to_string());
        let mut cells = vec![Cell::Text(date), number(n_bytes), number(n_files)];
        if has_rows {
            cells.push(number(n_rows));
        }
        cells
    };
    page.table(
        &caption,
        &head,
        days.iter().take(MAX_PARTITIONS).map(|pair| {
            let mut cells = side(pair.date, pair.n_bytes, pair.n_files, pair.n_rows);
            cells.extend(side(
                pair.against_date,
                pair.against_bytes,
                pair.against_files,
                pair.against_rows,
            ));
            cells
        }),
    );
}

/// How rows are known, and what could not be read.
pub(super) fn rows_words(dataset: &DatasetKeys, rows: &RowCounts) -> String {
    let sum = rows.sum(dataset.partitions.keys());
    let unreadable = if rows.n_unreadable > 0 {
        format!(
            " {} could not be read and count as not read.",
            units::plural(rows.n_unreadable, "file")
        )
    } else {
        String::new()
    };
    format!(
        "Rows: {sum}. Parquet says its rows in footers. Rows of JSON Lines are estimated from the rows to a stored byte of some \
         files of each partition; ± holds the truth about 95% of the time.{unreadable}"
    )
}

fn partition_table(page: &mut Page, dataset: &DatasetKeys, rows: Option<&RowCounts>, n_bytes: u64) {
    let mut partitions: Vec<_> = dataset.partitions.values().collect();
    partitions.sort_by_key(|stats| std::cmp::Reverse(stats.n_bytes));
    let n = partitions.len();
    let caption = if n > MAX_PARTITIONS {
        format!(
            "The {MAX_PARTITIONS} largest of {} partitions",
            units::count(n as u64)
        )
    } else {
        "All partitions, the largest first".to_owned()
    };
    page.heading("Partitions");
    let time = |at: Option<DateTime<Utc>>| {
        at.map_or_else(
            || "–".to_owned(),
            |at| at.to_rfc3339_opts(SecondsFormat::Secs, true),
        )
    };
    let mut head = vec![
        "partition",
        "bytes",
        "share",
        "files",
        "average file",
        "last modified (UTC)",
    ];
    if rows.is_some() {
        head.extend(["rows", "± rows", "rows are"]);
    }
    page.table(
        &caption,
        &head,
        partitions.into_iter().take(MAX_PARTITIONS).map(|stats| {
            let average = stats.n_bytes.checked_div(stats.n_files);
            let mut cells = vec![
                Cell::Text(stats.partition.to_string()),
                Cell::Number(units::count(stats.n_bytes)),
                Cell::Number(units::percent(stats.n_bytes as f64 / n_bytes.max(1) as f64)),
                Cell::Number(units::count(stats.n_files)),
                Cell::Number(average.map_or_else(|| "–".to_owned(), units::bytes)),
                Cell::Text(time(stats.last_modified)),
            ];
            if let Some(rows) = rows {
                cells.extend(row_cells(rows.partitions.get(&stats.partition)));
            }
            cells
        }),
    );
}

/// Rows of a partition, their error, and how they are known.
fn row_cells(count: Option<&RowCount>) -> [Cell; 3] {
    let error = |count: &RowCount| match count.error {
        Some(error) => units::count(error),
        None if count.accuracy.is_exact() => "0".to_owned(),
        None => "–".to_owned(),
    };
    [
        Cell::Number(units::or_dash(count, |count| units::count(count.n_rows))),
        Cell::Number(units::or_dash(count, error)),
        Cell::Text(units::or_dash(count, |count| count.accuracy.to_string())),
    ]
}

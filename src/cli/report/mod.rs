//! `skewer skew --report FILE`: everything that is known of a dataset's skew on one page that can be sent to others.

mod page;
#[cfg(test)]
mod tests;

use std::path::Path;

use chrono::{DateTime, SecondsFormat, Utc};

use self::page::{Cell, Figure, Page};
use super::CliError;
use super::skew_tables::time;
use crate::base::{Accuracy, units};
use crate::chart::draw::{DrawError, PictureSize};
use crate::chart::{
    BarOrder, Calendar, Lorenz, Measure, PartitionBars, SizeHistogram, Treemap, calendar_picture,
    loads_picture, lorenz_picture, partition_picture, sizes_picture, top_keys_picture, treemap_picture,
};
use crate::profile::keys::{Counted, KeyReport, KeyShare, LoadMetrics};
use crate::profile::{CostModel, Metric, PartitionSkew, Severity};
use crate::storage::{DatasetKeys, Partition};

/// Partitions that a page lists, the largest ones.
const MAX_PARTITIONS: usize = 200;
const MAX_KEYS: usize = 50;

/// What a page is made of.
pub struct Report<'a> {
    pub location: &'a str,
    pub now: DateTime<Utc>,
    pub costs: &'a CostModel,
    /// The dataset as listed.
    pub listing: Option<(&'a DatasetKeys, &'a PartitionSkew)>,
    pub keys: Option<&'a KeyReport>,
}

/// Writes the page to `path`.
///
/// # Errors
/// [`CliError::Usage`] when the file cannot be written, [`CliError::Run`] when a chart cannot be drawn.
pub fn write(path: &Path, report: &Report<'_>) -> Result<(), CliError> {
    let text = html(report).map_err(|error| CliError::Run {
        message: error.to_string(),
        exit_code: 1,
    })?;
    std::fs::write(path, text).map_err(|error| CliError::Usage {
        message: format!("{}: the report cannot be written: {error}", path.display()),
    })
}

/// The page.
fn html(report: &Report<'_>) -> Result<String, DrawError> {
    let mut page = Page::new();
    if let Some(keys) = report.keys {
        keys_section(&mut page, keys)?;
    }
    if let Some((dataset, skew)) = report.listing {
        listing_section(&mut page, name_of(report.location), dataset, skew)?;
    }
    page.heading("Assumptions and accuracy");
    if report.listing.is_some() {
        page.paragraph(
            "Files, bytes and modification times are exact: they are those of one listing. Ratios follow from them. \
             Nothing was read from the files for them.",
        );
    }
    if let Some(keys) = report.keys {
        page.paragraph(&format!(
            "Keys: {}. {}",
            keys.profile.accuracy,
            counted_words(&keys.profile.counted)
        ));
    }
    page.paragraph(&format!("Costs are estimates that assume {}.", report.costs));
    let facts = [
        report.location.to_owned(),
        format!(
            "{} · skewer {}",
            report.now.to_rfc3339_opts(SecondsFormat::Secs, true),
            env!("CARGO_PKG_VERSION")
        ),
    ];
    Ok(page.finish(&format!("Skew of {}", name_of(report.location)), &facts))
}

/// The last part of a location.
fn name_of(location: &str) -> &str {
    let end = location.trim_end_matches('/');
    let name = end.rsplit('/').next().unwrap_or(end);
    if name.is_empty() { location } else { name }
}

fn listing_section(
    page: &mut Page,
    name: &str,
    dataset: &DatasetKeys,
    skew: &PartitionSkew,
) -> Result<(), DrawError> {
    let metrics = &skew.metrics;
    page.figures(&[
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
            label: "missing dates",
            value: units::count(metrics.n_missing_dates),
            note: "between the first and the last".to_owned(),
            severity: metrics.severity(Metric::MissingDates),
        },
        Figure {
            label: "tiny files",
            value: units::count(metrics.n_tiny_files),
            note: format!("in {}", units::plural(metrics.n_tiny_partitions, "partition")),
            severity: metrics.severity(Metric::TinyFiles),
        },
        Figure {
            label: "total",
            value: units::bytes(metrics.n_bytes),
            note: units::plural(metrics.n_files, "file"),
            severity: Severity::Good,
        },
    ]);
    page.heading("Findings, by cost");
    page.findings(&skew.findings);
    page.heading("Charts");
    let unit = match dataset.partitions.keys().next() {
        Some(Partition::Day(_)) => "day",
        Some(Partition::Hour(..)) => "hour",
        _ => "partition",
    };
    let note = "exact, from the listing";
    let bars = PartitionBars::new(dataset, skew);
    let wide = PictureSize::default();
    for measure in [Measure::Bytes, Measure::Files] {
        let picture = partition_picture(&bars, measure, BarOrder::Partition, unit, note);
        page.picture(&picture, wide)?;
    }
    let calendar = Calendar::new(dataset, skew);
    if !calendar.days.is_empty() {
        let picture = calendar_picture(&calendar, note);
        page.picture(&picture, PictureSize::of(&picture))?;
    }
    page.picture(&sizes_picture(&SizeHistogram::new(dataset), note), wide)?;
    page.picture(
        &lorenz_picture(&Lorenz::new(dataset), &format!("{unit}s"), note),
        wide,
    )?;
    let tree = Treemap::new(name, std::iter::once(dataset));
    let at = tree.dataset(&dataset.prefix);
    page.picture(&treemap_picture(&tree, at, "colour: average file"), wide)?;
    partition_table(page, dataset, metrics.n_bytes);
    Ok(())
}

fn partition_table(page: &mut Page, dataset: &DatasetKeys, n_bytes: u64) {
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
    page.table(
        &caption,
        &[
            "partition",
            "bytes",
            "share",
            "files",
            "average file",
            "last modified (UTC)",
        ],
        partitions.into_iter().take(MAX_PARTITIONS).map(|stats| {
            let average = stats.n_bytes.checked_div(stats.n_files);
            vec![
                Cell::Text(stats.partition.to_string()),
                Cell::Number(units::count(stats.n_bytes)),
                Cell::Number(units::percent(stats.n_bytes as f64 / n_bytes.max(1) as f64)),
                Cell::Number(units::count(stats.n_files)),
                Cell::Number(average.map_or_else(|| "–".to_owned(), units::bytes)),
                Cell::Text(time(stats.last_modified)),
            ]
        }),
    );
}

fn counted_words(counted: &Counted) -> String {
    match counted {
        Counted::Exact => "Every key was counted.".to_owned(),
        Counted::Sketch {
            max_error_rows,
            max_error_share,
            ..
        } => format!(
            "There are too many keys to count each: a count is off by at most {} ({} of all).",
            units::plural(*max_error_rows, "row"),
            units::percent(*max_error_share)
        ),
    }
}

fn keys_section(page: &mut Page, report: &KeyReport) -> Result<(), DrawError> {
    let (profile, partitions) = (&report.profile, &report.partitions);
    let columns: Vec<&str> = profile
        .columns
        .iter()
        .map(|column| column.name.as_str())
        .collect();
    let accuracy = profile.accuracy.to_string();
    page.heading(&format!("Key {}", columns.join(", ")));
    let metrics = &partitions.metrics;
    let graded = |value: Option<f64>| match value {
        Some(value) if value >= 3.0 => Severity::Bad,
        Some(value) if value >= 1.5 => Severity::Warn,
        _ => Severity::Good,
    };
    page.figures(&[
        Figure {
            label: "max / mean",
            value: units::times(metrics.max_over_mean),
            note: format!(
                "{} with perfectly even values",
                units::times(partitions.baseline_metrics.max_over_mean)
            ),
            severity: graded(metrics.max_over_mean),
        },
        Figure {
            label: "keys",
            value: units::count(profile.distinct.n),
            note: if profile.distinct.is_exact && profile.accuracy == Accuracy::Exact {
                "exact".to_owned()
            } else {
                format!("estimate · {accuracy}")
            },
            severity: Severity::Good,
        },
        Figure {
            label: "effective keys",
            value: profile
                .effective_keys
                .map_or_else(|| "–".to_owned(), |effective| format!("{effective:.1}")),
            note: "1 / Σp²".to_owned(),
            severity: Severity::Good,
        },
        Figure {
            label: "empty partitions",
            value: format!(
                "{} of {}",
                units::count(metrics.n_empty),
                units::count(u64::from(partitions.n_partitions))
            ),
            note: partitions.accuracy.to_string(),
            severity: match metrics.empty_share {
                Some(share) if share > 0.1 => Severity::Warn,
                _ => Severity::Good,
            },
        },
        Figure {
            label: "straggler cost",
            value: time(profile, metrics.straggler_seconds),
            note: "estimate".to_owned(),
            severity: Severity::Good,
        },
    ]);
    page.findings(&report.findings);
    page.picture(
        &loads_picture(partitions, &partitions.accuracy.to_string()),
        PictureSize::default(),
    )?;
    let n_bars = profile.top.len().min(20);
    let size = PictureSize {
        height: 110 + 24 * u32::try_from(n_bars).unwrap_or(20),
        ..PictureSize::default()
    };
    page.picture(&top_keys_picture(profile, n_bars, &accuracy), size)?;
    key_table(page, profile.top.iter().take(MAX_KEYS));
    remedies(page, report);
    for warning in &report.warnings {
        page.paragraph(&format!("{}. {}", warning.title, warning.message));
    }
    candidates(page, report);
    Ok(())
}

/// What may be done about it.
fn remedies(page: &mut Page, report: &KeyReport) {
    if !report.remedies.is_empty() {
        page.heading("Remedies");
        page.table(
            "What applies, with the loads it would give",
            &["remedy", "max / mean", "straggler cost", "saves", "limits"],
            report.remedies.iter().map(|offered| {
                let now = &report.partitions.metrics;
                let change = |text: &dyn Fn(&LoadMetrics) -> String| match &offered.after {
                    Some(after) => format!("{} → {}", text(now), text(after)),
                    None => "–".to_owned(),
                };
                vec![
                    Cell::Text(
                        format!("{} — {} {}", offered.title, offered.gain, offered.message)
                            .replace("  ", " "),
                    ),
                    Cell::Number(change(&|metrics| units::times(metrics.max_over_mean))),
                    Cell::Number(change(&|metrics| {
                        time(&report.profile, metrics.straggler_seconds)
                    })),
                    Cell::Number(
                        offered
                            .saved_seconds
                            .map_or_else(|| "–".to_owned(), units::seconds),
                    ),
                    Cell::Text(offered.limits.clone()),
                ]
            }),
        );
    }
    for declined in &report.declined {
        page.paragraph(&format!("Not offered: {}. {}", declined.title, declined.reason));
    }
}

/// Numbers of partitions side by side.
fn candidates(page: &mut Page, report: &KeyReport) {
    page.heading("Numbers of partitions compared");
    page.paragraph(&report.choice.advice);
    page.table(
        &report.choice.formula,
        &[
            "partitions",
            "why",
            "max / mean",
            "even values",
            "empty",
            "predicted wall time",
        ],
        report.choice.candidates.iter().map(|candidate| {
            let mark = if candidate.is_recommended {
                " (recommended)"
            } else {
                ""
            };
            vec![
                Cell::Number(units::count(u64::from(candidate.n_partitions))),
                Cell::Text(format!("{}{mark}", candidate.reason)),
                Cell::Number(units::times(candidate.max_over_mean)),
                Cell::Number(units::times(candidate.baseline_max_over_mean)),
                Cell::Number(units::count(candidate.n_empty)),
                Cell::Number(time(&report.profile, candidate.wall_seconds)),
            ]
        }),
    );
}

fn key_table<'a>(page: &mut Page, keys: impl Iterator<Item = &'a KeyShare>) {
    page.table(
        "The most frequent keys",
        &["key", "rows", "share", "bytes before compression", "hash"],
        keys.map(|key| {
            vec![
                Cell::Text(key.label.clone()),
                Cell::Number(units::count(key.n_rows)),
                Cell::Number(units::percent(key.share)),
                Cell::Number(units::bytes(key.n_bytes)),
                Cell::Number(key.hash.map_or_else(|| "–".to_owned(), |hash| hash.to_string())),
            ]
        }),
    );
}

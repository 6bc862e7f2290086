//! What a page says of a key: its counts, the partitions that Spark would make of it, what helps, and other keys beside it.

use super::page::{Cell, Figure, Page};
use crate::base::{Accuracy, units};
use crate::chart::draw::{DrawError, PictureSize};
use crate::chart::{loads_picture, top_keys_picture};
use crate::cli::skew_tables::time;
use crate::profile::Severity;
use crate::profile::keys::{
    Counted, KeyProfile, KeyReport, KeyShare, LoadMetrics, RankedKey, SimulatedPartitions,
};

const MAX_KEYS: usize = 50;

pub(super) fn counted_words(counted: &Counted) -> String {
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

pub(super) fn keys_section(
    page: &mut Page,
    report: &KeyReport,
    ranking: &[RankedKey],
) -> Result<(), DrawError> {
    let (profile, partitions) = (&report.profile, &report.partitions);
    let columns: Vec<&str> = profile
        .columns
        .iter()
        .map(|column| column.name.as_str())
        .collect();
    let accuracy = profile.accuracy.to_string();
    page.heading(&format!("Key {}", columns.join(", ")));
    for note in &profile.notes {
        page.paragraph(note);
    }
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
    loads_table(page, profile, partitions);
    key_table(page, profile.top.iter().take(MAX_KEYS));
    if ranking.len() > 1 {
        ranking_table(page, profile, ranking);
    }
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
                    Cell::Text(format!("{}. {} {}", offered.title, offered.gain, offered.message)),
                    Cell::Number(change(&|metrics| units::times(metrics.max_over_mean))),
                    Cell::Number(change(&|metrics| {
                        time(&report.profile, metrics.straggler_seconds)
                    })),
                    Cell::Number(
                        offered
                            .saved_seconds
                            .map_or_else(|| "–".to_owned(), units::seconds),
                    ),
                    Cell::Text(match offered.remedy.spark_setting() {
                        Some(setting) => format!("{} For spark-submit: --conf {setting}", offered.limits),
                        None => offered.limits.clone(),
                    }),
                ]
            }),
        );
    }
    for declined in &report.declined {
        page.paragraph(&format!("Not offered: {}. {}", declined.title, declined.reason));
    }
}

/// The loads beside those of even values, and the partitions far above the others with their keys.
fn loads_table(page: &mut Page, profile: &KeyProfile, simulated: &SimulatedPartitions) {
    let (ours, even) = (&simulated.metrics, &simulated.baseline_metrics);
    let row = |name: &str, text: &dyn Fn(&LoadMetrics) -> String| {
        vec![
            Cell::Text(name.to_owned()),
            Cell::Number(text(ours)),
            Cell::Number(text(even)),
        ]
    };
    let rows = [
        row("largest / mean", &|metrics| units::times(metrics.max_over_mean)),
        row("largest / median", &|metrics| {
            units::times(metrics.max_over_median)
        }),
        row("effective partitions", &|metrics| {
            units::or_dash(metrics.effective_partitions, |n| format!("{n:.1}"))
        }),
        row("empty partitions", &|metrics| units::count(metrics.n_empty)),
        row("predicted wall time", &|metrics| {
            time(profile, metrics.wall_seconds)
        }),
        row("waits for the largest", &|metrics| {
            time(profile, metrics.straggler_seconds)
        }),
    ];
    let caption = format!(
        "{} by Spark's hash ({})",
        units::plural(simulated.n_partitions.into(), "partition"),
        simulated.accuracy
    );
    page.table(&caption, &["", "this key", "even values"], rows.into_iter());
    if simulated.hottest.is_empty() {
        return;
    }
    let hottest = simulated.hottest.iter().map(|hot| {
        let keys = hot.keys.iter();
        let keys: Vec<String> = keys
            .map(|(label, share)| format!("{label} {}", units::percent(*share)))
            .collect();
        vec![
            Cell::Number(hot.partition.to_string()),
            Cell::Number(units::percent(hot.share)),
            Cell::Text(keys.join(", ")),
        ]
    });
    page.table(
        "The largest partitions",
        &["partition", "share", "its largest keys, as shares of all"],
        hottest,
    );
}

/// All keys that were asked for.
fn ranking_table(page: &mut Page, profile: &KeyProfile, ranking: &[RankedKey]) {
    page.heading("Keys compared");
    page.table(
        "The best first",
        &[
            "key",
            "keys",
            "largest",
            "null",
            "largest / mean",
            "predicted wall time",
            "why",
        ],
        ranking.iter().map(|key| {
            vec![
                Cell::Text(key.columns.join(", ")),
                Cell::Number(units::count(key.distinct.n)),
                Cell::Number(units::or_dash(key.top_share, units::percent)),
                Cell::Number(units::or_dash(key.null_share, units::percent)),
                Cell::Number(units::times(key.max_over_mean)),
                Cell::Number(time(profile, key.wall_seconds)),
                Cell::Text(key.verdict.clone()),
            ]
        }),
    );
}

/// Numbers of partitions side by side.
fn candidates(page: &mut Page, report: &KeyReport) {
    page.heading("Numbers of partitions compared");
    if !report.choice.advice.is_empty() {
        page.paragraph(&report.choice.advice);
    }
    if let Some(bound) = report.choice.max_useful {
        page.paragraph(&format!(
            "Beyond {} the largest key alone is more than an even one: no number makes the largest smaller than it.",
            units::plural(bound, "partition")
        ));
    }
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

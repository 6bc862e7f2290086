//! The headline figures, coloured by how bad they are.

use egui::Ui;

use crate::base::{Accuracy, units};
use crate::gui::listed::ListedDataset;
use crate::gui::theme::{Tone, space};
use crate::gui::widgets::{Figure, figure_card};
use crate::profile::{Metric, Severity};

/// Narrower cards do not hold their notes.
const MIN_WIDTH: f32 = 128.0;

struct Shown {
    label: &'static str,
    value: String,
    note: String,
    tone: Tone,
    explanation: &'static str,
}

pub fn figures_ui(ui: &mut Ui, dataset: &ListedDataset, accuracy: Accuracy) {
    let figures = figures(dataset, accuracy);
    let available = ui.available_width();
    let gap = space::MD;
    let per_row = [6usize, 3, 2]
        .into_iter()
        .find(|n| width_of(available, *n, gap) >= MIN_WIDTH)
        .unwrap_or(1);
    let width = width_of(available, per_row, gap);
    for row in figures.chunks(per_row) {
        ui.horizontal(|ui| {
            ui.spacing_mut().item_spacing.x = gap;
            for figure in row {
                figure_card(
                    ui,
                    width,
                    Figure {
                        label: figure.label,
                        value: &figure.value,
                        note: &figure.note,
                        tone: figure.tone,
                        explanation: figure.explanation,
                    },
                );
            }
        });
    }
}

fn width_of(available: f32, n: usize, gap: f32) -> f32 {
    let n = n as f32;
    ((available - gap * (n - 1.0)) / n).floor()
}

fn ratio_text(value: Option<f64>) -> String {
    match value {
        Some(value) if value >= 100.0 => format!("{value:.0} ×"),
        value => units::times(value),
    }
}

/// A figure that is fine has no colour.
fn tone_of(severity: Severity) -> Tone {
    match severity {
        Severity::Good | Severity::Note => Tone::Plain,
        Severity::Warn => Tone::Warn,
        Severity::Bad => Tone::Bad,
    }
}

fn figures(dataset: &ListedDataset, accuracy: Accuracy) -> [Shown; 6] {
    let metrics = &dataset.skew.metrics;
    let n = metrics.n_partitions;
    let effective = metrics.effective_partitions;
    let hours = metrics
        .n_missing_hours
        .filter(|n| *n > 0)
        .map(|n| units::plural(n, "hour"));
    let (missing_label, n_missing) = metrics.missing();
    let missing = match (dataset.skew.missing.as_slice(), hours) {
        ([], _) => "every date is there".to_owned(),
        (_, Some(hours)) => format!("and {hours} elsewhere"),
        ([date], None) => date.to_string(),
        ([first, ..], None) => format!("{first} and more"),
    };
    [
        Shown {
            label: "max / median",
            value: ratio_text(metrics.max_over_median),
            note: "bytes".to_owned(),
            tone: tone_of(metrics.severity(Metric::MaxOverMedian)),
            explanation: "The largest partition over the middle one. One task per partition runs this much longer \
                          than its neighbours.",
        },
        Shown {
            label: "effective partitions",
            value: effective.map_or("–".to_owned(), |effective| effective_text(effective, n)),
            note: if n < MANY {
                "1 / Σp²".to_owned()
            } else {
                format!("of {}, 1 / Σp²", units::count(n))
            },
            tone: tone_of(metrics.severity(Metric::EffectivePartitions)),
            explanation: "How many even partitions would be as concentrated as these: 1 / Σp², where p is each \
                          partition's share of the bytes.",
        },
        Shown {
            label: "Gini",
            value: metrics.gini.map_or("–".to_owned(), |gini| format!("{gini:.2}")),
            note: "0 even, 1 one holds all".to_owned(),
            tone: tone_of(metrics.severity(Metric::Gini)),
            explanation: "Inequality of bytes over partitions, from the Lorenz curve below.",
        },
        Shown {
            label: missing_label,
            value: units::count(n_missing),
            note: missing,
            tone: tone_of(metrics.severity(Metric::MissingDates)),
            explanation: "Dates between the first and the last partition that have no objects; where partitions are hours, also \
                          hours of other dates.",
        },
        Shown {
            label: "tiny files",
            value: units::count(metrics.n_tiny_files),
            note: metrics.tiny_words(),
            tone: tone_of(metrics.severity(Metric::TinyFiles)),
            explanation: "Files under 3 MB: each costs a request. They count as too many in partitions of more than 100 files \
                          that average under 3 MB or of which most are smaller, and everywhere where they are more than 1,000 \
                          in all.",
        },
        Shown {
            label: "total",
            value: units::bytes(metrics.n_bytes),
            note: format!("{} · {}", units::plural(metrics.n_files, "file"), short(accuracy)),
            tone: Tone::Plain,
            explanation: "All data files of this dataset, from the listing.",
        },
    ]
}

/// From so many partitions on their number has no room in the headline.
const MANY: u64 = 1000;

fn effective_text(effective: f64, n: u64) -> String {
    let n_digits = usize::from(effective < 99.95);
    if n < MANY {
        return format!("{effective:.n_digits$} of {n}");
    }
    #[allow(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "at most the number of partitions"
    )]
    let whole = effective.round() as u64;
    if effective < 99.95 {
        format!("{effective:.n_digits$}")
    } else {
        units::count(whole)
    }
}

fn short(accuracy: Accuracy) -> &'static str {
    match accuracy {
        Accuracy::Exact => "exact",
        Accuracy::Sample { .. } => "sample",
        Accuracy::Estimate => "estimate",
        Accuracy::Partial { .. } => "so far",
    }
}

#[cfg(test)]
mod tests {
    use super::effective_text;

    #[test]
    fn a_headline_leaves_the_number_of_thousands_of_partitions_to_its_note() {
        assert_eq!(effective_text(3.74, 13), "3.7 of 13");
        assert_eq!(effective_text(120.2, 417), "120 of 417");
        assert_eq!(effective_text(1338.4, 3000), "1,338");
        assert_eq!(effective_text(4.0, 3000), "4.0");
    }
}

//! What is known of the open key: figures, loads beside their baseline, frequent keys, numbers of partitions, ranking.

use egui::{Grid, Slider, Ui};

use super::work::Reported;
use super::{KeysCommand, KeysPanel, accepted, findings, remedies};
use crate::base::{Accuracy, units};
use crate::gui::command::Command;
use crate::gui::plot::{PlotOptions, charted_ui, picture_menu};
use crate::gui::state::Commands;
use crate::gui::theme::{Tone, code, space, strong, tone, weak, weak_small};
use crate::gui::widgets::{
    Figure, accuracy_badge, badge, card, card_with_head, empty_state, figure_card, segmented,
};
use crate::profile::keys::{Counted as How, RankedKey, Weight};
use crate::transform::Recipe;

/// Most partitions of the slider; more are typed.
const SLIDER_MAX: u32 = 4000;

pub(super) fn report_ui(
    ui: &mut Ui,
    reported: &Reported,
    recipe: &Recipe,
    is_before: bool,
    panel: &mut KeysPanel,
    commands: &mut Commands,
) {
    let accepted = accepted::accepted(recipe, &reported.columns);
    if reported.report.profile.n_rows == 0 {
        // Charts of nothing would look like even loads.
        empty_state(
            ui,
            "There are no rows",
            "Nothing comes out of the recipe for these partitions, so nothing is shuffled. Choose other partitions, or look at \
             the steps that filter.",
            None,
        );
        if !accepted.is_empty() {
            card(ui, |ui| {
                accepted::accepted_ui(ui, &accepted, reported, panel, commands);
            });
        }
        return;
    }
    figures_ui(ui, reported);
    loads_card(ui, reported, panel, commands);
    findings::findings_card(ui, reported);
    top_card(ui, reported, commands);
    if is_before {
        let text =
            "The recipe changed after these keys were counted: count them again before you take a remedy.";
        ui.add(egui::Label::new(tone(ui, Tone::Warn, text)).wrap());
    }
    remedies::remedies_card(ui, reported, &accepted, panel, commands);
    candidates_card(ui, reported, panel);
    if reported.ranking.len() > 1 || !reported.refused.is_empty() {
        ranking_card(ui, reported, panel);
    }
}

/// By the thresholds of max/mean: under 1.5 even, from 3 skewed.
fn ratio_tone(value: Option<f64>) -> Tone {
    match value {
        Some(value) if value >= 3.0 => Tone::Bad,
        Some(value) if value >= 1.5 => Tone::Warn,
        _ => Tone::Plain,
    }
}

#[expect(clippy::too_many_lines, reason = "six figures, each with its words")]
fn figures_ui(ui: &mut Ui, reported: &Reported) {
    let profile = &reported.report.profile;
    let partitions = &reported.report.partitions;
    let metrics = &partitions.metrics;
    let baseline = format!(
        "{} by even values",
        units::times(partitions.baseline_metrics.max_over_mean)
    );
    let distinct = &profile.distinct;
    let keys_note = if distinct.is_exact {
        profile.accuracy.to_string()
    } else {
        format!(
            "{} to {}",
            units::count(distinct.low),
            units::count(distinct.high)
        )
    };
    let number = |value: Option<f64>| units::or_dash(value, |value| format!("{value:.1}"));
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "a number of keys is not negative"
    )]
    let keys = |value: f64| {
        if value < 1000.0 {
            format!("{value:.1}")
        } else {
            units::count(value.round() as u64)
        }
    };
    let effective_keys = units::or_dash(profile.effective_keys, keys);
    let empty = format!(
        "of {}",
        units::plural(u64::from(partitions.n_partitions), "partition")
    );
    let null = profile.null_share.map_or_else(|| "–".to_owned(), units::percent);
    let entropy = format!("entropy {} bits", number(profile.entropy_bits));
    let effective = format!(
        "1 / Σp²: rows are spread as over so many even keys. Entropy is {} of what even keys would have.",
        profile
            .normalized_entropy
            .map_or_else(|| "–".to_owned(), units::percent)
    );
    let straggler = format!("of {} predicted", units::seconds(metrics.wall_seconds));
    let empty_tone = match metrics.empty_share {
        Some(share) if share > 0.1 => Tone::Warn,
        _ => Tone::Plain,
    };
    let figures = [
        (
            "max / mean",
            units::times(metrics.max_over_mean),
            baseline.as_str(),
            ratio_tone(metrics.max_over_mean),
            "The largest partition beside the mean. Under 1.5 is even, from 3 on skewed. What is left with perfectly even \
             values comes from the hash: too few keys for so many partitions.",
        ),
        (
            "straggler cost",
            units::seconds(metrics.straggler_seconds),
            straggler.as_str(),
            Tone::Plain,
            "How much longer the stage takes than if the same work were spread evenly over all slots. An estimate.",
        ),
        (
            "empty",
            units::count(metrics.n_empty),
            empty.as_str(),
            empty_tone,
            "Partitions without any key. More than a tenth is a waste.",
        ),
        (
            "keys",
            units::count(distinct.n),
            keys_note.as_str(),
            Tone::Plain,
            "Different keys; null is one of them.",
        ),
        (
            "effective keys",
            effective_keys,
            entropy.as_str(),
            Tone::Plain,
            &effective,
        ),
        (
            "null",
            null,
            "of the rows",
            Tone::Plain,
            "Rows whose key is null in every column. All of them go to one partition.",
        ),
    ];
    let per_row = if ui.available_width() > 820.0 { 6.0 } else { 3.0 };
    let width = (ui.available_width() - (per_row - 1.0) * space::MD) / per_row;
    #[allow(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "three or six"
    )]
    let per_row = per_row as usize;
    for row in figures.chunks(per_row) {
        ui.horizontal(|ui| {
            for (label, value, note, tone, explanation) in row {
                let figure = Figure {
                    label,
                    value,
                    note,
                    tone: *tone,
                    explanation,
                };
                figure_card(ui, width, figure);
            }
        });
    }
}

fn loads_card(ui: &mut Ui, reported: &Reported, panel: &mut KeysPanel, commands: &mut Commands) {
    let partitions = &reported.report.partitions;
    let (is_log, weight) = (panel.is_log, panel.weight);
    let (mut log_chosen, mut weight_chosen) = (None, None);
    let mut asked = Commands::new();
    card_with_head(
        ui,
        "Simulated partitions",
        |ui| {
            accuracy_badge(ui, partitions.accuracy);
        },
        |ui| {
            picture_menu(ui, &reported.loads, is_log, commands);
            log_chosen = segmented(ui, &[(true, "log scale"), (false, "linear")], is_log);
            ui.add_space(space::SM);
            weight_chosen = segmented(ui, &[(Weight::Bytes, "bytes"), (Weight::Rows, "rows")], weight);
        },
        |ui| {
            slider_ui(ui, reported, panel);
            let options = PlotOptions {
                height: 210.0,
                is_log,
                ..PlotOptions::default()
            };
            charted_ui(ui, "loads", &reported.loads, options, &mut asked);
            types_ui(ui, reported, panel);
        },
    );
    commands.append(&mut asked);
    panel.is_log = log_chosen.unwrap_or(panel.is_log);
    panel.weight = weight_chosen.unwrap_or(panel.weight);
}

fn slider_ui(ui: &mut Ui, reported: &Reported, panel: &mut KeysPanel) {
    ui.horizontal_wrapped(|ui| {
        ui.spacing_mut().item_spacing.x = space::SM;
        ui.spacing_mut().slider_width = 260.0;
        let label = ui.label("Partitions");
        ui.add(
            Slider::new(&mut panel.n_partitions, 1..=SLIDER_MAX)
                .logarithmic(true)
                .clamping(egui::SliderClamping::Never),
        )
        .labelled_by(label.id);
        panel.n_partitions = panel.n_partitions.clamp(1, crate::profile::keys::MAX_PARTITIONS);
        if let Some(n) = reported.report.choice.recommended
            && n != panel.n_partitions
            && crate::gui::widgets::secondary_button(ui, true, &format!("Use {n}"))
                .on_hover_text("The number with the smallest predicted wall time")
                .clicked()
        {
            panel.n_partitions = n;
        }
        if let Some(max) = reported.report.choice.max_useful {
            let text = format!(
                "beyond {} the largest key alone is more than an even one",
                units::plural(max, "partition")
            );
            ui.label(weak_small(ui, text));
        }
    });
}

/// The type of each column of the key in Spark: the hash of 42 as int is not that of '42'.
fn types_ui(ui: &mut Ui, reported: &Reported, panel: &mut KeysPanel) {
    ui.horizontal_wrapped(|ui| {
        ui.spacing_mut().item_spacing.x = space::SM;
        ui.label(weak(ui, "Types in Spark"));
        for (name, dtype, choices) in &reported.choices {
            let current = panel.types.get(name).or_else(|| choices.first());
            let Some(current) = current.cloned() else { continue };
            ui.label(code(name));
            let mut chosen = current.clone();
            let combo = egui::ComboBox::from_id_salt(("spark type", name))
                .selected_text(current.to_string())
                .show_ui(ui, |ui| {
                    for choice in choices {
                        ui.selectable_value(&mut chosen, choice.clone(), choice.to_string());
                    }
                });
            let label = format!("Type of {name} in Spark");
            combo
                .response
                .widget_info(|| egui::WidgetInfo::labeled(egui::Role::ComboBox, true, &label));
            combo.response.on_hover_text(format!(
                "{} here. The hash depends on the type: choose the one that the column has in Spark.",
                crate::dataset::dtype_name(dtype)
            ));
            if chosen != current {
                panel.types.insert(name.clone(), chosen);
            }
        }
    });
}

fn top_card(ui: &mut Ui, reported: &Reported, commands: &mut Commands) {
    let profile = &reported.report.profile;
    let mut clicked = None;
    let mut asked = Commands::new();
    card_with_head(
        ui,
        "Most frequent keys",
        |ui| {
            accuracy_badge(ui, profile.accuracy);
            if let How::Sketch { max_error_rows, .. } = profile.counted {
                let text = format!("± {}", units::plural(max_error_rows, "row"));
                badge(ui, Tone::Plain, &text)
                    .on_hover_text("There are too many keys to count each: sketches bound the error.");
            }
        },
        |ui| picture_menu(ui, &reported.top, false, commands),
        |ui| {
            let n = profile.top.len().min(12) as f32;
            let options = PlotOptions {
                height: 34.0 + 20.0 * n.max(1.0),
                click: "Click on the bar adds a filter step that keeps only this key's rows",
                row_button: "Filter",
                ..PlotOptions::default()
            };
            clicked = charted_ui(ui, "top keys", &reported.top, options, &mut asked).clicked;
            if profile.sentinels.is_empty() {
                ui.label(weak_small(
                    ui,
                    "No key stands for \u{201c}not known\u{201d}: null, empty, unknown, 0, -1.",
                ));
            } else {
                let said: Vec<String> = profile
                    .sentinels
                    .iter()
                    .take(6)
                    .map(|key| format!("{} {}", key.label, units::percent(key.share)))
                    .collect();
                let text = format!("Stand for \u{201c}not known\u{201d}: {}", said.join(", "));
                // One row of a million is worth a word, but no warning.
                let share: f64 = profile.sentinels.iter().map(|key| key.share).sum();
                if share < 0.001 {
                    ui.label(weak_small(ui, &text));
                } else {
                    ui.label(tone(ui, Tone::Warn, text));
                }
            }
            for note in &profile.notes {
                ui.label(weak_small(ui, note));
            }
        },
    );
    commands.append(&mut asked);
    if let Some(key) = clicked.and_then(|at| profile.top.get(at)) {
        let (columns, values) = (reported.columns.clone(), key.key.clone());
        let filter = KeysCommand::Filter(columns, values, key.label.clone());
        commands.push(Command::Keys(filter));
    }
}

fn candidates_card(ui: &mut Ui, reported: &Reported, panel: &mut KeysPanel) {
    let choice = &reported.report.choice;
    card(ui, |ui| {
        rows_head_ui(ui, "Numbers of partitions compared", reported);
        if !choice.advice.is_empty() {
            ui.label(weak(ui, &choice.advice));
        }
        ui.label(weak_small(ui, &choice.formula));
        wide_grid(ui, "candidates", |ui| {
            for head in [
                "partitions",
                "why",
                "max / mean",
                "even values",
                "empty",
                "predicted",
                "",
            ] {
                ui.label(weak_small(ui, head));
            }
            ui.end_row();
            // Neighbours matter only where one of them wins.
            let shown = choice
                .candidates
                .iter()
                .filter(|candidate| candidate.is_recommended || !candidate.reason.starts_with("near"));
            for candidate in shown {
                let n = units::count(u64::from(candidate.n_partitions));
                ui.horizontal(|ui| {
                    if candidate.is_recommended {
                        ui.label(strong(n));
                        badge(ui, Tone::Good, "recommended");
                    } else {
                        ui.label(n);
                    }
                });
                ui.label(weak(ui, &candidate.reason));
                ui.label(units::times(candidate.max_over_mean));
                ui.label(units::times(candidate.baseline_max_over_mean));
                ui.label(units::count(candidate.n_empty));
                ui.label(units::seconds(candidate.wall_seconds));
                ui.horizontal(|ui| {
                    let is_current = candidate.n_partitions == panel.n_partitions;
                    let label = format!("Use {} partitions", candidate.n_partitions);
                    let button = egui::Button::new("Use").min_size(egui::vec2(44.0, 0.0));
                    let response = ui.add_enabled(!is_current, button);
                    response
                        .widget_info(|| egui::WidgetInfo::labeled(egui::Role::Button, !is_current, &label));
                    if response.clicked() {
                        panel.n_partitions = candidate.n_partitions;
                    }
                });
                ui.end_row();
            }
        });
    });
}

/// A title with a badge that says which rows what stands below it is of: advice that rests on a sample is none for the job yet.
pub(super) fn rows_head_ui(ui: &mut Ui, title: &str, reported: &Reported) {
    ui.horizontal_wrapped(|ui| {
        ui.label(strong(title));
        match reported.report.profile.accuracy {
            Accuracy::Sample { n, .. } => {
                let text = format!("sample of {}", units::plural(n, "row"));
                let hover = "Shares, times and gains are of the rows of the sample, not of the job. “All partitions” above \
                             counts every row.";
                badge(ui, Tone::Warn, &text).on_hover_text(hover);
            }
            accuracy => {
                accuracy_badge(ui, accuracy);
            }
        }
    });
}

/// A table that scrolls sideways where it is wider than its card.
fn wide_grid(ui: &mut Ui, name: &str, contents: impl FnOnce(&mut Ui)) {
    egui::ScrollArea::horizontal().id_salt(name).show(ui, |ui| {
        Grid::new(name).spacing([space::LG, space::XS]).show(ui, contents);
    });
}

fn ranking_card(ui: &mut Ui, reported: &Reported, panel: &mut KeysPanel) {
    card(ui, |ui| {
        rows_head_ui(ui, "Candidate keys, the best first", reported);
        wide_grid(ui, "ranking", |ui| {
            for head in [
                "key",
                "keys",
                "largest",
                "null",
                "max / mean",
                "even values",
                "predicted",
                "verdict",
            ] {
                ui.label(weak_small(ui, head));
            }
            ui.end_row();
            for key in &reported.ranking {
                ranked_row(ui, key, panel);
                ui.end_row();
            }
        });
        for reason in &reported.refused {
            ui.label(tone(ui, Tone::Warn, reason));
        }
    });
}

fn ranked_row(ui: &mut Ui, key: &RankedKey, panel: &mut KeysPanel) {
    let share = |value: Option<f64>| value.map_or_else(|| "–".to_owned(), units::percent);
    let is_open = panel.open_key() == Some(&key.columns);
    let name = key.columns.join(" + ");
    if ui
        .selectable_label(is_open, code(&name))
        .on_hover_text("Shows this key")
        .clicked()
    {
        panel.open = Some(key.columns.clone());
    }
    let about = if key.distinct.is_exact { "" } else { "about " };
    ui.label(format!("{about}{}", units::count(key.distinct.n)));
    ui.label(share(key.top_share));
    ui.label(share(key.null_share));
    ui.label(tone(
        ui,
        ratio_tone(key.max_over_mean),
        units::times(key.max_over_mean),
    ));
    ui.label(units::times(key.baseline_max_over_mean));
    ui.label(units::seconds(key.wall_seconds));
    ui.label(weak(ui, &key.verdict));
}

//! Which rows are explored: the first ones, or some of every partition. Says how large a part of the data they are.

use egui::{Button, DragValue, Id, Popup, PopupCloseBehavior, Ui, vec2};

use super::DataView;
use crate::base::{Accuracy, units};
use crate::dataset::SampleSize;
use crate::explore::Explored;
use crate::gui::command::Command;
use crate::gui::theme::{self, Tone, size, space};
use crate::gui::widgets::{accuracy_badge, badge, secondary_button, segmented};
use crate::session::{Edit, SampleChoice};

/// How many of the first rows a person can ask for at a click.
const ROW_CHOICES: [(usize, &str); 3] = [(100, "100"), (1_000, "1,000"), (10_000, "10,000")];
/// Bounds of what a window can hold and a person can wait for.
const MAX_ROWS: usize = 200_000;
const MAX_FILES: usize = 1_000;

/// What a spread sample starts with.
const SPREAD: SampleChoice = SampleChoice::Spread {
    files_per_partition: 2,
    rows_per_file: 100,
    seed: 1,
};

/// The badge that says what the rows are a part of.
pub(super) fn size_badge(ui: &mut Ui, view: &DataView<'_>, explored: &Explored, has_room: bool) {
    match explored.accuracy {
        Accuracy::Exact => {
            let text = format!("exact: all {}", units::plural(explored.n_rows_in, "row"));
            badge(ui, Tone::Plain, &text).on_hover_text("Every row was read.");
        }
        Accuracy::Sample { .. } => {
            let whole = said(view.sample, explored.size, explored.accuracy);
            let text = if has_room {
                whole.clone()
            } else {
                whole.split(", ").next().unwrap_or_default().to_owned()
            };
            let what = match view.sample {
                SampleChoice::Head { .. } => "The first rows, in the order of keys and lines.",
                SampleChoice::Spread { .. } => {
                    "Rows of some files of every partition. The same seed takes the same files."
                }
            };
            badge(ui, Tone::Plain, &text)
                .on_hover_text(format!("{whole}\n{what} Steps that merge rows see only these."));
        }
        accuracy => {
            accuracy_badge(ui, accuracy);
        }
    }
    if !explored.notes.is_empty() {
        badge(ui, Tone::Warn, "part of an input").on_hover_text(explored.notes.join("\n"));
    }
}

/// `sample: 2,000 of about 5,000,000 rows, 28 of 50,000 files, seed 7`.
fn said(choice: SampleChoice, size: SampleSize, accuracy: Accuracy) -> String {
    let text = if size.rows.n == 0 {
        format!("{accuracy} rows")
    } else {
        format!("sample: {size}")
    };
    if let SampleChoice::Spread { seed, .. } = choice {
        return format!("{text}, seed {seed}");
    }
    text
}

/// The button that opens the choice.
pub(super) fn sample_menu(ui: &mut Ui, view: &DataView<'_>, commands: &mut Vec<Command>) {
    let text = match view.sample {
        SampleChoice::Head { n_rows } => format!("First {}", units::count(n_rows as u64)),
        SampleChoice::Spread { .. } => "Spread".to_owned(),
    };
    let button = Button::new(theme::body(text)).min_size(vec2(0.0, size::CONTROL));
    let response = ui.add(button);
    // An id of its own: what stands before the button comes and goes with the rows, and the choice stays open meanwhile.
    Popup::menu(&response)
        .id(Id::unique("sample choice"))
        .close_behavior(PopupCloseBehavior::CloseOnClickOutside)
        .show(|ui| choice_ui(ui, view.sample, commands));
    let label = format!("Sample: {}", view.sample);
    ui.ctx()
        .accesskit_node_builder(response.id, |node| node.set_label(label.clone()));
    response.on_hover_text(label);
}

fn choice_ui(ui: &mut Ui, sample: SampleChoice, commands: &mut Vec<Command>) {
    ui.set_width(320.0);
    ui.spacing_mut().item_spacing.y = space::SM;
    let mut chosen = sample;
    let is_head = matches!(sample, SampleChoice::Head { .. });
    if ui.radio(is_head, "The first rows").clicked() && !is_head {
        chosen = SampleChoice::default();
    }
    if ui.radio(!is_head, "Rows of every partition").clicked() && is_head {
        chosen = SPREAD;
    }
    match &mut chosen {
        SampleChoice::Head { n_rows } => {
            ui.horizontal(|ui| {
                number(ui, n_rows, 1..=MAX_ROWS, "rows");
                if let Some(n) = segmented(ui, &ROW_CHOICES, *n_rows) {
                    *n_rows = n;
                }
            });
            ui.label(theme::weak_small(
                ui,
                "In the order of keys and lines: quick, but the first files may not be like the rest.",
            ));
        }
        SampleChoice::Spread {
            files_per_partition,
            rows_per_file,
            seed,
        } => {
            ui.horizontal(|ui| number(ui, files_per_partition, 1..=MAX_FILES, "files of each partition"));
            ui.horizontal(|ui| number(ui, rows_per_file, 1..=MAX_ROWS, "rows of each file"));
            ui.horizontal(|ui| {
                let mut as_number = usize::try_from(*seed).unwrap_or(usize::MAX);
                number(ui, &mut as_number, 0..=usize::MAX, "seed");
                *seed = as_number as u64;
                if secondary_button(ui, true, "Another seed")
                    .on_hover_text("Takes other files of the same partitions")
                    .clicked()
                {
                    *seed = seed.wrapping_add(1);
                }
            });
            ui.label(theme::weak_small(
                ui,
                "The same seed takes the same rows: it is kept in the session.",
            ));
        }
    }
    if chosen != sample {
        commands.push(Command::Edit(Edit::SetSample(chosen)));
    }
}

/// A whole number with its unit behind it.
fn number(ui: &mut Ui, n: &mut usize, range: std::ops::RangeInclusive<usize>, unit: &str) {
    let field = DragValue::new(n)
        .range(range)
        .speed(1)
        .update_while_editing(false)
        .custom_formatter(|n, _| format!("{n:.0}"));
    let response = ui.add_sized(vec2(76.0, size::CONTROL), field);
    let label = format!("Sample: {unit}");
    ui.ctx()
        .accesskit_node_builder(response.id, |node| node.set_label(label));
    ui.label(theme::body(unit));
}

#[cfg(test)]
mod tests {
    use super::{SPREAD, said};
    use crate::base::Accuracy;
    use crate::dataset::{Portion, SampleChoice, SampleSize, Total};

    #[test]
    fn the_badge_tells_rows_files_and_seed_or_what_is_known() {
        let size = SampleSize {
            rows: Portion {
                n: 2_000,
                of: Total::Estimated(5_000_000),
            },
            files: Portion {
                n: 28,
                of: Total::Exact(50_000),
            },
            ..SampleSize::default()
        };
        let accuracy = Accuracy::Sample { n: 2_000, of: None };
        assert_eq!(
            said(SPREAD, size, accuracy),
            "sample: 2,000 of about 5,000,000 rows, 28 of 50,000 files, seed 1"
        );
        assert_eq!(
            said(SampleChoice::default(), SampleSize::default(), accuracy),
            "sample: 2,000 rows"
        );
    }
}

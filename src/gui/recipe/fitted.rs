//! What a step learned, from which data and when, with the way to learn it anew.

use egui::{RichText, Ui};
use serde_json::Value;

use super::row::RowView;
use crate::base::units;
use crate::gui::command::Command;
use crate::gui::theme::{self, Tone, colors, space};
use crate::gui::widgets::{badge, quiet_button};
use crate::session::Edit;
use crate::transform::{FitState, RecipeStep, Step};

/// The parameter that holds what was learned.
pub(super) const FITTED: &str = "fitted";

/// The badge of a step that learns from data; nothing for others.
pub(super) fn badge_ui(ui: &mut Ui, view: &RowView<'_>, commands: &mut Vec<Command>) {
    let Some(state) = view.step.step.fit_state() else {
        return;
    };
    let number = view.at + 1;
    ui.horizontal_wrapped(|ui| {
        ui.spacing_mut().item_spacing.x = space::SM;
        ui.spacing_mut().interact_size.y = 0.0;
        let (tone, text, explanation) = about(&state);
        badge(ui, tone, &text).on_hover_text(explanation);
        if matches!(state, FitState::Fitted { .. }) {
            ui.spacing_mut().button_padding.y = 0.0;
            let again =
                quiet_button(ui, true, "Fit again").accessible_name(format!("Fit step {number} again"));
            let again = again.on_hover_text("Learns anew from the rows that are shown");
            if again.clicked()
                && let Some(step) = unfitted(view.step)
            {
                commands.push(Command::Edit(Edit::Group {
                    label: format!("fit step {number} {} again", view.step.step.name()),
                    edits: vec![Edit::SetStep { at: view.at, step }],
                }));
            }
        }
        if let FitState::Fitted { from, .. } = &state {
            // A long place is cut; the badge's tooltip has all of it.
            let c = colors(ui);
            let from = RichText::new(from).font(theme::small()).color(c.weak);
            ui.add(egui::Label::new(from).truncate());
        }
    });
}

/// Tone, words and explanation of the badge.
fn about(state: &FitState) -> (Tone, String, String) {
    match state {
        FitState::NotFitted => (
            Tone::Warn,
            "not fitted yet".to_owned(),
            "It learns from the sample as soon as the steps above it check.".to_owned(),
        ),
        FitState::Fitted { from, rows, at } => (
            Tone::Data,
            format!("fitted on {}", units::plural(*rows, "row")),
            format!(
                "Learned from {from}, {}, on {} UTC. A run uses these values and learns nothing anew.",
                units::plural(*rows, "row"),
                at.format("%Y-%m-%d %H:%M"),
            ),
        ),
        FitState::EachRun => (
            Tone::Accent,
            "learns in each run".to_owned(),
            "Every run learns anew from all rows of the partition, so its result depends on the day."
                .to_owned(),
        ),
    }
}

/// The step without what it learned.
pub(super) fn unfitted(step: &RecipeStep) -> Option<RecipeStep> {
    let Value::Object(mut params) = step.step.params() else {
        return None;
    };
    params.insert(FITTED.to_owned(), Value::Null);
    let bare = Step::from_params(step.step.name(), Value::Object(params)).ok()?;
    Some(RecipeStep {
        step: bare,
        ..step.clone()
    })
}

#[cfg(test)]
mod tests {
    use chrono::DateTime;

    use super::about;
    use crate::transform::FitState;

    #[test]
    fn a_badge_tells_from_what_and_when_and_whether_a_run_learns_anew() {
        let (_, text, explanation) = about(&FitState::Fitted {
            from: "s3://lake/raw/, first 10,000 rows".to_owned(),
            rows: 10_000,
            at: DateTime::from_timestamp(1_580_428_800, 0).unwrap(),
        });
        assert_eq!(text, "fitted on 10,000 rows");
        assert!(explanation.contains("s3://lake/raw/") && explanation.contains("2020-01-31 00:00 UTC"));
        assert_eq!(about(&FitState::EachRun).1, "learns in each run");
        assert_eq!(about(&FitState::NotFitted).1, "not fitted yet");
    }
}

//! The tests that go into the spec: what each gives and expects, and whether the recipe passes it now.

use egui::{Align, Layout, Ui};

use crate::base::units;
use crate::explore::TestOutcome;
use crate::gui::command::Command;
use crate::gui::theme::{self, Tone, colors, space};
use crate::gui::widgets::{Icon, badge, card_with_head, icon, icon_button, secondary_button};
use crate::transform::RecipeTest;

/// Rows of a test that is made at a click.
const N_ROWS: usize = 5;

/// The card. `outcomes` are those of the same tests, or none while they are computed.
pub(super) fn tests_ui(
    ui: &mut Ui,
    tests: &[RecipeTest],
    outcomes: Option<&[TestOutcome]>,
    commands: &mut Vec<Command>,
) {
    let outcomes = outcomes.filter(|outcomes| outcomes.len() == tests.len());
    let n_failed = outcomes.map_or(0, |outcomes| {
        outcomes
            .iter()
            .filter(|outcome| outcome.problem.is_some())
            .count()
    });
    let mut is_asked = false;
    card_with_head(
        ui,
        "Tests",
        |ui| {
            badge(ui, Tone::Plain, &units::plural(tests.len() as u64, "test"));
            if n_failed > 0 {
                badge(ui, Tone::Bad, &format!("{n_failed} failed"));
            }
        },
        |ui| {
            is_asked = secondary_button(ui, true, "Make a test from the first 5 rows")
                .on_hover_text("Keeps these records and what the steps make of them now")
                .clicked();
        },
        |ui| {
            if tests.is_empty() {
                let text = "A test keeps a few records and the rows that the steps make of them. It stands in the spec, \
                            and `skewer validate --tests` runs it. Rows that you select in the data become one too.";
                ui.add(egui::Label::new(theme::weak_marked(ui, text)).wrap());
            }
            for (at, test) in tests.iter().enumerate() {
                let outcome = outcomes.and_then(|outcomes| outcomes.get(at));
                test_ui(ui, at, test, outcome, commands);
            }
        },
    );
    if is_asked {
        commands.push(Command::MakeTest(0..N_ROWS));
    }
}

fn test_ui(
    ui: &mut Ui,
    at: usize,
    test: &RecipeTest,
    outcome: Option<&TestOutcome>,
    commands: &mut Vec<Command>,
) {
    let c = colors(ui);
    let problem = outcome.and_then(|outcome| outcome.problem.as_deref());
    ui.horizontal(|ui| {
        ui.spacing_mut().item_spacing.x = space::SM;
        match (outcome, problem) {
            (None, _) => {
                ui.add_space(theme::size::ICON);
            }
            (Some(_), None) => {
                icon(ui, Icon::Check, c.good).on_hover_text("The recipe passes it");
            }
            (Some(_), Some(_)) => {
                icon(ui, Icon::Close, c.bad);
            }
        }
        ui.label(theme::strong(&test.name));
        let mut counts = format!(
            "{} in, {} out",
            units::plural(test.given.len() as u64, "record"),
            units::plural(test.expect.rows.len() as u64, "row")
        );
        if test.expect.rejected > 0 {
            counts = format!("{counts}, {} rejected", units::count(test.expect.rejected));
        }
        if outcome.is_some() {
            counts.push_str(if problem.is_some() {
                " · fails"
            } else {
                " · passes"
            });
        }
        ui.label(theme::weak(ui, counts));
        ui.with_layout(Layout::right_to_left(Align::Center), |ui| {
            let label = format!("Delete the test {}", test.name);
            if icon_button(ui, true, Icon::Trash, &label).clicked() {
                commands.push(Command::DeleteTest(at));
            }
        });
    });
    if let Some(problem) = problem {
        ui.horizontal(|ui| {
            ui.add_space(theme::size::ICON + space::SM);
            let said = egui::RichText::new(problem).font(theme::small()).color(c.bad);
            ui.add(egui::Label::new(said).wrap().selectable(true));
        });
    }
}

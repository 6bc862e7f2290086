//! The panel driven by accessibility labels. Edits are applied to a history, as the window does.

use egui::{Key, vec2};
use egui_kittest::Harness;
use egui_kittest::kittest::Queryable as _;
use polars::prelude::{DataType, Schema};
use serde_json::json;

use super::{RecipePanel, RecipeView, moved, recipe_ui};
use crate::gui::command::Command;
use crate::gui::theme;
use crate::session::{Document, Edit, History};
use crate::transform::{RecipeStep, Step};

struct State {
    history: History,
    input: Schema,
    shown_step: Option<usize>,
    panel: RecipePanel,
    commands: Vec<Command>,
}

fn filter(text: &str) -> RecipeStep {
    RecipeStep::new(Step::from_params("filter", json!({"where": text})).unwrap())
}

fn harness(steps: &[RecipeStep]) -> Harness<'static, State> {
    let mut document = Document::default();
    document.recipe.steps = steps.to_vec();
    let fields = [
        ("id", DataType::String),
        ("title", DataType::String),
        ("salary", DataType::Int64),
    ];
    let state = State {
        history: History::new(document),
        input: fields
            .into_iter()
            .map(|(name, dtype)| (name.into(), dtype))
            .collect(),
        shown_step: None,
        panel: RecipePanel::default(),
        commands: Vec::new(),
    };
    let mut harness = Harness::builder()
        .with_size(vec2(340.0, 1200.0))
        .with_context_setup(|ctx| {
            theme::install_fonts(ctx);
            theme::apply(ctx, theme::Theme::Dark);
        })
        .allow_missing_glyphs()
        .build_ui_state(
            |ui, state: &mut State| {
                let mut commands = Vec::new();
                let view = RecipeView {
                    recipe: &state.history.document().recipe,
                    explored: None,
                    is_stale: false,
                    input: Some(&state.input),
                    shown_step: state.shown_step,
                    history: &state.history,
                };
                recipe_ui(ui, view, &mut state.panel, &mut commands);
                for command in &commands {
                    match command {
                        Command::Edit(edit) => state.history.apply(edit.clone()),
                        Command::Seal => state.history.seal(),
                        Command::ShowStep(step) => state.shown_step = *step,
                        _ => {}
                    }
                }
                state.commands.extend(commands);
            },
            state,
        );
    harness.run_steps(4);
    harness
}

fn names(harness: &Harness<'_, State>) -> Vec<&'static str> {
    let steps = &harness.state().history.document().recipe.steps;
    steps.iter().map(|step| step.step.name()).collect()
}

#[test]
fn a_step_is_added_by_typing_and_enter() {
    let mut harness = harness(&[]);
    harness.get_by_label("Steps that turn raw rows into features");
    harness.get_by_label("Add a step").focus();
    harness.run_steps(2);
    harness.get_by_label("Add a step").type_text("norm");
    harness.run_steps(3);
    harness.key_press(Key::Enter);
    harness.run_steps(4);
    assert_eq!(names(&harness), ["normalize_text"]);
    let params = harness.state().history.document().recipe.steps[0].step.params();
    assert_eq!(params["column"], "title", "the first text column that is no id");
    harness.get_by_label("column of step 1");
}

#[test]
fn a_click_opens_the_editor_and_typing_sets_the_step() {
    let mut harness = harness(&[filter("salary > 1")]);
    harness.get_by_label("step 1 filter").click();
    harness.run_steps(3);
    assert_eq!(harness.state().shown_step, Some(1));
    harness.get_by_label("where of step 1").focus();
    harness.run_steps(2);
    harness.key_press_modifiers(egui::Modifiers::COMMAND, Key::End);
    harness.get_by_label("where of step 1").type_text("0");
    harness.run_steps(3);
    assert_eq!(
        harness.state().history.document().recipe.steps,
        [filter("salary > 10")]
    );
}

#[test]
fn text_that_does_not_parse_stays_typed_and_changes_nothing() {
    let bucketize = Step::from_params(
        "bucketize",
        json!({"column": "salary", "into": "bucket", "borders": [30000, 60000]}),
    );
    let step = RecipeStep::new(bucketize.unwrap());
    let mut harness = harness(std::slice::from_ref(&step));
    harness.get_by_label("step 1 bucketize").click();
    harness.run_steps(3);
    harness.get_by_label("borders of step 1").focus();
    harness.run_steps(2);
    harness.key_press_modifiers(egui::Modifiers::COMMAND, Key::End);
    harness.get_by_label("borders of step 1").type_text(", 1x");
    harness.run_steps(3);
    harness.get_by_label_contains("`1x` is no number");
    let params = harness.state().history.document().recipe.steps[0].step.params();
    assert_eq!(params["borders"], json!([30000.0, 60000.0]));
    assert_eq!(
        harness.get_by_label("borders of step 1").value().as_deref(),
        Some("30000, 60000, 1x")
    );
}

#[test]
fn steps_are_switched_off_duplicated_moved_and_deleted() {
    let drop = RecipeStep::new(Step::from_params("drop", json!({"columns": ["id"]})).unwrap());
    let mut harness = harness(&[filter("salary > 1"), drop]);
    harness.get_by_label("Switch off step 1").click();
    harness.run_steps(3);
    assert!(!harness.state().history.document().recipe.steps[0].enabled);
    harness.get_by_label("step 1 filter").click();
    harness.run_steps(3);
    harness.get_by_label("Move step 1 down").click();
    harness.run_steps(3);
    assert_eq!(names(&harness), ["drop", "filter"]);
    harness.get_by_label("Duplicate step 2").click();
    harness.run_steps(3);
    assert_eq!(names(&harness), ["drop", "filter", "filter"]);
    harness.get_by_label("Delete step 3").click();
    harness.run_steps(3);
    assert_eq!(names(&harness), ["drop", "filter"]);
    let edits = harness.state().commands.iter();
    assert_eq!(
        edits
            .filter(|command| matches!(command, Command::Edit(Edit::DeleteStep { at: 2 })))
            .count(),
        1
    );
}

#[test]
fn a_moved_step_takes_its_place_and_the_others_close_up() {
    let order = |from, to| (0..4).map(|place| moved(place, from, to)).collect::<Vec<_>>();
    assert_eq!(order(0, 2), [2, 0, 1, 3]);
    assert_eq!(order(3, 1), [0, 2, 3, 1]);
    assert_eq!(order(1, 1), [0, 1, 2, 3]);
}

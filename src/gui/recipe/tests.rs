//! The panel driven by accessibility labels. Edits are applied to a history, as the window does.

use egui::{Event, Key, Modifiers, vec2};
use egui_kittest::Harness;
use egui_kittest::kittest::Queryable as _;
use polars::prelude::{DataType, Schema};
use serde_json::json;

use super::{RecipePanel, RecipeView, moved, recipe_ui};
use crate::base::Accuracy;
use crate::dataset::{Page, SampleSize};
use crate::explore::{Explored, explore_once};
use crate::gui::command::Command;
use crate::gui::theme;
use crate::session::{Document, Edit, History};
use crate::transform::{FitSource, Inputs, RecipeStep, Step};

struct State {
    history: History,
    input: Schema,
    shown_step: Option<usize>,
    panel: RecipePanel,
    commands: Vec<Command>,
}

impl State {
    /// The state of every step on no rows.
    fn explored(&self) -> Explored {
        let page = Page {
            df: polars::prelude::DataFrame::empty_with_schema(&self.input),
            objects: Vec::new(),
            rejects: Vec::new(),
            accuracy: Accuracy::Exact,
            size: SampleSize::default(),
            declared: None,
        };
        let recipe = &self.history.document().recipe;
        let source = FitSource {
            from: "a test".to_owned(),
            at: chrono::DateTime::UNIX_EPOCH,
        };
        explore_once(&page, recipe, recipe.steps.len(), &Inputs::default(), &source)
    }
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
                let explored = state.explored();
                let view = RecipeView {
                    recipe: &state.history.document().recipe,
                    explored: Some(&explored),
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
                        Command::GoToEntry(id) => assert!(state.history.go_to(*id)),
                        Command::Undo => assert!(state.history.undo().is_some()),
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

fn drop_id() -> RecipeStep {
    RecipeStep::new(Step::from_params("drop", json!({"columns": ["id"]})).unwrap())
}

/// Opens step 1 and puts the cursor behind the text of one of its fields.
fn edit(harness: &mut Harness<'_, State>, field: &str) {
    harness.get_by_label_contains("step 1 ").click();
    harness.run_steps(3);
    harness.get_by_label(field).focus();
    harness.run_steps(2);
    harness.key_press_modifiers(Modifiers::COMMAND, Key::End);
    harness.run_steps(2);
}

fn type_text(harness: &mut Harness<'_, State>, text: &str) {
    harness.event(Event::Text(text.to_owned()));
    harness.run_steps(3);
}

fn text_of(harness: &Harness<'_, State>, field: &str) -> String {
    harness.get_by_label(field).value().unwrap_or_default()
}

#[test]
fn typing_offers_columns_with_their_type_and_tab_accepts_without_leaving_the_field() {
    let mut harness = harness(&[filter("")]);
    let field = "where of step 1";
    edit(&mut harness, field);
    type_text(&mut harness, "sal");
    harness.get_by_label("salary int64");
    harness.key_press(Key::Tab);
    harness.run_steps(3);
    assert_eq!(text_of(&harness, field), "salary");
    assert!(
        harness.get_by_label(field).is_focused(),
        "the keyboard stays in the field"
    );
    assert!(
        harness.query_by_label("salary int64").is_none(),
        "the list has closed"
    );
    assert_eq!(
        harness.state().history.document().recipe.steps,
        [filter("salary")],
        "what was accepted is in the document"
    );

    type_text(&mut harness, " > ab");
    harness.get_by_label("abs abs(n)");
    harness.key_press(Key::Enter);
    harness.run_steps(3);
    type_text(&mut harness, "1");
    assert_eq!(
        text_of(&harness, field),
        "salary > abs(1)",
        "the cursor went between the brackets"
    );
}

#[test]
fn arrows_mark_another_entry_and_escape_closes_the_list_but_not_the_field() {
    let mut harness = harness(&[filter("")]);
    let field = "where of step 1";
    edit(&mut harness, field);
    type_text(&mut harness, "lo");
    let first = harness.get_all_by_label_contains("lo").count();
    assert!(first > 1, "lower, log, ...");
    harness.key_press(Key::Escape);
    harness.run_steps(3);
    assert!(harness.query_by_label("lower lower(s)").is_none());
    assert!(harness.get_by_label(field).is_focused());
    assert_eq!(text_of(&harness, field), "lo");
    type_text(&mut harness, "w");
    harness.get_by_label("lower lower(s)").click();
    harness.run_steps(3);
    assert_eq!(text_of(&harness, field), "lower()", "a click accepts too");
    assert!(harness.get_by_label(field).is_focused());
}

#[test]
fn an_error_is_underlined_where_it_is_and_said_below() {
    let mut harness = harness(&[filter("salary > 1 AND titel = 'x'")]);
    edit(&mut harness, "where of step 1");
    harness.get_by_label("error at character 16 of where of step 1, `titel`");
    harness.get_by_label_contains("did you mean `title`?");
}

#[test]
fn a_function_is_found_by_what_it_gives_and_inserted_at_the_cursor() {
    let mut harness = harness(&[filter("title = ")]);
    let field = "where of step 1";
    edit(&mut harness, field);
    harness.get_by_label("Functions for where of step 1").click();
    harness.run_steps(3);
    harness.get_by_label("Search functions").focus();
    harness.run_steps(2);
    type_text(&mut harness, "small letters");
    harness.get_by_label("Insert lower").click();
    harness.run_steps(4);
    assert_eq!(text_of(&harness, field), "title = lower()");
    assert!(harness.get_by_label(field).is_focused());
    type_text(&mut harness, "'A'");
    assert_eq!(text_of(&harness, field), "title = lower('A')");
}

#[test]
fn a_step_is_renamed_and_commented_where_it_stands_and_no_two_share_a_name() {
    let named = RecipeStep {
        id: Some("valid".to_owned()),
        ..drop_id()
    };
    let mut harness = harness(&[filter("salary > 1"), named]);
    harness.get_by_label("step 1 filter").click();
    harness.run_steps(3);
    harness.get_by_label("Rename step 1").click();
    harness.run_steps(3);
    type_text(&mut harness, "valid");
    harness.key_press(Key::Enter);
    harness.run_steps(3);
    harness.get_by_label("step 2 is called so already");
    assert_eq!(harness.state().history.document().recipe.steps[0].id, None);
    type_text(&mut harness, "_rows");
    harness.key_press(Key::Enter);
    harness.run_steps(3);
    let first = |harness: &Harness<'_, State>| harness.state().history.document().recipe.steps[0].clone();
    assert_eq!(first(&harness).id.as_deref(), Some("valid_rows"));
    harness.get_by_label("valid_rows");

    harness.get_by_label("Comment step 1").click();
    harness.run_steps(3);
    type_text(&mut harness, "only paid ads");
    harness.key_press(Key::Enter);
    harness.run_steps(3);
    assert_eq!(first(&harness).comment.as_deref(), Some("only paid ads"));
    harness.get_by_label("only paid ads");
    assert_eq!(
        harness.state().history.undo_label().as_deref(),
        Some("comment on step 1")
    );
}

#[test]
fn escape_leaves_a_name_as_it_was() {
    let mut harness = harness(&[filter("salary > 1")]);
    harness.get_by_label("step 1 filter").focus();
    harness.run_steps(2);
    harness.key_press(Key::F2);
    harness.run_steps(3);
    type_text(&mut harness, "x");
    harness.key_press(Key::Escape);
    harness.run_steps(3);
    assert!(harness.query_by_label("name of step 1").is_none());
    assert_eq!(harness.state().history.document().recipe.steps[0].id, None);
}

#[test]
fn a_step_is_copied_as_yaml_and_pasted_after_the_one_that_has_the_keyboard() {
    let mut harness = harness(&[filter("salary > 1"), drop_id()]);
    harness.get_by_label("step 1 filter").focus();
    harness.run_steps(2);
    harness.event(Event::Copy);
    harness.run_steps(3);
    let copied = harness.state().commands.iter().find_map(|command| match command {
        Command::CopyText(text) => Some(text.clone()),
        _ => None,
    });
    let copied = copied.expect("a text was copied");
    assert_eq!(
        crate::session::pasted_steps(&copied),
        Ok(vec![filter("salary > 1")])
    );

    harness.get_by_label("step 1 filter").focus();
    harness.run_steps(2);
    harness.event(Event::Paste(format!("{copied}- drop: {{columns: [title]}}\n")));
    harness.run_steps(4);
    assert_eq!(names(&harness), ["filter", "filter", "drop", "drop"]);
    assert_eq!(
        harness.state().history.undo_label().as_deref(),
        Some("paste 2 steps")
    );
    harness.get_by_label("Undo: paste 2 steps").click();
    harness.run_steps(3);
    assert_eq!(names(&harness), ["filter", "drop"], "one undo takes both back");
}

#[test]
fn pasting_what_is_no_step_says_so_and_changes_nothing() {
    let mut harness = harness(&[filter("salary > 1")]);
    harness.get_by_label("step 1 filter").focus();
    harness.run_steps(2);
    harness.event(Event::Paste("a paragraph from an e-mail".to_owned()));
    harness.run_steps(3);
    harness.get_by_label_contains("Not pasted: the text is no step");
    assert_eq!(names(&harness), ["filter"]);
    harness.get_by_label("Close the message").click();
    harness.run_steps(3);
    assert!(harness.query_by_label_contains("Not pasted").is_none());
}

#[test]
fn steps_are_pasted_into_an_empty_recipe_after_a_click_beside_it() {
    let mut harness = harness(&[]);
    harness.get_by_label("recipe").focus();
    harness.run_steps(2);
    harness.event(Event::Paste("- drop: {columns: [id]}".to_owned()));
    harness.run_steps(3);
    assert_eq!(names(&harness), ["drop"]);
    assert_eq!(
        harness.state().history.undo_label().as_deref(),
        Some("paste step 1 drop")
    );
}

#[test]
fn text_pasted_while_typing_goes_into_the_field_and_not_into_the_recipe() {
    let mut harness = harness(&[filter("")]);
    edit(&mut harness, "where of step 1");
    harness.event(Event::Paste("salary > 2".to_owned()));
    harness.run_steps(3);
    assert_eq!(
        harness.state().history.document().recipe.steps,
        [filter("salary > 2")]
    );
}

#[test]
fn the_undo_list_goes_to_any_line_and_restores_what_was_put_aside() {
    let mut harness = harness(&[]);
    for n in 1..=3 {
        let step = filter(&format!("salary > {n}"));
        let edit = Edit::InsertStep { at: n - 1, step };
        harness.state_mut().history.apply(edit);
    }
    harness.run_steps(3);
    harness.get_by_label("Undo list").click();
    harness.run_steps(3);
    harness.get_by_label("Go to: add step 1 filter").click();
    harness.run_steps(3);
    assert_eq!(names(&harness), ["filter"]);
    assert!(
        harness.query_by_label_contains("put aside").is_none(),
        "redo still has them"
    );

    harness.state_mut().history.apply(Edit::DeleteStep { at: 0 });
    harness.run_steps(3);
    harness.get_by_label("2 edits put aside");
    harness
        .get_by_label("Restore 2 edits: add step 2 filter … add step 3 filter")
        .click();
    harness.run_steps(3);
    assert_eq!(names(&harness), ["filter", "filter", "filter"]);
    harness.get_by_label("1 edit put aside");
}

#[test]
fn the_palette_shows_groups_and_what_the_marked_step_does_before_it_is_added() {
    let mut harness = harness(&[]);
    harness.get_by_label("Add a step").focus();
    harness.run_steps(3);
    harness.get_by_label("COLUMNS");
    harness.get_by_label("TEXT");
    harness.get_by_label("Add a step").type_text("bucketize");
    harness.run_steps(3);
    harness.get_by_label_contains("borders: [30000, 60000, 100000]");
    assert!(
        harness.query_by_label("COLUMNS").is_none(),
        "no headings among hits"
    );
    harness.get_by_label("Add bucketize").click();
    harness.run_steps(3);
    assert_eq!(names(&harness), ["bucketize"]);
    assert!(
        harness.query_by_label_contains("borders: [30000").is_none(),
        "the card is gone"
    );
}

/// A step that has learned, by these parameters.
fn learned(into: &str) -> RecipeStep {
    let params = json!({
        "column": "title",
        "into": into,
        "fitted": {
            "of": "title",
            "values": ["cook", "nurse"],
            "from": "s3://lake/raw/",
            "rows": 10_000,
            "at": "2020-01-31T00:00:00Z",
        },
    });
    RecipeStep::new(Step::from_params("string_index", params).unwrap())
}

#[test]
fn a_step_that_learned_tells_from_what_and_can_be_fitted_again() {
    let mut harness = harness(&[learned("title_index")]);
    harness.get_by_label("fitted on 10,000 rows");
    harness.get_by_label("s3://lake/raw/");
    harness.get_by_label("step 1 string_index").click();
    harness.run_steps(3);
    assert!(
        harness.query_by_label("fitted of step 1").is_none(),
        "what was learned is no field"
    );
    harness.get_by_label("Fit step 1 again").click();
    harness.run_steps(3);
    let params = harness.state().history.document().recipe.steps[0].step.params();
    assert!(params["fitted"].is_null(), "the next exploration learns anew");
    assert_eq!(
        harness.state().history.undo_label().as_deref(),
        Some("fit step 1 string_index again")
    );
}

#[test]
fn a_step_that_learns_while_its_form_is_open_keeps_what_is_half_typed_and_typing_keeps_what_it_learned() {
    let bare = Step::from_params("string_index", json!({"column": "title", "into": "i"}));
    let mut harness = harness(&[RecipeStep::new(bare.unwrap())]);
    edit(&mut harness, "max_values of step 1");
    type_text(&mut harness, "x");
    let steps = vec![learned("i")];
    harness
        .state_mut()
        .history
        .amend_recipe(crate::transform::Recipe { steps });
    harness.run_steps(3);
    assert_eq!(text_of(&harness, "max_values of step 1"), "10000x");
    harness.get_by_label("into of step 1").focus();
    harness.run_steps(2);
    harness.key_press_modifiers(Modifiers::COMMAND, Key::End);
    harness.run_steps(2);
    type_text(&mut harness, "ndex");
    assert_eq!(
        harness.state().history.document().recipe.steps,
        [learned("index")]
    );
}

#[test]
fn values_of_a_list_are_typed_one_a_line_and_keep_their_types() {
    let pivot = json!({"by": ["id"], "on": "salary", "values": [1, 2], "fn": "count"});
    let salt = json!({"columns": ["title"], "keys": [{"key": ["nurse"], "salts": [0, 3]}, {"key": [null], "salts": [1]}]});
    let steps = [("pivot", pivot), ("salt", salt)]
        .map(|(name, params)| RecipeStep::new(Step::from_params(name, params).unwrap()));
    let mut harness = harness(&steps);
    let params = |harness: &Harness<'_, State>, at: usize| {
        harness.state().history.document().recipe.steps[at].step.params()
    };
    let write = |harness: &mut Harness<'_, State>, field: &str, text: &str| {
        harness.get_by_label(field).focus();
        harness.run_steps(2);
        harness.key_press_modifiers(Modifiers::COMMAND, Key::End);
        harness.run_steps(2);
        type_text(harness, text);
    };
    harness.get_by_label("step 1 pivot").click();
    harness.run_steps(3);
    write(&mut harness, "values of step 1", "\n30\n'40'");
    // As typed, text and numbers stay apart; what fits the column is the check's business.
    assert_eq!(params(&harness, 0)["values"], json!([1, 2, 30, "40"]));
    harness.get_by_label("step 2 salt").click();
    harness.run_steps(3);
    write(&mut harness, "key 1, keys of step 2", " (night)");
    write(&mut harness, "salts 2, keys of step 2", ", 4");
    assert_eq!(
        params(&harness, 1)["keys"],
        json!([{"key": ["nurse (night)"], "salts": [0, 3]}, {"key": [null], "salts": [1, 4]}])
    );
    harness.get_by_label("Add to keys of step 2").click();
    harness.run_steps(3);
    write(&mut harness, "key 3, keys of step 2", "cook");
    assert_eq!(
        params(&harness, 1)["keys"][2],
        json!({"key": ["cook"], "salts": []})
    );
}

//! The tab driven by accessibility labels.

use std::collections::BTreeMap;

use egui::{Key, Modifiers, vec2};
use egui_kittest::Harness;
use egui_kittest::kittest::Queryable as _;
use polars::prelude::{DataFrame, df};

use super::{DataPanel, DataView, data_ui};
use crate::base::Accuracy;
use crate::dataset::{Page, Reason, Reject, SampleSize, Stage};
use crate::explore::{ColumnMark, Explored, Suggestion, SuggestionCode, explore_once};
use crate::gui::command::Command;
use crate::gui::theme;
use crate::session::{Edit, SampleChoice};
use crate::transform::{FitSource, Inputs, Recipe, RecipeStep, Step, StepLacks};

struct State {
    explored: Option<Explored>,
    shown_step: Option<usize>,
    recipe: Recipe,
    inputs: Inputs,
    suggestions: Vec<Suggestion>,
    lacks: Vec<StepLacks>,
    edited_step: Option<usize>,
    sample: SampleChoice,
    hides_figures: bool,
    panel: DataPanel,
    commands: Vec<Command>,
}

fn explored() -> Explored {
    let df = df!(
        "id" => ["a-1", "b-2", "c-3"],
        "title" => [Some("store manager"), None, Some("two\nlines")],
        "salary" => [Some(1_234_567_i64), None, Some(-5)],
    )
    .unwrap();
    Explored {
        rejects: vec![Reject {
            object: "raw/2020/01/09/b.jsonl".to_owned(),
            line: 17,
            byte_offset: 4242,
            byte_len: 9,
            stage: Stage::Parse,
            reason: Reason::InvalidJson,
            field: None,
            expected: None,
            got: None,
            step: None,
            message: "no closing brace".to_owned(),
            raw: "{\"id\": 1".to_owned(),
            is_raw_partial: false,
        }],
        marks: BTreeMap::from([("salary".to_owned(), ColumnMark::Added)]),
        n_rows_in: 3,
        accuracy: Accuracy::Sample {
            n: 3,
            of: Some(548_210),
        },
        df,
        ..Explored::default()
    }
}

fn harness(explored: Option<Explored>, shown_step: Option<usize>) -> Harness<'static, State> {
    harness_with(explored, shown_step, Recipe::default())
}

fn harness_with(
    explored: Option<Explored>,
    shown_step: Option<usize>,
    recipe: Recipe,
) -> Harness<'static, State> {
    let state = State {
        explored,
        shown_step,
        recipe,
        inputs: Inputs::default(),
        suggestions: Vec::new(),
        lacks: Vec::new(),
        edited_step: None,
        sample: SampleChoice::default(),
        hides_figures: false,
        panel: DataPanel::default(),
        commands: Vec::new(),
    };
    let mut harness = Harness::builder()
        .with_size(vec2(1000.0, 760.0))
        .with_context_setup(|ctx| {
            theme::install_fonts(ctx);
            theme::apply(ctx, theme::Theme::Light);
        })
        .allow_missing_glyphs()
        .build_ui_state(
            |ui, state: &mut State| {
                let input = state
                    .explored
                    .as_ref()
                    .map(|explored| explored.df.schema().as_ref().clone());
                let view = DataView {
                    explored: state.explored.as_ref(),
                    is_stale: false,
                    is_pending: false,
                    error: None,
                    partition: None,
                    sample: state.sample,
                    shown_step: state.shown_step,
                    recipe: &state.recipe,
                    inputs: &state.inputs,
                    suggestions: &state.suggestions,
                    lacks: &state.lacks,
                    edited_step: state.edited_step,
                    input: input.as_ref(),
                    hides_figures: state.hides_figures,
                };
                data_ui(ui, view, &mut state.panel, &mut state.commands);
            },
            state,
        );
    harness.run_steps(6);
    harness
}

#[test]
fn figures_of_heads_say_which_rows_they_are_of_and_can_be_switched_off() {
    let mut harness = harness(Some(explored()), None);
    harness.get_by_label("Figures under the names are of the 3 rows shown");
    harness.get_by_label_contains("Columns 3 / 3").click();
    harness.run_steps(6);
    harness.get_by_label("Figures under the names").click();
    harness.run_steps(6);
    let asked = std::mem::take(&mut harness.state_mut().commands);
    assert!(asked.contains(&Command::ToggleColumnFigures), "{asked:?}");
    harness.state_mut().hides_figures = true;
    harness.run_steps(6);
    assert!(
        harness
            .query_by_label_contains("Figures under the names are of")
            .is_none()
    );
    harness.get_by_label("column title");
}

#[test]
fn nothing_chosen_says_what_to_do() {
    harness(None, None).get_by_label("Pick a day on the left");
}

#[test]
fn values_and_heads_are_drawn_and_null_is_null() {
    let harness = harness(Some(explored()), None);
    harness.get_by_label("column title");
    harness.get_by_label("1,234,567");
    harness.get_by_label("two↵lines");
    assert_eq!(harness.get_all_by_label("null").count(), 2);
    harness.get_by_label("sample: 3 of 548,210 rows");
}

#[test]
fn the_keyboard_selects_and_copies_a_rectangle_with_its_names() {
    let mut harness = harness(Some(explored()), None);
    harness.get_by_label("store manager").click();
    harness.run_steps(2);
    harness.key_press_modifiers(Modifiers::SHIFT, Key::ArrowDown);
    harness.key_press_modifiers(Modifiers::SHIFT, Key::ArrowRight);
    harness.run_steps(2);
    harness.event(egui::Event::Copy);
    harness.run_steps(2);
    let copied = Command::CopyText("title\tsalary\nstore manager\t1234567\n\t".to_owned());
    assert_eq!(harness.state().commands, [copied]);
}

#[test]
fn enter_opens_the_row_and_n_steps_to_the_next() {
    let mut harness = harness(Some(explored()), None);
    harness.get_by_label("store manager").click();
    harness.run_steps(2);
    harness.key_press(Key::Enter);
    harness.run_steps(3);
    harness.get_by_label("Row 1");
    harness.key_press(Key::N);
    harness.run_steps(3);
    harness.get_by_label("Row 2");
    harness.get_by_label("Copy row as JSON").click();
    harness.run_steps(2);
    let Some(Command::CopyText(text)) = harness.state().commands.last() else {
        panic!("{:?}", harness.state().commands);
    };
    assert!(text.contains("\"title\": null"), "{text}");
}

#[test]
fn the_badge_opens_the_rejects_with_the_record_as_read() {
    let mut harness = harness(Some(explored()), None);
    harness.get_all_by_label("1 reject").next().unwrap().click();
    harness.run_steps(3);
    harness
        .get_by_label("reject invalid json raw/2020/01/09/b.jsonl line 17")
        .click();
    harness.run_steps(3);
    harness.get_by_label("{\"id\": 1");
}

#[test]
fn a_shown_step_has_a_badge_that_goes_back_to_all_steps() {
    let mut explored = explored();
    explored.n_steps = 2;
    let mut harness = harness(Some(explored), Some(2));
    harness.get_by_label("after step 2");
    harness.get_by_label("Show data after all steps").click();
    harness.run_steps(2);
    assert_eq!(harness.state().commands, [Command::ShowStep(None)]);
}

#[test]
fn more_rows_are_asked_for_by_an_edit() {
    let mut harness = harness(Some(explored()), None);
    harness.get_by_label("Sample: first 1,000 rows").click();
    harness.run_steps(3);
    harness.get_by_label("10,000").click();
    harness.run_steps(2);
    let sample = SampleChoice::Head { n_rows: 10_000 };
    assert_eq!(harness.state().commands, [Command::Edit(Edit::SetSample(sample))]);
}

#[test]
fn a_sample_of_every_partition_is_asked_for_and_another_seed_takes_other_rows() {
    let mut first = harness(Some(explored()), None);
    first.get_by_label("Sample: first 1,000 rows").click();
    first.run_steps(3);
    first.get_by_label("Rows of every partition").click();
    first.run_steps(2);
    let Some(Command::Edit(Edit::SetSample(spread))) = first.state().commands.first().cloned() else {
        panic!("{:?}", first.state().commands);
    };
    first.state_mut().commands.clear();
    first.state_mut().sample = spread;
    first.run_steps(3);
    first.get_by_label("sample: 3 of 548,210 rows, seed 1");
    first.get_by_label("Another seed").click();
    first.run_steps(2);
    let expected = SampleChoice::Spread {
        files_per_partition: 2,
        rows_per_file: 100,
        seed: 2,
    };
    assert_eq!(first.state().commands, [Command::Edit(Edit::SetSample(expected))]);
}

/// The condition of a filter, and whether it is new or in the place of another.
fn asked_filter(harness: &Harness<'_, State>) -> (bool, usize, String) {
    let (is_new, at, step) = match harness.state().commands.first() {
        Some(Command::Edit(Edit::InsertStep { at, step })) => (true, at, step),
        Some(Command::Edit(Edit::SetStep { at, step })) => (false, at, step),
        other => panic!("{other:?}"),
    };
    assert_eq!(step.step.name(), "filter");
    (
        is_new,
        *at,
        step.step.params()["where"].as_str().unwrap().to_owned(),
    )
}

fn filtered(condition: &str) -> Recipe {
    let step = Step::from_params("filter", serde_json::json!({"where": condition})).unwrap();
    Recipe {
        steps: vec![RecipeStep::new(step)],
    }
}

fn open_card(harness: &mut Harness<'_, State>, column: &str) {
    harness.get_by_label(&format!("column {column}")).click();
    harness.run_steps(4);
}

#[test]
fn a_step_is_added_from_the_head_of_a_column_with_the_column_filled_in_and_is_opened() {
    let mut harness = harness(Some(explored()), None);
    open_card(&mut harness, "title");
    harness.get_by_label_contains("normalize_text: ").click();
    harness.run_steps(2);
    let Some(Command::Edit(Edit::InsertStep { at: 0, step })) = harness.state().commands.first() else {
        panic!("{:?}", harness.state().commands);
    };
    assert_eq!(step.step.name(), "normalize_text");
    assert_eq!(step.step.params()["column"], "title");
    assert_eq!(harness.state().commands.last(), Some(&Command::OpenStep(0)));
    harness.run_steps(2);
    assert!(harness.query_by_label("Find a step for this column").is_none());
}

#[test]
fn the_keyboard_opens_the_card_of_the_column_and_adds_a_step_by_a_few_letters() {
    let mut harness = harness(Some(explored()), None);
    harness.get_by_label("1,234,567").click();
    harness.run_steps(2);
    harness.key_press_modifiers(Modifiers::ALT, Key::ArrowDown);
    harness.run_steps(4);
    assert!(
        harness.query_by_label_contains("tokenize: ").is_none(),
        "a number has no tokens"
    );
    harness.event(egui::Event::Text("bucket".to_owned()));
    harness.run_steps(3);
    harness.key_press(Key::Enter);
    harness.run_steps(2);
    let Some(Command::Edit(Edit::InsertStep { step, .. })) = harness.state().commands.first() else {
        panic!("{:?}", harness.state().commands);
    };
    assert_eq!(step.step.name(), "bucketize");
    assert_eq!(step.step.params()["column"], "salary");
}

#[test]
fn the_keyboard_opens_the_menu_of_the_cell() {
    let mut harness = harness(Some(explored()), None);
    harness.get_by_label("store manager").click();
    harness.run_steps(2);
    harness.key_press_modifiers(Modifiers::SHIFT, Key::F10);
    harness.run_steps(4);
    harness.get_by_label("Leave this value out").click();
    harness.run_steps(2);
    let expected = "title <> 'store manager' OR title IS NULL".to_owned();
    assert_eq!(asked_filter(&harness), (true, 0, expected));
}

#[test]
fn a_click_on_a_bar_keeps_its_range_and_a_second_one_replaces_it() {
    let mut first = harness(Some(explored()), None);
    open_card(&mut first, "salary");
    first
        .get_by_label("salary from −100,000 to below 0: 1 row")
        .click();
    first.run_steps(2);
    let range = "salary >= -100000 AND salary < 0".to_owned();
    assert_eq!(asked_filter(&first), (true, 0, range.clone()));

    let mut explored = explored();
    explored.n_steps = 1;
    let mut second = harness_with(Some(explored), None, filtered(&range));
    open_card(&mut second, "salary");
    second
        .get_by_label("salary from 1,200,000 to below 1,300,000: 1 row")
        .click();
    second.run_steps(2);
    let expected = "salary >= 1200000 AND salary < 1300000".to_owned();
    assert_eq!(asked_filter(&second), (false, 0, expected));
}

#[test]
fn a_filter_that_a_person_wrote_is_not_replaced() {
    let mut explored = explored();
    explored.n_steps = 1;
    let recipe = filtered("salary > 0 OR title = 'x'");
    let mut harness = harness_with(Some(explored), None, recipe);
    open_card(&mut harness, "salary");
    harness
        .get_by_label("salary from −100,000 to below 0: 1 row")
        .click();
    harness.run_steps(2);
    let (is_new, at, _) = asked_filter(&harness);
    assert_eq!((is_new, at), (true, 1));
}

#[test]
fn a_drag_over_bars_keeps_the_whole_stretch() {
    let mut harness = harness(Some(explored()), None);
    open_card(&mut harness, "salary");
    let from = harness
        .get_by_label("salary from 0 to below 100,000: 0 rows")
        .rect()
        .center();
    let to = harness
        .get_by_label("salary from 300,000 to below 400,000: 0 rows")
        .rect()
        .center();
    harness.hover_at(from);
    harness.run_steps(2);
    harness.drag_at(from);
    harness.run_steps(2);
    harness.hover_at(to);
    harness.run_steps(2);
    harness.drop_at(to);
    harness.run_steps(2);
    let expected = "salary >= 0 AND salary < 400000".to_owned();
    assert_eq!(asked_filter(&harness), (true, 0, expected));
}

#[test]
fn a_frequent_value_is_kept_or_left_out_and_so_are_rows_without_one() {
    for (label, condition) in [
        ("title = store manager: 1 row, 33%", "title = 'store manager'"),
        (
            "Leave out title = store manager",
            "title <> 'store manager' OR title IS NULL",
        ),
        ("Keep only rows without title", "title IS NULL"),
        ("Leave out rows without title", "title IS NOT NULL"),
    ] {
        let mut harness = harness(Some(explored()), None);
        open_card(&mut harness, "title");
        harness.get_by_label(label).click();
        harness.run_steps(2);
        assert_eq!(asked_filter(&harness), (true, 0, condition.to_owned()), "{label}");
    }
}

#[test]
fn the_figures_of_a_column_say_that_they_are_of_a_sample() {
    let mut harness = harness(Some(explored()), None);
    open_card(&mut harness, "salary");
    harness.get_by_label("sample: 3 of 548,210");
    harness.get_by_label("3 rows · 2 distinct · 1 null");
}

fn suggestion(column: &str, code: SuggestionCode) -> Suggestion {
    Suggestion {
        column: column.to_owned(),
        code,
        reason: format!("31% of 10,000 values of {column} hold HTML"),
        share: 0.31,
        step: Step::from_params(
            "normalize_text",
            serde_json::json!({"column": column, "trim": true}),
        )
        .unwrap(),
        accuracy: Accuracy::Sample {
            n: 10_000,
            of: Some(548_210),
        },
    }
}

fn suggesting() -> Harness<'static, State> {
    let mut harness = harness(Some(explored()), None);
    harness.state_mut().suggestions = vec![
        suggestion("title", SuggestionCode::HtmlInText),
        suggestion("id", SuggestionCode::MixedSpelling),
    ];
    harness.run_steps(3);
    harness.get_by_label("2 suggestions").click();
    harness.run_steps(4);
    harness
}

#[test]
fn a_suggestion_shows_its_reason_and_is_added_only_on_a_click() {
    let mut harness = suggesting();
    harness.get_by_label("31% of 10,000 values of title hold HTML");
    harness.get_by_label("sample: 10,000 of 548,210");
    assert_eq!(harness.state().commands, []);
    harness.get_by_label("Add normalize_text for title").click();
    harness.run_steps(2);
    let Some(Command::Edit(Edit::InsertStep { at: 0, step })) = harness.state().commands.first() else {
        panic!("{:?}", harness.state().commands);
    };
    assert_eq!(step.step.params()["column"], "title");
}

#[test]
fn several_suggestions_are_one_edit() {
    let mut harness = suggesting();
    harness.get_by_label("Add all 2").click();
    harness.run_steps(2);
    let Some(Command::Edit(Edit::Group { label, edits })) = harness.state().commands.first() else {
        panic!("{:?}", harness.state().commands);
    };
    assert_eq!((label.as_str(), edits.len()), ("add 2 suggested steps", 2));
    assert!(matches!(edits[1], Edit::InsertStep { at: 1, .. }));
}

#[test]
fn a_dismissed_suggestion_stays_away_also_with_other_figures() {
    let mut harness = suggesting();
    harness.get_by_label("Dismiss normalize_text for title").click();
    harness.run_steps(3);
    assert!(harness.query_by_label("Add normalize_text for title").is_none());
    harness.state_mut().suggestions[0].share = 0.4;
    harness.run_steps(3);
    harness.get_by_label("1 suggestion");
    assert_eq!(harness.state().commands, []);
}

#[test]
fn missing_columns_are_mapped_to_those_there_are_as_one_edit_and_no_step_is_dropped() {
    let tokenize = serde_json::json!({"column": "titel", "into": "tokens"});
    let filter = serde_json::json!({"where": "salery > 0 AND titel IS NOT NULL"});
    let steps = [("filter", filter), ("tokenize", tokenize)]
        .map(|(name, params)| RecipeStep::new(Step::from_params(name, params).unwrap()));
    let recipe = Recipe {
        steps: steps.to_vec(),
    };
    let explored = explored();
    let lacks = recipe.missing_columns(explored.df.schema(), &Inputs::default());
    let mut harness = harness_with(Some(explored), None, recipe);
    harness.state_mut().lacks = lacks;
    harness.run_steps(3);
    harness.get_by_label("2 steps need columns that are not here");
    harness.get_by_label("Column for salery").click();
    harness.run_steps(3);
    harness.get_by_label("id").click();
    harness.run_steps(3);
    harness.get_by_label("Apply 2 names").click();
    harness.run_steps(2);
    let Some(Command::Edit(Edit::Group { edits, .. })) = harness.state().commands.first() else {
        panic!("{:?}", harness.state().commands);
    };
    let [Edit::SetRecipe(mapped)] = edits.as_slice() else {
        panic!("{edits:?}");
    };
    assert_eq!(mapped.steps.len(), 2);
    assert_eq!(
        mapped.steps[0].step.params()["where"],
        "id > 0 AND title IS NOT NULL"
    );
    assert_eq!(mapped.steps[1].step.params()["column"], "title");
}

#[test]
fn the_card_of_missing_columns_can_be_put_away() {
    let step = Step::from_params("drop", serde_json::json!({"columns": ["nowhere"]})).unwrap();
    let recipe = Recipe {
        steps: vec![RecipeStep::new(step)],
    };
    let explored = explored();
    let lacks = recipe.missing_columns(explored.df.schema(), &Inputs::default());
    let mut harness = harness_with(Some(explored), None, recipe);
    harness.state_mut().lacks = lacks;
    harness.run_steps(3);
    harness.get_by_label("1 step needs columns that are not here");
    harness.get_by_label("Not now").click();
    harness.run_steps(3);
    assert!(
        harness
            .query_by_label("1 step needs columns that are not here")
            .is_none()
    );
}

#[test]
fn a_step_that_is_being_edited_lacks_nothing_yet() {
    let step = Step::from_params("drop", serde_json::json!({"columns": ["nowhere"]})).unwrap();
    let recipe = Recipe {
        steps: vec![RecipeStep::new(step)],
    };
    let explored = explored();
    let lacks = recipe.missing_columns(explored.df.schema(), &Inputs::default());
    let mut harness = harness_with(Some(explored), None, recipe);
    harness.state_mut().lacks = lacks;
    harness.state_mut().edited_step = Some(0);
    harness.run_steps(3);
    let title = "1 step needs columns that are not here";
    assert!(harness.query_by_label(title).is_none());
    harness.state_mut().edited_step = None;
    harness.run_steps(3);
    harness.get_by_label(title);
}

#[test]
fn selected_rows_become_a_test_unless_a_step_merged_them() {
    let with_origins = || Explored {
        origins: Some(DataFrame::empty()),
        n_steps: 1,
        ..explored()
    };
    let recipe = || filtered("salary > 0");
    let mut first = harness_with(Some(with_origins()), None, recipe());
    first.get_by_label("store manager").click();
    first.run_steps(2);
    first.key_press_modifiers(Modifiers::SHIFT, Key::ArrowDown);
    first.key_press_modifiers(Modifiers::SHIFT, Key::F10);
    first.run_steps(4);
    first.get_by_label("Make a test from these rows").click();
    first.run_steps(2);
    assert_eq!(first.state().commands, [Command::MakeTestOfShown(0..2)]);

    let step = Step::from_params("dedupe", serde_json::json!({"columns": ["id"]})).unwrap();
    let merged = Recipe {
        steps: vec![RecipeStep::new(step)],
    };
    let mut second = harness_with(Some(with_origins()), None, merged);
    second.get_by_label("store manager").click();
    second.run_steps(2);
    second.key_press_modifiers(Modifiers::SHIFT, Key::F10);
    second.run_steps(4);
    second.get_by_label("Make a test from this row").click();
    second.run_steps(2);
    assert_eq!(second.state().commands, []);
}

/// What a recipe of one step gives on three rows.
fn explored_by(step: &str) -> Explored {
    let page = Page {
        df: df!(
            "id" => ["a-1", "b-2", "c-3"],
            "title" => ["Nurse ", "cook", "Driver"],
            "salary" => [1_i64, 2, 3],
        )
        .unwrap(),
        objects: Vec::new(),
        rejects: Vec::new(),
        accuracy: Accuracy::Exact,
        size: SampleSize::default(),
        declared: None,
    };
    let steps = crate::session::pasted_steps(step).unwrap();
    let source = FitSource {
        from: "a test".to_owned(),
        at: chrono::DateTime::UNIX_EPOCH,
    };
    explore_once(&page, &Recipe { steps }, 1, &Inputs::default(), &source)
}

#[test]
fn changed_cells_stand_beside_what_they_were_and_unchanged_rows_can_be_left_away() {
    let step = "- normalize_text: {column: title, trim: true, case: lower}";
    let mut harness = harness(Some(explored_by(step)), Some(1));
    harness.get_by_label("Before / after").click();
    harness.run_steps(4);
    harness.get_by_label("title before: Driver");
    harness.get_by_label("title after: driver");
    harness.get_by_label("id unchanged: c-3");
    assert!(
        harness.query_by_label("title after: cook").is_none(),
        "it did not change"
    );
    harness.get_by_label("only the 2 changed rows").click();
    harness.run_steps(3);
    harness.get_by_label("title after: cook");
    harness.get_by_label("Before / after").click();
    harness.run_steps(3);
    assert!(
        harness.query_by_label("title after: cook").is_none(),
        "the grid is back"
    );
}

#[test]
fn of_a_filter_the_rows_left_out_are_shown() {
    let mut harness = harness(Some(explored_by("- filter: {where: salary > 1}")), Some(1));
    harness.get_by_label("Before / after").click();
    harness.run_steps(4);
    harness.get_by_label("1 row left out");
    harness.get_by_label("a-1");
    assert!(harness.query_by_label("b-2").is_none(), "it was kept");
}

#[test]
fn added_and_dropped_columns_are_part_of_the_comparison() {
    let mut harness = harness(Some(explored_by("- rename: {columns: {salary: pay}}")), Some(1));
    harness.get_by_label("Before / after").click();
    harness.run_steps(4);
    harness.get_by_label("pay added: 2");
    harness.get_by_label("salary dropped: 2");
}

#[test]
fn a_step_that_changed_nothing_says_so() {
    let mut harness = harness(Some(explored_by("- filter: {where: salary > 0}")), Some(1));
    harness.get_by_label("Before / after").click();
    harness.run_steps(4);
    harness.get_by_label("Step 1 changed nothing in these rows");
}

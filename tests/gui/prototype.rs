//! From a look at the values to a recipe that is tested: filters by clicking, a test of some rows, the same in Python.

use egui::{Key, Modifiers};
use skewer::session::SampleChoice;

use crate::desk::{Desk, desk, lake};

/// The day with 24 rows, in the Data tab.
fn data_of_a_day() -> Desk {
    let folder = desk();
    let lake = lake(folder.path());
    let mut desk = Desk::open(folder, Some(&lake));
    desk.click_starting("2020/01/02 1 file");
    desk.click("Data");
    desk.wait_for("exact: all 24 rows");
    desk.wait_idle();
    desk
}

fn filters(desk: &Desk) -> Vec<String> {
    let steps = &desk.app().document().recipe.steps;
    let condition =
        |step: &skewer::transform::RecipeStep| step.step.params()["where"].as_str().unwrap().to_owned();
    steps.iter().map(condition).collect()
}

#[test]
fn a_range_picked_on_a_bar_filters_another_replaces_it_and_clearing_brings_the_rows_back() {
    let mut desk = data_of_a_day();
    desk.click("column salary");
    desk.click_starting("salary from 4,000 to below 6,000");
    desk.wait_for("24 rows \u{b7} 24 distinct \u{b7} before step 1");
    desk.wait_idle();
    assert_eq!(filters(&desk), ["salary >= 4000 AND salary < 6000"]);
    desk.click_starting("salary from 8,000 to below 10,000");
    desk.wait_idle();
    assert_eq!(filters(&desk), ["salary >= 8000 AND salary < 10000"]);
    desk.click("Clear the filter");
    desk.wait_idle();
    assert!(filters(&desk).is_empty());
    for _ in 0..3 {
        desk.harness.key_press(Key::Escape);
        desk.harness.run_steps(2);
        desk.harness.key_press_modifiers(Modifiers::COMMAND, Key::Z);
        desk.harness.run_steps(3);
    }
    assert!(
        desk.app().document().recipe.steps.is_empty(),
        "each click is undone alone"
    );
}

#[test]
fn some_rows_become_a_test_that_passes_until_the_recipe_changes_what_it_expects() {
    let mut desk = data_of_a_day();
    desk.click("Job");
    desk.wait_for("title: string, can be null");
    desk.click("Make a test from the first 5 rows");
    desk.wait_for("5 records in, 5 rows out \u{b7} passes");
    let tests = desk.app().document().job.tests.clone();
    assert_eq!(tests[0].name, "rows 1 to 5 of 2020-01-02");
    desk.click("Data");
    desk.click("column title");
    desk.click_starting("normalize_text: ");
    desk.wait_idle();
    desk.click("Job");
    desk.wait_for("5 records in, 5 rows out \u{b7}");
    desk.wait_idle();
    desk.harness.key_press_modifiers(Modifiers::COMMAND, Key::Z);
    desk.wait_idle();
    desk.click("Delete the test rows 1 to 5 of 2020-01-02");
    desk.wait_idle();
    assert!(desk.app().document().job.tests.is_empty());
}

#[test]
fn the_recipe_is_copied_as_python_from_the_palette() {
    let mut desk = data_of_a_day();
    desk.harness.key_press_modifiers(Modifiers::COMMAND, Key::K);
    desk.wait_for("Find a command");
    desk.harness.event(egui::Event::Text("copy as polars".to_owned()));
    desk.harness.run_steps(2);
    desk.harness.key_press(Key::Enter);
    desk.wait_for("lines of Python");
}

#[test]
fn a_sample_of_every_partition_is_read_told_and_kept() {
    let folder = desk();
    let lake = lake(folder.path());
    let mut desk = Desk::open(folder, Some(&lake));
    desk.click("Data");
    desk.wait_for("column title");
    desk.wait_idle();
    desk.click("Sample: first 1,000 rows");
    desk.click("Rows of every partition");
    desk.wait_for("seed 1");
    desk.wait_idle();
    let sample = desk.app().document().sample;
    assert!(
        matches!(sample, SampleChoice::Spread { seed: 1, .. }),
        "{sample:?}"
    );
    desk.click("Another seed");
    desk.wait_for("seed 2");
}

#[test]
fn a_recipe_for_other_names_is_mapped_to_the_columns_there_are() {
    let mut desk = data_of_a_day();
    let recipe = desk.folder.path().join("other.recipe.yaml");
    std::fs::write(
        &recipe,
        "apiVersion: skewer/v1\nkind: Recipe\nsteps:\n- filter: {where: salery >= 10000}\n",
    )
    .unwrap();
    desk.answers.push(&recipe);
    desk.click("File");
    desk.click_starting("Open recipe");
    desk.wait_for("1 step needs columns that are not here");
    desk.click("Apply 1 name");
    desk.wait_for("14 rows");
    assert_eq!(filters(&desk), ["salary >= 10000"]);
    desk.harness.key_press_modifiers(Modifiers::COMMAND, Key::Z);
    desk.wait_for("1 step needs columns that are not here");
    assert_eq!(filters(&desk), ["salery >= 10000"]);
}

#[test]
fn columns_of_groups_are_added_named_changed_and_taken_out_in_the_form() {
    let mut desk = data_of_a_day();
    desk.focus("Add a step");
    desk.type_text("aggregate");
    desk.harness.key_press(Key::Enter);
    desk.wait_for("Add to columns of step 1");
    let columns = |desk: &Desk| desk.app().document().recipe.steps[0].step.params()["columns"].clone();
    desk.click("Add to columns of step 1");
    desk.wait_idle();
    assert_eq!(
        columns(&desk),
        serde_json::json!([{"into": "count", "fn": "count"}])
    );
    desk.click("Add to columns of step 1");
    desk.wait_for("fn 2, columns of step 1");
    desk.click("fn 2, columns of step 1");
    desk.wait_for("sum");
    desk.click("sum");
    desk.click("column 2, columns of step 1");
    desk.wait_for("column salary");
    desk.click("column salary");
    desk.wait_idle();
    assert_eq!(
        columns(&desk)[1],
        serde_json::json!({"into": "sum_salary", "fn": "sum", "column": "salary"})
    );
    desk.click("Remove entry 1, columns of step 1");
    desk.wait_idle();
    assert_eq!(
        columns(&desk),
        serde_json::json!([{"into": "sum_salary", "fn": "sum", "column": "salary"}])
    );
}

#[test]
fn the_column_that_an_added_step_makes_comes_into_view() {
    let mut desk = data_of_a_day();
    desk.harness.set_size(egui::vec2(700.0, 800.0));
    desk.wait_idle();
    assert!(!desk.has("column posted_at"), "the window shows not all columns");
    desk.click("column title");
    desk.type_text("string_index");
    desk.harness.key_press(Key::Enter);
    desk.wait_for("column title_string_index");
}

#[test]
fn parts_of_a_date_are_picked_by_clicks() {
    let mut desk = data_of_a_day();
    desk.focus("Add a step");
    desk.type_text("date_parts");
    desk.harness.key_press(Key::Enter);
    desk.wait_for("month, parts of step 1");
    desk.wait_idle();
    let parts = |desk: &Desk| desk.app().document().recipe.steps[0].step.params()["parts"].clone();
    desk.click("month, parts of step 1");
    desk.click("year, parts of step 1");
    desk.wait_idle();
    assert_eq!(parts(&desk), serde_json::json!(["month", "year"]));
    desk.click("month, parts of step 1");
    desk.wait_idle();
    assert_eq!(parts(&desk), serde_json::json!(["year"]));
}

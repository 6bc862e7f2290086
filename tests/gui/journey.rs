//! The whole path: open a lake, pick a day, add steps, see the rows change, export the job, run it, see the report.

use egui::Key;
use egui_kittest::kittest::Queryable as _;

use crate::desk::{Desk, desk, lake};

/// Adds a step as a person does: type its name in the palette of the recipe, press Enter.
fn add_step(desk: &mut Desk, name: &str) {
    desk.focus("Add a step");
    desk.type_text(name);
    desk.harness.key_press(Key::Enter);
    desk.harness.run_steps(4);
}

/// Fills the field named `label`, replacing what is there.
fn fill(desk: &mut Desk, label: &str, text: &str) {
    desk.focus(label);
    desk.harness.key_press_modifiers(egui::Modifiers::COMMAND, Key::A);
    desk.harness.run_steps(2);
    desk.type_text(text);
    desk.harness.run_steps(3);
}

#[test]
fn a_lake_is_opened_transformed_exported_and_run_by_labels_alone() {
    let folder = desk();
    let lake = lake(folder.path());
    let mut desk = Desk::open(folder, Some(&lake));
    desk.click_starting("2020/01/02 1 file");
    desk.click("Data");
    desk.wait_for("24 rows");
    desk.wait_for("Store Manager");
    desk.wait_for("1 reject");

    add_step(&mut desk, "normalize_text");
    desk.wait_idle();
    add_step(&mut desk, "filter");
    fill(&mut desk, "where of step 2", "salary >= 10000");
    desk.wait_for("14 rows");
    add_step(&mut desk, "tokenize");
    desk.wait_idle();
    let names: Vec<_> = desk
        .app()
        .document()
        .recipe
        .steps
        .iter()
        .map(|step| step.step.name())
        .collect();
    assert_eq!(names, ["normalize_text", "filter", "tokenize"]);

    desk.click("Job");
    let table = desk.folder.path().join("out/features");
    fill(&mut desk, "Job: sink folder", &table.display().to_string());
    desk.wait_idle();
    let spec = desk.folder.path().join("job.yaml");
    desk.answers.push(&spec);
    desk.click("Export job…");
    desk.wait_until("the exported spec", |_| spec.exists());
    let text = std::fs::read_to_string(&spec).unwrap();
    assert!(text.contains("{day:%Y/%m/%d}"), "{text}");

    desk.click("Run here");
    desk.wait_for("books balance");
    assert!(table.join("day_partition=2020-01-02/_SUCCESS").exists() || has_parquet(&table));
}

fn has_parquet(table: &std::path::Path) -> bool {
    std::fs::read_dir(table.join("day_partition=2020-01-02")).is_ok_and(|mut files| {
        files.any(|file| file.is_ok_and(|file| file.path().extension().is_some_and(|e| e == "parquet")))
    })
}

#[test]
fn the_job_reads_every_day_by_a_schema_of_all_days_not_only_of_the_open_one() {
    let folder = desk();
    let raw = folder.path().join("lake");
    for (day, salary) in [("01", "41000"), ("02", "42000"), ("03", r#""43000""#)] {
        let path = raw.join("2020/01").join(day);
        std::fs::create_dir_all(&path).unwrap();
        let line = format!(r#"{{"id":"a{day}","salary":{salary}}}"#);
        std::fs::write(path.join("a.jsonl"), format!("{line}\n").repeat(5)).unwrap();
    }
    let mut desk = Desk::open(folder, Some(&raw));
    desk.click_starting("2020/01/01 1 file");
    desk.wait_idle();
    desk.click("Job");
    fill(&mut desk, "Job: days", "2020-01-01..2020-01-03");
    desk.wait_idle();
    desk.click("Run here");
    desk.wait_for("books balance");
    desk.wait_for("15 in = 15 out");
}

#[test]
fn a_recipe_is_saved_to_a_file_of_its_own_and_opened_again_as_one_undoable_edit() {
    let folder = desk();
    let lake = lake(folder.path());
    let mut desk = Desk::open(folder, Some(&lake));
    desk.click_starting("2020/01/02 1 file");
    desk.wait_idle();
    add_step(&mut desk, "normalize_text");
    desk.wait_idle();
    let saved = desk.app().document().recipe.clone();
    let path = desk.folder.path().join("features.recipe.yaml");
    desk.answers.push(&path);
    desk.click("Recipe menu");
    desk.click("Save recipe as…");
    desk.wait_until("the recipe file", |_| path.exists());
    desk.wait_idle();

    add_step(&mut desk, "filter");
    desk.answers.push(&path);
    desk.click("Recipe menu");
    desk.click("Open recipe…");
    desk.wait_for("Opened 1 step of features.recipe.yaml");
    assert_eq!(desk.app().document().recipe, saved);
    desk.click("Undo: open recipe features.recipe.yaml");
    assert_eq!(desk.app().document().recipe.steps.len(), 2);
}

#[test]
fn a_file_that_holds_no_recipe_is_refused_with_its_place_and_changes_nothing() {
    let folder = desk();
    let lake = lake(folder.path());
    let mut desk = Desk::open(folder, Some(&lake));
    desk.wait_idle();
    let path = desk.folder.path().join("wrong.yaml");
    std::fs::write(
        &path,
        "apiVersion: skewer/v1\nkind: Recipe\nsteps:\n  - fliter: {}\n",
    )
    .unwrap();
    desk.answers.push(&path);
    desk.click("Recipe menu");
    desk.click("Open recipe…");
    desk.wait_for("wrong.yaml:4:5");
    assert!(desk.app().document().recipe.steps.is_empty());
}

#[test]
fn a_second_dataset_is_added_by_its_folder_joined_and_run() {
    let folder = desk();
    let lake = folder.path().join("lake");
    let put = |name: &str, lines: &str| {
        let path = lake.join(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, lines).unwrap();
    };
    for day in ["2020-01-01", "2020-01-02"] {
        let rows: Vec<String> = (0..6)
            .map(|id| format!("{{\"id\": {id}, \"job\": \"j{id}\"}}\n"))
            .collect();
        let rows = rows.concat();
        put(&format!("impressions/{day}/a.jsonl"), &rows);
        put(
            &format!("clicks/{day}/a.jsonl"),
            "{\"id\": 2, \"at\": \"noon\"}\n{\"id\": 4, \"at\": \"late\"}\n",
        );
    }
    let mut desk = Desk::open(folder, Some(&lake.join("impressions")));
    desk.click_starting("2020-01-01 1 file");
    desk.click("Data");
    desk.wait_for("6 rows");
    add_step(&mut desk, "join");
    desk.wait_idle();
    desk.click("Add data…");
    desk.wait_for("Data location");
    desk.answers.push(lake.join("clicks/2020-01-01"));
    desk.click("Browse data…");
    desk.wait_idle();
    desk.click("Add");
    desk.wait_for("Added clicks");
    let document = desk.app().document().clone();
    assert!(
        document.inputs["clicks"].uri.ends_with("clicks/{day}/"),
        "{document:?}"
    );
    assert_eq!(document.recipe.steps[0].step.params()["input"], "clicks");

    // The form grows the columns of the second dataset below; a click while it does would miss.
    desk.wait_idle();
    desk.click("on of step 1");
    desk.click("column id");
    desk.wait_idle();
    desk.wait_for("noon");
    let table = desk.folder.path().join("out/labels");
    desk.click("Job");
    fill(&mut desk, "Job: sink folder", &table.display().to_string());
    fill(&mut desk, "Job: days", "2020-01-01..2020-01-02");
    desk.wait_idle();
    desk.click("Run here");
    desk.wait_for("12 in = 12 out");

    desk.click("Data");
    desk.click("Remove data clicks");
    assert!(desk.app().document().inputs.is_empty());
    desk.wait_for("1 problem");
    desk.click("Undo: remove data clicks");
    assert!(desk.app().document().inputs.contains_key("clicks"));
    desk.wait_for("noon");

    desk.wait_idle();
    desk.click("Change clicks");
    desk.wait_for("Change data clicks");
    // The text above the field has the same words.
    let field = (egui::accesskit::Role::TextInput, "Data name");
    desk.harness.get_by_role_and_label(field.0, field.1).focus();
    desk.harness.run_steps(2);
    desk.harness.key_press_modifiers(egui::Modifiers::COMMAND, Key::A);
    desk.harness.run_steps(2);
    desk.type_text("pressed");
    desk.click("Change");
    desk.wait_for("Changed pressed");
    let document = desk.app().document().clone();
    assert_eq!(document.inputs.keys().collect::<Vec<_>>(), ["pressed"]);
    assert!(
        document.inputs["pressed"].uri.ends_with("clicks/{day}/"),
        "{document:?}"
    );
    assert_eq!(document.recipe.steps[0].step.params()["input"], "pressed");
    desk.wait_for("read by step 1");
    desk.wait_idle();
    desk.click("Take out pressed");
    desk.wait_for("pressed is read by step 1");
    assert!(!desk.app().document().inputs.is_empty(), "it asks first");
    desk.click("Take out only pressed");
    desk.wait_for("Took out pressed: step 1 waits for other data");
    assert!(desk.app().document().inputs.is_empty());
    desk.click("Undo: remove data pressed");
    // The form of the step grows when the data are there, and moves what is below it.
    desk.wait_for("read by step 1");
    desk.wait_idle();
    desk.click("Take out pressed");
    desk.click("Take out pressed and step 1");
    let document = desk.app().document();
    assert!(document.inputs.is_empty() && document.recipe.steps.is_empty());
    desk.click("Undo: remove data pressed and step 1");
    desk.click("Undo: change data clicks");
    let document = desk.app().document();
    assert_eq!(document.inputs.keys().collect::<Vec<_>>(), ["clicks"]);
    assert_eq!(document.recipe.steps[0].step.params()["input"], "clicks");
}

#[test]
fn what_a_step_learns_from_the_sample_belongs_to_the_edit_that_added_it() {
    let folder = desk();
    let lake = lake(folder.path());
    let mut desk = Desk::open(folder, Some(&lake));
    desk.click_starting("2020/01/02 1 file");
    desk.wait_idle();
    add_step(&mut desk, "string_index");
    desk.wait_for("fitted on 24 rows");
    desk.wait_idle();
    let recipe = &desk.app().document().recipe;
    let learned = recipe.steps[0].step.params()["fitted"].clone();
    assert_eq!(learned["rows"], 24);
    assert!(
        learned["from"].as_str().unwrap().contains("2020-01-02"),
        "{learned}"
    );
    desk.click("Undo: add step 1 string_index");
    assert!(desk.app().document().recipe.steps.is_empty());
    desk.click("Redo: add step 1 string_index");
    assert_eq!(
        desk.app().document().recipe.steps[0].step.params()["fitted"],
        learned
    );
}

#[test]
fn rows_before_and_after_a_step_stand_side_by_side_in_the_data_tab() {
    let folder = desk();
    let lake = lake(folder.path());
    let mut desk = Desk::open(folder, Some(&lake));
    desk.click_starting("2020/01/02 1 file");
    desk.click("Data");
    desk.wait_for("24 rows");
    add_step(&mut desk, "filter");
    fill(&mut desk, "where of step 1", "salary >= 10000");
    desk.wait_for("24 → 14 rows");
    desk.click("Before / after");
    desk.wait_for("10 rows left out");
    assert!(desk.has("Store Manager"));
}

//! The frame of the window: tree, history, address, commands, preferences, errors.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use egui::{Key, Modifiers};

use crate::desk::{Desk, desk, lake};

/// The text in the field named `label`.
fn value_of<S>(harness: &egui_kittest::Harness<'_, S>, label: &str) -> String {
    use egui_kittest::kittest::{NodeT as _, Queryable as _};
    harness
        .get_by_label(label)
        .accesskit_node()
        .value()
        .unwrap_or_default()
}

#[test]
fn a_folder_shows_its_days_its_gap_and_its_figures() {
    let folder = desk();
    let lake = lake(folder.path());
    let mut desk = Desk::open(folder, Some(&lake));
    desk.wait_for("2020/01/01 1 file");
    desk.wait_for("2020/01/03 missing");
    desk.wait_for("missing dates: 1 2020-01-03");
    desk.wait_for("Calendar 2020-01-04 1 file");
    assert!(!desk.has("2020/01/05"));
}

#[test]
fn a_day_opens_from_the_tree_and_back_and_forward_find_it_again() {
    let folder = desk();
    let lake = lake(folder.path());
    let mut desk = Desk::open(folder, Some(&lake));
    desk.click_starting("2020/01/02 1 file");
    let partition = |desk: &Desk| desk.app().document().partition.clone().map(|p| p.to_string());
    assert_eq!(partition(&desk).as_deref(), Some("2020-01-02"));
    desk.click("Back");
    assert_eq!(partition(&desk), None);
    desk.click("Forward");
    assert_eq!(partition(&desk).as_deref(), Some("2020-01-02"));
    desk.click("Up");
    assert_eq!(partition(&desk), None);
}

#[test]
fn a_place_that_is_not_there_is_named_with_a_remedy_and_can_be_tried_again() {
    let folder = desk();
    let missing = folder.path().join("nowhere");
    let mut desk = Desk::open(folder, Some(&missing));
    desk.wait_for("not found");
    desk.wait_for("Check the address");
    lake(desk.folder.path());
    std::fs::rename(desk.folder.path().join("lake"), &missing).unwrap();
    desk.click("Try again");
    desk.wait_for("2020/01/01 1 file");
}

#[test]
fn the_palette_finds_a_command_by_letters_and_carries_it_out() {
    let folder = desk();
    let lake = lake(folder.path());
    let mut desk = Desk::open(folder, Some(&lake));
    desk.wait_idle();
    desk.harness.key_press_modifiers(Modifiers::COMMAND, Key::K);
    desk.wait_for("Find a command");
    desk.harness.event(egui::Event::Text("show job".to_owned()));
    desk.harness.run_steps(2);
    desk.harness.key_press(Key::Enter);
    desk.wait_until("the job tab", |harness| {
        use egui_kittest::kittest::Queryable;
        harness.query_by_label("Find a command").is_none()
    });
    assert!(desk.has("Job"));
}

#[test]
fn the_session_and_the_preferences_are_there_when_the_window_opens_again() {
    let folder = desk();
    let lake = lake(folder.path());
    let mut first = Desk::open(folder, Some(&lake));
    first.click_starting("2020/01/04 1 file");
    let config = first.folder.path().join("config/last.skewer.yaml");
    first.wait_until("the autosaved session", |_| {
        std::fs::read_to_string(&config).is_ok_and(|text| text.contains("2020-01-04"))
    });
    let Desk { harness, folder, .. } = first;
    drop(harness);
    let mut again = Desk::open(folder, None);
    again.wait_for("2020/01/04 1 file");
    let partition = again.app().document().partition.clone();
    assert_eq!(partition.map(|p| p.to_string()).as_deref(), Some("2020-01-04"));
}

#[test]
fn every_glyph_of_the_frame_is_in_a_built_in_face() {
    // The harness refuses characters without a glyph; only the lake's own text needs other fonts.
    let folder = desk();
    let lake = folder.path().join("plain/2020-01-01");
    std::fs::create_dir_all(&lake).unwrap();
    std::fs::write(lake.join("a.jsonl"), "{\"id\":1}\n").unwrap();
    let mut desk = Desk::open_strict(folder, &lake);
    desk.wait_idle();
    for tab in ["Data", "Job", "Partitions"] {
        desk.click(tab);
        desk.harness.run_steps(3);
    }
}

#[test]
fn opening_a_place_is_no_edit_and_the_edit_menu_names_none() {
    let folder = desk();
    let lake = lake(folder.path());
    let mut desk = Desk::open(folder, Some(&lake));
    desk.wait_for("2020/01/02 1 file");
    desk.harness.key_press_modifiers(Modifiers::COMMAND, Key::Z);
    desk.harness.run_steps(3);
    assert!(
        desk.app().document().source.is_some(),
        "undo at the start must not close the place"
    );
    desk.click_starting("2020/01/02 1 file");
    desk.click("Edit");
    desk.wait_for("Paste steps");
    assert!(!desk.has("show 2020-01-02"), "{:#?}", desk.labels());
}

#[test]
fn the_address_names_the_dataset_that_the_tree_and_the_tabs_show() {
    let folder = desk();
    let lake = lake(folder.path());
    let root = lake.parent().unwrap().to_owned();
    let mut desk = Desk::open(folder, Some(&root));
    desk.wait_for("Dataset lake");
    let address = lake.display().to_string();
    desk.wait_until("the dataset in the address", |harness| {
        value_of(harness, "Address").contains(&address)
    });
    desk.click_starting("Calendar 2020-01-04");
    let address = lake.join("2020/01/04").display().to_string();
    desk.wait_until("the day in the address", |harness| {
        value_of(harness, "Address").contains(&address)
    });
}

#[test]
fn of_two_quick_clicks_the_second_day_is_shown() {
    let folder = desk();
    let lake = lake(folder.path());
    let mut desk = Desk::open(folder, Some(&lake));
    desk.click("Data");
    desk.wait_for("2020/01/04 1 file");
    desk.click_starting("2020/01/02 1 file");
    desk.click_starting("2020/01/04 1 file");
    desk.wait_for("exact: all 30 rows");
    desk.wait_idle();
    assert!(desk.has("exact: all 30 rows") && !desk.has("exact: all 24 rows"));
}

#[derive(Debug)]
struct Dropped(PathBuf);

impl egui::DroppedFile for Dropped {
    fn path(&self) -> &Path {
        &self.0
    }

    fn bytes(&self) -> Result<Vec<u8>, String> {
        Err("the window reads no bytes of dropped files itself".to_owned())
    }
}

#[test]
fn a_folder_is_opened_by_dropping_it_and_a_file_by_the_dialog() {
    let folder = desk();
    let lake = lake(folder.path());
    let plain = folder.path().join("plain/2020-01-01");
    std::fs::create_dir_all(&plain).unwrap();
    std::fs::write(plain.join("a.jsonl"), "{\"id\":1}\n").unwrap();
    let mut desk = Desk::open(folder, Some(plain.parent().unwrap()));
    desk.wait_for("2020-01-01 1 file");
    let file = lake.join("2020/01/02/part-0.jsonl");
    desk.harness
        .input_mut()
        .dropped_files
        .push(Arc::new(Dropped(lake)));
    desk.wait_for("2020/01/04 1 file");
    desk.answers.push(&file);
    desk.harness
        .key_press_modifiers(Modifiers::COMMAND | Modifiers::SHIFT, Key::O);
    desk.wait_for("all files 1 file");
    desk.click("Data");
    desk.wait_for("24 rows");
}

#[test]
fn a_desktop_without_file_dialogs_says_what_to_do_instead() {
    let folder = desk();
    let lake = lake(folder.path());
    let mut desk = Desk::open(folder, Some(&lake));
    desk.wait_for("2020/01/02 1 file");
    desk.harness.key_press_modifiers(Modifiers::COMMAND, Key::O);
    desk.wait_for("this desktop has none: install xdg-desktop-portal or zenity");
    desk.answers.push(&lake);
    desk.harness.key_press_modifiers(Modifiers::COMMAND, Key::O);
    desk.wait_idle();
    assert!(!desk.has("the file dialog failed"), "an answer is none");
}

#[test]
fn an_empty_sink_shows_where_the_table_goes_and_a_dialog_fills_it() {
    let folder = desk();
    let lake = lake(folder.path());
    let table = folder.path().join("tables");
    std::fs::create_dir_all(&table).unwrap();
    let mut desk = Desk::open(folder, Some(&lake));
    desk.click_starting("2020/01/02 1 file");
    desk.click("Job");
    desk.wait_for("Job spec");
    assert!(!desk.has("The job cannot be exported yet"));
    desk.answers.push(&table);
    desk.click("Choose the sink folder");
    desk.wait_until("the chosen folder", |harness| {
        let document = harness.state().as_ref().map(skewer::gui::App::document);
        document.is_some_and(|document| document.job.sink == table.display().to_string())
    });
    desk.harness.key_press_modifiers(Modifiers::COMMAND, Key::Z);
    desk.harness.run_steps(3);
    assert_eq!(desk.app().document().job.sink, "");
}

#[test]
fn without_a_place_and_a_session_the_sample_data_open() {
    let mut desk = Desk::open(desk(), None);
    desk.wait_for("2020/01/09 14 files");
    desk.click("File");
    desk.click_starting("Open sample data");
    desk.wait_idle();
    assert!(desk.has("Source sample data"));
}

#[test]
fn a_small_window_shows_one_panel_at_a_time_and_nothing_lies_over_anything() {
    use egui_kittest::kittest::Queryable as _;
    let folder = desk();
    let lake = lake(folder.path());
    let mut desk = Desk::open(folder, Some(&lake));
    desk.wait_for("2020/01/01 1 file");
    desk.wait_idle();
    desk.harness.set_size(egui::vec2(960.0, 600.0));
    desk.wait_idle();
    assert!(!desk.has("Add a step") && !desk.has("Hide activity"));
    let right_of = |desk: &Desk, label: &str| desk.harness.get_by_label(label).rect().right();
    assert!(right_of(&desk, "Runs") < desk.harness.get_by_label("Show recipe").rect().left());
    desk.click("Show recipe");
    desk.wait_for("Add a step");
    assert!(!desk.has("2020/01/01 1 file"));
    assert!(right_of(&desk, "Runs") < desk.harness.get_by_label("Add a step").rect().left());
    desk.click("Show connections");
    desk.wait_for("2020/01/01 1 file");
    desk.harness.set_size(egui::vec2(1280.0, 800.0));
    desk.wait_for("Add a step");
    assert!(desk.has("2020/01/01 1 file") && !desk.has("Show recipe"));
}

#[test]
fn undo_takes_edits_back_and_leaves_the_open_day_alone() {
    let folder = desk();
    let lake = lake(folder.path());
    let mut desk = Desk::open(folder, Some(&lake));
    desk.click_starting("2020/01/01 1 file");
    desk.wait_idle();
    desk.focus("Add a step");
    desk.type_text("drop_nulls");
    desk.harness.key_press(Key::Enter);
    desk.wait_idle();
    desk.click_starting("2020/01/02 1 file");
    desk.wait_idle();
    let told = |desk: &Desk| {
        let document = desk.app().document();
        let day = document.partition.clone().map(|p| p.to_string());
        (document.recipe.steps.len(), day.unwrap_or_default())
    };
    assert_eq!(told(&desk), (1, "2020-01-02".to_owned()));
    for _ in 0..3 {
        desk.harness.key_press_modifiers(Modifiers::COMMAND, Key::Z);
        desk.harness.run_steps(3);
    }
    assert_eq!(told(&desk), (0, "2020-01-02".to_owned()));
    assert!(desk.app().document().source.is_some());
}

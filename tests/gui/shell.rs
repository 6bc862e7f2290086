//! The frame of the window: tree, history, address, commands, preferences, errors.

use egui::{Key, Modifiers};

use crate::desk::{Desk, desk, lake};

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

//! The Profile tab on a lake on disk: profile, filter, comparison, baseline and schema map.

use egui::{Key, Modifiers};

use crate::desk::{Desk, desk, lake};

fn open() -> Desk {
    let folder = desk();
    let lake = lake(folder.path());
    let mut desk = Desk::open(folder, Some(&lake));
    desk.click_starting("2020/01/02 1 file");
    desk.wait_idle();
    desk.harness.key_press_modifiers(Modifiers::COMMAND, Key::Num3);
    desk.harness.run_steps(4);
    desk
}

#[test]
fn a_day_is_profiled_compared_with_another_and_kept_as_a_baseline() {
    let mut desk = open();
    desk.click("Profile 2020/01/02");
    desk.wait_for("profile of id");
    desk.wait_for("exact");
    desk.click("Compare…");
    desk.click("2020/01/01");
    desk.wait_for("Stop comparing");
    desk.wait_for("against");
    let file = desk.folder.path().join("base.yaml");
    desk.answers.push(&file);
    desk.click("Save as baseline…");
    desk.wait_for("Saved the baseline to");
    let text = std::fs::read_to_string(&file).unwrap();
    assert!(
        text.contains("kind: Baseline") && text.contains("2020/01/02"),
        "{text}"
    );
    desk.answers.push(&file);
    desk.click("Compare…");
    desk.click("A saved baseline…");
    desk.wait_for("The two agree in all of");
}

#[test]
fn the_schema_map_reads_every_day() {
    let mut desk = open();
    desk.click("Schema map");
    desk.click("Read the schema map");
    desk.wait_for("key id: ");
    desk.wait_for("in 3 partitions");
}

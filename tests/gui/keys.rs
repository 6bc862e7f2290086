//! The Keys tab as a person meets it: choose a key, see its partitions, take a remedy, filter by a key.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use egui_kittest::kittest::Queryable as _;

use crate::desk::{Desk, desk};

/// Two days of 2,000 rows: half of them of one company, a tenth without any.
fn lake(root: &Path) -> PathBuf {
    let raw = root.join("lake");
    for day in ["01", "02"] {
        let folder = raw.join("2020/01").join(day);
        std::fs::create_dir_all(&folder).unwrap();
        let mut lines = String::new();
        for i in 0..2000 {
            let company = match i % 10 {
                0..5 => "\"Acme\"".to_owned(),
                5 => "null".to_owned(),
                _ => format!("\"Company {}\"", i % 701),
            };
            writeln!(
                lines,
                r#"{{"id":{i},"company":{company},"country":"C{}"}}"#,
                i % 7
            )
            .unwrap();
        }
        std::fs::write(folder.join("part-0.jsonl"), lines).unwrap();
    }
    raw
}

/// The tab with the key `company`, counted on the sample.
fn keys_of_company() -> Desk {
    let folder = desk();
    let lake = lake(folder.path());
    let mut desk = Desk::open(folder, Some(&lake));
    desk.click_starting("2020/01/01 1 file");
    desk.wait_idle();
    desk.click("Keys");
    desk.wait_for("Choose a key");
    desk.click("Add key…");
    desk.click("company");
    desk.click("Add key");
    desk.wait_for("Simulated partitions");
    desk.wait_idle();
    desk
}

/// Clicks what may be scrolled out of view, as assistive technology does.
fn far_click(desk: &Desk, label: &str) {
    let found = desk.harness.query_all_by_label(label).next();
    found
        .unwrap_or_else(|| panic!("{label}: {:#?}", desk.labels()))
        .click_accesskit();
}

#[test]
fn a_hot_key_is_named_with_its_partitions_and_a_click_on_it_filters() {
    let mut desk = keys_of_company();
    desk.wait_for("200 partitions by rows");
    desk.wait_for("max / mean: 10");
    // The chart in words: the hottest partition holds half of the rows.
    desk.wait_for(", largest 50");
    far_click(&desk, "Acme, 500 rows (50%)");
    desk.harness.run_steps(3);
    desk.wait_idle();
    let steps = &desk.app().document().recipe.steps;
    assert_eq!(steps.len(), 1);
    assert_eq!(
        steps[0].step.params()["where"].as_str(),
        Some("\"company\" = 'Acme'")
    );
}

#[test]
fn a_remedy_becomes_steps_of_the_recipe_in_one_undo() {
    let mut desk = keys_of_company();
    far_click(&desk, "Add to recipe");
    desk.harness.run_steps(3);
    desk.wait_idle();
    assert!(!desk.app().document().recipe.steps.is_empty());
    desk.harness
        .key_press_modifiers(egui::Modifiers::COMMAND, egui::Key::Z);
    desk.harness.run_steps(3);
    assert!(desk.app().document().recipe.steps.is_empty());
}

#[test]
fn several_keys_are_ranked_and_all_partitions_are_counted_on_demand() {
    let mut desk = keys_of_company();
    desk.click("Add key…");
    desk.click("id");
    desk.click("Add key");
    desk.wait_for("Candidate keys, the best first");
    desk.wait_idle();
    desk.click("all partitions");
    desk.wait_for("reads 2 files");
    desk.click("Count keys");
    desk.wait_idle();
    desk.wait_for("Candidate keys, the best first");
    // The two days hold the same ids.
    desk.wait_for("keys: 2,000 exact");
}

#[test]
fn a_chart_is_exported_as_the_file_s_ending_says() {
    let mut desk = keys_of_company();
    let path = desk.folder.path().join("loads.svg");
    desk.answers.push(&path);
    desk.click("Menu of the chart 200 partitions by rows");
    desk.click("Export picture…");
    desk.wait_for("Exported to ");
    let text = std::fs::read_to_string(path).unwrap();
    assert!(text.starts_with("<svg") && text.contains("<title>200 partitions by rows</title>"));
}

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
                r#"{{"id":{i},"company":{company},"country":"C{}","place":{{"zone":"Z{}"}}}}"#,
                i % 7,
                i % 3
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

/// A click of the pointer at a place, whatever is there.
fn click_at(desk: &mut Desk, at: egui::Pos2) {
    desk.harness.hover_at(at);
    desk.harness.run_steps(2);
    for is_pressed in [true, false] {
        desk.harness.event(egui::Event::PointerButton {
            pos: at,
            button: egui::PointerButton::Primary,
            pressed: is_pressed,
            modifiers: egui::Modifiers::NONE,
        });
        desk.harness.run_steps(2);
    }
}

#[test]
fn a_hot_key_is_named_with_its_partitions_and_a_click_on_it_filters() {
    let mut desk = keys_of_company();
    desk.wait_for("200 partitions by rows");
    desk.wait_for("max / mean: 10");
    // The chart in words: the hottest partition holds half of the rows.
    desk.wait_for(", largest 50");
    // Beside its bar a row only tells what it is.
    let bar = |desk: &Desk, label: &str| {
        let mut found = desk.harness.query_all_by_label(label);
        found.next().unwrap().rect()
    };
    let (acme, null) = ("Acme, 500 rows (50%)", "null, 100 rows (10%)");
    desk.harness
        .query_all_by_label("Filter by Acme")
        .next()
        .unwrap()
        .scroll_to_me();
    desk.harness.run_steps(30);
    let named = bar(&desk, acme).left_center() - egui::vec2(30.0, 0.0);
    click_at(&mut desk, named);
    let beside = bar(&desk, null).right_center() + egui::vec2(60.0, 0.0);
    click_at(&mut desk, beside);
    assert!(desk.app().document().recipe.steps.is_empty());
    let on = bar(&desk, acme).center();
    click_at(&mut desk, on);
    desk.wait_for("Added step 1: a filter that keeps only the rows of Acme. Ctrl+Z takes it back");
    desk.harness
        .key_press_modifiers(egui::Modifiers::COMMAND, egui::Key::Z);
    desk.wait_idle();
    assert!(desk.app().document().recipe.steps.is_empty());
    desk.press("Filter by Acme");
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
    desk.press("Add to recipe");
    desk.harness.run_steps(3);
    desk.wait_idle();
    assert!(!desk.app().document().recipe.steps.is_empty());
    desk.harness
        .key_press_modifiers(egui::Modifiers::COMMAND, egui::Key::Z);
    desk.harness.run_steps(3);
    assert!(desk.app().document().recipe.steps.is_empty());
}

#[test]
fn a_broadcast_asks_for_the_other_side_and_becomes_a_join_by_the_key() {
    let mut desk = keys_of_company();
    let other = desk.folder.path().join("companies.jsonl");
    std::fs::write(&other, "{\"company\":\"Acme\",\"sector\":\"toys\"}\n").unwrap();
    desk.press("Join in the recipe…");
    desk.wait_for("Join by company");
    desk.wait_for("The rows here are not shuffled by the key");
    // The dialog gives the keyboard to its first field.
    desk.type_text(other.to_str().unwrap());
    desk.click("Add data and join");
    desk.wait_for("and step 1: a join by company");
    desk.wait_idle();
    let document = desk.app().document();
    assert_eq!(document.inputs.keys().collect::<Vec<_>>(), ["companies"]);
    let steps = &document.recipe.steps;
    assert_eq!((steps.len(), steps[0].step.name()), (1, "join"));
    let params = steps[0].step.params();
    assert_eq!(params["input"], "companies");
    assert_eq!(params["on"], serde_json::json!(["company"]));
    desk.press("company");
    desk.wait_for("in the recipe, step 1");
    desk.wait_for("Already taken care of by step 1 (a join in memory)");
    assert!(!desk.has("Join in the recipe…") && !desk.has("Add to recipe"));
    // The rows after the join have the other side's column, and the key is counted anew over them.
    desk.click("Data");
    desk.wait_for("sector");
    desk.harness
        .key_press_modifiers(egui::Modifiers::COMMAND, egui::Key::Z);
    desk.harness.run_steps(3);
    let document = desk.app().document();
    assert!(document.recipe.steps.is_empty() && document.inputs.is_empty());
}

#[test]
fn data_that_is_there_is_joined_with_one_click() {
    let mut desk = keys_of_company();
    let other = desk.folder.path().join("companies.jsonl");
    std::fs::write(&other, "{\"company\":\"Acme\",\"sector\":\"toys\"}\n").unwrap();
    desk.press("Join in the recipe…");
    desk.wait_for("Join by company");
    desk.type_text(other.to_str().unwrap());
    desk.click("Add data and join");
    // The keys are counted anew with the step, and the card takes no clicks until then.
    desk.wait_for("Take back step 1");
    desk.wait_idle();
    desk.press("Take back step 1");
    desk.wait_idle();
    assert!(desk.app().document().recipe.steps.is_empty());
    desk.press("Join in the recipe…");
    desk.click("Join companies");
    desk.wait_idle();
    let steps = &desk.app().document().recipe.steps;
    assert_eq!(steps.len(), 1);
    assert_eq!(steps[0].step.params()["input"], "companies");
}

#[test]
fn a_remedy_says_its_loads_before_and_after_and_what_its_button_writes() {
    let desk = keys_of_company();
    let has = |text: &str| assert!(desk.has(text), "{text}: {:#?}", desk.labels());
    has("Loads from the largest partition to the smallest, from zero: at most ");
    has("after (predicted)");
    has("Writes 1 step at the end of the recipe, and so into the job spec: salt.");
    has("Writes 3 steps at the end of the recipe, and so into the job spec: salt, aggregate, aggregate.");
    has("Asks for the other side; confirming writes it into the recipe's inputs and a step join by company");
    // Half of the rows are Acme's: leaving out the tenth without a company makes the largest partition no smaller.
    let labels = desk.labels();
    assert!(
        !labels.iter().any(|label| label.starts_with("Keep null out")),
        "{labels:#?}"
    );
}

#[test]
fn a_column_is_found_ticked_and_added_by_the_keyboard_alone() {
    let mut desk = keys_of_company();
    desk.click("Add key…");
    desk.harness.run_steps(2);
    desk.type_text("coun");
    desk.harness.key_press(egui::Key::Enter);
    desk.harness.run_steps(3);
    desk.harness.key_press(egui::Key::Enter);
    desk.harness.run_steps(3);
    desk.wait_for("Remove the key country");
    desk.wait_idle();
    // Seven even countries: a column that parts them is named with what it gives.
    desk.wait_for("Add id to the key");
    assert!(!desk.has("Add a column…"));
    desk.wait_for("The recipe stays as it is");
    desk.press("Show this key");
    desk.wait_for("Remove the key country + ");
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

#[test]
fn a_field_of_a_struct_is_found_and_added_and_a_name_that_is_none_is_said() {
    let mut desk = keys_of_company();
    desk.click("Add key…");
    desk.harness.run_steps(2);
    desk.type_text("place.zon");
    desk.wait_for("place.zone");
    desk.harness.key_press(egui::Key::Enter);
    desk.harness.run_steps(3);
    desk.type_text("nowhere");
    desk.wait_for("No column and no field of a struct has \u{201c}nowhere\u{201d} in its name.");
    desk.click("Add key");
    desk.wait_for("Remove the key place.zone");
    desk.wait_idle();
    desk.wait_for("3 keys cannot fill 200 partitions");
}

#[test]
fn a_remedy_in_the_recipe_is_marked_and_shows_the_salted_loads_and_is_taken_back() {
    let mut desk = keys_of_company();
    desk.press("Add to recipe");
    desk.wait_for("in the recipe, step 1");
    desk.wait_idle();
    desk.wait_for("For the skew of company over 200 partitions: Salt");
    desk.wait_for("Its steps are in the recipe: see above.");
    // The key alone is as skewed as before, the key with its salt is not.
    desk.wait_for("max / mean: 10");
    desk.press("Show company + salt");
    desk.wait_for("Remove the key company + salt");
    desk.wait_idle();
    assert!(!desk.has("max / mean: 10"), "{:#?}", desk.labels());
    desk.press("company");
    desk.wait_for("max / mean: 10");
    desk.press("Take back step 1");
    desk.wait_idle();
    assert!(desk.app().document().recipe.steps.is_empty());
    assert!(!desk.has("in the recipe, step 1"));
}

#[test]
fn the_page_stays_where_it_is_scrolled_to_while_keys_are_counted_anew() {
    let mut desk = keys_of_company();
    let top_of = |desk: &Desk| {
        let mut found = desk.harness.query_all_by_label("What helps");
        found.next().map(|node| node.rect().top()).unwrap()
    };
    let before = top_of(&desk);
    desk.harness
        .query_all_by_label("What helps")
        .next()
        .unwrap()
        .scroll_to_me();
    desk.harness.run_steps(30);
    let scrolled = top_of(&desk);
    assert!(scrolled < before - 100.0, "{before} to {scrolled}");
    // Another step makes the sample new, and with it the counts.
    desk.press("Add to recipe");
    for _ in 0..30 {
        desk.harness.step();
        std::thread::park_timeout(std::time::Duration::from_millis(2));
    }
    desk.wait_for("in the recipe, step 1");
    desk.wait_idle();
    let after = top_of(&desk);
    assert!((after - scrolled).abs() < 4.0, "{scrolled} to {after}");
}

#[test]
fn once_a_remedy_is_in_the_recipe_its_alternatives_wait_until_it_is_taken_back() {
    let mut desk = keys_of_company();
    desk.press("Add to recipe");
    desk.wait_idle();
    desk.wait_for("Already taken care of by step 1 (salts)");
    assert!(!desk.has("Add to recipe") && !desk.has("Join in the recipe…"));
    desk.press("Take back step 1");
    desk.wait_idle();
    desk.wait_for("Join in the recipe…");
    assert!(desk.has("Add to recipe") && !desk.has("Already taken care of"));
}

#[test]
fn a_key_whose_salt_was_taken_back_is_shown_as_missing_and_the_others_are_counted() {
    let mut desk = keys_of_company();
    desk.press("Add to recipe");
    desk.wait_idle();
    desk.press("Show company + salt");
    desk.wait_for("Remove the key company + salt");
    desk.wait_idle();
    desk.press("all partitions");
    desk.harness
        .key_press_modifiers(egui::Modifiers::COMMAND, egui::Key::Z);
    desk.wait_idle();
    desk.wait_for("not there");
    desk.wait_for("This key is not there any more");
    desk.press("Count keys");
    desk.wait_idle();
    assert!(!desk.has("The key cannot be told"), "{:#?}", desk.labels());
    desk.press("company");
    desk.wait_for("Simulated partitions");
    desk.press("Remove the key company + salt");
    desk.wait_idle();
    assert!(!desk.has("not there") && desk.has("Simulated partitions"));
}

#[test]
fn advice_from_a_sample_says_so_beside_every_card_that_gives_it() {
    let mut desk = keys_of_company();
    let n_badges = |desk: &Desk| desk.harness.query_all_by_label("sample of 1,000 rows").count();
    assert_eq!(n_badges(&desk), 3, "findings, remedies, numbers of partitions");
    desk.press("all partitions");
    desk.press("Count keys");
    desk.wait_idle();
    desk.wait_for("Simulated partitions");
    assert_eq!(n_badges(&desk), 0);
}

//! The tab driven by accessibility labels.

use std::collections::BTreeMap;

use egui::{Key, Modifiers, vec2};
use egui_kittest::Harness;
use egui_kittest::kittest::Queryable as _;
use polars::prelude::df;

use super::{DataPanel, DataView, data_ui};
use crate::base::Accuracy;
use crate::dataset::{Reason, Reject, Stage};
use crate::explore::{ColumnMark, Explored};
use crate::gui::command::Command;
use crate::gui::theme;
use crate::session::{Edit, SampleChoice};

struct State {
    explored: Option<Explored>,
    shown_step: Option<usize>,
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
        checks: Vec::new(),
        ledger: BTreeMap::new(),
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
        dropped: Vec::new(),
        notes: Vec::new(),
        n_rows_in: 3,
        accuracy: Accuracy::Sample {
            n: 3,
            of: Some(548_210),
        },
        n_steps: 0,
        error: None,
        df,
    }
}

fn harness(explored: Option<Explored>, shown_step: Option<usize>) -> Harness<'static, State> {
    let state = State {
        explored,
        shown_step,
        panel: DataPanel::default(),
        commands: Vec::new(),
    };
    let mut harness = Harness::builder()
        .with_size(vec2(900.0, 600.0))
        .with_context_setup(|ctx| {
            theme::install_fonts(ctx);
            theme::apply(ctx, theme::Theme::Light);
        })
        .allow_missing_glyphs()
        .build_ui_state(
            |ui, state: &mut State| {
                let view = DataView {
                    explored: state.explored.as_ref(),
                    is_stale: false,
                    is_pending: false,
                    error: None,
                    partition: None,
                    sample: SampleChoice::default(),
                    shown_step: state.shown_step,
                };
                data_ui(ui, view, &mut state.panel, &mut state.commands);
            },
            state,
        );
    harness.run_steps(6);
    harness
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
    harness.get_by_label("10,000").click();
    harness.run_steps(2);
    let sample = SampleChoice { n_rows: 10_000 };
    assert_eq!(harness.state().commands, [Command::Edit(Edit::SetSample(sample))]);
}

#[test]
fn a_step_is_added_from_the_head_of_a_column_with_the_column_filled_in() {
    let mut harness = harness(Some(explored()), None);
    harness.get_by_label("column title").click();
    harness.run_steps(3);
    harness.get_by_label("Add step").click();
    harness.run_steps(4);
    harness.get_by_label_contains("normalize_text").click();
    harness.run_steps(2);
    let Some(Command::Edit(Edit::InsertStep { at: 0, step })) = harness.state().commands.first() else {
        panic!("{:?}", harness.state().commands);
    };
    assert_eq!(step.step.name(), "normalize_text");
    assert_eq!(step.step.params()["column"], "title");
}

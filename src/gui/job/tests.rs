//! The tab driven by accessibility labels.

use egui::{Key, vec2};
use egui_kittest::Harness;
use egui_kittest::kittest::Queryable as _;
use serde_json::{Value, json};

use super::{JobPanel, JobView, RunView, job_ui};
use crate::gui::command::Command;
use crate::gui::theme;
use crate::session::{Document, Edit, History};

struct State {
    history: History,
    spec: Result<String, String>,
    report: Option<Value>,
    panel: JobPanel,
    commands: Vec<Command>,
}

fn harness(spec: Result<&str, &str>, report: Option<Value>) -> Harness<'static, State> {
    let state = State {
        history: History::new(Document::default()),
        spec: spec.map(str::to_owned).map_err(str::to_owned),
        report,
        panel: JobPanel::default(),
        commands: Vec::new(),
    };
    let mut harness = Harness::builder()
        .with_size(vec2(1100.0, 1000.0))
        .with_context_setup(|ctx| {
            theme::install_fonts(ctx);
            theme::apply(ctx, theme::Theme::Light);
        })
        .allow_missing_glyphs()
        .build_ui_state(
            |ui, state: &mut State| {
                let mut commands = Vec::new();
                let view = JobView {
                    settings: &state.history.document().job,
                    spec: state.spec.as_deref().map_err(String::as_str),
                    run: RunView {
                        progress: None,
                        report: state.report.as_ref(),
                        error: None,
                    },
                    exported: None,
                    default_days: "2020-01-09",
                    default_sink: "lake/out/features/",
                };
                job_ui(ui, view, &mut state.panel, &mut commands);
                for command in &commands {
                    if let Command::Edit(edit) = command {
                        state.history.apply(edit.clone());
                    }
                }
                state.commands.extend(commands);
            },
            state,
        );
    harness.run_steps(4);
    harness
}

#[test]
fn a_spec_can_be_exported_copied_and_run() {
    let mut harness = harness(Ok("kind: Job\nname: a\n"), None);
    for label in ["Export…", "Copy the spec", "Replace committed days"] {
        harness.get_by_label(label).click();
        harness.run_steps(2);
    }
    harness.get_all_by_label("Run here").last().unwrap().click();
    harness.run_steps(2);
    let expected = [
        Command::Export,
        Command::CopyText("kind: Job\nname: a\n".to_owned()),
        Command::RunHere { replace: true },
    ];
    assert_eq!(harness.state().commands, expected);
}

#[test]
fn what_is_missing_is_said_with_its_remedy_and_nothing_can_be_exported() {
    let why = crate::session::NoJob::NoSink.to_string().leak();
    let mut harness = harness(Err(why), None);
    harness.get_by_label(why);
    harness.get_by_label("Fill in the sink folder at the left.");
    harness.get_by_label("Export…").click();
    harness.run_steps(2);
    assert!(harness.state().commands.is_empty());
}

#[test]
fn a_field_edits_the_job_and_leaving_it_seals_the_edit() {
    let mut harness = harness(Ok("a: 1"), None);
    harness.get_by_label("Job: sink folder").focus();
    harness.run_steps(2);
    harness.get_by_label("Job: sink folder").type_text("out");
    harness.run_steps(2);
    harness.key_press(Key::Tab);
    harness.run_steps(2);
    assert_eq!(harness.state().history.document().job.sink, "out");
    assert!(matches!(
        harness.state().commands.first(),
        Some(Command::Edit(Edit::SetJob(_)))
    ));
    assert_eq!(harness.state().commands.last(), Some(&Command::Seal));
}

#[test]
fn the_report_shows_the_books_and_each_partition() {
    let report = json!({
        "run_id": "r1", "status": "done", "peak_rss_bytes": 120_000_000,
        "partitions": [{
            "partition": "2020-01-09", "status": "committed", "rows_in": 15_214, "rows_out": 15_020,
            "rows_filtered": 152, "rows_quarantined": 42, "n_files": 3,
            "parts": [{"path": "/table/p.parquet", "rows": 15_020, "bytes": 900_000}], "seconds": {"fetch": 0.5}
        }]
    });
    let harness = harness(Ok("a: 1"), Some(report));
    harness.get_by_label("15,214 in = 15,020 out + 152 filtered + 42 quarantined");
    harness.get_by_label("books balance");
    harness.get_by_label("2020-01-09");
    harness.get_by_label("Copy /table/p.parquet");
}

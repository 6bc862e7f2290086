//! The tab driven by accessibility labels.

use egui::{Key, vec2};
use egui_kittest::Harness;
use egui_kittest::kittest::Queryable as _;
use serde_json::{Value, json};

use super::{JobPanel, JobView, RunView, job_ui};
use crate::explore::TestOutcome;
use crate::gui::command::Command;
use crate::gui::job_facts::JobFacts;
use crate::gui::theme;
use crate::job::ContractColumn;
use crate::session::{Document, Edit, History};
use crate::transform::python::Script;
use crate::transform::{Expected, RecipeTest};

struct State {
    history: History,
    spec: Result<String, String>,
    report: Option<Value>,
    facts: Option<JobFacts>,
    panel: JobPanel,
    default_days: &'static str,
    commands: Vec<Command>,
}

fn harness(spec: Result<&str, &str>, report: Option<Value>) -> Harness<'static, State> {
    let state = State {
        history: History::new(Document::default()),
        spec: spec.map(str::to_owned).map_err(str::to_owned),
        report,
        facts: None,
        panel: JobPanel::default(),
        default_days: "2020-01-09",
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
                    default_days: state.default_days,
                    default_sink: "lake/out/features/",
                    facts: state.facts.as_ref(),
                    is_facts_stale: false,
                    recipe: &state.history.document().recipe,
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
fn without_days_the_button_says_so_and_does_not_run() {
    let mut harness = harness(Ok("kind: Job\n"), None);
    harness.state_mut().default_days = "";
    harness.run_steps(2);
    let why = "no days to run: open a day at the left, or write days into the form";
    harness.get_by_label(why);
    let run = |harness: &mut Harness<'static, State>| {
        // The form's section is called so too.
        harness.get_all_by_label("Run here").last().unwrap().click();
        harness.run_steps(2);
    };
    run(&mut harness);
    assert!(
        harness.state().commands.is_empty(),
        "{:?}",
        harness.state().commands
    );
    harness.state_mut().default_days = "2020-01-09";
    harness.run_steps(2);
    assert!(harness.query_by_label(why).is_none());
    run(&mut harness);
    assert_eq!(harness.state().commands, [Command::RunHere { replace: false }]);
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

fn column(name: &str, problem: Option<&str>) -> ContractColumn {
    ContractColumn {
        name: name.to_owned(),
        dtype: "int64".to_owned(),
        parquet: "INTEGER(64, signed)".to_owned(),
        nullable: problem.is_some(),
        never_null: None,
        problem: problem.map(str::to_owned),
        is_refused: problem.is_some(),
    }
}

fn facts() -> JobFacts {
    JobFacts {
        script: Script {
            text: "import polars as pl\n".to_owned(),
            notes: vec![(2, "it has no form in polars".to_owned())],
        },
        contract: Ok(vec![
            column("id", None),
            column("wait", Some("a duration: cast it to int64")),
        ]),
        outcomes: vec![TestOutcome {
            name: "first rows".to_owned(),
            problem: Some("row 2: `title` is `b`, not `B`".to_owned()),
        }],
    }
}

fn with_test(harness: &mut Harness<'_, State>) {
    let test = RecipeTest {
        name: "first rows".to_owned(),
        given: vec![json!({"id": 1}), json!({"id": 2})],
        inputs: std::collections::BTreeMap::new(),
        expect: Expected::default(),
    };
    let mut job = harness.state().history.document().job.clone();
    job.tests.push(test);
    harness.state_mut().history.apply(Edit::SetJob(job));
    harness.state_mut().facts = Some(facts());
    harness.run_steps(3);
}

#[test]
fn the_contract_names_each_column_and_what_readers_refuse_before_anything_is_exported() {
    let mut harness = harness(Ok("a: 1"), None);
    with_test(&mut harness);
    harness.get_by_label("id: int64, never null");
    harness.get_by_label("wait: int64, can be null");
    harness.get_by_label("1 refused");
    harness.get_by_label("a duration: cast it to int64");
}

#[test]
fn tests_are_listed_with_their_outcome_and_can_be_made_and_deleted() {
    let mut harness = harness(Ok("a: 1"), None);
    with_test(&mut harness);
    harness.get_by_label("2 records in, 0 rows out · fails");
    harness.get_by_label("row 2: `title` is `b`, not `B`");
    harness.get_by_label("Make a test from the first 5 rows").click();
    harness.run_steps(2);
    harness.get_by_label("Delete the test first rows").click();
    harness.run_steps(2);
    assert_eq!(
        harness.state().commands,
        [Command::MakeTest(0..5), Command::DeleteTest(0)]
    );
}

#[test]
fn python_is_copied_and_says_which_steps_it_lacks() {
    let mut harness = harness(Ok("a: 1"), None);
    with_test(&mut harness);
    harness.get_by_label_contains("Step 2 : it has no form in polars");
    harness.get_by_label("Copy as polars (Python)").click();
    harness.run_steps(2);
    assert_eq!(harness.state().commands, [Command::CopyPython]);
}

//! The tab driven by its labels.

use std::sync::Arc;

use egui::vec2;
use egui_kittest::Harness;
use egui_kittest::kittest::{NodeT, Queryable};
use polars::prelude::{DataFrame, IntoColumn, NamedFrom, Series};

use super::facts::{ColumnFacts, Profiled};
use super::toolbar::tests::dataset;
use super::{Against, AgainstKey, ProfileCommand, ProfilePanel, ProfileSlots, ProfileView, profile_ui};
use crate::base::Accuracy;
use crate::gui::command::{Command, Tab};
use crate::gui::listed::ListedDataset;
use crate::gui::theme;
use crate::profile::columns::{ColumnProfiler, Level};
use crate::profile::drift::{Baseline, Drift};
use crate::profile::schema_map::SchemaMap;
use crate::session::Edit;
use crate::task::{Executor, Slot};
use crate::transform::Recipe;

struct State {
    dataset: Option<ListedDataset>,
    slots: ProfileSlots,
    panel: ProfilePanel,
    recipe: Recipe,
    commands: Vec<Command>,
}

fn harness(dataset: Option<ListedDataset>, slots: ProfileSlots) -> Harness<'static, State> {
    let state = State {
        dataset,
        slots,
        panel: ProfilePanel::default(),
        recipe: Recipe::default(),
        commands: Vec::new(),
    };
    let mut harness = Harness::builder()
        .with_size(vec2(1000.0, 760.0))
        .with_context_setup(|ctx| {
            theme::install_fonts(ctx);
            theme::apply(ctx, theme::Theme::Dark);
        })
        .allow_missing_glyphs()
        .build_ui_state(
            |ui, state: &mut State| {
                let view = ProfileView {
                    dataset: state.dataset.as_ref(),
                    is_listing: false,
                    partition: None,
                    recipe: &state.recipe,
                    slots: &state.slots,
                    progress: None,
                };
                profile_ui(ui, view, &mut state.panel, &mut state.commands);
            },
            state,
        );
    harness.run_steps(6);
    harness
}

/// A slot with a value that work gave.
fn filled<K: PartialEq, T: Send + 'static>(key: K, value: T) -> Slot<K, T> {
    let tasks = Executor::new(1, || {}).unwrap();
    let mut slot = Slot::default();
    slot.request(key, |_| tasks.spawn("value", move |_| async move { Ok(value) }));
    for _ in 0..10_000 {
        slot.poll();
        if !slot.is_pending() {
            return slot;
        }
        std::thread::park_timeout(std::time::Duration::from_millis(1));
    }
    panic!("the work did not end");
}

/// A profile of numbers that begin at `shift`, of countries, and of as many more columns as asked for.
fn profiled(shift: i64, n_more: usize) -> Profiled {
    let salary: Vec<Option<i64>> = (0..2000).map(|n| (n % 10 > 0).then_some(n + shift)).collect();
    let country: Vec<&str> = (0..2000).map(|n| ["US", "DE", "US", "JP"][n % 4]).collect();
    let mut columns = vec![
        Series::new("salary".into(), salary).into_column(),
        Series::new("country".into(), country).into_column(),
    ];
    for n in 0..n_more {
        columns.push(Series::new(format!("more {n:03}").into(), vec![1_i64; 2000]).into_column());
    }
    let df = DataFrame::new(2000, columns).unwrap();
    let mut profiler = ColumnProfiler::new(df.schema().as_ref(), Level::Full);
    profiler.add(&df).unwrap();
    let finished = profiler.finish(true);
    Profiled {
        columns: finished.iter().map(ColumnFacts::new).collect(),
        baseline: Baseline::of_columns("day", Accuracy::Exact, 2000, &finished),
        n_rows: 2000,
        n_files: 3,
        n_files_failed: 0,
        failed_files: Vec::new(),
        n_rejects: 2,
        accuracy: Accuracy::Partial { n: 2000 },
        stamp: 7,
    }
}

fn key() -> super::ProfileKey {
    super::ProfileKey {
        source: crate::session::Source {
            location: crate::storage::Location::Local("lake".into()),
            connection: crate::storage::Connection::default(),
        },
        dataset: "raw/".to_owned(),
        partitions: Vec::new(),
        label: "all 14 days".to_owned(),
        recipe: None,
        inputs: 0,
        is_sample: false,
        level: Level::Full,
    }
}

fn with_profile(profiled: Profiled) -> ProfileSlots {
    ProfileSlots {
        profile: filled((key(), 1), Arc::new(profiled)),
        ..ProfileSlots::default()
    }
}

#[test]
fn nothing_is_read_before_it_is_asked_for() {
    harness(None, ProfileSlots::default()).get_by_label("Open a data lake");
    let mut harness = harness(Some(dataset(14)), ProfileSlots::default());
    harness.get_by_label("Profile all 14 days").click();
    harness.run_steps(4);
    assert_eq!(
        harness.state().commands,
        [Command::Profile(ProfileCommand::Start)]
    );
}

#[test]
fn cards_show_figures_and_a_stopped_profile_says_that_it_is_partial() {
    let harness = harness(Some(dataset(14)), with_profile(profiled(0, 0)));
    harness.get_by_label("partial: first 2,000");
    harness.get_by_label("2 rejects");
    let card = "profile of salary: int64, 10% null, 1,800 distinct, min 1 · median";
    harness.get_by_label_contains(card);
    harness.get_by_label_contains("country = US: 1,000 rows, 50%");
}

#[test]
fn a_click_on_a_bar_or_a_value_adds_a_filter() {
    let mut harness = harness(Some(dataset(14)), with_profile(profiled(0, 0)));
    harness.get_by_label("country = DE: 500 rows, 25%").click();
    harness.run_steps(4);
    let asked = std::mem::take(&mut harness.state_mut().commands);
    let Some(Command::Edit(Edit::InsertStep { at: 0, step })) = asked.first() else {
        panic!("{asked:?}");
    };
    assert_eq!(step.step.params()["where"], "country = 'DE'");
    let bar = harness.query_all_by_label_contains("salary ").find(|node| {
        let label = node.accesskit_node().label().unwrap_or_default();
        label.contains("to below")
    });
    bar.unwrap().click();
    harness.run_steps(4);
    let asked = std::mem::take(&mut harness.state_mut().commands);
    let Some(Command::Edit(Edit::InsertStep { step, .. })) = asked.first() else {
        panic!("{asked:?}");
    };
    let sql = step.step.params()["where"].to_string();
    assert!(sql.contains("salary >= ") && sql.contains("salary < "), "{sql}");
}

#[test]
fn the_picture_of_a_card_can_be_a_file() {
    let mut harness = harness(Some(dataset(14)), with_profile(profiled(0, 0)));
    for (title, kind) in [
        ("Values of salary", "share of values"),
        ("Frequent values of country", ""),
    ] {
        harness
            .get_by_label(&format!("Menu of the chart {title}"))
            .click();
        harness.run_steps(4);
        harness.get_by_label("Export picture…").click();
        harness.run_steps(4);
        let asked = std::mem::take(&mut harness.state_mut().commands);
        let [Command::ExportPicture(export)] = &asked[..] else {
            panic!("{asked:?}");
        };
        let picture = &export.picture;
        assert_eq!((picture.title.as_str(), picture.y.title.as_str()), (title, kind));
        assert_eq!(picture.note, "all 14 days, raw rows, 2,000 rows, exact");
        assert!(!picture.is_empty());
    }
}

#[test]
fn cards_are_found_by_name_and_only_those_in_view_are_laid_out() {
    let mut harness = harness(Some(dataset(14)), with_profile(profiled(0, 300)));
    let n_laid_out = harness.query_all_by_label_contains("profile of ").count();
    assert!((3..40).contains(&n_laid_out), "{n_laid_out}");
    harness.get_by_label("Find a column by name").focus();
    harness
        .get_by_label("Find a column by name")
        .type_text("more 287");
    harness.run_steps(6);
    let found: Vec<_> = harness.query_all_by_label_contains("profile of ").collect();
    assert_eq!(found.len(), 1);
}

#[test]
fn a_comparison_has_a_verdict_and_what_drifted_on_its_cards() {
    let (before, after) = (profiled(0, 0), profiled(3000, 0));
    let drift = Drift::between(&before.baseline, &after.baseline);
    let against = Against {
        baseline: Arc::new(before.baseline),
        stamp: 3,
    };
    let mut slots = with_profile(after);
    slots.against = filled((AgainstKey::File("b.yaml".into()), 1), against);
    slots.drift = filled((3, 7), Arc::new(drift));
    let mut harness = harness(Some(dataset(14)), slots);
    harness.get_by_label("The two differ much in 1 of 2 columns");
    harness.get_by_label_contains("drift shifted much: PSI");
    harness.get_by_label_contains("country = US: 1,000 rows, 50%, 50% before");
    harness.get_by_label("Stop comparing").click();
    harness.run_steps(4);
    let asked = std::mem::take(&mut harness.state_mut().commands);
    assert_eq!(asked, [Command::Profile(ProfileCommand::StopComparing)]);
}

#[test]
fn a_range_to_compare_with_is_taken_by_enter_and_one_without_days_says_why() {
    let mut harness = harness(Some(dataset(14)), with_profile(profiled(0, 0)));
    harness.get_by_label("Compare…").click();
    harness.run_steps(4);
    let enter = |harness: &mut Harness<'_, State>, text: &str| {
        harness.state_mut().panel.range = text.to_owned();
        harness.get_by_label("Days to compare with").focus();
        harness.run_steps(3);
        harness.key_press(egui::Key::Enter);
        harness.run_steps(4);
        std::mem::take(&mut harness.state_mut().commands)
    };
    assert_eq!(enter(&mut harness, "2021-01-01..2021-01-07"), []);
    harness.get_by_label("No partition is in this range. The data have 2020-01-01 to 2020-01-14.");
    let asked = enter(&mut harness, "2020-01-03..2020-01-04");
    let Some(Command::Profile(ProfileCommand::CompareWith(days, _))) = asked.first() else {
        panic!("{asked:?}");
    };
    assert_eq!(days.len(), 2);
}

fn with_map(map: SchemaMap) -> ProfileSlots {
    let key = super::MapKey {
        source: key().source,
        dataset: "raw/".to_owned(),
        choice: crate::explore::MapChoice::default(),
        generation: 1,
    };
    ProfileSlots {
        map: filled(key, Arc::new(map)),
        ..ProfileSlots::default()
    }
}

#[test]
fn the_schema_map_tells_keys_and_changes_and_a_click_opens_the_partition() {
    let days: &[&[(&str, u64)]] = &[
        &[(r#"{"id": 1}"#, 50)],
        &[(r#"{"id": 1, "late": "x"}"#, 50)],
        &[(r#"{"id": "a", "late": "x"}"#, 50)],
    ];
    let map = crate::profile::schema_map::tests::map(days);
    let mut harness = harness(Some(dataset(3)), with_map(map));
    harness.get_by_label("Schema map").click();
    harness.run_steps(6);
    harness.get_by_label("2 keys in 3 partitions");
    harness.get_by_label("key late: string, in 2 of 3 partitions");
    harness.get_by_label_contains("id is int64 up to 2020-01-02 and string from 2020-01-03 on");
    let first = harness.get_by_label("schema map").rect().min + vec2(10.0, 10.0);
    harness.hover_at(first);
    harness.run_steps(3);
    harness.drag_at(first);
    harness.drop_at(first);
    harness.run_steps(6);
    let asked = std::mem::take(&mut harness.state_mut().commands);
    assert!(asked.contains(&Command::ShowTab(Tab::Data)), "{asked:?}");
}

#[test]
fn keys_that_are_the_same_everywhere_can_be_left_out() {
    let days: &[&[(&str, u64)]] = &[&[(r#"{"id": 1}"#, 50)], &[(r#"{"id": 1, "late": "x"}"#, 50)]];
    let map = crate::profile::schema_map::tests::map(days);
    let mut harness = harness(Some(dataset(2)), with_map(map));
    harness.get_by_label("Schema map").click();
    harness.run_steps(6);
    harness.get_by_label("only keys that differ").click();
    harness.run_steps(6);
    harness.get_by_label("key late: string, in 1 of 2 partitions");
    assert!(harness.query_by_label_contains("key id:").is_none());
}

//! What the buttons of remedies do.

use std::collections::BTreeMap;

use egui_kittest::Harness;
use egui_kittest::kittest::Queryable as _;
use polars::prelude::{DataFrame, NamedFrom as _, Series, df};

use super::KeysPanel;
use super::remedies::remedies_card;
use super::work::{Counted, ReportKey, Reported, reported};
use crate::base::Accuracy;
use crate::gui::command::Command;
use crate::gui::theme;
use crate::profile::CostModel;
use crate::profile::keys::Weight;

/// The card of remedies for a key of rows that take their time, on 200 slots.
fn remedies_of(rows: DataFrame, key: &str) -> Harness<'static, (Reported, KeysPanel, Vec<Command>)> {
    let columns = vec![key.to_owned()];
    let counted = Counted::of_rows(&[columns], rows, Accuracy::Exact).unwrap();
    let asked = ReportKey {
        stamp: counted.stamp,
        open: 0,
        n_partitions: 200,
        types: BTreeMap::new(),
        weight: Weight::Rows,
        costs: CostModel {
            slots: 200,
            bytes_per_second: 100.0,
            ..CostModel::default()
        },
    };
    let state = (
        reported(asked, &counted, None).unwrap(),
        KeysPanel::default(),
        Vec::new(),
    );
    let mut harness = Harness::builder()
        .with_size(egui::vec2(1000.0, 3000.0))
        .with_context_setup(|ctx| {
            theme::install_fonts(ctx);
            theme::apply(ctx, theme::Theme::Light);
        })
        .allow_missing_glyphs()
        .build_ui_state(
            |ui, (reported, panel, commands)| remedies_card(ui, reported, &[], panel, commands),
            state,
        );
    harness.run_steps(3);
    harness
}

#[test]
fn another_number_of_partitions_is_tried_here_or_copied_as_a_setting_and_written_nowhere() {
    let rows = df!("id" => (0..2000_i64).collect::<Vec<_>>(), "x" => vec![1_i64; 2000]).unwrap();
    let mut harness = remedies_of(rows, "id");
    let offered = &harness.state().0.report.remedies;
    let setting = offered
        .iter()
        .find_map(|offered| offered.remedy.spark_setting())
        .unwrap();
    let n: u32 = setting
        .strip_prefix("spark.sql.shuffle.partitions=")
        .unwrap()
        .parse()
        .unwrap();
    assert_ne!(n, 200);
    harness.get_by_label_contains("Neither writes anything.");
    harness.get_by_label("Copy Spark setting").click();
    harness.run_steps(2);
    assert_eq!(harness.state().2.first(), Some(&Command::CopyText(setting)));
    assert!(
        harness
            .state()
            .2
            .iter()
            .all(|command| !matches!(command, Command::Keys(_) | Command::Edit(_)))
    );
    harness.get_by_label(&format!("Try {n}")).click();
    harness.run_steps(2);
    assert_eq!(harness.state().1.n_partitions, n);
}

#[test]
fn a_list_is_no_key_of_a_join_and_its_remedy_is_text() {
    let tags: Vec<Series> = (0..4000_i64)
        .map(|i| Series::new("".into(), [if i % 2 == 0 { 0 } else { i }]))
        .collect();
    let harness = remedies_of(df!("tags" => tags).unwrap(), "tags");
    harness.get_by_label_contains("takes no lists and structs as keys");
    assert!(harness.query_by_label("Join in the recipe…").is_none());
}

#[test]
fn rows_of_no_key_have_no_charts_and_no_remedies() {
    let rows = df!("id" => Vec::<i64>::new()).unwrap();
    let harness = remedies_of(rows, "id");
    let reported = &harness.state().0;
    assert!(reported.report.remedies.is_empty());
    assert_eq!(reported.report.partitions.metrics.max_over_mean, None);
}

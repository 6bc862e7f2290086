//! The widget in a harness: hover, click, zoom, and what it says to those who do not see it.

use egui::{Pos2, Vec2, accesskit::Role};
use egui_kittest::Harness;
use egui_kittest::kittest::Queryable;

use super::{PlotAnswer, PlotOptions, plot_ui};
use crate::chart::{Layer, LayerKind, Mark, Picture, Quantity, Rule, Scale, Tone};

fn days(n: usize) -> Picture {
    let names = (1..=n).map(|day| format!("{day:02}")).collect();
    let marks = (0..n)
        .map(|at| {
            let value = if at == 1 { 5_300.0 } else { 400.0 };
            Mark::bar(at, value, format!("day {:02}\n{value} bytes", at + 1)).action(at)
        })
        .collect();
    Picture::new(
        "Bytes per day",
        Scale::categories("", names),
        Scale::from_zero("", Quantity::Bytes, 5_300.0),
    )
    .layer(Layer::new(LayerKind::Bars, Tone::Data, marks))
    .rule(Rule::level(400.0, "median 400 B", Tone::Text))
}

struct Shown {
    picture: Picture,
    options: PlotOptions,
    answer: PlotAnswer,
    clicked: Vec<usize>,
}

fn shown(picture: Picture, options: PlotOptions) -> Harness<'static, Shown> {
    let state = Shown {
        picture,
        options,
        answer: PlotAnswer::default(),
        clicked: Vec::new(),
    };
    let mut harness = Harness::builder()
        .with_size(Vec2::new(400.0, 260.0))
        .build_ui_state(
            |ui, state: &mut Shown| {
                crate::gui::theme::install_fonts(ui.ctx());
                state.answer = plot_ui(ui, "days", &state.picture, state.options);
                state.clicked.extend(state.answer.clicked);
            },
            state,
        );
    harness.run_steps(4);
    harness
}

fn with_click() -> PlotOptions {
    PlotOptions {
        click: "Click to open its rows",
        ..PlotOptions::default()
    }
}

/// The middle of the plot's own area.
fn middle(harness: &Harness<'_, Shown>) -> Pos2 {
    harness.get_by_role(Role::Image).rect().center()
}

#[test]
fn the_chart_says_itself_in_words() {
    let harness = shown(days(3), PlotOptions::default());
    let label = "Bytes per day. 3 bars, largest 5.3 KB (day 02), smallest 400 B (day 01). median 400 B";
    harness.get_by_label(label);
}

#[test]
fn a_click_on_a_bar_gives_its_action_also_above_the_bar() {
    let mut harness = shown(days(3), with_click());
    harness.get_by_label("day 01, 400 bytes").click();
    harness.run_steps(3);
    assert_eq!(harness.state().clicked, [0]);
    let at = middle(&harness);
    harness.hover_at(at);
    harness.run_steps(3);
    assert_eq!(harness.state().answer.hovered, Some(1));
    harness.get_by_label("5300 bytes");
    harness.get_by_label("Click to open its rows");
}

#[test]
fn charts_of_thousands_are_hit_by_the_pointer_without_a_place_each() {
    let mut harness = shown(days(5_000), with_click());
    assert!(harness.query_by_label("day 01, 400 bytes").is_none());
    let at = middle(&harness);
    harness.hover_at(at);
    harness.run_steps(3);
    let hovered = harness.state().answer.hovered.unwrap();
    assert!((2_300..2_700).contains(&hovered), "{hovered}");
}

#[test]
fn zoom_keeps_the_pointer_on_its_bar_and_a_double_click_shows_all_again() {
    let mut harness = shown(days(5_000), PlotOptions::default());
    let at = middle(&harness);
    let off = at - egui::vec2(120.0, 0.0);
    let hovered_at = |harness: &mut Harness<'_, Shown>, at: Pos2| {
        harness.hover_at(at);
        harness.run_steps(3);
        harness.state().answer.hovered.unwrap()
    };
    let before = hovered_at(&mut harness, off);
    hovered_at(&mut harness, at);
    harness.event(egui::Event::Zoom(20.0));
    harness.run_steps(4);
    let zoomed = hovered_at(&mut harness, off);
    assert!(zoomed > before + 1_000, "{before} {zoomed}");
    for _ in 0..2 {
        for pressed in [true, false] {
            harness.event(egui::Event::PointerButton {
                pos: off,
                button: egui::PointerButton::Primary,
                pressed,
                modifiers: egui::Modifiers::NONE,
            });
        }
        harness.step();
    }
    harness.run_steps(3);
    assert_eq!(hovered_at(&mut harness, off), before);
}

#[test]
fn every_kind_of_mark_and_nothing_at_all_can_be_shown() {
    let bare = || Scale::bare(0.0, 1.0);
    let share = || Scale::from_zero("share", Quantity::Share, 1.0);
    let points = || vec![Mark::point(0.0, 0.0, ""), Mark::point(1.0, 1.0, "end\n100%")];
    let kinds = [
        (LayerKind::Line { is_dashed: false }, points()),
        (LayerKind::Line { is_dashed: true }, points()),
        (LayerKind::Area, points()),
        (LayerKind::Points, points()),
        (
            LayerKind::Cells,
            vec![Mark::cell((0.0, 1.0), (0.0, 1.0), "clicks/").label("clicks/")],
        ),
    ];
    for (kind, marks) in kinds {
        let picture = Picture::new("Any", share(), share()).layer(Layer::new(kind, Tone::Data, marks));
        let mut harness = shown(picture, PlotOptions::default());
        harness.hover_at(middle(&harness));
        harness.run_steps(2);
    }
    let harness = shown(Picture::new("Nothing", bare(), bare()), PlotOptions::default());
    harness.get_by_label("Nothing. nothing to show");
}

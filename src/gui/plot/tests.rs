//! The widget in a harness: hover, click, zoom, and what it says to those who do not see it.

use egui::{Pos2, Vec2, accesskit::Role};
use egui_kittest::Harness;
use egui_kittest::kittest::Queryable;

use super::{PlotAnswer, PlotOptions, charted_ui};
use crate::chart::{Layer, LayerKind, Mark, Picture, Quantity, Rule, Scale, Tone};
use crate::gui::command::Command;

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
    commands: Vec<Command>,
}

fn shown(picture: Picture, options: PlotOptions) -> Harness<'static, Shown> {
    let state = Shown {
        picture,
        options,
        answer: PlotAnswer::default(),
        clicked: Vec::new(),
        commands: Vec::new(),
    };
    let mut harness = Harness::builder()
        .with_size(Vec2::new(400.0, 260.0))
        // Fast enough for two clicks to be a double click.
        .with_step_dt(1.0 / 60.0)
        .build_ui_state(
            |ui, state: &mut Shown| {
                crate::gui::theme::install_fonts(ui.ctx());
                state.answer = charted_ui(ui, "days", &state.picture, state.options, &mut state.commands);
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
    let before = hovered_at(&mut harness, off).unwrap();
    hovered_at(&mut harness, at);
    harness.event(egui::Event::Zoom(20.0));
    harness.run_steps(4);
    let zoomed = hovered_at(&mut harness, off).unwrap();
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
    assert_eq!(hovered_at(&mut harness, off), Some(before));
}

/// A button pressed at one point and let go at another, a few frames in between.
fn dragged(harness: &mut Harness<'_, Shown>, button: egui::PointerButton, from: Pos2, to: Pos2) {
    let press = |pos, pressed| egui::Event::PointerButton {
        pos,
        button,
        pressed,
        modifiers: egui::Modifiers::NONE,
    };
    harness.hover_at(from);
    harness.step();
    harness.event(press(from, true));
    harness.step();
    for share in [0.3, 0.6, 1.0] {
        harness.hover_at(from.lerp(to, share));
        harness.step();
    }
    harness.event(press(to, false));
    harness.run_steps(4);
}

fn hovered_at(harness: &mut Harness<'_, Shown>, at: Pos2) -> Option<usize> {
    harness.hover_at(at);
    harness.run_steps(3);
    harness.state().answer.hovered
}

#[test]
fn a_drag_over_bars_that_open_something_zooms_to_them_and_show_all_goes_back() {
    for button in [egui::PointerButton::Primary, egui::PointerButton::Secondary] {
        let mut harness = shown(days(100), with_click());
        let at = middle(&harness);
        assert_eq!(hovered_at(&mut harness, at), Some(50));
        dragged(
            &mut harness,
            button,
            at + egui::vec2(40.0, 5.0),
            at + egui::vec2(120.0, 30.0),
        );
        assert!(harness.state().clicked.is_empty(), "a drag opens nothing");
        let zoomed = hovered_at(&mut harness, at).unwrap();
        assert!((65..=80).contains(&zoomed), "{zoomed}");
        // Now a drag moves what is shown.
        dragged(
            &mut harness,
            egui::PointerButton::Primary,
            at,
            at + egui::vec2(60.0, 0.0),
        );
        let moved = hovered_at(&mut harness, at).unwrap();
        assert!(moved < zoomed, "{moved} {zoomed}");
        harness.get_by_label("Show all").click();
        harness.run_steps(4);
        assert_eq!(hovered_at(&mut harness, at), Some(50));
        assert!(harness.query_by_label("Show all").is_none());
    }
}

#[test]
fn the_only_tall_one_of_thousands_of_bars_is_met_from_two_pixels_away() {
    let mut picture = days(3_000);
    for (at, mark) in picture.layers[0].marks.iter_mut().enumerate() {
        mark.y.1 = if at == 1_777 { 5_300.0 } else { 400.0 };
    }
    let mut harness = shown(picture, with_click());
    let plot = harness.get_by_role(Role::Image).rect();
    #[allow(clippy::cast_possible_truncation, reason = "a pixel")]
    let x = (plot.left() + plot.width() * (1_777.5 / 3_000.0)).floor();
    let above_the_others = plot.top() + plot.height() * 0.5;
    for off in [-2.0, -1.0, 0.0, 1.0, 2.0] {
        let at = Pos2::new(x + off, above_the_others);
        assert_eq!(hovered_at(&mut harness, at), Some(1_777), "{off}");
    }
    let beside = hovered_at(&mut harness, Pos2::new(x + 6.0, above_the_others)).unwrap();
    assert!((1_790..1_850).contains(&beside), "{beside}");
}

#[test]
fn the_bar_that_is_open_is_marked_also_where_taller_ones_share_its_pixel() {
    let picture = days(3_000);
    let frame = egui::Rect::from_min_size(Pos2::ZERO, Vec2::new(300.0, 100.0));
    let bounds = egui_plot::PlotBounds::from_min_max([-0.5, 0.0], [2_999.5, 6_000.0]);
    let hit = super::Hit {
        picture: &picture,
        x: &picture.x,
        y: &picture.y,
        transform: egui_plot::PlotTransform::new(frame, bounds, egui::Vec2b::FALSE),
    };
    let marked = hit.open_bar(Some(1_500)).unwrap();
    assert!(
        (marked.center().x - 150.0).abs() < 0.2 && marked.width() >= 2.9,
        "{marked:?}"
    );
    assert_eq!(hit.open_bar(Some(9_999)), None);
    assert_eq!(hit.open_bar(None), None);
}

#[test]
fn the_second_button_offers_the_picture_as_a_file_on_a_bar_too() {
    let mut harness = shown(days(3), with_click());
    harness.get_by_label("day 01, 400 bytes").click_secondary();
    harness.run_steps(4);
    harness.get_by_label("Export picture…").click();
    harness.run_steps(4);
    let asked = std::mem::take(&mut harness.state_mut().commands);
    let [Command::ExportPicture(export)] = &asked[..] else {
        panic!("{asked:?}");
    };
    assert_eq!(export.picture.title, "Bytes per day");
    assert!(harness.state().clicked.is_empty());
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

//! A golden SVG for each kind of mark, and what every picture keeps to.

use super::{PictureSize, escaped, png, svg};
use crate::chart::palette::{DARK, LIGHT};
use crate::chart::picture::{Fill, Layer, LayerKind, LegendEntry, LegendShape, Mark, Picture, Rule};
use crate::chart::{Quantity, Scale, Tone};

const SIZE: PictureSize = PictureSize {
    width: 360,
    height: 220,
};

fn names(names: &[&str]) -> Scale {
    Scale::categories("", names.iter().map(|name| (*name).to_owned()).collect())
}

fn bars() -> Picture {
    let marks = vec![
        Mark::bar(0, 430e3, "2020-01-01\n430 KB").label("430 KB"),
        Mark::bar(1, 5.3e6, "2020-01-02\n5.3 MB").tone(Tone::Bad),
        Mark::bar(2, 150e3, "2020-01-03\nmissing")
            .tone(Tone::Warn)
            .fill(Fill::Outline)
            .label("missing"),
    ];
    Picture::new(
        "Bytes per day",
        names(&["01", "02", "03"]),
        Scale::from_zero("bytes", Quantity::Bytes, 5.3e6),
    )
    .note("exact, from the listing")
    .layer(Layer::new(LayerKind::Bars, Tone::Data, marks))
    .rule(Rule::level(430e3, "median 430 KB", Tone::Text))
    .entry(LegendEntry::swatch(Tone::Bad, "far above the median"))
}

fn lying_bars() -> Picture {
    let marks = vec![
        Mark::lying_bar(0, 0.47, "null").label("47%").tone(Tone::Bad),
        Mark::lying_bar(1, 0.05, "<script>").label("5.0%"),
    ];
    Picture::new(
        "Top keys",
        Scale::from_zero("share of rows", Quantity::Share, 0.47),
        names(&["null", "<script>alert(1)</script>"]).reversed(),
    )
    .layer(Layer::new(LayerKind::Bars, Tone::Data, marks))
}

fn lines() -> Picture {
    let points = |ends: &[(f64, f64)]| ends.iter().map(|(x, y)| Mark::point(*x, *y, "")).collect();
    Picture::new(
        "Lorenz curve",
        Scale::from_zero("share of days", Quantity::Share, 1.0),
        Scale::from_zero("share of bytes", Quantity::Share, 1.0),
    )
    .layer(Layer::new(
        LayerKind::Line { is_dashed: true },
        Tone::Weak,
        points(&[(0.0, 0.0), (1.0, 1.0)]),
    ))
    .layer(Layer::new(
        LayerKind::Area,
        Tone::Accent,
        points(&[(0.0, 0.0), (0.5, 0.2), (1.0, 1.0)]),
    ))
    .entry(LegendEntry::new(
        Tone::Weak,
        LegendShape::Line { is_dashed: true },
        "an even lake",
    ))
}

fn dots() -> Picture {
    let marks = (1..=4)
        .map(|n| Mark::point(f64::from(n) * 10.0, 10f64.powi(n), format!("task {n}")))
        .collect();
    Picture::new(
        "Bytes against time",
        Scale::from_zero("seconds", Quantity::Seconds, 40.0),
        Scale::log("bytes", Quantity::Bytes, 10.0, 10_000.0),
    )
    .layer(Layer::new(LayerKind::Points, Tone::Series(2), marks))
    .rule(Rule::upright(30.0, "p99", Tone::Text))
}

fn cells() -> Picture {
    let marks = vec![
        Mark::cell((-0.5, 0.5), (-0.5, 0.5), "Monday")
            .fill(Fill::Level(0.2))
            .label("6"),
        Mark::cell((0.5, 1.5), (-0.5, 0.5), "Monday")
            .fill(Fill::Level(1.0))
            .label("13"),
        Mark::cell((0.5, 1.5), (0.5, 1.5), "Tuesday")
            .fill(Fill::Outline)
            .tone(Tone::Warn)
            .label("14"),
    ];
    Picture::new(
        "Calendar",
        names(&["01-06", "01-13"]),
        names(&["Mon", "Tue"]).reversed(),
    )
    .layer(Layer::new(LayerKind::Cells, Tone::Data, marks))
}

fn treemap() -> Picture {
    let marks = vec![
        Mark::cell((0.0, 0.7), (0.0, 1.0), "clicks/")
            .tone(Tone::Good)
            .label("clicks/"),
        Mark::cell((0.7, 1.0), (0.0, 1.0), "impressions/")
            .tone(Tone::Warn)
            .label("impressions of a long name/"),
    ];
    Picture::new("Prefixes by bytes", Scale::bare(0.0, 1.0), Scale::bare(0.0, 1.0)).layer(Layer::new(
        LayerKind::Cells,
        Tone::Data,
        marks,
    ))
}

fn gantt() -> Picture {
    // 2020-01-09T12:00:00 UTC.
    let start = 1_578_571_200.0;
    let marks = vec![
        Mark::cell((start, start + 90.0), (-0.4, 0.4), "task 0"),
        Mark::cell((start + 20.0, start + 300.0), (0.6, 1.4), "task 1").tone(Tone::Bad),
    ];
    Picture::new(
        "Tasks of stage 3",
        Scale::time("UTC", start, start + 300.0),
        names(&["executor 1", "executor 2"]).reversed(),
    )
    .layer(Layer::new(LayerKind::Cells, Tone::Data, marks))
}

#[test]
fn each_kind_of_mark_has_a_golden_svg() {
    let all = [bars(), lying_bars(), lines(), dots(), cells(), treemap(), gantt()];
    for picture in all {
        let name = picture.title.to_lowercase().replace(' ', "_");
        insta::assert_snapshot!(name, svg(&picture, SIZE, &LIGHT).unwrap());
    }
}

#[test]
fn hostile_names_are_text_and_never_markup() {
    let text = svg(&lying_bars(), SIZE, &DARK).unwrap();
    assert!(!text.contains("<script"), "{text}");
    assert!(text.contains("&lt;script&gt;"), "{text}");
    assert_eq!(escaped("a\u{0}\"&'"), "a\u{fffd}&quot;&amp;&#39;");
}

#[test]
fn every_coordinate_is_a_whole_number_so_that_pictures_compare() {
    for picture in [bars(), lines(), dots(), gantt()] {
        let text = svg(&picture, SIZE, &LIGHT).unwrap();
        for attribute in [" x=\"", " y=\"", " x1=\"", " width=\"", " cx=\""] {
            for value in text.split(attribute).skip(1) {
                let value = value.split('"').next().unwrap();
                assert!(value.parse::<i64>().is_ok(), "{attribute}{value}");
            }
        }
    }
}

#[test]
fn a_png_is_sharp_decodes_and_is_not_blank() {
    for palette in [&DARK, &LIGHT] {
        let bytes = png(&bars(), SIZE, palette).unwrap();
        let mut reader = png::Decoder::new(std::io::Cursor::new(bytes))
            .read_info()
            .unwrap();
        let mut pixels = vec![0; reader.output_buffer_size().unwrap()];
        let info = reader.next_frame(&mut pixels).unwrap();
        assert_eq!((info.width, info.height), (720, 440));
        let count = |color: u32| {
            let [_, r, g, b] = color.to_be_bytes();
            pixels.chunks(3).filter(|pixel| *pixel == [r, g, b]).count()
        };
        assert!(count(palette.panel) > 100_000, "{}", count(palette.panel));
        // The tall bar and the short one.
        assert!(
            count(palette.bad) > 10_000 && count(palette.data) > 500,
            "{}",
            count(palette.bad)
        );
    }
}

#[test]
fn pictures_without_marks_or_room_are_drawn_too() {
    let nothing = Picture::new("Keys", names(&[]), Scale::from_zero("", Quantity::Count, 0.0));
    let text = svg(&nothing, SIZE, &LIGHT).unwrap();
    assert!(text.contains("nothing to show"));
    for (width, height) in [(1, 1), (40, 30), (3000, 20)] {
        for picture in [bars(), lying_bars(), cells(), gantt()] {
            assert!(
                svg(&picture, PictureSize { width, height }, &DARK)
                    .unwrap()
                    .ends_with("</svg>\n")
            );
            assert!(png(&picture, PictureSize { width, height }, &DARK).unwrap().len() > 60);
        }
    }
}

#[test]
fn ten_thousand_bars_make_no_more_shapes_than_there_are_pixels() {
    let n = 10_000;
    let marks = (0..n).map(|at| Mark::bar(at, (at % 97) as f64, "")).collect();
    let all = (0..n).map(|at| at.to_string()).collect();
    let picture = Picture::new(
        "Many",
        Scale::categories("", all),
        Scale::from_zero("", Quantity::Count, 97.0),
    )
    .layer(Layer::new(LayerKind::Bars, Tone::Data, marks));
    let text = svg(&picture, SIZE, &LIGHT).unwrap();
    assert!(
        text.matches("<rect").count() <= 362,
        "{}",
        text.matches("<rect").count()
    );
}

#[test]
fn labels_of_lines_keep_away_from_labels_of_marks() {
    let shapes = super::layout::shapes(&bars(), SIZE, &LIGHT);
    let places: Vec<(&str, f64, f64)> = shapes
        .iter()
        .filter_map(|shape| match shape {
            super::shapes::Shape::Text(text) => Some((text.words.as_str(), text.at.0, text.at.1)),
            _ => None,
        })
        .collect();
    let place = |wanted: &str| *places.iter().find(|(text, ..)| *text == wanted).unwrap();
    let (_, median_x, median_y) = place("median 430 KB");
    for other in ["missing", "430 KB"] {
        // The line's label begins at its place, those of bars are centred on theirs.
        let (_, x, y) = place(other);
        let apart = (median_y - y).abs() >= 12.0 || x + 24.0 < median_x || x - 24.0 > median_x + 80.0;
        assert!(apart, "{other} at {x} {y}, median at {median_x} {median_y}");
    }
}

//! Where everything of a picture goes: head, legend, sides with their ticks, marks, lines to compare with. Nothing overlaps:
//! ticks are thinned until their labels fit, and the label of a line moves until it has room.

use super::PictureSize;
use super::fonts::{shortened, width};
use super::marks;
use super::shapes::{Anchor, Area, Shape, Text, visible};
use crate::chart::labels::{self, MAX_NAME};
use crate::chart::palette::{Palette, mix};
use crate::chart::picture::{Fill, LegendEntry, LegendShape, Picture, Rule};
use crate::chart::rule_labels::{self, PADDING, RuleLine};
use crate::chart::scale::{Scale, ScaleKind, Tick};

const MARGIN: f64 = 16.0;
const TITLE_SIZE: f64 = 15.0;
pub(super) const SMALL: f64 = 11.5;
/// A line of small text.
const LINE: f64 = 18.0;
/// Between the ends of neighbouring labels.
const GAP: f64 = 10.0;

/// What is drawn in one go.
pub(super) struct Sheet<'a> {
    pub palette: &'a Palette,
    pub shapes: Vec<Shape>,
    /// Where labels of marks are, so that others keep away.
    pub taken: Vec<Area>,
}

/// The picture with both scales on its part of the sheet.
pub(super) struct Plot<'a> {
    pub area: Area,
    pub x: &'a Scale,
    pub y: &'a Scale,
}

impl Plot<'_> {
    pub fn x_of(&self, value: f64) -> f64 {
        self.area.left + self.area.width() * self.x.share(value)
    }

    pub fn y_of(&self, value: f64) -> f64 {
        self.area.bottom - self.area.height() * self.y.share(value)
    }
}

impl Sheet<'_> {
    pub fn text(&mut self, text: &str, at: (f64, f64), anchor: Anchor, color: u32) {
        self.shapes.push(Shape::Text(Text {
            at,
            words: visible(text),
            size: SMALL,
            color,
            anchor,
            is_bold: false,
        }));
    }

    /// A text that the labels of lines keep away from.
    pub fn label(&mut self, text: &str, at: (f64, f64), anchor: Anchor, color: u32) {
        let text_width = width(text, SMALL, false);
        let left = match anchor {
            Anchor::Left => at.0,
            Anchor::Center => at.0 - text_width / 2.0,
            Anchor::Right => at.0 - text_width,
        };
        self.taken.push(Area {
            left,
            top: at.1 - 10.0,
            right: left + text_width,
            bottom: at.1 + 3.0,
        });
        self.text(text, at, anchor, color);
    }

    pub fn line(&mut self, from: (f64, f64), to: (f64, f64), color: u32) {
        self.shapes.push(Shape::Path {
            points: vec![from, to],
            color,
            width: 1,
            is_dashed: false,
        });
    }
}

/// Every shape of the picture, from back to front.
pub(super) fn shapes(picture: &Picture, size: PictureSize, palette: &Palette) -> Vec<Shape> {
    let (full_width, full_height) = (f64::from(size.width), f64::from(size.height));
    let mut sheet = Sheet {
        palette,
        shapes: Vec::new(),
        taken: Vec::new(),
    };
    sheet.shapes.push(Shape::Rect {
        area: Area {
            left: 0.0,
            top: 0.0,
            right: full_width,
            bottom: full_height,
        },
        color: palette.panel,
        fill: true,
    });
    let mut top = head(&mut sheet, picture, full_width);
    top = legend(&mut sheet, picture, top, full_width);
    if !picture.y.title.is_empty() {
        let text = shortened(&visible(&picture.y.title), SMALL, full_width - 2.0 * MARGIN);
        sheet.text(&text, (MARGIN, top + 13.0), Anchor::Left, palette.weak);
        top += LINE;
    }
    let below =
        if has_ticks(&picture.x) { LINE } else { 0.0 } + if picture.x.title.is_empty() { 0.0 } else { LINE };
    // Room for half a label of the side, and for a label above the tallest bar.
    let (plot_top, plot_bottom) = (top + 16.0, (full_height - MARGIN - below).max(top + 17.0));
    let y_ticks = labels::upright(&picture.y, picture.y.ends(), plot_bottom - plot_top);
    let labels_width = y_ticks
        .iter()
        .map(|tick| width(&visible(&tick.label), SMALL, false))
        .fold(0.0, f64::max)
        .min(MAX_NAME.min(full_width * 0.35));
    let left = MARGIN
        + if labels_width > 0.0 {
            labels_width + 8.0
        } else {
            0.0
        };
    let plot = Plot {
        area: Area {
            left,
            top: plot_top,
            right: (full_width - MARGIN).max(left + 1.0),
            bottom: plot_bottom,
        },
        x: &picture.x,
        y: &picture.y,
    };
    sides(&mut sheet, &plot, &y_ticks, labels_width);
    if picture.is_empty() {
        let middle = f64::midpoint(plot.area.left, plot.area.right);
        let at = (middle, f64::midpoint(plot.area.top, plot.area.bottom));
        sheet.text("nothing to show", at, Anchor::Center, palette.weak);
    }
    for layer in &picture.layers {
        marks::layer(&mut sheet, &plot, layer);
    }
    rules(&mut sheet, &plot, &picture.rules);
    sheet.shapes
}

fn has_ticks(scale: &Scale) -> bool {
    scale.kind != ScaleKind::Bare
}

/// Title and note. Returns where the rest starts.
fn head(sheet: &mut Sheet<'_>, picture: &Picture, full_width: f64) -> f64 {
    let most = full_width - 2.0 * MARGIN;
    let title = shortened(&visible(&picture.title), TITLE_SIZE, most);
    let title_width = width(&title, TITLE_SIZE, true);
    sheet.shapes.push(Shape::Text(Text {
        at: (MARGIN, MARGIN + 14.0),
        words: title,
        size: TITLE_SIZE,
        color: sheet.palette.text,
        anchor: Anchor::Left,
        is_bold: true,
    }));
    let mut top = MARGIN + 20.0;
    if picture.note.is_empty() {
        return top;
    }
    let note = visible(&picture.note);
    // A browser without the font may set the title wider.
    let beside = MARGIN + title_width * 1.08 + GAP;
    if beside + width(&note, SMALL, false) <= full_width - MARGIN {
        sheet.text(&note, (beside, MARGIN + 14.0), Anchor::Left, sheet.palette.weak);
    } else {
        let note = shortened(&note, SMALL, most);
        sheet.text(&note, (MARGIN, top + 13.0), Anchor::Left, sheet.palette.weak);
        top += LINE;
    }
    top
}

/// Colours in words, on as many lines as they need. Returns where the rest starts.
fn legend(sheet: &mut Sheet<'_>, picture: &Picture, top: f64, full_width: f64) -> f64 {
    const SIGN: f64 = 10.0;
    const SPACE: f64 = 6.0;
    if picture.legend.is_empty() {
        return top;
    }
    let (mut x, mut y) = (MARGIN, top + 4.0);
    for entry in &picture.legend {
        let text = shortened(&visible(&entry.text), SMALL, full_width * 0.5);
        // Room for a font that is a little wider.
        let needed = SIGN + SPACE + width(&text, SMALL, false) * 1.05;
        if x > MARGIN && x + needed > full_width - MARGIN {
            x = MARGIN;
            y += LINE;
        }
        sign(sheet, entry, (x, y + 4.0), SIGN);
        sheet.text(
            &text,
            (x + SIGN + SPACE, y + 13.0),
            Anchor::Left,
            sheet.palette.weak,
        );
        x += needed + GAP + SPACE;
    }
    y + LINE
}

fn sign(sheet: &mut Sheet<'_>, entry: &LegendEntry, (x, y): (f64, f64), size: f64) {
    let color = sheet.palette.of(entry.tone);
    let area = Area {
        left: x,
        top: y,
        right: x + size,
        bottom: y + size,
    };
    let middle = y + size / 2.0;
    sheet.shapes.push(match entry.shape {
        LegendShape::Swatch(fill) => Shape::Rect {
            area,
            color: match fill {
                Fill::Level(level) => sheet.palette.level(entry.tone, level),
                Fill::Full | Fill::Outline | Fill::Bare => color,
            },
            fill: fill != Fill::Outline,
        },
        LegendShape::Line { is_dashed } => Shape::Path {
            points: vec![(x, middle), (x + size, middle)],
            color,
            width: 2,
            is_dashed,
        },
        LegendShape::Dot => Shape::Dot {
            at: (x + size / 2.0, middle),
            radius: 4.0,
            color,
        },
    });
}

/// Grid lines, labels and titles of both sides.
fn sides(sheet: &mut Sheet<'_>, plot: &Plot<'_>, y_ticks: &[Tick], labels_width: f64) {
    let Plot { area, x, y } = *plot;
    let place = |scale: &Scale, at: f64| {
        let (first, last) = scale.ends();
        let share = (at - first) / (last - first);
        if scale.is_reversed { 1.0 - share } else { share }
    };
    let is_named = matches!(y.kind, ScaleKind::Category(_));
    for tick in y_ticks {
        let at = area.bottom - area.height() * place(y, tick.at);
        if !is_named {
            sheet.line((area.left, at), (area.right, at), sheet.palette.line);
        }
        let label = shortened(&visible(&tick.label), SMALL, labels_width.max(1.0));
        sheet.text(
            &label,
            (area.left - 8.0, at + 4.0),
            Anchor::Right,
            sheet.palette.weak,
        );
    }
    let has_upright_grid = is_named && !matches!(x.kind, ScaleKind::Category(_));
    let measured = |text: &str| width(&visible(text), SMALL, false);
    for (tick, label) in labels::along(x, x.ends(), area.width(), &measured) {
        let at = area.left + area.width() * place(x, tick.at);
        if has_upright_grid {
            sheet.line((at, area.top), (at, area.bottom), sheet.palette.line);
        }
        let half = width(&label, SMALL, false) / 2.0;
        // The first and the last label stay on the sheet.
        let right = (area.right + MARGIN - half - 2.0).max(half);
        let at = at.max(half + 2.0).min(right);
        sheet.text(
            &label,
            (at, area.bottom + 15.0),
            Anchor::Center,
            sheet.palette.weak,
        );
    }
    if has_ticks(x) && has_ticks(y) {
        let edge = sheet.palette.edge;
        if has_upright_grid {
            sheet.line((area.left, area.top), (area.left, area.bottom), edge);
        } else if !(is_named && matches!(x.kind, ScaleKind::Category(_))) {
            sheet.line((area.left, area.bottom), (area.right, area.bottom), edge);
        }
    }
    if !x.title.is_empty() {
        let below = if has_ticks(x) { 15.0 + LINE } else { 15.0 };
        let text = shortened(&visible(&x.title), SMALL, area.width());
        sheet.text(
            &text,
            (area.right, area.bottom + below),
            Anchor::Right,
            sheet.palette.weak,
        );
    }
}

/// Height of a rule's label.
const RULE_LABEL: f64 = 13.0;

/// Dashed lines with their labels, each at the first of some places that is free.
fn rules(sheet: &mut Sheet<'_>, plot: &Plot<'_>, rules: &[Rule]) {
    let area = plot.area;
    let labels: Vec<String> = rules
        .iter()
        .map(|rule| shortened(&visible(&rule.label), SMALL, area.width() * 0.6))
        .collect();
    let lines: Vec<RuleLine> = rules
        .iter()
        .zip(&labels)
        .map(|(rule, label)| RuleLine {
            is_upright: rule.is_upright,
            at: if rule.is_upright {
                plot.x_of(rule.value)
            } else {
                plot.y_of(rule.value)
            },
            label: (!label.is_empty()).then(|| (width(label, SMALL, false) * 1.05, RULE_LABEL)),
        })
        .collect();
    let places = rule_labels::places(&lines, &area, &mut sheet.taken);
    for (rule, line) in rules.iter().zip(&lines) {
        let color = sheet.palette.of(rule.tone);
        for (from, to) in line.pieces(&area, &sheet.taken) {
            let points = if line.is_upright {
                vec![(line.at, from), (line.at, to)]
            } else {
                vec![(from, line.at), (to, line.at)]
            };
            sheet.shapes.push(Shape::Path {
                points,
                color,
                width: 1,
                is_dashed: true,
            });
        }
    }
    for (place, label) in places.into_iter().zip(&labels) {
        let Some(place) = place else { continue };
        sheet.shapes.push(Shape::Rect {
            area: place,
            color: mix(sheet.palette.panel, sheet.palette.background, 0.2),
            fill: true,
        });
        sheet.text(
            label,
            (place.left + PADDING, place.bottom - 3.5),
            Anchor::Left,
            sheet.palette.text,
        );
    }
}

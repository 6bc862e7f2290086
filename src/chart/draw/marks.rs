//! The marks of one layer as shapes, thinned to what is seen, with their labels where those have room.

use super::fonts::{shortened, width};
use super::layout::{Plot, SMALL, Sheet};
use super::shapes::{Anchor, Area, Shape, visible};
use crate::chart::palette::Palette;
use crate::chart::picture::{Fill, Layer, LayerKind, Mark};
use crate::chart::scale::ScaleKind;
use crate::chart::thin::{LOW_FRAME, Placed, thin};

/// Draws a layer.
pub(super) fn layer(sheet: &mut Sheet<'_>, plot: &Plot<'_>, layer: &Layer) {
    let placed: Vec<Placed> = layer
        .marks
        .iter()
        .enumerate()
        .filter_map(|(index, mark)| placed(plot, index, mark))
        .collect();
    let is_lying = matches!(plot.y.kind, ScaleKind::Category(_));
    let placed = thin(layer.kind, is_lying, placed);
    match layer.kind {
        LayerKind::Bars => rectangles(
            sheet,
            layer,
            &placed,
            |place, mark| bar_area(place, mark.fill == Fill::Outline, is_lying),
            |sheet, area, mark| {
                bar_label(sheet, plot, area, mark, is_lying);
            },
        ),
        LayerKind::Cells => rectangles(
            sheet,
            layer,
            &placed,
            |place, _| cell_area(place),
            |sheet, area, mark| {
                cell_label(sheet, layer, area, mark);
            },
        ),
        LayerKind::Points => dots(sheet, layer, &placed),
        LayerKind::Line { is_dashed } => {
            let points = ends(&placed);
            sheet.shapes.push(Shape::Path {
                points,
                color: sheet.palette.of(layer.tone),
                width: if is_dashed { 1 } else { 2 },
                is_dashed,
            });
        }
        LayerKind::Area => area(sheet, plot, layer, &placed),
    }
}

fn placed(plot: &Plot<'_>, index: usize, mark: &Mark) -> Option<Placed> {
    let values = [mark.x.0, mark.x.1, mark.y.0, mark.y.1];
    if values.iter().any(|value| !value.is_finite()) {
        return None;
    }
    let (x0, x1) = (plot.x_of(mark.x.0), plot.x_of(mark.x.1));
    let (y0, y1) = (plot.y_of(mark.y.0), plot.y_of(mark.y.1));
    Some(Placed {
        index,
        left: x0.min(x1),
        top: y0.min(y1),
        right: x0.max(x1),
        bottom: y0.max(y1),
    })
}

fn ends(placed: &[Placed]) -> Vec<(f64, f64)> {
    placed.iter().map(|mark| (mark.right, mark.top)).collect()
}

/// A bar is at least a pixel wide, and one that is not zero a pixel high. Something that is not there is a low frame.
fn bar_area(mark: &Placed, is_outline: bool, is_lying: bool) -> Area {
    let mut area = Area {
        left: mark.left,
        top: mark.top,
        right: mark.right,
        bottom: mark.bottom,
    };
    if is_lying {
        area.bottom = area.bottom.max(area.top + 1.0);
        if area.width() > 0.0 {
            area.right = area.right.max(area.left + 1.0);
        }
    } else {
        area.right = area.right.max(area.left + 1.0);
        if is_outline {
            area.top = area.top.min(area.bottom - f64::from(LOW_FRAME));
        } else if area.height() > 0.0 {
            area.top = area.top.min(area.bottom - 1.0);
        }
    }
    area
}

/// A cell leaves a little room to its neighbours.
fn cell_area(mark: &Placed) -> Area {
    let inset = |size: f64| (size * 0.08).min(1.5);
    let (dx, dy) = (inset(mark.width()), inset(mark.height()));
    let left = mark.left + dx;
    let top = mark.top + dy;
    Area {
        left,
        top,
        right: (mark.right - dx).max(left + 1.0),
        bottom: (mark.bottom - dy).max(top + 1.0),
    }
}

fn fill_color(palette: &Palette, layer: &Layer, mark: &Mark) -> u32 {
    let tone = mark.tone.unwrap_or(layer.tone);
    match mark.fill {
        Fill::Full | Fill::Outline | Fill::Bare => palette.of(tone),
        Fill::Level(level) => palette.level(tone, level),
    }
}

fn rectangles(
    sheet: &mut Sheet<'_>,
    layer: &Layer,
    placed: &[Placed],
    area_of: impl Fn(&Placed, &Mark) -> Area,
    mut label: impl FnMut(&mut Sheet<'_>, Area, &Mark),
) {
    for place in placed {
        let Some(mark) = layer.marks.get(place.index) else {
            continue;
        };
        let area = area_of(place, mark);
        if mark.fill != Fill::Bare {
            sheet.shapes.push(Shape::Rect {
                area,
                color: fill_color(sheet.palette, layer, mark),
                fill: mark.fill != Fill::Outline,
            });
        }
        if !mark.label.is_empty() {
            label(sheet, area, mark);
        }
    }
}

/// Above an upright bar, right of a lying one, where the neighbours leave room.
fn bar_label(sheet: &mut Sheet<'_>, plot: &Plot<'_>, area: Area, mark: &Mark, is_lying: bool) {
    // A bar takes about three quarters of its place.
    const PLACE: f64 = 1.35;
    let text = visible(&mark.label);
    let text_width = width(&text, SMALL, false);
    let color = if mark.fill == Fill::Outline {
        sheet.palette.of(mark.tone.unwrap_or_default())
    } else {
        sheet.palette.weak
    };
    if is_lying {
        if area.height() * PLACE < 12.0 {
            return;
        }
        let middle = f64::midpoint(area.top, area.bottom) + 4.0;
        if area.right + text_width + 8.0 <= plot.area.right + 14.0 {
            sheet.label(&text, (area.right + 5.0, middle), Anchor::Left, color);
        } else {
            let on_bar = Palette::text_on(sheet.palette.of(mark.tone.unwrap_or_default()));
            sheet.label(&text, (area.right - 5.0, middle), Anchor::Right, on_bar);
        }
    } else if text_width <= area.width() * PLACE {
        let middle = f64::midpoint(area.left, area.right);
        sheet.label(&text, (middle, area.top - 4.0), Anchor::Center, color);
    }
}

fn cell_label(sheet: &mut Sheet<'_>, layer: &Layer, area: Area, mark: &Mark) {
    const PADDING: f64 = 5.0;
    if area.height() < SMALL + 1.0 || area.width() < 12.0 {
        return;
    }
    let text = visible(&mark.label);
    let room = area.width() - 2.0 * PADDING.min(area.width() * 0.1);
    let text = if width(&text, SMALL, false) <= room {
        text
    } else if area.width() > 48.0 {
        shortened(&text, SMALL, room)
    } else {
        return;
    };
    let color = match mark.fill {
        Fill::Outline => sheet.palette.text,
        Fill::Bare => sheet.palette.weak,
        _ => Palette::text_on(fill_color(sheet.palette, layer, mark)),
    };
    let middle = (
        f64::midpoint(area.left, area.right),
        f64::midpoint(area.top, area.bottom) + 4.0,
    );
    sheet.label(&text, middle, Anchor::Center, color);
}

fn dots(sheet: &mut Sheet<'_>, layer: &Layer, placed: &[Placed]) {
    // A crowd is drawn finer.
    let radius = if placed.len() > 1000 { 1.5 } else { 3.0 };
    for place in placed {
        let Some(mark) = layer.marks.get(place.index) else {
            continue;
        };
        sheet.shapes.push(Shape::Dot {
            at: (place.right, place.top),
            radius,
            color: fill_color(sheet.palette, layer, mark),
        });
    }
}

fn area(sheet: &mut Sheet<'_>, plot: &Plot<'_>, layer: &Layer, placed: &[Placed]) {
    let points = ends(placed);
    let (Some(first), Some(last)) = (points.first().copied(), points.last().copied()) else {
        return;
    };
    let color = sheet.palette.of(layer.tone);
    let mut around = points.clone();
    around.push((last.0, plot.area.bottom));
    around.push((first.0, plot.area.bottom));
    sheet.shapes.push(Shape::Polygon {
        points: around,
        color,
        opacity: 0.25,
    });
    sheet.shapes.push(Shape::Path {
        points,
        color,
        width: 2,
        is_dashed: false,
    });
}

//! The few shapes that a picture is made of, and how a backend of plotters paints them.

use plotters::backend::DrawingBackend;
use plotters::style::text_anchor::{HPos, Pos, VPos};
use plotters::style::{RGBAColor, ShapeStyle, TextStyle};

use super::{DrawError, draw_error, fonts};

/// A shape, in CSS pixels from the upper left corner.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Shape {
    Rect {
        area: Area,
        color: u32,
        fill: bool,
    },
    Path {
        points: Vec<(f64, f64)>,
        color: u32,
        width: u32,
        is_dashed: bool,
    },
    Polygon {
        points: Vec<(f64, f64)>,
        color: u32,
        opacity: f64,
    },
    Dot {
        at: (f64, f64),
        radius: f64,
        color: u32,
    },
    Text(Text),
}

/// A line of text.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Text {
    /// On the baseline, where `anchor` says.
    pub at: (f64, f64),
    pub words: String,
    pub size: f64,
    pub color: u32,
    pub anchor: Anchor,
    pub is_bold: bool,
}

/// Which end of a text its place is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Anchor {
    Left,
    Center,
    Right,
}

pub(super) use crate::chart::rule_labels::Place as Area;

/// How far below the upper edge of a line a backend puts the baseline, in heights of a line.
pub(super) const SVG_BASELINE: f64 = 0.76 / 1.24;
pub(super) const BITMAP_BASELINE: f64 = 0.5;

/// A backend with the size of its pixels.
pub(super) struct Surface<'a, B: DrawingBackend> {
    backend: &'a mut B,
    scale: u32,
    baseline: f64,
}

impl<'a, B: DrawingBackend> Surface<'a, B> {
    pub fn new(backend: &'a mut B, scale: u32, baseline: f64) -> Self {
        Self {
            backend,
            scale,
            baseline,
        }
    }

    fn pixel(&self, (x, y): (f64, f64)) -> (i32, i32) {
        let pixel = |value: f64| {
            #[allow(clippy::cast_possible_truncation, reason = "a position inside the picture")]
            let pixel = (value * f64::from(self.scale)).round() as i32;
            pixel
        };
        (pixel(x), pixel(y))
    }

    fn shape(&mut self, shape: &Shape) -> Result<(), DrawError> {
        match shape {
            Shape::Rect { area, color, fill } => {
                let from = self.pixel((area.left, area.top));
                let to = self.pixel((area.right, area.bottom));
                if to.0 <= from.0 || to.1 <= from.1 {
                    return Ok(());
                }
                // Backends draw frames one pixel wide: as many of them as there are pixels to one of CSS.
                let n_frames = if *fill { 1 } else { self.scale.cast_signed() };
                for inset in 0..n_frames {
                    let (from, to) = ((from.0 + inset, from.1 + inset), (to.0 - inset, to.1 - inset));
                    if to.0 > from.0 && to.1 > from.1 {
                        self.backend
                            .draw_rect(from, to, &style(*color, 1.0, 1), *fill)
                            .map_err(|error| draw_error(&error))?;
                    }
                }
                Ok(())
            }
            Shape::Path {
                points,
                color,
                width,
                is_dashed,
            } => {
                let style = style(*color, 1.0, *width * self.scale);
                if *is_dashed {
                    for (from, to) in dashes(points) {
                        let dash = [self.pixel(from), self.pixel(to)];
                        self.backend
                            .draw_path(dash, &style)
                            .map_err(|error| draw_error(&error))?;
                    }
                    return Ok(());
                }
                let mut points: Vec<_> = points.iter().map(|point| self.pixel(*point)).collect();
                points.dedup();
                if points.len() < 2 {
                    return Ok(());
                }
                self.backend
                    .draw_path(points, &style)
                    .map_err(|error| draw_error(&error))
            }
            Shape::Polygon {
                points,
                color,
                opacity,
            } => {
                let points: Vec<_> = points.iter().map(|point| self.pixel(*point)).collect();
                self.backend
                    .fill_polygon(points, &style(*color, *opacity, 1))
                    .map_err(|error| draw_error(&error))
            }
            Shape::Dot { at, radius, color } => {
                let radius = self.pixel((*radius, 0.0)).0.unsigned_abs().max(1);
                let at = self.pixel(*at);
                self.backend
                    .draw_circle(at, radius, &style(*color, 1.0, 1), true)
                    .map_err(|error| draw_error(&error))
            }
            Shape::Text(text) => self.text(text),
        }
    }

    fn text(&mut self, text: &Text) -> Result<(), DrawError> {
        let size = text.size * f64::from(self.scale);
        let font = fonts::face(size, text.is_bold);
        let up = font.get_size() * self.baseline / f64::from(self.scale);
        let anchor = match text.anchor {
            Anchor::Left => HPos::Left,
            Anchor::Center => HPos::Center,
            Anchor::Right => HPos::Right,
        };
        let color = color(text.color, 1.0);
        let style = TextStyle::from(font)
            .color(&color)
            .pos(Pos::new(anchor, VPos::Top));
        let at = self.pixel((text.at.0, text.at.1 - up));
        self.backend
            .draw_text(&text.words, &style, at)
            .map_err(|error| draw_error(&error))
    }
}

/// Paints shapes in their order.
pub(super) fn paint<B: DrawingBackend>(
    surface: &mut Surface<'_, B>,
    shapes: &[Shape],
) -> Result<(), DrawError> {
    for shape in shapes {
        surface.shape(shape)?;
    }
    Ok(())
}

fn color(hex: u32, opacity: f64) -> RGBAColor {
    let [_, r, g, b] = hex.to_be_bytes();
    RGBAColor(r, g, b, opacity)
}

fn style(hex: u32, opacity: f64, width: u32) -> ShapeStyle {
    ShapeStyle {
        color: color(hex, opacity),
        filled: false,
        stroke_width: width,
    }
}

/// The dashes of a path: four pixels each, four apart.
fn dashes(points: &[(f64, f64)]) -> Vec<((f64, f64), (f64, f64))> {
    const DASH: f64 = 4.0;
    let mut dashes = Vec::new();
    // How far into a dash or a gap the path is.
    let mut done = 0.0;
    let mut is_dash = true;
    for pair in points.windows(2) {
        let [from, to] = pair else { continue };
        let (dx, dy) = (to.0 - from.0, to.1 - from.1);
        let length = dx.hypot(dy);
        if !length.is_finite() || length <= 0.0 {
            continue;
        }
        let at = |along: f64| (from.0 + dx * along / length, from.1 + dy * along / length);
        let mut along = 0.0;
        while along < length {
            let end = (along + DASH - done).min(length);
            if is_dash {
                dashes.push((at(along), at(end)));
            }
            done += end - along;
            if done >= DASH - 1e-9 {
                done = 0.0;
                is_dash = !is_dash;
            }
            along = end;
        }
    }
    dashes
}

/// The text on one line, with a sign in place of each character that does not show or that would turn the reading order:
/// keys of a lake are any text.
pub(super) fn visible(text: &str) -> String {
    text.chars()
        .map(|c| match c {
            '\n' | '\r' | '\t' => ' ',
            // XML has no way to write the last two.
            '\u{200e}'
            | '\u{200f}'
            | '\u{202a}'..='\u{202e}'
            | '\u{2066}'..='\u{2069}'
            | '\u{feff}'
            | '\u{fffe}'
            | '\u{ffff}' => '\u{fffd}',
            c if c.is_control() => '\u{fffd}',
            c => c,
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::{dashes, visible};

    #[test]
    fn dashes_go_on_around_corners() {
        let dashes = dashes(&[(0.0, 0.0), (6.0, 0.0), (6.0, 10.0)]);
        let ends: Vec<_> = dashes.iter().map(|(from, to)| (*from, *to)).collect();
        assert_eq!(ends[0], ((0.0, 0.0), (4.0, 0.0)));
        assert_eq!(ends[1], ((6.0, 2.0), (6.0, 6.0)));
    }

    #[test]
    fn characters_that_hide_or_turn_are_shown_as_a_sign() {
        assert_eq!(visible("a\u{0}b\u{202e}c\nd"), "a\u{fffd}b\u{fffd}c d");
    }
}

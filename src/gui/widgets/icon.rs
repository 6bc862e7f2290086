//! Small pictures drawn with lines: the built-in faces lack most symbols, and a drawn one is sharp at any zoom.

use egui::{Color32, Painter, Pos2, Rect, Response, Sense, Shape, Stroke, Ui, pos2, vec2};

use crate::gui::theme::size;

/// One picture, drawn in a square.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Icon {
    Back,
    Forward,
    Up,
    ChevronRight,
    ChevronDown,
    ChevronUp,
    Undo,
    Redo,
    Refresh,
    Eye,
    EyeOff,
    Grip,
    Plus,
    Close,
    Search,
    Copy,
    Check,
    Warning,
    More,
    Trash,
    Pencil,
    Folder,
}

/// The picture alone, in the flow of a layout. For a picture to click see [`super::icon_button`].
pub fn icon(ui: &mut Ui, icon: Icon, color: Color32) -> Response {
    let (rect, response) = ui.allocate_exact_size(egui::Vec2::splat(size::ICON), Sense::hover());
    paint_icon(ui.painter(), rect, icon, color);
    response
}

/// A status dot.
pub fn dot(ui: &mut Ui, color: Color32) -> Response {
    let (rect, response) = ui.allocate_exact_size(vec2(size::ICON / 2.0, size::ICON), Sense::hover());
    ui.painter().circle_filled(rect.center(), 3.5, color);
    response
}

/// Draws `icon` in the middle of `rect`.
#[allow(clippy::too_many_lines, reason = "one arm a picture")]
pub fn paint_icon(painter: &Painter, rect: Rect, icon: Icon, color: Color32) {
    let side = rect.width().min(rect.height()).min(size::ICON);
    // Positions are written on a grid from -8 to 8.
    let unit = side / 16.0;
    let at = |x: f32, y: f32| rect.center() + vec2(x, y) * unit;
    let stroke = Stroke::new(1.4 * unit.max(0.75), color);
    let line = |points: &[(f32, f32)]| {
        painter.add(Shape::line(
            points.iter().map(|(x, y)| at(*x, *y)).collect(),
            stroke,
        ));
    };
    let arc = |center: (f32, f32), radius: f32, from: f32, to: f32| {
        let points = (0u8..=20)
            .map(|i| {
                let angle = (from + (to - from) * f32::from(i) / 20.0).to_radians();
                at(center.0 + radius * angle.cos(), center.1 + radius * angle.sin())
            })
            .collect();
        painter.add(Shape::line(points, stroke));
    };
    let disc = |x: f32, y: f32, radius: f32| {
        painter.circle_filled(at(x, y), radius * unit, color);
    };
    match icon {
        Icon::Back => line(&[(2.0, -5.0), (-3.0, 0.0), (2.0, 5.0)]),
        Icon::Forward => line(&[(-2.0, -5.0), (3.0, 0.0), (-2.0, 5.0)]),
        Icon::Up => {
            line(&[(0.0, 5.0), (0.0, -5.0)]);
            line(&[(-4.0, -1.0), (0.0, -5.0), (4.0, -1.0)]);
        }
        Icon::ChevronRight => triangle(painter, color, at(-2.0, -4.0), at(3.5, 0.0), at(-2.0, 4.0)),
        Icon::ChevronDown => triangle(painter, color, at(-4.0, -2.0), at(4.0, -2.0), at(0.0, 3.5)),
        Icon::ChevronUp => triangle(painter, color, at(-4.0, 2.0), at(4.0, 2.0), at(0.0, -3.5)),
        Icon::Undo => {
            arc((0.0, 1.0), 4.5, 180.0, 400.0);
            line(&[(-7.0, -2.0), (-4.5, 1.5), (-1.5, -1.5)]);
        }
        Icon::Redo => {
            arc((0.0, 1.0), 4.5, 0.0, -220.0);
            line(&[(7.0, -2.0), (4.5, 1.5), (1.5, -1.5)]);
        }
        Icon::Refresh => {
            arc((0.0, 0.0), 5.0, -30.0, -320.0);
            line(&[(5.0, -6.0), (4.5, -2.0), (0.5, -2.5)]);
        }
        Icon::Eye | Icon::EyeOff => {
            arc((0.0, 6.0), 9.0, 218.0, 322.0);
            arc((0.0, -6.0), 9.0, 38.0, 142.0);
            disc(0.0, 0.0, 2.4);
            if icon == Icon::EyeOff {
                line(&[(-6.0, 6.0), (6.0, -6.0)]);
            }
        }
        Icon::Grip => {
            for y in [-4.0, 0.0, 4.0] {
                disc(-2.0, y, 1.1);
                disc(2.0, y, 1.1);
            }
        }
        Icon::Plus => {
            line(&[(-5.0, 0.0), (5.0, 0.0)]);
            line(&[(0.0, -5.0), (0.0, 5.0)]);
        }
        Icon::Close => {
            line(&[(-4.0, -4.0), (4.0, 4.0)]);
            line(&[(-4.0, 4.0), (4.0, -4.0)]);
        }
        Icon::Search => {
            painter.circle_stroke(at(-1.0, -1.0), 4.5 * unit, stroke);
            line(&[(2.4, 2.4), (6.0, 6.0)]);
        }
        Icon::Copy => {
            let sheet = |x: f32, y: f32| Rect::from_min_max(at(x, y), at(x + 8.0, y + 8.0));
            let outline = |rect| {
                painter.rect_stroke(rect, 2.0 * unit, stroke, egui::StrokeKind::Middle);
            };
            outline(sheet(-2.0, -2.0));
            line(&[(-4.5, 3.0), (-6.0, 3.0), (-6.0, -6.0), (3.0, -6.0), (3.0, -4.5)]);
        }
        Icon::Check => line(&[(-5.0, 0.0), (-1.5, 4.0), (5.0, -4.0)]),
        Icon::Warning => {
            line(&[(0.0, -6.0), (6.5, 5.5), (-6.5, 5.5), (0.0, -6.0)]);
            line(&[(0.0, -2.0), (0.0, 2.0)]);
            disc(0.0, 3.7, 0.8);
        }
        Icon::More => {
            for x in [-4.5, 0.0, 4.5] {
                disc(x, 0.0, 1.3);
            }
        }
        Icon::Trash => {
            line(&[(-5.5, -4.0), (5.5, -4.0)]);
            line(&[(-2.0, -4.0), (-2.0, -6.0), (2.0, -6.0), (2.0, -4.0)]);
            line(&[(-4.0, -4.0), (-3.5, 6.0), (3.5, 6.0), (4.0, -4.0)]);
        }
        Icon::Pencil => line(&[
            (-5.5, 5.5),
            (-4.5, 2.0),
            (3.0, -5.5),
            (5.5, -3.0),
            (-2.0, 4.5),
            (-5.5, 5.5),
        ]),
        Icon::Folder => line(&[
            (-6.0, 5.0),
            (-6.0, -5.0),
            (-1.5, -5.0),
            (0.5, -3.0),
            (6.0, -3.0),
            (6.0, 5.0),
            (-6.0, 5.0),
        ]),
    }
}

fn triangle(painter: &Painter, color: Color32, a: Pos2, b: Pos2, c: Pos2) {
    painter.add(Shape::convex_polygon(vec![a, b, c], color, Stroke::NONE));
}

/// The mark beside the name: four bars, one of them hollow, as a skewed lake has.
pub(crate) fn paint_mark(painter: &Painter, rect: Rect, color: Color32) {
    let width = 4.0;
    for (i, is_hollow) in [false, true, false, false].into_iter().enumerate() {
        #[allow(clippy::cast_precision_loss, reason = "four bars")]
        let x = rect.left() + i as f32 * (width + 1.5);
        let bar = Rect::from_min_max(pos2(x, rect.top()), pos2(x + width, rect.bottom()));
        if is_hollow {
            painter.rect_stroke(bar, 0.0, Stroke::new(1.0, color), egui::StrokeKind::Inside);
        } else {
            painter.rect_filled(bar, 0.0, color);
        }
    }
}

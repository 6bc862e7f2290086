//! Which mark is under the pointer, and marks as places to click for assistive technology.

use std::cmp::Reverse;

use egui::{Id, Pos2, Rect, Response, Role, Sense, Stroke, StrokeKind, Ui, WidgetInfo, pos2, vec2};
use egui_plot::{PlotPoint, PlotTransform};

use crate::chart::{LayerKind, Mark, Picture, Scale, ScaleKind};
use crate::gui::theme::{colors, mix, size};

/// Marks up to this many are places to click for assistive technology, each.
const MAX_PLACES: usize = 400;
/// A point is hit from this far, in points of the screen.
const REACH: f32 = 10.0;
/// What a bar leaves free of its place, on each side.
const BESIDE: f64 = 0.14;

/// Bars whose places are narrower than this are hit by what is drawn.
const THIN: f32 = 3.0;
/// From this far, in pixels.
const NEAR: f32 = 2.0;

/// What was clicked of the places of marks.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Clicked {
    pub action: Option<usize>,
    /// Any of them, with the second button.
    pub by_second_button: bool,
}

fn thickness(column: Rect, is_lying: bool) -> f32 {
    if is_lying { column.height() } else { column.width() }
}

/// A picture as it stands on the screen.
pub(super) struct Hit<'a> {
    pub picture: &'a Picture,
    pub x: &'a Scale,
    pub y: &'a Scale,
    pub transform: PlotTransform,
}

impl<'a> Hit<'a> {
    /// The mark at a point of the screen, the one in front first, and where it is.
    pub fn at(&self, pointer: Pos2) -> Option<(Rect, &'a Mark)> {
        self.picture.layers.iter().rev().find_map(|layer| {
            let told = || layer.marks.iter().filter(|mark| !mark.tooltip.is_empty());
            match layer.kind {
                LayerKind::Bars => self.bar_at(told(), pointer),
                LayerKind::Cells => told().rev().find_map(|mark| {
                    let rect = self.rect(mark);
                    rect.contains(pointer).then_some((rect, mark))
                }),
                LayerKind::Points => self.nearest(told(), |place| place.distance(pointer), REACH),
                // A line is read along x.
                LayerKind::Line { .. } | LayerKind::Area => {
                    self.nearest(told(), |place| (place.x - pointer.x).abs(), f32::INFINITY)
                }
            }
        })
    }

    /// The bar in whose place the pointer is. Where bars are thinner than a pointer is steady, the one that is drawn: of those
    /// that the pointer is on, else of those in its pixel, the nearest, then the longest.
    fn bar_at(&self, marks: impl Iterator<Item = &'a Mark>, pointer: Pos2) -> Option<(Rect, &'a Mark)> {
        let is_lying = self.is_lying();
        let along = |at: Pos2| if is_lying { at.y } else { at.x };
        marks
            .filter_map(|mark| {
                let column = self.column(mark);
                if column.contains(pointer) && THIN < thickness(column, is_lying) {
                    return Some((column, mark, (Reverse(0), 0.0)));
                }
                if THIN < thickness(column, is_lying) {
                    return None;
                }
                let body = self.rect(mark);
                let apart = along(body.min).floor() - along(pointer).floor();
                if apart.abs() > NEAR {
                    return None;
                }
                let (length, is_on) = if is_lying {
                    (body.width(), body.x_range().contains(pointer.x))
                } else {
                    (body.height(), body.y_range().contains(pointer.y))
                };
                #[allow(clippy::cast_possible_truncation, reason = "a few pixels")]
                let apart = apart.abs() as i32;
                // A bar that the pointer is beside only counts after all that it is on.
                let far = if is_on { apart } else { apart + 10 };
                Some((column, mark, (Reverse(far), length)))
            })
            .max_by(|(_, _, a), (_, _, b)| a.0.cmp(&b.0).then(a.1.total_cmp(&b.1)))
            .map(|(column, mark, _)| (column, mark))
    }

    fn is_lying(&self) -> bool {
        matches!(self.y.kind, ScaleKind::Category(_))
    }

    /// The place of the upright bar with this action, at least three points wide.
    pub fn open_bar(&self, open: Option<usize>) -> Option<Rect> {
        let open = open?;
        if self.is_lying() {
            return None;
        }
        let (_, mark) = self
            .picture
            .marks()
            .find(|(layer, mark)| layer.kind == LayerKind::Bars && mark.action == Some(open))?;
        let column = self.column(mark);
        Some(column.expand2(vec2((3.0 - column.width()).max(0.0) / 2.0, 0.0)))
            .filter(|column| column.intersects(*self.transform.frame()))
    }

    /// A line below the bar that is open.
    pub fn mark_open(&self, ui: &Ui, open: Option<usize>) {
        let frame = *self.transform.frame();
        if let Some(column) = self.open_bar(open) {
            let ends = pos2(column.left().max(frame.left()), frame.bottom());
            let to = pos2(
                column.right().min(frame.right()),
                frame.bottom() + size::UNDERLINE,
            );
            ui.painter()
                .rect_filled(Rect::from_min_max(ends, to), 0.0, colors(ui).accent);
        }
    }

    fn nearest(
        &self,
        marks: impl Iterator<Item = &'a Mark>,
        distance: impl Fn(Pos2) -> f32,
        reach: f32,
    ) -> Option<(Rect, &'a Mark)> {
        let place = |mark: &Mark| self.point(mark.x.1, mark.y.1);
        marks
            .map(|mark| (distance(place(mark)), mark))
            .filter(|(distance, _)| *distance <= reach)
            .min_by(|a, b| a.0.total_cmp(&b.0))
            .map(|(_, mark)| (Rect::from_center_size(place(mark), egui::Vec2::ZERO), mark))
    }

    fn point(&self, x: f64, y: f64) -> Pos2 {
        let point = PlotPoint::new(self.x.position(x), self.y.position(y));
        self.transform.position_from_point(&point)
    }

    /// Where a mark is on the screen.
    pub fn rect(&self, mark: &Mark) -> Rect {
        Rect::from_two_pos(self.point(mark.x.0, mark.y.0), self.point(mark.x.1, mark.y.1))
    }

    /// The whole place of a bar, from one edge of the picture to the other, so that a short bar can be hit too.
    fn column(&self, mark: &Mark) -> Rect {
        let frame = *self.transform.frame();
        if self.is_lying() {
            let ends = [mark.y.0 - BESIDE, mark.y.1 + BESIDE].map(|y| self.point(0.0, y).y);
            Rect::from_two_pos(pos2(frame.left(), ends[0]), pos2(frame.right(), ends[1]))
        } else {
            let beside = if matches!(self.x.kind, ScaleKind::Category(_)) {
                BESIDE
            } else {
                0.0
            };
            let ends = [mark.x.0 - beside, mark.x.1 + beside].map(|x| self.point(x, 0.0).x);
            Rect::from_two_pos(pos2(ends[0], frame.top()), pos2(ends[1], frame.bottom()))
        }
    }

    /// What is drawn of a mark, with as much around it as a pointer needs.
    pub fn body(&self, mark: &Mark) -> Rect {
        self.rect(mark).expand(NEAR)
    }

    /// The rows of lying bars that do something, where they are in view, with their marks and actions.
    pub fn rows(&self) -> impl Iterator<Item = (Rect, &'a Mark, usize)> {
        let frame = *self.transform.frame();
        let bars = self.picture.marks();
        let doing = bars.filter(|(layer, _)| layer.kind == LayerKind::Bars && self.is_lying());
        doing
            .filter_map(|(_, mark)| Some((self.column(mark), mark, mark.action?)))
            .filter(move |(row, _, _)| frame.y_range().contains(row.center().y))
    }

    /// Marks the place under the pointer.
    pub fn point_out(&self, ui: &Ui, rect: Rect) {
        let c = colors(ui);
        let painter = ui.painter().with_clip_rect(self.transform.frame().expand(2.0));
        if rect.width() < 1.0 && rect.height() < 1.0 {
            painter.circle(rect.center(), 5.0, c.panel, Stroke::new(size::UNDERLINE, c.text));
        } else if rect.width() < THIN || rect.height() < THIN {
            let line = Stroke::new(size::LINE, c.edge);
            if rect.width() < rect.height() {
                painter.vline(rect.center().x, rect.y_range(), line);
            } else {
                painter.hline(rect.x_range(), rect.center().y, line);
            }
        } else {
            let edge = Stroke::new(size::LINE, mix(c.edge, c.text, 0.5));
            painter.rect_stroke(rect, 2.0, edge, StrokeKind::Inside);
        }
    }

    /// Marks that do something, as places to click for assistive technology, as long as there are not thousands: each begins
    /// with `word`. A line has none. `by_body` takes bars by what is drawn of them, not by their whole places. Returns the
    /// action of one that was clicked.
    pub fn places(&self, ui: &Ui, plot: &Response, word: &str, by_body: bool) -> Clicked {
        let is_line = |kind| matches!(kind, LayerKind::Line { .. } | LayerKind::Area);
        let doing = || {
            self.picture
                .marks()
                .filter(|(layer, _)| !is_line(layer.kind))
                .filter_map(|(layer, mark)| Some((layer.kind, mark, mark.action?)))
        };
        let mut clicked = Clicked::default();
        if doing().nth(MAX_PLACES).is_some() {
            return clicked;
        }
        for (at, (kind, mark, action)) in doing().enumerate() {
            let rect = match kind {
                LayerKind::Bars if by_body => self.body(mark),
                LayerKind::Bars => self.column(mark),
                LayerKind::Cells => self.rect(mark),
                _ => self.rect(mark).expand(4.0),
            };
            let rect = rect.intersect(*self.transform.frame());
            if !rect.is_positive() {
                continue;
            }
            // Several marks may mean the same, such as the parts of a bar.
            let id: Id = plot.id.with(("mark", at));
            let place = ui.interact(rect, id, Sense::CLICK);
            place.widget_info(|| {
                let words: Vec<&str> = mark.tooltip.lines().take(2).collect();
                let words = words.join(", ");
                let label = if word.is_empty() {
                    words
                } else {
                    format!("{word} {words}")
                };
                WidgetInfo::labeled(Role::Button, true, label)
            });
            if place.clicked() {
                clicked.action = Some(action);
            }
            clicked.by_second_button |= place.secondary_clicked();
        }
        clicked
    }
}

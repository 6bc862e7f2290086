//! Which mark is under the pointer, and marks as places to click for assistive technology.

use egui::{Id, Pos2, Rect, Response, Role, Sense, Stroke, StrokeKind, Ui, WidgetInfo, pos2};
use egui_plot::{PlotPoint, PlotTransform};

use crate::chart::{LayerKind, Mark, Picture, Scale, ScaleKind};
use crate::gui::theme::{colors, mix, size};

/// Marks up to this many are places to click for assistive technology, each.
const MAX_PLACES: usize = 400;
/// A point is hit from this far, in points of the screen.
const REACH: f32 = 10.0;
/// What a bar leaves free of its place, on each side.
const BESIDE: f64 = 0.14;

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
                LayerKind::Bars | LayerKind::Cells => {
                    let is_bar = layer.kind == LayerKind::Bars;
                    told().rev().find_map(|mark| {
                        let rect = if is_bar {
                            self.column(mark)
                        } else {
                            self.rect(mark)
                        };
                        rect.contains(pointer).then_some((rect, mark))
                    })
                }
                LayerKind::Points => self.nearest(told(), |place| place.distance(pointer), REACH),
                // A line is read along x.
                LayerKind::Line { .. } | LayerKind::Area => {
                    self.nearest(told(), |place| (place.x - pointer.x).abs(), f32::INFINITY)
                }
            }
        })
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
        if matches!(self.y.kind, ScaleKind::Category(_)) {
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

    /// Marks the place under the pointer.
    pub fn point_out(&self, ui: &Ui, rect: Rect) {
        let c = colors(ui);
        let painter = ui.painter().with_clip_rect(self.transform.frame().expand(2.0));
        if rect.width() < 1.0 && rect.height() < 1.0 {
            painter.circle(rect.center(), 5.0, c.panel, Stroke::new(size::UNDERLINE, c.text));
        } else {
            let edge = Stroke::new(size::LINE, mix(c.edge, c.text, 0.5));
            painter.rect_stroke(rect, 2.0, edge, StrokeKind::Inside);
        }
    }

    /// Marks that do something, as places to click for assistive technology, as long as there are not thousands. Returns
    /// the action of one that was clicked.
    pub fn places(&self, ui: &Ui, plot: &Response) -> Option<usize> {
        let doing = || {
            self.picture
                .marks()
                .filter_map(|(layer, mark)| Some((layer.kind, mark, mark.action?)))
        };
        if doing().nth(MAX_PLACES).is_some() {
            return None;
        }
        let mut clicked = None;
        for (at, (kind, mark, action)) in doing().enumerate() {
            let rect = match kind {
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
                WidgetInfo::labeled(Role::Button, true, words.join(", "))
            });
            if place.clicked() {
                clicked = Some(action);
            }
        }
        clicked
    }
}

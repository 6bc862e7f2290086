//! The marks of a picture as shapes on the screen: grid, marks thinned to what is seen, lines to compare with, labels.

use std::ops::RangeInclusive;
use std::sync::Arc;

use egui::{Color32, Galley, Pos2, Rect, Shape, Stroke, StrokeKind, Ui, pos2, vec2};
use egui_plot::{PlotBounds, PlotGeometry, PlotItem, PlotItemBase, PlotPoint, PlotTransform};

use super::hit::Hit;
use crate::chart::labels;
use crate::chart::palette::Palette;
use crate::chart::rule_labels::{self, Place, RuleLine};
use crate::chart::thin::{LOW_FRAME, Placed, thin};
use crate::chart::{Fill, Layer, LayerKind, Mark, Picture, Rule, Scale, ScaleKind};
use crate::gui::theme::{rgb, size, small};

/// A picture as one item of a plot.
pub(super) struct Marks<'a> {
    base: PlotItemBase,
    picture: &'a Picture,
    x: &'a Scale,
    y: &'a Scale,
    palette: &'static Palette,
    open: Option<usize>,
}

impl<'a> Marks<'a> {
    pub fn new(
        picture: &'a Picture,
        x: &'a Scale,
        y: &'a Scale,
        palette: &'static Palette,
        open: Option<usize>,
    ) -> Self {
        Self {
            base: PlotItemBase::new(picture.title.clone()),
            picture,
            x,
            y,
            palette,
            open,
        }
    }

    fn is_lying(&self) -> bool {
        matches!(self.y.kind, ScaleKind::Category(_))
    }

    fn point(&self, transform: &PlotTransform, x: f64, y: f64) -> Pos2 {
        transform.position_from_point(&PlotPoint::new(self.x.position(x), self.y.position(y)))
    }

    /// Marks in view, thinned.
    fn placed(&self, transform: &PlotTransform, layer: &Layer) -> Vec<Placed> {
        // Corners just outside keep a line going to the edge.
        let view = transform.frame().expand(60.0);
        let is_line = matches!(layer.kind, LayerKind::Line { .. } | LayerKind::Area);
        let placed = layer.marks.iter().enumerate().filter_map(|(index, mark)| {
            if [mark.x.0, mark.x.1, mark.y.0, mark.y.1]
                .iter()
                .any(|value| !value.is_finite())
            {
                return None;
            }
            let from = self.point(transform, mark.x.0, mark.y.0);
            let to = self.point(transform, mark.x.1, mark.y.1);
            let rect = Rect::from_two_pos(from, to);
            (is_line || view.intersects(rect)).then(|| Placed {
                index,
                left: f64::from(rect.left()),
                top: f64::from(rect.top()),
                right: f64::from(rect.right()),
                bottom: f64::from(rect.bottom()),
            })
        });
        thin(layer.kind, self.is_lying(), placed.collect())
    }

    fn color(&self, layer: &Layer, mark: &Mark) -> Color32 {
        let tone = mark.tone.unwrap_or(layer.tone);
        rgb(match mark.fill {
            Fill::Full | Fill::Outline | Fill::Bare => self.palette.of(tone),
            Fill::Level(level) => self.palette.level(tone, level),
        })
    }

    fn grid(&self, transform: &PlotTransform, shapes: &mut Vec<Shape>) {
        let frame = *transform.frame();
        let bounds = transform.bounds();
        let line = Stroke::new(size::LINE, rgb(self.palette.line));
        let edge = Stroke::new(size::LINE, rgb(self.palette.edge));
        let is_named = |scale: &Scale| matches!(scale.kind, ScaleKind::Category(_));
        if self.x.kind == ScaleKind::Bare || is_named(self.x) && is_named(self.y) {
            return;
        }
        if self.is_lying() {
            let shown = (bounds.min()[0], bounds.max()[0]);
            // Labels are about this wide: the same ticks as below.
            for (tick, _) in labels::along(self.x, shown, f64::from(frame.width()), &|text| {
                text.chars().count() as f64 * 6.2
            }) {
                let x = transform.position_from_point_x(tick.at);
                shapes.push(Shape::vline(x, frame.y_range(), line));
            }
            shapes.push(Shape::vline(frame.left(), frame.y_range(), edge));
        } else {
            let shown = (bounds.min()[1], bounds.max()[1]);
            for tick in labels::upright(self.y, shown, f64::from(frame.height())) {
                let y = transform.position_from_point_y(tick.at);
                shapes.push(Shape::hline(frame.x_range(), y, line));
            }
            shapes.push(Shape::hline(frame.x_range(), frame.bottom(), edge));
        }
    }

    fn layer(&self, ui: &Ui, transform: &PlotTransform, layer: &Layer, drawing: &mut Drawing<'_>) {
        let placed = self.placed(transform, layer);
        match layer.kind {
            LayerKind::Bars | LayerKind::Cells => self.rectangles(ui, layer, &placed, transform, drawing),
            LayerKind::Points => {
                // A crowd is drawn finer.
                let radius = if placed.len() > 1000 { 1.5 } else { 3.0 };
                for (place, mark) in with_marks(layer, &placed) {
                    let at = rect_of(place).right_top();
                    drawing
                        .shapes
                        .push(Shape::circle_filled(at, radius, self.color(layer, mark)));
                }
            }
            LayerKind::Line { is_dashed } => {
                let points: Vec<Pos2> = placed.iter().map(|place| rect_of(place).right_top()).collect();
                let color = rgb(self.palette.of(layer.tone));
                if is_dashed {
                    let stroke = Stroke::new(size::LINE, color);
                    drawing
                        .shapes
                        .extend(Shape::dashed_line(&points, stroke, 4.0, 4.0));
                } else {
                    let stroke = Stroke::new(size::UNDERLINE, color);
                    drawing.shapes.push(Shape::line(points, stroke));
                }
            }
            LayerKind::Area => self.area(transform, layer, &placed, drawing),
        }
    }

    fn area(&self, transform: &PlotTransform, layer: &Layer, placed: &[Placed], drawing: &mut Drawing<'_>) {
        let color = rgb(self.palette.of(layer.tone));
        let points: Vec<Pos2> = placed.iter().map(|place| rect_of(place).right_top()).collect();
        let base = transform.frame().bottom();
        let mut mesh = egui::Mesh::default();
        let fill = color.gamma_multiply(0.25);
        for (n, at) in (0_u32..).zip(&points) {
            mesh.colored_vertex(*at, fill);
            mesh.colored_vertex(pos2(at.x, base), fill);
            if n > 0 {
                let last = 2 * n;
                mesh.add_triangle(last - 2, last - 1, last);
                mesh.add_triangle(last - 1, last, last + 1);
            }
        }
        drawing.shapes.push(Shape::mesh(mesh));
        let stroke = Stroke::new(size::UNDERLINE, color);
        drawing.shapes.push(Shape::line(points, stroke));
    }

    fn rectangles(
        &self,
        ui: &Ui,
        layer: &Layer,
        placed: &[Placed],
        transform: &PlotTransform,
        drawing: &mut Drawing<'_>,
    ) {
        let is_bar = layer.kind == LayerKind::Bars;
        for (place, mark) in with_marks(layer, placed) {
            let rect = if is_bar {
                bar_rect(place, mark.fill == Fill::Outline, self.is_lying())
            } else {
                cell_rect(place)
            };
            let color = self.color(layer, mark);
            let radius = if rect.width().min(rect.height()) > 12.0 {
                2.0
            } else {
                0.0
            };
            drawing.shapes.push(match mark.fill {
                Fill::Outline => {
                    Shape::rect_stroke(rect, radius, Stroke::new(1.2, color), StrokeKind::Inside)
                }
                Fill::Full | Fill::Level(_) => Shape::rect_filled(rect, radius, color),
                Fill::Bare => Shape::Noop,
            });
            // An upright bar has a stripe behind it and a line below it.
            let is_framed = !is_bar || self.is_lying();
            if is_framed && self.open.is_some() && self.open == mark.action {
                drawing.shapes.push(self.frame_around(rect));
            }
            match (mark.label.is_empty(), is_bar) {
                (true, _) => {}
                (false, true) => self.bar_label(ui, mark, rect, transform, drawing),
                (false, false) => self.cell_label(ui, layer, mark, rect, drawing),
            }
        }
    }

    /// Around a mark that is open.
    fn frame_around(&self, rect: Rect) -> Shape {
        let accent = rgb(self.palette.accent);
        let stroke = Stroke::new(1.5, accent);
        Shape::rect_stroke(rect.expand(1.0), 2.0, stroke, StrokeKind::Middle)
    }

    /// Behind the bar that is open, also where it shares its pixel with taller ones.
    fn stripe(&self, transform: &PlotTransform, shapes: &mut Vec<Shape>) {
        if self.is_lying() {
            return;
        }
        let hit = Hit {
            picture: self.picture,
            x: self.x,
            y: self.y,
            transform: *transform,
        };
        if let Some(rect) = hit.open_bar(self.open) {
            shapes.push(Shape::rect_filled(rect, 0.0, rgb(self.palette.selection)));
        }
    }

    /// Above an upright bar, right of a lying one, where the neighbours leave room.
    fn bar_label(
        &self,
        ui: &Ui,
        mark: &Mark,
        rect: Rect,
        transform: &PlotTransform,
        drawing: &mut Drawing<'_>,
    ) {
        // A bar takes about three quarters of its place.
        const PLACE: f32 = 1.35;
        let color = if mark.fill == Fill::Outline {
            rgb(self.palette.of(mark.tone.unwrap_or_default()))
        } else {
            rgb(self.palette.weak)
        };
        let galley = layout(ui, &mark.label, color);
        let frame = *transform.frame();
        if self.is_lying() {
            if rect.height() * PLACE < galley.size().y - 2.0 {
                return;
            }
            let y = rect.center().y - galley.size().y / 2.0;
            if rect.right() + galley.size().x + 6.0 <= frame.right() {
                drawing.label(pos2(rect.right() + 5.0, y), galley, color);
            } else {
                let fill = self.palette.of(mark.tone.unwrap_or_default());
                let color = rgb(Palette::text_on(fill));
                let galley = layout(ui, &mark.label, color);
                drawing.label(pos2(rect.right() - galley.size().x - 5.0, y), galley, color);
            }
        } else if galley.size().x <= rect.width() * PLACE {
            let y = rect.top() - galley.size().y - 2.0;
            let (galley, y) = if y < frame.top() && mark.fill != Fill::Outline {
                // Without room above it stands on the bar.
                let color = rgb(Palette::text_on(self.palette.of(mark.tone.unwrap_or_default())));
                (layout(ui, &mark.label, color), rect.top() + 2.0)
            } else {
                (galley, y.max(frame.top()))
            };
            drawing.label(pos2(rect.center().x - galley.size().x / 2.0, y), galley, color);
        }
    }

    fn cell_label(&self, ui: &Ui, layer: &Layer, mark: &Mark, rect: Rect, drawing: &mut Drawing<'_>) {
        if rect.height() < 13.0 || rect.width() < 12.0 {
            return;
        }
        let color = match mark.fill {
            Fill::Outline => rgb(self.palette.text),
            Fill::Bare => rgb(self.palette.weak),
            fill => {
                let tone = mark.tone.unwrap_or(layer.tone);
                rgb(Palette::text_on(match fill {
                    Fill::Level(level) => self.palette.level(tone, level),
                    _ => self.palette.of(tone),
                }))
            }
        };
        let room = rect.width() - 10.0_f32.min(rect.width() * 0.2);
        let mut galley = layout(ui, &mark.label, color);
        if galley.size().x > room {
            if rect.width() < 48.0 {
                return;
            }
            let measured = |text: &str| f64::from(layout(ui, text, color).size().x);
            galley = layout(
                ui,
                &labels::shortened(&mark.label, f64::from(room), &measured),
                color,
            );
        }
        drawing.label(rect.center() - galley.size() / 2.0, galley, color);
    }

    /// Dashed lines with their labels, each at the first of some places that is free.
    fn rules(&self, ui: &Ui, transform: &PlotTransform, drawing: &mut Drawing<'_>) {
        let frame = *transform.frame();
        let in_view: Vec<(&Rule, f32)> = self
            .picture
            .rules
            .iter()
            .map(|rule| {
                let at = if rule.is_upright {
                    transform.position_from_point_x(self.x.position(rule.value))
                } else {
                    transform.position_from_point_y(self.y.position(rule.value))
                };
                (rule, at)
            })
            .filter(|(rule, at)| {
                let range = if rule.is_upright {
                    frame.x_range()
                } else {
                    frame.y_range()
                };
                (range.min - 1.0..=range.max + 1.0).contains(at)
            })
            .collect();
        let text = rgb(self.palette.text);
        let galleys: Vec<Arc<Galley>> = in_view
            .iter()
            .map(|(rule, _)| layout(ui, &rule.label, text))
            .collect();
        let lines: Vec<RuleLine> = in_view
            .iter()
            .zip(&galleys)
            .map(|((rule, at), galley)| RuleLine {
                is_upright: rule.is_upright,
                at: f64::from(*at),
                label: (!rule.label.is_empty())
                    .then(|| (f64::from(galley.size().x), f64::from(galley.size().y))),
            })
            .collect();
        let frame_place = place_of(frame);
        let mut taken: Vec<Place> = drawing.taken.iter().copied().map(place_of).collect();
        let places = rule_labels::places(&lines, &frame_place, &mut taken);
        for ((rule, at), line) in in_view.iter().zip(&lines) {
            let stroke = Stroke::new(1.2, rgb(self.palette.of(rule.tone)));
            for (from, to) in line.pieces(&frame_place, &taken) {
                #[allow(clippy::cast_possible_truncation, reason = "positions on the screen")]
                let (from, to) = (from as f32, to as f32);
                let ends = if rule.is_upright {
                    [pos2(*at, from), pos2(*at, to)]
                } else {
                    [pos2(from, *at), pos2(to, *at)]
                };
                drawing.shapes.extend(Shape::dashed_line(&ends, stroke, 4.0, 4.0));
            }
        }
        let fill = rgb(self.palette.panel).gamma_multiply(0.85);
        for (place, galley) in places.into_iter().zip(galleys) {
            let Some(place) = place else { continue };
            let behind = rect_at(&place);
            drawing.shapes.push(Shape::rect_filled(behind, 2.0, fill));
            #[allow(clippy::cast_possible_truncation, reason = "positions on the screen")]
            let at = behind.left_top() + vec2(rule_labels::PADDING as f32, 0.0);
            drawing.label(at, galley, text);
        }
    }
}

fn place_of(rect: Rect) -> Place {
    Place {
        left: f64::from(rect.left()),
        top: f64::from(rect.top()),
        right: f64::from(rect.right()),
        bottom: f64::from(rect.bottom()),
    }
}

fn rect_at(place: &Place) -> Rect {
    #[allow(
        clippy::cast_possible_truncation,
        reason = "came from positions on the screen"
    )]
    let [left, top, right, bottom] = [place.left, place.top, place.right, place.bottom].map(|at| at as f32);
    Rect::from_min_max(pos2(left, top), pos2(right, bottom))
}

/// Shapes, and where labels are already.
struct Drawing<'a> {
    shapes: &'a mut Vec<Shape>,
    taken: Vec<Rect>,
}

impl Drawing<'_> {
    fn label(&mut self, at: Pos2, galley: Arc<Galley>, color: Color32) {
        self.taken.push(Rect::from_min_size(at, galley.size()));
        self.shapes.push(Shape::galley(at, galley, color));
    }
}

fn layout(ui: &Ui, text: &str, color: Color32) -> Arc<Galley> {
    ui.painter().layout_no_wrap(text.to_owned(), small(), color)
}

fn with_marks<'l>(layer: &'l Layer, placed: &'l [Placed]) -> impl Iterator<Item = (&'l Placed, &'l Mark)> {
    placed
        .iter()
        .filter_map(|place| Some((place, layer.marks.get(place.index)?)))
}

fn rect_of(place: &Placed) -> Rect {
    rect_at(&Place {
        left: place.left,
        top: place.top,
        right: place.right,
        bottom: place.bottom,
    })
}

/// A bar is at least a point wide, and one that is not zero two points high. Something that is not there is a low frame.
fn bar_rect(place: &Placed, is_outline: bool, is_lying: bool) -> Rect {
    let mut rect = rect_of(place);
    if is_lying {
        rect.max.y = rect.max.y.max(rect.min.y + 1.0);
        if rect.width() > 0.0 {
            rect.max.x = rect.max.x.max(rect.min.x + 2.0);
        }
    } else {
        rect.max.x = rect.max.x.max(rect.min.x + 1.0);
        if is_outline {
            rect.min.y = rect.min.y.min(rect.max.y - LOW_FRAME);
        } else if rect.height() > 0.0 {
            rect.min.y = rect.min.y.min(rect.max.y - 2.0);
        }
    }
    rect
}

/// A cell leaves a little room to its neighbours.
fn cell_rect(place: &Placed) -> Rect {
    let rect = rect_of(place);
    let inset = |size: f32| (size * 0.08).min(1.5);
    let rect = rect.shrink2(vec2(inset(rect.width()), inset(rect.height())));
    rect.with_max_x(rect.max.x.max(rect.min.x + 1.0))
        .with_max_y(rect.max.y.max(rect.min.y + 1.0))
}

impl PlotItem for Marks<'_> {
    fn shapes(&self, ui: &Ui, transform: &PlotTransform, shapes: &mut Vec<Shape>) {
        self.stripe(transform, shapes);
        self.grid(transform, shapes);
        let mut drawing = Drawing {
            shapes,
            taken: Vec::new(),
        };
        for layer in &self.picture.layers {
            self.layer(ui, transform, layer, &mut drawing);
        }
        self.rules(ui, transform, &mut drawing);
        if self.picture.is_empty() {
            let color = rgb(self.palette.weak);
            let galley = layout(ui, "nothing to show", color);
            drawing.label(transform.frame().center() - galley.size() / 2.0, galley, color);
        }
    }

    fn initialize(&mut self, _x_range: RangeInclusive<f64>) {}

    fn color(&self) -> Color32 {
        rgb(self.palette.data)
    }

    fn geometry(&self) -> PlotGeometry<'_> {
        PlotGeometry::None
    }

    /// The ends of the sides are given to the plot; marks do not move them.
    fn bounds(&self) -> PlotBounds {
        PlotBounds::NOTHING
    }

    fn base(&self) -> &PlotItemBase {
        &self.base
    }

    fn base_mut(&mut self) -> &mut PlotItemBase {
        &mut self.base
    }
}

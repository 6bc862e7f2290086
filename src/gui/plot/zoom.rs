//! Which part of a picture is shown: zoom by wheel and by box, move, and all of it again. Never beyond the ends of the sides.

use std::ops::RangeInclusive;

use egui::{Id, PointerButton, Pos2, Rect, Stroke, StrokeKind, Ui, Vec2b};
use egui_plot::{PlotTransform, PlotUi};

use crate::chart::{LayerKind, Picture, Scale, ScaleKind, ValueSide};
use crate::gui::theme::{colors, size};

/// A smaller box is a click that slipped.
const MIN_BOX: f32 = 5.0;
/// The smallest part of a side that can be shown.
const MIN_SHARE: f64 = 1e-6;

/// How a picture may be zoomed.
#[derive(Debug, Clone, Copy)]
pub(super) struct Zoom {
    pub sides: Vec2b,
    x: Side,
    y: Side,
}

/// Positions between which one side is shown.
#[derive(Debug, Clone, Copy, PartialEq)]
struct Side {
    first: f64,
    last: f64,
    /// The shortest part that can be shown.
    shortest: f64,
}

/// What became of the zoom in this frame.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Zoomed {
    pub is_zoomed: bool,
    /// The box that is being drawn.
    pub selection: Option<Rect>,
}

/// Where a box began, while the button is down.
#[derive(Debug, Clone, Copy, Default)]
struct BoxStart(Pos2);

/// Asks for everything again, in the next frame.
#[derive(Debug, Clone, Copy, Default)]
struct Reset;

/// Shows everything of a plot again.
pub(super) fn show_all(ui: &Ui, plot: Id) {
    ui.data_mut(|data| data.insert_temp(plot, Reset));
    ui.request_repaint();
}

impl Zoom {
    /// Of bars only the side of their names is zoomed, so that zero stays in view.
    pub fn new(picture: &Picture, x: &Scale, y: &Scale) -> Self {
        let sides = match (picture.has_bars(), picture.value_side()) {
            (true, ValueSide::Y) => Vec2b::new(true, false),
            (true, ValueSide::X) => Vec2b::new(false, true),
            (false, _) => Vec2b::new(true, true),
        };
        Self {
            sides,
            x: Side::new(x),
            y: Side::new(y),
        }
    }

    /// Takes what the pointer did with the plot and sets the part that is shown in this frame.
    pub fn follow(&self, plot: &mut PlotUi<'_>, picture: &Picture, x: &Scale, y: &Scale) -> Zoomed {
        let response = plot.response().clone();
        let ctx = plot.ctx().clone();
        let asks_all = ctx
            .data_mut(|data| data.remove_temp::<Reset>(response.id))
            .is_some();
        if asks_all || response.double_clicked() {
            plot.set_auto_bounds(true);
            return Zoomed::default();
        }
        let transform = *plot.transform();
        let auto = plot.auto_bounds();
        let (bounds, all) = (plot.plot_bounds(), (self.x.all(), self.y.all()));
        let before = (
            if auto.x { all.0 } else { bounds.range_x() },
            if auto.y { all.1 } else { bounds.range_y() },
        );
        let was_zoomed = self.is_part(&before);
        let mut shown = before.clone();
        if response.contains_pointer()
            && let Some(pointer) = ctx.input(|input| input.pointer.hover_pos())
        {
            let factor = ctx.input(egui::InputState::zoom_delta_2d);
            let at = transform.value_from_position(pointer);
            if self.sides.x {
                shown.0 = nearer(&shown.0, at.x, factor.x);
            }
            if self.sides.y {
                shown.1 = nearer(&shown.1, at.y, factor.y);
            }
        }
        // There is nothing to move while all is shown: a drag then draws a box.
        let id = response.id;
        let draws = |button| response.dragged_by(button) || response.drag_stopped_by(button);
        let is_box = draws(PointerButton::Secondary) || draws(PointerButton::Primary) && !was_zoomed;
        if response.drag_started() && is_box {
            let origin = ctx.input(|input| input.pointer.press_origin());
            if let Some(origin) = origin {
                ctx.data_mut(|data| data.insert_temp(id, BoxStart(origin)));
            }
        }
        let start = ctx.data(|data| data.get_temp::<BoxStart>(id));
        let selection = start
            .zip(response.interact_pointer_pos())
            .map(|(start, to)| self.selection(&transform, start.0, to));
        if start.is_none() && response.dragged_by(PointerButton::Primary) && was_zoomed {
            let frame = transform.frame();
            let from = transform.value_from_position(frame.center());
            let to = transform.value_from_position(frame.center() - response.drag_delta());
            if self.sides.x {
                shown.0 = moved(&shown.0, to.x - from.x);
            }
            if self.sides.y {
                shown.1 = moved(&shown.1, to.y - from.y);
            }
        }
        let is_done = start.is_some() && !response.dragged();
        if is_done {
            ctx.data_mut(|data| data.remove_temp::<BoxStart>(id));
        }
        if is_done
            && let Some(selection) = selection
            && self.is_meant(selection)
        {
            let ends = [selection.min, selection.max].map(|at| transform.value_from_position(at));
            let [a, b] = ends;
            if self.sides.x {
                shown.0 = a.x.min(b.x)..=a.x.max(b.x);
            }
            if self.sides.y {
                shown.1 = a.y.min(b.y)..=a.y.max(b.y);
            }
        }
        let mut kept = (self.x.kept(&shown.0), self.y.kept(&shown.1));
        let is_zoomed = self.is_part(&kept);
        if is_zoomed {
            // Low bars between tall ones that are out of view use the whole height.
            if !self.sides.y
                && let Some(top) = top_of_bars(picture, &kept.0, x, y)
            {
                kept.1 = self.y.first..=top.min(self.y.last).max(self.y.first + self.y.shortest);
            }
            plot.set_plot_bounds_x(kept.0);
            plot.set_plot_bounds_y(kept.1);
        } else {
            plot.set_auto_bounds(true);
        }
        Zoomed {
            is_zoomed,
            selection: selection.filter(|selection| !is_done && self.is_meant(*selection)),
        }
    }

    fn is_part(&self, shown: &(RangeInclusive<f64>, RangeInclusive<f64>)) -> bool {
        self.sides.x && self.x.is_part(&shown.0) || self.sides.y && self.y.is_part(&shown.1)
    }

    /// A box between two points, as tall or as wide as the plot along a side that is not zoomed.
    fn selection(&self, transform: &PlotTransform, from: Pos2, to: Pos2) -> Rect {
        let frame = *transform.frame();
        let mut drawn = Rect::from_two_pos(from, to).intersect(frame);
        if !self.sides.x {
            (drawn.min.x, drawn.max.x) = (frame.min.x, frame.max.x);
        }
        if !self.sides.y {
            (drawn.min.y, drawn.max.y) = (frame.min.y, frame.max.y);
        }
        drawn
    }

    fn is_meant(&self, selection: Rect) -> bool {
        (!self.sides.x || selection.width() >= MIN_BOX) && (!self.sides.y || selection.height() >= MIN_BOX)
    }
}

impl Side {
    fn new(scale: &Scale) -> Self {
        let (first, last) = scale.ends();
        let shortest = match scale.kind {
            // Two names at least: one alone fills the picture and says nothing.
            ScaleKind::Category(_) => 2.0_f64.min(last - first),
            _ => (last - first) * MIN_SHARE,
        };
        Self {
            first,
            last,
            shortest,
        }
    }

    fn all(&self) -> RangeInclusive<f64> {
        self.first..=self.last
    }

    fn is_part(&self, shown: &RangeInclusive<f64>) -> bool {
        shown.end() - shown.start() < (self.last - self.first) * (1.0 - 1e-9)
    }

    /// Moved and cut so that it lies between the ends.
    fn kept(&self, shown: &RangeInclusive<f64>) -> RangeInclusive<f64> {
        let length = shown.end() - shown.start();
        if !length.is_finite() {
            return self.all();
        }
        let length = length.max(self.shortest).min(self.last - self.first);
        let from = shown.start().max(self.first).min(self.last - length);
        from..=from + length
    }
}

/// Where the tallest bar ends among those that stand in the part `shown`, with a little room above it; none without bars.
fn top_of_bars(picture: &Picture, shown: &RangeInclusive<f64>, x: &Scale, y: &Scale) -> Option<f64> {
    const ROOM: f64 = 1.05;
    let bars = picture.marks().filter(|(layer, _)| layer.kind == LayerKind::Bars);
    let (bottom, _) = y.ends();
    bars.map(|(_, mark)| mark)
        .filter(|mark| x.position(mark.x.1) >= *shown.start() && x.position(mark.x.0) <= *shown.end())
        .map(|mark| y.position(mark.y.0.max(mark.y.1)))
        .filter(|top| *top > bottom)
        .max_by(f64::total_cmp)
        .map(|top| bottom + (top - bottom) * ROOM)
}

/// `shown` magnified around `at`.
fn nearer(shown: &RangeInclusive<f64>, at: f64, factor: f32) -> RangeInclusive<f64> {
    let factor = f64::from(factor);
    if factor <= 0.0 || (factor - 1.0).abs() < 1e-9 {
        return shown.clone();
    }
    at - (at - shown.start()) / factor..=at + (shown.end() - at) / factor
}

fn moved(shown: &RangeInclusive<f64>, by: f64) -> RangeInclusive<f64> {
    shown.start() + by..=shown.end() + by
}

/// The box that is being drawn.
pub(super) fn selection_ui(ui: &Ui, selection: Rect) {
    let c = colors(ui);
    ui.painter().rect(
        selection,
        2.0,
        c.accent.gamma_multiply(0.15),
        Stroke::new(size::LINE, c.accent),
        StrokeKind::Inside,
    );
}

#[cfg(test)]
mod tests {
    use super::{Side, nearer};
    use crate::chart::{Quantity, Scale};

    #[test]
    fn what_is_shown_lies_between_the_ends_and_is_never_a_point() {
        let side = Side::new(&Scale::from_zero("", Quantity::Share, 1.0));
        assert_eq!(side.kept(&(-0.5..=0.25)), 0.0..=0.75);
        assert_eq!(side.kept(&(0.75..=1.5)), 0.25..=1.0);
        assert_eq!(side.kept(&(-3.0..=9.0)), 0.0..=1.0);
        assert_eq!(side.kept(&(f64::NAN..=1.0)), 0.0..=1.0);
        let least = side.kept(&(0.5..=0.5));
        assert!(least.end() - least.start() > 1e-7);
        let names = Side::new(&Scale::categories("", vec![String::new(); 14]));
        assert_eq!(names.kept(&(13.4..=13.5)), 11.5..=13.5);
    }

    #[test]
    fn the_value_under_the_pointer_stays_there() {
        assert_eq!(nearer(&(0.0..=10.0), 4.0, 2.0), 2.0..=7.0);
        assert_eq!(nearer(&(0.0..=10.0), 4.0, 1.0), 0.0..=10.0);
    }
}

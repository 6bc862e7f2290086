//! A picture on screen: zoom, pan, hover with exact values, click. By `egui_plot`, in the colours of the theme.
//!
//! A wheel with Ctrl or a pinch zooms, a drag pans, a box with the second button zooms to it, a double click shows
//! everything again; the wheel alone scrolls the page. Bars keep their zero: only the side of their names zooms.

mod axes;
mod hit;
mod item;
mod menu;
#[cfg(test)]
mod tests;

pub use menu::{PictureExport, export_picture, file_name, made_picture_menu, picture_menu};

use egui::{Role, Sense, Ui, UiBuilder, Vec2b, WidgetInfo, vec2};
use egui_plot::{Plot, PlotUi};

use super::theme::{palette, space, strong, weak, weak_small};
use crate::chart::{Picture, ValueSide};
use hit::Hit;
use item::Marks;

/// How a picture is shown.
#[derive(Debug, Clone, Copy)]
pub struct PlotOptions {
    pub height: f32,
    /// The value side by its logarithm, where that is possible.
    pub is_log: bool,
    /// The action of the mark that is open, which is pointed at.
    pub open: Option<usize>,
    /// What a click does, such as `Click to open its rows`; empty where marks only tell something.
    pub click: &'static str,
}

impl Default for PlotOptions {
    fn default() -> Self {
        Self {
            height: 190.0,
            is_log: false,
            open: None,
            click: "",
        }
    }
}

/// What a person did with a picture in this frame.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct PlotAnswer {
    /// The action of the mark under the pointer.
    pub hovered: Option<usize>,
    /// The action of the mark that was clicked.
    pub clicked: Option<usize>,
}

/// Shows a picture without its title and note, which a card says. `id` tells it from other pictures of the card.
pub fn plot_ui(ui: &mut Ui, id: &str, picture: &Picture, options: PlotOptions) -> PlotAnswer {
    let (x, y) = picture.scales(options.is_log);
    let mut answer = PlotAnswer::default();
    ui.vertical(|ui| {
        ui.spacing_mut().item_spacing.y = 0.0;
        if !y.title.is_empty() {
            ui.label(weak_small(ui, &y.title));
        }
        let (rect, _) = ui.allocate_exact_size(vec2(ui.available_width(), options.height), Sense::hover());
        let inner = axes::inside(ui, rect, &x, &y);
        let (x_ends, y_ends) = (x.ends(), y.ends());
        // Other ends are another chart, which starts unzoomed.
        let ends = [x_ends.0, x_ends.1, y_ends.0, y_ends.1].map(f64::to_bits);
        let zoom = zoomable(picture);
        let marks = Marks::new(picture, x.clone(), y.clone(), palette(ui), options.open);
        let mut child = ui.new_child(UiBuilder::new().max_rect(inner));
        let response = Plot::new(("picture", id, options.is_log, ends))
            .width(inner.width())
            .height(inner.height())
            .show_background(false)
            .show_grid(false)
            .show_axes(false)
            .show_x(false)
            .show_y(false)
            .invert_x(x.is_reversed)
            .invert_y(y.is_reversed)
            .auto_bounds(true)
            .set_margin_fraction(vec2(0.0, 0.0))
            .include_x(x_ends.0)
            .include_x(x_ends.1)
            .include_y(y_ends.0)
            .include_y(y_ends.1)
            .allow_zoom(zoom)
            .allow_drag(zoom)
            .allow_scroll(false)
            .allow_boxed_zoom(zoom.x && zoom.y)
            .show(&mut child, |plot| {
                stay_inside(plot, x_ends, y_ends);
                plot.add(marks);
            });
        axes::labels(ui, rect, &response.transform, &x, &y);
        let hit = Hit {
            picture,
            x: &x,
            y: &y,
            transform: response.transform,
        };
        answer = answered(ui, &response.response, &hit, options);
        if !x.title.is_empty() {
            ui.with_layout(egui::Layout::right_to_left(egui::Align::Min), |ui| {
                ui.label(weak_small(ui, &x.title));
            });
        }
        if !picture.legend.is_empty() {
            ui.add_space(space::XS);
            axes::legend(ui, picture);
        }
    });
    answer
}

/// Hover and click, and the chart in words for those who do not see it.
fn answered(ui: &mut Ui, plot: &egui::Response, hit: &Hit<'_>, options: PlotOptions) -> PlotAnswer {
    plot.widget_info(|| WidgetInfo::labeled(Role::Image, true, hit.picture.in_words()));
    let pointer = ui.input(|input| input.pointer.hover_pos());
    let hovered = pointer
        .filter(|at| plot.contains_pointer() && plot.rect.contains(*at))
        .and_then(|at| hit.at(at));
    let mut answer = PlotAnswer::default();
    if let Some((rect, mark)) = hovered {
        answer.hovered = mark.action;
        if plot.clicked() {
            answer.clicked = mark.action;
        }
        hit.point_out(ui, rect);
        let click = mark.action.map_or("", |_| options.click);
        if !click.is_empty() {
            ui.set_cursor_icon(egui::CursorIcon::PointingHand);
        }
        tooltip_ui(ui, plot, &mark.tooltip, click);
    }
    if !options.click.is_empty()
        && let Some(action) = hit.places(ui, plot)
    {
        answer.clicked = Some(action);
    }
    answer
}

fn tooltip_ui(ui: &Ui, plot: &egui::Response, text: &str, click: &str) {
    let tooltip = egui::Tooltip::always_open(
        ui.ctx().clone(),
        ui.layer_id(),
        plot.id.with("mark tooltip"),
        egui::PopupAnchor::Pointer,
    );
    tooltip.gap(12.0).show(|ui| {
        ui.spacing_mut().item_spacing.y = 2.0;
        let mut lines = text.lines();
        if let Some(name) = lines.next() {
            ui.label(strong(name));
        }
        for line in lines {
            ui.label(line);
        }
        if !click.is_empty() {
            ui.label(weak(ui, click));
        }
    });
}

/// Sides that may be zoomed and moved: of bars only the side of their names, so that zero stays in view.
fn zoomable(picture: &Picture) -> Vec2b {
    match (picture.has_bars(), picture.value_side()) {
        (true, ValueSide::Y) => Vec2b::new(true, false),
        (true, ValueSide::X) => Vec2b::new(false, true),
        (false, _) => Vec2b::new(true, true),
    }
}

/// Keeps what is shown within the ends of the sides: beyond them is nothing.
fn stay_inside(plot: &mut PlotUi<'_>, x_ends: (f64, f64), y_ends: (f64, f64)) {
    let (bounds, auto) = (plot.plot_bounds(), plot.auto_bounds());
    let kept = |(first, last): (f64, f64), range: std::ops::RangeInclusive<f64>| {
        let shown = (range.end() - range.start()).min(last - first);
        let from = range.start().clamp(first, last - shown);
        let room = shown * 1e-6;
        let is_off = (from - range.start()).abs() > room || (from + shown - range.end()).abs() > room;
        is_off.then_some(from..=from + shown)
    };
    if !auto.x
        && let Some(x) = kept(x_ends, bounds.range_x())
    {
        plot.set_plot_bounds_x(x);
    }
    if !auto.y
        && let Some(y) = kept(y_ends, bounds.range_y())
    {
        plot.set_plot_bounds_y(y);
    }
}

//! A picture on screen: zoom, pan, hover with exact values, click. By `egui_plot`, in the colours of the theme.
//!
//! A wheel with Ctrl or a pinch zooms; a drag draws a box to zoom to, and moves what is zoomed; a double click or the button
//! in the corner shows everything again; the wheel alone scrolls the page. Bars keep their zero: only the side of their
//! names zooms.

mod axes;
mod hit;
mod item;
mod menu;
#[cfg(test)]
mod tests;
mod zoom;

pub use menu::{PictureExport, charted_ui, export_picture, file_name, made_picture_menu, picture_menu};

use egui::{Align2, Response, Role, Sense, Ui, UiBuilder, WidgetInfo, vec2};
use egui_plot::Plot;

use super::theme::{colors, palette, size, space, strong, weak, weak_small};
use crate::chart::Picture;
use hit::Hit;
use item::Marks;
use zoom::{Zoom, Zoomed};

/// Room for the buttons beside lying bars.
const ROW_BUTTON: f32 = 56.0;

/// What brings all of a zoomed picture back.
const SHOW_ALL: &str = "Show all";
const HINT: &str = "Drag or Ctrl+wheel zooms";
const HINT_ZOOMED: &str = "Drag moves, a double click shows all";
/// Where a click opens something.
const HINT_ZOOMED_CLICK: &str = "Drag moves, “Show all” goes back";

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
    /// A button beside each lying bar that does what a click on the bar does, such as `Filter`; empty for none. With it the bar
    /// itself is what is clicked, not its whole row: what a click changes is not to be met by accident.
    pub row_button: &'static str,
    /// What a mark is called before its name for assistive technology, such as `Bar`.
    pub word: &'static str,
}

impl Default for PlotOptions {
    fn default() -> Self {
        Self {
            height: 190.0,
            is_log: false,
            open: None,
            click: "",
            row_button: "",
            word: "",
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

/// A picture that was shown in this frame.
struct Shown {
    answer: PlotAnswer,
    response: Response,
    is_zoomed: bool,
    /// Whether the second button asks for its menu.
    asks_menu: bool,
}

/// Shows a picture; its menu is the caller's.
fn shown_ui(ui: &mut Ui, id: &str, picture: &Picture, options: PlotOptions) -> Shown {
    let (x, y) = picture.scales(options.is_log);
    let (x, y) = (x.as_ref(), y.as_ref());
    ui.vertical(|ui| {
        ui.spacing_mut().item_spacing.y = 0.0;
        if !y.title.is_empty() {
            ui.label(weak_small(ui, &y.title));
        }
        let (rect, _) = ui.allocate_exact_size(vec2(ui.available_width(), options.height), Sense::hover());
        let beside = if options.row_button.is_empty() {
            0.0
        } else {
            ROW_BUTTON
        };
        let (rect, buttons) = rect.split_left_right_at_x(rect.right() - beside);
        let inner = axes::inside(ui, rect, x, y);
        let (x_ends, y_ends) = (x.ends(), y.ends());
        // Other ends are another chart, which starts unzoomed.
        let ends = [x_ends.0, x_ends.1, y_ends.0, y_ends.1].map(f64::to_bits);
        let zoom = Zoom::new(picture, x, y);
        let mut zoomed = Zoomed::default();
        let marks = Marks::new(picture, x, y, palette(ui), options.open);
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
            .allow_zoom(false)
            .allow_drag(false)
            .allow_scroll(false)
            .allow_boxed_zoom(false)
            .show(&mut child, |plot| {
                zoomed = zoom.follow(plot, picture, x, y);
                plot.add(marks);
            });
        axes::labels(ui, rect, &response.transform, x, y);
        let hit = Hit {
            picture,
            x,
            y,
            transform: response.transform,
        };
        let mut shown = answered(ui, response.response, &hit, zoomed, options);
        if !options.row_button.is_empty() {
            let clicked = row_buttons_ui(ui, &hit, buttons.x_range(), options);
            shown.answer.clicked = clicked.or(shown.answer.clicked);
        }
        if !x.title.is_empty() {
            ui.with_layout(egui::Layout::right_to_left(egui::Align::Min), |ui| {
                ui.label(weak_small(ui, &x.title));
            });
        }
        if !picture.legend.is_empty() {
            ui.add_space(space::XS);
            axes::legend(ui, picture);
        }
        shown
    })
    .inner
}

/// Shows a picture that has its menu elsewhere.
pub fn plot_ui(ui: &mut Ui, id: &str, picture: &Picture, options: PlotOptions) -> PlotAnswer {
    shown_ui(ui, id, picture, options).answer
}

/// Hover and click, and the chart in words for those who do not see it.
fn answered(ui: &mut Ui, plot: Response, hit: &Hit<'_>, zoomed: Zoomed, options: PlotOptions) -> Shown {
    plot.widget_info(|| WidgetInfo::labeled(Role::Image, true, hit.picture.in_words()));
    let pointer = ui.input(|input| input.pointer.hover_pos());
    hit.mark_open(ui, options.open);
    let hovered = pointer
        // A menu over the plot is what the pointer is for.
        .filter(|_| zoomed.selection.is_none() && !egui::Popup::is_any_open(ui.ctx()))
        .filter(|at| plot.contains_pointer() && plot.rect.contains(*at))
        .and_then(|at| hit.at(at));
    let mut answer = PlotAnswer::default();
    if let Some((rect, mark)) = hovered {
        answer.hovered = mark.action;
        let is_on = options.row_button.is_empty() || pointer.is_some_and(|at| hit.body(mark).contains(at));
        if plot.clicked() && is_on {
            answer.clicked = mark.action;
        }
        hit.point_out(ui, rect);
        let click = mark.action.map_or("", |_| options.click);
        if !click.is_empty() && is_on {
            ui.set_cursor_icon(egui::CursorIcon::PointingHand);
        }
        tooltip_ui(ui, &plot, &mark.tooltip, click, zoomed.is_zoomed);
    }
    let mut asks_menu = plot.secondary_clicked();
    if !options.click.is_empty() {
        let clicked = hit.places(ui, &plot, options.word, !options.row_button.is_empty());
        answer.clicked = clicked.action.or(answer.clicked);
        asks_menu |= clicked.by_second_button;
    }
    if let Some(selection) = zoomed.selection {
        zoom::selection_ui(ui, selection);
    }
    if zoomed.is_zoomed {
        show_all_ui(ui, &plot);
    }
    Shown {
        answer,
        response: plot,
        is_zoomed: zoomed.is_zoomed,
        asks_menu,
    }
}

/// In the corner of a picture that is zoomed: the way back.
fn show_all_ui(ui: &mut Ui, plot: &Response) {
    let corner = Align2::RIGHT_TOP.align_size_within_rect(vec2(72.0, size::ROW), plot.rect);
    let button = egui::Button::new(weak_small(ui, SHOW_ALL)).fill(colors(ui).card);
    // What stands in the corner takes no room below the plot.
    let mut over = ui.new_child(UiBuilder::new().max_rect(corner));
    if over.put(corner, button).clicked() {
        zoom::show_all(ui, plot.id);
    }
}

/// A button at the end of each lying bar that does something. Returns the action of the one that was clicked.
fn row_buttons_ui(ui: &mut Ui, hit: &Hit<'_>, x_range: egui::Rangef, options: PlotOptions) -> Option<usize> {
    let mut clicked = None;
    for (row, mark, action) in hit.rows() {
        let height = row.height().min(size::ROW - space::XS);
        let place = egui::Rect::from_x_y_ranges(x_range, row.y_range())
            .shrink2(vec2(space::XS / 2.0, (row.height() - height) / 2.0));
        let name = mark.tooltip.lines().next().unwrap_or_default();
        let label = format!("{} by {name}", options.row_button);
        let mut beside = ui.new_child(UiBuilder::new().max_rect(place));
        beside.spacing_mut().interact_size.y = 0.0;
        beside.spacing_mut().button_padding.y = 0.0;
        let text = weak_small(ui, options.row_button);
        let button = beside.put(place, egui::Button::new(text));
        button.widget_info(|| WidgetInfo::labeled(Role::Button, true, &label));
        let click = options.click.replacen("Click on the bar a", "A", 1);
        if button.on_hover_text(format!("{name}\n{click}")).clicked() {
            clicked = Some(action);
        }
    }
    clicked
}

fn tooltip_ui(ui: &Ui, plot: &Response, text: &str, click: &str, is_zoomed: bool) {
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
        let hint = match (is_zoomed, click.is_empty()) {
            (false, _) => HINT,
            (true, true) => HINT_ZOOMED,
            (true, false) => HINT_ZOOMED_CLICK,
        };
        ui.label(weak_small(ui, hint));
    });
}

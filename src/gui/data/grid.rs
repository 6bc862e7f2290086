//! The grid of rows: lays out and formats only the cells in view, and moves a cell cursor by keys and pointer.
//!
//! The head and the row numbers stay while the rest scrolls. Leaves to [`super::head`] what a head looks like and to
//! [`super::menu`] what can be done with a column or a cell.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use egui::scroll_area::ScrollSource;
use egui::text::{LayoutJob, TextWrapping};
use egui::{
    Align, Color32, FontId, Layout, Painter, Popup, PopupCloseBehavior, PopupKind, Rect, Role, ScrollArea,
    Sense, SetOpenCommand, Stroke, StrokeKind, Ui, UiBuilder, WidgetInfo, pos2, vec2,
};
use polars::prelude::{Column, DataFrame, DataType};

use super::column_card::CardState;
use super::copy::{self, Selection};
use super::stats::StatsCache;
use super::value::{self, Cell, Look};
use super::{head, keys, menu};
use crate::base::{Accuracy, units};
use crate::dataset::dtype_name;
use crate::explore::{ColumnMark, Comparison};
use crate::gui::cells::{length, place};
use crate::gui::command::Command;
use crate::gui::theme::{self, Colors, colors, size, space};
use crate::transform::{Inputs, Recipe};

/// Widths between which a person can drag a column.
const MIN_WIDTH: f32 = 48.0;
const MAX_WIDTH: f32 = 900.0;
/// Rows that "fit to content" measures.
const FITTED_ROWS: usize = 200;

/// What the grid shows.
#[derive(Debug, Clone, Copy)]
pub struct GridView<'a> {
    pub df: &'a DataFrame,
    pub marks: &'a BTreeMap<String, ColumnMark>,
    /// Position in the recipe where steps made from the grid go.
    pub insert_at: usize,
    pub shown_step: Option<usize>,
    pub is_stale: bool,
    pub recipe: &'a Recipe,
    pub inputs: &'a Inputs,
    /// The rows before and after the last shown step.
    pub comparison: Option<&'a Comparison>,
    pub accuracy: Accuracy,
    /// Each row shown comes from a record of its own.
    pub has_records: bool,
    /// Heads have name and type only; nothing is computed for them.
    pub hides_figures: bool,
}

/// Where the cursor is, what is hidden, and how wide columns are.
#[derive(Debug, Default)]
pub struct GridState {
    /// Row, and position among the visible columns.
    pub cursor: Option<(usize, usize)>,
    /// The corner opposite to the cursor of a selected rectangle.
    pub anchor: Option<(usize, usize)>,
    pub hidden: BTreeSet<String>,
    pub stats: StatsCache,
    widths: HashMap<String, f32>,
    /// Size of the rows' part and its scroll offset in the last frame.
    view: egui::Vec2,
    offset: egui::Vec2,
    /// Brings the cursor into view.
    pub is_scrolling_to_cursor: bool,
    /// The step and the column that were brought into view because the step made or changed it.
    followed: Option<(usize, String)>,
    /// Steps of the recipe when the grid was last drawn with the rows after all of them.
    n_steps: Option<usize>,
    /// A row whose detail was asked for.
    pub opened_row: Option<usize>,
    /// The card of a column.
    pub card: CardState,
    /// The keyboard asked for the card of the cursor's column, or for the menu of its cell.
    pub is_asking_card: bool,
    pub is_asking_menu: bool,
}

/// Columns in view order and where they stand.
pub(super) struct Columns<'a> {
    pub all: Vec<(usize, &'a Column)>,
    /// Left edges, and the right edge of the last.
    pub edges: Vec<f32>,
    pub gutter: f32,
}

impl Columns<'_> {
    fn edge(&self, at: usize) -> f32 {
        self.edges.get(at).copied().unwrap_or_default()
    }

    fn width(&self) -> f32 {
        self.edges.last().copied().unwrap_or_default()
    }

    /// Positions of the columns that touch `from..to`.
    fn between(&self, from: f32, to: f32) -> std::ops::Range<usize> {
        let first = self.edges.partition_point(|edge| *edge <= from).saturating_sub(1);
        let last = self.edges.partition_point(|edge| *edge < to).min(self.all.len());
        first..last
    }
}

impl GridState {
    /// The selected rectangle in positions of the frame.
    pub fn selection(&self, df: &DataFrame) -> Option<Selection> {
        let cursor = self.cursor?;
        let anchor = self.anchor.unwrap_or(cursor);
        let visible = self.visible_positions(df);
        let (first, last) = (anchor.1.min(cursor.1), anchor.1.max(cursor.1));
        Some(Selection {
            first_row: anchor.0.min(cursor.0),
            last_row: anchor.0.max(cursor.0),
            columns: visible.get(first..=last).unwrap_or_default().to_vec(),
        })
    }

    fn visible_positions(&self, df: &DataFrame) -> Vec<usize> {
        let columns = df.columns().iter().enumerate();
        columns
            .filter(|(_, column)| !self.hidden.contains(column.name().as_str()))
            .map(|(at, _)| at)
            .collect()
    }

    fn is_selected(&self, (row, at): (usize, usize)) -> bool {
        let Some(cursor) = self.cursor else { return false };
        let anchor = self.anchor.unwrap_or(cursor);
        let between = |value: usize, a: usize, b: usize| (a.min(b)..=a.max(b)).contains(&value);
        between(row, anchor.0, cursor.0) && between(at, anchor.1, cursor.1)
    }

    /// What Ctrl+C copies: the cell, or the rectangle with its names.
    pub fn copied_text(&self, df: &DataFrame) -> Option<String> {
        let selection = self.selection(df)?;
        if let (true, [column]) = (
            selection.first_row == selection.last_row,
            selection.columns.as_slice(),
        ) {
            return Some(copy::cell_text(df, selection.first_row, *column));
        }
        Some(copy::tsv(df, &selection))
    }

    /// Keeps the cursor inside the frame.
    fn clamp(&mut self, n_rows: usize, n_columns: usize) {
        let clamp = |cell: (usize, usize)| {
            (n_rows > 0 && n_columns > 0).then(|| (cell.0.min(n_rows - 1), cell.1.min(n_columns - 1)))
        };
        self.cursor = self.cursor.and_then(clamp);
        self.anchor = self.anchor.and_then(clamp);
    }

    pub(super) fn rows_per_page(&self) -> usize {
        place(self.view.y / size::ROW).max(2) - 1
    }

    pub(super) fn set_width(&mut self, name: &str, width: f32) {
        self.widths
            .insert(name.to_owned(), width.clamp(MIN_WIDTH, MAX_WIDTH));
    }

    /// Makes a column as wide as its widest value among the first rows.
    pub(super) fn fit(&mut self, painter: &Painter, column: &Column) {
        let is_id = value::is_id_column(column.name(), column.dtype());
        let measure =
            |text: String, font: FontId| painter.layout_no_wrap(text, font, Color32::PLACEHOLDER).size().x;
        let mut width = measure(column.name().to_string(), theme::semibold(size::BODY_TEXT)) + space::XL;
        for row in 0..column.len().min(FITTED_ROWS) {
            if let Ok(value) = column.get(row) {
                let cell = value::cell(&value, is_id);
                let font = font_of(cell.look);
                width = width.max(measure(cell.text, font));
            }
        }
        self.set_width(column.name(), width + 2.0 * space::SM + space::XS);
    }
}

/// The grid in the space that is there.
pub fn grid_ui(ui: &mut Ui, view: GridView<'_>, state: &mut GridState, commands: &mut Vec<Command>) {
    let c = colors(ui);
    let columns = lay_out_columns(ui, view.df, state);
    state.clamp(view.df.height(), columns.all.len());
    state.stats.begin_frame();
    state.stats.retain(view.df.columns());

    let id = ui.make_persistent_id("rows");
    keys::handle(ui, id, view.df, columns.all.len(), state, commands);
    if std::mem::take(&mut state.is_asking_card)
        && let Some((_, column)) = state.cursor.and_then(|(_, at)| columns.all.get(at))
    {
        state.card.asked = Some(column.name().to_string());
    }

    let content = vec2(
        columns.gutter + columns.width() + space::LG,
        head::height(view.hides_figures) + row_y(view.df.height()) + space::MD,
    );
    let available = ui.available_rect_before_wrap();
    let card = Rect::from_min_size(
        available.min,
        vec2(available.width(), content.y.min(available.height())),
    );
    ui.advance_cursor_after_rect(card);
    ui.painter().rect_filled(card, size::CARD_RADIUS, c.panel);
    let mut child = ui.new_child(UiBuilder::new().id_salt("grid").max_rect(card.shrink(size::LINE)));
    child.shrink_clip_rect(card.shrink(size::LINE));
    if view.is_stale {
        child.multiply_opacity(0.5);
    }
    let mut area = ScrollArea::both()
        .id_salt("grid scroll")
        .auto_shrink(false)
        .scroll_source(ScrollSource::SCROLL_BAR | ScrollSource::MOUSE_WHEEL);
    if let Some(at) = column_to_follow(&view, &columns, state) {
        let x = fit(
            state.offset.x,
            state.view.x,
            columns.edge(at),
            columns.edge(at + 1),
        );
        area = area.horizontal_scroll_offset(x);
    }
    if std::mem::take(&mut state.is_scrolling_to_cursor) {
        area = area.scroll_offset(offset_of_cursor(state, &columns));
    }
    let output = area.show_viewport(&mut child, |ui, viewport| {
        let top_left = ui.min_rect().min + viewport.min.to_vec2();
        ui.set_min_size(content);
        let frame = Frame {
            id,
            view,
            columns: &columns,
            rect: Rect::from_min_size(top_left, viewport.size()),
            offset: viewport.min.to_vec2(),
            head_height: head::height(view.hides_figures),
        };
        frame.show(ui, state, commands);
        viewport
    });
    state.offset = output.inner.min.to_vec2();
    state.view = output.inner.size() - vec2(columns.gutter, head::height(view.hides_figures));
    ui.painter().rect_stroke(
        card,
        size::CARD_RADIUS,
        Stroke::new(size::LINE, c.line),
        StrokeKind::Inside,
    );
}

/// One frame of the grid.
struct Frame<'a> {
    id: egui::Id,
    view: GridView<'a>,
    columns: &'a Columns<'a>,
    /// Everything in view, head and row numbers included.
    rect: Rect,
    offset: egui::Vec2,
    head_height: f32,
}

impl Frame<'_> {
    fn body(&self) -> Rect {
        Rect::from_min_max(
            self.rect.min + vec2(self.columns.gutter, self.head_height),
            self.rect.max,
        )
    }

    /// Left of the heads, above the row numbers.
    fn corner(&self) -> Rect {
        Rect::from_min_size(self.rect.min, vec2(self.columns.gutter, self.head_height))
    }

    fn x(&self, edge: f32) -> f32 {
        self.body().left() + edge - self.offset.x
    }

    fn y(&self, row: usize) -> f32 {
        self.body().top() + row_y(row) - self.offset.y
    }

    fn rows(&self) -> std::ops::Range<usize> {
        let first = place(self.offset.y / size::ROW);
        let last = place((self.offset.y + self.body().height()) / size::ROW) + 1;
        first..last.min(self.view.df.height())
    }

    fn cell_rect(&self, row: usize, at: usize) -> Rect {
        let left = self.x(self.columns.edge(at));
        let right = self.x(self.columns.edge(at + 1));
        Rect::from_min_max(pos2(left, self.y(row)), pos2(right, self.y(row + 1)))
    }

    fn cell_at(&self, pos: egui::Pos2) -> Option<(usize, usize)> {
        let row = place((pos.y - self.body().top() + self.offset.y) / size::ROW);
        let x = pos.x - self.body().left() + self.offset.x;
        let at = self
            .columns
            .edges
            .partition_point(|edge| *edge <= x)
            .checked_sub(1)?;
        (row < self.view.df.height() && at < self.columns.all.len()).then_some((row, at))
    }

    fn show(&self, ui: &mut Ui, state: &mut GridState, commands: &mut Vec<Command>) {
        let c = colors(ui);
        let body = self.body();
        let response = ui.interact(body, self.id, Sense::click_and_drag());
        response.widget_info(|| WidgetInfo::labeled(Role::Table, true, "rows"));
        self.point(ui, &response, state);
        self.paint_rows(ui, c, state, response.has_focus());
        self.paint_numbers(ui, c, state);
        if !self.view.hides_figures {
            head::rows_label(ui, self.corner(), self.view.df.height());
        }
        let in_view = self.columns.between(self.offset.x, self.offset.x + body.width());
        for at in in_view {
            let Some((_, column)) = self.columns.all.get(at) else {
                continue;
            };
            let rect = Rect::from_min_max(
                pos2(self.x(self.columns.edge(at)), self.rect.top()),
                pos2(self.x(self.columns.edge(at + 1)), body.top()),
            );
            let clip = Rect::from_min_max(
                pos2(body.left(), self.rect.top()),
                pos2(self.rect.right(), body.top()),
            );
            let head = head::Head {
                column,
                mark: self.view.marks.get(column.name().as_str()).copied(),
                rect,
                clip,
            };
            head.show(ui, &self.view, state, commands);
        }
        let line = Stroke::new(size::LINE, c.line);
        ui.painter().hline(self.rect.x_range(), body.top(), line);
        let cursor = state.cursor;
        response.context_menu(|ui| {
            menu::cell_menu(ui, &self.view, cursor, self.columns, state, commands, false);
        });
        self.menu_by_key(ui, state, commands);
    }

    /// The cell's menu, at the cell, when a key asked for it.
    fn menu_by_key(&self, ui: &Ui, state: &mut GridState, commands: &mut Vec<Command>) {
        let is_asked = std::mem::take(&mut state.is_asking_menu);
        let Some((row, at)) = state.cursor else { return };
        let anchor = self.cell_rect(row, at).intersect(self.rect);
        let id = self.id.with("menu by key");
        Popup::new(id, ui.ctx().clone(), anchor, ui.layer_id())
            .kind(PopupKind::Menu)
            .layout(Layout::top_down_justified(Align::Min))
            .style(egui::containers::menu::menu_style)
            .open_memory(is_asked.then_some(SetOpenCommand::Bool(true)))
            .close_behavior(PopupCloseBehavior::CloseOnClick)
            .show(|ui| {
                let cursor = Some((row, at));
                menu::cell_menu(ui, &self.view, cursor, self.columns, state, commands, is_asked);
            });
    }

    /// Moves the cursor by the pointer.
    fn point(&self, ui: &Ui, response: &egui::Response, state: &mut GridState) {
        let Some(cell) = response.interact_pointer_pos().and_then(|pos| self.cell_at(pos)) else {
            return;
        };
        let is_extending =
            ui.input(|input| input.modifiers.shift) || (response.dragged() && !response.drag_started());
        if response.clicked() || response.drag_started() || response.secondary_clicked() || response.dragged()
        {
            response.request_focus();
            let is_inside = response.secondary_clicked() && state.is_selected(cell);
            if !is_inside {
                state.cursor = Some(cell);
                if !is_extending || state.anchor.is_none() {
                    state.anchor = Some(cell);
                }
            }
        }
        if response.double_clicked() {
            state.opened_row = Some(cell.0);
        }
    }

    fn paint_rows(&self, ui: &Ui, c: &Colors, state: &GridState, has_focus: bool) {
        let body = self.body();
        let painter = ui.painter().with_clip_rect(body.intersect(ui.clip_rect()));
        let in_view = self.columns.between(self.offset.x, self.offset.x + body.width());
        let has_range = state.anchor.is_some() && state.anchor != state.cursor;
        for row in self.rows() {
            let y = self.y(row);
            if state.cursor.is_some_and(|(cursor, _)| cursor == row) {
                let rect = Rect::from_min_max(pos2(body.left(), y), pos2(body.right(), y + size::ROW));
                painter.rect_filled(rect, 0.0, c.selection);
            }
            for at in in_view.clone() {
                let Some((_, column)) = self.columns.all.get(at) else {
                    continue;
                };
                let rect = self.cell_rect(row, at);
                if has_range && state.is_selected((row, at)) {
                    painter.rect_filled(rect, 0.0, c.selection);
                }
                let is_id = value::is_id_column(column.name(), column.dtype());
                let cell = column.get(row).map_or_else(
                    |_| Cell {
                        text: String::new(),
                        look: Look::Text,
                    },
                    |value| value::cell(&value, is_id),
                );
                let is_cut = paint_cell(&painter, rect, &cell, is_right_aligned(column.dtype()), c);
                let id = self.id.with((row, at));
                let visible = rect.intersect(body);
                let response = ui.interact(visible, id, Sense::hover());
                response.widget_info(|| WidgetInfo::labeled(Role::Label, true, &cell.text));
                if is_cut {
                    response.on_hover_ui(|ui| super::detail::whole_cell_ui(ui, self.view.df, row, column));
                }
            }
            let line = Stroke::new(size::LINE, theme::mix(c.panel, c.line, 0.75));
            painter.hline(self.rect.x_range(), y + size::ROW, line);
        }
        if let Some((row, at)) = state.cursor {
            let color = if has_focus { c.accent } else { c.edge };
            let stroke = Stroke::new(size::LINE * 1.5, color);
            painter.rect_stroke(self.cell_rect(row, at), 2.0, stroke, StrokeKind::Inside);
        }
    }

    fn paint_numbers(&self, ui: &Ui, c: &Colors, state: &GridState) {
        let body = self.body();
        let gutter = Rect::from_min_max(
            pos2(self.rect.left(), body.top()),
            pos2(body.left(), self.rect.bottom()),
        );
        let painter = ui.painter().with_clip_rect(gutter.intersect(ui.clip_rect()));
        for row in self.rows() {
            let y = self.y(row);
            let is_current = state.cursor.is_some_and(|(cursor, _)| cursor == row);
            if is_current {
                let rect = Rect::from_min_max(pos2(gutter.left(), y), pos2(gutter.right(), y + size::ROW));
                painter.rect_filled(rect, 0.0, c.selection);
            }
            let color = if is_current { c.text } else { c.weak };
            let text = units::count(row as u64 + 1);
            let galley = painter.layout_no_wrap(text, theme::mono_small(), color);
            let at = pos2(
                gutter.right() - space::SM - galley.size().x,
                y + (size::ROW - galley.size().y) / 2.0,
            );
            painter.galley(at, galley, color);
            let line = Stroke::new(size::LINE, theme::mix(c.panel, c.line, 0.75));
            painter.hline(gutter.x_range(), y + size::ROW, line);
        }
    }
}

/// Returns whether the text was cut short.
pub(super) fn paint_cell(painter: &Painter, rect: Rect, cell: &Cell, is_right: bool, c: &Colors) -> bool {
    let color = match cell.look {
        Look::Null | Look::Empty => c.weak,
        Look::Number | Look::Text | Look::Code => c.text,
    };
    let inner = rect.shrink2(vec2(space::SM, 0.0));
    let galley = one_line(painter, &cell.text, font_of(cell.look), color, inner.width());
    let x = if is_right {
        inner.right() - galley.size().x
    } else {
        inner.left()
    };
    let is_cut = galley.elided;
    painter.galley(pos2(x, rect.center().y - galley.size().y / 2.0), galley, color);
    is_cut
}

fn font_of(look: Look) -> FontId {
    match look {
        Look::Null => theme::italic(size::BODY_TEXT),
        Look::Text => theme::regular(size::BODY_TEXT),
        Look::Empty | Look::Number | Look::Code => theme::mono(),
    }
}

/// Text that ends in an ellipsis where there is no room.
pub(in crate::gui) fn one_line(
    painter: &Painter,
    text: &str,
    font: FontId,
    color: Color32,
    width: f32,
) -> std::sync::Arc<egui::Galley> {
    let mut job = LayoutJob::simple_singleline(text.to_owned(), font, color);
    job.wrap = TextWrapping::truncate_at_width(width.max(0.0));
    painter.layout_job(job)
}

pub(super) fn is_right_aligned(dtype: &DataType) -> bool {
    dtype.is_primitive_numeric()
}

fn lay_out_columns<'a>(ui: &Ui, df: &'a DataFrame, state: &mut GridState) -> Columns<'a> {
    let all: Vec<(usize, &Column)> = df
        .columns()
        .iter()
        .enumerate()
        .filter(|(_, column)| !state.hidden.contains(column.name().as_str()))
        .collect();
    let mut edges = Vec::with_capacity(all.len() + 1);
    let mut x = 0.0;
    edges.push(x);
    for (_, column) in &all {
        let name = column.name().as_str();
        let width = if let Some(width) = state.widths.get(name) {
            *width
        } else {
            let width = first_width(column);
            state.widths.insert(name.to_owned(), width);
            width
        };
        x += width;
        edges.push(x);
    }
    let digits = units::count(df.height() as u64);
    let galley = ui
        .painter()
        .layout_no_wrap(digits, theme::mono_small(), Color32::PLACEHOLDER);
    Columns {
        all,
        edges,
        gutter: galley.size().x.max(space::LG) + 2.0 * space::SM,
    }
}

/// A width from name, type and a few values, without measuring text.
fn first_width(column: &Column) -> f32 {
    const PER_CHAR: f32 = 7.6;
    const PER_SMALL_CHAR: f32 = 5.9;
    // The line of facts below the name, such as `string · 9.1k distinct · 0% null`.
    let facts =
        chars_wide(dtype_name(column.dtype()).chars().count() + 25) * PER_SMALL_CHAR + 2.0 * space::SM;
    let named = chars_wide(column.name().chars().count()) * PER_CHAR + 2.0 * space::SM + space::LG;
    let valued = match column.dtype() {
        DataType::Boolean => 72.0,
        DataType::List(_) | DataType::Struct(_) => 220.0,
        dtype if dtype.is_temporal() => 196.0,
        dtype if dtype.is_float() => 168.0,
        dtype if dtype.is_primitive_numeric() => 96.0,
        _ => {
            let longest = (0..column.len().min(8))
                .filter_map(|row| column.get(row).ok())
                .map(|value| value::cell(&value, false).text.chars().count())
                .max();
            chars_wide(longest.unwrap_or_default()) * PER_CHAR + 2.0 * space::SM
        }
    };
    named.max(valued).max(facts.min(200.0)).clamp(120.0, 260.0)
}

#[expect(clippy::cast_precision_loss, reason = "a few hundred characters at most")]
fn chars_wide(n: usize) -> f32 {
    n.min(200) as f32
}

/// Top of a row below the head.
fn row_y(row: usize) -> f32 {
    length(row) * size::ROW
}

/// A scroll offset, changed just enough to show `from..to`.
fn fit(offset: f32, view: f32, from: f32, to: f32) -> f32 {
    if from < offset {
        from
    } else if to > offset + view {
        (to - view).max(0.0).min(from)
    } else {
        offset
    }
}

/// The first column that a step made or changed, once for each step that is picked or added.
fn column_to_follow(view: &GridView<'_>, columns: &Columns<'_>, state: &mut GridState) -> Option<usize> {
    // The size of the view is known from the second frame on.
    if view.is_stale || state.view.x <= 0.0 {
        return None;
    }
    let step = view.shown_step.unwrap_or(view.insert_at);
    if view.shown_step.is_none() {
        // A recipe that was opened leaves the rows where they are; a step that is added shows what it did.
        let n_steps = view.recipe.steps.len();
        let before = state.n_steps.get_or_insert(n_steps);
        if n_steps <= *before {
            *before = n_steps;
            state.followed = None;
            return None;
        }
    }
    let at = columns
        .all
        .iter()
        .position(|(_, column)| view.marks.contains_key(column.name().as_str()))?;
    let followed = columns
        .all
        .get(at)
        .map(|(_, column)| (step, column.name().to_string()));
    if state.followed == followed {
        return None;
    }
    state.followed = followed;
    state.n_steps = Some(view.recipe.steps.len());
    Some(at)
}

/// The scroll offset, changed just enough to show the cursor.
fn offset_of_cursor(state: &GridState, columns: &Columns<'_>) -> egui::Vec2 {
    let Some((row, at)) = state.cursor else {
        return state.offset;
    };
    vec2(
        fit(
            state.offset.x,
            state.view.x,
            columns.edge(at),
            columns.edge(at + 1),
        ),
        fit(
            state.offset.y,
            state.view.y - space::MD,
            row_y(row),
            row_y(row + 1),
        ),
    )
}

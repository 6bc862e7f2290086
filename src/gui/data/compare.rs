//! Before and after the last shown step: changed cells side by side, and the rows that the step left out.
//!
//! Draws only what is in view. Which cells differ is found out a slice of rows a frame, so that no frame waits for it.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use egui::{Align2, Rect, Role, ScrollArea, Sense, Stroke, StrokeKind, Ui, WidgetInfo, pos2, vec2};
use polars::prelude::{Column, DataFrame};

use super::grid::{self, GridState, GridView, is_right_aligned, paint_cell};
use super::value::{self, Cell, Look};
use crate::base::units;
use crate::explore::{ColumnMark, Comparison, Why};
use crate::gui::cells::{length, place};
use crate::gui::command::Command;
use crate::gui::theme::{self, Colors, Tone, colors, size, space};
use crate::gui::widgets::{empty_state, segmented};

/// Rows whose cells are compared in one frame.
const ROWS_A_FRAME: usize = 2000;
const HEAD_HEIGHT: f32 = 44.0;
const CELL_WIDTH: f32 = 170.0;
const NUMBER_WIDTH: f32 = 64.0;

/// What is compared.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
enum Part {
    #[default]
    Cells,
    LeftOut(Why),
}

/// Whether the comparison is shown, and what was found out for it.
#[derive(Debug)]
pub struct CompareState {
    pub is_on: bool,
    part: Part,
    is_only_changed: bool,
    found: Option<Found>,
    /// Rows left out for a reason.
    left_out: Option<(Why, DataFrame)>,
    grid: GridState,
}

impl Default for CompareState {
    fn default() -> Self {
        Self {
            is_on: false,
            part: Part::Cells,
            is_only_changed: true,
            found: None,
            left_out: None,
            grid: GridState::default(),
        }
    }
}

/// Which cells of a comparison differ, as far as they were looked at.
#[derive(Debug)]
struct Found {
    comparison: Arc<Comparison>,
    n_scanned: usize,
    /// By column, one entry a row from the first on.
    changed: HashMap<String, Vec<bool>>,
    rows: Vec<usize>,
}

impl Found {
    fn new(comparison: &Arc<Comparison>) -> Self {
        Self {
            comparison: Arc::clone(comparison),
            n_scanned: 0,
            changed: HashMap::new(),
            rows: Vec::new(),
        }
    }

    /// Looks at the next rows. Returns whether there are more.
    fn scan(&mut self) -> bool {
        let n_rows = self.comparison.after.height();
        let (from, to) = (self.n_scanned, (self.n_scanned + ROWS_A_FRAME).min(n_rows));
        if from >= to {
            return false;
        }
        let mut any = vec![false; to - from];
        for change in self.comparison.cell_changes(from..to) {
            for (any, is_changed) in any.iter_mut().zip(&change.is_changed) {
                *any |= is_changed;
            }
            let cells = self.changed.entry(change.column).or_default();
            cells.resize(from, false);
            cells.extend(change.is_changed);
        }
        let rows = any.into_iter().enumerate().filter(|(_, any)| *any);
        self.rows.extend(rows.map(|(at, _)| from + at));
        self.n_scanned = to;
        to < n_rows
    }

    fn is_changed(&self, column: &str, row: usize) -> bool {
        let cells = self.changed.get(column);
        cells
            .and_then(|cells| cells.get(row))
            .copied()
            .unwrap_or_default()
    }
}

/// The comparison in the space that is there. `number` is the step's, 1-based.
pub(super) fn compare_ui(
    ui: &mut Ui,
    comparison: &Arc<Comparison>,
    number: usize,
    base: GridView<'_>,
    state: &mut CompareState,
    commands: &mut Vec<Command>,
) {
    let is_stale = base.is_stale;
    let is_known = |found: &Found| Arc::ptr_eq(&found.comparison, comparison);
    if !state.found.as_ref().is_some_and(is_known) {
        state.found = Some(Found::new(comparison));
        state.left_out = None;
    }
    if state.found.as_mut().is_some_and(Found::scan) {
        ui.ctx().request_repaint();
    }
    let reasons = reasons(comparison);
    let has_cells = !comparison.marks.is_empty();
    let is_there = match state.part {
        Part::Cells => has_cells,
        Part::LeftOut(why) => reasons.contains_key(&order(why)),
    };
    if !is_there {
        state.part = match reasons.values().next() {
            Some((why, _)) if !has_cells => Part::LeftOut(*why),
            _ => Part::Cells,
        };
    }
    bar_ui(ui, comparison, has_cells, &reasons, state);
    ui.scope(|ui| {
        if is_stale {
            ui.multiply_opacity(0.5);
        }
        match state.part {
            Part::LeftOut(why) => left_out_ui(ui, comparison, why, number, base, state, commands),
            Part::Cells if !has_cells => {
                let title = format!("Step {number} changed nothing in these rows");
                empty_state(ui, &title, "No cell differs and no row was left out.", None);
            }
            Part::Cells => cells_ui(ui, comparison, state),
        }
    });
}

/// The reasons why rows were left out, in a fixed order, with their numbers.
fn reasons(comparison: &Comparison) -> BTreeMap<u8, (Why, usize)> {
    let mut reasons = BTreeMap::new();
    for left in &comparison.left_out {
        reasons.entry(order(left.why)).or_insert((left.why, 0)).1 += 1;
    }
    reasons
}

const fn order(why: Why) -> u8 {
    match why {
        Why::Filtered => 0,
        Why::Merged => 1,
        Why::Rejected => 2,
    }
}

fn bar_ui(
    ui: &mut Ui,
    comparison: &Comparison,
    has_cells: bool,
    reasons: &BTreeMap<u8, (Why, usize)>,
    state: &mut CompareState,
) {
    let mut choices: Vec<(Part, String)> = Vec::new();
    if has_cells {
        let n_columns = comparison.marks.len() as u64;
        choices.push((
            Part::Cells,
            format!("{} side by side", units::plural(n_columns, "column")),
        ));
    }
    for (why, n) in reasons.values() {
        let rows = units::plural(*n as u64, "row");
        let text = match why {
            Why::Filtered => format!("{rows} left out"),
            Why::Merged => format!("{rows} merged away"),
            Why::Rejected => format!("{rows} rejected"),
        };
        choices.push((Part::LeftOut(*why), text));
    }
    if choices.is_empty() {
        return;
    }
    ui.horizontal(|ui| {
        ui.set_min_height(size::CONTROL);
        let shown: Vec<(Part, &str)> = choices
            .iter()
            .map(|(part, text)| (*part, text.as_str()))
            .collect();
        if let Some(part) = segmented(ui, &shown, state.part) {
            state.part = part;
        }
        let Some(found) = &state.found else { return };
        let can_filter = comparison.marks.values().any(|mark| *mark == ColumnMark::Changed);
        if state.part == Part::Cells && can_filter {
            let n = units::count(found.rows.len() as u64);
            ui.checkbox(&mut state.is_only_changed, format!("only the {n} changed rows"));
        }
    });
    ui.add_space(space::XS);
}

/// The rows in a grid of their own, so that they can be looked at and copied as any others.
fn left_out_ui(
    ui: &mut Ui,
    comparison: &Comparison,
    why: Why,
    number: usize,
    base: GridView<'_>,
    state: &mut CompareState,
    commands: &mut Vec<Command>,
) {
    if state.left_out.as_ref().is_none_or(|(known, _)| *known != why) {
        state.left_out = Some((why, comparison.rows_left_out(why)));
    }
    let Some((_, df)) = &state.left_out else { return };
    let marks = BTreeMap::new();
    let view = GridView {
        df,
        marks: &marks,
        insert_at: number.saturating_sub(1),
        shown_step: None,
        is_stale: false,
        comparison: None,
        has_records: false,
        ..base
    };
    grid::grid_ui(ui, view, &mut state.grid, commands);
}

/// One side of a column in the comparison.
struct Side<'a> {
    column: &'a Column,
    is_after: bool,
    mark: Option<ColumnMark>,
    /// The first of the sides of this column: the name stands over it.
    is_first: bool,
}

impl Side<'_> {
    fn head(&self) -> &'static str {
        match (self.mark, self.is_after) {
            (None, _) => "unchanged",
            (Some(ColumnMark::Added), _) => "added",
            (Some(ColumnMark::Dropped), _) => "dropped",
            (Some(ColumnMark::Changed), false) => "before",
            (Some(ColumnMark::Changed), true) => "after",
        }
    }
}

/// A column that tells rows from each other, then what the step did something to, in the order after it.
fn sides(comparison: &Comparison) -> Vec<Side<'_>> {
    let is_unmarked = |column: &&Column| !comparison.marks.contains_key(column.name().as_str());
    let mut unmarked = comparison.after.columns().iter().filter(is_unmarked);
    let mut all: Vec<Side<'_>> = unmarked
        .next()
        .into_iter()
        .map(|column| Side {
            column,
            is_after: true,
            mark: None,
            is_first: true,
        })
        .collect();
    for column in comparison.after.columns() {
        let mark = comparison.marks.get(column.name().as_str()).copied();
        if mark.is_none() {
            continue;
        }
        let before = comparison.before.column(column.name()).ok();
        if let Some(before) = before.filter(|_| mark == Some(ColumnMark::Changed)) {
            all.push(Side {
                column: before,
                is_after: false,
                mark,
                is_first: true,
            });
        }
        all.push(Side {
            column,
            is_after: true,
            mark,
            is_first: mark != Some(ColumnMark::Changed),
        });
    }
    let dropped = comparison
        .before
        .columns()
        .iter()
        .filter(|column| comparison.marks.get(column.name().as_str()) == Some(&ColumnMark::Dropped));
    all.extend(dropped.map(|column| Side {
        column,
        is_after: false,
        mark: Some(ColumnMark::Dropped),
        is_first: true,
    }));
    all
}

fn cells_ui(ui: &mut Ui, comparison: &Comparison, state: &CompareState) {
    let c = colors(ui);
    let Some(found) = &state.found else { return };
    let can_filter = comparison.marks.values().any(|mark| *mark == ColumnMark::Changed);
    let is_filtered = state.is_only_changed && can_filter;
    let n_rows = if is_filtered {
        found.rows.len()
    } else {
        comparison.after.height()
    };
    if n_rows == 0 && found.n_scanned >= comparison.after.height() {
        empty_state(
            ui,
            "No cell differs in these rows",
            "The type or the name of a column changed, but no value.",
            None,
        );
        return;
    }
    let sides = sides(comparison);
    let card = ui.available_rect_before_wrap();
    ui.painter().rect_filled(card, size::CARD_RADIUS, c.panel);
    let content = vec2(
        NUMBER_WIDTH + length(sides.len()) * CELL_WIDTH,
        HEAD_HEIGHT + length(n_rows) * size::ROW + space::MD,
    );
    ScrollArea::both()
        .id_salt("before and after")
        .auto_shrink(false)
        .show_viewport(ui, |ui, viewport| {
            let origin = ui.min_rect().min;
            ui.set_min_size(content);
            let top = origin + viewport.min.to_vec2();
            let sheet = Sheet {
                comparison,
                found,
                sides: &sides,
                filtered: is_filtered,
                left: origin.x + NUMBER_WIDTH,
                rows_top: origin.y + HEAD_HEIGHT,
                view: Rect::from_min_size(top, viewport.size()),
            };
            sheet.rows_ui(ui, c, n_rows);
            sheet.head_ui(ui, c);
        });
    ui.painter().rect_stroke(
        card,
        size::CARD_RADIUS,
        Stroke::new(size::LINE, c.line),
        StrokeKind::Inside,
    );
}

/// One frame of the cells side by side.
struct Sheet<'a> {
    comparison: &'a Comparison,
    found: &'a Found,
    sides: &'a [Side<'a>],
    filtered: bool,
    /// Left edge of the first column and top of the first row, scrolled.
    left: f32,
    rows_top: f32,
    /// What is in view, head and row numbers included.
    view: Rect,
}

impl Sheet<'_> {
    fn columns(&self) -> std::ops::Range<usize> {
        let first = place((self.view.left() - self.left) / CELL_WIDTH);
        let last = place((self.view.right() - self.left) / CELL_WIDTH) + 1;
        first..last.min(self.sides.len())
    }

    fn x(&self, at: usize) -> f32 {
        self.left + length(at) * CELL_WIDTH
    }

    fn rows_ui(&self, ui: &Ui, c: &Colors, n_rows: usize) {
        let body = Rect::from_min_max(
            pos2(self.view.left(), self.view.top() + HEAD_HEIGHT),
            self.view.max,
        );
        let cells = Rect::from_min_max(pos2(body.left() + NUMBER_WIDTH, body.top()), body.max);
        let painter = ui.painter().with_clip_rect(body.intersect(ui.clip_rect()));
        let first = place((body.top() - self.rows_top) / size::ROW);
        let last = (place((body.bottom() - self.rows_top) / size::ROW) + 1).min(n_rows);
        for place in first..last {
            let row = if self.filtered {
                self.found.rows.get(place).copied().unwrap_or_default()
            } else {
                place
            };
            let y = self.rows_top + length(place) * size::ROW;
            for at in self.columns() {
                let Some(side) = self.sides.get(at) else { continue };
                let rect = Rect::from_min_size(pos2(self.x(at), y), vec2(CELL_WIDTH, size::ROW));
                self.cell_ui(ui, c, side, row, rect, cells);
            }
            painter.text(
                pos2(body.left() + NUMBER_WIDTH - space::SM, y + size::ROW / 2.0),
                Align2::RIGHT_CENTER,
                units::count(row as u64 + 1),
                theme::mono_small(),
                c.weak,
            );
            let line = Stroke::new(size::LINE, theme::mix(c.panel, c.line, 0.75));
            painter.hline(body.x_range(), y + size::ROW, line);
        }
    }

    fn cell_ui(&self, ui: &Ui, c: &Colors, side: &Side<'_>, row: usize, rect: Rect, clip: Rect) {
        let painter = ui.painter().with_clip_rect(clip.intersect(ui.clip_rect()));
        let name = side.column.name().as_str();
        let at = if side.is_after {
            Some(row)
        } else {
            self.comparison.row_before(row)
        };
        let Some(value) = at.and_then(|at| side.column.get(at).ok()) else {
            // The step made this row of no row before it.
            let cell = Cell {
                text: "no row".to_owned(),
                look: Look::Null,
            };
            paint_cell(&painter, rect, &cell, false, c);
            return;
        };
        let is_changed = match side.mark {
            Some(ColumnMark::Changed) => self.found.is_changed(name, row),
            Some(ColumnMark::Added) => true,
            _ => false,
        };
        if is_changed && side.is_after {
            painter.rect_filled(rect, 0.0, c.surface(Tone::Accent));
        } else if is_changed || side.mark == Some(ColumnMark::Dropped) {
            painter.rect_filled(rect, 0.0, c.surface(Tone::Weak));
        }
        let dtype = side.column.dtype();
        let cell = value::cell(&value, value::is_id_column(name, dtype));
        paint_cell(&painter, rect, &cell, is_right_aligned(dtype), c);
        let id = ui.scope_id().with(("compared", name, side.is_after, row));
        let response = ui.interact(rect.intersect(clip), id, Sense::hover());
        let label = format!("{} {}: {}", name, side.head(), cell.text);
        response.widget_info(|| WidgetInfo::labeled(Role::Label, true, &label));
    }

    fn head_ui(&self, ui: &Ui, c: &Colors) {
        let head = Rect::from_min_size(self.view.min, vec2(self.view.width(), HEAD_HEIGHT));
        ui.painter().rect_filled(head, 0.0, c.panel);
        let clip = Rect::from_min_max(pos2(head.left() + NUMBER_WIDTH, head.top()), head.max);
        let painter = ui.painter().with_clip_rect(clip.intersect(ui.clip_rect()));
        for at in self.columns() {
            let Some(side) = self.sides.get(at) else { continue };
            let x = self.x(at) + space::SM;
            if side.is_first {
                painter.text(
                    pos2(x, head.top() + space::XS),
                    Align2::LEFT_TOP,
                    side.column.name().as_str(),
                    theme::semibold(size::BODY_TEXT),
                    c.text,
                );
            }
            let dtype = crate::dataset::dtype_name(side.column.dtype());
            let color = if side.is_after && side.mark.is_some() {
                c.accent
            } else {
                c.weak
            };
            painter.text(
                pos2(x, head.bottom() - space::XS),
                Align2::LEFT_BOTTOM,
                format!("{} · {dtype}", side.head()),
                theme::small(),
                color,
            );
            if side.is_first && at > 0 {
                let line = Stroke::new(size::LINE, c.line);
                ui.painter()
                    .with_clip_rect(clip)
                    .vline(self.x(at), self.view.y_range(), line);
            }
        }
        let line = Stroke::new(size::LINE, c.line);
        ui.painter().hline(head.x_range(), head.bottom(), line);
    }
}

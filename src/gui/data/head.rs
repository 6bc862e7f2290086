//! The head of a column: name, type, distinct values, share of nulls and bars, with its menu and its edge to drag.

use egui::{
    CursorIcon, Popup, PopupCloseBehavior, Rect, Role, Sense, SetOpenCommand, Stroke, Ui, WidgetInfo, pos2,
    vec2,
};
use polars::prelude::Column;

use super::column_card;
use super::grid::{self, GridState, GridView};
use super::stats::{self, ColumnStats};
use crate::base::units;
use crate::dataset::dtype_name;
use crate::explore::ColumnMark;
use crate::gui::command::Command;
use crate::gui::theme::{self, Colors, colors, size, space};
use crate::gui::widgets::{Icon, paint_icon};

/// Of a head with figures, and of one with name and type alone.
const HEIGHT: f32 = 66.0;
const BARE_HEIGHT: f32 = 44.0;
const BARS_HEIGHT: f32 = 18.0;
const BAR_WIDTH: f32 = 7.0;

/// The height of all heads of a grid.
pub(super) const fn height(hides_figures: bool) -> f32 {
    if hides_figures { BARE_HEIGHT } else { HEIGHT }
}

/// One head and where it is drawn.
pub(super) struct Head<'a> {
    pub column: &'a Column,
    pub mark: Option<ColumnMark>,
    pub rect: Rect,
    /// The part of the window that heads may use.
    pub clip: Rect,
}

impl Head<'_> {
    pub fn show(&self, ui: &Ui, view: &GridView<'_>, state: &mut GridState, commands: &mut Vec<Command>) {
        let c = colors(ui);
        let name = self.column.name().as_str();
        let hides_figures = view.hides_figures;
        let figures = if hides_figures {
            None
        } else {
            state.stats.get(self.column)
        };
        if figures.is_none() && !hides_figures {
            // The next frame goes on where this one had no time left.
            ui.ctx().request_repaint();
        }
        let id = ui.scope_id().with(("column", name));
        let visible = self.rect.intersect(self.clip);
        if !visible.is_positive() {
            return;
        }
        let response = ui.interact(visible, id, Sense::click());
        response.widget_info(|| WidgetInfo::labeled(Role::Button, true, format!("column {name}")));
        if response.hovered() || response.has_focus() {
            let painter = ui.painter().with_clip_rect(self.clip);
            painter.rect_filled(visible, 0.0, theme::mix(c.panel, c.selection, 0.6));
        }
        self.paint(ui, c, figures.as_deref());
        let dtype = dtype_name(self.column.dtype());
        let response = response.on_hover_ui(|ui| {
            ui.label(theme::strong(name));
            ui.label(theme::code(&dtype));
            if let Some(figures) = &figures {
                ui.label(explanation(figures));
            }
            if let Some(mark) = self.mark {
                ui.label(theme::weak(ui, mark_text(mark)));
            }
        });
        self.card(&response, view, state, commands);
        self.edge(ui, state);
    }

    /// What opens below the head: by a click, by its own keys, or because it was asked for elsewhere.
    fn card(
        &self,
        response: &egui::Response,
        view: &GridView<'_>,
        state: &mut GridState,
        commands: &mut Vec<Command>,
    ) {
        let name = self.column.name().as_str();
        let is_asked = state.card.asked.as_deref() == Some(name);
        if is_asked {
            state.card.asked = None;
        }
        let is_open = Popup::is_id_open(&response.ctx, Popup::default_response_id(response));
        let is_toggled = response.clicked() || response.secondary_clicked();
        let set = if is_asked {
            Some(SetOpenCommand::Bool(true))
        } else {
            is_toggled.then_some(SetOpenCommand::Bool(!is_open))
        };
        if set == Some(SetOpenCommand::Bool(true)) && !is_open {
            state.card.open(true);
        }
        Popup::from_response(response)
            .open_memory(set)
            .close_behavior(PopupCloseBehavior::CloseOnClickOutside)
            .accessible_name(format!("Values and steps of {name}"))
            .width(column_card::WIDTH)
            .show(|ui| column_card::card_ui(ui, self.column, view, state, commands));
    }

    fn paint(&self, ui: &Ui, c: &Colors, stats: Option<&ColumnStats>) {
        let painter = ui.painter().with_clip_rect(self.clip.intersect(ui.clip_rect()));
        let inner = self.rect.shrink2(vec2(space::SM, 0.0));
        let is_right = grid::is_right_aligned(self.column.dtype());
        let mark_width = if self.mark.is_some() { size::ICON } else { 0.0 };
        let name = grid::one_line(
            &painter,
            self.column.name(),
            theme::semibold(size::BODY_TEXT),
            c.text,
            inner.width() - mark_width,
        );
        let name_width = name.size().x;
        let x = |width: f32| {
            if is_right {
                inner.right() - width
            } else {
                inner.left()
            }
        };
        let left = x(name_width + mark_width);
        painter.galley(pos2(left, self.rect.top() + 6.0), name, c.text);
        if let Some(mark) = self.mark {
            let at = pos2(left + name_width + 2.0, self.rect.top() + 7.0);
            let rect = Rect::from_min_size(at, egui::Vec2::splat(size::ICON - 3.0));
            match mark {
                ColumnMark::Added => {
                    paint_icon(&painter, rect, Icon::Plus, c.good);
                }
                ColumnMark::Changed => {
                    paint_icon(&painter, rect, Icon::Pencil, c.accent);
                }
                ColumnMark::Dropped => {
                    paint_icon(&painter, rect, Icon::Close, c.bad);
                }
            }
        }
        let facts = facts(&dtype_name(self.column.dtype()), stats);
        let facts = grid::one_line(&painter, &facts, theme::small(), c.weak, inner.width());
        let left = x(facts.size().x);
        painter.galley(pos2(left, self.rect.top() + 23.0), facts, c.weak);
        if let Some(stats) = stats {
            self.paint_bars(&painter, c, &stats.bars, inner, is_right);
        }
    }

    fn paint_bars(&self, painter: &egui::Painter, c: &Colors, bars: &[f32], inner: Rect, is_right: bool) {
        #[expect(clippy::cast_precision_loss, reason = "a dozen bars")]
        let width = bars.len() as f32 * (BAR_WIDTH + 1.0);
        let left = if is_right {
            inner.right() - width
        } else {
            inner.left()
        };
        let bottom = self.rect.bottom() - 6.0;
        for (at, height) in bars.iter().enumerate() {
            #[expect(clippy::cast_precision_loss, reason = "a dozen bars")]
            let x = left + at as f32 * (BAR_WIDTH + 1.0);
            let bar = Rect::from_min_max(
                pos2(x, bottom - height * BARS_HEIGHT),
                pos2(x + BAR_WIDTH, bottom),
            );
            painter.rect_filled(bar, 0.0, theme::mix(c.panel, c.data, 0.8));
        }
    }

    /// The right edge: drag to resize, double click to fit.
    fn edge(&self, ui: &Ui, state: &mut GridState) {
        let c = colors(ui);
        let name = self.column.name().as_str();
        let line = Rect::from_x_y_ranges(self.rect.right()..=self.rect.right(), self.rect.y_range());
        let grab = line.expand2(vec2(space::XS, 0.0)).intersect(self.clip);
        if !grab.is_positive() {
            return;
        }
        let response = ui
            .interact(grab, ui.scope_id().with(("edge", name)), Sense::click_and_drag())
            .on_hover_and_drag_cursor(CursorIcon::ResizeColumn);
        response.widget_info(|| WidgetInfo::labeled(Role::Splitter, true, format!("width of {name}")));
        if response.double_clicked() {
            state.fit(ui.painter(), self.column);
        } else if response.dragged()
            && let Some(pos) = response.interact_pointer_pos()
        {
            state.set_width(name, pos.x - self.rect.left());
        }
        if response.hovered() || response.dragged() {
            let painter = ui.painter().with_clip_rect(self.clip);
            painter.vline(
                self.rect.right(),
                self.rect.y_range(),
                Stroke::new(size::UNDERLINE, c.accent),
            );
        }
    }
}

/// Says in the corner what the figures of the heads are of: the rows that are shown, whatever the data hold.
pub(super) fn rows_label(ui: &Ui, corner: Rect, n_rows: usize) {
    let c = colors(ui);
    let id = ui.scope_id().with("rows of the figures");
    let response = ui.interact(corner.intersect(ui.clip_rect()), id, Sense::hover());
    let rows = units::plural(n_rows as u64, "row");
    let said = format!("Figures under the names are of the {rows} shown");
    response.widget_info(|| WidgetInfo::labeled(Role::Label, true, &said));
    let painter = ui.painter().with_clip_rect(corner.intersect(ui.clip_rect()));
    // Two short lines: the place is as narrow as the row numbers.
    let texts = [stats::compact(n_rows), "rows".to_owned()];
    for (text, top) in texts.into_iter().zip([23.0, 36.0]) {
        let at = pos2(corner.right() - space::XS, corner.top() + top);
        painter.text(at, egui::Align2::RIGHT_TOP, text, theme::small(), c.weak);
    }
    response.on_hover_text(format!("{said}; the Columns menu switches them off"));
}

/// `string · 9.1k distinct · 0% null`.
fn facts(dtype: &str, stats: Option<&ColumnStats>) -> String {
    let Some(stats) = stats else {
        return dtype.to_owned();
    };
    let null = units::percent(stats.null_share());
    match stats.n_distinct {
        Some(n) => format!("{dtype} · {} distinct · {null} null", stats::compact(n)),
        None => format!("{dtype} · {null} null"),
    }
}

fn explanation(stats: &ColumnStats) -> String {
    let mut text = format!(
        "{} of {} shown rows are null ({})",
        units::count(stats.n_null as u64),
        units::count(stats.n_rows as u64),
        units::percent(stats.null_share()),
    );
    if let Some(n) = stats.n_distinct {
        text.push('\n');
        text.push_str(&units::count(n as u64));
        text.push_str(" distinct values among them");
    }
    if !stats.bars_label.is_empty() {
        text.push_str("\nbars: ");
        text.push_str(&stats.bars_label);
    }
    text
}

fn mark_text(mark: ColumnMark) -> &'static str {
    match mark {
        ColumnMark::Added => "added by the last shown step",
        ColumnMark::Changed => "changed by the last shown step",
        ColumnMark::Dropped => "left out by the last shown step",
    }
}

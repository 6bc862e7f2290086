//! A table of the tab: heads, numbers at the right, and columns that a narrow window leaves out.
//!
//! Rows all have one height, and only those in view are drawn. A short table does not scroll by itself, so that a wheel over
//! it moves the page.

use egui::{Align, Align2, Layout, Role, ScrollArea, Sense, Ui, WidgetInfo, vec2};

use crate::gui::theme::{Tone, colors, regular, semibold, size, small, space};
use crate::gui::widgets::divider;

/// A column.
#[derive(Debug, Clone, Copy)]
pub struct Head {
    pub title: &'static str,
    /// At least; a text at the end takes what is left.
    pub width: f32,
    pub is_number: bool,
    /// Columns with the highest rank are left out first; those of rank 0 never.
    pub rank: u8,
    /// What the column means, on hover.
    pub explanation: &'static str,
}

impl Head {
    pub const fn number(title: &'static str, width: f32) -> Self {
        Self {
            title,
            width,
            is_number: true,
            rank: 0,
            explanation: "",
        }
    }

    pub const fn text(title: &'static str, width: f32) -> Self {
        Self {
            is_number: false,
            ..Self::number(title, width)
        }
    }

    pub const fn rank(self, rank: u8) -> Self {
        Self { rank, ..self }
    }

    pub const fn explained(self, explanation: &'static str) -> Self {
        Self { explanation, ..self }
    }
}

/// What stands in one place of a table.
#[derive(Debug, Clone, Default)]
pub struct Cell {
    pub text: String,
    pub tone: Tone,
    pub is_strong: bool,
}

impl From<String> for Cell {
    fn from(text: String) -> Self {
        Self {
            text,
            ..Self::default()
        }
    }
}

impl Cell {
    pub fn toned(text: impl Into<String>, tone: Tone) -> Self {
        Self {
            text: text.into(),
            tone,
            ..Self::default()
        }
    }

    pub fn strong(text: impl Into<String>) -> Self {
        Self {
            is_strong: true,
            ..Self::from(text.into())
        }
    }
}

/// One row, with a cell for every head, also for those that are left out.
#[derive(Debug, Clone, Default)]
pub struct Row {
    pub cells: Vec<Cell>,
    /// For assistive technology; the cells where it is empty.
    pub label: String,
    /// All of what the row has no room for.
    pub hover: String,
    /// Whether it is the one that is told in full.
    pub is_open: bool,
}

/// A table, before it is drawn.
pub struct Table<'a> {
    pub id: &'a str,
    pub heads: &'a [Head],
    pub n_rows: usize,
    /// Whether rows can be clicked.
    pub is_clickable: bool,
}

/// Rows in view at once.
const MAX_ROWS_SHOWN: usize = 9;

impl Table<'_> {
    /// Draws heads and rows. Returns the row that was clicked.
    pub fn show(&self, ui: &mut Ui, row: impl FnMut(usize) -> Row) -> Option<usize> {
        self.show_with_heads(ui, plain_head, row)
    }

    /// As [`Table::show`], with all rows below one another: for few rows that nobody scrolls.
    pub fn show_all(&self, ui: &mut Ui, row: impl FnMut(usize) -> Row) -> Option<usize> {
        self.show_rows(ui, plain_head, row, usize::MAX)
    }

    /// As [`Table::show`], with heads that the caller draws: the place of the head in the list, and its width.
    pub fn show_with_heads(
        &self,
        ui: &mut Ui,
        head: impl FnMut(&mut Ui, &Head, usize, f32),
        row: impl FnMut(usize) -> Row,
    ) -> Option<usize> {
        self.show_rows(ui, head, row, MAX_ROWS_SHOWN)
    }

    fn show_rows(
        &self,
        ui: &mut Ui,
        mut head: impl FnMut(&mut Ui, &Head, usize, f32),
        mut row: impl FnMut(usize) -> Row,
        max_shown: usize,
    ) -> Option<usize> {
        let columns = columns(self.heads, ui.available_width());
        ui.scope(|ui| {
            ui.spacing_mut().item_spacing = vec2(0.0, 0.0);
            ui.horizontal(|ui| {
                for (at, width) in &columns {
                    if let Some(column) = self.heads.get(*at) {
                        head(ui, column, *at, *width);
                    }
                }
            });
            divider(ui);
            if self.n_rows <= max_shown {
                return self.rows_ui(ui, 0..self.n_rows, &columns, &mut row);
            }
            ScrollArea::vertical()
                .id_salt(self.id)
                .max_height(size::ROW * max_shown as f32)
                // Else a low window leaves a slit of it.
                .min_scrolled_height(size::ROW * max_shown as f32)
                .auto_shrink([false, true])
                .show_rows(ui, size::ROW, self.n_rows, |ui, range| {
                    self.rows_ui(ui, range, &columns, &mut row)
                })
                .inner
        })
        .inner
    }

    fn rows_ui(
        &self,
        ui: &mut Ui,
        range: std::ops::Range<usize>,
        columns: &[(usize, f32)],
        row: &mut impl FnMut(usize) -> Row,
    ) -> Option<usize> {
        let mut clicked = None;
        for at in range {
            if row_ui(ui, self.heads, columns, &row(at), self.is_clickable) {
                clicked = Some(at);
            }
        }
        clicked
    }
}

/// Columns that fit, each with its width. A text at the end takes what is left.
fn columns(heads: &[Head], available: f32) -> Vec<(usize, f32)> {
    let most = heads.iter().map(|head| head.rank).max().unwrap_or(0);
    let of_rank = |rank: u8| -> Vec<(usize, f32)> {
        let kept = heads.iter().enumerate().filter(|(_, head)| head.rank <= rank);
        kept.map(|(at, head)| (at, head.width)).collect()
    };
    let needed = |columns: &[(usize, f32)]| columns.iter().map(|(_, width)| width).sum::<f32>();
    let mut columns = (0..=most)
        .rev()
        .map(of_rank)
        .find(|columns| needed(columns) <= available)
        .unwrap_or_else(|| of_rank(0));
    let left = available - needed(&columns);
    if let Some((at, width)) = columns.last_mut()
        && heads.get(*at).is_some_and(|head| !head.is_number)
    {
        *width = (*width + left).max(space::XXL);
    }
    columns
}

/// Where a text of a column stands in its place.
pub fn aligned(inner: egui::Rect, is_number: bool) -> (egui::Pos2, Align2) {
    if is_number {
        (inner.right_center(), Align2::RIGHT_CENTER)
    } else {
        (inner.left_center(), Align2::LEFT_CENTER)
    }
}

fn plain_head(ui: &mut Ui, head: &Head, _at: usize, width: f32) {
    let c = colors(ui);
    let (rect, response) = ui.allocate_exact_size(vec2(width, size::ROW), Sense::hover());
    response.widget_info(|| WidgetInfo::labeled(Role::Label, true, head.title));
    let (at, align) = aligned(rect.shrink2(vec2(space::SM, 0.0)), head.is_number);
    ui.painter().text(at, align, head.title, small(), c.weak);
    if !head.explanation.is_empty() {
        response.on_hover_text(head.explanation);
    }
}

fn row_ui(ui: &mut Ui, heads: &[Head], columns: &[(usize, f32)], row: &Row, is_clickable: bool) -> bool {
    let c = colors(ui);
    let sense = if is_clickable {
        Sense::click()
    } else {
        Sense::hover()
    };
    let (rect, response) = ui.allocate_exact_size(vec2(ui.available_width(), size::ROW), sense);
    response.widget_info(|| {
        let label = if row.label.is_empty() {
            let texts: Vec<&str> = row.cells.iter().map(|cell| cell.text.as_str()).collect();
            texts.join(" ")
        } else {
            row.label.clone()
        };
        WidgetInfo::selected(Role::Row, true, row.is_open, label)
    });
    if row.is_open || (is_clickable && (response.hovered() || response.has_focus())) {
        ui.painter().rect_filled(rect, size::BADGE_RADIUS, c.selection);
    }
    if row.is_open {
        let line = egui::Rect::from_min_size(rect.min, vec2(size::UNDERLINE, rect.height()));
        ui.painter().rect_filled(line, 0.0, c.accent);
    }
    let mut child = ui.new_child(
        egui::UiBuilder::new()
            .max_rect(rect)
            .layout(Layout::left_to_right(Align::Center)),
    );
    child.spacing_mut().item_spacing.x = 0.0;
    for (at, width) in columns {
        let (Some(cell), Some(head)) = (row.cells.get(*at), heads.get(*at)) else {
            continue;
        };
        let (place, _) = child.allocate_exact_size(vec2(*width, size::ROW), Sense::hover());
        let inner = place.shrink2(vec2(space::SM, 0.0));
        let font = if cell.is_strong {
            semibold(size::BODY_TEXT)
        } else {
            regular(size::BODY_TEXT)
        };
        let color = c.of(cell.tone);
        let mut job = egui::text::LayoutJob::simple_singleline(cell.text.clone(), font, color);
        job.wrap = egui::text::TextWrapping::truncate_at_width(inner.width().max(1.0));
        let galley = child.painter().layout_job(job);
        let x = if head.is_number {
            inner.right() - galley.size().x
        } else {
            inner.left()
        };
        let y = inner.center().y - galley.size().y / 2.0;
        child.painter().galley(egui::pos2(x, y), galley, color);
    }
    let is_clicked = response.clicked();
    if !row.hover.is_empty() {
        response.on_hover_text(&row.hover);
    }
    is_clicked
}

#[cfg(test)]
mod tests {
    use egui::{ScrollArea, vec2};
    use egui_kittest::Harness;
    use egui_kittest::kittest::Queryable as _;

    use super::{Head, MAX_ROWS_SHOWN, Row, Table, columns};
    use crate::gui::theme;

    #[test]
    fn a_long_table_in_a_low_window_keeps_its_height_and_at_its_end_the_wheel_moves_the_page() {
        // Whether fonts are in, and how far page and table are scrolled.
        let draw = |ui: &mut egui::Ui, (has_fonts, page): &mut (bool, f32)| {
            if !*has_fonts {
                theme::install_fonts(ui.ctx());
                *has_fonts = true;
                return;
            }
            let shown = ScrollArea::vertical().show(ui, |ui| {
                let table = Table {
                    id: "long",
                    heads: &[Head::text("name", 100.0)],
                    n_rows: 40,
                    is_clickable: false,
                };
                table.show(ui, |at| Row {
                    label: format!("row {at}."),
                    ..Row::default()
                });
                ui.allocate_space(vec2(10.0, 600.0));
            });
            *page = shown.state.clamped_offset().y;
        };
        let mut harness = Harness::builder()
            .with_size(vec2(400.0, 130.0))
            .build_ui_state(draw, (false, 0.0));
        harness.run_steps(4);
        let n_drawn = harness.query_all_by_label_contains("row ").count();
        assert!(n_drawn >= MAX_ROWS_SHOWN, "{n_drawn}");
        let has = |harness: &Harness<'_, (bool, f32)>, label: &str| harness.query_by_label(label).is_some();
        let wheel = |harness: &mut Harness<'_, (bool, f32)>, down: f32| {
            harness.event(egui::Event::PointerMoved(egui::pos2(60.0, 80.0)));
            harness.event(egui::Event::MouseWheel {
                unit: egui::MouseWheelUnit::Point,
                delta: vec2(0.0, -down),
                phase: egui::TouchPhase::Move,
                source: egui::MouseWheelSource::Wheel,
                modifiers: egui::Modifiers::NONE,
            });
            harness.run_steps(60);
        };
        wheel(&mut harness, 700.0);
        assert!(
            has(&harness, "row 36.") && harness.state().1 < 1.0,
            "the table first"
        );
        wheel(&mut harness, 1500.0);
        assert!(harness.state().1 > 100.0, "then the page: {}", harness.state().1);
    }

    #[test]
    fn a_narrow_table_leaves_out_the_columns_of_highest_rank_and_gives_the_rest_to_the_last_text() {
        let heads = [
            Head::number("a", 100.0),
            Head::number("b", 100.0).rank(1),
            Head::number("c", 100.0).rank(2),
            Head::text("d", 100.0),
        ];
        let at = |available: f32| {
            columns(&heads, available)
                .iter()
                .map(|(at, _)| *at)
                .collect::<Vec<_>>()
        };
        assert_eq!(at(400.0), [0, 1, 2, 3]);
        assert_eq!(at(399.0), [0, 1, 3]);
        assert_eq!(at(250.0), [0, 3]);
        let last = columns(&heads, 460.0).last().copied();
        assert_eq!(last, Some((3, 160.0)));
        // A number at the end stays beside its neighbours.
        assert_eq!(columns(&heads[..2], 500.0), [(0, 100.0), (1, 100.0)]);
    }
}

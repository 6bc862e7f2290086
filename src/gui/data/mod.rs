//! The Data tab: the grid of rows, the detail of one row, and the rejects.

mod column_card;
mod compare;
pub(super) mod condition;
mod copy;
mod detail;
mod distribution;
mod grid;
mod head;
mod keys;
mod menu;
mod missing;
mod offers;
mod rejects;
mod sample;
mod stats;
mod suggestions;
mod toolbar;
mod value;
mod values;

pub(super) use value::readable;

#[cfg(test)]
mod tests;

use egui::{Frame, Margin, Panel, Rect, Ui, pos2, vec2};
use polars::prelude::Schema;

pub(super) use self::grid::one_line;

use self::compare::CompareState;
use self::detail::DetailAction;
use self::grid::{GridState, GridView};
use self::missing::MissingState;
use self::rejects::RejectsState;
use self::suggestions::SuggestionsState;
use super::command::Command;
use super::theme::{self, colors, size, space};
use super::widgets::{Problem, empty_state, error_box};
use crate::explore::{Explored, Suggestion};
use crate::session::SampleChoice;
use crate::storage::Partition;
use crate::transform::{Inputs, Recipe, RowEffect, StepLacks};

/// What the tab shows. Borrowed from the window's state; nothing here is changed.
#[derive(Debug, Clone, Copy)]
pub struct DataView<'a> {
    /// None until the first rows are there.
    pub explored: Option<&'a Explored>,
    /// The rows belong to an earlier choice and are shown dimmed.
    pub is_stale: bool,
    pub is_pending: bool,
    pub error: Option<&'a str>,
    pub partition: Option<&'a Partition>,
    pub sample: SampleChoice,
    /// Number of recipe steps whose result is asked for; none for all.
    pub shown_step: Option<usize>,
    pub recipe: &'a Recipe,
    /// Steps that the shown rows ask for.
    pub suggestions: &'a [Suggestion],
    /// What steps lack of the columns before the first of them.
    pub lacks: &'a [StepLacks],
    /// Position of the step that is being edited: what is half typed lacks nothing yet.
    pub edited_step: Option<usize>,
    pub input: Option<&'a Schema>,
    /// Second datasets, for what can be offered.
    pub inputs: &'a Inputs,
    /// Heads of columns have name and type only.
    pub hides_figures: bool,
}

impl DataView<'_> {
    /// Position in the recipe where steps made from the data go: after those whose result is shown.
    fn insert_at(&self, explored: &Explored) -> usize {
        if self.is_stale {
            // The rows that will be shown are not known yet, but what was asked for is.
            let n_steps = self.recipe.steps.len();
            self.shown_step.unwrap_or(n_steps).min(n_steps)
        } else {
            explored.n_steps
        }
    }
}

/// What the part below the grid shows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
enum Bottom {
    #[default]
    Closed,
    Row(usize),
    Rejects,
}

/// Selection, scroll and column widths of the grid.
#[derive(Debug, Default)]
pub struct DataPanel {
    grid: GridState,
    bottom: Bottom,
    rejects: RejectsState,
    column_search: String,
    suggestions: SuggestionsState,
    missing: MissingState,
    compare: CompareState,
}

impl DataPanel {
    /// Another document or source was opened: what was said to the last one does not count for it.
    pub fn forget_answers(&mut self) {
        self.suggestions = SuggestionsState::default();
        self.missing = MissingState::default();
    }

    /// Shows the rows before and after the last shown step side by side.
    pub fn compare(&mut self) {
        self.compare.is_on = true;
    }
}

/// The tab in the space that is there.
pub fn data_ui(ui: &mut Ui, view: DataView<'_>, panel: &mut DataPanel, commands: &mut Vec<Command>) {
    let Some(explored) = view.explored else {
        nothing_yet(ui, &view, commands);
        return;
    };
    if let Some(input) = view.input {
        let is_edited = |step: &StepLacks| view.edited_step.is_some_and(|at| at + 1 == step.number);
        let lacks: Vec<StepLacks> = view
            .lacks
            .iter()
            .filter(|step| !is_edited(step))
            .cloned()
            .collect();
        missing::missing_ui(ui, &lacks, view.recipe, input, &mut panel.missing, commands);
    }
    toolbar::toolbar_ui(ui, &view, explored, panel, commands);
    if let Some(message) = view.error {
        read_error(ui, message, commands);
    }
    if let Some(message) = &explored.error {
        let problem = Problem {
            place: "The recipe failed on these rows",
            message,
            remedy: "Mend the step or switch it off; the rows below are those before it.",
            action: None,
        };
        error_box(ui, problem);
    }
    let grid = GridView {
        df: &explored.df,
        marks: &explored.marks,
        insert_at: view.insert_at(explored),
        shown_step: view.shown_step,
        is_stale: view.is_stale,
        recipe: view.recipe,
        inputs: view.inputs,
        comparison: explored.comparison.as_deref(),
        accuracy: explored.accuracy,
        has_records: !view.is_stale && has_records(view.recipe, explored),
        hides_figures: view.hides_figures,
    };
    if panel.compare.is_on
        && let Some(comparison) = &explored.comparison
    {
        let number = explored.n_steps;
        compare::compare_ui(ui, comparison, number, grid, &mut panel.compare, commands);
        return;
    }
    bottom_ui(ui, explored, panel, commands);
    if explored.df.height() == 0 {
        no_rows(ui, &view, explored, commands);
        return;
    }
    grid::grid_ui(ui, grid, &mut panel.grid, commands);
    if let Some(row) = panel.grid.opened_row.take() {
        panel.bottom = Bottom::Row(row);
    }
}

/// Whether each shown row comes from a record of its own: no step merged records, or made other rows of them.
fn has_records(recipe: &Recipe, explored: &Explored) -> bool {
    let is_kept = |effect| matches!(effect, RowEffect::Keeps | RowEffect::Filters | RowEffect::Makes);
    let mut steps = recipe
        .steps
        .iter()
        .take(explored.n_steps)
        .filter(|step| step.enabled);
    explored.origins.is_some() && steps.all(|step| is_kept(step.step.row_effect()))
}

/// The row detail or the rejects, below the grid.
fn bottom_ui(ui: &mut Ui, explored: &Explored, panel: &mut DataPanel, commands: &mut Vec<Command>) {
    let bottom = match panel.bottom {
        Bottom::Row(row) if row >= explored.df.height() => Bottom::Closed,
        Bottom::Rejects if explored.rejects.is_empty() => Bottom::Closed,
        bottom => bottom,
    };
    panel.bottom = bottom;
    if bottom == Bottom::Closed {
        return;
    }
    let c = colors(ui);
    let frame = Frame::new()
        .fill(c.panel)
        .stroke(egui::Stroke::new(size::LINE, c.line))
        .corner_radius(size::CARD_RADIUS)
        .outer_margin(Margin {
            top: 8,
            ..Margin::ZERO
        })
        .inner_margin(Margin::symmetric(12, 8));
    let height = ui.available_height();
    Panel::bottom("below the grid")
        .resizable(true)
        .show_separator_line(false)
        .default_size(height * 0.4)
        .size_range(120.0..=(height * 0.75).max(140.0))
        .frame(frame)
        .show(ui, |ui| match bottom {
            Bottom::Row(row) => {
                let is_free = !ui.ctx().text_edit_focused();
                match detail::detail_ui(ui, &explored.df, row, is_free, commands) {
                    Some(DetailAction::Close) => panel.bottom = Bottom::Closed,
                    Some(DetailAction::Show(row)) => {
                        panel.bottom = Bottom::Row(row);
                        let at = panel.grid.cursor.map_or(0, |(_, at)| at);
                        panel.grid.cursor = Some((row, at));
                        panel.grid.anchor = panel.grid.cursor;
                        panel.grid.is_scrolling_to_cursor = true;
                    }
                    None => {}
                }
            }
            Bottom::Rejects => {
                if rejects::rejects_ui(ui, &explored.rejects, &mut panel.rejects, commands) {
                    panel.bottom = Bottom::Closed;
                }
            }
            Bottom::Closed => {}
        });
}

/// Before the first rows: what to do, what is under way, or what went wrong.
fn nothing_yet(ui: &mut Ui, view: &DataView<'_>, commands: &mut Vec<Command>) {
    if view.is_pending {
        placeholder(ui, view.partition);
    } else if let Some(message) = view.error {
        ui.add_space(space::SM);
        read_error(ui, message, commands);
    } else if view.partition.is_some() {
        empty_state(
            ui,
            "No rows were read",
            "Refresh reads the partition again.",
            None,
        );
    } else {
        let sentence = "The tree of partitions shows files and bytes of each day; its rows appear here.";
        empty_state(ui, "Pick a day on the left", sentence, None);
    }
}

fn read_error(ui: &mut Ui, message: &str, commands: &mut Vec<Command>) {
    let problem = Problem {
        place: "The rows could not be read",
        message,
        remedy: "Check the location and its connection, or pick another partition.",
        action: Some("Try again"),
    };
    if error_box(ui, problem) {
        commands.push(Command::Refresh);
    }
    ui.add_space(space::SM);
}

fn no_rows(ui: &mut Ui, view: &DataView<'_>, explored: &Explored, commands: &mut Vec<Command>) {
    let culprit = explored
        .ledger
        .values()
        .find(|ledger| ledger.counts.rows_in > 0 && ledger.counts.rows_out == 0);
    let (title, sentence, action) = match culprit {
        Some(ledger) => (
            format!(
                "0 rows after step {} {}",
                ledger.counts.number, ledger.counts.name
            ),
            format!(
                "{} rows went in; {} were filtered and {} rejected.",
                crate::base::units::count(ledger.counts.rows_in),
                crate::base::units::count(ledger.counts.rows_filtered + ledger.counts.rows_merged),
                crate::base::units::count(ledger.counts.rows_quarantined),
            ),
            Some("Show the rows before it"),
        ),
        None => (
            "0 rows".to_owned(),
            "This partition holds no record that could be read.".to_owned(),
            None,
        ),
    };
    let step = culprit.map(|ledger| ledger.counts.number.saturating_sub(1));
    let action = action.filter(|_| view.shown_step != step);
    if empty_state(ui, &title, &sentence, action) {
        commands.push(Command::ShowStep(step));
    }
}

/// Grey bars where head and rows will stand, so that nothing jumps when they arrive.
fn placeholder(ui: &mut Ui, partition: Option<&Partition>) {
    let c = colors(ui);
    ui.horizontal(|ui| {
        ui.set_min_height(size::CONTROL);
        super::widgets::spinner(ui);
        let text = partition.map_or_else(
            || "Reading…".to_owned(),
            |partition| format!("Reading {partition}…"),
        );
        ui.label(theme::weak(ui, text));
    });
    let rect = ui.available_rect_before_wrap();
    ui.advance_cursor_after_rect(rect);
    let painter = ui.painter().with_clip_rect(rect);
    painter.rect_filled(rect, size::CARD_RADIUS, c.panel);
    let bar = |x: f32, y: f32, width: f32| {
        let rect = Rect::from_min_size(pos2(x, y), vec2(width, space::SM));
        painter.rect_filled(rect, size::BADGE_RADIUS, c.line);
    };
    let mut y = rect.top() + space::MD;
    let mut row = 0_u8;
    while y < rect.bottom() {
        let mut x = rect.left() + space::XL;
        let mut at = 0_u8;
        while x < rect.right() {
            let width = 40.0 + f32::from((row.wrapping_mul(31).wrapping_add(at.wrapping_mul(17))) % 64);
            bar(x, y, if row == 0 { 64.0 } else { width });
            x += 150.0;
            at = at.wrapping_add(1);
        }
        y += if row == 0 {
            head::height(false) - space::MD
        } else {
            size::ROW
        };
        row = row.saturating_add(1);
    }
}

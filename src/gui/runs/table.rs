//! The stages of an application as a table that is sorted by a click on a head.

use egui::{Align, Layout, Role, ScrollArea, Sense, Ui, WidgetInfo, vec2};

use super::{RunsCommand, RunsPanel, seconds_text};
use crate::base::units;
use crate::gui::command::Command;
use crate::gui::state::Commands;
use crate::gui::theme::{Tone, colors, regular, semibold, size, small, space};
use crate::profile::Severity;
use crate::profile::events::{StageKey, StageProfile};

/// What the table is sorted by.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Column {
    Stage,
    #[default]
    Cost,
    Wall,
    Tasks,
    Ratio,
    Data,
    Spilled,
    Verdict,
    Name,
}

impl Column {
    const ALL: [(Self, &'static str, f32); 9] = [
        (Self::Stage, "Stage", 52.0),
        (Self::Cost, "Cost", 74.0),
        (Self::Wall, "Wall", 74.0),
        (Self::Tasks, "Tasks", 70.0),
        (Self::Ratio, "max / median", 92.0),
        (Self::Data, "Data", 78.0),
        (Self::Spilled, "Spilled", 78.0),
        (Self::Verdict, "Verdict", 190.0),
        (Self::Name, "Name", 120.0),
    ];

    fn is_number(self) -> bool {
        !matches!(self, Self::Verdict | Self::Name)
    }

    /// What the column means, on hover.
    fn explanation(self) -> &'static str {
        match self {
            Self::Stage => "Number of the stage, and of its attempt",
            Self::Cost => "Straggler cost: wall time less all task time over the slots",
            Self::Wall => "From the first task's launch to the last one's end",
            Self::Tasks => "Tasks that succeeded",
            Self::Ratio => "The longest run time over the middle one",
            Self::Data => "Bytes read from storage and shuffles",
            Self::Spilled => "Bytes spilled",
            Self::Verdict => "What ails the stage, and the key behind it",
            Self::Name => "As Spark names it",
        }
    }
}

/// Rows in view at once.
const MAX_ROWS_SHOWN: f32 = 9.0;

/// Stages in the panel's order.
pub fn sorted<'a>(stages: &'a [StageProfile], panel: &RunsPanel) -> Vec<&'a StageProfile> {
    let mut sorted: Vec<&StageProfile> = stages.iter().collect();
    let float = |value: Option<f64>| value.unwrap_or(0.0);
    sorted.sort_by(|a, b| match panel.sort {
        Column::Stage => (a.id, a.attempt).cmp(&(b.id, b.attempt)),
        Column::Cost => float(b.straggler_seconds).total_cmp(&float(a.straggler_seconds)),
        Column::Wall => float(b.wall_seconds).total_cmp(&float(a.wall_seconds)),
        Column::Tasks => b.outcomes.n_success.cmp(&a.outcomes.n_success),
        Column::Ratio => float(b.run_ms.max_over_median).total_cmp(&float(a.run_ms.max_over_median)),
        Column::Data => b.load_bytes.total.cmp(&a.load_bytes.total),
        Column::Spilled => b.bytes_spilled.total.cmp(&a.bytes_spilled.total),
        Column::Verdict => b.finding.severity.cmp(&a.finding.severity),
        Column::Name => a.name.cmp(&b.name),
    });
    if panel.is_reversed {
        sorted.reverse();
    }
    sorted
}

pub fn tone_of(severity: Severity) -> Tone {
    match severity {
        Severity::Good => Tone::Good,
        Severity::Note => Tone::Plain,
        Severity::Warn => Tone::Warn,
        Severity::Bad => Tone::Bad,
    }
}

/// `3`, or `3.1` for its second attempt.
pub fn stage_name(stage: &StageProfile) -> String {
    match stage.attempt {
        0 => stage.id.to_string(),
        attempt => format!("{}.{attempt}", stage.id),
    }
}

fn cell_text(stage: &StageProfile, column: Column) -> String {
    match column {
        Column::Stage => stage_name(stage),
        Column::Cost => seconds_text(stage.straggler_seconds),
        Column::Wall => seconds_text(stage.wall_seconds),
        Column::Tasks => units::count(stage.outcomes.n_success),
        Column::Ratio => stage
            .run_ms
            .max_over_median
            .map_or_else(|| "–".to_owned(), |ratio| format!("{ratio:.1}")),
        Column::Data => units::bytes(stage.load_bytes.total),
        Column::Spilled => units::bytes(stage.bytes_spilled.total),
        Column::Verdict => {
            let by = stage
                .key
                .as_ref()
                .map(StageKey::text)
                .filter(|text| !text.is_empty());
            let by = by.map_or(String::new(), |text| format!(" · {text}"));
            let harmless = if stage.finding.is_harmless {
                ", harmless"
            } else {
                ""
            };
            format!("{}{harmless}{by}", stage.finding.code.words())
        }
        Column::Name => stage.description.clone().unwrap_or_else(|| stage.name.clone()),
    }
}

pub fn stages_ui(
    ui: &mut Ui,
    stages: &[StageProfile],
    open: Option<(u64, u32)>,
    panel: &RunsPanel,
    commands: &mut Commands,
) {
    ui.spacing_mut().item_spacing = vec2(0.0, 0.0);
    ui.horizontal(|ui| {
        for (column, title, width) in Column::ALL {
            head_ui(ui, column, title, width_of(ui, column, width), panel, commands);
        }
    });
    super::super::widgets::divider(ui);
    let rows = sorted(stages, panel);
    let height = size::ROW * MAX_ROWS_SHOWN.min(rows.len().max(1) as f32);
    ScrollArea::vertical()
        .id_salt("stages")
        .max_height(height)
        .auto_shrink([false, true])
        .show_rows(ui, size::ROW, rows.len(), |ui, range| {
            for stage in rows.get(range).unwrap_or_default() {
                row_ui(ui, stage, open == Some((stage.id, stage.attempt)), commands);
            }
        });
}

/// The last column takes what is left.
fn width_of(ui: &Ui, column: Column, width: f32) -> f32 {
    if column == Column::Name {
        ui.available_width().max(width)
    } else {
        width
    }
}

fn head_ui(ui: &mut Ui, column: Column, title: &str, width: f32, panel: &RunsPanel, commands: &mut Commands) {
    let c = colors(ui);
    let (rect, response) = ui.allocate_exact_size(vec2(width, size::ROW), Sense::click());
    let is_sorted = panel.sort == column;
    response.widget_info(|| WidgetInfo::selected(Role::Button, true, is_sorted, format!("Sort by {title}")));
    let color = if is_sorted || response.hovered() {
        c.text
    } else {
        c.weak
    };
    let mark = match (is_sorted, panel.is_reversed) {
        (false, _) => "",
        (true, false) => " ↓",
        (true, true) => " ↑",
    };
    let text = format!("{title}{mark}");
    let inner = rect.shrink2(vec2(space::SM, 0.0));
    let (at, align) = if column.is_number() {
        (inner.right_center(), egui::Align2::RIGHT_CENTER)
    } else {
        (inner.left_center(), egui::Align2::LEFT_CENTER)
    };
    ui.painter().text(at, align, text, small(), color);
    if response.on_hover_text(column.explanation()).clicked() {
        commands.push(Command::Runs(RunsCommand::Sort(column)));
    }
}

fn row_ui(ui: &mut Ui, stage: &StageProfile, is_open: bool, commands: &mut Commands) {
    let c = colors(ui);
    let (rect, response) = ui.allocate_exact_size(vec2(ui.available_width(), size::ROW), Sense::click());
    let label = format!(
        "Stage {}: {}",
        stage_name(stage),
        cell_text(stage, Column::Verdict)
    );
    response.widget_info(|| WidgetInfo::selected(Role::Row, true, is_open, &label));
    if is_open || response.hovered() || response.has_focus() {
        ui.painter().rect_filled(rect, size::BADGE_RADIUS, c.selection);
    }
    if is_open {
        let line = egui::Rect::from_min_size(rect.min, vec2(size::UNDERLINE, rect.height()));
        ui.painter().rect_filled(line, 0.0, c.accent);
    }
    let mut child = ui.new_child(
        egui::UiBuilder::new()
            .max_rect(rect)
            .layout(Layout::left_to_right(Align::Center)),
    );
    child.spacing_mut().item_spacing.x = 0.0;
    for (column, _, width) in Column::ALL {
        let width = width_of(&child, column, width);
        let (cell, _) = child.allocate_exact_size(vec2(width, size::ROW), Sense::hover());
        let inner = cell.shrink2(vec2(space::SM, 0.0));
        let color = match column {
            Column::Verdict => c.of(tone_of(stage.finding.severity)),
            Column::Name => c.weak,
            _ => c.text,
        };
        let font = if column == Column::Cost {
            semibold(size::BODY_TEXT)
        } else {
            regular(size::BODY_TEXT)
        };
        let mut job = egui::text::LayoutJob::simple_singleline(cell_text(stage, column), font, color);
        job.wrap = egui::text::TextWrapping::truncate_at_width(inner.width().max(1.0));
        let galley = child.painter().layout_job(job);
        let x = if column.is_number() {
            inner.right() - galley.size().x
        } else {
            inner.left()
        };
        let at = egui::pos2(x, inner.center().y - galley.size().y / 2.0);
        child.painter().galley(at, galley, color);
    }
    if response.clicked() {
        commands.push(Command::Runs(RunsCommand::ShowStage(stage.id, stage.attempt)));
    }
}

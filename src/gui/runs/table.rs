//! The stages of an application as a table that is sorted by a click on a head.

use egui::{Role, Sense, Ui, WidgetInfo, vec2};

use super::rows::{Cell, Head, Row, Table, aligned};
use super::{RunsCommand, RunsPanel, seconds_text};
use crate::base::units;
use crate::gui::command::Command;
use crate::gui::state::Commands;
use crate::gui::theme::{Tone, colors, size, small, space};
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

/// The columns, and what each is called; a narrow window leaves out what the table can do without.
const COLUMNS: [(Column, Head); 9] = [
    (
        Column::Stage,
        Head::number("Stage", 56.0).explained("Number of the stage, and of its attempt"),
    ),
    (
        Column::Cost,
        Head::number("Cost", 74.0).explained(
            "What ails the stage as wall time: what its stragglers add, what is spent beside the work over the slots, or slots that stood idle",
        ),
    ),
    (
        Column::Wall,
        Head::number("Wall", 70.0).explained("From the first task's launch to the last one's end"),
    ),
    (
        Column::Tasks,
        Head::number("Tasks", 68.0)
            .rank(1)
            .explained("Tasks that succeeded"),
    ),
    (
        Column::Ratio,
        Head::number("max / median", 96.0).explained("The longest run time over the middle one"),
    ),
    (
        Column::Data,
        Head::number("Data", 74.0)
            .rank(2)
            .explained("Bytes read from storage and shuffles"),
    ),
    (
        Column::Spilled,
        Head::number("Spilled", 74.0).rank(3).explained("Bytes spilled"),
    ),
    (
        Column::Verdict,
        Head::text("Verdict", 190.0).explained("What ails the stage, and the key behind it"),
    ),
    (
        Column::Name,
        Head::text("Name", 110.0).explained("As Spark names it"),
    ),
];

/// Stages in the panel's order.
pub fn sorted<'a>(stages: &'a [StageProfile], panel: &RunsPanel) -> Vec<&'a StageProfile> {
    let mut sorted: Vec<&StageProfile> = stages.iter().collect();
    let float = |value: Option<f64>| value.unwrap_or(0.0);
    sorted.sort_by(|a, b| match panel.sort {
        Column::Stage => (a.id, a.attempt).cmp(&(b.id, b.attempt)),
        Column::Cost => float(b.cost_seconds()).total_cmp(&float(a.cost_seconds())),
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
        Column::Cost => seconds_text(stage.cost_seconds()),
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
    let rows = sorted(stages, panel);
    let heads = COLUMNS.map(|(_, head)| head);
    let table = Table {
        id: "stages",
        heads: &heads,
        n_rows: rows.len(),
        is_clickable: true,
    };
    let mut sort = None;
    let head = |ui: &mut Ui, head: &Head, at: usize, width: f32| {
        let column = COLUMNS.get(at).map_or(Column::Cost, |(column, _)| *column);
        if head_ui(ui, head, column, width, panel) {
            sort = Some(column);
        }
    };
    let clicked = table.show_with_heads(ui, head, |at| {
        rows.get(at).map_or_else(Row::default, |stage| row(stage, open))
    });
    commands.extend(sort.map(|column| Command::Runs(RunsCommand::Sort(column))));
    if let Some(stage) = clicked.and_then(|at| rows.get(at)) {
        commands.push(Command::Runs(RunsCommand::ShowStage(stage.id, stage.attempt)));
    }
}

fn row(stage: &StageProfile, open: Option<(u64, u32)>) -> Row {
    let cells = COLUMNS.map(|(column, _)| Cell {
        text: cell_text(stage, column),
        tone: match column {
            Column::Verdict => tone_of(stage.finding.severity),
            Column::Name => Tone::Weak,
            _ => Tone::Plain,
        },
        is_strong: column == Column::Cost,
    });
    let name = cell_text(stage, Column::Name);
    let verdict = cell_text(stage, Column::Verdict);
    Row {
        cells: cells.into(),
        label: format!("Stage {}: {verdict}", stage_name(stage)),
        hover: format!("{verdict}\n{name}"),
        is_open: open == Some((stage.id, stage.attempt)),
    }
}

/// A head to sort by. Returns whether it was clicked.
fn head_ui(ui: &mut Ui, head: &Head, column: Column, width: f32, panel: &RunsPanel) -> bool {
    let c = colors(ui);
    let (rect, response) = ui.allocate_exact_size(vec2(width, size::ROW), Sense::click());
    let is_sorted = panel.sort == column;
    response.widget_info(|| {
        WidgetInfo::selected(Role::Button, true, is_sorted, format!("Sort by {}", head.title))
    });
    let color = if is_sorted || response.hovered() || response.has_focus() {
        c.text
    } else {
        c.weak
    };
    let mark = match (is_sorted, panel.is_reversed) {
        (false, _) => "",
        (true, false) => " ↓",
        (true, true) => " ↑",
    };
    let text = format!("{}{mark}", head.title);
    let (at, align) = aligned(rect.shrink2(vec2(space::SM, 0.0)), head.is_number);
    ui.painter().text(at, align, text, small(), color);
    response.on_hover_text(head.explanation).clicked()
}

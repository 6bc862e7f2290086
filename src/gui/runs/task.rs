//! One task of a stage beside the middle one: what it did longer, and what it had more of.

use egui::Ui;

use super::RunsCommand;
use super::rows::{Cell, Head, Row, Table};
use crate::base::units;
use crate::explore::SparkRun;
use crate::gui::command::Command;
use crate::gui::state::Commands;
use crate::gui::theme::{Tone, weak_small};
use crate::gui::widgets::{card_with_head, secondary_button};
use crate::profile::events::{Measure, StageProfile, Task, TaskEnding};

const HEADS: [Head; 4] = [
    Head::text("", 150.0),
    Head::number("this task", 100.0),
    Head::number("median task", 100.0).explained("The middle value of this stage's tasks"),
    Head::number("× median", 90.0),
];

/// From here on a value stands out. Source: max/median, amber.
const STANDS_OUT: f64 = 3.0;

/// The task at this place of the stage's tasks; nothing while none was clicked.
pub fn task_ui(
    ui: &mut Ui,
    run: &SparkRun,
    stage: &StageProfile,
    at: Option<usize>,
    commands: &mut Commands,
) {
    let tasks = run.application.stages.get(&(stage.id, stage.attempt));
    let Some(task) = tasks.zip(at).and_then(|(stage, at)| stage.tasks.get(at)) else {
        return;
    };
    let executor = run.application.executors.get(task.executor as usize);
    let (id, host) = executor.map_or(("?", ""), |executor| {
        (executor.id.as_str(), executor.host.as_str())
    });
    let ending = match task.ending {
        TaskEnding::Success => "",
        TaskEnding::Failed => ", failed",
        TaskEnding::Killed => ", killed",
    };
    let since = stage
        .started_ms
        .map(|start| task.launched_ms.saturating_sub(start) as f64 / 1000.0);
    let facts = format!(
        "task {}{ending} · executor {id} on {host} · launched after {}",
        task.id,
        units::or_dash(since, units::seconds)
    );
    let title = format!("Partition {}", task.partition);
    let all = stage.measures();
    let shown: Vec<&Measure<'_>> = all
        .iter()
        .filter(|measure| measure.spread.total > 0 || value(task, measure.name) > 0)
        .collect();
    card_with_head(
        ui,
        &title,
        |ui| {
            ui.label(weak_small(ui, facts));
        },
        |ui| {
            if secondary_button(ui, true, "Close task").clicked() {
                commands.push(Command::Runs(RunsCommand::ShowTask(None)));
            }
        },
        |ui| {
            let table = Table {
                id: "task",
                heads: &HEADS,
                n_rows: shown.len(),
                is_clickable: false,
            };
            table.show(ui, |at| {
                shown
                    .get(at)
                    .map_or_else(Row::default, |measure| row(task, measure))
            });
        },
    );
}

fn row(task: &Task, measure: &Measure<'_>) -> Row {
    let value = value(task, measure.name);
    let median = measure.spread.p50;
    let ratio = (median > 0).then(|| value as f64 / median as f64);
    let tone = if ratio.is_some_and(|ratio| ratio >= STANDS_OUT) {
        Tone::Warn
    } else {
        Tone::Plain
    };
    Row {
        cells: vec![
            measure.name.to_owned().into(),
            Cell::strong(measure.unit.text(value)),
            measure.unit.text(median).into(),
            Cell::toned(units::times(ratio), tone),
        ],
        ..Row::default()
    }
}

/// The task's own value of a measure of [`StageProfile::measures`].
fn value(task: &Task, measure: &str) -> u64 {
    match measure {
        "run time" => u64::from(task.run_ms),
        "duration" => u64::from(task.duration_ms),
        "scheduler delay" => u64::from(task.scheduler_delay_ms),
        "garbage collection" => u64::from(task.gc_ms),
        "fetch wait" => u64::from(task.fetch_wait_ms),
        "input" => task.n_bytes_in,
        "shuffle read" => task.n_bytes_shuffle_read,
        "shuffle written" => task.n_bytes_shuffle_written,
        "spilled" => task.n_bytes_spilled,
        "records" => task.load_records(),
        _ => 0,
    }
}

#[cfg(test)]
mod tests {
    use super::value;
    use crate::profile::events::{StageProfile, Task, diagnose};

    #[test]
    fn every_measure_of_a_stage_has_a_value_of_a_task() {
        let task = Task {
            run_ms: 1,
            duration_ms: 1,
            scheduler_delay_ms: 1,
            gc_ms: 1,
            fetch_wait_ms: 1,
            n_bytes_in: 1,
            n_bytes_shuffle_read: 1,
            n_bytes_shuffle_written: 1,
            n_bytes_spilled: 1,
            n_records_in: 1,
            ..Task::default()
        };
        let mut application = crate::profile::events::Application::default();
        let stage = application.stages.entry((0, 0)).or_default();
        stage.tasks.push(task.clone());
        let stages: Vec<StageProfile> = diagnose(&application).stages;
        for measure in stages[0].measures() {
            assert_eq!(value(&task, measure.name), 1, "{}", measure.name);
        }
    }
}

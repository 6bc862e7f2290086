//! The list of background work: what runs, how far it is, and a way to stop it.

use egui::{Label, ScrollArea, Ui, vec2};

use crate::base::units;
use crate::gui::command::Command;
use crate::gui::state::Commands;
use crate::gui::theme::{Tone, body, size, space, strong, tone, weak};
use crate::gui::widgets::{Icon, icon_button, progress_bar, quiet_button};
use crate::task::{TaskState, TaskView};

const LABEL_WIDTH: f32 = 260.0;
const BAR_WIDTH: f32 = 220.0;

pub fn activity_ui(ui: &mut Ui, tasks: &[TaskView], commands: &mut Commands) {
    ui.horizontal(|ui| {
        ui.label(strong("Activity"));
        ui.with_layout(egui::Layout::right_to_left(egui::Align::Center), |ui| {
            if icon_button(ui, true, Icon::ChevronDown, "Hide activity").clicked() {
                commands.push(Command::ToggleActivity);
            }
        });
    });
    ui.spacing_mut().item_spacing.y = 0.0;
    if tasks.is_empty() {
        ui.label(weak(ui, "Nothing has run yet."));
        return;
    }
    ScrollArea::vertical()
        .id_salt("activity")
        .auto_shrink(false)
        .show_rows(ui, size::ROW, tasks.len(), |ui, range| {
            for task in tasks.iter().take(range.end).skip(range.start) {
                task_ui(ui, task, commands);
            }
        });
}

fn task_ui(ui: &mut Ui, task: &TaskView, commands: &mut Commands) {
    let width = ui.available_width();
    ui.allocate_ui_with_layout(
        vec2(width, size::ROW),
        egui::Layout::left_to_right(egui::Align::Center),
        |ui| {
            ui.spacing_mut().item_spacing.x = space::SM;
            ui.allocate_ui_with_layout(
                vec2(LABEL_WIDTH, size::ROW),
                egui::Layout::left_to_right(egui::Align::Center),
                |ui| {
                    ui.set_min_width(LABEL_WIDTH);
                    ui.add(Label::new(body(&task.label)).truncate());
                },
            );
            let (share, bar_tone) = match &task.state {
                TaskState::Running => (task.progress.share(), Tone::Accent),
                TaskState::Done => (Some(1.0), Tone::Good),
                TaskState::Failed(_) => (Some(1.0), Tone::Bad),
                TaskState::Cancelled => (Some(task.progress.share().unwrap_or(0.0)), Tone::Weak),
            };
            let bar_width = BAR_WIDTH.min(width * 0.2);
            progress_bar(
                ui,
                bar_width,
                share,
                bar_tone,
                &format!("Progress of {}", task.label),
            );
            ui.with_layout(egui::Layout::right_to_left(egui::Align::Center), |ui| {
                if task.state == TaskState::Running
                    && quiet_button(ui, true, "Cancel")
                        .on_hover_text(format!("Stops: {}", task.label))
                        .clicked()
                {
                    commands.push(Command::CancelTask(task.id));
                }
                ui.with_layout(egui::Layout::left_to_right(egui::Align::Center), |ui| {
                    let text = describe(task);
                    let text = match task.state {
                        TaskState::Failed(_) => tone(ui, Tone::Bad, text),
                        _ => weak(ui, text),
                    };
                    ui.add(Label::new(text).truncate());
                });
            });
        },
    );
}

/// What a line says after its bar.
fn describe(task: &TaskView) -> String {
    let secs = task.elapsed.as_secs_f64();
    let progress = &task.progress;
    match &task.state {
        TaskState::Running => {
            let mut parts = vec![if progress.note.is_empty() {
                "running".to_owned()
            } else {
                progress.note.clone()
            }];
            if let Some(total) = progress.n_total {
                parts.push(format!(
                    "{} of {}",
                    units::count(progress.n_done),
                    units::count(total)
                ));
            }
            if secs > 0.5 && progress.n_done > 0 {
                parts.push(rate(progress.n_done, secs));
            }
            if progress.n_bytes > 0 {
                parts.push(units::bytes(progress.n_bytes));
            }
            parts.join(" · ")
        }
        TaskState::Done if progress.note.is_empty() => format!("done in {}", units::seconds(secs)),
        TaskState::Done => format!("done in {} · {}", units::seconds(secs), progress.note),
        TaskState::Failed(message) => format!("failed: {message}"),
        TaskState::Cancelled => format!("cancelled after {}", units::seconds(secs)),
    }
}

fn rate(n: u64, secs: f64) -> String {
    #[allow(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "a count over a positive time"
    )]
    let per_second = (n as f64 / secs) as u64;
    format!("{}/s", units::count(per_second))
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::describe;
    use crate::base::ProgressView;
    use crate::task::{TaskId, TaskState, TaskView};

    fn task(state: TaskState, progress: ProgressView) -> String {
        describe(&TaskView {
            id: TaskId(1),
            label: String::new(),
            state,
            progress,
            elapsed: Duration::from_secs(2),
        })
    }

    #[test]
    fn a_line_says_how_far_the_work_is_and_how_it_ended() {
        let listing = ProgressView {
            n_done: 122_000,
            note: "412,000 keys so far".to_owned(),
            ..ProgressView::default()
        };
        assert_eq!(
            task(TaskState::Running, listing),
            "412,000 keys so far · 61,000/s"
        );
        assert_eq!(task(TaskState::Done, ProgressView::default()), "done in 2.0 s");
        assert_eq!(
            task(TaskState::Failed("no".to_owned()), ProgressView::default()),
            "failed: no"
        );
    }
}

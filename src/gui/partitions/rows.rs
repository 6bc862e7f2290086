//! Rows of the partitions: what counting them costs, and how exact the count is.

use egui::Ui;

use super::PartitionsCommand;
use crate::gui::command::Command;
use crate::gui::listed::ListedDataset;
use crate::gui::state::Commands;
use crate::gui::theme::{Tone, space, weak, weak_small};
use crate::gui::widgets::{badge, secondary_button, spinner};
use crate::profile::{CostModel, RowCount};

/// How the rows are known, beside the chart's title.
pub fn rows_badge(ui: &mut Ui, count: &RowCount) {
    let tone = if count.accuracy.is_exact() {
        Tone::Plain
    } else {
        Tone::Data
    };
    badge(ui, tone, &count.to_string()).on_hover_text(
        "Parquet says its rows in footers. Rows of JSON Lines are estimated from the rows to a stored byte of some files of \
         each partition; ± holds the truth about 95% of the time.",
    );
}

/// What stands where the bars would be while rows were not counted.
pub fn offer_ui(
    ui: &mut Ui,
    dataset: &ListedDataset,
    costs: &CostModel,
    is_pending: bool,
    error: Option<&str>,
    commands: &mut Commands,
) {
    let plan = &dataset.row_plan;
    let top = ui.cursor().top();
    ui.add_space(space::XL);
    ui.vertical_centered(|ui| {
        let how = if plan.is_exact {
            "A listing does not say how many rows there are. The footers of these Parquet files do, exactly."
        } else {
            "A listing does not say how many rows there are. The first bytes of some files give an estimate with its error."
        };
        ui.label(weak(ui, how));
        let [cost, assumed] = plan.words(costs);
        ui.label(weak(ui, cost));
        ui.label(weak_small(ui, assumed));
        ui.add_space(space::SM);
        if is_pending {
            spinner(ui);
            if secondary_button(ui, true, "Stop counting").clicked() {
                commands.push(Command::Partitions(PartitionsCommand::CancelRows));
            }
        } else if secondary_button(ui, true, "Count rows").clicked() {
            commands.push(Command::Partitions(PartitionsCommand::CountRows));
        }
        if let Some(error) = error {
            ui.label(crate::gui::theme::tone(ui, Tone::Bad, error));
        }
    });
    // As tall as the bars, so that nothing below moves when the measure changes.
    let used = ui.cursor().top() - top;
    ui.add_space((super::bars::HEIGHT + space::XL - used).max(space::XS));
}

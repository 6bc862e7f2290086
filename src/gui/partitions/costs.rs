//! The assumptions behind costs, to be seen and changed.

use egui::{DragValue, Ui};

use crate::gui::command::Command;
use crate::gui::state::Commands;
use crate::gui::theme::{space, weak, weak_small};
use crate::gui::widgets::{card_button, secondary_button};
use crate::profile::CostModel;
use crate::session::Edit;

/// A line that tells them, with a button that changes them.
pub fn costs_ui(ui: &mut Ui, costs: &CostModel, commands: &mut Commands) {
    ui.horizontal_wrapped(|ui| {
        ui.spacing_mut().item_spacing.x = space::SM;
        ui.label(weak_small(ui, "Costs of one pass assume"));
        card_button(ui, "costs", &costs.to_string(), |ui| {
            ui.set_width(280.0);
            if let Some(changed) = form_ui(ui, costs) {
                commands.push(Command::Edit(Edit::SetCosts(changed)));
            }
        });
    });
}

fn form_ui(ui: &mut Ui, costs: &CostModel) -> Option<CostModel> {
    let mut changed = *costs;
    let mut mb_per_second = costs.bytes_per_second / 1e6;
    let mut ms_per_request = costs.seconds_per_request * 1e3;
    egui::Grid::new("costs").num_columns(2).show(ui, |ui| {
        let slots = ui.label("Tasks at the same time");
        ui.add(
            DragValue::new(&mut changed.slots)
                .range(1..=100_000)
                .suffix(" slots"),
        )
        .labelled_by(slots.id);
        ui.end_row();
        let speed = ui.label("Throughput of a slot");
        ui.add(
            DragValue::new(&mut mb_per_second)
                .range(0.1..=100_000.0)
                .suffix(" MB/s"),
        )
        .labelled_by(speed.id);
        ui.end_row();
        let wait = ui.label("Wait for a request");
        ui.add(
            DragValue::new(&mut ms_per_request)
                .range(0.0..=60_000.0)
                .suffix(" ms"),
        )
        .labelled_by(wait.id);
        ui.end_row();
    });
    ui.label(weak(
        ui,
        "Drag or type. Every cost is an estimate from these three.",
    ));
    let is_default = *costs == CostModel::default();
    if secondary_button(ui, !is_default, "Back to the defaults").clicked() {
        return Some(CostModel::default());
    }
    // Only what was touched is computed back, so that looking at a figure does not change it.
    let is_other = |a: f64, b: f64| (a - b).abs() > f64::EPSILON * b.abs();
    if is_other(mb_per_second, costs.bytes_per_second / 1e6) {
        changed.bytes_per_second = mb_per_second * 1e6;
    }
    if is_other(ms_per_request, costs.seconds_per_request * 1e3) {
        changed.seconds_per_request = ms_per_request / 1e3;
    }
    (changed != *costs).then_some(changed)
}

//! The line above the grid: how far the rows can be trusted, which step they are after, rejects, rows and columns.

use egui::{Align, Button, Layout, ScrollArea, Ui, vec2};

use super::{Bottom, DataPanel, DataView, sample, suggestions};
use crate::base::units;
use crate::explore::Explored;
use crate::gui::command::Command;
use crate::gui::recipe::fuzzy;
use crate::gui::theme::{self, Tone, size, space};
use crate::gui::widgets::{Icon, badge, card_button, icon_button, spinner, text_field};

/// Narrower than this, the badge of the step has a line of its own: it would lie under the controls at the right.
const WIDTH_FOR_STEP: f32 = 1150.0;
/// Narrower than this, the badge tells only the rows; the rest is in its tooltip.
const WIDTH_FOR_SIZE: f32 = 900.0;

pub(super) fn toolbar_ui(
    ui: &mut Ui,
    view: &DataView<'_>,
    explored: &Explored,
    panel: &mut DataPanel,
    commands: &mut Vec<Command>,
) {
    let has_room = ui.available_width() >= WIDTH_FOR_STEP;
    ui.horizontal(|ui| {
        ui.set_min_height(size::CONTROL);
        ui.spacing_mut().item_spacing.x = space::SM;
        sample::size_badge(ui, view, explored, ui.available_width() >= WIDTH_FOR_SIZE);
        if has_room {
            step_badge(ui, view, explored, commands);
        }
        rejects_badge(ui, explored, panel);
        if view.is_pending {
            spinner(ui);
        }
        ui.with_layout(Layout::right_to_left(Align::Center), |ui| {
            columns_menu(ui, view, explored, panel, commands);
            compare_button(ui, explored, panel);
            sample::sample_menu(ui, view, commands);
            let target = suggestions::Target {
                insert_at: view.insert_at(explored),
                shown_step: view.shown_step,
            };
            suggestions::suggestions_menu(ui, view.suggestions, &mut panel.suggestions, target, commands);
        });
    });
    if !has_room {
        ui.horizontal(|ui| step_badge(ui, view, explored, commands));
    }
}

fn step_badge(ui: &mut Ui, view: &DataView<'_>, explored: &Explored, commands: &mut Vec<Command>) {
    let asked = view.shown_step.unwrap_or(explored.checks.len());
    let text = if explored.n_steps < asked {
        Some((
            Tone::Warn,
            format!("before step {}, which does not check", explored.n_steps + 1),
        ))
    } else {
        view.shown_step.map(|step| match step {
            0 => (Tone::Accent, "before the recipe".to_owned()),
            step => (Tone::Accent, format!("after step {step}")),
        })
    };
    let Some((tone, text)) = text else { return };
    ui.scope(|ui| {
        ui.spacing_mut().item_spacing.x = 2.0;
        badge(ui, tone, &text);
        if view.shown_step.is_some()
            && icon_button(ui, true, Icon::Close, "Show data after all steps").clicked()
        {
            commands.push(Command::ShowStep(None));
        }
    });
}

fn rejects_badge(ui: &mut Ui, explored: &Explored, panel: &mut DataPanel) {
    if explored.rejects.is_empty() {
        return;
    }
    let text = units::plural(explored.rejects.len() as u64, "reject");
    let c = theme::colors(ui);
    let button = Button::new(egui::RichText::new(text).font(theme::small()).color(c.bad))
        .fill(c.surface(Tone::Bad))
        .stroke(egui::Stroke::NONE)
        .corner_radius(size::BADGE_RADIUS)
        .min_size(vec2(0.0, size::ICON + 2.0));
    let response = ui
        .scope(|ui| {
            ui.spacing_mut().button_padding = vec2(5.0, 1.0);
            ui.spacing_mut().interact_size.y = 0.0;
            ui.add(button)
        })
        .inner;
    if response
        .on_hover_text("Records that could not be read or computed")
        .clicked()
    {
        panel.bottom = if panel.bottom == Bottom::Rejects {
            Bottom::Closed
        } else {
            Bottom::Rejects
        };
    }
}

/// There while the last shown step did something to compare.
fn compare_button(ui: &mut Ui, explored: &Explored, panel: &mut DataPanel) {
    if explored.comparison.is_none() {
        return;
    }
    let button = Button::selectable(panel.compare.is_on, theme::body("Before / after"))
        .frame_when_inactive(true)
        .min_size(vec2(0.0, size::CONTROL));
    let hover = format!(
        "Cells side by side and rows left out by step {}",
        explored.n_steps
    );
    if ui.add(button).on_hover_text(hover).clicked() {
        panel.compare.is_on ^= true;
    }
}

fn columns_menu(
    ui: &mut Ui,
    view: &DataView<'_>,
    explored: &Explored,
    panel: &mut DataPanel,
    commands: &mut Vec<Command>,
) {
    let df = &explored.df;
    let is_hidden = |name: &str| panel.grid.hidden.contains(name);
    let n_shown = df
        .columns()
        .iter()
        .filter(|column| !is_hidden(column.name()))
        .count();
    let text = format!("Columns {n_shown} / {}", df.width());
    card_button(ui, "columns", &text, |ui| {
        ui.set_width(260.0);
        text_field(
            ui,
            &mut panel.column_search,
            "Find a column",
            "find a column",
            false,
        );
        ui.horizontal(|ui| {
            if ui.button("Show all").clicked() {
                panel.grid.hidden.clear();
            }
            if ui.button("Hide all").clicked() {
                panel
                    .grid
                    .hidden
                    .extend(df.columns().iter().map(|column| column.name().to_string()));
            }
        });
        let mut has_figures = !view.hides_figures;
        let hint = "Distinct values, share of nulls and bars of the rows shown";
        if ui
            .checkbox(&mut has_figures, "Figures under the names")
            .on_hover_text(hint)
            .changed()
        {
            commands.push(Command::ToggleColumnFigures);
        }
        let names: Vec<&str> = df.columns().iter().map(|column| column.name().as_str()).collect();
        let found = fuzzy::ranked(&panel.column_search, &names);
        let hidden = &mut panel.grid.hidden;
        ScrollArea::vertical()
            .max_height(360.0)
            .show_rows(ui, size::ROW, found.len(), |ui, rows| {
                for name in found.get(rows).unwrap_or_default() {
                    let mut is_shown = !hidden.contains(*name);
                    if ui.checkbox(&mut is_shown, *name).changed() {
                        if is_shown {
                            hidden.remove(*name);
                        } else {
                            hidden.insert((*name).to_owned());
                        }
                    }
                }
            });
    });
}

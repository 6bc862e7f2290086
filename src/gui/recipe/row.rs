//! One step in the list: number, name, summary, what it did, what is wrong, and its controls.

use egui::{
    Align, Frame, Key, Label, Layout, Margin, Popup, PopupCloseBehavior, Rect, RichText, Role, ScrollArea,
};
use egui::{Sense, Shape, Ui, UiBuilder, WidgetInfo, pos2};
use polars::prelude::Schema;

use super::facts;
use super::fields::{self, FormState, FormView};
use crate::explore::Ledger;
use crate::gui::command::Command;
use crate::gui::theme::{self, colors, size, space};
use crate::gui::widgets::{Icon, icon_button, paint_icon, quiet_button, text_field};
use crate::session::Edit;
use crate::transform::{RecipeStep, StepError, StepInfo};

/// One step and what is known of it.
pub(super) struct RowView<'a> {
    pub at: usize,
    pub n_steps: usize,
    pub step: &'a RecipeStep,
    pub info: Option<&'a StepInfo>,
    pub before: Option<&'a Schema>,
    pub after: Option<&'a Schema>,
    pub error: Option<&'a StepError>,
    pub ledger: Option<&'a Ledger>,
    pub is_open: bool,
    pub is_shown: bool,
    pub is_stale: bool,
}

/// What a person asked of a step, besides commands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum RowAction {
    /// Opens its editor, or closes it.
    Toggle,
    InsertBefore,
    InsertAfter,
    Duplicate,
    Delete,
    Move(usize),
}

/// What is dragged: the position of a step.
#[derive(Debug, Clone, Copy)]
pub(super) struct DraggedStep(pub usize);

/// Half-typed id and comment.
#[derive(Debug, Default)]
pub(super) struct NoteDraft {
    at: usize,
    is_open: bool,
}

pub(super) fn row_ui(
    ui: &mut Ui,
    view: &RowView<'_>,
    form: &mut FormState,
    notes: &mut NoteDraft,
    commands: &mut Vec<Command>,
) -> (Rect, Option<RowAction>) {
    let c = colors(ui);
    let background = ui.painter().add(Shape::Noop);
    let number = view.at + 1;
    let name = view.step.step.name();
    let builder = UiBuilder::new().id_salt(("step", view.at)).sense(Sense::click());
    let mut action = None;
    let scope = ui.scope_builder(builder, |ui| {
        let response = ui.response();
        let label = format!("step {number} {name}");
        response.widget_info(|| WidgetInfo::selected(Role::Button, true, view.is_open, &label));
        if !view.step.enabled {
            ui.multiply_opacity(0.6);
        }
        Frame::new()
            .inner_margin(Margin::symmetric(14, 9))
            .show(ui, |ui| {
                ui.set_width(ui.available_width());
                ui.spacing_mut().item_spacing.y = 3.0;
                head_ui(ui, view, commands);
                ui.horizontal_top(|ui| {
                    ui.add_space(number_width());
                    ui.vertical(|ui| facts_ui(ui, view));
                });
                if view.is_open {
                    action = editor_ui(ui, view, form, notes, commands);
                }
            });
        response
    });
    let rect = scope.response.rect;
    let response = scope.inner;
    let is_marked = view.is_open || view.is_shown;
    if is_marked || response.hovered() || response.has_focus() {
        let share = if is_marked { 1.0 } else { 0.4 };
        let fill = theme::mix(c.panel, c.selection, share);
        ui.painter().set(background, Shape::rect_filled(rect, 0.0, fill));
    }
    if is_marked {
        let bar = Rect::from_min_max(
            rect.left_top(),
            pos2(rect.left() + size::UNDERLINE + 1.0, rect.bottom()),
        );
        ui.painter().rect_filled(bar, 0.0, c.accent);
    }
    if response.clicked() {
        action = Some(RowAction::Toggle);
    }
    if response.has_focus() {
        action = action.or_else(|| keys(ui, view));
    }
    response.context_menu(|ui| action = action.or(menu_ui(ui, view, commands)));
    (rect, action)
}

const fn number_width() -> f32 {
    space::LG + 2.0
}

/// Number, name, grip and eye.
fn head_ui(ui: &mut Ui, view: &RowView<'_>, commands: &mut Vec<Command>) {
    let c = colors(ui);
    let number = view.at + 1;
    ui.horizontal(|ui| {
        ui.spacing_mut().item_spacing.x = 2.0;
        ui.scope(|ui| {
            ui.set_width(number_width() - 2.0);
            ui.label(
                RichText::new(number.to_string())
                    .font(theme::regular(size::BODY_TEXT))
                    .color(c.weak),
            );
        });
        ui.label(theme::strong(view.step.step.name()));
        if let Some(id) = &view.step.id {
            ui.add_space(space::XS);
            ui.label(theme::weak_small(ui, id));
        }
        ui.with_layout(Layout::right_to_left(Align::Center), |ui| {
            ui.spacing_mut().item_spacing.x = 0.0;
            let (icon, verb) = if view.step.enabled {
                (Icon::Eye, "Switch off")
            } else {
                (Icon::EyeOff, "Switch on")
            };
            if icon_button(ui, true, icon, &format!("{verb} step {number}")).clicked() {
                commands.push(Command::Edit(Edit::ToggleStep { at: view.at }));
            }
            grip_ui(ui, view);
            if !view.step.enabled {
                ui.label(theme::weak_small(ui, "off"));
            }
        });
    });
}

fn grip_ui(ui: &mut Ui, view: &RowView<'_>) {
    let c = colors(ui);
    let (rect, response) = ui.allocate_exact_size(egui::Vec2::splat(size::ROW), Sense::drag());
    let label = format!("Drag step {}", view.at + 1);
    response.widget_info(|| WidgetInfo::labeled(Role::Button, true, &label));
    let color = if response.hovered() || response.dragged() {
        c.text
    } else {
        c.faint
    };
    paint_icon(ui.painter(), rect, Icon::Grip, color);
    let response = response
        .on_hover_and_drag_cursor(egui::CursorIcon::Grab)
        .on_hover_text("Drag to another place (Alt+↑, Alt+↓)");
    response.dnd_set_drag_payload(DraggedStep(view.at));
}

/// Summary, ledger and error.
fn facts_ui(ui: &mut Ui, view: &RowView<'_>) {
    let c = colors(ui);
    ui.set_width(ui.available_width());
    let summary = view.step.step.summary();
    if !summary.is_empty() {
        let text = RichText::new(&summary).font(theme::mono_small()).color(c.weak);
        ui.add(Label::new(text).truncate()).on_hover_text(&summary);
    }
    if let Some(comment) = &view.step.comment {
        ui.add(Label::new(RichText::new(comment).font(theme::small()).color(c.weak)).wrap());
    }
    if let Some(error) = view.error {
        if !view.is_open {
            ui.add(Label::new(RichText::new(error.to_string()).font(theme::small()).color(c.bad)).wrap());
        }
        return;
    }
    let facts = facts::facts(view.ledger, view.before, view.after);
    if !facts.is_empty() {
        ui.horizontal_wrapped(|ui| {
            ui.spacing_mut().item_spacing.x = space::MD;
            if view.is_stale {
                ui.multiply_opacity(0.6);
            }
            for (text, tone) in facts {
                ui.label(RichText::new(text).font(theme::small()).color(c.of(tone)));
            }
        });
    }
}

fn keys(ui: &Ui, view: &RowView<'_>) -> Option<RowAction> {
    ui.input(|input| {
        let is_alt = input.modifiers.alt;
        if is_alt && input.key_pressed(Key::ArrowUp) && view.at > 0 {
            Some(RowAction::Move(view.at - 1))
        } else if is_alt && input.key_pressed(Key::ArrowDown) && view.at + 1 < view.n_steps {
            Some(RowAction::Move(view.at + 1))
        } else if input.key_pressed(Key::Delete) {
            Some(RowAction::Delete)
        } else {
            None
        }
    })
}

fn menu_ui(ui: &mut Ui, view: &RowView<'_>, commands: &mut Vec<Command>) -> Option<RowAction> {
    let mut action = None;
    let mut entry = |ui: &mut Ui, is_enabled: bool, text: &str, chosen: RowAction| {
        if ui.add_enabled(is_enabled, egui::Button::new(text)).clicked() {
            action = Some(chosen);
        }
    };
    entry(ui, true, "Insert step before…", RowAction::InsertBefore);
    entry(ui, true, "Insert step after…", RowAction::InsertAfter);
    entry(
        ui,
        view.at > 0,
        "Move up",
        RowAction::Move(view.at.saturating_sub(1)),
    );
    entry(
        ui,
        view.at + 1 < view.n_steps,
        "Move down",
        RowAction::Move(view.at + 1),
    );
    entry(ui, true, "Duplicate", RowAction::Duplicate);
    let text = if view.step.enabled {
        "Switch off"
    } else {
        "Switch on"
    };
    if ui.button(text).clicked() {
        commands.push(Command::Edit(Edit::ToggleStep { at: view.at }));
    }
    if ui.button("Show data before this step").clicked() {
        commands.push(Command::ShowStep(Some(view.at)));
    }
    let mut entry = |text: &str, chosen: RowAction| {
        if ui.button(text).clicked() {
            action = Some(chosen);
        }
    };
    entry("Delete", RowAction::Delete);
    action
}

/// The form, notes and what can be done with the step.
fn editor_ui(
    ui: &mut Ui,
    view: &RowView<'_>,
    form: &mut FormState,
    notes: &mut NoteDraft,
    commands: &mut Vec<Command>,
) -> Option<RowAction> {
    let number = view.at + 1;
    let mut action = None;
    ui.add_space(space::SM);
    if let Some(info) = view.info {
        let view = FormView {
            at: view.at,
            step: view.step,
            info,
            schema: view.before,
            error: view.error.map(|error| &error.error),
        };
        fields::form_ui(ui, &view, form, commands);
    }
    if notes.at != view.at {
        *notes = NoteDraft {
            at: view.at,
            is_open: view.step.id.is_some() || view.step.comment.is_some(),
        };
    }
    if notes.is_open {
        notes_ui(ui, view, commands);
    }
    ui.horizontal(|ui| {
        ui.spacing_mut().item_spacing.x = 0.0;
        ui.spacing_mut().button_padding.x = space::XS + 2.0;
        let more = if notes.is_open { "Less" } else { "More" };
        if quiet_button(ui, true, more).clicked() {
            notes.is_open = !notes.is_open;
        }
        if quiet_button(ui, true, "Duplicate")
            .accessible_name(format!("Duplicate step {number}"))
            .clicked()
        {
            action = Some(RowAction::Duplicate);
        }
        if let Some(info) = view.info {
            let about = quiet_button(ui, true, "?").accessible_name(format!("About {}", info.name));
            let about = about.on_hover_text(info.summary);
            Popup::from_toggle_button_response(&about)
                .close_behavior(PopupCloseBehavior::CloseOnClickOutside)
                .show(|ui| {
                    ui.set_max_width(460.0);
                    ScrollArea::vertical().max_height(420.0).show(ui, |ui| {
                        ui.label(theme::strong(info.name));
                        ui.add(Label::new(theme::body(info.doc)).wrap().selectable(true));
                    });
                });
        }
        ui.with_layout(Layout::right_to_left(Align::Center), |ui| {
            if icon_button(ui, true, Icon::Trash, &format!("Delete step {number}")).clicked() {
                action = Some(RowAction::Delete);
            }
            let can_sink = view.at + 1 < view.n_steps;
            if icon_button(
                ui,
                can_sink,
                Icon::ChevronDown,
                &format!("Move step {number} down"),
            )
            .clicked()
            {
                action = Some(RowAction::Move(view.at + 1));
            }
            if icon_button(
                ui,
                view.at > 0,
                Icon::ChevronUp,
                &format!("Move step {number} up"),
            )
            .clicked()
            {
                action = Some(RowAction::Move(view.at.saturating_sub(1)));
            }
        });
    });
    action
}

/// Id and comment.
fn notes_ui(ui: &mut Ui, view: &RowView<'_>, commands: &mut Vec<Command>) {
    let number = view.at + 1;
    let mut step = view.step.clone();
    let (mut is_changed, mut is_left) = (false, false);
    for (name, value) in [("id", &mut step.id), ("comment", &mut step.comment)] {
        let label = RichText::new(name).font(theme::small()).color(colors(ui).weak);
        ui.label(label);
        let mut text = value.clone().unwrap_or_default();
        let response = text_field(
            ui,
            &mut text,
            &format!("{name} of step {number}"),
            "not set",
            name == "id",
        );
        if response.changed() {
            *value = (!text.is_empty()).then_some(text);
            is_changed = true;
        }
        is_left |= response.lost_focus();
    }
    if is_changed {
        commands.push(Command::Edit(Edit::SetStep { at: view.at, step }));
    }
    if is_left {
        commands.push(Command::Seal);
    }
}

/// Where a dragged step would land among rows at `rects`, and its new position; draws the line there.
pub(super) fn drop_ui(ui: &Ui, rects: &[Rect]) -> Option<(usize, usize)> {
    let dragged = *egui::DragAndDrop::payload::<DraggedStep>(ui.ctx())?;
    let pos = ui.ctx().pointer_interact_pos()?;
    let gap = rects.iter().filter(|rect| rect.center().y < pos.y).count();
    let y = rects
        .get(gap)
        .map_or_else(|| rects.last().map(Rect::bottom), |rect| Some(rect.top()))?;
    let x = rects.first()?.x_range();
    ui.painter()
        .hline(x, y, egui::Stroke::new(size::UNDERLINE, colors(ui).accent));
    if !ui.input(|input| input.pointer.any_released()) {
        return None;
    }
    egui::DragAndDrop::clear_payload(ui.ctx());
    let target = if gap > dragged.0 { gap - 1 } else { gap };
    (target != dragged.0).then_some((dragged.0, target))
}

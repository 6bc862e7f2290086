//! One step in the list: number, name, summary, what it did, what is wrong, and its controls.

use egui::{
    Align, Frame, Id, Label, Layout, Margin, Rect, RichText, Role, Sense, Shape, Ui, UiBuilder, WidgetInfo,
    pos2, vec2,
};
use polars::prelude::Schema;

use super::editor::editor_ui;
use super::facts::{self, Fact};
use super::fields::FormState;
use super::fitted;
use super::in_place::{InPlace, Note};
use super::row_menu::{keys, menu_ui};
use crate::explore::Ledger;
use crate::gui::command::Command;
use crate::gui::theme::{self, colors, size, space};
use crate::gui::widgets::{Icon, icon_button, paint_icon};
use crate::session::Edit;
use crate::transform::{Recipe, RecipeStep, StepError, StepInfo};

/// One step and what is known of it.
pub(super) struct RowView<'a> {
    pub at: usize,
    pub n_steps: usize,
    pub recipe: &'a Recipe,
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
    Copy,
    Cut,
    /// Asks for the clipboard; its steps go after this one.
    Paste,
}

/// Where a row was drawn, and what was asked of it.
pub(super) struct RowShown {
    pub rect: Rect,
    pub has_focus: bool,
    pub action: Option<RowAction>,
}

/// What is dragged: the position of a step.
#[derive(Debug, Clone, Copy)]
pub(super) struct DraggedStep(pub usize);

/// What a row keeps between frames: half-typed texts of its form, its name and its comment.
#[derive(Debug, Default)]
pub(super) struct RowState {
    pub form: FormState,
    pub in_place: InPlace,
}

pub(super) fn row_ui(
    ui: &mut Ui,
    view: &RowView<'_>,
    state: &mut RowState,
    commands: &mut Vec<Command>,
) -> RowShown {
    let c = colors(ui);
    let background = ui.painter().add(Shape::Noop);
    let number = view.at + 1;
    let name = view.step.step.name();
    let builder = UiBuilder::new().scope_id(row_id(view.at)).sense(Sense::click());
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
                head_ui(ui, view, &mut state.in_place, commands);
                ui.horizontal_top(|ui| {
                    ui.add_space(number_width());
                    ui.vertical(|ui| facts_ui(ui, view, &mut state.in_place, commands));
                });
                if view.is_open {
                    action = editor_ui(ui, view, state, commands);
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
        // The row takes the keyboard, so that copy, paste and delete mean this step.
        response.request_focus();
        action = Some(RowAction::Toggle);
    }
    if response.has_focus() {
        action = action.or_else(|| keys(ui, view, &mut state.in_place));
    }
    response.context_menu(|ui| action = action.or(menu_ui(ui, view, &mut state.in_place, commands)));
    RowShown {
        rect,
        has_focus: response.has_focus(),
        action,
    }
}

/// The same wherever the row stands in the panel, so that another frame can give it the keyboard.
pub(super) fn row_id(at: usize) -> Id {
    Id::unique(("recipe step", at))
}

const fn number_width() -> f32 {
    space::LG + 2.0
}

/// Number, name, grip and eye.
fn head_ui(ui: &mut Ui, view: &RowView<'_>, in_place: &mut InPlace, commands: &mut Vec<Command>) {
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
        if in_place.is(view.at, Note::Name) {
            in_place.field_ui(
                ui,
                view,
                ui.available_width() - 2.0 * size::ROW - space::SM,
                commands,
            );
        } else {
            name_ui(ui, view);
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

/// The name that a person gave with the kind of step after it, or the kind alone.
fn name_ui(ui: &mut Ui, view: &RowView<'_>) {
    let kind = view.step.step.name();
    let Some(id) = &view.step.id else {
        ui.label(theme::strong(kind));
        return;
    };
    let room = ui.available_width() - 2.0 * size::ROW;
    ui.scope(|ui| {
        ui.set_max_width(room);
        ui.add(Label::new(theme::strong(id)).truncate()).on_hover_text(id);
        ui.add_space(space::XS);
        ui.add(Label::new(theme::weak_small(ui, kind)).truncate());
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
fn facts_ui(ui: &mut Ui, view: &RowView<'_>, in_place: &mut InPlace, commands: &mut Vec<Command>) {
    let c = colors(ui);
    ui.set_width(ui.available_width());
    let summary = view.step.step.summary();
    // A new step has nothing to sum up but its arrow. The line is there all the same while its editor is open, so that
    // fields stay where they are while they are filled in.
    if summary.contains(char::is_alphanumeric) {
        let text = RichText::new(&summary).font(theme::mono_small()).color(c.weak);
        ui.add(Label::new(text).truncate()).on_hover_text(&summary);
    } else if view.is_open {
        ui.add_space(ui.ctx().fonts_mut(|fonts| fonts.row_height(&theme::mono_small())));
    }
    if in_place.is(view.at, Note::Comment) {
        in_place.field_ui(ui, view, ui.available_width(), commands);
    } else if let Some(comment) = &view.step.comment {
        ui.add(Label::new(RichText::new(comment).font(theme::small()).color(c.weak)).wrap());
    }
    if let Some(error) = view.error {
        if !view.is_open {
            ui.add(Label::new(RichText::new(error.to_string()).font(theme::small()).color(c.bad)).wrap());
        }
        return;
    }
    fitted::badge_ui(ui, view, commands);
    let facts = facts::facts(view.ledger, view.before, view.after);
    if facts.is_empty() {
        return;
    }
    ui.spacing_mut().interact_size.y = 0.0;
    let line = ui.horizontal_wrapped(|ui| {
        ui.spacing_mut().item_spacing.x = space::MD;
        if view.is_stale {
            ui.multiply_opacity(0.6);
        }
        for fact in facts {
            if fact.is_loud {
                loud_ui(ui, &fact);
            } else {
                ui.label(
                    RichText::new(fact.text)
                        .font(theme::small())
                        .color(c.of(fact.tone)),
                );
            }
        }
    });
    if let Some(ledger) = view.ledger {
        line.response.on_hover_text(facts::whole(ledger));
    }
}

/// What must not be overlooked: a picture, words and a surface of its own.
fn loud_ui(ui: &mut Ui, fact: &Fact) {
    let c = colors(ui);
    let galley = ui
        .painter()
        .layout_no_wrap(fact.text.clone(), theme::small(), c.of(fact.tone));
    let height = galley.size().y + space::XS;
    let width = galley.size().x + size::ICON + 3.0 * space::XS;
    let (rect, response) = ui.allocate_exact_size(vec2(width, height), Sense::hover());
    response.widget_info(|| WidgetInfo::labeled(Role::Label, true, &fact.text));
    ui.painter()
        .rect_filled(rect, size::BADGE_RADIUS, c.surface(fact.tone));
    let picture = Rect::from_min_size(rect.min + vec2(space::XS, 0.0), vec2(size::ICON - 2.0, height));
    paint_icon(ui.painter(), picture, Icon::Warning, c.of(fact.tone));
    let text = pos2(
        picture.right() + space::XS,
        rect.center().y - galley.size().y / 2.0,
    );
    ui.painter().galley(text, galley, c.of(fact.tone));
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

//! The open step: the form of its parameters and what can be done with it.

use egui::{Align, Layout, Popup, PopupCloseBehavior, ScrollArea, Ui};

use super::doc;
use super::fields::{self, FormView};
use super::in_place::Note;
use super::row::{RowAction, RowState, RowView};
use crate::gui::command::Command;
use crate::gui::theme::{self, space};
use crate::gui::widgets::{Icon, icon_button, quiet_button};
use crate::transform::StepInfo;

pub(super) fn editor_ui(
    ui: &mut Ui,
    view: &RowView<'_>,
    state: &mut RowState,
    commands: &mut Vec<Command>,
) -> Option<RowAction> {
    ui.add_space(space::SM);
    // The row of an open step is filled with the colour that other fields have for their outline.
    let edge = theme::colors(ui).edge;
    ui.visuals_mut().widgets.inactive.bg_stroke.color = edge;
    if let Some(info) = view.info {
        let view = FormView {
            at: view.at,
            step: view.step,
            info,
            schema: view.before,
            error: view.error.map(|error| &error.error),
            is_stale: view.is_stale,
        };
        fields::form_ui(ui, &view, &mut state.form, commands);
    }
    let mut action = None;
    ui.horizontal(|ui| {
        ui.spacing_mut().item_spacing.x = 0.0;
        ui.spacing_mut().button_padding.x = space::XS + 2.0;
        words_ui(ui, view, state, &mut action);
        ui.with_layout(Layout::right_to_left(Align::Center), |ui| {
            pictures_ui(ui, view, &mut action);
        });
    });
    action
}

fn words_ui(ui: &mut Ui, view: &RowView<'_>, state: &mut RowState, action: &mut Option<RowAction>) {
    let number = view.at + 1;
    let button = |ui: &mut Ui, text: &str| {
        quiet_button(ui, true, text)
            .accessible_name(format!("{text} step {number}"))
            .clicked()
    };
    if button(ui, "Rename") {
        state.in_place.start(view.at, Note::Name, view.step.id.as_deref());
    }
    if button(ui, "Comment") {
        state
            .in_place
            .start(view.at, Note::Comment, view.step.comment.as_deref());
    }
    if button(ui, "Duplicate") {
        *action = Some(RowAction::Duplicate);
    }
    if let Some(info) = view.info {
        about_ui(ui, info);
    }
}

fn about_ui(ui: &mut Ui, info: &StepInfo) {
    let about = quiet_button(ui, true, "?").accessible_name(format!("About {}", info.name));
    let about = about.on_hover_text(info.summary);
    Popup::from_toggle_button_response(&about)
        .close_behavior(PopupCloseBehavior::CloseOnClickOutside)
        .show(|ui| {
            ui.set_max_width(460.0);
            ScrollArea::vertical().max_height(420.0).show(ui, |ui| {
                ui.label(theme::strong(info.name));
                doc::doc_ui(ui, info.doc);
            });
        });
}

fn pictures_ui(ui: &mut Ui, view: &RowView<'_>, action: &mut Option<RowAction>) {
    let number = view.at + 1;
    if icon_button(ui, true, Icon::Trash, &format!("Delete step {number}")).clicked() {
        *action = Some(RowAction::Delete);
    }
    let can_sink = view.at + 1 < view.n_steps;
    let label = format!("Move step {number} down");
    if icon_button(ui, can_sink, Icon::ChevronDown, &label).clicked() {
        *action = Some(RowAction::Move(view.at + 1));
    }
    let label = format!("Move step {number} up");
    if icon_button(ui, view.at > 0, Icon::ChevronUp, &label).clicked() {
        *action = Some(RowAction::Move(view.at.saturating_sub(1)));
    }
}

//! Text fields with their labels and what is wrong with their content.

use egui::{Response, RichText, Stroke, TextEdit, Ui};

use crate::gui::theme::{colors, size, small, space, weak};

/// A one-line field. `label` names it for assistive technology; it is not shown.
pub fn text_field(ui: &mut Ui, text: &mut String, label: &str, hint: &str, is_code: bool) -> Response {
    let font = if is_code {
        crate::gui::theme::mono()
    } else {
        crate::gui::theme::regular(size::BODY_TEXT)
    };
    let hint = RichText::new(hint).font(font.clone()).color(colors(ui).weak);
    let edit = TextEdit::singleline(text)
        .hint_text(hint)
        .font(font)
        .margin(egui::Margin::symmetric(8, 5))
        .desired_width(ui.available_width());
    let response = ui.add(edit);
    name(ui, &response, label);
    response
}

/// A field with its label above and a message below. The space of the message is kept, so that nothing jumps.
pub fn labelled_field(
    ui: &mut Ui,
    text: &mut String,
    label: &str,
    hint: &str,
    error: Option<&str>,
) -> Response {
    let c = colors(ui);
    ui.vertical(|ui| {
        ui.spacing_mut().item_spacing.y = space::XS / 2.0;
        ui.label(weak(ui, label));
        let response = ui
            .scope(|ui| {
                if error.is_some() {
                    let widgets = &mut ui.visuals_mut().widgets;
                    widgets.inactive.bg_stroke = Stroke::new(size::LINE, c.bad);
                    widgets.hovered.bg_stroke = Stroke::new(size::LINE, c.bad);
                }
                text_field(ui, text, label, hint, true)
            })
            .inner;
        ui.label(RichText::new(error.unwrap_or(" ")).font(small()).color(c.bad));
        response
    })
    .inner
}

/// Gives a field its accessible name without a visible label.
fn name(ui: &Ui, response: &Response, label: &str) {
    ui.ctx()
        .accesskit_node_builder(response.id, |node| node.set_label(label));
}

//! A button that opens a card of controls below it.
//!
//! A menu takes frames and fills away from what it holds, so that its lines look like a list. A check box, a field or a
//! filled button needs them to be seen; here they keep them, and text is set from the left.

use egui::{Button, Id, Popup, PopupCloseBehavior, Response, Ui, vec2};

use crate::gui::theme::{self, size};

/// The button. `name` tells its card from others, so that it stays open while the controls beside the button come and go.
/// `contents` draws the card while it is open; a click outside, Escape or `ui.close()` closes it.
pub fn card_button(ui: &mut Ui, name: &str, text: &str, contents: impl FnOnce(&mut Ui)) -> Response {
    let button = Button::new(theme::body(text)).min_size(vec2(0.0, size::CONTROL));
    let response = ui.add(button);
    Popup::from_toggle_button_response(&response)
        .id(Id::unique(("card", name)))
        .close_behavior(PopupCloseBehavior::CloseOnClickOutside)
        .show(contents);
    response
}

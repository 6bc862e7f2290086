//! Texts in the styles of the window. The colour of a tone needs the theme, so those take the `Ui`.

use egui::{RichText, Ui};

use super::{Tone, colors, italic, mono, regular, semibold, size, small};

pub fn body(text: impl Into<String>) -> RichText {
    RichText::new(text).font(regular(size::BODY_TEXT))
}

/// Names and headings: weight, not size.
pub fn strong(text: impl Into<String>) -> RichText {
    RichText::new(text).font(semibold(size::BODY_TEXT))
}

/// The head of a card or dialog.
pub fn title(text: impl Into<String>) -> RichText {
    strong(text)
}

/// Secondary text.
pub fn weak(ui: &Ui, text: impl Into<String>) -> RichText {
    body(text).color(colors(ui).weak)
}

/// Secondary text on its own line.
pub fn weak_small(ui: &Ui, text: impl Into<String>) -> RichText {
    RichText::new(text).font(small()).color(colors(ui).weak)
}

/// Body text that means something.
pub fn tone(ui: &Ui, tone: Tone, text: impl Into<String>) -> RichText {
    body(text).color(colors(ui).of(tone))
}

/// Keys, paths and expressions.
pub fn code(text: impl Into<String>) -> RichText {
    RichText::new(text).font(mono())
}

/// The one large size, for figures that head a card.
pub fn headline(text: impl Into<String>) -> RichText {
    RichText::new(text).font(semibold(size::HEADLINE_TEXT))
}

/// Something to click in running text.
pub fn link(ui: &Ui, text: impl Into<String>) -> RichText {
    body(text).color(colors(ui).accent)
}

/// A value that is not there.
pub fn null(ui: &Ui) -> RichText {
    RichText::new("null")
        .font(italic(size::BODY_TEXT))
        .color(colors(ui).weak)
}

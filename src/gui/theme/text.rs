//! Texts in the styles of the window. The colour of a tone needs the theme, so those take the `Ui`.

use egui::text::{LayoutJob, TextFormat};
use egui::{Color32, FontId, RichText, Ui};

use super::{Tone, colors, italic, mono, mono_small, regular, semibold, size, small};

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

/// Body text in which names stand between backticks, as findings write them: those are set as code.
pub fn body_marked(ui: &Ui, text: &str) -> LayoutJob {
    marked(text, &regular(size::BODY_TEXT), &mono(), colors(ui).text)
}

/// The same for a heading.
pub fn strong_marked(ui: &Ui, text: &str) -> LayoutJob {
    marked(text, &semibold(size::BODY_TEXT), &mono(), colors(ui).text)
}

/// The same for secondary text.
pub fn weak_marked(ui: &Ui, text: &str) -> LayoutJob {
    marked(text, &regular(size::BODY_TEXT), &mono(), colors(ui).weak)
}

/// The same for secondary text on its own line.
pub fn weak_small_marked(ui: &Ui, text: &str) -> LayoutJob {
    marked(text, &small(), &mono_small(), colors(ui).weak)
}

fn marked(text: &str, font: &FontId, code: &FontId, color: Color32) -> LayoutJob {
    let mut job = LayoutJob::default();
    // A backtick without its second one is a character like others.
    let is_marked = text.matches('`').count().is_multiple_of(2);
    let parts: Vec<&str> = if is_marked {
        text.split('`').collect()
    } else {
        vec![text]
    };
    for (n, part) in parts.into_iter().enumerate() {
        let font = if n % 2 == 1 { code } else { font };
        job.append(part, 0.0, TextFormat::simple(font.clone(), color));
    }
    job
}

#[cfg(test)]
mod tests {
    use egui::{Color32, FontId};

    use super::marked;

    #[test]
    fn names_between_backticks_are_set_as_code() {
        let (font, code) = (FontId::proportional(13.0), FontId::monospace(12.0));
        let job = marked("Set `a.b` to 5, not `c`.", &font, &code, Color32::WHITE);
        assert_eq!(job.text, "Set a.b to 5, not c.");
        let as_code: Vec<&str> = job
            .sections
            .iter()
            .filter(|section| section.format.font_id == code)
            .map(|section| &job.text[section.byte_range.start.0..section.byte_range.end.0])
            .collect();
        assert_eq!(as_code, ["a.b", "c"]);
        assert_eq!(marked("it`s", &font, &code, Color32::WHITE).text, "it`s");
    }
}

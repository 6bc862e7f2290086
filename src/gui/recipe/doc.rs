//! A step's documentation, drawn: paragraphs, code, and the few marks of Markdown that it uses.

use egui::text::{LayoutJob, TextFormat};
use egui::{Frame, Label, Margin, RichText, Ui};

use crate::gui::theme::{self, colors, size, space};

#[derive(Debug, Clone, PartialEq, Eq)]
enum Block {
    Paragraph(String),
    Item(String),
    Code(String),
}

/// The documentation in the width that is there.
pub(super) fn doc_ui(ui: &mut Ui, doc: &str) {
    let c = colors(ui);
    ui.spacing_mut().item_spacing.y = space::SM;
    for block in blocks(doc) {
        match block {
            Block::Paragraph(text) => {
                ui.add(Label::new(inline(ui, &text)).wrap());
            }
            Block::Item(text) => {
                ui.horizontal_top(|ui| {
                    ui.label(theme::weak(ui, "•"));
                    ui.add(Label::new(inline(ui, &text)).wrap());
                });
            }
            Block::Code(text) => {
                Frame::new()
                    .fill(c.card)
                    .corner_radius(size::BADGE_RADIUS)
                    .inner_margin(Margin::symmetric(8, 6))
                    .show(ui, |ui| {
                        ui.set_width(ui.available_width());
                        let text = RichText::new(text).font(theme::mono_small()).color(c.text);
                        ui.add(Label::new(text).wrap().selectable(true));
                    });
            }
        }
    }
}

fn blocks(doc: &str) -> Vec<Block> {
    let mut blocks: Vec<Block> = Vec::new();
    let mut code: Option<String> = None;
    let mut is_continuing = false;
    for line in doc.lines() {
        if line.trim_start().starts_with("```") {
            if let Some(text) = code.take() {
                blocks.push(Block::Code(text.trim_end().to_owned()));
            } else {
                code = Some(String::new());
            }
            is_continuing = false;
            continue;
        }
        if let Some(code) = &mut code {
            code.push_str(line);
            code.push('\n');
            continue;
        }
        let text = line.trim();
        if text.is_empty() {
            is_continuing = false;
        } else if let Some(item) = text.strip_prefix("- ") {
            blocks.push(Block::Item(item.to_owned()));
            is_continuing = true;
        } else if let (true, Some(Block::Paragraph(before) | Block::Item(before))) =
            (is_continuing, blocks.last_mut())
        {
            before.push(' ');
            before.push_str(text);
        } else {
            blocks.push(Block::Paragraph(text.to_owned()));
            is_continuing = true;
        }
    }
    blocks
}

/// A text with `code` in the monospace face and **strong** words in the heavy one.
fn inline(ui: &Ui, text: &str) -> LayoutJob {
    let c = colors(ui);
    let mut job = LayoutJob::default();
    for (at, part) in text.split('`').enumerate() {
        if at % 2 == 1 {
            job.append(part, 0.0, TextFormat::simple(theme::mono(), c.text));
            continue;
        }
        for (at, part) in part.split("**").enumerate() {
            let font = if at % 2 == 1 {
                theme::semibold(size::BODY_TEXT)
            } else {
                theme::regular(size::BODY_TEXT)
            };
            job.append(part, 0.0, TextFormat::simple(font, c.text));
        }
    }
    job
}

#[cfg(test)]
mod tests {
    use super::{Block, blocks};

    #[test]
    fn documentation_falls_into_paragraphs_items_and_code() {
        let doc =
            "First line.\n\nA longer\nparagraph.\n\n```yaml\n- a: {}\n  # b\n```\n\n- one\n  more\n- two\n";
        let expected = [
            Block::Paragraph("First line.".to_owned()),
            Block::Paragraph("A longer paragraph.".to_owned()),
            Block::Code("- a: {}\n  # b".to_owned()),
            Block::Item("one more".to_owned()),
            Block::Item("two".to_owned()),
        ];
        assert_eq!(blocks(doc), expected);
    }
}

//! A step's own name and its comment, edited where they stand.

use egui::{Key, Label, Modifiers, RichText, TextEdit, Ui};

use super::row::RowView;
use crate::gui::command::Command;
use crate::gui::theme::{self, colors, size};
use crate::session::Edit;
use crate::transform::Recipe;

/// What is edited.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Note {
    Name,
    Comment,
}

/// The half-typed text and the step it belongs to.
#[derive(Debug, Default)]
pub(super) struct InPlace {
    editing: Option<(usize, Note)>,
    text: String,
    is_asking_focus: bool,
}

impl InPlace {
    /// Opens the field of step `at`.
    pub fn start(&mut self, at: usize, note: Note, text: Option<&str>) {
        self.editing = Some((at, note));
        text.unwrap_or_default().clone_into(&mut self.text);
        self.is_asking_focus = true;
    }

    pub fn is(&self, at: usize, note: Note) -> bool {
        self.editing == Some((at, note))
    }

    /// The field. Enter or leaving it takes the text, Escape does not.
    pub fn field_ui(&mut self, ui: &mut Ui, view: &RowView<'_>, width: f32, commands: &mut Vec<Command>) {
        let Some((at, note)) = self.editing else { return };
        let (label, hint) = match note {
            Note::Name => (format!("name of step {}", at + 1), view.step.step.name()),
            Note::Comment => (format!("comment of step {}", at + 1), "what the step is for"),
        };
        let id = ui.make_persistent_id(&label);
        let has_focus = ui.memory(|memory| memory.has_focus(id));
        // Enter ends a comment too; Shift+Enter starts another line of it.
        let is_entered = has_focus && ui.input_mut(take_plain_enter);
        let font = match note {
            Note::Name => theme::semibold(size::BODY_TEXT),
            Note::Comment => theme::small(),
        };
        let edit = match note {
            Note::Name => TextEdit::singleline(&mut self.text),
            Note::Comment => TextEdit::multiline(&mut self.text).desired_rows(1),
        };
        let response = ui.add(
            edit.id(id)
                .font(font.clone())
                .hint_text(RichText::new(hint).font(font).color(colors(ui).weak))
                .margin(egui::Margin::symmetric(6, 3))
                .desired_width(width.max(80.0)),
        );
        ui.ctx()
            .accesskit_node_builder(response.id, |node| node.set_label(label.as_str()));
        if std::mem::take(&mut self.is_asking_focus) {
            response.request_focus();
        }
        let text = self.text.trim();
        let wrong = match note {
            Note::Name => name_taken(view.recipe, at, text),
            Note::Comment => None,
        };
        if let Some(message) = &wrong {
            let c = colors(ui);
            ui.add(Label::new(RichText::new(message).font(theme::small()).color(c.bad)).wrap());
        }
        // Escape takes the keyboard away before the field is drawn.
        let is_escaped = response.lost_focus() && ui.input(|input| input.key_pressed(Key::Escape));
        if is_escaped {
            self.editing = None;
        } else if (is_entered || response.lost_focus()) && wrong.is_none() {
            let text = (!text.is_empty()).then(|| text.to_owned());
            let edit = match note {
                Note::Name => Edit::NameStep { at, id: text },
                Note::Comment => Edit::CommentStep { at, comment: text },
            };
            commands.push(Command::Seal);
            commands.push(Command::Edit(edit));
            self.editing = None;
        } else if is_entered || response.lost_focus() {
            response.request_focus();
        }
    }
}

fn take_plain_enter(input: &mut egui::InputState) -> bool {
    !input.modifiers.shift && input.consume_key(Modifiers::NONE, Key::Enter)
}

/// Why a step cannot have this name: reports name steps by it, so it must be the only one.
fn name_taken(recipe: &Recipe, at: usize, name: &str) -> Option<String> {
    let other = recipe
        .steps
        .iter()
        .enumerate()
        .position(|(other, step)| other != at && step.id.as_deref() == Some(name))?;
    Some(format!("step {} is called so already", other + 1))
}

//! The field of an expression: completion while typing, and the place of an error underlined.
//!
//! What could be completed is [`complete`]'s to say; here it becomes a list that never takes the keyboard away from the
//! field: arrows mark an entry, Tab or Enter accepts it, Escape closes the list, Ctrl+Space asks for it.

use egui::text::{CCursor, CCursorRange};
use egui::text_edit::TextEditOutput;
use egui::{
    Align2, Event, EventFilter, Id, Key, LayerId, Modifiers, Popup, PopupKind, Rect, RectAlign, Response,
    RichText, Role, ScrollArea, Sense, Shape, Stroke, SurrenderFocusOn, TextEdit, Ui, WidgetInfo, pos2, vec2,
};
use polars::prelude::Schema;

use crate::gui::theme::{self, colors, size, space};
use crate::transform::expr::{Completion, CompletionKind, Completions, complete};

/// Entries in view at once.
const N_IN_VIEW: f32 = 8.0;

/// What the field shows besides its text.
pub(super) struct ExpressionView<'a> {
    pub label: &'a str,
    pub hint: &'a str,
    /// Columns that the expression can use; none while they are not known.
    pub schema: Option<&'a Schema>,
    /// 1-based character of what is wrong, and why.
    pub error: Option<(usize, &'a str)>,
}

/// Completion in whichever expression field was last typed in.
#[derive(Debug, Default)]
pub(super) struct Completing {
    /// The field, also after the keyboard has left it: the list of functions inserts there.
    field: Option<Id>,
    /// Set by typing and by Ctrl+Space; cleared when the cursor moves on without typing.
    is_wanted: bool,
    is_asked: bool,
    is_open: bool,
    marked: usize,
    /// For which text and cursor `found` was made.
    known: Option<(String, usize, usize)>,
    found: Completions,
    /// What to insert at the cursor, and how far the cursor goes back from its end.
    to_insert: Option<(String, usize)>,
}

impl Completing {
    /// Inserts `text` at the cursor of the last field in the next frame.
    pub fn insert(&mut self, text: String, cursor_back: usize) {
        self.to_insert = Some((text, cursor_back));
    }

    /// Looks up what fits, unless it is known for this text and cursor.
    fn look_up(&mut self, text: &str, cursor: usize, schema: &Schema) {
        let is_known = self.known.as_ref().is_some_and(|(known, at, n_columns)| {
            known == text && *at == cursor && *n_columns == schema.len()
        });
        if !is_known {
            self.found = complete(text, cursor, schema);
            self.known = Some((text.to_owned(), cursor, schema.len()));
            self.marked = 0;
        }
    }
}

/// What happened in this frame.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Typed {
    pub is_changed: bool,
    pub is_left: bool,
}

/// Keys taken while the list is open, before the field sees them.
#[derive(Default)]
struct Keys {
    down: usize,
    up: usize,
    is_accepting: bool,
    is_closing: bool,
}

/// The field and, while it is open, the list.
pub(super) fn expression_ui(
    ui: &mut Ui,
    text: &mut String,
    view: &ExpressionView<'_>,
    state: &mut Completing,
) -> Typed {
    let id = ui.make_persistent_id(view.label);
    let had_focus = ui.memory(|memory| memory.has_focus(id));
    let is_open = had_focus && state.field == Some(id) && state.is_open;
    let keys = if is_open { take_keys(ui) } else { Keys::default() };
    let is_asking = had_focus && ui.input_mut(|input| input.consume_key(Modifiers::COMMAND, Key::Space));
    let output = edit_ui(ui, text, view, id, is_open);
    let response = output.response.response.clone();
    name_field(ui, &response, view.label);
    underline_ui(ui, view, text, &output);

    if response.has_focus() && state.field != Some(id) {
        *state = Completing {
            field: Some(id),
            to_insert: state.to_insert.take(),
            ..Completing::default()
        };
    }
    let mut is_changed = response.changed();
    if state.field.is_none_or(|field| field == id)
        && let Some((insert, cursor_back)) = state.to_insert.take()
    {
        let at = cursor_of(ui, id).unwrap_or_else(|| text.chars().count());
        replace(ui, id, text, at..at, &insert, cursor_back);
        response.request_focus();
        is_changed = true;
    }
    if state.field == Some(id) {
        if is_changed || is_asking {
            state.is_wanted = true;
            state.is_asked = is_asking;
        } else if state
            .known
            .as_ref()
            .is_some_and(|(_, at, _)| Some(*at) != cursor(&output))
        {
            state.is_wanted = false;
        }
        if keys.is_closing || !response.has_focus() {
            state.is_wanted = false;
        }
        is_changed |= list_ui(ui, id, text, view, &output, &keys, state);
    }
    Typed {
        is_changed,
        is_left: response.lost_focus(),
    }
}

fn edit_ui(
    ui: &mut Ui,
    text: &mut String,
    view: &ExpressionView<'_>,
    id: Id,
    is_open: bool,
) -> TextEditOutput {
    let hint = RichText::new(view.hint)
        .font(theme::mono())
        .color(colors(ui).weak);
    let edit = TextEdit::multiline(text)
        .id(id)
        .font(theme::mono())
        .hint_text(hint)
        .margin(egui::Margin::symmetric(8, 5))
        .desired_rows(1)
        .desired_width(ui.available_width())
        .event_filter(EventFilter {
            horizontal_arrows: true,
            vertical_arrows: true,
            tab: is_open,
            escape: is_open,
        });
    // A press on the list must not take the keyboard from the field.
    let layer = LayerId::new(PopupKind::Popup.order(), popup_id(id));
    let pointer = ui.ctx().pointer_interact_pos();
    let is_on_list = is_open && pointer.and_then(|pos| ui.ctx().layer_id_at(pos)) == Some(layer);
    let usual = ui
        .ctx()
        .options(|options| options.input_options.surrender_focus_on);
    let set = |on| {
        ui.ctx()
            .options_mut(|options| options.input_options.surrender_focus_on = on);
    };
    if is_on_list {
        set(SurrenderFocusOn::Never);
    }
    let output = edit.show(ui);
    ui.ctx()
        .options_mut(|options| options.input_options.surrender_focus_on = usual);
    output
}

fn popup_id(field: Id) -> Id {
    field.with("completions")
}

fn name_field(ui: &Ui, response: &Response, label: &str) {
    ui.ctx()
        .accesskit_node_builder(response.id, |node| node.set_label(label));
}

fn cursor(output: &TextEditOutput) -> Option<usize> {
    output.cursor_range.map(|range| range.primary.index.0)
}

/// The cursor of a field that may have lost the keyboard.
fn cursor_of(ui: &Ui, id: Id) -> Option<usize> {
    let state = TextEdit::load_state(ui.ctx(), id)?;
    state.cursor.char_range().map(|range| range.primary.index.0)
}

fn take_keys(ui: &Ui) -> Keys {
    let mut keys = Keys::default();
    ui.input_mut(|input| {
        input.events.retain(|event| {
            let Event::Key {
                key,
                pressed: true,
                modifiers,
                ..
            } = event
            else {
                return true;
            };
            // With Shift or Ctrl these keys belong to the text.
            if !modifiers.is_none() {
                return true;
            }
            match key {
                Key::ArrowDown => keys.down += 1,
                Key::ArrowUp => keys.up += 1,
                Key::Enter | Key::Tab => keys.is_accepting = true,
                Key::Escape => keys.is_closing = true,
                _ => return true,
            }
            false
        });
    });
    keys
}

/// The list below the field. Whether an entry was accepted, and so the text changed.
fn list_ui(
    ui: &Ui,
    id: Id,
    text: &mut String,
    view: &ExpressionView<'_>,
    output: &TextEditOutput,
    keys: &Keys,
    state: &mut Completing,
) -> bool {
    state.is_open = false;
    let response = &output.response.response;
    let (Some(schema), Some(at)) = (view.schema, cursor(output)) else {
        return false;
    };
    if !state.is_wanted || !response.has_focus() {
        return false;
    }
    state.look_up(text, at, schema);
    let n = state.found.entries.len();
    if n == 0 || !(state.found.is_begun || state.is_asked) {
        return false;
    }
    state.marked = (state.marked + keys.down + (n - keys.up % n)) % n;
    let mut accepted = keys.is_accepting.then_some(state.marked);
    if accepted.is_none() {
        state.is_open = true;
        let has_moved = keys.down != keys.up;
        accepted = Popup::from_response(response)
            .id(popup_id(id))
            .kind(PopupKind::Popup)
            .open(true)
            .align(RectAlign::BOTTOM_START)
            .align_alternatives(&[RectAlign::TOP_START])
            .width(response.rect.width().max(300.0))
            .show(|ui| entries_ui(ui, state, has_moved))
            .and_then(|shown| shown.inner);
    }
    let Some(entry) = accepted.and_then(|at| state.found.entries.get(at)).cloned() else {
        return false;
    };
    let range = state.found.replaces.clone();
    replace(ui, id, text, range, &entry.insert, entry.cursor_back);
    state.is_open = false;
    state.is_wanted = false;
    state.known = None;
    ui.ctx().request_repaint();
    true
}

/// Returns the entry that was clicked.
fn entries_ui(ui: &mut Ui, state: &mut Completing, has_moved: bool) -> Option<usize> {
    ui.spacing_mut().item_spacing.y = 0.0;
    let mut clicked = None;
    let has_pointer_moved = ui.input(|input| input.pointer.is_moving());
    ScrollArea::vertical()
        .max_height(N_IN_VIEW * size::ROW)
        .show(ui, |ui| {
            for (at, entry) in state.found.entries.iter().enumerate() {
                let is_marked = at == state.marked;
                let response = entry_ui(ui, entry, is_marked);
                if is_marked && has_moved {
                    response.scroll_to_me(None);
                }
                if response.hovered() && has_pointer_moved {
                    state.marked = at;
                }
                if response.clicked() {
                    clicked = Some(at);
                }
            }
        });
    ui.add_space(space::XS);
    ui.label(theme::weak_small(ui, "Tab accepts · Esc closes"));
    clicked
}

fn entry_ui(ui: &mut Ui, entry: &Completion, is_marked: bool) -> Response {
    const KIND_WIDTH: f32 = 40.0;
    let c = colors(ui);
    let (rect, response) = ui.allocate_exact_size(vec2(ui.available_width(), size::ROW), Sense::click());
    let label = format!("{} {}", entry.label, entry.detail);
    response.widget_info(|| WidgetInfo::selected(Role::ListBoxOption, true, is_marked, &label));
    if is_marked {
        ui.painter().rect_filled(rect, size::BADGE_RADIUS, c.selection);
    }
    let painter = ui.painter().with_clip_rect(rect.intersect(ui.clip_rect()));
    let middle = rect.center().y;
    let left = rect.left() + space::XS;
    let kind = match entry.kind {
        CompletionKind::Column => "col",
        CompletionKind::Field => "field",
        CompletionKind::Function => "fn",
        CompletionKind::Keyword => "word",
        CompletionKind::Type => "type",
    };
    painter.text(
        pos2(left, middle),
        Align2::LEFT_CENTER,
        kind,
        theme::small(),
        c.weak,
    );
    let name = painter.text(
        pos2(left + KIND_WIDTH, middle),
        Align2::LEFT_CENTER,
        &entry.label,
        theme::mono(),
        c.text,
    );
    let mut detail =
        egui::text::LayoutJob::simple_singleline(entry.detail.clone(), theme::mono_small(), c.weak);
    let room = rect.right() - space::XS - name.right() - space::MD;
    detail.wrap = egui::text::TextWrapping::truncate_at_width(room.max(0.0));
    let galley = painter.layout_job(detail);
    let place = pos2(
        rect.right() - space::XS - galley.size().x,
        middle - galley.size().y / 2.0,
    );
    painter.galley(place, galley, c.weak);
    response
}

/// Puts `insert` in the place of the characters of `range`, and the cursor `back` characters before its end.
fn replace(ui: &Ui, id: Id, text: &mut String, range: std::ops::Range<usize>, insert: &str, back: usize) {
    let byte = |at: usize| text.char_indices().nth(at).map_or(text.len(), |(byte, _)| byte);
    let bytes = byte(range.start)..byte(range.end);
    text.replace_range(bytes, insert);
    let cursor = CCursor::new(range.start + insert.chars().count() - back);
    let mut edit = TextEdit::load_state(ui.ctx(), id).unwrap_or_default();
    edit.cursor.set_char_range(Some(CCursorRange::one(cursor)));
    TextEdit::store_state(ui.ctx(), id, edit);
}

/// Characters of the word or the quoted name that an error stands at: at least one, also behind the end.
fn word_at(text: &str, position: usize) -> std::ops::Range<usize> {
    let start = position.saturating_sub(1);
    let rest = || text.chars().skip(start);
    let n = match rest().next() {
        Some(quote @ ('"' | '\'')) => {
            let inside = rest().skip(1).position(|c| c == quote);
            inside.map_or(1, |n| n + 2)
        }
        _ => rest().take_while(|c| c.is_alphanumeric() || *c == '_').count(),
    };
    start..start + n.max(1)
}

/// A wave below what is wrong.
fn underline_ui(ui: &Ui, view: &ExpressionView<'_>, text: &str, output: &TextEditOutput) {
    const STEP: f32 = 2.0;
    let Some((position, message)) = view.error.filter(|(position, _)| *position > 0) else {
        return;
    };
    let n_chars = text.chars().count();
    if position > n_chars + 1 {
        return;
    }
    let range = word_at(text, position);
    let place = |at: usize| {
        let rect = output.galley.pos_from_cursor(CCursor::new(at.min(n_chars)));
        rect.translate(output.galley_pos.to_vec2())
    };
    let (from, to) = (place(range.start), place(range.end));
    // A word is never broken over two lines unless it is longer than one: then its first line tells the place.
    let right = if (from.bottom() - to.bottom()).abs() < 1.0 && to.left() > from.left() {
        to.left()
    } else {
        from.left() + space::SM
    };
    let rect = Rect::from_min_max(from.left_top(), pos2(right, from.bottom() + STEP));
    let mut points = Vec::new();
    let mut x = rect.left();
    while x <= right {
        let is_low = points.len() % 2 == 0;
        points.push(pos2(x, from.bottom() + if is_low { STEP } else { 0.0 } - 1.0));
        x += STEP;
    }
    let color = colors(ui).bad;
    let painter = ui.painter().with_clip_rect(output.text_clip_rect.expand(STEP));
    painter.add(Shape::line(points, Stroke::new(size::LINE * 1.25, color)));
    let response = ui.interact(rect, ui.scope_id().with((view.label, "error")), Sense::hover());
    let wrong: String = text.chars().skip(range.start).take(range.len()).collect();
    let label = match wrong.as_str() {
        "" => format!("error at the end of {}", view.label),
        wrong => format!("error at character {position} of {}, `{wrong}`", view.label),
    };
    response.widget_info(|| WidgetInfo::labeled(Role::Label, true, &label));
    response.on_hover_text(message);
}

#[cfg(test)]
mod tests {
    use super::word_at;

    #[test]
    fn an_error_is_as_wide_as_the_word_it_stands_at() {
        assert_eq!(word_at("a = titel + 1", 5), 4..9);
        assert_eq!(word_at("a + + b", 5), 4..5);
        assert_eq!(word_at("größe_x", 1), 0..7);
        assert_eq!(word_at("a =", 4), 3..4, "behind the end");
        assert_eq!(word_at("1 + \"my col\" > 2", 5), 4..12, "with its quotes");
        assert_eq!(word_at("a = 'x", 5), 4..5, "not closed");
    }
}

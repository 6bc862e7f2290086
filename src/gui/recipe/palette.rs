//! The field that adds a step: typing narrows the list of all kinds of steps, Enter adds the marked one.

use egui::{EventFilter, Key, Modifiers, RichText, Role, Sense, TextEdit, Ui, WidgetInfo, vec2};

use super::fuzzy;
use crate::gui::theme::{self, colors, size, space};
use crate::transform::{StepInfo, registry};

/// What is typed, and which entry is marked.
#[derive(Debug, Default)]
pub(super) struct Palette {
    pub text: String,
    pub is_open: bool,
    /// Asks for the keyboard in the next frame.
    pub is_asking_focus: bool,
    marked: usize,
}

/// The kinds of steps that fit `query`, best first: names before summaries, summaries before documentation.
fn found(query: &str) -> Vec<&'static StepInfo> {
    let query = query.trim();
    if query.is_empty() {
        return registry().iter().collect();
    }
    let mut hits: Vec<(i32, &StepInfo)> = registry()
        .iter()
        .filter_map(|info| {
            let name = fuzzy::score(query, info.name).map(|score| score + 2000);
            let words = query.to_lowercase();
            let is_in = |text: &str| text.to_lowercase().contains(&words);
            let summary = is_in(info.summary).then_some(1000);
            let group = is_in(info.group).then_some(900);
            let doc = is_in(info.doc).then_some(100);
            Some((name.or(summary).or(group).or(doc)?, info))
        })
        .collect();
    hits.sort_by_key(|(score, _)| std::cmp::Reverse(*score));
    hits.into_iter().map(|(_, info)| info).collect()
}

/// The field and, while it is open, the list. Returns the step that was chosen. `place` says where it will go.
pub(super) fn palette_ui(ui: &mut Ui, palette: &mut Palette, place: &str) -> Option<&'static StepInfo> {
    let c = colors(ui);
    let id = ui.make_persistent_id("add a step");
    let has_focus = ui.memory(|memory| memory.has_focus(id));
    let entries = if palette.is_open {
        found(&palette.text)
    } else {
        Vec::new()
    };
    let last = entries.len().saturating_sub(1);
    if has_focus {
        let arrows = EventFilter {
            horizontal_arrows: true,
            vertical_arrows: true,
            escape: false,
            tab: false,
        };
        ui.memory_mut(|memory| memory.set_focus_lock_filter(id, arrows));
        let (down, up) = ui.input_mut(|input| {
            let down = input.consume_key(Modifiers::NONE, Key::ArrowDown);
            (down, input.consume_key(Modifiers::NONE, Key::ArrowUp))
        });
        if down {
            palette.marked = (palette.marked + 1).min(last);
        } else if up {
            palette.marked = palette.marked.saturating_sub(1);
        }
    }
    let hint = format!("+ Add a step…   type to search {}", registry().len());
    let edit = TextEdit::singleline(&mut palette.text)
        .id(id)
        .hint_text(RichText::new(hint).color(c.weak))
        .margin(egui::Margin::symmetric(10, 6))
        .desired_width(ui.available_width());
    let response = ui.add(edit);
    ui.ctx()
        .accesskit_node_builder(response.id, |node| node.set_label("Add a step"));
    if std::mem::take(&mut palette.is_asking_focus) {
        response.request_focus();
        response.scroll_to_me(None);
    }
    if response.gained_focus() {
        palette.is_open = true;
        palette.marked = 0;
    }
    if response.changed() {
        palette.is_open = true;
        palette.marked = 0;
    }
    let (is_entered, is_escaped) =
        ui.input(|input| (input.key_pressed(Key::Enter), input.key_pressed(Key::Escape)));
    let mut chosen = None;
    if response.lost_focus() && is_entered {
        let entries = found(&palette.text);
        chosen = entries
            .get(palette.marked.min(entries.len().saturating_sub(1)))
            .copied();
    } else if response.lost_focus() && is_escaped {
        palette.is_open = false;
        palette.text.clear();
    }
    if palette.is_open && chosen.is_none() {
        if !place.is_empty() {
            ui.label(theme::weak_small(ui, place));
        }
        let entries = found(&palette.text);
        let top = ui.cursor().top();
        chosen = list_ui(ui, &entries, palette.marked);
        let list = egui::Rect::from_min_max(
            egui::pos2(response.rect.left(), top),
            egui::pos2(response.rect.right(), ui.cursor().top()),
        );
        let is_outside = ui.input(|input| {
            let pos = input.pointer.interact_pos();
            input.pointer.any_pressed() && pos.is_some_and(|pos| !list.union(response.rect).contains(pos))
        });
        if is_outside {
            palette.is_open = false;
        }
    }
    if chosen.is_some() {
        palette.is_open = false;
        palette.text.clear();
    }
    chosen
}

fn list_ui(ui: &mut Ui, entries: &[&'static StepInfo], marked: usize) -> Option<&'static StepInfo> {
    let c = colors(ui);
    let mut chosen = None;
    if entries.is_empty() {
        ui.label(theme::weak(
            ui,
            "No step of that name. Try what it should do: text, null, date.",
        ));
    }
    ui.spacing_mut().item_spacing.y = 0.0;
    for (at, info) in entries.iter().enumerate() {
        let (rect, response) = ui.allocate_exact_size(vec2(ui.available_width(), 42.0), Sense::click());
        response.widget_info(|| WidgetInfo::labeled(Role::Button, true, format!("Add {}", info.name)));
        if at == marked || response.hovered() {
            ui.painter().rect_filled(rect, size::CONTROL_RADIUS, c.selection);
        }
        let painter = ui.painter().with_clip_rect(rect.intersect(ui.clip_rect()));
        let inner = rect.shrink2(vec2(space::SM + 2.0, 5.0));
        let name = painter.layout_no_wrap(info.name.to_owned(), theme::semibold(size::BODY_TEXT), c.text);
        let group = painter.layout_no_wrap(info.group.to_owned(), theme::small(), c.weak);
        painter.galley(inner.min, name, c.text);
        painter.galley(
            egui::pos2(inner.right() - group.size().x, inner.top() + 1.0),
            group,
            c.weak,
        );
        let mut job =
            egui::text::LayoutJob::simple_singleline(info.summary.to_owned(), theme::small(), c.weak);
        job.wrap = egui::text::TextWrapping::truncate_at_width(inner.width());
        let summary = painter.layout_job(job);
        painter.galley(
            egui::pos2(inner.left(), inner.bottom() - summary.size().y),
            summary,
            c.weak,
        );
        if at == marked {
            response.scroll_to_me(None);
        }
        let response = response.on_hover_ui(|ui| {
            ui.set_max_width(420.0);
            ui.label(theme::code(info.doc));
        });
        if response.clicked() {
            chosen = Some(*info);
        }
    }
    chosen
}

#[cfg(test)]
mod tests {
    use super::found;
    use crate::transform::registry;

    #[test]
    fn names_come_before_summaries_and_an_empty_search_lists_all() {
        assert_eq!(found("").len(), registry().len());
        assert_eq!(found("filt").first().map(|info| info.name), Some("filter"));
        assert_eq!(
            found("norm").first().map(|info| info.name),
            Some("normalize_text")
        );
        assert!(
            found("html").iter().any(|info| info.name == "normalize_text"),
            "found by what it does"
        );
        assert!(found("qqqq").is_empty());
    }
}

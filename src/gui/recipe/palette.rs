//! The field that adds a step: typing narrows the list of all kinds of steps, Enter adds the marked one.
//!
//! The list has a heading for each group until something is typed. What the marked step does, with an example, stands
//! beside the list before the step is added.

use egui::{
    Align2, Area, EventFilter, Frame, Id, Key, Margin, Modifiers, Order, Rect, RichText, Role, ScrollArea,
    Sense, TextEdit, Ui, WidgetInfo, pos2, vec2,
};

use super::{doc, fuzzy};
use crate::gui::theme::{self, Tone, colors, size, space};
use crate::gui::widgets::{badge, section_label};
use crate::transform::steps::GROUPS;
use crate::transform::{Scope, StepInfo, registry};

const ENTRY_HEIGHT: f32 = 42.0;
/// Height of the list before it scrolls.
const LIST_HEIGHT: f32 = 460.0;
const ABOUT_WIDTH: f32 = 400.0;

/// What is typed, and which entry is marked.
#[derive(Debug, Default)]
pub(super) struct Palette {
    pub text: String,
    pub is_open: bool,
    /// Asks for the keyboard in the next frame.
    pub is_asking_focus: bool,
    marked: usize,
    /// Brings the marked entry into view.
    is_following: bool,
}

/// The kinds of steps that fit `query`, best first: names before summaries, summaries before documentation.
fn found(query: &str) -> Vec<&'static StepInfo> {
    let query = query.trim();
    if query.is_empty() {
        let mut all: Vec<&StepInfo> = registry().iter().collect();
        // Stable: inside a group the steps keep their order.
        all.sort_by_key(|info| GROUPS.iter().position(|group| *group == info.group));
        return all;
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
        palette.is_following = down || up;
        if down {
            palette.marked = (palette.marked + 1).min(last);
        } else if up {
            palette.marked = palette.marked.saturating_sub(1);
        }
    }
    let hint = format!("+ Add a step…   type to search {} steps", registry().len());
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
        let is_grouped = palette.text.trim().is_empty();
        let area;
        (chosen, area) = list_ui(ui, &entries, is_grouped, palette);
        if let Some(info) = entries.get(palette.marked) {
            about_ui(ui, info, area);
        }
        let is_outside = ui.input(|input| {
            let pos = input.pointer.interact_pos();
            input.pointer.any_pressed() && pos.is_some_and(|pos| !area.union(response.rect).contains(pos))
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

/// The entries, under headings or in order of fit. Returns the one that was clicked, and where the list stands.
fn list_ui(
    ui: &mut Ui,
    entries: &[&'static StepInfo],
    is_grouped: bool,
    palette: &mut Palette,
) -> (Option<&'static StepInfo>, Rect) {
    let mut chosen = None;
    if entries.is_empty() {
        let text = "No step of that name. Try what it should do: text, null, date.";
        let response = ui.add(egui::Label::new(theme::weak(ui, text)).wrap());
        return (None, response.rect);
    }
    let has_pointer_moved = ui.input(|input| input.pointer.is_moving());
    let output = ScrollArea::vertical()
        .id_salt("kinds of steps")
        .max_height(LIST_HEIGHT)
        .show(ui, |ui| {
            ui.spacing_mut().item_spacing.y = 0.0;
            let mut group = "";
            for (at, info) in entries.iter().enumerate() {
                if is_grouped && info.group != group {
                    group = info.group;
                    ui.add_space(space::SM);
                    section_label(ui, group);
                    ui.add_space(space::XS);
                }
                let is_marked = at == palette.marked;
                let response = entry_ui(ui, info, is_marked, is_grouped);
                if is_marked && palette.is_following {
                    response.scroll_to_me(None);
                }
                if response.hovered() && has_pointer_moved {
                    palette.marked = at;
                }
                if response.clicked() {
                    chosen = Some(*info);
                }
            }
        });
    (chosen, output.inner_rect)
}

fn entry_ui(ui: &mut Ui, info: &StepInfo, is_marked: bool, is_grouped: bool) -> egui::Response {
    let c = colors(ui);
    let (rect, response) = ui.allocate_exact_size(vec2(ui.available_width(), ENTRY_HEIGHT), Sense::click());
    response.widget_info(|| WidgetInfo::labeled(Role::Button, true, format!("Add {}", info.name)));
    if is_marked {
        ui.painter().rect_filled(rect, size::CONTROL_RADIUS, c.selection);
    }
    let painter = ui.painter().with_clip_rect(rect.intersect(ui.clip_rect()));
    let inner = rect.shrink2(vec2(space::SM + 2.0, 5.0));
    let name = painter.layout_no_wrap(info.name.to_owned(), theme::semibold(size::BODY_TEXT), c.text);
    painter.galley(inner.min, name, c.text);
    if !is_grouped {
        painter.text(
            pos2(inner.right(), inner.top() + 1.0),
            Align2::RIGHT_TOP,
            info.group,
            theme::small(),
            c.weak,
        );
    }
    let mut job = egui::text::LayoutJob::simple_singleline(info.summary.to_owned(), theme::small(), c.weak);
    job.wrap = egui::text::TextWrapping::truncate_at_width(inner.width());
    let summary = painter.layout_job(job);
    painter.galley(
        pos2(inner.left(), inner.bottom() - summary.size().y),
        summary,
        c.weak,
    );
    response
}

/// What the marked step does, at the left of the list. It takes no clicks, for it lies over the data.
fn about_ui(ui: &Ui, info: &'static StepInfo, list: Rect) {
    Area::new(Id::unique("about the marked step"))
        .order(Order::Foreground)
        .pivot(Align2::RIGHT_TOP)
        .fixed_pos(pos2(list.left() - space::XL, list.top()))
        .constrain_to(ui.ctx().content_rect().shrink(space::SM))
        .interactable(false)
        .show(ui.ctx(), |ui| {
            Frame::popup(ui.style())
                .inner_margin(Margin::same(14))
                .show(ui, |ui| {
                    ui.set_width(ABOUT_WIDTH);
                    ui.horizontal(|ui| {
                        ui.label(theme::strong(info.name));
                        let (tone, scope) = scope_text(info.scope);
                        badge(ui, tone, scope);
                    });
                    ui.add_space(space::XS);
                    doc::doc_ui(ui, info.doc);
                });
        });
}

/// How the step may run, in words.
fn scope_text(scope: Scope) -> (Tone, &'static str) {
    match scope {
        Scope::Row => (Tone::Plain, "row by row"),
        Scope::Fitted => (Tone::Data, "learns from the sample"),
        Scope::Partition => (Tone::Accent, "needs the whole day"),
    }
}

#[cfg(test)]
mod tests {
    use super::{GROUPS, found};
    use crate::transform::registry;

    #[test]
    fn without_a_search_the_steps_of_a_group_stand_together_in_the_order_of_groups() {
        let mut groups: Vec<&str> = found("").iter().map(|info| info.group).collect();
        groups.dedup();
        let expected = GROUPS.iter().filter(|group| groups.contains(group));
        assert_eq!(groups, expected.copied().collect::<Vec<_>>());
    }

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

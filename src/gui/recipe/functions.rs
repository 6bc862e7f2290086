//! The list of functions: what each gives, with an example, to search and to insert at the cursor.

use egui::{Label, Popup, PopupCloseBehavior, RichText, Role, ScrollArea, Sense, Ui, WidgetInfo, pos2, vec2};

use super::expression::Completing;
use super::fuzzy;
use crate::gui::theme::{self, colors, size, space};
use crate::gui::widgets::{quiet_button, section_label, text_field};
use crate::transform::expr::{FUNCTION_GROUPS, FunctionInfo, functions};

const WIDTH: f32 = 380.0;
const ENTRY_HEIGHT: f32 = 40.0;

/// The button that opens the list. What is clicked in it goes to the field last typed in.
pub(super) fn functions_ui(ui: &mut Ui, label: &str, search: &mut String, completing: &mut Completing) {
    let button = ui
        .scope(|ui| {
            ui.spacing_mut().button_padding = vec2(space::XS, 0.0);
            ui.spacing_mut().interact_size.y = 0.0;
            quiet_button(ui, true, "Functions").accessible_name(format!("Functions for {label}"))
        })
        .inner;
    let is_opening = button.clicked();
    if is_opening {
        search.clear();
    }
    Popup::from_toggle_button_response(&button)
        .close_behavior(PopupCloseBehavior::CloseOnClickOutside)
        .width(WIDTH)
        .show(|ui| {
            ui.set_width(WIDTH);
            let field = text_field(ui, search, "Search functions", "search what it gives", false);
            if is_opening {
                field.request_focus();
            }
            let found = found(search);
            let is_entered = field.lost_focus() && ui.input(|input| input.key_pressed(egui::Key::Enter));
            let mut chosen = found.first().copied().filter(|_| is_entered);
            let legend =
                "In the examples: s text, n whole number, x fraction, d date, t timestamp, l list, ln list of numbers";
            ui.add(Label::new(theme::weak_small(ui, legend)).wrap());
            ScrollArea::vertical().max_height(400.0).show(ui, |ui| {
                ui.spacing_mut().item_spacing.y = 0.0;
                if found.is_empty() {
                    ui.label(theme::weak(ui, "No function has this in its name or its meaning."));
                }
                if search.trim().is_empty() {
                    for group in FUNCTION_GROUPS {
                        ui.add_space(space::SM);
                        section_label(ui, group);
                        for function in found.iter().filter(|function| function.group == *group) {
                            chosen = chosen.or(entry_ui(ui, function));
                        }
                    }
                } else {
                    for function in &found {
                        chosen = chosen.or(entry_ui(ui, function));
                    }
                }
            });
            if let Some(function) = chosen {
                let takes_nothing = function.example.ends_with("()");
                completing.insert(format!("{}()", function.name), usize::from(!takes_nothing));
                ui.close();
            }
        });
}

/// The functions that fit, best first: names before meanings.
fn found(query: &str) -> Vec<&'static FunctionInfo> {
    let words = query.trim().to_lowercase();
    if words.is_empty() {
        return functions().iter().collect();
    }
    let mut hits: Vec<(i32, &FunctionInfo)> = functions()
        .iter()
        .filter_map(|function| {
            let name = fuzzy::score(&words, function.name).filter(|score| *score > 500);
            let meaning = function.gives.to_lowercase().contains(&words).then_some(400);
            let group = function.group.contains(&words).then_some(300);
            Some((name.or(meaning).or(group)?, function))
        })
        .collect();
    hits.sort_by_key(|(score, _)| std::cmp::Reverse(*score));
    hits.into_iter().map(|(_, function)| function).collect()
}

fn entry_ui(ui: &mut Ui, function: &'static FunctionInfo) -> Option<&'static FunctionInfo> {
    let c = colors(ui);
    let (rect, response) = ui.allocate_exact_size(vec2(ui.available_width(), ENTRY_HEIGHT), Sense::click());
    let label = format!("Insert {}", function.name);
    response.widget_info(|| WidgetInfo::labeled(Role::Button, true, &label));
    if response.hovered() || response.has_focus() {
        ui.painter().rect_filled(rect, size::BADGE_RADIUS, c.selection);
    }
    let painter = ui.painter().with_clip_rect(rect.intersect(ui.clip_rect()));
    let inner = rect.shrink2(vec2(space::SM, 3.0));
    let example = painter.layout_no_wrap(function.example.to_owned(), theme::mono(), c.text);
    painter.galley(inner.min, example, c.text);
    let gives = painter.layout_no_wrap(function.gives.to_owned(), theme::small(), c.weak);
    painter.galley(pos2(inner.left(), inner.bottom() - gives.size().y), gives, c.weak);
    response.clicked().then_some(function)
}

/// A label with the button at its right.
pub(super) fn label_with_functions_ui(
    ui: &mut Ui,
    text: RichText,
    doc: &str,
    label: &str,
    search: &mut String,
    completing: &mut Completing,
) {
    ui.horizontal(|ui| {
        let response = ui.label(text);
        if !doc.is_empty() {
            response.on_hover_text(doc);
        }
        ui.with_layout(egui::Layout::right_to_left(egui::Align::Center), |ui| {
            functions_ui(ui, label, search, completing);
        });
    });
}

#[cfg(test)]
mod tests {
    use super::found;
    use crate::transform::expr::functions;

    #[test]
    fn functions_are_found_by_name_and_by_what_they_give() {
        assert_eq!(found("").len(), functions().len());
        assert_eq!(found("low").first().map(|function| function.name), Some("lower"));
        assert!(
            found("small letters")
                .iter()
                .any(|function| function.name == "lower")
        );
        assert!(found("null").iter().any(|function| function.name == "coalesce"));
        assert!(found("qqqq").is_empty());
    }
}

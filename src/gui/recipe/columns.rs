//! Picking columns of a schema: one from a list to search, or several, each with a button to take it out.

use egui::{Button, Popup, PopupCloseBehavior, RichText, ScrollArea, Ui, vec2};
use polars::prelude::Schema;
use serde_json::Value;

use super::fields::Change;
use super::fuzzy;
use crate::dataset::dtype_name;
use crate::gui::theme::{self, colors, size, space};
use crate::gui::widgets::text_field;

/// Chosen columns with a button to take each out, and one more to choose.
pub(super) fn columns_ui(
    ui: &mut Ui,
    value: &Value,
    label: &str,
    schema: &Schema,
    search: &mut String,
) -> Change {
    let names: Vec<&str> = value
        .as_array()
        .map(|names| names.iter().filter_map(Value::as_str).collect())
        .unwrap_or_default();
    let mut change = Change::default();
    if !names.is_empty() {
        ui.horizontal_wrapped(|ui| {
            ui.spacing_mut().item_spacing = vec2(space::XS, space::XS);
            for name in &names {
                let c = colors(ui);
                let color = if schema.contains(name) { c.text } else { c.bad };
                let text = RichText::new(format!("{name}  ×"))
                    .font(theme::mono_small())
                    .color(color);
                let chip = Button::new(text).corner_radius(size::BADGE_RADIUS);
                let response = ui.add(chip).accessible_name(format!("Take out {name}"));
                if response.on_hover_text("Take out").clicked() {
                    let rest: Vec<&str> = names.iter().copied().filter(|other| other != name).collect();
                    change = Change::chosen(Value::from(rest));
                }
            }
        });
    }
    let rest: Schema = schema
        .iter()
        .filter(|(name, _)| !names.contains(&name.as_str()))
        .map(|(name, dtype)| (name.clone(), dtype.clone()))
        .collect();
    if let Some(name) = column_picker(ui, "", "Add a column", label, &rest, search) {
        let mut all = names;
        all.push(&name);
        change = Change::chosen(Value::from(all));
    }
    change
}

/// A button that opens a list of columns to search.
pub(super) fn column_picker(
    ui: &mut Ui,
    current: &str,
    empty: &str,
    label: &str,
    schema: &Schema,
    search: &mut String,
) -> Option<String> {
    let c = colors(ui);
    let is_known = current.is_empty() || schema.contains(current);
    let text = match current {
        "" => RichText::new(empty)
            .font(theme::regular(size::BODY_TEXT))
            .color(c.weak),
        name => RichText::new(name)
            .font(theme::mono())
            .color(if is_known { c.text } else { c.bad }),
    };
    let button = Button::new((text, egui::Atom::grow(), RichText::new("▾").color(c.weak)))
        .min_size(vec2(ui.available_width(), size::CONTROL));
    let response = ui.add(button).accessible_name(label);
    let is_opening = response.clicked();
    if is_opening {
        search.clear();
    }
    let mut picked = None;
    let width = response.rect.width();
    Popup::from_toggle_button_response(&response)
        .close_behavior(PopupCloseBehavior::CloseOnClickOutside)
        .width(width)
        .show(|ui| {
            ui.set_width(width - space::LG);
            let field = text_field(ui, search, "Search columns", "search columns", false);
            if is_opening {
                field.request_focus();
            }
            let names: Vec<&str> = schema
                .iter_names()
                .map(polars::prelude::PlSmallStr::as_str)
                .collect();
            let found = fuzzy::ranked(search, &names);
            let is_entered = field.lost_focus() && ui.input(|input| input.key_pressed(egui::Key::Enter));
            if is_entered {
                picked = found.first().map(ToString::to_string);
            }
            ScrollArea::vertical()
                .max_height(260.0)
                .show_rows(ui, size::ROW, found.len(), |ui, rows| {
                    for name in found.get(rows).unwrap_or_default() {
                        let dtype = schema.get(name).map(dtype_name).unwrap_or_default();
                        let entry = Button::selectable(*name == current, theme::code(*name))
                            .right_text(
                                RichText::new(shortened(&dtype))
                                    .font(theme::small())
                                    .color(c.weak),
                            )
                            .min_size(vec2(ui.available_width(), size::ROW));
                        let response = ui.add(entry).accessible_name(format!("column {name}"));
                        if response.clicked() {
                            picked = Some((*name).to_owned());
                        }
                    }
                    if found.is_empty() {
                        ui.label(theme::weak(ui, "no such column"));
                    }
                });
            if picked.is_some() {
                ui.close();
            }
        });
    picked
}

fn shortened(text: &str) -> String {
    let cut: String = text.chars().take(24).collect();
    if cut.len() < text.len() {
        format!("{cut}…")
    } else {
        cut
    }
}

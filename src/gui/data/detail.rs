//! One row with every field in full: text as it is, nested values as a tree.

use egui::{Key, RichText, ScrollArea, Ui};
use polars::prelude::{AnyValue, Column, DataFrame};

use super::copy;
use super::value::{self, Look};
use crate::base::units;
use crate::dataset::dtype_name;
use crate::gui::command::Command;
use crate::gui::theme::{self, colors, size, space};
use crate::gui::widgets::{Icon, divider, icon_button, quiet_button};

/// Characters of one field that are laid out; the rest can be copied.
const MAX_FIELD_CHARS: usize = 4000;
/// Items of one list that the tree shows.
const MAX_TREE_ITEMS: usize = 200;
const NAME_WIDTH: f32 = 168.0;

/// What a person asked of the detail.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DetailAction {
    Close,
    Show(usize),
}

/// The detail of `row`.
pub fn detail_ui(
    ui: &mut Ui,
    df: &DataFrame,
    row: usize,
    can_take_keys: bool,
    commands: &mut Vec<Command>,
) -> Option<DetailAction> {
    let mut action = if can_take_keys {
        keys(ui, row, df.height())
    } else {
        None
    };
    ui.horizontal(|ui| {
        let title = format!("Row {}", units::count(row as u64 + 1));
        ui.label(theme::strong(title));
        ui.label(theme::weak_small(
            ui,
            format!("of {} shown", units::count(df.height() as u64)),
        ));
        ui.with_layout(egui::Layout::right_to_left(egui::Align::Center), |ui| {
            if icon_button(ui, true, Icon::Close, "Close row (Esc)").clicked() {
                action = Some(DetailAction::Close);
            }
            if icon_button(ui, row + 1 < df.height(), Icon::ChevronDown, "Next row (n)").clicked() {
                action = Some(DetailAction::Show(row + 1));
            }
            if icon_button(ui, row > 0, Icon::ChevronUp, "Previous row (p)").clicked() {
                action = Some(DetailAction::Show(row.saturating_sub(1)));
            }
            if quiet_button(ui, true, "Copy row as JSON").clicked() {
                commands.push(Command::CopyText(format!("{:#}", copy::row_json(df, row))));
            }
        });
    });
    divider(ui);
    ScrollArea::vertical()
        .id_salt("row detail")
        .auto_shrink(false)
        .show(ui, |ui| {
            ui.spacing_mut().item_spacing.y = space::XS / 2.0;
            for column in df.columns() {
                field(ui, column, row, commands);
            }
        });
    action
}

fn keys(ui: &Ui, row: usize, n_rows: usize) -> Option<DetailAction> {
    let pressed = |key| ui.input(|input| input.key_pressed(key) && input.modifiers.is_none());
    if pressed(Key::N) && row + 1 < n_rows {
        Some(DetailAction::Show(row + 1))
    } else if pressed(Key::P) && row > 0 {
        Some(DetailAction::Show(row - 1))
    } else if pressed(Key::Escape) {
        Some(DetailAction::Close)
    } else {
        None
    }
}

fn field(ui: &mut Ui, column: &Column, row: usize, commands: &mut Vec<Command>) {
    let Ok(value) = column.get(row) else { return };
    ui.horizontal_top(|ui| {
        ui.scope(|ui| {
            ui.set_width(NAME_WIDTH);
            ui.vertical(|ui| {
                ui.add(egui::Label::new(theme::strong(column.name().as_str())).truncate());
                let dtype = RichText::new(dtype_name(column.dtype()))
                    .font(theme::small())
                    .color(colors(ui).weak);
                ui.add(egui::Label::new(dtype).truncate());
            });
        });
        let width = (ui.available_width() - size::ROW - space::MD).max(80.0);
        ui.vertical(|ui| {
            ui.set_width(width);
            full_value(ui, &value, column.name());
        });
        let label = format!("Copy {}", column.name());
        if icon_button(ui, true, Icon::Copy, &label).clicked() {
            commands.push(Command::CopyText(value::whole(&value)));
        }
    });
}

fn full_value(ui: &mut Ui, value: &AnyValue<'_>, name: &str) {
    match value {
        AnyValue::List(_) | AnyValue::Struct(..) | AnyValue::StructOwned(_) => {
            let mut lines = Vec::new();
            tree(&value::json(value), 0, "", &mut lines);
            ui.add(
                egui::Label::new(theme::code(lines.join("\n")))
                    .wrap()
                    .selectable(true),
            );
        }
        AnyValue::Null => {
            ui.label(theme::null(ui));
        }
        _ => {
            let whole = value::whole(value);
            let is_id = value::is_id_column(name, &value.dtype());
            let look = value::cell(value, is_id).look;
            let mut shown: String = whole.chars().take(MAX_FIELD_CHARS).collect();
            let n_hidden = whole.chars().count() - shown.chars().count();
            if look == Look::Empty {
                "\"\"".clone_into(&mut shown);
            }
            let text = if matches!(look, Look::Text) {
                theme::body(shown)
            } else {
                theme::code(shown)
            };
            ui.add(egui::Label::new(text).wrap().selectable(true));
            if n_hidden > 0 {
                let more = format!(
                    "and {}: copy to see all",
                    units::plural(n_hidden as u64, "more character")
                );
                ui.label(theme::weak_small(ui, more));
            }
        }
    }
}

/// A nested value as indented lines.
fn tree(value: &serde_json::Value, depth: usize, name: &str, lines: &mut Vec<String>) {
    use serde_json::Value;
    let indent = "  ".repeat(depth);
    let head = if name.is_empty() {
        String::new()
    } else {
        format!("{name}: ")
    };
    match value {
        Value::Object(fields) if !fields.is_empty() => {
            if !name.is_empty() {
                lines.push(format!("{indent}{name}"));
            }
            let inner = depth + usize::from(!name.is_empty());
            for (name, value) in fields {
                tree(value, inner, name, lines);
            }
        }
        Value::Array(items) if !items.is_empty() => {
            lines.push(format!(
                "{indent}{head}{}",
                units::plural(items.len() as u64, "item")
            ));
            for (at, item) in items.iter().take(MAX_TREE_ITEMS).enumerate() {
                tree(item, depth + 1, &at.to_string(), lines);
            }
            if items.len() > MAX_TREE_ITEMS {
                lines.push(format!(
                    "{indent}  and {} more",
                    units::count((items.len() - MAX_TREE_ITEMS) as u64)
                ));
            }
        }
        Value::String(text) => lines.push(format!("{indent}{head}{text}")),
        other => lines.push(format!("{indent}{head}{other}")),
    }
}

/// The start of a value that its cell has no room for. Space opens all of it.
pub(super) fn whole_cell_ui(ui: &mut Ui, df: &DataFrame, row: usize, column: &Column) {
    const MAX_CHARS: usize = 600;
    let at = df.get_column_index(column.name());
    let text = at.map_or_else(String::new, |at| copy::cell_text(df, row, at));
    let mut short: String = text.chars().take(MAX_CHARS).collect();
    if short.len() < text.len() {
        short.push('…');
    }
    ui.label(theme::body(short));
}

#[cfg(test)]
mod tests {
    use super::tree;

    #[test]
    fn a_nested_value_is_an_indented_tree() {
        let value =
            serde_json::json!({"city": "Paris", "geo": {"lat": 1.5}, "tags": ["a", {"b": null}], "none": []});
        let mut lines = Vec::new();
        tree(&value, 0, "", &mut lines);
        assert_eq!(
            lines,
            [
                "city: Paris",
                "geo",
                "  lat: 1.5",
                "tags: 2 items",
                "  0: a",
                "  1",
                "    b: null",
                "none: []"
            ]
        );
    }
}

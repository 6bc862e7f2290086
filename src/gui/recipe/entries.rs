//! The form of a list: entries with a few fields each, such as the columns that `aggregate` makes, and values picked from
//! those there are, such as the parts of a date.
//!
//! What an entry's fields are comes from the JSON Schema of the list; how each is drawn is the same as outside a list.

use egui::{Button, Frame, Margin, Ui, vec2};
use serde_json::{Map, Value};

use super::fields::{Change, FormState, FormView, control_ui};
use super::form::{self, FieldSpec, Kind};
use crate::gui::theme::{self, colors, size, space};
use crate::gui::widgets::{Icon, icon_button, quiet_button};

/// Room for the name of a field at the left of its control.
const NAME_WIDTH: f32 = 52.0;

/// One card for each entry, and a button for one more.
pub(super) fn entries_ui(
    ui: &mut Ui,
    view: &FormView<'_>,
    list: &FieldSpec,
    specs: &[FieldSpec],
    value: &Value,
    state: &mut FormState,
) -> Change {
    let mut entries: Vec<Map<String, Value>> = value
        .as_array()
        .map(|items| {
            items
                .iter()
                .filter_map(|item| item.as_object().cloned())
                .collect()
        })
        .unwrap_or_default();
    let mut change = Change::default();
    let mut is_changed = false;
    let mut removed = None;
    for (at, entry) in entries.iter_mut().enumerate() {
        let c = colors(ui);
        let frame = Frame::new()
            .fill(c.panel)
            .corner_radius(size::CONTROL_RADIUS)
            .inner_margin(Margin::symmetric(8, 6));
        frame.show(ui, |ui| {
            ui.set_width(ui.available_width());
            for (line, spec) in specs.iter().enumerate() {
                ui.horizontal(|ui| {
                    name_ui(ui, spec);
                    let room = size::ROW + ui.spacing().item_spacing.x;
                    let one = one_ui(ui, view, list, (at, spec), entry, room, state);
                    change.is_left |= one.is_left;
                    match one.value {
                        Some(Ok(value)) => {
                            set(entry, specs, spec, value);
                            is_changed = true;
                        }
                        Some(Err(message)) => {
                            change.value = Some(Err(format!("{}: {message}", spec.label())));
                        }
                        None => {}
                    }
                    let remove = format!("Remove entry {}, {} of step {}", at + 1, list.name, view.at + 1);
                    if line == 0 && icon_button(ui, true, Icon::Close, &remove).clicked() {
                        removed = Some(at);
                    }
                });
            }
        });
    }
    let add = quiet_button(ui, true, &format!("+ Add to {}", list.label())).accessible_name(format!(
        "Add to {} of step {}",
        list.name,
        view.at + 1
    ));
    let is_added = add.clicked();
    if is_added {
        entries.push(new_entry(specs, &entries));
    }
    if let Some(at) = removed {
        entries.remove(at);
    }
    if removed.is_some() || is_added {
        // What is half typed belongs to places in the list that are others now.
        state.draft.forget_entries(&list.name);
        change.is_left = true;
        is_changed = true;
    }
    if is_changed && !matches!(change.value, Some(Err(_))) {
        let items = entries.into_iter().map(Value::Object).collect();
        change.value = Some(Ok(Value::Array(items)));
    }
    change
}

fn name_ui(ui: &mut Ui, spec: &FieldSpec) {
    ui.scope(|ui| {
        ui.set_width(NAME_WIDTH);
        let label = ui.add(egui::Label::new(theme::weak_small(ui, spec.label())).truncate());
        if !spec.doc.is_empty() {
            label.on_hover_text(&spec.doc);
        }
    });
}

/// The control of one field of the entry at this place, which leaves `room` at its right.
fn one_ui(
    ui: &mut Ui,
    view: &FormView<'_>,
    list: &FieldSpec,
    (at, spec): (usize, &FieldSpec),
    entry: &Map<String, Value>,
    room: f32,
    state: &mut FormState,
) -> Change {
    let value = entry.get(&spec.name).cloned().unwrap_or(Value::Null);
    let named = FieldSpec {
        name: entry_field(&spec.name, at, &list.name),
        ..spec.clone()
    };
    let mut change = ui
        .scope(|ui| {
            ui.set_width((ui.available_width() - room).max(NAME_WIDTH));
            control_ui(ui, view, &named, &value, state)
        })
        .inner;
    let is_filled = value.as_str().is_some_and(|text| !text.is_empty());
    if spec.kind == Kind::Column && !spec.is_required && is_filled {
        let label = format!("Clear {} of step {}", named.name, view.at + 1);
        if icon_button(ui, true, Icon::Close, &label).clicked() {
            change = Change::chosen(Value::Null);
        }
    }
    change
}

/// How a field of an entry is called, in drafts and for assistive technology.
fn entry_field(name: &str, at: usize, list: &str) -> String {
    format!("{name} {}, {list}", at + 1)
}

/// Puts a value into an entry; one that may be left out is left out when it is empty. The name of what is written follows
/// what is chosen until a person writes another.
fn set(entry: &mut Map<String, Value>, specs: &[FieldSpec], spec: &FieldSpec, value: Value) {
    let is_own_name = entry
        .get("into")
        .and_then(Value::as_str)
        .is_none_or(|name| is_made_of(name, &name_of(entry, specs)));
    let is_empty = value.is_null() || value.as_str() == Some("");
    if is_empty && !spec.is_required {
        entry.remove(&spec.name);
    } else {
        entry.insert(spec.name.clone(), value);
    }
    let is_choice = matches!(spec.kind, Kind::Choice(_) | Kind::Column);
    if is_choice && is_own_name && specs.iter().any(|spec| spec.name == "into") {
        entry.insert("into".to_owned(), Value::from(name_of(entry, specs)));
    }
}

/// Whether `name` is `made`, perhaps with a number that tells it from others.
fn is_made_of(name: &str, made: &str) -> bool {
    let is_number = |rest: &str| rest.strip_prefix('_').is_some_and(|n| n.parse::<usize>().is_ok());
    name.is_empty()
        || name
            .strip_prefix(made)
            .is_some_and(|rest| rest.is_empty() || is_number(rest))
}

/// `sum_price` for the function `sum` of the column `price`.
fn name_of(entry: &Map<String, Value>, specs: &[FieldSpec]) -> String {
    let chosen = specs
        .iter()
        .filter(|spec| matches!(spec.kind, Kind::Choice(_) | Kind::Column))
        .filter_map(|spec| entry.get(&spec.name).and_then(Value::as_str))
        .filter(|text| !text.is_empty());
    chosen.collect::<Vec<_>>().join("_")
}

/// An entry with what it must have, and a name that no other has.
fn new_entry(specs: &[FieldSpec], others: &[Map<String, Value>]) -> Map<String, Value> {
    let mut entry = Map::new();
    for spec in specs.iter().filter(|spec| spec.is_required) {
        let value = match &spec.kind {
            Kind::Choice(choices) => choices.first().cloned().unwrap_or_default(),
            Kind::Bool => Value::Bool(false),
            Kind::Integer | Kind::Number => Value::from(0),
            Kind::Columns | Kind::Texts | Kind::Numbers | Kind::Scalars | Kind::Choices(_) => {
                Value::Array(Vec::new())
            }
            _ => Value::from(""),
        };
        entry.insert(spec.name.clone(), value);
    }
    if entry.contains_key("into") {
        let name = name_of(&entry, specs);
        let is_taken = |name: &str| {
            others
                .iter()
                .any(|other| other.get("into").and_then(Value::as_str) == Some(name))
        };
        // One more than there are others is enough.
        let free = (2..=others.len() + 1)
            .map(|n| format!("{name}_{n}"))
            .find(|numbered| is_taken(&name) && !is_taken(numbered));
        entry.insert("into".to_owned(), Value::from(free.unwrap_or(name)));
    }
    entry
}

/// Every value that can be picked, each switched on or off by a click. They keep the order of clicks.
pub(super) fn choices_ui(ui: &mut Ui, choices: &[Value], value: &Value, label: &str) -> Change {
    let chosen = value.as_array().cloned().unwrap_or_default();
    let mut change = Change::default();
    ui.horizontal_wrapped(|ui| {
        ui.spacing_mut().item_spacing = vec2(space::XS, space::XS);
        ui.spacing_mut().interact_size.y = 0.0;
        ui.spacing_mut().button_padding = vec2(6.0, 3.0);
        for choice in choices {
            let is_on = chosen.contains(choice);
            let text = form::to_text(&Kind::Text, choice);
            let chip = Button::selectable(is_on, theme::code(&text))
                .frame_when_inactive(true)
                .corner_radius(size::BADGE_RADIUS);
            let chip = ui.add(chip).accessible_name(format!("{text}, {label}"));
            if chip.clicked() {
                let mut now = chosen.clone();
                if is_on {
                    now.retain(|other| other != choice);
                } else {
                    now.push(choice.clone());
                }
                change = Change::chosen(Value::Array(now));
            }
        }
    });
    change
}

#[cfg(test)]
mod tests {
    use serde_json::{Map, Value, json};

    use super::{new_entry, set};
    use crate::gui::recipe::form::{FieldSpec, Kind, fields};
    use crate::transform::registry;

    /// The fields of an entry of `aggregate`'s columns.
    fn entry_of_aggregate() -> Vec<FieldSpec> {
        let info = registry().iter().find(|info| info.name == "aggregate").unwrap();
        let columns = fields(&(info.json_schema)())
            .into_iter()
            .find(|field| field.name == "columns");
        match columns.unwrap().kind {
            Kind::Entries(entry) => entry,
            other => panic!("{other:?}"),
        }
    }

    fn object(value: &Value) -> Map<String, Value> {
        value.as_object().unwrap().clone()
    }

    #[test]
    fn no_parameter_of_any_step_is_asked_for_as_json() {
        let mut asked = Vec::new();
        for info in registry() {
            for field in fields(&(info.json_schema)()) {
                if field.kind == Kind::Json && field.name != "fitted" {
                    asked.push(format!("{}: {}", info.name, field.name));
                }
            }
        }
        assert!(asked.is_empty(), "{asked:?}");
        let salt = registry().iter().find(|info| info.name == "salt").unwrap();
        let keys = fields(&(salt.json_schema)())
            .into_iter()
            .find(|field| field.name == "keys");
        let Kind::Entries(entry) = keys.unwrap().kind else {
            panic!("the keys are no list of entries");
        };
        let kinds: Vec<(&str, &Kind)> = entry
            .iter()
            .map(|field| (field.name.as_str(), &field.kind))
            .collect();
        assert_eq!(kinds, [("key", &Kind::Scalars), ("salts", &Kind::Numbers)]);
        assert_eq!(new_entry(&entry, &[]), object(&json!({"key": [], "salts": []})));
    }

    #[test]
    fn a_new_entry_is_complete_and_named_apart_from_others() {
        let specs = entry_of_aggregate();
        let first = new_entry(&specs, &[]);
        assert_eq!(first, object(&json!({"into": "count", "fn": "count"})));
        let second = new_entry(&specs, &[first]);
        assert_eq!(second.get("into"), Some(&json!("count_2")));
        let mut second = second;
        let function = specs.iter().find(|spec| spec.name == "fn").unwrap();
        set(&mut second, &specs, function, json!("sum"));
        assert_eq!(second.get("into"), Some(&json!("sum")));
    }

    #[test]
    fn the_name_follows_what_is_chosen_until_another_is_written() {
        let specs = entry_of_aggregate();
        let spec = |name: &str| specs.iter().find(|spec| spec.name == name).unwrap();
        let mut entry = new_entry(&specs, &[]);
        set(&mut entry, &specs, spec("column"), json!("price"));
        set(&mut entry, &specs, spec("fn"), json!("sum"));
        assert_eq!(
            entry,
            object(&json!({"into": "sum_price", "fn": "sum", "column": "price"}))
        );
        set(&mut entry, &specs, spec("into"), json!("cost"));
        set(&mut entry, &specs, spec("fn"), json!("mean"));
        set(&mut entry, &specs, spec("column"), Value::Null);
        assert_eq!(entry, object(&json!({"into": "cost", "fn": "mean"})));
    }
}

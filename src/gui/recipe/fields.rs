//! The form of one step: a control for each parameter, with what the check says beside it.

use std::collections::{BTreeMap, HashMap};

use egui::{RichText, Ui};
use polars::prelude::Schema;
use serde_json::{Map, Value};

use super::add_input::{Picked, input_ui};
use super::columns::{column_picker, columns_ui};
use super::entries::{choices_ui, entries_ui};
use super::expression::{Completing, ExpressionView, Typed, expression_ui};
use super::fitted::FITTED;
use super::form::{self, FieldSpec, Kind};
use super::functions::label_with_functions_ui;
use crate::gui::command::Command;
use crate::gui::second_data::InputReader;
use crate::gui::theme::{self, colors, size, space};
use crate::gui::widgets::{Icon, icon_button, quiet_button, text_field};
use crate::session::Edit;
use crate::transform::{CheckError, RecipeStep, Step, StepInfo};

/// What is half typed in the form of one step.
#[derive(Debug, Default)]
pub(super) struct Draft {
    at: usize,
    step: &'static str,
    /// The parameters this draft belongs to. Others in the document mean that something else changed them.
    params: Value,
    texts: BTreeMap<String, String>,
    rows: BTreeMap<String, Vec<(String, String)>>,
    errors: BTreeMap<String, String>,
}

impl Draft {
    /// Drops what is half typed in the entries of a list.
    pub(super) fn forget_entries(&mut self, list: &str) {
        let end = format!(", {list}");
        self.texts.retain(|name, _| !name.ends_with(&end));
    }
}

/// State of the form that outlives a step.
#[derive(Debug, Default)]
pub(super) struct FormState {
    pub draft: Draft,
    specs: HashMap<&'static str, Vec<FieldSpec>>,
    column_search: String,
    /// Second datasets of the document, with their columns.
    pub inputs: Vec<(String, Schema)>,
    completing: Completing,
    function_search: String,
}

/// What the form needs to know of the step.
pub(super) struct FormView<'a> {
    pub at: usize,
    pub step: &'a RecipeStep,
    pub info: &'a StepInfo,
    /// Columns before the step.
    pub schema: Option<&'a Schema>,
    pub error: Option<&'a CheckError>,
    /// The error belongs to an earlier text.
    pub is_stale: bool,
}

/// Lines of a list that are seen without scrolling the form far.
const MAX_LINES: usize = 12;

/// What a control did in this frame.
#[derive(Default)]
pub(super) struct Change {
    pub value: Option<Result<Value, String>>,
    pub is_left: bool,
}

impl Change {
    pub(super) fn chosen(value: Value) -> Self {
        Self {
            value: Some(Ok(value)),
            is_left: true,
        }
    }
}

/// The controls of all parameters.
pub(super) fn form_ui(ui: &mut Ui, view: &FormView<'_>, state: &mut FormState, commands: &mut Vec<Command>) {
    let params = without_learned(view.step.step.params());
    let name = view.step.step.name();
    let draft = &mut state.draft;
    if (draft.at, draft.step) != (view.at, name) || draft.params != params {
        *draft = Draft {
            at: view.at,
            step: name,
            params: params.clone(),
            ..Draft::default()
        };
    }
    let specs = state
        .specs
        .entry(name)
        .or_insert_with(|| {
            let mut specs = form::fields(&(view.info.json_schema)());
            // What a step has learned is no parameter to type in: its badge tells of it.
            specs.retain(|spec| spec.name != FITTED);
            specs
        })
        .clone();
    let fields = params.as_object().cloned().unwrap_or_default();
    ui.spacing_mut().item_spacing.y = space::XS;
    for spec in specs.iter().filter(|spec| spec.is_wanted(&fields)) {
        let value = fields.get(&spec.name).cloned().unwrap_or(Value::Null);
        if !matches!(spec.kind, Kind::Bool) {
            let label = RichText::new(spec.label())
                .font(theme::small())
                .color(colors(ui).weak);
            if matches!(spec.kind, Kind::Expression | Kind::Expressions | Kind::Query) {
                let name = control_label(view, spec);
                let search = &mut state.function_search;
                label_with_functions_ui(ui, label, &spec.doc, &name, search, &mut state.completing);
            } else {
                let response = ui.label(label);
                if !spec.doc.is_empty() {
                    response.on_hover_text(&spec.doc);
                }
            }
        }
        let change = match spec.kind {
            Kind::Input => {
                let label = control_label(view, spec);
                let names: Vec<&str> = state.inputs.iter().map(|(name, _)| name.as_str()).collect();
                let current = value.as_str().unwrap_or_default();
                match input_ui(ui, current, &label, &names) {
                    Some(Picked::Name(name)) => Change::chosen(Value::from(name)),
                    Some(Picked::Add) => {
                        commands.push(Command::ShowAddInput(InputReader::Step(view.at)));
                        Change::default()
                    }
                    Some(Picked::Remove) => {
                        let name = current.to_owned();
                        let text = format!(
                            "Took out {name}: steps that read it wait for other data. Ctrl+Z brings it back"
                        );
                        commands.push(Command::Edit(Edit::RemoveInput { name }));
                        commands.push(Command::Seal);
                        commands.push(Command::Say(theme::Tone::Warn, text));
                        Change::default()
                    }
                    None => Change::default(),
                }
            }
            _ => control_ui(ui, view, spec, &value, state),
        };
        apply(view, spec, change, &fields, state, commands);
        message_ui(ui, view, spec, &state.draft);
        ui.add_space(space::XS);
    }
    let is_elsewhere = |error: &&CheckError| !specs.iter().any(|spec| spec.name == error.param);
    if let Some(error) = view.error.filter(is_elsewhere) {
        error_label(ui, &error.to_string());
    }
}

/// Parameters that were typed. A step that learns while its form is open keeps what is half typed there.
fn without_learned(mut params: Value) -> Value {
    if let Value::Object(fields) = &mut params {
        fields.remove(FITTED);
    }
    params
}

/// Makes the change of one control a change of the document, or keeps it as half typed.
fn apply(
    view: &FormView<'_>,
    spec: &FieldSpec,
    change: Change,
    fields: &Map<String, Value>,
    state: &mut FormState,
    commands: &mut Vec<Command>,
) {
    let draft = &mut state.draft;
    if let Some(value) = change.value {
        let step = value.and_then(|value| {
            let mut params = fields.clone();
            params.insert(spec.name.clone(), value);
            // `fields` lacks what was learned. The step itself sees whether it was learned by other parameters.
            if let Some(learned) = view.step.step.params().get_mut(FITTED) {
                params.insert(FITTED.to_owned(), learned.take());
            }
            Step::from_params(view.step.step.name(), Value::Object(params))
        });
        match step {
            Ok(step) => {
                draft.errors.remove(&spec.name);
                draft.params = without_learned(step.params());
                let step = RecipeStep {
                    step,
                    ..view.step.clone()
                };
                commands.push(Command::Edit(Edit::SetStep { at: view.at, step }));
            }
            Err(message) => {
                draft.errors.insert(spec.name.clone(), message);
            }
        }
    }
    if change.is_left {
        if !draft.errors.contains_key(&spec.name) {
            draft.texts.remove(&spec.name);
            draft.forget_entries(&spec.name);
        }
        commands.push(Command::Seal);
    }
}

/// How a control is called for assistive technology.
fn control_label(view: &FormView<'_>, spec: &FieldSpec) -> String {
    format!("{} of step {}", spec.name, view.at + 1)
}

pub(super) fn control_ui(
    ui: &mut Ui,
    view: &FormView<'_>,
    spec: &FieldSpec,
    value: &Value,
    state: &mut FormState,
) -> Change {
    let label = control_label(view, spec);
    match (&spec.kind, view.schema) {
        (Kind::Bool, _) => bool_ui(ui, spec, value, &label),
        (Kind::Choice(choices), _) => choice_ui(ui, spec, choices, value, &label),
        (Kind::Choices(choices), _) => choices_ui(ui, choices, value, &label),
        (Kind::Entries(specs), _) => entries_ui(ui, view, spec, specs, value, state),
        (Kind::Column, Some(schema)) => {
            let current = value.as_str().unwrap_or_default();
            let picked = column_picker(
                ui,
                current,
                "Choose a column",
                &label,
                schema,
                &mut state.column_search,
            );
            picked
                .map(|name| Change::chosen(Value::from(name)))
                .unwrap_or_default()
        }
        (Kind::InputColumns, _) => {
            let params = view.step.step.params();
            let input = params.get("input").and_then(Value::as_str).unwrap_or_default();
            let known = state.inputs.iter().find(|(name, _)| name == input);
            match known {
                Some((_, schema)) => columns_ui(ui, value, &label, schema, &mut state.column_search),
                None => text_ui(ui, spec, value, &label, &mut state.draft),
            }
        }
        (Kind::Columns, Some(schema)) => columns_ui(ui, value, &label, schema, &mut state.column_search),
        (Kind::Expressions | Kind::Renames | Kind::Pairs, _) => rows_ui(ui, view, spec, value, &label, state),
        (Kind::Expression | Kind::Query, _) => one_expression_ui(ui, view, spec, value, &label, state),
        (Kind::Scalars, _) => lines_ui(ui, spec, value, &label, &mut state.draft),
        _ => text_ui(ui, spec, value, &label, &mut state.draft),
    }
}

fn bool_ui(ui: &mut Ui, spec: &FieldSpec, value: &Value, label: &str) -> Change {
    let mut is_on = value.as_bool().unwrap_or_default();
    let response = ui.checkbox(&mut is_on, spec.label()).accessible_name(label);
    let is_changed = response.changed();
    if !spec.doc.is_empty() {
        response.on_hover_text(&spec.doc);
    }
    if is_changed {
        Change::chosen(Value::Bool(is_on))
    } else {
        Change::default()
    }
}

fn choice_ui(ui: &mut Ui, spec: &FieldSpec, choices: &[Value], value: &Value, label: &str) -> Change {
    let text = |value: &Value| match value {
        Value::Null => "not set".to_owned(),
        value => form::to_text(&Kind::Text, value),
    };
    let mut chosen = value.clone();
    let width = ui.available_width();
    let response = egui::ComboBox::from_id_salt(label)
        .width(width)
        .selected_text(theme::body(text(value)))
        .show_ui(ui, |ui| {
            if spec.is_optional {
                ui.selectable_value(&mut chosen, Value::Null, "not set");
            }
            for choice in choices {
                ui.selectable_value(&mut chosen, choice.clone(), text(choice));
            }
        })
        .response;
    // Labelled after the combo box has named itself by its choice.
    ui.ctx()
        .accesskit_node_builder(response.id, |node| node.set_label(label));
    if chosen == *value {
        Change::default()
    } else {
        Change::chosen(chosen)
    }
}

fn text_ui(ui: &mut Ui, spec: &FieldSpec, value: &Value, label: &str, draft: &mut Draft) -> Change {
    let mut text = draft
        .texts
        .get(&spec.name)
        .cloned()
        .unwrap_or_else(|| form::to_text(&spec.kind, value));
    let response = text_field(ui, &mut text, label, hint(spec), spec.kind != Kind::Text);
    let mut change = Change {
        value: None,
        is_left: response.lost_focus(),
    };
    if response.changed() {
        change.value = Some(form::from_text(spec, &text));
        draft.texts.insert(spec.name.clone(), text);
    }
    change
}

/// A list of values, one a line.
fn lines_ui(ui: &mut Ui, spec: &FieldSpec, value: &Value, label: &str, draft: &mut Draft) -> Change {
    let mut text = draft
        .texts
        .get(&spec.name)
        .cloned()
        .unwrap_or_else(|| form::to_text(&spec.kind, value));
    let n_lines = text.lines().count() + usize::from(text.ends_with('\n'));
    let edit = egui::TextEdit::multiline(&mut text)
        .hint_text(
            RichText::new("one value a line")
                .font(theme::mono())
                .color(colors(ui).weak),
        )
        .font(theme::mono())
        .margin(egui::Margin::symmetric(8, 5))
        .desired_rows(n_lines.clamp(1, MAX_LINES))
        .desired_width(ui.available_width());
    let response = ui.add(edit);
    ui.ctx()
        .accesskit_node_builder(response.id, |node| node.set_label(label));
    let is_left = response.lost_focus();
    let is_changed = response.changed();
    response.on_hover_text("One value a line: 12 is a number, '12' is text, null is no value");
    let mut change = Change { value: None, is_left };
    if is_changed {
        change.value = Some(form::from_text(spec, &text));
        draft.texts.insert(spec.name.clone(), text);
    }
    change
}

fn hint(spec: &FieldSpec) -> &'static str {
    match spec.kind {
        _ if spec.is_optional => "not set",
        Kind::Numbers => "30000, 60000",
        Kind::InputColumns => "choose the data first",
        Kind::Texts | Kind::Columns => "one, two",
        Kind::Scalar => "0, true or text",
        Kind::Integer | Kind::Number => "0",
        _ => "",
    }
}

fn one_expression_ui(
    ui: &mut Ui,
    view: &FormView<'_>,
    spec: &FieldSpec,
    value: &Value,
    label: &str,
    state: &mut FormState,
) -> Change {
    let draft = state.draft.texts.get(&spec.name);
    let mut text = draft.cloned().unwrap_or_else(|| form::to_text(&spec.kind, value));
    let field = ExpressionView {
        label,
        hint: if spec.kind == Kind::Query {
            "SELECT * FROM rows"
        } else {
            "title IS NOT NULL"
        },
        schema: view.schema,
        error: place_of_error(view, spec, |_| true),
    };
    let typed = expression_ui(ui, &mut text, &field, &mut state.completing);
    let mut change = Change {
        value: None,
        is_left: typed.is_left,
    };
    if typed.is_changed {
        change.value = Some(form::from_text(spec, &text));
        state.draft.texts.insert(spec.name.clone(), text);
    }
    change
}

/// Where the check found an error in an expression of this field, while the text is still the one that was checked.
fn place_of_error<'a>(
    view: &FormView<'a>,
    spec: &FieldSpec,
    is_of_this: impl Fn(&CheckError) -> bool,
) -> Option<(usize, &'a str)> {
    let error = view
        .error
        .filter(|error| !view.is_stale && error.param == spec.name)?;
    let position = error.position.filter(|_| is_of_this(error))?;
    Some((position, error.message.as_str()))
}

/// A map as rows of name and value.
fn rows_ui(
    ui: &mut Ui,
    view: &FormView<'_>,
    spec: &FieldSpec,
    value: &Value,
    label: &str,
    state: &mut FormState,
) -> Change {
    let mut rows = state
        .draft
        .rows
        .get(&spec.name)
        .cloned()
        .unwrap_or_else(|| form::to_rows(value));
    if rows.is_empty() {
        rows.push((String::new(), String::new()));
    }
    let (mut is_changed, mut is_left, mut removed) = (false, false, None);
    let is_sql = spec.kind == Kind::Expressions;
    let mut one_row = |ui: &mut Ui, at: usize, row: &mut (String, String)| {
        let n = at + 1;
        let name_label = format!("name {n}, {label}");
        ui.horizontal(|ui| {
            let width = (ui.available_width() - size::ROW - space::SM).max(60.0);
            let name_width = if is_sql { width } else { width * 0.5 };
            ui.scope(|ui| {
                ui.set_width(name_width);
                if let (Kind::Renames, Some(schema)) = (&spec.kind, view.schema) {
                    let search = &mut state.column_search;
                    if let Some(name) = column_picker(ui, &row.0, "column", &name_label, schema, search) {
                        row.0 = name;
                        is_changed = true;
                    }
                } else {
                    let response = text_field(ui, &mut row.0, &name_label, "new column", true);
                    is_changed |= response.changed();
                    is_left |= response.lost_focus();
                }
            });
            if !is_sql {
                ui.scope(|ui| {
                    ui.set_width(width * 0.5 - space::SM);
                    let response =
                        text_field(ui, &mut row.1, &format!("value {n}, {label}"), "new name", true);
                    is_changed |= response.changed();
                    is_left |= response.lost_focus();
                });
            }
            if icon_button(ui, true, Icon::Close, &format!("Remove row {n}, {label}")).clicked() {
                removed = Some(at);
            }
        });
        if is_sql {
            ui.horizontal(|ui| {
                ui.label(theme::weak(ui, "="));
                let label = format!("expression {n}, {label}");
                // A map's errors start with the name of the entry at fault.
                let prefix = format!("`{}`", row.0);
                let field = ExpressionView {
                    label: &label,
                    hint: "lower(title)",
                    schema: view.schema,
                    error: place_of_error(view, spec, |error| error.message.starts_with(&prefix)),
                };
                let Typed {
                    is_changed: typed,
                    is_left: left,
                } = expression_ui(ui, &mut row.1, &field, &mut state.completing);
                is_changed |= typed;
                is_left |= left;
            });
        }
    };
    for (at, row) in rows.iter_mut().enumerate() {
        one_row(ui, at, row);
    }
    let is_adding = quiet_button(ui, true, if is_sql { "+ Add a column" } else { "+ Add a row" }).clicked();
    if is_adding {
        rows.push((String::new(), String::new()));
    }
    if let Some(at) = removed {
        rows.remove(at);
        is_changed = true;
        is_left = true;
    }
    if !is_changed && !is_adding {
        return Change { value: None, is_left };
    }
    let value = is_changed.then(|| form::from_rows(&rows));
    state.draft.rows.insert(spec.name.clone(), rows);
    Change { value, is_left }
}

/// What is wrong with the field: what was typed, or else what the check says.
fn message_ui(ui: &mut Ui, view: &FormView<'_>, spec: &FieldSpec, draft: &Draft) {
    if let Some(message) = draft.errors.get(&spec.name) {
        error_label(ui, message);
        return;
    }
    let Some(error) = view.error.filter(|error| error.param == spec.name) else {
        return;
    };
    ui.scope(|ui| {
        if view.is_stale {
            ui.multiply_opacity(0.6);
        }
        error_label(ui, &error.to_string());
    });
}

fn error_label(ui: &mut Ui, message: &str) {
    let c = colors(ui);
    ui.add(egui::Label::new(RichText::new(message).font(theme::small()).color(c.bad)).wrap());
}

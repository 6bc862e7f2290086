//! Menus of a column and of a cell: copy, hide, and steps that fit, with their parameters filled in.

use egui::{Button, Ui};
use polars::prelude::{AnyValue, Column, DataType};

use super::copy;
use super::grid::{Columns, GridState, GridView};
use super::value;
use crate::gui::command::Command;
use crate::gui::recipe::prefilled;
use crate::gui::theme;
use crate::session::Edit;
use crate::transform::expr::sql_name;
use crate::transform::{RecipeStep, Step, StepInfo, registry};

/// What can be done with a column.
pub(super) fn column_menu(
    ui: &mut Ui,
    column: &Column,
    view: &GridView<'_>,
    state: &mut GridState,
    commands: &mut Vec<Command>,
) {
    let name = column.name().as_str();
    if ui.button("Copy name").clicked() {
        commands.push(Command::CopyText(name.to_owned()));
    }
    if ui.button("Fit width").clicked() {
        let painter = ui.painter().clone();
        state.fit(&painter, column);
    }
    if ui.button("Hide column").clicked() {
        state.hidden.insert(name.to_owned());
    }
    ui.menu_button("Add step", |ui| {
        for info in fitting_steps(column.dtype()) {
            let button = Button::new(theme::body(info.name)).shortcut_text(short(info.summary));
            if ui.add(button).clicked() {
                add_step(prefilled(info, name), view, commands);
            }
        }
    });
}

/// What can be done with a cell, or with the selected rectangle.
pub(super) fn cell_menu(
    ui: &mut Ui,
    view: &GridView<'_>,
    cursor: Option<(usize, usize)>,
    columns: &Columns<'_>,
    state: &mut GridState,
    commands: &mut Vec<Command>,
) {
    let Some((row, at)) = cursor else {
        ui.label("no cell");
        return;
    };
    let Some((position, column)) = columns.all.get(at) else {
        return;
    };
    if ui.add(Button::new("Copy").shortcut_text("Ctrl+C")).clicked()
        && let Some(text) = state.copied_text(view.df)
    {
        commands.push(Command::CopyText(text));
    }
    if ui.button("Copy cell").clicked() {
        commands.push(Command::CopyText(copy::cell_text(view.df, row, *position)));
    }
    if ui.button("Copy row as JSON").clicked() {
        commands.push(Command::CopyText(format!("{:#}", copy::row_json(view.df, row))));
    }
    if ui.add(Button::new("Open row").shortcut_text("Enter")).clicked() {
        state.opened_row = Some(row);
    }
    let Ok(value) = column.get(row) else { return };
    let Some(conditions) = conditions(column.name(), &value) else {
        return;
    };
    ui.separator();
    for (text, condition) in [
        ("Keep only this value", conditions.0),
        ("Leave this value out", conditions.1),
    ] {
        let response = ui.button(text).on_hover_text(&condition);
        if response.clicked()
            && let Ok(step) = Step::from_params("filter", serde_json::json!({"where": condition}))
        {
            add_step(step, view, commands);
        }
    }
}

fn add_step(step: Step, view: &GridView<'_>, commands: &mut Vec<Command>) {
    let at = view.insert_at;
    let step = RecipeStep::new(step);
    commands.push(Command::Edit(Edit::InsertStep { at, step }));
    if view.shown_step.is_some() {
        commands.push(Command::ShowStep(Some(at + 1)));
    }
}

/// Steps that make sense for a column of this type.
fn fitting_steps(dtype: &DataType) -> impl Iterator<Item = &'static StepInfo> {
    let (is_text, is_number) = (*dtype == DataType::String, dtype.is_primitive_numeric());
    let is_nested = matches!(dtype, DataType::List(_) | DataType::Struct(_));
    let is_list = matches!(dtype, DataType::List(_));
    registry()
        .iter()
        .filter(move |info| match (info.group, info.name) {
            (_, "unnest") => is_nested && !is_list,
            (_, "explode" | "hashing_tf") => is_list,
            (_, "cast" | "fill_null") => !is_nested,
            ("text" | "time", _) => is_text,
            ("numbers", _) => is_number,
            ("nested", _) => is_nested,
            _ => true,
        })
}

fn short(text: &str) -> String {
    let cut: String = text.chars().take(46).collect();
    if cut.len() < text.len() {
        format!("{cut}…")
    } else {
        cut
    }
}

/// SQL that is true for this value only, and for everything else; none for types without a plain literal.
fn conditions(column: &str, value: &AnyValue<'_>) -> Option<(String, String)> {
    let name = sql_name(column);
    let literal = match value {
        AnyValue::Null => return Some((format!("{name} IS NULL"), format!("{name} IS NOT NULL"))),
        AnyValue::Boolean(true) => "true".to_owned(),
        AnyValue::Boolean(false) => "false".to_owned(),
        AnyValue::String(text) => quoted(text),
        AnyValue::StringOwned(text) => quoted(text),
        AnyValue::Float64(number) if number.is_finite() => number.to_string(),
        AnyValue::Float32(number) if number.is_finite() => number.to_string(),
        other if other.dtype().is_integer() => value::whole(other),
        _ => return None,
    };
    // A row without a value is not this value, and `<>` alone would leave it out too.
    let others = format!("{name} <> {literal} OR {name} IS NULL");
    Some((format!("{name} = {literal}"), others))
}

fn quoted(text: &str) -> String {
    format!("'{}'", text.replace('\'', "''"))
}

#[cfg(test)]
mod tests {
    use polars::prelude::AnyValue;

    use super::conditions;

    #[test]
    fn a_value_becomes_a_condition_for_it_and_for_the_rest() {
        for (column, value, keep, others) in [
            (
                "country",
                AnyValue::String("ZA"),
                "country = 'ZA'",
                "country <> 'ZA' OR country IS NULL",
            ),
            (
                "my title",
                AnyValue::String("it's"),
                "\"my title\" = 'it''s'",
                "\"my title\" <> 'it''s' OR \"my title\" IS NULL",
            ),
            (
                "n",
                AnyValue::Int64(i64::MAX),
                "n = 9223372036854775807",
                "n <> 9223372036854775807 OR n IS NULL",
            ),
            ("n", AnyValue::Null, "n IS NULL", "n IS NOT NULL"),
        ] {
            assert_eq!(
                conditions(column, &value),
                Some((keep.to_owned(), others.to_owned()))
            );
        }
        assert_eq!(conditions("x", &AnyValue::Float64(f64::NAN)), None);
    }
}

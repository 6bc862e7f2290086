//! The second datasets of the recipe: what there is and which steps read it, another place for one, taking one out.

use egui::{Align, Label, Layout, Ui};

use super::RecipeView;
use crate::base::units;
use crate::gui::command::Command;
use crate::gui::second_data::InputReader;
use crate::gui::theme::{code, space, weak_small};
use crate::gui::widgets::{quiet_button, section_label};
use crate::session::Edit;
use crate::transform::Recipe;

/// Nothing where the recipe has no second dataset.
pub(super) fn inputs_ui(ui: &mut Ui, view: &RecipeView<'_>, commands: &mut Vec<Command>) {
    let inputs = &view.history.document().inputs;
    if inputs.is_empty() {
        return;
    }
    ui.add_space(space::LG);
    section_label(ui, "Other data");
    for (name, input) in inputs {
        ui.horizontal(|ui| {
            ui.with_layout(Layout::right_to_left(Align::Center), |ui| {
                let remove = quiet_button(ui, true, "Remove").accessible_name(format!("Take out {name}"));
                let hover = "Takes it out of the recipe; steps that read it wait for other data";
                if remove.on_hover_text(hover).clicked() {
                    let name = name.clone();
                    commands.push(Command::Edit(Edit::RemoveInput { name }));
                    commands.push(Command::Seal);
                }
                let change = quiet_button(ui, true, "Change…").accessible_name(format!("Change {name}"));
                let hover =
                    "Another place or name; its columns are read again, and steps that read it follow";
                if change.on_hover_text(hover).clicked() {
                    commands.push(Command::ShowAddInput(InputReader::Instead(name.clone())));
                }
                ui.with_layout(Layout::left_to_right(Align::Center), |ui| {
                    ui.add(Label::new(code(name)).truncate());
                });
            });
        });
        ui.add(Label::new(weak_small(ui, &input.uri)).truncate());
        let columns = units::plural(input.schema.fields.len() as u64, "column");
        let text = format!("{columns} · {}", readers(view.recipe, name));
        let names: Vec<&str> = input
            .schema
            .fields
            .iter()
            .map(|field| field.name.as_str())
            .collect();
        ui.label(weak_small(ui, text)).on_hover_text(names.join(", "));
        ui.add_space(space::XS);
    }
}

/// `read by step 2`, `read by steps 2 and 4`
fn readers(recipe: &Recipe, name: &str) -> String {
    let steps = recipe.steps.iter().zip(1..);
    let numbers: Vec<String> = steps
        .filter(|(step, _)| step.step.inputs().contains(&name))
        .map(|(_, number): (_, usize)| number.to_string())
        .collect();
    match numbers.as_slice() {
        [] => "read by no step".to_owned(),
        [one] => format!("read by step {one}"),
        [first @ .., last] => format!("read by steps {} and {last}", first.join(", ")),
    }
}

#[cfg(test)]
mod tests {
    use super::readers;
    use crate::base::envelope::from_yaml;
    use crate::transform::Recipe;

    #[test]
    fn data_says_which_steps_read_it() {
        let recipe: Recipe = from_yaml(
            "- join: {input: clicks, on: [id]}\n- drop: {columns: [a]}\n- union: {input: users}\n- join: {input: clicks, on: [b]}",
        )
        .unwrap();
        assert_eq!(readers(&recipe, "clicks"), "read by steps 1 and 4");
        assert_eq!(readers(&recipe, "users"), "read by step 3");
        assert_eq!(readers(&recipe, "prices"), "read by no step");
    }
}

//! The second datasets of the recipe: what there is and which steps read it, another place for one, taking one out.

use egui::{Align, Id, Label, Layout, Popup, PopupCloseBehavior, Ui};

use super::RecipeView;
use crate::base::units;
use crate::gui::command::Command;
use crate::gui::second_data::InputReader;
use crate::gui::theme::{Tone, code, space, strong, weak_small};
use crate::gui::widgets::{quiet_button, secondary_button, section_label};
use crate::session::Edit;
use crate::transform::Recipe;

/// Width of the card that asks what is to become of steps.
const WIDTH: f32 = 300.0;

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
                remove_ui(ui, view.recipe, name, commands);
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

/// Takes data out at once where no step reads them; else says which steps do, and what can be done about those.
fn remove_ui(ui: &mut Ui, recipe: &Recipe, name: &str, commands: &mut Vec<Command>) {
    let button = quiet_button(ui, true, "Remove").accessible_name(format!("Take out {name}"));
    let at = reading_steps(recipe, name);
    if at.is_empty() {
        if button.on_hover_text("No step reads it").clicked() {
            remove(name, &[], commands);
            let text = format!("Took out {name}, which no step read. Ctrl+Z brings it back");
            commands.push(Command::Say(Tone::Good, text));
        }
        return;
    }
    let button = button.on_hover_text(format!("It is {}", readers(recipe, name)));
    Popup::from_toggle_button_response(&button)
        .id(Id::unique(("take out", name)))
        .close_behavior(PopupCloseBehavior::CloseOnClickOutside)
        .show(|ui| {
            ui.set_width(WIDTH);
            ui.label(strong(format!("{name} is {}", readers(recipe, name))));
            let text = "Without it those steps cannot run: they, and all after them, wait for other data.";
            ui.add(Label::new(weak_small(ui, text)).wrap());
            ui.add_space(space::XS);
            let steps = numbers(&at);
            if secondary_button(ui, true, "Read other data instead…").clicked() {
                commands.push(Command::ShowAddInput(InputReader::Instead(name.to_owned())));
                ui.close();
            }
            if secondary_button(ui, true, &format!("Take out {name} and {steps}")).clicked() {
                remove(name, &at, commands);
                let text = format!("Took out {name} and {steps}. Ctrl+Z brings them back");
                commands.push(Command::Say(Tone::Good, text));
                ui.close();
            }
            if quiet_button(ui, true, &format!("Take out only {name}")).clicked() {
                remove(name, &[], commands);
                let waits = if at.len() == 1 { "waits" } else { "wait" };
                let text = format!("Took out {name}: {steps} {waits} for other data. Ctrl+Z brings it back");
                commands.push(Command::Say(Tone::Warn, text));
                ui.close();
            }
        });
}

/// Takes data out, with the steps at these places, as one edit.
fn remove(name: &str, steps: &[usize], commands: &mut Vec<Command>) {
    let mut edits: Vec<Edit> = steps
        .iter()
        .rev()
        .map(|at| Edit::DeleteStep { at: *at })
        .collect();
    edits.push(Edit::RemoveInput {
        name: name.to_owned(),
    });
    let label = if steps.is_empty() {
        format!("remove data {name}")
    } else {
        format!("remove data {name} and {}", numbers(steps))
    };
    commands.push(Command::Edit(Edit::Group { label, edits }));
    commands.push(Command::Seal);
}

/// Places of the steps that read data of this name.
fn reading_steps(recipe: &Recipe, name: &str) -> Vec<usize> {
    let steps = recipe.steps.iter().enumerate();
    steps
        .filter(|(_, step)| step.step.inputs().contains(&name))
        .map(|(at, _)| at)
        .collect()
}

/// `step 2`, `steps 2 and 4`
fn numbers(at: &[usize]) -> String {
    let numbers: Vec<String> = at.iter().map(|at| (at + 1).to_string()).collect();
    match numbers.as_slice() {
        [] => "no step".to_owned(),
        [one] => format!("step {one}"),
        [first @ .., last] => format!("steps {} and {last}", first.join(", ")),
    }
}

/// `read by step 2`, `read by steps 2 and 4`
fn readers(recipe: &Recipe, name: &str) -> String {
    format!("read by {}", numbers(&reading_steps(recipe, name)))
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

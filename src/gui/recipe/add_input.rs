//! The field that chooses a second dataset, and the form that adds one: where it is, and what steps call it.

use egui::{Id, Label, Modal, Ui};

use crate::explore::{declared_inputs, joinable};
use crate::gui::command::Command;
use crate::gui::keys::{KeysCommand, broadcast_step};
use crate::gui::second_data::InputReader;
use crate::gui::state::{Commands, State};
use crate::gui::theme::{self, space, strong, weak_small, weak_small_marked};
use crate::gui::widgets::{labelled_field, primary_button, quiet_button, secondary_button};
use crate::session::Document;
use crate::storage::Location;

/// What a person did in the field.
pub(super) enum Picked {
    Name(String),
    /// Asked for the form.
    Add,
    /// Takes the chosen one out of the document.
    Remove,
}

/// The second datasets of the document, and a button that adds another.
pub(super) fn input_ui(ui: &mut Ui, current: &str, label: &str, names: &[&str]) -> Option<Picked> {
    let mut picked = None;
    let mut chosen = current.to_owned();
    let shown = if current.is_empty() {
        "Choose data"
    } else {
        current
    };
    let width = ui.available_width();
    let response = egui::ComboBox::from_id_salt(label)
        .width(width)
        .selected_text(theme::body(shown))
        .show_ui(ui, |ui| {
            for name in names {
                ui.selectable_value(&mut chosen, (*name).to_owned(), *name);
            }
            if names.is_empty() {
                ui.label(theme::weak(ui, "no data added yet"));
            }
        })
        .response;
    // Labelled after the combo box has named itself by its choice.
    ui.ctx()
        .accesskit_node_builder(response.id, |node| node.set_label(label));
    if chosen != current {
        picked = Some(Picked::Name(chosen));
    }
    ui.horizontal(|ui| {
        if quiet_button(ui, true, "Add data…").clicked() {
            picked = Some(Picked::Add);
        }
        if names.contains(&current) {
            let remove = quiet_button(ui, true, "Remove").accessible_name(format!("Remove data {current}"));
            let hover = format!("Takes {current} out of the recipe; steps that read it wait for other data");
            if remove.on_hover_text(hover).clicked() {
                picked = Some(Picked::Remove);
            }
        }
    });
    picked
}

/// A second dataset, half typed.
#[derive(Debug, Default)]
pub struct AddInputForm {
    location: String,
    name: String,
    /// What reads it, once it is there.
    reader: InputReader,
    /// What the last attempt failed with.
    problem: Option<String>,
    is_name_typed: bool,
    had_focus: bool,
}

impl AddInputForm {
    /// Empty; with what is there where it changes a dataset of the document.
    pub fn new(reader: InputReader, document: &Document) -> Self {
        let mut form = Self::default();
        if let InputReader::Instead(name) = &reader
            && let Some(input) = document.inputs.get(name)
        {
            form.name.clone_from(name);
            form.is_name_typed = true;
            form.location = folder_of(&input.uri);
        }
        form.reader = reader;
        form
    }

    /// A folder was chosen in the dialog.
    pub fn picked(&mut self, path: &str) {
        path.clone_into(&mut self.location);
        self.suggest_name();
        self.problem = None;
    }

    /// The place could not be read.
    pub fn failed(&mut self, problem: String) {
        self.problem = Some(problem);
    }

    /// The last folder of the place that is no day, until a name is typed.
    fn suggest_name(&mut self) {
        if self.is_name_typed {
            return;
        }
        let is_word = |part: &&str| part.starts_with(char::is_alphabetic) && !part.contains(['{', '=', ':']);
        let last = self.location.trim().split(['/', '\\']).rfind(is_word);
        let stem = last.and_then(|last| last.split('.').next()).unwrap_or_default();
        self.name = stem
            .chars()
            .map(|c| if c.is_alphanumeric() { c } else { '_' })
            .collect();
    }

    /// What is wrong with the name.
    fn name_problem(&self, known: &[&str]) -> Option<String> {
        let name = self.name.trim();
        let is_word = name.starts_with(char::is_alphabetic)
            && name
                .chars()
                .all(|c| c.is_alphanumeric() || matches!(c, '_' | '-'));
        if name.is_empty() {
            Some("write a name, such as clicks".to_owned())
        } else if !is_word {
            Some("use letters, digits and _".to_owned())
        } else if known.contains(&name) {
            Some(format!("`{name}` is there already"))
        } else {
            None
        }
    }

    /// Why the form cannot be confirmed yet.
    fn lacks(&self, known: &[&str]) -> Option<String> {
        if self.location.trim().is_empty() {
            return Some("First say where the data are".to_owned());
        }
        let problem = self.location_problem().or_else(|| self.name_problem(known))?;
        Some(format!("Cannot be added: {problem}"))
    }

    fn location_problem(&self) -> Option<String> {
        if self.location.trim().is_empty() {
            return Some("give a folder, a file or s3://bucket/prefix/".to_owned());
        }
        let parsed = self.location.parse::<Location>();
        parsed.err().map(|error| error.to_string())
    }
}

/// The folder that a place with days in it begins with: the days are found again.
fn folder_of(uri: &str) -> String {
    let Some((before, _)) = uri.split_once('{') else {
        return uri.to_owned();
    };
    let end = before.rfind('/').map_or(0, |slash| slash + 1);
    before.get(..end).unwrap_or(before).to_owned()
}

/// Shows the form while it is open.
pub fn add_input_ui(ui: &mut Ui, state: &mut State, commands: &mut Commands) {
    let Some(mut form) = state.panels.add_input.take() else {
        return;
    };
    let is_looking = state.slots.declared.is_pending();
    let mut known: Vec<&str> = state.document().inputs.keys().map(String::as_str).collect();
    if let InputReader::Instead(name) = &form.reader {
        known.retain(|known| known != name);
    }
    let fitting = fitting(state, &form.reader);
    let n_partitions = state.panels.keys.n_partitions;
    let mut is_closed = false;
    let modal = Modal::new(Id::unique("add data"))
        .frame(crate::gui::widgets::dialog_frame(ui))
        .show(ui.ctx(), |ui| {
            ui.set_width(440.0);
            if let InputReader::NewJoin(columns) = &form.reader {
                is_closed |= join_ui(ui, columns, n_partitions, &fitting, commands);
            } else if let InputReader::Instead(name) = &form.reader {
                ui.label(strong(format!("Change data {name}")));
                let text = "Its columns are read again at the place. Steps that read it keep reading it, also under another name.";
                ui.add(Label::new(weak_small(ui, text)).wrap());
            } else {
                ui.label(strong("Add data"));
                ui.label(weak_small(
                    ui,
                    "A second dataset for joins and unions. Folders by day are read for the day of the rows.",
                ));
            }
            ui.add_space(space::MD);
            let problem = form.problem.clone();
            let location = labelled_field(
                ui,
                &mut form.location,
                "Data location",
                "folder, file or s3://bucket/prefix/",
                problem.as_deref(),
            );
            if !form.had_focus {
                location.request_focus();
                form.had_focus = true;
            }
            if location.changed() {
                form.problem = None;
                form.suggest_name();
            }
            if quiet_button(ui, !is_looking, "Browse data…").clicked() {
                commands.push(Command::ChooseInput);
            }
            ui.add_space(space::SM);
            let is_started = !form.location.trim().is_empty();
            let problem = form.name_problem(&known).filter(|_| is_started);
            let name = labelled_field(ui, &mut form.name, "Data name", "clicks", problem.as_deref());
            form.is_name_typed |= name.changed();
            ui.add_space(space::LG);
            ui.with_layout(egui::Layout::right_to_left(egui::Align::Center), |ui| {
                let enter = ui.input(|input| input.key_pressed(egui::Key::Enter));
                let text = match form.reader {
                    _ if is_looking => "Looking…",
                    InputReader::NewJoin(_) => "Add data and join",
                    InputReader::Instead(_) => "Change",
                    _ => "Add",
                };
                let lacks = form.lacks(&known);
                let button = primary_button(ui, !is_looking && lacks.is_none(), text);
                let button = match &lacks {
                    Some(lacks) if !is_looking => button.on_disabled_hover_text(lacks),
                    _ => button,
                };
                if (button.clicked() || enter) && !is_looking {
                    form.problem = form.location_problem();
                    if form.problem.is_none() && form.name_problem(&known).is_none() {
                        commands.push(Command::AddInput {
                            name: form.name.trim().to_owned(),
                            location: form.location.trim().to_owned(),
                            reader: form.reader.clone(),
                        });
                    }
                }
                is_closed |= secondary_button(ui, true, "Cancel").clicked();
                if let Some(lacks) = lacks.filter(|_| !is_looking && form.problem.is_none()) {
                    ui.add(Label::new(weak_small(ui, lacks)).truncate());
                }
            });
        });
    if is_closed || modal.should_close() {
        state.slots.declared.clear();
    } else {
        state.panels.add_input = Some(form);
    }
}

/// Data that is there already and has the columns of a new join.
fn fitting(state: &State, reader: &InputReader) -> Vec<String> {
    let (InputReader::NewJoin(columns), Some(explored)) = (reader, state.slots.explored.value()) else {
        return Vec::new();
    };
    let inputs = declared_inputs(&state.document().inputs);
    let names = joinable(&inputs, columns, explored.df.schema());
    names.into_iter().map(str::to_owned).collect()
}

/// What a join by these columns is going to do, and data that is there already to join. Says whether one was chosen.
fn join_ui(
    ui: &mut Ui,
    columns: &[String],
    n_partitions: u32,
    fitting: &[String],
    commands: &mut Commands,
) -> bool {
    ui.label(strong(format!("Join by {}", columns.join(", "))));
    let text = "Choose the other side of the join. The step `join` holds it in memory, whole in every worker: a broadcast \
                join. The rows here are not shuffled by the key, so it does not matter that it is skewed.";
    ui.add(Label::new(weak_small_marked(ui, text)).wrap());
    let text = "Confirming writes two things: the data into the recipe's `inputs`, and a step `join` (left: every row stays) at \
                the end of the recipe. In a job the data may take a third of the memory.";
    ui.add(Label::new(weak_small_marked(ui, text)).wrap());
    let mut is_chosen = false;
    if !fitting.is_empty() {
        ui.add_space(space::SM);
        ui.horizontal_wrapped(|ui| {
            ui.label(weak_small(ui, "Data that is there:"));
            for name in fitting {
                let button = secondary_button(ui, true, &format!("Join {name}"));
                if button.clicked()
                    && let Ok(step) = broadcast_step(name, columns, n_partitions)
                {
                    let label = format!("Join {name}");
                    let add = KeysCommand::AddSteps(label, vec![step]);
                    commands.push(Command::Keys(add));
                    is_chosen = true;
                }
            }
        });
    }
    is_chosen
}

#[cfg(test)]
mod tests {
    use super::{AddInputForm, folder_of};

    fn form(location: &str) -> AddInputForm {
        let mut form = AddInputForm::default();
        form.picked(location);
        form
    }

    #[test]
    fn a_name_is_suggested_from_the_folder_that_is_no_day_until_one_is_typed() {
        for (location, name) in [
            ("/lake/clicks/2020-01-05", "clicks"),
            ("s3://lake/raw/clicks/2020/01/05/", "clicks"),
            ("/lake/click-log/day_partition=2020-01-01/", "click_log"),
            ("users.jsonl.gz", "users"),
        ] {
            assert_eq!(form(location).name, name, "{location}");
        }
        let mut typed = form("/lake/clicks");
        typed.name = "mine".to_owned();
        typed.is_name_typed = true;
        typed.picked("/lake/users");
        assert_eq!(typed.name, "mine");
    }

    #[test]
    fn a_place_that_names_days_is_changed_from_the_folder_of_its_days() {
        for (uri, folder) in [
            ("/lake/clicks/{day}/", "/lake/clicks/"),
            ("s3://lake/clicks/day_partition={day}/", "s3://lake/clicks/"),
            ("/lake/users.jsonl", "/lake/users.jsonl"),
        ] {
            assert_eq!(folder_of(uri), folder);
        }
    }

    #[test]
    fn a_form_without_a_place_cannot_be_confirmed_and_says_why() {
        let lacks = |location: &str| form(location).lacks(&["users"]);
        assert_eq!(lacks("").as_deref(), Some("First say where the data are"));
        assert_eq!(lacks("  ").as_deref(), Some("First say where the data are"));
        assert_eq!(
            lacks("/lake/users").as_deref(),
            Some("Cannot be added: `users` is there already")
        );
        assert!(lacks("gs://lake/clicks").unwrap().contains("s3://bucket"));
        assert_eq!(lacks("/lake/clicks"), None);
    }

    #[test]
    fn names_that_are_taken_or_no_words_say_so() {
        let problem = |name: &str| {
            let mut form = form("/lake/clicks");
            form.name = name.to_owned();
            form.name_problem(&["users"])
        };
        assert_eq!(problem("clicks"), None);
        assert_eq!(problem("users").as_deref(), Some("`users` is there already"));
        assert!(problem("a b").is_some() && problem("").is_some() && problem("1st").is_some());
        assert!(
            form("gs://lake/")
                .location_problem()
                .unwrap()
                .contains("s3://bucket")
        );
    }
}

//! Native dialogs: asking for a place, and what is done with the answer.

use std::path::PathBuf;
use std::time::{Duration, Instant};

use super::app::App;
use super::apply::{export, open_path, open_session, save_session};
use super::plot;
use super::profile::{self, ProfileCommand};
use super::recipe_files;
use super::runs;
use super::slots::Purpose;
use super::state::State;
use super::theme::Tone;
use crate::session::{Edit, SESSION_EXTENSION};
use crate::storage::Connection;

/// No person closes a dialog this fast: there was none, and the desktop says so nowhere but here.
const NO_PERSON: Duration = Duration::from_millis(150);
const NO_DIALOGS: &str = "this desktop has none: install xdg-desktop-portal or zenity; places can also be typed into the \
                          address above, or given to `skewer` on the command line";

/// Takes the answer of a dialog. None means that it was closed.
pub(super) fn take_picked(app: &mut App) {
    let slots = &mut app.state.slots;
    if !slots.picked.poll() || slots.picked.is_pending() {
        return;
    }
    let purpose = slots.picked.key().map(|(_, purpose)| purpose.clone());
    let answer = slots.picked.value().cloned().flatten();
    let error = slots.picked.error().map(str::to_owned);
    slots.picked.clear();
    if let Some(error) = error {
        app.state
            .say(Tone::Bad, format!("the file dialog failed: {error}"));
    }
    let (Some(purpose), Some(path)) = (purpose, answer) else {
        return;
    };
    match purpose {
        Purpose::OpenFolder | Purpose::OpenFile => open_path(&mut app.state, path),
        Purpose::OpenLog(wanted) | Purpose::OpenLogFolder(wanted) => {
            let place = path.display().to_string();
            runs::apply(app, wanted.command(place, Connection::default()));
        }
        Purpose::OpenSession => open_session(app, path),
        Purpose::SaveSession => save_session(app, with_ending(path)),
        Purpose::OpenRecipe => recipe_files::open_recipe(app, path),
        Purpose::SaveRecipe => recipe_files::save_recipe(app, path),
        Purpose::Export => export(app, path),
        Purpose::ExportPicture(picture) => export_picture(app, path, *picture),
        Purpose::PickBaseline => profile::apply(app, ProfileCommand::CompareWithFile(path)),
        Purpose::SaveBaseline => profile::apply(app, ProfileCommand::SaveTo(path)),
        Purpose::PickInput => {
            if let Some(form) = &mut app.state.panels.add_input {
                form.picked(&path.display().to_string());
            }
        }
        Purpose::PickSink => {
            let mut job = app.state.document().job.clone();
            job.sink = path.display().to_string();
            app.state.history.seal();
            app.state.history.apply(Edit::SetJob(job));
            app.state.history.seal();
        }
    }
}

fn with_ending(path: PathBuf) -> PathBuf {
    if path.to_string_lossy().ends_with(".yaml") {
        path
    } else {
        path.with_extension(SESSION_EXTENSION)
    }
}

fn export_picture(app: &mut App, path: PathBuf, picture: plot::PictureExport) {
    let generation = app.state.slots.next_generation();
    let tasks = &app.tasks;
    let exported = &mut app.state.slots.exported_picture;
    exported.restart((generation, path.clone()), |_| {
        plot::export_picture(tasks, path, picture)
    });
}

/// Says what became of a picture that was exported.
pub(super) fn take_exported_picture(state: &mut State) {
    let slot = &mut state.slots.exported_picture;
    if !slot.poll() {
        return;
    }
    let said = match (slot.error(), slot.value()) {
        (Some(error), _) => (Tone::Bad, error.to_owned()),
        (None, Some(path)) => (Tone::Good, format!("Exported to {path}")),
        (None, None) => return,
    };
    state.say(said.0, said.1);
}

/// Asks for a place. The answer is taken by a later frame.
pub(super) fn ask(app: &mut App, purpose: Purpose) {
    // A second dialog over the first confuses every desktop.
    if app.state.slots.picked.is_pending() {
        return;
    }
    let (answer, label) = match purpose {
        Purpose::OpenFolder => (
            app.picker.pick_folder("Open a folder of partitions"),
            "Choosing a folder",
        ),
        Purpose::OpenFile => (app.picker.pick_file(), "Choosing a file"),
        Purpose::OpenLog(_) => (app.picker.pick_log(), "Choosing an event log"),
        Purpose::OpenLogFolder(_) => (
            app.picker.pick_folder("Open the folder of a rolling event log"),
            "Choosing an event log",
        ),
        Purpose::PickSink => (
            app.picker.pick_folder("Choose the folder of the table"),
            "Choosing the folder of the table",
        ),
        Purpose::PickInput => (
            app.picker.pick_folder("Choose the folder of a second dataset"),
            "Choosing data to add",
        ),
        Purpose::PickBaseline => (app.picker.pick_baseline(), "Choosing a baseline"),
        Purpose::SaveBaseline => (
            app.picker.save_file("baseline.yaml"),
            "Choosing where to save the baseline",
        ),
        Purpose::OpenSession => (app.picker.pick_session(), "Choosing a session"),
        Purpose::OpenRecipe => (app.picker.pick_recipe(), "Choosing a recipe"),
        Purpose::SaveRecipe => {
            let name = format!("{}.recipe.yaml", app.state.document().job.name);
            (app.picker.save_file(&name), "Choosing where to save the recipe")
        }
        Purpose::SaveSession => {
            let name = format!("{}.{SESSION_EXTENSION}", app.state.document().job.name);
            (app.picker.save_file(&name), "Choosing where to save")
        }
        Purpose::ExportPicture(ref export) => {
            let name = plot::file_name(&export.picture);
            (app.picker.save_picture(&name), "Choosing where to export")
        }
        Purpose::Export => {
            let name = format!("{}.yaml", app.state.document().job.name);
            (app.picker.save_file(&name), "Choosing where to export")
        }
    };
    let generation = app.state.slots.next_generation();
    let (tasks, asks_a_person) = (&app.tasks, app.picker.asks_a_person());
    app.state.slots.picked.restart((generation, purpose), |_| {
        tasks.spawn(label, move |_| async move {
            let asked = Instant::now();
            let answer = answer.await;
            if answer.is_none() && asks_a_person && asked.elapsed() < NO_PERSON {
                return Err(NO_DIALOGS.to_owned());
            }
            Ok(answer)
        })
    });
}

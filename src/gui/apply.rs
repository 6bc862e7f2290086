//! Carries out commands, takes what background work sent, and starts work whose key changed.

use std::path::{Path, PathBuf};

use egui::Context;

use super::app::{App, close};
use super::command::{Command, Tab};
use super::dialogs::{self, ask};
use super::saver::Save;
use super::sides::Side;
use super::slots::{ExploreKey, Lacks, PageKey, Purpose, Slots};
use super::state::{Place, State};
use super::theme::{self, Tone};
use super::work;
use super::{edits, hints, job_facts, profile, recipe_files, runs, second_data};
use crate::job::Job;
use crate::session::{Document, Edit, Frozen, NoJob, SESSION_EXTENSION, Source};
use crate::storage::{Connection, Location};

/// Label of the run in the activity list.
pub(super) const RUN_LABEL: &str = "Run here";

/// Files that were dropped on the window, as commands.
pub(super) fn dropped(ctx: &Context) -> Vec<Command> {
    let paths: Vec<PathBuf> = ctx.input(|input| {
        input
            .raw
            .dropped_files
            .iter()
            .map(|file| file.path().to_owned())
            .collect()
    });
    paths
        .into_iter()
        .map(|path| {
            let text = path.display().to_string();
            if runs::is_log_path(&text) {
                Command::Runs(runs::RunsCommand::Open(text, Connection::default()))
            } else {
                Command::GoTo(text, Connection::default())
            }
        })
        .collect()
}

/// Takes what background work has sent.
pub(super) fn take_events(app: &mut App, ctx: &Context) {
    let is_opening = app.is_opening();
    let state = &mut app.state;
    if state.slots.listing.poll()
        && state.slots.listed().is_some()
        && state.slots.listing.key() == state.to_remember.as_ref()
        && let Some(source) = state.to_remember.take()
        && state.sample.as_ref() != Some(&source)
    {
        state.preferences.remember(&source.location.name(), &source);
    }
    state.slots.partitions.poll();
    state.slots.page.poll();
    if state.slots.explored.poll() {
        edits::keep_fits(state);
    }
    state.slots.suggestions.poll();
    if state.slots.fonts.poll()
        && let Some(found) = state.slots.fonts.value()
    {
        theme::add_system_fonts(ctx, found.clone());
    }
    if state.slots.sample.poll()
        && let Some(path) = state.slots.sample.value()
    {
        let source = Source {
            location: Location::Local(path.clone()),
            connection: Connection::default(),
        };
        state.sample = Some(source.clone());
        if state.document().source.is_none() && !is_opening {
            open(state, source);
        }
    }
    if state.slots.exported.poll() {
        match (state.slots.exported.error(), state.slots.exported.value()) {
            (Some(error), _) => {
                let error = error.to_owned();
                state.say(Tone::Bad, error);
            }
            (None, Some(path)) => {
                let text = format!("Exported to {path}");
                state.say(Tone::Good, text);
            }
            (None, None) => {}
        }
    }
    if state.slots.run.poll() && !state.slots.run.is_pending() {
        match state.slots.run.error() {
            None => {
                state.say(Tone::Good, "The run has ended");
                runs::keep_own(state);
            }
            Some(error) => {
                let error = error.to_owned();
                state.say(Tone::Bad, format!("The run failed: {error}"));
            }
        }
    }
    state.slots.inputs.poll();
    super::keys::poll(state);
    dialogs::take_exported_picture(state);
    runs::poll(state);
    profile::poll(state);
    second_data::take_declared(state);
    take_session(state);
    recipe_files::take_recipe(state);
    job_facts::take(state, ctx);
    job_facts::take_test(state);
    dialogs::take_picked(app);
}

fn take_session(state: &mut State) {
    if !state.slots.session.poll() {
        return;
    }
    if let Some(error) = state.slots.session.error() {
        let error = error.to_owned();
        state.say(Tone::Bad, error);
        return;
    }
    let (Some(path), Some(document)) = (state.slots.session.key(), state.slots.session.value()) else {
        return;
    };
    let (path, document) = (path.clone(), document.clone());
    state.places.leave(Place::of(state.document()));
    state.history = crate::session::History::new(document.clone());
    state.panels.shown_step = None;
    state.panels.address.reset();
    state.panels.data.forget_answers();
    state.say(Tone::Good, format!("Opened {}", path.display()));
    state.session = Some(path);
    state.saved = document;
    state.slots.session.clear();
}

pub(super) fn open_path(state: &mut State, path: PathBuf) {
    let source = Source {
        location: Location::Local(path),
        connection: Connection::default(),
    };
    state.to_remember = Some(source.clone());
    open(state, source);
}

/// Opens a source and remembers it as a recent place.
fn open(state: &mut State, source: Source) {
    state.preferences.visit(&source);
    state.panels.notice = None;
    state.go(Edit::Open(Some(source)));
}

pub(super) fn open_session(app: &mut App, path: PathBuf) {
    let tasks = &app.tasks;
    app.state
        .slots
        .session
        .restart(path.clone(), |_| work::open_session(tasks, path));
}

pub(super) fn save_session(app: &mut App, path: PathBuf) {
    let document = app.state.document().clone();
    app.saver.save(Save::Session {
        path: path.clone(),
        document: Box::new(document.clone()),
    });
    app.state.say(Tone::Good, format!("Saved {}", path.display()));
    app.state.session = Some(path);
    app.state.saved = document;
}

pub(super) fn export(app: &mut App, path: PathBuf) {
    match app.state.slots.spec.text.clone() {
        Ok(text) => {
            let generation = app.state.slots.next_generation();
            let tasks = &app.tasks;
            app.state
                .slots
                .exported
                .restart((generation, path.clone()), |_| work::export(tasks, path, text));
        }
        Err(reason) => app.state.say(Tone::Bad, format!("not exported: {reason}")),
    }
}

/// Carries out one command.
#[allow(clippy::too_many_lines, reason = "one arm a command")]
pub(super) fn apply(app: &mut App, ctx: &Context, command: Command) {
    match command {
        Command::Edit(change) => match &change {
            Edit::Open(_) | Edit::ShowPartition { .. } => app.state.go(change),
            _ => edits::edit(&mut app.state, change),
        },
        Command::Seal => app.state.history.seal(),
        Command::Undo => {
            if let Some(label) = app.state.history.undo() {
                app.state.panels.address.reset();
                app.state.say(Tone::Weak, format!("Undone: {label}"));
            }
        }
        Command::Redo => {
            if let Some(label) = app.state.history.redo() {
                app.state.panels.address.reset();
                app.state.say(Tone::Weak, format!("Done again: {label}"));
            }
        }
        Command::GoToEntry(id) => {
            if app.state.history.go_to(id) {
                app.state.panels.address.reset();
                let label = app.state.history.undo_label();
                let label = label.unwrap_or_else(|| "the beginning".to_owned());
                app.state.say(Tone::Weak, format!("Back to: {label}"));
            }
        }
        Command::Say(tone, text) => app.state.say(tone, text),
        Command::OpenRecipeDialog => ask(app, Purpose::OpenRecipe),
        Command::SaveRecipeAs => ask(app, Purpose::SaveRecipe),
        Command::CopySteps => recipe_files::copy_steps(app, ctx),
        Command::PasteSteps => recipe_files::ask_for_steps(app, ctx),
        Command::Open(source) => open(&mut app.state, source),
        Command::GoTo(text, connection) => go_to(app, &text, connection),
        Command::OpenSampleData => open_sample(app),
        Command::OpenFolderDialog => ask(app, Purpose::OpenFolder),
        Command::OpenFileDialog => ask(app, Purpose::OpenFile),
        Command::OpenSessionDialog => ask(app, Purpose::OpenSession),
        Command::Save => match app.state.session.clone() {
            Some(path) => save_session(app, path),
            None => ask(app, Purpose::SaveSession),
        },
        Command::SaveAs => ask(app, Purpose::SaveSession),
        Command::Export => match &app.state.slots.spec.text {
            Ok(_) => ask(app, Purpose::Export),
            Err(reason) => {
                let text = format!("not exported: {reason}");
                app.state.say(Tone::Bad, text);
                app.state.panels.tab = Tab::Job;
            }
        },
        Command::RunHere { replace } => run_here(app, replace),
        Command::ShowAddInput(reader) => {
            let form = super::recipe::AddInputForm::new(reader, app.state.document());
            app.state.panels.add_input = Some(form);
        }
        Command::AddInput {
            name,
            location,
            reader,
        } => second_data::add_input(app, name, location, reader),
        Command::ChooseInput => ask(app, Purpose::PickInput),
        Command::ChooseSink => ask(app, Purpose::PickSink),
        Command::CancelRun => app.state.slots.run.cancel(),
        Command::Runs(command) => runs::apply(app, command),
        Command::CancelTask(id) => app.tasks.cancel(id),
        Command::Partitions(command) => super::partitions::apply(app, command),
        Command::CopyText(text) => ctx.copy_text(text),
        Command::Refresh => refresh(app),
        Command::ShowTab(tab) => app.state.panels.tab = tab,
        Command::Keys(command) => super::keys::apply(app, command),
        Command::ExportPicture(picture) => ask(app, Purpose::ExportPicture(picture)),
        Command::Profile(command) => profile::apply(app, command),
        Command::ShowStep(step) => app.state.panels.shown_step = step,
        Command::OpenStep(at) => open_step(&mut app.state, at),
        Command::CopyPython => job_facts::copy_python(&mut app.state),
        Command::MakeTest(rows) => job_facts::make_test(app, rows, false),
        Command::MakeTestOfShown(rows) => job_facts::make_test(app, rows, true),
        Command::DeleteTest(at) => job_facts::delete_test(&mut app.state, at),
        Command::CompareStep(number) => {
            app.state.panels.shown_step = Some(number);
            app.state.panels.tab = Tab::Data;
            app.state.panels.data.compare();
        }
        Command::GoBack => {
            let present = Place::of(app.state.document());
            if let Some(place) = app.state.places.back(present) {
                app.state.show(place);
            }
        }
        Command::GoForward => {
            let present = Place::of(app.state.document());
            if let Some(place) = app.state.places.forward(present) {
                app.state.show(place);
            }
        }
        Command::GoUp => go_up(&mut app.state),
        Command::EditAddress => app.state.panels.address.focus(),
        Command::AddConnection => app.state.panels.connect = Some(super::shell::ConnectForm::default()),
        Command::Forget(source) => app.state.preferences.forget(&source),
        Command::SetTheme(theme) => {
            app.state.preferences.theme = theme;
            theme::apply(ctx, theme);
        }
        Command::ZoomIn => egui::gui_zoom::zoom_in(ctx),
        Command::ZoomOut => egui::gui_zoom::zoom_out(ctx),
        Command::ZoomReset => ctx.set_zoom_factor(1.0),
        Command::ToggleSources => app.state.panels.sides.toggle(Side::Sources),
        Command::ToggleRecipe => app.state.panels.sides.toggle(Side::Recipe),
        Command::ToggleActivity => {
            let is_open = &mut app.state.preferences.is_activity_open;
            *is_open = app.state.panels.sides.toggle_activity(*is_open);
        }
        Command::ToggleColumnFigures => app.state.preferences.hides_column_figures ^= true,
        Command::ShowPalette => {
            app.state.panels.palette = match app.state.panels.palette {
                Some(_) => None,
                None => Some(super::shell::Palette::default()),
            }
        }
        Command::ShowShortcuts => app.state.panels.has_shortcuts ^= true,
        Command::Quit => close(ctx),
    }
}

/// Opens a step's editor. Its result is shown; of the last step that is what all steps give.
fn open_step(state: &mut State, at: usize) {
    let n_steps = state.document().recipe.steps.len();
    if at >= n_steps {
        return;
    }
    state.panels.sides.show(Side::Recipe);
    state.panels.recipe.open_step(at);
    let is_last = at + 1 == n_steps;
    if !is_last || state.panels.shown_step.is_some() {
        state.panels.shown_step = (!is_last).then_some(at + 1);
    }
}

fn go_to(app: &mut App, text: &str, connection: Connection) {
    if text.ends_with(SESSION_EXTENSION) {
        open_session(app, PathBuf::from(text));
        return;
    }
    match text.parse::<Location>() {
        Ok(location) => {
            let connection = if location.is_s3() {
                connection
            } else {
                Connection::default()
            };
            let source = Source { location, connection };
            app.state.to_remember = Some(source.clone());
            open(&mut app.state, source);
        }
        Err(error) => app.state.say(Tone::Bad, error.to_string()),
    }
}

fn open_sample(app: &mut App) {
    if let Some(sample) = app.state.sample.clone() {
        open(&mut app.state, sample);
        return;
    }
    // Opened when it is there, because nothing is open then.
    if app.state.document().source.is_some() {
        app.state.go(Edit::Open(None));
    }
    let (tasks, cache) = (&app.tasks, app.cache.clone());
    if app.state.slots.sample.is_pending() {
        return;
    }
    app.state
        .slots
        .sample
        .restart((), |()| work::sample_data(tasks, cache));
}

/// From a partition to its dataset, then to the folder above the source.
fn go_up(state: &mut State) {
    let document = state.document();
    if document.partition.is_some() {
        let dataset = document.dataset.clone();
        state.go(Edit::ShowPartition {
            dataset,
            partition: None,
        });
        return;
    }
    let Some(source) = document.source.clone() else {
        return;
    };
    match source.location.parent() {
        Some(location) => open(
            state,
            Source {
                location,
                connection: source.connection,
            },
        ),
        None => state.say(Tone::Weak, "this is the top"),
    }
}

/// Lists again and reads the rows again. What is open stays open.
fn refresh(app: &mut App) {
    app.state.slots.refreshes += 1;
    let Some(source) = app.state.document().source.clone() else {
        return;
    };
    let tasks = &app.tasks;
    app.state
        .slots
        .listing
        .restart(source, |source| work::list(tasks, source));
}

fn run_here(app: &mut App, is_replacing: bool) {
    app.state.panels.tab = Tab::Job;
    if app.state.slots.run.is_pending() {
        return;
    }
    let spec = match &app.state.slots.spec.text {
        Ok(spec) => spec.clone(),
        Err(reason) => {
            let text = format!("not run: {reason}");
            app.state.say(Tone::Bad, text);
            return;
        }
    };
    let document = app.state.document();
    let days = match document.job.days.trim() {
        "" => document
            .partition
            .as_ref()
            .and_then(crate::storage::Partition::date)
            .map(|date| date.to_string())
            .unwrap_or_default(),
        days => days.to_owned(),
    };
    if days.is_empty() {
        app.state
            .say(Tone::Bad, "not run: open a day, or give days on the Job tab");
        return;
    }
    let base = spec_base(app.state.session.as_deref());
    let generation = app.state.slots.next_generation();
    let tasks = &app.tasks;
    app.state
        .slots
        .run
        .restart(generation, |_| work::run(tasks, spec, base, days, is_replacing));
}

/// Starts work whose key changed since the last frame.
pub(super) fn start_work(app: &mut App) {
    profile::start_work(app);
    let tasks = &app.tasks;
    let State {
        history,
        panels,
        slots,
        session,
        ..
    } = &mut app.state;
    runs::start_work(tasks, &mut slots.runs, &panels.runs);
    let document = history.document();
    let Some(source) = &document.source else {
        slots.listing.clear();
        slots.page.clear();
        slots.inputs.clear();
        slots.explored.clear();
        return;
    };
    // Rows of another source must not be taken for this one's, also when this one cannot be listed.
    if slots.page.key().is_some_and(|key| key.source != *source) {
        slots.page.clear();
        slots.explored.clear();
        slots.suggestions.clear();
        slots.facts.clear();
        slots.lacks = Lacks::default();
        panels.data.forget_answers();
    }
    slots
        .listing
        .request(source.clone(), |source| work::list(tasks, source));
    if let Some(listed) = slots.listing.value().filter(|_| !slots.listing.is_stale()) {
        slots
            .partitions
            .request(tasks, document, &panels.partitions, source, listed);
    }
    if let (Some(prefixes), Some(strata)) = (slots.prefixes(document), slots.strata(document)) {
        let key = PageKey {
            source: source.clone(),
            prefixes,
            schema_prefixes: slots.schema_prefixes(document),
            sample: document.sample,
            strata,
            generation: slots.refreshes,
        };
        let label = document
            .partition
            .as_ref()
            .map_or_else(|| "the dataset".to_owned(), ToString::to_string);
        slots.page.request(key, |key| work::read_page(tasks, key, &label));
    }
    if let Some(read) = slots.page.value()
        && !slots.page.is_stale()
    {
        if panels
            .shown_step
            .is_some_and(|n_steps| n_steps > document.recipe.steps.len())
        {
            panels.shown_step = None;
        }
        let read = read.clone();
        let is_opened = second_data::request_inputs(document, slots, tasks, spec_base(session.as_deref()));
        let opened = slots.inputs.value().cloned();
        let (stamp, inputs) = opened.map_or_else(Default::default, |opened| (opened.stamp, opened.inputs));
        let key = ExploreKey {
            page: read.stamp,
            recipe: document.recipe.clone(),
            shown_step: panels.shown_step,
            inputs: stamp,
        };
        let on = || work::ExploreOn {
            read: read.clone(),
            inputs,
            from: explored_from(document, source),
        };
        // What rests on the inputs of before would be wrong; the last result stays until they are there.
        if is_opened {
            let explorer = &slots.explorer;
            slots.explored.request(key, |key| {
                work::start_explore(tasks, explorer, on(), key.recipe.clone(), key.shown_step)
            });
        }
    }
    super::keys::start_work(tasks, document, slots, panels);
    hints::suggest(tasks, document, slots);
    hints::look_for_lacks(document, slots);
    job_facts::request(tasks, document, slots, panels.tab, spec_base(session.as_deref()));
    write_spec(document, slots, spec_base(session.as_deref()));
}

/// What the explored rows are, for steps that learn from them: `s3://lake/raw/ 2020-01-05, first 1,000 rows`.
fn explored_from(document: &Document, source: &Source) -> String {
    let place = source.location.join(&document.dataset);
    let partition = document.partition.as_ref();
    let partition = partition
        .map(|partition| format!(" {partition}"))
        .unwrap_or_default();
    format!("{place}{partition}, {}", document.sample)
}

/// The folder that a spec's relative places are relative to before it has one of its own.
fn spec_base(session: Option<&Path>) -> PathBuf {
    session
        .and_then(Path::parent)
        .map_or_else(|| PathBuf::from("."), Path::to_owned)
}

/// A path below the working directory without it, to be read at a glance.
fn as_seen_from_here(path: &str) -> String {
    let short = std::env::current_dir().ok().and_then(|here| {
        Path::new(path)
            .strip_prefix(here)
            .ok()
            .map(|p| format!("{}/", p.display()))
    });
    short.unwrap_or_else(|| path.to_owned())
}

/// Writes the spec again when the document or the frozen schema changed, and checks it as a run would.
fn write_spec(document: &Document, slots: &mut Slots, base: PathBuf) {
    let read = slots.page.value().filter(|_| !slots.page.is_stale());
    let key = (document.clone(), read.map(|read| read.stamp), base);
    if slots.spec.key.as_ref() == Some(&key) {
        return;
    }
    let text = match (read, slots.dataset(document)) {
        (Some(read), Some(dataset)) => document
            .job_spec(Frozen {
                keys: &dataset.keys,
                schema: read.page.declared.as_ref(),
            })
            .map_err(|error| error.to_string())
            .and_then(|spec| spec.to_yaml().map_err(|error| error.to_string()))
            .and_then(|text| match Job::from_text(&text, &key.2) {
                Ok(_) => Ok(text),
                Err(error) => Err(error.to_string()),
            }),
        _ => Err(NoJob::NoSchema.to_string()),
    };
    slots.spec.default_sink = slots
        .dataset(document)
        .and_then(|dataset| document.default_sink(&dataset.keys))
        .map(|sink| as_seen_from_here(&sink))
        .unwrap_or_default();
    slots.spec.text = text;
    slots.spec.key = Some(key);
}

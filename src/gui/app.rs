//! One frame after another: take events, apply commands, start work, then draw.

use std::path::PathBuf;
use std::time::{Duration, Instant};

use egui::{CentralPanel, Context, Frame, Margin, Panel, Ui, ViewportCommand};

use super::command::{Command, Tab, take_shortcuts};
use super::data::{DataView, data_ui};
use super::job::{JobView, RunView, job_ui};
use super::memory::Memory;
use super::partitions::{PartitionsView, partitions_ui};
use super::picker::FilePicker;
use super::preferences::{Preferences, file_in, session_in};
use super::profile::profile_tab;
use super::recipe::{RecipeView, add_input_ui, recipe_ui};
use super::runs::{COMPARING, READING, RunsCommand, RunsView, is_log_path, runs_ui};
use super::saver::{Save, Saver};
use super::shell::{self, StatusView};
use super::sides::{Shown, Side, strip_ui};
use super::slots::Slots;
use super::state::{Panels, Places, State};
use super::theme::{self, Tone, colors, size, space};
use super::window::{Start, WindowError};
use super::{apply, folders};
use crate::base::units;
use crate::dataset::origin;
use crate::session::{Document, History};
use crate::task::{Executor, TaskState, TaskView};

/// What the window needs from outside. Tests give folders of their own and a picker that answers.
pub struct Setup {
    pub start: Start,
    /// Where preferences and the last session are kept; none keeps nothing.
    pub config: Option<PathBuf>,
    /// Where the sample data are made when the working directory has none.
    pub cache: PathBuf,
    pub picker: Box<dyn FilePicker>,
    /// Looks for fonts of the system in the background.
    pub has_system_fonts: bool,
}

impl Setup {
    /// The folders of this platform and its native dialogs.
    pub fn native(start: Start) -> Self {
        Self {
            start,
            config: folders::config(),
            cache: folders::cache(),
            picker: Box::new(super::NativePicker),
            has_system_fonts: true,
        }
    }
}

/// Threads for background work. Reading waits more than it computes.
const N_THREADS: usize = 4;
/// A document at rest this long is saved.
const AUTOSAVE_AFTER: Duration = Duration::from_secs(1);
/// Progress is drawn this often while something runs.
const PROGRESS_EVERY: Duration = Duration::from_millis(200);

/// The window.
pub struct App {
    pub(super) state: State,
    pub(super) tasks: Executor,
    pub(super) picker: Box<dyn FilePicker>,
    pub(super) saver: Saver,
    pub(super) cache: PathBuf,
    config: Option<PathBuf>,
    commands: Vec<Command>,
    /// The activity list as of this frame.
    activity: Vec<TaskView>,
    memory: Memory,
    written: Preferences,
    autosaved: Document,
    changed: Option<Instant>,
    /// Scripts of this sample that no font shows, by the stamp of the page.
    font_hint: (u64, Option<String>),
}

impl App {
    /// Prepares the window: fonts, theme, preferences and the last session.
    ///
    /// # Errors
    /// [`WindowError::Threads`] when the operating system gives no threads.
    pub fn new(ctx: &Context, setup: Setup) -> Result<Self, WindowError> {
        theme::install_fonts(ctx);
        let (wake, save_wake) = (ctx.clone(), ctx.clone());
        let tasks = Executor::new(N_THREADS, move || wake.request_repaint()).map_err(WindowError::Threads)?;
        let saver = Saver::new(move || save_wake.request_repaint()).map_err(WindowError::Threads)?;
        let (preferences, message) = match &setup.config {
            Some(folder) => Preferences::load(folder),
            None => (Preferences::default(), None),
        };
        let last = setup
            .config
            .as_deref()
            .map(session_in)
            .filter(|path| path.exists())
            .map(|path| crate::session::load(&path));
        let (document, problem) = match last {
            Some(Ok(document)) => (document, None),
            Some(Err(error)) => (Document::default(), Some(error.to_string())),
            None => (Document::default(), None),
        };
        theme::apply(ctx, preferences.theme);
        ctx.set_zoom_factor(preferences.zoom);
        ctx.options_mut(|options| options.zoom_with_keyboard = false);
        let mut app = Self {
            state: State {
                history: History::new(document.clone()),
                session: None,
                saved: Document::default(),
                preferences: preferences.clone(),
                panels: Panels::default(),
                places: Places::default(),
                slots: Slots::default(),
                to_remember: None,
                sample: None,
            },
            tasks,
            picker: setup.picker,
            saver,
            cache: setup.cache,
            config: setup.config,
            commands: Vec::new(),
            activity: Vec::new(),
            memory: Memory::default(),
            written: preferences,
            autosaved: document,
            changed: None,
            font_hint: (0, None),
        };
        if let Some(message) = message.or(problem) {
            app.state.say(Tone::Warn, message);
        }
        app.start(setup.start, setup.has_system_fonts);
        Ok(app)
    }

    fn start(&mut self, start: Start, has_system_fonts: bool) {
        if has_system_fonts {
            let tasks = &self.tasks;
            self.state.slots.fonts.request((), |()| {
                tasks.spawn("Fonts of this system", |context| async move {
                    tokio::task::spawn_blocking(move || theme::find_system_fonts(&context.cancel))
                        .await
                        .map_err(|error| error.to_string())
                })
            });
        }
        let cache = self.cache.clone();
        let tasks = &self.tasks;
        self.state
            .slots
            .sample
            .request((), |()| super::work::sample_data(tasks, cache));
        match start.location {
            Some(location) if is_log_path(&location.to_string()) => {
                let command = RunsCommand::Open(location.to_string(), start.connection);
                self.commands.push(Command::Runs(command));
            }
            Some(location) => self.commands.push(Command::Open(crate::session::Source {
                location,
                connection: start.connection,
            })),
            None => {
                if self.state.document().source.is_none() {
                    self.commands.push(Command::OpenSampleData);
                }
            }
        }
    }

    /// One frame inside any `Ui`, as a test harness gives it. The real window calls the two halves itself.
    pub fn frame(&mut self, ui: &mut Ui) {
        self.advance(&ui.ctx().clone());
        self.draw(ui);
    }

    /// The document, for tests.
    pub fn document(&self) -> &Document {
        self.state.document()
    }

    /// Whether a place is about to be opened, so that nothing else is to be.
    pub(super) fn is_opening(&self) -> bool {
        let opens = |command: &Command| matches!(command, Command::Open(_) | Command::GoTo(..));
        self.commands.iter().any(opens)
    }

    /// Whether any background work is under way, for tests.
    pub fn is_idle(&self) -> bool {
        self.tasks.is_idle() && self.commands.is_empty()
    }

    fn advance(&mut self, ctx: &Context) {
        apply::take_events(self, ctx);
        let mut commands = std::mem::take(&mut self.commands);
        let has_recipe = self.state.panels.sides.shown(Side::Recipe) == Shown::Whole;
        let is_on_step = has_recipe && self.state.panels.recipe.has_row_focus();
        commands.extend(take_shortcuts(ctx, is_on_step));
        commands.extend(apply::dropped(ctx));
        for command in commands {
            apply::apply(self, ctx, command);
        }
        apply::start_work(self);
        self.activity = self.tasks.tasks();
        if self.activity.iter().any(|task| task.state == TaskState::Running) {
            ctx.request_repaint_after(PROGRESS_EVERY);
        }
        self.check_fonts(ctx);
        self.keep(ctx);
    }

    fn check_fonts(&mut self, ctx: &Context) {
        let Some(read) = self.state.slots.page.value() else {
            return;
        };
        // Asked once a page, and only after the system's fonts were added.
        if self.font_hint.0 != read.stamp && !self.state.slots.fonts.is_pending() {
            self.font_hint = (read.stamp, theme::scripts_without_font(ctx, &read.characters));
        }
    }

    /// Saves what changed, once it is at rest.
    fn keep(&mut self, ctx: &Context) {
        if let Some(message) = self.saver.take_error() {
            self.state.say(Tone::Bad, message);
        }
        let Some(folder) = &self.config else { return };
        let zoom = ctx.zoom_factor();
        if (self.state.preferences.zoom - zoom).abs() > 0.001 {
            self.state.preferences.zoom = zoom;
        }
        if self.written != self.state.preferences {
            self.written = self.state.preferences.clone();
            self.saver.save(Save::Text {
                path: file_in(folder),
                text: self.written.to_text(),
            });
        }
        if self.state.document() == &self.autosaved {
            self.changed = None;
            return;
        }
        let since = *self.changed.get_or_insert_with(Instant::now);
        if since.elapsed() >= AUTOSAVE_AFTER {
            self.autosave();
        } else {
            ctx.request_repaint_after(AUTOSAVE_AFTER);
        }
    }

    fn autosave(&mut self) {
        let Some(folder) = &self.config else { return };
        if self.state.document() != &self.autosaved {
            self.autosaved = self.state.document().clone();
            self.changed = None;
            self.saver.save(Save::Session {
                path: session_in(folder),
                document: Box::new(self.autosaved.clone()),
            });
        }
    }

    fn draw(&mut self, ui: &mut Ui) {
        let c = colors(ui);
        let panel = Frame::new().fill(c.panel);
        Panel::top("top bar")
            .exact_size(size::TOP_BAR)
            .frame(panel.inner_margin(Margin::symmetric(14, 0)))
            .show(ui, |ui| {
                shell::top_bar_ui(ui, &mut self.state, &mut self.commands);
            });
        Panel::bottom("status line")
            .exact_size(size::STATUS_LINE)
            .frame(panel.inner_margin(Margin::symmetric(14, 0)))
            .show(ui, |ui| self.draw_status(ui));
        self.state.panels.sides.measure(ui.ctx().content_rect().size());
        if self.has_activity() {
            // Two lines of a small window are worth more to what is above.
            let height = if ui.available_height() < 900.0 {
                92.0
            } else {
                118.0
            };
            Panel::bottom("activity")
                .resizable(true)
                .default_size(height)
                .size_range(72.0..=320.0)
                .frame(panel.inner_margin(Margin::symmetric(14, 8)))
                .show(ui, |ui| {
                    shell::activity_ui(ui, &self.activity, &mut self.commands);
                    ui.take_available_space();
                });
        }
        self.draw_sources(ui);
        self.draw_recipe(ui);
        CentralPanel::default()
            .frame(Frame::new().fill(c.background))
            .show(ui, |ui| {
                ui.spacing_mut().item_spacing.y = 0.0;
                self.draw_tabs(ui);
                ui.spacing_mut().item_spacing.y = space::XS;
                // The Partitions tab scrolls to the edge and has its margin inside.
                let margin = match self.state.panels.tab {
                    Tab::Partitions | Tab::Keys | Tab::Runs => 0,
                    Tab::Data | Tab::Profile | Tab::Job => 14,
                };
                Frame::new()
                    .inner_margin(Margin::same(margin))
                    .show(ui, |ui| self.draw_centre(ui));
            });
        shell::palette_ui(ui, &mut self.state, &mut self.commands);
        shell::connect_ui(ui, &mut self.state, &mut self.commands);
        add_input_ui(ui, &mut self.state, &mut self.commands);
        shell::shortcuts_ui(ui, &mut self.state);
        shell::drop_hint_ui(ui);
    }

    fn draw_tabs(&mut self, ui: &mut Ui) {
        let c = colors(ui);
        let bar = Frame::new().fill(c.panel).inner_margin(Margin::symmetric(14, 0));
        bar.show(ui, |ui| {
            ui.set_width(ui.available_width());
            ui.horizontal(|ui| {
                let choices = [
                    (Tab::Partitions, "Partitions"),
                    (Tab::Data, "Data"),
                    (Tab::Profile, "Profile"),
                    (Tab::Keys, "Keys"),
                    (Tab::Job, "Job"),
                    (Tab::Runs, "Runs"),
                ];
                if let Some(tab) = super::widgets::tabs(ui, &choices, self.state.panels.tab) {
                    self.commands.push(Command::ShowTab(tab));
                }
            });
        });
        super::widgets::divider(ui);
    }

    #[expect(clippy::too_many_lines, reason = "what each tab is given, one arm a tab")]
    fn draw_centre(&mut self, ui: &mut Ui) {
        let State {
            history,
            panels,
            slots,
            preferences,
            ..
        } = &mut self.state;
        let document = history.document();
        match panels.tab {
            Tab::Partitions => {
                let place = document.source.as_ref().map(|source| source.location.to_string());
                let is_making_sample = document.source.is_none() && slots.sample.is_pending();
                let view = PartitionsView {
                    listed: slots.listed(),
                    dataset: slots.dataset(document),
                    slots: &slots.partitions,
                    costs: &document.costs,
                    expected: &document.expected,
                    job: &document.job,
                    is_pending: slots.listing.is_pending() || is_making_sample,
                    error: slots.listing.error(),
                    place: place.as_deref().or(is_making_sample.then_some("the sample data")),
                    open: document.partition.as_ref(),
                };
                partitions_ui(ui, view, &mut panels.partitions, &mut self.commands);
            }
            Tab::Data => {
                let error = slots
                    .page
                    .error()
                    .or(slots.explored.error())
                    .or(slots.listing.error());
                let view = DataView {
                    explored: slots.explored.value(),
                    is_stale: slots.explored.is_stale() || slots.page.is_stale(),
                    is_pending: slots.page.is_pending()
                        || slots.explored.is_pending()
                        || slots.listing.is_pending(),
                    error: error.filter(|error| *error != "cancelled"),
                    partition: document.partition.as_ref(),
                    sample: document.sample,
                    shown_step: panels.shown_step,
                    recipe: &document.recipe,
                    suggestions: slots.suggestions.value().map_or(&[], Vec::as_slice),
                    lacks: &slots.lacks.steps,
                    edited_step: panels.recipe.open_step_at(),
                    input: slots.lacks.input.as_ref(),
                    inputs: slots.opened_inputs(),
                    hides_figures: preferences.hides_column_figures,
                };
                data_ui(ui, view, &mut panels.data, &mut self.commands);
            }
            Tab::Profile => {
                let panel = &mut panels.profile;
                profile_tab(ui, document, slots, &self.activity, panel, &mut self.commands);
            }
            Tab::Keys => {
                let view = super::keys::view(document, slots, &self.activity);
                super::keys::keys_ui(ui, &view, &mut panels.keys, &mut self.commands);
            }
            Tab::Job => {
                let progress = slots
                    .run
                    .is_pending()
                    .then(|| {
                        self.activity
                            .iter()
                            .find(|task| task.state == TaskState::Running && task.label == apply::RUN_LABEL)
                    })
                    .flatten()
                    .map(|task| &task.progress);
                let days = document
                    .partition
                    .as_ref()
                    .and_then(crate::storage::Partition::date)
                    .map(|date| date.to_string())
                    .unwrap_or_default();
                let view = JobView {
                    settings: &document.job,
                    spec: slots.spec.text.as_deref().map_err(String::as_str),
                    run: RunView {
                        progress,
                        report: slots.run.value().filter(|_| !slots.run.is_stale()),
                        error: slots.run.error(),
                    },
                    exported: slots.exported.value().map(String::as_str),
                    default_days: &days,
                    default_sink: &slots.spec.default_sink,
                    facts: slots.facts.value(),
                    is_facts_stale: slots.facts.is_stale(),
                    recipe: &document.recipe,
                };
                job_ui(ui, view, &mut panels.job, &mut self.commands);
            }
            Tab::Runs => {
                let progress_of = |start: &str| {
                    let is_so =
                        |task: &&TaskView| task.state == TaskState::Running && task.label.starts_with(start);
                    self.activity.iter().find(is_so).map(|task| &task.progress)
                };
                let view = RunsView {
                    slots: &slots.runs,
                    preferences,
                    source: document.source.as_ref(),
                    progress: progress_of(READING),
                    comparing: progress_of(COMPARING),
                };
                runs_ui(ui, view, &mut panels.runs, &mut self.commands);
            }
        }
    }

    fn has_activity(&self) -> bool {
        let is_open = self.state.preferences.is_activity_open;
        self.state.panels.sides.has_activity(is_open)
    }

    /// The panel at the left, or the strip in its place.
    fn draw_sources(&mut self, ui: &mut Ui) {
        let side = Side::Sources;
        let sides = &self.state.panels.sides;
        match sides.shown(side) {
            Shown::Not => {}
            Shown::Strip => {
                if strip_ui(ui, side, "") {
                    self.commands.push(Command::ToggleSources);
                }
            }
            Shown::Whole => {
                Panel::left("sources")
                    .resizable(true)
                    .default_size(side.usual_width())
                    .size_range(sides.widths(side))
                    .frame(Frame::new().fill(colors(ui).panel))
                    .show(ui, |ui| {
                        shell::sources_ui(ui, &mut self.state, &mut self.commands);
                        ui.take_available_space();
                    });
            }
        }
    }

    /// The panel at the right, or the strip in its place.
    fn draw_recipe(&mut self, ui: &mut Ui) {
        let side = Side::Recipe;
        let sides = &self.state.panels.sides;
        match sides.shown(side) {
            Shown::Not => {}
            Shown::Strip => {
                let n_steps = self.state.document().recipe.steps.len() as u64;
                if strip_ui(ui, side, &units::plural(n_steps, "step")) {
                    self.commands.push(Command::ToggleRecipe);
                }
            }
            Shown::Whole => {
                Panel::right("recipe")
                    .resizable(true)
                    .default_size(side.usual_width())
                    .size_range(sides.widths(side))
                    .frame(Frame::new().fill(colors(ui).panel))
                    .show(ui, |ui| {
                        self.draw_steps(ui);
                        ui.take_available_space();
                    });
            }
        }
    }

    fn draw_steps(&mut self, ui: &mut Ui) {
        let State {
            history,
            panels,
            slots,
            ..
        } = &mut self.state;
        let input = slots
            .page
            .value()
            .map(|read| origin::without_hidden(read.page.df.schema()));
        let view = RecipeView {
            recipe: &history.document().recipe,
            explored: slots.explored.value(),
            is_stale: slots.explored.is_stale() || slots.page.is_stale(),
            input: input.as_ref(),
            shown_step: panels.shown_step,
            history,
        };
        recipe_ui(ui, view, &mut panels.recipe, &mut self.commands);
    }

    fn draw_status(&mut self, ui: &mut Ui) {
        let slots = &self.state.slots;
        let explored = slots.explored.value();
        let broken = explored.map_or(0, |explored| {
            explored.checks.iter().filter(|check| check.is_err()).count()
                + usize::from(explored.error.is_some())
        });
        let failed = [
            slots.listing.error(),
            slots.page.error(),
            slots.explored.error(),
            slots.run.error(),
        ];
        let n_failed = failed
            .into_iter()
            .flatten()
            .filter(|error| *error != "cancelled")
            .count();
        let view = StatusView {
            shape: explored.map(|explored| (explored.df.height() as u64, explored.df.width() as u64)),
            accuracy: explored.map(|explored| explored.accuracy),
            memory_bytes: self.memory.bytes(),
            n_problems: broken + n_failed,
            notice: self.state.panels.notice.as_ref(),
            font_hint: self.font_hint.1.as_deref(),
            is_activity_open: self.has_activity(),
            n_running: self
                .activity
                .iter()
                .filter(|task| task.state == TaskState::Running)
                .count(),
        };
        if shell::status_ui(ui, view) {
            self.commands.push(Command::ToggleActivity);
        }
    }
}

impl eframe::App for App {
    fn logic(&mut self, ctx: &Context, _frame: &mut eframe::Frame) {
        self.advance(ctx);
    }

    fn ui(&mut self, ui: &mut Ui, _frame: &mut eframe::Frame) {
        self.draw(ui);
        if !self.commands.is_empty() {
            ui.ctx().request_repaint();
        }
    }

    fn on_exit(&mut self, _gl: Option<&eframe::glow::Context>) {
        self.autosave();
    }

    fn clear_color(&self, visuals: &egui::Visuals) -> [f32; 4] {
        visuals.panel_fill.to_normalized_gamma_f32()
    }
}

/// Closes the window.
pub(super) fn close(ctx: &Context) {
    ctx.send_viewport_cmd(ViewportCommand::Close);
}

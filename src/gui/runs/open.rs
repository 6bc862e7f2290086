//! What the Runs tab is asked to do, and the background work behind it: reading a log, and making a stage's pictures.

use std::path::Path;
use std::sync::Arc;

use super::table::Column;
use super::{PlaceForm, RunsPanel, Wanted, began_text};
use crate::chart::{
    Picture, compared_stages_picture, compared_work_picture, gantt_picture, own_days, own_files_picture,
    own_stages_picture, own_workers_picture, run_time_picture, scatter_picture,
};
use crate::explore::{RunDelta, RunLog, RunLogError, open_run_log};
use crate::gui::app::App;
use crate::gui::command::Tab;
use crate::gui::slots::Purpose;
use crate::gui::state::State;
use crate::gui::theme::Tone;
use crate::profile::events::{OwnFile, OwnRun};
use crate::session::Source;
use crate::storage::{Connection, LocationError};
use crate::task::{Context, Executor, Slot, TaskHandle};

/// What a person asks of the tab.
#[derive(Debug, Clone, PartialEq)]
pub enum RunsCommand {
    /// Asks for a log file.
    ChooseFile(Wanted),
    /// Asks for the folder of a rolling log.
    ChooseFolder(Wanted),
    /// Shows the form for a place.
    AskForPlace(Wanted),
    /// Reads the log at a place.
    Open(String, Connection),
    ReadAgain,
    Cancel,
    /// Puts the log at a place beside the open one.
    Compare(String, Connection),
    /// Puts a run started in this window beside the open one.
    CompareOwn(usize),
    CompareAgain,
    CancelComparing,
    /// What counted as before counts as after.
    SwapCompared,
    /// Back to the open log alone.
    StopComparing,
    /// Shows a run started in this window.
    ShowOwn(usize),
    /// Tells one stage of the open log in full.
    ShowStage(u64, u32),
    /// Tells a task by its place among those of the stage, or none.
    ShowTask(Option<usize>),
    Sort(Column),
    ShowDay(usize),
}

/// What is read, with a number that tells a second reading from the first.
#[derive(Debug, Clone, PartialEq)]
pub enum RunKey {
    Place {
        source: Source,
        generation: u64,
    },
    /// A run started in this window.
    Own(usize),
}

impl RunKey {
    pub fn place(&self) -> String {
        match self {
            Self::Place { source, .. } => source.location.to_string(),
            Self::Own(_) => "a run of this window".to_owned(),
        }
    }

    fn source(&self) -> Option<&Source> {
        match self {
            Self::Place { source, .. } => Some(source),
            Self::Own(_) => None,
        }
    }

    pub fn is_own(&self, at: usize) -> bool {
        *self == Self::Own(at)
    }
}

/// A log that was read.
#[derive(Debug)]
pub struct Opened {
    pub place: String,
    pub log: RunLog,
    /// Of our own run.
    pub pictures: Option<OwnPictures>,
}

#[derive(Debug)]
pub struct OwnPictures {
    pub stages: Picture,
    pub files: Picture,
    /// One a day.
    pub workers: Vec<Picture>,
    /// Places of the days by date.
    pub days: Vec<usize>,
    /// The slowest files of all days, each with its day.
    pub slowest: Vec<(String, OwnFile)>,
}

/// The open log and another one.
#[derive(Debug)]
pub struct Compared {
    /// What both are called.
    pub title: String,
    /// The earlier one as before, and the other way round.
    pub ways: [ComparedWay; 2],
    /// Why the order of the two is a guess; none where their times tell it.
    pub guess: Option<&'static str>,
}

/// Two logs as before and after.
#[derive(Debug)]
pub struct ComparedWay {
    pub before: ComparedSide,
    pub after: ComparedSide,
    /// Whether the open log is the later one.
    pub is_open_after: bool,
    pub delta: RunDelta,
    pub picture: Picture,
}

/// One of two logs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ComparedSide {
    pub place: String,
    /// When it began; empty where it does not tell.
    pub began: String,
    /// Whether it is the log that is open.
    pub is_open: bool,
}

/// The charts of one stage.
#[derive(Debug)]
pub struct StagePictures {
    pub gantt: Picture,
    pub scatter: Picture,
    pub run_times: Picture,
}

/// What the tab derives in the background.
#[derive(Debug, Default)]
pub struct RunsSlots {
    pub log: Slot<RunKey, Arc<Opened>>,
    /// By generation of the log, and stage.
    pub pictures: Slot<(u64, (u64, u32)), StagePictures>,
    /// By generation of the open log, and what it is compared with.
    pub compared: Slot<(u64, RunKey), Compared>,
    /// Runs started in this window, oldest first.
    pub own: Vec<Arc<OwnRun>>,
    generation: u64,
    n_compared: u64,
}

/// Files that are listed.
const MAX_SLOWEST: usize = 50;
/// Runs started in this window that are kept.
const MAX_OWN: usize = 12;
/// How the reading of a log is called in the activity list.
pub const READING: &str = "Reading what ran: ";
/// How a comparison is called there.
pub const COMPARING: &str = "Comparing what ran with ";

/// Whether a path is what the tab opens rather than data: an event log by its name, or a run's report.
pub fn is_log_path(path: &str) -> bool {
    let path = Path::new(path);
    let name = path
        .file_name()
        .map(|name| name.to_string_lossy().into_owned())
        .unwrap_or_default();
    let named = ["application_", "app-", "spark-application-", "local-"];
    let is_id = named.iter().any(|start| {
        name.strip_prefix(start)
            .is_some_and(|rest| rest.starts_with(|c: char| c.is_ascii_digit() || c == 'a'))
    });
    let is_rolling = name
        .strip_prefix("events_")
        .is_some_and(|rest| rest.starts_with(|c: char| c.is_ascii_digit()));
    let is_folder = name.starts_with("eventlog_v2_");
    is_id || is_folder || is_rolling || name == "report.json" || name.ends_with(".inprogress")
}

/// Takes what background work has sent. Logs that could be read are remembered.
pub fn poll(state: &mut State) {
    let runs = &mut state.slots.runs;
    runs.pictures.poll();
    if runs.log.poll() && !runs.log.is_pending() && runs.log.error().is_none() {
        state.panels.runs.stage = None;
        state.panels.runs.task = None;
        state.panels.runs.day = None;
        if let Some(source) = runs.log.key().and_then(RunKey::source) {
            state.preferences.visit_log(source);
        }
    }
    if runs.compared.poll()
        && !runs.compared.is_pending()
        && runs.compared.error().is_none()
        && let Some((_, with)) = runs.compared.key()
        && let Some(source) = with.source()
    {
        state.preferences.visit_log(source);
    }
}

/// Keeps the report of a run that has ended, as the JSON that it prints.
pub fn keep_own(state: &mut State) {
    let Some(report) = state.slots.run.value() else {
        return;
    };
    match OwnRun::from_json("the report", &report.to_string()) {
        Ok(run) => {
            let runs = &mut state.slots.runs;
            if runs.own.len() >= MAX_OWN {
                runs.own.remove(0);
            }
            runs.own.push(Arc::new(run));
        }
        Err(error) => state.say(Tone::Warn, error.to_string()),
    }
}

/// Carries out one command.
pub fn apply(app: &mut App, command: RunsCommand) {
    let panel = &mut app.state.panels.runs;
    match command {
        RunsCommand::ChooseFile(wanted) => crate::gui::dialogs::ask(app, Purpose::OpenLog(wanted)),
        RunsCommand::ChooseFolder(wanted) => crate::gui::dialogs::ask(app, Purpose::OpenLogFolder(wanted)),
        RunsCommand::AskForPlace(wanted) => {
            // An empty tab is the form itself.
            if app.state.slots.runs.log.key().is_some() {
                panel.form = Some((wanted, PlaceForm::default()));
            }
            app.state.panels.tab = Tab::Runs;
        }
        RunsCommand::Open(place, connection) => open(app, &place, connection),
        RunsCommand::ReadAgain => match app.state.slots.runs.log.key().cloned() {
            Some(RunKey::Place { source, .. }) => open_source(app, source),
            Some(RunKey::Own(at)) => show_own(app, at),
            None => {}
        },
        RunsCommand::Cancel => app.state.slots.runs.log.cancel(),
        RunsCommand::Compare(place, connection) => {
            if let Some(source) = source_of(app, &place, connection) {
                compare_with(app, |generation| RunKey::Place { source, generation });
            }
        }
        RunsCommand::CompareOwn(at) => compare_with(app, |_| RunKey::Own(at)),
        RunsCommand::CompareAgain => {
            if let Some((_, with)) = app.state.slots.runs.compared.key().cloned() {
                compare_with(app, |_| with);
            }
        }
        RunsCommand::CancelComparing => app.state.slots.runs.compared.cancel(),
        RunsCommand::SwapCompared => panel.is_swapped = !panel.is_swapped,
        RunsCommand::StopComparing => app.state.slots.runs.compared.clear(),
        RunsCommand::ShowOwn(at) => show_own(app, at),
        RunsCommand::ShowStage(id, attempt) => {
            panel.stage = Some((id, attempt));
            panel.task = None;
            app.state.slots.runs.compared.clear();
        }
        RunsCommand::ShowTask(at) => panel.task = at,
        RunsCommand::ShowDay(day) => panel.day = Some(day),
        RunsCommand::Sort(column) => {
            panel.is_reversed = panel.sort == column && !panel.is_reversed;
            panel.sort = column;
        }
    }
}

/// The place as a location; says so where it is none.
fn source_of(app: &mut App, place: &str, connection: Connection) -> Option<Source> {
    match place.parse() {
        Ok(location) => Some(Source { location, connection }),
        Err(error) => {
            let error: LocationError = error;
            app.state.say(Tone::Bad, format!("not opened: {error}"));
            None
        }
    }
}

fn open(app: &mut App, place: &str, connection: Connection) {
    if let Some(source) = source_of(app, place, connection) {
        open_source(app, source);
    }
}

fn open_source(app: &mut App, source: Source) {
    app.state.panels.tab = Tab::Runs;
    let tasks = &app.tasks;
    let runs = &mut app.state.slots.runs;
    runs.generation += 1;
    let key = RunKey::Place {
        source: source.clone(),
        generation: runs.generation,
    };
    runs.pictures.clear();
    runs.compared.clear();
    runs.log.restart(key, |_| read(tasks, source));
}

/// An error in one line, and what helps in a second one where the error does not say so itself.
fn told(error: &RunLogError) -> String {
    let remedy = match error {
        RunLogError::Storage(_) | RunLogError::Kinds { .. } | RunLogError::Files { .. } => "",
        _ => "Give an event log of Spark, the folder of a rolling one, or the report of a run.",
    };
    format!("{error}\n{remedy}").trim_end().to_owned()
}

/// Reads another log and puts it beside the open one.
fn compare_with(app: &mut App, with: impl FnOnce(u64) -> RunKey) {
    app.state.panels.tab = Tab::Runs;
    let tasks = &app.tasks;
    let runs = &mut app.state.slots.runs;
    let Some(opened) = runs.log.value().filter(|_| !runs.log.is_stale()).cloned() else {
        app.state
            .say(Tone::Warn, "Open a log first, then one to compare it with");
        return;
    };
    runs.n_compared += 1;
    app.state.panels.runs.is_swapped = false;
    let with = with(runs.n_compared);
    let own = match &with {
        RunKey::Own(at) => runs.own.get(*at).cloned(),
        RunKey::Place { .. } => None,
    };
    let key = (runs.generation, with.clone());
    runs.compared.clear();
    runs.compared.restart(key, |_| {
        let label = format!(
            "{COMPARING}{}",
            with.source()
                .map_or_else(|| "a run".to_owned(), |source| source.location.name())
        );
        tasks.spawn(label, move |context| async move {
            let place = with.place();
            let other = other_log(with, own, &context).await?;
            let comparing = tokio::task::spawn_blocking(move || compared(&opened, &other, &place));
            let compared = context.cancel.until(comparing).await;
            compared
                .map_err(|error| error.to_string())?
                .map_err(|error| format!("internal error: {error}"))?
        })
    });
}

async fn other_log(
    with: RunKey,
    own: Option<Arc<OwnRun>>,
    context: &Context<Compared>,
) -> Result<RunLog, String> {
    match (with, own) {
        (RunKey::Place { source, .. }, _) => {
            let Source { location, connection } = &source;
            let read = open_run_log(location, connection, &context.progress, &context.cancel);
            let log = read.await.map_err(|error| told(&error))?;
            // Part of a log differs from another in what was not read.
            context.cancel.check().map_err(|error| error.to_string())?;
            Ok(log)
        }
        (RunKey::Own(_), Some(run)) => Ok(RunLog::Own(Box::new((*run).clone()))),
        (RunKey::Own(_), None) => Err("this run is not kept any longer".to_owned()),
    }
}

/// The earlier one counts as before; where their times do not tell, the open one counts as after.
fn compared(opened: &Opened, other: &RunLog, other_place: &str) -> Result<Compared, String> {
    let (began, other_began) = (opened.log.started_ms(), other.started_ms());
    let (guess, is_open_after) = match (began, other_began) {
        (Some(open), Some(other)) if open == other => (Some("Both began at the same time"), true),
        (Some(open), Some(other)) => (None, open > other),
        _ => (Some("One of them does not tell when it began"), true),
    };
    let side = |place: &str, ms: Option<i64>, is_open| ComparedSide {
        place: place.to_owned(),
        began: began_text(ms),
        is_open,
    };
    let way = |is_open_after: bool| {
        let open_side = side(&opened.place, began, true);
        let other_side = side(other_place, other_began, false);
        let (before, after, delta) = if is_open_after {
            (other_side, open_side, opened.log.against(other))
        } else {
            (open_side, other_side, other.against(&opened.log))
        };
        let delta = delta.map_err(|error| told(&error))?;
        let picture = match &delta {
            RunDelta::Spark(delta) => compared_stages_picture(delta),
            RunDelta::Own(delta) => compared_work_picture(delta),
        };
        Ok::<_, String>(ComparedWay {
            before,
            after,
            is_open_after,
            delta,
            picture,
        })
    };
    let title = match &opened.log {
        RunLog::Spark(run) => run.profile.title().to_owned(),
        RunLog::Own(run) => run.job.clone(),
    };
    Ok(Compared {
        title,
        ways: [way(is_open_after)?, way(!is_open_after)?],
        guess,
    })
}

fn read(tasks: &Executor, source: Source) -> TaskHandle<Arc<Opened>> {
    let Source { location, connection } = source;
    tasks.spawn(
        format!("{READING}{}", location.name()),
        move |context| async move {
            let log = open_run_log(&location, &connection, &context.progress, &context.cancel)
                .await
                .map_err(|error| told(&error))?;
            let pictures = match &log {
                RunLog::Own(run) => Some(own_pictures(run)),
                RunLog::Spark(_) => None,
            };
            Ok(Arc::new(Opened {
                place: location.to_string(),
                log,
                pictures,
            }))
        },
    )
}

fn own_pictures(run: &OwnRun) -> OwnPictures {
    OwnPictures {
        stages: own_stages_picture(run),
        files: own_files_picture(run),
        workers: run.partitions.iter().map(own_workers_picture).collect(),
        days: own_days(run),
        slowest: run
            .slowest_files()
            .into_iter()
            .take(MAX_SLOWEST)
            .map(|(day, file)| (day.to_owned(), file.clone()))
            .collect(),
    }
}

fn show_own(app: &mut App, at: usize) {
    let tasks = &app.tasks;
    let runs = &mut app.state.slots.runs;
    let Some(run) = runs.own.get(at).cloned() else {
        return;
    };
    runs.generation += 1;
    runs.pictures.clear();
    runs.compared.clear();
    runs.log.restart(RunKey::Own(at), |_| {
        tasks.spawn("Showing a run", move |_| async move {
            Ok(Arc::new(Opened {
                place: run.run_id.clone(),
                pictures: Some(own_pictures(&run)),
                log: RunLog::Own(Box::new((*run).clone())),
            }))
        })
    });
}

/// Makes the pictures of the stage that is told in full.
pub fn start_work(tasks: &Executor, runs: &mut RunsSlots, panel: &RunsPanel) {
    if runs.log.is_stale() {
        return;
    }
    let Some(opened) = runs.log.value() else { return };
    let RunLog::Spark(run) = &opened.log else { return };
    let first = run.profile.stages.first().map(|stage| (stage.id, stage.attempt));
    let Some(stage) = panel.stage.or(first) else {
        return;
    };
    let opened = Arc::clone(opened);
    runs.pictures.request((runs.generation, stage), |(_, stage)| {
        let key = *stage;
        tasks.spawn(format!("Charts of stage {}", key.0), move |context| async move {
            // Of millions of tasks they take a while: a cancel does not wait for them.
            let drawing = tokio::task::spawn_blocking(move || stage_pictures(&opened, key));
            let pictures = context.cancel.until(drawing).await;
            pictures
                .map_err(|error| error.to_string())?
                .map_err(|error| format!("internal error: {error}"))?
                .ok_or_else(|| format!("no stage {}", key.0))
        })
    });
}

fn stage_pictures(opened: &Opened, key: (u64, u32)) -> Option<StagePictures> {
    let RunLog::Spark(run) = &opened.log else {
        return None;
    };
    let stage = run.application.stages.get(&key)?;
    let profile = run
        .profile
        .stages
        .iter()
        .find(|stage| (stage.id, stage.attempt) == key)?;
    Some(StagePictures {
        gantt: gantt_picture(&run.application, stage, profile),
        scatter: scatter_picture(&run.application, stage, profile),
        run_times: run_time_picture(stage, profile),
    })
}

#[cfg(test)]
mod tests {
    use super::is_log_path;

    #[test]
    fn logs_are_told_from_data_by_their_names() {
        for log in [
            "/logs/app-20261120215001-0000",
            "/logs/application_1555004656427_0144.lz4",
            "/logs/eventlog_v2_app-20261120215001-0000",
            "s3://logs/eventlog_v2_local-1766844910796/",
            "events_1_app-1.zstd",
            "local-1766844910796.inprogress",
            "/lake/_skewer/t/runs/r/report.json",
        ] {
            assert!(is_log_path(log), "{log}");
        }
        for data in [
            "/lake/raw",
            "/lake/app-data.jsonl",
            "events.jsonl",
            "/lake/local-news",
            "part-0.parquet",
        ] {
            assert!(!is_log_path(data), "{data}");
        }
    }
}

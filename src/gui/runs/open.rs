//! What the Runs tab is asked to do, and the background work behind it: reading a log, and making a stage's pictures.

use std::path::Path;
use std::sync::Arc;

use super::RunsPanel;
use super::table::Column;
use crate::chart::{
    Picture, gantt_picture, own_files_picture, own_stages_picture, own_workers_picture, run_time_picture,
    scatter_picture,
};
use crate::explore::{RunLog, open_run_log};
use crate::gui::app::App;
use crate::gui::command::Tab;
use crate::gui::slots::Purpose;
use crate::gui::state::State;
use crate::gui::theme::Tone;
use crate::profile::events::OwnRun;
use crate::storage::{Connection, Location};
use crate::task::{Executor, Slot, TaskHandle};

/// What a person asks of the tab.
#[derive(Debug, Clone, PartialEq)]
pub enum RunsCommand {
    /// Asks for a log file.
    ChooseFile,
    /// Asks for the folder of a rolling log.
    ChooseFolder,
    /// Reads the log at a place.
    Open(String, Connection),
    ReadAgain,
    Cancel,
    /// Shows a run started in this window.
    ShowOwn(usize),
    /// Tells one stage in full.
    ShowStage(u64, u32),
    Sort(Column),
    ShowDay(usize),
}

/// What is read, with a number that tells a second reading from the first.
#[derive(Debug, Clone, PartialEq)]
pub enum RunKey {
    Place {
        place: String,
        connection: Connection,
        generation: u64,
    },
    /// A run started in this window.
    Own(usize),
}

impl RunKey {
    pub fn place(&self) -> &str {
        match self {
            Self::Place { place, .. } => place,
            Self::Own(_) => "a run of this session",
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
    /// Runs of this session, oldest first.
    pub own: Vec<Arc<OwnRun>>,
    generation: u64,
}

/// Runs of this session that are kept.
const MAX_OWN: usize = 12;
/// How the reading of a log is called in the activity list.
pub const READING: &str = "Reading what ran: ";

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

/// Takes what background work has sent.
pub fn poll(state: &mut State) {
    let runs = &mut state.slots.runs;
    runs.pictures.poll();
    if runs.log.poll() && !runs.log.is_pending() && runs.log.error().is_none() {
        state.panels.runs.stage = None;
        state.panels.runs.day = 0;
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
        RunsCommand::ChooseFile => crate::gui::dialogs::ask(app, Purpose::OpenLog),
        RunsCommand::ChooseFolder => crate::gui::dialogs::ask(app, Purpose::OpenLogFolder),
        RunsCommand::Open(place, connection) => open(app, place, connection),
        RunsCommand::ReadAgain => match app.state.slots.runs.log.key().cloned() {
            Some(RunKey::Place {
                place, connection, ..
            }) => open(app, place, connection),
            Some(RunKey::Own(at)) => show_own(app, at),
            None => {}
        },
        RunsCommand::Cancel => app.state.slots.runs.log.cancel(),
        RunsCommand::ShowOwn(at) => show_own(app, at),
        RunsCommand::ShowStage(id, attempt) => panel.stage = Some((id, attempt)),
        RunsCommand::ShowDay(day) => panel.day = day,
        RunsCommand::Sort(column) => {
            panel.is_reversed = panel.sort == column && !panel.is_reversed;
            panel.sort = column;
        }
    }
}

fn open(app: &mut App, place: String, connection: Connection) {
    let location: Location = match place.parse() {
        Ok(location) => location,
        Err(error) => {
            let text = format!("not opened: {error}");
            app.state.say(Tone::Bad, text);
            return;
        }
    };
    app.state.panels.tab = Tab::Runs;
    let tasks = &app.tasks;
    let runs = &mut app.state.slots.runs;
    runs.generation += 1;
    let key = RunKey::Place {
        place,
        connection: connection.clone(),
        generation: runs.generation,
    };
    runs.pictures.clear();
    runs.log.restart(key, |_| read(tasks, location, connection));
}

fn read(tasks: &Executor, location: Location, connection: Connection) -> TaskHandle<Arc<Opened>> {
    tasks.spawn(
        format!("{READING}{}", location.name()),
        move |context| async move {
            let log = open_run_log(&location, &connection, &context.progress, &context.cancel)
                .await
                .map_err(|error| error.to_string())?;
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
        tasks.spawn(format!("Charts of stage {}", key.0), move |_| async move {
            tokio::task::spawn_blocking(move || stage_pictures(&opened, key))
                .await
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

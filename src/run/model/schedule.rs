//! Several processes on one day, in orders drawn at random: they crash between any two requests, stall and wake up much
//! later, are refused, lose answers, and have requests that arrive when nobody waits for them any more.
//!
//! After every request the readers look; at the end one undisturbed run must leave exactly the rows of the raw files.

use std::cell::Cell;
use std::collections::BTreeMap;
use std::path::Path;
use std::sync::{Arc, LazyLock, Mutex};
use std::task::{Context, Poll, Waker};

use futures::FutureExt as _;
use futures::future::LocalBoxFuture;
use proptest::prelude::*;
use proptest::test_runner::{Config, TestError, TestRunner};
use tokio::runtime::Runtime;

use super::readers::Readers;
use super::runner::{Command, Raw, Runner, rows_of_raw};
use super::{Fate, Server, World};
use crate::job::Job;
use crate::run::RunError;

/// Processes at once.
const N_PROCESSES: usize = 3;

/// Manifests are staged by a blocking thread, as parts are.
static RUNTIME: LazyLock<Runtime> = LazyLock::new(|| {
    let mut builder = tokio::runtime::Builder::new_multi_thread();
    builder.worker_threads(1).build().unwrap()
});

/// One move of a schedule.
#[derive(Debug, Clone, Copy)]
enum Move {
    /// Lets a process have so many requests done in a row; starts one where none is.
    Go {
        process: usize,
        n: usize,
        command: Command,
    },
    /// One request of a process that does not go well.
    Fault { process: usize, fate: Fate },
    /// A process dies; its request may be on its way already.
    Crash { process: usize, is_sent: bool },
    /// A request of a process that no longer waits for it arrives.
    Arrive { index: usize },
    /// A raw file appears, or one changes.
    Raw { file: usize, n_rows: u64 },
}

fn moves() -> impl Strategy<Value = Vec<Move>> {
    let process = 0..N_PROCESSES;
    let command = prop_oneof![
        6 => Just(Command::Run),
        1 => Just(Command::Replace),
        2 => Just(Command::Compact),
        2 => Just(Command::Gc),
    ];
    let fate = prop_oneof![
        Just(Fate::Refused),
        Just(Fate::AnswerLost),
        Just(Fate::AskedAgain),
        Just(Fate::Late),
        Just(Fate::Conflict),
    ];
    let next = prop_oneof![
        12 => (process.clone(), prop_oneof![3 => 1..4_usize, 1 => 4..40_usize], command)
            .prop_map(|(process, n, command)| Move::Go { process, n, command }),
        3 => (process.clone(), fate).prop_map(|(process, fate)| Move::Fault { process, fate }),
        2 => (process, any::<bool>()).prop_map(|(process, is_sent)| Move::Crash { process, is_sent }),
        2 => (0..8_usize).prop_map(|index| Move::Arrive { index }),
        3 => (0..5_usize, 0..5_u64).prop_map(|(file, n_rows)| Move::Raw { file, n_rows }),
    ];
    prop::collection::vec(next, 10..120)
}

fn job(sink: &str) -> Arc<Job> {
    let spec = format!(
        "\
apiVersion: skewer/v1
kind: Job
metadata: {{name: j}}
source: {{uri: 's3://lake/raw/{{day}}/', schema: {{fields: [{{name: id, type: int64}}]}}}}
sink: {{uri: 's3://lake/out/j/', parquet: {{rows_per_file: 3}}{sink}}}
"
    );
    Arc::new(Job::from_text(&spec, Path::new("/")).unwrap())
}

struct Play {
    world: World,
    job: Arc<Job>,
    raw: Raw,
    readers: Readers,
    processes: Vec<Option<LocalBoxFuture<'static, Result<bool, RunError>>>>,
}

impl Play {
    fn new(job: &Arc<Job>, server: Server) -> Self {
        let world = World::new(server);
        let raw: Raw = Arc::new(Mutex::new(BTreeMap::from([(0, (0, 4)), (1, (0, 2))])));
        let day = "2020-01-02".parse().unwrap();
        let looker = Runner::new(job, day, &world, None, &raw);
        Self {
            readers: Readers::new(&world, looker),
            job: Arc::clone(job),
            processes: (0..N_PROCESSES).map(|_| None).collect(),
            world,
            raw,
        }
    }

    fn runner(&self, id: Option<usize>) -> Runner {
        Runner::new(
            &self.job,
            "2020-01-02".parse().unwrap(),
            &self.world,
            id,
            &self.raw,
        )
    }

    fn play(&mut self, moves: &[Move]) -> Result<(), String> {
        for one in moves {
            match *one {
                Move::Go { process, n, command } => {
                    if self.processes[process].is_none() {
                        let runner = self.runner(Some(process));
                        self.processes[process] = Some(runner.go(command).boxed_local());
                        self.poll(process)?;
                    }
                    for _ in 0..n {
                        self.answer(process, Fate::Done)?;
                    }
                }
                Move::Fault { process, fate } => self.answer(process, fate)?,
                Move::Crash { process, is_sent } => self.crash(process, is_sent),
                Move::Arrive { index } => {
                    let mut state = self.world.lock();
                    if index < state.on_their_way.len() {
                        let request = state.on_their_way.remove(index);
                        state.perform(&request);
                    }
                    drop(state);
                    self.readers.look()?;
                }
                Move::Raw { file, n_rows } => {
                    let mut raw = self.raw.lock().unwrap();
                    let version = raw.get(&file).map_or(0, |(version, _)| version + 1);
                    raw.insert(file, (version, n_rows));
                }
            }
        }
        self.end()
    }

    /// Lets the request of a process be answered, and the process go on to its next.
    fn answer(&mut self, process: usize, fate: Fate) -> Result<(), String> {
        if self.processes[process].is_none() {
            return Ok(());
        }
        self.world.lock().turns.insert(process, fate);
        self.poll(process)?;
        self.readers.look()
    }

    fn poll(&mut self, process: usize) -> Result<(), String> {
        let mut context = Context::from_waker(Waker::noop());
        let Some(future) = &mut self.processes[process] else {
            return Ok(());
        };
        loop {
            match future.as_mut().poll(&mut context) {
                Poll::Ready(ended) => {
                    self.processes[process] = None;
                    return is_fair(ended);
                }
                Poll::Pending if self.world.lock().waiting.contains_key(&process) => return Ok(()),
                // It waits for a thread of its own, not for the bucket.
                Poll::Pending => std::thread::yield_now(),
            }
        }
    }

    fn crash(&mut self, process: usize, is_sent: bool) {
        self.processes[process] = None;
        let mut state = self.world.lock();
        state.turns.remove(&process);
        if let Some(request) = state
            .waiting
            .remove(&process)
            .filter(|request| is_sent && !request.is_read())
        {
            state.on_their_way.push(request);
        }
    }

    /// Everybody dies, what is on its way arrives, and a run that nobody disturbs comes to its end.
    fn end(&mut self) -> Result<(), String> {
        for process in 0..N_PROCESSES {
            self.crash(process, false);
        }
        let late: Vec<_> = std::mem::take(&mut self.world.lock().on_their_way);
        for request in late {
            self.world.lock().perform(&request);
            self.readers.look()?;
        }
        for command in [Command::Run, Command::Gc, Command::Run] {
            let runner = self.runner(None);
            let mut future = runner.go(command).boxed_local();
            let mut context = Context::from_waker(Waker::noop());
            let ended = loop {
                match future.as_mut().poll(&mut context) {
                    Poll::Ready(ended) => break ended,
                    Poll::Pending => std::thread::yield_now(),
                }
            };
            let n_before = self.readers.n_commits();
            self.readers.look()?;
            let has_committed = ended.map_err(|error| format!("undisturbed {command:?}: {error}"))?;
            if command == Command::Run && has_committed != (self.readers.n_commits() > n_before) {
                return Err("a run says that it committed, or not, and the log says otherwise".to_owned());
            }
        }
        if self.readers.rows() != rows_of_raw(&self.raw) {
            return Err(format!(
                "{:?} are the rows, {:?} the table's",
                rows_of_raw(&self.raw),
                self.readers.rows()
            ));
        }
        let state = self.world.lock();
        let left: Vec<&String> = state
            .objects
            .keys()
            .filter(|key| key.contains("/staging/"))
            .collect();
        if !left.is_empty() || !state.uploads.is_empty() {
            return Err(format!("left after a sweep: {left:?}, {:?}", state.uploads));
        }
        Ok(())
    }
}

/// A process that is disturbed may end with an error that says "try again", never with one that blames the table.
fn is_fair(ended: Result<bool, RunError>) -> Result<(), String> {
    match ended {
        Ok(_) => Ok(()),
        Err(error) if error.exit_code() == crate::run::exit::TRY_AGAIN => Ok(()),
        Err(error) => Err(format!("a process ended with: {error}")),
    }
}

/// Plays `n` schedules; how many requests they had, or the shortest schedule found that a reader complains of.
fn search(sink: &str, server: Server, n: u32) -> Result<u64, String> {
    let _entered = RUNTIME.enter();
    let job = job(sink);
    let config = Config {
        cases: n,
        failure_persistence: None,
        max_shrink_iters: 500,
        ..Config::default()
    };
    let n_requests = Cell::new(0);
    let played = TestRunner::new(config).run(&moves(), |moves| {
        let mut play = Play::new(&job, server);
        let ended = play.play(&moves);
        n_requests.set(n_requests.get() + play.world.lock().n_requests);
        ended.map_err(TestCaseError::fail)
    });
    match played {
        Ok(()) => Ok(n_requests.get()),
        Err(TestError::Fail(reason, moves)) => Err(format!("{reason}\n{moves:#?}")),
        Err(TestError::Abort(reason)) => Err(format!("aborted: {reason}")),
    }
}

/// Schedules of each test: `SKEWER_SCHEDULES` asks for more than fit into every build.
fn n_schedules() -> u32 {
    let asked = std::env::var("SKEWER_SCHEDULES").ok();
    asked.and_then(|n| n.parse().ok()).unwrap_or(250)
}

/// Nothing goes wrong on a server that keeps its promises, and schedules are long enough to matter.
fn holds(sink: &str) {
    let n_requests = search(sink, Server::Sound, n_schedules()).unwrap_or_else(|found| panic!("{found}"));
    assert!(
        n_requests > u64::from(n_schedules()) * 20,
        "{n_requests} requests"
    );
}

#[test]
fn whoever_crashes_or_stalls_a_listing_reader_sees_no_row_twice_and_misses_none() {
    holds("");
}

#[test]
fn whoever_crashes_or_stalls_a_day_of_one_object_is_one_commit() {
    holds(", layout: single");
}

#[test]
fn whoever_crashes_or_stalls_a_manifest_names_one_commit() {
    holds(", manifest: true");
}

#[test]
fn whoever_crashes_or_stalls_a_manifest_of_one_object_names_one_commit() {
    holds(", manifest: true, layout: single");
}

/// One fault at one request of a rewrite whose objects are exactly as large as those it replaces: a size tells nothing.
#[test]
fn no_fault_at_any_request_makes_an_old_object_pass_for_the_new_one() {
    let _entered = RUNTIME.enter();
    for sink in [
        "",
        ", layout: single",
        ", manifest: true",
        ", manifest: true, layout: single",
    ] {
        let job = job(sink);
        for fate in [
            Fate::Refused,
            Fate::AnswerLost,
            Fate::AskedAgain,
            Fate::Late,
            Fate::Conflict,
        ] {
            for n in 0..40 {
                let go = |n| Move::Go {
                    process: 0,
                    n,
                    command: Command::Run,
                };
                let same_size = Move::Raw { file: 0, n_rows: 4 };
                let moves = [go(60), same_size, go(n), Move::Fault { process: 0, fate }, go(60)];
                let played = Play::new(&job, Server::Sound).play(&moves);
                assert_eq!(played, Ok(()), "{fate:?} at request {n} of a run into `{sink}`");
            }
        }
    }
}

#[test]
fn a_server_that_completes_uploads_twice_is_found_out() {
    for sink in ["", ", layout: single", ", manifest: true"] {
        let found = search(sink, Server::CompletesTwice, 20_000).unwrap_err();
        assert!(!found.starts_with("aborted"), "{found}");
    }
}

#[test]
fn a_server_that_overwrites_records_is_found_out() {
    let found = search("", Server::OverwritesAlways, 20_000).unwrap_err();
    assert!(found.contains("changed"), "{found}");
}

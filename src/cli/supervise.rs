//! A command in two processes: this one starts the same command again, which does the work, and is there when it dies.
//!
//! A file that makes the worker abort, overflow its stack or run out of memory is found and left out: the worker's
//! journal says which files were in work, each of them is tried alone in a process of its own, and the command is
//! started again with those that killed it on its list. Signals are passed on through the worker's stdin; when that
//! closes, because this process was killed, the worker ends itself.
//!
//! Before the worker is started nothing is touched that costs memory: no threads, no engine.

use std::ffi::OsString;
use std::hash::{BuildHasher as _, RandomState};
use std::io::{self, Write as _};
use std::os::unix::fs::DirBuilderExt as _;
use std::os::unix::process::ExitStatusExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::Duration;

use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio::time::{Instant, sleep_until};

use super::CliError;
use super::signal::{GRACE, INTERRUPT, INTERRUPTED, JOURNAL, TERMINATE, TERMINATED};
use crate::base::units;
use crate::job::{Isolation, JobSpec};
use crate::run::journal::{self, Poison, Suspect};

/// SIGHUP, SIGINT, SIGQUIT, SIGPIPE and SIGTERM: somebody wanted the worker to end.
const ON_PURPOSE: [i32; 5] = [1, 2, 3, 13, 15];
/// A worker that was told to end has [`GRACE`] to clean up, and this to be gone.
const KILL_AFTER: Duration = GRACE.saturating_add(Duration::from_secs(3));
/// Suspects that a message names.
const SHOWN: usize = 5;

/// Runs this process's own command in a worker. None when it is the worker, or the job wants none: then the command is
/// to run here.
pub fn supervise(job: &Path) -> Result<Option<u8>, CliError> {
    if std::env::var_os(JOURNAL).is_some() || !wants_worker(job) {
        return Ok(None);
    }
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(CliError::Runtime)?;
    runtime.block_on(async {
        let started = Folder::create().and_then(Supervisor::new);
        match started {
            Ok(mut supervisor) => supervisor.run(job).await.map(Some),
            Err(error) => {
                say(&format!(
                    "a file that crashes the decoder will end this run: no worker process ({error}); is TMPDIR writable?"
                ));
                Ok(None)
            }
        }
    })
}

/// A spec with an error is told by whoever runs it; one that can be read only once (a pipe) is not read here.
fn wants_worker(job: &Path) -> bool {
    let is_file = std::fs::metadata(job).is_ok_and(|found| found.is_file());
    let spec = is_file.then(|| std::fs::read_to_string(job).ok()).flatten();
    spec.and_then(|text| JobSpec::parse(&text).ok())
        .is_some_and(|spec| spec.limits.isolation == Isolation::Process)
}

/// How a worker ended.
enum Ended {
    Code(u8),
    /// By a signal that somebody sent: the exit code that says so.
    Told(u8),
    Died(String),
}

struct Supervisor {
    program: PathBuf,
    folder: Folder,
    terminate: Signal,
    interrupt: Signal,
    child: Signal,
    /// The exit code of the first signal that came.
    told: Option<u8>,
}

/// How the allocator (jemalloc) holds memory in the worker, unless somebody has set it.
///
/// One arena for each core instead of four, which keep what they held. Buffers are of the same few sizes to the end of a
/// run, so what is freed is soon used again: asking the system for it anew takes a tenth to a fifth of a run's time. Large
/// buffers have an arena of their own, so that small ones do not split the room of those that went; that is what keeps the
/// peak where it is in long runs.
const ALLOCATOR: &str = "_RJEM_MALLOC_CONF";

fn allocator_settings() -> Option<(&'static str, String)> {
    let n_cores = std::thread::available_parallelism().ok()?;
    let is_unset = std::env::var_os(ALLOCATOR).is_none();
    is_unset.then(|| {
        (
            ALLOCATOR,
            format!("narenas:{n_cores},dirty_decay_ms:-1,muzzy_decay_ms:-1"),
        )
    })
}

impl Supervisor {
    fn new(folder: Folder) -> io::Result<Self> {
        Ok(Self {
            program: program()?,
            folder,
            terminate: signal(SignalKind::terminate())?,
            interrupt: signal(SignalKind::interrupt())?,
            child: signal(SignalKind::child())?,
            told: None,
        })
    }

    async fn run(&mut self, job: &Path) -> Result<u8, CliError> {
        let args: Vec<OsString> = std::env::args_os().skip(1).collect();
        let mut poison: Vec<Poison> = Vec::new();
        let mut had_second_chance = false;
        loop {
            let death = match self.worker(&args, Stdio::inherit()).await? {
                Ended::Code(code) | Ended::Told(code) => return Ok(code),
                Ended::Died(death) => death,
            };
            let suspects = journal::suspects(&self.folder.0)?;
            say(&format!(
                "{death} ended the worker; trying {} that it had in work, one by one",
                units::plural(suspects.len() as u64, "file")
            ));
            let Some(mut found) = self.try_alone(job, suspects.clone()).await? else {
                return Ok(self.told.unwrap_or(TERMINATED));
            };
            // A file that was left out and is found again (it changes all the time) must not start the run for ever.
            found.retain(|new| {
                let is_same = |known: &Poison| known.suspect.location == new.suspect.location;
                !poison.iter().any(is_same)
            });
            for Poison { suspect, death } in &found {
                say(&format!("{}: {death}: goes to quarantine", suspect.location));
            }
            if found.is_empty() && had_second_chance {
                return Err(nobody_at_fault(&death, &suspects));
            }
            had_second_chance = had_second_chance || found.is_empty();
            poison.extend(found);
            journal::clear(&self.folder.0)?;
            journal::write_poison(&self.folder.0, &poison)?;
            say("starting the run again");
        }
    }

    /// The suspects that kill a process alone. None when a signal ended the search.
    async fn try_alone(
        &mut self,
        job: &Path,
        mut rest: Vec<Suspect>,
    ) -> Result<Option<Vec<Poison>>, CliError> {
        let args = [OsString::from("probe"), job.as_os_str().to_owned()];
        let mut found = Vec::new();
        while !rest.is_empty() {
            journal::clear(&self.folder.0)?;
            journal::write_suspects(&self.folder.0, &rest)?;
            let death = match self.worker(&args, Stdio::null()).await? {
                Ended::Code(_) => break,
                Ended::Told(_) => return Ok(None),
                Ended::Died(death) => death,
            };
            let in_work = journal::suspects(&self.folder.0)?;
            let Some(at) = rest.iter().position(|suspect| in_work.contains(suspect)) else {
                break;
            };
            let suspect = rest.swap_remove(at);
            // Those before it were tried and did no harm.
            rest.drain(..at);
            found.push(Poison { suspect, death });
        }
        Ok(Some(found))
    }

    /// Starts the program with `args`, passes signals on, and waits for its end.
    async fn worker(&mut self, args: &[OsString], stdout: Stdio) -> Result<Ended, CliError> {
        let mut worker = Command::new(&self.program)
            .args(args)
            .env(JOURNAL, &self.folder.0)
            .envs(allocator_settings())
            .stdin(Stdio::piped())
            .stdout(stdout)
            .spawn()
            .map_err(CliError::Runtime)?;
        let mut kill_at = None;
        loop {
            if let Some(status) = worker.try_wait().map_err(CliError::Runtime)? {
                return Ok(self.ended(status));
            }
            let order = tokio::select! {
                _ = self.child.recv() => None,
                _ = self.terminate.recv() => Some((TERMINATE, TERMINATED)),
                _ = self.interrupt.recv() => Some((INTERRUPT, INTERRUPTED)),
                () = expire(kill_at) => {
                    worker.kill().map_err(CliError::Runtime)?;
                    kill_at = None;
                    None
                }
            };
            if let Some((order, code)) = order {
                self.told.get_or_insert(code);
                kill_at.get_or_insert(Instant::now() + KILL_AFTER);
                tell(&mut worker, order);
            }
        }
    }

    fn ended(&self, status: ExitStatus) -> Ended {
        match (status.code(), status.signal(), self.told) {
            (Some(code), ..) => Ended::Code(u8::try_from(code).unwrap_or(1)),
            (None, _, Some(told)) => Ended::Told(told),
            (None, Some(signal), None) if ON_PURPOSE.contains(&signal) => {
                Ended::Told(u8::try_from(128 + signal).unwrap_or(TERMINATED))
            }
            // `signal: 6 (SIGABRT) (core dumped)`
            _ => Ended::Died(status.to_string().replacen("signal:", "signal", 1)),
        }
    }
}

/// A worker that ended in this moment no longer listens, which is what it was to be told.
fn tell(worker: &mut Child, order: u8) {
    if let Some(stdin) = &mut worker.stdin {
        drop(stdin.write_all(&[order]).and_then(|()| stdin.flush()));
    }
}

async fn expire(at: Option<Instant>) {
    match at {
        Some(at) => sleep_until(at).await,
        None => std::future::pending().await,
    }
}

/// This program, also when its file was replaced while it runs.
fn program() -> io::Result<PathBuf> {
    let path = std::env::current_exe()?;
    if path.exists() {
        return Ok(path);
    }
    Ok(PathBuf::from("/proc/self/exe"))
}

fn nobody_at_fault(death: &str, suspects: &[Suspect]) -> CliError {
    let named: Vec<&str> = suspects
        .iter()
        .take(SHOWN)
        .map(|suspect| suspect.location.as_str())
        .collect();
    let more = match suspects.len().saturating_sub(SHOWN) {
        0 => String::new(),
        n => format!(" and {n} more"),
    };
    let in_work = if named.is_empty() {
        "no file was in work".to_owned()
    } else {
        format!(
            "in work were {}{more}, none of which does it alone",
            named.join(", ")
        )
    };
    CliError::Run {
        message: format!(
            "{death} ended the worker twice; {in_work}: does the machine have less memory than `limits.memory` and its \
             threads need?"
        ),
        exit_code: 1,
    }
}

/// A courtesy: a closed stderr does not end the run.
fn say(text: &str) {
    drop(io::stderr().write_all(format!("skewer: {text}\n").as_bytes()));
}

/// The journal's folder, removed when the supervisor ends.
struct Folder(PathBuf);

impl Folder {
    fn create() -> io::Result<Self> {
        let unique = RandomState::new().hash_one(std::process::id());
        let path = std::env::temp_dir().join(format!("skewer-{unique:016x}"));
        std::fs::DirBuilder::new().mode(0o700).create(&path)?;
        Ok(Self(path))
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        drop(std::fs::remove_dir_all(&self.0));
    }
}

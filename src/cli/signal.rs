//! Blocking on asynchronous work, with Ctrl-C, SIGTERM and a supervisor's word turned into a cancel.

use std::future::Future;
use std::io::Read as _;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU8, Ordering};
use std::sync::{Arc, Mutex, Once, PoisonError};
use std::time::Duration;

use tokio::sync::mpsc::{self, UnboundedReceiver};

use super::CliError;
use crate::base::Cancel;
use crate::storage::StorageError;

/// Names the journal's folder to a worker. Set by its supervisor alone.
pub const JOURNAL: &str = "SKEWER_JOURNAL";
/// What a supervisor writes to its worker's stdin: end as if this signal had come.
pub const TERMINATE: u8 = b'T';
pub const INTERRUPT: u8 = b'I';

/// Exit codes of work that a signal cancelled.
pub const INTERRUPTED: u8 = 130;
pub const TERMINATED: u8 = 143;
/// The exit code of a worker whose supervisor was killed; nobody is left to see it.
const ORPHANED: i32 = 137;
/// How long cancelled work may take to end itself. Schedulers kill after 20 or 30 seconds.
pub const GRACE: Duration = Duration::from_secs(15);

/// The exit code of the signal that cancelled the work: 130 for Ctrl-C, 143 for SIGTERM; 0 when none came.
#[derive(Debug, Clone, Default)]
pub struct Signalled(Arc<AtomicU8>);

impl Signalled {
    pub fn code(&self) -> Option<u8> {
        Some(self.0.load(Ordering::Acquire)).filter(|code| *code != 0)
    }
}

/// The word of the supervisor that started this process.
#[derive(Debug)]
pub struct Orders {
    folder: PathBuf,
    codes: UnboundedReceiver<u8>,
}

impl Orders {
    /// Listens on stdin; none when no supervisor started this process. When the supervisor is gone, so is this process.
    pub fn of_supervisor() -> Option<Self> {
        let folder = PathBuf::from(std::env::var_os(JOURNAL)?);
        let (said, codes) = mpsc::unbounded_channel();
        let journal = folder.clone();
        std::thread::spawn(move || {
            let mut stdin = std::io::stdin();
            let mut order = [0];
            while stdin.read_exact(&mut order).is_ok() {
                let code = match order {
                    [TERMINATE] => TERMINATED,
                    [INTERRUPT] => INTERRUPTED,
                    _ => continue,
                };
                let _nobody_works = said.send(code);
            }
            drop(std::fs::remove_dir_all(journal));
            std::process::exit(ORPHANED);
        });
        Some(Self { folder, codes })
    }

    /// The folder of the journal.
    pub fn folder(&self) -> &Path {
        &self.folder
    }
}

/// Work that is told of signals.
#[derive(Debug)]
struct Told {
    cancel: Cancel,
    signalled: Signalled,
}

impl Told {
    /// Cancels, for this reason; of several the first counts.
    fn tell(&self, code: u8) {
        let _first_counts = self
            .signalled
            .0
            .compare_exchange(0, code, Ordering::AcqRel, Ordering::Acquire);
        self.cancel.cancel();
    }
}

/// The work that is under way in this process, for its one listener.
static WORK: Mutex<Vec<Arc<Told>>> = Mutex::new(Vec::new());
/// The exit code of the last signal; 0 when none came.
static HEARD: AtomicU8 = AtomicU8::new(0);

/// The exit code that a cancel has: of the signal that this process got, or of Ctrl-C.
pub fn code_of_cancel() -> u8 {
    match HEARD.load(Ordering::Acquire) {
        0 => INTERRUPTED,
        code => code,
    }
}

/// Runs `work` on a runtime of its own. The first signal cancels; the work ends itself and cleans up. A second one ends
/// the process at once, and so does the first when no work is under way any more.
///
/// # Errors
/// [`CliError::Cancelled`] when the work did not end soon after the signal.
pub fn block_on<T, F>(work: impl FnOnce(Cancel, Signalled) -> F) -> Result<T, CliError>
where
    F: Future<Output = T>,
{
    block_on_ordered(None, work)
}

/// As [`block_on`], for work that has nothing to tell before its end: a cancel drops it, whatever it waits for.
///
/// # Errors
/// What the work fails with, also on a cancel.
pub fn block_on_whole<T, F>(work: impl FnOnce(Cancel) -> F) -> Result<T, CliError>
where
    F: Future<Output = Result<T, CliError>>,
{
    block_on(|cancel, _| async move {
        let done = cancel.until(work(cancel.clone())).await;
        done.unwrap_or_else(|_| Err(StorageError::Cancelled.into()))
    })?
}

/// As [`block_on`], for work that a supervisor may end too.
///
/// # Errors
/// As [`block_on`].
pub fn block_on_ordered<T, F>(
    orders: Option<Orders>,
    work: impl FnOnce(Cancel, Signalled) -> F,
) -> Result<T, CliError>
where
    F: Future<Output = T>,
{
    static LISTENER: Once = Once::new();
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .map_err(CliError::Runtime)?;
    let told = Arc::new(Told {
        cancel: Cancel::new(),
        signalled: Signalled::default(),
    });
    let under_way = UnderWay::new(&told);
    // Without a listener the system's own Ctrl-C still ends the process.
    LISTENER.call_once(|| drop(listen()));
    let result = runtime.block_on(async {
        let obeying = tokio::spawn(obey(orders, Arc::clone(&told)));
        let (cancel, signalled) = (told.cancel.clone(), told.signalled.clone());
        let result = tokio::select! {
            result = work(cancel, signalled) => Ok(result),
            code = expired(&told) => Err(CliError::Cancelled { code }),
        };
        obeying.abort();
        result
    });
    drop(under_way);
    runtime.shutdown_background();
    result
}

/// Registers work for as long as it lives.
struct UnderWay<'a>(&'a Arc<Told>);

impl<'a> UnderWay<'a> {
    fn new(told: &'a Arc<Told>) -> Self {
        let mut work = WORK.lock().unwrap_or_else(PoisonError::into_inner);
        work.push(Arc::clone(told));
        Self(told)
    }
}

impl Drop for UnderWay<'_> {
    fn drop(&mut self) {
        let mut work = WORK.lock().unwrap_or_else(PoisonError::into_inner);
        work.retain(|told| !Arc::ptr_eq(told, self.0));
    }
}

/// Ends when cancelled work has had its time.
async fn expired(told: &Told) -> u8 {
    told.cancel.cancelled().await;
    tokio::time::sleep(GRACE).await;
    told.signalled.code().unwrap_or(INTERRUPTED)
}

/// A supervisor's word counts as a signal, but not as one that hurries: a terminal's Ctrl-C reaches both processes.
async fn obey(orders: Option<Orders>, told: Arc<Told>) {
    if let Some(mut orders) = orders {
        while let Some(code) = orders.codes.recv().await {
            told.tell(code);
        }
    }
}

/// Hears signals for as long as the process lives, on a thread that does nothing else: work that keeps every other thread
/// busy does not delay them.
fn listen() -> std::io::Result<()> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()?;
    let mut signals = {
        let _entered = runtime.enter();
        Signals::new()?
    };
    std::thread::Builder::new()
        .name("skewer-signals".to_owned())
        .spawn(move || {
            runtime.block_on(async {
                let mut n_heard = 0;
                loop {
                    let code = signals.next().await;
                    n_heard += 1;
                    HEARD.store(code, Ordering::Release);
                    let work = WORK.lock().unwrap_or_else(PoisonError::into_inner).clone();
                    if n_heard > 1 || work.is_empty() {
                        std::process::exit(code.into());
                    }
                    for told in work {
                        told.tell(code);
                    }
                }
            });
        })?;
    Ok(())
}

#[cfg(unix)]
struct Signals {
    interrupt: tokio::signal::unix::Signal,
    terminate: tokio::signal::unix::Signal,
}

#[cfg(unix)]
impl Signals {
    fn new() -> std::io::Result<Self> {
        use tokio::signal::unix::{SignalKind, signal};
        Ok(Self {
            interrupt: signal(SignalKind::interrupt())?,
            terminate: signal(SignalKind::terminate())?,
        })
    }

    async fn next(&mut self) -> u8 {
        tokio::select! {
            _ = self.interrupt.recv() => INTERRUPTED,
            _ = self.terminate.recv() => TERMINATED,
        }
    }
}

#[cfg(not(unix))]
struct Signals;

#[cfg(not(unix))]
impl Signals {
    fn new() -> std::io::Result<Self> {
        Ok(Self)
    }

    async fn next(&mut self) -> u8 {
        if tokio::signal::ctrl_c().await.is_err() {
            // Without a handler the system's own Ctrl-C still ends the process.
            std::future::pending::<()>().await;
        }
        INTERRUPTED
    }
}

//! Blocking on asynchronous work, with Ctrl-C, SIGTERM and a supervisor's word turned into a cancel.

use std::future::Future;
use std::io::Read as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU8, Ordering};
use std::time::Duration;

use tokio::sync::mpsc::{self, UnboundedReceiver};
use tokio::sync::oneshot;

use super::CliError;
use crate::base::Cancel;

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

/// Runs `work` on a runtime of its own. The first signal cancels; the work ends itself and cleans up.
///
/// # Errors
/// [`CliError::Cancelled`] when the work did not end soon after the signal.
pub fn block_on<T, F>(work: impl FnOnce(Cancel, Signalled) -> F) -> Result<T, CliError>
where
    F: Future<Output = T>,
{
    block_on_ordered(None, work)
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
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .map_err(CliError::Runtime)?;
    let (cancel, signalled) = (Cancel::new(), Signalled::default());
    let result = runtime.block_on(async {
        let (expire, expired) = oneshot::channel();
        let watcher = tokio::spawn(watch(orders, cancel.clone(), signalled.clone(), expire));
        let result = tokio::select! {
            result = work(cancel, signalled) => Ok(result),
            Ok(code) = expired => Err(CliError::Cancelled { code }),
        };
        watcher.abort();
        result
    });
    runtime.shutdown_background();
    result
}

async fn watch(orders: Option<Orders>, cancel: Cancel, signalled: Signalled, expire: oneshot::Sender<u8>) {
    let code = tokio::select! {
        code = wait_for_signal() => code,
        code = wait_for_order(orders) => code,
    };
    signalled.0.store(code, Ordering::Release);
    cancel.cancel();
    tokio::time::sleep(GRACE).await;
    let _work_has_ended = expire.send(code);
}

async fn wait_for_order(orders: Option<Orders>) -> u8 {
    if let Some(mut orders) = orders
        && let Some(code) = orders.codes.recv().await
    {
        return code;
    }
    std::future::pending().await
}

#[cfg(unix)]
async fn wait_for_signal() -> u8 {
    use tokio::signal::unix::{SignalKind, signal};
    let Ok(mut terminate) = signal(SignalKind::terminate()) else {
        return interrupt().await;
    };
    tokio::select! {
        code = interrupt() => code,
        _ = terminate.recv() => TERMINATED,
    }
}

#[cfg(not(unix))]
async fn wait_for_signal() -> u8 {
    interrupt().await
}

async fn interrupt() -> u8 {
    if tokio::signal::ctrl_c().await.is_err() {
        // Without a handler the system's own Ctrl-C still ends the process.
        std::future::pending::<()>().await;
    }
    INTERRUPTED
}

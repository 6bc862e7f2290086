//! Blocking on asynchronous work, with Ctrl-C and SIGTERM turned into a cancel.

use std::future::Future;
use std::sync::Arc;
use std::sync::atomic::{AtomicU8, Ordering};

use super::CliError;
use crate::base::Cancel;

/// The exit code of the signal that cancelled the work: 130 for Ctrl-C, 143 for SIGTERM; 0 when none came.
#[derive(Debug, Clone, Default)]
pub struct Signalled(Arc<AtomicU8>);

impl Signalled {
    pub fn code(&self) -> Option<u8> {
        Some(self.0.load(Ordering::Acquire)).filter(|code| *code != 0)
    }
}

/// Runs `work` on a runtime of its own. The first signal cancels; the work ends itself and cleans up.
pub fn block_on<T, F>(work: impl FnOnce(Cancel, Signalled) -> F) -> Result<T, CliError>
where
    F: Future<Output = T>,
{
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .map_err(CliError::Runtime)?;
    let (cancel, signalled) = (Cancel::new(), Signalled::default());
    let result = runtime.block_on(async {
        let watcher = tokio::spawn(watch(cancel.clone(), signalled.clone()));
        let result = work(cancel, signalled).await;
        watcher.abort();
        result
    });
    runtime.shutdown_background();
    Ok(result)
}

async fn watch(cancel: Cancel, signalled: Signalled) {
    let code = wait_for_signal().await;
    signalled.0.store(code, Ordering::Release);
    cancel.cancel();
}

#[cfg(unix)]
async fn wait_for_signal() -> u8 {
    use tokio::signal::unix::{SignalKind, signal};
    let Ok(mut terminate) = signal(SignalKind::terminate()) else {
        return interrupt().await;
    };
    tokio::select! {
        code = interrupt() => code,
        _ = terminate.recv() => 143,
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
    130
}

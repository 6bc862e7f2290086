//! Ends work that takes longer than it may, by the cancel that the work looks at anyway.

use std::time::{Duration, Instant};

use crate::base::Cancel;

const POLL: Duration = Duration::from_millis(20);

/// Runs `work` with a cancel of its own, which is set with `cancel` and when `limit` has passed. Says too whether the
/// limit passed before the work ended.
pub(super) async fn within<T, F>(
    limit: Option<Duration>,
    cancel: &Cancel,
    work: impl FnOnce(Cancel) -> F,
) -> (T, bool)
where
    F: Future<Output = T>,
{
    let Some(limit) = limit else {
        return (work(cancel.clone()).await, false);
    };
    let started = Instant::now();
    let inner = Cancel::new();
    let work = work(inner.clone());
    tokio::pin!(work);
    let mut is_late = false;
    let mut poll = tokio::time::interval(POLL);
    loop {
        tokio::select! {
            done = &mut work => return (done, is_late),
            _ = poll.tick() => {
                is_late = is_late || (!cancel.is_cancelled() && started.elapsed() > limit);
                if is_late || cancel.is_cancelled() {
                    inner.cancel();
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::within;
    use crate::base::Cancel;

    async fn until_cancelled(cancel: Cancel) -> &'static str {
        while !cancel.is_cancelled() {
            tokio::task::yield_now().await;
        }
        "stopped"
    }

    #[tokio::test]
    async fn work_past_its_limit_is_cancelled_and_work_of_others_is_not() {
        let cancel = Cancel::new();
        let late = within(Some(Duration::from_millis(1)), &cancel, until_cancelled).await;
        assert_eq!(late, ("stopped", true));
        assert!(!cancel.is_cancelled());
        let in_time = within(Some(Duration::from_hours(1)), &cancel, |_| async { "done" }).await;
        assert_eq!(in_time, ("done", false));
        cancel.cancel();
        for limit in [None, Some(Duration::from_hours(1))] {
            assert_eq!(within(limit, &cancel, until_cancelled).await, ("stopped", false));
        }
    }
}

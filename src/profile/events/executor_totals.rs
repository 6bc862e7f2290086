//! What each executor did over all stages: whether the work was shared evenly.

use std::collections::HashMap;

use super::application::{Application, Stage};
use super::interruptible::for_each_until;
use super::spread::Spread;
use super::stage::{ExecutorShare, StageProfile, seconds, slots_of};
use crate::base::{Cancel, Cancelled};

/// Totals of each executor that ran a task of the `counted` stages, longest run time first.
///
/// Figures are sums over stages of the attempts that gave a result, the median is over all that succeeded; idle slots are
/// those in which no attempt ran, from the executor's start to its end, or to those of the log.
///
/// # Errors
/// [`Cancelled`].
pub fn executor_totals<'a>(
    application: &Application,
    counted: impl Iterator<Item = &'a Stage>,
    stages: &[StageProfile],
    cancel: &Cancel,
) -> Result<Vec<ExecutorShare>, Cancelled> {
    let n = application.executors.len();
    let mut runs: Vec<Vec<u64>> = vec![Vec::new(); n];
    let mut busy_ms = vec![0_u64; n];
    let (mut first, mut last) = (i64::MAX, i64::MIN);
    for stage in counted {
        for_each_until(&stage.tasks, cancel, |task| {
            first = first.min(task.launched_ms);
            last = last.max(task.finished_ms());
            if let Some(busy) = busy_ms.get_mut(task.executor as usize) {
                *busy += u64::from(task.duration_ms);
            }
            let runs = runs.get_mut(task.executor as usize);
            if let Some(runs) = runs.filter(|_| task.is_success()) {
                runs.push(u64::from(task.run_ms));
            }
        })?;
    }
    let first = application.started_ms.unwrap_or(first).min(first);
    let last = application.ended_ms.unwrap_or(last).max(last);
    let mut totals: Vec<ExecutorShare> = application
        .executors
        .iter()
        .zip(runs.into_iter().zip(busy_ms))
        .filter(|(_, (runs, _))| !runs.is_empty())
        .map(|(executor, (runs, busy))| -> Result<ExecutorShare, Cancelled> {
            let from = executor.added_ms.unwrap_or(first).max(first);
            let until = executor.removed_ms.unwrap_or(last).min(last);
            let there = seconds(until.saturating_sub(from).max(0) as f64);
            let slots = slots_of(application, executor.n_cores);
            Ok(ExecutorShare {
                executor: executor.id.clone(),
                host: executor.host.clone(),
                n_tasks: 0,
                run_seconds: 0.0,
                gc_seconds: 0.0,
                n_bytes: 0,
                n_bytes_spilled: 0,
                idle_seconds: (slots > 0.0).then(|| (slots * there - seconds(busy as f64)).max(0.0)),
                median_run_ms: Spread::of_until(runs, cancel)?.p50,
            })
        })
        .collect::<Result<_, Cancelled>>()?;
    add_stages(&mut totals, stages);
    totals.sort_by(|a, b| b.run_seconds.total_cmp(&a.run_seconds));
    Ok(totals)
}

/// Adds what the stages have summed already.
fn add_stages(totals: &mut [ExecutorShare], stages: &[StageProfile]) {
    let places: HashMap<String, usize> = totals
        .iter()
        .enumerate()
        .map(|(at, total)| (total.executor.clone(), at))
        .collect();
    for share in stages.iter().flat_map(|stage| &stage.executors) {
        let place = places.get(&share.executor).copied();
        let Some(total) = place.and_then(|at| totals.get_mut(at)) else {
            continue;
        };
        total.n_tasks += share.n_tasks;
        total.run_seconds += share.run_seconds;
        total.gc_seconds += share.gc_seconds;
        total.n_bytes = total.n_bytes.saturating_add(share.n_bytes);
        total.n_bytes_spilled = total.n_bytes_spilled.saturating_add(share.n_bytes_spilled);
    }
}

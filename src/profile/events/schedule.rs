//! What uneven tasks cost: the stage's tasks placed on its slots one after another, beside as many even ones.
//!
//! Whether a long task costs time depends on what else there is to do when it starts, so a ratio cannot tell. Spark gives the
//! next task to the slot that is free first, which is list scheduling (Graham, 1966): done again here in the order of launch,
//! without the pauses, failures and other stages that the observed wall time holds too.

use std::cmp::Reverse;
use std::collections::BinaryHeap;

use super::interruptible::for_each_until;
use super::stage::seconds;
use super::task::Task;
use crate::base::{Cancel, Cancelled};

/// A stage's time against that of even tasks. In seconds of wall time.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
#[allow(clippy::struct_field_names, reason = "each says its unit")]
pub struct Schedule {
    /// As many even tasks with the same work, on the same slots: waves × mean.
    pub even_seconds: f64,
    /// What the tasks longer than the mean add: the end of the last of them over that of even tasks. Zero where shorter ones
    /// are still at work when they end, and keep the stage up as long.
    pub straggler_seconds: f64,
    /// `wall − Σt/slots`: slots that had nothing to do, for whatever reason.
    pub unused_seconds: f64,
}

impl Schedule {
    /// Of the tasks that gave the stage its result, in the order of their launch.
    ///
    /// # Errors
    /// [`Cancelled`].
    pub fn of(tasks: &[&Task], wall_seconds: f64, slots: f64, cancel: &Cancel) -> Result<Self, Cancelled> {
        if tasks.is_empty() || slots <= 0.0 {
            return Ok(Self::default());
        }
        let n_slots = whole(slots).min(tasks.len());
        let mut total_ms = 0_u64;
        for_each_until(tasks, cancel, |task| total_ms += u64::from(task.duration_ms))?;
        let mean_ms = total_ms as f64 / tasks.len() as f64;
        let mut free: BinaryHeap<Reverse<u64>> = std::iter::repeat_n(Reverse(0), n_slots).collect();
        let mut long_end_ms = 0;
        for_each_until(tasks, cancel, |task| {
            // The top changes in place: one sift for each task.
            if let Some(mut slot) = free.peek_mut() {
                slot.0 += u64::from(task.duration_ms);
                if f64::from(task.duration_ms) > mean_ms {
                    long_end_ms = slot.0.max(long_end_ms);
                }
            }
        })?;
        let spread = seconds(total_ms as f64) / slots;
        let waves = tasks.len().div_ceil(n_slots);
        let even = seconds(waves as f64 * mean_ms);
        let unused_seconds = (wall_seconds - spread).max(0.0);
        Ok(Self {
            even_seconds: even.max(spread).min(wall_seconds),
            straggler_seconds: (seconds(long_end_ms as f64) - even).clamp(0.0, unused_seconds),
            unused_seconds,
        })
    }
}

/// The nearest whole number of slots, at least one.
pub fn whole(slots: f64) -> usize {
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "a positive number of slots"
    )]
    let n = slots.round() as usize;
    n.max(1)
}

#[cfg(test)]
mod tests {
    use super::Schedule;
    use crate::base::Cancel;
    use crate::profile::events::Task;

    /// Tasks of so many seconds, launched in this order.
    fn schedule(durations: &[u32], wall_seconds: f64, slots: f64) -> Schedule {
        let tasks: Vec<Task> = durations
            .iter()
            .map(|secs| Task {
                duration_ms: secs * 1000,
                ..Task::default()
            })
            .collect();
        let tasks: Vec<&Task> = tasks.iter().collect();
        Schedule::of(&tasks, wall_seconds, slots, &Cancel::new()).unwrap()
    }

    #[track_caller]
    fn check(durations: &[u32], wall: f64, slots: f64, expected: [f64; 3]) {
        let found = schedule(durations, wall, slots);
        let found = [found.even_seconds, found.straggler_seconds, found.unused_seconds];
        let is_near = found.iter().zip(expected).all(|(a, b)| (a - b).abs() < 1e-9);
        assert!(is_near, "{found:?} is not {expected:?}");
    }

    #[test]
    fn a_long_task_costs_by_what_is_left_to_do_when_it_starts_and_not_by_its_length() {
        // 36 tasks of 1 s and one of 12 s: 48 s of work on four slots.
        let with_long_at = |at: usize| {
            let mut tasks = vec![1; 37];
            tasks[at] = 12;
            tasks
        };
        // Of 37 even tasks the last one has a wave of its own: ten waves of 48/37 s.
        let even = 10.0 * 48.0 / 37.0;
        check(&with_long_at(0), 12.0, 4.0, [12.0, 0.0, 0.0]);
        check(&with_long_at(36), 21.0, 4.0, [even, 21.0 - even, 9.0]);
        check(&with_long_at(20), 17.0, 4.0, [even, 17.0 - even, 5.0]);
    }

    #[test]
    fn tasks_that_are_even_cost_nothing_also_where_they_do_not_fill_the_last_wave() {
        check(&[10; 12], 20.0, 8.0, [20.0, 0.0, 5.0]);
        check(&[10], 10.0, 4.0, [10.0, 0.0, 7.5]);
        check(&[], 0.0, 4.0, [0.0, 0.0, 0.0]);
    }

    #[test]
    fn a_pause_of_the_stage_is_no_cost_of_its_long_task() {
        // The same tasks, and the stage took 100 s: something else held it up.
        check(&[3, 3, 3, 6], 100.0, 4.0, [3.75, 2.25, 96.25]);
    }
}

//! What uneven tasks cost: the stage's tasks placed on its slots one after another, beside as many even ones.
//!
//! Whether a long task costs time depends on what else there is to do when it starts, so a ratio cannot tell. Spark gives the
//! next task to the slot that is free first, which is list scheduling (Graham, 1966): done again here in the order of launch,
//! without the pauses, failures and other stages that the observed wall time holds too.

use std::cmp::Reverse;
use std::collections::BinaryHeap;

use super::interruptible::for_each_until;
use super::stage::{HARMLESS_SHARE, seconds};
use super::task::Task;
use crate::base::{Cancel, Cancelled};

/// Tasks of a stage that is tried on more slots than it had.
const MAX_TRIED_TASKS: usize = 20_000;
/// Tasks that are placed in all tries together: tens of milliseconds.
const MAX_PLACED: usize = 1_000_000;
/// The longest task over the mean one, under which no verdict calls a stage skewed that is harmless.
const LONG_RATIO: f64 = 1.25;

/// A stage's time against that of even tasks. In seconds of wall time where no other unit is named.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Schedule {
    /// As many even tasks with the same work, on the same slots: waves × mean.
    pub even_seconds: f64,
    /// What the tasks longer than the mean add: the end of the last of them over that of even tasks. Zero where shorter ones
    /// are still at work when they end, and keep the stage up as long.
    pub straggler_seconds: f64,
    /// `wall − Σt/slots`: slots that had nothing to do, for whatever reason.
    pub unused_seconds: f64,
    /// Where the long tasks are harmless: the slots from which on they would cost time. None where they do already, where no
    /// number of slots that was tried does it, and where the stage has too many tasks to try.
    pub costly_slots: Option<u64>,
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
        let (mut total_ms, mut longest_ms) = (0_u64, 0);
        for_each_until(tasks, cancel, |task| {
            total_ms += u64::from(task.duration_ms);
            longest_ms = task.duration_ms.max(longest_ms);
        })?;
        let mean_ms = total_ms as f64 / tasks.len() as f64;
        let placed = Placed::of(tasks, n_slots, mean_ms, cancel)?;
        let spread = seconds(total_ms as f64) / slots;
        let unused_seconds = (wall_seconds - spread).max(0.0);
        let straggler_seconds = seconds(placed.straggler_ms()).clamp(0.0, unused_seconds);
        let is_harmless = straggler_seconds <= HARMLESS_SHARE * wall_seconds;
        let costly_slots = if is_harmless && f64::from(longest_ms) >= LONG_RATIO * mean_ms {
            costly_slots(tasks, n_slots, mean_ms, cancel)?
        } else {
            None
        };
        Ok(Self {
            even_seconds: seconds(placed.even_ms).max(spread).min(wall_seconds),
            straggler_seconds,
            unused_seconds,
            costly_slots,
        })
    }
}

/// Tasks placed on slots in the order of their launch, in milliseconds.
#[allow(clippy::struct_field_names, reason = "each says its unit")]
struct Placed {
    /// As many even tasks on these slots: waves × mean.
    even_ms: f64,
    /// The end of the last task that is longer than the mean.
    long_end_ms: u64,
    /// The end of the last task.
    end_ms: u64,
}

impl Placed {
    fn of(tasks: &[&Task], n_slots: usize, mean_ms: f64, cancel: &Cancel) -> Result<Self, Cancelled> {
        let mut free: BinaryHeap<Reverse<u64>> = std::iter::repeat_n(Reverse(0), n_slots).collect();
        let (mut long_end_ms, mut end_ms) = (0, 0);
        for_each_until(tasks, cancel, |task| {
            // The top changes in place: one sift for each task.
            if let Some(mut slot) = free.peek_mut() {
                slot.0 += u64::from(task.duration_ms);
                end_ms = slot.0.max(end_ms);
                if f64::from(task.duration_ms) > mean_ms {
                    long_end_ms = slot.0.max(long_end_ms);
                }
            }
        })?;
        Ok(Self {
            even_ms: tasks.len().div_ceil(n_slots) as f64 * mean_ms,
            long_end_ms,
            end_ms,
        })
    }

    fn straggler_ms(&self) -> f64 {
        self.long_end_ms as f64 - self.even_ms
    }
}

/// The first number of slots above `n_slots` with which long tasks add more than what is harmless. On slots of their own they
/// add the most, so more slots than tasks tell nothing new.
fn costly_slots(
    tasks: &[&Task],
    n_slots: usize,
    mean_ms: f64,
    cancel: &Cancel,
) -> Result<Option<u64>, Cancelled> {
    if tasks.is_empty() || tasks.len() > MAX_TRIED_TASKS {
        return Ok(None);
    }
    let last = tasks.len().min(n_slots + MAX_PLACED / tasks.len());
    for n in n_slots + 1..=last {
        let placed = Placed::of(tasks, n, mean_ms, cancel)?;
        if placed.straggler_ms() > HARMLESS_SHARE * placed.end_ms as f64 {
            return Ok(Some(n as u64));
        }
    }
    Ok(None)
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

    #[track_caller]
    fn check_costly(durations: &[u32], slots: f64, expected: Option<u64>) {
        let wall: u32 = durations.iter().sum();
        let found = schedule(durations, f64::from(wall) / slots, slots);
        assert_eq!(found.costly_slots, expected, "{found:?}");
    }

    #[test]
    fn a_harmless_task_costs_from_the_slots_on_that_leave_too_little_to_do_after_its_late_start() {
        let with_long_at = |at: usize| {
            let mut tasks = vec![1; 37];
            tasks[at] = 12;
            tasks
        };
        // As the first it is as long as four waves' work; on five slots, eight waves of 48/37 s end before its 12 s do.
        check_costly(&with_long_at(0), 4.0, Some(5));
        // After 20 s of others' work three slots are short already, where the ratio of work to length says four.
        check_costly(&with_long_at(20), 2.0, Some(3));
        // On every number of slots even tasks end as late as these.
        check_costly(&[1; 37], 4.0, None);
        check_costly(&[5; 12], 12.0, None);
    }

    #[test]
    fn a_task_that_costs_already_names_no_slots_and_a_very_large_stage_is_not_tried() {
        let mut tasks = vec![1; 37];
        tasks[36] = 12;
        let late = schedule(&tasks, 21.0, 4.0);
        assert!(
            late.straggler_seconds > 0.0 && late.costly_slots.is_none(),
            "{late:?}"
        );
        let mut tasks = vec![1; super::MAX_TRIED_TASKS + 1];
        tasks[0] = 1000;
        check_costly(&tasks, 20.0, None);
        // One task fewer is tried.
        tasks.pop();
        check_costly(&tasks, 20.0, Some(23));
    }

    #[test]
    fn a_pause_of_the_stage_is_no_cost_of_its_long_task() {
        // The same tasks, and the stage took 100 s: something else held it up.
        check(&[3, 3, 3, 6], 100.0, 4.0, [3.75, 2.25, 96.25]);
    }
}

//! What a process that dies leaves: the real binary is killed at every change it makes and at random moments, and after
//! each death readers look, the next command goes on, and a sweep leaves nothing behind.

mod full_disk;
mod readers;
mod scene;
mod two_runs;

use std::os::unix::process::ExitStatusExt as _;
use std::process::Stdio;
use std::time::{Duration, Instant};

use scene::{Scene, scenes};

/// SIGABRT, by which a process dies to order.
const ABORTED: i32 = 6;

/// Dies before the first change of its storage, before the second, and so on until it has made them all; how many those
/// are.
fn die_before_every_change(scene: &Scene) -> usize {
    let mut n = 0;
    loop {
        n += 1;
        scene.reset();
        let mut command = scene.command();
        let output = command
            .env("SKEWER_DEBUG_DIE_AT", n.to_string())
            .output()
            .unwrap();
        let at = format!("{}, dead before change {n}", scene.name);
        if output.status.success() {
            assert!(n > 5, "{at}: it makes more changes than that");
            scene.check(&format!("{}, alive", scene.name));
            return n - 1;
        }
        let said = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.signal(), Some(ABORTED), "{at}: {said}");
        scene.check(&at);
    }
}

macro_rules! every_change {
    ($($test:ident: $scene:ident;)*) => {
        $(#[test]
        fn $test() {
            let scene = scenes::$scene();
            println!("{}: {} changes", scene.name, die_before_every_change(&scene));
        })*
    };
}

every_change! {
    a_first_run_may_die_before_any_change: first_run;
    a_run_with_new_files_may_die_before_any_change: new_files;
    a_run_with_a_changed_file_may_die_before_any_change: changed_file;
    a_run_into_one_object_may_die_before_any_change: one_object;
    a_run_with_a_manifest_may_die_before_any_change: manifest;
    a_run_over_the_whole_day_may_die_before_any_change: whole_day;
    a_compaction_may_die_before_any_change: compaction;
    a_replacement_may_die_before_any_change: replacement;
    a_replay_may_die_before_any_change: replay;
    a_replay_into_one_object_may_die_before_any_change: replay_into_one_object;
    a_plan_may_die_before_any_change: plan;
    a_task_may_die_before_any_change: task;
    a_commit_of_tasks_may_die_before_any_change: commit_of_tasks;
    a_sweep_may_die_before_any_change: sweep;
}

/// Numbers that differ from run to run, from a seed that a failure names.
struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0
    }

    fn up_to(&mut self, most: Duration) -> Duration {
        most.mul_f64((self.next() >> 11) as f64 / (1_u64 << 53) as f64)
    }
}

/// When a process is killed.
#[derive(Debug, Clone, Copy)]
enum Moment {
    /// So long after its start.
    After(Duration),
    /// So long after its commit record appeared, which is when parts are put in place.
    Committed(Duration),
}

fn kill_at(scene: &Scene, moment: Moment) -> bool {
    scene.reset();
    let mut command = scene.command();
    let mut child = command
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let mut since = Instant::now();
    let (mut is_armed, wait) = match moment {
        Moment::After(wait) => (true, wait),
        Moment::Committed(wait) => (false, wait),
    };
    while child.try_wait().unwrap().is_none() {
        if !is_armed && scene.n_commits() > scene.n_commits_before {
            (is_armed, since) = (true, Instant::now());
        }
        if is_armed && since.elapsed() >= wait {
            child.kill().unwrap();
        }
        std::thread::yield_now();
    }
    child.wait().unwrap().signal().is_some()
}

#[test]
fn kill_9_at_random_moments_loses_and_doubles_nothing() {
    let asked = std::env::var("SKEWER_KILLS").ok().and_then(|n| n.parse().ok());
    let n_kills: usize = asked.unwrap_or(100);
    let seed = std::env::var("SKEWER_KILL_SEED")
        .ok()
        .and_then(|seed| seed.parse().ok());
    let seed: u64 =
        seed.unwrap_or_else(|| u64::from(std::process::id()).wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1);
    let mut random = Random(seed);
    let scenes = scenes::all();
    let mut durations: Vec<Duration> = scenes
        .iter()
        .map(|scene| {
            scene.reset();
            let start = Instant::now();
            let output = scene.command().output().unwrap();
            assert!(output.status.success(), "{}: {output:?}", scene.name);
            start.elapsed()
        })
        .collect();
    let (mut n_killed, mut n_tries) = (0, 0);
    while n_killed < n_kills {
        let index = n_tries % scenes.len();
        let scene = &scenes[index];
        let is_late = scene.commits && random.next().is_multiple_of(2);
        let moment = if is_late {
            Moment::Committed(random.up_to(durations[index] / 8))
        } else {
            Moment::After(random.up_to(durations[index]))
        };
        let was_killed = kill_at(scene, moment);
        n_killed += usize::from(was_killed);
        // A first run on a busy machine takes longer than those after it: moments are drawn from what is left of it.
        if matches!(moment, Moment::After(_)) {
            durations[index] = durations[index].mul_f64(if was_killed { 1.1 } else { 0.8 });
        }
        scene.check(&format!(
            "{}, kill -9 at {moment:?}, SKEWER_KILL_SEED={seed}",
            scene.name
        ));
        n_tries += 1;
        assert!(n_tries < 10 * n_kills + 50, "{n_killed} of {n_tries} were killed");
    }
    println!("{n_killed} killed in {n_tries} tries, SKEWER_KILL_SEED={seed}");
}

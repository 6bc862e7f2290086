//! A lake before a command that may die, what the day holds before and after it, and how the next command goes on.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;
use std::process::Command;
use std::time::Duration;

use serde_json::Value;
use skewer::base::{Cancel, Progress};
use skewer::job::Params;
use skewer::run::{
    GcOptions, PartitionStatus as Status, PlanOptions, ReplayOptions, RunOptions, RunReport, commit, compact,
    gc, plan, replay, task,
};

use super::readers::{self, Reader};
use crate::run::{DAY, Lake, block_on, check_books, files_below, lines};

/// A lake in the state in which a command finds it, to be had again and again.
pub struct Scene {
    pub name: &'static str,
    pub lake: Lake,
    pub args: Vec<String>,
    pub reader: Reader,
    /// Ids of the day, sorted.
    pub before: Vec<i64>,
    pub after: Vec<i64>,
    pub n_commits_before: usize,
    /// Records of the day that are in quarantine in the end.
    pub n_bad: usize,
    /// Whether the command makes a commit.
    pub commits: bool,
    /// The command, or the one that a person would give next, in this process.
    next: fn(&Scene),
}

impl Scene {
    fn new(name: &'static str, lake: Lake, args: &[&str], after: Vec<i64>, next: fn(&Scene)) -> Self {
        fs::write(lake.path("job.yaml"), lake.spec()).unwrap();
        let (command, rest) = args.split_first().unwrap();
        let job = lake.path("job.yaml").display().to_string();
        let mut args = vec![(*command).to_owned(), job];
        args.extend(rest.iter().map(ToString::to_string));
        fs::create_dir_all(lake.path("out")).unwrap();
        copy(&lake.path("out"), &lake.path("out-before"));
        let mut scene = Self {
            name,
            args,
            reader: Reader::Append,
            before: Vec::new(),
            after,
            n_commits_before: 0,
            n_bad: 0,
            commits: true,
            next,
            lake,
        };
        scene.before = readers::listed(&scene.lake);
        scene.n_commits_before = scene.n_commits();
        scene
    }

    fn of_day(name: &'static str, lake: Lake, command: &str, after: Vec<i64>, next: fn(&Scene)) -> Self {
        let mut args: Vec<&str> = command.split(' ').collect();
        let day = format!("day={DAY}");
        args.extend(["--param", &day]);
        Self::new(name, lake, &args, after, next)
    }

    fn seen_by(self, reader: Reader) -> Self {
        Self { reader, ..self }
    }

    fn with_rejects(self, n_bad: usize) -> Self {
        Self { n_bad, ..self }
    }

    pub fn command(&self) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_skewer"));
        command.args(&self.args);
        command
    }

    /// The lake as it was.
    pub fn reset(&self) {
        fs::remove_dir_all(self.lake.path("out")).unwrap();
        copy(&self.lake.path("out-before"), &self.lake.path("out"));
    }

    pub fn n_commits(&self) -> usize {
        let records = files_below(&self.lake.path(&format!("out/_skewer/clicks/{DAY}/commits")));
        let is_record = |path: &Path| path.extension().is_some_and(|extension| extension == "json");
        records.iter().filter(|path| is_record(path)).count()
    }

    fn is_applied(&self, n: usize) -> bool {
        let marker = format!("out/_skewer/clicks/{DAY}/applied/{n:010}");
        self.lake.path(&marker).exists()
    }

    /// After the command died or ended: readers, the next command, nothing new after it, a sweep.
    pub fn check(&self, at: &str) {
        let n = self.n_commits();
        let is_applied = n > self.n_commits_before && self.is_applied(n);
        readers::check(self, n > self.n_commits_before, is_applied, at);

        (self.next)(self);
        assert_eq!(
            readers::listed(&self.lake),
            self.after,
            "{at}: after the next command"
        );
        let n = self.n_commits();
        if self.commits {
            assert_eq!(n, self.n_commits_before + 1, "{at}: exactly one commit");
        }
        assert!(n == 0 || self.is_applied(n), "{at}: commit {n} is not applied");
        self.nothing_is_new(at);

        self.sweep();
        let left: Vec<_> = files_below(&self.lake.path("out"))
            .into_iter()
            .filter(|path| path.file_name().unwrap().to_string_lossy().starts_with(".tmp-"))
            .collect();
        assert!(left.is_empty(), "{at}: {left:?} left by the sweep");
        let staging = self.lake.path("out/_skewer/clicks/staging");
        assert!(
            !staging.exists(),
            "{at}: {:?} left by the sweep",
            files_below(&staging)
        );
        assert_eq!(readers::listed(&self.lake), self.after, "{at}: after the sweep");
        let rejects = self.rejects();
        let once: BTreeSet<&String> = rejects.iter().collect();
        assert_eq!(once.len(), rejects.len(), "{at}: {rejects:?} in quarantine");
        assert_eq!(rejects.len(), self.n_bad, "{at}: {rejects:?} in quarantine");
        self.nothing_is_new(at);
    }

    /// Place of every reject in quarantine.
    pub fn rejects(&self) -> Vec<String> {
        let files = files_below(&self.lake.path("out/_skewer/clicks/quarantine"));
        let texts: Vec<String> = files
            .into_iter()
            .map(|path| fs::read_to_string(path).unwrap())
            .collect();
        let lines = texts.iter().flat_map(|text| text.lines());
        lines
            .map(|line| {
                let reject: Value = serde_json::from_str(line).unwrap();
                format!("{}:{}", reject["source"]["uri"], reject["line"])
            })
            .collect()
    }

    fn nothing_is_new(&self, at: &str) {
        let report = self.lake.run(DAY);
        let day = &report.partitions[0];
        let message = day.message.as_deref().unwrap_or_default();
        assert_eq!(day.status, Status::AlreadyCommitted, "{at}: {report:?}");
        assert!(message.contains("nothing new"), "{at}: {message}");
    }

    pub fn sweep(&self) {
        let options = GcOptions {
            older_than: Duration::ZERO,
            is_dry_run: false,
            run: RunOptions::default(),
        };
        block_on(gc(&self.lake.job(), &options, &Cancel::new())).unwrap();
    }
}

fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    for entry in fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        let to = to.join(entry.file_name());
        if entry.path().is_dir() {
            copy(&entry.path(), &to);
        } else {
            fs::copy(entry.path(), to).unwrap();
        }
    }
}

fn is_done(report: &RunReport) {
    check_books(report);
    assert_eq!(report.exit_code, 0, "{report:?}");
}

fn next_run(scene: &Scene) {
    is_done(&scene.lake.run(DAY));
}

fn next_compaction(scene: &Scene) {
    let params = Params::parse(&[("day", DAY)]).unwrap();
    let (job, options) = (scene.lake.job(), RunOptions::default());
    let (progress, cancel) = (Progress::new(), Cancel::new());
    is_done(&block_on(compact(&job, &params, &options, &progress, &cancel)).unwrap());
}

fn next_replay(scene: &Scene) {
    let params = Params::parse(&[("day", DAY)]).unwrap();
    let (job, options) = (scene.lake.job(), ReplayOptions::default());
    let (progress, cancel) = (Progress::new(), Cancel::new());
    is_done(&block_on(replay(&job, &params, &options, &progress, &cancel)).unwrap());
}

/// A replacement that was made is only finished.
fn next_replacement(scene: &Scene) {
    if scene.n_commits() == scene.n_commits_before {
        is_done(&scene.lake.replace(DAY));
    } else {
        is_done(&scene.lake.run(DAY));
    }
}

fn plan_day(lake: &Lake) -> String {
    let params = Params::parse(&[("day", DAY)]).unwrap();
    let options = PlanOptions {
        n_tasks: Some(2),
        run: RunOptions::default(),
    };
    let (job, progress, cancel) = (lake.job(), Progress::new(), Cancel::new());
    let planned = block_on(plan(&job, &params, &options, &progress, &cancel)).unwrap();
    assert_eq!(planned.tasks.len(), 2);
    planned.plan_id
}

fn do_task(lake: &Lake, plan_id: &str, index: usize) {
    let options = RunOptions::default();
    let (job, progress, cancel) = (lake.job(), Progress::new(), Cancel::new());
    block_on(task(&job, plan_id, index, &options, &progress, &cancel)).unwrap();
}

fn finish_plan(lake: &Lake, plan_id: &str) {
    for index in 0..2 {
        do_task(lake, plan_id, index);
    }
    let (job, options) = (lake.job(), RunOptions::default());
    let (progress, cancel) = (Progress::new(), Cancel::new());
    is_done(&block_on(commit(&job, plan_id, &options, &progress, &cancel)).unwrap());
}

fn next_plan(scene: &Scene) {
    finish_plan(&scene.lake, &plan_day(&scene.lake));
}

fn same_plan(scene: &Scene) {
    let at = scene.args.iter().position(|arg| arg == "--plan").unwrap();
    finish_plan(&scene.lake, &scene.args[at + 1]);
}

/// A day of three files in three parts, with a spec of its own.
fn lake_with(sink: &str, steps: &str) -> Lake {
    let mut lake = Lake::new();
    "rows_per_file: 4".clone_into(&mut lake.parquet);
    // A supervisor would start a worker again that dies, and the next command is to do that.
    "isolation: none".clone_into(&mut lake.limits);
    sink.clone_into(&mut lake.sink);
    steps.clone_into(&mut lake.steps);
    for (name, ids) in [("a", 0..4), ("b", 4..8), ("c", 8..12)] {
        lake.raw(&format!("2020/01/02/{name}.jsonl"), lines(ids));
    }
    lake
}

fn committed(sink: &str, steps: &str) -> Lake {
    let lake = lake_with(sink, steps);
    is_done(&lake.run(DAY));
    lake
}

fn with_new_files(lake: Lake) -> Lake {
    lake.raw("2020/01/02/d.jsonl", format!("{}bad\n", lines(12..18)));
    lake.raw("2020/01/02/e.jsonl", lines(18..20));
    lake
}

/// File `b` has other rows, and there is a new one.
fn with_a_changed_file(lake: Lake) -> Lake {
    lake.raw("2020/01/02/b.jsonl", lines(100..103));
    lake.raw("2020/01/02/d.jsonl", format!("{}bad\n", lines(12..13)));
    lake
}

/// Two records of the day are in quarantine, for which the spec was mended since.
fn with_mended_records(sink: &str) -> Lake {
    let mut lake = lake_with(sink, "");
    let mixed = "{\"id\": 12, \"word\": 7}\n{\"id\": oops}\n{\"id\": 13, \"word\": \"x\"}\n{\"id\": 14, \"word\": 8}\n";
    lake.raw("2020/01/02/d.jsonl", mixed);
    is_done(&lake.run(DAY));
    "type: string, accept: [string, number]".clone_into(&mut lake.word);
    lake
}

fn after_the_change() -> Vec<i64> {
    (0..4).chain(8..13).chain(100..103).collect()
}

/// The scenes by name.
pub mod scenes {
    use std::fs;

    use super::{
        Reader, Scene, after_the_change, committed, do_task, files_below, is_done, lake_with, lines,
        next_compaction, next_plan, next_replacement, next_replay, next_run, plan_day, same_plan,
        with_a_changed_file, with_mended_records, with_new_files,
    };
    use crate::run::DAY;

    pub fn all() -> Vec<Scene> {
        vec![
            first_run(),
            new_files(),
            changed_file(),
            one_object(),
            manifest(),
            whole_day(),
            compaction(),
            replacement(),
            replay(),
            replay_into_one_object(),
            plan(),
            task(),
            commit_of_tasks(),
            sweep(),
        ]
    }

    pub fn first_run() -> Scene {
        let lake = lake_with("", "");
        Scene::of_day("first run", lake, "run", (0..12).collect(), next_run)
    }

    pub fn new_files() -> Scene {
        let lake = with_new_files(committed("", ""));
        Scene::of_day("new files", lake, "run", (0..20).collect(), next_run).with_rejects(1)
    }

    pub fn changed_file() -> Scene {
        let lake = with_a_changed_file(committed("", ""));
        let scene = Scene::of_day("changed file", lake, "run", after_the_change(), next_run);
        scene.seen_by(Reader::Rewrite).with_rejects(1)
    }

    pub fn one_object() -> Scene {
        let lake = with_a_changed_file(committed("  layout: single", ""));
        let scene = Scene::of_day("one object", lake, "run", after_the_change(), next_run);
        scene.seen_by(Reader::Single).with_rejects(1)
    }

    pub fn manifest() -> Scene {
        let lake = with_a_changed_file(committed("  manifest: true", ""));
        let scene = Scene::of_day("manifest", lake, "run", after_the_change(), next_run);
        scene.seen_by(Reader::Manifest).with_rejects(1)
    }

    pub fn whole_day() -> Scene {
        let lake = committed("  manifest: true", "{dedupe: {columns: [id]}}");
        lake.raw("2020/01/02/d.jsonl", lines(6..15));
        let scene = Scene::of_day("whole day", lake, "run", (0..15).collect(), next_run);
        scene.seen_by(Reader::Manifest)
    }

    pub fn compaction() -> Scene {
        let lake = lake_with("  manifest: true", "");
        for (name, ids) in [("d", 12..13), ("e", 13..14), ("f", 14..15)] {
            is_done(&lake.run(DAY));
            lake.raw(&format!("2020/01/02/{name}.jsonl"), lines(ids));
        }
        is_done(&lake.run(DAY));
        let scene = Scene::of_day("compaction", lake, "compact", (0..15).collect(), next_compaction);
        scene.seen_by(Reader::Manifest)
    }

    pub fn replacement() -> Scene {
        let lake = committed("  manifest: true", "");
        fs::remove_file(lake.path("raw/2020/01/02/c.jsonl")).unwrap();
        let after = (0..8).collect();
        let scene = Scene::of_day("replacement", lake, "run --replace", after, next_replacement);
        scene.seen_by(Reader::Manifest)
    }

    pub fn replay() -> Scene {
        let lake = with_mended_records("  manifest: true");
        let scene = Scene::of_day("replay", lake, "replay", (0..15).collect(), next_replay);
        scene.seen_by(Reader::Manifest).with_rejects(3)
    }

    pub fn replay_into_one_object() -> Scene {
        let lake = with_mended_records("  layout: single");
        let after = (0..15).collect();
        let scene = Scene::of_day("replay into one object", lake, "replay", after, next_replay);
        scene.seen_by(Reader::Single).with_rejects(3)
    }

    pub fn plan() -> Scene {
        let lake = with_a_changed_file(committed("  manifest: true", ""));
        let scene = Scene::of_day("plan", lake, "plan --tasks 2", after_the_change(), next_plan);
        scene.seen_by(Reader::Manifest).with_rejects(1)
    }

    pub fn task() -> Scene {
        let lake = with_a_changed_file(committed("  manifest: true", ""));
        let plan_id = plan_day(&lake);
        do_task(&lake, &plan_id, 1);
        let args = ["task", "--plan", &plan_id, "--index", "0"];
        let scene = Scene::new("task", lake, &args, after_the_change(), same_plan);
        scene.seen_by(Reader::Manifest).with_rejects(1)
    }

    pub fn commit_of_tasks() -> Scene {
        let lake = with_a_changed_file(committed("  manifest: true", ""));
        let plan_id = plan_day(&lake);
        for index in 0..2 {
            do_task(&lake, &plan_id, index);
        }
        let args = ["commit", "--plan", &plan_id];
        let scene = Scene::new("commit of tasks", lake, &args, after_the_change(), same_plan);
        scene.seen_by(Reader::Manifest).with_rejects(1)
    }

    /// A sweep beside what a run left that died before its commit, and one that died after it.
    pub fn sweep() -> Scene {
        let lake = with_a_changed_file(committed("  manifest: true", ""));
        fs::write(lake.path("job.yaml"), lake.spec()).unwrap();
        let run = Scene::of_day("left behind", lake, "run", after_the_change(), next_run);
        let mut n = 1;
        let mut die = |is_enough: &dyn Fn(&Scene) -> bool| {
            while !is_enough(&run) {
                n += 1;
                let mut command = run.command();
                command.env("SKEWER_DEBUG_DIE_AT", n.to_string());
                assert!(!command.output().unwrap().status.success());
            }
        };
        let staged = |scene: &Scene| files_below(&scene.lake.path("out/_skewer/clicks/staging")).len();
        die(&|scene| staged(scene) >= 2);
        die(&|scene| scene.n_commits() > scene.n_commits_before);
        assert!(staged(&run) >= 2);
        let (before, lake) = (run.before.clone(), run.lake);
        let scene = Scene::new(
            "sweep",
            lake,
            &["gc", "--older-than", "0"],
            after_the_change(),
            next_run,
        );
        Scene {
            before,
            commits: false,
            n_bad: 1,
            reader: Reader::Manifest,
            ..scene
        }
    }
}

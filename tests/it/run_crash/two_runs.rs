//! Two processes on one day at once: one commits, the other publishes nothing and says who was first.

use std::fs;
use std::io::Read as _;
use std::process::{Child, Command, Output, Stdio};

use serde_json::Value;
use skewer::run::exit;

use super::readers;
use super::scene::{Scene, scenes};
use crate::run::files_below;

fn pipe(path: &std::path::Path) {
    let made = Command::new("mkfifo").arg(path).status().unwrap();
    assert!(made.success());
}

fn start(command: &mut Command) -> Child {
    let command = command
        .arg("--json")
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    command.spawn().unwrap()
}

fn report(output: &Output) -> Value {
    serde_json::from_slice(&output.stdout)
        .unwrap_or_else(|_| panic!("{}", String::from_utf8_lossy(&output.stderr)))
}

/// The scene's command is held right before its commit record, until `meanwhile` has happened.
fn held(scene: &Scene, meanwhile: impl FnOnce()) -> Output {
    scene.reset();
    let pipes = tempfile::tempdir().unwrap();
    let (reached, go) = (pipes.path().join("reached"), pipes.path().join("go"));
    pipe(&reached);
    pipe(&go);
    let held = start(scene.command().env("SKEWER_DEBUG_HOLD", pipes.path()));
    // Ends when it has opened its end and gone on to wait.
    fs::File::open(&reached)
        .unwrap()
        .read_to_end(&mut Vec::new())
        .unwrap();
    assert_eq!(
        readers::listed(&scene.lake),
        scene.before,
        "{}: nothing is published",
        scene.name
    );
    meanwhile();
    drop(fs::File::options().write(true).open(&go).unwrap());
    held.wait_with_output().unwrap()
}

/// The first is held right before its commit record, until the second has committed.
fn the_second_overtakes(scene: &Scene) {
    let mut winner = String::new();
    let first = held(scene, || {
        let second = start(&mut scene.command()).wait_with_output().unwrap();
        assert!(second.status.success(), "{}: {:?}", scene.name, report(&second));
        report(&second)["run_id"]
            .as_str()
            .unwrap()
            .clone_into(&mut winner);
    });
    let lost = report(&first);
    let message = lost["partitions"][0]["message"].as_str().unwrap();
    assert_eq!(
        first.status.code(),
        Some(exit::TRY_AGAIN),
        "{}: {message}",
        scene.name
    );
    assert!(
        message.contains(&winner),
        "{}: {message} does not name {winner}",
        scene.name
    );
    assert_eq!(lost["partitions"][0]["parts"].as_array().map(Vec::len), Some(0));
    assert_eq!(lost["partitions"][0]["quarantine"]["uri"], Value::Null);
    assert_eq!(readers::listed(&scene.lake), scene.after, "{}", scene.name);
    assert_eq!(
        scene.rejects().len(),
        scene.n_bad,
        "{}: those of the winner",
        scene.name
    );
    let staging = scene.lake.path("out/_skewer/clicks/staging");
    assert!(!staging.exists(), "{}: {:?}", scene.name, files_below(&staging));
    scene.check(&format!("{}, two at once", scene.name));
}

#[test]
fn a_run_that_a_sweep_overtakes_commits_nothing_and_leaves_no_rejects() {
    let scene = scenes::new_files();
    let swept = held(&scene, || {
        assert_eq!(scene.rejects().len(), 1, "they are readable before the commit");
        scene.sweep();
        assert_eq!(scene.rejects().len(), 0);
    });
    assert_eq!(swept.status.code(), Some(exit::TRY_AGAIN), "{:?}", report(&swept));
    let said = report(&swept);
    let message = said["partitions"][0]["message"].as_str().unwrap();
    assert!(message.starts_with("`skewer gc` swept this day"), "{message}");
    assert_eq!(readers::listed(&scene.lake), scene.before);
    assert_eq!(scene.rejects(), Vec::<String>::new());
    assert!(scene.command().output().unwrap().status.success());
    assert_eq!(
        (readers::listed(&scene.lake), scene.rejects().len()),
        (scene.after.clone(), 1)
    );
}

#[test]
fn a_run_that_is_overtaken_before_its_commit_says_by_whom_and_publishes_nothing() {
    for scene in [
        scenes::first_run(),
        scenes::new_files(),
        scenes::changed_file(),
        scenes::one_object(),
        scenes::manifest(),
        scenes::compaction(),
        scenes::replacement(),
    ] {
        for _ in 0..3 {
            the_second_overtakes(&scene);
        }
    }
}

#[test]
fn of_two_processes_that_race_one_commits_and_the_other_tries_again_or_finds_nothing_new() {
    for scene in [
        scenes::first_run(),
        scenes::new_files(),
        scenes::changed_file(),
        scenes::one_object(),
    ] {
        for _ in 0..5 {
            scene.reset();
            let (one, other) = (start(&mut scene.command()), start(&mut scene.command()));
            let outputs = [one.wait_with_output().unwrap(), other.wait_with_output().unwrap()];
            let mut statuses: Vec<String> = outputs
                .iter()
                .map(|output| {
                    let status = report(output)["partitions"][0]["status"]
                        .as_str()
                        .unwrap()
                        .to_owned();
                    format!("{status} {}", output.status.code().unwrap())
                })
                .collect();
            statuses.sort();
            let is_fair = statuses == ["committed 0", "failed 75"]
                || statuses == ["already_committed 0", "committed 0"];
            assert!(is_fair, "{}: {statuses:?} {outputs:?}", scene.name);
            assert_eq!(readers::listed(&scene.lake), scene.after, "{}", scene.name);
            scene.check(&format!("{}, after a race", scene.name));
        }
    }
}

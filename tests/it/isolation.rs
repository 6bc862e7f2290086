//! Files that kill the process that decodes them, and signals: what is left of a run of the real program.

use std::fs;
use std::io::Read as _;
use std::path::PathBuf;
use std::process::{Child, Command, Output, Stdio};
use std::sync::mpsc;
use std::time::{Duration, Instant};

use serde_json::Value;
use skewer::run::{RunReport, journal};

use crate::run::{DAY, Lake, check_books, files_below, gzip, lines};
use crate::run_s3::s3_spec;
use crate::s3_server::S3Server;

/// 20 files of 10 rows, and a job beside them.
fn lake() -> Lake {
    let lake = Lake::new();
    for file in 0..20 {
        lake.raw(
            &format!("2020/01/02/{file:02}.jsonl"),
            lines(file * 10..file * 10 + 10),
        );
    }
    lake
}

/// The program on the lake's job, with faults to order (see `src/run/fault.rs`) and a folder of its own for what is
/// temporary.
fn command(lake: &Lake, faults: &str) -> Command {
    fs::write(lake.path("job.yaml"), lake.spec()).unwrap();
    fs::create_dir_all(lake.path("tmp")).unwrap();
    let mut command = Command::new(env!("CARGO_BIN_EXE_skewer"));
    command
        .arg("run")
        .arg(lake.path("job.yaml"))
        .args(["--param", &format!("day={DAY}"), "--json"])
        .env("SKEWER_DEBUG_FAULT", faults)
        .env("TMPDIR", lake.path("tmp"))
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    command
}

fn stderr(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

fn report(output: &Output) -> RunReport {
    serde_json::from_slice(&output.stdout).unwrap_or_else(|error| panic!("{error}: {}", stderr(output)))
}

/// The run is done, without the rows of `lost` files, each of which is one reject for `reason`.
fn costs_those_files_alone(lake: &Lake, output: &Output, lost: &[&str], reason: &str) {
    assert_eq!(output.status.code(), Some(0), "{}", stderr(output));
    let report = report(output);
    check_books(&report);
    let day = &report.partitions[0];
    let n_lost = lost.len() as u64;
    assert_eq!(
        (
            day.rows_in,
            day.rows_out,
            day.rows_quarantined,
            day.n_files_failed
        ),
        (200 - 9 * n_lost, 200 - 10 * n_lost, n_lost, n_lost),
        "{day:?}"
    );
    let is_lost = |id: i64| lost.contains(&format!("{:02}.jsonl", id / 10).as_str());
    let expected: Vec<i64> = (0..200).filter(|id| !is_lost(*id)).collect();
    assert_eq!(lake.ids(DAY), expected);
    let rejects = Lake::quarantine(&report);
    for (reject, name) in rejects.iter().zip(lost) {
        assert_eq!(reject["reason_code"], reason, "{reject}");
        assert!(
            reject["source"]["uri"].as_str().unwrap().ends_with(name),
            "{reject}"
        );
        assert!(reject["source"]["etag"].is_string(), "{reject}");
    }
    assert_eq!(rejects.len(), lost.len());
    assert_eq!(files_below(&lake.path("out/_skewer/clicks/quarantine")).len(), 1);
    nothing_is_left(lake);
}

fn nothing_is_left(lake: &Lake) {
    assert!(!lake.path("out/_skewer/clicks/staging").exists());
    assert_eq!(files_below(&lake.path("tmp")), Vec::<PathBuf>::new());
}

#[test]
#[cfg(debug_assertions)]
fn a_file_that_aborts_the_decoder_costs_that_file_alone() {
    let lake = lake();
    let output = command(&lake, "abort:07.jsonl").output().unwrap();
    costs_those_files_alone(&lake, &output, &["07.jsonl"], "crash");
    let said = stderr(&output);
    assert!(said.contains("SIGABRT") && said.contains("07.jsonl"), "{said}");
}

#[test]
#[cfg(debug_assertions)]
fn several_files_that_overflow_the_stack_or_abort_are_all_found() {
    let lake = lake();
    let faults = "overflow:03.jsonl,abort:04.jsonl,abort:19.jsonl";
    let output = command(&lake, faults).output().unwrap();
    costs_those_files_alone(&lake, &output, &["03.jsonl", "04.jsonl", "19.jsonl"], "crash");
}

#[test]
#[cfg(debug_assertions)]
fn a_file_that_makes_the_decoder_panic_costs_that_file_alone_and_no_process() {
    let lake = lake();
    let output = command(&lake, "panic:11.jsonl").output().unwrap();
    costs_those_files_alone(&lake, &output, &["11.jsonl"], "decoder_panic");
    assert!(
        !stderr(&output).contains("ended the worker"),
        "{}",
        stderr(&output)
    );
}

#[test]
#[cfg(debug_assertions)]
fn a_streamed_file_that_aborts_is_found_too() {
    let mut lake = lake();
    lake.limits = "memory: 64MiB".to_owned();
    let long = format!("{}\n", " ".repeat(1 << 20)).repeat(20);
    lake.raw("2020/01/02/zz.jsonl", long);
    let output = command(&lake, "abort:zz.jsonl").output().unwrap();
    assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
    assert_eq!(lake.ids(DAY), (0..200).collect::<Vec<_>>());
    assert_eq!(Lake::quarantine(&report(&output))[0]["reason_code"], "crash");
}

#[test]
#[cfg(debug_assertions)]
fn a_crash_that_no_file_causes_alone_ends_the_run_with_the_files_named_and_nothing_published() {
    let lake = lake();
    let output = command(&lake, "abort_in_run:05.jsonl").output().unwrap();
    let said = stderr(&output);
    assert_eq!(output.status.code(), Some(1), "{said}");
    assert!(said.contains("05.jsonl") && said.contains("SIGABRT"), "{said}");
    assert_eq!(said.matches("starting the run again").count(), 1, "{said}");
    assert_eq!(files_below(&lake.path("out/clicks")), Vec::<PathBuf>::new());
}

#[test]
#[cfg(debug_assertions)]
fn files_that_crash_count_against_the_budget_like_other_broken_files() {
    let lake = lake();
    let spec = lake.spec().replace("files: {ratio: 1.0}", "files: {abs: 1}");
    let mut command = command(&lake, "abort:01.jsonl,abort:02.jsonl");
    fs::write(lake.path("job.yaml"), spec).unwrap();
    let output = command.output().unwrap();
    assert_eq!(output.status.code(), Some(10), "{}", stderr(&output));
    let message = report(&output).partitions[0].message.clone().unwrap();
    assert!(message.contains("2 crash"), "{message}");
    assert_eq!(files_below(&lake.path("out/clicks")), Vec::<PathBuf>::new());
}

#[test]
#[cfg(debug_assertions)]
fn without_isolation_there_is_one_process_and_a_crash_is_its_end() {
    let mut lake = lake();
    lake.limits = "isolation: none".to_owned();
    let output = command(&lake, "abort:07.jsonl").output().unwrap();
    assert_eq!(output.status.code(), None, "{}", stderr(&output));
    let output = command(&lake, "").output().unwrap();
    assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
    assert_eq!(files_below(&lake.path("tmp")), Vec::<PathBuf>::new());
}

/// Starts a run whose worker stands still in a file, and waits until it does.
#[cfg(debug_assertions)]
fn hanging(lake: &Lake) -> Child {
    let child = command(lake, "hang:07.jsonl").spawn().unwrap();
    let stands_still = || {
        let folders = fs::read_dir(lake.path("tmp")).unwrap();
        folders.flatten().any(|folder| {
            let suspects = journal::suspects(&folder.path()).unwrap_or_default();
            suspects.iter().any(|suspect| suspect.key.ends_with("07.jsonl"))
        })
    };
    let deadline = Instant::now() + Duration::from_mins(1);
    while !stands_still() {
        assert!(Instant::now() < deadline, "the worker does not start");
        std::thread::yield_now();
    }
    child
}

fn terminate(child: &Child) {
    let told = Command::new("kill")
        .args(["-TERM", &child.id().to_string()])
        .status();
    assert!(told.unwrap().success());
}

#[test]
#[cfg(debug_assertions)]
fn a_worker_does_not_outlive_its_killed_supervisor() {
    let lake = lake();
    let mut child = hanging(&lake);
    child.kill().unwrap();
    child.wait().unwrap();
    // The worker holds the other end of this pipe as long as it lives.
    let mut stderr = child.stderr.take().unwrap();
    let (told, ended) = mpsc::channel();
    std::thread::spawn(move || {
        let mut said = String::new();
        drop(told.send(stderr.read_to_string(&mut said)));
    });
    ended
        .recv_timeout(Duration::from_secs(10))
        .expect("the worker lives on")
        .unwrap();
    assert_eq!(files_below(&lake.path("tmp")), Vec::<PathBuf>::new());
    assert_eq!(files_below(&lake.path("out/clicks")), Vec::<PathBuf>::new());
    let output = command(&lake, "").output().unwrap();
    assert_eq!(output.status.code(), Some(0), "{}", self::stderr(&output));
}

#[test]
#[cfg(debug_assertions)]
fn a_run_that_stands_still_in_a_file_ends_within_twenty_seconds_of_a_signal() {
    let lake = lake();
    let child = hanging(&lake);
    let told = Instant::now();
    terminate(&child);
    let output = child.wait_with_output().unwrap();
    assert_eq!(output.status.code(), Some(143), "{}", stderr(&output));
    assert!(told.elapsed() < Duration::from_secs(20), "{:?}", told.elapsed());
    assert_eq!(files_below(&lake.path("out/clicks")), Vec::<PathBuf>::new());
}

#[test]
fn a_run_that_waits_for_a_silent_server_ends_soon_after_a_signal_and_leaves_no_upload() {
    let server = S3Server::start();
    let bucket = server.bucket("lake");
    let raw = bucket.join("raw/2020/01/02");
    fs::create_dir_all(&raw).unwrap();
    for file in 0..3 {
        fs::write(raw.join(format!("{file}.jsonl")), lines(0..20)).unwrap();
    }
    server.faults(|faults| faults.silent = vec!["GetObject"]);
    let lake = Lake::new();
    let mut command = command(&lake, "");
    fs::write(lake.path("job.yaml"), s3_spec(&server, "{abs: 0}")).unwrap();
    let child = command
        .env("AWS_ACCESS_KEY_ID", &server.access_key)
        .env("AWS_SECRET_ACCESS_KEY", &server.secret_key)
        .env_remove("AWS_PROFILE")
        .env_remove("AWS_SESSION_TOKEN")
        .spawn()
        .unwrap();
    let count = |name: &str| server.faults(|faults| faults.asked.iter().filter(|op| *op == name).count());
    let deadline = Instant::now() + Duration::from_mins(1);
    while count("GetObject") < 3 {
        assert!(Instant::now() < deadline, "the worker does not start");
        std::thread::yield_now();
    }
    let told = Instant::now();
    terminate(&child);
    let output = child.wait_with_output().unwrap();
    assert_eq!(output.status.code(), Some(143), "{}", stderr(&output));
    assert!(told.elapsed() < Duration::from_secs(10), "{:?}", told.elapsed());
    assert_eq!(report(&output).exit_code, 143, "the JSON names the signal too");
    assert_eq!(report(&output).partitions[0].rows_out, 0);
    assert_eq!(files_below(&bucket.join("out/clicks")), Vec::<PathBuf>::new());
    assert_eq!(count("CreateMultipartUpload"), count("AbortMultipartUpload"));
    assert_eq!(files_below(&lake.path("tmp")), Vec::<PathBuf>::new());
}

#[test]
fn a_bomb_and_a_day_that_takes_too_long_are_told_as_what_they_are() {
    let mut lake = lake();
    let blank = gzip(&format!("{}\n", " ".repeat(1 << 20)));
    let mut bomb = gzip(&lines(200..203));
    bomb.extend(blank.repeat(80));
    lake.raw("2020/01/02/zz.jsonl.gz", bomb);
    let output = command(&lake, "").output().unwrap();
    assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
    let done = report(&output);
    check_books(&done);
    assert_eq!(lake.ids(DAY), (0..203).collect::<Vec<_>>());
    let rejects = Lake::quarantine(&done);
    assert_eq!(rejects.len(), 1);
    assert_eq!(rejects[0]["reason_code"], "expansion_too_large");

    fs::remove_dir_all(lake.path("out")).unwrap();
    lake.limits = "day_timeout: 1ms".to_owned();
    let output = command(&lake, "").output().unwrap();
    assert_eq!(output.status.code(), Some(75), "{}", stderr(&output));
    let answer: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(answer["partitions"][0]["status"], "failed");
    let message = answer["partitions"][0]["message"].as_str().unwrap();
    assert!(message.contains("day_timeout"), "{message}");
    assert_eq!(files_below(&lake.path("out/clicks")), Vec::<PathBuf>::new());
    nothing_is_left(&lake);
}

//! Event logs and reports of runs on S3: the figures of the same files on disk, also when bodies break on the way; what is
//! not there, not allowed or stalled says so.

use std::path::Path;
use std::process::{Command, Output};
use std::time::{Duration, Instant};

use serde_json::Value;
use skewer::base::{Cancel, Progress};
use skewer::explore::{RunLog, RunLogError, open_run_log, read_run_log};
use skewer::profile::events::{ApplicationProfile, EventsError};
use skewer::storage::{Connection, Location, StorageError};

use crate::listing::open;
use crate::run::block_on;
use crate::s3_memory::{Fault, MemoryS3, Op, Refusal, Rule, SECRET};

const LOGS: &str = "tests/it/eventlog";
const NAME: &str = "app-20261120215001-0000";

/// The real log, unpacked.
fn plain() -> Vec<u8> {
    let part = |n: u32| {
        let packed = std::fs::read(format!("{LOGS}/eventlog_v2_{NAME}/events_{n}_{NAME}.zstd")).unwrap();
        zstd::decode_all(packed.as_slice()).unwrap()
    };
    [part(1), part(2)].concat()
}

/// A bucket with the log in each of its forms.
fn server() -> MemoryS3 {
    let server = MemoryS3::start();
    let text = plain();
    let put = |key: &str, body: Vec<u8>| server.put("lake", &format!("logs/{key}"), body);
    put(&format!("plain/{NAME}"), text.clone());
    put(
        &format!("packed/{NAME}.zstd"),
        zstd::encode_all(text.as_slice(), 3).unwrap(),
    );
    put(
        &format!("packed/{NAME}.lz4"),
        std::fs::read(format!("{LOGS}/{NAME}.lz4")).unwrap(),
    );
    for n in [1, 2] {
        let file = format!("eventlog_v2_{NAME}/events_{n}_{NAME}.zstd");
        put(&file, std::fs::read(format!("{LOGS}/{file}")).unwrap());
    }
    put(&format!("eventlog_v2_{NAME}/appstatus_{NAME}"), Vec::new());
    server
}

fn read(server: &MemoryS3, place: &str) -> Result<RunLog, RunLogError> {
    block_on(async {
        let store = open(server, place).await;
        read_run_log(&store, &Progress::new(), &Cancel::new()).await
    })
}

#[track_caller]
fn profile(log: Result<RunLog, RunLogError>) -> ApplicationProfile {
    match log.unwrap() {
        RunLog::Spark(run) => run.profile,
        RunLog::Own(run) => panic!("{run:?}"),
    }
}

/// Of a file on disk.
fn local(path: &Path) -> ApplicationProfile {
    let location = Location::Local(path.to_owned());
    let connection = Connection::default();
    let (progress, cancel) = (Progress::new(), Cancel::new());
    profile(block_on(open_run_log(&location, &connection, &progress, &cancel)))
}

#[test]
fn every_form_of_a_log_on_s3_gives_the_figures_of_the_files_on_disk() {
    let server = server();
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join(NAME);
    std::fs::write(&path, plain()).unwrap();
    let on_disk = local(&path);
    assert_eq!((on_disk.headline.n_tasks, on_disk.stages.len()), (35, 3));
    for place in [
        format!("plain/{NAME}"),
        format!("packed/{NAME}.zstd"),
        format!("packed/{NAME}.lz4"),
        format!("eventlog_v2_{NAME}"),
        format!("eventlog_v2_{NAME}/"),
    ] {
        let on_s3 = profile(read(&server, &format!("s3://lake/logs/{place}")));
        assert_eq!(on_s3.headline, on_disk.headline, "{place}");
        assert_eq!(on_s3.stages, on_disk.stages, "{place}");
        assert_eq!(on_s3.executor_totals, on_disk.executor_totals, "{place}");
        assert_eq!(on_s3.reading.n_lines, on_disk.reading.n_lines, "{place}");
        assert!(on_s3.reading.notes.is_empty() && on_s3.is_complete, "{place}");
    }
}

#[test]
fn a_log_that_is_still_written_is_read_as_far_as_it_goes_on_s3_too() {
    let server = server();
    let folder = tempfile::tempdir().unwrap();
    let text = plain();
    let cut = &text[..text.len() - 200];
    let packed = zstd::encode_all(text.as_slice(), 3).unwrap();
    let packed = &packed[..packed.len() * 3 / 4];
    for (name, body) in [("app-1.inprogress", cut), ("app-2.zstd.inprogress", packed)] {
        let path = folder.path().join(name);
        std::fs::write(&path, body).unwrap();
        server.put("lake", &format!("logs/{name}"), body.to_vec());
        let on_disk = local(&path);
        let on_s3 = profile(read(&server, &format!("s3://lake/logs/{name}")));
        assert_eq!(on_s3.headline, on_disk.headline, "{name}");
        assert_eq!(on_s3.stages, on_disk.stages, "{name}");
        assert!(!on_s3.is_complete, "{name}");
        assert_eq!(on_s3.reading.n_unreadable, on_disk.reading.n_unreadable, "{name}");
        let notes = on_s3.reading.notes.join("; ");
        assert!(notes.contains("does not end with the application"), "{notes}");
        assert_eq!(
            name.contains("zstd"),
            notes.contains("s3://lake/logs/app-2.zstd.inprogress ends within compressed data"),
            "{notes}"
        );
    }
}

#[test]
fn a_body_that_breaks_in_its_middle_is_read_on_from_there() {
    let server = server();
    let whole = profile(read(&server, &format!("s3://lake/logs/plain/{NAME}")));
    for cut_at in [1, 100_000, 300_000] {
        // The first request is for the beginning, to see what it is.
        server.order(
            Rule::on(Op::GetObject, Fault::CutBody(cut_at))
                .at("plain")
                .after(1),
        );
        server.reset_tally();
        let on_s3 = profile(read(&server, &format!("s3://lake/logs/plain/{NAME}")));
        assert_eq!(on_s3, whole, "cut after {cut_at} bytes");
        let n_asked = server.tally().n(Op::GetObject);
        assert!(n_asked >= 3, "{n_asked} requests: nothing broke");
        assert_eq!(server.script(|script| script.n_left()), Some(0));
    }
}

#[test]
fn a_body_that_never_comes_is_an_error_with_its_place_and_no_log_that_ends_early() {
    let server = server();
    let reset = Rule::on(Op::GetObject, Fault::Reset);
    server.order(reset.at("plain").after(1).always());
    let error = read(&server, &format!("s3://lake/logs/plain/{NAME}")).unwrap_err();
    let text = error.to_string();
    assert!(
        matches!(&error, RunLogError::Events(EventsError::Read { .. })),
        "{error:?}"
    );
    assert_eq!(text.matches("s3://lake/logs/plain/").count(), 1, "{text}");
    assert!(text.contains(&server.endpoint), "{text}");
}

#[test]
fn what_is_not_there_or_not_allowed_says_where_and_what_helps() {
    let server = server();
    let check = |place: &str, words: &[&str]| {
        let error = read(&server, place).unwrap_err();
        let text = error.to_string();
        for word in words {
            assert!(text.contains(word), "{place}: {text}");
        }
        error
    };
    let missing = check(
        "s3://lake/logs/nothing",
        &["s3://lake/logs/nothing: not found", "spelling"],
    );
    assert!(
        matches!(missing, RunLogError::Storage(StorageError::NotFound { .. })),
        "{missing:?}"
    );
    check(
        "s3://lake/logs/packed/",
        &["s3://lake/logs/packed", "several logs", ".lz4", ".zstd"],
    );
    server.put("lake", "raw/a.jsonl", "{\"a\":1}\n");
    check(
        "s3://lake/raw/a.jsonl",
        &["s3://lake/raw/a.jsonl: its only line is no Spark event"],
    );
    check("s3://absent/logs/a/", &["no bucket `absent`"]);
    server.order(Rule::on(Op::ListObjects, Fault::Refuse(Refusal::DENIED)).always());
    let denied = check(&format!("s3://lake/logs/eventlog_v2_{NAME}/"), &["s3:ListBucket"]);
    assert!(
        matches!(denied, RunLogError::Storage(StorageError::Denied { .. })),
        "{denied:?}"
    );
}

#[test]
fn a_reading_that_waits_for_a_silent_server_ends_soon_after_a_cancel() {
    let server = server();
    server.order(
        Rule::on(Op::GetObject, Fault::StallBody(50_000))
            .at("plain")
            .after(1)
            .always(),
    );
    let cancel = Cancel::new();
    let progress = Progress::new();
    let (ended, told) = block_on(async {
        let location: Location = format!("s3://lake/logs/plain/{NAME}").parse().unwrap();
        // The patience of the window, which would wait for half a minute.
        let options = MemoryS3::options("client-a", skewer::storage::Patience::default());
        let store = skewer::storage::Store::open_with(&location, &server.connection(), &options)
            .await
            .unwrap();
        let reading = tokio::spawn({
            let (progress, cancel) = (progress.clone(), cancel.clone());
            async move { read_run_log(&store, &progress, &cancel).await }
        });
        let deadline = Instant::now() + Duration::from_secs(30);
        while progress.view().n_bytes < 10_000 {
            assert!(Instant::now() < deadline, "no bytes came");
            tokio::task::yield_now().await;
        }
        let told = Instant::now();
        cancel.cancel();
        (reading.await.unwrap(), told)
    });
    assert!(told.elapsed() < Duration::from_secs(5), "{:?}", told.elapsed());
    // What came is less than is looked at together, so there is nothing to tell.
    assert!(
        matches!(&ended, Err(RunLogError::Events(EventsError::Cancelled(_)))),
        "{ended:?}"
    );
}

#[test]
fn a_report_on_s3_is_known_by_its_kind_also_in_the_folder_of_its_run() {
    let server = MemoryS3::start();
    let text = r#"{"apiVersion":"skewer/v1","kind":"RunReport","run_id":"r","job":"j","status":"done","partitions":[]}"#;
    server.put("lake", "_skewer/t/runs/r/report.json", text);
    server.put("lake", "_skewer/t/commit.json", "{}");
    for place in ["s3://lake/_skewer/t/runs/r/report.json", "s3://lake/_skewer/t/"] {
        let RunLog::Own(run) = read(&server, place).unwrap() else {
            panic!("{place}")
        };
        assert_eq!(run.job, "j", "{place}");
    }
}

fn skewer(server: &MemoryS3, args: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_skewer"))
        .arg("eventlog")
        .args(args)
        .args([
            "--endpoint",
            &server.endpoint,
            "--path-style",
            "--region",
            "us-east-1",
        ])
        .env("AWS_ACCESS_KEY_ID", "client-a")
        .env("AWS_SECRET_ACCESS_KEY", SECRET)
        .env_remove("AWS_PROFILE")
        .env_remove("AWS_SESSION_TOKEN")
        .output()
        .unwrap()
}

#[test]
fn the_command_compares_a_log_on_s3_with_one_on_disk_and_its_exit_codes_tell_what_is_wrong() {
    let server = server();
    let folder = tempfile::tempdir().unwrap();
    let text = String::from_utf8(plain()).unwrap();
    let before = folder.path().join(NAME);
    let other = text.replace(
        "\"spark.sql.shuffle.partitions\":\"24\"",
        "\"spark.sql.shuffle.partitions\":\"7\"",
    );
    assert_ne!(text, other, "the log does not set its shuffle partitions");
    std::fs::write(&before, other).unwrap();
    let place = format!("s3://lake/logs/eventlog_v2_{NAME}");
    let against = ["--against", before.to_str().unwrap()];
    let output = skewer(&server, &[&[place.as_str(), "--json"][..], &against[..]].concat());
    assert!(
        output.status.success(),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
    let answer: Value = serde_json::from_slice(&output.stdout).unwrap();
    let comparison = &answer["comparison"];
    assert_eq!(comparison["stages"].as_array().unwrap().len(), 3);
    assert_eq!(
        comparison["configuration"][0],
        serde_json::json!({"name": "spark.sql.shuffle.partitions", "before": "7", "after": "24"})
    );
    let told = skewer(&server, &[&[place.as_str()][..], &against[..]].concat());
    let told = String::from_utf8(told.stdout).unwrap();
    assert!(
        told.contains("against the log of before") && told.contains("spark.sql.shuffle.partitions  7"),
        "{told}"
    );
    let missing = skewer(&server, &["s3://lake/logs/nothing"]);
    assert_eq!(missing.status.code(), Some(78), "{missing:?}");
    server.order(Rule::on(Op::GetObject, Fault::Refuse(Refusal::SLOW_DOWN)).always());
    let busy = skewer(&server, &[&place]);
    assert_eq!(busy.status.code(), Some(75), "{busy:?}");
}

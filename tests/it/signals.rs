//! Ctrl-C and SIGTERM to the real program: the codes it ends with, and that a second signal does not wait for anything.

use std::fs;
use std::io::{Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::path::Path;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::mpsc;
use std::time::{Duration, Instant};

fn start(arguments: &[&str]) -> Child {
    Command::new(env!("CARGO_BIN_EXE_skewer"))
        .args(arguments)
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap()
}

fn send(child: &Child, signal: &str) {
    let told = Command::new("kill")
        .args([signal, &child.id().to_string()])
        .status();
    assert!(told.unwrap().success());
}

/// Waits for the end, but not for ever.
#[track_caller]
fn end_of(child: &mut Child, mut meanwhile: impl FnMut(&Child)) -> ExitStatus {
    let deadline = Instant::now() + Duration::from_mins(1);
    loop {
        if let Some(status) = child.try_wait().unwrap() {
            return status;
        }
        if Instant::now() > deadline {
            child.kill().unwrap();
            panic!("it does not end");
        }
        meanwhile(child);
        std::thread::park_timeout(Duration::from_millis(5));
    }
}

fn said(child: &mut Child) -> (String, String) {
    let (mut out, mut err) = (String::new(), String::new());
    child.stdout.take().unwrap().read_to_string(&mut out).unwrap();
    child.stderr.take().unwrap().read_to_string(&mut err).unwrap();
    (out, err)
}

/// Starts a command on a server that takes a connection and never answers, and waits until it has asked.
fn asking_a_silent_server(command: &[&str]) -> (Child, TcpStream) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let endpoint = format!("http://{}", listener.local_addr().unwrap());
    let connection = [
        "--endpoint",
        &endpoint,
        "--path-style",
        "--no-sign-request",
        "--region",
        "us-east-1",
    ];
    let child = start(&[command, &connection].concat());
    let (mut asked, _) = listener.accept().unwrap();
    assert!(asked.read(&mut [0; 64]).unwrap() > 0);
    (child, asked)
}

#[test]
fn a_signal_while_a_place_opens_ends_it_with_the_code_of_that_signal() {
    let place = "s3://bucket/lake/";
    for command in [
        ["ls", place].as_slice(),
        &["skew", place],
        &["skew", place, "--by", "k"],
        &["profile", place],
        &["schema", place, "--map"],
        &["eventlog", "s3://bucket/log"],
        // Without a slash at the end, opening asks for the object first.
        &["profile", "s3://bucket/lake"],
    ] {
        for (signal, code) in [("-INT", 130), ("-TERM", 143)] {
            let (mut child, _held) = asking_a_silent_server(command);
            send(&child, signal);
            let status = end_of(&mut child, |_| {});
            let (out, err) = said(&mut child);
            assert_eq!(
                (status.code(), out.as_str()),
                (Some(code), ""),
                "{command:?}: {err}"
            );
            assert!(err.contains("cancelled"), "{command:?}: {err}");
        }
    }
}

/// Starts a command on a server that lists one file and says that there are more, and never sends those.
fn asking_a_server_that_stops_listing(command: &[&str]) -> (Child, mpsc::Receiver<TcpStream>) {
    const PAGE: &str = "<?xml version=\"1.0\"?><ListBucketResult><Name>bucket</Name><Prefix>lake/</Prefix><KeyCount>1</KeyCount>\
        <MaxKeys>1000</MaxKeys><IsTruncated>true</IsTruncated><NextContinuationToken>more</NextContinuationToken><Contents>\
        <Key>lake/dt=2020-01-01/a.jsonl</Key><LastModified>2020-01-02T00:00:00.000Z</LastModified><ETag>\"e\"</ETag>\
        <Size>10</Size><StorageClass>STANDARD</StorageClass></Contents></ListBucketResult>";
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let endpoint = format!("http://{}", listener.local_addr().unwrap());
    // A stream that waits for its answer, once more was asked for.
    let (held, waiting) = mpsc::channel();
    std::thread::spawn(move || {
        for asked in listener.incoming() {
            let mut stream = asked.unwrap();
            let mut request = Vec::new();
            let mut part = [0; 4096];
            while let Ok(n @ 1..) = stream.read(&mut part) {
                request.extend_from_slice(&part[..n]);
                if !request.ends_with(b"\r\n\r\n") {
                    continue;
                }
                if String::from_utf8_lossy(&request).contains("continuation-token=more") {
                    break;
                }
                request.clear();
                let answer = "HTTP/1.1 200 OK\r\nContent-Type: application/xml\r\nConnection: close";
                write!(stream, "{answer}\r\nContent-Length: {}\r\n\r\n{PAGE}", PAGE.len()).unwrap();
            }
            if !request.is_empty() && held.send(stream).is_err() {
                return;
            }
        }
    });
    let connection = [
        "--endpoint",
        &endpoint,
        "--path-style",
        "--no-sign-request",
        "--region",
        "us-east-1",
    ];
    (start(&[command, &connection].concat()), waiting)
}

#[test]
fn a_signal_while_the_schema_map_lists_leaves_an_answer_that_says_it_is_partial() {
    for (signal, code) in [("-INT", 130), ("-TERM", 143)] {
        let command = ["schema", "s3://bucket/lake/", "--map", "--json"];
        let (mut child, waiting) = asking_a_server_that_stops_listing(&command);
        let _held = waiting.recv_timeout(Duration::from_mins(1)).unwrap();
        send(&child, signal);
        let status = end_of(&mut child, |_| {});
        let (out, err) = said(&mut child);
        assert_eq!(status.code(), Some(code), "{err}");
        let answer: serde_json::Value = serde_json::from_str(&out).unwrap();
        let partial = |n: u64| serde_json::json!({"kind": "partial", "n": n});
        assert_eq!(
            (&answer["listing"], &answer["accuracy"]),
            (&partial(1), &partial(0)),
            "{out}"
        );
        assert_eq!(answer["keys"], serde_json::json!([]));
    }
}

#[test]
fn a_signal_while_a_profile_lists_leaves_an_answer_that_says_what_is_left_out() {
    for (signal, code) in [("-INT", 130), ("-TERM", 143)] {
        let command = [
            "profile",
            "s3://bucket/lake/",
            "--against",
            "2020-01-02",
            "--json",
        ];
        let (mut child, waiting) = asking_a_server_that_stops_listing(&command);
        let _held = waiting.recv_timeout(Duration::from_mins(1)).unwrap();
        send(&child, signal);
        let status = end_of(&mut child, |_| {});
        let (out, err) = said(&mut child);
        assert_eq!(status.code(), Some(code), "{err}");
        let answer: serde_json::Value = serde_json::from_str(&out).unwrap();
        assert_eq!(
            answer["accuracy"],
            serde_json::json!({"kind": "partial", "n": 0}),
            "{out}"
        );
        let left_out = [
            "the columns (1 file listed, no row read)",
            "the comparison with 2020-01-02",
        ];
        assert_eq!(answer["left_out"], serde_json::json!(left_out));
        assert_eq!(answer["columns"], serde_json::json!([]));
    }
}

/// A pipe in the place of a file that is written in one go, and is longer than a pipe holds: the program stands still in it.
fn standing_still_in_a_pipe(folder: &Path) -> (Child, fs::File) {
    let pipe = folder.join("base.yaml");
    assert!(Command::new("mkfifo").arg(&pipe).status().unwrap().success());
    let columns: Vec<String> = (0..3000).map(|i| format!("\"column_{i}\":{i}")).collect();
    fs::write(folder.join("a.jsonl"), format!("{{{}}}\n", columns.join(","))).unwrap();
    let (data, pipe) = (folder.join("a.jsonl"), pipe.display().to_string());
    let child = start(&["profile", &data.display().to_string(), "--save-baseline", &pipe]);
    // Opening for reading waits until the program has opened it for writing.
    let mut reader = fs::File::open(pipe).unwrap();
    assert_eq!(reader.read(&mut [0; 1]).unwrap(), 1);
    (child, reader)
}

#[test]
fn a_second_signal_ends_a_process_that_stands_still_at_once() {
    let folder = tempfile::tempdir().unwrap();
    let (mut child, _reader) = standing_still_in_a_pipe(folder.path());
    // Signals that come together count as one, so they are sent until the process has gone.
    let mut n_sent = 0;
    let began = Instant::now();
    let status = end_of(&mut child, |child| {
        send(child, "-INT");
        n_sent += 1;
    });
    assert_eq!(status.code(), Some(130));
    assert!(n_sent >= 2, "the first signal leaves it time to end itself");
    assert!(
        began.elapsed() < Duration::from_secs(14),
        "that is how long cancelled work may take"
    );
}

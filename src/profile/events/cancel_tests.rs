//! What a cancel leaves of a log: what was read before it, and its costliest stages.

use std::fmt::Write as _;

use super::diagnose::diagnose_some;
use super::tests::read;
use super::{Application, EventsError, LogPart, ReadOptions, diagnose, read_log};
use crate::base::{Accuracy, Cancel, Progress};

/// A log of `n_stages` stages of 400 tasks each, of which a later one took less time.
fn log(n_stages: u64) -> Vec<u8> {
    let mut text = String::from(
        r#"{"Event":"SparkListenerApplicationStart","App Name":"made","App ID":"app-1","Timestamp":1000}"#,
    );
    let padding = " ".repeat(1500);
    for stage in 0..n_stages {
        for task in 0..400 {
            let (id, run) = (stage * 400 + task, 1000 * (n_stages - stage));
            write!(
                text,
                "\n{{\"Event\":\"SparkListenerTaskEnd\",\"Stage ID\":{stage},\"Stage Attempt ID\":0,{padding}\
                 \"Task End Reason\":{{\"Reason\":\"Success\"}},\"Task Info\":{{\"Task ID\":{id},\"Index\":{task},\
                 \"Attempt\":0,\"Launch Time\":1000,\"Executor ID\":\"1\",\"Host\":\"h\",\"Finish Time\":{},\
                 \"Failed\":false,\"Killed\":false}},\"Task Metrics\":{{\"Executor Run Time\":{run}}}}}",
                1000 + run
            )
            .unwrap();
        }
    }
    text.push_str("\n{\"Event\":\"SparkListenerApplicationEnd\",\"Timestamp\":900000}\n");
    text.into_bytes()
}

fn read_until(text: &[u8], cancel: &Cancel) -> Result<Application, EventsError> {
    let part = LogPart {
        name: "log".to_owned(),
        stored: Box::new(std::io::Cursor::new(text.to_vec())),
    };
    let options = ReadOptions {
        n_threads: Some(2),
        ..ReadOptions::default()
    };
    read_log(std::iter::once(Ok(part)), &options, &Progress::new(), cancel)
}

fn n_tasks(application: &Application) -> usize {
    application.stages.values().map(|stage| stage.tasks.len()).sum()
}

#[test]
fn a_cancel_at_any_look_leaves_the_beginning_of_the_log_and_says_so() {
    let text = log(20);
    let mut seen = Vec::new();
    for n_looks in 1..200 {
        let cancel = Cancel::at_look(n_looks);
        match read_until(&text, &cancel) {
            Ok(application) => {
                let n = n_tasks(&application);
                let profile = diagnose(&application);
                if application.reading.is_cut {
                    assert_eq!(profile.accuracy, Accuracy::Partial { n: n as u64 });
                    let notes = profile.reading.notes.join("\n");
                    assert!(
                        notes.contains("partial: cancelled after") && !notes.contains("it died"),
                        "{notes}"
                    );
                } else {
                    assert_eq!((n, profile.accuracy), (8000, Accuracy::Exact));
                }
                // Without a gap: each stage but the last has all its tasks.
                let stages: Vec<usize> = application
                    .stages
                    .values()
                    .map(|stage| stage.tasks.len())
                    .collect();
                assert!(stages.iter().rev().skip(1).all(|n| *n == 400), "{stages:?}");
                seen.push(n);
            }
            Err(EventsError::Cancelled(_)) => seen.push(0),
            Err(error) => panic!("{error}"),
        }
    }
    assert_eq!((seen[0], seen.last()), (0, Some(&8000)));
    assert!(seen.iter().any(|n| (1..8000).contains(n)), "{seen:?}");
}

#[test]
fn after_a_cancel_the_costliest_stages_are_diagnosed_and_the_others_counted() {
    let application = read(&[&log(5)]).unwrap();
    let cancel = Cancel::new();
    let whole = diagnose_some(&application, &cancel, 900);
    assert_eq!((whole.stages.len(), whole.accuracy), (5, Accuracy::Exact));
    cancel.cancel();
    let part = diagnose_some(&application, &cancel, 900);
    let ids: Vec<u64> = part.stages.iter().map(|stage| stage.id).collect();
    assert_eq!(ids, [0, 1]);
    assert_eq!(part.accuracy, Accuracy::Partial { n: 800 });
    assert_eq!(part.headline.n_tasks, 2000);
    let notes = part.reading.notes.join("\n");
    assert!(notes.contains("partial: 3 stages not diagnosed"), "{notes}");
}

#[test]
fn a_cancel_within_a_stage_leaves_this_stage_out_and_keeps_those_before_it() {
    let application = read(&[&log(3)]).unwrap();
    // Nothing is small enough to be diagnosed after a cancel.
    let seen: Vec<usize> = (1..300)
        .map(|n_looks| {
            let profile = diagnose_some(&application, &Cancel::at_look(n_looks), 0);
            let n = profile.stages.len();
            let is_whole = n == 3 && profile.accuracy == Accuracy::Exact;
            assert!(is_whole || profile.accuracy == Accuracy::Partial { n: 400 * n as u64 });
            assert_eq!(profile.headline.n_tasks, 1200);
            n
        })
        .collect();
    assert!(seen.is_sorted() && seen.last() == Some(&3), "{seen:?}");
    // A stage is looked at many times, so that none of its passes takes long.
    for n in 0..3 {
        assert!(
            seen.iter().filter(|n_stages| **n_stages == n).count() > 20,
            "{seen:?}"
        );
    }
}

#[test]
fn many_tasks_are_put_in_the_order_of_their_launch() {
    let mut text = String::new();
    let n = 40_000_u64;
    for id in 0..n {
        let launched = 1000 + id.wrapping_mul(0x9e37_79b9_7f4a_7c15) % 100_000;
        writeln!(
            text,
            "{{\"Event\":\"SparkListenerTaskEnd\",\"Stage ID\":0,\"Task Info\":{{\"Task ID\":{id},\"Index\":{id},\
             \"Launch Time\":{launched},\"Finish Time\":{launched},\"Executor ID\":\"1\"}}}}"
        )
        .unwrap();
    }
    let application = read(&[text.as_bytes()]).unwrap();
    let tasks = &application.stages[&(0, 0)].tasks;
    let mut ids: Vec<u64> = tasks.iter().map(|task| task.id).collect();
    assert!(tasks.is_sorted_by_key(|task| (task.launched_ms, task.id)));
    ids.sort_unstable();
    assert!(ids.iter().copied().eq(0..n));
}

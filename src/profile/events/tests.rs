//! Logs made by hand, diagnosed: every verdict, and every way in which a log is incomplete.

use std::fmt::Write as _;
use std::io::Read;

use proptest::prelude::*;

use super::{
    Application, EventsError, LogPart, ReadOptions, StageProfile, TaskEnding, Verdict, diagnose, read_log,
};
use crate::base::{Cancel, Progress};
use crate::profile::Severity;

/// Reads texts as the parts of one log.
pub fn read(parts: &[&[u8]]) -> Result<Application, EventsError> {
    let parts = parts.iter().enumerate().map(|(n, bytes)| {
        Ok(LogPart {
            name: format!("events_{}", n + 1),
            stored: Box::new(std::io::Cursor::new(bytes.to_vec())) as Box<dyn Read + Send>,
        })
    });
    read_log(parts, &ReadOptions::default(), &Progress::new(), &Cancel::new())
}

/// One task of a made-up stage.
#[derive(Debug, Clone, Copy)]
pub struct Made {
    pub run_ms: u64,
    pub n_bytes: u64,
    pub n_records: u64,
    pub gc_ms: u64,
    pub fetch_wait_ms: u64,
    pub spilled: u64,
    pub executor: u32,
}

impl Made {
    pub fn of(run_ms: u64, n_bytes: u64, n_records: u64) -> Self {
        Self {
            run_ms,
            n_bytes,
            n_records,
            gc_ms: 0,
            fetch_wait_ms: 0,
            spilled: 0,
            executor: u32::MAX,
        }
    }
}

pub const START: u64 = 1_795_211_400_000;

/// A log of one stage, its tasks scheduled one after another on the first free slot of `n_executors` of `n_cores`.
pub struct Log {
    pub tasks: Vec<Made>,
    pub n_executors: u32,
    pub n_cores: u32,
    pub is_shuffle: bool,
    pub properties: String,
    pub plan: String,
}

impl Log {
    pub fn new(tasks: Vec<Made>) -> Self {
        Self {
            tasks,
            n_executors: 4,
            n_cores: 2,
            is_shuffle: true,
            properties: r#""spark.sql.adaptive.enabled":"true""#.to_owned(),
            plan: plan("SortMergeJoin", "SortMergeJoin [k#1], [k#4], Inner", 200),
        }
    }

    pub fn text(&self) -> String {
        let mut text = format!(
            r#"{{"Event":"SparkListenerLogStart","Spark Version":"4.1.0"}}
{{"Event":"SparkListenerApplicationStart","App Name":"made","App ID":"app-1","Timestamp":{START}}}
{{"Event":"SparkListenerEnvironmentUpdate","Spark Properties":{{{}}}}}
"#,
            self.properties
        );
        for executor in 0..self.n_executors {
            line(
                &mut text,
                &format!(
                    r#"{{"Event":"SparkListenerExecutorAdded","Timestamp":{START},"Executor ID":"{executor}","Executor Info":{{"Host":"host-{}","Total Cores":{}}}}}"#,
                    executor / 2,
                    self.n_cores
                ),
            );
        }
        line(&mut text, &self.plan);
        line(
            &mut text,
            &format!(
                r#"{{"Event":"SparkListenerJobStart","Job ID":0,"Submission Time":{START},"Stage IDs":[0],"Properties":{{"spark.sql.execution.id":"0"}}}}"#
            ),
        );
        let n_slots = (self.n_executors * self.n_cores) as usize;
        let mut free = vec![START; n_slots];
        let mut last = START;
        for (index, task) in self.tasks.iter().enumerate() {
            let slot = if task.executor == u32::MAX {
                (0..n_slots)
                    .min_by_key(|slot| (free[*slot], slot % self.n_executors as usize))
                    .unwrap()
            } else {
                task.executor as usize
            };
            let (launched, finished) = (free[slot], free[slot] + task.run_ms + 10);
            free[slot] = finished;
            last = last.max(finished);
            let executor = slot % self.n_executors as usize;
            let (input, shuffled) = if self.is_shuffle {
                (0, task.n_bytes)
            } else {
                (task.n_bytes, 0)
            };
            let (records_in, records) = if self.is_shuffle {
                (0, task.n_records)
            } else {
                (task.n_records, 0)
            };
            line(
                &mut text,
                &format!(
                    r#"{{"Event":"SparkListenerTaskEnd","Stage ID":0,"Stage Attempt ID":0,"Task Type":"ResultTask","Task End Reason":{{"Reason":"Success"}},"Task Info":{{"Task ID":{index},"Index":{index},"Attempt":0,"Partition ID":{index},"Launch Time":{launched},"Executor ID":"{executor}","Host":"host-{}","Finish Time":{finished},"Accumulables":[{{"ID":5,"Update":"1"}}]}},"Task Metrics":{{"Executor Run Time":{},"Executor CPU Time":{},"JVM GC Time":{},"Disk Bytes Spilled":{},"Shuffle Read Metrics":{{"Fetch Wait Time":{},"Local Bytes Read":{shuffled},"Total Records Read":{records}}},"Input Metrics":{{"Bytes Read":{input},"Records Read":{records_in}}}}}}}"#,
                    executor / 2,
                    task.run_ms,
                    task.run_ms * 900_000,
                    task.gc_ms,
                    task.spilled,
                    task.fetch_wait_ms,
                ),
            );
        }
        line(
            &mut text,
            &format!(
                r#"{{"Event":"SparkListenerStageCompleted","Stage Info":{{"Stage ID":0,"Stage Attempt ID":0,"Stage Name":"save at Job.scala:7","Number of Tasks":{},"Submission Time":{START},"Completion Time":{last},"Accumulables":[{}]}}}}"#,
                self.tasks.len(),
                if self.is_shuffle { r#"{"ID":61}"# } else { "" },
            ),
        );
        line(
            &mut text,
            &format!(r#"{{"Event":"SparkListenerApplicationEnd","Timestamp":{last}}}"#),
        );
        text
    }

    pub fn stage(&self) -> StageProfile {
        let application = read(&[self.text().as_bytes()]).unwrap();
        diagnose(&application).stages.remove(0)
    }
}

pub fn line(text: &mut String, line: &str) {
    writeln!(text, "{}", line.replace('\n', " ")).unwrap();
}

pub fn plan(name: &str, simple: &str, n: u64) -> String {
    format!(
        r#"{{"Event":"org.apache.spark.sql.execution.ui.SparkListenerSQLExecutionStart","executionId":0,"description":"save","sparkPlanInfo":{{"nodeName":"{name}","simpleString":"{simple}","metrics":[],"children":[{{"nodeName":"Exchange","simpleString":"Exchange hashpartitioning(k#1, {n}), ENSURE_REQUIREMENTS","children":[],"metrics":[{{"name":"records read","accumulatorId":61}}]}}]}}}}"#
    )
}

/// `n` even tasks of a second each.
pub fn even(n: usize) -> Vec<Made> {
    vec![Made::of(1000, 1_000_000, 10_000); n]
}

#[track_caller]
pub fn check(log: &Log, code: Verdict, severity: Severity) -> StageProfile {
    let stage = log.stage();
    let finding = &stage.finding;
    assert_eq!((finding.code, finding.severity), (code, severity), "{finding:#?}");
    assert!(
        !finding.title.is_empty() && !finding.message.is_empty(),
        "{finding:#?}"
    );
    let needs_remedy = !matches!(code, Verdict::Even | Verdict::NoResult);
    assert_eq!(needs_remedy, !finding.remedy.is_empty(), "{finding:#?}");
    stage
}

#[test]
fn a_hot_key_is_named_with_its_partition_share_and_the_join_behind_it() {
    let mut tasks = even(200);
    tasks[37] = Made::of(180_000, 180_000_000, 1_800_000);
    let stage = check(&Log::new(tasks), Verdict::HotKey, Severity::Bad);
    let hot = stage.hot_partition.unwrap();
    assert_eq!((hot.partition, hot.is_shuffle_partition), (37, true));
    assert!((hot.share_records.unwrap() - 1_800_000.0 / 3_790_000.0).abs() < 1e-9);
    assert_eq!(stage.key.unwrap().text(), "k");
    assert!(
        stage
            .finding
            .title
            .contains("Partition 37 holds 47% of the records in SortMergeJoin Inner by k")
    );
    // 379 task seconds on 8 slots take 47 s when even; the hot task alone takes 180 s.
    assert!(stage.straggler_seconds.unwrap() > 130.0 && stage.speed_up.unwrap() > 3.0);
    assert!(
        stage.warnings.iter().any(|warning| warning.contains("256 MB")),
        "{:?}",
        stage.warnings
    );
}

#[test]
fn skew_that_ends_before_the_other_work_would_is_harmless_and_says_until_when() {
    let mut tasks = even(400);
    tasks[3] = Made::of(20_000, 20_000_000, 200_000);
    let stage = check(&Log::new(tasks), Verdict::HotKey, Severity::Good);
    assert!(stage.finding.is_harmless);
    // On 23 slots 18 waves of 1.0575 s end 4.9% of 20.01 s before the long task does, on 24 slots 17 waves 10%.
    assert!(
        stage.finding.message.contains("Harmless here"),
        "{}",
        stage.finding.message
    );
    assert!(
        stage.finding.message.contains("from 24 slots on"),
        "{}",
        stage.finding.message
    );
}

#[test]
fn few_even_keys_on_many_partitions_are_collisions_and_no_hot_key() {
    // 100 equal keys in 200 partitions: most are empty, some hold two or three.
    let mut counts = [0_u64; 200];
    let mut seed = 7_u64;
    for _ in 0..100 {
        seed = seed
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        counts[usize::try_from((seed >> 33) % 200).unwrap()] += 1;
    }
    let tasks = counts
        .iter()
        .map(|n| Made::of(100 + n * 9000, n * 1_000_000, n * 10_000))
        .collect();
    let stage = check(&Log::new(tasks), Verdict::CollisionSkew, Severity::Good);
    assert!(
        stage.finding.message.contains("partitions are empty"),
        "{}",
        stage.finding.message
    );
}

#[test]
fn the_other_causes_are_told_apart_by_what_is_even_and_what_is_not() {
    let slow = |at: &[usize], change: &dyn Fn(&mut Made)| {
        let mut tasks = even(100);
        for at in at {
            tasks[*at].run_ms = 60_000;
            change(&mut tasks[*at]);
        }
        Log::new(tasks)
    };
    check(&slow(&[50], &|_| {}), Verdict::ComputeSkew, Severity::Warn);
    check(
        &slow(&[50, 60], &|task| task.fetch_wait_ms = 30_000),
        Verdict::FetchWait,
        Severity::Warn,
    );
    check(
        &slow(&[0, 1, 2, 3, 4, 5, 6, 7], &|_| {}),
        Verdict::WarmUp,
        Severity::Good,
    );
    let mut zipf = even(100);
    for (n, task) in zipf.iter_mut().enumerate().take(20) {
        *task = Made::of(8000 + 5000 * n as u64, 8_000_000, 80_000);
    }
    check(&Log::new(zipf), Verdict::ZipfTail, Severity::Warn);
    let mut split = even(100);
    split[99] = Made::of(60_000, 60_000_000, 600_000);
    let uneven = Log {
        is_shuffle: false,
        ..Log::new(split)
    };
    check(&uneven, Verdict::UnevenInput, Severity::Warn);
    check(
        &Log::new(vec![Made::of(5, 10, 1); 2000]),
        Verdict::OverPartitioned,
        Severity::Note,
    );
    check(
        &Log::new(vec![Made::of(30_000, 10, 1); 3]),
        Verdict::UnderPartitioned,
        Severity::Warn,
    );
    let spills = even(100).into_iter().map(|task| Made {
        spilled: 5,
        gc_ms: 200,
        ..task
    });
    check(
        &Log::new(spills.collect()),
        Verdict::MemoryPressure,
        Severity::Note,
    );
    check(&Log::new(even(100)), Verdict::Even, Severity::Good);
}

#[test]
fn slow_tasks_of_one_host_whose_other_tasks_are_slower_too_are_the_hosts_fault() {
    // Slots 2 and 3 are the executors of host-1.
    let mut tasks = Vec::new();
    for n in 0..100_u32 {
        let executor = n % 4;
        let run_ms = match (executor >= 2, n < 20) {
            (true, true) => 30_000,
            (true, false) => 2000,
            (false, _) => 1000,
        };
        tasks.push(Made {
            executor,
            ..Made::of(run_ms, 1_000_000, 10_000)
        });
    }
    let stage = check(&Log::new(tasks), Verdict::BadNode, Severity::Bad);
    assert!(stage.finding.title.contains("host-1"), "{}", stage.finding.title);
}

#[test]
fn damaged_and_unfinished_logs_are_read_as_far_as_they_go_and_this_is_said() {
    let text = Log::new(even(40)).text();
    // The last lines are cut, as while Spark writes; some garbage stands between.
    let cut = &text.as_bytes()[..text.len() - 300];
    let garbled = [b"\xff\xfe garbage\n{}\n{\"Event\":12}\n\n" as &[u8], cut].concat();
    let application = read(&[&garbled]).unwrap();
    assert_eq!(application.reading.n_unreadable, 4, "{:?}", application.reading);
    assert_eq!(application.ended_ms, None);
    let profile = diagnose(&application);
    assert!(
        profile
            .reading
            .notes
            .iter()
            .any(|note| note.contains("does not end with the application"))
    );
    assert_eq!(profile.headline.n_tasks, 40);
    let notes = read(&[cut]).unwrap().reading.notes;
    assert_eq!(notes, ["the last line is cut off, and was left out"]);
    assert!(matches!(
        read(&[b"nothing\nhere\n"]),
        Err(EventsError::NotALog { n_lines: 2, .. })
    ));
    let error = read(&[b""]).unwrap_err().to_string();
    assert!(error.contains("the file is empty: give an event log"), "{error}");
    assert!(matches!(read(&[b"ZV\x01\0\x10"]), Err(EventsError::Lzf { .. })));
}

#[test]
fn a_compressed_log_that_ends_early_gives_its_whole_lines() {
    let text = Log::new(even(400)).text();
    let packed = zstd::encode_all(text.as_bytes(), 1).unwrap();
    let whole = read(&[&packed]).unwrap();
    assert_eq!(whole.stages[&(0, 0)].tasks.len(), 400);
    // A frame without its end, as Spark leaves it while it runs.
    let mut encoder = zstd::Encoder::new(Vec::new(), 1).unwrap();
    std::io::Write::write_all(&mut encoder, text.as_bytes()).unwrap();
    std::io::Write::flush(&mut encoder).unwrap();
    let open = read(&[encoder.get_ref()]).unwrap();
    assert_eq!(open.stages[&(0, 0)].tasks.len(), 400);
    assert!(
        open.reading.notes[0].contains("ends within compressed data"),
        "{:?}",
        open.reading.notes
    );
    // A copy that was cut before the first block ends has no line at all, and is a log all the same.
    let cut = read(&[packed.get(..packed.len() / 20).unwrap()]);
    let error = cut.map(|log| log.reading.n_events).unwrap_err().to_string();
    assert!(error.contains("ends within compressed data"), "{error}");
}

#[test]
fn the_order_of_events_does_not_matter_and_neither_does_the_number_of_threads() {
    let mut tasks = even(60);
    tasks[7] = Made::of(90_000, 90_000_000, 900_000);
    let text = Log::new(tasks).text();
    let reversed: String = text
        .lines()
        .rev()
        .fold(String::new(), |all, line| all + line + "\n");
    let reading = |application: Application| Application {
        reading: super::Reading::default(),
        ..application
    };
    let straight = diagnose(&reading(read(&[text.as_bytes()]).unwrap()));
    let mut backwards = diagnose(&reading(read(&[reversed.as_bytes()]).unwrap()));
    backwards.executors.reverse();
    assert_eq!(straight.stages[0].finding, backwards.stages[0].finding);
    assert_eq!(straight.headline, backwards.headline);
    let (first, second) = text.split_at(text.find("SparkListenerStageCompleted").unwrap() - 10);
    let parts = [first.as_bytes(), second.as_bytes()];
    assert_eq!(diagnose(&reading(read(&parts).unwrap())), straight);
}

#[test]
fn failed_killed_and_speculative_attempts_are_counted_apart() {
    let mut text = Log::new(even(20)).text();
    let attempt = |id: u32, reason: &str, info: &str, finish: u64| {
        format!(
            r#"{{"Event":"SparkListenerTaskEnd","Stage ID":0,"Stage Attempt ID":0,"Task End Reason":{{"Reason":"{reason}"}},"Task Info":{{"Task ID":{id},"Index":3,"Launch Time":{START},"Executor ID":"0","Host":"h","Finish Time":{finish}{info}}}}}"#
        )
    };
    let late = START + 900_000;
    line(
        &mut text,
        &attempt(100, "ExceptionFailure", r#","Failed":true"#, START + 4000),
    );
    line(
        &mut text,
        &attempt(
            101,
            "TaskKilled",
            r#","Killed":true,"Speculative":true"#,
            START + 2000,
        ),
    );
    line(
        &mut text,
        &attempt(102, "Success", r#","Speculative":true"#, late),
    );
    let application = read(&[text.as_bytes()]).unwrap();
    let stage = &diagnose(&application).stages[0];
    let outcomes = stage.outcomes;
    assert_eq!(
        (
            outcomes.n_success,
            outcomes.n_failed,
            outcomes.n_killed,
            outcomes.n_speculative,
            outcomes.n_duplicate
        ),
        (20, 1, 1, 2, 1)
    );
    assert!((outcomes.lost_seconds - 906.0).abs() < 1e-9, "{outcomes:?}");
    assert_eq!(
        stage.run_ms.max, 1000,
        "attempts without a result are in no spread"
    );
}

#[test]
fn no_task_one_task_and_tasks_without_metrics_divide_nothing_by_zero() {
    let none = check(&Log::new(Vec::new()), Verdict::NoResult, Severity::Bad);
    assert_eq!(
        (none.wall_seconds, none.speed_up, none.hot_partition),
        (None, None, None)
    );
    check(
        &Log::new(vec![Made::of(100, 0, 0)]),
        Verdict::Even,
        Severity::Good,
    );
    check(
        &Log::new(vec![Made::of(0, 0, 0); 4]),
        Verdict::Even,
        Severity::Good,
    );
    let bare = format!(
        r#"{{"Event":"SparkListenerTaskEnd","Stage ID":7,"Task Info":{{"Launch Time":{START},"Finish Time":{START}}}}}"#
    );
    let application = read(&[bare.as_bytes()]).unwrap();
    assert_eq!(application.stages[&(7, 0)].tasks[0].ending, TaskEnding::Success);
    let profile = diagnose(&application);
    assert!(profile.stages[0].task_seconds.abs() < f64::EPSILON);
    assert_eq!(profile.headline.idle_share, None);
}

#[test]
fn tasks_beyond_the_bound_are_counted_and_the_figures_say_that_they_are_partial() {
    let text = Log::new(even(50)).text();
    let parts = [Ok(LogPart {
        name: "log".to_owned(),
        stored: Box::new(std::io::Cursor::new(text.into_bytes())),
    })];
    let options = ReadOptions {
        max_tasks: 20,
        n_threads: Some(1),
    };
    let application = read_log(parts.into_iter(), &options, &Progress::new(), &Cancel::new()).unwrap();
    let profile = diagnose(&application);
    assert_eq!(profile.headline.n_tasks, 50);
    assert_eq!(profile.accuracy, crate::base::Accuracy::Partial { n: 20 });
}

#[test]
fn storage_that_fails_is_an_error_and_a_cancel_before_the_first_event_too() {
    struct Broken;
    impl Read for Broken {
        fn read(&mut self, _: &mut [u8]) -> std::io::Result<usize> {
            Err(std::io::Error::other("connection reset"))
        }
    }
    let part = || {
        let text = Log::new(even(5)).text().into_bytes();
        std::iter::once(Ok(LogPart {
            name: "log".to_owned(),
            stored: Box::new(std::io::Cursor::new(text).chain(Broken)),
        }))
    };
    let options = ReadOptions::default();
    let error = read_log(part(), &options, &Progress::new(), &Cancel::new()).unwrap_err();
    assert!(
        matches!(&error, EventsError::Read { name, .. } if name == "log"),
        "{error}"
    );
    let cancel = Cancel::new();
    cancel.cancel();
    let error = read_log(part(), &options, &Progress::new(), &cancel).unwrap_err();
    assert!(error.to_string().contains("cancelled"), "{error}");
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, cases: 64, ..ProptestConfig::default() })]

    #[test]
    fn no_bytes_make_it_panic(
        noise in proptest::collection::vec(any::<u8>(), 0..400),
        at in any::<prop::sample::Index>(),
        codec in 0_u8..4,
    ) {
        let mut tasks = even(12);
        tasks[5] = Made::of(20_000, 40_000_000, 400_000);
        let text = Log::new(tasks).text().into_bytes();
        let mut bytes = match codec {
            1 => zstd::encode_all(text.as_slice(), 1).unwrap(),
            2 => [super::codec::tests::lz4(&text, 4000), text.clone()].concat(),
            3 => super::codec::tests::snappy(&text, 4000),
            _ => text,
        };
        let at = at.index(bytes.len());
        let end = (at + noise.len()).min(bytes.len());
        bytes.splice(at..end, noise);
        if let Ok(application) = read(&[&bytes]) {
            let profile = diagnose(&application);
            prop_assert!(profile.stages.iter().all(|stage| stage.straggler_seconds.is_none_or(|cost| cost >= 0.0)));
        }
    }

    #[test]
    fn any_figures_of_tasks_give_finite_ratios_and_a_cost_within_the_wall(
        tasks in proptest::collection::vec((0_u64..100_000, 0_u64..1 << 40, 0_u64..1 << 40), 0..40),
    ) {
        let tasks = tasks.into_iter().map(|(run, bytes, records)| Made::of(run, bytes, records)).collect();
        let stage = Log::new(tasks).stage();
        for ratio in [stage.speed_up, stage.run_ms.max_over_median, stage.gc_share, stage.straggler_seconds] {
            prop_assert!(ratio.is_none_or(f64::is_finite));
        }
        if let (Some(cost), Some(wall)) = (stage.straggler_seconds, stage.wall_seconds) {
            prop_assert!(cost <= wall);
        }
    }
}

#[test]
fn two_logs_of_one_application_are_compared_stage_by_stage() {
    let mut skewed = even(200);
    skewed[37] = Made::of(180_000, 180_000_000, 1_800_000);
    let before = diagnose(&read(&[Log::new(skewed).text().as_bytes()]).unwrap());
    let after = diagnose(&read(&[Log::new(even(200)).text().as_bytes()]).unwrap());
    let delta = super::compare(&before, &after);
    let [stage] = delta.stages.as_slice() else {
        panic!("{delta:?}")
    };
    assert_eq!((stage.before, stage.after), (Verdict::HotKey, Verdict::Even));
    assert!(
        stage.wall_seconds < -120.0 && delta.wall_seconds < -120.0,
        "{delta:?}"
    );
    assert!(delta.straggler_seconds < -120.0);
    assert_eq!((delta.n_only_before, delta.n_only_after), (0, 0));
    let [gone] = delta.gone.as_slice() else {
        panic!("{:?}", delta.gone)
    };
    assert_eq!((gone.verdict, gone.stage), (Verdict::HotKey, 0));
    assert!(gone.title.contains("Partition 37"), "{gone:?}");
    assert!(
        delta.appeared.is_empty() && delta.notes.is_empty(),
        "{:?} {:?}",
        delta.appeared,
        delta.notes
    );
    let wall = &delta.totals[0];
    assert_eq!((wall.name, wall.is_better()), ("wall time", Some(true)));
}

#[test]
fn stages_with_the_same_key_are_paired_although_another_of_their_name_has_gone() {
    let log = |ids: &[u64], key: &str| {
        // Stages of one name; the last one joins by the key.
        let mut text = Log::new(even(20)).text();
        let plan = plan("SortMergeJoin", "SortMergeJoin", 200).replace("k#1", key);
        text = text.replace(&Log::new(even(20)).plan, &plan);
        let join = ids[ids.len() - 1];
        let renamed = |line: &str, id: u64| {
            line.replace("\"Stage ID\":0", &format!("\"Stage ID\":{id}"))
                .replace("\"Stage IDs\":[0]", &format!("\"Stage IDs\":{ids:?}"))
        };
        let mut lines: Vec<String> = text.lines().map(|line| renamed(line, join)).collect();
        let end = lines.pop().unwrap();
        for id in &ids[..ids.len() - 1] {
            let of_stage = text.lines().filter(|line| line.contains("Stage ID\":0,"));
            // Without accumulators it reads no shuffle that is known.
            lines.extend(of_stage.map(|line| renamed(line, *id).replace("{\"ID\":61}", "")));
        }
        lines.push(end);
        diagnose(&read(&[lines.join("\n").as_bytes()]).unwrap())
    };
    let (before, after) = (log(&[0, 1, 2], "k#1"), log(&[0, 1], "k#9"));
    let keyed = |profile: &super::ApplicationProfile| -> Vec<u64> {
        let keyed = profile.stages.iter().filter(|stage| stage.key.is_some());
        keyed.map(|stage| stage.id).collect()
    };
    assert_eq!((keyed(&before), keyed(&after)), (vec![2], vec![1]));
    let delta = super::compare(&before, &after);
    let mut pairs: Vec<(u64, u64)> = delta
        .stages
        .iter()
        .map(|stage| (stage.before_stage, stage.after_stage))
        .collect();
    pairs.sort_unstable();
    assert_eq!(pairs, [(0, 0), (2, 1)]);
    assert_eq!(delta.only_before[0].stage, 1);
    let back = super::compare(&after, &before);
    assert_eq!((back.n_only_before, back.n_only_after), (0, 1));
}

#[test]
fn settings_that_bear_on_speed_are_compared_and_secrets_are_not_kept() {
    let log = |properties: &str| {
        let log = Log {
            properties: properties.to_owned(),
            ..Log::new(even(4))
        };
        diagnose(&read(&[log.text().as_bytes()]).unwrap())
    };
    let before = log(&[
        r#""spark.sql.shuffle.partitions":"200","spark.executor.memory":"4g""#,
        r#""spark.hadoop.fs.s3a.secret.key":"x","spark.sql.execution.password":"y","spark.app.name":"n""#,
    ]
    .join(","));
    let after =
        log(r#""spark.sql.shuffle.partitions":"64","spark.executor.memory":"4g","spark.speculation":"true""#);
    assert_eq!(before.properties.len(), 2, "{:?}", before.properties);
    let delta = super::compare(&before, &after);
    let named: Vec<(&str, Option<&str>, Option<&str>)> = delta
        .configuration
        .iter()
        .map(|setting| {
            (
                setting.name.as_str(),
                setting.before.as_deref(),
                setting.after.as_deref(),
            )
        })
        .collect();
    assert_eq!(
        named,
        [
            ("spark.speculation", None, Some("true")),
            ("spark.sql.shuffle.partitions", Some("200"), Some("64")),
        ]
    );
}

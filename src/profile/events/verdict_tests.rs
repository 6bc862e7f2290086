//! Verdicts and remedies that are easily told wrongly: each test is what a real application did.

use super::Verdict;
use super::tests::{Log, Made, START, check, even, line, plan, read};
use super::{StageProfile, diagnose};
use crate::profile::Severity;

fn hot(at: usize) -> Vec<Made> {
    let mut tasks = even(200);
    tasks[at] = Made::of(60_000, 60_000_000, 600_000);
    tasks
}

/// The stage of a log whose hot tasks are read by a plan.
fn planned(tasks: Vec<Made>, name: &str, simple: &str) -> StageProfile {
    Log {
        plan: plan(name, simple, 200),
        ..Log::new(tasks)
    }
    .stage()
}

#[test]
fn a_list_of_a_hot_value_is_hot_by_its_bytes_where_records_are_even() {
    let mut tasks = even(40);
    tasks[27] = Made::of(6000, 40_000_000, 9_900);
    let stage = check(&Log::new(tasks), Verdict::HotKey, Severity::Note);
    assert!(
        stage
            .finding
            .title
            .starts_with("Partition 27 holds 51% of the bytes"),
        "{}",
        stage.finding.title
    );
}

#[test]
fn a_task_with_a_little_more_data_and_time_is_no_compute_skew() {
    let mut tasks = even(100);
    tasks[40] = Made::of(2500, 2_500_000, 25_000);
    let stage = Log::new(tasks).stage();
    assert_eq!(stage.finding.code, Verdict::HotKey, "{:?}", stage.finding);
    // Where only the time differs it is.
    let mut tasks = even(100);
    tasks[40].run_ms = 2500;
    assert_eq!(Log::new(tasks).stage().finding.code, Verdict::ComputeSkew);
}

#[test]
fn one_long_task_of_the_first_wave_is_no_warm_up_and_an_early_decline_is() {
    let mut tasks = even(100);
    tasks[3].run_ms = 60_000;
    let stage = check(&Log::new(tasks), Verdict::ComputeSkew, Severity::Warn);
    assert!(stage.slowest[0].is_first);
    // Code is compiled over the first waves.
    let mut tasks = even(100);
    for (n, task) in tasks.iter_mut().enumerate().take(24) {
        task.run_ms = if n < 8 { 3000 } else { 2000 };
    }
    check(&Log::new(tasks), Verdict::WarmUp, Severity::Good);
}

#[test]
fn a_task_that_starts_just_before_the_first_one_is_noted_as_ended_is_not_of_the_first_wave() {
    // One executor of two slots; the third task is launched a few milliseconds before the end of the first one.
    let mut text = format!(
        r#"{{"Event":"SparkListenerExecutorAdded","Timestamp":{START},"Executor ID":"0","Executor Info":{{"Host":"h","Total Cores":2}}}}"#
    );
    text.push('\n');
    for index in 0..30_u64 {
        let wave = index / 2;
        let launched = START + wave * 995;
        let run = if index == 2 { 40_000 } else { 990 };
        line(
            &mut text,
            &format!(
                r#"{{"Event":"SparkListenerTaskEnd","Stage ID":0,"Task End Reason":{{"Reason":"Success"}},"Task Info":{{"Task ID":{index},"Index":{index},"Launch Time":{launched},"Executor ID":"0","Host":"h","Finish Time":{}}},"Task Metrics":{{"Executor Run Time":{run}}}}}"#,
                launched + run + 10
            ),
        );
    }
    let stage = diagnose(&read(&[text.as_bytes()]).unwrap()).stages.remove(0);
    let first: Vec<u32> = stage
        .slowest
        .iter()
        .filter(|task| task.is_first)
        .map(|task| task.index)
        .collect();
    assert!(first.iter().all(|index| *index < 2), "{first:?}");
    assert_eq!(stage.finding.code, Verdict::ComputeSkew);
    assert!(
        stage.finding.message.contains("the log tells of no data"),
        "{}",
        stage.finding.message
    );
}

#[test]
fn garbage_collection_of_a_short_stage_is_no_verdict_and_of_a_long_one_costs_its_time() {
    let collecting = |n, gc_ms| {
        let tasks = even(n).into_iter().map(|task| Made { gc_ms, ..task });
        Log::new(tasks.collect())
    };
    check(&collecting(16, 300), Verdict::Even, Severity::Good);
    let stage = check(&collecting(400, 600), Verdict::MemoryPressure, Severity::Warn);
    // 400 × 0.6 s over eight slots.
    assert!(
        (stage.finding.cost_seconds - 30.0).abs() < 1.0,
        "{:?}",
        stage.finding
    );
    let spilling = even(16).into_iter().map(|task| Made { spilled: 9, ..task });
    check(
        &Log::new(spilling.collect()),
        Verdict::MemoryPressure,
        Severity::Note,
    );
}

#[test]
fn many_tiny_tasks_cost_what_starting_them_takes_and_the_remedy_knows_where_they_read() {
    let tiny = |is_shuffle| Log {
        is_shuffle,
        ..Log::new(vec![Made::of(5, 10, 1); 6000])
    };
    let shuffled = check(&tiny(true), Verdict::OverPartitioned, Severity::Warn);
    assert!(shuffled.finding.cost_seconds > 5.0);
    assert!(shuffled.finding.remedy.contains("spark.sql.shuffle.partitions"));
    let scanned = check(&tiny(false), Verdict::OverPartitioned, Severity::Warn);
    assert!(
        scanned.finding.remedy.contains("compact small files")
            && !scanned.finding.remedy.contains("coalescePartitions"),
        "{}",
        scanned.finding.remedy
    );
}

#[test]
fn the_remedy_of_a_hot_key_fits_what_reads_it() {
    let remedy = |name: &str, simple: &str| planned(hot(7), name, simple).finding.remedy;
    let join = |join_type: &str| {
        remedy(
            "SortMergeJoin",
            &format!("SortMergeJoin [k#1], [k#4], {join_type}"),
        )
    };
    let (inner, full) = (join("Inner"), join("FullOuter"));
    assert!(
        inner.contains("adaptive execution split") && inner.contains("salt"),
        "{inner}"
    );
    assert!(
        !full.contains("adaptive execution split")
            && !full.contains("salt")
            && full.contains("as an outer join"),
        "{full}"
    );
    // The exchange is the first child: the left side.
    assert!(!join("RightOuter").contains("adaptive execution split"));
    let window = remedy("Window", "Window [row_number()], [k#1]");
    assert!(
        window.contains("PARTITION BY") && !window.contains("two stages"),
        "{window}"
    );
    let sum = remedy("HashAggregate", "HashAggregate(keys=[k#1], functions=[sum(v)])");
    assert!(sum.contains("two stages, by (k, salt)"), "{sum}");
    let list = remedy("ObjectHashAggregate", "ObjectHashAggregate(keys=[k#1])");
    assert!(
        list.contains("Lists and sets") && !list.contains("two stages"),
        "{list}"
    );
    let broadcast = remedy(
        "BroadcastHashJoin",
        "BroadcastHashJoin [k#1], [k#4], Inner, BuildRight",
    );
    assert!(
        !broadcast.contains("adaptive execution") && broadcast.contains("salt"),
        "{broadcast}"
    );
}

#[test]
fn the_partition_of_null_keys_is_named_where_nulls_are_kept() {
    let told = |join_type: &str, at: usize| {
        let simple = format!("SortMergeJoin [k#1], [k#4], {join_type}");
        let finding = planned(hot(at), "SortMergeJoin", &simple).finding;
        (
            finding.message.contains("key is null fall on partition 42"),
            finding.remedy.contains("null apart, which match nothing"),
        )
    };
    assert_eq!(told("LeftOuter", 42), (true, true));
    assert_eq!(told("LeftOuter", 41), (false, false));
    assert_eq!(told("Inner", 42), (false, false));
    assert_eq!(told("RightOuter", 42), (false, false));
}

#[test]
fn what_adaptive_execution_has_split_is_a_hot_key_in_pieces_and_no_tail() {
    let mut tasks = even(43);
    for task in &mut tasks[20..30] {
        *task = Made::of(9000, 9_000_000, 90_000);
    }
    let log = Log {
        plan: r#"{"Event":"org.apache.spark.sql.execution.ui.SparkListenerSQLExecutionStart","executionId":0,"description":"save","sparkPlanInfo":{"nodeName":"SortMergeJoin","simpleString":"SortMergeJoin(skew=true) [k#1], [k#4], Inner","metrics":[],"children":[{"nodeName":"AQEShuffleRead","simpleString":"AQEShuffleRead skewed","metrics":[],"children":[{"nodeName":"Exchange","simpleString":"Exchange hashpartitioning(k#1, 40), ENSURE_REQUIREMENTS","children":[],"metrics":[{"name":"records read","accumulatorId":61}]}]}]}}"#.to_owned(),
        ..Log::new(tasks)
    };
    let stage = log.stage();
    let finding = &stage.finding;
    assert_eq!(finding.code, Verdict::HotKey, "{finding:?}");
    assert!(
        finding.title.contains("in pieces") && finding.message.contains("has split large partitions already"),
        "{finding:?}"
    );
    assert!(
        finding.remedy.contains("advisoryPartitionSizeInBytes"),
        "{finding:?}"
    );
    assert!(stage.warnings.is_empty(), "{:?}", stage.warnings);
}

#[test]
fn blind_spots_know_the_settings_of_the_application() {
    let warnings = |properties: &str| {
        Log {
            properties: properties.to_owned(),
            ..Log::new(hot(7))
        }
        .stage()
        .warnings
        .join("\n")
    };
    let default = warnings("");
    assert!(default.contains("at most 256 MB"), "{default}");
    let lowered = warnings(r#""spark.sql.adaptive.skewJoin.skewedPartitionThresholdInBytes":"16m""#);
    assert_eq!(lowered, "");
    let factor = warnings(
        r#""spark.sql.adaptive.skewJoin.skewedPartitionThresholdInBytes":"16m","spark.sql.adaptive.skewJoin.skewedPartitionFactor":"90""#,
    );
    assert!(factor.contains("splits above 90.0 ×"), "{factor}");
    // A window is not helped by turning it on.
    let window = Log {
        properties: r#""spark.sql.adaptive.enabled":"false""#.to_owned(),
        plan: plan("Window", "Window [row_number()], [k#1]", 200),
        ..Log::new(hot(7))
    };
    let told = window.stage().warnings.join("\n");
    assert!(told.contains("not Window") && !told.contains("is off"), "{told}");
}

#[test]
fn attempts_that_were_lost_are_not_hidden_by_a_harmless_skew_and_a_failed_stage_is_bad() {
    let failed = |text: &mut String, n: u64| {
        for id in 0..n {
            line(
                text,
                &format!(
                    r#"{{"Event":"SparkListenerTaskEnd","Stage ID":0,"Task End Reason":{{"Reason":"ExceptionFailure","Class Name":"java.lang.IllegalStateException","Description":"bad\nmore"}},"Task Info":{{"Task ID":{},"Index":3,"Launch Time":{START},"Executor ID":"0","Host":"h","Failed":true,"Finish Time":{}}}}}"#,
                    1000 + id,
                    START + 8000
                ),
            );
        }
    };
    let mut tasks = even(400);
    tasks[3] = Made::of(20_000, 20_000_000, 200_000);
    let mut text = Log::new(tasks).text();
    let stage = |text: &str| diagnose(&read(&[text.as_bytes()]).unwrap()).stages.remove(0);
    assert_eq!(stage(&text).finding.code, Verdict::HotKey);
    failed(&mut text, 10);
    let lost = stage(&text).finding;
    assert_eq!((lost.code, lost.severity), (Verdict::FailedTasks, Severity::Warn));
    assert!(
        lost.title.contains("10 attempts without a result")
            && lost.message.contains("10 failed of: IllegalStateException: bad."),
        "{lost:?}"
    );
    assert!(!lost.remedy.contains("code 137"), "{lost:?}");
    let died = text.replace(
        r#""Completion Time""#,
        r#""Failure Reason":"Job aborted: bad row 13","Completion Time""#,
    );
    let finding = stage(&died).finding;
    assert_eq!(
        (finding.code, finding.severity, finding.title.as_str()),
        (Verdict::FailedTasks, Severity::Bad, "The stage failed")
    );
    assert!(finding.message.contains("bad row 13"), "{finding:?}");
}

/// Spark tells a task whose output went with its executor a second time, with the same id and times.
#[test]
fn work_whose_output_was_lost_with_its_executor_is_counted_once_and_as_lost() {
    let mut text = Log::new(even(20)).text();
    let before = diagnose(&read(&[text.as_bytes()]).unwrap());
    let done = read(&[text.as_bytes()]).unwrap();
    let id = done.stages.values().next().unwrap().tasks[3].id;
    line(
        &mut text,
        &format!(
            r#"{{"Event":"SparkListenerTaskEnd","Stage ID":0,"Stage Attempt ID":0,"Task End Reason":{{"Reason":"Resubmitted"}},"Task Info":{{"Task ID":{id},"Index":3,"Launch Time":{START},"Executor ID":"0","Host":"h","Finish Time":{}}}}}"#,
            START + 1000
        ),
    );
    let after = diagnose(&read(&[text.as_bytes()]).unwrap());
    let outcomes = after.stages[0].outcomes;
    assert_eq!((outcomes.n_success, outcomes.n_failed), (19, 1));
    assert!((outcomes.lost_seconds - 1.0).abs() < 0.2, "{outcomes:?}");
    assert!((after.headline.task_seconds - before.headline.task_seconds).abs() < 1e-9);
}

//! What the skew of a stage costs: figure, word and finding are of one mind, whenever the long task began.

use super::tests::{Log, Made, check, even, plan};
use super::{StageProfile, Verdict};
use crate::profile::Severity;

fn hot_at(at: usize) -> StageProfile {
    let mut tasks = even(200);
    tasks[at] = Made::of(20_000, 20_000_000, 200_000);
    Log::new(tasks).stage()
}

#[test]
fn a_hot_partition_that_starts_late_costs_what_the_stage_waits_for_it_and_an_early_one_is_harmless() {
    // 219 s of work on eight slots; the task of 20 s fits into the 27 s of an even split, when it starts early enough.
    let (early, late) = (hot_at(3), hot_at(190));
    let wall = |stage: &StageProfile| stage.wall_seconds.unwrap();
    assert!((wall(&late) - wall(&early) - 15.0).abs() < 3.0, "{}", wall(&late));
    assert_eq!(
        (
            early.finding.code,
            early.finding.is_harmless,
            early.finding.severity
        ),
        (Verdict::HotKey, true, Severity::Good)
    );
    assert!(early.finding.cost_seconds < 0.1, "{:?}", early.finding);
    assert!(
        early.finding.message.contains("it adds nothing to the stage's")
            && early.finding.remedy.starts_with("Nothing needs doing here."),
        "{:?}",
        early.finding
    );
    assert_eq!(
        (late.finding.code, late.finding.is_harmless, late.finding.severity),
        (Verdict::HotKey, false, Severity::Warn)
    );
    let cost = late.finding.cost_seconds;
    assert!(
        (cost - (wall(&late) - late.even_seconds.unwrap())).abs() < 0.2,
        "{cost}"
    );
    assert!(
        (14.0..18.0).contains(&cost) && late.speed_up.unwrap() > 1.4,
        "{cost}"
    );
    let told = format!("It adds {cost:.1} s to the stage's");
    assert!(
        late.finding.message.contains(&told)
            && late
                .finding
                .message
                .contains("into the stage, and was the last to end")
            && !late.finding.message.contains("Harmless"),
        "{:?}",
        late.finding
    );
    assert!(
        !late.finding.remedy.contains("Nothing needs doing"),
        "{:?}",
        late.finding
    );
}

/// Four tasks of four slots, as adaptive execution merged them; of those the middle one is long itself.
fn merged() -> Log {
    let plan = plan("SortMergeJoin", "SortMergeJoin [k#1], [k#4], Inner", 40).replace(
        r#"[{"nodeName":"Exchange""#,
        r#"[{"nodeName":"AQEShuffleRead","simpleString":"AQEShuffleRead coalesced","metrics":[],"children":[{"nodeName":"Exchange""#,
    );
    Log {
        n_executors: 2,
        plan: plan.replace("}]}]}}", "}]}]}]}}"),
        ..Log::new(vec![
            Made::of(19_500, 52_000_000, 725_000),
            Made::of(10_600, 22_000_000, 302_000),
            Made::of(21_400, 106_000_000, 1_537_000),
            Made::of(14_200, 33_000_000, 457_000),
        ])
    }
}

#[test]
fn partitions_that_adaptive_execution_merged_and_did_not_split_hold_a_hot_key_below_its_threshold() {
    let stage = check(&merged(), Verdict::HotKey, Severity::Note);
    let finding = &stage.finding;
    assert!(
        finding.title.starts_with("Task 2 holds 51% of the records"),
        "{finding:?}"
    );
    assert!(
        finding
            .message
            .contains("merged 40 partitions into 4 tasks, and split none"),
        "{finding:?}"
    );
    // It is on: what is to be set is what kept it from splitting.
    assert!(
        finding.remedy.contains(
            "Let adaptive execution split it \
             (spark.sql.adaptive.skewJoin.skewedPartitionThresholdInBytes=50MB, \
             spark.sql.adaptive.advisoryPartitionSizeInBytes=25MB)"
        ) && !finding.remedy.contains("adaptive.enabled"),
        "{finding:?}"
    );
    let warnings = stage.warnings.join("\n");
    assert!(
        warnings.contains("partitions of the task have together 106 MB")
            && !warnings.contains("× the median"),
        "{warnings}"
    );
    let cost = finding.cost_seconds;
    assert!((cost - (21.4 - 65.7 / 4.0)).abs() < 0.1, "{cost}");
}

#[test]
fn of_two_tasks_the_one_with_the_data_is_hot() {
    let log = Log {
        n_executors: 1,
        is_shuffle: false,
        plan: String::new(),
        ..Log::new(vec![
            Made::of(1000, 1_000_000, 10_000),
            Made::of(9000, 9_000_000, 90_000),
        ])
    };
    let stage = check(&log, Verdict::UnevenInput, Severity::Note);
    let hot = stage.hot_partition.unwrap();
    assert_eq!((hot.partition, hot.times_median), (1, 9.0));
    assert!((stage.straggler_seconds.unwrap() - 4.0).abs() < 0.1);
}

#[test]
fn the_settings_to_split_a_partition_are_those_that_are_in_its_way() {
    let remedy = |n_bytes: u64, properties: &str| {
        let mut tasks = even(200);
        tasks[190] = Made::of(60_000, n_bytes, 600_000);
        let log = Log {
            properties: properties.to_owned(),
            ..Log::new(tasks)
        };
        let remedy = log.stage().finding.remedy;
        let settings = remedy.split_once("et adaptive execution split it (");
        settings
            .and_then(|(_, rest)| rest.split_once(')'))
            .map(|(settings, _)| settings.to_owned())
    };
    let told = |n_bytes, properties: &str| remedy(n_bytes, properties).unwrap_or_default();
    let off = r#""spark.sql.adaptive.enabled":"false""#;
    assert_eq!(told(600_000_000, off), "spark.sql.adaptive.enabled=true");
    assert_eq!(
        told(200_000_000, off),
        "spark.sql.adaptive.enabled=true, \
         spark.sql.adaptive.skewJoin.skewedPartitionThresholdInBytes=95MB"
    );
    assert_eq!(
        told(600_000_000, r#""spark.sql.adaptive.skewJoin.enabled":"false""#),
        "spark.sql.adaptive.skewJoin.enabled=true"
    );
    // It is on and the partition is large enough: it was left alone for another reason.
    assert_eq!(
        told(600_000_000, ""),
        "spark.sql.adaptive.forceOptimizeSkewedJoin=true"
    );
    assert_eq!(
        remedy(
            600_000_000,
            r#""spark.sql.adaptive.forceOptimizeSkewedJoin":"true""#
        ),
        None
    );
    // Pieces of it would be smaller than a task is worth.
    assert_eq!(remedy(1_500_000, ""), None);
}

#[test]
fn even_tasks_that_leave_slots_idle_are_told_with_the_reason() {
    // Nine tasks of 20 s on eight slots: the last wave has one.
    let stage = check(
        &Log::new(vec![Made::of(20_000, 1_000_000, 10_000); 9]),
        Verdict::IdleSlots,
        Severity::Warn,
    );
    assert!(
        stage
            .finding
            .message
            .contains("the last wave has 1 task for 8 slots"),
        "{:?}",
        stage.finding
    );
    assert!(
        stage.finding.remedy.contains("multiple of the 8 slots"),
        "{:?}",
        stage.finding
    );
    assert!(
        (stage.finding.cost_seconds - 17.5).abs() < 0.1,
        "{:?}",
        stage.finding
    );
    assert!(stage.straggler_seconds.unwrap() < 1e-9);
    // All on the slots of one executor of four, one after another.
    let one = |n: usize| {
        vec![
            Made {
                executor: 0,
                ..even(1)[0]
            };
            n
        ]
    };
    let stage = check(&Log::new(one(40)), Verdict::IdleSlots, Severity::Warn);
    assert!(
        stage.finding.message.contains("slots came late, or waited")
            && stage.finding.remedy.contains("spark.locality.wait"),
        "{:?}",
        stage.finding
    );
}

#[test]
fn a_long_stage_with_few_uneven_tasks_is_not_even() {
    // By its median none is slow: the third of four is as long as the longest.
    let tasks = [20_000, 20_000, 5000, 5000].map(|run_ms| Made::of(run_ms, 1_000_000, 10_000));
    let log = Log {
        n_executors: 2,
        ..Log::new(tasks.to_vec())
    };
    let stage = check(&log, Verdict::ComputeSkew, Severity::Note);
    assert!(
        (stage.finding.cost_seconds - 7.5).abs() < 0.1,
        "{:?}",
        stage.finding
    );
}

#[test]
fn remedies_are_of_the_case_at_hand() {
    let made_in_place = Log {
        is_shuffle: false,
        ..Log::new(vec![Made::of(5, 0, 0); 6000])
    };
    let stage = check(&made_in_place, Verdict::OverPartitioned, Severity::Warn);
    assert!(
        stage.finding.remedy.contains("where the rows are made") && !stage.finding.remedy.contains("files"),
        "{:?}",
        stage.finding
    );
    let without_plan = Log {
        plan: String::new(),
        ..Log::new(vec![Made::of(5, 10, 1); 6000])
    };
    let stage = check(&without_plan, Verdict::OverPartitioned, Severity::Warn);
    assert!(
        stage.finding.remedy.contains("reduceByKey"),
        "{:?}",
        stage.finding
    );
    let collecting = even(400).into_iter().map(|task| Made { gc_ms: 600, ..task });
    let stage = check(
        &Log::new(collecting.collect()),
        Verdict::MemoryPressure,
        Severity::Warn,
    );
    assert!(
        stage.finding.message.contains("no task spilled.") && !stage.finding.message.contains("0 B"),
        "{:?}",
        stage.finding
    );
}

#[test]
fn a_sort_and_a_window_without_a_key_have_remedies_of_their_own() {
    let mut tasks = even(200);
    tasks[190] = Made::of(60_000, 60_000_000, 600_000);
    let sort = plan("Sort", "Sort [k#1 ASC NULLS FIRST], true, 0", 200).replace(
        "hashpartitioning(k#1, 200)",
        "rangepartitioning(k#1 ASC NULLS FIRST, 200)",
    );
    let stage = check(
        &Log {
            plan: sort,
            ..Log::new(tasks)
        },
        Verdict::HotKey,
        Severity::Warn,
    );
    assert!(
        stage.finding.remedy.contains("sort by (k, another column)")
            && !stage.finding.remedy.contains("salt"),
        "{:?}",
        stage.finding
    );
    let window = plan("Window", "Window [row_number()], [v#2 ASC]", 200)
        .replace("hashpartitioning(k#1, 200)", "SinglePartition");
    let stage = check(
        &Log {
            plan: window,
            ..Log::new(vec![Made::of(60_000, 60_000_000, 600_000)])
        },
        Verdict::UnderPartitioned,
        Severity::Warn,
    );
    assert!(
        stage
            .finding
            .remedy
            .starts_with("Window has no key, so that all rows go to one task"),
        "{:?}",
        stage.finding
    );
    assert!(
        stage.finding.message.starts_with("The task ran 60.0 s"),
        "{:?}",
        stage.finding
    );
}

#[test]
fn adaptive_execution_is_warned_of_where_it_does_not_look() {
    let mut tasks = even(100);
    tasks[9] = Made::of(90_000, 300 << 20, 900_000);
    let warnings = |plan: String, properties: &str| {
        let log = Log {
            plan,
            properties: properties.to_owned(),
            ..Log::new(tasks.clone())
        };
        log.stage().warnings.join("\n")
    };
    let join = |join_type: &str, n| {
        plan(
            "SortMergeJoin",
            &format!("SortMergeJoin [k#1], [k#4], {join_type}"),
            n,
        )
    };
    let whole = warnings(join("Inner", 200), "");
    assert!(
        whole.starts_with("The partition is above the thresholds") && whole.contains("add a shuffle"),
        "{whole}"
    );
    assert!(warnings(join("FullOuter", 200), "").contains("cannot split the left side of a FullOuter join"));
    assert!(warnings(join("Inner", 2001), "").contains("accurateBlockSkewedFactor"));
    assert!(warnings(join("Inner", 200), r#""spark.sql.adaptive.enabled":"false""#).contains("is off"));
    assert!(
        warnings(plan("HashAggregate", "HashAggregate(keys=[k#1])", 200), "").contains("not HashAggregate.")
    );
}

//! Reports of keys of known kinds: what is found, what is offered, how candidates are ranked.

use std::sync::Arc;

use polars::prelude::df;

use super::super::testing::{check_loads, codes, hashed, keys, kinds, many, report, slow};
use super::super::{CountBudget, HashedKeys, KeyCounter, Prediction, Remedy, Weight, default_types};
use super::{key_report, rank};
use crate::base::Accuracy;
use crate::profile::{CostModel, FindingCode, Severity};

#[test]
fn a_hot_key_is_found_with_its_cost_and_salts_that_help() {
    let keys = many(&[("hot", 8571)], 20_000, 1);
    let report = report(&keys, 200);
    assert_eq!(codes(&report), [FindingCode::HotKey]);
    let finding = &report.findings[0];
    assert_eq!(finding.title, "hot holds 30% of the rows");
    assert!(
        finding.message.contains("60.")
            && finding
                .message
                .contains("Beyond 3 partitions it alone is more than an even one"),
        "{}",
        finding.message
    );
    assert!(
        finding.cost_seconds > 100.0 && finding.remedy.contains("hot key"),
        "{finding:?}"
    );
    // 28,571 rows of 24 bytes are small in absolute terms.
    assert_eq!(finding.severity, Severity::Note);
    let kinds = kinds(&report);
    assert!(
        kinds.starts_with(&["salt", "two stages"]) && kinds.contains(&"broadcast"),
        "{kinds:?}"
    );
    assert!(!kinds.contains(&"isolate") && !kinds.contains(&"compound"));
    let salt = report.remedies[0].after.as_ref().unwrap();
    assert!(salt.max_over_mean.unwrap() < 1.75);
    let other = report
        .remedies
        .iter()
        .find(|offered| matches!(offered.remedy, Remedy::OtherPartitions { .. }));
    // A number that makes the slowest task slower is none that helps.
    assert!(
        other.is_none_or(|offered| {
            offered.after.as_ref().unwrap().straggler_seconds <= report.partitions.metrics.straggler_seconds
        }),
        "{other:?}"
    );
    assert!(report.remedies[0].saved_seconds.unwrap() > 100.0);
    check_loads(&report, 28_571);
    assert!(!report.warnings.is_empty());
}

#[test]
fn a_hot_sentinel_is_told_apart_and_can_be_isolated() {
    let mut values: Vec<Option<String>> = vec![None; 6000];
    values.extend((0..20_000).map(|i| Some(format!("user-{i}"))));
    let keys = hashed(&df!("user" => values).unwrap(), &["user"], CountBudget::default());
    let report = report(&keys, 100);
    assert_eq!(codes(&report), [FindingCode::SentinelKey]);
    assert!(report.findings[0].message.contains("It is null, not a value."));
    let isolation = report
        .remedies
        .iter()
        .find(|offered| matches!(offered.remedy, Remedy::IsolateSentinels { .. }))
        .unwrap();
    assert!(isolation.after.as_ref().unwrap().max_over_mean.unwrap() < 1.5);
    assert_eq!(isolation.loads.iter().sum::<u64>(), 20_000);
    check_loads(&report, 26_000);
}

#[test]
fn few_even_keys_collide_and_that_is_no_hot_key() {
    let first = chrono::NaiveDate::from_ymd_opt(2024, 1, 1).unwrap();
    let days: Vec<String> = first.iter_days().take(366).map(|day| day.to_string()).collect();
    let rows: Vec<(&str, usize)> = days.iter().map(|day| (day.as_str(), 10)).collect();
    let report = report(&keys(&rows), 200);
    // With 16 slots the largest of 200 small tasks hides behind the others.
    assert_eq!(
        codes(&report),
        [FindingCode::CollisionSkew, FindingCode::Harmless]
    );
    let message = &report.findings[0].message;
    assert!(message.contains("3.8 × the mean and leave 27 empty"), "{message}");
    assert!(
        report
            .remedies
            .iter()
            .any(|offered| matches!(offered.remedy, Remedy::CompoundKey { .. }))
    );
    assert!(
        !report
            .remedies
            .iter()
            .any(|offered| matches!(offered.remedy, Remedy::Salt { .. }))
    );
    check_loads(&report, 3660);
}

#[test]
fn fewer_keys_than_partitions_are_too_few() {
    let report = report(&keys(&[("DE", 50), ("FR", 50), ("IT", 50)]), 200);
    assert!(
        codes(&report).contains(&FindingCode::TooFewKeys),
        "{:?}",
        codes(&report)
    );
    assert!(
        report
            .findings
            .iter()
            .any(|finding| finding.title == "3 keys cannot fill 200 partitions")
    );
    assert_eq!(report.choice.max_useful, Some(3));
}

#[test]
fn even_keys_hidden_skew_and_no_rows_are_harmless_and_said_so() {
    let even = report(&many(&[], 20_000, 1), 16);
    assert_eq!(codes(&even), [FindingCode::Harmless]);
    assert!(even.findings[0].title.contains("`k` is even over 16 partitions"));
    assert!(
        even.warnings.is_empty() && even.remedies.is_empty(),
        "{:?}",
        even.remedies
    );
    // With two slots the hot key's task hides behind all others.
    let one_slot = CostModel { slots: 2, ..slow() };
    let hot = many(&[("hot", 500)], 20_000, 1);
    let hidden = key_report(&hot, hot.profile(5), 200, Weight::Rows, &one_slot);
    assert!(
        codes(&hidden).contains(&FindingCode::Harmless),
        "{:?}",
        codes(&hidden)
    );
    assert!(hidden.findings.iter().all(|finding| finding.cost_seconds == 0.0));
    let none = report(&keys(&[]), 200);
    assert_eq!(codes(&none), [FindingCode::Harmless]);
    assert_eq!(none.findings[0].title, "There are no rows");
}

#[test]
fn spellings_of_one_key_are_a_finding() {
    let report = report(&many(&[("Berlin", 3), ("berlin", 2)], 2000, 2), 16);
    let finding = report
        .findings
        .iter()
        .find(|finding| finding.code == FindingCode::KeyVariants)
        .unwrap();
    assert_eq!(finding.title, "One key is written in several ways");
    assert!(finding.message.contains("`Berlin`, `berlin`") && finding.message.contains("5 rows"));
}

#[test]
fn findings_are_sorted_by_cost() {
    let report = report(&many(&[("a", 3000), ("b", 6000), ("c", 4000)], 20_000, 1), 200);
    // Three hot keys are one finding, and the largest comes first in it.
    assert_eq!(codes(&report), [FindingCode::HotKey]);
    assert_eq!(report.findings[0].title, "3 keys hold 39% of the rows");
    let message = &report.findings[0].message;
    assert!(
        message
            .starts_with("b 18% (6,000 rows), c 12% (4,000 rows), a 9.1% (3,000 rows): the first is 36.4 ×"),
        "{message}"
    );
}

#[test]
fn findings_of_several_kinds_are_sorted_by_cost() {
    let mut values: Vec<Option<String>> = vec![None; 3000];
    values.extend(vec![Some("hot".to_owned()); 9000]);
    values.extend((0..20_000).map(|i| Some(format!("user-{i}"))));
    let keys = hashed(&df!("user" => values).unwrap(), &["user"], CountBudget::default());
    let report = report(&keys, 100);
    assert_eq!(codes(&report), [FindingCode::HotKey, FindingCode::SentinelKey]);
    let costs: Vec<f64> = report
        .findings
        .iter()
        .map(|finding| finding.cost_seconds)
        .collect();
    assert!(costs.is_sorted_by(|a, b| a >= b) && costs[1] > 0.0, "{costs:?}");
    // Without null the hot key's partition is as large as before: leaving null out saves nothing.
    assert!(
        !report
            .remedies
            .iter()
            .any(|offered| matches!(offered.remedy, Remedy::IsolateSentinels { .. })),
        "{:?}",
        report
            .remedies
            .iter()
            .map(|offered| &offered.title)
            .collect::<Vec<_>>()
    );
}

#[test]
fn more_hot_keys_than_are_named_are_counted() {
    let names: Vec<String> = (0..7).map(|i| format!("shop-{i}")).collect();
    let hot: Vec<(&str, usize)> = names.iter().map(|name| (name.as_str(), 1000)).collect();
    let report = report(&many(&hot, 20_000, 1), 200);
    // Each is smaller than what 16 slots do of the whole meanwhile.
    assert_eq!(codes(&report), [FindingCode::HotKey, FindingCode::Harmless]);
    assert_eq!(report.findings[0].title, "7 keys hold 26% of the rows");
    assert!(
        report.findings[0]
            .message
            .contains("(1,000 rows) and 2 smaller: the first is 7.4 ×"),
        "{}",
        report.findings[0].message
    );
}

#[test]
fn keys_of_more_columns_that_were_counted_too_are_offered_with_their_loads() {
    let n = 8000_i64;
    let df = df!(
        "country" => (0..n).map(|i| if i % 2 == 0 { "US".to_owned() } else { format!("C{}", i % 97) }).collect::<Vec<_>>(),
        "user" => (0..n).collect::<Vec<_>>(),
    )
    .unwrap();
    let keys = hashed(&df, &["country"], CountBudget::default());
    let wider = hashed(&df, &["country", "user"], CountBudget::default());
    let report = super::key_report_among(&keys, keys.profile(5), 20, Weight::Rows, &slow(), &[wider]);
    let offered = report
        .remedies
        .iter()
        .find(|offered| matches!(&offered.remedy, Remedy::CompoundKey { added, .. } if added == &["user"]))
        .unwrap();
    assert!(
        offered.after.as_ref().unwrap().max_over_mean.unwrap() < 1.5,
        "{offered:?}"
    );
    assert!(offered.saved_seconds.unwrap() > 0.0);
    check_loads(&report, 8000);
}

/// What a remedy promises holds when the rows are placed one by one by another program's rule.
#[test]
fn the_loads_of_salts_are_those_of_rows_that_are_dealt_out_one_by_one() {
    use xxhash_rust::xxh3::xxh3_64;

    use super::super::SparkType;
    use super::super::partition_of;
    use super::super::spark_hash::spark_hash;
    use super::super::value::KeyValue;
    use crate::dataset::row_bytes;

    let report = report(&many(&[("warm", 2000), ("hot", 8571)], 20_000, 1), 200);
    let salt = &report.remedies[0];
    let Remedy::Salt { keys: salted, .. } = &salt.remedy else {
        panic!("{salt:?}");
    };
    assert_eq!(salted.len(), 2);
    let mut loads = vec![0_u64; 200];
    let mut deal = |key: &str, salt: i32| {
        let values = [KeyValue::Text(key), KeyValue::Int(i64::from(salt))];
        let hash = spark_hash(&values, &[SparkType::String, SparkType::Int]).unwrap();
        loads[partition_of(hash, 200) as usize] += 1;
    };
    // The rows as they were counted: the key, and the number of the row.
    let names = std::iter::repeat_n("warm".to_owned(), 2000)
        .chain(std::iter::repeat_n("hot".to_owned(), 8571))
        .chain((0..20_000).map(|i| format!("key-{i}")));
    for (row, name) in (0_u64..).zip(names) {
        let rows = df!("k" => [name.as_str()], "row" => [row]).unwrap();
        let mut hash = 0;
        row_bytes::for_each_row(rows.columns(), |bytes| hash = xxh3_64(bytes)).unwrap();
        let salt = salted.iter().find(|key| key.label == name).map_or(0, |key| {
            key.salts[usize::try_from(hash % key.salts.len() as u64).unwrap()]
        });
        deal(&name, salt);
    }
    assert_eq!(salt.prediction, Some(Prediction::Counted));
    assert_eq!(salt.loads, loads);
    let (max, mean) = (*loads.iter().max().unwrap(), 30_571.0 / 200.0);
    let after = salt.after.as_ref().unwrap();
    assert_eq!(after.max, max);
    assert!((after.max_over_mean.unwrap() - max as f64 / mean).abs() < 1e-9);
    let row_seconds = report.partitions.metrics.ideal_seconds * 16.0 / 30_571.0;
    let straggler = (max as f64 - 30_571.0 / 16.0).max(0.0) * row_seconds;
    assert!((after.straggler_seconds - straggler).abs() < 1e-6);
}

#[test]
fn candidate_columns_are_ranked_with_a_verdict() {
    let n = 20_000_i64;
    let df = df!(
        "user" => (0..n).collect::<Vec<_>>(),
        "country" => (0..n).map(|i| ["US", "DE", "US", "FR"][usize::try_from(i % 4).unwrap()]).collect::<Vec<_>>(),
        "session" => (0..n).map(|i| (i % 3 > 0).then_some(i)).collect::<Vec<_>>(),
    )
    .unwrap();
    let candidates = ["country", "session", "user"].map(|name| hashed(&df, &[name], CountBudget::default()));
    let ranked = rank(&candidates, 100, Weight::Rows, &slow());
    let order: Vec<(&str, &str)> = ranked
        .iter()
        .map(|key| (key.columns[0].as_str(), key.verdict.as_str()))
        .collect();
    assert_eq!(
        order,
        [
            ("user", "even"),
            ("session", "null is 33% of the rows"),
            ("country", "US is 50% of the rows")
        ]
    );
    let compound = hashed(&df, &["country", "user"], CountBudget::default());
    let ranked = rank(&[candidates[0].clone(), compound], 100, Weight::Rows, &slow());
    assert_eq!(ranked[0].columns, ["country", "user"]);
}

#[test]
fn what_was_counted_until_a_cancel_is_labelled_partial_everywhere() {
    let mut counter = KeyCounter::new(&["k"], CountBudget::default()).unwrap();
    counter.add(&df!("k" => ["a", "b", "a"]).unwrap()).unwrap();
    let partial = Accuracy::Partial { n: 3 };
    let counts = Arc::new(counter.finish(partial));
    let types = default_types(&counts).unwrap();
    let keys = HashedKeys::new(counts, types).unwrap();
    let report = report(&keys, 4);
    assert_eq!(
        (report.profile.accuracy, report.partitions.accuracy),
        (partial, partial)
    );
    assert_eq!(report.partitions.loads.iter().sum::<u64>(), 3);
}

/// Keys whose sizes fall slowly: none is hot by itself, yet they meet.
#[test]
fn many_moderately_large_keys_are_a_long_tail_and_not_hot() {
    let names: Vec<String> = (0..400).map(|i| format!("shop-{i}")).collect();
    let rows: Vec<(&str, usize)> = names
        .iter()
        .zip(0..400)
        .map(|(name, i)| (name.as_str(), 400 / (i / 8 + 1)))
        .collect();
    let report = report(&keys(&rows), 10);
    let hot: Vec<&str> = report
        .findings
        .iter()
        .filter(|finding| finding.code == FindingCode::HotKey)
        .map(|finding| finding.title.as_str())
        .collect();
    // One of the largest, 2.8% of the rows each, is none at ten partitions: 4·(1 − h) / h is 138.6.
    let [hot] = hot[..] else {
        panic!("{hot:?}");
    };
    assert!(
        hot.ends_with(" holds 2.8% of the rows, and dominates from 139 partitions on"),
        "{hot}"
    );
}

#[test]
fn rows_that_are_equal_are_not_promised_to_part() {
    use super::super::testing::hashed_of;

    // Half of the rows are of one key, and of those all but a few are equal in every column.
    let n = 20_000_i64;
    let df = df!(
        "k" => (0..n).map(|i| if i % 2 == 0 { "hot".to_owned() } else { format!("k{i}") }).collect::<Vec<_>>(),
        "x" => (0..n).map(|i| if i % 50 == 0 { i } else { 0 }).collect::<Vec<_>>(),
    )
    .unwrap();
    let keys = hashed_of(&df, &["k"], CountBudget::default());
    let equal = report(&keys, 100);
    assert!(!kinds(&equal).contains(&"salt") && !kinds(&equal).contains(&"two stages"));
    for kind in ["salt", "two_stage_aggregation"] {
        let declined = equal
            .declined
            .iter()
            .find(|declined| declined.kind == kind)
            .unwrap();
        assert!(
            declined.reason.contains(
                "9,601 rows of key hot are equal in every column: they share a salt and stay together."
            ),
            "{}",
            declined.reason
        );
    }
    // With a column that tells them apart the same rows are spread.
    let apart = report(&hashed(&df, &["k"], CountBudget::default()), 100);
    assert!(kinds(&apart).contains(&"salt"), "{:?}", kinds(&apart));
    assert!(
        apart
            .remedies
            .iter()
            .all(|offered| !offered.message.contains("are equal in every column"))
    );
}

#[test]
fn what_is_said_of_a_sample_names_it_and_promises_no_time_that_is_not_known() {
    let values: Vec<String> = (0..2000)
        .map(|i| {
            if i % 2 == 0 {
                "hot".to_owned()
            } else {
                format!("k{i}")
            }
        })
        .collect();
    let df = df!("k" => values, "id" => (0..2000_i64).collect::<Vec<_>>()).unwrap();
    let of = |accuracy: Accuracy| {
        let mut counter = KeyCounter::new(&["k"], CountBudget::default()).unwrap();
        counter.add(&df).unwrap();
        let counts = Arc::new(counter.finish(accuracy));
        let types = default_types(&counts).unwrap();
        report(&HashedKeys::new(counts, types).unwrap(), 100)
    };
    let unknown = of(Accuracy::Sample { n: 2000, of: None });
    assert_eq!(
        unknown.findings[0].title,
        "hot holds 50% of the rows in the sample of 2,000 rows"
    );
    assert!(unknown.findings.iter().all(|finding| finding.cost_seconds == 0.0));
    assert!(!unknown.findings[0].message.contains("after the others could"));
    let salt = &unknown.remedies[0];
    assert!(
        salt.gain
            .starts_with("In the sample of 2,000 rows the largest partition becomes 9")
            && !salt.gain.contains("saves"),
        "{}",
        salt.gain
    );
    assert_eq!(salt.saved_seconds, None);
    assert!(!kinds(&unknown).contains(&"partitions") && !unknown.profile.tells_time());
    let known = of(Accuracy::Sample {
        n: 2000,
        of: Some(100_000),
    });
    let all = of(Accuracy::Exact);
    assert!(
        known.remedies[0].gain.contains(", which saves about ")
            && known.remedies[0]
                .gain
                .ends_with(" (estimated for all 100,000 rows)."),
        "{}",
        known.remedies[0].gain
    );
    let ratio = known.findings[0].cost_seconds / all.findings[0].cost_seconds;
    assert!((ratio - 50.0).abs() < 1e-6, "{ratio}");
    assert!(!kinds(&known).contains(&"partitions"));
    assert_eq!(all.findings[0].title, "hot holds 50% of the rows");
}

#[test]
fn findings_table_and_remedies_speak_of_one_number_of_partitions() {
    for (hot, n_keys, n) in [
        (0, 60, 200),
        (3000, 300, 200),
        (0, 5000, 4),
        (900, 12, 7),
        (0, 5000, 100_000),
    ] {
        let report = report(&many(&[("hot", hot)], n_keys, 3), n);
        let recommended = report.choice.recommended.unwrap();
        let offered: Vec<u32> = report
            .remedies
            .iter()
            .filter_map(|offered| match offered.remedy {
                Remedy::OtherPartitions { n_partitions } => Some(n_partitions),
                _ => None,
            })
            .collect();
        let expected: Vec<u32> = (recommended != n).then_some(recommended).into_iter().collect();
        assert_eq!(offered, expected, "{hot} {n_keys} {n}");
        let marked: Vec<u32> = report
            .choice
            .candidates
            .iter()
            .filter(|candidate| candidate.is_recommended)
            .map(|candidate| candidate.n_partitions)
            .collect();
        assert_eq!(marked, [recommended]);
        for finding in &report.findings {
            let wrong = if recommended >= n {
                "fewer partitions"
            } else {
                "more partitions"
            };
            assert!(
                !finding.remedy.contains(wrong),
                "{n} to {recommended}: {}",
                finding.remedy
            );
        }
    }
}

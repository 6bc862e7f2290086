//! Which remedies are offered for keys of known kinds, in which order, and what findings advise.

use polars::prelude::{NamedFrom as _, Series, df};

use super::super::testing::{check_loads, codes, hashed, kinds, many, report, slow};
use super::super::{CountBudget, HashedKeys, KeyReport, Remedy, Weight, key_report, rank};
use crate::profile::{CostModel, FindingCode};

/// Rows of a key that is `hot` as often as said, and otherwise each time another.
fn with_hot(hot: Option<&str>, n_hot: usize, n_others: usize) -> HashedKeys {
    let mut values: Vec<Option<String>> = vec![hot.map(str::to_owned); n_hot];
    values.extend((0..n_others).map(|i| Some(format!("user-{i}"))));
    hashed(&df!("user" => values).unwrap(), &["user"], CountBudget::default())
}

fn reason<'a>(report: &'a KeyReport, kind: &str) -> &'a str {
    let declined = report.declined.iter().find(|declined| declined.kind == kind);
    &declined.unwrap_or_else(|| panic!("{:?}", report.declined)).reason
}

#[test]
fn null_is_kept_out_or_grouped_in_stages_and_no_join_is_salted_for_it() {
    let report = report(&with_hot(None, 6000, 20_000), 100);
    assert_eq!(kinds(&report), ["isolate", "two stages", "broadcast"]);
    assert!(
        reason(&report, "salt")
            .starts_with("No join matches null: an inner join drops such rows before the shuffle"),
        "{:?}",
        report.declined
    );
    // What the finding advises is what the first button does.
    assert_eq!(
        report.findings[0].remedy,
        format!("{}.", report.remedies[0].title)
    );
    assert!(
        report.remedies[0]
            .title
            .starts_with("Keep null out of the shuffle")
    );
    assert!(
        report.remedies[0]
            .message
            .contains("An inner join drops null by itself")
    );
}

#[test]
fn null_beside_a_hot_key_is_salted_with_it_and_a_hot_key_that_gains_nothing_is_not() {
    let mut values: Vec<Option<String>> = vec![None; 3000];
    values.extend(vec![Some("hot".to_owned()); 9000]);
    values.extend((0..20_000).map(|i| Some(format!("user-{i}"))));
    let keys = hashed(&df!("user" => values).unwrap(), &["user"], CountBudget::default());
    let told = report(&keys, 100);
    let salt = &told.remedies[0];
    assert!(
        matches!(&salt.remedy, Remedy::Salt { keys, .. } if keys.len() == 2)
            && salt.message.contains("Null has salts too"),
        "{salt:?}"
    );
    assert!(
        reason(&told, "isolate_sentinels").contains("another key makes it"),
        "{:?}",
        told.declined
    );
    let of_null = told
        .findings
        .iter()
        .find(|finding| finding.code == FindingCode::SentinelKey)
        .unwrap();
    assert!(
        of_null.remedy.starts_with("Filter null before the shuffle"),
        "{}",
        of_null.remedy
    );
    let of_hot = told
        .findings
        .iter()
        .find(|finding| finding.code == FindingCode::HotKey)
        .unwrap();
    assert_eq!(of_hot.remedy, format!("{}.", salt.title));
}

#[test]
fn nan_is_a_key_that_can_be_salted_and_is_better_kept_out() {
    let x: Vec<f64> = (0..26_000)
        .map(|i| if i < 6000 { f64::NAN } else { f64::from(i) })
        .collect();
    let keys = hashed(&df!("x" => x).unwrap(), &["x"], CountBudget::default());
    let report = report(&keys, 100);
    assert_eq!(kinds(&report), ["isolate", "salt", "two stages", "broadcast"]);
    for offered in &report.remedies[..3] {
        let after = offered.after.as_ref().unwrap();
        assert!(after.max * 10 < report.partitions.metrics.max, "{offered:?}");
    }
    assert!(report.remedies[0].message.contains("To Spark NaN equals NaN"));
    check_loads(&report, 26_000);
}

#[test]
fn a_remedy_says_what_it_gains_and_the_largest_gain_comes_first() {
    let report = report(&with_hot(Some(""), 6000, 20_000), 100);
    assert_eq!(kinds(&report), ["isolate", "salt", "two stages", "broadcast"]);
    let saved: Vec<f64> = report.remedies[..3]
        .iter()
        .map(|offered| offered.saved_seconds.unwrap())
        .collect();
    assert!(saved.is_sorted_by(|a, b| a >= b) && saved[2] > 0.0, "{saved:?}");
    for offered in &report.remedies[..3] {
        let (now, after) = (report.partitions.metrics.max, offered.after.as_ref().unwrap().max);
        let said = format!(
            "smaller: {} instead of {}, which saves ",
            Weight::Rows.words(after),
            Weight::Rows.words(now)
        );
        assert!(offered.gain.contains(&said), "{}", offered.gain);
    }
    assert_eq!(report.remedies[3].gain, "");
}

#[test]
fn what_would_save_no_time_is_not_offered_and_the_reason_is_told() {
    // One slot does one task after the other: none waits for the largest.
    let hot = many(&[("hot", 500)], 200, 1);
    let hidden = key_report(
        &hot,
        hot.profile(5),
        200,
        Weight::Rows,
        &CostModel { slots: 1, ..slow() },
    );
    assert!(!kinds(&hidden).contains(&"salt") && !kinds(&hidden).contains(&"two stages"));
    assert!(
        reason(&hidden, "salt").starts_with("It would save no time"),
        "{:?}",
        hidden.declined
    );
    // A list is no value that the step could name.
    let lists: Vec<Series> = (0..4000_i64)
        .map(|i| Series::new("".into(), [if i % 2 == 0 { 0 } else { i }]))
        .collect();
    let keys = hashed(&df!("tags" => lists).unwrap(), &["tags"], CountBudget::default());
    let of_lists = report(&keys, 50);
    assert_eq!(
        reason(&of_lists, "salt"),
        "The step `salt` cannot name [0]: it is a list. Make a column of text or numbers of it first, or take fields of it \
         as the key."
    );
    assert_eq!(of_lists.declined.len(), 2);
}

#[test]
fn a_key_that_will_dominate_is_told_where_few_partitions_are_even() {
    let hot = many(&[("hot", 7000)], 13_000, 1);
    let two = report(&hot, 2);
    assert_eq!(codes(&two), [FindingCode::HotKey, FindingCode::Harmless]);
    // By `1 + h·N / (1 − h)` above 5 for h = 0.35: N > 7.43; by `h·N + 1 − h` at least 1.5: N ≥ 2.43.
    assert_eq!(
        two.findings[0].title,
        "hot holds 35% of the rows, and dominates from 8 partitions on"
    );
    assert!(
        two.findings[0]
            .message
            .contains("from 3 partitions on that is at least 1.5 ×")
            && two.findings[0].message.contains("it would be 71 × the mean"),
        "{}",
        two.findings[0].message
    );
    assert!(two.findings[1].title.contains("is even over 2 partitions"));
    assert!(two.findings[1].message.contains("nothing to do at this number."));
    // Another number is better for all rows together, and the finding says so too.
    assert_eq!(kinds(&two), ["partitions"]);
    assert!(
        two.findings[1].message.ends_with(&two.choice.advice),
        "{}",
        two.findings[1].message
    );
    assert_eq!(
        rank(std::slice::from_ref(&hot), 2, Weight::Rows, &slow())[0].verdict,
        "even over 2, but hot is 35% of the rows"
    );
    let ratio = |n: u32| report(&hot, n).partitions.metrics.max_over_median.unwrap();
    assert!(ratio(7) < 5.0 && ratio(8) > 5.0, "{} {}", ratio(7), ratio(8));
    // From where it is larger than an even partition it is hot, and nothing is said twice.
    for n in [3, 4, 8, 200] {
        assert_eq!(codes(&report(&hot, n)), [FindingCode::HotKey], "{n}");
    }
    // Keys of even sizes do not dominate, however few they are.
    let even = report(&many(&[], 40, 50), 2);
    assert_eq!(codes(&even), [FindingCode::Harmless], "{:?}", even.findings);
}

#[test]
fn a_key_of_nulls_alone_is_told_to_be_none() {
    let report = report(&with_hot(None, 500, 0), 200);
    let finding = &report.findings[0];
    assert_eq!(
        (finding.code, finding.title.as_str(), finding.remedy.as_str()),
        (
            FindingCode::SentinelKey,
            "null holds all rows: `user` has no other value",
            "Choose another key."
        )
    );
    assert!(finding.message.contains("An inner join by it drops them all"));
    let ranked = rank(&[with_hot(None, 500, 0)], 200, Weight::Rows, &slow());
    assert_eq!(ranked[0].verdict, "null is all there is");
}

#[test]
fn zero_may_be_meant_and_the_finding_says_so() {
    let x: Vec<i64> = (0..26_000).map(|i| if i < 6000 { 0 } else { i }).collect();
    let keys = hashed(&df!("x" => x).unwrap(), &["x"], CountBudget::default());
    let message = &report(&keys, 100).findings[0].message;
    assert!(
        message.contains("0 often stands for \"not known\", unless it is meant."),
        "{message}"
    );
}

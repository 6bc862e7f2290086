//! Counting keys: what is one key, what does not fit the memory, what is refused.

use std::sync::Arc;

use polars::prelude::{
    DataFrame, DataType, IntoColumn, IntoSeries as _, NamedFrom, Series, StructChunked, df,
};

use super::super::tally::{KEYS_A_LOOK, Mode, add_until};
use super::{CountBudget, KeyCounter, KeyError};
use crate::base::{Accuracy, Cancel};
use crate::profile::keys::counts::KeyCounts;
use crate::profile::keys::types::{Counted, Distinct, Weight};
use crate::profile::keys::{HashedKeys, SparkType};

const SMALL: CountBudget = CountBudget {
    n_bytes: 4 << 20,
    sample_keys: 2000,
};

fn counted(df: &DataFrame, columns: &[&str], budget: CountBudget) -> KeyCounts {
    let mut counter = KeyCounter::new(columns, budget).unwrap();
    counter.add(df).unwrap();
    counter.finish(Accuracy::Exact)
}

/// Label of every kept key with its rows.
fn rows(counts: &KeyCounts) -> Vec<(String, u64)> {
    counts
        .keys()
        .iter()
        .map(|key| {
            let values = counts.values(key);
            let labels: Vec<String> = values
                .iter()
                .zip(counts.columns())
                .map(|(value, (_, dtype))| value.label(dtype))
                .collect();
            (labels.join(" · "), key.n_rows)
        })
        .collect()
}

fn pairs(expected: &[(&str, u64)]) -> Vec<(String, u64)> {
    expected
        .iter()
        .map(|(label, n)| ((*label).to_owned(), *n))
        .collect()
}

#[test]
fn null_empty_and_the_word_null_are_three_keys() {
    let df = df!("k" => [Some("a"), None, Some(""), Some("null"), Some("a"), None, None]).unwrap();
    let counts = counted(&df, &["k"], CountBudget::default());
    assert_eq!(
        rows(&counts),
        pairs(&[("null", 3), ("a", 2), ("\"\" (empty)", 1), ("\"null\"", 1)])
    );
    assert!(counts.distinct.is_exact && counts.distinct.n == 4);
    assert_eq!(counts.counted, Counted::Exact);
}

#[test]
fn minus_zero_is_zero_and_there_is_one_nan_as_in_spark_s_grouping() {
    let other_nan = f64::from_bits(0xfff8_0000_0000_0001);
    let df = df!("k" => [0.0, -0.0, f64::NAN, other_nan, 1.5, -0.0]).unwrap();
    let counts = counted(&df, &["k"], CountBudget::default());
    assert_eq!(rows(&counts), pairs(&[("0.0", 3), ("NaN", 2), ("1.5", 1)]));
    assert_eq!(counts.totals.n_normalized, 3);
}

#[test]
fn lists_and_structs_are_keys_by_their_values() {
    let list = |items: &[i64]| Series::new("".into(), items);
    let lists = Series::new(
        "l".into(),
        [list(&[1, 2]), list(&[2, 1]), list(&[1, 2]), list(&[])],
    );
    let mut df = df!("n" => [1_i64, 1, 1, 2]).unwrap();
    df.with_column(lists.into_column()).unwrap();
    let counts = counted(&df, &["l"], CountBudget::default());
    assert_eq!(rows(&counts)[0], ("[1,2]".to_owned(), 2));
    assert_eq!(counts.distinct.n, 3);
    let compound = counted(&df, &["n", "l"], CountBudget::default());
    assert_eq!(rows(&compound)[0], ("1 · [1,2]".to_owned(), 2));
}

#[test]
fn a_column_that_is_missing_or_no_key_is_refused_plainly() {
    let df = df!("price" => [1_i64]).unwrap();
    let mut counter = KeyCounter::new(&["prise"], SMALL).unwrap();
    assert_eq!(
        counter.add(&df).unwrap_err().to_string(),
        "column `prise` not found: did you mean `price`?"
    );
    assert_eq!(
        KeyCounter::new::<&str>(&[], SMALL).unwrap_err(),
        KeyError::NoColumns
    );
    let time = Series::new("t".into(), [1_i64]).cast(&DataType::Time);
    if let Ok(time) = time {
        let df = DataFrame::new(1, vec![time.into_column()]).unwrap();
        let mut counter = KeyCounter::new(&["t"], SMALL).unwrap();
        assert!(
            counter
                .add(&df)
                .unwrap_err()
                .to_string()
                .contains("cannot be a key")
        );
    }
    let other = KeyCounter::new(&["x"], SMALL).unwrap();
    let error = KeyCounter::new(&["y"], SMALL).unwrap().merge(other).unwrap_err();
    assert_eq!(
        error.to_string(),
        "counters of different keys cannot be merged: y and x"
    );
}

#[test]
fn no_rows_at_all_are_no_keys() {
    let counts = counted(&df!("k" => Vec::<i64>::new()).unwrap(), &["k"], SMALL);
    assert_eq!(
        (counts.n_rows(), counts.distinct.n, counts.keys().len()),
        (0, 0, 0)
    );
}

/// A hot key, a warm one, and many that occur once or twice.
fn skewed(n: i64, from: i64) -> DataFrame {
    let keys: Vec<i64> = (0..n)
        .map(|row| match row % 10 {
            0..=2 => -7,
            3 => -8,
            _ => from + row,
        })
        .collect();
    df!("k" => keys).unwrap()
}

#[test]
fn counts_merge_to_those_of_all_rows_in_any_order() {
    let batches = [skewed(500, 0), skewed(300, 100), skewed(700, 50)];
    let mut whole = KeyCounter::new(&["k"], SMALL).unwrap();
    for batch in &batches {
        whole.add(batch).unwrap();
    }
    let parts = || {
        batches.iter().map(|batch| {
            let mut part = KeyCounter::new(&["k"], SMALL).unwrap();
            part.add(batch).unwrap();
            part
        })
    };
    let expected = rows(&whole.finish(Accuracy::Exact));
    for reverse in [false, true] {
        let mut parts: Vec<KeyCounter> = parts().collect();
        if reverse {
            parts.reverse();
        }
        let mut merged = KeyCounter::new(&["k"], SMALL).unwrap();
        for part in parts {
            merged.merge(part).unwrap();
        }
        assert_eq!(rows(&merged.finish(Accuracy::Exact)), expected);
    }
}

#[test]
fn above_the_budget_counts_keep_their_bounds_also_when_some_were_exact_before() {
    // 180,000 keys of one row do not fit four megabytes.
    let (large, small) = (skewed(300_000, 0), skewed(1000, 10_000_000));
    let counter = |df: &DataFrame| {
        let mut counter = KeyCounter::new(&["k"], SMALL).unwrap();
        for start in (0..df.height()).step_by(8192) {
            counter.add(&df.slice(start.cast_signed() as i64, 8192)).unwrap();
        }
        counter
    };
    for (mut one, other) in [
        (counter(&large), counter(&small)),
        (counter(&small), counter(&large)),
    ] {
        one.merge(other).unwrap();
        assert!(one.memory_bytes() <= 4 << 20, "{}", one.memory_bytes());
        let counts = one.finish(Accuracy::Exact);
        let Counted::Sketch {
            max_error_rows,
            max_error_share,
            n_sampled,
        } = counts.counted
        else {
            panic!("counted exactly: {:?}", counts.counted);
        };
        assert!(
            n_sampled > 1000 && max_error_share < 0.01,
            "{n_sampled} {max_error_share}"
        );
        for (label, n) in [("-7", 90_300_u64), ("-8", 30_100)] {
            let at = rows(&counts)
                .iter()
                .position(|(found, _)| found == label)
                .unwrap();
            let key = counts.keys()[at];
            assert!(key.rows_low <= n && n <= key.rows_high, "{key:?}");
            assert!(key.n_rows.abs_diff(n) <= max_error_rows);
        }
        // Rows 4 to 9 of each ten are keys of their own.
        let n_keys = 180_600 + 2;
        assert!(
            counts.distinct.low <= n_keys && n_keys <= counts.distinct.high,
            "{:?}",
            counts.distinct
        );
        let kept: u64 = counts.keys().iter().map(|key| key.n_rows).sum();
        assert!(kept.abs_diff(301_000 - counts.unseen.n_rows) <= max_error_rows * 4);
    }
}

#[test]
fn texts_of_any_length_are_told_apart_and_do_not_fill_the_memory() {
    let long = |end: &str| format!("{}{end}", "x".repeat(100_000));
    let df = df!("k" => [long("a"), long("b"), long("a")]).unwrap();
    let mut counter = KeyCounter::new(&["k"], SMALL).unwrap();
    counter.add(&df).unwrap();
    assert!(counter.memory_bytes() < 10_000);
    let counts = counter.finish(Accuracy::Exact);
    let found = rows(&counts);
    assert_eq!(found.iter().map(|(_, n)| *n).collect::<Vec<_>>(), [2, 1]);
    assert!(found[0].0.starts_with("xxx") && found[0].0.ends_with('…'));
    assert_eq!(counts.totals.n_long, 3);
}

/// A counter of the keys `range`, of which key n has `n % 5 + 1` rows, and the first 1,000 rows more.
fn counter_of(range: std::ops::Range<i64>) -> KeyCounter {
    let first = range.start;
    let mut keys: Vec<i64> = range
        .flat_map(|n| vec![n; usize::try_from(n % 5 + 1).unwrap()])
        .collect();
    keys.extend(vec![first; 1000]);
    let mut counter = KeyCounter::new(&["k"], CountBudget::default()).unwrap();
    counter.add(&polars::df!("k" => keys).unwrap()).unwrap();
    counter
}

#[test]
fn a_cancel_ends_a_merge_within_so_many_keys_and_no_row_is_lost() {
    let (mine, theirs) = (counter_of(0..30_000), counter_of(20_000..60_000));
    let (Mode::Exact(mut mine_table), Mode::Exact(table)) = (mine.keys.mode().clone(), theirs.keys.mode())
    else {
        panic!("few keys are counted exactly");
    };
    // The first look is before the first key, the second after 8,192.
    assert_eq!(
        add_until(&mut mine_table, table, &Cancel::at_look(2)),
        KEYS_A_LOOK
    );
    assert_eq!(add_until(&mut mine_table, table, &Cancel::at_look(1)), 0);
    let n_rows = mine.n_rows() + theirs.n_rows();
    for n_looks in 1..=4 {
        let mut merged = mine.clone();
        merged
            .merge_until(theirs.clone(), &Cancel::at_look(n_looks), 2000)
            .unwrap();
        let counts = merged.finish_largest(500);
        assert_eq!((counts.n_rows(), counts.keys().len()), (n_rows, 500));
        let Distinct {
            low, high, is_exact, ..
        } = counts.distinct;
        assert!(
            !is_exact && low <= 60_000 && 60_000 <= high,
            "{:?}",
            counts.distinct
        );
        // Both hot keys are there, within their bounds.
        for hot in &counts.keys()[..2] {
            let is_near = |n: u64| hot.rows_low <= n && n <= hot.rows_high;
            // One of them has a row more on the other side.
            assert!(is_near(1001) || is_near(1002), "{hot:?}");
        }
        assert_eq!(counts.totals.accuracy, Accuracy::Partial { n: n_rows });
    }
}

#[test]
fn the_largest_keys_alone_have_the_figures_of_all_of_them() {
    let counter = counter_of(0..30_000);
    let all = HashedKeys::new(Arc::new(counter.finish(Accuracy::Exact)), vec![SparkType::BigInt]).unwrap();
    let costs = crate::profile::CostModel::default();
    let whole = (all.profile(5), all.simulate(20, Weight::Rows, &costs));
    for largest in [counter.finish_largest(700), all.counts().largest(700)] {
        assert_eq!((largest.keys().len(), largest.n_set_aside), (700, 29_300));
        let keys = HashedKeys::new(Arc::new(largest), vec![SparkType::BigInt]).unwrap();
        let (profile, simulated) = (keys.profile(5), keys.simulate(20, Weight::Rows, &costs));
        assert_eq!(profile.top[0], whole.0.top[0]);
        assert_eq!(
            (profile.distinct, profile.n_rows),
            (whole.0.distinct, whole.0.n_rows)
        );
        let is_near = |a: Option<f64>, b: Option<f64>| (a.unwrap() / b.unwrap() - 1.0).abs() < 1e-9;
        assert!(is_near(profile.entropy_bits, whole.0.entropy_bits), "{profile:?}");
        assert!(is_near(profile.effective_keys, whole.0.effective_keys));
        assert_eq!(
            simulated.loads.iter().sum::<u64>(),
            whole.1.loads.iter().sum::<u64>()
        );
        let ratio = simulated.metrics.max_over_mean.unwrap() / whole.1.metrics.max_over_mean.unwrap();
        assert!((0.9..1.1).contains(&ratio), "{ratio}");
        assert!(matches!(simulated.accuracy, Accuracy::Partial { .. }));
        let note = "only the 700 largest keys were looked at one by one; 29,300 other keys are taken as spread evenly";
        assert!(
            profile.notes.iter().any(|said| said.contains(note)),
            "{:?}",
            profile.notes
        );
    }
    assert!(whole.0.notes.is_empty());
}

#[test]
fn a_field_of_a_struct_is_counted_as_a_column_of_its_values_is() {
    let country = Series::new("country".into(), [Some("US"), Some("US"), None, Some("DE")]);
    let user = StructChunked::from_series("user".into(), 4, [country.clone()].iter()).unwrap();
    let mut df = df!("n" => [1_i64, 1, 2, 2]).unwrap();
    df.with_column(user.into_series().into_column()).unwrap();
    let flat =
        df!("user.country" => [Some("US"), Some("US"), None, Some("DE")], "n" => [1_i64, 1, 2, 2]).unwrap();
    for key in [&["user.country"][..], &["n", "user.country"]] {
        let (nested, flat) = (
            counted(&df, key, CountBudget::default()),
            counted(&flat, key, CountBudget::default()),
        );
        assert_eq!(rows(&nested), rows(&flat));
        assert_eq!(nested.columns(), flat.columns());
    }
    let error = KeyCounter::new(&["user.contry"], SMALL)
        .unwrap()
        .check(df.schema())
        .unwrap_err();
    assert_eq!(
        error.to_string(),
        "column `user.contry` not found: did you mean `user.country`?"
    );
}

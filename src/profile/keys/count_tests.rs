//! Counting keys: what is one key, what does not fit the memory, what is refused.

use polars::prelude::{DataFrame, DataType, IntoColumn, NamedFrom, Series, df};

use super::{CountBudget, KeyCounter, KeyError};
use crate::base::Accuracy;
use crate::profile::keys::counts::KeyCounts;
use crate::profile::keys::types::Counted;

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

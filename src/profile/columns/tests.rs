//! Profiles against counts by hand: every kind of column, the odd values of each, and merged parts.

use std::collections::{BTreeMap, BTreeSet};

use polars::prelude::{Column, DataFrame, DataType, IntoColumn, NamedFrom, Series, TimeUnit, TimeZone, df};
use proptest::prelude::*;

use super::profiler::profile_of;
use super::{ColumnProfile, ColumnProfiler, Level, Scalar, Scale};
use crate::dataset::decode::Drift;

fn one(column: Column) -> ColumnProfile {
    profile_of(column, Level::Full).remove(0)
}

fn quantile(profile: &ColumnProfile, q: f64) -> &Scalar {
    &profile
        .quantiles
        .iter()
        .find(|quantile| (quantile.q - q).abs() < 1e-9)
        .unwrap()
        .value
}

fn top(profile: &ColumnProfile) -> Vec<(&Scalar, u64)> {
    profile.top.iter().map(|top| (&top.value, top.n)).collect()
}

#[test]
fn integers_have_exact_figures() {
    let profile = one(Column::new(
        "n".into(),
        [Some(3_i64), None, Some(1), Some(3), Some(9)],
    ));
    assert_eq!(
        (profile.n_rows, profile.n_null, profile.n_missing),
        (5, 1, Some(0))
    );
    assert_eq!(profile.n_distinct, Some(3));
    assert_eq!(
        (profile.min.clone(), profile.max.clone()),
        (Some(Scalar::Int(1)), Some(Scalar::Int(9)))
    );
    assert_eq!(profile.mean, Some(4.0));
    assert!((profile.std.unwrap() - 12_f64.sqrt()).abs() < 1e-12);
    assert_eq!(quantile(&profile, 0.5), &Scalar::Int(3));
    assert_eq!(top(&profile)[0], (&Scalar::Int(3), 2));
    assert!((profile.top[0].share - 0.5).abs() < 1e-12);
    let histogram = profile.histogram.unwrap();
    assert_eq!((histogram.scale, histogram.bins.len()), (Scale::Integer, 9));
    assert_eq!(profile.ranks.unwrap().values.len(), 201);
    assert!(profile.accuracy.n_distinct.is_exact() && profile.accuracy.top.is_exact());
    let large = one(Column::new("n".into(), [i64::MAX, i64::MIN]));
    assert_eq!(large.max, Some(Scalar::Int(i64::MAX)));
    assert_eq!(large.n_distinct, Some(2));
}

#[test]
fn what_a_float_rounds_is_not_called_exact() {
    let near = (1_i64 << 53) + 1;
    let profile = one(Column::new("n".into(), [near, near, 0]));
    assert_eq!(profile.max, Some(Scalar::Int(near)));
    assert!(!profile.accuracy.quantiles.is_exact() && !profile.accuracy.histogram.is_exact());
    assert!(profile.accuracy.n_distinct.is_exact() && profile.accuracy.top.is_exact());
    // One float stands for both, but they are counted as they are.
    let unsigned = one(Column::new("u".into(), [u64::MAX, u64::MAX - 1]));
    assert!(unsigned.accuracy.n_distinct.is_exact() && !unsigned.accuracy.quantiles.is_exact());
    assert_eq!(
        (&unsigned.n_distinct, &unsigned.max),
        (&Some(2), &Some(Scalar::UInt(u64::MAX)))
    );
    assert_eq!(top(&unsigned).len(), 2);
    let small = one(Column::new("u".into(), [1_u64, 2, 0]));
    assert!(small.accuracy.n_distinct.is_exact() && small.accuracy.quantiles.is_exact());
    assert_eq!(
        (small.min, small.max, small.mean),
        (Some(Scalar::Int(0)), Some(Scalar::Int(2)), Some(1.0))
    );
    assert_eq!(small.histogram.unwrap().scale, Scale::Integer);
}

#[test]
fn bytes_that_are_no_text_are_counted_as_hexadecimal_digits() {
    let bytes: [Option<&[u8]>; 4] = [Some(&[0xff, 0x00]), Some(&[0xff, 0x00]), None, Some(b"a")];
    let profile = one(Column::new("b".into(), bytes));
    assert_eq!((profile.n_null, profile.n_distinct), (1, Some(2)));
    assert_eq!(top(&profile)[0], (&Scalar::Text("ff00".to_owned()), 2));
    assert_eq!(profile.min, Some(Scalar::Text("61".to_owned())));
}

#[test]
fn there_are_never_more_distinct_values_than_values() {
    for n in [5000_i64, 6000, 9000, 20_000] {
        let all = one(Column::new("n".into(), (0..n).collect::<Vec<_>>()));
        assert!(
            all.n_distinct.unwrap() <= n.unsigned_abs(),
            "{:?}",
            all.n_distinct
        );
        let texts: Vec<String> = (0..n).map(|n| n.to_string()).collect();
        let all = one(Column::new("t".into(), texts));
        assert!(
            all.n_distinct.unwrap() <= n.unsigned_abs(),
            "{:?}",
            all.n_distinct
        );
    }
}

#[test]
fn nan_infinities_and_the_zeros_are_told_and_do_not_spoil_the_rest() {
    let values = [f64::NAN, -f64::NAN, f64::INFINITY, -0.0, 0.0, 2.0, 4.0];
    let profile = one(Column::new("x".into(), values));
    assert_eq!((profile.n_nan, profile.n_infinite), (Some(2), Some(1)));
    assert_eq!(profile.n_distinct, Some(5), "NaN, inf, 0, 2, 4");
    assert_eq!(profile.min, Some(Scalar::Float(0.0)));
    assert_eq!(profile.max, Some(Scalar::Text("inf".to_owned())));
    assert_eq!(profile.mean, Some(1.5));
    assert_eq!(
        profile
            .histogram
            .as_ref()
            .unwrap()
            .bins
            .iter()
            .map(|bin| bin.n)
            .sum::<u64>(),
        4
    );
    let counts: BTreeMap<String, u64> = profile
        .top
        .iter()
        .map(|top| (serde_json::to_string(&top.value).unwrap(), top.n))
        .collect();
    assert_eq!((counts["\"NaN\""], counts["0.0"]), (2, 2));
    let only_nan = one(Column::new("x".into(), [f64::NAN]));
    assert_eq!(
        (only_nan.min, only_nan.mean, only_nan.histogram),
        (None, None, None)
    );
    let huge = one(Column::new("x".into(), [f64::MAX, f64::MAX, f64::MIN]));
    assert_eq!((huge.mean.is_some(), huge.std), (false, None));
    assert!(serde_json::to_string(&huge).is_ok());
}

#[test]
fn columns_of_nulls_and_no_rows_have_counts_and_nothing_else() {
    for dtype in [
        DataType::Int64,
        DataType::Float64,
        DataType::String,
        DataType::Boolean,
        DataType::Date,
        DataType::List(Box::new(DataType::Int64)),
        DataType::Null,
    ] {
        for n in [0, 3] {
            let column = Series::full_null("c".into(), n, &dtype).into_column();
            for level in [Level::Summary, Level::Full] {
                let profiles = profile_of(column.clone(), level);
                let profile = &profiles[0];
                assert_eq!(
                    (profile.n_rows, profile.n_null, profile.n_values()),
                    (n as u64, n as u64, 0)
                );
                assert_eq!(
                    (&profile.min, &profile.mean, &profile.histogram),
                    (&None, &None, &None),
                    "{dtype}"
                );
                assert!(profile.quantiles.is_empty() && profile.top.is_empty() && profile.lengths.is_none());
                assert_eq!(profile.null_share(), (n > 0).then_some(1.0));
            }
        }
    }
}

#[test]
fn texts_have_lengths_in_characters_and_huge_ones_are_cut() {
    let huge = "ö".repeat(100_000);
    let profile = one(Column::new("t".into(), ["", "b", "äöü", "b", huge.as_str()]));
    assert_eq!((profile.n_empty, profile.n_distinct), (Some(1), Some(4)));
    let lengths = profile.lengths.as_ref().unwrap();
    assert_eq!(
        (lengths.min, lengths.max, lengths.mean),
        (0, 100_000, 100_005.0 / 5.0)
    );
    assert_eq!(profile.min, Some(Scalar::Text(String::new())));
    assert_eq!(top(&profile)[0], (&Scalar::Text("b".to_owned()), 2));
    assert!(serde_json::to_string(&profile).unwrap().len() < 10_000);
    let Some(Scalar::Text(max)) = profile.max else {
        panic!()
    };
    assert_eq!(max.chars().count(), 201);
}

#[test]
fn times_are_shown_as_dates_and_their_histogram_by_the_calendar() {
    let at = Series::new("at".into(), [0_i64, 86_400_000_000, 172_800_500_000])
        .cast(&DataType::Datetime(TimeUnit::Microseconds, Some(TimeZone::UTC)))
        .unwrap();
    let profile = one(at.into_column());
    assert_eq!(profile.min, Some(Scalar::Text("1970-01-01T00:00:00Z".to_owned())));
    assert_eq!(
        profile.max,
        Some(Scalar::Text("1970-01-03T00:00:00.500Z".to_owned()))
    );
    assert_eq!(
        quantile(&profile, 0.5),
        &Scalar::Text("1970-01-02T00:00:00Z".to_owned())
    );
    assert_eq!(
        (profile.mean, profile.histogram.unwrap().scale),
        (None, Scale::Time)
    );
    assert!((profile.ranks.unwrap().values[200] - 172_800.5).abs() < 1e-6);
    let dates = Series::new("d".into(), [0_i32, 31])
        .cast(&DataType::Date)
        .unwrap();
    let profile = one(dates.into_column());
    assert_eq!(profile.max, Some(Scalar::Text("1970-02-01".to_owned())));
    assert_eq!(profile.histogram.unwrap().bins[0].label, "1970-01-01");
}

#[test]
fn bools_have_the_share_that_is_true() {
    let profile = one(Column::new(
        "b".into(),
        [Some(true), None, Some(true), Some(false)],
    ));
    assert_eq!((profile.n_distinct, profile.mean), (Some(2), Some(2.0 / 3.0)));
    assert_eq!(
        top(&profile),
        [(&Scalar::Bool(true), 2), (&Scalar::Bool(false), 1)]
    );
}

#[test]
fn nested_columns_are_found_by_their_path_and_lists_have_lengths() {
    let ids = Series::new("id".into(), [1_i64, 2, 3]);
    let cities = Series::new("city".into(), [Some("a"), None, Some("b")]);
    let place = DataFrame::new(3, vec![ids.into_column(), cities.into_column()])
        .unwrap()
        .into_struct("place".into());
    let tags = Series::new(
        "tags".into(),
        [
            Some(Series::new("".into(), ["x", "y"])),
            Some(Series::new("".into(), Vec::<&str>::new())),
            None,
        ],
    );
    let df = DataFrame::new(3, vec![Series::from(place).into_column(), tags.into_column()]).unwrap();
    for df in [df.clone(), df.slice(0, 3)] {
        let mut profiler = ColumnProfiler::new(df.schema(), Level::Full);
        profiler.add(&df).unwrap();
        let columns = profiler.finish(true);
        let names: Vec<&str> = columns.iter().map(|profile| profile.name.as_str()).collect();
        assert_eq!(names, ["place", "place.id", "place.city", "tags", "tags[]"]);
        assert_eq!((columns[2].n_null, columns[2].n_distinct), (1, Some(2)));
        let lengths = columns[3].lengths.as_ref().unwrap();
        let of_rows = (columns[0].n_distinct, columns[3].n_distinct);
        assert_eq!(of_rows, (Some(3), Some(2)));
        assert_eq!((lengths.min, lengths.mean, lengths.max), (0, 1.0, 2));
        assert_eq!(
            (columns[3].n_null, columns[4].n_rows, columns[4].n_distinct),
            (1, 2, Some(2))
        );
    }
    let last = df.slice(1, 2);
    let mut profiler = ColumnProfiler::new(last.schema(), Level::Full);
    profiler.add(&last).unwrap();
    let columns = profiler.finish(true);
    assert_eq!(columns[4].n_rows, 0, "items before a slice are not its own");
    assert_eq!(columns[1].min, Some(Scalar::Int(2)));
}

#[test]
fn missing_keys_are_no_nulls_and_conflicts_are_named() {
    let df = df!("a" => [Some(1_i64), None, None]).unwrap();
    let mut profiler = ColumnProfiler::new(df.schema(), Level::Summary);
    profiler.add(&df).unwrap();
    let mut drift = Drift::default();
    let seen = crate::dataset::decode::Mismatch {
        n: 1,
        expected: "int64".to_owned(),
        first_got: "string \"n/a\"".to_owned(),
        first_object: "o".to_owned(),
        first_line: 2,
    };
    drift.mismatched.insert("a".to_owned(), seen);
    profiler.add_noticed(&BTreeMap::from([("a".to_owned(), 1)]), &drift);
    let after_a_recipe = profiler.clone().finish(false).remove(0);
    assert_eq!((after_a_recipe.n_null, after_a_recipe.n_missing), (2, None));
    let profile = profiler.finish(true).remove(0);
    assert_eq!(
        (profile.n_null, profile.n_missing, profile.n_values()),
        (1, Some(1), 1)
    );
    assert_eq!(profile.null_share(), Some(2.0 / 3.0));
    assert_eq!(profile.conflict.unwrap().first_got, "string \"n/a\"");
    assert!(
        profile.top.is_empty() && profile.histogram.is_none(),
        "a summary has none"
    );
}

#[test]
fn many_values_are_estimated_and_say_so() {
    let n = 60_000_i64;
    let profile = one(Column::new(
        "id".into(),
        (0..n).map(|i| i * 7_919 % n).collect::<Vec<_>>(),
    ));
    let accuracy = profile.accuracy;
    assert!(!accuracy.n_distinct.is_exact() && !accuracy.quantiles.is_exact() && !accuracy.top.is_exact());
    assert!((profile.n_distinct.unwrap() as f64 / n as f64 - 1.0).abs() < 0.065);
    assert!(profile.top.is_empty(), "no value is frequent");
    let Scalar::Int(median) = quantile(&profile, 0.5) else {
        panic!()
    };
    assert!((*median as f64 / n as f64 - 0.5).abs() < 2.0 * accuracy.quantiles.error.unwrap());
    assert_eq!(profile.mean, Some((n - 1) as f64 / 2.0));
    assert_eq!(profile.max, Some(Scalar::Int(n - 1)));
}

fn frame(rows: &[(Option<i64>, Option<String>, f64)]) -> DataFrame {
    df!(
        "n" => rows.iter().map(|row| row.0).collect::<Vec<_>>(),
        "t" => rows.iter().map(|row| row.1.clone()).collect::<Vec<_>>(),
        "x" => rows.iter().map(|row| row.2).collect::<Vec<_>>(),
    )
    .unwrap()
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn merged_parts_are_the_whole_and_agree_with_counts_by_hand(
        rows in proptest::collection::vec(
            (
                proptest::option::of(-20_i64..20),
                proptest::option::of("[ab]{0,2}"),
                prop_oneof![(-50_i32..50).prop_map(f64::from), Just(f64::NAN), Just(f64::NEG_INFINITY)],
            ),
            0..80,
        ),
        cuts in proptest::collection::vec(any::<proptest::sample::Index>(), 0..4),
    ) {
        let mut cuts: Vec<usize> = cuts.iter().map(|cut| cut.index(rows.len() + 1)).collect();
        cuts.extend([0, rows.len()]);
        cuts.sort_unstable();
        let df = frame(&rows);
        for level in [Level::Summary, Level::Full] {
            let mut whole = ColumnProfiler::new(df.schema(), level);
            whole.add(&df).unwrap();
            let mut merged = ColumnProfiler::new(df.schema(), level);
            for pair in cuts.windows(2) {
                let mut part = ColumnProfiler::new(df.schema(), level);
                part.add(&frame(&rows[pair[0]..pair[1]])).unwrap();
                merged.merge(part);
            }
            let (mut whole, mut merged) = (whole.finish(true), merged.finish(true));
            for (whole, merged) in whole.iter_mut().zip(&mut merged) {
                // Sums of floats depend on their order in the last digits.
                for (a, b) in [
                    (whole.mean.take(), merged.mean.take()),
                    (whole.std.take(), merged.std.take()),
                ] {
                    let close = |a: f64, b: f64| (a - b).abs() <= 1e-9 * a.abs().max(1.0);
                    prop_assert!(a.zip(b).map_or(a == b, |(a, b)| close(a, b)), "{:?} {:?}", a, b);
                }
                if let (Some(a), Some(b)) = (&mut whole.lengths, &mut merged.lengths) {
                    prop_assert!((a.mean - b.mean).abs() < 1e-9);
                    a.mean = b.mean;
                }
            }
            prop_assert_eq!(&whole, &merged);
            let texts: Vec<&String> = rows.iter().filter_map(|row| row.1.as_ref()).collect();
            prop_assert_eq!(whole[1].n_null, (rows.len() - texts.len()) as u64);
            prop_assert_eq!(whole[1].n_distinct, Some(texts.iter().collect::<BTreeSet<_>>().len() as u64));
            let least = texts.iter().min().map(|text| Scalar::Text((*text).clone()));
            prop_assert_eq!(&whole[1].min, &least);
            prop_assert_eq!(whole[1].n_empty, Some(texts.iter().filter(|text| text.is_empty()).count() as u64));
            let least = rows.iter().filter_map(|row| row.0).min().map(Scalar::Int);
            prop_assert_eq!(&whole[0].min, &least);
        }
    }
}

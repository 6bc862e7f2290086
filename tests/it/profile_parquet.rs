//! `skewer profile` on Parquet's types: figures beside those computed from the values that were written.

use std::sync::Arc;

use arrow::array::{
    Array as _, ArrayRef, BinaryArray, BooleanArray, Date32Array, Decimal128Array, DictionaryArray,
    Float32Array, Int32Array, LargeStringArray, ListArray, RecordBatch, StructArray, Time64MicrosecondArray,
    TimestampMicrosecondArray, TimestampMillisecondArray, TimestampNanosecondArray, UInt64Array,
    new_null_array,
};
use arrow::buffer::OffsetBuffer;
use arrow::datatypes::{DataType, Field, Int32Type, Schema};
use serde_json::{Value, json};

use crate::cli::{json, text_of, write};
use crate::dataset::parquet_of;

fn profile(columns: Vec<(&str, ArrayRef)>) -> Vec<Value> {
    let fields: Vec<Field> = columns
        .iter()
        .map(|(name, array)| Field::new(*name, array.data_type().clone(), true))
        .collect();
    let arrays = columns.into_iter().map(|(_, array)| array).collect();
    let batch = RecordBatch::try_new(Arc::new(Schema::new(fields)), arrays).unwrap();
    let folder = tempfile::tempdir().unwrap();
    let file = write(folder.path(), "a.parquet", parquet_of(&batch));
    json(&["profile", text_of(&file), "--json"])["columns"]
        .as_array()
        .unwrap()
        .clone()
}

fn range(profile: &Value) -> [Value; 2] {
    [profile["min"].clone(), profile["max"].clone()]
}

fn median(profile: &Value) -> Value {
    let quantiles = profile["quantiles"].as_array().unwrap();
    let middle = quantiles.iter().find(|quantile| quantile["q"] == 0.5);
    middle.map_or(Value::Null, |middle| middle["value"].clone())
}

#[test]
fn decimals_are_ordered_by_size_wherever_they_are() {
    let cents: Vec<Option<i128>> = (0..200_i128)
        .map(|i| (i % 10 > 0).then_some(i * 100 - 1050))
        .collect();
    let known: Vec<i128> = cents.iter().copied().flatten().collect();
    let price = || {
        Decimal128Array::from(cents.clone())
            .with_precision_and_scale(12, 2)
            .unwrap()
    };
    let long: Vec<i128> = (0..200).map(|i| 90_071_992_547_409_930 + i).collect();
    let long = Decimal128Array::from(long)
        .with_precision_and_scale(38, 0)
        .unwrap();
    let inside = StructArray::from(vec![(
        Arc::new(Field::new("price", price().data_type().clone(), true)),
        Arc::new(price()) as ArrayRef,
    )]);
    let lists = ListArray::new(
        Arc::new(Field::new("item", price().data_type().clone(), true)),
        OffsetBuffer::from_lengths(std::iter::repeat_n(2, 100).chain(std::iter::repeat_n(0, 100))),
        Arc::new(price()),
        None,
    );
    let columns = profile(vec![
        ("price", Arc::new(price())),
        ("long", Arc::new(long)),
        ("offer", Arc::new(inside)),
        ("prices", Arc::new(lists)),
    ]);
    let names: Vec<&str> = columns
        .iter()
        .filter_map(|column| column["name"].as_str())
        .collect();
    assert_eq!(
        names,
        ["price", "long", "offer", "offer.price", "prices", "prices[]"]
    );
    let mean = known.iter().sum::<i128>() as f64 / known.len() as f64 / 100.0;
    for at in [0, 3, 5] {
        let price = &columns[at];
        assert_eq!(range(price), [json!(-9.5), json!(188.5)], "{price}");
        assert_eq!(
            (&price["n_null"], &price["n_distinct"]),
            (&20.into(), &180.into())
        );
        assert!((price["mean"].as_f64().unwrap() - mean).abs() < 1e-9, "{price}");
        // The 90th of 180.
        assert_eq!(median(price), json!(known[89] as f64 / 100.0));
        let bins = price["histogram"]["bins"].as_array().unwrap();
        assert_eq!(bins.iter().filter_map(|bin| bin["n"].as_u64()).sum::<u64>(), 180);
        assert_eq!(
            (&price["accuracy"]["quantiles"]["kind"], &price["lengths"]),
            (&"exact".into(), &Value::Null)
        );
        // As a filter on the column needs it.
        assert!(price["top"][0]["value"].is_string());
    }
    // More digits than a float has: exact all the same, but what is computed is no longer called exact.
    let long = &columns[1];
    assert_eq!(
        range(long),
        [
            json!(90_071_992_547_409_930_i64),
            json!(90_071_992_547_410_129_i64)
        ]
    );
    assert_eq!(
        (&long["n_distinct"], &long["accuracy"]["quantiles"]["kind"]),
        (&200.into(), &"estimate".into())
    );
}

#[test]
fn large_unsigned_integers_keep_every_digit() {
    let large: Vec<u64> = (0..300).map(|i| u64::MAX - i % 100).collect();
    let small: Vec<u64> = (0..300).map(|i| i % 7).collect();
    let columns = profile(vec![
        ("large", Arc::new(UInt64Array::from(large))),
        ("small", Arc::new(UInt64Array::from(small))),
    ]);
    assert_eq!(range(&columns[0]), [json!(u64::MAX - 99), json!(u64::MAX)]);
    assert_eq!(columns[0]["n_distinct"], 100);
    assert_eq!(columns[0]["top"][0]["n"], 3);
    assert_eq!(columns[0]["accuracy"]["quantiles"]["kind"], "estimate");
    assert_eq!(
        (range(&columns[1]), median(&columns[1])),
        ([json!(0), json!(6)], json!(3))
    );
    assert_eq!(columns[1]["histogram"]["scale"], "integer");
}

#[test]
fn times_of_every_unit_are_iso_8601_on_their_own_clock() {
    let seconds: Vec<i64> = (0..10).map(|i| 1_577_836_800 + i * 3600).collect();
    let of = |factor: i64| seconds.iter().map(|s| s * factor).collect::<Vec<_>>();
    let days: Vec<i32> = (0..10).map(|i| 18_262 + i).collect();
    let noon: Vec<i64> = (0..10).map(|i| 43_200_000_000 + i).collect();
    let columns = profile(vec![
        ("ms", Arc::new(TimestampMillisecondArray::from(of(1000)))),
        (
            "us",
            Arc::new(TimestampMicrosecondArray::from(of(1_000_000)).with_timezone("UTC")),
        ),
        (
            "berlin",
            Arc::new(TimestampMicrosecondArray::from(of(1_000_000)).with_timezone("Europe/Berlin")),
        ),
        ("ns", Arc::new(TimestampNanosecondArray::from(of(1_000_000_000)))),
        ("date", Arc::new(Date32Array::from(days))),
        ("time", Arc::new(Time64MicrosecondArray::from(noon))),
    ]);
    let ranges: Vec<[Value; 2]> = columns.iter().map(range).collect();
    assert_eq!(ranges[0], ["2020-01-01T00:00:00", "2020-01-01T09:00:00"]);
    assert_eq!(ranges[1], ["2020-01-01T00:00:00Z", "2020-01-01T09:00:00Z"]);
    assert_eq!(
        ranges[2],
        ["2020-01-01T01:00:00+01:00", "2020-01-01T10:00:00+01:00"]
    );
    assert_eq!(ranges[3], ranges[0]);
    assert_eq!(ranges[4], ["2020-01-01", "2020-01-10"]);
    assert_eq!(ranges[5], ["12:00:00", "12:00:00.000009"]);
    for column in &columns[..5] {
        assert_eq!(column["n_distinct"], 10);
        let bins = column["histogram"]["bins"].as_array().unwrap();
        assert_eq!(
            bins.iter().filter_map(|bin| bin["n"].as_u64()).sum::<u64>(),
            10,
            "{column}"
        );
    }
}

#[test]
fn odd_values_of_other_types_are_counted_and_nothing_is_no_json() {
    let floats = [f32::NAN, f32::INFINITY, f32::NEG_INFINITY, -0.0, 0.0, 1.5];
    let words: DictionaryArray<Int32Type> = [Some("b"), Some("a"), None, Some("b"), Some("b"), Some("ä")]
        .into_iter()
        .collect();
    let columns = profile(vec![
        ("f", Arc::new(Float32Array::from(floats.to_vec()))),
        ("d", Arc::new(words)),
        (
            "l",
            Arc::new(LargeStringArray::from(vec![
                Some(""),
                None,
                Some("xx"),
                None,
                Some("x"),
                None,
            ])),
        ),
        (
            "b",
            Arc::new(BinaryArray::from(vec![
                &[0xff_u8, 0][..],
                &[0xff, 0],
                &[],
                &[1],
                &[1],
                &[1],
            ])),
        ),
        (
            "t",
            Arc::new(BooleanArray::from(vec![
                Some(true),
                None,
                Some(false),
                Some(false),
                None,
                Some(false),
            ])),
        ),
        ("none", new_null_array(&DataType::Null, 6)),
        ("no_int", Arc::new(Int32Array::new_null(6))),
    ]);
    let [floats, words, large, bytes, bools, none, no_int] = &columns[..] else {
        panic!("{columns:#?}")
    };
    assert_eq!(range(floats), [json!("-inf"), json!("inf")]);
    assert_eq!(
        (&floats["n_nan"], &floats["n_infinite"], &floats["n_distinct"]),
        (&1.into(), &2.into(), &5.into())
    );
    assert_eq!(floats["mean"], 0.5);
    assert_eq!(
        (range(words), &words["n_null"]),
        ([json!("a"), json!("ä")], &1.into())
    );
    assert_eq!(
        (&words["top"][0]["value"], &words["top"][0]["n"]),
        (&"b".into(), &3.into())
    );
    assert_eq!(
        (&large["n_empty"], &large["lengths"]["max"]),
        (&1.into(), &2.into())
    );
    assert_eq!(
        (&bytes["n_distinct"], &bytes["top"][0]["value"]),
        (&3.into(), &"01".into())
    );
    assert_eq!((&bools["mean"], &bools["n_null"]), (&0.25.into(), &2.into()));
    for column in [none, no_int] {
        assert_eq!(
            (&column["n_null"], &column["n_distinct"], &column["min"]),
            (&6.into(), &0.into(), &Value::Null)
        );
        assert!(
            column["histogram"].is_null() && column["mean"].is_null(),
            "{column}"
        );
    }
}

//! Which rows have to meet: one number per row, the same for keys that a step takes for equal, or in the order of a sort.
//!
//! Keys become bytes by arrow-rs' row format, which tells null from empty and nests. Numbers that are equal without being
//! the same bits (`-0.0` and `0.0`, all `NaN`s) are made the same first, as polars does where it compares rows.

use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray, Float32Array, Float64Array, LargeListArray, StructArray};
use arrow::compute::SortOptions;
use arrow::datatypes::{DataType, Float32Type, Float64Type};
use arrow::error::ArrowError;
use arrow::row::{RowConverter, SortField};
use polars::prelude::{AnyValue, DataFrame};
use xxhash_rust::xxh3::xxh3_64;

use super::frame::FrameError;
use crate::dataset::arrow_bridge;
use crate::transform::SortKey;

/// Rows that are bytes at one time.
const CHUNK_ROWS: usize = 4096;
/// A key in a message is cut after this many characters.
const SHOWN_CHARS: usize = 80;

/// A hash of the columns `names` for each row of `df`.
pub(super) fn hashes(df: &DataFrame, names: &[String]) -> Result<Vec<u64>, FrameError> {
    let mut hashes = Vec::with_capacity(df.height());
    let columns = names.iter().map(|name| (name.as_str(), SortOptions::default()));
    each_row(df, columns, |row| hashes.push(xxh3_64(row)))?;
    Ok(hashes)
}

/// A word for each row of `df` that is never larger than that of a row which `keys` sort behind it: eight of the bytes
/// that stand for the row's place, `depth` words from their start. Also says whether any row has bytes behind that.
pub(super) fn order_words(
    df: &DataFrame,
    keys: &[SortKey],
    depth: usize,
) -> Result<(Vec<u64>, bool), FrameError> {
    let mut words = Vec::with_capacity(df.height());
    let mut has_more = false;
    let columns = keys.iter().map(|key| {
        let options = SortOptions {
            descending: key.is_descending,
            nulls_first: false,
        };
        (key.column.as_str(), options)
    });
    each_row(df, columns, |row| {
        let rest = row.get(depth * size_of::<u64>()..).unwrap_or_default();
        let mut word = [0; size_of::<u64>()];
        for (to, from) in word.iter_mut().zip(rest) {
            *to = *from;
        }
        words.push(u64::from_be_bytes(word));
        has_more |= rest.len() > word.len();
    })?;
    Ok((words, has_more))
}

/// The bytes of each row's values in `columns`, which compare as the rows do.
fn each_row<'a>(
    df: &DataFrame,
    columns: impl Iterator<Item = (&'a str, SortOptions)>,
    mut each: impl FnMut(&[u8]),
) -> Result<(), FrameError> {
    let (names, options): (Vec<&str>, Vec<SortOptions>) = columns.unzip();
    let keys = df.select(names);
    let keys = keys.map_err(|source| arrow_bridge::BridgeError::Frame { source })?;
    let batch = arrow_bridge::to_arrow(&keys)?;
    let columns: Vec<ArrayRef> = batch.columns().iter().map(canonical).collect::<Result<_, _>>()?;
    let fields = columns
        .iter()
        .zip(options)
        .map(|(column, options)| SortField::new_with_options(column.data_type().clone(), options));
    let converter = RowConverter::new(fields.collect())?;
    let mut start = 0;
    while start < df.height() {
        let n_rows = CHUNK_ROWS.min(df.height() - start);
        let chunk: Vec<ArrayRef> = columns.iter().map(|column| column.slice(start, n_rows)).collect();
        for row in &converter.convert_columns(&chunk)? {
            each(row.as_ref());
        }
        start += n_rows;
    }
    Ok(())
}

/// `id = 7, site = "de"`: the key of the first row.
pub(super) fn shown(df: &DataFrame, names: &[String]) -> String {
    let values = names.iter().map(|name| {
        let value = df.column(name).ok().and_then(|column| column.get(0).ok());
        format!("{name} = {}", value.unwrap_or(AnyValue::Null))
    });
    let text = values.collect::<Vec<_>>().join(", ");
    match text.char_indices().nth(SHOWN_CHARS) {
        Some((at, _)) => format!("{}…", text.get(..at).unwrap_or_default()),
        None => text,
    }
}

fn canonical(array: &ArrayRef) -> Result<ArrayRef, ArrowError> {
    Ok(match array.data_type() {
        DataType::Float32 => {
            let values: Float32Array = array
                .as_primitive::<Float32Type>()
                .unary(|x| if x.is_nan() { f32::NAN } else { x + 0.0 });
            Arc::new(values)
        }
        DataType::Float64 => {
            let values: Float64Array = array
                .as_primitive::<Float64Type>()
                .unary(|x| if x.is_nan() { f64::NAN } else { x + 0.0 });
            Arc::new(values)
        }
        DataType::LargeList(field) if field.data_type().is_nested() || field.data_type().is_floating() => {
            let list = array.as_list::<i64>();
            Arc::new(LargeListArray::try_new(
                Arc::clone(field),
                list.offsets().clone(),
                canonical(list.values())?,
                list.nulls().cloned(),
            )?)
        }
        DataType::Struct(fields) => {
            let values = array.as_struct();
            let columns = values.columns().iter().map(canonical).collect::<Result<_, _>>()?;
            Arc::new(StructArray::try_new_with_length(
                fields.clone(),
                columns,
                values.nulls().cloned(),
                values.len(),
            )?)
        }
        _ => Arc::clone(array),
    })
}

#[cfg(test)]
mod tests {
    use polars::prelude::{DataFrame, DataType, IntoColumn, IntoSeries, NamedFrom, Series, TimeUnit, df};

    use super::{hashes, order_words, shown};
    use crate::transform::SortKey;

    fn hash(column: Series) -> Vec<u64> {
        let df = DataFrame::new(column.len(), vec![column.with_name("k".into()).into_column()]).unwrap();
        hashes(&df, &["k".to_owned()]).unwrap()
    }

    fn all_differ(hashes: &[u64]) -> bool {
        let mut sorted = hashes.to_vec();
        sorted.sort_unstable();
        sorted.dedup();
        sorted.len() == hashes.len()
    }

    #[test]
    fn equal_numbers_meet_whatever_their_bits() {
        let odd_nan = f64::from_bits(f64::NAN.to_bits() | 0x8000_0000_0000_0001);
        let x = Series::new(
            "".into(),
            [
                Some(0.0),
                Some(-0.0),
                Some(f64::NAN),
                Some(odd_nan),
                None,
                Some(1.0),
            ],
        );
        let check = |hashes: Vec<u64>| {
            assert_eq!((hashes[0], hashes[2]), (hashes[1], hashes[3]));
            assert!(all_differ(&[hashes[0], hashes[2], hashes[4], hashes[5]]));
        };
        check(hash(x.clone()));
        check(hash(x.cast(&DataType::Float32).unwrap()));
        let fields = DataFrame::new(6, vec![x.clone().with_name("f".into()).into_column()]).unwrap();
        check(hash(fields.into_struct("".into()).into_series()));
        let lists: Vec<Series> = (0..6).map(|row| x.slice(row, 1)).collect();
        check(hash(Series::new("".into(), lists)));
    }

    #[test]
    fn null_and_empty_differ_and_columns_do_not_run_together() {
        let words = Series::new("".into(), ["a"]);
        let empty = words.clear();
        let lists: polars::prelude::ListChunked = [None, Some(empty), Some(words)].into_iter().collect();
        assert!(all_differ(&hash(lists.into_series())));
        assert!(all_differ(&hash(Series::new(
            "".into(),
            [Some(""), None, Some("a")]
        ))));
        let dates = Series::new("".into(), [1_i64, 2])
            .cast(&DataType::Datetime(TimeUnit::Microseconds, None))
            .unwrap();
        assert!(all_differ(&hash(dates)));
        let df = df!("a" => ["x", "xy"], "b" => ["yz", "z"]).unwrap();
        assert!(all_differ(
            &hashes(&df, &["a".to_owned(), "b".to_owned()]).unwrap()
        ));
    }

    #[test]
    fn a_key_hashes_alike_in_every_batch_and_is_shown_shortened() {
        let key = |n: i64| df!("a" => [n, 7], "t" => ["some", "text"]).unwrap();
        let names = ["a".to_owned(), "t".to_owned()];
        assert_eq!(
            hashes(&key(1), &names).unwrap()[1],
            hashes(&key(2), &names).unwrap()[1]
        );
        assert_eq!(shown(&key(1), &names), "a = 1, t = \"some\"");
        let long = df!("t" => ["x".repeat(500)]).unwrap();
        assert_eq!(shown(&long, &names[1..]).chars().count(), 81);
    }

    #[test]
    fn words_rise_with_the_order_of_a_sort_and_tell_rows_apart_in_the_end() {
        let df = df!(
            "x" => [Some(f64::NEG_INFINITY), Some(-0.0), Some(0.0), Some(7.5), Some(f64::NAN), None],
            "t" => ["b", "a", "a", "a text that is longer", "", "z"],
        )
        .unwrap();
        let key = |column: &str, is_descending| SortKey {
            column: column.to_owned(),
            is_descending,
        };
        let rows_of = |keys: &[SortKey]| -> Vec<Vec<u64>> {
            let mut rows = vec![Vec::new(); df.height()];
            for depth in 0.. {
                let (words, has_more) = order_words(&df, keys, depth).unwrap();
                for (row, word) in rows.iter_mut().zip(words) {
                    row.push(word);
                }
                if !has_more {
                    break;
                }
            }
            rows
        };
        let rising = rows_of(&[key("x", false)]);
        assert!(rising.is_sorted() && rising[1] == rising[2] && rising[3] < rising[4]);
        let falling = rows_of(&[key("x", true)]);
        assert!(falling[5] > falling[0], "null is last");
        assert!(falling[..5].iter().rev().is_sorted() && falling[4] < falling[3]);
        let texts = rows_of(&[key("t", true), key("x", false)]);
        assert!(texts[5] < texts[0] && texts[0] < texts[3] && texts[3] < texts[1] && texts[1] < texts[4]);
        assert_eq!(texts[1], texts[2]);
    }
}

//! A hash for each row of a list or struct, so that whole rows can be counted: equal rows have equal hashes.

use polars::error::PolarsResult;
use polars::prelude::{DataType, IntoSeries, Series, StringChunked};
use xxhash_rust::xxh3::xxh3_64;

use super::distinct::{Distinct, hash_bits};

/// Stands for null inside a row.
const NULL: u64 = 0x6e75_6c6c;
/// What the hash of a row begins with; an empty list has no more.
const SEED: u64 = 0x6c69_7374;

/// Adds the rows of `s` that are not null.
pub(super) fn add_rows(distinct: &mut Distinct, s: &Series) -> PolarsResult<()> {
    let hashes = row_hashes(s)?;
    if s.null_count() == 0 {
        for hash in hashes {
            distinct.add(hash);
        }
    } else {
        let is_there = s.is_not_null();
        let there = hashes.into_iter().zip(is_there.iter());
        there
            .filter(|(_, is_there)| *is_there == Some(true))
            .for_each(|(hash, _)| distinct.add(hash));
    }
    Ok(())
}

/// Values as texts; bytes, which need not be a text, as hexadecimal digits.
pub(super) fn as_texts(s: &Series) -> PolarsResult<Series> {
    if *s.dtype() != DataType::Binary {
        return s.cast(&DataType::String);
    }
    let hex = |bytes: &[u8]| {
        let halves = bytes.iter().flat_map(|byte| [byte >> 4, byte & 0xf]);
        halves
            .filter_map(|half| char::from_digit(half.into(), 16))
            .collect::<String>()
    };
    let texts = s.binary()?.iter().map(|bytes| bytes.map(hex));
    Ok(texts.collect::<StringChunked>().into_series())
}

/// The hash of a row so far with that of its next part. Order matters.
fn with(row: u64, part: u64) -> u64 {
    hash_bits(row.rotate_left(5) ^ part)
}

fn row_hashes(s: &Series) -> PolarsResult<Vec<u64>> {
    Ok(match s.dtype() {
        DataType::List(_) => {
            let lists = s.list()?;
            let items = row_hashes(&lists.get_inner())?;
            let mut rows = Vec::with_capacity(s.len());
            let mut start = 0;
            for array in lists.downcast_iter() {
                for pair in array.offsets().as_slice().windows(2) {
                    let [from, to] = *pair else { continue };
                    let at = |offset: i64| start + usize::try_from(offset).unwrap_or(0);
                    let part = items.get(at(from)..at(to)).unwrap_or_default();
                    rows.push(part.iter().fold(SEED, |row, item| with(row, *item)));
                }
                start += array.values().len();
            }
            rows
        }
        DataType::Struct(_) => {
            let mut rows = vec![SEED; s.len()];
            for field in s.struct_()?.fields_as_series() {
                for (row, part) in rows.iter_mut().zip(row_hashes(&field)?) {
                    *row = with(*row, part);
                }
            }
            rows
        }
        DataType::UInt64 => {
            let hash = |value: Option<u64>| value.map_or(NULL, hash_bits);
            s.u64()?.iter().map(hash).collect()
        }
        DataType::Float32 | DataType::Float64 => {
            let floats = s.cast(&DataType::Float64)?;
            // Adding zero makes 0.0 of -0.0, and one kind of NaN stands for all.
            let bits = |value: f64| if value.is_nan() { f64::NAN } else { value + 0.0 }.to_bits();
            let hash = |value: Option<f64>| value.map_or(NULL, |value| hash_bits(bits(value)));
            floats.f64()?.iter().map(hash).collect()
        }
        dtype if dtype.is_bool() || dtype.is_integer() || dtype.is_temporal() => {
            let ints = s.to_physical_repr().cast(&DataType::Int64)?;
            let hash = |value: Option<i64>| value.map_or(NULL, |value| hash_bits(value.cast_unsigned()));
            ints.i64()?.iter().map(hash).collect()
        }
        _ => {
            let texts = as_texts(s)?;
            let hash = |value: Option<&str>| value.map_or(NULL, |text| xxh3_64(text.as_bytes()));
            texts.str()?.iter().map(hash).collect()
        }
    })
}

#[cfg(test)]
mod tests {
    use polars::prelude::{IntoColumn, NamedFrom, Series};

    use super::add_rows;
    use crate::profile::columns::distinct::Distinct;

    fn n(s: &Series) -> u64 {
        let mut distinct = Distinct::default();
        add_rows(&mut distinct, s).unwrap();
        distinct.n()
    }

    #[test]
    fn rows_are_the_same_when_all_their_parts_are_in_the_same_order() {
        let of = |texts: &[Option<&str>]| Some(Series::new("".into(), texts));
        let (ab, ba) = (of(&[Some("a"), Some("b")]), of(&[Some("b"), Some("a")]));
        let (none, null) = (of(&[]), of(&[None]));
        let lists = Series::new("l".into(), [ab.clone(), ba, none.clone(), null, ab, None, none]);
        assert_eq!(n(&lists), 4, "ab, ba, nothing, and a list of null");
        assert_eq!(n(&lists.slice(4, 3)), 2);
        let ids = Series::new("i".into(), [Some(1_i64), Some(1), None, Some(2)]);
        let shares = Series::new("s".into(), [0.0, -0.0, f64::NAN, -f64::NAN]);
        let columns = vec![ids.into_column(), shares.into_column()];
        let rows = polars::prelude::DataFrame::new(4, columns).unwrap();
        assert_eq!(n(&Series::from(rows.into_struct("r".into()))), 3);
    }
}

//! The canonical bytes of values, by which rows are hashed and keys counted: the same in every version, process and batch.
//!
//! | value | bytes |
//! |---|---|
//! | null of any type | `00` |
//! | bool | `01`, then `00` or `01` |
//! | whole number of any width | `02`, then 8 bytes; `03`, then 8 bytes without a sign, when it is above 2^63 - 1 |
//! | float32 or float64 | `04`, then the 8 bytes of the float64; `-0.0` as `0.0`, every `NaN` as `7ff8000000000000` |
//! | text | `05`, its length in bytes, its UTF-8 |
//! | date | `06`, then 8 bytes: days since 1970-01-01 |
//! | timestamp | `07`, then 8 bytes: microseconds since 1970 (in UTC when it has a time zone), rounded down |
//! | duration | `08`, then 8 bytes: microseconds, rounded down |
//! | list | `09`, the number of its values, the values |
//! | struct | `0a`, the number of its fields, their values in order, without names |
//! | bytes | `0b`, their number, the bytes |
//!
//! Numbers and lengths are 8 bytes, the lowest first. No value's bytes are the beginning of another's, so the values of a
//! row one after another are the bytes of the row. Computed column by column into flat memory.

use polars::prelude::{
    Column, DataType, Float64Chunked, Int64Chunked, ListChunked, PolarsResult, Series, StructChunked,
    TimeUnit, polars_bail,
};

/// The bytes of each value of a column, one after another.
struct Encoded {
    bytes: Vec<u8>,
    ends: Vec<usize>,
}

impl Encoded {
    fn with_capacity(n_rows: usize) -> Self {
        Self {
            bytes: Vec::with_capacity(n_rows * 9),
            ends: Vec::with_capacity(n_rows),
        }
    }

    fn get(&self, row: usize) -> &[u8] {
        let start = self
            .ends
            .get(..row)
            .and_then(<[usize]>::last)
            .copied()
            .unwrap_or(0);
        let end = self.ends.get(row).copied().unwrap_or(start);
        self.bytes.get(start..end).unwrap_or_default()
    }

    fn end_value(&mut self) {
        self.ends.push(self.bytes.len());
    }

    /// Values of a fixed width: null, or a tag and eight bytes.
    fn words(values: impl Iterator<Item = Option<(u8, [u8; 8])>>) -> Self {
        let mut encoded = Self::with_capacity(values.size_hint().0);
        for value in values {
            match value {
                None => encoded.bytes.push(0),
                Some((tag, word)) => {
                    encoded.bytes.push(tag);
                    encoded.bytes.extend(word);
                }
            }
            encoded.end_value();
        }
        encoded
    }

    /// Values with their length before them.
    fn texts<'a>(tag: u8, values: impl Iterator<Item = Option<&'a [u8]>>) -> Self {
        let mut encoded = Self::with_capacity(values.size_hint().0);
        for value in values {
            match value {
                None => encoded.bytes.push(0),
                Some(text) => {
                    encoded.push_head(tag, text.len());
                    encoded.bytes.extend_from_slice(text);
                }
            }
            encoded.end_value();
        }
        encoded
    }

    fn push_head(&mut self, tag: u8, len: usize) {
        self.bytes.push(tag);
        self.bytes.extend((len as u64).to_le_bytes());
    }
}

/// Calls `each` with the canonical bytes of every row of `columns`, in order.
///
/// # Errors
/// A column without canonical bytes, which [`is_encodable`] tells before.
pub fn for_each_row(columns: &[Column], mut each: impl FnMut(&[u8])) -> PolarsResult<()> {
    let n_rows = columns.iter().map(Column::len).max().unwrap_or(0);
    let encoded = columns
        .iter()
        .map(|column| encode(&of_length(column, n_rows)))
        .collect::<PolarsResult<Vec<_>>>()?;
    let mut row_bytes = Vec::new();
    for row in 0..n_rows {
        row_bytes.clear();
        for column in &encoded {
            row_bytes.extend_from_slice(column.get(row));
        }
        each(&row_bytes);
    }
    Ok(())
}

/// A literal is one value for all rows.
fn of_length(column: &Column, n_rows: usize) -> Series {
    let values = column.as_materialized_series();
    if values.len() == 1 && n_rows != 1 {
        return values.new_from_index(0, n_rows);
    }
    values.clone()
}

fn encode(values: &Series) -> PolarsResult<Encoded> {
    Ok(match values.dtype() {
        DataType::Null => Encoded::words((0..values.len()).map(|_| None)),
        DataType::Boolean => {
            let mut encoded = Encoded::with_capacity(values.len());
            for value in values.bool()?.iter() {
                match value {
                    None => encoded.bytes.push(0),
                    Some(value) => encoded.bytes.extend([1, u8::from(value)]),
                }
                encoded.end_value();
            }
            encoded
        }
        DataType::UInt64 => Encoded::words(values.u64()?.iter().map(|value| {
            let value = value?;
            let tag = if i64::try_from(value).is_ok() { 2 } else { 3 };
            Some((tag, value.to_le_bytes()))
        })),
        dtype if dtype.is_integer() => int_words(2, values.cast(&DataType::Int64)?.i64()?, |value| value),
        DataType::Float32 | DataType::Float64 => float_words(values.cast(&DataType::Float64)?.f64()?),
        DataType::String => Encoded::texts(5, values.str()?.iter().map(|text| text.map(str::as_bytes))),
        DataType::Binary => Encoded::texts(11, values.binary()?.iter()),
        DataType::Date => int_words(6, values.cast(&DataType::Int64)?.i64()?, |days| days),
        DataType::Datetime(unit, _) => time_words(7, values, *unit)?,
        DataType::Duration(unit) => time_words(8, values, *unit)?,
        DataType::List(_) => encode_lists(values.list()?)?,
        DataType::Struct(_) => encode_structs(values, values.struct_()?)?,
        dtype => polars_bail!(ComputeError: "rows with {dtype} have no canonical bytes"),
    })
}

fn int_words(tag: u8, values: &Int64Chunked, convert: impl Fn(i64) -> i64) -> Encoded {
    Encoded::words(
        values
            .iter()
            .map(|value| Some((tag, convert(value?).to_le_bytes()))),
    )
}

fn float_words(values: &Float64Chunked) -> Encoded {
    Encoded::words(values.iter().map(|value| {
        let value = value?;
        let bits = if value.is_nan() {
            0x7ff8_0000_0000_0000
        } else {
            (value + 0.0).to_bits()
        };
        Some((4, bits.to_le_bytes()))
    }))
}

fn time_words(tag: u8, values: &Series, unit: TimeUnit) -> PolarsResult<Encoded> {
    let to_micros = move |value: i64| match unit {
        TimeUnit::Nanoseconds => value.div_euclid(1000),
        TimeUnit::Microseconds => value,
        TimeUnit::Milliseconds => value.wrapping_mul(1000),
    };
    Ok(int_words(tag, values.cast(&DataType::Int64)?.i64()?, to_micros))
}

fn encode_lists(lists: &ListChunked) -> PolarsResult<Encoded> {
    let lists = lists.rechunk();
    let inner = encode(&lists.get_inner())?;
    let mut encoded = Encoded::with_capacity(lists.len());
    for array in lists.downcast_iter() {
        let validity = array.validity();
        for (row, (start, len)) in array.offsets().offset_and_length_iter().enumerate() {
            if validity.is_some_and(|validity| !validity.get_bit(row)) {
                encoded.bytes.push(0);
            } else {
                encoded.push_head(9, len);
                for item in start..start + len {
                    encoded.bytes.extend_from_slice(inner.get(item));
                }
            }
            encoded.end_value();
        }
    }
    Ok(encoded)
}

fn encode_structs(values: &Series, structs: &StructChunked) -> PolarsResult<Encoded> {
    let fields = structs
        .fields_as_series()
        .iter()
        .map(encode)
        .collect::<PolarsResult<Vec<_>>>()?;
    let mut encoded = Encoded::with_capacity(values.len());
    for (row, is_null) in values.is_null().iter().enumerate() {
        if is_null == Some(true) {
            encoded.bytes.push(0);
        } else {
            encoded.push_head(10, fields.len());
            for field in &fields {
                encoded.bytes.extend_from_slice(field.get(row));
            }
        }
        encoded.end_value();
    }
    Ok(encoded)
}

/// Whether values of `dtype` have canonical bytes.
pub fn is_encodable(dtype: &DataType) -> bool {
    match dtype {
        DataType::List(item) => is_encodable(item),
        DataType::Struct(fields) => fields.iter().all(|field| is_encodable(field.dtype())),
        DataType::Null
        | DataType::Boolean
        | DataType::Float32
        | DataType::Float64
        | DataType::String
        | DataType::Binary
        | DataType::Date
        | DataType::Datetime(..)
        | DataType::Duration(_) => true,
        dtype => dtype.is_integer(),
    }
}

#[cfg(test)]
mod tests {
    use polars::prelude::{Column, DataType, IntoColumn, NamedFrom, Series, StructChunked, TimeUnit};

    use super::for_each_row;

    fn rows(columns: &[Column]) -> Vec<Vec<u8>> {
        let mut rows = Vec::new();
        for_each_row(columns, |bytes| rows.push(bytes.to_vec())).unwrap();
        rows
    }

    fn bytes(values: Series) -> Vec<Vec<u8>> {
        rows(&[values.into_column()])
    }

    fn tagged(tag: u8, word: u64) -> Vec<u8> {
        let mut bytes = vec![tag];
        bytes.extend(word.to_le_bytes());
        bytes
    }

    #[test]
    fn every_type_has_the_bytes_of_the_table() {
        let name = || "x".into();
        assert_eq!(
            bytes(Series::new(name(), [Some(true), Some(false), None])),
            [vec![1, 1], vec![1, 0], vec![0]]
        );
        assert_eq!(bytes(Series::new(name(), [-1i8])), [tagged(2, u64::MAX)]);
        assert_eq!(bytes(Series::new(name(), [-1i64])), [tagged(2, u64::MAX)]);
        assert_eq!(
            bytes(Series::new(name(), [7u64, u64::MAX])),
            [tagged(2, 7), tagged(3, u64::MAX)]
        );
        assert_eq!(
            bytes(Series::new(name(), [0.0, -0.0, f64::NAN, -f64::NAN])),
            [
                tagged(4, 0),
                tagged(4, 0),
                tagged(4, 0x7ff8_0000_0000_0000),
                tagged(4, 0x7ff8_0000_0000_0000)
            ]
        );
        assert_eq!(
            bytes(Series::new(name(), [1.5f32])),
            bytes(Series::new(name(), [1.5f64]))
        );
        let mut ae = tagged(5, 2);
        ae.extend("ä".as_bytes());
        assert_eq!(
            bytes(Series::new(name(), [Some("ä"), Some(""), None])),
            [ae, tagged(5, 0), vec![0]]
        );
        let days = Series::new(name(), [-1i32]).cast(&DataType::Date).unwrap();
        assert_eq!(bytes(days), [tagged(6, u64::MAX)]);
        for (unit, value) in [(TimeUnit::Nanoseconds, -1i64), (TimeUnit::Microseconds, -1)] {
            let stamps = Series::new(name(), [value])
                .cast(&DataType::Datetime(unit, None))
                .unwrap();
            assert_eq!(bytes(stamps), [tagged(7, u64::MAX)], "{unit:?}");
        }
    }

    #[test]
    fn nested_values_keep_their_bounds() {
        let item = |values: &[&str]| Series::new("".into(), values);
        let lists = Series::new("x".into(), [item(&["a", "b"]), item(&["ab"]), item(&[])]);
        let found = bytes(lists.clone());
        let mut expected = tagged(9, 2);
        for letter in ["a", "b"] {
            expected.extend(tagged(5, 1));
            expected.extend(letter.as_bytes());
        }
        assert_eq!(found[0], expected);
        assert_ne!(found[0], found[1]);
        assert_eq!(found[2], tagged(9, 0));
        assert_eq!(
            bytes(lists.slice(1, 2)),
            found[1..],
            "a part of a list column starts later"
        );

        let fields = [Series::new("a".into(), [Some(1i64), None])];
        let structs = StructChunked::from_series("x".into(), 2, fields.iter()).unwrap();
        let mut one = tagged(10, 1);
        one.extend(tagged(2, 1));
        let mut none = tagged(10, 1);
        none.push(0);
        assert_eq!(rows(&[structs.into_column()]), [one, none]);
    }

    #[test]
    fn values_do_not_run_into_each_other() {
        let a = Series::new("a".into(), ["ab", "a"]).into_column();
        let b = Series::new("b".into(), ["c", "bc"]).into_column();
        let found = rows(&[a, b]);
        assert_ne!(found[0], found[1]);
        let literal = Series::new("a".into(), [1i64]).into_column();
        let column = Series::new("b".into(), ["x", "y", "z"]).into_column();
        assert_eq!(rows(&[literal, column]).len(), 3, "one value stands for all rows");
        assert_eq!(bytes(Series::new_null("x".into(), 1)), [vec![0]]);
    }
}
